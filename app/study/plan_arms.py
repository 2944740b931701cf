"""Arms of treatment in a question: whom it is about, its terms, and what may be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..problems import Finding, Problem
from .people import Arms, arm_column, arms_of
from .plan_parts import Setting, asked_of, patients, quoted, without

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 2  # people with whom an arm has no slope of its own that could be tested


class ByArm(NamedTuple):
    """Terms of improvement and arm, with the tests that they allow, the one that is asked about first."""

    terms: list[str]
    columns: list[str]
    contrasts: tuple[str, ...]
    title: str
    words: str
    effect: str
    findings: tuple[Finding, ...]


def arm_asked(setting: Setting) -> tuple[Arms | None, tuple[tuple[str, str], ...]]:
    """Arms among the patients, and whom a question is about."""
    where = patients(setting)
    frame = asked_of(setting, where)
    arms, asked = arms_of(setting.study, frame), setting.ask.arm
    if asked in {"pooled", "interaction"}:
        if asked == "interaction" and arms is None:
            raise Problem(setting.study.folder, "has no two arms", "ask without the interaction")
        return arms, where
    column = arm_column(setting.study)
    levels = [] if column is None else sorted(frame[column].dropna().astype(str).unique())
    level = next((each for each in levels if each.lower() == asked.lower()), None)
    if column is None or level is None:
        offered = ", ".join(["pooled", "interaction", *levels])
        raise Problem(setting.study.folder, f"has no arm {asked}", f"choose from {offered}")
    return Arms(column, None, {level: len(frame)}), (*where, (column, level))


def terms_by_arm(setting: Setting, frame: pd.DataFrame, column: str, arm: Arms | None) -> ByArm:
    """Terms and tests of improvement, with arms as asked.

    Raises
    ------
    Problem
        An interaction of arms that cannot be compared.
    """
    slope, asked = quoted(column), setting.ask.arm
    simple = ByArm([slope], [column], (f"improvement={slope}",), "", "", "", ())
    if arm is None:
        return simple
    if asked not in {"pooled", "interaction"}:
        level = next(iter(arm.people))
        message = (
            f"This is {level} alone. That another arm shows less, or nothing, is no difference between them: "
            f"before any wording such as 'only {level}' ask for the interaction."
        )
        finding = Finding("interaction-first", level, None, message)
        return simple._replace(title=f", {level}", words=f" in {level} alone", findings=(finding,))
    known = without(frame, setting.ask.exclude).dropna(subset=[column, arm.column])
    sizes = {str(name): int(n) for name, n in known[arm.column].astype(str).value_counts().items()}
    alone = [name for name, n in sizes.items() if n == 1]
    findings = tuple(
        Finding("arm-of-one", name, 1, f"Arm {name} has one person, who is fitted wholly and tells nothing.")
        for name in alone
    )
    if len(sizes) < 2:
        if asked == "interaction":
            raise Problem(setting.study.folder, f"has one arm only with scans and scores ({', '.join(sizes)})", "pool")
        return simple
    if asked == "pooled":
        terms = [slope, quoted(arm.column)]
        return simple._replace(
            terms=terms,
            columns=[column, arm.column],
            words=", arms pooled (one slope, a mean of each)",
            title=", arms pooled",
            findings=findings,
        )
    return _interaction(setting, arm, column, sizes, findings)


def _interaction(
    setting: Setting, arm: Arms, column: str, sizes: dict[str, int], findings: tuple[Finding, ...]
) -> ByArm:
    if min(sizes.values()) <= FEWEST or len(sizes) > 2:
        told = ", ".join(f"{name} {n}" for name, n in sizes.items())
        what = f"an interaction needs two arms of more than {FEWEST} people, and there are {told}"
        raise Problem(setting.study.folder, what, "ask for one arm, or pool them")
    control = arm.control if arm.control in sizes else max(sizes)
    active = next(name for name in sizes if name != control)
    before = f"{column}:"
    name = f"{active} less {control}"
    contrasts = [f"{name}={difference(arm.column, list(sizes), active, control, before)}"]
    base = min(sizes)
    for level in (active, control):
        more = "" if level == base else f" + {before}{arm.column}[T.{level}]"
        contrasts.append(f"{level}={quoted(column)}{more}")
    return ByArm(
        [f"{quoted(column)}*{quoted(arm.column)}"],
        [column, arm.column],
        tuple(contrasts),
        f", {name}",
        f", its slope in {active} less that in {control} (interaction)",
        f"difference ({name}) of the ",
        findings,
    )


def difference(column: str, levels: Sequence[str], one: str, other: str, before: str = "") -> str:
    """A contrast of two levels of a treatment-coded factor, as arithmetic of columns."""
    base = min(map(str, levels))
    sides = [f"{before}{column}[T.{level}]" if level != base else "" for level in (one, other)]
    if not sides[1]:
        return sides[0]
    return f"{sides[0]} - {sides[1]}" if sides[0] else f"-1*{sides[1]}"
