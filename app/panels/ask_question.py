"""From the asking form to a question in the words of a study, and what a study has to choose from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from msgspec.structs import replace

from ...widgets.ask_settings import AskOffer, AskSettings, Items
from ..study.asking import Ask, Kind
from ..study.graph_choices import METRICS as USUAL_METRICS
from ..study.people import arms_of, measured, score_columns, score_title, sessions_in_order
from ..study.rows import Measure
from ..study.spectra import Limits
from ..study.values import PERSON, Choices, Study
from .connectivity_show import METRICS
from .model_question import inference_of, named_columns

if TYPE_CHECKING:
    from ..study.blinding import Blinding

QUESTIONS: tuple[tuple[str, str], ...] = (
    ("severity", "Severity: what goes with how ill patients are"),
    ("group", "Groups: patients against healthy people"),
    ("change", "Change: does it go with improvement?"),
    ("overlap", "Overlap: where both of these meet"),
    ("prediction", "Prediction: does the first scan tell who improves?"),
    ("graph", "Networks: graph metrics by group and time"),
    ("crossover", "Crossover: spectra under two conditions"),
    ("formula", "Anything else, by a formula"),
)
"""In the order in which they are offered."""
MEASURES = {"pet": "PET ratio (SUVR)", "map": "images of the table", "degree": "degree", "clustering": "clustering"}
REFERENCES: Items = (
    ("", "as the study suggests"),
    ("white matter", "white matter"),
    ("cerebellum", "cerebellum"),
    ("whole brain", "whole brain"),
)
COVARIATES = {"degree": "dc", "clustering": "cc", "pet": "pet", "map": "image"}
"""Names of voxelwise covariates in a formula, by what they hold."""
STRATEGIES = ("motion6", "motion24", "motion24+wm-csf", "motion24+wm-csf+global", "acompcor5")
OF_RUNS = ("fd_mean", "mean_connectivity")
MOST_COLUMNS = 60  # that are offered as covariates
LIMITS = {
    "linewidth_hz_max": "linewidth_hz",
    "snr_min": "snr",
    "crlb_percent_max": "crlb_percent",
    "gm_fraction_min": "gm_fraction",
}
"""Limits of spectra, and the fields they stand in."""
TWO_SESSIONS = frozenset({"change", "overlap", "prediction"})


def offer_of(study: Study, atlases: Items, blinding: Blinding | None) -> AskOffer:
    """What can be asked of a study, and chosen; what is hidden is not offered."""
    from ..study.planning import possible_questions  # noqa: PLC0415 - pandas, formulaic

    found = {each.kind: "" if each.possible else each.why for each in possible_questions(study)}
    hides = blinding is not None and blinding.is_on
    measures = measured(study)
    sessions = sessions_in_order(study, measures[0]) if measures else ()
    arms = None if hides else arms_of(study)
    return AskOffer(
        questions=tuple((kind, title, found[cast("Kind", kind)]) for kind, title in QUESTIONS),
        scores=tuple((name, score_title(name)) for name in score_columns(study)),
        measures=(("", "what fits"), *((name, MEASURES[name]) for name in measures)),
        arms=() if arms is None else tuple((name, name) for name in arms.people),
        sessions=() if hides else tuple((name, name.removeprefix("ses-")) for name in sessions),
        references=REFERENCES,
        atlases=atlases,
        strategies=tuple((name, name.replace("+", " + ")) for name in STRATEGIES),
        metrics=tuple((name, name) for name in METRICS),
        voxelwise=tuple((each, each) for each in _voxelwise(measures, has_change=not hides and len(sessions) > 1)),
        has_frames=any(
            scan.kind in {"pet", "suvr"} and len(scan.shape) > 3 and scan.shape[3] > 1 for scan in study.scans
        ),
        columns=_columns(study, blinding.hidden if blinding is not None and hides else frozenset()),
    )


def _columns(study: Study, hidden: frozenset[str]) -> tuple[str, ...]:
    frame: Any = study.participants
    vary = [str(name) for name in frame.columns if str(name) != PERSON and frame[name].nunique() > 1]
    own = OF_RUNS if any(scan.kind == "bold" for scan in study.scans) else ()
    return (*[name for name in vary if name not in hidden][:MOST_COLUMNS], *own)


def _voxelwise(measures: tuple[Measure, ...], *, has_change: bool) -> list[str]:
    """Voxelwise covariates as they are written: of the first scan, and of last less first."""
    endings = ("", "_change") if has_change else ("",)
    return [f"{COVARIATES[each]}{ending} = {each}{ending}" for each in measures for ending in endings]


def first_settings(offer: AskOffer, choices: Choices) -> AskSettings:
    """What the form begins with: the first question that can be asked, and the study's own choices.

    Where none can be asked it is the first of all, which says why.
    """
    possible = [kind for kind, _, why in offer.questions if not why] or [kind for kind, _, _ in offer.questions]
    from_min, to_min = choices.window_min or (None, None)
    return AskSettings(
        kind=possible[0] if possible else "",
        metrics=USUAL_METRICS,
        reference=choices.reference or "",
        scaling=choices.scaling,
        mask=choices.mask or "",
        grid=choices.grid or "",
        from_min=from_min,
        to_min=to_min,
        strategy=choices.strategy,
        atlas=choices.atlas,
        edges=choices.edges,
        fwhm_mm=choices.fwhm_mm or choices.preparation.fwhm_mm,
    )


def ask_of(study: Study, settings: AskSettings, kept: Choices, names: dict[str, str]) -> Ask:
    """The question that the form describes.

    Parameters
    ----------
    study : Study
    settings : AskSettings
    kept : Choices
        Of the study, where the form does not say otherwise.
    names : mapping of str to str
        People by what is shown of them, while names are hidden.
    """
    of_formula = settings.kind == "formula"
    is_one_density = settings.kind == "graph" and settings.density != "auc"
    return Ask(
        study=str(study.folder),
        kind=cast("Kind", settings.kind),
        choices=choices_of(settings, kept),
        measure=cast("Measure", settings.measure) if settings.measure and settings.kind != "graph" else None,
        score=settings.score,
        covariates=settings.covariates,
        arm=settings.arm,
        percent=settings.percent,
        baseline=settings.baseline,
        variance="by-group" if settings.by_group else "pooled",
        sessions=_sessions(study, settings),
        formula=settings.formula if of_formula else "",
        contrasts=settings.contrasts if of_formula else (),
        metrics=settings.metrics if settings.kind == "graph" else (),
        voxelwise=named_columns(settings.voxelwise) if of_formula else (),
        densities=(float(settings.density),) if is_one_density else (),
        thresholds=(settings.first_p, settings.second_p),
        exclude=tuple(names.get(name, name) for part in settings.exclude.split(",") if (name := part.strip())),
        within=settings.within.strip() or None,
        quality=quality_of(settings) if settings.kind == "crossover" else (),
        inference=inference_of(settings.inference),
    )


def quality_of(settings: AskSettings) -> tuple[tuple[str, float], ...]:
    """Limits of spectra that are not the usual ones; infinity for none."""
    usual, asked = Limits(), {name: getattr(settings, own) for name, own in LIMITS.items()}
    return tuple((n, math.inf if v is None else float(v)) for n, v in asked.items() if v != getattr(usual, n))


def choices_of(settings: AskSettings, kept: Choices) -> Choices:
    """Choices of the study as the form has them."""
    said: dict[str, Any] = {
        "reference": settings.reference or None,
        "scaling": settings.scaling,
        "mask": settings.mask or None,
        "grid": settings.grid or None,
        "window_min": window_of(settings),
        "strategy": settings.strategy,
        "atlas": settings.atlas,
        "edges": settings.edges,
        "fwhm_mm": settings.fwhm_mm,
        "preparation": replace(kept.preparation, fwhm_mm=settings.fwhm_mm),
    }
    return replace(kept, **said)


def window_of(settings: AskSettings) -> tuple[float, float] | None:
    """Minutes of dynamic PET that are averaged; None for all, and for what is no window."""
    start, end = settings.from_min, settings.to_min
    return None if start is None or end is None or start >= end else (start, end)


def _sessions(study: Study, settings: AskSettings) -> tuple[str, ...]:
    """Those that are named; where two are compared and one is named, the other is the study's own."""
    first, last = settings.first, settings.last
    if settings.kind not in TWO_SESSIONS | {"graph", "formula"}:
        return (first,) if first else ()
    if settings.kind in TWO_SESSIONS and bool(first) != bool(last):
        measures = measured(study)
        known = sessions_in_order(study, settings.measure or (measures[0] if measures else None))
        if known:
            first, last = first or known[0], last or known[-1]
    return tuple(name for name in (first, last) if name)
