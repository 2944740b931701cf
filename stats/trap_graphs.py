"""Traps of connectivity: negative edges, means of r, thresholds that turn mean connectivity into topology."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Float64
from .correlate import mean_r
from .errors import CannotCompute
from .traps import Trap, Traps

WORTH_SAYING = 0.005  # between two means of r
LEVEL = 0.05


def edges_of(matrix: ArrayLike) -> Float64:
    """Finite edges above the diagonal of a symmetric matrix (N, N).

    Raises
    ------
    CannotCompute
        When it is not square or has none.
    """
    values = np.asarray(matrix, dtype=np.float64)
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise CannotCompute(f"a matrix of {values.shape} is not square", "give one row and column per region")
    edges = values[np.triu_indices(len(values), 1)]
    edges = edges[np.isfinite(edges)]
    if not edges.size:
        raise CannotCompute("the matrix has no edge with a value", "give at least two regions")
    return edges


def negative_edges(where: str, matrix: ArrayLike) -> Traps:
    """Share of edges that are left out when negative ones are dropped."""
    edges = edges_of(matrix)
    share = float((edges < 0).mean())
    if not share:
        return ()
    message = f"{share:.1%} of {edges.size} edges are negative and dropped."
    return (Trap("negative-edges", where, share, message),)


def averaged_r(where: str, values: ArrayLike) -> Traps:
    """How far the plain mean of correlations is from that by Fisher z (n,)."""
    r = np.asarray(values, dtype=np.float64)
    plain, by_z = float(r.mean()), float(mean_r(r))
    if not abs(plain - by_z) >= WORTH_SAYING:
        return ()
    message = f"Correlations are averaged as Fisher z: {by_z:.3f}; the plain mean of r would be {plain:.3f}."
    return (Trap("averaged-r", where, by_z - plain, message),)


def thresholded_graph(where: str, density: float, components: int, mean_connectivity: float) -> Traps:
    """A graph that a threshold has taken to pieces."""
    if components < 2:
        return ()
    message = (
        f"At {density:.0%} density the graph has {components} components (mean connectivity {mean_connectivity:.3f}): "
        "path lengths count connected pairs only. Look at several densities."
    )
    return (Trap("components", where, components, message),)


def mean_connectivity(where: str, mean_r_of_scan: ArrayLike, group: ArrayLike) -> Traps:
    """Two groups whose mean connectivity differs (Welch's t): at one density this looks like topology.

    van den Heuvel et al. 2017, doi 10.1016/j.neuroimage.2017.02.005. The value is p.
    """
    from scipy.stats import ttest_ind  # noqa: PLC0415 - 1.7 s, which other traps of graphs need not wait for

    values, members = np.asarray(mean_r_of_scan, dtype=np.float64), np.asarray(group)
    one, two = _two_groups(values, members)
    found: Any = ttest_ind(one, two, equal_var=False)
    p = float(found.pvalue)
    if not p < LEVEL:
        return ()
    message = (
        f"Mean connectivity differs between the groups ({one.mean():.3f} and {two.mean():.3f}, p = {p:.2g}): at equal "
        "density this shows as a difference of topology. Add it as a covariate, and use the area under the curve."
    )
    return (Trap("mean-connectivity", where, p, message),)


def _two_groups(values: Float64, members: NDArray[np.generic]) -> tuple[Float64, Float64]:
    names = np.unique(members[np.isfinite(values)])
    parts = [values[np.isfinite(values) & (members == name)] for name in names]
    if len(parts) != 2 or min(map(len, parts)) < 2:
        raise CannotCompute(f"{len(parts)} groups with a value are not two of two scans or more", "check the table")
    return parts[0], parts[1]
