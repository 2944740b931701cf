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
from typing import Any, Literal

from PySide6.QtCore import QObject, Signal

from .problems import Cancelled

Report = Callable[[float], None]


@dataclass(eq=False)
class _Job:
    key: Hashable
    title: str
    work: Callable[[Report], Any]
    cancelled: threading.Event = field(default_factory=threading.Event)
    replaced: bool = False


class _Lane:
    """Worker threads with one ordered queue in which every key stands once; a key runs once at a time."""

    def __init__(self, name: str, emit: Jobs, *, threads: int, interrupts: bool) -> None:
        self._jobs = emit
        self._interrupts = interrupts
        self._waiting: OrderedDict[Hashable, _Job] = OrderedDict()
        self._running: dict[Hashable, _Job] = {}
        self._wake = threading.Condition()
        self._closing = False
        self._threads = [threading.Thread(target=self._run, name=f"{name}-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, job: _Job) -> None:
        with self._wake:
            running = self._running.get(job.key)
            if self._interrupts and running is not None:
                running.replaced = True  # nobody hears of its end: the new one answers for the key
                running.cancelled.set()
            self._waiting[job.key] = job
            self._waiting.move_to_end(job.key)
            self._wake.notify()

    def cancel(self, key: Hashable) -> Literal["", "waiting", "running"]:
        """Take a waiting job out, and ask the running one to stop; which of them there was."""
        with self._wake:
            waiting = self._waiting.pop(key, None)
            running = self._running.get(key)
            if running is not None:
                running.cancelled.set()
            if waiting is not None:
                return "waiting"
            return "" if running is None else "running"

    def has(self, key: Hashable) -> bool:
        with self._wake:
            running = self._running.get(key)
            return key in self._waiting or (running is not None and not running.cancelled.is_set())

    def idle(self) -> bool:
        with self._wake:
            return not self._running and not self._waiting

    def close(self) -> None:
        with self._wake:
            self._closing = True
            self._waiting.clear()
            for job in self._running.values():
                job.cancelled.set()
            self._wake.notify_all()
        for thread in self._threads:
            thread.join()

    def _next(self) -> _Job | None:
        """The oldest waiting job whose key does not run; None when the lane closes."""
        with self._wake:
            while not self._closing:
                key = next((key for key in self._waiting if key not in self._running), None)
                if key is not None:
                    job = self._waiting.pop(key)
                    self._running[key] = job
                    return job
                self._wake.wait()
            return None

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._perform(job)
            finally:
                with self._wake:
                    del self._running[job.key]
                    self._wake.notify_all()

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
            self._tell_cancelled(job)
        except Exception as error:  # noqa: BLE001 - every failure goes to the window, none is swallowed
            self._jobs.failed.emit(job.key, error)
        else:
            if job.cancelled.is_set():
                self._tell_cancelled(job)
            else:
                self._jobs.finished.emit(job.key, result)

    def _tell_cancelled(self, job: _Job) -> None:
        if not job.replaced:
            self._jobs.cancelled.emit(job.key)


class Jobs(QObject):
    """The two lanes; results come back to the interface thread as signals with the job's key."""

    progressed = Signal(object, str, float)
    finished = Signal(object, object)
    failed = Signal(object, object)
    cancelled = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._live = _Lane("habena-live", self, threads=1, interrupts=False)
        self._long = _Lane("habena-long", self, threads=2, interrupts=True)

    def live(self, key: Hashable, work: Callable[[Report], Any]) -> None:
        """Run soon; replaces what waits under that key, never interrupts what runs."""
        self._live.submit(_Job(key, "", work))

    def long(self, key: Hashable, title: str, work: Callable[[Report], Any]) -> None:
        """Run after older long work, two at a time: a file opens while a run is prepared.

        A job of the same key is cancelled and replaced.
        """
        self._long.submit(_Job(key, title, work))

    def cancel(self, key: Hashable) -> None:
        """Stop a long job, waiting or running."""
        if self._long.cancel(key) == "waiting":  # a running one says so itself, once it has stopped
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
