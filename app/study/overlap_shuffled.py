"""Two maps of the same people permuted at once, for the size of their overlap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ...stats.freedman_lane import orthonormal, partition
from ..problems import silent

Report = Callable[[float], None]
Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]
AT_ONCE = 16  # arrangements in one product of matrices
TINY = 1e-10  # of a column's own variance


class Sizes(NamedTuple):
    """Voxels of masks: of the first map low and high, of the second plus and minus, and of the overlaps."""

    low: int
    high: int
    plus: int
    minus: int
    low_plus: int
    high_minus: int

    @property
    def both(self) -> int:
        """Of both overlaps."""
        return self.low_plus + self.high_minus

    def overlaps(self) -> dict[str, tuple[int, int, int, float, float]]:
        """Sizes, Dice and Jaccard of both overlaps."""
        return {
            "low_plus": _overlap(self.low, self.plus, self.low_plus),
            "high_minus": _overlap(self.high, self.minus, self.high_minus),
        }


def _overlap(one: int, two: int, both: int) -> tuple[int, int, int, float, float]:
    dice = 2 * both / (one + two) if one + two else float("nan")
    jaccard = both / (one + two - both) if one + two - both else float("nan")
    return one, two, both, dice, jaccard


@dataclass(frozen=True, eq=False)
class Shuffled:
    """One test that can be permuted after Freedman and Lane.

    Attributes
    ----------
    units : (n, V) float32
        Residuals of the nuisance columns, of length 1; 0 where nothing is left.
    basis : (1 + q, n) float64
        The tested direction beyond the nuisance, and an orthonormal basis of the nuisance.
    least : float
        Squared partial correlation from which a voxel is in a mask.
    """

    units: Float32
    basis: NDArray[np.float64]
    least: float

    @classmethod
    def of(cls, values: NDArray[Any], design: NDArray[np.float64], weights: NDArray[np.float64], p: float) -> Shuffled:
        """Of data (n, V), a design, a contrast of one row, and the two-sided p of the mask."""
        nuisance, tested = orthonormal(partition(design, weights))
        residuals = values - nuisance @ (nuisance.T @ values)
        length = np.sqrt((residuals**2).sum(axis=0))
        varies = length > TINY * np.sqrt((np.asarray(values, np.float64) ** 2).sum(axis=0))
        units = np.divide(residuals, length, out=np.zeros_like(residuals), where=varies).astype(np.float32)
        df = len(design) - np.linalg.matrix_rank(design)
        t = float(special.stdtrit(df, 1 - p / 2))
        return cls(units, np.vstack([tested.T, nuisance.T]), t**2 / (t**2 + df))

    def masks(self, orders: Int64) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Where the statistic is below and above the threshold, (B, V) each, for rows in some orders (B, n)."""
        b, (k, n) = len(orders), self.basis.shape
        moved = np.empty((b, k, n), np.float32)
        for number, order in enumerate(orders):
            moved[number][:, order] = self.basis
        products = (moved.reshape(b * k, n) @ self.units).reshape(b, k, -1)
        r = products[:, 0]
        left = 1 - (products[:, 1:] ** 2).sum(axis=1)
        beyond = r * r > self.least * left
        return beyond & (r < 0), beyond & (r > 0)


class Paired(NamedTuple):
    """Two tests and the people of their rows."""

    first: Shuffled
    second: Shuffled
    people_first: tuple[str, ...]
    people_second: tuple[str, ...]


def overlap_null(paired: Paired, n: int, seed: int, report: Report = silent) -> tuple[Sizes, Int64]:
    """Sizes of masks and overlaps, and overlaps of permuted people.

    One order of all people gives each test its rows in the order of the people in it.

    Parameters
    ----------
    paired : Paired
    n : int
        Permutations.
    seed : int

    Returns
    -------
    Sizes
    (n, 3) int64
        Voxels of both overlaps: of both maps permuted, of the second alone, of the first alone.
    """
    everybody = tuple(dict.fromkeys((*paired.people_first, *paired.people_second)))
    place = {person: number for number, person in enumerate(everybody)}
    rows = [np.array([place[person] for person in people]) for people in paired[2:]]
    low, high, plus, minus = (mask[0] for mask in _both(paired, [np.arange(len(each))[None] for each in rows]))
    sizes = Sizes(*(int(mask.sum()) for mask in (low, high, plus, minus, low & plus, high & minus)))
    null = np.empty((n, 3), np.int64)
    for start in range(0, n, AT_ONCE):
        drawn = range(start, min(start + AT_ONCE, n))
        ranks = np.stack([np.random.default_rng((seed, k + 1)).permutation(len(everybody)) for k in drawn])
        made = _both(paired, [np.argsort(ranks[:, each], axis=1) for each in rows])
        at = slice(start, start + len(drawn))
        null[at, 0] = (made[0] & made[2]).sum(axis=1) + (made[1] & made[3]).sum(axis=1)
        null[at, 1] = made[2][:, low].sum(axis=1) + made[3][:, high].sum(axis=1)
        null[at, 2] = made[0][:, plus].sum(axis=1) + made[1][:, minus].sum(axis=1)
        report((start + len(drawn)) / n)
    return sizes, null


def _both(paired: Paired, orders: list[Int64]) -> tuple[NDArray[np.bool_], ...]:
    """Low and high in the first map, plus and minus in the second."""
    minus, plus = paired.second.masks(orders[1])
    return (*paired.first.masks(orders[0]), plus, minus)
