"""What maps and series are within regions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arrays import Float32, Float64, Int32, Int64, Report, Shape, flat, index_of
from .cluster import Clusters
from .errors import CannotCompute

ROUNDING = 1e-6  # of weights, which are stored in single precision


class Regions(NamedTuple):
    """The voxels of each label, found once for many maps.

    Attributes
    ----------
    label : (R,) int32
        Ascending; 0 is no region.
    voxels : (M,) int64
        Flat numbers, x fastest, region by region.
    start : (R,) int64
        Where each region begins in `voxels`.
    shape : (int, int, int)
    """

    label: Int32
    voxels: Int64
    start: Int64
    shape: Shape

    @property
    def n_voxels(self) -> Int64:
        """Size of each region, (R,)."""
        return np.diff(self.start, append=len(self.voxels))


class RegionStatistics(NamedTuple):
    """One map within each region. Voxels with NaN or infinity are missing; the rest are counted.

    Attributes
    ----------
    n : (R,) int64
        Voxels with a value.
    volume_mm3 : (R,) float64
        Of the whole region, missing voxels included; with weights, the sum of weights times the voxel's volume.
    missing : (R,) float64
        Share of the region's voxels (or weight) that is missing, 0 to 1.
    mean, sd, median, low, high : (R,) float64
        NaN where no voxel has a value; sd (ddof 1) where fewer than two have. low and high are minimum and maximum.
    peak_ijk : (R, 3) int64
        The voxel of the largest absolute value, the first of them with x fastest; -1 where there is none.
    """

    n: Int64
    volume_mm3: Float64
    missing: Float64
    mean: Float64
    sd: Float64
    median: Float64
    low: Float64
    high: Float64
    peak_ijk: Int64


class Share(NamedTuple):
    """How much of a cluster lies in a region; label 0 is no region."""

    label: int
    share: float


def find_regions(labels: NDArray[Any]) -> Regions:
    """Sort the voxels of a label volume (nx, ny, nz) of whole numbers by label; 0 and less are background."""
    numbers = flat(labels)
    inside = np.flatnonzero(numbers > 0)
    order = np.argsort(numbers[inside], kind="stable")
    label, start = np.unique(numbers[inside][order], return_index=True)
    shape = (labels.shape[0], labels.shape[1], labels.shape[2])
    return Regions(label.astype(np.int32), inside[order].astype(np.int64), start.astype(np.int64), shape)


def region_statistics(regions: Regions, values: Float32, voxel_mm3: float) -> RegionStatistics:
    """Statistics of a map (nx, ny, nz) within each region.

    Raises
    ------
    CannotCompute
        When map and regions are not on the same grid.
    """
    _same_shape(regions.shape, values.shape)
    n_regions = len(regions.label)
    region = np.repeat(np.arange(n_regions), regions.n_voxels)
    value = flat(values)[regions.voxels].astype(np.float64)
    finite = np.isfinite(value)
    region, value, voxels = region[finite], value[finite], regions.voxels[finite]
    n = np.bincount(region, minlength=n_regions)
    some = n > 0
    mean = _over(np.bincount(region, value, n_regions), n)
    squares = np.bincount(region, (value - mean[region]) ** 2, n_regions)
    rising = value[np.lexsort((value, region))]
    first = np.cumsum(n) - n
    low, median, high = np.full((3, n_regions), np.nan)
    low[some] = rising[first[some]]
    high[some] = rising[first[some] + n[some] - 1]
    median[some] = (rising[(first + (n - 1) // 2)[some]] + rising[(first + n // 2)[some]]) / 2
    return RegionStatistics(
        n=n,
        volume_mm3=regions.n_voxels.astype(np.float64) * voxel_mm3,
        missing=1 - n / regions.n_voxels,
        mean=mean,
        sd=np.sqrt(_over(squares, n - 1)),
        median=median,
        low=low,
        high=high,
        peak_ijk=_peaks(region, value, voxels, regions),
    )


def weighted_statistics(weights: Iterable[Float32], values: Float32, voxel_mm3: float) -> RegionStatistics:
    """Statistics of a map (nx, ny, nz) within probabilistic masks.

    Mean and median are weighted; sd is ``sqrt(sum w (v - mean)^2 / (sum w - sum w^2 / sum w))``, which is that of
    ddof 1 where all weights are equal. The others are over voxels of positive weight.

    Parameters
    ----------
    weights : iterable of (nx, ny, nz) float32
        One mask per region, one or more; 0 to 1, NaN counts as 0.
    values : (nx, ny, nz) float32
    voxel_mm3 : float

    Raises
    ------
    CannotCompute
        When a mask is not on the map's grid, or holds weights outside 0 to 1.
    """
    parts = [_weighted(mask, values, voxel_mm3) for mask in weights]
    columns = zip(*parts, strict=True)
    return RegionStatistics(*(np.array(column) for column in columns))


def region_series(regions: Regions, frames: Iterable[Float32], n_frames: int, report: Report | None = None) -> Float64:
    """Mean of each region in each frame, (R, n_frames); over voxels with a value, NaN where none has.

    Frames are taken one at a time and not kept.
    """
    n_regions = len(regions.label)
    region = np.repeat(np.arange(n_regions), regions.n_voxels)
    series = np.full((n_regions, n_frames), np.nan)
    for t, frame in enumerate(frames):
        _same_shape(regions.shape, frame.shape)
        value = flat(frame)[regions.voxels].astype(np.float64)
        finite = np.isfinite(value)
        sums = np.bincount(region[finite], value[finite], n_regions)
        series[:, t] = _over(sums, np.bincount(region[finite], minlength=n_regions))
        if report:
            report((t + 1) / n_frames)
    return series


def region_shares(clusters: Clusters, labels: NDArray[Any]) -> tuple[tuple[Share, ...], ...]:
    """For each cluster the regions it lies in, largest share first; shares add up to 1.

    Parameters
    ----------
    clusters : Clusters
    labels : (nx, ny, nz) whole numbers
        On the grid of the clusters' map.
    """
    present, label = np.unique(flat(labels)[clusters.voxels], return_inverse=True)
    table = np.bincount(
        clusters.cluster.astype(np.int64) * len(present) + label, minlength=len(clusters.sign) * len(present)
    ).reshape(len(clusters.sign), len(present))
    return tuple(
        tuple(Share(int(present[k]), float(row[k] / row.sum())) for k in np.argsort(-row, kind="stable") if row[k])
        for row in table
    )


def _same_shape(regions: tuple[int, ...], values: tuple[int, ...]) -> None:
    if regions != values:
        raise CannotCompute(
            f"the regions have {' x '.join(map(str, regions))} voxels, the map {' x '.join(map(str, values))}",
            "put the regions on the map's grid first",
        )


def _over(sums: NDArray[Any], n: NDArray[Any]) -> Float64:
    """Sums / n; NaN where n is not positive."""
    return np.divide(sums, n, out=np.full(len(n), np.nan), where=n > 0)


def _peaks(region: Int64, value: Float64, voxels: Int64, regions: Regions) -> Int64:
    """Indices of each region's voxel of largest absolute value; regions without one get -1."""
    peak_ijk = np.full((len(regions.label), 3), -1, np.int64)
    if not len(region):
        return peak_ijk
    present, first = np.unique(region, return_index=True)
    highest = np.zeros(len(regions.label))
    highest[present] = np.maximum.reduceat(np.abs(value), first)
    at_peak = np.flatnonzero(np.abs(value) == highest[region])
    _, first = np.unique(region[at_peak], return_index=True)
    peak_ijk[present] = index_of(voxels[at_peak[first]], regions.shape)
    return peak_ijk


