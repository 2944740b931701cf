"""FreeSurfer's binary files: geometry, per-vertex values and annotations."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..problems import Problem
from .surface_files import read_bytes, truncated

_TRIANGLES = b"\xff\xff\xfe"
_CURVATURE = b"\xff\xff\xff"
_VOLUME_TAG = 20
_SCANNER_TAG = 2


class VolumeGeometry(NamedTuple):
    """The volume that a FreeSurfer surface was made from: direction of its axes and centre, in scanner mm.

    Attributes
    ----------
    directions : (3, 3) float64
        Columns are the unit vectors of the voxel axes.
    c_ras_mm : (3,) float64
        Position of the volume's centre.
    """

    directions: NDArray[np.float64]
    c_ras_mm: NDArray[np.float64]


class Geometry(NamedTuple):
    """A FreeSurfer geometry file as it is stored."""

    coordinates: NDArray[np.float32]
    faces: NDArray[np.int32]
    volume: VolumeGeometry | None
    volume_file: str
    in_scanner_mm: bool


def is_freesurfer_geometry(path: Path) -> bool:
    """Whether the file starts as FreeSurfer's triangle files do."""
    try:
        with path.open("rb") as file:
            return file.read(3) == _TRIANGLES
    except OSError:
        return False


def read_freesurfer_geometry(path: Path) -> Geometry:
    """Vertices, faces and volume geometry of ``lh.pial`` and its kin, as stored.

    Raises
    ------
    Problem
        Not readable, not such a file, or cut short.
    """
    content = read_bytes(path)
    if content[:3] == _CURVATURE:
        what = "holds values per vertex (or is an old surface of quadrangles), not a surface of triangles"
        raise Problem(path, what, "open it as an overlay of its surface, or convert it with mris_convert")
    if content[:3] != _TRIANGLES:
        what = "is neither a GIFTI nor a FreeSurfer surface"
        raise Problem(path, what, "open a .surf.gii file or a FreeSurfer file such as lh.pial")
    counts_at = content.find(b"\n", content.find(b"\n") + 1) + 1
    start = counts_at + 8
    if counts_at < 5 or len(content) < start:
        raise truncated(path, start, len(content))
    n_vertices, n_faces = struct.unpack_from(">2i", content, counts_at)
    end = start + 12 * (max(n_vertices, 0) + max(n_faces, 0))
    if min(n_vertices, n_faces) < 0 or len(content) < end:
        raise truncated(path, end, len(content))
    coordinates = np.frombuffer(content, ">f4", 3 * n_vertices, start).reshape(-1, 3)
    faces = np.frombuffer(content, ">i4", 3 * n_faces, start + 12 * n_vertices).reshape(-1, 3)
    in_scanner_mm, info = _volume_info(content[end:])
    volume = None
    if info.get("valid", "").startswith("1"):
        numbers = " ".join(info.get(key, "") for key in ("xras", "yras", "zras", "cras")).split()
        volume = volume_geometry(numbers)
    return Geometry(coordinates, faces, volume, info.get("filename", ""), in_scanner_mm)


def _volume_info(tail: bytes) -> tuple[bool, dict[str, str]]:
    """Whether coordinates are scanner mm already, and the lines ``key = value`` that follow the faces."""
    tags = struct.unpack(">3i", tail[:12].ljust(12, b"\0"))
    if tags[0] == _VOLUME_TAG:
        start = 4
    elif tags[0] == _SCANNER_TAG and tags[2] == _VOLUME_TAG:
        start = 12
    else:
        return tags[0] == _SCANNER_TAG and tags[1] == 1, {}
    lines = tail[start : start + 4096].decode("utf-8", "replace").split("\n")[:8]
    pairs = (line.partition("=") for line in lines)
    info = {key.strip(): value.strip() for key, equals, value in pairs if equals}
    return start == 12 and tags[1] == 1, info


def volume_geometry(numbers: Sequence[str]) -> VolumeGeometry | None:
    """Volume geometry of three directions and a centre, twelve numbers; None where they are no such thing."""
    try:
        values = np.array([float(number) for number in numbers])
    except ValueError:
        return None
    if values.shape != (12,) or not np.isfinite(values).all():
        return None
    directions = values[:9].reshape(3, 3).T
    orthonormal = np.allclose(directions.T @ directions, np.eye(3), atol=1e-3)
    return VolumeGeometry(directions, values[9:]) if orthonormal else None


