"""Time courses: what is drawn, what the mouse and the keys choose, motion and carpet."""

from __future__ import annotations

import time

import numpy as np
import pyqtgraph as pg
import pytest
from habena.widgets.controls import Choice
from habena.widgets.curve import Curve, Quality, nearest, scaled, steps
from habena.widgets.quality_plots import CarpetPlot, MotionPlot
from habena.widgets.theme import DARK, LIGHT, apply_theme
from habena.widgets.time_course import TimeCourse
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from widget_events import Log, child, colour_at, colours, focus, take

X = np.arange(100) * 2.0 + 1.0
RAMP = Curve("ramp", X, 1000.0 + X, "a.u.", (255, 0, 0))
FLAT = Curve("flat", X, np.full(100, 1100.0), "a.u.", (0, 255, 0))


@pytest.fixture
def course(shown) -> TimeCourse:
    widget = TimeCourse()
    widget.set_curves([RAMP, FLAT], "Time (s)")
    widget.set_frame(1.0)
    return shown(widget, (640, 480))


def plot(course: TimeCourse, number: int = 0) -> pg.PlotItem:
    items = list(course.findChild(pg.GraphicsLayoutWidget).ci.items)
    return sorted(items, key=lambda item: item.sceneBoundingRect().top())[number]


def pixel(course: TimeCourse, x: float, number: int = 0) -> QPoint:
    box = plot(course, number).getViewBox()
    middle = sum(box.viewRange()[1]) / 2
    return box.mapViewToScene(QPointF(x, middle)).toPoint()


def port(course: TimeCourse):
    return course.findChild(pg.GraphicsLayoutWidget).viewport()


def readout(course: TimeCourse) -> str:
    return child(course, QLabel, "Values at this time").text()


def has_hue(course: TimeCourse, colour: str) -> bool:
    return colour in colours(course)


def test_curves_are_drawn_in_their_colours(course: TimeCourse) -> None:
    assert has_hue(course, "#ff0000")
    assert has_hue(course, "#00ff00")
    course.set_curves([FLAT])
    assert not has_hue(course, "#ff0000")


def test_click_chooses_a_time(course: TimeCourse) -> None:
    log = Log(course)
    QTest.mouseClick(port(course), Qt.MouseButton.LeftButton, pos=pixel(course, 81))
    assert log.names() == ["frame_chosen", "settled"]
    assert log.last("frame_chosen")[0] == pytest.approx(81, abs=1)
    assert "<b>1081</b>" in readout(course)
    assert course.hasFocus()  # the arrow keys go on from there


def test_drag_scrubs(course: TimeCourse) -> None:
    log = Log(course)
    QTest.mousePress(port(course), Qt.MouseButton.LeftButton, pos=pixel(course, 20))
    for x in range(20, 181, 8):
        QTest.mouseMove(port(course), pixel(course, x))
        time.sleep(0.002)  # pyqtgraph leaves out moves that follow one another too fast
    QTest.mouseRelease(port(course), Qt.MouseButton.LeftButton, pos=pixel(course, 180))
    assert log.names().count("frame_chosen") >= 3
    assert log.names().count("settled") == 1
    assert log.last("frame_chosen")[0] == pytest.approx(180, abs=2)


