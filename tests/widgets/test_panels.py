"""Seed, drawing and surface panels."""

from __future__ import annotations

from dataclasses import replace

import pytest
from habena.widgets.controls import Choice
from habena.widgets.draw_panel import DrawPanel, DrawSettings
from habena.widgets.numbers import NumberEdit
from habena.widgets.seed_panel import SeedPanel
from habena.widgets.seed_settings import SeedSettings
from habena.widgets.surface_panel import CAMERAS, RegionMesh, SurfacePanel, SurfaceSettings
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QMenu,
    QProgressBar,
    QPushButton,
    QSlider,
    QToolButton,
    QWidget,
)
from widget_events import Log, child, focus, take

COLUMNS = ("trans_x", "trans_y", "csf", "white_matter")
SEED = SeedSettings(
    run=2,
    kind="sphere",
    follow=False,
    radius_mm=5.0,
    drop=4,
    fwhm_mm=6,
    detrend=2,
    band_hz=(0.02, 0.2),
    confounds="confounds.tsv",
    columns=("csf",),
    censor_fd_mm=0.5,
    brain="mask.nii",
    measure="z",
)


def press(panel: QWidget, kind: type, name: str) -> None:
    QTest.mouseClick(child(panel, kind, name), Qt.MouseButton.LeftButton, pos=QPoint(12, 12))


def write(panel: QWidget, name: str, text: str) -> None:
    field = child(panel, NumberEdit, name)
    focus(field)
    QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)


@pytest.fixture
def seed(shown) -> SeedPanel:
    panel = SeedPanel()
    panel.set_runs([(1, "rest"), (2, "task")])
    panel.set_confounds(COLUMNS, [("Translation", ("trans_x", "trans_y")), ("Tissue", ("csf", "white_matter"))])
    panel.set_settings(SeedSettings(run=1))
    shown(panel, (320, 900))
    press(panel, QToolButton, "Confounds and")
    return panel


def test_seed_shows_its_settings_in_silence(seed: SeedPanel) -> None:
    log = Log(seed)
    seed.set_settings(SEED)
    seed.set_confounds(COLUMNS)
    seed.set_report("none left", ok=False)
    seed.set_progress(0.5)
    seed.set_progress(None)
    seed.set_possible(prepare=True, keep=False, pvalues=False)
    assert log == []
    assert child(seed, Choice, "Run").value() == 2
    assert child(seed, NumberEdit, "Radius").text() == "5 mm"
    assert child(seed, NumberEdit, "Lowest").value() == 0.02
    assert child(seed, NumberEdit, "Highest").isVisible()
    assert child(seed, NumberEdit, "Censor").text() == "0.5 mm"
    assert not child(seed, QCheckBox, "Follow").isChecked()
    ticks = child(seed, QListWidget, "Confounds")
    assert [ticks.item(row).checkState() == Qt.CheckState.Checked for row in range(4)] == [False, False, True, False]
    assert not child(seed, QPushButton, "Keep").isEnabled()


def test_seed_gives_what_was_set(seed: SeedPanel) -> None:
    log = Log(seed)
    take(child(seed, Choice, "Run"), "task")
    take(child(seed, Choice, "Seed"), "Sphere")
    write(seed, "Radius", "5")
    press(seed, QCheckBox, "Follow")
    take(child(seed, Choice, "Measure"), "Fisher")
    write(seed, "Drop", "4")
    write(seed, "Smoothing", "6 mm")
    write(seed, "Detrend", "2")
    take(child(seed, Choice, "Band"), "Other")
    write(seed, "Highest", "0.2")
    write(seed, "Lowest", "0,02")
    write(seed, "Censor", "0.5")
    settings, what = log.last("changed")
    assert settings == replace(SEED, confounds="", columns=(), brain="")
    assert what == "Censor"
    assert log.names() == ["changed", "settled"] * (log.names().count("changed"))


