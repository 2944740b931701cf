"""Compile every Numba kernel once, into the cache on disk, so that nobody waits for it later."""

from __future__ import annotations

import os
from importlib import import_module

# See `cli`: must be set before NumPy is imported.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")

MODULES = (
    "render.kernels",
    "stats.cluster",
    "stats.correlate",
    "stats.project",
    "stats.resample",
    "stats.smooth",
)


def main() -> None:
    """Compile what is not yet in the cache, and say so in a stamp file."""
    from .startup import stamp  # noqa: PLC0415

    for module in MODULES:
        import_module(f"habena.{module}").compile_kernels()
    stamp().touch()


if __name__ == "__main__":
    main()
