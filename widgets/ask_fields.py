"""Rows of a form by the names of their fields: choices, numbers, switches and lines of text."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QLineEdit, QWidget

from .ask_settings import NUMBERS, Rows
from .controls import Choice, check, described, form, on_tick
from .numbers import NumberEdit


class FieldRows(QWidget):
    """Fields under one another. ``changed`` carries the name of a field and its value."""

    changed = Signal(str, object)

    def __init__(self, rows: Rows, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = form()
        self._parts: dict[str, QWidget] = {}
        for name, (label, tip) in rows.choices.items():
            self._add(name, label, Choice(label, tip))
        for name, (label, tip) in rows.numbers.items():
            self._add(name, label, NumberEdit(label, tip, NUMBERS[name]))
        for name, (label, tip) in rows.lines.items():
            self._add(name, label, described(QLineEdit(), label, tip))
        for name, (label, tip) in rows.checks.items():
            self._parts[name] = check(label, tip)
            self._layout.addRow(self._parts[name])
        self._connect()
        self.setLayout(self._layout)

    def _add(self, name: str, label: str, part: QWidget) -> None:
        self._parts[name] = part
        self._layout.addRow(label, part)

    def _connect(self) -> None:
        for name, part in self._parts.items():
            tell = partial(self.changed.emit, name)
            match part:
                case Choice():
                    part.chosen.connect(tell)
                case NumberEdit():
                    part.changed.connect(tell)
                case QLineEdit():
                    part.textEdited.connect(tell)
                case _:
                    on_tick(part, tell)  # pyright: ignore[reportArgumentType] - nothing else is added

    def layout_of_rows(self) -> QFormLayout:
        """To align with others."""
        return self._layout

    def part(self, name: str) -> QWidget:
        """The control of a field."""
        return self._parts[name]

    def set_items(self, name: str, items: Iterable[tuple[object, str]]) -> None:
        """Offer values of a choice."""
        part = self._parts[name]
        if isinstance(part, Choice):
            part.set_items(items)

    def set_values(self, settings: object) -> None:
        """Show the values of an object's fields; a text that is being typed stays."""
        for name, part in self._parts.items():
            value: Any = getattr(settings, name)
            match part:
                case Choice() | NumberEdit():
                    part.set_value(value)
                case QLineEdit():
                    if part.text() != value:
                        part.setText(value)
                case _:
                    part.setChecked(value)  # pyright: ignore[reportAttributeAccessIssue] - a check box

    def show_only(self, names: Iterable[str]) -> bool:
        """Show these fields; whether any is left."""
        wanted = set(names) & self._parts.keys()
        for name, part in self._parts.items():
            self._layout.setRowVisible(part, name in wanted)
        return bool(wanted)
