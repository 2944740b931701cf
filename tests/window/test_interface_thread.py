"""The interface thread is never held: it goes round its event loop, and gives the mouse its turn, every 50 ms.

What is measured is the processor time that the interface thread itself spends in one turn of the loop, not the time
on the clock: on a machine that is busy with something else, or while the other threads of the program have the
processors, a turn takes longer for reasons that no change of the program would help. Even so a neighbour on the same
core slows it down, never up: the best of a few attempts counts. Time that the thread waits for another one is not seen
this way; `make bench` prints the clock too.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from habena.app.grid import Grid
from habena.app.recipes import CrosshairSeed, FileMap, Preparation, SeedCorrelation
from habena.app.sample import anatomy_file
from habena.app.startup import Startup
from habena.app.state import Overlay, ViewState
from PySide6.QtCore import QPoint, QTimer
from PySide6.QtTest import QTest
from window_events import LEFT, pixel_of, settle, wait_until
from window_files import places_mm, save

HELD_S = 0.050
ATTEMPTS = 3
N_VOLUMES = 260
MOVES = 120
MOVE_MS = 8  # a brisk mouse


def longest_turn_s(attempt: Callable[[], Watch]) -> float:
    """Of the best attempt."""
    longest_s = np.inf
    for _ in range(ATTEMPTS):
        longest_s = min(longest_s, max(attempt().turns_s))
        if longest_s < HELD_S:
            break
    return longest_s


class Watch:
    """Looks in each turn of the event loop how much the interface thread has worked since the last."""

    def __init__(self) -> None:
        self.turns_s: list[float] = []
        self._timer = QTimer()
        self._timer.timeout.connect(self._look)

    def __enter__(self) -> Self:
        self._last = time.thread_time()
        self._timer.start(1)
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.stop()

    def _look(self) -> None:
        now = time.thread_time()
        self.turns_s.append(now - self._last)
        self._last = now


@pytest.fixture(scope="module")
def big_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Simulated: 3 mm and 260 volumes of 1.5 s, a slow course on the left and noise everywhere in a head."""
    affine = np.diag([-3.0, 3.0, 3.0, 1.0])
    affine[:3, 3] = [90, -126, -72]
    grid = Grid((61, 73, 61), affine)
    x, y, z = np.moveaxis(places_mm(grid), -1, 0)
    head = (x / 70) ** 2 + ((y + 18) / 88) ** 2 + ((z - 10) / 68) ** 2 <= 1
    rng = np.random.default_rng(0)
    course = np.cumsum(rng.standard_normal(N_VOLUMES)).astype(np.float32)
    run = np.zeros((*grid.shape, N_VOLUMES), np.int16)
    values = 60 * rng.standard_normal((int(head.sum()), N_VOLUMES), dtype=np.float32)
    values[x[head] < -10] += 10 * course
    run[head] = values + 1000
    path = save(tmp_path_factory.mktemp("run") / "sub-01_task-rest_space-MNI152NLin6Asym_bold.nii", run, affine)
    yield path
    path.unlink()


@pytest.mark.slow
def test_dragging_with_a_seed_map_never_holds_the_interface_thread(open_window, big_run):
    seed = SeedCorrelation(FileMap(str(big_run)), CrosshairSeed(), Preparation(fwhm_mm=6.0, detrend=2))
    overlays = (Overlay(1, FileMap(str(anatomy_file())), "head"), Overlay(2, seed, "seed map"))
    window = open_window(view=ViewState(crosshair_mm=(-30.0, -20.0, 10.0), overlays=overlays, selected=2))
    wait_until(lambda: window.session.answer(seed) is not None, "the seed map")
    settle(window)
    maps: set[int] = set()
    window.slice_view.drawn.connect(lambda: maps.add(id(window.session.answer(seed))))
    canvas = window.area.slices
    turns = np.linspace(0, 4 * np.pi, MOVES)
    path = [pixel_of(window, "axial", (30 * np.cos(t), -20 + 30 * np.sin(t), 10.0)) for t in turns]
    places = [QPoint(round(x), round(y)) for x, y in path]

    def drag() -> Watch:
        maps.clear()
        ahead = places[:0:-1]
        hand = QTimer()
        hand.timeout.connect(lambda: ahead and QTest.mouseMove(canvas, ahead.pop()))
        with Watch() as watch:
            QTest.mousePress(canvas, LEFT, pos=places[0])
            hand.start(MOVE_MS)
            wait_until(lambda: not ahead, "the last move")
            settle(window)
        QTest.mouseRelease(canvas, LEFT, pos=places[-1])
        assert len(maps) > 5  # maps followed
        return watch

    assert longest_turn_s(drag) < HELD_S


@pytest.mark.slow
def test_opening_files_never_holds_the_interface_thread(open_window, big_run, stat_map):
    def open_files() -> Watch:
        window = open_window(stat_map, layout=None)
        with Watch() as watch:
            window.open([str(anatomy_file()), str(big_run)])
            wait_until(lambda: len(window.session.state.overlays) == 3, "the files")
            settle(window)
        return watch

    assert longest_turn_s(open_files) < HELD_S


def test_garbage_is_collected_by_the_interface_thread_alone(qtbot):
    gc.enable()
    threads: set[threading.Thread] = set()

    def collecting(phase: str, _: object) -> None:
        threads.add(threading.current_thread())

    startup = Startup()
    assert not gc.isenabled()
    with qtbot.waitSignal(startup.kernels_loaded, timeout=60_000):
        startup.start()
    wait_until(lambda: gc.get_freeze_count() > 0, "the end of loading")
    gc.callbacks.append(collecting)
    try:
        worker = threading.Thread(target=lambda: [[number] for number in range(100_000)])  # plenty to look through
        worker.start()
        worker.join()
        assert not threads
        wait_until(lambda: bool(threads), "a collection")
    finally:
        gc.callbacks.remove(collecting)
        startup.stop()
    assert threads == {threading.main_thread()}
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
