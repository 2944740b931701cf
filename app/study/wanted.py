"""What is said of a question beside its name, by options of the command and keywords of the Python call."""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec
from msgspec.structs import replace

from ..model_inference import check_inference
from ..models import Connectivity, Correction, Inference
from ..preparation import Preparation
from ..problems import Problem
from .asking import Ask, Kind
from .rows import Measure
from .values import Choices

KINDS: tuple[Kind, ...] = get_args(Kind)[:-1]
NONE = "none"  # of covariates


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `habena ask`; what is None or empty is left to the question and the study.

    Attributes
    ----------
    score, covariates, arm, percent, baseline, variance, sessions, measure, contrasts, metrics, voxelwise, thresholds
        As in `asking.Ask`.
    exclude, region
        People left out; where to look (small volume).
    density : tuple of float
        One, or several for the area under the curve.
    reference, window, fwhm, scaling, mask, grid, strategy, atlas, r, edges, weighted
        As in `values.Choices`; ``fwhm`` is of maps and of runs.
    run_fwhm, drop, detrend, band, columns, censor, brain
        Of runs, as in `Preparation`.
    permutations ... one_sided
        As in `models.Inference`.
    quality : tuple of (str, float)
        Limits of spectra, as in `asking.Ask`.
    multiverse, sensitivity : bool
        Also the table over atlases, densities and strategies; also the answer for other reference regions and
        thresholds.
    names : bool
        Files name people.
    kept : bool
        Start from the choices that the window keeps with the study.
    """

    score: str | None = None
    covariates: tuple[str, ...] | None = None
    arm: str = "pooled"
    percent: bool = False
    baseline: bool = False
    variance: Literal["pooled", "by-group"] = "pooled"
    sessions: tuple[str, ...] = ()
    measure: Measure | None = None
    contrasts: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    voxelwise: tuple[tuple[str, str], ...] = ()
    thresholds: tuple[float, float] | None = None
    exclude: tuple[str, ...] = ()
    region: str | None = None
    density: tuple[float, ...] = ()
    r: float | None = None
    edges: Literal["positive", "absolute", "signed"] | None = None
    weighted: bool = False
    atlas: str | None = None
    reference: str | None = None
    window: tuple[float, float] | None = None
    fwhm: float | None = None
    scaling: Literal["none", "global mean"] | None = None
    mask: str | None = None
    grid: str | None = None
    strategy: str | None = None
    run_fwhm: float | None = None
    drop: int | None = None
    detrend: int | None = None
    band: tuple[float, float] | None = None
    columns: tuple[str, ...] = ()
    censor: float | None = None
    brain: str | None = None
    permutations: int = 0
    seed: int = 1
    correction: Correction = "none"
    cluster_threshold: float = 0.001
    connectivity: Connectivity = 6
    tfce_h: float = 2.0
    tfce_e: float = 0.5
    one_sided: bool = False
    quality: tuple[tuple[str, float], ...] = ()
    multiverse: bool = False
    sensitivity: bool = False
    names: bool = False
    kept: bool = False


def ask_of(study: str, question: str, wanted: Wanted, choices: Choices | None = None) -> Ask:
    """The question that is asked.

    Parameters
    ----------
    study : str
        Folder.
    question : str
        A kind, or a formula.
    wanted : Wanted
    choices : Choices, optional
        What to start from.

    Raises
    ------
    Problem
        No such question, or a number that makes no sense.
    """
    kind = kind_of(question)
    _check(wanted)
    given = Ask(
        study,
        kind,
        _choices(choices or Choices(), wanted),
        formula=question if kind == "formula" else "",
        densities=wanted.density if kind == "graph" or len(wanted.density) > 1 else (),
        within=wanted.region,
        inference=_inference(wanted),
    )
    same = {
        name: getattr(wanted, name)
        for name in ("measure", "covariates", "arm", "percent", "baseline", "variance", "sessions", "contrasts")
    }
    same |= {name: getattr(wanted, name) for name in ("metrics", "voxelwise", "exclude", "quality")}
    return replace(given, score=wanted.score or "", thresholds=wanted.thresholds or given.thresholds, **same)


def kind_of(question: str) -> Kind:
    """What kind of question a word or a formula is.

    Raises
    ------
    Problem
        Neither.
    """
    if "~" in question:
        return "formula"
    for kind in KINDS:
        if question == kind:
            return kind
    raise Problem(
        "question", f"there is none named '{question}'", f"choose from {', '.join(KINDS)}, or write a formula with ~"
    )


def _inference(wanted: Wanted) -> Inference:
    made = Inference(
        wanted.permutations,
        wanted.seed,
        wanted.correction,
        wanted.cluster_threshold,
        wanted.connectivity,
        wanted.tfce_h,
        wanted.tfce_e,
        wanted.one_sided,
    )
    check_inference(made)
    return made


def _choices(start: Choices, wanted: Wanted) -> Choices:
    given: dict[str, Any] = {
        name: value
        for name in ("reference", "scaling", "mask", "grid", "strategy", "atlas", "edges")
        if (value := getattr(wanted, name)) is not None
    }
    if wanted.weighted:
        given["weighted"] = True
    if wanted.window is not None:
        given["window_min"] = wanted.window
    if wanted.fwhm is not None:
        given["fwhm_mm"] = wanted.fwhm
    if len(wanted.density) == 1:  # several are the question's, for the area under the curve
        given |= {"density": wanted.density[0], "r": None}
    if wanted.r is not None:
        given |= {"density": None, "r": wanted.r}
    return replace(start, preparation=_preparation(start.preparation, wanted), **given)


def _preparation(start: Preparation, wanted: Wanted) -> Preparation:
    told = {
        "drop": wanted.drop,
        "fwhm_mm": wanted.fwhm if wanted.run_fwhm is None else wanted.run_fwhm,
        "detrend": wanted.detrend,
        "band_hz": wanted.band,
        "columns": wanted.columns or None,
        "censor_fd_mm": wanted.censor,
        "brain": wanted.brain,
    }
    return replace(start, **{name: value for name, value in told.items() if value is not None})


def _check(wanted: Wanted) -> None:
    """Refuse numbers that make no sense, under the name of their option."""
    for option, width in (("--fwhm", wanted.fwhm), ("--run-fwhm", wanted.run_fwhm)):
        if width is not None:
            _check_width(option, width)
    for option, shares in (("--thresholds", wanted.thresholds or ()), ("--density", wanted.density)):
        wrong = [share for share in shares if not 0 < share < 1]
        if wrong:
            raise Problem(option, f"{wrong[0]:g} is out of range", "give numbers between 0 and 1")
    for option, count in (("--drop", wanted.drop), ("--detrend", wanted.detrend)):
        if count is not None and count < 0:
            raise Problem(option, f"{count} makes no sense", "give 0 or more")
    _check_together(wanted)


def _check_width(option: str, width: float) -> None:
    from ...stats.smooth import WIDEST_MM  # noqa: PLC0415 - compiled kernels

    if not 0 <= width <= WIDEST_MM:
        todo = f"give the full width at half height, 0 for none, at most {WIDEST_MM:g}"
        raise Problem(option, f"{width:g} mm makes no sense", todo)


def _check_together(wanted: Wanted) -> None:
    if wanted.density and wanted.r is not None:
        raise Problem("--r", "and --density are two ways to cut the same graph", "give one of them")
    if wanted.window is not None and not 0 <= wanted.window[0] < wanted.window[1]:
        raise Problem("--window", "does not start before it ends", "write --window 40,60 (minutes)")
    if len(wanted.sessions) > 2:
        raise Problem("--sessions", f"{len(wanted.sessions)} are named", "name one or two, such as ses-pre,ses-post")
