"""Work under way and memory in use, for a status bar."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QProgressBar, QToolButton, QWidget

from .controls import SPACE, IconButton, described, muted
from .elided_label import ElidedLabel

_BAR_WIDTH = 110


@dataclass(frozen=True)
class Job:
    """One piece of work: 0 to 1 done, or None while that is not known."""

    key: Hashable
    title: str
    fraction: float | None = None


class JobBar(QWidget):
    """Shows the first job with its progress, the others behind a button; ``cancel_requested`` carries a job's key."""

    cancel_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs: tuple[Job, ...] = ()
        self._title = ElidedLabel()
        self._bar = described(QProgressBar(), self.tr("Progress"), self.tr("How far the work is"))
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(_BAR_WIDTH)
        self._percent = QLabel()
        self._percent.setMinimumWidth(self._percent.fontMetrics().horizontalAdvance("100 %"))
        self._cancel = IconButton("cancel", self.tr("Cancel"), self.tr("Stop this work"))
        self._more = described(QToolButton(), self.tr("Waiting work"), self.tr("Work that waits; choose to cancel"))
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._waiting = QMenu(self._more)
        self._more.setMenu(self._waiting)
        self._memory = muted()
        self._memory.setWordWrap(False)
        self._memory.setToolTip(self.tr("Memory that images, runs and maps take"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE, 0, SPACE, 0)
        layout.setSpacing(SPACE)
        layout.addStretch(1)
        for part in (self._title, self._bar, self._percent, self._cancel, self._more, self._memory):
            layout.addWidget(part)
        self._cancel.clicked.connect(self._cancel_first)
        self._waiting.triggered.connect(self._cancel_waiting)
        self.set_jobs(())
        self.set_memory("")

    def set_jobs(self, jobs: Iterable[Job]) -> None:
        """Show what runs, then what waits."""
        before, self._jobs = self._jobs, tuple(jobs)
        for part in (self._title, self._bar, self._percent, self._cancel):
            part.setVisible(bool(self._jobs))
        self._more.setVisible(len(self._jobs) > 1)
        if self._jobs:
            self._show_first(self._jobs[0])
        else:
            self._title.set_whole("")
        if [(job.key, job.title) for job in before[1:]] != [(job.key, job.title) for job in self._jobs[1:]]:
            self._show_waiting()

    def set_memory(self, text: str) -> None:
        """Say how much memory is in use."""
        self._memory.setText(self.tr("Memory: {text}").format(text=text))
        self._memory.setVisible(bool(text))

    def _show_first(self, job: Job) -> None:
        self._title.set_whole(job.title)
        self._bar.setUpdatesEnabled(False)  # else a new value paints the whole window at once
        self._bar.setRange(0, 0 if job.fraction is None else 100)
        self._bar.setValue(round(100 * (job.fraction or 0)))
        self._bar.setUpdatesEnabled(True)
        self._percent.setText("" if job.fraction is None else f"{100 * job.fraction:.0f} %")

    def _show_waiting(self) -> None:
        self._more.setText(self.tr("+{n}").format(n=len(self._jobs) - 1))
        self._waiting.clear()
        for job in self._jobs[1:]:
            action = self._waiting.addAction(self.tr("Cancel: {job}").format(job=job.title))
            action.setData((job.key,))

    def _cancel_first(self) -> None:
        if self._jobs:
            self.cancel_requested.emit(self._jobs[0].key)

    def _cancel_waiting(self, action: QAction) -> None:
        (key,) = action.data()
        self.cancel_requested.emit(key)
