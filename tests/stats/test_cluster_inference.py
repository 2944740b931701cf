"""Extent and mass of clusters against SciPy, nilearn and the clusters of the viewer."""

from __future__ import annotations

import numpy as np
import pytest
from habena.stats.cluster import ThresholdedMap, as_volume, find_clusters
from habena.stats.cluster_inference import ClusterStats, cluster_sizes, largest_cluster
from habena.stats.errors import CannotCompute
from habena.stats.neighbours import mesh_neighbours, volume_neighbours
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nilearn.mass_univariate._utils import calculate_cluster_measures
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage

STRUCTURE = {6: 1, 18: 2, 26: 3}

volumes = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=3, max_dims=3, max_side=6),
    elements=st.sampled_from([0.0, 1.0, -1.0, 1.5, np.nan, np.inf, -np.inf]) | st.floats(-4, 4, width=32),
)


def clusters_of(volume: np.ndarray, threshold: float, measure: str, connectivity: int = 6) -> ClusterStats:
    neighbours = volume_neighbours(np.arange(volume.size), volume.shape, connectivity)
    return cluster_sizes(volume.ravel(order="F"), neighbours, threshold, measure)


@settings(deadline=None, max_examples=150)
@given(volume=volumes, threshold=st.sampled_from([0.25, 1.0, 1.5, 5.0]), connectivity=st.sampled_from([6, 18, 26]))
def test_equals_scipy_with_its_sums(volume: np.ndarray, threshold: float, connectivity: int) -> None:
    structure = ndimage.generate_binary_structure(3, STRUCTURE[connectivity])
    extent, mass = (clusters_of(volume, threshold, measure, connectivity) for measure in ("extent", "mass"))
    n = 0
    for sign in (1, -1):
        inside = np.isfinite(volume) & (sign * volume >= threshold)
        labels, found = ndimage.label(inside, structure)
        for clusters, weights in ((extent, np.ones(volume.shape)), (mass, np.abs(volume))):
            ours = clusters.label.reshape(volume.shape, order="F")
            assert (ours[inside] >= 0).all()
            pairs = np.unique(np.stack([labels[inside], ours[inside]]), axis=1)
            assert pairs.shape[1] == found
            assert_array_equal(clusters.sign[pairs[1]], sign)
            expected = ndimage.sum_labels(np.where(inside, weights, 0).astype(float), labels, pairs[0])
            assert_allclose(clusters.statistic[pairs[1]], expected, rtol=1e-6)
        n += found
    assert len(extent.sign) == len(mass.sign) == n
    assert np.count_nonzero(extent.label >= 0) == extent.statistic.sum()
    assert (np.diff(mass.statistic) <= 0).all()


@settings(deadline=None, max_examples=60)
@given(volume=volumes, threshold=st.sampled_from([0.25, 1.5]), measure=st.sampled_from(["extent", "mass"]))
def test_the_largest_is_the_first(volume: np.ndarray, threshold: float, measure: str) -> None:
    neighbours = volume_neighbours(np.arange(volume.size), volume.shape)
    values = volume.ravel(order="F")
    for two_sided in (True, False):
        clusters = cluster_sizes(values, neighbours, threshold, measure, two_sided=two_sided)
        largest = largest_cluster(values, neighbours, threshold, measure, two_sided=two_sided)
        assert largest == (clusters.statistic[0] if clusters.statistic.size else 0)
        assert two_sided or (clusters.sign == 1).all()


def test_equals_the_clusters_of_the_viewer() -> None:
    noise = ndimage.gaussian_filter(np.random.default_rng(2).standard_normal((20, 21, 22)), 1)
    volume = np.asfortranarray((noise / noise.std()).astype(np.float32))
    viewer = find_clusters(ThresholdedMap(volume, 2, -2, 1.0), 18)
    ours = clusters_of(volume, 2, "extent", 18)
    assert_array_equal(ours.statistic, viewer.n_voxels)
    pairs = np.unique(np.stack([as_volume(viewer, volume.shape).ravel(order="F") - 1, ours.label]), axis=1)
    assert pairs.shape[1] == len(viewer.sign) + 1
    assert_array_equal(ours.sign[pairs[1, 1:]], viewer.sign[pairs[0, 1:]])


def test_equals_nilearn_whose_mass_counts_from_the_threshold() -> None:
    noise = ndimage.gaussian_filter(np.random.default_rng(3).standard_normal((14, 15, 16)), 1)
    volume = (noise / noise.std()).astype(np.float32)
    extent, mass = (clusters_of(volume, 1.5, measure) for measure in ("extent", "mass"))
    of_cluster = mass.label[[np.flatnonzero(extent.label == c)[0] for c in range(len(extent.sign))]]
    above = mass.statistic[of_cluster] - 1.5 * extent.statistic
    positive = extent.sign > 0
    structure = ndimage.generate_binary_structure(3, 1)
    for side, sign in ((positive, 1), (~positive, -1)):
        size, theirs = calculate_cluster_measures(sign * volume[..., None], 1.5, structure)
        assert extent.statistic[side].max() == size[0]
        assert_allclose(above[side].max(), theirs[0], rtol=1e-5)


def test_on_a_surface_extent_is_area_and_mass_its_integral() -> None:
    square = [[0, 0, 0], [3, 0, 0], [3, 2, 0], [0, 2, 0]]
    neighbours = mesh_neighbours([[0, 1, 2], [0, 2, 3]], square)  # 2, 1, 2, 1 mm²
    values = np.array([3, 4, 0, -5], np.float32)
    extent = cluster_sizes(values, neighbours, 2.5, "extent")
    assert_allclose(extent.statistic, [3, 1])
    assert_array_equal(extent.label, [0, 0, -1, 1])
    assert_array_equal(extent.sign, [1, -1])
    assert_allclose(cluster_sizes(values, neighbours, 2.5, "mass").statistic, [10, 5])


def test_neighbours_of_different_sign_never_join() -> None:
    clusters = clusters_of(np.array([2, 2, -2, 2], np.float32).reshape(4, 1, 1), 1, "extent")
    assert_array_equal(clusters.label, [0, 0, 1, 2])
    assert_array_equal(clusters.sign, [1, -1, 1])


def test_what_does_not_fit_is_refused() -> None:
    neighbours = volume_neighbours(np.arange(8), (2, 2, 2))
    with pytest.raises(CannotCompute, match="7 elements"):
        cluster_sizes(np.zeros(7, np.float32), neighbours, 1, "extent")
    for threshold in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(CannotCompute, match="no threshold"):
            largest_cluster(np.zeros(8, np.float32), neighbours, threshold, "mass")
