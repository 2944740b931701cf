"""The live connectivity panel in a window: from runs to a graph, threshold, places, comparing, files."""

from __future__ import annotations

import networkx as nx
import nibabel as nib
import numpy as np
import pytest
from habena.app.recipes import GraphMetric
from habena.app.resolve import of_each_run
from habena.render.graph_scene import node_at, placed
from habena.stats.correlate import fisher_z
from habena.widgets.canvas import Canvas
from habena.widgets.edge_histogram import EdgeHistogram
from habena.widgets.matrix import Matrix
from habena.widgets.node_table import NodeTable
from habena.widgets.numbers import format_number
from msgspec.structs import replace
from panel_events import choose, press
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDockWidget, QFileDialog, QListWidget, QMenu, QPushButton, QSlider, QTableView, QTabWidget
from window_events import click, named, picture, settle, texts, wait_until

ATLAS = "Automated Anatomical Labeling 2"


def settled(window):
    """Everything drawn and measured, also what follows when the slider rests."""
    control = window.panels.connectivity
    wait_until(lambda: not control.busy and window.session.jobs.idle() and not window.session.waits_for_live)
    settle(window)


def dock(window) -> QDockWidget:
    found = window.dock("connectivity")
    found.show()
    found.raise_()
    settle(window)
    return found


def panel_of(window):
    return dock(window).widget()


def tick(window, panel, side, path) -> None:
    runs = named(panel, QListWidget, f"Runs of {side}")
    number = next(n for n in range(runs.count()) if runs.item(n).text() == path.name)
    runs.item(number).setCheckState(Qt.CheckState.Checked)  # as a click on its box does


def make(window, a, b=None):
    """Choose runs and correlate."""
    panel = panel_of(window)
    panel.tabs.setCurrentIndex(0)
    tick(window, panel, "A", a)
    if b is not None:
        tick(window, panel, "B", b)
    choose(panel, "Atlas of the matrix", ATLAS)
    press(panel, "Correlate regions")
    settled(window)
    return panel


def slide(panel, window, key=Qt.Key.Key_Right, times=1) -> None:
    track = named(panel, QSlider, "Threshold")
    track.window().activateWindow()
    track.setFocus()
    for _ in range(times):
        QTest.keyClick(track, key)
    settled(window)


def layer_of(window):
    return next(o for o in window.session.state.overlays if isinstance(o.recipe, GraphMetric))


def answer_of(window):
    return window.panels.connectivity.view.answer


def painted_at(window, node: int) -> float:
    """Value of the layer in the middle of a node's region."""
    answer = window.session.answer(layer_of(window).recipe)
    place = answer.parts[0].connectome.places_mm[node]
    return float(answer.image.frame()[answer.image.grid.voxel_at(place)])


@pytest.fixture
def run_a(small_run):
    return small_run("sub-01_ses-pre_space-MNI152NLin6Asym_bold.nii", volumes=50, seed=1)


@pytest.fixture
def run_b(small_run):
    return small_run("sub-01_ses-post_space-MNI152NLin6Asym_bold.nii", volumes=50, seed=2)


@pytest.fixture
def window(open_window, run_a):
    return open_window(run_a)


@pytest.fixture
def with_graph(window, run_a):
    make(window, run_a)
    return window


def test_without_a_graph_the_panel_says_what_to_do_and_offers_nothing_that_needs_one(open_window):
    window = open_window()
    panel = panel_of(window)
    assert any(text.startswith("Open one or more runs") for text in texts(panel))
    tabs = panel.findChild(QTabWidget)
    assert [tabs.isTabEnabled(n) for n in range(tabs.count())] == [True, False, False, False]
    assert not named(panel, QPushButton, "Correlate regions").isEnabled()
    assert not panel.slider.isVisible()


def test_a_run_and_an_atlas_become_a_painted_graph_with_its_facts_in_sight(with_graph):
    answer = answer_of(with_graph)
    (part,) = answer.parts
    matrix, cut = part.connectome.matrix, part.thresholded
    pairs = matrix[np.triu_indices(len(matrix), 1)]
    assert cut.n_edges == int(0.15 * pairs.size + 0.5)
    facts = panel_of(with_graph).facts.text()
    mean = np.tanh(fisher_z(pairs).mean())
    assert f"mean r <b>{mean:.4g}"[:-1] in facts
    assert f"<b>{100 * (pairs < 0).mean():.1f} %</b> negative" in facts
    assert f"<b>{len(matrix)}</b> regions" in facts
    assert f"<b>{cut.n_edges:,}</b> edges" in facts
    assert "component" in facts
    degree = (cut.weights != 0).sum(axis=1)
    for node in (0, 5, len(degree) - 1):
        assert painted_at(with_graph, node) == degree[node]
    assert layer_of(with_graph).colours.high >= 0.95 * degree.max()
    panel = panel_of(with_graph)
    for control in (*panel.findChildren(Matrix), *panel.findChildren(Canvas), *panel.findChildren(QSlider)):
        assert control.accessibleName()


