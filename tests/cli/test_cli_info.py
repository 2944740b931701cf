"""`habena info`: every field of the contract, for every kind of file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from command_line import AFFINE, SHAPE, blob, document, done, habena, write_image

FIELDS = [
    "path",
    "format",
    "shape",
    "dtype",
    "zooms_mm",
    "tr_s",
    "affine",
    "axcodes",
    "determinant",
    "sform_code",
    "qform_code",
    "affine_source",
    "disagreement_mm",
    "disagreement_deg",
    "space",
    "frames",
    "warnings",
]


def codes(found: dict) -> list[str]:
    return [finding["code"] for finding in found["warnings"]]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    series = np.random.default_rng(0).integers(0, 9, (*SHAPE, 5)).astype(np.int16)
    return write_image(tmp_path / "sub-01_space-MNI152NLin6Asym_bold.nii.gz", series, tr_s=1.5)


def test_every_field_of_a_run_is_told(run: Path) -> None:
    (entry,) = document("info", run)["files"]
    assert list(entry) == FIELDS
    np.testing.assert_allclose(entry.pop("affine"), AFFINE)
    assert entry == {
        "path": str(run),
        "format": "NIfTI-1",
        "shape": [26, 24, 16, 5],
        "dtype": "int16",
        "zooms_mm": [4.0, 5.0, 6.0],
        "tr_s": 1.5,
        "axcodes": "LAS",
        "determinant": pytest.approx(-120),
        "sform_code": 4,
        "qform_code": 0,
        "affine_source": "sform",
        "disagreement_mm": None,
        "disagreement_deg": None,
        "space": "MNI152NLin6Asym",
        "frames": 5,
        "warnings": [],
    }


def test_the_text_says_where_the_voxel_axes_run(run: Path) -> None:
    said = done("info", run).out
    assert said.startswith(f"{run}\n")
    assert "26 x 24 x 16 voxels of 4 x 5 x 6 mm, 5 frames, repetition time 1.5 s" in said
    assert "LAS: the voxel axes run towards left, front and top (left-handed, determinant -120 mm³)" in said
    assert "sform (code 4, MNI152); no qform is set" in said


def test_sform_and_qform_that_differ_are_told_with_how_far(tmp_path: Path) -> None:
    image = nib.Nifti1Image(blob((0, 0, 0), 20), AFFINE)
    image.set_sform(AFFINE, 2)
    moved = AFFINE.copy()
    moved[0, 3] += 7
    image.set_qform(moved, 1)
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, tmp_path / "two.nii")
    found = document("info", tmp_path / "two.nii")
    (entry,) = found["files"]
    assert (entry["affine_source"], entry["sform_code"], entry["qform_code"]) == ("sform", 2, 1)
    assert entry["disagreement_mm"] == pytest.approx(7, abs=1e-3)
    assert entry["disagreement_deg"] == pytest.approx(0, abs=1e-3)
    np.testing.assert_allclose(entry["affine"], AFFINE)
    assert codes(found) == codes(entry) == ["sform-qform"]
    assert found["warnings"][0]["value"] == pytest.approx(7, abs=1e-3)
    assert "7 mm" in done("info", tmp_path / "two.nii").out


def test_an_image_without_any_orientation_is_told(tmp_path: Path) -> None:
    write_image(tmp_path / "nowhere.nii", blob((0, 0, 0), 20), code=0)
    found = document("info", tmp_path / "nowhere.nii")
    (entry,) = found["files"]
    assert (entry["sform_code"], entry["qform_code"], entry["affine_source"]) == (0, 0, "fallback")
    assert "no-orientation" in codes(found)


def test_a_repetition_time_that_contradicts_its_sidecar_is_told(run: Path) -> None:
    run.with_name("sub-01_space-MNI152NLin6Asym_bold.json").write_text(json.dumps({"RepetitionTime": 2.0}))
    found = document("info", run)
    (finding,) = found["warnings"]
    assert (finding["code"], finding["where"]) == ("tr-sidecar", str(run))
    assert "1.5" in finding["message"]
    assert "2" in finding["message"]


def test_gifti_files_have_vertices_and_no_place(tmp_path: Path) -> None:
    values = nib.gifti.GiftiDataArray(np.arange(6, dtype=np.float32), intent="NIFTI_INTENT_SHAPE")
    nib.save(nib.GiftiImage(darrays=[values, values]), tmp_path / "lh.thickness.shape.gii")
    (entry,) = document("info", tmp_path / "lh.thickness.shape.gii")["files"]
    assert list(entry) == FIELDS
    assert (entry["format"], entry["dtype"], entry["frames"]) == (
        "GIFTI (values on 6 vertices of the left hemisphere)",
        "float32",
        2,
    )
    assert entry["affine"] is entry["axcodes"] is entry["zooms_mm"] is None


def test_cifti_files_are_told(shared_data: Callable[[str], Path]) -> None:
    path = shared_data("cifti/Conte69.MyelinAndCorrThickness.32k_fs_LR.dtseries.nii")
    (entry,) = document("info", path)["files"]
    assert list(entry) == FIELDS
    assert entry["format"].startswith("CIFTI")
    assert entry["frames"] == 2
    assert "frames" in done("info", path).out


def test_several_files_are_told_in_the_order_asked(run: Path, tmp_path: Path) -> None:
    other = write_image(tmp_path / "a_unplaced.nii.gz", blob((0, 0, 0), 20), code=0)
    found = document("info", run, other, run)
    assert [entry["path"] for entry in found["files"]] == [str(run), str(other), str(run)]
    assert codes(found) == codes(found["files"][1])
    assert done("info", run, other).out.count("\n\n") == 1


def test_one_bad_file_among_several_refuses_the_call_and_prints_nothing(run: Path) -> None:
    outcome = habena("info", run, run.with_name("absent.nii"), "--json")
    assert (outcome.status, outcome.out) == (2, "")
    assert "absent.nii: does not exist" in outcome.err
