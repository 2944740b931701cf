"""The overlap of two maps made exact: what is low or high in patients, and what changes with improvement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..problems import Finding, Problem
from . import plan_maps
from .answers import Plan
from .words import in_all, marked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .asking import Ask
    from .values import Study

SCHEME = (
    "People are permuted whole: one order of all of them gives out the groups, and the same order the improvements "
    "among the patients, while each person keeps all scans of theirs, so that what the two maps share stays shared"
)


def plan(study: Study, ask: Ask) -> Plan:
    """Two models, of groups and of change, and the thresholds of their masks.

    Raises
    ------
    Problem
        Why one of the two cannot be asked, or thresholds that are none.
    """
    if len(ask.thresholds) != 2 or not all(0 < p < 0.5 for p in ask.thresholds):
        raise Problem("thresholds", f"{', '.join(map(str, ask.thresholds))} are no two p-values", "give 0.05,0.05")
    if ask.arm == "interaction":
        raise Problem("arm", "interaction has no map to overlap with", "pool the arms or name one")
    if ask.baseline:
        raise Problem("baseline", "has a covariate per voxel, which is not permuted with the groups", "leave it out")
    asked = replace(ask, variance="pooled")
    one = plan_maps.group(study, replace(asked, kind="group", sessions=ask.sessions[:1], percent=False))
    two = plan_maps.change(study, replace(asked, kind="change"))
    first, second = ask.thresholds
    title = f"overlap of {one.title.removeprefix('Simulated: ')} and {two.title.removeprefix('Simulated: ')}"
    words = (
        f"Where {_uncapitalised(one.words)[:-1]} (two-sided p < {first:g}), and {_uncapitalised(two.words)[:-1]} "
        f"(two-sided p < {second:g}): lower in patients and positive slope; higher in patients and negative slope. "
        "A shared mask is no test: beside it stand the minimum statistic and a permutation test of its size"
    )
    return Plan(
        ask=replace(two.ask, kind="overlap", covariates=ask.covariates),
        title=marked(study, title),
        words=marked(study, f"{words}."),
        formula=f"{one.formula} ; {two.formula}",
        models=(one.models[0], two.models[0]),
        test=two.test,
        effect_name=two.effect_name,
        unit=two.unit,
        n=n_of(one.n, two.n),
        findings=(*_together(one, two), *_pooled(ask)),
        n_each=(one.n, two.n),
    )


def n_of(groups: Mapping[str, int], change: Mapping[str, int]) -> dict[str, int]:
    """People of both maps: by group, and how many of them have a change."""
    return {**groups, "with change": in_all(change), "excluded": groups["excluded"]}


def test_of_groups(plan: Plan) -> str:
    """Name of the group test of an overlap's plan."""
    return plan.models[0].contrasts[0].partition("=")[0]


def _together(one: Plan, two: Plan) -> tuple[Finding, ...]:
    """Findings of both, those that both have once; a coupling with other maps is said of these two instead."""
    kept = {(each.code, each.where): each for each in (*two.findings, *one.findings)}
    return tuple(each for each in kept.values() if each.code != "shared-data")


def _pooled(ask: Ask) -> tuple[Finding, ...]:
    if ask.variance == "pooled":
        return ()
    message = "The masks of an overlap are of pooled variances: both maps are permuted by one statistic."
    return (Finding("overlap-pooled", "variance", None, message),)


def _uncapitalised(words: str) -> str:
    words = words.removeprefix("Simulated: ")
    return words if words[:2].isupper() else words[:1].lower() + words[1:]
