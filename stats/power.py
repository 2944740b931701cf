"""What a study of some size can and cannot find: power from the noncentral t and F distributions.

Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, 2nd edition.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from .arrays import Float64
from .errors import CannotCompute

MOST_SCANS = 1_000_000
LARGEST_NONCENTRALITY = 1e8

Effect = Literal["d", "r", "f2"]


@dataclass(frozen=True)
class Sensitivity:
    """A test whose power is asked for.

    Attributes
    ----------
    effect : str
        Unit of effects: ``d`` (difference by standard deviation), ``r`` (partial correlation), ``f2`` (Cohen's
        f squared).
    df : (float, float)
        Degrees of freedom of the numerator (1 for t) and of the residual.
    weight : float
        Squared noncentrality of an effect of 1: n for one sample, n1 n2 / (n1 + n2) for two, df + 2 for r (there of
        r / sqrt(1 - r^2)), and the sum of both df + 1 for f2 (Cohen's equation 9.3.1).
    alpha : float
    two_sided : bool
        An F test has one side.
    """

    effect: Effect
    df: tuple[float, float]
    weight: float
    alpha: float = 0.05
    two_sided: bool = True

    def __post_init__(self) -> None:
        if not (self.df[1] > 0 and self.weight > 0):
            raise CannotCompute("no residual degree of freedom is left", "use more scans or fewer covariates")
        if not 0 < self.alpha < 1:
            raise CannotCompute(f"{self.alpha:g} is no level of significance", "give one such as 0.05")

    @property
    def threshold(self) -> float:
        """Smallest t, or F, that is significant."""
        if self.effect == "f2":
            return float(special.fdtri(*self.df, 1 - self.alpha))
        return float(-special.stdtrit(self.df[1], self.alpha / (2 if self.two_sided else 1)))

    @property
    def significant(self) -> float:
        """Smallest effect in the sample that is significant."""
        t = self.threshold
        if self.effect == "f2":
            return t * self.df[0] / self.df[1]
        return t / math.sqrt(t**2 + self.df[1]) if self.effect == "r" else t / math.sqrt(self.weight)

    def power(self, effect: float) -> float:
        """Probability that a true effect is found; on the other side too, when two-sided."""
        if self.effect == "f2":
            return self._found_f(effect * self.weight)
        size = effect / math.sqrt(1 - effect**2) if self.effect == "r" else effect
        return self._found(size * math.sqrt(self.weight))

    def detectable(self, power: float = 0.8) -> float:
        """Smallest true effect that is found with a power."""
        least = self.alpha / (2 if self.two_sided and self.effect != "f2" else 1)
        if not least < power < 1:
            raise CannotCompute(f"{power:g} is no power above chance", "give one such as 0.8")
        if self.effect == "f2":
            return _root(lambda noncentrality: self._found_f(noncentrality) - power) / self.weight
        size = _root(lambda noncentrality: self._found(noncentrality) - power) / math.sqrt(self.weight)
        return size / math.sqrt(1 + size**2) if self.effect == "r" else size

    def _found(self, noncentrality: float) -> float:
        df, threshold = self.df[1], self.threshold
        found = float(stats.nct.sf(threshold, df, noncentrality))
        # the other side by symmetry: SciPy's lower tail is NaN far out
        return found + float(stats.nct.sf(threshold, df, -noncentrality)) if self.two_sided else found

    def _found_f(self, noncentrality: float) -> float:
        if noncentrality <= 0:  # where SciPy's noncentral F is wrong
            return self.alpha
        return float(stats.ncf.sf(self.threshold, *self.df, noncentrality))


def one_sample(n: int, *, covariates: int = 0, alpha: float = 0.05, two_sided: bool = True) -> Sensitivity:
    """A mean, or a mean of differences within n subjects; effects as d."""
    return Sensitivity("d", (1, n - 1 - covariates), n, alpha, two_sided)


def two_samples(n: int, other: int, *, covariates: int = 0, alpha: float = 0.05, two_sided: bool = True) -> Sensitivity:
    """A difference between groups of n and other; effects as d."""
    return Sensitivity("d", (1, n + other - 2 - covariates), n * other / (n + other), alpha, two_sided)


def correlation(n: int, *, covariates: int = 0, alpha: float = 0.05, two_sided: bool = True) -> Sensitivity:
    """A slope, or partial correlation, with values of the regressor as given; effects as r."""
    return Sensitivity("r", (1, n - 2 - covariates), n - covariates, alpha, two_sided)


def several(columns: int, n: int, *, others: int = 1, alpha: float = 0.05) -> Sensitivity:
    """An F test of some columns beside others (the intercept among them); effects as f2."""
    residual = n - columns - others
    return Sensitivity("f2", (columns, residual), columns + residual + 1, alpha, two_sided=False)


def of_contrast(design: ArrayLike, weights: ArrayLike, *, alpha: float = 0.05, two_sided: bool = True) -> Sensitivity:
    """A contrast of a design (n, p): effects as d for means (columns of 0 and 1), as r for others, as f2 for rows."""
    x: Float64 = np.asarray(design, np.float64)
    c = np.atleast_2d(np.asarray(weights, np.float64))
    n, p = x.shape
    if len(c) > 1:
        return several(len(c), n, others=p - len(c), alpha=alpha)
    if np.isin(x[:, c[0] != 0], (0.0, 1.0)).all():
        root = np.linalg.solve(np.linalg.qr(x).R.T, c[0])
        return Sensitivity("d", (1, n - p), float(1 / (root @ root)), alpha, two_sided)
    return correlation(n, covariates=p - 2, alpha=alpha, two_sided=two_sided)


def scans_needed(design: Callable[[int], Sensitivity], effect: float, power: float = 0.8, *, least: int = 3) -> int:
    """Smallest n for which ``design(n)`` finds a true effect with a power.

    Parameters
    ----------
    design : callable
        Such as ``lambda n: two_samples(n, n, alpha=.001)``.
    effect : float
        In the unit of the design.
    least : int
        Smallest n that leaves a residual degree of freedom.

    Raises
    ------
    CannotCompute
        When a million is not enough.
    """
    high = least
    while design(high).power(effect) < power:
        if high >= MOST_SCANS:
            raise CannotCompute(
                f"an effect of {effect:g} needs more than {MOST_SCANS} scans", "look for a larger effect"
            )
        high = min(2 * high, MOST_SCANS)
    low = least - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if middle >= least and design(middle).power(effect) >= power else (middle, high)
    return high


def _root(excess: Callable[[float], float]) -> float:
    high = 1.0
    while excess(high) < 0:
        high *= 2
        if high > LARGEST_NONCENTRALITY:
            raise CannotCompute("no effect is large enough to be found", "use more scans or a weaker threshold")
    return cast("float", optimize.brentq(excess, 0.0, high, xtol=1e-12))
