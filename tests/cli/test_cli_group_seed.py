"""`habena group-seed` beside a plain account of the same by NumPy, SciPy and statsmodels."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
import pytest
import statsmodels.api as sm
from command_line import AFFINE, SHAPE, document, done, mm_of_voxels, refused, write_image
from habena.app import group_cost
from habena.app.recipes import GroupRun, Preparation
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy import stats

SEED_MM, SEED_IJK = (22.0, -17.0, 2.0), (7, 9, 7)
N = 12
EMPTY_IN_ONE = (11, 12, 8)  # outside the mask of one run


class Study(NamedTuple):
    """Runs, their table, and what it says."""

    folder: Path
    table: Path
    runs: list[NDArray[np.float32]]
    confounds: list[NDArray[np.float64]]
    group: NDArray[np.float64]
    age: NDArray[np.float64]
    grey: NDArray[np.float32]
    brain: NDArray[np.bool_]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Twelve runs of six people, two sessions each, with other lengths, of one network."""
    rng = np.random.default_rng(11)
    folder = tmp_path_factory.mktemp("study")
    mm = mm_of_voxels()
    brain = (np.abs(mm - (0, -5, 5)) < (30, 35, 25)).all(axis=-1)
    network = np.linalg.norm(mm - SEED_MM, axis=-1) < 25
    group = np.repeat(np.arange(6) % 2, 2).astype(float)
    age = np.repeat(np.round(rng.normal(40, 9, 6), 1), 2)
    runs, confounds, lines = [], [], ["id\tsession\tgroup\tage\trun\tconfounds\tgrey\tnote"]
    grey = (0.4 + 0.1 * rng.standard_normal((N, *SHAPE))).astype(np.float32)
    for k in range(N):
        volumes = 40 + k
        course = np.cumsum(rng.standard_normal(volumes))
        drift = np.cumsum(rng.standard_normal(volumes))
        strength = (1 + k % 2 + group[k]) * (0.6 + 0.3 * rng.random())
        data = 500 + 9 * rng.standard_normal((*SHAPE, volumes)) + 4 * strength * network[..., None] * course + 6 * drift
        data = np.where(brain[..., None], data, 0).astype(np.float32)
        if k == 4:
            data[EMPTY_IN_ONE] = 0
        name = f"sub-{k // 2:02d}_ses-{k % 2 + 1}_space-MNI152NLin6Asym_bold.nii.gz"
        write_image(folder / name, data)
        write_image(folder / f"grey{k}.nii.gz", grey[k])
        (folder / f"confounds{k}.tsv").write_text("drift\n" + "\n".join(f"{value:.9f}" for value in drift) + "\n")
        person = f"{k // 2:03d}\t{('pre', 'post')[k % 2]}\t{'ab'[int(group[k])]}\t{age[k]}"
        lines.append(f"{person}\t{name}\tconfounds{k}.tsv\tgrey{k}.nii.gz\t{'n/a' if k == 2 else k}")
        runs.append(data)
        confounds.append(np.round(drift, 9)[:, None])
    table = folder / "study.tsv"
    table.write_text("\n".join(lines) + "\n")
    shared = brain.copy()
    shared[EMPTY_IN_ONE] = False
    return Study(folder, table, runs, confounds, group, age, grey, shared)


def z_maps(study: Study, seed: tuple[Any, ...] = SEED_IJK, *, confounds: bool = False) -> NDArray[np.float64]:
    """Fisher z of each run, (N, *SHAPE)."""
    made = []
    for k, run in enumerate(study.runs):
        x = np.ones((run.shape[3], 1))
        x = np.column_stack([x, study.confounds[k]]) if confounds else x
        rows = run.astype(np.float64).reshape(-1, run.shape[3])
        rows = (rows - (x @ np.linalg.lstsq(x, rows.T)[0]).T).reshape(run.shape)
        course = rows[seed] if rows[seed].ndim == 1 else rows[seed].mean(axis=0)
        with np.errstate(invalid="ignore"):
            r = rows @ course / np.linalg.norm(rows, axis=-1) / np.linalg.norm(course)
        made.append(np.arctanh(np.clip(r, -np.tanh(4), np.tanh(4))))
    return np.stack(made)


def run(study: Study, out: Path, *more: object, at: bool = True) -> dict[str, Any]:
    place = ("--at", "22,-17,2") if at else ()
    return document("group-seed", study.table, *place, "-o", out, *more)


