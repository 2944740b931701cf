"""Memory comes back: windows on a view, a map on the cortex and a prepared run, opened and closed many times."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import subprocess
import sys

import psutil
import pytest
import window_events
from habena.app.recipes import CrosshairSeed, FileMap, Preparation, SeedCorrelation
from habena.app.settings import Settings
from habena.app.state import Overlay, ViewState
from habena.app.window import Window
from habena.render.compose import numba_kernels
from habena.widgets.theme import apply_theme
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

WARM_UP, TIMES = 6, 50
WITHIN_MB = 50


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks glibc to give free memory back")
def test_fifty_windows_opened_and_closed_leave_less_than_50_mb(anatomy, stat_map, run_4d):
    """In a process of its own, after the few that fill the caches which the process keeps."""
    command = [sys.executable, __file__, str(anatomy), str(stat_map), str(run_4d)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["after_mb"] - told["before_mb"] < WITHIN_MB, told
    assert told["threads_after"] == told["threads_before"]


def memory_mb() -> float:
    """Memory that this process holds once what is free has been given back."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    return psutil.Process().memory_info().rss / 1e6


def main(anatomy: str, stat_map: str, run: str) -> None:
    """Open and close windows and print how much memory there was before and after."""
    gc.disable()  # by hand between the windows, as the program does it in its interface thread alone
    application = QApplication([])
    apply_theme(application, "dark")
    seed = SeedCorrelation(FileMap(run), CrosshairSeed(), Preparation(fwhm_mm=6.0, detrend=2))
    overlays = (
        Overlay(1, FileMap(anatomy), "head"),
        Overlay(2, FileMap(stat_map), "map"),
        Overlay(3, seed, "seed map"),
    )
    view = ViewState(
        crosshair_mm=(-33.0, -39.0, 3.0), overlays=overlays, selected=3, layout="ortho+surface", atlases=("aal2",)
    )

    def open_and_close() -> None:
        def all_seen() -> bool:
            return window.session.answer(seed) is not None and window.surface_view._drawn_at > 0

        window = Window(Settings(), numba_kernels(), view)
        window.show()
        window.build_panels(at_once=True)
        window.use_vtk()
        window.session.ask_for_all()
        window_events.wait_until(all_seen, "the seed map and the cortex")
        window_events.settle(window)
        window.close()
        window.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
        gc.collect()

    this = psutil.Process()
    for _ in range(WARM_UP):
        open_and_close()
    before_mb, threads_before = memory_mb(), this.num_threads()
    for _ in range(TIMES):
        open_and_close()
    told = {
        "before_mb": round(before_mb, 1),
        "after_mb": round(memory_mb(), 1),
        "threads_before": threads_before,
        "threads_after": this.num_threads(),
    }
    print(json.dumps(told), flush=True)
    os._exit(0)  # what is left is no part of what is measured


if __name__ == "__main__":
    main(*sys.argv[1:])
