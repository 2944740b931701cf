"""The design matrix of a model as a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from .controls import described
from .numbers import format_number
from .theme import look

_KEYS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}
_LEAST_ROW_PX, _MOST_ROW_PX = 1, 9
_HEIGHT = 190


@dataclass(frozen=True, eq=False)
class DesignPicture:
    """A design matrix with the names of its columns and rows.

    Attributes
    ----------
    title : str
        Which part of the model it is; empty where there is one only.
    matrix : (n, p) float64
    columns, rows : tuple of str
    """

    title: str
    matrix: NDArray[np.float64]
    columns: tuple[str, ...]
    rows: tuple[str, ...]


def shades(matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Each column from its smallest value (40) to its largest (240); a constant one is the lightest."""
    low, high = matrix.min(axis=0), matrix.max(axis=0)
    extent = high - low
    share = np.where(extent > 0, (matrix - low) / np.where(extent > 0, extent, 1), 1.0)
    return np.round(40 + 200 * share).astype(np.uint8)


class DesignMatrix(QWidget):
    """Rows are scans, columns regressors, each in its own range of greys.

    Hovering, or the arrow keys, name one value; ``pointed`` carries it in words, empty without one.
    """

    pointed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(self, self.tr("Design matrix"), self.tr("Rows are scans, columns regressors; arrow keys tell values"))
        self.setToolTip("")
        self._design: DesignPicture | None = None
        self._image = QImage()
        self._cell: tuple[int, int] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_design(self, design: DesignPicture | None) -> None:
        """Show a design."""
        if design is self._design:
            return
        self._design = design
        self._image = QImage() if design is None else _image(shades(design.matrix))
        self._point(None)
        self.updateGeometry()
        self.update()

    def text_of(self, cell: tuple[int, int]) -> str:
        """One value in words: whose, of which column."""
        if self._design is None:
            return ""
        row, at = cell
        design = self._design
        return f"{design.rows[row]}, {design.columns[at]}: {format_number(float(design.matrix[row, at]))}"

    def area(self) -> QRect:
        """Where the matrix itself is."""
        return self.rect().adjusted(0, self.fontMetrics().height() + 4, 0, 0)

    def cell_at(self, at: QPoint) -> tuple[int, int] | None:
        """Row and column at a pixel."""
        area = self.area()
        if self._design is None or not area.contains(at):
            return None
        n, p = self._design.matrix.shape
        return (at.y() - area.y()) * n // area.height(), (at.x() - area.x()) * p // area.width()

    def _point(self, cell: tuple[int, int] | None) -> None:
        if cell == self._cell:
            return
        self._cell = cell
        text = "" if cell is None else self.text_of(cell)
        self.setAccessibleDescription(text or self.tr("Rows are scans, columns regressors; arrow keys tell values"))
        self.pointed.emit(text)
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point(self.cell_at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _KEYS.get(Qt.Key(event.key()))
        if step is None or self._design is None:
            super().keyPressEvent(event)
            return
        row, at = self._cell or (0, 0)
        n, p = self._design.matrix.shape
        moved = (min(max(row + step[0], 0), n - 1), min(max(at + step[1], 0), p - 1))
        self._point(moved if self._cell is not None else (0, 0))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            cell = self.cell_at(event.pos())
            QToolTip.showText(event.globalPos(), "" if cell is None else self.text_of(cell), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._design is None:
            return
        area, design, colours = self.area(), self._design, look()
        n, p = design.matrix.shape
        with QPainter(self) as painter:
            painter.drawImage(area, self._image)
            painter.setPen(QColor(colours.window))
            edges = [area.x() + area.width() * at // p for at in range(p + 1)]
            for x in edges[1:-1]:
                painter.drawLine(x, area.top(), x, area.bottom())
            painter.setPen(QColor(colours.border))
            painter.drawRect(area.adjusted(0, 0, -1, -1))
            painter.setPen(QColor(colours.text))
            for at, name in enumerate(design.columns):
                room = QRect(edges[at], 0, edges[at + 1] - edges[at] - 4, area.top())
                shown = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, room.width())
                painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
            if self._cell is not None:
                row, at = self._cell
                top, bottom = (area.y() + area.height() * each // n for each in (row, row + 1))
                painter.setPen(QColor(colours.accent))
                painter.drawRect(QRect(edges[at], top, edges[at + 1] - edges[at] - 1, max(2, bottom - top)))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()

    def sizeHint(self) -> QSize:
        head = self.fontMetrics().height() + 4
        n = 0 if self._design is None else len(self._design.matrix)
        each = min(max(_HEIGHT // max(n, 1), _LEAST_ROW_PX), _MOST_ROW_PX)
        return QSize(180, head + min(n * each, _HEIGHT))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())


def _image(values: NDArray[np.uint8]) -> QImage:
    rows, columns = values.shape
    whole = np.ascontiguousarray(values)
    return QImage(whole.data, columns, rows, columns, QImage.Format.Format_Grayscale8).copy()
