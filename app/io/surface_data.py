"""Values on the vertices of a surface: GIFTI, FreeSurfer curvature and annotation, MGH."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..problems import Finding, Problem
from .identify import identify
from .sidecar import NONE
from .surface_files import read_bytes, sidecar_beside, truncated
from .surface_freesurfer import read_annotation, read_freesurfer_curvature
from .surface_gifti import read_gifti, side_of
from .surface_names import Hemisphere, hemisphere_of, mesh_of
from .surface_table import NO_TIMES, Label, ValueTable, spread
from .times import FrameTimes, Step, Timing, settle_times

_LABEL, _POINTSET, _TRIANGLE = 1002, 1008, 1009
_NODE_INDEX, _RGB, _RGBA = 2002, 2003, 2004
_NOT_VALUES = {_POINTSET, _TRIANGLE}
_MGH_TYPES = {0: ">u1", 1: ">i4", 3: ">f4", 4: ">i2", 10: ">u2"}
_MGH_HEADER_BYTES = 284
_LARGEST_EXACT_KEY = 2**24


@dataclass(frozen=True, eq=False)
class SurfaceData:
    """Values on the vertices of one hemisphere, one or more frames.

    Attributes
    ----------
    table : ValueTable
        Values of rows, each of which stands for one vertex or for all vertices of a parcel.
    rows : (n_vertices,) int32, read-only
        Row of each vertex; -1 where it has no data (the medial wall of a CIFTI file).
    hemisphere : {"left", "right", ""}
        Empty when the file does not say.
    source : Path
        File it was read from.
    timing : Timing
        Repetition time and times of the frames, as far as they are known.
    findings : tuple of Finding
        What is odd about the file.
    """

    table: ValueTable
    rows: NDArray[np.int32]
    hemisphere: Hemisphere
    source: Path
    timing: Timing = NO_TIMES
    findings: tuple[Finding, ...] = ()

    @property
    def n_vertices(self) -> int:
        """Vertices of the surface that the values belong to."""
        return len(self.rows)

    @property
    def n_frames(self) -> int:
        """Number of frames, at least 1."""
        return self.table.n_frames

    @property
    def times(self) -> FrameTimes | None:
        """When the frames were taken, None when that is not known."""
        return self.timing.times

    @property
    def mesh(self) -> str | None:
        """Shared mesh with that many vertices, such as ``fsLR 32k``."""
        return mesh_of(self.n_vertices)

    def frame(self, index: int = 0) -> NDArray[np.float32]:
        """Value of every vertex in one frame, (n_vertices,), read-only; NaN where there is none."""
        return spread(self.table.frame(index), self.rows)

    def series(self, vertex: int) -> NDArray[np.float32]:
        """Value of one vertex in every frame, (n_frames,); NaN where there is none."""
        row = int(self.rows[vertex])
        return np.full(self.n_frames, np.nan, np.float32) if row < 0 else self.table.series(row)

    def labels(self, index: int = 0) -> tuple[Label, ...]:
        """Label table of one frame; empty when the values are numbers."""
        return self.table.labels[index] if self.table.labels else ()


def read_surface_data(path: str | Path) -> SurfaceData:
    """Read values per vertex from GIFTI, FreeSurfer curv, sulc, thickness or annot, or MGH.

    Raises
    ------
    Problem
        Not readable, none of these, damaged, or not one value for every vertex.
    """
    path = Path(path)
    readers = {
        "GIFTI": _from_gifti,
        "FreeSurfer curv": _from_curvature,
        "FreeSurfer annot": _from_annotation,
        "MGH": _from_mgh,
    }
    found = identify(path)
    if found.format not in readers:
        what = f"is a file of the kind {found.format}, not one of values on a surface"
        raise Problem(path, what, "open a .func.gii, .shape.gii, .label.gii, .annot, .mgh or lh.curv file")
    return readers[found.format](path)


def _from_curvature(path: Path) -> SurfaceData:
    values = read_freesurfer_curvature(path)[:, np.newaxis]
    return _dense(path, ValueTable(values, (_last_part(path.name),)), hemisphere_of(path.name))


def _from_annotation(path: Path) -> SurfaceData:
    rows, names, rgb = read_annotation(path)
    labels = tuple(
        Label(key, name, (red / 255, green / 255, blue / 255, 1.0))
        for key, (name, (red, green, blue)) in enumerate(zip(names, rgb.tolist(), strict=True))
    )
    values = np.where(rows < 0, np.nan, rows).astype(np.float32)[:, np.newaxis]
    return _dense(path, ValueTable(values, (_last_part(path.name),), (labels,)), hemisphere_of(path.name))


def _from_mgh(path: Path) -> SurfaceData:
    content = read_bytes(path)
    if len(content) < _MGH_HEADER_BYTES:
        raise truncated(path, _MGH_HEADER_BYTES, len(content))
    version, *shape, n_frames, code = struct.unpack_from(">6i", content)
    if version != 1 or code not in _MGH_TYPES or min(*shape, n_frames) < 1:
        raise Problem(path, "is not an MGH file of a known version and type", "copy it again")
    n_vertices = max(shape)
    if sorted(shape)[:2] != [1, 1]:
        size = " x ".join(map(str, shape))
        raise Problem(path, f"holds a volume of {size} voxels, not values on a surface", "open it as a volume")
    dtype = np.dtype(_MGH_TYPES[code])
    end = _MGH_HEADER_BYTES + dtype.itemsize * n_vertices * n_frames
    if len(content) < end:
        raise truncated(path, end, len(content))
    values = np.frombuffer(content, dtype, n_vertices * n_frames, _MGH_HEADER_BYTES)
    table = ValueTable(values.reshape(n_vertices, n_frames, order="F"), ("",) * n_frames)
    return _dense(path, table, hemisphere_of(path.name))


def _from_gifti(path: Path) -> SurfaceData:
    image = read_gifti(path)
    arrays = [array for array in image.darrays if array.intent not in _NOT_VALUES]
    intents = {int(array.intent) for array in arrays}
    if not arrays:
        raise Problem(path, "holds a surface and no values on it", "open it as a surface")
    if _NODE_INDEX in intents:
        todo = "write it for every vertex (AFNI: ConvertDset -pad_to_node)"
        raise Problem(path, "has values for some vertices only (NODE_INDEX)", todo)
    if intents & {_RGB, _RGBA}:
        raise Problem(path, "holds colours, not values", "open the file that the colours were made from")
    columns = [np.asarray(array.data).reshape(len(array.data), -1) for array in arrays]
    lengths = {len(column) for column in columns}
    if len(lengths) != 1 or 0 in lengths:
        counts = ", ".join(map(str, sorted(lengths)))
        raise Problem(path, f"its arrays are of different or no length ({counts})", "split it into files")
    values = np.asfortranarray(np.hstack(columns))
    names = tuple(
        _last_part(str(array.meta.get("Name", "")))
        for array, column in zip(arrays, columns, strict=True)
        for _ in range(column.shape[1])
    )
    labels = _gifti_labels(image) if intents == {_LABEL} else ()
    table = ValueTable(values, names, (labels,) * values.shape[1] if labels else ())
    said: list[Hemisphere] = [side_of(image.meta), *(side_of(array.meta) for array in arrays)]
    said.append(hemisphere_of(path.name))
    return _dense(path, table, max(said, key=bool))


def _gifti_labels(image: Any) -> tuple[Label, ...]:
    return tuple(Label(int(entry.key), str(entry.label), _colour(entry.rgba)) for entry in image.labeltable.labels)


def _colour(rgba: Any) -> tuple[float, float, float, float]:
    """Colour of a label; opaque grey where the file gives none."""
    if any(part is None for part in rgba):
        return 0.5, 0.5, 0.5, 1.0
    red, green, blue, alpha = (float(part) for part in rgba)
    return red, green, blue, alpha


def _last_part(name: str) -> str:
    """Name without the folders of whoever wrote it."""
    return name.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _dense(path: Path, table: ValueTable, side: Hemisphere) -> SurfaceData:
    """Data with a value for every vertex."""
    values = table.values
    values.flags.writeable = False
    rows = np.arange(len(values), dtype=np.int32)
    rows.flags.writeable = False
    sidecar, notes = sidecar_beside(path) if table.n_frames > 1 else (NONE, ())
    timing = settle_times(path, table.n_frames, Step(), sidecar)
    return SurfaceData(table, rows, side, path, timing, (*notes, *timing.findings, *_odd_keys(path, table)))


def _odd_keys(path: Path, table: ValueTable) -> tuple[Finding, ...]:
    """Labels whose keys are too large to tell apart as single-precision numbers."""
    keys = [label.key for labels in table.labels[:1] for label in labels]
    if not keys or max(map(abs, keys)) <= _LARGEST_EXACT_KEY:
        return ()
    message = "Some label keys are beyond 2^24, so that neighbouring ones cannot be told apart."
    return (Finding("label-keys", str(path), float(max(keys)), message),)
