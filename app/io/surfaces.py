"""Surfaces of the cortex in world millimetres: GIFTI and FreeSurfer geometry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..problems import Finding, Problem
from .identify import identify
from .info import FileInfo
from .surface_data import read_surface_data
from .surface_freesurfer import read_freesurfer_geometry
from .surface_gifti import holds_surface, plain_word, read_gifti, side_of
from .surface_info import Described, about, entry
from .surface_names import NOT_IN_WORLD, Hemisphere, hemisphere_of, kind_of, mesh_of, template_of
from .surface_space import SCANNER, Place, space_unknown, to_world, volume_of_gifti

_POINTSET, _TRIANGLE = 1008, 1009
_KIND_OF_STRUCTURE = {"pial": "pial", "graywhite": "white", "midthickness": "midthickness"}
_KIND_OF_GEOMETRY = {
    "inflated": "inflated",
    "veryinflated": "very_inflated",
    "sphere": "sphere",
    "spherical": "sphere",
    "semispherical": "sphere",
    "ellipsoid": "sphere",
    "flat": "flat",
    "hull": "hull",
}
_FARTHEST_MM = 1e6
_SMALLEST_CORTEX_MM, _LARGEST_CORTEX_MM = 20.0, 400.0


@dataclass(frozen=True, eq=False)
class Surface:
    """One surface of one hemisphere.

    Attributes
    ----------
    coordinates : (n, 3) float32, read-only
        World positions in mm; for an inflated surface, a sphere or a flat patch, shapes to look at.
    faces : (m, 3) int32, read-only
        Vertices of each triangle.
    hemisphere : {"left", "right", ""}
        Empty when the file does not say.
    kind : str
        ``pial``, ``white``, ``midthickness``, ``hull``, ``inflated``, ``very_inflated``, ``sphere``, ``flat``;
        empty when the file does not say.
    space : str or None
        Template or ``scanner`` (the person's own space) of the coordinates, None when unknown.
    source : Path
        File it was read from.
    findings : tuple of Finding
        What was done to the coordinates, and what is odd about the file.
    """

    coordinates: NDArray[np.float32]
    faces: NDArray[np.int32]
    hemisphere: Hemisphere
    kind: str
    space: str | None
    source: Path
    findings: tuple[Finding, ...] = ()

    @property
    def n_vertices(self) -> int:
        """Number of vertices."""
        return len(self.coordinates)

    @property
    def mesh(self) -> str | None:
        """Shared mesh with that many vertices, such as ``fsaverage5``."""
        return mesh_of(self.n_vertices)

    @property
    def in_world(self) -> bool:
        """Whether the coordinates are places in the head."""
        return self.kind not in NOT_IN_WORLD


def surface_info(path: Path) -> FileInfo:
    """Describe a surface, or values on one, for ``habena info``.

    Raises
    ------
    Problem
        When it cannot be read.
    """
    found = identify(path)
    if found.kind != "surface" or (found.format == "GIFTI" and not holds_surface(path)):
        return _data_info(path, found.format)
    surface = read_surface(path)
    size = f"surface of {surface.n_vertices} vertices and {len(surface.faces)} triangles"
    told = Described(
        about(found.format, " ".join(filter(None, (surface.hemisphere, surface.kind, size))), surface.mesh),
        "float32",
        surface.coordinates.shape,
        space=None if surface.space == "scanner" else surface.space,
        findings=surface.findings,
    )
    return entry(path, told)


def _data_info(path: Path, file_format: str) -> FileInfo:
    data = read_surface_data(path)
    kind = "labels" if data.table.labels else "values"
    of_side = f" of the {data.hemisphere} hemisphere" if data.hemisphere else ""
    named = about(file_format, f"{kind} on {data.n_vertices} vertices{of_side}", data.mesh)
    shape = (data.n_vertices,) if data.n_frames == 1 else (data.n_vertices, data.n_frames)
    dtype = data.table.values.dtype.name
    told = Described(named, dtype, shape, data.n_frames, timing=data.timing, findings=data.findings)
    return entry(path, told)


class _Stored(NamedTuple):
    """What a file holds, before its coordinates are brought into the world."""

    coordinates: NDArray[Any]
    faces: NDArray[Any]
    hemisphere: Hemisphere
    kind: str
    place: Place


def read_surface(path: str | Path) -> Surface:
    """Read a GIFTI (.gii, .gii.gz) or FreeSurfer surface and bring it into world mm.

    FreeSurfer's surface coordinates are relative to the centre of a volume: its orientation and centre
    (``c_ras``), stored in the file, bring them to scanner mm. GIFTI files that FreeSurfer wrote store the
    same as ``VolGeom`` metadata. Other GIFTI transforms are applied when they lead from an unknown to a
    named space other than Talairach (FreeSurfer's GIFTI files state its linear Talairach transform there).

    Raises
    ------
    Problem
        Not readable, not a surface, cut short, with triangles of missing vertices or without positions.
    """
    path = Path(path)
    found = identify(path)
    if found.format not in _READERS:
        what = f"is a file of the kind {found.format}, not a surface"
        raise Problem(path, what, "open a .surf.gii file or a FreeSurfer file such as lh.pial")
    stored = _READERS[found.format](path)
    _check(path, stored.coordinates, stored.faces)
    kind = stored.kind or kind_of(path.name)
    coordinates = stored.coordinates.astype(np.float64)
    findings = list(_oddities(path, stored))
    space = template_of("/".join(path.parts[-3:]), stored.place.said_by)
    if kind not in NOT_IN_WORLD:
        placed = to_world(path, coordinates, stored.place)
        coordinates = placed.coordinates
        space = space or placed.space
        findings += [*placed.findings, *_absurd_size(path, coordinates)]
        if space is None:
            findings.append(space_unknown(path))
    return Surface(
        coordinates=_shared(coordinates, np.float32),
        faces=_shared(stored.faces, np.int32),
        hemisphere=stored.hemisphere or hemisphere_of(path.name),
        kind=kind,
        space=space,
        source=path,
        findings=tuple(findings),
    )


def _stored_freesurfer(path: Path) -> _Stored:
    geometry = read_freesurfer_geometry(path)
    place = Place(code=SCANNER if geometry.in_scanner_mm else 0, volume=geometry.volume, said_by=geometry.volume_file)
    return _Stored(geometry.coordinates, geometry.faces, "", "", place)


def _stored_gifti(path: Path) -> _Stored:
    arrays = read_gifti(path).darrays
    points = [array for array in arrays if array.intent == _POINTSET]
    triangles = [array for array in arrays if array.intent == _TRIANGLE]
    if not points or not triangles:
        missing = "vertex coordinates" if not points else "triangles"
        todo = "open it as an overlay of its surface, or open a .surf.gii file"
        raise Problem(path, f"holds no {missing}, so that it is not a surface", todo)
    metadata = {**dict(triangles[0].meta), **dict(points[0].meta)}
    geometry = plain_word(metadata, "geometrictype")
    structure = plain_word(metadata, "anatomicalstructuresecondary")
    return _Stored(
        points[0].data,
        triangles[0].data,
        side_of(metadata),
        _KIND_OF_GEOMETRY.get(geometry) or _KIND_OF_STRUCTURE.get(structure, ""),
        _place_of_gifti(points[0]),
    )


def _place_of_gifti(points: Any) -> Place:
    metadata = {str(key): str(value) for key, value in dict(points.meta).items()}
    system = points.coordsys
    transform = None if system is None else np.asarray(system.xform, dtype=np.float64)
    usable = transform is not None and transform.size == 16 and bool(np.isfinite(transform).all())
    return Place(
        code=0 if system is None else int(system.dataspace),
        volume=volume_of_gifti(metadata),
        to_code=0 if system is None else int(system.xformspace),
        transform=transform.reshape(4, 4) if transform is not None and usable else None,
        said_by=metadata.get("Name", ""),
    )


_READERS = {"GIFTI": _stored_gifti, "FreeSurfer surface": _stored_freesurfer}


def _check(path: Path, coordinates: NDArray[Any], faces: NDArray[Any]) -> None:
    """Refuse what cannot be drawn."""
    todo = "write the surface again with the program that made it"
    for name, array in (("coordinates", coordinates), ("triangles", faces)):
        if array.ndim != 2 or array.shape[1] != 3:
            raise Problem(path, f"its {name} have the shape {array.shape}, not (number, 3)", todo)
    if len(coordinates) < 3 or len(faces) < 1:
        raise Problem(path, f"has {len(coordinates)} vertices and {len(faces)} triangles: no surface", todo)
    if not np.issubdtype(faces.dtype, np.integer):
        raise Problem(path, f"names the vertices of its triangles by {faces.dtype} numbers", todo)
    broken = int((~(np.abs(coordinates) < _FARTHEST_MM)).any(axis=1).sum())
    if broken:
        raise Problem(path, f"{broken} of its {len(coordinates)} vertices have no position in reach", todo)
    lowest, highest = int(faces.min()), int(faces.max())
    if lowest < 0 or highest >= len(coordinates):
        named = lowest if lowest < 0 else highest
        raise Problem(path, f"a triangle names vertex {named}, of vertices 0 to {len(coordinates) - 1}", todo)
    if np.count_nonzero(np.ptp(coordinates, axis=0) > 0) < 2:
        raise Problem(path, "all its vertices lie on one line or point", todo)


def _oddities(path: Path, stored: _Stored) -> Iterator[Finding]:
    a, b, c = stored.faces.T
    collapsed = int(np.count_nonzero((a == b) | (b == c) | (a == c)))
    if collapsed:
        message = f"{collapsed} of {len(stored.faces)} triangles name a vertex twice and have no area."
        yield Finding("degenerate-triangles", str(path), collapsed, message)
    named = hemisphere_of(path.name)
    if stored.hemisphere and named and stored.hemisphere != named:
        message = f"The file name says {named}, the file itself {stored.hemisphere}; the file itself is followed."
        yield Finding("hemisphere-disagrees", str(path), None, message)


def _absurd_size(path: Path, coordinates: NDArray[np.float64]) -> Iterator[Finding]:
    extent_mm = float(np.ptp(coordinates, axis=0).max())
    if not _SMALLEST_CORTEX_MM <= extent_mm <= _LARGEST_CORTEX_MM:
        message = f"The surface spans {extent_mm:.4g} mm; a hemisphere spans about 170. Its unit may not be mm."
        yield Finding("surface-size", str(path), extent_mm, message)


_Number = TypeVar("_Number", np.float32, np.int32)


def _shared(array: NDArray[Any], dtype: type[_Number]) -> NDArray[_Number]:
    """Contiguous, read-only copy of an array."""
    copy = np.array(array, dtype=dtype, order="C")
    copy.flags.writeable = False
    return copy
