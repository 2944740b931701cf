"""Rearrangements of the rows of a model: permutations, sign flips, exchangeability blocks.

Arrangement k depends on the seed of the generator and on k alone (Philox, a counter-based generator: Salmon et al.
2011, Parallel random numbers: as easy as 1, 2, 3). So any part of the arrangements can be done anywhere, in any order
and any number of pieces, and gives the same numbers. Where few distinct ones exist, each is visited exactly once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arrays import Bool, Int64, read_only
from .errors import CannotCompute
from .multisets import count_orders, order_at, rank_of

Kind = Literal["permute", "flip", "both"]
BlockMode = Literal["within", "whole"]
Signs = NDArray[np.int8]
NAMED = 3  # blocks named in a message
GOLDEN = (math.sqrt(5) - 1) / 2


class Arrangement(NamedTuple):
    """Row i of the rearranged data is ``sign[i] * data[order[i]]``: (n,) int64 and (n,) int8."""

    order: Int64
    sign: Signs


@dataclass(frozen=True, eq=False)
class Shuffling:
    """What may be exchanged under the null hypothesis, and how often it is done.

    Attributes
    ----------
    n : int
        Rows of the model.
    kind : "permute", "flip" or "both"
        Exchangeable errors are permuted, symmetric ones may change their sign.
    blocks : (n,) labels or None
        Exchangeability blocks, for example the subject of each row.
    block_mode : "within" or "whole"
        Rows are exchanged within their block; or blocks of equal size are exchanged (and flipped) as a whole, the
        first row for the first and so on.
    seed : int
        Of the generator, 0 to 2^64 - 1.
    n_permutations : int
        Arrangements wanted besides the one that was observed.
    rows : (n, p) array or None
        The design. Arrangements that give the same design are one, and counted once; without it all rows differ.

    Raises
    ------
    CannotCompute
        When an attribute has no meaning, whole blocks differ in size, or nothing can be exchanged.
    """

    n: int
    kind: Kind = "permute"
    blocks: NDArray[Any] | None = None
    block_mode: BlockMode = "within"
    seed: int = 0
    n_permutations: int = 1000
    rows: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**64:
            raise CannotCompute(f"{self.seed} is no seed of the generator", "give a whole number from 0")
        if self.n_permutations < 1:
            raise CannotCompute(f"{self.n_permutations} permutations say nothing", "ask for at least one")
        for name, given in (("blocks", self.blocks), ("rows of the design", self.rows)):
            if given is not None and len(given) != self.n:
                raise CannotCompute(f"{len(given)} {name} for {self.n} rows of data", "give one for each row")
        if self.n_distinct == 1:
            raise CannotCompute(
                "no rearrangement of the rows changes the design",
                "use sign flips to test a mean, or coarser exchangeability blocks",
            )

    @cached_property
    def n_distinct(self) -> int:
        """Distinct arrangements, the observed one included."""
        orders = math.prod(count_orders(self._labels[group]) for group in self._groups) if self._permutes else 1
        return orders << (int(self._flippable.sum()) if self._flips else 0)

    @property
    def exhaustive(self) -> bool:
        """Whether all distinct arrangements are visited, once each."""
        return self.n_distinct <= self.n_permutations + 1

    @property
    def count(self) -> int:
        """Arrangements besides the observed one that are visited: numbers 1 to `count`."""
        return self.n_distinct - 1 if self.exhaustive else self.n_permutations

    def arrangement(self, k: int) -> Arrangement:
        """Arrangement k; 0 is the observed one."""
        if k == 0:
            return Arrangement(np.arange(self.n), np.ones(self.n, np.int8))
        order, sign = self._enumerated(k) if self.exhaustive else self._drawn(k)
        rows, signs = np.empty(self.n, np.int64), np.empty(self.n, np.int8)
        rows[self._units] = self._units[order]
        signs[self._units] = sign[:, None]
        return Arrangement(rows, signs)

    @cached_property
    def invariant(self) -> NDArray[np.float64]:
        """Columns (n, c) that no arrangement changes: constants of blocks, or one pattern for all whole blocks."""
        if self._flips:
            return np.empty((self.n, 0))
        if self.blocks is not None and self.block_mode == "whole":
            columns = np.zeros((self.n, self._units.shape[1]))
            columns[self._units, np.arange(self._units.shape[1])] = 1
            return columns
        return (self._block_of[:, None] == np.arange(self._block_of.max() + 1)).astype(np.float64)

    @property
    def _permutes(self) -> bool:
        return self.kind != "flip"

    @property
    def _flips(self) -> bool:
        return self.kind != "permute"

    @cached_property
    def _block_of(self) -> Int64:
        if self.blocks is None:
            return np.zeros(self.n, np.int64)
        return np.unique(self.blocks, return_inverse=True)[1].reshape(-1).astype(np.int64)

    @cached_property
    def _units(self) -> Int64:
        """Rows (U, s) that stay together: each row, or each whole block."""
        if self.blocks is None or self.block_mode == "within":
            return read_only(np.arange(self.n)[:, None])
        names, size = np.unique(self.blocks, return_counts=True)
        usual = np.bincount(size).argmax()
        if (size != usual).any():
            odd = [f"{name} ({n})" for name, n in zip(names, size, strict=True) if n != usual]
            more = f" and {len(odd) - NAMED} more" if len(odd) > NAMED else ""
            raise CannotCompute(
                f"whole blocks are exchanged only when of one size: most have {usual} rows, not "
                f"{', '.join(odd[:NAMED])}{more}",
                "leave those blocks out, or exchange within blocks",
            )
        return read_only(np.argsort(self._block_of, kind="stable").reshape(len(names), usual))

    @cached_property
    def _group_of(self) -> Int64:
        """Set of units (U,) within which each may be exchanged."""
        return self._block_of if self.block_mode == "within" else np.zeros(len(self._units), np.int64)

    @cached_property
    def _groups(self) -> tuple[Int64, ...]:
        return tuple(np.flatnonzero(self._group_of == group) for group in range(int(self._group_of.max()) + 1))

    @cached_property
    def _content(self) -> NDArray[np.float64] | None:
        """The design of each unit (U, s p)."""
        if self.rows is None:
            return None
        rows = np.asarray(self.rows, np.float64).reshape(self.n, -1)
        return rows[self._units].reshape(len(self._units), -1)

    @cached_property
    def _flippable(self) -> Bool:
        content = self._content
        return np.ones(len(self._units), np.bool_) if content is None else (content != 0).any(axis=1)

    @cached_property
    def _labels(self) -> Int64:
        """Equal numbers (U,) for units of equal design; where signs flip too, up to the sign."""
        content = self._content
        if content is None:
            return np.arange(len(self._units))
        if self._flips and content.size:
            first = np.take_along_axis(content, (content != 0).argmax(axis=1)[:, None], axis=1)
            content = content * np.where(first < 0, -1.0, 1.0)
        return np.unique(content + 0.0, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)

    def _drawn(self, k: int) -> Arrangement:
        raw = np.random.Philox(key=np.array([self.seed, k], np.uint64)).random_raw(2 * len(self._units))
        first, second = np.asarray(raw).reshape(2, -1)
        order = np.arange(len(first))
        if self._permutes:
            order[np.argsort(self._group_of, kind="stable")] = np.lexsort((first, self._group_of))
        sign = 1 - 2 * (second >> np.uint64(63)).astype(np.int8) if self._flips else np.ones(len(first), np.int8)
        return Arrangement(order, sign)

    def _enumerated(self, k: int) -> Arrangement:
        flips = int(self._flippable.sum()) if self._flips else 0
        orders, bits = divmod((self._observed_rank + k * self._step) % self.n_distinct, 1 << flips)
        sign = np.ones(len(self._units), np.int8)
        if flips:
            packed = np.frombuffer(bits.to_bytes(-(-flips // 8), "little"), np.uint8)
            sign[self._flippable] -= 2 * np.unpackbits(packed, count=flips, bitorder="little").astype(np.int8)
        taken = np.arange(len(self._units))  # the unit of the design at each unit of the data
        if self._permutes:
            for group in self._groups:
                orders, rank = divmod(orders, count_orders(self._labels[group]))
                taken[group] = group[order_at(self._labels[group], rank)]
        return Arrangement(np.argsort(taken), sign)

    @cached_property
    def _step(self) -> int:
        """Arrangements are visited in long steps, coprime to their number: the first are a fair sample of all."""
        step = max(1, round(GOLDEN * self.n_distinct))
        while math.gcd(step, self.n_distinct) != 1:
            step += 1
        return step

    @cached_property
    def _observed_rank(self) -> int:
        rank = 0
        if self._permutes:
            for group in reversed(self._groups):
                rank = rank * count_orders(self._labels[group]) + rank_of(self._labels[group])
        return rank << (int(self._flippable.sum()) if self._flips else 0)
