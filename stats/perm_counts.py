"""What permutations leave behind: counts that add up, and the p-values they give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta

from .arrays import Float64, Int32, Int64
from .errors import CannotCompute
from .freedman_lane import with_tolerance

STATISTIC = "statistic"
CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """A p-value by permutation and its Monte Carlo interval (95 %, Clopper and Pearson 1934), arrays of one shape.

    With all distinct arrangements visited nothing is left to chance and the interval is the p-value.
    """

    p: Float64
    low: Float64
    high: Float64


@dataclass(frozen=True, eq=False)
class Counts:
    """Counted arrangements; the observed one, number 0, is not among them.

    Attributes
    ----------
    done : (m,) int64
        Numbers of the arrangements, ascending.
    exceed : mapping of name to (V,) int32
        How many reach the observed value: of the statistic (`STATISTIC`) and of each measure that is a map.
    largest : mapping of name to (m,) float64
        Largest value of each arrangement: signed squares of the statistic (see `Scale`), measures as they are.
    """

    done: Int64
    exceed: Mapping[str, Int32]
    largest: Mapping[str, Float64]


def merge(one: Counts, other: Counts) -> Counts:
    """Counts of two disjoint sets of arrangements of one test together: the same as if counted at once.

    Raises
    ------
    CannotCompute
        When they share an arrangement or belong to different tests.
    """
    if np.intersect1d(one.done, other.done).size:
        raise CannotCompute("some arrangements are in both counts", "count each of them once")
    if one.largest.keys() != other.largest.keys() or any(
        one.exceed[name].shape != other.exceed[name].shape for name in one.exceed
    ):
        raise CannotCompute("the counts belong to different tests", "merge what one test counted")
    done = np.concatenate([one.done, other.done])
    order = np.argsort(done)
    return Counts(
        done[order],
        {name: one.exceed[name] + other.exceed[name] for name in one.exceed},
        {name: np.concatenate([one.largest[name], other.largest[name]])[order] for name in one.largest},
    )


def estimate(exceedances: ArrayLike, n_done: int, *, complete: bool = False) -> Estimate:
    """P-values (1 + exceedances) / (1 + arrangements): the observed one counts too, so p is never 0.

    Parameters
    ----------
    exceedances : array
        Arrangements that reach the observed value, the observed one not counted; NaN gives NaN.
    n_done : int
        Arrangements counted, the observed one not counted.
    complete : bool
        Whether these are all distinct ones: p is exact (Phipson and Smyth 2010).
    """
    given = np.asarray(exceedances, np.float64)
    known = np.isfinite(given)
    at = np.where(known, given, 0).astype(np.int64)
    counts = np.arange(n_done + 1)
    p = (1 + counts) / (1 + n_done)
    low, high = (p, p) if complete else _clopper_pearson(counts, n_done)
    p, low, high = (np.where(known, table[at], np.nan) for table in (p, low, high))
    return Estimate(p, low, high)


def corrected(values: ArrayLike, largest: Float64, tolerance: float, *, complete: bool = False) -> Estimate:
    """Family-wise p of values by the distribution of the largest one (maximum statistic).

    Parameters
    ----------
    values : array
        In the unit of `largest`; NaN gives NaN.
    largest : (m,)
        The largest value of each arrangement.
    tolerance : float
        Values that differ by less, relative to the larger of 1 and themselves, are equal.
    complete : bool
        Whether all distinct arrangements were visited.
    """
    given = np.asarray(values, np.float64)
    below = np.searchsorted(np.sort(largest), with_tolerance(given, tolerance))
    return estimate(np.where(np.isnan(given), np.nan, largest.size - below), largest.size, complete=complete)


def _clopper_pearson(counts: NDArray[Any], n: int) -> tuple[Float64, Float64]:
    if n == 0:
        return np.zeros(1), np.ones(1)
    tail = (1 - CONFIDENCE) / 2
    low = np.where(counts == 0, 0.0, beta.ppf(tail, np.maximum(counts, 1), n - counts + 1))
    high = np.where(counts == n, 1.0, beta.isf(tail, counts + 1, np.maximum(n - counts, 1)))
    return low, high
