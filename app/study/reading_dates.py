"""When scans were taken, by ``*_scans.tsv`` and their sidecars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from ..io.bids import BidsFile
from ..io.bids_names import parse_name
from ..io.sidecar import text
from .reading_order import TAKEN, When, days_of
from .reading_people import try_table
from .reading_scans import Imaged

_IN_SIDECARS = ("AcquisitionDateTime", "ScanDate")  # the second is what PET sidecars had before BIDS 1.8


def dates_of(files: Sequence[BidsFile], imaged: Sequence[Imaged]) -> tuple[When, ...]:
    """The first date of each session, in days.

    Clock times alone (``AcquisitionTime``) say nothing about the order of sessions on different days.
    """
    first: dict[tuple[str, str], float] = {}
    for person, session, day in (*_of_tables(files), *_of_sidecars(imaged)):
        first[person, session] = min(day, first.get((person, session), day))
    return tuple(When(person, session, TAKEN, day) for (person, session), day in first.items())


def _of_tables(files: Sequence[BidsFile]) -> Iterator[tuple[str, str, float]]:
    for file in files:
        if (file.name.suffix, file.name.extension) != ("scans", ".tsv"):
            continue
        table, _ = try_table(file.path)
        if table is None or not {"filename", TAKEN} <= set(table.frame):
            continue
        for filename, taken in zip(table.frame["filename"], table.frame[TAKEN], strict=True):
            name = parse_name(PurePosixPath(filename or "").name)
            session = None if name is None else name.get("ses")
            day = days_of(taken)
            if session is not None and day is not None:
                yield file.participant, f"ses-{session}", day


def _of_sidecars(imaged: Sequence[Imaged]) -> Iterator[tuple[str, str, float]]:
    for each in imaged:
        dates = (days_of(text(each.sidecar, key)) for key in _IN_SIDECARS)
        day = next((date for date in dates if date is not None), None)
        if day is not None and each.scan.session is not None:
            yield each.scan.participant, each.scan.session, day
