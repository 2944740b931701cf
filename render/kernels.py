"""Numba kernels of slice composition: sample a plane, then shade it.

Resample first, threshold after: an already thresholded map is never interpolated. All kernels are
serial and release the interpreter lock, so that bands of rows run on several threads.
Volumes come as ``(nz, ny, nx)`` C-contiguous views of ``(nx, ny, nz)`` Fortran arrays.
"""

# pyright: reportUnknownParameterType=false, reportMissingParameterType=false
from __future__ import annotations

import math

import numpy as np
from numba import njit

# Everything but the flags that assume there are no NaN and infinities: NaN means empty here.
_FAST = {"reassoc", "contract", "nsz", "arcp"}


@njit(cache=True, nogil=True, inline="always")
def _columns_inside(start, step, size, first, last):
    """Narrow columns [first, last) to those whose coordinate start + step*c lies inside the outer edges."""
    low, high = -0.5, size - 0.5
    if abs(step) < 1e-12:
        if low <= start <= high:
            return first, last
        return 0, 0
    a = (low - start) / step
    b = (high - start) / step
    if a > b:
        a, b = b, a
    return max(first, math.ceil(a - 1e-9)), min(last, math.floor(b + 1e-9) + 1)


@njit(cache=True, nogil=True, fastmath=_FAST, inline="always")
def _clamped(x, size):
    """Lower index and fraction of linear interpolation; beyond the outer centres the edge value holds."""
    if x <= 0.0 or size == 1:
        return 0, 0.0
    if x >= size - 1:
        return size - 2, 1.0
    lower = int(x)
    return lower, x - lower


@njit(cache=True, nogil=True)
def _renormalised(volume, i, j, k, a, b, c):
    """Trilinear value over the voxels that are not NaN, when they hold at least half of the weight."""
    nz, ny, nx = volume.shape
    total = 0.0
    weight = 0.0
    for dk in range(2):
        wk = c if dk else 1.0 - c
        kk = min(k + dk, nz - 1)
        for dj in range(2):
            wj = b if dj else 1.0 - b
            jj = min(j + dj, ny - 1)
            for di in range(2):
                w = wk * wj * (a if di else 1.0 - a)
                v = volume[kk, jj, min(i + di, nx - 1)]
                if not math.isnan(v):
                    total += w * v
                    weight += w
    if weight < 0.5:
        return np.nan
    return total / weight


@njit(cache=True, nogil=True, fastmath=_FAST)
def sample_linear(volume, m, out, row_from, row_to):
    """Trilinear values of the plane's pixels; ``m`` (3, 4) maps (column, row, 0, 1) to voxel i, j, k."""
    nz, ny, nx = volume.shape
    width = out.shape[1]
    for row in range(row_from, row_to):
        x0 = m[0, 1] * row + m[0, 3]
        y0 = m[1, 1] * row + m[1, 3]
        z0 = m[2, 1] * row + m[2, 3]
        first, last = _columns_inside(x0, m[0, 0], nx, 0, width)
        first, last = _columns_inside(y0, m[1, 0], ny, first, last)
        first, last = _columns_inside(z0, m[2, 0], nz, first, last)
        if last <= first:
            first, last = 0, 0
        for column in range(first):
            out[row, column] = np.nan
        for column in range(max(first, last), width):
            out[row, column] = np.nan
        for column in range(first, last):
            i, a = _clamped(x0 + m[0, 0] * column, nx)
            j, b = _clamped(y0 + m[1, 0] * column, ny)
            k, c = _clamped(z0 + m[2, 0] * column, nz)
            i1 = min(i + 1, nx - 1)
            j1 = min(j + 1, ny - 1)
            k1 = min(k + 1, nz - 1)
            a = np.float32(a)
            b = np.float32(b)
            c = np.float32(c)
            v00 = volume[k, j, i] * (1 - a) + volume[k, j, i1] * a
            v01 = volume[k, j1, i] * (1 - a) + volume[k, j1, i1] * a
            v10 = volume[k1, j, i] * (1 - a) + volume[k1, j, i1] * a
            v11 = volume[k1, j1, i] * (1 - a) + volume[k1, j1, i1] * a
            value = (v00 * (1 - b) + v01 * b) * (1 - c) + (v10 * (1 - b) + v11 * b) * c
            if math.isnan(value):
                value = np.float32(_renormalised(volume, i, j, k, a, b, c))
            out[row, column] = value


@njit(cache=True, nogil=True)
def sample_nearest(volume, m, out, row_from, row_to):
    """Values of the nearest voxels of the plane's pixels; see `sample_linear`."""
    nz, ny, nx = volume.shape
    width = out.shape[1]
    for row in range(row_from, row_to):
        x0 = m[0, 1] * row + m[0, 3]
        y0 = m[1, 1] * row + m[1, 3]
        z0 = m[2, 1] * row + m[2, 3]
        for column in range(width):
            x = math.floor(x0 + m[0, 0] * column + 0.5)
            y = math.floor(y0 + m[1, 0] * column + 0.5)
            z = math.floor(z0 + m[2, 0] * column + 0.5)
            if 0 <= x < nx and 0 <= y < ny and 0 <= z < nz:
                out[row, column] = volume[int(z), int(y), int(x)]
            else:
                out[row, column] = np.nan


