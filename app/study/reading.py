"""A study from its folder: people, sessions, scores and scans, with what is missing, doubled or contradictory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..io.bids import DESCRIPTION, Listing, list_folder
from ..io.bids_sidecars import Sidecars, coded, columns_in_words
from ..io.bids_tables import listed
from ..io.files import reading
from ..io.sidecar import NONE, Sidecar, text
from ..problems import Problem, silent
from .check_people import check_people
from .check_scans import check_scans
from .check_scores import check_scores
from .findings import finding, grouped
from .reading_dates import dates_of
from .reading_order import in_order, times_of
from .reading_people import Read, empty, read_people, read_sessions
from .reading_scans import Imaged, Report, read_scans
from .reading_scores import read_scores, scores_among
from .reading_table import read_plain_table
from .values import PERSON, SESSION, Scan, Study

if TYPE_CHECKING:
    import pandas as pd

PARTICIPANTS = "participants.tsv"


def read_study(folder: str | Path, report: Report = silent) -> Study:
    """Read a BIDS folder (raw data, derivatives or both), or a plain table with columns for files.

    Only headers of images are read, and nothing is ever written into the folder. What is missing, doubled or
    contradictory is among the study's findings; what it does not concern is there.

    Parameters
    ----------
    folder : path
        Of a study, or a TSV or CSV whose columns name people, sessions, numbers and files.
    report : callable
        Called with the fraction done; may raise to cancel.

    Raises
    ------
    Problem
        When it is no study: no such folder, nobody in it, a table without rows.
    """
    path = Path(folder).absolute()
    with reading(path):
        path.stat()
    study = read_plain_table(path) if path.is_file() else _read_folder(path, report)
    report(1.0)
    return study


def _read_folder(folder: Path, report: Report) -> Study:
    listing = list_folder(folder)
    _refuse_what_is_no_study(listing)
    report(0.1)
    sidecars = Sidecars(folder)
    imaged, about_scans = read_scans(listing.files, sidecars, lambda done: report(0.1 + 0.5 * done))
    people = _people(listing, imaged, sidecars)
    sessions = _sessions(listing, imaged)
    scores, descriptions = _scores(listing, sidecars)
    for name, found in scores_among(folder, sessions.frame).items():
        scores.setdefault(name, found)
    frames = {name: read.frame for name, read in scores.items()}
    times = (*times_of(sessions.frame, frames), *dates_of(listing.files, imaged))
    seen = [*sessions.frame[SESSION], *(name for frame in frames.values() for name in frame[SESSION].dropna())]
    visits = in_order(seen, times)
    description = folder / DESCRIPTION
    told = sidecars.read(description) if description in listing.tables else NONE
    study = Study(
        folder=folder,
        name=_name(folder, told),
        simulated=_simulated(told, imaged),
        participants=people.frame,
        sessions=_in_rows(sessions.frame, people.frame, visits),
        scores=frames,
        scans=_scans_in_order(imaged, people.frame, visits),
        descriptions=descriptions,
        visits=visits,
    )
    said = (
        *listing.findings,
        *people.findings,
        *sessions.findings,
        *(each for read in scores.values() for each in read.findings),
        *about_scans,
        *check_people(study, times),
        *check_scans(study, imaged),
        *check_scores(study),
        *sidecars.findings,
    )
    return replace(study, findings=grouped(said))


def _refuse_what_is_no_study(listing: Listing) -> None:
    """People are enough, as folders or in a table."""
    folder = listing.folder
    if listing.people or any(table.name == PARTICIPANTS for table in listing.tables):
        return
    what = f"is no study: it has no folders of people (sub-*) and no {PARTICIPANTS}"
    within = [path.name for path in sorted(folder.iterdir()) if _is_study(path)]
    if within:
        raise Problem(folder, what, f"name one of the studies in it: {listed(within)}")
    raise Problem(folder, what, "name a BIDS folder, or a table")


def _is_study(path: Path) -> bool:
    try:
        return path.is_dir() and any(entry.name.startswith("sub-") for entry in path.iterdir())
    except OSError:  # what cannot be looked into is not offered
        return False


def _people(listing: Listing, imaged: Sequence[Imaged], sidecars: Sidecars) -> Read:
    """People of the table and those that have a folder only."""
    import pandas as pd  # noqa: PLC0415 - slow to import

    path = next((table for table in listing.tables if table.name == PARTICIPANTS), None)
    told = (
        NONE
        if path is None or path.with_suffix(".json") not in listing.tables
        else sidecars.read(path.with_suffix(".json"))
    )
    read = Read(empty(PERSON)) if path is None else read_people(path, coded(told))
    findings = list(read.findings)
    listed_people = set(read.frame[PERSON])
    others = [person for person in listing.people if person not in listed_people]
    with_scans = {each.scan.participant for each in imaged}
    if path is None:
        message = "There is no participants.tsv: groups, arms and ages are not known."
        findings.append(finding("participants-missing", listing.folder, None, message))
    else:
        for person in others:
            what = "scans" if person in with_scans else "a folder"
            message = f"{person} has {what} but no row in participants.tsv."
            findings.append(finding("participant-not-listed", listing.folder / person, person, message))
    frame = pd.concat([read.frame, pd.DataFrame({PERSON: others}, dtype=object)], ignore_index=True)
    return Read(frame if others else read.frame, tuple(findings))


def _sessions(listing: Listing, imaged: Sequence[Imaged]) -> Read:
    """Sessions of the tables, of the folders and of the scans."""
    import pandas as pd  # noqa: PLC0415 - slow to import

    tables: list[tuple[Path, str | None]] = [(table, None) for table in listing.tables if table.name == "sessions.tsv"]
    named = (file for file in listing.files if (file.name.suffix, file.name.extension) == ("sessions", ".tsv"))
    tables += [(file.path, file.participant) for file in named]
    read = read_sessions(tables)
    pairs = set(zip(read.frame[PERSON], read.frame[SESSION], strict=True))
    scanned = {(each.scan.participant, each.scan.session) for each in imaged if each.scan.session is not None}
    more = sorted((listing.sessions | scanned) - pairs)
    if not more:
        return read
    rest = pd.DataFrame(more, columns=[PERSON, SESSION], dtype=object)
    return Read(pd.concat([read.frame, rest], ignore_index=True), read.findings)


def _scores(listing: Listing, sidecars: Sidecars) -> tuple[dict[str, Read], dict[str, str]]:
    """Instruments of ``phenotype``, and all columns in words."""
    told = {table: sidecars.read(table) for table in listing.tables if table.suffix == ".json"}
    descriptions: dict[str, str] = {}
    for table, fields in told.items():
        descriptions |= columns_in_words(fields) if table.name != DESCRIPTION else {}
    scores = {
        table.stem: read_scores(table, told.get(table.with_suffix(".json"), NONE))
        for table in listing.tables
        if table.parent.name == "phenotype" and table.suffix == ".tsv"
    }
    return scores, descriptions


def _in_rows(sessions: pd.DataFrame, people: pd.DataFrame, visits: Sequence[str]) -> pd.DataFrame:
    """Sessions in order of people, then of time."""
    place = {person: row for row, person in enumerate(people[PERSON])}
    order = sorted(
        range(len(sessions)),
        key=lambda row: (place.get(sessions[PERSON].iloc[row], len(place)), visits.index(sessions[SESSION].iloc[row])),
    )
    return sessions.iloc[order].reset_index(drop=True)


def _scans_in_order(imaged: Sequence[Imaged], people: pd.DataFrame, visits: Sequence[str]) -> tuple[Scan, ...]:
    place = {person: row for row, person in enumerate(people[PERSON])}
    at = {session: row for row, session in enumerate(visits)}
    scans = [each.scan for each in imaged]
    return tuple(sorted(scans, key=lambda scan: (place[scan.participant], at.get(scan.session or "", -1))))


def _name(folder: Path, told: Sidecar) -> str:
    return text(told, "Name") or folder.name


def _simulated(told: Sidecar, imaged: Sequence[Imaged]) -> bool:
    """Nobody was scanned: the description says so, or any image does."""
    named = (text(told, "Name") or "").casefold().startswith("simulated")
    return told.get("Simulated") is True or named or any(each.sidecar.get("Simulated") is True for each in imaged)
