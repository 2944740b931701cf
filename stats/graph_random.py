"""Random numbers inside kernels that depend on a seed alone, on every machine."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .arrays import Int64

State = NDArray[np.uint64]


def random_states(n: int, *seed: int) -> State:
    """States (n, 1) of as many generators, each for the kernels here to advance."""
    return np.random.SeedSequence(seed).generate_state(n, np.uint64).astype(np.uint64)[:, None]


@njit(cache=True, nogil=True)
def below(state: State, n: int) -> int:
    """A random number from 0 to n - 1, by splitmix64 (Steele, Lea and Flood 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return int(((z >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@njit(cache=True, nogil=True)
def shuffled(state: State, n: int) -> Int64:
    """The numbers from 0 to n - 1 in random order (Fisher and Yates)."""
    order = np.arange(n)
    for i in range(n - 1, 0, -1):
        j = below(state, i + 1)
        order[i], order[j] = order[j], order[i]
    return order
