"""Plain tables with columns for files, read as studies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from habena.app.problems import Problem
from habena.app.study.reading import read_study
from study_files import SPACE, image, tsv


def test_a_row_per_scan_becomes_people_sessions_scores_and_maps(tmp_path: Path) -> None:
    rows = [("subject", "visit", "day", "group", "madrs_total", "map")]
    for person in ("01", "02"):
        for session, day, score in (("pre", 0, 30), ("post", 14, 12)):
            path = image(tmp_path / "maps" / f"{person}_{session}_{SPACE}_suvr.nii.gz")
            rows.append((person, session, day, "TRD", score, path.relative_to(tmp_path).as_posix()))
    study = read_study(tsv(tmp_path / "scans.tsv", *rows))
    assert [finding.code for finding in study.findings] == ["covariate-constant"]
    assert (study.name, study.folder) == ("scans", tmp_path / "scans.tsv")
    assert study.participants.to_dict("list") == {"participant_id": ["sub-01", "sub-02"], "group": ["TRD", "TRD"]}
    assert list(study.sessions.columns) == ["participant_id", "session_id", "day", "madrs_total"]
    assert study.visits == ("ses-pre", "ses-post")
    assert list(study.scores["madrs"].madrs_total) == [30, 12, 30, 12]
    assert [(s.participant, s.session, s.kind, s.column, s.space) for s in study.scans[:2]] == [
        ("sub-01", "ses-pre", "map", "map", "MNI152NLin2009aSym"),
        ("sub-01", "ses-post", "map", "map", "MNI152NLin2009aSym"),
    ]
    assert study.scans[0].shape == (5, 6, 4)


def test_a_row_per_person_may_have_several_columns_of_files(tmp_path: Path) -> None:
    for name in ("a_pre", "a_post", "b_pre"):
        image(tmp_path / f"{name}.nii.gz")
    rows = [
        ("participant_id", "age", "pre", "post"),
        ("sub-a", 30, "a_pre.nii.gz", "a_post.nii.gz"),
        ("sub-b", "old", "b_pre.nii.gz", "b_post.nii.gz"),
        ("sub-c", 31, "n/a", "n/a"),
    ]
    study = read_study(tsv(tmp_path / "people.csv", *rows))
    assert [(scan.participant, scan.column) for scan in study.scans] == [
        ("sub-a", "pre"),
        ("sub-b", "pre"),
        ("sub-a", "post"),
    ]
    found = {finding.code: finding for finding in study.findings}
    assert found["image-unreadable"].value == "sub-b"
    assert "b_post.nii.gz" in found["image-unreadable"].where
    assert found["participant-without-scans"].value == "sub-c"
    assert found["not-a-number"].value == "sub-b"
    assert np.isnan(study.participants.age[1])
    assert list(study.participants.columns) == ["participant_id", "age"]


def test_rows_of_a_table_without_people_are_people(tmp_path: Path) -> None:
    image(tmp_path / "a.nii.gz")
    study = read_study(tsv(tmp_path / "t.tsv", ("score", "map"), (1, "a.nii.gz"), (2, "a.nii.gz")))
    assert list(study.participants.participant_id) == ["sub-row1", "sub-row2"]
    assert [finding.code for finding in study.findings] == ["column-missing"]


def test_a_table_without_rows_or_of_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="has no rows"):
        read_study(tsv(tmp_path / "t.tsv", ("participant_id", "map")))
    (tmp_path / "b.tsv").write_bytes(b"\x00\x01")
    with pytest.raises(Problem, match="is not text"):
        read_study(tmp_path / "b.tsv")


def test_radioactivity_in_a_plain_table_is_said_to_be_undivided(tmp_path: Path) -> None:
    rows = [("participant_id", "group", "map")]
    for person, units in (("a", "kBq/mL"), ("b", "kBq/mL"), ("c", "unitless")):
        image(tmp_path / f"{person}_pet.nii.gz")
        (tmp_path / f"{person}_pet.json").write_text(f'{{"Units": "{units}"}}', encoding="utf-8")
        rows.append((f"sub-{person}", "TRD", f"{person}_pet.nii.gz"))
    study = read_study(tsv(tmp_path / "people.tsv", *rows))
    (said,) = [each for each in study.findings if each.code == "activity-undivided"]
    assert said.message.startswith("2 of 3 maps are radioactivity")
