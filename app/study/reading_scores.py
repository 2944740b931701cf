"""Scores of a study: ``phenotype/*.tsv``, or columns of its other tables that are named as an instrument."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..io.sidecar import number
from ..problems import Finding
from .findings import finding
from .reading_people import Read, columns_of, empty, front, named, once, try_table, typed, with_prefix
from .values import PERSON, SESSION

if TYPE_CHECKING:
    import pandas as pd

KEYS = ("time", "condition", "visit", "timepoint", "run", "rater")  # of text: a second row of a session is another
DAY = "day"


class Instrument(NamedTuple):
    """A rating scale: its name, and the least and largest total that it can give."""

    name: str
    pattern: re.Pattern[str]
    low: float
    high: float


# Montgomery and Asberg 1979: 10 items of 0 to 6. Hamilton 1960: 17 items, 52 at most.
# Columbia scale (Posner 2011): intensity or severity of ideation from 0 to 5.
INSTRUMENTS = (
    Instrument("madrs", re.compile(r"madrs(_?(total|score|sum))?"), 0, 60),
    Instrument("hamd17", re.compile(r"(ham_?d|hdrs|hrsd)_?17(_?(total|score|sum))?"), 0, 52),
    Instrument("cssrs", re.compile(r"c_?ssrs_?(iss|ideation(_?severity)?)"), 0, 5),
)


def instrument_of(column: str) -> Instrument | None:
    """Instrument that a column is the total of."""
    name = column.casefold().replace("-", "_")
    return next((each for each in INSTRUMENTS if each.pattern.fullmatch(name)), None)


def read_scores(path: Path, sidecar: Mapping[str, Any]) -> Read:
    """A table of one instrument: a row per person and session (and ``time`` or another key of text)."""
    table, findings = try_table(path)
    if table is None:
        return Read(empty(PERSON, SESSION), findings)
    frame = table.frame
    if SESSION not in frame:
        visit = next((name for name in ("session", "visit", "timepoint", DAY) if name in frame), None)
        values = None if visit is None else [_as_session(visit, value) for value in frame[visit]]
        frame = frame.assign(**{SESSION: values})
    with_names = named(path, frame, [PERSON])
    frame = with_names.frame
    if SESSION not in frame:
        return Read(empty(PERSON, SESSION), (*findings, *with_names.findings))
    frame[SESSION] = [None if name is None else with_prefix(SESSION, str(name)) for name in frame[SESSION]]
    keys = [PERSON, SESSION, *(key for key in KEYS if key in frame)]
    single = once(path, frame, keys)
    numbers = typed(path, single.frame, keys, "score-not-number")
    ranged = within_range(path, numbers.frame, sidecar)
    findings += (*with_names.findings, *single.findings, *numbers.findings, *ranged.findings)
    return Read(front(ranged.frame, *keys), findings)


def within_range(path: Path, frame: pd.DataFrame, sidecar: Mapping[str, Any]) -> Read:
    """Scores that an instrument cannot give are missing and named; its sidecar's Minimum and Maximum count too."""
    findings: list[Finding] = []
    frame = frame.copy()
    for column in [str(name) for name in frame.columns if frame[name].dtype.kind == "f"]:
        limits = _limits(column, sidecar)
        if limits is None:
            continue
        low, high = limits
        values = frame[column].to_numpy()
        outside = [row for row, value in enumerate(values) if value < low or value > high]
        for row in outside:
            who = " ".join(str(frame[key].iloc[row]) for key in (PERSON, SESSION) if frame[key].iloc[row] is not None)
            message = f"{column} of {who} is {values[row]:g}, outside {low:g} to {high:g}; it is missing."
            findings.append(finding("score-range", path, str(frame[PERSON].iloc[row]), message))
        frame.loc[frame.index[outside], column] = float("nan")
    return Read(frame, tuple(findings))


def scores_among(path: Path, frame: pd.DataFrame) -> dict[str, Read]:
    """Columns of a table of sessions that are totals of a known instrument, as scores."""
    found: dict[str, list[str]] = {}
    for column in frame:
        instrument = instrument_of(str(column))
        if instrument is not None and frame[column].dtype.kind == "f":
            found.setdefault(instrument.name, []).append(str(column))
    keys = [PERSON, SESSION, *([DAY] if DAY in frame else [])]
    return {
        name: within_range(path, columns_of(frame, [*keys, *columns]).dropna(subset=columns, how="all"), {})
        for name, columns in found.items()
    }


def _limits(column: str, sidecar: Mapping[str, Any]) -> tuple[float, float] | None:
    instrument = instrument_of(column)
    told = sidecar.get(column)
    low = number(told, "Minimum") if isinstance(told, dict) else None
    high = number(told, "Maximum") if isinstance(told, dict) else None
    if instrument is not None:
        return instrument.low, instrument.high
    if low is None and high is None:
        return None
    return -float("inf") if low is None else low, float("inf") if high is None else high


def _as_session(column: str, value: str | None) -> str | None:
    if value is None:
        return None
    cleaned = re.sub(r"[^A-Za-z0-9]", "", value)
    return f"ses-day{cleaned}" if column == DAY else f"ses-{cleaned.removeprefix('ses')}"
