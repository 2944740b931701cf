"""Glass brains of a graph's answer: a sphere per region, its colour the sign and its size the size of the effect."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter, QPen

from ...render.camera import PRESETS
from ...render.graph_scene import GraphScene, Links, Nodes, aim_of, graph_marks, placed
from ...render.scene import Mesh, Picture, Rect
from ..vector import paint_marks, paint_picture
from .answers import Answered, RegionRow
from .report_charts import significant
from .report_paint import LIGHT, WIDTH_PX, Band, painted_bands

if TYPE_CHECKING:
    from ...render.graph_canvas import GraphCanvas

SIDES = {"left": "R", "top": "", "right": "L"}  # views, and the side whose regions are behind
HEIGHT_PX = 330
SMALLEST_MM, LARGEST_MM = 1.5, 7.0
UP, DOWN = "orange", "blue"
UNCORRECTED = 0.05


_NO_LINKS = Links(np.zeros((0, 2), np.int32), np.zeros((0, 3), np.uint8), np.zeros(0, np.bool_))


class _View(NamedTuple):
    scene: GraphScene
    picture: Picture
    rows: list[RegionRow]


def brains(answered: Answered) -> bytes | None:
    """PNG with a row of views per metric; None where no region has a place."""
    from ...render.graph_canvas import GraphCanvas  # noqa: PLC0415 - VTK
    from ..compute import open_cortex  # noqa: PLC0415

    places = _places(answered.plan.ask.choices.atlas)
    metrics = dict.fromkeys(row.metric for row in answered.regions if (row.region, row.side) in places)
    by_metric = {name: _drawn(answered.regions, name, places) for name in metrics}
    if not any(by_metric.values()):
        return None
    worlds = [cortex.world for cortex in open_cortex(None) if cortex.world is not None]
    outline = tuple(Mesh(world.coordinates, world.faces) for world in worlds)
    canvas = GraphCanvas(multi_samples=4)
    try:
        bands = [
            Band(HEIGHT_PX, _legend(name, rows), partial(_paint, _pictures(canvas, rows, places, outline)))
            for name, rows in by_metric.items()
            if rows
        ]
    finally:
        canvas.close()
    return painted_bands(bands, answered.plan.title)


def _places(atlas: str) -> dict[tuple[str, str], tuple[float, float, float]]:
    from ..compute import open_atlas  # noqa: PLC0415

    found = open_atlas(atlas)
    return {(region.name, region.side): found.centre_mm(region) for region in found.regions}


def _drawn(
    rows: Sequence[RegionRow], metric: str, places: dict[tuple[str, str], tuple[float, float, float]]
) -> list[RegionRow]:
    own = [row for row in rows if row.metric == metric and (row.region, row.side) in places]
    return [row for row in own if not metric.startswith("voxelwise") and np.isfinite(row.effect)]


def nodes_of(rows: Sequence[RegionRow], places_mm: NDArray[np.float32]) -> Nodes:
    """Spheres whose areas follow the sizes of effects."""
    from .report_paint import colour_of  # noqa: PLC0415

    effects = np.array([row.effect for row in rows])
    share = np.sqrt(np.abs(effects) / max(float(np.abs(effects).max(initial=0.0)), 1e-12))
    radii = (SMALLEST_MM + (LARGEST_MM - SMALLEST_MM) * share).astype(np.float32)
    colours = np.array([colour_of(UP if effect > 0 else DOWN) for effect in effects], np.uint8).reshape(-1, 3)
    return Nodes(places_mm, radii, colours)


def _pictures(
    canvas: GraphCanvas,
    rows: Sequence[RegionRow],
    places: dict[tuple[str, str], tuple[float, float, float]],
    outline: tuple[Mesh, ...],
) -> list[_View]:
    where = np.array([places[row.region, row.side] for row in rows], np.float32)
    nodes = nodes_of(rows, where)
    size = (WIDTH_PX // len(SIDES), HEIGHT_PX)
    made: list[_View] = []
    for side, hidden in SIDES.items():
        own = np.array([not hidden or row.side != hidden for row in rows])
        seen = Nodes(nodes.places_mm[own], nodes.radii_mm[own], nodes.colours[own])
        scene = GraphScene(size, seen, _NO_LINKS, outline, *PRESETS[side], ink=LIGHT, background=(0, 0, 0))
        shown = [row for row, is_own in zip(rows, own, strict=True) if is_own]
        made.append(_View(scene, canvas.picture(scene).copy(), shown))
    return made


def _paint(views: Sequence[_View], painter: QPainter) -> None:
    for k, (scene, picture, rows) in enumerate(views):
        painter.save()
        painter.translate(k * scene.size[0], 0)
        paint_picture(painter, picture, Rect(0, 0, *scene.size))
        paint_marks(painter, graph_marks(scene), shadow=True)
        _rings(scene, rows, painter)
        painter.restore()


def _rings(scene: GraphScene, rows: Sequence[RegionRow], painter: QPainter) -> None:
    """White round what passes corrected, thin and grey round what passes uncorrected."""
    where, _ = placed(scene)
    radii = scene.nodes.radii_mm / aim_of(scene).mm_per_px + 2.5
    for row, (x, y), radius in zip(rows, where, radii, strict=True):
        if row.p <= UNCORRECTED:
            pen = QPen(QColor(255, 255, 255), 2.5) if _survives(row) else QPen(QColor(170, 170, 170), 1.2)
            painter.setPen(pen)
            painter.drawEllipse(QPointF(float(x), float(y)), float(radius), float(radius))


def _survives(row: RegionRow) -> bool:
    return row.p_fwe is not None and significant(row)


def _legend(metric: str, rows: Sequence[RegionRow]) -> tuple[tuple[str, str], ...]:
    largest = max(abs(row.effect) for row in rows)
    passed = "white ring: p FWE < .05; grey: p < .05 uncorrected"
    return (("", metric), (UP, "higher"), (DOWN, "lower"), ("", f"area: size, up to {largest:.2g}; {passed}"))
