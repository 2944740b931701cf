"""Traps of inference: clusters, autocorrelation, two p-values for one question, few scans."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from .effective import two_sided_p
from .errors import CannotCompute
from .trap_regions import Small, critical_r
from .traps import Trap, Traps

LEVEL = 0.05
FORMING_P = 0.001
ENOUGH_TO_PREDICT = 100
POWER = 0.8


class Effect(NamedTuple):
    """An estimate in one arm or group.

    Attributes
    ----------
    name : str
    estimate, se : float
        In one unit for all that are compared.
    df : float
    """

    name: str
    estimate: float
    se: float
    df: float

    @property
    def p(self) -> float:
        """Two-sided p of the effect."""
        return float(2 * student.sf(abs(self.estimate) / self.se, self.df))


def cluster_inflation(where: str, forming_p: float, *, parametric: bool) -> Traps:
    """Cluster p from random-field theory at a threshold where it is known to be too small.

    Eklund, Nichols and Knutsson 2016, doi 10.1073/pnas.1602413113.
    """
    if not parametric or forming_p <= FORMING_P:
        return ()
    message = (
        f"Clusters are formed at p < {forming_p:g} and tested without permutations: above .001 far more than 5 % of "
        "null maps then have a cluster. Use permutations or TFCE."
    )
    return (Trap("cluster-inflation", where, forming_p, message),)


def autocorrelation(where: str, n_volumes: int, effective_df: float, regressors: int = 0) -> Traps:
    """How often p < .05 comes by chance when a run's volumes are counted as independent."""
    df = n_volumes - 2 - regressors
    if not (df >= 1 and effective_df >= 1):
        raise CannotCompute(f"{n_volumes} volumes leave no degree of freedom", "use a longer run")
    rate = false_positive_rate(df, effective_df)
    if rate <= LEVEL * 1.2:
        return ()
    message = (
        f"Neighbouring volumes resemble each other: {n_volumes} are worth {effective_df:.0f} degrees of freedom. "
        f"Counted as independent, p < .05 would come by chance in {rate:.1%}. Use effective df, or show r only."
    )
    return (Trap("autocorrelation", where, rate, message),)


def false_positive_rate(df: float, effective_df: float) -> float:
    """How often a correlation passes p < .05 for `df` when only `effective_df` are there."""
    critical = float(student.isf(LEVEL / 2, df))
    r = critical / np.sqrt(critical**2 + df)
    return float(two_sided_p(r, effective_df))


def difference_of_significance(first: Effect, second: Effect) -> Traps:
    """One effect below .05 and one not: what is to be asked is whether they differ.

    Gelman and Stern 2006, doi 10.1198/000313006X152649. The value is p of the difference of two independent
    estimates, by Welch's degrees of freedom.
    """
    if (first.p < LEVEL) == (second.p < LEVEL):
        return ()
    clear, other = (first, second) if first.p < LEVEL else (second, first)
    p = p_of_difference(first, second)
    verdict = "do not differ" if p >= LEVEL else "differ"
    message = (
        f"{clear.name} has p = {clear.p:.3g}, {other.name} p = {other.p:.3g}; that is no difference between them. "
        f"Tested, they {verdict} at .05: {first.estimate - second.estimate:.3g}, p = {p:.3g}. Report the interaction."
    )
    return (Trap("difference-of-significance", f"{first.name}, {second.name}", p, message),)


def p_of_difference(first: Effect, second: Effect) -> float:
    """Two-sided p that two independent estimates are of one effect."""
    variances = np.array([first.se, second.se]) ** 2
    df = variances.sum() ** 2 / (variances**2 / (first.df, second.df)).sum()
    return float(2 * student.sf(abs(first.estimate - second.estimate) / np.sqrt(variances.sum()), df))


def few_to_predict(where: str, n: int, r: float) -> Traps:
    """A prediction from fewer than a hundred people, with the 95 % interval of its correlation by Fisher z."""
    if n >= ENOUGH_TO_PREDICT:
        return ()
    low, high = interval_of_r(r, n)
    message = (
        f"Predicted from {n} people: r = {r:.2f} has a 95 % interval of {low:.2f} to {high:.2f}. Choose features "
        "within the folds, and give a permutation p."
    )
    return (Trap("few-to-predict", where, n, message),)


def interval_of_r(r: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Confidence interval of a correlation of n pairs, by Fisher z with variance 1 / (n - 3).

    Raises
    ------
    CannotCompute
        For fewer than four pairs, or an r outside -1 to 1.
    """
    if n < 4 or not abs(r) <= 1:
        raise CannotCompute(f"r = {r:g} of {n} pairs has no interval", "use more scans")
    if abs(r) == 1:
        return r, r
    half = float(norm.isf((1 - level) / 2)) / np.sqrt(n - 3)
    return float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half))


def power_line(where: str, sample: Small) -> Traps:
    """What n scans can show: the least r beyond the threshold, and the true r found four times in five (Fisher z)."""
    least = critical_r(sample)
    spread = 1 / np.sqrt(max(sample.df - 1, 1))
    found = float(np.tanh((norm.isf(sample.p) + norm.ppf(POWER)) * spread))
    covariates = f" and {sample.n_covariates} covariates" if sample.n_covariates else ""
    message = (
        f"With n = {sample.n}{covariates}, one-sided p < {sample.p:g} needs |r| > {least:.3f}; a true r of {found:.2f} "
        "is found in 80 %. Whatever passes is likely to be too large."
    )
    return (Trap("power", where, least, message),)
