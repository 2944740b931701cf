"""Histogram of edges: which bars are kept, and its threshold under the mouse and the keys."""

from __future__ import annotations

import numpy as np
import pytest
from habena.widgets.edge_histogram import EdgeHistogram
from habena.widgets.theme import DARK
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from widget_events import Log, colour_at, colours, focus

EDGES = np.linspace(-1, 1, 21)
COUNTS = np.full(20, 5.0)


@pytest.fixture
def histogram(shown):
    made = EdgeHistogram()
    made.set_counts(EDGES, COUNTS)
    made.set_threshold(0.5, both_sides=False)
    return shown(made, (420, 160))


def bar_colour(histogram: EdgeHistogram, value: float) -> str:
    return colour_at(histogram, histogram.x_of(value), 100).name()


def test_bars_from_the_threshold_on_are_coloured_and_the_others_grey(histogram):
    assert bar_colour(histogram, 0.75) == DARK.accent
    assert bar_colour(histogram, 0.35) == DARK.border
    assert bar_colour(histogram, -0.75) == DARK.border


def test_where_the_size_counts_strong_negative_edges_are_coloured_too(histogram):
    histogram.set_threshold(0.5, both_sides=True)
    assert bar_colour(histogram, -0.75) == DARK.accent


def test_dragging_moves_the_threshold_and_tells_when_the_hand_leaves(histogram):
    log = Log(histogram)
    start = QPoint(round(histogram.x_of(0.5)), 80)
    QTest.mousePress(histogram, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(histogram, QPoint(round(histogram.x_of(0.25)), 80))
    QTest.mouseRelease(histogram, Qt.MouseButton.LeftButton, pos=start)
    assert log.last("dragged")[0] == pytest.approx(0.25, abs=0.011)
    assert log.names()[-1] == "settled"
    assert bar_colour(histogram, 0.35) == DARK.accent


def test_a_threshold_never_becomes_negative(histogram):
    log = Log(histogram)
    QTest.mousePress(histogram, Qt.MouseButton.LeftButton, pos=QPoint(round(histogram.x_of(0.3)), 80))
    QTest.mouseMove(histogram, QPoint(2, 80))
    QTest.mouseRelease(histogram, Qt.MouseButton.LeftButton, pos=QPoint(2, 80))
    assert log.last("dragged") == (0.0,)


def test_arrow_keys_move_it_by_a_hundredth(histogram):
    log = Log(histogram)
    focus(histogram)
    QTest.keyClick(histogram, Qt.Key.Key_Right)
    QTest.keyClick(histogram, Qt.Key.Key_Right)
    QTest.keyClick(histogram, Qt.Key.Key_Left)
    assert [entry[1] for entry in log if entry[0] == "dragged"] == [0.51, 0.52, 0.51]


def test_of_a_difference_the_threshold_cannot_be_moved(histogram):
    log = Log(histogram)
    histogram.set_threshold(None, both_sides=False)
    histogram.set_can_drag(can_drag=False)
    QTest.mouseClick(histogram, Qt.MouseButton.LeftButton, pos=QPoint(300, 80))
    assert "dragged" not in log.names()


def test_without_edges_it_is_empty_and_a_click_does_nothing(shown):
    empty = shown(EdgeHistogram(), (300, 120))
    log = Log(empty)
    QTest.mouseClick(empty, Qt.MouseButton.LeftButton, pos=QPoint(150, 60))
    assert log == []
    assert DARK.accent not in colours(empty)
