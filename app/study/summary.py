"""A study in numbers: people by group, scans by kind, scores by session and arm, what can be asked."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..io.layout import zooms_of
from .check_scans import grids_of
from .values import PERSON, SESSION, Scan, Study

SPLIT_BY = ("group", "arm", "site", "sequence", "sex")
NOT_SCORES = frozenset({"day", "period", "week", "onset", "acq_time"})


def summary(study: Study) -> dict[str, Any]:
    """What `habena study --json` says, without questions and warnings."""
    return {
        "name": study.name,
        "folder": str(study.folder),
        "simulated": study.simulated,
        "participants": len(study.participants),
        "groups": _groups(study),
        "sessions": {visit: _session(study, visit) for visit in study.visits},
        "scans": {kind: _scans(study.scans_of(kind=kind)) for kind in dict.fromkeys(s.kind for s in study.scans)},
        "scores": {
            column: {"instrument": name, **_score(study, name, column)}
            for name, frame in study.scores.items()
            for column in score_columns(frame)
        },
    }


def score_columns(frame: Any) -> tuple[str, ...]:
    """Columns of an instrument's table that are scores, not keys or times."""
    return tuple(str(name) for name in frame if frame[name].dtype.kind in "if" and str(name) not in NOT_SCORES)


def in_text(told: Mapping[str, Any], questions: Sequence[Mapping[str, Any]]) -> str:
    """The same for people to read."""
    simulated = " (simulated: nobody was scanned)" if told["simulated"] else ""
    lines = [f"{told['name']}{simulated}", f"participants  {told['participants']}"]
    for column, counts in told["groups"].items():
        lines.append(f"  {column:<11} {_listed(counts)}")
    for session, counts in told["sessions"].items():
        scans = ", ".join(f"{count} {kind}" for kind, count in counts["scans"].items()) or "no scans"
        lines.append(f"{session:<13} {counts['participants']} people, {scans}")
    for kind, scans in told["scans"].items():
        lines.append(f"{kind:<13} {scans['n']} scans of {scans['participants']} people, {_listed(scans['spaces'])}")
        lines += [f"  grid        {_grid_text(grid)}" for grid in scans["grids"]]
    for column, score in told["scores"].items():
        lines.append(f"{column}  n = {score['n']}, {_mean_text(score)}")
        for row in score["by"]:
            who = " ".join(str(row[key]) for key in ("session", "time", "condition", "group", "arm") if row.get(key))
            lines.append(f"  {who:<32} n = {row['n']}, {_mean_text(row)}")
    if questions:
        lines.append("questions")
        width = max(len(each["kind"]) for each in questions)
        lines += [
            f"  {each['kind']:<{width}}  {'yes' if each['possible'] else 'no: ' + each['why']}" for each in questions
        ]
    return "\n".join(lines)


def _groups(study: Study) -> dict[str, dict[str, int]]:
    people = study.participants
    return {
        column: {str(level): count for level, count in Counter(people[column].dropna()).items()}
        for column in SPLIT_BY
        if column in people
    }


def _session(study: Study, visit: str) -> dict[str, Any]:
    rows = study.sessions
    listed = {str(who) for who, session in zip(rows[PERSON], rows[SESSION], strict=True) if session == visit}
    scored = {
        str(who)
        for frame in study.scores.values()
        for who, session in zip(frame[PERSON], frame[SESSION], strict=True)
        if session == visit
    }
    scans = Counter(scan.kind for scan in study.scans if scan.session == visit)
    return {"participants": len(listed | scored), "scans": dict(scans)}


def _scans(scans: Sequence[Scan]) -> dict[str, Any]:
    return {
        "n": len(scans),
        "participants": len({scan.participant for scan in scans}),
        "spaces": {space or "not stated": n for space, n in Counter(scan.space for scan in scans).items()},
        "grids": [
            {"shape": list(grid.shape), "zooms_mm": [round(zoom, 4) for zoom in zooms_of(grid.affine)], "n": n}
            for grid, n in grids_of([scan for scan in scans if scan.affine])
        ],
    }


def _score(study: Study, name: str, column: str) -> dict[str, Any]:
    frame = study.scores[name]
    people = study.participants.set_index(PERSON)
    keys = [SESSION, *(key for key in ("time", "condition") if key in frame)]
    split = [key for key in ("group", "arm") if key in people and key not in frame]
    rows: dict[tuple[object, ...], list[float]] = {}
    for record in frame.to_dict("records"):
        who = people.loc[record[PERSON]] if record[PERSON] in people.index else {}
        place = tuple(_plain(record.get(key)) for key in keys) + tuple(_plain(who.get(key)) for key in split)
        rows.setdefault(place, []).append(float(record[column]))
    order = {visit: number for number, visit in enumerate(study.visits)}
    names = ["session", *keys[1:], *split]
    by = [
        {**dict(zip(names, place, strict=True)), **_moments(rows[place])}
        for place in sorted(rows, key=lambda place: order.get(str(place[0]), -1))
    ]
    return {**_moments([float(value) for value in frame[column]]), "by": by}


def _moments(values: Sequence[float]) -> dict[str, Any]:
    known = [value for value in values if not math.isnan(value)]
    mean = sum(known) / len(known) if known else math.nan
    spread = sum((value - mean) ** 2 for value in known)
    return {"n": len(known), "mean": mean, "sd": math.sqrt(spread / (len(known) - 1)) if len(known) > 1 else math.nan}


def _plain(value: object) -> object:
    return None if value is None or value != value else value  # noqa: PLR0124 - NaN


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _grid_text(grid: Mapping[str, Any]) -> str:
    shape = " x ".join(map(str, grid["shape"]))
    zooms = " x ".join(f"{zoom:g}" for zoom in grid["zooms_mm"])
    return f"{shape} voxels of {zooms} mm: {grid['n']}"


def _mean_text(told: Mapping[str, Any]) -> str:
    if not told["n"]:
        return "no values"
    return f"mean {told['mean']:.3g}" + ("" if math.isnan(told["sd"]) else f" (SD {told['sd']:.3g})")
