"""A volume's values on the vertices of a surface, by weights that are found once.

Each vertex takes the mean of several trilinear samples: along its normal, or between the white and the pial surface.
That is a sparse matrix, and another map on the same grid costs one product with it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from .arrays import Float32, Float64, Int32, Int64, Shape, flat, read_only
from .errors import CannotCompute
from .threads import split

HALF_WIDTH_MM = 3.0
SAMPLES = 10
CORNERS = 8
ROUNDING = 1e-6  # voxels: a position this far beyond the outermost voxel centre still lies on it
VERTICES_AT_ONCE = 16384


class SurfaceWeights(NamedTuple):
    """Sparse rows, one per vertex, in compressed form; each sums to 1, or is empty where no sample is in the volume.

    Attributes
    ----------
    start : (n + 1,) int64, read-only
        Entries of vertex v are ``start[v]`` to ``start[v + 1]``.
    voxel : (entries,) int32, read-only
        Flat numbers, x fastest.
    weight : (entries,) float32, read-only
    shape : (int, int, int)
        Of the volumes that they are for.
    """

    start: Int64
    voxel: Int32
    weight: Float32
    shape: Shape


def line_weights(coordinates: ArrayLike, faces: NDArray[Any], affine: ArrayLike, shape: Shape) -> SurfaceWeights:
    """Weights of 10 samples along each vertex' normal, from 3 mm outside to 3 mm inside.

    As nilearn's ``vol_to_surf(kind="line")``: normals are the normalised sum of the unit normals of the faces around.
    Samples beyond the outermost voxel centres are left out (nilearn extrapolates up to one voxel further).

    Parameters
    ----------
    coordinates : (n, 3)
        World positions in mm.
    faces : (m, 3) whole numbers
    affine : (4, 4)
        Voxel indices to world mm.
    shape : (int, int, int)

    Raises
    ------
    CannotCompute
        When the affine cannot be inverted or the volume has more than 2^31 voxels.
    """
    vertices = np.asarray(coordinates, dtype=np.float64)
    offsets_mm = np.linspace(HALF_WIDTH_MM, -HALF_WIDTH_MM, SAMPLES)
    normals = vertex_normals(vertices, faces)
    return _weights(vertices, normals, offsets_mm, (np.asarray(affine, dtype=np.float64), shape))


def depth_weights(pial: ArrayLike, white: ArrayLike, affine: ArrayLike, shape: Shape) -> SurfaceWeights:
    """Weights of 10 samples from each vertex of the pial surface to the same vertex of the white one.

    As nilearn's ``vol_to_surf(kind="depth")``; otherwise as `line_weights`.

    Parameters
    ----------
    pial, white : (n, 3)
        World positions in mm.
    affine : (4, 4)
    shape : (int, int, int)
    """
    outer, inner = np.asarray(pial, dtype=np.float64), np.asarray(white, dtype=np.float64)
    if outer.shape != inner.shape:
        raise CannotCompute(
            f"the pial surface has {len(outer)} vertices, the white one {len(inner)}", "use two of the same person"
        )
    return _weights(outer, inner - outer, np.linspace(0, 1, SAMPLES), (np.asarray(affine, dtype=np.float64), shape))


def apply(weights: SurfaceWeights, volume: Float32) -> Float32:
    """Project a volume, (n,) float32.

    NaN and infinite voxels are left out and the others share their weight; a vertex that has no other is NaN, as is one
    outside the volume. Fastest for volumes with x fastest in memory.
    """
    if volume.shape != weights.shape:
        raise CannotCompute(
            f"the volume has {volume.shape} voxels, the weights are for {weights.shape}", "find weights for this grid"
        )
    values = read_only(np.ascontiguousarray(flat(volume), dtype=np.float32))
    result = np.empty(len(weights.start) - 1, np.float32)
    split(lambda first, last: _products(weights, values, result, first, last), len(result), smallest=2048)
    return result


def vertex_normals(vertices: Float64, faces: NDArray[Any]) -> Float64:
    """Outward unit normals (n, 3) of a surface whose faces turn counter-clockwise seen from outside.

    The normalised sum of the unit normals of the faces around each vertex; 0 for a vertex without a face.
    """
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    normal = _unit(np.cross(b - a, c - a))
    corners = np.asarray(faces).ravel()
    sums = [np.bincount(corners, np.repeat(normal[:, axis], 3), len(vertices)) for axis in range(3)]
    return _unit(np.stack(sums, axis=1).astype(np.float64))


def _unit(vectors: Float64) -> Float64:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def _weights(origin: Float64, direction: Float64, steps: Float64, grid: tuple[Float64, Shape]) -> SurfaceWeights:
    """Weights of samples at ``origin + step * direction`` in the world."""
    affine, shape = grid
    if np.prod(shape, dtype=np.float64) >= np.iinfo(np.int32).max:
        raise CannotCompute(f"a volume of {shape} voxels is too large to project", "resample it first")
    if not np.isfinite(affine).all() or np.linalg.det(affine[:3, :3]) == 0:
        raise CannotCompute("the volume's affine cannot be inverted", "repair its header")
    to_voxel = np.linalg.inv(affine)
    begin = origin @ to_voxel[:3, :3].T + to_voxel[:3, 3]
    along = direction @ to_voxel[:3, :3].T
    counts, voxels, shares = [np.zeros(1, np.int64)], [], []
    for first in range(0, len(begin), VERTICES_AT_ONCE):
        part = slice(first, first + VERTICES_AT_ONCE)
        count, voxel, share = _entries(
            np.ascontiguousarray(begin[part]), np.ascontiguousarray(along[part]), steps, shape
        )
        used = np.arange(voxel.shape[1]) < count[:, None]
        counts.append(count)
        voxels.append(voxel[used])
        shares.append(share[used])
    start = np.cumsum(np.concatenate(counts))
    return SurfaceWeights(read_only(start), read_only(np.concatenate(voxels)), read_only(np.concatenate(shares)), shape)


@njit(cache=True, nogil=True)
def _entries(begin: Float64, along: Float64, steps: Float64, shape: Shape) -> tuple[Int64, Int32, Float32]:
    """For each vertex the number of its voxels, their flat numbers and weights, the latter two in padded rows."""
    nx, ny, nz = shape
    n = begin.shape[0]
    count = np.zeros(n, np.int64)
    voxel = np.empty((n, steps.size * CORNERS), np.int32)
    share = np.empty((n, steps.size * CORNERS), np.float32)
    for vertex in range(n):
        m = 0
        inside = 0
        for step in steps:
            x = begin[vertex, 0] + step * along[vertex, 0]
            y = begin[vertex, 1] + step * along[vertex, 1]
            z = begin[vertex, 2] + step * along[vertex, 2]
            if not (
                -ROUNDING <= x <= nx - 1 + ROUNDING
                and -ROUNDING <= y <= ny - 1 + ROUNDING
                and -ROUNDING <= z <= nz - 1 + ROUNDING
            ):
                continue
            inside += 1
            x, y, z = min(max(x, 0.0), nx - 1.0), min(max(y, 0.0), ny - 1.0), min(max(z, 0.0), nz - 1.0)
            i, j, k = int(x), int(y), int(z)
            for corner in range(CORNERS):
                a, b, c = corner & 1, (corner >> 1) & 1, corner >> 2
                weight = (x - i if a else 1 - x + i) * (y - j if b else 1 - y + j) * (z - k if c else 1 - z + k)
                if weight <= 0:
                    continue
                number = i + a + nx * (j + b + ny * (k + c))
                at = 0
                while at < m and voxel[vertex, at] != number:
                    at += 1
                if at == m:
                    voxel[vertex, m] = number
                    share[vertex, m] = 0
                    m += 1
                share[vertex, at] += weight
        for at in range(m):
            share[vertex, at] /= inside
        count[vertex] = m
    return count, voxel, share


@njit(cache=True, nogil=True)
def _products(weights: SurfaceWeights, values: Float32, result: Float32, first: int, last: int) -> None:
    """Weighted means of vertices first to last. Unsigned numbers spare the look for negative indices: half the time."""
    start, voxel, weight = weights.start, weights.voxel, weights.weight
    for vertex in range(first, last):
        begin, end = np.uint64(start[vertex]), np.uint64(start[vertex + 1])
        total = np.float32(0)
        for e in range(begin, end):
            total += weight[e] * values[np.uint64(voxel[e])]
        if not abs(total) < np.inf or begin == end:
            total = share = np.float32(0)
            for e in range(begin, end):
                value = values[np.uint64(voxel[e])]
                if abs(value) < np.inf:
                    total += weight[e] * value
                    share += weight[e]
            total = total / share if share > 0 else np.float32(np.nan)
        result[vertex] = total


def compile_kernels() -> None:
    """Compile for the types that are used."""
    corners = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0)])
    shape = (3, 4, 5)
    apply(line_weights(corners, np.array([(0, 1, 2)]), np.eye(4), shape), np.ones(shape, np.float32))
