"""How large a picture is saved."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QWidget

from .controls import Choice, button, column, form
from .numbers import NumberEdit, NumberSpec

_INCH_CM = 2.54
_DPI = 300.0


class PictureDialog(QDialog):
    """Asks for size and resolution of a picture; ``chosen`` carries how many times larger than shown, and dpi.

    Parameters
    ----------
    size_px : (int, int)
        Width and height as shown.
    """

    chosen = Signal(int, float)

    def __init__(self, size_px: tuple[int, int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Save picture"))
        self.setAccessibleName(self.windowTitle())
        self._size_px = size_px
        self._times = Choice(self.tr("Size"), self.tr("Size of the picture; letters and lines grow with it"))
        texts = (self.tr("As shown"), self.tr("2 times"), self.tr("3 times"))
        width, height = size_px
        self._times.set_items([(n, f"{text}: {n * width} × {n * height} px") for n, text in enumerate(texts, start=1)])
        self._times.set_value(1)
        self._dpi = NumberEdit(
            self.tr("Resolution"), self.tr("Pixels per inch in print"), NumberSpec("dpi", 30, 2400, step=50)
        )
        self._dpi.set_value(_DPI)
        self._printed = QLabel()
        buttons = QDialogButtonBox()
        save = button(self.tr("Save…"), self.tr("Choose a name and save the picture"))
        buttons.addButton(save, QDialogButtonBox.ButtonRole.AcceptRole)
        cancel = button(self.tr("Cancel"), self.tr("Save nothing"))
        buttons.addButton(cancel, QDialogButtonBox.ButtonRole.RejectRole)
        rows = form()
        rows.addRow(self.tr("Size"), self._times)
        rows.addRow(self.tr("Resolution"), self._dpi)
        rows.addRow(self.tr("Printed"), self._printed)
        layout = column(self, margin=12)
        layout.addLayout(rows)
        layout.addWidget(buttons)
        self._times.chosen.connect(self._show_printed)
        self._dpi.changed.connect(self._show_printed)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.accepted.connect(lambda: self.chosen.emit(*self._answer()))
        self._show_printed()

    def _answer(self) -> tuple[int, float]:
        times = self._times.value()
        return times if isinstance(times, int) else 1, self._dpi.value() or _DPI

    def _show_printed(self, _: object = None) -> None:
        times, dpi = self._answer()
        width, height = (times * side / dpi * _INCH_CM for side in self._size_px)
        self._printed.setText(f"{width:.1f} × {height:.1f} cm")
