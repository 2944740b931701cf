"""Figures of an answer: its main map on the anatomy, an overlap in three colours, a glass brain, charts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from msgspec.structs import replace as changed

from ..display import model_look
from ..graphics import require_graphics
from ..problems import Problem
from ..recipes import FileMap
from ..state import Colours, Modulation, Overlay, Threshold
from .answers import Answered
from .report_charts import course, forest, standalone
from .report_curves import scatter, spectrum
from .report_multiples import multiples
from .report_page import Node
from .report_paint import Circle, Row, painted_rows, rasterised
from .report_view import peaks, view_of

if TYPE_CHECKING:
    from .values import Study

COURSE, SPECTRA, PEOPLE = "time_course", "spectra", "prediction"
OVERLAPS = {
    "overlap_low_plus": ("blue", "lower in patients", "orange", "rises with improvement"),
    "overlap_high_minus": ("orange", "higher in patients", "blue", "falls with improvement"),
}
BOTH = ("green", "both, in white circles")
MAIN = ("t", "F", "z", "statistic", "effect")


class Extra(NamedTuple):
    """A figure beside the main one: a picture, and the same as a chart where it is one."""

    name: str
    caption: str
    png: bytes
    chart: Node | None = None


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
    brain = _brains(answered)
    if brain is not None:
        return brain
    table = answered.tables.get(COURSE)
    chart = None if table is None else course(table, answered.plan.unit or "mean")
    chart = chart or forest(answered.regions, answered.plan.unit)
    return None if chart is None else rasterised(standalone(chart, title))


def more_figures(answered: Answered, maps: Mapping[str, Path], study: Study) -> tuple[Extra, ...]:
    """What is drawn beside the main result.

    Small multiples of reference regions and thresholds, intervals of a graph's regions, people predicted, the voxel
    and the mean spectra of a crossover.
    """
    title, found = answered.plan.title, list[Extra]()
    content = multiples(answered, maps)
    if content is not None:
        found.append(Extra("sensitivity", "By reference region, and by threshold; one scale.", content))
    if answered.plan.ask.kind == "graph":
        found += _of_voxels(answered, maps)
        found += _charted("forest", "Effects with 95 % intervals.", forest(answered.regions, answered.plan.unit), title)
    if PEOPLE in answered.tables:
        r = answered.details.get("r")
        words = "Each person predicted from the others, mean over repeats; dashed: perfect prediction."
        told = words if r is None else f"{words} r = {r:.2f}."
        found += _charted("scatter", told, scatter(answered.tables[PEOPLE], "improvement"), title)
    if answered.plan.ask.kind == "crossover" and SPECTRA in answered.tables:
        found += _of_spectra(answered, study)
    return tuple(found)


def _of_voxels(answered: Answered, maps: Mapping[str, Path]) -> list[Extra]:
    """Maps of a graph's metrics in every voxel."""
    found: list[Extra] = []
    for measure in ("degree", "clustering"):
        rows = _slices(answered, maps, measure)
        if rows:
            words = f"{measure.capitalize()} of every voxel: the same test at the strongest places."
            found.append(Extra(f"voxelwise-{measure}", words, painted_rows(rows, answered.plan.title)))
    return found


def _of_spectra(answered: Answered, study: Study) -> list[Extra]:
    from .report_voxel import voxels  # noqa: PLC0415
    from .spectra_mean import mean_spectra  # noqa: PLC0415

    title, table = answered.plan.title, answered.tables[SPECTRA]
    drawn = voxels(study, table, title)
    found = [] if drawn is None else [Extra("voxel", drawn.caption, drawn.png)]
    mean = mean_spectra(study, table)
    lost = f" Sessions without a usable file of spectra: {mean.left_out}." if mean.left_out else ""
    words = f"Mean of the spectra that are used, each phased at its tNAA peak and divided by the peak's height.{lost}"
    return [*found, *_charted("spectra", words, spectrum(mean), title)]


def _charted(name: str, caption: str, chart: Node | None, title: str) -> list[Extra]:
    return [] if chart is None else [Extra(name, caption, rasterised(standalone(chart, title)), chart)]


def _brains(answered: Answered) -> bytes | None:
    """Of a graph; None for other questions, and where the atlas is not at hand."""
    from .report_brain import brains  # noqa: PLC0415 - VTK

    if answered.plan.ask.kind != "graph":
        return None
    try:
        return brains(answered)
    except Problem:
        return None


def _slices(answered: Answered, maps: Mapping[str, Path], measure: str = "") -> list[Row]:
    """The main map at its peaks; of a graph the map of one measure."""
    name = next((each for each in MAIN if _key(each, measure) in maps), None)
    if name is None:
        return []
    values, grid = answered.maps[_key(name, measure)]
    df = next((row.df for row in answered.regions if math.isfinite(row.df) and measure in row.metric), 1e6)
    colours, threshold = model_look(name, (1.0, df), np.asarray(values))
    layer = Overlay(
        2,
        FileMap(str(maps[_key(name, measure)])),
        measure or answered.plan.ask.kind,
        colours,
        changed(threshold, below="fade", outline=True),
        0.9,
    )
    level = " (p < .001, uncorrected)" if name in {"t", "F"} else ""
    cut = f"{name}, outlined beyond {threshold.value:g}{level}; fainter below" if threshold.value else name
    own = [each for each in answered.clusters if each.get("map", measure) == measure]
    clusters = [each for each in own if not answered.plan.test or each.get("test") == answered.plan.test]
    places = peaks(values, grid, clusters or own)
    legend = (("", f"voxelwise {measure}: {cut}" if measure else f"{answered.plan.effect_name}: {cut}"),)
    return [Row(view_of((layer,), at), legend if k == 0 else ()) for k, at in enumerate(places)]


def _key(name: str, measure: str) -> str:
    return f"{measure}_{name}" if measure else name


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
        circles = _apart(circles_of(np.asarray(values) == 3, grid))
        at = circles[0].centre_mm if circles else (*peaks(np.asarray(values) > 0, grid, ()), (0.0, 0.0, 0.0))[0]
        legend = ((first, first_words), (second, second_words), BOTH)
        rows.append(Row(view_of(layers, at, marked=False), legend, circles))
    return rows


def _apart(circles: tuple[Circle, ...]) -> tuple[Circle, ...]:
    """Those whose middle lies in no larger one."""
    kept: list[Circle] = []
    for circle in circles:
        if all(math.dist(circle.centre_mm, other.centre_mm) > other.radius_mm for other in kept):
            kept.append(circle)
    return tuple(kept)


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
