"""People of the simulated ketamine-bold study: who they are, how they move, how they fare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from .settings import Settings, Size

STUDY = "ketamine-bold"
BASELINE, DAY_3 = "ses-baseline", "ses-day3"
DAYS = {BASELINE: 0, DAY_3: 3}
ARMS = ("ketamine", "midazolam")
PEOPLE: Mapping[Size, int] = {"small": 8, "full": 43}
MISSING_SHARE = 0.07  # without the scan on day 3
RESPONSE_SPREAD = 0.4  # of the brain's response between people, where the mean is 1


class Score(NamedTuple):
    """A scale: at baseline, improvement by day 3 on midazolam, what ketamine adds to it at effect 1, in points."""

    mean: float
    sd: float
    improvement: float
    added: float
    change_sd: float
    highest: int


# Chosen so that 43 people give about the published p = .001 and p = .025 (Su et al. 2025); the points are not theirs.
SCORES = {
    "hamd17_total": Score(23.0, 4.0, 4.0, 5.5, 5.0, 52),
    "cssrs_iss": Score(3.2, 1.0, 0.6, 1.0, 1.2, 5),
}


class Patient(NamedTuple):
    """One simulated patient.

    Attributes
    ----------
    name : str
        ``sub-K01``.
    arm : str
    age : int
    sex : str
    response : float
        How much of the planted change the second scan has: 0 under midazolam.
    fwhm_mm : float
        Smoothness of the scans.
    sessions : tuple of str
        That were scanned.
    rated : tuple of str
        Sessions with scores.
    """

    name: str
    arm: str
    age: int
    sex: str
    response: float
    fwhm_mm: float
    sessions: tuple[str, ...]
    rated: tuple[str, ...]


def patients(settings: Settings) -> list[Patient]:
    """All patients of the study; the first who misses the second scan is rated all the same."""
    arms = allocation(settings)
    absent = settings.rng(STUDY, "absent").choice(len(arms), max(1, round(MISSING_SHARE * len(arms))), replace=False)
    people: list[Patient] = []
    for index, arm in enumerate(arms):
        scanned = (BASELINE,) if index in absent else (BASELINE, DAY_3)
        scored = (BASELINE, DAY_3) if index == absent[0] else scanned
        people.append(patient(settings, index + 1, arm)._replace(sessions=scanned, rated=scored))
    return people


def allocation(settings: Settings) -> list[str]:
    """Arm of each person in the order of coming: one of either arm in every two."""
    rng = settings.rng(STUDY, "allocation")
    pairs = [ARMS if rng.random() < 0.5 else ARMS[::-1] for _ in range((PEOPLE[settings.size] + 1) // 2)]
    return [arm for pair in pairs for arm in pair][: PEOPLE[settings.size]]


def patient(settings: Settings, number: int, arm: str) -> Patient:
    """One patient, the same whoever else is in the study."""
    name = f"sub-K{number:02d}"
    rng = settings.rng(STUDY, name, "traits")
    response = settings.effect * max(0.0, rng.normal(1.0, RESPONSE_SPREAD))
    return Patient(
        name=name,
        arm=arm,
        age=int(np.clip(rng.normal(38, 11), 20, 64)),
        sex="F" if rng.random() < 0.65 else "M",
        response=response if arm == "ketamine" else 0.0,
        fwhm_mm=float(rng.uniform(5.0, 8.0)),
        sessions=(BASELINE, DAY_3),
        rated=(BASELINE, DAY_3),
    )


def participants(people: list[Patient]) -> pd.DataFrame:
    """Rows of ``participants.tsv``."""
    rows = [(p.name, p.arm, p.age, p.sex) for p in people]
    return pd.DataFrame(rows, columns=["participant_id", "arm", "age", "sex"])


def ratings(settings: Settings, people: list[Patient], scale: str) -> pd.DataFrame:
    """Rows of a table of ``phenotype/``: a score per person and session, a whole number."""
    rows = [(p.name, session, value) for p in people for session, value in rated(settings, p, scale).items()]
    return pd.DataFrame(rows, columns=["participant_id", "session_id", scale])


def rated(settings: Settings, person: Patient, scale: str) -> dict[str, int]:
    """A person's scores by session."""
    score = SCORES[scale]
    rng = settings.rng(STUDY, person.name, scale)
    first = rng.normal(score.mean, score.sd)
    gained = score.improvement + (score.added * settings.effect if person.arm == "ketamine" else 0.0)
    values = {BASELINE: first, DAY_3: first - rng.normal(gained, score.change_sd)}
    return {session: int(np.clip(round(values[session]), 0, score.highest)) for session in person.rated}
