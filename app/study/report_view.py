"""Views of maps on the anatomy, and where to cut them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..recipes import FileMap, Point
from ..sample import anatomy_file
from ..settings import DEFAULT_ATLASES
from ..state import Colours, Marks, Overlay, ViewState

MOST_PEAKS = 3
APART_MM = 20.0


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


def view_of(layers: tuple[Overlay, ...], at: Point, *, marked: bool = True) -> ViewState:
    """Layers over the MNI152 anatomy, cut at a place, which a crosshair may mark."""
    from ..sample import TEMPLATE  # noqa: PLC0415

    anatomy = Overlay(1, FileMap(str(anatomy_file())), "MNI152 T1", Colours("grey", 0.0, 240.0), space=TEMPLATE)
    return ViewState(
        crosshair_mm=at,
        overlays=(anatomy, *layers),
        selected=2,
        layout="ortho",
        marks=Marks(crosshair=marked),
        atlases=DEFAULT_ATLASES,
    )
