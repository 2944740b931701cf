"""The live seed of a group: a table, a model, one preparation of many runs, and a t-map under the crosshair."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import habena.app.group_runs
import numpy as np
import pytest
from habena.app.recipes import CrosshairSeed, GroupSeedMap, MaskSeed, PointSeed
from habena.app.saved import read_view, save_view
from habena.app.window import Window
from habena.widgets.controls import Choice
from habena.widgets.group_seed_panel import GroupSeedPanel
from habena.widgets.notice_bar import NoticeBar
from panel_events import choose, press, said_of, select_layer, selected, titles, write
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QListWidget, QProgressBar, QWidget
from scipy import stats
from window_events import colour_on_slice, drag, named, pixel_of, settle, texts, wait_until
from window_files import OpenWindow

LEFT_MM, RIGHT_MM = (-33.0, -39.0, 3.0), (33.0, 3.0, 3.0)  # the two networks of the simulated runs
NEXT_MM = (-21.0, -33.0, 3.0)  # also in the left one
N = 6


@pytest.fixture
def study(tmp_path: Path, small_run: Callable[..., Path]) -> Path:
    """Six runs of three people, two sessions each, and their table."""
    lines = ["id\tsession\tgroup\tage\tiq\trun\tconfounds"]
    for k in range(N):
        name = f"sub-{k // 2}_ses-{k % 2}_space-MNI152NLin6Asym_bold.nii.gz"
        small_run(name, volumes=40 + k, seed=k)
        drift = np.random.default_rng(k).standard_normal(40 + k)
        (tmp_path / f"confounds{k}.tsv").write_text("drift\n" + "\n".join(f"{value:.6f}" for value in drift) + "\n")
        group = "ab"[k % 4 > 1]
        lines.append(
            f"p{k // 2}\t{('before', 'later')[k % 2]}\t{group}\t{30 + k * k}\t{100 + k % 3}\t{name}\tconfounds{k}.tsv"
        )
    table = tmp_path / "study.tsv"
    table.write_text("\n".join(lines) + "\n")
    return table


@pytest.fixture
def with_table(open_window: OpenWindow, anatomy: Path, study: Path, monkeypatch: pytest.MonkeyPatch) -> Window:
    """The form of a group in front, its table chosen."""
    window = open_window(anatomy)
    show_form(window)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(study), ""))
    press(panel(window), "Study table: choose")
    settle(window)
    return window


@pytest.fixture
def with_map(with_table: Window) -> Window:
    """The same with the map of the mean, the crosshair in the left network."""
    click_at(with_table, LEFT_MM)
    press(panel(with_table), "Prepare")
    settle(with_table)
    return with_table


def show_form(window: Window) -> None:
    dock = window.dock("group-seed")
    dock.show()
    dock.raise_()
    QApplication.processEvents()
    settle(window)


def form(window: Window) -> GroupSeedPanel:
    return window.findChild(GroupSeedPanel)


def panel(window: Window) -> QWidget:
    """The form and its buttons."""
    return window.dock("group-seed").widget()


def said(window: Window) -> str:
    return " ".join(texts(panel(window)))


def click_at(window: Window, mm: tuple[float, float, float]) -> None:
    window.session.move_crosshair((0.0, 0.0, mm[2]))
    settle(window)
    drag(window.area.slices, pixel_of(window, "axial", mm))
    settle(window)


def recipe(window: Window) -> GroupSeedMap:
    made = next(o.recipe for o in reversed(window.session.state.overlays) if isinstance(o.recipe, GroupSeedMap))
    assert isinstance(made, GroupSeedMap)
    return made


def shown_map(window: Window) -> np.ndarray:
    """Values of the group's map."""
    answer = next(s.answer for s in reversed(window.session.shown()) if isinstance(s.overlay.recipe, GroupSeedMap))
    assert answer.image is not None
    return answer.image.frame(0)


def value_at(window: Window, mm: tuple[float, float, float]) -> float:
    answer = next(s.answer for s in reversed(window.session.shown()) if isinstance(s.overlay.recipe, GroupSeedMap))
    assert answer.image is not None
    voxel = answer.image.grid.voxel_at(mm)
    assert voxel is not None
    return float(answer.image.frame(0)[voxel])


def test_without_runs_the_form_says_what_it_needs(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy)
    show_form(window)
    assert "Choose a study table, or open at least 3 runs." in said(window)
    assert not form(window)._prepare.isEnabled()


