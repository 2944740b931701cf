"""Real events for widgets, and what comes of them: emissions and pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QPoint, QPointF, Signal
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QWidget

AnyWidget = TypeVar("AnyWidget", bound=QWidget)


class Log(list[tuple[object, ...]]):
    """Emissions of a widget's own signals: the name, then the values."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        for kind in type(widget).__mro__:
            if kind.__module__.startswith("habena"):
                for name in [name for name, value in vars(kind).items() if isinstance(value, Signal)]:
                    getattr(widget, name).connect(self._listener(name))

    def _listener(self, name: str) -> Callable[..., None]:
        return lambda *values: self.append((name, *values))

    def names(self) -> list[str]:
        return [str(entry[0]) for entry in self]

    def last(self, name: str) -> tuple[object, ...]:
        return [entry[1:] for entry in self if entry[0] == name][-1]


def child(widget: QWidget, kind: type[AnyWidget], name: str) -> AnyWidget:
    """The child of that class with that accessible name (or its beginning)."""
    found = [part for part in widget.findChildren(kind) if part.accessibleName().startswith(name)]
    assert found, f"no {kind.__name__} named {name}"
    return found[0]


def focus(widget: QWidget) -> None:
    widget.window().activateWindow()
    widget.setFocus()
    QApplication.processEvents()
    assert widget.hasFocus()


def wheel(widget: QWidget, notches: int) -> None:
    """Turn the wheel over a widget, as the window system would."""
    at = widget.mapTo(widget.window(), widget.rect().center())
    QTest.wheelEvent(widget.window().windowHandle(), QPointF(at), QPoint(0, 120 * notches))
    QApplication.processEvents()


def colours(widget: QWidget) -> set[str]:
    """All colours on a widget."""
    image = widget.grab().toImage()
    return {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}


def colour_at(widget: QWidget, x: float, y: float) -> QColor:
    image = widget.grab().toImage()
    ratio = image.devicePixelRatio()
    return image.pixelColor(round(x * ratio), round(y * ratio))


def take(choice: QComboBox, text: str) -> None:
    """Choose an entry by typing its beginning, as one does."""
    focus(choice)
    QApplication.setKeyboardInputInterval(40)
    QTest.qWait(50)  # what was typed before is forgotten
    QTest.keyClicks(choice, text)
    assert choice.currentText().startswith(text)
