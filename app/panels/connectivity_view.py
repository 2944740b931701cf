"""What the connectivity panel shows of an answer: matrices, glass brain, tables, the node at the crosshair."""

from __future__ import annotations

from dataclasses import replace as with_fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject

from ...render.graph_scene import GraphScene
from ...render.scene import Mesh
from ...resources import colours as tables
from ...widgets.connectivity_panel import SIDES, ConnectivityPanel
from ...widgets.matrix import Entry
from ...widgets.numbers import format_number
from ..atlas import Atlas
from ..connectome import Connectome
from ..graph_answers import NODAL_TITLES, SIDE_TITLES, GraphAnswer, Measured, nodal, with_metrics
from ..questions import AtlasData, CortexData
from ..recipes import RegionMatrix
from ..session import Session
from ..state import Colours
from .connectivity_brain import GlassBrain
from .connectivity_show import (
    METRICS,
    ON_DARK,
    ON_LIGHT,
    Counts,
    arrangement_of,
    counts_of,
    entry_text,
    facts_of,
    kept_of,
    limit_of,
    links_of,
    matrix_of,
    nodes_of,
    number_rows,
    sources_of,
)

if TYPE_CHECKING:
    from ...stats.graph import GraphMetrics

NO_PLACES = "The nodes of this matrix have no place in the brain. Made of a run and an atlas, they would be seen here."