def read(found: dict[str, Any], name: str) -> NDArray[np.float64]:
    return np.asarray(nib.load(found["maps"][name]).dataobj, np.float64)


def brain_but_seed(study: Study) -> NDArray[np.bool_]:
    inside = study.brain.copy()
    inside[SEED_IJK] = False
    return inside


def test_by_default_the_mean_over_runs_is_tested(study: Study, tmp_path: Path) -> None:
    found = run(study, tmp_path / "maps")
    z, inside = z_maps(study), brain_but_seed(study)
    expected = stats.ttest_1samp(z[:, inside], 0)
    assert (found["n"], found["residual_df"], found["runs"]) == (12, 11, 12)
    assert found["voxels"] == study.brain.sum()
    assert found["design"] == {"columns": ["Intercept"]}
    assert found["tests"] == [{"name": "mean", "statistic": "t", "df": [1.0, 11.0]}]
    assert set(found["maps"]) == {"t", "neglog10-p", "estimate", "mean-r", "n"}
    assert_allclose(read(found, "t")[inside], expected.statistic, rtol=1e-3, atol=1e-4)
    assert_allclose(read(found, "neglog10-p")[inside], -np.log10(expected.pvalue), rtol=2e-3, atol=1e-4)
    assert_allclose(read(found, "estimate")[inside], z.mean(axis=0)[inside], atol=2e-5)
    assert_allclose(read(found, "mean-r")[inside], np.tanh(z.mean(axis=0))[inside], atol=2e-5)
    assert np.isnan(read(found, "t")[~study.brain]).all()
    assert read(found, "n")[EMPTY_IN_ONE] == 11
    assert read(found, "n")[SEED_IJK] == 12


def test_the_seed_voxel_has_no_t_and_a_finding_says_so(study: Study, tmp_path: Path) -> None:
    found = run(study, tmp_path / "maps")
    assert np.isnan(read(found, "t")[SEED_IJK])
    assert "no-statistic" in [finding["code"] for finding in found["warnings"]]


def test_maps_lie_on_the_runs_grid_with_a_record_of_everything(study: Study, tmp_path: Path) -> None:
    found = run(study, tmp_path / "maps", "--detrend", "1")
    image = nib.load(found["maps"]["t"])
    assert_allclose(image.affine, AFFINE)
    assert image.get_data_dtype() == np.float32
    record = json.loads(Path(found["maps"]["t"].replace(".nii.gz", ".json")).read_text())
    assert record["Units"] == "t(11), n = 12, uncorrected"
    assert record["parameters"]["polynomial_order"] == 1
    assert record["parameters"]["formula"] == "~ 1"
    assert record["parameters"]["seed_mm"] == [22.0, -17.0, 2.0]
    assert [each["volumes"] for each in record["parameters"]["runs"]] == [40 + k for k in range(N)]
    names = [each["name"] for each in record["inputs"]]
    assert names[0] == "study.tsv"
    assert sum(name.endswith("_bold.nii.gz") for name in names) == N
    assert json.loads((tmp_path / "maps" / "neglog10-p.json").read_text())["Units"].startswith("-log10 p")


def test_groups_and_covariates_equal_statsmodels(study: Study, tmp_path: Path) -> None:
    found = run(study, tmp_path / "maps", "--formula", "~ group + age", "--contrast", "older=0.5*group[T.b] - age")
    assert found["design"]["columns"] == ["Intercept", "group[T.b]", "age"]
    assert found["residual_df"] == 9
    z, t = z_maps(study), read(found, "t")
    x = np.column_stack([np.ones(N), study.group, study.age])
    for ijk in np.argwhere(brain_but_seed(study))[::37]:
        expected = sm.OLS(z[(slice(None), *ijk)], x).fit().t_test([0, 0.5, -1])
        assert_allclose(t[tuple(ijk)], expected.tvalue.item(), rtol=5e-3, atol=1e-3)


def test_a_term_of_several_columns_is_tested_by_f(study: Study, tmp_path: Path) -> None:
    found = run(study, tmp_path / "maps", "--formula", "~ group + age", "--contrast", "both=0 1 0; 0 0 1")
    assert found["tests"] == [{"name": "both", "statistic": "F", "df": [2.0, 9.0]}]
    assert set(found["maps"]) == {"F", "neglog10-p", "mean-r", "n"}


