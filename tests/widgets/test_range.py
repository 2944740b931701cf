"""Display range: values, histogram, handles."""

from __future__ import annotations

import numpy as np
import pytest
from habena.widgets.controls import IconButton
from habena.widgets.range_fields import RangeFields
from habena.widgets.range_handle import RangeHandle
from habena.widgets.range_histogram import RangeHistogram
from habena.widgets.range_values import BOUNDS, Bound, RangeValues, colours_at, moved, twin, typed, with_negative
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from widget_events import Log, child, colour_at, focus

WARM = np.stack([np.arange(256), np.zeros(256), np.zeros(256)], axis=1).astype(np.uint8)
COOL = np.stack([np.zeros(256), np.zeros(256), 255 - np.arange(256)], axis=1).astype(np.uint8)
ONE = RangeValues(100, 1200, 300)
TWO = RangeValues(0.3, 0.8, 0.35, 0.2, 0.7, 0.25, two_sided=True)

sizes = st.floats(0, 1e6)
ranges = st.builds(
    lambda a, b, c, d, two: RangeValues(min(a, b), max(a, b) + 1, None, min(c, d), max(c, d) + 1, None, two),
    sizes,
    sizes,
    sizes,
    sizes,
    st.booleans(),
)


@given(ranges, st.sampled_from(BOUNDS), st.floats(-1e7, 1e7), st.booleans())
def test_dragging_never_crosses(values: RangeValues, bound: Bound, to: float, mirrored: bool) -> None:
    result = moved(values, bound, to, gap=0.5, mirrored=mirrored)
    assert result.low < result.high
    assert result.negative_low < result.negative_high
    if values.two_sided:
        assert min(result.low, result.negative_low, getattr(result, bound)) >= 0


@given(ranges, st.sampled_from(BOUNDS), st.floats(0, 1e7), st.booleans())
def test_typing_takes_the_number_and_never_crosses(
    values: RangeValues, bound: Bound, to: float, mirrored: bool
) -> None:
    result = typed(values, bound, to, mirrored=mirrored)
    assert getattr(result, bound) == to or (to == 0 and bound.endswith("high") and values.two_sided)
    assert result.low < result.high
    assert result.negative_low < result.negative_high


def test_typing_beyond_the_other_end_keeps_the_width() -> None:
    assert typed(RangeValues(0, 1), "low", 5) == RangeValues(5, 6)
    assert typed(RangeValues(5, 6), "high", 2) == RangeValues(1, 2)


def test_mirrored_sides_move_together() -> None:
    result = moved(TWO, "negative_threshold", 0.5, mirrored=True)
    assert result.threshold == result.negative_threshold == 0.5
    assert moved(TWO, "threshold", None, mirrored=True).negative_threshold is None
    assert moved(ONE, "low", 50, mirrored=True) == RangeValues(50, 1200, 300)
    assert twin("negative_low") == "low"
    assert twin("high") == "negative_high"


def test_adding_a_negative_side_mirrors_the_positive() -> None:
    assert with_negative(RangeValues(0.2, 0.9, 0.3), two_sided=True) == RangeValues(
        0.2, 0.9, 0.3, 0.2, 0.9, 0.3, two_sided=True
    )
    assert with_negative(RangeValues(-2, -1), two_sided=True).high == 2
    assert not with_negative(TWO, two_sided=False).two_sided


def test_colours_are_those_of_the_layer() -> None:
    x = np.array([-0.9, -0.45, -0.22, 0.0, 0.32, 0.55, 0.9])
    red, blue = colours_at(x, TWO, WARM, COOL)[:, 0], colours_at(x, TWO, WARM, COOL)[:, 2]
    assert red.tolist() == [0, 0, 128, 128, 128, 128, 255]
    assert blue.tolist() == [0, 127, 128, 128, 128, 0, 0]
    plain = colours_at(np.array([99.0, 300.0, 650.0, 5000.0]), ONE, WARM, None)
    assert plain[:, 0].tolist() == [128, 46, 128, 255]
    assert plain[:, 1].tolist() == [128, 0, 0, 0]


def histogram(shown, values: RangeValues) -> RangeHistogram:
    widget = RangeHistogram()
    edges = np.linspace(0, 1500, 151) if not values.two_sided else np.linspace(-1, 1, 151)
    widget.set_counts(edges, np.full(150, 100.0))
    widget.set_colours(WARM, COOL if values.two_sided else None)
    widget.set_values(values)
    return shown(widget, (400, 132))


def handle(widget: RangeHistogram, name: str) -> RangeHandle:
    return next(part for part in widget.findChildren(RangeHandle) if part.accessibleName().split(":")[0] == name)


def drag(part: RangeHandle, pixels: int) -> None:
    at = part.rect().center()
    QTest.mousePress(part, Qt.MouseButton.LeftButton, pos=at)
    target = part.parentWidget().mapToGlobal(part.geometry().center() + QPoint(pixels, 0))
    start = part.mapToGlobal(at)
    for step in (0.25, 0.5, 0.75, 1.0):
        QTest.mouseMove(part, part.mapFromGlobal(start + (target - start) * step))
    QTest.mouseRelease(part, Qt.MouseButton.LeftButton, pos=part.mapFromGlobal(target))


