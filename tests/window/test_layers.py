"""The layer list and how the selected layer is drawn: mouse and keys in, pixels out."""

from __future__ import annotations

import threading
from pathlib import Path

import habena.app.seeds
import numpy as np
import pytest
from habena.app.answers import Answer
from habena.app.window import Window
from habena.widgets.colour_combo import ColourCombo
from habena.widgets.layer_panel import LayerPanel
from habena.widgets.numbers import NumberEdit
from panel_events import (
    choose,
    eye,
    layers_of,
    middle,
    open_tab,
    press,
    said_of,
    select_layer,
    selected,
    titles,
    write,
)
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QSlider
from window_events import (
    CONTROL,
    LEFT,
    colour_on_slice,
    drag,
    named,
    picture,
    pixel_of,
    press_key,
    settle,
    texts,
    wait_until,
)
from window_files import BLOB_MM, COOL_MM, WARM_MM, OpenWindow

GREY_MM = (-18.0, -20.0, 8.0)  # in the head, where the statistic map is small


def is_grey(colour: tuple[int, int, int]) -> bool:
    return max(colour) - min(colour) < 12


def go(window: Window, mm: tuple[float, float, float]) -> None:
    """Type a place of the crosshair."""
    for name, value in zip(("x mm", "y mm", "z mm"), mm, strict=True):
        write(window.dock("place").widget(), name, f"{value:g}")
    settle(window)


@pytest.fixture
def map_on_anatomy(open_window: OpenWindow, anatomy: Path, stat_map: Path) -> Window:
    window = open_window(anatomy, stat_map)
    go(window, WARM_MM)
    return window


def panel(window: Window) -> LayerPanel:
    return window.findChild(LayerPanel)


def test_the_list_shows_the_topmost_layer_first_and_selects_what_was_opened_last(map_on_anatomy: Window) -> None:
    assert titles(map_on_anatomy) == ["sub-01_space-MNI152NLin6Asym_tstat", "sub-01_space-MNI152NLin6Asym_T1w"]
    assert selected(map_on_anatomy).name.endswith("tstat")
    assert "20 × 24 × 22" in said_of(map_on_anatomy, 0)


def test_dragging_a_layer_beneath_another_hides_it_and_undo_brings_it_back(map_on_anatomy: Window) -> None:
    before = colour_on_slice(map_on_anatomy, "axial", WARM_MM)
    assert not is_grey(before)
    with layers_of(map_on_anatomy) as layers:
        port = layers.viewport()
        start, end = middle(layers, 0), middle(layers, 1)
        QTest.mousePress(port, LEFT, pos=start)
        for y in range(start.y(), end.y() + 1, 4):
            QTest.mouseMove(port, QPoint(start.x(), y))
        QTest.mouseRelease(port, LEFT, pos=end)
    assert titles(map_on_anatomy)[0].endswith("T1w")
    assert is_grey(colour_on_slice(map_on_anatomy, "axial", WARM_MM))
    press_key(map_on_anatomy, Qt.Key.Key_Z, CONTROL)
    settle(map_on_anatomy)
    assert titles(map_on_anatomy)[0].endswith("tstat")
    assert colour_on_slice(map_on_anatomy, "axial", WARM_MM) == before


def test_the_eye_hides_and_shows_a_layer_without_selecting_it(map_on_anatomy: Window) -> None:
    select_layer(map_on_anatomy, 1)
    with layers_of(map_on_anatomy) as layers:
        QTest.mouseClick(layers.viewport(), LEFT, pos=eye(layers, 0))
    assert "hidden" in said_of(map_on_anatomy, 0)
    assert is_grey(colour_on_slice(map_on_anatomy, "axial", WARM_MM))
    assert selected(map_on_anatomy).name.endswith("T1w")
    with layers_of(map_on_anatomy) as layers:
        QTest.mouseClick(layers.viewport(), LEFT, pos=eye(layers, 0))
    assert not is_grey(colour_on_slice(map_on_anatomy, "axial", WARM_MM))


