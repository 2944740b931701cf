"""Asks why before something is done that is written down."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QWidget

from .controls import column, described, muted


class ReasonDialog(QDialog):
    """A question, a field for the reason, and no way on without one.

    Signals
    -------
    given : (str)
        The reason.
    """

    given = Signal(str)

    def __init__(self, title: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self._reason = described(QLineEdit(), self.tr("Reason"), self.tr("Is written into the log"))
        self._reason.setMinimumWidth(420)
        kinds = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        self._ok = buttons.button(kinds.Ok)
        self._ok.setText(title)
        self._ok.setEnabled(False)
        layout = column(self, margin=12)
        layout.addWidget(muted(text))
        layout.addWidget(self._reason)
        layout.addWidget(buttons)
        self._reason.textChanged.connect(lambda said: self._ok.setEnabled(bool(said.strip())))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.accepted.connect(lambda: self.given.emit(self._reason.text().strip()))
