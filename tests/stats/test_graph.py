"""Graph metrics beside closed forms, NetworkX, igraph and bctpy."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from habena.stats.errors import CannotCompute
from habena.stats.graph import EXTRA, NAMES, QUICK, GraphMetrics, area_under_curve, metrics, threshold_matrix
from habena.stats.graph_centrality import eigenvector_centrality
from habena.stats.graph_modules import modularity, participation
from hypothesis import given, settings
from hypothesis import strategies as st
from networkx.algorithms.community import louvain_communities
from networkx.algorithms.community import modularity as networkx_modularity
from scipy.sparse.csgraph import shortest_path

TIGHT = {"rtol": 1e-9, "atol": 1e-9}


def measured(adjacency: np.ndarray, *names: str, weighted: bool = False) -> GraphMetrics:
    return metrics(threshold_matrix(np.asarray(adjacency, float), r=1e-12, weighted=weighted), names or NAMES)


def of(graph: nx.Graph, *names: str) -> GraphMetrics:
    return measured(nx.to_numpy_array(graph, weight=None), *names)


def random_graph(n: int, density: float, seed: int, *, weighted: bool = False, steps: int = 0) -> np.ndarray:
    """Symmetric weights; with steps, only so many different ones, so that paths tie."""
    rng = np.random.default_rng(seed)
    w = rng.uniform(0.05, 1, (n, n)) if not steps else rng.integers(1, steps + 1, (n, n)) / steps
    w = np.triu(np.where(rng.random((n, n)) < density, w if weighted else 1.0, 0.0), 1)
    return w + w.T


def test_closed_forms_of_a_complete_graph() -> None:
    found = of(nx.complete_graph(70))
    assert found.overall["clustering"] == found.overall["transitivity"] == found.overall["global_efficiency"] == 1
    assert found.overall["local_efficiency"] == found.overall["path_length"] == 1
    assert np.isnan(found.overall["assortativity"])
    assert (found.nodal["degree"] == 69).all()
    assert (found.nodal["core"] == 69).all()
    assert (found.nodal["betweenness"] == 0).all()
    np.testing.assert_allclose(found.nodal["eigenvector"], 70**-0.5)


def test_closed_forms_of_a_star() -> None:
    n = 66  # one more than fits a word of bits
    found = of(nx.star_graph(n - 1))
    assert found.nodal["betweenness"].tolist() == [(n - 1) * (n - 2) / 2] + [0] * (n - 1)
    assert found.overall["path_length"] == pytest.approx(2 - 2 / n)
    assert found.overall["global_efficiency"] == pytest.approx(0.5 + 1 / n)
    assert found.overall["clustering"] == found.overall["transitivity"] == found.overall["local_efficiency"] == 0
    assert found.overall["assortativity"] == pytest.approx(-1)
    assert found.nodal["eigenvector"][0] == pytest.approx(2**-0.5)
    assert (found.nodal["core"] == 1).all()


def test_closed_forms_of_a_ring() -> None:
    n = 130
    found = of(nx.cycle_graph(n))
    assert found.overall["path_length"] == pytest.approx((n / 2) ** 2 / (n - 1))
    harmonic = 2 * (1 / np.arange(1, n // 2)).sum() + 2 / n
    assert found.overall["global_efficiency"] == pytest.approx(harmonic / (n - 1))
    np.testing.assert_allclose(found.nodal["betweenness"], (n / 2 - 1) ** 2 / 2)
    assert (found.nodal["core"] == 2).all()


def test_closed_forms_of_a_path() -> None:
    n = 67
    found = of(nx.path_graph(n))
    k = np.arange(n)
    np.testing.assert_allclose(found.nodal["betweenness"], k * (n - 1 - k))
    assert found.overall["path_length"] == pytest.approx((n + 1) / 3)


def test_closed_forms_of_disjoint_cliques() -> None:
    graph = nx.disjoint_union_all([nx.complete_graph(6)] * 3)
    found = of(graph)
    assert found.overall["path_length"] == 1
    assert found.overall["global_efficiency"] == pytest.approx(3 * 6 * 5 / (18 * 17))
    assert found.overall["clustering"] == 1
    assert found.overall["modularity"] == pytest.approx(2 / 3)
    assert (found.nodal["participation"] == 0).all()
    np.testing.assert_allclose(found.nodal["eigenvector"], 18**-0.5)  # components of the same eigenvalue share it


def test_zachary_s_karate_club_has_its_published_modularity() -> None:
    # Brandes et al. 2008, IEEE Trans. Knowl. Data Eng. 20:172: the optimum is 0.4198
    assert of(nx.karate_club_graph(), "modularity").overall["modularity"] == pytest.approx(0.4198, abs=5e-5)


def test_a_graph_without_edges_has_zeros_or_nothing_to_say() -> None:
    found = of(nx.empty_graph(5))
    for name in ("degree", "strength", "clustering", "betweenness", "local_efficiency", "core", "participation"):
        assert (found.nodal[name] == 0).all()
    assert found.overall["global_efficiency"] == found.overall["clustering"] == found.overall["transitivity"] == 0
    for name in ("path_length", "assortativity", "modularity", "small_worldness"):
        assert np.isnan(found.overall[name])


def test_eigenvector_centrality_is_0_outside_the_component_of_the_largest_eigenvalue() -> None:
    for size in (4, 150):  # both ways of finding it
        graph = nx.disjoint_union(nx.complete_graph(size), nx.complete_graph(size - 1))
        found = of(graph, "eigenvector").nodal["eigenvector"]
        np.testing.assert_allclose(found[:size], size**-0.5, atol=1e-9)
        np.testing.assert_allclose(found[size:], 0, atol=1e-9)


def test_rounding_leaves_no_trace_in_the_eigenvector() -> None:
    rng = np.random.default_rng(1)
    for n in (7, 20, 41):
        own = np.corrcoef(rng.standard_normal((n, 60)))
        both = np.zeros((n + 4, n + 4))
        both[:n, :n], both[n, n + 1], both[n + 2, n + 3] = own > 0.1, 1, 1
        both = np.maximum(both, both.T)
        np.fill_diagonal(both, 0)
        np.testing.assert_array_equal(eigenvector_centrality(both)[n:], 0)


def test_equal_large_components_share_the_eigenvector() -> None:
    graph = nx.disjoint_union_all([nx.circulant_graph(70, [1, 2, 5])] * 2 + [nx.path_graph(9)])
    found = of(graph, "eigenvector").nodal["eigenvector"]
    np.testing.assert_allclose(found[:140], 140**-0.5, atol=1e-9)
    np.testing.assert_allclose(found[140:], 0, atol=1e-9)


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 75), st.floats(0, 1), st.integers(0, 2**31))
def test_binary_metrics_equal_networkx(n: int, density: float, seed: int) -> None:
    adjacency = random_graph(n, density, seed)
    graph = nx.from_numpy_array(adjacency)
    found = measured(adjacency)
    nodal = found.nodal
    np.testing.assert_array_equal(nodal["degree"], [degree for _, degree in graph.degree])
    np.testing.assert_array_equal(nodal["strength"], nodal["degree"])
    np.testing.assert_allclose(nodal["clustering"], list(nx.clustering(graph).values()), **TIGHT)
    between = list(nx.betweenness_centrality(graph, normalized=False).values())
    np.testing.assert_allclose(nodal["betweenness"], between, **TIGHT)
    np.testing.assert_array_equal(nodal["core"], list(nx.core_number(graph).values()))
    local = [nx.global_efficiency(graph.subgraph(graph[node])) for node in graph]
    np.testing.assert_allclose(nodal["local_efficiency"], local, **TIGHT)
    overall = found.overall
    assert overall["clustering"] == pytest.approx(nx.average_clustering(graph))
    assert overall["transitivity"] == pytest.approx(nx.transitivity(graph))
    assert overall["global_efficiency"] == pytest.approx(nx.global_efficiency(graph))
    assert overall["local_efficiency"] == pytest.approx(nx.local_efficiency(graph))
    lengths = [d for _, row in nx.all_pairs_shortest_path_length(graph) for d in row.values() if d]
    expected = np.mean(lengths) if lengths else np.nan
    assert overall["path_length"] == pytest.approx(expected, nan_ok=True)
    if len(set(nodal["degree"][nodal["degree"] > 0])) > 1:
        assert overall["assortativity"] == pytest.approx(nx.degree_pearson_correlation_coefficient(graph), abs=1e-9)
    else:
        assert np.isnan(overall["assortativity"])


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 40), st.floats(0, 1), st.integers(0, 2**31), st.sampled_from([0, 3, 12]))
def test_weighted_metrics_equal_networkx_also_where_paths_tie(n: int, density: float, seed: int, steps: int) -> None:
    weights = random_graph(n, density, seed, weighted=True, steps=steps)
    found = measured(weights, weighted=True)
    graph = nx.from_numpy_array(weights)
    # whole numbers of a common multiple, where there are ties: NetworkX compares sums exactly
    scale = 27720 if steps else 1.0
    for _, _, edge in graph.edges(data=True):
        edge["length"] = round(scale / edge["weight"]) if steps else 1 / edge["weight"]
    np.testing.assert_allclose(found.nodal["strength"], weights.sum(axis=1))
    np.testing.assert_allclose(found.nodal["clustering"], list(nx.clustering(graph, weight="weight").values()), **TIGHT)
    between = list(nx.betweenness_centrality(graph, normalized=False, weight="length").values())
    np.testing.assert_allclose(found.nodal["betweenness"], between, **TIGHT)

    def efficiency(part: nx.Graph) -> float:
        paths = nx.all_pairs_dijkstra_path_length(part, weight="length")
        return sum(scale / d for _, row in paths for d in row.values() if d) / max(1, len(part) * (len(part) - 1))

    assert found.overall["global_efficiency"] == pytest.approx(efficiency(graph))
    local = [efficiency(graph.subgraph(graph[node])) for node in graph]
    np.testing.assert_allclose(found.nodal["local_efficiency"], local, **TIGHT)
    lengths = [d / scale for _, row in nx.all_pairs_dijkstra_path_length(graph, weight="length") for d in row.values()]
    expected = np.sum(lengths) / np.count_nonzero(lengths) if np.any(lengths) else np.nan
    assert found.overall["path_length"] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(("density", "networks"), [(0.25, 2), (0.4, 3)])
def test_local_efficiency_of_many_neighbours_equals_scipys_paths(density: float, networks: int) -> None:
    rng = np.random.default_rng(12)  # networks: neighbourhoods of more than 64 nodes, some far apart within them
    rows = rng.standard_normal((260, 60)) + rng.standard_normal((networks, 60))[np.arange(260) % networks]
    adjacency = threshold_matrix(np.corrcoef(rows), density=density).weights > 0
    assert adjacency.sum(axis=1).max() > 64
    expected = []
    for own in adjacency:
        part = shortest_path(adjacency[np.ix_(own, own)].astype(float), unweighted=True)
        expected.append((1 / part[~np.eye(len(part), dtype=bool)]).mean())
    np.testing.assert_allclose(measured(adjacency, "local_efficiency").nodal["local_efficiency"], expected, **TIGHT)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n", [90, 150])
def test_eigenvector_centrality_equals_networkx(n: int, weighted: bool) -> None:
    weights = random_graph(n, 0.15, 5, weighted=weighted)
    graph = nx.from_numpy_array(weights)
    theirs = np.array(list(nx.eigenvector_centrality_numpy(graph, weight="weight").values()))
    found = measured(weights, "eigenvector", weighted=weighted).nodal["eigenvector"]
    np.testing.assert_allclose(found, np.abs(theirs), atol=1e-8)


def test_weighted_transitivity_and_participation_equal_bctpy() -> None:
    bct = pytest.importorskip("bct", reason="bctpy is not installed")
    weights = random_graph(60, 0.3, 2, weighted=True)
    found = measured(weights, "transitivity", "participation", "modularity", weighted=True)
    assert found.overall["transitivity"] == pytest.approx(bct.transitivity_wu(weights / weights.max()))
    modules = np.arange(60) % 4
    np.testing.assert_allclose(participation(weights, modules), bct.participation_coef(weights, modules + 1))


def test_metrics_equal_igraph_at_400_nodes() -> None:
    igraph = pytest.importorskip("igraph", reason="igraph is not installed")
    r = np.corrcoef(np.random.default_rng(4).standard_normal((400, 60)))
    cut = threshold_matrix(r, density=0.1)
    found = metrics(cut, [*QUICK, "betweenness", "core", "assortativity", "eigenvector"])
    graph = igraph.Graph.Adjacency((cut.weights > 0).astype(int), mode="undirected")
    np.testing.assert_allclose(found.nodal["betweenness"], graph.betweenness(), **TIGHT)
    np.testing.assert_allclose(found.nodal["clustering"], graph.transitivity_local_undirected(mode="zero"), **TIGHT)
    np.testing.assert_array_equal(found.nodal["core"], graph.coreness())
    theirs = np.array(graph.eigenvector_centrality())
    np.testing.assert_allclose(found.nodal["eigenvector"], theirs / np.linalg.norm(theirs), atol=1e-7)
    assert found.overall["assortativity"] == pytest.approx(graph.assortativity_degree())
    assert found.overall["path_length"] == pytest.approx(graph.average_path_length())
    assert found.overall["transitivity"] == pytest.approx(graph.transitivity_undirected())


@pytest.mark.parametrize("blocks", [True, False])
def test_modules_are_as_good_as_those_of_igraph_s_leiden(blocks: bool) -> None:
    igraph = pytest.importorskip("igraph", reason="igraph is not installed")
    rng = np.random.default_rng(6)
    rows = rng.standard_normal((200, 80)) + blocks * rng.standard_normal((8, 80))[np.arange(200) % 8]
    cut = threshold_matrix(np.corrcoef(rows), density=0.1)
    graph = igraph.Graph.Adjacency((cut.weights > 0).astype(int), mode="undirected")
    theirs = graph.modularity(graph.community_leiden(objective_function="modularity", n_iterations=-1))
    assert metrics(cut, ["modularity"]).overall["modularity"] >= theirs - 0.01


def test_modularity_equals_networkx_for_a_given_partition_and_louvain_for_its_own() -> None:
    weights = random_graph(50, 0.2, 9, weighted=True)
    graph = nx.from_numpy_array(weights)
    module = (np.arange(50) // 13).astype(np.int32)
    parts = [set(np.flatnonzero(module == k)) for k in range(4)]
    assert modularity(weights, module) == pytest.approx(networkx_modularity(graph, parts))
    theirs = networkx_modularity(graph, louvain_communities(graph, seed=1))
    assert measured(weights, "modularity", weighted=True).overall["modularity"] >= theirs - 0.01


def test_the_same_seed_gives_the_same_modules() -> None:
    cut = threshold_matrix(np.corrcoef(np.random.default_rng(1).standard_normal((80, 40))), density=0.1)
    first, again = (metrics(cut, ["participation"], seed=3).nodal["participation"] for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_signs_count_in_the_strength_and_nowhere_else() -> None:
    r = np.corrcoef(np.random.default_rng(8).standard_normal((30, 25)))
    signed = metrics(threshold_matrix(r, "signed", density=0.3, weighted=True))
    absolute = metrics(threshold_matrix(r, "absolute", density=0.3, weighted=True))
    for name in set(signed.nodal) - {"strength"}:
        np.testing.assert_array_equal(signed.nodal[name], absolute.nodal[name])
    assert signed.overall == pytest.approx(absolute.overall)
    assert (signed.nodal["strength"] < absolute.nodal["strength"]).any()


@pytest.mark.parametrize("weighted", [False, True])
def test_nodes_in_another_order_have_the_same_values(weighted: bool) -> None:
    weights = random_graph(67, 0.2, 3, weighted=True)
    order = np.random.default_rng(1).permutation(67)
    names = [name for name in NAMES if name not in {"modularity", *EXTRA}]
    found = measured(weights, *names, weighted=weighted)
    moved = measured(weights[np.ix_(order, order)], *names, weighted=weighted)
    for name, values in found.nodal.items():
        np.testing.assert_allclose(moved.nodal[name], values[order], **TIGHT)
    assert moved.overall == pytest.approx(found.overall)


def test_an_unknown_metric_is_refused_and_progress_is_reported() -> None:
    cut = threshold_matrix(random_graph(20, 0.3, 0), density=0.2)
    with pytest.raises(CannotCompute, match="no metric smallness"):
        metrics(cut, ["degree", "smallness"])
    seen: list[float] = []
    metrics(cut, QUICK, report=seen.append)
    assert seen[-1] == 1
    assert seen == sorted(seen)


def test_the_area_under_a_curve_is_by_trapezoids_whatever_the_order() -> None:
    density = np.array([0.3, 0.1, 0.2])
    values = np.array([[5.0, 1], [1, 1], [2, 1]])
    np.testing.assert_allclose(area_under_curve(density, values), [0.1 * 1.5 + 0.1 * 3.5, 0.2])
