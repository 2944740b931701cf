"""A matrix of connections between nodes as a picture: hover to read, click to choose."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from .controls import described
from .numbers import format_number
from .theme import is_dark, look

FADED = 0.22  # share of its colour that an entry keeps which is no edge
_BAR_PX = 10
_GAP_PX = 6
_STEPS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class Arrangement(NamedTuple):
    """In which order a matrix shows its nodes.

    Attributes
    ----------
    order : (R,) int
        Node at each place.
    lines : tuple of int
        Places before which a line is drawn: borders of networks or modules.
    strong_lines : tuple of int
        The same, stronger: the border of the hemispheres.
    """

    order: NDArray[np.int64]
    lines: tuple[int, ...] = ()
    strong_lines: tuple[int, ...] = ()


class Entry(NamedTuple):
    """A cell of the matrix by its nodes."""

    row: int
    column: int


class Matrix(QWidget):
    """A square matrix with a colour bar; entries that are no edges are pale.

    Signals carry `Entry` values: ``hovered`` (None outside) and ``clicked``. Arrow keys move over the cells, Enter
    chooses the one reached.
    """

    hovered = Signal(object)
    clicked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(self, self.tr("Connectivity matrix"), self.tr("Correlation of every pair of regions"))
        self.setToolTip("")  # the line under the matrix says what is under the mouse
        self._values = np.zeros((0, 0))
        self._kept: NDArray[np.bool_] | None = None
        self._arrangement = Arrangement(np.zeros(0, np.int64))
        self._place_of = np.zeros(0, np.int64)
        self._tables = (np.zeros((256, 3), np.uint8), np.zeros((256, 3), np.uint8))
        self._limit = 1.0
        self._unit = "r"
        self._selected: int | None = None
        self._cursor: tuple[int, int] | None = None
        self._image: QImage | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 110)

    def set_tables(self, on_dark: NDArray[np.uint8], on_light: NDArray[np.uint8]) -> None:
        """Diverging colours for a dark and for a light theme, (256, 3) each."""
        self._tables = (on_dark, on_light)
        self._forget()

    def set_values(
        self, values: NDArray[np.float64], kept: NDArray[np.bool_] | None, limit: float, unit: str = "r"
    ) -> None:
        """Show a matrix (R, R) with colours from -limit to limit; entries not ``kept`` (R, R) are pale."""
        self._values, self._kept, self._limit, self._unit = values, kept, limit, unit
        if len(self._arrangement.order) != len(values):
            self.set_arrangement(Arrangement(np.arange(len(values))))
        self._forget()

    def set_arrangement(self, arrangement: Arrangement) -> None:
        """Change the order of the nodes."""
        self._arrangement = arrangement
        self._place_of = np.argsort(arrangement.order)
        self._cursor = None
        self._forget()

    def set_selected(self, node: int | None) -> None:
        """Mark the row and the column of a node."""
        if node != self._selected:
            self._selected = node
            self.update()

    def rect_of_cells(self) -> QRect:
        """The square that the cells fill, in the widget's pixels; empty without a matrix."""
        if not len(self._values):
            return QRect()
        label = self.fontMetrics().horizontalAdvance("−0.00") + _BAR_PX + 3 * _GAP_PX
        side = max(1, min(self.width() - label - 2, self.height() - 2))
        return QRect(max(1, (self.width() - side - label) // 2), (self.height() - side) // 2, side, side)

    def entry_at(self, at: QPointF) -> Entry | None:
        """The nodes of the cell at a place of the widget."""
        cells = self.rect_of_cells()
        if not cells.contains(at.toPoint()):
            return None
        n = len(self._values)
        row = min(n - 1, int((at.y() - cells.y()) / cells.height() * n))
        column = min(n - 1, int((at.x() - cells.x()) / cells.width() * n))
        return self._entry(row, column)

    def _entry(self, row: int, column: int) -> Entry:
        order = self._arrangement.order
        return Entry(int(order[row]), int(order[column]))

    def _forget(self) -> None:
        self._image = None
        self.update()

    def _picture(self) -> QImage:
        """One pixel for each cell."""
        if self._image is None:
            rgb = coloured(self._values, self._kept, self._limit, self._table())
            order = self._arrangement.order
            arranged = np.ascontiguousarray(rgb[order][:, order])
            n = len(order)
            self._image = QImage(arranged.data, n, n, 4 * n, QImage.Format.Format_RGBX8888).copy()
        return self._image

    def _table(self) -> NDArray[np.uint8]:
        return self._tables[0] if is_dark(self.palette()) else self._tables[1]

    def paintEvent(self, event: QPaintEvent) -> None:
        cells = self.rect_of_cells()
        if cells.isEmpty():
            return
        with QPainter(self) as painter:
            smaller = cells.width() * self.devicePixelRatioF() < len(self._values)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smaller)
            painter.drawImage(cells, self._picture())
            self._paint_lines(painter, cells)
            self._paint_marks(painter, cells)
            self._paint_bar(painter, cells)

    def _paint_lines(self, painter: QPainter, cells: QRect) -> None:
        colours = look()
        step = cells.width() / len(self._values)
        for places, pen in (
            (self._arrangement.lines, QPen(QColor(colours.muted), 1)),
            (self._arrangement.strong_lines, QPen(QColor(colours.text), 1.5)),
        ):
            painter.setPen(pen)
            for place in places:
                x, y = cells.x() + place * step, cells.y() + place * step
                painter.drawLine(QPointF(x, cells.y()), QPointF(x, cells.y() + cells.height()))
                painter.drawLine(QPointF(cells.x(), y), QPointF(cells.x() + cells.width(), y))
        painter.setPen(QPen(QColor(colours.accent if self.hasFocus() else colours.border), 1))
        painter.drawRect(cells.adjusted(-1, -1, 0, 0))

    def _paint_marks(self, painter: QPainter, cells: QRect) -> None:
        """A frame round row and column of the chosen node, and round the cell of the keys."""
        step = cells.width() / len(self._values)
        painter.setPen(QPen(QColor(look().accent), 1.5))
        thick = max(step, 3.0)
        if self._selected is not None and self._selected < len(self._place_of):
            middle = (int(self._place_of[self._selected]) + 0.5) * step
            painter.drawRect(QRectF(cells.x(), cells.y() + middle - thick / 2, cells.width(), thick))
            painter.drawRect(QRectF(cells.x() + middle - thick / 2, cells.y(), thick, cells.height()))
        if self._cursor is not None and self.hasFocus():
            row, column = self._cursor
            x, y = cells.x() + (column + 0.5) * step, cells.y() + (row + 0.5) * step
            painter.setPen(QPen(QColor(look().text), 1.5))
            painter.drawRect(QRectF(x - thick / 2 - 2, y - thick / 2 - 2, thick + 4, thick + 4))

    def _paint_bar(self, painter: QPainter, cells: QRect) -> None:
        table = np.ascontiguousarray(np.pad(self._table()[::-1], ((0, 0), (0, 1)), constant_values=255))
        strip = QImage(table.data, 1, len(table), 4, QImage.Format.Format_RGBX8888).copy()
        bar = QRect(cells.right() + 2 * _GAP_PX, cells.y(), _BAR_PX, cells.height())
        painter.drawImage(bar, strip)
        painter.setPen(QColor(look().text))
        rise = self.fontMetrics().ascent()
        x = bar.right() + _GAP_PX // 2 + 1
        for text, y in (
            (format_number(self._limit), bar.y() + rise),
            (self._unit, bar.center().y() + rise // 2),
            (format_number(-self._limit), bar.bottom()),
        ):
            painter.drawText(x, y, text)

    def _move(self, down: int, right: int) -> None:
        n = len(self._values)
        row, column = self._cursor or (-down, -right)
        self._cursor = (min(max(row + down, 0), n - 1), min(max(column + right, 0), n - 1))
        self.hovered.emit(self._entry(*self._cursor))
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.hovered.emit(self.entry_at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        entry = self.entry_at(event.position())
        if entry is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(entry)

    def leaveEvent(self, event: QEvent) -> None:
        self.hovered.emit(None)
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _STEPS.get(Qt.Key(event.key()))
        if step is not None and len(self._values):
            self._move(*step)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._cursor is not None:
            self.clicked.emit(self._entry(*self._cursor))
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_image"):
            self._forget()

    def sizeHint(self) -> QSize:
        return QSize(300, 260)


def coloured(
    values: NDArray[np.float64], kept: NDArray[np.bool_] | None, limit: float, table: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """A matrix (n, n) as (n, n, 4) RGBX by a diverging table; NaN, the diagonal and what is no edge are paler.

    Values beyond the limit keep the last colour.
    """
    pale = (FADED * table + (1 - FADED) * table[len(table) // 2]).astype(np.uint8)
    both = np.full((2, len(table), 4), 255, np.uint8)  # Qt wants the fourth byte so
    both[0, :, :3], both[1, :, :3] = pale, table
    middle = (len(table) - 1) / 2
    place = np.nan_to_num(values) * (middle / max(limit, 1e-12)) + (middle + 0.5)
    index = np.clip(place, 0, len(table) - 1).astype(np.intp)
    np.fill_diagonal(index, len(table) // 2)
    if kept is None:
        index += len(table)
    else:
        index += np.where(kept, len(table), 0)
    return both.reshape(-1, 4).view(np.uint32).reshape(-1).take(index).view(np.uint8).reshape(*index.shape, 4)
