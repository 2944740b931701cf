"""Projection to surfaces against nilearn's vol_to_surf and by hand."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from habena.stats.errors import CannotCompute
from habena.stats.project import apply, depth_weights, line_weights, vertex_normals
from nilearn import datasets, surface
from numpy.testing import assert_allclose, assert_array_equal

# voxels of unequal size, oblique and mirrored, around the left hemisphere
AFFINE = np.array([[-2.5, 0.2, 0, 20], [0.1, 3, 0.3, -120], [0, -0.2, 2.8, -60], [0, 0, 0, 1.0]])
SHAPE = (32, 61, 48)


@pytest.fixture(scope="module")
def meshes() -> dict[str, surface.InMemoryMesh]:
    files = datasets.fetch_surf_fsaverage("fsaverage5")
    return {name: surface.load_surf_mesh(files[f"{name}_left"]) for name in ("pial", "white")}


@pytest.fixture(scope="module")
def volume() -> np.ndarray:
    return np.asfortranarray(np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32))


def inner_samples(points: np.ndarray) -> np.ndarray:
    """Vertices all of whose positions lie between the outermost voxel centres, where nilearn does not extrapolate."""
    ijk = points @ np.linalg.inv(AFFINE)[:3, :3].T + np.linalg.inv(AFFINE)[:3, 3]
    return ((ijk > 2) & (ijk < np.array(SHAPE) - 3)).all(axis=1)


@pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning")  # nilearn, of vertices outside
def test_line_equals_nilearn(meshes: dict, volume: np.ndarray) -> None:
    pial = meshes["pial"]
    projected = apply(line_weights(pial.coordinates, pial.faces, AFFINE, SHAPE), volume)
    expected = surface.vol_to_surf(nib.Nifti1Image(volume, AFFINE), pial, kind="line").ravel()
    inside = inner_samples(pial.coordinates)
    assert 5000 < inside.sum() < len(inside) - 500  # the edge is tested below
    assert_allclose(projected[inside], expected[inside], atol=2e-6)


@pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning")
def test_depth_equals_nilearn(meshes: dict, volume: np.ndarray) -> None:
    pial, white = meshes["pial"], meshes["white"]
    projected = apply(depth_weights(pial.coordinates, white.coordinates, AFFINE, SHAPE), volume)
    expected = surface.vol_to_surf(nib.Nifti1Image(volume, AFFINE), pial, inner_mesh=white).ravel()
    inside = inner_samples(pial.coordinates) & inner_samples(white.coordinates)
    assert_allclose(projected[inside], expected[inside], atol=2e-6)


def test_the_white_surface_of_another_person_is_refused() -> None:
    with pytest.raises(CannotCompute, match="4 vertices, the white one 3"):
        depth_weights(np.zeros((4, 3)), np.zeros((3, 3)), np.eye(4), (2, 2, 2))


def test_weights_sum_to_one_and_vertices_outside_are_nan(meshes: dict, volume: np.ndarray) -> None:
    pial = meshes["pial"]
    weights = line_weights(pial.coordinates, pial.faces, AFFINE, SHAPE)
    sums = np.add.reduceat(np.append(weights.weight, 0).astype(float), weights.start[:-1])
    empty = np.diff(weights.start) == 0
    assert empty.any()
    assert_allclose(sums[~empty], 1, rtol=1e-5)
    assert_array_equal(np.isnan(apply(weights, volume)), empty)


def test_a_linear_volume_gives_the_mean_position_of_the_samples() -> None:
    i, j, k = np.meshgrid(*[np.arange(n, dtype=np.float32) for n in (9, 10, 11)], indexing="ij")
    pial, white = np.array([[2.2, 3.4, 4.6]]), np.array([[4.2, 3.0, 5.6]])
    projected = apply(depth_weights(pial, white, np.eye(4), (9, 10, 11)), i + 100 * j + 10_000 * k)
    assert_allclose(projected, [3.2 + 320 + 51_000], rtol=1e-6)


class TestByHand:
    """One vertex whose ten samples run from x = -3 to x = 3 about a place in a row of voxels."""

    corners = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 1.0]])  # counter-clockwise seen from +x
    face = np.array([[0, 1, 2]])

    def at(self, x: float, values: list[float]) -> float:
        volume = np.array(values, np.float32).reshape(-1, 1, 1)
        weights = line_weights(self.corners + np.array([x, 0, 0]), self.face, np.eye(4), volume.shape)
        return float(apply(weights, volume)[0])

    def test_the_normal_is_outward(self) -> None:
        assert_array_equal(vertex_normals(self.corners, self.face), [[1, 0, 0]] * 3)

    def test_symmetric_samples_of_a_line_are_its_middle(self) -> None:
        assert self.at(4, list(range(10))) == pytest.approx(4)

    def test_samples_outside_are_left_out(self) -> None:
        # from x = -3 ... 3 about 0 the samples at 1/3, 1, 5/3, 7/3, 3 are inside
        assert self.at(0, list(range(10))) == pytest.approx(5 / 3)

    def test_beyond_reach_is_nan(self) -> None:
        assert np.isnan(self.at(-3.1, [1, 2, 3]))

    def test_empty_voxels_share_their_weight_among_the_others(self) -> None:
        with_nan = self.at(4, [0, 0, 0, np.nan, 6, 6, 6, 6, 6, 6])
        weights = line_weights(self.corners + np.array([4, 0, 0]), self.face, np.eye(4), (10, 1, 1))
        row = dict(zip(weights.voxel[: weights.start[1]], weights.weight[: weights.start[1]], strict=True))
        valid = {voxel: weight for voxel, weight in row.items() if voxel != 3}
        expected = sum(6 * w for v, w in valid.items() if v > 3) / sum(valid.values())
        assert with_nan == pytest.approx(expected, rel=1e-5)

    def test_infinite_voxels_are_empty_and_nothing_else_is_nan(self) -> None:
        assert self.at(4, [np.inf] * 4 + [6] * 6) == pytest.approx(6)
        assert np.isnan(self.at(4, [np.nan] * 10))

    def test_a_volume_of_one_voxel(self) -> None:
        assert self.at(1 / 3, [5.0]) == pytest.approx(5)  # the sample at -1/3 lies on its centre


def test_memory_order_of_the_volume_does_not_matter(meshes: dict, volume: np.ndarray) -> None:
    pial = meshes["pial"]
    weights = line_weights(pial.coordinates, pial.faces, AFFINE, SHAPE)
    assert_array_equal(apply(weights, np.ascontiguousarray(volume)), apply(weights, volume))


def test_a_volume_on_another_grid_is_refused() -> None:
    weights = depth_weights(np.ones((1, 3)), np.ones((1, 3)), np.eye(4), (3, 3, 3))
    with pytest.raises(CannotCompute, match="weights are for"):
        apply(weights, np.zeros((3, 3, 4), np.float32))


@pytest.mark.parametrize("affine", [np.zeros((4, 4)), np.diag([1, 1, np.nan, 1])])
def test_an_affine_that_cannot_be_inverted_is_refused(affine: np.ndarray) -> None:
    with pytest.raises(CannotCompute, match="cannot be inverted"):
        depth_weights(np.ones((1, 3)), np.ones((1, 3)), affine, (3, 3, 3))


def test_a_volume_too_large_for_its_numbers_is_refused() -> None:
    with pytest.raises(CannotCompute, match="too large"):
        depth_weights(np.ones((1, 3)), np.ones((1, 3)), np.eye(4), (2000, 2000, 2000))
