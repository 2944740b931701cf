"""Statistics of regions against pandas and by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from habena.stats.cluster import ThresholdedMap, find_clusters
from habena.stats.errors import CannotCompute
from habena.stats.regions import find_regions, region_series, region_shares, region_statistics, weighted_statistics
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

SHAPE = (6, 7, 8)


def labels(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).choice([0, 0, 3, 5, 40, 70_000], SHAPE)


def values(seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    result = rng.standard_normal(SHAPE).astype(np.float32)
    result[rng.random(SHAPE) < 0.1] = np.nan
    return result


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 999), order=st.sampled_from("CF"))
def test_equals_pandas(seed: int, order: str) -> None:
    atlas, map_ = np.array(labels(seed), order=order), np.array(values(seed), order=order)
    found = region_statistics(find_regions(atlas), map_, 8.0)
    table = pd.DataFrame({"label": atlas.ravel(), "value": map_.ravel().astype(float)})
    group = table[table.label > 0].groupby("label").value
    assert_array_equal(find_regions(atlas).label, group.count().index)
    for ours, theirs in zip(
        (found.n, found.mean, found.sd, found.median, found.low, found.high),
        (group.count(), group.mean(), group.std(), group.median(), group.min(), group.max()),
        strict=True,
    ):
        assert_allclose(ours, theirs, rtol=1e-6)
    assert_allclose(found.volume_mm3, group.size() * 8)
    assert_allclose(found.missing, 1 - group.count() / group.size())


def test_the_peak_is_the_first_voxel_of_the_largest_absolute_value() -> None:
    atlas = np.zeros(SHAPE, int)
    atlas[1:4] = 2
    map_ = np.zeros(SHAPE, np.float32)
    map_[2, 5, 1] = -9
    map_[3, 5, 1] = 9
    map_[0, 0, 0] = 100  # of no region
    assert region_statistics(find_regions(atlas), map_, 1.0).peak_ijk.tolist() == [[2, 5, 1]]


def test_infinite_voxels_are_missing_and_an_empty_region_has_no_statistics() -> None:
    atlas = np.zeros(SHAPE, np.uint8)
    atlas[0, 0, :2], atlas[1, 0, :3], atlas[2, 0, 0] = 1, 2, 3
    map_ = np.full(SHAPE, 4, np.float32)
    map_[0], map_[1, 0, 0] = np.nan, np.inf
    found = region_statistics(find_regions(atlas), map_, 1.0)
    assert found.n.tolist() == [0, 2, 1]
    assert_allclose(found.missing, [1, 1 / 3, 0])
    assert_allclose(found.mean, [np.nan, 4, 4])
    assert_allclose(found.sd, [np.nan, 0, np.nan])
    assert_allclose(found.median, [np.nan, 4, 4])
    assert found.peak_ijk.tolist() == [[-1, -1, -1], [1, 0, 1], [2, 0, 0]]


def test_no_region_at_all() -> None:
    found = region_statistics(find_regions(np.zeros(SHAPE, int)), values(), 1.0)
    assert len(found.mean) == 0


class TestWeighted:
    def test_equal_weights_are_plain_statistics(self) -> None:
        atlas, map_ = labels(), values()
        plain = region_statistics(find_regions(atlas), map_, 2.0)
        masks = [(atlas == label).astype(np.float32) for label in (3, 5, 40, 70_000)]
        for ours, expected in zip(weighted_statistics(masks, map_, 2.0), plain, strict=True):
            assert_allclose(ours, expected, rtol=1e-6)
        halves = weighted_statistics([mask / 2 for mask in masks], map_, 2.0)
        assert_allclose(halves.sd, plain.sd)
        assert_allclose(halves.volume_mm3, plain.volume_mm3 / 2)

    def test_by_hand(self) -> None:
        mask = np.array([0.5, 1.0, 0.5, 0.25, 0.0], np.float32).reshape(5, 1, 1)
        map_ = np.array([1, 2, 5, np.nan, 99], np.float32).reshape(5, 1, 1)
        found = weighted_statistics([mask], map_, 10.0)
        assert found.n.tolist() == [3]
        assert_allclose(found.volume_mm3, 22.5)
        assert_allclose(found.missing, 0.25 / 2.25)
        assert_allclose(found.mean, 2.5)
        # sum w d^2 = .5 * 2.25 + .25 + .5 * 6.25 = 4.5; sum w - sum w^2 / sum w = 2 - 1.5 / 2
        assert_allclose(found.sd, np.sqrt(4.5 / 1.25))
        assert_allclose(found.median, 2)
        assert_allclose([found.low[0], found.high[0]], [1, 5])
        assert found.peak_ijk.tolist() == [[2, 0, 0]]

    def test_an_empty_mask_and_a_mask_over_missing_voxels(self) -> None:
        map_ = np.full(SHAPE, np.nan, np.float32)
        empty, full = np.zeros(SHAPE, np.float32), np.ones(SHAPE, np.float32)
        found = weighted_statistics([empty, full], map_, 1.0)
        assert_allclose(found.missing, [np.nan, 1])
        assert np.isnan(found.mean).all()

    @pytest.mark.parametrize("weight", [100.0, -0.1])
    def test_percent_and_negative_weights_are_refused(self, weight: float) -> None:
        with pytest.raises(CannotCompute, match="outside 0 to 1"):
            weighted_statistics([np.full(SHAPE, weight, np.float32)], values(), 1.0)


class TestSeries:
    frames = np.random.default_rng(5).standard_normal((9, *SHAPE)).astype(np.float32)

    def test_each_frame_is_the_mean_of_each_region(self) -> None:
        atlas = labels()
        expected = [[frame[atlas == label].mean() for frame in self.frames] for label in (3, 5, 40, 70_000)]
        assert_allclose(region_series(find_regions(atlas), iter(self.frames), 9), expected, rtol=1e-4, atol=1e-6)

    def test_missing_voxels_are_left_out_frame_by_frame(self) -> None:
        atlas = np.zeros(SHAPE, int)
        atlas[0, 0, :2] = 1
        frames = np.ones((3, *SHAPE), np.float32)
        frames[:, 0, 0, 1] = 5
        frames[1, 0, 0, 0] = np.nan
        frames[2, 0, 0, :2] = np.nan
        seen: list[float] = []
        assert_allclose(region_series(find_regions(atlas), frames, 3, seen.append), [[3, 5, np.nan]])
        assert seen == [1 / 3, 2 / 3, 1]


class TestShares:
    def test_by_hand(self) -> None:
        map_ = np.zeros((8, 1, 1), np.float32)
        map_[[0, 1, 2, 3]], map_[[5, 6]] = 4, -3
        atlas = np.array([7, 9, 9, 9, 1, 0, 0, 2]).reshape(8, 1, 1)
        shares = region_shares(find_clusters(ThresholdedMap(map_, 1, -1, 1.0)), atlas)
        assert shares == (((9, 0.75), (7, 0.25)), ((0, 1.0),))

    def test_they_add_up_to_one_and_count_the_same_voxels(self) -> None:
        map_, atlas = np.nan_to_num(values()), labels()
        clusters = find_clusters(ThresholdedMap(map_, 0.3, -0.3, 1.0), 26)
        for number, shares in enumerate(region_shares(clusters, atlas)):
            voxels = clusters.voxels[clusters.cluster == number]
            expected = pd.Series(atlas.ravel(order="F")[voxels]).value_counts(normalize=True)
            assert {s.label: s.share for s in shares} == pytest.approx(expected.to_dict())
            assert [s.share for s in shares] == sorted((s.share for s in shares), reverse=True)

    def test_no_cluster_no_share(self) -> None:
        none = find_clusters(ThresholdedMap(np.zeros(SHAPE, np.float32), 1, -1, 1.0))
        assert region_shares(none, labels()) == ()


def test_another_grid_is_refused() -> None:
    with pytest.raises(CannotCompute, match="6 x 7 x 8 voxels, the map 6 x 7 x 9"):
        region_statistics(find_regions(labels()), np.zeros((6, 7, 9), np.float32), 1.0)
    with pytest.raises(CannotCompute, match="on the map's grid"):
        region_series(find_regions(labels()), [np.zeros((2, 2, 2), np.float32)], 1)
    with pytest.raises(CannotCompute, match="on the map's grid"):
        weighted_statistics([np.zeros((2, 2, 2), np.float32)], values(), 1.0)
