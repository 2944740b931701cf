"""Tests of contrasts in mass-univariate linear models."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from .arrays import Float64
from .errors import CannotCompute
from .glm_fit import Fit, Groups, fit
from .glm_kernels import compile_kernels

__all__ = ["Fit", "TestMaps", "compile_kernels", "fit", "test"]

SINGULAR = 1e-12  # share of the largest eigenvalue of a covariance below which the smallest is rounding


class TestMaps(NamedTuple):
    """A test in every voxel; every map is (V,) float64, NaN where the model has no answer.

    Attributes
    ----------
    estimate, se : array or None
        Of the contrast, in units of the data; None for an F test.
    statistic : array
        t, or F.
    df : (float, float)
        Degrees of freedom of the numerator (1 for t) and of the residual; with variances by group the median over
        voxels of the second, which are in `df_map`.
    p : array
        Two-sided for t unless asked otherwise.
    partial_r : array or None
        Partial correlation, t / sqrt(t^2 + df); None for an F test.
    effect : array
        The effect size that `effect_name` names.
    ci_low, ci_high : array or None
        Confidence interval of the estimate.
    effect_name : str
        ``d``: estimate by residual standard deviation, for contrasts of means (columns of 0 and 1). ``f2``: Cohen's
        f squared, q F / df, for all others.
    df_map : array or None
        Residual degrees of freedom where they differ between voxels.
    """

    __test__ = False  # pytest takes the name for a test

    estimate: Float64 | None
    se: Float64 | None
    statistic: Float64
    df: tuple[float, float]
    p: Float64
    partial_r: Float64 | None
    effect: Float64
    ci_low: Float64 | None
    ci_high: Float64 | None
    effect_name: str
    df_map: Float64 | None = None


def test(model: Fit, weights: ArrayLike, *, level: float = 0.95, one_sided: bool = False) -> TestMaps:  # noqa: PT028 - no test of pytest
    """Test a contrast: t for one row of weights, F for several.

    With variances by group the standard error is that of ordinary least squares when each group g has a variance
    s_g^2, estimated without bias under equal leverages as rss_g / df_g; the statistic and its degrees of freedom are
    the Welch-James approximation. For two groups this is Welch's t test with Satterthwaite's degrees of freedom, for
    several means Welch's analysis of variance (1951, doi 10.1093/biomet/38.3-4.330); in general Johansen (1980,
    doi 10.1093/biomet/67.1.85).

    Parameters
    ----------
    model : Fit
    weights : (q, p) or (p,)
        Independent rows.
    level : float
        Of the confidence interval.
    one_sided : bool
        p for a positive contrast, t only; the interval stays two-sided.

    Returns
    -------
    TestMaps

    Raises
    ------
    CannotCompute
        When weights and model do not agree, or rows depend on each other.
    """
    c = np.atleast_2d(np.asarray(weights, np.float64))
    _check(model, c, level=level, one_sided=one_sided)
    rows = model.rows(c)
    if len(c) > 1:  # the same test of independent directions of length 1: nothing is squared that rounding could hide
        rows = np.linalg.qr(rows.transpose(0, 2, 1)).Q.transpose(0, 2, 1)
    estimates = rows[0] @ model.scores if len(rows) == 1 else np.einsum("vqp,pv->qv", rows, model.scores)
    with np.errstate(all="ignore"):
        found = _pooled(model, rows, estimates) if model.groups is None else _by_group(model.groups, rows, estimates)
        if len(c) == 1:
            estimate = np.where(np.isnan(found.statistic), np.nan, estimates[0])
            return _t_maps(estimate, found, _effect(model, c[0]), level=level, one_sided=one_sided)
        return _f_maps(len(c), found)


class _Found(NamedTuple):
    """Statistic (V,), its residual degrees of freedom, (V,) or one number, and the standard error (V,) of a t."""

    statistic: Float64
    df: Float64 | float
    se: Float64 | None = None


def _check(model: Fit, weights: Float64, *, level: float, one_sided: bool) -> None:
    if weights.shape[1] != model.p:
        raise CannotCompute(
            f"the contrast has {weights.shape[1]} weights, the model {model.p} columns", "give one weight for each"
        )
    if np.linalg.matrix_rank(weights) < len(weights):
        raise CannotCompute("the rows of the contrast depend on each other", "leave out rows that follow from others")
    if one_sided and len(weights) > 1:
        raise CannotCompute("an F test has no side", "ask for one row, or leave one-sided out")
    if not 0 < level < 1:
        raise CannotCompute(f"{level:g} is no confidence level", "give one between 0 and 1, such as 0.95")


def _pooled(model: Fit, rows: Float64, estimates: Float64) -> _Found:
    variance, df = model.rss / model.df, float(model.df)
    if rows.shape[1] == 1:
        se = np.sqrt(variance * (rows**2).sum(axis=(1, 2)))
        return _Found(estimates[0] / se, df, se)
    return _Found((estimates**2).sum(axis=0) / (len(estimates) * variance), df)


def _by_group(groups: Groups, rows: Float64, estimates: Float64) -> _Found:
    """The Welch-James approximation, Johansen's equations for a sum of group covariances."""
    q = len(estimates)
    covariances = rows @ groups.gram @ rows.transpose(0, 2, 1)
    variances = groups.rss / groups.df
    if q == 1:
        parts = variances * covariances[:, :, 0, 0]
        se = np.sqrt(parts.sum(axis=0))
        se = np.where(se > 0, se, np.nan)
        return _Found(estimates[0] / se, se**4 / (parts**2 / groups.df).sum(axis=0), se)
    parts = variances[:, :, None, None] * covariances
    white = _whitener(parts.sum(axis=0))
    shares = white.transpose(0, 2, 1) @ parts @ white
    trace, trace2 = np.trace(shares, axis1=2, axis2=3), (shares**2).sum(axis=(2, 3))
    a = ((trace2 + trace**2) / groups.df).sum(axis=0) / 2
    whitened = np.einsum("vqr,qv->rv", white, estimates)
    return _Found((whitened**2).sum(axis=0) / (q + 2 * a - 6 * a / (q + 2)), q * (q + 2) / (3 * a))


