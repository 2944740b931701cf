"""Every key of the view does what its menu entry says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from habena.app.actions import ACTIONS
from habena.app.settings import Settings
from habena.app.window import Window
from habena.widgets.numbers import NumberEdit
from panel_events import open_tab
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QListWidget
from window_events import SHIFT, click, colour_on_slice, named, pixel_of, press_key, settle, wait_until
from window_files import OpenWindow

VOXEL_MM = 4.0
# Keys without which the view would be so already.
FIRST = {"layout-planes": "1", "camera-right": "Ctrl+1", "layer-up": "Alt+Down", "layer-down": "Alt+Up"}
PLANES = {"sagittal": (1, 2, 0), "coronal": (0, 2, 1), "axial": (0, 1, 2)}  # to the right, up, towards the viewer


def press_shortcut(window: Window, keys: str) -> None:
    """Press a key with what is held down for it, while the slices have the focus."""
    window.activateWindow()
    window.area.slices.setFocus()
    combined = QKeySequence(keys)[0]
    QTest.keyClick(window.area.slices, combined.key(), combined.keyboardModifiers())
    QApplication.processEvents()


def test_every_key_does_what_its_entry_says_and_undo_takes_it_back(
    open_window: OpenWindow, anatomy: Path, stat_map: Path
) -> None:
    window = open_window(anatomy, stat_map, layout="sagittal")
    press_shortcut(window, "Ctrl++")  # so that there is something to reset
    press_shortcut(window, "Ctrl+2")
    press_shortcut(window, "2")
    with_keys = [action for action in ACTIONS if action.keys]
    assert len(with_keys) > 20
    for action in with_keys:
        if action.id in FIRST:
            press_shortcut(window, FIRST[action.id])
            settle(window)
        before = window.session.state
        expected = action.do(before)
        assert expected != before, action.id
        press_shortcut(window, action.keys)
        assert window.session.state == expected, action.id
        settle(window)
        press_shortcut(window, "Ctrl+Z")
        assert window.session.state == before, action.id


def test_the_keyboard_stays_with_the_window_while_the_panels_are_built(open_window: OpenWindow, anatomy: Path) -> None:
    assert open_window(anatomy).isActiveWindow()  # a part that showed itself alone would take the keys away


def test_no_key_stands_for_two_things(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy)
    keys = [action.shortcut().toString() for action in window.findChildren(QAction)]
    keys += [shortcut.key().toString() for shortcut in window.findChildren(QShortcut)]
    twice = [key for key, count in Counter(keys).items() if key and count > 1]
    assert not twice


def test_menus_tick_what_is_on(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy)

    def ticked() -> set[str]:
        shown = {action.text for action in ACTIONS if action.checked is not None}
        return {action.text() for action in window.findChildren(QAction) if action.isChecked()} & shown

    assert {"Three planes", "Crosshair", "Pial surface"} <= ticked()
    press_shortcut(window, "5")
    press_shortcut(window, "X")
    settle(window)
    assert "Axial" in ticked()
    assert not {"Three planes", "Crosshair"} & ticked()


def test_arrows_go_in_the_plane_of_the_slice_that_was_clicked_and_page_keys_across_it(
    open_window: OpenWindow, anatomy: Path
) -> None:
    window = open_window(anatomy)
    for axis, (right, up, across) in PLANES.items():
        click(window.area.slices, pixel_of(window, axis, (0.0, 0.0, 0.0)))
        for key, along, steps in (
            (Qt.Key.Key_Right, right, 1),
            (Qt.Key.Key_Left, right, -1),
            (Qt.Key.Key_Up, up, 1),
            (Qt.Key.Key_Down, up, -1),
            (Qt.Key.Key_PageUp, across, 1),
            (Qt.Key.Key_PageDown, across, -1),
        ):
            expected = list(window.session.state.crosshair_mm)
            expected[along] += steps * VOXEL_MM
            press_key(window, key)
            assert window.session.state.crosshair_mm == pytest.approx(expected, abs=1e-3), (axis, key)


def test_shift_and_an_arrow_go_ten_voxels(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy, layout="axial")
    press_key(window, Qt.Key.Key_Up, SHIFT)
    assert window.session.state.crosshair_mm == (0.0, 40.0, 0.0)


def test_v_hides_the_selected_layer_and_shows_it_again(open_window: OpenWindow, anatomy: Path, stat_map: Path) -> None:
    window = open_window(anatomy, stat_map, layout="axial")
    press_shortcut(window, "X")
    click(window.area.slices, pixel_of(window, "axial", (0.0, 0.0, 0.0)))
    for _ in range(2):
        press_key(window, Qt.Key.Key_PageUp)  # to the slice of the warm ball
    settle(window)
    shown = colour_on_slice(window, "axial", (18.0, -20.0, 8.0))
    press_shortcut(window, "V")
    settle(window)
    hidden = colour_on_slice(window, "axial", (18.0, -20.0, 8.0))
    assert shown[0] > shown[2] + 90
    assert hidden[0] == hidden[2]
    press_shortcut(window, "V")
    settle(window)
    assert colour_on_slice(window, "axial", (18.0, -20.0, 8.0)) == shown


def test_slash_goes_to_the_finder_and_letters_typed_there_are_no_commands(
    open_window: OpenWindow, anatomy: Path
) -> None:
    window = open_window(anatomy)
    press_shortcut(window, "/")
    finder = window.panels.finder
    assert finder.hasFocus()
    before = window.session.state
    QTest.keyClicks(finder, "vxob5")
    assert finder.text() == "vxob5"
    assert window.session.state == before


def test_a_key_jumps_to_the_habenula_of_each_side(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy, settings=Settings(theme="dark", atlases=("cit168",)))
    for key, side in (("H", -1), ("Shift+H", 1)):
        press_shortcut(window, key)
        settle(window)
        x, y, z = window.session.state.crosshair_mm
        assert 1.0 < side * x < 6.0, key
        assert -32.0 < y < -18.0
        assert -3.0 < z < 7.0


def test_escape_in_the_finder_closes_its_list_and_leaves_notices_alone(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy, settings=Settings(theme="dark", atlases=("cit168",)))
    assert window.notice_bar.isVisible()
    press_shortcut(window, "/")
    finder = window.panels.finder
    found = named(window, QListWidget, "Regions found")
    QTest.keyClicks(finder, "haben")
    wait_until(found.isVisible, "a match")
    QTest.keyClick(finder, Qt.Key.Key_Escape)
    assert not found.isVisible()
    assert window.notice_bar.isVisible()
    QTest.keyClick(finder, Qt.Key.Key_Escape)
    assert not window.notice_bar.isVisible()


def test_escape_in_a_coordinate_takes_back_what_was_typed(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy)
    x = named(open_tab(window, "place"), NumberEdit, "x mm")
    x.setFocus()
    x.selectAll()
    QTest.keyClicks(x, "abc")
    QTest.keyClick(x, Qt.Key.Key_Escape)
    assert x.text() == "0"
    assert window.session.state.crosshair_mm == (0.0, 0.0, 0.0)


def test_coordinates_typed_one_after_the_other_with_tab_go_there(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy)
    place = open_tab(window, "place")
    for at in ((-8.0, -52.0, 26.0), (12.0, 30.0, -17.0)):
        named(place, NumberEdit, "x mm").setFocus(Qt.FocusReason.TabFocusReason)
        for typed in at:
            QTest.keyClicks(window.focusWidget(), f"{typed:g}")
            QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
            settle(window)
        assert window.session.state.crosshair_mm == at


def test_after_a_region_is_found_keys_are_commands_again(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy, settings=Settings(theme="dark", atlases=("cit168",)))
    press_shortcut(window, "/")
    finder = window.panels.finder
    QTest.keyClicks(finder, "haben")
    wait_until(named(window, QListWidget, "Regions found").isVisible, "a match")
    QTest.keyClick(finder, Qt.Key.Key_Return)
    settle(window)
    assert window.session.state.crosshair_mm != (0.0, 0.0, 0.0)
    assert window.area.slices.hasFocus()
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_5)
    assert window.session.state.layout == "axial"
