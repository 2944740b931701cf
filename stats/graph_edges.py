"""Which edges of a matrix make a graph."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, NamedTuple

import numpy as np

from . import graph_paths
from .arrays import Float64, Int64, read_only
from .correlate import fisher_z
from .errors import CannotCompute
from .graph_bits import bit_rows

Edges = Literal["positive", "absolute", "signed"]
SYMMETRIC_TO = 1e-6
NAMED = 8


class Thresholded(NamedTuple):
    """A graph: the edges of a matrix that were kept.

    Attributes
    ----------
    weights : (R, R) float64, read-only
        Kept values, 0 where there is no edge and on the diagonal; signed for "signed", else positive.
    n_edges : int
    threshold : float
        Smallest kept value (of absolute values, for "absolute" and "signed"); NaN without edges.
    ties : int
        How many edges have just that value, when some of them had to be left out; else 0.
    components : int
        Connected parts, single nodes included.
    mean_connectivity : float
        Of all pairs before the cut: mean as Fisher z, shown as r; the plain mean when values beyond 1 say that it is no
        matrix of correlations.
    negative_share : float
        Share of all pairs whose value is negative.
    weighted : bool
        Whether metrics use the weights; else each edge counts as 1, and only the strength sums weights.
    density : float
        Share of all pairs that are edges.
    """

    weights: Float64
    n_edges: int
    threshold: float
    ties: int
    components: int
    mean_connectivity: float
    negative_share: float
    weighted: bool
    density: float


def edges_at(density: float, n_nodes: int) -> int:
    """Number of edges at a density of 0 to 1: ``density n (n - 1) / 2``, halves rounded up as in decimal writing."""
    return int(Fraction(repr(float(density))) * (n_nodes * (n_nodes - 1) // 2) + Fraction(1, 2))


def threshold_matrix(
    matrix: Float64,
    edges: Edges = "positive",
    *,
    density: float | None = None,
    r: float | None = None,
    weighted: bool = False,
) -> Thresholded:
    """Keep the strongest edges of a matrix.

    Parameters
    ----------
    matrix : (R, R)
        Symmetric to 1e-6; the diagonal is ignored.
    edges : "positive", "absolute" or "signed"
        "positive" drops negative values; "absolute" ranks and weighs edges by their absolute value; "signed" ranks
        them so and keeps the sign, which counts in the strength; all other measures use the absolute value.
        A value of 0 is no edge.
    density : float or None
        Keep this share of all pairs, the largest first; of equal values those that come first, row by row.
    r : float or None
        Keep values of at least this. Exactly one of both is given.
    weighted : bool
        Whether metrics use the weights.

    Returns
    -------
    Thresholded

    Raises
    ------
    CannotCompute
        Not a square symmetric matrix of at least 2 nodes, values that are not finite, a density outside 0 to 1.
    """
    pairs, i, j = _pairs(np.asarray(matrix, dtype=np.float64))
    if (density is None) == (r is None):
        raise CannotCompute("density and r are two ways of saying the same", "give one of them")
    strength = np.abs(pairs) if edges != "positive" else np.where(pairs > 0, pairs, 0.0)
    kept, ties = _strongest(strength, density, len(matrix)) if r is None else (_at_least(strength, r), 0)
    weights = np.zeros(matrix.shape)
    values = (pairs if edges == "signed" else strength)[kept]
    weights[i[kept], j[kept]] = weights[j[kept], i[kept]] = values
    return Thresholded(
        read_only(weights),
        n_edges=int(kept.size),
        threshold=float(strength[kept].min()) if kept.size else np.nan,
        ties=ties,
        components=graph_paths.count_components(bit_rows(weights != 0)),
        mean_connectivity=_mean_connectivity(pairs),
        negative_share=float(np.mean(pairs < 0)),
        weighted=weighted,
        density=kept.size / pairs.size,
    )


def _pairs(matrix: Float64) -> tuple[Float64, Int64, Int64]:
    """Values above the diagonal, row by row, and where they stand."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) < 2:
        shape = " x ".join(map(str, matrix.shape))
        raise CannotCompute(f"the matrix is {shape}", "give a square matrix of at least 2 nodes")
    i, j = np.triu_indices(len(matrix), 1)
    above, below = matrix[i, j], matrix[j, i]
    bad = ~(np.isfinite(above) & np.isfinite(below))
    if bad.any():
        nodes = np.unique(np.concatenate([i[bad], j[bad]]))[:NAMED] + 1
        what = f"{int(bad.sum())} pairs have no value, among them those of the nodes {', '.join(map(str, nodes))}"
        raise CannotCompute(what, "leave out nodes without a series that varies")
    apart = np.abs(above - below)
    if apart.max() > SYMMETRIC_TO:
        worst = int(apart.argmax())
        what = f"the matrix is not symmetric: nodes {i[worst] + 1} and {j[worst] + 1} differ by {apart[worst]:.3g}"
        raise CannotCompute(what, "give a symmetric matrix")
    return (above + below) / 2, i, j


def _strongest(strength: Float64, density: float | None, n_nodes: int) -> tuple[Int64, int]:
    if density is None or not 0 <= density <= 1:
        raise CannotCompute(f"a density of {density} makes no sense", "give a share of all pairs, from 0 to 1")
    wanted = edges_at(density, n_nodes)
    if wanted == 0:
        return np.zeros(0, np.int64), 0
    if wanted >= np.count_nonzero(strength):
        return np.flatnonzero(strength), 0
    cut = np.partition(strength, strength.size - wanted)[strength.size - wanted]
    above, tied = np.flatnonzero(strength > cut), np.flatnonzero(strength == cut)
    room = wanted - above.size
    return np.concatenate([above, tied[:room]]), int(tied.size) if tied.size > room else 0


def _at_least(strength: Float64, r: float) -> Int64:
    if not np.isfinite(r):
        raise CannotCompute(f"a threshold of {r} makes no sense", "give a number")
    return np.flatnonzero((strength >= r) & (strength > 0))


def _mean_connectivity(pairs: Float64) -> float:
    if np.abs(pairs).max() > 1 + SYMMETRIC_TO:
        return float(pairs.mean())
    return float(np.tanh(fisher_z(pairs).mean()))
