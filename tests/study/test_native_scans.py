"""Scans in a person's own space beside the normalised ones: which, and where their voxels lie in the template."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from habena.app.compute import answer_to
from habena.app.problems import Problem
from habena.app.recipes import NativeMap
from habena.app.results import Results
from habena.app.saved import absolute, relative
from habena.app.state import Overlay, ViewState
from habena.app.study.native import native_scans
from habena.app.study.reading import read_study
from study_files import AFFINE, PET, image, pet, tsv, write_json

ANGLE = 0.3
TO_NATIVE = np.array(
    [
        [1.1 * np.cos(ANGLE), -1.1 * np.sin(ANGLE), 0, 4],
        [1.1 * np.sin(ANGLE), 1.1 * np.cos(ANGLE), 0, -7],
        [0, 0, 1.1, 2.5],
        [0, 0, 0, 1],
    ]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One person normalised twice, with the first scan in her own space too and a transform of ITK."""
    write_json(tmp_path / "dataset_description.json", Name="x", BIDSVersion="1.10.0")
    tsv(tmp_path / "participants.tsv", ("participant_id", "age"), ("sub-1", 30))
    for session in ("ses-a", "ses-b"):
        pet(tmp_path, "sub-1", session)
    place = tmp_path / "sub-1" / "ses-a" / "pet"
    image(place / "sub-1_ses-a_trc-K2_space-orig_pet.nii.gz", affine=TO_NATIVE @ AFFINE)
    write_json(place / "sub-1_ses-a_trc-K2_space-orig_pet.json", **PET)
    return tmp_path


def write_transform(folder: Path, content: str | None = None) -> Path:
    path = folder / "sub-1" / "ses-a" / "pet" / "sub-1_ses-a_from-orig_to-MNI152NLin2009cAsym_mode-image_xfm.txt"
    lps = np.diag([-1.0, -1.0, 1.0, 1.0])
    itk = lps @ TO_NATIVE @ lps
    numbers = " ".join(map(str, [*itk[:3, :3].ravel(), *itk[:3, 3]]))
    text = f"#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\nParameters: {numbers}\n"
    path.write_text(content or f"{text}FixedParameters: 0 0 0\n")
    return path


def found_in(folder: Path) -> tuple[NativeMap, ...]:
    study = read_study(folder)
    normalised = [scan for scan in study.scans if scan.space != "native"]
    return tuple(recipe for _, recipe in native_scans(study, "sub-1", normalised))


def test_a_scan_in_its_own_space_counts_only_with_a_transform(folder: Path) -> None:
    assert found_in(folder) == ()
    write_transform(folder)
    (recipe,) = found_in(folder)
    assert Path(recipe.path).name == "sub-1_ses-a_trc-K2_space-orig_pet.nii.gz"
    assert "space-MNI" in Path(recipe.template).name


def test_its_voxels_lie_where_the_affine_puts_them_and_are_not_resampled(folder: Path) -> None:
    write_transform(folder)
    (recipe,) = found_in(folder)
    answer = answer_to(recipe, Results(1 << 30))
    np.testing.assert_allclose(answer.image.grid.affine, AFFINE, atol=1e-5)
    np.testing.assert_array_equal(answer.image.frame(0).ravel(), np.arange(120))
    assert answer.image.series((1, 2, 3)) == answer.image.frame(0)[1, 2, 3]
    assert answer.space == "MNI152NLin2009cAsym"
    assert answer.simulated
    assert answer.notes["through"] == "affine × 0.91"


def test_a_transform_that_is_no_affine_is_told(folder: Path) -> None:
    kind = "#Insight Transform File V1.0\nTransform: BSplineTransform_double_3_3\nParameters: 1\nFixedParameters: 1\n"
    write_transform(folder, kind)
    (recipe,) = found_in(folder)
    with pytest.raises(Problem, match="not affine"):
        answer_to(recipe, Results(1 << 30))


def test_a_saved_view_names_its_files_from_where_it_is() -> None:
    recipe = NativeMap("/a/b/scan.nii", "/a/b/xfm.txt", "/a/mni.nii")
    view = ViewState(overlays=(Overlay(1, recipe, "x"),))
    kept = relative(view, Path("/a/views"))
    assert kept.overlays[0].recipe == NativeMap("../b/scan.nii", "../b/xfm.txt", "../mni.nii")
    assert absolute(kept, Path("/a/views")) == view
