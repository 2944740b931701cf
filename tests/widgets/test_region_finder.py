"""Finder: typing, choosing, closing."""

from __future__ import annotations

import pytest
from habena.widgets.finder import Finder, Match
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QListWidget, QWidget
from widget_events import Log, focus

MATCHES = (
    Match("hn-l", "Habenula L", "CIT168 · 66 mm³"),
    Match("hn-r", "Habenula R", "CIT168 · 59 mm³"),
    Match("hip", "Hippocampus L", "AAL2"),
)


@pytest.fixture
def finder(shown) -> Finder:
    window = QWidget()
    field = Finder(window)
    field.setGeometry(10, 10, 200, 28)
    other = QLineEdit(window)
    other.setGeometry(10, 150, 200, 28)
    shown(window, (460, 300))
    focus(field)
    field.query_changed.connect(lambda text: field.set_matches(MATCHES if text else ()))
    return field


def popup(finder: Finder) -> QListWidget:
    return finder.window().findChild(QListWidget)


def test_typing_asks_and_shows_matches(finder: Finder) -> None:
    log = Log(finder)
    assert not popup(finder).isVisible()
    QTest.keyClicks(finder, "h")
    assert log == [("query_changed", "h")]
    assert popup(finder).isVisible()
    assert finder.hasFocus()
    assert popup(finder).item(0).data(Qt.ItemDataRole.AccessibleTextRole) == "Habenula L, CIT168 · 66 mm³"


@pytest.mark.parametrize("with_mask", [False, True])
def test_enter_takes_the_first(finder: Finder, with_mask: bool) -> None:
    log = Log(finder)
    QTest.keyClicks(finder, "h")
    control = Qt.KeyboardModifier.ControlModifier if with_mask else Qt.KeyboardModifier.NoModifier
    QTest.keyClick(finder, Qt.Key.Key_Return, control)
    assert log[-1] == ("chosen", "hn-l", with_mask)
    assert not popup(finder).isVisible()
    assert finder.text() == "Habenula L"


def test_arrows_move_in_the_list(finder: Finder) -> None:
    log = Log(finder)
    QTest.keyClicks(finder, "h")
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up):
        QTest.keyClick(finder, key)
    QTest.keyClick(finder, Qt.Key.Key_Return)
    assert log[-1] == ("chosen", "hn-r", False)


def test_escape_closes_and_down_opens_again(finder: Finder) -> None:
    log = Log(finder)
    QTest.keyClicks(finder, "h")
    QTest.keyClick(finder, Qt.Key.Key_Escape)
    assert not popup(finder).isVisible()
    QTest.keyClick(finder, Qt.Key.Key_Return)
    assert "chosen" not in log.names()
    QTest.keyClick(finder, Qt.Key.Key_Down)
    assert popup(finder).isVisible()
    assert popup(finder).currentRow() == 0


def test_a_click_takes_a_match(finder: Finder) -> None:
    log = Log(finder)
    QTest.keyClicks(finder, "h")
    rect = popup(finder).visualItemRect(popup(finder).item(2))
    QTest.mouseClick(popup(finder).viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    assert log[-1] == ("chosen", "hip", False)


def test_the_list_lies_under_the_field_inside_the_window(finder: Finder) -> None:
    QTest.keyClicks(finder, "h")
    area = popup(finder).geometry()
    assert area.top() >= finder.mapTo(finder.window(), QPoint(0, finder.height())).y()
    assert finder.window().rect().contains(area)


def test_leaving_closes(finder: Finder) -> None:
    QTest.keyClicks(finder, "h")
    QTest.keyClick(finder, Qt.Key.Key_Tab)
    QApplication.processEvents()
    assert not finder.hasFocus()
    assert not popup(finder).isVisible()


def test_no_match_and_silence(finder: Finder) -> None:
    QTest.keyClicks(finder, "h")
    log = Log(finder)
    finder.set_matches(())
    assert not popup(finder).isVisible()
    finder.set_matches(MATCHES)
    assert log == []
