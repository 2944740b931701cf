"""What the two reference-tissue models share: frames, the curve between them, and maps of many voxels at once.

Curves are decay-corrected. Between the frames' middles they are straight lines, from 0 at injection; integrals and
convolutions of these lines are exact. Times are minutes from injection, rates 1/min.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from .arrays import Float32, Float64, Report, read_only
from .errors import CannotCompute
from .threads import split

LEAST_FRAMES = 3
AT_ONCE = 1 << 13  # voxels between two reports: some milliseconds
SMALLEST = 64
SERIES_BELOW = 0.02  # of rate x time, where the closed form loses digits to its series


class Frames(NamedTuple):
    """When frames were taken.

    Attributes
    ----------
    mid_min : (n,) float64
        Their middles, in minutes from injection; read-only.
    duration_min : (n,) float64
        Read-only.
    """

    mid_min: Float64
    duration_min: Float64


def frames_from_injection(start_s: ArrayLike, duration_s: ArrayLike, injection_s: float = 0.0) -> Frames:
    """Frames in minutes from injection; those before it stay, and hold nothing.

    Raises
    ------
    CannotCompute
        When starts and durations do not fit together, or frames do not follow each other.
    """
    start, duration = (np.asarray(times, dtype=np.float64) / 60 for times in (start_s, duration_s))
    if start.shape != duration.shape or start.ndim != 1 or len(start) < LEAST_FRAMES:
        what = f"{start.size} starts and {duration.size} durations are no dynamic scan"
        raise CannotCompute(what, f"give at least {LEAST_FRAMES} frames, each with both")
    mid = start + duration / 2 - injection_s / 60
    if not (np.isfinite(mid).all() and (duration > 0).all() and (np.diff(mid) > 0).all()):
        raise CannotCompute("the frames do not follow each other in time", "check the frame times")
    return Frames(read_only(mid), read_only(duration))


def region_curve(data: Float32) -> Float64:
    """Mean curve (n,) of a region's voxels (n, V), those left out that are not finite in every frame.

    Raises
    ------
    CannotCompute
        When no voxel is left.
    """
    kept = np.isfinite(data).all(axis=0)
    if not kept.any():
        raise CannotCompute("the reference region has no voxel with values in every frame", "choose another region")
    return data[:, kept].mean(axis=1, dtype=np.float64)


def checked_curve(curve: ArrayLike, frames: Frames) -> Float64:
    """A reference curve as read-only float64.

    Raises
    ------
    CannotCompute
        When it has other than one finite number a frame, or holds no activity.
    """
    values = np.ascontiguousarray(curve, dtype=np.float64)
    if values.shape != frames.mid_min.shape:
        what = f"the reference curve has {values.size} values for {len(frames.mid_min)} frames"
        raise CannotCompute(what, "give one per frame")
    if not np.isfinite(values).all() or not values.sum() > 0:
        raise CannotCompute("the reference curve holds no activity", "choose a reference region that takes up tracer")
    return read_only(values)


def checked_data(data: Float32, frames: Frames) -> Float32:
    """Voxels' curves (n, V) as read-only C-contiguous float32.

    Raises
    ------
    CannotCompute
        When there is other than one row a frame.
    """
    if data.ndim != 2 or len(data) != len(frames.mid_min):
        raise CannotCompute(f"{len(data)} frames of data for {len(frames.mid_min)} frame times", "give one per frame")
    return read_only(np.ascontiguousarray(data, dtype=np.float32))


def integral(curve: Float64, mid_min: Float64) -> Float64:
    """Integral of a curve from injection to the middle of every frame, (n,), in its unit x min."""
    result = np.empty(len(curve))
    integrate(read_only(np.asarray(curve, np.float64)), read_only(np.asarray(mid_min, np.float64)), result)
    return result


def convolved(curve: Float64, mid_min: Float64, rate_per_min: float) -> Float64:
    """A curve convolved with exp(-rate t), at the middle of every frame, (n,); exact for straight lines between."""
    result = np.empty(len(curve))
    convolve(
        read_only(np.asarray(curve, np.float64)),
        read_only(np.asarray(mid_min, np.float64)),
        float(rate_per_min),
        result,
    )
    return result


def in_pieces(kernel: Callable[[int, int], None], n_voxels: int, report: Report | None) -> None:
    """Call ``kernel(start, stop)`` for all voxels, spread over the processors, and report between pieces."""
    for first in range(0, n_voxels, AT_ONCE):
        last = min(n_voxels, first + AT_ONCE)
        split(lambda a, b, first=first: kernel(first + a, first + b), last - first, smallest=SMALLEST)
        if report:
            report(last / n_voxels)


@njit(cache=True, nogil=True)
def integrate(curve: Float64, mid: Float64, result: Float64) -> None:
    """Trapezoids from 0 at time 0; frames before injection hold nothing."""
    time = value = total = 0.0
    for i in range(mid.size):
        if mid[i] > 0:
            total += (mid[i] - time) * (value + curve[i]) / 2
            time, value = mid[i], curve[i]
        result[i] = total


@njit(cache=True, nogil=True)
def convolve(curve: Float64, mid: Float64, rate: float, result: Float64) -> None:
    """From one frame's middle to the next: what was there decays, the straight line between adds its own."""
    time = value = total = 0.0
    for i in range(mid.size):
        if mid[i] > 0:
            step = mid[i] - time
            x = rate * step
            if x < SERIES_BELOW:
                level = 1 - x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5 * (1 - x / 6))))
                ramp = (1 - x / 3 * (1 - x / 4 * (1 - x / 5 * (1 - x / 6)))) / 2
            else:
                level = -np.expm1(-x) / x
                ramp = (1 - level) / x
            total = total * (1 - x * level) + step * (value * level + (curve[i] - value) * ramp)
            time, value = mid[i], curve[i]
        result[i] = total


def compile_kernels() -> None:
    """Compile for the types that are used."""
    mid = np.arange(1.0, 4.0)
    integral(mid, mid)
    convolved(mid, mid, 0.1)
