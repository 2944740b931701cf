"""What is odd about a study's scans: sessions, grids, templates, sides, times, confounds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..grid import Grid
from ..io.bids_tables import listed
from ..io.files import reading, regular_file
from ..io.sidecar import number, numbers, text
from ..problems import Finding, Problem
from .check_people import group_of
from .findings import finding
from .reading_beside import NATIVE
from .reading_scans import Imaged, headers_of
from .values import Scan, Study

WORD = {"pet": "PET scan", "suvr": "SUVR map", "bold": "run", "mrs": "spectra", "anat": "anatomy", "map": "map"}
PASSED_ON = frozenset(
    {"no-orientation", "units-absurd", "units-converted", "zooms-absurd", "zooms-differ", "sform-qform", "name-content",
     "frame-times", "tr-sidecar", "qform-unusable"}
)  # fmt: skip
LARGEST_TABLE_BYTES = 200_000_000
_ACTIVITY = re.compile(r"[kM]?Bq\s*/\s*(ml|cc|cm3)", re.IGNORECASE)
_RUNS = frozenset({"run", "acq", "rec", "dir"})


def check_scans(study: Study, imaged: Sequence[Imaged]) -> tuple[Finding, ...]:
    """All findings about scans."""
    read = [each for each in imaged if each.info is not None]
    return (
        *_missing_sessions(study),
        *_doubled(study.scans),
        *_templates(study),
        *_grids(study),
        *_sides(study.scans),
        *(said for each in read for said in _of_header(each)),
        *(said for each in read for said in _times(each)),
        *_units(read),
        *_undivided(read),
        *_confounds(study),
        *_masks(study),
    )


def _missing_sessions(study: Study) -> Iterator[Finding]:
    """Sessions that half of a person's group has a scan of and this person has not."""
    group = group_of(study.participants)
    scanned = {scan.participant for scan in study.scans}
    there = {(scan.participant, scan.kind, scan.session) for scan in study.scans if scan.kind != "anat"}
    size = Counter(group[person] for person in scanned)
    usual = Counter((group[person], kind, session) for person, kind, session in there)
    for person in (str(name) for name in group if name in scanned):
        for (of_group, kind, session), count in usual.items():
            if of_group != group[person] or 2 * count < size[of_group] or (person, kind, session) in there:
                continue
            where = f" in {session}" if session is not None else ""
            others = f"{count} of {size[of_group]} like {person} have one"
            message = f"{person} has no {WORD[kind]}{where} ({others})."
            yield finding("session-missing", study.folder / person, person, message)


def _doubled(scans: Sequence[Scan]) -> Iterator[Finding]:
    """Several runs of one session: which one counts is a choice."""
    same: dict[object, list[Scan]] = {}
    for scan in scans:
        rest = frozenset(pair for pair in scan.entities if pair[0] not in _RUNS)
        same.setdefault((scan.participant, scan.session, scan.kind, scan.space, scan.column, rest), []).append(scan)
    for group in same.values():
        if len(group) > 1 and group[0].kind != "anat":
            first = group[0]
            where = f" in {first.session}" if first.session else ""
            names = listed([scan.path.name for scan in group])
            message = f"{first.participant} has {len(group)} scans of one kind{where}: {names}."
            yield finding("session-doubled", first.path.parent, first.participant, message)


def _templates(study: Study) -> Iterator[Finding]:
    """Scans of one kind in templates that are not the same for all."""
    for kind in dict.fromkeys(scan.kind for scan in study.scans):
        spaces: dict[tuple[str, str | None], set[str]] = {}
        for scan in study.scans_of(kind=kind):
            if scan.space not in {None, NATIVE}:
                spaces.setdefault((scan.participant, scan.session), set()).add(str(scan.space))
        own = {place: frozenset(names) for place, names in spaces.items()}
        sets = Counter(own.values())
        shared = frozenset.intersection(*sets) if sets else frozenset()
        if len(sets) < 2 or shared:
            continue
        usual = sets.most_common(1)[0][0]
        odd = [f"{person} ({', '.join(sorted(names))})" for (person, _), names in own.items() if names != usual]
        what = f"Each {WORD[kind]} of most is in {', '.join(sorted(usual))}; in another template are {listed(odd)}."
        yield finding("templates-differ", study.folder, len(odd), what)


