"""Sliders, combo boxes, icon buttons and sections."""

from __future__ import annotations

from itertools import pairwise

import pytest
from habena.widgets.controls import Choice, FoldingRow, IconButton, Section, check
from habena.widgets.slider import Slider
from habena.widgets.theme import DARK, LIGHT, apply_theme
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from widget_events import Log, child, colours, focus, wheel


def opacity() -> Slider:
    slider = Slider("Opacity", "Opacity in percent", (0.0, 1.0, 0.01), lambda value: f"{100 * value:.0f} %")
    slider.set_value(0.5)
    return slider


def test_slider_emits_while_it_is_dragged_and_settles_on_release(shown) -> None:
    slider = shown(opacity(), (240, 30))
    log, track = Log(slider), child(slider, QSlider, "Opacity")
    y = track.height() // 2
    QTest.mousePress(track, Qt.MouseButton.LeftButton, pos=QPoint(track.width() // 4, y))
    assert log.names() == ["changed"]
    assert log.last("changed")[0] == pytest.approx(0.25, abs=0.03)
    for x in range(track.width() // 4, 3 * track.width() // 4, 10):
        QTest.mouseMove(track, QPoint(x, y))
    assert set(log.names()) == {"changed"}
    assert log.last("changed")[0] == pytest.approx(0.75, abs=0.06)
    QTest.mouseRelease(track, Qt.MouseButton.LeftButton, pos=QPoint(3 * track.width() // 4, y))
    assert log.names()[-1] == "settled"
    assert log.names().count("settled") == 1
    assert slider.findChild(QLabel).text() == f"{100 * slider.value():.0f} %"


def test_slider_by_keys(shown) -> None:
    slider = shown(opacity(), (240, 30))
    log = Log(slider)
    slider.setFocus()
    track = child(slider, QSlider, "Opacity")
    QTest.keyClick(track, Qt.Key.Key_Right)
    assert log == [("changed", pytest.approx(0.51)), ("settled",)]
    QTest.keyClick(track, Qt.Key.Key_Home)
    assert log.last("changed") == (0.0,)
    log.clear()
    QTest.keyClick(track, Qt.Key.Key_Home)
    assert log == []


def test_set_value_keeps_full_precision_and_is_silent(shown) -> None:
    slider = shown(opacity())
    log = Log(slider)
    slider.set_value(0.123456)
    slider.set_steps((0, 2, 0.1))
    assert slider.value() == 0.123456
    assert log == []


def test_wheel_over_controls_without_focus_scrolls_the_panel(shown) -> None:
    panel = QWidget()
    layout = QVBoxLayout(panel)
    field, slider, choice = QLineEdit(), opacity(), Choice("Kind", "Kind of seed")
    choice.set_items([(1, "one"), (2, "two")])
    choice.set_value(1)
    for part in (field, slider, choice, QLabel("\n" * 40)):
        layout.addWidget(part)
    area = QScrollArea()
    area.setWidget(panel)
    shown(area, (260, 150))
    focus(field)
    track = child(slider, QSlider, "Opacity")
    for part in (track, choice):
        before = area.verticalScrollBar().value()
        wheel(part, -1)
        assert area.verticalScrollBar().value() > before
        area.verticalScrollBar().setValue(0)
    assert (slider.value(), choice.value()) == (0.5, 1)
    for part in (track, choice):
        focus(part)
        wheel(part, -1)
    assert slider.value() != 0.5
    assert choice.value() == 2


def test_choice_tells_only_what_the_user_takes(shown) -> None:
    choice = shown(Choice("Kind", "Kind of seed"))
    log = Log(choice)
    choice.set_items([("a", "Apple"), (None, "None"), ((0.01, 0.1), "Band")])
    choice.set_value((0.01, 0.1))
    assert choice.currentText() == "Band"
    choice.set_value("unknown")
    assert choice.currentIndex() == -1
    choice.set_value("a")
    assert log == []
    focus(choice)
    QTest.keyClick(choice, Qt.Key.Key_Down)
    assert log == [("chosen", None)]
    choice.set_items([("x", "X"), (None, "None")])
    assert choice.currentText() == "None"


def test_icon_follows_the_theme_and_the_state(qapp: QApplication, shown) -> None:
    button = shown(IconButton("play", "Play", "Play frames", "pause"), (80, 80))
    button.setIconSize(QSize(64, 64))
    assert DARK.text in colours(button)
    before = button.grab().toImage()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert button.isChecked()
    assert button.grab().toImage() != before
    apply_theme(qapp, "light")
    qapp.processEvents()
    assert LIGHT.text in colours(button)
    assert DARK.text not in colours(button)


def test_a_focused_control_shows_a_ring(shown) -> None:
    panel = QWidget()
    layout = QVBoxLayout(panel)
    parts = [IconButton("play", "Play", "Play"), check("Outline", "Outline"), opacity(), Choice("Kind", "Kind")]
    for part in parts:
        layout.addWidget(part)
    shown(panel, (200, 200))
    for part in parts:
        focus(part.focusProxy() or part)
        assert DARK.accent in colours(part), part


def test_section_folds_by_mouse_and_key(shown) -> None:
    section = Section("Playback")
    inside = QLineEdit()
    section.body.addWidget(inside)
    shown(section, (200, 120))
    head = child(section, QToolButton, "Playback")
    QTest.mouseClick(head, Qt.MouseButton.LeftButton)
    assert not inside.isVisible()
    focus(head)
    QTest.keyClick(head, Qt.Key.Key_Space)
    assert inside.isVisible()
    section.set_open(False)
    assert not section.is_open()
    assert not inside.isVisible()


def test_the_list_of_a_choice_that_has_the_focus_shows_all_entries(shown) -> None:
    measure = Choice("Measure", "")
    measure.set_items([("r", "Pearson r"), ("z", "Fisher z")])
    shown(measure)
    focus(measure)
    measure.showPopup()
    QApplication.processEvents()
    entries = measure.view()
    assert entries.viewport().height() >= entries.sizeHintForRow(0) + entries.sizeHintForRow(1)
    measure.hidePopup()


def test_a_row_folds_where_there_is_no_room_and_unfolds_again(shown) -> None:
    parts = [QPushButton(text) for text in ("Open files", "Open a folder", "Sample view")]
    line = shown(FoldingRow(*parts), (600, 40))
    for width, lines in ((600, 1), (240, 2), (130, 3), (600, 1)):
        line.resize(width, line.heightForWidth(width))
        QApplication.processEvents()
        assert len({part.y() for part in parts}) == lines
        assert all(line.rect().contains(part.geometry()) for part in parts)
        assert not any(one.geometry().intersects(other.geometry()) for one, other in pairwise(parts))
    assert line.minimumSizeHint().width() <= 130
