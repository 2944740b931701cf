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

    A wall that replaces another of the same study keeps its colours and thresholds, and its place among the layers.
    """
    on_it = {key for row in state.wall.rows for key in row}
    places = [place for row in rows for place in row if place.recipe in answers]
    kept = _looks_on(state) if _measured(recipes_on(state)) == _measured([[place.recipe for place in places]]) else {}
    kinds: set[Look] = {place.look for place in places}
    looks = {kind: kept.get(kind) or look_of(places, answers, kind) for kind in kinds}
    key, layers, keys = state.next_key(), list[Overlay](), list[tuple[int, ...]]()
    for row in rows:
        found: list[int] = []
        for place in row:
            if place.recipe is None or place.recipe not in answers:
                found += [] if place.look == "native" else [0]
                continue
            title = place.title + (f" by {how}" if (how := answers[place.recipe].notes.get(THROUGH)) else "")
            layers.append(replace(looks[place.look], key=key, recipe=place.recipe, name=title))
            found.append(key)
            key += 1
        keys.append(tuple(found))
    at = next((n for n, each in enumerate(state.overlays) if each.key in on_it), len(state.overlays))
    others = [each for each in state.overlays if each.key not in on_it]
    if state.layout != "wall":
        others = [_beneath(each) for each in others]
    overlays = (*others[:at], *layers, *others[at:])
    wall = Wall(tuple(keys), state.wall.axis)
    return replace(state, overlays=overlays, wall=wall, layout="wall", selected=layers[0].key)


def _measured(rows: Sequence[Sequence[Recipe | None]]) -> tuple[str, str] | None:
    """Study and measure of what is on a wall."""
    return next(
        ((each.rows.study, each.rows.measure) for row in rows for each in row if isinstance(each, StudyMap)), None
    )


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


def _beneath(overlay: Overlay) -> Overlay:
    """Scans that were shown by themselves would lie under those of the wall: they are switched off."""
    return overlay if overlay.colours.name == "grey" else replace(overlay, visible=False)


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