def test_two_sessions_are_tested_as_differences_within_people(study: Study, tmp_path: Path) -> None:
    found = run(study, tmp_path / "maps", "--subject", "id", "--within", "session")
    z, inside = z_maps(study), brain_but_seed(study)
    expected = stats.ttest_rel(z[1::2], z[::2])
    assert (found["n"], found["runs"], found["residual_df"]) == (6, 12, 5)
    assert found["tests"][0]["name"] == "session[post - pre]"  # as the table has them: the second less the first
    assert_allclose(read(found, "t")[inside], expected.statistic[inside], rtol=5e-3, atol=1e-3)


def test_group_by_time_is_the_group_effect_on_the_difference(study: Study, tmp_path: Path) -> None:
    pairs = ("--subject", "id", "--within", "session", "--formula", "~ group * session")
    found = run(study, tmp_path / "maps", *pairs, "--contrast", "group[T.b]:session[post - pre]")
    z, inside = z_maps(study), brain_but_seed(study)
    change, group = z[1::2] - z[::2], study.group[::2] > 0
    expected = stats.ttest_ind(change[group], change[~group])
    assert_allclose(read(found, "t")[inside], expected.statistic[inside], rtol=5e-3, atol=1e-3)


def test_a_term_without_the_sessions_is_tested_on_their_means(study: Study, tmp_path: Path) -> None:
    pairs = ("--subject", "id", "--within", "session", "--formula", "~ group * session")
    found = run(study, tmp_path / "maps", *pairs, "--contrast", "group[T.b]")
    z, inside = z_maps(study), brain_but_seed(study)
    mean, group = (z[1::2] + z[::2]) / 2, study.group[::2] > 0
    expected = stats.ttest_ind(mean[group][:, inside], mean[~group][:, inside])
    assert_allclose(read(found, "t")[inside], expected.statistic, rtol=5e-3, atol=1e-3)


def test_who_misses_a_session_or_a_value_is_left_out_by_name(study: Study, tmp_path: Path) -> None:
    lines = study.table.read_text().splitlines()
    (study.folder / "less.tsv").write_text("\n".join(lines[:6] + lines[7:]) + "\n")
    less = study._replace(table=study.folder / "less.tsv")
    found = run(less, tmp_path / "maps", "--subject", "id", "--within", "session")
    assert (found["n"], found["runs"]) == (5, 10)
    said = [finding["message"] for finding in found["warnings"] if finding["code"] == "subject-left-out"]
    assert any("'002' is left out" in message for message in said)
    found = run(study, tmp_path / "other", "--formula", "~ note")
    assert (found["n"], found["runs"]) == (11, 11)
    assert any("note is missing" in finding["message"] for finding in found["warnings"])
    nobody = spoil(study, "nobody.tsv", lambda rows: [row.replace("id\t", "scan\t", 1) for row in rows])
    found = run(study._replace(table=nobody), tmp_path / "third", "--formula", "~ note")
    assert any(finding["message"].startswith("row 3 is left out: ") for finding in found["warnings"])


def test_a_voxelwise_covariate_equals_statsmodels(study: Study, tmp_path: Path) -> None:
    found = run(study, tmp_path / "maps", "--voxelwise", "grey")
    own = run(study, tmp_path / "own", "--voxelwise", "grey", "--contrast", "grey")
    assert found["design"]["columns"] == ["Intercept", "grey"]
    assert found["residual_df"] == own["residual_df"] == 10
    z, t, t_own = z_maps(study), read(found, "t"), read(own, "t")
    for ijk in np.argwhere(brain_but_seed(study))[::53]:
        at = (slice(None), *ijk)
        grey = study.grey[at].astype(np.float64)
        fitted = sm.OLS(z[at], np.column_stack([np.ones(N), grey - grey.mean()])).fit()
        assert_allclose([t[tuple(ijk)], t_own[tuple(ijk)]], fitted.tvalues, rtol=5e-3, atol=1e-3)


def ols_t(y: NDArray[np.float64], x: NDArray[np.float64]) -> float:
    """T of the mean of y at the mean of a covariate."""
    return float(sm.OLS(y, np.column_stack([np.ones(len(y)), x - x.mean()])).fit().tvalues[0])


