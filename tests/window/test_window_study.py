"""A study in the window: opened, browsed, stepped through in place, its scores, and back again by undo."""

from __future__ import annotations

from pathlib import Path

import pytest
from file_events import answer_dialog, choose, drop, errors, layer_titles
from habena.app.state import Colours, Threshold
from habena.app.window import Window
from habena.widgets.score_plot import ScorePlot
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from study_folder import NAMES, WITHOUT_LAST, write_study
from window_events import named, press_key, settle, wait_until


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path / "trial")


@pytest.fixture
def window(open_window, study: Path) -> Window:
    return open_window(study)


def shown_path(window: Window) -> str:
    overlay = window.session.state.overlays[-1]
    return Path(overlay.recipe.path).name


def people(window: Window) -> tuple[str, ...]:
    return window.panels.study_browser.table.shown_keys()


def column(window: Window, title: str) -> list[str]:
    model = window.panels.study_browser.table.view.model()
    heads = [model.headerData(n, Qt.Orientation.Horizontal) for n in range(model.columnCount())]
    at = heads.index(title)
    return [str(model.index(row, at).data()) for row in range(model.rowCount())]


def test_a_folder_with_participants_opens_as_a_study_and_shows_the_first_scan(window):
    assert people(window) == NAMES
    assert layer_titles(window) == ["sub-Q1W dawn, PET"]
    assert window.windowTitle() == "Simulated: two drugs – Habena"
    assert window.session.state.study is not None
    assert column(window, "arm")[:2] == ["alphadrug", "betadrug"]
    assert column(window, "Scans")[2:5] == ["● ●", "● ○", "● ●"]
    assert column(window, "madrs_total dawn")[0].isdigit()
    assert window.panels.study_browser.isVisible()
    assert errors(window) == []


def test_a_study_is_opened_from_the_menu_and_by_dropping(open_window, study, tmp_path, monkeypatch):
    window = open_window()
    answer_dialog(monkeypatch, "getExistingDirectory", study)
    choose(window, "File", "Open study folder")
    settle(window)
    assert people(window) == NAMES
    other = write_study(tmp_path / "other", people=3, healthy=0)
    drop(window, other)
    settle(window)
    assert people(window) == NAMES[:3]
    press_key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settle(window)
    assert people(window) == NAMES


def test_a_folder_that_is_no_study_is_said_and_nothing_changes(open_window, tmp_path):
    window = open_window()
    (tmp_path / "empty").mkdir()
    window.study.open(str(tmp_path / "empty"))
    settle(window)
    assert len(errors(window)) == 1
    assert window.session.state.study is None


def test_full_stop_and_comma_step_in_place_and_everything_else_stays(window):
    session = window.session
    layer = session.state.overlays[0]
    session.move_crosshair((16.0, 20.0, 18.0))
    changed = replace(layer, colours=Colours("viridis", 0, 40), threshold=Threshold(3.0), opacity=0.6)
    session.update_overlay(changed, "colours")
    before = session.state
    press_key(window, Qt.Key.Key_Period)
    settle(window)
    assert shown_path(window).startswith("sub-Q2W_ses-dawn")
    after = session.state
    slot = after.overlays[0]
    assert replace(after, overlays=before.overlays) == before
    assert replace(slot, recipe=changed.recipe, name=changed.name) == changed
    press_key(window, Qt.Key.Key_Comma)
    settle(window)
    press_key(window, Qt.Key.Key_Comma)
    settle(window)
    assert shown_path(window).startswith("sub-Q1W_ses-dawn")
    press_key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settle(window)
    assert shown_path(window).startswith("sub-Q2W_ses-dawn")


def test_keys_that_come_faster_than_scans_are_all_counted(window):
    for _ in range(3):
        press_key(window, Qt.Key.Key_Period)
    settle(window)
    assert shown_path(window).startswith("sub-Q4W_ses-dawn")
    assert len(window.session.state.overlays) == 1


def test_up_and_down_in_the_table_step_too_and_enter_opens(window):
    view = window.panels.study_browser.table.view
    view.setFocus()
    view.selectRow(4)
    QTest.keyClick(view, Qt.Key.Key_Return)
    settle(window)
    assert shown_path(window).startswith("sub-Q5W_ses-dawn")
    QTest.keyClick(view, Qt.Key.Key_Down)
    settle(window)
    assert shown_path(window).startswith("sub-Q6W_ses-dawn")


