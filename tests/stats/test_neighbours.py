"""Neighbours of voxels and vertices against definitions spelled out."""

from __future__ import annotations

import numpy as np
import pytest
from habena.stats.errors import CannotCompute
from habena.stats.neighbours import Neighbours, joined, mesh_neighbours, volume_neighbours
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial import ConvexHull
from scipy.spatial.distance import cdist

FARTHEST = {6: 1.1, 18: 1.5, 26: 1.8}  # voxels, between 1, root of 2, root of 3, and 2


def as_matrix(neighbours: Neighbours) -> np.ndarray:
    n = neighbours.size.size
    matrix = np.zeros((n, n), int)
    rows = np.repeat(np.arange(n), np.diff(neighbours.start))
    np.add.at(matrix, (rows, neighbours.index), 1)
    return matrix


def sphere(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    points = np.random.default_rng(seed).standard_normal((n, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return ConvexHull(points).simplices, points


@settings(deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 5)] * 3),
    seed=st.integers(0, 999),
    share=st.floats(0, 1),
    connectivity=st.sampled_from([6, 18, 26]),
)
def test_voxels_are_neighbours_when_they_are_near(shape: tuple, seed: int, share: float, connectivity: int) -> None:
    rng = np.random.default_rng(seed)
    voxels = rng.permutation(np.flatnonzero(rng.random(np.prod(shape)) < share))
    neighbours = volume_neighbours(voxels, shape, connectivity)
    places = np.stack(np.unravel_index(voxels, shape, order="F"), axis=1)
    distance = cdist(places, places) if voxels.size else np.zeros((0, 0))
    assert_array_equal(as_matrix(neighbours), (distance > 0) & (distance < FARTHEST[connectivity]))
    assert_array_equal(neighbours.size, 1)
    assert (neighbours.start.dtype, neighbours.index.dtype, neighbours.size.dtype) == (np.int64, np.int32, np.float32)


@pytest.mark.parametrize(
    ("voxels", "connectivity", "why"),
    [([0, 8], 6, "outside"), ([-1, 0], 6, "outside"), ([3, 3], 6, "twice"), ([0, 1], 8, "no 8 neighbours")],
)
def test_voxels_that_cannot_be_are_refused(voxels: list[int], connectivity: int, why: str) -> None:
    with pytest.raises(CannotCompute, match=why):
        volume_neighbours(np.array(voxels), (2, 2, 2), connectivity)


def test_vertices_are_neighbours_along_edges() -> None:
    triangles, points = sphere(60)
    expected = np.zeros((60, 60), int)
    for a, b, c in triangles:
        for one, other in ((a, b), (b, c), (c, a)):
            expected[one, other] = expected[other, one] = 1
    assert_array_equal(as_matrix(mesh_neighbours(triangles, points)), expected)


def test_areas_of_vertices_sum_to_the_area_of_the_mesh() -> None:
    triangles, points = sphere(4000)
    hull = ConvexHull(points)
    assert_allclose(mesh_neighbours(triangles, points).size.sum(), hull.area, rtol=1e-5)
    assert_allclose(hull.area, 4 * np.pi, rtol=0.01)


def test_the_corner_of_a_square_has_a_third_of_its_triangles() -> None:
    square = [[0, 0, 0], [3, 0, 0], [3, 2, 0], [0, 2, 0]]
    neighbours = mesh_neighbours([[0, 1, 2], [0, 2, 3]], square)
    assert_allclose(neighbours.size, [2, 1, 2, 1])  # mm² of two triangles of 3
    assert_array_equal(as_matrix(neighbours), [[0, 1, 1, 1], [1, 0, 1, 0], [1, 1, 0, 1], [1, 0, 1, 0]])


def test_vertices_left_out_take_their_edges_but_leave_the_areas_of_others() -> None:
    triangles, points = sphere(80)
    whole = mesh_neighbours(triangles, points)
    kept = np.random.default_rng(1).permutation(80)[:50]
    part = mesh_neighbours(triangles, points, kept)
    assert_array_equal(as_matrix(part), as_matrix(whole)[np.ix_(kept, kept)])
    assert_array_equal(part.size, whole.size[kept])


def test_a_vertex_in_no_triangle_has_no_area_and_no_neighbours() -> None:
    neighbours = mesh_neighbours([[0, 1, 3]], np.eye(5, 3))
    assert_array_equal(np.diff(neighbours.start), [2, 2, 0, 2, 0])
    assert neighbours.size[2] == 0


@pytest.mark.parametrize(
    ("triangles", "kept", "why"),
    [([[0, 1, 5]], None, "beyond the 5"), ([[0, 1, 2]], [0, 7], "beyond the 5"), ([[0, 1, 2]], [1, 1], "twice")],
)
def test_meshes_that_do_not_fit_are_refused(triangles: list, kept: list | None, why: str) -> None:
    with pytest.raises(CannotCompute, match=why):
        mesh_neighbours(triangles, np.eye(5, 3), kept)


def test_hemispheres_side_by_side_keep_to_themselves() -> None:
    left, right = (mesh_neighbours(*sphere(n, n)) for n in (20, 31))
    both = as_matrix(joined(left, right))
    assert_array_equal(both[:20, :20], as_matrix(left))
    assert_array_equal(both[20:, 20:], as_matrix(right))
    assert both.sum() == left.index.size + right.index.size
    assert_array_equal(joined(left, right).size, np.concatenate([left.size, right.size]))