def test_a_covariate_of_scans_is_subtracted_and_one_of_people_is_taken_as_it_is(study: Study, tmp_path: Path) -> None:
    pairs = ("--subject", "id", "--within", "session", "--voxelwise", "grey", "--contrast", "session[post - pre]")
    of_people = spoil(
        study,
        "people.tsv",
        lambda rows: [row.replace(f"grey{k}.", f"grey{k & ~1}.") for k, row in enumerate(rows, start=-1)],
    )
    of_scans = run(study, tmp_path / "scans", *pairs)
    steady = run(study._replace(table=of_people), tmp_path / "people", *pairs)
    z, grey = z_maps(study), study.grey.astype(np.float64)
    assert of_scans["residual_df"] == steady["residual_df"] == 4
    for ijk in np.argwhere(brain_but_seed(study))[::97]:
        at = (slice(None), *ijk)
        change = z[at][1::2] - z[at][::2]
        expected = ols_t(change, grey[at][1::2] - grey[at][::2]), ols_t(change, grey[at][::2])
        found = read(of_scans, "t")[tuple(ijk)], read(steady, "t")[tuple(ijk)]
        assert_allclose(found, expected, rtol=1e-2, atol=2e-3)


def test_a_covariate_on_another_grid_is_interpolated(study: Study, tmp_path: Path) -> None:
    fine = np.diag([3.0, 3.0, 3.0, 1.0])
    fine[:3, 3] = [-60, -70, -50]
    mm = np.stack(np.indices((40, 50, 40)), axis=-1) @ fine[:3, :3].T + fine[:3, 3]
    slopes = np.random.default_rng(4).normal(0, 1, (N, 2))
    for k, (x, z) in enumerate(slopes):  # linear in place: linear interpolation is exact
        write_image(study.folder / f"fine{k}.nii.gz", (100 + x * mm[..., 0] + z * mm[..., 2]).astype(np.float32), fine)
    table = spoil(study, "fine.tsv", lambda rows: [rows[0], *(row.replace("grey", "fine") for row in rows[1:])])
    found = run(study._replace(table=table), tmp_path / "maps", "--voxelwise", "grey")
    z, t, places = z_maps(study), read(found, "t"), mm_of_voxels()
    for ijk in np.argwhere(brain_but_seed(study))[::97]:
        x, _, up = places[tuple(ijk)]
        assert_allclose(t[tuple(ijk)], ols_t(z[(slice(None), *ijk)], slopes @ (x, up)), rtol=1e-2, atol=2e-3)


def test_each_run_is_cleaned_of_its_own_confounds(study: Study, tmp_path: Path) -> None:
    found = run(study, tmp_path / "maps", "--confounds-column", "confounds", "--columns", "drift")
    z, inside = z_maps(study, confounds=True), brain_but_seed(study)
    assert_allclose(read(found, "estimate")[inside], z.mean(axis=0)[inside], atol=2e-5)


def test_spheres_masks_and_regions_average_each_runs_own_series(study: Study, tmp_path: Path) -> None:
    near = (np.linalg.norm(mm_of_voxels() - SEED_MM, axis=-1) <= 8) & study.brain
    expected = z_maps(study, np.nonzero(near)).mean(axis=0)
    write_image(study.folder / "mask.nii.gz", near.astype(np.uint8))
    sphere = run(study, tmp_path / "sphere", "--radius", "8")
    mask = run(study, tmp_path / "mask", "--mask", study.folder / "mask.nii.gz", at=False)
    for found in (sphere, mask):
        assert found["parameters"]["seed_voxels"] == near.sum()
        assert_allclose(read(found, "estimate")[study.brain], expected[study.brain], atol=2e-5)
    region = run(study, tmp_path / "region", "--region", "Thalamus R", "--atlas", "aal2", at=False)
    assert region["parameters"]["seed_atlas"] == "aal2"
    assert np.isfinite(read(region, "t")).any()


@pytest.mark.parametrize(("share", "store"), [(0.6, "int16"), (0.3, "int8")])
def test_what_does_not_fit_is_held_smaller_and_the_error_is_said(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, store: str
) -> None:
    exact = run(study, tmp_path / "exact")
    cost = group_cost.group_cost(
        [GroupRun(str(study.folder / each["run"])) for each in exact["parameters"]["runs"]],
        Preparation(),
    )
    assert cost.store == "float32"
    assert "float32" in cost.in_words
    assert_allclose(cost.voxels, study.brain.sum(), rtol=0.01)
    monkeypatch.setattr(group_cost, "available", lambda _: int(share * cost.nbytes()))
    small = run(study, tmp_path / "small")
    said = next(finding for finding in small["warnings"] if finding["code"] == "compact-store")
    assert (said["where"], small["parameters"]["store"]) == (store, store)
    assert 0 < said["value"] == small["parameters"]["error_r"] < 0.02
    error = np.abs(read(small, "mean-r") - read(exact, "mean-r"))
    assert 0 < np.nanmax(error) < 2 * said["value"]


