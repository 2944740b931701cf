"""The cortex: what is painted on it, from where it is seen, and the mouse over it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.grid import Grid
from habena.app.questions import CortexData
from habena.app.recipes import FileMap, Point, PointSeed, RegionMask, SeedCorrelation
from habena.app.sample import anatomy_file
from habena.app.state import Camera, Colours, Overlay, SurfaceView, Threshold, ViewState
from habena.app.window import Window
from habena.render.camera import PRESETS
from habena.render.compose import numba_kernels
from msgspec.structs import replace
from PySide6.QtCore import Qt
from window_events import (
    CONTROL,
    RIGHT,
    click,
    colour_on_slice,
    drag,
    picture,
    press_key,
    settle,
    slice_panel,
    wait_until,
    wheel,
)
from window_files import OpenWindow, places_mm, save

THALAMUS_LEFT = RegionMask("aal2", (7101,))


@pytest.fixture
def corners(tmp_path: Path) -> Path:
    """A z map on a 6 mm grid: +6 on the left behind, -6 on the right in front and above, 0 elsewhere."""
    affine = np.diag([6.0, 6.0, 6.0, 1.0])
    affine[:3, 3] = [-75, -111, -51]
    grid = Grid((26, 31, 23), affine)
    x, y, z = np.moveaxis(places_mm(grid), -1, 0)
    values = np.where((x < -3) & (y < -20), 6.0, 0.0)
    values[(x > 3) & (y > 0) & (z > 10)] = -6.0
    return save(tmp_path / "corners_space-MNI152NLin6Asym_zstat.nii", values.astype(np.float32), affine)


def view_of(path: Path, surface: SurfaceView | None = None, at: Point = (60.0, 60.0, -40.0)) -> ViewState:
    overlay = Overlay(1, FileMap(str(path)), "z", Colours("warm", 1, 8, "cool", 1, 8), Threshold(1, 1), smooth=False)
    return ViewState(overlays=(overlay,), selected=1, crosshair_mm=at, surface=surface or SurfaceView())


def coloured(window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Places (n, 2) of warm and of cool pixels of the 3D view, as shares of its width and height."""
    shown = picture(window.area.surface)
    red, green, blue = np.moveaxis(shown, -1, 0)
    height, width = red.shape
    found = []
    for kind in ((red - blue > 60) & (red > green), (blue - red > 60)):
        rows, columns = np.nonzero(kind)
        found.append(np.column_stack([columns / width, rows / height]))
    return found[0], found[1]


def where(places: np.ndarray) -> str:
    """On which side and at which height of the picture most of the pixels are; empty where there are next to none."""
    if len(places) < 5000:
        return ""
    across, down = places.mean(axis=0) - 0.5
    return ("left" if across < 0 else "right") + (" above" if down < 0 else " below")


# -- from where it is seen


SEEN_FROM = (  # key, preset, where what is left behind and what is right in front and above are in the picture
    (Qt.Key.Key_2, "right", "", "right above"),
    (Qt.Key.Key_1, "left", "right", ""),  # from the left, the front is on the left
    (Qt.Key.Key_3, "front", "", "left above"),  # face to face: the person's right is on the left
    (Qt.Key.Key_4, "back", "left", ""),
    (Qt.Key.Key_5, "top", "left below", "right above"),  # the front is above
    (Qt.Key.Key_6, "bottom", "right below", ""),
)


def test_each_preset_looks_from_where_it_says(open_window: OpenWindow, corners: Path) -> None:
    window = open_window(view=view_of(corners), layout="3d")
    for key, preset, left_behind, right_in_front in SEEN_FROM:
        press_key(window, key, CONTROL)
        settle(window)
        camera = window.session.state.surface.camera
        assert (camera.azimuth_deg, camera.elevation_deg) == PRESETS[preset]
        for seen, expected in zip(coloured(window), (left_behind, right_in_front), strict=True):
            assert where(seen).startswith(expected), preset
            assert bool(where(seen)) == bool(expected), preset


def test_the_front_follows_the_mouse_when_the_head_is_turned(open_window: OpenWindow, corners: Path) -> None:
    front = SurfaceView(camera=Camera(*PRESETS["front"]))
    window = open_window(view=view_of(corners, front), layout="3d")
    before = coloured(window)[1].mean(axis=0)
    drag(window.area.surface, (200, 150), (215, 150), (240, 150))
    settle(window)
    turned = coloured(window)[1].mean(axis=0)
    assert turned[0] > before[0] + 0.02
    drag(window.area.surface, (200, 150), (200, 165), (200, 190))
    settle(window)
    assert coloured(window)[1].mean(axis=0)[1] > turned[1] + 0.02
    press_key(window, Qt.Key.Key_Z, CONTROL)
    settle(window)
    assert np.allclose(coloured(window)[1].mean(axis=0), turned)  # one drag, one step


