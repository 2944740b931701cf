"""The wall in the window: put up and taken down, stepped, blinded, saved and drawn without a window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from file_events import answer_dialog, choose, menu_action, notices
from habena.app.headless import RenderOptions, render
from habena.app.recipes import StudyMap
from habena.app.state import Colours
from habena.app.window import Window
from habena.widgets.study_browser import StudyBrowser
from msgspec.structs import replace
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton
from study_folder import WITHOUT_LAST, write_study
from window_events import click, named, press_key, settle, wait_until

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path / "trial", people=4, healthy=1)


@pytest.fixture
def window(open_window, study: Path) -> Window:
    return open_window(study)


def put_up(window: Window, *people: str) -> None:
    window.study.select(people)
    press_key(window, Qt.Key.Key_9)
    wait_until(lambda: window.session.state.layout == "wall", "the wall")
    settle(window)


def titles(window: Window) -> list[list[str]]:
    state = window.session.state
    named_layers = [[state.overlay(key) for key in row] for row in state.wall.rows]
    return [["" if each is None else each.name for each in row] for row in named_layers]


def test_nine_puts_a_person_on_the_wall_and_takes_the_wall_down_again(window):
    before = window.session.state
    put_up(window)
    assert titles(window) == [["sub-Q1W dawn", "sub-Q1W dusk", "sub-Q1W dusk \N{MINUS SIGN} dawn"]]
    assert len(window.slice_view.arrangement.panels) == 9
    assert named(window, QToolButton, "Wall").isChecked()
    assert menu_action(window, "Study", "Wall").isChecked()
    assert not window.session.state.overlays[0].visible  # the scan that was shown alone
    press_key(window, Qt.Key.Key_9)
    settle(window)
    assert replace(window.session.state, crosshair_mm=before.crosshair_mm) == before
    press_key(window, Qt.Key.Key_Z, CONTROL)
    assert window.session.state.layout == "wall"
    press_key(window, Qt.Key.Key_Z, CONTROL)
    assert window.session.state == before


def test_a_click_in_any_cell_moves_the_one_crosshair(window):
    put_up(window)
    panel = window.slice_view.arrangement.panels[8]  # axial, of the difference
    x, y = (round(v) for v in panel.px_of((12.0, -16.0, 0.0)))
    click(window.area.slices, (float(x), float(y)))
    settle(window)
    expected = panel.mm_at(x, y)
    np.testing.assert_allclose(window.session.state.crosshair_mm, expected, atol=1e-3)
    shown = {(each.axis, each.position_mm) for each in window.slice_view.arrangement.panels}
    assert len(shown) == 3
    assert dict(shown)["sagittal"] == pytest.approx(expected[0], abs=1e-3)


def test_a_double_click_shows_one_plane_in_all_cells_and_another_all_three_again(window):
    put_up(window)
    x, y, width, height = window.slice_view.arrangement.panels[0].rect
    at = QPoint(x + width // 3, y + height // 2)
    QTest.mouseDClick(window.area.slices, Qt.MouseButton.LeftButton, pos=at)
    settle(window)
    assert [panel.axis for panel in window.slice_view.arrangement.panels] == ["sagittal"] * 3
    QTest.mouseDClick(window.area.slices, Qt.MouseButton.LeftButton, pos=at)
    settle(window)
    assert len(window.slice_view.arrangement.panels) == 9


def test_stepping_brings_the_next_person_in_the_same_colours(window):
    put_up(window)
    first = window.session.state.overlay(window.session.state.wall.rows[0][0])
    colours = Colours("viridis", 0.2, 1.1)
    window.session.update_overlay(replace(first, colours=colours), "colours")
    assert [o.colours == colours for o in window.session.state.overlays[1:]] == [True, True, False]
    for _ in range(2):  # faster than they are prepared
        press_key(window, Qt.Key.Key_Period)
    settle(window)
    assert titles(window)[0][0] == "sub-Q3W dawn"
    assert [o.colours == colours for o in window.session.state.overlays[1:]] == [True, True, False]
    assert window.study.selection == ("sub-Q3W",)
    press_key(window, Qt.Key.Key_Comma)
    settle(window)
    assert titles(window)[0][0] == "sub-Q2W dawn"


def test_several_people_have_a_row_each_and_no_scan_is_an_empty_cell(window):
    window.study.select(("sub-Q3W", WITHOUT_LAST))
    QTest.mouseClick(named(named(window, StudyBrowser, ""), QToolButton, "Wall"), Qt.MouseButton.LeftButton)
    wait_until(lambda: window.session.state.layout == "wall", "the wall")
    settle(window)
    assert titles(window)[1] == ["sub-Q4W dawn", "", ""]
    assert len(window.slice_view.arrangement.panels) == 6


def test_while_blinded_the_wall_tells_no_order_and_no_step_of_undo_does(window):
    put_up(window, "sub-Q1W", "sub-Q2W", "sub-Q3W")
    window.study.set_blinded(True)
    settle(window)
    store, blinding = window.session.store, window.study.blinding
    rows = titles(window)
    codes = [row[0].split()[0] for row in rows]
    assert codes == sorted(codes)
    assert rows == [[f"{code} X", f"{code} Y", f"{code} Y \N{MINUS SIGN} X"] for code in codes]
    while store.undo_name is not None:
        for overlay in store.state.overlays:
            if isinstance(overlay.recipe, StudyMap):
                (_, who), pair = overlay.recipe.rows.where[0], overlay.recipe.rows.sessions
                letters = "".join(blinding.shown_session(who, session) for session in pair)
                assert letters in {"X", "Y", "XY"}, "a difference in the order of time"
        store.undo()
    settle(window)


def test_a_saved_wall_opens_elsewhere_and_is_drawn_without_a_window(open_window, window, study, tmp_path, monkeypatch):
    put_up(window, "sub-Q2W", WITHOUT_LAST)
    shown = titles(window)
    (tmp_path / "kept").mkdir()
    answer_dialog(monkeypatch, "getSaveFileName", tmp_path / "kept" / "view.json")
    choose(window, "File", "Save view")
    settle(window)
    width, height = window.area.slices.size_px()
    window.files.write_picture(str(tmp_path / "seen.png"), 1, 100.0)
    settle(window)
    assert str(tmp_path) not in (tmp_path / "kept" / "view.json").read_text()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    study.rename(elsewhere / "trial")
    (tmp_path / "kept").rename(elsewhere / "kept")
    render(
        str(elsewhere / "kept" / "view.json"),
        str(tmp_path / "drawn.png"),
        options=RenderOptions(size=(width, height), scale=1.0),
    )
    seen, drawn = (np.asarray(Image.open(tmp_path / name)) for name in ("seen.png", "drawn.png"))
    assert np.ptp(seen) > 100
    np.testing.assert_array_equal(seen, drawn)
    other = open_window(elsewhere / "kept" / "view.json", layout=None)
    assert titles(other) == shown
    assert len(other.session.shown()) == len(other.session.state.overlays)


def test_without_a_study_the_wall_says_what_to_do(open_window):
    window = open_window()
    choose(window, "Study", "Wall")
    assert any("Open a study" in text for text in notices(window))
    assert window.session.state.layout == "ortho"
