"""The slider of the connectivity panel over 400 regions: from a threshold to everything that it repaints."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from habena.app.answers import ArrayImage
from habena.app.compute import open_atlas, open_cortex
from habena.app.connectome import Connectome, places_of
from habena.app.graph_answers import GraphAnswer, graph_answer, nodal
from habena.app.panels.connectivity_look import fitted
from habena.app.panels.connectivity_show import METRICS, kept_of, links_of, nodes_of
from habena.app.recipes import EdgeRule, FileMap, GraphMetric, RegionMatrix
from habena.app.state import Colours
from habena.render.graph_canvas import GraphCanvas
from habena.render.graph_scene import GraphScene
from habena.render.scene import Mesh
from habena.resources.colours import lut
from habena.stats.arrays import read_only
from habena.stats.connectivity import correlation
from habena.widgets.matrix import Matrix
from habena.widgets.node_table import NodeTable
from PySide6.QtWidgets import QApplication

from ._report import Row
from ._timing import interleaved

TITLE = "Connectivity panel, slider over 400 regions (Schaefer), 11,970 edges"
ATLAS = "schaefer400"
LIMIT_S = 100e-3
CANVAS = (420, 340)


def _connectome() -> tuple[Connectome, Any]:
    atlas = open_atlas(ATLAS)
    rng = np.random.default_rng(4)
    series = rng.standard_normal((len(atlas.regions), 20)) @ rng.standard_normal((20, 200))
    names = tuple(region.title for region in atlas.regions)
    labels = np.arange(1, len(names) + 1)
    sides = tuple(region.side for region in atlas.regions)
    matrix = read_only(correlation(series + 2 * rng.standard_normal(series.shape)))
    return Connectome("simulated", matrix, names, sides, labels, places_of(atlas, atlas.regions), 1), atlas


def _recipe(step: int, metric: str) -> GraphMetric:
    rule = EdgeRule(density=0.15 + 0.001 * (step % 20))
    return GraphMetric(RegionMatrix((FileMap("run.nii"),), ATLAS), rule=rule, metric=metric)


def rows() -> Iterator[Row]:
    """Each part and their sum beside the limit; slower metrics, which the slider does not wait for, for comparison."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication.instance() or QApplication([])
    connectome, atlas = _connectome()
    steps = iter(range(1_000_000))

    def answer(metric: str = "degree") -> GraphAnswer:
        return graph_answer(_recipe(next(steps), metric), (connectome,), atlas)

    parts = {"cut, quick metrics, painted map": answer, **_shown(answer())}

    def everything() -> None:
        for part in parts.values():
            part()

    calls: dict[str, Callable[[], object]] = {**parts, "all of it": everything}
    calls |= {f"map of {name}": lambda name=name: answer(name) for name in ("betweenness", "eigenvector")}
    seconds, foreign = interleaved(calls)
    for name, spent in seconds.items():
        goal = 1.0 if name == "all of it" else None
        yield Row(name, spent, f"{1e3 * LIMIT_S:.0f} ms", LIMIT_S, "limit", goal, foreign)
    del application


def _shown(answer: GraphAnswer) -> dict[str, Callable[[], object]]:
    """What the panel does with an answer: matrix, table, glass brain."""
    (part,) = answer.parts
    matrix, table, canvas = Matrix(), NodeTable(METRICS), GraphCanvas()
    matrix.set_tables(lut("ice-fire"), lut("blue-red"))
    matrix.resize(360, 300)
    table.resize(420, 300)
    worlds = [cortex.world for cortex in open_cortex(None)]
    outline = tuple(Mesh(world.coordinates, world.faces) for world in worlds)
    places = part.connectome.places_mm
    assert isinstance(answer.image, ArrayImage)
    assert places is not None

    def paint_matrix() -> None:
        matrix.set_values(part.connectome.matrix, kept_of(answer, "a"), 0.8)
        matrix.grab()

    def fill_table() -> None:
        values = {name: nodal(answer.recipe, answer.parts, name) for name in METRICS}
        table.set_nodes(part.connectome.names, values)
        table.grab()

    def draw_brain() -> None:
        degree = nodal(answer.recipe, answer.parts, "degree")
        nodes = nodes_of(places, degree, fitted(degree, Colours("viridis")))
        canvas.picture(GraphScene(CANVAS, nodes, links_of(answer, "a", 7).links, outline))

    return {"matrix": paint_matrix, "table of nodes": fill_table, "glass brain": draw_brain}
