"""Gaussian smoothing of volumes by a width in millimetres."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numba import njit

from .arrays import FAST_MATH, Float32, Float64, Int64, kernel_order, read_only
from .errors import CannotCompute
from .threads import split

FWHM_PER_SIGMA = float(np.sqrt(8 * np.log(2)))
TRUNCATE = 4.0  # standard deviations, as in SciPy
WIDEST_MM = 1000.0
STRIP = 1024  # voxels of a plane


class Smoothed(NamedTuple):
    """A smoothed volume.

    Attributes
    ----------
    volume : (nx, ny, nz) float32, x fastest
    n_empty : int
        Voxels that were NaN or infinite and counted as 0.
    """

    volume: Float32
    n_empty: int


class _Axis(NamedTuple):
    """One axis' kernel: half of the symmetric weights, and which voxel stands at each place, edges included."""

    weights: Float32  # (radius + 1,), centre first
    source: Int64  # (n + 2 * radius,)


def smooth(
    volume: Float32, fwhm_mm: float | tuple[float, float, float], zooms_mm: tuple[float, float, float]
) -> Smoothed:
    """Convolve a volume with a Gaussian.

    The definition is ``scipy.ndimage.gaussian_filter(mode="reflect", truncate=4)``: sampled weights that sum to 1,
    edges mirrored. NaN and infinite voxels count as 0, as in nilearn's ``smooth_img``: they are filled by
    their neighbours and draw these towards 0, which is why they are counted.

    Parameters
    ----------
    volume : (nx, ny, nz) float32
    fwhm_mm : float or three floats
        Full width at half maximum; 0 leaves an axis as it is.
    zooms_mm : three floats
        Voxel size.

    Returns
    -------
    Smoothed

    Raises
    ------
    CannotCompute
        For a width or voxel size that is no size.
    """
    axes = _axes(volume.shape, fwhm_mm, zooms_mm)
    source = kernel_order(volume, np.float32)
    finite = np.isfinite(source)
    n_empty = int(finite.size - np.count_nonzero(finite))
    if n_empty:
        source = read_only(np.where(finite, source, np.float32(0)))
    return Smoothed(_convolved(source, axes).T, n_empty)


def smooth_frames(
    frames: Iterable[Float32],
    fwhm_mm: float | tuple[float, float, float],
    zooms_mm: tuple[float, float, float],
) -> Iterator[Smoothed]:
    """Smooth one frame after the other, as they are asked for: never more than one in memory."""
    for frame in frames:
        yield smooth(frame, fwhm_mm, zooms_mm)


def _axes(
    shape: tuple[int, ...], fwhm_mm: float | tuple[float, float, float], zooms_mm: tuple[float, float, float]
) -> tuple[_Axis, _Axis, _Axis]:
    widths = np.broadcast_to(np.asarray(fwhm_mm, dtype=np.float64), (3,))
    zooms = np.asarray(zooms_mm, dtype=np.float64)
    if not ((widths >= 0) & (widths <= WIDEST_MM)).all():
        raise CannotCompute(f"{fwhm_mm} mm is no width to smooth with", f"give 0 to {WIDEST_MM:g} mm")
    if not (np.isfinite(zooms).all() and (zooms > 0).all()):
        raise CannotCompute(f"the voxel size {zooms_mm} mm is not a size", "give three positive numbers, in mm")
    x, y, z = (
        _axis(n, float(fwhm / FWHM_PER_SIGMA / zoom)) for n, fwhm, zoom in zip(shape, widths, zooms, strict=True)
    )
    return x, y, z


def _axis(n: int, sigma_voxels: float) -> _Axis:
    radius = int(TRUNCATE * sigma_voxels + 0.5)
    distance = np.arange(radius + 1, dtype=np.float64)
    weights: Float64 = np.exp(-0.5 * (distance / sigma_voxels) ** 2) if radius else np.ones(1)
    weights /= weights[0] + 2 * weights[1:].sum()
    place = np.arange(-radius, n + radius) % (2 * n)
    return _Axis(weights.astype(np.float32), np.minimum(place, 2 * n - 1 - place).astype(np.int64))


