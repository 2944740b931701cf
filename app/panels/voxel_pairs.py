"""Both sessions of each person behind a change: prepared scans of a study, or the scans of a model within subjects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ...stats.errors import CannotCompute
from ..io.study_table import paths_of, read_table
from ..model_data import is_region_table
from ..model_fit import Fitted, Tested
from ..model_places import RegionPlace, VolumePlace
from ..models import COLUMN
from ..study.prepare_people import people_of
from ..study.prepare_rows import COMPARED
from ..study.prepared import prepare_study
from ..study.region_set import NamedRegion, on_grid
from ..study.values import PERSON, SESSION
from .model_voxel import Paired
from .voxel_people import first_rows
from .voxel_series import Series

if TYPE_CHECKING:
    from ..study.values import Study

Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scans:
    """Scans of both sessions.

    Attributes
    ----------
    sessions : (str, str)
    row_of : mapping of (participant, session) to int
    files : tuple of Path
        Maps, a row each; empty where `values` has columns of regions.
    values : mapping of region to (rows,) float64
    """

    sessions: tuple[str, str]
    row_of: dict[tuple[str, str], int]
    files: tuple[Path, ...]
    values: dict[str, Float64]


def has_pairs(fitted: Fitted, tested: Tested) -> bool:
    """Whether a test is about the change of each person between two sessions."""
    rows, combine = fitted.model.study, tested.part.combine
    if rows is not None and rows.per in COMPARED:
        return True
    return combine is not None and tested.part.repeated is None and bool((combine < 0).any())


def paired(
    fitted: Fitted, tested: Tested, series: Series, region: NamedRegion | None, study: Callable[[], Study]
) -> Paired:
    """Values of both sessions at a place.

    Parameters
    ----------
    fitted : Fitted
    tested : Tested
    series : Series
        Of that place.
    region : NamedRegion or None
        That it is the mean of.
    study : callable
        Gives the study of the model, read.

    Raises
    ------
    CannotCompute
        There are no two sessions, or no images to read them from.
    Problem
        The study cannot be read.
    """
    if tested.part.combine is not None:
        return _within(fitted, tested, series)
    scans = scans_of(fitted, study())
    values = _read(fitted, scans, series, region)
    frame = fitted.laid.table.frame
    people = [str(frame[PERSON].iloc[row]) for row in first_rows(fitted, tested.part)]
    whole = np.append(values, np.nan)
    rows = [[scans.row_of.get((who, session), -1) for session in scans.sessions] for who in people]
    first, second = (session.removeprefix("ses-") for session in scans.sessions)
    return Paired((first, second), whole[np.array(rows, np.int64)], _unit(scans))


def _within(fitted: Fitted, tested: Tested, series: Series) -> Paired:
    """The scans whose difference an observation is."""
    combine, column = tested.part.combine, fitted.model.within
    if combine is None or column is None:
        raise CannotCompute("this test is of one scan of each person", "choose a test of change")
    levels = fitted.laid.table.frame[column].iloc[fitted.laid.rows].astype(str).to_numpy()
    less, more = np.argmin(combine, axis=1), np.argmax(combine, axis=1)
    sessions = levels[less[0]].removeprefix("ses-"), levels[more[0]].removeprefix("ses-")
    place = None if fitted.data is None else fitted.data.place
    unit = place.info.unit if isinstance(place, VolumePlace) else ""
    return Paired(sessions, np.column_stack([series.values[less], series.values[more]]), unit or "data")


def scans_of(fitted: Fitted, study: Study) -> Scans:
    """Prepared scans of the two sessions that a study's question compares.

    Raises
    ------
    Problem
        As `prepare_study`.
    """
    asked = fitted.model.study
    if asked is None:
        raise TypeError(fitted.model)
    sessions = people_of(study, asked).compared
    return _scans(replace(asked, per="scan", sessions=sessions, beside=()), _Read(study))


class _Read:
    """A study by its identity."""

    def __init__(self, study: Study) -> None:
        self.study = study

    def __hash__(self) -> int:
        return id(self.study)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Read) and other.study is self.study


@lru_cache(maxsize=4)
def _scans(asked: Any, read: _Read) -> Scans:
    made = prepare_study(read.study, asked)
    table = read_table(made.table)
    people, sessions = (table.frame[name].astype(str).tolist() for name in (PERSON, SESSION))
    row_of = {key: row for row, key in reversed(list(enumerate(zip(people, sessions, strict=True))))}
    first, second = asked.sessions
    if is_region_table(made.data):
        numbers = read_table(made.data).frame.select_dtypes("number")
        values = {str(name): numbers[name].to_numpy(np.float64) for name in numbers.columns}
        return Scans((first, second), row_of, (), values)
    return Scans((first, second), row_of, paths_of(table, made.data.removeprefix(COLUMN)), {})


def _read(fitted: Fitted, scans: Scans, series: Series, region: NamedRegion | None) -> Float64:
    """Values of every scan at the place, (rows,)."""
    place = None if fitted.data is None else fitted.data.place
    if isinstance(place, RegionPlace):
        if series.where not in scans.values:
            raise CannotCompute(f"{series.where} has no values per scan", "choose another region")
        return scans.values[series.where]
    if not isinstance(place, VolumePlace):
        raise CannotCompute("only volumes and regions are kept per scan", "look at the change")
    if region is None:
        if series.element is None:
            raise TypeError(series)
        return _at(scans.files, place, place.voxels[[series.element]], np.ones(1))
    (pieces,) = on_grid([region], place.grid)
    inside = np.isin(pieces.voxels, place.voxels)
    return _at(scans.files, place, pieces.voxels[inside], pieces.share[inside])


def _at(files: Sequence[Path], place: VolumePlace, voxels: NDArray[np.int64], share: Float64) -> Float64:
    """Weighted means of a few voxels of many maps."""
    from ..io.volumes import open_volume  # noqa: PLC0415

    found = np.empty(len(files))
    for n, path in enumerate(files):
        with closing(open_volume(path)) as volume:
            if volume.grid != place.grid:
                raise CannotCompute("the scans of single sessions lie on another grid", "choose one grid for the study")
            if len(voxels) == 1:
                i, j, k = (int(each) for each in np.unravel_index(voxels[0], place.grid.shape, order="F"))
                found[n] = float(volume.series((i, j, k))[0])
            else:
                values = volume.frame(0).ravel(order="F")[voxels].astype(np.float64)
                known = np.isfinite(values)
                found[n] = values[known] @ share[known] / share[known].sum() if known.any() else np.nan
    return found


def _unit(scans: Scans) -> str:
    from ..io.sidecar import read_sidecar  # noqa: PLC0415

    about = read_sidecar(scans.files[0]) if scans.files else None
    unit = None if about is None else about.get("Units")
    return str(unit) if unit else "data"
