"""What is odd about a study's people and sessions: who has no scans, which arms and sites cannot be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from ..io.bids_tables import listed
from ..problems import Finding
from .findings import finding
from .reading_order import When
from .values import PERSON, SESSION, Study

if TYPE_CHECKING:
    import pandas as pd

GROUPS = ("group", "arm")
SITE = "site"
ONE = 1


def check_people(study: Study, times: tuple[When, ...]) -> tuple[Finding, ...]:
    """All findings about people and sessions."""
    table = people_table(study.folder)
    return (
        *_without_scans(study, table),
        *_of_one(study.participants, table),
        *_confounded_with_site(study.participants, table),
        *_constant(study.participants, table),
        *_missing(study.participants, table),
        *_swapped(study, times),
        *_sequence(study, table),
    )


def people_table(folder: Path) -> Path:
    """File that a finding about people is about."""
    return folder if folder.is_file() else folder / "participants.tsv"


def group_of(participants: pd.DataFrame) -> Mapping[str, str]:
    """Group of each person: whose sessions and scores are expected to be like theirs."""
    groups = participants["group"] if "group" in participants else [""] * len(participants)
    return {str(person): str(group) for person, group in zip(participants[PERSON], groups, strict=True)}


def _without_scans(study: Study, table: Path) -> Iterator[Finding]:
    scanned = {scan.participant for scan in study.scans}
    for person in study.participants[PERSON]:
        if person not in scanned:
            yield finding("participant-without-scans", table, person, f"{person} has no scans.")


def _of_one(participants: pd.DataFrame, table: Path) -> Iterator[Finding]:
    for column in (name for name in GROUPS if name in participants):
        counts = Counter(participants[column].dropna())
        for level, count in counts.items():
            if count == ONE and len(counts) > 1:
                person = str(participants.loc[participants[column] == level, PERSON].iloc[0])
                message = f"The {column} {level} has one person, {person}: it has no variance and cannot be compared."
                yield finding("arm-of-one", table, person, message)


def _confounded_with_site(participants: pd.DataFrame, table: Path) -> Iterator[Finding]:
    if SITE not in participants:
        return
    for column in (name for name in GROUPS if name in participants):
        known = participants[[column, SITE]].dropna()
        sites = {str(level): Counter(map(str, rows)) for level, rows in known.groupby(column, sort=False)[SITE]}
        for level, own in sites.items():
            elsewhere = {site for other, counts in sites.items() if other != level for site in counts}
            if len(sites) > 1 and not elsewhere & set(own):
                told = "; ".join(f"{name}: {_counted(counts)}" for name, counts in sites.items())
                message = (
                    f"Everybody of the {column} {level} comes from a site that nobody else comes from ({told}): "
                    "a difference between them may be one of scanners."
                )
                yield finding("site-confounded", table, level, message)
                break
        else:
            yield from _unbalanced(column, sites, table)


def _unbalanced(column: str, sites: Mapping[str, Counter[str]], table: Path) -> Iterator[Finding]:
    """Sites that have some of the groups or arms only."""
    everywhere = list(dict.fromkeys(site for counts in sites.values() for site in counts))
    for site in everywhere:
        without = [level for level, counts in sites.items() if site not in counts]
        if without and len(everywhere) > 1:
            told = "; ".join(f"{name}: {_counted(counts)}" for name, counts in sites.items())
            message = f"At the site {site} nobody is of the {column} {listed(without)} ({told}): adjust for the site."
            yield finding("site-unbalanced", table, site, message)


def _constant(participants: pd.DataFrame, table: Path) -> Iterator[Finding]:
    if len(participants) < 2:
        return
    for column in (str(name) for name in participants if name != PERSON):
        values = list(dict.fromkeys(participants[column].dropna()))
        if len(values) == ONE and len(participants[column].dropna()) == len(participants):
            message = f"{column} is {values[0]} for everybody: it cannot be a covariate."
            yield finding("covariate-constant", table, column, message)


def _missing(participants: pd.DataFrame, table: Path) -> Iterator[Finding]:
    """Values that are missing, unless a group as a whole has none: healthy people have no arm."""
    group = list(group_of(participants).values())
    for column in (str(name) for name in participants if name != PERSON):
        gone = [value is None or value != value for value in participants[column]]  # noqa: PLR0124 - NaN
        known = {of_group for of_group, missing in zip(group, gone, strict=True) if not missing}
        listed_people = zip(participants[PERSON], group, gone, strict=True)
        people = [
            str(person) for person, of_group, missing in listed_people if missing and (of_group in known or not known)
        ]
        if len(people) == len(participants):
            yield finding("value-missing", table, column, f"{column} is missing for everybody.")
        elif people:
            message = f"{column} is missing for {listed(people)}."
            yield finding("value-missing", table, people[0] if len(people) == ONE else len(people), message)


def _swapped(study: Study, times: tuple[When, ...]) -> Iterator[Finding]:
    """Sessions whose days, dates or periods contradict the order that they have in the study."""
    place = {session: number for number, session in enumerate(study.visits)}
    by_person: dict[tuple[str, str], dict[str, float]] = {}
    for when in (each for each in times if each.session in place):
        known = by_person.setdefault((when.person, when.source), {})
        if known.setdefault(when.session, when.value) != when.value and when.source != "acq_time":
            message = (
                f"{when.person} {when.session} has {when.source} {known[when.session]:g} in one table "
                f"and {when.value:g} in another."
            )
            yield finding("session-contradicts", study.folder, when.person, message)
    said: set[str] = set()
    for (person, source), known in by_person.items():
        ordered = sorted(known, key=lambda session: place[session])
        for first, second in pairwise(ordered):
            if known[first] > known[second] and person not in said:
                said.add(person)
                message = (
                    f"The {source} of {person}'s {first} comes after that of {second}, against the order of the "
                    "study: are the sessions swapped?"
                )
                yield finding("sessions-swapped", study.folder / person, person, message)


def _sequence(study: Study, table: Path) -> Iterator[Finding]:
    """Crossover: conditions that contradict the sequence, ``NP`` with naltrexone in the second period."""
    sessions = study.sessions
    if "sequence" not in study.participants or not {"period", "condition"} <= set(sessions):
        return
    sequences = dict(zip(study.participants[PERSON], study.participants["sequence"], strict=True))
    rows = zip(sessions[PERSON], sessions[SESSION], sessions["period"], sessions["condition"], strict=True)
    for person, session, period, condition in rows:
        sequence = sequences.get(person)
        if not isinstance(sequence, str) or not isinstance(condition, str) or not 1 <= period <= len(sequence):
            continue
        if sequence[int(period) - 1].casefold() != condition[:1].casefold():
            message = f"{person} {session} is {condition} in period {period:g}, but the sequence is {sequence}."
            yield finding("sequence-contradicts", table, person, message)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {site}" for site, count in counts.items())
