"""Statistics of many arrangements at all voxels as matrix products, counted while they lie in the cache."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
PREPARED_AT_ONCE = 8192
NOTHING = 1e-6  # share of variance below which the nuisance explains all of rearranged residuals


@dataclass(frozen=True, eq=False)
class Units:
    """Unit residuals of the voxels that have any, in tiles of one shape.

    Attributes
    ----------
    tiles : (tiles, n, T)
        Columns of length 1, float32 or float64 as the data; 0 after the last voxel.
    voxels : (m,) int64
        The voxels of the columns.
    squares : (V,) float64
        Observed statistic as signed squares, NaN for voxels that are constant or not finite.
    """

    tiles: NDArray[Any]
    voxels: Int64
    squares: Float64


def unit_residuals(data: NDArray[Any], nuisance: Float64, tested: Float64) -> Units:
    """Residuals by the nuisance as unit columns, and the observed statistic, computed in float64."""
    n, n_voxels = data.shape
    tile = min(VOXELS_AT_ONCE, max(64, -(-n_voxels // 64) * 64))
    squares = np.full(n_voxels, np.nan)
    columns = np.zeros((-(-n_voxels // tile), n, tile), data.dtype)
    kept: list[Int64] = []
    m = 0
    least = 4 * np.finfo(data.dtype).eps
    for start in range(0, n_voxels, PREPARED_AT_ONCE):
        part = data[:, start : start + PREPARED_AT_ONCE].astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            whole = np.linalg.norm(part, axis=0)
            valid = part.max(axis=0) > part.min(axis=0)
            part -= nuisance @ (nuisance.T @ part)
            length = np.linalg.norm(part, axis=0)
            valid &= (length > least * whole) & np.isfinite(length)
        part = part[:, valid] / length[valid]
        along = tested.T @ part
        found = start + np.flatnonzero(valid)
        squares[found] = np.sign(along[0]) * along[0] ** 2 if len(along) == 1 else (along**2).sum(axis=0)
        done = 0
        while done < len(found):
            room = min(len(found) - done, tile - m % tile)
            columns[m // tile, :, m % tile : m % tile + room] = part[:, done : done + room]
            done, m = done + room, m + room
        kept.append(found)
    return Units(columns[: -(-m // tile)], np.concatenate([np.empty(0, np.int64), *kept]), squares)


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
        self.squares = units.squares

    def at_once(self) -> int:
        """Arrangements in one block."""
        return int(np.clip(PRODUCTS_AT_ONCE // self._columns.shape[1] // 8 * 8, 8, 64))

    def limits(self, threshold: Float64, searched: Bool) -> Limits:
        """What `count` compares with: thresholds (V,) of signed squares, and the voxels searched for the largest."""
        tiles, voxels = self._units.tiles, self._units.voxels
        least = np.full(len(tiles) * tiles.shape[2], np.inf, tiles.dtype)
        beyond = np.full(least.size, -np.inf, tiles.dtype)
        least[: len(voxels)] = threshold[voxels]
        beyond[: len(voxels)][searched[voxels]] = 0
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
        caller, finished = threading.get_ident(), list[int]()

        def part(start: int, stop: int) -> None:
            products = np.empty((len(rows), tiles.shape[2]), tiles.dtype)
            for number in range(start, stop):
                np.matmul(rows, tiles[number], out=products)
                compared = (limits.least[number], limits.beyond[number])
                kind = (self._n_tested, width, self._two_sided)
                _tally(products, kind, wanted, compared, exceed[number], largest[number])
                if maps is not None:
                    inside = self._units.voxels[number * tiles.shape[2] :][: tiles.shape[2]]
                    maps[:, inside] = products[::width, : len(inside)]
                finished.append(number)
                if threading.get_ident() == caller:
                    tick(len(finished) / len(tiles))

        with one_thread_each():
            split(part, len(tiles))
        tick(1.0)
        counts = np.zeros(len(self.squares), np.int32)
        counts[self._units.voxels] = exceed.ravel()[: len(self._units.voxels)]
        return counts, largest.max(axis=0, initial=-np.inf).astype(np.float64)

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
