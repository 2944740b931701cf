"""Where patients are low or high and what changes with improvement: both masks, their overlap, and its test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from ..model_fit import Fitted, Tested
from ..problems import Finding, Problem, silent
from .answers import Answered, Plan
from .map_questions import (
    Fit,
    findings_about,
    fit_of,
    fwhm_of,
    inputs_of,
    once,
    regions_of,
    simulated,
    strongest,
)
from .overlap_shuffled import Paired, Shuffled, Sizes, overlap_null
from .overlap_words import details_of, words_of
from .plan_overlap import n_of, test_of_groups
from .recounted import recounted_each
from .region_rows import ring_findings
from .result_words import caution, region_words, simulated_words
from .values import PERSON

if TYPE_CHECKING:
    import pandas as pd

Report = Callable[[float], None]
Float64 = NDArray[np.float64]
PERMUTATIONS = 1000  # where none are asked for


class Shared(NamedTuple):
    """Both models on the voxels that both have.

    Attributes
    ----------
    groups, change : (n, V)
    at_groups, at_change : (V,) int64
        Those voxels among each model's own.
    """

    groups: NDArray[Any]
    change: NDArray[Any]
    at_groups: NDArray[np.int64]
    at_change: NDArray[np.int64]


def answer(plan: Plan, report: Report = silent) -> Answered:
    """Answer the question of an overlap.

    Raises
    ------
    Problem
        As `map_questions.answer`, or the maps are on two grids.
    """
    inference = structs.replace(plan.ask.inference, permutations=0, correction="none", one_sided=False)
    groups = fit_of(plan.models[0], test_of_groups(plan), inference, lambda done: report(0.3 * done))
    change = fit_of(plan.models[1], plan.test, inference, lambda done: report(0.3 + 0.2 * done))
    plan = recounted_each(plan, (groups.fitted, change.fitted))
    plan = replace(plan, n=n_of(*plan.n_each))
    shared = _shared(groups, change)
    sizes, null = _permuted(plan, groups, change, shared, lambda done: report(0.5 + 0.4 * done))
    maps = _maps(groups, change, shared, plan.ask.thresholds)
    toward, rho = _toward_healthy(plan, groups, change, shared)
    if toward is not None:
        maps["towards_healthy"] = _volume(groups, shared.at_groups, toward)
    of_change = regions_of(plan, plan.models[1], change, lambda done: report(0.9 + 0.05 * done))
    of_groups = regions_of(plan, plan.models[0], groups, lambda done: report(0.95 + 0.05 * done))
    details = details_of(plan, sizes, null, groups.place.size_mm3, rho)
    findings = (
        *findings_about(plan, [groups, change]),
        *of_change.findings,
        *_shared_data(plan, groups, change, rho),
        *ring_findings(change.fitted, change.tested, of_change.rows, fwhm_of(plan)),
    )
    regions = region_words(plan, of_change.rows, change.tested.maps.df[1], of_change.permutations)
    return Answered(
        plan=plan,
        simulated=simulated(plan, [groups, change]),
        regions=of_change.rows,
        clusters=(*groups.clusters, *change.clusters),
        maps=maps,
        details={"overlap": details, "strongest": strongest(change), "seed": plan.ask.inference.seed},
        words=(*simulated_words(plan), plan.words, *words_of(details, toward), *regions, *caution(plan)),
        tables={"regions_groups": _table(of_groups.rows)},
        findings=once(findings),
        inputs=inputs_of([groups, change]),
    )


def _shared(groups: Fit, change: Fit) -> Shared:
    one, two = groups.place, change.place
    if one.grid != two.grid:
        raise Problem("grid", "the two maps are on different grids", "choose one with --grid")
    _, at_one, at_two = np.intersect1d(one.voxels, two.voxels, assume_unique=True, return_indices=True)
    if not at_one.size:
        raise Problem("mask", "the two maps share no voxel", "choose another mask")
    return Shared(groups.fitted.values[:, at_one], change.fitted.values[:, at_two], at_one, at_two)


def _people(fitted: Fitted) -> pd.Series:
    frame: Any = fitted.laid.table.frame
    return frame.iloc[fitted.laid.rows][PERSON].astype(str)


def _permuted(plan: Plan, groups: Fit, change: Fit, shared: Shared, report: Report) -> tuple[Sizes, NDArray[np.int64]]:
    """Sizes of the masks, and those of permuted people."""
    first, second = plan.ask.thresholds
    paired = Paired(
        _shuffled(shared.groups, groups.tested, first),
        _shuffled(shared.change, change.tested, second),
        tuple(_people(groups.fitted)),
        tuple(_people(change.fitted)),
    )
    n = plan.ask.inference.permutations or PERMUTATIONS
    return overlap_null(paired, n, plan.ask.inference.seed, report)


def _shuffled(values: NDArray[Any], tested: Tested, p: float) -> Shuffled:
    return Shuffled.of(values, tested.part.design.matrix, tested.contrast.weights, p)


def _volume(made: Fit, at: NDArray[np.int64], values: NDArray[Any]) -> tuple[Any, Any]:
    whole = np.full(made.fitted.n_elements, np.nan)
    whole[at] = values
    return made.volume(whole)


def _maps(groups: Fit, change: Fit, shared: Shared, thresholds: tuple[float, ...]) -> dict[str, Any]:
    """Both maps, their masks with three values, and the minimum statistic."""
    from scipy import special  # noqa: PLC0415 - slow to import

    from ...stats.conjunction import conjunction_p, minimum_statistic  # noqa: PLC0415

    made: dict[str, Any] = {}
    signs: list[Float64] = []
    masks: list[NDArray[np.bool_]] = []
    z: list[Float64] = []
    for name, each, at, threshold in (
        ("groups", groups, shared.at_groups, thresholds[0]),
        ("change", change, shared.at_change, thresholds[1]),
    ):
        maps = each.tested.maps
        made[f"t_{name}"] = each.volume(maps.statistic)
        made[f"effect_{name}"] = each.volume(maps.estimate)
        t, p = maps.statistic[at], maps.p[at]
        masks.append(p < threshold)
        signs.append(np.sign(t))
        z.append(-np.sign(t) * special.ndtri(np.maximum(p, 1e-300) / 2))
    for name, sign in (("low_plus", -1), ("high_minus", 1)):
        one, two = masks[0] & (signs[0] == sign), masks[1] & (signs[1] == -sign)
        made[f"overlap_{name}"] = _volume(groups, shared.at_groups, one + 2 * two)
    least = minimum_statistic(-z[0], z[1])  # positive where low meets plus, negative where high meets minus
    made["conjunction"] = _volume(groups, shared.at_groups, least)
    p = conjunction_p(*(special.ndtr(-np.abs(each)) for each in z))
    opposite = np.where(least != 0, -np.log10(np.maximum(p, 1e-300)), 0.0)
    made["neglog10-p-conjunction"] = _volume(groups, shared.at_groups, opposite)
    return made


def _toward_healthy(plan: Plan, groups: Fit, change: Fit, shared: Shared) -> tuple[Float64 | None, float | None]:
    """How much nearer the patients' mean is to the healthy mean after than before; and the sessions' correlation."""
    from ...stats.errors import CannotCompute  # noqa: PLC0415
    from ...stats.trap_designs import session_correlation  # noqa: PLC0415

    frame = groups.fitted.laid.table.frame.iloc[groups.fitted.laid.rows]
    healthy = _levels(plan)
    column = next((str(name) for name in frame.columns if set(healthy) <= set(frame[name].dropna().astype(str))), None)
    if column is None:
        return None, None
    well = (frame[column].astype(str) == healthy[1]).to_numpy(bool)
    before_of = {person: row for row, person in enumerate(_people(groups.fitted))}
    pairs = [(before_of[person], row) for row, person in enumerate(_people(change.fitted)) if person in before_of]
    if not pairs or not well.any():
        return None, None
    rows, others = (list(each) for each in zip(*pairs, strict=True))
    before, changed = shared.groups[rows].astype(np.float64), shared.change[others].astype(np.float64)
    after = before * (1 + changed / 100) if plan.ask.percent else before + changed
    normal = shared.groups[well].mean(axis=0, dtype=np.float64)
    nearer = np.abs(before.mean(axis=0) - normal) - np.abs(after.mean(axis=0) - normal)
    try:
        return nearer, session_correlation(before, after)
    except CannotCompute:
        return nearer, None


def _levels(plan: Plan) -> tuple[str, str]:
    """Patients and healthy, as the group test is named."""
    one, _, two = test_of_groups(plan).partition(" less ")
    return one, two


def _shared_data(plan: Plan, groups: Fit, change: Fit, rho: float | None) -> tuple[Finding, ...]:
    """Both maps stand on the patients' first scans; by how much that alone makes them alike."""
    from ...stats.trap_designs import coupling  # noqa: PLC0415

    if rho is None:
        return ()
    expected = round(coupling(rho) * _alike(groups, change), 2) + 0.0
    whose = "the patients" if plan.ask.arm == "pooled" else plan.ask.arm
    message = (
        f"The group map and the change of {whose} share first scans: under pure noise they correlate at {expected:.2f} "
        f"(sessions at {rho:.2f}; a difference of groups and a slope within patients weigh people differently). That "
        "they agree is no replication."
    )
    return (Finding("shared-data", "group map, change", expected, message),)


def _alike(groups: Fit, change: Fit) -> float:
    """Cosine of the people's weights in both estimates: 1 where both are the same contrast of the same people."""
    one, two = (dict(zip(_people(each.fitted), _weights(each.tested), strict=True)) for each in (groups, change))
    both = sum(weight * one.get(person, 0.0) for person, weight in two.items())
    return both / float(np.linalg.norm(list(one.values())) * np.linalg.norm(list(two.values())))


def _weights(tested: Tested) -> list[float]:
    """What each person's scan counts for in an estimate."""
    design = tested.part.design.matrix
    return (np.linalg.pinv(design).T @ tested.contrast.weights[0]).tolist()


def _table(rows: Any) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415

    return pd.DataFrame([row._asdict() for row in rows])
