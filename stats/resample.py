"""Volumes on another grid."""

from __future__ import annotations

from typing import Any, Literal, cast

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from .arrays import FAST_MATH, Float32, Float64, Int32, Shape, kernel_order, read_only
from .errors import CannotCompute
from .threads import split

ROUNDING = 1e-6  # voxels: a position this far beyond the outermost voxel centre still lies on it
ENOUGH = 0.5  # share of the interpolation weight that must fall on voxels with a value

Interpolation = Literal["linear", "nearest"]


def resample(
    volume: Float32,
    to_source: ArrayLike,
    shape: Shape,
    interpolation: Interpolation = "linear",
    outside: float = np.nan,
) -> Float32:
    """A volume's values at the voxel centres of another grid.

    Linear: positions between the outermost voxel centres, as ``scipy.ndimage.affine_transform(order=1,
    mode="constant")``; beyond them `outside`. NaN and infinite voxels are empty: the others share their weight
    when they hold at least half of it, else the result is NaN. Nearest: positions up to half a voxel
    beyond the outermost centres, the lower index when exactly between two; NaN stays NaN.

    Parameters
    ----------
    volume : (nx, ny, nz) float32
    to_source : (4, 4)
        Voxel indices of the new grid to (fractional) voxel indices of `volume`:
        ``inverse(affine of volume) @ affine of the new grid``.
    shape : (int, int, int)
        Of the new grid.
    interpolation : "linear" or "nearest"
    outside : float
        Value where there is no source.

    Returns
    -------
    float32 of `shape`, x fastest

    Raises
    ------
    CannotCompute
        For a transform that is not finite or not affine.
    """
    transform = _reversed(to_source)
    source = kernel_order(volume, np.float32)
    result = np.empty(shape[::-1], np.float32)
    if interpolation == "linear":
        split(lambda a, b: _linear(source, transform, np.float32(outside), result, a, b), shape[2])
    else:
        split(lambda a, b: _nearest(source, transform, np.float32(outside), result, a, b), shape[2])
    return result.T


def resample_labels(labels: NDArray[Any], to_source: ArrayLike, shape: Shape, outside: int = 0) -> Int32:
    """Whole numbers at the voxel centres of another grid: of the nearest voxel, never a mixture.

    Parameters and rules as in `resample`; `labels` is any array of whole numbers that fit int32.
    """
    transform = _reversed(to_source)
    source = kernel_order(labels, np.int32)
    result = np.empty(shape[::-1], np.int32)
    split(lambda a, b: _nearest(source, transform, np.int32(outside), result, a, b), shape[2])
    return result.T


def _reversed(to_source: ArrayLike) -> Float64:
    """The 3 x 4 part of the transform for indices in the order (k, j, i) on both sides."""
    matrix = np.asarray(to_source, dtype=np.float64)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or not np.allclose(matrix[3], (0, 0, 0, 1)):
        raise CannotCompute("the transform between the grids is not an affine of 4 x 4 numbers", "check both affines")
    return cast("Float64", read_only(np.ascontiguousarray(matrix[[2, 1, 0]][:, [2, 1, 0, 3]])))


@njit(cache=True, nogil=True)
def _covered(start: float, step: float, size: int, n: int) -> tuple[int, int]:
    """First and last + 1 of ``range(n)`` for which ``start + step * i`` lies on an axis of `size` voxels."""
    low, high = -ROUNDING, size - 1 + ROUNDING
    if step == 0:
        return (0, n) if low <= start <= high else (0, 0)
    a, b = (low - start) / step, (high - start) / step
    first, last = np.ceil(min(a, b)), np.floor(max(a, b))
    return int(min(max(first, 0), n)), int(max(min(last, n - 1), -1)) + 1


@njit(cache=True, nogil=True, inline="always")
def _between(position: float, top: int) -> tuple[int, np.float32]:
    """Lower voxel of the pair around a position, and the upper one's weight."""
    low = min(int(max(position, 0.0)), top)
    return low, np.float32(min(max(position - low, 0.0), 1.0))


