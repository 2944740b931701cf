"""Permutation inference for linear models at every voxel, vertex or region: progressive, exact where few arrangements.

    test = PermutationTest(question)
    for counts in test.steps():  # stop whenever it is enough; go on later with test.steps(counts)
        show(test.result(counts))

Counts of disjoint sets of arrangements merge (`perm_counts.merge`), wherever they were made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arrays import Float32, Float64, Int64, Report
from .errors import CannotCompute
from .freedman_lane import Scale, signed_root, with_tolerance
from .perm_counts import STATISTIC, Counts, Estimate, corrected, estimate, merge
from .perm_products import ByProducts
from .perm_question import Measure, Question, checked, engine
from .threads import split, workers

TOLERANCE_SINGLE, TOLERANCE_DOUBLE = 5e-6, 1e-10
TOLERANCE_MEASURE = 1e-5
MAPS_AT_ONCE = 16  # arrangements between two snapshots where maps are enhanced


class MeasureResult(NamedTuple):
    """One measure: its observed map or number, p of each element of a map, and corrected p; `largest` for other values.

    `largest` (m,) is the largest value of each arrangement: give it to `corrected` for each observed cluster.
    """

    observed: NDArray[Any] | float
    p: Estimate | None
    p_fwe: Estimate
    largest: Float64


@dataclass(frozen=True, eq=False)
class Result:
    """P-values by the arrangements counted so far.

    Attributes
    ----------
    statistic : (V,) float64
    compared : (V,) float64
        What is compared and given to the measures: the statistic; with variance groups z, or chi-square by its degrees
        of freedom.
    scale : Scale
        What the statistic is.
    n_done, n_total : int
        Arrangements counted and intended, the observed one not counted.
    exhaustive : bool
        Whether the intended ones are all that are distinct.
    p : Estimate
        Uncorrected, (V,).
    p_fwe : Estimate
        Corrected over the searched voxels by the largest statistic, (V,); NaN outside them.
    measures : mapping of name to MeasureResult
    """

    statistic: Float64
    compared: Float64
    scale: Scale
    n_done: int
    n_total: int
    exhaustive: bool
    p: Estimate
    p_fwe: Estimate
    measures: Mapping[str, MeasureResult]


class PermutationTest:
    """A question made ready: the observed statistic, and the means to count arrangements.

    Parameters
    ----------
    question : Question
    report : callable or None

    Raises
    ------
    CannotCompute
        When the question has no answer: collinear or too many columns, wrong shapes, a contrast of 0, or one that tests
        a mean by permutation.
    """

    def __init__(self, question: Question, report: Report | None = None) -> None:
        question = checked(question)
        self._question = question
        self.shuffling = question.shuffling
        self._searched = np.ones(question.data.shape[1], np.bool_) if question.searched is None else question.searched
        self._engine, self.scale = engine(question, report or _silent)
        by_products = isinstance(self._engine, ByProducts) and question.data.dtype == np.float32
        self.tolerance = TOLERANCE_SINGLE if by_products else TOLERANCE_DOUBLE
        squares = self._engine.squares
        self.statistic: Float64 = self.scale.statistic(self._engine.shown)
        self._mapped: Float64 = self.scale.compared(squares)
        self.two_sided = question.two_sided or self.scale.q > 1
        self._compared = self._sided(squares)
        self._valid = ~np.isnan(squares)
        least = with_tolerance(signed_root(self._compared), self.tolerance)
        threshold = np.where(np.isnan(least), np.inf, least * np.abs(least))
        self._limits: Any = self._engine.limits(threshold, self._searched)
        single = self._mapped.astype(np.float32)
        self._measured = {measure.name: measure.of(single) for measure in question.measures}

    @property
    def at_once(self) -> int:
        """Arrangements between two snapshots."""
        most = self._engine.at_once()
        return min(most, MAPS_AT_ONCE) if self._question.measures else most

    def nothing(self) -> Counts:
        """Counts of no arrangement."""
        size = self._compared.size
        maps = [name for name, value in self._measured.items() if np.ndim(value)]
        return Counts(
            np.empty(0, np.int64),
            {name: np.zeros(size, np.int32) for name in (STATISTIC, *maps)},
            {name: np.empty(0) for name in (STATISTIC, *self._measured)},
        )

    def count(self, start: int, stop: int, report: Report | None = None) -> Counts:
        """Count arrangements `start` to `stop` - 1, from 1 to ``shuffling.count``."""
        if not 1 <= start <= stop <= self.shuffling.count + 1:
            raise CannotCompute(
                f"there are no arrangements {start} to {stop - 1}", f"count within 1 to {self.shuffling.count}"
            )
        return self._counted(np.arange(start, stop), report or _silent)

    def steps(self, done: Counts | None = None, report: Report | None = None) -> Iterator[Counts]:
        """Go on from what is done (or from nothing), and give all counts so far after each block.

        When `report` raises, what was given last still stands.
        """
        counts, tell = done or self.nothing(), report or _silent
        left = np.setdiff1d(np.arange(1, self.shuffling.count + 1), counts.done)
        block = (left - 1) // self.at_once
        for numbers in np.split(left, np.flatnonzero(np.diff(block)) + 1) if left.size else ():

            def told(part: float, so_far: int = counts.done.size, size: int = numbers.size) -> None:
                tell((so_far + part * size) / self.shuffling.count)

            counts = merge(counts, self._counted(numbers, told))
            yield counts

    def result(self, counts: Counts) -> Result:
        """P-values by these counts."""
        n_done = counts.done.size
        complete = self.shuffling.exhaustive and n_done == self.shuffling.count
        at = np.where(self._valid, counts.exceed[STATISTIC], np.nan)
        inside = np.where(self._searched, signed_root(self._compared), np.nan)
        largest = signed_root(counts.largest[STATISTIC])
        measures = {name: self._measure_result(name, counts, complete=complete) for name in self._measured}
        return Result(
            statistic=self.statistic,
            compared=self._mapped,
            scale=self.scale,
            n_done=n_done,
            n_total=self.shuffling.count,
            exhaustive=self.shuffling.exhaustive,
            p=estimate(at, n_done, complete=complete),
            p_fwe=corrected(inside, largest, self.tolerance, complete=complete),
            measures=measures,
        )

    def observed(self, name: str = STATISTIC) -> NDArray[Any]:
        """What is compared with the largest values: signed squares of the statistic, or a measure; (V,) or ()."""
        if name == STATISTIC:
            return np.where(self._searched, self._compared, np.nan)
        return self._comparable(name)

    def _comparable(self, name: str) -> NDArray[Any]:
        value = np.asarray(self._measured[name], np.float64)
        return np.where(self._searched & self._valid, self._sided(value), np.nan) if value.ndim else value

    def _sided(self, values: Any) -> NDArray[Any]:
        return np.abs(values) if self.two_sided else values

    def _measure_result(self, name: str, counts: Counts, *, complete: bool) -> MeasureResult:
        value, largest = self._comparable(name), counts.largest[name]
        p = None
        if value.ndim:
            at = np.where(self._valid, counts.exceed[name], np.nan)
            p = estimate(at, counts.done.size, complete=complete)
        p_fwe = corrected(value, largest, TOLERANCE_MEASURE, complete=complete)
        return MeasureResult(self._measured[name], p, p_fwe, largest)

    def _counted(self, numbers: Int64, report: Report) -> Counts:
        """Blocks are aligned to multiples of their size, so that the numbers do not depend on how work is divided."""
        size = self.at_once
        counts = self.nothing()
        blocks = np.unique((numbers - 1) // size)
        for position, block in enumerate(blocks):
            wanted = numbers[(numbers - 1) // size == block]

            def told(part: float, position: int = position) -> None:
                report((position + part) / len(blocks))

            counts = merge(counts, self._block(int(block) * size + 1, wanted, told))
        return counts

    def _block(self, first: int, wanted: Int64, report: Report) -> Counts:
        chosen = set(wanted.tolist())
        arrangements = [
            self.shuffling.arrangement(k) if k in chosen else None for k in range(first, first + self.at_once)
        ]
        at = wanted - first
        maps = None
        if self._measured:
            maps = np.full((self.at_once, self._compared.size), np.nan)
        share = 0.1 if self._measured else 1.0
        exceed, largest = self._engine.count(arrangements, self._limits, maps, lambda part: report(share * part))
        exceeds, largests = {STATISTIC: exceed}, {STATISTIC: largest[at]}
        if maps is not None:
            told = lambda part: report(share + (1 - share) * part)  # noqa: E731
            more = self._measure(self.scale.compared(maps[at]).astype(np.float32), told)
            exceeds |= more.exceed
            largests |= more.largest
        return Counts(wanted, exceeds, largests)

    def _measure(self, maps: Float32, report: Report) -> Counts:
        """Enhance maps (B, V), several at a time."""
        counts = self.nothing()
        exceed = {name: value for name, value in counts.exceed.items() if name != STATISTIC}
        largest = {name: np.full(len(maps), -np.inf) for name in self._measured}
        least = {name: with_tolerance(self._sided(self._measured[name]), TOLERANCE_MEASURE) for name in exceed}
        inside = self._searched & self._valid
        for first in range(0, len(maps), workers()):
            part = maps[first : first + workers()]
            for measure in self._question.measures:
                for b, value in enumerate(_enhanced(measure, part)):
                    most = value
                    if np.ndim(value):
                        sided = self._sided(value)
                        exceed[measure.name] += sided >= least[measure.name]
                        most = np.max(sided[inside], initial=-np.inf)
                    largest[measure.name][first + b] = most
            report((first + len(part)) / len(maps))
        return Counts(np.arange(len(maps)), exceed, largest)


def _enhanced(measure: Measure, maps: Float32) -> list[Any]:
    values: list[Any] = [None] * len(maps)

    def enhance(start: int, stop: int) -> None:
        for b in range(start, stop):
            values[b] = measure.of(maps[b])

    split(enhance, len(maps))
    return values


def permutation_test(question: Question, report: Report | None = None) -> Result:
    """All arrangements at once; where a part should survive a cancel, use `PermutationTest.steps`.

    Returns
    -------
    Result

    Raises
    ------
    CannotCompute
        As `PermutationTest`.
    """
    test = PermutationTest(question, report)
    return test.result(test.count(1, test.shuffling.count + 1, report))


def _silent(_: float) -> None:
    pass
