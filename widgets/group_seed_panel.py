"""The live seed of a group: which runs, which model, from where, prepared how."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QProgressBar, QWidget

from .controls import Choice, Section, align, button, check, column, described, form, mark_wrong, muted, on_tick, row
from .file_field import FileField
from .group_seed_settings import GroupSeedSettings, TableColumns
from .numbers import NumberEdit, NumberSpec
from .pick_list import PickList
from .preparation_fields import PreparationFields

WHOLE = ("drop", "detrend")


class GroupSeedPanel(QWidget):
    """Form for `GroupSeedSettings`.

    ``changed`` carries the settings and a name for the step, ``settled`` follows. The ``*_requested`` signals ask
    for what the panel cannot do itself.
    """

    changed = Signal(object, str)
    settled = Signal()
    table_requested = Signal()
    brain_requested = Signal()
    mask_requested = Signal()
    prepare_requested = Signal()
    cancel_requested = Signal()
    keep_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = GroupSeedSettings()
        sections = (self._build_runs(), self._build_model(), self._build_seed(), self._build_preparation())
        align(self._run_form, self._model_form, self._seed_form, self._preparation_form)
        self._build_actions()
        layout = column(self, margin=8)
        for section in sections:
            layout.addWidget(section)
        layout.addStretch(1)
        self.set_columns(TableColumns())
        self.set_confounds(())
        self.set_report("", ok=True)
        self.set_progress(None)
        self.set_possible(prepare=False, keep=False)
        self.set_settings(self._settings)

    def _build_runs(self) -> Section:
        self._table = FileField(self.tr("Study table"), self.tr("Choose a table (TSV, CSV) with a row for each run"))
        self._table.set_empty_text(self.tr("the runs that are open"))
        self._column = Choice(self.tr("Runs"), self.tr("Column that names the run of each row"))
        self._found = muted()
        section, self._run_form = Section(self.tr("Runs")), form()
        self._run_form.addRow(self.tr("Study table"), self._table)
        self._run_form.addRow(self.tr("Runs"), self._column)
        section.body.addLayout(self._run_form)
        section.body.addWidget(self._found)
        self._table.requested.connect(self.table_requested)
        self._table.cleared.connect(partial(self._once, "table", self.tr("Study table"), ""))
        self._choose(self._column, "column", self.tr("Runs"))
        return section

    def _build_model(self) -> Section:
        self._model = Choice(self.tr("Model"), self.tr("What is tested over the runs"))
        self._model.set_items(
            [
                ("mean", self.tr("Mean of all runs")),
                ("paired", self.tr("Difference of two sessions")),
                ("two-sample", self.tr("Difference of two groups")),
                ("regression", self.tr("Regression on a number")),
            ]
        )
        self._subject = Choice(self.tr("Subject"), self.tr("Column that says who was scanned"))
        self._within = Choice(self.tr("Session"), self.tr("Column that tells a subject's two scans apart"))
        self._predictor = Choice(self.tr("Predictor"), self.tr("Column of the groups, or of the number"))
        self._voxelwise = Choice(self.tr("Voxelwise"), self.tr("Column of images of a covariate, such as grey matter"))
        self._covariates = PickList(self.tr("Covariates"), self.tr("Columns that the model adjusts for"))
        section, self._model_form = Section(self.tr("Model")), form()
        for label, part, field in (
            (self.tr("Model"), self._model, "model"),
            (self.tr("Subject"), self._subject, "subject"),
            (self.tr("Session"), self._within, "within"),
            (self.tr("Predictor"), self._predictor, "predictor"),
            (self.tr("Voxelwise"), self._voxelwise, "voxelwise"),
        ):
            self._model_form.addRow(label, part)
            self._choose(part, field, label)
        section.body.addLayout(self._model_form)
        section.body.addWidget(self._covariates)
        self._covariates.changed.connect(partial(self._once, "covariates", self.tr("Covariates")))
        return section

    def _build_seed(self) -> Section:
        self._kind = Choice(self.tr("Seed"), self.tr("Where the seed's time course is taken from, in each run"))
        self._kind.set_items(
            [("voxel", self.tr("Voxel")), ("sphere", self.tr("Sphere")), ("layer", self.tr("Region or mask"))]
        )
        tip = self.tr("Radius of the sphere in mm")
        self._radius = NumberEdit(self.tr("Radius"), tip, NumberSpec("mm", 0, 50, step=1))
        self._mask = FileField(self.tr("Mask"), self.tr("Take the selected layer: a region, a mask or a drawing"))
        self._follow = check(self.tr("Follow the crosshair"), self.tr("The seed moves with the crosshair"))
        self._measure = Choice(self.tr("Show"), self.tr("Which map of the test is shown"))
        self._measure.set_items(
            [
                ("statistic", self.tr("t or F")),
                ("estimate", self.tr("Estimate, Fisher z")),
                ("mean r", self.tr("Mean correlation r")),
                ("p", self.tr("−log10 p, uncorrected")),
            ]
        )
        section, self._seed_form = Section(self.tr("Seed")), form()
        for label, part in (
            (self.tr("Seed"), self._kind),
            (self.tr("Radius"), self._radius),
            (self.tr("Mask"), self._mask),
            ("", self._follow),
            (self.tr("Show"), self._measure),
        ):
            self._seed_form.addRow(label, part)
        section.body.addLayout(self._seed_form)
        self._choose(self._kind, "kind", self.tr("Kind of seed"))
        self._choose(self._measure, "measure", self.tr("Show"))
        self._number(self._radius, "radius_mm", self.tr("Radius of the seed"))
        on_tick(self._follow, partial(self._once, "follow", self.tr("Follow the crosshair")))
        self._mask.requested.connect(self.mask_requested)
        return section

    def _build_preparation(self) -> Section:
        self._preparation = PreparationFields(self)
        self._confounds = Choice(self.tr("Confounds"), self.tr("Column of tables of confounds, one for each run"))
        tip = self.tr("Volumes with more framewise displacement, in mm, are left out; empty for none")
        self._censor = NumberEdit(self.tr("Censor"), tip, NumberSpec("mm", 0, 10, step=0.1, none=self.tr("off")))
        self._removed = PickList(self.tr("Confounds removed"), self.tr("Columns that are removed from the series"))
        section, self._preparation_form = Section(self.tr("Preparation")), form()
        self._preparation.add_to(self._preparation_form)
        self._preparation_form.addRow(self.tr("Confounds"), self._confounds)
        self._preparation_form.addRow(self.tr("Censor above"), self._censor)
        section.body.addLayout(self._preparation_form)
        section.body.addWidget(self._removed)
        self._preparation.changed.connect(self._take)
        self._preparation.settled.connect(self.settled)
        self._preparation.brain_requested.connect(self.brain_requested)
        self._number(self._censor, "censor_fd_mm", self.tr("Censor"))
        self._choose(self._confounds, "confounds", self.tr("Confounds"))
        self._removed.changed.connect(partial(self._once, "columns", self.tr("Confounds")))
        return section

    def _build_actions(self) -> None:
        self._report = muted()
        self._progress = described(QProgressBar(), self.tr("Preparation"), self.tr("How far the preparation is"))
        self._progress.setTextVisible(False)
        self._prepare = button(self.tr("Prepare"), self.tr("Prepare the runs and show the map of this model"))
        self._cancel = button(self.tr("Cancel"), self.tr("Stop the preparation"))
        self._keep = button(self.tr("Keep this map"), self.tr("Keep the map of this seed as a layer of its own"))
        self._prepare.clicked.connect(self.prepare_requested)
        self._cancel.clicked.connect(self.cancel_requested)
        self._keep.clicked.connect(self.keep_requested)
        self.buttons = QWidget(self)
        lines = column(self.buttons, margin=8)
        lines.addWidget(self._report)
        lines.addWidget(self._progress)
        lines.addLayout(row(self._prepare, self._cancel, self._keep))

    def _choose(self, choice: Choice, field: str, what: str) -> None:
        choice.chosen.connect(partial(self._once, field, what))

    def _number(self, edit: NumberEdit, field: str, what: str) -> None:
        edit.changed.connect(partial(self._take, field, what))
        edit.settled.connect(self.settled)

    def set_columns(self, columns: TableColumns) -> None:
        """Offer the columns of a table."""
        self._columns = columns
        none = ("", self.tr("none"))
        for choice, names in (
            (self._column, columns.files),
            (self._subject, columns.names),
            (self._within, columns.groups),
        ):
            choice.set_items((name, name) for name in names)
        for choice in (self._voxelwise, self._confounds):
            choice.set_items([none, *((name, name) for name in columns.files)])
        self._covariates.set_names(
            (*columns.numbers, *(name for name in columns.groups if name not in columns.numbers))
        )
        self.set_settings(self._settings)

    def set_confounds(self, names: Iterable[str], strategies: Iterable[tuple[str, tuple[str, ...]]] = ()) -> None:
        """Offer the columns of the first run's confounds, and strategies as (title, columns)."""
        offered = tuple(names)
        self._removed.set_names(offered, strategies)
        self._removed.set_ticked(self._settings.columns)
        self._removed.setVisible(bool(offered))

    def set_settings(self, settings: GroupSeedSettings) -> None:
        """Show settings."""
        self._settings = settings
        predictors = self._columns.numbers if settings.model == "regression" else self._columns.groups
        self._predictor.set_items((name, name) for name in predictors)
        for name in ("column", "model", "subject", "within", "predictor", "voxelwise", "kind", "measure", "confounds"):
            choice: Choice = getattr(self, f"_{name}")
            choice.set_value(getattr(settings, name))
        self._preparation.set_settings(settings)
        self._table.set_text(settings.table)
        self._mask.set_text(settings.mask)
        self._radius.set_value(settings.radius_mm)
        self._censor.set_value(settings.censor_fd_mm)
        self._follow.setChecked(settings.follow)
        self._covariates.set_ticked(settings.covariates)
        self._removed.set_ticked(settings.columns)
        self._show_rows()

    def _show_rows(self) -> None:
        settings, has_table = self._settings, bool(self._settings.table)
        self._run_form.setRowVisible(self._column, has_table)
        for part, shown in (
            (self._model, True),
            (self._subject, settings.model == "paired"),
            (self._within, settings.model == "paired"),
            (self._predictor, settings.model in ("two-sample", "regression")),
            (self._voxelwise, has_table),
        ):
            self._model_form.setRowVisible(part, shown)
        self._model.setEnabled(has_table)
        self._covariates.setVisible(has_table and settings.model in ("two-sample", "regression", "mean"))
        self._seed_form.setRowVisible(self._radius, settings.kind == "sphere")
        self._seed_form.setRowVisible(self._follow, settings.kind in ("voxel", "sphere"))
        self._seed_form.setRowVisible(self._mask, settings.kind == "layer")
        self._preparation_form.setRowVisible(self._confounds, has_table)
        self._preparation_form.setRowVisible(self._censor, bool(settings.confounds))

    def set_found(self, text: str) -> None:
        """Say how many runs there are."""
        self._found.setText(text)

    def set_report(self, text: str, *, ok: bool) -> None:
        """Say what the runs take in memory, or why they cannot be used."""
        self._report.setText(text)
        mark_wrong(self._report, is_wrong=not ok)
        self._report.setForegroundRole(QPalette.ColorRole.PlaceholderText if ok else QPalette.ColorRole.WindowText)
        self._report.setVisible(bool(text))

    def set_progress(self, fraction: float | None) -> None:
        """Show how far the preparation is, None while none is running."""
        is_running = fraction is not None
        self._progress.setVisible(is_running)
        self._progress.setValue(round(100 * (fraction or 0)))
        self._prepare.setVisible(not is_running)
        self._cancel.setVisible(is_running)

    def set_possible(self, *, prepare: bool, keep: bool) -> None:
        """Say which buttons can do something now."""
        self._prepare.setEnabled(prepare)
        self._keep.setEnabled(keep)

    def _take(self, field: str, what: str, value: Any) -> None:
        self._settings = replace(self._settings, **{field: round(value) if field in WHOLE else value})
        if field == "model":
            self.set_settings(replace(self._settings, predictor=""))
        self._show_rows()
        self.changed.emit(self._settings, what)

    def _once(self, field: str, what: str, value: Any) -> None:
        self._take(field, what, value)
        self.settled.emit()
