"""The table of nodes: search, sort, go to one."""

from __future__ import annotations

import numpy as np
import pytest
from habena.widgets.node_table import NodeTable
from habena.widgets.value_model import Column
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QTableView
from widget_events import Log, child, focus

NAMES = ("Thalamus L", "Angular L", "Angular R", "Insula R")
DEGREE = np.array([3.0, 9.0, 1.0, 4.0])


@pytest.fixture
def table(shown):
    made = NodeTable({"degree": Column("Degree", "", "number"), "betweenness": Column("Betweenness", "", "number")})
    made.set_nodes(NAMES, {"degree": DEGREE})
    return shown(made, (420, 220))


def rows(table: NodeTable) -> list[list[str]]:
    model = child(table, QTableView, "Nodes").model()
    return [
        [str(model.data(model.index(row, column))) for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def test_every_node_has_a_row_and_a_metric_that_is_not_known_yet_a_dash(table):
    assert rows(table)[1] == ["Angular L", "9", "–"]
    table.set_nodes(NAMES, {"degree": DEGREE, "betweenness": np.array([1.5, 2.0, 0.0, np.nan])})
    assert [row[2] for row in rows(table)] == ["1.5", "2", "0", "–"]


def test_a_search_keeps_the_nodes_in_whose_name_all_words_occur(table):
    field = child(table, QLineEdit, "Filter")
    focus(field)
    QTest.keyClicks(field, "tha l")
    assert [row[0] for row in rows(table)] == ["Thalamus L"]


def test_enter_on_a_row_goes_to_its_node_also_when_the_rows_are_sorted(table):
    log = Log(table)
    view = child(table, QTableView, "Nodes")
    view.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    view.selectRow(1)
    focus(view)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert log.last("row_activated") == (3,)
    assert log.last("row_selected") == (3,)


def test_a_node_that_was_chosen_elsewhere_is_marked_without_being_told_again(table):
    log = Log(table)
    table.select(2)
    assert table.selected_row() == 2
    table.set_nodes(NAMES, {"degree": DEGREE[::-1].copy()})
    assert table.selected_row() == 2
    table.select(None)
    assert table.selected_row() is None
    assert log == []


def test_a_node_that_the_search_hides_is_not_marked(table):
    field = child(table, QLineEdit, "Filter")
    focus(field)
    QTest.keyClicks(field, "insula")
    table.select(0)
    assert table.selected_row() is None
