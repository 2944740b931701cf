"""Seed correlation from file to map: against plain NumPy in double precision, and the published figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app import seeding
from habena.app.compute import answer_to
from habena.app.problems import Problem
from habena.app.recipes import FileMap, MaskSeed, PointSeed, Preparation, RegionMask, SeedCorrelation
from habena.app.results import Results
from habena.app.runs import columns_named
from scipy.ndimage import gaussian_filter
from scipy.stats import pearsonr
from scipy.stats import t as t_distribution

PREPARATION = Preparation(fwhm_mm=6.0, detrend=2, band_hz=(0.01, 0.1))


def reference(path: Path, seed_voxels: np.ndarray, preparation: Preparation) -> np.ndarray:
    """Every step in the plainest way, in double precision: smooth, one least-squares projection, correlate."""
    image = nib.load(path)
    data = np.asarray(image.dataobj, np.float64)[..., preparation.drop :]
    varies = np.ptp(data, axis=-1) > 0
    zooms = image.header.get_zooms()
    if preparation.fwhm_mm:
        sigma = [preparation.fwhm_mm / np.sqrt(8 * np.log(2)) / zoom for zoom in zooms[:3]]
        data = np.stack([gaussian_filter(data[..., t], sigma, mode="reflect") for t in range(data.shape[-1])], axis=-1)
    n = data.shape[-1]
    time = np.linspace(-1, 1, n)
    columns = [time**power for power in range(preparation.detrend + 1)]
    if preparation.band_hz is not None:
        for k in range(1, n // 2 + 1):
            frequency = k / (n * float(zooms[3]))
            if not preparation.band_hz[0] - 1e-12 <= frequency <= preparation.band_hz[1] + 1e-12:
                angle = 2 * np.pi * k * np.arange(n) / n
                columns += [np.cos(angle), np.sin(angle)]
    design = np.stack(columns, axis=1)
    rows = data[varies]
    rows = rows - (design @ np.linalg.lstsq(design, rows.T, rcond=None)[0]).T
    seed = np.zeros(varies.shape, bool)
    seed[tuple(seed_voxels.T)] = True
    course = rows[seed[varies]].mean(axis=0)
    rows = rows - rows.mean(axis=1, keepdims=True)
    course = course - course.mean()
    r = np.full(varies.shape, np.nan)
    r[varies] = (rows @ course) / np.linalg.norm(rows, axis=1) / np.linalg.norm(course)
    return r


def seed_map(path: Path, seed: PointSeed | MaskSeed, preparation: Preparation, measure: str = "r") -> np.ndarray:
    question = SeedCorrelation(FileMap(str(path)), seed, preparation, measure)  # type: ignore[arg-type]
    return answer_to(question, Results(1 << 62)).image.frame(0)


@pytest.mark.parametrize(
    "preparation",
    [Preparation(), PREPARATION, Preparation(drop=4, detrend=1), Preparation(fwhm_mm=9.0, band_hz=(0.02, 0.2))],
    ids=["plain", "usual", "drop", "wide"],
)
def test_maps_equal_a_plain_double_precision_computation(
    small_run: Callable[..., Path], preparation: Preparation
) -> None:
    path = small_run()
    got = seed_map(path, PointSeed((-33.0, -45.0, 3.0)), preparation)
    grid = nib.load(path)
    voxel = np.round(np.linalg.inv(grid.affine) @ [-33, -45, 3, 1])[:3].astype(int)
    expected = reference(path, voxel[None], preparation)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    np.testing.assert_allclose(got, expected, atol=1e-5)
    assert got[tuple(voxel)] == pytest.approx(1.0, abs=1e-6)


def test_the_known_networks_of_a_real_run(rest_run: Path) -> None:
    got = seed_map(rest_run, PointSeed((0.0, -52.0, 26.0)), PREPARATION)
    to_voxel = np.linalg.inv(nib.load(rest_run).affine)
    for mm, r in {
        (-44, -62, 34): 0.678,
        (46, -60, 34): 0.480,
        (0, 52, -2): 0.512,
        (-40, -22, 54): 0.139,
    }.items():
        voxel = np.round(to_voxel @ [*mm, 1])[:3].astype(int)
        assert got[tuple(voxel)] == pytest.approx(r, abs=0.02)


def test_a_real_map_equals_plain_numpy(rest_run: Path) -> None:
    image = nib.load(rest_run)
    voxel = np.round(np.linalg.inv(image.affine) @ [0, -52, 26, 1])[:3].astype(int)
    expected = reference(rest_run, voxel[None], PREPARATION)
    got = seed_map(rest_run, PointSeed((0.0, -52.0, 26.0)), PREPARATION)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)


def test_a_sphere_is_averaged_before_it_is_correlated(small_run: Callable[..., Path]) -> None:
    path = small_run()
    image = nib.load(path)
    at, radius = np.array([-33.0, -45.0, 3.0]), 10.0
    ijk = np.argwhere(np.ones(image.shape[:3], bool))
    mm = ijk @ image.affine[:3, :3].T + image.affine[:3, 3]
    inside = ijk[np.linalg.norm(mm - at, axis=1) <= radius]
    assert len(inside) > 10
    expected = reference(path, inside, Preparation())
    got = seed_map(path, PointSeed(tuple(at), radius), Preparation())
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_left_and_right_networks_stay_on_their_sides(small_run: Callable[..., Path]) -> None:
    path = small_run(volumes=120)
    image = nib.load(path)
    got = seed_map(path, PointSeed((-33.0, -45.0, 3.0)), Preparation())
    mm = np.argwhere(np.ones(got.shape, bool)) @ image.affine[:3, :3].T + image.affine[:3, 3]
    strong = got.ravel() > 0.7
    assert mm[strong, 0].max() < 0  # the seed's network lies on the person's left alone


def test_fisher_z_is_limited(small_run: Callable[..., Path]) -> None:
    path = small_run()
    r = seed_map(path, PointSeed((-33.0, -45.0, 3.0)), Preparation())
    z = seed_map(path, PointSeed((-33.0, -45.0, 3.0)), Preparation(), "z")
    usual = np.abs(r) < 0.99
    np.testing.assert_allclose(z[usual], np.arctanh(r[usual]), atol=1e-4)
    assert np.nanmax(z) == pytest.approx(4.0, abs=1e-3)


def test_p_uses_fewer_degrees_of_freedom_than_volumes(small_run: Callable[..., Path]) -> None:
    path = small_run(volumes=100)
    question = SeedCorrelation(FileMap(str(path)), PointSeed((-33.0, -45.0, 3.0)), Preparation(), "p")
    answer = answer_to(question, Results(1 << 62))
    assert answer.statistic == "-log10 p"
    assert 0 < answer.notes["median_effective_df"] <= 98
    values = answer.image.frame(0)
    r = seed_map(path, PointSeed((-33.0, -45.0, 3.0)), Preparation())
    partner = (4, 6, 6)  # in the seed's own, slowly wandering network
    naive = -np.log10(pearsonr_p(float(r[partner]), 98))
    assert values[partner] < 0.6 * naive
    assert np.nanmin(values) >= 0
    assert np.isfinite(values[~np.isnan(values)]).all()


def pearsonr_p(r: float, df: int) -> float:
    return float(2 * t_distribution.sf(abs(r) * np.sqrt(df / (1 - r * r)), df))


def test_confounds_are_removed(small_run: Callable[..., Path], tmp_path: Path) -> None:
    path = small_run()
    image = nib.load(path)
    data = np.asarray(image.dataobj, np.float64)
    voxel, other = (5, 6, 7), (16, 12, 6)
    table = tmp_path / "sub-01_desc-confounds_timeseries.tsv"
    rng = np.random.default_rng(3)
    nuisance = rng.standard_normal(data.shape[-1])
    table.write_text("a\tb\n" + "\n".join(f"{value}\t{2 * value + 1}" for value in nuisance))
    preparation = Preparation(confounds=str(table), columns=("a", "b"))
    mm = tuple(image.affine[:3, :3] @ voxel + image.affine[:3, 3])
    question = SeedCorrelation(FileMap(str(path)), PointSeed(mm), preparation)
    answer = answer_to(question, Results(1 << 62))
    basis = np.column_stack([np.ones_like(nuisance), nuisance])

    def without(series: np.ndarray) -> np.ndarray:
        return series - basis @ np.linalg.lstsq(basis, series, rcond=None)[0]

    expected = pearsonr(without(data[voxel]), without(data[other])).statistic
    assert answer.image.frame(0)[other] == pytest.approx(expected, abs=1e-5)
    assert answer.notes["lost_degrees_of_freedom"] == 2
    assert "b" in answer.notes["collinear_columns"] or "a" in answer.notes["collinear_columns"]
    assert any(finding.code == "confounds-collinear" for finding in answer.findings)


def test_censoring_equals_leaving_volumes_out(small_run: Callable[..., Path], tmp_path: Path) -> None:
    path = small_run()
    image = nib.load(path)
    data = np.asarray(image.dataobj, np.float64)
    table = tmp_path / "confounds.tsv"
    displacement = np.full(data.shape[-1], 0.1)
    displacement[[5, 6, 30]] = 2.0
    table.write_text("framewise_displacement\n" + "\n".join(["n/a", *map(str, displacement[1:])]))
    preparation = Preparation(confounds=str(table), censor_fd_mm=0.5)
    voxel, other = (5, 6, 7), (16, 12, 6)
    mm = tuple(image.affine[:3, :3] @ voxel + image.affine[:3, 3])
    question = SeedCorrelation(FileMap(str(path)), PointSeed(mm), preparation)
    answer = answer_to(question, Results(1 << 62))
    kept = displacement <= 0.5
    expected = pearsonr(data[voxel][kept], data[other][kept]).statistic
    assert answer.image.frame(0)[other] == pytest.approx(expected, abs=1e-5)
    assert answer.notes["censored_volumes"] == 3
    assert answer.notes["residual_degrees_of_freedom"] == 60 - 3 - 1


def test_an_unmasked_run_gets_a_mask_and_says_so(small_run: Callable[..., Path]) -> None:
    path = small_run(masked=False)
    question = SeedCorrelation(FileMap(str(path)), PointSeed((-33.0, -45.0, 3.0)), Preparation())
    answer = answer_to(question, Results(1 << 62))
    assert answer.notes["brain"].startswith("automatic mask")
    assert np.isnan(answer.image.frame(0)[0]).all()  # air


def test_a_given_brain_mask_on_another_grid(small_run: Callable[..., Path], tmp_path: Path) -> None:
    path = small_run()
    affine = np.diag([12.0, 12.0, 12.0, 1.0])
    affine[:3, 3] = [-60, -72, -42]
    mask = np.zeros((11, 13, 8), np.uint8)
    mask[:5] = 1  # x < -6 mm or so
    nib.save(nib.Nifti1Image(mask, affine), tmp_path / "brain.nii.gz")
    got = seed_map(path, PointSeed((-33.0, -45.0, 3.0)), Preparation(brain=str(tmp_path / "brain.nii.gz")))
    ijk = np.argwhere(np.isfinite(got))
    mm = ijk @ nib.load(path).affine[:3, :3].T + nib.load(path).affine[:3, 3]
    assert mm[:, 0].max() < 0
    assert len(ijk) > 500


def test_a_region_as_seed(small_run: Callable[..., Path]) -> None:
    path = small_run()
    region = RegionMask("aal2", (7101,))  # thalamus L
    question = SeedCorrelation(FileMap(str(path)), MaskSeed(region), Preparation())
    answer = answer_to(question, Results(1 << 62))
    assert answer.notes["seed_voxels"] > 10


@pytest.mark.parametrize(
    ("place", "preparation", "says"),
    [
        (seeding.SeedPlace((900.0, 0.0, 0.0)), Preparation(), "outside its brain mask"),
        (seeding.SeedPlace(), Preparation(), "no seed is given"),
        (seeding.SeedPlace((0.0, 0.0, 0.0), mask="m.nii"), Preparation(), "more than one seed"),
        (seeding.SeedPlace((0.0, 0.0, 0.0)), Preparation(drop=59), "too few"),
        (seeding.SeedPlace((0.0, 0.0, 0.0)), Preparation(band_hz=(0.2, 0.1)), "is not a band"),
        (seeding.SeedPlace((0.0, 0.0, 0.0)), Preparation(detrend=80), "leave no degree of freedom"),
        (seeding.SeedPlace((0.0, 0.0, 0.0)), Preparation(censor_fd_mm=0.5), "needs its motion"),
        (seeding.SeedPlace((0.0, 0.0, 0.0)), Preparation(columns=("a",)), "no table"),
        (seeding.SeedPlace((0.0, 0.0, 0.0)), Preparation(confounds="nothere.tsv"), "nothere.tsv"),
        (seeding.SeedPlace(region="nowhere"), Preparation(), "no region"),
        (seeding.SeedPlace(region="Thalamus", atlas="aal2"), Preparation(), "two sides"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    small_run: Callable[..., Path], place: seeding.SeedPlace, preparation: Preparation, says: str
) -> None:
    with pytest.raises(Problem, match=says) as caught:
        seeding.seed(str(small_run()), place, preparation)
    assert "; " in str(caught.value)


def test_a_region_needs_a_known_space(small_run: Callable[..., Path]) -> None:
    path = small_run("sub-01_task-rest_space-T1w_bold.nii.gz")
    with pytest.raises(Problem, match="own space"):
        seeding.seed(str(path), seeding.SeedPlace(region="Habenula L"))


def test_the_map_and_its_record_are_written(small_run: Callable[..., Path], tmp_path: Path) -> None:
    path = small_run()
    out, prepared = tmp_path / "map.nii.gz", tmp_path / "prepared.nii.gz"
    place = seeding.SeedPlace((-33.0, -45.0, 3.0), 8.0)
    preparation = Preparation(fwhm_mm=8.0, detrend=1)
    found = seeding.seed(str(path), place, preparation, files=seeding.SeedFiles(str(out), str(prepared)))
    written = nib.load(out)
    assert written.get_data_dtype() == np.float32
    np.testing.assert_allclose(written.affine, nib.load(path).affine)
    np.testing.assert_array_equal(np.asarray(written.dataobj), found.image.frame(0))  # type: ignore[union-attr]
    record = json.loads((tmp_path / "map.json").read_text())
    assert record["parameters"]["seed_radius_mm"] == 8.0
    assert record["parameters"]["polynomial_order"] == 1
    assert record["inputs"][0]["name"] == path.name
    assert len(record["inputs"][0]["sha256"]) == 64
    series = np.asarray(nib.load(prepared).dataobj)
    assert series.shape == nib.load(path).shape
    inside = np.isfinite(series[..., 0])
    assert np.abs(series[inside].mean(axis=-1)).max() < 1e-3


def test_strategies_and_columns_by_name(tmp_path: Path) -> None:
    names = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z", "csf", "white_matter"]
    table = tmp_path / "c.tsv"
    table.write_text("\t".join(names) + "\n" + "\n".join("\t".join(["0.1"] * 8) for _ in range(4)))
    assert columns_named(str(table), "csf") == ("csf",)
    assert set(columns_named(str(table), "motion6,csf")) == {*names[:6], "csf"}
    with pytest.raises(Problem, match="no column nonsense"):
        columns_named(str(table), "nonsense")
    with pytest.raises(Problem, match="no table"):
        columns_named(None, "csf")
    assert columns_named(None, None) == ()
