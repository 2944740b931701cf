"""Statistics over the seed maps of many runs: one pass from correlations to t.

The model is reduced beforehand to a few orthonormal combinations of the runs, of which the first span the contrast.
So each voxel needs no more than its products with them: estimate, residual and statistic follow from their squares.
A covariate with a value per voxel and run is added to that in closed form (Frisch, Waugh and Lovell).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike
from scipy.stats import f as f_distribution
from scipy.stats import t as t_distribution

from .arrays import FAST_MATH, Float32, Float64, Int64, read_only
from .correlate import Z_LIMIT
from .errors import CannotCompute
from .threads import split

Combination = Literal["difference", "mean"]

SMALLEST = 1024  # voxels worth handing to another thread
AT_ONCE = 64  # voxels whose Fisher z of all runs stay in the first cache
NO_VARIANCE = 1e-12  # relative residual sum of squares of values that are the same but for rounding to float32
NO_COVARIATE = 1e-10  # likewise of a covariate that the design explains
RANK = 1e-10
LEAST_P = 1e-300  # where double precision ends: p is never 0

_R_LIMIT = math.tanh(Z_LIMIT)
_TANH_2, _TANH_1, _TANH_HALF, _TANH_QUARTER = (math.tanh(step) for step in (2.0, 1.0, 0.5, 0.25))


@dataclass(frozen=True, eq=False)
class GroupTest:
    """A contrast of a linear model of Fisher z over N runs.

    Attributes
    ----------
    pairs : (n, 2) int64, read-only
        Runs of each observation.
    weights : (2,) float64, read-only
        Of the two runs of a pair: (1, 0) where an observation is one run.
    basis : (p, n) float64, read-only
        Orthonormal; the first q rows span the contrast.
    q : int
        1 for t, more for F; 0 tests the voxelwise covariate.
    scale : float
        The estimate is ``scale`` times the product with the first row.
    """

    pairs: Int64
    weights: Float64
    basis: Float64
    q: int
    scale: float

    def residual_df(self, *, voxelwise: bool = False) -> int:
        """Observations less columns."""
        return self.basis.shape[1] - self.basis.shape[0] - voxelwise


class GroupMaps(NamedTuple):
    """Statistics of each voxel over runs.

    Attributes
    ----------
    mean_z : (V,) float32
        Mean Fisher z of all runs; its tanh is the mean r.
    estimate : (V,) float32
        The contrast, in Fisher z (of the covariate: per its unit); NaN for F.
    statistic : (V,) float32
        t or F; NaN where the runs do not differ at all, or the covariate varies no more than the design.
    df : (float, float)
        Of numerator and denominator; t has numerator 1.
    kind : 't' or 'F'
    """

    mean_z: Float32
    estimate: Float32
    statistic: Float32
    df: tuple[float, float]
    kind: Literal["t", "F"]


def one_per_run(n_runs: int) -> Int64:
    """Pairs of observations that are one run each."""
    return np.repeat(np.arange(n_runs, dtype=np.int64)[:, None], 2, axis=1)


def group_test(
    design: ArrayLike, contrast: ArrayLike, pairs: Int64 | None = None, combined: Combination = "difference"
) -> GroupTest:
    """Reduce a design and a contrast to what each voxel needs.

    Parameters
    ----------
    design : (n, p)
        One row per observation.
    contrast : (p,) or (q, p)
        Weights of the columns: one row for t, several for F; none, (0, p), to test the voxelwise covariate.
    pairs : (n, 2) int, optional
        The two runs of each observation, of which the difference (first minus second) or mean is modelled; without
        it observation i is run i.
    combined : str

    Raises
    ------
    CannotCompute
        When a column repeats others, no residual degree of freedom remains, or the contrast says nothing.
    """
    x = np.atleast_2d(np.asarray(design, dtype=np.float64))
    c = np.atleast_2d(np.asarray(contrast, dtype=np.float64)).reshape(-1, x.shape[1])
    n, p = x.shape
    if n <= p:
        raise CannotCompute(f"{n} observations are too few for {p} columns", "add runs or take covariates out")
    # columns of the same length, so that the smallest singular value tells of repetition and not of units
    length = np.sqrt(np.einsum("ij,ij->j", x, x))
    if not (np.isfinite(length).all() and (length > 0).all()):
        raise CannotCompute("a column of the design is 0 or not finite", "take it out")
    x, c = x / length, c / length
    singular = np.linalg.svd(x, compute_uv=False)
    if singular[-1] < RANK * singular[0]:
        raise CannotCompute("a column of the design repeats others", "take covariates out")
    q, r = np.linalg.qr(x)
    seen = np.linalg.solve(r.T, c.T)  # the contrast in the coordinates of the orthonormal columns, (p, q)
    if len(c) and np.linalg.matrix_rank(seen, tol=RANK * np.abs(seen).max(initial=1)) < len(c):
        raise CannotCompute("a row of the contrast is 0 or repeats others", "take it out")
    turn, triangle = np.linalg.qr(seen, mode="complete")
    basis, scale = (q @ turn).T, 1.0
    if len(c):
        scale = abs(float(triangle[0, 0]))
        basis[0] *= np.sign(triangle[0, 0])
    weights = (1.0, 0.0) if pairs is None else ((1.0, -1.0) if combined == "difference" else (0.5, 0.5))
    runs = one_per_run(n) if pairs is None else np.ascontiguousarray(pairs, dtype=np.int64)
    if runs.shape != (n, 2):
        raise CannotCompute(f"{len(runs)} pairs of runs do not fit {n} rows of the design", "give one pair per row")
    return GroupTest(read_only(runs), read_only(np.array(weights)), _ready(basis), len(c), scale)


def group_maps(r: Float32, test: GroupTest, voxelwise: Float32 | None = None) -> GroupMaps:
    """Fisher z of correlations, and the test of a contrast in every voxel.

    Parameters
    ----------
    r : (N, V) float32
        Of all runs; beyond a Fisher z of 4 they are clipped.
    test : GroupTest
    voxelwise : (n, V) float32, optional
        Covariate of each observation that differs between voxels.

    Returns
    -------
    GroupMaps

    Raises
    ------
    CannotCompute
        Shapes that do not fit, or no residual degree of freedom.
    """
    n = test.basis.shape[1]
    if test.pairs.min(initial=0) < 0 or test.pairs.max(initial=0) >= len(r):
        raise CannotCompute(f"the model names run {test.pairs.max(initial=0) + 1} of {len(r)}", "give every run")
    if voxelwise is not None and voxelwise.shape != (n, r.shape[1]):
        raise CannotCompute("the voxelwise covariate has another shape than the maps", "give one map per observation")
    if voxelwise is None and not test.q:
        raise CannotCompute("the voxelwise covariate is to be tested and there is none", "give it")
    df = test.residual_df(voxelwise=voxelwise is not None)
    if df < 1:
        raise CannotCompute(f"{n} observations leave no residual degree of freedom", "add runs")
    x = _ready(np.zeros((0, r.shape[1]), np.float32) if voxelwise is None else voxelwise)
    model = _Model(test.pairs, test.weights, test.basis, test.q, test.scale, float(df))
    values, out = _ready(r), np.empty((3, r.shape[1]), np.float32)
    split(lambda start, stop: _statistics(values, x, model, out, start, stop), r.shape[1], smallest=SMALLEST)
    mean_z, estimate, statistic = out
    return GroupMaps(mean_z, estimate, statistic, (float(max(1, test.q)), float(df)), "F" if test.q > 1 else "t")


def log_p(maps: GroupMaps) -> Float32:
    """-log10 of p, uncorrected: two-sided for t, of the upper tail for F. p is never 0."""
    with np.errstate(invalid="ignore"):
        p = (
            2 * t_distribution.sf(np.abs(maps.statistic, dtype=np.float64), maps.df[1])
            if maps.kind == "t"
            else f_distribution.sf(maps.statistic.astype(np.float64), *maps.df)
        )
        return (-np.log10(np.maximum(p, LEAST_P))).astype(np.float32)


def threshold_of(p: float, df: tuple[float, float], kind: Literal["t", "F"]) -> float:
    """The statistic of an uncorrected p, two-sided for t."""
    return float(t_distribution.isf(p / 2, df[1]) if kind == "t" else f_distribution.isf(p, *df))


def _ready(array: np.ndarray) -> np.ndarray:
    return read_only(np.ascontiguousarray(array))


class _Model(NamedTuple):
    """What a kernel needs of a test."""

    pairs: Int64
    weights: Float64
    basis: Float64
    q: int
    scale: float
    df: float


@njit(cache=True, nogil=True, fastmath=FAST_MATH, error_model="numpy")
def _statistics(r: Float32, covariate: Float32, model: _Model, out: Float32, start: int, stop: int) -> None:
    """Mean z, estimate and statistic of voxels start to stop, some at a time, all runs of these together."""
    z = np.empty((r.shape[0], AT_ONCE))
    y, squares = np.empty(AT_ONCE), np.empty((3, AT_ONCE))
    products = np.empty((2, model.basis.shape[0], AT_ONCE))
    for first in range(start, stop, AT_ONCE):
        last = min(stop, first + AT_ONCE)
        _fisher_zs(r, z, first, last)
        squares[:] = 0.0
        products[:] = 0.0
        for i in range(model.pairs.shape[0]):
            _observe(z, model, i, y[: last - first])
            _add(y[: last - first], model.basis[:, i], squares[0], products[0])
            if covariate.shape[0]:
                x = covariate[i, first:last]
                for v in range(x.size):
                    squares[1, v] += np.float64(x[v]) * np.float64(x[v])
                    squares[2, v] += np.float64(x[v]) * y[v]
                    for j in range(model.basis.shape[0]):
                        products[1, j, v] += model.basis[j, i] * np.float64(x[v])
        for v in range(last - first):
            out[0, first + v] = z[:, v].mean()
            found = (
                _with_covariate(products[:, :, v], squares[:, v], model)
                if covariate.shape[0]
                else _without_covariate(products[0, :, v], squares[0, v], model)
            )
            out[1, first + v], out[2, first + v] = found


@njit(cache=True, nogil=True, fastmath=FAST_MATH, error_model="numpy")
def _fisher_zs(r: Float32, z: Float64, first: int, last: int) -> None:
    """Atanh of correlations, clipped at 4; to 1e-10, without a call, so that it is vector code.

    By the addition theorem 2, 1, 1/2 and 1/4 are taken off the result as long as it is larger, in numerator and
    denominator; what is left is at most 1/4, for which seven terms of the series do.
    """
    for k in range(r.shape[0]):
        values, to = r[k, first:last], z[k]  # slices of a row lie together, those of the array would not
        for v in range(values.size):
            a = np.float64(abs(values[v]))
            n = _R_LIMIT if a > _R_LIMIT else a
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
def _observe(z: Float64, model: _Model, i: int, y: Float64) -> None:
    """An observation of each voxel from its one or two runs."""
    one, other = z[model.pairs[i, 0]], z[model.pairs[i, 1]]
    for v in range(y.size):
        y[v] = model.weights[0] * one[v] + model.weights[1] * other[v]


@njit(cache=True, nogil=True, fastmath=FAST_MATH, error_model="numpy")
def _add(y: Float64, weights: Float64, squares: Float64, products: Float64) -> None:
    """Add an observation to the sum of squares and to the products with the orthonormal columns."""
    for v in range(y.size):
        squares[v] += y[v] * y[v]
    for j in range(weights.size):
        row, weight = products[j], weights[j]
        for v in range(y.size):
            row[v] += weight * y[v]


@njit(cache=True, nogil=True, fastmath=FAST_MATH, error_model="numpy")
def _without_covariate(products: Float64, yy: float, model: _Model) -> tuple[float, float]:
    """Estimate and statistic of one voxel."""
    tested = (products[: model.q] ** 2).sum()
    residual = yy - (products**2).sum()
    has_variance = residual > NO_VARIANCE * yy
    if model.q > 1:
        return np.nan, (tested / model.q / (residual / model.df) if has_variance else np.nan)
    return model.scale * products[0], (products[0] / math.sqrt(residual / model.df) if has_variance else np.nan)


@njit(cache=True, nogil=True, fastmath=FAST_MATH, error_model="numpy")
def _with_covariate(products: Float64, squares: Float64, model: _Model) -> tuple[float, float]:
    """The same with the covariate less what the design explains of it; F against the design without the contrast."""
    yy, xx, xy = squares
    y, x = products
    q = model.q
    own, shared = xx - (x**2).sum(), xy - (x * y).sum()
    if not own > NO_COVARIATE * xx:
        return np.nan, np.nan
    slope = shared / own
    residual = yy - (y**2).sum() - slope * shared
    if not residual > NO_VARIANCE * yy:
        return (slope if q == 0 else model.scale * (y[0] - x[0] * slope) if q == 1 else np.nan), np.nan
    variance = residual / model.df
    if q == 0:
        return slope, slope / math.sqrt(variance / own)
    if q == 1:
        effect = y[0] - x[0] * slope
        return model.scale * effect, effect / math.sqrt(variance * (1.0 + x[0] * x[0] / own))
    before = shared + (x[:q] * y[:q]).sum()
    tested = (y[:q] ** 2).sum() + slope * shared - before * before / (own + (x[:q] ** 2).sum())
    return np.nan, tested / q / variance


def compile_kernels() -> None:
    """Compile for the types that are used."""
    r = np.array([[0.1, 0.2], [0.3, 0.1], [0.2, 0.5]], np.float32)
    group_maps(r, group_test(np.ones((3, 1)), [1.0]))
