"""Seed correlation against NumPy in double precision."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.stats.arrays import unflatten
from habena.stats.confounds import Nuisance, design
from habena.stats.correlate import fisher_z, mean_r, seed_map, seed_maps, seed_series
from habena.stats.errors import CannotCompute
from habena.stats.prepare import project_out, series_rows
from habena.stats.quantise import quantise
from habena.stats.rows import UnitRows, compact_rows, unit_rows
from habena.stats.smooth import smooth_frames
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal


def series(v: int = 500, t: int = 90, seed: int = 0) -> np.ndarray:
    """Rows that share a few courses, on a large mean."""
    rng = np.random.default_rng(seed)
    courses = rng.standard_normal((4, t))
    return (700 + 20 * rng.standard_normal((v, 4)) @ courses + 30 * rng.standard_normal((v, t))).astype(np.float32)


def plain_map(rows: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """Pearson's formula, row by row, in double precision; the seed is the mean of its rows."""
    x = rows.astype(np.float64)
    y = x[seed].mean(axis=0)
    x = x - x.mean(axis=1, keepdims=True)
    y = y - y.mean()
    with np.errstate(invalid="ignore", divide="ignore"):
        return (x @ y) / np.sqrt((x**2).sum(axis=1) * (y @ y))


REST = "rapidtide_sub-RAPIDTIDETEST_task-rest_space-MNI_res-3_desc-brain_bold.nii.gz"
SEED = np.array([3, 40, 77, 401])


@settings(deadline=None, max_examples=40)
@given(v=st.integers(1, 70), t=st.integers(3, 90), seed=st.integers(0, 999), size=st.integers(1, 9))
def test_equals_numpy_for_any_number_of_rows_and_volumes(v: int, t: int, seed: int, size: int) -> None:
    rows = series(v, t, seed)
    which = np.random.default_rng(seed).integers(0, v, size)
    prepared = unit_rows(rows)
    assert_allclose(seed_map(prepared, seed_series(prepared, which)), plain_map(rows, which), atol=1e-5)


def test_many_rows_on_all_threads() -> None:
    rows = series(30_001, 61)
    prepared = unit_rows(rows)
    assert_allclose(seed_map(prepared, seed_series(prepared, SEED)), plain_map(rows, SEED), atol=1e-5)


def test_the_seed_is_the_mean_of_the_series_not_of_unit_vectors() -> None:
    rows = series()
    rows[3] *= 50  # a loud voxel leads the mean
    prepared = unit_rows(rows)
    loud = seed_map(prepared, seed_series(prepared, SEED))
    assert_allclose(loud, plain_map(rows, SEED), atol=1e-5)
    assert loud[3] > 0.99


def test_rows_that_are_constant_or_not_finite_are_nan_and_do_not_enter_the_seed() -> None:
    rows = series()
    rows[7], rows[8, 3], rows[9, 0] = 5.5, np.nan, np.inf
    prepared = unit_rows(rows)
    assert_array_equal(np.flatnonzero(~prepared.valid), [7, 8, 9])
    r = seed_map(prepared, seed_series(prepared, np.array([7, 8, 9, 40])))
    assert_array_equal(np.flatnonzero(np.isnan(r)), [7, 8, 9])
    good = np.delete(np.arange(500), [7, 8, 9])
    assert_allclose(r[good], plain_map(rows[good], np.array([37])), atol=1e-5)


def test_rows_constant_after_projection_are_nan_too() -> None:
    rows = series()
    rows[5] = 1000 + np.linspace(0, 512, 90)
    built = design(Nuisance(90, 1))
    for prepared in (unit_rows(project_out(rows, built)), compact_rows(rows, built)):
        assert not prepared.valid[5] or prepared.norm[5] < 1e-2  # a line, to the digits that float32 holds
    rows[5] = 1234.5
    for prepared in (unit_rows(project_out(rows, built)), compact_rows(rows, built)):
        assert_array_equal(np.flatnonzero(~prepared.valid), [5])


