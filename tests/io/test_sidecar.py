"""The JSON file beside an image."""

from __future__ import annotations

import json

import pytest
from habena.app.io.sidecar import number, numbers, read_sidecar, space_of, text
from habena.app.problems import Problem


def test_the_file_with_the_images_stem_is_read(tmp_path):
    (tmp_path / "a_bold.json").write_text(json.dumps({"RepetitionTime": 2, "Units": "arbitrary"}))
    for name in ("a_bold.nii", "a_bold.nii.gz"):
        sidecar = read_sidecar(tmp_path / name)
        assert number(sidecar, "RepetitionTime") == 2
        assert text(sidecar, "Units") == "arbitrary"
    assert read_sidecar(tmp_path / "b_bold.nii") == {}


def test_a_byte_order_mark_and_nan_are_no_trouble(tmp_path):
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"EchoTime": NaN, "RepetitionTime": 1.5}')
    sidecar = read_sidecar(tmp_path / "a.nii")
    assert (number(sidecar, "EchoTime"), number(sidecar, "RepetitionTime")) == (None, 1.5)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"RepetitionTime": 2', "not valid JSON .line 1"),
        (b"[1, 2]", "no JSON object"),
        (b"\xff\xfe{", "not UTF-8"),
        (b"[" * 100_000, "nested"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b" " * (16 * 2**20 + 1), "too large"),
    ],
)
def test_what_is_no_sidecar_is_refused(tmp_path, content, words):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(Problem, match=words) as refusal:
        read_sidecar(tmp_path / "a.nii")
    assert refusal.value.where.endswith("a.json")


def test_values_of_another_type_count_as_absent():
    sidecar = {"a": "2", "b": True, "c": [1, "x"], "d": [1, 2.5], "e": 10**400, "f": 3}
    assert [number(sidecar, key) for key in "abe"] == [None, None, None]
    assert [numbers(sidecar, key) for key in "acdf"] == [(), (), (1.0, 2.5), (3.0,)]
    assert numbers(sidecar, "absent") == ()
    assert text(sidecar, "f") is None


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("MNI152NLin6Asym", "MNI152NLin6Asym"),
        ({"VolumeReference": "MNI152Lin", "LeftHemisphere": "fsLR"}, "MNI152Lin"),
        ("orig", None),
        ("sub-1_T1w.nii.gz", None),
        ("https://example.org/template", None),
        (3, None),
        ("", None),
    ],
)
def test_the_spatial_reference_names_a_template_only(reference, expected):
    assert space_of({"SpatialReference": reference}) == expected
