"""The main job: a correlation map that follows the crosshair, on slices and on the cortex."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.recipes import CrosshairSeed, FileMap, Preparation, SeedCorrelation
from habena.app.state import Colours, Overlay, Threshold, ViewState
from habena.app.window import Window
from habena.widgets.layer_list import LayerList
from PySide6.QtCore import QEvent, Qt
from window_events import (
    CONTROL,
    LEFT,
    NOTHING_HELD,
    SHIFT,
    colour_on_slice,
    drag,
    mouse,
    named,
    picture,
    pixel_of,
    press_key,
    settle,
    wheel,
)
from window_files import OpenWindow

LEFT_MM, RIGHT_MM = (-33.0, -33.0, 3.0), (39.0, 3.0, 3.0)  # centres of voxels of the two networks
Map = np.ndarray


def seed_view(run: Path, preparation: Preparation | None = None, radius_mm: float = 0.0) -> ViewState:
    question = SeedCorrelation(FileMap(str(run)), CrosshairSeed(radius_mm), preparation or Preparation())
    colours = Colours("warm", 0.3, 0.8, "cool", 0.3, 0.8)
    layers = (
        Overlay(1, FileMap(str(run)), "run", Colours("grey", 0, 800)),
        Overlay(2, question, "seed", colours, Threshold(0.3, 0.3)),
    )
    return ViewState(crosshair_mm=LEFT_MM, overlays=layers, selected=2)


def shown_map(window: Window) -> Map:
    """The seed map that is on the screen."""
    return next(layer.answer for layer in window.session.shown() if layer.overlay.key == 2).image.frame(0)


def plain_map(run: Path, at_mm: tuple[float, float, float], radius_mm: float = 0.0) -> Map:
    """Pearson r of every voxel's series with that of the nearest voxel or the mean of a ball, by plain NumPy."""
    image = nib.nifti1.load(run)
    series = np.asarray(image.dataobj, np.float64)
    voxels = np.moveaxis(np.indices(series.shape[:3]), 0, -1)
    away = np.linalg.norm(voxels @ image.affine[:3, :3].T + image.affine[:3, 3] - np.array(at_mm), axis=-1)
    if radius_mm:
        chosen = (away <= radius_mm) & (series.std(axis=-1) > 0)
        seed = series[chosen].mean(axis=0)
    else:
        seed = series[np.unravel_index(away.argmin(), away.shape)]
    seed = seed - seed.mean()
    centred = series - series.mean(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return centred @ seed / (np.linalg.norm(centred, axis=-1) * np.linalg.norm(seed))


def assert_is_map_of(window: Window, run: Path, at_mm: tuple[float, float, float], radius_mm: float = 0.0) -> None:
    found, expected = shown_map(window), plain_map(run, at_mm, radius_mm)
    inside = np.isfinite(found)
    assert inside.sum() > 1000
    assert np.abs(found[inside] - expected[inside]).max() < 1e-5


def drag_to(window: Window, axis: str, *places: tuple[float, float, float], release: bool = True) -> None:
    drag(window.area.slices, *(pixel_of(window, axis, mm) for mm in places), release=release)
    settle(window)


def between(start: tuple[float, float, float], end: tuple[float, float, float], count: int) -> list[tuple[float, ...]]:
    return [tuple(np.array(start) + share * (np.array(end) - np.array(start))) for share in np.linspace(0, 1, count)]


def warm_share(window: Window) -> float:
    """Share of warm pixels on the 3D view."""
    red, _, blue = np.moveaxis(picture(window.area.surface), -1, 0)
    return float((red - blue > 60).mean())


def test_after_a_drag_the_map_is_that_of_the_voxel_under_the_crosshair(open_window: OpenWindow, run_4d: Path) -> None:
    window = open_window(view=seed_view(run_4d))
    assert_is_map_of(window, run_4d, LEFT_MM)
    drag_to(window, "axial", *between(LEFT_MM, RIGHT_MM, 25))
    assert_is_map_of(window, run_4d, window.session.state.crosshair_mm)
    assert plain_map(run_4d, RIGHT_MM)[5, 7, 8] < 0.9  # another place, another map


def test_the_map_is_repainted_while_the_button_is_still_down(open_window: OpenWindow, run_4d: Path) -> None:
    window = open_window(view=seed_view(run_4d))
    press_key(window, Qt.Key.Key_X)
    left, right = (-33.0, -27.0, 3.0), (39.0, 9.0, 3.0)
    canvas = window.area.slices
    mouse(canvas, QEvent.Type.MouseButtonPress, pixel_of(window, "axial", LEFT_MM), LEFT, NOTHING_HELD)
    for place in (LEFT_MM, RIGHT_MM, LEFT_MM, RIGHT_MM):
        mouse(canvas, QEvent.Type.MouseMove, pixel_of(window, "axial", place), LEFT, NOTHING_HELD)
        settle(window)
        assert_is_map_of(window, run_4d, window.session.state.crosshair_mm)
        seeded, other = (left, right) if place == LEFT_MM else (right, left)
        red, _, blue = colour_on_slice(window, "axial", seeded)
        assert red - blue > 60
        red, _, blue = colour_on_slice(window, "axial", other)
        assert red - blue < 30
    mouse(canvas, QEvent.Type.MouseButtonRelease, pixel_of(window, "axial", RIGHT_MM), LEFT, NOTHING_HELD)


def test_every_map_that_is_shown_during_a_flood_of_moves_belongs_to_a_place_on_the_way(
    open_window: OpenWindow, run_4d: Path
) -> None:
    window = open_window(view=seed_view(run_4d))
    on_the_way: set[int] = set()

    def note() -> None:
        on_the_way.add(id(shown_map(window)))

    window.slice_view.drawn.connect(note)
    places = between(LEFT_MM, RIGHT_MM, 60)
    drag_to(window, "axial", *places, *reversed(places), *places)
    assert len(on_the_way) > 3  # it followed, and did not wait for the end
    assert_is_map_of(window, run_4d, window.session.state.crosshair_mm)


def test_the_map_follows_on_the_cortex_too(open_window: OpenWindow, run_4d: Path) -> None:
    window = open_window(view=seed_view(run_4d), layout="ortho+surface")  # seen from the left
    with_left_seed = warm_share(window)
    assert with_left_seed > 0.01
    drag_to(window, "axial", LEFT_MM, (0.0, 0.0, 3.0), RIGHT_MM, release=False)
    assert warm_share(window) < with_left_seed / 3
    drag_to(window, "axial", RIGHT_MM, (0.0, 0.0, 3.0), LEFT_MM)
    assert warm_share(window) == pytest.approx(with_left_seed, rel=0.02)


def test_undo_and_redo_of_a_drag_bring_place_and_map_back_in_one_step(open_window: OpenWindow, run_4d: Path) -> None:
    window = open_window(view=seed_view(run_4d))
    start = window.session.state.crosshair_mm
    drag_to(window, "axial", *between(LEFT_MM, RIGHT_MM, 15))
    end = window.session.state.crosshair_mm
    press_key(window, Qt.Key.Key_Z, CONTROL)
    settle(window)
    assert window.session.state.crosshair_mm == start
    assert_is_map_of(window, run_4d, start)
    press_key(window, Qt.Key.Key_Z, CONTROL | SHIFT)
    settle(window)
    assert_is_map_of(window, run_4d, end)


def test_the_seed_follows_the_wheel_and_the_arrow_keys_too(open_window: OpenWindow, run_4d: Path) -> None:
    window = open_window(view=seed_view(run_4d))
    wheel(window.area.slices, pixel_of(window, "axial", LEFT_MM), 2)
    settle(window)
    assert_is_map_of(window, run_4d, (-33.0, -33.0, 15.0))
    press_key(window, Qt.Key.Key_Right)
    settle(window)
    assert_is_map_of(window, run_4d, (-27.0, -33.0, 15.0))


def test_a_ball_of_voxels_can_be_the_seed(open_window: OpenWindow, run_4d: Path) -> None:
    window = open_window(view=seed_view(run_4d, radius_mm=9.0))
    drag_to(window, "axial", LEFT_MM, RIGHT_MM)
    assert_is_map_of(window, run_4d, RIGHT_MM, radius_mm=9.0)  # round the centre of the nearest voxel


def warm_on_slices(window: Window) -> bool:
    """Whether warm colours are on the slices, their key left out."""
    shown = picture(window.area.slices)[: window.slice_view.arrangement.panels[0].rect.height]
    return bool((shown[..., 0] - shown[..., 2] > 60).any())


def test_outside_the_brain_there_is_no_map_the_list_of_layers_says_why_and_what_follows_works_again(
    open_window: OpenWindow, run_4d: Path
) -> None:
    window = open_window(view=seed_view(run_4d))
    assert warm_on_slices(window)
    places = [panel.rect for panel in window.slice_view.arrangement.panels]
    drag_to(window, "axial", LEFT_MM, (-62.0, -74.0, 3.0))
    assert not warm_on_slices(window)
    assert [panel.rect for panel in window.slice_view.arrangement.panels] == places  # nothing jumps under the mouse
    rows = named(window, LayerList, "Layers").model()
    said = rows.data(rows.index(0, 0), Qt.ItemDataRole.ToolTipRole)
    assert "the seed at −63, −75, 3 mm is outside its brain mask" in said
    drag_to(window, "axial", (-62.0, -74.0, 3.0), RIGHT_MM)
    assert_is_map_of(window, run_4d, window.session.state.crosshair_mm)