@njit(cache=True, nogil=True)
def _mean_of_valid(source: Float32, place: Shape, weights: tuple[np.float32, np.float32, np.float32]) -> np.float32:
    """Trilinear mean over the voxels that have a value; NaN when these hold less than half of the weight."""
    total, share = 0.0, 0.0
    w, v, u = weights
    for c in range(2):
        for b in range(2):
            for a in range(2):
                weight = w if c else 1 - w
                weight *= v if b else 1 - v
                weight *= u if a else 1 - u
                k = min(place[0] + c, source.shape[0] - 1)
                j = min(place[1] + b, source.shape[1] - 1)
                i = min(place[2] + a, source.shape[2] - 1)
                if abs(source[k, j, i]) < np.inf:
                    total += weight * source[k, j, i]
                    share += weight
    return np.float32(total / share) if share >= ENOUGH else np.float32(np.nan)


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _linear_row(
    source: Float32, begin: tuple[float, float, float], step: tuple[float, float, float], row: Float32
) -> None:
    """Fill a row whose positions ``begin + i * step`` all lie within the source."""
    nk, nj, ni = source.shape
    top_k, top_j, top_i = max(nk - 2, 0), max(nj - 2, 0), max(ni - 2, 0)
    up_k = np.uint64(ni * nj if nk > 1 else 0)
    up_j = np.uint64(ni if nj > 1 else 0)
    up_i = np.uint64(1 if ni > 1 else 0)
    voxels = source.reshape(-1)
    one = np.float32(1)
    for i in range(row.size):
        k, w = _between(begin[0] + step[0] * i, top_k)
        j, v = _between(begin[1] + step[1] * i, top_j)
        a, u = _between(begin[2] + step[2] * i, top_i)
        at = np.uint64((k * nj + j) * ni + a)
        low = (voxels[at] * (one - u) + voxels[at + up_i] * u) * (one - v)
        low += (voxels[at + up_j] * (one - u) + voxels[at + up_j + up_i] * u) * v
        at += up_k
        high = (voxels[at] * (one - u) + voxels[at + up_i] * u) * (one - v)
        high += (voxels[at + up_j] * (one - u) + voxels[at + up_j + up_i] * u) * v
        row[i] = low * (one - w) + high * w
    for i in range(row.size):
        if not abs(row[i]) < np.inf:
            k, w = _between(begin[0] + step[0] * i, top_k)
            j, v = _between(begin[1] + step[1] * i, top_j)
            a, u = _between(begin[2] + step[2] * i, top_i)
            row[i] = _mean_of_valid(source, (k, j, a), (w, v, u))


@njit(cache=True, nogil=True)
def _linear(source: Float32, transform: Float64, outside: np.float32, result: Float32, start: int, stop: int) -> None:
    """Fill planes start to stop; arrays are [k, j, i]."""
    n = result.shape[2]
    step = (transform[0, 2], transform[1, 2], transform[2, 2])
    for k in range(start, stop):
        for j in range(result.shape[1]):
            z = transform[0, 0] * k + transform[0, 1] * j + transform[0, 3]
            y = transform[1, 0] * k + transform[1, 1] * j + transform[1, 3]
            x = transform[2, 0] * k + transform[2, 1] * j + transform[2, 3]
            first_z, last_z = _covered(z, step[0], source.shape[0], n)
            first_y, last_y = _covered(y, step[1], source.shape[1], n)
            first_x, last_x = _covered(x, step[2], source.shape[2], n)
            first = max(first_z, first_y, first_x)
            last = max(first, min(last_z, last_y, last_x))
            row = result[k, j]
            row[:first] = outside
            row[last:] = outside
            begin_row = (z + step[0] * first, y + step[1] * first, x + step[2] * first)
            _linear_row(source, begin_row, step, row[first:last])


@njit(cache=True, nogil=True, inline="always")
def _nearest_place(position: float) -> int:
    """Nearest whole number, the lower one when exactly between two."""
    return int(np.ceil(position - 0.5 - ROUNDING))


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _nearest(
    source: NDArray[Any], transform: Float64, outside: Any, result: NDArray[Any], start: int, stop: int
) -> None:
    """Fill planes start to stop; arrays are [k, j, i]."""
    for k in range(start, stop):
        for j in range(result.shape[1]):
            for i in range(result.shape[2]):
                z = transform[0, 0] * k + transform[0, 1] * j + transform[0, 3] + transform[0, 2] * i
                y = transform[1, 0] * k + transform[1, 1] * j + transform[1, 3] + transform[1, 2] * i
                x = transform[2, 0] * k + transform[2, 1] * j + transform[2, 3] + transform[2, 2] * i
                c, b, a = _nearest_place(z), _nearest_place(y), _nearest_place(x)
                inside = 0 <= c < source.shape[0] and 0 <= b < source.shape[1] and 0 <= a < source.shape[2]
                result[k, j, i] = source[c, b, a] if inside else outside


def compile_kernels() -> None:
    """Compile for the types that are used."""
    shape = (3, 4, 5)
    resample(np.ones(shape, np.float32), np.eye(4), shape)
    resample(np.ones(shape, np.float32), np.eye(4), shape, "nearest")
    resample_labels(np.ones(shape, np.int32), np.eye(4), shape)
