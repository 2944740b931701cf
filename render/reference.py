"""The composition kernels once more in plain NumPy: slower, obvious, and ready at once.

Used until the compiled ones are, and as their reference in tests. Same signatures as in `kernels`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Matrix = NDArray[np.float64]


def _voxel_positions(m: Matrix, rows: range, width: int) -> NDArray[np.float64]:
    column, row = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(rows.start, rows.stop))
    return np.stack([m[n, 0] * column + m[n, 1] * row + m[n, 3] for n in range(3)])


def sample_linear(volume: Array, m: Matrix, out: Array, row_from: int, row_to: int) -> None:
    """Trilinear; NaN neighbours are left out as long as they hold less than half of the weight."""
    position = _voxel_positions(m, range(row_from, row_to), out.shape[1])
    size = np.array(volume.shape[::-1]).reshape(3, 1, 1)
    inside = ((position >= -0.5) & (position <= size - 0.5)).all(axis=0)
    clamped = np.clip(position[:, inside], 0, size[:, :, 0] - 1)
    lower = np.minimum(clamped.astype(np.int64), np.maximum(size[:, :, 0] - 2, 0))
    fraction = clamped - lower
    total = np.zeros(clamped.shape[1])
    weight = np.zeros(clamped.shape[1])
    for corner in np.ndindex(2, 2, 2):
        offset = np.array(corner).reshape(3, 1)
        w = np.where(offset == 1, fraction, 1 - fraction).prod(axis=0)
        i, j, k = np.minimum(lower + offset, size[:, :, 0] - 1)
        value = volume[k, j, i]
        valid = ~np.isnan(value)
        total += np.where(valid, w * np.where(valid, value, 0), 0)
        weight += np.where(valid, w, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        sampled = np.where(weight >= 0.5, total / weight, np.nan)
    band = out[row_from:row_to]
    band[:] = np.nan
    band[inside] = sampled


def sample_nearest(volume: Array, m: Matrix, out: Array, row_from: int, row_to: int) -> None:
    """Nearest voxel."""
    index, inside = _nearest(volume.shape[:3], m, range(row_from, row_to), out.shape[1])
    band = out[row_from:row_to]
    band[:] = np.nan
    band[inside] = volume[index]


def _nearest(
    shape: tuple[int, ...], m: Matrix, rows: range, width: int
) -> tuple[tuple[NDArray[np.int64], ...], NDArray[np.bool_]]:
    index = np.floor(_voxel_positions(m, rows, width) + 0.5).astype(np.int64)
    limit = np.array(shape[::-1]).reshape(3, 1, 1)
    inside = np.asarray(((index >= 0) & (index < limit)).all(axis=0), np.bool_)
    i, j, k = index[:, inside]
    return (k, j, i), inside


def blend_rgba(volume: Bytes, m: Matrix, opacity: float, out: Bytes, row_from: int, row_to: int) -> None:
    """The nearest voxels' own colours."""
    index, inside = _nearest(volume.shape[:3], m, range(row_from, row_to), out.shape[1])
    colour = np.zeros((row_to - row_from, out.shape[1], 4))
    colour[inside] = volume[index]
    _over(out[row_from:row_to], colour[..., :3], colour[..., 3] / 255 * opacity)


def _over(under: Bytes, colour: NDArray[np.float64], alpha: NDArray[np.float64]) -> None:
    alpha = np.minimum(alpha, 1.0)
    rest = under[..., 3] / 255 * (1 - alpha)
    total = alpha + rest
    with np.errstate(invalid="ignore", divide="ignore"):
        mixed = (colour * alpha[..., None] + under[..., :3] * rest[..., None]) / total[..., None]
    drawn = alpha > 0
    under[drawn, :3] = (mixed[drawn] + 0.5).astype(np.uint8)
    under[drawn, 3] = (total[drawn] * 255 + 0.5).astype(np.uint8)


def shade(
    values: Array,
    positive: Bytes,
    negative: Bytes,
    numbers: Matrix,
    alpha: Array,
    out: Bytes,
    row_from: int,
    row_to: int,
) -> None:
    """Two-sided or plain colours by value; see `render.scene.Shading`."""
    low, high, negative_low, negative_high, threshold, negative_threshold, opacity, flags = numbers
    value = values[row_from:row_to].astype(np.float64)
    finite = ~np.isnan(value)
    below = (int(flags) & 1 != 0) & (value < 0)
    size = np.where(below, -value, value)
    limit = np.where(below, negative_threshold, threshold)
    strength = np.full(value.shape, opacity)
    with np.errstate(invalid="ignore", divide="ignore"):
        hidden = size < limit
        faded = np.where(size > 0, (size / limit) ** 2, 0) if int(flags) & 2 else 0
    strength = np.where(finite, np.where(hidden, strength * faded, strength), 0)
    if alpha.size:
        strength = (strength * alpha[row_from:row_to]).astype(np.float64)
    colour = np.where(
        below[..., None],
        _look_up(negative, size, negative_low, negative_high),
        _look_up(positive, size, low, high),
    )
    _over(out[row_from:row_to], colour.astype(np.float64), strength)


def _look_up(table: Bytes, size: NDArray[np.float64], low: float, high: float) -> Bytes:
    level = np.nan_to_num((size - low) * (255.0 / max(high - low, 1e-30)) + 0.5, nan=0.0, posinf=255, neginf=0)
    return table[np.clip(level, 0, 255).astype(np.int64)]


def shade_labels(
    values: Array, table: Bytes, opacity: float, alpha: Array, out: Bytes, row_from: int, row_to: int
) -> None:
    """Labels by their rows of a colour table."""
    value = values[row_from:row_to]
    label = np.nan_to_num(value, nan=-1).astype(np.int64)
    known = (label >= 0) & (label < len(table))
    colour = table[np.where(known, label, 0)].astype(np.float64)
    strength = np.where(known, colour[..., 3] / 255 * opacity, 0)
    if alpha.size:
        strength = (strength * alpha[row_from:row_to]).astype(np.float64)
    _over(out[row_from:row_to], colour[..., :3], strength)
