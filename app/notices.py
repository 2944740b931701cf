"""What the window has to tell, until it is dismissed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from ..widgets.notice_bar import Notice as ShownNotice
from ..widgets.notice_bar import NoticeBar
from .session import Notice

LEVELS = ("error", "warning", "info")


class Notices(QObject):
    """Keeps notices, shows them in a bar, and does what their buttons say."""

    def __init__(self, bar: NoticeBar) -> None:
        super().__init__(bar)
        self._bar = bar
        self._notices: list[Notice] = []
        bar.dismissed.connect(self._dismiss)
        bar.action_chosen.connect(self._act)

    @property
    def texts(self) -> tuple[str, ...]:
        """What is being told, the oldest first."""
        return tuple(notice.text for notice in self._notices)

    def add(self, notice: Notice) -> None:
        """Show a notice; the same one once, with what can be done now."""
        self._notices = [other for other in self._notices if other.text != notice.text]
        self._notices.append(notice)
        self._show()

    def rewrite(self, shown: Callable[[str], str]) -> None:
        """Tell what is being told in other words."""
        self._notices = [notice._replace(text=shown(notice.text)) for notice in self._notices]
        self._show()

    def _show(self) -> None:
        """Errors first, the newest first: only one is in sight until the others are asked for."""
        ordered = [n for level in LEVELS for n in reversed(self._notices) if n.level == level]
        self._bar.set_notices(ShownNotice(n.level, n.text, tuple(text for text, _ in n.actions)) for n in ordered)

    def _find(self, shown: object) -> Notice | None:
        return next((n for n in self._notices if isinstance(shown, ShownNotice) and n.text == shown.text), None)

    def _dismiss(self, shown: object) -> None:
        notice = self._find(shown)
        if notice is not None:
            self._notices.remove(notice)
            self._show()

    def _act(self, shown: object, action: str) -> None:
        notice = self._find(shown)
        if notice is not None:
            self._dismiss(shown)
            for text, do in notice.actions:
                if text == action:
                    do()
