"""`habena graph` beside NetworkX, from files as people have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from command_line import document, done, refused, write_image
from habena.app.grid import Grid
from habena.app.io.atlases import load_atlas
from habena.stats.connectivity import partial_correlation

OVERALL = {
    "clustering",
    "transitivity",
    "global_efficiency",
    "local_efficiency",
    "path_length",
    "assortativity",
    "modularity",
}
NODAL = {"label", "degree", "strength", "clustering", "betweenness", "local_efficiency", "eigenvector", "core"}
NAMES = [f"region {n}" for n in range(30)]


def correlations(n: int = 30, seed: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    r = np.corrcoef(rng.standard_normal((n, 50)) + 0.7 * rng.standard_normal((5, 50))[np.arange(n) % 5])
    return (r + r.T) / 2


def save(path: Path, matrix: np.ndarray, names: list[str] | None = None) -> Path:
    pd.DataFrame(matrix, names, names).to_csv(path, sep="\t", header=names is not None, index=names is not None)
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return save(tmp_path / "matrix.tsv", correlations(), NAMES)


def codes(found: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in found["warnings"]]


def test_every_field_of_the_document_of_a_binary_graph(table: Path) -> None:
    found = document("graph", table, "--density", "0.1,0.3")
    assert set(found) == {"graphs", "warnings"}
    r, pairs = correlations(), np.triu_indices(30, 1)
    assert [graph["density"] for graph in found["graphs"]] == [0.1, 0.3]
    for graph, n_edges in zip(found["graphs"], (44, 131), strict=True):
        cut = np.sort(r[pairs])[::-1][n_edges - 1]
        g = nx.from_numpy_array((r >= cut) & ~np.eye(30, dtype=bool))
        assert (graph["nodes"], graph["edges"]) == (30, n_edges)
        assert graph["threshold"] == pytest.approx(cut, abs=1e-12)
        assert graph["components"] == nx.number_connected_components(g)
        assert graph["mean_connectivity"] == pytest.approx(np.tanh(np.arctanh(r[pairs]).mean()))
        assert graph["negative_share"] == np.mean(r[pairs] < 0)
        whole = graph["global"]
        assert set(whole) == OVERALL
        assert whole["clustering"] == pytest.approx(nx.average_clustering(g))
        assert whole["transitivity"] == pytest.approx(nx.transitivity(g))
        assert whole["global_efficiency"] == pytest.approx(nx.global_efficiency(g))
        assert whole["local_efficiency"] == pytest.approx(nx.local_efficiency(g))
        lengths = [d for _, row in nx.all_pairs_shortest_path_length(g) for d in row.values() if d]
        assert whole["path_length"] == pytest.approx(np.mean(lengths))
        assert whole["assortativity"] == pytest.approx(nx.degree_assortativity_coefficient(g))
        theirs = nx.community.modularity(g, nx.community.louvain_communities(g, seed=1))
        assert whole["modularity"] >= theirs - 0.02
        nodal = graph["nodal"]
        assert set(nodal) == NODAL
        assert nodal["label"] == NAMES
        assert nodal["degree"] == [degree for _, degree in g.degree]
        assert all(isinstance(value, int) for value in nodal["degree"] + nodal["core"])
        np.testing.assert_allclose(nodal["strength"], np.where((r >= cut) & (r < 1 - 1e-9), r, 0).sum(axis=1))
        np.testing.assert_allclose(nodal["clustering"], list(nx.clustering(g).values()))
        np.testing.assert_allclose(nodal["betweenness"], list(nx.betweenness_centrality(g, normalized=False).values()))
        np.testing.assert_allclose(nodal["eigenvector"], _eigenvector(nx.to_numpy_array(g)), atol=1e-8)
        np.testing.assert_allclose(nodal["local_efficiency"], [nx.global_efficiency(g.subgraph(g[n])) for n in g])
        assert nodal["core"] == list(nx.core_number(g).values())


def _eigenvector(weights: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(weights)
    return np.abs(vectors[:, values.argmax()])


def test_the_graph_at_a_threshold_keeps_what_equals_it_and_tells_its_own_density(tmp_path: Path) -> None:
    r = np.round(correlations(), 1)
    (graph,) = document("graph", save(tmp_path / "m.csv", r), "--r", 0.3)["graphs"]
    kept = (r >= 0.3)[np.triu_indices(30, 1)]
    assert graph["edges"] == kept.sum()
    assert graph["density"] == pytest.approx(kept.mean())
    assert graph["threshold"] == 0.3
    assert graph["nodal"]["label"][:2] == ["1", "2"]


def test_weighted_metrics(table: Path) -> None:
    (graph,) = document("graph", table, "--density", 0.2, "--weighted")["graphs"]
    r = correlations()
    w = np.where((r >= graph["threshold"] - 1e-12) & ~np.eye(30, dtype=bool), r, 0)
    g = nx.from_numpy_array(w)
    for _, _, edge in g.edges(data=True):
        edge["length"] = 1 / edge["weight"]
    nodal = graph["nodal"]
    np.testing.assert_allclose(nodal["strength"], w.sum(axis=1))
    np.testing.assert_allclose(nodal["clustering"], list(nx.clustering(g, weight="weight").values()))
    between = nx.betweenness_centrality(g, normalized=False, weight="length")
    np.testing.assert_allclose(nodal["betweenness"], list(between.values()))
    np.testing.assert_allclose(nodal["eigenvector"], _eigenvector(w), atol=1e-8)
    lengths = [d for _, row in nx.all_pairs_dijkstra_path_length(g, weight="length") for d in row.values() if d]
    assert graph["global"]["path_length"] == pytest.approx(np.mean(lengths))
    assert graph["global"]["global_efficiency"] == pytest.approx((1 / np.array(lengths)).sum() / (30 * 29))


@pytest.mark.parametrize(("edges", "negative"), [("positive", False), ("absolute", False), ("signed", True)])
def test_the_rules_for_negative_edges(table: Path, edges: str, negative: bool) -> None:
    found = document("graph", table, "--density", 0.9, "--edges", edges)
    (graph,) = found["graphs"]
    r = correlations()
    value = {"positive": np.maximum(r, 0), "absolute": np.abs(r), "signed": r}[edges]
    wanted = 392 if edges != "positive" else int((r[np.triu_indices(30, 1)] > 0).sum())
    assert graph["edges"] == wanted
    kept = (np.abs(r) if edges != "positive" else r) >= graph["threshold"] - 1e-12
    np.testing.assert_allclose(graph["nodal"]["strength"], (value * (kept & ~np.eye(30, dtype=bool))).sum(axis=1))
    assert (min(graph["nodal"]["strength"]) < 0) == negative
    assert ("graph-fewer-edges" in codes(found)) == (edges == "positive")
    assert ("negative-edges" in codes(found)) == (edges == "positive")


def test_ties_at_the_cut_are_counted_in_a_warning(tmp_path: Path) -> None:
    r = np.full((6, 6), 0.3)
    r[0, 1] = r[1, 0] = 0.8
    found = document("graph", save(tmp_path / "m.tsv", r), "--density", 0.3)
    (graph,) = found["graphs"]
    assert graph["edges"] == 5  # 4.5, the half rounded up
    assert graph["nodal"]["degree"] == [5, 1, 1, 1, 1, 1]
    (ties,) = [finding for finding in found["warnings"] if finding["code"] == "graph-ties"]
    assert ties["value"] == 14
    assert "14 edges have the value 0.3" in ties["message"]
    assert "4 are kept" in ties["message"]


def test_a_graph_in_parts_and_one_without_edges_are_told(tmp_path: Path) -> None:
    parts = np.kron(np.eye(2), np.ones((3, 3)))
    found = document("graph", save(tmp_path / "m.tsv", parts), "--r", 0.5)
    assert found["graphs"][0]["components"] == 2
    assert codes(found) == ["components"]
    found = document("graph", save(tmp_path / "n.tsv", -parts), "--r", 0.5)
    assert codes(found) == ["graph-empty", "negative-edges"]
    assert "lower the threshold" in found["warnings"][0]["message"]
    found = document("graph", tmp_path / "m.tsv", "--density", 0.01)
    assert "raise the density" in found["warnings"][0]["message"]
    assert found["graphs"][0]["threshold"] is None
    assert found["graphs"][0]["global"]["path_length"] is None


def test_some_metrics_only_and_the_slow_ones_on_request(table: Path) -> None:
    words = ("--density", 0.3, "--metrics", "degree,participation,small_worldness", "--seed", 5, "--nulls", 4)
    found = document("graph", table, *words)
    (graph,) = found["graphs"]
    assert set(graph["nodal"]) == {"label", "degree", "participation"}
    assert set(graph["global"]) == {"small_worldness"}
    assert found["nulls"] == {"keep": "degree", "number": 4, "rewirings_per_edge": 10, "seed": 5}
    assert graph["global"]["small_worldness"] > 0
    assert document("graph", table, *words) == found


def test_the_area_under_each_metric(table: Path) -> None:
    found = document("graph", table, "--density", "0.3,0.1,0.2", "--metrics", "degree,clustering", "--auc")
    low, middle, high = (found["graphs"][n]["global"]["clustering"] for n in (1, 2, 0))
    assert found["auc"]["global"]["clustering"] == pytest.approx(0.1 * (low / 2 + middle + high / 2))
    degree = np.array([found["graphs"][n]["nodal"]["degree"] for n in (1, 2, 0)])
    area = 0.1 * (degree[0] / 2 + degree[1] + degree[2] / 2)
    np.testing.assert_allclose(found["auc"]["nodal"]["degree"], area)


def test_the_area_is_printed_and_written_too(table: Path, tmp_path: Path) -> None:
    words = ("graph", table, "--density", "0.1,0.2", "--metrics", "degree,clustering", "--auc")
    found = document(*words)["auc"]
    overall, nodes = (part.splitlines() for part in done(*words).out.split("\n\n"))
    assert overall[-1].split()[0] == "auc"
    assert float(overall[-1].split()[-1]) == pytest.approx(found["global"]["clustering"], rel=1e-5)
    assert nodes[-1].split()[0] == "auc"
    done(*words, "-o", tmp_path / "nodes.tsv")
    rows = pd.read_csv(tmp_path / "nodes.tsv", sep="\t")
    area = rows[rows["density"] == "auc"]
    assert area["label"].tolist() == NAMES
    np.testing.assert_allclose(area["degree"], found["nodal"]["degree"], rtol=1e-5)


def test_the_text_states_the_random_graphs(table: Path) -> None:
    words = ("--density", 0.3, "--metrics", "small_worldness", "--nulls", 2, "--rewirings", 3, "--seed", 5)
    said = done("graph", table, *words).out
    assert "2 random graphs with the same degrees, 3 rewirings per edge, seed 5" in said


def test_nodes_of_one_name_are_told(tmp_path: Path) -> None:
    found = document("graph", save(tmp_path / "m.tsv", correlations(4), ["a", "b", "a", "b"]), "--density", 1)
    (told,) = [finding for finding in found["warnings"] if finding["code"] == "names-repeated"]
    assert told["value"] == 2
    assert "a, b" in told["message"]


def test_the_table_of_nodes_has_a_row_for_each_density_and_node(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "nodes.tsv"
    found = document("graph", table, "--density", "0.1,0.2", "-o", out)
    rows = pd.read_csv(out, sep="\t")
    assert list(rows) == ["density", *found["graphs"][0]["nodal"]]
    assert rows["density"].tolist() == [0.1] * 30 + [0.2] * 30
    assert rows["label"].tolist() == NAMES * 2
    for name in NODAL - {"label"}:
        np.testing.assert_allclose(rows[name][30:], found["graphs"][1]["nodal"][name], rtol=1e-5)


def test_without_json_a_table_is_printed_and_warnings_go_elsewhere(table: Path) -> None:
    outcome = done("graph", table, "--density", 0.1, "--metrics", "degree,clustering")
    lines = outcome.out.splitlines()
    assert lines[0].split() == ["density", "edges", "threshold", "components", "mean_connectivity", "clustering"]
    assert len(lines) == 2 + 1 + 1 + 30
    assert "negative and dropped" in outcome.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no threshold"),
        (("--density", 0.1, "--r", 0.2), "both --density and --r"),
        (("--density", "1.5"), "1.5 is no share"),
        (("--density", "0"), "0 is no share"),
        (("--density", "nan"), "nan is no share"),
        (("--density", "0.1,0.1"), "given twice"),
        (("--density", "a,b"), "'a,b' is not D"),
        (("--r", "nan"), "is not a number"),
        (("--r", "2"), "--r: 2 is no threshold of correlations"),
        (("--r", "-0.1"), "--r: -0.1 is no threshold of correlations"),
        (("--density", 0.1, "--metrics", "degree,hubs"), "no metric hubs"),
        (("--density", 0.1, "--auc"), "several densities"),
        (("--density", 0.1, "--nulls", 0), "--nulls: 0 is no number"),
        (("--density", 0.1, "--rewirings", 0), "--rewirings: 0 is no number"),
        (("--density", 0.1, "--seed", -1), "--seed: -1 is no seed"),
        (("--density", 0.1, "--edges", "negative"), "--edges"),
        (("--density", 0.1, "--atlas", "aal2"), "are for runs"),
        (("--density", 0.1, "--fwhm", 5), "are for runs"),
        (("--density", 0.1, "--kind", "partial"), "are for runs"),
    ],
)
def test_options_that_make_no_sense_are_refused(table: Path, words: tuple[object, ...], said: str) -> None:
    assert said in refused("graph", table, *words)


def test_files_that_are_no_matrix_are_refused(tmp_path: Path) -> None:
    r = correlations()
    r[0, 1] += 1e-5
    assert "is not symmetric" in refused("graph", save(tmp_path / "a.tsv", r), "--density", 0.1)
    assert "rows and 29 columns" in refused("graph", save(tmp_path / "b.tsv", r[:, 1:]), "--density", 0.1)
    (tmp_path / "c.csv").write_text("1;0,5\n0,5;1\n")
    assert "decimal commas" in refused("graph", tmp_path / "c.csv", "--density", 0.1)
    assert "does not exist" in refused("graph", tmp_path / "none.tsv", "--density", 0.1)


def test_the_input_is_never_overwritten(table: Path) -> None:
    before = table.read_bytes()
    assert "would be overwritten" in refused("graph", table, "--density", 0.1, "-o", table)
    assert table.read_bytes() == before


AFFINE = np.array([[-4.0, 0, 0, 90], [0, 4, 0, -126], [0, 0, 4, -72], [0, 0, 0, 1]])
SHAPE = (46, 55, 40)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    rng = np.random.default_rng(11)
    inside = np.zeros(SHAPE, bool)
    inside[8:38, 8:46, 12:34] = True
    data = np.where(inside[..., None], 100 + rng.standard_normal((*SHAPE, 40)), 0).astype(np.float32)
    folder = tmp_path_factory.mktemp("run")
    return write_image(folder / "sub-01_space-MNIColin27_bold.nii.gz", data, AFFINE), data


def test_the_graph_of_a_run_is_that_of_the_mean_series_of_its_regions(run: tuple[Path, np.ndarray]) -> None:
    path, data = run
    found = document("graph", path, "--density", 0.15, "--metrics", "degree,strength", "--drop", 3)
    atlas = load_atlas("aal2")
    labels = atlas.labels_on(Grid(SHAPE, AFFINE))
    varies = np.ptp(data, axis=-1) > 0
    present = [n for n in range(1, len(atlas.regions) + 1) if (varies & (labels == n)).any()]
    r = np.corrcoef([data[varies & (labels == n), 3:].astype(float).mean(axis=0) for n in present])
    (graph,) = found["graphs"]
    assert graph["nodal"]["label"] == [atlas.regions[n - 1].title for n in present]
    np.fill_diagonal(r, 0)
    kept = np.where(r >= graph["threshold"] - 1e-6, r, 0)
    assert graph["nodal"]["degree"] == np.count_nonzero(kept, axis=1).tolist()
    np.testing.assert_allclose(graph["nodal"]["strength"], kept.sum(axis=1), atol=1e-4)
    assert found["preparation"]["dropped_volumes"] == 3
    missing = [finding for finding in found["warnings"] if finding["code"] == "regions-missing"]
    assert (missing[0]["value"] if missing else 0) == len(atlas.regions) - len(present) > 0


def test_the_graph_of_a_simulated_run_says_so(run: tuple[Path, np.ndarray]) -> None:
    assert "Simulated" not in document("graph", run[0], "--density", 0.1, "--metrics", "degree")
    beside = run[0].with_name(run[0].name.replace(".nii.gz", ".json").replace(".nii", ".json"))
    beside.write_text('{"Simulated": true}')
    try:
        assert document("graph", run[0], "--density", 0.1, "--metrics", "degree")["Simulated"] is True
    finally:
        beside.unlink()


def test_the_graph_of_partial_correlations_is_another_one(run: tuple[Path, np.ndarray]) -> None:
    path, data = run
    (graph,) = document("graph", path, "--r", 0.05, "--metrics", "strength", "--kind", "partial")["graphs"]
    atlas = load_atlas("aal2")
    labels = np.where(np.ptp(data, axis=-1) > 0, atlas.labels_on(Grid(SHAPE, AFFINE)), 0)
    means = [data[labels == n].astype(float).mean(axis=0) for n in np.unique(labels)[1:]]
    r = partial_correlation(means)
    np.fill_diagonal(r, 0)
    np.testing.assert_allclose(graph["nodal"]["strength"], np.where(r >= 0.05, r, 0).sum(axis=1), atol=1e-4)


def test_a_run_of_unknown_space_or_with_senseless_preparation_is_refused(
    run: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    nowhere = write_image(tmp_path / "bold.nii.gz", run[1][..., :10], AFFINE, code=1)
    assert "--atlas" in refused("graph", nowhere, "--density", 0.1)
    assert "makes no sense" in refused("graph", run[0], "--density", 0.1, "--fwhm", -2)
    assert "no atlas" in refused("graph", run[0], "--density", 0.1, "--atlas", "none").lower()


def test_the_document_is_strict_json_without_numbers_that_are_none(tmp_path: Path) -> None:
    text = done("graph", save(tmp_path / "m.tsv", np.ones((4, 4))), "--density", 1, "--json").out
    assert json.loads(text)["graphs"][0]["global"]["assortativity"] is None
