"""The question of a crossover made exact: which sessions, which models, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..problems import Finding, Problem
from .answers import Plan
from .crossover_tables import CrossoverSessions, crossover_sessions, outcome_of, scores_table, with_sessions
from .plan_parts import check_excluded
from .spectra import TIME_MIN, Frame, read_fits
from .values import PERSON, Study
from .words import marked

if TYPE_CHECKING:
    from .asking import Ask

RATIOS = {"glx_tnaa": "Glx/tNAA"}
EXPLORATORY = "condition:sex"
FEW_PEOPLE = 12  # below it the exact test has little to say


def plan(study: Study, ask: Ask) -> Plan:
    """Make the question of a crossover exact.

    Raises
    ------
    Problem
        When the study has no fitted spectra, or is no crossover of two conditions in two periods.
    """
    if not study.scans_of(kind="mrs"):
        raise Problem(study.folder, "has no spectra", "ask a crossover of a study with mrs/*_svs.nii.gz")
    check_excluded(study, ask)
    sessions = crossover_sessions(study, ask.exclude)
    fits, notes = read_fits(study)
    joined: Frame = with_sessions(fits, sessions)
    if joined.empty:
        raise Problem(study.folder, "has no spectra of sessions with a condition", "look at *_sessions.tsv")
    outcome = outcome_of(fits)
    scored = scores_table(study, ask, sessions)
    sequences = joined.drop_duplicates(PERSON)["sequence"].value_counts().sort_index()
    if len(sequences) < 2:
        raise Problem(study.folder, f"has one sequence only ({sequences.index[0]})", "period and condition are one")
    left_out = len(study.participants) - joined[PERSON].nunique()
    formula = formula_of(outcome, baseline=bool((joined[TIME_MIN] < 0).any()))
    score = "" if scored is None else scored[1]
    title = f"{ratio_name(outcome)}, {sessions.conditions[1]} less {sessions.conditions[0]} (crossover)"
    return Plan(
        ask=replace(ask, score=score or ask.score, sessions=()),
        title=marked(study, title),
        words=marked(study, _words(outcome, sessions, joined[PERSON].nunique(), formula, score)),
        formula=formula,
        models=(),
        test="condition",
        effect_name=f"{sessions.conditions[1]} less {sessions.conditions[0]}",
        unit=ratio_name(outcome),
        n={**{str(name): int(count) for name, count in sequences.items()}, "excluded": left_out},
        findings=(*notes, *sessions.findings, *_about(study, ask, joined[PERSON].nunique(), score)),
    )


def formula_of(outcome: str, *, baseline: bool, sex: bool = False) -> str:
    """The mixed model of fitted spectra over time."""
    start = "baseline + " if baseline else ""
    more = " + sex + condition:sex" if sex else ""
    return (
        f"{outcome} ~ {start}condition * C(time_bin) + period + sequence{more} + (1|{PERSON}) + (1|{PERSON}:session_id)"
    )


def score_formula(score: str, times: int) -> str:
    """The mixed model of a score over the times of each session."""
    time = "time" if times == 2 else "C(time)"
    return f"{score} ~ condition * {time} + period + (1|{PERSON}) + (1|{PERSON}:session_id)"


def ratio_name(outcome: str) -> str:
    """A fitted ratio as it is written: ``Glx/tNAA``."""
    return RATIOS.get(outcome, outcome)


def _words(outcome: str, sessions: CrossoverSessions, people: int, formula: str, score: str) -> str:
    reference, other = sessions.conditions
    start = "adjusted for the session's baseline, " if "baseline" in formula else ""
    beside = f"; {score} by condition and time beside it" if score else ""
    return (
        f"{ratio_name(outcome)} of one voxel after the start of the infusion, {other} less {reference} within person, "
        f"by time bin, {start}period and sequence, with intercepts of people and sessions, in {people} people{beside}."
    )


def _about(study: Study, ask: Ask, people: int, score: str) -> tuple[Finding, ...]:
    where = study.name
    message = (
        "One voxel was measured: the answer is a table and a time course, never a brain map, and nothing is said of "
        "other places."
    )
    found = [Finding("one-voxel", where, None, message)]
    if people < FEW_PEOPLE:
        message = f"{people} people: only large differences within people can be found."
        found.append(Finding("few-people", where, people, message))
    if ask.score and not score:
        message = f"The score {ask.score} is not there by session and time: no model of it stands beside the spectra."
        found.append(Finding("score-missing", ask.score, None, message))
    return tuple(found)
