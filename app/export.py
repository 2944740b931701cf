"""Views as files: PNG and TIFF of the rendered picture, SVG and PDF with real text, a self-contained page."""

from __future__ import annotations

import base64
import html
import io
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..render.compose import Composer, numba_kernels
from ..render.outlines import scene_marks
from ..render.scene import Panel, Picture, Rect
from .headless import RenderOptions, draw, picture_scale
from .io.files import replacing
from .problems import Problem
from .results import Results
from .saved import VIEW_KEY, relative
from .scenes import Scenes, Shown
from .state import ViewState, to_json

if TYPE_CHECKING:
    from PySide6.QtCore import QBuffer, QSize
    from PySide6.QtGui import QGuiApplication, QPainter, QPdfWriter
    from PySide6.QtSvg import QSvgGenerator

ENDINGS = (".png", ".tif", ".tiff", ".svg", ".pdf", ".html")
PDF_DPI = 1200
FINER = 2  # pictures inside vector files have this many pixels per unit


def refuse_ending(out: str) -> None:
    """Refuse a file name that is no picture's."""
    if Path(out).suffix.lower() not in ENDINGS:
        raise Problem(out, "is not the name of a picture", f"let it end in {', '.join(ENDINGS)}")


def write_picture(
    out: str, state: ViewState, shown: tuple[Shown, ...], results: Results, options: RenderOptions, *, with_view: bool
) -> None:
    """Write one view in the form that the file's ending asks for; the file appears whole or not at all.

    Raises
    ------
    Problem
        When the name is no picture's or the place cannot be written to.
    """
    refuse_ending(out)
    view = to_json(relative(state, Path(out).absolute().parent)).decode() if with_view else ""
    ending = Path(out).suffix.lower()
    if ending in {".svg", ".pdf"}:
        content = _vector(ending, state, shown, results, options)
    else:
        picture = draw(state, shown, options.size, results)
        content = _page(picture, state, options) if ending == ".html" else _raster(ending, picture, options.dpi, view)
    with replacing(Path(out)) as file:
        file.write(content)


def _raster(ending: str, picture: Picture, dpi: float, view: str) -> bytes:
    from PIL import Image  # noqa: PLC0415
    from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415

    image = Image.fromarray(np.ascontiguousarray(picture[..., :3]))
    buffer = io.BytesIO()
    if ending == ".png":
        facts = PngInfo()
        facts.add_text("Software", "Habena")
        if view:
            facts.add_itxt(VIEW_KEY, view, zip=True)
        image.save(buffer, "PNG", dpi=(dpi, dpi), pnginfo=facts, compress_level=3)
    else:
        image.save(buffer, "TIFF", dpi=(dpi, dpi), compression="tiff_lzw")
    return buffer.getvalue()


