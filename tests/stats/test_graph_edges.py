"""Which edges are kept."""

from __future__ import annotations

import numpy as np
import pytest
from habena.stats.errors import CannotCompute
from habena.stats.graph import edges_at, threshold_matrix
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components


def matrix(n: int, seed: int = 0, decimals: int = 8) -> np.ndarray:
    r = np.round(np.random.default_rng(seed).uniform(-1, 1, (n, n)), decimals)
    return np.triu(r, 1) + np.triu(r, 1).T


@pytest.mark.parametrize(
    ("density", "n", "edges"),
    [(0.1, 10, 5), (0.7, 10, 32), (0.1, 90, 401), (0.35, 5, 4), (0.3, 6, 5), (1.0, 7, 21), (0.0, 7, 0), (0.1, 5, 1)],
)
def test_halves_of_an_edge_are_rounded_up_as_written_in_decimals(density: float, n: int, edges: int) -> None:
    # 0.7 x 45 is 31.499999999999996 in floating point, and 31.5 as it is written
    assert edges_at(density, n) == edges


def test_the_largest_edges_are_kept_at_a_density() -> None:
    r = matrix(20)
    cut = threshold_matrix(r, density=0.2)
    above = np.sort(r[np.triu_indices(20, 1)])[::-1]
    assert cut.n_edges == 38 == np.count_nonzero(cut.weights) // 2
    assert cut.threshold == above[37]
    np.testing.assert_array_equal(cut.weights, np.where(r >= above[37], r, 0))
    assert cut.density == 0.2
    assert cut.ties == 0
    assert cut.negative_share == np.mean(above < 0)
    assert cut.mean_connectivity == pytest.approx(np.tanh(np.arctanh(above).mean()))


def test_at_a_threshold_what_equals_it_is_kept() -> None:
    r = matrix(9, decimals=1)
    cut = threshold_matrix(r, r=0.3)
    np.testing.assert_array_equal(cut.weights != 0, r >= 0.3)
    assert cut.threshold == 0.3
    assert cut.density == cut.n_edges / 36


def test_ties_at_the_cut_are_broken_row_by_row_and_counted() -> None:
    r = np.full((5, 5), 0.4)
    r[0, 1] = r[1, 0] = 0.9
    cut = threshold_matrix(r, density=0.3)
    kept = np.argwhere(np.triu(cut.weights)).tolist()
    assert kept == [[0, 1], [0, 2], [0, 3]]
    assert cut.ties == 9
    assert threshold_matrix(r, density=1).ties == 0  # all of them are kept: nothing was chosen


def test_what_the_rules_for_negative_edges_keep() -> None:
    r = np.array([[1, 0.5, -0.8], [0.5, 1, 0.0], [-0.8, 0.0, 1]])
    positive = threshold_matrix(r, "positive", density=1)
    absolute = threshold_matrix(r, "absolute", density=0.34)
    signed = threshold_matrix(r, "signed", density=1)
    assert positive.weights.tolist() == [[0, 0.5, 0], [0.5, 0, 0], [0, 0, 0]]
    assert absolute.weights.tolist() == [[0, 0, 0.8], [0, 0, 0], [0.8, 0, 0]]
    assert signed.weights.tolist() == [[0, 0.5, -0.8], [0.5, 0, 0], [-0.8, 0, 0]]
    assert signed.threshold == 0.5
    assert threshold_matrix(r, "signed", r=0.6).weights.min() == -0.8


def test_the_diagonal_is_ignored_whatever_it_holds() -> None:
    r = matrix(6)
    expected = threshold_matrix(r, density=0.5)
    np.fill_diagonal(r, np.nan)
    np.testing.assert_array_equal(threshold_matrix(r, density=0.5).weights, expected.weights)


def test_what_is_no_matrix_of_correlations_has_a_plain_mean() -> None:
    z = matrix(6) * 4
    assert threshold_matrix(z, density=0.5).mean_connectivity == pytest.approx(z[np.triu_indices(6, 1)].mean())


def test_a_graph_without_edges_says_so() -> None:
    cut = threshold_matrix(-np.abs(matrix(5)), density=0.5)
    assert (cut.n_edges, cut.components, cut.negative_share) == (0, 5, 1)
    assert np.isnan(cut.threshold)


@pytest.mark.parametrize(
    ("bad", "options", "words"),
    [
        (np.ones((3, 4)), {"density": 0.1}, "3 x 4"),
        (np.ones((1, 1)), {"density": 0.1}, "1 x 1"),
        (np.arange(9.0).reshape(3, 3), {"density": 0.1}, "not symmetric"),
        (np.full((3, 3), np.nan), {"density": 0.1}, "no value"),
        (np.ones((3, 3)), {"density": 1.2}, "density of 1.2"),
        (np.ones((3, 3)), {"density": np.nan}, "density of nan"),
        (np.ones((3, 3)), {"r": np.nan}, "threshold of nan"),
        (np.ones((3, 3)), {}, "one of them"),
        (np.ones((3, 3)), {"r": 0.1, "density": 0.1}, "one of them"),
    ],
)
def test_what_cannot_be_cut_is_refused(bad: np.ndarray, options: dict[str, float], words: str) -> None:
    with pytest.raises(CannotCompute, match=words):
        threshold_matrix(bad, **options)


def test_a_missing_node_is_named_by_its_number() -> None:
    r = matrix(5)
    r[3] = r[:, 3] = np.nan
    with pytest.raises(CannotCompute, match="4 pairs have no value"):
        threshold_matrix(r, density=0.2)


@settings(deadline=None, max_examples=80)
@given(
    st.integers(2, 12),
    st.integers(0, 2**31),
    st.sampled_from([0, 1, 8]),
    st.sampled_from(["positive", "absolute", "signed"]),
    st.floats(0, 1),
)
def test_no_edge_left_out_is_larger_than_one_that_is_kept(
    n: int, seed: int, decimals: int, edges: str, density: float
) -> None:
    r = matrix(n, seed, decimals)
    cut = threshold_matrix(r, edges, density=density)
    value = np.abs(r) if edges != "positive" else np.maximum(r, 0)
    pairs = np.triu_indices(n, 1)
    kept = cut.weights[pairs] != 0
    assert cut.n_edges == kept.sum() == min(edges_at(density, n), np.count_nonzero(value[pairs]))
    assert cut.components == connected_components(cut.weights != 0)[0]
    if kept.any():
        least = value[pairs][kept].min()
        assert cut.threshold == least
        assert (value[pairs][~kept] <= least).all()
        left_out = np.count_nonzero(value[pairs][~kept] == least)
        assert cut.ties == (np.count_nonzero(value[pairs] == least) if left_out else 0)
