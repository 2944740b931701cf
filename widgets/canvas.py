"""Shows a rendered picture and says what the mouse does on it, in picture pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget


class Touch(NamedTuple):
    """A mouse position in picture pixels and what is held down.

    Attributes
    ----------
    x, y : float
        From the upper left corner.
    button : str
        left, right, middle, or empty while hovering.
    shift, control, alt : bool
    """

    x: float
    y: float
    button: str
    shift: bool
    control: bool
    alt: bool


_BUTTONS = {
    Qt.MouseButton.LeftButton: "left",
    Qt.MouseButton.RightButton: "right",
    Qt.MouseButton.MiddleButton: "middle",
}


KEYS = {
    Qt.Key.Key_Left: "left",
    Qt.Key.Key_Right: "right",
    Qt.Key.Key_Up: "up",
    Qt.Key.Key_Down: "down",
    Qt.Key.Key_PageUp: "page up",
    Qt.Key.Key_PageDown: "page down",
    Qt.Key.Key_Home: "home",
}


class Canvas(QWidget):
    """A plain widget that paints the picture it was given.

    Signals carry `Touch` values; ``wheeled`` adds the number of notches (away from the user is positive).
    ``key_pressed`` carries one of ``KEYS`` and whether Shift is held; other keys are left to the window.
    ``needs_picture`` comes when the size in device pixels changed.
    """

    pressed = Signal(object)
    dragged = Signal(object)
    released = Signal(object)
    double_clicked = Signal(object)
    hovered = Signal(object)
    left = Signal()
    wheeled = Signal(object, float)
    key_pressed = Signal(str, bool)
    needs_picture = Signal()
    painted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self._held = ""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 90)

    def size_px(self) -> tuple[int, int]:
        """Width and height in device pixels: the size of picture wanted."""
        ratio = self.devicePixelRatioF()
        return max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio))

    def set_picture(self, picture: NDArray[np.uint8]) -> None:
        """Show (height, width, 4) RGBA, row 0 at the top."""
        height, width = picture.shape[:2]
        image = QImage(picture.data, width, height, 4 * width, QImage.Format.Format_RGBX8888)
        self._image = image.copy()  # Qt must not outlive NumPy's memory
        if (width, height) == self.size_px():
            self._image.setDevicePixelRatio(self.devicePixelRatioF())
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._image is None:
            painter.fillRect(self.rect(), Qt.GlobalColor.black)
        elif self._image.size() == self.size() * self.devicePixelRatioF():
            painter.drawImage(QPointF(0, 0), self._image)
        else:  # a coarser picture while something moves, or one from before a change of size
            painter.drawImage(self.rect(), self._image)
        painter.end()
        self.painted.emit()

    def sizeHint(self) -> QSize:
        return QSize(800, 600)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.needs_picture.emit()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self.needs_picture.emit()
        return super().event(event)

    def _touch(self, event: QMouseEvent | QWheelEvent | QEnterEvent, button: str) -> Touch:
        ratio = self.devicePixelRatioF()
        position, held = event.position(), event.modifiers()
        return Touch(
            position.x() * ratio,
            position.y() * ratio,
            button,
            bool(held & Qt.KeyboardModifier.ShiftModifier),
            bool(held & Qt.KeyboardModifier.ControlModifier),
            bool(held & Qt.KeyboardModifier.AltModifier),
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._held = _BUTTONS.get(event.button(), "")
        if self._held:
            self.pressed.emit(self._touch(event, self._held))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held:
            self.dragged.emit(self._touch(event, self._held))
        else:
            self.hovered.emit(self._touch(event, ""))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._held:
            held, self._held = self._held, ""
            self.released.emit(self._touch(event, held))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.double_clicked.emit(self._touch(event, _BUTTONS.get(event.button(), "")))

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = (event.angleDelta().y() or event.angleDelta().x()) / 120
        self.wheeled.emit(self._touch(event, ""), notches)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        name = KEYS.get(Qt.Key(event.key()))
        plain = not event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
        if name is None or not plain:
            super().keyPressEvent(event)
            return
        self.key_pressed.emit(name, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        self.left.emit()
        super().leaveEvent(event)