def test_the_slider_repaints_slices_matrix_table_and_histogram_and_can_be_taken_back(with_graph):
    panel = panel_of(with_graph)
    before = {part: picture(part) for part in (with_graph.area.slices, panel.matrices["a"], panel.canvas)}
    edges, steps = answer_of(with_graph).parts[0].thresholded.n_edges, len(with_graph.session.store._steps)
    slide(panel, with_graph, times=8)
    cut = answer_of(with_graph).parts[0].thresholded
    assert layer_of(with_graph).recipe.rule.density == pytest.approx(0.19)
    assert cut.n_edges > edges
    degree = (cut.weights != 0).sum(axis=1)
    table = panel.findChild(NodeTable)
    assert table._model.rows[3][1] == degree[3]
    assert painted_at(with_graph, 3) == degree[3]
    assert panel.findChild(EdgeHistogram)._threshold == pytest.approx(cut.threshold)
    for part, was in before.items():
        assert (picture(part) != was).any(), part.accessibleName()
    assert layer_of(with_graph).colours.high >= 0.95 * degree.max(), "the range follows the values"
    assert len(with_graph.session.store._steps) == steps + 1, "keys that follow one another are one step"
    assert with_graph.session.store.undo_name == "threshold of the graph"
    with_graph.session.store.undo()
    settled(with_graph)
    assert layer_of(with_graph).recipe.rule.density == 0.15
    assert with_graph.session.store.redo_name is not None


