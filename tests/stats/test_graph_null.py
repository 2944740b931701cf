"""Random graphs with the same degrees, and small-worldness."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from habena.stats.graph_null import Nulls, rewired, small_world
from hypothesis import given, settings
from hypothesis import strategies as st


def lattice(n: int = 100, k: int = 8) -> np.ndarray:
    return nx.to_numpy_array(nx.watts_strogatz_graph(n, k, 0.05, seed=1)) > 0


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 40), st.floats(0, 1), st.integers(0, 2**31), st.integers(1, 5))
def test_rewiring_keeps_degrees_and_makes_no_loops_or_double_edges(
    n: int, density: float, seed: int, rewirings: int
) -> None:
    upper = np.triu(np.random.default_rng(seed).random((n, n)) < density, 1)
    adjacency = upper | upper.T
    before = adjacency.copy()
    null, exchanges = rewired(adjacency, rewirings, seed)
    np.testing.assert_array_equal(adjacency, before)
    np.testing.assert_array_equal(null, null.T)
    np.testing.assert_array_equal(null.sum(axis=0), adjacency.sum(axis=0))
    assert not null.diagonal().any()
    assert exchanges <= rewirings + 1


def test_as_many_exchanges_are_made_as_asked_for_where_they_can_be_made() -> None:
    null, exchanges = rewired(lattice(), 10, seed=0)
    assert exchanges == 10
    assert (null & lattice()).sum() < 0.3 * lattice().sum()
    assert rewired(~np.eye(6, dtype=bool), 10, seed=0)[1] == 0  # complete: nothing can move


def test_a_null_depends_on_its_seed_and_number_alone() -> None:
    first, again = rewired(lattice(), 3, 5, 2)[0], rewired(lattice(), 3, 5, 2)[0]
    np.testing.assert_array_equal(first, again)
    assert (first != rewired(lattice(), 3, 5, 3)[0]).any()
    assert (first != rewired(lattice(), 3, 6, 2)[0]).any()


def test_all_graphs_of_some_degrees_come_up_equally_often() -> None:
    # a ring of 6 nodes: 60 rings and 10 pairs of triangles are all graphs of six nodes of degree 2
    ring = nx.to_numpy_array(nx.cycle_graph(6)) > 0
    pairs = sum(
        nx.number_connected_components(nx.from_numpy_array(rewired(ring, 30, 1, k)[0])) == 2 for k in range(700)
    )
    assert pairs == pytest.approx(100, abs=4 * np.sqrt(700 * 1 / 7 * 6 / 7))


def test_small_worldness_is_the_ratio_of_ratios_and_near_1_for_a_random_graph() -> None:
    found = small_world(lattice(), Nulls(10, 10, 0))
    graph = nx.from_numpy_array(lattice())
    assert found.clustering == pytest.approx(nx.average_clustering(graph))
    assert found.path_length == pytest.approx(nx.average_shortest_path_length(graph))
    expected = found.clustering / found.null_clustering / (found.path_length / found.null_path_length)
    assert found.small_worldness == pytest.approx(expected)
    assert found.small_worldness > 2
    random = nx.to_numpy_array(nx.gnp_random_graph(100, 0.2, seed=3)) > 0
    assert small_world(random, Nulls(10, 10, 0)).small_worldness == pytest.approx(1, abs=0.05)


def test_the_nulls_of_a_lattice_have_the_clustering_of_a_random_graph() -> None:
    found = small_world(lattice(300, 10), Nulls(10, 10, 4))
    assert found.null_clustering == pytest.approx(10 / 300, rel=0.15)


def test_a_tree_has_no_triangles_and_no_small_worldness() -> None:
    assert np.isnan(small_world(nx.to_numpy_array(nx.star_graph(9)) > 0, Nulls(3, 2, 0)).small_worldness)


def test_however_many_exchanges_are_asked_for_the_work_can_be_stopped() -> None:
    class Stopped(Exception):
        pass

    def stop(done: float) -> None:
        assert 0 < done < 1
        raise Stopped

    with pytest.raises(Stopped):
        small_world(lattice(30, 4), Nulls(10**18, 10**20, 0), stop)
    whole, again = rewired(lattice(), 20_000, 1), rewired(lattice(), 20_000, 1, 0, [].append)
    np.testing.assert_array_equal(whole[0], again[0])
    assert whole[1] == again[1] == pytest.approx(20_000, abs=1)


def test_progress_is_reported_after_each_null() -> None:
    seen: list[float] = []
    small_world(lattice(30, 4), Nulls(4, 1, 0), seen.append)
    assert seen == [0.25, 0.5, 0.75, 1.0]
    assert all(a < b for a, b in pairwise(seen))
