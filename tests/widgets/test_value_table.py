"""Value table: typed columns, sorting, copying, keeping the selection."""

from __future__ import annotations

import math

import pytest
from habena.widgets.value_model import Cell, Column, ValueModel
from habena.widgets.value_table import ValueTable
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QTableView
from widget_events import Log, child, focus

COLUMNS = (
    Column("Region"),
    Column("Size", "mm³", "integer", "Volume of the cluster"),
    Column("Peak", "r", "number"),
    Column("Share", kind="share"),
)
ROWS: list[tuple[Cell, ...]] = [
    ("precuneus", 34567, -0.99123456, 1.0),
    ("Angular L", 1234, 0.678, 0.4242),
    ("Thalamus R", 15, math.nan, None),
]


@pytest.fixture
def table(shown) -> ValueTable:
    widget = ValueTable("Clusters", COLUMNS, "No cluster above the threshold", has_filter=True)
    widget.set_rows(ROWS, ["p", "a", "t"])
    return shown(widget, (520, 220))


def view(table: ValueTable) -> QTableView:
    return child(table, QTableView, "Clusters")


def column(table: ValueTable, number: int) -> list[str]:
    model = view(table).model()
    return [model.index(position, number).data() for position in range(model.rowCount())]


def click_head(table: ValueTable, number: int) -> None:
    heads = view(table).horizontalHeader()
    at = QPoint(heads.sectionViewportPosition(number) + 12, heads.height() // 2)
    QTest.mouseClick(heads.viewport(), Qt.MouseButton.LeftButton, pos=at)


def click_row(table: ValueTable, position: int) -> None:
    rect = view(table).visualRect(view(table).model().index(position, 0))
    QTest.mouseClick(view(table).viewport(), Qt.MouseButton.LeftButton, pos=rect.center())


def test_values_are_written_by_kind(table: ValueTable) -> None:
    assert column(table, 1) == ["34567", "1234", "15"]
    assert column(table, 2) == ["−0.9912", "0.678", "–"]
    assert column(table, 3) == ["100 %", "42.42 %", "–"]
    model = view(table).model()
    head = [model.headerData(number, Qt.Orientation.Horizontal) for number in range(4)]
    assert head == ["Region", "Size (mm³)", "Peak (r)", "Share"]
    assert model.headerData(1, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole) == "Volume of the cluster"
    right = model.index(0, 1).data(Qt.ItemDataRole.TextAlignmentRole)
    assert right & Qt.AlignmentFlag.AlignRight


def test_heads_sort_with_missing_values_last(table: ValueTable) -> None:
    click_head(table, 2)
    assert column(table, 0) == ["precuneus", "Angular L", "Thalamus R"]
    click_head(table, 2)
    assert column(table, 0) == ["Angular L", "precuneus", "Thalamus R"]
    click_head(table, 0)
    assert column(table, 0) == ["Angular L", "precuneus", "Thalamus R"]
    click_head(table, 1)
    assert column(table, 0) == ["Thalamus R", "Angular L", "precuneus"]


@given(st.lists(st.one_of(st.none(), st.floats(allow_infinity=False)), max_size=30), st.booleans())
def test_sorting_agrees_with_sorted(values: list[float | None], descending: bool) -> None:
    owner = QObject()
    model = ValueModel([Column("x", kind="number")], owner)
    model.set_rows([(value,) for value in values], None)
    model.sort(0, Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder)
    got = [model.rows[number][0] for number in model.order]
    numbers = [value for value in values if value is not None and not math.isnan(value)]
    assert got[: len(numbers)] == sorted(numbers, reverse=descending)
    assert len(got) == len(values)


def test_activation_and_selection_name_the_row_as_given(table: ValueTable) -> None:
    log = Log(table)
    click_head(table, 1)
    click_row(table, 0)
    assert log == [("row_selected", 2)]
    QTest.keyClick(view(table), Qt.Key.Key_Return)
    assert log[-1] == ("row_activated", 2)
    QTest.keyClick(view(table), Qt.Key.Key_Down)
    assert log[-1] == ("row_selected", 1)
    rect = view(table).visualRect(view(table).model().index(2, 1))
    QTest.mouseClick(view(table).viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    QTest.mouseDClick(view(table).viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    assert log[-1] == ("row_activated", 0)


def test_selection_follows_its_key(table: ValueTable) -> None:
    click_row(table, 1)
    log = Log(table)
    table.set_rows([("new", 1, 0.1, 0.1), *ROWS], ["n", "p", "a", "t"])
    assert table.selected_row() == 2
    click_head(table, 1)
    assert table.selected_row() == 2
    assert log == []
    table.set_rows([("new", 1, 0.1, 0.1)], ["n"])
    assert table.selected_row() is None


def test_filter(table: ValueTable) -> None:
    field = child(table, QLineEdit, "Filter")
    focus(field)
    QTest.keyClicks(field, "angular l")
    assert column(table, 0) == ["Angular L"]
    QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(field, Qt.Key.Key_Backspace)
    assert len(column(table, 0)) == 3


def test_copy_takes_the_selected_row_in_full_precision(table: ValueTable) -> None:
    click_row(table, 0)
    QTest.keyClick(view(table), Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert (
        QApplication.clipboard().text() == "Region\tSize (mm³)\tPeak (r)\tShare\nprecuneus\t34567\t-0.99123456\t1.0\n"
    )


def test_menu_saves_everything(table: ValueTable) -> None:
    log = Log(table)
    where = QPoint(10, 60)
    QApplication.sendEvent(table, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, where, table.mapToGlobal(where)))
    menu = table.findChild(QMenu)
    next(action for action in menu.actions() if action.text() == "Save as TSV…").trigger()
    menu.close()
    (text,) = log.last("save_requested")
    assert text.splitlines()[3] == "Thalamus R\t15\t\t"
    assert len(text.splitlines()) == 4


def test_an_empty_table_says_so(table: ValueTable) -> None:
    table.set_rows(())
    assert not view(table).isVisible()
    table.set_rows(ROWS)
    assert view(table).isVisible()


def test_many_rows_are_only_drawn_where_they_are_seen(shown) -> None:
    widget = ValueTable("Clusters", COLUMNS)
    widget.set_rows([(f"region {number}", number, number / 7, 0.5) for number in range(20_000)])
    shown(widget, (520, 220))
    click_head(widget, 2)
    click_head(widget, 2)
    assert view(widget).model().index(0, 0).data() == "region 19999"
