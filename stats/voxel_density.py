"""The threshold at which a graph of voxels has a given density, exactly, without all correlations in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import njit

from .arrays import Float32, Int64, Report, read_only
from .errors import CannotCompute
from .graph_edges import edges_at
from .threads import workers
from .voxel_edges import Cut, EdgeRule, Tile, each_strip, strip_bytes

MOST_TIES = 1 << 24
_BINS = 1 << 16
_INFINITY, _SIGN = 0x7F80, 0x8000  # upper halves


def density_bytes(n_voxels: int, n_columns: int) -> int:
    """Memory that `at_density` needs beside the rows, at most, unless many pairs tie."""
    return strip_bytes() + 4 * n_voxels * n_columns + 8 * _BINS * (2 * workers() + 4)


def at_density(unit: Float32, density: float, rule: EdgeRule, report: Report | None = None) -> Cut:
    """The largest r (or abs(r)), as many as the density asks for, exactly; of equal ones the first pairs, row by row.

    Three passes over all pairs: the upper half of the bits of the threshold, its lower half, its ties.

    Raises
    ------
    CannotCompute
        A density outside 0 ... 1 or without an edge, or more ties at the cut than can be held.
    """
    wanted = edges_at(density, len(unit)) if 0 < density <= 1 else 0
    if not 0 < density <= 1:
        raise CannotCompute(f"the density {density:g} is no share of the pairs", "give one above 0 and up to 1")
    if wanted == 0:
        raise CannotCompute(f"a density of {density:g} keeps no edge of {len(unit)} voxels", "give a higher one")
    signed = rule == "positive"
    coarse = _histogram(unit, signed, -1, _part(report, 0))
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


def _histogram(unit: Float32, signed: bool, high: int, report: Report | None) -> Int64:
    """How many pairs have each upper half of the key of their r (-1); or each lower half below the upper one `high`."""
    total = np.zeros(_BINS, np.int64)

    def count(tiles: Iterator[Tile]) -> Int64:
        counts = np.zeros(_BINS, np.int64)
        for tile in tiles:
            _count_keys(tile.r.view(np.uint32), signed, high, counts)
        return counts

    def add(counts: Int64) -> None:
        np.add(total, counts, out=total)

    each_strip(unit, count, add, report)
    if high < 0:
        total[(_INFINITY | _SIGN if signed else _INFINITY) + 1 :] = 0  # NaN: the lower triangle
    return total


def _bin_of(counts: Int64, wanted: int) -> tuple[int, int]:
    """The bin from the top in which the wanted number is reached, and how many lie above it."""
    reached = np.cumsum(counts[::-1])
    place = int(np.searchsorted(reached, wanted))
    return len(counts) - 1 - place, int(reached[place] - counts[::-1][place])


def _value(key: int, signed: bool) -> np.float32:
    """The number that has this key: see `_count_keys`."""
    if signed:
        key = key ^ 0x80000000 if key & 0x80000000 else key ^ 0xFFFFFFFF
    return np.uint32(key).view(np.float32)


def _pairs_at(unit: Float32, value: np.float32, signed: bool, report: Report | None) -> Int64:
    """All pairs of exactly this r (or abs(r)), in order of rows, then columns."""
    found: list[Int64] = []

    def equal(tiles: Iterator[Tile]) -> Int64:
        places = [np.empty((0, 2), np.int64)]
        for tile in tiles:
            same = (tile.r if signed else np.abs(tile.r)) == value
            if same.any():  # seldom, and much faster than to look where
                places.append(np.add(np.argwhere(same), (tile.row, tile.column)))
        pairs = np.concatenate(places)
        return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]

    each_strip(unit, equal, found.append, report)
    return np.concatenate(found)


@njit(cache=True, nogil=True)
def _count_keys(bits: Any, signed: bool, high: int, counts: Int64) -> None:
    """Count halves of keys: numbers that sort as the float32 do whose bits are given.

    The key is the bits without the sign; to keep the sign, those of positive numbers come above, those of negative
    ones turned round below. 0 and -0 are one.
    """
    sign, zero = np.uint32(0x80000000), np.uint32(0)
    for i in range(bits.shape[0]):
        for j in range(bits.shape[1]):
            x = bits[i, j]
            x = zero if x == sign else x
            key = x ^ (np.uint32(np.int32(x) >> np.int32(31)) | sign) if signed else x & ~sign
            upper = np.int64(key >> np.uint32(16))
            if high < 0:
                counts[upper] += 1
            elif upper == high:
                counts[np.int64(key & np.uint32(0xFFFF))] += 1


def compile_kernels() -> None:
    """Compile for the types that are used."""
    signed = True
    bits = read_only(np.ones((2, 3), np.uint32))
    _count_keys(bits, signed, -1, np.zeros(_BINS, np.int64))