def _weighted(mask: Float32, values: Float32, voxel_mm3: float) -> tuple[Any, ...]:
    """One row of the statistics, in the order of RegionStatistics."""
    _same_shape(mask.shape, values.shape)
    inside = np.flatnonzero(flat(mask) > 0)
    weight = flat(mask)[inside].astype(np.float64)
    if weight.max(initial=0) > 1 + ROUNDING or (flat(mask) < 0).any():
        raise CannotCompute("the mask holds weights outside 0 to 1", "divide percentages by 100")
    value = flat(values)[inside].astype(np.float64)
    finite = np.isfinite(value)
    w, v = weight[finite], value[finite]
    volume_mm3 = weight.sum() * voxel_mm3
    if not len(v):
        missing = 1.0 if len(weight) else np.nan
        return 0, volume_mm3, missing, *[np.nan] * 5, (-1, -1, -1)
    mean = w @ v / w.sum()
    freedom = w.sum() - w @ w / w.sum()
    sd = np.sqrt(w @ (v - mean) ** 2 / freedom) if len(v) > 1 else np.nan
    peak = inside[finite][np.argmax(np.abs(v))]
    peak_ijk = index_of(np.array([peak]), (values.shape[0], values.shape[1], values.shape[2]))[0]
    missing = 1 - w.sum() / weight.sum()
    return len(v), volume_mm3, missing, mean, sd, _weighted_median(v, w), v.min(), v.max(), peak_ijk


def _weighted_median(value: Float64, weight: Float64) -> float:
    """Where half of the weight lies below; the mean of two values when exactly half lies below the upper one."""
    order = np.argsort(value)
    below = np.cumsum(weight[order])
    half = below[-1] / 2
    k = int(np.searchsorted(below, half))
    exact = k + 1 < len(order) and below[k] == half
    return float((value[order[k]] + value[order[k + 1]]) / 2 if exact else value[order[k]])
