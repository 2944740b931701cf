"""Marks and pictures on a QPainter: vector figures with real text."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from ..render.marks import Box, Line, Mark, Text
from ..render.scene import Rect
from ..resources import fonts

FAMILY = "DejaVu Sans"
LIGHT = 380  # sum of red, green and blue


def load_fonts() -> None:
    """Make the fonts that come with the program known: without a font a PDF has no text, and no error says so."""
    for path in fonts():
        QFontDatabase.addApplicationFont(str(path))


def paint_picture(painter: QPainter, picture: NDArray[np.uint8], rect: Rect) -> None:
    """An RGBA picture into a rectangle."""
    height, width = picture.shape[:2]
    data = np.ascontiguousarray(picture)
    image = QImage(data.data, width, height, 4 * width, QImage.Format.Format_RGBX8888).copy()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)  # noqa: FBT003 - Qt's own form
    painter.drawImage(QRectF(rect.x, rect.y, rect.width, rect.height), image)


def paint_marks(painter: QPainter, marks: Iterable[Mark], *, shadow: bool = False) -> None:
    """Lines, texts and boxes.

    With ``shadow``, light texts get a dark edge that keeps them readable on bright anatomy; not in vector files, where
    every text would stand twice.
    """
    for mark in marks:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, not isinstance(mark, Box))
        match mark:
            case Line():
                pen = QPen(QColor(*mark.colour), mark.width)
                pen.setCapStyle(Qt.PenCapStyle.FlatCap)
                painter.setPen(pen)
                painter.drawPolyline(QPolygonF([QPointF(float(x), float(y)) for x, y in mark.points]))
            case Box():
                # a hair wider, so that neighbours of a colour bar leave no seam
                painter.fillRect(QRectF(mark.x, mark.y, mark.width + 0.3, mark.height), QColor(*mark.colour))
            case Text():
                _paint_text(painter, mark, shadow=shadow)


def _paint_text(painter: QPainter, text: Text, *, shadow: bool) -> None:
    font = QFont(FAMILY)
    font.setPixelSize(max(1, round(text.size)))
    font.setBold(text.bold)
    metrics = QFontMetricsF(font)
    width = metrics.horizontalAdvance(text.text)
    x = text.x - {"left": 0.0, "centre": width / 2, "right": width}[text.across]
    rise, fall = metrics.capHeight(), metrics.descent()
    y = text.y + {"top": rise, "centre": rise / 2, "bottom": -fall / 2}[text.down]
    painter.setFont(font)
    if shadow and sum(text.colour) > LIGHT:
        painter.setPen(QColor(0, 0, 0))
        painter.drawText(QPointF(x + 1, y + 1), text.text)
    painter.setPen(QColor(*text.colour))
    painter.drawText(QPointF(x, y), text.text)
