"""The statistic of rearranged residuals when groups may differ in variance.

The v of Aspin and Welch for one row of a contrast, and the G of Winkler et al. 2014 (NeuroImage 92, equations 8 and 9)
for several; the estimates are those of ordinary least squares. Without groups it is the share of explained variance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .arrays import FAST_MATH, Float64, Int64

NOTHING = 1e-12  # share of variance that counts as none


@njit(cache=True, nogil=True)
def group_store(n_groups: int, p: int, n: int) -> tuple[Float64, Float64, Float64, Float64, Float64, Float64]:
    """Room for one thread: what `group_moments` fills, and what `g_statistic` works in."""
    of_groups = np.zeros((n_groups, p, p)), np.zeros(n_groups), np.zeros(n_groups)
    work = np.zeros((p, p)), np.zeros(n_groups), np.zeros(n)
    return of_groups + work


@njit(cache=True, nogil=True)
def group_moments(basis: Float64, groups: Int64, store: Any) -> None:
    """Of each variance group: products of orthonormal columns (p, n), its share of the residual df, and its size."""
    moments, df, size = store[:3]
    if not df.size:
        return
    p, n = basis.shape
    moments[:] = 0
    df[:] = 0
    size[:] = 0
    for i in range(n):
        g = groups[i]
        size[g] += 1
        df[g] += 1
        for a in range(p):
            df[g] -= basis[a, i] * basis[a, i]
            for b in range(p):
                moments[g, a, b] += basis[a, i] * basis[b, i]


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def g_statistic(basis: Float64, moved: Float64, along: Float64, groups: Int64, store: Any, n_tested: int) -> float:
    """G; with one tested column v squared; without variance groups the share of explained variance.

    With orthonormal columns, C (M'WM)^-1 C' is the tested part of the inverse of the weighted moments, and its inverse
    what elimination of the nuisance leaves of them.

    Parameters
    ----------
    basis : (p, n)
        Orthonormal, the tested columns last.
    moved : (n,)
        Rearranged unit residuals.
    along : (p,)
        Their products with the columns.
    groups : (n,)
    store : from `group_moments`
    n_tested : int
    """
    df, weighted, weights = store[1], store[3], store[4]
    free = along.size - n_tested
    if not df.size:
        return _explained(along, free)
    _group_weights(basis, moved, along, groups, store)
    _weighted_moments(store)
    for c in range(free):
        for a in range(c + 1, along.size):
            factor = weighted[a, c] / weighted[c, c]
            for b in range(c + 1, along.size):
                weighted[a, b] -= factor * weighted[c, b]
    total = 0.0
    for a in range(free, along.size):
        for b in range(free, along.size):
            total += along[a] * weighted[a, b] * along[b]
    return total / n_tested / _lambda(weights, df, store[2], n_tested)


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _explained(along: Float64, free: int) -> float:
    tested, rest = 0.0, 1.0
    for c in range(free):
        rest -= along[c] * along[c]
    for c in range(free, along.size):
        tested += along[c] * along[c]
    return tested / max(rest, NOTHING)


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _group_weights(basis: Float64, moved: Float64, along: Float64, groups: Int64, store: Any) -> None:
    """The inverse of each group's residual variance."""
    df, weights, rest = store[1], store[4], store[5]
    rest[:] = moved
    for c in range(along.size):
        row, weight = basis[c], along[c]
        for i in range(rest.size):
            rest[i] -= weight * row[i]
    weights[:] = 0
    for i in range(rest.size):
        weights[groups[i]] += rest[i] * rest[i]
    for g in range(df.size):
        weights[g] = df[g] / max(weights[g], NOTHING)


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _weighted_moments(store: Any) -> None:
    moments, weighted, weights = store[0], store[3], store[4]
    weighted[:] = 0
    for g in range(weights.size):
        for a in range(weighted.shape[0]):
            for b in range(weighted.shape[0]):
                weighted[a, b] += weights[g] * moments[g, a, b]


@njit(cache=True, nogil=True)
def _lambda(weights: Float64, df: Float64, size: Float64, n_tested: int) -> float:
    """Welch's correction, as in equation 9."""
    if n_tested == 1:
        return 1.0
    trace, spread = 0.0, 0.0
    for g in range(df.size):
        trace += weights[g] * size[g]
    for g in range(df.size):
        spread += (1 - weights[g] * size[g] / trace) ** 2 / df[g]
    return 1 + 2 * (n_tested - 1) / (n_tested * (n_tested + 2)) * spread
