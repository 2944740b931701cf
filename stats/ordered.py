"""Pieces of work on all processors, whose results come in order: the same numbers, however many threads there are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from .arrays import Report
from .threads import split, workers

Job = TypeVar("Job")
Result = TypeVar("Result")

Step = Callable[[int], None]
"""Says that so much more work is done; raises when all is to stop."""


class _Stopped(Exception):
    """Another thread has raised what the caller will see."""


def in_order(
    jobs: Iterable[Job],
    do: Callable[[Job, Step], Result],
    take: Callable[[Result], None],
    work: int,
    report: Report | None = None,
) -> None:
    """Do jobs in any thread, and take their results one at a time in the order of the jobs.

    Parameters
    ----------
    jobs : iterable
    do : callable
        Given a job and a `Step`, to be called often: it keeps the caller informed and stops the job when another has
        failed or the caller has cancelled.
    take : callable
    work : int
        Sum of all that is told to `Step`.
    report : callable, optional
        Called in this thread with the fraction done; what it raises is raised here, once all threads have stopped.
    """
    queue = _Queue(iter(jobs), do, take, lambda done: None if report is None else report(min(1.0, done / max(1, work))))
    split(lambda _start, _stop: queue.serve(), workers())
    if report:
        report(1.0)


class _Queue(Generic[Job, Result]):
    """Jobs left to do, and results that wait for an earlier one."""

    def __init__(
        self,
        jobs: Iterable[Job],
        do: Callable[[Job, Step], Result],
        take: Callable[[Result], None],
        tell: Callable[[int], None],
    ) -> None:
        self._jobs = iter(enumerate(jobs))
        self._do, self._take, self._tell = do, take, tell
        self._home = threading.get_ident()
        self._lock = threading.Lock()
        self._waiting: dict[int, Result] = {}
        self._next = 0
        self._done = 0
        self._stopped = False

    def serve(self) -> None:
        """Do jobs until none is left."""
        try:
            while (numbered := self._another()) is not None:
                self._put(numbered[0], self._do(numbered[1], self._step))
        except _Stopped:
            return
        except BaseException:
            self._stopped = True
            raise

    def _another(self) -> tuple[int, Job] | None:
        with self._lock:
            return None if self._stopped else next(self._jobs, None)

    def _put(self, number: int, result: Result) -> None:
        with self._lock:
            self._waiting[number] = result
            while self._next in self._waiting:
                self._take(self._waiting.pop(self._next))
                self._next += 1

    def _step(self, work: int) -> None:
        if self._stopped:
            raise _Stopped
        with self._lock:
            self._done += work
        if threading.get_ident() == self._home:
            self._tell(self._done)
