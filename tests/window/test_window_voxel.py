"""From a voxel to its people: selected in the plot and the browser alike, left out, put back, their scans opened."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from file_events import errors, notices
from habena.app.display import model_look
from habena.app.models import Inference, Model
from habena.app.recipes import FileMap, ModelMap
from habena.app.settings import Settings
from habena.app.state import Overlay
from habena.app.study.rows import StudyRows
from habena.app.window import Window
from habena.widgets.model_voxel import VoxelPlot
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton, QTableView, QWidget
from window_events import named, press_key, settle, wait_until

LEFT = Qt.MouseButton.LeftButton
AT = (-12.0, -20.0, 10.0)
SHAPE = (22, 26, 22)
AFFINE = np.array([[8.0, 0, 0, -84], [0, 8, 0, -116], [0, 0, 8, -70], [0, 0, 0, 1]])
NAMES = tuple(f"sub-V{n}X" for n in range(1, 11))
QUESTION = "~ madrs_total_improvement"
TESTED = "madrs_total_improvement"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten people of two arms with ratio maps before and after."""
    folder = tmp_path_factory.mktemp("voxels") / "trial"
    folder.mkdir()
    about = {"Name": "Simulated: noise", "Simulated": True, "BIDSVersion": "1.10.0", "DatasetType": "derivative"}
    (folder / "dataset_description.json").write_text(json.dumps(about))
    rng = np.random.default_rng(5)
    rows, scores = ["participant_id\tarm"], ["participant_id\tsession_id\tmadrs_total"]
    for n, who in enumerate(NAMES):
        rows.append(f"{who}\t{('alphadrug', 'betadrug')[n % 2]}")
        own = 1.2 + 0.1 * rng.standard_normal(SHAPE)
        for session, score in (("ses-dawn", 34 - n), ("ses-dusk", 30 - 2 * n)):
            scores.append(f"{who}\t{session}\t{score}")
            place = folder / who / session / "pet"
            place.mkdir(parents=True)
            stem = place / f"{who}_{session}_trc-T1_space-MNI152NLin2009aSym_meas-SUVR_pet"
            values = (own + 0.05 * rng.standard_normal(SHAPE)).astype(np.float32)
            nib.save(nib.Nifti1Image(values, AFFINE), f"{stem}.nii.gz")
            Path(f"{stem}.json").write_text(json.dumps({"Units": "arbitrary", "Simulated": True}))
        (folder / who / f"{who}_sessions.tsv").write_text("session_id\tday\nses-dawn\t0\nses-dusk\t9\n")
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n")
    (folder / "phenotype").mkdir()
    (folder / "phenotype" / "madrs.tsv").write_text("\n".join(scores) + "\n")
    return folder


@pytest.fixture
def window(open_window, study: Path) -> Window:
    """The study with the map of its change question, the crosshair on a voxel, the scans of that voxel in sight."""
    opened = open_window(study, settings=Settings(theme="dark", atlases=("aal2",)))
    ask(opened, study, QUESTION, TESTED)
    return opened


def ask(window: Window, study: Path, formula: str, test: str) -> None:
    session = window.session
    model = Model("", "", formula, study=StudyRows(str(study), per="difference"))
    key = session.state.next_key()
    colours, threshold = model_look("t", (1.0, 8.0), None)
    made = Overlay(key, ModelMap(model, Inference(), test, "t"), "change: t", colours, threshold)
    session.update("ask", None, overlays=(*session.state.overlays, made), selected=key, crosshair_mm=AT)
    window.dock("tests").show()
    window.dock("tests").raise_()
    plot = window.panels.model_results.voxel
    wait_until(lambda: plot.data() is not None or bool(plot._empty.text()), "the plot")
    settle(window)


def plot_of(window: Window) -> VoxelPlot:
    return window.panels.model_results.voxel


def recipe(window: Window) -> ModelMap:
    return next(each.recipe for each in window.session.state.overlays if isinstance(each.recipe, ModelMap))


