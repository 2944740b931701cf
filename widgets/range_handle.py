"""A flag on the histogram that mouse and keys move."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from .theme import look

GRAB = 18
"""Width of the part that the mouse can take, in pixels before scaling."""
_BEYOND = 3  # of which on the other side of the line


class RangeHandle(QWidget):
    """A flag at a vertical line.

    ``dragged`` carries the place of the line in the parent's coordinates, ``stepped`` a number of steps.
    """

    dragged = Signal(float)
    stepped = Signal(float)
    settled = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._side = 1
        self._held_at: float | None = None
        self._is_hollow = False
        self._stepped = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SizeHorCursor)

    @property
    def is_held(self) -> bool:
        """Whether the mouse holds it."""
        return self._held_at is not None

    def set_hollow(self, is_hollow: bool) -> None:
        """Show that the bound is not set."""
        if is_hollow != self._is_hollow:
            self._is_hollow = is_hollow
            self.update()

    def place(self, x: float, top: int, height: int, side: int) -> None:
        """Stand at a line of the parent, from a height downwards, with the flag to the right (1) or left (-1)."""
        self._side = side
        left = round(x) - (_BEYOND if self._side > 0 else GRAB - _BEYOND)
        self.setGeometry(QRect(left, top, GRAB, height))

    def _line(self) -> float:
        return float(_BEYOND if self._side > 0 else GRAB - _BEYOND)

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = look()
        line, middle, reach = self._line(), self.height() / 2, 9 * self._side
        flag = [(line, middle - 7), (line + reach, middle - 4), (line + reach, middle + 4), (line, middle + 7)]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_active = self.hasFocus() or self.is_held
        edge = QColor(colours.base if not self._is_hollow else colours.text)
        painter.setPen(QPen(QColor(colours.accent) if is_active else edge, 2 if is_active else 1))
        painter.setBrush(QColor(colours.base if self._is_hollow else colours.text))
        painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in flag]))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._held_at = event.position().x() - self._line()
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held_at is not None:
            self.dragged.emit(self.mapToParent(event.position()).x() - self._held_at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._held_at is not None:
            self._held_at = None
            self.update()
            self.settled.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key
        forward = {key.Key_Right: 1, key.Key_Up: 1, key.Key_Left: -1, key.Key_Down: -1}.get(key(event.key()))
        if forward is None:
            super().keyPressEvent(event)
            return
        self._stepped = True
        self.stepped.emit(forward * (10.0 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0))

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        super().keyReleaseEvent(event)
        if self._stepped and not event.isAutoRepeat():
            self._stepped = False
            self.settled.emit()
