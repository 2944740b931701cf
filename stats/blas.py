"""Matrix products in threads of our own.

A BLAS spreads one product over all processors and makes them wait for each other at its end. Many products of tiles
are better spread the other way: each thread does its own, on one processor, and whatever follows while the tile is in
its cache. That needs the BLAS to keep to the thread that calls it, a setting of the whole process.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_using: list[Any] = []  # one for each user at work; the first set the limit and the last takes it back


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def one_thread_each() -> Generator[None]:
    """While entered, by however many threads, matrix products run in the thread that calls them."""
    with _lock:
        _using.append(_using[-1] if _using else _controller().limit(limits=1, user_api="blas"))
    try:
        yield
    finally:
        with _lock:
            limit = _using.pop()
            if not _using:
                limit.restore_original_limits()
