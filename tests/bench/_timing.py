"""Timing that is fair (interleaved) and knows when the machine was busy with something else."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple, TypeVar

import numpy as np
import psutil

QUIET_CORES = 0.1
TRIES = 5
WAIT_S = 2.0

Result = TypeVar("Result")


class Timings(NamedTuple):
    """Median seconds of each call, and how many processors others used meanwhile."""

    median_s: dict[str, float]
    foreign_cores: float


def interleaved(calls: Mapping[str, Callable[[], object]], rounds: int = 9) -> Timings:
    """Time calls one after the other, round by round, so that whatever else happens meets all of them."""
    for call in calls.values():
        call()
    return Timings(*quietest(lambda: _medians(calls, rounds)))


def quietest(attempt: Callable[[], Result], tries: int = TRIES) -> tuple[Result, float]:
    """The result of an attempt, and how many processors others used meanwhile.

    Tried again while others use more than a tenth of a processor; the quietest attempt counts.
    """
    kept: tuple[Result, float] | None = None
    for number in range(tries):
        if number:
            time.sleep(WAIT_S)
        busy, own, begin = _busy_s(), _own_s(), time.perf_counter()
        result = attempt()
        foreign = (_busy_s() - busy - (_own_s() - own)) / (time.perf_counter() - begin)
        if kept is None or foreign < kept[1]:
            kept = result, max(0.0, foreign)
        if kept[1] <= QUIET_CORES:
            break
    assert kept is not None
    return kept


def _medians(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            spent[name].append(time.perf_counter() - start)
    return {name: float(np.median(seconds)) for name, seconds in spent.items()}


def _busy_s() -> float:
    """Processor seconds that all processes together have used; time stolen by a host counts as foreign."""
    times = psutil.cpu_times()
    return sum(getattr(times, kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq", "steal"))


def _own_s() -> float:
    """Of this process and everything that it started, ended or not."""
    this = psutil.Process()
    total = 0.0
    for process in (this, *this.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # ended meanwhile
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total
