"""A folder of DICOM files in the window: converted with progress, stoppable, and nothing left behind."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from file_events import answer_dialog, choose, drop, errors, is_drawn, layer_titles, notices, one_error
from habena.app.io import dicom
from habena.app.io.dicom import default_cache
from habena.app.opening import Opened, open_path
from habena.app.settings import Settings, load_settings, settings_file
from habena.widgets.controls import IconButton
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from window_events import named, settle, texts, wait_until

VOLUME = np.random.default_rng(3).integers(0, 4000, (24, 20, 12)).astype(np.uint16)

SLOW = """
import os, pathlib, sys, time
print("Found 100 DICOM file(s)", flush=True)
print("Progress: 0.25", flush=True)
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(600)
"""


@pytest.fixture
def write_series(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Path]]:
    """The writer of small series that the tests of the converter use."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "io"))
    return import_module("dicom_writer").write_series


@pytest.fixture
def export(write_series: Callable[..., list[Path]], tmp_path: Path) -> Path:
    """What a scanner exports: one series in a folder named after the patient."""
    write_series(tmp_path / "Doe_Jane" / "t1", VOLUME)
    return tmp_path / "Doe_Jane"


@pytest.fixture
def slow_converter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A converter that stays at 25 %; the file holds its process number once it is there."""
    script, pid = tmp_path / "slow.py", tmp_path / "pid"
    script.write_text(SLOW)
    monkeypatch.setattr(dicom, "_command", lambda *_: [sys.executable, str(script), str(pid)])
    return pid


def converted() -> list[Path]:
    return sorted(default_cache().rglob("*.nii"))


def leftovers() -> list[Path]:
    return sorted(default_cache().rglob("*"))


def has_ended(pid: Path) -> bool:
    try:
        os.kill(int(pid.read_text()), 0)
    except ProcessLookupError:
        return True
    return False


def test_a_dropped_folder_is_converted_and_drawn_and_its_copy_is_gone_after_closing(open_window, export):
    before = sorted(export.rglob("*"))
    window = open_window()
    drop(window, export, over=window.welcome)
    settle(window)
    assert errors(window) == []
    assert layer_titles(window) == ["7_t1_test"]
    assert is_drawn(window)
    assert len(converted()) == 1
    assert sorted(export.rglob("*")) == before
    window.close()
    assert leftovers() == []


def test_each_series_becomes_a_layer_in_the_order_of_their_numbers(open_window, write_series, tmp_path):
    for number, name in ((12, "rest"), (3, "t1")):
        write_series(tmp_path / "export" / name, VOLUME, number, SeriesDescription=name, ProtocolName=name)
    window = open_window()
    drop(window, tmp_path / "export", over=window.welcome)
    settle(window)
    assert layer_titles(window) == ["3_t1", "12_rest"]


def test_one_file_of_a_series_opens_the_whole_series(open_window, export):
    window = open_window()
    drop(window, sorted((export / "t1").iterdir())[4], over=window.welcome)
    settle(window)
    assert layer_titles(window) == ["7_t1_test"]
    assert window.session.shown()[0].answer.image.grid.shape == VOLUME.shape


def test_recent_files_name_the_folder_and_never_its_copy(open_window, export):
    window = open_window(settings=Settings(theme="dark", atlases=(), remember_files=True))
    drop(window, export, over=window.welcome)
    settle(window)
    window.close()
    assert load_settings().recent == (str(export),)
    assert "dicom-" not in settings_file().read_text()


def test_nothing_is_remembered_of_a_patient_when_that_was_refused(open_window, export):
    window = open_window(settings=Settings(theme="dark", atlases=(), remember_files=False))
    drop(window, export, over=window.welcome)
    settle(window)
    window.close()
    assert "Doe" not in settings_file().read_text()


def test_progress_is_shown_and_cancelling_ends_the_converter_and_leaves_nothing(
    open_window, anatomy, export, slow_converter
):
    window = open_window(anatomy)
    drop(window, export)
    wait_until(slow_converter.exists, "the converter")
    wait_until(lambda: "25 %" in texts(window.job_bar), "the progress")
    assert any("Doe_Jane" in text for text in texts(window.job_bar))
    QTest.mouseClick(named(window.job_bar, IconButton, "Cancel"), Qt.MouseButton.LeftButton)
    settle(window)
    assert has_ended(slow_converter)
    assert leftovers() == []
    assert errors(window) == []
    assert layer_titles(window) == [anatomy.stem]
    assert not any(text.endswith("%") for text in texts(window.job_bar))


def test_a_window_that_is_closed_meanwhile_ends_the_converter_and_leaves_nothing(open_window, export, slow_converter):
    window = open_window()
    drop(window, export, over=window.welcome)
    wait_until(slow_converter.exists, "the converter")
    window.close()
    assert has_ended(slow_converter)
    assert leftovers() == []


def test_a_window_that_is_closed_just_as_the_conversion_ends_leaves_nothing(open_window, export, monkeypatch):
    ended = threading.Event()

    def opened(*told: object, **how: object) -> Opened:
        result = open_path(*told, **how)  # type: ignore[arg-type]
        assert len(converted()) == 1
        ended.set()
        return result

    window = open_window()
    monkeypatch.setattr("habena.app.session.open_path", opened)
    drop(window, export, over=window.welcome)
    assert ended.wait(20)  # the event loop rests: the window has not heard of it
    window.close()
    QApplication.processEvents()
    gc.collect()
    assert leftovers() == []


def test_a_folder_without_a_sound_series_is_told_with_the_reason(open_window, anatomy, export):
    for path in (export / "t1").iterdir():
        path.write_bytes(path.read_bytes()[:-40])
    window = open_window(anatomy)
    drop(window, export)
    settle(window)
    one_error(window, "none of its series could be converted", "; check that the export is complete")
    assert layer_titles(window) == [anatomy.stem]
    assert leftovers() == []


def test_a_missing_converter_is_told_with_the_command_that_installs_it(open_window, export, monkeypatch):
    monkeypatch.setattr(dicom, "find_spec", {}.get)
    window = open_window()
    drop(window, export, over=window.welcome)
    settle(window)
    one_error(window, "dcm2niix: is not installed", "run: pip install dcm2niix")


def test_saving_a_view_of_a_converted_series_warns_that_its_file_will_go(open_window, export, monkeypatch, tmp_path):
    window = open_window()
    drop(window, export, over=window.welcome)
    settle(window)
    answer_dialog(monkeypatch, "getSaveFileName", tmp_path / "view.json")
    choose(window, "File", "Save view")
    (warning,) = notices(window, "warning")
    assert warning.startswith("7_t1_test: converted from DICOM, and removed when this window closes.")


def test_a_real_series_of_three_volumes_opens_with_its_remarks(open_window, shared_data):
    window = open_window(shared_data("dicom/studyforrest_first3vols"), size=(1000, 700))
    (layer,) = window.session.shown()
    assert layer.answer.n_frames == 3
    assert is_drawn(window)
    assert any("Instance numbers do not follow the position of the slices" in told for told in notices(window))
