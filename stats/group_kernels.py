"""From correlations of many runs to a statistic in each voxel, some voxels at a time and all runs of these together."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from .arrays import FAST_MATH, Float32, Float64, Int64
from .correlate import Z_LIMIT

AT_ONCE = 64  # voxels whose Fisher z of all runs stay in the first cache
NO_VARIANCE = 1e-12  # relative residual sum of squares of values that are the same but for rounding to float32
NO_COVARIATE = 1e-10  # likewise of a covariate that the design explains
SUM, YY, XX, XY = range(4)  # of z over runs; of squares and products of observations y and covariate x

_R_LIMIT = math.tanh(Z_LIMIT)
_TANH_2, _TANH_1, _TANH_HALF, _TANH_QUARTER = (math.tanh(step) for step in (2.0, 1.0, 0.5, 0.25))


class KernelModel(NamedTuple):
    """What a kernel needs of a test."""

    pairs: Int64
    weights: Float64
    basis: Float64
    q: int
    scale: float
    df: float


@njit(cache=True, nogil=True, fastmath=FAST_MATH, error_model="numpy")
def statistics(r: Float32, covariate: Float32, model: KernelModel, out: Float32, start: int, stop: int) -> None:
    """Mean z, estimate and statistic of voxels start to stop, some at a time, all runs of these together."""
    z = np.empty((r.shape[0], AT_ONCE))
    y, x, squares = np.empty(AT_ONCE), np.empty(AT_ONCE), np.empty((4, AT_ONCE))
    products = np.empty((2, model.basis.shape[0], AT_ONCE))
    has_covariate = covariate.shape[0] > 0
    for first in range(start, stop, AT_ONCE):
        last = min(stop, first + AT_ONCE)
        fisher_zs(r, z, first, last)
        squares[:] = 0.0
        products[:] = 0.0
        for k in range(r.shape[0]):
            _add(z[k], squares[SUM])
        for i in range(model.pairs.shape[0]):
            _observe(z, model, i, y)
            _add_product(y, y, squares[YY])
            _add_weighted(y, model.basis, i, products[0])
            if has_covariate:
                x[: last - first] = covariate[i, first:last]
                _add_product(x, x, squares[XX])
                _add_product(x, y, squares[XY])
                _add_weighted(x, model.basis, i, products[1])
        for v in range(last - first):
            out[0, first + v] = squares[SUM, v] / r.shape[0]
            if has_covariate:
                out[1, first + v], out[2, first + v] = _with_covariate(products, squares, model, v)
            else:
                out[1, first + v], out[2, first + v] = _without_covariate(products[0], squares[YY], model, v)


@njit(cache=True, nogil=True, fastmath=FAST_MATH, error_model="numpy")
def fisher_zs(r: Float32, z: Float64, first: int, last: int) -> None:
    """Atanh of correlations, clipped at 4; to 1e-10, without a call, so that it is vector code.

    By the addition theorem 2, 1, 1/2 and 1/4 are taken off the result as long as it is larger, in numerator and
    denominator; what is left is at most 1/4, for which seven terms of the series do.
    """
    for k in range(r.shape[0]):
        values, to = r[k, first:last], z[k]  # slices of a row lie together, those of the array would not
        for v in range(values.size):
            a = np.float64(abs(values[v]))
            n = _R_LIMIT if a > _R_LIMIT else a  # noqa: FURB136 - min would take NaN for the limit
            n, d, z2 = _less(n, 1.0, 2.0, _TANH_2)
            n, d, z1 = _less(n, d, 1.0, _TANH_1)
            n, d, z_half = _less(n, d, 0.5, _TANH_HALF)
            n, d, z_quarter = _less(n, d, 0.25, _TANH_QUARTER)
            s = n / d
            u = s * s
            rest = s * (1 + u * (1 / 3 + u * (1 / 5 + u * (1 / 7 + u * (1 / 9 + u * (1 / 11 + u / 13))))))
            result = z2 + z1 + z_half + z_quarter + rest
            to[v] = -result if values[v] < 0 else result


@njit(cache=True, nogil=True, fastmath=FAST_MATH, error_model="numpy", inline="always")
def _less(n: float, d: float, step: float, tanh: float) -> tuple[float, float, float]:
    """The ratio n / d as the tanh of ``step`` less, if it is larger, and how much was taken off."""
    taken = tanh if n > tanh * d else 0.0
    return n - taken * d, d - taken * n, (step if n > tanh * d else 0.0)


@njit(cache=True, nogil=True, fastmath=FAST_MATH, error_model="numpy")
def _observe(z: Float64, model: KernelModel, i: int, y: Float64) -> None:
    """An observation of each voxel from its one or two runs."""
    one, other = z[model.pairs[i, 0]], z[model.pairs[i, 1]]
    for v in range(AT_ONCE):
        y[v] = model.weights[0] * one[v] + model.weights[1] * other[v]


@njit(cache=True, nogil=True, fastmath=FAST_MATH, error_model="numpy")
def _add(y: Float64, total: Float64) -> None:
    for v in range(AT_ONCE):
        total[v] += y[v]


@njit(cache=True, nogil=True, fastmath=FAST_MATH, error_model="numpy")
def _add_product(x: Float64, y: Float64, total: Float64) -> None:
    for v in range(AT_ONCE):
        total[v] += x[v] * y[v]


@njit(cache=True, nogil=True, fastmath=FAST_MATH, error_model="numpy")
def _add_weighted(y: Float64, basis: Float64, i: int, products: Float64) -> None:
    """Add an observation to the products with the orthonormal columns."""
    for j in range(basis.shape[0]):
        weight, total = basis[j, i], products[j]
        for v in range(AT_ONCE):
            total[v] += weight * y[v]


@njit(cache=True, nogil=True, fastmath=FAST_MATH, error_model="numpy")
def _product(a: Float64, b: Float64, first: int, last: int, v: int) -> float:
    """Of some rows of one voxel."""
    total = 0.0
    for j in range(first, last):
        total += a[j, v] * b[j, v]
    return total


@njit(cache=True, nogil=True, fastmath=FAST_MATH, error_model="numpy")
def _without_covariate(y: Float64, yy: Float64, model: KernelModel, v: int) -> tuple[float, float]:
    """Estimate and statistic of one voxel."""
    tested = _product(y, y, 0, model.q, v)
    residual = yy[v] - tested - _product(y, y, model.q, len(y), v)
    deviation = math.sqrt(residual / model.df) if residual > NO_VARIANCE * yy[v] else np.nan
    if model.q > 1:
        return np.nan, tested / model.q / (deviation * deviation)
    return model.scale * y[0, v], y[0, v] / deviation


@njit(cache=True, nogil=True, fastmath=FAST_MATH, error_model="numpy")
def _with_covariate(products: Float64, squares: Float64, model: KernelModel, v: int) -> tuple[float, float]:
    """The same with the covariate less what the design explains of it; F against the design without the contrast."""
    y, x, q, p = products[0], products[1], model.q, len(products[0])
    own = squares[XX, v] - _product(x, x, 0, p, v)
    shared = squares[XY, v] - _product(x, y, 0, p, v)
    slope = shared / own if own > NO_COVARIATE * squares[XX, v] else np.nan
    residual = squares[YY, v] - _product(y, y, 0, p, v) - slope * shared
    deviation = math.sqrt(residual / model.df) if residual > NO_VARIANCE * squares[YY, v] else np.nan
    if q == 0:
        return slope, slope * math.sqrt(own) / deviation
    if q == 1:
        effect = y[0, v] - x[0, v] * slope
        return model.scale * effect, effect / deviation / math.sqrt(1.0 + x[0, v] * x[0, v] / own)
    before = shared + _product(x, y, 0, q, v)
    tested = _product(y, y, 0, q, v) + slope * shared - before * before / (own + _product(x, x, 0, q, v))
    return np.nan, tested / q / (deviation * deviation)
