"""A question of a study as the asking panel takes and gives it, and what a study has to choose from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .model_design import DesignPicture
from .model_settings import ModelSettings
from .numbers import NumberSpec

Items = tuple[tuple[str, str], ...]
UNCORRECTED = ModelSettings(correction="none")


@dataclass(frozen=True)
class AskSettings:
    """What the form shows.

    Attributes
    ----------
    kind : str
        Of question; empty while there is no study.
    score, measure : str
        Empty for what fits.
    covariates : tuple of str or None
        None for those that are chosen by themselves.
    arm : str
        ``pooled``, ``interaction`` or the name of one arm.
    percent, baseline, by_group : bool
    first, last : str
        Sessions; empty for the study's own.
    formula : str
    contrasts : tuple of str
    voxelwise : str
        Covariate with a value per voxel, as ``dc = degree``; empty for none.
    metrics : tuple of str
        Of graphs.
    density : str
        ``auc`` for the area under the curve, else a share of edges such as ``0.15``.
    first_p, second_p : float
        Thresholds of an overlap.
    exclude, within : str
        People who are left out, separated by commas; a region to which the search is confined.
    reference, scaling, mask, grid, strategy, atlas, edges : str
        Choices of the study.
    from_min, to_min : float or None
        Frames of dynamic PET that are averaged, minutes; None for all of a static scan.
    fwhm_mm : float
    linewidth_hz, snr, crlb_percent, gm_fraction : float or None
        Which spectra are used; None for no limit.
    inference : ModelSettings
        Of which only the inference counts.
    """

    kind: str = ""
    score: str = ""
    measure: str = ""
    covariates: tuple[str, ...] | None = None
    arm: str = "pooled"
    percent: bool = False
    baseline: bool = False
    by_group: bool = False
    first: str = ""
    last: str = ""
    formula: str = ""
    contrasts: tuple[str, ...] = ()
    voxelwise: str = ""
    metrics: tuple[str, ...] = ("degree", "clustering")
    density: str = "auc"
    first_p: float = 0.05
    second_p: float = 0.05
    exclude: str = ""
    within: str = ""
    reference: str = ""
    scaling: str = "none"
    mask: str = ""
    grid: str = ""
    from_min: float | None = None
    to_min: float | None = None
    strategy: str = ""
    atlas: str = "aal2"
    edges: str = "positive"
    fwhm_mm: float = 0.0
    linewidth_hz: float | None = 13.0
    snr: float | None = None
    crlb_percent: float | None = 20.0
    gm_fraction: float | None = None
    inference: ModelSettings = UNCORRECTED


@dataclass(frozen=True)
class AskOffer:
    """What a study has to choose from, each as (value, text).

    Attributes
    ----------
    questions : tuple of (str, str, str)
        Kind, words, and why it cannot be asked; empty where it can.
    scores, measures, arms, sessions, references, atlases, strategies, metrics
    voxelwise
        Covariates with a value per voxel.
    columns : tuple of str
        That may be covariates.
    has_frames : bool
        Whether there is dynamic PET.
    """

    questions: tuple[tuple[str, str, str], ...] = ()
    scores: Items = ()
    measures: Items = ()
    arms: Items = ()
    sessions: Items = ()
    references: Items = ()
    atlases: Items = ()
    strategies: Items = ()
    metrics: Items = ()
    voxelwise: Items = ()
    columns: tuple[str, ...] = ()
    has_frames: bool = False


@dataclass(frozen=True, eq=False)
class AskPlan:
    """A question made exact, in words.

    Attributes
    ----------
    words, formula, n, power : str
    notes : tuple of str
        Traps that apply, and who is left out.
    covariates : tuple of str or None
        That are used; None where the question has none of its own to say.
    design : DesignPicture or None
    problem : str
        Why it cannot be asked; then the rest is empty.
    """

    words: str = ""
    formula: str = ""
    n: str = ""
    power: str = ""
    notes: tuple[str, ...] = ()
    covariates: tuple[str, ...] | None = None
    design: DesignPicture | None = None
    problem: str = ""


_MAPS = ("measure", "exclude", "within", "mask", "grid", "fwhm_mm")
_CHANGE = ("score", "arm", "first", "last", *_MAPS)
FIELDS: Mapping[str, frozenset[str]] = {
    "severity": frozenset(("score", "first", "covariates", *_MAPS)),
    "group": frozenset(("first", "by_group", "covariates", *_MAPS)),
    "change": frozenset(("percent", "baseline", "covariates", *_CHANGE)),
    "overlap": frozenset(("percent", "first_p", "second_p", "covariates", *_CHANGE)),
    "prediction": frozenset(("covariates", *_CHANGE)),
    "graph": frozenset(
        ("arm", "first", "last", "percent", "covariates", "metrics", "atlas", "density", "edges", "strategy", "exclude")
    ),
    "crossover": frozenset(("score", "exclude", "linewidth_hz", "snr", "crlb_percent", "gm_fraction")),
    "formula": frozenset(("formula", "contrasts", "voxelwise", "by_group", "first", "last", *_MAPS)),
}
"""Which fields belong to a question."""

NUMBERS: Mapping[str, NumberSpec] = {
    "first_p": NumberSpec("", 1e-6, 0.49),
    "second_p": NumberSpec("", 1e-6, 0.49),
    "fwhm_mm": NumberSpec("mm", 0, 40, step=1),
    "from_min": NumberSpec("min", 0, 1440, step=5, none="all frames"),
    "to_min": NumberSpec("min", 0, 1440, step=5, none="all frames"),
    "linewidth_hz": NumberSpec("Hz", 0.1, 1000, step=1, none="any"),
    "snr": NumberSpec("", 0, 10_000, step=1, none="any"),
    "crlb_percent": NumberSpec("%", 0.1, 1000, step=1, none="any"),
    "gm_fraction": NumberSpec("", 0, 1, step=0.05, none="any"),
}


def fields_of(kind: str, *measures: str) -> frozenset[str]:
    """Fields of a question on measures: only PET has a reference region and frames, only runs confounds."""
    fields = FIELDS.get(kind, frozenset[str]())
    if "measure" not in fields:
        return fields
    own = {"pet": {"reference", "scaling", "from_min", "to_min"}, "map": {"scaling"}}
    return fields.union(*(own.get(measure, {"strategy"}) for measure in measures))


def measure_beside(voxelwise: str) -> str:
    """What a voxelwise covariate holds: ``degree`` of ``dc = degree_change``."""
    return voxelwise.partition("=")[2].strip().partition("_")[0]


@dataclass(frozen=True)
class Rows:
    """Where the fields of a form stand.

    Attributes
    ----------
    choices, numbers, checks, lines : mapping of str to (str, str)
        By field: its label and what it means.
    """

    choices: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    numbers: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    checks: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    lines: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
