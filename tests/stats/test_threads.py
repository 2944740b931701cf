"""Work is done once, whoever calls from wherever; errors come back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from habena.stats.threads import split, workers
from hypothesis import given
from hypothesis import strategies as st


@given(n=st.integers(0, 500), smallest=st.integers(1, 200))
def test_every_piece_is_done_exactly_once(n: int, smallest: int) -> None:
    done = np.zeros(n, int)

    def kernel(start: int, stop: int) -> None:
        done[start:stop] += 1

    split(kernel, n, smallest=smallest)
    assert (done == 1).all()


def test_small_work_is_one_part_in_the_calling_thread() -> None:
    parts: list[tuple[int, int]] = []
    split(lambda start, stop: parts.append((start, stop)), 99, smallest=50)
    assert parts == [(0, 99)]


def test_calls_from_many_threads_and_within_calls_finish() -> None:
    def nested(start: int, stop: int) -> None:
        for _ in range(start, stop):
            split(lambda a, b: sums.append(b - a), 64)

    sums: list[int] = []
    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(split, nested, 16) for _ in range(8)]:
            future.result(timeout=60)
    assert sum(sums) == 8 * 16 * 64


def test_an_error_in_any_part_is_raised() -> None:
    def kernel(start: int, stop: int) -> None:
        if start <= 77 < stop:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        split(kernel, 100)


def test_there_is_at_least_one_worker() -> None:
    assert workers() >= 1
