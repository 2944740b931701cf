"""The before/after wall: a person's sessions beside one another and their difference, prepared alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from msgspec.structs import replace
from PySide6.QtCore import QObject

from ..answers import Answer
from ..compute import compute
from ..display import round_number
from ..problems import Cancelled, Problem
from ..recipes import StudyMap
from ..session import Notice, Session
from ..state import Colours, Layout, Overlay, Threshold, ViewState, Wall
from ..study.rows import Measure, StudyRows
from ..study.values import PERSON, Choices, Study
from .study_open import OpenStudy

MOST_PEOPLE = 6
JOB = "wall"
Report = Callable[[float], None]


class Place(NamedTuple):
    """A cell of the wall: what it shows and what it is called; None where there is no scan."""

    recipe: StudyMap | None
    title: str
    is_difference: bool


class WallControl(QObject):
    """Puts people of the open study on the wall, and takes them down again."""

    def __init__(self, session: Session, opened: OpenStudy) -> None:
        super().__init__(opened)
        self._session, self._opened = session, opened
        self._before: Layout = "ortho+surface"

    def toggle(self) -> None:
        """The wall of the people who are selected, or of whose scan is shown; or away with it."""
        if self._session.state.layout == "wall":
            self.take_down()
            return
        people = self._opened.selection
        shown = self._opened.shown_now()
        if not people and shown is not None:
            people = (shown.participant,)
        self.show(people or self._opened.people()[:1])

    def show(self, people: Sequence[str], measure: Measure | None = None) -> None:
        """Prepare the scans of some people, and show them beside one another."""
        study = self._opened.study
        if study is None or not people:
            self._tell(self.tr("Open a study and select people to put on the wall."))
            return
        if len(people) > MOST_PEOPLE:
            text = self.tr("The wall takes {most} people at a time; the first {most} of {n} are shown.")
            self._tell(text.format(most=MOST_PEOPLE, n=len(people)))
        rows = self._places(study, people[:MOST_PEOPLE], measure or measure_of(study))
        if not any(place.recipe for row in rows for place in row):
            self._tell(self.tr("None of these people has a scan for the wall."))
            return
        wanted = [place.recipe for row in rows for place in row if place.recipe is not None]
        self._session.start(
            JOB, self.tr("Preparing the wall"), lambda report: _answers(wanted, report), self._take(rows)
        )

    def take_down(self) -> None:
        """Back to the layout before, without the wall's layers."""
        state = self._session.state
        self._session.store.update(replace(without_wall(state), layout=self._before), self.tr("leave the wall"))

    def _take(self, rows: list[list[Place]]) -> Callable[[Any], None]:
        def take(made: tuple[dict[StudyMap, Answer], tuple[Problem, ...]]) -> None:
            answers, problems = made
            for problem in problems:
                self._session.noticed.emit(Notice("warning", self._opened.shown_text(str(problem))))
            if not answers:
                return
            for recipe, answer in answers.items():
                self._session.results.put(recipe, answer)
            state = self._session.state
            if state.layout != "wall":
                self._before = state.layout
            self._session.store.update(on_wall(state, rows, answers), self.tr("show the wall"))

        return take

    def _places(self, study: Study, people: Sequence[str], measure: Measure) -> list[list[Place]]:
        """A row per person: sessions in the order that may be seen, then the last less the first."""
        opened, folder = self._opened, str(self._session.state.study)
        sessions = opened.sessions_of_scans()
        rows: list[list[Place]] = []
        for person in people:
            scans = opened.scans_of(person)
            there = [scan.session or "" for scan in scans]
            order = there if opened.is_blinded else list(sessions)
            asked = StudyRows(folder, measure, choices_of(study), where=((PERSON, person),))
            name = opened.shown_name(person)
            row = [
                Place(
                    StudyMap(replace(asked, per="scan", sessions=(session,) if session else ()))
                    if session in there
                    else None,
                    f"{name} {opened.shown_session(person, session)}".strip(),
                    is_difference=False,
                )
                for session in order
            ]
            if len(sessions) > 1:
                pair = (order[0], order[-1]) if len(order) > 1 else None
                complete = pair is not None and set(pair) <= set(there)
                names = [opened.shown_session(person, session) for session in pair or ()]
                change = StudyMap(replace(asked, per="difference", sessions=pair)) if pair and complete else None
                title = f"{name} " + " \N{MINUS SIGN} ".join(reversed(names)) if names else name
                row += [Place(None, name, is_difference=False)] * (len(sessions) - len(row))
                row.append(Place(change, title, is_difference=True))
            rows.append(row)
        return rows

    def _tell(self, text: str) -> None:
        self._session.noticed.emit(Notice("info", text))


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