def click(window: Window, who: str, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    plot = plot_of(window)
    (n,) = plot.data().places_of([who])
    QTest.mouseClick(plot._view.viewport(), LEFT, held, plot._view.viewport().mapFrom(plot, plot.px_of(n).toPoint()))
    settle(window)


def t_here(window: Window) -> str:
    return plot_of(window).data().title.split(" = ")[1].split(",")[0]


def test_people_selected_in_the_plot_are_selected_in_the_browser_and_the_reverse(window: Window) -> None:
    plot, table = plot_of(window), window.panels.study_browser.table
    assert plot.data().names == NAMES
    assert "simulated data" in plot.data().title
    click(window, NAMES[1])
    click(window, NAMES[4], Qt.KeyboardModifier.ControlModifier)
    assert set(window.study.selection) == {NAMES[1], NAMES[4]}
    assert set(table.selected_keys()) == {NAMES[1], NAMES[4]}
    window.study.select((NAMES[7],))
    settle(window)
    assert plot.selection() == (NAMES[7],)
    assert plot.said().startswith("t = ")
    assert errors(window) == []
    plot.setFocus()
    QTest.keyClick(plot, Qt.Key.Key_Escape)
    assert plot.selection() == window.study.selection == ()
    window.session.update("close the study", None, study=None)
    settle(window)
    click(window, NAMES[1])
    assert plot.said().startswith("t = ")  # also of a study that is not open
    assert window.study.selection == ()


def test_leaving_people_out_makes_the_map_that_was_foretold_in_one_step_of_undo(window: Window) -> None:
    plot = plot_of(window)
    before = t_here(window)
    click(window, NAMES[2])
    click(window, NAMES[3], Qt.KeyboardModifier.ControlModifier)
    said = plot.said()
    assert said.endswith(f"without these 2, {before} with all.")
    QTest.mouseClick(named(plot, QPushButton, "Leave out 2"), LEFT)
    settle(window)
    assert recipe(window).model.exclude == (NAMES[2], NAMES[3])
    assert said.startswith(f"t = {t_here(window)} without")
    assert len(plot.data().names) == len(NAMES) - 2
    assert window.panels.model._settings.exclude == f"{NAMES[2]}, {NAMES[3]}"
    press_key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settle(window)
    assert recipe(window).model.exclude == ()
    assert t_here(window) == before
    press_key(window, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    settle(window)
    plot.left_out_menu().actions()[0].trigger()
    settle(window)
    assert recipe(window).model.exclude == ()
    assert t_here(window) == before


def test_a_double_click_opens_the_scan_in_place_and_the_crosshair_stays(window: Window) -> None:
    plot = plot_of(window)
    (n,) = plot.data().places_of([NAMES[5]])
    viewport = plot._view.viewport()
    QTest.mouseDClick(viewport, LEFT, pos=viewport.mapFrom(plot, plot.px_of(n).toPoint()))
    settle(window)
    paths = [each.recipe.path for each in window.session.state.overlays if isinstance(each.recipe, FileMap)]
    assert [Path(path).name.split("_")[0] for path in paths] == [NAMES[5]]
    assert window.session.state.crosshair_mm == AT
    assert window.study.selection == (NAMES[5],)


def test_the_region_and_both_sessions_are_a_choice_away(window: Window) -> None:
    plot = plot_of(window)
    assert "Thalamus L" in plot._place.toolTip()
    voxel = plot.data().y
    plot._place.setFocus()
    QTest.keyClick(plot._place, Qt.Key.Key_Down)
    settle(window)
    assert plot.data().title.startswith("mean of Thalamus L, ")
    assert not np.allclose(plot.data().y, voxel)
    assert plot._sessions.isVisible()
    QTest.keyClick(plot._sessions, Qt.Key.Key_Down)
    settle(window)
    pair = plot.data().pair
    assert pair.sessions == ("dawn", "dusk")
    assert [mean.n for mean in pair.means] == [5, 5]
    assert plot.data().kinds == ("alphadrug", "betadrug")
    assert "simulated data" in pair.title


def test_in_blinded_mode_codes_stand_for_names_and_neither_arms_nor_sessions_show(window: Window, study: Path) -> None:
    window.study.set_blinded(is_on=True)
    settle(window)
    plot = plot_of(window)
    assert all(name.startswith("P-") for name in plot.data().names)
    assert plot.data().kinds == ()
    assert not plot._sessions.isVisible()
    click(window, NAMES[0])
    assert window.study.selection == (NAMES[0],)
    QTest.mouseClick(named(plot, QPushButton, "Leave out 1"), LEFT)
    settle(window)
    notes = window.panels.model_results.texts()[1]
    assert "excluded on request" in notes
    assert "sub-V" not in notes + named(plot, QPushButton, "Put back (1)").toolTip()
    plot.copy()
    assert not any(word in QApplication.clipboard().text() for word in ("sub-V", "alphadrug", "dawn"))
    ask(window, study, "~ arm", "arm[T.betadrug]")
    assert plot.data() is None
    assert "would tell arms" in plot.accessibleDescription()
    window.study.set_blinded(is_on=False, reason="the end of the test")
    settle(window)
    assert plot.data() is not None
    assert plot.data().groups == ("alphadrug", "betadrug")


def test_a_model_of_a_table_is_asked_without_people_too(window: Window, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    table = tmp_path / "scores.tsv"
    rows = [f"{who}\t{20 + 3 * n}\t{30 - n + 2 * rng.standard_normal():.2f}" for n, who in enumerate(NAMES)]
    table.write_text("\n".join(["participant_id\tage\tmadrs", *rows]) + "\n")
    control, plot = window.panels.model, plot_of(window)
    control.take_file("table", str(table))
    control._change(replace(control._settings, data="table", formula="madrs ~ age"))
    control.fit()
    wait_until(lambda: plot.data() is not None and "age" in plot.data().title, "the plot of the table")
    settle(window)
    layers = window.session.state.overlays
    click(window, NAMES[2])
    QTest.mouseClick(named(plot, QPushButton, "Leave out 1"), LEFT)
    settle(window)
    assert control.asked().map.model.exclude == (NAMES[2],)
    assert NAMES[2] not in plot.data().names
    assert control._settings.exclude == NAMES[2]
    plot.left_out_menu().actions()[0].trigger()
    settle(window)
    assert NAMES[2] in plot.data().names
    assert window.session.state.overlays == layers


def test_in_blinded_mode_the_form_of_a_model_and_its_tests_name_nobody(window: Window, study: Path) -> None:
    ask(window, study, "~ arm", "arm[T.betadrug]")
    form, results = window.panels.model_form, window.panels.model_results
    assert any("betadrug" in text for text in texts_of(form))
    window.study.set_blinded(is_on=True)
    settle(window)
    for part in (form, results):
        assert not [text for text in texts_of(part) if any(word in text for word in ("betadrug", "sub-V", "dawn"))]
    assert "ask its study in the Ask panel" in form._hint.text()
    window.panels.model.take_file("table", str(study / "participants.tsv"))
    settle(window)
    assert window.panels.model._settings.table == ""
    assert "unblind" in notices(window, "warning")[-1]
    window.study.set_blinded(is_on=False, reason="the end of the test")
    settle(window)
    assert any("betadrug" in text for text in texts_of(form))


def texts_of(part: QWidget) -> list[str]:
    """Whatever a panel and its tables say."""
    asked = ("text", "toolTip", "accessibleName", "accessibleDescription", "placeholderText", "toPlainText")
    found: list[str] = []
    for child in part.findChildren(QWidget):
        found += [getattr(child, name)() for name in asked if callable(getattr(child, name, None))]
        if isinstance(child, QComboBox):
            found += [child.itemText(n) for n in range(child.count())]
        if isinstance(child, QTableView):
            model = child.model()
            indices = [model.index(r, c) for r in range(model.rowCount()) for c in range(model.columnCount())]
            found += [str(model.data(index)) for index in indices]
    return found
