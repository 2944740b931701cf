"""Statistics of many arrangements where every voxel has a design of its own, or groups a variance of their own.

In float64, one voxel after the other. With variance groups the statistic is the v of Aspin and Welch for one row of
the contrast and the G of Winkler et al. 2014 (NeuroImage 92, equations 8 and 9) for several, compared on a scale that
all voxels share (`perm_welch`); the estimates are those of ordinary least squares.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .arrays import FAST_MATH, Bool, Float64, Int32, Int64, read_only
from .freedman_lane import INDEPENDENT, Partition
from .perm_welch import equivalent, g_statistic, group_moments, group_store
from .permute import Arrangement
from .threads import split

AT_ONCE = 64
PARTS = 64  # between two reports
LEAST = 16  # voxels worth handing to another thread


@dataclass(frozen=True, eq=False)
class VoxelDesigns:
    """What differs from voxel to voxel.

    Attributes
    ----------
    data : (V, n)
        Any floating type.
    voxelwise : (V, m, n)
        Covariates of each voxel, m may be 0.
    columns : (p, n) float64
        The common part of nuisance and tested columns; a voxel adds ``mixing.T @ voxelwise``.
    mixing : (m, p) float64
    n_tested : int
        Tested columns, the last ones.
    groups : (n,) int64
        Variance group of each row, from 0; all -1 for one pooled variance.
    """

    data: NDArray[Any]
    voxelwise: NDArray[Any]
    columns: Float64
    mixing: Float64
    n_tested: int
    groups: Int64


def voxel_designs(
    data: NDArray[Any], split_design: Partition, voxelwise: NDArray[Any] | None, groups: Int64 | None, n_tested: int
) -> VoxelDesigns:
    """Arrange everything voxel by voxel: a copy of the data and of the voxelwise covariates."""
    n, n_voxels = data.shape
    common = np.hstack([split_design.nuisance, split_design.tested]).T
    extra = 0 if voxelwise is None else len(voxelwise)
    fastest = np.empty((n_voxels, 0, n), data.dtype) if voxelwise is None else voxelwise.transpose(2, 0, 1)
    return VoxelDesigns(
        data=read_only(np.ascontiguousarray(data.T)),
        voxelwise=read_only(np.ascontiguousarray(fastest, dtype=data.dtype)),
        columns=read_only(np.ascontiguousarray(common)),
        mixing=read_only(np.ascontiguousarray(split_design.mixing[len(split_design.mixing) - extra :])),
        n_tested=n_tested,
        groups=read_only(np.full(n, -1, np.int64) if groups is None else groups.astype(np.int64)),
    )


class ByVoxel:
    """Voxelwise covariates, variance groups, or both: the slower, general way.

    Attributes
    ----------
    squares : (V,) float64
        Observed statistic as it is compared, as signed squares; NaN where there is none.
    shown : (V,) float64
        The same as it is shown; differs with variance groups (see `Scale`).
    """

    def __init__(self, designs: VoxelDesigns, two_sided: bool, tick: Callable[[float], object]) -> None:
        self._designs = designs
        self._two_sided = two_sided
        n_voxels, n = designs.data.shape
        limits = self.limits(np.full(n_voxels, np.inf), np.zeros(n_voxels, np.bool_))
        identity = Arrangement(np.arange(n), np.ones(n, np.int8))
        passes = 1 if designs.groups.max(initial=-1) < 0 else 2
        observed = np.full((passes, 1, n_voxels), np.nan)
        for number in range(passes):
            told = lambda part, number=number: tick((number + part) / passes)  # noqa: E731
            self._count([identity], limits, observed[number], told, as_shown=number == 1)
        self.squares, self.shown = observed[0, 0], observed[-1, 0]

    def at_once(self) -> int:
        """Arrangements in one block."""
        return AT_ONCE

    def limits(self, threshold: Float64, searched: Bool) -> tuple[Float64, Bool]:
        """As `ByProducts.limits`."""
        return read_only(threshold), read_only(searched)

    def count(
        self,
        arrangements: Sequence[Arrangement | None],
        limits: tuple[Float64, Bool],
        maps: NDArray[Any] | None,
        tick: Callable[[float], object],
    ) -> tuple[Int32, Float64]:
        """As `ByProducts.count`."""
        return self._count(arrangements, limits, maps, tick)

    def _count(
        self,
        arrangements: Sequence[Arrangement | None],
        limits: tuple[Float64, Bool],
        maps: NDArray[Any] | None,
        tick: Callable[[float], object],
        *,
        as_shown: bool = False,
    ) -> tuple[Int32, Float64]:
        wanted = [arrangement for arrangement in arrangements if arrangement is not None]
        at = [b for b, arrangement in enumerate(arrangements) if arrangement is not None]
        n_voxels = len(self._designs.data)
        exceed = np.zeros(n_voxels, np.int32)
        largest = np.full(len(arrangements), -np.inf)
        found = np.full((n_voxels, len(wanted)), np.nan) if maps is not None else np.empty((0, len(wanted)))
        order = read_only(np.array([arrangement.order for arrangement in wanted]))
        sign = read_only(np.array([arrangement.sign for arrangement in wanted], np.float64))
        bounds = np.linspace(0, n_voxels, min(PARTS, n_voxels) + 1).astype(np.int64)
        given = self._designs
        arrays = (given.data, given.voxelwise, given.columns, given.mixing, given.groups)
        for number, (first, last) in enumerate(pairwise(bounds)):
            most = np.full((last - first, len(wanted)), -np.inf)

            def part(start: int, stop: int, first: int = int(first), most: Float64 = most) -> None:
                voxels = (first + start, first + stop)
                _count(
                    arrays,
                    (given.n_tested, self._two_sided, as_shown),
                    (order, sign),
                    limits,
                    voxels,
                    (exceed, most[start], found),
                )

            split(part, last - first, smallest=LEAST)
            largest[at] = np.maximum(largest[at], most.max(axis=0))
            tick((number + 1) / (len(bounds) - 1))
        if maps is not None:
            maps[at] = found.T
        return exceed, largest


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _count(arrays: Any, kind: Any, arrangements: Any, limits: Any, voxels: Any, results: Any) -> None:
    data, voxelwise, common, mixing, groups = arrays
    n_tested, two_sided, as_shown = kind
    order, sign = arrangements
    threshold, searched = limits
    exceed, largest, found = results
    p, n = common.shape
    store = group_store(groups.max() + 1, p, n)
    basis, along = np.empty((p, n)), np.empty(p)
    residual, moved = np.empty(n), np.empty(n)
    for v in range(voxels[0], voxels[1]):
        known = _basis(common, mixing, voxelwise[v], basis) and _unit_residual(data[v], basis[: p - n_tested], residual)
        if not (known and group_moments(basis, groups, store)):
            continue
        for k in range(order.shape[0]):
            for i in range(n):
                moved[i] = residual[order[k, i]] * sign[k, i]
            _along(basis, moved, along)
            shown, df = g_statistic(basis, moved, along, groups, store, n_tested)
            square = equivalent(shown, df, n_tested) if df else shown
            sign_of = -1.0 if n_tested == 1 and along[p - 1] < 0 else 1.0
            signed = sign_of * square
            compared = square if two_sided else signed
            exceed[v] += np.int32(compared >= threshold[v])
            if searched[v]:
                largest[k] = max(largest[k], compared)
            if found.shape[0]:
                found[v, k] = sign_of * (shown if as_shown else square)


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _along(basis: Float64, moved: Float64, along: Float64) -> None:
    for c in range(along.size):
        row = basis[c]
        total = 0.0
        for i in range(row.size):
            total += row[i] * moved[i]
        along[c] = total


@njit(cache=True, nogil=True)
def _basis(common: Float64, mixing: Float64, extra: Any, basis: Float64) -> bool:
    """Orthonormal columns of a voxel's design, in their order; False when they are collinear or not finite."""
    p, n = common.shape
    for c in range(p):
        row = basis[c]
        row[:] = common[c]
        for m in range(mixing.shape[0]):
            if mixing[m, c] != 0:
                for i in range(n):
                    row[i] += mixing[m, c] * extra[m, i]
        whole = np.sqrt((row * row).sum())
        for _ in range(2):
            for other in range(c):
                row -= (row * basis[other]).sum() * basis[other]
        length = np.sqrt((row * row).sum())
        if not (length > INDEPENDENT * whole and length < np.inf):
            return False
        row /= length
    return True


@njit(cache=True, nogil=True)
def _unit_residual(series: Any, nuisance: Float64, residual: Float64) -> bool:
    """Residual of length 1; False when nothing is left, or the series is constant or not finite."""
    whole, varies = 0.0, False
    for i in range(residual.size):
        residual[i] = series[i]
        whole += residual[i] * residual[i]
        varies |= series[i] != series[0]
    for c in range(nuisance.shape[0]):
        residual -= (residual * nuisance[c]).sum() * nuisance[c]
    length = np.sqrt((residual * residual).sum())
    least = 4 * np.finfo(series.dtype).eps
    if not (varies and length > least * np.sqrt(whole) and length < np.inf):
        return False
    residual /= length
    return True


def compile_kernels() -> None:
    """Compile for the types that are used."""
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        data = rng.standard_normal((6, 2)).astype(dtype)
        design = Partition(np.ones((6, 1)), rng.standard_normal((6, 1)), np.eye(2))
        ByVoxel(voxel_designs(data, design, None, None, 1), two_sided=True, tick=lambda _: None)