def test_only_what_belongs_to_the_seed_is_shown(seed: SeedPanel) -> None:
    seen = {}
    for kind in ("Voxel", "Sphere", "Region", "Mask"):
        take(child(seed, Choice, "Seed"), kind)
        seen[kind] = [
            child(seed, NumberEdit, "Radius").isVisible(),
            child(seed, QCheckBox, "Follow").isVisible(),
            child(seed, QToolButton, "Region: choose").isVisible(),
            child(seed, QToolButton, "Mask: choose").isVisible(),
        ]
    assert seen == {
        "Voxel": [False, True, False, False],
        "Sphere": [True, True, False, False],
        "Region": [False, False, True, False],
        "Mask": [False, False, False, True],
    }


def test_bands(seed: SeedPanel) -> None:
    log = Log(seed)
    choice = child(seed, Choice, "Band")
    take(choice, "0.01")
    assert log.last("changed")[0].band_hz == (0.01, 0.1)
    take(choice, "0.008")
    assert log.last("changed")[0].band_hz == (0.008, 0.09)
    take(choice, "All")
    assert log.last("changed")[0].band_hz is None
    assert not child(seed, NumberEdit, "Lowest").isVisible()


def test_confounds_by_hand_strategy_and_filter(seed: SeedPanel) -> None:
    log = Log(seed)
    ticks = child(seed, QListWidget, "Confounds")
    focus(ticks)
    QTest.keyClick(ticks, Qt.Key.Key_Down)
    ticks.setCurrentRow(1)
    QTest.keyClick(ticks, Qt.Key.Key_Space)
    assert log.last("changed")[0].columns == ("trans_y",)
    take(child(seed, Choice, "Strategy"), "Tissue")
    assert log.last("changed")[0].columns == ("csf", "white_matter")
    assert "2 of 4 chosen" in [label.text() for label in seed.findChildren(QLabel)]
    field = child(seed, QLineEdit, "Filter")
    focus(field)
    QTest.keyClicks(field, "TRANS")
    assert [ticks.item(row).isHidden() for row in range(4)] == [False, False, True, True]


def test_seed_asks_for_what_it_cannot_do(seed: SeedPanel) -> None:
    seed.set_settings(replace(SEED, kind="region"))
    log = Log(seed)
    press(seed, QPushButton, "Prepare")
    press(seed, QPushButton, "Keep")
    press(seed, QPushButton, "p-values")
    press(seed, QToolButton, "Region: choose")
    press(seed, QToolButton, "Confounds file: choose")
    press(seed, QToolButton, "Brain mask: choose")
    assert log.names() == [
        "prepare_requested",
        "keep_requested",
        "pvalues_requested",
        "region_requested",
        "confounds_requested",
        "brain_requested",
    ]
    log.clear()
    press(seed, QToolButton, "Brain mask: none")
    assert log.last("changed")[0].brain == ""


def test_preparation_shows_progress_and_can_be_stopped(seed: SeedPanel) -> None:
    log = Log(seed)
    seed.set_progress(0.4)
    assert child(seed, QProgressBar, "Preparation").value() == 40
    assert not child(seed, QPushButton, "Prepare").isVisible()
    press(seed, QPushButton, "Cancel")
    assert log == [("cancel_requested",)]


def test_without_a_run_the_seed_rests(seed: SeedPanel) -> None:
    seed.set_runs(())
    assert not seed.isEnabled()


@pytest.fixture
def draw(shown) -> DrawPanel:
    panel = DrawPanel()
    panel.set_report("123 voxels", has_mask=True)
    return shown(panel, (320, 300))


def test_drawing_tools(draw: DrawPanel) -> None:
    log = Log(draw)
    for tool, flat in (("Brush", True), ("Ball", False), ("Eraser", True), ("Fill", False), ("Navigate", False)):
        press(draw, QToolButton, tool)
        assert log.last("changed")[0].flat is flat
    assert [entry[1] for entry in log if entry[0] == "tool_changed"] == ["brush", "ball", "erase", "fill", "navigate"]


def test_tools_by_keyboard(draw: DrawPanel) -> None:
    log = Log(draw)
    navigate = child(draw, QToolButton, "Navigate")
    focus(navigate)
    QTest.keyClick(navigate, Qt.Key.Key_Right)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Right)
    assert log.last("tool_changed") == ("ball",)


