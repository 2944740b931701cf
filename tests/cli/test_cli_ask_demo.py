"""Every question on the simulated studies: from folders to reports, by the command."""

from __future__ import annotations

import re
from pathlib import Path

import habena as api
import nibabel as nib
import numpy as np
import pytest
from command_line import document, refused

pytestmark = pytest.mark.slow
PEOPLE = re.compile(rb"sub-[THKN]\d\d")
QUESTIONS = {
    "severity": "ampar_pet",
    "group": "ampar_pet",
    "change": "ampar_pet",
    "overlap": "ampar_pet",
    "prediction": "ampar_pet",
    "suvr ~ group + age": "ampar_pet",
    "graph": "ketamine_bold",
    "crossover": "naltrexone_mrs",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The small studies."""
    made = api.make_demo(tmp_path_factory.mktemp("demo"))
    return {name: Path(getattr(made, name)) for name in set(QUESTIONS.values())}


def stamps(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered_written_and_names_nobody(question: str, demo: dict[str, Path], tmp_path: Path) -> None:
    study = demo[QUESTIONS[question]]
    before = stamps(study)
    found = document("ask", study, question, "-o", tmp_path / "out")
    assert found["question"] == question
    assert found["simulated"] is True
    assert sum(found["n"].values()) > 0
    assert found["regions"]
    assert all(len(row["ci"]) == 2 for row in found["regions"])
    if question not in {"graph", "crossover"}:
        named = {(row["region"], row["side"]) for row in found["regions"]}
        assert {("habenula", "L"), ("thalamus", "R"), ("angular gyrus", "L")} <= named
    for path in (tmp_path / "out").iterdir():
        assert not PEOPLE.search(path.read_bytes()), path.name
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "imulated" in page[: page.index("</title>")]
    assert stamps(study) == before


def test_maps_lie_on_the_grid_of_the_scans(demo: dict[str, Path]) -> None:
    found = api.ask(demo["ampar_pet"], "change", measure="pet")
    scan = nib.load(next(demo["ampar_pet"].rglob("*_pet.nii.gz")))
    image = found.maps["t"]
    assert image.shape == scan.shape[:3]
    np.testing.assert_allclose(image.affine, scan.affine)
    assert "larger is better" in found.answered.plan.title


def test_what_a_study_cannot_answer_it_says(demo: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert "choose from madrs_total" in refused("ask", demo["ampar_pet"], "change", "--score", "hamd", "-o", out)
    assert "no spectra" in refused("ask", demo["ampar_pet"], "crossover", "-o", out)
    assert "healthy" in refused("ask", demo["ketamine_bold"], "group", "-o", out)
    assert "no arm ketamin" in refused("ask", demo["ampar_pet"], "change", "--arm", "ketamin", "-o", out)
    assert not out.exists()
