"""What is done to runs before they are correlated: the fields that several panels share."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFormLayout, QWidget

from .band_choice import BandChoice
from .file_field import FileField
from .numbers import NumberEdit, NumberSpec


class PreparationSettings(Protocol):
    """Settings that name a preparation, whatever else they hold."""

    @property
    def drop(self) -> int: ...

    @property
    def fwhm_mm(self) -> float: ...

    @property
    def detrend(self) -> int: ...

    @property
    def band_hz(self) -> tuple[float, float] | None: ...

    @property
    def brain(self) -> str: ...


class PreparationFields(QObject):
    """Fields of a form: volumes dropped, smoothing, drift, band, brain mask.

    ``changed`` carries the name of a setting, what the change is called, and the value; ``settled`` follows when a
    value is done with.
    """

    changed = Signal(str, str, object)
    settled = Signal()
    brain_requested = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        whole = NumberSpec("", 0, 1000, whole=True)
        self._drop = NumberEdit(self.tr("Drop"), self.tr("Volumes left out at the start of a run"), whole)
        tip = self.tr("Full width at half maximum of the smoothing in mm; 0 for none")
        self._fwhm = NumberEdit(self.tr("Smoothing"), tip, NumberSpec("mm", 0, 30, step=1))
        tip = self.tr("Highest order of slow drift that is removed; 0 removes only the mean, 2 is quadratic")
        self._detrend = NumberEdit(self.tr("Detrend order"), tip, NumberSpec("", 0, 12, whole=True))
        self._band = BandChoice()
        self._brain = FileField(self.tr("Brain mask"), self.tr("Choose a mask file; without one it is automatic"))
        self._brain.set_empty_text(self.tr("automatic"))
        self._rows = (
            (self.tr("Drop volumes"), self._drop, "drop"),
            (self.tr("Smoothing"), self._fwhm, "fwhm_mm"),
            (self.tr("Detrend order"), self._detrend, "detrend"),
        )
        for what, edit, field in self._rows:
            edit.changed.connect(partial(self.changed.emit, field, what))
            edit.settled.connect(self.settled)
        self._band.changed.connect(partial(self.changed.emit, "band_hz", self.tr("Band")))
        self._band.settled.connect(self.settled)
        self._brain.requested.connect(self.brain_requested)
        self._brain.cleared.connect(self._clear_brain)

    def add_to(self, form: QFormLayout) -> None:
        """One row for each field."""
        for label, edit, _ in self._rows:
            form.addRow(label, edit)
        form.addRow(self.tr("Band"), self._band)
        form.addRow(self.tr("Brain mask"), self._brain)

    def set_settings(self, settings: PreparationSettings) -> None:
        """Show settings."""
        self._drop.set_value(settings.drop)
        self._fwhm.set_value(settings.fwhm_mm)
        self._detrend.set_value(settings.detrend)
        self._band.set_band(settings.band_hz)
        self._brain.set_text(settings.brain)

    def _clear_brain(self) -> None:
        self.changed.emit("brain", self.tr("Brain mask"), "")
        self.settled.emit()
