"""What is planted in the PET study, in the terms of single people's regions before any scanner blurs them.

Directions are those that Nakajima et al. 2026 (doi 10.1038/s41380-026-03510-w) report. Sizes, sides and places finer
than those are nobody's measurement; effects that are not reported at all are there so that each kind of question has
something to find, and say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .anatomy import Parcel
from .people import KETAMINE, MADRS_SD

FRONTAL = ("Frontal", "Precentral", "Supp_Motor", "Rectus", "OFC", "Rolandic")
PARIETAL = ("Parietal", "Postcentral", "SupraMarginal", "Angular", "Precuneus", "Paracentral")
OCCIPITAL = ("Calcarine", "Cuneus", "Lingual", "Occipital")
TEMPORAL = ("Temporal", "Heschl", "Fusiform")
CINGULATE = ("Cingulate",)
CEREBELLUM = ("Cerebelum", "Vermis")
STRIATUM = ("Caudate", "Putamen")

# Standard deviations between people and between sessions of one person, as shares of a region's uptake.
TRAIT = {"whole brain": 0.03, "smooth": 0.04, "own": 0.02}
STATE = {"whole brain": 0.01, "smooth": 0.015, "own": 0.012}
LEVEL_SD = float(np.sqrt(sum(sd**2 for sd in (*TRAIT.values(), *STATE.values()))))
CHANGE_SD = float(np.sqrt(2 * sum(sd**2 for sd in STATE.values())))

IMPROVEMENT_SD = KETAMINE[1]


@dataclass(frozen=True)
class Part:
    """One size in all parcels whose code starts with one of some words.

    Attributes
    ----------
    starts : tuple of str
    size : float
        Cohen's d, or a correlation.
    side : str
        ``L`` or ``R``; empty for both.
    reported : bool
        Whether the study that is imitated reports a finding in this direction here.
    """

    starts: tuple[str, ...]
    size: float
    side: str = ""
    reported: bool = True

    def covers(self, parcel: Parcel) -> bool:
        """Whether a parcel has it."""
        return parcel.code.startswith(self.starts) and self.side in ("", parcel.side)


@dataclass(frozen=True)
class Effect:
    """One planted effect.

    Attributes
    ----------
    name : str
    words : str
        What goes with what, in whom.
    measure : "d" or "r"
        What the sizes of its parts are.
    spread : float
        Standard deviation of the measure without the effect, as a share of uptake.
    per : str
        Unit of what it goes with.
    parts : tuple of Part
        Where several cover a parcel the last one counts.
    """

    name: str
    words: str
    measure: Literal["d", "r"]
    spread: float
    per: str
    parts: tuple[Part, ...]

    def sizes(self, parcels: Sequence[Parcel]) -> NDArray[np.float64]:
        """Cohen's d or r of each parcel, (parcels,); 0 where nothing is planted."""
        return np.array([part.size if (part := self.part(parcel)) else 0.0 for parcel in parcels])

    def slopes(self, parcels: Sequence[Parcel]) -> NDArray[np.float64]:
        """Share of uptake per unit of ``per``, (parcels,); r counts the effect itself as part of the spread."""
        sizes = self.sizes(parcels)
        return self.spread * (sizes if self.measure == "d" else sizes / np.sqrt(1 - sizes**2))

    def part(self, parcel: Parcel) -> Part | None:
        """The part that counts in a parcel."""
        return next((part for part in reversed(self.parts) if part.covers(parcel)), None)


SEVERITY = Effect(
    "severity",
    "uptake before treatment and MADRS before treatment, in patients",
    "r",
    LEVEL_SD,
    f"{MADRS_SD:g} points of MADRS",
    (Part((*FRONTAL, *PARIETAL, *OCCIPITAL), -0.45), Part(CEREBELLUM, -0.4)),
)
GROUP = Effect(
    "group",
    "uptake before treatment of patients less that of healthy people",
    "d",
    LEVEL_SD,
    "group",
    (
        Part((*FRONTAL, *PARIETAL, *OCCIPITAL, *TEMPORAL, *CINGULATE), 0.6),
        Part(("Insula_Post",), -0.8),
        Part(("Insula_Post",), -0.6, "L"),
        Part((*STRIATUM, "Pallidum"), -0.6),
        Part(CEREBELLUM, -0.5),
    ),
)
CHANGE = Effect(
    "change",
    "change of uptake and improvement of MADRS, in patients given ketamine; none in those given placebo",
    "r",
    CHANGE_SD,
    f"{IMPROVEMENT_SD:g} points of improvement",
    (
        Part((*PARIETAL, *OCCIPITAL, *CINGULATE), 0.7),
        Part(("Angular",), 0.8, "R"),
        Part(("Habenula",), -0.7),
        Part(("Habenula",), -0.8, "R"),
        Part(("Pallidum",), -0.7),
        Part(("Insula_Post",), 0.5, reported=False),
        Part(("Frontal_Med_Orb", "Rectus"), -0.5, reported=False),
    ),
)
PREDICTION = Effect(
    "prediction",
    "uptake before treatment and improvement of MADRS, in patients given ketamine; none in those given placebo",
    "r",
    LEVEL_SD,
    f"{IMPROVEMENT_SD:g} points of improvement",
    (
        Part(("Hippocampus", "ParaHippocampal"), 0.5, reported=False),
        Part(("Temporal_Mid",), 0.5, "R", reported=False),
        Part(("Thalamus", "Amygdala"), -0.5, reported=False),
    ),
)
EFFECTS = (SEVERITY, GROUP, CHANGE, PREDICTION)