def test_a_drag_of_the_slider_is_one_step_and_leaves_a_range_that_the_user_chose(with_graph):
    panel = panel_of(with_graph)
    track = named(panel, QSlider, "Threshold")
    steps, y = len(with_graph.session.store._steps), track.height() // 2
    QTest.mousePress(track, Qt.MouseButton.LeftButton, pos=QPoint(track.width() // 2, y))
    for share in (0.55, 0.6, 0.65):
        QTest.mouseMove(track, QPoint(round(track.width() * share), y))
        settle(with_graph)
    QTest.mouseRelease(track, Qt.MouseButton.LeftButton, pos=QPoint(round(track.width() * 0.65), y))
    settled(with_graph)
    assert len(with_graph.session.store._steps) == steps + 1
    with_graph.session.store.undo()
    settled(with_graph)
    assert layer_of(with_graph).recipe.rule.density == 0.15
    assert with_graph.session.store.redo_name is not None, "showing it again changes nothing"
    layer = layer_of(with_graph)
    with_graph.session.update_overlay(replace(layer, colours=replace(layer.colours, high=12.5)), "range")
    slide(panel, with_graph, times=3)
    assert layer_of(with_graph).colours.high == 12.5, "a range that the user chose stays"


def test_threshold_by_r_keeps_the_graph_and_the_histogram_moves_it(with_graph):
    panel = panel_of(with_graph)
    before = answer_of(with_graph).parts[0].thresholded
    choose(panel, "Threshold by", "Correlation")
    settled(with_graph)
    rule = layer_of(with_graph).recipe.rule
    assert (rule.density, rule.r) == (None, before.threshold)
    assert answer_of(with_graph).parts[0].thresholded.n_edges == before.n_edges
    panel.tabs.setCurrentIndex(2)
    histogram = panel.findChild(EdgeHistogram)
    QTest.mouseClick(histogram, Qt.MouseButton.LeftButton, pos=QPoint(round(histogram.x_of(0.3)), 20))
    settled(with_graph)
    assert layer_of(with_graph).recipe.rule.r == pytest.approx(0.3, abs=0.015)
    matrix = answer_of(with_graph).parts[0].connectome.matrix
    kept = (matrix[np.triu_indices(len(matrix), 1)] >= layer_of(with_graph).recipe.rule.r).sum()
    assert answer_of(with_graph).parts[0].thresholded.n_edges == kept


def test_slower_metrics_follow_by_themselves_when_the_slider_rests_and_can_be_painted(with_graph):
    part = answer_of(with_graph).parts[0]
    graph = nx.from_numpy_array((part.thresholded.weights != 0).astype(float))
    wanted = nx.betweenness_centrality(graph, normalized=False)
    assert np.allclose(part.metrics.nodal["betweenness"], [wanted[n] for n in graph])
    rows = {row[0]: row[1] for row in panel_of(with_graph).numbers._model.rows}
    assert np.isfinite(rows["Modularity"])
    assert rows["Transitivity"] == pytest.approx(nx.transitivity(graph))
    choose(panel_of(with_graph), "Metric", "Betweenness")
    settled(with_graph)
    assert layer_of(with_graph).name == "Betweenness"
    assert painted_at(with_graph, 7) == pytest.approx(wanted[7], rel=1e-6)


def test_a_node_of_the_glass_brain_takes_the_crosshair_there_and_is_marked_everywhere(with_graph):
    panel = panel_of(with_graph)
    brain = with_graph.panels.connectivity.view.brain
    node = 4
    canvas = panel.findChild(Canvas)
    x, y = placed(brain.scene)[0][node]
    found = node_at(brain.scene, x, y)
    click(canvas, (x, y))
    settled(with_graph)
    place = answer_of(with_graph).parts[0].connectome.places_mm[found]
    assert np.allclose(with_graph.session.state.crosshair_mm, place, atol=1e-3)
    assert panel.findChild(NodeTable).selected_row() == found
    assert brain.scene.ringed == found
    assert panel.matrices["a"]._selected == found
    answer = answer_of(with_graph)
    assert answer.parts[0].connectome.names[found] in panel.node_line.whole()
    node = len(answer.parts[0].connectome.names) // 2
    with_graph.session.move_crosshair(tuple(map(float, answer.parts[0].connectome.places_mm[node])))
    settle(with_graph)
    assert panel.findChild(NodeTable).selected_row() == node
    with_graph.session.move_crosshair((0.0, 0.0, 200.0))
    settle(with_graph)
    assert panel.findChild(NodeTable).selected_row() is None


def test_a_row_of_the_table_and_a_cell_of_the_matrix_go_to_their_node(with_graph):
    panel = panel_of(with_graph)
    connectome = answer_of(with_graph).parts[0].connectome
    panel.tabs.setCurrentIndex(1)
    view = named(panel, QTableView, "Nodes")
    rect = view.visualRect(view.model().index(2, 0))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    settle(with_graph)
    assert np.allclose(with_graph.session.state.crosshair_mm, connectome.places_mm[2], atol=1e-3)
    matrix = panel.matrices["a"]
    cells = matrix.rect_of_cells()
    at = QPoint(cells.x() + cells.width() // 2, cells.y() + cells.height() // 3)
    QTest.mouseMove(matrix, at)
    entry = matrix.entry_at(QPointF(at))
    assert f"r = {format_number(connectome.matrix[entry.row, entry.column])}" in panel.under_mouse.whole()
    QTest.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=at)
    settle(with_graph)
    assert panel.findChild(NodeTable).selected_row() == entry.row


def test_two_sessions_are_compared_and_their_difference_is_painted(open_window, run_a, run_b):
    window = open_window(run_a, run_b)
    panel = make(window, run_a, run_b)
    assert len(answer_of(window).parts) == 2
    assert panel.facts.text().startswith("<b>A</b>")
    choose(panel, "Show", "A − B")
    settled(window)
    a, b = answer_of(window).parts
    degree = [(part.thresholded.weights != 0).sum(axis=1) for part in (a, b)]
    assert painted_at(window, 6) == degree[0][6] - degree[1][6]
    assert layer_of(window).colours.negative == "cool"
    shown = panel.matrices["difference"]._values
    assert shown[1, 2] == pytest.approx(fisher_z(a.connectome.matrix[1, 2]) - fisher_z(b.connectome.matrix[1, 2]))
    assert layer_of(window).name == "Degree, A − B"


def test_several_runs_of_one_side_are_averaged_as_fisher_z(open_window, run_a, run_b):
    window = open_window(run_a, run_b)
    panel = panel_of(window)
    for run in (run_a, run_b):
        tick(window, panel, "A", run)
    choose(panel, "Atlas of the matrix", ATLAS)
    press(panel, "Correlate regions")
    settled(window)
    (part,) = answer_of(window).parts
    singles = [window.session.results.get(each).matrix for each in of_each_run(layer_of(window).recipe.a)]
    assert part.connectome.runs == 2
    assert part.connectome.matrix[3, 9] == pytest.approx(np.tanh(np.mean([fisher_z(m[3, 9]) for m in singles])))


@pytest.fixture
def matrix_file(tmp_path):
    rng = np.random.default_rng(5)
    values = np.corrcoef(rng.standard_normal((12, 40)))
    path = tmp_path / "matrix.tsv"
    names = [f"node{n}" for n in range(12)]
    rows = [["", *names], *([name, *map(repr, row.tolist())] for name, row in zip(names, values, strict=True))]
    path.write_text("\n".join(map("\t".join, rows)))
    return path, values


def test_a_matrix_of_a_file_is_shown_and_says_why_there_is_no_glass_brain(open_window, matrix_file, monkeypatch):
    path, values = matrix_file
    window = open_window()
    panel = panel_of(window)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    press(panel, "Open matrix")
    settled(window)
    assert np.allclose(answer_of(window).parts[0].connectome.matrix, values)
    assert any("no place in the brain" in text for text in texts(panel))
    slide(panel, window, times=4)
    assert answer_of(window).parts[0].thresholded.n_edges == round(0.17 * 66)
    panel.tabs.setCurrentIndex(1)
    named(panel, QTableView, "Nodes").selectRow(5)
    settled(window)
    assert panel.matrices["a"]._selected == 5
    panel.tabs.setCurrentIndex(0)
    press(panel, "Compare with matrix")
    settled(window)
    assert len(answer_of(window).parts) == 2
    choose(panel, "Show", "A − B")
    settled(window)
    assert (panel.matrices["difference"]._values == 0).all(), "a matrix does not differ from itself"


def test_a_file_that_is_no_matrix_is_refused_with_the_reason(open_window, tmp_path, monkeypatch):
    path = tmp_path / "notes.tsv"
    path.write_text("a\tb\n1\t2\n")
    window = open_window()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    press(panel_of(window), "Open matrix")
    settled(window)
    assert any("notes.tsv" in text for text in texts(window.notice_bar))
    assert window.session.state.overlays == ()


def export(panel, monkeypatch, what: str, path) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    menu = named(panel, QPushButton, "Export").menu()
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if action.text().startswith(what)).trigger()


def test_nodes_and_graph_are_saved_for_other_programs(with_graph, tmp_path, monkeypatch):
    panel = panel_of(with_graph)
    part = answer_of(with_graph).parts[0]
    export(panel, monkeypatch, "Nodes", tmp_path / "nodes.tsv")
    export(panel, monkeypatch, "Graph", tmp_path / "graph")
    export(panel, monkeypatch, "Matrix", tmp_path / "matrix.tsv")
    settled(with_graph)
    lines = [line.split("\t") for line in (tmp_path / "nodes.tsv").read_text(encoding="utf-8").splitlines()]
    column = lines[0].index("betweenness")
    assert [float(line[column]) for line in lines[1:]] == pytest.approx(part.metrics.nodal["betweenness"])
    assert lines[1][0] == part.connectome.names[0]
    graph = nx.read_graphml(tmp_path / "graph.graphml")
    assert graph.number_of_edges() == part.thresholded.n_edges
    assert dict(graph.nodes["2"])["degree"] == part.metrics.nodal["degree"][2]
    matrix = np.loadtxt(tmp_path / "matrix.tsv", skiprows=1, usecols=range(1, 1 + len(lines) - 1), delimiter="\t")
    assert np.array_equal(matrix, part.connectome.matrix)


def test_a_saved_view_shows_the_same_graph_again(with_graph, open_window):
    slide(panel_of(with_graph), with_graph, times=5)
    view = with_graph.session.state
    again = open_window(view=view, layout=None)
    dock(again)
    settled(again)
    assert answer_of(again).parts[0].thresholded.n_edges == answer_of(with_graph).parts[0].thresholded.n_edges
    assert panel_of(again).facts.text() == panel_of(with_graph).facts.text()
    assert again.session.state == view, "showing a view does not change it"


def test_a_run_whose_space_is_not_known_is_refused_with_what_to_do(open_window, small_run, tmp_path):
    image = nib.load(small_run("sub-01_task-rest_bold.nii", volumes=30))
    image.set_sform(image.affine, 1)
    run = tmp_path / "sub-02_task-rest_bold.nii"
    nib.save(image, run)
    window = open_window(run)
    panel = make(window, run)
    said = [text for text in texts(panel) if "space" in text]
    assert said
    assert answer_of(window) is None
    assert panel.tabs.currentIndex() == 0
