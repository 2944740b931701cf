"""Named commands: a view in, a view out. Menus, keys and undo all read this one list."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace

from ..render.camera import PRESETS
from .state import Axis, Camera, Layout, SurfaceKind, ViewState

Change = Callable[[ViewState], ViewState]


class Action(NamedTuple):
    """One command.

    Attributes
    ----------
    id, text : str
        For settings and for people.
    menu : str
        Menu in which it stands.
    keys : str
        Shortcut, empty for none.
    do : Change
    checked : callable or None
        For commands that are on or off: whether it is on.
    """

    id: str
    text: str
    menu: str
    keys: str
    do: Change
    checked: Callable[[ViewState], bool] | None = None


def _layout(name: Layout) -> Change:
    return lambda view: replace(view, layout=name)


def _is_layout(name: Layout) -> Callable[[ViewState], bool]:
    return lambda view: view.layout == name


def plane(axis: Axis) -> Change:
    """One plane; of a wall that is up its cells, and all planes again where it was that one."""

    def shown(view: ViewState) -> ViewState:
        if view.layout != "wall":
            return replace(view, layout=axis)
        return replace(view, wall=replace(view.wall, axis=None if view.wall.axis == axis else axis))

    return shown


def _is_plane(axis: Axis) -> Callable[[ViewState], bool]:
    return lambda view: axis == (view.wall.axis if view.layout == "wall" else view.layout)


def _mark(field: str) -> Change:
    return lambda view: replace(view, marks=replace(view.marks, **{field: not getattr(view.marks, field)}))


def _is_marked(field: str) -> Callable[[ViewState], bool]:
    return lambda view: getattr(view.marks, field)


def _zoom(factor: float) -> Change:
    def zoomed(view: ViewState) -> ViewState:
        zoom = min(max(view.zoom * factor, 0.2), 40.0)
        centre = view.centre_mm or (view.crosshair_mm if zoom > 1 else None)
        return replace(view, zoom=zoom, centre_mm=centre if zoom > 1 else None)

    return zoomed


def _camera(name: str) -> Change:
    azimuth, elevation = PRESETS[name]

    def seen(view: ViewState) -> ViewState:
        camera = Camera(azimuth, elevation, view.surface.camera.zoom)
        layout = view.layout if view.layout in ("ortho+surface", "3d") else "ortho+surface"
        return replace(view, surface=replace(view.surface, camera=camera), layout=layout)

    return seen


def _surface(kind: SurfaceKind) -> Change:
    return lambda view: replace(view, surface=replace(view.surface, kind=kind))


def _is_surface(kind: SurfaceKind) -> Callable[[ViewState], bool]:
    return lambda view: view.surface.kind == kind


def toggle_selected(view: ViewState) -> ViewState:
    """Show or hide the selected layer."""
    overlay = view.overlay(view.selected)
    return view if overlay is None else view.with_overlay(replace(overlay, visible=not overlay.visible))


def remove_layer(view: ViewState, key: int) -> ViewState:
    """Take a layer out; its neighbour is selected."""
    kept = tuple(overlay for overlay in view.overlays if overlay.key != key)
    selected = view.selected
    if selected == key:
        place = next(n for n, overlay in enumerate(view.overlays) if overlay.key == key)
        selected = kept[min(place, len(kept) - 1)].key if kept else None
    return replace(view, overlays=kept, selected=selected)


def remove_selected(view: ViewState) -> ViewState:
    """Take the selected layer out."""
    return view if view.overlay(view.selected) is None else remove_layer(view, view.selected or 0)


def duplicate_selected(view: ViewState) -> ViewState:
    """A copy of the selected layer on top of it, selected."""
    overlay = view.overlay(view.selected)
    if overlay is None:
        return view
    copy = replace(overlay, key=view.next_key(), name=f"{overlay.name} (copy)")
    above = view.overlays.index(overlay) + 1
    return replace(view, overlays=(*view.overlays[:above], copy, *view.overlays[above:]), selected=copy.key)


def _move_selected(steps: int) -> Change:
    """Up in the list is later in drawing order."""

    def moved(view: ViewState) -> ViewState:
        overlay = view.overlay(view.selected)
        if overlay is None:
            return view
        others = [other for other in view.overlays if other != overlay]
        others.insert(max(0, view.overlays.index(overlay) + steps), overlay)
        return replace(view, overlays=tuple(others))

    return moved


def step_frame(view: ViewState, steps: int, frames: int) -> ViewState:
    """Another frame of the selected layer; past the end it starts anew."""
    overlay = view.overlay(view.selected)
    if overlay is None or frames < 2:
        return view
    return view.with_overlay(replace(overlay, frame=(overlay.frame + steps) % frames))


def _outline_selected(view: ViewState) -> ViewState:
    overlay = view.overlay(view.selected)
    if overlay is None:
        return view
    return view.with_overlay(
        replace(overlay, threshold=replace(overlay.threshold, outline=not overlay.threshold.outline))
    )


def _fade_selected(view: ViewState) -> ViewState:
    overlay = view.overlay(view.selected)
    if overlay is None:
        return view
    below = "hide" if overlay.threshold.below == "fade" else "fade"
    return view.with_overlay(replace(overlay, threshold=replace(overlay.threshold, below=below)))


ACTIONS: tuple[Action, ...] = (
    Action(
        "layout-planes-surface",
        "Three planes and surface",
        "View",
        "1",
        _layout("ortho+surface"),
        _is_layout("ortho+surface"),
    ),
    Action("layout-planes", "Three planes", "View", "2", _layout("ortho"), _is_layout("ortho")),
    Action("layout-sagittal", "Sagittal", "View", "3", plane("sagittal"), _is_plane("sagittal")),
    Action("layout-coronal", "Coronal", "View", "4", plane("coronal"), _is_plane("coronal")),
    Action("layout-axial", "Axial", "View", "5", plane("axial"), _is_plane("axial")),
    Action("layout-lightbox", "Lightbox", "View", "6", _layout("lightbox"), _is_layout("lightbox")),
    Action("layout-surfaces", "Four surface views", "View", "7", _layout("surface"), _is_layout("surface")),
    Action("layout-3d", "One 3D view", "View", "8", _layout("3d"), _is_layout("3d")),
    Action("zoom-in", "Zoom in", "View", "Ctrl++", _zoom(1.25)),
    Action("zoom-out", "Zoom out", "View", "Ctrl+-", _zoom(0.8)),
    Action("zoom-reset", "Fit to window", "View", "Ctrl+0", lambda view: replace(view, zoom=1.0, centre_mm=None)),
    Action(
        "radiological",
        "Radiological: right is left",
        "View",
        "Ctrl+R",
        lambda view: replace(view, radiological=not view.radiological),
        lambda view: view.radiological,
    ),
    Action("mark-crosshair", "Crosshair", "View", "X", _mark("crosshair"), _is_marked("crosshair")),
    Action("mark-scale", "Scale bar", "View", "", _mark("scale_bar"), _is_marked("scale_bar")),
    Action("mark-bars", "Colour bars", "View", "B", _mark("colour_bars"), _is_marked("colour_bars")),
    Action("mark-positions", "Slice positions", "View", "", _mark("positions"), _is_marked("positions")),
    Action("surface-pial", "Pial surface", "Surface", "", _surface("pial"), _is_surface("pial")),
    Action("surface-inflated", "Inflated surface", "Surface", "", _surface("inflated"), _is_surface("inflated")),
    Action("surface-white", "White-matter surface", "Surface", "", _surface("white"), _is_surface("white")),
    *(
        Action(f"camera-{name}", f"From {where}", "Surface", f"Ctrl+{number}", _camera(name))
        for number, (name, where) in enumerate(
            (
                ("left", "the left"),
                ("right", "the right"),
                ("front", "the front"),
                ("back", "behind"),
                ("top", "above"),
                ("bottom", "below"),
            ),
            start=1,
        )
    ),
    Action("layer-toggle", "Show or hide the selected layer", "Layer", "V", toggle_selected),
    Action("layer-outline", "Outline at the threshold", "Layer", "O", _outline_selected),
    Action("layer-fade", "Fade instead of hide below the threshold", "Layer", "Shift+F", _fade_selected),
    Action("layer-up", "Move up", "Layer", "Alt+Up", _move_selected(1)),
    Action("layer-down", "Move down", "Layer", "Alt+Down", _move_selected(-1)),
    Action("layer-duplicate", "Duplicate", "Layer", "Ctrl+D", duplicate_selected),
    Action("layer-remove", "Remove", "Layer", "Del", remove_selected),
)
