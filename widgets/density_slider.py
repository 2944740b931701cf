"""The threshold of a graph: a density or a correlation, by slider or typed."""

from __future__ import annotations

from typing import Literal, NamedTuple

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from .controls import Choice, row
from .numbers import NumberEdit, NumberSpec
from .slider import Slider

By = Literal["density", "r"]
_STEPS: dict[By, tuple[float, float, float]] = {"density": (0.005, 0.6, 0.005), "r": (0.0, 0.99, 0.01)}


class Cut(NamedTuple):
    """Where a graph is cut: at a share of all pairs (0 to 1), or at a correlation."""

    by: By
    value: float


class DensitySlider(QWidget):
    """Chooses a `Cut`; ``changed`` carries it while the slider moves, ``settled`` follows when it rests.

    ``kind_chosen`` carries ``density`` or ``r``: whoever knows the graph answers with the cut that keeps it as it is.
    """

    changed = Signal(object)
    settled = Signal()
    kind_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cut = Cut("density", 0.15)
        tip = self.tr("Keep a share of all pairs, the strongest ones, or all pairs from a correlation on")
        self._kind = Choice(self.tr("Threshold by"), tip)
        self._kind.set_items([("density", self.tr("Density")), ("r", self.tr("Correlation r"))])
        self._slider = Slider(
            self.tr("Threshold"), self.tr("Which edges the graph has"), _STEPS["density"], lambda _: ""
        )
        self._slider.setMinimumWidth(90)
        self._percent = NumberEdit(
            self.tr("Density"), self.tr("Share of all pairs that are edges"), NumberSpec("%", 0.01, 100, step=0.5)
        )
        self._r = NumberEdit(
            self.tr("Correlation"), self.tr("Least correlation of an edge"), NumberSpec("", 0, 1, step=0.01)
        )
        for edit in (self._percent, self._r):
            edit.setFixedWidth(edit.fontMetrics().horizontalAdvance("00.00 %") + 24)
            edit.changed.connect(self._type)
            edit.settled.connect(self.settled)
        self.setLayout(row(self._kind, self._slider, self._percent, self._r, stretch=1))
        self.setFocusProxy(self._slider)
        self._kind.chosen.connect(lambda kind: self.kind_chosen.emit(str(kind)))
        self._slider.changed.connect(self._slide)
        self._slider.settled.connect(self.settled)
        self.set_cut(self._cut)

    def cut(self) -> Cut:
        """The cut that is shown."""
        return self._cut

    def set_cut(self, cut: Cut) -> None:
        """Show a cut; one beyond the slider's reach leaves it at its end."""
        is_other = cut.by != self._cut.by or self._kind.value() is None
        self._cut = cut
        self._kind.set_value(cut.by)
        if is_other:
            self._slider.set_steps(_STEPS[cut.by])
        self._slider.set_value(cut.value)
        self._percent.setVisible(cut.by == "density")
        self._r.setVisible(cut.by == "r")
        (self._percent if cut.by == "density" else self._r).set_value(self._shown())

    def _shown(self) -> float:
        """The number as it stands in the field; without the slider's rounding errors."""
        return round(self._cut.value * (100 if self._cut.by == "density" else 1), 6)

    def _slide(self, value: float) -> None:
        self._take(round(value, 6))

    def _type(self, value: float | None) -> None:
        if value is not None:
            self._take(value / 100 if self._cut.by == "density" else value)

    def _take(self, value: float) -> None:
        if value != self._cut.value:
            self.set_cut(self._cut._replace(value=value))
            self.changed.emit(self._cut)
