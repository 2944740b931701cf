"""Shortest paths of weighted graphs, where an edge is as long as 1 / its weight."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from .arrays import Float64, Int64, read_only
from .graph_paths import SMALLEST, SOURCES_AT_ONCE, PathSums
from .threads import split

SAME = 1e-12  # two sums of the same lengths in another order differ by less, relatively: paths of equal length


class _Lists(NamedTuple):
    """Neighbours of node i: other[start[i] : start[i + 1]], at these lengths."""

    start: Int64
    other: Int64
    length: Float64


def weighted_path_sums(lengths: Float64) -> PathSums:
    """Sums over the shortest paths of a graph with lengths (R, R), infinite where there is no edge."""
    lists, n = _lists(lengths), len(lengths)
    sums = PathSums(np.empty(n), np.empty(n), np.empty(n, np.int64))
    split(lambda start, stop: _path_sums(lists, sums, start, stop), n, smallest=SMALLEST)
    return sums


def weighted_local_efficiency(lengths: Float64) -> Float64:
    """Efficiency of the weighted graph of each node's neighbours, without the node, (R,); 0 below two neighbours.

    The mean of 1 / distance over pairs of neighbours, by paths among neighbours alone (Latora and Marchiori 2001).
    """
    result = np.empty(len(lengths))
    given = read_only(np.ascontiguousarray(lengths))
    split(lambda start, stop: _local_efficiency(given, result, start, stop), len(lengths), smallest=SMALLEST)
    return result


def weighted_betweenness(lengths: Float64) -> Float64:
    """As `graph_paths.betweenness`, over paths whose sum of lengths (R, R) is least."""
    lists, n = _lists(lengths), len(lengths)
    blocks = -(-n // SOURCES_AT_ONCE)
    dependency = np.zeros((blocks, n))
    split(
        lambda start, stop: _betweenness(lists, dependency, start, stop), blocks, smallest=SMALLEST // SOURCES_AT_ONCE
    )
    return dependency.sum(axis=0) / 2


def _lists(lengths: Float64) -> _Lists:
    i, j = np.nonzero(np.isfinite(lengths))
    start = np.searchsorted(i, np.arange(len(lengths) + 1))
    return _Lists(
        read_only(start.astype(np.int64)), read_only(j.astype(np.int64)), read_only(np.ascontiguousarray(lengths[i, j]))
    )


@njit(cache=True, nogil=True)
def _push(heap: Float64, owner: Int64, size: int, value: float, node: int) -> int:
    """Add a node to a binary heap whose least value is first; return the new size."""
    place = size
    while place > 0:
        parent = (place - 1) >> 1
        if heap[parent] <= value:
            break
        heap[place], owner[place] = heap[parent], owner[parent]
        place = parent
    heap[place], owner[place] = value, node
    return size + 1


@njit(cache=True, nogil=True)
def _pop(heap: Float64, owner: Int64, size: int) -> int:
    """Take the first of a heap away; return the new size."""
    size -= 1
    value, node = heap[size], owner[size]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= value:
            break
        heap[place], owner[place] = heap[child], owner[child]
        place = child
    heap[place], owner[place] = value, node
    return size


@njit(cache=True, nogil=True)
def _dijkstra(lists: _Lists, source: int, distance: Float64, order: Int64, room: tuple[Float64, Int64]) -> int:
    """Distances from a source, and the nodes by distance; return how many are reached, the source included."""
    start, other, length = lists
    heap, owner = room
    distance[:] = np.inf
    distance[source] = 0.0
    size = _push(heap, owner, 0, 0.0, source)
    settled = 0
    while size:
        value, u = heap[0], owner[0]
        size = _pop(heap, owner, size)
        if value > distance[u]:
            continue  # a shorter way was found after this entry
        order[settled] = u
        settled += 1
        for e in range(start[u], start[u + 1]):
            further = value + length[e]
            if further < distance[other[e]]:
                distance[other[e]] = further
                size = _push(heap, owner, size, further, other[e])
    return settled


@njit(cache=True, nogil=True)
def _path_sums(lists: _Lists, sums: PathSums, first: int, last: int) -> None:
    inverse, total, reached = sums
    n = lists.start.size - 1
    distance, order = np.empty(n), np.empty(n, np.int64)
    room = np.empty(lists.other.size + 1), np.empty(lists.other.size + 1, np.int64)
    for source in range(first, last):
        settled = _dijkstra(lists, source, distance, order, room)
        inverse[source] = total[source] = 0.0
        reached[source] = settled - 1
        for place in range(1, settled):
            inverse[source] += 1 / distance[order[place]]
            total[source] += distance[order[place]]


@njit(cache=True, nogil=True)
def _betweenness(lists: _Lists, dependency: Float64, first: int, last: int) -> None:
    start, other, length = lists
    n = start.size - 1
    distance, order, paths, through = np.empty(n), np.empty(n, np.int64), np.empty(n), np.empty(n)
    room = np.empty(lists.other.size + 1), np.empty(lists.other.size + 1, np.int64)
    for block in range(first, last):
        for source in range(block * SOURCES_AT_ONCE, min(n, (block + 1) * SOURCES_AT_ONCE)):
            settled = _dijkstra(lists, source, distance, order, room)
            paths[:] = 0
            paths[source] = 1
            for place in range(settled):
                u = order[place]
                limit = distance[u] * (1 + SAME)
                through[u] = 0.0
                for e in range(start[u], start[u + 1]):
                    if distance[other[e]] + length[e] <= limit:
                        paths[u] += paths[other[e]]
            for place in range(settled - 1, 0, -1):
                u = order[place]
                limit = distance[u] * (1 + SAME)
                dependency[block, u] += through[u] * paths[u]
                share = through[u] + 1 / paths[u]
                for e in range(start[u], start[u + 1]):
                    if distance[other[e]] + length[e] <= limit:
                        through[other[e]] += share


@njit(cache=True, nogil=True, fastmath={"nnan", "nsz"})
def _shorten(distance: Float64, middle: Float64) -> None:
    """Let all paths take ways over other nodes (Floyd and Warshall); below the diagonal, which says it all."""
    k = len(distance)
    for via in range(k):
        middle[:via] = distance[via, :via]
        middle[via] = np.inf
        for i in range(via + 1, k):
            middle[i] = distance[i, via]
        for i in range(k):
            row, first = distance[i], middle[i]
            if first < np.inf:
                for j in range(i):
                    row[j] = min(row[j], first + middle[j])


@njit(cache=True, nogil=True)
def _local_efficiency(lengths: Float64, result: Float64, first: int, last: int) -> None:
    n = len(lengths)
    middle = np.empty(n)
    for i in range(first, last):
        nodes = np.flatnonzero(lengths[i] < np.inf)
        k = nodes.size
        distance = np.empty((k, k))
        for a in range(k):
            for b in range(a):
                distance[a, b] = lengths[nodes[a], nodes[b]]
        _shorten(distance, middle)
        total = 0.0
        for a in range(k):
            for b in range(a):
                total += 1 / distance[a, b]
        result[i] = 2 * total / (k * (k - 1)) if k > 1 else 0.0


def compile_kernels() -> None:
    """Compile for the types that are used."""
    lengths = np.full((3, 3), np.inf)
    lengths[0, 1] = lengths[1, 0] = 1.0
    weighted_path_sums(lengths)
    weighted_betweenness(lengths)
    weighted_local_efficiency(lengths)
