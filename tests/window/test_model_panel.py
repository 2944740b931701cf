"""The model panel: a table, data and a formula become maps and tests, by real mouse and keys."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import habena.app.model_maps
import nibabel as nib
import numpy as np
import pytest
from file_events import drop
from habena.app.display import model_look
from habena.app.model_inference import Inferring
from habena.app.modelling import model
from habena.app.models import TABLE, Inference, Model
from habena.app.problems import Problem
from habena.app.questions import ModelPermutations
from habena.app.recipes import ModelMap
from habena.app.saved import read_view, save_view
from habena.app.window import Window
from habena.stats.perm_counts import Counts
from habena.widgets.controls import Section
from habena.widgets.model_fields import DropField, FormulaEdit, TextLines
from habena.widgets.model_form import ModelForm
from habena.widgets.model_results import ModelResults
from habena.widgets.numbers import NumberEdit
from panel_events import cells, choose, press, selected, titles, write
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDockWidget, QLabel, QPushButton, QTableView, QWidget
from window_events import named, press_key, settle, wait_until
from window_files import OpenWindow

N = 14
SHAPE = (6, 7, 5)
PEAK = (3, 4, 2)
FIRST_COLUMNS = ("Test", "Statistic", "Value", "p", "p perm.", "p FWE", "95 % of FWE", "p corr.")


@pytest.fixture
def study(tmp_path: Path) -> tuple[Path, Path]:
    """A table of 14 scans and their 4D image, in which one voxel differs between the groups."""
    rng = np.random.default_rng(7)
    group = np.arange(N) % 2
    age = rng.normal(40, 9, N).round(1)
    values = rng.standard_normal((*SHAPE, N)).astype(np.float32)
    values[PEAK] += 4 * group
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = (-10, -12, -8)
    image = nib.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm", "sec")
    image.set_sform(affine, 4)
    nib.save(image, tmp_path / "maps.nii.gz")
    rows = ["participant_id\tgroup\tage"]
    rows += [f"sub-{n:02d}\t{'ab'[group[n]]}\t{age[n]}" for n in range(N)]
    (tmp_path / "study.tsv").write_text("\n".join(rows) + "\n")
    return tmp_path / "study.tsv", tmp_path / "maps.nii.gz"


@pytest.fixture
def two_sessions(tmp_path: Path) -> Path:
    """A table of two sessions of 10 subjects, one of whom has only the first."""
    rng = np.random.default_rng(11)
    rows = ["participant_id\tgroup\ttime\tmadrs"]
    scans = [(n, time) for n in range(10) for time in ("1pre", "2post") if (n, time) != (4, "2post")]
    rows += [f"sub-{n:02d}\t{'ab'[n % 2]}\t{time}\t{rng.normal(20, 4):.2f}" for n, time in scans]
    (tmp_path / "sessions.tsv").write_text("\n".join(rows) + "\n")
    return tmp_path / "sessions.tsv"


@pytest.fixture
def with_form(open_window: OpenWindow) -> Window:
    """An empty window with the model form in front."""
    window = open_window(size=(1240, 1000))
    bring(window, "model")
    return window


@pytest.fixture
def on_study(with_form: Window, study: tuple[Path, Path]) -> Window:
    """The same with a study's table and data dropped on their fields, and a formula typed."""
    table, data = study
    drop_on(with_form, "Study table", table)
    drop_on(with_form, "Data file", data)
    type_formula(with_form, "~ group + age")
    return with_form


@pytest.fixture
def fitted(on_study: Window) -> Window:
    """The same fitted, with 200 permutations for the largest statistic."""
    write(form(on_study), "Permutations", "200")
    fit(on_study)
    return on_study


def bring(window: Window, name: str) -> None:
    dock = window.findChild(QDockWidget, name)
    dock.show()
    dock.raise_()
    QApplication.processEvents()
    settle(window)


def form(window: Window) -> ModelForm:
    return window.findChild(ModelForm)


def panel(window: Window) -> QWidget:
    """The form and its buttons."""
    return window.dock("model")


def results(window: Window) -> ModelResults:
    return window.findChild(ModelResults)


def checked(window: Window) -> None:
    """Wait until what is written has been looked at."""
    wait_until(lambda: not window.panels.model._soon.isActive(), "the check")
    settle(window)


def drop_on(window: Window, field: str, path: Path) -> None:
    assert drop(window, path, over=named(form(window), DropField, field))
    checked(window)


def type_formula(window: Window, text: str) -> None:
    field = named(form(window), FormulaEdit, "Formula")
    field.window().activateWindow()
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    if (popup := field._completer.popup()).isVisible():
        QTest.keyClick(popup, Qt.Key.Key_Escape)
    assert field.text() == text
    checked(window)


