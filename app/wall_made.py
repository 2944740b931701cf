"""A wall as a view: scans of people as layers, each in its cell, on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from msgspec.structs import replace

from .answers import Answer
from .display import round_number
from .recipes import NativeMap, Recipe, StudyMap
from .state import Colours, Overlay, ViewState, Wall
from .study.native import THROUGH
from .study.values import PERSON

Look = Literal["scan", "difference", "native"]
Shown = StudyMap | NativeMap


class Place(NamedTuple):
    """A cell of the wall: what it shows, what it is called, and what it shares a scale with; None is no scan."""

    recipe: Shown | None
    title: str
    look: Look = "scan"


def person_of(recipe: StudyMap) -> str:
    """Whose scan it is."""
    return dict(recipe.rows.where).get(PERSON, "")


def recipes_on(state: ViewState) -> list[list[StudyMap]]:
    """Prepared scans on a view's wall, row by row."""
    rows = [[state.overlay(key) for key in row] for row in state.wall.rows]
    return [[each.recipe for each in row if each is not None and isinstance(each.recipe, StudyMap)] for row in rows]


def people_on(state: ViewState) -> tuple[str, ...]:
    """Who is on a view's wall."""
    return tuple(person_of(row[0]) for row in recipes_on(state) if row)


def on_wall(state: ViewState, rows: Sequence[Sequence[Place]], answers: dict[Shown, Answer]) -> ViewState:
    """The view with a wall of scans; anatomy and other layers lie beneath all of them as they are.

    A wall that replaces another keeps its colours and thresholds.
    """
    kept = _looks_on(state)
    state = without_wall(state)
    places = [place for row in rows for place in row if place.recipe in answers]
    kinds: set[Look] = {place.look for place in places}
    looks = {kind: kept.get(kind) or look_of(places, answers, kind) for kind in kinds}
    keys: list[tuple[int, ...]] = []
    for row in rows:
        found: list[int] = []
        for place in row:
            if place.recipe is None or place.recipe not in answers:
                found += [] if place.look == "native" else [0]
                continue
            key = state.next_key()
            title = place.title + (f", {how}" if (how := answers[place.recipe].notes.get(THROUGH)) else "")
            layer = replace(looks[place.look], key=key, recipe=place.recipe, name=title)
            state = replace(state, overlays=(*state.overlays, layer))
            found.append(key)
        keys.append(tuple(found))
    first = next(key for row in keys for key in row if key)
    hidden = tuple(_beneath(overlay, on=first) for overlay in state.overlays)
    return replace(state, overlays=hidden, wall=Wall(tuple(keys), state.wall.axis), layout="wall", selected=first)


def _looks_on(state: ViewState) -> dict[Look, Overlay]:
    """What scans and differences look like on a wall that is up."""
    found: dict[Look, Overlay] = {}
    for key in (key for row in state.wall.rows for key in row):
        overlay = state.overlay(key)
        if overlay is not None and state.layout == "wall":
            found.setdefault(_look_kind(overlay.recipe), replace(overlay, visible=True, frame=0))
    return found


def _look_kind(recipe: Recipe) -> Look:
    if isinstance(recipe, StudyMap):
        return "scan" if recipe.rows.per == "scan" else "difference"
    return "native"


def _beneath(overlay: Overlay, on: int) -> Overlay:
    """Scans that were shown by themselves would lie under those of the wall: they are switched off."""
    alone = overlay.key < on and overlay.colours.name != "grey"
    return replace(overlay, visible=False) if alone else overlay


def look_of(places: Sequence[Place], answers: dict[Shown, Answer], kind: Look) -> Overlay:
    """One scale for all: from 0 to what nearly all values stay below, or as far to both sides of 0, which is white."""
    alike = [place.recipe for place in places if place.look == kind and place.recipe is not None]
    top = round_number(max((_top(answers[recipe]) for recipe in alike), default=1.0)) or 1.0
    colours = Colours("vik", -top, top) if kind == "difference" else Colours("hot-metal", 0.0, top)
    return Overlay(0, alike[0], "", colours)


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