def _answers(wanted: Sequence[StudyMap], report: Report) -> tuple[dict[StudyMap, Answer], tuple[Problem, ...]]:
    """Prepared scans, and why some could not be."""
    made: dict[StudyMap, Answer] = {}
    problems: list[Problem] = []
    for number, recipe in enumerate(wanted):
        try:
            made[recipe] = compute(recipe, lambda _: None, lambda done, at=number: report((at + done) / len(wanted)))
        except Cancelled:
            raise
        except Problem as problem:
            problems.append(problem)
    return made, tuple(problems)


def on_wall(state: ViewState, rows: Sequence[Sequence[Place]], answers: dict[StudyMap, Answer]) -> ViewState:
    """The view with a wall of scans; anatomy and other layers lie beneath all of them as they are."""
    state = without_wall(state)
    places = [place for row in rows for place in row if place.recipe in answers]
    looks = {
        kind: look_of([answers[place.recipe] for place in places if place.recipe and place.is_difference is kind], kind)
        for kind in (False, True)
    }
    keys: list[tuple[int, ...]] = []
    for row in rows:
        found: list[int] = []
        for place in row:
            if place.recipe is None or place.recipe not in answers:
                found.append(0)
                continue
            colours, threshold = looks[place.is_difference]
            key = state.next_key()
            layer = Overlay(key, place.recipe, place.title, colours, threshold)
            state = replace(state, overlays=(*state.overlays, layer))
            found.append(key)
        keys.append(tuple(found))
    first = next(key for row in keys for key in row if key)
    hidden = tuple(_beneath(overlay, on=first) for overlay in state.overlays)
    return replace(state, overlays=hidden, wall=Wall(tuple(keys)), layout="wall", selected=first)


def _beneath(overlay: Overlay, on: int) -> Overlay:
    """Scans that were shown by themselves would lie under those of the wall: they are switched off."""
    alone = overlay.key < on and overlay.colours.name != "grey"
    return replace(overlay, visible=False) if alone else overlay


def look_of(answers: Sequence[Answer], is_difference: bool) -> tuple[Colours, Threshold]:
    """One scale for all: from 0 to what nearly all values stay below, or as far to both sides of 0, which is white."""
    tops = [_top(answer) for answer in answers]
    top = round_number(max(tops, default=1.0)) or 1.0
    if is_difference:
        return Colours("vik", -top, top), Threshold()
    return Colours("hot-metal", 0.0, top), Threshold()


def _top(answer: Answer) -> float:
    if answer.image is None:
        return 0.0
    values = answer.image.frame(0)
    size = np.abs(values[np.isfinite(values) & (values != 0)])
    return float(np.percentile(size, 99.5)) if size.size else 0.0


def without_wall(state: ViewState) -> ViewState:
    """The view without the layers of its wall."""
    on_it = {key for row in state.wall.rows for key in row}
    overlays = tuple(overlay for overlay in state.overlays if overlay.key not in on_it)
    selected = state.selected if any(overlay.key == state.selected for overlay in overlays) else None
    if selected is None and overlays:
        selected = overlays[-1].key
    return replace(state, overlays=overlays, wall=Wall(), selected=selected)
