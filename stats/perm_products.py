"""Statistics of many arrangements at all voxels as matrix products, counted while they lie in the cache."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .arrays import FAST_MATH, Bool, Float64, Int32, Int64, read_only
from .blas import one_thread_each
from .freedman_lane import rearranged
from .permute import Arrangement
from .threads import split

VOXELS_AT_ONCE = 2048
PRODUCTS_AT_ONCE = 192
NOTHING = 1e-6  # share of variance below which the nuisance explains all of rearranged residuals


class Units(NamedTuple):
    """Unit residuals.

    Attributes
    ----------
    tiles : (tiles, n, T)
        Of T voxels each, columns of length 1, float32 or float64 as the data; 0 for voxels that are constant or not
        finite, and after the last.
    squares : (V,) float64
        Observed statistic as signed squares, NaN for voxels that are constant or not finite.
    """

    tiles: NDArray[Any]
    squares: Float64


def unit_residuals(data: NDArray[Any], nuisance: Float64, tested: Float64, tick: Callable[[float], object]) -> Units:
    """Residuals of data (n, V) by the nuisance as unit columns, and the observed statistic, computed in float64."""
    n, n_voxels = data.shape
    size = min(VOXELS_AT_ONCE, max(64, -(-n_voxels // 64) * 64))
    tiles = np.zeros((-(-n_voxels // size), n, size), data.dtype)
    squares = np.full(n_voxels, np.nan)
    progress = _Progress(len(tiles), tick)

    def part(start: int, stop: int) -> None:
        for number in range(start, stop):
            first = number * size
            columns, valid = _unit_columns(data[:, first : first + size], nuisance)
            along = tested.T @ columns
            found = along[0] * np.abs(along[0]) if len(along) == 1 else (along**2).sum(axis=0)
            squares[first : first + size] = np.where(valid, found, np.nan)
            tiles[number, :, : columns.shape[1]] = columns
            progress.one_more()

    with one_thread_each():
        split(part, len(tiles))
    return Units(tiles, squares)


def _unit_columns(data: NDArray[Any], nuisance: Float64) -> tuple[Float64, Bool]:
    """Residuals of length 1, or 0 where they are not valid; and where they are."""
    columns = data.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        valid = columns.max(axis=0, initial=-np.inf) > columns.min(axis=0, initial=np.inf)
        whole = np.einsum("iv,iv->v", columns, columns)
        columns -= nuisance @ (nuisance.T @ columns)
        square = np.einsum("iv,iv->v", columns, columns)
        least = (4 * np.finfo(data.dtype).eps) ** 2
        valid &= (square > least * whole) & np.isfinite(square)
        columns *= 1 / np.sqrt(np.where(valid, square, 1))
    columns[:, ~valid] = 0
    return columns, valid


class _Progress:
    """Counts pieces that several threads finish, and tells the thread that waits for them, in that thread."""

    def __init__(self, n: int, tick: Callable[[float], object]) -> None:
        self._n = n
        self._tick = tick
        self._caller = threading.get_ident()
        self._done: list[None] = []

    def one_more(self) -> None:
        self._done.append(None)
        if threading.get_ident() == self._caller:
            self._tick(len(self._done) / self._n)


class Limits(NamedTuple):
    """What statistics are compared with, in tiles as the residuals.

    Attributes
    ----------
    least : (tiles, T)
        The signed square that counts.
    beyond : (tiles, T)
        0 for searched voxels, minus infinity for others.
    """

    least: NDArray[Any]
    beyond: NDArray[Any]


class ByProducts:
    """One model of all voxels, pooled variance: the fast way."""

    def __init__(self, units: Units, nuisance: Float64, tested: Float64, two_sided: bool) -> None:
        self._units = units
        self._n_tested = tested.shape[1]
        self._columns = np.hstack([tested, nuisance])
        self._two_sided = two_sided
        self.squares = self.shown = units.squares

    def at_once(self) -> int:
        """Arrangements in one block."""
        return int(np.clip(PRODUCTS_AT_ONCE // self._columns.shape[1] // 8 * 8, 8, 64))

    def limits(self, threshold: Float64, searched: Bool) -> Limits:
        """What `count` compares with: thresholds (V,) of signed squares, and the voxels searched for the largest."""
        tiles = self._units.tiles
        least = np.full(len(tiles) * tiles.shape[2], np.inf, tiles.dtype)
        beyond = np.full(least.size, -np.inf, tiles.dtype)
        least[: threshold.size] = threshold
        beyond[: searched.size][searched & ~np.isnan(self.squares)] = 0
        shape = (len(tiles), tiles.shape[2])
        return Limits(read_only(least.reshape(shape)), read_only(beyond.reshape(shape)))

    def count(
        self,
        arrangements: Sequence[Arrangement | None],
        limits: Limits,
        maps: NDArray[Any] | None,
        tick: Callable[[float], object],
    ) -> tuple[Int32, Float64]:
        """Count one block of arrangements; None for those that are not wanted.

        A block always has the same shape, so that its numbers do not depend on which of it is wanted. Each thread takes
        tiles of its own: product and count while they lie in its cache.

        Parameters
        ----------
        arrangements : `at_once` of them
        limits : Limits
        maps : (B, V) or None
            Filled with the signed squares.
        tick : callable
            Gets the fraction done, in the thread that calls.

        Returns
        -------
        exceed : (V,) int32
            How many reach the threshold.
        largest : (B,) float64
            Largest signed square of the searched voxels.
        """
        tiles, width = self._units.tiles, self._columns.shape[1]
        rows = self._rows(arrangements)
        wanted = read_only(np.flatnonzero([arrangement is not None for arrangement in arrangements]))
        exceed = np.zeros(limits.least.shape, np.int32)
        largest = np.full((len(tiles), len(arrangements)), -np.inf, tiles.dtype)
        progress = _Progress(len(tiles), tick)

        def part(start: int, stop: int) -> None:
            products = np.empty((len(rows), tiles.shape[2]), tiles.dtype)
            for number in range(start, stop):
                np.matmul(rows, tiles[number], out=products)
                compared = (limits.least[number], limits.beyond[number])
                kind = (self._n_tested, width, self._two_sided)
                _tally(products, kind, wanted, compared, exceed[number], largest[number])
                if maps is not None:
                    inside = maps[:, number * tiles.shape[2] :][:, : tiles.shape[2]]
                    inside[:] = products[::width, : inside.shape[1]]
                progress.one_more()

        with one_thread_each():
            split(part, len(tiles))
        tick(1.0)
        if maps is not None:
            maps[:, np.isnan(self.squares)] = np.nan
        return exceed.ravel()[: self.squares.size], largest.max(axis=0, initial=-np.inf).astype(np.float64)

    def _rows(self, arrangements: Sequence[Arrangement | None]) -> NDArray[Any]:
        width = self._columns.shape[1]
        rows = np.zeros((len(arrangements) * width, len(self._columns)), self._units.tiles.dtype)
        for b, arrangement in enumerate(arrangements):
            if arrangement is not None:
                rows[b * width : (b + 1) * width] = rearranged(self._columns, *arrangement)
        return rows


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _tally(
    products: Any,
    kind: tuple[int, int, bool],
    wanted: Int64,
    limits: tuple[Any, Any],
    exceed: Int32,
    largest: NDArray[Any],
) -> None:
    """Products become signed squares (in the first row of each arrangement), which are counted.

    Passes over one row of a tile each: they stay in the first cache and every pass is vector code.
    """
    tested, width, two_sided = kind
    least, beyond = limits
    rest = np.empty(products.shape[1], products.dtype)
    nothing = products.dtype.type(NOTHING)
    for b in wanted:
        of_arrangement = products[b * width : (b + 1) * width]
        _explained(of_arrangement, tested, rest)
        squares = of_arrangement[0]
        most = largest[b]
        for v in range(squares.size):
            square = squares[v] / max(rest[v], nothing)
            squares[v] = square
            if two_sided:
                square = abs(square)
            exceed[v] += np.int32(square >= least[v])
            most = max(most, square + beyond[v])
        largest[b] = most


@njit(cache=True, nogil=True, fastmath=FAST_MATH)
def _explained(products: Any, tested: int, rest: NDArray[Any]) -> None:
    """Share of variance of the tested columns in the first row, signed if it is one; and what the nuisance leaves."""
    rest[:] = products.dtype.type(1)
    for c in range(tested, products.shape[0]):
        row = products[c]
        for v in range(row.size):
            rest[v] -= row[v] * row[v]
    first = products[0]
    for v in range(first.size):
        first[v] *= abs(first[v]) if tested == 1 else first[v]
    for c in range(1, tested):
        row = products[c]
        for v in range(row.size):
            first[v] += row[v] * row[v]


def compile_kernels() -> None:
    """Compile for the types that are used."""
    for dtype in (np.float32, np.float64):
        limits = (read_only(np.zeros(2, dtype)), read_only(np.zeros(2, dtype)))
        kind = (1, 2, True)
        one = read_only(np.zeros(1, np.int64))
        _tally(np.zeros((2, 2), dtype), kind, one, limits, np.zeros(2, np.int32), np.zeros(1, dtype))
