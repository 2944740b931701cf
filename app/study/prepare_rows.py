"""The images of a question's rows: a map of each scan, or the change between two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import replace as changed

from ..grid import Grid
from ..io.bids_sidecars import Sidecars
from ..problems import Finding, Problem, silent
from .prepare_cache import Kept
from .prepare_each import each_of
from .prepare_images import VOXELS, Target, change_of, covered, ratio_of
from .prepare_people import People, Row, people_of
from .prepare_pet import References, about_reference, reference_name
from .prepare_space import LEFT_OUT, left_out
from .rows import StudyRows
from .values import Study

if TYPE_CHECKING:
    import pandas as pd

Report = Callable[[float], None]
IMAGES = "map"
COMPARED = ("difference", "percent")
OF_PEOPLE = frozenset((LEFT_OUT, "several-scans", "score-doubled", "template-family", "little-covered"))
IMAGING = 0.8  # of the work, where motion and mean connectivity follow
LITTLE = 0.9  # of the median map's voxels


@dataclass(frozen=True, eq=False)
class Made:
    """What was made of a question's rows.

    Attributes
    ----------
    rows : tuple of Row
        Those that could be used.
    columns : mapping of str to list
        Of the table: images as paths relative to the table's folder, motion, mean connectivity.
    regions : DataFrame or None
        Values of regions, a row for each row.
    grid : Grid or None
    mask : Path or None
        Voxels that all images of `beside` have.
    inputs : tuple of Path
        Of the study.
    files : tuple of Path
        Of the cache.
    findings : tuple of Finding
    simulated : bool
    """

    rows: tuple[Row, ...]
    columns: Mapping[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    regions: pd.DataFrame | None = None
    grid: Grid | None = None
    mask: Path | None = None
    inputs: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()
    findings: tuple[Finding, ...] = ()
    simulated: bool = False


def images_of(study: Study, people: People, asked: StudyRows, target: Target, report: Report = silent) -> Made:
    """Images of all rows, those of other measures beside them, and for runs their motion and mean connectivity.

    Raises
    ------
    Problem
        No row can be used.
    """
    parts = 1 + len(asked.beside)
    rows, images, findings = _images(study, people, asked, target, lambda done: report(IMAGING * done / parts))
    columns: dict[str, list[Any]] = {IMAGES: [seen_from_table(image) for image in images]}
    used = inputs_of_all(images)
    simulated = any(image.about.simulated for image in images)
    if people.kind == "bold":
        from .prepare_runs import facts_of  # noqa: PLC0415 - Numba

        facts, said = facts_of(rows, asked, lambda done: report((IMAGING + (1 - IMAGING) * done) / parts))
        columns |= facts
        findings += said
    findings = [*people.findings, *findings, *(each for image in images for each in image.about.warnings)]
    covering: list[Kept] = []
    for number, (name, other) in enumerate(asked.beside, start=1):
        others = people_of(study, changed(other, study=asked.study, beside=()))
        told = partial(_told, report, number, parts)
        found = _images(study, others, other, replace(target, choices=other.choices), told)
        columns[f"{IMAGES}_{name}"] = _beside(rows, found[0], found[1])
        used += inputs_of_all(found[1])
        covering += found[1]
        findings += [*found[2], *(each for image in found[1] for each in image.about.warnings)]
    mask = covered(covering, target) if covering else None
    files = tuple(image.path for image in (*images, *covering, *([mask] if mask else [])))
    findings += _little(rows, images)
    return Made(
        rows=rows,
        columns=columns,
        grid=target.grid,
        mask=None if mask is None else mask.path,
        inputs=tuple(dict.fromkeys(used)),
        files=files,
        findings=gathered(findings),
        simulated=simulated,
    )


def _little(rows: Sequence[Row], images: Sequence[Kept]) -> tuple[Finding, ...]:
    """Whose map has far fewer voxels than others: only voxels that all have are analysed."""
    voxels = [int(image.about.parameters[VOXELS]) for image in images]
    usual = float(np.median(voxels))
    low = [row.participant for row, count in zip(rows, voxels, strict=True) if count < LITTLE * usual]
    if not low:
        return ()
    who = ", ".join(dict.fromkeys(low))
    message = f"{who}: fewer voxels than most (at least {min(voxels)} of {usual:.0f}); only those of all are analysed."
    return (Finding("little-covered", who, min(voxels), message),)


def _told(report: Report, number: int, parts: int, done: float) -> None:
    report((number + done) / parts)


def _images(
    study: Study, people: People, asked: StudyRows, target: Target, report: Report
) -> tuple[tuple[Row, ...], tuple[Kept, ...], list[Finding]]:
    """Rows that have an image, and that image."""
    scans = list(dict.fromkeys(scan for row in people.rows for scan in row.scans))
    findings: list[Finding] = []
    if asked.measure in ("pet", "map"):
        name = None if asked.measure == "map" else reference_name(asked.choices, people.kind)
        findings += () if asked.measure == "map" else about_reference(asked.choices, people.kind)
        references = References(name, asked.choices.atlas, Sidecars(study.folder))
        made = each_of(partial(ratio_of, target=target, references=references), scans, report)
    else:
        from .prepare_runs import graphs_of_voxels  # noqa: PLC0415 - Numba

        made = graphs_of_voxels(scans, asked, target, report)
    of_scan = dict(zip(scans, made, strict=True))
    rows: list[Row] = []
    images: list[Kept] = []
    for row in people.rows:
        found = _of_row([of_scan[scan] for scan in row.scans], target, asked)
        if isinstance(found, Problem):
            findings.append(left_out(row.participant, f"{Path(found.where).name} {found.what}; {found.todo}"))
        else:
            rows.append(row)
            images.append(found)
    if not rows:
        raise next(each for each in made if isinstance(each, Problem))
    return tuple(rows), tuple(images), findings


def _of_row(made: Sequence[Kept | Problem], target: Target, asked: StudyRows) -> Kept | Problem:
    kept = [each for each in made if isinstance(each, Kept)]
    if len(kept) < len(made):
        return next(each for each in made if isinstance(each, Problem))
    if asked.per not in COMPARED:
        return kept[0]
    return change_of(kept[0], kept[1], target, percent=asked.per == "percent")


def _beside(rows: Sequence[Row], others: Sequence[Row], images: Sequence[Kept]) -> list[str | None]:
    """Of each row the image of the same person, and of the same session where rows are scans."""
    by_scan = {(row.participant, row.sessions): image for row, image in zip(others, images, strict=True)}
    by_person = {row.participant: image for row, image in reversed(list(zip(others, images, strict=True)))}
    found = [by_scan.get((row.participant, row.sessions), by_person.get(row.participant)) for row in rows]
    return [None if image is None else seen_from_table(image) for image in found]


def seen_from_table(image: Kept) -> str:
    """Path of a kept file from the folder of a kept table."""
    return f"../{image.key}/{image.path.name}"


def inputs_of_all(images: Iterable[Kept]) -> list[Path]:
    """Files that kept files were made of, each once."""
    return [Path(path) for path in dict.fromkeys(path for image in images for path in image.about.inputs)]


def gathered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings, each once; what is said of many scans once, with their number."""
    by_code: dict[object, dict[Finding, None]] = {}
    for finding in findings:
        by_code.setdefault(finding if finding.code in OF_PEOPLE else finding.code, {})[finding] = None
    made: list[Finding] = []
    for same in by_code.values():
        first = next(iter(same))
        scans = len({each.where for each in same})
        many = f"{first.message} So in {scans} scans." if scans > 1 else first.message
        made.append(changed(first, message=many))
    return tuple(made)
