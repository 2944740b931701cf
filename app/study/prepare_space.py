"""Which template a study's scans are in, and which of them are in another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from .. import templates
from ..grid import Grid
from ..problems import Finding, Problem
from .prepare_cache import stamp_of
from .rows import StudyRows
from .values import Scan

LEFT_OUT = "subject-left-out"
OWN_SPACE = frozenset(("native", "individual", "t1w", "orig", "scanner"))


class Head(NamedTuple):
    """What the header of a scan says.

    Attributes
    ----------
    grid : Grid
    space : str or None
    n_frames : int
    """

    grid: Grid
    space: str | None
    n_frames: int


def in_one_space(scans: Sequence[Scan], asked: StudyRows) -> tuple[list[Scan], str | None, list[Finding]]:
    """Scans in the template that most are in; the others with what is wrong with them."""
    findings: list[Finding] = []
    readable: list[tuple[Scan, str | None]] = []
    for scan in scans:
        try:
            readable.append((scan, space_of(scan)))
        except Problem as problem:
            findings.append(left_out(scan.participant, f"{scan.path.name} {problem.what}"))
    own = [scan for scan, space in readable if _native(space)]
    counted = Counter(space for scan, space in readable if space is not None and scan not in own)
    template = head_of(Path(asked.choices.grid)).space if asked.choices.grid else None
    template = template or (counted.most_common(1)[0][0] if counted else None)
    usable: list[Scan] = []
    near: list[tuple[Scan, templates.Fit]] = []
    for scan, space in readable:
        if scan in own:
            continue
        fit = templates.compatible(space, template)
        if space == template or fit.names_regions:
            usable.append(scan)
            near += [(scan, fit)] if space != template and fit.message else []
        else:
            findings.append(_other_space(scan, space, template))
    if near:
        findings.append(_family(near, template))
    if template is None and usable:
        message = "The scans do not say which template they are in: no region is named on their maps."
        findings.append(Finding("space-unknown", str(usable[0].path.name), len(usable), message))
    return usable, template, findings


def _native(space: str | None) -> bool:
    return space is not None and space.casefold() in OWN_SPACE


def _other_space(scan: Scan, space: str | None, template: str | None) -> Finding:
    said = f"is in {space}" if space else "does not say which space it is in"
    why = f"{scan.path.name} {said}, the study's scans are in {template}: transform it first"
    return left_out(scan.participant, why)


def _family(near: Sequence[tuple[Scan, templates.Fit]], template: str | None) -> Finding:
    who = ", ".join(dict.fromkeys(scan.participant for scan, _ in near))
    fit = near[0][1]
    message = f"{len(near)} scans ({who}) are in another variant of MNI152 than {template}: places are near, not equal."
    return Finding("template-family", who, fit.shift_mm, message)


def left_out(person: str, why: str) -> Finding:
    """Who is left out, and why."""
    return Finding(LEFT_OUT, person, None, f"{person} is left out: {why}.")


def space_of(scan: Scan) -> str | None:
    """Template of a scan: as the study says, else as its header says.

    Raises
    ------
    Problem
        As `head_of`.
    """
    said = head_of(scan.path).space
    return scan.space or said


def head_of(path: Path) -> Head:
    """Header of an image, read once while it does not change.

    Raises
    ------
    Problem
        When it cannot be used.
    """
    return _head(stamp_of(path))


@lru_cache(maxsize=4096)
def _head(stamp: tuple[str, int, int]) -> Head:
    from ..io.volumes import open_volume  # noqa: PLC0415

    with_header = open_volume(stamp[0])
    try:
        return Head(with_header.grid, with_header.info.space.template, with_header.n_frames)
    finally:
        with_header.close()