def type_contrasts(window: Window, text: str) -> None:
    field = named(form(window), TextLines, "Contrasts")
    field.setFocus()
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_Delete)
    QTest.keyClicks(field, text)
    checked(window)


def fit(window: Window) -> None:
    press(panel(window), "Fit model")
    settle(window)


def said(window: Window) -> str:
    """What the form says."""
    return "\n".join(label.text() for label in panel(window).findChildren(QLabel) if label.isVisibleTo(panel(window)))


def rows_of_tests(window: Window) -> dict[str, dict[str, str]]:
    """The table of tests by name and head."""
    rows = cells(named(results(window), QTableView, "Tests"))
    return {row[0]: dict(zip(FIRST_COLUMNS, row[: len(FIRST_COLUMNS)], strict=True)) for row in rows}


def recipe(window: Window) -> ModelMap:
    found = selected(window).recipe
    assert isinstance(found, ModelMap)
    return found


def shown_map(window: Window) -> np.ndarray:
    answer = window.session.answer(selected(window).recipe)
    assert answer is not None
    return answer.image.frame(0)


def number(text: str) -> float:
    """A number as a table shows it."""
    return float(text.replace("\N{MINUS SIGN}", "-"))


def choose_test(window: Window, name: str) -> None:
    click_test(window, name)
    settle(window)


def click_test(window: Window, name: str) -> None:
    """Click a row of the table of tests."""
    table = named(results(window), QTableView, "Tests")
    row = next(n for n in range(table.model().rowCount()) if table.model().index(n, 0).data() == name)
    QTest.mouseClick(
        table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualRect(table.model().index(row, 0)).center()
    )


def question(study: tuple[Path, Path], formula: str = "~ group + age", **more: object) -> Model:
    table, data = study
    return Model(data=str(data), table=str(table), formula=formula, **more)


# -- the form


def test_without_a_table_the_panel_says_what_to_do_and_refuses_what_is_none(
    with_form: Window, study: tuple[Path, Path]
) -> None:
    assert "Choose the table of a study" in said(with_form)
    assert not named(panel(with_form), QPushButton, "Fit model").isEnabled()
    drop_on(with_form, "Study table", study[1])
    assert "table" in form(with_form).problems()
    drop_on(with_form, "Study table", study[0])
    assert not form(with_form).problems()
    assert "Choose the file of the data" in said(with_form)


def test_a_table_and_a_formula_show_design_tests_and_power(on_study: Window) -> None:
    words = said(on_study)
    assert "14 scans explained by group, age; 3 columns, 11 residual degrees of freedom" in words
    assert "Tests: group[T.b] (t), age (t)" in words
    assert "Found in 80 % of such studies at p < 0.001" in words
    design = form(on_study).design
    assert design.text_of((1, 1)) == "sub-01, group[T.b]: 1"
    assert not form(on_study).problems()


def test_a_formula_or_contrast_that_cannot_be_used_says_why_under_it_and_nothing_is_lost(on_study: Window) -> None:
    type_formula(on_study, "~ group + agee")
    assert "agee" in form(on_study).problems()["formula"]
    assert not named(panel(on_study), QPushButton, "Fit model").isEnabled()
    assert "3 columns" in said(on_study)  # the last design stays in sight
    type_formula(on_study, "~ group +")
    assert "formula" in form(on_study).problems()
    type_formula(on_study, "~ group + age")
    assert not form(on_study).problems()
    type_contrasts(on_study, "young=-age2")
    assert "age2" in form(on_study).problems()["contrasts"]
    type_contrasts(on_study, "young=-age")
    assert not form(on_study).problems()
    assert "Tests: young (t)" in said(on_study)
    assert named(panel(on_study), QPushButton, "Fit model").isEnabled()


# -- the fit


def test_what_a_formula_leaves_unsaid_is_told_while_it_is_written(on_study: Window, two_sessions: Path) -> None:
    type_formula(on_study, "age ~ group")
    assert "age, left of ~, is not what is explained" in said(on_study)
    type_formula(on_study, "~ group")
    assert "left of ~" not in said(on_study)
    drop_on(on_study, "Study table", two_sessions)
    assert "19 scans of 10 subjects are taken as independent" in said(on_study)
    type_formula(on_study, "~ participant_id")
    assert "taken as independent" not in said(on_study)
    assert "participant_id[T.sub-06] (t) and 3 more" in said(on_study)


