"""A name that is chosen elsewhere, with a button that asks for it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from .controls import IconButton, row
from .elided_label import ElidedLabel


class FileField(QWidget):
    """Shows a name; ``requested`` asks for another, ``cleared`` for none."""

    requested = Signal()
    cleared = Signal()

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._empty = "", self.tr("choose…")
        self._label = ElidedLabel()
        self._label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._open = IconButton("folder-open", self.tr("{name}: choose").format(name=name), tip)
        self._clear = IconButton("cancel", self.tr("{name}: none").format(name=name), self.tr("Use none"))
        self._can_clear = False
        self.setLayout(row(self._label, self._clear, self._open, stretch=0))
        self._open.clicked.connect(self.requested)
        self._clear.clicked.connect(self._drop)
        self.set_text("")

    def set_text(self, text: str) -> None:
        """Show a name, or that there is none."""
        self._text = text
        self._label.set_whole(text or self._empty)
        self._label.setForegroundRole(QPalette.ColorRole.WindowText if text else QPalette.ColorRole.PlaceholderText)
        self._clear.setVisible(bool(text) and self._can_clear)

    def set_empty_text(self, text: str) -> None:
        """What stands there without a name; the name can then be cleared."""
        self._empty, self._can_clear = text, True
        self.set_text(self._text)

    def _drop(self) -> None:
        self.set_text("")
        self.cleared.emit()
