"""Weighted clustering coefficient of every voxel: how strong the triangles at it are.

Edges are listed once, from the first voxel to the second, so that each triangle is met once. Below a density of about a
fifth this is less work than the cube of the matrix, and the matrix need not be in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .arrays import FAST_MATH, Bool, Float32, Float64, Int32, Int64, Report, read_only
from .errors import CannotCompute
from .ordered import Step, in_order
from .rows import UnitRows
from .threads import split, workers
from .voxel_degree import Degree
from .voxel_edges import Cut, Tile, each_strip, strip_bytes, usable

_ROWS_AT_ONCE = 16
_EDGES_AT_ONCE = 1 << 16


class EdgeList(NamedTuple):
    """Edges i < j, row by row, read-only.

    Attributes
    ----------
    start : (n + 1,) int64
        Row i has the edges start[i] to start[i + 1].
    other : (E,) int32
        Their j, ascending.
    weight : (E,) float32
    """

    start: Int64
    other: Int32
    weight: Float32


class _Strip(NamedTuple):
    """Edges of some rows: how many each row has, and all of them."""

    counts: Int64
    other: Int32
    weight: Float32


def intensity_bytes(shape: tuple[int, ...], n_edges: int) -> int:
    """Memory that `weighted_clustering` needs beside rows of this shape, at most: mostly 12 bytes for each edge."""
    n_voxels, n_columns = shape
    return 12 * n_edges + strip_bytes() + n_voxels * (4 * n_columns + 64 + 32 * workers())


def weighted_clustering(rows: UnitRows, cut: Cut, degree: Degree, report: Report | None = None) -> Float64:
    """Onnela's clustering coefficient of every voxel in the graph of a cut.

    The sum over the triangles at a voxel of the geometric mean of their three weights, by the number of pairs of its
    neighbours. Weights are abs(r), divided by the largest of all edges (Onnela et al. 2005, Phys. Rev. E 71:065103).
    Sums are float32 over the neighbours of one voxel and float64 beyond.

    Parameters
    ----------
    rows : UnitRows
        V voxels.
    cut : Cut
        From `voxel_edges.at_least` or `voxel_density.at_density`.
    degree : Degree
        The binary degree of this cut; its rule is not "signed".
    report : callable, optional
        Called every some milliseconds.

    Returns
    -------
    (V,) float64
        0 for a voxel with fewer than two neighbours, NaN for rows without a correlation.

    Raises
    ------
    CannotCompute
        When edges are negative, or fewer than two voxels have a series that varies.
    """
    if cut.rule == "positive" and cut.threshold < 0:
        raise CannotCompute("edges of negative r have no geometric mean", "give a threshold of 0 or more")
    unit = usable(rows)
    k = degree.values[rows.valid]
    edges = edge_list(unit, cut, degree.n_edges, None if report is None else lambda done: report(0.3 * done))
    later = None if report is None else lambda done: report(0.3 + 0.7 * done)
    found = np.full(len(rows.valid), np.nan)
    found[rows.valid] = 2 * intensities(_roots(edges), later) / np.maximum(1, k * (k - 1))
    return found


def edge_list(unit: Float32, cut: Cut, n_edges: int, report: Report | None = None) -> EdgeList:
    """The edges of a cut, of which there are `n_edges`, with abs(r) as weights."""
    start = np.zeros(len(unit) + 1, np.int64)
    other, weight = np.empty(n_edges, np.int32), np.empty(n_edges, np.float32)
    row = 0

    def look(tiles: Iterator[Tile]) -> _Strip:
        return _strip(tiles, cut)

    def take(strip: _Strip) -> None:
        nonlocal row
        stop = row + len(strip.counts)
        np.cumsum(strip.counts, out=start[row + 1 : stop + 1])
        start[row + 1 : stop + 1] += start[row]
        other[start[row] : start[stop]] = strip.other
        weight[start[row] : start[stop]] = strip.weight
        row = stop

    each_strip(unit, look, take, report)
    return EdgeList(read_only(start), read_only(other), read_only(weight))


def _strip(tiles: Iterator[Tile], cut: Cut) -> _Strip:
    rows: list[NDArray[np.uint8]] = []
    others: list[Int32] = []
    weights: list[Float32] = []
    n_rows = 0
    for tile in tiles:
        n_rows = len(tile.r)
        r = tile.r if cut.rule == "positive" else np.abs(tile.r)
        i, j = np.nonzero(_kept(r, tile, cut))
        rows.append(i.astype(np.uint8))
        others.append((j + tile.column).astype(np.int32))
        weights.append(r[i, j])
    row = np.concatenate(rows)
    order = np.argsort(row, kind="stable")  # columns ascend from tile to tile
    counts = np.bincount(row, minlength=n_rows)
    return _Strip(counts, np.concatenate(others)[order], np.concatenate(weights)[order])


def _kept(r: Float32, tile: Tile, cut: Cut) -> Bool:
    """Which pairs of a tile are edges, ties among them."""
    kept = r >= cut.least
    places = cut.tied - (tile.row, tile.column)
    i, j = places[((places >= 0) & (places < r.shape)).all(axis=1)].T
    kept[i, j] = True
    return kept


def _roots(edges: EdgeList) -> EdgeList:
    """Cube roots of the weights, divided by the largest."""
    root = np.empty_like(edges.weight)
    largest = edges.weight.max(initial=np.float32(0)) or np.float32(1)

    def part(start: int, stop: int) -> None:
        np.cbrt(edges.weight[start:stop] / largest, out=root[start:stop])

    split(part, len(root), smallest=_EDGES_AT_ONCE)
    return edges._replace(weight=read_only(root))


def intensities(edges: EdgeList, report: Report | None = None) -> Float64:
    """Sum over the triangles at each node of the product of their three weights, (n,)."""
    n = len(edges.start) - 1
    total = np.zeros(n)

    def do(first: int, step: Step) -> Float64:
        last = min(n, first + _ROWS_AT_ONCE)
        own = np.zeros(n)
        _add_triangles(edges, own, np.zeros((2, n), np.float32), first, last)
        step(last - first)
        return own

    def take(own: Float64) -> None:
        np.add(total, own, out=total)

    in_order(range(0, n, _ROWS_AT_ONCE), do, take, n, report)
    return total


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _add_triangles(edges: EdgeList, total: Float64, space: Float32, first: int, last: int) -> None:
    """Triangles i < j < k of rows i from first to last, for all three.

    `own` holds the weights of row i; `paths`, for each k, the sum of weight ij times weight jk.
    """
    own, paths = space[0], space[1]
    for i in range(first, last):
        begin, end = edges.start[i], edges.start[i + 1]
        for e in range(begin, end):
            own[edges.other[e]] = edges.weight[e]
        paths[i:] = 0
        for e in range(begin, end):
            j, weight = edges.other[e], edges.weight[e]
            others = edges.other[edges.start[j] : edges.start[j + 1]]
            weights = edges.weight[edges.start[j] : edges.start[j + 1]]
            across = np.float32(0)
            for f in range(others.size):
                across += weights[f] * own[others[f]]
            for f in range(others.size):
                paths[others[f]] += weight * weights[f]
            total[j] += weight * across
        for e in range(begin, end):
            k = edges.other[e]
            closed = paths[k] * own[k]
            total[i] += closed
            total[k] += closed
            own[k] = 0


def compile_kernels() -> None:
    """Compile for the types that are used."""
    start, other, weight = np.zeros(2, np.int64), np.zeros(1, np.int32), np.zeros(1, np.float32)
    edges = EdgeList(read_only(start), read_only(other), read_only(weight))
    _add_triangles(edges, np.zeros(1), np.zeros((2, 1), np.float32), 0, 1)
