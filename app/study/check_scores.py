"""What is odd about a study's scores: whose are missing, and of whom nothing else is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..io.bids_tables import listed
from ..problems import Finding
from .check_people import group_of
from .findings import finding
from .values import PERSON, SESSION, Study


def check_scores(study: Study) -> tuple[Finding, ...]:
    """All findings about scores."""
    return tuple(said for name in study.scores for said in (*_strangers(study, name), *_missing(study, name)))


def _strangers(study: Study, name: str) -> Iterator[Finding]:
    known = set(study.participants[PERSON])
    others = [str(person) for person in dict.fromkeys(study.scores[name][PERSON]) if person not in known]
    if others:
        message = f"{listed(others)} {'has' if len(others) == 1 else 'have'} scores but are not among the participants."
        yield finding("score-of-nobody", _table(study, name), others[0] if len(others) == 1 else len(others), message)


def _missing(study: Study, name: str) -> Iterator[Finding]:
    """People without a score at a session with scans, where some of their group have one."""
    frame = study.scores[name]
    columns = [str(column) for column in frame if frame[column].dtype.kind == "f" and column != "day"]
    scored = frame.dropna(subset=columns, how="all") if columns else frame
    there = set(zip(scored[PERSON], scored[SESSION], strict=True))
    group = group_of(study.participants)
    rated = {(group.get(person), session) for person, session in there}
    scans = dict.fromkeys((scan.participant, scan.session) for scan in study.scans)
    gone: dict[str, list[str]] = {}
    for person, session in scans:
        if session is not None and (group[person], session) in rated and (person, session) not in there:
            gone.setdefault(session, []).append(person)
    for session, people in gone.items():
        message = f"{listed(people)} {'has' if len(people) == 1 else 'have'} scans but no {name} score in {session}."
        yield finding("score-missing", _table(study, name), people[0] if len(people) == 1 else len(people), message)


def _table(study: Study, name: str) -> Path:
    return study.folder if study.folder.is_file() else study.folder / "phenotype" / f"{name}.tsv"
