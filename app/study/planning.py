"""A question in the words of a study made exact: what is fitted to whom, and what it can show."""

from __future__ import annotations

from typing import NamedTuple, get_args

from ..problems import Problem
from . import plan_maps
from .answers import Plan
from .asking import Ask, Kind
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
    match ask.kind:
        case "severity":
            return plan_maps.severity(study, ask)
        case "group":
            return plan_maps.group(study, ask)
        case "change":
            return plan_maps.change(study, ask)
        case "prediction":
            return plan_maps.prediction(study, ask)
        case "overlap":
            from . import plan_overlap  # noqa: PLC0415

            return plan_overlap.plan(study, ask)
        case "formula":
            from . import plan_formula  # noqa: PLC0415

            return plan_formula.plan(study, ask)
        case "graph":
            from . import plan_graph  # noqa: PLC0415

            return plan_graph.plan(study, ask)
        case "crossover":
            from . import plan_crossover  # noqa: PLC0415

            return plan_crossover.plan(study, ask)


def possible_questions(study: Study) -> tuple[Possible, ...]:
    """Every kind of question, with the reason where a study cannot answer it."""
    return tuple(_possible(study, kind) for kind in get_args(Kind))


def _possible(study: Study, kind: Kind) -> Possible:
    if kind == "formula":
        return Possible(kind, possible=len(study.participants) > 0, why="" if len(study.participants) else "is empty")
    try:
        plan(study, Ask(study=str(study.folder), kind=kind))
    except Problem as refused:
        return Possible(kind, possible=False, why=f"{refused.what}; {refused.todo}")
    return Possible(kind, possible=True, why="")
