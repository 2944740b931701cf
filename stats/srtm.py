"""The simplified reference tissue model by basis functions: binding potential, relative delivery, efflux."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from .arrays import FAST_MATH, Bool, Float32, Float64, Report, read_only
from .errors import CannotCompute
from .kinetics import LEAST_FRAMES, Frames, checked_curve, checked_data, convolve, convolved, in_pieces

PARALLEL = 1e-9  # of a curve's length beside the reference's direction: the rest is rounding


class BasisRange(NamedTuple):
    """Apparent efflux rates k2a = k2 / (1 + BP) that are tried, in 1/min, evenly spaced on a logarithmic scale.

    Curves are decay-corrected here, so these hold no decay constant. Gunn et al. fitted curves that still decay;
    their theta3 is k2a plus the constant (.0340/min for carbon-11): .06 to .6 in their paper is .026 to .566 here.

    Attributes
    ----------
    low, high : float
    steps : int
    """

    low: float = 0.006
    high: float = 0.6
    steps: int = 100


class Srtm(NamedTuple):
    """Parameters of many voxels; NaN where a curve is empty or not finite.

    Attributes
    ----------
    bp_nd : (V,) float32
        Binding potential, k2 / k2a - 1.
    r1 : (V,) float32
        Delivery relative to the reference region, K1 / K1'.
    k2_per_min, k2a_per_min : (V,) float32
        Efflux rate, and the apparent one with binding.
    sd : (V,) float32
        Weighted residual standard deviation, n - 3 degrees of freedom, in the data's unit.
    at_edge : (V,) bool
        Where the best rate is the first or last that was tried: a wider range may fit better.
    """

    bp_nd: Float32
    r1: Float32
    k2_per_min: Float32
    k2a_per_min: Float32
    sd: Float32
    at_edge: Bool

    @property
    def k2ref_per_min(self) -> Float32:
        """Efflux rate of the reference region, k2 / R1, (V,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.k2_per_min / self.r1


class _Basis(NamedTuple):
    """What every voxel is fitted with.

    Attributes
    ----------
    curve, mid, root : (n,) float64
        The reference, the frames' middles, the square roots of their weights.
    rates : (N,) float64
    curves : (N, n) float64
        The reference convolved with each rate's exponential.
    directions : (N, n) float64
        What each rate's curve adds to the reference's, weighted, of length 1: the squares that a rate explains
        beyond the reference are then one product.
    """

    curve: Float64
    mid: Float64
    root: Float64
    rates: Float64
    curves: Float64
    directions: Float64


def srtm(
    data: Float32, reference: ArrayLike, frames: Frames, rates: BasisRange | None = None, report: Report | None = None
) -> Srtm:
    """Fit ``C = R1 R + (k2 - R1 k2a) R (x) exp(-k2a t)`` to every voxel.

    Lammertsma and Hume (1996, doi 10.1006/nimg.1996.0066) by the basis functions of Gunn et al. (1997, doi
    10.1006/nimg.1997.0303): for every rate of a range the rest is linear, and the rate with the least squares wins.
    A parabola through its neighbours then refines it, where that fits better. Squares are weighted by the frames'
    durations.

    Parameters
    ----------
    data : (n, V) float32
        Decay-corrected activity, a row per frame.
    reference : (n,)
        Curve of a region without specific binding.
    frames : Frames
    rates : BasisRange, optional
    report : callable, optional

    Raises
    ------
    CannotCompute
        When there are fewer than four frames, or curves or range are not usable.
    """
    values = checked_data(data, frames)
    basis = _basis(checked_curve(reference, frames), frames, rates or BasisRange())
    result = np.empty((6, values.shape[1]), np.float32)
    in_pieces(lambda start, stop: _fit(values, basis, result, start, stop), values.shape[1], report)
    return Srtm(*result[:5], at_edge=result[5] > 0)


def _basis(curve: Float64, frames: Frames, rates: BasisRange) -> _Basis:
    if len(curve) <= LEAST_FRAMES:
        raise CannotCompute(f"{len(curve)} frames do not determine three parameters", "give more frames")
    if not (0 < rates.low < rates.high < np.inf and rates.steps >= LEAST_FRAMES):
        what = f"{rates.low:g} to {rates.high:g} per min in {rates.steps} steps is no range of rates"
        raise CannotCompute(what, "give LO,HI,N with 0 < LO < HI and N of 3 or more")
    root = np.sqrt(frames.duration_min / frames.duration_min.mean())
    tried = np.geomspace(rates.low, rates.high, rates.steps)
    curves = np.array([convolved(curve, frames.mid_min, rate) for rate in tried])
    weighted = curves * root
    whole = np.linalg.norm(weighted, axis=1, keepdims=True)
    reference = curve * root / np.linalg.norm(curve * root)
    weighted -= np.outer(weighted @ reference, reference)
    own = np.linalg.norm(weighted, axis=1, keepdims=True)
    if not (own > PARALLEL * whole).all():
        raise CannotCompute("the reference curve cannot tell rates apart", "give one with activity in several frames")
    made = (read_only(values) for values in (root, tried, curves, weighted / own))
    return _Basis(curve, frames.mid_min, *made)


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _along(direction: Float64, values: Float64) -> float:
    total = 0.0
    for i in range(values.size):
        total += direction[i] * values[i]
    return total


@njit(cache=True, nogil=True)
def _solve(basis: _Basis, made: Float64, values: Float64) -> tuple[float, float, float]:
    """Weights of the reference and of a rate's curve with the least squares, and these squares; values are weighted."""
    aa = ab = bb = ay = by = 0.0
    for i in range(values.size):
        a, b = basis.curve[i] * basis.root[i], made[i] * basis.root[i]
        aa += a * a
        ab += a * b
        bb += b * b
        ay += a * values[i]
        by += b * values[i]
    determinant = aa * bb - ab * ab
    one, two = (bb * ay - ab * by) / determinant, (aa * by - ab * ay) / determinant
    left = 0.0
    for i in range(values.size):
        left += (values[i] - basis.root[i] * (one * basis.curve[i] + two * made[i])) ** 2
    return one, two, left


@njit(cache=True, nogil=True)
def _between(gains: Float64, best: int) -> float:
    """Where a parabola through the best rate's gain and its neighbours' is highest, in steps from the best."""
    bend = 2 * gains[best] - gains[best - 1] - gains[best + 1]
    return (gains[best + 1] - gains[best - 1]) / bend / 2 if bend > 0 else 0.0


@njit(cache=True, nogil=True)
def _fit(data: Float32, basis: _Basis, result: Float32, start: int, stop: int) -> None:
    n, last = basis.mid.size, basis.rates.size - 1
    step = basis.rates[1] / basis.rates[0]
    values, made, gains = np.empty(n), np.empty(n), np.empty(last + 1)
    for v in range(start, stop):
        squares = 0.0
        for i in range(n):
            values[i] = data[i, v] * basis.root[i]
            squares += values[i] ** 2
        if not (np.isfinite(squares) and squares > 0):
            result[:, v] = np.nan
            continue
        best = 0
        for j in range(last + 1):
            gains[j] = _along(basis.directions[j], values) ** 2
            if gains[j] > gains[best]:
                best = j
        rate = basis.rates[best]
        made[:] = basis.curves[best]
        r1, other, left = _solve(basis, made, values)
        if 0 < best < last:
            finer = rate * step ** _between(gains, best)
            convolve(basis.curve, basis.mid, finer, made)
            r1_finer, other_finer, left_finer = _solve(basis, made, values)
            if left_finer < left:
                rate, r1, other, left = finer, r1_finer, other_finer, left_finer
        k2 = other + r1 * rate
        result[0, v] = k2 / rate - 1
        result[1, v] = r1
        result[2, v] = k2
        result[3, v] = rate
        result[4, v] = np.sqrt(left / (n - 3))
        result[5, v] = best in {0, last}


def compile_kernels() -> None:
    """Compile for the types that are used."""
    frames = Frames(read_only(np.arange(1.0, 6.0)), read_only(np.ones(5)))
    srtm(np.ones((5, 2), np.float32), np.arange(1.0, 6.0), frames, BasisRange(steps=3))
