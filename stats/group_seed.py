"""Statistics over the seed maps of many runs: one pass from correlations to t.

A covariate with a value per voxel and run is added to the model in closed form (Frisch, Waugh and Lovell).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from scipy.stats import f as f_distribution
from scipy.stats import t as t_distribution

from .arrays import Float32, read_only
from .errors import CannotCompute
from .group_contrast import GroupTest, group_test
from .group_kernels import KernelModel, statistics
from .threads import split

SMALLEST = 1024  # voxels worth handing to another thread
LEAST_P = 1e-300  # where double precision ends: p is never 0


class GroupMaps(NamedTuple):
    """Statistics of each voxel over runs.

    Attributes
    ----------
    mean_z : (V,) float32
        Mean Fisher z of all runs; its tanh is the mean r.
    estimate : (V,) float32
        The contrast, in Fisher z (of the covariate: per its unit); NaN for F.
    statistic : (V,) float32
        t or F; NaN where the runs do not differ at all, or the covariate varies no more than the design.
    df : (float, float)
        Of numerator and denominator; t has numerator 1.
    kind : 't' or 'F'
    """

    mean_z: Float32
    estimate: Float32
    statistic: Float32
    df: tuple[float, float]
    kind: Literal["t", "F"]


def group_maps(r: Float32, test: GroupTest, voxelwise: Float32 | None = None) -> GroupMaps:
    """Fisher z of correlations, and the test of a contrast in every voxel.

    Parameters
    ----------
    r : (N, V) float32
        Of all runs; beyond a Fisher z of 4 they are clipped.
    test : GroupTest
    voxelwise : (n, V) float32, optional
        Covariate of each observation that differs between voxels.

    Returns
    -------
    GroupMaps

    Raises
    ------
    CannotCompute
        Shapes that do not fit, or no residual degree of freedom.
    """
    n = test.basis.shape[1]
    if test.pairs.min(initial=0) < 0 or test.pairs.max(initial=0) >= len(r):
        raise CannotCompute(f"the model names run {test.pairs.max(initial=0) + 1} of {len(r)}", "give every run")
    if voxelwise is not None and voxelwise.shape != (n, r.shape[1]):
        raise CannotCompute("the voxelwise covariate has another shape than the maps", "give one map per observation")
    if voxelwise is None and not test.q:
        raise CannotCompute("the voxelwise covariate is to be tested and there is none", "give it")
    df = test.residual_df(voxelwise=voxelwise is not None)
    if df < 1:
        raise CannotCompute(f"{n} observations leave no residual degree of freedom", "add runs")
    x = _ready(np.zeros((0, r.shape[1]), np.float32) if voxelwise is None else voxelwise)
    model = KernelModel(test.pairs, test.weights, test.basis, test.q, test.scale, float(df))
    values, out = _ready(r), np.empty((3, r.shape[1]), np.float32)
    split(lambda start, stop: statistics(values, x, model, out, start, stop), r.shape[1], smallest=SMALLEST)
    mean_z, estimate, statistic = out
    return GroupMaps(mean_z, estimate, statistic, (float(max(1, test.q)), float(df)), "F" if test.q > 1 else "t")


def log_p(maps: GroupMaps) -> Float32:
    """-log10 of p, uncorrected: two-sided for t, of the upper tail for F. p is never 0."""
    with np.errstate(invalid="ignore"):
        p = (
            2 * t_distribution.sf(np.abs(maps.statistic, dtype=np.float64), maps.df[1])
            if maps.kind == "t"
            else f_distribution.sf(maps.statistic.astype(np.float64), *maps.df)
        )
        return (-np.log10(np.maximum(p, LEAST_P))).astype(np.float32)


def threshold_of(p: float, df: tuple[float, float], kind: Literal["t", "F"]) -> float:
    """The statistic of an uncorrected p, two-sided for t."""
    return float(t_distribution.isf(p / 2, df[1]) if kind == "t" else f_distribution.isf(p, *df))


def _ready(array: np.ndarray) -> np.ndarray:
    return read_only(np.ascontiguousarray(array))


def compile_kernels() -> None:
    """Compile for the types that are used."""
    r = np.array([[0.1, 0.2], [0.3, 0.1], [0.2, 0.5]], np.float32)
    group_maps(r, group_test(np.ones((3, 1)), [1.0]))
