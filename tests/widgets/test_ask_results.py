"""The answer panel: words, regions with intervals, plots that name their points, tables, export."""

from __future__ import annotations

import math

import numpy as np
import pytest
from habena.widgets.ask_results import AnswerTable, AnswerView, AskResults
from habena.widgets.region_forest import EFFECT, METRIC, P_FWE, SIDE, Region, RegionForest, axis_of
from habena.widgets.series_plot import Series, SeriesData, SeriesPlot
from habena.widgets.value_model import Column
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QTableView

NAN = math.nan
HABENULA = Region("habenula", "L", "", 0.2, 0.1, 0.3, 3.1, 0.004, 0.03, "keeps 12 % of its own signal")
THALAMUS = Region("thalamus", "R", "", -0.1, -0.4, 0.2, -0.7, 0.5, 0.9, "")
EMPTY = Region("insula", "L", "", NAN, NAN, NAN, NAN, NAN, NAN, "outside of the maps")
SCATTER = SeriesData(
    "Observed and predicted",
    "predicted",
    "observed",
    (Series("people", np.array([1.0, 2, 3]), np.array([2.0, NAN, 1]), labels=("A", "B", "C"), keys=("a", "b", "c")),),
    below="r = 0.4",
    identity=True,
)
COURSE = SeriesData(
    "Time course",
    "minutes",
    "Glx",
    tuple(
        Series(name, np.arange(3.0), np.arange(3.0), np.arange(3.0) - 1, np.arange(3.0) + 1, joined=True)
        for name in ("drug", "placebo")
    ),
)
TABLE = AnswerTable("terms", "Terms", (Column("Term"), Column("p", "", "number")), (("drug", 0.2), ("time", None)))
VIEW = AnswerView(
    "Simulated: change",
    "Effect: slope",
    ("Simulated data: nobody was scanned.", "Nothing survives."),
    (HABENULA, THALAMUS, EMPTY),
    ("sub-03 is left out.",),
    (SCATTER, COURSE),
    (TABLE,),
    more="sensitivity",
)


@pytest.fixture
def results(shown) -> AskResults:
    made = shown(AskResults(), (1000, 400))
    made.set_view(VIEW)
    return made


def button(results: AskResults, text: str) -> QPushButton:
    return next(part for part in results.findChildren(QPushButton) if part.text() == text)


def test_nothing_is_shown_before_a_question_was_asked(shown):
    made = shown(AskResults())
    assert made.view() is None
    assert not button(made, "Export…").isVisibleTo(made)


def test_words_come_first_and_all_regions_are_listed(results):
    assert results.words() == "Simulated data: nobody was scanned.\n\nNothing survives."
    lines = results.regions.tsv().splitlines()
    assert len(lines) == 4
    assert lines[1].split("\t")[:5] == ["habenula", "L", "", "+", "0.2"]
    assert lines[2].split("\t")[3] == "−"


def test_what_is_hidden_leaves_no_text_behind(results):
    results.set_empty("Hidden while blinded.")
    assert results.words() == ""
    assert results.view() is None
    assert len(results.regions.tsv().splitlines()) == 1


def test_choosing_a_region_is_told_and_so_is_every_button(results, qtbot):
    view = results.regions.findChild(QTableView)
    with qtbot.waitSignal(results.region_chosen) as told:
        view.selectRow(1)
    assert told.args == [1]
    for text, signal in (("Export…", results.export_requested), ("Other references…", results.more_requested)):
        with qtbot.waitSignal(signal):
            button(results, text).click()
    results.set_progress(0.5, "so far")
    assert not button(results, "Export…").isEnabled()
    with qtbot.waitSignal(results.cancel_requested):
        button(results, "Cancel").click()


def test_columns_that_say_nothing_are_hidden(shown):
    table = shown(RegionForest(), (900, 300))
    table.set_regions((HABENULA, THALAMUS))
    assert table.width_of(METRIC) == 0
    assert table.width_of(SIDE) > 0
    assert table.width_of(P_FWE) > 0
    table.set_regions((HABENULA._replace(side="", p_fwe=None, metric="degree"),))
    assert table.width_of(SIDE) == 0
    assert table.width_of(P_FWE) == 0
    assert table.width_of(METRIC) > 0


def test_the_interval_is_drawn_left_of_zero_for_negative_effects(shown):
    table = shown(RegionForest(), (1100, 200))
    table.set_regions((HABENULA._replace(effect=-0.2, low=-0.3, high=-0.1), HABENULA))
    view = table.findChild(QTableView)
    halves = []
    for row in range(2):
        rect = view.visualRect(view.model().index(row, EFFECT + 1))
        image = view.viewport().grab(rect).toImage()
        coloured = [
            x
            for x in range(image.width())
            for y in range(image.height())
            if image.pixelColor(x, y).hsvSaturation() > 120
        ]
        halves.append(np.mean(coloured) / image.width())
    assert halves[0] < 0.5 < halves[1]


def test_each_metric_has_an_axis_of_its_own_with_zero_on_it_and_without_the_few_widest_intervals():
    assert axis_of((HABENULA, THALAMUS, EMPTY)) == (-0.4, 0.3)
    assert axis_of((HABENULA,)) == (0.0, 0.3)
    assert axis_of((EMPTY,)) == (-1.0, 1.0)
    many = [HABENULA] * 40
    assert axis_of([*many, HABENULA._replace(low=-500.0, high=900.0)]) == (0.0, 0.3)


def test_a_region_passes_by_its_corrected_p_where_there_is_one():
    assert HABENULA.passes
    assert not HABENULA._replace(p_fwe=0.2).passes
    assert HABENULA._replace(p_fwe=None).passes
    assert not EMPTY.passes


def test_arrow_keys_name_points_in_the_order_of_the_axis_and_enter_tells_who(shown, qtbot):
    plot = shown(SeriesPlot("Plot"), (500, 300))
    plot.set_data(SCATTER)
    assert plot.said() == "r = 0.4"
    QTest.keyClick(plot, Qt.Key.Key_Right)
    assert plot.said() == "people: A"
    QTest.keyClick(plot, Qt.Key.Key_Right)
    assert plot.said() == "people: C"  # B has no value
    with qtbot.waitSignal(plot.chosen) as told:
        QTest.keyClick(plot, Qt.Key.Key_Return)
    assert told.args == ["c"]
    plot.set_data(None, "nothing")
    QTest.keyClick(plot, Qt.Key.Key_Right)
    assert plot.said() == ""


def test_the_mouse_names_the_point_under_it(shown):
    plot = shown(SeriesPlot("Plot"), (500, 300))
    plot.set_data(SCATTER)
    plot.name(plot._nearest(plot.px_of(0, 2)))
    assert plot.said() == "people: C"
    plot.name(plot._nearest(plot.px_of(0, 2) * 0))
    assert plot.said() == "r = 0.4"


def test_an_answer_without_plots_and_tables_has_no_tabs_for_them(results):
    tabs = results.regions.parentWidget().parentWidget().parentWidget()
    assert [tabs.isTabVisible(n) for n in range(5)] == [True, True, True, False, True]
    results.set_view(AnswerView("Other", "", ("Words.",), (HABENULA,)))
    assert [tabs.isTabVisible(n) for n in range(5)] == [True, False, False, False, True]
