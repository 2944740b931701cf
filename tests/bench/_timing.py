"""Timing that is fair (interleaved) and knows when the machine was busy with something else."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import psutil

QUIET_CORES = 0.1
TRIES = 5
WAIT_S = 2.0


class Timings(NamedTuple):
    """Median seconds of each call, and how many processors others used meanwhile."""

    median_s: dict[str, float]
    foreign_cores: float


def interleaved(calls: Mapping[str, Callable[[], object]], rounds: int = 9) -> Timings:
    """Time calls one after the other, round by round, so that whatever else happens meets all of them.

    Tried again, up to five times, while others use more than a tenth of a processor; the quietest try counts.
    """
    for call in calls.values():
        call()
    quietest: Timings | None = None
    for attempt in range(TRIES):
        timings = _once(calls, rounds)
        if quietest is None or timings.foreign_cores < quietest.foreign_cores:
            quietest = timings
        if quietest.foreign_cores <= QUIET_CORES or attempt == TRIES - 1:
            break
        time.sleep(WAIT_S)
    assert quietest is not None
    return quietest


def _once(calls: Mapping[str, Callable[[], object]], rounds: int) -> Timings:
    spent: dict[str, list[float]] = {name: [] for name in calls}
    busy, own, begin = _busy_s(), _own_s(), time.perf_counter()
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            spent[name].append(time.perf_counter() - start)
    foreign = (_busy_s() - busy - (_own_s() - own)) / (time.perf_counter() - begin)
    return Timings({name: float(np.median(seconds)) for name, seconds in spent.items()}, max(0.0, foreign))


def _busy_s() -> float:
    """Processor seconds that all processes together have used; time stolen by a host counts as foreign."""
    times = psutil.cpu_times()
    return sum(getattr(times, kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq", "steal"))


def _own_s() -> float:
    times = psutil.Process().cpu_times()
    return times.user + times.system + times.children_user + times.children_system
