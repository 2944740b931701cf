"""Two maps at once: where both hold (conjunction), and whether their masks overlap more than by chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Bool, Float64, Report
from .errors import CannotCompute
from .perm_counts import estimate

OverlapMeasure = Literal["count", "dice", "jaccard"]
EQUAL = 1e-12  # relative; overlaps closer than this are the same


class Overlap(NamedTuple):
    """What two masks have in common.

    Attributes
    ----------
    n_first, n_second, n_both : int
    dice : float
        ``2 n_both / (n_first + n_second)``; NaN when both masks are empty.
    jaccard : float
        ``n_both / n_either``; NaN when both masks are empty.
    """

    n_first: int
    n_second: int
    n_both: int
    dice: float
    jaccard: float


class OverlapTest(NamedTuple):
    """An overlap beside those of permuted data.

    Attributes
    ----------
    overlap : Overlap
        Of the data as they are.
    measure : "count", "dice" or "jaccard"
    observed : float
        The overlap's measure.
    null : (N,) float64
        The same of each permutation, without the data as they are.
    p : float
        ``(1 + exceedances) / (1 + N)`` that an overlap is as large, never 0.
    p_low, p_high : float
        95 % Monte Carlo interval of p (Clopper and Pearson).
    """

    overlap: Overlap
    measure: OverlapMeasure
    observed: float
    null: Float64
    p: float
    p_low: float
    p_high: float


def conjunction_p(*p: ArrayLike) -> NDArray[Any]:
    """P of the conjunction null, that at least one effect is absent: the largest p of each element.

    NaN where any is NaN. The p may be corrected or not, and one-sided ones test effects of known direction. Two-sided
    ones say nothing about directions: mask them with `minimum_statistic`.

    References
    ----------
    Nichols et al. 2005, NeuroImage 25:653-660.
    """
    return np.max(np.stack(_alike(p)), axis=0)


def minimum_statistic(*statistic: ArrayLike, same_sign: bool = True) -> NDArray[Any]:
    """The statistic of each element that is nearest to 0, where all have one sign; else 0.

    The statistics must be on one scale (z, or t of equal degrees of freedom). NaN where any is NaN.

    Parameters
    ----------
    *statistic : arrays of one shape
    same_sign : bool
        Whether effects must have one direction; without it the result is the least absolute value.
    """
    stack = np.stack(_alike(statistic))
    least = np.abs(stack).min(axis=0)
    if not same_sign:
        return least
    agree = (np.sign(stack) == np.sign(stack[0])).all(axis=0) | np.isnan(least)
    return np.where(agree, np.copysign(least, stack[0]), 0).astype(stack.dtype)


def overlap(first: ArrayLike, second: ArrayLike) -> Overlap:
    """Sizes of two masks of one shape and of what they share."""
    one, two = (np.asarray(mask, dtype=bool) for mask in _alike((first, second)))
    n_first, n_second, n_both = (int(np.count_nonzero(mask)) for mask in (one, two, one & two))
    either = n_first + n_second - n_both
    if not either:
        return Overlap(0, 0, 0, float("nan"), float("nan"))
    return Overlap(n_first, n_second, n_both, 2 * n_both / (n_first + n_second), n_both / either)


def overlap_test(
    masks: Callable[[int], tuple[Bool, Bool]],
    n_permutations: int,
    measure: OverlapMeasure = "count",
    report: Report | None = None,
) -> OverlapTest:
    """Whether two masks overlap more than when the subjects are permuted.

    Both masks are made anew for every permutation, from one and the same permutation of subjects: maps that share data
    (a change, and its correlation with an improvement) overlap by that alone, and so do smooth maps.

    Parameters
    ----------
    masks : callable
        Both masks of permutation k; 0 is the data as they are.
    n_permutations : int
        At least 1. Permutations 1 to n_permutations are asked for, in this order.
    measure : "count", "dice" or "jaccard"
        Two empty masks have an overlap of 0.
    report : callable or None

    Returns
    -------
    OverlapTest

    Raises
    ------
    CannotCompute
        When there is no permutation, or masks differ in shape.
    """
    if n_permutations < 1:
        raise CannotCompute("there is no permutation to compare with", "ask for at least one, better 1000")
    observed = overlap(*masks(0))
    null = np.empty(n_permutations)
    for k in range(1, n_permutations + 1):
        null[k - 1] = _size(overlap(*masks(k)), measure)
        if report is not None:
            report(k / n_permutations)
    return _tested(observed, null, measure)


def overlap_test_of_maps(
    first: ArrayLike, second: ArrayLike, thresholds: tuple[float, float], measure: OverlapMeasure = "count"
) -> OverlapTest:
    """As `overlap_test`, from maps that are there already.

    Parameters
    ----------
    first, second : (1 + N, V)
        Two statistics, row 0 of the data as they are, row k of permutation k of the same subjects in both. A mask is
        where a map is at or above its threshold; turn the sign of a map for the other direction. NaN is outside.
    thresholds : (float, float)
    measure : "count", "dice" or "jaccard"
    """
    one, two = _alike((first, second))
    above, beyond = thresholds
    return overlap_test(lambda k: (one[k] >= above, two[k] >= beyond), len(one) - 1, measure)


def _tested(observed: Overlap, null: Float64, measure: OverlapMeasure) -> OverlapTest:
    size = _size(observed, measure)
    found = estimate(np.count_nonzero(null >= size * (1 - EQUAL)), null.size)
    return OverlapTest(observed, measure, size, null, float(found.p), float(found.low), float(found.high))


def _size(found: Overlap, measure: OverlapMeasure) -> float:
    value = {"count": float(found.n_both), "dice": found.dice, "jaccard": found.jaccard}[measure]
    return 0.0 if np.isnan(value) else value


def _alike(arrays: tuple[ArrayLike, ...]) -> list[NDArray[Any]]:
    given = [np.asarray(array) for array in arrays]
    if len({array.shape for array in given}) > 1:
        shapes = " and ".join(str(array.shape) for array in given)
        raise CannotCompute(f"the maps have the shapes {shapes}", "give maps on one grid or surface")
    return given
