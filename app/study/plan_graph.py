"""The question of graphs made exact: group x time, groups or a score, per region and metric, and per voxel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from ..problems import Finding, Problem
from .answers import Plan
from .graph_choices import check_choices, densities_of, metrics_of, threshold_words
from .people import arm_column, arms_of, column_like, score_title
from .plan_maps import FIRST, difference
from .plan_parts import (
    SITE,
    Covariates,
    Draft,
    Setting,
    counts,
    covariates_of,
    filled,
    formula_of,
    frame_of,
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
from .words import improvement_words, listed, marked, sentence

if TYPE_CHECKING:
    import pandas as pd

    from ..models import Model
    from .asking import Ask
    from .rows import Measure, StudyRows
    from .values import Study

VOXELWISE: tuple[Measure, ...] = ("degree", "clustering")
MOTION = "fd_mean"
LEVELS = ("pooled", "interaction")
FEWEST = 2  # people of a group


class _Asked(NamedTuple):
    """What is compared: a term, its contrast, the column of groups or None, and how it is said."""

    term: str
    column: str
    contrast: str
    factor: str | None
    said: str
    score: str = ""


def plan(study: Study, ask: Ask) -> Plan:
    """Make a question on graphs exact.

    With two sessions and two groups the change is compared between groups, which is group x time; with two sessions
    alone it is related to the improvement; with one session groups are compared, or a score is related to the metric.

    Raises
    ------
    Problem
        Why it cannot be asked.
    """
    check_choices(ask)
    setting = setting_of(study, replace(ask, measure="clustering" if ask.measure == "clustering" else "degree"))
    rows, sessions = _rows(setting)
    frame, left_out = frame_of(setting, rows)
    asked = _asked(setting, frame, sessions)
    adjusted = bool(ask.baseline and len(sessions) > 1)
    voxelwise = ((FIRST, f"map_{FIRST}"),) if adjusted else ()
    covariates = _covariates(setting, frame, asked)
    terms = [asked.term, *(name for name, _ in voxelwise)]
    formula = formula_of("metric_change" if len(sessions) > 1 else "metric", terms, covariates.names)
    findings = (*left_out, *covariates.findings, *_about(setting, asked))
    draft = Draft(setting, rows, frame, formula, (asked.contrast,), voxelwise, findings, covariates)
    return _plan(draft, asked, sessions)


def _rows(setting: Setting) -> tuple[StudyRows, tuple[str, ...]]:
    """Rows of the regions' metrics, and the one or two sessions that they are of."""
    ask = setting.ask
    two = len(ask.sessions) != 1 and len(setting.sessions) > 1
    sessions = two_sessions(setting) if two else one_session(setting)
    per = ("percent" if ask.percent else "difference") if two else "person"
    where = () if not two else patients(setting)
    if ask.arm not in LEVELS:
        column = arm_column(setting.study)
        if column is None:
            raise Problem(setting.study.folder, f"has no arm {ask.arm}", "leave the arm out")
        where = (*where, (column, ask.arm))
    rows = rows_of(setting, per, sessions, where)
    rows = replace(rows, measure="regions", metrics=metrics_of(ask), densities=densities_of(ask))
    return rows, sessions


def _asked(setting: Setting, frame: pd.DataFrame, sessions: tuple[str, ...]) -> _Asked:
    """Groups where there are two, else a score."""
    kept = without(frame, setting.ask.exclude)
    factor = _factor(setting, kept)
    if factor is not None:
        return factor
    score = score_of(setting)
    title = score_title(score)
    if len(sessions) > 1:
        column, words = f"{score}_improvement", improvement_words(title, label_of(sessions[0]), label_of(sessions[1]))
    else:
        column, words = f"{score}_{label_of(sessions[0])}" if sessions else score, f"{title} (larger is more severe)"
    score_column(setting, frame, column, title)
    return _Asked(quoted(column), column, f"{title}={quoted(column)}", None, f"as a function of {words}", score)


def _factor(setting: Setting, kept: pd.DataFrame) -> _Asked | None:
    """Arms, else patients and healthy people."""
    arms = arms_of(setting.study, kept)
    if arms is not None and setting.ask.arm in LEVELS:
        sizes = {name: n for name, n in arms.people.items() if n >= FEWEST}
        if len(sizes) == 2:
            control = arms.control if arms.control in sizes else max(sizes)
            active = next(name for name in sizes if name != control)
            return _compared(arms.column, kept, active, control)
    groups = setting.groups
    if groups is not None and groups.column in kept:
        present: Any = kept[groups.column].astype(str).value_counts()
        if all(present.get(level, 0) >= FEWEST for level in (groups.patients, groups.healthy)):
            return _compared(groups.column, kept, groups.patients, groups.healthy)
    return None


def _compared(column: str, kept: pd.DataFrame, one: str, other: str) -> _Asked:
    levels = [str(level) for level in kept[column].dropna().unique()]
    name = f"{one} less {other}"
    return _Asked(quoted(column), column, f"{name}={difference(column, levels, one, other)}", column, name)


