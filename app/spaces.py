"""Which space the picture is in, and what may be combined: region names with images, images with a cortex."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from . import templates
from .answers import Answer
from .atlas import AtlasInfo
from .recipes import AtlasLabels, RegionMask
from .resolve import file_of
from .state import Overlay, ViewState

if TYPE_CHECKING:
    from .scenes import Shown

FSAVERAGE_FAMILIES = ("MNI305", "MNI152")
"""Spaces of images that are shown on fsaverage, whose own is MNI305; MNI152 lies 2 mm off, as in other programs."""


class Naming(NamedTuple):
    """Whether an atlas may name places of the picture.

    Attributes
    ----------
    allowed : bool
    note : str
        What its user must know, or why not; empty when there is nothing to say.
    """

    allowed: bool
    note: str


def space_of(overlay: Overlay, answer: Answer) -> str | None:
    """Space of a layer: what the user vouched for, else what its file says."""
    return overlay.space or answer.space


def space_in_view(layer: Shown, shown: tuple[Shown, ...], state: ViewState) -> str | None:
    """Space of a layer, also by what the user vouched for of the file or the atlas that it was made from."""
    said = space_of(layer.overlay, layer.answer)
    recipe = layer.overlay.recipe
    if said is None and isinstance(recipe, AtlasLabels | RegionMask):
        said = state.template_of(recipe.atlas, "") or None
        if said == templates.SAME_AS_IMAGES:
            base = reference(shown)
            said = None if base is None else space_of(base.overlay, base.answer)
    elif said is None:
        file = file_of(recipe)
        said = next((s.overlay.space for s in shown if s.overlay.recipe == file and s.overlay.space), None)
    return said


def off_cortex(layer: Shown, shown: tuple[Shown, ...], state: ViewState) -> str:
    """Why a layer's volume may not be shown on the cortex; empty when it may.

    The average cortex takes images of standard spaces that coincide with its own; a person's own takes all.
    """
    if state.surface.cortex is not None:
        return ""
    space = space_in_view(layer, shown, state)
    template = templates.known_template(space)
    if template is not None and template.family in FSAVERAGE_FAMILIES:
        return ""
    return f"it is in the space {space}" if space else "its space is not known"


def reference(shown: tuple[Shown, ...]) -> Shown | None:
    """The layer whose space is that of the picture: the lowest visible one with a volume."""
    return next((s for s in shown if s.overlay.visible and s.answer.image is not None), None)


def naming(shown: tuple[Shown, ...], state: ViewState, atlas: AtlasInfo) -> Naming:
    """Whether an atlas may name places of the picture."""
    base = reference(shown)
    if base is None:
        return Naming(allowed=False, note="")
    template = state.template_of(atlas.id, atlas.template)
    if template == templates.SAME_AS_IMAGES:
        return Naming(allowed=True, note="")
    fit = templates.compatible(space_of(base.overlay, base.answer), template)
    return Naming(fit.names_regions, fit.message)


def mixed(shown: tuple[Shown, ...]) -> str:
    """A sentence when visible layers lie in spaces that must not be combined; empty otherwise."""
    known = [
        (s.overlay.name, space)
        for s in shown
        if s.overlay.visible and s.answer.image is not None and (space := space_of(s.overlay, s.answer))
    ]
    for name, space in known[1:]:
        fit = templates.compatible(space, known[0][1])
        if fit.level == "different":
            return f"{name} is in {space}, {known[0][0]} in {known[0][1]}: places do not correspond."
    return ""
