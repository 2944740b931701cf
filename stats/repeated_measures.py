"""The univariate test of repeated measures, and how far its assumption of sphericity holds.

Winer, Brown and Michels (1991), Statistical Principles in Experimental Design, chapters 4 and 7; epsilon of Greenhouse
and Geisser (1959, doi 10.1007/BF02289823), of Huynh and Feldt (1976, doi 10.3102/10769986001001069) with the correction
of Lecoutre (1991, doi 10.3102/10769986016004371); test of Mauchly (1940, doi 10.1214/aoms/1177731915).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from .arrays import Float64, Report
from .errors import CannotCompute
from .within import RepeatedDesign

VALUES_AT_ONCE = 2**18  # scans times voxels


class RepeatedTest(NamedTuple):
    """A test of a within-subject term; every array is (V,) float64.

    Attributes
    ----------
    statistic : array
        F.
    df : (float, float)
        Under sphericity.
    p : array
        Under sphericity.
    epsilon_gg, epsilon_hf : array
        By which both degrees of freedom are multiplied in `p_gg` and `p_hf`; 1 under sphericity (the second is limited
        to it).
    p_gg, p_hf : array
    mauchly_w, mauchly_p : array
        Test of sphericity; NaN where subjects are too few for it.
    """

    statistic: Float64
    df: tuple[float, float]
    p: Float64
    epsilon_gg: Float64
    epsilon_hf: Float64
    p_gg: Float64
    p_hf: Float64
    mauchly_w: Float64
    mauchly_p: Float64


def repeated_test(
    data: NDArray[Any], design: RepeatedDesign, weights: ArrayLike, report: Report | None = None
) -> RepeatedTest:
    """Test a contrast of the columns of the within-subject part, over all contrasts of levels at once.

    With two levels this is the F test on differences, and sphericity holds by itself.

    Parameters
    ----------
    data : (n, V) float
        In the rows of the table.
    design : RepeatedDesign
    weights : (q, p) or (p,)
        Of the columns of ``design.within``.
    report : callable, optional

    Returns
    -------
    RepeatedTest

    Raises
    ------
    CannotCompute
        When the design has no within-subject part or the weights are not for it.
    """
    if design.within is None:
        raise CannotCompute("the formula has no within-subject term", "put the within-subject factor into the formula")
    c, x = np.atleast_2d(np.asarray(weights, np.float64)), design.within.matrix
    if c.shape[1] != x.shape[1]:
        raise CannotCompute(
            f"the contrast has {c.shape[1]} weights, the within-subject part {x.shape[1]} columns", "give one for each"
        )
    values = np.asarray(data)
    size = max(1, VALUES_AT_ONCE // design.rows.size)
    parts: list[tuple[Float64, Float64]] = []
    for v in range(0, max(values.shape[1], 1), size):
        if report is not None:
            report(v / max(values.shape[1], 1))
        parts.append(_sums(values[:, v : v + size], design, x, c))
    hypothesis = np.concatenate([part[0] for part in parts])
    error = np.concatenate([part[1] for part in parts])
    return _tested(hypothesis, error, len(c), len(x) - x.shape[1])


def orthonormal_contrasts(levels: int) -> Float64:
    """Helmert's contrasts of levels with length 1, (levels, levels - 1)."""
    made = np.tril(-np.ones((levels, levels)), -1) + np.diag(np.arange(float(levels)))
    return (made[1:] / np.linalg.norm(made[1:], axis=1, keepdims=True)).T


def _sums(data: NDArray[Any], design: RepeatedDesign, x: Float64, c: Float64) -> tuple[Float64, Float64]:
    """Sums of squares and products (V, k, k) of hypothesis and error over the contrasts of levels."""
    scans = data[design.rows].astype(np.float64)
    z = np.einsum("slv,lk->vsk", scans - scans.mean(axis=1, keepdims=True), orthonormal_contrasts(len(design.levels)))
    basis, triangle = np.linalg.qr(x)
    scores = basis.T @ z
    direction = np.linalg.qr(np.linalg.solve(triangle.T, c.T)).Q
    effect, residual = direction.T @ scores, z - basis @ scores
    error = residual.transpose(0, 2, 1) @ residual
    rounding = (residual**2).sum(axis=(1, 2)) <= 1e-26 * (scans**2).sum(axis=(0, 1))
    error[rounding] = np.nan
    return effect.transpose(0, 2, 1) @ effect, error


def _tested(hypothesis: Float64, error: Float64, q: int, n: int) -> RepeatedTest:
    """The tests; `n` is the residual degrees of freedom of one contrast of levels."""
    k = error.shape[1]
    with np.errstate(all="ignore"):
        total = np.trace(error, axis1=1, axis2=2)
        f = np.trace(hypothesis, axis1=1, axis2=2) / q / (total / n)
        gg = total**2 / (k * (error**2).sum(axis=(1, 2)))
        hf = np.minimum(((n + 1) * k * gg - 2) / (k * (n - k * gg)), 1.0)
        hf = np.where(n > k * gg, hf, 1.0)
        w, p_sphericity = _mauchly(error, total, n)
    a, b = float(q * k), float(n * k)
    return RepeatedTest(
        statistic=f,
        df=(a, b),
        p=special.fdtrc(a, b, f),
        epsilon_gg=gg,
        epsilon_hf=np.where(np.isnan(gg), np.nan, hf),
        p_gg=special.fdtrc(a * gg, b * gg, f),
        p_hf=special.fdtrc(a * hf, b * hf, f),
        mauchly_w=w,
        mauchly_p=p_sphericity,
    )


def _mauchly(error: Float64, total: Float64, n: int) -> tuple[Float64, Float64]:
    """W and its p, with the second-order term of Anderson (1958), as R has it."""
    k = error.shape[1]
    if k == 1:
        return np.where(np.isnan(total), np.nan, 1.0), np.where(np.isnan(total), np.nan, 1.0)
    if n < k:
        return np.full(len(error), np.nan), np.full(len(error), np.nan)
    w = np.linalg.det(error / (total / k)[:, None, None])
    rho = 1 - (2 * k**2 + k + 2) / (6 * k * n)
    second = (k + 2) * (k - 1) * (k - 2) * (2 * k**3 + 6 * k**2 + 3 * k + 2) / (288 * (n * k * rho) ** 2)
    df, chi2 = k * (k + 1) / 2 - 1, -n * rho * np.log(w)
    first = special.chdtrc(df, chi2)
    return w, np.clip(first + second * (special.chdtrc(df + 4, chi2) - first), 0, 1)
