"""Shortest paths of binary graphs: efficiency, path length, betweenness.

All neighbours of a set of nodes are found by joining rows of bits, and a search ends as soon as no node is left to
reach, which in a dense graph is after a handful of rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from .arrays import Float64, Int64
from .graph_bits import Words, bit_rows, count_ones, lowest_one, members
from .threads import split

SMALLEST = 64  # nodes worth handing to another thread: graphs of a hundred regions are done before it wakes
SOURCES_AT_ONCE = 8  # whose dependencies are summed in one row, so that the order of sums depends on nothing else


class PathSums(NamedTuple):
    """Sums over the shortest paths from each node to all nodes that it reaches.

    Attributes
    ----------
    inverse : (R,) float64
        Of 1 / distance.
    distance : (R,) float64
    reached : (R,) int64
        How many other nodes.
    """

    inverse: Float64
    distance: Float64
    reached: Int64


def path_sums(bits: Words) -> PathSums:
    """Sums over the shortest paths of a binary graph."""
    n = len(bits)
    sums = PathSums(np.empty(n), np.empty(n), np.empty(n, np.int64))
    split(lambda start, stop: _path_sums(bits, *sums, start, stop), n, smallest=SMALLEST)
    return sums


def global_efficiency(sums: PathSums) -> float:
    """Mean of 1 / distance over all pairs, 0 for those without a path (Latora and Marchiori 2001)."""
    n = len(sums.inverse)
    return float(sums.inverse.sum() / (n * (n - 1)))


def path_length(sums: PathSums) -> float:
    """Mean distance over the pairs that are connected; NaN when none is."""
    pairs = int(sums.reached.sum())
    return float(sums.distance.sum() / pairs) if pairs else np.nan


def local_efficiency(bits: Words) -> Float64:
    """Global efficiency of the graph of each node's neighbours, without the node, (R,); 0 below two neighbours."""
    result = np.empty(len(bits))
    split(lambda start, stop: _local_efficiency(bits, result, start, stop), len(bits), smallest=SMALLEST)
    return result


