"""A view on a QPainter: composed slices, 3D pictures, and everything over them as lines and real text.

One routine for PNG, TIFF, SVG, PDF and the web page. Slices need no OpenGL.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import numpy as np
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter

from ..render.compose import Composer, Kernels, numpy_kernels
from ..render.marks import Mark
from ..render.outlines import scene_marks
from ..render.scene import Panel, Picture, Rect, SliceScene
from .graphics import require_graphics
from .problems import Problem
from .results import Results
from .scenes import Scenes, Shown
from .state import ViewState
from .vector import load_fonts, paint_marks, paint_picture


def gui_application() -> QGuiApplication:
    """Qt's application object, which fonts need; made without a display when there is none yet."""
    application = QGuiApplication.instance()
    if not isinstance(application, QGuiApplication):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        application = QGuiApplication(["habena"])
    load_fonts()
    return application


class SlicePainter:
    """Slices and what is over them, on any QPainter: pictures in files, and on the screen until VTK is loaded."""

    def __init__(self, kernels: Kernels) -> None:
        self._composer = Composer(kernels)

    def use(self, kernels: Kernels) -> None:
        """Compose with other kernels from now on."""
        self._composer.kernels = kernels

    def paint(self, painter: QPainter, scene: SliceScene, finer: int = 1) -> None:
        """Paint a canvas of slices; ``finer`` pixels of pictures per unit of the painter."""
        painter.fillRect(0, 0, *scene.size, QColor(*scene.background))
        for number, panel in enumerate(scene.panels):
            pictured = panel.coarser(scene.coarse) if finer == 1 else enlarged(panel, finer)
            picture = self._composer.picture(number, pictured, scene.layers, scene.background)
            paint_picture(painter, picture, panel.rect)
        if finer > 1:
            self._composer.forget()  # outlines are found on the pixels of the canvas
        paint_marks(painter, scene_marks(scene, self._composer), shadow=finer == 1)

    def picture(self, scene: SliceScene) -> Picture:
        """The canvas as RGBA, (height, width, 4) uint8."""
        return pixels_of(painted(scene.size, lambda painter: self.paint(painter, scene)))

    def close(self) -> None:
        """Nothing but memory."""
        self._composer.forget()


def painted(size: tuple[int, int], paint: Callable[[QPainter], None]) -> QImage:
    """An image that something was painted on."""
    image = QImage(*size, QImage.Format.Format_RGBX8888)
    if image.isNull():
        raise Problem("size", f"a picture of {size[0]} x {size[1]} pixels does not fit into memory", "ask for fewer")
    with QPainter(image) as painter:
        paint(painter)
    return image


def pixels_of(image: QImage) -> Picture:
    """A copy of an image's pixels, (height, width, 4) uint8."""
    height, width = image.height(), image.width()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    return rows[:, : 4 * width].reshape(height, width, 4).copy()


def with_marks(picture: Picture, marks: Iterable[Mark]) -> Picture:
    """A picture with marks painted over it."""
    height, width = picture.shape[:2]

    def paint(painter: QPainter) -> None:
        paint_picture(painter, picture, Rect(0, 0, width, height))
        paint_marks(painter, marks, shadow=True)

    return pixels_of(painted((width, height), paint))


class ViewPainter:
    """Paints one view at one size.

    Parameters
    ----------
    state, shown, results
        The view and its answers.
    size : (int, int)
        Width and height in the painter's units.
    scale : float
        Size of letters and lines.
    """

    def __init__(
        self, state: ViewState, shown: tuple[Shown, ...], results: Results, size: tuple[int, int], scale: float
    ) -> None:
        self._state, self._shown = state, shown
        self._size, self._scale = size, scale
        self._scenes = Scenes(results)
        # For one picture: Numba takes longer to load than these take to draw.
        self._kernels = numpy_kernels()

    def paint(self, painter: QPainter, finer: int = 1) -> None:
        """Paint slices with their marks, and the 3D view in its place."""
        scene = self._scenes.slices(self._state, self._shown, self._size, self._scale)
        SlicePainter(self._kernels).paint(painter, scene, finer)
        place = self._scenes.arrangement(self._state, self._shown, self._size, self._scale).surface
        if place is not None:
            self._paint_surface(painter, place, finer)

    def _paint_surface(self, painter: QPainter, place: Rect, finer: int) -> None:
        require_graphics()
        from ..render.surface_canvas import SurfaceCanvas, surface_marks  # noqa: PLC0415 - VTK only for 3D

        fine = (place.width * finer, place.height * finer)
        pictured = self._scenes.surfaces(self._state, self._shown, fine, self._scale * finer, self._kernels)
        marked = self._scenes.surfaces(
            self._state, self._shown, (place.width, place.height), self._scale, self._kernels
        )
        if pictured is None or marked is None:
            return
        canvas = SurfaceCanvas(multi_samples=4)
        paint_picture(painter, canvas.picture(pictured), place)
        canvas.close()
        painter.save()
        painter.translate(place.x, place.y)
        paint_marks(painter, surface_marks(marked), shadow=finer == 1)
        painter.restore()


def enlarged(panel: Panel, finer: int) -> Panel:
    """The same slice with more pixels, as a picture of its own."""
    fine = Rect(0, 0, panel.rect.width * finer, panel.rect.height * finer)
    return panel._replace(rect=fine, mm_per_px=panel.mm_per_px / finer)
