"""A contrast of a linear model over runs, reduced to a few orthonormal combinations of them.

The first of these span the contrast. So each voxel needs no more than its products with them: estimate, residual and
statistic follow from their squares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Float64, Int64, read_only
from .errors import CannotCompute

Combination = Literal["difference", "mean"]

RANK = 1e-10


@dataclass(frozen=True, eq=False)
class GroupTest:
    """A contrast of a linear model of Fisher z over N runs.

    Attributes
    ----------
    pairs : (n, 2) int64, read-only
        Runs of each observation.
    weights : (2,) float64, read-only
        Of the two runs of a pair: (1, 0) where an observation is one run.
    basis : (p, n) float64, read-only
        Orthonormal; the first q rows span the contrast.
    q : int
        1 for t, more for F; 0 tests the voxelwise covariate.
    scale : float
        The estimate is ``scale`` times the product with the first row.
    """

    pairs: Int64
    weights: Float64
    basis: Float64
    q: int
    scale: float

    def residual_df(self, *, voxelwise: bool = False) -> int:
        """Observations less columns."""
        return self.basis.shape[1] - self.basis.shape[0] - voxelwise


def one_per_run(n_runs: int) -> Int64:
    """Pairs of observations that are one run each."""
    return np.repeat(np.arange(n_runs, dtype=np.int64)[:, None], 2, axis=1)


def group_test(
    design: ArrayLike, contrast: ArrayLike, pairs: Int64 | None = None, combined: Combination = "difference"
) -> GroupTest:
    """Reduce a design and a contrast to what each voxel needs.

    Parameters
    ----------
    design : (n, p)
        One row per observation.
    contrast : (p,) or (q, p)
        Weights of the columns: one row for t, several for F; none, (0, p), to test the voxelwise covariate.
    pairs : (n, 2) int, optional
        The two runs of each observation, of which the difference (first minus second) or mean is modelled; without
        it observation i is run i.
    combined : str

    Raises
    ------
    CannotCompute
        When a column repeats others, no residual degree of freedom remains, or the contrast says nothing.
    """
    x = np.atleast_2d(np.asarray(design, dtype=np.float64))
    c = np.atleast_2d(np.asarray(contrast, dtype=np.float64)).reshape(-1, x.shape[1])
    n, p = x.shape
    if n <= p:
        raise CannotCompute(f"{n} observations are too few for {p} columns", "add runs or take covariates out")
    # columns of the same length, so that the smallest singular value tells of repetition and not of units
    length = np.sqrt(np.einsum("ij,ij->j", x, x))
    if not (np.isfinite(length).all() and (length > 0).all()):
        raise CannotCompute("a column of the design is 0 or not finite", "take it out")
    x, c = x / length, c / length
    singular = np.linalg.svd(x, compute_uv=False)
    if singular[-1] < RANK * singular[0]:
        raise CannotCompute("a column of the design repeats others", "take covariates out")
    q, r = np.linalg.qr(x)
    seen = np.linalg.solve(r.T, c.T)  # the contrast in the coordinates of the orthonormal columns, (p, q)
    if len(c) and np.linalg.matrix_rank(seen, tol=RANK * np.abs(seen).max(initial=1)) < len(c):
        raise CannotCompute("a row of the contrast is 0 or repeats others", "take it out")
    turn, triangle = np.linalg.qr(seen, mode="complete")
    basis, scale = (q @ turn).T, 1.0
    if len(c):
        scale = abs(float(triangle[0, 0]))
        basis[0] *= np.sign(triangle[0, 0])
    weights = (1.0, 0.0) if pairs is None else ((1.0, -1.0) if combined == "difference" else (0.5, 0.5))
    runs = one_per_run(n) if pairs is None else np.ascontiguousarray(pairs, dtype=np.int64)
    if runs.shape != (n, 2):
        raise CannotCompute(f"{len(runs)} pairs of runs do not fit {n} rows of the design", "give one pair per row")
    return GroupTest(
        read_only(runs), read_only(np.array(weights)), read_only(np.ascontiguousarray(basis)), len(c), scale
    )
