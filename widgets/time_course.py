"""Time courses at the crosshair, with motion and carpet beneath on one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import zip_longest
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from .controls import Choice, column, described, muted, row
from .curve import Curve, Floats, Quality, Scale, extent, nearest, scaled, steps
from .layer_row import small
from .numbers import format_number
from .quality_plots import CarpetPlot, MotionPlot, motion_summary
from .theme import look, plot_colours
from .time_plots import TimePlot

_ROOM = 0.06  # of the height, above and below the curves
_AXIS_AND_NOTE, _LEAST_LINES, _LEAST_MOTION = 3.5, 2.0, 1.4  # heights in lines of text


class TimeCourse(QFrame):
    """Curves over time with a line at the frame shown.

    Click or drag in any plot, or use Left and Right (with Shift by ten, Home, End), to choose a time:
    ``frame_chosen`` carries it in the unit of the axis while it moves, ``settled`` follows. The wheel zooms the
    time, a double click shows all of it.
    """

    frame_chosen = Signal(float)
    settled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("ring", True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        tip = self.tr("Values over time. Click, drag or use the arrow keys to choose a frame")
        described(self, self.tr("Time course"), tip)
        self.setToolTip("")
        self._curves: list[Curve] = []
        self._shown: list[Floats] = []
        self._items: list[pg.PlotCurveItem] = []
        self._axis = ""
        self._extent: tuple[float, float] | None = None
        self._frame: float | None = None
        self._hover: float | None = None
        self._stepped = False
        self._reasons = {"curves": "", "motion": "", "carpet": ""}
        self._main, self._fd, self._dvars, self._carpet = TimePlot(), MotionPlot(), MotionPlot(), CarpetPlot()
        self._plots: tuple[TimePlot, ...] = (self._main, self._fd, self._dvars, self._carpet)
        self._filled: set[TimePlot] = set()
        self._visible: tuple[TimePlot, ...] = ()
        self._build()
        self._restyle()
        self.set_curves(())
        self.set_quality(None)
        self.set_carpet(None)

    def _build(self) -> None:
        self._readout = described(QLabel(), self.tr("Values at this time"), "")
        self._readout.setTextFormat(Qt.TextFormat.RichText)
        self._readout.setWordWrap(True)
        self._scale = Choice(self.tr("Scale"), self.tr("How the values of each curve are shown"))
        self._scale.set_items(
            [
                ("measured", self.tr("As measured")),
                ("percent", self.tr("% from mean")),
                ("standard", self.tr("Standard scores")),
            ]
        )
        self._scale.set_value("measured")
        self._scale.setSizePolicy(self._scale.sizePolicy().Policy.Fixed, self._scale.sizePolicy().Policy.Fixed)
        self._scale.chosen.connect(self._draw)
        self._view = pg.GraphicsLayoutWidget()
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._grid: Any = self._view.ci.layout  # the stubs take it for QGraphicsWidget.layout()
        self._grid.setSpacing(2)
        self._grid.setContentsMargins(0, 0, 4, 0)
        scene: Any = self._view.scene()
        scene.sigMouseMoved.connect(self._hover_at)
        for plot in self._plots:
            plot.box.chosen.connect(self._point_at)
            plot.box.settled.connect(self.settled)
            plot.box.all_wanted.connect(self._show_all)
            if plot is not self._main:
                plot.box.setXLink(self._main.box)
        self._note = muted()
        layout = column(self, margin=4)
        layout.setSpacing(2)
        layout.addLayout(row(self._readout, self._scale, stretch=0))
        layout.addWidget(self._view, 1)
        layout.addWidget(self._note)

    def set_curves(self, curves: Sequence[Curve], axis: str = "", reason: str = "") -> None:
        """Show curves over an axis such as ``Time (s)``; without any, say why."""
        self._curves = list(curves)
        self._axis = axis or self._axis
        self._reasons["curves"] = "" if curves else reason or self.tr("No series is shown.")
        self._filled = self._filled | {self._main} if curves else self._filled - {self._main}
        self._draw()
        self._arrange()
        if curves:
            ends = [extent(curve) for curve in curves]
            found = (min(start for start, _ in ends), max(end for _, end in ends))
            if found != self._extent:
                self._extent = found
                self._show_all()

    def set_frame(self, x: float | None) -> None:
        """Put the line of the frame shown at a time."""
        self._frame = x
        for plot in self._plots:
            plot.set_frame(x)
        self._show_readout()

    def set_quality(self, quality: Quality | None, reason: str = "") -> None:
        """Show motion under the curves; without any, say why."""
        has_fd = quality is not None and quality.fd is not None
        has_dvars = quality is not None and quality.dvars is not None
        if quality is not None and quality.fd is not None:
            self._fd.set_series(quality, quality.fd, self.tr("FD (mm)"), quality.threshold_mm)
        if quality is not None and quality.dvars is not None:
            unit = f" ({quality.dvars_unit})" if quality.dvars_unit else ""
            self._dvars.set_series(quality, quality.dvars, f"DVARS{unit}", None)
        self._filled = self._filled - {self._fd, self._dvars}
        self._filled |= {plot for plot, has in ((self._fd, has_fd), (self._dvars, has_dvars)) if has}
        self._reasons["motion"] = reason if quality is None else motion_summary(quality) or reason
        self._arrange()

    def set_carpet(
        self, matrix: NDArray[np.float32] | None, x: Floats | None = None, label: str = "", reason: str = ""
    ) -> None:
        """Show (rows, time) standard scores as greys; ``x`` is the middle of each frame; without any, say why."""
        has_carpet = matrix is not None and x is not None and matrix.size > 0
        if matrix is not None and x is not None and has_carpet:
            self._carpet.set_carpet(matrix, x, label)
        self._filled = self._filled | {self._carpet} if has_carpet else self._filled - {self._carpet}
        self._reasons["carpet"] = "" if has_carpet else reason
        self._arrange()

    def _arrange(self) -> None:
        """Put the plots that have something to show one under the other."""
        filled = tuple(plot for plot in self._plots if plot in self._filled)
        wanted = self._that_fit(filled)
        if wanted != self._visible:
            for plot in self._visible:
                self._view.ci.removeItem(plot)
            for number, plot in enumerate(wanted):
                self._view.ci.addItem(plot, number, 0)
                self._grid.setRowStretchFactor(number, 1 if isinstance(plot, MotionPlot) else 3)
                plot.bottom.setStyle(showValues=plot is wanted[-1])
            self._visible = wanted
        for plot in wanted:
            plot.bottom.set_title(self._axis if plot is wanted[-1] else "")
        more = self.tr("Make this panel higher to see more of the run's quality.") if wanted != filled else ""
        self._note.setText("  ".join(filter(None, (*self._reasons.values(), more))))
        self._note.setVisible(bool(self._note.text()))
        self._note.setAlignment(Qt.AlignmentFlag.AlignLeft if wanted else Qt.AlignmentFlag.AlignCenter)
        self._view.setVisible(bool(wanted))
        self._scale.setVisible(bool(self._curves))

    def _that_fit(self, plots: tuple[Any, ...]) -> tuple[Any, ...]:
        """Plots from the top that have room enough to be read, at least one."""
        line = self.fontMetrics().height()
        room = self.height() - self._scale.sizeHint().height() - _AXIS_AND_NOTE * line
        least = [(_LEAST_MOTION if isinstance(plot, MotionPlot) else _LEAST_LINES) * line for plot in plots]
        fitting = sum(sum(least[: number + 1]) <= room for number in range(len(plots)))
        return plots[: max(1, fitting)]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _draw(self) -> None:
        scale: Scale = self._scale.value()  # pyright: ignore[reportAssignmentType] - one of the items above
        self._shown = [scaled(np.asarray(curve.y, np.float64), scale) for curve in self._curves]
        while len(self._items) < len(self._curves):
            self._items.append(pg.PlotCurveItem(connect="finite"))
            self._main.addItem(self._items[-1])
        colours = self._colours()
        for number, (item, curve) in enumerate(zip_longest(self._items, self._curves)):
            item.setVisible(curve is not None)
            if curve is not None:
                x, y = curve.x, self._shown[number]
                x, y = (x, y) if curve.widths is None else steps(x, y, curve.widths)
                item.setData(x, y, pen=pg.mkPen(colours[number], width=1), connect="finite")
        self._fit_height()
        units = {curve.unit for curve in self._curves}
        label = {"percent": self.tr("% from mean"), "standard": self.tr("SD from mean")}.get(scale)
        self._main.left.set_title(label or (units.pop() if len(units) == 1 else self.tr("Value")))
        self._show_readout()

    def _fit_height(self) -> None:
        values = np.concatenate([np.empty(0), *self._shown])
        values = values[np.isfinite(values)]
        if values.size:
            low, high = float(values.min()), float(values.max())
            room = _ROOM * (high - low or abs(high) or 1.0)
            self._main.box.setYRange(low - room, high + room, padding=0)

    def _colours(self) -> list[str]:
        theme = plot_colours()
        return [
            theme[number % len(theme)] if curve.colour is None else "#{:02x}{:02x}{:02x}".format(*curve.colour)
            for number, curve in enumerate(self._curves)
        ]

    def _show_all(self) -> None:
        if self._extent is not None:
            start, end = self._extent
            room = 0.5 * (end == start)
            self._main.box.setLimits(xMin=start - room, xMax=end + room)
            self._main.box.setXRange(start - room, end + room, padding=0)

    def _hover_at(self, at: QPointF) -> None:
        inside = any(plot.box.sceneBoundingRect().contains(at) for plot in self._visible)
        self._hover = self._main.box.mapSceneToView(at).x() if inside else None
        self._show_readout()

    def _show_readout(self) -> None:
        at = self._frame if self._hover is None else self._snapped(self._hover)
        parts: list[str] = []
        for curve, values, colour in zip(self._curves, self._shown, self._colours(), strict=True):
            number = None if at is None or not len(curve.x) else nearest(curve.x, at)
            value = "" if number is None else f" <b>{format_number(float(values[number]))}</b>"
            unit = escape(f" {curve.unit}") if value and self._scale.value() == "measured" else ""
            parts.append(f'<span style="color:{colour}">■</span>&nbsp;{escape(curve.name)}{value}{unit}')
        when = (
            "" if at is None else f'<span style="color:{look().muted}">{escape(self._axis)} {format_number(at)}</span>'
        )
        self._readout.setText(" &nbsp; ".join(filter(None, [*parts, when])) if parts else "")

    def _snapped(self, x: float) -> float:
        """The time of the frame that is nearest."""
        if not self._curves or not len(self._curves[0].x):
            return x
        times = self._curves[0].x
        return float(times[nearest(times, x)])

    def _point_at(self, x: float) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)  # the arrow keys go on from here
        self._choose(x)

    def _choose(self, x: float) -> None:
        if self._extent is not None:
            x = self._snapped(min(max(x, self._extent[0]), self._extent[1]))
            self.set_frame(x)
            self.frame_chosen.emit(x)

    def _step(self, steps_on: int) -> None:
        x = self._curves[0].x
        number = 0 if self._frame is None else nearest(x, self._frame)
        self._stepped = True
        self._choose(float(x[min(max(0, number + steps_on), len(x) - 1)]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key
        jump = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        most = len(self._curves[0].x) if self._curves else 0
        steps_on = {key.Key_Left: -jump, key.Key_Right: jump, key.Key_Home: -most, key.Key_End: most}
        if most and key(event.key()) in steps_on:
            self._step(steps_on[key(event.key())])
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        super().keyReleaseEvent(event)
        if self._stepped and not event.isAutoRepeat():
            self._stepped = False
            self.settled.emit()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover = None
        self._show_readout()

    def _restyle(self) -> None:
        self._view.setBackground(None)
        for plot in self._plots:
            plot.set_look(small(self.font()))
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_readout"):
            self._restyle()

    def sizeHint(self) -> QSize:
        return QSize(480, 220)
