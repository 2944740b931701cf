"""The confidence band of a fitted line against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from habena.stats.errors import CannotCompute
from habena.stats.fit_band import fit_band
from hypothesis import given, settings
from hypothesis import strategies as st


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(5, 40), others=st.integers(0, 2))
def test_line_and_band_are_those_of_statsmodels(seed: int, n: int, others: int) -> None:
    rng = np.random.default_rng(seed)
    nuisance = np.column_stack([np.ones(n), rng.normal(40, 10, (n, others))])
    x = rng.normal(5, 3, n)
    y = 2 + 0.3 * x + nuisance.sum(axis=1) + rng.normal(size=n)
    at = np.linspace(x.min(), x.max(), 7)
    found = fit_band(y, nuisance, x, at)
    fitted = sm.OLS(y, np.column_stack([nuisance, x])).fit()
    places = np.column_stack([np.tile(nuisance.mean(axis=0), (len(at), 1)), at])
    expected = fitted.get_prediction(places).summary_frame(alpha=0.05)
    np.testing.assert_allclose(found.fit, expected["mean"], rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(found.low, expected["mean_ci_lower"], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.high, expected["mean_ci_upper"], rtol=1e-6, atol=1e-6)


def test_without_nuisance_the_interval_of_one_constant_column_is_that_of_a_mean() -> None:
    y = np.array([1.0, 2, 4, 5])
    found = fit_band(y, np.empty((4, 0)), np.ones(4), [1.0])
    half = 3.182446305 * np.std(y, ddof=1) / 2  # t(3), 0.975
    np.testing.assert_allclose([found.low[0], found.fit[0], found.high[0]], [3 - half, 3, 3 + half], rtol=1e-8)


@pytest.mark.parametrize("x", [[1.0, 1, 1, 1], [1.0, 2]])
def test_a_line_without_freedom_or_of_dependent_columns_has_no_band(x: list[float]) -> None:
    with pytest.raises(CannotCompute):
        fit_band(np.arange(len(x), dtype=float), np.ones((len(x), 1)), x, [0.0])
