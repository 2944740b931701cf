"""PET: standardised uptake value ratio over a window of frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Bool, Float32, Float64, Report
from .errors import CannotCompute


class UptakeRatio(NamedTuple):
    """A map divided by its mean in a reference region.

    Attributes
    ----------
    ratio : float32, shape of the map
        NaN where the map is not finite.
    reference_mean : float
        In the unit of the map.
    n_reference : int
        Voxels of the reference region with a finite value.
    n_left_out : int
        Voxels of the reference region without one.
    """

    ratio: Float32
    reference_mean: float
    n_reference: int
    n_left_out: int


def overlap_s(start_s: ArrayLike, duration_s: ArrayLike, window_s: tuple[float, float]) -> Float64:
    """Seconds of each frame that lie within a window, (n,).

    Raises
    ------
    CannotCompute
        When the window is empty or no frame lies in it.
    """
    low, high = window_s
    if not (np.isfinite([low, high]).all() and low < high):
        raise CannotCompute(f"the window {low / 60:g} to {high / 60:g} min is empty", "give START,END with END later")
    start = np.asarray(start_s, dtype=np.float64)
    end = start + np.asarray(duration_s, dtype=np.float64)
    shared = np.clip(np.minimum(end, high) - np.maximum(start, low), 0, None)
    if not shared.any():
        what = f"no frame lies within {low / 60:g} to {high / 60:g} min"
        raise CannotCompute(what, f"give a window within {start.min() / 60:g} to {end.max() / 60:g} min")
    return shared


def weighted_mean(frames: Iterable[Float32], weights: ArrayLike, report: Report | None = None) -> Float64:
    """Mean of frames, each by its weight; frames are asked for one at a time.

    Parameters
    ----------
    frames : iterable of float32 arrays of one shape
        One per weight.
    weights : (n,)
        Such as the seconds that each frame lasts.
    report : callable, optional

    Returns
    -------
    float64, shape of a frame
        NaN where a frame is.

    Raises
    ------
    CannotCompute
        When the weights are no weights.
    """
    weight = np.asarray(weights, dtype=np.float64)
    if weight.size == 0 or not (np.isfinite(weight).all() and (weight >= 0).all() and weight.sum() > 0):
        raise CannotCompute("the weights of the frames are not all 0 or more", "check the frame durations")
    total = np.zeros((), np.float64)
    for number, (frame, share) in enumerate(zip(frames, weight / weight.sum(), strict=True)):
        total = total + np.multiply(frame, share, dtype=np.float64)
        if report:
            report((number + 1) / len(weight))
    return total


def uptake_ratio(mean: NDArray[np.floating], reference: Bool) -> UptakeRatio:
    """Divide a mean uptake by its mean in a reference region (SUVR).

    Dose and weight, which make a standardised uptake value, are the same above and below the line and drop out.

    Parameters
    ----------
    mean : any shape
        Mean activity over the window.
    reference : bool, same shape

    Raises
    ------
    CannotCompute
        When the region is empty, or its mean is not above 0.
    """
    level, kept, left_out = reference_level(mean, reference)
    with np.errstate(over="ignore"):
        ratio = (mean / level).astype(np.float32)
    return UptakeRatio(np.where(np.isfinite(ratio), ratio, np.float32(np.nan)), level, kept, left_out)


def reference_level(mean: NDArray[np.floating], reference: Bool) -> tuple[float, int, int]:
    """Mean within a reference region, and how many of its voxels have a finite value and how many have none.

    Raises
    ------
    CannotCompute
        As `uptake_ratio`.
    """
    values = mean[reference]
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise CannotCompute("the reference region has no voxel with a value", "give one that lies within the image")
    level = float(finite.mean(dtype=np.float64))
    if not level > 0:
        raise CannotCompute(f"the mean of the reference region is {level:.4g}", "give a region that takes up tracer")
    return level, finite.size, values.size - finite.size
