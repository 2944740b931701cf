"""Mass-univariate linear models: one model for every voxel, vertex, region or table column.

The design is factored once, X = Q R. For the data of a voxel y the scores Q'y are its coefficients in the basis Q, and
every estimate, standard error and sum of squares of a contrast is a combination of the scores; the residual sum
of squares is summed from the residuals themselves, so that a large mean costs no digits. A covariate with values of
its own in every voxel is one more column of Q there (Frisch and Waugh 1933, doi 10.2307/1907330).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from .arrays import Float64, Int64, Report, read_only
from .collinear import dependent_columns
from .errors import CannotCompute
from .threads import split

VOXELS_AT_ONCE = 128  # a block of data and its residuals stay in a processor's cache
VOXELS_PER_REPORT = 16384
SMALLEST = 1024  # voxels worth handing to another thread
LEAST_DF = 1e-6  # of a group with a variance of its own
# Share of the sum of squares that residuals of float32 and float64 data have by rounding alone.
EXACT_32 = (4 * float(np.finfo(np.float32).eps)) ** 2
EXACT_64 = (64 * float(np.finfo(np.float64).eps)) ** 2
COLLINEAR = 1e-12  # share of a voxelwise covariate's sum of squares that must be left beside the other columns


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of scans that have variances of their own.

    Attributes
    ----------
    labels : tuple
    rss : (G, V) float64
        Residual sum of squares of the scans of each group.
    df : (G, 1) or (G, V) float64
        What a group has of the residual degrees of freedom: the sum of 1 - leverage over its scans.
    gram : (G, 1, p, p) or (G, V, p + m, p + m) float64
        Sum of q q' over the scans of a group, q a row of Q.
    """

    labels: tuple[Any, ...]
    rss: Float64
    df: Float64
    gram: Float64


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model.

    Attributes
    ----------
    design : (n, p) float64, read-only
    triangle : (p, p) float64, read-only
        R of the design.
    scores : (p + m, V) float64, read-only
        Coefficients in the basis; after the p of the design those of the m voxelwise covariates.
    rss : (V,) float64, read-only
        Residual sum of squares; NaN where the model has none (NaN, constant or perfectly fitted data).
    covariates : (V, p + m, m) float64 or None
        Last m columns of the voxels' own R.
    groups : Groups or None
    """

    design: Float64
    triangle: Float64
    scores: Float64
    rss: Float64
    covariates: Float64 | None = None
    groups: Groups | None = None

    @property
    def n(self) -> int:
        """Scans."""
        return self.design.shape[0]

    @property
    def p(self) -> int:
        """Columns, voxelwise covariates included."""
        return self.scores.shape[0]

    @property
    def df(self) -> int:
        """Residual degrees of freedom."""
        return self.n - self.p

    def coefficients(self) -> Float64:
        """Least-squares coefficients, (p + m, V)."""
        rows = self.rows(np.eye(self.p))
        return rows[0] @ self.scores if len(rows) == 1 else np.einsum("vqp,pv->qv", rows, self.scores)

    def rows(self, weights: Float64) -> Float64:
        """Weights of the scores instead of the coefficients, C R^-1: (1, q, p), or (V, q, p + m) per voxel."""
        fixed = self.triangle.shape[0]
        shared = solve_triangular(self.triangle, weights[:, :fixed].T, trans="T").T
        if self.covariates is None:
            return shared[None]
        own = weights[:, fixed:] - np.einsum("qp,vpm->vqm", shared, self.covariates[:, :fixed])
        corner = self.covariates[:, fixed:]
        with np.errstate(all="ignore"):
            for k in range(corner.shape[1]):  # forward substitution, all voxels at once
                own[:, :, k] -= np.einsum("vqj,vj->vq", own[:, :, :k], corner[:, :k, k])
                own[:, :, k] /= corner[:, k, k][:, None]
        return np.concatenate([np.broadcast_to(shared, (len(own), *shared.shape)), own], axis=2)


def fit(
    data: NDArray[Any],
    design: NDArray[Any],
    voxelwise: NDArray[Any] | None = None,
    variance_groups: NDArray[Any] | None = None,
    report: Report | None = None,
) -> Fit:
    """Ordinary least squares in every voxel.

    Parameters
    ----------
    data : (n, V) float32 or float64
        One row per scan.
    design : (n, p) float
        Of full rank.
    voxelwise : (m, n, V) float32 or float64, optional
        Covariates with a value for every scan in every voxel.
    variance_groups : (n,), optional
        Label of the group of each scan; every group then has a variance of its own (see `glm.test`).
    report : callable, optional

    Returns
    -------
    Fit
        NaN in voxels where data or a voxelwise covariate has a NaN or an infinity, where the data are constant or
        fitted without residual, and where a voxelwise covariate depends on the other columns.

    Raises
    ------
    CannotCompute
        When no residual degree of freedom is left, the columns depend on each other or shapes do not agree.
    """
    x = np.ascontiguousarray(design, dtype=np.float64)
    y = _kernel_array(data)
    covariates = np.empty((0, len(x), y.shape[1]), y.dtype) if voxelwise is None else _kernel_array(voxelwise, y.dtype)
    _check(x, y, covariates)
    basis, triangle = np.linalg.qr(x)
    of_scan, labels = _groups(variance_groups, len(x))
    k, v = x.shape[1] + len(covariates), y.shape[1]
    scores, rss = np.empty((k, v)), np.empty((len(labels), v))
    triangles = np.empty((v, k, len(covariates)))
    own_gram = len(covariates) > 0 and len(labels) > 1
    gram = np.zeros((len(labels), v if own_gram else 0, k, k))
    arguments = (y, read_only(covariates), read_only(np.ascontiguousarray(basis)), read_only(of_scan))
    for start in range(0, v, VOXELS_PER_REPORT):
        if report is not None:
            report(start / v)
        stop = min(v, start + VOXELS_PER_REPORT)

        def part(first: int, last: int, start: int = start) -> None:
            _fit(arguments, (scores, rss, triangles, gram), start + first, start + last)

        split(part, stop - start, smallest=SMALLEST)
    if not own_gram:
        gram = np.stack([basis[of_scan == g].T @ basis[of_scan == g] for g in range(len(labels))])[:, None]
    return Fit(
        design=read_only(x),
        triangle=read_only(triangle),
        scores=read_only(scores),
        rss=read_only(rss.sum(axis=0)),
        covariates=read_only(triangles) if len(covariates) else None,
        groups=None if variance_groups is None else _variances(labels, of_scan, rss, gram),
    )


def _kernel_array(values: NDArray[Any], dtype: Any = None) -> NDArray[Any]:
    """As the kernel wants it: float32 or float64, C-contiguous, read-only."""
    given = np.asarray(values)
    kind = dtype or (np.float32 if given.dtype == np.float32 else np.float64)
    return read_only(np.ascontiguousarray(given, dtype=kind))


def _check(x: Float64, y: NDArray[Any], covariates: NDArray[Any]) -> None:
    if y.ndim != 2 or x.ndim != 2 or len(x) != len(y) or covariates.shape[1:] != y.shape:
        raise CannotCompute(
            f"data of shape {y.shape}, a design of {x.shape} and voxelwise covariates of {covariates.shape} do not agree",
            "give one row of each for every scan",
        )
    if not np.isfinite(x).all():
        raise CannotCompute("the design has a value that is not finite", "look at the covariates")
    columns = x.shape[1] + len(covariates)
    if len(x) <= columns:
        raise CannotCompute(
            f"{len(x)} scans cannot estimate {columns} columns: no residual degree of freedom",
            "use fewer columns or more scans",
        )
    if involved := dependent_columns(x):
        listed = ", ".join(str(k + 1) for k in involved)
        raise CannotCompute(f"the columns {listed} of the design depend on each other", "leave one of them out")


def _groups(labels: NDArray[Any] | None, n: int) -> tuple[Int64, tuple[Any, ...]]:
    if labels is None:
        return np.zeros(n, np.int64), (None,)
    if len(labels) != n:
        raise CannotCompute(f"{len(labels)} scans have a variance group, {n} are in the design", "give one for each scan")
    found, of_scan = np.unique(np.asarray(labels), return_inverse=True)
    return of_scan.astype(np.int64), tuple(found.tolist())


def _variances(labels: tuple[Any, ...], of_scan: Int64, rss: Float64, gram: Float64) -> Groups:
    size = np.bincount(of_scan, minlength=len(labels))
    df = size[:, None] - np.trace(gram, axis1=2, axis2=3)
    for label, most in zip(labels, df.max(axis=1), strict=True):
        if most < LEAST_DF:
            raise CannotCompute(
                f"the scans of group '{label}' leave no residual to take a variance from", "pool the variances"
            )
    return Groups(labels, read_only(rss), read_only(df), read_only(gram))


@njit(cache=True, nogil=True)
def _fit(given: Any, made: Any, start: int, stop: int) -> None:
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
        _project(data[:, first : first + size], basis, residual, found)
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
def _project(values: Any, basis: Float64, residual: Float64, found: Float64) -> None:
    """Scores of the values in the basis, and what remains of them."""
    n, size = values.shape
    p = basis.shape[1]
    found[:p] = 0.0
    for i in range(n):
        for b in range(size):
            residual[i, b] = np.float64(values[i, b])
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
    _project(values, basis, residual, found)
    for k in range(j):
        _remove(own[k], residual, found[p + k], size)
    _project(residual[:, :size].copy(), basis, residual, once)
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
    limit = EXACT_32 if values.dtype == np.float32 else EXACT_64
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
    for dtype in (np.float32, np.float64):
        data = np.arange(6, dtype=dtype).reshape(3, 2) ** 2
        fit(data, np.ones((3, 1)))
