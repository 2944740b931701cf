"""Displacement, DVARS and the carpet, by hand and as published."""

from __future__ import annotations

import numpy as np
import pytest
from habena.stats.carpet import carpet
from habena.stats.errors import CannotCompute
from habena.stats.quality import censored_by_motion, dvars, framewise_displacement
from numpy.testing import assert_allclose, assert_array_equal

RNG = np.random.default_rng(0)
SHIFTS_MM = np.cumsum(0.1 * RNG.standard_normal((30, 3)), axis=0)
ANGLES = np.cumsum(0.002 * RNG.standard_normal((30, 3)), axis=0)


class TestFramewiseDisplacement:
    def test_one_step_by_hand(self) -> None:
        motion = np.zeros((3, 6))
        motion[1:] = [1, -2, 0.5, 0.01, 0, -0.02]
        assert_allclose(framewise_displacement(motion, "fmriprep"), [np.nan, 3.5 + 50 * 0.03, 0])

    def test_all_programs_conventions_tell_the_same_motion(self) -> None:
        expected = framewise_displacement(np.hstack([SHIFTS_MM, ANGLES]), "fmriprep")
        assert_allclose(framewise_displacement(np.hstack([ANGLES, SHIFTS_MM]), "fsl"), expected)
        assert_allclose(framewise_displacement(np.hstack([SHIFTS_MM, ANGLES]), "spm"), expected)
        assert_allclose(framewise_displacement(np.hstack([np.degrees(ANGLES), SHIFTS_MM]), "afni"), expected)

    def test_the_first_volume_has_none(self) -> None:
        assert np.isnan(framewise_displacement(np.zeros((1, 6)), "fsl")).tolist() == [True]

    def test_degrees_read_as_radians_are_noticed(self) -> None:
        degrees = np.hstack([np.linspace(0, 3, 30)[:, None] * [1, 0, 0], SHIFTS_MM])
        with pytest.raises(CannotCompute, match="turn by 172 degrees"):
            framewise_displacement(degrees, "fsl")
        assert framewise_displacement(degrees, "afni")[1:].max() < 10

    @pytest.mark.parametrize("motion", [np.zeros((5, 7)), np.zeros(6), np.full((4, 6), np.nan)])
    def test_other_tables_are_refused(self, motion: np.ndarray) -> None:
        with pytest.raises(CannotCompute, match="not six columns"):
            framewise_displacement(motion, "spm")

    def test_volumes_above_the_threshold_are_censored_and_the_first_is_kept(self) -> None:
        assert_array_equal(censored_by_motion([np.nan, 0.5, 0.51, 0.1], 0.5), [False, False, True, False])

    @pytest.mark.parametrize("threshold", [0, -1, np.nan])
    def test_a_threshold_must_be_positive(self, threshold: float) -> None:
        with pytest.raises(CannotCompute):
            censored_by_motion([0.1], threshold)


