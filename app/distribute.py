"""Permutations counted by the workers of a dask scheduler: arrangement k depends on (seed, k) alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from ..stats.inference import PermutationTest
from ..stats.perm_counts import Counts, merge
from ..stats.perm_question import Question
from .problems import Problem, silent

Report = Callable[[float], None]
CHUNKS_PER_THREAD = 4
CONNECT_S = 10


def count_on(address: str, question: Question, n: int, report: Report = silent) -> Counts:
    """Count arrangements 1 to n of a test on the workers of a scheduler.

    The workers must have this version of the program. The counts are those of one machine, whatever the number of
    workers.

    Raises
    ------
    Problem
        There is no scheduler at the address, it has no workers, or a worker fails.
    """
    try:
        from distributed import Client, as_completed  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise Problem("--scheduler", "needs dask", "run: pip install 'habena[cluster]'") from error
    try:
        client: Any = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise Problem(address, "no dask scheduler answers there", "start one with: dask scheduler") from error
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise Problem(address, "the scheduler has no workers", f"start some with: dask worker {address}")
        shared = client.scatter(question, broadcast=True)
        parts = min(n, CHUNKS_PER_THREAD * threads)
        edges = [1 + part * n // parts for part in range(parts + 1)]
        waiting = [client.submit(_count, shared, start, stop, pure=False) for start, stop in pairwise(edges)]
        counts: Counts | None = None
        for number, future in enumerate(as_completed(waiting, loop=client.loop)):
            try:
                found = future.result()
            except Exception as error:
                raise Problem(address, f"a worker failed ({type(error).__name__}: {error})", "see its log") from error
            counts = found if counts is None else merge(counts, found)
            report((number + 1) / parts)
    if counts is None:
        raise Problem(address, "there was nothing to count", "ask for more permutations")
    return counts


def _count(question: Question, start: int, stop: int) -> Counts:
    return PermutationTest(question).count(start, stop)
