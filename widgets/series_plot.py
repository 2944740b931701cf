"""A plot of a few series of points with intervals: time courses, predictions, specification curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QWidget

from .controls import column, described, muted
from .elided_label import ElidedLabel
from .layer_row import small
from .theme import look, plot_colours
from .time_plots import NumberAxis

Floats = NDArray[np.float64]
SYMBOLS = ("o", "s", "t1", "d")
NEAR_PX = 12.0
_ROOM = 0.06


@dataclass(frozen=True, eq=False)
class Series:
    """Points of one kind.

    Attributes
    ----------
    name : str
    x, y : (n,) float64
    low, high : (n,) float64 or None
        Ends of an interval.
    labels : tuple of str
        What each point is, in words; empty for none.
    keys : tuple of str
        What `SeriesPlot.chosen` carries; empty where points are no people.
    joined : bool
        By a line.
    """

    name: str
    x: Floats
    y: Floats
    low: Floats | None = None
    high: Floats | None = None
    labels: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    joined: bool = False


@dataclass(frozen=True, eq=False)
class SeriesData:
    """A plot.

    Attributes
    ----------
    title, x_title, y_title, below : str
        ``below`` is a line of words under it.
    series : tuple of Series
    identity : bool
        With the line of equal x and y.
    zero : bool
        With a line at y = 0.
    ticks : tuple of (float, str)
        Of the horizontal axis; empty for numbers.
    """

    title: str
    x_title: str
    y_title: str
    series: tuple[Series, ...]
    below: str = ""
    identity: bool = False
    zero: bool = False
    ticks: tuple[tuple[float, str], ...] = ()


class SeriesPlot(QFrame):
    """Shows `SeriesData`. Arrow keys, or the mouse, name one point; a click or Enter tells ``chosen`` its key."""

    chosen = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("ring", True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._tip = self.tr("Arrow keys go from point to point")
        described(self, name, self._tip)
        self.setToolTip("")
        self._data: SeriesData | None = None
        self._named: tuple[int, int] | None = None
        self._title, self._below, self._empty = ElidedLabel(), ElidedLabel(), muted()
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._view = pg.GraphicsView(background=None)  # pyright: ignore[reportArgumentType] - none is transparent
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._view.setMouseTracking(True)
        self._view.viewport().installEventFilter(self)
        self._bottom, self._left = NumberAxis("bottom"), NumberAxis("left")
        self._box = pg.ViewBox(enableMenu=False)
        self._box.setMouseEnabled(x=False, y=False)
        self._plot = pg.PlotItem(
            viewBox=self._box, axisItems={"bottom": self._bottom, "left": self._left}, enableMenu=False
        )
        self._plot.hideButtons()
        self._legend = self._plot.addLegend(offset=(-8, 4))
        self._view.setCentralItem(self._plot)
        layout = column(self, margin=4)
        layout.setSpacing(2)
        for part, stretch in ((self._title, 0), (self._view, 1), (self._empty, 1), (self._below, 0)):
            layout.addWidget(part, stretch)
        self._set_look()
        self.set_data(None)

    def set_data(self, data: SeriesData | None, reason: str = "") -> None:
        """Show a plot, or say why there is none."""
        self._data, self._named = data, None
        for part in (self._view, self._title, self._below):
            part.setVisible(data is not None)
        self._empty.setVisible(data is None)
        self._empty.setText(reason)
        self._title.set_whole("" if data is None else data.title)
        self._draw()
        self._tell()

    def data(self) -> SeriesData | None:
        """What is shown."""
        return self._data

    def said(self) -> str:
        """The line below the plot."""
        return self._below.whole()

    def px_of(self, series: int, point: int) -> QPointF:
        """Where a point is, in this widget's pixels."""
        if self._data is None:
            return QPointF()
        each = self._data.series[series]
        place = QPointF(float(each.x[point]), float(each.y[point]))
        return QPointF(self._view.mapTo(self, self._view.mapFromScene(self._box.mapViewToScene(place))))

    # -- drawing

    def _draw(self) -> None:
        self._plot.clear()
        self._legend.clear()
        data = self._data
        if data is None:
            return
        self._set_ranges(data)
        faint = pg.mkPen(look().muted, width=1, style=Qt.PenStyle.DashLine)
        if data.zero:
            self._plot.addItem(pg.InfiniteLine(0.0, 0, pen=faint))
        if data.identity:
            self._plot.addItem(pg.InfiniteLine((0.0, 0.0), 45, pen=faint))
        for number, series in enumerate(data.series):
            self._draw_series(number, series)
        self._legend.setVisible(len(data.series) > 1)
        self._bottom.setTicks([list(data.ticks)] if data.ticks else None)
        self._bottom.set_title(data.x_title)
        self._left.set_title(data.y_title)

    def _draw_series(self, number: int, series: Series) -> None:
        colour = QColor(plot_colours()[number % len(plot_colours())])
        there = np.isfinite(series.y)
        if series.low is not None and series.high is not None:
            known = there & np.isfinite(series.low) & np.isfinite(series.high)
            bars = pg.ErrorBarItem(
                x=series.x[known],
                y=series.y[known],
                top=(series.high - series.y)[known],
                bottom=(series.y - series.low)[known],
                pen=pg.mkPen(colour, width=1.6),
            )
            self._plot.addItem(bars)
        line = pg.PlotDataItem(
            series.x[there],
            series.y[there],
            pen=pg.mkPen(colour, width=2) if series.joined else None,
            symbol=SYMBOLS[number % len(SYMBOLS)],
            symbolSize=8,
            symbolBrush=colour,
            symbolPen=pg.mkPen(look().base, width=1),
            antialias=True,
        )
        line.setZValue(10)
        self._plot.addItem(line)
        self._legend.addItem(line, series.name)

    def _set_ranges(self, data: SeriesData) -> None:
        x = np.concatenate([each.x for each in data.series])
        ends = [end for each in data.series for end in (each.y, each.low, each.high) if end is not None]
        y = np.concatenate([*ends, *([np.zeros(1)] if data.zero else [])])
        if data.identity:
            x = y = np.concatenate([x, y])
        for values, set_range in ((x, self._box.setXRange), (y, self._box.setYRange)):
            known = values[np.isfinite(values)]
            low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
            room = _ROOM * (high - low) or 0.5
            set_range(low - room, high + room, padding=0)

    # -- points

    def _tell(self) -> None:
        data = self._data
        text = "" if data is None else data.below
        if data is not None and self._named is not None:
            series = data.series[self._named[0]]
            label = series.labels[self._named[1]] if series.labels else ""
            text = ": ".join(filter(None, (series.name, label)))
        self._below.set_whole(text)
        self.setAccessibleDescription(text or self._empty.text() or self._tip)

    def name(self, point: tuple[int, int] | None) -> None:
        """Say what a point is."""
        if point != self._named:
            self._named = point
            self._tell()

    def _places(self) -> list[tuple[int, int]]:
        data = self._data
        if data is None:
            return []
        found = [(s, int(n)) for s, each in enumerate(data.series) for n in np.flatnonzero(np.isfinite(each.y))]
        return sorted(found, key=lambda at: (float(data.series[at[0]].x[at[1]]), at))

    def _nearest(self, at: QPointF) -> tuple[int, int] | None:
        places = self._places()
        if not places:
            return None
        away = [(self.px_of(*place) - at).manhattanLength() for place in places]
        nearest = int(np.argmin(away))
        return places[nearest] if away[nearest] <= NEAR_PX else None

    def _choose(self) -> None:
        if self._data is not None and self._named is not None:
            keys = self._data.series[self._named[0]].keys
            if keys:
                self.chosen.emit(keys[self._named[1]])

    def eventFilter(self, watched: Any, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent) and event.type() in (QEvent.Type.MouseMove, QEvent.Type.MouseButtonPress):
            self.name(self._nearest(QPointF(self._view.viewport().mapTo(self, event.position().toPoint()))))
            if event.type() == QEvent.Type.MouseButtonPress:
                self._choose()
        elif event.type() == QEvent.Type.Leave:
            self.name(None)
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        places = self._places()
        if step is not None and places:
            at = places.index(self._named) + step if self._named in places else 0
            self.name(places[min(max(at, 0), len(places) - 1)])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._named is not None:
            self._choose()
        else:
            super().keyPressEvent(event)

    def _set_look(self) -> None:
        font = small(self.font())
        for axis in (self._bottom, self._left):
            axis.set_look(font)
        self._legend.setLabelTextColor(look().text)
        self._legend.setLabelTextSize(f"{font.pointSizeF():.1f}pt")
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange) and hasattr(self, "_legend"):
            self._set_look()
