"""Scores over the visits of a study: people as thin lines, arms as means with their confidence intervals."""

from __future__ import annotations

from collections.abc import Iterable
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
from .numbers import format_number
from .theme import look, plot_colours
from .time_plots import NumberAxis

Floats = NDArray[np.float64]
NEAR_PX = 10
STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)
SYMBOLS = ("o", "s", "t1", "d")
_ROOM = 0.05
_APART = 0.012  # of the width between arms at one visit, so that their bars do not hide each other
_THIN_ALPHA = 90


@dataclass(frozen=True, eq=False)
class ArmLine:
    """One arm: mean and its 95 % interval per visit, NaN where there is none; ``n`` people each."""

    name: str
    mean: Floats
    low: Floats
    high: Floats
    n: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class ScoreData:
    """What is drawn.

    Attributes
    ----------
    title, y_title : str
    at : (v,) float64
        Where visits stand.
    visits : tuple of str
    arms : tuple of ArmLine
    people : (n,) tuple of str
        Keys, which signals carry.
    names : (n,) tuple of str
        As they are shown.
    arm_of : (n,) tuple of int
    scores : (n, v) float64
    """

    title: str
    y_title: str
    at: Floats
    visits: tuple[str, ...]
    arms: tuple[ArmLine, ...]
    people: tuple[str, ...]
    names: tuple[str, ...]
    arm_of: tuple[int, ...]
    scores: Floats


class _Box(pg.ViewBox):
    """A plot area that stays as it is."""

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=False, y=False)
        self.disableAutoRange()

    def mouseClickEvent(self, ev: Any) -> None:
        ev.ignore()