def _covariates(setting: Setting, frame: pd.DataFrame, asked: _Asked) -> Covariates:
    """Those asked for, else motion (where all runs have it), age and sex."""
    found = covariates_of(setting, frame, [asked.term], [asked.column])
    if setting.ask.covariates is not None or not _has_motion(setting):
        return found
    return Covariates((MOTION, *found.names), found.findings)


def _has_motion(setting: Setting) -> bool:
    return all(scan.confounds is not None for scan in setting.study.scans_of(kind="bold") if scan.space != "native")


def _about(setting: Setting, asked: _Asked) -> tuple[Finding, ...]:
    found: list[Finding] = []
    if not _has_motion(setting):
        message = "Not every run has its confounds: motion can be neither removed nor compared."
        found.append(Finding("motion-unknown", "confounds", None, message))
    elif not setting.ask.choices.strategy and not setting.ask.choices.preparation.columns:
        message = "No confounds are removed from the runs: choose a strategy, and compare several (multiverse)."
        found.append(Finding("no-confounds", "runs", None, message))
    if asked.factor is not None and setting.ask.arm == "interaction" and asked.score == "":
        message = "With two sessions the comparison of groups is the interaction group x time itself."
        found.append(Finding("interaction-is-asked", asked.column, None, message))
    return tuple(found)


def _site(asked: _Asked, kept: Any) -> tuple[Finding, ...]:
    """Groups that come from different sites."""
    from ...stats.trap_designs import group_is_site, site_table  # noqa: PLC0415 - SciPy

    site = column_like(kept, SITE)
    if asked.factor is None or site is None or site == asked.factor:
        return ()
    both = kept[[asked.factor, site]].dropna().astype(str)
    if both.empty:
        return ()
    table = site_table(both[asked.factor].to_numpy(), both[site].to_numpy())
    return tuple(Finding(*trap) for trap in group_is_site(f"{asked.factor} and {site}", table))


def _plan(draft: Draft, asked: _Asked, sessions: tuple[str, ...]) -> Plan:
    setting, design = draft.setting, draft.design()
    study, ask = setting.study, setting.ask
    present: Any = without(draft.frame, ask.exclude)
    kept: Any = present.iloc[design.rows].reset_index(drop=True)
    incomplete = tuple(
        Finding("subject-left-out", str(who), None, f"{who} is left out: {dropped.reason}.")
        for dropped in design.dropped
        for who in [present[PERSON].iloc[dropped.row]]
    )
    n = counts(kept, asked.factor, n_everybody(setting, draft.rows))
    metrics = listed(metrics_of(ask))
    over = f" ({label_of(sessions[1])} less {label_of(sessions[0])})" if len(sessions) > 1 else ""
    what = f"{'percent change' if ask.percent else 'change'}{over}" if over else "graphs"
    group_time = " (group x time)" if over and asked.factor else ""
    words = (
        f"{metrics} of every region of {ask.choices.atlas}, {threshold_words(ask)}, {what}, {asked.said}{group_time}"
        + (", adjusted for the first scan" if draft.voxelwise else "")
    )
    chosen = filled(setting, sessions=sessions, covariates=draft.covariates.names, score=asked.score or ask.score)
    return Plan(
        ask=replace(chosen, measure=ask_measure(ask), metrics=metrics_of(ask), densities=densities_of(ask)),
        title=marked(study, f"graphs: {what}, {asked.said.split(' (')[0]}"),
        words=marked(study, sentence(words, draft.covariates.names, n)),
        formula=draft.formula,
        models=_models(draft),
        test=asked.contrast.partition("=")[0],
        effect_name=f"{what}{' of ' + metrics if over else ''}, {asked.said}".removeprefix("graphs, "),
        unit="of the metric" if len(densities_of(ask)) < 2 else "of the metric's area under the curve over densities",
        n=n,
        findings=(*draft.findings, *incomplete, *traps_of_plan(draft, design, kept), *_site(asked, kept)),
    )


def ask_measure(ask: Ask) -> Measure:
    """Regions, or the one voxelwise measure that was asked for."""
    return "clustering" if ask.measure == "clustering" else "regions"


def _models(draft: Draft) -> tuple[Model, ...]:
    """The same question of every voxel's degree and clustering, at the density of the choices."""
    measures = ("clustering",) if draft.setting.ask.measure == "clustering" else VOXELWISE
    return tuple(_model(draft, measure) for measure in measures)


def _model(draft: Draft, measure: Measure) -> Model:
    rows = replace(draft.rows, measure=measure, metrics=(), densities=())
    if draft.voxelwise:
        first = replace(rows, per="person", sessions=rows.sessions[:1])
        rows = replace(rows, beside=((FIRST, first),))
    formula = draft.formula.replace("metric", measure, 1)
    return replace(draft.model, study=rows, formula=formula)
