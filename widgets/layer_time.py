"""Which frame of a series is shown, and its playback."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from .controls import IconButton, Section, check, column, muted, row
from .numbers import NumberEdit, NumberSpec
from .slider import Slider

FRAMES_PER_SECOND = 5.0


class LayerTime(QWidget):
    """Frame slider and playback. The panel plays nothing itself; it asks by ``play_toggled``."""

    frame_changed = Signal(int)
    settled = Signal()
    play_toggled = Signal(bool)
    speed_changed = Signal(float)
    link_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._n_frames = 1
        self._play = IconButton("play", self.tr("Play"), self.tr("Play the frames one after the other"), "pause")
        self._frame = Slider(self.tr("Frame"), self.tr("Frame that is shown"), (0, 0, 1), self._frame_text)
        self._label = muted()
        tip = self.tr("Speed of playback in frames per second")
        self._speed = NumberEdit(self.tr("Speed"), tip, NumberSpec("fps", 1, 60, whole=True))
        self._speed.set_value(FRAMES_PER_SECOND)
        self._link = check(self.tr("All series together"), self.tr("Show the same frame number in every series"))
        section = Section(self.tr("Frame"))
        section.body.addLayout(row(self._play, self._frame, stretch=1))
        section.body.addWidget(self._label)
        section.body.addLayout(row(self._link, QWidget(), self._speed, stretch=1))
        layout = column(self)
        layout.addWidget(section)
        self._frame.changed.connect(self._slide)
        self._frame.settled.connect(self.settled)
        self._play.clicked.connect(self.play_toggled)
        self._speed.changed.connect(self.speed_changed.emit)
        self._link.clicked.connect(self.link_toggled)

    def _slide(self, frame: float) -> None:
        self.frame_changed.emit(round(frame))

    def _frame_text(self, frame: float) -> str:
        return f"{round(frame) + 1} / {self._n_frames}"

    def set_frame(self, frame: int, n_frames: int, label: str) -> None:
        """Show a frame, counted from 0, of how many, and when that is."""
        if n_frames != self._n_frames:
            self._n_frames = n_frames
            self._frame.set_steps((0, max(0, n_frames - 1), 1))
        self._frame.set_value(frame)
        self._label.setText(label)
        self._label.setVisible(bool(label))

    def set_playing(self, is_playing: bool) -> None:
        """Show whether frames are being played."""
        self._play.setChecked(is_playing)

    def set_linked(self, is_linked: bool) -> None:
        """Show whether all series share their frame."""
        self._link.setChecked(is_linked)
