"""Binary graphs as rows of bits: 64 neighbours in one machine word.

Sets of nodes are then joined, cut and counted a word at a time, which for the dense graphs of brain regions (a tenth
of all edges and more) beats lists of neighbours and matrix products alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite.ir import Constant, IntType
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from .arrays import Bool

Words = NDArray[np.uint64]
WORD = 64


def bit_rows(adjacency: Bool) -> Words:
    """Rows of a boolean matrix (R, C) as words (R, ceil(C / 64)), the first node in the lowest bit."""
    n, columns = adjacency.shape
    packed = np.zeros((n, -(-columns // WORD) * (WORD // 8)), np.uint8)
    packed[:, : -(-columns // 8)] = np.packbits(adjacency, axis=1, bitorder="little")
    return packed.view("<u8").astype(np.uint64, copy=False)


def _count_ones(_typing: Any, _word: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


def _lowest_one(_typing: Any, _word: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], Constant(IntType(1), 1))

    return types.uint64(types.uint64), generate


# LLVM's own operations, which it translates for any processor: how many bits of a word are set, and the place of the
# lowest one of a word that is not 0.
count_ones: Any = intrinsic(_count_ones)
lowest_one: Any = intrinsic(_lowest_one)


@njit(cache=True, nogil=True)
def members(words: Words, nodes: NDArray[np.int64]) -> int:
    """Write the numbers of the set bits into ``nodes``, ascending; return how many there are."""
    n = 0
    for w in range(words.size):
        word = words[w]
        while word:
            nodes[n] = w * 64 + np.int64(lowest_one(word))
            n += 1
            word &= word - np.uint64(1)
    return n
