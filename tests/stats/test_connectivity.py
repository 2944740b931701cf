"""Series of regions and their correlations beside NumPy, scikit-learn and nilearn."""

from __future__ import annotations

import numpy as np
import pytest
from habena.stats.connectivity import average_correlation, correlation, partial_correlation, region_series
from habena.stats.errors import CannotCompute
from hypothesis import given, settings
from hypothesis import strategies as st
from nilearn.connectome import ConnectivityMeasure
from sklearn.decomposition import PCA


def series(n: int = 6, volumes: int = 40, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, volumes)) + 0.8 * rng.standard_normal(volumes)


def test_the_mean_series_of_a_region_is_the_mean_over_its_voxels() -> None:
    rows = series(7).astype(np.float32)
    labels = np.array([5, 0, 2, 5, -1, 2, 5])
    found = region_series(rows, labels)
    assert found.label.tolist() == [2, 5]
    assert found.n_voxels.tolist() == [2, 3]
    np.testing.assert_allclose(found.series[0], rows[[2, 5]].astype(float).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.series[1], rows[[0, 3, 6]].astype(float).mean(axis=0), rtol=1e-12)


def test_voxels_without_values_are_left_out_and_a_region_of_such_voxels_is_missing() -> None:
    rows = series(4)
    rows[0, 3], rows[2] = np.inf, np.nan
    found = region_series(rows, np.array([1, 1, 2, 3]))
    assert found.label.tolist() == [1, 3]
    np.testing.assert_array_equal(found.series[0], rows[1])


@pytest.mark.parametrize("n_voxels", [1, 8, 90])
def test_the_eigenvariate_is_the_first_principal_component_in_units_of_the_data(n_voxels: int) -> None:
    rows = series(n_voxels, 40) + 100
    found = region_series(rows, np.ones(n_voxels, int), "eigenvariate").series[0]
    first = PCA(1).fit_transform((rows - rows.mean(axis=1, keepdims=True)).T)[:, 0] / np.sqrt(n_voxels)
    np.testing.assert_allclose(found, first * np.sign(first @ found), atol=1e-9)
    assert np.corrcoef(found, rows.mean(axis=0))[0, 1] > 0


def test_the_eigenvariate_of_equal_voxels_is_their_series() -> None:
    one = series(1)[0]
    found = region_series(np.tile(one, (9, 1)), np.ones(9, int), "eigenvariate").series[0]
    np.testing.assert_allclose(found, one - one.mean(), atol=1e-12)


def test_labels_that_do_not_match_or_name_no_voxel_are_refused() -> None:
    with pytest.raises(CannotCompute, match="one label for each voxel"):
        region_series(series(4), np.ones(3, int))
    with pytest.raises(CannotCompute, match="no region has a voxel"):
        region_series(series(4), np.zeros(4, int))


def test_correlation_equals_numpys_and_is_exactly_symmetric() -> None:
    rows = series(12, 30)
    found = correlation(rows)
    np.testing.assert_allclose(found, np.corrcoef(rows), atol=1e-12)
    np.testing.assert_array_equal(found, found.T)
    assert (np.diag(found) == 1).all()


def test_a_series_that_is_constant_or_not_finite_has_no_correlation() -> None:
    rows = series(5)
    rows[1], rows[3, 2] = 1000.1, np.nan
    for found in (correlation(rows), partial_correlation(rows)):
        missing = np.isnan(found)
        assert missing[[1, 3]].all()
        assert missing[:, [1, 3]].all()
        assert not missing[np.ix_([0, 2, 4], [0, 2, 4])].any()


def test_two_time_points_are_no_correlation() -> None:
    with pytest.raises(CannotCompute, match="time points"):
        correlation(np.ones((3, 2)))


def test_partial_correlation_equals_nilearns_of_standardised_series() -> None:
    rows = series(8, 60)
    standard = (rows - rows.mean(axis=1, keepdims=True)) / rows.std(axis=1, keepdims=True)
    theirs = ConnectivityMeasure(kind="partial correlation", standardize=False).fit_transform([standard.T])[0]
    np.testing.assert_allclose(partial_correlation(rows), theirs, atol=1e-10)


def test_partial_correlation_does_not_depend_on_units_and_bears_more_regions_than_time_points() -> None:
    rows = series(30, 20)
    found = partial_correlation(rows)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(partial_correlation(rows * np.arange(1, 31)[:, None] + 7), found, atol=1e-9)


def test_with_many_time_points_partial_correlation_is_that_of_residuals() -> None:
    rng = np.random.default_rng(3)
    common = rng.standard_normal(20000)
    rows = np.stack([common + 0.5 * rng.standard_normal(20000) for _ in range(2)] + [common])
    found = partial_correlation(rows)
    others = np.column_stack([rows[2] - rows[2].mean()])
    left = [row - row.mean() - others[:, 0] * (others[:, 0] @ row) / (others[:, 0] @ others[:, 0]) for row in rows[:2]]
    assert found[0, 1] == pytest.approx(np.corrcoef(left)[0, 1], abs=0.02)


def test_matrices_are_averaged_as_fisher_z() -> None:
    first, second = correlation(series(4, seed=1)), correlation(series(4, seed=2))
    mean = average_correlation([first, second])
    off = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(mean[off], np.tanh((np.arctanh(first[off]) + np.arctanh(second[off])) / 2))
    assert (np.diag(mean) == 1).all()


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 9), st.integers(3, 12), st.integers(0, 2**31), st.floats(-1e6, 1e6))
def test_correlations_never_leave_their_range_whatever_the_mean(n: int, volumes: int, seed: int, mean: float) -> None:
    rows = np.round(np.random.default_rng(seed).standard_normal((n, volumes)), 1) + mean
    found = correlation(rows)
    finite = found[np.isfinite(found)]
    assert (np.abs(finite) <= 1).all()
    constant = np.ptp(rows, axis=1) <= 1e-9 * np.abs(mean)
    assert np.isnan(np.diag(found))[constant].all()
