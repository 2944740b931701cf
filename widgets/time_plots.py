"""Parts of plots: axes that write numbers as everywhere else, and a time axis that the mouse scrubs."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QGraphicsTextItem, QStyleOptionGraphicsItem, QWidget

from .numbers import format_number
from .theme import look

_LINE = 1.3  # least distance of numbers above one another, in heights of their font
AXIS_WIDTH = 58  # the same beside every plot, so that their times stand above one another


class NumberAxis(pg.AxisItem):
    """An axis with the program's own numbers, in quiet colours."""

    def __init__(self, side: str) -> None:
        super().__init__(side)
        self._title = ""
        self._line_px = 0
        self._style: dict[str, Any] = {}
        self.enableAutoSIPrefix(False)
        self.setStyle(tickLength=-4, maxTickLevel=0, hideOverlappingLabels=True)

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [format_number(value * scale) for value in values]

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, float]]:
        """Distances of ticks, so far apart that upright numbers stand clear of one another."""
        levels: list[tuple[float, float]] = super().tickSpacing(minVal, maxVal, size)  # pyright: ignore[reportAssignmentType]
        if self.orientation != "left" or not levels or size <= 0:
            return levels
        least = _LINE * self._line_px * abs(maxVal - minVal) / size
        decade = 10.0 ** math.floor(math.log10(least)) if least > 0 else 0.0
        spaced = next(step * decade for step in (1, 2, 5, 10) if step * decade >= least)
        return [(max(spaced, levels[0][0]), 0.0), *levels[1:]]

    def set_look(self, font: QFont) -> None:
        """Take the colours of the theme."""
        self.setPen(QColor(look().border))
        self.setTextPen(QColor(look().muted))
        self.setTickFont(font)
        self._line_px = QFontMetrics(font).height()
        self._style = {"font-size": f"{font.pointSizeF():.1f}pt", "color": look().muted}
        self.set_title(self._title)

    def set_title(self, title: str) -> None:
        """Say what the axis measures, with its unit."""
        self._title = title
        self.setLabel(escape(title), **self._style)
        self._show_title_if_it_fits()

    def _show_title_if_it_fits(self) -> None:
        """An upright title that is longer than its axis would run into its neighbours': the tool tip has it."""
        if self.orientation == "left":
            self.setToolTip(self._title)
            room, label = self.size().height(), self.label
            self.showLabel(bool(self._title) and (label is None or room <= 0 or label.boundingRect().width() <= room))

    def resizeEvent(self, ev: Any = None) -> None:
        super().resizeEvent(ev)
        if hasattr(self, "_title"):
            self._show_title_if_it_fits()


class TimeBox(pg.ViewBox):
    """A plot area in which click and drag choose a time, the wheel zooms it and a double click shows all."""

    chosen = Signal(float)
    settled = Signal()
    all_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=True, y=False)
        self.disableAutoRange()

    def _time(self, event: Any) -> float:
        return self.mapSceneToView(QPointF(event.scenePos())).x()

    def mouseClickEvent(self, ev: Any) -> None:
        if ev.button() != Qt.MouseButton.LeftButton:
            return
        ev.accept()
        if ev.double():
            self.all_wanted.emit()
        else:
            self.chosen.emit(self._time(ev))
            self.settled.emit()

    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:
        if ev.button() == Qt.MouseButton.LeftButton:
            ev.accept()
            self.chosen.emit(self._time(ev))
            if ev.isFinish():
                self.settled.emit()
        elif ev.button() == Qt.MouseButton.MiddleButton:
            super().mouseDragEvent(ev, axis)


class _Caption(QGraphicsTextItem):
    """A line of text in the upper left corner of a plot, on a ground that keeps it readable."""

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__(box)
        self.setZValue(20)
        self.setPos(2, 0)
        self.document().setDocumentMargin(1)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget) -> None:
        if self.toPlainText():
            ground = QColor(look().window)
            ground.setAlpha(190)
            painter.fillRect(self.boundingRect(), ground)
        super().paint(painter, option, widget)


class TimePlot(pg.PlotItem):
    """A plot over time with a line at the frame that is shown."""

    def __init__(self) -> None:
        self.box = TimeBox()
        self.bottom, self.left = NumberAxis("bottom"), NumberAxis("left")
        super().__init__(viewBox=self.box, axisItems={"bottom": self.bottom, "left": self.left}, enableMenu=False)
        self.hideButtons()
        self.left.setWidth(AXIS_WIDTH)
        self.frame = pg.InfiniteLine(angle=90)
        self.frame.setZValue(10)
        self.frame.hide()
        self.addItem(self.frame, ignoreBounds=True)
        self._caption = _Caption(self.box)

    def set_look(self, font: QFont) -> None:
        """Take the colours of the theme."""
        for axis in (self.bottom, self.left):
            axis.set_look(font)
        self._caption.setFont(font)
        self._caption.setDefaultTextColor(QColor(look().text))
        self.frame.setPen(pg.mkPen(look().text, width=1))

    def set_caption(self, text: str) -> None:
        """Say within the plot, however low it is, what it shows."""
        self._caption.setPlainText(text)

    def caption(self) -> str:
        """What the plot says that it shows."""
        return self._caption.toPlainText()

    def set_frame(self, x: float | None) -> None:
        """Put the line at a time, or take it away."""
        self.frame.setVisible(x is not None)
        if x is not None:
            self.frame.setValue(x)