def test_keys_step_through_the_frames(course: TimeCourse) -> None:
    log = Log(course)
    focus(course)
    QTest.keyClick(course, Qt.Key.Key_Right)
    QTest.keyClick(course, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(course, Qt.Key.Key_Left)
    QTest.keyClick(course, Qt.Key.Key_End)
    QTest.keyClick(course, Qt.Key.Key_Home)
    chosen = [entry[1] for entry in log if entry[0] == "frame_chosen"]
    assert chosen == [3, 23, 21, 199, 1]
    assert log.names().count("settled") == 5
    assert has_hue(course, DARK.accent)  # the ring of the focus


def test_wheel_zooms_time_and_double_click_shows_all(course: TimeCourse) -> None:
    box = plot(course).getViewBox()
    window = course.window().windowHandle()
    at = port(course).mapTo(course.window(), pixel(course, 100))
    QTest.wheelEvent(window, QPointF(at), QPoint(0, 480))
    QApplication.processEvents()
    (start, end), height = box.viewRange()
    assert 1 < start < end < 199
    course.set_curves([RAMP, FLAT])  # new values keep the zoom
    assert box.viewRange()[0] == pytest.approx([start, end])
    assert box.viewRange()[1] == pytest.approx(height)
    QTest.mouseClick(port(course), Qt.MouseButton.LeftButton, pos=pixel(course, 100))
    QTest.mouseDClick(port(course), Qt.MouseButton.LeftButton, pos=pixel(course, 100))
    QTest.mouseRelease(port(course), Qt.MouseButton.LeftButton, pos=pixel(course, 100))
    assert box.viewRange()[0] == pytest.approx([1, 199])


def test_hovering_reads_values_off(course: TimeCourse) -> None:
    QTest.mouseMove(port(course), pixel(course, 50))
    QTest.mouseMove(port(course), pixel(course, 51))
    assert "<b>1051</b>" in readout(course)
    QTest.mouseMove(course, QPoint(3, 3))
    QApplication.processEvents()


def test_scale_makes_curves_comparable(course: TimeCourse) -> None:
    take(child(course, Choice, "Scale"), "%")
    low, high = plot(course).getViewBox().viewRange()[1]
    assert -11 < low < -8
    assert 8 < high < 11
    assert "a.u." not in readout(course)


def test_names_from_files_are_never_markup(course: TimeCourse) -> None:
    course.set_curves([Curve("<img src=x>", X, X, "<i>")])
    assert "&lt;img src=x&gt;" in readout(course)


def test_sections_say_why_they_are_missing(course: TimeCourse) -> None:
    assert len(course.findChild(pg.GraphicsLayoutWidget).ci.items) == 1
    course.set_quality(None, "No motion parameters are known.")
    course.set_carpet(None, reason="The run is not in memory.")
    text = " ".join(label.text() for label in course.findChildren(QLabel))
    assert "No motion parameters are known." in text
    assert "The run is not in memory." in text


def test_motion_and_carpet_share_time_and_cursor(course: TimeCourse) -> None:
    fd = np.full(100, 0.1)
    fd[0], fd[40:42] = np.nan, 0.9
    course.set_quality(Quality(X, fd, np.ones(100), 0.5, "%"))
    rows = np.zeros((20, 100), np.float32)
    rows[:10], rows[10:] = -2, 2
    course.set_carpet(rows, X, "Voxels")
    QApplication.processEvents()
    kinds = [type(plot(course, number)) for number in range(4)]
    assert kinds[1:] == [MotionPlot, MotionPlot, CarpetPlot]
    assert "2 of 100 volumes moved more than 0.5 mm" in [label.text() for label in course.findChildren(QLabel)]
    left = {round(plot(course, number).getViewBox().sceneBoundingRect().left()) for number in range(4)}
    assert len(left) == 1
    image = course.findChild(pg.GraphicsLayoutWidget).grab().toImage()
    box = plot(course, 3).getViewBox()
    top, bottom = (box.mapViewToScene(QPointF(150, y)).toPoint() for y in (4, 16))
    assert image.pixelColor(top).name() == "#000000"
    assert image.pixelColor(bottom).name() == "#ffffff"
    censored, kept = pixel(course, 83, 1), pixel(course, 150, 1)
    assert image.pixelColor(censored).red() > image.pixelColor(kept).red() + 50
    log = Log(course)
    QTest.mouseClick(port(course), Qt.MouseButton.LeftButton, pos=pixel(course, 120, 3))
    assert log.last("frame_chosen")[0] == pytest.approx(120, abs=1)
    assert {plot(course, number).frame.value() for number in range(4)} == {log.last("frame_chosen")[0]}
    course.set_quality(None)
    course.set_carpet(None)
    assert len(course.findChild(pg.GraphicsLayoutWidget).ci.items) == 1


def test_where_there_is_little_room_the_course_stays_and_the_rest_says_how_to_see_it(course: TimeCourse) -> None:
    course.set_quality(Quality(X, None, np.linspace(0, 1, 100)))
    course.set_carpet(np.zeros((20, 100), np.float32), X, "Carpet")

    def plots() -> list[type]:
        QApplication.processEvents()
        return [type(item) for item in course.findChild(pg.GraphicsLayoutWidget).ci.items]

    def says_so() -> bool:
        return any("higher" in label.text() for label in course.findChildren(QLabel) if label.isVisible())

    everything = plots()
    assert len(everything) == 3
    assert not says_so()
    course.resize(640, 120)
    assert plots() == everything[:1]
    assert says_so()
    course.resize(640, 480)
    assert plots() == everything
    assert not says_so()


def test_theme_reaches_the_plots(course: TimeCourse, qapp: QApplication) -> None:
    apply_theme(qapp, "light")
    qapp.processEvents()
    seen = colours(course)
    assert LIGHT.text in seen  # the line of the frame
    assert colour_at(course, 30, course.height() - 30).name() == LIGHT.window


def test_setting_is_silent(course: TimeCourse) -> None:
    log = Log(course)
    course.set_frame(50)
    course.set_frame(None)
    course.set_curves([], reason="No series.")
    course.set_curves([RAMP])
    course.set_quality(Quality(X, np.ones(100)))
    course.set_carpet(np.zeros((3, 100), np.float32), X)
    assert log == []


def test_frames_are_drawn_as_long_as_they_last() -> None:
    x, y = steps(np.array([1.0, 3.0, 8.0]), np.array([5.0, 6.0, 7.0]), np.array([2.0, 2.0, 4.0]))
    assert x.tolist() == [0, 2, 2, 2, 4, 4, 6, 10, 10]
    np.testing.assert_array_equal(y, [5, 5, 6, 6, 6, np.nan, 7, 7, np.nan])


def test_scales() -> None:
    y = np.array([98.0, 100.0, 102.0, np.nan])
    np.testing.assert_allclose(scaled(y, "percent"), [-2, 0, 2, np.nan])
    np.testing.assert_allclose(scaled(y, "standard"), [-(1.5**0.5), 0, 1.5**0.5, np.nan])
    assert scaled(y, "measured") is y
    assert np.isnan(scaled(np.ones(3), "standard")).all()
    assert np.isnan(scaled(np.full(2, np.nan), "percent")).all()


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30, unique=True), st.floats(-2e6, 2e6))
def test_nearest(values: list[float], at: float) -> None:
    x = np.sort(np.array(values))
    assert abs(x[nearest(x, at)] - at) == np.abs(x - at).min()


