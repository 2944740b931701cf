"""`habena doctor` and `habena demo`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from command_line import document, done, pixels, refused
from habena.app import demo, demo_studies, doctor
from habena.app import main as window
from habena.app.simulated import bold_people, mrs_people, people
from habena.app.simulated.demo import Demo


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


@pytest.fixture(scope="module", autouse=True)
def few() -> Iterator[None]:
    """Hardly anybody: what studies hold is tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(people.ARMS, "small", people.Arms(1, 1, 1))
        patch.setitem(bold_people.PEOPLE, "small", 2)
        patch.setitem(mrs_people.PEOPLE, "small", 2)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The folder of a demo, and what was said."""
    folder = tmp_path_factory.mktemp("demo") / "new" / "folder"
    yield folder, done("demo", "--out", folder).out
    shutil.rmtree(folder)


def run_of(folder: Path) -> Path:
    return min((folder / "ketamine-bold").glob(demo_studies.RUN))


def test_demo_writes_three_studies_and_a_picture_into_the_folder_and_says_where(made: tuple[Path, str]) -> None:
    folder, said = made
    names = {"ampar-pet", "ketamine-bold", "naltrexone-mrs", "planted", "first_view.png"}
    assert {path.name for path in folder.iterdir()} == names
    for name in names:
        assert f"{folder / name}\n" in said
    assert "simulated" in said.splitlines()[0]
    picture = pixels(folder / "first_view.png")
    assert picture.shape == (1000, 1400, 3)
    assert (np.ptp(picture, axis=-1) > 60).mean() > 0.01, "maps in colour"


def test_everything_in_the_demo_says_that_it_is_simulated(made: tuple[Path, str]) -> None:
    folder = made[0]
    for study in ("ampar-pet", "ketamine-bold", "naltrexone-mrs"):
        told = json.loads((folder / study / "dataset_description.json").read_text())
        assert told["Simulated"] is True
        assert told["Name"].startswith("Simulated: ")
        assert "simulated" in (folder / study / "README").read_text()
    silent = [path for path in folder.rglob("*.json") if json.loads(path.read_text()).get("Simulated") is not True]
    assert silent == []
    images = list(folder.rglob("*.nii.gz"))
    assert len(images) > 10
    assert [path for path in images if not path.with_name(path.name.replace(".nii.gz", ".json")).exists()] == []


def test_a_seed_in_the_demo_finds_the_other_parts_of_its_network(made: tuple[Path, str], tmp_path: Path) -> None:
    run = run_of(made[0])
    confounds = run.with_name(run.name.split("_space-")[0] + demo_studies.CONFOUNDS)
    words = ("--fwhm", 6, "--detrend", 2, "--confounds", confounds, "--columns", ",".join(demo_studies.COLUMNS))
    found = document("seed", run, "--at", "0,-52,26", *words, "-o", tmp_path / "r.nii")
    assert found["Simulated"] is True
    image = nib.load(tmp_path / "r.nii")
    to_voxel = np.linalg.inv(image.affine)

    def r(*at_mm: float) -> float:
        return float(image.dataobj[tuple(np.rint(to_voxel @ (*at_mm, 1))[:3].astype(int))])

    assert r(0, 50, -8) > 0.3, "medial frontal cortex"
    assert abs(r(-40, -22, 54)) < 0.3, "motor cortex is in another network"


def test_the_same_demo_is_left_as_it_is_and_another_is_refused(made: tuple[Path, str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in made[0].rglob("*.nii.gz")}
    done("demo", "--out", made[0])
    assert "not empty" in refused("demo", "--out", made[0], "--seed", 1)
    assert {path: path.stat().st_mtime_ns for path in made[0].rglob("*.nii.gz")} == before


def test_without_a_display_demo_draws_into_the_cache_and_says_where(
    made: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "make_demo", lambda folder, **_: Demo.within(made[0]) if folder is None else None)
    monkeypatch.setattr(demo, "has_display", lambda: False)
    drawn: list[Path] = []
    monkeypatch.setattr(demo, "draw_demo", lambda _, picture: drawn.append(picture))
    said = done("demo").out
    assert drawn == [made[0] / "first_view.png"]
    assert str(drawn[0]) in said


def test_with_a_display_demo_opens_the_wall_of_a_patient(
    made: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(demo, "make_demo", lambda *_, **__: Demo.within(made[0]))
    monkeypatch.setattr(demo, "has_display", lambda: True)
    monkeypatch.setattr(window, "show", lambda paths, view: shown.extend((paths, view)) or 0)
    done("demo")
    paths, view = shown
    assert paths == []
    assert view.study == str(made[0] / "ampar-pet")
    assert view.layout == "wall"
    names = [overlay.name for overlay in view.overlays]
    assert names == ["MNI152 T1", "sub-T01 pre", "sub-T01 post", "sub-T01 post \N{MINUS SIGN} pre"]