def test_an_outside_series_can_be_the_seed() -> None:
    rows = series()
    built = design(Nuisance(90, 2, (0.01, 0.1), 2.0))
    full, compact = unit_rows(project_out(rows, built)), compact_rows(rows, built)
    outside = rows[40].astype(np.float64)
    expected = seed_map(full, seed_series(full, np.array([40])))
    assert_allclose(seed_map(compact, compact.in_rows(outside)), expected, atol=1e-5)
    assert_allclose(seed_map(full, full.in_rows(project_out(rows[40:41], built)[0])), expected, atol=1e-5)
    with pytest.raises(CannotCompute, match="89 volumes, the run 90"):
        compact.in_rows(outside[1:])


@pytest.mark.parametrize("n", [1, 4, 5, 8])
def test_several_seeds_in_one_pass_are_the_single_maps(n: int) -> None:
    prepared = unit_rows(series(333))
    seeds = np.array([seed_series(prepared, np.array([k])) for k in range(n)])
    maps = seed_maps(prepared, seeds)
    assert maps.shape == (n, 333)
    assert_allclose(maps, [seed_map(prepared, seed) for seed in seeds], atol=1e-6)
    small = quantise(prepared, 16)
    assert_allclose(seed_maps(small, seeds), [seed_map(small, seed) for seed in seeds], atol=1e-6)


class TestRefusals:
    prepared = unit_rows(np.vstack([series(3), np.ones((1, 90), np.float32)]))

    def test_a_constant_seed(self) -> None:
        with pytest.raises(CannotCompute, match="no voxel of the seed"):
            seed_series(self.prepared, np.array([3]))

    def test_an_empty_seed(self) -> None:
        with pytest.raises(CannotCompute, match="no voxel of the seed"):
            seed_series(self.prepared, np.array([], int))

    @pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
    def test_a_series_without_direction(self, value: float) -> None:
        with pytest.raises(CannotCompute, match="constant or not finite"):
            seed_map(self.prepared, np.full(90, value))
        with pytest.raises(CannotCompute, match="constant or not finite"):
            seed_maps(self.prepared, np.full((2, 90), value))

    @pytest.mark.parametrize("size", [89, 91])
    def test_a_seed_of_another_length(self, size: int) -> None:
        with pytest.raises(CannotCompute, match=f"{size} numbers, the rows 90"):
            seed_map(self.prepared, np.arange(size))
        with pytest.raises(CannotCompute, match=f"{size} numbers, the rows 90"):
            seed_maps(self.prepared, np.ones((3, size)))

    def test_two_voxels_that_cancel(self) -> None:
        one = np.sin(np.arange(20.0))
        prepared = unit_rows(np.array([one, -one], np.float32))
        with pytest.raises(CannotCompute, match="constant"):
            seed_series(prepared, np.array([0, 1]))


class TestStores:
    @pytest.mark.parametrize(("bits", "most"), [(16, 1e-4), (8, 3e-3)])
    @pytest.mark.parametrize("t", [200, 260, 1200])
    def test_errors_are_as_small_as_promised(self, bits: int, most: float, t: int) -> None:
        prepared = unit_rows(series(3000, t))
        stored = quantise(prepared, bits)
        assert stored.error_seen <= stored.error_bound
        assert stored.error_seen < most
        for seed in (11, 1234, 2999):
            course = seed_series(prepared, np.array([seed]))
            error = np.abs(seed_map(stored, course) - seed_map(prepared, course)).max()
            assert error < most
            assert error <= stored.error_bound + 1e-6

    @pytest.mark.parametrize("bits", [16, 8])
    def test_no_seed_exceeds_the_bound_not_even_the_rounding_error_itself(self, bits: int) -> None:
        prepared = unit_rows(series(50))
        stored = quantise(prepared, bits)
        middle = (prepared.unit.min(axis=1) + prepared.unit.max(axis=1)) / 2
        error = stored.values * stored.scale[:, None].astype(float) + middle[:, None] - prepared.unit
        worst = np.argmax(np.linalg.norm(error, axis=1))
        course = error[worst] - error[worst].mean()
        seen = seed_map(stored, course)[worst] - prepared.unit[worst] @ (course / np.linalg.norm(course))
        assert 0.9 * stored.error_bound < seen <= stored.error_bound + 1e-6

    def test_compact_rows_can_be_stored_small(self) -> None:
        prepared = compact_rows(series(), design(Nuisance(90, 2, (0.01, 0.1), 2.0)))
        stored = quantise(prepared, 16)
        course = seed_series(prepared, SEED)
        assert_allclose(seed_map(stored, course), seed_map(prepared, course), atol=1e-4)

    def test_rows_without_a_correlation_stay_nan(self) -> None:
        rows = series()
        rows[2] = 1
        prepared = unit_rows(rows)
        stored = quantise(prepared, 8)
        assert np.isfinite(stored.error_seen)
        assert_array_equal(np.isnan(seed_map(stored, seed_series(prepared, SEED))), np.arange(500) == 2)


