"""The study browser: between the study of the window and its table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from ...widgets.reason_dialog import ReasonDialog
from ...widgets.study_browser import StudyBrowser, StudyHead
from ..problems import Problem
from ..session import Notice, Session
from ..study.blinding_kept import Event, events
from .study_open import ALL, OpenStudy
from .study_rows import findings_of, people_of, sessions_of
from .study_wall import WallControl

THUMBNAIL = "thumbnail"


class StudyControl(QObject):
    """Binds a `StudyBrowser` to the study of a window.

    Signals
    -------
    log_wanted : (str)
        The log of blinding, in words.
    """

    log_wanted = Signal(str)

    def __init__(self, session: Session, opened: OpenStudy, browser: StudyBrowser) -> None:
        super().__init__(browser)
        self._session, self._opened, self._browser = session, opened, browser
        self._findings: list[tuple[str, str, str]] = []
        self._folder: Path | None = None
        self.wall = WallControl(session, opened)
        table = browser.table
        table.opened.connect(opened.open_person)
        table.stepped.connect(self._follow_row)
        table.selected.connect(opened.select)
        table.graded.connect(opened.keep_quality)
        table.noted.connect(opened.keep_note)
        table.pictures_wanted.connect(self._draw)
        browser.session_chosen.connect(self._choose_session)
        browser.wall_requested.connect(self.wall.toggle)
        browser.blinding_requested.connect(self.set_blinded)
        browser.log_requested.connect(lambda: self.log_wanted.emit(self.log()))
        browser.finding_chosen.connect(self._choose_finding)
        opened.changed.connect(self.show_study)
        opened.selected.connect(table.set_selected)
        session.jobs.finished.connect(self._take_picture)
        self.show_study()

    def refresh(self) -> None:
        """The view changed: go to whose scan it shows."""
        self._browser.set_wall(is_up=self.wall.is_up)
        scan = None if self.wall.is_up else self._opened.shown_now()
        table = self._browser.table
        if scan is not None and table.current_key() != scan.participant and not table.view.hasFocus():
            table.set_selected((scan.participant,))

    def show_study(self) -> None:
        """Show the study that is open, or that there is none."""
        opened, browser = self._opened, self._browser
        loaded = opened.loaded
        folder = None if loaded is None else loaded.study.folder
        if folder != self._folder:
            self._folder = folder
            browser.table.forget_pictures()
            browser.set_filter("")
        people = people_of(opened)
        browser.set_study(None if loaded is None else self._head(loaded.study), people)
        self._findings = findings_of(opened)
        browser.set_findings([row[:2] for row in self._findings])

    def _head(self, study: Any) -> StudyHead:
        opened = self._opened
        title = opened.shown_text(study.name)
        if study.simulated and "simulated" not in title.lower():
            title = self.tr("Simulated: {name}").format(name=title)
        if opened.is_blinded:
            title = self.tr("{name} (blinded)").format(name=title)
        choices = self._sessions(sessions_of(study))
        return StudyHead(title, opened.is_blinded, choices, opened.session_choice)

    def _sessions(self, sessions: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """What of each person can be shown."""
        if len(sessions) < 2:
            return (("", self.tr("all scans")),)
        every = (ALL, self.tr("all scans"))
        if self._opened.is_blinded:
            return ("", "X"), ("last", "XYZ"[min(len(sessions), 3) - 1]), every
        first, last = self.tr("first ({name})"), self.tr("last ({name})")
        return ("", first.format(name=_label(sessions[0]))), ("last", last.format(name=_label(sessions[-1]))), every

    # -- scans

    def step(self, steps: int) -> None:
        """To the next or previous scan, in the order of the table; on a wall to the next or previous person."""
        (self.wall if self.wall.is_up else self._opened).step(steps, self._browser.table.shown_keys())

    def _follow_row(self, person: str) -> None:
        """Up and Down open the next scan once one is open."""
        if self.wall.is_up or self._opened.shown_now() is not None:
            self._opened.open_person(person)

    def _choose_session(self, choice: str) -> None:
        self._opened.session_choice = choice
        scan = None if self.wall.is_up else self._opened.shown_now()
        self.show_study()
        if scan is not None:
            self._opened.open_person(scan.participant)

    def _choose_finding(self, row: int) -> None:
        who = self._findings[row][2]
        if who:
            self._opened.select((who,))

    def _draw(self, scans: tuple[str, ...]) -> None:
        from ..study.thumbnails import thumbnail  # noqa: PLC0415

        scan = scans[0]  # one at a time: what is in sight may have changed by then

        def draw(_: object) -> Any:
            try:
                return scan, thumbnail(Path(scan))
            except Problem:
                return scan, None  # among the findings, or told when it is opened

        self._session.jobs.live(THUMBNAIL, draw)

    def _take_picture(self, key: object, drawn: Any) -> None:
        if key == THUMBNAIL:
            scan, picture = drawn
            self._browser.table.take_picture(scan, picture)

    # -- blinding

    def set_blinded(self, is_on: bool) -> None:
        """Hide names, or ask why they are to be seen."""
        if is_on:
            self._do(is_on=True)
            return
        text = self.tr(
            "Names, arms and sessions of this study will be seen again. Who unblinded it, when and why is written into "
            "the log."
        )
        dialog = ReasonDialog(self.tr("Unblind"), text, self._browser)
        dialog.given.connect(lambda reason: self._do(is_on=False, reason=reason))
        dialog.open()

    def _do(self, *, is_on: bool, reason: str = "") -> None:
        try:
            self._opened.set_blinded(is_on, reason)
        except Problem as problem:
            self._session.noticed.emit(Notice("error", str(problem)))

    def log(self) -> str:
        """Who blinded and unblinded this study, when and why."""
        study = self._opened.study
        lines = [] if study is None else [_line(event) for event in events(study.folder)]
        return "\n".join(lines) or self.tr("This study was never blinded.")


def _label(session: str) -> str:
    return session.removeprefix("ses-")


def _line(event: Event) -> str:
    """A line of the log."""
    who = f"by {event.who}" if event.who else ""
    why = f"because: {event.reason}" if event.reason else ""
    return " ".join(filter(None, (event.time, event.what, who, why)))
