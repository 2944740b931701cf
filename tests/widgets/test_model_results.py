"""What a model found: permutations as they come in, tests, and the scans of one voxel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from habena.widgets.controls import Choice
from habena.widgets.model_results import ModelResults, Permutations
from habena.widgets.model_voxel import VoxelData, VoxelPlot
from habena.widgets.theme import plot_colours
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QProgressBar, QPushButton, QTableView
from widget_events import Log, child, colours, focus, take

LEFT = Qt.MouseButton.LeftButton
X = np.array([20.0, 30, 40, 50, 60])
Y = np.array([1.0, 2, 3, 4, 9])
DATA = VoxelData(
    title="2, 4, 0, age: t(3) = 4.1",
    x=X,
    y=Y,
    x_title="age",
    y_title="data",
    names=("a", "b", "c", "d", "e"),
    line=(-3.4, 0.18),
    groups=(),
    dfbetas=np.array([0.1, 0.2, 0.0, -0.4, 3.0]),
    cook=np.array([0.1, 0.1, 0.0, 0.2, 2.0]),
    t_without=np.array([4.0, 4.1, 4.2, 5.0, 40.0]),
    stands_out=np.array([False, False, False, False, True]),
    summary="Most influential: e.",
)


@pytest.fixture
def results(shown: Callable[..., ModelResults]) -> ModelResults:
    panel = shown(ModelResults(), (1000, 320))
    panel.set_empty("")
    return panel


@pytest.fixture
def plot(shown: Callable[..., VoxelPlot]) -> VoxelPlot:
    view = shown(VoxelPlot(), (420, 300))
    view.set_data(DATA)
    QApplication.processEvents()
    return view


def test_permutations_can_be_stopped_while_they_run_and_continued_after(results: ModelResults) -> None:
    log = Log(results)
    results.set_permutations(Permutations(1936, 5000, running=True))
    assert results.count_text() == "1,936 of 5,000 permutations"
    assert child(results, QProgressBar, "Permutations").value() == 1936
    stop, go_on = child(results, QPushButton, "Stop"), child(results, QPushButton, "Continue")
    assert stop.isVisible()
    assert not go_on.isVisible()
    QTest.mouseClick(stop, LEFT)
    results.set_permutations(Permutations(1936, 5000, running=False))
    assert go_on.isVisible()
    assert not stop.isVisible()
    QTest.mouseClick(go_on, LEFT)
    assert log.names() == ["stop_requested", "continue_requested"]
    results.set_permutations(Permutations(5000, 5000, running=False))
    assert results.count_text() == "5,000 permutations"
    assert not (stop.isVisible())
    assert not (go_on.isVisible())
    results.set_permutations(Permutations(32, 32, running=False, distinct=True))
    assert results.count_text() == "all 32 distinct arrangements"


def test_a_click_on_a_test_chooses_it_and_a_map_is_chosen_from_the_list(results: ModelResults) -> None:
    row = ("t(9)", 3.2, 0.01, None, None, "", None, 0.4, 0.9, "2, 4, 0")
    results.set_tests([("group", *row), ("age", *row)], ["group", "age"])
    results.set_maps([("t", "t"), ("estimate", "estimate")], "t")
    log = Log(results)
    table = child(results, QTableView, "Tests")
    QTest.mouseClick(table.viewport(), LEFT, pos=table.visualRect(table.model().index(1, 0)).center())
    assert log.last("test_chosen") == (1,)
    take(child(results, Choice, "Map"), "est")
    assert log.last("map_chosen") == ("estimate",)
    results.set_maps((), None)
    assert not child(results, Choice, "Map").isVisible()


def test_the_line_about_p_values_gives_way_in_a_low_panel_where_the_notes_have_it(results: ModelResults) -> None:
    results.set_about("t(9); two-sided.", "Formula: ~ age", 2)
    assert results._legend.isVisible()
    results.resize(1000, 170)
    QApplication.processEvents()
    assert not results._legend.isVisible()
    assert results.texts()[1].startswith("t(9); two-sided.")


def test_scans_that_stand_out_have_another_colour(plot: VoxelPlot) -> None:
    ordinary, outstanding = plot_colours()[0], plot_colours()[5]
    assert {ordinary.lower(), outstanding.lower()} <= colours(plot)


def test_hovering_names_a_scan_with_its_influence(plot: VoxelPlot) -> None:
    log = Log(plot)
    viewport = plot._view.viewport()
    at = viewport.mapFrom(plot, plot.px_of(4).toPoint())
    QTest.mouseMove(viewport, at)
    QApplication.processEvents()
    (text,) = log.last("pointed")
    assert text == "e: 9, Cook's distance 2, DFBETAS 3, t 40 without"
    QTest.mouseMove(viewport, QPoint(at.x() - 60, at.y() + 20))
    QApplication.processEvents()
    assert log.last("pointed") == ("Most influential: e.",)


def test_arrow_keys_name_the_scans_in_the_order_of_the_regressor(plot: VoxelPlot) -> None:
    log = Log(plot)
    focus(plot)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Left):
        QTest.keyClick(plot, key)
    assert [str(entry[1])[:4] for entry in log if entry[0] == "pointed"] == ["a: 1", "b: 2", "a: 1"]


def test_without_a_voxel_the_plot_says_why(plot: VoxelPlot) -> None:
    plot.set_data(None, "The crosshair is where the model has no data.")
    assert plot.data() is None
    assert plot.accessibleDescription() == "The crosshair is where the model has no data."