def test_runs_that_are_open_make_a_group_of_their_own(open_window: OpenWindow, study: Path) -> None:
    runs = sorted(study.parent.glob("*_bold.nii.gz"))[:3]
    window = open_window(*runs)
    show_form(window)
    assert "3 runs of about" in said(window)
    press(panel(window), "Prepare")
    settle(window)
    assert [Path(run.path).name for run in recipe(window).runs] == [run.name for run in runs]
    assert recipe(window).model.df == (1.0, 2.0)


def test_memory_and_model_are_said_before_anything_is_prepared(with_table: Window) -> None:
    assert "mean: t with 5 degrees of freedom, n = 6." in said(with_table)
    assert f"p < 0.001 uncorrected from t = {stats.t.isf(0.0005, 5):.2f}." in said(with_table)
    assert "6 runs of about" in said(with_table)
    assert "of memory as float32" in said(with_table)
    assert not any(isinstance(o.recipe, GroupSeedMap) for o in with_table.session.state.overlays)
    choose(form(with_table), "Model", "Regression")
    settle(with_table)
    assert "choose the column of groups or of a number" in said(with_table)
    assert not form(with_table)._prepare.isEnabled()


def test_columns_of_usual_names_are_chosen_and_the_buttons_stay_in_sight(with_table: Window) -> None:
    choose(form(with_table), "Model", "Difference of two sessions")
    settle(with_table)
    assert named(form(with_table), Choice, "Subject").currentText() == "id"
    assert named(form(with_table), Choice, "Session").currentText() == "session"
    assert "session[later - before]: t with 2 degrees of freedom, n = 3." in said(with_table)
    choose(form(with_table), "Model", "Difference of two groups")
    settle(with_table)
    assert named(form(with_table), Choice, "Predictor").currentText() == "group"  # the only one besides sessions
    assert not form(with_table).isAncestorOf(named(panel(with_table), QAbstractButton, "Prepare"))


def test_the_map_follows_a_click_and_its_legend_says_n_df_and_uncorrected(with_map: Window) -> None:
    assert titles(with_map)[0] == "Group seed: mean"
    assert "t(5), n = 6, uncorrected" in said_of(with_map, 0)
    assert "live" in said_of(with_map, 0)
    expected = stats.t.isf(0.0005, 5)
    assert selected(with_map).threshold.value == pytest.approx(expected, abs=0.01)
    there = value_at(with_map, NEXT_MM)
    click_at(with_map, RIGHT_MM)
    assert value_at(with_map, NEXT_MM) < there / 2
    assert recipe(with_map).seed == CrosshairSeed(0.0)


def test_every_map_of_the_test_can_be_shown(with_map: Window) -> None:
    t = shown_map(with_map).astype(float)
    inside = np.isfinite(t)
    choose(form(with_map), "Show", "−log10 p")
    settle(with_map)
    np.testing.assert_allclose(shown_map(with_map)[inside], -np.log10(2 * stats.t.sf(np.abs(t[inside]), 5)), rtol=1e-4)
    choose(form(with_map), "Show", "Estimate")
    settle(with_map)
    z = shown_map(with_map).copy()
    choose(form(with_map), "Show", "Mean correlation")
    settle(with_map)
    np.testing.assert_allclose(shown_map(with_map)[inside], np.tanh(z[inside]), atol=1e-5)
    red, _, blue = colour_on_slice(with_map, "axial", NEXT_MM)
    assert red > blue + 60  # warm: the network of the seed


def test_sessions_groups_and_numbers_are_models_in_words(with_map: Window) -> None:
    z_of_mean = shown_map(with_map).copy()
    for model, chosen, df, column in (
        ("Difference of two sessions", {"Subject": "id", "Session": "session"}, (1.0, 2.0), "session[later - before]"),
        ("Difference of two groups", {"Predictor": "group"}, (1.0, 4.0), "b - a"),
        ("Regression", {"Predictor": "age"}, (1.0, 4.0), "age"),
    ):
        choose(form(with_map), "Model", model)
        for name, text in chosen.items():
            choose(form(with_map), name, text)
        settle(with_map)
        press(panel(with_map), "Prepare")
        settle(with_map)
        assert recipe(with_map).model.df == df
        assert recipe(with_map).model.name == column
        assert titles(with_map)[0] == f"Group seed: {column}"
        assert not np.array_equal(shown_map(with_map), z_of_mean, equal_nan=True)