def test_settings_of_the_tools(draw: DrawPanel) -> None:
    log = Log(draw)
    press(draw, QToolButton, "Eraser")
    assert child(draw, NumberEdit, "Radius").isVisible()
    assert not child(draw, NumberEdit, "Fill from").isVisible()
    write(draw, "Radius", "4.5")
    press(draw, QCheckBox, "In this slice")
    press(draw, QToolButton, "Fill")
    assert not child(draw, NumberEdit, "Radius").isVisible()
    write(draw, "Fill from", "0.3")
    write(draw, "Fill to", "1.2")
    write(draw, "Fill within", "25")
    assert log.last("changed")[0] == DrawSettings(
        "fill", 4.5, erase_flat=False, fill_low=0.3, fill_high=1.2, fill_radius_mm=25
    )


def test_masks_are_started_and_saved_elsewhere(draw: DrawPanel) -> None:
    log = Log(draw)
    menu = draw.findChild(QMenu)
    for action in menu.actions():
        action.trigger()
    press(draw, QPushButton, "Save")
    press(draw, QPushButton, "Statistics")
    assert log == [
        ("start_requested", "empty"),
        ("start_requested", "threshold"),
        ("start_requested", "region"),
        ("save_requested",),
        ("statistics_requested",),
    ]


def test_without_a_mask_there_is_nothing_to_save_but_a_tool_may_start_one(draw: DrawPanel) -> None:
    log = Log(draw)
    draw.set_settings(DrawSettings("fill"))
    draw.set_report("", has_mask=False)
    assert not child(draw, QPushButton, "Save").isEnabled()
    assert not child(draw, QPushButton, "Statistics").isEnabled()
    assert child(draw, QToolButton, "Brush").isEnabled()
    assert child(draw, QPushButton, "New mask").isEnabled()
    assert log == []


@pytest.fixture
def surface(shown) -> SurfacePanel:
    panel = SurfacePanel()
    panel.set_regions([RegionMesh(4, "Habenula L", (230, 20, 30)), RegionMesh(9, "Thalamus R", (0, 0, 255))])
    return shown(panel, (320, 400))


def test_surface_settings(surface: SurfacePanel) -> None:
    log = Log(surface)
    take(child(surface, Choice, "Mesh"), "Inflated")
    take(child(surface, Choice, "Hemispheres"), "Left")
    press(surface, QCheckBox, "Slices")
    track = child(surface, QSlider, "Opacity")
    focus(track)
    QTest.keyClick(track, Qt.Key.Key_PageDown)
    assert log.last("changed") == (
        SurfaceSettings("inflated", "left", pytest.approx(0.9), slices=True),
        "Opacity of the cortex",
    )
    assert log.names() == ["changed", "settled"] * 4


def test_cameras(surface: SurfacePanel) -> None:
    log = Log(surface)
    for side in CAMERAS:
        press(surface, QPushButton, side.capitalize())
    assert [entry[1] for entry in log] == list(CAMERAS)


def test_region_meshes(surface: SurfacePanel) -> None:
    log = Log(surface)
    regions = child(surface, QListWidget, "Regions")
    assert not child(surface, QToolButton, "Remove").isEnabled()
    QTest.mouseClick(
        regions.viewport(), Qt.MouseButton.LeftButton, pos=regions.visualItemRect(regions.item(1)).center()
    )
    press(surface, QToolButton, "Remove")
    QTest.keyClick(regions, Qt.Key.Key_Up)
    QTest.keyClick(regions, Qt.Key.Key_Delete)
    press(surface, QToolButton, "Add region")
    press(surface, QToolButton, "Open surface")
    assert log == [("region_removed", 9), ("region_removed", 4), ("add_region_requested",), ("open_requested",)]


def test_surface_is_set_in_silence(surface: SurfacePanel) -> None:
    log = Log(surface)
    surface.set_kinds([("pial", "Pial"), ("white", "White")])
    surface.set_settings(SurfaceSettings("white", "right", 0.3, slices=True))
    surface.set_regions(())
    assert log == []
    assert child(surface, Choice, "Mesh").value() == "white"
    assert not child(surface, QListWidget, "Regions").isVisible()
