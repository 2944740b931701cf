"""Who drives this voxel: its data against what is tested, and what each scan does to the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QWidget

from .controls import column, described, muted
from .elided_label import ElidedLabel
from .layer_row import small
from .numbers import format_number
from .theme import look, plot_colours
from .time_plots import NumberAxis

Floats = NDArray[np.float64]
SIZE_PX = 8
NEAR_PX = 14  # within which a point is under the mouse
TALL_LINES = 16  # height from which the horizontal axis has a title
_ROOM = 0.08  # of the extent, round the points
_JITTER = 0.15  # of the distance of groups
_GOLDEN = 0.618034  # multiples of it are spread evenly


@dataclass(frozen=True, eq=False)
class VoxelData:
    """The scans of one voxel, vertex or region.

    Attributes
    ----------
    title : str
        Where it is, and its statistic.
    x, y : (n,) float64
        Tested regressor and data, both without what else the model explains.
    x_title, y_title : str
    names : tuple of str
    line : (float, float)
        Intercept and slope of the fit.
    groups : tuple of str
        Names of the two groups of x = 0 and x = 1; empty for a regressor of numbers.
    dfbetas, cook, t_without : (n,) float64
        Of each scan; NaN where there is none.
    stands_out : (n,) bool
        Scans that are worth a look.
    summary : str
        The most influential one, in words.
    """

    title: str
    x: Floats
    y: Floats
    x_title: str
    y_title: str
    names: tuple[str, ...]
    line: tuple[float, float]
    groups: tuple[str, ...]
    dfbetas: Floats
    cook: Floats
    t_without: Floats
    stands_out: NDArray[np.bool_]
    summary: str

    def text_of(self, n: int) -> str:
        """One scan in words."""
        text = f"{self.names[n]}: {format_number(float(self.y[n]))}"
        if np.isfinite(self.cook[n]):
            text += f", Cook's distance {format_number(float(self.cook[n]))}"
        if np.isfinite(self.dfbetas[n]):
            text += f", DFBETAS {format_number(float(self.dfbetas[n]))}"
            text += f", t {format_number(float(self.t_without[n]))} without"
        return text


class _Box(pg.ViewBox):
    """A plot area that stays as it is."""

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=False, y=False)
        self.disableAutoRange()

    def mouseClickEvent(self, ev: Any) -> None:
        ev.ignore()


class VoxelPlot(QFrame):
    """A point per scan; those that change the result much stand out. Hovering, or Left and Right, name one."""

    pointed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("ring", True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._tip = self.tr("Data of the voxel at the crosshair; arrow keys name the scans")
        described(self, self.tr("Who drives this voxel"), self._tip)
        self.setToolTip("")
        self._data: VoxelData | None = None
        self._at: Floats = np.empty(0)
        self._named: int | None = None
        self._title, self._below = ElidedLabel(), muted()
        self._empty = muted()
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._view = pg.GraphicsView(background=None)  # pyright: ignore[reportArgumentType] - none is transparent
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._view.setMouseTracking(True)
        self._view.viewport().installEventFilter(self)
        self._bottom, self._left = NumberAxis("bottom"), NumberAxis("left")
        self._box = _Box()
        self._plot = pg.PlotItem(
            viewBox=self._box, axisItems={"bottom": self._bottom, "left": self._left}, enableMenu=False
        )
        self._plot.hideButtons()
        self._view.setCentralItem(self._plot)
        self._points, self._ring = pg.ScatterPlotItem(size=SIZE_PX), pg.ScatterPlotItem(size=SIZE_PX + 6)
        self._line = pg.PlotCurveItem(antialias=True)
        for part in (self._line, self._points, self._ring):
            self._plot.addItem(part)
        layout = column(self, margin=4)
        layout.setSpacing(2)
        layout.addWidget(self._title)
        layout.addWidget(self._view, 1)
        layout.addWidget(self._empty, 1)
        layout.addWidget(self._below)
        self._set_look()
        self.set_data(None)

    def set_data(self, data: VoxelData | None, reason: str = "") -> None:
        """Show a voxel's scans, or say why there are none."""
        self._data, self._named = data, None
        has_data = data is not None
        self._view.setVisible(has_data)
        self._title.setVisible(has_data)
        self._empty.setVisible(not has_data)
        self._empty.setText(reason)
        self._title.set_whole("" if data is None else data.title)
        if data is not None:
            self._at = data.x + (_spread(data.y) if data.groups else 0.0)
            self._show(data)
        self._tell()

    def data(self) -> VoxelData | None:
        """What is shown."""
        return self._data

    def px_of(self, n: int) -> QPointF:
        """Where a scan's point is, in this widget's pixels."""
        data = self._data
        if data is None:
            return QPointF()
        scene = self._box.mapViewToScene(QPointF(float(self._at[n]), float(data.y[n])))
        return QPointF(self._view.mapTo(self, self._view.mapFromScene(scene)))

    def _show(self, data: VoxelData) -> None:
        colours = plot_colours()
        brushes = [pg.mkBrush(colours[5] if out else colours[0]) for out in data.stands_out]
        self._points.setData(self._at, data.y, brush=brushes, pen=None)
        low, high = (float(data.x.min()) - 0.5, float(data.x.max()) + 0.5) if data.groups else _extent(self._at)
        ends = np.array([low, high])
        self._line.setData(ends, data.line[0] + data.line[1] * ends)
        self._box.setXRange(low, high, padding=0)
        self._box.setYRange(*_extent(data.y), padding=0)
        self._show_title()
        self._left.set_title(data.y_title)
        self._bottom.setTicks([list(enumerate(data.groups))] if data.groups else None)

    def _show_title(self) -> None:
        """Name the horizontal axis where there is room; the line above names the test anyway."""
        has_room = self.height() >= TALL_LINES * self.fontMetrics().height()
        self._bottom.set_title(self._data.x_title if self._data is not None and has_room else "")
        self._bottom.showLabel(has_room)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_title()

    def _tell(self) -> None:
        """Name one scan, or the most influential one."""
        data, n = self._data, self._named
        if data is None:
            self._below.setText("")
            self._ring.setData([], [])
        elif n is None:
            self._below.setText(data.summary)
            self._ring.setData([], [])
        else:
            self._below.setText(data.text_of(n))
            self._ring.setData([self._at[n]], [data.y[n]], brush=None, pen=pg.mkPen(look().text, width=2))
        self.setAccessibleDescription(self._below.text() or self._empty.text() or self._tip)
        self.pointed.emit(self._below.text())

    def name(self, n: int | None) -> None:
        """Name a scan."""
        if n != self._named:
            self._named = n
            self._tell()

    def _nearest(self, at: QPointF) -> int | None:
        data = self._data
        if data is None or not len(data.y):
            return None
        distances = [(self.px_of(n) - at).manhattanLength() for n in range(len(data.y))]
        n = int(np.argmin(distances))
        return n if distances[n] <= NEAR_PX else None

    def eventFilter(self, watched: Any, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            at = self._view.viewport().mapTo(self, event.position().toPoint())
            self.name(self._nearest(QPointF(at)))
        elif event.type() == QEvent.Type.Leave:
            self.name(None)
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None or self._data is None:
            super().keyPressEvent(event)
            return
        order = np.argsort(self._at, kind="stable").tolist()
        place = -1 if self._named is None and step > 0 else 0 if self._named is None else order.index(self._named)
        self.name(order[min(max(place + step, 0), len(order) - 1)])

    def _set_look(self) -> None:
        font = small(self.font())
        for axis in (self._bottom, self._left):
            axis.set_look(font)
        self._line.setPen(pg.mkPen(QColor(look().muted), width=2))
        if self._data is not None:
            self._show(self._data)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange) and hasattr(self, "_line"):
            self._set_look()


def _extent(values: Floats) -> tuple[float, float]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = _ROOM * (high - low) or 0.5
    return low - room, high + room


def _spread(values: Floats) -> Floats:
    """Small steps aside, so that points of one group do not hide each other: the same for the same values."""
    order = np.empty(len(values), np.int64)
    order[np.argsort(values, kind="stable")] = np.arange(len(values))
    return np.asarray(_JITTER * (2 * ((order * _GOLDEN) % 1) - 1), np.float64)
