"""What a surface file's name and size tell: hemisphere, kind, mesh, and which files belong beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

Hemisphere = Literal["left", "right", ""]

#: Vertices of one hemisphere in the meshes that studies share. The count names the mesh, never the position.
MESHES = {
    642: "fsaverage3",
    2562: "fsaverage4",
    10242: "fsaverage5",
    40962: "fsaverage6 (or CIVET 41k)",
    163842: "fsaverage (or fsLR 164k)",
    4002: "fsLR 4k",
    7842: "fsLR 8k",
    32492: "fsLR 32k",
    59292: "fsLR 59k",
}

#: Kinds whose coordinates are drawn for looking at, not places in the head.
NOT_IN_WORLD = frozenset({"inflated", "very_inflated", "sphere", "flat"})

_KIND_TOKENS = {
    "pial": ("pial",),
    "midthickness": ("midthickness", "graymid", "central"),
    "white": ("white", "smoothwm", "wm"),
    "inflated": ("pial_inflated", "inflated", "infl"),
    "very_inflated": ("very_inflated", "vinflated"),
    "sphere": ("sphere",),
    "flat": ("flat",),
    "hull": ("hull",),
}
_DATA_TOKENS = {"sulc": ("sulc",), "curv": ("curv", "curvature")}
_KIND_OF_TOKEN = {token: kind for kind, tokens in _KIND_TOKENS.items() for token in tokens}
_LONGEST_FIRST = sorted(_KIND_OF_TOKEN, key=len, reverse=True)
_KIND = re.compile(rf"(?<![A-Za-z0-9])({'|'.join(_LONGEST_FIRST)})(?![A-Za-z0-9])")

_SIDES = (("lh", "rh"), ("LH", "RH"), ("L", "R"), ("left", "right"), ("Left", "Right"))
_OTHER_SIDE = dict(_SIDES) | {right: left for left, right in _SIDES}
_SIDE = re.compile(r"(?:(?<=hemi-)|(?<![A-Za-z0-9-]))(lh|rh|LH|RH|left|right|Left|Right|L|R)(?![A-Za-z0-9])")


def hemisphere_of(name: str) -> Hemisphere:
    """Hemisphere that a file name states (``lh.``, ``hemi-L``, ``.L.``, ``_left``), or the empty string."""
    match = _SIDE.search(name)
    if match is None:
        return ""
    return "left" if match[1].lower().startswith("l") else "right"


def kind_of(name: str) -> str:
    """Kind of surface that a file name states, such as ``pial``, or the empty string."""
    match = _KIND.search(name)
    return "" if match is None else _KIND_OF_TOKEN[match[1]]


def other_hemisphere(name: str) -> str | None:
    """Name of the same file for the other hemisphere."""
    match = _SIDE.search(name)
    if match is None:
        return None
    return name[: match.start()] + _OTHER_SIDE[match[1]] + name[match.end() :]


def before_side(name: str) -> str | None:
    """What a file name says before its hemisphere, the same for all files of a person; None without a hemisphere."""
    match = _SIDE.search(name)
    return None if match is None else name[: match.start()]


def names_of_kind(name: str, kind: str) -> Iterator[str]:
    """Names that a surface of this kind may have beside a surface file of another kind."""
    match = _KIND.search(name)
    if match is not None:
        for token in _KIND_TOKENS[kind]:
            yield name[: match.start()] + token + name[match.end() :]


def names_of_data(name: str, data: Literal["sulc", "curv"]) -> Iterator[str]:
    """Names that the sulcal depth or the curvature may have beside a surface file."""
    match = _KIND.search(name)
    if match is None:
        return
    for token in _DATA_TOKENS[data]:
        swapped = name[: match.start()] + token + name[match.end() :]
        yield swapped
        if ".surf.gii" in swapped:
            yield swapped.replace(".surf.gii", ".shape.gii")
            yield swapped.replace(".surf.gii", ".func.gii")


def mesh_of(n_vertices: int) -> str | None:
    """Name of the shared mesh with so many vertices a hemisphere, such as ``fsaverage5``."""
    return MESHES.get(n_vertices)


_FSAVERAGE = re.compile(r"(?:^|[/\\._]|tpl-)fsaverage[3-6]?(?!_LR)(?=[/\\._]|$)")
_FS_LR = re.compile(r"tpl-fsLR|conte69|S1200\.|Q1-Q6", re.IGNORECASE)


def template_of(*texts: str) -> str | None:
    """Template that paths or stored names speak of; a person's own surface has none, whatever its mesh."""
    if any("sub-" in text for text in texts):
        return None
    if any(_FSAVERAGE.search(text) for text in texts):
        return "MNI305 (fsaverage)"
    return "fsLR" if any(_FS_LR.search(text) for text in texts) else None
