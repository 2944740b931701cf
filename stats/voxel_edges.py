"""Correlations of all pairs of voxels, tile by tile: they are never all in memory at once.

A correlation is the float32 product of two unit rows, as the matrix product of the machine rounds it (about 1e-7), and
whatever is said of edges holds exactly for these numbers. Tiles cover the upper triangle and stay in the cache for
whoever looks at them next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from numba import njit

from .arrays import Float32, Int64, Report, read_only
from .blas import one_thread_each
from .errors import CannotCompute
from .ordered import Step, in_order
from .rows import UnitRows
from .threads import workers

Result = TypeVar("Result")
EdgeRule = Literal["positive", "absolute", "signed"]

ROWS = 256
COLUMNS = 1024  # with `ROWS` of them a tile has a megabyte


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


class Cut(NamedTuple):
    """Which pairs are edges: those whose r, or abs(r) unless the rule is "positive", is at least `least`; and `tied`.

    Attributes
    ----------
    rule : "positive", "absolute" or "signed"
    least : float32
    tied : (k, 2) int64
        Pairs below `least` that are edges all the same: those of the smallest kept r that fit into the density.
    threshold : float
        As it was given; of a density the smallest kept r (or abs(r)).
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


def strip_bytes() -> int:
    """Memory that the tiles of `each_strip` need."""
    return 4 * ROWS * COLUMNS * workers()


def each_strip(
    unit: Float32,
    look: Callable[[Iterator[Tile]], Result],
    take: Callable[[Result], None],
    report: Report | None = None,
) -> None:
    """All pairs of rows once, strip by strip of `ROWS` rows, on all processors.

    Parameters
    ----------
    unit : (n, D) float32
    look : callable
        Called for each strip, in any thread, with its tiles: the diagonal one, then those to the right of it.
    take : callable
        Called with what `look` made of each strip, from top to bottom, never twice at a time. So results do not depend
        on the number of threads.
    report : callable, optional
        Called in this thread after each of its tiles (about a millisecond); what it raises stops the others too.
    """
    n = len(unit)

    def do(row: int, step: Step) -> Result:
        return look(_tiles(unit, row, step))

    with one_thread_each():
        in_order(range(0, n, ROWS), do, take, n * (n + 1) // 2, report)


def _tiles(unit: Float32, row: int, step: Step) -> Iterator[Tile]:
    n = len(unit)
    stop = min(n, row + ROWS)
    buffer = np.empty(ROWS * COLUMNS, np.float32)
    for first, last in [(row, stop), *((first, min(n, first + COLUMNS)) for first in range(stop, n, COLUMNS))]:
        r = buffer[: (stop - row) * (last - first)].reshape(stop - row, last - first)
        np.matmul(unit[row:stop], unit[first:last].T, out=r)
        if first == row:
            _blank(r)
        yield Tile(read_only(r), row, first)
        step(r.size)


def at_least(threshold: float, rule: EdgeRule) -> Cut:
    """Edges are pairs with r (or abs(r)) >= threshold, compared as real numbers; at -1 all of them, rounding or not.

    Raises
    ------
    CannotCompute
        A threshold outside -1 ... 1, or a negative one for absolute values.
    """
    if not -1 <= threshold <= 1:
        raise CannotCompute(f"the threshold {threshold:g} is no correlation", "give one from -1 to 1")
    if threshold < 0 and rule != "positive":
        raise CannotCompute(f"no abs(r) is below {threshold:g}", "give a threshold from 0 to 1, or keep positive edges")
    least = np.float32(threshold)
    if threshold == -1:
        least = np.float32(-np.inf)
    elif float(least) < threshold:
        least = np.nextafter(least, np.float32(np.inf))
    return Cut(rule, least, np.empty((0, 2), np.int64), float(threshold))


@njit(cache=True, nogil=True)
def _blank(r: Float32) -> None:
    """NaN on and below the diagonal."""
    for i in range(r.shape[0]):
        r[i, : i + 1] = np.nan


def compile_kernels() -> None:
    """Compile for the types that are used."""
    _blank(np.ones((2, 2), np.float32))
