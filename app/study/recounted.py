"""Who is counted in the end: people whose scans cannot be used leave a plan when it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..model_fit import Fitted
from .answers import Plan
from .values import PERSON
from .words import in_all, people


def recounted(plan: Plan, fitted: Fitted) -> Plan:
    """A plan with the people that were fitted.

    Parameters
    ----------
    plan : Plan
        With the people whose scans are there.
    fitted : Fitted
        Of those whose scans could be used; who could not is among the findings of preparing.
    """
    n = _counted(plan.n, fitted)
    return plan if n == plan.n else replace(_with(plan, plan.n, n), n=n)


def recounted_each(plan: Plan, fitted: tuple[Fitted, ...]) -> Plan:
    """A plan whose models are of different people, with those that each was fitted to in ``n_each``."""
    counts = tuple(_counted(n, each) for n, each in zip(plan.n_each, fitted, strict=True))
    for before, after in zip(plan.n_each, counts, strict=True):
        plan = plan if after == before else _with(plan, before, after)
    return replace(plan, n_each=counts)


def _with(plan: Plan, before: Mapping[str, int], after: Mapping[str, int]) -> Plan:
    words = plan.words.replace(f"in {people(before)}", f"in {people(after)}")
    stands = tuple(finding for finding in plan.findings if finding.code != "power")  # which is of more people
    return replace(plan, words=words, findings=stands)


def _counted(n: Mapping[str, int], fitted: Fitted) -> Mapping[str, int]:
    frame = fitted.laid.table.frame.iloc[fitted.laid.rows]
    lost = in_all(n) - int(frame[PERSON].nunique())
    if lost <= 0:
        return n
    return _by_level(frame, [name for name in n if name != "excluded"]) | {"excluded": n["excluded"] + lost}


def _by_level(frame: Any, levels: list[str]) -> dict[str, int]:
    """Rows by the column that has these levels, all together where none has."""
    for column in frame:
        found = frame[column].astype(str)
        if found.isin(levels).all():
            return {level: int((found == level).sum()) for level in levels}
    return {"people": len(frame)}
