"""The statistic of clusters above a forming threshold: their extent or their mass."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .arrays import Float32, Float64, Int32, Int64, read_only
from .errors import CannotCompute
from .neighbours import Neighbours

Measure = Literal["extent", "mass"]


class ClusterStats(NamedTuple):
    """Clusters from the largest statistic to the smallest; of equal ones the one with the first element first.

    Attributes
    ----------
    label : (V,) int32
        Cluster of each element, -1 outside all of them.
    sign : (C,) int8
        1 or -1.
    statistic : (C,) float64
        Extent in units of the neighbourhood (voxels or mm²), or mass.
    """

    label: Int32
    sign: NDArray[np.int8]
    statistic: Float64


def cluster_sizes(
    values: Float32, neighbours: Neighbours, threshold: float, measure: Measure, two_sided: bool = True
) -> ClusterStats:
    """Connected elements at or beyond a forming threshold, and what each cluster amounts to.

    The mass of a cluster is the sum of absolute values over its elements, on surfaces times their areas: all of the
    statistic, as FieldTrip's "maxsum", and not only what rises above the threshold, as in nilearn. The two differ by
    threshold times extent.

    Parameters
    ----------
    values : (V,) float32
        A statistic; NaN and infinite elements belong to no cluster.
    neighbours : Neighbours
        Of the same V elements.
    threshold : float
        Of the absolute value, above 0.
    measure : "extent" or "mass"
    two_sided : bool
        Whether values at or below ``-threshold`` form clusters as well. Signs never join.

    Returns
    -------
    ClusterStats

    Raises
    ------
    CannotCompute
        When the numbers of elements differ or the threshold is not above 0.

    References
    ----------
    Mass: Bullmore et al. 1999, IEEE Transactions on Medical Imaging 18:32-42.
    """
    height = _checked(values, neighbours, threshold)
    sides = 2 if two_sided else 1
    label, total = _clusters(height, _graph(neighbours), np.float32(threshold), sides, measure == "mass")
    first = np.full(total.size, height.size, np.int64)
    inside = np.flatnonzero(label >= 0)
    np.minimum.at(first, label[inside], inside)
    order = np.lexsort((first, -total))
    number = np.empty(total.size + 1, np.int32)
    number[order] = np.arange(total.size, dtype=np.int32)
    number[-1] = -1  # what is outside stays outside
    return ClusterStats(number[label], np.sign(height[first[order]]).astype(np.int8), total[order])


def largest_cluster(
    values: Float32, neighbours: Neighbours, threshold: float, measure: Measure, two_sided: bool = True
) -> float:
    """The largest statistic of `cluster_sizes`, 0 when there is no cluster: what a permutation has to tell."""
    height = _checked(values, neighbours, threshold)
    sides = 2 if two_sided else 1
    _, total = _clusters(height, _graph(neighbours), np.float32(threshold), sides, measure == "mass")
    return float(total.max(initial=0.0))


def _checked(values: Float32, neighbours: Neighbours, threshold: float) -> Float32:
    if values.shape != neighbours.size.shape:
        raise CannotCompute(
            f"the map has {values.size} elements, its neighbourhood {neighbours.size.size}",
            "make both of the same mask or surface",
        )
    if not 0 < threshold < np.inf:
        raise CannotCompute(f"{threshold:g} is no threshold that forms clusters", "give a number above 0")
    return read_only(np.ascontiguousarray(values, dtype=np.float32))


def _graph(neighbours: Neighbours) -> tuple[Int64, Int32, Float32]:
    return read_only(neighbours.start), read_only(neighbours.index), read_only(neighbours.size)


@njit(cache=True, nogil=True)
def _clusters(
    values: Float32, graph: tuple[Int64, Int32, Float32], threshold: np.float32, sides: int, mass: bool
) -> tuple[Int32, Float64]:
    """Cluster of each element, in the order of their first elements, and the statistic of each cluster."""
    start, index, size = graph
    label = np.full(values.size, -1, np.int32)
    total = np.empty(values.size)
    waiting = np.empty(values.size, np.int32)
    n = 0
    for first in range(values.size):
        positive = threshold <= values[first] < np.inf
        negative = sides == 2 and -np.inf < values[first] <= -threshold
        if label[first] >= 0 or not (positive or negative):
            continue
        sign = np.float32(1) if positive else np.float32(-1)
        label[first], waiting[0], left, total[n] = n, first, 1, 0.0
        while left:
            left -= 1
            v = waiting[left]
            total[n] += size[v] * (np.float64(abs(values[v])) if mass else 1.0)
            for e in range(start[v], start[v + 1]):
                other = index[e]
                if label[other] < 0 and threshold <= sign * values[other] < np.inf:
                    label[other] = n
                    waiting[left] = other
                    left += 1
        n += 1
    return label, total[:n].copy()


def compile_kernels() -> None:
    """Compile for the types that are used."""
    pair = Neighbours(np.array([0, 1, 2]), np.array([1, 0], np.int32), np.ones(2, np.float32))
    largest_cluster(np.ones(2, np.float32), pair, 0.5, "mass")
