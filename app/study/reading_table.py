"""A plain table as a study: columns for people, sessions, numbers and files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..io.bids_tables import read_text_table
from ..problems import Finding, Problem
from .check_people import check_people
from .check_scans import check_scans
from .check_scores import check_scores
from .findings import finding, grouped
from .reading_order import in_order, times_of
from .reading_people import Read, columns_of, empty, named, once, typed, with_prefix
from .reading_scans import Imaged, affine_rows, headers_of
from .reading_scores import scores_among
from .values import PERSON, SESSION, Scan, Study

if TYPE_CHECKING:
    import pandas as pd

_PEOPLE = (PERSON, "participant", "subject", "subject_id", "sub", "patient", "id")
_SESSIONS = (SESSION, "session", "ses", "visit", "timepoint", "time", "condition")
_IMAGES = (".nii", ".nii.gz", ".mgz", ".mgh", ".img", ".hdr", ".mnc", ".v", ".head")


def read_plain_table(path: Path) -> Study:
    """A study of a table: columns that name images become scans of kind ``map``, paths relative to the table.

    Columns that do not change within a person are about people, the others about sessions; totals of known
    instruments are scores.

    Raises
    ------
    Problem
        When it is no table, has no rows, or names neither people nor images.
    """
    table = read_text_table(path)
    if table.frame.empty:
        raise Problem(path, "has no rows", "give one row per person or scan")
    keyed = _keyed(path, table.frame)
    keys = [PERSON, SESSION] if SESSION in keyed.frame else [PERSON]
    single = once(path, keyed.frame, keys)
    columns = [str(name) for name in single.frame if name not in keys and _names_files(list(single.frame[name]))]
    imaged, about_scans = _scans(path, single.frame, columns)
    if not columns and _person_column(table.frame) is None:
        raise Problem(path, "has no column of people and none of images", "name a table with a column participant_id")
    numbers = typed(path, single.frame.drop(columns=columns), keys)
    people, sessions = _split(numbers.frame)
    scored = numbers.frame if SESSION in numbers.frame else numbers.frame.assign(**{SESSION: None})
    scores = scores_among(path, scored)
    frames = {name: read.frame for name, read in scores.items()}
    times = times_of(sessions, frames)
    study = Study(
        folder=path,
        name=path.stem,
        simulated=any(each.info is not None and each.info.sidecar.get("Simulated") is True for each in imaged),
        participants=people,
        sessions=sessions,
        scores=frames,
        scans=tuple(each.scan for each in imaged),
        visits=in_order(sessions[SESSION], times),
    )
    said = (
        *(*table.findings, *keyed.findings, *single.findings, *numbers.findings, *about_scans),
        *(each for read in scores.values() for each in read.findings),
        *check_people(study, times),
        *check_scans(study, imaged),
        *check_scores(study),
    )
    return replace(study, findings=grouped(said))


def _keyed(path: Path, frame: pd.DataFrame) -> Read:
    """A table whose columns of people and sessions have the names of BIDS; rows without a person go."""
    person = _person_column(frame)
    lower = _by_small_letters(frame)
    session = next((lower[name] for name in _SESSIONS if name in lower), None)
    if person is None:
        message = "The table has no column participant_id; each row is taken as one person."
        names = [f"sub-row{row + 1}" for row in range(len(frame))]
        return Read(frame.assign(**{PERSON: names}), (finding("column-missing", path, PERSON, message),))
    renamed = frame.rename(columns={person: PERSON} | ({session: SESSION} if session is not None else {}))
    keyed = named(path, renamed, [PERSON])
    if SESSION in keyed.frame:
        names = [None if name is None else with_prefix(SESSION, str(name)) for name in keyed.frame[SESSION]]
        return Read(keyed.frame.assign(**{SESSION: names}), keyed.findings)
    return keyed


def _person_column(frame: pd.DataFrame) -> str | None:
    lower = _by_small_letters(frame)
    return next((lower[name] for name in _PEOPLE if name in lower), None)


def _by_small_letters(frame: pd.DataFrame) -> dict[str, str]:
    return {str(name).casefold(): str(name) for name in reversed(list(frame.columns))}


def _names_files(values: list[str | None]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and 2 * sum(value.casefold().endswith(_IMAGES) for value in known) >= len(known)


def _scans(path: Path, frame: pd.DataFrame, columns: list[str]) -> tuple[tuple[Imaged, ...], tuple[Finding, ...]]:
    sessions = frame[SESSION] if SESSION in frame else [None] * len(frame)
    cells = [
        (str(person), session, column, path.parent / str(value))
        for column in columns
        for person, session, value in zip(frame[PERSON], sessions, frame[column], strict=True)
        if value is not None
    ]
    found: list[Imaged] = []
    findings: list[Finding] = []
    for (person, session, column, image), info in zip(cells, headers_of([cell[3] for cell in cells]), strict=True):
        if isinstance(info, Finding):
            findings.append(Finding(info.code, info.where, person, f"{person}, {column}: {info.message}"))
            continue
        space = info.space.template
        scan = Scan(person, session, "map", image, space, column=column, shape=info.shape, affine=affine_rows(info))
        found.append(Imaged(scan, info, info.sidecar))
    return tuple(found), tuple(findings)


def _split(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Columns about people and columns about sessions."""
    if SESSION not in frame:
        return frame, empty(PERSON, SESSION)
    others = [str(name) for name in frame if name not in {PERSON, SESSION}]
    by_person = frame.groupby(PERSON, sort=False)
    fixed = [name for name in others if max(by_person[name].nunique(dropna=False).tolist()) <= 1]
    varying = [name for name in others if name not in fixed]
    people = columns_of(frame.drop_duplicates(PERSON), [PERSON, *fixed])
    sessions = columns_of(frame, [PERSON, SESSION, *varying]).dropna(subset=[SESSION])
    return people.reset_index(drop=True), sessions.reset_index(drop=True)
