"""Resampling against SciPy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from habena.stats.errors import CannotCompute
from habena.stats.resample import resample, resample_labels
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import affine_transform


def noise(shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def oblique(seed: int, source: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """A rotation, a shear, unequal zooms and a mirror about the centres, which lie a little apart."""
    rng = np.random.default_rng(seed)
    matrix = np.eye(4)
    rotation, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    matrix[:3, :3] = rotation @ np.diag([-0.7, 0.9, 1.2]) + 0.05 * rng.standard_normal((3, 3))
    apart = rng.uniform(-0.4, 0.4, 3)
    matrix[:3, 3] = (np.array(source) - 1) / 2 - matrix[:3, :3] @ (np.array(shape) - 1) / 2 + apart
    return matrix


@settings(deadline=None)
@given(
    seed=st.integers(0, 1000),
    source=st.tuples(*[st.integers(1, 9)] * 3),
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    order=st.sampled_from("CF"),
)
def test_linear_equals_scipy_for_any_affine(seed: int, source: tuple, shape: tuple, order: str) -> None:
    volume = np.array(noise(source, seed), order=order)
    matrix = oblique(seed, source, shape)
    result = resample(volume, matrix, shape)
    expected = affine_transform(
        volume.astype(np.float64), matrix[:3, :3], matrix[:3, 3], shape, order=1, mode="constant", cval=np.nan
    )
    assert_array_equal(np.isnan(result), np.isnan(expected))
    assert_allclose(result, expected, atol=1e-5)


def test_from_3_to_2_mm_equals_scipy() -> None:
    source, target = np.diag([-3.0, 3, 3, 1]), np.diag([-2.0, 2, 2, 1])
    source[:3, 3] = target[:3, 3] = [90, -126, -72]
    matrix = np.linalg.inv(source) @ target
    volume = noise((61, 73, 61))
    result = resample(volume, matrix, (91, 109, 91))
    expected = affine_transform(volume, matrix[:3, :3], matrix[:3, 3], (91, 109, 91), order=1, cval=np.nan)
    assert_allclose(result, expected, atol=1e-5)
    assert result.flags.f_contiguous


def test_the_same_grid_gives_the_same_values_to_the_edge() -> None:
    volume = noise((4, 5, 6))
    affine = np.array([[-2.1, 0.3, 0, 40], [0.2, 1.9, 0.4, -60], [0, -0.5, 2.2, 10], [0, 0, 0, 1]])
    assert_allclose(resample(volume, np.linalg.inv(affine) @ affine, volume.shape), volume, atol=1e-5)


def test_outside_gets_the_value_asked_for() -> None:
    shift = np.eye(4)
    shift[0, 3] = 2
    for interpolation in ("linear", "nearest"):
        result = resample(np.ones((3, 3, 3), np.float32), shift, (3, 3, 3), interpolation, outside=-7)
        assert_array_equal(result[:, 0, 0], [1, -7, -7])


class TestEmptyVoxels:
    """Along x: values 0, NaN, 4, 6 seen from halfway places."""

    @staticmethod
    def at(x: float) -> float:
        volume = np.broadcast_to(np.array([0, np.nan, 4, 6], np.float32)[:, None, None], (4, 2, 2))
        shift = np.eye(4)
        shift[0, 3] = x
        return float(resample(volume, shift, (1, 1, 1))[0, 0, 0])

    def test_half_of_the_weight_is_enough(self) -> None:
        assert self.at(1.5) == 4

    def test_less_than_half_is_not(self) -> None:
        assert np.isnan(self.at(1.4))

    def test_a_neighbour_without_weight_does_no_harm(self) -> None:
        assert self.at(2) == 4
        assert self.at(0) == 0

    def test_the_empty_voxel_itself_stays_empty(self) -> None:
        assert np.isnan(self.at(1))

    def test_elsewhere_nothing_changes(self) -> None:
        assert self.at(2.25) == 4.5


def test_infinite_voxels_are_empty_too() -> None:
    volume = np.array([np.inf, 2], np.float32).reshape(2, 1, 1)
    shift = np.eye(4)
    shift[0, 3] = 0.6
    assert resample(volume, shift, (1, 1, 1))[0, 0, 0] == 2


def test_nearest_takes_the_lower_voxel_of_a_tie_and_half_a_voxel_beyond_the_edge() -> None:
    volume = np.arange(3, dtype=np.float32).reshape(3, 1, 1)
    quarter = np.diag([0.25, 1, 1, 1])
    quarter[0, 3] = -0.75
    result = resample(volume, quarter, (15, 1, 1), "nearest")[:, 0, 0]
    # positions -.75, -.5, -.25, 0 ... 2.75
    assert_array_equal(result, [np.nan, np.nan, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, np.nan])


def test_labels_stay_whole_numbers_and_equal_scipy_away_from_ties() -> None:
    labels = np.random.default_rng(3).integers(0, 70_000, (7, 8, 9)).astype(np.int32)
    matrix = oblique(5, (7, 8, 9), (9, 8, 7))
    result = resample_labels(labels, matrix, (9, 8, 7), outside=-1)
    expected = affine_transform(
        labels.astype(np.float64), matrix[:3, :3], matrix[:3, 3], (9, 8, 7), order=0, mode="grid-constant", cval=-1
    )
    assert result.dtype == np.int32
    assert_array_equal(result, expected)
    assert (result > 0).sum() > 50


@pytest.mark.parametrize("matrix", [np.eye(3), np.full((4, 4), np.nan), np.ones((4, 4))])
def test_what_is_no_affine_is_refused(matrix: np.ndarray) -> None:
    with pytest.raises(CannotCompute, match="not an affine"):
        resample(np.ones((2, 2, 2), np.float32), matrix, (2, 2, 2))
