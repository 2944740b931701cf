"""The before/after wall: a person's sessions beside one another and their difference, prepared alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace
from PySide6.QtCore import QObject

from ..answers import Answer
from ..compute import compute
from ..problems import Cancelled, Problem
from ..recipes import StudyMap
from ..session import Notice, Session
from ..state import Layout, ViewState
from ..study.rows import Measure, StudyRows
from ..study.values import PERSON, Choices, Study
from ..wall_made import Place, Shown, on_wall, people_on, person_of, recipes_on, without_wall
from .study_open import OpenStudy

MOST_PEOPLE = 6
JOB = "wall"
Report = Callable[[float], None]


class Before(NamedTuple):
    """What the view was before the wall: its layout, and the layers that were switched off for it."""

    layout: Layout = "ortho+surface"
    hidden: frozenset[int] = frozenset()


class WallControl(QObject):
    """Puts people of the open study on the wall, and takes them down again."""

    def __init__(self, session: Session, opened: OpenStudy) -> None:
        super().__init__(opened)
        self._session, self._opened = session, opened
        self._before = Before()
        self._wanted: tuple[str, ...] = ()
        opened.instead = self._take_person
        opened.taken_down = self.taken_down
        session.changed.connect(self._follow)
        opened.changed.connect(self._hide_order)

    # -- up and down

    @property
    def is_up(self) -> bool:
        """Whether the view is a wall."""
        return self._session.state.layout == "wall"

    def toggle(self) -> None:
        """The wall of the people who are selected, or of whose scan is shown; or away with it."""
        if self.is_up:
            self.take_down()
            return
        people = self._opened.selection
        shown = self._opened.shown_now()
        if not people and shown is not None:
            people = (shown.participant,)
        self.show(people or self._opened.people()[:1])

    def step(self, steps: int, people: tuple[str, ...]) -> None:
        """To the next or previous people in this order; as many as are up stay up."""
        now = self._wanted if self._session.jobs.busy(JOB) else people_on(self._session.state)
        places = [people.index(who) for who in now if who in people]
        count = max(1, len(now))
        last = max(0, len(people) - count)
        first = min(max(min(places) + steps, 0), last) if places else (0 if steps > 0 else last)
        chosen = people[first : first + count]
        if chosen and chosen != now:
            self.show(chosen)

    def show(self, people: Sequence[str]) -> None:
        """Prepare the scans of some people, and show them beside one another."""
        study = self._opened.study
        if study is None or not people:
            self._tell(self.tr("Open a study and select people to put on the wall."))
            return
        if len(people) > MOST_PEOPLE:
            text = self.tr("The wall takes {most} people at a time; the first {most} of {n} are shown.")
            self._tell(text.format(most=MOST_PEOPLE, n=len(people)))
        people = people[:MOST_PEOPLE]
        if self._opened.is_blinded:  # their order may tell an arm
            people = [who for who in self._opened.people() if who in people]
        self._wanted = tuple(people)
        folder = str(self._session.state.study)
        rows = [row_of(self._opened, folder, person) for person in people]
        if len(rows) == 1:
            rows[0] += natives_of(self._opened, people[0])
        wanted = [place.recipe for row in rows for place in row if place.recipe is not None]
        if not any(isinstance(recipe, StudyMap) for recipe in wanted):
            self._tell(self.tr("None of these people has a scan for the wall."))
            return
        self._session.start(
            JOB, self.tr("Preparing the wall"), lambda report: _answers(wanted, report), self._take(rows)
        )

    def take_down(self) -> None:
        """Back to the layout before, without the wall's layers."""
        self._session.store.update(self.taken_down(self._session.state), self.tr("leave the wall"))

    def taken_down(self, state: ViewState) -> ViewState:
        """A view without a wall, as it was before it was put up."""
        if state.layout != "wall" and not state.wall.rows:
            return state
        layout = self._before.layout if state.layout == "wall" else state.layout
        state = without_wall(state)
        shown = tuple(
            replace(overlay, visible=True) if overlay.key in self._before.hidden else overlay
            for overlay in state.overlays
        )
        return replace(state, overlays=shown, layout=layout)

    def _take(self, rows: list[list[Place]]) -> Callable[[Any], None]:
        def take(made: tuple[dict[Shown, Answer], tuple[Problem, ...]]) -> None:
            answers, problems = made
            for problem in problems:
                self._session.noticed.emit(Notice("warning", self._opened.shown_text(str(problem))))
            if not any(isinstance(recipe, StudyMap) for recipe in answers):
                return
            for recipe, answer in answers.items():
                self._session.results.put(recipe, answer)
            state = self._session.state
            after = on_wall(state, rows, answers)
            if state.layout != "wall":
                seen = {overlay.key for overlay in state.overlays if overlay.visible}
                hidden = frozenset(each.key for each in after.overlays if not each.visible and each.key in seen)
                self._before = Before(state.layout, hidden)
            self._session.store.update(after, self.tr("show the wall"))
            self._opened.select(self._wanted)

        return take

    def _take_person(self, person: str) -> bool:
        """Somebody is to be opened: while the wall is up, on it."""
        if self.is_up:
            self.show((person,))
        return self.is_up

    def _follow(self) -> None:
        """A wall that was saved, or comes back by undo."""
        if self.is_up and self._opened.is_blinded and self._tells(self._session.state):
            self._hide_order()

    def _hide_order(self) -> None:
        """No wall, nor any step of undo, tells the order of sessions while it is hidden."""
        if not self._opened.is_blinded:
            return
        people = people_on(self._session.state) if self.is_up else ()
        self._session.store.rewrite(lambda view: self.taken_down(view) if self._tells(view) else view)
        if people and not self.is_up:
            self.show(people)

    def _tells(self, state: ViewState) -> bool:
        """Whether people on a view's wall, its columns or a difference are in another order than the shown names."""
        people = people_on(state)
        if people != tuple(who for who in self._opened.people() if who in people):
            return True
        for row in recipes_on(state):
            asked = [(recipe.rows.per, recipe.rows.sessions, person_of(recipe)) for recipe in row]
            order = {who: [scan.session or "" for scan in self._opened.scans_of(who)] for _, _, who in asked}
            columns = [sessions[0] for per, sessions, _ in asked if per == "scan" and sessions]
            if columns != [each for each in next(iter(order.values()), []) if each in columns]:
                return True
            if any(order[who] and pair != (order[who][0], order[who][-1]) for per, pair, who in asked if per != "scan"):
                return True
        return False

    def _tell(self, text: str) -> None:
        self._session.noticed.emit(Notice("info", text))


