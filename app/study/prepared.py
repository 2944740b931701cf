"""A study's question as files in the cache: a table of rows, and an image or values of regions for each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..grid import Grid
from ..models import COLUMN, TABLE, Model
from ..problems import Finding, silent
from .prepare_cache import About, Kept, keep, kept, key_of, stamp_of, trim, used_now
from .prepare_grid import grid_of
from .prepare_images import target_of
from .prepare_people import People, people_of
from .prepare_rows import IMAGES, Made, gathered, images_of
from .prepare_table import table_of
from .rows import StudyRows
from .values import Study

if TYPE_CHECKING:
    import pandas as pd

Report = Callable[[float], None]
REMEMBERED = 32


@dataclass(frozen=True, eq=False)
class PreparedRows:
    """A study's question as files.

    Attributes
    ----------
    table : Path
        TSV in the cache, a row per scan or person.
    data : str
        ``column:map``, or the path of a table of regions with the same rows.
    grid : Grid or None
        Of the images.
    mask : Path or None
        Voxels that all voxelwise covariates have, where there are any.
    inputs : tuple of Path
        Files of the study that they were made of.
    files : tuple of Path
        Of the cache: tables, images, masks.
    findings : tuple of Finding
    simulated : bool
    """

    table: Path
    data: str
    grid: Grid | None
    mask: Path | None
    inputs: tuple[Path, ...]
    files: tuple[Path, ...]
    findings: tuple[Finding, ...]
    simulated: bool

    def originals(self, used: Iterable[Path]) -> tuple[Path, ...]:
        """Files that a model used, with the study's in the place of the cache's."""
        beside = (path for path in used if Path(os.path.normpath(path)) not in self.files)
        return tuple(dict.fromkeys((*self.inputs, *beside)))


def concrete(model: Model, report: Report = silent) -> Model:
    """A model on files: of a study's question its table and images in the cache, else the model itself.

    Raises
    ------
    Problem
        As `prepare`.
    """
    if model.study is None:
        return model
    return on_files(model, prepare(model.study, report))


def on_files(model: Model, rows: PreparedRows) -> Model:
    """A study's question as a model on its prepared files."""
    mask = model.mask if model.mask is not None or rows.mask is None else str(rows.mask)
    data = TABLE if model.data == TABLE else rows.data
    return replace(model, study=None, table=str(rows.table), data=data, mask=mask)


def prepare(rows: StudyRows, report: Report = silent) -> PreparedRows:
    """Files for a study's question; those that are there already are not made again.

    Raises
    ------
    Problem
        The study cannot be read, has no such scans, or nobody is left.
    """
    from .reading import read_study  # noqa: PLC0415 - pandas

    known = _remembered(rows)
    if known is not None:
        report(1.0)
        return known
    study = read_study(rows.study, lambda done: report(0.1 * done))
    made = prepare_study(study, rows, lambda done: report(0.1 + 0.9 * done))
    _remember(rows, made)
    return made


def prepare_study(study: Study, asked: StudyRows, report: Report = silent) -> PreparedRows:
    """The same for a study that is read.

    Raises
    ------
    Problem
        As `prepare`.
    """
    people = people_of(study, asked)
    if asked.measure == "regions":
        from .prepare_regions import regions_of  # noqa: PLC0415 - Numba

        found = regions_of(people, asked, lambda done: report(0.95 * done))
    else:
        scans = [scan for row in people.rows for scan in row.scans]
        grid, moved = grid_of(asked.choices, scans)
        target = target_of(asked.choices, grid, people.space)
        people = replaced(people, findings=(*people.findings, *moved))
        found = images_of(study, people, asked, target, lambda done: report(0.95 * done))
    made = _written(study, asked, people, found)
    trim()
    report(1.0)
    return made


def _written(study: Study, asked: StudyRows, people: People, made: Made) -> PreparedRows:
    """The tables of what was made."""
    frame, about_scores = table_of(study, asked, replaced(people, rows=made.rows))
    for name, values in made.columns.items():
        frame[name] = values
    simulated = study.simulated or made.simulated
    findings = gathered((*made.findings, *about_scores))
    about = About("rows.tsv", simulated=simulated, parameters={"rows": asked}, warnings=findings)
    table = _table(frame, about).path
    files, data = (table, *made.files), COLUMN + IMAGES
    if made.regions is not None:
        regions = _table(made.regions, replace(about, file="regions.tsv")).path
        files, data = (*files, regions), str(regions)
    inputs = (*_tables_of(study, made), *made.inputs)
    return PreparedRows(table, data, made.grid, made.mask, inputs, files, findings, simulated)


def _tables_of(study: Study, made: Made) -> tuple[Path, ...]:
    """Tables of the study that a question stands on."""
    folder = study.folder
    if folder.is_file():
        return (folder,)
    people = dict.fromkeys(row.participant for row in made.rows)
    named = [folder / "participants.tsv", *(folder / who / f"{who}_sessions.tsv" for who in people)]
    named += [folder / "phenotype" / f"{name}.tsv" for name in study.scores]
    return tuple(path for path in named if path.is_file())


def _table(frame: pd.DataFrame, about: About) -> Kept:
    """A table, kept by its content."""
    text = frame.to_csv(sep="\t", index=False, na_rep="n/a")
    key = key_of([text, about], ())
    return kept(key, about.file) or keep(key, text.encode(), about)


_REMEMBERED: dict[StudyRows, tuple[object, PreparedRows]] = {}


def _remembered(rows: StudyRows) -> PreparedRows | None:
    """What was prepared before in this process, if nothing has changed since."""
    known = _REMEMBERED.get(rows)
    if known is None or not all(map(used_now, known[1].files)) or known[0] != _state(rows, known[1].inputs):
        return None
    return known[1]


def _remember(rows: StudyRows, made: PreparedRows) -> None:
    while len(_REMEMBERED) >= REMEMBERED:
        _REMEMBERED.pop(next(iter(_REMEMBERED)), None)
    _REMEMBERED[rows] = (_state(rows, made.inputs), made)


def _state(rows: StudyRows, inputs: Sequence[Path]) -> object:
    """What tells whether a study has changed: all its files and folders, and the files that were used."""
    folder = Path(rows.study)
    stamps: list[object] = [stamp_of(folder), *map(stamp_of, inputs)]
    for where, folders, files in os.walk(folder):
        folders.sort()
        stamps += [stamp_of(Path(where, name)) for name in sorted(files)]
    return hash(tuple(stamps))
