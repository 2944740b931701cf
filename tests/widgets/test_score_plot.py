"""Scores over visits: who is drawn where, named and chosen."""

from __future__ import annotations

import numpy as np
import pytest
from habena.widgets.score_plot import STYLES, ArmLine, ScoreData, ScorePlot
from habena.widgets.scores_panel import ScoresPanel
from habena.widgets.theme import apply_theme
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from widget_events import Log, focus

SCORES = np.array([[30.0, 12.0, 6.0], [28.0, 20.0, np.nan], [34.0, 33.0, 31.0], [np.nan, np.nan, 22.0]])
DATA = ScoreData(
    title="Simulated: madrs_total",
    y_title="MADRS",
    at=np.array([0.0, 7.0, 14.0]),
    visits=("pre", "mid", "post"),
    arms=(
        ArmLine(
            "drug",
            np.array([29.0, 16.0, 6.0]),
            np.array([20.0, 1.0, np.nan]),
            np.array([38.0, 31.0, np.nan]),
            (2, 2, 1),
        ),
        ArmLine("placebo", np.array([34.0, 33.0, 26.5]), np.full(3, np.nan), np.full(3, np.nan), (1, 1, 2)),
    ),
    people=("a", "b", "c", "d"),
    names=("P-1", "P-2", "P-3", "P-4"),
    arm_of=(0, 0, 1, 1),
    scores=SCORES,
)


@pytest.fixture
def plot(shown):
    made = shown(ScorePlot(), (520, 360))
    made.set_data(DATA)
    QApplication.processEvents()
    return made


def at(plot: ScorePlot, place: QPointF) -> QPoint:
    return plot._view.viewport().mapFrom(plot, place.toPoint())


def test_a_click_on_a_line_between_two_visits_selects_its_person(plot):
    log = Log(plot)
    middle = (plot.px_of(2, 0) + plot.px_of(2, 1)) / 2
    QTest.mouseClick(plot._view.viewport(), Qt.MouseButton.LeftButton, pos=at(plot, middle))
    assert log.last("selected") == (("c",),)
    assert plot.said().startswith("P-3, placebo: pre 34, mid 33, post 31")


def test_a_click_beside_all_lines_selects_nobody(plot):
    log = Log(plot)
    QTest.mouseClick(
        plot._view.viewport(), Qt.MouseButton.LeftButton, pos=at(plot, plot.px_of(0, 0) + QPointF(40, 160))
    )
    assert log.last("selected") == ((),)


def test_the_keyboard_names_and_selects(plot):
    log = Log(plot)
    focus(plot)
    QTest.keyClick(plot, Qt.Key.Key_Right)
    QTest.keyClick(plot, Qt.Key.Key_Right)
    assert plot.said().startswith("P-2, drug: pre 28, mid 20, post –")
    QTest.keyClick(plot, Qt.Key.Key_Return)
    assert log.last("selected") == (("b",),)
    for _ in range(5):
        QTest.keyClick(plot, Qt.Key.Key_Right)
    assert plot.said().startswith("P-4")


def test_people_selected_elsewhere_are_drawn_in_the_colour_of_text(plot):
    def dark_or_light() -> int:
        image = plot._view.grab().toImage()
        pixels = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
        return sum(min(c.red(), c.green(), c.blue()) > 200 for c in pixels)

    log, before = Log(plot), dark_or_light()
    plot.set_selected(("a", "nobody"))
    QApplication.processEvents()
    assert dark_or_light() > before + 200
    assert log.names() == []


def test_arms_differ_by_line_style_and_mark_not_by_colour_alone(plot):
    lines = [item for item in plot._plot.listDataItems() if item.opts.get("symbol")]
    assert {line.opts["pen"].style() for line in lines} == set(STYLES[:2])
    assert len({line.opts["symbol"] for line in lines}) == 2
    assert [label.text for _, label in plot._legend.items] == ["drug (n = 1 to 2)", "placebo (n = 1 to 2)"]


def test_how_many_people_each_mean_is_of_is_said(plot):
    assert "drug: n 2 (pre), 2 (mid), 1 (post)" in plot.said()
    assert "95 % CI" in plot.said()


def test_one_visit_and_nobody_are_drawn_too(plot):
    one = ScoreData("t", "y", np.zeros(1), ("pre",), DATA.arms[:0], (), (), (), np.empty((0, 1)))
    plot.set_data(one)
    plot.grab()
    plot.set_data(None, "no scores")
    assert plot.data() is None
    assert plot.accessibleDescription() == "no scores"


def test_it_follows_the_theme(plot, qapp):
    before = plot.grab().toImage().pixelColor(3, 3)
    apply_theme(qapp, "light")
    QApplication.processEvents()
    assert plot.grab().toImage().pixelColor(3, 3) != before
    apply_theme(qapp, "dark")


def test_the_panel_hides_table_and_sentences_when_there_is_nothing_to_see(shown):
    panel = shown(ScoresPanel(), (900, 320))
    panel.set_scores(DATA, [("drug", 2, 29.0, 1.4, 6.0, None, 24.0, None, None, None)], "Words.")
    assert panel.table.isVisible()
    assert panel.plot.width() >= 280
    panel.set_nothing("hidden")
    assert not panel.table.isVisible()
    assert panel.words() == ""
    assert panel.plot.data() is None
