"""CIFTI-2: values on both cortices and in subcortical voxels, by grayordinate or by parcel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..problems import Finding, Problem
from .files import reading, regular_file
from .info import FileInfo
from .layout import Header, scaling, three
from .sidecar import NONE
from .space import Placement, settle_space
from .surface_cifti import AGAIN, StoredCifti, read_stored
from .surface_data import SurfaceData
from .surface_files import sidecar_beside
from .surface_grayordinates import (
    Part,
    Voxels,
    brain_models,
    check_rows,
    parcels,
    plain_name,
    vertex_rows,
    voxels_of,
)
from .surface_info import Described, about, entry
from .surface_names import Hemisphere
from .surface_table import NO_TIMES, Label, ValueTable, spread
from .times import FrameTimes, Step, Timing, settle_times
from .volume_info import VolumeInfo
from .volumes import Report, Volume

_MAP_TYPES = {"SERIES": "tseries", "SCALARS": "scalar", "LABELS": "label"}
_ROW_TYPES = {"BRAIN_MODELS": "d", "PARCELS": "p"}
_CORTEX: dict[str, Hemisphere] = {"CORTEX_LEFT": "left", "CORTEX_RIGHT": "right"}
_PIECE_BYTES = 2**24
# Grayordinates of the HCP's standard space; its voxels lie in MNI152NLin6Asym (Glasser et al. 2013).
_STANDARD_GRAYORDINATES = 91282
_STANDARD_SPACE = "MNI152NLin6Asym"


class Structure(NamedTuple):
    """One part of the brain or parcel in a file: its name, and how many vertices and voxels it has."""

    name: str
    n_vertices: int
    n_voxels: int


class CiftiVolume(Volume):
    """The voxels of a CIFTI file as an image of their own; NaN where the file has no data.

    Attributes
    ----------
    rows : (nx, ny, nz) int32, Fortran order, read-only
        Row of each voxel in the file's table; -1 where the file has no data.
    """

    def __init__(self, info: VolumeInfo, header: Header, table: ValueTable, voxels: Voxels) -> None:
        super().__init__(info, header)
        self.rows = voxels.rows
        self._table = table
        self._voxels = voxels

    @property
    def space(self) -> str | None:
        """Template that the voxels lie in, None when the file does not say."""
        return self.info.space.template

    def series(self, ijk: tuple[int, int, int]) -> NDArray[np.float32]:
        """Values of one voxel in all frames, (n_frames,); NaN where the file has no data."""
        if not all(0 <= index < size for index, size in zip(ijk, self.rows.shape, strict=True)):
            raise IndexError(f"voxel {ijk} is outside {self.rows.shape}")
        row = int(self.rows[ijk])
        return np.full(self.n_frames, np.nan, np.float32) if row < 0 else self._table.series(row)

    def labels(self, index: int = 0) -> tuple[Label, ...]:
        """Label table of one frame; empty when the values are numbers."""
        return self._table.labels[index] if self._table.labels else ()

    def structure_at(self, ijk: tuple[int, int, int]) -> str | None:
        """Name of the structure or parcel of a voxel, None where the file has no data."""
        number = int(self._voxels.parts[ijk])
        return None if number < 0 else self._voxels.names[number]


@dataclass(frozen=True, eq=False)
class Cifti:
    """A CIFTI file.

    Attributes
    ----------
    path : Path
        The file.
    kind : str
        ``dscalar``, ``dtseries``, ``dlabel``, ``pscalar``, ``ptseries`` or ``plabel``.
    table : ValueTable
        Values of grayordinates or parcels by frame; mapped from the file, not read.
    cortices : tuple of SurfaceData
        Left and right cortex, those that are there; NaN on vertices without data.
    volume : CiftiVolume or None
        The voxels, None when there are none.
    structures : tuple of Structure
        Parts of the brain (dense files) or parcels.
    timing : Timing
        Repetition time and times of a series.
    dtype : str
        Name of the stored type, such as ``float32``.
    findings : tuple of Finding
        What is odd about the file.
    """

    path: Path
    kind: str
    table: ValueTable
    cortices: tuple[SurfaceData, ...]
    volume: CiftiVolume | None
    structures: tuple[Structure, ...]
    timing: Timing
    dtype: str
    findings: tuple[Finding, ...] = ()

    @property
    def n_frames(self) -> int:
        """Number of frames or maps, at least 1."""
        return self.table.n_frames

    @property
    def times(self) -> FrameTimes | None:
        """When the frames were taken, None when that is not known or they are no series in time."""
        return self.timing.times

    def load(self, report: Report | None = None) -> None:
        """Read the file once, so that frames come from the system's cache: a frame of a long run lies all over it.

        Parameters
        ----------
        report : callable, optional
            Called with the share of the file that is read; what it raises stops the work.
        """
        size = regular_file(self.path).size
        done = 0
        with reading(self.path), self.path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                done += len(piece)
                if report:
                    report(min(1.0, done / size))


def read_cifti(path: str | Path) -> Cifti:
    """Read the header of a CIFTI-2 file; values are mapped, and read when they are asked for.

    Raises
    ------
    Problem
        Not readable, not CIFTI-2, compressed, cut short, a connectivity matrix, or contradicting itself.
    """
    path = Path(path)
    stored = read_stored(path)
    kind = _kind(path, stored)
    timing = _timing(path, stored)
    try:
        return _interpreted(path, kind, stored, timing)
    except Problem:
        raise
    except Exception as error:  # nibabel's parts check themselves late, in ways of their own
        reason = str(error) or type(error).__name__
        raise Problem(path, f"its CIFTI header contradicts itself ({reason})", AGAIN) from error


def cifti_info(path: Path) -> FileInfo:
    """Describe a CIFTI file for ``habena info``.

    Raises
    ------
    Problem
        When it cannot be read.
    """
    cifti = read_cifti(path)
    parts = "parcels" if cifti.kind.startswith("p") else "structures"
    meshes = ", ".join(f"{data.hemisphere} cortex of {data.n_vertices} vertices" for data in cifti.cortices)
    voxels = sum(structure.n_voxels for structure in cifti.structures)
    places = " and ".join(place for place in (meshes, f"{voxels} voxels" if voxels else "") if place)
    told = Described(
        format=about(f"CIFTI-2 {cifti.kind}", f"{len(cifti.structures)} {parts} on {places}", None),
        dtype=cifti.dtype,
        shape=cifti.table.values.shape,
        frames=cifti.n_frames,
        space=cifti.volume.space if cifti.volume else None,
        timing=cifti.timing,
        findings=cifti.findings,
    )
    return entry(path, told)


def _kind(path: Path, stored: StoredCifti) -> str:
    maps, places = (
        str(index_map.indices_map_to_data_type).removeprefix("CIFTI_INDEX_TYPE_")
        for index_map in (stored.maps, stored.places)
    )
    if maps not in _MAP_TYPES or places not in _ROW_TYPES:
        what = f"holds {places.lower()} by {maps.lower()} (a connectivity matrix or the like), which is not shown"
        raise Problem(path, what, "open a dscalar, dtseries, dlabel, pscalar or ptseries file")
    return _ROW_TYPES[places] + _MAP_TYPES[maps]


def _interpreted(path: Path, kind: str, stored: StoredCifti, timing: Timing) -> Cifti:
    names, labels = _frames(stored)
    table = ValueTable(stored.values, names, labels, stored.slope, stored.intercept, stored.guard)
    parts = tuple(parcels(stored.places) if kind.startswith("p") else brain_models(stored.places))
    check_rows(parts, len(table.values))
    structures = tuple(Structure(part.name, sum(map(len, part.vertices.values())), len(part.voxels)) for part in parts)
    voxels = voxels_of(path, stored.places, parts)
    volume = None if voxels is None else _volume(path, stored, table, voxels, timing)
    cortices = tuple(_cortices(path, stored.places, table, parts, timing))
    findings = (*timing.findings, *(volume.info.findings if volume else ()), *_not_shown(path, parts))
    return Cifti(path, kind, table, cortices, volume, structures, timing, stored.dtype, findings)


def _frames(stored: StoredCifti) -> tuple[tuple[str, ...], tuple[tuple[Label, ...], ...]]:
    """Names and label tables of the frames."""
    n_frames = stored.values.shape[1]
    n_points = stored.maps.number_of_series_points
    maps = () if n_points is not None else tuple(stored.maps.named_maps)
    described = len(maps) if n_points is None else int(n_points)
    if described != n_frames:
        raise ValueError(f"it describes {described} of {n_frames} frames")
    if not maps:
        return ("",) * n_frames, ()
    tables = tuple(_labels(named.label_table) for named in maps if named.label_table is not None)
    return tuple(str(named.map_name or "") for named in maps), tables if len(tables) == n_frames else ()


def _labels(table: Any) -> tuple[Label, ...]:
    labels: list[Label] = []
    for key, stored in table.items():
        red, green, blue, alpha = (float(part) for part in stored.rgba)
        labels.append(Label(int(key), str(stored.label), (red, green, blue, alpha)))
    return tuple(labels)


def _timing(path: Path, stored: StoredCifti) -> Timing:
    """Times of a series in seconds; a series in Hz, metres or radians has none."""
    maps = stored.maps
    if maps.number_of_series_points is None or str(maps.series_unit).upper() != "SECOND":
        return NO_TIMES
    try:
        scale = 10.0 ** int(maps.series_exponent)
        start_s, step_s = float(maps.series_start) * scale, float(maps.series_step) * scale
    except (TypeError, ValueError, OverflowError) as error:
        raise Problem(path, f"does not say when its series starts and steps ({error})", AGAIN) from error
    sidecar, notes = sidecar_beside(path)
    timing = settle_times(path, stored.values.shape[1], Step(step_s, "s"), sidecar)
    timing = timing._replace(findings=notes + timing.findings)
    if timing.times is None or not start_s:
        return timing
    shifted = tuple(start_s + time for time in timing.times.start_s)
    return timing._replace(times=FrameTimes(shifted, timing.times.duration_s, timing.times.source))


def _cortices(
    path: Path, places: Any, table: ValueTable, parts: tuple[Part, ...], timing: Timing
) -> Iterator[SurfaceData]:
    for structure, side in _CORTEX.items():
        rows = vertex_rows(path, places, parts, structure)
        if rows is not None:
            yield SurfaceData(table, rows, side, path, timing)


def _volume(path: Path, stored: StoredCifti, table: ValueTable, voxels: Voxels, timing: Timing) -> CiftiVolume:
    shape = three(voxels.rows.shape)
    x, y, z = np.sqrt((voxels.affine[:3, :3] ** 2).sum(axis=0)).tolist()
    placement = Placement(shape, (x, y, z), affine=voxels.affine)
    space = settle_space(path, placement, None)
    if len(table.values) == _STANDARD_GRAYORDINATES:
        space = replace(space, template=_STANDARD_SPACE)
    elif space.template == "fsLR":  # the file name's word for the surfaces
        space = replace(space, template=None)
    header = Header(
        format="CIFTI-2",
        shape=(*shape, table.n_frames),
        dtype=stored.dtype,
        kind="scalar",
        placement=placement,
        step=Step(),
        voxels=lambda index: spread(table.frame(index), voxels.rows),
        scaling=scaling(),
    )
    info = VolumeInfo(
        path=path,
        format=header.format,
        shape=header.shape,
        dtype=header.dtype,
        kind=header.kind,
        space=space,
        n_frames=table.n_frames,
        tr_s=timing.tr_s,
        times=timing.times,
        unit="",
        statistic="",
        description="",
        frame_names=table.names,
        sidecar=NONE,
        findings=space.findings,
    )
    return CiftiVolume(info, header, table, voxels)


def _not_shown(path: Path, parts: tuple[Part, ...]) -> Iterator[Finding]:
    """Surfaces other than the two cortices."""
    others = {name for part in parts for name in part.vertices} - set(_CORTEX)
    for name in sorted(others):
        message = f"Values on the surface of the {plain_name(name)} are not shown: only the two cortices are."
        yield Finding("cifti-surface-not-shown", str(path), None, message)
