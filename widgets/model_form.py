"""The form of a linear model: a table, data, a formula, and what is seen of the design while it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QLineEdit, QProgressBar, QWidget

from .controls import Choice, Section, align, button, check, column, described, form, mark_wrong, muted, on_tick, row
from .elided_label import ElidedLabel
from .model_design import DesignMatrix, DesignPicture
from .model_fields import Checked, DropField, FormulaEdit, TextLines
from .model_inference import InferenceForm
from .model_settings import ModelSettings


class ModelForm(QWidget):
    """Form for `ModelSettings`; its ``buttons`` are placed apart, where they stay in sight while the form scrolls.

    Signals
    -------
    changed : (ModelSettings)
    fit_requested, cancel_requested
    file_requested : (str)
        ``table``, ``file``, ``mask`` or ``surface``.
    file_dropped : (str, str)
        The same, and a path.
    """

    changed = Signal(object)
    fit_requested = Signal()
    cancel_requested = Signal()
    file_requested = Signal(str)
    file_dropped = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = ModelSettings()
        self._checked: dict[str, Checked] = {}
        self._files: dict[str, DropField] = {}
        self._columns: dict[str, Choice] = {}
        self._lines: dict[str, QLineEdit] = {}
        self._build_data()
        self._build_model()
        self._build_design()
        self._build_more()
        self.inference = InferenceForm()
        self.inference.changed.connect(self._take_inference)
        align(self._data_form, self._more_form, *self.inference.forms())
        self._build_actions()
        layout = column(self, margin=8)
        for part in (self._hint, self._data, self._model, self._design_section, self._more, self._inference_section):
            layout.addWidget(part)
        layout.addStretch(1)
        self.set_columns((), ())
        self.set_designs(())
        self.set_progress(None)
        self.set_report("", ok=True)
        self.set_settings(self._settings)

    # -- building

    def _build_data(self) -> None:
        self._hint = muted()
        self.set_hint("")
        self._kind = Choice(self.tr("Data"), self.tr("What the model explains"))
        self._kind.set_items(
            [
                ("file", self.tr("One file")),
                ("column", self.tr("Files of a column")),
                ("table", self.tr("Left side of formula")),
            ]
        )
        self._kind.setMinimumContentsLength(10)
        self._kind.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._kind.chosen.connect(partial(self._take, "data"))
        self._data = Section(self.tr("Data"))
        self._data_form = form()
        table = self._file("table", self.tr("Study table"), self.tr("TSV or CSV with a header, one row per scan"))
        self._data_form.addRow(self.tr("Table"), table)
        self._data_form.addRow(self.tr("Data"), self._kind)
        tip = self.tr("4D image, surface data or table of regions, in the order of the table's rows")
        self._data_form.addRow(self.tr("File"), self._file("file", self.tr("Data file"), tip))
        column_of_files = self._column("column", self.tr("Column of files"), self.tr("That names an image per row"))
        self._data_form.addRow(self.tr("Column"), self._check("column", column_of_files))
        self._data.body.addLayout(self._data_form)

    def _build_model(self) -> None:
        self._model = Section(self.tr("Model"))
        tip = self.tr("Such as ~ group + age, or madrs ~ group * time; its left side names the outcome of a table")
        self._formula = FormulaEdit(self.tr("Formula"), tip)
        self._formula.setPlaceholderText("~ group + age")
        self._formula.edited.connect(partial(self._take, "formula"))
        self._formula.returnPressed.connect(self._fit)
        tip = self.tr("One test per line: a column, an expression such as a - b, or NAME = weights; empty for all")
        self._contrasts = TextLines(self.tr("Contrasts"), tip)
        self._contrasts.edited.connect(partial(self._take, "contrasts"))
        tip = self.tr("Every term but the intercept, type III, with sum-to-zero coding")
        self._terms = check(self.tr("Test terms by F instead"), tip)
        on_tick(self._terms, partial(self._take, "terms"))
        self._words = muted()
        self._tests = muted()
        body = self._model.body
        body.addWidget(QLabel(self.tr("Formula")))
        body.addWidget(self._check("formula", self._formula))
        body.addWidget(self._words)
        body.addWidget(QLabel(self.tr("Contrasts, one per line")))
        body.addWidget(self._check("contrasts", self._contrasts))
        body.addWidget(self._tests)
        body.addWidget(self._terms)

    def _build_design(self) -> None:
        self._design_section = Section(self.tr("Design"))
        self._part = Choice(self.tr("Part of the design"), self.tr("Means of subjects, or differences within them"))
        self._part.chosen.connect(self._show_part)
        self.design = DesignMatrix()
        self._value = ElidedLabel()
        self._value.setMinimumHeight(self._value.fontMetrics().height())
        self.design.pointed.connect(self._value.set_whole)
        self._power = muted()
        self._notes = muted()
        for part in (self._part, self.design, self._value, self._power, self._notes):
            self._design_section.body.addWidget(part)

    def _build_more(self) -> None:
        self._more = Section(self.tr("Repeats, covariates, mask"), is_open=False)
        self._more_form = form()
        tr = self.tr
        for field, label, tip in (
            ("subject", tr("Subject"), tr("Column that says whose scan a row is")),
            ("within", tr("Within"), tr("Column that says which of the repeated measures, such as the session")),
            ("exchange", tr("Exchange in"), tr("Column of blocks within which rows are exchanged")),
        ):
            self._more_form.addRow(label, self._check(field, self._column(field, label, tip)))
        self._whole = check(tr("Exchange whole blocks"), tr("Blocks change places, not the rows within them"))
        self._by_group = check(tr("Variance by group"), tr("Groups may differ in variance (Welch)"))
        on_tick(self._whole, partial(self._take, "exchange_whole"))
        on_tick(self._by_group, partial(self._take, "by_group"))
        self._more_form.addRow("", self._whole)
        self._more_form.addRow("", self._check("by_group", self._by_group))
        for field, label, tip, example in (
            (
                "voxelwise",
                tr("Voxelwise"),
                tr("Covariates with a value per voxel: a name and the column of their images"),
                "gm = gm_file",
            ),
            ("exclude", tr("Leave out"), tr("Subjects that are left out, separated by commas"), "sub-03, sub-11"),
            (
                "region",
                tr("Region"),
                tr("Only within a region of an atlas: a small volume"),
                tr("Hippocampus L"),
            ),
        ):
            self._more_form.addRow(label, self._check(field, self._line(field, label, tip, example)))
        self._atlas = Choice(tr("Atlas of the region"), tr("Whose region it is"))
        self._atlas.chosen.connect(partial(self._take, "atlas"))
        self._more_form.addRow(tr("of atlas"), self._atlas)
        mask = self._file("mask", tr("Mask"), tr("Only where this image is above 0"))
        self._files["mask"].set_empty_text(tr("none"))
        self._more_form.addRow(tr("Mask"), mask)
        surface = self._file("surface", tr("Surface"), tr("That data on vertices belong to"))
        self._files["surface"].set_empty_text(tr("beside the data, or fsaverage5"))
        self._more_form.addRow(tr("Surface"), surface)
        self._more.body.addLayout(self._more_form)

    def _build_actions(self) -> None:
        self._inference_section = Section(self.tr("Inference"))
        self._inference_section.body.addWidget(self._check("inference", self.inference))
        self._report = muted()
        self._progress = described(QProgressBar(), self.tr("Fit"), self.tr("How far the fit is"))
        self._progress.setTextVisible(False)
        self._fit_button = button(self.tr("Fit model"), self.tr("Fit the model and show its first test"))
        self._cancel = button(self.tr("Cancel"), self.tr("Stop the fit"))
        self._fit_button.clicked.connect(self.fit_requested)
        self._cancel.clicked.connect(self.cancel_requested)
        self.buttons = QWidget(self)
        lines = column(self.buttons, margin=8)
        lines.addWidget(self._report)
        lines.addWidget(self._progress)
        lines.addLayout(row(self._fit_button, self._cancel))

    def _check(self, field: str, part: QWidget) -> Checked:
        self._checked[field] = Checked(part)
        return self._checked[field]

    def _file(self, field: str, name: str, tip: str) -> Checked:
        part = self._files[field] = DropField(name, tip)
        part.requested.connect(partial(self.file_requested.emit, field))
        part.dropped.connect(partial(self.file_dropped.emit, field))
        part.cleared.connect(partial(self._take, field, ""))
        return self._check(field, part)

    def _column(self, field: str, name: str, tip: str) -> Choice:
        part = self._columns[field] = Choice(name, tip)
        part.chosen.connect(partial(self._take, field))
        return part

    def _line(self, field: str, name: str, tip: str, example: str) -> QLineEdit:
        part = self._lines[field] = described(QLineEdit(), name, tip)
        part.setPlaceholderText(example)
        part.textEdited.connect(partial(self._take, field))
        return part

    # -- showing

    def set_settings(self, settings: ModelSettings) -> None:
        """Show settings; what is being typed and says the same stays as it is."""
        self._settings = settings
        self._kind.set_value(settings.data)
        for field, part in self._files.items():
            path = str(getattr(settings, field))
            part.set_text(path.replace("\\", "/").rpartition("/")[2])
            part.setToolTip(path)
        for field, part in self._columns.items():
            part.set_value(getattr(settings, field))
        for field, part in self._lines.items():
            if part.text() != getattr(settings, field):
                part.setText(getattr(settings, field))
        self._atlas.set_value(settings.atlas)
        self._formula.set_text(settings.formula)
        self._contrasts.set_lines(settings.contrasts)
        self._terms.setChecked(settings.terms)
        self._whole.setChecked(settings.exchange_whole)
        self._by_group.setChecked(settings.by_group)
        self.inference.set_settings(settings)
        self._show_rows()

    def set_hint(self, text: str) -> None:
        """Say what to do while there is no table; with an empty text to choose one."""
        self._hint.setText(text or self.tr("Choose the table of a study, one row per scan; or drop it here."))

    def set_columns(self, names: Sequence[str], texts: Sequence[str]) -> None:
        """Columns of the table; those of text may name files."""
        self._formula.set_names(names)
        none = [("", self.tr("none"))]
        for field, part in self._columns.items():
            offered = [(name, name) for name in (texts if field == "column" else names)]
            part.set_items(offered if field == "column" else none + offered)
            part.set_value(getattr(self._settings, field))
        has_table = bool(names)
        self._hint.setVisible(not has_table)
        for part in (self._model, self._more, self._inference_section):
            part.setEnabled(has_table)

    def set_atlases(self, atlases: Iterable[tuple[str, str]]) -> None:
        """Offer atlases as (id, title)."""
        self._atlas.set_items(atlases)
        self._atlas.set_value(self._settings.atlas)

    def set_designs(self, designs: Sequence[DesignPicture]) -> None:
        """Show the design matrix, of each part."""
        self._designs = tuple(designs)
        titles = [(number, design.title) for number, design in enumerate(self._designs)]
        chosen = self._part.value()
        self._part.set_items(titles)
        self._part.set_value(chosen if isinstance(chosen, int) and chosen < len(titles) else 0)
        self._part.setVisible(len(titles) > 1)
        self._design_section.setVisible(bool(titles))
        self._show_part(self._part.value())

    def _show_part(self, number: object) -> None:
        known = self._designs[number : number + 1] if isinstance(number, int) else ()
        self.design.set_design(known[0] if known else None)

    def set_words(self, words: str, tests: str, power: str, notes: Iterable[str]) -> None:
        """The model in words, its tests, what it can find, who is left out and other findings."""
        self._words.setText(words)
        self._tests.setText(tests)
        self._power.setText(power)
        self._notes.setText("\n".join(notes))
        for part in (self._words, self._tests, self._power, self._notes):
            part.setVisible(bool(part.text()))

    def set_problems(self, problems: Mapping[str, str]) -> None:
        """Say under each field what is wrong with it."""
        for field, part in self._checked.items():
            part.set_problem(problems.get(field, ""))
        if any(problems.get(field) for field in ("subject", "within", "exchange", "voxelwise", "exclude", "mask")):
            self._more.set_open(True)

    def problems(self) -> dict[str, str]:
        """What the form says is wrong, by field."""
        return {field: part.problem() for field, part in self._checked.items() if part.problem()}

    def set_report(self, text: str, *, ok: bool) -> None:
        """Say what came of it."""
        self._report.setText(text)
        mark_wrong(self._report, is_wrong=not ok)
        self._report.setForegroundRole(QPalette.ColorRole.PlaceholderText if ok else QPalette.ColorRole.WindowText)
        self._report.setVisible(bool(text))

    def set_progress(self, fraction: float | None) -> None:
        """Show how far the fit is, None while there is none."""
        is_running = fraction is not None
        self._progress.setVisible(is_running)
        self._progress.setValue(round(100 * (fraction or 0)))
        self._fit_button.setVisible(not is_running)
        self._cancel.setVisible(is_running)

    def set_can_fit(self, can: bool) -> None:
        """Whether there is something to fit."""
        self._fit_button.setEnabled(can)

    def _show_rows(self) -> None:
        data = self._settings.data
        self._data_form.setRowVisible(self._checked["file"], data == "file")
        self._data_form.setRowVisible(self._checked["column"], data == "column")
        self._whole.setVisible(bool(self._settings.exchange))
        self._more_form.setRowVisible(self._whole, bool(self._settings.exchange))
        self._more_form.setRowVisible(self._atlas, bool(self._settings.region))
        self._contrasts.setEnabled(not self._settings.terms)

    # -- changes

    def _fit(self) -> None:
        if self._fit_button.isEnabled() and self._fit_button.isVisible():
            self.fit_requested.emit()

    def _take(self, field: str, value: Any) -> None:
        self._settings = replace(self._settings, **{field: value})
        self._show_rows()
        self.changed.emit(self._settings)

    def _take_inference(self, settings: ModelSettings) -> None:
        names = ("correction", "permutations", "seed", "cluster_p", "connectivity", "tfce_h", "tfce_e", "one_sided")
        self._settings = replace(self._settings, **{name: getattr(settings, name) for name in names})
        self.changed.emit(self._settings)
