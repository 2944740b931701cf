"""Prepared files are made once: hits read nothing, changes make new ones, old ones go; models stand on them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from habena.app.model_fit import fit_model
from habena.app.modelling import model as run_model
from habena.app.models import TABLE, Inference, Model
from habena.app.panels.model_check import check
from habena.app.panels.model_question import model_of, rows_of, settings_of, text_of
from habena.app.problems import Cancelled, Problem
from habena.app.recipes import ModelMap
from habena.app.saved import absolute, files_of, relative, without_folders
from habena.app.settings import cache_folder
from habena.app.state import Colours, Overlay, ViewState
from habena.app.study.prepare_cache import trim
from habena.app.study.prepared import concrete, prepare, prepare_study
from habena.app.study.rows import StudyRows
from habena.app.study.values import Choices
from msgspec.structs import replace
from prepared_study import LEFT, bids_study, everywhere, halves, images, reference_mask, scan_of, simple_study
from prepared_study import table as table_of


def choices_in(folder: Path) -> Choices:
    return Choices(reference=reference_mask(folder / "masks"), mask=everywhere(folder / "masks"))


def refuse_work(*_: object) -> None:
    raise AssertionError("an image was prepared again")


def test_a_second_question_reads_no_image_again_and_shares_the_maps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, choices = simple_study(tmp_path / "s"), choices_in(tmp_path)
    first = prepare_study(study, StudyRows("s", choices=choices, per="scan"))
    monkeypatch.setattr("habena.app.study.prepare_images.ratio_map", refuse_work)
    assert prepare_study(study, StudyRows("s", choices=choices, per="scan")).table == first.table
    change = prepare_study(study, StudyRows("s", choices=choices, per="difference"))
    before, after = images(first)[:2]
    np.testing.assert_array_equal(images(change)[0], after - before)
    prepare_study(study, StudyRows("s", choices=replace(choices, atlas="harvard-oxford"), per="scan"))
    with pytest.raises(AssertionError, match="prepared again"):
        prepare_study(study, StudyRows("s", choices=replace(choices, fwhm_mm=20.0)))


def test_a_changed_scan_is_prepared_again_and_the_others_are_not(tmp_path: Path) -> None:
    study, choices = simple_study(tmp_path / "s"), choices_in(tmp_path)
    rows = StudyRows("s", choices=choices)
    before = table_of(prepare_study(study, rows))["map"]
    scan_of(tmp_path / "s", "sub-B", "ses-pre", halves(LEFT, 5.0, 30.0))
    made = prepare_study(study, rows)
    after = table_of(made)["map"]
    assert (before == after).tolist() == [True, False, True]
    assert images(made)[1].max() == pytest.approx(5.0)


def test_a_file_that_was_cut_short_in_the_cache_is_made_again(tmp_path: Path) -> None:
    study, rows = simple_study(tmp_path / "s"), StudyRows("s", choices=choices_in(tmp_path))
    made = prepare_study(study, rows)
    image = made.table.parent / table_of(made)["map"][0]
    whole = image.read_bytes()
    image.write_bytes(whole[:1000])
    prepare_study(study, rows)
    assert image.read_bytes() == whole


def test_trimming_drops_what_was_used_longest_ago_and_nothing_in_use(tmp_path: Path) -> None:
    made = prepare_study(simple_study(tmp_path / "s"), StudyRows("s", choices=choices_in(tmp_path)))
    folders = sorted((cache_folder() / "prepared").iterdir())
    for age, folder in enumerate(folders[:2], start=1):
        os.utime(folder, (1e9 - age, 1e9 - age))
    trim(largest_bytes=0)
    assert not any(folder.exists() for folder in folders[:2])
    assert all(folder.exists() for folder in folders[2:])
    trim(largest_bytes=10**12)
    assert made.table.parent.exists() or made.table.parent in folders[:2]


def test_progress_rises_to_the_end_and_a_cancelled_preparation_leaves_nothing_half(tmp_path: Path) -> None:
    told: list[float] = []
    study, rows = simple_study(tmp_path / "s"), StudyRows("s", choices=choices_in(tmp_path))

    def stop(fraction: float) -> None:
        told.append(fraction)
        raise Cancelled

    with pytest.raises(Cancelled):
        prepare_study(study, rows, stop)
    assert not list((cache_folder() / "prepared").rglob("*.part"))
    told.clear()
    prepare_study(study, rows, told.append)
    assert told == sorted(told)
    assert told[-1] == 1


def test_a_study_that_is_asked_again_is_not_read_again_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bids_study(tmp_path / "s")
    rows = StudyRows(str(folder), choices=choices_in(tmp_path))
    first = prepare(rows)
    with monkeypatch.context() as patched:
        patched.setattr("habena.app.study.reading.read_study", refuse_work)
        assert prepare(rows) is first
    participants = folder / "participants.tsv"
    participants.write_text(participants.read_text().replace("30.0", "99.5"))
    again = prepare(rows)
    assert table_of(again)["age"].tolist() == [99.5, 31, 32]


def model_in(folder: Path, **changes: object) -> Model:
    rows = StudyRows(str(bids_study(folder / "s")), choices=choices_in(folder), per="difference")
    return replace(Model("", "", "~ madrs_total_improvement", study=rows), **changes)


def test_a_study_is_fitted_as_its_prepared_files_and_the_question_stays(tmp_path: Path) -> None:
    question = model_in(tmp_path)
    fitted, files = fit_model(question), fit_model(concrete(question))
    assert fitted.model == question
    np.testing.assert_array_equal(fitted.tests[0].maps.statistic, files.tests[0].maps.statistic)
    assert fitted.simulated
    assert {path.suffix for path in fitted.inputs} == {".gz", ".json", ".tsv"}
    assert not any(path.is_relative_to(cache_folder()) for path in fitted.inputs)


def test_maps_of_a_study_list_its_scans_with_their_hashes(tmp_path: Path) -> None:
    run_model(model_in(tmp_path), Inference(), str(tmp_path / "out"))
    about = json.loads(next((tmp_path / "out").glob("*_t.json")).read_text())
    names = {each["name"] for each in about["inputs"]}
    assert "sub-A_ses-pre_space-MNI152NLin2009aSym_pet.nii.gz" in names
    assert all(len(each["sha256"]) == 64 for each in about["inputs"])
    assert about["parameters"]["Simulated"] is True


def test_the_outcome_may_be_in_the_studys_table(tmp_path: Path) -> None:
    fitted = fit_model(model_in(tmp_path, data=TABLE, formula="madrs_total_post ~ 1"))
    assert fitted.data is None
    assert fitted.tests[0].maps.estimate[0] == pytest.approx((23 + 16 + 9) / 3)


def test_a_saved_view_moves_the_folder_and_files_of_a_study(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    choices = Choices(reference=str(folder / "masks/pons.nii.gz"), mask=str(folder / "masks/brain.nii"), grid=None)
    beside = StudyRows(str(folder / "s"), "degree", Choices(reference="cerebellum"))
    rows = StudyRows(str(folder / "s"), choices=choices, beside=(("degree", beside),))
    recipe = ModelMap(Model("", "", "~ 1", study=rows), Inference(), "Intercept")
    state = ViewState(overlays=(Overlay(1, recipe, "change", Colours("grey", 0.0, 1.0)),))
    moved = relative(state, folder)
    study = moved.overlays[0].recipe.model.study
    assert study.study == "s"
    assert (study.choices.reference, study.choices.mask) == ("masks/pons.nii.gz", "masks/brain.nii")
    assert (study.beside[0][1].study, study.beside[0][1].choices.reference) == ("s", "cerebellum")
    assert moved.overlays[0].recipe.model.data == moved.overlays[0].recipe.model.table == ""
    assert absolute(moved, folder) == state
    assert set(files_of(state)) == {rows.study, choices.reference, choices.mask}


def test_a_question_that_is_handed_on_names_no_folder(tmp_path: Path) -> None:
    beside = StudyRows(str(tmp_path / "s"), choices=Choices(mask=str(tmp_path / "brain.nii")))
    rows = StudyRows(str(tmp_path / "s"), beside=(("pre", beside),))
    named = without_folders(rows)
    assert (named.study, named.beside[0][1].study, named.beside[0][1].choices.mask) == ("s", "s", "brain.nii")


def test_the_form_shows_a_study_and_gives_it_back(tmp_path: Path) -> None:
    question = model_in(tmp_path)
    settings = settings_of(question, Inference())
    assert settings.table.startswith(str(tmp_path / "s"))
    assert model_of(settings) == question
    found = check(settings)
    assert not found.problems
    assert "madrs_total_improvement" in found.columns
    assert [each.name for each in found.tests] == ["madrs_total_improvement"]


def test_a_question_as_text_says_only_what_differs_and_anything_else_is_a_table() -> None:
    rows = StudyRows("/data/s", per="percent", choices=Choices(fwhm_mm=6.0), sessions=("ses-a", "ses-b"))
    assert text_of(StudyRows("/data/s")) == "/data/s :: {}"
    assert rows_of(text_of(rows)) == rows
    assert rows_of("/data/table.tsv") is None
    with pytest.raises(Problem, match="no question of a study"):
        rows_of("/data/s :: {nonsense")
