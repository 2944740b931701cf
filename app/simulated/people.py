"""People of the simulated PET trial: who they are and how their depression goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .settings import Settings

PRE, POST = "ses-pre", "ses-post"
VISITS = (PRE, "ses-day4", "ses-day8", "ses-day11", POST)
PLANNED_DAYS = np.array([0, 4, 8, 11, 15])
MADRS_RANGE = (0, 60)
MADRS_MEAN, MADRS_SD = 30.0, 5.5  # before treatment
ENTRY = 20  # points that a person must have to take part
# Improvement of MADRS (Ohtani et al. 2024, doi 10.1111/pcn.13734): 2.5 (SD 5.2) with placebo, 8.1 (SD 10.0) with
# ketamine. What the drug adds is the difference, in mean and in variance.
PLACEBO = (2.5, 5.2)
KETAMINE = (8.1, 10.0)
COURSE = np.array([0.0, 0.45, 0.7, 0.9, 1.0])  # share of the improvement that is reached at each visit
VISIT_SD = 1.8  # of single visits between the first and the last
LEAVES_EARLY = 0.09
VISIT_MISSED = 0.03


class Arms(NamedTuple):
    """How many people there are."""

    ketamine: int
    placebo: int
    healthy: int


ARMS = {"small": Arms(5, 5, 12), "full": Arms(18, 16, 49)}


class Site(NamedTuple):
    """Where people are scanned.

    ``calibration`` is what a reference region removes; ``fwhm_mm`` is the mean resolution of its images.
    """

    name: str
    calibration: float
    fwhm_mm: float


TRIALS = (Site("trialA", 1.0, 6.0), Site("trialB", 0.97, 6.1))
HEALTHY_SITE = Site("trialC", 1.06, 5.9)
FWHM_SD_MM, FWHM_RANGE_MM = 0.35, (5.0, 7.0)


@dataclass(frozen=True)
class Person:
    """One simulated person.

    Attributes
    ----------
    id : str
    arm : str or None
        ``ketamine`` or ``placebo``; None for healthy people.
    age : int
        Years.
    sex : str
        F or M.
    site : Site
    fwhm_mm : float
        Resolution of the images.
    totals : tuple of int
        MADRS at each of ``VISITS``, also those that were missed; empty for healthy people.
    days : tuple of int
        Of the visits.
    missed : frozenset of str
        Visits that did not take place.
    """

    id: str
    arm: str | None
    age: int
    sex: str
    site: Site
    fwhm_mm: float
    totals: tuple[int, ...] = ()
    days: tuple[int, ...] = (0,)
    missed: frozenset[str] = frozenset()

    @property
    def group(self) -> str:
        """TRD or HC."""
        return "HC" if self.arm is None else "TRD"

    @property
    def scans(self) -> tuple[str, ...]:
        """Sessions with a scan."""
        return (PRE,) if self.arm is None or POST in self.missed else (PRE, POST)

    @property
    def improvement(self) -> int:
        """First total less last; larger is better. Known here also of those who left."""
        return self.totals[0] - self.totals[-1]


def make_people(settings: Settings) -> tuple[Person, ...]:
    """Everybody of the PET study: patients first."""
    arms = ARMS[settings.size]
    drawn = ["ketamine"] * arms.ketamine + ["placebo"] * arms.placebo
    order = settings.rng("pet", "arms").permutation(len(drawn))
    leaving = set(settings.rng("pet", "leaving").permutation(len(drawn))[: round(LEAVES_EARLY * len(drawn))].tolist())
    patients = (
        make_patient(settings, f"sub-T{k + 1:02d}", drawn[at], leaves=k in leaving) for k, at in enumerate(order)
    )
    return (*patients, *(make_healthy(settings, f"sub-H{k + 1:02d}") for k in range(arms.healthy)))


def make_healthy(settings: Settings, name: str) -> Person:
    """A person without depression."""
    return _person(settings, name, None, HEALTHY_SITE)


def make_patient(settings: Settings, name: str, arm: str, *, leaves: bool = False) -> Person:
    """A person with depression that resisted treatment, and its course under an arm of the trial."""
    rng = settings.rng("pet", name, "course")
    site = TRIALS[int(rng.integers(len(TRIALS)))]
    person = _person(settings, name, arm, site)
    totals = _course(rng, arm, settings.effect)
    days = PLANNED_DAYS + np.where(PLANNED_DAYS > 0, rng.integers(-1, 2, len(VISITS)), 0)
    missed = {visit for visit in VISITS[1:-1] if rng.random() < VISIT_MISSED}
    if leaves:
        missed |= set(VISITS[int(rng.integers(2, 5)) :])
    return Person(
        person.id, arm, person.age, person.sex, site, person.fwhm_mm, totals, tuple(days.tolist()), frozenset(missed)
    )


def _person(settings: Settings, name: str, arm: str | None, site: Site) -> Person:
    rng = settings.rng("pet", name, "person")
    age = int(np.clip(np.rint(rng.normal(43, 11)), 20, 64))
    sex = "F" if rng.random() < 0.5 else "M"
    fwhm = float(np.clip(rng.normal(site.fwhm_mm, FWHM_SD_MM), *FWHM_RANGE_MM))
    return Person(name, arm, age, sex, site, fwhm)


def _course(rng: np.random.Generator, arm: str, effect: float) -> tuple[int, ...]:
    """MADRS at each visit: everybody's own beginning and course, and what the drug adds to it."""
    first = max(rng.normal(MADRS_MEAN, MADRS_SD), ENTRY)
    by_itself, by_drug = rng.standard_normal(2)
    improvement = PLACEBO[0] + PLACEBO[1] * by_itself
    if arm == "ketamine":
        added_sd = np.sqrt(KETAMINE[1] ** 2 - PLACEBO[1] ** 2)
        improvement += effect * (KETAMINE[0] - PLACEBO[0] + added_sd * by_drug)
    between = np.array([0.0, 1.0, 1.0, 1.0, 0.0]) * VISIT_SD * rng.standard_normal(len(VISITS))
    return _whole(first - improvement * COURSE + between)


def _whole(totals: NDArray[np.float64]) -> tuple[int, ...]:
    return tuple(np.rint(totals).clip(*MADRS_RANGE).astype(int).tolist())


def expected_improvement(arm: str, effect: float) -> float:
    """Mean improvement of an arm."""
    return PLACEBO[0] + (effect * (KETAMINE[0] - PLACEBO[0]) if arm == "ketamine" else 0.0)
