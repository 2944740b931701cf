"""Compiled kernels when they are ready, plain ones until then: the first picture never waits for a compiler."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from ..render.compose import Kernels, numba_kernels, numpy_kernels
from .settings import cache_folder

LOOK_EVERY_MS = 250


def stamp() -> Path:
    """File that says that the kernels of these versions are in the cache on disk."""
    versions = "-".join(f"{name}{version(name)}" for name in ("habena", "numba", "llvmlite", "numpy"))
    python = f"py{sys.version_info.major}.{sys.version_info.minor}"
    return cache_folder() / f"compiled-{versions}-{python}"


def quick_kernels() -> Kernels:
    """Kernels that can be used now."""
    return numba_kernels() if stamp().exists() else numpy_kernels()


def when_compiled(owner: QObject, *use: Callable[[Kernels], None]) -> None:
    """Compile in another process if that was not done yet, and hand the compiled kernels over when it is."""
    if stamp().exists():
        return
    process = subprocess.Popen(
        [sys.executable, "-m", "habena.app.warm"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    timer = QTimer(owner)
    timer.setInterval(LOOK_EVERY_MS)

    def look() -> None:
        if process.poll() is None:
            return
        timer.stop()
        if stamp().exists():
            for take in use:
                take(numba_kernels())

    timer.timeout.connect(look)
    owner.destroyed.connect(process.kill)
    timer.start()
