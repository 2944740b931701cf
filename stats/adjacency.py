"""Who is joined with whom, a bit for each pair: 64 pairs are compared in one step of a processor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .arrays import Float32, Int64, Report, read_only
from .threads import split
from .voxel_edges import Cut, Tile, each_strip

UInt64 = NDArray[np.uint64]

WORD = 64
_BLOCKS_AT_ONCE = 64


class Adjacency(NamedTuple):
    """Edges of n nodes, read-only.

    Attributes
    ----------
    edges : (m, m / 64) uint64
        Bit j % 64 of word j // 64 in row i: whether i and j are joined; m is n, rounded up to whole words.
    n : int
    """

    edges: UInt64
    n: int


def adjacency_bytes(n: int) -> int:
    """Memory of an `Adjacency`: a bit for each pair, both ways."""
    return 8 * WORD * (-(-n // WORD)) ** 2


def adjacency(unit: Float32, cut: Cut, report: Report | None = None) -> Adjacency:
    """The edges of a cut, all pairs of rows (n, D) compared once; signs are forgotten."""
    words = -(-len(unit) // WORD)
    edges = np.zeros((WORD * words, words), np.uint64)

    def look(tiles: Iterator[Tile]) -> None:
        for tile in tiles:
            r = tile.r if cut.rule == "positive" else np.abs(tile.r)
            _pack(r >= cut.least, tile, edges)

    each_strip(unit, look, lambda _nothing: None, None if report is None else lambda done: report(0.9 * done))
    i, j = cut.tied.T
    np.bitwise_or.at(edges, (i, j // WORD), np.uint64(1) << (j % WORD).astype(np.uint64))
    for first in range(0, words, _BLOCKS_AT_ONCE):
        n = min(_BLOCKS_AT_ONCE, words - first)
        split(lambda start, stop, at=first: _mirror(edges, at + start, at + stop), n)
        if report:
            report(0.9 + 0.1 * (first + n) / words)
    return Adjacency(read_only(edges), len(unit))


def degrees(joined: Adjacency) -> Int64:
    """Number of neighbours of each node, (n,)."""
    found = np.empty(joined.n, np.int64)
    split(lambda start, stop: _count(joined.edges, found, start, stop), joined.n, smallest=256)
    return found


def _pack(kept: NDArray[np.bool_], tile: Tile, matrix: UInt64) -> None:
    """Tiles begin at whole words."""
    packed = np.packbits(kept, axis=1, bitorder="little")
    column = tile.column // 8
    matrix.view("<u1")[tile.row : tile.row + len(packed), column : column + packed.shape[1]] = packed


@njit(cache=True, nogil=True)
def ones(x: Any) -> Any:
    """Number of bits set in a word. LLVM knows this for what it is, and counts several words in one instruction."""
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> np.uint64(56)


@njit(cache=True, nogil=True)
def _count(matrix: UInt64, found: Int64, start: int, stop: int) -> None:
    for i in range(start, stop):
        n = np.uint64(0)
        for word in range(matrix.shape[1]):
            n += ones(matrix[i, word])
        found[i] = n


@njit(cache=True, nogil=True)
def _mirror(matrix: UInt64, start: int, stop: int) -> None:
    """Fill rows 64 start to 64 stop of the lower triangle from the upper one, in squares of 64 x 64 bits.

    A square is turned by exchanging its halves, then quarters, and so on (Hacker's Delight, 2nd ed., section 7-3).
    """
    square = np.empty(64, np.uint64)
    for q in range(start, stop):
        for p in range(q + 1):
            for k in range(64):
                square[k] = matrix[64 * p + k, q]
            size, mask = 32, np.uint64(0x00000000FFFFFFFF)
            while size:
                shift = np.uint64(size)
                k = 0
                while k < 64:
                    swap = ((square[k] >> shift) ^ square[k + size]) & mask
                    square[k] ^= swap << shift
                    square[k + size] ^= swap
                    k = (k + size + 1) & ~size
                size >>= 1
                mask ^= mask << np.uint64(size)
            for k in range(64):
                matrix[64 * q + k, p] |= square[k]


def compile_kernels() -> None:
    """Compile for the types that are used."""
    _mirror(np.zeros((64, 1), np.uint64), 0, 1)
    _count(read_only(np.zeros((64, 1), np.uint64)), np.zeros(1, np.int64), 0, 1)
