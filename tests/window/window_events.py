"""Real mouse and keys for a window's canvases, and what is seen on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from habena.app.recipes import Point
from habena.app.window import Window
from habena.render.scene import Panel
from habena.widgets.canvas import Canvas
from PySide6.QtCore import QEvent, QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

LONGEST_MS = 20_000
LEFT, MIDDLE, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton
NOTHING_HELD = Qt.KeyboardModifier.NoModifier
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier

Pixel = tuple[float, float]
AnyWidget = TypeVar("AnyWidget", bound=QWidget)


def wait_until(done: Callable[[], bool], what: str = "it") -> None:
    """Let the event loop run until something holds."""
    loop, often, late = QEventLoop(), QTimer(), QTimer()
    often.timeout.connect(lambda: done() and loop.quit())
    late.timeout.connect(loop.quit)
    often.start(5)
    late.start(LONGEST_MS)
    loop.exec()
    often.stop()
    assert done(), f"{what} never came"


def settle(window: Window) -> None:
    """Let the event loop run until all that the view asks for is there, drawn, and told in the panels."""
    quiet_turns = 0

    def quiet() -> bool:
        nonlocal quiet_turns
        timers = (window.slice_view._soon, window.slice_view._rest, window._refresh_soon)
        late = window.panels is not None and window.panels.is_late
        drawing = late or window.surface_view.busy or any(timer.isActive() for timer in timers)
        busy = drawing or not window.session.jobs.idle()
        quiet_turns = 0 if busy or window.session.waits_for_live else quiet_turns + 1
        return quiet_turns > 2  # what a thread has sent by the first turn has come by the next

    wait_until(quiet, "the last picture")


# -- the mouse


def mouse(canvas: Canvas, kind: QEvent.Type, at: Pixel, button: Qt.MouseButton, held: Qt.KeyboardModifier) -> None:
    """Send one mouse event to a canvas, as the window system would; ``at`` in the canvas's own pixels."""
    position = QPointF(*at)
    moves, ends = kind == QEvent.Type.MouseMove, kind == QEvent.Type.MouseButtonRelease
    event = QMouseEvent(
        kind,
        position,
        QPointF(canvas.mapToGlobal(position)),
        Qt.MouseButton.NoButton if moves else button,
        Qt.MouseButton.NoButton if ends else button,
        held,
    )
    QApplication.sendEvent(canvas, event)
    QApplication.processEvents()


def drag(
    canvas: Canvas,
    *path: Pixel,
    button: Qt.MouseButton = LEFT,
    held: Qt.KeyboardModifier = NOTHING_HELD,
    release: bool = True,
) -> None:
    """Press at the first place, move over the others and, unless told otherwise, release at the last."""
    mouse(canvas, QEvent.Type.MouseButtonPress, path[0], button, held)
    for at in path[1:]:
        mouse(canvas, QEvent.Type.MouseMove, at, button, held)
    if release:
        mouse(canvas, QEvent.Type.MouseButtonRelease, path[-1], button, held)


def click(canvas: Canvas, at: Pixel) -> None:
    drag(canvas, at)


def hover(canvas: Canvas, at: Pixel) -> None:
    mouse(canvas, QEvent.Type.MouseMove, at, Qt.MouseButton.NoButton, NOTHING_HELD)


def wheel(canvas: Canvas, at: Pixel, notches: int, held: Qt.KeyboardModifier = NOTHING_HELD) -> None:
    """Turn the wheel with the mouse at a place of a canvas."""
    place = canvas.mapTo(canvas.window(), QPointF(*at))
    QTest.wheelEvent(canvas.window().windowHandle(), QPointF(place), QPoint(0, 120 * notches), QPoint(), held)
    QApplication.processEvents()


def press_key(window: Window, key: Qt.Key, held: Qt.KeyboardModifier = NOTHING_HELD) -> None:
    """Press a key while the slices have the focus, as after a click on them."""
    window.activateWindow()
    QApplication.processEvents()  # shortcuts are those of the active window
    window.area.slices.setFocus()
    QTest.keyClick(window.area.slices, key, held)
    QApplication.processEvents()


# -- what is seen


def slice_panel(window: Window, axis: str) -> Panel:
    """The first slice of that axis on the screen."""
    return next(panel for panel in window.slice_view.arrangement.panels if panel.axis == axis)


def pixel_of(window: Window, axis: str, mm: Point) -> Pixel:
    """Where a world position is on the slice of that axis, rounded to a whole pixel."""
    x, y = slice_panel(window, axis).px_of(mm)
    return float(round(x)), float(round(y))


def picture(widget: QWidget) -> np.ndarray:
    """What a widget shows, (height, width, 3) int."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGBX8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)[..., :3].astype(int)


def colour_on_slice(window: Window, axis: str, mm: Point) -> tuple[int, int, int]:
    """Colour seen at a world position on the slice of that axis."""
    x, y = slice_panel(window, axis).px_of(mm)
    red, green, blue = picture(window.area.slices)[int(y), int(x)]
    return int(red), int(green), int(blue)


def texts(widget: QWidget) -> list[str]:
    """All that labels below a widget say, those that are shown."""
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget)]


def named(widget: QWidget, kind: type[AnyWidget], name: str) -> AnyWidget:
    """The child of that class with that accessible name, or the beginning of it."""
    found = [part for part in widget.findChildren(kind) if part.accessibleName().startswith(name)]
    assert found, f"no {kind.__name__} named {name}"
    return found[0]
