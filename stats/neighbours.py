"""Who is next to whom, among the voxels of a mask or the vertices of a surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from .arrays import Float32, Int32, Int64, Shape, read_only
from .cluster import Connectivity
from .errors import CannotCompute


@dataclass(frozen=True, eq=False)
class Neighbours:
    """An undirected graph over V elements, as compressed sparse rows.

    Attributes
    ----------
    start : (V + 1,) int64
        Neighbours of element v are ``index[start[v] : start[v + 1]]``.
    index : (E,) int32
        Each pair stands twice, once for each of its two elements.
    size : (V,) float32
        Extent of an element: 1 for a voxel, mm² for a vertex.
    """

    start: Int64
    index: Int32
    size: Float32


def volume_neighbours(voxels: Int64, shape: Shape, connectivity: Connectivity = 6) -> Neighbours:
    """Neighbours among the voxels of a mask.

    Parameters
    ----------
    voxels : (V,) int64
        Flat numbers, x fastest, each once, in any order.
    shape : (int, int, int)
    connectivity : 6, 18 or 26
        By faces, also edges, also corners.

    Returns
    -------
    Neighbours
        Of size 1 each, so that extents are numbers of voxels.

    Raises
    ------
    CannotCompute
        When voxels are not in the volume or given twice, or the connectivity is none of the three.
    """
    if connectivity not in {6, 18, 26}:
        raise CannotCompute(f"voxels have no {connectivity} neighbours", "choose 6, 18 or 26")
    flat = np.ascontiguousarray(voxels, dtype=np.int64)
    total = int(np.prod(shape))
    if flat.size and (flat.min() < 0 or flat.max() >= total):
        raise CannotCompute(f"there are voxels outside the volume of {total}", "give the mask of the same grid")
    place = np.full(total, -1, np.int32)
    place[flat] = np.arange(flat.size, dtype=np.int32)
    if np.count_nonzero(place >= 0) != flat.size:
        raise CannotCompute("a voxel is in the list twice", "give every voxel once")
    grid = read_only(place.reshape(shape[::-1]))
    start, index = _of_voxels(read_only(flat), grid, _steps(connectivity))
    return _frozen(start, index, np.ones(flat.size, np.float32))


def mesh_neighbours(triangles: ArrayLike, vertices_mm: ArrayLike, kept: ArrayLike | None = None) -> Neighbours:
    """Neighbours along the edges of a triangle mesh.

    The area of a vertex is a third of that of its triangles, on the whole mesh also where vertices are left out.

    Parameters
    ----------
    triangles : (F, 3) int
    vertices_mm : (N, 3)
    kept : (V,) int or None
        The vertices analysed, each once, in any order; None for all.

    Returns
    -------
    Neighbours
        Of sizes in mm².

    Raises
    ------
    CannotCompute
        When a triangle or `kept` names a vertex that is not there, or one twice.
    """
    faces = np.asarray(triangles, dtype=np.int64).reshape(-1, 3)
    points = np.asarray(vertices_mm, dtype=np.float64)
    n = len(points)
    chosen = np.arange(n) if kept is None else np.asarray(kept, dtype=np.int64)
    for what, numbers in (("a triangle", faces), ("the selection", chosen)):
        if numbers.size and (numbers.min() < 0 or numbers.max() >= n):
            raise CannotCompute(f"{what} has a vertex beyond the {n} of the surface", "give the files of one mesh")
    place = np.full(n, -1, np.int64)
    place[chosen] = np.arange(chosen.size)
    if np.count_nonzero(place >= 0) != chosen.size:
        raise CannotCompute("a vertex is in the list twice", "give every vertex once")
    pairs = place[np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])]
    pairs = pairs[(pairs >= 0).all(axis=1) & (pairs[:, 0] != pairs[:, 1])]
    start, index = _of_pairs(pairs, chosen.size)
    return _frozen(start, index, _vertex_areas(faces, points)[chosen].astype(np.float32))


def joined(*parts: Neighbours) -> Neighbours:
    """Several graphs side by side, as the two hemispheres: elements of different parts are no neighbours."""
    elements = np.cumsum([0, *(part.size.size for part in parts)])
    edges = np.cumsum([0, *(part.index.size for part in parts)])
    starts = [part.start[:-1] + before for part, before in zip(parts, edges, strict=False)]
    index = [part.index + np.int32(before) for part, before in zip(parts, elements, strict=False)]
    size = np.concatenate([part.size for part in parts])
    return _frozen(np.concatenate([*starts, edges[-1:]]), np.concatenate(index), size)


def _frozen(start: NDArray[np.int64], index: NDArray[np.int32], size: NDArray[np.float32]) -> Neighbours:
    return Neighbours(read_only(start), read_only(index), read_only(size))


def _steps(connectivity: Connectivity) -> Int64:
    """Steps (dk, dj, di) to all neighbours, in the order of memory."""
    steps = np.array(np.meshgrid(*[(-1, 0, 1)] * 3, indexing="ij")).reshape(3, -1).T
    distance = np.abs(steps).sum(axis=1)
    most = {6: 1, 18: 2, 26: 3}[connectivity]
    return read_only(steps[(distance > 0) & (distance <= most)].astype(np.int64))


def _of_pairs(pairs: Int64, n: int) -> tuple[Int64, Int32]:
    both = np.concatenate([pairs, pairs[:, ::-1]])
    coded = np.unique(both[:, 0] * n + both[:, 1])
    one, other = np.divmod(coded, max(1, n))
    start = np.concatenate([[0], np.cumsum(np.bincount(one, minlength=n))]).astype(np.int64)
    return start, other.astype(np.int32)


def _vertex_areas(faces: Int64, points: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, c = points[faces[:, 0]], points[faces[:, 1]], points[faces[:, 2]]
    third = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    areas = np.zeros(len(points))
    np.add.at(areas, faces.ravel(), np.repeat(third, 3))
    return areas


@njit(cache=True, nogil=True)
def _of_voxels(voxels: Int64, place: Int32, steps: Int64) -> tuple[Int64, Int32]:
    """Rows of the graph: `place` is the volume ``[k, j, i]`` of positions in the list, -1 outside the mask."""
    nk, nj, ni = place.shape
    start = np.zeros(voxels.size + 1, np.int64)
    index = np.empty(voxels.size * len(steps), np.int32)
    m = 0
    for v in range(voxels.size):
        k, rest = divmod(voxels[v], nj * ni)
        j, i = divmod(rest, ni)
        for s in range(len(steps)):
            c, b, a = k + steps[s, 0], j + steps[s, 1], i + steps[s, 2]
            if 0 <= c < nk and 0 <= b < nj and 0 <= a < ni and place[c, b, a] >= 0:
                index[m] = place[c, b, a]
                m += 1
        start[v + 1] = m
    return start, index[:m].copy()


def compile_kernels() -> None:
    """Compile for the types that are used."""
    volume_neighbours(np.arange(2), (2, 1, 1))
