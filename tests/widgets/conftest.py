"""Widgets are tested off-screen, with real events, and must leave nothing behind."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from habena.widgets.theme import apply_theme
from PySide6.QtCore import QPoint, QPointF, Signal
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QWidget
from pytestqt.qtbot import QtBot

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # read when the application starts

AnyWidget = TypeVar("AnyWidget", bound=QWidget)


@pytest.fixture(autouse=True)
def tidy(qtbot: QtBot) -> Iterator[None]:
    """No cyclic garbage collection inside Qt's event loop; no window left open by the test itself."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def theme(qapp: QApplication) -> None:
    apply_theme(qapp, "dark")


@pytest.fixture
def shown(qtbot: QtBot) -> Callable[[AnyWidget], AnyWidget]:
    """Shows a widget as a window, and deletes it after the test."""

    kept: list[QWidget] = []  # qtbot holds them weakly

    def show(widget: AnyWidget, size: tuple[int, int] | None = None) -> AnyWidget:
        qtbot.addWidget(widget)
        kept.append(widget)
        if size is not None:
            widget.resize(*size)
        with qtbot.waitExposed(widget):
            widget.show()
        widget.activateWindow()
        QApplication.processEvents()
        return widget

    return show


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
