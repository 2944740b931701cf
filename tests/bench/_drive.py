"""A window in a process of its own, driven by real mouse events through a real event loop.

``python -m tests.bench._drive TASK VIEW.json WIDTHxHEIGHT``: prints one JSON document. WIDTHxHEIGHT is that of the
slices' canvas, 0x0 leaves the window as large as it opens.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from habena.app.recipes import Point
from habena.app.settings import Settings
from habena.app.startup import Startup
from habena.app.state import ViewState, from_json
from habena.app.window import Window
from habena.render.compose import numpy_kernels
from habena.render.scene import Panel
from habena.widgets.theme import apply_theme
from PySide6.QtCore import QEvent, QEventLoop, QObject, QPointF, Qt, QTimer, SignalInstance
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

LONGEST_S = 60.0
REST_MS = 120  # between moves that are timed one by one: panels and 3D view have caught up
MOVES = 60
FLOOD_S = 4.0
FLOOD_HZ = 250.0  # a brisk mouse
LOOK_MS = 1


class Driver(QObject):
    """Moves the mouse over the slices of a window and sees what becomes of it."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self.window = window
        self.session = window.session
        self.canvas = window.area.slices
        self.held_s: list[float] = []
        self.held_cpu_s: list[float] = []
        self._looked, self._looked_cpu = time.perf_counter(), time.thread_time()
        self._looking = QTimer(self)
        self._looking.setTimerType(Qt.TimerType.PreciseTimer)
        self._looking.timeout.connect(self._look)

    # -- the event loop

    def run_until(self, done: Callable[[], bool], *signals: SignalInstance) -> bool:
        """Let the event loop run until something holds, looked at after each signal or else now and then."""
        loop = QEventLoop()
        late = QTimer()
        late.setSingleShot(True)
        late.timeout.connect(loop.quit)
        late.start(round(1e3 * LONGEST_S))
        often = QTimer()
        often.timeout.connect(lambda: done() and loop.quit())
        slots = [(signal, signal.connect(lambda *_: done() and loop.quit())) for signal in signals]
        if not signals:
            often.start(20)
        loop.exec()
        for signal, connection in slots:
            signal.disconnect(connection)
        return late.isActive()

    def rest(self, milliseconds: int) -> None:
        """Let the event loop run for a while."""
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def settle(self) -> None:
        """Until everything that the view asks for is there and drawn."""
        quiet_since = time.perf_counter()

        def quiet() -> bool:
            nonlocal quiet_since
            if not self.session.jobs.idle() or self.session.waits_for_live or not self.fresh():
                quiet_since = time.perf_counter()
            return time.perf_counter() - quiet_since > 0.4

        assert self.run_until(quiet), "the view never settled"

    def watch(self, on: bool) -> None:
        """Begin or end noting how long the event loop goes without coming round, and what its thread does then."""
        if on:
            self._looked, self._looked_cpu = time.perf_counter(), time.thread_time()
            self._looking.start(LOOK_MS)
        else:
            self._looking.stop()

    def _look(self) -> None:
        now, cpu = time.perf_counter(), time.thread_time()
        self.held_s.append(now - self._looked - 1e-3 * LOOK_MS)
        self.held_cpu_s.append(cpu - self._looked_cpu)
        self._looked, self._looked_cpu = now, cpu

    # -- the mouse

    def fresh(self) -> bool:
        """Whether every layer has its answer for the place of the crosshair."""
        state = self.session.state
        return all(self.session.answer(overlay.recipe) is not None for overlay in state.overlays)

    def send(self, kind: QEvent.Type, x: float, y: float) -> None:
        """Post a mouse event with the left button down, as the window system would."""
        at = QPointF(x, y)
        held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else Qt.MouseButton.LeftButton
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else Qt.MouseButton.LeftButton
        where = self.canvas.mapToGlobal(at)
        QApplication.postEvent(self.canvas, QMouseEvent(kind, at, where, button, held, Qt.KeyboardModifier.NoModifier))

    def panel(self) -> Panel:
        """The axial slice, where there is the most to see."""
        return next(panel for panel in self.window.slice_view.arrangement.panels if panel.axis == "axial")

    def path(self, count: int) -> list[tuple[float, float]]:
        """Pixels of the axial slice that spiral through the brain, a voxel apart or more."""
        panel = self.panel()
        turns = np.linspace(0, 2 * np.pi * max(1, count / 40), count)
        radius = np.linspace(8, 34, count)  # mm
        places: list[tuple[float, float]] = []
        for turn, r in zip(turns, radius, strict=True):
            at: Point = (r * np.cos(turn), -20 + r * np.sin(turn), panel.position_mm)
            x, y = panel.px_of(at)
            places.append((float(round(x)), float(round(y))))
        return places

    def one_by_one(self) -> list[float]:
        """Seconds from each move to the picture that shows it, the map of the new place included."""
        places = self.path(MOVES + 5)
        self.send(QEvent.Type.MouseButtonPress, *places[0])
        self.rest(300)
        seconds: list[float] = []
        for x, y in places[1:]:
            self.rest(REST_MS)
            before = self.session.state.crosshair_mm
            drawn_new = False

            def drawn(before: Point = before) -> None:
                nonlocal drawn_new
                drawn_new = self.session.state.crosshair_mm != before and self.fresh()

            connection = self.window.slice_view.drawn.connect(drawn)
            began = time.perf_counter()
            self.send(QEvent.Type.MouseMove, x, y)
            if self.run_until(lambda: drawn_new, self.canvas.painted):  # noqa: B023 - called within this turn
                seconds.append(time.perf_counter() - began)
            self.window.slice_view.drawn.disconnect(connection)
        self.send(QEvent.Type.MouseButtonRelease, *places[-1])
        self.rest(REST_MS)
        return seconds[4:]

    def flood(self) -> dict[str, float]:
        """What is painted while the mouse moves all the time."""
        panel = self.panel()
        places = self.path(round(FLOOD_S * FLOOD_HZ))
        posted: dict[Point, float] = {}
        ages_s: list[float] = []
        maps: set[Point] = set()
        surface_pictures = 0
        latest: Point | None = None

        def place_of(x: float, y: float) -> Point:
            a, b, c = (round(float(v), 3) for v in panel.mm_at(x, y))
            return a, b, c

        def post() -> None:
            for x, y in places:
                posted[place_of(x, y)] = time.perf_counter()
                self.send(QEvent.Type.MouseMove, x, y)
                time.sleep(1 / FLOOD_HZ)

        def drawn() -> None:
            nonlocal latest
            latest = self.session.state.crosshair_mm
            if self.fresh():
                maps.add(latest)

        def painted() -> None:
            nonlocal latest
            if latest in posted:
                ages_s.append(time.perf_counter() - posted[latest])
            latest = None

        def count() -> None:
            nonlocal surface_pictures
            surface_pictures += 1

        self.send(QEvent.Type.MouseButtonPress, *places[0])
        self.rest(300)
        self.window.slice_view.drawn.connect(drawn)
        self.canvas.painted.connect(painted)
        self.window.surface_view.drawn.connect(count)
        hand = threading.Thread(target=post)
        began = time.perf_counter()
        hand.start()
        self.run_until(lambda: not hand.is_alive())
        lasted = time.perf_counter() - began
        self.send(QEvent.Type.MouseButtonRelease, *places[-1])
        self.rest(REST_MS)
        return {
            "pictures_per_s": len(ages_s) / lasted,
            "fresh_per_s": len(maps) / lasted,
            "surfaces_per_s": surface_pictures / lasted,
            "age_s": float(np.median(ages_s)),
            "age_p90_s": float(np.quantile(ages_s, 0.9)),
        }


