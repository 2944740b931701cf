"""Who is counted in the end: people whose scans cannot be used leave a plan when it is answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..model_fit import Fitted
from .answers import Plan
from .values import PERSON
from .words import people


def recounted(plan: Plan, fitted: Fitted) -> Plan:
    """A plan with the people that were fitted.

    Parameters
    ----------
    plan : Plan
        With the people whose scans are there.
    fitted : Fitted
        Of those whose scans could be used; who could not is among the findings of preparing.
    """
    frame = fitted.laid.table.frame.iloc[fitted.laid.rows]
    before = {name: count for name, count in plan.n.items() if name != "excluded"}
    lost = sum(before.values()) - int(frame[PERSON].nunique())
    if lost <= 0:
        return plan
    n = _by_level(frame, list(before)) | {"excluded": plan.n["excluded"] + lost}
    stands = tuple(finding for finding in plan.findings if finding.code != "power")  # which is of more people
    return replace(plan, n=n, words=plan.words.replace(people(plan.n), people(n)), findings=stands)


def _by_level(frame: Any, levels: list[str]) -> dict[str, int]:
    """Rows by the column that has these levels, all together where none has."""
    for column in frame:
        found = frame[column].astype(str)
        if found.isin(levels).all():
            return {level: int((found == level).sum()) for level in levels}
    return {"people": len(frame)}
