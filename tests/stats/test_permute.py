"""Arrangements of rows: distinct, counted exactly, reproducible, and within what may be exchanged."""

from __future__ import annotations

import math
from itertools import permutations, product

import numpy as np
import pytest
from habena.stats.errors import CannotCompute
from habena.stats.multisets import count_orders, order_at, rank_of
from habena.stats.permute import Shuffling
from hypothesis import given, settings
from hypothesis import strategies as st

SUBJECTS = np.repeat(["ann", "bob", "cid"], 2)


def designs(shuffling: Shuffling, columns: np.ndarray) -> list[tuple[float, ...]]:
    """The design that each arrangement gives to the observed data."""
    found = []
    for k in range(shuffling.count + 1):
        order, sign = shuffling.arrangement(k)
        moved = np.empty_like(columns, dtype=float)
        moved[order] = columns * sign[:, None]
        found.append(tuple(moved.ravel() + 0.0))
    return found


def by_brute_force(columns: np.ndarray, kind: str) -> set[tuple[float, ...]]:
    """Every permutation and sign flip of the rows, as a set."""
    n = len(columns)
    orders = permutations(range(n)) if kind != "flip" else [tuple(range(n))]
    signs = list(product((1, -1), repeat=n)) if kind != "permute" else [(1,) * n]
    return {tuple((columns[list(order)] * np.array(sign)[:, None]).ravel() + 0.0) for order in orders for sign in signs}


def test_three_against_three_has_twenty_arrangements_each_visited_once():
    rows = np.column_stack([np.ones(6), [0, 0, 0, 1, 1, 1]])
    shuffling = Shuffling(6, rows=rows, n_permutations=1000)
    assert (shuffling.n_distinct, shuffling.exhaustive, shuffling.count) == (20, True, 19)
    found = designs(shuffling, rows)
    assert len(set(found)) == 20
    assert found[0] == tuple(rows.ravel())


@pytest.mark.parametrize("kind", ["permute", "flip", "both"])
@settings(deadline=None, max_examples=40)
@given(values=st.lists(st.integers(-1, 1), min_size=2, max_size=5))
def test_every_distinct_design_is_visited_exactly_once(kind, values):
    columns = np.array(values, float)[:, None]
    expected = by_brute_force(columns, kind)
    if len(expected) == 1:
        with pytest.raises(CannotCompute, match="no rearrangement"):
            Shuffling(len(values), kind, rows=columns)
        return
    shuffling = Shuffling(len(values), kind, rows=columns, n_permutations=10_000)
    found = designs(shuffling, columns)
    assert shuffling.n_distinct == len(found) == len(expected)
    assert set(found) == expected
    assert found[0] == tuple(columns.ravel() + 0.0)


def test_blocks_within_multiply_their_arrangements_and_keep_rows_at_home():
    rows = np.array([[0], [1], [0], [1], [0], [1]])
    shuffling = Shuffling(6, blocks=SUBJECTS, rows=rows)
    assert shuffling.n_distinct == 8
    assert len(set(designs(shuffling, rows))) == 8
    many = Shuffling(90, blocks=np.arange(90) % 7, seed=3)
    for k in (1, 2, 77):
        assert np.array_equal(many.blocks[many.arrangement(k).order], many.blocks)


def test_whole_blocks_move_together_and_flip_together():
    rows = np.array([[0], [5], [1], [5], [2], [5]])
    shuffling = Shuffling(6, "both", SUBJECTS, "whole", rows=rows)
    assert shuffling.n_distinct == math.factorial(3) * 2**3
    seen = set()
    for k in range(shuffling.count + 1):
        order, sign = shuffling.arrangement(k)
        assert (np.diff(order.reshape(3, 2), axis=1) == 1).all()
        assert (sign.reshape(3, 2).std(axis=1) == 0).all()
        seen.add((*order.tolist(), *sign.tolist()))
    assert len(seen) == 48


