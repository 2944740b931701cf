"""Frames of a 4D image: slider, playback, thresholds that stay."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from habena.app.window import Window
from habena.widgets.layer_panel import LayerPanel
from panel_events import layers_of, middle, press, said_of, select_layer, selected, write
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QSlider
from window_events import CONTROL, LEFT, colour_on_slice, named, press_key, settle, texts, wait_until
from window_files import OpenWindow, ball, save, small_grid_4mm

FRAMES = 6
BALL_MM = (14.0, -18.0, 6.0)


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Six frames in which a ball gets brighter: 40, 80, … 240, within a head of 100."""
    grid = small_grid_4mm()
    values = np.full((*grid.shape, FRAMES), 100.0, np.float32)
    for frame in range(FRAMES):
        values[ball(grid, BALL_MM, 10.0), frame] = 40.0 * (frame + 1)
    return save(tmp_path / "frames.nii", values, grid.affine)


@pytest.fixture
def on_series(open_window: OpenWindow, series: Path) -> Window:
    window = open_window(series)
    window.session.move_crosshair(BALL_MM)
    settle(window)
    return window


def panel(window: Window) -> LayerPanel:
    return window.findChild(LayerPanel)


def brightness(window: Window) -> int:
    return colour_on_slice(window, "axial", BALL_MM)[0]


def test_the_frame_slider_shows_another_frame_and_its_threshold_stays(on_series: Window) -> None:
    write(panel(on_series), "To", "250")
    settle(on_series)
    seen = [brightness(on_series)]
    write(panel(on_series), "Threshold", "130")
    slider = named(panel(on_series), QSlider, "Frame")
    slider.setFocus()
    for frame in range(1, FRAMES):
        QTest.keyClick(slider, Qt.Key.Key_Right)
        settle(on_series)
        assert f"frame {frame + 1} of {FRAMES}" in said_of(on_series, 0)
        assert f"{frame + 1} / {FRAMES}" in texts(panel(on_series))
        assert selected(on_series).threshold.value == 130.0
        seen.append(brightness(on_series))
    assert seen[1] == seen[2] == 0  # 80 and 120 are below the threshold
    assert 100 < seen[3] < seen[4] < seen[5]


def test_playback_runs_round_and_round_until_it_is_stopped(on_series: Window) -> None:
    frames: list[int] = []
    on_series.session.changed.connect(lambda: frames.append(selected(on_series).frame))
    write(panel(on_series), "Speed", "60")
    press(panel(on_series), "Play")
    wait_until(lambda: frames.count(2) >= 2, "the second round")
    press(panel(on_series), "Play")
    settle(on_series)
    steps = [(b - a) % FRAMES for a, b in pairwise(frames)]
    assert set(steps) <= {0, 1}
    stopped_at = selected(on_series).frame
    assert f"frame {stopped_at + 1} of {FRAMES}" in said_of(on_series, 0)
    shown = brightness(on_series)
    settle(on_series)
    assert (selected(on_series).frame, brightness(on_series)) == (stopped_at, shown)
    press_key(on_series, Qt.Key.Key_Z, CONTROL)
    settle(on_series)
    assert selected(on_series).frame == 0  # all of it was one step


def test_playback_ends_with_the_series(on_series: Window, anatomy: Path) -> None:
    on_series.open([str(anatomy)])
    settle(on_series)
    select_layer(on_series, 1)
    press(panel(on_series), "Play")
    wait_until(lambda: selected(on_series).frame > 0, "the next frame")
    select_layer(on_series, 0)  # an anatomy has no frames
    assert not named(panel(on_series), QAbstractButton, "Play").isChecked()
    select_layer(on_series, 1)
    stopped_at = selected(on_series).frame
    with layers_of(on_series) as layers:
        QTest.mouseClick(layers.viewport(), LEFT, pos=middle(layers, 1))
    assert selected(on_series).frame == stopped_at


def test_series_of_as_many_frames_move_together_when_asked_to(on_series: Window, series: Path) -> None:
    other = series.with_name("other.nii")
    other.write_bytes(series.read_bytes())
    on_series.open([str(other)])
    settle(on_series)
    slider = named(panel(on_series), QSlider, "Frame")
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert [overlay.frame for overlay in on_series.session.state.overlays] == [0, 1]
    press(panel(on_series), "All series together")
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert [overlay.frame for overlay in on_series.session.state.overlays] == [2, 2]
