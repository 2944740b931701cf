"""What a model is fitted to: a row of values per scan, a column per voxel, vertex or region."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .io.memory import require
from .io.study_table import StudyTable, column_of, read_table
from .model_places import Place, RegionPlace, VolumePlace
from .model_scans import Scans, open_scans, with_data
from .models import COLUMN, Model
from .problems import Finding, Problem, silent

Report = Callable[[float], None]
Float32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ModelData:
    """Values of all scans that a model uses.

    Attributes
    ----------
    values : (n, V) float32
        Rows in the order of the table's kept rows.
    place : VolumePlace, SurfacePlace or RegionPlace
        What the columns are.
    inputs : tuple of Path
    findings : tuple of Finding
    simulated : bool
        Whether any of it is nobody's data.
    """

    values: Float32
    place: Place
    inputs: tuple[Path, ...]
    findings: tuple[Finding, ...] = ()
    simulated: bool = False


def read_data(model: Model, table: StudyTable, rows: Sequence[int], report: Report = silent) -> ModelData:
    """The values of some rows of a study's table.

    Elements count that have a number in every row and not the same number in all of them.

    Raises
    ------
    Problem
        A file is missing, is of another grid or surface than the first, or their number is not the table's.
    """
    if is_region_table(model.data):
        return _regions(model, table, rows)
    with closing(open_scans(model.data, table, rows, model.surface)) as scans:
        inside, notes = _analysed(model, scans, lambda done: report(0.4 * done))
        place = scans.whole.of(inside)
        require(scans.where, 4 * len(rows) * len(inside))
        values = np.empty((len(rows), len(inside)), np.float32)
        for n in range(len(rows)):
            values[n] = place.take(scans.read(n))
            report(0.4 + 0.6 * (n + 1) / len(rows))
        masks = () if model.mask is None else with_data(Path(model.mask))
        return ModelData(values, place, (*scans.inputs, *masks), (*scans.findings, *notes), scans.simulated)


def read_covariate(
    column: str, table: StudyTable, rows: Sequence[int], data: ModelData, report: Report = silent
) -> ModelData:
    """A covariate with a value per element, on the elements of a model's data.

    Raises
    ------
    Problem
        As `read_data`; or another grid or surface; or an element without a number.
    """
    with closing(open_scans(COLUMN + column, table, rows, None)) as scans:
        place = data.place
        if isinstance(place, RegionPlace) or not scans.whole.fits(place):
            what = f"column {column}: the images are not on the grid or surface of the data"
            raise Problem(table.path, what, "resample them to the data's grid")
        values = np.empty_like(data.values)
        for n in range(len(rows)):
            values[n] = place.take(scans.read(n))
            report((n + 1) / len(rows))
        bad = int((~np.isfinite(values)).any(axis=0).sum())
        if bad:
            what = f"column {column}: {bad} of {values.shape[1]} analysed elements have no number in some image"
            raise Problem(table.path, what, "give a mask with --mask that the covariate covers")
        return ModelData(values, place, scans.inputs, scans.findings, scans.simulated)


def rows_with_images(model: Model, table: StudyTable) -> tuple[NDArray[np.int64], tuple[Finding, ...]]:
    """Rows whose images are named, and who is left out because a cell of a column of files is empty."""
    columns = [model.data.removeprefix(COLUMN)] if model.data.startswith(COLUMN) else []
    columns += [column for _, column in model.voxelwise]
    named = np.ones(len(table.frame), bool)
    findings: list[Finding] = []
    for column in columns:
        there = column_of(table, column).notna().to_numpy(bool)
        for row in np.flatnonzero(~there & named):
            name = who(table, int(row), model.subject)
            message = f"{name} (row {row + 1}) is left out: column {column} is empty."
            findings.append(Finding("row-left-out", name, int(row) + 1, message))
        named &= there
    return np.flatnonzero(named), tuple(findings)


def who(table: StudyTable, row: int, subject: str | None = None) -> str:
    """What a row is called: its subject, else its participant, else its number."""
    frame = table.frame
    name = next((each for each in (subject, "participant_id", "subject", "id") if each in frame.columns), None)
    return f"row {row + 1}" if name is None else str(frame[name].iloc[row])


def is_region_table(data: str) -> bool:
    """Whether the data are the columns of a table."""
    return not data.startswith(COLUMN) and Path(data).suffix.lower() in {".tsv", ".csv"}


def _regions(model: Model, table: StudyTable, rows: Sequence[int]) -> ModelData:
    source = read_table(model.data)
    if len(source.frame) != len(table.frame):
        what = f"has {len(source.frame)} rows, the table {len(table.frame)}"
        raise Problem(source.path, what, "give both the same rows in the same order")
    for option, value in (("mask", model.mask), ("region", model.region)):
        if value is not None:
            raise Problem(source.path, f"has columns, which --{option} cannot choose from", f"leave --{option} out")
    numbers = source.frame.select_dtypes("number")
    values = numbers.to_numpy(np.float32)[np.asarray(rows, np.int64)]
    kept = np.isfinite(values).all(axis=0) & (values != values[:1]).any(axis=0)
    names = tuple(str(name) for name in numbers.columns)
    if not kept.any():
        raise Problem(source.path, "has no column of numbers that is complete and varies", "name a table of regions")
    left_out = [name for name, keep in zip(names, kept, strict=True) if not keep]
    findings = ()
    if left_out:
        message = f"Left out, since a number is missing or all are the same: {', '.join(left_out)}."
        findings = (Finding("columns-left-out", str(source.path), len(left_out), message),)
    place = RegionPlace(names, source.path).of(np.flatnonzero(kept))
    return ModelData(np.ascontiguousarray(values[:, kept]), place, (source.path,), findings)


def _analysed(model: Model, scans: Scans, report: Report) -> tuple[NDArray[np.int64], tuple[Finding, ...]]:
    """Elements that count, and what to know about them."""
    chosen, findings = _chosen(model, scans)
    first = scans.read(0)
    finite, varies = np.isfinite(first), np.zeros(first.shape, bool)
    empty = first == 0
    some_empty = empty.copy()
    for n in range(1, scans.n):
        values = scans.read(n)
        finite &= np.isfinite(values)
        varies |= values != first
        some_empty |= values == 0
        report(n / scans.n)
    chosen = finite & varies & chosen
    if not chosen.any():
        raise Problem(scans.where, "no element varies over the scans within the mask", "check the mask and the images")
    count = int((some_empty & chosen).sum())
    if count > 0:
        message = (
            f"{count} of {int(chosen.sum())} analysed elements are exactly 0 in some scans but not in all, "
            "as outside a field of view: a mask is safer."
        )
        findings = (*findings, Finding("zero-in-some", str(scans.where), count, message))
    return np.flatnonzero(chosen), findings


def _chosen(model: Model, scans: Scans) -> tuple[NDArray[np.bool_], tuple[Finding, ...]]:
    """Elements within mask and region, and what to know about the mask."""
    place = scans.whole
    if not isinstance(place, VolumePlace):
        return _chosen_on_surface(model, scans), ()
    chosen, findings = np.ones(len(place.voxels), bool), ()
    if model.mask is not None:
        inside, findings = _mask(model.mask, place)
        chosen &= inside.reshape(-1, order="F")
    if model.region is not None:
        chosen &= _region(model, place, scans.where).reshape(-1, order="F")
    return chosen, findings


def _mask(path: str, place: VolumePlace) -> tuple[NDArray[np.bool_], tuple[Finding, ...]]:
    from .io.volumes import open_volume  # noqa: PLC0415
    from .runs import mask_on_grid  # noqa: PLC0415 - compiled

    with closing(open_volume(path)) as mask:
        same = mask.grid == place.grid
    inside = mask_on_grid(path, place.grid)
    if not inside.any():
        raise Problem(path, "holds no voxel of the images", "give a mask that is above 0 where the images lie")
    if same:
        return inside, ()
    message = "The mask is on another grid than the images: it is taken at their voxels' centres, nearest neighbour."
    return inside, (Finding("mask-resampled", path, None, message),)


def _chosen_on_surface(model: Model, scans: Scans) -> NDArray[np.bool_]:
    if model.region is not None:
        raise Problem(scans.where, "lies on a surface, where regions of volume atlases are not", "give a --mask")
    if model.mask is None:
        return np.ones(scans.read(0).shape, bool)
    from .io.surface_data import read_surface_data  # noqa: PLC0415

    mask = read_surface_data(model.mask).frame(0)
    if mask.shape != scans.read(0).shape:
        raise Problem(model.mask, f"has {mask.size} vertices, the data {scans.read(0).size}", "give one of the surface")
    return np.nan_to_num(mask) > 0


def _region(model: Model, place: VolumePlace, where: Path) -> NDArray[np.bool_]:
    from . import templates  # noqa: PLC0415
    from .compute import open_atlas  # noqa: PLC0415
    from .finder import resolve_region  # noqa: PLC0415

    regions = resolve_region(model.region or "", model.atlas)
    atlas: Any = open_atlas(regions[0].atlas)
    fit = templates.compatible(place.space, atlas.info.template)
    if not fit.names_regions:
        todo = "give --mask FILE, or name the data's space with a space- entity or a sidecar"
        raise Problem(where, fit.message.removesuffix(": no region names are shown"), todo)
    inside = atlas.mask(regions, place.grid)
    if not inside.any():
        raise Problem(where, f"holds no voxel of {model.region}", "choose a region that the images cover")
    return inside
