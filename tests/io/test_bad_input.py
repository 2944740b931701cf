"""Everything that is wrong with files: one sentence with the file, the reason and what to do, and nothing else."""

from __future__ import annotations

import gzip
import os
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.io import memory
from habena.app.io.info import file_info
from habena.app.io.memory import DoesNotFit
from habena.app.io.volumes import open_volume
from habena.app.problems import Problem
from nifti_files import NIBABEL_DATA, OBLIQUE, image_file, numbers, patch

SHAPE = (10, 12, 14)
RUN = (*SHAPE, 20)
FRAME_BYTES = 10 * 12 * 14 * 2


def refused(path: Path, act: Callable[[Path], object], *words: str) -> Problem:
    """The Problem that an action raises; it names the file, says all words, and is one line."""
    with pytest.raises(Problem) as refusal:
        act(path)
    text = str(refusal.value)
    assert path.name in text
    assert "\n" not in text
    assert refusal.value.what
    assert refusal.value.todo
    for word in words:
        assert word in text, text
    return refusal.value


def show(path: Path) -> None:
    open_volume(path).frame()


def load(path: Path) -> None:
    open_volume(path).load()


def cut(path: Path, size: int) -> Path:
    path.write_bytes(path.read_bytes()[:size])
    return path


# Paths


def test_a_missing_file_suggests_near_names(tmp_path):
    image_file(tmp_path / "sub-01_bold.nii.gz", numbers(SHAPE))
    refused(tmp_path / "sub-1_bold.nii.gz", open_volume, "does not exist", "did you mean sub-01_bold.nii.gz?")
    refused(tmp_path / "other" / "a.nii", open_volume, "does not exist", "no folder")


def test_a_folder_is_no_volume(tmp_path):
    refused(tmp_path, open_volume, "is a folder")


def test_a_folder_of_dicom_files_is_to_be_converted(tmp_path):
    (tmp_path / "IM0001").write_bytes(b"\0" * 128 + b"DICM" + b"\0" * 100)
    refused(tmp_path, open_volume, "folder of DICOM files", "converted")
    refused(tmp_path / "IM0001", open_volume, "DICOM", "open its folder")


def test_an_empty_file(tmp_path):
    (tmp_path / "a.nii.gz").touch()
    refused(tmp_path / "a.nii.gz", open_volume, "is empty (zero bytes)")


def test_a_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "a.nii")
    refused(tmp_path / "a.nii", open_volume, "not a plain file")


def test_no_permission(tmp_path, monkeypatch):
    path = image_file(tmp_path / "a.nii.gz", numbers(SHAPE))
    if os.geteuid() == 0:  # root may read everything: let the system say what it says to others

        def denied(self: Path, *args: object, **kwargs: object) -> None:
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr(Path, "open", denied)
    else:
        path.chmod(0)
    refused(path, open_volume, "may not be read: permission denied", "ask its owner")


def test_a_disk_that_fails(tmp_path, monkeypatch):
    path = image_file(tmp_path / "a.nii.gz", numbers(SHAPE))

    def broken(self: Path, *args: object, **kwargs: object) -> None:
        raise OSError(5, "Input/output error", str(self))

    monkeypatch.setattr(Path, "open", broken)
    refused(path, open_volume, "input/output error", "check the disk")


# Something else under the name of an image


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mgz", "a.mnc", "a.v", "a.hdr", "a.par", "a.head", "a.gii"])
def test_text_renamed(tmp_path, name):
    (tmp_path / name).write_text("subject,age\n1,34\n")
    refused(tmp_path / name, open_volume, "but is text")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_web_page_saved_as_an_image(tmp_path, pack):
    (tmp_path / "a.nii.gz").write_bytes(pack(b"\n<!DOCTYPE html>\n<html><body>Please log in</body></html>"))
    refused(tmp_path / "a.nii.gz", open_volume, "web page", "download the file itself")
    (tmp_path / "a.nii.gz").write_bytes(pack(b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0">'))
    refused(tmp_path / "a.nii.gz", open_volume, "web page")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"mrtrix image\ndim: 3,4,5\n", "mrconvert a.nii out.nii.gz"),
        (b"ObjectType = Image\nNDims = 3\n", "MetaImage"),
        (b"NRRD0004\n", "NRRD"),
        (b"MZ\x07\0" + b"\0" * 50, "GIFTI"),
        (b"PK\x03\x04" + b"\0" * 50, "zip archive"),
        (b"BZh91AY" + b"\0" * 50, "bunzip2 a.nii"),
        (b"\xfd7zXZ\0", "xz"),
        (b"\x93NUMPY\x01\0", "NumPy"),
        (b"MATLAB 5.0 MAT-file", "MATLAB"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 50, "HDF5"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "picture"),
        (b"%PDF-1.7", "PDF"),
        (bytes(range(256)) * 4, "first bytes are wrong"),
    ],
)
def test_other_formats_are_named_with_what_to_do(tmp_path, content, words):
    (tmp_path / "a.nii").write_bytes(content)
    refused(tmp_path / "a.nii", open_volume, words)