def read_freesurfer_curvature(path: Path) -> NDArray[np.float32]:
    """Per-vertex values of ``lh.curv``, ``lh.sulc``, ``lh.thickness`` and their kin, (n,) float32.

    Raises
    ------
    Problem
        Not readable, not such a file, or cut short.
    """
    content = read_bytes(path)
    if content[:3] != _CURVATURE or len(content) < 15:
        what = "is not a FreeSurfer per-vertex file"
        raise Problem(path, what, "open lh.curv, lh.sulc, lh.thickness or the like")
    n_vertices, _, n_values = struct.unpack_from(">3i", content, 3)
    if n_values != 1:
        raise Problem(path, f"has {n_values} values a vertex", "open a file with one value a vertex")
    if n_vertices <= 0 or len(content) < 15 + 4 * n_vertices:
        raise truncated(path, 15 + 4 * max(n_vertices, 0), len(content))
    return np.frombuffer(content, ">f4", n_vertices, 15).astype(np.float32)


class Annotation(NamedTuple):
    """A FreeSurfer ``.annot`` file: the row of the colour table at each vertex (-1 none), and the table."""

    rows: NDArray[np.int64]
    names: tuple[str, ...]
    rgb: NDArray[np.uint8]


def read_annotation(path: Path) -> Annotation:
    """Labels of a ``.annot`` file with old or new colour table.

    nibabel's reader loses which colour a name belongs to when the table has gaps, and gives a neighbour's
    label to vertices whose colour is not in the table; here both are told apart.

    Raises
    ------
    Problem
        Not readable, cut short, or without colour table.
    """
    content = read_bytes(path)
    try:
        return _parse_annotation(path, content)
    except struct.error as error:
        raise Problem(path, "is cut short or is not a FreeSurfer annotation", "copy it again") from error


def _parse_annotation(path: Path, content: bytes) -> Annotation:
    """Annotation from its bytes; ``struct.error`` where they end too early."""
    (n_vertices,) = struct.unpack_from(">i", content)
    if n_vertices <= 0 or len(content) < 4 + 8 * n_vertices:
        raise truncated(path, 4 + 8 * max(n_vertices, 0), len(content))
    pairs = np.frombuffer(content, ">i4", 2 * n_vertices, 4).reshape(n_vertices, 2)
    reader = _Reader(content, 4 + 8 * n_vertices)
    if len(content) < reader.at + 4 or not reader.integer():
        raise Problem(path, "has no colour table, so that its labels have no names", "write it with one")
    entries = _colour_table(reader)
    names = tuple(name for name, _ in entries)
    rgb = np.array([colour for _, colour in entries], dtype=np.uint8).reshape(-1, 3)
    packed = rgb.astype(np.int64) @ (1, 1 << 8, 1 << 16)
    at_vertex = np.full(n_vertices, -1, dtype=np.int64)
    at_vertex[np.clip(pairs[:, 0], 0, n_vertices - 1)] = pairs[:, 1]
    order = np.argsort(packed, kind="stable")
    place = np.clip(np.searchsorted(packed[order], at_vertex), 0, max(len(order) - 1, 0))
    rows = order[place] if len(order) else np.full(n_vertices, -1, dtype=np.int64)
    known = packed[rows] == at_vertex if len(order) else np.zeros(n_vertices, dtype=bool)
    return Annotation(np.where(known, rows, -1), names, rgb)


def _colour_table(reader: _Reader) -> list[tuple[str, tuple[int, int, int]]]:
    """Names and colours of both layouts of the table, in the file's order."""
    version = reader.integer()
    if version > 0:
        reader.text()
        return [reader.entry() for _ in range(version)]
    if version != -2:
        raise struct.error
    reader.integer()
    reader.text()
    entries: list[tuple[str, tuple[int, int, int]]] = []
    for _ in range(reader.integer()):
        reader.integer()
        entries.append(reader.entry())
    return entries


class _Reader:
    """Big-endian numbers and texts one after the other."""

    def __init__(self, content: bytes, at: int) -> None:
        self._content = content
        self.at = at

    def integer(self) -> int:
        """Next 4-byte number."""
        (value,) = struct.unpack_from(">i", self._content, self.at)
        self.at += 4
        return value

    def text(self) -> str:
        """Next text, which its length precedes and a zero byte may end."""
        length = self.integer()
        if not 0 <= length <= len(self._content) - self.at:
            raise struct.error
        text = self._content[self.at : self.at + length]
        self.at += length
        return text.rstrip(b"\0").decode("utf-8", "replace")

    def entry(self) -> tuple[str, tuple[int, int, int]]:
        """Next name with red, green and blue; the fourth number, transparency, is always 0."""
        name = self.text()
        red, green, blue, _ = (self.integer() & 255 for _ in range(4))
        return name, (red, green, blue)
