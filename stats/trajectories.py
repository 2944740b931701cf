"""Scores of arms over time: means with confidence intervals, their differences, and shares of responders."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from .errors import CannotCompute

CONFIDENCE = 0.95
Variance = Literal["pooled", "by-group"]


class Summary(NamedTuple):
    """Numbers of one group: how many, mean and standard deviation (with n - 1)."""

    n: int
    mean: float
    sd: float

    @property
    def ci(self) -> tuple[float, float]:
        """95 % confidence interval of the mean, from t with n - 1 degrees of freedom; NaN for fewer than two."""
        if self.n < 2:
            return math.nan, math.nan
        half = t_quantile(self.n - 1) * self.sd / math.sqrt(self.n)
        return self.mean - half, self.mean + half


class Difference(NamedTuple):
    """First less second group.

    Attributes
    ----------
    estimate : float
    ci : (float, float)
        95 %.
    t, df, p : float
        Two-sided.
    d : float
        Cohen's d: by the pooled standard deviation.
    """

    estimate: float
    ci: tuple[float, float]
    t: float
    df: float
    p: float
    d: float


class Shares(NamedTuple):
    """Difference of two proportions, first less second, with its 95 % confidence interval."""

    estimate: float
    ci: tuple[float, float]


def t_quantile(df: float) -> float:
    """Half the width of a 95 % interval in standard errors."""
    return float(special.stdtrit(df, 0.5 + CONFIDENCE / 2))


def summarise(values: ArrayLike) -> Summary:
    """Number, mean and standard deviation of the values that are there; NaN is none."""
    given = np.asarray(values, dtype=np.float64)
    given = given[np.isfinite(given)]
    if given.size == 0:
        return Summary(0, math.nan, math.nan)
    return Summary(given.size, float(given.mean()), float(given.std(ddof=1)) if given.size > 1 else math.nan)


def difference(a: Summary, b: Summary, variance: Variance = "by-group") -> Difference:
    """Compare two means from their summaries.

    Parameters
    ----------
    a, b : Summary
    variance : str
        ``pooled`` is Student's t; ``by-group`` Welch's, with Satterthwaite's degrees of freedom.

    Raises
    ------
    CannotCompute
        A group of fewer than two, or no variation in either.

    References
    ----------
    Welch 1947, Biometrika 34:28-35. Cohen 1988, Statistical Power Analysis, 2nd edition, equation 2.5.2.
    """
    if min(a.n, b.n) < 2:
        raise CannotCompute("a group has fewer than two people", "compare groups of at least two")
    pooled = ((a.n - 1) * a.sd**2 + (b.n - 1) * b.sd**2) / (a.n + b.n - 2)
    if not pooled > 0:
        raise CannotCompute("nobody differs from the others of their group", "look at the data")
    if variance == "pooled":
        error, df = math.sqrt(pooled * (1 / a.n + 1 / b.n)), float(a.n + b.n - 2)
    else:
        parts = a.sd**2 / a.n, b.sd**2 / b.n
        error = math.sqrt(sum(parts))
        df = sum(parts) ** 2 / (parts[0] ** 2 / (a.n - 1) + parts[1] ** 2 / (b.n - 1))
    estimate = a.mean - b.mean
    half, t = t_quantile(df) * error, estimate / error
    p = 2 * float(special.stdtr(df, -abs(t)))
    return Difference(estimate, (estimate - half, estimate + half), t, df, p, estimate / math.sqrt(pooled))


def wilson(yes: int, n: int) -> tuple[float, float]:
    """95 % confidence interval of a proportion.

    References
    ----------
    Wilson 1927, Journal of the American Statistical Association 22:209-212.
    """
    if not 0 <= yes <= n or n == 0:
        raise CannotCompute(f"{yes} of {n} is no proportion", "count people of a group that has some")
    z = float(special.ndtri(0.5 + CONFIDENCE / 2))
    middle = 2 * yes + z**2
    half = z * math.sqrt(z**2 + 4 * yes * (n - yes) / n)
    low, high = (middle - half) / (2 * (n + z**2)), (middle + half) / (2 * (n + z**2))
    return (0.0 if yes == 0 else low), (1.0 if yes == n else high)


def newcombe(yes_a: int, n_a: int, yes_b: int, n_b: int) -> Shares:
    """Difference of two independent proportions with Newcombe's hybrid score interval (his method 10).

    References
    ----------
    Newcombe 1998, Statistics in Medicine 17:873-890.
    """
    (low_a, high_a), (low_b, high_b) = wilson(yes_a, n_a), wilson(yes_b, n_b)
    a, b = yes_a / n_a, yes_b / n_b
    low = a - b - math.hypot(a - low_a, high_b - b)
    high = a - b + math.hypot(high_a - a, b - low_b)
    return Shares(a - b, (low, high))
