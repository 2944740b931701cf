"""A slider with its value beside it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QLabel, QSlider, QStyle, QStyleOptionSlider, QWidget

from .controls import described, row
from .numbers import format_number


class _Track(QSlider):
    """The moving part: a click goes there, and it says when the hand leaves."""

    settled = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.sliderReleased.connect(self.settled)
        self._stepped = False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            option = QStyleOptionSlider()
            self.initStyleOption(option)
            control, part = QStyle.ComplexControl.CC_Slider, QStyle.SubControl
            groove = self.style().subControlRect(control, option, part.SC_SliderGroove, self)
            handle = self.style().subControlRect(control, option, part.SC_SliderHandle, self)
            if not handle.contains(event.position().toPoint()):
                along = round(event.position().x() - groove.x() - handle.width() / 2)
                length = groove.width() - handle.width()
                self.setValue(QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), along, length))
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        before = self.value()
        super().keyPressEvent(event)
        self._stepped = self._stepped or self.value() != before

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        super().keyReleaseEvent(event)
        if self._stepped and not event.isAutoRepeat():
            self._stepped = False
            self.settled.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not self.hasFocus():
            event.ignore()
            return
        super().wheelEvent(event)
        self.settled.emit()


class Slider(QWidget):
    """A slider with its value beside it.

    Parameters
    ----------
    name, tip : str
    steps : (float, float, float)
        Least value, greatest value, step.
    text : callable
        The value as it is shown.
    parent : QWidget, optional
    """

    changed = Signal(float)
    settled = Signal()

    def __init__(
        self,
        name: str,
        tip: str,
        steps: tuple[float, float, float],
        text: Callable[[float], str] = format_number,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._steps = steps
        self._text = text
        self._track = described(_Track(self), name, tip)
        self._label = QLabel()
        self._label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        layout = row(self._track, self._label, stretch=0)
        self.setLayout(layout)
        self.setFocusProxy(self._track)
        self._value = steps[0]
        self.set_steps(steps)
        self._track.valueChanged.connect(self._moved)
        self._track.settled.connect(self.settled)

    def value(self) -> float:
        """The value as it was set or slid to."""
        return self._value

    def set_value(self, value: float) -> None:
        """Show a value."""
        low, _, step = self._steps
        self._value = value
        with QSignalBlocker(self._track):
            self._track.setValue(round((value - low) / step))
        self._label.setText(self._text(value))

    def set_steps(self, steps: tuple[float, float, float]) -> None:
        """Change least value, greatest value and step."""
        self._steps = steps
        low, high, step = steps
        with QSignalBlocker(self._track):
            self._track.setRange(0, round((high - low) / step))
            self._track.setPageStep(max(1, self._track.maximum() // 10))
        widest = max((self._text(low), self._text(high)), key=len)
        self._label.setMinimumWidth(self._label.fontMetrics().horizontalAdvance(widest) + 2)
        self.set_value(self._value)

    def _moved(self, position: int) -> None:
        low, _, step = self._steps
        self._value = low + position * step
        self._label.setText(self._text(self._value))
        self.changed.emit(self._value)
