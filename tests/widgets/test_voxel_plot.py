"""Who drives this voxel, by mouse and keys: people named, selected, drawn round, opened, left out, put back, copied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from habena.widgets.model_voxel import VoxelData, VoxelPlot
from habena.widgets.theme import apply_theme, plot_colours
from habena.widgets.voxel_data import VoxelBand, VoxelMean, VoxelPair
from habena.widgets.voxel_look import legend
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton
from widget_events import Log, child, colours, focus, take

LEFT = Qt.MouseButton.LeftButton
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
X = np.array([20.0, 30, 40, 50, 60])
Y = np.array([1.0, 2, 3, 4, 9])
KEYS = ("sub-1", "sub-2", "sub-3", "sub-4", "sub-5")
DATA = VoxelData(
    title="2, 4, 0, age: t(3) = 4.1",
    x=X,
    y=Y,
    x_title="age",
    y_title="data",
    names=("P-A", "P-B", "P-C", "P-D", "P-E"),
    line=(-3.4, 0.18),
    groups=(),
    dfbetas=np.array([0.1, 0.2, 0.0, -0.4, 3.0]),
    cook=np.array([0.1, 0.1, 0.0, 0.2, 2.0]),
    t_without=np.array([4.0, 4.1, 4.2, 5.0, np.nan]),
    stands_out=np.array([False, False, False, False, True]),
    summary="Most influential: P-E.",
    keys=KEYS,
    kinds=("drug", "placebo"),
    kind_of=(0, 1, 0, 1, 0),
    band=VoxelBand(np.array([20.0, 60]), np.array([-1.0, 6]), np.array([2.0, 9])),
)
TWO = np.array([0.0, 1])
PAIR = VoxelPair(
    "2, 4, 0: pre and post",
    "SUVR",
    ("pre", "post"),
    np.array([[1.0, 2], [1.5, 1.5], [2, 4], [3, np.nan], [4, 5]]),
    tuple(VoxelMean(kind, 2, TWO, np.array([2.0, 3]), np.array([1.0, 2]), np.array([3.0, 4])) for kind in (0, 1)),
)


@pytest.fixture
def plot(shown: Callable[..., VoxelPlot]) -> VoxelPlot:
    view = shown(VoxelPlot(), (440, 340))
    view.set_data(DATA)
    QApplication.processEvents()
    return view


def place(plot: VoxelPlot, n: int, session: int = 0) -> QPoint:
    return plot._view.viewport().mapFrom(plot, plot.px_of(n, session).toPoint())


def click(plot: VoxelPlot, n: int, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.mouseClick(plot._view.viewport(), LEFT, held, place(plot, n))


def draw_round(plot: VoxelPlot, *scans: int, session: int = 0) -> None:
    """Draw a box round the points of some scans."""
    at = [place(plot, n, session) for n in scans]
    low = QPoint(min(p.x() for p in at) - 8, min(p.y() for p in at) - 8)
    high = QPoint(max(p.x() for p in at) + 8, max(p.y() for p in at) + 8)
    viewport = plot._view.viewport()
    QTest.mousePress(viewport, LEFT, pos=low)
    for corner in (QPoint(high.x(), low.y()), high, QPoint(low.x(), high.y()), low):
        QTest.mouseMove(viewport, corner)
        QApplication.processEvents()
    QTest.mouseRelease(viewport, LEFT, pos=low)
    QApplication.processEvents()


def test_a_click_selects_one_and_ctrl_adds_or_takes_out(plot: VoxelPlot) -> None:
    log = Log(plot)
    click(plot, 1)
    assert log.last("selected") == (("sub-2",),)
    click(plot, 3, CONTROL)
    assert plot.selection() == ("sub-2", "sub-4")
    click(plot, 1, CONTROL)
    assert plot.selection() == ("sub-4",)
    QTest.mouseClick(plot._view.viewport(), LEFT, pos=place(plot, 0) + QPoint(60, -60))
    assert log.last("selected") == ((),)


def test_a_line_drawn_round_points_selects_those_inside(plot: VoxelPlot) -> None:
    log = Log(plot)
    draw_round(plot, 0, 1, 2)
    assert log.last("selected") == (("sub-1", "sub-2", "sub-3"),)
    assert log.names().count("selected") == 1
    assert plot.said() == "3 selected."


def test_a_double_click_or_enter_opens_whom_it_names(plot: VoxelPlot) -> None:
    log = Log(plot)
    QTest.mouseDClick(plot._view.viewport(), LEFT, pos=place(plot, 2))
    assert log.last("opened") == ("sub-3",)
    focus(plot)
    plot.name(None)
    QTest.keyClick(plot, Qt.Key.Key_Right)
    QTest.keyClick(plot, Qt.Key.Key_Return)
    assert log.last("opened") == ("sub-1",)


def test_keys_alone_name_select_extend_and_clear(plot: VoxelPlot) -> None:
    log = Log(plot)
    focus(plot)
    QTest.keyClick(plot, Qt.Key.Key_Right)
    QTest.keyClick(plot, Qt.Key.Key_Right)
    QTest.keyClick(plot, Qt.Key.Key_Space)
    assert plot.selection() == ("sub-2",)
    QTest.keyClick(plot, Qt.Key.Key_Right, SHIFT)
    QTest.keyClick(plot, Qt.Key.Key_Right, SHIFT)
    assert plot.selection() == ("sub-2", "sub-3", "sub-4")
    assert plot.accessibleDescription().startswith("P-D (placebo): 4, Cook's distance 0.2")
    QTest.keyClick(plot, Qt.Key.Key_Escape)
    assert log.last("selected") == ((),)


def test_selecting_from_elsewhere_rings_people_without_telling(plot: VoxelPlot) -> None:
    log = Log(plot)
    plot.set_selected(("sub-4", "somebody else"))
    assert plot.selection() == ("sub-4",)
    assert "selected" not in log.names()
    assert len(plot._view._rings.data) == 1


def test_the_result_without_them_is_said_and_they_can_be_left_out(plot: VoxelPlot) -> None:
    log = Log(plot)
    plot.set_selected(("sub-1", "sub-5"))
    leave = child(plot, QPushButton, "Leave out 2")
    assert not leave.isVisible()
    plot.set_without("t = 2.1 without these 2, 4.1 with all.", can_leave_out=True)
    assert plot.said() == "t = 2.1 without these 2, 4.1 with all."
    QTest.mouseClick(leave, LEFT)
    assert log.last("leave_out_requested") == (("sub-1", "sub-5"),)
    plot.set_selected(())
    assert plot.said() == DATA.summary
    assert not leave.isVisible()


def test_people_left_out_are_listed_and_put_back_one_by_one_or_together(plot: VoxelPlot) -> None:
    log = Log(plot)
    plot.set_left_out((("sub-7", "P-G"),))
    back = child(plot, QPushButton, "Put back (1)")
    assert back.toolTip() == "Left out: P-G"
    QTest.mouseClick(back, LEFT)
    assert log.last("put_back_requested") == (("sub-7",),)
    plot.set_left_out((("sub-7", "P-G"), ("sub-8", "P-H")))
    menu = plot.left_out_menu()
    assert [action.text() for action in menu.actions()] == ["Put all back", "P-G", "P-H"]
    menu.actions()[0].trigger()
    assert log.last("put_back_requested") == (("sub-7", "sub-8"),)
    menu.actions()[2].trigger()
    assert log.last("put_back_requested") == (("sub-8",),)
    menu.deleteLater()


def test_groups_differ_in_shape_and_colour_and_the_legend_says_which(plot: VoxelPlot) -> None:
    assert {plot_colours()[0].lower(), plot_colours()[1].lower(), plot_colours()[5].lower()} <= colours(plot)
    scatter = next(item for item in plot._view._plot.items if type(item).__name__ == "ScatterPlotItem")
    assert [str(spot) for spot in scatter.data["symbol"]] == ["o", "s", "o", "s", "o"]
    text = legend(replace(DATA, kinds=("a < b", "placebo"), pair=PAIR))
    assert "a&nbsp;&lt;&nbsp;b&nbsp;(2)" in text
    assert "●" in text
    assert "■" in text


def test_both_sessions_are_lines_of_people_that_can_be_named_and_drawn_round(plot: VoxelPlot) -> None:
    log = Log(plot)
    plot.set_data(replace(DATA, pair=PAIR))
    QApplication.processEvents()
    QTest.mouseMove(plot._view.viewport(), place(plot, 2, 1))
    QApplication.processEvents()
    assert log.last("pointed") == ("P-C (drug): pre 2, post 4",)
    draw_round(plot, 4, session=1)
    assert log.last("selected") == (("sub-5",),)
    assert plot._title.whole() == PAIR.title


def test_somebody_without_a_second_session_has_one_point(plot: VoxelPlot) -> None:
    plot.set_data(replace(DATA, pair=PAIR))
    scatter = next(item for item in plot._view._plot.items if type(item).__name__ == "ScatterPlotItem")
    assert len(scatter.data) == 9


def test_place_and_sessions_are_chosen_where_they_are_offered(plot: VoxelPlot) -> None:
    log = Log(plot)
    assert not plot._place.isVisible()
    plot.set_offers(region="Habenula L", sessions=True)
    plot.set_choices("voxel", "change")
    assert "Habenula L" in plot._place.toolTip()
    take(plot._place, "Reg")
    take(plot._sessions, "Bef")
    assert log.last("place_chosen") == ("region",)
    assert log.last("view_chosen") == ("sessions",)


def test_the_numbers_are_copied_by_key_and_button_and_saved_from_the_menu(plot: VoxelPlot) -> None:
    log = Log(plot)
    QGuiApplication.clipboard().clear()
    focus(plot)
    QTest.keyClick(plot, Qt.Key.Key_C, CONTROL)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[:3] == [
        "# 2, 4, 0, age: t(3) = 4.1",
        "name\tgroup\tage\tdata\tdfbetas\tcook\tt_without",
        "P-A\tdrug\t20\t1\t0.1\t0.1\t4",
    ]
    assert lines[-1].endswith("n/a")
    QGuiApplication.clipboard().clear()
    QTest.mouseClick(child(plot, QToolButton, "Copy data"), LEFT)
    assert QGuiApplication.clipboard().text().splitlines() == lines
    menu = plot.menu()
    menu.actions()[1].trigger()
    assert log.last("save_requested") == ("\n".join(lines) + "\n",)
    menu.deleteLater()
    assert replace(DATA, pair=PAIR).tsv().splitlines()[1].endswith("SUVR, pre\tSUVR, post")


def test_another_theme_redraws_the_plot_with_the_same_people_ringed(plot: VoxelPlot) -> None:
    plot.set_selected(("sub-2",))
    apply_theme(QApplication.instance(), "light")
    QApplication.processEvents()
    assert len(plot._view._rings.data) == 1
    assert plot_colours()[0].lower() in colours(plot)
