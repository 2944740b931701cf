"""DICOM folders: converted exactly, without a patient's name, stoppable, and never beside the data."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from dicom_writer import write_series
from habena.app.io import dicom
from habena.app.io.dicom import convert_dicom, discard_leftovers, looks_like_dicom
from habena.app.io.volumes import open_volume
from habena.app.problems import Cancelled, Problem

VOLUME = np.random.default_rng(3).integers(0, 4000, (8, 6, 5)).astype(np.uint16)


def snapshot(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_series_is_converted_exactly(tmp_path):
    write_series(tmp_path / "export" / "deep" / "er", VOLUME)
    before = snapshot(tmp_path / "export")
    shares: list[float] = []
    conversion = convert_dicom(tmp_path / "export", tmp_path / "cache", shares.append)
    (series,) = conversion.series
    assert (series.number, series.description, series.n_volumes) == (7, "t1 test", 1)
    assert series.path.name == "7_t1_test.nii"
    assert series.path.parent.parent == tmp_path / "cache"
    volume = open_volume(series.path)
    # The picture's first pixel is the right front of the head in DICOM's LPS; NIfTI's rows run to the front.
    np.testing.assert_array_equal(volume.frame(), VOLUME[:, ::-1, :])
    expected = [[-2, 0, 0, 10], [0, -2, 0, 20], [0, 0, 3, -5], [0, 0, 0, 1]]
    flipped = np.array(expected, float) @ np.array([[1, 0, 0, 0], [0, -1, 0, 5], [0, 0, 1, 0], [0, 0, 0, 1]])
    np.testing.assert_allclose(volume.grid.affine, flipped, atol=1e-4)
    assert snapshot(tmp_path / "export") == before
    assert shares == sorted(shares)
    assert shares[-1] == 1
    conversion.discard()
    assert list((tmp_path / "cache").iterdir()) == []


def test_nothing_that_is_written_names_the_patient(tmp_path):
    write_series(tmp_path / "Doe_Jane" / "ID4711", VOLUME)
    conversion = convert_dicom(tmp_path / "Doe_Jane", tmp_path / "cache")
    written = list(conversion.folder.iterdir())
    assert {path.suffix for path in written} == {".nii", ".json"}
    for secret in ("Doe", "Jane", "4711", "19700101", "1970-01-01", "20200102", "2020-01-02"):
        assert not any(secret in path.name or secret.encode() in path.read_bytes() for path in written)
        assert not any(secret in str(finding) for finding in conversion.findings)
    assert conversion.series[0].sidecar in written


def test_series_come_in_the_order_of_their_numbers(tmp_path):
    for number, name in ((12, "rest"), (3, "t1"), (5, "pet")):
        write_series(tmp_path / "export" / name, VOLUME, number, SeriesDescription=name, ProtocolName=name)
    series = convert_dicom(tmp_path / "export", tmp_path / "cache").series
    assert [(one.number, one.description) for one in series] == [(3, "t1"), (5, "pet"), (12, "rest")]


def test_one_file_stands_for_its_folder(tmp_path):
    first, *_ = write_series(tmp_path / "export", VOLUME)
    assert convert_dicom(first, tmp_path / "cache").series[0].number == 7


def test_copies_are_counted_and_left_out(tmp_path):
    write_series(tmp_path / "export" / "a", VOLUME)
    write_series(tmp_path / "export" / "b", VOLUME)
    conversion = convert_dicom(tmp_path / "export", tmp_path / "cache")
    assert len(conversion.series) == 1
    assert ("dicom-duplicates", 5) in {(finding.code, finding.value) for finding in conversion.findings}


def test_folder_without_images_is_a_problem_and_leaves_nothing(tmp_path):
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "notes.txt").write_text("no images here")
    with pytest.raises(Problem, match="holds no DICOM images"):
        convert_dicom(tmp_path / "export", tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_cut_images_are_a_problem_that_says_why(tmp_path):
    for path in write_series(tmp_path / "export", VOLUME):
        path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(Problem) as problem:
        convert_dicom(tmp_path / "export", tmp_path / "cache")
    assert problem.value.what.startswith("none of its series could be converted (dcm2niix: File not large enough")
    assert "slice" not in problem.value.what
    assert list((tmp_path / "cache").iterdir()) == []


def test_missing_folder(tmp_path):
    with pytest.raises(Problem, match="does not exist"):
        convert_dicom(tmp_path / "nowhere", tmp_path / "cache")


def test_missing_converter_says_how_to_install_it(tmp_path, monkeypatch):
    write_series(tmp_path / "export", VOLUME)
    monkeypatch.setattr(dicom, "find_spec", {}.get)
    with pytest.raises(Problem, match="pip install dcm2niix"):
        convert_dicom(tmp_path / "export", tmp_path / "cache")


SLOW = """
import os, pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
print("Found 100 DICOM file(s)", flush=True)
print("Progress: 0.25", flush=True)
time.sleep(600)
"""


def test_cancelling_ends_the_converter_and_leaves_nothing(tmp_path, monkeypatch):
    write_series(tmp_path / "export", VOLUME)
    script, pid = tmp_path / "slow.py", tmp_path / "pid"
    script.write_text(SLOW)
    monkeypatch.setattr(dicom, "_command", lambda *_: [sys.executable, str(script), str(pid)])
    shares: list[float] = []

    def stop(share: float) -> None:
        shares.append(share)
        if share > 0:
            raise Cancelled

    with pytest.raises(Cancelled):
        convert_dicom(tmp_path / "export", tmp_path / "cache", stop)
    assert shares[-1] == 0.25
    assert list((tmp_path / "cache").iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_waiting_goes_on_reporting(tmp_path, monkeypatch):
    write_series(tmp_path / "export", VOLUME)
    script = tmp_path / "slow.py"
    script.write_text(SLOW)
    monkeypatch.setattr(dicom, "_command", lambda *_: [sys.executable, str(script), str(tmp_path / "pid")])
    shares: list[float] = []

    def stop_at_the_fourth_quarter(share: float) -> None:
        shares.append(share)
        if shares.count(0.25) == 4:
            raise Cancelled

    with pytest.raises(Cancelled):
        convert_dicom(tmp_path / "export", tmp_path / "cache", stop_at_the_fourth_quarter)
    assert shares.count(0.25) == 4


def test_messages_lose_what_may_be_a_name(tmp_path):
    said = [
        f"Warning: odd slices in {tmp_path}/Doe Jane/scan 1.dcm",
        "Warning: Instance Number (0020,0013) order is not spatial.",
        f"Convert 5 DICOM as {tmp_path}/out/7_t1 (8x6x5x1)",
        "Error: a thing of no series",
    ]
    findings = list(dicom._remarks(said, tmp_path, tmp_path / "out"))
    assert [(finding.code, finding.where) for finding in findings] == [
        ("dicom-remark", "7_t1"),
        ("dicom-slice-order", "7_t1"),
        ("dicom-error", "DICOM"),
    ]
    assert findings[0].message == "dcm2niix: odd slices in one of the files."
    assert not any("Doe" in finding.message for finding in findings)


def test_leftovers_of_a_killed_program_go_after_a_week(tmp_path):
    old, new, other = (tmp_path / name for name in ("dicom-old", "dicom-new", "other"))
    for folder in (old, new, other):
        folder.mkdir()
        (folder / "7_t1.nii").touch()
    long_ago = time.time() - 8 * 86400
    for folder in (old, other):
        os.utime(folder, (long_ago, long_ago))
    discard_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dicom-new", "other"]


def test_dicom_folders_are_told_by_their_first_files(tmp_path):
    assert not looks_like_dicom(tmp_path)
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "short").write_bytes(b"DICM")
    assert not looks_like_dicom(tmp_path)
    write_series(tmp_path / "study" / "series", VOLUME)
    assert looks_like_dicom(tmp_path)
    (tmp_path / "disc").mkdir()
    (tmp_path / "disc" / "DICOMDIR").touch()
    assert looks_like_dicom(tmp_path / "disc")


def test_real_series_whose_orders_disagree(shared_data, tmp_path):
    conversion = convert_dicom(shared_data("dicom/studyforrest_first3vols"), tmp_path)
    (series,) = conversion.series
    assert (series.number, series.n_volumes) == (401, 3)
    assert open_volume(series.path).grid.shape == (80, 80, 35)
    assert ("dicom-slice-order", series.path.stem) in {(found.code, found.where) for found in conversion.findings}


def test_real_folder_of_many_series(shared_data, tmp_path):
    conversion = convert_dicom(shared_data("dicom"), tmp_path)
    assert [(series.number, series.n_volumes) for series in conversion.series] == [
        (3, 2),
        (4, 10),
        (4, 2),
        (5, 2),
        (6, 2),
        (401, 3),
    ]
