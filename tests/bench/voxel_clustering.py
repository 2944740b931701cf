"""Clustering coefficient of every voxel, packing included, beside igraph on its finished graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from habena.stats.rows import unit_rows
from habena.stats.voxel_clustering import clustering
from habena.stats.voxel_degree import degree
from habena.stats.voxel_density import at_density
from habena.stats.voxel_edges import Cut
from habena.stats.voxel_intensity import weighted_clustering

from ._data import series
from ._report import Row
from ._timing import interleaved

TITLE = "Voxelwise clustering coefficient, with the correlations of 200 volumes"
SIZES = ((5_000, 0.05), (10_000, 0.1), (20_000, 0.05))
FASTER = 20.0
WEIGHTED_UP_TO = 10_000


def rows() -> Iterator[Row]:
    """Binary at three sizes; weighted has no peer that ends in time beyond the smallest."""
    for n_voxels, density in SIZES:
        given = unit_rows(series(n_voxels, 200))
        cut = at_density(given.unit, density, "positive")
        graph = _igraph(given.unit, cut)
        calls = {"ours": lambda given=given, cut=cut: clustering(given, cut)}
        if graph is not None:
            calls["igraph"] = lambda graph=graph: graph.transitivity_local_undirected(mode="zero")
        if n_voxels <= WEIGHTED_UP_TO:
            counted = degree(given, cut)
            calls["weighted"] = lambda given=given, cut=cut, counted=counted: weighted_clustering(given, cut, counted)
        seconds, foreign = interleaved(calls, rounds=3)
        size, peer_s = f"{n_voxels // 1000}k, {density:.0%}", seconds.get("igraph")
        goal = FASTER if n_voxels >= 10_000 else None
        yield Row(f"{size}, binary", seconds["ours"], "igraph", peer_s, "peer", goal, foreign)
        if "weighted" in seconds:
            yield Row(f"{size}, weighted", seconds["weighted"], "igraph, binary", peer_s, "peer", None, foreign)


def _igraph(unit: np.ndarray, cut: Cut) -> Any:
    """The same graph, up to ties; None where igraph is not installed."""
    try:
        import igraph  # noqa: PLC0415
    except ImportError:
        return None
    parts = []
    for start in range(0, len(unit), 1000):
        i, j = np.nonzero(unit[start : start + 1000] @ unit.T >= cut.least)
        upper = j > i + start
        parts.append(np.stack([i[upper] + start, j[upper]], axis=1))
    return igraph.Graph(n=len(unit), edges=np.concatenate(parts))
