"""Layer list: mouse, keys, painting."""

from __future__ import annotations

import pytest
from habena.widgets.layer_list import LayerList
from habena.widgets.layer_row import LayerRow
from habena.widgets.theme import DARK
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu
from widget_events import Log, colour_at, colours, focus

ROWS = (
    LayerRow(7, "Seed map", "r", tint=(230, 20, 30), badge="live"),
    LayerRow(3, "Run", "4D", visible=False),
    LayerRow(5, "T1"),
)


@pytest.fixture
def layers(shown) -> LayerList:
    widget = LayerList()
    widget.set_rows(ROWS, 7)
    return shown(widget, (280, 240))


def middle(layers: LayerList, number: int, x: int | None = None) -> QPoint:
    rect = layers.visualRect(layers.model().index(number, 0))
    return QPoint(rect.center().x() if x is None else x, rect.center().y())


def test_click_selects(layers: LayerList) -> None:
    log = Log(layers)
    QTest.mouseClick(layers.viewport(), Qt.MouseButton.LeftButton, pos=middle(layers, 2))
    assert log == [("selected", 5)]


def test_eye_toggles_and_does_not_select(layers: LayerList) -> None:
    log = Log(layers)
    QTest.mouseClick(layers.viewport(), Qt.MouseButton.LeftButton, pos=middle(layers, 1, 12))
    QTest.mouseClick(layers.viewport(), Qt.MouseButton.LeftButton, pos=middle(layers, 0, 12))
    assert log == [("visibility_changed", 3, True), ("visibility_changed", 7, False)]
    assert layers.currentIndex().row() == 0


def test_space_toggles_the_selected(layers: LayerList) -> None:
    log = Log(layers)
    focus(layers)
    QTest.keyClick(layers, Qt.Key.Key_Space)
    QTest.keyClick(layers, Qt.Key.Key_Space)
    assert log == [("visibility_changed", 7, False), ("visibility_changed", 7, True)]


def test_drag_reorders_once_on_release(layers: LayerList) -> None:
    log = Log(layers)
    port = layers.viewport()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=middle(layers, 0))
    for y in range(middle(layers, 0).y(), middle(layers, 2).y() + 1, 4):
        QTest.mouseMove(port, QPoint(140, y))
        layers.set_rows([LayerRow(row.key, row.title, "40 %") for row in ROWS], 7)  # progress comes meanwhile
    assert "reordered" not in log.names()
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=middle(layers, 2))
    assert log.last("reordered") == ((3, 5, 7),)
    assert log.names().count("reordered") == 1
    assert layers.currentIndex().row() == 2


def test_a_drag_back_home_is_no_reorder(layers: LayerList) -> None:
    log = Log(layers)
    port = layers.viewport()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=middle(layers, 0))
    for number in (1, 2, 1, 0):
        QTest.mouseMove(port, middle(layers, number))
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=middle(layers, 0))
    assert log == []


def test_keys_reorder(layers: LayerList) -> None:
    log = Log(layers)
    focus(layers)
    QTest.keyClick(layers, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert log == []
    QTest.keyClick(layers, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    QTest.keyClick(layers, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert log == [("reordered", (3, 7, 5)), ("reordered", (3, 5, 7))]
    QTest.keyClick(layers, Qt.Key.Key_Up)
    assert log[-1] == ("selected", 5)


@pytest.mark.parametrize("how", ["F2", "double click"])
def test_rename_in_place(layers: LayerList, how: str) -> None:
    log = Log(layers)
    if how == "F2":
        focus(layers)
        QTest.keyClick(layers, Qt.Key.Key_F2)
    else:
        QTest.mouseDClick(layers.viewport(), Qt.MouseButton.LeftButton, pos=middle(layers, 0))
    editor = layers.viewport().findChild(QLineEdit)
    assert editor.selectedText() == "Seed map"
    QTest.keyClicks(editor, "PCC")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert log == [("renamed", 7, "PCC")]


@pytest.mark.parametrize("text", ["", "Seed map"])
def test_no_name_and_the_same_name_rename_nothing(layers: LayerList, text: str) -> None:
    log = Log(layers)
    focus(layers)
    QTest.keyClick(layers, Qt.Key.Key_F2)
    editor = layers.viewport().findChild(QLineEdit)
    QTest.keyClick(editor, Qt.Key.Key_Delete)
    QTest.keyClicks(editor, text)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert log == []


def test_delete_asks(layers: LayerList) -> None:
    log = Log(layers)
    focus(layers)
    QTest.keyClick(layers, Qt.Key.Key_Delete)
    assert log == [("remove_requested", 7)]


def test_context_menu_offers_all_of_it(layers: LayerList) -> None:
    log = Log(layers)
    layers.set_actions([("keep", "Keep this map")])
    where = middle(layers, 1)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, where, layers.viewport().mapToGlobal(where))
    QApplication.sendEvent(layers.viewport(), event)
    menu = layers.findChild(QMenu)
    texts = [action.text() for action in menu.actions() if not action.isSeparator()]
    assert texts == ["Show", "Rename", "Move up", "Move down", "Keep this map", "Remove"]
    for text in ("Show", "Keep this map", "Move up", "Remove"):
        next(action for action in menu.actions() if action.text() == text).trigger()
    menu.close()
    assert log == [
        ("visibility_changed", 3, True),
        ("action_chosen", 3, "keep"),
        ("reordered", (3, 7, 5)),
        ("remove_requested", 3),
    ]


def test_setting_is_silent(layers: LayerList) -> None:
    log = Log(layers)
    layers.set_rows(ROWS, 5)
    assert layers.currentIndex().row() == 2
    layers.set_rows(ROWS[:2], 3)
    assert layers.currentIndex().row() == 1
    layers.set_rows(ROWS, None)
    assert not layers.currentIndex().isValid()
    layers.set_rows((), None)
    assert log == []


def test_what_is_painted(layers: LayerList) -> None:
    line = layers.visualRect(layers.model().index(0, 0))
    assert colour_at(layers.viewport(), 32, line.center().y()).name() == "#e6141e"
    assert colour_at(layers.viewport(), 150, line.top() + 3).name() == DARK.chosen
    assert DARK.accent in colours(layers.viewport())  # the badge
    shown = layers.model().index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert shown == "Run, hidden, 4D"


def test_an_empty_list_says_what_to_do(layers: LayerList) -> None:
    layers.set_rows(())
    assert len(colours(layers.viewport())) > 1


def test_the_list_is_as_high_as_its_layers_up_to_a_few(shown) -> None:
    layers = LayerList()
    heights = []
    for number in (2, 4, 6, 20):
        layers.set_rows([LayerRow(key, f"layer {key}") for key in range(number)])
        heights.append(layers.sizeHint().height())
    assert heights[0] < heights[1] < heights[2] == heights[3]
    assert layers.minimumSizeHint().height() == heights[0]


def test_of_a_name_that_is_too_long_the_end_is_seen(shown) -> None:
    pictures = []
    for title in ("sub-01_" * 20 + "task-rest_bold", "sub-02_" * 20 + "task-rest_bold", "sub-02_" * 20 + "T1w"):
        layers = LayerList()
        layers.set_rows([LayerRow(1, title)])
        shown(layers, (200, 100))
        pictures.append(layers.viewport().grab().toImage())
    assert pictures[0] != pictures[2]
    first, second = (picture.copy(110, 0, 90, 40) for picture in pictures[:2])
    assert first == second
    assert first != pictures[2].copy(110, 0, 90, 40)