class ConnectivityView(QObject):
    """Fills a panel; ``node`` is the one at the crosshair, or marked."""

    def __init__(self, session: Session, panel: ConnectivityPanel) -> None:
        super().__init__(panel)
        self._session = session
        self._panel = panel
        self.brain = GlassBrain(panel.canvas)
        self._answer: GraphAnswer | None = None
        self._parts: tuple[Measured, ...] = ()
        self._modules: NDArray[np.int32] | None = None
        self._order = "hemispheres"
        self._colours = Colours()
        self.node: int | None = None
        self._limits: dict[str, float] = {}
        self._matrices_of: tuple[Connectome, ...] = ()
        self._counted: tuple[object, ...] = ()
        self._counts = Counts(np.array([-1.0, 1.0]), np.zeros(1))
        self._outline: tuple[object, tuple[Mesh, ...]] = (None, ())
        panel.view_chosen.connect(self.brain.look_from)
        self.brain.node_hovered.connect(self._tell_node)
        for side, matrix in panel.matrices.items():
            matrix.set_tables(tables.lut(ON_DARK), tables.lut(ON_LIGHT))
            matrix.hovered.connect(self._tell_entry)
            matrix.setAccessibleName(f"{matrix.accessibleName()} {SIDE_TITLES[side]}")

    @property
    def answer(self) -> GraphAnswer | None:
        """What is shown, with all that was measured on it."""
        return None if self._answer is None else with_fields(self._answer, parts=self._parts)

    def clear(self) -> None:
        """Nothing to show."""
        self._answer, self._parts, self.node, self._modules = None, (), None, None
        self._matrices_of = self._counted = ()
        self.brain.set_scene(None)

    def show(self, answer: GraphAnswer, colours: Colours) -> None:
        """Show an answer with the colours of its layer."""
        is_new = answer is not self._answer
        if is_new:
            if self._answer is None or len(answer.parts[0].connectome.names) != len(self._parts[0].connectome.names):
                self.node, self._modules = None, None
            self._answer, self._parts = answer, answer.parts
            self._panel.facts.setText(facts_of(answer))
            self._panel.facts.setToolTip(sources_of(answer))
            self._show_matrices(answer)
            self._show_edges(answer)
            self._show_tables(answer)
        moved = self._follow_crosshair(answer)
        outline = self._cortex()
        if is_new or moved or colours != self._colours or outline is not self._outline[1]:
            self._outline = (self._outline[0], outline)
            self._colours = colours
            self._show_node()
            self._show_brain(answer)

    def mark(self, node: int | None) -> None:
        """Mark a node everywhere."""
        self.node = node
        self._show_node()
        if self._answer is not None:
            self._show_brain(self._answer)

    def order_by(self, order: str) -> None:
        """Arrange the matrices anew."""
        self._order = order
        if self._answer is not None:
            self._arrange(self._answer)

    def add_details(self, answer: GraphAnswer, found: tuple[GraphMetrics, ...], modules: NDArray[np.int32]) -> None:
        """Show what was measured after the slider came to rest."""
        if answer is not self._answer:
            return
        self._parts = with_metrics(self._parts, found)
        self._modules = modules
        self._show_tables(with_fields(answer, parts=self._parts))
        if self._order == "modules":
            self._arrange(answer)

    def close(self) -> None:
        """Free the graphics memory."""
        self.brain.close()

    # -- parts

    def _show_matrices(self, answer: GraphAnswer) -> None:
        sides = SIDES if len(answer.parts) > 1 else ("a",)
        connectomes = tuple(part.connectome for part in answer.parts)
        is_same = self._matrices_of == connectomes  # which are compared by identity
        for side in sides:
            values = matrix_of(answer, side)
            if not is_same or side not in self._limits:
                self._limits[side] = limit_of(values)
            unit = "Δz" if side == "difference" else "r"
            self._panel.matrices[side].set_values(values, kept_of(answer, side), self._limits[side], unit)
        if not is_same or self._order == "modules":
            self._arrange(answer)
        self._matrices_of = connectomes

    def _arrange(self, answer: GraphAnswer) -> None:
        arrangement = arrangement_of(answer, self._order, self._modules)
        for side in SIDES if len(answer.parts) > 1 else ("a",):
            self._panel.matrices[side].set_arrangement(arrangement)

    def _show_edges(self, answer: GraphAnswer) -> None:
        histogram, recipe = self._panel.histogram, answer.recipe
        is_difference = recipe.shown == "difference"
        counted = (recipe.shown, *(part.connectome for part in answer.parts))
        if counted != self._counted:
            self._counted = counted
            self._counts = counts_of(answer)
            histogram.set_counts(*self._counts)
        cut = answer.parts[-1 if recipe.shown == "b" else 0].thresholded
        threshold = None if is_difference or not cut.n_edges else cut.threshold
        histogram.set_can_drag(not is_difference)
        histogram.set_threshold(threshold, both_sides=recipe.rule.edges != "positive")
        what = "Differences of Fisher z (A − B)" if is_difference else "Correlations"
        text = f"{what} of {round(self._counts.counts.sum()):,} pairs of regions"
        self._panel.edge_line.setText(text if is_difference else f"{text}; the coloured ones are edges.")

    def _show_tables(self, answer: GraphAnswer) -> None:
        values = {name: nodal(answer.recipe, answer.parts, name) for name in METRICS}
        self._panel.nodes.set_nodes(answer.parts[0].connectome.names, values)
        self._panel.numbers.set_rows(number_rows(answer))

    def _show_node(self) -> None:
        for matrix in self._panel.matrices.values():
            matrix.set_selected(self.node)
        self._panel.nodes.select(self.node)
        self._tell_node(None)

    def _show_brain(self, answer: GraphAnswer) -> None:
        connectome = answer.parts[0].connectome
        if connectome.places_mm is None:
            self._panel.set_brain_text(self.tr(NO_PLACES))
            self.brain.set_scene(None)
            return
        self._panel.set_brain_text("")
        drawn = links_of(answer, answer.recipe.shown, self.node)
        values = nodal(answer.recipe, answer.parts, answer.recipe.metric)
        label = "" if self.node is None else connectome.names[self.node]
        self.brain.set_scene(
            GraphScene(
                (1, 1),
                nodes_of(connectome.places_mm, values, self._colours),
                drawn.links,
                self._outline[1],
                ringed=self.node,
                label=label,
                note=drawn.note,
            )
        )

    def _cortex(self) -> tuple[Mesh, ...]:
        """The average cortex, once it is read."""
        question = CortexData(None)
        cortices = self._session.results.get(question)
        if not isinstance(cortices, tuple):
            if cortices is None and self._answer is not None and self._answer.image is not None:
                self._session.ask(question)
            return ()
        if self._outline[0] is not cortices:
            worlds = [cortex.world for cortex in cortices if cortex.world is not None]
            self._outline = (cortices, tuple(Mesh(world.coordinates, world.faces) for world in worlds))
        return self._outline[1]

    def _follow_crosshair(self, answer: GraphAnswer) -> bool:
        """Whether the node at the crosshair is another one; without places what is marked stays."""
        atlas = self._atlas(answer)
        connectome = answer.parts[0].connectome
        if atlas is None or connectome.labels is None:
            return False
        label = int(atlas.labels_at([self._session.state.crosshair_mm])[0])
        found = np.flatnonzero(connectome.labels == label)
        node = int(found[0]) if found.size else None
        moved = node != self.node
        self.node = node
        return moved

    def _atlas(self, answer: GraphAnswer) -> Atlas | None:
        matrix = answer.recipe.a
        found = self._session.results.get(AtlasData(matrix.atlas)) if isinstance(matrix, RegionMatrix) else None
        return found if isinstance(found, Atlas) else None

    def _tell_entry(self, entry: Entry | None) -> None:
        answer = self._answer
        text = "" if answer is None or entry is None else entry_text(answer, entry.row, entry.column)
        self._panel.under_mouse.set_whole(text)

    def _tell_node(self, node: int | None) -> None:
        answer = self._answer
        told = self.node if node is None else node
        if answer is None or told is None:
            self._panel.node_line.set_whole("")
            return
        metric = answer.recipe.metric
        value = float(nodal(answer.recipe, self._parts, metric)[told])
        name = answer.parts[0].connectome.names[told]
        self._panel.node_line.set_whole(f"{name}: {NODAL_TITLES[metric].lower()} {format_number(value)}")