def nichols(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nichols' note (2013), voxel by voxel."""
    changes, expected = [], []
    for series in rows.astype(np.float64):
        ordered = np.sort(series)
        n = len(series) - 1
        sd = (ordered[int(np.floor(0.75 * n))] - ordered[int(np.floor(0.25 * n))]) / 1.349
        if sd == 0:
            continue
        x = series - series.mean()
        ar1 = (x[1:] @ x[:-1]) / (x @ x)
        expected.append(sd * np.sqrt(2 * (1 - ar1)))
        changes.append(np.diff(series))
    raw = np.sqrt(np.mean(np.square(changes), axis=0))
    return raw, raw / np.mean(expected)


class TestDvars:
    rows = (500 + 20 * RNG.standard_normal((60, 80)) + np.cumsum(RNG.standard_normal((60, 80)), 1)).astype(np.float32)

    def test_equals_the_definition_voxel_by_voxel(self) -> None:
        raw, standardised = nichols(self.rows)
        result = dvars(self.rows)
        assert_allclose(result.raw[1:], raw, rtol=1e-6)
        assert_allclose(result.standardised[1:], standardised, rtol=1e-6)
        assert np.isnan([result.raw[0], result.standardised[0]]).all()

    def test_quiet_noise_is_about_one_and_a_jolt_stands_out(self) -> None:
        rows = np.random.default_rng(4).standard_normal((2000, 200)).astype(np.float32)
        rows[:, 90:] += 5
        standardised = dvars(rows).standardised
        assert_allclose(np.median(standardised[1:]), 1, atol=0.5)
        assert np.nanargmax(standardised) == 90

    def test_constant_and_empty_voxels_are_left_out(self) -> None:
        more = np.vstack([self.rows, np.full((1, 80), 3, np.float32), np.full((1, 80), np.nan, np.float32)])
        assert_allclose(dvars(more).standardised, dvars(self.rows).standardised)

    def test_nothing_that_varies_is_refused(self) -> None:
        with pytest.raises(CannotCompute, match="no voxel"):
            dvars(np.ones((4, 10), np.float32))


class TestCarpet:
    rows = (1000 + 10 * RNG.standard_normal((90, 40))).astype(np.float32)
    groups = np.repeat([3, 1, 2], [60, 20, 10]).astype(np.int32)

    def test_with_a_line_for_each_series_it_is_the_z_scored_series_in_order(self) -> None:
        drawn = carpet(self.rows, self.groups, most_lines=500)
        rows = self.rows.astype(np.float64)
        z = (rows - rows.mean(1, keepdims=True)) / rows.std(1, keepdims=True)
        likeness = [np.corrcoef(series, self.rows.mean(axis=0))[0, 1] for series in self.rows]
        order = sorted(range(90), key=lambda v: (self.groups[v], -likeness[v]))
        assert_allclose(drawn.picture, z[order], atol=5e-5)
        assert_array_equal(drawn.group, self.groups[order])
        assert (drawn.rows_per_line == 1).all()

    def test_lines_are_means_of_neighbours_and_never_mix_groups(self) -> None:
        drawn = carpet(self.rows, self.groups, most_lines=12)
        every = carpet(self.rows, self.groups, most_lines=500).picture
        assert len(drawn.picture) <= 12
        assert drawn.rows_per_line.sum() == 90
        for group, size in ((1, 20), (2, 10), (3, 60)):
            assert drawn.rows_per_line[drawn.group == group].sum() == size
        ends = np.cumsum(drawn.rows_per_line)
        means = [every[end - n : end].mean(axis=0) for end, n in zip(ends, drawn.rows_per_line, strict=True)]
        assert_allclose(drawn.picture, means, atol=1e-4)

    def test_each_group_has_a_line_even_when_there_are_more_groups_than_lines(self) -> None:
        assert carpet(self.rows, self.groups, most_lines=1).group.tolist() == [1, 2, 3]

    def test_percent_is_of_each_series_mean(self) -> None:
        rows = np.array([[100, 110, 90, 100], [1000, 1000, 1100, 900]], np.float32)
        drawn = carpet(rows, np.array([0, 1], np.int32), unit="percent")
        assert_allclose(drawn.picture, [[0, 10, -10, 0], [0, 0, 10, -10]], atol=1e-4)

    def test_constant_and_empty_series_are_left_out(self) -> None:
        rows = np.vstack([self.rows, np.full((1, 40), 3.3, np.float32), np.full((1, 40), np.nan, np.float32)])
        drawn = carpet(rows)
        assert drawn.rows_per_line.sum() == 90
        assert np.isfinite(drawn.picture).all()

    def test_percent_of_series_without_a_mean_is_refused(self) -> None:
        centred = self.rows - self.rows.mean(axis=1, keepdims=True)
        with pytest.raises(CannotCompute, match="percent"):
            carpet(centred, unit="percent")
        with pytest.raises(CannotCompute):
            carpet(np.ones((3, 5), np.float32))
