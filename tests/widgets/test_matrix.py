"""The connectivity matrix: what is seen, read under the mouse and chosen."""

from __future__ import annotations

import numpy as np
import pytest
from habena.resources.colours import lut
from habena.widgets.matrix import Arrangement, Entry, Matrix, coloured
from habena.widgets.theme import apply_theme
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from widget_events import Log, colour_at, focus

VALUES = np.array([[1, 0.8, -0.8, 0.1], [0.8, 1, 0.2, 0.0], [-0.8, 0.2, 1, 0.4], [0.1, 0.0, 0.4, 1.0]])
DARK, LIGHT = lut("ice-fire"), lut("blue-red")


@pytest.fixture
def matrix(shown):
    made = Matrix()
    made.set_tables(DARK, LIGHT)
    made.set_values(VALUES, np.abs(VALUES) >= 0.4, 0.8)
    return shown(made, (400, 300))


def middle(matrix: Matrix, row: int, column: int) -> QPoint:
    """Middle of the cell at a place of the picture."""
    cells = matrix.rect_of_cells()
    step = cells.width() / len(VALUES)
    return QPoint(round(cells.x() + (column + 0.5) * step), round(cells.y() + (row + 0.5) * step))


def hover(matrix: Matrix, at: QPoint) -> None:
    none = Qt.MouseButton.NoButton
    where = QPointF(at)
    event = QMouseEvent(
        QEvent.Type.MouseMove, where, QPointF(matrix.mapToGlobal(at)), none, none, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(matrix, event)


def seen(matrix: Matrix, row: int, column: int) -> tuple[int, int, int]:
    at = middle(matrix, row, column)
    colour = colour_at(matrix, at.x(), at.y())
    return colour.red(), colour.green(), colour.blue()


def test_edges_have_the_full_colour_of_their_value_and_other_pairs_a_paler_one(matrix):
    assert seen(matrix, 0, 1) == tuple(DARK[255])
    assert seen(matrix, 0, 2) == tuple(DARK[0])
    no_edge, full = np.array(seen(matrix, 1, 2)), DARK[int(0.25 * 127.5 + 128)].astype(int)
    assert np.abs(no_edge - DARK[128].astype(int)).sum() < 0.5 * np.abs(full - DARK[128].astype(int)).sum()


def test_the_diagonal_has_the_colour_of_nothing(matrix):
    assert seen(matrix, 2, 2) == tuple(DARK[128])


def test_a_light_theme_takes_the_table_for_light_ground(matrix, qapp):
    apply_theme(qapp, "light")
    QApplication.processEvents()
    assert seen(matrix, 0, 1) == tuple(LIGHT[255])
    apply_theme(qapp, "dark")


def test_the_mouse_tells_the_nodes_of_the_cell_under_it_in_whatever_order_they_stand(matrix):
    log = Log(matrix)
    hover(matrix, middle(matrix, 1, 3))
    assert log.last("hovered") == (Entry(1, 3),)
    matrix.set_arrangement(Arrangement(np.array([3, 1, 0, 2]), strong_lines=(2,)))
    hover(matrix, middle(matrix, 0, 3))
    assert log.last("hovered") == (Entry(3, 2),)
    assert seen(matrix, 3, 2) == tuple(DARK[0])
    hover(matrix, QPoint(1, 1))
    assert log.last("hovered") == (None,)


def test_a_click_chooses_the_nodes_and_outside_the_cells_nothing(matrix):
    log = Log(matrix)
    QTest.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=middle(matrix, 2, 0))
    assert log.last("clicked") == (Entry(2, 0),)
    QTest.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=QPoint(398, 2))
    assert log.names().count("clicked") == 1


def test_arrow_keys_walk_over_the_cells_and_enter_chooses(matrix):
    log = Log(matrix)
    focus(matrix)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Right):
        QTest.keyClick(matrix, key)
    QTest.keyClick(matrix, Qt.Key.Key_Return)
    assert log.last("hovered") == log.last("clicked") == (Entry(1, 1),)
    for _ in range(9):
        QTest.keyClick(matrix, Qt.Key.Key_Left)
    assert log.last("hovered") == (Entry(1, 0),)


def test_a_chosen_node_gets_a_frame_round_its_row_and_column(matrix):
    before = matrix.grab().toImage()
    matrix.set_selected(1)
    QApplication.processEvents()
    after = matrix.grab().toImage()
    cells = matrix.rect_of_cells()
    column = range(cells.height())
    x, top = cells.x() + 6, cells.y()
    changed = [y for y in column if after.pixel(x, top + y) != before.pixel(x, top + y)]
    step = cells.height() / 4
    assert changed
    assert step - 3 <= min(changed)
    assert max(changed) <= 2 * step + 3


def test_separators_are_drawn_between_the_groups(matrix):
    matrix.set_arrangement(Arrangement(np.arange(4), strong_lines=(2,)))
    cells = matrix.rect_of_cells()
    line = colour_at(matrix, cells.x() + cells.width() // 2, cells.y() + 5)
    assert line.lightness() > 200


def test_without_values_nothing_is_painted_and_nothing_is_told(shown):
    empty = shown(Matrix(), (200, 160))
    log = Log(empty)
    QTest.mouseClick(empty, Qt.MouseButton.LeftButton)
    hover(empty, QPoint(90, 80))
    QTest.keyClick(empty, Qt.Key.Key_Right)
    assert [entry for entry in log if entry != ("hovered", None)] == []


def test_it_has_a_name_for_screen_readers(matrix):
    assert matrix.accessibleName()
    assert matrix.accessibleDescription()


@given(st.integers(1, 7), st.floats(0.01, 2.0), st.integers(0, 2**32 - 1))
def test_colours_are_symmetric_and_values_beyond_the_limit_or_missing_do_no_harm(n, limit, seed):
    rng = np.random.default_rng(seed)
    values = rng.uniform(-3, 3, (n, n))
    values[rng.random((n, n)) < 0.2] = np.nan
    kept = rng.random((n, n)) < 0.5
    made = coloured(values, kept, limit, DARK)
    assert made.shape == (n, n, 4)
    assert np.array_equal(coloured(values.T, kept.T, limit, DARK), made.transpose(1, 0, 2))
    strong = kept & (values >= limit) & ~np.eye(n, dtype=bool)
    assert (made[strong, :3] == DARK[255]).all()


def test_a_large_matrix_is_seen_at_every_scale(shown):
    """The fourth byte of Qt's pixels counts in some of its ways of scaling."""
    n = 105
    values = np.full((n, n), 0.8)
    made = Matrix()
    made.set_tables(DARK, LIGHT)
    made.set_values(values, np.ones((n, n), bool), 0.8)
    shown(made, (400, 300))
    for size in ((400, 300), (200, 130), (500, 400)):
        made.resize(*size)
        QApplication.processEvents()
        cells = made.rect_of_cells()
        colour = colour_at(made, cells.x() + 0.3 * cells.width(), cells.y() + 0.7 * cells.height())
        assert (colour.red(), colour.green(), colour.blue()) == tuple(DARK[255])
