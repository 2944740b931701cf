"""Questions to a study in the window: planned while chosen, shown as a map, answered, refused while blinded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from file_events import answer_dialog, choose, errors
from habena.app.panels.ask import AskControl
from habena.app.panels.ask_plan import BLINDED, NO_WINDOW, NOT_IN_FORMULA
from habena.app.recipes import ModelMap
from habena.app.resolve import permutations_of
from habena.app.study import counted
from habena.app.study.kept import choices_of
from habena.app.window import Window
from PySide6.QtWidgets import QPushButton
from study_folder import WITHOUT_LAST, write_study
from window_events import settle, wait_until


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Scans that differ from one another in each voxel."""
    folder = write_study(tmp_path / "trial")
    rng = np.random.default_rng(7)
    for path in sorted(folder.rglob("*_pet.nii.gz")):
        image = nib.load(path)
        values = image.get_fdata() * (1 + 0.1 * rng.standard_normal(image.shape))
        nib.save(nib.Nifti1Image(values.astype(np.float32), image.affine, image.header), path)
    return folder


@pytest.fixture
def window(open_window, study: Path) -> Window:
    return open_window(study)


def control(window: Window) -> AskControl:
    return window.panels.ask


def ask_for(window: Window, **chosen: object) -> None:
    """Choose in the form, and wait for the plan."""
    asking = control(window)
    asking.choose(replace(asking.settings, reference="whole brain", **chosen))
    wait_until(lambda: asking.planned is not None, "the plan")


def answered(window: Window) -> None:
    control(window).ask()
    wait_until(lambda: window.panels.answer._answers.progress is None, "the answer")
    settle(window)
    assert window.panels.answer._answers.problem == ""


def maps(window: Window) -> list[ModelMap]:
    return [each.recipe for each in window.session.state.overlays if isinstance(each.recipe, ModelMap) and each.visible]


def test_possible_questions_are_offered_with_the_reason_where_one_is_not(window):
    offered = {kind: why for kind, _, why in control(window)._offer.questions}
    assert [kind for kind, why in offered.items() if not why] == [
        "severity",
        "group",
        "change",
        "overlap",
        "prediction",
        "formula",
    ]
    ask_for(window, kind="crossover")
    assert control(window).planned.plan is None
    assert window.panels.ask_form.problem() == f"This study {offered['crossover']}."


def test_a_question_is_said_in_words_with_its_design_before_it_is_asked(window):
    ask_for(window, kind="change")
    words, formula, people, power, notes = window.panels.ask_form.texts()
    assert words.startswith("Simulated: SUVR change (dusk less dawn) as a function of improvement in MADRS")
    assert "larger is better" in words
    assert formula.startswith("suvr_change ~ madrs_total_improvement + arm")
    assert people.endswith("1 left out.")
    assert "n = 7" in power
    assert WITHOUT_LAST in notes
    design = control(window).planned.shown.design
    assert len(design.matrix) == len(design.rows) == 7
    assert control(window).planned.df == (1.0, 7.0 - design.matrix.shape[1])
    ask_for(window, kind="formula", formula="suvr ~ nonsense")
    assert "nonsense" in window.panels.ask_form.problem()


def test_the_map_is_a_layer_and_the_answer_lists_every_region(window, tmp_path, monkeypatch):
    before = window.session.state.crosshair_mm
    ask_for(window, kind="group")
    answered(window)
    (recipe,) = maps(window)
    assert recipe.model.study.study == window.session.state.study
    assert recipe.test == "TRD less HC"
    results = window.panels.ask_results
    assert results.words().startswith("Simulated data: nobody was scanned")
    found = window.panels.answer._answers.found
    assert len(results.view().regions) == len(found.regions) == 24
    assert window.dock("answer").isVisible()
    number = next(n for n, row in enumerate(found.regions) if row.region == "thalamus" and row.side == "R")
    results.region_chosen.emit(number)
    settle(window)
    assert window.session.state.crosshair_mm != before
    assert window.session.state.crosshair_mm[0] > 0
    answer_dialog(monkeypatch, "getExistingDirectory", tmp_path / "out")
    results.export_requested.emit()
    settle(window)
    assert {"report.html", "ask.json"} <= {path.name for path in (tmp_path / "out").iterdir()}
    assert errors(window) == []


