"""The answer to a crossover as a document and tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import crossover_models as models
from .crossover_tables import CrossoverSessions, series, time_course
from .spectra import TIME_MIN, Filtered, Frame
from .values import PERSON, SESSION

if TYPE_CHECKING:
    from ...stats.crossover import Crossover
    from ...stats.mixed import MixedFit

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


def details_of(
    outcome: str, sessions: CrossoverSessions, good: Filtered, ratio: Modelled, score: Modelled | None
) -> dict[str, Any]:
    """Fields of the JSON document beside the terms."""
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


def tables_of(
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
