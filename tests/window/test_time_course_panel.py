"""Time courses of every 4D image at the crosshair; a click there chooses the frame."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pyqtgraph as pg
import pytest
from habena.app.window import Window
from habena.widgets.time_course import TimeCourse
from panel_events import open_tab, said_of, select_layer, selected
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QSlider
from window_events import LEFT, drag, named, pixel_of, settle, texts
from window_files import OpenWindow, small_grid_4mm

LEFT_MM, RIGHT_MM = (-33.0, -39.0, 3.0), (33.0, 3.0, 3.0)
PET_STARTS_S = (0.0, 60.0, 120.0, 240.0, 480.0)
PET_LASTS_S = (60.0, 60.0, 120.0, 240.0, 480.0)


@pytest.fixture
def pet(tmp_path: Path) -> Path:
    """A dynamic PET of five frames that get longer; uptake on the right is twice that on the left."""
    grid = small_grid_4mm()
    uptake = np.zeros(grid.shape)
    uptake[1:10, 1:-1, 1:-1], uptake[10:-1, 1:-1, 1:-1] = 1.0, 2.0
    values = (1000 * uptake[..., None] * [1, 5, 4, 3, 2]).astype(np.float32)
    path = tmp_path / "sub-01_space-MNI152NLin6Asym_pet.nii"
    image = nib.Nifti1Image(values, grid.affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    times = {"FrameTimesStart": PET_STARTS_S, "FrameDuration": PET_LASTS_S, "Units": "Bq/mL"}
    path.with_suffix(".json").write_text(json.dumps(times))
    return path


def course(window: Window) -> TimeCourse:
    return window.findChild(TimeCourse)


def main_plot(window: Window) -> pg.PlotItem:
    items = list(course(window).findChild(pg.GraphicsLayoutWidget).ci.items)
    return min(items, key=lambda item: item.sceneBoundingRect().top())


def curves(window: Window) -> list[tuple[np.ndarray, np.ndarray]]:
    return [item.getData() for item in main_plot(window).curves if item.isVisible()]


def at_time(window: Window, x: float) -> QPoint:
    """Pixel of the first plot at a time."""
    box = main_plot(window).getViewBox()
    return box.mapViewToScene(QPointF(x, sum(box.viewRange()[1]) / 2)).toPoint()


def port(window: Window):
    return course(window).findChild(pg.GraphicsLayoutWidget).viewport()


def readout(window: Window) -> str:
    return named(course(window), QLabel, "Values at this time").text()


def go(window: Window, mm: tuple[float, float, float]) -> None:
    """Click a place of the axial slice at the right height."""
    window.session.move_crosshair((0.0, 0.0, mm[2]))
    settle(window)
    drag(window.area.slices, pixel_of(window, "axial", mm))
    settle(window)


def test_without_a_series_the_panel_says_what_to_open(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy)
    open_tab(window, "time")
    assert "Open a 4D image to see its time course here." in texts(course(window))


def test_the_series_at_the_crosshair_is_drawn_in_seconds(open_window: OpenWindow, run_4d: Path) -> None:
    window = open_window(run_4d)
    open_tab(window, "time")
    data = np.asanyarray(nib.load(run_4d).dataobj)
    for mm, voxel in ((LEFT_MM, (5, 6, 8)), (RIGHT_MM, (16, 13, 8))):
        go(window, mm)
        ((x, y),) = curves(window)
        np.testing.assert_allclose(x, 2.0 * np.arange(40))
        np.testing.assert_allclose(y, data[voxel])
    assert "Time (s)" in readout(window)
    assert "sub-01_task-rest_space-MNI152NLin6Asym_bold" in readout(window)


def test_a_click_chooses_a_frame_and_the_line_stands_there(open_window: OpenWindow, run_4d: Path) -> None:
    window = open_window(run_4d)
    open_tab(window, "time")
    go(window, LEFT_MM)
    QTest.mouseClick(port(window), LEFT, pos=at_time(window, 30.0))
    settle(window)
    assert selected(window).frame == 15
    assert "frame 16 of 40" in said_of(window, 0)
    assert main_plot(window).frame.value() == 30.0
    QTest.keyClick(course(window), Qt.Key.Key_Right)
    settle(window)
    assert selected(window).frame == 16
    value = np.asanyarray(nib.load(run_4d).dataobj)[5, 6, 8, 16]
    assert f"<b>{value}</b>" in readout(window)


def test_frames_of_pet_stand_in_minutes_as_long_as_they_last(open_window: OpenWindow, pet: Path) -> None:
    window = open_window(pet)
    open_tab(window, "time")
    go(window, (18.0, 2.0, 2.0))
    ((x, y),) = curves(window)
    steps = x[np.isfinite(x)]
    assert steps.min() == 0
    assert steps.max() == 16.0  # minutes
    assert np.nanmax(y) == 10_000
    QTest.mouseClick(port(window), LEFT, pos=at_time(window, 5.0))  # within the frame from 4 to 8 min
    settle(window)
    assert selected(window).frame == 3
    assert "Time (min)" in readout(window)
    assert "4 to 8 min" in " ".join(texts(window.dock("layers").widget()))
    go(window, (-18.0, 2.0, 2.0))
    assert np.nanmax(curves(window)[0][1]) == 5_000


def test_every_series_of_one_axis_is_shown_and_the_chosen_layer_decides_which(
    open_window: OpenWindow, run_4d: Path, pet: Path
) -> None:
    other = run_4d.with_name("sub-02_task-rest_space-MNI152NLin6Asym_bold.nii.gz")
    other.write_bytes(run_4d.read_bytes())
    window = open_window(run_4d, other, pet)
    open_tab(window, "time")
    go(window, (15.0, 3.0, 3.0))
    assert "Time (min)" in readout(window)
    assert len(curves(window)) == 1
    assert main_plot(window).frame.value() == 0.5  # the middle of the first minute
    select_layer(window, 1)
    assert "Time (s)" in readout(window)
    assert len(curves(window)) == 2
    assert main_plot(window).frame.value() == 0.0
    QTest.mouseClick(port(window), LEFT, pos=at_time(window, 20.0))
    settle(window)
    assert [overlay.frame for overlay in window.session.state.overlays] == [10, 10, 0]


def test_outside_the_images_the_panels_say_so(open_window: OpenWindow, run_4d: Path) -> None:
    window = open_window(run_4d)
    window.session.move_crosshair((200.0, 0.0, 0.0))
    settle(window)
    name = run_4d.name.removesuffix(".nii.gz")
    assert f"The crosshair is outside {name}." in " ".join(texts(course(window)))
    assert "The crosshair is outside every image." in " ".join(texts(window.dock("place").widget()))
    window.session.move_crosshair(LEFT_MM)
    settle(window)
    assert "outside" not in " ".join((*texts(course(window)), *texts(window.dock("place").widget())))


def test_maps_of_a_cifti_file_are_called_by_their_names_and_not_by_a_time(
    open_window: OpenWindow, tmp_path: Path
) -> None:
    names = ("myelin", "thickness", "curvature")
    vertices = np.arange(0, 32492, 4)
    cortex = nib.cifti2.BrainModelAxis.from_surface(vertices, 32492, "CortexLeft")
    values = np.random.default_rng(1).random((len(names), len(vertices))).astype(np.float32)
    path = tmp_path / "sub-01.32k_fs_LR.dscalar.nii"
    nib.save(nib.Cifti2Image(values, (nib.cifti2.ScalarAxis(names), cortex)), path)
    window = open_window(path, layout=None)
    assert "map 1 of 3: myelin" in said_of(window, 0)
    assert "Map 1 of 3: myelin" in texts(window.dock("layers").widget())
    slider = named(window.dock("layers").widget(), QSlider, "Frame")
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Right)
    settle(window)
    assert "Map 2 of 3: thickness" in texts(window.dock("layers").widget())
