"""`habena seed` beside a plain NumPy account of the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
import pytest
from command_line import AFFINE, SHAPE, document, done, mm_of_voxels, refused, write_image
from habena.app.grid import Grid
from habena.app.io.atlases import load_atlas
from habena.app.sample import anatomy_file
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

VOLUMES = 90
TR_S = 2.0
ZOOMS_MM = (4.0, 5.0, 6.0)
SEED_MM = (22.0, -17.0, 2.0)  # the centre of voxel (7, 9, 7)
SEED_IJK = (7, 9, 7)
CONSTANT_IJK = (12, 12, 8)


class Scan(NamedTuple):
    """A run and everything that goes with it."""

    folder: Path
    run: Path
    data: NDArray[np.float32]
    brain: NDArray[np.bool_]
    confounds: NDArray[np.float64]
    displacement: NDArray[np.float64]


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """A run with one network on the right, drift and motion; empty outside a brain."""
    rng = np.random.default_rng(7)
    folder = tmp_path_factory.mktemp("scan")
    mm = mm_of_voxels()
    brain = (np.abs(mm - (0, -5, 5)) < (44, 52, 40)).all(axis=-1)
    network = np.linalg.norm(mm - SEED_MM, axis=-1) < 25
    time = np.arange(VOLUMES) * TR_S
    course = np.sin(2 * np.pi * 0.04 * time) + 0.7 * np.sin(2 * np.pi * 0.075 * time + 1)
    confounds = np.column_stack([np.cumsum(rng.standard_normal(VOLUMES)), rng.standard_normal(VOLUMES)])
    displacement = np.abs(rng.normal(0.1, 0.05, VOLUMES))
    displacement[[0, 30, 31, 60]] = (np.nan, 0.9, 0.8, 1.2)
    noise = rng.standard_normal((*SHAPE, VOLUMES))
    data = 500 + 10 * noise + 7 * network[..., None] * course + 5 * confounds[:, 0] + 0.02 * time**1.5
    data += 40 * (displacement > 0.5) * rng.standard_normal((*SHAPE, 1))
    data = np.where(brain[..., None], data, 0).astype(np.float32)
    data[CONSTANT_IJK] = 700
    run = write_image(folder / "sub-01_task-rest_space-MNI152NLin6Asym_bold.nii.gz", data, tr_s=TR_S)
    rows = np.column_stack([confounds, displacement])
    lines = ["\t".join("n/a" if np.isnan(value) else f"{value:.9f}" for value in row) for row in rows]
    header = "drift\tnoise\tframewise_displacement"
    (folder / "confounds.tsv").write_text("\n".join([header, *lines]) + "\n")
    write_image(folder / "brain.nii.gz", (brain & (mm[..., 2] > -20)).astype(np.uint8))
    write_image(folder / "seed_mask.nii.gz", (np.linalg.norm(mm - SEED_MM, axis=-1) < 9).astype(np.uint8))
    return Scan(folder, run, data, brain, np.round(confounds, 9), displacement)


def prepared(
    scan: Scan,
    drop: int = 0,
    fwhm_mm: float = 0,
    order: int = 0,
    band_hz: tuple[float, float] | None = None,
    confounds: bool = False,
    censor_mm: float | None = None,
) -> tuple[NDArray[np.float64], int]:
    """Residuals, (*SHAPE, volumes), and the degrees of freedom that remain."""
    data = scan.data[..., drop:].astype(np.float64)
    if fwhm_mm:
        sigma = fwhm_mm / np.sqrt(8 * np.log(2)) / np.array(ZOOMS_MM)
        data = np.stack([gaussian_filter(data[..., t], sigma) for t in range(data.shape[-1])], axis=-1)
    n = data.shape[-1]
    time = np.linspace(-1, 1, n)
    regressors = [time**power for power in range(order + 1)]
    if band_hz is not None:
        for k in range(1, n // 2 + 1):
            if not band_hz[0] - 1e-9 <= k / (n * TR_S) <= band_hz[1] + 1e-9:
                angle = 2 * np.pi * k * np.arange(n) / n
                regressors += [np.cos(angle), np.sin(angle)]
    if confounds:
        regressors += list(scan.confounds[drop:].T)
    if censor_mm is not None:
        spikes = np.flatnonzero(scan.displacement[drop:] > censor_mm)
        regressors += list(np.eye(n)[spikes])
    X = np.column_stack(regressors)
    Y = data.reshape(-1, n).T
    weights, _, rank, _ = np.linalg.lstsq(X, Y, rcond=1e-8)
    return (Y - X @ weights).T.reshape(data.shape), n - int(rank)


def correlation(residuals: NDArray[np.float64], seed: NDArray[np.bool_], brain: NDArray[np.bool_]) -> Any:
    """Correlation of every voxel of the brain with the mean of the seed's residuals; NaN elsewhere."""
    course = residuals[seed & brain].mean(axis=0)
    out = np.full(SHAPE, np.nan)
    rows = residuals[brain]
    out[brain] = rows @ course / np.linalg.norm(rows, axis=1) / np.linalg.norm(course)
    return out


