"""Clusters against scipy.ndimage and nilearn."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from habena.stats.cluster import Clusters, ThresholdedMap, as_volume, find_clusters
from habena.stats.errors import CannotCompute
from hypothesis import given, settings
from hypothesis import strategies as st
from nilearn.reporting import get_clusters_table
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage


def noise(shape: tuple[int, int, int], seed: int = 0, width: float = 1.0) -> np.ndarray:
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), width)
    return (smooth / smooth.std()).astype(np.float32)


STRUCTURE = {6: 1, 18: 2, 26: 3}


@settings(deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    seed=st.integers(0, 999),
    connectivity=st.sampled_from([6, 18, 26]),
    above=st.sampled_from([None, 0.0, 0.5, 1.5]),
    below=st.sampled_from([None, 0.0, -0.7]),
    order=st.sampled_from("CF"),
)
def test_equals_scipy(shape: tuple, seed: int, connectivity: int, above: float, below: float, order: str) -> None:
    values = np.array(np.random.default_rng(seed).standard_normal(shape).astype(np.float32), order=order)
    found = find_clusters(ThresholdedMap(values, above, below, 2.5), connectivity)
    labels = as_volume(found, shape)
    structure = ndimage.generate_binary_structure(3, STRUCTURE[connectivity])
    n = 0
    for sign, mask in (
        (1, values >= above if above is not None else np.zeros(shape, bool)),
        (-1, values <= below if below is not None else np.zeros(shape, bool)),
    ):
        expected, n_expected = ndimage.label(mask, structure)
        n += n_expected
        assert (labels[mask] > 0).all()
        # the same parts under other numbers
        pairs = np.unique(np.stack([expected[mask], labels[mask]]), axis=1)
        assert pairs.shape[1] == n_expected
        assert_array_equal(found.sign[pairs[1] - 1], sign)
    assert len(found.sign) == n
    assert_array_equal(found.n_voxels, np.bincount(labels.ravel(), minlength=n + 1)[1:])


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return noise((20, 24, 18), 3, 1.2)


@pytest.fixture(scope="module")
def found(values: np.ndarray) -> Clusters:
    return find_clusters(ThresholdedMap(values, 1.8, -2.2, 3.0), 26)


def test_measures_equal_scipy(values: np.ndarray, found: Clusters) -> None:
    labels = as_volume(found, values.shape)
    number = np.arange(1, len(found.sign) + 1)
    assert len(number) > 10
    assert_allclose(found.centre_ijk, ndimage.center_of_mass(np.abs(values), labels, number), rtol=1e-6)
    assert_array_equal(found.peak_ijk, ndimage.maximum_position(np.abs(values), labels, number))
    assert_allclose(np.abs(found.peak_value), ndimage.maximum(np.abs(values), labels, number))
    assert_array_equal(found.volume_mm3, found.n_voxels * 3.0)
    assert_array_equal(np.sign(found.peak_value), found.sign)


def test_they_are_sorted_by_size_then_by_height(found: Clusters) -> None:
    keys = list(zip(-found.n_voxels, -np.abs(found.peak_value), strict=True))
    assert keys == sorted(keys)


def test_peaks_and_sizes_equal_nilearn(values: np.ndarray) -> None:
    image = nib.Nifti1Image(values, np.eye(4))
    table = get_clusters_table(image, 1.5, cluster_threshold=3, two_sided=True, min_distance=1e4)
    ours = find_clusters(ThresholdedMap(values, 1.5, -1.5, 1.0), 6, least_voxels=3)
    expected = sorted(zip(table["Cluster Size (mm3)"], table["Peak Stat"].round(4), strict=True))
    assert len(expected) > 10
    assert_allclose(sorted(zip(ours.volume_mm3, ours.peak_value.round(4), strict=True)), expected, atol=1e-4)


def test_small_clusters_are_left_out(values: np.ndarray, found: Clusters) -> None:
    large = find_clusters(ThresholdedMap(values, 1.8, -2.2, 3.0), 26, least_voxels=5)
    n = (found.n_voxels >= 5).sum()
    assert 0 < n < len(found.n_voxels)
    assert_array_equal(large.n_voxels, found.n_voxels[:n])
    assert_array_equal(large.peak_ijk, found.peak_ijk[:n])
    assert_array_equal(np.bincount(large.cluster), large.n_voxels)


def test_voxels_are_flat_numbers_x_fastest() -> None:
    values = np.zeros((3, 4, 5), np.float32)
    values[2, 1, 3] = values[2, 1, 4] = 7
    found = find_clusters(ThresholdedMap(values, 5, None, 1.0))
    assert found.voxels.tolist() == [2 + 3 * (1 + 4 * 3), 2 + 3 * (1 + 4 * 4)]
    assert found.peak_ijk.tolist() == [[2, 1, 3]]
    assert found.centre_ijk.tolist() == [[2, 1, 3.5]]


def test_a_value_at_the_threshold_is_in_and_zero_never_is() -> None:
    values = np.array([2.3, 2.2999, 0, -1], np.float32).reshape(4, 1, 1)
    assert find_clusters(ThresholdedMap(values, 2.3, None, 1.0)).n_voxels.tolist() == [1]
    assert find_clusters(ThresholdedMap(values, 0.0, 0.0, 1.0)).n_voxels.tolist() == [2, 1]


def test_positive_and_negative_neighbours_stay_apart() -> None:
    values = np.array([3, 3, -3, -3, -3], np.float32).reshape(5, 1, 1)
    found = find_clusters(ThresholdedMap(values, 1, -1, 1.0), 26)
    assert found.sign.tolist() == [-1, 1]


def test_nan_and_infinite_voxels_separate() -> None:
    values = np.array([3, np.nan, 4, np.inf, 5, -np.inf], np.float32).reshape(6, 1, 1)
    found = find_clusters(ThresholdedMap(values, 1, -1, 1.0), 26)
    assert found.peak_value.tolist() == [5, 4, 3]


def test_nothing_above_the_threshold_is_no_cluster() -> None:
    found = find_clusters(ThresholdedMap(np.zeros((2, 3, 4), np.float32), 1, -1, 1.0))
    assert len(found.sign) == len(found.voxels) == len(found.centre_ijk) == 0


@pytest.mark.parametrize(("above", "below"), [(-1, None), (2, 1), (np.nan, None)])
def test_thresholds_on_the_wrong_side_are_refused(above: float, below: float | None) -> None:
    with pytest.raises(CannotCompute, match="wrong side"):
        find_clusters(ThresholdedMap(np.zeros((2, 2, 2), np.float32), above, below, 1.0))
