"""Histogram of an image's values that is also its colour bar and the control of its range."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from .controls import column, described
from .layer_row import small
from .numbers import format_number
from .range_handle import RangeHandle
from .range_values import BOUNDS, Bound, RangeValues, colours_at, moved
from .theme import look
from .time_plots import NumberAxis

_STRIP = 0.16  # height of the colour bar in units of the highest bar
_COLUMNS = 512  # of the colour bar
_STEP = 0.01  # of the span, per press of an arrow key
_MARGIN = 0.04  # of the span, on both sides
_ROWS: dict[str, int] = {"high": 0, "low": 1, "threshold": 2}


class RangeHistogram(QFrame):
    """Histogram with handles for display range and threshold.

    ``changed`` carries the new `RangeValues` while a handle moves, ``settled`` follows when it rests. Tab walks
    the handles; arrow keys move by 1 % of the span, with Shift by 10 %. A hollow threshold handle is not set; it is
    taken off by dragging it back to where it stood.
    """

    changed = Signal(object)
    settled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values = RangeValues()
        self._mirrored = False
        self._positive = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
        self._negative: NDArray[np.uint8] | None = None
        self._edges = np.array([0.0, 1.0])
        self._heights = np.zeros(1)
        self._span = (0.0, 1.0)
        described(self, self.tr("Histogram"), self.tr("Number of voxels of each value, on a logarithmic scale"))
        self.setToolTip("")
        self._build_plot()
        self._handles: dict[Bound, RangeHandle] = {bound: self._handle(bound) for bound in BOUNDS}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(self.sizeHint().height())
        self._restyle()
        self._redraw()

    def _build_plot(self) -> None:
        self._axis = NumberAxis("bottom")
        self._box = pg.ViewBox(enableMouse=False, enableMenu=False)
        item = pg.PlotItem(viewBox=self._box, axisItems={"bottom": self._axis}, enableMenu=False)
        item.hideAxis("left")
        item.hideButtons()
        item.layout.setContentsMargins(0, 2, 0, 0)  # pyright: ignore[reportAttributeAccessIssue] - replaced by a layout
        self._plot = pg.PlotWidget(plotItem=item)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.setFrameShape(QFrame.Shape.NoFrame)
        self._bars = pg.BarGraphItem(x0=[], x1=[], height=[], pen=None)
        self._outline = pg.PlotCurveItem()
        self._strip = pg.ImageItem(axisOrder="row-major")
        self._lines: dict[Bound, pg.InfiniteLine] = {bound: pg.InfiniteLine(angle=90) for bound in BOUNDS}
        for part in (self._strip, self._bars, self._outline, *self._lines.values()):
            item.addItem(part)
        self._box.setYRange(-_STRIP, 1.02, padding=0)
        layout = column(self)
        layout.addWidget(self._plot)

    def _handle(self, bound: Bound) -> RangeHandle:
        handle = RangeHandle(self)
        handle.dragged.connect(partial(self._drag, bound))
        handle.stepped.connect(partial(self._step, bound))
        handle.settled.connect(self.settled)
        return handle

    def _names(self) -> dict[Bound, tuple[str, str]]:
        return {
            "low": (self.tr("Low end"), self.tr("Value that gets the first colour")),
            "high": (self.tr("High end"), self.tr("Value that gets the last colour")),
            "threshold": (self.tr("Threshold"), self.tr("Least value that is shown")),
            "negative_low": (self.tr("Negative low end"), self.tr("Negative value that gets the first colour")),
            "negative_high": (self.tr("Negative high end"), self.tr("Negative value that gets the last colour")),
            "negative_threshold": (self.tr("Negative threshold"), self.tr("Negative value nearest to 0 that is shown")),
        }

    def set_counts(self, edges: NDArray[np.float64], counts: NDArray[np.float64]) -> None:
        """Show a histogram: ``n + 1`` increasing edges, ``n`` counts."""
        self._edges = np.asarray(edges, np.float64)
        heights = np.log1p(np.asarray(counts, np.float64))
        self._heights = heights / max(1e-12, float(heights.max(initial=0.0)))
        self._redraw()

    def set_values(self, values: RangeValues) -> None:
        """Show a range; handles follow."""
        self._values = values
        self._redraw()

    def set_colours(self, positive: NDArray[np.uint8], negative: NDArray[np.uint8] | None = None) -> None:
        """Colour the bars by (256, 3) tables, first colour first."""
        self._positive, self._negative = positive, negative
        self._redraw()

    def set_mirrored(self, is_mirrored: bool) -> None:
        """Let both sides move together."""
        self._mirrored = is_mirrored

    def _redraw(self) -> None:
        if not any(handle.is_held for handle in self._handles.values()):
            self._span = self._wanted_span()
            self._box.setXRange(*self._span, padding=0)
        x = np.linspace(*self._span, _COLUMNS)
        strip = np.empty((1, _COLUMNS, 4), np.uint8)
        strip[0, :, :3] = self._colours(x)
        strip[..., 3] = 255
        self._strip.setImage(strip, autoLevels=False, levels=None)
        self._strip.setRect(QRectF(self._span[0], -_STRIP, self._span[1] - self._span[0], _STRIP * 0.7))
        middles = (self._edges[:-1] + self._edges[1:]) / 2
        brushes = [QColor(*map(int, colour)) for colour in self._colours(middles)]
        self._bars.setOpts(x0=self._edges[:-1], x1=self._edges[1:], height=self._heights, brushes=brushes)
        self._outline.setData(self._edges, self._heights, stepMode="center")
        self._place_handles()

    def _wanted_span(self) -> tuple[float, float]:
        value = self._values
        shown = [float(self._edges[0]), float(self._edges[-1]), value.low, value.high]
        shown += [value.threshold] if value.threshold is not None else []
        if value.two_sided:
            shown += [-value.negative_high, -value.negative_low, 0.0]
        low, high = min(shown), max(shown)
        margin = _MARGIN * (high - low or 1.0)
        return low - margin, high + margin

    def _colours(self, x: NDArray[np.float64]) -> NDArray[np.uint8]:
        return colours_at(x, self._values, self._positive, self._negative)

    def _parked(self) -> float:
        """Where a threshold stands that is not set."""
        return 0.0 if self._values.two_sided else float(self._edges[0])

    def _sign(self, bound: Bound) -> int:
        return -1 if bound.startswith("negative") else 1

    def _place_handles(self) -> None:
        box = self._box.sceneBoundingRect()
        height = round(box.height() / (1.02 + _STRIP))  # of the bars, without the colour bar
        for bound, handle in self._handles.items():
            value: float | None = getattr(self._values, bound)
            is_shown = self._values.two_sided or self._sign(bound) > 0
            at = self._parked() if value is None else self._sign(bound) * value
            part = _ROWS[bound.removeprefix("negative_")]
            top = round(box.top()) + part * height // len(_ROWS)
            side = -1 if bound == "low" and not self._values.two_sided else self._sign(bound)  # apart where they meet
            handle.place(self._to_pixel(at), top, height // len(_ROWS), side)
            handle.set_hollow(value is None)
            handle.setVisible(is_shown)
            name, tip = self._names()[bound]
            described(handle, f"{name}: {format_number(at) if value is not None else self.tr('not set')}", tip)
            self._lines[bound].setValue(at)
            self._lines[bound].setVisible(is_shown and value is not None)

    def _to_pixel(self, value: float) -> float:
        scene = self._box.mapViewToScene(QPointF(value, 0.0))
        return self._plot.mapTo(self, QPointF(scene)).x()

    def _drag(self, bound: Bound, pixel: float) -> None:
        scene = self._plot.mapFrom(self, QPointF(pixel, 0.0))
        value = min(max(self._box.mapSceneToView(scene).x(), self._span[0]), self._span[1])
        self._move(bound, self._sign(bound) * value)

    def _step(self, bound: Bound, steps: float) -> None:
        value: float | None = getattr(self._values, bound)
        start = self._sign(bound) * self._parked() if value is None else value
        self._move(bound, start + self._sign(bound) * steps * _STEP * (self._span[1] - self._span[0]))

    def _move(self, bound: Bound, to: float) -> None:
        span = self._span[1] - self._span[0]
        is_parked = bound.endswith("threshold") and self._sign(bound) * to <= self._parked() + 1e-9 * span
        if self._values.two_sided:
            is_parked = bound.endswith("threshold") and to <= 0
        values = moved(self._values, bound, None if is_parked else to, gap=_STEP * span / 10, mirrored=self._mirrored)
        if values != self._values:
            self.set_values(values)
            self.changed.emit(values)

    def _restyle(self) -> None:
        colours = look()
        self._plot.setBackground(None)
        self._axis.set_look(small(self.font()))
        self._axis.setPen(None)
        self._outline.setPen(pg.mkPen(colours.muted, width=1))
        for bound, line in self._lines.items():
            style = Qt.PenStyle.DashLine if bound.endswith("threshold") else Qt.PenStyle.SolidLine
            line.setPen(pg.mkPen(colours.text, width=1, style=style))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange) and hasattr(self, "_handles"):
            self._restyle()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_handles()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._place_handles()

    def sizeHint(self) -> QSize:
        return QSize(280, 132)
