"""Which space the picture is in, and whether region names may be shown on it."""

from __future__ import annotations

from typing import NamedTuple

from . import templates
from .answers import Answer
from .atlas import AtlasInfo
from .scenes import Shown
from .state import Overlay, ViewState


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
