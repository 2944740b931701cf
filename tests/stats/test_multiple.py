"""False discovery rate against its first paper, SciPy and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from habena.stats.errors import CannotCompute
from habena.stats.multiple import benjamini_hochberg, benjamini_yekutieli, bonferroni
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import false_discovery_control
from statsmodels.stats.multitest import multipletests

# Benjamini and Hochberg 1995, section 3.2: thrombolysis against another treatment in myocardial infarction
FIFTEEN = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
FIFTEEN += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]

p_values = hnp.arrays(np.float64, st.integers(0, 40), elements=st.sampled_from([0, 1e-9, 0.01, 0.05]) | st.floats(0, 1))


def test_the_fifteen_of_benjamini_and_hochberg_reject_four_and_bonferroni_three() -> None:
    assert np.count_nonzero(benjamini_hochberg(FIFTEEN) <= 0.05) == 4
    assert np.count_nonzero(bonferroni(FIFTEEN) <= 0.05) == 3
    assert_allclose(benjamini_hochberg(FIFTEEN)[3], 0.0095 * 15 / 4)


@given(p=p_values)
def test_equals_scipy_and_statsmodels(p: np.ndarray) -> None:
    if p.size:
        assert_allclose(benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1], rtol=1e-12, atol=0)
        assert_allclose(benjamini_yekutieli(p), multipletests(p, method="fdr_by")[1], rtol=1e-12, atol=0)
        assert_allclose(benjamini_hochberg(p), false_discovery_control(p), rtol=1e-12, atol=0)
        assert_allclose(bonferroni(p), multipletests(p, method="bonferroni")[1], rtol=1e-12, atol=0)
    else:
        assert benjamini_hochberg(p).shape == bonferroni(p).shape == (0,)


@given(p=p_values)
def test_q_keeps_the_order_and_lies_between_p_and_bonferroni(p: np.ndarray) -> None:
    q = benjamini_hochberg(p)
    assert (np.diff(q[np.argsort(p)]) >= 0).all()
    assert (q >= p * (1 - 1e-12)).all()
    assert (q <= bonferroni(p) * (1 + 1e-12)).all()
    assert (benjamini_yekutieli(p) >= q).all()


@given(p=p_values, gaps=st.lists(st.integers(0, 40), max_size=5), seed=st.integers(0, 99))
def test_elements_without_a_test_do_not_count(p: np.ndarray, gaps: list[int], seed: int) -> None:
    places = np.minimum(gaps, p.size).astype(int)
    holed = np.insert(p, places, np.nan)
    q = benjamini_hochberg(holed)
    assert_array_equal(np.isnan(q), np.isnan(holed))
    assert_array_equal(q[~np.isnan(q)], benjamini_hochberg(p))
    order = np.random.default_rng(seed).permutation(p.size)
    assert_array_equal(benjamini_hochberg(p[order]), benjamini_hochberg(p)[order])


def test_the_shape_stays() -> None:
    p = np.random.default_rng(0).random((3, 4, 5))
    assert_array_equal(benjamini_hochberg(p).ravel(), benjamini_hochberg(p.ravel()))


@pytest.mark.parametrize("p", [[0.2, 1.5], [-0.1]])
def test_what_is_no_p_is_refused(p: list[float]) -> None:
    with pytest.raises(CannotCompute, match="below 0 or above 1"):
        benjamini_hochberg(p)
