"""Random graphs with the same degrees, and how a graph differs from them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from .arrays import Bool, Int64, Report, read_only
from .graph_bits import bit_rows
from .graph_clustering import clustering, triangles
from .graph_paths import path_length, path_sums
from .graph_random import State, below, random_states

ATTEMPTS = 20  # for each exchange that is asked for; in a complete graph none succeeds
AT_ONCE = 500_000  # attempts between two reports


class Nulls(NamedTuple):
    """Random graphs to compare with.

    Attributes
    ----------
    number : int
    rewirings : int
        Exchanges that each edge takes part in, on average.
    seed : int
        Null k depends on seed and k alone.
    """

    number: int = 20
    rewirings: int = 10
    seed: int = 0


class SmallWorld(NamedTuple):
    """Clustering and path length of a binary graph beside those of random graphs with the same degrees.

    Attributes
    ----------
    small_worldness : float
        (clustering / null_clustering) / (path_length / null_path_length), above 1 in a small world.
    clustering, path_length : float
        Mean coefficient, and mean distance over connected pairs.
    null_clustering, null_path_length : float
        Means over the random graphs.
    exchanges : float
        How often an edge of them was really rewired, on average.
    """

    small_worldness: float
    clustering: float
    path_length: float
    null_clustering: float
    null_path_length: float
    exchanges: float


def rewired(
    adjacency: Bool, rewirings: int, seed: int, number: int = 0, report: Report | None = None
) -> tuple[Bool, float]:
    """Exchange ends of random pairs of edges, so that every node keeps its degree (Maslov and Sneppen 2002).

    Exchanges that would join a node to itself or double an edge are not made.

    Parameters
    ----------
    adjacency : (R, R) bool
        Symmetric, without self-connections.
    rewirings : int
        Exchanges that each edge shall take part in, on average.
    seed, number : int
        The random graph depends on both alone.
    report : callable, optional
        Called between pieces of long work with the share of attempts that are made.

    Returns
    -------
    adjacency : (R, R) bool
    exchanges : float
        Those that each edge took part in, on average; fewer than asked for where few can be made.
    """
    ends = np.ascontiguousarray(np.argwhere(np.triu(adjacency, 1)).astype(np.int64))
    result = np.array(adjacency, dtype=bool)
    if len(ends) < 2:
        return result, 0.0
    wanted, state = (rewirings * len(ends) + 1) // 2, random_states(1, seed, number)[0]
    made, attempts = 0, 0
    while made < wanted and attempts < ATTEMPTS * wanted:
        if attempts and report:
            report(attempts / (ATTEMPTS * wanted))
        tries = min(AT_ONCE, ATTEMPTS * wanted - attempts)
        made += _rewire(ends, result, min(wanted - made, tries), tries, state)
        attempts += tries
    return result, 2 * made / len(ends)


def small_world(adjacency: Bool, nulls: Nulls, report: Report | None = None) -> SmallWorld:
    """Small-worldness (Humphries and Gurney 2008) of a binary graph against random graphs with the same degrees.

    NaN where a ratio is not defined, such as without triangles in the random graphs.
    """
    own = _clustering_and_length(adjacency)
    total = np.zeros(3)
    for k in range(nulls.number):
        within = None if report is None else lambda done, k=k: report((k + done) / nulls.number)
        null, exchanges = rewired(adjacency, nulls.rewirings, nulls.seed, k, within)
        total += (*_clustering_and_length(null), exchanges)
        if report:
            report((k + 1) / nulls.number)
    clustered, length, exchanges = total / nulls.number if nulls.number else (np.nan,) * 3
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.float64(own[0]) / clustered / (np.float64(own[1]) / length)
    small = float(ratio) if np.isfinite(ratio) else np.nan
    return SmallWorld(small, *own, float(clustered), float(length), float(exchanges))


def _clustering_and_length(adjacency: Bool) -> tuple[float, float]:
    bits = bit_rows(adjacency)
    coefficients = clustering(triangles(bits).astype(np.float64), adjacency.sum(axis=1))
    return float(coefficients.mean()), path_length(path_sums(bits))


@njit(cache=True, nogil=True)
def _rewire(ends: Int64, adjacency: Bool, wanted: int, attempts: int, state: State) -> int:
    made = 0
    for _ in range(attempts):
        if made == wanted:
            break
        first, second = below(state, len(ends)), below(state, len(ends))
        turned = below(state, 2)
        a, b = ends[first]
        c, d = ends[second, turned], ends[second, 1 - turned]
        if a in (c, d) or b in (c, d) or adjacency[a, d] or adjacency[c, b]:
            continue
        adjacency[a, b] = adjacency[b, a] = adjacency[c, d] = adjacency[d, c] = False
        adjacency[a, d] = adjacency[d, a] = adjacency[c, b] = adjacency[b, c] = True
        ends[first, 1] = d
        ends[second, 0], ends[second, 1] = c, b
        made += 1
    return made


def compile_kernels() -> None:
    """Compile for the types that are used."""
    ring = np.roll(np.eye(5, dtype=bool), 1, axis=1)
    rewired(read_only(ring | ring.T), 1, 0)
