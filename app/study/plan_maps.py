"""Questions on maps made exact: severity, group, change and prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..problems import Finding, Problem
from .answers import Plan
from .people import Arms, arm_column, arms_of, score_title
from .plan_parts import (
    Draft,
    Setting,
    asked_of,
    counts,
    covariates_of,
    filled,
    formula_of,
    frame_of,
    known_in,
    n_everybody,
    one_session,
    patients,
    quoted,
    rows_of,
    score_column,
    score_of,
    setting_of,
    two_sessions,
    without,
)
from .prepare_table import label_of
from .traps_study import traps_of_plan
from .values import PERSON
from .words import improvement_words, marked, sentence

if TYPE_CHECKING:
    import pandas as pd

    from .asking import Ask
    from .rows import StudyRows
    from .values import Study

FIRST = "first"  # voxelwise covariate of an analysis of covariance
ONE_ARM = 2  # people without whom an arm has no slope of its own


class Said(NamedTuple):
    """What a plan says beside its model."""

    title: str
    words: str
    effect_name: str
    unit: str
    factor: str | None = None


def severity(study: Study, ask: Ask) -> Plan:
    """The first scan as a function of a score at that session, in patients.

    Raises
    ------
    Problem
        Why it cannot be asked.
    """
    setting = setting_of(study, ask)
    sessions = one_session(setting)
    rows = rows_of(setting, "person", sessions, patients(setting))
    frame, left_out = frame_of(setting, rows)
    score = score_of(setting)
    column = f"{score}_{label_of(sessions[0])}" if sessions else score
    title = score_title(score)
    score_column(setting, frame, column, title + (f" of {sessions[0]}" if sessions else ""))
    terms = [quoted(column)]
    covariates = covariates_of(setting, frame, terms, [column])
    formula = formula_of(setting.left, terms, covariates.names)
    draft = Draft(setting, rows, frame, formula, (f"severity={terms[0]}",), (), left_out, covariates)
    at = f" at {label_of(sessions[0])}" if sessions else ""
    said = Said(
        f"{setting.quantity}{at} and {title}",
        f"{setting.quantity}{at} as a function of {title}{at} (larger is more severe)",
        f"slope of {setting.quantity} on {title}",
        f"{setting.quantity} per point",
        None if setting.groups is None else setting.groups.column,
    )
    return plan_of(draft, said, filled(setting, score=score, sessions=sessions, covariates=covariates.names))


def group(study: Study, ask: Ask) -> Plan:
    """The first scan of patients and of healthy people.

    Raises
    ------
    Problem
        Why it cannot be asked.
    """
    setting = setting_of(study, ask)
    groups = setting.groups
    if groups is None:
        raise Problem(study.folder, "has no healthy people beside patients", "a column group with both is needed")
    sessions = one_session(setting)
    rows = rows_of(setting, "person", sessions)
    frame, left_out = frame_of(setting, rows)
    frame = known_in(frame, groups.column)
    present = without(frame, ask.exclude)[groups.column].astype(str).value_counts()
    for level in (groups.patients, groups.healthy):
        if present.get(level, 0) < ONE_ARM:
            what = f"has {present.get(level, 0)} scanned people of {groups.column} {level}"
            raise Problem(study.folder, what, "two or more of each are needed; check sessions and scans")
    terms = [quoted(groups.column)]
    covariates = covariates_of(setting, frame, terms, [groups.column])
    formula = formula_of(setting.left, terms, covariates.names)
    name = f"{groups.patients} less {groups.healthy}"
    contrast = f"{name}={difference(groups.column, list(present.index), groups.patients, groups.healthy)}"
    draft = Draft(setting, rows, frame, formula, (contrast,), (), left_out, covariates)
    at = f" at {label_of(sessions[0])}" if sessions else ""
    said = Said(
        f"{setting.quantity}{at}, {name}",
        f"{setting.quantity}{at} of {groups.patients} less that of {groups.healthy}"
        + (", variances by group" if ask.variance == "by-group" else ""),
        f"{setting.quantity}, {name}",
        setting.quantity,
        groups.column,
    )
    return plan_of(draft, said, filled(setting, sessions=sessions, covariates=covariates.names))


def change(study: Study, ask: Ask) -> Plan:
    """Last less first scan as a function of improvement, by arm as asked.

    Raises
    ------
    Problem
        Why it cannot be asked.
    """
    setting = setting_of(study, ask)
    if ask.percent and ask.baseline:
        raise Problem("percent", "and adjustment for the first scan ask for different changes", "ask for one of them")
    first, last = two_sessions(setting)
    arm, where = _arm(setting)
    rows = rows_of(setting, "percent" if ask.percent else "difference", (first, last), where)
    frame, left_out = frame_of(setting, rows)
    score = score_of(setting)
    column, title = f"{score}_improvement", score_title(score)
    score_column(setting, frame, column, f"improvement in {title}")
    by_arm = _by_arm(setting, frame, column, arm)
    voxelwise: tuple[tuple[str, str], ...] = ()
    if ask.baseline:
        beside = rows_of(setting, "person", (first,), where)
        rows = _beside(rows, FIRST, beside)
        voxelwise = ((FIRST, f"map_{FIRST}"),)
    covariates = covariates_of(setting, frame, by_arm.terms, [column, *by_arm.columns])
    terms = [*by_arm.terms, *(name for name, _ in voxelwise)]
    left = f"{setting.left}_{'percent' if ask.percent else 'change'}"
    formula = formula_of(left, terms, covariates.names)
    findings = (*left_out, *by_arm.findings)
    draft = Draft(setting, rows, frame, formula, by_arm.contrasts, voxelwise, findings, covariates)
    quantity = f"{setting.quantity} change" + (" in percent of the first scan" if ask.percent else "")
    unit = "%" if ask.percent else setting.quantity
    span = f"({label_of(last)} less {label_of(first)})"
    improved = improvement_words(title, label_of(first), label_of(last))
    ancova = ", adjusted for the first scan voxel by voxel (the same test as of the last scan so adjusted)"
    said = Said(
        f"{setting.quantity} change and improvement in {title} (larger is better){by_arm.title}",
        f"{quantity} {span} as a function of {improved}{by_arm.words}{ancova if ask.baseline else ''}",
        f"{by_arm.effect}slope of {setting.quantity} change on improvement in {title} (larger is better)",
        f"{unit} per point",
        arm.column if arm is not None else None,
    )
    chosen = filled(setting, score=score, sessions=(first, last), covariates=covariates.names)
    return plan_of(draft, said, chosen)


def prediction(study: Study, ask: Ask) -> Plan:
    """Improvement from the first scan: the map is the model turned round, whose t is the same.

    Raises
    ------
    Problem
        Why it cannot be asked.
    """
    setting = setting_of(study, ask)
    first, last = _score_sessions(setting)
    arm, where = _arm(setting)
    rows = rows_of(setting, "person", (first, last), where)
    frame, left_out = frame_of(setting, rows)
    score = score_of(setting)
    column, title = f"{score}_improvement", score_title(score)
    score_column(setting, frame, column, f"improvement in {title}")
    by_arm = _by_arm(setting, frame, column, arm)
    covariates = covariates_of(setting, frame, by_arm.terms, [column, *by_arm.columns])
    formula = formula_of(setting.left, by_arm.terms, covariates.names)
    draft = Draft(setting, rows, frame, formula, by_arm.contrasts, (), (*left_out, *by_arm.findings), covariates)
    improved = improvement_words(title, label_of(first), label_of(last))
    turned = "; at each voxel the same t as that of the scan on the improvement"
    if ask.arm == "interaction":
        turned = ""
        message = (
            "The live map fits the scan on improvement by arm, which asks a little differently; the answer fits "
            "improvement on the scan by arm."
        )
        by_arm = by_arm._replace(findings=(*by_arm.findings, Finding("turned-model", "interaction", None, message)))
    said = Said(
        f"Improvement in {title} (larger is better) by {setting.quantity} at {label_of(first)}{by_arm.title}",
        f"{improved} as a function of {setting.quantity} at {label_of(first)}{by_arm.words}{turned}",
        f"{by_arm.effect}slope of improvement in {title} (larger is better) on {setting.quantity}",
        f"points per {setting.quantity}",
        arm.column if arm is not None else None,
    )
    chosen = filled(setting, score=score, sessions=(first, last), covariates=covariates.names)
    return plan_of(draft, said, chosen)


def difference(column: str, levels: Sequence[str], one: str, other: str, before: str = "") -> str:
    """A contrast of two levels of a treatment-coded factor, as arithmetic of columns."""
    base = min(map(str, levels))
    sides = [f"{before}{column}[T.{level}]" if level != base else "" for level in (one, other)]
    if not sides[1]:
        return sides[0]
    return f"{sides[0]} - {sides[1]}" if sides[0] else f"-1*{sides[1]}"


class _ByArm(NamedTuple):
    """Terms of improvement and arm, with the tests that they allow, the one that is asked about first."""

    terms: list[str]
    columns: list[str]
    contrasts: tuple[str, ...]
    title: str
    words: str
    effect: str
    findings: tuple[Finding, ...]


def _score_sessions(setting: Setting) -> tuple[str, str]:
    """Of a prediction: the scan's session, and the last one with a score, scanned or not."""
    from .people import score_columns, sessions_in_order  # noqa: PLC0415
    from .values import SESSION  # noqa: PLC0415

    if len(setting.sessions) > 1 or len(setting.ask.sessions) > 1:
        return two_sessions(setting)
    score = score_of(setting)
    frame = setting.study.scores[score_columns(setting.study)[score]]
    there = set(frame[SESSION].dropna().astype(str)) if SESSION in frame else set[str]()
    order = [name for name in sessions_in_order(setting.study) if name in there]
    first = one_session(setting)
    if not first or not order or order[-1] == first[0]:
        raise Problem(setting.study.folder, "has scores of one session only", "an improvement needs two")
    return first[0], order[-1]