def test_the_wheel_or_the_right_button_magnifies_the_head(open_window: OpenWindow, corners: Path) -> None:
    window = open_window(view=view_of(corners), layout="3d")

    def size() -> float:
        return float((picture(window.area.surface).max(axis=-1) > 40).mean())

    whole = size()
    wheel(window.area.surface, (200, 150), -4)
    settle(window)
    smaller = size()
    assert smaller == pytest.approx(whole * 1.12**-8, rel=0.08)  # in both directions of the picture
    drag(window.area.surface, (200, 220), (200, 180), (200, 150), button=RIGHT)
    settle(window)
    assert size() == pytest.approx(smaller * 1.006**140, rel=0.08)


def test_four_views_show_each_hemisphere_from_outside_and_from_the_midline(
    open_window: OpenWindow, corners: Path
) -> None:
    window = open_window(view=view_of(corners), layout="surface")
    warm, cool = coloured(window)
    for row in (0, 1):
        in_row = [places[(places[:, 1] // 0.5) == row] for places in (warm, cool)]
        assert (in_row[0][:, 0] < 0.5).all()  # the left hemisphere stands on the left
        assert (in_row[1][:, 0] > 0.5).all()
        assert min(map(len, in_row)) > 100
    outside, inside = ((warm[:, 1] // 0.5) == row for row in (0, 1))
    assert warm[outside, 0].mean() > 0.25  # from outside, the front of the left hemisphere is on the left
    assert warm[inside, 0].mean() < 0.25


# -- what is painted on it


def test_a_layer_that_is_hidden_is_not_on_the_cortex(open_window: OpenWindow, corners: Path) -> None:
    window = open_window(view=view_of(corners), layout="3d")
    assert where(coloured(window)[0])
    press_key(window, Qt.Key.Key_V)
    settle(window)
    assert where(coloured(window)[0]) == ""


def test_sulci_are_darker_than_gyri(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy, view=ViewState(surface=SurfaceView(kind="inflated")), layout="3d")
    shown = picture(window.area.surface)
    middle = shown[shown.shape[0] // 3 : 2 * shown.shape[0] // 3, shown.shape[1] // 3 : 2 * shown.shape[1] // 3]
    dark, light = np.percentile(middle.max(axis=-1), [15, 85])
    assert light > 1.3 * dark
    assert np.abs(middle - middle.mean(axis=-1, keepdims=True)).max() <= 2  # greys


def test_a_region_shows_inside_a_cortex_that_is_translucent_and_not_in_one_that_is_opaque(
    open_window: OpenWindow, corners: Path
) -> None:
    surface = SurfaceView(regions=(THALAMUS_LEFT,))
    window = open_window(view=view_of(corners, surface), layout="3d")
    press_key(window, Qt.Key.Key_V)

    def shown(opacity: float, *, with_region: bool) -> np.ndarray:
        regions = (THALAMUS_LEFT,) if with_region else ()
        window.session.update("see through", surface=SurfaceView(opacity=opacity, regions=regions))
        settle(window)
        return picture(window.area.surface)

    assert (shown(1.0, with_region=False) == shown(1.0, with_region=True)).all()
    changed = np.abs(shown(0.3, with_region=False) - shown(0.3, with_region=True)).max(axis=-1) > 25
    rows, columns = np.nonzero(changed)
    height, width = changed.shape
    assert 0.002 < changed.mean() < 0.1
    assert abs(columns.mean() / width - 0.5) < 0.12  # in the middle of the head
    assert abs(rows.mean() / height - 0.5) < 0.15


def as_of_one_person(path: Path) -> Path:
    """The same image under a name and with a header that tell of no standard space."""
    image = nib.load(path)
    image.set_sform(image.affine, 1)
    own = path.with_name("own_" + path.name.replace("space-MNI152NLin6Asym_", ""))
    nib.save(image, own)
    return own


def notes(window: Window) -> list[str]:
    """What the 3D view says of layers that are not in it."""
    session = window.session
    scene = session.scenes.surfaces(session.state, session.shown(), (600, 400), 1.0, numba_kernels())
    assert scene is not None
    return [note.name + note.text for note in scene.notes]


def bright_below(window: Window) -> int:
    """Number of pixels near the lower edge of the 3D view that are as bright as letters."""
    return int((picture(window.area.surface)[-50:].min(axis=-1) > 200).sum())


def test_a_map_of_unknown_space_is_not_painted_on_the_average_cortex_which_says_so(
    open_window: OpenWindow, corners: Path
) -> None:
    window = open_window(view=view_of(as_of_one_person(corners)), layout="3d")
    assert bright_below(window) > 200, "nobody can read why the cortex is blank"
    assert [len(places) for places in coloured(window)] == [0, 0]
    assert notes(window) == ["z is not on the cortex: its space is not known"]
    overlay = window.session.state.overlays[0]
    window.session.update_overlay(replace(overlay, space="Talairach"), "say the space")
    settle(window)
    assert notes(window) == ["z is not on the cortex: it is in the space Talairach"]
    assert [len(places) for places in coloured(window)] == [0, 0]
    window.session.update_overlay(replace(overlay, space="MNI152NLin6Asym"), "say the space")
    settle(window)
    assert notes(window) == []
    assert where(coloured(window)[0]) == "right above"
    assert bright_below(window) < 100


def test_a_map_of_unknown_space_is_painted_on_the_persons_own_cortex(
    open_window: OpenWindow, corners: Path, tmp_path: Path
) -> None:
    own = tmp_path / "lh.pial.gii.gz"
    shutil.copy(anatomy_file().parent / "fsaverage5" / "pial_left.gii.gz", own)
    window = open_window(view=view_of(as_of_one_person(corners), SurfaceView(cortex=str(own))), layout="3d")
    assert len(coloured(window)[0]) > 5000
    assert notes(window) == []


def test_a_seed_map_has_the_space_that_was_said_of_its_run(
    open_window: OpenWindow, small_run: Callable[..., Path]
) -> None:
    run = FileMap(str(as_of_one_person(small_run())))
    below = Overlay(1, run, "run", Colours("grey", 0, 800))
    seed = Overlay(2, SeedCorrelation(run, PointSeed((-24.0, -6.0, 6.0))), "r", Colours("warm", 0.1, 1), Threshold(0.1))
    window = open_window(view=ViewState(overlays=(below, seed), selected=2), layout="3d")
    assert notes(window) == ["r is not on the cortex: its space is not known"]
    window.session.update_overlay(replace(below, space="MNI152NLin6Asym"), "say the space")
    settle(window)
    assert notes(window) == []


# -- the mouse


def vertices_mm(window: Window) -> np.ndarray:
    """World positions of all vertices of the pial surfaces."""
    cortices = window.session.results.get(CortexData(None))
    return np.concatenate([cortex.world.coordinates for cortex in cortices])


def pick(window: Window, x: float, y: float) -> None:
    """Click on the 3D view and let come what comes of it."""
    answered: list[object] = []
    window.surface_view._drawer.picked.connect(answered.append)
    click(window.area.surface, (x, y))
    wait_until(lambda: bool(answered), "what is under the mouse")
    settle(window)


@pytest.mark.parametrize("kind", ["pial", "inflated"])
def test_a_click_on_the_cortex_brings_the_crosshair_to_the_vertex_there_and_marks_it(
    open_window: OpenWindow, corners: Path, kind: str
) -> None:
    surface = SurfaceView(kind=kind)  # type: ignore[arg-type]
    window = open_window(view=view_of(corners, surface), layout="ortho+surface")
    height, width, _ = picture(window.area.surface).shape
    at = coloured(window)[0]
    x, y = at[np.linalg.norm(at - np.median(at, axis=0), axis=1).argmin()] * [width, height]
    pick(window, float(x), float(y))
    place = np.array(window.session.state.crosshair_mm)
    assert np.linalg.norm(vertices_mm(window) - place, axis=1).min() < 1e-2
    assert place[0] < -3
    assert place[1] < -15
    red, green, blue = np.moveaxis(picture(window.area.surface), -1, 0)
    rows, columns = np.nonzero(green - np.maximum(red, blue) > 40)
    assert len(rows) > 3
    assert columns.mean() == pytest.approx(x, abs=6)
    assert rows.mean() == pytest.approx(y, abs=6)
    panel = slice_panel(window, "axial")
    assert panel.position_mm == window.session.state.crosshair_mm[2]


def test_turning_the_head_does_not_move_the_crosshair_nor_does_a_click_beside_it(
    open_window: OpenWindow, corners: Path
) -> None:
    window = open_window(view=view_of(corners), layout="3d")
    before = window.session.state.crosshair_mm
    drag(window.area.surface, (250, 200), (260, 200), (270, 210))
    pick(window, 3, 3)
    assert window.session.state.crosshair_mm == before


def test_slices_can_stand_in_the_translucent_cortex(open_window: OpenWindow, corners: Path) -> None:
    surface = SurfaceView(opacity=0.15, camera=Camera(*PRESETS["top"]))
    window = open_window(view=view_of(corners, surface, (-30.0, -60.0, 15.0)), layout="ortho+surface")
    assert colour_on_slice(window, "axial", (-20.0, -50.0, 15.0))[0] > 100
    without = len(coloured(window)[0])
    window.session.update("slices", surface=replace(surface, slices=True))
    settle(window)
    assert len(coloured(window)[0]) > 1.5 * without


def test_slices_do_not_stand_in_an_inflated_cortex_which_says_so(open_window: OpenWindow, corners: Path) -> None:
    surface = SurfaceView(kind="inflated", opacity=0.15, camera=Camera(*PRESETS["top"]))
    window = open_window(view=view_of(corners, surface, (-30.0, -60.0, 15.0)), layout="3d")
    without = len(coloured(window)[0])
    window.session.update("slices", surface=replace(surface, slices=True))
    settle(window)
    assert len(coloured(window)[0]) == without
    assert notes(window) == ["Slices and regions are not shown with an inflated surface"]
    window.session.update("pial", surface=replace(surface, slices=True, kind="pial"))
    settle(window)
    assert notes(window) == []
