"""Which runs, regions and preparation a connectivity matrix is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QProgressBar, QWidget

from .band_choice import BandChoice
from .controls import SPACE, Choice, FoldingRow, Section, button, column, described, form, mark_wrong, muted, row
from .numbers import NumberEdit, NumberSpec
from .pick_list import PickList

WIDE_PX = 820  # from which the parts stand side by side


@dataclass(frozen=True)
class ConnectivitySettings:
    """What the form shows.

    Attributes
    ----------
    a, b : tuple of str
        Titles of the runs of each side; several are averaged.
    atlas : str
        Id.
    kind : str
        ``pearson`` or ``partial``.
    strategy : str
        Of confounds, empty for none.
    """

    a: tuple[str, ...] = ()
    b: tuple[str, ...] = ()
    atlas: str = ""
    kind: Literal["pearson", "partial"] = "pearson"
    drop: int = 0
    detrend: int = 2
    band_hz: tuple[float, float] | None = (0.01, 0.1)
    strategy: str = ""


class ConnectivityForm(QWidget):
    """Form for `ConnectivitySettings`; ``changed`` carries them, the ``*_requested`` signals ask for the rest."""

    changed = Signal(object)
    make_requested = Signal()
    cancel_requested = Signal()
    runs_requested = Signal()
    matrix_requested = Signal(str)

    def __init__(self, strategies: Iterable[str] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = ConnectivitySettings()
        self._percent: int | None = 0
        self._build_runs()
        self._build_preparation(tuple(strategies))
        self._build_actions()
        self._blocks = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._blocks.setSpacing(4 * SPACE)
        for part in (self._regions, self._a_side, self._b_side):
            self._blocks.addWidget(part, 1, Qt.AlignmentFlag.AlignTop)
        layout = column(self, margin=8)
        layout.addWidget(self._hint)
        layout.addWidget(self._actions)
        layout.addLayout(self._blocks)
        layout.addStretch(1)
        self.set_runs({})
        self.set_progress(None)
        self.set_report("", ok=True)
        self.set_settings(self._settings)

    def _build_runs(self) -> None:
        self._hint = muted(
            self.tr("Open one or more runs, choose them as A, and an atlas; or open a matrix. B is for comparing.")
        )
        self._a = PickList(self.tr("Runs of A"), self.tr("Runs whose matrix is shown; several are averaged"))
        self._b = PickList(self.tr("Runs of B"), self.tr("Runs to compare with: another session or group"))
        self._atlas = Choice(self.tr("Atlas of the matrix"), self.tr("Whose regions are the nodes"))
        self._kind = Choice(self.tr("Connections"), self.tr("What an entry of the matrix is"))
        self._kind.set_items(
            [("pearson", self.tr("Pearson correlation")), ("partial", self.tr("Partial correlation (Ledoit–Wolf)"))]
        )
        self._a_side, self._b_side = Section(self.tr("Runs of A")), Section(self.tr("Runs of B, to compare with"))
        self._a_side.body.addWidget(self._a)
        self._b_side.body.addWidget(self._b)
        for part, field in ((self._a, "a"), (self._b, "b")):
            part.changed.connect(partial(self._take, field))
        self._atlas.chosen.connect(partial(self._take, "atlas"))
        self._kind.chosen.connect(partial(self._take, "kind"))

    def _build_preparation(self, strategies: tuple[str, ...]) -> None:
        drop, detrend = NumberSpec("", 0, 1000, whole=True), NumberSpec("", 0, 12, whole=True)
        self._drop = NumberEdit(self.tr("Drop"), self.tr("Volumes left out at the start of each run"), drop)
        tip = self.tr("Highest order of slow drift that is removed; 0 removes only the mean")
        self._detrend = NumberEdit(self.tr("Detrend order"), tip, detrend)
        self._band = BandChoice()
        tip = self.tr("Columns to remove, from the confounds table that fMRIPrep put beside each run")
        self._strategy = Choice(self.tr("Confounds"), tip)
        self._strategy.set_items([("", self.tr("None")), *((name, name) for name in strategies)])
        self._regions = Section(self.tr("Regions and preparation"))
        rows = form()
        for label, part in (
            (self.tr("Atlas"), self._atlas),
            (self.tr("Connections"), self._kind),
            (self.tr("Drop volumes"), self._drop),
            (self.tr("Detrend order"), self._detrend),
            (self.tr("Band"), self._band),
            (self.tr("Confounds"), self._strategy),
        ):
            rows.addRow(label, part)
        self._regions.body.addLayout(rows)
        self._drop.changed.connect(lambda value: self._take("drop", round(value or 0)))
        self._detrend.changed.connect(lambda value: self._take("detrend", round(value or 0)))
        self._band.changed.connect(partial(self._take, "band_hz"))
        self._strategy.chosen.connect(partial(self._take, "strategy"))

    def _build_actions(self) -> None:
        self._report = muted()
        self._progress = described(QProgressBar(), self.tr("Matrices"), self.tr("How far the matrices are"))
        self._progress.setTextVisible(False)
        self._make = button(self.tr("Correlate regions"), self.tr("Make the matrices and the graph"))
        self._cancel = button(self.tr("Cancel"), self.tr("Stop making the matrices"))
        self._add = button(self.tr("Add runs…"), self.tr("Offer runs from files, without opening them as layers"))
        self._open_a = button(self.tr("Open matrix…"), self.tr("Show a matrix from a table (TSV or CSV)"))
        self._open_b = button(self.tr("Compare with matrix…"), self.tr("A second matrix from a table, as B"))
        self._make.clicked.connect(self.make_requested)
        self._cancel.clicked.connect(self.cancel_requested)
        self._add.clicked.connect(self.runs_requested)
        self._open_a.clicked.connect(lambda: self.matrix_requested.emit("a"))
        self._open_b.clicked.connect(lambda: self.matrix_requested.emit("b"))
        self._actions = QWidget()
        lines = column(self._actions)
        lines.addWidget(FoldingRow(self._make, self._add, self._open_a, self._open_b))
        lines.addLayout(row(self._progress, self._cancel, stretch=0))
        lines.addWidget(self._report)

    def set_runs(self, runs: Mapping[str, str]) -> None:
        """Offer runs by title, each with where it is."""
        for part in (self._a, self._b):
            part.set_names(runs, tips=runs)
        self._show_ticks()
        self._show_possible()

    def set_atlases(self, atlases: Iterable[tuple[str, str]]) -> None:
        """Offer atlases as (id, title)."""
        self._atlas.set_items(atlases)
        self._atlas.set_value(self._settings.atlas)

    def set_settings(self, settings: ConnectivitySettings) -> None:
        """Show settings."""
        self._settings = settings
        self._atlas.set_value(settings.atlas)
        self._kind.set_value(settings.kind)
        self._drop.set_value(settings.drop)
        self._detrend.set_value(settings.detrend)
        self._band.set_band(settings.band_hz)
        self._strategy.set_value(settings.strategy)
        self._show_ticks()
        self._show_possible()

    def set_can_compare(self, can: bool) -> None:
        """Whether a matrix is shown that another one may be compared with."""
        self._open_b.setEnabled(can)

    def set_report(self, text: str, *, ok: bool) -> None:
        """Say what came of it."""
        self._report.setText(text)
        mark_wrong(self._report, is_wrong=not ok)
        self._report.setVisible(bool(text))

    def set_progress(self, fraction: float | None) -> None:
        """Show how far the matrices are, None while none is made."""
        percent = None if fraction is None else round(100 * fraction)
        if percent == self._percent:
            return
        self._percent = percent
        self._progress.setVisible(percent is not None)
        self._progress.setValue(percent or 0)
        self._cancel.setVisible(percent is not None)

    def _show_ticks(self) -> None:
        self._a.set_ticked(self._settings.a)
        self._b.set_ticked(self._settings.b)

    def _show_possible(self) -> None:
        self._make.setEnabled(bool(self._settings.a and self._settings.atlas))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        direction = QBoxLayout.Direction
        self._blocks.setDirection(direction.LeftToRight if self.width() >= WIDE_PX else direction.TopToBottom)

    def _take(self, field: str, value: Any) -> None:
        self._settings = replace(self._settings, **{field: value})
        self._show_possible()
        self.changed.emit(self._settings)
