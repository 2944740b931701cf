"""Clusters of a map above a threshold, fast enough to follow a slider."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .arrays import Float32, Float64, Int32, Int64, Shape, index_of, kernel_order
from .errors import CannotCompute

Connectivity = Literal[6, 18, 26]


class Clusters(NamedTuple):
    """Clusters from the largest to the smallest; of equal ones the higher peak first.

    Attributes
    ----------
    sign : (n,) int8
        1 above the upper threshold, -1 below the lower one.
    n_voxels : (n,) int64
    volume_mm3 : (n,) float64
    peak_value : (n,) float32
        Of the largest absolute value.
    peak_ijk : (n, 3) int64
        The first such voxel, x fastest.
    centre_ijk : (n, 3) float64
        Centre of mass, weighted by absolute values.
    voxels : (m,) int64
        Flat numbers, x fastest, of all voxels of all clusters, ascending.
    cluster : (m,) int32
        Cluster of each of these voxels, from 0.
    """

    sign: NDArray[np.int8]
    n_voxels: Int64
    volume_mm3: Float64
    peak_value: Float32
    peak_ijk: Int64
    centre_ijk: Float64
    voxels: Int64
    cluster: Int32


class ThresholdedMap(NamedTuple):
    """What is searched: the map, its thresholds, and the size of a voxel.

    Attributes
    ----------
    values : (nx, ny, nz) float32
        NaN and infinite voxels belong to no cluster.
    above : float or None
        Values at or above it, and above 0, form positive clusters; None for no such clusters.
    below : float or None
        Values at or below it, and below 0, form negative clusters; None for no such clusters.
    voxel_mm3 : float
    """

    values: Float32
    above: float | None
    below: float | None
    voxel_mm3: float


def find_clusters(thresholded: ThresholdedMap, connectivity: Connectivity = 6, least_voxels: int = 1) -> Clusters:
    """Connected voxels at or beyond a threshold; positive and negative ones never join.

    Parameters
    ----------
    thresholded : ThresholdedMap
    connectivity : 6, 18 or 26
        Neighbours of a voxel: by faces, also edges, also corners.
    least_voxels : int
        Smaller clusters are left out.

    Returns
    -------
    Clusters

    Raises
    ------
    CannotCompute
        When the upper threshold is negative or the lower one positive.
    """
    above = np.inf if thresholded.above is None else thresholded.above
    below = -np.inf if thresholded.below is None else thresholded.below
    if not below <= 0 <= above:
        raise CannotCompute(
            f"the thresholds {below:g} and {above:g} are on the wrong side of 0",
            "give an upper threshold of 0 or more and a lower one of 0 or less",
        )
    values = kernel_order(thresholded.values, np.float32)
    voxels, provisional, n = _labelled(values, np.float32(below), np.float32(above), _offsets(connectivity))
    size, peak, moments = _measured(values, voxels, provisional, n)
    return _sorted(thresholded, (voxels, provisional), (size, peak, moments), least_voxels)


def as_volume(clusters: Clusters, shape: Shape) -> Int32:
    """Cluster numbers from 1, in a volume with 0 elsewhere, x fastest."""
    volume = np.zeros(int(np.prod(shape)), np.int32)
    volume[clusters.voxels] = clusters.cluster + 1
    return volume.reshape(shape, order="F")


def _offsets(connectivity: Connectivity) -> Int64:
    """Steps (dk, dj, di) to the neighbours that come before a voxel in memory."""
    most = {6: 1, 18: 2, 26: 3}[connectivity]
    steps = np.array(np.meshgrid(*[(-1, 0, 1)] * 3, indexing="ij")).reshape(3, -1).T
    before = steps[: len(steps) // 2]
    return before[np.abs(before).sum(axis=1) <= most].astype(np.int64)


def _sorted(
    thresholded: ThresholdedMap,
    found: tuple[Int64, Int32],
    measured: tuple[Int64, Int64, Float64],
    least_voxels: int,
) -> Clusters:
    voxels, provisional = found
    size, peak, moments = measured
    shape = thresholded.values.shape
    peak_ijk = index_of(peak, (shape[0], shape[1], shape[2]))
    peak_value = thresholded.values[tuple(peak_ijk.T)].astype(np.float32)
    order = np.lexsort((peak, -np.abs(peak_value), -size))
    order = order[size[order] >= least_voxels]
    number = np.full(len(size), -1, np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    cluster = number[provisional]
    kept = cluster >= 0
    return Clusters(
        sign=np.sign(peak_value[order]).astype(np.int8),
        n_voxels=size[order],
        volume_mm3=size[order].astype(np.float64) * thresholded.voxel_mm3,
        peak_value=peak_value[order],
        peak_ijk=peak_ijk[order],
        centre_ijk=moments[order, 1:] / moments[order, :1],
        voxels=voxels[kept],
        cluster=cluster[kept],
    )


@njit(cache=True, nogil=True)
def _root(parent: Int32, label: Any) -> Any:
    while parent[label] != label:
        parent[label] = parent[parent[label]]
        label = parent[label]
    return label


@njit(cache=True, nogil=True)
def _labelled(values: Float32, below: np.float32, above: np.float32, offsets: Int64) -> tuple[Int64, Int32, int]:
    """Flat numbers of voxels beyond the thresholds, the cluster of each (from 0), the number of clusters.

    One pass that joins each voxel to its neighbours before it (union-find), one that names the roots.
    """
    nk, nj, ni = values.shape
    voxels = np.empty(values.size, np.int64)
    labels = np.full(values.size, -1, np.int32)  # of flat voxels: position in the list `voxels`
    parent = np.empty(values.size, np.int32)
    m = 0
    for k in range(nk):
        for j in range(nj):
            for i in range(ni):
                value = values[k, j, i]
                positive = value >= above and value > 0 and value < np.inf
                if not (positive or (value <= below and value < 0 and value > -np.inf)):
                    continue
                flat = (k * nj + j) * ni + i
                voxels[m] = flat
                parent[m] = m
                labels[flat] = m
                for step in offsets:
                    c, b, a = k + step[0], j + step[1], i + step[2]
                    if c < 0 or b < 0 or b >= nj or a < 0 or a >= ni:
                        continue
                    other = labels[(c * nj + b) * ni + a]
                    if other >= 0 and (values[c, b, a] > 0) == positive:
                        one, two = _root(parent, m), _root(parent, other)
                        parent[max(one, two)] = min(one, two)
                m += 1
    n = 0
    cluster = np.empty(m, np.int32)
    for v in range(m):  # a root comes before all that hang on it
        root = _root(parent, v)
        if root == v:
            cluster[v] = n
            n += 1
        else:
            cluster[v] = cluster[root]
    return voxels[:m].copy(), cluster, n


@njit(cache=True, nogil=True)
def _measured(values: Float32, voxels: Int64, cluster: Int32, n: int) -> tuple[Int64, Int64, Float64]:
    """Size, flat number of the peak, and sums of |value| x (1, i, j, k) of each cluster."""
    _, nj, ni = values.shape
    size = np.zeros(n, np.int64)
    peak = np.zeros(n, np.int64)
    highest = np.zeros(n, np.float32)
    moments = np.zeros((n, 4))
    for v in range(voxels.size):
        c, flat = cluster[v], voxels[v]
        k, rest = divmod(flat, nj * ni)
        j, i = divmod(rest, ni)
        weight = abs(values[k, j, i])
        size[c] += 1
        if weight > highest[c]:
            highest[c] = weight
            peak[c] = flat
        moments[c, 0] += weight
        moments[c, 1] += weight * i
        moments[c, 2] += weight * j
        moments[c, 3] += weight * k
    return size, peak, moments


def compile_kernels() -> None:
    """Compile for the types that are used."""
    find_clusters(ThresholdedMap(np.ones((3, 4, 5), np.float32), 0.5, -0.5, 1.0))