def _page(picture: Picture, state: ViewState, options: RenderOptions) -> bytes:
    """A page with the picture and its caption in one file, no network."""
    encoded = base64.b64encode(_raster(".png", picture, options.dpi, "")).decode()
    caption = html.escape(caption_text(state))
    width = options.size[0]
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Habena</title>
<style>body{{background:#111;color:#ddd;font:15px sans-serif;margin:2em auto;max-width:{width}px}}
img{{width:100%;height:auto}}</style></head>
<body><figure><img alt="{caption}" src="data:image/png;base64,{encoded}">
<figcaption>{caption}</figcaption></figure></body></html>
""".encode()


def caption_text(state: ViewState) -> str:
    """What the picture shows, in a sentence."""
    layers = ", ".join(overlay.name for overlay in state.overlays if overlay.visible)
    at = ", ".join(f"{value:.4g}" for value in state.crosshair_mm)
    side = "right is left (radiological)" if state.radiological else "left is left (neurological)"
    return f"{layers}; crosshair at {at} mm; {side}."


def _vector(ending: str, state: ViewState, shown: tuple[Shown, ...], results: Results, options: RenderOptions) -> bytes:
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize  # noqa: PLC0415 - Qt only for vector files
    from PySide6.QtGui import QPainter  # noqa: PLC0415

    application = gui_application()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    size = QSize(*options.size)
    device = _svg(buffer, size) if ending == ".svg" else _pdf(buffer, size, options.dpi)
    painter = QPainter(device)
    if ending == ".pdf":
        painter.scale(PDF_DPI / options.dpi, PDF_DPI / options.dpi)
    _paint(painter, state, shown, results, options.size)
    painter.end()
    del application  # needed until here
    return bytes(data.data())


def _svg(buffer: QBuffer, size: QSize) -> QSvgGenerator:
    from PySide6.QtCore import QRect  # noqa: PLC0415
    from PySide6.QtSvg import QSvgGenerator  # noqa: PLC0415

    svg = QSvgGenerator()
    svg.setOutputDevice(buffer)
    svg.setSize(size)
    svg.setViewBox(QRect(0, 0, size.width(), size.height()))
    svg.setTitle("Habena")
    return svg


def _pdf(buffer: QBuffer, size: QSize, dpi: float) -> QPdfWriter:
    """A page of exactly the picture's size."""
    from PySide6.QtCore import QMarginsF, QSizeF  # noqa: PLC0415
    from PySide6.QtGui import QPageLayout, QPageSize, QPdfWriter  # noqa: PLC0415

    pdf = QPdfWriter(buffer)
    inches = QSizeF(size.width() / dpi, size.height() / dpi)
    pdf.setPageSize(QPageSize(inches, QPageSize.Unit.Inch, "", QPageSize.SizeMatchPolicy.ExactMatch))
    pdf.setPageMargins(QMarginsF(0, 0, 0, 0), QPageLayout.Unit.Point)
    pdf.setTitle("Habena")
    pdf.setResolution(PDF_DPI)
    return pdf


def gui_application() -> QGuiApplication:
    """Qt's application object, which fonts need; made without a display when there is none yet."""
    from PySide6.QtGui import QGuiApplication  # noqa: PLC0415

    from .vector import load_fonts  # noqa: PLC0415

    application = QGuiApplication.instance()
    if not isinstance(application, QGuiApplication):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        application = QGuiApplication(["habena"])
    load_fonts()
    return application


def _paint(
    painter: QPainter, state: ViewState, shown: tuple[Shown, ...], results: Results, size: tuple[int, int]
) -> None:
    from PySide6.QtGui import QColor  # noqa: PLC0415

    from .vector import paint_marks, paint_picture  # noqa: PLC0415

    scale = picture_scale(size)
    scenes = Scenes(results)
    composer = Composer(numba_kernels())
    scene = scenes.slices(state, shown, size, scale)
    painter.fillRect(0, 0, *size, QColor(*scene.background))
    for number, panel in enumerate(scene.panels):
        paint_picture(painter, composer.picture(number, finer(panel), scene.layers, scene.background), panel.rect)
    composer.forget()
    paint_marks(painter, scene_marks(scene, composer))
    place = scenes.arrangement(state, shown, size, scale).surface
    if place is not None:
        _paint_surface(painter, scenes, (state, shown), place, scale)


def finer(panel: Panel) -> Panel:
    """The same slice with more pixels."""
    rect = panel.rect
    fine = Rect(0, 0, rect.width * FINER, rect.height * FINER)
    return panel._replace(rect=fine, mm_per_px=panel.mm_per_px / FINER)


def _paint_surface(
    painter: QPainter, scenes: Scenes, what: tuple[ViewState, tuple[Shown, ...]], place: Rect, scale: float
) -> None:
    from ..render.surface_canvas import SurfaceCanvas, surface_marks  # noqa: PLC0415
    from .vector import paint_marks, paint_picture  # noqa: PLC0415

    scene = scenes.surfaces(*what, (place.width * FINER, place.height * FINER), scale * FINER, numba_kernels())
    plain = scenes.surfaces(*what, (place.width, place.height), scale, numba_kernels())
    if scene is None or plain is None:
        return
    canvas = SurfaceCanvas(multi_samples=4)
    paint_picture(painter, canvas.picture(replace(scene, letters=False)), place)
    canvas.close()
    painter.save()
    painter.translate(place.x, place.y)
    paint_marks(painter, surface_marks(plain))
    painter.restore()
