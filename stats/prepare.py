"""From the frames of a run to rows of time series, and the projection that takes nuisance out of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .arrays import Float32, Float64, Int64, Report, flat
from .confounds import Design
from .errors import CannotCompute

FRAMES_AT_ONCE = 16  # a row of several numbers is written at once: the memory of rows is crossed fewer times
BLOCK = 1 << 21  # numbers in double precision at once, 16 MB
# Relative size below which a residual is what single precision leaves of a row that the design explains fully.
EXPLAINED = float(np.finfo(np.float32).eps)


def series_rows(frames: Iterable[Float32], n_frames: int, voxels: Int64, report: Report | None = None) -> Float32:
    """Time series of some voxels, gathered frame by frame.

    Parameters
    ----------
    frames : iterable of (nx, ny, nz) float32
        Taken one at a time and not kept.
    n_frames : int
    voxels : (V,) flat voxel numbers
    report : callable, optional

    Returns
    -------
    (V, n_frames) float32

    Raises
    ------
    CannotCompute
        When there are fewer or more frames than announced.
    """
    rows = np.empty((len(voxels), n_frames), np.float32)
    some = np.empty((FRAMES_AT_ONCE, len(voxels)), np.float32)
    done = n = 0
    for n, frame in enumerate(frames, start=1):
        if n > n_frames:
            break
        np.take(flat(frame), voxels, out=some[n - 1 - done])
        if n - done == FRAMES_AT_ONCE or n == n_frames:
            rows[:, done:n] = some[: n - done].T
            done = n
        if report:
            report(n / n_frames)
    if n != n_frames:
        raise CannotCompute(f"the run has other than the {n_frames} frames announced", "check that the file is whole")
    return rows


def project_out(rows: Float32, design: Design, *, out: Float32 | None = None, report: Report | None = None) -> Float32:
    """What is left of time series once a design is removed, by least squares.

    Computed in double precision, block by block. A censored volume is left at exactly 0. A row that the design
    explains to the last digit of single precision (a constant one, say) becomes exactly 0. A row with NaN or
    infinity among its kept volumes becomes NaN.

    Parameters
    ----------
    rows : (V, T) float32
    design : Design
        Of T volumes.
    out : (V, T) float32, optional
        Where to write; may be `rows`.
    report : callable, optional

    Returns
    -------
    (V, T) float32
    """
    residuals = np.empty_like(rows) if out is None else out
    block = rows_at_once(rows)
    for start in range(0, len(rows), block):
        part = slice(start, start + block)
        np.matmul(coordinates(rows[part], design), design.complement.T, out=residuals[part], casting="same_kind")
        if report:
            report(min(1.0, (start + block) / len(rows)))
    return residuals


def rows_at_once(rows: Float32) -> int:
    """How many rows make a block for double precision."""
    return max(1, BLOCK // max(1, rows.shape[1]))


def coordinates(rows: Float32, design: Design) -> Float64:
    """Residuals of a few rows as coordinates in what the design leaves, (V, residual_df) float64.

    Lengths and products of residuals are those of their coordinates. Fully explained rows are 0.
    """
    if rows.shape[1] != len(design.kept):
        raise CannotCompute(
            f"the series have {rows.shape[1]} volumes, the design {len(design.kept)}", "drop the same volumes from both"
        )
    kept = rows.astype(np.float64)
    kept[:, ~design.kept] = 0
    with np.errstate(invalid="ignore"):  # rows with NaN or infinity stay so
        result = kept @ design.complement
        result[length(result) <= EXPLAINED * length(kept)] = 0
    return result


def length(rows: Float64) -> Float64:
    """Euclidean length of each row."""
    return np.sqrt(np.einsum("vt,vt->v", rows, rows))
