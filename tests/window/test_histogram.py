"""Range and threshold as handles on the histogram: what the hand moves is what the slices show."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.window import Window
from habena.widgets.layer_panel import LayerPanel
from habena.widgets.numbers import NumberEdit
from habena.widgets.range_handle import RangeHandle
from panel_events import drag_handle, selected
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from window_events import CONTROL, colour_on_slice, named, press_key, settle
from window_files import COOL_MM, WARM_MM, OpenWindow

FAR = 400  # pixels: beyond the end of the histogram


@pytest.fixture
def on_map(open_window: OpenWindow, anatomy: Path, stat_map: Path) -> Window:
    return open_window(anatomy, stat_map)


def panel(window: Window) -> LayerPanel:
    return window.findChild(LayerPanel)


def at(window: Window, mm: tuple[float, float, float]) -> tuple[int, int, int]:
    """Colour at a place, with the crosshair moved there."""
    window.session.move_crosshair(mm)
    window.session.store.settle()
    settle(window)
    return colour_on_slice(window, "axial", mm)


def is_grey(colour: tuple[int, int, int]) -> bool:
    return max(colour) - min(colour) < 12


def handle(window: Window, name: str) -> RangeHandle:
    return next(h for h in panel(window).findChildren(RangeHandle) if h.accessibleName().startswith(f"{name}:"))


def test_dragging_a_threshold_hides_its_side_only_and_is_one_step_of_undo(on_map: Window) -> None:
    cool, warm = at(on_map, COOL_MM), at(on_map, WARM_MM)
    before = selected(on_map).threshold
    drag_handle(panel(on_map), "Threshold", FAR)
    settle(on_map)
    after = selected(on_map).threshold
    assert after.value is not None
    assert after.value > 6.0
    assert after.negative == before.negative
    assert is_grey(colour_on_slice(on_map, "axial", WARM_MM))
    press_key(on_map, Qt.Key.Key_Z, CONTROL)
    settle(on_map)
    assert selected(on_map).threshold == before
    assert colour_on_slice(on_map, "axial", WARM_MM) == warm
    drag_handle(panel(on_map), "Negative threshold", -FAR)
    settle(on_map)
    assert colour_on_slice(on_map, "axial", WARM_MM) == warm
    assert not is_grey(cool)
    assert is_grey(at(on_map, COOL_MM))


def test_a_threshold_dragged_back_to_zero_is_none_at_all(on_map: Window) -> None:
    place = (0.0, -40.0, -20.0)  # noise, below the first threshold
    assert is_grey(at(on_map, place))
    drag_handle(panel(on_map), "Threshold", -FAR)
    drag_handle(panel(on_map), "Negative threshold", FAR)
    settle(on_map)
    assert selected(on_map).threshold.value is None
    assert selected(on_map).threshold.negative is None
    assert handle(on_map, "Threshold").accessibleName() == "Threshold: not set"
    assert not is_grey(at(on_map, place))


def test_the_ends_of_a_range_never_cross_and_the_numbers_follow(on_map: Window) -> None:
    high = selected(on_map).colours.high
    drag_handle(panel(on_map), "High end", -60)
    settle(on_map)
    colours = selected(on_map).colours
    assert colours.low < colours.high < high
    assert colours.negative_high == high
    drag_handle(panel(on_map), "Low end", FAR)  # stops before the high end
    settle(on_map)
    colours = selected(on_map).colours
    assert 0.9 * colours.high < colours.low < colours.high
    assert named(panel(on_map), NumberEdit, "From").value() == colours.low


def test_arrow_keys_move_the_handle_that_has_the_focus(on_map: Window) -> None:
    before = selected(on_map).threshold.value
    moving = handle(on_map, "Threshold")
    moving.setFocus()
    for _ in range(5):
        QTest.keyClick(moving, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    settle(on_map)
    assert before is not None
    assert selected(on_map).threshold.value > before + 2
    assert is_grey(at(on_map, WARM_MM)) == (selected(on_map).threshold.value > 6.0)


def test_a_layer_without_a_negative_side_has_three_handles(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy)
    shown = [h.accessibleName().split(":")[0] for h in panel(window).findChildren(RangeHandle) if h.isVisible()]
    assert shown == ["Low end", "High end", "Threshold"]
    bright = at(window, WARM_MM)[0]
    drag_handle(panel(window), "High end", -80)
    assert at(window, WARM_MM)[0] > bright + 10


def test_a_single_huge_value_does_not_press_the_handles_together(open_window: OpenWindow, stat_map: Path) -> None:
    image = nib.load(stat_map)
    values = np.asanyarray(image.dataobj).copy()
    values[3, 3, 3] = 1e6
    path = stat_map.with_name("outlier.nii")
    nib.save(nib.Nifti1Image(values, image.affine, image.header), path)
    window = open_window(path)
    assert handle(window, "High end").x() - handle(window, "Threshold").x() > 25
    assert handle(window, "Threshold").x() - handle(window, "Negative threshold").x() > 25
