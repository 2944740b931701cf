"""Clustering coefficient of every voxel: which share of the pairs of its neighbours are neighbours themselves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from .adjacency import WORD, Adjacency, UInt64, adjacency, adjacency_bytes, degrees, ones
from .arrays import Float64, Int64, Report, read_only
from .rows import UnitRows
from .threads import split
from .voxel_edges import Cut, strip_bytes, usable

_ROWS = 512  # their bits of 128 words fill half of a processor's second cache
_WORDS = 128


class Clustering(NamedTuple):
    """Clustering coefficients.

    Attributes
    ----------
    values : (V,) float64
        0 for a voxel with fewer than two neighbours, NaN for rows without a correlation.
    n_neighbours : (V,) int64
    n_edges : int
    """

    values: Float64
    n_neighbours: Int64
    n_edges: int


def clustering_bytes(n_voxels: int, n_columns: int) -> int:
    """Memory that `clustering` needs beside the rows, at most: mostly a bit for each pair, both ways."""
    return adjacency_bytes(n_voxels) + strip_bytes() + n_voxels * (4 * n_columns + 64)


def clustering(rows: UnitRows, cut: Cut, report: Report | None = None) -> Clustering:
    """Binary clustering coefficient of every voxel in the graph of a cut: 2 triangles / (k (k - 1)), exactly.

    What counts is who is joined: the rules "absolute" and "signed" give the same.

    Parameters
    ----------
    rows : UnitRows
        V voxels.
    cut : Cut
        From `voxel_edges.at_least` or `voxel_density.at_density`.
    report : callable, optional
        Called every some milliseconds.

    Raises
    ------
    CannotCompute
        When fewer than two voxels have a series that varies.
    """
    unit = usable(rows)
    share = 0.5
    joined = adjacency(unit, cut, None if report is None else lambda done: report(share * done))
    later = None if report is None else lambda done: report(share + (1 - share) * done)
    paths, k = closed_paths(joined, later)
    values, neighbours = np.full(len(rows.valid), np.nan), np.zeros(len(rows.valid), np.int64)
    values[rows.valid] = paths / np.maximum(1, k * (k - 1))
    neighbours[rows.valid] = k
    return Clustering(values, neighbours, int(k.sum()) // 2)


def closed_paths(joined: Adjacency, report: Report | None = None) -> tuple[Int64, Int64]:
    """Closed paths of three edges through each node, two for a triangle, and its degree; both (n,).

    Of every edge the two rows of bits are compared. Rows of a block stay in the cache while all others pass.
    """
    n, words = joined.n, joined.edges.shape[1]
    paths = np.zeros(n, np.int64)
    blocks = [
        _Block(row, min(n, row + _ROWS), word, min(words, word + _WORDS))
        for row in range(0, n, _ROWS)
        for word in range(0, words, _WORDS)
    ]
    for number, block in enumerate(blocks):
        of_block: list[Int64] = []

        def compare(start: int, stop: int, block: _Block = block, found: list[Int64] = of_block) -> None:
            mine = np.zeros(block.last - block.first, np.int64)
            others = paths[block.first + start : block.first + stop]
            _compare(joined.edges, block, mine, others, start)
            found.append(mine)

        split(compare, n - block.first, smallest=_ROWS // 4)
        paths[block.first : block.last] += np.sum(of_block, axis=0)
        if report:
            report((number + 1) / len(blocks))
    return paths, degrees(joined)


class _Block(NamedTuple):
    """Rows `first` to `last`, compared with later ones in words `start` to `stop`."""

    first: int
    last: int
    start: int
    stop: int


@njit(cache=True, nogil=True)
def _compare(edges: UInt64, block: _Block, mine: Int64, others: Int64, after: int) -> None:
    """For each edge of a row of the block and a later row: neighbours that they share, added to both."""
    one = np.uint64(1)
    for place in range(others.size):
        j = block.first + after + place
        row = edges[j, block.start : block.stop]
        for word in range(block.first // WORD, min((block.last - 1) // WORD, j // WORD) + 1):
            left = edges[j, word]
            if word == j // WORD:
                left &= (one << np.uint64(j % WORD)) - one
            while left:
                i = WORD * word + np.int64(ones((left & (~left + one)) - one))  # the lowest bit
                left &= left - one
                other = edges[i, block.start : block.stop]
                shared = np.uint64(0)
                for k in range(row.size):
                    shared += ones(row[k] & other[k])
                mine[i - block.first] += np.int64(shared)
                others[place] += np.int64(shared)


def compile_kernels() -> None:
    """Compile for the types that are used."""
    edges, sums = read_only(np.zeros((WORD, 1), np.uint64)), np.zeros(1, np.int64)
    _compare(edges, _Block(0, 1, 0, 1), sums, sums.copy(), 0)
