"""The mouse over the slices, and what is to be seen on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.recipes import FileMap
from habena.app.state import Colours, Modulation, Overlay, Threshold, ViewState
from habena.app.window import Window
from habena.render.marks import CROSSHAIR, Text, slice_marks
from habena.render.scene import AXIS_INDEX
from habena.widgets.numbers import NumberEdit
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QSlider
from window_events import (
    CONTROL,
    LEFT,
    MIDDLE,
    NOTHING_HELD,
    RIGHT,
    SHIFT,
    Pixel,
    click,
    colour_on_slice,
    drag,
    hover,
    named,
    picture,
    pixel_of,
    press_key,
    settle,
    slice_panel,
    wheel,
)
from window_files import BLOB_MM, COOL_MM, WARM_MM, OpenWindow, ball, save, small_grid_4mm

AXES = list(AXIS_INDEX)
IN_PLANE = {"sagittal": (1, 2), "coronal": (0, 2), "axial": (0, 1)}


def go_to(window: Window, mm: tuple[float, float, float]) -> None:
    """Type a place into the fields of the place panel."""
    for name, value in zip("xyz", mm, strict=True):
        field = named(window, NumberEdit, f"{name} mm")
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, str(value))
        QTest.keyClick(field, Qt.Key.Key_Return)
    settle(window)


def typed_place(window: Window) -> list[float]:
    return [float(named(window, NumberEdit, f"{name} mm").text().replace("−", "-")) for name in "xyz"]


def bright_middle(window: Window, axis: str) -> Pixel:
    """Middle of what is brighter than the head on a slice: the ball."""
    rect = slice_panel(window, axis).rect
    shown = picture(window.area.slices)[rect.y : rect.y + rect.height, rect.x : rect.x + rect.width]
    grey = shown.min(axis=-1) > 200
    grey[:, :30] = grey[:, -30:] = grey[:30] = grey[-30:] = False  # letters and the scale bar are bright too
    rows, columns = np.nonzero(grey)
    assert len(rows) > 50
    return rect.x + columns.mean() + 0.5, rect.y + rows.mean() + 0.5


@pytest.fixture
def at_the_ball(open_window: OpenWindow, anatomy: Path) -> Window:
    """A head with its crosshair in the bright ball, which covers nothing of it."""
    window = open_window(anatomy)
    go_to(window, BLOB_MM)
    press_key(window, Qt.Key.Key_X)
    settle(window)
    return window


# -- the crosshair


def test_a_click_on_the_bright_ball_brings_the_crosshair_to_where_the_file_has_it(at_the_ball: Window) -> None:
    window = at_the_ball
    for axis in AXES:
        middle = bright_middle(window, axis)
        click(window.area.slices, slice_panel(window, axis).px_of((-10.0, -10.0, -10.0)))
        click(window.area.slices, middle)
        settle(window)
        at = typed_place(window)
        for along in IN_PLANE[axis]:
            assert at[along] == pytest.approx(BLOB_MM[along], abs=1.0), axis


def test_dragging_over_a_slice_takes_the_crosshair_along_and_the_other_slices_follow(
    open_window: OpenWindow, anatomy: Path
) -> None:
    window = open_window(anatomy)
    goal = (11.0, -13.0, -9.0)
    for axis in AXES:
        panel = slice_panel(window, axis)
        path = [pixel_of(window, axis, mm) for mm in ((0, 0, 0), (-6, 9, 7), goal)]
        drag(window.area.slices, *path, release=False)
        settle(window)
        at = window.session.state.crosshair_mm
        for along in IN_PLANE[axis]:
            assert at[along] == pytest.approx(goal[along], abs=panel.mm_per_px), axis
        assert at[AXIS_INDEX[panel.axis]] == panel.position_mm
        for other in window.slice_view.arrangement.panels:
            assert other.position_mm == at[AXIS_INDEX[other.axis]]
        click(window.area.slices, pixel_of(window, axis, (2, 2, 2)))
        settle(window)


def test_the_crosshair_is_drawn_under_the_mouse_on_the_slice_and_at_the_same_place_on_the_others(
    open_window: OpenWindow, anatomy: Path
) -> None:
    window = open_window(anatomy)
    x, y = pixel_of(window, "axial", (10.0, 12.0, 0.0))
    click(window.area.slices, (x, y))
    settle(window)
    shown = picture(window.area.slices)
    green = np.abs(shown - np.array(CROSSHAIR)).max(axis=-1) < 40

    def lines_of(axis: str) -> Pixel:
        """Column of the upright line and row of the level one."""
        rect = slice_panel(window, axis).rect
        here = green[rect.y : rect.y + rect.height, rect.x : rect.x + rect.width]
        return rect.x + float(here.sum(axis=0).argmax()), rect.y + float(here.sum(axis=1).argmax())

    assert lines_of("axial") == (pytest.approx(x, abs=1.0), pytest.approx(y, abs=1.0))
    at = window.session.state.crosshair_mm
    for axis in ("coronal", "sagittal"):
        expected = slice_panel(window, axis).px_of(at)
        assert lines_of(axis) == (pytest.approx(expected[0], abs=1.0), pytest.approx(expected[1], abs=1.0))


def test_a_drag_that_leaves_the_slice_stays_at_its_edge(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy)
    panel = slice_panel(window, "axial")
    inside = pixel_of(window, "axial", (0, 0, 0))
    drag(window.area.slices, inside, (panel.rect.x - 80.0, inside[1]))
    edge, _, _ = panel.mm_at(panel.rect.x, inside[1])
    assert window.session.state.crosshair_mm[0] == pytest.approx(edge, abs=1e-3)


def test_undo_takes_a_whole_drag_back_in_one_step_and_redo_brings_it_again(
    open_window: OpenWindow, anatomy: Path
) -> None:
    window = open_window(anatomy)
    click(window.area.slices, pixel_of(window, "axial", (-8, 4, 0)))
    start = window.session.state.crosshair_mm
    drag(window.area.slices, *(pixel_of(window, "axial", (x, -x, 0)) for x in range(0, 20, 2)))
    end = window.session.state.crosshair_mm
    assert end != start
    settle(window)
    press_key(window, Qt.Key.Key_Z, CONTROL)
    settle(window)
    assert window.session.state.crosshair_mm == start
    press_key(window, Qt.Key.Key_Z, CONTROL | SHIFT)
    assert window.session.state.crosshair_mm == end


# -- the wheel


def test_a_notch_of_the_wheel_over_a_slice_steps_it_by_one_voxel(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy)
    for axis in AXES:
        along = AXIS_INDEX[slice_panel(window, axis).axis]
        expected = list(window.session.state.crosshair_mm)
        for notches in (2, -3):
            wheel(window.area.slices, pixel_of(window, axis, (5, 5, 5)), notches)
            expected[along] += notches * 4.0  # voxels of 4 mm
            assert window.session.state.crosshair_mm == tuple(expected), axis


def test_control_and_wheel_magnify_about_the_place_under_the_mouse(at_the_ball: Window) -> None:
    window = at_the_ball
    for axis in AXES:
        x, y = before = bright_middle(window, axis)
        size = ball_width(window, axis)
        wheel(window.area.slices, before, 3, CONTROL)
        settle(window)
        assert ball_width(window, axis) == pytest.approx(size * 1.15**3, rel=0.06), axis
        assert bright_middle(window, axis) == (pytest.approx(x, abs=1.5), pytest.approx(y, abs=1.5))
        wheel(window.area.slices, before, -3, CONTROL)
        settle(window)
        assert bright_middle(window, axis) == (pytest.approx(x, abs=1.5), pytest.approx(y, abs=1.5))


def ball_width(window: Window, axis: str) -> float:
    """Width of the bright ball through its middle, in pixels."""
    x, y = bright_middle(window, axis)
    row = picture(window.area.slices)[int(y)].min(axis=-1) > 200
    left = right = int(x)
    while row[left - 1]:
        left -= 1
    while row[right + 1]:
        right += 1
    return right - left + 1


def test_dragging_up_with_the_right_button_magnifies_about_the_place_where_it_went_down(at_the_ball: Window) -> None:
    window = at_the_ball
    x, y = before = bright_middle(window, "axial")
    size = ball_width(window, "axial")
    drag(window.area.slices, before, (x, y - 30), (x, y - 60), button=RIGHT)
    settle(window)
    assert ball_width(window, "axial") == pytest.approx(size * 1.006**60, rel=0.06)
    assert bright_middle(window, "axial") == (pytest.approx(x, abs=1.5), pytest.approx(y, abs=1.5))


def test_the_middle_button_or_shift_moves_the_picture_with_the_mouse_and_not_the_crosshair(
    at_the_ball: Window,
) -> None:
    window = at_the_ball
    crosshair = window.session.state.crosshair_mm
    for button, held in ((MIDDLE, NOTHING_HELD), (LEFT, SHIFT)):
        x, y = before = bright_middle(window, "coronal")
        drag(window.area.slices, before, (x - 5, y + 3), (x - 20, y + 9), button=button, held=held)
        settle(window)
        assert bright_middle(window, "coronal") == (pytest.approx(x - 20, abs=1.5), pytest.approx(y + 9, abs=1.5))
        assert window.session.state.crosshair_mm == crosshair


def test_home_and_control_0_show_the_whole_head_again(at_the_ball: Window) -> None:
    window = at_the_ball
    before = picture(window.area.slices)
    for key, held in ((Qt.Key.Key_Home, NOTHING_HELD), (Qt.Key.Key_0, CONTROL)):
        wheel(window.area.slices, bright_middle(window, "axial"), 4, CONTROL)
        x, y = pixel_of(window, "axial", BLOB_MM)
        drag(window.area.slices, (x, y), (x + 30, y), button=MIDDLE)
        settle(window)
        assert (picture(window.area.slices) != before).any()
        press_key(window, key, held)
        settle(window)
        assert (picture(window.area.slices) == before).all()


# -- what is read beside the picture


def test_place_and_voxel_and_the_value_of_every_layer_at_the_crosshair_are_told(
    open_window: OpenWindow, anatomy: Path, stat_map: Path
) -> None:
    window = open_window(anatomy, stat_map)
    go_to(window, WARM_MM)
    assert typed_place(window) == list(WARM_MM)
    told = window.panels.cursor_panel.text().splitlines()
    assert told[1].startswith("voxel 14, 6, 12")  # (18 + 38) / 4, (-20 + 46) / 4, (8 + 42) / 4: half-way rounds to even
    assert told[2].split("\t")[1:] == ["6", "t(20)"]
    assert told[3].split("\t")[1:] == ["100"]


def test_hovering_tells_the_place_and_the_values_under_the_mouse_without_moving_the_crosshair(
    open_window: OpenWindow, anatomy: Path, stat_map: Path
) -> None:
    window = open_window(anatomy, stat_map)
    go_to(window, (0.0, 0.0, COOL_MM[2]))
    hover(window.area.slices, pixel_of(window, "axial", COOL_MM))
    told = window.statusBar().currentMessage()
    assert "_tstat: -5 t(20)" in told
    assert "_T1w: 100" in told
    x, y, z = (float(part) for part in told.partition(" mm")[0].split(","))
    assert (x, y, z) == (pytest.approx(COOL_MM[0], abs=0.3), pytest.approx(COOL_MM[1], abs=0.3), COOL_MM[2])
    assert window.session.state.crosshair_mm == (0.0, 0.0, COOL_MM[2])


def test_the_scale_bar_is_as_long_as_it_says(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy)
    panel = window.slice_view.arrangement.panels[0]
    shown = picture(window.area.slices)
    bottom, left = panel.rect.y + panel.rect.height, panel.rect.x
    rows = shown[bottom - 14 : bottom - 6, left : left + panel.rect.width // 3]
    bar_px = max(int((row.min(axis=-1) > 180).sum()) for row in rows)
    along = IN_PLANE[panel.axis][0]
    places = []
    for offset in (20, 120):  # what the program itself calls 100 pixels
        click(window.area.slices, (panel.rect.x + offset, panel.rect.y + panel.rect.height / 2))
        places.append(window.session.state.crosshair_mm[along])
    mm_per_px = (places[1] - places[0]) / 100
    said = [mark.text for mark in marks(window) if isinstance(mark, Text) and mark.text.endswith(" cm")]
    assert said == ["2 cm"]
    assert bar_px * mm_per_px == pytest.approx(20.0, abs=2 * mm_per_px)


def marks(window: Window) -> list[object]:
    """Lines, boxes and texts over the slices."""
    view = window.slice_view
    width, height = window.area.slices.size_px()
    return list(slice_marks(view._scene(window.session.shown(), width, height, 1.0)))


def test_the_colour_bar_says_whose_colours_these_are_and_in_what_unit_and_shows_them(
    open_window: OpenWindow, anatomy: Path, stat_map: Path
) -> None:
    window = open_window(anatomy, stat_map)
    said = [mark.text for mark in marks(window) if isinstance(mark, Text)]
    assert "sub-01_space-MNI152NLin6Asym_tstat (t(20))" in said
    assert {"−6", "−3.1", "0", "3.1", "6"} <= set(said)
    assert not any("T1w" in text for text in said)  # grey needs no key
    place = window.slice_view.arrangement.bars
    strip = picture(window.area.slices)[place.y : place.y + place.height]
    red, blue = strip[..., 0] - strip[..., 2] > 100, strip[..., 2] - strip[..., 0] > 100
    assert red.any()
    assert blue.any()
    assert np.nonzero(blue)[1].max() < np.nonzero(red)[1].min()


# -- what images look like


def is_warm(colour: tuple[int, int, int]) -> bool:
    return colour[0] - colour[2] > 90


def is_cool(colour: tuple[int, int, int]) -> bool:
    return colour[2] - colour[0] > 60


def is_grey(colour: tuple[int, int, int]) -> bool:
    return max(colour) - min(colour) < 12


def test_positive_and_negative_values_have_colours_of_their_own_and_are_where_the_file_has_them(
    open_window: OpenWindow, anatomy: Path, stat_map: Path
) -> None:
    window = open_window(anatomy, stat_map)
    press_key(window, Qt.Key.Key_X)
    mirrored = (-COOL_MM[0], COOL_MM[1], COOL_MM[2])
    for place, has_its_colour in ((WARM_MM, is_warm), (COOL_MM, is_cool), (mirrored, is_grey)):
        go_to(window, place)
        for axis in AXES:
            assert has_its_colour(colour_on_slice(window, axis, place)), (axis, place)


def test_voxels_that_are_nan_or_infinite_let_what_is_below_show_through(
    open_window: OpenWindow, anatomy: Path, tmp_path: Path
) -> None:
    grid = small_grid_4mm()
    values = np.full(grid.shape, 5.0, np.float32)
    holes = {(-14.0, 10.0, 6.0): np.nan, (14.0, 10.0, 6.0): np.inf, (14.0, -14.0, 6.0): -np.inf}
    for centre, value in holes.items():
        values[ball(grid, centre, 7.0)] = value
    window = open_window(anatomy, save(tmp_path / "holes_zstat.nii", values, grid.affine))
    press_key(window, Qt.Key.Key_X)
    go_to(window, (0.0, 0.0, 6.0))
    for centre in holes:
        assert is_grey(colour_on_slice(window, "axial", centre)), centre
    assert not is_grey(colour_on_slice(window, "axial", (-14.0, -14.0, 6.0)))


def test_a_true_colour_image_is_shown_in_its_own_colours_at_its_place(open_window: OpenWindow, tmp_path: Path) -> None:
    grid = small_grid_4mm()
    rgb = np.zeros(grid.shape, np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    for centre, channel in (((14, 0, 0), "R"), ((-14, 0, 0), "G"), ((0, 20, 0), "B")):
        rgb[channel][ball(grid, centre, 8.0)] = 220
    image = nib.Nifti1Image(rgb, grid.affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, tmp_path / "tensor.nii")
    window = open_window(tmp_path / "tensor.nii")
    press_key(window, Qt.Key.Key_X)
    settle(window)
    assert colour_on_slice(window, "axial", (14, 0, 0)) == (220, 0, 0)
    assert colour_on_slice(window, "axial", (-14, 0, 0)) == (0, 220, 0)
    assert colour_on_slice(window, "axial", (0, 20, 0)) == (0, 0, 220)


def test_the_frame_slider_shows_another_frame_of_a_series(open_window: OpenWindow, tmp_path: Path) -> None:
    grid = small_grid_4mm()
    series = np.zeros((*grid.shape, 3), np.float32)
    series[[0, -1]] = 100.0  # so that the whole grid is shown
    for frame in range(3):
        series[ball(grid, (-20 + 20 * frame, 0, 0), 8.0), frame] = 100.0
    window = open_window(save(tmp_path / "moving_bold.nii", series, grid.affine))
    press_key(window, Qt.Key.Key_X)
    track = named(window, QSlider, "Frame")
    for frame in range(3):
        settle(window)
        bright = [colour_on_slice(window, "axial", (x, 0, 0))[0] > 150 for x in (-20, 0, 20)]
        assert bright == [n == frame for n in range(3)]

        track.setFocus()
        QTest.keyClick(track, Qt.Key.Key_Right)


def test_without_smoothing_voxels_are_blocks_and_with_it_they_run_into_one_another(
    open_window: OpenWindow, tmp_path: Path
) -> None:
    grid = small_grid_4mm()
    values = np.zeros(grid.shape, np.float32)
    values[10:] = 100.0  # the first voxel of 100 is centred at x = 2, the last of 0 at x = -2
    values[0, 0, 0] = 1.0
    window = open_window(save(tmp_path / "step.nii", values, grid.affine))
    press_key(window, Qt.Key.Key_X)
    settle(window)
    panel = slice_panel(window, "axial")
    row = int(panel.px_of((0, 0, 0))[1])
    columns = np.arange(*(int(panel.px_of((x, 0, 0))[0]) for x in (-10, 10)))
    x_mm = np.array([panel.mm_at(column + 0.5, row)[0] for column in columns])
    ramp = np.interp(x_mm, [-2, 2], [0, 255])
    assert np.abs(picture(window.area.slices)[row, columns, 0] - ramp).max() <= 2
    box = checkbox(window, "Smooth")
    QTest.mouseClick(box, LEFT, pos=box.rect().center())
    settle(window)
    assert picture(window.area.slices)[row, columns, 0].tolist() == np.where(x_mm < 0, 0, 255).tolist()


def checkbox(window: Window, text: str) -> QCheckBox:
    return next(box for box in window.findChildren(QCheckBox) if box.text() == text)


# -- thresholds


@pytest.fixture
def cone(tmp_path: Path) -> Path:
    """A z map that falls from 8 at (10, 0, 0) by 1 each 3 mm."""
    grid = small_grid_4mm()
    away = np.linalg.norm(np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), -1) * 4.0
                          + np.array([-38.0, -46.0, -42.0]) - np.array([10.0, 0.0, 0.0]), axis=-1)  # fmt: skip
    return save(tmp_path / "cone_zstat.nii", np.clip(8 - away / 3, 0, None).astype(np.float32), grid.affine)


@pytest.fixture
def cone_view(anatomy: Path, cone: Path) -> Callable[..., ViewState]:
    """The head under the cone, hidden below 4, in one plane."""

    def make(**changes: object) -> ViewState:
        layers = (
            Overlay(1, FileMap(str(anatomy)), "T1", Colours("grey", 0.0, 200.0)),
            Overlay(2, FileMap(str(cone)), "z", Colours("warm", 0.0, 8.0), **{"threshold": Threshold(4.0), **changes}),  # type: ignore[arg-type]
        )
        return ViewState(overlays=layers, selected=2, crosshair_mm=(-30.0, -30.0, 0.0))

    return make


def test_the_key_o_draws_a_white_line_where_the_map_passes_its_threshold(
    open_window: OpenWindow, cone_view: Callable[..., ViewState]
) -> None:
    window = open_window(view=cone_view(), layout="axial")

    def white() -> np.ndarray:
        panel = slice_panel(window, "axial")
        rows, columns = np.nonzero(picture(window.area.slices).min(axis=-1) > 200)
        places = [panel.mm_at(x + 0.5, y + 0.5) for x, y in zip(columns, rows, strict=True)]
        away = np.array([np.hypot(x - 10.0, y) for x, y, _ in places])
        return away[away < 25]  # the head's middle: letters are farther out

    assert len(white()) == 0
    press_key(window, Qt.Key.Key_O)
    settle(window)
    assert len(white()) > 100
    assert np.abs(white() - 12.0).max() < 1.5  # 8 - 12 / 3 = 4
    press_key(window, Qt.Key.Key_O)
    settle(window)
    assert len(white()) == 0


def test_shift_f_fades_what_is_below_the_threshold_instead_of_hiding_it(
    open_window: OpenWindow, cone_view: Callable[..., ViewState]
) -> None:
    window = open_window(view=cone_view(), layout="axial")
    inside, below, far = (10.0, 5.0, 0.0), (10.0, 16.0, 0.0), (-25.0, 10.0, 0.0)
    shown = colour_on_slice(window, "axial", inside)
    assert is_grey(colour_on_slice(window, "axial", below))
    press_key(window, Qt.Key.Key_F, SHIFT)
    settle(window)
    assert colour_on_slice(window, "axial", inside) == shown
    assert not is_grey(colour_on_slice(window, "axial", below))
    assert is_grey(colour_on_slice(window, "axial", far))


@pytest.mark.parametrize(("how", "low", "high", "left_share"), [("alpha", 0.0, 2.0, 0.5), ("clip", 1.5, 2.5, 0.0)])
def test_another_image_decides_how_opaque_a_layer_is_or_where_it_shows(
    open_window: OpenWindow, tmp_path: Path, how: str, low: float, high: float, left_share: float
) -> None:
    grid = small_grid_4mm()
    other = np.where(np.arange(20)[:, None, None] < 10, 1.0, 2.0) * np.ones(grid.shape)  # 1 on the left, 2 on the right
    black = save(tmp_path / "black.nii", np.zeros(grid.shape, np.float32), grid.affine)
    flat = save(tmp_path / "flat_zstat.nii", np.full(grid.shape, 8.0, np.float32), grid.affine)
    by = FileMap(str(save(tmp_path / "weight.nii", other.astype(np.float32), grid.affine)))
    modulation = Modulation(by, how, low, high)  # type: ignore[arg-type]
    layers = (
        Overlay(1, FileMap(str(black)), "black"),
        Overlay(2, FileMap(str(flat)), "z", Colours("viridis", 0.0, 8.0), modulation=modulation),
    )
    window = open_window(view=ViewState(overlays=layers, crosshair_mm=(-37.0, -37.0, 0.0)), layout="axial")
    left, right = (np.array(colour_on_slice(window, "axial", (x, 0, 0))) for x in (-15.0, 15.0))
    full = np.array((253, 231, 37))  # the end of viridis
    assert np.abs(left - full * left_share).max() <= 4
    assert np.abs(right - full).max() <= 4
