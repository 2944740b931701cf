"""What a path is, by content and name."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.io.identify import identify, stem
from habena.app.io.signatures import is_text
from habena.app.problems import Problem
from hypothesis import given
from hypothesis import strategies as st
from nifti_files import NIBABEL_DATA, OBLIQUE, image_file, numbers

GIFTI = b'<?xml version="1.0"?>\n<GIFTI Version="1.0"><DataArray Intent="NIFTI_INTENT_%s"></DataArray></GIFTI>'


@pytest.mark.parametrize(
    ("name", "content", "kind", "format_name"),
    [
        ("lh.pial", b"\xff\xff\xfecreated by", "surface", "FreeSurfer surface"),
        ("lh.curv", b"\xff\xff\xff\0\0\x28\x02", "surface-data", "FreeSurfer curv"),
        ("lh.aparc.annot", b"\0\0\x28\x02", "annot", "FreeSurfer annot"),
        ("a.surf.gii", GIFTI % b"POINTSET", "surface", "GIFTI"),
        ("a.gii", GIFTI % b"POINTSET", "surface", "GIFTI"),
        ("a.gii", GIFTI % b"SHAPE", "surface-data", "GIFTI"),
        ("a.func.gii", GIFTI % b"NONE", "surface-data", "GIFTI"),
        ("IM_0001", b"\0" * 128 + b"DICM", "dicom", "DICOM"),
        ("a.dcm", b"\x08\0\x05\0CS", "dicom", "DICOM"),
        ("figure.png", b"\x89PNG\r\n\x1a\n", "picture", "picture"),
        ("figure.svg", b"<?xml version='1.0'?><svg>", "picture", "picture"),
        ("table.tsv", b"participant_id\tage\n", "table", "table"),
        ("labels.txt", b"1 Habenula\n", "table", "table"),
        ("view.json", b'{\n "habena": "scene", "version": 1}', "scene", "JSON"),
        ("a_bold.json", b'{"RepetitionTime": 2}', "sidecar", "JSON"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_files_are_known_by_content_and_name(tmp_path, name, content, kind, format_name, packed):
    path = tmp_path / (name + ".gz" if packed else name)
    path.write_bytes(gzip.compress(content) if packed else content)
    found = identify(path)
    assert (found.kind, found.format, found.compressed) == (kind, format_name, packed)


def test_an_image_without_an_ending_is_known_by_content(tmp_path):
    image_file(tmp_path / "a.nii", numbers((3, 4, 5))).rename(tmp_path / "download")
    assert identify(tmp_path / "download")[:2] == ("volume", "NIfTI-1")


def test_one_column_of_an_mgh_file_is_surface_data(tmp_path):
    nib.save(nib.MGHImage(numbers((642, 1, 1), "f4"), OBLIQUE.astype("f4")), tmp_path / "lh.thickness.mgh")
    assert identify(tmp_path / "lh.thickness.mgh").kind == "surface-data"
    nib.save(nib.MGHImage(numbers((6, 4, 2), "f4"), OBLIQUE.astype("f4")), tmp_path / "brain.mgh")
    assert identify(tmp_path / "brain.mgh").kind == "volume"


def test_cifti_is_no_volume(tmp_path):
    assert identify(NIBABEL_DATA / "row_major.dconn.nii").kind == "cifti"
    image = nib.Nifti2Image(np.zeros((1, 1, 1, 1, 3, 7), "f4"), np.eye(4))
    image.header["intent_code"] = 3006
    nib.save(image, tmp_path / "a.nii")
    assert identify(tmp_path / "a.nii").kind == "cifti"


def test_folders(tmp_path):
    assert identify(tmp_path).kind == "folder"
    (tmp_path / "README").write_text("about")
    (tmp_path / "MR.1.2.3").write_bytes(b"\0" * 128 + b"DICM")
    assert identify(tmp_path).kind == "dicom-folder"


@pytest.mark.parametrize(("header", "voxels"), [("a.HDR", "A.img"), ("x.hdr", "X.IMG"), ("b.Hdr", "b.img.gz")])
def test_the_other_half_is_found_whatever_the_case(tmp_path, header, voxels):
    nib.save(nib.Nifti1Pair(numbers((3, 4, 5)), OBLIQUE), tmp_path / "t.img")
    (tmp_path / "t.hdr").rename(tmp_path / header)
    content = (tmp_path / "t.img").read_bytes()
    (tmp_path / voxels).write_bytes(gzip.compress(content) if voxels.endswith(".gz") else content)
    (tmp_path / "t.img").unlink()
    for name in (header, voxels):
        found = identify(tmp_path / name)
        assert (found.path.name, found.data.name) == (header, voxels)


def test_only_a_few_bytes_are_read(tmp_path):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(bytes(50_000_000), 1))
    with pytest.raises(Problem):
        identify(path)
    assert len(identify(NIBABEL_DATA / "example4d.nii.gz").head) == 4096


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sub-1_bold.nii.gz", "sub-1_bold"),
        ("a.b.nii", "a.b"),
        ("a+orig.BRIK.gz", "a+orig"),
        ("a+orig.HEAD", "a+orig"),
        ("scan.PAR", "scan"),
        ("a.v", "a"),
        ("lh.pial", "lh.pial"),
        (".nii", ""),
    ],
)
def test_the_stem_of_a_name(name, expected):
    assert stem(Path("folder") / name) == expected


@given(st.text())
def test_text_is_text(text):
    assert is_text(text.encode().replace(b"\0", b""))


def test_text_cut_within_a_character_is_text():
    assert is_text(("a" * 4095 + "é").encode()[:4096])
    assert not is_text(("a" * 95 + "é").encode()[:96])
    assert not is_text(b"\xff\xfe" + b"a" * 100)
    assert not is_text(b"a\0b")


def test_the_original_is_not_touched(tmp_path):
    path = Path(shutil.copy(NIBABEL_DATA / "example4d.nii.gz", tmp_path))
    before = path.stat()
    identify(path)
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
