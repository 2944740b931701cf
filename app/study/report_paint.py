"""Rows of slices and charts as PNG, with a title, legends and white circles; no window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPointF
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from ...render.marks import Box, Mark, Text
from ...render.scene import Panel
from ...resources.colours import lut
from ..headless import answer_all
from ..painting import ViewPainter, gui_application, painted
from ..recipes import Point
from ..results import Results
from ..scenes import Scenes
from ..state import ViewState
from ..vector import paint_marks

WIDTH_PX, ROW_PX, HEAD_PX, LEGEND_PX = 1200, 400, 44, 26
SCALE = 0.8
LIGHT = (230, 230, 230)
FINER = 2  # pixels of a chart per unit


class Circle(NamedTuple):
    """A cluster that is circled in white."""

    centre_mm: Point
    radius_mm: float


class Row(NamedTuple):
    """One row of slices: what is drawn, its legend, and what is circled."""

    view: ViewState
    legend: tuple[tuple[str, str], ...]
    circles: tuple[Circle, ...] = ()


def painted_rows(rows: Sequence[Row], title: str) -> bytes:
    """PNG of rows of slices, one under the other."""
    application = gui_application()
    results = Results(1 << 62)
    heights = [ROW_PX + (LEGEND_PX if row.legend else 0) for row in rows]
    size = (WIDTH_PX, HEAD_PX + sum(heights))

    def paint(painter: QPainter) -> None:
        painter.fillRect(0, 0, *size, QColor(0, 0, 0))
        paint_marks(painter, (Text(14, HEAD_PX / 2, title, _title_px(title), LIGHT, bold=True),))
        top = HEAD_PX
        for row, height in zip(rows, heights, strict=True):
            paint_marks(painter, _legend(row.legend, top))
            painter.save()
            painter.translate(0, top + height - ROW_PX)
            _paint_row(painter, row, results)
            painter.restore()
            top += height

    image = painted(size, paint)
    del application  # needed until here
    return _png(image, title)


def rasterised(svg: bytes) -> bytes:
    """PNG of an SVG file, on white."""
    from PySide6.QtSvg import QSvgRenderer  # noqa: PLC0415 - only for charts

    application = gui_application()
    renderer = QSvgRenderer(QByteArray(svg))
    size = renderer.defaultSize()
    width, height = FINER * size.width(), FINER * size.height()

    def paint(painter: QPainter) -> None:
        painter.fillRect(0, 0, width, height, QColor(255, 255, 255))
        renderer.render(painter)

    image = painted((width, height), paint)
    del application  # needed until here
    return _png(image, "")


def _paint_row(painter: QPainter, row: Row, results: Results) -> None:
    shown = answer_all(row.view, results)
    ViewPainter(row.view, shown, results, (WIDTH_PX, ROW_PX), SCALE).paint(painter)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)  # noqa: FBT003 - Qt's own form
    painter.setPen(QPen(QColor(255, 255, 255), 2))
    for panel in Scenes(results).arrangement(row.view, shown, (WIDTH_PX, ROW_PX), SCALE).panels:
        for circle in row.circles:
            placed = drawn_circle(panel, circle)
            if placed is not None:
                painter.drawEllipse(QPointF(*placed[0]), placed[1], placed[1])


def _title_px(title: str) -> float:
    """Letters as large as the width allows."""
    return min(18.0, (WIDTH_PX - 28) / (0.66 * max(1, len(title))))


def _legend(entries: Sequence[tuple[str, str]], top: int) -> list[Mark]:
    marks: list[Mark] = []
    x = 14.0
    for colour, words in entries:
        if colour:
            marks.append(Box(x, top + 6, 14, 14, colour_of(colour)))
            x += 20
        marks.append(Text(x, top + 13, words, 14, LIGHT))
        x += 9 * len(words) + 30
    return marks


def colour_of(name: str) -> tuple[int, int, int]:
    """The one colour of a solid table."""
    red, green, blue = (int(part) for part in lut(name)[-1])
    return red, green, blue


def drawn_circle(panel: Panel, circle: Circle) -> tuple[tuple[float, float], float] | None:
    """Centre and radius in pixels of the cut through a sphere; None where the slice passes it by."""
    axis = {"sagittal": 0, "coronal": 1, "axial": 2}[panel.axis]
    off = abs(circle.centre_mm[axis] - panel.position_mm)
    if off >= circle.radius_mm:
        return None
    return panel.px_of(circle.centre_mm), math.sqrt(circle.radius_mm**2 - off**2) / panel.mm_per_px


def _png(image: QImage, title: str) -> bytes:
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    plain.setText("Software", "Habena")
    plain.setText("Title", title)
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    plain.save(buffer, "PNG")  # pyright: ignore[reportArgumentType, reportCallIssue] - stub wants bytes
    return bytes(data.data())
