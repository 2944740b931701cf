"""What a line of the layer list shows, and how it is painted."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from . import icons
from .theme import look

Index = QModelIndex | QPersistentModelIndex
ROW = Qt.ItemDataRole.UserRole
_EYE = 30  # width of the part that shows and hides
_PAD = 6
_GAP = 3
_ICON = 16


@dataclass(frozen=True)
class LayerRow:
    """One layer of the view.

    Attributes
    ----------
    key : int
        Names the layer.
    title, detail : str
        Name, and what it is (kind, unit, frame) in a few words.
    visible : bool
    tint : (int, int, int) or None
        sRGB of a stripe that says which curve or outline belongs to the layer.
    badge : str
        A word or two such as ``live``, ``simulated``, ``loading 40 %``; empty for none.
    without : frozenset of str
        Ids of the list's own entries of the context menu that mean nothing for this layer.
    """

    key: int
    title: str
    detail: str = ""
    visible: bool = True
    tint: tuple[int, int, int] | None = None
    badge: str = ""
    without: frozenset[str] = frozenset()


def eye_rect(line: QRect) -> QRect:
    """The part of a line that shows and hides its layer."""
    return QRect(line.left(), line.top(), _EYE, line.height())


def small(font: QFont) -> QFont:
    """The same font, smaller, for second lines."""
    result = QFont(font)
    result.setPointSizeF(font.pointSizeF() * 0.9)
    return result


class LayerDelegate(QStyledItemDelegate):
    """Paints a layer: eye, stripe, title and badge, detail beneath; edits the title in place."""

    def __init__(self, owner: QWidget) -> None:
        super().__init__(owner)
        self._owner = owner

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        font = self._owner.font()
        return QSize(160, QFontMetrics(font).height() + QFontMetrics(small(font)).height() + _GAP + 2 * _PAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        line: LayerRow = index.data(ROW)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, QColor(look().chosen))
        self._paint_eye(painter, option.rect, is_visible=line.visible)
        if line.tint is not None:
            stripe = QRect(option.rect.left() + _EYE, option.rect.top() + _PAD, 4, option.rect.height() - 2 * _PAD)
            painter.fillRect(stripe, QColor(*line.tint))
        inner = option.rect.adjusted(_EYE + _PAD + 4, _PAD, -_PAD, -_PAD)
        self._paint_text(painter, inner, line, self._paint_badge(painter, inner, line.badge))
        painter.restore()

    def _paint_eye(self, painter: QPainter, line: QRect, *, is_visible: bool) -> None:
        ratio = painter.device().devicePixelRatio()
        side = round(_ICON * ratio)
        colour = QColor(look().text if is_visible else look().muted)
        picture = icons.pixmap("eye" if is_visible else "eye-off", colour, QSize(side, side))
        picture.setDevicePixelRatio(ratio)
        eye = eye_rect(line)
        painter.drawPixmap(eye.center().x() - _ICON // 2 + 1, eye.center().y() - _ICON // 2 + 1, picture)

    def _paint_badge(self, painter: QPainter, inner: QRect, badge: str) -> int:
        if not badge:
            return 0
        font = small(self._owner.font())
        metrics = QFontMetrics(font)
        width = metrics.horizontalAdvance(badge) + 12
        pill = QRectF(inner.right() - width + 0.5, inner.bottom() - metrics.height() + 0.5, width, metrics.height())
        painter.setFont(font)
        painter.setPen(QColor(look().accent))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(pill, pill.height() / 2, pill.height() / 2)
        painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, badge)
        return width + _PAD

    def _paint_text(self, painter: QPainter, inner: QRect, line: LayerRow, badge_width: int) -> None:
        font, elide = self._owner.font(), Qt.TextElideMode.ElideLeft  # names of one study begin alike
        metrics, lesser = QFontMetrics(font), QFontMetrics(small(font))
        painter.setFont(font)
        painter.setPen(QColor(look().text if line.visible else look().muted))
        title = metrics.elidedText(line.title, elide, inner.width())
        is_alone = not (line.detail or line.badge)
        top = inner.top() if not is_alone else inner.center().y() - metrics.height() // 2
        painter.drawText(inner.left(), top + metrics.ascent(), title)
        painter.setFont(small(font))
        painter.setPen(QColor(look().muted))
        detail = lesser.elidedText(line.detail, Qt.TextElideMode.ElideRight, inner.width() - badge_width)
        painter.drawText(inner.left(), inner.bottom() - lesser.descent(), detail)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setAccessibleName(self.tr("Name of the layer"))
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        editor.setGeometry(option.rect.adjusted(_EYE + _PAD, _PAD, -_PAD, -_PAD))

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if isinstance(editor, QLineEdit) and not editor.isModified():
            line: LayerRow = index.data(ROW)
            editor.setText(line.title)
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        if isinstance(editor, QLineEdit):
            model.setData(index, editor.text().strip(), Qt.ItemDataRole.EditRole)
