"""The same done to each of many scans: a scan that cannot be used does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from ...stats.threads import workers
from ..problems import Problem, silent
from .prepare_cache import CacheProblem

Report = Callable[[float], None]
T = TypeVar("T")
R = TypeVar("R")


def each_of(work: Callable[[T], R], items: Sequence[T], report: Report = silent) -> list[R | Problem]:
    """What is made of each, several at a time; a Problem in the place of what cannot be made.

    Raises
    ------
    CacheProblem
        Nothing that is made can be kept.
    """

    def tried(item: T) -> R | Problem:
        try:
            return work(item)
        except CacheProblem:
            raise
        except Problem as problem:
            return problem

    with ThreadPoolExecutor(workers(), "habena-prepare") as pool:
        futures = [pool.submit(tried, item) for item in items]
        try:
            for number, done in enumerate(as_completed(futures)):
                done.result()
                report((number + 1) / len(items))
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        return [future.result() for future in futures]


def in_turn(work: Callable[[T, Report], R], items: Sequence[T], report: Report = silent) -> list[R | Problem]:
    """The same one after the other, for work that takes all processors and tells how far it is."""
    made: list[R | Problem] = []

    def told(done: float) -> None:
        report((len(made) + done) / len(items))

    for item in items:
        try:
            made.append(work(item, told))
        except CacheProblem:
            raise
        except Problem as problem:
            made.append(problem)
    report(1.0)
    return made
