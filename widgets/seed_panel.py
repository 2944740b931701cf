"""The live seed: which run, from where, prepared how."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from .controls import Choice, Section, align, button, check, column, described, form, mark_wrong, muted, on_tick, row
from .file_field import FileField
from .numbers import NumberEdit, NumberSpec
from .pick_list import PickList
from .preparation_fields import PreparationFields
from .seed_settings import SeedSettings


class SeedPanel(QWidget):
    """Form for `SeedSettings`.

    ``changed`` carries the settings and a name for the step, ``settled`` follows. The ``*_requested`` signals ask
    for what the panel cannot do itself.
    """

    changed = Signal(object, str)
    settled = Signal()
    prepare_requested = Signal()
    cancel_requested = Signal()
    keep_requested = Signal()
    pvalues_requested = Signal()
    region_requested = Signal()
    mask_requested = Signal()
    confounds_requested = Signal()
    brain_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = SeedSettings()
        self._build_seed()
        self._build_preparation()
        self._build_confounds()
        align(self._seed_form, self._preparation_form, self._confound_form)
        self._build_actions()
        layout = column(self, margin=8)
        for part in (self._seed_section, self._preparation_section, self._confound_section, self._actions):
            layout.addWidget(part)
        layout.addStretch(1)
        self.set_runs(())
        self.set_confounds(())
        self.set_report("", ok=True)
        self.set_progress(None)
        self.set_settings(self._settings)

    def _build_seed(self) -> None:
        self._run = Choice(self.tr("Run"), self.tr("Series whose correlation is shown"))
        self._kind = Choice(self.tr("Seed"), self.tr("Where the seed's time course is taken from"))
        self._kind.set_items(
            [
                ("voxel", self.tr("Voxel")),
                ("sphere", self.tr("Sphere")),
                ("region", self.tr("Region")),
                ("mask", self.tr("Mask")),
            ]
        )
        self._radius = NumberEdit(
            self.tr("Radius"), self.tr("Radius of the sphere in mm"), NumberSpec("mm", 0, 50, step=1)
        )
        self._follow = check(self.tr("Follow the crosshair"), self.tr("The seed moves with the crosshair"))
        self._region = FileField(self.tr("Region"), self.tr("Choose the region of the seed"))
        self._mask = FileField(self.tr("Mask"), self.tr("Choose the mask of the seed"))
        self._measure = Choice(self.tr("Measure"), self.tr("Pearson correlation r, or Fisher z = atanh r"))
        self._measure.set_items([("r", self.tr("Pearson r")), ("z", self.tr("Fisher z"))])
        self._seed_section = Section(self.tr("Seed"))
        self._seed_form = form()
        for label, part in (
            (self.tr("Run"), self._run),
            (self.tr("Seed"), self._kind),
            (self.tr("Radius"), self._radius),
            (self.tr("Region"), self._region),
            (self.tr("Mask"), self._mask),
            ("", self._follow),
            (self.tr("Measure"), self._measure),
        ):
            self._seed_form.addRow(label, part)
        self._seed_section.body.addLayout(self._seed_form)
        self._choose(self._run, "run", self.tr("Run"))
        self._choose(self._kind, "kind", self.tr("Kind of seed"))
        self._choose(self._measure, "measure", self.tr("Measure"))
        self._number(self._radius, "radius_mm", self.tr("Radius of the seed"))
        on_tick(self._follow, partial(self._once, "follow", self.tr("Follow the crosshair")))
        self._region.requested.connect(self.region_requested)
        self._mask.requested.connect(self.mask_requested)

    def _build_preparation(self) -> None:
        self._preparation = PreparationFields(self)
        self._preparation_section = Section(self.tr("Preparation"))
        self._preparation_form = form()
        self._preparation.add_to(self._preparation_form)
        self._preparation_section.body.addLayout(self._preparation_form)
        self._preparation.changed.connect(self._take)
        self._preparation.settled.connect(self.settled)
        self._preparation.brain_requested.connect(self.brain_requested)

    def _build_confounds(self) -> None:
        self._file = FileField(self.tr("Confounds file"), self.tr("Choose a table of confounds (TSV)"))
        self._file.set_empty_text(self.tr("none"))
        self._columns = PickList(self.tr("Confounds"), self.tr("Columns that are removed from the series"))
        tip = self.tr("Volumes with more framewise displacement, in mm, are left out; empty for none")
        self._censor = NumberEdit(self.tr("Censor"), tip, NumberSpec("mm", 0, 10, step=0.1, none=self.tr("off")))
        self._confound_section = Section(self.tr("Confounds and motion"), is_open=False)
        self._confound_form = form()
        self._confound_form.addRow(self.tr("File"), self._file)
        self._confound_form.addRow(self.tr("Censor above"), self._censor)
        self._confound_section.body.addLayout(self._confound_form)
        self._confound_section.body.addWidget(self._columns)
        self._file.requested.connect(self.confounds_requested)
        self._file.cleared.connect(partial(self._once, "confounds", self.tr("Confounds"), ""))
        self._columns.changed.connect(partial(self._once, "columns", self.tr("Confounds")))
        self._number(self._censor, "censor_fd_mm", self.tr("Censor"))

    def _build_actions(self) -> None:
        self._report = muted()
        self._progress = described(QProgressBar(), self.tr("Preparation"), self.tr("How far the preparation is"))
        self._progress.setTextVisible(False)
        self._prepare = button(self.tr("Prepare"), self.tr("Prepare the run with these settings"))
        self._cancel = button(self.tr("Cancel"), self.tr("Stop the preparation"))
        self._keep = button(self.tr("Keep this map"), self.tr("Keep the map of this seed as a layer of its own"))
        tip = self.tr("Map of p-values with effective degrees of freedom")
        self._pvalues = button(self.tr("p-values"), tip)
        self._prepare.clicked.connect(self.prepare_requested)
        self._cancel.clicked.connect(self.cancel_requested)
        self._keep.clicked.connect(self.keep_requested)
        self._pvalues.clicked.connect(self.pvalues_requested)
        self._actions = QWidget()
        lines = column(self._actions)
        lines.addWidget(self._report)
        lines.addWidget(self._progress)
        lines.addLayout(row(self._prepare, self._cancel, self._keep, self._pvalues))

    def _choose(self, choice: Choice, field: str, what: str) -> None:
        choice.chosen.connect(partial(self._once, field, what))

    def _number(self, edit: NumberEdit, field: str, what: str) -> None:
        edit.changed.connect(partial(self._take, field, what))
        edit.settled.connect(self.settled)

    def set_runs(self, runs: Iterable[tuple[int, str]]) -> None:
        """Offer series as (key, title)."""
        offered = list(runs)
        self._run.set_items(offered)
        self._run.set_value(self._settings.run)
        self.setEnabled(bool(offered))

    def set_confounds(self, columns: Iterable[str], strategies: Iterable[tuple[str, tuple[str, ...]]] = ()) -> None:
        """Offer the columns of the confounds file, and strategies as (title, columns)."""
        offered = tuple(columns)
        self._columns.set_names(offered, strategies)
        self._columns.set_ticked(self._settings.columns)
        self._columns.setVisible(bool(offered))

    def set_settings(self, settings: SeedSettings) -> None:
        """Show settings."""
        self._settings = settings
        self._run.set_value(settings.run)
        self._kind.set_value(settings.kind)
        self._radius.set_value(settings.radius_mm)
        self._follow.setChecked(settings.follow)
        self._region.set_text(settings.region)
        self._mask.set_text(settings.mask)
        self._measure.set_value(settings.measure)
        self._preparation.set_settings(settings)
        self._file.set_text(settings.confounds)
        self._columns.set_ticked(settings.columns)
        self._censor.set_value(settings.censor_fd_mm)
        self._show_rows()

    def _show_rows(self) -> None:
        kind = self._settings.kind
        self._seed_form.setRowVisible(self._radius, kind == "sphere")
        self._seed_form.setRowVisible(self._follow, kind in ("voxel", "sphere"))
        self._seed_form.setRowVisible(self._region, kind == "region")
        self._seed_form.setRowVisible(self._mask, kind == "mask")

    def set_report(self, text: str, *, ok: bool) -> None:
        """Say what the settings cost in degrees of freedom, or why they cannot be used."""
        self._report.setText(text)
        mark_wrong(self._report, is_wrong=not ok)
        self._report.setVisible(bool(text))

    def set_progress(self, fraction: float | None) -> None:
        """Show how far the preparation is, None while none is running."""
        is_running = fraction is not None
        self._progress.setVisible(is_running)
        self._progress.setValue(round(100 * (fraction or 0)))
        self._prepare.setVisible(not is_running)
        self._cancel.setVisible(is_running)

    def set_possible(self, *, prepare: bool, keep: bool, pvalues: bool) -> None:
        """Say which buttons can do something now."""
        self._prepare.setEnabled(prepare)
        self._keep.setEnabled(keep)
        self._pvalues.setEnabled(pvalues)

    def _take(self, field: str, what: str, value: Any) -> None:
        if field in ("drop", "detrend"):
            value = round(value)
        self._settings = replace(self._settings, **{field: value})
        self._show_rows()
        self.changed.emit(self._settings, what)

    def _once(self, field: str, what: str, value: Any) -> None:
        self._take(field, what, value)
        self.settled.emit()
