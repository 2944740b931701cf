"""The table of a question's rows: people, sessions, scores and what improved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..problems import Finding
from .prepare_people import People, Row
from .rows import StudyRows
from .values import PERSON, SESSION, Study

if TYPE_CHECKING:
    import pandas as pd

NOT_SCORES = frozenset({"day", "time", "visit", "week", "period", "time_min", "run", "hours"})


class _Score(NamedTuple):
    """A score of all people: by person and session, and by the label of a further key where that differs."""

    name: str
    by_session: dict[tuple[str, str], float]
    by_label: dict[str, dict[str, float]]  # label to person to value


def table_of(study: Study, asked: StudyRows, people: People) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Columns of participants and sessions, scores by session and their improvement, a row for each row.

    Columns of sessions keep their name where a row is of one session or both sessions have the same value;
    of a difference there is one for each session otherwise.
    """
    import pandas as pd  # noqa: PLC0415 - slow to import

    rows = people.rows
    columns: dict[str, list[Any]] = {PERSON: [row.participant for row in rows]}
    _add_participants(study, rows, columns)
    _add_sessions(study, rows, columns)
    findings: list[Finding] = []
    for name, frame in study.scores.items():
        for score, said in _scores(name, frame):
            findings += said
            _add_score(score, asked, people, columns)
    return pd.DataFrame(columns), tuple(findings)


def label_of(session: str) -> str:
    """A session as part of a column's name: without ``ses-``, letters and digits."""
    return re.sub(r"\W+", "_", session.removeprefix("ses-"))


def _add_participants(study: Study, rows: Sequence[Row], columns: dict[str, list[Any]]) -> None:
    frame = study.participants.drop_duplicates(PERSON).set_index(PERSON)
    frame.index = frame.index.astype(str)
    aligned = frame.reindex([row.participant for row in rows])
    for name in frame.columns:
        columns[str(name)] = aligned[name].tolist()


def _add_sessions(study: Study, rows: Sequence[Row], columns: dict[str, list[Any]]) -> None:
    first = [row.sessions[0] for row in rows]
    if len(rows[0].sessions) == 1 and any(first):
        columns[SESSION] = [session or None for session in first]
    frame = study.sessions
    if SESSION not in frame.columns or not any(first):
        return
    keys = zip(frame[PERSON].astype(str), frame[SESSION].astype(str), strict=True)
    place = {key: number for number, key in reversed(list(enumerate(keys)))}
    for name in (str(each) for each in frame.columns if each not in {PERSON, SESSION}):
        values = frame[name].tolist()
        told = [[_at(values, place.get((row.participant, str(ses)))) for ses in row.sessions] for row in rows]
        kept = name if name not in columns else f"{name}_session"
        if all(_same(each) for each in told):
            columns[kept] = [each[0] for each in told]
            continue
        for number, session in enumerate(rows[0].sessions):
            columns[f"{kept}_{label_of(str(session))}"] = [each[number] for each in told]


def _at(values: list[Any], place: int | None) -> Any:
    return None if place is None else values[place]


def _same(values: Sequence[Any]) -> bool:
    return all(value == values[0] or (value != value and values[0] != values[0]) for value in values)  # noqa: PLR0124


def _scores(instrument: str, frame: pd.DataFrame) -> list[tuple[_Score, list[Finding]]]:
    """The columns of numbers of an instrument's table."""
    keys = [name for name in frame.columns if name in NOT_SCORES]
    names = [name for name in frame.columns if name not in {PERSON, SESSION, *keys}]
    further = [name for name in keys if frame[name].dtype.kind not in "fi"]
    return [_score(instrument, str(name), frame, further) for name in names if frame[name].dtype.kind in "fi"]


def _score(instrument: str, name: str, frame: pd.DataFrame, further: list[Any]) -> tuple[_Score, list[Finding]]:
    found = _Score(name, {}, {})
    findings: list[Finding] = []
    known = frame[frame[name].notna()]
    sessions = known[SESSION].astype(str).tolist() if SESSION in known.columns else [""] * len(known)
    people, values = known[PERSON].astype(str).tolist(), known[name].astype(float).tolist()
    doubled = len(set(zip(people, sessions, strict=True))) < len(people)
    extra = known[further[0]].astype(str).tolist() if doubled and further else [""] * len(known)
    for person, session, value, key in zip(people, sessions, values, extra, strict=True):
        label = "_".join(label_of(part) for part in (session, key) if part)
        of_label = found.by_label.setdefault(label, {})
        if person in of_label:
            message = f"{person} has several {name} in {instrument} of {session or 'one session'}: the first counts."
            findings.append(Finding("score-doubled", person, value, message))
            continue
        of_label[person] = value
        if not (doubled and further):
            found.by_session[person, session] = value
    return found, findings


def _add_score(score: _Score, asked: StudyRows, people: People, columns: dict[str, list[Any]]) -> None:
    rows = people.rows
    made: dict[str, list[Any]] = {}
    for label, values in score.by_label.items():
        made[f"{score.name}_{label}" if label else score.name] = [values.get(row.participant) for row in rows]
    if asked.per == "scan" and score.by_session:
        made[score.name] = [score.by_session.get((row.participant, str(row.sessions[0]))) for row in rows]
    if len(people.compared) == 2:
        first, last = people.compared
        made[f"{score.name}_improvement"] = [
            _less(score.by_session.get((row.participant, first)), score.by_session.get((row.participant, last)))
            for row in rows
        ]
    for name, values in made.items():
        if any(value is not None for value in values):
            columns.setdefault(name, values)


def _less(first: float | None, last: float | None) -> float | None:
    return None if first is None or last is None else first - last
