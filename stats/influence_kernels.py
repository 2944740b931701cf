"""The most influential scan of many voxels: `influence` without its tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .arrays import Float64, read_only
from .glm_kernels import project

VOXELS_AT_ONCE = 128  # a block of data and its residuals stay in a processor's cache
EXACT = 1e-13  # share of a sum of squares that is rounding


@njit(cache=True, nogil=True)
def worst_scans(given: Any, made: Any, start: int, stop: int) -> None:
    """Voxels start to stop, a block of them at a time; every inner loop runs over neighbouring voxels."""
    data, basis, remains, share = given
    n, p = basis.shape
    residual, found = np.empty((n, VOXELS_AT_ONCE)), np.empty((p, VOXELS_AT_ONCE))
    rss, estimate = np.empty(VOXELS_AT_ONCE), np.empty(VOXELS_AT_ONCE)
    for first in range(start, stop, VOXELS_AT_ONCE):
        size = min(VOXELS_AT_ONCE, stop - first)
        block = data[:, first : first + size]
        project(block, basis, residual, found)
        _sums(block, residual, share, rss, estimate)
        _nothing_known(made, first, size)
        for i in range(n):
            _leave_out(i, residual[i, :size], (rss, estimate, basis, remains, share), made, first)
        for b in range(first, first + size):
            if made[0][b] < 0:
                made[1][b] = made[2][b] = made[3][b] = made[4][b] = np.nan


@njit(cache=True, nogil=True)
def _sums(block: Any, residual: Float64, share: Float64, rss: Float64, estimate: Float64) -> None:
    n, size = block.shape
    total = np.zeros(size)
    rss[:] = 0.0
    estimate[:] = 0.0
    for i in range(n):
        for b in range(size):
            value = np.float64(block[i, b])
            total[b] += value**2
            rss[b] += residual[i, b] ** 2
            estimate[b] += share[i] * value
    for b in range(size):
        if not rss[b] > EXACT * total[b]:
            rss[b] = np.nan


@njit(cache=True, nogil=True)
def _nothing_known(made: Any, first: int, size: int) -> None:
    scan, dfbetas, cook, low, high = made
    scan[first : first + size] = -1
    dfbetas[first : first + size] = 0.0
    cook[first : first + size] = -np.inf
    low[first : first + size] = np.inf
    high[first : first + size] = -np.inf


@njit(cache=True, nogil=True)
def _leave_out(i: int, residual: Float64, known: Any, made: Any, first: int) -> None:
    """Scan i in a block of voxels: the formulas of `influence`."""
    rss, estimate, basis, remains, share = known
    scan, dfbetas, cook, low, high = made
    n, p = basis.shape
    if not remains[i] > 0:
        return
    factor = np.sum(share**2)
    own = factor + share[i] ** 2 / remains[i]
    for b in range(residual.size):
        deleted = residual[b] / remains[i]
        variance = (rss[b] - residual[b] * deleted) / (n - p - 1)
        at = first + b
        cook[at] = max(cook[at], deleted**2 * (1 - remains[i]) / (p * rss[b] / (n - p)))
        if variance > EXACT * rss[b]:
            change = share[i] * deleted
            size = change / np.sqrt(variance * factor)
            t = (estimate[b] - change) / np.sqrt(variance * own)
            low[at], high[at] = min(low[at], t), max(high[at], t)
            if scan[at] < 0 or abs(size) > abs(dfbetas[at]):
                scan[at], dfbetas[at] = i, size


def compile_kernels() -> None:
    """Compile for the types that are used."""
    basis = read_only(np.full((3, 1), np.sqrt(1 / 3)))
    column = read_only(np.full(3, 1 / 3))
    made = (np.empty(1, np.int64), np.empty(1), np.empty(1), np.empty(1), np.empty(1))
    for dtype in (np.float32, np.float64):
        worst_scans((read_only(np.eye(3, 1, dtype=dtype)), basis, column, column), made, 0, 1)
