"""The plot area of a voxel's scans: points or lines of people, the fitted line with its band, means."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor

from .layer_row import small
from .theme import look, plot_colours
from .time_plots import NumberAxis
from .voxel_data import VoxelBand, VoxelData, VoxelMean, VoxelPair
from .voxel_look import OUTSTANDING, STYLES, SYMBOLS, colour_of

Floats = NDArray[np.float64]
SIZE_PX = 8
OUTSTANDING_PX = 11
_ROOM = 0.08  # of the extent, round the points
_JITTER = 0.15  # of the distance of groups
_GOLDEN = 0.618034  # multiples of it are spread evenly
_BESIDE = 0.3  # of the distance of groups, from points to their mean
_BEYOND, _APART = 0.08, 0.07  # of the distance of sessions: from points to means, and between means of groups
_FAINT, _BAND = 110, 50  # opacity of people's lines and of the band


class _Box(pg.ViewBox):
    """A plot area that stays as it is."""

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=False, y=False)
        self.disableAutoRange()

    def mouseClickEvent(self, ev: Any) -> None:
        ev.ignore()


class VoxelDrawing(pg.GraphicsView):
    """Points, or a line for each person between two sessions, with rings round who is named or selected."""

    def __init__(self) -> None:
        super().__init__(background=None)  # pyright: ignore[reportArgumentType] - none is transparent
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._data: VoxelData | None = None
        self._has_room = True
        self._at: Floats = np.empty((0, 1))
        self._of: Floats = np.empty((0, 1))
        self._bottom, self._left = NumberAxis("bottom"), NumberAxis("left")
        self._box = _Box()
        self._plot = pg.PlotItem(
            viewBox=self._box, axisItems={"bottom": self._bottom, "left": self._left}, enableMenu=False
        )
        self._plot.hideButtons()
        self.setCentralItem(self._plot)
        self._rings = pg.ScatterPlotItem(size=SIZE_PX + 8, brush=None)
        self._ring = pg.ScatterPlotItem(size=SIZE_PX + 6, brush=None)
        self.set_look()

    # -- what is shown

    @property
    def pair(self) -> VoxelPair | None:
        """Both sessions, where they are shown."""
        return None if self._data is None else self._data.pair

    def set_data(self, data: VoxelData | None) -> None:
        """Show scans."""
        self._data = data
        if data is not None and data.pair is not None:
            self._of = data.pair.values
            self._at = np.tile([0.0, 1.0], (len(data.names), 1))
        elif data is not None:
            self._of = data.y[:, None]
            self._at = (data.x + (_spread(data.y) if data.groups else 0.0))[:, None]
        self._draw()

    def order(self) -> list[int]:
        """Scans from left to right; of pairs by their first value."""
        return np.argsort(self._at[:, 0] if self.pair is None else self._of[:, 0], kind="stable").tolist()

    def px_of(self, n: int, session: int = 0) -> QPointF:
        """Where a scan's point is, in pixels of this widget."""
        place = QPointF(float(self._at[n, session]), float(self._of[n, session]))
        return QPointF(self.mapFromScene(self._box.mapViewToScene(place)))

    def set_marked(self, named: int | None, chosen: tuple[int, ...]) -> None:
        """Ring who is named and who is selected."""
        for ring, which in ((self._ring, [] if named is None else [named]), (self._rings, list(chosen))):
            ring.setData(self._at[which].ravel(), self._of[which].ravel())

    def set_room(self, *, has_room: bool) -> None:
        """Name the horizontal axis where there is room."""
        if has_room != self._has_room:
            self._has_room = has_room
            self._show_bottom_title()

    def set_look(self) -> None:
        """Take the colours and the font of the theme."""
        font = small(self.font())
        for axis in (self._bottom, self._left):
            axis.set_look(font)
        self._ring.setPen(pg.mkPen(look().text, width=2))
        self._rings.setPen(pg.mkPen(look().accent, width=3))
        self._draw()

    # -- drawing

    def _draw(self) -> None:
        self._plot.clear()
        data = self._data
        if data is None:
            return
        if data.pair is None:
            self._draw_fit(data)
            means = data.means
        else:
            self._draw_people(data)
            means = data.pair.means
        self._draw_points(data)
        self._draw_means(data, means)
        for ring in (self._rings, self._ring):
            ring.setData([], [])
            ring.setZValue(30)
            self._plot.addItem(ring)
        self._show_range(data, means)
        self._left.set_title(data.y_title if data.pair is None else data.pair.y_title)
        self._show_bottom_title()

    def _show_range(self, data: VoxelData, means: tuple[VoxelMean, ...]) -> None:
        if data.pair is not None or data.groups:
            names = data.groups if data.pair is None else data.pair.sessions
            low, high = (
                (-0.35, 1.35) if data.pair is not None else (float(data.x.min()) - 0.5, float(data.x.max()) + 0.5)
            )
            self._bottom.setTicks([list(enumerate(names))])
        else:
            low, high = _extent(self._at)
            self._bottom.setTicks(None)
        self._box.setXRange(low, high, padding=0)
        drawn = [self._of.ravel(), *(part for mean in means for part in (mean.low, mean.high))]
        if data.band is not None and data.pair is None:
            drawn += [data.band.low, data.band.high]
        self._box.setYRange(*_extent(np.concatenate(drawn)), padding=0)

    def _show_bottom_title(self) -> None:
        data = self._data
        self._bottom.set_title("" if data is None or data.pair is not None or not self._has_room else data.x_title)
        self._bottom.showLabel(self._has_room and data is not None and data.pair is None)

    def _draw_fit(self, data: VoxelData) -> None:
        if data.band is not None:
            self._draw_band(data.band)
        low, high = (data.x.min() - 0.5, data.x.max() + 0.5) if data.groups else _extent(self._at)
        ends = np.array([low, high]) if data.band is None else data.band.at[[0, -1]]
        pen = pg.mkPen(QColor(look().muted), width=2)
        self._plot.addItem(pg.PlotCurveItem(ends, data.line[0] + data.line[1] * ends, pen=pen, antialias=True))

    def _draw_band(self, band: VoxelBand) -> None:
        colour = QColor(look().muted)
        edge = pg.mkPen(colour, width=1, style=Qt.PenStyle.DotLine)
        low, high = (pg.PlotCurveItem(band.at, part, pen=edge, antialias=True) for part in (band.low, band.high))
        colour.setAlpha(_BAND)
        for part in (low, high, pg.FillBetweenItem(low, high, brush=pg.mkBrush(colour))):
            self._plot.addItem(part)

    def _draw_points(self, data: VoxelData) -> None:
        outstanding = plot_colours()[OUTSTANDING]
        kinds = data.kind_of if data.kinds else [0] * len(data.names)
        spots = [
            {
                "pos": (x, y),
                "brush": pg.mkBrush(outstanding if out else colour_of(kind)),
                "size": OUTSTANDING_PX if out else SIZE_PX,
                "symbol": SYMBOLS[kind % len(SYMBOLS)],
            }
            for kind, out, xs, ys in zip(kinds, data.stands_out.tolist(), self._at, self._of, strict=True)
            for x, y in zip(xs.tolist(), ys.tolist(), strict=True)
            if np.isfinite(y)
        ]
        points = pg.ScatterPlotItem(pen=None)
        points.setData(spots)
        points.setZValue(10)
        self._plot.addItem(points)

    def _draw_people(self, data: VoxelData) -> None:
        """A thin line for each person, those of a group as one item."""
        kinds = np.asarray(data.kind_of) if data.kinds else np.zeros(len(data.names), np.int64)
        for kind in range(max(1, len(data.kinds))):
            own = np.flatnonzero(kinds == kind)
            xs = np.column_stack([self._at[own], np.full(len(own), np.nan)]).ravel()
            ys = np.column_stack([self._of[own], np.full(len(own), np.nan)]).ravel()
            colour = QColor(colour_of(kind))
            colour.setAlpha(_FAINT)
            pen = pg.mkPen(colour, width=1, style=STYLES[kind % len(SYMBOLS)])
            self._plot.addItem(pg.PlotCurveItem(xs, ys, pen=pen, connect="finite", antialias=True))

    def _draw_means(self, data: VoxelData, means: tuple[VoxelMean, ...]) -> None:
        for number, mean in enumerate(means):
            outward = _BEYOND + _APART * number  # beside the points, so that neither hides the other
            aside = _BESIDE if data.pair is None else np.where(mean.at > 0, outward, -outward)
            x = mean.at + aside
            colour = colour_of(mean.kind) if data.kinds else look().text
            pen = pg.mkPen(
                colour, width=3, style=STYLES[mean.kind % len(SYMBOLS)] if data.kinds else Qt.PenStyle.SolidLine
            )
            bars = pg.ErrorBarItem(
                x=x,
                y=mean.mean,
                top=mean.high - mean.mean,
                bottom=mean.mean - mean.low,
                beam=0.04,
                pen=pg.mkPen(colour, width=2),
            )
            line = pg.PlotDataItem(
                x,
                mean.mean,
                pen=pen if len(x) > 1 else None,
                symbol=SYMBOLS[mean.kind % len(SYMBOLS)] if data.kinds else "d",
                symbolSize=SIZE_PX + 2,
                symbolBrush=pg.mkBrush(colour),
                symbolPen=pg.mkPen(look().base, width=1),
                antialias=True,
            )
            for part in (bars, line):
                part.setZValue(20)
                self._plot.addItem(part)


def _extent(values: Floats) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    room = _ROOM * (high - low) or 0.5
    return low - room, high + room


def _spread(values: Floats) -> Floats:
    """Small steps aside, so that points of one group do not hide each other: the same for the same values."""
    order = np.empty(len(values), np.int64)
    order[np.argsort(values, kind="stable")] = np.arange(len(values))
    return np.asarray(_JITTER * (2 * ((order * _GOLDEN) % 1) - 1), np.float64)
