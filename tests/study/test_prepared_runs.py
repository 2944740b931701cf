"""Runs of a study: voxelwise maps and graphs of regions are those of the run alone; changes and areas by hand."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from habena.app.graphs import Cut, RunOptions, graph
from habena.app.preparation import Preparation
from habena.app.problems import Problem
from habena.app.study.prepared import prepare_study
from habena.app.study.rows import StudyRows
from habena.app.study.values import Choices, Scan, Study
from habena.app.voxel_graphs import VoxelGraph, voxel_graph
from msgspec.structs import replace
from prepared_study import AFFINE, PEOPLE, SHAPE, SPACE, images, mm, study_of, table, write

VOLUMES = 40
PREPARATION = Preparation(detrend=1)
CHOICES = Choices(preparation=PREPARATION, strategy="motion6", density=0.1)
BRAIN = (np.abs(mm() - np.array([0, -18, 8])) < np.array([60, 75, 50])).all(axis=-1)
MOTION = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")


def run_of(folder: Path, person: str, session: str, seed: int) -> Scan:
    """A run with a front and a back network, its mask and its confounds."""
    rng = np.random.default_rng(seed)
    name = f"{person}_{session}_task-rest"
    func = folder / person / session / "func"
    waves = rng.normal(size=(2, VOLUMES))
    front = (mm()[..., 1] > -20).astype(int)
    data = 1000 + 10 * BRAIN[..., None] * (waves[front] + 2 * rng.normal(size=(*SHAPE, VOLUMES)))
    data *= BRAIN[..., None]
    path = write(func / f"{name}_space-{SPACE}_desc-preproc_bold.nii.gz", data, sidecar={"RepetitionTime": 2.0})
    mask = write(func / f"{name}_space-{SPACE}_desc-brain_mask.nii.gz", BRAIN.astype(np.float32))
    confounds = pd.DataFrame(rng.normal(scale=0.1, size=(VOLUMES, 6)), columns=list(MOTION))
    confounds["framewise_displacement"] = [np.nan, *np.full(VOLUMES - 1, 0.1 * (seed + 1))]
    tsv = func / f"{name}_desc-confounds_timeseries.tsv"
    confounds.to_csv(tsv, sep="\t", na_rep="n/a", index=False)
    return Scan(person, session, "bold", path, SPACE, (("task", "rest"),), confounds=tsv, mask=mask)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("bold")
    sessions = ("ses-pre", "ses-post")
    scans = [run_of(folder, who, ses, 2 * n + k) for n, who in enumerate(PEOPLE) for k, ses in enumerate(sessions)]
    return study_of(folder, scans)


def own(scan: Scan) -> Preparation:
    """What the study does to a run, said for that run alone."""
    return replace(PREPARATION, confounds=str(scan.confounds), columns=MOTION, brain=str(scan.mask))


@pytest.mark.parametrize("measure", ["degree", "clustering"])
def test_a_voxelwise_map_is_that_of_the_run_alone(study: Study, measure: str) -> None:
    made = prepare_study(study, StudyRows("s", measure, CHOICES, per="scan", where=(("age", "30.0"),)))
    brain = None
    for values, scan in zip(images(made), study.scans[:2], strict=True):
        alone = voxel_graph(str(scan.path), measure, VoxelGraph(density=0.1), own(scan)).image.frame(0)
        brain = np.isfinite(values)
        assert brain.sum() > 500
        np.testing.assert_array_equal(values[brain], alone[brain])
    assert table(made)["fd_mean"].tolist() == pytest.approx([0.1, 0.2])


def test_region_metrics_are_those_of_the_runs_graph(study: Study) -> None:
    rows = StudyRows("s", "regions", CHOICES, per="scan", metrics=("degree", "clustering", "global_efficiency"))
    made = prepare_study(study, rows)
    regions = pd.read_csv(made.data, sep="\t")
    cut = Cut((0.1,), metrics=("degree", "clustering", "global_efficiency"))
    for number, scan in enumerate(study.scans):
        alone = graph(str(scan.path), cut, RunOptions(preparation=own(scan)))
        (told,) = alone.graphs
        for metric in ("degree", "clustering"):
            columns = [f"{name.replace(' ', '_')}:{metric}" for name in alone.names]
            np.testing.assert_allclose(regions.loc[number, columns].astype(float), told["nodal"][metric], rtol=1e-12)
        assert regions.loc[number, "global:global_efficiency"] == pytest.approx(told["global"]["global_efficiency"])
        assert table(made)["mean_connectivity"][number] == pytest.approx(told["mean_connectivity"])


def test_a_change_of_regions_is_second_less_first_and_so_are_motion_and_mean_connectivity(study: Study) -> None:
    scans, change = (
        prepare_study(study, StudyRows("s", "regions", CHOICES, per=per)) for per in ("scan", "difference")
    )
    each, differences = pd.read_csv(scans.data, sep="\t"), pd.read_csv(change.data, sep="\t")
    np.testing.assert_allclose(differences, each[1::2].to_numpy() - each[0::2].to_numpy(), atol=1e-12)
    for name in ("fd_mean", "mean_connectivity"):
        values = table(scans)[name].to_numpy()
        np.testing.assert_allclose(table(change)[name], values[1::2] - values[0::2], atol=1e-12)


def test_several_densities_give_the_area_by_trapezoids(study: Study) -> None:
    rows = StudyRows("s", "regions", CHOICES, metrics=("degree",))
    three = [
        pd.read_csv(prepare_study(study, replace(rows, densities=(density,))).data, sep="\t").to_numpy()
        for density in (0.1, 0.2, 0.3)
    ]
    area = pd.read_csv(prepare_study(study, replace(rows, densities=(0.1, 0.2, 0.3))).data, sep="\t")
    np.testing.assert_allclose(area, 0.1 * (three[0] / 2 + three[1] + three[2] / 2), rtol=1e-12)


def test_regions_that_one_run_does_not_cover_are_left_out_for_all(study: Study, tmp_path: Path) -> None:
    scan = study.scans[0]
    half = write(tmp_path / "half.nii.gz", (BRAIN & (mm()[..., 0] < 0)).astype(np.float32))
    cut = replace(scan, mask=half)
    made = prepare_study(
        study_of(study.folder, (cut, *study.scans[1:])), StudyRows("s", "regions", CHOICES, metrics=("degree",))
    )
    columns = pd.read_csv(made.data, sep="\t").columns
    assert "Angular_L:degree" in columns
    assert "Angular_R:degree" not in columns
    assert any(finding.code == "regions-not-in-all" for finding in made.findings)


def test_a_run_without_confounds_costs_its_person_when_a_strategy_needs_them(study: Study, tmp_path: Path) -> None:
    lonely = write(tmp_path / f"sub-A_task-rest_space-{SPACE}_bold.nii.gz", np.ones((*SHAPE, 5)), AFFINE)
    scans = (replace(study.scans[0], path=lonely, confounds=None), *study.scans[1:])
    made = prepare_study(study_of(study.folder, scans), StudyRows("s", "degree", CHOICES))
    assert table(made)["participant_id"].tolist() == ["sub-B", "sub-C"]
    (said,) = (finding for finding in made.findings if finding.code == "subject-left-out")
    assert "confounds" in said.message


def test_an_unknown_metric_or_density_is_refused_before_anything_is_read(study: Study) -> None:
    with pytest.raises(Problem, match="no metric beauty"):
        prepare_study(study, StudyRows("s", "regions", CHOICES, metrics=("beauty",)))
    with pytest.raises(Problem, match="no share of all pairs"):
        prepare_study(study, StudyRows("s", "regions", CHOICES, densities=(1.5,)))


def test_degree_lies_beside_another_measure_with_a_mask_that_it_covers(study: Study) -> None:
    clustering = StudyRows("s", "clustering", CHOICES)
    made = prepare_study(study, StudyRows("s", "degree", CHOICES, beside=(("clustering", clustering),)))
    alone = images(prepare_study(study, clustering))
    for values, expected in zip(images(made, "map_clustering"), alone, strict=True):
        np.testing.assert_array_equal(values, expected)
    assert made.mask is not None


def test_runs_without_motion_are_said_and_have_no_number(study: Study, tmp_path: Path) -> None:
    folder = tmp_path / "alone"
    alone = write(folder / study.scans[0].path.name, np.asarray(nib.load(study.scans[0].path).dataobj))
    scans = (replace(study.scans[0], path=alone, confounds=None), *study.scans[1:])
    made = prepare_study(study_of(study.folder, scans), StudyRows("s", "regions", replace(CHOICES, strategy="")))
    assert table(made)["fd_mean"].isna().tolist() == [True, False, False]
    (said,) = (finding for finding in made.findings if finding.code == "motion-unknown")
    assert said.where == "sub-A"
