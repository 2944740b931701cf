"""Recovery and spill against closed forms, finer sampling and the figures of the habenula."""

from __future__ import annotations

import numpy as np
import pytest
from habena.app.io.atlases import load_atlas
from habena.stats.errors import CannotCompute
from habena.stats.partial_volume import partial_volume, ring, sphere_recovery, spill
from habena.stats.smooth import FWHM_PER_SIGMA
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.ndimage import gaussian_filter
from scipy.stats import norm

FWHM_MM = (4, 5, 6, 8, 10)


def test_a_sphere_of_66_mm3_keeps_the_published_shares() -> None:
    assert_allclose([sphere_recovery(66, fwhm) for fwhm in FWHM_MM], [0.31, 0.22, 0.15, 0.08, 0.045], atol=0.005)


def test_the_habenula_keeps_the_published_shares() -> None:
    atlas = load_atlas("cit168")
    habenula = next(r for r in atlas.regions if r.index == 13)
    mask = atlas.mask([habenula], atlas.grid)
    found = [partial_volume(mask, atlas.grid.zooms_mm, fwhm) for fwhm in FWHM_MM]
    assert_allclose([one.recovery for one in found], [0.25, 0.17, 0.12, 0.07, 0.04], atol=0.01)
    assert_allclose(found[1].spill_in_percent, 83, atol=0.5)
    assert found[0].volume_mm3 == 66
    assert all(one.small for one in found)


def test_the_closed_form_of_a_sphere_is_the_mean_of_its_blur() -> None:
    """By the blur of a ball in closed form along its radius."""
    radius, sigma = 3.0, 2.0

    def blurred(r: float) -> float:
        both = norm.cdf((radius - r) / sigma) - norm.cdf(-(radius + r) / sigma)
        return both - sigma / r * (norm.pdf((radius - r) / sigma) - norm.pdf((radius + r) / sigma))

    mean = quad(lambda r: 3 * r * r * blurred(r), 1e-9, radius)[0] / radius**3
    assert_allclose(sphere_recovery(4 / 3 * np.pi * radius**3, sigma * FWHM_PER_SIGMA), mean, rtol=1e-6)


def test_a_ball_of_fine_voxels_nears_the_closed_form() -> None:
    zoom, radius = 0.25, 2.5
    at = (np.arange(24) - 11.5) * zoom
    ball = at[:, None, None] ** 2 + at[:, None] ** 2 + at**2 <= radius**2
    found = partial_volume(ball, (zoom,) * 3, 5.0)
    assert_allclose(found.recovery, sphere_recovery(found.volume_mm3, 5.0), rtol=0.005)
    assert_allclose(found.diameter_mm, 5.0, rtol=0.01)


def test_a_box_has_the_product_of_its_axes_however_it_is_cut_into_voxels() -> None:
    sides, fwhm = (4.0, 6.0, 2.0), 3.0
    sigma = fwhm / FWHM_PER_SIGMA
    expected = 1.0
    for side in sides:
        expected *= quad(lambda x, s=side: norm.cdf((s - x) / sigma) - norm.cdf(-x / sigma), 0, side)[0] / side
    for cuts in ((1, 1, 1), (4, 3, 2), (8, 1, 5)):
        mask = np.zeros(tuple(n + 3 for n in cuts), bool)
        mask[1:-2, 1:-2, 2:-1] = True
        zooms = tuple(side / n for side, n in zip(sides, cuts, strict=True))
        assert_allclose(partial_volume(mask, zooms, fwhm).recovery, expected, rtol=1e-9)


@settings(deadline=None, max_examples=25)
@given(shape=st.tuples(*[st.integers(1, 6)] * 3), seed=st.integers(0, 99), fwhm=st.floats(2.5, 6))
def test_coarse_voxels_equal_many_fine_samples(shape: tuple[int, int, int], seed: int, fwhm: float) -> None:
    rng = np.random.default_rng(seed)
    source, target = rng.random(shape) < 0.4, rng.random(shape) < 0.5
    source.flat[0] = target.flat[-1] = True
    fine, step = 4, 0.5
    sigma = np.hypot(fwhm / FWHM_PER_SIGMA, step / np.sqrt(6))  # a sample stands for a box
    big = np.pad(np.kron(source, np.ones((fine,) * 3)), 16)
    sampled = gaussian_filter(big, sigma / step, mode="constant", truncate=6)
    inside = np.pad(np.kron(target, np.ones((fine,) * 3)), 16) > 0
    assert_allclose(spill(source, target, (2.0, 2.0, 2.0), fwhm), sampled[inside].mean(), rtol=0.02, atol=2e-4)


def test_nothing_is_lost_when_all_around_is_looked_at() -> None:
    region = np.zeros((21, 21, 21), bool)
    region[9:11, 10, 8:12] = True
    kept = spill(region, region, (2.0, 2.0, 2.0), 6.0) * region.sum()
    around = spill(region, ~region, (2.0, 2.0, 2.0), 6.0) * (~region).sum()
    assert_allclose(kept + around, region.sum(), rtol=1e-9)


def test_without_blur_a_region_keeps_everything() -> None:
    region = np.zeros((4, 4, 4), bool)
    region[1:3, 1, 1] = True
    found = partial_volume(region, (2.0, 2.0, 2.0), 0.0)
    assert (found.recovery, found.spill_in_percent, found.small) == (1.0, 0.0, False)


def test_a_region_is_small_when_it_keeps_less_than_a_sphere_two_fwhm_wide() -> None:
    at = np.arange(-14, 15) * 1.0
    for radius, small in ((4.5, True), (6.5, False)):
        ball = at[:, None, None] ** 2 + at[:, None] ** 2 + at**2 <= radius**2
        assert partial_volume(ball, (1.0, 1.0, 1.0), 6.0).small is small
    sheet = np.zeros((40, 40, 3), bool)
    sheet[..., 1] = True  # as large as a sphere 18 mm wide, but thin
    assert partial_volume(sheet, (1.0, 1.0, 2.0), 6.0).small


def test_a_ring_lies_within_its_distances() -> None:
    region = np.zeros((15, 15, 9), bool)
    region[7, 7, 4] = True
    zooms = (1.0, 2.0, 3.0)
    found = ring(region, zooms, width_mm=3.0, gap_mm=1.0)
    away = np.linalg.norm((np.indices(region.shape) - np.array([7, 7, 4])[:, None, None, None]).T * zooms, axis=-1).T
    np.testing.assert_array_equal(found, (away > 1) & (away <= 4))
    assert not ring(np.zeros((3, 3, 3), bool), zooms, 3.0).any()
    assert not (ring(region, zooms, 2.0) & region).any()


@pytest.mark.parametrize(
    ("mask", "zooms", "fwhm", "what"),
    [
        (np.zeros((3, 3, 3), bool), (1.0, 1.0, 1.0), 4.0, "no voxel"),
        (np.ones((3, 3, 3), bool), (1.0, 0.0, 1.0), 4.0, "make no sense"),
        (np.ones((3, 3, 3), bool), (1.0, 1.0, 1.0), float("nan"), "make no sense"),
        (np.ones((3, 3, 3), bool), (1.0, 1.0, 1.0), -1.0, "make no sense"),
    ],
)
def test_sizes_that_are_none_are_refused(mask: np.ndarray, zooms: tuple, fwhm: float, what: str) -> None:
    with pytest.raises(CannotCompute, match=what):
        partial_volume(mask, zooms, fwhm)
