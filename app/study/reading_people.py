"""People and sessions of a study, from ``participants.tsv`` and ``sub-*_sessions.tsv``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from ..io.bids_tables import TextTable, as_numbers, listed, read_text_table
from ..problems import Finding, Problem
from .findings import finding
from .values import PERSON, SESSION

if TYPE_CHECKING:
    import pandas as pd

PREFIX = {PERSON: "sub-", SESSION: "ses-"}


class Read(NamedTuple):
    """A table, and what is said of it."""

    frame: pd.DataFrame
    findings: tuple[Finding, ...] = ()


def read_people(path: Path, coded: frozenset[str] = frozenset()) -> Read:
    """One row per person of ``participants.tsv``; of a person's doubled rows, what they agree on.

    Columns that are `coded` stay text.
    """
    table, findings = try_table(path)
    if table is None:
        return Read(empty(PERSON), findings)
    with_names = named(path, table.frame, [PERSON])
    single = once(path, with_names.frame, [PERSON])
    numbers = typed(path, single.frame, [PERSON], text=coded)
    said = (*findings, *with_names.findings, *single.findings, *numbers.findings)
    return Read(front(numbers.frame, PERSON), said)


def read_sessions(tables: Sequence[tuple[Path, str | None]]) -> Read:
    """One row per person and session.

    Parameters
    ----------
    tables : sequence of (Path, str or None)
        ``sub-01_sessions.tsv`` with its person, or a table of all people with None.
    """
    import pandas as pd  # noqa: PLC0415 - slow to import

    reads = [_sessions_of(path, person) for path, person in tables]
    frames = [read.frame for read in reads if len(read.frame)]
    if not frames:
        return Read(empty(PERSON, SESSION), tuple(said for read in reads for said in read.findings))
    text = pd.concat(frames, ignore_index=True)
    text = text.astype(object).where(text.notna(), None)
    numbers = typed(tables[0][0], text, [PERSON, SESSION])
    place = {person: str(path) for path, person in tables if person is not None}
    placed = (Finding(f.code, place.get(str(f.value), f.where), f.value, f.message) for f in numbers.findings)
    return Read(front(numbers.frame, PERSON, SESSION), (*(said for read in reads for said in read.findings), *placed))


def try_table(path: Path) -> tuple[TextTable | None, tuple[Finding, ...]]:
    """A table as text; where it cannot be read, why, as a finding."""
    try:
        table = read_text_table(path)
    except Problem as problem:
        message = f"The table {problem.what}; {problem.todo}."
        return None, (Finding("table-unreadable", str(path), None, message),)
    return table, table.findings


def empty(*columns: str) -> pd.DataFrame:
    """A table without rows."""
    import pandas as pd  # noqa: PLC0415 - slow to import

    return pd.DataFrame({column: pd.Series(dtype="object") for column in columns})


def named(path: Path, frame: pd.DataFrame, keys: Sequence[str]) -> Read:
    """A table whose key columns are there and named as BIDS names people and sessions; rows without them go."""
    findings: list[Finding] = []
    missing = [key for key in keys if key not in frame]
    if missing:
        message = f"The table has no column {missing[0]}; it is not used."
        return Read(empty(*keys), (Finding("column-missing", str(path), missing[0], message),))
    nameless = [row for row in range(len(frame)) if any(frame[key].iloc[row] is None for key in keys)]
    if nameless:
        message = (
            f"Without {' or '.join(keys)} are rows {listed([str(row + 1) for row in nameless])}; they are left out."
        )
        findings.append(Finding("row-nameless", str(path), len(nameless), message))
        frame = frame.drop(index=frame.index[nameless])
    for key in keys:
        frame = frame.assign(**{key: [with_prefix(key, str(name)) for name in frame[key]]})
    return Read(frame.reset_index(drop=True), tuple(findings))


def with_prefix(key: str, name: str) -> str:
    """``01`` as ``sub-01`` or ``ses-01``."""
    prefix = PREFIX.get(key, "")
    return name if name.startswith(prefix) else prefix + name


def once(path: Path, frame: pd.DataFrame, keys: Sequence[str]) -> Read:
    """One row per key: equal rows once; where rows of one key contradict each other, the value is missing."""
    rows: dict[tuple[str | None, ...], list[int]] = {}
    for row, key in enumerate(zip(*(frame[key] for key in keys), strict=True)):
        rows.setdefault(key, []).append(row)
    if len(rows) == len(frame):
        return Read(frame)
    findings: list[Finding] = []
    kept = frame.copy()
    for key, same in rows.items():
        if len(same) < 2:
            continue
        who = " ".join(part for part in key if part is not None)
        contradicted = False
        for column in (str(name) for name in frame if name not in keys):
            values = dict.fromkeys(value for value in frame[column].iloc[same] if value is not None)
            kept.loc[kept.index[same[0]], column] = next(iter(values)) if len(values) == 1 else None
            if len(values) > 1:
                contradicted, told = True, " and ".join(values)
                message = f"{who} has {len(same)} rows that contradict each other in {column} ({told}): it is missing."
                findings.append(finding("row-contradicts", path, key[0], message))
        if not contradicted:
            message = f"{who} has {len(same)} rows that agree; they count once."
            findings.append(finding("row-doubled", path, key[0], message))
    firsts = [same[0] for same in rows.values()]
    return Read(kept.iloc[firsts].reset_index(drop=True), tuple(findings))


def typed(
    path: Path, frame: pd.DataFrame, keys: Iterable[str], code: str = "not-a-number", text: frozenset[str] = frozenset()
) -> Read:
    """Columns as numbers where they are; a cell of such a column that is no number is missing and named."""
    import pandas as pd  # noqa: PLC0415 - slow to import

    keys, findings, columns = tuple(keys), [], {}
    for column in frame:
        texts: list[str | None] = [None if cell is None else str(cell) for cell in frame[column]]
        numbers = None if column in keys or column in text else as_numbers(texts)
        if numbers is None:
            columns[column] = pd.Series(texts, dtype="object")
            continue
        columns[column] = pd.Series(numbers.values, dtype="float64")
        for row in numbers.refused:
            who = " ".join(str(frame[key].iloc[row]) for key in keys if key in frame and frame[key].iloc[row])
            message = f"{column} of {who} is '{texts[row]}', which is no number; it is missing."
            person = str(frame[PERSON].iloc[row]) if PERSON in frame else None
            findings.append(finding(code, path, person, message))
    return Read(pd.DataFrame(columns), tuple(findings))


def _sessions_of(path: Path, person: str | None) -> Read:
    table, findings = try_table(path)
    if table is None:
        return Read(empty(PERSON, SESSION), findings)
    frame = table.frame
    if person is not None:
        named_people = [str(name) for name in frame[PERSON].dropna()] if PERSON in frame else [person]
        if others := sorted(set(named_people) - {person}):
            message = f"The table of {person} names {listed(others)}; its rows are taken as {person}'s."
            findings += (finding("name-place", path, person, message),)
        frame = frame.assign(**{PERSON: person})
    with_names = named(path, frame, [PERSON, SESSION])
    single = once(path, with_names.frame, [PERSON, SESSION])
    return Read(single.frame, (*findings, *with_names.findings, *single.findings))


def front(frame: pd.DataFrame, *first: str) -> pd.DataFrame:
    """With these columns first."""
    return columns_of(frame, [*first, *(str(column) for column in frame if column not in first)])


def columns_of(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Some columns of a table."""
    return cast("pd.DataFrame", frame[list(columns)])