def test_covariates_are_ticked_and_cost_degrees_of_freedom(with_map: Window) -> None:
    names = named(form(with_map), QListWidget, "Covariates")
    age = next(item for item in map(names.item, range(names.count())) if item.text() == "age")
    names.scrollToItem(age)
    spot = names.visualItemRect(age).topLeft()
    spot.setX(spot.x() + 10)
    spot.setY(spot.y() + names.visualItemRect(age).height() // 2)
    QTest.mouseClick(names.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    settle(with_map)
    assert "t with 4 degrees of freedom" in said(with_map)
    press(panel(with_map), "Prepare")
    settle(with_map)
    assert recipe(with_map).model.columns == ("Intercept", "center(age)")


def test_a_sphere_can_stand_still_and_the_selected_mask_is_a_seed(with_map: Window) -> None:
    choose(form(with_map), "Seed", "Sphere")
    write(form(with_map), "Radius", "9")
    settle(with_map)
    assert recipe(with_map).seed == CrosshairSeed(9.0)
    press(panel(with_map), "Follow the crosshair")
    settle(with_map)
    assert isinstance(recipe(with_map).seed, PointSeed)
    before = shown_map(with_map).copy()
    click_at(with_map, RIGHT_MM)
    np.testing.assert_array_equal(shown_map(with_map), before)
    choose(form(with_map), "Seed", "Region or mask")
    select_layer(with_map, 0)
    press(panel(with_map), "Mask: choose")
    settle(with_map)
    assert any("Select a layer" in text for text in texts(with_map.findChild(NoticeBar)))
    select_layer(with_map, 1)  # the anatomy: all of its head
    press(panel(with_map), "Mask: choose")
    settle(with_map)
    assert isinstance(recipe(with_map).seed, MaskSeed)
    assert "T1w" in said(with_map)


def test_a_map_that_is_kept_stays_where_it_is(with_map: Window) -> None:
    before = shown_map(with_map).copy()
    press(panel(with_map), "Keep this map")
    click_at(with_map, RIGHT_MM)
    assert titles(with_map)[:2] == ["Group seed: mean", "Group seed: mean (kept)"]
    kept = with_map.session.state.overlays[-2]
    answer = with_map.session.answer(kept.recipe)
    assert answer is not None
    assert answer.image is not None
    np.testing.assert_array_equal(answer.image.frame(0), before)


def test_a_preparation_can_be_cancelled_and_begun_anew(with_table: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    real, reached, go_on = habena.app.group_runs.prepare_run, threading.Event(), threading.Event()

    def slow(*args: Any) -> Any:
        reached.set()
        assert go_on.wait(20)
        return real(*args)

    monkeypatch.setattr(habena.app.group_runs, "prepare_run", slow)
    press(panel(with_table), "Prepare")
    wait_until(reached.is_set, "the preparation")
    wait_until(named(panel(with_table), QProgressBar, "Preparation").isVisible, "the progress")
    press(panel(with_table), "Cancel")
    go_on.set()
    settle(with_table)
    assert with_table.session.answer(recipe(with_table)) is None
    press(panel(with_table), "Prepare")
    settle(with_table)
    assert np.isfinite(shown_map(with_table)).any()


def test_a_saved_view_shows_the_same_map_again(with_map: Window, tmp_path: Path, open_window: OpenWindow) -> None:
    before, asked = shown_map(with_map).copy(), recipe(with_map)
    save_view(str(tmp_path / "view.json"), with_map.session.state)
    assert str(tmp_path) not in (tmp_path / "view.json").read_text()
    again = read_view(str(tmp_path / "view.json"))
    assert again.overlays[-1].recipe == asked
    window = open_window(view=again, layout=None)
    np.testing.assert_array_equal(shown_map(window), before)


def test_each_run_loses_its_own_confounds(with_map: Window) -> None:
    before = shown_map(with_map).copy()
    choose(form(with_map), "Confounds", "confounds")
    names = named(form(with_map), QListWidget, "Confounds removed")
    assert [names.item(n).text() for n in range(names.count())] == ["drift"]
    spot = names.visualItemRect(names.item(0)).center()
    spot.setX(10)
    QTest.mouseClick(names.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    settle(with_map)
    press(panel(with_map), "Prepare")
    settle(with_map)
    assert recipe(with_map).preparation.columns == ("drift",)
    assert [Path(str(run.confounds)).name for run in recipe(with_map).runs] == [f"confounds{k}.tsv" for k in range(N)]
    assert not np.array_equal(shown_map(with_map), before, equal_nan=True)
