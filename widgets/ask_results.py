"""The answer of a study: honest words, regions with their intervals, plots, tables, and what to know about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QLabel,
    QProgressBar,
    QScrollArea,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QWidget,
)

from .controls import Choice, beside, button, column, described, muted, row
from .elided_label import ElidedLabel
from .region_forest import Region, RegionForest
from .series_plot import SeriesData, SeriesPlot
from .value_model import Cell, Column
from .value_table import ValueTable

LEAST_WORDS = 220
PICTURE_WIDTH = 720


@dataclass(frozen=True, eq=False)
class AnswerTable:
    """A further table: its key, title, columns and rows."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, eq=False)
class AnswerView:
    """What is shown of an answer.

    Attributes
    ----------
    title, about : str
        ``about`` says what an effect is, and its unit.
    words, notes : tuple of str
    regions : tuple of Region
    plots : tuple of SeriesData
    tables : tuple of AnswerTable
    picture : bytes
        PNG of small multiples; empty for none.
    more : str
        What else can be asked: ``multiverse``, ``sensitivity`` or nothing.
    of_terms : bool
        The rows are terms of a model, not regions.
    """

    title: str
    about: str
    words: tuple[str, ...]
    regions: tuple[Region, ...]
    notes: tuple[str, ...] = ()
    plots: tuple[SeriesData, ...] = ()
    tables: tuple[AnswerTable, ...] = ()
    picture: bytes = b""
    more: str = ""
    of_terms: bool = False


NOTHING = AnswerView("", "", (), ())


