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
    if _is_upright(m):
        _sample_upright(volume, m, out, row_from, row_to)
    else:
        _sample_oblique(volume, m, out, row_from, row_to)


def _is_upright(m: Matrix) -> bool:
    """Whether columns of the picture run along one voxel axis and rows along another."""
    steps = np.abs(m[:, :2]) > 1e-9 * np.abs(m[:, :2]).max()
    return bool((steps.sum(axis=0) <= 1).all() and (steps.sum(axis=1) <= 1).all())


def _sample_upright(volume: Array, m: Matrix, out: Array, row_from: int, row_to: int) -> None:
    """Interpolate along one voxel axis after the other: the same weights as in space, far fewer of them."""
    across, up = (int(np.abs(m[:, k]).argmax()) for k in (0, 1))
    along = 3 - across - up
    band = out[row_from:row_to]
    band[:] = np.nan
    columns = _Steps(m[across, 0] * np.arange(out.shape[1]) + m[across, 3], volume.shape[2 - across])
    rows = _Steps(m[up, 1] * np.arange(row_from, row_to) + m[up, 3], volume.shape[2 - up])
    place = _Steps(np.array([m[along, 3]]), volume.shape[2 - along])
    if not (columns.inside.any() and rows.inside.any() and place.inside.any()):
        return
    slab = np.moveaxis(volume, (2 - along, 2 - up, 2 - across), (0, 1, 2))
    low, high = slab[place.lower[0]], slab[place.upper[0]]
    valid_low, valid_high = ~np.isnan(low), ~np.isnan(high)
    full = bool(valid_low.all() and valid_high.all())
    c = place.fraction[0]
    if full:
        sampled = _across(_up(low * (1 - c) + high * c, rows), columns)
    else:
        total = np.where(valid_low, low, 0) * (1 - c) + np.where(valid_high, high, 0) * c
        weight = _across(_up(valid_low * (1 - c) + valid_high * c, rows), columns)
        with np.errstate(invalid="ignore", divide="ignore"):
            sampled = np.where(weight >= 0.5, _across(_up(total, rows), columns) / weight, np.nan)
    band[np.ix_(rows.inside, columns.inside)] = sampled


class _Steps:
    """Voxel positions along one axis: which lie in the volume, between which voxels, how far."""

    def __init__(self, position: NDArray[np.float64], size: int) -> None:
        self.inside = (position >= -0.5) & (position <= size - 0.5)
        clamped = np.clip(position[self.inside], 0, size - 1)
        self.lower = np.minimum(clamped.astype(np.int64), max(size - 2, 0))
        self.upper = np.minimum(self.lower + 1, size - 1)
        self.fraction = (clamped - self.lower).astype(np.float32)


def _up(plane: Array, rows: _Steps) -> Array:
    b = rows.fraction[:, None]
    return np.asarray(plane[rows.lower] * (1 - b) + plane[rows.upper] * b, np.float32)


def _across(plane: Array, columns: _Steps) -> Array:
    a = columns.fraction
    return np.asarray(plane[:, columns.lower] * (1 - a) + plane[:, columns.upper] * a, np.float32)


def _sample_oblique(volume: Array, m: Matrix, out: Array, row_from: int, row_to: int) -> None:
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
    colour = volume[index]
    _over(out[row_from:row_to], inside, colour[:, :3], colour[:, 3] / 255 * opacity)


def _over(under: Bytes, where: NDArray[np.bool_], colour: Bytes, alpha: NDArray[np.float64]) -> None:
    """Blend one colour and opacity per chosen pixel."""
    if not where.any():
        return
    if (alpha >= 1).all():
        under[where, :3] = colour
        under[where, 3] = 255
        return
    a = np.minimum(alpha, 1.0)
    below = under[where]
    rest = below[:, 3] / 255 * (1 - a)
    total = a + rest
    with np.errstate(invalid="ignore", divide="ignore"):
        mixed = (colour * a[:, None] + below[:, :3] * rest[:, None]) / total[:, None]
    drawn = total > 0
    below[drawn, :3] = (mixed[drawn] + 0.5).astype(np.uint8)
    below[drawn, 3] = (total[drawn] * 255 + 0.5).astype(np.uint8)
    under[where] = below


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
    band = values[row_from:row_to]
    signed, fade = int(flags) & 1 != 0, int(flags) & 2 != 0
    with np.errstate(invalid="ignore"):
        shown = band > 0 if fade else band >= threshold
        if signed:
            least = -np.float32(0 if fade else negative_threshold)
            shown = np.where(band < 0, band < 0 if fade else band <= least, shown)
        if fade and not signed:
            shown |= band >= threshold
    value = band[shown]
    below = (value < 0) if signed else np.zeros(value.shape, bool)
    size = np.where(below, -value, value)
    limit = np.where(below, negative_threshold, threshold)
    strength = np.full(value.shape, opacity)
    if fade:
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            strength = np.where(size < limit, strength * (size.astype(np.float64) / limit) ** 2, strength)
    if alpha.size:
        strength = np.asarray(strength * alpha[row_from:row_to][shown], np.float64)
    colour = _look_up(positive, size, low, high)
    if below.any():
        colour[below] = _look_up(negative, size[below], negative_low, negative_high)
    _over(out[row_from:row_to], shown, colour, strength)


def _look_up(table: Bytes, size: Array, low: float, high: float) -> Bytes:
    level = (size.astype(np.float64) - low) * (255.0 / max(high - low, 1e-30)) + 0.5
    return table[np.clip(level, 0, 255).astype(np.uint8)]


def shade_labels(
    values: Array, table: Bytes, opacity: float, alpha: Array, out: Bytes, row_from: int, row_to: int
) -> None:
    """Labels by their rows of a colour table."""
    label = np.nan_to_num(values[row_from:row_to], nan=-1).astype(np.int64)
    known = (label >= 0) & (label < len(table))
    chosen = table[label[known]]
    strength = chosen[:, 3] / 255 * opacity
    if alpha.size:
        strength = np.asarray(strength * alpha[row_from:row_to][known], np.float64)
    _over(out[row_from:row_to], known, chosen[:, :3], strength)
