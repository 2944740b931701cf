"""How slices lie side by side: direction, rows, columns, distance, and where they begin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QWidget

from .controls import Choice, FoldingRow, beside, button, row
from .numbers import NumberEdit, NumberSpec

MOST = 12
_MARGIN = 8


@dataclass(frozen=True)
class LightboxSettings:
    """Settings of the lightbox.

    Attributes
    ----------
    axis : str
        ``axial``, ``coronal`` or ``sagittal``.
    rows, columns : int
    spacing_mm : float
        From one slice to the next.
    first_mm : float or None
        Position of the first slice; None: so that one goes through the crosshair.
    """

    axis: Literal["axial", "coronal", "sagittal"] = "axial"
    rows: int = 4
    columns: int = 6
    spacing_mm: float = 6.0
    first_mm: float | None = None


class LightboxBar(QWidget):
    """Form for `LightboxSettings`.

    ``changed`` carries the settings and a name for the step, ``settled`` follows when the change is over;
    ``fit_requested``: the slices shall span the whole head.
    """

    changed = Signal(object, str)
    settled = Signal()
    fit_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = LightboxSettings()
        self.setAccessibleName(self.tr("Lightbox"))
        self._axis = Choice(self.tr("Direction"), self.tr("Which slices lie side by side"))
        self._axis.set_items(
            [("axial", self.tr("Axial")), ("coronal", self.tr("Coronal")), ("sagittal", self.tr("Sagittal"))]
        )
        count = NumberSpec("", 1, MOST, step=1, whole=True)
        self._rows = NumberEdit(self.tr("Rows"), self.tr("Rows of slices"), count)
        self._columns = NumberEdit(self.tr("Columns"), self.tr("Slices side by side in a row"), count)
        self._spacing = NumberEdit(
            self.tr("Spacing"), self.tr("From one slice to the next in mm"), NumberSpec("mm", 0.1, 100, step=0.5)
        )
        first = NumberSpec("mm", -1000, 1000, step=1, none=self.tr("by the crosshair"))
        tip = self.tr("Position of the first slice in mm; empty: one slice goes through the crosshair")
        self._first = NumberEdit(self.tr("First slice"), tip, first)
        self._fit = button(self.tr("Whole head"), self.tr("Spread the slices over the whole head"))
        self._fit.clicked.connect(self.fit_requested)
        self._axis.chosen.connect(self._take_axis)
        for name, text, field in (
            ("rows", self.tr("Rows"), self._rows),
            ("columns", self.tr("Columns"), self._columns),
            ("spacing_mm", self.tr("Spacing"), self._spacing),
            ("first_mm", self.tr("First slice"), self._first),
        ):
            field.changed.connect(partial(self._take, name, text))
            field.settled.connect(self.settled)
        layout = row(
            FoldingRow(
                beside(self._axis, self._rows, QLabel("×"), self._columns),
                beside(QLabel(self.tr("every")), self._spacing),
                beside(QLabel(self.tr("from")), self._first),
                self._fit,
            )
        )
        layout.setContentsMargins(_MARGIN, _MARGIN // 2, _MARGIN, _MARGIN // 2)
        self.setLayout(layout)
        for field in (self._rows, self._columns):
            field.setFixedWidth(field.fontMetrics().horizontalAdvance("0000") + 2 * _MARGIN)
        self._first.setMinimumWidth(self._first.fontMetrics().horizontalAdvance(first.none or "") + 3 * _MARGIN)
        self.set_settings(self._settings)

    def set_settings(self, settings: LightboxSettings) -> None:
        """Show settings."""
        self._settings = settings
        self._axis.set_value(settings.axis)
        self._rows.set_value(settings.rows)
        self._columns.set_value(settings.columns)
        self._spacing.set_value(settings.spacing_mm)
        self._first.set_value(settings.first_mm)

    def _take_axis(self, axis: Any) -> None:
        # positions along one axis say nothing about another
        self._settings = replace(self._settings, axis=axis, first_mm=None)
        self.changed.emit(self._settings, self.tr("Direction"))
        self.settled.emit()

    def _take(self, name: str, what: str, value: Any) -> None:
        number = round(value) if name in ("rows", "columns") else value
        self._settings = replace(self._settings, **{name: number})
        self.changed.emit(self._settings, what)
