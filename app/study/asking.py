"""What can be asked of a study, as frozen values."""

from __future__ import annotations

from typing import Literal

import msgspec

from ..models import Inference
from .rows import Measure
from .values import Choices

Kind = Literal["severity", "group", "change", "overlap", "prediction", "graph", "crossover", "formula"]


class Ask(msgspec.Struct, frozen=True):
    """A question in the words of a study. Empty fields are filled by what the study has; see `planning.plan`.

    Attributes
    ----------
    study : str
        Folder.
    kind : str
    choices : Choices
    measure : str or None
        None for what fits the question and the study.
    score : str
        Column of a score, such as ``madrs_total``.
    covariates : tuple of str or None
        None for the question's own (age and sex where the study has them); an empty tuple for none.
    arm : str
        ``pooled``, ``interaction``, or the name of one arm.
    percent : bool
        Change in percent of the first scan.
    baseline : bool
        ANCOVA: the last scan, adjusted for the first.
    variance : "pooled" or "by-group"
    sessions : tuple of str
        First and second, where a question compares; which one, where it does not.
    formula, contrasts
        Of kind ``formula``: as in `models.Model`.
    metrics, densities
        Of kind ``graph``.
    voxelwise : tuple of (str, str)
        Name and measure (``degree``, ``pet``) of a covariate with a value per voxel, or path of a 4D file.
    thresholds : tuple of float
        Of kind ``overlap``: uncorrected p of both maps.
    exclude : tuple of str
        People left out.
    within : str or None
        Region to which the search is confined (small volume).
    quality : tuple of (str, float)
        Of kind ``crossover``: limits of spectra other than the usual ones, by the names in `spectra.Limits`; infinity
        lifts one.
    inference : Inference
    """

    study: str
    kind: Kind
    choices: Choices = Choices()
    measure: Measure | None = None
    score: str = ""
    covariates: tuple[str, ...] | None = None
    arm: str = "pooled"
    percent: bool = False
    baseline: bool = False
    variance: Literal["pooled", "by-group"] = "pooled"
    sessions: tuple[str, ...] = ()
    formula: str = ""
    contrasts: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    densities: tuple[float, ...] = ()
    voxelwise: tuple[tuple[str, str], ...] = ()
    thresholds: tuple[float, ...] = (0.05, 0.05)
    exclude: tuple[str, ...] = ()
    within: str | None = None
    quality: tuple[tuple[str, float], ...] = ()
    inference: Inference = Inference()
