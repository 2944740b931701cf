"""Questions on graphs against NetworkX, statsmodels and SciPy on a tiny study, and on made values of regions."""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from graph_study import write_graph_study
from habena.app.io.study_table import paths_of, read_table
from habena.app.io.write import plain_json
from habena.app.problems import Problem
from habena.app.study.answering import answer
from habena.app.study.asking import Ask
from habena.app.study.graph_choices import DENSITIES
from habena.app.study.graph_data import Element, GraphData, graph_data
from habena.app.study.graph_questions import nodes_answered, with_voxels
from habena.app.study.graph_tests import Asked, factor_of, graph_tests
from habena.app.study.plan_graph import plan
from habena.app.study.planning import plan as plan_question
from habena.app.study.prepare_runs import matrix_of
from habena.app.study.prepared import prepare
from habena.app.study.reading import read_study
from habena.app.study.region_set import named_regions
from habena.app.study.rows import StudyRows
from habena.app.study.values import Choices, Study
from msgspec.structs import replace
from scipy import stats


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return read_study(write_graph_study(tmp_path_factory.mktemp("graphs") / "tiny"))


def asking(study: Study, **more: object) -> Ask:
    return replace(Ask(str(study.folder), "graph"), **more)


def made_data(values: np.ndarray, first: np.ndarray | None = None, **columns: object) -> GraphData:
    """Values of regions without runs."""
    n, size = values.shape
    frame = pd.DataFrame({"participant_id": [f"s{k}" for k in range(n)], **columns})
    elements = tuple(Element(f"r{k}", "L", "degree") for k in range(size))
    return GraphData(frame, elements, values, first, (), Choices(), (), (), SIMULATED)


SIMULATED = False
GROUP = "b less a=group[T.b]"


def test_a_region_s_degree_and_clustering_change_is_that_of_networkx_and_its_test_that_of_statsmodels(
    study: Study,
) -> None:
    made = plan(study, asking(study, densities=(0.2,), covariates=("fd_mean", "age")))
    data = graph_data(study, made)
    found = nodes_answered(study, made)
    assert made.formula == "metric_change ~ arm + fd_mean + age"
    place = ("Angular", "R")
    changes: dict[str, list[float]] = {"degree": [], "clustering": []}
    for who in data.frame["participant_id"]:
        values = [_networkx(study, who, session, made) for session in ("ses-baseline", "ses-day3")]
        for metric, own in changes.items():
            own.append(values[1][metric] - values[0][metric])
    for metric, own in changes.items():
        n = data.elements.index(Element(*place, metric))
        np.testing.assert_allclose(data.values[:, n], own, atol=1e-12)
        direct = smf.ols("y ~ C(arm, Treatment('midazolam')) + fd_mean + age", data.frame.assign(y=own)).fit()
        row = found.regions[n]
        assert (row.region, row.side, row.metric, row.atlas) == (*place, metric, "aal2")
        assert row.effect == pytest.approx(direct.params.iloc[1])
        assert row.statistic == pytest.approx(direct.tvalues.iloc[1])
        assert row.p == pytest.approx(direct.pvalues.iloc[1])
        assert row.ci == pytest.approx(tuple(direct.conf_int().iloc[1]))
        assert row.df == direct.df_resid


def _networkx(study: Study, who: str, session: str, made: object) -> dict[str, float]:
    scan = next(s for s in study.scans_of(kind="bold", participant=who) if s.session == session)
    found = matrix_of(scan, made.ask.choices)
    upper = np.triu_indices(len(found.matrix), 1)
    r = found.matrix[upper]
    kept = np.argsort(-r)[: int(0.2 * r.size + 0.5)]
    graph = nx.Graph()
    graph.add_nodes_from(found.names)
    graph.add_edges_from((found.names[upper[0][k]], found.names[upper[1][k]]) for k in kept)
    name = "Angular R"
    return {"degree": graph.degree[name], "clustering": nx.clustering(graph, name)}


def test_areas_under_the_curve_are_trapezoids_over_the_densities(study: Study) -> None:
    each = [graph_data(study, plan(study, asking(study, densities=(d,)))).values for d in (0.1, 0.2, 0.3)]
    area = graph_data(study, plan(study, asking(study, densities=(0.1, 0.2, 0.3)))).values
    np.testing.assert_allclose(area, np.trapezoid(each, (0.1, 0.2, 0.3), axis=0), atol=1e-12)


