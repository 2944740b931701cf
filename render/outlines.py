"""Lines round what exceeds a threshold, and between regions, as marks over a slice."""

from __future__ import annotations

import contourpy
import numpy as np
from numpy.typing import NDArray

from .compose import Composer
from .marks import Line, Mark, slice_marks
from .scene import LabelShading, Panel, Shading, SliceScene

Points = NDArray[np.float32]


def scene_marks(scene: SliceScene, composer: Composer) -> list[Mark]:
    """Everything over the pictures of a scene, in drawing order."""
    marks: list[Mark] = []
    for number, panel in enumerate(scene.panels):
        for depth, layer in enumerate(scene.layers):
            if layer.outline is None or layer.shading is None or not panel.shows(depth):
                continue
            pictured = panel.coarser(scene.coarse)
            values = composer.values((number, depth), pictured, layer.source)
            lines = _lines(values, layer.shading)
            hidden = composer.covered(number, pictured, scene.layers, depth)
            if hidden is not None:
                lines = [part for line in lines for part in not_hidden(line, hidden)]
            width = (1.0 if isinstance(layer.shading, LabelShading) else 1.2) * scene.scale
            marks += [Line(line, layer.outline, width) for line in _on_canvas(lines, panel, scene.coarse)]
    return marks + slice_marks(scene)


def _on_canvas(lines: list[Points], panel: Panel, coarse: int) -> list[Points]:
    """Lines of a panel's picture in canvas pixels; all at once, as labels have thousands."""
    if not lines:
        return []
    moved = np.concatenate(lines) * np.float32(coarse) + np.array([panel.rect.x, panel.rect.y], np.float32)
    stops = np.cumsum([len(line) for line in lines]).tolist()
    return [moved[start:stop] for start, stop in zip([0, *stops[:-1]], stops, strict=True)]


def _lines(values: NDArray[np.float32], shading: Shading | LabelShading) -> list[Points]:
    if isinstance(shading, LabelShading):
        return label_edges(values)
    lines: list[Points] = []
    if np.isfinite(shading.threshold):
        lines += outlines(values, shading.threshold)
    if shading.negative is not None and np.isfinite(shading.negative_threshold):
        lines += outlines(values, -shading.negative_threshold)
    return lines


def outlines(values: NDArray[np.float32], level: float) -> list[Points]:
    """Contour lines of sampled values, (height, width), at a level; (n, 2) each, in pixels from the upper left."""
    if values.shape[0] < 2 or values.shape[1] < 2:
        return []
    filled = np.nan_to_num(values, nan=-np.inf if level > 0 else np.inf)
    finite = np.clip(filled, level - abs(level) * 4 - 1, level + abs(level) * 4 + 1)
    lines = contourpy.contour_generator(z=finite).lines(level)
    return [(np.asarray(line) + 0.5).astype(np.float32) for line in lines]


def label_edges(values: NDArray[np.float32]) -> list[Points]:
    """Lines between pixels of different labels, joined along rows and columns; as `outlines`."""
    label = np.nan_to_num(values, nan=0.0)
    lines: list[Points] = []
    for edges, vertical in ((label[:, 1:] != label[:, :-1], True), (label[1:] != label[:-1], False)):
        along = edges.T if vertical else edges
        padded = np.pad(along, ((0, 0), (1, 1))).astype(np.int8)
        change = np.diff(padded, axis=1)
        line, start = np.divmod(np.flatnonzero(change == 1), change.shape[1])  # faster than `nonzero` in 2D
        stop = np.flatnonzero(change == -1) % change.shape[1]
        across = np.column_stack([line, line]) + 1
        ends = np.stack(
            [across, np.column_stack([start, stop])] if vertical else [np.column_stack([start, stop]), across], -1
        )
        lines += list(ends.astype(np.float32))
    return lines


def not_hidden(line: Points, hidden: NDArray[np.bool_]) -> list[Points]:
    """Parts of a line that do not lie on hidden pixels, (height, width)."""
    height, width = hidden.shape
    if len(line) == 2:  # along the edges of pixels, any length
        steps = int(np.abs(line[1] - line[0]).max())
        line = np.linspace(line[0], line[1], max(steps, 1) + 1, dtype=np.float32)
    columns, rows = (np.clip(line[:, n].astype(int), 0, size - 1) for n, size in ((0, width), (1, height)))
    shown = np.flatnonzero(~hidden[rows, columns])
    parts = np.split(shown, np.flatnonzero(np.diff(shown) > 1) + 1)
    return [line[part] for part in parts if len(part) > 1]
