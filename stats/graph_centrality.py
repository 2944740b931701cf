"""Central nodes: eigenvector centrality and core number; and whether degrees go together."""

from __future__ import annotations

import numpy as np
from numba import njit

from .arrays import Float64, Int64
from .graph_bits import Words, bit_rows, members

DENSE_UP_TO = 120  # nodes: below this LAPACK's whole decomposition is quicker than ARPACK's start
SAME = 1e-9  # relative: eigenvalues of equal components


def eigenvector_centrality(weights: Float64) -> Float64:
    """Eigenvector of the largest eigenvalue of the weights (R, R), of length 1, not negative (Bonacich 1972).

    It is what the power method reaches from equal values. In a graph of several components it is 0 outside the one
    with the largest eigenvalue, as in igraph; components with the same largest eigenvalue share it; without any edge
    all nodes are equal.
    """
    n = len(weights)
    if not weights.any():
        return np.full(n, n**-0.5)
    vector = _of_all(weights) if n <= DENSE_UP_TO else _leading(weights)
    vector = np.maximum(vector, 0.0)
    return vector / np.linalg.norm(vector)


def _of_all(weights: Float64) -> Float64:
    """Equal values projected on the eigenvectors of the largest eigenvalue."""
    values, vectors = np.linalg.eigh(weights)
    largest = vectors[:, values >= values[-1] * (1 - SAME)]
    return largest @ largest.sum(axis=0)


def _leading(weights: Float64) -> Float64:
    """The same by Lanczos iterations from equal values, which never leave what these span."""
    from scipy.sparse.linalg import ArpackNoConvergence, eigsh  # noqa: PLC0415 - slow to import

    try:
        _, vectors = eigsh(weights, k=1, which="LA", v0=np.ones(len(weights)))
    except ArpackNoConvergence:
        return _of_all(weights)
    return vectors[:, 0] * np.sign(vectors[:, 0].sum())


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
    core_number(bit_rows(~np.eye(3, dtype=bool)))
