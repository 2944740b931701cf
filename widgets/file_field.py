"""A name that is chosen elsewhere, with a button that asks for it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from .controls import IconButton, row


class ElidedLabel(QLabel):
    """A label that shortens its text in the middle, and then has all of it as a tool tip."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def set_whole(self, text: str) -> None:
        """Show a text."""
        self._whole = text
        self.setToolTip(text)
        self.setAccessibleName(text)
        self._fit()

    def _fit(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, self.width()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "_whole"):
            self._fit()


class FileField(QWidget):
    """Shows a name; ``requested`` asks for another, ``cleared`` for none."""

    requested = Signal()
    cleared = Signal()

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._empty = "", self.tr("choose…")
        self._label = ElidedLabel()
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
