"""People of a study as rows: several may be selected, notes and quality are edited in place, scans have pictures."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QIcon, QImage, QKeyEvent, QKeySequence, QPixmap, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QHeaderView, QStyledItemDelegate, QTableView, QWidget

from .controls import column as column_layout
from .row_filter import RowFilter
from .value_model import Cell, Column, Index, ValueModel

PICTURE_PX = 40
MOST_NARROW = 260  # widest that a column is at first


@dataclass(frozen=True)
class People:
    """What the table shows.

    Attributes
    ----------
    columns : tuple of Column
        The first is the name.
    keys : tuple of str
        One per row.
    rows : tuple of tuple of Cell
    quality, note : int or None
        Numbers of the columns that can be edited.
    grades : tuple of str
        What quality can be; the first is none.
    scans : mapping of str to str
        By key: whose picture stands before the name.
    tips : mapping of (str, int) to str
        By key and column: more about a cell.
    """

    columns: tuple[Column, ...]
    keys: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    quality: int | None = None
    note: int | None = None
    grades: tuple[str, ...] = ()
    scans: Mapping[str, str] | None = None
    tips: Mapping[tuple[str, int], str] | None = None


class _People(ValueModel):
    """Rows with pictures that can be edited."""

    edited = Signal(str, int, str)  # key, column, new text

    def __init__(self, parent: QWidget) -> None:
        super().__init__((Column("Participant"),), parent)
        self.people = People(self.columns)
        self.pictures: dict[str, QIcon] = {}
        self.with_pictures = True
        self.row_filter = RowFilter()

    def show(self, people: People) -> None:
        """Replace everything."""
        if people.columns != self.columns:
            self._sorted = None
        self.people = people
        self.columns = people.columns
        self.set_rows(people.rows, people.keys)

    def narrow(self, wanted: RowFilter) -> None:
        """Show only rows that a filter keeps."""
        self.row_filter = wanted
        self.set_filter("")

    def _arrange(self) -> None:
        super()._arrange()
        self.order = [number for number in self.order if self.row_filter.keeps(self.rows[number])]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        key, column = str(self.keys[self.order[index.row()]]), index.column()
        if role == Qt.ItemDataRole.DecorationRole:
            return self.pictures.get((self.people.scans or {}).get(key, "")) if self._has_picture(column) else None
        if role == Qt.ItemDataRole.ToolTipRole:
            tip = (self.people.tips or {}).get((key, column))
            if tip is not None:
                return tip
        if role == Qt.ItemDataRole.EditRole:
            return self.rows[self.order[index.row()]][column] or ""
        return super().data(index, role)

    def _has_picture(self, column: int) -> bool:
        return column == 0 and self.with_pictures

    def flags(self, index: Index) -> Qt.ItemFlag:
        can = super().flags(index)
        is_edited = index.column() in (self.people.quality, self.people.note)
        return can | Qt.ItemFlag.ItemIsEditable if is_edited else can

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        number, column = self.order[index.row()], index.column()
        text = " ".join(str(value).split())
        if role != Qt.ItemDataRole.EditRole or text == (self.rows[number][column] or ""):
            return False
        cells = list(self.rows[number])
        cells[column] = text
        self.rows[number] = tuple(cells)
        self.dataChanged.emit(index, index)
        self.edited.emit(str(self.keys[number]), column, text)
        return True

    def take_picture(self, scan: str, picture: QIcon) -> None:
        """A picture has come."""
        self.pictures[scan] = picture
        for position, number in enumerate(self.order):
            if (self.people.scans or {}).get(str(self.keys[number])) == scan:
                at = self.index(position, 0)
                self.dataChanged.emit(at, at, [Qt.ItemDataRole.DecorationRole])


class _Grades(QStyledItemDelegate):
    """A combo box in the column of quality."""

    def __init__(self, table: _Table, model: _People) -> None:
        super().__init__(table)
        self._model = model

    def createEditor(self, parent: QWidget, option: object, index: Index) -> QWidget:
        if index.column() != self._model.people.quality:
            return super().createEditor(parent, option, index)  # pyright: ignore[reportArgumentType]
        box = QComboBox(parent)
        box.setAccessibleName(self._model.columns[index.column()].title)
        box.addItems(self._model.people.grades)
        box.activated.connect(lambda _: (self.commitData.emit(box), self.closeEditor.emit(box)))
        return box

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if isinstance(editor, QComboBox):
            editor.setCurrentText(str(index.data(Qt.ItemDataRole.EditRole)))
            editor.showPopup()
        else:
            super().setEditorData(editor, index)

    def setModelData(self, editor: QWidget, model: object, index: Index) -> None:
        if isinstance(editor, QComboBox):
            self._model.setData(index, editor.currentText())
        else:
            super().setModelData(editor, model, index)  # pyright: ignore[reportArgumentType]


class _Table(QTableView):
    """Enter opens the row, Up and Down step, Tab leaves, Ctrl+C copies."""

    copied = Signal()
    stepped = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_editing = self.state() == QAbstractItemView.State.EditingState
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not is_editing:
            self.activated.emit(self.currentIndex())
        else:
            before = self.currentIndex().row()
            super().keyPressEvent(event)
            steps = event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and not event.modifiers()
            if steps and self.currentIndex().row() != before:
                self.stepped.emit()


class ParticipantTable(QWidget):
    """The table of people, without anything round it.

    Signals
    -------
    opened : (str)
        Enter or a double click on a person.
    stepped : (str)
        Up or Down has moved to a person.
    selected : (tuple of str)
        The user has selected these people.
    graded, noted : (str, str)
        The user has judged somebody's scans, or written a note.
    pictures_wanted : (tuple of str)
        Scans of the rows in sight that have no picture yet; the first of them is wanted next.
    """

    opened = Signal(str)
    stepped = Signal(str)
    selected = Signal(object)
    graded = Signal(str, str)
    noted = Signal(str, str)
    pictures_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = _People(self)
        self.view = _Table(self)
        self.view.setModel(self._model)
        self.view.setItemDelegate(_Grades(self.view, self._model))
        self.view.setAccessibleName(self.tr("Participants"))
        self.view.setAccessibleDescription(self.tr("Enter opens the scans; Up and Down step; F2 edits a note"))
        column_layout(self).addWidget(self.view)
        self._set_up_view()
        self._is_told = False
        self._chosen: tuple[Hashable, tuple[Hashable, ...]] = (None, ())
        self._sight = QTimer(self)
        self._sight.setSingleShot(True)
        self._sight.setInterval(0)
        self._sight.timeout.connect(self._look)
        self._connect()
        self._show_height()

    def _set_up_view(self) -> None:
        view = self.view
        triggers = QAbstractItemView.EditTrigger
        view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QTableView.SelectionMode.ExtendedSelection)
        view.setEditTriggers(triggers.EditKeyPressed | triggers.SelectedClicked)
        view.setWordWrap(False)
        view.setTabKeyNavigation(False)
        view.setAlternatingRowColors(True)
        view.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        view.verticalHeader().hide()
        view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        heads = view.horizontalHeader()
        heads.setHighlightSections(False)
        heads.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        heads.setSortIndicatorClearable(True)
        heads.setStretchLastSection(True)
        view.setSortingEnabled(True)

    def _connect(self) -> None:
        self.view.activated.connect(self._activate)
        self.view.copied.connect(self._copy)
        self.view.stepped.connect(self._step)
        self.view.selectionModel().selectionChanged.connect(self._tell_selected)
        self.view.verticalScrollBar().valueChanged.connect(lambda _: self._sight.start())
        self._model.edited.connect(self._edit)
        self._model.modelAboutToBeReset.connect(self._remember)
        self._model.modelReset.connect(self._restore)

    # -- showing

    def set_people(self, people: People) -> None:
        """Show people; those who were selected stay so."""
        same = people.columns == self._model.columns
        self._model.show(people)
        self._show_height()
        if not same:
            self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
            self._fit_columns()

    def set_filter(self, wanted: RowFilter) -> None:
        """Show only some of them."""
        self._model.narrow(wanted)

    def set_pictures(self, *, shown: bool) -> None:
        """Show pictures of the scans, or not."""
        self._model.with_pictures = shown
        self._show_height()
        self._fit_columns()
        self._sight.start()

    def take_picture(self, scan: str, grey: NDArray[np.uint8] | None) -> None:
        """A picture of a scan, (n, n), None where it has none; those still missing in sight are asked for again."""
        self._sight.start()
        if grey is None:
            self._model.take_picture(scan, QIcon())
            return
        height, width = grey.shape
        image = QImage(np.ascontiguousarray(grey).tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
        side = round(PICTURE_PX * self.devicePixelRatioF())
        smooth = Qt.TransformationMode.SmoothTransformation
        picture = QPixmap.fromImage(image).scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, smooth)
        picture.setDevicePixelRatio(self.devicePixelRatioF())
        icon = QIcon(picture)
        icon.addPixmap(picture, QIcon.Mode.Selected)  # not tinted
        self._model.take_picture(scan, icon)

    def forget_pictures(self) -> None:
        """Another study."""
        self._model.pictures.clear()

    def shown_keys(self) -> tuple[str, ...]:
        """People in the order shown."""
        return tuple(str(self._model.keys[number]) for number in self._model.order)

    def selected_keys(self) -> tuple[str, ...]:
        """People that are selected, in the order shown."""
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        return tuple(self.shown_keys()[row] for row in rows)

    def set_selected(self, keys: Iterable[str]) -> None:
        """Mark people without telling; the first is brought into sight."""
        wanted, flag = set(keys), QItemSelectionModel.SelectionFlag
        if wanted == set(self.selected_keys()):
            return
        marks = self.view.selectionModel()
        self._is_told = True
        marks.clearSelection()
        places = [place for place, key in enumerate(self.shown_keys()) if key in wanted]
        for place in places:
            marks.select(self._model.index(place, 0), flag.Select | flag.Rows)
        if places:
            marks.setCurrentIndex(self._model.index(places[0], 0), flag.NoUpdate)
            self.view.scrollTo(self._model.index(places[0], 0))
        self._is_told = False

    def set_current(self, key: str) -> None:
        """Go to one person without telling."""
        if key in self.shown_keys():
            self._is_told = True
            self.view.selectRow(self.shown_keys().index(key))
            self._is_told = False

    def current_key(self) -> str | None:
        """The person that the keyboard is at."""
        index = self.view.currentIndex()
        return self.shown_keys()[index.row()] if index.isValid() else None

    def tsv(self) -> str:
        """The rows shown as tab-separated text."""
        return self._model.tsv()

    # -- within

    def _show_height(self) -> None:
        line = self.view.fontMetrics().height() + 8
        side = PICTURE_PX if self._model.with_pictures and self._model.people.scans else 0
        self.view.setIconSize(QSize(side, side))
        self.view.verticalHeader().setDefaultSectionSize(max(line, side + 4 if side else 0))

    def _fit_columns(self) -> None:
        heads = self.view.horizontalHeader()
        for number in range(len(self._model.columns) - 1):
            wanted = max(self._widest(number), heads.sectionSizeHint(number))
            extra = PICTURE_PX + 8 if number == 0 and self._model.with_pictures and not self._model.pictures else 0
            heads.resizeSection(number, min(wanted + extra, MOST_NARROW))

    def _widest(self, column: int) -> int:
        """Width of the cell with the longest text of a column."""
        texts = self._model.texts(column, len(self._model.order))
        metrics = self.view.fontMetrics()
        widest = max(range(len(texts)), key=lambda row: metrics.horizontalAdvance(texts[row]), default=None)
        return 0 if widest is None else self.view.sizeHintForIndex(self._model.index(widest, column)).width() + 1

    def _look(self) -> None:
        """Ask for the pictures of what is in sight."""
        people = self._model.people
        if not (self._model.with_pictures and people.scans and self.isVisible()):
            return
        top = max(0, self.view.rowAt(0))
        last = self.view.rowAt(self.view.viewport().height() - 1)
        keys = self.shown_keys()[top : (len(self._model.order) if last < 0 else last + 1)]
        wanted = [people.scans[key] for key in keys if key in people.scans]
        wanted = [scan for scan in wanted if scan not in self._model.pictures]
        if wanted:
            self.pictures_wanted.emit(tuple(wanted))

    def _activate(self, index: QModelIndex | QPersistentModelIndex) -> None:
        if index.isValid():
            self.opened.emit(self.shown_keys()[index.row()])

    def _step(self) -> None:
        key = self.current_key()
        if key is not None:
            self.stepped.emit(key)

    def _tell_selected(self) -> None:
        if not self._is_told:
            self.selected.emit(self.selected_keys())

    def _edit(self, key: str, column: int, text: str) -> None:
        (self.graded if column == self._model.people.quality else self.noted).emit(key, text)

    def _copy(self) -> None:
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        QGuiApplication.clipboard().setText(self._model.tsv(rows or None))

    def _remember(self) -> None:
        self._chosen = self.current_key(), self.selected_keys()
        self._is_told = True

    def _restore(self) -> None:
        current, chosen = self._chosen
        self.set_selected(str(key) for key in chosen)
        self._is_told = True
        if isinstance(current, str) and current in self.shown_keys():
            place = self._model.index(self.shown_keys().index(current), 0)
            self.view.selectionModel().setCurrentIndex(place, QItemSelectionModel.SelectionFlag.NoUpdate)
        self._is_told = False
        if self.selected_keys() != chosen:
            self.selected.emit(self.selected_keys())
        self._sight.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._sight.start()


def columns_by_name(columns: Sequence[Column]) -> dict[str, int]:
    """Numbers of columns by what a filter calls them: the title, without spaces too."""
    names = {column.title: number for number, column in enumerate(columns)}
    return {title.replace(" ", "_"): number for title, number in names.items()} | names