def _grids(study: Study) -> Iterator[Finding]:
    """Normalised scans of one kind, template and resolution on different grids."""
    for group in _alike(study.scans, normalised=True).values():
        grids = _by_grid(group)
        if len(grids) < 2:
            continue
        usual = max(grids, key=lambda number: len(grids[number]))
        odd = [_who(scan) for number, scans in grids.items() if number != usual for scan in scans]
        first = group[0]
        message = (
            f"Of {len(group)} scans ({first.kind}, {first.space}) {len(odd)} lie on other grids than the rest: "
            f"{listed(odd)}; they are resampled where they are compared."
        )
        yield finding("grids-differ", study.folder, len(odd), message)


def _sides(scans: Sequence[Scan]) -> Iterator[Finding]:
    """Images stored left to right among others stored right to left: a sign of flipped sides."""
    for group in _alike(scans, normalised=False).values():
        mirrored = {scan: bool(np.linalg.det(np.array(scan.affine)[:, :3]) < 0) for scan in group}
        usual = Counter(mirrored.values()).most_common(1)[0][0]
        odd = [scan for scan in group if mirrored[scan] != usual]
        if 2 * len(odd) >= len(group):
            continue
        for scan in odd:
            message = (
                f"{_who(scan)} is stored from {'right to left' if mirrored[scan] else 'left to right'}, unlike the "
                f"other {len(group) - len(odd)}: look whether left and right are swapped."
            )
            yield finding("side-flipped", scan.path, scan.participant, message)


def _of_header(each: Imaged) -> Iterator[Finding]:
    for said in each.info.findings if each.info is not None else ():
        if said.code in PASSED_ON:
            yield said


def _times(each: Imaged) -> Iterator[Finding]:
    """PET without frame times, runs without a repetition time."""
    scan, info = each.scan, each.info
    frames = info.n_frames if info is not None else 0
    if scan.kind == "pet":
        starts, durations = numbers(each.sidecar, "FrameTimesStart"), numbers(each.sidecar, "FrameDuration")
        if len(starts) != frames or len(durations) != frames:
            message = "The sidecar does not give FrameTimesStart and FrameDuration for every frame."
            yield finding("frame-times-missing", scan.path, scan.participant, message)
        if "InjectionStart" not in each.sidecar and "TimeZero" not in each.sidecar:
            message = "The sidecar gives neither TimeZero nor InjectionStart: minutes from injection are not known."
            yield finding("injection-missing", scan.path, scan.participant, message)
    elif scan.kind == "bold" and number(each.sidecar, "RepetitionTime") is None:
        message = "The sidecar gives no RepetitionTime; that of the header is used."
        if info is None or info.tr_s is None:
            message = "Neither sidecar nor header gives a repetition time: it cannot be filtered."
        yield finding("repetition-time-missing", scan.path, scan.participant, message)


def _units(imaged: Sequence[Imaged]) -> Iterator[Finding]:
    """PET scans in different units, or of different tracers."""
    scans = [each for each in imaged if each.scan.kind == "pet"]
    for key, code in (("Units", "units-differ"), ("TracerName", "tracers-differ")):
        said = {each.scan: text(each.sidecar, key) for each in scans}
        counts = Counter(value for value in said.values() if value is not None)
        if len(counts) < 2:
            continue
        usual = counts.most_common(1)[0][0]
        odd = [f"{_who(scan)} ({value})" for scan, value in said.items() if value not in {None, usual}]
        where = next(scan.path for scan, value in said.items() if value not in {None, usual})
        yield finding(code, where, len(odd), f"{key} is {usual} for most PET scans, but not for {listed(odd)}.")