def test_the_answer_lists_every_region_and_what_lies_beside(study: Study) -> None:
    made = plan(study, asking(study))
    found = nodes_answered(study, made)
    assert made.ask.densities == DENSITIES
    assert made.ask.sessions == ("ses-baseline", "ses-day3")
    assert made.test == "ketamine less midazolam"
    assert "(group x time)" in made.words
    metrics = [row.metric for row in found.regions]
    assert metrics.count("degree") == metrics.count("clustering") - 1  # one of the whole graph
    assert all(row.p_fwe is None or row.p_fwe >= row.p / 3 for row in found.regions)
    assert found.details["tests"] == len([row for row in found.regions if np.isfinite(row.p)])
    assert set(found.tables) == {"nodes", "graphs", "motion", "scores", "score_correlations"}
    assert {"components", "negative-edges", "no-confounds"} <= {finding.code for finding in found.findings}
    assert "motion" not in {finding.code for finding in found.findings}
    assert any("multiverse" in said for said in found.words)
    assert len(found.inputs) >= 20
    json.loads(plain_json(dict(found.details)))


def test_scores_are_compared_by_welch_and_correlations_are_pearson_s(study: Study) -> None:
    made = plan(study, asking(study))
    found, data = nodes_answered(study, made), graph_data(study, made)
    wide = study.scores["hamd17"].pivot(index="participant_id", columns="session_id", values="hamd17_total")
    change = (wide["ses-day3"] - wide["ses-baseline"])[data.frame["participant_id"]].to_numpy()
    ketamine = (data.frame["arm"] == "ketamine").to_numpy()
    expected = stats.ttest_ind(change[ketamine], change[~ketamine], equal_var=False)
    table = found.tables["scores"].set_index("group")
    assert table.loc["ketamine", "t"] == pytest.approx(expected.statistic)
    assert table.loc["ketamine", "p"] == pytest.approx(expected.pvalue)
    assert table.loc["midazolam", "mean_change"] == pytest.approx(change[~ketamine].mean())
    row = found.tables["score_correlations"].iloc[3]
    assert row["r"] == pytest.approx(np.corrcoef(-change, data.values[:, 3])[0, 1])


def test_motion_that_follows_the_arm_is_told(tmp_path: Path) -> None:
    moved = read_study(write_graph_study(tmp_path / "moving", 6, moving=0.5))
    found = nodes_answered(moved, plan(moved, asking(moved, covariates=())))
    motion = next(finding for finding in found.findings if finding.code == "motion")
    assert motion.where == "arm x time"
    assert found.tables["motion"].query("group == 'ketamine' and session == 'day3'")["fd_mean"].item() > 0.6


def test_one_session_compares_groups_and_without_groups_relates_a_score(tmp_path: Path) -> None:
    healthy = read_study(write_graph_study(tmp_path / "groups", 8, healthy=True))
    made = plan(healthy, asking(healthy, densities=(0.2,)))
    assert made.formula.startswith("metric ~ group")
    assert made.test == "TRD less HC"
    assert made.models[0].study is not None
    assert made.models[0].study.per == "person"
    alone = Study(
        healthy.folder,
        "alone",
        SIMULATED,
        healthy.participants.drop(columns="group"),
        healthy.sessions,
        healthy.scores,
        healthy.scans,
    )
    score = plan(alone, asking(alone))
    assert score.test == "HAMD-17"
    assert "hamd17_total_baseline" in score.formula
    bare = Study(alone.folder, "bare", SIMULATED, alone.participants, alone.sessions, {}, alone.scans)
    with pytest.raises(Problem, match="no scores"):
        plan(bare, asking(bare))
    with pytest.raises(Problem, match="has no"):
        plan(Study(alone.folder, "none", SIMULATED, alone.participants, alone.sessions, {}, ()), asking(bare))


def test_the_plan_s_voxelwise_models_ask_the_same_of_every_voxel(study: Study) -> None:
    made = plan(study, asking(study, baseline=True))
    degree, clustering = made.models
    assert degree.study is not None
    assert clustering.study is not None
    assert (degree.study.measure, clustering.study.measure) == ("degree", "clustering")
    assert degree.study.per == "difference"
    assert degree.formula == made.formula.replace("metric", "degree")
    assert degree.voxelwise == (("first", "map_first"),)
    ((name, first),) = degree.study.beside
    assert (name, first.measure, first.per, first.sessions) == ("first", "degree", "person", ("ses-baseline",))
    one = plan(study, asking(study, measure="clustering")).models
    assert [model.study.measure for model in one if model.study] == ["clustering"]
    again = plan(study, made.ask)
    assert (again.formula, again.ask) == (made.formula, made.ask)


def test_the_map_of_degree_stands_beside_with_every_named_region_of_it(study: Study) -> None:
    found = with_voxels(nodes_answered(study, plan(study, asking(study, densities=(0.2,), covariates=()))))
    voxelwise = [row for row in found.regions if row.metric == "voxelwise degree"]
    assert [(row.region, row.side) for row in voxelwise] == [(each.name, each.side) for each in named_regions()]
    assert {"degree_t", "degree_effect"} <= set(found.maps)
    values, grid = found.maps["degree_t"]
    assert values.shape == grid.shape == (20, 24, 20)
    assert "map-on-request" in {finding.code for finding in found.findings}


