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

from PySide6.QtCore import QObject, Signal, Slot

from .problems import Cancelled

Report = Callable[[float], None]
Work = Callable[[Report], Any]
Happening = Literal["progressed", "finished", "failed", "cancelled"]


@dataclass(eq=False)
class _Job:
    key: Hashable
    title: str
    work: Work
    outlives: bool = False  # is done although the lanes close
    cancelled: threading.Event = field(default_factory=threading.Event)
    outdated: bool = False  # nobody wants to hear of it any more; read and written by the interface thread alone


Tell = Callable[[_Job, Happening, Any], None]


class _Lane:
    """Worker threads with one ordered queue in which every key stands once; a key runs once at a time."""

    def __init__(self, name: str, tell: Tell, *, threads: int, interrupts: bool) -> None:
        self._tell = tell
        self._interrupts = interrupts
        self._waiting: OrderedDict[Hashable, _Job] = OrderedDict()
        self._running: dict[Hashable, _Job] = {}
        self._wake = threading.Condition()
        self._closing = False
        self._threads = [threading.Thread(target=self._run, name=f"{name}-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, job: _Job) -> None:
        """Have a job done after those that wait, instead of one of the same key."""
        with self._wake:
            running = self._running.get(job.key)
            if self._interrupts and running is not None:
                running.cancelled.set()
            self._waiting[job.key] = job
            self._waiting.move_to_end(job.key)
            self._wake.notify()

    def cancel(self, key: Hashable) -> bool:
        """Ask the running job of that key to stop; whether one was waiting, which never begins."""
        with self._wake:
            running = self._running.get(key)
            if running is not None:
                running.cancelled.set()
            return self._waiting.pop(key, None) is not None

    def has(self, key: Hashable) -> bool:
        """Whether a job of that key waits or runs."""
        with self._wake:
            return key in self._waiting or key in self._running

    def idle(self) -> bool:
        """Whether nothing waits or runs."""
        with self._wake:
            return not self._running and not self._waiting

    def close(self) -> None:
        """Cancel everything but what is to be done all the same, and wait for the threads to end."""
        with self._wake:
            self._closing = True
            self._waiting = OrderedDict((key, job) for key, job in self._waiting.items() if job.outlives)
            for job in self._running.values():
                if not job.outlives:
                    job.cancelled.set()
            self._wake.notify_all()
        for thread in self._threads:
            thread.join()

    def _next(self) -> _Job | None:
        """The oldest waiting job whose key does not run; None when the lane closes."""
        with self._wake:
            while self._waiting or not self._closing:
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
                self._tell(job, "progressed", fraction)

        try:
            report(0.0)
            result = job.work(report)
            report(1.0)
        except Cancelled:
            self._tell(job, "cancelled", None)
        except Exception as error:  # noqa: BLE001 - every failure goes to the window, none is swallowed
            self._tell(job, "failed", error)
        else:
            self._tell(job, "finished", result)


class Jobs(QObject):
    """The two lanes; results come back to the interface thread as signals with the job's key.

    Of jobs of one key in the long lane only the newest is heard of, even when an older one had ended by the time
    that it was replaced.
    """

    progressed = Signal(object, str, float)
    finished = Signal(object, object)
    failed = Signal(object, object)
    cancelled = Signal(object)
    _told = Signal(object, str, object)  # carries what a thread says into the interface thread

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._newest: dict[Hashable, _Job] = {}
        self._is_closed = False
        self._told.connect(self._pass_on)
        self._live = _Lane("habena-live", self._told.emit, threads=1, interrupts=False)
        self._long = _Lane("habena-long", self._told.emit, threads=2, interrupts=True)

    def live(self, key: Hashable, work: Work) -> None:
        """Run soon; replaces what waits under that key, never interrupts what runs."""
        self._live.submit(_Job(key, "", work))

    def long(self, key: Hashable, title: str, work: Work, *, outlives: bool = False) -> None:
        """Run after older long work, two at a time: a file opens while a run is prepared.

        A job of the same key is cancelled and replaced. One that ``outlives`` the window is done before it closes.
        """
        self._forget(key)
        self._newest[key] = job = _Job(key, title, work, outlives)
        self._long.submit(job)
        self.progressed.emit(key, title, 0.0)  # what waits is to be seen, and can be cancelled

    def cancel(self, key: Hashable) -> None:
        """Stop a long job, waiting or running."""
        if self._long.cancel(key):  # a running one says so itself, once it has stopped
            self._forget(key)
            self.cancelled.emit(key)

    def busy(self, key: Hashable) -> bool:
        """Whether a job of that key waits, runs or has not been heard of yet."""
        return key in self._newest or self._live.has(key)

    def idle(self) -> bool:
        """Whether nothing waits or runs, and all long work has been heard of."""
        return not self._newest and self._live.idle() and self._long.idle()

    def close(self) -> None:
        """Cancel what does not outlive this and wait for the threads to end; nothing is heard of any more."""
        self._is_closed = True
        self._live.close()
        self._long.close()
        self._newest.clear()

    def _forget(self, key: Hashable) -> None:
        job = self._newest.pop(key, None)
        if job is not None:
            job.outdated = True

    @Slot(object, str, object)
    def _pass_on(self, job: _Job, what: Happening, value: Any) -> None:
        if job.outdated or self._is_closed:
            return
        if what == "progressed":
            self.progressed.emit(job.key, job.title, value)
            return
        if self._newest.get(job.key) is job:
            del self._newest[job.key]
        match what:
            case "finished":
                self.finished.emit(job.key, value)
            case "failed":
                self.failed.emit(job.key, value)
            case "cancelled":
                self.cancelled.emit(job.key)
