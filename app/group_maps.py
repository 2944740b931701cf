"""A test over the seed maps of several runs: which voxels are the seed, the statistics, what is to be shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..stats.arrays import unflatten
from ..stats.errors import CannotCompute
from ..stats.group_contrast import GroupTest, group_test
from ..stats.group_rows import correlations
from ..stats.group_seed import GroupMaps, group_maps, log_p
from .answers import Answer, ArrayImage
from .group_runs import Group
from .problems import Finding, Problem, silent
from .recipes import GroupMeasure, GroupModel, GroupSeedMap, MaskSeed, PointSeed
from .seeds import P_MAP, in_words, point_voxels

Report = Callable[[float], None]
Float32 = NDArray[np.float32]


def test_of(model: GroupModel) -> GroupTest:
    """A model ready for maps.

    Raises
    ------
    Problem
        A design that cannot be estimated, or a contrast that says nothing.
    """
    pairs = np.array(model.pairs, np.int64).reshape(-1, 2) if model.pairs else None
    contrast = np.array(model.contrast, np.float64).reshape(-1, len(model.columns))
    try:
        return group_test(np.array(model.design), contrast, pairs, model.combined)
    except CannotCompute as refused:
        raise Problem(model.formula, refused.what, refused.todo) from refused


def seed_rows(question: GroupSeedMap, group: Group, mask: NDArray[np.bool_] | None) -> NDArray[np.int64]:
    """Rows of the seed's voxels, (k,).

    Raises
    ------
    Problem
        When no voxel of the seed is in the mask that all runs share.
    """
    if isinstance(question.seed, PointSeed):
        voxels = point_voxels(group.grid, question.seed)
        place = f"the seed at {in_words(question.seed.at_mm)} mm"
    elif mask is not None:
        voxels, place = np.flatnonzero(mask.ravel(order="F")), "the seed region"
    else:
        raise Problem("group seed", "the seed has no place", "give coordinates, a region or a mask")
    rows = group.row_of[voxels]
    rows = rows[rows >= 0].astype(np.int64)
    if not rows.size:
        what = f"{place} is outside the brain mask that all {len(group.runs)} runs share"
        raise Problem("group seed", what, "move the seed into it")
    return rows


def maps_of(
    model: GroupModel, group: Group, rows: NDArray[np.int64], covariate: Float32 | None, report: Report = silent
) -> GroupMaps:
    """Statistics of a seed in all voxels of a group.

    Raises
    ------
    Problem
        When the seed is constant in a run, or the model does not fit the runs.
    """
    test = test_of(model)
    try:
        r = correlations(group.runs, rows, report)
        return group_maps(r, test, covariate)
    except CannotCompute as refused:
        raise Problem("group seed", refused.what, refused.todo) from refused


def group_answer(
    question: GroupSeedMap,
    group: Group,
    mask: NDArray[np.bool_] | None,
    covariate: Float32 | None,
    report: Report = silent,
) -> Answer:
    """The map that a question asks for; NaN outside the mask that all runs share."""
    rows = seed_rows(question, group, mask)
    maps = maps_of(question.model, group, rows, covariate, report)
    return Answer(
        title=f"group seed, {question.model.name}",
        image=ArrayImage(group.grid, unflatten(values_of(maps, question.measure), group.voxels, group.grid.shape)),
        statistic=statistic_name(question),
        space=group.space,
        findings=(*group.findings, *findings_of(maps)),
        notes=dict(group.notes) | model_notes(question.model) | seed_notes(question, rows.size),
        simulated=group.simulated,
    )


def values_of(maps: GroupMaps, measure: GroupMeasure) -> Float32:
    """One of the maps, (V,)."""
    match measure:
        case "statistic":
            return maps.statistic
        case "estimate":
            return maps.estimate
        case "mean r":
            return np.tanh(maps.mean_z)
        case "p":
            return log_p(maps)


def statistic_name(question: GroupSeedMap) -> str:
    """What the colours mean: statistic, degrees of freedom, number of observations, and that nothing is corrected."""
    model = question.model
    n = f"n = {len(model.design)}"
    match question.measure:
        case "statistic":
            df = f"{model.df[1]:.0f}" if model.kind == "t" else f"{model.df[0]:.0f}, {model.df[1]:.0f}"
            return f"{model.kind}({df}), {n}, uncorrected"
        case "estimate":
            return f"Fisher z, {n}"
        case "mean r":
            return f"r, mean of {len(question.runs)} runs"
        case "p":
            return f"{P_MAP}, {n}, uncorrected"


def findings_of(maps: GroupMaps) -> tuple[Finding, ...]:
    """Voxels without an answer."""
    empty = int(np.isnan(maps.statistic).sum())
    if not empty:
        return ()
    message = (
        f"{empty} voxels have no statistic: the runs do not differ there at all (as in the seed itself), or the "
        "voxelwise covariate says nothing beyond the design."
    )
    return (Finding("no-statistic", "group seed", empty, message),)


def model_notes(model: GroupModel) -> dict[str, Any]:
    """The model, for the sidecar."""
    return {
        "values": "Fisher z of Pearson r, limited to ±4; averaged as z",
        "formula": model.formula,
        "design_columns": list(model.columns),
        "design": [list(row) for row in model.design],
        "contrast": model.name,
        "contrast_weights": [list(row) for row in model.contrast],
        "pairs": [list(pair) for pair in model.pairs],
        "pairs_are": model.combined if model.pairs else "single runs",
        "n": len(model.design),
        "df": list(model.df),
        "voxelwise_covariate": f"{model.covariate}, its mean over observations removed" if model.voxelwise else None,
        "correction": "none",
    }


def seed_notes(question: GroupSeedMap, voxels: int) -> dict[str, Any]:
    """The seed, for the sidecar."""
    notes: dict[str, Any] = {"seed_voxels": voxels}
    if isinstance(question.seed, PointSeed):
        notes |= {"seed_mm": list(question.seed.at_mm), "seed_radius_mm": question.seed.radius_mm}
    if isinstance(question.seed, MaskSeed):
        notes["seed"] = "mask"
    return notes