def betweenness(bits: Words) -> Float64:
    """Sum over pairs of other nodes of the share of their shortest paths through a node, each pair once, (R,).

    Not normalised, as in NetworkX and igraph; bctpy counts each pair twice. By Brandes 2001 (J. Math. Sociol. 25:163).
    """
    n = len(bits)
    blocks = -(-n // SOURCES_AT_ONCE)
    dependency = np.zeros((blocks, n))
    split(lambda start, stop: _betweenness(bits, dependency, start, stop), blocks, smallest=SMALLEST // SOURCES_AT_ONCE)
    return dependency.sum(axis=0) / 2


def count_components(bits: Words) -> int:
    """Connected parts of a graph, single nodes included."""
    return int(_count_components(bits))


@njit(cache=True, nogil=True)
def _count(words: Words) -> int:
    """How many bits are set."""
    ones = np.uint64(0)
    for w in range(words.size):
        ones += count_ones(words[w])
    return int(ones)


@njit(cache=True, nogil=True)
def _push(bits: Words, frontier: Words, remaining: Words, following: Words, nodes: Int64) -> None:
    """Move to ``following`` those of ``remaining`` that neighbour the frontier, looking from the frontier."""
    for n in range(members(frontier, nodes)):
        row = bits[nodes[n]]
        left = np.uint64(0)
        for w in range(row.size):
            new = row[w] & remaining[w]
            following[w] |= new
            remaining[w] ^= new
            left |= remaining[w]
        if not left:
            break


@njit(cache=True, nogil=True)
def _pull(bits: Words, frontier: Words, remaining: Words, following: Words, nodes: Int64) -> None:
    """The same, looking from those that remain, each until a neighbour is found."""
    for n in range(members(remaining, nodes)):
        node = nodes[n]
        row = bits[node]
        for w in range(row.size):
            if row[w] & frontier[w]:
                following[node >> 6] |= np.uint64(1) << np.uint64(node & 63)
                break
    for w in range(remaining.size):
        remaining[w] ^= following[w]


@njit(cache=True, nogil=True)
def _search(bits: Words, source: int, remaining: Words, sets: Words, nodes: Int64) -> tuple[float, int, int]:
    """Sums of 1 / distance and distance, and number of the nodes of ``remaining`` reached, which leave it.

    From the side where there is less to look at (Beamer, Asanovic and Patterson 2012).
    """
    frontier, following = sets[0], sets[1]
    remaining[source >> 6] &= ~(np.uint64(1) << np.uint64(source & 63))
    for w in range(remaining.size):
        following[w] = bits[source, w] & remaining[w]
        remaining[w] ^= following[w]
    inverse, total, reached, steps = 0.0, 0, 0, 0
    while True:
        count, left = _count(following), _count(remaining)
        steps += 1
        inverse += count / steps
        total += count * steps
        reached += count
        if count == 0 or left == 0:
            return inverse, total, reached
        frontier, following = following, frontier
        following[:] = 0
        if count < left:
            _push(bits, frontier, remaining, following, nodes)
        else:
            _pull(bits, frontier, remaining, following, nodes)


@njit(cache=True, nogil=True)
def _everybody(everybody: Words, n: int) -> None:
    """Set the bits of all nodes."""
    everybody[:] = ~np.uint64(0)
    if n & 63:
        everybody[-1] = (np.uint64(1) << np.uint64(n & 63)) - np.uint64(1)


@njit(cache=True, nogil=True)
def _path_sums(bits: Words, inverse: Float64, distance: Float64, reached: Int64, start: int, stop: int) -> None:
    n, words = bits.shape
    remaining, sets, nodes = np.empty(words, np.uint64), np.empty((2, words), np.uint64), np.empty(n, np.int64)
    for source in range(start, stop):
        _everybody(remaining, n)
        inverse[source], distance[source], reached[source] = _search(bits, source, remaining, sets, nodes)


@njit(cache=True, nogil=True)
def _among(bits: Words, chosen: Int64, place: Int64, nodes: Int64) -> Words:
    """Rows of bits of the graph of some nodes, numbered as they are given; fewer words than the whole graph's."""
    part = np.zeros((chosen.size, (chosen.size + 63) >> 6), np.uint64)
    inside = np.zeros(bits.shape[1], np.uint64)
    for a in range(chosen.size):
        place[chosen[a]] = a
        inside[chosen[a] >> 6] |= np.uint64(1) << np.uint64(chosen[a] & 63)
    met = np.empty(inside.size, np.uint64)
    for a in range(chosen.size):
        for w in range(inside.size):
            met[w] = bits[chosen[a], w] & inside[w]
        for n in range(members(met, nodes)):
            b = place[nodes[n]]
            part[a, b >> 6] |= np.uint64(1) << np.uint64(b & 63)
    return part


@njit(cache=True, nogil=True)
def _inverse_in_word(rows: Words, source: int, everybody: int) -> float:
    """Sum of 1 / distance in a graph of at most 64 nodes, whose sets fit registers."""
    remaining = everybody & ~(np.uint64(1) << np.uint64(source))
    following = rows[source] & remaining
    inverse, steps = 0.0, 0
    while following:
        steps += 1
        inverse += count_ones(following) / steps
        remaining ^= following
        frontier, reached = following, np.uint64(0)
        while frontier and remaining & ~reached:
            reached |= rows[np.int64(lowest_one(frontier))]
            frontier &= frontier - np.uint64(1)
        following = reached & remaining
    return inverse


@njit(cache=True, nogil=True)
def _efficiency(part: Words, nodes: Int64) -> float:
    """Sum of 1 / distance over all pairs of a graph, each from both sides."""
    k, words = part.shape
    remaining, sets = np.empty(words, np.uint64), np.empty((2, words), np.uint64)
    _everybody(remaining, k)
    total = 0.0
    if words == 1:
        everybody = remaining[0]
        for source in range(k):
            total += _inverse_in_word(part[:, 0], source, everybody)
        return total
    for source in range(k):
        _everybody(remaining, k)
        total += _search(part, source, remaining, sets, nodes)[0]
    return total


@njit(cache=True, nogil=True)
def _local_efficiency(bits: Words, result: Float64, start: int, stop: int) -> None:
    n = bits.shape[0]
    neighbours, place, nodes = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(start, stop):
        k = members(bits[i], neighbours)
        result[i] = 0.0
        if k > 1:
            result[i] = _efficiency(_among(bits, neighbours[:k], place, nodes), nodes) / (k * (k - 1))


@njit(cache=True, nogil=True)
def _count_components(bits: Words) -> int:
    n, words = bits.shape
    remaining, sets, nodes = np.empty(words, np.uint64), np.empty((2, words), np.uint64), np.empty(n, np.int64)
    _everybody(remaining, n)
    components = 0
    for source in range(n):
        if (remaining[source >> 6] >> np.uint64(source & 63)) & np.uint64(1):
            _search(bits, source, remaining, sets, nodes)
            components += 1
    return components


@njit(cache=True, nogil=True)
def _betweenness(bits: Words, dependency: Float64, start: int, stop: int) -> None:
    n, words = bits.shape
    levels, paths, shares = np.empty((n + 1, words), np.uint64), np.empty(n), np.empty(n)
    nodes, ends, met = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(words, np.uint64)
    for block in range(start, stop):
        for source in range(block * SOURCES_AT_ONCE, min(n, (block + 1) * SOURCES_AT_ONCE)):
            last = _count_paths(bits, source, levels, paths, (nodes, ends, met))
            shares[source] = 0.0
            for n_ in range(members(levels[last], nodes)):
                shares[nodes[n_]] = 1 / paths[nodes[n_]]
            for level in range(last - 1, 0, -1):
                for n_ in range(members(levels[level], nodes)):
                    u = nodes[n_]
                    for w in range(words):
                        met[w] = bits[u, w] & levels[level + 1, w]
                    through = 0.0
                    for v in range(members(met, ends)):
                        through += shares[ends[v]]
                    dependency[block, u] += through * paths[u]
                    shares[u] = through + 1 / paths[u]


@njit(cache=True, nogil=True)
def _count_paths(bits: Words, source: int, levels: Words, paths: Float64, room: tuple[Int64, Int64, Words]) -> int:
    """Nodes at each distance from a source, and how many shortest paths lead to each; return the largest distance."""
    nodes, ends, met = room
    n, words = bits.shape
    remaining = np.empty(words, np.uint64)
    _everybody(remaining, n)
    levels[0] = 0
    levels[0, source >> 6] = np.uint64(1) << np.uint64(source & 63)
    remaining[source >> 6] ^= levels[0, source >> 6]
    paths[:] = 0
    paths[source] = 1
    level = 0
    while True:
        levels[level + 1] = 0
        found = np.uint64(0)
        for n_ in range(members(levels[level], nodes)):
            u = nodes[n_]
            for w in range(words):
                met[w] = bits[u, w] & remaining[w]
                levels[level + 1, w] |= met[w]
                found |= met[w]
            for v in range(members(met, ends)):
                paths[ends[v]] += paths[u]
        if not found:
            return level
        level += 1
        for w in range(words):
            remaining[w] ^= levels[level, w]


def compile_kernels() -> None:
    """Compile for the types that are used."""
    bits = bit_rows(~np.eye(3, dtype=bool))
    path_sums(bits)
    local_efficiency(bits)
    betweenness(bits)
    count_components(bits)
