"""The demo in the window: says what to try next, and shows what was planted when asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from ..answers import Answer
from ..compute import open_file
from ..demo_studies import (
    Planted,
    demo_of,
    first_view,
    is_planted,
    others_of,
    planted_of,
    with_planted,
    without_planted,
)
from ..recipes import FileMap
from ..session import Notice, Session
from .study_open import OpenStudy

if TYPE_CHECKING:
    from ..simulated.demo import Demo

JOB = "planted"


class DemoControl(QObject):
    """Follows the study of a window, and knows when it is one of the demo; ``ask`` brings the panel of questions.

    Signals
    -------
    opened
        A study of the demo has been opened.
    """

    opened = Signal()

    def __init__(self, session: Session, opened: OpenStudy, ask: Callable[[], None] | None) -> None:
        super().__init__(opened)
        self._session, self._opened, self._ask = session, opened, ask
        self._folder: Path | None = None
        opened.changed.connect(self.follow)

    @property
    def demo(self) -> Demo | None:
        """The demo that the open study belongs to."""
        study = self._opened.study
        return None if study is None else demo_of(study.folder)

    @property
    def shows_planted(self) -> bool:
        """Whether the view shows what was planted."""
        demo = self.demo
        return demo is not None and any(is_planted(overlay, demo) for overlay in self._session.state.overlays)

    def follow(self) -> None:
        """Another study may be open: greet whoever opens one of the demo."""
        study = self._opened.study
        folder = None if study is None else study.folder
        if folder == self._folder:
            return
        self._folder, demo = folder, self.demo
        if folder is None or demo is None:
            return
        text = self.tr(
            "A simulated study: nobody was scanned. Full stop and comma step through people; what was planted is in "
            "the Study menu."
        )
        actions: list[tuple[str, Callable[[], None]]] = [] if self._ask is None else [(self.tr("Ask…"), self._ask)]
        actions += [(other.name, lambda other=other: self.show(other)) for other in others_of(demo, folder)]
        self._session.noticed.emit(Notice("info", text, tuple(actions)))
        self.opened.emit()

    def show(self, folder: Path) -> None:
        """Another study of the demo, as it is seen first."""
        demo = demo_of(folder)
        if demo is not None:
            show_first(self._session, demo, folder)

    def toggle_planted(self) -> None:
        """Show what was planted in the study, or take it away again."""
        demo, folder, session = self.demo, self._folder, self._session
        if demo is None or folder is None:
            return
        if self.shows_planted:
            session.store.update(without_planted(session.state, demo), self.tr("hide what was planted"))
            return
        maps = planted_of(demo, folder)
        if not maps:
            text = self.tr("What was planted in this study is no map; it is listed in {path}.")
            session.noticed.emit(Notice("info", text.format(path=demo.planted)))
            return
        title = self.tr("Opening what was planted")
        session.start(JOB, title, lambda _: [(each, open_file(str(each.path))) for each in maps], self._take)

    def _take(self, layers: list[tuple[Planted, Answer]]) -> None:
        session = self._session
        for planted, answer in layers:
            session.results.put(FileMap(str(planted.path)), answer)
        after = with_planted(session.state, layers)
        if after == session.state:
            session.noticed.emit(Notice("info", self.tr("Nothing was planted in this study.")))
        session.store.update(after, self.tr("show what was planted"))


def show_first(session: Session, demo: Demo, folder: Path) -> None:
    """Open a study of the demo as it is seen first; how the user looks at brains stays."""
    view = first_view(demo, folder)
    view = replace(view, radiological=session.state.radiological, marks=session.state.marks)
    session.store.update(view, f"open {folder.name}")
