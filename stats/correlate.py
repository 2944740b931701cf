"""Correlation of a seed with every voxel of a run."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from .arrays import FAST_MATH, Float32, Float64, Int64, read_only
from .errors import CannotCompute
from .quantise import QuantisedRows
from .rows import UnitRows
from .threads import split

Z_LIMIT = 4.0  # atanh of a correlation of .99933; beyond it Fisher z says nothing but "the same series"
SMALLEST = 2048  # rows worth handing to another thread
SEEDS_AT_ONCE = 8
ROWS_AT_ONCE = 8
TIMES_AT_ONCE = 512  # of eight seeds: half of a processor's first cache


def seed_series(rows: UnitRows, seed: Int64) -> Float64:
    """The mean of the prepared series of some rows, as coordinates (D,).

    Rows that have no correlation (constant or not finite) are left out.

    Raises
    ------
    CannotCompute
        When no row is left, or the mean is constant.
    """
    inside = np.asarray(seed, dtype=np.int64)
    inside = inside[rows.valid[inside]]
    if not inside.size:
        raise CannotCompute("no voxel of the seed has a series that varies", "move the seed into the brain")
    mean = rows.norm[inside].astype(np.float64) @ rows.unit[inside].astype(np.float64) / inside.size
    _unit(mean, len(mean))
    return mean


def seed_map(rows: UnitRows | QuantisedRows, seed: ArrayLike) -> Float32:
    """Pearson correlation of a seed with every row.

    One pass over the rows: the time it takes is the time it takes to read them.

    Parameters
    ----------
    rows : UnitRows or QuantisedRows
    seed : (D,)
        From `seed_series`, or ``rows.in_rows`` of a series from elsewhere.

    Returns
    -------
    (V,) float32
        NaN for rows without a correlation.

    Raises
    ------
    CannotCompute
        When the seed is constant or not finite, or has other than D numbers.
    """
    values = rows.unit if isinstance(rows, UnitRows) else rows.values
    unit = read_only(_unit(np.asarray(seed, dtype=np.float64), values.shape[1]).astype(np.float32))
    result = np.empty(len(values), np.float32)
    split(lambda start, stop: _products(values, unit, result, start, stop), len(values), smallest=SMALLEST)
    return result * rows.scale if isinstance(rows, QuantisedRows) else result


def seed_maps(rows: UnitRows | QuantisedRows, seeds: ArrayLike) -> Float32:
    """Several seeds (K, D) in one pass over the rows, (K, V) float32; otherwise as `seed_map`."""
    values = rows.unit if isinstance(rows, UnitRows) else rows.values
    given = np.asarray(seeds, dtype=np.float64)
    units = np.zeros((-(-len(given) // SEEDS_AT_ONCE) * SEEDS_AT_ONCE, values.shape[1]), np.float32)
    for unit, seed in zip(units, given, strict=False):
        unit[:] = _unit(seed, values.shape[1])
    result = np.empty((len(units), len(values)), np.float32)
    several = read_only(units)
    split(lambda start, stop: _products_of(values, several, result, start, stop), len(values), smallest=SMALLEST)
    maps = result[: len(given)]
    return maps * rows.scale if isinstance(rows, QuantisedRows) else maps


def fisher_z(r: ArrayLike) -> NDArray[Any]:
    """Atanh of correlations, limited to -4 ... 4; the dtype stays, NaN stays."""
    limit = math.tanh(Z_LIMIT)
    return np.arctanh(np.clip(r, -limit, limit))


def mean_r(maps: ArrayLike) -> NDArray[Any]:
    """Mean of correlations along the first axis: as Fisher z, then back. NaN where any is NaN."""
    return np.tanh(fisher_z(maps).mean(axis=0))


def _unit(seed: Float64, size: int) -> Float64:
    if seed.shape != (size,):
        raise CannotCompute(f"the seed has {seed.size} numbers, the rows {size}", "prepare both in the same way")
    length = float(np.sqrt(seed @ seed))
    if not (np.isfinite(length) and length > 0):
        raise CannotCompute("the seed's series is constant or not finite", "choose a seed whose series varies")
    return seed / length


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _products(values: Any, seed: Float32, result: Float32, start: int, stop: int) -> None:
    """Rows start to stop times the seed, from two places at once: one stream does not fill the memory's bandwidth.

    Unsigned numbers spare the look for negative indices.
    """
    volumes, half = np.uint64(seed.size), np.uint64((stop - start) // 2)
    first, last = np.uint64(start), np.uint64(stop)
    for v in range(first, first + half):
        w = v + half
        x = y = np.float32(0)
        for t in range(volumes):
            x += np.float32(values[v, t]) * seed[t]
            y += np.float32(values[w, t]) * seed[t]
        result[v], result[w] = x, y
    for v in range(first + half + half, last):
        x = np.float32(0)
        for t in range(volumes):
            x += np.float32(values[v, t]) * seed[t]
        result[v] = x


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _products_of(values: Any, seeds: Float32, result: Float32, start: int, stop: int) -> None:
    """Rows start to stop times all seeds: pieces of a few rows stay in the cache while seeds pass, eight at a time.

    Eight sums for one row leave registers free; with two rows at once they spill. Each product needs a number of the
    seed loaded, two in a processor's cycle, and that, not memory, is the limit: about twice the time of one seed when
    one thread has all of the memory's bandwidth, less when several share it. Slices of the arrays, not offsets into
    them: with these the loop is not vectorised.
    """
    for first in range(start, stop, ROWS_AT_ONCE):
        last = min(stop, first + ROWS_AT_ONCE)
        for k in range(0, seeds.shape[0], SEEDS_AT_ONCE):
            for begin in range(0, values.shape[1], TIMES_AT_ONCE):
                end = begin + TIMES_AT_ONCE
                p, q, r, s = (
                    seeds[k, begin:end],
                    seeds[k + 1, begin:end],
                    seeds[k + 2, begin:end],
                    seeds[k + 3, begin:end],
                )
                w, x, y, z = (
                    seeds[k + 4, begin:end],
                    seeds[k + 5, begin:end],
                    seeds[k + 6, begin:end],
                    seeds[k + 7, begin:end],
                )
                for v in range(first, last):
                    row = values[v, begin:end]
                    a = b = c = d = e = f = g = h = np.float32(0)
                    for t in range(row.size):
                        value = np.float32(row[t])
                        a += value * p[t]
                        b += value * q[t]
                        c += value * r[t]
                        d += value * s[t]
                        e += value * w[t]
                        f += value * x[t]
                        g += value * y[t]
                        h += value * z[t]
                    if begin:
                        a, b, c, d = a + result[k, v], b + result[k + 1, v], c + result[k + 2, v], d + result[k + 3, v]
                        e, f = e + result[k + 4, v], f + result[k + 5, v]
                        g, h = g + result[k + 6, v], h + result[k + 7, v]
                    result[k, v], result[k + 1, v], result[k + 2, v], result[k + 3, v] = a, b, c, d
                    result[k + 4, v], result[k + 5, v], result[k + 6, v], result[k + 7, v] = e, f, g, h


def compile_kernels() -> None:
    """Compile for the types that are used."""
    seeds = read_only(np.ones((SEEDS_AT_ONCE, 3), np.float32))
    for dtype in (np.float32, np.int16, np.int8):
        values = read_only(np.ones((2, 3), dtype))
        _products(values, seeds[0], np.empty(2, np.float32), 0, 2)
        _products_of(values, seeds, np.empty((SEEDS_AT_ONCE, 2), np.float32), 0, 2)
