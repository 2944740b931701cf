"""The lightbox and the bar above it."""

from __future__ import annotations

import pytest
from habena.widgets.controls import Choice
from habena.widgets.numbers import NumberEdit
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QTabBar
from window_events import click, named, pixel_of, press_key, settle, slice_panel, wheel


@pytest.fixture
def window(open_window, anatomy):
    return open_window(anatomy, layout="lightbox")


def type_number(window, name, text):
    field = named(window.lightbox_bar, NumberEdit, name)
    field.setFocus()
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_Delete)
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)
    settle(window)


def panels(window):
    return window.slice_view.arrangement.panels


def test_the_bar_is_there_in_the_lightbox_only(window):
    assert window.lightbox_bar.isVisible()
    press_key(window, Qt.Key.Key_2)
    settle(window)
    assert not window.lightbox_bar.isVisible()


def test_rows_columns_spacing_and_first_slice_are_what_is_typed(window):
    for name, text in (("Rows", "2"), ("Columns", "3"), ("Spacing", "8"), ("First slice", "-20")):
        type_number(window, name, text)
    assert [panel.position_mm for panel in panels(window)] == [-20, -12, -4, 4, 12, 20]
    assert len({panel.rect.y for panel in panels(window)}) == 2
    at = 4.5
    window.session.move_crosshair((0.0, 0.0, at))
    settle(window)
    assert min(abs(panel.position_mm - at) for panel in panels(window)) == 0.5, "slices that were placed by hand moved"
    type_number(window, "First slice", "")
    assert min(abs(panel.position_mm - at) for panel in panels(window)) < 1e-6


def test_another_direction_shows_other_slices(window):
    choice = named(window.lightbox_bar, Choice, "Direction")
    choice.setFocus()
    QTest.keyClick(choice, Qt.Key.Key_End)
    settle(window)
    assert {panel.axis for panel in panels(window)} == {"sagittal"}


def test_whole_head_spreads_the_slices_over_the_head(window):
    type_number(window, "Spacing", "0.5")
    QTest.mouseClick(named(window.lightbox_bar, QPushButton, "Whole head"), Qt.MouseButton.LeftButton)
    settle(window)
    positions = [panel.position_mm for panel in panels(window)]
    low, high = window.session.scenes.world_box(window.session.shown())
    assert low[2] < positions[0] < low[2] + 8
    assert high[2] - 8 < positions[-1] < high[2]


def test_the_wheel_scrolls_all_slices_and_a_click_goes_to_its_slice(window):
    before = [panel.position_mm for panel in panels(window)]
    wheel(window.area.slices, pixel_of(window, "axial", (0.0, 0.0, before[0])), 1)
    settle(window)
    after = [panel.position_mm for panel in panels(window)]
    assert after == pytest.approx([position + 6 for position in before])
    third = panels(window)[2]
    x, y = third.px_of((8.0, -12.0, third.position_mm))
    click(window.area.slices, (round(x), round(y)))
    settle(window)
    place = window.session.state.crosshair_mm
    assert place[2] == pytest.approx(third.position_mm)
    assert place[:2] == pytest.approx((8.0, -12.0), abs=slice_panel(window, "axial").mm_per_px)


def test_typing_in_the_bar_is_one_step_to_undo(window):
    before = window.session.state.lightbox
    type_number(window, "Columns", "4")
    assert window.session.state.lightbox.columns == 4
    press_key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settle(window)
    assert window.session.state.lightbox == before


def test_no_tab_bar_is_left_over_where_panels_were_joined(window):
    bars = [bar for bar in window.findChildren(QTabBar) if bar.parent() is window and not bar.geometry().isEmpty()]
    assert sorted(bar.count() for bar in bars) == [4, 5, 8]  # left, right, below
