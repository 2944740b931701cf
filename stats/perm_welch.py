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
def group_store(n_groups: int, p: int) -> tuple[Float64, Float64, Float64]:
    """Room for the moments (groups, p, p), degrees of freedom and sizes (groups,) of each variance group."""
    return np.zeros((n_groups, p, p)), np.zeros(n_groups), np.zeros(n_groups)


@njit(cache=True, nogil=True)
def group_moments(basis: Float64, groups: Int64, of_groups: Any) -> None:
    """Of each variance group: products of orthonormal columns (p, n), and its share of the residual df."""
    moments, df, size = of_groups
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
def g_statistic(basis: Float64, moved: Float64, along: Float64, groups: Int64, of_groups: Any, n_tested: int) -> float:
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
    of_groups : from `group_moments`
    n_tested : int
    """
    moments, df, size = of_groups
    p = along.size
    if not df.size:
        nuisance, tested = along[: p - n_tested], along[p - n_tested :]
        return (tested * tested).sum() / max(1 - (nuisance * nuisance).sum(), NOTHING)
    weights = df / np.maximum(_residual_squares(basis, moved, along, groups, df.size), NOTHING)
    weighted = np.zeros((p, p))
    for g in range(df.size):
        weighted += weights[g] * moments[g]
    for c in range(p - n_tested):
        for a in range(c + 1, p):
            weighted[a, c + 1 :] -= weighted[a, c] / weighted[c, c] * weighted[c, c + 1 :]
    total = 0.0
    for a in range(p - n_tested, p):
        for b in range(p - n_tested, p):
            total += along[a] * weighted[a, b] * along[b]
    return total / n_tested / _lambda(weights, df, size, n_tested)


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _residual_squares(basis: Float64, moved: Float64, along: Float64, groups: Int64, n_groups: int) -> Float64:
    rest = moved.copy()
    for c in range(along.size):
        row, weight = basis[c], along[c]
        for i in range(rest.size):
            rest[i] -= weight * row[i]
    squares = np.zeros(n_groups)
    for i in range(rest.size):
        squares[groups[i]] += rest[i] * rest[i]
    return squares


@njit(cache=True, nogil=True)
def _lambda(weights: Float64, df: Float64, size: Float64, n_tested: int) -> float:
    """Welch's correction, as in equation 9."""
    if n_tested == 1:
        return 1.0
    spread = ((1 - weights * size / (weights * size).sum()) ** 2 / df).sum()
    return 1 + 2 * (n_tested - 1) / (n_tested * (n_tested + 2)) * spread
