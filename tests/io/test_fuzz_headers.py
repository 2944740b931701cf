"""Arbitrary bytes: opened or refused with a Problem, never anything else, never much memory, never for ever."""

from __future__ import annotations

import gzip
import shutil
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from habena.app.io.info import describe, file_info
from habena.app.io.volumes import open_volume
from habena.app.problems import Problem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nifti_files import NIBABEL_DATA, image_file, numbers

NAMES = ["a.nii", "a.nii.gz", "a.mgz", "a.mgh", "a.mnc", "a.v", "a.hdr", "a.img", "a.par", "a.HEAD", "a.gii", "a"]
MOST_BYTES = 64 * 2**20
fuzz = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def try_everything(path: Path) -> None:
    """Open, describe and read a file; a Problem is an answer, anything else is a fault."""
    tracemalloc.start()
    try:
        with suppress(Problem):
            volume = open_volume(path)
            describe(file_info(path))
            if volume.n_frames < 1000:
                volume.load()
            (volume.rgba if volume.kind == "rgb" else volume.frame)(volume.n_frames - 1)
            if volume.kind != "rgb":
                volume.series((0, 0, 0))
            volume.close()
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


def changed(content: bytes, changes: list[tuple[int, bytes]], end: int) -> bytes:
    result = bytearray(content)
    for at, new in changes:
        start = at % max(1, end)
        result[start : start + len(new)] = new
    return bytes(result)


changes = st.lists(st.tuples(st.integers(0, 2**16), st.binary(min_size=1, max_size=8)), max_size=6)


@fuzz
@given(name=st.sampled_from(NAMES), content=st.binary(min_size=1, max_size=2000), pack=st.booleans())
def test_arbitrary_bytes(tmp_path, name, content, pack):
    path = tmp_path / name
    path.write_bytes(gzip.compress(content, 1) if pack else content)
    try_everything(path)


@pytest.fixture(scope="module")
def nifti_bytes(tmp_path_factory) -> bytes:
    path = image_file(tmp_path_factory.mktemp("nifti") / "a.nii", numbers((5, 6, 7, 3)))
    return path.read_bytes()


@fuzz
@given(changes=changes, keep=st.integers(0, 2000), pack=st.booleans())
def test_nifti_headers_with_changed_bytes(tmp_path, nifti_bytes, changes, keep, pack):
    content = changed(nifti_bytes, changes, 348)
    if keep < 1000:
        content = content[:keep]
    path = tmp_path / ("a.nii.gz" if pack else "a.nii")
    path.write_bytes(gzip.compress(content, 1) if pack else content or b"\0")
    try_everything(path)


@fuzz
@given(changes=changes)
def test_gzip_streams_with_changed_bytes(tmp_path, nifti_bytes, changes):
    path = tmp_path / "a.nii.gz"
    packed = gzip.compress(nifti_bytes, 6)
    path.write_bytes(changed(packed, changes, len(packed)))
    try_everything(path)


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("test.mgz", 90),
        ("tinypet.v", 2048),
        ("tiny.mnc", 4000),
        ("scaled+tlrc.HEAD", 4000),
        ("phantom_varscale.PAR", 8000),
        ("analyze.hdr", 348),
    ],
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=changes)
def test_other_headers_with_changed_bytes(tmp_path, name, end, changes):
    for partner in NIBABEL_DATA.glob(f"{Path(name).stem}.*"):
        shutil.copy(partner, tmp_path)
    (tmp_path / "analyze.img").write_bytes(bytes(4000))
    content = (NIBABEL_DATA / name).read_bytes()
    packed = name.endswith(".mgz")
    content = changed(gzip.decompress(content) if packed else content, changes, end)
    (tmp_path / name).write_bytes(gzip.compress(content, 1) if packed else content)
    try_everything(tmp_path / name)
