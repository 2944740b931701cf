"""The answer to a crossover: mixed models, their exact companions, time courses, and what quality filters remove."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..problems import Finding, Problem, silent
from . import crossover_models as models
from .answers import Answered, Plan, RegionRow
from .crossover_tables import (
    CrossoverSessions,
    crossover_sessions,
    outcome_of,
    scores_table,
    series,
    time_course,
    with_sessions,
)
from .crossover_words import words_of
from .spectra import TIME_MIN, Filtered, Frame, Limits, filtered, read_fits
from .values import PERSON, SESSION, Study

if TYPE_CHECKING:
    from pathlib import Path

    from ...stats.crossover import Crossover
    from ...stats.mixed import MixedFit

Report = Callable[[float], None]
COUNTER_EVIDENCE = (
    "Evidence against: the companion perfusion study of the same 26 people as in Jelen et al. 2025 "
    "(doi 10.1038/s41591-025-03800-w) found no significant alteration by naltrexone."
)


@dataclass(frozen=True, eq=False)
class Modelled:
    """An outcome with its models; a part that could not be computed is None.

    Attributes
    ----------
    fit : MixedFit
    exact : Crossover or None
        Of spectra about condition, of a score about condition x time.
    sex : SexTest or None
        Exploratory, exact.
    sex_fit : MixedFit or None
        The mixed model with condition x sex; of spectra only.
    """

    fit: MixedFit
    exact: Crossover | None
    sex: models.SexTest | None
    sex_fit: MixedFit | None = None


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

    return answer_study(read_study(plan.ask.study), plan, limits or Limits(), report)


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
        details=_details(outcome, sessions, good, ratio, score),
        words=words_of(plan, sessions, ratio, score, COUNTER_EVIDENCE, simulated=study.simulated),
        tables=_tables(good, spectra, outcome, ratio, score, scored),
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


def _details(
    outcome: str, sessions: CrossoverSessions, good: Filtered, ratio: Modelled, score: Modelled | None
) -> dict[str, Any]:
    details: dict[str, Any] = {
        "outcome": outcome,
        "direction": f"{sessions.conditions[1]} less {sessions.conditions[0]}",
        "tests": "terms by Wald's z and chi-squared without denominator degrees of freedom; companions exact",
        "spectra": _document(ratio),
        "filters": good.removed.to_dict("records"),
        "counter_evidence": COUNTER_EVIDENCE,
    }
    if score is not None:
        details["score"] = _document(score) | {"terms": [row._asdict() for row in models.rows_of(score.fit)]}
    return details


def _document(found: Modelled) -> dict[str, Any]:
    made: dict[str, Any] = {
        "n": found.fit.n,
        "people": found.fit.n_subjects,
        "variances": dict(found.fit.variances),
        "converged": found.fit.converged,
    }
    exact = found.exact
    if exact is not None:
        made["companion"] = {
            "treatment": models.test_document(exact.treatment),
            "period": models.test_document(exact.period),
            "p_permutation": exact.p_permutation,
            "permutations": exact.permutations,
            "exhaustive": exact.exhaustive,
            "seed": exact.seed,
            "sequences": exact.sequences,
        }
        carry_over = models.test_document(exact.carry_over) | {"detectable_d": exact.carry_over_detectable}
        made["carry_over"] = carry_over
    if found.sex is not None:
        made["sex"] = found.sex._asdict() | {"exploratory": True}
    return made


def _tables(
    good: Filtered,
    spectra: Frame,
    outcome: str,
    ratio: Modelled,
    score: Modelled | None,
    scored: tuple[Frame, str] | None,
) -> dict[str, Any]:
    """Time courses, terms, and the quality of all spectra with whether they are used."""
    import pandas as pd  # noqa: PLC0415 - slow to import

    keys = [PERSON, SESSION, TIME_MIN]
    used = pd.MultiIndex.from_frame(spectra[keys]).isin(pd.MultiIndex.from_frame(good.kept[keys]))
    tables: dict[str, Any] = {
        "time_course": time_course(_binned(good.kept, outcome), outcome, TIME_MIN),
        "filters": good.removed,
        "spectra": spectra.assign(used=used),
        "terms": _terms(ratio.fit),
    }
    if score is not None and scored is not None:
        tables["score_time_course"] = time_course(scored[0], scored[1], "time")
        tables["score_terms"] = _terms(score.fit)
    return tables


def _binned(kept: Frame, outcome: str) -> Frame:
    """All spectra with the time of their bin; those before the start together."""
    after = series(kept, outcome).assign(**{TIME_MIN: lambda rows: rows["time_bin"]})
    before = kept[kept[TIME_MIN] < 0]
    import pandas as pd  # noqa: PLC0415 - slow to import

    return pd.concat([before.assign(**{TIME_MIN: before[TIME_MIN].mean()}), after], ignore_index=True)


def _terms(fit: MixedFit) -> Any:
    import pandas as pd  # noqa: PLC0415 - slow to import

    rows = [row._asdict() for row in models.rows_of(fit)]
    table = pd.DataFrame(rows).drop(columns=["side", "atlas", "metric", "p_fwe", "ci"])
    table.insert(2, "ci_low", [row["ci"][0] for row in rows])
    table.insert(3, "ci_high", [row["ci"][1] for row in rows])
    return table.rename(columns={"region": "term"})


def _inputs(study: Study) -> tuple[Path, ...]:
    scans = study.scans_of(kind="mrs")
    return tuple(path for scan in scans for path in (scan.path, scan.fits) if path is not None)
