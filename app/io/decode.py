"""Stored numbers made into values: scaled, magnitudes of complex ones, NaN where there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .layout import Raw, Scaling

VALUES_AT_A_TIME = 2**18  # 2 MB of float64: stays in the cache


def to_values(raw: Raw, scale: Scaling, frame: int) -> NDArray[np.float32]:
    """Values of a frame.

    Parameters
    ----------
    raw : (nx, ny, nz)
        As stored, any real or complex type and byte order.
    scale : Scaling
        Applied in float64, whatever the stored type.
    frame : int
        Which of the scaling's rows counts.

    Returns
    -------
    (nx, ny, nz) float32, Fortran order, read-only
        NaN where the value is NaN, infinite or beyond float32. Complex values give their magnitude.
        `raw` itself when it needs no change.
    """
    as_stored = scale.is_identity
    may_be_empty = raw.dtype.kind in "fc" or not as_stored
    if as_stored and raw.dtype == np.float32 and raw.dtype.isnative and raw.flags.f_contiguous and not _any_inf(raw):
        return _frozen(raw)
    values = np.empty(raw.shape, np.float32, order="F")
    slope, intercept = scale.of_frame(frame)
    parts = _parts(raw.shape)
    room = None if as_stored else np.empty(raw[..., parts[0]].shape, _wide(raw.dtype), order="F")
    with np.errstate(over="ignore", invalid="ignore"):
        for part in parts:
            piece, shown = raw[..., part], values[..., part]
            if room is not None:
                scaled = room[..., : piece.shape[2]]
                np.multiply(piece, _of_slices(slope, part), out=scaled)
                piece = np.add(scaled, _of_slices(intercept, part), out=scaled)
            shown[...] = np.abs(piece) if raw.dtype.kind == "c" else piece
            if may_be_empty and not (finite := np.isfinite(shown)).all():
                shown[~finite] = np.nan
    return _frozen(values)


def to_series(raw: Raw, scale: Scaling, k: int) -> NDArray[np.float32]:
    """Values of one voxel through all frames, (n_frames,) float32, by the same rules.

    Parameters
    ----------
    raw : (n_frames,)
        As stored.
    scale : Scaling
    k : int
        The voxel's third index, for formats that scale by slice.
    """
    slope, intercept = (rows[:, min(k, rows.shape[1] - 1)] for rows in (scale.slope, scale.intercept))
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = raw.astype(_wide(raw.dtype)) * slope + intercept
        values = (np.abs(scaled) if raw.dtype.kind == "c" else scaled).astype(np.float32)
    values[~np.isfinite(values)] = np.nan
    return values


def to_rgba(raw: Raw) -> NDArray[np.uint8]:
    """Colours of a frame of RGB or RGBA bytes, (nx, ny, nz, 4) uint8, read-only; opaque where there is no alpha."""
    nx, ny, nz = raw.shape
    colours = np.full((nz, ny, nx, 4), 255, np.uint8).transpose(2, 1, 0, 3)
    for channel, name in enumerate(raw.dtype.names or ()):
        colours[..., channel] = raw[name]
    colours.flags.writeable = False
    return colours


def _wide(stored: np.dtype[Any]) -> type[np.float64 | np.complex128]:
    """Type to compute in."""
    return np.complex128 if stored.kind == "c" else np.float64


def _of_slices(row: NDArray[np.float64], part: slice) -> NDArray[np.float64]:
    """A frame's factor, or those of some of its slices."""
    return row if row.size == 1 else row[part]


def _parts(shape: tuple[int, ...]) -> list[slice]:
    """Stacks of slices of a size that the cache holds."""
    thick = max(1, VALUES_AT_A_TIME // max(1, shape[0] * shape[1]))
    return [slice(start, start + thick) for start in range(0, shape[2], thick)]


def _any_inf(raw: Raw) -> bool:
    return any(bool(np.isinf(raw[..., part]).any()) for part in _parts(raw.shape))


def _frozen(values: Raw) -> NDArray[np.float32]:
    frozen = values.view()
    frozen.flags.writeable = False
    return frozen
