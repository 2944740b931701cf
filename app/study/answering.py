"""Planned questions answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..models import TABLE
from ..problems import silent
from .answers import Answered, Plan
from .named_source import named, renamed

Report = Callable[[float], None]


def answer(plan: Plan, report: Report = silent) -> Answered:
    """Answer a planned question.

    Parameters
    ----------
    plan : Plan
    report : callable
        Progress from 0 to 1; may raise to cancel.

    Returns
    -------
    Answered
        Every region of the named set is listed, significant or not.

    Raises
    ------
    Problem
        A file cannot be used, or the model cannot be estimated.
    """
    if not plan.models:
        return _answered(plan, report)
    source = plan.models[0].source
    with named(source):
        found = _answered(plan, report)
    return replace(found, findings=renamed(found.findings, source))


def _answered(plan: Plan, report: Report) -> Answered:
    match plan.ask.kind:
        case "overlap":
            from . import overlap  # noqa: PLC0415

            return overlap.answer(plan, report)
        case "prediction":
            from . import prediction  # noqa: PLC0415

            return prediction.answer(plan, report)
        case "graph":
            from . import graph_questions  # noqa: PLC0415

            return graph_questions.answer(plan, report)
        case "crossover":
            from . import crossover_question  # noqa: PLC0415

            return crossover_question.answer(plan, report)
        case "formula" if plan.models[0].data == TABLE:
            from . import table_question  # noqa: PLC0415

            return table_question.answer(plan, report)
        case _:
            from . import map_questions  # noqa: PLC0415

            return map_questions.answer(plan, report)
