"""Regions of an answer: effects with their intervals drawn on one axis, p, and what must be said beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from .theme import look, plot_colours
from .value_model import Cell, Column, ValueModel
from .value_table import ValueTable

REGION, SIDE, METRIC, DIRECTION, EFFECT, INTERVAL, LOW, HIGH, STATISTIC, P, P_FWE, NOTE = range(12)
LEAST_WIDTH, MARGIN, DOT = 150, 6, 3.5
PASSES = 0.05
FEW = 25  # of how many ends one may leave the axis on either side
MANY = 40  # rows, from which a filter is of use


class Region(NamedTuple):
    """A row: see `RegionForest`."""

    name: str
    side: str
    metric: str
    effect: float
    low: float
    high: float
    statistic: float
    p: float
    p_fwe: float | None
    note: str

    @property
    def passes(self) -> bool:
        """Whether it is below .05, corrected over regions where that was done."""
        return (self.p if self.p_fwe is None else self.p_fwe) <= PASSES

    def cells(self) -> tuple[Cell, ...]:
        """In the order of the columns."""
        direction = "+" if self.effect > 0 else "−" if self.effect < 0 else ""
        numbers = (self.effect, self.effect, self.low, self.high, self.statistic, self.p, self.p_fwe)
        return (self.name, self.side, self.metric, direction, *numbers, self.note)


def axis_of(regions: Sequence[Region]) -> tuple[float, float]:
    """Ends of an axis with 0 on it; the few widest intervals may leave it, so that the others can be told apart."""
    effects = [each.effect for each in regions if math.isfinite(each.effect)]
    ends = sorted(end for each in regions for end in (each.low, each.high) if math.isfinite(end))
    few = len(ends) // FEW
    inner = ends[few : len(ends) - few]
    low, high = min([0.0, *effects, *inner]), max([0.0, *effects, *inner])
    return (low, high) if low < high else (-1.0, 1.0)


class _Interval(QStyledItemDelegate):
    """Draws effect and interval; a filled dot passes."""

    def __init__(self, model: ValueModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self.regions: tuple[Region, ...] = ()
        self._axes: dict[str, tuple[float, float]] = {}

    def set_regions(self, regions: tuple[Region, ...]) -> None:
        """One axis for all rows of a metric."""
        self.regions = regions
        by_metric = {
            metric: [each for each in regions if each.metric == metric] for metric in {r.metric for r in regions}
        }
        self._axes = {metric: axis_of(rows) for metric, rows in by_metric.items()}

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        self.initStyleOption(option, index)
        option.text = ""  # pyright: ignore[reportAttributeAccessIssue] - missing in the stub
        style, rect = option.widget.style(), option.rect  # pyright: ignore[reportAttributeAccessIssue]
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)  # pyright: ignore[reportAttributeAccessIssue]
        number = self._model.order[index.row()]
        if number < len(self.regions):
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            self._draw(painter, QRectF(rect).adjusted(MARGIN, 0, -MARGIN, 0), self.regions[number])
            painter.restore()

    def _draw(self, painter: QPainter, area: QRectF, region: Region) -> None:
        low, high = self._axes[region.metric]

        def x_of(value: float) -> float:
            share = (value - low) / (high - low)
            return area.left() + min(max(share, 0.0), 1.0) * area.width()

        middle = area.center().y()
        painter.setPen(QPen(QColor(look().border), 1))
        painter.drawLine(QPointF(x_of(0.0), area.top()), QPointF(x_of(0.0), area.bottom()))
        if not math.isfinite(region.effect):
            return
        up, down = QColor(plot_colours()[5]), QColor(plot_colours()[4])
        colour = up if region.effect > 0 else down
        painter.setPen(QPen(colour, 1.6))
        if math.isfinite(region.low + region.high):
            painter.drawLine(QPointF(x_of(region.low), middle), QPointF(x_of(region.high), middle))
        painter.setBrush(colour if region.passes else QColor(look().base))
        painter.drawEllipse(QPointF(x_of(region.effect), middle), DOT, DOT)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(LEAST_WIDTH, super().sizeHint(option, index).height())


class RegionForest(ValueTable):
    """A table of regions that sorts, filters, copies and saves; `row_selected` carries a region's number."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(self_name(), columns(), has_filter=True, parent=parent)
        self._interval = _Interval(self._model, self._view)
        self._view.setItemDelegateForColumn(INTERVAL, self._interval)

    def set_regions(self, regions: Sequence[Region]) -> None:
        """Show regions; columns that say nothing in any row are hidden."""
        rows = tuple(regions)
        self._interval.set_regions(rows)
        for column, is_said in (
            (SIDE, any(each.side for each in rows)),
            (METRIC, any(each.metric for each in rows)),
            (P_FWE, any(each.p_fwe is not None for each in rows)),
        ):
            self._view.setColumnHidden(column, not is_said)
        self._filter.setVisible(len(rows) > MANY)
        self.set_rows([each.cells() for each in rows], [(each.name, each.side, each.metric) for each in rows])

    def width_of(self, column: int) -> int:
        """Pixels of a column."""
        return self._view.columnWidth(column)


def self_name() -> str:
    """For screen readers."""
    return "Regions of the answer"


def columns() -> tuple[Column, ...]:
    """What is said of each region."""
    return (
        Column("Region", "", "text", "Named regions, significant or not; of spectra the term of the model"),
        Column("Side", "", "text"),
        Column("Metric", "", "text"),
        Column("±", "", "text", "Which way the effect points"),
        Column("Effect", "", "number", "Of the region's mean, in the unit that the line above says"),
        Column(
            "Effect and 95 % CI", "", "number", "One axis for each metric; filled where p is below .05 over all regions"
        ),
        Column("CI low", "", "number", "95 % confidence interval"),
        Column("CI high", "", "number", "95 % confidence interval"),
        Column("Statistic", "", "number", "t, unless the note says otherwise"),
        Column("p", "", "number", "Of this region alone"),
        Column("p FWE", "", "number", "Over all regions listed, by permutation of the largest statistic"),
        Column("Note", "", "text", "What must be said beside it"),
    )
