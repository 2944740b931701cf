"""A study in numbers: people by group, scans by kind, scores by session and arm, what can be asked."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .blinding import ARM_COLUMNS
from .check_scans import grids_of
from .reading_beside import NATIVE
from .reading_people import columns_of
from .values import PERSON, SESSION, Scan, Study

if TYPE_CHECKING:
    import pandas as pd

BY = ("time", "condition", "group", "arm")
SPLIT_BY = ("group", "arm", "site", "sequence", "sex")
NOT_SCORES = frozenset({"day", "period", "week", "onset", "acq_time"})


def summary(study: Study, *, blinded: bool = False) -> dict[str, Any]:
    """What `habena study --json` says, without questions and warnings; of a blinded study nothing by arm."""
    return {
        "name": study.name,
        "folder": str(study.folder),
        "simulated": study.simulated,
        "participants": len(study.participants),
        "groups": _groups(study, _told(SPLIT_BY, blinded)),
        "sessions": _sessions(study),
        "scans": {kind: _scans(study.scans_of(kind=kind)) for kind in dict.fromkeys(s.kind for s in study.scans)},
        "scores": {
            column: {"instrument": name, **_score(study, name, column, _told(BY, blinded))}
            for name, frame in study.scores.items()
            for column in score_columns(frame)
        },
    }


def _told(columns: Sequence[str], blinded: bool) -> tuple[str, ...]:
    return tuple(name for name in columns if not (blinded and name in ARM_COLUMNS))


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
            who = " ".join(str(row[key]) for key in ("session", *BY) if row.get(key))
            lines.append(f"  {who:<32} n = {row['n']}, {_mean_text(row)}")
    if questions:
        lines.append("questions")
        width = max(len(each["kind"]) for each in questions)
        lines += [
            f"  {each['kind']:<{width}}  {'yes' if each['possible'] else 'no: ' + each['why']}" for each in questions
        ]
    return "\n".join(lines)


def _groups(study: Study, columns: Sequence[str]) -> dict[str, dict[str, int]]:
    people = study.participants
    return {
        column: {str(level): count for level, count in Counter(people[column].dropna()).items()}
        for column in columns
        if column in people
    }


def _sessions(study: Study) -> dict[str, dict[str, Any]]:
    """People, listed or scored, and scans of each visit."""
    people: defaultdict[object, set[str]] = defaultdict(set)
    for rows in (study.sessions, *study.scores.values()):
        for who, session in zip(rows[PERSON], rows[SESSION], strict=True):
            people[session].add(str(who))
    scans: defaultdict[object, Counter[str]] = defaultdict(Counter)
    for scan in study.scans:
        scans[scan.session][scan.kind] += 1
    return {visit: {"participants": len(people[visit]), "scans": dict(scans[visit])} for visit in study.visits}


def _scans(scans: Sequence[Scan]) -> dict[str, Any]:
    return {
        "n": len(scans),
        "participants": len({scan.participant for scan in scans}),
        "spaces": {space or "not stated": n for space, n in Counter(scan.space for scan in scans).items()},
        "grids": _grids([scan for scan in scans if scan.affine]),
    }


def _grids(scans: Sequence[Scan]) -> list[dict[str, Any]]:
    """Grids by size; where voxels have a common template, also by place, since there it matters."""
    counts: Counter[tuple[tuple[int, ...], tuple[float, ...], int]] = Counter()
    for place, (grid, n) in enumerate(grids_of(scans)):
        one_place = scans[0].kind == "mrs" or all(scan.space in {None, NATIVE} for scan in scans)
        zooms = tuple(round(zoom, 4) for zoom in grid.zooms_mm)
        counts[grid.shape, zooms, 0 if one_place else place] += n
    return [{"shape": list(shape), "zooms_mm": list(zooms), "n": n} for (shape, zooms, _), n in counts.most_common()]


def _score(study: Study, name: str, column: str, by: Sequence[str]) -> dict[str, Any]:
    """Mean and SD over all and by session, by time and condition where there are any, and by group and arm."""
    frame = study.scores[name]
    rows: dict[tuple[tuple[str, object], ...], list[float]] = {}
    about_person = _records(study.participants, [PERSON])
    about_session = _records(study.sessions, [PERSON, SESSION])
    for record in frame.to_dict("records"):
        person, session = record[PERSON], record[SESSION]
        known = {**about_person.get((person,), {}), **about_session.get((person, session), {}), **record}
        place = (("session", _plain(session)), *((key, _plain(known[key])) for key in by if key in known))
        rows.setdefault(place, []).append(float(record[column]))
    order = {visit: number for number, visit in enumerate(study.visits)}
    places = sorted(rows, key=lambda place: order.get(str(place[0][1]), -1))
    told = [{**dict(place), **_moments(rows[place])} for place in places]
    return {**_moments([float(value) for value in frame[column]]), "by": told}


def _records(frame: pd.DataFrame, keys: Sequence[str]) -> dict[tuple[object, ...], dict[str, Any]]:
    columns = [*keys, *(name for name in BY if name in frame)]
    return {tuple(row[key] for key in keys): row for row in columns_of(frame, columns).to_dict("records")}


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
