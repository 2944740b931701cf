"""Views made of views: with a layer more, with a label image as an atlas."""

from __future__ import annotations

from msgspec.structs import replace

from .answers import Answer
from .display import first_overlay
from .recipes import AtlasLabels, FileMap, Recipe, label_file
from .state import ViewState


def with_layer(state: ViewState, recipe: Recipe, answer: Answer) -> ViewState:
    """The view with a new layer on top, selected; the first image also places the crosshair."""
    key = state.next_key()
    lowest = not any(overlay.visible for overlay in state.overlays)
    overlay = first_overlay(key, recipe, answer, lowest=lowest)
    box = answer.box_mm if lowest else None
    crosshair = state.crosshair_mm
    if box is not None and not all(a <= c <= b for a, c, b in zip(box[0], crosshair, box[1], strict=True)):
        x, y, z = (round((a + b) / 2, 3) for a, b in zip(*box, strict=True))
        crosshair = (x, y, z)
    return replace(state, overlays=(*state.overlays, overlay), selected=key, crosshair_mm=crosshair)


def shown_as_atlas(state: ViewState, recipe: AtlasLabels, answer: Answer) -> ViewState:
    """The view in which layers that showed a label image as numbers show it as an atlas."""
    file = FileMap(label_file(recipe.atlas)[0])
    overlays = tuple(
        replace(first_overlay(overlay.key, recipe, answer, lowest=False), visible=overlay.visible)
        if overlay.recipe == file
        else overlay
        for overlay in state.overlays
    )
    return replace(state, overlays=overlays)


def without_other_tables(state: ViewState, atlas: str) -> ViewState:
    """The view in which a label image has the table of names that ``atlas`` says, where it had another one."""
    image = label_file(atlas)[0]

    def is_same(other: str) -> bool:
        return label_file(other)[0] == image

    overlays = tuple(
        replace(overlay, recipe=AtlasLabels(atlas))
        if isinstance(overlay.recipe, AtlasLabels) and is_same(overlay.recipe.atlas)
        else overlay
        for overlay in state.overlays
    )
    atlases = tuple(other for other in state.atlases if not is_same(other))
    vouched = tuple(replace(one, atlas=atlas) if is_same(one.atlas) else one for one in state.vouched)
    return replace(state, overlays=overlays, atlases=atlases, vouched=vouched)
