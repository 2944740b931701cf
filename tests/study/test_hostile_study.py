"""What a tired researcher asks and what a spoilt study holds: said, counted right, or refused in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from habena.app.model_fit import fit_model
from habena.app.problems import Problem
from habena.app.study import prepare_cache
from habena.app.study.answering import answer
from habena.app.study.asked import planned
from habena.app.study.asking import Ask
from habena.app.study.graph_choices import check_choices
from habena.app.study.planning import plan
from habena.app.study.prepare_cache import CacheProblem
from habena.app.study.reading import read_study
from habena.app.study.spectra import read_fits
from habena.app.study.summary import summary
from habena.app.study.values import Choices
from habena.app.study.wanted import Wanted
from habena.app.study.written import refuse_folder
from question_study import draw, write
from study_files import tsv


@pytest.fixture(autouse=True)
def _caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "home"))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write(tmp_path / "study", draw(3, patients=8, healthy=6))


def unused(folder: Path, question: str, **options: Any) -> list[str]:
    found = planned(str(folder), question, Wanted(**options))
    return [finding.where for finding in found.findings if finding.code == "option-unused"]


def empty_scan(folder: Path, person: str) -> None:
    path = next((folder / person).rglob("ses-pre/pet/*.nii.gz"))
    image = nib.Nifti1Image.from_filename(path)
    nib.save(nib.Nifti1Image(np.full(image.shape, np.nan, np.float32), image.affine), path)


def write_as_maps(folder: Path) -> None:
    rows = (folder / "participants.tsv").read_text("utf-8").splitlines()
    scans = {path.name[:7]: path.relative_to(folder) for path in sorted(folder.rglob("ses-pre/pet/*.nii.gz"))}
    lines = [rows[0] + "\tmap", *(f"{row}\t{scans[row[:7]]}" for row in rows[1:])]
    (folder / "maps.tsv").write_text("\n".join(lines) + "\n", "utf-8")


def test_options_that_change_nothing_are_said(study: Path) -> None:
    found = unused(study, "severity", arm="interaction", percent=True, strategy="motion24", r=0.3, metrics=("degree",))
    assert set(found) == {"--arm", "--percent", "--strategy", "--r", "--metrics"}
    assert unused(study, "severity", sessions=("ses-pre", "ses-post")) == ["--sessions"]
    assert unused(study, "suvr ~ age", quality=(("snr_min", 3.0),), thresholds=(0.1, 0.1)) == [
        "--thresholds",
        "--quality",
    ]


def test_options_that_bear_on_a_question_are_not_said(study: Path) -> None:
    assert unused(study, "change", percent=True, arm="pooled", fwhm=6.0, scaling="global mean", permutations=10) == []
    assert unused(study, "change", sessions=("ses-pre", "ses-post"), region="insula", covariates=()) == []
    assert unused(study, "overlap", thresholds=(0.01, 0.02)) == []
    assert unused(study, "suvr ~ age", contrasts=("older=age",)) == []


@pytest.mark.parametrize("width", [1e9, float("nan"), float("inf"), -1.0])
def test_widths_that_nothing_is_smoothed_with_are_refused_by_option(study: Path, width: float) -> None:
    with pytest.raises(Problem, match=r"^--fwhm: "):
        planned(str(study), "change", Wanted(fwhm=width))
    with pytest.raises(Problem, match=r"^--run-fwhm: "):
        planned(str(study), "change", Wanted(run_fwhm=width))


@pytest.mark.parametrize("contrast", ["a=nope", "a=1,2,3,4,5", "a=0,0", "=1"])
@pytest.mark.parametrize("formula", ["suvr ~ age", "madrs_total_pre ~ age"])
def test_a_contrast_of_another_design_is_refused_before_work(study: Path, formula: str, contrast: str) -> None:
    with pytest.raises(Problem, match=r"^contrast: "):
        planned(str(study), formula, Wanted(contrasts=(contrast,)))


def test_people_whose_scans_turn_out_empty_are_not_counted(study: Path) -> None:
    empty_scan(study, "sub-T01")
    empty_scan(study, "sub-H02")
    made = plan(read_study(study), Ask(study=str(study), kind="group"))
    assert dict(made.n) == {"TRD": 8, "HC": 6, "excluded": 0}
    found = answer(made)
    assert dict(found.plan.n) == {"TRD": 7, "HC": 5, "excluded": 2}
    assert "12 people (7 TRD, 5 HC)" in found.plan.words
    left_out = [finding.where for finding in found.findings if finding.code == "subject-left-out"]
    assert sorted(left_out) == ["sub-H02", "sub-T01"]


def test_people_whose_scans_turn_out_empty_leave_both_maps_of_an_overlap(study: Path) -> None:
    empty_scan(study, "sub-T01")
    empty_scan(study, "sub-H02")
    made = plan(read_study(study), Ask(study=str(study), kind="overlap"))
    assert dict(made.n) == {"TRD": 8, "HC": 6, "with change": 8, "excluded": 0}
    found = answer(made)
    assert dict(found.plan.n) == {"TRD": 7, "HC": 5, "with change": 7, "excluded": 2}
    assert "in 12 people (7 TRD, 5 HC)" in found.plan.words
    assert "in 7 people (3 ketamine, 4 placebo)" in found.plan.words
    assert found.plan.words in found.words
    assert not [finding for finding in found.findings if finding.code == "power"]


def test_an_overlap_of_usable_scans_keeps_its_plan(study: Path) -> None:
    made = plan(read_study(study), Ask(study=str(study), kind="overlap"))
    found = answer(made).plan
    assert (found.n, found.words, found.findings) == (made.n, made.words, made.findings)


@pytest.mark.parametrize("question", ["severity", "group", "change", "prediction", "overlap", "suvr ~ age"])
def test_maps_that_are_the_same_everywhere_are_refused_by_the_name_of_the_study(study: Path, question: str) -> None:
    for path in study.rglob("*_pet.nii.gz"):
        image = nib.Nifti1Image.from_filename(path)
        nib.save(nib.Nifti1Image(np.ones(image.shape, np.float32), image.affine), path)
    made = planned(str(study), question, Wanted())
    with pytest.raises(Problem, match=r"^study: no element varies"):
        answer(made)
    with pytest.raises(Problem, match=r"^study: no element varies"):
        fit_model(made.models[0])


def test_no_finding_of_an_answer_names_a_prepared_file(study: Path) -> None:
    for path in (study / "sub-T01").rglob("*_pet.nii.gz"):
        image = nib.Nifti1Image.from_filename(path)
        values = np.asarray(image.dataobj).copy()
        values[10, 10, 10] = 0
        nib.save(nib.Nifti1Image(values, image.affine), path)
    write_as_maps(study)
    table = str(study / "maps.tsv")
    found = answer(planned(table, "map ~ age", Wanted()))
    empty = [finding for finding in found.findings if finding.code == "zero-in-some"]
    assert [finding.where for finding in empty] == ["maps.tsv"]
    assert not [finding for finding in found.findings if "prepared" in finding.where]


@pytest.mark.parametrize("question", ["change", "prediction", "suvr_change ~ age"])
def test_sessions_named_the_later_first_are_said_to_be_reversed(study: Path, question: str) -> None:
    def said(*sessions: str) -> list[str]:
        found = planned(str(study), question, Wanted(sessions=sessions)).findings
        return [finding.message for finding in found if finding.code == "sessions-reversed"]

    assert said() == said("ses-pre", "ses-post") == []
    [message] = said("ses-post", "ses-pre")
    assert "differences (ses-pre less ses-post) and improvement (ses-post less ses-pre) are reversed" in message


@pytest.mark.parametrize("r", [2.0, -2.0, -0.5])
def test_a_threshold_that_no_correlation_has_is_refused(study: Path, r: float) -> None:
    with pytest.raises(Problem, match=r"^--r: "):
        check_choices(Ask(str(study), "graph", Choices(density=None, r=r)))


def test_more_permutations_than_any_p_needs_are_refused(study: Path) -> None:
    with pytest.raises(Problem, match=r"^--permutations: 1000001 .* give at most 1000000"):
        planned(str(study), "change", Wanted(permutations=1_000_001))
    planned(str(study), "change", Wanted(permutations=1_000_000))


def test_people_and_scans_are_counted_by_session_listed_or_scored(study: Path) -> None:
    found = summary(read_study(study))["sessions"]
    assert found == {
        "ses-pre": {"participants": 14, "scans": {"suvr": 14}},
        "ses-post": {"participants": 8, "scans": {"suvr": 8}},
    }


def test_a_third_group_that_is_not_asked_about_is_named(study: Path) -> None:
    table = study / "participants.tsv"
    lines = table.read_text("utf-8").splitlines()
    third = [line.replace("TRD", "BD") if line.startswith(("sub-T01", "sub-T02")) else line for line in lines]
    table.write_text("\n".join(third) + "\n", "utf-8")
    found = plan(read_study(study), Ask(study=str(study), kind="severity"))
    said = [finding for finding in found.findings if finding.code == "group-left-out"]
    assert [(finding.value, "2 people" in finding.message) for finding in said] == [("BD", True)]


def test_a_full_disk_stops_a_question_and_leaves_nobody_out(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        del content
        raise Problem(path, "cannot be written: no space left on device", "make room there")

    made = plan(read_study(study), Ask(study=str(study), kind="severity"))
    monkeypatch.setattr(prepare_cache, "_put", full)
    with pytest.raises(CacheProblem, match="no space left on device"):
        answer(made)


def test_a_name_that_no_system_takes_is_refused(study: Path, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="cannot be written"):
        refuse_folder(tmp_path / ("x" * 300), study, Ask(study=str(study), kind="change"))


def test_a_folder_with_a_question_nested_too_deep_holds_other_things(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "ask.json").write_text("[" * 100_000, "utf-8")
    with pytest.raises(Problem, match="holds other things"):
        refuse_folder(out, study, Ask(study=str(study), kind="change"))


def test_a_link_in_a_circle_takes_no_other_table_with_it(study: Path) -> None:
    circle = study / "phenotype" / "circle.tsv"
    circle.symlink_to(circle)
    found = read_study(study)
    assert list(found.scores) == ["madrs"]
    assert [finding.where for finding in found.findings if finding.code == "link-broken"] == [str(circle)]


def test_text_with_neither_people_nor_images_is_no_study(tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("root:x:0:0:/root\nbin:x:1:1:/bin\n", "utf-8")
    with pytest.raises(Problem, match="no column of people and none of images"):
        read_study(tmp_path / "passwd")


def test_text_in_one_table_of_fits_takes_no_other_with_it(tmp_path: Path) -> None:
    tsv(tmp_path / "participants.tsv", ("participant_id",), ("sub-1",), ("sub-2",), ("sub-3",))
    rows: dict[str, tuple[object, ...]] = {"sub-1": (2.0, 1.4), "sub-2": (2.0, "failed"), "sub-3": ("late", 1.2)}
    for person, second in rows.items():
        path = tmp_path / person / "ses-1" / "mrs" / f"{person}_ses-1_voi-acc_desc-fit_svs.tsv"
        tsv(path, ("time_min", "glx_tnaa"), (1.0, 1.5), second)
    fits, findings = read_fits(read_study(tmp_path))
    assert fits["glx_tnaa"].dropna().tolist() == [1.5, 1.4, 1.5, 1.5]
    assert len(fits) == 5
    assert [(each.where, each.value) for each in findings] == [("sub-2", "failed"), ("sub-3", "late")]
