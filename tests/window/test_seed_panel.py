"""The seed form: which run, from where, prepared how; maps that are kept, and their p-values."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import habena.app.runs
import nibabel as nib
import numpy as np
import pytest
from habena.app.answers import Answer
from habena.app.recipes import (
    CrosshairSeed,
    Drawing,
    FileMap,
    MaskSeed,
    PointSeed,
    Preparation,
    RegionMask,
    SeedCorrelation,
)
from habena.app.runs import Prepared
from habena.app.window import Window
from habena.widgets.elided_label import ElidedLabel
from habena.widgets.layer_list import LayerList
from habena.widgets.layer_panel import LayerPanel
from habena.widgets.notice_bar import NoticeBar
from habena.widgets.seed_panel import SeedPanel
from panel_events import choose, open_tab, press, said_of, select_layer, selected, titles, write
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QListWidget, QPlainTextEdit, QProgressBar, QPushButton
from window_events import colour_on_slice, drag, named, pixel_of, press_key, settle, texts, wait_until
from window_files import OpenWindow

LEFT_MM, RIGHT_MM = (-33.0, -39.0, 3.0), (33.0, 3.0, 3.0)  # the two networks of the simulated run
NEXT_MM = (-21.0, -33.0, 3.0)  # also in the left one


@pytest.fixture
def on_run(open_window: OpenWindow, run_4d: Path) -> Window:
    """A run with its seed form in front and the crosshair in the left network."""
    window = open_window(run_4d)
    open_tab(window, "seed")
    click_at(window, LEFT_MM)
    return window


@pytest.fixture
def with_map(on_run: Window) -> Window:
    """The same with a live seed map, the crosshair still in the left network."""
    press(form(on_run), "Prepare")
    settle(on_run)
    return on_run


def form(window: Window) -> SeedPanel:
    return window.findChild(SeedPanel)


def click_at(window: Window, mm: tuple[float, float, float]) -> None:
    """Click a place of the axial slice, of which the right height is typed first."""
    window.session.move_crosshair((0.0, 0.0, mm[2]))
    settle(window)
    drag(window.area.slices, pixel_of(window, "axial", mm))
    settle(window)


def recipe(window: Window) -> SeedCorrelation:
    made = selected(window).recipe
    assert isinstance(made, SeedCorrelation)
    return made


def map_of(window: Window, number: int) -> np.ndarray:
    """Values of a layer, counted from the top of the list."""
    overlay = window.session.state.overlays[-1 - number]
    answer = next(shown.answer for shown in window.session.shown() if shown.overlay.key == overlay.key)
    assert answer.image is not None
    return answer.image.frame(0)


def answer_file_dialogs(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))


def said(window: Window) -> str:
    return " ".join(texts(form(window)))


def test_without_a_run_the_form_rests(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy)
    open_tab(window, "seed")
    assert not form(window).isEnabled()


def test_the_form_says_what_a_preparation_costs_before_it_is_made(on_run: Window) -> None:
    assert "40 volumes" in said(on_run)
    assert "degrees of freedom removed" in said(on_run)
    choose(form(on_run), "Band", "All frequencies")
    write(form(on_run), "Detrend order", "1")
    settle(on_run)
    assert "40 volumes, 2 degrees of freedom removed, 38 remain." in said(on_run)
    write(form(on_run), "Drop", "5")
    settle(on_run)
    assert "35 volumes, 2 degrees of freedom removed, 33 remain." in said(on_run)


def test_a_preparation_that_leaves_nothing_is_refused_in_words(on_run: Window) -> None:
    write(form(on_run), "Drop", "36")
    settle(on_run)
    report = next(label for label in form(on_run).findChildren(QLabel) if label.property("wrong"))
    assert report.isVisible()
    assert "widen the band" in report.text()


def test_prepare_adds_a_live_map_on_top_that_follows_a_click(on_run: Window) -> None:
    press(form(on_run), "Prepare")
    settle(on_run)
    assert titles(on_run)[0] == "Seed correlation, sub-01_task-rest_space-MNI152NLin6Asym_bold"
    assert "correlation r, live" in said_of(on_run, 0)
    there = colour_on_slice(on_run, "axial", NEXT_MM)
    assert there[0] > there[2] + 60  # warm: the same network
    click_at(on_run, RIGHT_MM)
    elsewhere = colour_on_slice(on_run, "axial", NEXT_MM)
    assert elsewhere[0] < there[0] - 60


def test_a_sphere_has_a_radius_and_a_seed_can_stand_still(with_map: Window) -> None:
    choose(form(with_map), "Seed", "Sphere")
    write(form(with_map), "Radius", "9")
    settle(with_map)
    assert recipe(with_map).seed == CrosshairSeed(9.0)
    voxels = map_of(with_map, 0).copy()
    press(form(with_map), "Follow the crosshair")
    settle(with_map)
    seed = recipe(with_map).seed
    assert isinstance(seed, PointSeed)
    assert seed.radius_mm == 9.0
    np.testing.assert_allclose(map_of(with_map, 0), voxels, atol=0.2)
    stays = map_of(with_map, 0).copy()
    click_at(with_map, RIGHT_MM)
    np.testing.assert_array_equal(map_of(with_map, 0), stays)
    assert "live" not in said_of(with_map, 0)


def test_fisher_z_is_the_inverse_hyperbolic_tangent_of_r(with_map: Window) -> None:
    r = map_of(with_map, 0).copy()
    choose(form(with_map), "Measure", "Fisher z")
    settle(with_map)
    limit = np.tanh(4.0)  # z is limited to ±4: the seed itself would be infinite
    expected = np.arctanh(np.clip(r.astype(float), -limit, limit))
    np.testing.assert_allclose(map_of(with_map, 0), expected, atol=2e-3)
    assert "Fisher z" in said_of(with_map, 0)


def test_choosing_a_region_waits_until_one_is_named(with_map: Window) -> None:
    before = recipe(with_map).seed
    choose(form(with_map), "Seed", "Region")
    click_at(with_map, NEXT_MM)
    assert recipe(with_map).seed == before  # until a region is named the seed stays
    press(form(with_map), "Region: choose")
    settle(with_map)
    assert any("Ctrl+Enter" in text for text in texts(with_map.findChild(NoticeBar)))
    assert with_map.panels.finder.hasFocus()


def test_a_mask_file_is_a_seed(with_map: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = nib.load(recipe(with_map).run.path)
    mask = np.zeros(run.shape[:3], np.uint8)
    mask[14:20, 10:18, 4:12] = 1  # the network on the right
    path = tmp_path / "right.nii"
    nib.save(nib.Nifti1Image(mask, run.affine), path)
    answer_file_dialogs(monkeypatch, path)
    choose(form(with_map), "Seed", "Mask")
    press(form(with_map), "Mask: choose")
    settle(with_map)
    assert recipe(with_map).seed == MaskSeed(FileMap(str(path)))
    assert "right.nii" in said(with_map)
    values = map_of(with_map, 0)
    assert values[17, 14, 8] > values[5, 7, 8] + 0.3


def test_the_drawn_mask_that_is_selected_is_a_seed(with_map: Window) -> None:
    open_tab(with_map, "draw")
    panel = with_map.dock("draw").widget()
    press(panel, "Ball")
    drag(with_map.area.slices, pixel_of(with_map, "axial", NEXT_MM))
    settle(with_map)
    press(panel, "Navigate")
    open_tab(with_map, "seed")
    select_layer(with_map, 0)
    choose(form(with_map), "Seed", "Mask")
    press(form(with_map), "Mask: choose")
    settle(with_map)
    seed_map = next(o.recipe for o in with_map.session.state.overlays if isinstance(o.recipe, SeedCorrelation))
    assert isinstance(seed_map.seed, MaskSeed)
    assert isinstance(seed_map.seed.mask, Drawing)
    assert "drawn mask" in said(with_map)


def test_all_of_the_form_goes_into_the_preparation(
    on_run: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(5)
    names = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]
    table = tmp_path / "sub-01_task-rest_desc-confounds_timeseries.tsv"
    motion = 0.001 * rng.standard_normal((40, 6))
    motion[20, 0] = 2.0  # one jump: two volumes with much displacement
    rows = ["\t".join([*names, "csf"])]
    rows += ["\t".join(f"{value:.6f}" for value in (*line, 500 + number)) for number, line in enumerate(motion)]
    table.write_text("\n".join(rows) + "\n")
    write(form(on_run), "Drop", "2")
    write(form(on_run), "Smoothing", "8")
    write(form(on_run), "Detrend order", "1")
    choose(form(on_run), "Band", "All frequencies")
    press(form(on_run), "Confounds and motion")
    answer_file_dialogs(monkeypatch, table)
    press(form(on_run), "Confounds file: choose")
    columns = named(form(on_run), QListWidget, "Confounds")
    csf = columns.findItems("csf", Qt.MatchFlag.MatchExactly)[0]
    columns.setCurrentItem(csf)
    columns.scrollToItem(csf)
    QTest.keyClick(columns, Qt.Key.Key_Space)
    write(form(on_run), "Censor", "0.5")
    settle(on_run)
    assert "2 volumes censored." in said(on_run)
    assert table.name in [label.whole() for label in form(on_run).findChildren(ElidedLabel)]
    press(form(on_run), "Prepare")
    settle(on_run)
    assert recipe(on_run).preparation == Preparation(
        drop=2,
        fwhm_mm=8.0,
        detrend=1,
        band_hz=None,
        confounds=str(table),
        columns=("csf",),
        censor_fd_mm=0.5,
    )
    menu = named(on_run, LayerList, "Layers").menu(0)
    next(action for action in menu.actions() if action.text() == "About this file").trigger()
    settle(on_run)
    told = named(on_run, QPlainTextEdit, "Seed correlation").toPlainText()
    for words in ("smoothing_fwhm_mm: 8", "dropped_volumes: 2", "confound_columns: ['csf']", "censored_volumes: 2"):
        assert words in told


def test_undo_of_a_preparation_brings_the_form_back_too(with_map: Window) -> None:
    write(form(with_map), "Smoothing", "0")
    press(form(with_map), "Prepare")
    settle(with_map)
    assert recipe(with_map).preparation.fwhm_mm == 0.0
    press_key(with_map, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settle(with_map)
    assert recipe(with_map).preparation.fwhm_mm == 6.0
    press(form(with_map), "Prepare")
    assert recipe(with_map).preparation.fwhm_mm == 6.0


@pytest.fixture
def slow_preparation(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Preparations that come half-way and wait there until the event is set or they are cancelled."""
    go_on = threading.Event()
    prepare = habena.app.runs.prepare_run

    def slow(path: str, answer: Answer, preparation: Preparation, report: Callable[[float], None]) -> Prepared:
        while not go_on.wait(0.01):
            report(0.5)
        return prepare(path, answer, preparation, report)

    monkeypatch.setattr(habena.app.runs, "prepare_run", slow)
    return go_on


