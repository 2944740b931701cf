"""What `habena info` tells, as JSON and as text."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest
from habena.app.io.info import describe, file_findings, file_info
from habena.app.problems import Problem
from nifti_files import NIBABEL_DATA, OBLIQUE, image_file, numbers

KEYS = [
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


def as_json(path) -> dict:
    return json.loads(msgspec.json.encode(file_info(path)))


def test_the_document_has_exactly_the_keys_of_the_contract(tmp_path):
    path = image_file(tmp_path / "a_bold.nii.gz", numbers((3, 4, 5, 6)))
    entry = as_json(path)
    assert list(entry) == KEYS
    np.testing.assert_allclose(entry.pop("affine"), OBLIQUE, atol=1e-5)
    np.testing.assert_allclose(entry.pop("zooms_mm"), [2.5, 2.0, 3.25], rtol=1e-6)
    assert entry.pop("determinant") == pytest.approx(-2.5 * 2 * 3.25, rel=1e-5)
    assert entry.pop("disagreement_mm") < 1e-3
    assert entry.pop("disagreement_deg") < 1e-3
    assert entry == {
        "path": str(path),
        "format": "NIfTI-1",
        "shape": [3, 4, 5, 6],
        "dtype": "int16",
        "tr_s": 2.0,
        "axcodes": "LAS",
        "sform_code": 1,
        "qform_code": 1,
        "affine_source": "sform",
        "space": None,
        "frames": 6,
        "warnings": [],
    }


def test_what_a_format_does_not_have_is_null():
    entry = as_json(NIBABEL_DATA / "scaled+tlrc.HEAD")
    assert (entry["sform_code"], entry["qform_code"], entry["disagreement_mm"]) == (None, None, None)
    assert (entry["affine_source"], entry["space"], entry["tr_s"], entry["frames"]) == ("format", "Talairach", None, 1)


def test_warnings_are_findings(tmp_path):
    path = image_file(tmp_path / "a.nii", numbers((3, 4, 5)), xyzt_units=0, sform_code=0, qform_code=0)
    warnings = as_json(path)["warnings"]
    assert [each["code"] for each in warnings] == ["no-orientation", "units-missing"]
    assert set(warnings[0]) == {"code", "where", "value", "message"}
    assert len(file_findings([file_info(path), file_info(path)])) == 4


def test_people_get_sentences(tmp_path):
    path = image_file(tmp_path / "a_space-MNI152NLin6Asym_bold.nii.gz", numbers((3, 4, 5, 6)), sform_code=4)
    lines = describe(file_info(path)).splitlines()
    assert lines[0] == str(path)
    said = {line[2:15].strip(): line[15:] for line in lines[1:]}
    assert said["format"] == "NIfTI-1, int16"
    assert said["size"] == "3 x 4 x 5 voxels of 2.5 x 2 x 3.25 mm, 6 frames, repetition time 2 s"
    assert said["orientation"].startswith("LAS: the voxel axes run towards left, front and top (left-handed")
    assert said["place"].startswith("by its sform (code 4, MNI152); its qform (code 1, scanner)")
    assert said["space"] == "MNI152NLin6Asym"
    assert max(map(len, lines[1:])) <= 112


def test_unknown_places_are_explained(tmp_path):
    path = image_file(tmp_path / "a.nii", numbers((3, 4, 5)), sform_code=0, qform_code=0)
    text = describe(file_info(path))
    assert "not stated by the file" in text
    assert "no region names are shown" in text
    assert "left and right may be swapped" in " ".join(text.split())
    only_qform = image_file(tmp_path / "b.nii", numbers((3, 4, 5)), sform_code=0)
    assert "by its qform (code 1, scanner); no sform is set" in describe(file_info(only_qform))
    assert "by the affine that AFNI files have" in describe(file_info(NIBABEL_DATA / "scaled+tlrc.HEAD"))


def test_what_has_no_place_is_refused(tmp_path):
    (tmp_path / "a.tsv").write_text("a\tb\n")
    with pytest.raises(Problem, match="table"):
        file_info(tmp_path / "a.tsv")
