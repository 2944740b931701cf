"""Uptake of the simulated tracer in each region of each person, before any scanner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .anatomy import Anatomy, Parcel
from .effects import (
    CHANGE,
    GROUP,
    IMPROVEMENT_SD,
    PREDICTION,
    SEVERITY,
    STATE,
    STRIATUM,
    TRAIT,
)
from .people import MADRS_MEAN, MADRS_SD, POST, PRE, Person, expected_improvement
from .settings import Settings

# Ratios to white matter, by the start of a parcel's code; simulated, not anyone's measurement.
RATIOS: dict[tuple[str, ...], float] = {
    ("Frontal", "OFC", "Rectus", "Cingulate", "Insula"): 1.60,
    ("Hippocampus", "ParaHippocampal", "Amygdala"): 1.45,
    ("Calcarine", "Cuneus", "Lingual", "Occipital"): 1.50,
    STRIATUM: 1.45,
    ("Pallidum",): 1.20,
    ("Thalamus", "Habenula"): 1.40,
    ("Cerebelum", "Vermis"): 1.35,
}
CORTEX = 1.55  # elsewhere
WHITE, FLUID, SCALP = 1.0, 0.25, 0.35
AGE_SLOPE, MEAN_AGE = -0.002, 43  # of uptake in grey matter, per year
REACH_MM = 30.0  # over which differences between people fade
BOTH_SIDES = 0.5  # share of what regions have in common with their namesakes of the other side too


@dataclass(frozen=True, eq=False)
class Tracer:
    """How the tracer binds in an anatomy, in whom, with which effects planted.

    Attributes
    ----------
    settings : Settings
    parcels : tuple of Parcel
    centres_mm : (parcels, 3) float64
    """

    settings: Settings
    parcels: Sequence[Parcel]
    centres_mm: NDArray[np.float64]

    @classmethod
    def of(cls, anatomy: Anatomy, settings: Settings) -> Tracer:
        """The tracer in an anatomy."""
        return cls(settings, anatomy.parcels, anatomy.centres_mm)

    def activity(self, person: Person, session: str) -> NDArray[np.float64]:
        """Ratio to white matter in each parcel and other tissue, (parcels + 4,): see ``scanner.OTHER_TISSUE``."""
        rng = self.settings.rng
        differs = self._deviation(rng("pet", person.id, "trait"), TRAIT)
        differs += self._deviation(rng("pet", person.id, session, "state"), STATE)
        ageing = 1 + AGE_SLOPE * (person.age - MEAN_AGE)
        grey = ageing * (1 + differs + self.planted(person, session))
        return np.concatenate((self._ratios * grey, [CORTEX * ageing, WHITE, FLUID, SCALP]))

    def planted(self, person: Person, session: str) -> NDArray[np.float64]:
        """What the effects add in a session of a person, shares of uptake, (parcels,)."""
        effect = self.settings.effect
        if person.arm is None:
            return np.zeros(len(self.parcels))
        shares = GROUP.slopes(self.parcels)
        shares += SEVERITY.slopes(self.parcels) * (person.totals[0] - MADRS_MEAN) / MADRS_SD
        if person.arm == "ketamine":
            better = person.improvement - expected_improvement(person.arm, effect)
            shares += PREDICTION.slopes(self.parcels) * better / IMPROVEMENT_SD
            if session == POST:
                shares += CHANGE.slopes(self.parcels) * person.improvement / IMPROVEMENT_SD
        return effect * shares

    @cached_property
    def _ratios(self) -> NDArray[np.float64]:
        return np.array([_ratio(parcel) for parcel in self.parcels])

    def _deviation(self, rng: np.random.Generator, sd: dict[str, float]) -> NDArray[np.float64]:
        """Random differences of a person or a session: of all grey matter, of neighbourhoods, of each parcel."""
        n = len(self.parcels)
        together, near, alone = rng.standard_normal(), rng.standard_normal(n), rng.standard_normal(n)
        return sd["whole brain"] * together + sd["smooth"] * (self._neighbourhoods @ near) + sd["own"] * alone

    @cached_property
    def _neighbourhoods(self) -> NDArray[np.float64]:
        """Cholesky factor of correlations that fade with distance, to a place and to its mirror image alike."""
        folded = self.centres_mm * (-1, 1, 1)
        folded = np.where(self.centres_mm[:, :1] < 0, folded, self.centres_mm)
        fading = (1 - BOTH_SIDES) * _fading(self.centres_mm) + BOTH_SIDES * _fading(folded)
        return np.linalg.cholesky(fading + 1e-9 * np.eye(len(fading))).astype(np.float64)


def _ratio(parcel: Parcel) -> float:
    return next((ratio for starts, ratio in RATIOS.items() if parcel.code.startswith(starts)), CORTEX)


def _fading(places_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    away = np.linalg.norm(places_mm[:, np.newaxis] - places_mm, axis=-1)
    return np.exp(-away / REACH_MM)


def change_of(tracer: Tracer, person: Person) -> NDArray[np.float64]:
    """Activity after treatment less before, (parcels + 4,)."""
    return tracer.activity(person, POST) - tracer.activity(person, PRE)
