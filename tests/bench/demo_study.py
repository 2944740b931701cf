"""The simulated studies: how long they take to make and how much room they need."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from habena.app.simulated.demo import make_demo
from habena.app.simulated.settings import Size

from ._report import Row
from ._timing import quietest

TITLE = "Three simulated studies as BIDS folders"
LIMITS_S: dict[Size, float] = {"small": 30.0, "full": 300.0}


def rows() -> Iterator[Row]:
    """Each size beside its limit; the room on disk stands with the task."""
    for size, limit in LIMITS_S.items():
        with TemporaryDirectory(prefix="habena-demo-") as folder:
            (made_s,), foreign = quietest(lambda size=size, folder=folder: (_seconds(size, folder),), tries=1)
            megabytes = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6
        task = f"habena demo --size {size}, {megabytes:.0f} MB"
        yield Row(task, made_s, f"{limit:.0f} s", limit, "limit", 1.0, foreign)


def _seconds(size: Size, folder: str) -> float:
    began = time.perf_counter()
    make_demo(Path(folder) / "demo", size=size)
    return time.perf_counter() - began