def test_a_preparation_shows_its_progress_and_can_be_cancelled(
    on_run: Window, slow_preparation: threading.Event
) -> None:
    progress = named(form(on_run), QProgressBar, "Preparation")
    assert not progress.isVisible()
    press(form(on_run), "Prepare")
    wait_until(lambda: progress.isVisible() and progress.value() == 50, "the progress")
    assert not named(form(on_run), QPushButton, "Prepare").isVisible()
    write(form(on_run), "Smoothing", "4")  # what is typed meanwhile does not keep it from being stopped
    press(form(on_run), "Cancel")
    settle(on_run)
    assert not progress.isVisible()
    click_at(on_run, RIGHT_MM)
    assert "was stopped" in said_of(on_run, 0)
    slow_preparation.set()
    press(form(on_run), "Prepare")
    settle(on_run)
    assert "correlation r" in said_of(on_run, 0)
    assert recipe(on_run).preparation.fwhm_mm == 4.0


def test_outside_the_brain_there_is_no_map_but_its_settings_stay_at_hand(with_map: Window) -> None:
    settings = with_map.findChild(LayerPanel)
    mapped = colour_on_slice(with_map, "axial", NEXT_MM)
    click_at(with_map, (-60.0, -69.0, 3.0))
    assert "outside its brain mask" in said_of(with_map, 0)
    assert colour_on_slice(with_map, "axial", NEXT_MM) != mapped
    write(settings, "Threshold", "0.2")
    click_at(with_map, LEFT_MM)
    assert selected(with_map).threshold.value == 0.2
    assert colour_on_slice(with_map, "axial", NEXT_MM) == mapped


