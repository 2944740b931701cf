"""Modules of a graph, how well it falls into them, and which nodes join them."""

from __future__ import annotations

import numpy as np

from .arrays import Float64, Int32


def modules(weights: Float64, seed: int = 0) -> Int32:
    """Partition that makes the modularity large, (R,) from 0, larger modules first.

    By scikit-network's Louvain method (Blondel et al. 2008): the best of a few runs over nodes in random order. A
    library here: what one run takes is little beside other metrics, and its quality is igraph's.

    Parameters
    ----------
    weights : (R, R)
        Not negative, symmetric.
    seed : int
        Of the order of nodes; the same seed gives the same modules.
    """
    from scipy.sparse import csr_matrix  # noqa: PLC0415 - slow to import
    from sknetwork.clustering import Louvain  # noqa: PLC0415 - slow to import

    if not weights.any():
        return np.arange(len(weights), dtype=np.int32)
    graph = csr_matrix(weights)
    found = Louvain(shuffle_nodes=True, random_state=seed).fit_predict(graph)
    return found.astype(np.int32)


def modularity(weights: Float64, module: Int32) -> float:
    """Share of the weight within modules beyond what strengths make one expect (Newman 2006); NaN without edges."""
    strength = weights.sum(axis=1)
    total = strength.sum()
    if total == 0:
        return np.nan
    member = np.eye(module.max() + 1)[module]
    within = np.einsum("ij,ij->", weights @ member, member)
    return float(within / total - ((member.T @ strength / total) ** 2).sum())


def participation(weights: Float64, module: Int32) -> Float64:
    """How evenly a node's edges lead to all modules, (R,): 0 to one alone, towards 1 to many (Guimera and Amaral 2005).

    0 for nodes without edges.
    """
    strength = weights.sum(axis=1)
    parts = weights @ np.eye(module.max() + 1)[module]
    shares = np.divide(parts, strength[:, None], out=np.zeros_like(parts), where=strength[:, None] > 0)
    return np.where(strength > 0, 1 - (shares**2).sum(axis=1), 0.0)
