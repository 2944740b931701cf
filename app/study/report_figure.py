"""The figure of an answer: its main map on the anatomy, an overlap in three colours, a time course, or intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace as changed

from ..display import model_look
from ..graphics import require_graphics
from ..recipes import FileMap, Point
from ..sample import anatomy_file
from ..settings import DEFAULT_ATLASES
from ..state import Colours, Modulation, Overlay, Threshold, ViewState
from .answers import Answered
from .report_charts import course, forest, standalone
from .report_paint import Circle, Row, painted_rows, rasterised

MOST_PEAKS = 3
OVERLAPS = {
    "overlap_low_plus": ("blue", "lower in patients", "orange", "rises with improvement"),
    "overlap_high_minus": ("orange", "higher in patients", "blue", "falls with improvement"),
}
BOTH = ("green", "both, in white circles")
MAIN = ("t", "F", "z", "statistic", "effect")
APART_MM = 20.0


def figure(answered: Answered, maps: Mapping[str, Path]) -> bytes | None:
    """PNG of the main result; None where there is nothing to draw.

    Parameters
    ----------
    answered : Answered
    maps : mapping of str to Path
        Files of its maps, by their names.
    """
    require_graphics()
    rows = _overlaps(answered, maps) or _slices(answered, maps)
    title = answered.plan.title
    if rows:
        return painted_rows(rows, title)
    table = answered.tables.get("time_course")
    chart = None if table is None else course(table, answered.plan.unit or "mean")
    chart = chart or forest(answered.regions, answered.plan.unit)
    return None if chart is None else rasterised(standalone(chart, title))


def peaks(values: Any, grid: Any, clusters: Any) -> tuple[Point, ...]:
    """Where to cut: peaks of clusters, else where the map is farthest from 0, each apart from the others."""
    found = [tuple(map(float, each["peak_mm"])) for each in clusters if each.get("peak_mm")]
    if not found:
        size = np.nan_to_num(np.abs(np.asarray(values)))
        order = np.argsort(size, axis=None)[::-1][:5000]
        found = [tuple(map(float, mm)) for mm in grid.mm_of(np.stack(np.unravel_index(order, size.shape), axis=-1))]
    kept: list[Point] = []
    for x, y, z in found:
        if all(math.dist((x, y, z), other) >= APART_MM for other in kept):
            kept.append((round(x, 1), round(y, 1), round(z, 1)))
        if len(kept) == MOST_PEAKS:
            break
    return tuple(kept)


def _slices(answered: Answered, maps: Mapping[str, Path]) -> list[Row]:
    name = next((each for each in MAIN if each in maps), None)
    if name is None:
        return []
    values, grid = answered.maps[name]
    df = next((row.df for row in answered.regions if math.isfinite(row.df)), 1e6)
    colours, threshold = model_look(name, (1.0, df), np.asarray(values))
    layer = Overlay(
        2,
        FileMap(str(maps[name])),
        f"{answered.plan.ask.kind}",
        colours,
        changed(threshold, below="fade", outline=True),
        0.9,
    )
    level = " (p < .001, uncorrected)" if name in {"t", "F"} else ""
    cut = f"{name}, outlined beyond {threshold.value:g}{level}; fainter below" if threshold.value else name
    clusters = [each for each in answered.clusters if not answered.plan.test or each.get("test") == answered.plan.test]
    places = peaks(values, grid, clusters or answered.clusters)
    legend = (("", f"{answered.plan.effect_name}: {cut}"),)
    return [Row(_view((layer,), at), legend if k == 0 else ()) for k, at in enumerate(places)]


def _overlaps(answered: Answered, maps: Mapping[str, Path]) -> list[Row]:
    rows: list[Row] = []
    for name, (first, first_words, second, second_words) in OVERLAPS.items():
        if name not in maps:
            continue
        recipe = FileMap(str(maps[name]))
        colours = (first, second, BOTH[0])
        layers = tuple(
            Overlay(
                key,
                recipe,
                words,
                Colours(colour, 0.0, 1.0),
                Threshold(0.5),
                0.85,
                smooth=False,
                modulation=Modulation(recipe, "clip", key - 1.5, key - 0.5),
            )
            for key, (colour, words) in enumerate(zip(colours, (first_words, second_words, BOTH[1]), strict=True), 2)
        )
        values, grid = answered.maps[name]
        circles = circles_of(np.asarray(values) == 3, grid)
        at = circles[0].centre_mm if circles else (*peaks(np.asarray(values) > 0, grid, ()), (0.0, 0.0, 0.0))[0]
        legend = ((first, first_words), (second, second_words), BOTH)
        rows.append(Row(_view(layers, at), legend, circles))
    return rows


def circles_of(mask: Any, grid: Any) -> tuple[Circle, ...]:
    """A sphere round each connected part of a mask, the largest first; its centre is one of the part's voxels."""
    from scipy import ndimage  # noqa: PLC0415 - slow to import

    labels, count = ndimage.label(mask, np.ones((3, 3, 3)))  # pyright: ignore[reportGeneralTypeIssues] - stub
    found: list[tuple[int, Circle]] = []
    for number in range(1, count + 1):
        mm = grid.mm_of(np.argwhere(labels == number))
        nearest = mm[np.linalg.norm(mm - mm.mean(axis=0), axis=1).argmin()]
        radius = float(np.linalg.norm(mm - nearest, axis=1).max()) + max(grid.zooms_mm)
        x, y, z = (float(value) for value in nearest)
        found.append((len(mm), Circle((x, y, z), radius)))
    return tuple(circle for _, circle in sorted(found, key=lambda each: -each[0]))


def _view(layers: tuple[Overlay, ...], at: Point) -> ViewState:
    from ..sample import TEMPLATE  # noqa: PLC0415

    anatomy = Overlay(1, FileMap(str(anatomy_file())), "MNI152 T1", Colours("grey", 0.0, 240.0), space=TEMPLATE)
    return ViewState(crosshair_mm=at, overlays=(anatomy, *layers), selected=2, layout="ortho", atlases=DEFAULT_ATLASES)
