"""Sessions in the order of time, by days, dates, periods or their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from .values import PERSON, SESSION

if TYPE_CHECKING:
    import pandas as pd

DAY, PERIOD, TAKEN = "day", "period", "acq_time"
_FIRST = re.compile(r"pre|base|bl$|screen|before|first|initial")
_LAST = re.compile(r"post|follow|fu\d*$|after|last|end")
_EPOCH, _DAY = datetime(1970, 1, 1), timedelta(days=1)


class When(NamedTuple):
    """When a person's session was, by one source: ``day``, ``period`` or ``acq_time``."""

    person: str
    session: str
    source: str
    value: float


def times_of(sessions: pd.DataFrame, scores: Mapping[str, pd.DataFrame]) -> tuple[When, ...]:
    """All that is said of when sessions were; dates in days."""
    found: list[When] = []
    for frame in (sessions, *scores.values()):
        for source in (DAY, PERIOD, TAKEN):
            if source not in frame or SESSION not in frame:
                continue
            for person, session, value in zip(frame[PERSON], frame[SESSION], frame[source], strict=True):
                at = days_of(value)
                if session is not None and at is not None:
                    found.append(When(str(person), str(session), source, at))
    return tuple(dict.fromkeys(found))


def in_order(names: Iterable[str], times: Iterable[When]) -> tuple[str, ...]:
    """Sessions in order: by the median of their days, dates or periods where all have one, else by name."""
    names = list(dict.fromkeys(names))
    times = tuple(times)
    for source in (DAY, TAKEN, PERIOD):
        said = [when for when in times if when.source == source]
        first = {when.person: min(w.value for w in said if w.person == when.person) for when in said}
        at: dict[str, list[float]] = {}
        for when in said:
            offset = first[when.person] if source == TAKEN else 0.0
            at.setdefault(when.session, []).append(when.value - offset)
        if names and all(name in at for name in names):
            return tuple(sorted(names, key=lambda name: (median(at[name]), _by_name(name))))
    return tuple(sorted(names, key=_by_name))


def _by_name(name: str) -> tuple[int, tuple[tuple[int, int, str], ...]]:
    bare = name.removeprefix("ses-").casefold()
    rank = 0 if _FIRST.match(bare) else 2 if _LAST.match(bare) else 1
    parts = re.findall(r"\d+|\D+", bare)
    return rank, tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def days_of(value: object) -> float | None:
    """A number as it is, a date in days; None for neither."""
    if isinstance(value, int | float):
        return None if value != value else float(value)  # noqa: PLR0124 - NaN
    try:
        return (datetime.fromisoformat(str(value)).replace(tzinfo=None) - _EPOCH) / _DAY
    except ValueError:
        return None
