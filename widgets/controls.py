"""Small parts that the panels share: named controls, icon buttons, calm combo boxes, sections that fold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPalette, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from . import icons

AnyWidget = TypeVar("AnyWidget", bound=QWidget)
SPACE = 6
"""Distance between controls, in pixels before scaling."""


def described(widget: AnyWidget, name: str, tip: str) -> AnyWidget:
    """The same control with its name for screen readers and its tool tip."""
    widget.setAccessibleName(name)
    widget.setAccessibleDescription(tip)
    widget.setToolTip(tip)
    return widget


def mark_wrong(widget: QWidget, *, is_wrong: bool) -> None:
    """Show a field or a line of text in the colour of errors, or no longer."""
    if bool(widget.property("wrong")) != is_wrong:
        widget.setProperty("wrong", is_wrong)
        widget.style().polish(widget)


def muted(text: str = "") -> QLabel:
    """A wrapping label in the quieter text colour."""
    label = QLabel(text)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    label.setWordWrap(True)
    return label


def button(text: str, tip: str) -> QPushButton:
    """A push button with a tool tip."""
    return described(QPushButton(text), text, tip)


def check(text: str, tip: str) -> QCheckBox:
    """A check box with a tool tip."""
    return described(QCheckBox(text), text, tip)


def on_tick(part: QAbstractButton, slot: Callable[[bool], None]) -> None:
    """Call a slot with the new state when the user ticks or unticks."""

    def tell(is_on: bool) -> None:
        slot(is_on)

    part.clicked.connect(tell)  # a partial would not be given the state


def is_escape_shortcut(event: QEvent) -> bool:
    """Whether Escape is about to become a shortcut of the window; a field that needs the key itself accepts this."""
    is_override = event.type() == QEvent.Type.ShortcutOverride
    return is_override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape


def row(*widgets: QWidget, stretch: int = -1) -> QHBoxLayout:
    """Widgets side by side; the one at ``stretch`` takes the room that is left, else the end does."""
    layout = QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(SPACE)
    for number, widget in enumerate(widgets):
        layout.addWidget(widget, int(number == stretch))
    if stretch < 0:
        layout.addStretch(1)
    return layout


def beside(*widgets: QWidget, stretch: int = -1) -> QWidget:
    """A `row` as a widget."""
    result = QWidget()
    result.setLayout(row(*widgets, stretch=stretch))
    return result


def spread(*widgets: QWidget) -> QWidget:
    """Widgets side by side that share the room."""
    result = QWidget()
    layout = QHBoxLayout(result)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(SPACE)
    for widget in widgets:
        layout.addWidget(widget, 1)
    return result


def column(parent: QWidget | None = None, *, margin: int = 0) -> QVBoxLayout:
    """A column with the panels' spacing."""
    layout = QVBoxLayout(parent) if parent is not None else QVBoxLayout()
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(SPACE)
    return layout


def form() -> QFormLayout:
    """Rows of label and field that stay aligned."""
    layout = QFormLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setHorizontalSpacing(10)
    layout.setVerticalSpacing(SPACE)
    layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return layout


def align(*forms: QFormLayout) -> None:
    """Let forms of one panel share the width of their labels."""
    role = QFormLayout.ItemRole.LabelRole
    items = [layout.itemAt(number, role) for layout in forms for number in range(layout.rowCount())]
    labels = [label for item in items if item and (label := item.widget()) is not None]
    widest = max(label.sizeHint().width() for label in labels)
    for label in labels:
        label.setMinimumWidth(widest)


