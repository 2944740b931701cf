"""Lines round what exceeds a threshold, and between regions, as marks over a slice."""

from __future__ import annotations

import contourpy
import numpy as np
from numpy.typing import NDArray

from .compose import Composer
from .marks import Line, Mark, slice_marks
from .scene import Colour, LabelShading, Layer, Panel, SliceScene


def scene_marks(scene: SliceScene, composer: Composer) -> list[Mark]:
    """Everything over the pictures of a scene, in drawing order."""
    marks: list[Mark] = []
    for number, panel in enumerate(scene.panels):
        for depth, layer in enumerate(scene.layers):
            marks += _layer_outlines((number, depth), panel, layer, (composer, scene.scale))
    return marks + slice_marks(scene)


def _layer_outlines(slot: tuple[int, int], panel: Panel, layer: Layer, how: tuple[Composer, float]) -> list[Mark]:
    composer, scale = how
    if layer.outline is None or layer.shading is None:
        return []
    values = composer.values(slot, panel, layer.source)
    if isinstance(layer.shading, LabelShading):
        return label_edges(panel, values, layer.outline, 1.0 * scale)
    width = 1.2 * scale
    marks: list[Mark] = []
    if np.isfinite(layer.shading.threshold):
        marks += outlines(panel, values, layer.shading.threshold, layer.outline, width)
    if layer.shading.negative is not None and np.isfinite(layer.shading.negative_threshold):
        marks += outlines(panel, values, -layer.shading.negative_threshold, layer.outline, width)
    return marks


def outlines(panel: Panel, values: NDArray[np.float32], level: float, colour: Colour, width: float) -> list[Mark]:
    """Contour lines of sampled values, (height, width) of the panel, at a level, in canvas pixels."""
    if values.shape[0] < 2 or values.shape[1] < 2:
        return []
    filled = np.nan_to_num(values, nan=-np.inf if level > 0 else np.inf)
    finite = np.clip(filled, level - abs(level) * 4 - 1, level + abs(level) * 4 + 1)
    origin = np.array([panel.rect.x + 0.5, panel.rect.y + 0.5])
    lines = contourpy.contour_generator(z=finite).lines(level)
    return [Line((np.asarray(line) + origin).astype(np.float32), colour, width) for line in lines]


def label_edges(panel: Panel, values: NDArray[np.float32], colour: Colour, width: float) -> list[Mark]:
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