def test_progress_goes_to_the_end_and_cancelling_comes_through() -> None:
    rows = series(40_000)
    steps: list[Callable[..., object]] = [
        lambda report: unit_rows(rows, report),
        lambda report: compact_rows(rows, design(Nuisance(90)), report),
        lambda report: quantise(unit_rows(rows), 16, report),
    ]

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    for step in steps:
        seen: list[float] = []
        step(seen.append)
        assert len(seen) > 1
        assert seen == sorted(seen)
        assert seen[-1] == 1
        with pytest.raises(KeyboardInterrupt):
            step(stop)


class TestFisher:
    def test_it_is_atanh_up_to_four(self) -> None:
        z = fisher_z(np.array([-1, -0.5, 0, 0.9993, 1, np.nan]))
        assert_allclose(z, [-4, -0.5493061, 0, np.arctanh(0.9993), 4, np.nan], rtol=1e-6)

    def test_precision_is_kept(self) -> None:
        assert fisher_z(np.zeros(2, np.float32)).dtype == np.float32

    def test_a_mean_goes_by_way_of_z(self) -> None:
        maps = np.array([[0.2, 0.9], [0.8, 0.9], [0.5, -0.9]])
        assert_allclose(mean_r(maps), np.tanh(np.arctanh(maps).mean(axis=0)))
        assert mean_r(maps)[0] > maps[:, 0].mean()


def test_values_go_back_into_a_volume_x_fastest() -> None:
    volume = unflatten(np.array([5, 6], np.float32), np.array([1, 9]), (2, 3, 4))
    assert volume[1, 0, 0] == 5
    assert volume[1, 1, 1] == 6
    assert np.isnan(volume).sum() == 22


def test_default_mode_in_a_real_resting_run(shared_data: Callable[[str], Path]) -> None:
    """Posterior cingulate: with both angular gyri and the medial frontal cortex, hardly with the motor cortex."""
    image = nib.load(shared_data(f"fmri/{REST}"))
    data = np.asanyarray(image.dataobj)
    n = data.shape[3]
    voxels = np.flatnonzero(data.std(axis=3).reshape(-1, order="F") > 0)
    smoothed = smooth_frames((data[..., t] for t in range(n)), 6, (3, 3, 3))
    rows = series_rows((frame.volume for frame in smoothed), n, voxels)
    prepared = compact_rows(rows, design(Nuisance(n, 2, (0.01, 0.1), 1.5)))

    def number(mm: tuple[float, float, float]) -> int:
        ijk = np.rint(np.linalg.inv(image.affine) @ [*mm, 1])[:3].astype(int)
        return int(np.flatnonzero(voxels == np.ravel_multi_index(ijk, data.shape[:3], order="F"))[0])

    r = seed_map(prepared, seed_series(prepared, np.array([number((0, -52, 26))])))
    places = {(-44, -62, 34): 0.678, (46, -60, 34): 0.480, (0, 52, -2): 0.512, (-40, -22, 54): 0.139}
    for mm, expected in places.items():
        assert_allclose(r[number(mm)], expected, atol=0.02)
    full = unit_rows(project_out(rows, design(Nuisance(n, 2, (0.01, 0.1), 1.5))))
    assert isinstance(full, UnitRows)
    assert_allclose(r, plain_map(full.unit, np.array([number((0, -52, 26))])), atol=1e-5)