def _undivided(imaged: Sequence[Imaged]) -> Iterator[Finding]:
    """Maps of a table that are radioactivity: dose and weight make people differ everywhere."""
    maps = [each for each in imaged if each.scan.kind == "map"]
    active = [each.scan for each in maps if _ACTIVITY.fullmatch(text(each.sidecar, "Units") or "")]
    if active:
        message = (
            f"{len(active)} of {len(maps)} maps are radioactivity (Bq/mL), which nothing divides by a reference region "
            "here: dose and weight make people differ in every region. Give SUVR maps, or a BIDS folder with PET scans."
        )
        yield finding("activity-undivided", active[0].path, len(active), message)


def _confounds(study: Study) -> Iterator[Finding]:
    """Normalised runs without confounds, or with a row count that is not theirs."""
    runs = [scan for scan in study.scans_of(kind="bold") if scan.space not in {None, NATIVE}]
    without = [scan for scan in runs if scan.confounds is None]
    if without:
        who = "No run has" if len(without) == len(runs) else f"Without are {listed([_who(s) for s in without])}: no"
        yield finding("confounds-missing", without[0].path, len(without), f"{who} table of confounds beside the run.")
    for scan in runs:
        if scan.confounds is None:
            continue
        rows, frames = _rows(scan.confounds), scan.shape[3] if len(scan.shape) > 3 else 1
        if rows != frames:
            message = (
                f"{_who(scan)} has {frames} volumes but {'unreadable' if rows is None else rows} rows of confounds."
            )
            yield finding("confounds-length", scan.confounds, scan.participant, message)


def _masks(study: Study) -> Iterator[Finding]:
    """Masks on another grid than their scan."""
    scans = [scan for scan in study.scans if scan.mask is not None]
    for scan, info in zip(scans, headers_of([scan.mask for scan in scans if scan.mask is not None]), strict=True):
        if isinstance(info, Finding):
            yield Finding(info.code, info.where, scan.participant, f"{_who(scan)}: {info.message}")
        elif info.space.grid != _grid(scan):
            message = f"The mask of {_who(scan)} lies on another grid than the scan; it is resampled."
            yield finding("mask-grid", Path(info.path), scan.participant, message)


def _rows(table: Path) -> int | None:
    """Rows of a table without its header, counted by lines; None when it cannot be read."""
    try:
        if regular_file(table).size > LARGEST_TABLE_BYTES:
            return None
        with reading(table):
            lines = table.read_bytes().splitlines()
    except Problem:
        return None
    return max(0, sum(1 for line in lines if line.strip()) - 1)


def _alike(scans: Sequence[Scan], *, normalised: bool) -> dict[object, list[Scan]]:
    """Scans that should lie on one grid (normalised), or be stored one way."""
    found: dict[object, list[Scan]] = {}
    for scan in scans:
        if not scan.affine or scan.kind == "mrs" or (normalised and scan.space in {None, NATIVE}):
            continue
        rest = frozenset(pair for pair in scan.entities if pair[0] in {"res", "desc", "meas"})
        found.setdefault((scan.kind, scan.space, scan.column, rest), []).append(scan)
    return found


def grids_of(scans: Sequence[Scan]) -> tuple[tuple[Grid, int], ...]:
    """Grids of scans with how many lie on each, the most frequent first."""
    found = _by_grid(scans)
    return tuple((_grid(group[0]), len(group)) for group in sorted(found.values(), key=len, reverse=True))


def _by_grid(scans: Sequence[Scan]) -> dict[int, list[Scan]]:
    grids: list[Grid] = []
    found: dict[int, list[Scan]] = {}
    for scan in scans:
        grid = _grid(scan)
        number = next((i for i, other in enumerate(grids) if other == grid), len(grids))
        if number == len(grids):
            grids.append(grid)
        found.setdefault(number, []).append(scan)
    return found


def _grid(scan: Scan) -> Grid:
    x, y, z = (*scan.shape, 1, 1, 1)[:3]
    return Grid((x, y, z), np.vstack([np.array(scan.affine), [0, 0, 0, 1]]))


def _who(scan: Scan) -> str:
    return scan.participant if scan.session is None else f"{scan.participant} {scan.session}"
