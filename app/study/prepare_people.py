"""Which scans of which people are the rows of a question, and who is left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..problems import Finding, Problem
from .prepare_space import LEFT_OUT, in_one_space, left_out
from .rows import StudyRows
from .values import PERSON, SESSION, Scan, ScanKind, Study

if TYPE_CHECKING:
    import pandas as pd

WORDS = {"pet": "PET scan", "suvr": "SUVR map", "bold": "run", "map": "map"}


@dataclass(frozen=True, eq=False)
class Row:
    """One row of a question.

    Attributes
    ----------
    participant : str
    sessions : tuple of (str or None)
        One, or the first and second of a difference.
    scans : tuple of Scan
        One for each.
    """

    participant: str
    sessions: tuple[str | None, ...]
    scans: tuple[Scan, ...]


@dataclass(frozen=True, eq=False)
class People:
    """The rows of a question.

    Attributes
    ----------
    rows : tuple of Row
    kind : str
        Of their scans.
    compared : tuple of str
        The two sessions between which scores improve: of the difference, else asked for, else the study's first and
        last with such scans; empty where there is one session.
    space : str or None
        Template that all scans are in.
    findings : tuple of Finding
    """

    rows: tuple[Row, ...]
    kind: ScanKind
    compared: tuple[str, ...]
    space: str | None
    findings: tuple[Finding, ...]


def people_of(study: Study, asked: StudyRows) -> People:
    """The rows that a question is about.

    Raises
    ------
    Problem
        The study has no such scans, sessions or columns, or nobody is left.
    """
    kind = _kind(study, asked)
    scans = [scan for scan in study.scans_of(kind=kind) if not asked.column or scan.column == asked.column]
    if not scans:
        what = f"has no image of column {asked.column}" if asked.column else f"has no {WORDS[kind]}"
        raise Problem(study.folder, what, "choose another measure, or look at what was found in the folder")
    columns = list(dict.fromkeys(scan.column for scan in scans))
    if len(columns) > 1:
        what = f"has images in several columns: {', '.join(columns)}"
        raise Problem(study.folder, what, "choose one of them")
    order = sessions_of(study, scans)
    sessions = _sessions(study, asked, order)
    wanted = _wanted(study, asked, scans)
    usable, space, findings = in_one_space([scan for scan in scans if scan.participant in set(wanted)], asked)
    rows: list[Row] = []
    for person in wanted:
        found, said = _rows_of(person, usable, asked, sessions or (None,), (kind, space))
        rows += found
        findings += said
    if not rows:
        raise Problem(study.folder, _nobody(findings), "look at who was left out and why")
    return People(tuple(rows), kind, _compared(asked, sessions, order), space, _once(findings))


def _once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Of a person who is left out only the first reason."""
    kept: dict[object, Finding] = {}
    for finding in findings:
        kept.setdefault((LEFT_OUT, finding.where) if finding.code == LEFT_OUT else finding, finding)
    return tuple(kept.values())


def _nobody(findings: Sequence[Finding]) -> str:
    return f"nobody is left: {findings[0].message.rstrip('.')}" if findings else "nobody has these values"


def _kind(study: Study, asked: StudyRows) -> ScanKind:
    """Which scans: a ratio that was given is taken as it is unless a reference region is asked for."""
    if asked.measure == "map":
        return "map"
    if asked.measure != "pet":
        return "bold"
    activity, ratio = bool(study.scans_of(kind="pet")), bool(study.scans_of(kind="suvr"))
    return "suvr" if ratio and (asked.choices.reference is None or not activity) else "pet"


def sessions_of(study: Study, scans: Iterable[Scan]) -> tuple[str, ...]:
    """Sessions that have some of the scans, in the order of their days, else of the study's tables."""
    have = dict.fromkeys(scan.session for scan in scans if scan.session is not None)
    if study.visits:
        return tuple(name for name in dict.fromkeys([*study.visits, *have]) if name in have)
    frame = study.sessions
    if SESSION not in frame.columns:
        return tuple(have)
    listed = dict.fromkeys(frame[SESSION].dropna().astype(str))
    if "day" in frame.columns and frame["day"].dtype.kind in "fi":
        day, session = frame["day"].to_numpy(float), frame[SESSION].astype(str).to_numpy()
        days = {
            name: float(np.median(known))
            for name in listed
            if (known := day[np.isfinite(day) & (session == name)]).size
        }
        listed = dict.fromkeys([*sorted(days, key=lambda name: days[name]), *listed])
    return tuple(name for name in dict.fromkeys([*listed, *have]) if name in have)