def test_whole_blocks_of_drawn_arrangements_move_together_wherever_their_rows_lie():
    subjects = np.tile(np.arange(40), 3)
    shuffling = Shuffling(120, "permute", subjects, "whole", seed=5)
    order, _ = shuffling.arrangement(9)
    assert not np.array_equal(order, np.arange(120))
    assert sorted(order) == list(range(120))
    assert np.array_equal(subjects[order[:40]], subjects[order[40:80]])
    assert np.array_equal(order // 40, np.arange(120) // 40)


def test_whole_blocks_of_unequal_size_are_refused_by_name():
    with pytest.raises(CannotCompute, match=r"most have 2 rows, not dan \(1\)"):
        Shuffling(7, blocks=np.array([*SUBJECTS, "dan"]), block_mode="whole")


def test_an_arrangement_depends_on_seed_and_number_alone():
    one, other = Shuffling(50, "both", seed=7, n_permutations=10), Shuffling(50, "both", seed=7, n_permutations=99)
    backwards = [one.arrangement(k) for k in range(10, 0, -1)][::-1]
    for k, (order, sign) in enumerate(backwards, start=1):
        assert np.array_equal(order, other.arrangement(k).order)
        assert np.array_equal(sign, other.arrangement(k).sign)
    assert not np.array_equal(one.arrangement(1).order, one.arrangement(2).order)
    assert not np.array_equal(one.arrangement(1).order, Shuffling(50, "both", seed=8).arrangement(1).order)


def test_the_generator_gives_the_same_numbers_for_ever():
    order, sign = Shuffling(8, "both", seed=20261121).arrangement(3)
    assert order.tolist() == [6, 4, 1, 7, 0, 5, 3, 2]
    assert sign.tolist() == [-1, 1, -1, 1, 1, 1, -1, 1]


def test_drawn_permutations_and_signs_are_uniform():
    shuffling = Shuffling(8, "both", n_permutations=4000)
    drawn = [shuffling.arrangement(k) for k in range(1, 4001)]
    place = np.zeros((8, 8))
    for order, _ in drawn:
        place[np.arange(8), order] += 1
    chi2 = ((place - 500) ** 2 / 500).sum()
    assert 20 < chi2 < 90  # 49 degrees of freedom: outside with probability 5e-4
    assert abs(np.mean([sign for _, sign in drawn])) < 0.02


def test_the_first_of_enumerated_arrangements_are_a_fair_sample():
    shuffling = Shuffling(12, "flip", n_permutations=5000)
    assert shuffling.count == 4095
    ups = np.mean([shuffling.arrangement(k).sign for k in range(1, 401)], axis=0)
    assert np.abs(ups).max() < 0.15


@settings(deadline=None, max_examples=50)
@given(labels=st.lists(st.integers(0, 3), min_size=1, max_size=6))
def test_orders_of_a_multiset_are_ranked_as_sorted(labels):
    given_labels = np.array(labels)
    expected = sorted(set(permutations(labels)))
    assert count_orders(given_labels) == len(expected)
    assert expected[rank_of(given_labels)] == tuple(labels)
    for rank, order in enumerate(expected):
        taken = order_at(given_labels, rank)
        assert sorted(taken) == list(range(len(labels)))
        assert tuple(given_labels[taken]) == order
    assert np.array_equal(order_at(given_labels, rank_of(given_labels)), np.arange(len(labels)))


def test_columns_that_no_arrangement_changes_are_known():
    rng = np.random.default_rng(0)
    for shuffling in (
        Shuffling(6),
        Shuffling(6, blocks=SUBJECTS),
        Shuffling(6, blocks=SUBJECTS, block_mode="whole"),
    ):
        fixed = shuffling.invariant @ rng.standard_normal(shuffling.invariant.shape[1])
        for k in range(1, 6):
            assert np.array_equal(fixed[shuffling.arrangement(k).order], fixed)
    assert Shuffling(6, "flip").invariant.shape == (6, 0)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(CannotCompute, match="no rearrangement"):
        Shuffling(5, rows=np.ones((5, 1)))
    with pytest.raises(CannotCompute, match="no rearrangement"):
        Shuffling(3, blocks=np.arange(3))
    with pytest.raises(CannotCompute, match="seed"):
        Shuffling(5, seed=-1)
    with pytest.raises(CannotCompute, match="at least one"):
        Shuffling(5, n_permutations=0)
    with pytest.raises(CannotCompute, match="4 blocks for 5 rows"):
        Shuffling(5, blocks=np.arange(4))
