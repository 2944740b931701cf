"""The live connectivity panel: from its controls to a question, from the answer to its parts."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import QObject, QTimer, Signal

from ...widgets.connectivity_panel import ConnectivityPanel
from ...widgets.density_slider import Cut
from ...widgets.matrix import Entry
from ..connectome import Connectome, of_file
from ..graph_answers import NODAL_TITLES, GraphAnswer, nodal
from ..recipes import EdgeRule, GraphMetric, MatrixFile, RegionMatrix
from ..session import Session
from ..state import Colours, Overlay
from .connectivity_data import ConnectivityData, Matrix, one_more
from .connectivity_details import ConnectivityDetails
from .connectivity_look import fitted, is_fitted
from .connectivity_view import ConnectivityView

CUT = "graph cut"  # changes of the threshold that follow one another are one step of undo


class ConnectivityControl(QObject):
    """Binds a `ConnectivityPanel` to a session: the graph layer that is selected, else the topmost.

    ``room_wanted`` comes when there is something to see that there was not before.
    """

    room_wanted = Signal()

    def __init__(self, session: Session, panel: ConnectivityPanel) -> None:
        super().__init__(panel)
        self._session = session
        self._panel = panel
        self.view = ConnectivityView(session, panel)
        self.data = ConnectivityData(session, panel.form)
        self._answer: GraphAnswer | None = None
        self._fit_due: GraphMetric | None = None
        self._settle_due = False
        self._what = ""  # the change under way, for the undo menu
        self._closed = False
        self.details = ConnectivityDetails(session, self)
        self.details.found.connect(self.view.add_details)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.refresh)
        self.data.wanted.connect(self._make)
        panel.slider.changed.connect(self._cut)
        panel.slider.settled.connect(self._settle)
        panel.slider.kind_chosen.connect(self._cut_by)
        panel.histogram.dragged.connect(lambda r: self._cut(Cut("r", r)))
        panel.histogram.settled.connect(self._settle)
        panel.metric_chosen.connect(lambda metric: self._change("metric", metric=metric))
        panel.side_chosen.connect(lambda side: self._change("side of the graph", shown=side))
        panel.edges_chosen.connect(lambda edges: self._rule("edges", edges=edges))
        panel.weighted_chosen.connect(lambda weighted: self._rule("weights", weighted=weighted))
        panel.order_chosen.connect(self.view.order_by)
        panel.nodes.row_activated.connect(self.go)
        panel.nodes.row_selected.connect(self.go)
        self.view.brain.node_chosen.connect(self.go)
        for matrix in panel.matrices.values():
            matrix.clicked.connect(self._go_to_entry)
        session.changed.connect(self._schedule)

    # -- showing

    def _schedule(self) -> None:
        """The picture of a graph waits for nothing else; behind other tabs it waits until it is seen."""
        if not (self._closed or self._soon.isActive() or self._panel.visibleRegion().isEmpty()):
            self._soon.start(0)

    def refresh(self) -> None:
        """Show the graph of the view, the last one of its kind while a new one is on its way."""
        overlay = self.overlay()
        recipe = None if overlay is None else _graph(overlay)
        self.data.refresh(recipe)
        answer = self.answer()
        self._panel.set_has_graph(has_graph=answer is not None)
        if answer is None or recipe is None or overlay is None:
            self._answer = None
            self.details.follow(None)
            self.view.clear()
            return
        self._show_controls(recipe)
        if answer is not self._answer:
            if self._answer is None:
                self.room_wanted.emit()
            self._answer = answer
            self.details.follow(answer)
        colours = self._fit(overlay, answer)
        self.view.show(answer, colours)

    def _show_controls(self, recipe: GraphMetric) -> None:
        rule, panel = recipe.rule, self._panel
        panel.set_rule(recipe.metric, rule.edges, weighted=rule.weighted)
        panel.slider.set_cut(cut_of(rule))
        panel.set_sides(has_b=recipe.b is not None, side=recipe.shown)

    def overlay(self) -> Overlay | None:
        """The layer that the panel is about."""
        state = self._session.state
        candidates = (state.overlay(state.selected), *reversed(state.overlays))
        return next((o for o in candidates if o is not None and isinstance(o.recipe, GraphMetric)), None)

    def answer(self) -> GraphAnswer | None:
        """What that layer shows."""
        overlay = self.overlay()
        key = None if overlay is None else overlay.key
        shown = next((s.answer for s in self._session.shown() if s.overlay.key == key), None)
        return shown if isinstance(shown, GraphAnswer) else None

    def _fit(self, overlay: Overlay, answer: GraphAnswer) -> Colours:
        """Let the range of colours follow the values, within the step that changed them, unless the user chose it."""
        if self._fit_due is None or answer.recipe != self._fit_due:
            return overlay.colours
        self._fit_due = None
        colours = fitted(nodal(answer.recipe, answer.parts, answer.recipe.metric), overlay.colours)
        if colours != overlay.colours:
            self._session.update_overlay(replace(overlay, colours=colours), self._what, CUT)
        if self._settle_due:
            self._settle_due = False
            self._session.store.settle()
        return colours

    # -- changes

    def _cut(self, cut: Cut) -> None:
        density, r = (cut.value, None) if cut.by == "density" else (None, cut.value)
        self._rule("threshold of the graph", CUT, density=density, r=r)

    def _cut_by(self, kind: str) -> None:
        """The same graph, its threshold said in the other way."""
        if self._answer is None:
            return
        cut = self._answer.parts[-1 if self._answer.recipe.shown == "b" else 0].thresholded
        by_r = kind == "r" and cut.n_edges
        self._cut(Cut("r", cut.threshold) if by_r else Cut("density", cut.density))
        self._settle()

    def _rule(self, what: str, merge: str | None = None, **changes: Any) -> None:
        overlay = self.overlay()
        if overlay is not None:
            self._change(what, merge, rule=replace(_graph(overlay).rule, **changes))

    def _change(self, what: str, merge: str | None = None, **changes: Any) -> None:
        overlay = self.overlay()
        if overlay is None:
            return
        before = _graph(overlay)
        recipe = replace(before, **changes)
        answer = self.answer()
        if answer is None or is_fitted(overlay.colours, nodal(answer.recipe, answer.parts, answer.recipe.metric)):
            self._fit_due = recipe
        self._what = what
        name = name_of(recipe) if overlay.name == name_of(before) else overlay.name
        self._session.update_overlay(replace(overlay, recipe=recipe, name=name), what, merge or CUT)
        if merge is None:
            self._settle()

    def _settle(self) -> None:
        """The change is over, as soon as its colours are fitted."""
        if self._fit_due is None:
            self._session.store.settle()
        else:
            self._settle_due = True

    def _make(self, a: Matrix, b: Matrix | None) -> None:
        """Change the graph that there is to other matrices, or add one."""
        overlay = self.overlay()
        if overlay is not None:
            shown = _graph(overlay).shown if b is not None else "a"
            self._change("make a graph", a=a, b=b, shown=shown)
            return
        self._add(GraphMetric(a, b))

    def _add(self, recipe: GraphMetric) -> None:
        state = self._session.state
        key = state.next_key()
        has_places = isinstance(recipe.a, RegionMatrix)
        made = Overlay(key, recipe, name_of(recipe), Colours("viridis"), opacity=0.85, smooth=False, visible=has_places)
        self._fit_due, self._what = recipe, "make a graph"
        self._session.update(self._what, CUT, overlays=(*state.overlays, made), selected=key)
        self._settle()

    def open_matrix(self, side: str, path: str) -> None:
        """Read a matrix of a file and show it as A or B."""
        title = self.tr("Opening a matrix")
        self._session.start(
            ("matrix", path), title, lambda _: of_file(path), lambda found: self._opened(side, path, found)
        )

    def _opened(self, side: str, path: str, found: Connectome) -> None:
        self._session.results.put(MatrixFile(path), found)
        overlay = self.overlay()
        if side == "b" and overlay is not None:
            compared = one_more(_graph(overlay), path)
            self._change("compare with a matrix", b=compared.b, shown=compared.shown)
        else:
            self._add(GraphMetric(MatrixFile(path)))

    # -- places

    def go(self, node: int) -> None:
        """Move the crosshair into a region; where there is no place, only mark it."""
        if self._answer is None:
            return
        places = self._answer.parts[0].connectome.places_mm
        if places is None:
            self.view.mark(node)
            return
        if node != self.view.node:
            x, y, z = (float(v) for v in places[node])
            self._session.move_crosshair((x, y, z), merge=None)

    def _go_to_entry(self, entry: Entry) -> None:
        self.go(entry.row)

    @property
    def busy(self) -> bool:
        """Whether something is still to be shown."""
        return self._soon.isActive() or self.details.busy or self.view.brain.busy

    def close(self) -> None:
        """Stop what runs by itself and free the graphics memory."""
        self._closed = True
        self._soon.stop()
        self.details.stop()
        self.view.close()


def _graph(overlay: Overlay) -> GraphMetric:
    if not isinstance(overlay.recipe, GraphMetric):
        raise TypeError(overlay.recipe)
    return overlay.recipe


def cut_of(rule: EdgeRule) -> Cut:
    """Where a rule cuts, as the slider shows it."""
    return Cut("density", rule.density or 0.0) if rule.r is None else Cut("r", rule.r)


def name_of(recipe: GraphMetric) -> str:
    """Name that a layer gets by itself."""
    side = {"a": "", "b": " of B", "difference": ", A − B"}[recipe.shown]
    return f"{NODAL_TITLES[recipe.metric]}{side}"