def test_the_choice_of_session_decides_what_is_stepped_through(window):
    browser = window.panels.study_browser
    browser.session_chosen.emit("last")
    settle(window)
    assert shown_path(window).startswith("sub-Q1W_ses-dusk")
    browser.session_chosen.emit("all")
    settle(window)
    press_key(window, Qt.Key.Key_Period)
    settle(window)
    press_key(window, Qt.Key.Key_Period)
    settle(window)
    assert shown_path(window).startswith("sub-Q2W_ses-dawn")


def test_stepping_follows_filter_and_order_of_the_table(window):
    browser = window.panels.study_browser
    browser.set_filter("arm=betadrug")
    browser.table.view.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    press_key(window, Qt.Key.Key_Period)
    settle(window)
    assert shown_path(window).startswith("sub-Q8W")
    press_key(window, Qt.Key.Key_Period)
    settle(window)
    assert shown_path(window).startswith("sub-Q6W")


def test_a_scan_that_is_gone_is_said_and_the_one_before_stays(window, study):
    next(study.glob("sub-Q2W/ses-dawn/pet/*.nii.gz")).unlink()
    press_key(window, Qt.Key.Key_Period)
    settle(window)
    assert shown_path(window).startswith("sub-Q1W")
    assert any("does not exist" in text for text in errors(window))


def test_notes_and_quality_are_there_again_when_the_study_is_opened_again(open_window, window, study):
    table = window.panels.study_browser.table
    table.noted.emit("sub-Q2W", "coughed")
    table.graded.emit("sub-Q1W", "bad")
    before = sorted(study.rglob("*"))
    other = open_window(study)
    assert column(other, "Note")[1] == "coughed"
    assert column(other, "Quality")[0] == "bad"
    assert sorted(study.rglob("*")) == before  # nothing is written into the study


def test_selecting_goes_from_table_to_plot_and_back(window):
    dock = window.dock("scores")
    dock.raise_()
    settle(window)
    plot = named(window, ScorePlot, "Score trajectories")
    window.panels.study_browser.table.view.selectRow(2)
    assert window.study.selection == ("sub-Q3W",)
    assert plot._chosen == ("sub-Q3W",)
    plot.selected.emit(("sub-Q5W",))
    assert window.panels.study_browser.table.selected_keys() == ("sub-Q5W",)


def test_scores_say_change_responders_and_who_left(window):
    window.dock("scores").raise_()
    settle(window)
    panel = window.panels.scores_panel
    data = panel.plot.data()
    assert data.title == "Simulated: madrs_total"
    assert data.visits == ("dawn", "noon", "dusk")
    assert [arm.n for arm in data.arms] == [(4, 4, 4), (4, 4, 3)]
    words = panel.words()
    assert "Improvement, alphadrug less betadrug" in words
    assert "Newcombe" in words
    assert f"Without a last score: {WITHOUT_LAST}." in words
    assert "larger is better" in words


def test_findings_name_the_person_and_choosing_one_selects_them(window):
    browser = window.panels.study_browser
    model = browser.findings._model
    rows = [(model.rows[n][0], model.rows[n][1]) for n in range(len(model.rows))]
    row = next(n for n, (who, _) in enumerate(rows) if who == WITHOUT_LAST)
    browser.finding_chosen.emit(row)
    assert window.study.selection == (WITHOUT_LAST,)


def test_a_saved_view_brings_the_study_back(open_window, window, tmp_path, monkeypatch):
    answer_dialog(monkeypatch, "getSaveFileName", tmp_path / "view.json")
    choose(window, "File", "Save view")
    assert str(tmp_path) not in (tmp_path / "view.json").read_text()
    other = open_window(tmp_path / "view.json", layout=None)
    assert people(other) == NAMES
    assert layer_titles(other) == ["sub-Q1W dawn, PET"]


def test_a_saved_view_whose_study_is_gone_still_opens(open_window, window, tmp_path, monkeypatch, study, anatomy):
    window.open([str(anatomy)])
    settle(window)
    answer_dialog(monkeypatch, "getSaveFileName", tmp_path / "view.json")
    choose(window, "File", "Save view")
    study.rename(tmp_path / "moved")
    other = open_window(tmp_path / "view.json", layout=None)
    assert len(other.session.state.overlays) == 2
    assert other.session.state.study is None
    assert any("trial" in text for text in errors(other))


def test_pictures_of_the_scans_come_by_themselves(window):
    view = window.panels.study_browser.table.view
    window.dock("study").raise_()
    picture = Qt.ItemDataRole.DecorationRole
    wait_until(lambda: view.model().index(0, 0).data(picture) is not None, "the picture")