class AskResults(QWidget):
    """Words on the left, regions, plots and tables on the right.

    Signals
    -------
    region_chosen : (int)
    person_chosen : (str)
    export_requested, more_requested, cancel_requested
    save_requested : (str, str)
        A table's name, and the table as text.
    """

    region_chosen = Signal(int)
    person_chosen = Signal(str)
    export_requested = Signal()
    more_requested = Signal()
    cancel_requested = Signal()
    save_requested = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: AnswerView | None = None
        self._build_head()
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._words.setMargin(4)
        words = described(
            QScrollArea(), self.tr("Answer in words"), self.tr("What was found, and what it does not say")
        )
        words.setWidgetResizable(True)
        words.setFrameShape(QScrollArea.Shape.NoFrame)
        words.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        words.setWidget(self._words)
        words.setMinimumWidth(LEAST_WORDS)
        self.regions, self.plot = RegionForest(), SeriesPlot(self.tr("Plot of the answer"))
        self._build_tabs()
        split = QSplitter(Qt.Orientation.Horizontal)
        for number, (part, stretch) in enumerate(((words, 2), (self._tabs, 5))):
            split.addWidget(part)
            split.setStretchFactor(number, stretch)
        split.setChildrenCollapsible(False)
        self._empty = muted()
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        full = QWidget()
        lines = column(full)
        lines.addWidget(self._head)
        lines.addWidget(split, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(full)
        column(self, margin=6).addWidget(self._stack)
        self.set_progress(None)
        self.set_empty(self.tr("Ask a question in the Ask panel to see its answer here."))

    def _build_head(self) -> None:
        self._title = ElidedLabel()
        font = self._title.font()
        font.setBold(True)
        self._title.setFont(font)
        self._title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._state = muted()
        self._state.setWordWrap(False)
        self._progress = described(QProgressBar(), self.tr("Answering"), self.tr("How far it is"))
        self._progress.setTextVisible(False)
        self._progress.setMaximumWidth(140)
        self._cancel = button(self.tr("Cancel"), self.tr("Stop; what is shown stays"))
        self._more = button("", "")
        self._export = button(self.tr("Export…"), self.tr("Write maps, tables, figure and report into a folder"))
        self._cancel.clicked.connect(self.cancel_requested)
        self._more.clicked.connect(self.more_requested)
        self._export.clicked.connect(self.export_requested)
        self._head = beside(self._title, self._state, self._progress, self._cancel, self._more, self._export, stretch=0)

    def _build_tabs(self) -> None:
        self._about, self._notes = QLabel(), muted()
        self._about.setWordWrap(True)
        for label in (self._words, self._about, self._notes):
            label.setTextFormat(Qt.TextFormat.PlainText)  # names of columns may look like markup
        self._notes.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._notes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._notes.setMargin(4)
        regions = QWidget()
        lines = column(regions)
        lines.addWidget(self._about)
        lines.addWidget(self.regions, 1)
        self._which_plot = Choice(self.tr("Plot"), self.tr("Which plot is shown"))
        plots = QWidget()
        lines = column(plots)
        lines.addLayout(row(self._which_plot))
        lines.addWidget(self.plot, 1)
        self._which_table = Choice(self.tr("Table"), self.tr("Which table is shown"))
        self._tables = QWidget()
        self._table_lines = column(self._tables)
        self._table_lines.addLayout(row(self._which_table))
        self._table: ValueTable | None = None
        self._picture = described(QLabel(), self.tr("Small multiples"), self.tr("The same map for each choice"))
        self._picture.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        self._tabs = QTabWidget()
        self._tabs.setDocumentMode(True)
        for part, title in (
            (regions, self.tr("Regions")),
            (plots, self.tr("Plot")),
            (self._tables, self.tr("Tables")),
            (_scrolled(self._picture), self.tr("Small multiples")),
            (_scrolled(self._notes), self.tr("What to know")),
        ):
            self._tabs.addTab(part, title)
        self.regions.row_selected.connect(self.region_chosen)
        self.regions.row_activated.connect(self.region_chosen)
        self.regions.save_requested.connect(lambda text: self.save_requested.emit("regions", text))
        self.plot.chosen.connect(self.person_chosen)
        self._which_plot.chosen.connect(self._show_plot)
        self._which_table.chosen.connect(self._show_table)

    # -- showing

    def set_empty(self, text: str) -> None:
        """Say what to do, or why there is no answer; with an empty text show the answer."""
        if text and self._view is not None:
            self.set_view(NOTHING)  # what is not shown is not there either
            self._view = None
        self._empty.setText(text)
        self._stack.setCurrentIndex(0 if text else 1)

    def set_view(self, view: AnswerView) -> None:
        """Show an answer."""
        is_other = self._view is None or self._view.title != view.title
        self._view = view
        self.set_empty("")
        self._title.set_whole(view.title)
        self._words.setText("\n\n".join(view.words))
        self._about.setText(view.about)
        self._notes.setText("\n\n".join(view.notes))
        self.regions.set_regions(view.regions)
        self._set_plots(view.plots)
        self._set_tables(view.tables)
        shown = QPixmap()
        if shown.loadFromData(view.picture):
            shown = shown.scaledToWidth(PICTURE_WIDTH, Qt.TransformationMode.SmoothTransformation)
        self._picture.setPixmap(shown)
        for at, is_there in enumerate((bool(view.regions), bool(view.plots), bool(view.tables), bool(view.picture))):
            self._tabs.setTabVisible(at, is_there)
        self._tabs.setTabText(0, self.tr("Terms") if view.of_terms else self.tr("Regions"))
        self._tabs.setTabText(4, self.tr("What to know ({n})").format(n=len(view.notes)))
        if is_other:
            self._tabs.setCurrentIndex(0)
        self._set_more(view.more)

    def _set_more(self, more: str) -> None:
        texts = {
            "multiverse": (self.tr("Other choices…"), self.tr("The same under other densities and confounds")),
            "sensitivity": (self.tr("Other references…"), self.tr("The same under other reference regions of PET")),
        }
        text, tip = texts.get(more, ("", ""))
        self._more.setText(text)
        described(self._more, text, tip)
        self._more.setVisible(bool(text))

    def _set_plots(self, plots: Sequence[SeriesData]) -> None:
        titles = [(number, plot.title) for number, plot in enumerate(plots)]
        chosen = self._which_plot.value()
        self._which_plot.set_items(titles)
        self._which_plot.set_value(chosen if isinstance(chosen, int) and chosen < len(titles) else 0)
        self._which_plot.setVisible(len(titles) > 1)
        self._show_plot(self._which_plot.value())

    def _show_plot(self, number: object) -> None:
        plots = () if self._view is None else self._view.plots
        self.plot.set_data(plots[number] if isinstance(number, int) and number < len(plots) else None)

    def _set_tables(self, tables: Sequence[AnswerTable]) -> None:
        chosen = self._which_table.value()
        self._which_table.set_items((table.key, table.title) for table in tables)
        keys = [table.key for table in tables]
        self._which_table.set_value(chosen if chosen in keys else next(iter(keys), None))
        self._show_table(self._which_table.value())

    def _show_table(self, key: object) -> None:
        if self._table is not None:
            self._table_lines.removeWidget(self._table)
            self._table.deleteLater()
            self._table = None
        found = next((each for each in (self._view.tables if self._view else ()) if each.key == key), None)
        if found is not None:
            table = ValueTable(found.title, found.columns, has_filter=len(found.rows) > 20)
            table.set_rows(found.rows)
            table.save_requested.connect(lambda text: self.save_requested.emit(found.key, text))
            self._table_lines.addWidget(table, 1)
            self._table = table

    def set_progress(self, fraction: float | None, text: str = "") -> None:
        """How far the answer is, and what is being done; None while nothing is."""
        is_running = fraction is not None
        for part in (self._progress, self._cancel):
            part.setVisible(is_running)
        self._progress.setValue(round(100 * (fraction or 0)))
        self._state.setText(text)
        self._state.setVisible(bool(text))
        self._more.setEnabled(not is_running)
        self._export.setEnabled(not is_running)

    def words(self) -> str:
        """The answer in words."""
        return self._words.text()

    def view(self) -> AnswerView | None:
        """What is shown."""
        return self._view

    def show_tab(self, number: int) -> None:
        """Bring regions, plots, tables, small multiples or notes to the front."""
        if self._tabs.isTabVisible(number):
            self._tabs.setCurrentIndex(number)


def _scrolled(content: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setWidget(content)
    return area
