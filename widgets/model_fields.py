"""Fields of the model form: files that may be dropped, formulas completed by names, several lines of text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

from PySide6.QtCore import QSize, QStringListModel, Qt, QUrl, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QCompleter, QLabel, QLineEdit, QPlainTextEdit, QWidget

from .controls import column, described, mark_wrong
from .file_field import FileField

AnyWidget = TypeVar("AnyWidget", bound=QWidget)
_WORD = re.compile(r"[^\W\d][\w.]*\Z|`[^`]*\Z")
_IDENTIFIER = re.compile(r"[^\W\d]\w*\Z")


class DropField(FileField):
    """A file that is chosen elsewhere or dropped here: then ``dropped`` carries its path."""

    dropped = Signal(str)

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(name, tip, parent)
        described(self, name, tip)
        self.setAcceptDrops(True)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if len(_local(event.mimeData().urls())) == 1:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self.dropped.emit(_local(event.mimeData().urls())[0])
        event.acceptProposedAction()


def _local(urls: Iterable[QUrl]) -> list[str]:
    return [path for path in map(QUrl.toLocalFile, urls) if path]


class FormulaEdit(QLineEdit):
    """A formula; names are completed while they are typed. ``edited`` carries the text."""

    edited = Signal(str)

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(self, name, tip)
        self._names = QStringListModel(self)
        self._completer = QCompleter(self._names, self)
        self._completer.setWidget(self)
        self._completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._completer.activated.connect(self._complete)
        self.textEdited.connect(self._edit)

    def set_names(self, names: Iterable[str]) -> None:
        """Names that may be written, as they stand in a table; others than identifiers get backticks."""
        self._names.setStringList([name if _IDENTIFIER.match(name) else f"`{name}`" for name in names])

    def set_text(self, text: str) -> None:
        """Show a formula, unless that is what stands there."""
        if text != self.text():
            self.setText(text)

    def _typed(self) -> str:
        """The name that is being typed."""
        found = _WORD.search(self.text()[: self.cursorPosition()])
        return "" if found is None else found[0]

    def _edit(self, text: str) -> None:
        typed = self._typed()
        self._completer.setCompletionPrefix(typed)
        offered = self._completer.completionCount()
        popup = self._completer.popup()
        if popup is None:
            raise TypeError(popup)
        if typed and offered and not (offered == 1 and self._completer.currentCompletion() == typed):
            popup.setCurrentIndex(self._completer.completionModel().index(0, 0))
            self._completer.complete()
        else:
            popup.hide()
        self.edited.emit(text)

    def _complete(self, name: str) -> None:
        at, typed = self.cursorPosition(), self._typed()
        before = self.text()[: at - len(typed)] + name
        self.setText(before + self.text()[at:])
        self.setCursorPosition(len(before))
        self.edited.emit(self.text())


class TextLines(QPlainTextEdit):
    """A few lines of text, one thing each; Tab leaves. ``edited`` carries what is not blank."""

    edited = Signal(object)

    def __init__(self, name: str, tip: str, lines: int = 2, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(self, name, tip)
        self._lines = lines
        self._is_set = False
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.textChanged.connect(self._edit)
        self._fit()

    def lines(self) -> tuple[str, ...]:
        """What is not blank."""
        return tuple(line.strip() for line in self.toPlainText().splitlines() if line.strip())

    def set_lines(self, lines: tuple[str, ...]) -> None:
        """Show lines, unless they stand there."""
        if lines != self.lines():
            self._is_set = True
            self.setPlainText("\n".join(lines))
            self._is_set = False
            self._fit()

    def _edit(self) -> None:
        self._fit()
        if not self._is_set:
            self.edited.emit(self.lines())

    def _fit(self) -> None:
        """As high as the lines, within bounds."""
        lines = min(max(self._lines, self.document().blockCount()), 6)
        margins = self.contentsMargins()
        extra = 2 * int(self.document().documentMargin()) + margins.top() + margins.bottom() + 2
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + extra)

    def sizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), self.height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.selectAll()


class Checked(QWidget):
    """A field with room for a line under it that says what is wrong."""

    def __init__(self, field: QWidget) -> None:
        super().__init__()
        self._field = field
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        mark_wrong(self._problem, is_wrong=True)
        layout = column(self)
        layout.setSpacing(2)
        layout.addWidget(field)
        layout.addWidget(self._problem)
        self.set_problem("")

    def problem(self) -> str:
        """What it says."""
        return self._problem.text()

    def set_problem(self, text: str) -> None:
        """Say what is wrong, or that nothing is."""
        self._problem.setText(text)
        self._problem.setVisible(bool(text))
        mark_wrong(self._field, is_wrong=bool(text))
        self._field.setProperty("problem", text)
