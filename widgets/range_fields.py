"""Display range and threshold as numbers, a line for each side."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from .controls import IconButton, muted, on_tick
from .elided_label import ElidedLabel
from .numbers import NumberEdit, NumberSpec
from .range_values import BOUNDS, Bound, RangeValues, mirrored, typed

UNIT_CHARACTERS = 12


class RangeFields(QWidget):
    """Number fields for `RangeValues`, with a button that links the two sides."""

    changed = Signal(object)
    settled = Signal()
    linked = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values = RangeValues()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(3)
        self._unit = ElidedLabel()
        self._unit.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._unit.setMaximumWidth(UNIT_CHARACTERS * self.fontMetrics().averageCharWidth())
        grid.addWidget(self._unit, 0, 0)
        for place, head in enumerate((self.tr("From"), self.tr("To"), self.tr("Threshold")), start=1):
            label = muted(head)
            label.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(label, 0, place)
            grid.setColumnStretch(place, 1)
        self._fields = {bound: self._field(bound) for bound in BOUNDS}
        for number, bound in enumerate(BOUNDS):
            grid.addWidget(self._fields[bound], 1 + number // 3, 1 + number % 3)
        self._positive, self._negative = QLabel(), QLabel("\N{MINUS SIGN}")
        grid.addWidget(self._positive, 1, 0)
        grid.addWidget(self._negative, 2, 0)
        tip = self.tr("Move both sides together")
        self._link = IconButton("link", tip, tip, "link")
        on_tick(self._link, self._take_link)
        grid.addWidget(self._link, 1, 4, 2, 1)
        self.set_values(self._values)

    def _field(self, bound: Bound) -> NumberEdit:
        names = {
            "low": (self.tr("From"), self.tr("Value that gets the first colour")),
            "high": (self.tr("To"), self.tr("Value that gets the last colour")),
            "threshold": (self.tr("Threshold"), self.tr("Least value that is shown; empty for none")),
            "negative_low": (self.tr("Negative from"), self.tr("Size of a negative value that gets the first colour")),
            "negative_high": (self.tr("Negative to"), self.tr("Size of a negative value that gets the last colour")),
            "negative_threshold": (
                self.tr("Negative threshold"),
                self.tr("Least size of a negative value that is shown; empty for none"),
            ),
        }
        none = self.tr("none") if bound.endswith("threshold") else None
        field = NumberEdit(*names[bound], NumberSpec(none=none))
        field.changed.connect(partial(self._take, bound))
        field.settled.connect(self.settled)
        return field

    def set_values(self, values: RangeValues) -> None:
        """Show a range."""
        self._values = values
        for bound, field in self._fields.items():
            field.set_value(getattr(values, bound))
            field.setVisible(values.two_sided or not bound.startswith("negative"))
        self._positive.setText("+" if values.two_sided else self.tr("Range"))
        self._negative.setVisible(values.two_sided)
        self._link.setVisible(values.two_sided)

    def set_unit(self, unit: str) -> None:
        """Say what the numbers are."""
        self._unit.set_whole(unit)

    def is_linked(self) -> bool:
        """Whether both sides move together."""
        return self._link.isChecked()

    def _take_link(self, is_linked: bool) -> None:
        """Both sides are alike from now on, as the positive one is."""
        self.linked.emit(is_linked)
        alike = mirrored(self._values)
        if is_linked and alike != self._values:
            self.set_values(alike)
            self.changed.emit(alike)
            self.settled.emit()

    def _take(self, bound: Bound, value: float | None) -> None:
        self.set_values(typed(self._values, bound, value, mirrored=self.is_linked()))
        self.changed.emit(self._values)
