"""Findings and errors over the top of the views: never in the way, never gone unread."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QBoxLayout, QButtonGroup, QGridLayout, QLabel, QSizePolicy, QWidget

from . import icons
from .controls import SPACE, IconButton, button, column, described, row
from .theme import look

_MOST_LINES = 6
_ICON = 18
_LEAST_TEXT = 240  # pixels beside the buttons
PASSING_MS = 8000
"""How long news is in sight that asks for nothing."""


@dataclass(frozen=True)
class Notice:
    """One thing to tell: how grave, in one sentence, and what can be done about it."""

    level: Literal["info", "warning", "error"]
    text: str
    actions: tuple[str, ...] = ()


class _Text(QLabel):
    """Wraps between words, and shortens a word that is wider than the line."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._whole = text
        described(self, text, "")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        metrics, room, middle = self.fontMetrics(), self.contentsRect().width(), Qt.TextElideMode.ElideMiddle
        shown = " ".join(metrics.elidedText(word, middle, room) for word in self._whole.split(" "))
        if shown != self.text():
            self.setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")


class _Line(QWidget):
    """One notice."""

    dismissed = Signal()
    acted = Signal(str)

    def __init__(self, notice: Notice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._notice = notice
        self._icon = QLabel()
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(SPACE + 4, 2, 2, 2)
        self._layout.setSpacing(SPACE)
        self._layout.setColumnStretch(1, 1)
        self._layout.addWidget(self._icon, 0, 0, Qt.AlignmentFlag.AlignTop)
        self._layout.addWidget(_Text(notice.text), 0, 1)
        group = QButtonGroup(self)
        group.idClicked.connect(self._act)
        buttons = [button(text, text) for text in notice.actions]
        for number, act in enumerate(buttons):
            group.addButton(act, number)
        self._buttons = QWidget(self)
        self._side_by_side = row(*buttons)
        self._buttons.setLayout(self._side_by_side)
        self._buttons.setVisible(bool(buttons))
        self._wide = self._buttons.sizeHint().width()
        self._close = IconButton("cancel", self.tr("Dismiss"), self.tr("Dismiss this notice (Escape)"))
        self._close.clicked.connect(self.dismissed)
        self._layout.addWidget(self._close, 0, 3, Qt.AlignmentFlag.AlignTop)
        self._put_buttons(below=False)
        self._show_icon()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._put_buttons(below=self.width() - self._wide < _LEAST_TEXT)

    def _put_buttons(self, *, below: bool) -> None:
        """Beside the text, or below it where that would leave it no room."""
        place = (1, 1, 1, 3) if below else (0, 2, 1, 1)
        fits = self._wide + _ICON + 3 * SPACE <= self.width()
        direction = QBoxLayout.Direction.TopToBottom if below and not fits else QBoxLayout.Direction.LeftToRight
        self._side_by_side.setDirection(direction)
        self._layout.addWidget(self._buttons, *place, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)

    def take_focus(self) -> None:
        """Let Escape dismiss this notice next."""
        self.show()
        self._close.setFocus()

    def _act(self, number: int) -> None:
        self.acted.emit(self._notice.actions[number])

    def _colour(self) -> QColor:
        colours = look()
        return QColor({"info": colours.accent, "warning": colours.warning, "error": colours.error}[self._notice.level])

    def _show_icon(self) -> None:
        ratio = self.devicePixelRatioF()
        side = round(_ICON * ratio)
        picture = icons.pixmap(self._notice.level, self._colour(), QSize(side, side))
        picture.setDevicePixelRatio(ratio)
        self._icon.setPixmap(picture)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        tint = self._colour()
        painter.fillRect(0, 0, 4, self.height(), tint)
        tint.setAlpha(28)
        painter.fillRect(self.rect(), tint)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismissed.emit()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_close"):
            self._show_icon()


class NoticeBar(QWidget):
    """Notices one above the other; only the first until the others are asked for.

    News that asks for nothing goes by itself after a while, unless the mouse is on it.
    ``dismissed`` carries the notice, ``action_chosen`` the notice and the text of the action.
    """

    dismissed = Signal(object)
    action_chosen = Signal(object, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._notices: list[Notice] = []
        self._is_open = False
        self._lines: list[_Line] = []
        self.setAccessibleName(self.tr("Notices"))
        self.setAutoFillBackground(True)  # it lies over the views
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # and makes no window wider
        self._passing = QTimer(self)
        self._passing.setSingleShot(True)
        self._passing.timeout.connect(self._pass)
        self._more = button(self.tr("More"), self.tr("Show more notices, or only the first"))
        self._all = button(self.tr("Dismiss all"), self.tr("Dismiss all notices"))
        self._more.clicked.connect(self._unfold)
        self._all.clicked.connect(self._dismiss_all)
        self._foot = QWidget()
        self._foot.setLayout(row(self._more, self._all))
        self._column = column(self)
        self._column.setSpacing(1)
        self._column.addWidget(self._foot)
        self.set_notices(())

    def set_notices(self, notices: Iterable[Notice]) -> None:
        """Show notices, the most important first."""
        notices = list(notices)
        if notices != self._notices or not notices:
            self._notices = notices
            self._show()

    def dismiss_first(self) -> None:
        """Dismiss the first notice, as Escape does while the bar has the focus."""
        if self._notices:
            self._dismiss(self._notices[0])

    def _show(self) -> None:
        shown = self._notices[: _MOST_LINES if self._is_open else 1]
        for line in self._lines:
            line.hide()
            line.setParent(None)
            line.deleteLater()
        self._lines = [self._line(notice) for notice in shown]
        for number, line in enumerate(self._lines):
            self._column.insertWidget(number, line)
        rest = len(self._notices) - len(shown)
        self._more.setText(self.tr("{n} more").format(n=rest) if rest else self.tr("Show only the first"))
        self._foot.setVisible(len(self._notices) > 1)
        self.setVisible(bool(self._notices))
        if self._notices and self._notices[0].level == "info" and not self._notices[0].actions:
            self._passing.start(PASSING_MS)
        else:
            self._passing.stop()

    def _pass(self) -> None:
        if self.underMouse():
            self._passing.start(PASSING_MS)
        else:
            self.dismiss_first()

    def _line(self, notice: Notice) -> _Line:
        line = _Line(notice)
        line.dismissed.connect(partial(self._dismiss, notice))
        line.acted.connect(partial(self.action_chosen.emit, notice))
        return line

    def _unfold(self) -> None:
        self._is_open = len(self._lines) == 1
        self._show()

    def _dismiss(self, notice: Notice) -> None:
        focused = QApplication.focusWidget()
        had_focus = focused is not None and any(line.isAncestorOf(focused) for line in self._lines)
        self._notices = [other for other in self._notices if other is not notice]
        self._show()
        if had_focus and self._lines:
            self._lines[0].take_focus()
        self.dismissed.emit(notice)

    def _dismiss_all(self) -> None:
        gone, self._notices = self._notices, []
        self._show()
        for notice in gone:
            self.dismissed.emit(notice)
