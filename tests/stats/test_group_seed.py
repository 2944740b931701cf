"""Statistics over seed maps against SciPy, statsmodels and plain NumPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from habena.stats.arrays import read_only
from habena.stats.confounds import Nuisance, design
from habena.stats.errors import CannotCompute
from habena.stats.group_contrast import group_test
from habena.stats.group_kernels import fisher_zs, statistics
from habena.stats.group_rows import (
    RunRows,
    Store,
    bytes_held,
    correlations,
    restricted,
    series_of,
    store_for,
    stored,
)
from habena.stats.group_seed import compile_kernels, group_maps, log_p, threshold_of
from habena.stats.rows import UnitRows, compact_rows, unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

LIMIT = np.tanh(4.0)


def correlated(n: int, v: int, seed: int = 0) -> np.ndarray:
    """Correlations of n runs in v voxels, of any size."""
    rng = np.random.default_rng(seed)
    return np.tanh(rng.normal(0.2, 0.4, (n, v))).astype(np.float32)


def z_of(r: np.ndarray) -> np.ndarray:
    return np.arctanh(np.clip(r.astype(np.float64), -LIMIT, LIMIT))


def prepared_runs(n: int = 5, v: int = 300, seed: int = 3) -> list[UnitRows]:
    """Runs with other numbers of volumes and confounds each, that share courses."""
    rng = np.random.default_rng(seed)
    loads = rng.standard_normal((v, 3))
    runs: list[UnitRows] = []
    for k in range(n):
        volumes = 60 + 7 * k
        rows = 500 + loads @ rng.standard_normal((3, volumes)) + rng.standard_normal((v, volumes))
        runs.append(compact_rows(rows.astype(np.float32), design(Nuisance(volumes, 2, (0.01, 0.2), 2.0))))
    return runs


def test_fisher_z_equals_atanh_to_ten_digits_up_to_its_limit() -> None:
    r = np.concatenate([np.linspace(-1, 1, 100_001), [np.tanh(k / 8) for k in range(-40, 41)], [0.0]])
    r = r.astype(np.float32)[None]
    z = np.empty(r.shape)
    fisher_zs(r, z, 0, r.size)
    assert_allclose(z, z_of(r), rtol=0, atol=1e-10)
    small = np.array([[1e-30, -1e-8, 1e-4]], np.float32)
    fisher_zs(small, z, 0, 3)
    assert_allclose(z[:, :3], small.astype(np.float64), rtol=4e-9)


def test_one_sample_equals_scipy() -> None:
    r = correlated(17, 333)
    maps = group_maps(r, group_test(np.ones((17, 1)), [1.0]))
    expected = stats.ttest_1samp(z_of(r), 0)
    assert maps.df == (1.0, 16.0)
    assert_allclose(maps.statistic, expected.statistic, rtol=1e-6)
    assert_allclose(maps.estimate, z_of(r).mean(axis=0), rtol=1e-6, atol=1e-7)
    assert_allclose(maps.mean_z, z_of(r).mean(axis=0), rtol=1e-6, atol=1e-7)
    assert_allclose(log_p(maps), -np.log10(expected.pvalue), rtol=1e-5)


def test_paired_equals_scipy_whatever_the_order_of_the_runs() -> None:
    r = correlated(22, 130)
    order = np.random.default_rng(1).permutation(22)
    pairs = np.stack([order[:11], order[11:]], axis=1)
    maps = group_maps(r, group_test(np.ones((11, 1)), [1.0], pairs))
    z = z_of(r)
    expected = stats.ttest_rel(z[order[:11]], z[order[11:]])
    assert_allclose(maps.statistic, expected.statistic, rtol=1e-6)
    assert_allclose(log_p(maps), -np.log10(expected.pvalue), rtol=1e-5)
    assert_allclose(maps.mean_z, z.mean(axis=0), rtol=1e-6, atol=1e-7)
    between = group_maps(r, group_test(np.ones((11, 1)), [1.0], pairs, "mean"))
    assert_allclose(between.statistic, stats.ttest_1samp((z[order[:11]] + z[order[11:]]) / 2, 0).statistic, rtol=1e-6)


def test_two_samples_equal_scipy() -> None:
    r = correlated(19, 90)
    group = np.repeat([0.0, 1.0], [8, 11])
    maps = group_maps(r, group_test(np.column_stack([np.ones(19), group]), [0.0, 1.0]))
    z = z_of(r)
    expected = stats.ttest_ind(z[8:], z[:8])
    assert_allclose(maps.statistic, expected.statistic, rtol=1e-6)
    assert_allclose(maps.estimate, z[8:].mean(axis=0) - z[:8].mean(axis=0), rtol=1e-6, atol=1e-7)


def covariates(n: int) -> np.ndarray:
    """Intercept, group, age and motion; of very different size."""
    rng = np.random.default_rng(5)
    return np.column_stack([np.ones(n), np.arange(n) % 2, rng.normal(4e4, 30, n), rng.normal(0, 1e-4, n)])


@pytest.mark.parametrize("contrast", [[0, 0, 1, 0], [0, 1, -1e-3, 0], [1, 0.5, 4e4, 0]])
def test_regression_equals_statsmodels(contrast: list[float]) -> None:
    r, x = correlated(24, 70), covariates(24)
    maps = group_maps(r, group_test(x, contrast))
    for v, z in enumerate(z_of(r).T):
        found = sm.OLS(z, x).fit().t_test(contrast)
        assert_allclose(maps.statistic[v], found.tvalue.item(), rtol=1e-4)
        assert_allclose(maps.estimate[v], found.effect.item(), rtol=1e-4, atol=1e-9)


def test_several_rows_give_the_f_of_statsmodels() -> None:
    r, x = correlated(24, 50), covariates(24)
    rows = np.array([[0, 1, 0, 0], [0, 0, 1, 0], [0, 0.5, 2, 1]], np.float64)
    rows *= np.linalg.norm(x, axis=0)  # so that statsmodels can solve it
    maps = group_maps(r, group_test(x, rows))
    assert maps.kind == "F"
    assert maps.df == (3.0, 20.0)
    assert np.isnan(maps.estimate).all()
    for v, z in enumerate(z_of(r).T):
        found = sm.OLS(z, x / np.linalg.norm(x, axis=0)).fit().f_test(rows / np.linalg.norm(x, axis=0))
        assert_allclose(maps.statistic[v], found.fvalue, rtol=1e-4)
        assert_allclose(log_p(maps)[v], -np.log10(found.pvalue), rtol=1e-4)


@pytest.mark.parametrize("contrast", [[0, 1.0], [1.0, 0], [0.5, -2.0]])
def test_a_voxelwise_covariate_equals_statsmodels_voxel_by_voxel(contrast: list[float]) -> None:
    r = correlated(20, 40)
    rng = np.random.default_rng(8)
    x = np.column_stack([np.ones(20), np.arange(20) % 2])
    grey = (0.5 + 0.1 * x[:, 1:] + 0.05 * rng.standard_normal((20, 40))).astype(np.float32)
    maps = group_maps(r, group_test(x, contrast), grey)
    own = group_maps(r, group_test(x, np.zeros((0, 2))), grey)
    both = group_maps(r, group_test(x, np.eye(2)), grey)
    assert maps.df == (1.0, 17.0)
    for v, z in enumerate(z_of(r).T):
        fitted = sm.OLS(z, np.column_stack([x, grey[:, v].astype(np.float64)])).fit()
        found = fitted.t_test([*contrast, 0])
        assert_allclose(maps.statistic[v], found.tvalue.item(), rtol=1e-5)
        assert_allclose(maps.estimate[v], found.effect.item(), rtol=1e-5)
        assert_allclose(own.statistic[v], fitted.tvalues[2], rtol=1e-5)
        assert_allclose(own.estimate[v], fitted.params[2], rtol=1e-5)
        assert_allclose(both.statistic[v], fitted.f_test(np.eye(3)[:2]).fvalue, rtol=1e-5)


@settings(deadline=None, max_examples=60)
@given(n=st.integers(3, 12), v=st.integers(0, 140), p=st.integers(1, 3), seed=st.integers(0, 999), x=st.booleans())
def test_any_shape_equals_least_squares_and_hopeless_voxels_are_empty(
    n: int, v: int, p: int, seed: int, x: bool
) -> None:
    rng = np.random.default_rng(seed)
    if n - p - x < 1:
        return
    r = np.round(correlated(n, v, seed), 2)  # ties
    empty = np.zeros(v, bool)
    empty[: v // 3] = rng.random(v // 3) < 0.3
    r[:, empty] = rng.choice([1.0, -1.0, 0.25, np.nan])
    matrix = np.column_stack([np.ones(n), rng.standard_normal((n, p - 1))])
    covariate = rng.standard_normal((n, v)).astype(np.float32) if x else None
    maps = group_maps(r, group_test(matrix, np.eye(p)[0]), covariate)
    assert np.isnan(maps.statistic[empty]).all()
    for voxel in np.flatnonzero(~empty):
        full = matrix if covariate is None else np.column_stack([matrix, covariate[:, voxel].astype(np.float64)])
        z = z_of(r[:, voxel])
        beta, _, _, _ = np.linalg.lstsq(full, z)
        rest = z - full @ beta
        error = np.sqrt(rest @ rest / (n - full.shape[1]) * np.linalg.inv(full.T @ full)[0, 0])
        assert_allclose(maps.estimate[voxel], beta[0], rtol=1e-4, atol=1e-6)
        if rest @ rest > 1e-9:
            assert_allclose(maps.statistic[voxel], beta[0] / error, rtol=1e-4, atol=1e-5)


def test_a_covariate_that_says_nothing_new_leaves_its_voxels_empty() -> None:
    r, x = correlated(12, 5), np.column_stack([np.ones(12), np.arange(12.0)])
    grey = np.random.default_rng(0).random((12, 5)).astype(np.float32)
    grey[:, 1], grey[:, 2], grey[3, 3] = 0.4, 2 * x[:, 1] + 1, np.nan
    maps = group_maps(r, group_test(x, [0, 1]), grey)
    assert_array_equal(np.isnan(maps.statistic), [False, True, True, True, False])
    assert_array_equal(np.isnan(maps.estimate), [False, True, True, True, False])
    assert np.isfinite(maps.mean_z).all()


def test_every_kind_of_model_is_one_compilation() -> None:
    compile_kernels()
    r = correlated(8, 50)
    for covariate in (None, r.copy(), np.asfortranarray(r)):
        for contrast in ([1.0, 0.0], np.eye(2)):
            for pairs in (None, np.arange(8).reshape(4, 2)):
                n = 8 if pairs is None else 4
                x = np.column_stack([np.ones(n), np.arange(n)])
                group_maps(r, group_test(x, contrast, pairs), None if covariate is None else covariate[:n])
    assert len(statistics.signatures) == 1


def test_many_voxels_on_all_threads() -> None:
    r = correlated(9, 20_011)
    maps = group_maps(r, group_test(np.ones((9, 1)), [1.0]))
    assert_allclose(maps.statistic, stats.ttest_1samp(z_of(r), 0).statistic, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("matrix", "contrast", "what"),
    [
        (np.ones((1, 1)), [1.0], "too few"),
        (np.column_stack([np.ones(6), np.full(6, 3.0)]), [1.0, 0], "repeats others"),
        (np.column_stack([np.ones(6), np.zeros(6)]), [1.0, 0], "is 0"),
        (np.ones((6, 1)), [0.0], "contrast"),
        (np.column_stack([np.ones(6), np.arange(6)]), [[1.0, 0], [2, 0]], "contrast"),
    ],
)
def test_what_cannot_be_tested_is_refused(matrix: np.ndarray, contrast: object, what: str) -> None:
    with pytest.raises(CannotCompute, match=what):
        group_test(matrix, np.array(contrast))


def test_shapes_that_do_not_fit_are_refused() -> None:
    r, one = correlated(4, 6), group_test(np.ones((5, 1)), [1.0])
    with pytest.raises(CannotCompute, match="run 5 of 4"):
        group_maps(r, one)
    test = group_test(np.ones((4, 1)), [1.0])
    with pytest.raises(CannotCompute, match="another shape"):
        group_maps(r, test, np.zeros((4, 5), np.float32))
    with pytest.raises(CannotCompute, match="there is none"):
        group_maps(r, group_test(np.ones((4, 1)), np.zeros((0, 1))))
    full = group_test(np.column_stack([np.ones(4), np.eye(4)[:, :2]]), [1.0, 0, 0])
    with pytest.raises(CannotCompute, match="no residual"):
        group_maps(r, full, np.random.default_rng(0).random((4, 6)).astype(np.float32))


def test_the_threshold_of_a_p_is_where_that_p_is_reached() -> None:
    t = threshold_of(0.001, (1.0, 39.0), "t")
    assert_allclose(2 * stats.t.sf(t, 39), 0.001)
    assert_allclose(stats.f.sf(threshold_of(0.01, (2.0, 20.0), "F"), 2, 20), 0.01)


def test_p_is_never_zero_and_empty_where_there_is_no_statistic() -> None:
    r = np.array([[0.9, 0.5], [0.9001, 0.5], [0.9, 0.5]], np.float32)
    maps = group_maps(np.repeat(r, 40, axis=0), group_test(np.ones((120, 1)), [1.0]))
    logs = log_p(maps)
    assert 200 < logs[0] <= 300
    assert np.isnan(logs[1])


# -- rows


def test_correlations_equal_numpy_with_each_runs_own_seed() -> None:
    runs = prepared_runs()
    seed = np.array([2, 40, 41])
    r = correlations([stored(run, "float32") for run in runs], seed)
    for k, run in enumerate(runs):
        series = np.array([run.series(row) for row in range(300)])
        expected = np.corrcoef(series, series[seed].mean(axis=0))[-1, :-1]
        assert_allclose(r[k], expected, atol=1e-5)


@pytest.mark.parametrize(("store", "limit"), [("int16", 2e-4), ("int8", 2e-2)])
@pytest.mark.parametrize("as_series", [False, True])
def test_small_stores_keep_to_the_error_that_they_state(store: Store, limit: float, as_series: bool) -> None:
    runs = prepared_runs()
    if as_series:
        rng = np.random.default_rng(1)
        runs = [unit_rows((900 + rng.standard_normal((300, 80))).astype(np.float32)) for _ in range(3)]
    small = [stored(run, store) for run in runs]
    assert all(0 < run.error_r < limit for run in small)
    for seed in (np.array([7]), np.array([7, 8, 150, 299])):
        exact = correlations([stored(run, "float32") for run in runs], seed)
        error = np.abs(correlations(small, seed) - exact).max(axis=1)
        assert (error <= [3 * run.error_r for run in small]).all()
    assert small[0].nbytes < 0.75 * stored(runs[0], "float32").nbytes


def test_a_run_of_fewer_voxels_gives_the_same_correlations() -> None:
    run = prepared_runs(1)[0]
    kept = np.array([0, 3, 4, 90, 299])
    for store in ("float32", "int16", "int8"):
        whole = stored(run, store)
        part = restricted(whole, kept)
        assert part.n_voxels == 5
        assert_allclose(correlations([part], np.array([1, 2])), correlations([whole], kept[1:3])[:, kept], atol=1e-6)
        assert restricted(whole, np.arange(300)) is whole


def test_what_is_held_is_what_was_stated() -> None:
    runs = prepared_runs()
    columns = [run.unit.shape[1] for run in runs]
    for store in ("float32", "int16", "int8"):
        assert sum(stored(run, store).nbytes for run in runs) == bytes_held(300, columns, store)


def test_the_most_exact_store_that_fits_is_taken() -> None:
    columns = [200] * 40
    sizes = {store: bytes_held(60_000, columns, store) for store in ("float32", "int16", "int8")}
    assert 1.9e9 < sizes["float32"] < 2.0e9
    for store, size in sizes.items():
        assert store_for(60_000, columns, size) == store
    with pytest.raises(CannotCompute, match="even in 8 bits"):
        store_for(60_000, columns, sizes["int8"] - 1)


def test_a_seed_that_is_not_there_or_constant_is_refused() -> None:
    run = prepared_runs(1)[0]
    for store in ("float32", "int8"):
        with pytest.raises(CannotCompute):
            series_of(stored(run, store), np.zeros(0, np.int64))
    flipped = run.unit.copy()
    flipped[1] = -flipped[0]
    norm = run.norm.copy()
    norm[1] = norm[0]
    opposed = replace(run, unit=read_only(flipped), norm=read_only(norm))
    with pytest.raises(CannotCompute, match="constant"):
        correlations([stored(opposed, "float32")], np.array([0, 1]))


def test_progress_is_told_after_every_run_and_can_stop_the_work() -> None:
    runs = [stored(run, "float32") for run in prepared_runs()]
    told: list[float] = []
    correlations(runs, np.array([1]), told.append)
    assert_allclose(told, [0.2, 0.4, 0.6, 0.8, 1.0])
    seen: list[RunRows] = []

    def stop(fraction: float) -> None:
        seen.append(runs[0])
        if fraction > 0.3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        correlations(runs, np.array([1]), stop)
    assert len(seen) == 2
