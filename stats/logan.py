"""Logan's graphical analysis with a reference region: the distribution volume ratio of reversible tracers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from .arrays import Bool, Float32, Float64, Report, read_only
from .errors import CannotCompute
from .kinetics import LEAST_FRAMES, Frames, checked_curve, checked_data, in_pieces, integral, integrate


class LoganOptions(NamedTuple):
    """What the analysis leaves to choose.

    Attributes
    ----------
    tstar_min : float
        Frames count whose middle is at or after it, in minutes from injection.
    k2ref_per_min : float or None
        Efflux rate k2' of the reference region; None leaves its term out, which is right where the reference's and
        the tissue's curve keep a constant ratio after t*.
    weights : (n,) or None
        Of the frames in the regression; None for equal ones.
    """

    tstar_min: float
    k2ref_per_min: float | None = None
    weights: Float64 | None = None


class _Line(NamedTuple):
    """What every voxel is fitted with: the frames' middles, ``int R + R / k2'``, weights (0 before t*), each (n,)."""

    mid: Float64
    abscissa: Float64
    weight: Float64


class Logan(NamedTuple):
    """Slopes of many voxels.

    Attributes
    ----------
    dvr : (V,) float32
        Distribution volume ratio; NaN where a curve is empty or not finite.
    intercept_min : (V,) float32
    r2 : (V,) float32
        Share of variance that the line explains.
    sd_min : (V,) float32
        Residual standard deviation of the regression, n - 2 degrees of freedom.
    n_frames : int
        Frames in the regression.
    """

    dvr: Float32
    intercept_min: Float32
    r2: Float32
    sd_min: Float32
    n_frames: int

    @property
    def bp_nd(self) -> Float32:
        """Binding potential, DVR - 1, (V,)."""
        return self.dvr - np.float32(1)


def logan(
    data: Float32, reference: ArrayLike, frames: Frames, options: LoganOptions, report: Report | None = None
) -> Logan:
    """Fit the line of Logan et al. (1996, doi 10.1097/00004647-199609000-00008) after t*.

    ``int C / C = DVR (int R + R / k2') / C + b`` with the tissue's curve C, the reference's R and integrals from
    injection to each frame's middle.

    Parameters
    ----------
    data : (n, V) float32
        Decay-corrected activity, a row per frame.
    reference : (n,)
    frames : Frames
    options : LoganOptions
    report : callable, optional

    Raises
    ------
    CannotCompute
        When fewer than three frames lie after t*, or curves, rates or weights are not usable.
    """
    values = checked_data(data, frames)
    used = usable_frames(frames, options)
    curve = checked_curve(reference, frames)
    abscissa = integral(curve, frames.mid_min)
    if options.k2ref_per_min is not None:
        abscissa += curve / options.k2ref_per_min
    weights = np.where(used, 1.0 if options.weights is None else options.weights, 0.0)
    result = np.empty((4, values.shape[1]), np.float32)
    line = _Line(frames.mid_min, read_only(abscissa), read_only(weights))
    in_pieces(lambda start, stop: _lines(values, line, result, start, stop), values.shape[1], report)
    return Logan(*result, n_frames=int(used.sum()))


def usable_frames(frames: Frames, options: LoganOptions) -> Bool:
    """Which frames the regression has, (n,).

    Raises
    ------
    CannotCompute
        As `logan`.
    """
    rate, weights = options.k2ref_per_min, options.weights
    if rate is not None and not (np.isfinite(rate) and rate > 0):
        raise CannotCompute(f"k2' of {rate:g} per min is no rate", "give a number above 0, or leave it out")
    if weights is not None and (
        weights.shape != frames.mid_min.shape or not np.isfinite(weights).all() or (weights < 0).any()
    ):
        raise CannotCompute("the weights of the frames are not all 0 or more", "give one per frame")
    if not 0 <= options.tstar_min < np.inf:
        raise CannotCompute(f"t* of {options.tstar_min:g} is no time", "give minutes from injection")
    used = frames.mid_min >= max(options.tstar_min, 0)
    if weights is not None:
        used &= weights > 0
    if used.sum() < LEAST_FRAMES:
        last = frames.mid_min[-LEAST_FRAMES]
        what = f"{used.sum()} frames have their middle after t* = {options.tstar_min:g} min, and a line needs 3"
        raise CannotCompute(what, f"give t* of at most {np.floor(100 * last) / 100:g} min")
    return used


@njit(cache=True, nogil=True)
def _lines(data: Float32, line: _Line, result: Float32, start: int, stop: int) -> None:
    n = line.mid.size
    curve, area, x, y, weight = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for v in range(start, stop):
        for i in range(n):
            curve[i] = data[i, v]
        integrate(curve, line.mid, area)
        m = 0
        usable = np.isfinite(area[n - 1])
        for i in range(n):
            if line.weight[i] > 0:
                usable &= curve[i] != 0
                divisor = curve[i] if curve[i] != 0 else 1.0
                x[m], y[m], weight[m] = line.abscissa[i] / divisor, area[i] / divisor, line.weight[i]
                m += 1
        slope, intercept, r2, sd = _regression(x[:m], y[:m], weight[:m])
        if not usable:
            slope = intercept = r2 = sd = np.nan
        result[0, v], result[1, v], result[2, v], result[3, v] = slope, intercept, r2, sd


@njit(cache=True, nogil=True)
def _regression(x: Float64, y: Float64, weight: Float64) -> tuple[float, float, float, float]:
    """Slope, intercept, explained share of variance, residual standard deviation; NaN where there is no line."""
    total = mean_x = mean_y = 0.0
    for i in range(x.size):
        total += weight[i]
        mean_x += weight[i] * x[i]
        mean_y += weight[i] * y[i]
    mean_x /= total
    mean_y /= total
    xx = xy = yy = 0.0
    for i in range(x.size):
        dx, dy = x[i] - mean_x, y[i] - mean_y
        xx += weight[i] * dx * dx
        xy += weight[i] * dx * dy
        yy += weight[i] * dy * dy
    if not xx > 0:
        return np.nan, np.nan, np.nan, np.nan
    slope = xy / xx
    left = 0.0
    for i in range(x.size):
        left += weight[i] * (y[i] - mean_y - slope * (x[i] - mean_x)) ** 2
    r2 = 1 - left / yy if yy > 0 else np.nan
    return slope, mean_y - slope * mean_x, r2, np.sqrt(left * x.size / total / (x.size - 2))


def compile_kernels() -> None:
    """Compile for the types that are used."""
    frames = Frames(read_only(np.arange(1.0, 5.0)), read_only(np.ones(4)))
    logan(np.ones((4, 2), np.float32), np.ones(4), frames, LoganOptions(1.0))