def test_kept_maps_stay_where_their_seeds_were(with_map: Window) -> None:
    for place in (LEFT_MM, RIGHT_MM):
        click_at(with_map, place)
        press(form(with_map), "Keep this map")
        settle(with_map)
    click_at(with_map, (3.0, 3.0, 3.0))
    kept = titles(with_map)[1:3]
    assert kept == ["Seed at 33, 3, 3", "Seed at \N{MINUS SIGN}33, \N{MINUS SIGN}39, 3"]
    assert ["live" in said_of(with_map, number) for number in range(3)] == [True, False, False]
    right, left = map_of(with_map, 1), map_of(with_map, 2)
    assert right[16, 13, 8] == pytest.approx(1, abs=1e-3)
    assert left[5, 6, 8] == pytest.approx(1, abs=1e-3)
    assert map_of(with_map, 0)[11, 13, 8] == pytest.approx(1, abs=1e-3)


def test_p_values_say_how_they_came_about_and_stay_p_values(with_map: Window) -> None:
    press(form(with_map), "p-values")
    settle(with_map)
    assert titles(with_map)[0].startswith("p of Seed correlation")
    assert "\N{MINUS SIGN}log10 p" in said_of(with_map, 0)
    assert "effective degrees of freedom" in said(with_map)
    assert "Not corrected for the number of voxels" in said(with_map)
    p = map_of(with_map, 0).copy()
    assert p[4, 6, 8] > p[12, 22, 8]
    choose(form(with_map), "Measure", "Fisher z")
    click_at(with_map, RIGHT_MM)
    assert recipe(with_map).measure == "p"
    np.testing.assert_array_equal(map_of(with_map, 0), p)
    select_layer(with_map, 1)
    assert recipe(with_map).measure == "z"
    assert "Not corrected" not in said(with_map)


def test_a_region_is_a_seed(with_map: Window) -> None:
    choose(form(with_map), "Seed", "Region")
    with_map.activateWindow()
    with_map.panels.finder.setFocus()
    QTest.keyClicks(with_map.panels.finder, "thalamus")
    QTest.keyClick(with_map.panels.finder, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    settle(with_map)
    press(form(with_map), "Region: choose")
    settle(with_map)
    seed_map = next(o.recipe for o in with_map.session.state.overlays if isinstance(o.recipe, SeedCorrelation))
    assert isinstance(seed_map.seed, MaskSeed)
    assert isinstance(seed_map.seed.mask, RegionMask)
    assert "Thalamus" in said(with_map)