def open_window(view: ViewState, canvas: tuple[int, int]) -> Driver:
    """A window on a view, everything loaded, compiled and drawn."""
    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QApplication)
    apply_theme(application, "dark")
    window = Window(Settings(), numpy_kernels(), view)
    startup = Startup(window)  # as the program starts
    startup.panels_loaded.connect(window.build_panels)
    startup.vtk_loaded.connect(window.use_vtk)
    startup.kernels_loaded.connect(window.use)
    window.first_drawn.connect(startup.start)
    driver = Driver(window)
    window.show()
    assert driver.run_until(lambda: True, startup.kernels_loaded), "the program never finished loading"
    driver.settle()
    if canvas[0]:  # once notices and panels have taken their place
        area = window.area
        window.resize(window.width() + canvas[0] - area.width(), window.height() + canvas[1] - area.height())
        driver.settle()
        assert (area.width(), area.height()) == canvas
    return driver


def close_window(driver: Driver) -> None:
    """Close it and let Qt free it."""
    driver.window.close()
    driver.window.deleteLater()
    driver.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def drag(view: ViewState, canvas: tuple[int, int]) -> dict[str, Any]:
    """Moves one by one and as a flood, and the longest time that the event loop was held."""
    driver = open_window(view, canvas)
    driver.watch(on=True)
    seconds = driver.one_by_one()
    told = driver.flood()
    driver.watch(on=False)
    result = {
        "median_s": float(np.median(seconds)),
        "p90_s": float(np.quantile(seconds, 0.9)),
        "held_s": max(driver.held_s),
        "held_cpu_s": max(driver.held_cpu_s),
        **told,
    }
    close_window(driver)
    return result


TASKS: dict[str, Callable[[ViewState, tuple[int, int]], dict[str, Any]]] = {"drag": drag}


def main(task: str, view: str, size: str) -> None:
    """Do one task and say what came of it."""
    width, _, height = size.partition("x")
    result = TASKS[task](from_json(Path(view).read_bytes(), view), (int(width), int(height)))
    print(json.dumps(result), flush=True)
    os._exit(0)  # nothing is left to save; taking Qt apart is no part of what is measured


if __name__ == "__main__":
    main(*sys.argv[1:])
