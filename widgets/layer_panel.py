"""Settings of the selected layer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QWidget

from .colour_combo import ColourCombo
from .controls import Choice, IconButton, beside, check, column, form, muted, on_tick
from .layer_settings import ColourChoice, LayerSettings, side_tables
from .layer_time import LayerTime
from .modulation_form import ModulationForm
from .range_fields import RangeFields
from .range_histogram import RangeHistogram
from .range_values import RangeValues, with_negative
from .slider import Slider


class LayerPanel(QWidget):
    """Shows and changes `LayerSettings`, only those that apply to the layer's kind.

    ``changed`` carries the new settings and a name for the step while a control moves; ``settled`` follows when the
    change is over. ``play_toggled``, ``speed_changed`` (frames per second) and ``link_toggled`` (all series show
    the same frame) belong to playback, which the panel only asks for.
    """

    changed = Signal(object, str)
    settled = Signal()
    play_toggled = Signal(bool)
    speed_changed = Signal(float)
    link_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings: LayerSettings | None = None
        self._choices: dict[str, ColourChoice] = {}
        self._empty = muted()
        self._build_controls()
        self._all = QWidget()
        parts = column(self._all)
        for part in (self._histogram, self._fields):
            parts.addWidget(part)
        self._form = form()
        parts.addLayout(self._form)
        self._fill_form()
        for part in (self._time, self._modulation):
            parts.addWidget(part)
        layout = column(self, margin=8)
        layout.addWidget(self._empty)
        layout.addWidget(self._all)
        layout.addStretch(1)
        self._connect()
        self.set_settings(None)

    def _build_controls(self) -> None:
        self._histogram, self._fields = RangeHistogram(), RangeFields()
        self._colours = ColourCombo(self.tr("Colours"), self.tr("Colours of the values"))
        invert = self.tr("Last colour first")
        self._invert = IconButton("invert", invert, invert, "invert")
        tip = self.tr("Colours of negative values, by their size")
        self._negative = ColourCombo(self.tr("Colours of negative values"), tip)
        self._below = Choice(self.tr("Below the threshold"), self.tr("Hide values below the threshold, or fade them"))
        self._below.set_items([("hide", self.tr("Hidden")), ("fade", self.tr("Faded"))])
        self._outline = check(self.tr("Outline"), self.tr("Draw a line at the threshold, or round each region"))
        self._smooth = check(
            self.tr("Smooth"), self.tr("Interpolate between voxels instead of showing each as a block")
        )
        tip = self.tr("Opacity of the layer in percent")
        self._opacity = Slider(self.tr("Opacity"), tip, (0.0, 1.0, 0.01), lambda value: f"{100 * value:.0f} %")
        self._time, self._modulation = LayerTime(), ModulationForm()

    def _fill_form(self) -> None:
        marks = beside(self._outline, self._smooth)
        self._colour_row = colours = beside(self._colours, self._invert, stretch=0)
        self._form.addRow(self.tr("Colours"), colours)
        self._form.addRow(self.tr("Negative"), self._negative)
        self._form.addRow(self.tr("Below"), self._below)
        self._form.addRow(self.tr("Opacity"), self._opacity)
        self._form.addRow("", marks)

    def _connect(self) -> None:
        for part in (self._histogram, self._fields):
            part.changed.connect(self._take_range)
            part.settled.connect(self.settled)
        self._fields.linked.connect(self._histogram.set_mirrored)
        self._colours.chosen.connect(self._take_colours)
        self._negative.chosen.connect(self._take_negative)
        on_tick(self._invert, partial(self._once, "inverted", self.tr("Invert colours")))
        self._below.chosen.connect(partial(self._once, "below", self.tr("Below threshold")))
        on_tick(self._outline, partial(self._once, "outline", self.tr("Outline")))
        on_tick(self._smooth, partial(self._once, "smooth", self.tr("Smooth")))
        self._opacity.changed.connect(partial(self._take, "opacity", self.tr("Opacity")))
        self._opacity.settled.connect(self.settled)
        self._time.frame_changed.connect(partial(self._take, "frame", self.tr("Frame")))
        self._time.settled.connect(self.settled)
        self._time.play_toggled.connect(self.play_toggled)
        self._time.speed_changed.connect(self.speed_changed)
        self._time.link_toggled.connect(self.link_toggled)
        self._modulation.changed.connect(partial(self._take, "modulation", self.tr("Modulation")))
        self._modulation.settled.connect(self.settled)

    def set_choices(self, choices: Iterable[ColourChoice]) -> None:
        """Offer colour tables."""
        self._choices = {choice.name: choice for choice in choices}
        offered = [choice for choice in self._choices.values() if choice.kind != "categorical"]
        self._colours.set_choices(offered)
        sequential = [choice for choice in offered if choice.kind == "sequential"]
        self._negative.set_choices(sequential, none=self.tr("No own colours"))
        self._show_colours()

    def set_layers(self, layers: Iterable[tuple[int, str]]) -> None:
        """Offer other layers, as (key, title), to modulate by."""
        self._modulation.set_layers(layers)

    def set_counts(self, edges: NDArray[np.float64], counts: NDArray[np.float64]) -> None:
        """Show the histogram of the layer: ``n + 1`` edges, ``n`` counts."""
        self._histogram.set_counts(edges, counts)

    def set_playing(self, is_playing: bool) -> None:
        """Show whether frames are being played."""
        self._time.set_playing(is_playing)

    def set_linked(self, is_linked: bool) -> None:
        """Show whether all series share their frame."""
        self._time.set_linked(is_linked)

    def set_settings(self, settings: LayerSettings | None, reason: str = "") -> None:
        """Show a layer, or why there is nothing to set."""
        self._settings = settings
        self._empty.setText(reason or self.tr("Select a layer to change how it is drawn."))
        self._empty.setVisible(settings is None)
        self._all.setVisible(settings is not None)
        if settings is None:
            return
        is_scalar = settings.kind == "scalar"
        self._histogram.setVisible(is_scalar)
        self._fields.setVisible(is_scalar)
        self._show_rows(settings)
        self._fields.set_unit(settings.unit)
        self._show_range(settings.values)
        self._show_colours()
        self._below.set_value(settings.below)
        self._outline.setChecked(settings.outline)
        self._smooth.setChecked(settings.smooth)
        self._opacity.set_value(settings.opacity)
        self._time.setVisible(settings.n_frames > 1)
        self._time.set_frame(settings.frame, settings.n_frames, settings.frame_label)
        self._modulation.setVisible(is_scalar)
        self._modulation.set_modulation(settings.modulation)

    def _show_rows(self, settings: LayerSettings) -> None:
        is_scalar = settings.kind == "scalar"
        values = settings.values
        has_threshold = values.threshold is not None or (values.two_sided and values.negative_threshold is not None)
        rows: QFormLayout = self._form
        rows.setRowVisible(self._colour_row, is_scalar)
        rows.setRowVisible(self._negative, is_scalar and not self._is_diverging(settings.colours))
        rows.setRowVisible(self._below, is_scalar and has_threshold)
        self._outline.setVisible(settings.kind == "labels" or (is_scalar and has_threshold))
        self._smooth.setVisible(settings.kind != "labels")

    def _show_range(self, values: RangeValues) -> None:
        self._histogram.set_values(values)
        self._fields.set_values(values)

    def _show_colours(self) -> None:
        settings = self._settings
        if settings is None:
            return
        self._colours.set_value(settings.colours)
        self._negative.set_value(settings.negative)
        self._invert.setChecked(settings.inverted)
        positive = self._choices.get(settings.colours)
        if positive is not None:
            negative = self._choices.get(settings.negative or "")
            self._histogram.set_colours(*side_tables(positive, negative, inverted=settings.inverted))

    def _is_diverging(self, name: str) -> bool:
        choice = self._choices.get(name)
        return choice is not None and choice.kind == "diverging"

    def _change(self, what: str, **fields: Any) -> None:
        if self._settings is not None:
            self._settings = replace(self._settings, **fields)
            self.changed.emit(self._settings, what)

    def _take(self, field: str, what: str, value: object) -> None:
        self._change(what, **{field: value})

    def _once(self, field: str, what: str, value: object) -> None:
        self._take(field, what, value)
        self.settled.emit()

    def _take_range(self, values: RangeValues) -> None:
        self._show_range(values)
        self._change(self.tr("Range"), values=values)
        if self._settings is not None:
            self._show_rows(self._settings)

    def _take_colours(self, name: str) -> None:
        if self._settings is None:
            return
        negative = self._settings.negative
        if self._is_diverging(name):
            negative = name
        elif negative is not None:
            negative = self._choices[name].partner or (name if self._is_diverging(negative) else negative)
        self._set_colours(self.tr("Colours"), name, negative)

    def _take_negative(self, name: str | None) -> None:
        if self._settings is not None:
            self._set_colours(self.tr("Colours of negative values"), self._settings.colours, name)

    def _set_colours(self, what: str, name: str, negative: str | None) -> None:
        if self._settings is None:
            return
        values = with_negative(self._settings.values, two_sided=negative is not None)
        self._change(what, colours=name, negative=negative, values=values)
        self._show_range(values)
        self._show_colours()
        self._show_rows(self._settings)
        self.settled.emit()