def row_of(opened: OpenStudy, folder: str, person: str) -> list[Place]:
    """A person's sessions in the order that may be seen, then the last less the first."""
    study = opened.study
    if study is None:
        return []
    sessions, name = opened.sessions_of_scans(), opened.shown_name(person)
    there = [scan.session or "" for scan in opened.scans_of(person)]
    order = there if opened.is_blinded else list(sessions)
    asked = StudyRows(folder, measure_of(study), choices_of(study), where=((PERSON, person),))
    row = [
        Place(
            StudyMap(replace(asked, per="scan", sessions=(session,) if session else ())) if session in there else None,
            f"{name} {opened.shown_session(person, session)}".strip(),
        )
        for session in order
    ]
    if len(sessions) > 1:
        pair = (order[0], order[-1]) if len(order) > 1 and {order[0], order[-1]} <= set(there) else None
        names = [opened.shown_session(person, session) for session in pair or ()]
        title = f"{name} " + " \N{MINUS SIGN} ".join(reversed(names)) if names else name
        row += [Place(None, name)] * (len(sessions) - len(row))
        row.append(
            Place(StudyMap(replace(asked, per="difference", sessions=pair)) if pair else None, title, "difference")
        )
    return row


def natives_of(opened: OpenStudy, person: str) -> list[Place]:
    """A person's scans in their own space, where a transform to the template is given."""
    from ..study.native import native_scans  # noqa: PLC0415

    study = opened.study
    scans = () if study is None else native_scans(study, person, opened.scans_of(person))
    return [
        Place(recipe, f"{opened.shown_name(person)} {opened.shown_session(person, scan.session)} native", "native")
        for scan, recipe in scans
    ]


def measure_of(study: Study) -> Measure:
    """What there is to compare: ratio maps of PET, else degree of runs, else given maps."""
    kinds = {scan.kind for scan in study.scans}
    if kinds & {"pet", "suvr"}:
        return "pet"
    return "degree" if "bold" in kinds else "map"


def choices_of(study: Study) -> Choices:
    """What is kept with the study."""
    from ..study.kept import choices_of as kept  # noqa: PLC0415

    return kept(study)


def _answers(wanted: Sequence[Shown], report: Report) -> tuple[dict[Shown, Answer], tuple[Problem, ...]]:
    """Prepared scans, and why some could not be."""
    made: dict[Shown, Answer] = {}
    problems: list[Problem] = []
    for number, recipe in enumerate(wanted):
        try:
            made[recipe] = compute(recipe, lambda _: None, lambda done, at=number: report((at + done) / len(wanted)))
        except Cancelled:
            raise
        except Problem as problem:
            problems.append(problem)
    return made, tuple(problems)
