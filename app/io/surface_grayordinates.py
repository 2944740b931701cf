"""Which vertices and voxels the rows of a CIFTI file stand for."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .layout import three
from .memory import require

_STRUCTURE_NAMES = {"diencephalon ventral": "ventral diencephalon"}


class Part(NamedTuple):
    """One structure or parcel.

    Attributes
    ----------
    name : str
        For people.
    vertices : dict of str to (n,) int64
        Vertices on each surface, by CIFTI structure.
    voxels : (m, 3) int64
        Voxel indices.
    rows : (n + m,) int64
        Row of every vertex, then of every voxel.
    """

    name: str
    vertices: dict[str, NDArray[np.int64]]
    voxels: NDArray[np.int64]
    rows: NDArray[np.int64]


def brain_models(places: Any) -> Iterator[Part]:
    """Structures of a dense file: each place has a row of its own."""
    for model in places.brain_models:
        offset, count = int(model.index_offset), int(model.index_count)
        structure = str(model.brain_structure).removeprefix("CIFTI_STRUCTURE_")
        on_surface = str(model.model_type) == "CIFTI_MODEL_TYPE_SURFACE"
        vertices = np.array(model.vertex_indices if on_surface else [], dtype=np.int64)
        voxels = _triples([] if on_surface else model.voxel_indices_ijk)
        if len(vertices) + len(voxels) != count:
            raise ValueError(f"{structure} has {len(vertices) + len(voxels)} of {count} places")
        rows = np.arange(offset, offset + count)
        yield Part(plain_name(structure), {structure: vertices} if on_surface else {}, voxels, rows)


def parcels(places: Any) -> Iterator[Part]:
    """Parcels: all places of one share a row."""
    for row, parcel in enumerate(places.parcels):
        vertices = {
            str(group.brain_structure).removeprefix("CIFTI_STRUCTURE_"): np.array(list(group), dtype=np.int64)
            for group in parcel.vertices
        }
        voxels = _triples(parcel.voxel_indices_ijk or [])
        n_places = sum(map(len, vertices.values())) + len(voxels)
        yield Part(str(parcel.name), vertices, voxels, np.full(n_places, row))


def _triples(indices: Any) -> NDArray[np.int64]:
    return np.array(list(indices), dtype=np.int64).reshape(-1, 3)


def plain_name(structure: str) -> str:
    """``THALAMUS_LEFT`` as ``left thalamus``."""
    words = structure.lower().split("_")
    side = [words.pop()] if words[-1] in {"left", "right"} else []
    plain = " ".join(words)
    return " ".join([*side, _STRUCTURE_NAMES.get(plain, plain)])


def check_rows(parts: tuple[Part, ...], n_rows: int) -> None:
    """Every row must be described by a structure or a parcel."""
    described = np.unique(np.concatenate([part.rows for part in parts])) if parts else np.empty(0)
    if len(described) and (described[0] < 0 or described[-1] >= n_rows):
        raise ValueError(f"it describes row {described[-1]} of {n_rows}")
    if len(described) != n_rows and not any(len(part.rows) == 0 for part in parts):
        raise ValueError(f"it describes {len(described)} of {n_rows} rows")


def vertex_counts(places: Any) -> dict[str, int]:
    """Vertices of each surface that the file has data on."""
    counted = [
        *((model.brain_structure, model.surface_number_of_vertices) for model in places.brain_models),
        *((surface.brain_structure, surface.surface_number_of_vertices) for surface in places.surfaces),
    ]
    return {str(name).removeprefix("CIFTI_STRUCTURE_"): int(count) for name, count in counted if count}


def vertex_rows(path: Path, places: Any, parts: tuple[Part, ...], structure: str) -> NDArray[np.int32] | None:
    """Row of each vertex of a surface, (n_vertices,), -1 without data; None when the file has none of it."""
    if not any(structure in part.vertices for part in parts):
        return None
    n_vertices = vertex_counts(places)[structure]
    require(path, 4 * n_vertices)
    rows = np.full(n_vertices, -1, dtype=np.int32)
    for part in parts:
        start = 0
        for name, vertices in part.vertices.items():
            if name == structure:
                _refuse_outside(vertices, n_vertices, plain_name(structure))
                rows[vertices] = part.rows[start : start + len(vertices)]
            start += len(vertices)
    rows.flags.writeable = False
    return rows


class Voxels(NamedTuple):
    """Voxels of a CIFTI file.

    Attributes
    ----------
    rows : (nx, ny, nz) int32, Fortran order, read-only
        Row of each voxel; -1 where the file has no data.
    parts : (nx, ny, nz) int32, Fortran order, read-only
        Index of each voxel's structure or parcel; -1 where the file has no data.
    names : tuple of str
        Names of the structures or parcels.
    affine : (4, 4) float64
        Voxel indices to mm.
    """

    rows: NDArray[np.int32]
    parts: NDArray[np.int32]
    names: tuple[str, ...]
    affine: NDArray[np.float64]


def voxels_of(path: Path, places: Any, parts: tuple[Part, ...]) -> Voxels | None:
    """Voxels of a file, None when it has none."""
    if not any(len(part.voxels) for part in parts):
        return None
    shape = three(tuple(int(size) for size in places.volume.volume_dimensions))
    if min(shape) < 1:
        raise ValueError(f"a volume of {shape} voxels")
    require(path, 8 * prod(shape))
    transform = places.volume.transformation_matrix_voxel_indices_ijk_to_xyz
    to_mm = 10.0 ** (int(transform.meter_exponent) + 3)
    affine = np.diag([to_mm, to_mm, to_mm, 1.0]) @ np.asarray(transform.matrix, dtype=np.float64)
    rows = np.full(shape, -1, dtype=np.int32, order="F")
    index = np.full(shape, -1, dtype=np.int32, order="F")
    for number, part in enumerate(parts):
        _refuse_outside(part.voxels, np.array(shape), part.name)
        at = tuple(part.voxels.T)
        rows[at] = part.rows[len(part.rows) - len(part.voxels) :]
        index[at] = number
    rows.flags.writeable = index.flags.writeable = False
    return Voxels(rows, index, tuple(part.name for part in parts), affine)


def _refuse_outside(indices: NDArray[np.int64], size: Any, name: str) -> None:
    """Refuse vertices or voxels that the surface or volume does not have."""
    if np.any(indices < 0) or np.any(indices >= size):
        raise ValueError(f"{name} names places outside its surface or volume")
