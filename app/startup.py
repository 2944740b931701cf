"""What is loaded while the first picture is already there: panels, plots, compiled kernels.

Importing pyqtgraph, SciPy and Numba takes most of a second: in a thread, so that the window answers meanwhile.

Cyclic garbage is not collected meanwhile, and from then on by a timer of the interface thread, which looks only at
what came after the start. Python would do it anywhere: in a worker thread, where freeing a widget crashes, or in the
middle of a drag, where going through the quarter of a million objects that the program consists of holds the window
for 0.1 s.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, QTimer, Signal

from ..render.compose import Kernels, numba_kernels
from .settings import cache_folder

PANELS = "habena.app.panels.dock"
VTK = ("habena.render.slice_canvas", "habena.render.surface_canvas")
COLLECT_MS = 1000
COMPILED_S = 0.2  # between two looks whether what looking needs is compiled


def stamp(what: Literal["all", "looking"] = "all") -> Path:
    """File that says that the kernels of these versions are in the cache on disk: all, or those that looking needs."""
    versions = "-".join(f"{name}{version(name)}" for name in ("habena", "numba", "llvmlite", "numpy"))
    return cache_folder() / f"compiled-{what}-{versions}-py{sys.version_info.major}.{sys.version_info.minor}"


class Startup(QObject):
    """Loads the rest of the program.

    Signals
    -------
    vtk_loaded
        VTK can be used without waiting for its libraries.
    panels_loaded
        The modules of the panels are imported.
    kernels_loaded : Kernels
        The compiled kernels can be used without waiting.
    """

    vtk_loaded = Signal()
    panels_loaded = Signal()
    kernels_loaded = Signal(object)
    _ended = Signal()  # carries the end of the thread into the interface thread

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = threading.Thread(target=self._load, name="habena-startup", daemon=True)
        self._compiler: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._collector = QTimer(self)
        self._collector.setInterval(COLLECT_MS)
        self._collector.timeout.connect(lambda: gc.collect())  # noqa: PLW0108 - PySide asks a slot for its signature
        self._ended.connect(self._collect_here)
        gc.disable()

    def start(self) -> None:
        """Begin; once."""
        if not self._thread.is_alive():
            self._thread.start()

    def _load(self) -> None:
        self._import()
        from .io.dicom import discard_leftovers  # noqa: PLC0415 - after everything that someone waits for

        discard_leftovers()

    def _import(self) -> None:
        for modules, loaded in (((PANELS,), self.panels_loaded), (VTK, self.vtk_loaded)):
            for module in modules:
                import_module(module)
            if self._stopped:
                return
            loaded.emit()
        kernels = self._kernels()
        if self._stopped:
            return
        if kernels is not None:
            self.kernels_loaded.emit(kernels)
        self._ended.emit()

    def _collect_here(self) -> None:
        gc.freeze()
        self._collector.start()

    def _kernels(self) -> Kernels | None:
        """Compiled kernels; compiled in another process if that was not done yet, since compiling holds the lock."""
        if not stamp().exists():
            command = [sys.executable, "-m", "habena.app.warm"]
            self._compiler = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own
            while self._compiler.poll() is None and not stamp("looking").exists():
                with suppress(subprocess.TimeoutExpired):
                    self._compiler.wait(COMPILED_S)
        if self._stopped or not stamp("looking").exists():
            return None
        import_module("habena.render.kernels").compile_kernels()
        return numba_kernels()

    def stop(self) -> None:
        """Do not come back with anything any more."""
        self._stopped = True
        self._collector.stop()
        if self._compiler is not None:
            self._compiler.kill()
            self._compiler.wait()
        if self._thread.is_alive():
            self._thread.join()
        gc.unfreeze()
        gc.enable()