def test_a_fit_shows_the_map_of_the_first_test_with_the_numbers_of_the_command(
    fitted: Window, study: tuple[Path, Path], tmp_path: Path
) -> None:
    inference = Inference(permutations=200, correction="fwe")
    expected = model(question(study), inference, out=str(tmp_path / "out"))
    assert titles(fitted) == ["group[T.b]: t"]
    t = nib.load(expected.maps["group-T.b_t"]).get_fdata()
    np.testing.assert_allclose(np.nan_to_num(shown_map(fitted)), np.nan_to_num(t), atol=1e-4)
    row, first = rows_of_tests(fitted)["group[T.b]"], expected.tests[0]
    assert row["Statistic"] == "t(11)"
    assert number(row["Value"]) == pytest.approx(first.value, rel=1e-3)
    assert number(row["p perm."]) == pytest.approx(first.p_permutation, rel=1e-3)
    assert number(row["p FWE"]) == pytest.approx(first.p_fwe, rel=1e-3)
    assert " to " in row["95 % of FWE"]
    assert results(fitted).count_text() == "200 permutations"
    overlay = selected(fitted)
    assert overlay.threshold.value == pytest.approx(4.44, abs=0.005)  # t(11), p < .001 two-sided


def test_another_test_and_another_map_are_shown_by_a_click(
    fitted: Window, study: tuple[Path, Path], tmp_path: Path
) -> None:
    choose_test(fitted, "age")
    assert titles(fitted) == ["age: t"]
    choose(results(fitted), "Map", "\N{MINUS SIGN}log10 p, family-wise")
    settle(fitted)
    assert recipe(fitted).shown == "neglog10-p-fwe"
    assert selected(fitted).threshold.value == 1.301
    expected = model(question(study), Inference(permutations=200, correction="fwe"), out=str(tmp_path / "out"))
    p = nib.load(expected.maps["age_neglog10-p-fwe"]).get_fdata()
    np.testing.assert_allclose(np.nan_to_num(shown_map(fitted)), np.nan_to_num(p), atol=1e-5)
    legend, notes = results(fitted).texts()
    assert "t(11); two-sided; family-wise over 210 by the largest statistic" in legend
    assert "~ group + age" in notes


def test_the_map_is_saved_on_the_grid_of_its_scans(
    fitted: Window, study: tuple[Path, Path], tmp_path: Path, anatomy: Path
) -> None:
    layer, values = selected(fitted), shown_map(fitted).copy()
    fitted.open([str(anatomy)])
    settle(fitted)
    fitted.files.write_map(layer, str(tmp_path / "t.nii.gz"))
    settle(fitted)
    written = nib.load(tmp_path / "t.nii.gz")
    assert np.array_equal(written.affine, nib.load(study[1]).affine)
    assert np.array_equal(written.get_fdata(dtype=np.float32), values, equal_nan=True)


def test_a_map_with_a_long_legend_leaves_its_threshold_in_reach(fitted: Window) -> None:
    choose(results(fitted), "Map", "\N{MINUS SIGN}log10 p, family-wise")
    bring(fitted, "layers")
    layers = fitted.dock("layers").widget()
    field = named(layers, NumberEdit, "Threshold")
    assert field.mapTo(layers, field.rect().topRight()).x() < layers.width()