def test_without_a_series_it_says_what_it_is_for_and_draws_no_axes(course: TimeCourse) -> None:
    view = course.findChild(pg.GraphicsLayoutWidget)
    assert view.isVisible()
    course.set_curves((), reason="Open a 4D image.")
    QApplication.processEvents()
    assert not view.isVisible()
    assert [label.text() for label in course.findChildren(QLabel) if label.isVisible() and label.text()] == [
        "Open a 4D image."
    ]
    course.set_curves([RAMP])
    QApplication.processEvents()
    assert view.isVisible()


def test_the_time_that_is_told_is_that_of_a_frame(course: TimeCourse) -> None:
    log = Log(course)
    at = pixel(course, 81.6)
    QTest.mouseMove(port(course), at)
    QTest.mouseClick(port(course), Qt.MouseButton.LeftButton, pos=at)
    assert log.last("frame_chosen") == (81.0,)
    assert "Time (s) 81<" in readout(course)


@pytest.mark.parametrize("height", [150, 200, 300])
def test_numbers_beside_a_low_plot_stand_clear_of_one_another(course: TimeCourse, height: int) -> None:
    course.resize(640, height)
    QApplication.processEvents()
    axis = plot(course).getAxis("left")
    low, high = axis.range
    (spacing, _), *_ = axis.tickSpacing(low, high, axis.size().height())
    distance_px = spacing / (high - low) * axis.size().height()
    assert distance_px >= QFontMetrics(axis.style["tickFont"]).height()