def voxel(ijk: tuple[int, int, int]) -> NDArray[np.bool_]:
    mask = np.zeros(SHAPE, bool)
    mask[ijk] = True
    return mask


def varying(scan: Scan) -> NDArray[np.bool_]:
    """Voxels whose raw series varies."""
    return scan.brain & ~voxel(CONSTANT_IJK)


def values(path: Path) -> NDArray[np.float64]:
    return np.asarray(nib.load(path).dataobj, dtype=np.float64)


EVERYTHING = ["--drop", 4, "--fwhm", 7, "--detrend", 2, "--band", "0.01,0.1"]
PREPARATIONS = {
    "nothing": ([], {}),
    "drop": (["--drop", 7], {"drop": 7}),
    "smoothing before masking": (["--fwhm", 8], {"fwhm_mm": 8}),
    "drift": (["--detrend", 3], {"order": 3}),
    "band": (["--band", "0.0111111111111,0.1"], {"band_hz": (1 / 90, 0.1)}),
    "confounds": (["--confounds", "confounds.tsv", "--columns", "drift,noise"], {"confounds": True}),
    "censoring": (["--confounds", "confounds.tsv", "--censor", 0.5], {"censor_mm": 0.5}),
    "all at once": (
        [*EVERYTHING, "--confounds", "confounds.tsv", "--columns", "drift,noise", "--censor", 0.5],
        {"drop": 4, "fwhm_mm": 7, "order": 2, "band_hz": (0.01, 0.1), "confounds": True, "censor_mm": 0.5},
    ),
}


