"""A line with a title on the left and a quieter detail on the right."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from .layer_row import Index
from .theme import look

DETAIL = Qt.ItemDataRole.UserRole + 1
"""Role of the detail; the title is what the item displays."""
_PAD = 8
_LEAST_DETAIL = 40


class TwoTexts(QStyledItemDelegate):
    """Paints the two texts; the detail gives way first."""

    def __init__(self, owner: QWidget) -> None:
        super().__init__(owner)
        self._owner = owner

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, QFontMetrics(self._owner.font()).height() + _PAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        title, detail = str(index.data(Qt.ItemDataRole.DisplayRole)), str(index.data(DETAIL) or "")
        metrics, elide, middle = QFontMetrics(self._owner.font()), Qt.TextElideMode, Qt.AlignmentFlag.AlignVCenter
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, QColor(look().chosen))
        inner = option.rect.adjusted(_PAD, 0, -_PAD, 0)
        room = inner.width() - metrics.horizontalAdvance(title) - 2 * _PAD
        painter.setFont(self._owner.font())
        painter.setPen(QColor(look().text))
        title = metrics.elidedText(title, elide.ElideRight, inner.width())
        painter.drawText(inner, middle | Qt.AlignmentFlag.AlignLeft, title)
        if room >= _LEAST_DETAIL:
            painter.setPen(QColor(look().muted))
            detail = metrics.elidedText(detail, elide.ElideMiddle, room)
            painter.drawText(inner, middle | Qt.AlignmentFlag.AlignRight, detail)
