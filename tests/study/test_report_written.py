"""An answer in a folder: BIDS derivatives, whole or not at all, never in the study, nobody named."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from fabricated_answer import EVIL, GRID, PEOPLE, ROWS, TEMPLATE, answered_of, plan_of, study_in, t_map
from habena.app.problems import Cancelled, Problem
from habena.app.study import report_figure, written
from habena.app.study.asking import Ask
from habena.app.study.values import Study
from habena.app.study.veil import veil_of
from habena.app.study.written import refuse_folder, write_answer
from numpy.testing import assert_allclose, assert_array_equal

T_MAP = f"space-{TEMPLATE}_desc-change_stat-t_statmap"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return study_in(tmp_path / "study")


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures have tests of their own."""
    monkeypatch.setattr(report_figure, "figure", lambda *_: b"\x89PNG picture")


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))


def test_all_files_are_there_and_named_as_derivatives_are(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    files = write_answer(answered_of(study), out, study=study)
    assert [Path(file).name for file in files] == [
        f"{T_MAP}.nii.gz",
        f"space-{TEMPLATE}_desc-change_stat-neglog10P_statmap.nii.gz",
        "desc-change_regions.tsv",
        "desc-change_clusters.tsv",
        "desc-change_people.tsv",
        "desc-change_figure.png",
        "report.html",
        "ask.json",
    ]
    there = {path.name for path in out.iterdir()}
    sidecars = {name.partition(".")[0] + ".json" for name in there if name.endswith((".tsv", ".nii.gz"))}
    assert there == {Path(file).name for file in files} | sidecars | {"dataset_description.json"}


def test_maps_are_float32_on_their_grid_with_a_record(study: Study, tmp_path: Path) -> None:
    write_answer(answered_of(study), tmp_path / "out", study=study)
    image = nib.load(tmp_path / "out" / f"{T_MAP}.nii.gz")
    assert image.get_data_dtype() == np.float32
    assert_array_equal(np.asarray(image.dataobj), t_map())
    assert_allclose(image.affine, GRID.affine)
    assert int(image.header["sform_code"]) == 4
    record = load(tmp_path / "out" / f"{T_MAP}.json")
    assert record["Units"] == "t"
    assert record["SpatialReference"] == TEMPLATE
    assert record["parameters"]["Simulated"] is True
    assert record["parameters"]["ask"]["score"] == "madrs_total"
    assert set(record["software"]) >= {"habena", "numpy", "python"}
    hashes = [each["sha256"] for each in record["parameters"]["inputs"]]
    assert hashes == [hashlib.sha256(name.encode()).hexdigest() for name in PEOPLE]
    assert {each["code"] for each in record["warnings"]} == {"subject-left-out", "uncorrected"}


def test_a_map_of_p_says_that_it_holds_minus_log10(study: Study, tmp_path: Path) -> None:
    write_answer(answered_of(study), tmp_path / "out", study=study)
    assert load(tmp_path / "out" / f"{T_MAP.replace('-t_', '-neglog10P_')}.json")["Units"] == "-log10 p"


def test_tables_have_sidecars_that_describe_every_column_with_its_unit(study: Study, tmp_path: Path) -> None:
    write_answer(answered_of(study), tmp_path / "out", study=study)
    for name in ("regions", "clusters", "people"):
        frame = pd.read_csv(tmp_path / "out" / f"desc-change_{name}.tsv", sep="\t", keep_default_na=False)
        about = load(tmp_path / "out" / f"desc-change_{name}.json")
        assert all(about[column]["Description"] for column in frame.columns)
    regions = pd.read_csv(tmp_path / "out/desc-change_regions.tsv", sep="\t", na_values=["n/a"])
    assert regions["region"].tolist() == [row.region for row in ROWS]
    assert_allclose(regions["effect"], [row.effect for row in ROWS])
    assert load(tmp_path / "out/desc-change_regions.json")["effect"]["Units"] == "SUVR per point"


def test_nobody_is_named_in_any_file_unless_that_was_asked_for(study: Study, tmp_path: Path) -> None:
    names = [name.encode() for name in (*PEOPLE, "sub-X9")]
    write_answer(answered_of(study), tmp_path / "out", study=study)
    for path in (tmp_path / "out").iterdir():
        content = path.read_bytes()
        assert not [name for name in names if name in content], path.name
    assert "P04" in (tmp_path / "out/desc-change_people.tsv").read_text()
    write_answer(answered_of(study), tmp_path / "named", study=study, veil=veil_of(PEOPLE, lifted=True))
    assert "anna" in (tmp_path / "named/desc-change_people.tsv").read_text()
    assert "sub-T02" in (tmp_path / "named/ask.json").read_text()


def test_no_path_of_this_machine_is_written(study: Study, tmp_path: Path) -> None:
    plan = plan_of(study)
    choices = {"grid": str(tmp_path / "grid.nii.gz"), "mask": str(tmp_path / "mask.nii.gz")}
    ask = Ask(plan.ask.study, "change", written.replace(plan.ask.choices, **choices))
    write_answer(answered_of(study, plan=replace(plan, ask=ask)), tmp_path / "out", study=study)
    for path in (tmp_path / "out").iterdir():
        assert str(tmp_path).encode() not in path.read_bytes(), path.name


def test_the_dataset_says_what_it_is(study: Study, tmp_path: Path) -> None:
    write_answer(answered_of(study), tmp_path / "out", study=study)
    told = load(tmp_path / "out/dataset_description.json")
    assert told["DatasetType"] == "derivative"
    assert told["GeneratedBy"][0]["Name"] == "Habena"
    assert told["SourceDatasets"] == [{"URL": "study"}]
    assert told["Simulated"] is True
    real = answered_of(study, simulated=False)
    write_answer(real, tmp_path / "real", study=study)
    assert "Simulated" not in load(tmp_path / "real/dataset_description.json")


def test_the_question_file_holds_question_result_and_how_to_repeat_it(study: Study, tmp_path: Path) -> None:
    write_answer(answered_of(study), tmp_path / "out", study=study)
    told = load(tmp_path / "out/ask.json")
    assert told["result"]["question"] == told["ask"]["kind"] == "change"
    assert told["result"]["model"] == answered_of(study).plan.formula
    assert told["result"]["unknown"] is None
    assert told["repeat"]["command"].startswith("habena ask study change --score madrs_total")
    assert set(told["written"]) == {path.name for path in (tmp_path / "out").iterdir()}


@pytest.mark.parametrize("place", ["", "derivatives", "derivatives/habena/deep", "sub/.."])
def test_the_study_is_never_written_to(study: Study, place: str) -> None:
    before = sorted(study.folder.rglob("*"))
    with pytest.raises(Problem, match="never written to"):
        write_answer(answered_of(study), study.folder / place, study=study)
    assert sorted(study.folder.rglob("*")) == before


def test_a_link_into_the_study_is_seen_through(study: Study, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(study.folder, target_is_directory=True)
    with pytest.raises(Problem, match="never written to"):
        refuse_folder(tmp_path / "link" / "out", study.folder, answered_of(study).plan.ask)


def test_a_folder_that_holds_other_things_is_refused(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(Problem, match="holds other things"):
        write_answer(answered_of(study), out, study=study)
    (out / "ask.json").write_text("[]")
    with pytest.raises(Problem, match="holds other things"):
        write_answer(answered_of(study), out, study=study)
    assert (out / "thesis.txt").read_text() == "mine"
    with pytest.raises(Problem, match="is a file"):
        write_answer(answered_of(study), out / "thesis.txt", study=study)
    with pytest.raises(Problem, match="does not exist"):
        write_answer(answered_of(study), tmp_path / "no" / "out", study=study)


def test_an_answer_to_the_same_question_is_replaced_and_leaves_nothing_of_the_old_one(
    study: Study, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    write_answer(answered_of(study), out, study=study)
    (out / "notes.txt").write_text("mine")
    write_answer(answered_of(study, maps={"t": (t_map() * 2, GRID)}, tables={}), out, study=study)
    there = {path.name for path in out.iterdir()}
    assert "notes.txt" in there
    assert not [name for name in there if "neglog10" in name or "people" in name]
    assert_array_equal(np.asarray(nib.load(out / f"{T_MAP}.nii.gz").dataobj), 2 * t_map())
    with pytest.raises(Problem, match="holds other things"):
        refuse_folder(out, study.folder, Ask(str(study.folder), "group"))


def test_an_earlier_answer_cannot_make_other_files_disappear(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_answer(answered_of(study), out, study=study)
    (tmp_path / "precious.txt").write_text("mine")
    told = load(out / "ask.json")
    (out / "ask.json").write_text(json.dumps(told | {"written": ["../precious.txt", str(tmp_path / "precious.txt")]}))
    write_answer(answered_of(study), out, study=study)
    assert (tmp_path / "precious.txt").exists()
    assert load(out / "ask.json")["result"]


def test_of_an_earlier_answer_only_what_answers_write_disappears(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_answer(answered_of(study), out, study=study)
    mine = ["thesis.txt", "desc-mine_notes.tsv", "desc-group_notes.txt", "data.tsv", ".hidden", "notes.json"]
    gone = ["desc-group_old.tsv", "desc-group_old.json", "desc-group_figure-old.png"]
    gone.append("space-MNI152_desc-group_stat-old_statmap.nii.gz")
    for name in (*mine, *gone):
        (out / name).write_text("mine")
    (out / "desc-group_folder.tsv").mkdir()
    told = load(out / "ask.json")
    listed = [*told["written"], *mine, *gone, "desc-group_folder.tsv", 7]
    (out / "ask.json").write_text(json.dumps(told | {"written": listed}))
    write_answer(answered_of(study), out, study=study)
    assert not [name for name in gone if (out / name).exists()]
    assert [name for name in mine if not (out / name).exists()] == []
    assert (out / "desc-group_folder.tsv").is_dir()


@pytest.mark.parametrize("new", [True, False])
def test_what_is_stopped_leaves_the_folder_as_it_was(study: Study, tmp_path: Path, *, new: bool) -> None:
    out = tmp_path / "out"
    if not new:
        write_answer(answered_of(study), out, study=study)
    before = {path.name: path.read_bytes() for path in out.iterdir()} if out.exists() else None

    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        write_answer(answered_of(study, words=("Other.",)), out, stop, study=study)
    assert ({path.name: path.read_bytes() for path in out.iterdir()} if out.exists() else None) == before


def test_an_id_of_digits_alone_is_veiled_where_it_is_a_person_and_not_where_it_is_a_number() -> None:
    veil = veil_of(["12", "7"])
    frame = pd.DataFrame({"participant_id": [7, 12], "score": [12, 7], "text": ["12 mg", EVIL]})
    shown = veil.frame(frame)
    assert shown["participant_id"].tolist() == ["P02", "P01"]
    assert shown["score"].tolist() == [12, 7]
    assert shown["text"].tolist() == ["12 mg", EVIL]
    assert frame["participant_id"].tolist() == [7, 12]


def test_a_name_inside_another_is_not_taken_for_it() -> None:
    veil = veil_of(["sub-1", "sub-10", "ann"])
    assert veil.text("sub-10_ses-1, sub-1, annual, ann") == "P02_ses-1, P01, annual, P03"