def _arm(setting: Setting) -> tuple[Arms | None, tuple[tuple[str, str], ...]]:
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


def _by_arm(setting: Setting, frame: pd.DataFrame, column: str, arm: Arms | None) -> _ByArm:
    slope, asked = quoted(column), setting.ask.arm
    simple = _ByArm([slope], [column], (f"improvement={slope}",), "", "", "", ())
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
            terms=terms, columns=[column, arm.column], words=", arms pooled", title=", arms pooled", findings=findings
        )
    return _interaction(setting, arm, column, sizes, findings)


def _interaction(
    setting: Setting, arm: Arms, column: str, sizes: dict[str, int], findings: tuple[Finding, ...]
) -> _ByArm:
    if min(sizes.values()) <= ONE_ARM or len(sizes) > 2:
        told = ", ".join(f"{name} {n}" for name, n in sizes.items())
        what = f"an interaction needs two arms of more than {ONE_ARM} people, and there are {told}"
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
    return _ByArm(
        [f"{quoted(column)}*{quoted(arm.column)}"],
        [column, arm.column],
        tuple(contrasts),
        f", {name}",
        f", its slope in {active} less that in {control} (interaction)",
        f"difference ({name}) of the ",
        findings,
    )


def _beside(rows: StudyRows, name: str, other: StudyRows) -> StudyRows:
    from msgspec.structs import replace  # noqa: PLC0415

    return replace(rows, beside=(*rows.beside, (name, other)))


