"""Find a region by typing part of its name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import (
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QWidget,
)

from . import icons
from .controls import described, is_escape_shortcut
from .two_texts import DETAIL, TwoTexts

_MATCH = Qt.ItemDataRole.UserRole
_PAD = 8
_MOST_ROWS = 12
_LEAST_WIDTH = 340


@dataclass(frozen=True)
class Match:
    """One thing found; ``detail`` says where it comes from."""

    id: str
    title: str
    detail: str = ""


class Finder(QLineEdit):
    """A search field whose matches drop down under it.

    Arrow keys move among the matches, Enter takes one, Ctrl+Enter takes it as a mask layer too, Escape closes.
    ``query_changed`` asks for matches; ``chosen`` carries the match's id and whether its mask is wanted.
    """

    query_changed = Signal(str)
    chosen = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        tip = self.tr("Type part of a region's name. Enter goes there, Ctrl+Enter also adds it as a layer")
        described(self, self.tr("Find a region"), tip)
        self.setPlaceholderText(self.tr("Find a region"))
        self.setClearButtonEnabled(True)
        self._glass = self.addAction(icons.icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        self._list = described(QListWidget(self.window()), self.tr("Regions found"), "")
        self._list.setItemDelegate(TwoTexts(self._list))
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.hide()
        self._list.itemClicked.connect(self._click)
        self.textEdited.connect(self._ask)
        self.destroyed.connect(self._list.deleteLater)

    def set_matches(self, matches: Iterable[Match]) -> None:
        """Show what was found, best first."""
        self._list.clear()
        for match in matches:
            item = QListWidgetItem(match.title)
            item.setData(_MATCH, match)
            item.setData(DETAIL, match.detail)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{match.title}, {match.detail}")
            item.setToolTip(f"{match.title}\n{match.detail}")
            self._list.addItem(item)
        if not self._list.count():
            self._list.hide()
            return
        self._list.setCurrentRow(0)
        if self.hasFocus():
            self._drop_down()

    def _drop_down(self) -> None:
        window = self.window()
        if self._list.parentWidget() is not window:
            self._list.setParent(window)
        corner = self.mapTo(window, QPoint(0, self.height() + 2))
        rows = min(self._list.count(), _MOST_ROWS)
        height = min(rows * self._list.sizeHintForRow(0) + 4, window.height() - corner.y() - _PAD)
        width = min(max(self.width(), _LEAST_WIDTH), window.width() - 2 * _PAD)
        left = max(_PAD, min(corner.x(), window.width() - width - _PAD))
        self._list.setGeometry(QRect(left, corner.y(), width, height))
        self._list.show()
        self._list.raise_()

    def _ask(self, text: str) -> None:
        self.query_changed.emit(text)

    def _click(self, item: QListWidgetItem) -> None:
        match: Match = item.data(_MATCH)
        self._choose(match, with_mask=False)

    def _choose(self, match: Match, *, with_mask: bool) -> None:
        self._list.hide()
        self.setText(match.title)
        self.selectAll()
        self.chosen.emit(match.id, with_mask)

    def _move(self, steps: int) -> None:
        if self._list.count():
            self._list.setCurrentRow(min(max(0, self._list.currentRow() + steps), self._list.count() - 1))
            self._drop_down()

    def event(self, event: QEvent) -> bool:
        if hasattr(self, "_list") and self._list.isVisible() and is_escape_shortcut(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key
        steps = {
            key.Key_Down: 1 if self._list.isVisible() else 0,
            key.Key_Up: -1,
            key.Key_PageDown: _MOST_ROWS,
            key.Key_PageUp: -_MOST_ROWS,
        }.get(key(event.key()))
        if steps is not None:
            self._move(steps)
        elif event.key() in (key.Key_Return, key.Key_Enter) and self._list.isVisible():
            control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self._choose(self._list.currentItem().data(_MATCH), with_mask=control)
        elif event.key() == key.Key_Escape and self._list.isVisible():
            self._list.hide()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._list.hide()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_glass"):
            self._glass.setIcon(icons.icon("search", self.palette()))
