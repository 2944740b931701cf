"""A combo box of colour tables, each with its swatch."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QImage, QPaintEvent, QPixmap
from PySide6.QtWidgets import QStyle, QStyleOptionComboBox, QStylePainter, QWidget

from .controls import Choice
from .layer_settings import ColourChoice

_SWATCH = QSize(56, 12)


def swatch(choice: ColourChoice) -> QIcon:
    """The colours of a table from left to right."""
    pixels = np.repeat(np.ascontiguousarray(choice.table)[None], 2, axis=0)
    image = QImage(pixels.tobytes(), 256, 2, 3 * 256, QImage.Format.Format_RGB888)
    result = QIcon()
    for scale in (1, 2, 3):
        picture = QPixmap.fromImage(image.scaled(_SWATCH * scale))
        picture.setDevicePixelRatio(scale)
        result.addPixmap(picture)
    return result


class ColourCombo(Choice):
    """Offers colour tables; the value is a table's name, or None for the entry without a table."""

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(name, tip, parent)
        self.setIconSize(_SWATCH)
        self.setMinimumContentsLength(4)

    def set_choices(self, choices: Iterable[ColourChoice], none: str | None = None) -> None:
        """Offer tables, after an entry for none of them when that has a text."""
        offered = list(choices)
        first: list[tuple[object, str]] = [] if none is None else [(None, none)]
        self.set_items(first + [(choice.name, choice.title) for choice in offered])
        for number, choice in enumerate(offered, start=len(first)):
            self.setItemIcon(number, swatch(choice))
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + 16)

    def set_value(self, value: object) -> None:
        super().set_value(value)
        self.setToolTip(": ".join(filter(None, (self.accessibleDescription(), self.currentText()))))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        name, _, _ = option.currentText.partition(":")  # what follows describes it
        part = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, self).width()
        room -= 0 if option.currentIcon.isNull() else _SWATCH.width() + 8
        option.currentText = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, room)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()
