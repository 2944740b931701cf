"""Arms over time: against published examples and other programs."""

from __future__ import annotations

import numpy as np
import pytest
from habena.stats.errors import CannotCompute
from habena.stats.trajectories import Summary, difference, newcombe, summarise, wilson
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

# Newcombe 1998, table II: method 10
PUBLISHED = [
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((6, 7, 2, 7), (0.0582, 0.8062)),
    ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ((0, 10, 0, 20), (-0.1611, 0.2775)),
    ((10, 10, 0, 20), (0.6791, 1.0)),
]


@pytest.mark.parametrize(("counts", "interval"), PUBLISHED)
def test_the_interval_of_a_difference_of_shares_is_that_of_newcombes_table(counts, interval):
    found = newcombe(*counts)
    np.testing.assert_allclose(found.ci, interval, atol=5.1e-5)
    assert found.estimate == pytest.approx(counts[0] / counts[1] - counts[2] / counts[3])


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_shares_agree_with_statsmodels(n_a, n_b, data):
    a, b = data.draw(st.integers(0, n_a)), data.draw(st.integers(0, n_b))
    expected = confint_proportions_2indep(a, n_a, b, n_b, method="newcomb", compare="diff")
    np.testing.assert_allclose(newcombe(a, n_a, b, n_b).ci, expected, atol=1e-9)
    np.testing.assert_allclose(wilson(a, n_a), proportion_confint(a, n_a, method="wilson"), atol=1e-9)


def test_the_parent_trial_is_reproduced_from_its_summary_numbers():
    """Ohtani et al. 2024: -8.1 (10.0) and -2.5 (5.2), 18 and 16 people, t(32) = 2.02, p = .052.

    So d = 2.02 sqrt(1/18 + 1/16).
    """
    found = difference(Summary(18, 8.1, 10.0), Summary(16, 2.5, 5.2), "pooled")
    assert found.df == 32
    assert found.t == pytest.approx(2.02, abs=0.02)  # from rounded means
    assert found.p == pytest.approx(0.052, abs=0.002)
    assert found.d == pytest.approx(2.02 * (1 / 18 + 1 / 16) ** 0.5, abs=0.006)


@pytest.mark.parametrize(("variance", "equal"), [("pooled", True), ("by-group", False)])
def test_means_agree_with_scipy(variance, equal):
    rng = np.random.default_rng(5)
    a, b = rng.normal(3, 4, 18), rng.normal(1, 1.5, 11)
    expected = stats.ttest_ind(a, b, equal_var=equal)
    found = difference(summarise(a), summarise(b), variance)
    assert (found.t, found.p, found.df) == pytest.approx((expected.statistic, expected.pvalue, expected.df))
    np.testing.assert_allclose(found.ci, expected.confidence_interval(0.95))
    np.testing.assert_allclose(summarise(a).ci, stats.t.interval(0.95, 17, a.mean(), stats.sem(a)))


@given(st.lists(st.floats(-60, 60) | st.just(float("nan")), max_size=20))
def test_missing_scores_are_left_out_and_few_have_no_interval(values):
    found = summarise(values)
    present = [value for value in values if not np.isnan(value)]
    assert found.n == len(present)
    assert np.isnan(found.ci).all() == (len(present) < 2)
    assert not present or found.mean == pytest.approx(np.mean(present))


def test_what_cannot_be_compared_says_why():
    with pytest.raises(CannotCompute, match="fewer than two"):
        difference(Summary(1, 3.0, float("nan")), Summary(5, 2.0, 1.0))
    with pytest.raises(CannotCompute, match="differs"):
        difference(summarise([2, 2]), summarise([3, 3]))
    with pytest.raises(CannotCompute, match="no proportion"):
        newcombe(1, 2, 0, 0)
