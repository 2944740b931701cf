"""Views as files: PNG and TIFF, SVG and PDF with real text, a self-contained page."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QRect, QSize, QSizeF
from PySide6.QtGui import QImage, QPageLayout, QPageSize, QPainter, QPdfWriter

from ..render.scene import Picture
from .headless import RenderOptions
from .io.files import replacing
from .painting import ViewPainter, gui_application, painted, pixels_of
from .problems import Problem
from .results import Results
from .saved import VIEW_KEY, relative
from .scenes import Shown, caption_of
from .state import ViewState, to_json

ENDINGS = (".png", ".tif", ".tiff", ".svg", ".pdf", ".html")
PDF_DPI = 1200
FINER = 2  # pictures inside vector files have this many pixels per unit
INCH_M = 0.0254
# Qt's scale of PNG "quality": 80 is deflate level 1, half the time of the default and a tenth larger.
PNG_QUALITY = 80


def refuse_ending(out: str, *, with_view: bool = False) -> None:
    """Refuse a file name that is no picture's, or of one that cannot carry a view."""
    ending = Path(out).suffix.lower()
    if ending not in ENDINGS:
        raise Problem(out, "is not the name of a picture", f"let it end in {', '.join(ENDINGS)}")
    if with_view and ending != ".png":
        raise Problem(out, f"carries no view: {ending} files have no place for it", "let it end in .png")


def write_picture(
    out: str, state: ViewState, shown: tuple[Shown, ...], results: Results, options: RenderOptions, *, with_view: bool
) -> None:
    """Write one view in the form that the file's ending asks for; the file appears whole or not at all.

    Raises
    ------
    Problem
        When the name is no picture's or the place cannot be written to.
    """
    refuse_ending(out, with_view=with_view)
    application = gui_application()
    scale = options.scale or picture_scale(options.size)
    painter = ViewPainter(state, shown, results, options.size, scale)
    view = to_json(relative(state, Path(out).absolute().parent)).decode() if with_view else ""
    match Path(out).suffix.lower():
        case ".svg":
            content = _svg(painter, options)
        case ".pdf":
            content = _pdf(painter, options)
        case ".html":
            content = _page(_png(painter, options, ""), caption_text(state, shown), options)
        case ".png":
            content = _png(painter, options, view)
        case _:
            content = _tiff(picture(painter, options.size), options.dpi)
    with replacing(Path(out)) as file:
        file.write(content)
    del application  # needed until here


def picture_scale(size: tuple[int, int]) -> float:
    """Size of letters and lines for a picture: 1 at 1200 x 900."""
    return max(0.5, (size[0] * size[1] / (1200 * 900)) ** 0.5)


def picture(painter: ViewPainter, size: tuple[int, int]) -> Picture:
    """A painted view as RGBA, (height, width, 4) uint8."""
    return pixels_of(painted(size, painter.paint))


def _png(painter: ViewPainter, options: RenderOptions, view: str) -> bytes:
    image = painted(options.size, painter.paint).convertToFormat(QImage.Format.Format_RGB888)
    per_metre = round(options.dpi / INCH_M)
    image.setDotsPerMeterX(per_metre)
    image.setDotsPerMeterY(per_metre)
    image.setText("Software", "Habena")
    if view:
        image.setText(VIEW_KEY, view)
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG", PNG_QUALITY)  # pyright: ignore[reportArgumentType, reportCallIssue] - stub wants bytes
    return bytes(data.data())


def _tiff(pixels: Picture, dpi: float) -> bytes:
    from PIL import Image  # noqa: PLC0415 - Qt's own reader and writer of TIFF is not installed

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels[..., :3])).save(buffer, "TIFF", dpi=(dpi, dpi), compression="tiff_lzw")
    return buffer.getvalue()


def _page(png: bytes, caption: str, options: RenderOptions) -> bytes:
    """A page with the picture and its caption in one file, no network."""
    encoded = base64.b64encode(png).decode()
    caption = html.escape(caption)
    width = options.size[0]
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Habena</title>
<style>body{{background:#111;color:#ddd;font:15px sans-serif;margin:2em auto;max-width:{width}px}}
img{{width:100%;height:auto}}</style></head>
<body><figure><img alt="{caption}" src="data:image/png;base64,{encoded}">
<figcaption>{caption}</figcaption></figure></body></html>
""".encode()


def caption_text(state: ViewState, shown: tuple[Shown, ...]) -> str:
    """What the picture shows, in a sentence."""
    layers = ", ".join(overlay.name for overlay in state.overlays if overlay.visible)
    at = ", ".join(f"{value:.4g}" for value in state.crosshair_mm)
    side = "right is left (radiological)" if state.radiological else "left is left (neurological)"
    mark = caption_of(shown)
    return f"{layers}; crosshair at {at} mm; {side}{mark and f'; {mark}'}."


def _svg(painter: ViewPainter, options: RenderOptions) -> bytes:
    from PySide6.QtSvg import QSvgGenerator  # noqa: PLC0415 - only for SVG

    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    svg = QSvgGenerator()
    svg.setOutputDevice(buffer)
    svg.setSize(QSize(*options.size))
    svg.setViewBox(QRect(0, 0, *options.size))
    svg.setResolution(round(options.dpi))
    svg.setTitle("Habena")
    with QPainter(svg) as brush:
        painter.paint(brush, FINER)
    return bytes(data.data())


def _pdf(painter: ViewPainter, options: RenderOptions) -> bytes:
    """One page of exactly the picture's size."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    pdf = QPdfWriter(buffer)
    width, height = options.size
    inches = QSizeF(width / options.dpi, height / options.dpi)
    pdf.setPageSize(QPageSize(inches, QPageSize.Unit.Inch, "", QPageSize.SizeMatchPolicy.ExactMatch))
    pdf.setPageMargins(QMarginsF(0, 0, 0, 0), QPageLayout.Unit.Point)
    pdf.setTitle("Habena")
    pdf.setResolution(PDF_DPI)
    with QPainter(pdf) as brush:
        brush.scale(PDF_DPI / options.dpi, PDF_DPI / options.dpi)
        painter.paint(brush, FINER)
    return bytes(data.data())
