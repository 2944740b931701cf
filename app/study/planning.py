"""A question in the words of a study made exact: what is fitted to whom, and what it can show."""

from __future__ import annotations

from typing import NamedTuple, get_args

from ..problems import Problem
from . import plan_formula, plan_maps, plan_overlap
from .answers import Plan
from .asking import Ask, Kind
from .people import measured
from .values import Study


class Possible(NamedTuple):
    """A kind of question, whether a study can answer it, and why not."""

    kind: Kind
    possible: bool
    why: str


def plan(study: Study, ask: Ask) -> Plan:
    """Make a question exact: defaults filled, covariates chosen, model, people, words and traps.

    Nothing is computed from images: it takes no longer than reading their headers.

    Parameters
    ----------
    study : Study
    ask : Ask
        What is empty is filled by what the study has: the first score, the first and last session with scans, age and
        sex (and site, where it costs little) as covariates.

    Raises
    ------
    Problem
        Why the question cannot be answered, and what to do.
    """
    of_maps = {
        "severity": plan_maps.severity,
        "group": plan_maps.group,
        "change": plan_maps.change,
        "prediction": plan_maps.prediction,
        "overlap": plan_overlap.plan,
        "formula": plan_formula.plan,
    }
    if ask.kind in of_maps:
        return of_maps[ask.kind](study, ask)
    if ask.kind == "graph":
        from . import plan_graph  # noqa: PLC0415

        return plan_graph.plan(study, ask)
    from . import plan_crossover  # noqa: PLC0415

    return plan_crossover.plan(study, ask)


def possible_questions(study: Study) -> tuple[Possible, ...]:
    """Every kind of question, with the reason where a study cannot answer it."""
    return tuple(_possible(study, kind) for kind in get_args(Kind))


def _possible(study: Study, kind: Kind) -> Possible:
    if kind == "formula":
        able = bool(measured(study))
        return Possible(kind, possible=able, why="" if able else "has no images; ask of a study with scans")
    try:
        plan(study, Ask(study=str(study.folder), kind=kind))
    except Problem as refused:
        return Possible(kind, possible=False, why=f"{refused.what}; {refused.todo}")
    return Possible(kind, possible=True, why="")
