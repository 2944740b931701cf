"""Triangles: how far neighbours of a node are neighbours of one another."""

from __future__ import annotations

import numpy as np
from numba import njit

from .arrays import Float64, Int64
from .graph_bits import Words, bit_rows, count_ones, members
from .threads import split

SMALLEST = 200  # nodes worth handing to another thread


def triangles(bits: Words) -> Int64:
    """Number of triangles at each node, (R,): words of bits in common, counted for each edge."""
    result = np.empty(len(bits), np.int64)
    split(lambda start, stop: _triangles(bits, result, start, stop), len(bits), smallest=SMALLEST)
    return result


def triangle_intensity(weights: Float64) -> Float64:
    """Sum over the triangles at each node of the geometric mean of their weights, (R,).

    Weights are divided by the largest one first (Onnela et al. 2005, Phys. Rev. E 71:065103). A matrix product is as
    fast as anything here: unlike bits, cube roots do not pack.
    """
    largest = weights.max(initial=0.0)
    if largest == 0:
        return np.zeros(len(weights))
    root = np.cbrt(weights / largest)
    return np.einsum("ij,ij->i", root @ root, root) / 2


def clustering(triangles_: Float64, degree: Int64) -> Float64:
    """Share of the pairs of neighbours that are joined, (R,); 0 where there are fewer than two neighbours.

    With intensities of triangles: Onnela's weighted coefficient.
    """
    pairs = degree * (degree - 1) / 2
    return np.divide(triangles_, pairs, out=np.zeros(len(degree)), where=pairs > 0)


def transitivity(triangles_: Float64, degree: Int64) -> float:
    """Share of all paths of two edges that close to a triangle; 0 when there are none."""
    pairs = float((degree * (degree - 1)).sum() / 2)
    return float(triangles_.sum() / pairs) if pairs else 0.0


@njit(cache=True, nogil=True)
def _triangles(bits: Words, result: Int64, start: int, stop: int) -> None:
    nodes = np.empty(bits.shape[0], np.int64)
    for i in range(start, stop):
        own = bits[i]
        total = np.uint64(0)
        for n in range(members(own, nodes)):
            other = bits[nodes[n]]
            for w in range(own.size):
                total += count_ones(own[w] & other[w])
        result[i] = np.int64(total) // 2


def compile_kernels() -> None:
    """Compile for the types that are used."""
    bits = bit_rows(~np.eye(3, dtype=bool))
    _triangles(bits, np.empty(3, np.int64), 0, 3)