def test_a_scene_a_table_and_a_sidecar_are_no_volumes(tmp_path):
    for name, content, words in (
        ("a.json", '{"habena": 1}', "scene"),
        ("b.json", '{"RepetitionTime": 2}', "JSON"),
        ("c.tsv", "a\tb\n", "table"),
    ):
        (tmp_path / name).write_text(content)
        refused(tmp_path / name, open_volume, words)


# Cut short


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (100, "ends within its header (after 100 bytes)"),
        (346, "ends within its header"),
        (351, "ends after 0 of 20 volumes"),
        (352 + 100, "ends after 0 of 20 volumes"),
        (352 + 7 * FRAME_BYTES + 5, "ends after 7 of 20 volumes"),
        (352 + 20 * FRAME_BYTES - 1, "ends after 19 of 20 volumes"),
    ],
)
def test_a_truncated_file_says_how_much_is_there(tmp_path, size, words):
    path = cut(image_file(tmp_path / "a.nii", numbers(RUN)), size)
    refused(path, open_volume, words)


def test_a_truncated_3d_file(tmp_path):
    path = cut(image_file(tmp_path / "a.nii", numbers(SHAPE)), 2000)
    refused(path, open_volume, "ends within the image (2,000 of 3,712 bytes are there)")


def test_a_stream_cut_within_its_header(tmp_path):
    path = cut(image_file(tmp_path / "a.nii.gz", numbers(RUN)), 60)
    refused(path, open_volume, "is cut short within its header")


def test_a_stream_cut_within_its_first_frame(tmp_path):
    path = cut(image_file(tmp_path / "a.nii.gz", numbers(RUN)), 2500)
    refused(path, show, "ends after 0 of 20 volumes")
    refused(path, load, "ends after 0 of 20 volumes")


