"""The statistic of rearranged residuals when groups may differ in variance.

The v of Aspin and Welch for one row of a contrast, and the G of Winkler et al. 2014 (NeuroImage 92, equations 8 and 9)
for several; the estimates are those of ordinary least squares. Without groups it is the share of explained variance.

The degrees of freedom of v and G differ between voxels and arrangements: the largest v would belong to those with few.
So they are compared as the chi-square of as many degrees of freedom as the contrast has rows, which every voxel shares
(`equivalent`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .arrays import FAST_MATH, Float64, Int64

NOTHING = 1e-12  # share of variance that counts as none
LEAST_DF = 1e-8  # of a group


@njit(cache=True, nogil=True)
def group_store(n_groups: int, p: int, n: int) -> tuple[Float64, Float64, Float64, Float64, Float64, Float64, Float64]:
    """Room for one thread: what `group_moments` fills, and what `g_statistic` works in."""
    of_groups = np.zeros((n_groups, p, p)), np.zeros(n_groups), np.zeros(n_groups)
    work = np.zeros((p, p)), np.zeros(n_groups), np.zeros(n), np.zeros(p)
    return of_groups + work


@njit(cache=True, nogil=True)
def group_moments(basis: Float64, groups: Int64, store: Any) -> bool:
    """Of each variance group: products of orthonormal columns (p, n), its share of the residual df, and its size.

    False when the columns leave nothing of a group.
    """
    moments, df, size = store[:3]
    if not df.size:
        return True
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
    return df.min() > LEAST_DF


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def g_statistic(
    basis: Float64, moved: Float64, along: Float64, groups: Int64, store: Any, n_tested: int
) -> tuple[float, float]:
    """G (with one tested column v squared) and its degrees of freedom.

    Without variance groups the share of explained variance, and 0. With orthonormal columns, C (M'WM)^-1 C' is the
    tested part of the inverse of the weighted moments, and its inverse what elimination of the nuisance leaves of them.

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
        return _explained(along, free), 0.0
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
    if n_tested == 1:
        return total, _satterthwaite(store)
    spread = _spread(weights, df, store[2])
    welch = 1 + 2 * (n_tested - 1) / (n_tested * (n_tested + 2)) * spread
    return total / n_tested / welch, n_tested * (n_tested + 2) / (3 * spread)


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def equivalent(statistic: float, df: float, n_tested: int) -> float:
    """The chi-square of `n_tested` degrees of freedom that is as unlikely as v squared or G, nearly.

    For v the square of Wallace's z (1959, Annals of Mathematical Statistics 30, 1121): too small by at most 0.04 for z
    up to 6 at 10 degrees of freedom, 0.13 at 5. For G Bartlett's multiple of the logarithm of the likelihood ratio
    (1938, Proceedings of the Cambridge Philosophical Society 34, 33): exact for two rows, for three its root is too
    large by at most 0.06 at 10 degrees of freedom, 0.17 at 5.
    """
    if n_tested == 1:
        factor = (8 * df + 1) / (8 * df + 3)
        return factor * factor * df * np.log1p(statistic / df)
    return (df + n_tested / 2 - 1) * np.log1p(n_tested * statistic / df)


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


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _satterthwaite(store: Any) -> float:
    """Degrees of freedom of the variance of the last column's coefficient, after elimination of the others.

    With u the last column of (M'WM)^-1, group g has the share w_g u' M_g u of the variance (Satterthwaite 1946,
    Biometrics Bulletin 2, 110); for two group means these are Welch's.
    """
    moments, df, weighted, weights, column = store[0], store[1], store[3], store[4], store[6]
    last = column.size - 1
    column[last] = 1
    for c in range(last - 1, -1, -1):
        total = 0.0
        for b in range(c + 1, last + 1):
            total += weighted[c, b] * column[b]
        column[c] = -total / weighted[c, c]
    spread = 0.0
    for g in range(df.size):
        total = 0.0
        for a in range(last + 1):
            for b in range(last + 1):
                total += column[a] * moments[g, a, b] * column[b]
        share = weights[g] * total / weighted[last, last]
        spread += share * share / df[g]
    return 1 / spread


@njit(cache=True, nogil=True)
def _spread(weights: Float64, df: Float64, size: Float64) -> float:
    """The sum in Welch's correction (equation 9), which his degrees of freedom follow from too (1951)."""
    trace, spread = 0.0, 0.0
    for g in range(df.size):
        trace += weights[g] * size[g]
    for g in range(df.size):
        spread += (1 - weights[g] * size[g] / trace) ** 2 / df[g]
    return spread
