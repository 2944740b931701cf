"""Numbers: how they are written, read, typed and stepped."""

from __future__ import annotations

import math

import pytest
from habena.widgets.numbers import NumberEdit, NumberSpec, format_number, parse_number
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from widget_events import Log, focus, wheel


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.5, "0.5"),
        (-0.43214, "−0.4321"),
        (1234.56, "1235"),
        (123456, "123456"),
        (9.99996, "10"),
        (-23.9, "−23.9"),
        (0.0012346, "0.001235"),
        (0.00012346, "1.235e−4"),
        (1.5e-7, "1.5e-7".replace("-", "−")),
        (-2.5e12, "−2.5e12"),
        (math.nan, "–"),
        (None, "–"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (-0.0, "0"),
    ],
)
def test_written_with_four_digits(value: float | None, text: str) -> None:
    assert format_number(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300))
def test_written_numbers_are_read_back_to_four_digits(value: float) -> None:
    assert parse_number(format_number(value)) == pytest.approx(value, rel=5.01e-4, abs=1e-300)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_reading_is_exact(value: float) -> None:
    assert parse_number(repr(value)) == value
    assert parse_number(repr(value).replace(".", ",").replace("-", "−")) == value


@pytest.mark.parametrize("text", ["", "abc", "1,2.3", "nan", "inf", "1_000", "1 2", "--1", "1e999"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_number(text)


def edit(shown, spec: NumberSpec, value: float | None) -> tuple[NumberEdit, QLineEdit, Log]:
    """A field, another one to go to, and what the first emits."""
    panel = QWidget()
    field = NumberEdit("Radius", "Radius in mm", spec, panel)
    other = QLineEdit(panel)
    field.setGeometry(0, 0, 100, 26)
    other.setGeometry(0, 40, 100, 26)
    field.set_value(value)
    shown(panel, (200, 100))
    focus(field)
    return field, other, Log(field)


def replace_text(field: QLineEdit, text: str) -> None:
    QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(field, text)


@pytest.mark.parametrize("typed", ["7.25", "7,25", " 7.25 mm", "7,25mm"])
def test_typing_and_enter_commit(shown, typed: str) -> None:
    field, _, log = edit(shown, NumberSpec("mm"), 3)
    replace_text(field, typed)
    assert log == []
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert log == [("changed", 7.25), ("settled",)]
    assert field.text() == "7.25 mm"


def test_leaving_commits_and_full_precision_is_kept(shown) -> None:
    field, other, log = edit(shown, NumberSpec(), 0.123456789)
    assert field.text() == "0.1235"
    focus(other)
    assert log == []
    assert field.value() == 0.123456789
    focus(field)
    replace_text(field, "-2")
    focus(other)
    assert log == [("changed", -2.0), ("settled",)]
    assert field.text() == "−2"


def test_escape_takes_back(shown) -> None:
    field, _, log = edit(shown, NumberSpec(), 5)
    replace_text(field, "8")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == "5"
    assert log == []


def test_nonsense_is_marked_and_dropped_on_leaving(shown) -> None:
    field, other, log = edit(shown, NumberSpec(), 5)
    replace_text(field, "5..2")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.text() == "5..2"
    assert field.property("wrong")
    focus(other)
    assert field.text() == "5"
    assert not field.property("wrong")
    assert log == []


def test_bounds_and_whole_numbers(shown) -> None:
    field, _, log = edit(shown, NumberSpec(low=0, high=10, whole=True), 5)
    replace_text(field, "12")
    QTest.keyClick(field, Qt.Key.Key_Return)
    replace_text(field, "3.6")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert [entry[1] for entry in log if entry[0] == "changed"] == [10, 4]


def test_an_optional_number_can_be_emptied(shown) -> None:
    field, _, log = edit(shown, NumberSpec(none="none"), 5)
    replace_text(field, "")
    QTest.keyClick(field, Qt.Key.Key_Backspace)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert log[0] == ("changed", None)
    assert field.placeholderText() == "none"


def test_a_number_that_must_be_there_cannot_be_emptied(shown) -> None:
    field, _, log = edit(shown, NumberSpec(), 5)
    QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(field, Qt.Key.Key_Backspace)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert log == []
    assert field.property("wrong")


@pytest.mark.parametrize(
    ("spec", "value", "key", "expected"),
    [
        (NumberSpec(), 3.2, Qt.Key.Key_Up, 3.3),
        (NumberSpec(), 45, Qt.Key.Key_Down, 44),
        (NumberSpec(), 0.02, Qt.Key.Key_Up, 0.021),
        (NumberSpec(), 45, Qt.Key.Key_PageUp, 55),
        (NumberSpec(step=0.5), 3, Qt.Key.Key_Up, 3.5),
        (NumberSpec(whole=True), 3, Qt.Key.Key_Down, 2),
        (NumberSpec(), 0, Qt.Key.Key_Up, 0.1),
        (NumberSpec(low=0, high=3), 2.95, Qt.Key.Key_PageUp, 3),
        (NumberSpec(none="off"), None, Qt.Key.Key_Up, 0.1),
    ],
)
def test_arrow_keys_step_by_a_tenth_of_the_decade(
    shown, spec: NumberSpec, value: float | None, key: Qt.Key, expected: float
) -> None:
    field, _, log = edit(shown, spec, value)
    QTest.keyPress(field, key)
    assert log == [("changed", pytest.approx(expected))]
    QTest.keyRelease(field, key)
    assert log[1:] == [("settled",)]


def test_the_wheel_needs_the_focus(shown) -> None:
    field, other, log = edit(shown, NumberSpec(step=1), 5)
    focus(other)
    wheel(field, 1)
    assert log == []
    focus(field)
    wheel(field, 2)
    assert log == [("changed", 7.0), ("settled",)]


def test_setting_does_not_emit_nor_disturb_typing(shown) -> None:
    field, _, log = edit(shown, NumberSpec(), 5)
    replace_text(field, "12")
    field.set_value(6)
    assert field.text() == "12"
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == "6"
    field.set_unit("mm")
    field.set_range(0, 1)
    assert field.text() == "6 mm"
    assert log == []
