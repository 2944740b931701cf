"""The slider of a graph's threshold: by hand, by keys, typed, and said in two ways."""

from __future__ import annotations

import pytest
from habena.widgets.density_slider import Cut, DensitySlider
from habena.widgets.numbers import NumberEdit
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QSlider
from widget_events import Log, child, focus, take


@pytest.fixture
def slider(shown):
    return shown(DensitySlider(), (560, 50))


def test_keys_move_the_density_by_half_a_percent_and_settle(slider):
    log = Log(slider)
    track = child(slider, QSlider, "Threshold")
    focus(track)
    QTest.keyClick(track, Qt.Key.Key_Right)
    assert log == [("changed", Cut("density", 0.155)), ("settled",)]
    assert child(slider, NumberEdit, "Density").text().startswith("15.5")


def test_a_drag_tells_every_step_and_settles_once(slider):
    log = Log(slider)
    track = child(slider, QSlider, "Threshold")
    y = track.height() // 2
    QTest.mousePress(track, Qt.MouseButton.LeftButton, pos=QPoint(track.width() // 2, y))
    for x in (0.55, 0.6, 0.65):
        QTest.mouseMove(track, QPoint(round(track.width() * x), y))
    QTest.mouseRelease(track, Qt.MouseButton.LeftButton, pos=QPoint(round(track.width() * 0.65), y))
    assert log.names().count("changed") >= 3
    assert log.names()[-1] == "settled"
    assert log.names().count("settled") == 1
    densities = [entry[1].value for entry in log if entry[0] == "changed"]
    assert densities == sorted(densities)


def test_a_density_can_be_typed_exactly(slider):
    log = Log(slider)
    edit = child(slider, NumberEdit, "Density")
    focus(edit)
    edit.selectAll()
    QTest.keyClicks(edit, "12.34")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert log.last("changed")[0].value == pytest.approx(0.1234)


def test_the_other_way_of_saying_it_is_asked_for_and_shown_by_whoever_knows_the_graph(slider):
    log = Log(slider)
    take(child(slider, QComboBox, "Threshold by"), "Corr")
    assert log == [("kind_chosen", "r")]
    slider.set_cut(Cut("r", 0.4321))
    assert child(slider, NumberEdit, "Correlation").isVisible()
    assert not child(slider, NumberEdit, "Density").isVisible()
    assert child(slider, NumberEdit, "Correlation").text() == "0.4321"
    track = child(slider, QSlider, "Threshold")
    focus(track)
    QTest.keyClick(track, Qt.Key.Key_Right)
    assert log.last("changed") == (Cut("r", 0.44),)


def test_showing_a_cut_tells_nothing(slider):
    log = Log(slider)
    slider.set_cut(Cut("density", 0.3))
    slider.set_cut(Cut("r", 0.5))
    assert log == []
    assert slider.cut() == Cut("r", 0.5)
