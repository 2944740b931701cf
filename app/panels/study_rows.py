"""A study as the rows of its browser, as far as names may be seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...widgets.participant_table import People
from ...widgets.value_model import Cell, Column
from ..study.trajectories import instruments, trajectories
from ..study.values import PERSON, Study

if TYPE_CHECKING:
    from .study_open import OpenStudy

FIRST_COLUMNS = ("group", "arm", "age", "sex", "site")
GRADES = ("", "good", "doubtful", "bad")
THERE, MISSING = "●", "○"


def people_of(opened: OpenStudy) -> People:
    """Everybody with what is known of them; without arms, sessions and scores while these are hidden."""
    loaded = opened.loaded
    if loaded is None:
        return People(())
    frame = loaded.study.participants.set_index(PERSON, drop=False)
    frame = frame[~frame.index.duplicated()]
    names = [str(who) for who in frame.index]
    order = names if opened.blinding is None else list(opened.blinding.in_order(names))
    parts = [_person(opened, order), *_told(opened, frame, order), *([] if opened.is_blinded else _scores(opened))]
    dots, tips = _scans(opened, order)
    parts.insert(1 + sum(part[0].title in {"group", "arm"} for part in parts), dots)
    shown = {who: scan for who in order if (scan := opened.scan_of(who)) is not None}
    parts.append(
        (
            Column("Quality", tip="What you think of the scan shown: click twice, or F2"),
            {who: loaded.flags.get(scan.path, "") for who, scan in shown.items()},
        )
    )
    parts.append((Column("Note", tip="Your note: click twice, or F2"), loaded.notes))
    columns = tuple(column for column, _ in parts)
    empty: dict[str, Cell] = {column.title: "" if column.kind == "text" else None for column in columns}
    rows = tuple(tuple(values.get(who, empty[column.title]) for column, values in parts) for who in order)
    at = columns.index(dots[0])
    return People(
        columns,
        tuple(order),
        rows,
        quality=len(columns) - 2,
        note=len(columns) - 1,
        grades=GRADES,
        scans={who: str(scan.path) for who, scan in shown.items() if scan.kind != "mrs"},
        tips={(who, at): tip for who, tip in tips.items()},
    )


Part = tuple[Column, Mapping[str, Cell]]


def _person(opened: OpenStudy, order: list[str]) -> Part:
    return Column("Participant"), {who: opened.shown_name(who) for who in order}


def _told(opened: OpenStudy, frame: Any, order: list[str]) -> list[Part]:
    """Columns of the table of participants, the common ones first."""
    hidden = opened.blinding.hidden if opened.blinding is not None and opened.is_blinded else frozenset[str]()
    columns = [str(name) for name in frame.columns if name != PERSON and name not in hidden]
    columns.sort(key=lambda name: FIRST_COLUMNS.index(name) if name in FIRST_COLUMNS else len(FIRST_COLUMNS))
    parts: list[Part] = []
    for name in columns:
        values = frame[name]
        about = opened.shown_text(opened.loaded.study.descriptions.get(name, "")) if opened.loaded else ""
        if values.dtype.kind in "fiu":
            cells: dict[str, Cell] = {who: float(values[who]) for who in order}
            parts.append((Column(name, kind="number", tip=about), cells))
        else:
            texts = values.fillna("").astype(str).replace("n/a", "")
            parts.append((Column(name, tip=about), {who: opened.shown_text(str(texts[who])) for who in order}))
    return parts


def _scans(opened: OpenStudy, order: list[str]) -> tuple[Part, dict[str, str]]:
    """A dot for each session, filled where there is a scan; and what they are."""
    study = opened.study
    if study is None:
        return (Column("Scans"), {}), {}
    sessions = sessions_of(study)
    kinds: dict[tuple[str, str], list[str]] = {}
    for scan in study.scans:
        kinds.setdefault((scan.participant, scan.session or ""), []).append(scan.kind)
    dots: dict[str, Cell] = {}
    tips: dict[str, str] = {}
    for who in order:
        seen = sessions if opened.blinding is None else opened.blinding.sessions_in_order(who, sessions)
        dots[who] = " ".join(THERE if (who, session) in kinds else MISSING for session in seen)
        tips[who] = "\n".join(
            f"{_session(opened, who, session)}: {', '.join(dict.fromkeys(kinds.get((who, session), ['no scan'])))}"
            for session in seen
        )
    named = "X, Y, …" if opened.is_blinded else ", ".join(session.removeprefix("ses-") for session in sessions)
    return (Column("Scans", tip=f"A dot for each session ({named}), filled where there is a scan"), dots), tips


def _session(opened: OpenStudy, who: str, session: str) -> str:
    plain = session.removeprefix("ses-") or "scan"
    return plain if opened.blinding is None or not session else opened.blinding.shown_session(who, session)


def sessions_of(study: Study) -> tuple[str, ...]:
    """Sessions of scans, in the order of those who have most."""
    own: dict[str, dict[str, None]] = {}
    for scan in study.scans:
        own.setdefault(scan.participant, {})[scan.session or ""] = None
    ordered = sorted(own.values(), key=len, reverse=True)
    return tuple(dict.fromkeys(session for sessions in ordered for session in sessions))


def _scores(opened: OpenStudy) -> list[Part]:
    """First and last score and improvement, of the first instrument; of a crossover improvement by condition."""
    study = opened.study
    offered = () if study is None else instruments(study)
    if study is None or not offered:
        return []
    found, column = trajectories(study, offered[0]), offered[0].column
    if not len(found.scores):
        return []
    fall = found.scores[:, 0] - found.scores[:, -1]
    about = f"{offered[0].title}; improvement is {found.visits[0]} less {found.visits[-1]}: larger is better"
    if len(set(found.people)) < len(found.people):
        return [
            (
                Column(f"{column} improvement, {arm}", kind="number", tip=about),
                {who: float(v) for who, own, v in zip(found.people, found.arms, fall, strict=True) if own == arm},
            )
            for arm in found.names
        ]
    titles = (f"{column} {found.visits[0]}", f"{column} {found.visits[-1]}", "improvement")
    columns = (found.scores[:, 0], found.scores[:, -1], fall)
    return [
        (Column(title, kind="number", tip=about), dict(zip(found.people, values.tolist(), strict=True)))
        for title, values in zip(titles, columns, strict=True)
    ]


def findings_of(opened: OpenStudy) -> list[tuple[str, str, str]]:
    """Who or which, what is the matter, and the person's key where it is about one."""
    study = opened.study
    if study is None:
        return []
    people = {str(who) for who in study.participants[PERSON]} | {scan.participant for scan in study.scans}
    rows: list[tuple[str, str, str]] = []
    for finding in study.findings:
        who = str(finding.value) if str(finding.value) in people else _named_in(Path(finding.where), people)
        which = opened.shown_name(who) if who else opened.shown_text(Path(finding.where).name)
        rows.append((which, opened.shown_text(finding.message), who))
    return rows


def _named_in(path: Path, people: set[str]) -> str:
    """The person whose file it is; empty for files of the whole study."""
    return next((part for part in path.parts if part in people), "")
