"""The answer panel: the answer so far, where its regions are, more of it, and its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from ...widgets.ask_results import AskResults
from ..problems import Problem
from ..session import Notice, Session
from .ask_answers import Answers
from .study_open import OpenStudy

if TYPE_CHECKING:
    from ..study.answers import Answered, RegionRow
    from .ask_more import More

VIEW, PLACE, MORE = "answer view", "answer place", "answer more"
SAVE = ("save", "answer")


class AskShow(QObject):
    """Binds `AskResults` to the answers of a window.

    Signals
    -------
    folder_wanted
        For the files of the answer: the window asks for one and calls `export`.
    """

    folder_wanted = Signal()

    def __init__(self, session: Session, opened: OpenStudy, panel: AskResults, answers: Answers) -> None:
        super().__init__(panel)
        self._session, self._opened, self._panel, self._answers = session, opened, panel, answers
        self._shown: object = None
        panel.region_chosen.connect(self._go)
        panel.person_chosen.connect(lambda who: opened.select((who,)))
        panel.export_requested.connect(self._ask_folder)
        panel.more_requested.connect(self.ask_more)
        panel.cancel_requested.connect(self._cancel)
        answers.changed.connect(self.refresh)
        opened.changed.connect(self.refresh)
        session.jobs.finished.connect(self._take)
        session.jobs.progressed.connect(self._progressed)
        for ended in (session.jobs.finished, session.jobs.failed, session.jobs.cancelled):
            ended.connect(self._ended)

    def refresh(self) -> None:
        """Show the answer so far."""
        answers, panel = self._answers, self._panel
        found = answers.found
        self._show_progress()
        if found is None or self._is_hidden():
            self._shown = None
            panel.set_empty(self._why_empty())
            return
        blinding = self._opened.blinding
        wanted = (found, blinding, answers.so_far)
        if wanted == self._shown:
            return
        self._shown = wanted
        picture, so_far = answers.picture, answers.so_far

        def work(_: object) -> Any:
            from .ask_words import view_of  # noqa: PLC0415 - pandas

            return wanted, view_of(found, blinding, picture=picture, so_far=so_far)

        self._session.jobs.live(VIEW, work)

    def _is_hidden(self) -> bool:
        """Whether the answer tells what may not be seen."""
        from .ask_plan import unblinds  # noqa: PLC0415 - pandas

        asked, blinding = self._answers.asked, self._opened.blinding
        if blinding is None or not blinding.is_on:
            return False
        return asked is not None and unblinds(asked.study, asked.plan, blinding)

    def _why_empty(self) -> str:
        answers = self._answers
        if self._is_hidden():
            return self.tr("This answer compares arms or sessions, which are hidden while the study is blinded.")
        if answers.problem:
            return answers.problem
        if answers.progress is not None:
            return self.tr("The question is being answered; its map is shown as soon as it is fitted.")
        return self.tr("Ask a question in the Ask panel to see its answer here.")

    def _show_progress(self) -> None:
        answers = self._answers
        text = self.tr("so far") if answers.so_far and answers.found is not None else ""
        if answers.problem and answers.found is not None:
            text = answers.problem
        self._panel.set_progress(answers.progress, text)

    def _take(self, key: object, result: Any) -> None:
        if key == VIEW and result[0] == self._shown:
            self._panel.set_view(result[1])
        elif key == PLACE and result is not None:
            self._session.move_crosshair(result, merge=None)

    # -- regions

    def _go(self, number: int) -> None:
        """To a region's middle."""
        found = self._answers.found
        if found is None or number >= len(found.regions):
            return
        row = found.regions[number]

        def work(_: object) -> Any:
            return place_of(row)

        self._session.jobs.live(PLACE, work)

    # -- more

    def ask_more(self) -> None:
        """The same question under other choices."""
        found, asked = self._answers.found, self._answers.asked
        if found is None or asked is None or self._session.jobs.busy(MORE):
            return
        study = asked.study
        title = self.tr("Asking under other choices")

        def work(report: Callable[[float], None]) -> More:
            from .ask_more import more_of  # noqa: PLC0415 - pandas

            return more_of(found, study, report)

        def then(more: More) -> None:
            if self._answers.found is found:
                self._answers.replace(more.answered, more.picture)

        self._session.start(MORE, title, work, then)

    def _progressed(self, key: object, title: str, fraction: float) -> None:
        if key in (MORE, SAVE):
            self._panel.set_progress(fraction, title)

    def _ended(self, key: object, *_: object) -> None:
        if key in (MORE, SAVE):
            self._show_progress()

    def _cancel(self) -> None:
        self._session.jobs.cancel(MORE)
        if self._answers.progress is not None:
            self._answers.cancel()
            self._answers.changed.emit()

    # -- files

    def _ask_folder(self) -> None:
        if self._opened.is_blinded:
            text = self.tr("An answer names sessions in its files: unblind the study before you export it.")
            self._session.noticed.emit(Notice("warning", text))
        elif self._answers.found is not None:
            self.folder_wanted.emit()

    def export(self, folder: str) -> None:
        """Write the answer into a folder, or into a new one within it when it holds other things."""
        from ..study.written import refuse_folder, write_answer  # noqa: PLC0415 - pandas

        found, asked = self._answers.found, self._answers.asked
        if found is None or asked is None or not folder:
            return
        study = asked.study
        try:
            place = refuse_folder(free_folder(Path(folder), study.folder, found), study.folder, found.plan.ask)
        except Problem as problem:
            self._session.noticed.emit(Notice("error", str(problem).replace(" with -o", "")))
            return
        title = self.tr("Writing the answer")

        def then(files: tuple[str, ...]) -> None:
            text = self.tr("{n} files of the answer are in {folder}.").format(n=len(files), folder=place)
            self._session.noticed.emit(Notice("info", text))

        self._session.start(SAVE, title, lambda report: write_answer(found, place, report, study=study), then)


def free_folder(folder: Path, study: Path, found: Answered) -> Path:
    """The folder where it is empty or holds an answer to the same; else the first new one within it."""
    from ..study.written import refuse_folder  # noqa: PLC0415

    if not folder.is_dir() or not any(folder.iterdir()):
        return folder
    try:
        return refuse_folder(folder, study, found.plan.ask)
    except Problem:
        name = f"{study.stem}-{found.plan.ask.kind}"
    number = 1
    while (place := folder / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return place


def place_of(row: RegionRow) -> tuple[float, float, float] | None:
    """The voxel of a region that is nearest to its middle; None for a term of a model."""
    import numpy as np  # noqa: PLC0415

    from ..compute import open_atlas  # noqa: PLC0415
    from ..study.region_set import named_regions, outline  # noqa: PLC0415

    if not row.atlas:
        return None
    named = next((each for each in named_regions() if each[:3] == (row.region, row.side, row.atlas)), None)
    if named is not None:
        mask, grid = outline(named)
        mm = grid.mm_of(np.argwhere(mask))
        x, y, z = (float(v) for v in mm[np.linalg.norm(mm - mm.mean(axis=0), axis=1).argmin()])
        return x, y, z
    atlas = open_atlas(row.atlas)
    title = f"{row.region} {row.side}".strip()
    region = next((each for each in atlas.regions if each.title == title), None)
    return None if region is None else atlas.centre_mm(region)
