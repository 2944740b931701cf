"""All metrics of one graph of regions, and those that follow a slider."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from habena.stats.graph import QUICK, STANDARD, Thresholded, metrics, threshold_matrix

from ._report import Row
from ._timing import interleaved

TITLE = "Graph metrics of regions, binary at a density of 15 %: degree to modularity, as `habena graph` gives them"
SIZES = (90, 400, 1000)
DENSITY = 0.15
AT_MOST_S = 0.1
FASTER = 3.0
ROUNDS = {90: 9, 400: 3, 1000: 1}
BCTPY_UP_TO = 400  # nodes: beyond it only for what igraph lacks, which igraph is faster at by far here already


def rows() -> Iterator[Row]:
    """Beside the best mix of igraph and bctpy: of each metric the faster of the two, then summed."""
    for n in SIZES:
        matrix = _correlations(n)
        cut = threshold_matrix(matrix, density=DENSITY)
        calls: dict[str, Callable[[], object]] = {
            "all": lambda cut=cut: metrics(cut, STANDARD),
            "slider": lambda matrix=matrix: metrics(threshold_matrix(matrix, density=DENSITY), QUICK),
        }
        peers = _igraph(cut) | _bctpy(cut, only_local=n > BCTPY_UP_TO)
        seconds, foreign = interleaved(calls | peers, ROUNDS[n])
        mix = _best_mix(seconds, peers)
        yield Row(
            f"{n} nodes, all metrics", seconds["all"], "best mix of igraph and bctpy", mix, "peer", FASTER, foreign
        )
        if n == 400:
            yield Row("400 nodes, all metrics", seconds["all"], "100 ms", AT_MOST_S, "limit", 1.0, foreign)
            task = "400 nodes, threshold, degree, clustering, efficiency"
            yield Row(task, seconds["slider"], "100 ms", AT_MOST_S, "limit", 1.0, foreign)


def _correlations(n: int) -> np.ndarray:
    """Of eight networks and something that all share."""
    rng = np.random.default_rng(n)
    networks = rng.standard_normal((8, 200))[rng.integers(0, 8, n)]
    return np.corrcoef(rng.standard_normal((n, 200)) + networks + 0.3 * rng.standard_normal(200))


def _best_mix(seconds: Mapping[str, float], peers: Mapping[str, object]) -> float | None:
    """Seconds of the faster peer for each metric, summed; None when a peer is not installed."""
    if not {name.split()[0] for name in peers} >= {"igraph", "bctpy"}:
        return None
    metric = {name.split()[1] for name in peers}
    return sum(min(seconds[name] for name in peers if name.split()[1] == one) for one in metric)


def _igraph(cut: Thresholded) -> dict[str, Callable[[], Any]]:
    """Metrics of igraph; nodal and overall values that come from the same work are asked for once."""
    if importlib.util.find_spec("igraph") is None:
        return {}
    import igraph  # noqa: PLC0415

    graph = igraph.Graph.Adjacency((cut.weights > 0).astype(int), mode="undirected")

    def efficiency() -> Any:
        distances = np.array(graph.distances(), dtype=float)
        np.fill_diagonal(distances, np.inf)
        return (1 / distances).mean(), distances[np.isfinite(distances)].mean()

    return {
        "igraph degree": graph.degree,
        "igraph clustering": lambda: graph.transitivity_local_undirected(mode="zero"),
        "igraph transitivity": graph.transitivity_undirected,
        "igraph efficiency_and_path_length": efficiency,
        "igraph betweenness": graph.betweenness,
        "igraph eigenvector": graph.eigenvector_centrality,
        "igraph core": graph.coreness,
        "igraph assortativity": graph.assortativity_degree,
        "igraph modularity": lambda: (
            graph.community_leiden(objective_function="modularity", n_iterations=-1).modularity
        ),
    }


def _bctpy(cut: Thresholded, *, only_local: bool) -> dict[str, Callable[[], Any]]:
    """Metrics of bctpy; local efficiency by Latora and Marchiori, which igraph's function is not."""
    if importlib.util.find_spec("bct") is None:
        return {}
    import bct  # noqa: PLC0415

    binary = (cut.weights > 0).astype(float)
    local = {"bctpy local_efficiency": lambda: bct.efficiency_bin(binary, local=True)}
    if only_local:
        return local
    return local | {
        "bctpy degree": lambda: bct.degrees_und(binary),
        "bctpy clustering": lambda: bct.clustering_coef_bu(binary),
        "bctpy transitivity": lambda: bct.transitivity_bu(binary),
        "bctpy efficiency_and_path_length": lambda: bct.charpath(bct.distance_bin(binary), include_infinite=False),
        "bctpy betweenness": lambda: bct.betweenness_bin(binary),
        "bctpy eigenvector": lambda: bct.eigenvector_centrality_und(binary),
        "bctpy core": lambda: bct.kcoreness_centrality_bu(binary),
        "bctpy assortativity": lambda: bct.assortativity_bin(binary),
        "bctpy modularity": lambda: bct.community_louvain(binary, seed=1),
    }
