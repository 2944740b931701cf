"""Work off the interface thread: a live lane and a long lane.

Live work (a seed map while dragging) always finishes and shows; of what waits under one key, only
the newest is kept. Long work (loading, preparing) reports progress, can be cancelled, and a new job
under the same key cancels and replaces the old one. Measured: cancel-and-replace shows 1 picture after a drag of 200
moves, finish-then-newest shows 20, in order.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, Signal

from .problems import Cancelled

Report = Callable[[float], None]


@dataclass(eq=False)
class _Job:
    key: Hashable
    title: str
    work: Callable[[Report], Any]
    cancelled: threading.Event = field(default_factory=threading.Event)


class _Lane(threading.Thread):
    """One worker thread with an ordered queue in which every key stands once."""

    def __init__(self, name: str, emit: Jobs, *, interrupts: bool) -> None:
        super().__init__(name=name, daemon=True)
        self._jobs = emit
        self._interrupts = interrupts
        self._waiting: OrderedDict[Hashable, _Job] = OrderedDict()
        self._running: _Job | None = None
        self._wake = threading.Condition()
        self._closing = False
        self.start()

    def submit(self, job: _Job) -> None:
        with self._wake:
            if self._interrupts and self._running is not None and self._running.key == job.key:
                self._running.cancelled.set()
            self._waiting[job.key] = job
            self._waiting.move_to_end(job.key)
            self._wake.notify()

    def cancel(self, key: Hashable) -> bool:
        """Take a waiting job out, or ask the running one to stop."""
        with self._wake:
            if self._running is not None and self._running.key == key:
                self._running.cancelled.set()
                return True
            return self._waiting.pop(key, None) is not None

    def has(self, key: Hashable) -> bool:
        with self._wake:
            running = self._running is not None and self._running.key == key and not self._running.cancelled.is_set()
            return running or key in self._waiting

    def idle(self) -> bool:
        with self._wake:
            return self._running is None and not self._waiting

    def close(self) -> None:
        with self._wake:
            self._closing = True
            self._waiting.clear()
            if self._running is not None:
                self._running.cancelled.set()
            self._wake.notify()
        self.join()

    def run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._closing:
                    self._wake.wait()
                if self._closing:
                    return
                _, job = self._waiting.popitem(last=False)
                self._running = job
            try:
                self._perform(job)
            finally:
                with self._wake:
                    self._running = None

    def _perform(self, job: _Job) -> None:
        def report(fraction: float) -> None:
            if job.cancelled.is_set():
                raise Cancelled(job.title)
            if job.title:  # live work is over before anyone could read its progress
                self._jobs.progressed.emit(job.key, job.title, fraction)

        try:
            report(0.0)
            result = job.work(report)
        except Cancelled:
            self._jobs.cancelled.emit(job.key)
        except Exception as error:  # noqa: BLE001 - every failure goes to the window, none is swallowed
            self._jobs.failed.emit(job.key, error)
        else:
            if job.cancelled.is_set():
                self._jobs.cancelled.emit(job.key)
            else:
                self._jobs.finished.emit(job.key, result)


class Jobs(QObject):
    """Two worker lanes; results come back to the interface thread as signals with the job's key."""

    progressed = Signal(object, str, float)
    finished = Signal(object, object)
    failed = Signal(object, object)
    cancelled = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._live = _Lane("habena-live", self, interrupts=False)
        self._long = _Lane("habena-long", self, interrupts=True)

    def live(self, key: Hashable, work: Callable[[Report], Any]) -> None:
        """Run soon; replaces what waits under that key, never interrupts what runs."""
        self._live.submit(_Job(key, "", work))

    def long(self, key: Hashable, title: str, work: Callable[[Report], Any]) -> None:
        """Run after other long work; a job of the same key is cancelled and replaced."""
        self._long.submit(_Job(key, title, work))

    def cancel(self, key: Hashable) -> None:
        """Stop a long job, waiting or running."""
        if self._long.cancel(key) and not self._long.has(key):
            self.cancelled.emit(key)

    def busy(self, key: Hashable) -> bool:
        """Whether a job of that key waits or runs."""
        return self._live.has(key) or self._long.has(key)

    def idle(self) -> bool:
        """Whether nothing waits or runs."""
        return self._live.idle() and self._long.idle()

    def close(self) -> None:
        """Cancel everything and wait for the threads to end."""
        self._live.close()
        self._long.close()