def _convolved(source: Float32, axes: tuple[_Axis, _Axis, _Axis]) -> Float32:
    x, y, z = axes
    planes = np.empty((source.shape[0], source.shape[1] * source.shape[2]), np.float32)
    result = np.empty_like(planes)
    split(lambda a, b: _in_planes(source, y, x, planes, a, b), len(planes))
    split(lambda a, b: _across_planes(planes, z, result, a, b), planes.shape[1], smallest=STRIP)
    return result.reshape(source.shape)


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _add_taps(values: Float32, centre: int, step: int, weights: Float32, total: Float32) -> None:
    """``total[f]`` = sum over r of ``weights[r] * (values[centre + f - r step] + values[centre + f + r step])``."""
    radius = weights.size - 1
    n = total.size
    w = weights[0]
    a = values[centre : centre + n]
    for f in range(n):
        total[f] = w * a[f]
    r = 1
    while r < radius:  # two rings of neighbours in one sweep: half the traffic of the sums
        u, v = weights[r], weights[r + 1]
        near, far = r * step, (r + 1) * step
        a, b = values[centre - near : centre - near + n], values[centre + near : centre + near + n]
        c, d = values[centre - far : centre - far + n], values[centre + far : centre + far + n]
        for f in range(n):
            total[f] += u * (a[f] + b[f]) + v * (c[f] + d[f])
        r += 2
    if r == radius:
        w = weights[r]
        near = r * step
        a, b = values[centre - near : centre - near + n], values[centre + near : centre + near + n]
        for f in range(n):
            total[f] += w * (a[f] + b[f])


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _in_planes(source: Float32, y: _Axis, x: _Axis, planes: Float32, start: int, stop: int) -> None:
    """Smooth planes start to stop along y, then x. Padded planes are swept as one line: rows are short."""
    _, nj, ni = source.shape
    pad_y, pad_x = y.weights.size - 1, x.weights.size - 1
    wide = ni + 2 * pad_x
    tall = np.empty((nj + 2 * pad_y) * ni, np.float32)
    along_y = np.empty(nj * ni, np.float32)
    broad = np.zeros(nj * wide + 2 * pad_x, np.float32)
    along_x = np.empty(nj * wide, np.float32)
    for k in range(start, stop):
        for j in range(y.source.size):
            row = y.source[j]
            for i in range(ni):
                tall[j * ni + i] = source[k, row, i]
        _add_taps(tall, pad_y * ni, ni, y.weights, along_y)
        for j in range(nj):
            for i in range(pad_x):
                broad[j * wide + i] = along_y[j * ni + x.source[i]]
                broad[j * wide + pad_x + ni + i] = along_y[j * ni + x.source[pad_x + ni + i]]
            for i in range(ni):
                broad[j * wide + pad_x + i] = along_y[j * ni + i]
        _add_taps(broad, pad_x, 1, x.weights, along_x)
        for j in range(nj):
            for i in range(ni):
                planes[k, j * ni + i] = along_x[j * wide + i]


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _across_planes(planes: Float32, z: _Axis, result: Float32, start: int, stop: int) -> None:
    """Smooth places start to stop of all planes along z, a strip at a time so that it stays in the cache."""
    nk = planes.shape[0]
    pad = z.weights.size - 1
    column = np.empty((nk + 2 * pad) * STRIP, np.float32)
    for first in range(start, stop, STRIP):
        n = min(stop - first, STRIP)
        total = np.empty(n, np.float32)
        for k in range(z.source.size):
            for f in range(n):
                column[k * n + f] = planes[z.source[k], first + f]
        for k in range(nk):
            _add_taps(column, (pad + k) * n, n, z.weights, total)
            for f in range(n):
                result[k, first + f] = total[f]


def compile_kernels() -> None:
    """Compile for the types that are used."""
    smooth(np.ones((3, 4, 5), np.float32, order="F"), 1.0, (1.0, 1.0, 1.0))
