"""The confidence band of one fitted line, with what else a model explains held at its mean."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Float64
from .errors import CannotCompute
from .trajectories import t_quantile


class FitBand(NamedTuple):
    """A fitted line and its pointwise 95 % confidence interval, (k,) each, at ``at`` of the tested regressor."""

    at: Float64
    fit: Float64
    low: Float64
    high: Float64


def fit_band(y: ArrayLike, nuisance: ArrayLike, tested: ArrayLike, at: ArrayLike) -> FitBand:
    """The expected value of ``y`` over one regressor, from ordinary least squares.

    Its standard error is that of the linear combination (mean of the nuisance columns, ``at``) of the coefficients
    (Draper and Smith 1998, Applied Regression Analysis, section 5.3).

    Parameters
    ----------
    y : (n,) float
    nuisance : (n, p - 1) float
        What else the model explains, the intercept among it.
    tested : (n,) float
        The regressor.
    at : (k,) float
        Values of the regressor.

    Raises
    ------
    CannotCompute
        When no degree of freedom is left or the columns depend on each other.
    """
    values, others, places = (np.asarray(each, np.float64) for each in (y, nuisance, at))
    x = np.column_stack([others, np.asarray(tested, np.float64)])
    n, p = x.shape
    if n <= p or np.linalg.matrix_rank(x) < p:
        raise CannotCompute("the fitted line has no interval", "use fewer columns or more scans")
    basis, triangle = np.linalg.qr(x)
    scores = basis.T @ values
    residual = values - basis @ scores
    combined = np.column_stack([np.tile(others.mean(axis=0), (len(places), 1)), places])
    rows = np.linalg.solve(triangle.T, combined.T).T
    line = rows @ scores
    half = t_quantile(n - p) * np.sqrt(residual @ residual / (n - p)) * np.linalg.norm(rows, axis=1)
    return FitBand(places, line, line - half, line + half)