class ScorePlot(QFrame):
    """Trajectories. A click on a person's line selects them; Left and Right go from one to the next.

    Signals
    -------
    selected : (tuple of str)
        People; none for a click beside all lines.
    """

    selected = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("ring", True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._tip = self.tr("Scores by arm over the visits; arrow keys go from person to person")
        described(self, self.tr("Score trajectories"), self._tip)
        self.setToolTip("")
        self._data: ScoreData | None = None
        self._chosen: tuple[str, ...] = ()
        self._named: int | None = None
        self._title, self._below, self._empty = ElidedLabel(), ElidedLabel(), muted()
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
        self._legend = self._plot.addLegend(offset=(8, -4))  # scores fall: below the first ones there is room
        self._view.setCentralItem(self._plot)
        layout = column(self, margin=4)
        layout.setSpacing(2)
        layout.addWidget(self._title)
        layout.addWidget(self._view, 1)
        layout.addWidget(self._empty, 1)
        layout.addWidget(self._below)
        self._set_look()
        self.set_data(None)

    def set_data(self, data: ScoreData | None, reason: str = "") -> None:
        """Show scores, or say why there are none."""
        self._data, self._named = data, None
        for part in (self._view, self._title, self._below):
            part.setVisible(data is not None)
        self._empty.setVisible(data is None)
        self._empty.setText(reason)
        self._title.set_whole("" if data is None else data.title)
        self._draw()
        self._tell()

    def set_selected(self, people: Iterable[str]) -> None:
        """Highlight people without telling."""
        chosen = tuple(people)
        if chosen != self._chosen:
            self._chosen = chosen
            self._draw()
            self._tell()

    def data(self) -> ScoreData | None:
        """What is shown."""
        return self._data

    def said(self) -> str:
        """The line below the plot."""
        return self._below.whole()

    def px_of(self, person: int, visit: int) -> QPointF:
        """Where a score is, in this widget's pixels."""
        data = self._data
        if data is None:
            return QPointF()
        place = QPointF(float(data.at[visit]), float(data.scores[person, visit]))
        return QPointF(self._view.mapTo(self, self._view.mapFromScene(self._box.mapViewToScene(place))))

    # -- drawing

    def _draw(self) -> None:
        self._plot.clear()
        self._legend.clear()
        data = self._data
        if data is None:
            return
        self._draw_people(data)
        for number, arm in enumerate(data.arms):
            self._draw_arm(data, number, arm)
        low, high = float(data.at.min()), float(data.at.max())
        room = _ROOM * (high - low) or 0.5
        self._box.setXRange(low - room, high + room, padding=0)
        values = np.concatenate([data.scores.ravel(), *(np.r_[arm.low, arm.high] for arm in data.arms)])
        values = values[np.isfinite(values)]
        bottom, top = (min(0.0, float(values.min())), float(values.max())) if values.size else (0.0, 1.0)
        self._box.setYRange(bottom, top + _ROOM * ((top - bottom) or 1.0), padding=0)
        self._bottom.setTicks([list(zip(data.at.tolist(), data.visits, strict=True))])
        self._bottom.showLabel(show=False)
        self._left.set_title(data.y_title)

    def _draw_people(self, data: ScoreData) -> None:
        """Thin lines, those of an arm as one item; who is selected is drawn over all."""
        colours = plot_colours()
        for number in range(len(data.arms)):
            own = [n for n in range(len(data.people)) if data.arm_of[n] == number]
            colour = QColor(colours[number % len(colours)])
            colour.setAlpha(_THIN_ALPHA)
            self._add_lines(data, own, pg.mkPen(colour, width=1, style=STYLES[number % len(STYLES)]), 0)
        chosen = [n for n, who in enumerate(data.people) if who in self._chosen or n == self._named]
        self._add_lines(data, chosen, pg.mkPen(look().text, width=2), 20)

    def _add_lines(self, data: ScoreData, own: list[int], pen: Any, height: int) -> None:
        if not own:
            return
        xs, ys = [], []
        for n in own:
            there = np.isfinite(data.scores[n])
            xs += [data.at[there], [np.nan]]
            ys += [data.scores[n][there], [np.nan]]
        line = pg.PlotCurveItem(np.concatenate(xs), np.concatenate(ys), pen=pen, connect="finite", antialias=True)
        line.setZValue(height)
        self._plot.addItem(line)

    def _draw_arm(self, data: ScoreData, number: int, arm: ArmLine) -> None:
        colours = plot_colours()
        colour, width = QColor(colours[number % len(colours)]), float(np.ptp(data.at)) or 1.0
        x = data.at + _APART * width * (number - (len(data.arms) - 1) / 2)
        there = np.isfinite(arm.mean)
        half = np.nan_to_num(arm.high - arm.mean)
        bars = pg.ErrorBarItem(
            x=x[there], y=arm.mean[there], height=2 * half[there], beam=0.015 * width, pen=pg.mkPen(colour, width=2)
        )
        line = pg.PlotDataItem(
            x[there],
            arm.mean[there],
            pen=pg.mkPen(colour, width=3, style=STYLES[number % len(STYLES)]),
            symbol=SYMBOLS[number % len(SYMBOLS)],
            symbolSize=9,
            symbolBrush=colour,
            symbolPen=pg.mkPen(look().base, width=1),
            antialias=True,
        )
        for part, height in ((bars, 9), (line, 10)):
            part.setZValue(height)
            self._plot.addItem(part)
        counts = list(dict.fromkeys(arm.n))
        n = str(counts[0]) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
        self._legend.addItem(line, f"{arm.name} (n = {n})")

    # -- people

    def _tell(self) -> None:
        data = self._data
        if data is None:
            self.setAccessibleDescription(self._empty.text() or self._tip)
            return
        self._below.set_whole(self._words(data))
        self.setAccessibleDescription(self._below.whole() or self._tip)

    def _words(self, data: ScoreData) -> str:
        if self._named is not None:
            scores = zip(data.visits, data.scores[self._named], strict=True)
            told = ", ".join(f"{visit} {format_number(float(score))}" for visit, score in scores)
            arm = data.arms[data.arm_of[self._named]].name
            return f"{data.names[self._named]}, {arm}: {told}"
        parts = []
        for arm in data.arms:
            counts = zip(data.visits, arm.n, strict=True)
            parts.append(f"{arm.name}: n " + ", ".join(f"{n} ({visit})" for visit, n in counts))
        return self.tr("Means with 95 % CI (t). ") + "; ".join(parts)

    def name(self, person: int | None) -> None:
        """Name a person."""
        if person != self._named:
            self._named = person
            self._draw()
            self._tell()

    def _nearest(self, at: QPointF) -> int | None:
        """The person whose line is under the mouse."""
        data = self._data
        if data is None or not data.people:
            return None
        distances = [_distance(self._line_px(data, n), at) for n in range(len(data.people))]
        nearest = int(np.argmin(distances))
        return nearest if distances[nearest] <= NEAR_PX else None

    def _line_px(self, data: ScoreData, person: int) -> Floats:
        places = [self.px_of(person, v) for v in np.flatnonzero(np.isfinite(data.scores[person])).tolist()]
        return np.array([[place.x(), place.y()] for place in places]).reshape(-1, 2)

    def eventFilter(self, watched: Any, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent) and event.type() in (QEvent.Type.MouseMove, QEvent.Type.MouseButtonPress):
            at = QPointF(self._view.viewport().mapTo(self, event.position().toPoint()))
            self.name(self._nearest(at))
            if event.type() == QEvent.Type.MouseButtonPress:
                self._choose(self._named)
        elif event.type() == QEvent.Type.Leave:
            self.name(None)
        return super().eventFilter(watched, event)

    def _choose(self, person: int | None) -> None:
        chosen = () if person is None or self._data is None else (self._data.people[person],)
        self.set_selected(chosen)
        self.selected.emit(chosen)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        data = self._data
        if data is None or not data.people:
            super().keyPressEvent(event)
        elif step is not None:
            last = len(data.people) - 1
            self.name(0 if self._named is None else min(max(self._named + step, 0), last))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._named is not None:
            self._choose(self._named)
        else:
            super().keyPressEvent(event)

    def _set_look(self) -> None:
        font = small(self.font())
        for axis in (self._bottom, self._left):
            axis.set_look(font)
        self._legend.setLabelTextColor(look().text)
        self._legend.setLabelTextSize(f"{font.pointSizeF():.1f}pt")
        ground = QColor(look().base)
        ground.setAlpha(200)
        self._legend.setBrush(pg.mkBrush(ground))
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange) and hasattr(self, "_below"):
            self._set_look()


def _distance(line: Floats, at: QPointF) -> float:
    """Pixels from a place to a line through points."""
    if not len(line):
        return np.inf
    place = np.array([at.x(), at.y()])
    if len(line) == 1:
        return float(np.hypot(*(line[0] - place)))
    a, along = line[:-1], np.diff(line, axis=0)
    length2 = np.maximum((along**2).sum(axis=1), 1e-9)
    share = np.clip(((place - a) * along).sum(axis=1) / length2, 0, 1)[:, None]
    return float(np.hypot(*(a + share * along - place).T).min())
