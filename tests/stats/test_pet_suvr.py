"""Uptake ratios against sums by hand."""

from __future__ import annotations

import numpy as np
import pytest
from habena.app.problems import Cancelled
from habena.stats.errors import CannotCompute
from habena.stats.pet import overlap_s, reference_level, uptake_ratio, weighted_mean
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal


def test_a_frame_counts_for_its_seconds_within_the_window() -> None:
    start, duration = [0, 60, 120, 300], [60, 60, 120, 300]  # a gap from 240 to 300 s
    assert overlap_s(start, duration, (90, 420)).tolist() == [0, 30, 120, 120]
    assert overlap_s(start, duration, (60, 120)).tolist() == [0, 60, 0, 0]
    assert overlap_s([-30], [60], (-10, 5)).tolist() == [15]


@given(cuts=st.lists(st.floats(0, 5400), min_size=2, max_size=30, unique=True), low=st.floats(0, 5399))
def test_frames_without_gaps_share_out_the_whole_window(cuts: list[float], low: float) -> None:
    edges = np.concatenate([[-1], np.sort(cuts), [5401]])
    assert_allclose(overlap_s(edges[:-1], np.diff(edges), (low, 5400)).sum(), 5400 - low, atol=1e-6)


@pytest.mark.parametrize("window", [(60, 60), (90, 30), (float("nan"), 90), (0, float("inf"))])
def test_an_empty_window_is_refused(window: tuple[float, float]) -> None:
    with pytest.raises(CannotCompute, match="is empty"):
        overlap_s([0], [60], window)


def test_a_window_without_frames_is_refused_and_the_scan_named() -> None:
    with pytest.raises(CannotCompute, match="no frame lies within 50 to 70 min; give a window within 5 to 45 min"):
        overlap_s([300, 1500], [1200, 1200], (3000, 4200))


def test_the_mean_is_weighted_and_keeps_empty_voxels_empty() -> None:
    frames = [np.array([1, 2, np.nan], np.float32), np.array([4, np.inf, 1], np.float32)]
    done: list[float] = []
    mean = weighted_mean(iter(frames), [30, 60], done.append)
    assert_allclose(mean, [3, np.inf, np.nan])
    assert done == [0.5, 1.0]


def test_the_mean_can_be_cancelled() -> None:
    def cancel(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        weighted_mean([np.ones(3, np.float32)] * 2, [1, 1], cancel)


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [1, np.nan]])
def test_weights_that_are_none_are_refused(weights: list[float]) -> None:
    with pytest.raises(CannotCompute, match="weights"):
        weighted_mean([np.ones(3, np.float32)] * len(weights), weights)


def test_the_ratio_is_1_on_average_in_its_reference() -> None:
    mean = np.random.default_rng(0).uniform(1, 9, (4, 5, 6))
    mean[0, 0, 0], mean[1, 0, 0] = np.nan, np.inf
    reference = np.zeros(mean.shape, bool)
    reference[:2] = True
    found = uptake_ratio(mean, reference)
    assert found.ratio.dtype == np.float32
    assert_allclose(np.nanmean(found.ratio[:2]), 1, rtol=1e-6)
    assert_array_equal(np.isnan(found.ratio), ~np.isfinite(mean))
    assert (found.n_reference, found.n_left_out) == (58, 2)
    assert_allclose(found.ratio[2:], mean[2:] / found.reference_mean, rtol=1e-6)


@pytest.mark.parametrize(
    ("inside", "what"), [([], "no voxel with a value"), ([3], "no voxel with a value"), ([0, 1], "is -0.5"), ([2], "0")]
)
def test_a_reference_without_uptake_is_refused(inside: list[int], what: str) -> None:
    mean = np.array([1.0, -2.0, 0.0, np.nan])
    with pytest.raises(CannotCompute, match=what):
        reference_level(mean, np.isin(np.arange(4), inside))