@njit(cache=True, nogil=True)
def blend_rgba(volume, m, opacity, out, row_from, row_to):
    """Blend the nearest voxels' own colours; ``volume`` is (nz, ny, nx, 4) uint8."""
    nz, ny, nx = volume.shape[:3]
    width = out.shape[1]
    for row in range(row_from, row_to):
        for column in range(width):
            x = math.floor(m[0, 0] * column + m[0, 1] * row + m[0, 3] + 0.5)
            y = math.floor(m[1, 0] * column + m[1, 1] * row + m[1, 3] + 0.5)
            z = math.floor(m[2, 0] * column + m[2, 1] * row + m[2, 3] + 0.5)
            if 0 <= x < nx and 0 <= y < ny and 0 <= z < nz:
                voxel = volume[int(z), int(y), int(x)]
                _over(out[row, column], voxel[0], voxel[1], voxel[2], voxel[3] / 255.0 * opacity)


@njit(cache=True, nogil=True, inline="always")
def _over(pixel, red, green, blue, alpha):
    """Porter-Duff "over" with straight alpha."""
    if alpha >= 1.0:
        pixel[0], pixel[1], pixel[2], pixel[3] = red, green, blue, 255
    elif alpha > 0.0 and pixel[3] == 255:
        a = np.float32(alpha)
        rest = np.float32(1.0) - a
        half = np.float32(0.5)
        pixel[0] = np.uint8(red * a + pixel[0] * rest + half)
        pixel[1] = np.uint8(green * a + pixel[1] * rest + half)
        pixel[2] = np.uint8(blue * a + pixel[2] * rest + half)
    elif alpha > 0.0:
        under = pixel[3] / 255.0 * (1.0 - alpha)
        total = alpha + under
        pixel[0] = np.uint8((red * alpha + pixel[0] * under) / total + 0.5)
        pixel[1] = np.uint8((green * alpha + pixel[1] * under) / total + 0.5)
        pixel[2] = np.uint8((blue * alpha + pixel[2] * under) / total + 0.5)
        pixel[3] = np.uint8(total * 255.0 + 0.5)


@njit(cache=True, nogil=True)
def shade(values, positive, negative, numbers, alpha, out, row_from, row_to):
    """Blend sampled values by a `Shading`.

    Parameters
    ----------
    values : (h, w) float32
    positive, negative : (256, 3) uint8
    numbers : (8,) float64
        low, high, negative low, negative high, threshold, negative threshold, opacity, flags
        (1: signed, 2: fade).
    alpha : (h, w) float32 or (0, 0)
        Opacity from a modulating image.
    out : (h, w, 4) uint8
        Blended into.
    """
    low, high, negative_low, negative_high, threshold, negative_threshold, opacity = numbers[:7]
    signed = int(numbers[7]) & 1 != 0
    fade = int(numbers[7]) & 2 != 0
    gain = 255.0 / max(high - low, 1e-30)
    negative_gain = 255.0 / max(negative_high - negative_low, 1e-30)
    modulated = alpha.size > 0
    for row in range(row_from, row_to):
        for column in range(values.shape[1]):
            value = values[row, column]
            if math.isnan(value):
                continue
            below = signed and value < 0
            size = -value if below else value
            limit = negative_threshold if below else threshold
            strength = opacity
            if size < limit:
                if not fade or size <= 0.0:
                    continue
                strength *= (size / limit) ** 2
            if modulated:
                strength *= alpha[row, column]
            if below:
                level = int(min(max((size - negative_low) * negative_gain + 0.5, 0.0), 255.0))
                _over(out[row, column], negative[level, 0], negative[level, 1], negative[level, 2], strength)
            else:
                level = int(min(max((size - low) * gain + 0.5, 0.0), 255.0))
                _over(out[row, column], positive[level, 0], positive[level, 1], positive[level, 2], strength)


@njit(cache=True, nogil=True)
def shade_labels(values, table, opacity, alpha, out, row_from, row_to):
    """Blend integer labels by their rows of a colour table; labels without a row stay clear."""
    modulated = alpha.size > 0
    for row in range(row_from, row_to):
        for column in range(values.shape[1]):
            value = values[row, column]
            if math.isnan(value):
                continue
            label = int(value)
            if 0 <= label < table.shape[0]:
                strength = table[label, 3] / 255.0 * opacity
                if modulated:
                    strength *= alpha[row, column]
                _over(out[row, column], table[label, 0], table[label, 1], table[label, 2], strength)


def compile_kernels() -> None:
    """Compile, or load from the cache on disk, everything that a picture needs."""
    volume = _constant(np.zeros((2, 2, 2), np.float32))
    m = _constant(np.ascontiguousarray(np.eye(4)[:3]))
    values = np.zeros((2, 2), np.float32)
    none = _constant(values[:0, :0])
    out = np.zeros((2, 2, 4), np.uint8)
    table = _constant(np.zeros((256, 3), np.uint8))
    sample_linear(volume, m, values, 0, 2)
    sample_nearest(volume, m, values, 0, 2)
    blend_rgba(_constant(np.zeros((2, 2, 2, 4), np.uint8)), m, 1.0, out, 0, 2)
    shade(_constant(values), table, table, _constant(np.ones(8)), none, out, 0, 2)
    shade_labels(_constant(values), _constant(np.zeros((3, 4), np.uint8)), 1.0, none, out, 0, 2)


def _constant(array):
    """A read-only view: what `compose` hands over, and Numba compiles for nothing else."""
    view = array.view()
    view.flags.writeable = False
    return view
