"""The plot area of a voxel's scans with the mouse that names and selects them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainterPath, QPolygonF
from PySide6.QtWidgets import QGraphicsPathItem

from .theme import look
from .voxel_drawing import VoxelDrawing

NEAR_PX = 14  # within which a point is under the mouse
DRAG_PX = 6  # from which a press becomes a lasso


class VoxelCanvas(VoxelDrawing):
    """A drawing of scans that the mouse names, selects and draws round.

    Signals
    -------
    pointed : (int or None)
        The scan under the mouse.
    picked : (tuple of int, bool)
        Scans that were clicked or drawn round; whether those selected before stay.
    opened : (int)
        Double-clicked.
    """

    pointed = Signal(object)
    picked = Signal(object, bool)
    opened = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self._pressed: QPointF | None = None
        self._path: list[QPointF] = []
        self._lasso = QGraphicsPathItem()
        self._lasso.setZValue(100)
        self.scene().addItem(self._lasso)  # pyright: ignore[reportOptionalMemberAccess, reportAttributeAccessIssue] - it has one

    # -- what is under the mouse

    def _nearest(self, at: QPointF) -> int | None:
        if self._data is None or not len(self._of):
            return None
        away = [
            (min((self.px_of(n, k) - at).manhattanLength() for k in there), n)
            for n in range(len(self._of))
            if (there := np.flatnonzero(np.isfinite(self._of[n])).tolist())
        ]
        distance, n = min(away, default=(np.inf, 0))
        return n if distance <= NEAR_PX else None

    def _inside(self, path: list[QPointF]) -> tuple[int, ...]:
        """Scans whose points, any of them, lie within a line drawn round them."""
        area = QPolygonF(path)
        rule = Qt.FillRule.OddEvenFill
        return tuple(
            n
            for n in range(len(self._of))
            if any(
                area.containsPoint(self.px_of(n, k), rule) for k in np.flatnonzero(np.isfinite(self._of[n])).tolist()
            )
        )

    def mouseMoveEvent(self, ev: QMouseEvent) -> None:
        at = ev.position()
        if self._pressed is None:
            self.pointed.emit(self._nearest(at))
        elif self._path or (at - self._pressed).manhattanLength() >= DRAG_PX:
            self._path = [*(self._path or [self._pressed]), at]
            self._lasso.setPen(pg.mkPen(look().accent, width=2, style=Qt.PenStyle.DashLine))
            line = QPainterPath()
            line.addPolygon(QPolygonF([QPointF(self.mapToScene(each.toPoint())) for each in self._path]))
            self._lasso.setPath(line)

    def mousePressEvent(self, ev: QMouseEvent) -> None:
        if ev.button() == Qt.MouseButton.LeftButton and self._data is not None:
            self._pressed, self._path = ev.position(), []

    def mouseReleaseEvent(self, ev: QMouseEvent) -> None:
        if ev.button() != Qt.MouseButton.LeftButton or self._pressed is None:
            return
        path, self._path, self._pressed = self._path, [], None
        self._lasso.setPath(QPainterPath())
        adds = bool(ev.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier))
        if path:
            self.picked.emit(self._inside(path), adds)
        else:
            nearest = self._nearest(ev.position())
            self.picked.emit(() if nearest is None else (nearest,), adds)

    def mouseDoubleClickEvent(self, ev: QMouseEvent) -> None:
        nearest = self._nearest(ev.position())
        if nearest is not None and ev.button() == Qt.MouseButton.LeftButton:
            self.opened.emit(nearest)

    def wheelEvent(self, ev: Any) -> None:
        ev.ignore()

    def leaveEvent(self, ev: QEvent) -> None:
        super().leaveEvent(ev)
        self.pointed.emit(None)
