"""Left is left: letters, the radiological switch, and images stored in any direction."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.settings import load_settings
from habena.app.state import ViewState
from habena.app.window import Window
from habena.render.marks import Text, slice_marks
from habena.render.scene import AXIS_INDEX
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from PySide6.QtCore import Qt
from window_events import CONTROL, colour_on_slice, drag, picture, pixel_of, press_key, settle, slice_panel
from window_files import BLOB_MM, HEAD, OpenWindow, save

AT_THE_BALL = ViewState(crosshair_mm=BLOB_MM)
EDGES = {"sagittal": "PASI", "coronal": "LRSI", "axial": "LRAP"}  # left, right, top, bottom
FLIPPED = {"sagittal": "PASI", "coronal": "RLSI", "axial": "RLAP"}


def letters(window: Window) -> dict[str, str]:
    """Letters at the left, right, top and bottom of each slice, by where they stand."""
    width, height = window.area.slices.size_px()
    scene = window.slice_view._scene(window.session.shown(), width, height, 1.0)
    texts = [mark for mark in slice_marks(scene) if isinstance(mark, Text) and mark.bold]
    found: dict[str, str] = {}
    for panel in scene.panels:
        x, y, w, h = panel.rect
        inside = [t for t in texts if x <= t.x <= x + w and y <= t.y <= y + h]
        ends = (min(inside, key=lambda t: t.x), max(inside, key=lambda t: t.x))
        found[panel.axis] = "".join(
            t.text for t in (*ends, min(inside, key=lambda t: t.y), max(inside, key=lambda t: t.y))
        )
    return found


def ball_side(window: Window, axis: str) -> str:
    """On which half of a slice's picture the bright ball is."""
    rect = slice_panel(window, axis).rect
    shown = picture(window.area.slices)[rect.y + 30 : rect.y + rect.height - 30, rect.x + 30 : rect.x + rect.width - 30]
    columns = np.nonzero(shown.min(axis=-1) > 200)[1]
    assert len(columns) > 50
    return "left" if columns.mean() < shown.shape[1] / 2 else "right"


def test_left_is_left_by_default_and_every_slice_says_so(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy, view=AT_THE_BALL)
    press_key(window, Qt.Key.Key_X)
    settle(window)
    assert letters(window) == EDGES
    assert [ball_side(window, axis) for axis in EDGES] == ["right", "right", "right"]


def test_the_radiological_switch_mirrors_axial_and_coronal_slices_with_their_letters(
    open_window: OpenWindow, anatomy: Path
) -> None:
    window = open_window(anatomy, view=AT_THE_BALL)
    press_key(window, Qt.Key.Key_X)
    settle(window)
    before = picture(window.area.slices)
    press_key(window, Qt.Key.Key_R, CONTROL)
    settle(window)
    assert letters(window) == FLIPPED
    assert {axis: ball_side(window, axis) for axis in EDGES} == {
        "sagittal": "right",
        "coronal": "left",
        "axial": "left",
    }
    after = picture(window.area.slices)
    rect = slice_panel(window, "axial").rect
    middle = slice(rect.y + 40, rect.y + rect.height - 40), slice(rect.x + 20, rect.x + rect.width - 20)
    mirrored = before[middle][:, ::-1]
    assert np.abs(after[middle] - mirrored).max() <= 1
    x, y, w, h = slice_panel(window, "sagittal").rect
    assert (after[y : y + h, x : x + w] == before[y : y + h, x : x + w]).all()


def test_clicks_and_arrow_keys_follow_the_mirrored_picture(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy, view=AT_THE_BALL)
    press_key(window, Qt.Key.Key_R, CONTROL)
    settle(window)
    rect = slice_panel(window, "axial").rect
    drag(window.area.slices, (rect.x + rect.width / 4, rect.y + rect.height / 2))
    x = window.session.state.crosshair_mm[0]
    assert x > 10  # the person's right is on the left
    press_key(window, Qt.Key.Key_Right)
    assert window.session.state.crosshair_mm[0] == pytest.approx(x - 4.0)


def test_the_choice_of_side_is_remembered_for_the_next_time(open_window: OpenWindow, anatomy: Path) -> None:
    first = open_window(anatomy)
    assert not load_settings().radiological
    press_key(first, Qt.Key.Key_R, CONTROL)
    settle(first)
    second = open_window(anatomy, settings=load_settings())
    assert letters(second) == FLIPPED
    press_key(second, Qt.Key.Key_R, CONTROL)
    settle(second)
    assert not load_settings().radiological


def test_the_sides_of_3d_views_do_not_change_with_the_switch(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy, layout="3d")
    before = picture(window.area.surface)
    press_key(window, Qt.Key.Key_R, CONTROL)
    settle(window)
    assert (picture(window.area.surface) == before).all()


def test_one_image_stored_in_any_direction_gives_the_same_picture(
    open_window: OpenWindow, anatomy: Path, tmp_path: Path
) -> None:
    image = nib.nifti1.load(anatomy)
    as_usual = picture(open_window(anatomy, view=AT_THE_BALL).area.slices)
    for codes in ("LPS", "ASL", "SRP"):
        turned = image.as_reoriented(ornt_transform(io_orientation(image.affine), axcodes2ornt(codes)))
        nib.save(turned, tmp_path / f"{codes}.nii")
        shown = picture(open_window(tmp_path / f"{codes}.nii", view=AT_THE_BALL).area.slices)
        assert (shown == as_usual).all(), codes


def test_an_image_with_tilted_axes_is_drawn_upright_and_each_place_where_its_affine_has_it(
    open_window: OpenWindow, tmp_path: Path
) -> None:
    a, b = np.radians([25.0, -15.0])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = about_z @ about_x @ np.diag([2.0, 2.5, 3.0])
    shape = np.array([46, 44, 34])
    affine[:3, 3] = -affine[:3, :3] @ ((shape - 1) / 2)
    mm = np.moveaxis(np.indices(shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    box = (np.abs(mm) <= [24, 28, 20]).all(axis=-1)  # upright in the world
    values = np.where(box, HEAD, 0.0)
    values[np.linalg.norm(mm - [12.0, 14.0, 8.0], axis=-1) < 6] = 250.0
    window = open_window(
        save(tmp_path / "tilted.nii", values.astype(np.float32), affine), view=ViewState(crosshair_mm=(12.0, 14.0, 8.0))
    )
    press_key(window, Qt.Key.Key_X)
    settle(window)
    for axis in EDGES:
        assert min(colour_on_slice(window, axis, (12.0, 14.0, 8.0))) > 220
        for corner in np.array([[1, 1, 1], [1, -1, 1], [-1, 1, -1], [-1, -1, 1], [1, 1, -1], [-1, -1, -1]]):
            along = AXIS_INDEX[slice_panel(window, axis).axis]
            for share, inside in ((0.85, True), (1.2, False)):
                place = corner * np.array([24.0, 28.0, 20.0]) * share
                place[along] = (12.0, 14.0, 8.0)[along]
                level = max(colour_on_slice(window, axis, (place[0], place[1], place[2])))
                assert (level > 50) == inside, (axis, place)
    at = pixel_of(window, "axial", (-12.0, 14.0, 8.0))
    drag(window.area.slices, at)
    assert window.session.state.crosshair_mm == pytest.approx((-12.0, 14.0, 8.0), abs=0.5)
