"""What all tests share."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

# Before anything imports Qt, VTK or NumPy: no display is needed, and OpenBLAS leaves Numba its core.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")

import nibabel as nib
import numpy as np
import pytest
from habena.app.grid import Grid

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
REST = "fmri/rapidtide_sub-RAPIDTIDETEST_task-rest_space-MNI_res-3_desc-brain_bold.nii.gz"


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """A file of the real data beside the project; the test is skipped where there is none."""

    def find(relative: str) -> Path:
        path = SHARED_DATA / relative
        if not path.exists():
            pytest.skip(f"real data not present: {relative}")
        return path

    return find


@pytest.fixture(scope="session")
def rest_run(shared_data: Callable[[str], Path]) -> Path:
    """A real resting-state run in MNI space."""
    return shared_data(REST)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings and caches of a test go nowhere near the user's; the compiled kernels stay where they are."""
    folder = tmp_path_factory.mktemp("home")
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(folder / name))


@pytest.fixture(scope="session")
def sample_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder for the simulated run of the sample view, made once."""
    return tmp_path_factory.mktemp("sample")


@pytest.fixture
def small_run(tmp_path: Path) -> Callable[..., Path]:
    """Write a small 4D run with known networks; gives its path."""

    def write(name: str = "sub-01_task-rest_space-MNI152NLin6Asym_bold.nii.gz", **changes: object) -> Path:
        return write_run(tmp_path / name, **changes)  # type: ignore[arg-type]

    return write


def write_run(path: Path, *, volumes: int = 60, tr_s: float = 2.0, seed: int = 0, masked: bool = True) -> Path:
    """A run of two opposed networks on a 6 mm grid, asymmetric in x; simulated."""
    rng = np.random.default_rng(seed)
    grid = small_grid()
    shape = grid.shape
    course = np.cumsum(rng.standard_normal((2, volumes)), axis=1)
    course -= course.mean(axis=1, keepdims=True)
    weights = np.zeros((*shape, 2))
    weights[2:10, 4:10, 4:12, 0] = 1.0  # left
    weights[14:20, 10:18, 4:12, 1] = 1.0  # right, in front
    series = weights @ course + rng.standard_normal((*shape, volumes))
    brain = np.zeros(shape, bool)
    brain[2:-2, 2:-2, 2:-2] = True
    series = np.where(brain[..., None], 500 + 20 * series, 0 if masked else 5 + 5 * rng.random((*shape, volumes)))
    image = nib.Nifti1Image(series.astype(np.int16), grid.affine)
    image.header.set_zooms((6.0, 6.0, 6.0, tr_s))
    image.header.set_xyzt_units("mm", "sec")
    image.header["sform_code"] = 4
    nib.save(image, path)
    return path


def small_grid() -> Grid:
    """22 x 26 x 16 voxels of 6 mm round the origin."""
    affine = np.diag([6.0, 6.0, 6.0, 1.0])
    affine[:3, 3] = [-63, -75, -45]
    return Grid((22, 26, 16), affine)


@pytest.fixture
def no_leftovers() -> Iterator[None]:
    """Fail a test that leaves a worker thread behind."""
    before = {thread.name for thread in threading.enumerate()}
    yield
    kept = ("habena-kernel", "compose")
    left = [t.name for t in threading.enumerate() if t.name not in before and not t.name.startswith(kept)]
    assert not left, f"threads left behind: {left}"
