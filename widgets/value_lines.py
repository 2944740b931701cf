"""Lines of name, value and a quieter word, aligned, cheap to change while the mouse is dragged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from .controls import described, muted
from .elided_label import ElidedLabel


class Line(NamedTuple):
    """One line; the note stands beneath it."""

    name: str
    value: str
    quiet: str = ""
    note: str = ""


class _Row:
    """The labels of one line."""

    def __init__(self, grid: QGridLayout, number: int) -> None:
        self.name, self.value, self.quiet = ElidedLabel(), ElidedLabel(), ElidedLabel()
        self.name.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.quiet.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.note = muted()
        for column, part in enumerate((self.name, self.value, self.quiet)):
            part.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(part, 2 * number, column)
            if column:
                grid.setAlignment(part, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self.note, 2 * number + 1, 0, 1, 3)

    def labels(self) -> tuple[QLabel, ...]:
        return self.name, self.value, self.quiet, self.note

    def show(self, line: Line | None) -> None:
        for part in self.labels()[:3]:
            part.setVisible(line is not None)
        self.note.setVisible(line is not None and bool(line.note))
        if line is not None:
            self.name.set_whole(line.name)
            self.value.set_whole(line.value)
            self.quiet.set_whole(line.quiet)
            self.note.setText(line.note)


class ValueLines(QWidget):
    """A table without a frame; its labels are used again from one position to the next."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(self, name, "")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(0, 1)
        self._rows: list[_Row] = []
        self._lines: tuple[Line, ...] = ()

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Show lines."""
        if tuple(lines) == self._lines:
            return
        self._lines = tuple(lines)
        while len(self._rows) < len(lines):
            self._rows.append(_Row(self._grid, len(self._rows)))
        for number, row in enumerate(self._rows):
            row.show(self._lines[number] if number < len(self._lines) else None)