def test_the_opacity_slider_lets_the_anatomy_through(map_on_anatomy: Window) -> None:
    opaque = np.array(colour_on_slice(map_on_anatomy, "axial", WARM_MM))
    track = named(panel(map_on_anatomy), QSlider, "Opacity")
    QTest.mouseClick(track, LEFT, pos=QPoint(track.width() // 2, track.height() // 2))
    settle(map_on_anatomy)
    half = np.array(colour_on_slice(map_on_anatomy, "axial", WARM_MM))
    opacity = selected(map_on_anatomy).opacity
    assert 0.3 < opacity < 0.7
    with layers_of(map_on_anatomy) as layers:
        QTest.mouseClick(layers.viewport(), LEFT, pos=eye(layers, 0))
    beneath = np.array(colour_on_slice(map_on_anatomy, "axial", WARM_MM))
    np.testing.assert_allclose(half, opacity * opaque + (1 - opacity) * beneath, atol=3)
    assert f"{100 * opacity:.0f} %" in texts(panel(map_on_anatomy))


def test_another_colour_map_repaints_the_slices(map_on_anatomy: Window) -> None:
    before = colour_on_slice(map_on_anatomy, "axial", WARM_MM)
    combo = named(panel(map_on_anatomy), ColourCombo, "Colours")
    combo.setFocus()
    combo.showPopup()
    number = next(n for n in range(combo.count()) if combo.itemText(n) == "Viridis")
    combo.view().setCurrentIndex(combo.model().index(number, 0))
    QTest.keyClick(combo.view(), Qt.Key.Key_Return)
    settle(map_on_anatomy)
    assert selected(map_on_anatomy).colours.name == "viridis"
    after = colour_on_slice(map_on_anatomy, "axial", WARM_MM)
    assert after != before
    press(panel(map_on_anatomy), "Last colour first")
    settle(map_on_anatomy)
    inverted = colour_on_slice(map_on_anatomy, "axial", WARM_MM)
    assert sum(inverted) < sum(after)  # +6 is near the top: from bright to dark


def test_a_double_click_renames_a_layer(map_on_anatomy: Window) -> None:
    with layers_of(map_on_anatomy) as layers:
        QTest.mouseDClick(layers.viewport(), LEFT, pos=middle(layers, 0))
        editor = layers.findChild(QLineEdit)
        assert editor.text().endswith("tstat")
        QTest.keyClicks(editor, "Ketamine effect")
        QTest.keyClick(editor, Qt.Key.Key_Return)
    assert titles(map_on_anatomy)[0] == "Ketamine effect"
    assert selected(map_on_anatomy).name == "Ketamine effect"


def test_delete_removes_a_layer_and_its_neighbour_is_selected(map_on_anatomy: Window) -> None:
    with layers_of(map_on_anatomy) as layers:
        QTest.mouseClick(layers.viewport(), LEFT, pos=middle(layers, 0))
        QTest.keyClick(layers, Qt.Key.Key_Delete)
    assert [title[-3:] for title in titles(map_on_anatomy)] == ["T1w"]
    assert selected(map_on_anatomy).name.endswith("T1w")
    assert is_grey(colour_on_slice(map_on_anatomy, "axial", WARM_MM))


def menu_of(window: Window, number: int) -> QMenu:
    with layers_of(window) as layers:
        at = middle(layers, number)
        QTest.mousePress(layers.viewport(), Qt.MouseButton.RightButton, pos=at)
        event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, layers.viewport().mapToGlobal(at))
        QApplication.sendEvent(layers.viewport(), event)
    return next(menu for menu in layers.findChildren(QMenu) if menu.isVisible())


def test_the_menu_of_a_layer_offers_only_what_applies_to_it(map_on_anatomy: Window) -> None:
    menu = menu_of(map_on_anatomy, 1)
    entries = [action.text() for action in menu.actions()]
    assert "Keep this map as it is" not in entries  # it stays as it is: its map comes from a file
    assert "Save as NIfTI…" in entries
    next(action for action in menu.actions() if action.text() == "Duplicate").trigger()
    menu.close()
    settle(map_on_anatomy)
    anatomy = "sub-01_space-MNI152NLin6Asym_T1w"
    assert titles(map_on_anatomy)[1:] == [f"{anatomy} (copy)", anatomy]  # a copy lies on its original


def test_with_no_layer_selected_the_panel_says_what_to_do(open_window: OpenWindow) -> None:
    window = open_window()
    assert "Select a layer to change how it is drawn." in texts(panel(window))


def test_a_layer_that_has_failed_says_why_where_its_settings_would_be(open_window: OpenWindow, stat_map: Path) -> None:
    window = open_window(stat_map)
    view = window.session.state
    window.close()
    stat_map.unlink()
    again = open_window(view=view, layout=None)
    assert any("tstat" in text and "does not exist" in text for text in texts(panel(again))), texts(panel(again))


# -- threshold, clusters' outline, interpolation


def test_below_the_threshold_is_hidden_or_faded(map_on_anatomy: Window) -> None:
    select_layer(map_on_anatomy, 0)
    write(panel(map_on_anatomy), "Threshold", "6.5")
    settle(map_on_anatomy)
    assert is_grey(colour_on_slice(map_on_anatomy, "axial", WARM_MM))
    hidden = np.array(colour_on_slice(map_on_anatomy, "axial", WARM_MM))
    choose(panel(map_on_anatomy), "Below the threshold", "Faded")
    settle(map_on_anatomy)
    faded = np.array(colour_on_slice(map_on_anatomy, "axial", WARM_MM))
    assert np.abs(faded - hidden).max() > 30
    write(panel(map_on_anatomy), "Threshold", "3")
    settle(map_on_anatomy)
    full = np.array(colour_on_slice(map_on_anatomy, "axial", WARM_MM))
    assert np.abs(full - hidden).max() > np.abs(faded - hidden).max()


def white_pixels(window: Window, axis: str, mm: tuple[float, float, float]) -> int:
    """White pixels within 14 mm of a place of a slice."""
    x, y = pixel_of(window, axis, mm)
    reach = abs(pixel_of(window, axis, (mm[0] + 14, mm[1], mm[2]))[0] - x)
    shot = picture(window.area.slices)
    part = shot[round(y - reach) : round(y + reach), round(x - reach) : round(x + reach)]
    return int((part.min(axis=-1) > 245).sum())


def test_an_outline_is_drawn_at_the_threshold(map_on_anatomy: Window) -> None:
    press_key(map_on_anatomy, Qt.Key.Key_X)  # no crosshair on what is counted
    settle(map_on_anatomy)
    assert white_pixels(map_on_anatomy, "axial", WARM_MM) == 0
    press(panel(map_on_anatomy), "Outline")
    settle(map_on_anatomy)
    assert white_pixels(map_on_anatomy, "axial", WARM_MM) > 40
    assert white_pixels(map_on_anatomy, "axial", GREY_MM) == 0


def test_without_smoothing_every_voxel_is_a_block_of_one_colour(map_on_anatomy: Window) -> None:
    select_layer(map_on_anatomy, 1)
    place = (BLOB_MM[0], BLOB_MM[1], BLOB_MM[2])
    go(map_on_anatomy, place)
    press_key(map_on_anatomy, Qt.Key.Key_X)
    settle(map_on_anatomy)

    def greys_across_the_edge() -> int:
        start, end = (
            pixel_of(map_on_anatomy, "axial", (0.0, place[1], place[2])),
            pixel_of(map_on_anatomy, "axial", place),
        )
        row = picture(map_on_anatomy.area.slices)[int(start[1]), int(start[0]) : int(end[0]), 0]
        return len(np.unique(row))

    smooth = greys_across_the_edge()
    press(panel(map_on_anatomy), "Smooth")
    settle(map_on_anatomy)
    assert greys_across_the_edge() == 2  # the head and the ball
    assert smooth > 4


# -- separate sides


def test_positive_and_negative_values_have_ranges_of_their_own(map_on_anatomy: Window) -> None:
    fields = panel(map_on_anatomy)
    warm = colour_on_slice(map_on_anatomy, "axial", WARM_MM)
    go(map_on_anatomy, COOL_MM)
    cool = colour_on_slice(map_on_anatomy, "axial", COOL_MM)
    assert warm[0] > warm[2] + 60
    assert cool[2] > cool[0] + 60
    write(fields, "Negative threshold", "5.5")  # the cool ball is −5
    settle(map_on_anatomy)
    assert is_grey(colour_on_slice(map_on_anatomy, "axial", COOL_MM))
    go(map_on_anatomy, WARM_MM)
    assert colour_on_slice(map_on_anatomy, "axial", WARM_MM) == warm


def test_linked_sides_move_together(map_on_anatomy: Window) -> None:
    fields = panel(map_on_anatomy)
    press(fields, "Move both sides together")
    write(fields, "Threshold", "4")
    settle(map_on_anatomy)
    assert (selected(map_on_anatomy).threshold.value, selected(map_on_anatomy).threshold.negative) == (4.0, 4.0)


# -- another image decides


def test_a_map_is_shown_only_where_another_image_lies_within_bounds(map_on_anatomy: Window) -> None:
    fields = panel(map_on_anatomy)
    press(fields, "Modulate by a layer")
    choose(fields, "Modulating layer", "sub-01_space-MNI152NLin6Asym_T1w")
    choose(fields, "Kind of modulation", "Shown only")
    write(fields, "Modulation to", "300")
    write(fields, "Modulation from", "200")  # only the bright ball of the anatomy
    settle(map_on_anatomy)
    assert is_grey(colour_on_slice(map_on_anatomy, "axial", WARM_MM))
    write(fields, "Modulation from", "50")  # the whole head
    settle(map_on_anatomy)
    assert not is_grey(colour_on_slice(map_on_anatomy, "axial", WARM_MM))


def test_another_image_makes_a_map_as_opaque_as_it_is_large(map_on_anatomy: Window) -> None:
    fields = panel(map_on_anatomy)
    opaque = np.array(colour_on_slice(map_on_anatomy, "axial", WARM_MM))
    press(fields, "Modulate by a layer")
    choose(fields, "Modulating layer", "sub-01_space-MNI152NLin6Asym_T1w")
    write(fields, "Modulation to", "200")  # the head of 100 is half of it
    settle(map_on_anatomy)
    half = np.array(colour_on_slice(map_on_anatomy, "axial", WARM_MM))
    with layers_of(map_on_anatomy) as layers:
        QTest.mouseClick(layers.viewport(), LEFT, pos=eye(layers, 0))
    beneath = np.array(colour_on_slice(map_on_anatomy, "axial", WARM_MM))
    np.testing.assert_allclose(half, 0.5 * opaque + 0.5 * beneath, atol=4)


def test_list_and_panel_stay_while_a_live_map_is_on_its_way(
    open_window: OpenWindow, run_4d: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_window(run_4d)
    press(open_tab(window, "seed"), "Prepare")
    settle(window)
    open_tab(window, "place")
    before = said_of(window, 0)
    assert "live" in before
    go_on = threading.Event()
    correlate = habena.app.seeds.seed_answer

    def slow(*question: object) -> Answer:
        go_on.wait()
        return correlate(*question)

    monkeypatch.setattr(habena.app.seeds, "seed_answer", slow)
    drag(window.area.slices, pixel_of(window, "axial", (33.0, 3.0, 3.0)))
    typed = named(window, NumberEdit, "x mm")
    wait_until(lambda: abs((typed.value() or 0) - 33) < 1, "the new place in the panels")
    try:
        assert said_of(window, 0) == before
        assert named(panel(window), NumberEdit, "Threshold").isVisible()
    finally:
        go_on.set()
    settle(window)


def test_keys_move_copy_rename_and_remove_the_selected_layer_while_the_slices_have_the_focus(
    map_on_anatomy: Window,
) -> None:
    lower, upper = (overlay.name for overlay in map_on_anatomy.session.state.overlays)
    assert selected(map_on_anatomy).name == upper
    alt = Qt.KeyboardModifier.AltModifier
    press_key(map_on_anatomy, Qt.Key.Key_Down, alt)
    settle(map_on_anatomy)
    assert titles(map_on_anatomy) == [lower, upper]
    press_key(map_on_anatomy, Qt.Key.Key_Down, alt)  # it is the lowest already
    press_key(map_on_anatomy, Qt.Key.Key_Up, alt)
    settle(map_on_anatomy)
    assert titles(map_on_anatomy) == [upper, lower]
    press_key(map_on_anatomy, Qt.Key.Key_D, CONTROL)
    settle(map_on_anatomy)
    assert titles(map_on_anatomy) == [f"{upper} (copy)", upper, lower]
    press_key(map_on_anatomy, Qt.Key.Key_F2)
    with layers_of(map_on_anatomy) as layers:
        editor = layers.findChild(QLineEdit)
        editor.selectAll()
        QTest.keyClicks(editor, "twin")
        QTest.keyClick(editor, Qt.Key.Key_Delete)  # at the end of the text: no layer is removed by it
        QTest.keyClick(editor, Qt.Key.Key_Return)
    assert titles(map_on_anatomy) == ["twin", upper, lower]
    press_key(map_on_anatomy, Qt.Key.Key_Delete)
    settle(map_on_anatomy)
    assert titles(map_on_anatomy) == [upper, lower]
    press_key(map_on_anatomy, Qt.Key.Key_Z, CONTROL)
    settle(map_on_anatomy)
    assert titles(map_on_anatomy) == ["twin", upper, lower]
