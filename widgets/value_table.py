"""A table of values to sort, filter, copy and act on."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QAction, QContextMenuEvent, QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QLineEdit, QMenu, QTableView, QWidget

from .controls import column as column_layout
from .controls import described, muted
from .value_model import Cell, Column, ValueModel

_MEASURED_ROWS = 100  # by which the widths of columns are chosen
_LEAST_WORDS = 160  # width in pixels below which the column of words is not pressed


class _View(QTableView):
    """The table itself: Enter acts on the row, Tab leaves, Ctrl+C copies."""

    copied = Signal()

    def __init__(self, model: ValueModel) -> None:
        super().__init__()
        self._values = model
        words = [number for number, column in enumerate(model.columns) if column.kind == "text"]
        self._words = words[-1] if words else 0
        self.setModel(model)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.activated.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fill_width()

    def fit_columns(self, *, anew: bool) -> None:
        """As wide as their contents; unless anew, none gets narrower, so that they stand still while values change."""
        heads = self.horizontalHeader()
        for number in range(len(self._values.columns)):
            if number != self._words:
                wanted = self._wanted_width(number)
                heads.resizeSection(number, wanted if anew else max(wanted, heads.sectionSize(number)))
        self._fill_width()

    def _wanted_width(self, number: int) -> int:
        """Width of the widest of the first cells, and of the head."""
        texts = self._values.texts(number, _MEASURED_ROWS)
        metrics = self.fontMetrics()
        widest = max(range(len(texts)), key=lambda row: metrics.horizontalAdvance(texts[row]), default=None)
        cell = 0 if widest is None else self.sizeHintForIndex(self._values.index(widest, number)).width() + 1
        return max(cell, self.horizontalHeader().sectionSizeHint(number))

    def _fill_width(self) -> None:
        """Let the last column of words take the room that is left, or give it up; its tool tip has all of them."""
        heads = self.horizontalHeader()
        left = self.viewport().width() - heads.length() + heads.sectionSize(self._words)
        heads.resizeSection(self._words, max(left, min(self._wanted_width(self._words), _LEAST_WORDS)))


class ValueTable(QWidget):
    """A sortable table of typed columns.

    Signals ``row_activated`` (Enter or double click) and ``row_selected`` carry the number of the row in the rows
    as they were given; ``save_requested`` the whole table as tab-separated text, in full precision.

    Parameters
    ----------
    name : str
        For screen readers.
    columns : sequence of Column
    empty : str
        What to say while there are no rows.
    has_filter : bool
        Offer a field that keeps only rows with the words typed.
    """

    row_activated = Signal(int)
    row_selected = Signal(int)
    save_requested = Signal(str)

    def __init__(
        self,
        name: str,
        columns: Sequence[Column],
        empty: str = "",
        *,
        has_filter: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._model = ValueModel(columns, self)
        self._view = described(_View(self._model), name, "")
        self._view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self._view.setWordWrap(False)
        self._view.setTabKeyNavigation(False)
        self._view.setAlternatingRowColors(True)
        self._view.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self._view.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        rows = self._view.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(self._view.fontMetrics().height() + 8)
        heads = self._view.horizontalHeader()
        heads.setHighlightSections(False)
        heads.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        heads.setSortIndicatorClearable(True)
        self._view.setSortingEnabled(True)
        self._filter = described(QLineEdit(), self.tr("Filter"), self.tr("Show only rows that contain these words"))
        self._filter.setPlaceholderText(self.tr("Filter"))
        self._filter.setClearButtonEnabled(True)
        self._empty = muted(empty)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = column_layout(self)
        for part in (self._filter, self._view, self._empty):
            layout.addWidget(part)
        self._filter.setVisible(has_filter)
        self._filter.textEdited.connect(self._narrow)
        self._view.activated.connect(self._activate)
        self._view.copied.connect(self._copy)
        self._view.selectionModel().currentRowChanged.connect(self._tell_selected)
        self._model.modelAboutToBeReset.connect(self._remember)
        self._model.modelReset.connect(self._restore)
        self._chosen: Hashable = None
        self.set_rows(())

    def set_rows(self, rows: Sequence[Sequence[Cell]], keys: Sequence[Hashable] | None = None) -> None:
        """Show rows; the row whose key was selected stays selected, wherever it is now."""
        is_first = not self._model.rows
        self._model.set_rows(rows, keys)
        self._empty.setVisible(not rows and bool(self._empty.text()))
        self._view.setVisible(not self._empty.isVisibleTo(self))
        if rows:
            self._view.fit_columns(anew=is_first)

    def set_empty_text(self, text: str) -> None:
        """What to say while there are no rows."""
        self._empty.setText(text)
        self.set_rows(self._model.rows, self._model.keys)

    def selected_row(self) -> int | None:
        """Number of the selected row in the rows as they were given."""
        index = self._view.currentIndex()
        return self._model.order[index.row()] if index.isValid() else None

    def tsv(self) -> str:
        """The rows shown as tab-separated text, in full precision."""
        return self._model.tsv()

    def _narrow(self, text: str) -> None:
        self._model.set_filter(text)

    def _remember(self) -> None:
        number = self.selected_row()
        self._chosen = None if number is None else (self._model.keys[number],)
        self._view.selectionModel().blockSignals(True)

    def _restore(self) -> None:
        for position, number in enumerate(self._model.order):
            if (self._model.keys[number],) == self._chosen:
                flag = QItemSelectionModel.SelectionFlag
                index = self._model.index(position, 0)
                self._view.selectionModel().setCurrentIndex(index, flag.ClearAndSelect | flag.Rows)
                break
        self._view.selectionModel().blockSignals(False)

    def _activate(self, index: QModelIndex) -> None:
        if index.isValid():
            self.row_activated.emit(self._model.order[index.row()])

    def _tell_selected(self, index: QModelIndex) -> None:
        if index.isValid():
            self.row_selected.emit(self._model.order[index.row()])

    def _copy(self) -> None:
        positions = sorted(index.row() for index in self._view.selectionModel().selectedRows())
        QGuiApplication.clipboard().setText(self._model.tsv(positions or None))

    def menu(self) -> QMenu:
        """The context menu."""
        menu = QMenu(self)
        copy = QAction(self.tr("Copy"), menu)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.triggered.connect(self._copy)
        menu.addAction(copy)
        menu.addAction(self.tr("Save as TSV…"), lambda: self.save_requested.emit(self.tsv()))
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())
