"""The images of a model, one per row of its table: frames of a 4D file, or files that a column names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .answers import Answer
from .io.identify import identify
from .io.study_table import StudyTable, paths_of
from .model_places import SurfacePlace, VolumePlace
from .models import COLUMN
from .problems import Finding, Problem

if TYPE_CHECKING:
    from .io.surface_data import SurfaceData

Float32 = NDArray[np.float32]
OF_TIME = ("tr-", "frame-times")  # findings that do not matter where frames are people


@dataclass(frozen=True, eq=False)
class Scans:
    """Images on one grid or surface.

    Attributes
    ----------
    where : Path
        The file to name when something is wrong.
    n : int
    read : callable
        Values of image ``n``, flat: voxels with x fastest, or vertices.
    whole : VolumePlace or SurfacePlace
        All elements.
    inputs : tuple of Path
    close : callable
    findings : tuple of Finding
    simulated : bool
    """

    where: Path
    n: int
    read: Callable[[int], Float32]
    whole: VolumePlace | SurfacePlace
    inputs: tuple[Path, ...]
    close: Callable[[], None]
    findings: tuple[Finding, ...] = ()
    simulated: bool = False


def open_scans(data: str, table: StudyTable, rows: Sequence[int], surface: str | None) -> Scans:
    """The images of some rows.

    Parameters
    ----------
    data : str
        A file with an image per row of the table, or ``column:COL``.
    table : StudyTable
    rows : sequence of int
    surface : str or None
        What data on vertices belong to.

    Raises
    ------
    Problem
        A file cannot be used, their number is not the table's, or one is of another grid or surface than the first.
    """
    in_column = data.startswith(COLUMN)
    paths = paths_of(table, data.removeprefix(COLUMN), rows) if in_column else (Path(data),)
    if not paths:
        raise Problem(table.path, "no row is left", "look at what was left out and why")
    on_surface = identify(paths[0]).kind == "surface-data"
    if surface is not None and not on_surface:
        raise Problem("--surface", "is for data on vertices, and these are volumes", "leave it out")
    if in_column:
        return _surface_files(paths, surface) if on_surface else _volume_files(paths)
    return _surface_frames(paths[0], table, rows, surface) if on_surface else _volume_frames(paths[0], table, rows)


def _volume_frames(path: Path, table: StudyTable, rows: Sequence[int]) -> Scans:
    answer = _volume(path)
    _as_many(path, answer.n_frames, table)
    image: Any = answer.image
    if not image.ready(image.n_frames - 1):
        image.load()
    findings = tuple(each for each in answer.findings if not each.code.startswith(OF_TIME))
    return Scans(
        path,
        len(rows),
        lambda n: image.frame(rows[n]).reshape(-1, order="F"),
        _whole(answer),
        with_data(path),
        image.close,
        findings,
        answer.simulated,
    )


def _volume_files(paths: tuple[Path, ...]) -> Scans:
    first = _volume(paths[0])
    whole = _whole(first)
    first_image: Any = first.image
    first_image.close()

    def read(n: int) -> Float32:
        answer = _volume(paths[n])
        image: Any = answer.image
        try:
            if image.n_frames != 1:
                raise Problem(paths[n], f"has {image.n_frames} volumes where one is expected", "name 3D images")
            if image.grid != whole.grid:
                raise _other_grid(paths[n], image.grid.shape, paths[0], whole.grid.shape)
            return image.frame(0).reshape(-1, order="F")
        finally:
            image.close()

    inputs = tuple(dict.fromkeys(file for path in paths for file in with_data(path)))
    simulated = any(map(_says_simulated, paths))
    return Scans(paths[0], len(paths), read, whole, inputs, lambda: None, first.findings, simulated)


def _surface_frames(path: Path, table: StudyTable, rows: Sequence[int], surface: str | None) -> Scans:
    data = _surface_data(path)
    _as_many(path, data.n_frames, table)
    place = SurfacePlace(_cortex_of(data, surface), np.arange(data.n_vertices), path)
    return Scans(path, len(rows), lambda n: data.frame(rows[n]), place, (path,), lambda: None, data.findings)


def _surface_files(paths: tuple[Path, ...], surface: str | None) -> Scans:
    first = _surface_data(paths[0])
    place = SurfacePlace(_cortex_of(first, surface), np.arange(first.n_vertices), paths[0])

    def read(n: int) -> Float32:
        data = _surface_data(paths[n])
        if data.n_frames != 1:
            raise Problem(paths[n], f"has {data.n_frames} maps where one is expected", "name files of one map")
        if data.n_vertices != first.n_vertices or data.hemisphere != first.hemisphere:
            what = f"has {data.n_vertices} vertices ({data.hemisphere or 'no side'}), {paths[0].name} has "
            raise Problem(paths[n], f"{what}{first.n_vertices} ({first.hemisphere or 'no side'})", "use one surface")
        return data.frame(0)

    return Scans(paths[0], len(paths), read, place, paths, lambda: None, first.findings)


def _volume(path: Path) -> Answer:
    from .compute import open_file  # noqa: PLC0415

    answer = open_file(str(path))
    if answer.image is None or answer.image.kind != "scalar" or answer.cortex:
        what = "holds no volume of numbers"
        raise Problem(path, what, "name NIfTI images, surface data (.gii, .mgh) of one hemisphere, or a table")
    return answer


def _whole(answer: Answer) -> VolumePlace:
    image: Any = answer.image
    voxels = np.arange(int(np.prod(image.grid.shape)), dtype=np.int64)
    return VolumePlace(image.grid, voxels, image.info, answer.space)


def _surface_data(path: Path) -> SurfaceData:
    from .io.surface_data import read_surface_data  # noqa: PLC0415

    data = read_surface_data(path)
    if data.table.labels:
        raise Problem(path, "holds labels, not values", "name data on the cortex")
    return data


def _cortex_of(data: SurfaceData, surface: str | None) -> Any:
    from .io.surface_cortex import cortex_for, fsaverage5, read_cortices, surfaces_beside  # noqa: PLC0415

    if surface is not None:
        return cortex_for(data, read_cortices(surface))
    beside = surfaces_beside(data.source)
    try:
        return cortex_for(data, read_cortices(beside[0]) if beside else fsaverage5())
    except Problem as refused:
        raise Problem(data.source, refused.what, "name its surface with --surface") from refused


def _as_many(path: Path, n_frames: int, table: StudyTable) -> None:
    if n_frames != len(table.frame):
        what = f"has {n_frames} images, the table {table.path.name} {len(table.frame)} rows"
        raise Problem(path, what, "give one image per row, in the table's order")


def _other_grid(path: Path, shape: tuple[int, ...], first: Path, other: tuple[int, ...]) -> Problem:
    sizes = [" x ".join(map(str, each)) for each in (shape, other)]
    what = f"is on another grid ({sizes[0]}) than {first.name} ({sizes[1]})"
    if shape == other:
        what = f"is of the size of {first.name} ({sizes[0]}), but lies elsewhere: the affines differ"
    return Problem(path, what, "resample all images to one grid")


def with_data(path: Path) -> tuple[Path, ...]:
    """A file and the one beside it that holds its voxels (.hdr and .img)."""
    found = identify(path)
    return tuple(dict.fromkeys((found.path, found.data)))


def _says_simulated(path: Path) -> bool:
    from .compute import is_simulated  # noqa: PLC0415
    from .io.sidecar import read_sidecar  # noqa: PLC0415

    return is_simulated(str(path), read_sidecar(path))
