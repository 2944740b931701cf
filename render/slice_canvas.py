"""A canvas of slices: composed pictures with crosshair, letters, bars and outlines drawn over them by VTK."""

from __future__ import annotations

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkRenderingCore import vtkActor2D, vtkImageMapper

from .compose import Composer, Kernels
from .mark_actors import MarkActors
from .marks import Line, Mark, outlines, slice_marks
from .offscreen import Offscreen
from .scene import LabelShading, Layer, Panel, Picture, SliceScene


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

    def use(self, kernels: Kernels) -> None:
        """Compose with other kernels from now on."""
        self._composer.kernels = kernels

    def picture(self, scene: SliceScene) -> Picture:
        """The canvas as RGBA, (height, width, 4) uint8, row 0 at the top."""
        width, height = scene.size
        if self._canvas.shape[:2] != (height, width) or self._drawn is None:
            self._resize(width, height, scene)
        self._compose(scene)
        self._marks.show(self.marks(scene), height)
        self._image.GetPointData().GetScalars().Modified()
        self._image.Modified()
        self._drawn = scene
        return self._offscreen.picture()

    def marks(self, scene: SliceScene) -> list[Mark]:
        """Everything over the pictures, as values: what vector figures draw."""
        marks: list[Mark] = []
        for number, panel in enumerate(scene.panels):
            for depth, layer in enumerate(scene.layers):
                marks += self._outlines((number, depth), panel, layer, scene.scale)
        return marks + slice_marks(scene)

    def _outlines(self, slot: tuple[int, int], panel: Panel, layer: Layer, scale: float) -> list[Mark]:
        if layer.outline is None or layer.shading is None:
            return []
        values = self._composer.values(slot, panel, layer.source)
        if isinstance(layer.shading, LabelShading):
            return _label_edges(panel, values, layer.outline, 1.0 * scale)
        width = 1.2 * scale
        marks: list[Mark] = []
        if np.isfinite(layer.shading.threshold):
            marks += outlines(panel, values, layer.shading.threshold, layer.outline, width)
        if layer.shading.negative is not None and np.isfinite(layer.shading.negative_threshold):
            marks += outlines(panel, values, -layer.shading.negative_threshold, layer.outline, width)
        return marks

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
        top_down = self._canvas[::-1]
        for number, panel in enumerate(scene.panels):
            if before is not None and before.panels[number] == panel and before.layers == scene.layers:
                continue
            x, y, width, height = panel.rect
            picture = self._composer.picture(number, panel, scene.layers, scene.background)
            top_down[y : y + height, x : x + width] = picture

    def close(self) -> None:
        """Free VTK's memory."""
        self._composer.forget()
        self._offscreen.close()


def _label_edges(panel: Panel, values: np.ndarray, colour: tuple[int, int, int], width: float) -> list[Mark]:
    """Lines between pixels of different labels, joined along rows and columns."""
    label = np.nan_to_num(values, nan=0.0)
    x0, y0 = panel.rect.x, panel.rect.y
    marks: list[Mark] = []
    for edges, vertical in ((label[:, 1:] != label[:, :-1], True), (label[1:] != label[:-1], False)):
        along = edges.T if vertical else edges
        padded = np.pad(along, ((0, 0), (1, 1))).astype(np.int8)
        change = np.diff(padded, axis=1)
        line, start = np.nonzero(change == 1)
        _, stop = np.nonzero(change == -1)
        for n, a, b in zip(line.tolist(), start.tolist(), stop.tolist(), strict=True):
            ends = ((n + 1, a), (n + 1, b)) if vertical else ((a, n + 1), (b, n + 1))
            points = np.array(ends, np.float32) + np.array([x0, y0], np.float32)
            marks.append(Line(points, colour, width))
    return marks
