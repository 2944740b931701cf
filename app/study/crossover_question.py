"""The answer to a crossover: mixed models, their exact companions, time courses, and what quality filters remove."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..problems import Finding, Problem, silent
from . import crossover_models as models
from .answers import Answered, Plan, RegionRow
from .crossover_document import COUNTER_EVIDENCE, Modelled, details_of, tables_of
from .crossover_tables import (
    CrossoverSessions,
    crossover_sessions,
    outcome_of,
    scores_table,
    series,
    with_sessions,
)
from .crossover_words import words_of
from .spectra import Filtered, Frame, Limits, filtered, limits_of, read_fits
from .values import PERSON, Study

if TYPE_CHECKING:
    from pathlib import Path

    from ...stats.mixed import MixedFit

Report = Callable[[float], None]


def answer(plan: Plan, report: Report = silent, limits: Limits | None = None) -> Answered:
    """Answer a crossover from the study's folder.

    Parameters
    ----------
    plan : Plan
        Of `plan_crossover.plan`.
    report : callable, optional
    limits : Limits, optional
        Which spectra are used; the usual ones when not given.

    Raises
    ------
    Problem
        When the models cannot be fitted.
    """
    from .reading import read_study  # noqa: PLC0415 - readers of images

    return answer_study(read_study(plan.ask.study), plan, limits or limits_of(plan.ask.quality), report)


def answer_study(study: Study, plan: Plan, limits: Limits, report: Report = silent) -> Answered:
    """Answer a crossover of a study that was read."""
    sessions = crossover_sessions(study, plan.ask.exclude)
    fits, _ = read_fits(study)
    outcome = outcome_of(fits)
    spectra = with_sessions(fits, sessions).dropna(subset=[outcome])
    good = filtered(spectra, limits)
    rows = series(good.kept, outcome)
    if rows.empty:
        raise Problem(study.folder, "has no spectrum left after the start of the infusion", "loosen the filters")
    report(0.1)
    ratio, findings = _spectra_models(rows, outcome, plan, sessions)
    report(0.6)
    scored = scores_table(study, plan.ask, sessions)
    score, more = (None, ()) if scored is None else _score_models(scored, plan, sessions)
    report(0.95)
    plan = replace(plan, n=_people(study, rows))
    found = (*plan.findings, *good.findings, *_lost(spectra, good, ratio), *findings, *more)
    return Answered(
        plan=plan,
        simulated=study.simulated,
        regions=_rows(ratio),
        details=details_of(outcome, sessions, good, ratio, score),
        words=words_of(plan, sessions, ratio, score, COUNTER_EVIDENCE, simulated=study.simulated),
        tables=tables_of(good, spectra, outcome, ratio, score, scored),
        findings=tuple(dict.fromkeys(found)),
        inputs=_inputs(study),
    )


def _spectra_models(
    rows: Frame, outcome: str, plan: Plan, sessions: CrossoverSessions
) -> tuple[Modelled, tuple[Finding, ...]]:
    coded = models.spectra_outcome(rows, outcome, sessions)
    chance = plan.ask.inference
    with models.refusals(f"{outcome} by condition"):
        fit = models.mixed(coded)
    exact, told = models.attempt(
        "The exact test of spectra",
        lambda: models.companion(coded, sessions, permutations=chance.permutations, seed=chance.seed),
    )
    sex, about_sex = models.attempt("Condition x sex", lambda: models.sex_test(coded, sessions))
    sex_fit = None
    if sex is not None:
        with_sex = models.spectra_outcome(rows, outcome, sessions, sex=True)
        sex_fit, more = models.attempt("The mixed model with sex", lambda: models.mixed(with_sex))
        about_sex = (*about_sex, *more)
    return Modelled(fit, exact, sex, sex_fit), (*_traps(fit, outcome), *told, *about_sex)


def _score_models(
    scored: tuple[Frame, str], plan: Plan, sessions: CrossoverSessions
) -> tuple[Modelled | None, tuple[Finding, ...]]:
    rows, score = scored
    chance = plan.ask.inference
    fit, told = models.attempt(score, lambda: models.mixed(models.score_outcome(rows, score, sessions)))
    if fit is None:
        return None, told
    change = models.change_outcome(rows, score, sessions)
    exact, more = models.attempt(
        f"The exact test of {score}",
        lambda: models.companion(change, sessions, permutations=chance.permutations, seed=chance.seed),
    )
    sex, about_sex = models.attempt(f"Condition x sex of {score}", lambda: models.sex_test(change, sessions))
    return Modelled(fit, exact, sex), (*_traps(fit, score), *more, *about_sex)


def _traps(fit: MixedFit, where: str) -> tuple[Finding, ...]:
    return tuple(Finding(trap.code, f"{where}: {trap.where}", trap.value, trap.message) for trap in fit.traps)


def _lost(spectra: Frame, good: Filtered, ratio: Modelled) -> tuple[Finding, ...]:
    """People whom the filters take out wholly, and rows that the model could not use."""
    gone = sorted(set(spectra[PERSON]) - set(good.kept[PERSON]))
    found = [
        Finding("person-filtered", who, None, f"{who} has no spectrum that passes the filters and is left out.")
        for who in gone
    ]
    if ratio.fit.dropped:
        n = len(ratio.fit.dropped)
        message = f"{n} spectra are left out of the model: {ratio.fit.dropped[0].reason} (and the like)."
        found.append(Finding("spectra-incomplete", "spectra", n, message))
    if ratio.exact is not None:
        found += [
            Finding("exact-left-out", "exact test", None, f"{text[:1].upper()}{text[1:]}.")
            for text in ratio.exact.dropped
        ]
    return tuple(found)


def _rows(ratio: Modelled) -> tuple[RegionRow, ...]:
    rows = list(models.rows_of(ratio.fit))
    if ratio.exact is not None:
        note = f"{models.WALD_Z}; permutation of whole people p = {ratio.exact.p_permutation:.4g}"
        rows = [row._replace(note=note) if row.region == "condition" else row for row in rows]
    if ratio.sex_fit is not None:
        own = [row for row in models.rows_of(ratio.sex_fit) if row.region == "condition:sex"]
        rows += [row._replace(note=f"exploratory, of a model of its own; {row.note}") for row in own]
    return tuple(rows)


def _people(study: Study, rows: Frame) -> dict[str, int]:
    counts = rows.drop_duplicates(PERSON)["sequence"].value_counts().sort_index()
    used = rows[PERSON].nunique()
    return {**{str(name): int(n) for name, n in counts.items()}, "excluded": len(study.participants) - used}


def _inputs(study: Study) -> tuple[Path, ...]:
    scans = study.scans_of(kind="mrs")
    return tuple(path for scan in scans for path in (scan.path, scan.fits) if path is not None)
