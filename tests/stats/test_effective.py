"""Effective degrees of freedom: by the formula, by theory, and by how often noise is called an effect."""

from __future__ import annotations

import numpy as np
import pytest
from habena.stats.confounds import Design, Nuisance, design
from habena.stats.correlate import seed_map, seed_series
from habena.stats.effective import effective_df, significance, two_sided_p
from habena.stats.prepare import project_out
from habena.stats.rows import compact_rows, unit_rows
from numpy.testing import assert_allclose
from scipy import signal, stats


def autoregressive(phi: float, v: int, t: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((v, t + 100))
    return signal.lfilter([1], [1, -phi], noise, axis=1)[:, 100:].astype(np.float32)


def by_the_formula(residuals: np.ndarray, seed: np.ndarray, built: Design) -> np.ndarray:
    """Bartlett's sum, lag by lag over the pairs of kept volumes; what the regressors leave of n likewise."""
    kept = built.kept
    n = kept.sum()
    projection = np.diag(kept.astype(float)) - built.basis @ built.basis.T

    def rho(series: np.ndarray, k: int) -> float:
        return (series[k:] @ series[: len(series) - k] / (kept[k:] & kept[: len(kept) - k]).sum()) / (
            series @ series / n
        )

    left = projection.trace() + sum(2 * np.trace(projection, k) * rho(seed, k) for k in range(1, n // 4 + 1))
    df = []
    for series in residuals.astype(np.float64):
        total = 1.0
        for k in range(1, n // 4 + 1):
            total += 2 * (kept[k:] & kept[:-k]).sum() / n * rho(series, k) * rho(seed, k)
        df.append(np.clip(left / total - 1, 1, built.residual_df - 1))
    return np.array(df)


T = 150
DESIGNS = {
    "mean": Nuisance(T),
    "quadratic": Nuisance(T, 2),
    "band": Nuisance(T, 2, (0.01, 0.1), 2.0),
    "censored": Nuisance(T, 1, censored=np.isin(np.arange(T), [3, 4, 5, 60, 61, 100])),
    "censored band": Nuisance(T, 1, (0.01, 0.1), 2.0, censored=np.isin(np.arange(T), [3, 4, 5, 60, 61, 100])),
}


@pytest.mark.parametrize("nuisance", DESIGNS.values(), ids=DESIGNS.keys())
def test_equals_the_formula_in_time_and_in_coordinates(nuisance: Nuisance) -> None:
    rows, built = autoregressive(0.6, 30, T, 1), design(nuisance)
    residuals = project_out(rows, built)
    expected = by_the_formula(residuals, residuals[0].astype(np.float64), built)
    for prepared in (unit_rows(residuals), compact_rows(rows, built)):
        df = effective_df(prepared, seed_series(prepared, np.array([0])), built)
        assert_allclose(df, expected, rtol=1e-4)
    assert expected.std() > 1 or nuisance.band_hz  # not all at a limit


@pytest.mark.parametrize("phi", [0.3, 0.5, 0.7])
def test_long_series_reach_the_theory_of_autoregression(phi: float) -> None:
    t = 6000
    rows, built = autoregressive(phi, 200, t, 2), design(Nuisance(t))
    prepared = unit_rows(rows)
    df = effective_df(prepared, seed_series(prepared, np.array([0])), built)
    assert_allclose(np.median(df), t * (1 - phi**2) / (1 + phi**2), rtol=0.08)


def test_white_noise_keeps_nearly_all_but_never_more_than_n_less_two() -> None:
    rows, built = autoregressive(0, 300, 400, 3), design(Nuisance(400))
    prepared = unit_rows(rows)
    df = effective_df(prepared, seed_series(prepared, np.array([0])), built)
    assert df.max() == 398
    assert np.median(df) > 380


def test_a_band_leaves_its_own_dimensions() -> None:
    """180 volumes at TR 2 s in 0.01-0.1 Hz leave 66, of which a correlation takes one."""
    built = design(Nuisance(180, 0, (0.01, 0.1), 2.0))
    prepared = compact_rows(autoregressive(0, 300, 180, 4), built)
    df = effective_df(prepared, seed_series(prepared, np.array([0])), built)
    assert built.residual_df == 66
    assert df.max() == 65
    assert np.median(df) > 55


def test_rows_without_a_correlation_have_no_df_and_no_p() -> None:
    rows = autoregressive(0.3, 5, 100, 5)
    rows[2] = 1
    prepared = unit_rows(rows)
    tested = significance(prepared, seed_series(prepared, np.array([0])), design(Nuisance(100)))
    assert np.isnan([tested.r[2], tested.df[2], tested.p[2]]).all()
    assert np.isfinite(tested.p[[0, 1, 3, 4]]).all()


class TestP:
    def test_equals_scipy_for_independent_volumes(self) -> None:
        rng = np.random.default_rng(6)
        for n in (5, 40):
            x, y = rng.standard_normal((2, n))
            expected = stats.pearsonr(x, y)
            assert_allclose(two_sided_p(expected.statistic, n - 2), expected.pvalue, rtol=1e-9)

    def test_equals_student_far_out_and_for_broken_df(self) -> None:
        r, df = np.array([0.05, -0.9, 0.99, 0.999]), np.array([3.7, 51.2, 66, 250])
        t = r * np.sqrt(df / (1 - r**2))
        assert_allclose(two_sided_p(r, df), 2 * stats.t.sf(np.abs(t), df), rtol=1e-8)

    def test_ends(self) -> None:
        assert_allclose(two_sided_p([0, 1, -1], 10), [1, 0, 0])


def test_significance_is_r_with_its_p() -> None:
    rows, built = autoregressive(0.5, 50, 120, 7), design(Nuisance(120, 1))
    prepared = compact_rows(rows, built)
    seed = seed_series(prepared, np.array([0, 1]))
    seen: list[float] = []
    tested = significance(prepared, seed, built, seen.append)
    assert_allclose(tested.r, seed_map(prepared, seed))
    assert_allclose(tested.p, two_sided_p(tested.r, tested.df))
    assert seen[-1] == 1


@pytest.mark.parametrize(("phi", "naive"), [(0.0, 0.05), (0.3, 0.07), (0.5, 0.125), (0.7, 0.25)])
def test_noise_is_called_an_effect_as_often_as_promised(phi: float, naive: float) -> None:
    """5 % with effective degrees of freedom; n - 2 of them give the known 7, 12.5 and 25 %."""
    t = 180
    built = design(Nuisance(t))
    called, called_naively = [], []
    for run in range(60):
        prepared = unit_rows(autoregressive(phi, 201, t, 1000 + run))
        tested = significance(prepared, seed_series(prepared, np.array([200])), built)
        called.append((tested.p[:200] < 0.05).mean())
        called_naively.append((two_sided_p(tested.r[:200], t - 2) < 0.05).mean())
    assert_allclose(np.mean(called), 0.05, atol=0.012)
    assert_allclose(np.mean(called_naively), naive, atol=0.02)
