"""TFCE against closed forms, its definition integrated step by step, and nilearn."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from habena.stats import cluster_inference as clusters
from habena.stats import neighbours as graph
from habena.stats import tfce as enhancement
from habena.stats.errors import CannotCompute
from habena.stats.neighbours import Neighbours, joined, mesh_neighbours, volume_neighbours
from habena.stats.tfce import tfce
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nilearn.mass_univariate._utils import calculate_tfce
from numba.core.dispatcher import Dispatcher
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage, sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull

STRUCTURE = {6: 1, 18: 2, 26: 3}


def whole(shape: tuple[int, int, int], connectivity: int = 6) -> Neighbours:
    return volume_neighbours(np.arange(np.prod(shape)), shape, connectivity)


def enhanced(volume: np.ndarray, connectivity: int = 6, **exponents: float) -> np.ndarray:
    values = volume.astype(np.float32).ravel(order="F")
    return tfce(values, whole(volume.shape, connectivity), **exponents).reshape(volume.shape, order="F")


def integrated(values: np.ndarray, neighbours: Neighbours, h: float, e: float) -> np.ndarray:
    """The definition: between two neighbouring heights the extents are constant, and the integral of x**h is known."""
    heights = np.unique(values[np.isfinite(values) & (values > 0)]).astype(np.float64)
    rows = np.repeat(np.arange(values.size), np.diff(neighbours.start))
    total = np.where(np.isfinite(values), 0.0, np.nan)
    for low, high in zip([0.0, *heights], heights, strict=False):
        inside = np.isfinite(values) & (values >= high)
        edges = inside[rows] & inside[neighbours.index]
        graph = sparse.coo_array((edges[edges], (rows[edges], neighbours.index[edges])), shape=[values.size] * 2)
        _, label = connected_components(graph, directed=False)
        extent = np.bincount(label, weights=neighbours.size * inside)
        total[inside] += extent[label[inside]] ** e * (high ** (h + 1) - low ** (h + 1)) / (h + 1)
    return total


def smooth_noise(shape: tuple[int, int, int], seed: int = 0, width: float = 1.5) -> np.ndarray:
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), width)
    return (noise / noise.std()).astype(np.float32)


@pytest.mark.parametrize("height", [0.3, 1.0, 4.0, -2.5])
def test_a_single_voxel_gets_a_third_of_its_cube(height: float) -> None:
    volume = np.zeros((3, 3, 3))
    volume[1, 1, 1] = height
    expected = np.zeros((3, 3, 3))
    expected[1, 1, 1] = height**3 / 3
    assert_allclose(enhanced(volume), expected, rtol=1e-6)


@pytest.mark.parametrize("n", [2, 5, 9])
def test_a_flat_cluster_gets_the_root_of_its_voxels_times_a_third_of_the_cube(n: int) -> None:
    volume = np.zeros((9, 1, 1))
    volume[:n] = 3
    assert_allclose(enhanced(volume)[:n], np.sqrt(n) * 9, rtol=1e-6)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_centre_of_four_with_arms_of_one(sign: int) -> None:
    volume = sign * ndimage.generate_binary_structure(3, 1).astype(float)
    volume[1, 1, 1] = 4 * sign
    scores = sign * enhanced(volume)
    assert_allclose(scores[1, 1, 1], 21.8819, atol=5e-5)
    assert_allclose(scores[1, 1, 1], 63 / 3 + np.sqrt(7) / 3, rtol=1e-6)
    assert_allclose(scores[0, 1, 1], 0.88192, atol=5e-6)
    assert scores[0, 0, 0] == 0


def test_corner_neighbours_meet_by_corners_only() -> None:
    volume = np.zeros((2, 2, 2))
    volume[0, 0, 0] = volume[1, 1, 1] = 2
    for connectivity, score in ((6, 2.6667), (18, 2.6667), (26, 3.7712)):
        assert_allclose(enhanced(volume, connectivity)[0, 0, 0], score, atol=5e-5)


def test_signs_do_not_support_each_other() -> None:
    assert_allclose(enhanced(np.array([2.0, -3.0, 2.0]).reshape(3, 1, 1)).ravel(), [8 / 3, -9, 8 / 3], rtol=1e-6)


def test_on_a_surface_the_extent_is_area() -> None:
    square = [[0, 0, 0], [3, 0, 0], [3, 2, 0], [0, 2, 0]]
    neighbours = mesh_neighbours([[0, 1, 2], [0, 2, 3]], square)  # 2, 1, 2, 1 mm²
    scores = tfce(np.array([2, 1, 0, -1], np.float32), neighbours)
    assert_allclose(scores, [np.sqrt(3) / 3 + np.sqrt(2) * 7 / 3, np.sqrt(3) / 3, 0, -1 / 3], rtol=1e-6)


heights = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5, np.nan, np.inf, -np.inf]), st.floats(-8, 8, width=32, allow_nan=False)
)


@settings(deadline=None, max_examples=150)
@given(
    values=hnp.arrays(np.float32, hnp.array_shapes(min_dims=3, max_dims=3, max_side=5), elements=heights),
    connectivity=st.sampled_from([6, 18, 26]),
    exponents=st.sampled_from([(2.0, 0.5), (2.0, 1.0), (1.0, 0.5), (0.0, 0.0), (1.7, 0.62)]),
)
def test_equals_the_integral_of_its_definition(
    values: np.ndarray, connectivity: int, exponents: tuple[float, float]
) -> None:
    flat = values.ravel(order="F")
    neighbours = whole(values.shape, connectivity)
    expected = integrated(flat, neighbours, *exponents)
    negative = integrated(-flat, neighbours, *exponents)
    assert_allclose(tfce(flat, neighbours, *exponents), expected - negative, rtol=2e-6, atol=1e-30)
    assert_allclose(tfce(flat, neighbours, *exponents, two_sided=False), expected, rtol=2e-6, atol=1e-30)


@settings(deadline=None, max_examples=40)
@given(n=st.integers(4, 60), seed=st.integers(0, 999), levels=st.sampled_from([2, 5, 10_000]))
def test_equals_the_integral_on_meshes_with_parts_missing(n: int, seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((n, 3))
    points *= 50 / np.linalg.norm(points, axis=1, keepdims=True)
    kept = rng.permutation(n)[: rng.integers(0, n + 1)]
    neighbours = mesh_neighbours(ConvexHull(points).simplices, points, kept)
    values = (rng.integers(-levels, levels + 1, kept.size) * (4 / levels)).astype(np.float32)
    expected = integrated(values, neighbours, 2, 0.5) - integrated(-values, neighbours, 2, 0.5)
    assert_allclose(tfce(values, neighbours), expected, rtol=2e-6)


@pytest.mark.parametrize("connectivity", [6, 18, 26])
def test_equals_nilearn_up_to_the_step_that_it_leaves_out(connectivity: int) -> None:
    volume = smooth_noise((12, 13, 11))
    structure = ndimage.generate_binary_structure(3, STRUCTURE[connectivity])
    steps = 1000
    theirs = calculate_tfce(volume[..., None], structure, dh=float(np.abs(volume).max() / steps))[..., 0]
    step = np.abs(volume).max() / steps
    ours = enhanced(volume, connectivity)
    assert_allclose(ours, theirs * step, rtol=0.01, atol=0.002 * np.abs(ours).max())


def test_scores_scale_with_height_and_extent() -> None:
    values = smooth_noise((10, 11, 12)).ravel(order="F")
    neighbours = whole((10, 11, 12))
    scores = tfce(values, neighbours)
    assert_allclose(tfce(2 * values, neighbours), 8 * scores, rtol=1e-6)
    in_mm3 = replace(neighbours, size=neighbours.size * 8)
    assert_allclose(tfce(values, in_mm3), np.sqrt(8) * scores, rtol=1e-6)
    assert_array_equal(tfce(-values, neighbours), -scores)


def test_a_map_larger_than_a_processors_cache_equals_its_parts_apart() -> None:
    # two halves of the signs on two threads, and a low voxel beside a giant's shoulder: no cancellation
    shape = (40, 40, 40)
    values = smooth_noise(shape).ravel(order="F")
    values[17] = 1e-9
    neighbours = whole(shape)
    twice = tfce(np.concatenate([values, -values]), joined(neighbours, neighbours))
    alone = tfce(values, neighbours, two_sided=False) - tfce(-values, neighbours, two_sided=False)
    assert_array_equal(twice, np.concatenate([alone, -alone]))
    component, _ = ndimage.label((values > 0).reshape(shape, order="F"))
    extent = np.count_nonzero(component == component.ravel(order="F")[17])
    assert_allclose(alone[17], np.sqrt(extent) * np.float64(values[17]) ** 3 / 3, rtol=1e-6)


def test_threads_do_not_disturb_one_another() -> None:
    neighbours = whole((30, 31, 29))
    maps = [smooth_noise((30, 31, 29), seed).ravel(order="F") for seed in range(6)]
    expected = [tfce(values, neighbours) for values in maps]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda values: tfce(values, neighbours), maps))
    assert_array_equal(found, expected)


def test_maps_without_anything_to_enhance() -> None:
    nothing = volume_neighbours(np.zeros(0, np.int64), (2, 2, 2))
    assert tfce(np.zeros(0, np.float32), nothing).shape == (0,)
    gap = np.full(8, np.nan, np.float32)
    assert_array_equal(tfce(gap, whole((2, 2, 2))), gap)
    assert_array_equal(tfce(np.zeros(8, np.float32), whole((2, 2, 2))), 0)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(CannotCompute, match="7 elements, its neighbourhood 8"):
        tfce(np.zeros(7, np.float32), whole((2, 2, 2)))
    for exponents in ({"h": -1.0}, {"e": np.nan}, {"h": np.inf}):
        with pytest.raises(CannotCompute, match="no exponents"):
            tfce(np.zeros(8, np.float32), whole((2, 2, 2)), **exponents)


def test_kernels_are_compiled_once_whatever_the_arrays() -> None:
    for module in (graph, enhancement, clusters):
        module.compile_kernels()
    values = smooth_noise((5, 6, 7)).ravel(order="F")
    voxels = np.arange(values.size)
    for kind in (values, values.astype(float), values.astype(">f4"), np.stack([values, values], axis=1)[:, 1]):
        for neighbours in (volume_neighbours(voxels.astype(np.int32), (5, 6, 7)), whole((5, 6, 7), 26)):
            copies = (np.array(part) for part in (neighbours.start, neighbours.index, neighbours.size))
            for given_graph in (neighbours, Neighbours(*copies)):
                assert_array_equal(tfce(kind, given_graph, 2, 1), tfce(values, given_graph, 2.0, 1.0))
                clusters.largest_cluster(kind, given_graph, 1, "extent", False)  # noqa: FBT003
                clusters.cluster_sizes(kind, given_graph, 1.0, "mass")
    for module in (graph, enhancement, clusters):
        for name, kernel in vars(module).items():
            assert not isinstance(kernel, Dispatcher) or len(kernel.signatures) <= 1, name  # 0: called by others only
