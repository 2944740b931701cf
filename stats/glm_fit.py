"""Mass-univariate linear models: one model for every voxel, vertex, region or table column.

The design is factored once, X = Q R. For the data of a voxel y the scores Q'y are its coefficients in the basis Q, and
every estimate, standard error and sum of squares of a contrast is a combination of the scores; the residual sum
of squares is summed from the residuals themselves, so that a large mean costs no digits. A covariate with values of
its own in every voxel is one more column of Q there (Frisch and Waugh 1933, doi 10.2307/1907330).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from .arrays import Float64, Int64, Report, read_only
from .collinear import dependent_columns
from .errors import CannotCompute
from .glm_kernels import fit_voxels
from .threads import split

VOXELS_PER_REPORT = 16384
SMALLEST = 1024  # voxels worth handing to another thread
LEAST_DF = 1e-6  # of a group with a variance of its own


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
        shared = solve_triangular(self.triangle, weights[:, :fixed].T, trans=1).T
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
        Label of the group of each scan; every group then has a variance of its own (see `glm.test`). Together with
        `voxelwise` this takes G V (p + m)^2 numbers: 0.1 GB for 2 groups, 200,000 voxels and 6 columns.
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
    y = kernel_array(data)
    covariates = np.empty((0, len(x), y.shape[1]), y.dtype) if voxelwise is None else kernel_array(voxelwise, y.dtype)
    _check(x, y, covariates)
    basis, triangle = np.linalg.qr(x)
    of_scan, labels = _groups(variance_groups, len(x))
    k, v = x.shape[1] + len(covariates), y.shape[1]
    scores, rss = np.empty((k, v)), np.empty((len(labels), v))
    triangles = np.empty((v, k, len(covariates)))
    own_gram = len(covariates) > 0 and len(labels) > 1
    gram = np.zeros((len(labels), v if own_gram else 0, k, k))
    given = (y, read_only(covariates), read_only(np.ascontiguousarray(basis)), read_only(of_scan))
    made = (scores, rss, triangles, gram)
    in_pieces(lambda start, stop: fit_voxels(given, made, start, stop), v, report)
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


def in_pieces(kernel: Callable[[int, int], None], n: int, report: Report | None) -> None:
    """Call ``kernel(start, stop)`` for all of ``range(n)``, spread over the processors, reporting on the way."""
    for start in range(0, n, VOXELS_PER_REPORT):
        if report is not None:
            report(start / n)
        size = min(n - start, VOXELS_PER_REPORT)
        split(lambda first, last, start=start: kernel(start + first, start + last), size, smallest=SMALLEST)


def kernel_array(values: NDArray[Any], dtype: Any = None) -> NDArray[Any]:
    """Data as the kernels want them: float32 or float64, C-contiguous, read-only."""
    given = np.asarray(values)
    kind = dtype or (np.float32 if given.dtype == np.float32 else np.float64)
    return read_only(np.ascontiguousarray(given, dtype=kind))


def _check(x: Float64, y: NDArray[Any], covariates: NDArray[Any]) -> None:
    if y.ndim != 2 or x.ndim != 2 or len(x) != len(y) or covariates.shape[1:] != y.shape:
        raise CannotCompute(
            f"data {y.shape}, design {x.shape} and voxelwise covariates {covariates.shape} do not agree in shape",
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
        raise CannotCompute(
            f"{len(labels)} scans have a variance group, {n} are in the design", "give one for each scan"
        )
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
