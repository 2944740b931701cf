"""Another layer that decides where the selected one shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from .controls import Choice, Section, column, form, spread
from .layer_settings import LayerModulation
from .numbers import NumberEdit


class ModulationForm(QWidget):
    """Form for a `LayerModulation`, or None for none."""

    changed = Signal(object)
    settled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._modulation: LayerModulation | None = None
        self._layer = Choice(self.tr("Modulating layer"), self.tr("Layer that decides where this one shows"))
        self._how = Choice(self.tr("Kind of modulation"), self.tr("What the other layer does to this one"))
        self._how.set_items([("alpha", self.tr("Opacity rises")), ("clip", self.tr("Shown only"))])
        self._low = NumberEdit(self.tr("Modulation from"), self.tr("Lower value of the modulating layer"))
        self._high = NumberEdit(self.tr("Modulation to"), self.tr("Upper value of the modulating layer"))
        self._range = spread(self._low, self._high)
        self._section = Section(self.tr("Modulate by a layer"), is_open=False)
        self._rows = form()
        self._rows.addRow(self.tr("Layer"), self._layer)
        self._rows.addRow(self.tr("Effect"), self._how)
        self._rows.addRow(self.tr("From, to"), self._range)
        self._section.body.addLayout(self._rows)
        layout = column(self)
        layout.addWidget(self._section)
        self.set_layers(())
        self._layer.chosen.connect(self._take_layer)
        self._how.chosen.connect(partial(self._take, "how"))
        for name, edit in (("low", self._low), ("high", self._high)):
            edit.changed.connect(partial(self._take, name))
            edit.settled.connect(self.settled)
        self.set_modulation(None)

    def set_layers(self, layers: Iterable[tuple[int, str]]) -> None:
        """Offer layers as (key, title)."""
        self._layer.set_items([(None, self.tr("None")), *layers])

    def set_modulation(self, modulation: LayerModulation | None) -> None:
        """Show a modulation, or none."""
        is_new = (modulation is None) != (self._modulation is None)
        self._modulation = modulation
        self._layer.set_value(None if modulation is None else modulation.layer)
        for part in (self._how, self._range):
            self._rows.setRowVisible(part, modulation is not None)
        if modulation is None:
            return
        self._how.set_value(modulation.how)
        self._low.set_value(modulation.low)
        self._high.set_value(modulation.high)
        if is_new:
            self._section.set_open(True)

    def _take_layer(self, layer: int | None) -> None:
        if layer is None:
            self._show_and_tell(None)
        elif self._modulation is None:
            self._show_and_tell(LayerModulation(layer))
        else:
            self._show_and_tell(replace(self._modulation, layer=layer))
        self.settled.emit()

    def _take(self, field: str, value: Any) -> None:
        if self._modulation is not None:
            self._show_and_tell(replace(self._modulation, **{field: value}))
            if field == "how":
                self.settled.emit()

    def _show_and_tell(self, modulation: LayerModulation | None) -> None:
        self.set_modulation(modulation)
        self.changed.emit(modulation)
