"""People of the simulated naltrexone-mrs study: two sessions of ketamine, after naltrexone and after placebo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from .settings import Settings, Size

STUDY = "naltrexone-mrs"
SESSIONS = ("ses-1", "ses-2")
CONDITIONS = {"N": "naltrexone", "P": "placebo"}
PEOPLE: Mapping[Size, int] = {"small": 10, "full": 26}
MISSING_SHARE = 0.06  # without the second session
MADRS_LIMITS = (0, 60)

BASELINE, BASELINE_SD = 29.0, 5.0  # MADRS before the first infusion
UNSPECIFIC = 4.0  # points that anybody gains in a day
BY_KETAMINE, BY_KETAMINE_SD = 9.0, 3.0  # points that ketamine adds after placebo, at effect 1
MADRS_ATTENUATION = 0.45  # share of them that naltrexone takes
MADRS_NOISE = 4.0  # of a single rating
SECOND_PERIOD = -1.0  # points; what is left of the first infusion, at effect 1


class Volunteer(NamedTuple):
    """One simulated patient.

    Attributes
    ----------
    name : str
        ``sub-N01``.
    sex : str
    age : int
    sequence : str
        ``NP`` or ``PN``.
    sessions : tuple of str
        That were attended.
    """

    name: str
    sex: str
    age: int
    sequence: str
    sessions: tuple[str, ...] = SESSIONS

    def condition(self, session: str) -> str:
        """What was given before ketamine in a session."""
        return CONDITIONS[self.sequence[SESSIONS.index(session)]]


def volunteers(settings: Settings) -> list[Volunteer]:
    """All people of the study; a few miss the second session."""
    n = PEOPLE[settings.size]
    absent = settings.rng(STUDY, "absent").choice(n, max(1, round(MISSING_SHARE * n)), replace=False)
    people = [volunteer(settings, number) for number in range(1, n + 1)]
    return [p._replace(sessions=SESSIONS[:1]) if k in absent else p for k, p in enumerate(people)]


def volunteer(settings: Settings, number: int) -> Volunteer:
    """One person, the same whoever else is in the study; sexes and sequences are balanced in every four."""
    name = f"sub-N{number:02d}"
    block, place = divmod(number - 1, 4)
    cell = int(settings.rng(STUDY, "allocation", block).permutation(4)[place])
    age = int(np.clip(settings.rng(STUDY, name, "age").normal(36, 10), 21, 60))
    return Volunteer(name, "FM"[cell % 2], age, ("NP", "PN")[cell // 2])


def participants(people: list[Volunteer]) -> pd.DataFrame:
    """Rows of ``participants.tsv``."""
    rows = [(p.name, p.sex, p.age, p.sequence) for p in people]
    return pd.DataFrame(rows, columns=["participant_id", "sex", "age", "sequence"])


def sessions(person: Volunteer) -> pd.DataFrame:
    """Rows of a person's table of sessions."""
    rows = [(name, 1 + SESSIONS.index(name), person.condition(name)) for name in person.sessions]
    return pd.DataFrame(rows, columns=["session_id", "period", "condition"])


def madrs(settings: Settings, people: list[Volunteer]) -> pd.DataFrame:
    """MADRS before and a day after each infusion, whole numbers."""
    rows = [
        (person.name, session, time, total)
        for person in people
        for session in person.sessions
        for time, total in zip(("baseline", "day1"), _totals(settings, person, session), strict=True)
    ]
    return pd.DataFrame(rows, columns=["participant_id", "session_id", "time", "madrs_total"])


def _totals(settings: Settings, person: Volunteer, session: str) -> tuple[int, int]:
    """Before and after: everybody's level and response, and what naltrexone takes from it."""
    traits, noise = settings.rng(STUDY, person.name, "madrs"), settings.rng(STUDY, person.name, session, "madrs")
    level, response = traits.normal(BASELINE, BASELINE_SD), traits.normal(BY_KETAMINE, BY_KETAMINE_SD)
    first = level + settings.effect * SECOND_PERIOD * SESSIONS.index(session)
    kept = 1 - MADRS_ATTENUATION if person.condition(session) == "naltrexone" else 1.0
    later = first - UNSPECIFIC - settings.effect * kept * response
    before, after = np.rint(np.array([first, later]) + noise.normal(0, MADRS_NOISE, 2)).clip(*MADRS_LIMITS)
    return int(before), int(after)