def test_undo_brings_the_model_before_back_with_its_form(fitted: Window) -> None:
    type_formula(fitted, "~ age")
    fit(fitted)
    assert titles(fitted) == ["age: t"]
    press_key(fitted, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settle(fitted)
    assert titles(fitted) == ["group[T.b]: t"]
    assert named(form(fitted), FormulaEdit, "Formula").text() == "~ group + age"


def test_a_saved_view_opens_with_its_model_fitted_again(
    fitted: Window, open_window: OpenWindow, tmp_path: Path
) -> None:
    before = shown_map(fitted).copy()
    scene = tmp_path / "view.habena.json"
    save_view(str(scene), fitted.session.state)
    again = open_window(view=read_view(str(scene)), layout=None)
    bring(again, "model")
    bring(again, "tests")
    np.testing.assert_array_equal(shown_map(again), before)
    assert named(form(again), FormulaEdit, "Formula").text() == "~ group + age"
    assert rows_of_tests(again)["group[T.b]"]["p FWE"] == rows_of_tests(fitted)["group[T.b]"]["p FWE"]


@pytest.mark.parametrize(
    ("shown", "df", "cut"),
    [("t", (1.0, 20.0), 3.85), ("F", (2.0, 20.0), 9.95), ("neglog10-p-fwe", (1.0, 20.0), 1.301)],
)
def test_maps_of_tests_are_cut_where_tables_say_p_is_one_in_a_thousand_or_corrected_one_in_twenty(
    shown: str, df: tuple[float, float], cut: float
) -> None:
    colours, threshold = model_look(shown, df, None)
    assert threshold.value == pytest.approx(cut, abs=0.005)
    assert colours.low == threshold.value
    assert (colours.negative is not None) == (shown == "t")


# -- permutations


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Callable[[], threading.Event]:
    """Permutations that wait after their first count until the event is set or they are cancelled."""
    go_on = threading.Event()
    steps = Inferring.steps

    def slow(self: Inferring, counts: Counts | None, report: Callable[[float], None]) -> object:
        for now in steps(self, counts, report):
            yield now
            while not go_on.wait(0.005):
                report(0.5)

    monkeypatch.setattr(habena.app.model_maps, "PARTIAL_S", 0.0)
    monkeypatch.setattr(Inferring, "steps", slow)
    return go_on


def test_stopped_permutations_keep_their_counts_and_go_on_to_the_same_p(
    on_study: Window, study: tuple[Path, Path], gate: threading.Event
) -> None:
    write(form(on_study), "Permutations", "3000")
    press(panel(on_study), "Fit model")
    wait_until(lambda: " of 3,000" in results(on_study).count_text() and counted(on_study) > 1, "the first counts")
    first = counted(on_study)
    assert titles(on_study) == ["group[T.b]: t"]
    press(results(on_study), "Stop")
    settle(on_study)
    assert counted(on_study) == first < 3000
    assert rows_of_tests(on_study)["group[T.b]"]["p FWE"] != "–"
    gate.set()
    press(results(on_study), "Continue")
    settle(on_study)
    assert results(on_study).count_text() == "3,000 permutations"
    expected = model(question(study), Inference(permutations=3000, correction="fwe")).tests[0]
    row = rows_of_tests(on_study)["group[T.b]"]
    assert number(row["p FWE"]) == pytest.approx(expected.p_fwe, rel=1e-3)
    assert number(row["p perm."]) == pytest.approx(expected.p_permutation, rel=1e-3)


def counting(window: Window) -> list[str]:
    """Tests whose permutations are being counted."""
    return [key.test for key in window._jobs if isinstance(key, ModelPermutations)]


def test_permutations_of_a_layer_that_is_removed_stop_and_go_on_when_it_comes_back(
    on_study: Window, gate: threading.Event
) -> None:
    write(form(on_study), "Permutations", "3000")
    press(panel(on_study), "Fit model")
    wait_until(lambda: " of 3,000" in results(on_study).count_text() and counted(on_study) > 1, "the first counts")
    first = counted(on_study)
    assert counting(on_study) == ["group[T.b]"]
    press_key(on_study, Qt.Key.Key_Delete)
    settle(on_study)
    assert titles(on_study) == []
    assert counting(on_study) == []
    press_key(on_study, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait_until(lambda: counting(on_study) == ["group[T.b]"], "the count")
    assert counted(on_study) >= first
    gate.set()
    settle(on_study)
    assert results(on_study).count_text() == "3,000 permutations"


def test_stop_stops_the_permutations_of_every_test(on_study: Window, gate: threading.Event) -> None:
    write(form(on_study), "Permutations", "3000")
    press(panel(on_study), "Fit model")
    wait_until(lambda: " of 3,000" in results(on_study).count_text() and counted(on_study) > 1, "the first counts")
    wait_until(lambda: "age" in rows_of_tests(on_study), "the table")
    click_test(on_study, "age")
    wait_until(lambda: sorted(counting(on_study)) == ["age", "group[T.b]"], "both counts")
    press(results(on_study), "Stop")
    settle(on_study)
    assert counting(on_study) == []
    assert not gate.is_set()


def test_permutations_that_are_refused_say_why_and_offer_no_going_on(
    on_study: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> object:
        raise Problem("study.tsv", "has too few arrangements", "use larger blocks")

    monkeypatch.setattr(habena.app.model_maps, "inferring", refuse)
    fit(on_study)
    assert "has too few arrangements" in said(on_study)
    assert not named(results(on_study), QPushButton, "Continue").isVisible()
    assert list(rows_of_tests(on_study)) == ["group[T.b]", "age"]


def counted(window: Window) -> int:
    return int(results(window).count_text().split(" ")[0].replace(",", ""))


def test_more_permutations_go_on_from_those_counted(fitted: Window, study: tuple[Path, Path]) -> None:
    write(form(fitted), "Permutations", "900")
    checked(fitted)
    fit(fitted)
    assert results(fitted).count_text() == "900 permutations"
    expected = model(question(study), Inference(permutations=900, correction="fwe")).tests[0]
    assert number(rows_of_tests(fitted)["group[T.b]"]["p FWE"]) == pytest.approx(expected.p_fwe, rel=1e-3)


# -- one voxel


def test_the_scans_of_the_voxel_at_the_crosshair_are_shown_with_their_influence(fitted: Window) -> None:
    QTest.mouseClick(*_middle_of_first_test(fitted))
    QTest.mouseDClick(*_middle_of_first_test(fitted))
    settle(fitted)
    data = results(fitted).voxel.data()
    assert data is not None
    assert fitted.session.state.crosshair_mm == (2.0, 4.0, 0.0)  # the voxel that differs
    assert data.groups == ("a", "b")
    fit_line = data.line[0] + data.line[1] * data.x
    estimate = np.polyfit(data.x, data.y, 1)
    np.testing.assert_allclose([data.line[1], data.line[0]], estimate, rtol=1e-6)
    assert data.names[int(np.abs(data.dfbetas).argmax())] in data.summary
    assert np.abs(data.y - fit_line).max() < 5
    fitted.session.move_crosshair((300.0, 0.0, 0.0))
    settle(fitted)
    assert results(fitted).voxel.data() is None


def _middle_of_first_test(window: Window) -> tuple[QWidget, Qt.MouseButton, Qt.KeyboardModifier, QPoint]:
    table = named(results(window), QTableView, "Tests")
    place = table.visualRect(table.model().index(0, 0)).center()
    return table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place


# -- tables


def test_repeated_measures_of_a_table_need_no_map_and_list_who_is_incomplete(
    with_form: Window, two_sessions: Path
) -> None:
    drop_on(with_form, "Study table", two_sessions)
    choose(form(with_form), "Data", "Left side")
    type_formula(with_form, "madrs ~ group * time")
    more = next(s for s in form(with_form).findChildren(Section) if s._head.text().startswith("Repeats"))
    press(more, "Repeats")
    choose(form(with_form), "Subject", "participant_id")
    choose(form(with_form), "Within", "time")
    checked(with_form)
    assert "sub-04" in said(with_form)
    assert "Differences within subjects: 9 observations" in said(with_form)
    write(form(with_form), "Permutations", "300")
    checked(with_form)
    fit(with_form)
    assert not with_form.session.state.overlays
    asked = Model(TABLE, str(two_sessions), "madrs ~ group * time", subject="participant_id", within="time")
    expected = model(asked, Inference(permutations=300, correction="fwe"))
    shown = rows_of_tests(with_form)
    for test in expected.tests:
        assert number(shown[test.name]["Value"]) == pytest.approx(test.value, rel=1e-3)
        assert number(shown[test.name]["p perm."]) == pytest.approx(test.p_permutation, rel=1e-3)
    assert "sub-04" in results(with_form).texts()[1]


def test_a_table_of_regions_lists_its_regions(with_form: Window, study: tuple[Path, Path], tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    names = ["Amygdala L", "Amygdala R", "Thalamus L"]
    values = rng.standard_normal((N, 3))
    lines = ["\t".join(names), *("\t".join(f"{v:.4f}" for v in row) for row in values)]
    regions = tmp_path / "regions.tsv"
    regions.write_text("\n".join(lines) + "\n")
    drop_on(with_form, "Study table", study[0])
    drop_on(with_form, "Data file", regions)
    type_formula(with_form, "~ age")
    choose(form(with_form), "Correction", "False discovery rate")
    checked(with_form)
    fit(with_form)
    assert not with_form.session.state.overlays
    rows = cells(named(results(with_form), QTableView, "Regions of the test"))
    assert [row[0] for row in rows] == names
    expected = model(Model(str(regions), str(study[0]), "~ age"), Inference(correction="fdr"))
    best = max(rows, key=lambda row: abs(number(row[1])))
    assert best[0] == expected.tests[0].element
    assert number(best[4]) == pytest.approx(expected.tests[0].p_corrected, rel=1e-3)


def test_data_that_do_not_fit_the_table_are_refused_in_the_panel(on_study: Window, tmp_path: Path) -> None:
    shorter = tmp_path / "shorter.nii"
    nib.save(nib.Nifti1Image(np.ones((*SHAPE, 5), np.float32), np.eye(4)), shorter)
    drop_on(on_study, "Data file", shorter)
    fit(on_study)
    assert "has 5 images, the table study.tsv 14 rows" in said(on_study)
    assert not on_study.notice_bar.isVisible()  # once is enough
    assert named(panel(on_study), QPushButton, "Fit model").isEnabled()
