"""The wall: scans of people and sessions beside one another, one crosshair, one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from ..render.scene import Panel
from .state import Axis, Overlay, ViewState

PLANES: tuple[Axis, ...] = ("sagittal", "coronal", "axial")


class Cell(NamedTuple):
    """A picture of the wall: which slice of which layer; key 0 is a scan that is not there."""

    axis: Axis
    key: int
    title: str


def cells_of(state: ViewState) -> tuple[tuple[Cell, ...], ...]:
    """Rows of cells. One person has a row for each of the three planes, unless one is chosen."""
    wall = state.wall
    if not wall.rows or not wall.rows[0]:
        return ()
    if len(wall.rows) == 1 and wall.axis is None:
        (row,) = wall.rows
        return tuple(_row(state, axis, row, titled=not number) for number, axis in enumerate(PLANES))
    return tuple(_row(state, wall.axis or "axial", row, titled=True) for row in wall.rows)


def _row(state: ViewState, axis: Axis, keys: Sequence[int], *, titled: bool) -> tuple[Cell, ...]:
    return tuple(Cell(axis, key, _title(state, key) if titled else "") for key in keys)


def _title(state: ViewState, key: int) -> str:
    overlay = state.overlay(key)
    name = "no scan" if overlay is None else overlay.name
    return name.removeprefix("sub-") if len(state.wall.rows) > 1 else name


def in_cells(panels: tuple[Panel, ...], state: ViewState, keys: Sequence[int]) -> tuple[Panel, ...]:
    """Panels with the layers that they show, by the keys of all layers that are drawn."""
    cells = [cell for row in cells_of(state) for cell in row] if state.layout == "wall" else []
    if len(cells) != len(panels):
        return panels
    on_wall = {key for row in state.wall.rows for key in row}
    return tuple(
        panel._replace(
            layers=tuple(n for n, key in enumerate(keys) if key == cell.key or key not in on_wall), title=cell.title
        )
        for panel, cell in zip(panels, cells, strict=True)
    )


def groups_of(state: ViewState) -> tuple[tuple[int, ...], ...]:
    """Keys of layers that share a scale: those of one column, and columns whose layers have the same colours."""
    by_look: dict[tuple[object, ...], list[int]] = {}
    for row in state.wall.rows:
        for key in row:
            overlay = state.overlay(key)
            if overlay is not None:
                by_look.setdefault(_look(overlay), []).append(key)
    return tuple(tuple(keys) for keys in by_look.values())


def on_one_scale(before: ViewState, after: ViewState) -> ViewState:
    """What a change of one scan's colours entails on a wall: the others of its scale follow."""
    if after.layout != "wall" or before.layout != "wall" or before.wall != after.wall:
        return after
    state = after
    for group in groups_of(before):
        changed = next((key for key in group if _changed(before, after, key)), None)
        lead = None if changed is None else after.overlay(changed)
        for key in group if lead is not None else ():
            overlay = state.overlay(key)
            if overlay is not None and lead is not None:
                look = {name: getattr(lead, name) for name in ("colours", "threshold", "opacity", "smooth")}
                state = state.with_overlay(replace(overlay, **look))
    return state


def _changed(before: ViewState, after: ViewState, key: int) -> bool:
    one, other = before.overlay(key), after.overlay(key)
    return one is not None and other is not None and _look(one) != _look(other)


def _look(overlay: Overlay) -> tuple[object, ...]:
    return overlay.colours, overlay.threshold, overlay.opacity, overlay.smooth
