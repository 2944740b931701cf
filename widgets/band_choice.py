"""A pass band: none, one of the usual ones, or any."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from .controls import Choice, column, spread
from .numbers import NumberEdit, NumberSpec

Band = tuple[float, float]
PRESETS_HZ: tuple[Band, ...] = ((0.01, 0.1), (0.008, 0.09))
_OTHER = "other"


class BandChoice(QWidget):
    """Chooses a band in Hz, both edges passed; ``changed`` carries (low, high) or None."""

    changed = Signal(object)
    settled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._band: Band | None = None
        self._choice = Choice(self.tr("Band"), self.tr("Frequencies that are kept, in Hz"))
        presets = [(band, f"{band[0]:g}–{band[1]:g} Hz") for band in PRESETS_HZ]
        self._choice.set_items([(None, self.tr("All frequencies")), *presets, (_OTHER, self.tr("Other"))])
        spec = NumberSpec("Hz", 0, 10)
        self._low = NumberEdit(self.tr("Lowest frequency"), self.tr("Lowest frequency kept, in Hz"), spec)
        self._high = NumberEdit(self.tr("Highest frequency"), self.tr("Highest frequency kept, in Hz"), spec)
        self._edges = spread(self._low, self._high)
        layout = column(self)
        layout.addWidget(self._choice)
        layout.addWidget(self._edges)
        self._choice.chosen.connect(self._take)
        for edit in (self._low, self._high):
            edit.changed.connect(self._type)
            edit.settled.connect(self.settled)
        self.set_band(None)

    def set_band(self, band: Band | None) -> None:
        """Show a band; the numbers show when it is none of the usual."""
        is_other = band is not None and band not in PRESETS_HZ
        is_other = is_other or (band is not None and band == self._band and self._choice.value() == _OTHER)
        self._band = band
        self._choice.set_value(_OTHER if is_other else band)
        self._edges.setVisible(is_other)
        if band is not None:
            self._low.set_value(band[0])
            self._high.set_value(band[1])

    def _take(self, choice: object) -> None:
        if choice == _OTHER:
            band = self._band or PRESETS_HZ[0]
            self._low.set_value(band[0])
            self._high.set_value(band[1])
            self._edges.setVisible(True)
        else:
            band = next((preset for preset in PRESETS_HZ if preset == choice), None)
            self._edges.setVisible(False)
        if band != self._band:
            self._band = band
            self.changed.emit(band)
            self.settled.emit()

    def _type(self) -> None:
        low, high = self._low.value() or 0.0, self._high.value() or 0.0
        if low < high:
            self._band = (low, high)
            self.changed.emit(self._band)
