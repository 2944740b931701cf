"""From runs to matrices and from matrices to painted graphs, beside plain NumPy; and graphs as files."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import networkx as nx
import nibabel as nib
import numpy as np
import pytest
from habena.app.answers import ArrayImage
from habena.app.compute import answer_to
from habena.app.connectome import Connectome, confounds_beside, mean_of
from habena.app.display import wants_colour_bar
from habena.app.graph_answers import GraphAnswer, graph_answer
from habena.app.graph_export import graphml, matrix_tsv, nodes_tsv
from habena.app.grid import Grid
from habena.app.panels.connectivity_data import titled
from habena.app.panels.connectivity_look import fitted, is_fitted
from habena.app.panels.connectivity_show import (
    arrangement_of,
    counts_of,
    entry_text,
    facts_of,
    links_of,
    nodes_of,
    number_rows,
)
from habena.app.problems import Problem
from habena.app.questions import AtlasData
from habena.app.recipes import EdgeRule, FileMap, GraphMetric, MatrixFile, Preparation, RegionMatrix
from habena.app.resolve import of_each_run
from habena.app.results import Results
from habena.app.saved import absolute, files_of, relative
from habena.app.state import Colours, Overlay, ViewState
from habena.stats.correlate import fisher_z

RULE = EdgeRule(density=0.3)


def connectome(n: int = 8, seed: int = 0, *, sides: str = "LR") -> Connectome:
    matrix = np.corrcoef(np.random.default_rng(seed).standard_normal((n, 30)))
    names = tuple(f"Area {k // 2} {sides[k % 2]}" for k in range(n))
    return Connectome("some run", matrix, names, tuple(sides[k % 2] for k in range(n)))


def graph(*matrices: Connectome, rule: EdgeRule = RULE, shown: str = "a", metric: str = "degree") -> GraphAnswer:
    b = MatrixFile("b") if len(matrices) > 1 else None
    return graph_answer(GraphMetric(MatrixFile("a"), b, shown, rule, metric), matrices, None)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> tuple[Path, Path]:
    """Two masked runs on a grid of 6 mm in MNI space."""
    folder = tmp_path_factory.mktemp("runs")
    paths = []
    for number in range(2):
        rng = np.random.default_rng(number)
        values = 500 + 20 * (rng.standard_normal((22, 26, 16, 40)) + rng.standard_normal(40))
        affine = np.diag([6.0, 6.0, 6.0, 1.0])
        affine[:3, 3] = [-63, -75, -45]
        image = nib.Nifti1Image(values.astype(np.float32), affine)
        image.header.set_zooms((6, 6, 6, 2.0))
        image.header.set_xyzt_units("mm", "sec")
        paths.append(folder / f"sub-0{number}_space-MNI152NLin6Asym_bold.nii")
        nib.save(image, paths[-1])
    mask = nib.Nifti1Image(np.ones((22, 26, 16), np.uint8), affine)
    nib.save(mask, folder / "mask.nii")
    return paths[0], paths[1]


@pytest.fixture(scope="module")
def results() -> Results:
    return Results(1 << 40)


@pytest.fixture(scope="module")
def prepared(runs) -> Preparation:
    return Preparation(detrend=1, brain=str(runs[0].with_name("mask.nii")))


def test_a_matrix_is_the_correlation_of_the_regions_mean_series_without_the_drift(runs, results, prepared):
    matrix: Connectome = answer_to(RegionMatrix((FileMap(str(runs[0])),), "aal2", prepared), results)
    image = nib.load(runs[0])
    atlas = results.get(AtlasData("aal2"))
    labels = atlas.labels_on(Grid((22, 26, 16), image.affine))
    values = np.asarray(image.dataobj)
    series = np.array([values[labels == label].mean(axis=0) for label in matrix.labels])
    drift = np.polynomial.polynomial.polyvander(np.arange(40.0), 1)
    series -= series @ drift @ np.linalg.pinv(drift)
    assert np.allclose(matrix.matrix, np.corrcoef(series), atol=1e-5)
    present = set(np.unique(labels[labels > 0]).tolist())
    assert set(matrix.labels.tolist()) == present
    (missing,) = [finding for finding in matrix.findings if finding.code == "regions-missing"]
    assert missing.value == len(atlas.regions) - len(present)
    for label, place in zip(matrix.labels[:5], matrix.places_mm[:5], strict=True):
        assert atlas.labels_at([place])[0] == label


def test_several_runs_are_averaged_as_fisher_z_and_the_metric_is_painted(runs, results, prepared):
    both = RegionMatrix(tuple(FileMap(str(run)) for run in runs), "aal2", prepared)
    recipe = GraphMetric(both, rule=RULE, metric="clustering")
    answer: GraphAnswer = answer_to(recipe, results)
    singles = [results.get(each).matrix for each in of_each_run(both)]
    mean = answer.parts[0].connectome.matrix
    assert np.allclose(mean, np.where(np.eye(len(mean)), 1, np.tanh(fisher_z(np.array(singles)).mean(axis=0))))
    assert isinstance(answer.image, ArrayImage)
    place = answer.parts[0].connectome.places_mm[4]
    painted = answer.image.frame()[answer.image.grid.voxel_at(place)]
    assert painted == np.float32(answer.parts[0].metrics.nodal["clustering"][4])
    assert np.isnan(answer.image.frame()[0, 0, 0])
    assert wants_colour_bar(Overlay(1, recipe, "x", Colours("viridis")), answer)


def test_a_run_of_another_space_is_refused(runs, results, prepared, tmp_path):
    image = nib.load(runs[0])
    path = tmp_path / "sub-01_space-Talairach_bold.nii"
    nib.save(image, path)
    with pytest.raises(Problem, match="Talairach"):
        answer_to(RegionMatrix((FileMap(str(path)),), "aal2", prepared), results)


def test_confounds_of_a_strategy_come_from_the_runs_own_table(tmp_path):
    run = tmp_path / "sub-01_task-rest_run-1_space-MNI152NLin6Asym_res-2_desc-preproc_bold.nii.gz"
    assert confounds_beside(run) is None
    table = tmp_path / "sub-01_task-rest_run-1_desc-confounds_timeseries.tsv"
    table.touch()
    assert confounds_beside(run) == table


def test_two_matrices_are_compared_on_the_nodes_that_both_have():
    a, b = connectome(8, 1), connectome(10, 2).subset(np.array([9, 3, 2, 1, 0]))
    answer = graph(a, b, shown="difference")
    assert answer.parts[0].connectome.names == answer.parts[1].connectome.names == a.names[:4]
    assert number_rows(answer)[0][3] == pytest.approx(
        answer.parts[0].metrics.overall["clustering"] - answer.parts[1].metrics.overall["clustering"]
    )
    assert "A r" in entry_text(answer, 0, 1)
    assert counts_of(answer).counts.sum() == 6
    with pytest.raises(Problem, match="fewer than two"):
        graph(a, Connectome("other", b.matrix, tuple("vwxyz"), b.sides))


def test_matrices_of_other_nodes_are_averaged_over_those_that_all_have():
    a, b = connectome(6, 1), connectome(6, 2).subset(np.arange(1, 6))
    mean = mean_of([a, b], "both")
    assert mean.names == a.names[1:]
    assert mean.matrix[0, 1] == pytest.approx(np.tanh((fisher_z(a.matrix[1, 2]) + fisher_z(b.matrix[0, 1])) / 2))
    assert any(finding.code == "regions-not-in-all" for finding in mean.findings)


def test_nodes_of_one_name_are_told_apart_by_their_place_alone():
    a = connectome(6)
    twins = replace(a, names=("Area", "Area", *a.names[2:]))
    answer = graph(twins, replace(twins, matrix=connectome(6, 1).matrix), shown="difference")
    assert answer.parts[1].connectome.names == twins.names
    np.testing.assert_array_equal(answer.parts[0].connectome.matrix, a.matrix)
    with pytest.raises(Problem, match="several nodes of one name"):
        graph(twins, connectome(8, 1))


def test_ties_and_components_are_said_prominently():
    values = np.full((6, 6), 0.2)
    values[:3, :3] = values[3:, 3:] = 0.7
    matrix = Connectome("blocks", values, tuple("abcdef"), ("",) * 6)
    tied = graph(matrix, rule=EdgeRule(density=0.2))
    assert {finding.code for finding in tied.findings} == {"graph-ties", "components"}
    assert "<b>6</b> ties" in facts_of(tied)
    whole = graph(matrix, rule=EdgeRule(density=None, r=0.7))
    assert "<b>2</b> components" in facts_of(whole)
    assert "no ties" in facts_of(whole)


def test_without_an_edge_everything_still_has_an_answer():
    empty = graph(connectome(), rule=EdgeRule(density=None, r=0.999))
    assert {finding.code for finding in empty.findings} >= {"graph-empty"}
    assert links_of(empty, "a", 2).total == 0
    assert (empty.parts[0].metrics.nodal["degree"] == 0).all()
    assert "<b>0</b> edges" in facts_of(empty)


def test_the_strongest_edges_are_drawn_and_all_of_the_chosen_node():
    answer = graph(connectome(60, 3), rule=EdgeRule(density=0.5))
    drawn = links_of(answer, "a", 7)
    matrix, kept = answer.parts[0].connectome.matrix, answer.parts[0].thresholded.weights != 0
    own = {tuple(sorted((7, int(other)))) for other in np.flatnonzero(kept[7])}
    pairs = {tuple(pair) for pair in drawn.links.pairs.tolist()}
    assert own <= pairs
    assert {tuple(pair) for pair in drawn.links.pairs[drawn.links.strong].tolist()} == own
    others = [abs(matrix[i, j]) for i, j in pairs - own]
    left_out = [abs(matrix[i, j]) for i, j in np.argwhere(np.triu(kept, 1)) if (i, j) not in pairs]
    assert min(others) >= max(left_out)
    assert drawn.note == f"{len(pairs)} of {drawn.total} edges"


def test_nodes_are_sized_and_coloured_by_their_value():
    values = np.array([0.0, 4.0, -9.0, np.nan])
    nodes = nodes_of(np.zeros((4, 3), np.float32), values, Colours("warm", 0, 9, "cool", 0, 9))
    assert nodes.radii_mm.argmax() == 2
    assert nodes.radii_mm[1] > nodes.radii_mm[0]
    assert nodes.colours[2, 2] > nodes.colours[2, 0], "negative is blue"
    assert tuple(nodes.colours[3]) == (128, 128, 128)


def test_hemispheres_stand_apart_and_modules_of_one_get_no_line_each():
    answer = graph(connectome(8))
    arranged = arrangement_of(answer, "hemispheres", None)
    assert arranged.order.tolist() == [0, 2, 4, 6, 1, 3, 5, 7]
    assert arranged.strong_lines == (4,)
    modules = np.array([0, 1, 0, 1, 2, 3, 0, 4], np.int32)
    by_module = arrangement_of(answer, "modules", modules)
    assert by_module.order.tolist() == [0, 2, 6, 1, 3, 4, 5, 7]
    assert by_module.strong_lines == (3, 5)


def test_a_range_follows_the_values_until_it_is_chosen():
    first = fitted(np.array([1.0, 44.4, np.nan]), Colours("viridis"))
    assert (first.low, first.high) == (0.0, 44.0)
    assert is_fitted(first, np.array([1.0, 44.4]))
    assert not is_fitted(Colours("viridis", 0, 50), np.array([1.0, 44.4]))
    both = fitted(np.array([-3.0, 2.0]), first)
    assert (both.name, both.negative, both.negative_high) == ("warm", "cool", 3.0)
    assert fitted(np.array([np.nan]), first).high == 1.0


def test_nodes_matrix_and_graph_are_written_in_full_precision():
    answer = graph(connectome(), rule=EdgeRule("signed", density=0.4))
    (part,) = answer.parts
    read = nx.read_graphml(io.BytesIO(graphml(part)))
    assert read.number_of_nodes() == 8
    assert {frozenset((int(i), int(j))) for i, j in read.edges} == {
        frozenset((int(i), int(j))) for i, j in np.argwhere(np.triu(part.thresholded.weights, 1))
    }
    assert all(data["r"] == part.connectome.matrix[int(i), int(j)] for i, j, data in read.edges(data=True))
    lines = [line.split("\t") for line in matrix_tsv(part).splitlines()]
    assert np.array_equal([[float(cell) for cell in line[1:]] for line in lines[1:]], part.connectome.matrix)
    head, *rows = [line.split("\t") for line in nodes_tsv(answer).splitlines()]
    assert head[:3] == ["name", "hemisphere", "degree"]
    assert [float(row[2]) for row in rows] == part.metrics.nodal["degree"].tolist()
    pair = nodes_tsv(graph(connectome(8, 1), connectome(8, 2))).splitlines()[0].split("\t")
    assert {"degree_a", "degree_b", "degree_difference"} <= set(pair)


def test_a_view_names_the_runs_the_atlas_and_the_matrix_files_of_its_graphs(tmp_path):
    matrix = RegionMatrix((FileMap(str(tmp_path / "a.nii")),), str(tmp_path / "labels.nii"))
    recipe = GraphMetric(matrix, MatrixFile(str(tmp_path / "m.tsv")), "difference")
    view = ViewState(overlays=(Overlay(1, recipe, "graph"),))
    assert set(files_of(view)) == {str(tmp_path / name) for name in ("a.nii", "labels.nii", "m.tsv")}
    assert absolute(relative(view, tmp_path), tmp_path) == view


def test_runs_that_are_named_alike_are_told_apart_by_their_folder():
    runs = [FileMap("/x/sub-1/rest.nii"), FileMap("/x/sub-2/rest.nii"), FileMap("/x/other.nii")]
    assert list(titled(runs)) == ["sub-1/rest.nii", "sub-2/rest.nii", "other.nii"]
