"""Voxelwise clustering against matrix products, NetworkX and igraph."""

from __future__ import annotations

import igraph
import networkx as nx
import numpy as np
import pytest
from habena.stats import ordered, voxel_clustering, voxel_intensity
from habena.stats.adjacency import Adjacency, adjacency, adjacency_bytes, degrees, ones
from habena.stats.arrays import read_only
from habena.stats.errors import CannotCompute
from habena.stats.rows import UnitRows, unit_rows
from habena.stats.voxel_clustering import closed_paths, clustering, clustering_bytes
from habena.stats.voxel_degree import degree
from habena.stats.voxel_density import at_density
from habena.stats.voxel_edges import Cut, EdgeRule, at_least, usable
from habena.stats.voxel_intensity import EdgeList, intensities, intensity_bytes, weighted_clustering
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

RULES: tuple[EdgeRule, ...] = ("positive", "absolute", "signed")


def networks(v: int, t: int = 40, seed: int = 0) -> UnitRows:
    """Voxels that share a few courses; some are the same, constant or not finite."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((v, 3)) @ rng.standard_normal((3, t)) + 1.5 * rng.standard_normal((v, t))
    if v > 12:
        rows[9], rows[10] = rows[8], -rows[8]
        rows[3], rows[7, 2], rows[11, 0] = 5.5, np.nan, np.inf
    return unit_rows(rows.astype(np.float32))


def matrix(rows: UnitRows, cut: Cut) -> np.ndarray:
    """Weights of the edges, (n, n) float64; computed as one product."""
    unit = usable(rows)
    r = unit @ unit.T
    r = r if cut.rule == "positive" else np.abs(r)
    weights = np.where(r >= cut.least, r, 0).astype(np.float64)
    i, j = cut.tied.T
    weights[i, j] = weights[j, i] = cut.threshold
    np.fill_diagonal(weights, 0)
    return weights


def packed(edges: np.ndarray) -> Adjacency:
    """A mask of edges as bits."""
    n = len(edges)
    words = -(-n // 64)
    full = np.zeros((64 * words, 64 * words), bool)
    full[:n, :n] = edges
    bits = np.packbits(full, axis=1, bitorder="little").view("<u8").astype(np.uint64)
    return Adjacency(read_only(bits), n)


def random_edges(n: int, density: float, seed: int) -> np.ndarray:
    upper = np.triu(np.random.default_rng(seed).random((n, n)) < density, 1)
    return upper | upper.T


@given(st.integers(0, 2**64 - 1))
def test_bits_of_a_word_are_counted(word: int) -> None:
    assert ones(np.uint64(word)) == word.bit_count()


@settings(deadline=None, max_examples=40)
@given(n=st.integers(1, 200), density=st.floats(0, 1), seed=st.integers(0, 99))
def test_closed_paths_are_the_diagonal_of_the_cubed_matrix(n: int, density: float, seed: int) -> None:
    edges = random_edges(n, density, seed)
    paths, k = closed_paths(packed(edges))
    whole = edges.astype(np.int64)
    assert_array_equal(paths, np.diag(whole @ whole @ whole))
    assert_array_equal(k, whole.sum(axis=0))


@pytest.mark.parametrize(("rows", "words"), [(64, 1), (64, 3), (192, 2), (512, 128)])
def test_blocks_of_any_size_give_the_same(rows: int, words: int, monkeypatch: pytest.MonkeyPatch) -> None:
    edges = random_edges(600, 0.3, 1)
    monkeypatch.setattr(voxel_clustering, "_ROWS", rows)
    monkeypatch.setattr(voxel_clustering, "_WORDS", words)
    paths, _ = closed_paths(packed(edges))
    whole = edges.astype(np.int64)
    assert_array_equal(paths, np.diag(whole @ whole @ whole))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("v", [13, 64, 65, 300, 1400])
def test_bits_are_the_edges_both_ways(v: int, rule: EdgeRule) -> None:
    rows = networks(v)
    for cut in (at_least(0.3, rule), at_density(usable(rows), 0.2, rule)):
        joined = adjacency(usable(rows), cut)
        expected = matrix(rows, cut) > 0
        assert_array_equal(joined.edges, packed(expected).edges)
        assert_array_equal(degrees(joined), expected.sum(axis=0))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("v", [2, 13, 130])
def test_both_coefficients_are_those_of_networkx(v: int, rule: EdgeRule) -> None:
    rows = networks(v)
    cut = at_least(0.25, rule)
    weights = matrix(rows, cut)
    graph = nx.from_numpy_array(weights)
    found = clustering(rows, cut)
    assert_allclose(found.values[rows.valid], list(nx.clustering(graph).values()), atol=1e-12)
    assert found.n_edges == graph.number_of_edges()
    unsigned = cut._replace(rule="positive" if rule == "positive" else "absolute")
    onnela = weighted_clustering(rows, unsigned, degree(rows, unsigned))
    assert_allclose(onnela[rows.valid], list(nx.clustering(graph, weight="weight").values()), atol=1e-6)
    for values in (found.values, onnela):
        assert_array_equal(np.isnan(values), ~rows.valid)


def test_a_larger_graph_is_that_of_igraph() -> None:
    rows = networks(2100)
    cut = at_density(usable(rows), 0.1, "positive")
    weights = matrix(rows, cut)
    graph = igraph.Graph.Adjacency((weights > 0).tolist(), mode="undirected")
    found = clustering(rows, cut)
    assert found.n_edges == graph.ecount()
    assert_allclose(found.values[rows.valid], graph.transitivity_local_undirected(mode="zero"), atol=1e-12)


@settings(deadline=None, max_examples=25)
@given(v=st.integers(4, 300), density=st.floats(0.2, 1), rule=st.sampled_from(RULES[:2]), seed=st.integers(0, 99))
def test_ties_at_the_cut_count_as_everywhere_else(v: int, density: float, rule: EdgeRule, seed: int) -> None:
    unit = np.random.default_rng(seed).choice(np.array([-0.5, 0.5], np.float32), (v, 4))
    rows = UnitRows(read_only(unit), read_only(np.ones(v, np.float32)), read_only(np.ones(v, bool)))
    cut = at_density(unit, density, rule)
    counted = degree(rows, cut)
    found = clustering(rows, cut)
    assert_array_equal(found.n_neighbours, counted.values)
    assert found.n_edges == counted.n_edges
    if cut.threshold > 0:
        weights = matrix(rows, cut)
        root = np.cbrt(weights / weights.max())
        k = counted.values
        expected = np.diag(root @ root @ root) / np.maximum(1, k * (k - 1))
        assert_allclose(weighted_clustering(rows, cut, counted), expected, atol=1e-6)


def test_the_complete_graph_has_a_coefficient_of_one() -> None:
    rows = networks(70)
    assert_array_equal(clustering(rows, at_least(-1, "positive")).values[rows.valid], 1)


def test_in_a_star_nobody_is_clustered() -> None:
    edges = np.zeros((80, 80), bool)
    edges[0, 1:] = edges[1:, 0] = True
    paths, k = closed_paths(packed(edges))
    assert_array_equal(paths, 0)
    assert k.tolist() == [79] + 79 * [1]


def test_the_intensity_of_one_triangle_is_the_product_of_its_weights() -> None:
    edges = EdgeList(
        read_only(np.array([0, 2, 3, 3, 3])),
        read_only(np.array([1, 2, 2], np.int32)),
        read_only(np.array([0.5, 0.25, 0.125], np.float32)),
    )
    assert_array_equal(intensities(edges), [2**-6, 2**-6, 2**-6, 0])


def test_negative_edges_have_no_geometric_mean() -> None:
    rows = networks(20)
    cut = at_least(-0.1, "positive")
    with pytest.raises(CannotCompute, match="no geometric mean"):
        weighted_clustering(rows, cut, degree(rows, cut))


def test_a_graph_without_edges_is_not_clustered() -> None:
    rows = unit_rows(np.random.default_rng(0).standard_normal((30, 50)).astype(np.float32))
    cut = at_least(0.999, "positive")
    assert_array_equal(clustering(rows, cut).values, 0)
    assert_array_equal(weighted_clustering(rows, cut, degree(rows, cut)), 0)


@pytest.mark.parametrize("weighted", [False, True])
def test_progress_goes_up_to_the_end_and_what_it_raises_comes_through(
    weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordered, "workers", lambda: 1)  # this thread reports after each of its own tiles
    rows = networks(2000, 10)
    cut = at_least(0.3, "positive")
    counted = degree(rows, cut)

    def work(report) -> object:
        return weighted_clustering(rows, cut, counted, report) if weighted else clustering(rows, cut, report)

    seen: list[float] = []
    work(seen.append)
    assert len(seen) > 3
    assert seen == sorted(seen)
    assert seen[-1] == 1
    for where in (0.1, 0.9):

        def stop(fraction: float, where: float = where) -> None:
            if fraction > where:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            work(stop)


def test_weighted_numbers_do_not_depend_on_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = networks(600)
    cut = at_least(0.2, "absolute")
    counted = degree(rows, cut)
    expected = weighted_clustering(rows, cut, counted)
    assert_array_equal(weighted_clustering(rows, cut, counted), expected)
    monkeypatch.setattr(voxel_intensity, "_ROWS_AT_ONCE", 601)
    assert_allclose(weighted_clustering(rows, cut, counted), expected, rtol=1e-12)


def test_memory_is_known_before() -> None:
    assert 6.4e9 < adjacency_bytes(228_000) < 6.6e9
    assert adjacency_bytes(228_000) < clustering_bytes(228_000, 200) < 7e9
    assert intensity_bytes((72_000, 200), 130_000_000) < 2e9