class FoldingRow(QWidget):
    """Widgets side by side, in as many lines as they need."""

    def __init__(self, *parts: QWidget) -> None:
        super().__init__()
        self._parts = parts
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        for part in parts:
            part.setParent(self)

    def _lines(self, width: int) -> list[list[QWidget]]:
        lines: list[list[QWidget]] = [[]]
        for part in self._parts:
            if lines[-1] and _wide([*lines[-1], part]) > width:
                lines.append([])
            lines[-1].append(part)
        return lines

    def heightForWidth(self, width: int) -> int:
        heights = [max(part.sizeHint().height() for part in line) for line in self._lines(width)]
        return sum(heights) + SPACE * (len(heights) - 1)

    def minimumSizeHint(self) -> QSize:
        sizes = [part.sizeHint() for part in self._parts]
        return QSize(max(size.width() for size in sizes), max(size.height() for size in sizes))

    def sizeHint(self) -> QSize:
        return QSize(_wide(self._parts), self.minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        y = 0
        for line in self._lines(self.width()):
            x, spare = 0, max(0, self.width() - _wide(line)) // len(line)
            height = max(part.sizeHint().height() for part in line)
            for part in line:
                width = min(part.sizeHint().width() + spare, self.width())
                part.setGeometry(x, y, width, height)
                x += width + SPACE
            y += height + SPACE


def _wide(parts: Sequence[QWidget]) -> int:
    """Width of widgets side by side."""
    return sum(part.sizeHint().width() for part in parts) + SPACE * (len(parts) - 1)


class IconButton(QToolButton):
    """A tool button whose icon follows the theme.

    Parameters
    ----------
    icon, on_icon : str
        Names of icons; with ``on_icon`` the button stays down when clicked and then shows that one.
    name, tip : str
    parent : QWidget, optional
    """

    def __init__(self, icon: str, name: str, tip: str, on_icon: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons = (icon, on_icon or icon)
        described(self, name, tip)
        self.setIconSize(QSize(16, 16))
        self.setCheckable(bool(on_icon))
        self.toggled.connect(self._show_icon)
        self._show_icon()

    def _show_icon(self) -> None:
        self.setIcon(icons.icon(self._icons[self.isChecked()], self.palette()))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_icons"):
            self._show_icon()
        super().changeEvent(event)


class Choice(QComboBox):
    """A combo box of values that leaves the wheel to the panel unless it has the focus.

    ``chosen`` carries the value that the user took.
    """

    chosen = Signal(object)

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(self, name, tip)
        self._value: object = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumContentsLength(8)
        self.activated.connect(self._take)

    def set_items(self, items: Iterable[tuple[object, str]]) -> None:
        """Offer (value, text) pairs; the chosen value stays when it is among them."""
        kept = self._value
        self.clear()
        for value, text in items:
            self.addItem(text, (value,))
        self.set_value(kept)

    def value(self) -> object:
        """The chosen value, None when there is none."""
        return self._value

    def set_value(self, value: object) -> None:
        """Show a value; an unknown one leaves the box empty."""
        self._value = value
        self.setCurrentIndex(next((i for i in range(self.count()) if self.itemData(i) == (value,)), -1))

    def _take(self, index: int) -> None:
        (value,) = self.itemData(index)
        if value != self._value:
            self._value = value
            self.chosen.emit(value)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class Section(QWidget):
    """A part of a panel under a heading that folds it away."""

    def __init__(self, title: str, *, is_open: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        tip = self.tr("Show or hide: {section}").format(section=title)
        self._head = IconButton("right", title, tip, "down", self)
        self._head.setProperty("heading", True)
        self._head.setText(title)
        self._head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._head.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        font = self._head.font()
        font.setBold(True)
        self._head.setFont(font)
        self._content = QWidget(self)
        self.body = column(self._content)
        self.body.setContentsMargins(4, 0, 0, SPACE)
        layout = column(self)
        layout.setSpacing(2)
        layout.addWidget(self._head)
        layout.addWidget(self._content)
        self._head.toggled.connect(self._content.setVisible)
        self.set_open(is_open)

    def is_open(self) -> bool:
        """Whether the content is shown."""
        return self._head.isChecked()

    def set_open(self, is_open: bool) -> None:
        """Show or hide the content."""
        self._head.setChecked(is_open)
        self._content.setVisible(is_open)