def _whitener(covariance: Float64) -> Float64:
    """L with L' S L = 1 for each S, (..., q, q); NaN where S is singular or not finite."""
    fine = np.asarray(np.isfinite(covariance).all(axis=(1, 2)))
    sizes, directions = np.linalg.eigh(np.where(fine[:, None, None], covariance, np.eye(covariance.shape[1])))
    fine &= sizes[:, 0] > SINGULAR * sizes[:, -1]
    return np.where(fine[:, None, None], directions / np.sqrt(sizes)[:, None, :], np.nan)


def _effect(model: Fit, weights: Float64) -> Float64 | None:
    """Standard deviation (V,) that makes a contrast of means Cohen's d; None for other contrasts.

    With variances by group: the root of their mean.
    """
    fixed = model.design.shape[1]
    weighed = model.design[:, weights[:fixed] != 0]
    if weights[fixed:].any() or not np.isin(weighed, (0.0, 1.0)).all():
        return None
    if model.groups is None:
        return np.sqrt(model.rss / model.df)
    return np.sqrt((model.groups.rss / model.groups.df).mean(axis=0))


def _t_maps(estimate: Float64, found: _Found, sd: Float64 | None, *, level: float, one_sided: bool) -> TestMaps:
    t, df, se = found
    p = special.stdtr(df, -t) if one_sided else 2 * special.stdtr(df, -np.abs(t))
    half = special.stdtrit(df, (1 + level) / 2) * se
    return TestMaps(
        estimate=estimate,
        se=se,
        statistic=t,
        df=_degrees(1, df),
        p=p,
        partial_r=t / np.sqrt(t**2 + df),
        effect=t**2 / df if sd is None else estimate / sd,
        ci_low=estimate - half,
        ci_high=estimate + half,
        effect_name="f2" if sd is None else "d",
        df_map=df if isinstance(df, np.ndarray) else None,
    )


def _f_maps(q: int, found: _Found) -> TestMaps:
    f, df, _ = found
    return TestMaps(
        estimate=None,
        se=None,
        statistic=f,
        df=_degrees(q, df),
        p=special.fdtrc(q, df, f),
        partial_r=None,
        effect=q * f / df,
        ci_low=None,
        ci_high=None,
        effect_name="f2",
        df_map=df if isinstance(df, np.ndarray) else None,
    )


def _degrees(q: int, df: Float64 | float) -> tuple[float, float]:
    if not isinstance(df, np.ndarray):
        return float(q), df
    fine = df[np.isfinite(df)]
    return float(q), float(np.median(fine)) if fine.size else np.nan
