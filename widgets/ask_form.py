"""The form of a question to a study: the question in plain words, its switches, and what is planned."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QProgressBar, QWidget

from .ask_fields import FieldRows
from .ask_rows import choice_rows, question_rows
from .ask_settings import AskOffer, AskPlan, AskSettings, fields_of, measure_beside
from .controls import Choice, Section, align, button, column, described, mark_wrong, muted, row
from .elided_label import ElidedLabel
from .model_design import DesignMatrix
from .model_fields import DropField, FormulaEdit, TextLines
from .model_inference import InferenceForm
from .model_settings import ModelSettings
from .pick_list import PickList

DENSITIES = (0.10, 0.15, 0.20, 0.25, 0.30)
SELECTABLE = Qt.TextInteractionFlag.TextSelectableByMouse


class AskForm(QWidget):
    """Form for `AskSettings`; its ``buttons`` are placed apart, where they stay in sight while the form scrolls.

    Signals
    -------
    changed : (AskSettings)
    ask_requested, cancel_requested, open_requested
    file_requested : (str)
        For the field ``mask`` or ``grid``.
    file_dropped : (str, str)
        Field and path.
    """

    changed = Signal(object)
    ask_requested = Signal()
    cancel_requested = Signal()
    file_requested = Signal(str)
    file_dropped = Signal(str, str)
    open_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings, self._offer, self._measure = AskSettings(), AskOffer(), ""
        self._build_question()
        self._build_model()
        self._build_study()
        self._build_actions()
        align(self._fields.layout_of_rows(), self._choices.layout_of_rows(), *self.inference.forms())
        layout = column(self, margin=8)
        for part in (self._hint, self._open, *self._sections):
            layout.addWidget(part)
        layout.addStretch(1)
        for choice in self.findChildren(Choice):  # no wider than a narrow dock
            choice.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._metrics.changed.connect(partial(self._take, "metrics"))
        self.set_offer(AskOffer())
        self.set_plan(AskPlan())
        self.set_progress(None)
        self.set_report("", ok=True)

    # -- building

    def _build_question(self) -> None:
        tr = self.tr
        self._hint = muted(tr("Open a study to ask it: a BIDS folder with participants.tsv, or a table of images."))
        self._open = button(tr("Open study folder…"), tr("Choose a folder that holds participants.tsv"))
        self._open.clicked.connect(self.open_requested)
        section = Section(tr("Question"))
        self._kind = Choice(tr("Question"), tr("What is asked of the study"))
        self._kind.chosen.connect(partial(self._take, "kind"))
        self._why = QLabel()
        self._why.setWordWrap(True)
        mark_wrong(self._why, is_wrong=True)
        self._formula = FormulaEdit(tr("Formula"), tr("Such as pet ~ group * age; its left side names the images"))
        self._formula.setPlaceholderText("pet ~ group * age")
        self._formula.edited.connect(partial(self._take, "formula"))
        self._formula.returnPressed.connect(self.ask_requested)
        tip = tr("One test per line: a column, an expression such as a - b, or NAME = weights; empty for all")
        self._contrasts = TextLines(tr("Contrasts"), tip)
        self._contrasts.edited.connect(partial(self._take, "contrasts"))
        self._fields = FieldRows(question_rows(tr))
        self._fields.changed.connect(self._take)
        self.setFocusProxy(self._kind)
        for part in (self._kind, self._why, self._formula, self._contrasts, self._fields):
            section.body.addWidget(part)
        self._metrics = PickList(tr("Metrics of graphs"), tr("One test for each region and metric"))
        self._graph = Section(tr("Metrics"), is_open=False)
        self._graph.body.addWidget(self._metrics)
        self._build_covariates()
        self._question = section

    def _build_covariates(self) -> None:
        tr = self.tr
        self._covariates_section = Section(tr("Covariates"), is_open=False)
        self._covariates = PickList(tr("Covariates"), tr("What the model is adjusted for"))
        self._covariates.changed.connect(partial(self._take, "covariates"))
        self._automatic = button(tr("Choose by itself"), tr("Age, sex and site, where they vary and cost little"))
        self._automatic.clicked.connect(lambda: self._take("covariates", None))
        self._covariates_section.body.addWidget(self._covariates)
        self._covariates_section.body.addLayout(row(self._automatic))

    def _build_model(self) -> None:
        self._model = Section(self.tr("Model"))
        self._n = QLabel()
        self._n.setWordWrap(True)
        self._words, self._shown_formula, self._power = QLabel(), muted(), muted()
        self._words.setWordWrap(True)
        for part in (self._words, self._shown_formula, self._n, self._power, self._why):
            part.setTextFormat(Qt.TextFormat.PlainText)  # names of columns may look like markup
        for part in (self._words, self._shown_formula):
            part.setTextInteractionFlags(self._words.textInteractionFlags() | SELECTABLE)
        self.design = DesignMatrix()
        self._value = ElidedLabel()
        self._value.setMinimumHeight(self._value.fontMetrics().height())
        self.design.pointed.connect(self._value.set_whole)
        for part in (self._words, self._shown_formula, self._n, self.design, self._value, self._power):
            self._model.body.addWidget(part)
        self._traps = Section(self.tr("What to know"))
        self._notes = muted()
        self._notes.setTextFormat(Qt.TextFormat.PlainText)
        self._traps.body.addWidget(self._notes)

    def _build_study(self) -> None:
        tr = self.tr
        self._study = Section(tr("Images of the study"))
        self._choices = FieldRows(choice_rows(tr))
        self._choices.changed.connect(self._take)
        self._files = {
            "mask": self._file("mask", tr("Mask"), tr("Only where this image is above 0"), tr("all with data")),
            "grid": self._file(
                "grid", tr("Grid"), tr("All maps are brought to the voxels of this image"), tr("of most scans")
            ),
        }
        self._study.body.addWidget(self._choices)
        self._inference = Section(tr("Inference"))
        self.inference = InferenceForm()
        self.inference.changed.connect(self._take_inference)
        self._inference.body.addWidget(self.inference)

    def _file(self, name: str, label: str, tip: str, empty: str) -> DropField:
        """A row for a file that is a choice of the study."""
        field = DropField(label, tip)
        field.set_empty_text(empty)
        field.requested.connect(partial(self.file_requested.emit, name))
        field.dropped.connect(partial(self.file_dropped.emit, name))
        field.cleared.connect(partial(self._take, name, ""))
        self._choices.layout_of_rows().addRow(label, field)
        return field

    def _build_actions(self) -> None:
        self._report = QLabel()
        self._report.setWordWrap(True)
        self._progress = described(QProgressBar(), self.tr("Answer"), self.tr("How far the answer is"))
        self._progress.setTextVisible(False)
        self._ask = button(self.tr("Ask"), self.tr("Show the map, and answer for all named regions"))
        self._cancel = button(self.tr("Cancel"), self.tr("Stop answering; what is on the screen stays"))
        self._ask.clicked.connect(self.ask_requested)
        self._cancel.clicked.connect(self.cancel_requested)
        self.buttons = QWidget(self)
        lines = column(self.buttons, margin=8)
        lines.addWidget(self._report)
        lines.addWidget(self._progress)
        lines.addLayout(row(self._ask, self._cancel))
        self._sections = (
            self._question,
            self._graph,
            self._covariates_section,
            self._inference,
            self._model,
            self._traps,
            self._study,
        )

    # -- showing

    def set_offer(self, offer: AskOffer) -> None:
        """Offer what a study has; nothing while there is none."""
        self._offer = offer
        tr = self.tr
        mark = tr("{question} – not here")
        self._kind.set_items(
            (kind, mark.format(question=title) if why else title) for kind, title, why in offer.questions
        )
        own = ("", tr("the study's own"))
        items = {
            "score": offer.scores,
            "arm": (("pooled", tr("all together")), ("interaction", tr("do they differ?")), *offer.arms),
            "first": (own, *offer.sessions),
            "last": (own, *offer.sessions),
            "measure": offer.measures,
            "voxelwise": (("", tr("none")), *offer.voxelwise),
            "atlas": offer.atlases,
            "density": (("auc", tr("area under the curve")), *((f"{d:g}", f"{100 * d:g} %") for d in DENSITIES)),
            "edges": (
                ("positive", tr("positive")),
                ("absolute", tr("by their size")),
                ("signed", tr("with their sign")),
            ),
        }
        for name, each in items.items():
            self._fields.set_items(name, each)
        self._choices.set_items("reference", offer.references)
        self._choices.set_items("scaling", (("none", tr("none")), ("global mean", tr("global mean"))))
        self._choices.set_items("strategy", (("", tr("nothing")), *offer.strategies))
        self._covariates.set_names(offer.columns)
        self._metrics.set_names(name for name, _ in offer.metrics)
        self._formula.set_names(offer.columns)
        has_study = bool(offer.questions)
        self._hint.setVisible(not has_study)
        self._open.setVisible(not has_study)
        self.buttons.setVisible(has_study)
        self.set_settings(self._settings)

    def set_settings(self, settings: AskSettings, measure: str | None = None) -> None:
        """Show settings; what is being typed and says the same stays as it is. ``measure`` is what is planned."""
        self._settings = settings
        self._measure = settings.measure or (self._measure if measure is None else measure)
        self._kind.set_value(settings.kind)
        self._formula.set_text(settings.formula)
        self._contrasts.set_lines(settings.contrasts)
        self._fields.set_values(settings)
        self._choices.set_values(settings)
        for name, field in self._files.items():
            path = str(getattr(settings, name))
            field.set_text(path.replace("\\", "/").rpartition("/")[2])
            field.setToolTip(path)
        self._metrics.set_ticked(settings.metrics)
        if settings.covariates is not None:
            self._covariates.set_ticked(settings.covariates)
        self._automatic.setEnabled(settings.covariates is not None)
        self.inference.set_settings(settings.inference)
        self._show_rows()

    def set_plan(self, plan: AskPlan) -> None:
        """Say what is planned, or why nothing is."""
        for part, text in (
            (self._words, plan.words),
            (self._shown_formula, plan.formula),
            (self._n, plan.n),
            (self._power, plan.power),
            (self._notes, "\n\n".join(plan.notes)),
        ):
            part.setText(text)
            part.setVisible(bool(text))
        self.design.set_design(plan.design)
        self.design.setVisible(plan.design is not None)
        self._value.setVisible(plan.design is not None)
        if self._settings.covariates is None and plan.covariates is not None:
            self._covariates.set_ticked(plan.covariates)
        self._why.setText(plan.problem)
        self._why.setVisible(bool(plan.problem))
        self._model.setVisible(bool(plan.words))
        self._traps.setVisible(bool(plan.notes))
        self._ask.setEnabled(bool(plan.words))

    def set_report(self, text: str, *, ok: bool) -> None:
        """Say what came of it."""
        self._report.setText(text)
        mark_wrong(self._report, is_wrong=not ok)
        self._report.setForegroundRole(QPalette.ColorRole.PlaceholderText if ok else QPalette.ColorRole.WindowText)
        self._report.setVisible(bool(text))

    def set_progress(self, fraction: float | None) -> None:
        """Show how far the answer is, None while there is none."""
        is_running = fraction is not None
        self._progress.setVisible(is_running)
        self._progress.setValue(round(100 * (fraction or 0)))
        self._ask.setVisible(not is_running)
        self._cancel.setVisible(is_running)

    def problem(self) -> str:
        """Why the question cannot be asked."""
        return self._why.text()

    def texts(self) -> tuple[str, ...]:
        """Model in words, formula, people, power and notes."""
        return tuple(part.text() for part in (self._words, self._shown_formula, self._n, self._power, self._notes))

    def _show_rows(self) -> None:
        kind = self._settings.kind
        is_possible = any(name == kind and not why for name, _, why in self._offer.questions)
        beside = measure_beside(self._settings.voxelwise) if kind == "formula" else ""
        fields = fields_of(kind, *filter(None, (self._measure, beside))) if is_possible else frozenset[str]()
        fields -= _without(self._offer)
        self._fields.show_only(fields)
        has_choices = self._choices.show_only(fields)
        for name, field in self._files.items():
            self._choices.layout_of_rows().setRowVisible(field, name in fields)
        for part, name in ((self._formula, "formula"), (self._contrasts, "contrasts")):
            part.setVisible(name in fields)
        self._graph.setVisible("metrics" in fields)
        self._covariates_section.setVisible("covariates" in fields)
        self._study.setVisible(has_choices)
        self._inference.setVisible(is_possible and kind != "crossover")
        self._question.setVisible(bool(self._offer.questions))

    # -- changes by hand

    def _take(self, name: str, value: Any) -> None:
        self._settings = replace(self._settings, **{name: value})
        if name == "measure":
            self._measure = str(value)
        self._automatic.setEnabled(self._settings.covariates is not None)
        self._show_rows()
        self.changed.emit(self._settings)

    def _take_inference(self, inference: ModelSettings) -> None:
        self._take("inference", inference)


def _without(offer: AskOffer) -> frozenset[str]:
    """Fields that have nothing to choose from."""
    few = {
        ("measure",): len(offer.measures) < 3,
        ("arm",): not offer.arms,
        ("first", "last"): not offer.sessions,
        ("voxelwise",): not offer.voxelwise,
        ("from_min", "to_min"): not offer.has_frames,
    }
    return frozenset(name for names, is_few in few.items() if is_few for name in names)
