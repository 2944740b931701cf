"""Conjunction and overlap against definitions, SciPy, and chance known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from habena.stats.conjunction import (
    Overlap,
    conjunction_p,
    minimum_statistic,
    overlap,
    overlap_test,
    overlap_test_of_maps,
)
from habena.stats.errors import CannotCompute
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial import distance
from scipy.stats import binomtest, hypergeom, norm

masks = hnp.arrays(bool, st.tuples(st.just(2), st.integers(1, 30)))


def test_the_conjunction_has_the_larger_p_and_the_smaller_statistic() -> None:
    p = conjunction_p([0.01, 0.2, np.nan], [0.04, 0.03, 0.1])
    assert_array_equal(p, [0.04, 0.2, np.nan])
    z = np.random.default_rng(0).standard_normal((2, 500))
    one_sided = conjunction_p(*norm.sf(z))
    assert_allclose(one_sided, norm.sf(z.min(axis=0)), rtol=1e-12)


def test_the_minimum_statistic_needs_one_direction() -> None:
    first, second = np.array([3, -3, 3, 0, np.nan, -2], np.float32), np.array([2, -5, -4, 2, 1, -2.5], np.float32)
    least = minimum_statistic(first, second)
    assert_array_equal(least, [2, -3, 0, 0, np.nan, -2])
    assert least.dtype == np.float32
    assert_array_equal(minimum_statistic(first, second, same_sign=False), [2, 3, 3, 0, np.nan, 2])


@given(pair=masks)
def test_overlap_equals_scipy(pair: np.ndarray) -> None:
    found = overlap(*pair)
    assert found[:3] == (pair[0].sum(), pair[1].sum(), (pair[0] & pair[1]).sum())
    if pair.any():
        assert_allclose(found.dice, 1 - distance.dice(*pair))
        assert_allclose(found.jaccard, 1 - distance.jaccard(*pair))
        assert_allclose(found.dice, 2 * found.jaccard / (1 + found.jaccard))
    else:
        assert np.isnan([found.dice, found.jaccard]).all()


def test_the_p_of_random_masks_is_that_of_the_hypergeometric_distribution() -> None:
    n, n_first, n_second, n_both = 60, 20, 15, 9

    def drawn(k: int) -> tuple[np.ndarray, np.ndarray]:
        first = np.arange(n) < n_first
        second = (np.arange(n) >= n_first - n_both) & (np.arange(n) < n_first - n_both + n_second)
        return first, np.random.default_rng((1, k)).permutation(second) if k else second

    tested = overlap_test(drawn, 4000)
    assert tested.overlap == Overlap(n_first, n_second, n_both, 18 / 35, 9 / 26)
    exact = hypergeom(n, n_first, n_second).sf(n_both - 1)
    assert tested.p_low < exact < tested.p_high
    exceed = int((tested.null >= n_both).sum())
    interval = binomtest(exceed, 4000).proportion_ci(method="exact")
    assert_allclose((tested.p_low, tested.p_high), interval, rtol=1e-9)
    assert tested.p == (1 + exceed) / 4001
    # masks of fixed size: all measures are in one order
    assert overlap_test(drawn, 300, "dice").p == overlap_test(drawn, 300, "jaccard").p == overlap_test(drawn, 300).p


def test_p_is_never_zero_and_can_be_one() -> None:
    def full(k: int) -> tuple[np.ndarray, np.ndarray]:
        return np.full(5, k == 0), np.ones(5, bool)

    tested = overlap_test(full, 19)
    assert (tested.p, tested.p_low) == (1 / 20, 0)
    nothing = overlap_test(lambda _: (np.zeros(5, bool), np.zeros(5, bool)), 19, "dice")
    assert (nothing.p, nothing.observed, nothing.p_high) == (1, 0, 1)


def test_permuting_subjects_together_accounts_for_shared_data() -> None:
    # correlations of one data set with two unrelated scores: by chance both follow what all voxels share
    n, n_voxels = 24, 400
    p, p_of_independent_masks = [], []
    for run in range(200):
        draw = np.random.default_rng((7, run))
        scores = draw.standard_normal((2, n)) + 2 * draw.standard_normal(n)
        scores -= scores.mean(axis=1, keepdims=True)
        orders = np.stack([np.arange(n), *(draw.permutation(n) for _ in range(39))])
        data = draw.standard_normal((n, n_voxels)) + draw.standard_normal((n, 1))
        first, second = (np.stack([score[order] @ data for order in orders]) for score in scores)
        tested = overlap_test_of_maps(first, second, (np.quantile(first, 0.9), np.quantile(second, 0.9)))
        p.append(tested.p)
        n_first, n_second, n_both = tested.overlap[:3]
        p_of_independent_masks.append(hypergeom(n_voxels, n_first, n_second).sf(n_both - 1))
    assert 0.005 < np.mean(np.array(p) <= 0.05) < 0.1  # 5 % within four standard errors
    assert np.mean(np.array(p_of_independent_masks) <= 0.05) > 0.2


def test_maps_are_cut_at_their_thresholds() -> None:
    first = np.array([[2, 1, np.nan, 3], [0, 0, 0, 5]])
    second = np.array([[5, 5, 5, 4], [5, 5, 5, 5]])
    tested = overlap_test_of_maps(first, second, (2, 5))
    assert tested.overlap == Overlap(2, 3, 1, 2 / 5, 1 / 4)
    assert_array_equal(tested.null, [1])
    assert tested.p == 1


def test_progress_is_told_and_can_cancel() -> None:
    told: list[float] = []

    def enough(fraction: float) -> None:
        told.append(fraction)
        if fraction > 0.5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        overlap_test(lambda _: (np.ones(3, bool), np.ones(3, bool)), 10, report=enough)
    assert told == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(CannotCompute, match=r"\(3,\) and \(4,\)"):
        overlap(np.ones(3), np.ones(4))
    with pytest.raises(CannotCompute, match="no permutation"):
        overlap_test_of_maps(np.ones((1, 4)), np.ones((1, 4)), (1, 1))
