"""Clusters of a model's maps, and the regions that they lie in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .model_places import Place, Point, VolumePlace

if TYPE_CHECKING:
    from ..stats.neighbours import Neighbours
    from .atlas import Atlas

LEAST_SHARE = 0.01


class RegionShare(NamedTuple):
    """How much of a cluster lies in a region, 0 to 1."""

    atlas: str
    name: str
    share: float


class ClusterRow(NamedTuple):
    """One cluster of one test.

    Attributes
    ----------
    test : str
    sign : 1 or -1
    size : int
        Elements.
    size_mm3, size_mm2 : float or None
        Volume, or area on a surface.
    p : float or None
        Corrected: of the cluster itself, or the smallest of its elements; None without a correction.
    peak_mm : (float, float, float) or None
    peak_value : float
    regions : tuple of RegionShare
    """

    test: str
    sign: int
    size: int
    size_mm3: float | None
    size_mm2: float | None
    p: float | None
    peak_mm: Point | None
    peak_value: float
    regions: tuple[RegionShare, ...]


class Found(NamedTuple):
    """What clusters are made of: elements beyond a threshold, and their p-values."""

    test: str
    statistic: NDArray[np.float32]
    sign: NDArray[np.int8]
    label: NDArray[np.int32]
    p_of_cluster: NDArray[np.float64] | None
    p_of_element: NDArray[np.floating[Any]] | None


def cluster_rows(found: Found, place: Place, neighbours: Neighbours, atlas: Atlas | None) -> tuple[ClusterRow, ...]:
    """Describe labelled clusters (label -1 is none), the largest first."""
    members = np.flatnonzero(found.label >= 0)
    if not members.size:
        return ()
    order = members[np.argsort(found.label[members], kind="stable")]
    labels, start = np.unique(found.label[order], return_index=True)
    groups = np.split(order, start[1:])
    rows = [
        _row(found, int(label), group, place, neighbours, atlas) for label, group in zip(labels, groups, strict=True)
    ]
    return tuple(sorted(rows, key=lambda row: (-row.size, -abs(row.peak_value))))


def _row(
    found: Found, label: int, group: NDArray[np.int64], place: Place, neighbours: Neighbours, atlas: Atlas | None
) -> ClusterRow:
    peak = int(group[np.argmax(np.abs(found.statistic[group]))])
    value = float(found.statistic[peak])
    volume = isinstance(place, VolumePlace)
    p = None
    if found.p_of_cluster is not None:
        p = float(found.p_of_cluster[label])
    elif found.p_of_element is not None:
        p = float(np.nanmin(found.p_of_element[group]))
    return ClusterRow(
        found.test,
        int(found.sign[label]),
        len(group),
        len(group) * place.size_mm3 if isinstance(place, VolumePlace) else None,
        None if volume else float(neighbours.size[group].sum()),
        p,
        place.where(peak).at_mm,
        value,
        _regions(group, place, atlas),
    )


def _regions(group: NDArray[np.int64], place: Place, atlas: Atlas | None) -> tuple[RegionShare, ...]:
    if atlas is None or not isinstance(place, VolumePlace):
        return ()
    shares = atlas.shares(place.mm(group))
    return tuple(
        RegionShare(atlas.info.id, share.region.title, round(share.share, 4))
        for share in shares
        if share.share >= LEAST_SHARE
    )