def test_a_stream_cut_later_keeps_the_frames_before(tmp_path):
    data = numbers(RUN)
    path = image_file(tmp_path / "a.nii.gz", data)
    cut(path, path.stat().st_size * 2 // 3)
    volume = open_volume(path)
    refused(path, lambda _: volume.load(), "ends after 13 of 20 volumes")
    assert volume.frames_ready == 13
    np.testing.assert_array_equal(volume.frame(12), data[..., 12])
    refused(path, lambda _: volume.frame(13), "ends after 13 of 20 volumes")
    refused(path, lambda _: volume.series((0, 0, 0)), "ends after 13 of 20 volumes")


@pytest.mark.parametrize("missing", [1, 4, 8, 9])
def test_a_stream_without_its_checksum(tmp_path, missing):
    path = image_file(tmp_path / "a.nii.gz", numbers(SHAPE))
    cut(path, path.stat().st_size - missing)
    refused(path, show, "ends")
    refused(path, file_info, "ends")


def test_info_tells_of_a_cut_stream_without_unpacking_sound_ones(tmp_path, monkeypatch):
    path = image_file(tmp_path / "a.nii.gz", numbers(RUN))
    sound = shutil.copy(path, tmp_path / "b.nii.gz")
    cut(path, path.stat().st_size * 2 // 3)
    refused(path, file_info, "ends after 13 of 20 volumes")
    monkeypatch.setattr("habena.app.io.unpacker.Unpacker", None)
    assert file_info(sound).frames == 20


# Damaged


def test_a_wrong_checksum(tmp_path):
    for shape in (SHAPE, RUN):
        path = image_file(tmp_path / "a.nii.gz", numbers(shape))
        content = bytearray(path.read_bytes())
        content[-6] ^= 0xFF
        path.write_bytes(content)
        refused(path, load, "checksum does not fit")


def test_a_wrong_length_at_the_end(tmp_path):
    path = image_file(tmp_path / "a.nii.gz", numbers(SHAPE))
    content = bytearray(path.read_bytes())
    content[-1] ^= 0xFF
    path.write_bytes(content)
    refused(path, load, "checksum does not fit")
    refused(path, file_info, "checksum does not fit")


def test_a_stream_damaged_in_the_middle(tmp_path):
    data = numbers((60, 60, 60, 9))
    path = image_file(tmp_path / "a.nii.gz", data)
    packed = zlib.compressobj(wbits=31)
    stream = packed.compress(gzip.decompress(path.read_bytes())[: 352 + data[..., :4].nbytes])
    path.write_bytes(stream + packed.flush(zlib.Z_FULL_FLUSH) + b"\xff" * 400)
    volume = open_volume(path)
    problem = refused(path, lambda _: volume.load())
    assert problem.what.startswith(f"is damaged after {volume.frames_ready} of 9 volumes")
    assert volume.frames_ready in {3, 4}  # the step in which damage shows is lost
    np.testing.assert_array_equal(volume.frame(2), data[..., 2])


def test_a_stream_damaged_from_the_start(tmp_path):
    (tmp_path / "a.nii.gz").write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\xff" * 300)
    refused(tmp_path / "a.nii.gz", open_volume, "damaged within its header (0 bytes can be unpacked)")


# Absurd headers


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"dim": (4, 32767, 32767, 32767, 100, 1, 1, 1)}, "ends after 0 of 100 volumes"),
        ({"dim": (7,) + (32767,) * 7}, "which no file holds"),
        ({"dim": (3, -10, 12, 14, 1, 1, 1, 1)}, "a dimension of -10"),
        ({"dim": (3, 10, 0, 14, 1, 1, 1, 1)}, "a dimension of 0"),
        ({"dim": (0,) + (1,) * 7}, "0 dimensions"),
        ({"dim": (8,) + (1,) * 7}, "8 dimensions"),
        ({"dim": (-3,) + (1,) * 7}, "-3 dimensions"),
        ({"datatype": 77}, "type 77"),
        ({"datatype": 1}, "single bits"),
        ({"datatype": 0}, "unknown"),
        ({"vox_offset": 100.0}, "byte 100"),
        ({"vox_offset": -352.0}, "byte -352"),
        ({"vox_offset": 352.5}, "byte 352.5"),
        ({"vox_offset": float("nan")}, "byte nan"),
        ({"vox_offset": 1e18}, "ends within the image"),
        ({"vox_offset": 1e30}, "byte 1e+30"),
        ({"sizeof_hdr": 12}, "wrong header size"),
        ({"scl_slope": 1.0, "scl_inter": float("nan")}, "intercept"),
        ({"srow": (0.0,) * 12}, "sform is singular"),
        ({"srow": (float("nan"),) * 12}, "sform holds NaN"),
        ({"srow": (1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0)}, "one plane"),
        ({"sform_code": 0, "quatern": (3.0, 3.0, 3.0)}, "not a rotation"),
        ({"sform_code": 0, "pixdim": (1, 0, 1, 1, 1, 1, 1, 1)}, "qform is singular"),
        ({"sform_code": 0, "qform_code": 0, "pixdim": (1, 1e30, 1, 1, 1, 1, 1, 1)}, "numbers as large as"),
    ],
)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_an_absurd_header(tmp_path, name, fields, words):
    path = image_file(tmp_path / name, numbers(SHAPE), **fields)
    if name.endswith(".gz"):
        words = words.replace("ends after 0 of 100 volumes", "cannot hold").replace(
            "ends within the image", "cannot hold"
        )
    refused(path, open_volume, words)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant == 112, reason="this processor has float128")
def test_float128_where_there_is_none(tmp_path):
    path = image_file(tmp_path / "a.nii", numbers(SHAPE), datatype=1536)
    refused(path, open_volume, "float128", "save it as float64")


def test_a_gzip_bomb_is_refused_before_memory_is_taken(tmp_path, monkeypatch):
    """A header that promises 64 GB, honestly backed by a stream of zeros."""
    path = image_file(tmp_path / "a.nii.gz", numbers(SHAPE))
    head = gzip.decompress(patch(path, dim=(3, 2000, 2000, 2000, 1, 1, 1, 1), datatype=64).read_bytes())[:352]
    path.write_bytes(gzip.compress(head + bytes(70_000_000)))
    refused(path, open_volume, "cannot hold the 64,000,000,352 bytes")
    small = gzip.compress(bytes(2**20), 9)
    path.write_bytes(gzip.compress(head) + small)
    with path.open("r+b") as file:
        file.truncate(2**26)  # large enough a file, and still nothing to unpack
    monkeypatch.setattr(memory, "available_bytes", lambda: 2**30)
    with pytest.raises(DoesNotFit, match=r"64\.0 GB of memory and 1\.1 GB are free"):
        open_volume(path).frame()


def test_a_stream_that_goes_on_for_ever_after_the_image_is_left_alone(tmp_path):
    data = numbers(SHAPE)
    path = image_file(tmp_path / "a.nii.gz", data)
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + bytes(200_000_000), 1))
    np.testing.assert_array_equal(open_volume(path).frame(), data)


