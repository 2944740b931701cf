"""Questions on maps made exact: severity, group, change and prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..problems import Finding, Problem
from .answers import Plan
from .people import score_title
from .plan_arms import arm_asked, difference, terms_by_arm
from .plan_parts import (
    Draft,
    Setting,
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
    from .asking import Ask
    from .rows import StudyRows
    from .values import Study

FIRST = "first"  # voxelwise covariate of an analysis of covariance
FEWEST = 2  # people of a group that can be compared


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
        if present.get(level, 0) < FEWEST:
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
    arm, where = arm_asked(setting)
    rows = rows_of(setting, "percent" if ask.percent else "difference", (first, last), where)
    frame, left_out = frame_of(setting, rows)
    score = score_of(setting)
    column, title = f"{score}_improvement", score_title(score)
    score_column(setting, frame, column, f"improvement in {title}")
    by_arm = terms_by_arm(setting, frame, column, arm)
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
    arm, where = arm_asked(setting)
    rows = rows_of(setting, "person", (first, last), where)
    frame, left_out = frame_of(setting, rows)
    score = score_of(setting)
    column, title = f"{score}_improvement", score_title(score)
    score_column(setting, frame, column, f"improvement in {title}")
    by_arm = terms_by_arm(setting, frame, column, arm)
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
