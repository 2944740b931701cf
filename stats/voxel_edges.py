"""Correlations of all pairs of voxels, tile by tile: they are never all in memory at once.

A correlation is the float32 product of two unit rows, as the matrix product of the machine rounds it (about 1e-7), and
whatever is said of edges holds exactly for these numbers. Tiles cover the upper triangle and stay in the cache for
whoever looks at them next.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from numba import njit

from .arrays import Float32, Int64, Report, read_only
from .errors import CannotCompute
from .rows import UnitRows
from .threads import split, workers

EdgeRule = Literal["positive", "absolute", "signed"]

ROWS = 512
COLUMNS_PER_WORKER = 1024
MOST_TIES = 1 << 24
_BINS = 1 << 16
_BELOW_THE_DIAGONAL = read_only(np.tri(ROWS, dtype=np.bool_))


class Tile(NamedTuple):
    """Correlations of some rows with some others; on and below the diagonal NaN.

    Attributes
    ----------
    r : (m, n) float32
        Gone when the next tile comes.
    row, column : int
        Where it begins.
    """

    r: Float32
    row: int
    column: int

    @property
    def diagonal(self) -> bool:
        """Whether its rows are its columns."""
        return self.row == self.column


class Cut(NamedTuple):
    """Which pairs are edges: those whose r, or \\|r\\| unless the rule is "positive", is at least `least`; and `tied`.

    Attributes
    ----------
    rule : "positive", "absolute" or "signed"
    least : float32
    tied : (k, 2) int64
        Pairs below `least` that are edges all the same: those of the smallest kept r that fit into the density.
    threshold : float
        As it was given; of a density the smallest kept r (or \\|r\\|).
    ties : int
        Of a density: pairs with exactly that r, kept or not.
    """

    rule: EdgeRule
    least: np.float32
    tied: Int64
    threshold: float
    ties: int = 0


def usable(rows: UnitRows) -> Float32:
    """Rows that have a correlation, (n, D) float32, read-only.

    Raises
    ------
    CannotCompute
        When there are fewer than two.
    """
    unit = rows.unit if rows.valid.all() else rows.unit[rows.valid]
    if len(unit) < 2:
        raise CannotCompute(f"{len(unit)} voxels have a series that varies", "a graph needs two: check the mask")
    return read_only(unit)


def tile_bytes() -> int:
    """Memory that the tiles of `tiles` need."""
    return 4 * ROWS * COLUMNS_PER_WORKER * workers()


def tiles(unit: Float32, report: Report | None = None, since: float = 0.0, until: float = 1.0) -> Iterator[Tile]:
    """All pairs once: from strips of rows downwards the diagonal tile, then those to the right of it.

    Parameters
    ----------
    unit : (n, D) float32
    report : callable, optional
        Called after each tile with the share of pairs seen, scaled to `since` to `until`.
    """
    n, width = len(unit), COLUMNS_PER_WORKER * workers()
    buffer = np.empty(ROWS * width, np.float32)
    seen, pairs = 0, n * (n + 1) // 2
    for row in range(0, n, ROWS):
        stop = min(n, row + ROWS)
        edges = [(row, stop), *((first, min(n, first + width)) for first in range(stop, n, width))]
        for first, last in edges:
            shape = (stop - row, last - first)
            r = buffer[: shape[0] * shape[1]].reshape(shape)
            np.matmul(unit[row:stop], unit[first:last].T, out=r)
            if first == row:
                r[_BELOW_THE_DIAGONAL[: len(r), : len(r)]] = np.nan
            yield Tile(r, row, first)
            seen += r.size
            if report:
                report(since + (until - since) * min(1.0, seen / pairs))


def at_least(threshold: float, rule: EdgeRule) -> Cut:
    """Edges are pairs with r (or |r|) >= threshold, compared as real numbers.

    Raises
    ------
    CannotCompute
        A threshold outside -1 ... 1, or a negative one for absolute values.
    """
    if not -1 <= threshold <= 1:
        raise CannotCompute(f"the threshold {threshold:g} is no correlation", "give one from -1 to 1")
    if threshold < 0 and rule != "positive":
        raise CannotCompute(f"no |r| is below {threshold:g}", "give a threshold from 0 to 1, or keep positive edges")
    least = np.float32(threshold)
    if float(least) < threshold:
        least = np.nextafter(least, np.float32(np.inf))
    return Cut(rule, least, np.empty((0, 2), np.int64), float(threshold))


def n_edges_at(density: float, n: int) -> int:
    """Edges of n nodes at a density: D n (n - 1) / 2, halves rounded up."""
    return int(np.floor(density * (n * (n - 1) // 2) + 0.5))


def at_density(unit: Float32, density: float, rule: EdgeRule, report: Report | None = None) -> Cut:
    """The largest r (or |r|), as many as the density asks for, exactly; of equal ones the first pairs, row by row.

    Three passes over all pairs: the upper half of the bits of the threshold, its lower half, its ties.

    Raises
    ------
    CannotCompute
        A density outside 0 ... 1 or without an edge, or more ties at the cut than can be held.
    """
    wanted = n_edges_at(density, len(unit)) if 0 < density <= 1 else 0
    if not 0 < density <= 1:
        raise CannotCompute(f"the density {density:g} is no share of the pairs", "give one above 0 and up to 1")
    if wanted == 0:
        raise CannotCompute(f"a density of {density:g} keeps no edge of {len(unit)} voxels", "give a higher one")
    signed = rule == "positive"
    coarse = _histogram(unit, signed, None, _part(report, 0))
    high, above = _bin_of(coarse, wanted)
    fine = _histogram(unit, signed, high, _part(report, 1))
    low, more = _bin_of(fine, wanted - above)
    ties, missing = int(fine[low]), wanted - above - more
    least = _value(high << 16 | low, signed)
    if missing == ties:
        return Cut(rule, least, np.empty((0, 2), np.int64), float(least), ties)
    if ties > MOST_TIES:
        raise CannotCompute(f"{ties} pairs share the correlation at the cut, {least:g}", "give a threshold instead")
    tied = _pairs_at(unit, least, signed, _part(report, 2))[:missing]
    return Cut(rule, np.nextafter(least, np.float32(np.inf)), tied, float(least), ties)


def _part(report: Report | None, number: int) -> Report | None:
    return None if report is None else lambda fraction: report((number + fraction) / 3)


def _histogram(unit: Float32, signed: bool, high: int | None, report: Report | None) -> Int64:
    """How many pairs have each upper half of the key of their r; given one, each lower half among these."""
    parts = 4 * workers()
    counts = np.zeros((parts, _BINS), np.int64)
    wanted = -1 if high is None else high
    for tile in tiles(unit, report):
        bits = read_only(tile.r.view(np.uint32))
        split(lambda start, stop, bits=bits: _count_keys(bits, signed, wanted, counts, (start, stop)), parts)
    return counts.sum(axis=0)


def _bin_of(counts: Int64, wanted: int) -> tuple[int, int]:
    """The bin from the top in which the wanted number is reached, and how many lie above it."""
    reached = np.cumsum(counts[::-1])
    place = int(np.searchsorted(reached, wanted))
    return len(counts) - 1 - place, int(reached[place] - counts[::-1][place])


def _value(key: int, signed: bool) -> np.float32:
    """The reverse of `_key`."""
    if signed:
        key = key ^ 0x80000000 if key & 0x80000000 else key ^ 0xFFFFFFFF
    return np.uint32(key).view(np.float32)


def _pairs_at(unit: Float32, value: np.float32, signed: bool, report: Report | None) -> Int64:
    """All pairs of exactly this r (or |r|), in order of rows, then columns."""
    found = []
    for tile in tiles(unit, report):
        equal = (tile.r if signed else np.abs(tile.r)) == value
        if equal.any():
            found.append(np.argwhere(equal) + (tile.row, tile.column))
    pairs = np.concatenate(found)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


@njit(cache=True, nogil=True)
def _key(bits: Any, signed: bool) -> Any:
    """A number that sorts as float32 do, from the bits of one; 0 and -0 are one."""
    if not signed:
        return bits & np.uint32(0x7FFFFFFF)
    if bits & np.uint32(0x80000000):
        return np.uint32(0x80000000) if bits == np.uint32(0x80000000) else ~bits
    return bits | np.uint32(0x80000000)


@njit(cache=True, nogil=True)
def _count_keys(bits: Any, signed: bool, high: int, counts: Int64, parts: tuple[int, int]) -> None:
    """Count one half of the keys; each part has its rows and its own counts. NaN, the lower triangle, count for none.

    Of all lower halves only those whose upper half is `high` count; with -1 upper halves are counted.
    """
    for part in range(parts[0], parts[1]):
        first, last = part * bits.shape[0] // counts.shape[0], (part + 1) * bits.shape[0] // counts.shape[0]
        for i in range(first, last):
            for j in range(bits.shape[1]):
                if bits[i, j] & np.uint32(0x7FFFFFFF) > np.uint32(0x7F800000):
                    continue
                key = _key(bits[i, j], signed)
                upper = np.int64(key >> np.uint32(16))
                if high < 0:
                    counts[part, upper] += 1
                elif upper == high:
                    counts[part, np.int64(key & np.uint32(0xFFFF))] += 1


def compile_kernels() -> None:
    """Compile for the types that are used."""
    bits = read_only(np.ones((2, 3), np.uint32))
    _count_keys(bits, True, -1, np.zeros((1, _BINS), np.int64), (0, 1))
