"""The sample view: real anatomy, a real statistic map, and a small simulated resting run to drag a seed through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..resources import package_folder
from .grid import Grid
from .io.files import writing
from .problems import Problem, silent
from .recipes import CrosshairSeed, FileMap, Preparation, SeedCorrelation
from .settings import cache_folder
from .state import Colours, Overlay, Threshold, ViewState

Report = Callable[[float], None]

VERSION = 1  # of the simulation: another number makes another file
TEMPLATE = "MNI152NLin2009aSym"
TR_S = 2.0
VOXEL_MM = 4.0
VOLUMES = {"small": 150, "full": 300}
MAX_EFFECT = 10.0
NOISE = 4.0  # standard deviation before smoothing, where a network has 1
SMOOTH_FWHM_MM = 6.0
CROSSHAIR_MM = (0.0, -52.0, 26.0)
PREPARATION = Preparation(fwhm_mm=6.0, detrend=2, band_hz=(0.01, 0.1))

# Which regions of AAL2 (by the start of their labels) move together. Simulated, after the networks
# that resting-state studies agree on; strengths are not anyone's measurement.
NETWORKS: dict[str, tuple[str, ...]] = {
    "default mode": ("Cingulate_Post", "Precuneus", "Angular", "Frontal_Med_Orb", "Frontal_Sup_Medial", "Temporal_Mid"),
    "motor": ("Precentral", "Postcentral", "Supp_Motor", "Paracentral"),
    "visual": ("Calcarine", "Cuneus", "Lingual", "Occipital"),
    "frontoparietal": ("Frontal_Mid_2", "Parietal_Inf", "Parietal_Sup", "Frontal_Inf_Tri"),
    "salience": ("Insula", "Cingulate_Ant", "Cingulate_Mid", "SupraMarginal"),
    "auditory": ("Heschl", "Temporal_Sup", "Rolandic"),
    "subcortical": ("Thalamus", "Caudate", "Putamen", "Pallidum", "Hippocampus", "Amygdala"),
    "cerebellar": ("Cerebelum", "Vermis"),
}
OPPOSED = (("default mode", "frontoparietal", -0.35), ("default mode", "salience", -0.25))


class Sample(NamedTuple):
    """Files of the sample view."""

    anatomy: Path
    motor: Path
    run: Path


def sample_files(
    folder: Path | None = None,
    seed: int = 2026,
    effect: float = 1.0,
    size: str = "small",
    report: Report = silent,
) -> Sample:
    """The files of the sample view; the simulated run is made when it is not there yet.

    Parameters
    ----------
    folder : Path or None
        Where the simulated run goes; None for the cache.
    seed : int
        Of the generator.
    effect : float
        Strength of the networks; 0 is noise alone.
    size : str
        ``small`` or ``full``.

    Raises
    ------
    Problem
        A number that makes no sense, or a folder that cannot be made or written to.
    """
    if seed < 0:
        raise Problem("seed", f"{seed} is below 0", "give 0 or more")
    if not 0 <= effect <= MAX_EFFECT:
        raise Problem("effect", f"{effect:g} is out of range", f"give 0 to {MAX_EFFECT:g}")
    if size not in VOLUMES:
        raise Problem("size", f"there is none named '{size}'", f"choose from {', '.join(VOLUMES)}")
    anatomy = anatomy_file()
    motor = _part(package_folder("nilearn"), "image_10426.nii.gz")
    folder = folder or cache_folder() / "sample" / f"v{VERSION}-{size}-seed{seed}-effect{effect:g}"
    run = folder / f"sub-simulated_task-rest_space-{TEMPLATE}_bold.nii.gz"
    if not run.exists():
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        write_simulated_run(run, anatomy, (VOLUMES[size], seed, effect), report)
    return Sample(anatomy, motor, run)


def anatomy_file() -> Path:
    """The MNI152 T1 that comes with nilearn."""
    return _part(package_folder("nilearn"), "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz")


def _part(package: Path | None, name: str) -> Path:
    path = None if package is None else package / "datasets" / "data" / name
    if path is None or not path.exists():
        raise Problem("nilearn", f"its data file {name} is missing", "install it again: pip install nilearn")
    return path


def sample_view(sample: Sample) -> ViewState:
    """Anatomy, motor map and a seed that follows the crosshair."""
    run = FileMap(str(sample.run))
    overlays = (
        Overlay(1, FileMap(str(sample.anatomy)), "MNI152 T1", Colours("grey", 0.0, 240.0), space=TEMPLATE),
        Overlay(
            2,
            FileMap(str(sample.motor)),
            "Motor task, left vs right hand",
            Colours("warm", 3.0, 8.0, "cool", 3.0, 8.0),
            Threshold(3.0, 3.0),
            space=TEMPLATE,
        ),
        Overlay(
            3,
            SeedCorrelation(run, CrosshairSeed(), PREPARATION),
            "Seed correlation, simulated rest",
            Colours("warm", 0.3, 0.8, "cool", 0.3, 0.8),
            Threshold(0.3, 0.3),
            0.9,
        ),
    )
    return ViewState(crosshair_mm=CROSSHAIR_MM, overlays=overlays, selected=3, atlases=("aal2", "cit168"))


def write_simulated_run(path: Path, anatomy: Path, how: tuple[int, int, float], report: Report) -> None:
    """Write the run and a sidecar that says it is simulated; ``how`` is volumes, seed of the generator, effect."""
    from .io.volumes import open_volume  # noqa: PLC0415
    from .io.write import Record, write_map  # noqa: PLC0415

    volumes, seed, effect = how
    grid = _grid(anatomy)
    series = simulate_rest(grid, volumes, np.random.default_rng(seed), effect, report)
    info = open_volume(anatomy).info
    space = replace(info.space, grid=grid, sform=grid.affine, sform_code=4, qform=None, qform_code=0, template=TEMPLATE)
    parameters = {
        "Simulated": True,
        "description": "simulated resting-state run on the MNI152 anatomy; nobody was scanned",
        "seed": seed,
        "effect": effect,
        "networks": {name: list(regions) for name, regions in NETWORKS.items()},
    }
    write_map(path, series, replace(info, space=space, tr_s=TR_S), Record(parameters, unit="arbitrary"))


def simulate_rest(
    grid: Grid, volumes: int, rng: np.random.Generator, effect: float, report: Report
) -> NDArray[np.float32]:
    """A resting run, (nx, ny, nz, volumes) float32; 0 outside the brain.

    Each network has a slow time course (first-order autoregressive, 0.85 per 2 s), shared by its
    regions and diluted by one of each region's own. Noise is half white, half slow, smooth in space
    as a scan is. Correlations inside a network come out near 0.5, as in real smoothed data.
    """
    from ..stats.smooth import smooth  # noqa: PLC0415 - compiled
    from .io.atlases import load_atlas  # noqa: PLC0415

    atlas = load_atlas("aal2")
    labels = atlas.labels_on(grid)
    brain = _brain(grid)
    courses = _courses(rng, volumes)
    own = {region.index: slow(rng, volumes) for region in atlas.regions}
    signal = np.zeros((len(atlas.regions) + 1, volumes))
    for number, region in enumerate(atlas.regions, start=1):
        network = next((n for n, starts in NETWORKS.items() if region.abbreviation.startswith(starts)), None)
        shared = courses[network] if network else np.zeros(volumes)
        signal[number] = effect * (shared + 0.45 * own[region.index])
    out = np.zeros((*grid.shape, volumes), np.float32, order="F")
    whole_head = 0.15 * slow(rng, volumes)
    for volume in range(volumes):
        report(volume / volumes)
        noise = rng.standard_normal(grid.shape).astype(np.float32) * NOISE
        frame = smooth(noise + signal[labels, volume].astype(np.float32), SMOOTH_FWHM_MM, grid.zooms_mm).volume
        out[..., volume] = np.where(brain, 1000 + 10 * (frame + whole_head[volume]), 0)
    return out


def _courses(rng: np.random.Generator, volumes: int) -> dict[str, NDArray[np.float64]]:
    """Network time courses of unit variance, some of them opposed."""
    names = list(NETWORKS)
    correlation = np.eye(len(names))
    for a, b, r in OPPOSED:
        correlation[names.index(a), names.index(b)] = correlation[names.index(b), names.index(a)] = r
    independent = np.array([slow(rng, volumes) for _ in names])
    return dict(zip(names, np.linalg.cholesky(correlation) @ independent, strict=True))


def slow(rng: np.random.Generator, volumes: int, persistence: float = 0.85) -> NDArray[np.float64]:
    """First-order autoregressive series of mean 0 and variance 1, (volumes,)."""
    steps = rng.standard_normal(volumes)
    series = np.empty(volumes)
    series[0] = steps[0]
    for t in range(1, volumes):
        series[t] = persistence * series[t - 1] + np.sqrt(1 - persistence**2) * steps[t]
    return (series - series.mean()) / series.std()


def _grid(anatomy: Path) -> Grid:
    """A coarse grid over the anatomy's box."""
    from .io.volumes import open_volume  # noqa: PLC0415

    low, high = open_volume(anatomy).grid.bounds_mm
    size = np.ceil((high - low) / VOXEL_MM).astype(int)
    affine = np.diag([VOXEL_MM, VOXEL_MM, VOXEL_MM, 1.0])
    affine[:3, 3] = np.round((low + high - (size - 1) * VOXEL_MM) / 2)
    return Grid((int(size[0]), int(size[1]), int(size[2])), affine)


def _brain(grid: Grid) -> NDArray[np.bool_]:
    """Where nilearn's grey or white matter probability exceeds a quarter."""
    from ..stats.resample import resample  # noqa: PLC0415
    from .io.volumes import open_volume  # noqa: PLC0415

    data = package_folder("nilearn")
    total = np.zeros(grid.shape)
    for tissue in ("gm", "wm"):
        volume = open_volume(_part(data, f"mni_icbm152_{tissue}_tal_nlin_sym_09a_converted.nii.gz"))
        values = volume.frame(0)
        total += np.nan_to_num(resample(values / values.max(), volume.grid.inverse @ grid.affine, grid.shape))
    return total > 0.25