def _sessions(study: Study, asked: StudyRows, order: tuple[str, ...]) -> tuple[str, ...]:
    """Sessions of the rows: those asked for, else what the kind of rows needs."""
    unknown = [name for name in asked.sessions if name not in order]
    if unknown:
        todo = f"choose from {', '.join(order)}" if order else "leave the sessions out"
        raise Problem(study.folder, f"has no such scan of session {', '.join(unknown)}", todo)
    chosen = asked.sessions or order
    if asked.per == "scan":
        return chosen
    if asked.per == "person":
        return chosen[:1]
    if len(chosen) < 2:
        raise Problem(study.folder, "has scans of one session only, and a difference needs two", "ask about one scan")
    return chosen[0], chosen[1] if asked.sessions else chosen[-1]


def _compared(asked: StudyRows, sessions: tuple[str, ...], order: tuple[str, ...]) -> tuple[str, ...]:
    if len(sessions) == 2 and (asked.per != "scan" or asked.sessions):
        return sessions
    chosen = asked.sessions if len(asked.sessions) > 1 else order
    return (chosen[0], chosen[-1]) if len(chosen) > 1 else ()


def _wanted(study: Study, asked: StudyRows, scans: Sequence[Scan]) -> list[str]:
    """People with the values asked for; per scan only those with scans: the study says already who has none."""
    frame = study.participants
    kept = np.ones(len(frame), bool)
    for column, value in asked.where:
        kept &= np.array([str(each) == value for each in _column(study, frame, column)])
    people = list(dict.fromkeys(frame[PERSON].astype(str).to_numpy()[kept].tolist()))
    if not asked.where:  # scans of people whom the table does not list
        people += [scan.participant for scan in scans if scan.participant not in set(people)]
    if asked.per == "scan":
        have = {scan.participant for scan in scans}
        people = [person for person in people if person in have]
    if not people:
        told = ", ".join(f"{column} {value}" for column, value in asked.where)
        raise Problem(study.folder, f"has nobody with {told or 'such scans'}", "choose other values")
    return list(dict.fromkeys(people))


def _column(study: Study, frame: pd.DataFrame, column: str) -> list[object]:
    if column not in frame.columns:
        listed = ", ".join(map(str, frame.columns))
        raise Problem(study.folder, f"participants have no column {column}", f"choose from {listed}")
    return frame[column].tolist()


def _rows_of(
    person: str,
    scans: Sequence[Scan],
    asked: StudyRows,
    sessions: tuple[str | None, ...],
    sought: tuple[ScanKind, str | None],
) -> tuple[list[Row], list[Finding]]:
    """A person's rows."""
    own = [scan for scan in scans if scan.participant == person]
    taken: list[tuple[str | None, Scan]] = []
    findings: list[Finding] = []
    missing: list[str] = []
    for session in sessions:
        fitting = [scan for scan in own if scan.session == session or session is None or scan.session is None]
        if fitting:
            scan, said = _one_of(fitting, sought[1])
            taken.append((session, scan))
            findings += said
        elif session is not None:
            missing.append(session)
    if asked.per == "scan":
        return [Row(person, (session,), (scan,)) for session, scan in taken], findings
    if missing or not taken:
        of = f" of {' and '.join(missing)}" if missing else ""
        return [], [*findings, left_out(person, f"no usable {WORDS[sought[0]]}{of}")]
    return [Row(person, tuple(session for session, _ in taken), tuple(scan for _, scan in taken))], findings


def _one_of(scans: Sequence[Scan], space: str | None) -> tuple[Scan, list[Finding]]:
    """The scan of the study's template, at rest, that comes first; and what else there was."""

    def rank(scan: Scan) -> tuple[bool, bool]:
        return scan.space != space, dict(scan.entities).get("task", "rest") != "rest"

    best = min(scans, key=rank)
    same = [scan for scan in scans if rank(scan) == rank(best)]
    if len(same) == 1:
        return best, []
    names = ", ".join(scan.path.name for scan in same[1:])
    message = f"{best.participant} has several scans of one session: {best.path.name} is taken, not {names}."
    return best, [Finding("several-scans", best.participant, len(same), message)]
