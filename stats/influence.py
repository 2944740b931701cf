"""What one scan does to a result: every answer without it, from one fit.

Belsley, Kuh and Welsch (1980), Regression Diagnostics, chapter 2; Cook (1977, doi 10.2307/1268249). Leaving scan i out
of least squares with leverage h and residual e changes the coefficients by (X'X)^-1 x e / (1 - h): nothing is fitted
again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Float64, Int64, Report, read_only
from .collinear import dependent_columns
from .errors import CannotCompute
from .glm_fit import in_pieces, kernel_array
from .influence_kernels import EXACT, worst_scans

DETERMINED = 1e-10  # 1 - leverage of a scan that alone determines a coefficient


class Influence(NamedTuple):
    """A contrast without each scan in turn; NaN where it cannot be estimated without that scan.

    Attributes
    ----------
    estimate, t : (n, V) float64
        Without the scan.
    dfbetas : (n, V) float64
        Change of the estimate by the scan, in standard errors (with the variance without it). Beyond 2 / sqrt(n) a scan
        is worth a look.
    cook : (n, V) float64
        Cook's distance, of all coefficients together.
    studentised : (n, V) float64
        Residual by its standard deviation without the scan; t distributed with n - p - 1 degrees of freedom.
    leverage : (n,) float64
    """

    estimate: Float64
    t: Float64
    dfbetas: Float64
    cook: Float64
    studentised: Float64
    leverage: Float64


class InfluenceMaps(NamedTuple):
    """The scan that matters most in every voxel.

    Attributes
    ----------
    scan : (V,) int64
        With the largest absolute DFBETAS; -1 where the voxel has no answer.
    dfbetas : (V,) float64
        Of that scan.
    cook : (V,) float64
        Largest Cook's distance.
    lowest_t, highest_t : (V,) float64
        Over all scans left out.
    """

    scan: Int64
    dfbetas: Float64
    cook: Float64
    lowest_t: Float64
    highest_t: Float64


def influence(data: NDArray[Any], design: ArrayLike, weights: ArrayLike) -> Influence:
    """Leave each scan out in turn.

    Parameters
    ----------
    data : (n, V) float
        For one voxel with covariates of its own, give V = 1 and put them into the design.
    design : (n, p) float
        Of full rank, n > p + 1.
    weights : (p,) float
        Of the contrast.

    Returns
    -------
    Influence

    Raises
    ------
    CannotCompute
        When too few scans are left or the design has not full rank.
    """
    x, c = _checked(design, weights)
    return _influence(np.asarray(data), _Leverage.of(x, c))


def influence_maps(
    data: NDArray[Any], design: ArrayLike, weights: ArrayLike, report: Report | None = None
) -> InfluenceMaps:
    """The most influential scan of every voxel, a block of voxels at a time; otherwise as `influence`."""
    x, c = _checked(design, weights)
    values, known = kernel_array(data), _Leverage.of(x, c)
    v = values.shape[1]
    given = (values, *(read_only(np.ascontiguousarray(part)) for part in (known.basis, known.remains, known.share)))
    made = (np.empty(v, np.int64), np.empty(v), np.empty(v), np.empty(v), np.empty(v))
    in_pieces(lambda start, stop: worst_scans(given, made, start, stop), v, report)
    return InfluenceMaps(*made)


class _Leverage(NamedTuple):
    """What depends on the design alone: its basis, leverages, and weights of the scans in the estimate."""

    basis: Float64
    leverage: Float64
    remains: Float64
    share: Float64

    @classmethod
    def of(cls, x: Float64, c: Float64) -> _Leverage:
        basis, triangle = np.linalg.qr(x)
        leverage = (basis**2).sum(axis=1)
        remains = np.where(1 - leverage > DETERMINED, 1 - leverage, np.nan)
        return cls(basis, leverage, remains, np.asarray(basis @ np.linalg.solve(triangle.T, c), np.float64))


def _checked(design: ArrayLike, weights: ArrayLike) -> tuple[Float64, Float64]:
    x, c = np.asarray(design, np.float64), np.asarray(weights, np.float64).ravel()
    if c.size != x.shape[1]:
        raise CannotCompute(
            f"the contrast has {c.size} weights, the model {x.shape[1]} columns", "give one row of weights"
        )
    if len(x) < x.shape[1] + 2:
        raise CannotCompute(
            f"{len(x)} scans and {x.shape[1]} columns leave nothing when one scan is left out", "use fewer columns"
        )
    if dependent_columns(x):
        raise CannotCompute("the columns of the design depend on each other", "leave one of them out")
    return x, c


def _influence(data: NDArray[Any], design: _Leverage) -> Influence:
    n, p = design.basis.shape
    y = np.asarray(data, np.float64)
    remains, share = design.remains[:, None], design.share[:, None]
    with np.errstate(all="ignore"):
        residual = y - design.basis @ (design.basis.T @ y)
        estimate = design.share @ y
        rss = (residual**2).sum(axis=0)
        rss = np.where(rss > EXACT * (y**2).sum(axis=0), rss, np.nan)
        deleted = residual / remains
        variance = (rss - residual * deleted) / (n - p - 1)
        variance = np.where(variance > EXACT * rss, variance, np.nan)
        change = share * deleted
        factor = (design.share**2).sum()
        without = estimate - change
        return Influence(
            estimate=without,
            t=without / np.sqrt(variance * (factor + share**2 / remains)),
            dfbetas=change / np.sqrt(variance * factor),
            cook=deleted**2 * design.leverage[:, None] / (p * rss / (n - p)),
            studentised=residual / np.sqrt(variance * remains),
            leverage=design.leverage,
        )