def plan_of(draft: Draft, said: Said, ask: Ask) -> Plan:
    """Check the design and say everything.

    Raises
    ------
    Problem
        The design cannot be estimated, or a voxelwise covariate is given to a question that has none.
    """
    setting, design = draft.setting, draft.design()
    if ask.voxelwise and ask.kind != "formula":
        raise Problem("voxelwise", "is of questions by formula", "write the formula with the covariate's name in it")
    kept = without(draft.frame, ask.exclude).iloc[design.rows].reset_index(drop=True)
    incomplete = tuple(
        Finding("subject-left-out", str(person), None, f"{person} is left out: {dropped.reason}.")
        for dropped in design.dropped
        for person in [without(draft.frame, ask.exclude)[PERSON].iloc[dropped.row]]
    )
    n = counts(kept, said.factor, n_everybody(setting, draft.rows))
    traps = traps_of_plan(draft, design, kept)
    return Plan(
        ask=ask,
        title=marked(setting.study, said.title),
        words=marked(setting.study, sentence(said.words, draft.covariates.names, n)),
        formula=draft.formula,
        models=(draft.model,),
        test=draft.contrasts[0].partition("=")[0],
        effect_name=said.effect_name,
        unit=said.unit,
        n=n,
        findings=(*draft.findings, *draft.covariates.findings, *incomplete, *traps),
    )
