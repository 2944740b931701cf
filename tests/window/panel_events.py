"""What a user does in the panels of a window, with real mouse and keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import window_events
from habena.app.state import Overlay
from habena.app.window import Window
from habena.widgets.controls import Choice
from habena.widgets.layer_list import LayerList
from habena.widgets.numbers import NumberEdit
from habena.widgets.range_handle import RangeHandle
from habena.widgets.value_table import ValueTable
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QTableView, QWidget
from window_events import named

LEFT = Qt.MouseButton.LeftButton


def open_tab(window: Window, name: str) -> QWidget:
    """Bring a panel to the front; gives its content."""
    window.dock(name).show()
    window.dock(name).raise_()
    QApplication.processEvents()
    window_events.settle(window)
    return window.dock(name).widget()


def press(widget: QWidget, name: str) -> None:
    """Click the button with that name."""
    button = named(widget, QAbstractButton, name)
    assert button.isEnabled(), f"{name} rests"
    assert button.isVisible(), f"{name} is not to be seen"
    spot = QPoint(8, button.height() // 2) if button.isCheckable() else button.rect().center()
    QTest.mouseClick(button, LEFT, pos=spot)
    QApplication.processEvents()


def choose(widget: QWidget, name: str, text: str) -> None:
    """Open a list of choices and take the one that begins so."""
    choice = named(widget, Choice, name)
    assert choice.isVisible(), f"{name} is not to be seen"
    number = next(n for n in range(choice.count()) if choice.itemText(n).startswith(text))
    choice.showPopup()
    QApplication.processEvents()
    entries = choice.view()
    entries.setCurrentIndex(choice.model().index(number, 0))
    QTest.keyClick(entries, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert choice.currentText().startswith(text)


def write(widget: QWidget, name: str, text: str) -> None:
    """Type into the number field with that name and press Enter."""
    field = named(widget, NumberEdit, name)
    assert field.isVisible(), f"{name} is not to be seen"
    field.window().activateWindow()
    field.setFocus()
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_Delete)
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)
    QApplication.processEvents()


@contextmanager
def layers_of(window: Window) -> Iterator[LayerList]:
    """The layer list; the window is settled afterwards."""
    yield named(window, LayerList, "Layers")
    window_events.settle(window)


def titles(window: Window) -> list[str]:
    """Names in the layer list, topmost first."""
    model = named(window, LayerList, "Layers").model()
    return [model.index(number, 0).data() for number in range(model.rowCount())]


def said_of(window: Window, number: int) -> str:
    """What the layer list tells a screen reader about one line."""
    model = named(window, LayerList, "Layers").model()
    return model.index(number, 0).data(Qt.ItemDataRole.AccessibleTextRole)


def middle(layers: LayerList, number: int) -> QPoint:
    return layers.visualRect(layers.model().index(number, 0)).center()


def eye(layers: LayerList, number: int) -> QPoint:
    return QPoint(14, middle(layers, number).y())


def select_layer(window: Window, number: int) -> None:
    """Click a line of the layer list."""
    with layers_of(window) as layers:
        QTest.mouseClick(layers.viewport(), LEFT, pos=middle(layers, number))


def selected(window: Window) -> Overlay:
    overlay = window.session.state.overlay(window.session.state.selected)
    assert overlay is not None
    return overlay


def drag_handle(widget: QWidget, name: str, pixels: int) -> None:
    """Drag a handle of the histogram sideways, in small steps."""
    handle = next(h for h in widget.findChildren(RangeHandle) if h.accessibleName().startswith(f"{name}:"))
    start = handle.rect().center()
    QTest.mousePress(handle, LEFT, pos=start)
    begun = handle.mapToGlobal(start)
    for step in range(1, 9):
        QTest.mouseMove(handle, handle.mapFromGlobal(begun + QPoint(pixels * step // 8, 0)))
    QTest.mouseRelease(handle, LEFT, pos=handle.mapFromGlobal(begun + QPoint(pixels, 0)))
    QApplication.processEvents()


def table_of(window: Window, name: str) -> QTableView:
    return named(named(window, QTableView, name).window(), QTableView, name)


def cells(table: ValueTable | QTableView) -> list[list[str]]:
    """What a table shows, row by row."""
    view = table if isinstance(table, QTableView) else table.findChild(QTableView)
    model = view.model()
    return [
        [model.index(row, column).data() for column in range(model.columnCount())] for row in range(model.rowCount())
    ]
