"""Hand-drawn masks: edits replayed onto a grid."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .grid import Grid
from .recipes import Drawing, Point, Recipe, Stroke, ThresholdFill

Mask = NDArray[np.bool_]
# (recipe, frame, grid) to the image's values on that grid
ValuesOn = Callable[[Recipe, int, Grid], NDArray[np.float32]]


def replay(drawing: Drawing, grid: Grid, start: Mask | None, values_on: ValuesOn) -> Mask:
    """The mask after all edits, (nx, ny, nz) bool, Fortran order."""
    mask = np.zeros(grid.shape, bool, order="F") if start is None else np.array(start, order="F")
    for edit in drawing.edits:
        apply(edit, mask, grid, values_on)
    return mask


def apply(edit: Stroke | ThresholdFill, mask: Mask, grid: Grid, values_on: ValuesOn) -> None:
    """One edit, in place."""
    if isinstance(edit, Stroke):
        touched = stroke_voxels(edit, grid)
    else:
        touched = fill_voxels(edit, grid, values_on(edit.image, edit.frame, grid))
    mask[tuple(touched.T)] = not edit.erase


def stroke_voxels(stroke: Stroke, grid: Grid) -> NDArray[np.int64]:
    """Voxels, (n, 3), whose centre lies within the radius of the path; at least the voxel under each point.

    A flat brush paints, of the voxels within its radius, those whose centre lies within half a
    voxel of the path along its axis.
    """
    path = _dense(stroke.path_mm, max(min(grid.zooms_mm) / 2, 1e-3))
    if len(path) == 0:
        return np.zeros((0, 3), np.int64)
    radius = max(stroke.radius_mm, 0.0)
    candidates = _box(path, radius, grid)
    if len(candidates) == 0:
        return candidates
    from scipy.spatial import KDTree  # noqa: PLC0415 - slow to import

    mm = grid.mm_of(candidates)
    if stroke.flat is None:
        near = KDTree(path).query(mm, distance_upper_bound=radius + 1e-6)[0] <= radius + 1e-6
    else:
        along = stroke.flat
        in_plane = [axis for axis in range(3) if axis != along]
        half = float(np.abs(grid.affine[along, :3]).max()) / 2
        near = KDTree(path[:, in_plane]).query(mm[:, in_plane])[0] <= radius + 1e-6
        near &= np.abs(mm[:, along] - path[0, along]) <= half + 1e-6
    under = [voxel for voxel in map(grid.voxel_at, path) if voxel is not None]
    return np.unique(np.concatenate([candidates[near], np.array(under, np.int64).reshape(-1, 3)]), axis=0)


def fill_voxels(fill: ThresholdFill, grid: Grid, values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Voxels joined to the start (26 neighbours) whose value lies within the bounds, none beyond the radius."""
    from scipy.ndimage import label  # noqa: PLC0415 - slow to import

    start = grid.voxel_at(fill.start_mm)
    if start is None:
        return np.zeros((0, 3), np.int64)
    box = _box(np.array([fill.start_mm]), fill.radius_mm, grid)
    if len(box) == 0:
        return box
    low, high = box.min(axis=0), box.max(axis=0) + 1
    part = values[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    allowed = np.zeros(part.shape, bool)
    near = np.linalg.norm(grid.mm_of(box) - np.array(fill.start_mm), axis=1) <= fill.radius_mm + 1e-6
    allowed[tuple((box[near] - low).T)] = True
    with np.errstate(invalid="ignore"):
        allowed &= (part >= fill.low) & (part <= fill.high)
    joined, _ = label(allowed, np.ones((3, 3, 3)))  # pyright: ignore[reportGeneralTypeIssues] - stub
    here = joined[tuple(np.array(start) - low)]
    return np.argwhere(joined == here) + low if here else np.zeros((0, 3), np.int64)


def _dense(path_mm: tuple[Point, ...], step_mm: float) -> NDArray[np.float64]:
    """Points of a polyline no more than a step apart."""
    points = np.array(path_mm, np.float64).reshape(-1, 3)
    if len(points) < 2:
        return points
    pieces = [points[:1]]
    for a, b in pairwise(points):
        count = max(1, int(np.ceil(np.linalg.norm(b - a) / step_mm)))
        pieces.append(a + (b - a) * (np.arange(1, count + 1) / count)[:, None])
    return np.concatenate(pieces)


def _box(path: NDArray[np.float64], radius_mm: float, grid: Grid) -> NDArray[np.int64]:
    """All voxels of the grid that could lie within the radius of any of the points, (n, 3)."""
    ijk = grid.ijk_of(path)
    # how far along each voxel axis a ball of that radius reaches, also on a sheared grid
    reach = radius_mm * np.linalg.norm(grid.inverse[:3, :3], axis=1) + 1
    first = np.maximum(np.floor(ijk.min(axis=0) - reach).astype(int), 0)
    last = np.minimum(np.ceil(ijk.max(axis=0) + reach).astype(int) + 1, grid.shape)
    if (first >= last).any():
        return np.zeros((0, 3), np.int64)
    return np.stack(np.meshgrid(*map(np.arange, first, last), indexing="ij"), axis=-1).reshape(-1, 3)
