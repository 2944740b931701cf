"""A canvas of slices: composed pictures with crosshair, letters, bars and outlines drawn over them by VTK."""

from __future__ import annotations

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkRenderingCore import vtkActor2D, vtkImageMapper

from .compose import Composer, Kernels
from .mark_actors import MarkActors
from .offscreen import Offscreen
from .outlines import scene_marks
from .scene import Picture, SliceScene


class SliceCanvas:
    """Draws `SliceScene` values, composing again only the panels that changed."""

    def __init__(self, kernels: Kernels) -> None:
        self._composer = Composer(kernels)
        self._offscreen = Offscreen()
        renderer = self._offscreen.add_renderer()
        self._image = vtkImageData()
        mapper = vtkImageMapper()
        mapper.SetInputData(self._image)
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        actor = vtkActor2D()
        actor.SetMapper(mapper)
        renderer.AddViewProp(actor)
        self._marks = MarkActors(renderer)
        self._canvas: Picture = np.zeros((1, 1, 4), np.uint8)
        self._drawn: SliceScene | None = None

    def start(self) -> None:
        """Open the graphics context now, with an empty picture, instead of with the first one."""
        self._offscreen.resize(16, 16)
        self._offscreen.picture()

    def use(self, kernels: Kernels) -> None:
        """Compose with other kernels from now on."""
        self._composer.kernels = kernels

    def picture(self, scene: SliceScene) -> Picture:
        """The canvas as RGBA, (height, width, 4) uint8, row 0 at the top."""
        width, height = scene.size
        if self._canvas.shape[:2] != (height, width) or self._drawn is None:
            self._resize(width, height, scene)
        self._compose(scene)
        self._marks.show(scene_marks(scene, self._composer), height)
        self._image.GetPointData().GetScalars().Modified()
        self._image.Modified()
        self._drawn = scene
        return self._offscreen.picture()

    def _resize(self, width: int, height: int, scene: SliceScene) -> None:
        self._canvas = np.empty((height, width, 4), np.uint8)
        self._canvas[...] = (*scene.background, 255)
        self._image.SetDimensions(width, height, 1)
        self._image.GetPointData().SetScalars(numpy_to_vtk(self._canvas.reshape(-1, 4)))
        self._offscreen.resize(width, height)
        self._composer.forget()
        self._drawn = None

    def _compose(self, scene: SliceScene) -> None:
        before = self._drawn
        if before is not None and (before.panels != scene.panels or before.background != scene.background):
            rects = [panel.rect for panel in scene.panels]
            if [panel.rect for panel in before.panels] != rects or before.background != scene.background:
                self._canvas[...] = (*scene.background, 255)
                before = None
        if before is not None and before.coarse != scene.coarse:
            before = None
        top_down = self._canvas[::-1]
        for number, panel in enumerate(scene.panels):
            if before is not None and before.panels[number] == panel and before.layers == scene.layers:
                continue
            x, y, width, height = panel.rect
            picture = self._composer.picture(number, panel.coarser(scene.coarse), scene.layers, scene.background)
            if scene.coarse > 1:
                picture = picture.repeat(scene.coarse, axis=0).repeat(scene.coarse, axis=1)[:height, :width]
            top_down[y : y + height, x : x + width] = picture

    def close(self) -> None:
        """Free VTK's memory."""
        self._composer.forget()
        self._offscreen.close()
