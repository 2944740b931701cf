"""Graphs of brain regions: what is measured on the edges that are kept.

Definitions follow Rubinov and Sporns 2010 (NeuroImage 52:1059), with the conventions that each function states. All is
on undirected graphs without self-connections. Own kernels throughout: beside the best mix of igraph and bctpy
(tests/bench/region_graph.py), and scikit-network for modules, they need a third of the time and less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from . import graph_centrality, graph_clustering, graph_lengths, graph_modules, graph_null, graph_paths
from .arrays import Bool, Float64, Int32, Int64, Report
from .errors import CannotCompute
from .graph_bits import Words, bit_rows
from .graph_edges import Edges, Thresholded, edges_at, threshold_matrix

__all__ = ["Edges", "Graph", "GraphMetrics", "Thresholded", "edges_at", "metrics", "threshold_matrix"]


class GraphMetrics(NamedTuple):
    """Measures of one graph.

    Attributes
    ----------
    overall : mapping of str to float
        Of the whole graph; NaN where a measure is not defined.
    nodal : mapping of str to (R,) float64
    """

    overall: Mapping[str, float]
    nodal: Mapping[str, Float64]


@dataclass(frozen=True, eq=False)
class Graph:
    """A thresholded matrix and what several metrics share, worked out when it is first asked for."""

    thresholded: Thresholded
    seed: int = 0
    nulls: graph_null.Nulls | None = None
    report: Report | None = None

    @cached_property
    def adjacency(self) -> Bool:
        """Edges, (R, R)."""
        return self.thresholded.weights != 0

    @cached_property
    def bits(self) -> Words:
        """Edges as rows of bits."""
        return bit_rows(self.adjacency)

    @cached_property
    def degree(self) -> Int64:
        """Number of edges of each node."""
        return self.adjacency.sum(axis=1)

    @cached_property
    def weights(self) -> Float64:
        """Positive weights that metrics use: 1 for each edge of a binary graph."""
        return np.abs(self.thresholded.weights) if self.thresholded.weighted else self.adjacency.astype(np.float64)

    @cached_property
    def lengths(self) -> Float64:
        """1 / weight, infinite where there is no edge."""
        with np.errstate(divide="ignore"):
            return 1 / self.weights

    @cached_property
    def triangles(self) -> Float64:
        """Triangles at each node; the sum of their intensities in a weighted graph (Onnela 2005)."""
        if self.thresholded.weighted:
            return graph_clustering.triangle_intensity(self.weights)
        return graph_clustering.triangles(self.bits).astype(np.float64)

    @cached_property
    def paths(self) -> graph_paths.PathSums:
        """Sums over the shortest paths from each node."""
        if self.thresholded.weighted:
            return graph_lengths.weighted_path_sums(self.lengths)
        return graph_paths.path_sums(self.bits)

    @cached_property
    def local_efficiency(self) -> Float64:
        """Efficiency of the neighbours of each node among themselves."""
        if self.thresholded.weighted:
            return graph_lengths.weighted_local_efficiency(self.lengths)
        return graph_paths.local_efficiency(self.bits)

    @cached_property
    def modules(self) -> Int32:
        """Module of each node."""
        return graph_modules.modules(self.weights, self.seed)

    @cached_property
    def small_world(self) -> graph_null.SmallWorld:
        """The binary graph beside random ones."""
        return graph_null.small_world(self.adjacency, self.nulls or graph_null.Nulls(seed=self.seed), self.report)


def _betweenness(graph: Graph) -> Float64:
    if graph.thresholded.weighted:
        return graph_lengths.weighted_betweenness(graph.lengths)
    return graph_paths.betweenness(graph.bits)


NODAL: Mapping[str, Callable[[Graph], Float64 | Int64]] = {
    "degree": lambda graph: graph.degree,
    "strength": lambda graph: graph.thresholded.weights.sum(axis=1),
    "clustering": lambda graph: graph_clustering.clustering(graph.triangles, graph.degree),
    "betweenness": _betweenness,
    "local_efficiency": lambda graph: graph.local_efficiency,
    "eigenvector": lambda graph: graph_centrality.eigenvector_centrality(graph.weights),
    "core": lambda graph: graph_centrality.core_number(graph.bits),
    "participation": lambda graph: graph_modules.participation(graph.weights, graph.modules),
}
OVERALL: Mapping[str, Callable[[Graph], float]] = {
    "clustering": lambda graph: float(graph_clustering.clustering(graph.triangles, graph.degree).mean()),
    "transitivity": lambda graph: graph_clustering.transitivity(graph.triangles, graph.degree),
    "global_efficiency": lambda graph: graph_paths.global_efficiency(graph.paths),
    "local_efficiency": lambda graph: float(graph.local_efficiency.mean()),
    "path_length": lambda graph: graph_paths.path_length(graph.paths),
    "assortativity": lambda graph: graph_centrality.assortativity(graph.weights, graph.degree),
    "modularity": lambda graph: graph_modules.modularity(graph.weights, graph.modules),
    "small_worldness": lambda graph: graph.small_world.small_worldness,
}
QUICK = ("degree", "strength", "clustering", "transitivity", "global_efficiency", "local_efficiency", "path_length")
EXTRA = ("participation", "small_worldness")
NAMES = tuple(dict.fromkeys((*NODAL, *OVERALL)))
STANDARD = tuple(name for name in NAMES if name not in EXTRA)


def metrics(
    thresholded: Thresholded,
    names: Iterable[str] = STANDARD,
    *,
    seed: int = 0,
    nulls: graph_null.Nulls | None = None,
    report: Report | None = None,
) -> GraphMetrics:
    """Measure a graph.

    Parameters
    ----------
    thresholded : Thresholded
    names : iterable of str
        Of `NODAL` and `OVERALL`; a name in both gives both. `QUICK` follows a slider, `EXTRA` is not in the default.
    seed : int
        Of the search for modules.
    nulls : Nulls or None
        Random graphs for "small_worldness"; None: the usual number with this seed.

    Raises
    ------
    CannotCompute
        A name that is no metric.
    """
    asked = tuple(dict.fromkeys(names))
    unknown = [name for name in asked if name not in NAMES]
    if unknown:
        raise CannotCompute(f"there is no metric {', '.join(unknown)}", f"choose from {', '.join(NAMES)}")
    graph = Graph(thresholded, seed, nulls, report)
    overall: dict[str, float] = {}
    nodal: dict[str, Float64] = {}
    for done, name in enumerate(asked):
        if name in NODAL:
            nodal[name] = np.asarray(NODAL[name](graph), dtype=np.float64)
        if name in OVERALL:
            overall[name] = OVERALL[name](graph)
        if report:
            report((done + 1) / len(asked))
    return GraphMetrics(
        {name: overall[name] for name in OVERALL if name in overall},
        {name: nodal[name] for name in NODAL if name in nodal},
    )


def area_under_curve(densities: Float64, values: Float64) -> Float64:
    """Area under a measure over densities by trapezoids, divided by nothing.

    Parameters
    ----------
    densities : (D,)
        At least two different ones, in any order.
    values : (D, ...)

    Returns
    -------
    (...) float64
    """
    order = np.argsort(densities)
    return np.asarray(np.trapezoid(np.asarray(values)[order], np.asarray(densities)[order], axis=0))