@pytest.mark.parametrize("name", PREPARATIONS)
def test_the_map_is_that_of_a_plain_reference(name: str, scan: Scan, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(scan.folder)
    flags, settings = PREPARATIONS[name]
    found = document("seed", scan.run, "--at", "22,-17,2", *flags, "-o", tmp_path / "r.nii.gz")
    residuals, df = prepared(scan, **settings)
    expected = correlation(residuals, voxel(SEED_IJK), varying(scan))
    np.testing.assert_allclose(values(tmp_path / "r.nii.gz"), expected, atol=1e-5)
    assert found["residual_degrees_of_freedom"] == df
    assert found["seed_voxels"] == 1
    assert found["brain_voxels"] == varying(scan).sum()


@pytest.fixture(scope="module")
def plain(scan: Scan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The map of one voxel's raw series, and its prepared run."""
    folder = tmp_path_factory.mktemp("plain")
    prepared_run = folder / "prepared.nii.gz"
    done("seed", scan.run, "--at", "22,-17,2", "-o", folder / "r.nii.gz", "--save-prepared", prepared_run)
    return folder / "r.nii.gz"


def test_the_map_lies_on_the_grid_of_the_run_as_float32(scan: Scan, plain: Path) -> None:
    run, image = nib.load(scan.run), nib.load(plain)
    assert image.shape == SHAPE
    assert image.get_data_dtype() == np.dtype("<f4")
    np.testing.assert_array_equal(image.affine, run.affine)
    assert int(image.header["sform_code"]) == 4
    assert (image.dataobj.slope, image.dataobj.inter) == (1, 0)


def test_outside_the_mask_and_where_nothing_varies_the_map_is_empty(scan: Scan, plain: Path) -> None:
    empty = np.isnan(values(plain))
    assert empty[~scan.brain].all()
    assert empty[CONSTANT_IJK]
    assert not empty[varying(scan)].any()


def test_the_nearest_voxel_centre_is_the_seed(scan: Scan, plain: Path, tmp_path: Path) -> None:
    done("seed", scan.run, "--at", "23.9,-19.4,4.9", "-o", tmp_path / "near.nii")
    np.testing.assert_array_equal(values(tmp_path / "near.nii"), values(plain))
    assert values(plain)[SEED_IJK] == pytest.approx(1, abs=1e-6)


def test_a_sphere_is_every_voxel_whose_centre_lies_within_the_radius(scan: Scan, tmp_path: Path) -> None:
    found = document("seed", scan.run, "--at", "20,-15,4", "--radius", 9, "-o", tmp_path / "s.nii")
    sphere = np.linalg.norm(mm_of_voxels() - (20, -15, 4), axis=-1) <= 9
    residuals, _ = prepared(scan)
    assert found["seed_voxels"] == sphere.sum() > 10
    expected = correlation(residuals, sphere, varying(scan))
    np.testing.assert_allclose(values(tmp_path / "s.nii"), expected, atol=1e-5)


def test_a_mask_is_averaged_first_then_correlated(scan: Scan, tmp_path: Path) -> None:
    mask = scan.folder / "seed_mask.nii.gz"
    found = document("seed", scan.run, "--mask", mask, "-o", tmp_path / "m.nii")
    inside = values(mask) > 0
    assert (found["seed_voxels"], found["seed_mask"]) == (inside.sum(), "seed_mask.nii.gz")
    residuals, _ = prepared(scan)
    np.testing.assert_allclose(values(tmp_path / "m.nii"), correlation(residuals, inside, varying(scan)), atol=1e-5)


def test_a_region_is_the_atlas_on_the_grid_of_the_run(scan: Scan, tmp_path: Path) -> None:
    atlas = load_atlas("harvard-oxford")
    grid_of_run = nib.load(scan.run)
    found = document(
        "seed", scan.run, "--region", "Precentral Gyrus R", "--atlas", "harvard-oxford", "-o", tmp_path / "a.nii"
    )
    assert found["seed_regions"] == ["Precentral Gyrus R"]
    assert found["seed_atlas"] == "harvard-oxford"
    region = next(region for region in atlas.regions if region.title == "Precentral Gyrus R")
    inside = atlas.mask([region], Grid(SHAPE, np.asarray(grid_of_run.affine)))
    residuals, _ = prepared(scan)
    expected = correlation(residuals, inside, varying(scan))
    assert found["seed_voxels"] == (inside & varying(scan)).sum()
    np.testing.assert_allclose(values(tmp_path / "a.nii"), expected, atol=1e-5)
    assert mm_of_voxels()[inside][:, 0].min() > 0, "right is where x is positive"


def test_fisher_is_the_inverse_hyperbolic_tangent_within_4(scan: Scan, plain: Path, tmp_path: Path) -> None:
    found = document("seed", scan.run, "--at", "22,-17,2", "--fisher", "-o", tmp_path / "z.nii")
    with np.errstate(divide="ignore"):
        expected = np.clip(np.arctanh(np.clip(values(plain), -1, 1)), -4, 4)
    np.testing.assert_allclose(values(tmp_path / "z.nii"), expected, rtol=1e-5, atol=1e-6)
    assert found["measure"] == "Fisher z, limited to ±4"
    assert json.loads((tmp_path / "z.json").read_text())["Units"] == "Fisher z"


def test_a_brain_mask_bounds_the_map(scan: Scan, tmp_path: Path) -> None:
    brain = scan.folder / "brain.nii.gz"
    found = document("seed", scan.run, "--at", "22,-17,2", "--brain", brain, "-o", tmp_path / "b.nii")
    inside = (values(brain) > 0) & varying(scan)
    np.testing.assert_array_equal(np.isfinite(values(tmp_path / "b.nii")), inside)
    assert (found["brain"], found["brain_voxels"]) == ("mask brain.nii.gz", inside.sum())


def test_an_unmasked_run_gets_an_automatic_mask_and_this_is_said(scan: Scan, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(20, 3, scan.data.shape)
    write_image(tmp_path / "whole.nii.gz", np.where(scan.brain[..., None], scan.data, noise).astype(np.float32))
    found = document("seed", tmp_path / "whole.nii.gz", "--at", "22,-17,2", "-o", tmp_path / "w.nii")
    (finding,) = [finding for finding in found["warnings"] if finding["code"] == "automatic-mask"]
    inside = np.isfinite(values(tmp_path / "w.nii"))
    assert finding["value"] == inside.sum() == found["brain_voxels"]
    assert (inside & scan.brain).sum() > 0.9 * scan.brain.sum()
    assert (inside & ~scan.brain).sum() < 0.1 * scan.brain.sum()


def test_the_sidecar_holds_every_parameter_the_versions_and_the_inputs(scan: Scan, tmp_path: Path) -> None:
    table = scan.folder / "confounds.tsv"
    found = document(
        *("seed", scan.run, "--at", "22,-17,2", "--radius", 6, *EVERYTHING),
        *("--confounds", table, "--columns", "noise", "--censor", 0.5, "-o", tmp_path / "r.nii.gz"),
    )
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["parameters"] == {name: found[name] for name in found if name not in {"map", "warnings"}}
    stated = {
        "run": scan.run.name,
        "volumes": VOLUMES,
        "dropped_volumes": 4,
        "smoothing_fwhm_mm": 7,
        "polynomial_order": 2,
        "band_hz": [0.01, 0.1],
        "confounds": "confounds.tsv",
        "confound_columns": ["noise"],
        "censor_fd_mm": 0.5,
        "censored_volumes": 3,
        "seed_mm": [22, -17, 2],
        "seed_radius_mm": 6,
        "brain": "voxels whose series varies",
    }
    assert {name: record["parameters"][name] for name in stated} == stated
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (scan.run, table)}
    assert {entry["name"]: entry["sha256"] for entry in record["inputs"]} == hashes
    assert {"habena", "numpy", "scipy", "numba", "nibabel", "python"} <= set(record["software"])
    assert record["SpatialReference"] == "MNI152NLin6Asym"


def test_the_prepared_run_is_the_series_without_what_was_removed(scan: Scan, tmp_path: Path) -> None:
    out = tmp_path / "clean_bold.nii.gz"
    done(
        *("seed", scan.run, "--at", "22,-17,2", *EVERYTHING, "--confounds", scan.folder / "confounds.tsv"),
        *("--censor", 0.5, "-o", tmp_path / "r.nii.gz", "--save-prepared", out),
    )
    residuals, df = prepared(scan, 4, 7, 2, (0.01, 0.1), censor_mm=0.5)
    image = nib.load(out)
    assert image.shape == (*SHAPE, VOLUMES - 4)
    assert float(image.header.get_zooms()[3]) == TR_S
    series = values(out)
    assert np.isnan(series[~scan.brain]).all()
    inside = varying(scan)
    np.testing.assert_allclose(series[inside], residuals[inside], atol=2e-3)
    record = json.loads((tmp_path / "clean_bold.json").read_text())
    assert record["parameters"]["residual_degrees_of_freedom"] == df
    assert record["RepetitionTime"] == TR_S


def test_a_map_of_the_prepared_run_is_the_map_of_the_run(scan: Scan, plain: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.nii"
    done("seed", plain.with_name("prepared.nii.gz"), "--at", "22,-17,2", "-o", again)
    np.testing.assert_allclose(values(again), values(plain), atol=1e-5)


def test_a_constant_seed_is_refused(scan: Scan, tmp_path: Path) -> None:
    i, j, k = CONSTANT_IJK
    x, y, z = AFFINE[:3, :3] @ (i, j, k) + AFFINE[:3, 3]
    said = refused("seed", scan.run, "--at", f"{x},{y},{z}", "-o", tmp_path / "c.nii")
    assert "move the seed" in said
    assert not (tmp_path / "c.nii").exists()


def test_a_seed_that_the_projection_makes_constant_is_refused(scan: Scan, tmp_path: Path) -> None:
    data = scan.data.copy()
    data[SEED_IJK] = 500 + np.linspace(0, 90, VOLUMES, dtype=np.float32)
    write_image(tmp_path / "ramp.nii.gz", data)
    words = ("seed", tmp_path / "ramp.nii.gz", "--at", "22,-17,2", "-o", tmp_path / "c.nii")
    done(*words)
    refused(*words, "--detrend", 1)


@pytest.mark.parametrize(
    ("flags", "left"),
    [
        (["--detrend", VOLUMES - 1], "leave no degree of freedom"),
        (["--detrend", VOLUMES - 5, "--drop", 4], "leave no degree of freedom"),
        (["--band", "0.0111,0.0112", "--detrend", 9, "--censor", 0.5], "leave no degree of freedom"),
        (["--band", "0.3,0.4"], "none of the run's frequencies"),
        (["--censor", 0], "89 censored volumes leave no degree of freedom"),
    ],
)
def test_without_a_degree_of_freedom_the_call_is_refused(flags: list[Any], left: str, scan: Scan, tmp_path) -> None:
    table = ["--confounds", scan.folder / "confounds.tsv", "--columns", "noise"]
    said = refused("seed", scan.run, "--at", "22,-17,2", *flags, *table, "-o", tmp_path / "c.nii")
    assert left in said


def test_few_degrees_of_freedom_are_told(scan: Scan, tmp_path: Path) -> None:
    found = document("seed", scan.run, "--at", "22,-17,2", "--band", "0.04,0.06", "-o", tmp_path / "f.nii")
    (finding,) = [finding for finding in found["warnings"] if finding["code"] == "few-degrees-of-freedom"]
    assert finding["value"] == found["residual_degrees_of_freedom"] < 20


def test_values_on_the_cortex_alone_are_refused(tmp_path: Path) -> None:
    sulci = anatomy_file().parent / "fsaverage5" / "sulc_left.gii.gz"
    assert "a seed map needs voxels" in refused("seed", sulci, "--at", "0,0,0", "-o", tmp_path / "s.nii")


def test_a_band_without_a_repetition_time_is_refused(scan: Scan, tmp_path: Path) -> None:
    write_image(tmp_path / "untimed.nii.gz", scan.data, tr_s=0)
    said = refused(
        "seed", tmp_path / "untimed.nii.gz", "--at", "22,-17,2", "--band", "0.01,0.1", "-o", tmp_path / "u.nii"
    )
    assert "no known repetition time" in said


def test_the_text_says_what_was_written(scan: Scan, tmp_path: Path) -> None:
    outcome = done("seed", scan.run, "--at", "22,-17,2", "-o", tmp_path / "r.nii")
    assert (
        outcome.out
        == f"{tmp_path / 'r.nii'}: Pearson r, {varying(scan).sum()} voxels, {VOLUMES - 1} degrees of freedom\n"
    )


KNOWN_MM = {(-44, -62, 34): 0.678, (46, -60, 34): 0.480, (0, 52, -2): 0.512, (-40, -22, 54): 0.139}


def test_the_default_mode_network_of_a_real_run_is_found(rest_run: Path, tmp_path: Path) -> None:
    done(
        *("seed", rest_run, "--at", "0,-52,26", "--fwhm", 6, "--detrend", 2, "--band", "0.01,0.1"),
        *("-o", tmp_path / "dmn.nii.gz"),
    )
    image = nib.load(tmp_path / "dmn.nii.gz")
    r = values(tmp_path / "dmn.nii.gz")
    for at_mm, expected in KNOWN_MM.items():
        ijk = np.rint(np.linalg.inv(image.affine) @ (*at_mm, 1))[:3].astype(int)
        assert r[tuple(ijk)] == pytest.approx(expected, abs=0.02)


def test_a_repetition_time_trap_is_told_when_a_band_depends_on_it(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    run = shared_data("fmri/func_task-oneback_run-1.nii.gz")
    found = document("seed", run, "--at", "0,-40,20", "--band", "0.01,0.1", "-o", tmp_path / "t.nii.gz")
    assert "tr-sidecar" in [finding["code"] for finding in found["warnings"]]
