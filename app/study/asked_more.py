"""The same question under other choices: tables, maps and words beside an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..problems import Problem, silent
from .answers import Answered, Plan
from .spectra import limits_of
from .values import Study
from .wanted import Wanted

Report = Callable[[float], None]


def check_more(plan: Plan, wanted: Wanted) -> None:
    """Refuse what does not bear on a question, before any work is done.

    Raises
    ------
    Problem
        A multiverse of anything but graphs, reference regions of anything but maps of PET, limits of spectra that
        there are none of.
    """
    from .sensitivity import KINDS  # noqa: PLC0415 - compiled kernels

    ask = plan.ask
    if wanted.multiverse and ask.kind != "graph":
        raise Problem("--multiverse", f"is of graphs, not of {ask.kind}", "ask graph, or leave it out")
    measures = {ask.measure, *(model.study.measure for model in plan.models if model.study is not None)}
    if wanted.sensitivity and "pet" not in measures:
        raise Problem(
            "--sensitivity", "is to reference regions of PET, which this question has none of", "leave it out"
        )
    if wanted.sensitivity and ask.kind not in KINDS:
        raise Problem("--sensitivity", f"is not of {ask.kind}", f"ask {', '.join(KINDS[:-1])} or a formula")
    limits_of(wanted.quality)


def with_more(study: Study, answered: Answered, wanted: Wanted, report: Report = silent) -> Answered:
    """The answer with tables of what other choices would have given, where that was wished."""
    if wanted.multiverse:
        answered = _with_multiverse(study, answered, report)
    if wanted.sensitivity:
        answered = _with_sensitivity(study, answered, report)
    return answered


def _with_multiverse(study: Study, answered: Answered, report: Report) -> Answered:
    from .multiverse import multiverse  # noqa: PLC0415

    found = multiverse(study, answered.plan.ask, report=report)
    tables = {**answered.tables, "multiverse": found.table, "multiverse_summary": found.summary}
    details = {**answered.details, "multiverse": found.summary.to_dict("records")}
    return replace(
        answered,
        tables=tables,
        details=details,
        words=(*answered.words, *found.words),
        findings=(*answered.findings, *found.findings),
    )


def _with_sensitivity(study: Study, answered: Answered, report: Report) -> Answered:
    """The regions and volumes under other reference regions and thresholds, and the maps of t."""
    from .sensitivity import sensitivity  # noqa: PLC0415

    found = sensitivity(study, answered.plan.ask, report=report)
    tables = {"sensitivity": found.regions, "sensitivity_thresholds": found.thresholds}
    details = {"sensitivity": {"references": list(found.answers), **found.counts}}
    return replace(
        answered,
        tables={**answered.tables, **tables},
        details={**answered.details, **details},
        maps={**answered.maps, **{f"t_{name}": values for name, values in found.maps.items()}},
        words=(*answered.words, *found.words),
        findings=(*answered.findings, *found.findings),
    )