def test_ancova_adjusts_each_region_for_its_own_first_value() -> None:
    rng = np.random.default_rng(2)
    first, change = rng.normal(size=(14, 5)), rng.normal(size=(14, 5))
    group, age = np.array(["a", "b"] * 7), rng.normal(40, 9, 14)
    found = graph_tests(made_data(change, first, group=group, age=age), Asked("y ~ group + first + age", GROUP, 99, 1))
    for n in range(5):
        table = pd.DataFrame({"y": change[:, n], "group": group, "first": first[:, n], "age": age})
        direct = smf.ols("y ~ group + first + age", table).fit()
        assert found.maps.statistic[n] == pytest.approx(direct.tvalues["group[T.b]"])
    assert found.permutations == 100


def test_groups_of_unequal_variance_are_compared_by_welch() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(15, 4)) * np.where(np.arange(15) < 5, 3.0, 1.0)[:, None]
    group = np.where(np.arange(15) < 5, "a", "b")
    found = graph_tests(made_data(values, group=group), Asked("y ~ group", GROUP, 50, 1, by_group=True))
    expected = stats.ttest_ind(values[5:], values[:5], equal_var=False)
    np.testing.assert_allclose(found.maps.statistic, expected.statistic)
    np.testing.assert_allclose(found.maps.p, expected.pvalue)


def test_a_planted_region_survives_and_one_that_does_not_vary_is_no_test() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=(24, 30))
    values[::2, 7] += 3
    values[:, 9] = 4
    group = np.array(["b", "a"] * 12)
    found = graph_tests(made_data(values, group=group), Asked("y ~ group", GROUP, 500, 1))
    assert np.flatnonzero(found.p_fwe < 0.05).tolist() == [7]
    assert np.isnan(found.p_fwe[9])
    assert found.tested.size == 29
    assert found.q[7] < 0.05


def test_over_null_studies_any_region_is_found_at_the_level_of_the_correction() -> None:
    found = 0
    for seed in range(80):
        rng = np.random.default_rng(seed)
        common = rng.normal(size=(12, 1))
        values = rng.normal(size=(12, 20)) + common
        data = made_data(values, group=np.array(["a", "b"] * 6), age=rng.normal(size=12))
        found += bool((graph_tests(data, Asked("y ~ group + age", GROUP, 99, seed)).p_fwe <= 0.05).any())
    assert stats.binomtest(found, 80, 0.05).pvalue > 0.001


def test_the_column_of_groups_is_read_from_the_contrast() -> None:
    assert factor_of("k less m=-1*arm[T.m]") == "arm"
    assert factor_of("k less m=`the arm`[T.m]") == "the arm"
    assert factor_of("HAMD-17=hamd17_total_baseline") is None


def test_metrics_and_densities_that_there_are_not_are_refused(study: Study) -> None:
    with pytest.raises(Problem, match="no metric hubness"):
        plan(study, asking(study, metrics=("hubness",)))
    with pytest.raises(Problem, match="no share"):
        plan(study, asking(study, densities=(1.5,)))


def test_pet_on_degree_is_fitted_voxel_by_voxel_to_the_two_scans_of_the_same_people(tmp_path: Path) -> None:
    folder = write_graph_study(tmp_path / "both", 8)
    runs = prepare(StudyRows(str(folder), "degree", per="person", sessions=("ses-baseline",)))
    maps = paths_of(read_table(runs.table), "map")
    rng = np.random.default_rng(6)
    pet, degree = [], []
    for k, path in enumerate(maps):
        image = nib.load(path)
        own = np.nan_to_num(np.asarray(image.dataobj, np.float64))
        values = 2 + 0.004 * own + rng.normal(0, 0.05, own.shape)
        values[own == 0] = 0
        place = folder / f"sub-K{k:02d}" / "ses-baseline" / "pet"
        place.mkdir()
        name = f"sub-K{k:02d}_ses-baseline_trc-K2_space-MNI152NLin2009aSym_desc-suvr_pet.nii.gz"
        nib.save(nib.Nifti1Image(values.astype(np.float32), image.affine), place / name)
        pet.append(values.astype(np.float32))
        degree.append(own)
    both = read_study(folder)
    asked = Ask(str(folder), "formula", formula="suvr ~ degree", voxelwise=(("degree", "degree"),))
    found = answer(plan_question(both, asked))
    effect, _ = found.maps["effect"]
    assert np.nanmedian(effect) == pytest.approx(0.004, rel=0.3)
    at = (12, 10, 11)
    direct = stats.linregress([each[at] for each in degree], [each[at] for each in pet])
    assert effect[at] == pytest.approx(direct.slope, rel=1e-3)
    assert found.maps["t"][0][at] == pytest.approx(direct.slope / direct.stderr, rel=1e-3)
