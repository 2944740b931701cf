"""Maps on disk: place, values, record, and never half a file."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.io.volumes import open_volume
from habena.app.io.write import Record, plain_json, sha256, software, write_map
from habena.app.problems import Cancelled, Finding, Problem
from nifti_files import NIBABEL_DATA, OBLIQUE, header_field, image_file, numbers

SHAPE = (5, 6, 7)
MAP = np.linspace(-1, 1, 5 * 6 * 7, dtype=np.float64).reshape(SHAPE)
RECORD = Record({"seed_mm": (1.5, -2.0, 3.0), "fwhm_mm": 6.0, "cut": float("nan")}, (), "Pearson r")


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return image_file(folder / "run.nii.gz", numbers((*SHAPE, 4)))


@pytest.mark.parametrize("name", ["map.nii", "map.nii.gz"])
def test_a_map_lies_where_its_input_lies_and_holds_its_values(tmp_path, source, name):
    like = open_volume(source).info
    values = MAP.copy()
    values[0, 0, 0] = np.nan
    write_map(tmp_path / name, values, like, RECORD)
    image = nib.load(tmp_path / name)
    assert image.get_data_dtype() == np.float32
    np.testing.assert_allclose(image.get_fdata(), values, rtol=1e-7)
    np.testing.assert_allclose(image.affine, OBLIQUE, atol=1e-5)
    assert image.header.get_xyzt_units()[0] == "mm"
    again = open_volume(tmp_path / name)
    assert again.grid == like.space.grid
    assert [finding.code for finding in again.info.findings] == []
    np.testing.assert_array_equal(again.frame(), values.astype(np.float32))


@pytest.mark.parametrize("codes", [(1, 1), (4, 1), (2, 0), (0, 3), (0, 0), (5, 5)])
def test_codes_and_both_forms_are_kept(tmp_path, source, codes):
    moved = OBLIQUE.copy()
    moved[0, 3] += 5
    image = nib.load(source)
    image.set_qform(moved, codes[1])
    image.set_sform(OBLIQUE, codes[0])
    nib.save(image, source)
    like = open_volume(source).info
    write_map(tmp_path / "map.nii", MAP, like, RECORD)
    header = nib.load(tmp_path / "map.nii").header
    assert (header["sform_code"], header["qform_code"]) == codes
    if codes[0]:
        np.testing.assert_allclose(header.get_sform(), OBLIQUE, atol=1e-5)
    if codes[1]:
        np.testing.assert_allclose(header.get_qform(), moved, atol=1e-4)
    again = open_volume(tmp_path / "map.nii").info.space
    assert again.grid == like.space.grid
    assert again.source == like.space.source


@pytest.mark.parametrize(
    ("name", "code"), [("scaled+tlrc.HEAD", 3), ("tinypet.v", 1), ("tiny.mnc", 1), ("phantom_varscale.PAR", 1)]
)
def test_maps_of_other_formats_lie_in_their_place(tmp_path, name, code):
    like = open_volume(NIBABEL_DATA / name).info
    write_map(tmp_path / "map.nii", np.ones(like.space.grid.shape), like, RECORD)
    again = open_volume(tmp_path / "map.nii").info.space
    assert again.grid == like.space.grid
    assert (again.sform_code, again.qform_code) == (code, 0)


def test_a_4d_result_carries_the_repetition_time(tmp_path, source):
    like = open_volume(source).info
    values = np.stack([MAP, 2 * MAP, 3 * MAP], axis=-1)
    write_map(tmp_path / "prepared.nii.gz", values, like, RECORD)
    again = open_volume(tmp_path / "prepared.nii.gz")
    assert (again.n_frames, again.info.tr_s) == (3, 2.0)
    np.testing.assert_allclose(again.frame(2), 3 * MAP, rtol=1e-6)
    assert json.loads((tmp_path / "prepared.json").read_text())["RepetitionTime"] == 2.0


def test_the_sidecar_holds_the_whole_record(tmp_path, source):
    like = open_volume(source).info
    finding = Finding("df", "run", 66.0, "Sixty-six effective degrees of freedom.")
    record = Record({**RECORD.parameters, "n": np.int64(3), "r": np.float32(0.5)}, (source,), "z", (finding,))
    write_map(tmp_path / "map.nii.gz", MAP, like, record)
    beside = json.loads((tmp_path / "map.json").read_text())
    assert beside["Units"] == "z"
    assert beside["parameters"] == {"seed_mm": [1.5, -2.0, 3.0], "fwhm_mm": 6.0, "cut": None, "n": 3, "r": 0.5}
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert beside["inputs"] == [{"name": "run.nii.gz", "bytes": source.stat().st_size, "sha256": digest}]
    assert beside["software"] == software()
    assert {"habena", "numpy", "python"} <= set(beside["software"])
    assert beside["warnings"][0]["code"] == "df"
    assert sha256(source) == digest


def test_an_input_of_several_maps_is_hashed_once_and_anew_when_it_changes(tmp_path, source, monkeypatch):
    hashed: list[str] = []

    def counted(file, name):
        hashed.append(file.name)
        return plain(file, name)

    plain = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", counted)
    for name in ("one.nii", "two.nii.gz"):
        write_map(tmp_path / name, MAP, open_volume(source).info, Record({}, (source,)))
    assert len(hashed) == 1
    first, stamp = sha256(source), source.stat()
    content = bytearray(source.read_bytes())
    content[-1] ^= 1
    source.write_bytes(content)
    os.utime(source, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 1))
    assert sha256(source) == hashlib.sha256(content).hexdigest() != first


def test_the_space_is_handed_on(tmp_path):
    source = image_file(tmp_path / "a_space-MNI152NLin6Asym_bold.nii", numbers(SHAPE))
    write_map(tmp_path / "map.nii", MAP, open_volume(source).info, RECORD)
    info = open_volume(tmp_path / "map.nii").info
    assert (info.space.template, info.unit) == ("MNI152NLin6Asym", "Pearson r")


def test_the_same_map_gives_the_same_bytes(tmp_path, source):
    like = open_volume(source).info
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_map(tmp_path / name / "map.nii.gz", MAP, like, RECORD)
    for name in ("map.nii.gz", "map.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_large_dimensions_make_it_nifti_2(tmp_path, source):
    like = open_volume(source).info
    grid = type(like.space.grid)((40000, 1, 1), OBLIQUE)
    like = replace(like, space=replace(like.space, grid=grid))
    write_map(tmp_path / "map.nii", np.ones((40000, 1, 1)), like, RECORD)
    assert open_volume(tmp_path / "map.nii").info.format == "NIfTI-2"


def refused(path: Path, like, record=RECORD) -> str:
    folder_before = sorted(path.parent.glob("*")) if path.parent.exists() else []
    with pytest.raises(Problem) as refusal:
        write_map(path, MAP, like, record)
    assert (sorted(path.parent.glob("*")) if path.parent.exists() else []) == folder_before
    return str(refusal.value)


def test_an_input_is_never_overwritten(tmp_path, source):
    like = open_volume(source).info
    record = Record({}, (source,))
    before = source.read_bytes()
    assert "is one of the inputs" in refused(source, like, record)
    (tmp_path / "link.nii.gz").symlink_to(source)
    assert "is one of the inputs" in refused(tmp_path / "link.nii.gz", like, record)
    table = source.with_name("other.json")
    table.write_text("{}")
    assert "is one of the inputs" in refused(source.with_name("other.nii"), like, Record({}, (table,)))
    assert source.read_bytes() == before


def test_bad_places_are_said(tmp_path, source, monkeypatch):
    like = open_volume(source).info
    assert "no name for a map" in refused(tmp_path / "map.img", like)
    assert "no name for a map" in refused(tmp_path / ".nii", like)
    assert "does not exist" in refused(tmp_path / "nowhere" / "map.nii", like)
    (tmp_path / "dir.nii").mkdir()
    assert "cannot be written" in refused(tmp_path / "dir.nii", like)


@pytest.mark.parametrize(
    ("number", "words"), [(13, "permission denied"), (28, "make room"), (30, "read-only file system")]
)
def test_what_the_system_refuses_is_said(tmp_path, source, monkeypatch, number, words):
    like = open_volume(source).info
    opened = Path.open

    def fail(self: Path, mode: str = "r", *args: object, **kwargs: object):
        if "x" in mode:
            raise OSError(number, os.strerror(number), str(self))
        return opened(self, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", fail)
    assert words in refused(tmp_path / "map.nii.gz", like)


def test_a_failing_or_cancelled_write_leaves_the_old_map_whole(tmp_path, source):
    like = open_volume(source).info
    write_map(tmp_path / "map.nii.gz", MAP, like, RECORD)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}

    def cancel(share: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        write_map(tmp_path / "map.nii.gz", 2 * MAP, like, Record({"other": 1}), cancel)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_a_map_on_another_grid_is_an_error_of_the_caller(tmp_path, source):
    with pytest.raises(ValueError, match="grid"):
        write_map(tmp_path / "map.nii", MAP[:-1], open_volume(source).info, RECORD)


def test_the_mode_of_a_new_file_is_the_users(tmp_path, source):
    write_map(tmp_path / "map.nii", MAP, open_volume(source).info, RECORD)
    (tmp_path / "plain").touch()
    assert (tmp_path / "map.nii").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_json_of_other_values_is_an_error_of_the_caller():
    assert json.loads(plain_json({"a": np.arange(3), "b": Path("x"), "c": np.nan})) == {
        "a": [0, 1, 2],
        "b": "x",
        "c": None,
    }
    with pytest.raises(TypeError, match="no place in JSON"):
        plain_json({"a": object()})


def test_the_header_says_where_its_voxels_begin(tmp_path, source):
    write_map(tmp_path / "map.nii", MAP, open_volume(source).info, RECORD)
    assert header_field(tmp_path / "map.nii", "vox_offset") == (352.0,)
    assert (tmp_path / "map.nii").stat().st_size == 352 + MAP.size * 4


def test_a_mask_is_stored_as_whole_bytes_however_full_it_is(tmp_path, source):
    like = open_volume(source).info
    for inside in (False, True):
        write_map(tmp_path / "mask.nii.gz", np.full(like.space.grid.shape, inside), like, RECORD)
        stored = nib.load(tmp_path / "mask.nii.gz")
        assert stored.get_data_dtype() == np.uint8
        assert (np.asarray(stored.dataobj) == int(inside)).all()