def test_handles_are_easy_to_grab(shown) -> None:
    widget = histogram(shown, TWO)
    for part in widget.findChildren(RangeHandle):
        assert part.width() >= 12
        assert part.height() >= 12
        assert widget.rect().contains(part.geometry())


def test_handles_of_two_sides_that_meet_at_zero_can_be_told_apart(shown) -> None:
    widget = histogram(shown, RangeValues(0, 0.8, None, 0, 0.7, None, two_sided=True))
    for name in ("low end", "threshold"):
        positive, negative = handle(widget, name.capitalize()), handle(widget, f"Negative {name}")
        shared = positive.geometry().intersected(negative.geometry())
        assert positive.width() - shared.width() >= 12
        log = Log(widget)
        drag(positive, 60)
        values = log.last("changed")[0]
        assert (values.negative_low, values.negative_threshold) == (0, None)


def test_dragging_a_handle(shown) -> None:
    widget = histogram(shown, ONE)
    log = Log(widget)
    drag(handle(widget, "High end"), -80)
    assert log.names()[-1] == "settled"
    assert log.names().count("settled") == 1
    assert log.names().count("changed") >= 3
    values = log.last("changed")[0]
    assert values.high == pytest.approx(1200 - 1500 * 1.08 * 80 / 400, abs=25)
    assert (values.low, values.threshold) == (100, 300)


def test_handles_do_not_cross(shown) -> None:
    widget = histogram(shown, ONE)
    log = Log(widget)
    drag(handle(widget, "Low end"), 390)
    values = log.last("changed")[0]
    assert values.low < values.high == 1200
    drag(handle(widget, "High end"), -390)
    values = log.last("changed")[0]
    assert values.low < values.high <= 1200


def test_the_negative_side_has_its_own_handles(shown) -> None:
    widget = histogram(shown, TWO)
    log = Log(widget)
    drag(handle(widget, "Negative high end"), -20)
    values = log.last("changed")[0]
    assert values.negative_high > 0.75
    assert values.high == 0.8
    widget.set_mirrored(True)
    drag(handle(widget, "Negative threshold"), -40)
    values = log.last("changed")[0]
    assert values.threshold == values.negative_threshold > 0.4


def test_a_threshold_that_is_not_set_can_be_dragged_out_and_back(shown) -> None:
    widget = histogram(shown, RangeValues(100, 1200))
    log = Log(widget)
    part = handle(widget, "Threshold")
    assert part.accessibleName().endswith("not set")
    drag(part, 100)
    assert log.last("changed")[0].threshold == pytest.approx(1500 * 1.08 * 100 / 400, abs=25)
    drag(part, -200)
    assert log.last("changed")[0].threshold is None


def test_keys_move_by_a_hundredth_of_the_span(shown) -> None:
    widget = histogram(shown, ONE)
    log = Log(widget)
    part = handle(widget, "Low end")
    focus(part)
    QTest.keyClick(part, Qt.Key.Key_Right)
    assert log.names() == ["changed", "settled"]
    assert log.last("changed")[0].low == pytest.approx(100 + 15 * 1.08)
    QTest.keyClick(part, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert log.last("changed")[0].low == pytest.approx(100 - 9 * 15 * 1.08)


def test_tab_walks_the_handles_that_are_shown(shown) -> None:
    widget = histogram(shown, ONE)
    focus(handle(widget, "Low end"))
    names = []
    for _ in range(3):
        focused = widget.focusWidget()
        names.append(focused.accessibleName().split(":")[0])
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert names == ["Low end", "High end", "Threshold"]


def test_bars_are_the_colour_bar(shown) -> None:
    widget = histogram(shown, ONE)
    low, high = handle(widget, "Low end"), handle(widget, "High end")
    bars_y = low.y() + 5
    greyed = colour_at(widget, low.x() + 40, bars_y)
    assert greyed.red() == greyed.green() == greyed.blue() == 128
    bright = colour_at(widget, high.x() + 30, bars_y)
    assert (bright.red(), bright.green()) == (255, 0)
    middle = colour_at(widget, (low.x() + high.x()) / 2 + 10, bars_y)
    assert 90 < middle.red() < 170
    assert middle.green() == 0


def test_setting_is_silent(shown) -> None:
    widget = histogram(shown, ONE)
    log = Log(widget)
    widget.set_values(TWO)
    widget.set_counts(np.array([0.0, 1.0]), np.array([0.0]))
    widget.set_values(RangeValues(2, 2))
    widget.set_mirrored(True)
    assert log == []


def test_linking_the_two_sides_makes_them_alike_at_once(shown) -> None:
    fields = RangeFields()
    fields.set_values(TWO)
    shown(fields)
    log = Log(fields)
    link = child(fields, IconButton, "Move both sides")
    QTest.mouseClick(link, Qt.MouseButton.LeftButton)
    alike = RangeValues(0.3, 0.8, 0.35, 0.3, 0.8, 0.35, two_sided=True)
    assert log == [("linked", True), ("changed", alike), ("settled",)]
    QTest.mouseClick(link, Qt.MouseButton.LeftButton)
    assert log[3:] == [("linked", False)]
