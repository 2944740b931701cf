"""Tests of graph metrics: one linear model for every region and metric, people permuted, corrected over all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...stats.errors import CannotCompute
from ..problems import Problem, silent
from .graph_data import GraphData

if TYPE_CHECKING:
    from ...stats.contrasts import Contrast
    from ...stats.design import LinearDesign
    from ...stats.glm import TestMaps

Float64 = NDArray[np.float64]
Report = Callable[[float], None]
PERMUTATIONS = 5000
FIRST = "first"
_FACTOR = re.compile(r"(\w+|`[^`]+`)\[T\.")


class GraphTests(NamedTuple):
    """Every array is over elements, NaN where a metric does not vary.

    Attributes
    ----------
    maps : TestMaps
        Parametric.
    p_permutation : (E,) float64
        Of each alone.
    p_fwe : (E,) float64
        Over all by the largest statistic.
    q : (E,) float64
        False discovery rate of the permutation p, by Benjamini and Hochberg.
    permutations : int
        Arrangements compared, the observed one included.
    exhaustive : bool
    design : LinearDesign
        Its rows are people.
    tested : NDArray of int64
        Elements with a value.
    """

    maps: TestMaps
    p_permutation: Float64
    p_fwe: Float64
    q: Float64
    permutations: int
    exhaustive: bool
    design: LinearDesign
    tested: NDArray[np.int64]


class Asked(NamedTuple):
    """A test of the metrics: formula (its left side a label), contrast, arrangements, seed, and groups' variances."""

    formula: str
    contrast: str
    permutations: int
    seed: int
    by_group: bool = False


def graph_tests(data: GraphData, asked: Asked, report: Report = silent) -> GraphTests:
    """Fit and permute.

    Rows of people are permuted by the method of Freedman and Lane; what is compared is the statistic of each metric,
    so that covariates (and the first session, metric by metric) are accounted for.

    Raises
    ------
    Problem
        When the model cannot be estimated, or nothing varies.
    """
    from ...stats.inference import permutation_test  # noqa: PLC0415 - Numba
    from ...stats.multiple import benjamini_hochberg  # noqa: PLC0415
    from ...stats.perm_question import Question  # noqa: PLC0415
    from ...stats.permute import Shuffling  # noqa: PLC0415

    try:
        design, contrast = _design(data, asked)
        values, covariate, groups = _observations(data, design, asked)
        tested = _varying(values, asked)
        voxelwise = None if covariate is None else covariate[None, :, tested]
        maps = _parametric(values[:, tested], design, contrast, voxelwise, groups)
        shuffling = Shuffling(len(values), seed=asked.seed, n_permutations=asked.permutations or PERMUTATIONS)
        question = Question(
            values[:, tested], design.matrix, contrast.weights, shuffling, voxelwise=voxelwise, variance_groups=groups
        )
        found = permutation_test(question, report)
    except CannotCompute as refused:
        raise Problem(asked.formula, refused.what, refused.todo) from refused
    size = len(data.elements)
    p = _spread(found.p.p, tested, size)
    return GraphTests(
        maps=_spread_maps(maps, tested, size),
        p_permutation=p,
        p_fwe=_spread(found.p_fwe.p, tested, size),
        q=benjamini_hochberg(p),
        permutations=found.n_done + 1,
        exhaustive=found.exhaustive,
        design=design,
        tested=tested,
    )


def graph_parametric(data: GraphData, asked: Asked) -> tuple[TestMaps, LinearDesign]:
    """The parametric test alone, over all elements.

    Raises
    ------
    Problem
        As `graph_tests`.
    """
    try:
        design, contrast = _design(data, asked)
        values, covariate, groups = _observations(data, design, asked)
        tested = _varying(values, asked)
        voxelwise = None if covariate is None else covariate[None, :, tested]
        maps = _parametric(values[:, tested], design, contrast, voxelwise, groups)
    except CannotCompute as refused:
        raise Problem(asked.formula, refused.what, refused.todo) from refused
    return _spread_maps(maps, tested, len(data.elements)), design


def factor_of(contrast: str) -> str | None:
    """The column of groups that a contrast compares; None where it is about a slope."""
    found = _FACTOR.search(contrast)
    return None if found is None else found.group(1).strip("`")


def _design(data: GraphData, asked: Asked) -> tuple[LinearDesign, Contrast]:
    from ...stats.contrasts import contrast  # noqa: PLC0415 - formulaic
    from ...stats.design import linear_design  # noqa: PLC0415

    voxelwise = () if data.first is None else (FIRST,)
    design = linear_design(data.frame, asked.formula, voxelwise=voxelwise)
    return design, contrast(asked.contrast, design)


def _observations(
    data: GraphData, design: LinearDesign, asked: Asked
) -> tuple[Float64, Float64 | None, NDArray[np.str_] | None]:
    groups = None
    if asked.by_group:
        column = factor_of(asked.contrast)
        if column is not None:
            groups = data.frame[column].astype(str).to_numpy()[design.rows]
    first = None if data.first is None else data.first[design.rows]
    return data.values[design.rows], first, groups


def _varying(values: Float64, asked: Asked) -> NDArray[np.int64]:
    tested = np.flatnonzero(np.isfinite(values).all(axis=0) & (np.ptp(values, axis=0) > 0))
    if not tested.size:
        raise Problem(asked.formula, "no metric varies between people", "choose other metrics or densities")
    return tested


def _parametric(
    values: Float64,
    design: LinearDesign,
    contrast: Contrast,
    voxelwise: Float64 | None,
    groups: NDArray[np.str_] | None,
) -> TestMaps:
    from ...stats.glm import fit, test  # noqa: PLC0415 - Numba

    return test(fit(values, design.matrix, voxelwise, groups), contrast.weights)


def _spread(values: Float64, at: NDArray[np.int64], size: int) -> Float64:
    made = np.full(size, np.nan)
    made[at] = values
    return made


def _spread_maps(maps: TestMaps, at: NDArray[np.int64], size: int) -> TestMaps:
    spread: dict[str, Any] = {
        name: _spread(value, at, size) if isinstance(value, np.ndarray) else value
        for name, value in maps._asdict().items()
    }
    return type(maps)(**spread)
