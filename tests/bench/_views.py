"""Files and views that the benches of the whole program open."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel as nib
import numpy as np
from habena.app.grid import Grid
from habena.app.io.volumes import open_volume
from habena.app.recipes import CrosshairSeed, FileMap, Preparation, SeedCorrelation
from habena.app.sample import anatomy_file, simulate_rest
from habena.app.state import Colours, Layout, Overlay, SurfaceView, Threshold, ViewState
from habena.resources import package_folder
from habena.stats.resample import resample

from ._data import SHAPE_2MM, SHAPE_3MM, affine

REST = "fmri/rapidtide_sub-RAPIDTIDETEST_task-rest_space-MNI_res-3_desc-brain_bold.nii.gz"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
N_VOLUMES = 260
TR_S = 1.5
PREPARATION = Preparation(fwhm_mm=6.0, detrend=2, band_hz=(0.01, 0.1))
SEED_MM = (0.0, -52.0, 26.0)


@cache
def _temporary() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="habena-bench-")  # removed when the bench ends


def folder() -> Path:
    """Of this run of the bench."""
    return Path(_temporary().name)


def anatomy() -> Path:
    """The MNI152 T1 of nilearn, 1 mm."""
    return anatomy_file()


@cache
def statistic_map() -> Path:
    """The motor map of nilearn, on a grid of 2 mm."""
    package = package_folder("nilearn")
    assert package is not None
    source = open_volume(package / "datasets" / "data" / "image_10426.nii.gz")
    matrix = source.grid.inverse @ affine(2)
    return _written("motor_2mm.nii.gz", np.nan_to_num(resample(source.frame(0), matrix, SHAPE_2MM)), affine(2))


@cache
def run() -> tuple[Path, str]:
    """A resting run of 3 mm and 260 volumes, and what to call it: a real one, or one simulated for want of it."""
    real = SHARED / REST
    if real.exists():
        return real, "real rest run"
    series = simulate_rest(Grid(SHAPE_3MM, affine(3)), N_VOLUMES, np.random.default_rng(0), 1.0, lambda _: None)
    return _written("simulated_rest_bold.nii.gz", series.astype(np.int16), affine(3)), "simulated rest run"


def _written(name: str, values: np.ndarray, where: np.ndarray) -> Path:
    image = nib.Nifti1Image(values, where)
    image.header.set_xyzt_units("mm", "sec")
    if values.ndim == 4:
        image.header.set_zooms((*image.header.get_zooms()[:3], TR_S))
    path = folder() / name
    nib.save(image, path)
    return path


def map_view(layout: Layout = "ortho", opacity: float = 1.0) -> ViewState:
    """T1 of 1 mm under a map of 2 mm."""
    warm_and_cool = Overlay(
        2, FileMap(str(statistic_map())), "motor", Colours("warm", 3.0, 8.0, "cool", 3.0, 8.0), Threshold(3.0, 3.0)
    )
    return _view((_t1(), warm_and_cool), layout, opacity)


def seed_view(layout: Layout = "ortho", opacity: float = 1.0) -> ViewState:
    """T1 of 1 mm under a seed map that follows the crosshair."""
    question = SeedCorrelation(FileMap(str(run()[0])), CrosshairSeed(), PREPARATION)
    colours = Colours("warm", 0.3, 0.8, "cool", 0.3, 0.8)
    return _view((_t1(), Overlay(2, question, "seed", colours, Threshold(0.3, 0.3), 0.9)), layout, opacity)


def _t1() -> Overlay:
    return Overlay(1, FileMap(str(anatomy())), "T1", Colours("grey", 0.0, 240.0))


def _view(overlays: tuple[Overlay, ...], layout: Layout, opacity: float) -> ViewState:
    surface = SurfaceView(opacity=opacity)
    return ViewState(crosshair_mm=SEED_MM, overlays=overlays, selected=2, layout=layout, surface=surface)
