"""The very first start, which compiles the kernels, beside every later one."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from ._programs import environment
from ._report import Row
from ._timing import quietest

TITLE = "Compiled kernels: made in the background at the very first start, loaded at every later one"


def rows() -> Iterator[Row]:
    """Without a goal: an empty cache beside a filled one."""
    with TemporaryDirectory(prefix="habena-numba-") as folder:
        (first_s, later_s), foreign = quietest(lambda: (_warm_s(folder), _warm_s(folder)), tries=1)
    yield Row("all kernels, later start", later_s, "very first start", first_s, "peer", None, foreign)


def _warm_s(cache: str) -> float:
    places = {"NUMBA_CACHE_DIR": cache, "XDG_CACHE_HOME": str(Path(cache) / "habena")}
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "habena.app.warm"], env={**environment(), **places}, check=True)
    return time.perf_counter() - began
