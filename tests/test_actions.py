"""Commands on the selected layer: a view in, a view out."""

from __future__ import annotations

import pytest
from habena.app.actions import ACTIONS
from habena.app.recipes import FileMap
from habena.app.state import Overlay, ViewState
from msgspec.structs import replace

LAYERS = tuple(Overlay(key, FileMap(f"{name}.nii"), name) for key, name in ((4, "low"), (2, "middle"), (7, "high")))


def after(action: str, selected: int | None) -> ViewState:
    do = next(one.do for one in ACTIONS if one.id == action)
    return do(ViewState(overlays=LAYERS, selected=selected))


def names(view: ViewState) -> list[str]:
    """Of the layers, the lowest first; the selected one in capitals."""
    return [o.name.upper() if o.key == view.selected else o.name for o in view.overlays]


@pytest.mark.parametrize(
    ("action", "selected", "expected"),
    [
        ("layer-up", 4, ["middle", "LOW", "high"]),
        ("layer-up", 7, ["low", "middle", "HIGH"]),
        ("layer-down", 7, ["low", "HIGH", "middle"]),
        ("layer-down", 4, ["LOW", "middle", "high"]),
        ("layer-duplicate", 2, ["low", "middle", "MIDDLE (COPY)", "high"]),
        ("layer-remove", 2, ["low", "HIGH"]),
        ("layer-remove", 7, ["low", "MIDDLE"]),
    ],
)
def test_the_selected_layer_is_moved_copied_or_removed(action: str, selected: int, expected: list[str]) -> None:
    assert names(after(action, selected)) == expected


@pytest.mark.parametrize("action", ["layer-up", "layer-down", "layer-duplicate", "layer-remove"])
def test_without_a_selected_layer_nothing_changes(action: str) -> None:
    assert after(action, None) == ViewState(overlays=LAYERS)


def test_a_copy_asks_what_its_original_asks() -> None:
    copy = after("layer-duplicate", 2).overlays[2]
    assert copy == replace(LAYERS[1], key=8, name="middle (copy)")
