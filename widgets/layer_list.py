"""The layers of the view, topmost first: choose, show and hide, rename, reorder, remove."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QAbstractListModel, QItemSelectionModel, QModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QApplication, QListView, QMenu, QSizePolicy, QStyleOptionViewItem, QWidget

from .controls import described
from .layer_row import ROW, Index, LayerDelegate, LayerRow, eye_rect

_LEAST_LINES, _MOST_LINES = 2, 6  # that the list is high


class _Rows(QAbstractListModel):
    """The lines as a Qt model."""

    renamed = Signal(int, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: list[LayerRow] = []

    def rowCount(self, parent: Index | None = None) -> int:
        return len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line = self.rows[index.row()]
        if role == ROW:
            return line
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return line.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(filter(None, (line.title, line.detail, line.badge)))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            shown = self.tr("shown") if line.visible else self.tr("hidden")
            return ", ".join(filter(None, (line.title, shown, line.detail, line.badge)))
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        line = self.rows[index.row()]
        title = str(value)
        if role != Qt.ItemDataRole.EditRole or not title or title == line.title:
            return False
        self.put(index.row(), replace(line, title=title))
        self.renamed.emit(line.key, title)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        flag = Qt.ItemFlag
        return flag.ItemIsEnabled | flag.ItemIsSelectable | flag.ItemIsEditable | flag.ItemNeverHasChildren

    def keys(self) -> tuple[int, ...]:
        return tuple(line.key for line in self.rows)

    def put(self, number: int, line: LayerRow) -> None:
        if self.rows[number] != line:
            self.rows[number] = line
            self.dataChanged.emit(self.index(number), self.index(number))

    def move(self, start: int, end: int) -> None:
        """Take a line from one place to another."""
        beyond = end + 1 if end > start else end
        if self.beginMoveRows(QModelIndex(), start, start, QModelIndex(), beyond):
            self.rows.insert(end, self.rows.pop(start))
            self.endMoveRows()

    def show(self, rows: Sequence[LayerRow]) -> None:
        if tuple(line.key for line in rows) == self.keys():
            for number, line in enumerate(rows):
                self.put(number, line)
            return
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()


class LayerList(QListView):
    """List of layers.

    Drag or Alt+Up and Alt+Down reorder, the eye or Space shows and hides, F2 or a double click renames, Delete
    removes. ``reordered`` carries all keys, topmost first, once the drag is over.
    """

    selected = Signal(int)
    visibility_changed = Signal(int, bool)
    reordered = Signal(object)
    renamed = Signal(int, str)
    remove_requested = Signal(int)
    action_chosen = Signal(int, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = _Rows(self)
        self._pressed: tuple[int, QPoint] | None = None
        self._order_before: tuple[int, ...] | None = None
        self._actions: tuple[tuple[str, str], ...] = ()
        described(self, self.tr("Layers"), self.tr("Layers, topmost first. Drag or Alt+Up and Alt+Down to reorder"))
        self.setToolTip("")
        self.setModel(self._model)
        self.setItemDelegate(LayerDelegate(self))
        self.setSelectionMode(QListView.SelectionMode.SingleSelection)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._model.renamed.connect(self.renamed)
        self.selectionModel().currentChanged.connect(self._tell_selected)

    def set_rows(self, rows: Sequence[LayerRow], selected: int | None = None) -> None:
        """Show layers, topmost first, with the layer of one key selected."""
        if self._order_before is not None and {line.key for line in rows} == set(self._model.keys()):
            place = {key: number for number, key in enumerate(self._model.keys())}
            rows = sorted(rows, key=lambda line: place[line.key])  # the drag under way goes on
        self._model.show(rows)
        self.updateGeometry()
        keys = self._model.keys()
        index = self._model.index(keys.index(selected)) if selected in keys else QModelIndex()
        if index != self.currentIndex() or index.isValid() != self.selectionModel().hasSelection():
            picker = self.selectionModel()
            was_blocked = picker.blockSignals(True)
            picker.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            picker.blockSignals(was_blocked)
        self.viewport().update()

    def set_actions(self, actions: Sequence[tuple[str, str]]) -> None:
        """More entries of the context menu: (id, text)."""
        self._actions = tuple(actions)

    def _tell_selected(self, current: QModelIndex) -> None:
        if current.isValid() and self._order_before is None:
            self.selected.emit(self._model.rows[current.row()].key)

    def _toggle(self, number: int) -> None:
        line = self._model.rows[number]
        self._model.put(number, replace(line, visible=not line.visible))
        self.visibility_changed.emit(line.key, not line.visible)

    def _move(self, number: int, steps: int) -> None:
        if 0 <= number + steps < len(self._model.rows):
            self._model.move(number, number + steps)
            self.scrollTo(self._model.index(number + steps))
            self.reordered.emit(self._model.keys())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if by_key else self.indexAt(event.pos())
        if not index.isValid():
            return
        where = self.visualRect(index).center() if by_key else event.pos()
        menu = self.menu(index.row())
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.viewport().mapToGlobal(where))

    def menu(self, number: int) -> QMenu:
        """The context menu of one line."""
        line, last = self._model.rows[number], len(self._model.rows) - 1
        menu = QMenu(self)
        own = {
            self.tr("Hide") if line.visible else self.tr("Show"): (Qt.Key.Key_Space, lambda: self._toggle(number)),
            self.tr("Rename"): (Qt.Key.Key_F2, lambda: self.edit(self._model.index(number))),
            self.tr("Move up"): ("Alt+Up", lambda: self._move(number, -1)),
            self.tr("Move down"): ("Alt+Down", lambda: self._move(number, 1)),
            self.tr("Remove"): (Qt.Key.Key_Delete, lambda: self.remove_requested.emit(line.key)),
        }
        for text, (shortcut, act) in own.items():
            menu.addAction(text, shortcut, act)
        _, _, up, down, remove = menu.actions()
        up.setEnabled(number > 0)
        down.setEnabled(number < last)
        for name, text in self._actions:
            if name in line.without:
                continue
            action = QAction(text, menu)
            action.setData(name)
            menu.insertAction(remove, action)
        menu.insertSeparator(remove)
        menu.triggered.connect(lambda action: self._tell_action(line.key, action))  # pyright: ignore[reportUnknownLambdaType]
        return menu

    def _tell_action(self, key: int, action: QAction) -> None:
        if action.data() is not None:
            self.action_chosen.emit(key, action.data())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        number = self.currentIndex().row()
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        key = Qt.Key
        if number < 0:
            super().keyPressEvent(event)
        elif alt and event.key() in (key.Key_Up, key.Key_Down):
            self._move(number, -1 if event.key() == key.Key_Up else 1)
        elif event.key() == key.Key_Space:
            self._toggle(number)
        elif event.key() == key.Key_F2:
            self.edit(self.currentIndex())
        elif event.key() == key.Key_Delete:
            self.remove_requested.emit(self._model.rows[number].key)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        index = self.indexAt(at)
        if event.button() == Qt.MouseButton.LeftButton and index.isValid():
            if eye_rect(self.visualRect(index)).contains(at):
                self._toggle(index.row())
                return
            self._pressed = (index.row(), at)
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            return
        number, start = self._pressed
        at = event.position().toPoint()
        if self._order_before is None:
            if (at - start).manhattanLength() < QApplication.startDragDistance():
                return
            self._order_before = self._model.keys()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        target = self._row_at(at)
        if target != number:
            self._model.move(number, target)
            self._pressed = (target, start)
            self.scrollTo(self._model.index(target))

    def _row_at(self, at: QPoint) -> int:
        height = self.visualRect(self._model.index(0)).height()
        top = self.visualRect(self._model.index(0)).top()
        return min(max(0, (at.y() - top) // max(1, height)), len(self._model.rows) - 1)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        before, self._order_before, self._pressed = self._order_before, None, None
        self.unsetCursor()
        super().mouseReleaseEvent(event)
        if before is not None and before != self._model.keys():
            self.reordered.emit(self._model.keys())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        index = self.indexAt(at)
        if not index.isValid():
            return
        if eye_rect(self.visualRect(index)).contains(at):
            self._toggle(index.row())
        else:
            self.edit(index)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._model.rows:
            painter = QPainter(self.viewport())
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            wrapped = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            area = QRect(QPoint(12, 0), self.viewport().size() - QSize(24, 0))
            painter.drawText(area, wrapped, self.tr("No layers yet.\nOpen a file, or drop one here."))
            painter.end()

    def sizeHint(self) -> QSize:
        lines = min(max(_LEAST_LINES, self._model.rowCount()), _MOST_LINES)
        line = self.itemDelegate().sizeHint(QStyleOptionViewItem(), QModelIndex())
        return QSize(280, lines * line.height() + 2 * self.frameWidth())

    def minimumSizeHint(self) -> QSize:
        line = self.itemDelegate().sizeHint(QStyleOptionViewItem(), QModelIndex())
        return QSize(super().minimumSizeHint().width(), _LEAST_LINES * line.height() + 2 * self.frameWidth())
