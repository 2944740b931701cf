"""How much a correlation within one run means: degrees of freedom that autocorrelation leaves.

Neighbouring volumes resemble each other, so n volumes are fewer than n independent looks. Bartlett (1946,
doi 10.2307/2983611): the variance of the correlation of two unrelated series is that of
``n / (1 + 2 sum_k rho_x(k) rho_y(k))`` independent volumes, with the autocorrelations rho at lags k.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import toeplitz
from scipy.special import betainc

from .arrays import Bool, Float32, Float64, Report
from .confounds import Design
from .correlate import seed_map
from .prepare import rows_at_once
from .rows import UnitRows

METHOD = "two-sided t test with Bartlett's effective degrees of freedom"
LAGS = 4  # of n volumes, lags up to n / 4 count: the others are estimated from too few pairs


class Significance(NamedTuple):
    """Correlations of one run with their two-sided p.

    Attributes
    ----------
    r : (V,) float32
    df : (V,) float32
        Effective degrees of freedom of the test; at least 1.
    p : (V,) float64
        Uncorrected; NaN where r is.
    """

    r: Float32
    df: Float32
    p: Float64


def significance(rows: UnitRows, seed: Float64, design: Design, report: Report | None = None) -> Significance:
    """Correlate a seed with every row and test each correlation against 0.

    Parameters
    ----------
    rows : UnitRows
        Prepared with `design`.
    seed : (D,)
        As for `seed_map`.
    design : Design
    report : callable, optional

    Returns
    -------
    Significance
    """
    r = seed_map(rows, seed)
    df = effective_df(rows, seed, design, report)
    return Significance(r, df, two_sided_p(r, df))


def effective_df(rows: UnitRows, seed: Float64, design: Design, report: Report | None = None) -> Float32:
    """Degrees of freedom of each row's correlation with a seed.

    ``n / (1 + 2 sum_k rho_x(k) rho_y(k)) - regressors - 1`` over the n kept volumes, lags up to n / 4, each
    autocorrelation the mean over the pairs that are kept. The regressors are the polynomials and confounds; what the
    band takes shows in the autocorrelations and is not taken twice. Never more than the residual degrees of
    freedom less 1, never less than 1.

    Returns
    -------
    (V,) float32
        NaN for rows without a correlation.
    """
    kept = design.kept
    n = int(kept.sum())
    regressors = design.basis.shape[1] - design.n_filter
    lagged = _lagged_products(rows, seed, kept)
    result = np.empty(len(rows.unit), np.float32)
    block = rows_at_once(rows.unit)
    for start in range(0, len(result), block):
        part = rows.unit[start : start + block]
        with np.errstate(invalid="ignore"):  # rows without a correlation are NaN
            excess = np.einsum("vd,vd->v", part @ lagged, part)
        effective = n / np.maximum(1 + excess, 1 / n)
        result[start : start + block] = np.clip(effective - regressors - 1, 1, max(1, design.residual_df - 1))
        if report:
            report(min(1.0, (start + block) / len(result)))
    return result


def two_sided_p(r: ArrayLike, df: ArrayLike) -> Float64:
    """P of a correlation at least this far from 0 by chance, t test with df degrees of freedom."""
    r_ = np.asarray(r, dtype=np.float64)
    # the beta distribution's form of Student's t; 1 - r^2 as a product keeps its digits near 1
    return betainc(np.asarray(df, dtype=np.float64) / 2, 0.5, np.clip((1 - r_) * (1 + r_), 0, 1))


def _lagged_products(rows: UnitRows, seed: Float64, kept: Bool) -> Float32:
    """The matrix A with ``x A x = 2 sum_k rho_x(k) rho_y(k)`` for a unit row x and the seed's series y."""
    series = rows.in_time(np.asarray(seed, dtype=np.float64))
    n_volumes = len(series)
    n = int(kept.sum())
    lags = np.arange(n_volumes)
    products = np.correlate(series, series, mode="full")[n_volumes - 1 :]
    pairs = np.rint(np.correlate(kept.astype(np.float64), kept.astype(np.float64), mode="full")[n_volumes - 1 :])
    counts = (lags > 0) & (lags <= n // LAGS) & (pairs > 0)
    weight = np.where(counts, products / products[0] * n / np.maximum(pairs, 1), 0)
    matrix = toeplitz(weight)
    return (matrix if rows.basis is None else rows.basis.T @ matrix @ rows.basis).astype(np.float32)
