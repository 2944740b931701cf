"""`habena study`: what is in a folder of patients, in text and as JSON."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import document, done, refused

sys.path.append(str(Path(__file__).resolve().parents[1] / "study"))
from study_files import AFFINE, bold_study, image, pet_study, sessions, tsv


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pet_study(tmp_path_factory.mktemp("studies") / "ampar-pet")


def test_json_counts_people_sessions_scans_and_scores(folder: Path) -> None:
    found = document("study", folder)
    assert list(found) == [
        *("name", "folder", "simulated", "participants", "groups", "sessions", "scans", "scores"),
        *("questions", "warnings"),
    ]
    assert (found["name"], found["simulated"], found["participants"]) == ("Simulated: small", True, 7)
    assert found["folder"] == str(folder)
    assert found["groups"] == {
        "group": {"TRD": 4, "HC": 3},
        "arm": {"placebo": 2, "ketamine": 2},
        "sex": {"M": 4, "F": 3},
    }
    assert found["sessions"] == {
        "ses-pre": {"participants": 7, "scans": {"pet": 7}},
        "ses-day4": {"participants": 4, "scans": {}},
        "ses-post": {"participants": 4, "scans": {"pet": 4}},
    }
    assert found["scans"] == {
        "pet": {
            "n": 11,
            "participants": 7,
            "spaces": {"MNI152NLin2009aSym": 11},
            "grids": [{"shape": [5, 6, 4], "zooms_mm": [4, 4, 4], "n": 11}],
        }
    }
    assert found["warnings"] == []


def test_scores_have_n_mean_and_sd_by_session_and_arm(folder: Path) -> None:
    score = document("study", folder)["scores"]["madrs_total"]
    assert (score["instrument"], score["n"]) == ("madrs", 12)
    first = {"session": "ses-pre", "group": "TRD", "arm": "placebo", "n": 2, "mean": 32.0, "sd": pytest.approx(2**0.5)}
    assert score["by"][0] == first
    assert [(row["session"], row["arm"]) for row in score["by"]] == [
        (session, arm) for session in ("ses-pre", "ses-day4", "ses-post") for arm in ("placebo", "ketamine")
    ]


def test_questions_say_whether_they_can_be_asked_and_why_not(folder: Path) -> None:
    questions = {each["kind"]: each for each in document("study", folder)["questions"]}
    assert set(questions) == {
        *("severity", "group", "change", "overlap", "prediction", "graph", "crossover", "formula"),
    }
    assert questions["graph"]["possible"] is False
    assert questions["graph"]["why"]
    assert all(each["possible"] or each["why"] for each in questions.values())


def test_text_says_the_same_and_that_it_is_simulated(folder: Path) -> None:
    out = done("study", folder).out
    assert out.splitlines()[0] == "Simulated: small (simulated: nobody was scanned)"
    for part in ("TRD 4, HC 3", "5 x 6 x 4 voxels of 4 x 4 x 4 mm: 11", "mean 32 (SD 1.41)", "ses-day4"):
        assert part in out


def test_findings_are_on_stderr_in_text_and_warnings_in_json(tmp_path: Path) -> None:
    folder = bold_study(tmp_path / "runs", 2)
    tsv(folder / "participants.tsv", ("participant_id",), ("sub-K1",), ("sub-K2",), ("sub-K3",))
    outcome = done("study", folder)
    assert outcome.err == "habena: participants.tsv: sub-K3 has no scans.\n"
    assert [finding["code"] for finding in document("study", folder)["warnings"]] == ["participant-without-scans"]


def test_a_folder_that_is_no_study_is_refused_in_one_sentence(tmp_path: Path) -> None:
    assert "has no folders of people" in refused("study", tmp_path)
    assert "does not exist" in refused("study", tmp_path / "nowhere")
    assert "study" in refused("study")


def test_scores_of_a_crossover_are_told_by_condition_and_boxes_of_spectra_by_size(tmp_path: Path) -> None:
    scores = [("participant_id", "session_id", "time", "madrs_total")]
    tsv(tmp_path / "participants.tsv", ("participant_id", "sequence"), ("sub-N1", "NP"), ("sub-N2", "PN"))
    for number, conditions in ((1, ("naltrexone", "placebo")), (2, ("placebo", "naltrexone"))):
        person = f"sub-N{number}"
        rows = [(f"ses-{n}", n, condition) for n, condition in enumerate(conditions, start=1)]
        sessions(tmp_path, person, *rows, columns=("period", "condition"))
        for session in ("ses-1", "ses-2"):
            place = AFFINE + np.array([[0, 0, 0, number], [0] * 4, [0] * 4, [0] * 4])
            stem = tmp_path / person / session / "mrs" / f"{person}_{session}_voi-acc_svs.nii.gz"
            image(stem, shape=(1, 1, 1), frames=4, affine=place)
            scores += [(person, session, time, 30 - number) for time in ("baseline", "day1")]
    tsv(tmp_path / "phenotype" / "madrs.tsv", *scores)
    found = document("study", tmp_path)
    by = found["scores"]["madrs_total"]["by"]
    assert {(row["session"], row["time"], row["condition"]) for row in by} == {
        (session, time, condition)
        for session in ("ses-1", "ses-2")
        for time in ("baseline", "day1")
        for condition in ("naltrexone", "placebo")
    }
    assert found["scans"]["mrs"]["grids"] == [{"shape": [1, 1, 1], "zooms_mm": [4, 4, 4], "n": 4}]
    assert found["groups"] == {"sequence": {"NP": 1, "PN": 1}}
