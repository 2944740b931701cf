"""Rows of slices and charts as PNG, with a title, legends, white circles and outlines of boxes; no window."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPointF
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from ...render.marks import Box, Mark, Text
from ...render.scene import AXIS_INDEX, Panel
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
BOX = QColor(255, 200, 60, 170)
_EDGES = [(a, a | bit) for a in range(8) for bit in (1, 2, 4) if not a & bit]  # corners that differ along one axis


class Circle(NamedTuple):
    """A cluster that is circled in white."""

    centre_mm: Point
    radius_mm: float


class Row(NamedTuple):
    """One row of slices: what is drawn, its legend, what is circled, corners (8, 3) of boxes, and how high it is."""

    view: ViewState
    legend: tuple[tuple[str, str], ...]
    circles: tuple[Circle, ...] = ()
    boxes: tuple[NDArray[np.float64], ...] = ()
    height: int = ROW_PX


class Band(NamedTuple):
    """A part of a picture over its whole width: a legend, and what is painted under it."""

    height: int
    legend: tuple[tuple[str, str], ...]
    paint: Callable[[QPainter], None]


def painted_rows(rows: Sequence[Row], title: str) -> bytes:
    """PNG of rows of slices, one under the other."""
    results = Results(1 << 62)
    return painted_bands([Band(row.height, row.legend, partial(_paint_row, row, results)) for row in rows], title)


def painted_bands(bands: Sequence[Band], title: str) -> bytes:
    """PNG of bands on black, one under the other, with a title."""
    application = gui_application()
    heights = [band.height + (LEGEND_PX if band.legend else 0) for band in bands]
    size = (WIDTH_PX, HEAD_PX + sum(heights))

    def paint(painter: QPainter) -> None:
        painter.fillRect(0, 0, *size, QColor(0, 0, 0))
        paint_marks(painter, (Text(14, HEAD_PX / 2, title, _title_px(title), LIGHT, bold=True),))
        top = HEAD_PX
        for band, height in zip(bands, heights, strict=True):
            paint_marks(painter, _legend(band.legend, top))
            painter.save()
            painter.translate(0, top + height - band.height)
            band.paint(painter)
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


def _paint_row(row: Row, results: Results, painter: QPainter) -> None:
    shown = answer_all(row.view, results)
    size = (WIDTH_PX, row.height)
    ViewPainter(row.view, shown, results, size, SCALE).paint(painter)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)  # noqa: FBT003 - Qt's own form
    for panel in Scenes(results).arrangement(row.view, shown, size, SCALE).panels:
        painter.setPen(QPen(BOX, 1.2))
        for corners in row.boxes:
            painter.drawPolygon([QPointF(*point) for point in drawn_box(panel, corners)])
        painter.setPen(QPen(QColor(255, 255, 255), 2))
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
    axis = AXIS_INDEX[panel.axis]
    off = abs(circle.centre_mm[axis] - panel.position_mm)
    if off >= circle.radius_mm:
        return None
    return panel.px_of(circle.centre_mm), math.sqrt(circle.radius_mm**2 - off**2) / panel.mm_per_px


def drawn_box(panel: Panel, corners_mm: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Outline in pixels of the cut through a box, oblique or not; empty where the slice passes it by.

    Parameters
    ----------
    panel : Panel
    corners_mm : (8, 3)
        In the order of `spectra.VoxelBox`.
    """
    axis = AXIS_INDEX[panel.axis]
    off = corners_mm[:, axis] - panel.position_mm
    cut: list[NDArray[np.float64]] = []
    for a, b in _EDGES:
        if (off[a] > 0) != (off[b] > 0):
            share = off[a] / (off[a] - off[b])
            cut.append(corners_mm[a] + share * (corners_mm[b] - corners_mm[a]))
    if len(cut) < 3:
        return []
    pixels = np.array([panel.px_of((float(x), float(y), float(z))) for x, y, z in cut])
    away = pixels - pixels.mean(axis=0)
    order = np.argsort(np.arctan2(away[:, 1], away[:, 0]))
    return [(float(x), float(y)) for x, y in pixels[order]]


def _png(image: QImage, title: str) -> bytes:
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    plain.setText("Software", "Habena")
    plain.setText("Title", title)
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    plain.save(buffer, "PNG")  # pyright: ignore[reportArgumentType, reportCallIssue] - stub wants bytes
    return bytes(data.data())
