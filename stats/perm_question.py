"""What a permutation test is asked, and the engine that can answer it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arrays import Bool, Float32, Float64, Int64, Report
from .errors import CannotCompute
from .freedman_lane import Scale, orthonormal, partition, refuse_futile, varying
from .perm_products import ByProducts, unit_residuals
from .perm_voxels import ByVoxel, voxel_designs
from .perm_welch import LEAST_DF
from .permute import Shuffling


class Measure(NamedTuple):
    """What is made of a statistic map.

    Attributes
    ----------
    name : str
    of : callable
        Takes a map (V,) float32 of what is compared (t or F; with variance groups z, or chi-square by its degrees of
        freedom; NaN where there is none), and gives an enhanced map (V,), such as TFCE, or one number, such as the size
        of the largest cluster. Called from several threads at once.
    """

    name: str
    of: Callable[[Float32], NDArray[Any] | float]


@dataclass(frozen=True, eq=False)
class Question:
    """A contrast of a linear model of every voxel, and what may be exchanged.

    Attributes
    ----------
    data : (n, V) float32 or float64
        A row for each scan; float64 is slower and for tables. NaN or constant columns have no answer: NaN.
    design : (n, p) float64
    weights : (q, p + m) float64
        Of the contrast; one row is a t test, more are an F test.
    shuffling : Shuffling
        Without `rows` the design's are used.
    two_sided : bool
        For one row of the contrast.
    voxelwise : (m, n, V) or None
        Covariates of each voxel; their columns follow those of the design.
    variance_groups : (n,) labels or None
        Groups with a variance of their own.
    searched : (V,) bool or None
        Small volume: voxels among which the largest statistic is looked for.
    measures : tuple of Measure
    """

    data: NDArray[Any]
    design: Float64
    weights: Float64
    shuffling: Shuffling
    two_sided: bool = True
    voxelwise: NDArray[Any] | None = None
    variance_groups: NDArray[Any] | None = None
    searched: Bool | None = None
    measures: tuple[Measure, ...] = ()


def checked(question: Question) -> Question:
    """The question with arrays of the dtypes that are used, and a shuffling that knows the design.

    Raises
    ------
    CannotCompute
        When shapes do not fit.
    """
    data = np.asarray(question.data)
    if data.dtype.type not in (np.float32, np.float64):
        data = data.astype(np.float64)
    design = np.asarray(question.design, np.float64)
    weights = np.atleast_2d(np.asarray(question.weights, np.float64))
    n = data.shape[0]
    extra = 0 if question.voxelwise is None else len(question.voxelwise)
    if data.ndim != 2 or design.shape[:1] != (n,) or question.shuffling.n != n:
        raise CannotCompute(
            f"{n} rows of data, {len(design)} of the design and {question.shuffling.n} to shuffle do not fit",
            "give one row for each scan",
        )
    for what, given, shape in (
        ("voxelwise covariates", question.voxelwise, (extra, *data.shape)),
        ("variance groups", question.variance_groups, (n,)),
        ("searched voxels", question.searched, data.shape[1:]),
    ):
        if given is not None and given.shape != shape:
            raise CannotCompute(f"the {what} have shape {given.shape}, not {shape}", "match the data")
    if not np.isfinite(design).all():
        raise CannotCompute("the design has values that are not finite", "leave those rows out")
    shuffling = question.shuffling
    if question.voxelwise is None:
        groups, rows = _numbered(question.variance_groups), design if shuffling.rows is None else shuffling.rows
        shuffling = replace(shuffling, rows=rows if groups is None else np.column_stack([rows, groups]))
    return replace(question, data=data, design=design, weights=weights, shuffling=shuffling)


def engine(question: Question, report: Report) -> tuple[ByProducts | ByVoxel, Scale]:
    """Matrix products for one design and one variance, else voxel by voxel; and the scale of its statistic."""
    voxelwise = question.voxelwise
    extra = 0 if voxelwise is None else len(voxelwise)
    whole = np.hstack([question.design, np.zeros((len(question.design), extra))])
    parts = partition(whole, question.weights)
    q, df = len(question.weights), len(whole) - whole.shape[1]
    groups = _numbered(question.variance_groups)
    if voxelwise is None:
        nuisance, tested = orthonormal(parts)
        refuse_futile(question.design, nuisance, question.shuffling.invariant)
        if groups is None:
            units = unit_residuals(question.data, nuisance, tested, report)
            kept = varying(nuisance, question.shuffling.invariant)
            return ByProducts(units, kept, tested, question.two_sided or q > 1), Scale("t" if q == 1 else "F", q, df)
        _refuse_groups_without_df(np.hstack([nuisance, tested]), groups)
    elif df < 1:
        raise CannotCompute(
            f"{whole.shape[1]} columns leave no degree of freedom of {len(whole)} rows",
            "use fewer columns or more observations",
        )
    if groups is not None and (np.bincount(groups) < 2).any():
        raise CannotCompute("a variance group has one row only", "join it to another, or pool the variance")
    designs = voxel_designs(question.data, parts, voxelwise, groups, q)
    name = ("t" if q == 1 else "F") if groups is None else ("v" if q == 1 else "G")
    return ByVoxel(designs, question.two_sided or q > 1, report), Scale(name, q, df)


def _refuse_groups_without_df(basis: Float64, groups: Int64) -> None:
    if np.bincount(groups, 1 - (basis * basis).sum(axis=1)).min() <= LEAST_DF:
        raise CannotCompute(
            "the design leaves no degree of freedom of a variance group", "join it to another, or pool the variance"
        )


def _numbered(labels: NDArray[Any] | None) -> Int64 | None:
    return None if labels is None else np.unique(labels, return_inverse=True)[1].reshape(-1).astype(np.int64)
