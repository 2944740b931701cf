"""Smoothing against SciPy and nilearn."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from habena.stats.errors import CannotCompute
from habena.stats.smooth import FWHM_PER_SIGMA, smooth, smooth_frames
from hypothesis import given, settings
from hypothesis import strategies as st
from nilearn.image import smooth_img
from numpy.testing import assert_allclose
from scipy.ndimage import gaussian_filter

ZOOMS = (2.0, 3.0, 2.5)


def noise(shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32) + 5


@settings(deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 12)] * 3),
    fwhm=st.tuples(*[st.floats(0, 15)] * 3),
    order=st.sampled_from("CF"),
)
def test_equals_scipy_for_every_shape_and_width(
    shape: tuple[int, int, int], fwhm: tuple[float, ...], order: str
) -> None:
    volume = np.array(noise(shape), order=order)
    sigma = np.array(fwhm) / FWHM_PER_SIGMA / ZOOMS
    expected = gaussian_filter(volume.astype(np.float64), sigma, mode="reflect", truncate=4)
    assert_allclose(smooth(volume, fwhm, ZOOMS).volume, expected, rtol=2e-6, atol=1e-5)


def test_equals_nilearn_with_empty_voxels_and_counts_them() -> None:
    volume = noise((20, 24, 18))
    volume[3, 4, 5] = np.nan
    volume[10:12, 0, 0] = np.inf
    affine = np.diag([*ZOOMS, 1])
    expected = smooth_img(nib.Nifti1Image(volume.copy(), affine), 6).get_fdata()
    smoothed = smooth(volume, 6, ZOOMS)
    assert smoothed.n_empty == 3
    assert_allclose(smoothed.volume, expected, rtol=1e-5, atol=1e-5)
    assert np.isnan(volume[3, 4, 5])  # the input is left as it is


def test_the_result_is_float32_with_x_fastest() -> None:
    smoothed = smooth(noise((5, 6, 7)), 4, ZOOMS).volume
    assert smoothed.dtype == np.float32
    assert smoothed.flags.f_contiguous


def test_width_zero_changes_nothing() -> None:
    volume = noise((5, 6, 7))
    assert np.array_equal(smooth(volume, 0, ZOOMS).volume, volume)


def test_the_width_is_that_of_a_point_at_half_its_height() -> None:
    point = np.zeros((61, 5, 5), np.float32)
    point[30] = 1
    profile = smooth(point, (10, 0, 0), (1, 1, 1)).volume[:, 2, 2]
    assert_allclose(profile[[25, 35]] / profile[30], 0.5, rtol=1e-5)


def test_frames_come_one_by_one_as_they_are_asked_for() -> None:
    taken: list[int] = []

    def frames():
        for t in range(3):
            taken.append(t)
            yield noise((6, 7, 8), t)

    smoothed = smooth_frames(frames(), 5, ZOOMS)
    first = next(smoothed)
    assert taken == [0]
    assert_allclose(first.volume, smooth(noise((6, 7, 8), 0), 5, ZOOMS).volume)


@pytest.mark.parametrize("fwhm", [-1, np.nan, np.inf, (1, 1, -2)])
def test_a_width_that_is_none_is_refused(fwhm: float) -> None:
    with pytest.raises(CannotCompute, match="no width"):
        smooth(noise((4, 4, 4)), fwhm, ZOOMS)


@pytest.mark.parametrize("zooms", [(0, 1, 1), (1, np.nan, 1)])
def test_a_voxel_size_that_is_none_is_refused(zooms: tuple[float, float, float]) -> None:
    with pytest.raises(CannotCompute, match="not a size"):
        smooth(noise((4, 4, 4)), 4, zooms)
