"""Central nodes: eigenvector centrality and core number; and whether degrees go together."""

from __future__ import annotations

import numpy as np
from numba import njit

from .arrays import FAST_MATH, Float64, Int64, read_only
from .graph_bits import Words, bit_rows, members

CONVERGED = 1e-13  # residual beside the eigenvalue
NOTHING = 1e-13  # of a vector's length is rounding
STEPS = 12  # between two looks at it


def eigenvector_centrality(weights: Float64) -> Float64:
    """Eigenvector of the largest eigenvalue of the weights (R, R), of length 1, not negative (Bonacich 1972).

    It is what the power method reaches from equal values. In a graph of several components it is 0 outside the one
    with the largest eigenvalue, as in igraph; components with the same largest eigenvalue share it; without any edge
    all nodes are equal.

    By Lanczos iterations, which never leave what equal values span: a few dozen products with the weights.
    """
    n = len(weights)
    basis, diagonal, beside = np.empty((n, n)), np.zeros(n), np.zeros(n)
    basis[0] = n**-0.5
    given, used, steps = read_only(np.ascontiguousarray(weights)), 0, 0
    while True:
        steps = min(steps + STEPS, n)
        used = _lanczos(given, basis, (diagonal, beside), used, steps)
        small = np.diag(diagonal[:used]) + np.diag(beside[: used - 1], 1) + np.diag(beside[: used - 1], -1)
        values, vectors = np.linalg.eigh(small)
        if used < steps or used == n or beside[used - 1] * abs(vectors[-1, -1]) <= CONVERGED * values[-1]:
            break
    vector = vectors[:, -1] @ basis[:used]
    vector = vector * np.sign(vector.sum())
    vector[vector < NOTHING] = 0.0
    return vector / np.linalg.norm(vector)


def core_number(bits: Words) -> Int64:
    """Largest k for which a node is in a part of the graph where all have at least k neighbours, (R,)."""
    return _core_number(bits)


def assortativity(weights: Float64, degree: Int64) -> float:
    """Correlation of the numbers of edges at the two ends of an edge (Newman 2002); NaN when all are equal.

    Parameters
    ----------
    weights : (R, R)
        Only which are not 0 matters.
    degree : (R,) int64
    """
    along = int(degree @ (weights != 0).astype(np.float64) @ degree)
    ends, squares, cubes = int(degree.sum()), int((degree**2).sum()), int((degree**3).sum())
    spread = ends * cubes - squares**2
    return (ends * along - squares**2) / spread if spread else np.nan


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _dot(a: Float64, b: Float64) -> float:
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _lanczos(weights: Float64, basis: Float64, small: tuple[Float64, Float64], start: int, stop: int) -> int:
    """Fill rows of the basis and the diagonals of the small matrix; return how many, fewer when nothing is left."""
    n = len(weights)
    diagonal, beside = small
    new = np.empty(n)
    for k in range(start, stop):
        for i in range(n):
            new[i] = _dot(weights[i], basis[k])
        diagonal[k] = _dot(new, basis[k])
        before = np.sqrt(_dot(new, new))
        for _ in range(2):  # once is not enough: what rounding leaves grows
            for row in range(k + 1):
                share = _dot(new, basis[row])
                for i in range(n):
                    new[i] -= share * basis[row, i]
        beside[k] = np.sqrt(_dot(new, new))
        if beside[k] <= NOTHING * before or k + 1 == n:
            return k + 1
        for i in range(n):
            basis[k + 1, i] = new[i] / beside[k]
    return stop


@njit(cache=True, nogil=True)
def _core_number(bits: Words) -> Int64:
    """Take away the node of fewest remaining neighbours again and again."""
    n = bits.shape[0]
    nodes, left, core = np.empty(n, np.int64), np.empty(n, np.int64), np.full(n, -1)
    for i in range(n):
        left[i] = members(bits[i], nodes)
    level = 0
    for _ in range(n):
        least, chosen = n, 0
        for i in range(n):
            if core[i] < 0 and left[i] < least:
                least, chosen = left[i], i
        level = max(level, least)
        core[chosen] = level
        for place in range(members(bits[chosen], nodes)):
            left[nodes[place]] -= 1
    return core


def compile_kernels() -> None:
    """Compile for the types that are used."""
    eigenvector_centrality(np.ones((3, 3)) - np.eye(3))
    core_number(bit_rows(~np.eye(3, dtype=bool)))
