"""Kernels that release the interpreter lock, spread over the processors.

Numba's own threads cannot be entered from two threads at once, which a viewer does all the time: a map follows the
crosshair while a run is prepared. So kernels are compiled serial with ``nogil=True`` and a small pool, shared by
everybody and kept for the life of the process, calls them on parts of the work.

OpenBLAS keeps threads of its own, which go on spinning for a while after every matrix product and take a processor
from whoever comes next: a kernel right after a product then needs twice its time. The entry points of the program
set ``OPENBLAS_THREAD_TIMEOUT`` to a small number before NumPy is imported, which sends those threads to sleep at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from itertools import count

# More parts than threads, so that a processor that is also busy elsewhere takes fewer of them.
PARTS_PER_WORKER = 4


@cache
def workers() -> int:
    """Number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _helpers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=max(1, workers() - 1), thread_name_prefix="habena-kernel")


def split(kernel: Callable[[int, int], object], n: int, *, smallest: int = 1) -> None:
    """Call ``kernel(start, stop)`` for consecutive parts of ``range(n)``, several at a time.

    The calling thread works too, and takes parts until none is left; helpers that find no processor free simply
    come too late. So calls from several threads, and calls within calls, share the processors and cannot wait for
    each other in a circle.

    Parameters
    ----------
    kernel : callable
        Must release the interpreter lock to gain anything. What it raises is raised here.
    n : int
        Amount of work.
    smallest : int
        Least size of a part worth the 20 microseconds of handing it over.
    """
    parts = min(n // max(1, smallest), PARTS_PER_WORKER * workers())
    if parts <= 1 or workers() == 1:
        kernel(0, n)
        return
    tickets = count()

    def take() -> None:
        while (part := next(tickets)) < parts:
            kernel(part * n // parts, (part + 1) * n // parts)

    helpers = [_helpers().submit(take) for _ in range(min(workers(), parts) - 1)]
    try:
        take()
    finally:
        wait([helper for helper in helpers if not helper.cancel()])
    for helper in helpers:
        if not helper.cancelled():
            helper.result()