def test_asked_again_the_map_takes_the_place_of_the_one_before_and_undo_brings_it_back(window):
    ask_for(window, kind="severity")
    answered(window)
    (first,) = maps(window)
    ask_for(window, kind="severity", covariates=("age",))
    answered(window)
    (second,) = maps(window)
    assert second.model.formula != first.model.formula
    window.session.store.undo()
    settle(window)
    assert maps(window) == [first]


def test_permutations_of_the_layer_and_of_the_answer_are_counted_once(window, monkeypatch):

    kept = []
    keep = counted._keep
    monkeypatch.setattr(counted, "_keep", lambda path, counts: (kept.append(path), keep(path, counts)))
    inference = replace(control(window).settings.inference, correction="fwe", permutations=60)
    ask_for(window, kind="severity", inference=inference)
    answered(window)
    of_voxels = [path for path in kept if path.exists()]
    assert len(of_voxels) == len(set(kept)) == len(kept)
    assert "of 60 permutations" not in window.panels.ask_results.words()
    assert any(name.startswith("neglog10-p-fwe") for name in window.panels.answer._answers.found.maps)


def test_stopped_from_the_bar_the_question_can_be_asked_again_at_once(window):
    inference = replace(control(window).settings.inference, correction="fwe", permutations=500_000)
    ask_for(window, kind="severity", inference=inference)
    answers, jobs = window.panels.answer._answers, window.session.jobs
    control(window).ask()
    (recipe,) = maps(window)
    question = permutations_of(recipe)
    wait_until(lambda: jobs.busy(question), "the permutations")
    jobs.cancel(question)
    settle(window)
    assert answers.progress is None
    assert answers.problem == ""
    buttons = {each.text(): each for each in window.panels.ask_form.buttons.findChildren(QPushButton)}
    assert not buttons["Ask"].isHidden()
    assert buttons["Cancel"].isHidden()
    inference = replace(inference, permutations=20)
    ask_for(window, kind="severity", inference=inference)
    answered(window)
    assert answers.found is not None
    assert not answers.so_far


def test_the_grid_and_the_covariate_of_a_formula_reach_the_question_and_the_grid_stays_with_the_study(window, study):
    grid = str(next(study.rglob("*_pet.nii.gz")))
    control(window).take_file("grid", grid)
    ask_for(window, kind="formula", formula="suvr_change ~ pet", voxelwise="pet = pet")
    ask = control(window).planned.plan.ask
    assert ask.voxelwise == (("pet", "pet"),)
    assert ask.choices.grid == grid
    assert ("pet_change = pet_change", "pet_change = pet_change") in control(window)._offer.voxelwise
    answered(window)
    assert choices_of(window.study.loaded.study).grid == grid
    (recipe,) = maps(window)
    assert recipe.test == "pet"


def test_a_voxelwise_covariate_that_is_not_in_the_formula_is_told(window):
    ask_for(window, kind="formula", formula="suvr ~ age", voxelwise="pet = pet")
    assert window.panels.ask_form.problem() == NOT_IN_FORMULA.format(name="pet")
    ask_for(window, kind="severity")
    assert window.panels.ask_form.problem() == ""


def test_frames_that_end_before_they_start_are_refused(window):
    ask_for(window, kind="severity", from_min=60.0, to_min=40.0)
    assert window.panels.ask_form.problem() == NO_WINDOW
    ask_for(window, kind="severity", from_min=30.0, to_min=50.0)
    assert control(window).planned.plan.ask.choices.window_min == (30.0, 50.0)


def test_a_question_that_tells_the_arm_is_refused_while_blinded(window):
    ask_for(window, kind="change")
    answered(window)
    choose(window, "Study", "Blinded")
    settle(window)
    assert window.panels.ask_results.words() == ""
    assert window.panels.ask_form.problem() == BLINDED
    ask_for(window, kind="formula", formula="suvr_change ~ age")
    assert window.panels.ask_form.problem() == BLINDED
    ask_for(window, kind="severity")
    assert control(window).planned.plan is not None
    assert not any(name in " ".join(window.panels.ask_form.texts()) for name in ("alphadrug", "dawn", "Q1W"))


def test_a_map_that_is_asked_for_on_the_wall_is_seen_and_undo_brings_the_wall_back(window):
    window.panels.study.wall.show(window.study.people()[:1])
    wait_until(lambda: window.session.state.layout == "wall", "the wall")
    settle(window)
    ask_for(window, kind="group")
    answered(window)
    assert window.session.state.layout != "wall"
    assert len(maps(window)) == 1
    window.session.store.undo()
    settle(window)
    assert window.session.state.layout == "wall"