def test_too_little_memory_is_found_out_before_the_runs_are_held(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_cost, "available", lambda _: 1000)
    assert "12 runs need" in refused("group-seed", study.table, "--at", "22,-17,2", "-o", tmp_path / "maps")
    assert not (tmp_path / "maps").exists()


def test_without_json_the_model_and_the_files_are_printed(study: Study, tmp_path: Path) -> None:
    said = done("group-seed", study.table, "--at", "22,-17,2", "-o", tmp_path / "maps").out
    assert "mean: t(11), 12 observations of 12 runs" in said
    assert str(tmp_path / "maps" / "mean-r.nii.gz") in said


def spoil(study: Study, name: str, change: Callable[[list[str]], list[str]]) -> Path:
    path = study.folder / name
    path.write_text("\n".join(change(study.table.read_text().splitlines())) + "\n")
    return path


def test_what_cannot_be_done_is_refused_in_one_sentence(study: Study, tmp_path: Path) -> None:
    write_image(study.folder / "other_grid.nii.gz", study.runs[0][:-1])
    shifted = AFFINE.copy()
    shifted[0, 3] += 4
    write_image(study.folder / "shifted.nii.gz", study.runs[0], shifted)
    first = "sub-00_ses-1_space-MNI152NLin6Asym_bold"
    others = [line.replace("ses-1", "third") for line in study.table.read_text().splitlines()[1::2]]
    for line in others:
        (study.folder / line.split("\t")[4]).write_bytes(b"never read")
    tables = {
        "other_grid": spoil(
            study,
            "a.tsv",
            lambda rows: [*rows, rows[1].replace(first, "other_grid")],
        ),
        "shifted": spoil(study, "b.tsv", lambda rows: [*rows, rows[1].replace(first, "shifted")]),
        "flat": spoil(study, "g.tsv", lambda rows: [rows[0], rows[1].replace(first, "grey0"), *rows[2:]]),
        "twice": spoil(study, "c.tsv", lambda rows: [*rows, rows[1]]),
        "gone": spoil(study, "d.tsv", lambda rows: [*rows, rows[1].replace("sub-00", "sub-99")]),
        "three": spoil(study, "e.tsv", lambda rows: [*rows, *(row.replace("pre", "third") for row in others)]),
        "double": spoil(study, "f.tsv", lambda rows: [*rows[:-1], rows[-1].replace("005\tpost", "005\tpre")]),
    }
    at, out = ("--at", "22,-17,2"), ("-o", tmp_path / "maps")

    def said(table: Path, *more: object) -> str:
        return refused("group-seed", table, *at, *out, *more)

    assert "another grid (25×24×16) than the first run (26×24×16)" in said(tables["other_grid"])
    assert "another affine than the first run" in said(tables["shifted"])
    assert "named twice" in said(tables["twice"])
    assert "keeps 1 of its volumes" in said(tables["flat"])
    assert "row 13 names sub-99" in said(tables["gone"])
    assert "session has 3 levels" in said(tables["three"], "--subject", "id", "--within", "session")
    assert "'005' has two scans at session 'pre'" in said(tables["double"], "--subject", "id", "--within", "session")
    assert "belong together" in said(study.table, "--subject", "id")
    assert "has no column scans" in said(study.table, "--column", "scans")
    assert "near" in said(study.table, "--formula", "~ grup")
    assert "name one of" in said(study.table, "--formula", "~ group + age")
    assert "--confounds-column" in said(
        study.table, "--confounds", study.folder / "confounds0.tsv", "--columns", "drift"
    )
    assert "weighs the voxelwise" in said(study.table, "--voxelwise", "grey", "--contrast", "x=1 1")
    assert "outside the brain mask that all 12 runs share" in refused(
        "group-seed", study.table, "--at", "49,50,40", *out
    )
    assert "no seed is given" in refused("group-seed", study.table, *out)
    (tmp_path / "file").write_text("")
    assert "is a file" in refused("group-seed", study.table, *at, "-o", tmp_path / "file")
    assert "folder" in refused("group-seed", study.table, *at, "-o", tmp_path / "a" / "b")
