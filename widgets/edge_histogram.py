"""Histogram of a graph's edges: how strong they are, and which of them are kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from .controls import described
from .numbers import format_number
from .theme import look

_STEP = 0.01
_KEYS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Down: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: 1}
_EDGE_PX = 10


class EdgeHistogram(QWidget):
    """Number of edges of each correlation; a line at the threshold, which can be dragged.

    ``dragged`` carries the new threshold as r, ``settled`` follows when the hand leaves. Arrow keys move it by .01.
    """

    dragged = Signal(float)
    settled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        tip = self.tr("Number of pairs of regions with each correlation; drag the line to change the threshold")
        described(self, self.tr("Histogram of edges"), tip)
        self._edges = np.array([-1.0, 1.0])
        self._counts = np.zeros(1)
        self._threshold: float | None = None
        self._both_sides = False
        self._can_drag = True
        self._held = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 80)

    def set_counts(self, edges: NDArray[np.float64], counts: NDArray[np.float64]) -> None:
        """Show a histogram: ``n + 1`` increasing edges, ``n`` counts."""
        self._edges, self._counts = np.asarray(edges, np.float64), np.asarray(counts, np.float64)
        self.update()

    def set_threshold(self, threshold: float | None, *, both_sides: bool) -> None:
        """Mark what is kept: values of at least the threshold, with ``both_sides`` by their size."""
        if not self._held:
            self._threshold = threshold
        self._both_sides = both_sides
        self.update()

    def set_can_drag(self, can_drag: bool) -> None:
        """Whether the line may be moved: not for a difference, which has two thresholds."""
        self._can_drag = can_drag

    def x_of(self, value: float) -> float:
        """Pixel of a value."""
        area, (low, high) = self._area(), (self._edges[0], self._edges[-1])
        return area.x() + float((value - low) / (high - low)) * area.width()

    def _value_at(self, x: float) -> float:
        area, (low, high) = self._area(), (float(self._edges[0]), float(self._edges[-1]))
        value = low + (x - area.x()) / max(1, area.width()) * (high - low)
        return min(max(round(value, 2), 0.0), high)

    def _area(self) -> QRect:
        bottom = self.fontMetrics().height() + 4
        return self.rect().adjusted(_EDGE_PX, _EDGE_PX, -_EDGE_PX, -bottom)

    def _is_kept(self, value: float) -> bool:
        if self._threshold is None:
            return True
        return (abs(value) if self._both_sides else value) >= self._threshold

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._counts.any():
            return
        area, colours = self._area(), look()
        with QPainter(self) as painter:
            self._paint_bars(painter, area)
            painter.setPen(QColor(colours.border))
            painter.drawLine(area.bottomLeft(), area.bottomRight())
            self._paint_ticks(painter, area)
            painter.setPen(QPen(QColor(colours.text), 2 if self.hasFocus() else 1.5))
            for sign in (1, -1) if self._both_sides else (1,):
                if self._threshold is not None and self._edges[0] <= sign * self._threshold <= self._edges[-1]:
                    x = self.x_of(sign * self._threshold)
                    painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def _paint_bars(self, painter: QPainter, area: QRect) -> None:
        colours = look()
        scale = area.height() / self._counts.max()
        for low, high, count in zip(self._edges[:-1], self._edges[1:], self._counts, strict=True):
            x0, x1, height = self.x_of(float(low)), self.x_of(float(high)), float(count) * scale
            colour = colours.accent if self._is_kept(float(low + high) / 2) else colours.border
            painter.fillRect(QRectF(x0, area.bottom() - height, max(1.0, x1 - x0 - 0.5), height), QColor(colour))

    def _paint_ticks(self, painter: QPainter, area: QRect) -> None:
        painter.setPen(QColor(look().muted))
        metrics = self.fontMetrics()
        low, high = float(self._edges[0]), float(self._edges[-1])
        wide = metrics.horizontalAdvance("−0.25")
        steps = next((s for s in (0.1, 0.25, 0.5, 1.0) if (high - low) / s * 1.4 * wide < area.width()), 1.0)
        for number in range(int(np.ceil(low / steps - 1e-9)), int(np.floor(high / steps + 1e-9)) + 1):
            text = format_number(number * steps)
            half = metrics.horizontalAdvance(text) / 2
            x = min(max(self.x_of(number * steps) - half, 0.0), self.width() - 2 * half)
            painter.drawText(QPointF(x, area.bottom() + metrics.ascent() + 2), text)

    def _move_to(self, value: float) -> None:
        if self._can_drag and value != self._threshold:
            self._threshold = value
            self.update()
            self.dragged.emit(value)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._can_drag and self._counts.any():
            self._held = True
            self._move_to(abs(self._value_at(event.position().x())))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held:
            self._move_to(self._value_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._held:
            self._held = False
            self.settled.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = _KEYS.get(Qt.Key(event.key()))
        if steps is None or self._threshold is None:
            super().keyPressEvent(event)
            return
        self._move_to(min(max(round(self._threshold + steps * _STEP, 2), 0.0), float(self._edges[-1])))
        self.settled.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(280, 160)
