"""How much a correlation within one run means: degrees of freedom that autocorrelation and regressors leave.

Neighbouring volumes resemble each other, so n volumes are fewer than n independent looks. Bartlett (1946,
doi 10.2307/2983611): the correlation of two unrelated series varies like that of
``n / (1 + 2 sum_k rho_x(k) rho_y(k))`` independent volumes, with the autocorrelations rho at lags k.

Less the regressors: each takes from n what the seed's autocorrelation puts in its direction. With the matrix R of
autocorrelations, ``R[s, t] = rho_y(|s - t|)``, and the projection P that the design leaves, n becomes ``trace(P R)``:
n less the rank for a seed without autocorrelation; nothing is taken twice from a seed filtered to a band, where the
regressors outside the band hold nothing of it. How often noise is then called an effect: docs/simulations.md.
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

METHOD = "two-sided t test with Bartlett's effective degrees of freedom, less the regressors"
SMALLEST = 1e-6  # of 1 + 2 sum rho rho, which a few estimated lags could carry to 0
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

    ``trace(P R) / (1 + 2 sum_k rho_x(k) rho_y(k)) - 1``, lags up to a quarter of the kept volumes, each
    autocorrelation the mean over the pairs of volumes that are kept. Never more than the residual degrees of
    freedom less 1, never less than 1.

    Parameters
    ----------
    rows : UnitRows
        Prepared with `design`.
    seed : (D,)
    design : Design
    report : callable, optional

    Returns
    -------
    (V,) float32
        NaN for rows without a correlation.
    """
    autocorrelation = _autocorrelation(rows.in_time(np.asarray(seed, dtype=np.float64)), design.kept)
    left = float(np.einsum("td,ts,sd->", design.complement, autocorrelation, design.complement, optimize=True))
    products = autocorrelation if rows.basis is None else rows.basis.T @ autocorrelation @ rows.basis
    matrix = products.astype(np.float32)
    result = np.empty(len(rows.unit), np.float32)
    block = rows_at_once(rows.unit)
    for start in range(0, len(result), block):
        part = rows.unit[start : start + block]
        with np.errstate(invalid="ignore"):  # rows without a correlation are NaN
            looks = left / np.maximum(np.einsum("vd,vd->v", part @ matrix, part), SMALLEST)
        result[start : start + block] = np.clip(looks - 1, 1, max(1, design.residual_df - 1))
        if report:
            report(min(1.0, (start + block) / len(result)))
    return result


def two_sided_p(r: ArrayLike, df: ArrayLike) -> Float64:
    """P of a correlation at least this far from 0 by chance, t test with df degrees of freedom."""
    r_ = np.asarray(r, dtype=np.float64)
    # the beta distribution's form of Student's t; 1 - r^2 as a product keeps its digits near 1
    return betainc(np.asarray(df, dtype=np.float64) / 2, 0.5, np.clip((1 - r_) * (1 + r_), 0, 1))


def _autocorrelation(series: Float64, kept: Bool) -> Float64:
    """The matrix R (T, T) of a series' autocorrelations, so that ``x R x = 1 + 2 sum_k rho_x(k) rho_y(k)``."""
    n_volumes = len(series)
    n = int(kept.sum())
    products = np.correlate(series, series, mode="full")[n_volumes - 1 :]
    present = kept.astype(np.float64)
    pairs = np.rint(np.correlate(present, present, mode="full")[n_volumes - 1 :])
    counts = (np.arange(n_volumes) <= n // LAGS) & (pairs > 0)
    return toeplitz(np.where(counts, products / products[0] * n / np.maximum(pairs, 1), 0))
