"""Studies that are not in order: each defect is named with who and which file, and none is fatal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from habena.app.problems import Finding
from habena.app.study.reading import read_study
from habena.app.study.values import Study
from study_files import AFFINE, PET, SPACE, bold_study, image, pet, pet_study, sessions, tsv, write_json

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return pet_study(tmp_path / "study")


def said(study: Study, code: str) -> list[Finding]:
    return [finding for finding in study.findings if finding.code == code]


def only(study: Study, code: str) -> Finding:
    """The one finding of a study."""
    assert [finding.code for finding in study.findings] == [code], study.findings
    return study.findings[0]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def scan_of(folder: Path, person: str, session: str) -> Path:
    return folder / person / session / "pet" / f"{person}_{session}_trc-K2_{SPACE}_pet.nii.gz"


def append(path: Path, *cells: object) -> None:
    path.write_text(path.read_text("utf-8") + "\t".join(map(str, cells)) + "\n", "utf-8")


def test_somebody_without_scans_is_named(folder: Path) -> None:
    append(folder / "participants.tsv", "sub-T99", "TRD", "ketamine", 40, "F")
    study = read_study(folder)
    found = only(study, "participant-without-scans")
    assert (found.value, Path(found.where).name) == ("sub-T99", "participants.tsv")
    assert "sub-T99" in set(study.participants.participant_id)


def test_scans_of_somebody_who_is_not_listed_are_named_and_kept(folder: Path) -> None:
    pet(folder, "sub-X1", "ses-pre")
    study = read_study(folder)
    found = said(study, "participant-not-listed")
    assert [(finding.value, Path(finding.where).name) for finding in found] == [("sub-X1", "sub-X1")]
    assert len(study.scans_of(participant="sub-X1")) == 1
    assert list(study.participants.participant_id)[-1] == "sub-X1"
    assert len(study.participants) == 8


def test_a_session_that_others_have_is_named_where_it_is_missing(folder: Path) -> None:
    scan_of(folder, "sub-T02", "ses-post").unlink()
    found = only(read_study(folder), "session-missing")
    assert found.value == "sub-T02"
    assert "no PET scan in ses-post" in found.message


def test_two_scans_of_one_session_are_named_and_both_kept(folder: Path) -> None:
    stem = folder / "sub-T02" / "ses-post" / "pet" / f"sub-T02_ses-post_trc-K2_run-2_{SPACE}_pet"
    image(stem.with_name(stem.name + ".nii.gz"))
    write_json(stem.with_name(stem.name + ".json"), **PET)
    study = read_study(folder)
    assert only(study, "session-doubled").value == "sub-T02"
    assert len(study.scans_of(participant="sub-T02")) == 3


def test_one_image_in_two_files_counts_once(folder: Path) -> None:
    compressed = scan_of(folder, "sub-T02", "ses-post")
    image(compressed.with_suffix(""))
    study = read_study(folder)
    assert only(study, "image-doubled").value == "sub-T02"
    assert len(study.scans_of(participant="sub-T02")) == 2


def test_equal_rows_count_once_and_contradictory_ones_leave_the_value_missing(folder: Path) -> None:
    append(folder / "participants.tsv", "sub-T01", "TRD", "placebo", 31, "M")
    append(folder / "participants.tsv", "sub-T02", "TRD", "ketamine", 77, "F")
    study = read_study(folder)
    (equal,), (contradictory,) = said(study, "row-doubled"), said(study, "row-contradicts")
    assert (equal.value, contradictory.value) == ("sub-T01", "sub-T02")
    assert "age (32 and 77)" in contradictory.message
    ages = study.participants.set_index("participant_id").age
    assert ages["sub-T01"] == 31
    assert np.isnan(ages["sub-T02"])
    assert len(study.participants) == 7


def test_doubled_rows_of_a_session_and_of_a_score_are_named(folder: Path) -> None:
    sessions(folder, "sub-T01", ("ses-pre", 0), ("ses-pre", 0), ("ses-post", 14))
    append(folder / "phenotype" / "madrs.tsv", "sub-T02", "ses-pre", 0, 9)
    study = read_study(folder)
    assert [finding.value for finding in said(study, "row-doubled")] == ["sub-T01"]
    assert [finding.value for finding in said(study, "row-contradicts")] == ["sub-T02"]
    madrs = study.scores["madrs"].set_index(["participant_id", "session_id"]).madrs_total
    assert np.isnan(madrs["sub-T02", "ses-pre"])
    assert len(study.sessions) == 11


@pytest.mark.parametrize("cell", ["severe", "31,5", "inf", "30 "])
def test_text_in_a_score_column_is_missing_and_named(folder: Path, cell: str) -> None:
    edit(folder / "phenotype" / "madrs.tsv", "sub-T01\tses-pre\t0\t31", f"sub-T01\tses-pre\t0\t{cell}")
    study = read_study(folder)
    value = study.scores["madrs"].madrs_total[0]
    if cell == "30 ":  # a blank is no defect
        assert value == 30
        assert study.findings == ()
        return
    (found,) = said(study, "score-not-number")
    assert (found.value, Path(found.where).name) == ("sub-T01", "madrs.tsv")
    assert f"'{cell}'" in found.message
    assert np.isnan(value)


@pytest.mark.parametrize("cell", ["n/a", "", "NaN"])
def test_a_missing_score_is_no_text_but_is_named_as_missing(folder: Path, cell: str) -> None:
    edit(folder / "phenotype" / "madrs.tsv", "sub-T01\tses-pre\t0\t31", f"sub-T01\tses-pre\t0\t{cell}")
    found = only(read_study(folder), "score-missing")
    assert found.value == "sub-T01"


@pytest.mark.parametrize(
    ("column", "wrong", "right"), [("madrs_total", 61, 60), ("hamd17_total", 53, 52), ("cssrs_iss", 6, 5)]
)
def test_a_score_that_its_instrument_cannot_give_is_missing_and_named(
    folder: Path, column: str, wrong: int, right: int
) -> None:
    rows = [(f"sub-T0{n}", "ses-pre", value) for n, value in ((1, wrong), (2, right), (3, 0), (4, -1))]
    tsv(folder / "phenotype" / "scale.tsv", ("participant_id", "session_id", column), *rows)
    study = read_study(folder)
    assert [finding.value for finding in said(study, "score-range")] == ["sub-T01", "sub-T04"]
    assert study.scores["scale"][column].isna().tolist() == [True, False, False, True]


def test_the_limits_of_a_sidecar_count_for_other_scales(folder: Path) -> None:
    rows = [(f"sub-T0{n}", "ses-pre", value) for n, value in ((1, 27), (2, 28), (3, 0))]
    tsv(folder / "phenotype" / "phq.tsv", ("participant_id", "session_id", "phq9"), *rows)
    write_json(folder / "phenotype" / "phq.json", phq9={"Description": "PHQ-9", "Minimum": 0, "Maximum": 27})
    assert [finding.value for finding in said(read_study(folder), "score-range")] == ["sub-T02"]


def test_sessions_whose_days_contradict_the_order_are_named(folder: Path) -> None:
    sessions(folder, "sub-T03", ("ses-pre", 14), ("ses-post", 0))
    study = read_study(folder)
    assert [finding.value for finding in said(study, "sessions-swapped")] == ["sub-T03"]
    assert {finding.value for finding in said(study, "session-contradicts")} == {"sub-T03"}  # the scores' days differ
    assert study.visits == ("ses-pre", "ses-day4", "ses-post")


def test_sessions_whose_scans_were_taken_in_another_order_are_named(folder: Path) -> None:
    for session, date in (("ses-pre", "2021-05-01T09:00:00"), ("ses-post", "2021-04-01T09:00:00")):
        name = f"pet/sub-T03_{session}_trc-K2_{SPACE}_pet.nii.gz"
        path = folder / "sub-T03" / session / f"sub-T03_{session}_scans.tsv"
        tsv(path, ("filename", "acq_time"), (name, date))
    assert only(read_study(folder), "sessions-swapped").value == "sub-T03"


def test_dates_of_a_session_that_is_not_there_are_no_defect(folder: Path) -> None:
    rows = (("filename", "acq_time"), ("pet/sub-T03_ses-lost_pet.nii.gz", "2021-05-01T09:00:00"), ("n/a", "n/a"))
    tsv(folder / "sub-T03" / "ses-pre" / "sub-T03_ses-pre_scans.tsv", *rows)
    assert read_study(folder).findings == ()


def test_an_arm_with_one_person_is_named(folder: Path) -> None:
    edit(folder / "participants.tsv", "sub-T04\tTRD\tketamine", "sub-T04\tTRD\tmidazolam")
    edit(folder / "participants.tsv", "sub-T02\tTRD\tketamine", "sub-T02\tTRD\tplacebo")
    found = only(read_study(folder), "arm-of-one")
    assert found.value == "sub-T04"
    assert "midazolam" in found.message


def test_healthy_people_all_from_another_site_are_named(folder: Path) -> None:
    rows = [line.split("\t") for line in (folder / "participants.tsv").read_text("utf-8").splitlines()]
    sites = ["site", *("trialA", "trialA", "trialB", "trialB"), *("centre",) * 3]
    tsv(folder / "participants.tsv", *([*row, site] for row, site in zip(rows, sites, strict=True)))
    found = only(read_study(folder), "site-confounded")
    assert "TRD: 2 trialA, 2 trialB; HC: 3 centre" in found.message
    shared = ["site", *("trialA", "trialA", "trialB", "trialB"), "trialA", "centre", "centre"]
    tsv(folder / "participants.tsv", *([*row, site] for row, site in zip(rows, shared, strict=True)))
    found = said(read_study(folder), "site-unbalanced")
    assert [(finding.value, finding.code) for finding in found] == [
        ("trialB", "site-unbalanced"),
        ("centre", "site-unbalanced"),
    ]
    assert "TRD: 2 trialA, 2 trialB; HC: 1 trialA, 2 centre" in found[0].message


def test_sites_that_have_everybody_are_no_defect(folder: Path) -> None:
    rows = [line.split("\t") for line in (folder / "participants.tsv").read_text("utf-8").splitlines()]
    sites = ["site", *("a", "a", "b", "b"), *("a", "b", "b")]
    tsv(folder / "participants.tsv", *([*row, site] for row, site in zip(rows, sites, strict=True)))
    assert read_study(folder).findings == ()


def test_a_folder_with_a_table_of_people_and_nothing_else_is_a_study(tmp_path: Path) -> None:
    tsv(tmp_path / "participants.tsv", ("participant_id",), ("sub-1",), ("sub-2",))
    study = read_study(tmp_path)
    assert [finding.code for finding in study.findings] == ["participant-without-scans"] * 2
    assert study.scans == ()


def test_a_covariate_that_is_the_same_for_everybody_is_named(folder: Path) -> None:
    text = (folder / "participants.tsv").read_text("utf-8")
    (folder / "participants.tsv").write_text(text.replace("\tM\n", "\tF\n"), "utf-8")
    assert only(read_study(folder), "covariate-constant").value == "sex"


def test_missing_values_are_named_but_not_those_of_a_whole_group(folder: Path) -> None:
    edit(folder / "participants.tsv", "sub-T02\tTRD\tketamine\t32", "sub-T02\tTRD\tn/a\tn/a")
    study = read_study(folder)
    assert {finding.message for finding in said(study, "value-missing")} == {
        "arm is missing for sub-T02.",
        "age is missing for sub-T02.",
    }
    assert [finding.code for finding in study.findings if finding.code != "value-missing"] == ["arm-of-one"]


def test_scans_on_another_grid_are_named(folder: Path) -> None:
    moved = AFFINE.copy()
    moved[0, 3] += 2
    pet(folder, "sub-T02", "ses-pre", affine=moved)
    pet(folder, "sub-T03", "ses-pre", shape=(6, 6, 4))
    found = only(read_study(folder), "grids-differ")
    assert found.value == 2
    assert "sub-T02 ses-pre, sub-T03 ses-pre" in found.message


def test_scans_in_another_template_are_named(folder: Path) -> None:
    for ending in (".nii.gz", ".json"):
        path = scan_of(folder, "sub-T02", "ses-pre").with_name(
            scan_of(folder, "sub-T02", "ses-pre").name.replace(".nii.gz", ending)
        )
        path.rename(path.with_name(path.name.replace(SPACE, "space-MNI305")))
    found = only(read_study(folder), "templates-differ")
    assert "sub-T02 (MNI305)" in found.message


def test_an_image_stored_the_other_way_round_among_others_is_named(folder: Path) -> None:
    mirrored = AFFINE.copy()
    mirrored[0] = [4, 0, 0, -8]
    pet(folder, "sub-T02", "ses-pre", affine=mirrored)
    study = read_study(folder)
    (found,) = said(study, "side-flipped")
    assert found.value == "sub-T02"
    assert "left and right" in found.message


def test_a_sidecar_without_times_is_named(folder: Path) -> None:
    pet(folder, "sub-T02", "ses-pre", sidecar={"Units": "kBq/mL", "TracerName": "K-2"})
    study = read_study(folder)
    assert [finding.code for finding in study.findings] == ["frame-times-missing", "injection-missing"]
    assert {finding.value for finding in study.findings} == {"sub-T02"}


def test_pet_in_other_units_or_of_another_tracer_is_named(folder: Path) -> None:
    pet(folder, "sub-T02", "ses-pre", sidecar={**PET, "Units": "Bq/mL", "TracerName": "FDG"})
    study = read_study(folder)
    assert [finding.code for finding in study.findings] == ["units-differ", "tracers-differ"]
    assert all("sub-T02" in finding.message for finding in study.findings)


def test_confounds_of_another_length_than_their_run_are_named(tmp_path: Path) -> None:
    folder = bold_study(tmp_path / "study")
    table = next(folder.glob("sub-K2/ses-day3/func/*timeseries.tsv"))
    append(table, 0.1, 0.1)
    found = only(read_study(folder), "confounds-length")
    assert (found.value, found.where) == ("sub-K2", str(table))
    assert "6 volumes but 7 rows" in found.message


def test_a_run_without_confounds_and_a_mask_on_another_grid_are_named(tmp_path: Path) -> None:
    folder = bold_study(tmp_path / "study")
    next(folder.glob("sub-K2/ses-day3/func/*timeseries.tsv")).unlink()
    image(next(folder.glob("sub-K1/ses-day3/func/*mask.nii.gz")), shape=(7, 6, 4))
    study = read_study(folder)
    assert [(finding.code, "sub-K" in finding.message) for finding in study.findings] == [
        ("confounds-missing", True),
        ("mask-grid", True),
    ]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def no_image(path: Path) -> None:
    path.write_text("<html>404</html>", "utf-8")


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [cut, no_image, emptied])
def test_an_image_that_is_cut_short_or_none_is_named_and_left_out(folder: Path, spoil: Callable[[Path], None]) -> None:
    spoil(scan_of(folder, "sub-T02", "ses-pre"))
    study = read_study(folder)
    (found,) = said(study, "image-unreadable")
    assert (found.value, found.where) == ("sub-T02", str(scan_of(folder, "sub-T02", "ses-pre")))
    assert [scan.session for scan in study.scans_of(participant="sub-T02")] == ["ses-post"]


def test_a_sidecar_that_is_no_json_is_named_and_its_image_kept(folder: Path) -> None:
    sidecar = scan_of(folder, "sub-T02", "ses-pre").with_suffix("").with_suffix(".json")
    sidecar.write_text("{", "utf-8")
    study = read_study(folder)
    assert [Path(finding.where) for finding in said(study, "sidecar")] == [sidecar]
    assert len(study.scans) == 11


def test_links_out_of_the_study_are_named_and_not_followed(folder: Path, tmp_path: Path) -> None:
    elsewhere = pet_study(tmp_path / "elsewhere", 1, 0)
    (folder / "sub-Z1").symlink_to(elsewhere / "sub-T01")
    target = scan_of(folder, "sub-T02", "ses-post")
    target.unlink()
    target.symlink_to(scan_of(elsewhere, "sub-T01", "ses-post"))
    scan_of(folder, "sub-T03", "ses-post").unlink()
    scan_of(folder, "sub-T03", "ses-post").symlink_to(folder / "nowhere.nii.gz")
    study = read_study(folder)
    assert {Path(finding.where).name for finding in said(study, "link-outside")} == {"sub-Z1", target.name}
    assert [Path(finding.where) for finding in said(study, "link-broken")] == [scan_of(folder, "sub-T03", "ses-post")]
    assert "sub-Z1" not in set(study.participants.participant_id)
    assert len(study.scans) == 9


def test_links_within_the_study_are_followed(folder: Path) -> None:
    target = scan_of(folder, "sub-T02", "ses-post")
    target.rename(folder / "store")
    target.symlink_to(folder / "store")
    assert read_study(folder).findings == ()


def test_a_file_in_another_persons_folder_is_named_and_left_out(folder: Path) -> None:
    image(scan_of(folder, "sub-T02", "ses-post").with_name(scan_of(folder, "sub-T03", "ses-post").name))
    study = read_study(folder)
    assert only(study, "name-place")
    assert len(study.scans) == 11


def test_a_score_of_nobody_in_the_study_is_named(folder: Path) -> None:
    append(folder / "phenotype" / "madrs.tsv", "sub-Q1", "ses-pre", 0, 20)
    assert only(read_study(folder), "score-of-nobody").value == "sub-Q1"


def test_tables_with_bad_rows_lose_those_rows_only(folder: Path) -> None:
    append(folder / "participants.tsv", "sub-T09", "TRD")
    append(folder / "participants.tsv", "n/a", "TRD", "ketamine", 40, "F")
    edit(folder / "participants.tsv", "sub-T01\tTRD", "T01\tTRD")
    study = read_study(folder)
    assert [finding.code for finding in study.findings] == ["row-length", "row-nameless"]
    assert len(study.participants) == 7


def test_a_table_that_cannot_be_read_leaves_the_rest(folder: Path) -> None:
    (folder / "phenotype" / "madrs.tsv").write_bytes(b"\0\1\2")
    (folder / "sub-T01" / "sub-T01_sessions.tsv").write_text("", "utf-8")
    study = read_study(folder)
    assert [finding.code for finding in study.findings] == ["table-unreadable"] * 2
    assert len(study.scans) == 11


def test_a_folder_without_a_table_of_people_has_those_of_its_folders(folder: Path) -> None:
    (folder / "participants.tsv").unlink()
    study = read_study(folder)
    assert "participants-missing" in {finding.code for finding in study.findings}
    assert len(study.participants) == 7


def test_letters_of_an_old_encoding_are_read_and_said(folder: Path) -> None:
    path = folder / "participants.tsv"
    path.write_bytes(path.read_bytes().replace(b"placebo", b"plac\xe9bo"))
    study = read_study(folder)
    assert only(study, "encoding").value == 2
    assert study.participants.arm[0] == "placébo"


def test_a_condition_that_contradicts_the_sequence_of_a_crossover_is_named(tmp_path: Path) -> None:
    people = [("participant_id", "sequence"), ("sub-N1", "NP"), ("sub-N2", "PN"), ("sub-N3", "PN")]
    tsv(tmp_path / "participants.tsv", *people)
    for person in ("sub-N1", "sub-N2", "sub-N3"):
        first, second = ("naltrexone", "placebo") if person != "sub-N2" else ("placebo", "naltrexone")
        rows = (("ses-1", 1, first), ("ses-2", 2, second))
        sessions(tmp_path, person, *rows, columns=("period", "condition"))
        for session in ("ses-1", "ses-2"):
            image(tmp_path / person / session / "mrs" / f"{person}_{session}_svs.nii.gz", shape=(1, 1, 1), frames=4)
    found = said(read_study(tmp_path), "sequence-contradicts")
    assert [finding.value for finding in found] == ["sub-N3", "sub-N3"]


def test_every_finding_says_where_and_who_in_words_and_json(folder: Path) -> None:
    append(folder / "participants.tsv", "sub-T99", "TRD", "ketamine", "old", "F")
    study = read_study(folder)
    assert {finding.code for finding in study.findings} == {
        "not-a-number",
        "participant-without-scans",
        "value-missing",
    }
    for finding in study.findings:
        assert "sub-T99" in finding.message
        assert finding.where.endswith("participants.tsv")
        json.dumps(finding.value)


def test_all_codes_are_listed_in_the_documents() -> None:
    text = (ROOT / "docs" / "formats.md").read_text("utf-8")
    for code in CODES:
        assert f"| `{code}` |" in text, code


CODES = (
    *("arm-of-one", "column-missing", "column-name", "confounds-length", "confounds-missing", "covariate-constant"),
    *("encoding", "folder-unreadable", "frame-times-missing", "grids-differ", "image-doubled", "image-unreadable"),
    *("injection-missing", "kept-unreadable", "link-broken", "link-outside", "mask-grid", "name-place"),
    *("not-a-number", "participant-not-listed", "participant-without-scans", "participants-missing"),
    *("repetition-time-missing", "row-contradicts", "row-doubled", "row-length", "row-nameless", "score-missing"),
    *("score-not-number", "score-of-nobody", "score-range", "sequence-contradicts", "session-contradicts"),
    *("session-doubled", "session-missing", "sessions-swapped", "side-flipped", "sidecar", "site-confounded"),
    "site-unbalanced",
    *("spectra-missing", "table-unreadable", "templates-differ", "tracers-differ", "units-differ", "value-missing"),
)