# While it is open


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_vanished_while_open(tmp_path, name):
    path = image_file(tmp_path / name, numbers(RUN))
    volume = open_volume(path)
    path.unlink()
    refused(path, lambda _: volume.frame(3), "is no longer there")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_cut_short_while_open(tmp_path, name):
    path = image_file(tmp_path / name, numbers(RUN))
    volume = open_volume(path)
    os.truncate(path, path.stat().st_size // 2)
    refused(path, lambda _: volume.frame(3), "was cut short while it was open")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_rewritten_while_open(tmp_path, name):
    path = image_file(tmp_path / name, numbers(RUN))
    volume = open_volume(path)
    path.write_bytes(path.read_bytes() + b"\0")
    refused(path, lambda _: volume.frame(3), "was changed by another program")


def test_a_stream_that_is_being_read_survives_its_removal(tmp_path):
    data = numbers((60, 60, 60, 12))
    path = image_file(tmp_path / "a.nii.gz", data)
    volume = open_volume(path)
    volume.frame(0)
    path.unlink()
    np.testing.assert_array_equal(volume.frame(11), data[..., 11])


def test_cut_short_between_the_check_and_the_read(tmp_path, monkeypatch):
    path = image_file(tmp_path / "a.nii", numbers(RUN))
    volume = open_volume(path)
    os.truncate(path, 352 + 2 * FRAME_BYTES)
    monkeypatch.setattr("habena.app.io.sources.unchanged", lambda *_: None)
    refused(path, lambda _: volume.frame(3), "ends after")
    refused(path, lambda _: volume.series((1, 1, 1)), "ends after 2 of 20 volumes")


# Other formats


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("phantom_varscale.PAR", "phantom_varscale.REC"),
        ("phantom_varscale.REC", "phantom_varscale.PAR"),
        ("scaled+tlrc.HEAD", "scaled+tlrc.BRIK"),
        ("scaled+tlrc.BRIK", "scaled+tlrc.HEAD"),
        ("nifti1.hdr", "nifti1.img"),
        ("nifti2.hdr", "nifti2.img"),
        ("analyze.hdr", "analyze.img"),
    ],
)
def test_half_of_a_pair(tmp_path, name, missing):
    path = Path(shutil.copy(NIBABEL_DATA / name, tmp_path))
    refused(path, open_volume, f"{missing}, ", "missing", f"put {missing} beside it")


@pytest.mark.parametrize(
    "name", ["scaled+tlrc.BRIK", "phantom_varscale.REC", "tinypet.v", "tiny.mnc", "small.mnc", "test.mgz"]
)
def test_other_formats_cut_short(tmp_path, name):
    for partner in NIBABEL_DATA.glob(f"{Path(name).stem}.*"):
        shutil.copy(partner, tmp_path)
    path = tmp_path / name
    refused(cut(path, path.stat().st_size * 2 // 3), load_all)


def load_all(path: Path) -> None:
    volume = open_volume(path)
    volume.load()
    for index in range(volume.n_frames):
        volume.frame(index)


def test_an_mgz_file_that_is_no_image(tmp_path):
    (tmp_path / "a.mgz").write_bytes(gzip.compress(b"not an image" * 50))
    refused(tmp_path / "a.mgz", open_volume, "is named .mgz but is text")
    (tmp_path / "a.mgz").write_bytes(gzip.compress(bytes(500)))
    refused(tmp_path / "a.mgz", open_volume, "first bytes are wrong")


def test_an_mgh_file_of_an_unknown_type(tmp_path):
    nib.save(nib.MGHImage(numbers(SHAPE), OBLIQUE.astype(np.float32)), tmp_path / "a.mgh")
    content = bytearray((tmp_path / "a.mgh").read_bytes())
    content[20:24] = b"\0\0\0\x63"
    (tmp_path / "a.mgh").write_bytes(content)
    refused(tmp_path / "a.mgh", open_volume, "not a readable MGH file")


@pytest.mark.parametrize("name", ["bad_datatype+orig.HEAD", "bad_attribute+orig.HEAD"])
def test_damaged_afni_headers(tmp_path, name):
    shutil.copy(NIBABEL_DATA / name, tmp_path)
    (tmp_path / name).with_suffix(".BRIK").write_bytes(b"\0" * 1000)
    refused(tmp_path / name, open_volume, "not a readable AFNI file")


def test_an_ecat_directory_that_points_in_a_circle(tmp_path):
    content = bytearray((NIBABEL_DATA / "tinypet.v").read_bytes())
    content[512 + 4 : 512 + 8] = (3).to_bytes(4, "big")
    block = (31).to_bytes(4, "big") + (3).to_bytes(4, "big") + bytes(8)
    content[1024 : 1024 + 16] = block
    (tmp_path / "a.v").write_bytes(content)
    refused(tmp_path / "a.v", open_volume, "points in a circle")


@pytest.mark.parametrize("name", ["tinypet.v", "tiny.mnc", "scaled+tlrc.HEAD"])
def test_formats_that_are_not_read_compressed(tmp_path, name):
    path = tmp_path / f"{name}.gz"
    path.write_bytes(gzip.compress((NIBABEL_DATA / name).read_bytes()))
    refused(path, open_volume, "compressed", f"gunzip {name}.gz")
