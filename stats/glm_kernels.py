"""Least squares in many voxels at once: Gram-Schmidt against one basis and each voxel's own covariates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .arrays import Float64, Int64, read_only

VOXELS_AT_ONCE = 128  # a block of data and its residuals stay in a processor's cache
COLLINEAR = 1e-12  # share of a voxelwise covariate's sum of squares that must be left beside the other columns
# Share of the sum of squares that residuals of float32 and float64 data have by rounding alone.
EXACT_32 = (4 * float(np.finfo(np.float32).eps)) ** 2
EXACT_64 = (64 * float(np.finfo(np.float64).eps)) ** 2


@njit(cache=True, nogil=True)
def fit_voxels(given: Any, made: Any, start: int, stop: int) -> None:
    """Voxels start to stop, a block of them at a time; every inner loop runs over neighbouring voxels."""
    data, covariates, basis, of_scan = given
    scores, rss, triangles, gram = made
    n, p, m = basis.shape[0], basis.shape[1], covariates.shape[0]
    residual = np.empty((n, VOXELS_AT_ONCE))
    own = np.empty((m, n, VOXELS_AT_ONCE))
    found = np.empty((p + m, VOXELS_AT_ONCE))
    for first in range(start, stop, VOXELS_AT_ONCE):
        size = min(VOXELS_AT_ONCE, stop - first)
        for j in range(m):
            _orthonormal(covariates[j, :, first : first + size], basis, own, triangles[first : first + size], j)
        project(data[:, first : first + size], basis, residual, found)
        for j in range(m):
            _remove(own[j], residual, found[p + j], size)
        for k in range(p + m):
            scores[k, first : first + size] = found[k, :size]
        rss[:, first : first + size] = 0.0
        for i in range(n):
            for b in range(size):
                rss[of_scan[i], first + b] += residual[i, b] ** 2
        _no_residual(data[:, first : first + size], rss[:, first : first + size])
        if gram.shape[1]:
            for b in range(size):
                _gram(basis, own[:, :, b], of_scan, gram[:, first + b])


@njit(cache=True, nogil=True)
def project(values: Any, basis: Float64, residual: Float64, found: Float64) -> None:
    """Scores of the values in the basis, and what remains of them."""
    n, size = values.shape
    p = basis.shape[1]
    found[:p] = 0.0
    for i in range(n):
        for b in range(size):
            value = np.float64(values[i, b])
            residual[i, b] = value if np.isfinite(value) else np.nan
    for i in range(n):
        for k in range(p):
            weight = basis[i, k]
            for b in range(size):
                found[k, b] += weight * residual[i, b]
    for i in range(n):
        for k in range(p):
            weight = basis[i, k]
            for b in range(size):
                residual[i, b] -= weight * found[k, b]


@njit(cache=True, nogil=True)
def _remove(direction: Float64, residual: Float64, found: Float64, size: int) -> None:
    """Take a direction of each voxel's own out of its residuals."""
    found[:size] = 0.0
    for i in range(residual.shape[0]):
        for b in range(size):
            found[b] += direction[i, b] * residual[i, b]
    for i in range(residual.shape[0]):
        for b in range(size):
            residual[i, b] -= direction[i, b] * found[b]


@njit(cache=True, nogil=True)
def _orthonormal(values: Any, basis: Float64, own: Float64, triangles: Float64, j: int) -> None:
    """The direction that covariate j adds in each voxel, and the column of R that belongs to it.

    Gram-Schmidt, twice: once leaves rounding errors of the size of the mean.
    """
    n, size = values.shape
    p = basis.shape[1]
    residual, found = own[j], np.zeros((p + j, VOXELS_AT_ONCE))
    once = np.empty((p + j, VOXELS_AT_ONCE))
    project(values, basis, residual, found)
    for k in range(j):
        _remove(own[k], residual, found[p + k], size)
    project(residual[:, :size].copy(), basis, residual, once)
    for k in range(j):
        _remove(own[k], residual, once[p + k], size)
    for b in range(size):
        left = total = 0.0
        for i in range(n):
            left += residual[i, b] ** 2
            total += np.float64(values[i, b]) ** 2
        length = np.sqrt(left) if left > COLLINEAR * total else np.nan
        for k in range(p + j):
            triangles[b, k, j] = found[k, b] + once[k, b]
        triangles[b, p + j, j] = length
        for k in range(p + j + 1, triangles.shape[1]):
            triangles[b, k, j] = 0.0
        for i in range(n):
            residual[i, b] /= length


@njit(cache=True, nogil=True)
def _no_residual(values: Any, rss: Float64) -> None:
    """NaN where the residuals are rounding: constant data, perfect fits."""
    n, size = values.shape
    limit = EXACT_32 if values.itemsize == 4 else EXACT_64
    for b in range(size):
        total = left = 0.0
        for i in range(n):
            total += np.float64(values[i, b]) ** 2
        for g in range(rss.shape[0]):
            left += rss[g, b]
        if not left > limit * total:
            rss[:, b] = np.nan


@njit(cache=True, nogil=True)
def _gram(basis: Float64, own: Float64, of_scan: Int64, gram: Float64) -> None:
    """Sum of q q' over the scans of each group in one voxel."""
    n, p = basis.shape
    row = np.empty(gram.shape[1])
    for i in range(n):
        row[:p] = basis[i]
        row[p:] = own[:, i]
        for k in range(row.size):
            for c in range(row.size):
                gram[of_scan[i], k, c] += row[k] * row[c]


def compile_kernels() -> None:
    """Compile for the types that are used."""
    basis = read_only(np.full((2, 1), np.sqrt(0.5)))
    for dtype in (np.float32, np.float64):
        data, covariates = read_only(np.eye(2, 1, dtype=dtype)), read_only(np.empty((0, 2, 1), dtype))
        made = (np.empty((1, 1)), np.empty((1, 1)), np.empty((1, 1, 0)), np.empty((1, 0, 1, 1)))
        fit_voxels((data, covariates, basis, read_only(np.zeros(2, np.int64))), made, 0, 1)
