"""Many tests at once: the false discovery rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Float64
from .errors import CannotCompute


def benjamini_hochberg(p: ArrayLike) -> Float64:
    """The least false discovery rate at which each test is rejected.

    Holds for independent tests and for those with positive regression dependency, as smooth maps have.

    Parameters
    ----------
    p : (...)
        Of all tests of the family; NaN is no test and stays NaN.

    Returns
    -------
    (...) float64
        q, at least p and at most 1.

    Raises
    ------
    CannotCompute
        When a p is outside 0 to 1.

    References
    ----------
    Benjamini and Hochberg 1995, Journal of the Royal Statistical Society B 57:289-300.
    """
    return _step_up(p, dependent=False)


def benjamini_yekutieli(p: ArrayLike) -> Float64:
    """As `benjamini_hochberg` under any dependency: times 1 + 1/2 + ... + 1/m.

    References
    ----------
    Benjamini and Yekutieli 2001, Annals of Statistics 29:1165-1188.
    """
    return _step_up(p, dependent=True)


def bonferroni(p: ArrayLike) -> Float64:
    """P times the number of tests, at most 1; NaN is no test and stays NaN."""
    given = _checked(p)
    return np.minimum(1.0, given * np.count_nonzero(~np.isnan(given)))


def _step_up(p: ArrayLike, *, dependent: bool) -> Float64:
    given = _checked(p)
    tests = np.flatnonzero(~np.isnan(given.ravel()))
    m = tests.size
    rank = np.arange(1, m + 1)
    tests = tests[np.argsort(given.ravel()[tests], kind="stable")]
    factor = m * float((1 / rank).sum()) if dependent else m
    scaled = given.ravel()[tests] * (factor / rank)
    q = np.full(given.size, np.nan)
    q[tests] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return q.reshape(given.shape)


def _checked(p: ArrayLike) -> Float64:
    given = np.asarray(p, dtype=np.float64)
    if ((given < 0) | (given > 1)).any():
        raise CannotCompute("a p-value is below 0 or above 1", "give p, not -log10 p or a statistic")
    return given
