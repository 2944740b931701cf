"""`habena doctor` and `habena demo`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from command_line import document, done, pixels
from habena.app import demo, doctor
from habena.app import main as window


@pytest.fixture(scope="module")
def examination() -> doctor.Examination:
    """What there is on this machine."""
    return doctor.examine()


def test_doctor_tells_versions_graphics_fonts_memory_and_threads(
    examination: doctor.Examination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: examination)
    found = document("doctor")
    assert set(found) == {
        *("versions", "opengl", "qt_platform", "fonts", "memory_free", "threads", "settings", "warnings"),
    }
    assert found["versions"]["numpy"] == np.__version__
    assert {"habena", "python", "system", "vtk", "PySide6_Essentials", "nibabel", "numba"} <= set(found["versions"])
    assert "DejaVuSans.ttf" in found["fonts"]
    assert found["memory_free"] > 1e6
    assert found["threads"] >= 1
    text = done("doctor").out
    for line in (f"numpy {np.__version__}", f"OpenGL {found['opengl']}", f"threads {found['threads']}"):
        assert line in " ".join(text.split())
    assert "Nothing is missing." in text


def test_doctor_names_what_is_missing_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def version(name: str) -> str:
        if name == "dcm2niix":
            raise metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(doctor, "version", version)
    monkeypatch.setattr(doctor, "_PROBE_VTK", "import sys; sys.exit('no EGL')")
    monkeypatch.setattr(doctor, "_PROBE_QT", "import os; os.abort()")
    found = document("doctor")
    said = {finding["code"]: finding["message"] for finding in found["warnings"]}
    assert set(said) == {"missing-dcm2niix", "missing-opengl", "missing-qt"}
    assert "pip install dcm2niix" in said["missing-dcm2niix"]
    assert "no EGL" in said["missing-opengl"]
    assert "apt-get install libegl1" in said["missing-opengl"]
    assert found["opengl"] is found["qt_platform"] is found["versions"]["dcm2niix"] is None
    text = done("doctor").out
    assert "dcm2niix            missing" in text
    assert "Nothing is missing." not in text


def test_a_library_that_hangs_is_missing_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PROBE_S", 0.01)
    assert doctor._probe("import threading; threading.Event().wait()", {}) == (None, "no answer")


# -- demo


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The folder of a demo, and what was said."""
    folder = tmp_path_factory.mktemp("demo") / "new" / "folder"
    yield folder, done("demo", "--out", folder).out
    shutil.rmtree(folder)


def run_of(folder: Path) -> Path:
    return next(folder.glob("*_bold.nii.gz"))


def test_demo_writes_a_picture_into_the_folder_and_says_where(made: tuple[Path, str]) -> None:
    folder, said = made
    assert f"simulated resting run): {folder / 'sample_view.png'}\n" in said
    assert f"{run_of(folder)}\n" in said
    picture = pixels(folder / "sample_view.png")
    assert picture.shape == (1000, 1400, 3)
    assert (np.ptp(picture, axis=-1) > 60).mean() > 0.01, "maps in colour"


def test_demo_calls_its_data_simulated_in_name_sidecar_and_picture(made: tuple[Path, str]) -> None:
    run = run_of(made[0])
    assert "simulated" in run.name
    record = json.loads(run.with_name(run.name.replace(".nii.gz", ".json")).read_text())
    assert record["parameters"]["Simulated"] is True
    assert "nobody was scanned" in record["parameters"]["description"]
    assert record["SpatialReference"] == "MNI152NLin2009aSym"


def test_a_seed_in_the_demo_finds_the_other_parts_of_its_network(made: tuple[Path, str], tmp_path: Path) -> None:
    words = ("--at", "0,-52,26", "--fwhm", 6, "--detrend", 2, "--band", "0.01,0.1")
    found = document("seed", run_of(made[0]), *words, "-o", tmp_path / "r.nii")
    assert found["Simulated"] is True
    image = nib.load(tmp_path / "r.nii")
    to_voxel = np.linalg.inv(image.affine)

    def r(*at_mm: float) -> float:
        return float(image.dataobj[tuple(np.rint(to_voxel @ (*at_mm, 1))[:3].astype(int))])

    assert r(-46, -64, 36) > 0.3, "left angular gyrus"
    assert abs(r(-40, -22, 54)) < 0.3, "motor cortex is in another network"


def test_the_same_seed_of_the_generator_gives_the_same_run(made: tuple[Path, str], tmp_path: Path) -> None:
    before = run_of(made[0]).read_bytes()
    done("demo", "--out", made[0])
    assert run_of(made[0]).read_bytes() == before


def test_without_a_display_demo_draws_into_the_cache_and_says_where(
    made: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sample = demo_files(made[0])
    monkeypatch.setattr("habena.app.sample.sample_files", lambda *_: sample)
    monkeypatch.setattr(demo, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(demo, "has_display", lambda: False)
    (tmp_path / "sample").mkdir()
    said = done("demo").out
    picture = tmp_path / "sample" / "sample_view.png"
    assert str(picture) in said
    np.testing.assert_array_equal(pixels(picture), pixels(made[0] / "sample_view.png"))


def test_with_a_display_demo_opens_the_sample_view(made: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    sample = demo_files(made[0])
    shown: list[object] = []
    monkeypatch.setattr("habena.app.sample.sample_files", lambda *_: sample)
    monkeypatch.setattr(demo, "has_display", lambda: True)
    monkeypatch.setattr(window, "show", lambda paths, view: shown.extend((paths, view)) or 0)
    done("demo")
    paths, view = shown
    assert paths == []
    assert [overlay.name for overlay in view.overlays] == [  # type: ignore[attr-defined]
        "MNI152 T1",
        "Motor task, left vs right hand",
        "Seed correlation, simulated rest",
    ]


def demo_files(folder: Path) -> object:
    from habena.app.sample import sample_files  # noqa: PLC0415

    return sample_files(folder)
