"""Degree centrality of every voxel: how many others it is correlated with, or how strongly in all.

Half a matrix product is the work: each tile of correlations is looked at while it is in the cache, for the voxels of
its rows and of its columns at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numba import njit

from .arrays import FAST_MATH, Float32, Float64, Int64, Report, read_only
from .rows import UnitRows
from .threads import workers
from .voxel_edges import ROWS, Cut, Tile, each_strip, strip_bytes, usable

_BLOCK = 256  # columns that a kernel adds up at a time; their sums stay in a processor's first cache


class Degree(NamedTuple):
    """A degree for each voxel.

    Attributes
    ----------
    values : (V,) float64
        Whole numbers when binary; NaN for rows without a correlation.
    n_edges : int
        Pairs that are edges.
    """

    values: Float64
    n_edges: int


class _Worth(NamedTuple):
    """An edge counts as ``up[0] + up[1] * r`` when r >= high, as ``down[0] + down[1] * r`` when r <= low."""

    high: np.float32
    low: np.float32
    up: tuple[np.float32, np.float32]
    down: tuple[np.float32, np.float32]


def degree_bytes(n_voxels: int, n_columns: int) -> int:
    """Memory that `degree` needs beside the rows, at most."""
    strip = n_voxels * (4 * ROWS // _BLOCK + 4)
    return strip_bytes() + n_voxels * (4 * n_columns + 16) + 2 * workers() * strip


def degree(rows: UnitRows, cut: Cut, *, weighted: bool = False, report: Report | None = None) -> Degree:
    """Degree of every voxel in the graph of a cut; itself is not counted.

    Binary: the number of its edges; with the rule "signed" positive less negative ones (0 is neither). Weighted: the
    sum of r over its edges, of abs(r) with the rule "absolute", of r with its sign with "signed". Sums are float32 over
    at most 256 correlations and float64 beyond, in an order that does not depend on the number of threads.

    Parameters
    ----------
    rows : UnitRows
        V voxels.
    cut : Cut
        From `voxel_edges.at_least` or `voxel_density.at_density`.
    weighted : bool
    report : callable, optional
        Called after each tile (some milliseconds).

    Raises
    ------
    CannotCompute
        When fewer than two voxels have a series that varies.

    Notes
    -----
    AFNI's 3dDegreeCentrality and DPABI keep positive edges, as the rule "positive" does; CONN binarises r > 0.
    Weighted without a threshold (r >= -1) a degree is z · Σ z - z · z of the unit rows z: no pair is looked at.
    """
    unit = usable(rows)
    if weighted and cut.least == -np.inf:
        found = Degree(_unthresholded(unit), len(unit) * (len(unit) - 1) // 2)
    else:
        found = _by_tiles(unit, cut, _worth(cut, weighted), report)
        _add_ties(found.values, unit, cut, weighted=weighted)
    values = np.full(len(rows.valid), np.nan)
    values[rows.valid] = found.values
    return Degree(values, found.n_edges)


def _unthresholded(unit: Float32) -> Float64:
    total = unit.sum(axis=0, dtype=np.float64)
    return unit @ total - np.einsum("vt,vt->v", unit, unit, dtype=np.float64)


def _worth(cut: Cut, weighted: bool) -> _Worth:
    zero, one = np.float32(0), np.float32(1)
    up = (zero, one) if weighted else (one, zero)
    if cut.rule == "positive":
        return _Worth(cut.least, np.float32(-np.inf), up, (zero, zero))
    if cut.rule == "signed":
        down = (zero, one) if weighted else (-one, zero)
    else:
        down = (zero, -one) if weighted else (one, zero)
    least = cut.least or np.nextafter(zero, one)  # 0 has no sign and adds nothing to a sum
    return _Worth(cut.least if cut.rule == "absolute" else least, -least, up, down)


class _Sums(NamedTuple):
    """Of a strip: for each block of columns the sums of its rows and the edges, for each column the sum over rows."""

    across: Float32
    down: Float32
    counts: Int64


def _by_tiles(unit: Float32, cut: Cut, worth: _Worth, report: Report | None) -> Degree:
    n = len(unit)
    total = np.zeros(n)
    n_edges = len(cut.tied)

    def look(tiles: Iterator[Tile]) -> tuple[int, _Sums]:
        row, sums = 0, _Sums(np.zeros((0, 0), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))
        for tile in tiles:
            if tile.column == tile.row:
                row, blocks = tile.row, -(-(n - tile.row) // _BLOCK)
                sums = _Sums(
                    np.zeros((blocks, len(tile.r)), np.float32),
                    np.zeros(n - row, np.float32),
                    np.zeros(blocks, np.int64),
                )
            _add(tile.r, worth, sums, tile.column - row)
        return row, sums

    def take(strip: tuple[int, _Sums]) -> None:
        nonlocal n_edges
        row, sums = strip
        total[row : row + sums.across.shape[1]] += sums.across.sum(axis=0, dtype=np.float64)
        total[row:] += sums.down
        n_edges += int(sums.counts.sum())

    each_strip(unit, look, take, report)
    return Degree(total, n * (n - 1) // 2 if cut.rule != "positive" and cut.least == 0 else n_edges)


def _add_ties(total: Float64, unit: Float32, cut: Cut, *, weighted: bool) -> None:
    """The edges among the ties, which all have the smallest kept r (or abs(r))."""
    sign = np.ones(len(cut.tied))
    if cut.rule == "signed":
        sign = np.sign(np.einsum("vt,vt->v", unit[cut.tied[:, 0]], unit[cut.tied[:, 1]]))
    value = sign * (cut.threshold if weighted else 1.0)
    for side in cut.tied.T:
        total += np.bincount(side, value, len(total))


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _add(r: Float32, worth: _Worth, to: _Sums, column: int) -> None:
    """What the edges of a tile count for, by row and by column, and how many there are, block by block of columns."""
    high, low = worth.high, worth.low
    a, b = worth.up
    c, d = worth.down
    zero = np.float32(0)
    two_sided = low > -np.inf  # asked outside the loops: they are compiled once for each answer
    for first in range(0, r.shape[1], _BLOCK):
        last = min(r.shape[1], first + _BLOCK)
        down = to.down[column + first : column + last]
        block = (column + first) // _BLOCK
        for i in range(r.shape[0]):
            row = r[i, first:last]
            total = zero
            kept = np.int32(0)
            for j in range(row.size):
                x = row[j]
                value = a + b * x if x >= high else zero
                kept += np.int32(x >= high)
                if two_sided:
                    value += c + d * x if x <= low else zero
                    kept += np.int32(x <= low)
                total += value
                down[j] += value
            to.across[block, i] += total
            to.counts[block] += kept


def compile_kernels() -> None:
    """Compile for the types that are used."""
    zero = np.float32(0)
    worth = _Worth(zero, zero, (zero, zero), (zero, zero))
    sums = _Sums(np.zeros((1, 1), np.float32), np.zeros(1, np.float32), np.zeros(1, np.int64))
    _add(read_only(np.zeros((1, 1), np.float32)), worth, sums, 0)
