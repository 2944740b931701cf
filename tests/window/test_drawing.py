"""Drawing a mask with the mouse, and saving it."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.compute import on_grid
from habena.app.drawing import replay
from habena.app.grid import Grid
from habena.app.recipes import CrosshairSeed, Drawing, FileMap, SeedCorrelation
from habena.app.state import Colours, Overlay, ViewState
from habena.app.window import Window
from habena.widgets.draw_panel import DrawPanel
from habena.widgets.notice_bar import NoticeBar
from panel_events import eye, layers_of, open_tab, press, selected, titles, write
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton
from window_events import CONTROL, LEFT, click, colour_on_slice, drag, named, pixel_of, press_key, settle, texts
from window_files import BLOB_MM, WARM_MM, OpenWindow, ball, places_mm, small_grid_4mm

MM3 = 64.0  # of one voxel
RADIUS_MM = 10.5  # between two shells of voxels: half a pixel makes no difference
PLACE_MM = (-18.0, -14.0, 18.0)  # the centre of a voxel on the left


@pytest.fixture
def to_draw(open_window: OpenWindow, anatomy: Path) -> Window:
    """An anatomy with the drawing tools in front, the crosshair on the slice of the bright ball."""
    window = open_window(anatomy)
    open_tab(window, "draw")
    window.session.move_crosshair((0.0, 0.0, BLOB_MM[2]))
    settle(window)
    return window


def panel(window: Window) -> DrawPanel:
    return window.findChild(DrawPanel)


def draw(window: Window, *mm: tuple[float, float, float]) -> None:
    """Press, move and release on the axial slice."""
    drag(window.area.slices, *(pixel_of(window, "axial", place) for place in mm))
    settle(window)


def mask_of(window: Window) -> np.ndarray:
    answer = next(shown.answer for shown in window.session.shown() if shown.overlay.name == "Drawn mask")
    assert answer.image is not None
    return answer.image.frame(0) > 0


def said_size(window: Window) -> str:
    return next(text for text in texts(panel(window)) if "mm³" in text)


def expected(axis: int | None = None) -> np.ndarray:
    """Voxels within the radius of the place; on its slice only when an axis is given."""
    grid = small_grid_4mm()
    inside = ball(grid, PLACE_MM, RADIUS_MM)
    return inside if axis is None else inside & (np.abs(places_mm(grid)[..., axis] - PLACE_MM[axis]) < 2)


def test_the_first_stroke_of_the_brush_starts_a_mask_in_its_slice_only(to_draw: Window) -> None:
    assert any("choose a tool and draw" in text for text in texts(panel(to_draw)))
    before = colour_on_slice(to_draw, "axial", PLACE_MM)
    crosshair = to_draw.session.state.crosshair_mm
    press(panel(to_draw), "Brush")
    write(panel(to_draw), "Radius", f"{RADIUS_MM:g}")
    draw(to_draw, PLACE_MM)
    np.testing.assert_array_equal(mask_of(to_draw), expected(axis=2))
    assert said_size(to_draw) == f"{expected(axis=2).sum()} voxels, {expected(axis=2).sum() * MM3:.4g} mm³"
    assert titles(to_draw)[0] == "Drawn mask"
    assert colour_on_slice(to_draw, "axial", PLACE_MM) != before
    assert to_draw.session.state.crosshair_mm == crosshair  # the mouse draws and moves nothing


def test_a_ball_reaches_through_the_slices_and_a_stroke_is_one_step_of_undo(to_draw: Window) -> None:
    press(panel(to_draw), "Ball")
    write(panel(to_draw), "Radius", f"{RADIUS_MM:g}")
    draw(to_draw, PLACE_MM)
    np.testing.assert_array_equal(mask_of(to_draw), expected())
    along = [(PLACE_MM[0] + step, PLACE_MM[1], PLACE_MM[2]) for step in range(0, 25, 4)]
    draw(to_draw, *along)
    longer = mask_of(to_draw)
    assert longer.sum() > 1.5 * expected().sum()
    assert (longer & expected()).sum() == expected().sum()
    press_key(to_draw, Qt.Key.Key_Z, CONTROL)
    settle(to_draw)
    np.testing.assert_array_equal(mask_of(to_draw), expected())
    press_key(to_draw, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    settle(to_draw)
    np.testing.assert_array_equal(mask_of(to_draw), longer)


def test_the_eraser_takes_away_in_the_slice_or_through_all(to_draw: Window) -> None:
    press(panel(to_draw), "Ball")
    write(panel(to_draw), "Radius", f"{RADIUS_MM:g}")
    draw(to_draw, PLACE_MM)
    press(panel(to_draw), "Eraser")
    draw(to_draw, PLACE_MM)
    np.testing.assert_array_equal(mask_of(to_draw), expected() & ~expected(axis=2))
    press(panel(to_draw), "In this slice only")
    draw(to_draw, PLACE_MM)
    assert not mask_of(to_draw).any()
    assert said_size(to_draw) == "0 voxels, 0 mm³"


def test_a_fill_takes_what_is_joined_and_between_its_bounds(to_draw: Window) -> None:
    press(panel(to_draw), "Fill")
    write(panel(to_draw), "Fill to", "300")
    write(panel(to_draw), "Fill from", "200")  # the bright ball, not the head of 100
    draw(to_draw, BLOB_MM)
    np.testing.assert_array_equal(mask_of(to_draw), ball(small_grid_4mm(), BLOB_MM, 9.0))
    draw(to_draw, PLACE_MM)  # starts outside the bounds: nothing
    assert mask_of(to_draw).sum() == ball(small_grid_4mm(), BLOB_MM, 9.0).sum()


def test_escape_gives_the_mouse_back_to_the_crosshair(to_draw: Window) -> None:
    press(panel(to_draw), "Brush")
    assert to_draw.area.slices.cursor().shape() == Qt.CursorShape.CrossCursor
    press_key(to_draw, Qt.Key.Key_Escape)
    click(to_draw.area.slices, pixel_of(to_draw, "axial", PLACE_MM))
    settle(to_draw)
    np.testing.assert_allclose(to_draw.session.state.crosshair_mm, PLACE_MM, atol=1.0)
    assert titles(to_draw) == ["sub-01_space-MNI152NLin6Asym_T1w"]
    assert named(panel(to_draw), QPushButton, "Save").isEnabled() is False


def test_a_saved_mask_has_the_voxels_and_the_affine_of_its_image(
    to_draw: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, anatomy: Path
) -> None:
    press(panel(to_draw), "Ball")
    write(panel(to_draw), "Radius", f"{RADIUS_MM:g}")
    draw(to_draw, PLACE_MM)
    path = tmp_path / "results" / "mask.nii.gz"
    path.parent.mkdir()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    press(panel(to_draw), "Save")
    settle(to_draw)
    assert any("Saved" in text for text in texts(to_draw.findChild(NoticeBar)))
    saved, source = nib.load(path), nib.load(anatomy)
    assert saved.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asanyarray(saved.dataobj), expected())
    np.testing.assert_allclose(saved.affine, source.affine)
    inputs = anatomy.read_bytes()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(anatomy), ""))
    press(panel(to_draw), "Save")
    settle(to_draw)
    assert any("would be overwritten" in text for text in texts(to_draw.findChild(NoticeBar)))
    assert anatomy.read_bytes() == inputs


def test_a_mask_starts_from_the_cluster_at_the_crosshair(open_window: OpenWindow, stat_map: Path) -> None:
    window = open_window(stat_map)
    open_tab(window, "draw")
    window.session.move_crosshair((18.0, -20.0, 8.0))
    settle(window)
    menu = named(panel(window), QPushButton, "New mask").menu()
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if action.text().startswith("From the selected layer")).trigger()
    settle(window)
    np.testing.assert_array_equal(mask_of(window), np.asanyarray(nib.load(stat_map).dataobj) >= 3.1)
    press(panel(window), "Statistics")
    settle(window)
    assert any("mean 6, SD 0" in text for text in texts(window.findChild(NoticeBar)))


def test_a_new_mask_is_selected_and_a_fill_still_looks_at_the_map_that_was(
    open_window: OpenWindow, anatomy: Path, stat_map: Path
) -> None:
    window = open_window(anatomy, stat_map)
    open_tab(window, "draw")
    window.session.move_crosshair(WARM_MM)
    settle(window)
    press(panel(window), "Fill")
    write(panel(window), "Fill to", "7")
    write(panel(window), "Fill from", "5")
    for _ in range(2):  # the second time the mask is what is selected
        draw(window, WARM_MM)
        assert selected(window).name == "Drawn mask"
        np.testing.assert_array_equal(mask_of(window), ball(small_grid_4mm(), WARM_MM, 9.0))


def test_statistics_tell_of_every_visible_map_on_its_own_grid(
    open_window: OpenWindow, anatomy: Path, stat_map: Path, run_4d: Path
) -> None:
    window = open_window(anatomy, run_4d, stat_map)
    open_tab(window, "draw")
    window.session.move_crosshair((18.0, -20.0, 8.0))
    settle(window)
    menu = named(panel(window), QPushButton, "New mask").menu()
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if action.text().startswith("From the selected layer")).trigger()
    settle(window)
    source = nib.load(run_4d)
    grid = Grid(source.shape[:3], source.affine)
    inside = on_grid(window.session.answer(selected(window).recipe), 0, grid, "nearest") > 0
    values = np.asarray(source.dataobj, np.float64)[..., 0][inside]
    press(panel(window), "Statistics")
    settle(window)
    said = next(text for text in window.notices.texts if "mm³" in text)
    mean, count = f"{values.mean():.4g}", len(values)
    assert f"{run_4d.name.removesuffix('.nii.gz')}: mean {mean}, SD {values.std(ddof=1):.4g}, {count} voxels" in said
    assert "tstat: mean 6, SD 0 t, " in said
    assert "T1w: mean 100" in said
    assert "Drawn mask:" not in said
    with layers_of(window) as layers:
        QTest.mouseClick(layers.viewport(), LEFT, pos=eye(layers, 1))
    press(panel(window), "Statistics")
    settle(window)
    assert "tstat" not in window.notices.texts[-1]


def test_strokes_jumps_and_drags_in_quick_succession_end_in_the_answers_that_the_layers_ask_for(
    open_window: OpenWindow, run_4d: Path
) -> None:
    question = SeedCorrelation(FileMap(str(run_4d)), CrosshairSeed())
    layers = (Overlay(1, question.run, "run", Colours("grey", 0, 800)), Overlay(2, question, "seed"))
    window = open_window(view=ViewState(crosshair_mm=(-33.0, -33.0, 3.0), overlays=layers, selected=2))
    open_tab(window, "regions")
    open_tab(window, "draw")
    slices = window.area.slices
    for number in range(6):
        press(panel(window), "Ball" if number % 2 else "Brush")
        y = -36.0 + 9 * number
        drag(slices, *(pixel_of(window, "axial", (x, y, 3.0)) for x in range(-45, 46, 6)))
        press_key(window, Qt.Key.Key_Escape)
        drag(slices, *(pixel_of(window, "axial", (x, y, 3.0)) for x in range(40, -41, -8)))
        for key in (Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            press_key(window, key)
        press_key(window, Qt.Key.Key_Z, CONTROL)
    settle(window)
    session = window.session
    for layer in session.shown():
        assert layer.answer is session.answer(layer.overlay.recipe), layer.overlay.name
    run = np.asarray(nib.load(run_4d).dataobj, np.float64)
    found = session.answer(question)
    voxel = found.image.grid.voxel_at(session.state.crosshair_mm)
    for other in (voxel, (5, 7, 8), (17, 13, 8)):
        assert found.image.frame(0)[other] == pytest.approx(np.corrcoef(run[voxel], run[other])[0, 1], abs=1e-5)
    drawing = next(o.recipe for o in session.state.overlays if isinstance(o.recipe, Drawing))
    assert len(drawing.edits) == 6
    np.testing.assert_array_equal(mask_of(window), replay(drawing, found.image.grid, None, no_values))


def no_values(*_: object) -> np.ndarray:
    raise AssertionError("strokes look at no image")


def test_a_long_stroke_keeps_one_bit_of_a_voxel_for_each_of_its_steps(to_draw: Window) -> None:
    before = to_draw.session.results.nbytes
    press(panel(to_draw), "Ball")
    for y in (-20.0, -8.0, 4.0, 16.0):
        draw(to_draw, *((float(x), y, PLACE_MM[2]) for x in range(-24, 25, 4)))
    steps = 4 * 13
    assert to_draw.session.results.nbytes - before <= steps * np.prod(small_grid_4mm().shape) / 8
