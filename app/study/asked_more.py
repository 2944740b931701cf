"""The same question under other choices: tables beside an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from msgspec.structs import replace as changed

from ..problems import Problem, silent
from .answers import Answered, Plan, RegionRow
from .told import regions_frame
from .values import Study
from .wanted import Wanted

Report = Callable[[float], None]
REFERENCES = ("white matter", "cerebellum", "whole brain")
PASSES = 0.05


def check_more(plan: Plan, wanted: Wanted) -> None:
    """Refuse what does not bear on a question, before any work is done.

    Raises
    ------
    Problem
        A multiverse of anything but graphs, reference regions of anything but PET.
    """
    ask = plan.ask
    if wanted.multiverse and ask.kind != "graph":
        raise Problem("--multiverse", f"is of graphs, not of {ask.kind}", "ask graph, or leave it out")
    measures = {ask.measure, *(model.study.measure for model in plan.models if model.study is not None)}
    if wanted.sensitivity and "pet" not in measures:
        raise Problem(
            "--sensitivity", "is to reference regions of PET, which this question has none of", "leave it out"
        )


def with_more(study: Study, answered: Answered, wanted: Wanted, report: Report = silent) -> Answered:
    """The answer with tables of what other choices would have given, where that was wished."""
    if wanted.multiverse:
        answered = _with_multiverse(study, answered, report)
    if wanted.sensitivity:
        answered = _with_references(study, answered, report)
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


def _with_references(study: Study, answered: Answered, report: Report) -> Answered:
    """The regions under other reference regions, and how many keep their direction under all of them."""
    import pandas as pd  # noqa: PLC0415 - slow to import

    from .answering import answer  # noqa: PLC0415
    from .planning import plan  # noqa: PLC0415

    ask, rows, frames = answered.plan.ask, list[tuple[RegionRow, ...]](), list[pd.DataFrame]()
    for k, reference in enumerate(REFERENCES):
        asked = changed(ask, choices=changed(ask.choices, reference=reference))
        found = answer(plan(study, asked), lambda done, k=k: report((k + done) / len(REFERENCES)))
        rows.append(found.regions)
        frame = regions_frame(found).drop(columns="note")
        frame.insert(0, "reference", reference)
        frames.append(frame)
    tables = {**answered.tables, "sensitivity": pd.concat(frames, ignore_index=True)}
    details = {**answered.details, "sensitivity": {"references": list(REFERENCES), **_kept(rows)}}
    return replace(answered, tables=tables, details=details, words=(*answered.words, _words(rows)))


def _kept(rows: list[tuple[RegionRow, ...]]) -> dict[str, int]:
    together = list(zip(*rows, strict=True))
    signs = [{row.effect > 0 for row in same} for same in together]
    return {
        "regions": len(together),
        "same_direction": sum(len(each) == 1 for each in signs),
        "p_below_05_in_all": sum(
            len(each) == 1 and all(row.p < PASSES for row in same) for each, same in zip(signs, together, strict=True)
        ),
    }


def _words(rows: list[tuple[RegionRow, ...]]) -> str:
    kept = _kept(rows)
    return (
        f"Divided by {', '.join(REFERENCES[:-1])} or {REFERENCES[-1]}, {kept['same_direction']} of {kept['regions']} "
        f"regions keep their direction, and {kept['p_below_05_in_all']} of them have an uncorrected p < .05 each time."
    )
