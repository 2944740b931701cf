"""A graph of the brain, live: threshold, matrices, glass brain, nodes, edges, numbers of the whole graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QScrollArea, QSplitter, QStackedWidget, QTabWidget, QWidget

from .canvas import Canvas
from .connectivity_form import ConnectivityForm
from .controls import Choice, FoldingRow, button, check, column, described, muted, on_tick, row, spread
from .density_slider import DensitySlider
from .edge_histogram import EdgeHistogram
from .elided_label import ElidedLabel
from .matrix import Matrix
from .node_table import NodeTable
from .value_model import Column
from .value_table import ValueTable

SIDES = ("a", "b", "difference")
LEAST_MATRIX_PX = 190  # wide, below which only the matrix in use is shown
WIDE_PX = 1200  # from which three matrices have room
LEAST_HEIGHT = 170  # of matrices, brain and tables
DATA, NODES, EDGES, GRAPH = range(4)


class ConnectivityPanel(QWidget):
    """What the connectivity panel consists of; its parts are public, whoever binds it speaks to them.

    Signals
    -------
    metric_chosen : (str)
    side_chosen : (str)
        ``a``, ``b`` or ``difference``.
    order_chosen : (str)
    edges_chosen : (str)
    weighted_chosen : (bool)
    view_chosen : (str)
        A direction for the glass brain.
    export_requested : (str)
        ``nodes``, ``matrix`` or ``graphml``.
    """

    metric_chosen = Signal(str)
    side_chosen = Signal(str)
    order_chosen = Signal(str)
    edges_chosen = Signal(str)
    weighted_chosen = Signal(bool)
    view_chosen = Signal(str)
    export_requested = Signal(str)

    def __init__(
        self, metrics: Mapping[str, Column], strategies: Iterable[str] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._side = "a"
        self._has_b = False
        self._has_graph = True
        self._build_bar(metrics)
        self._build_matrices()
        self._build_brain()
        self._build_tabs(metrics, strategies)
        self.facts = QLabel()
        self.facts.setWordWrap(True)
        self.facts.setTextFormat(Qt.TextFormat.RichText)
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        described(self.facts, self.tr("Facts about the graph"), "")
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        for number, (part, stretch) in enumerate(((self._matrix_side, 3), (self._brain_side, 3), (self.tabs, 4))):
            self._splitter.addWidget(part)
            self._splitter.setStretchFactor(number, stretch)
            self._splitter.setCollapsible(number, number < 2)
        self._splitter.splitterMoved.connect(lambda *_: self._show_side())
        layout = column(self, margin=6)
        layout.addWidget(self._bar)
        layout.addWidget(self.facts)
        self._splitter.setMinimumHeight(LEAST_HEIGHT)
        layout.addWidget(self._splitter, 1)
        self.set_has_graph(has_graph=False)
        self.set_sides(has_b=False, side="a")

    def _build_bar(self, metrics: Mapping[str, Column]) -> None:
        self.slider = DensitySlider()
        self._metric = Choice(self.tr("Metric"), self.tr("What is painted on the regions and sizes the nodes"))
        self._metric.set_items((name, shown.tip or shown.title) for name, shown in metrics.items())
        self._edges = Choice(self.tr("Edges"), self.tr("What happens to negative correlations"))
        self._edges.set_items(
            [
                ("positive", self.tr("Positive only")),
                ("absolute", self.tr("By size")),
                ("signed", self.tr("Signed")),
            ]
        )
        self._weighted = check(self.tr("Weighted"), self.tr("Edges count by their weight, not each as 1"))
        self._show = Choice(self.tr("Show"), self.tr("Side that slices, glass brain and nodes show"))
        self._show.set_items([("a", "A"), ("b", "B"), ("difference", "A − B")])
        for choice in (self._metric, self._edges, self._show):
            choice.setMinimumContentsLength(5)
        self.slider.setMinimumWidth(300)
        self._export = button(self.tr("Export"), self.tr("Save nodes, matrix or graph"))
        menu = QMenu(self._export)
        for what, text in (
            ("nodes", self.tr("Nodes as TSV…")),
            ("matrix", self.tr("Matrix as TSV…")),
            ("graphml", self.tr("Graph as GraphML…")),
        ):
            menu.addAction(text, lambda what=what: self.export_requested.emit(what))
        self._export.setMenu(menu)
        self._export.setFlat(True)
        shown = spread(self._metric, self._show)
        self._bar = FoldingRow(self.slider, shown, self._edges, self._weighted)
        for choice, signal in (
            (self._metric, self.metric_chosen),
            (self._edges, self.edges_chosen),
            (self._show, self.side_chosen),
        ):
            choice.chosen.connect(lambda value, signal=signal: signal.emit(str(value)))
        on_tick(self._weighted, self.weighted_chosen.emit)

    def _build_matrices(self) -> None:
        self.matrices = {side: Matrix() for side in SIDES}
        self._heads = {side: self._head(side) for side in SIDES}
        self.under_mouse = ElidedLabel()
        self._order = Choice(self.tr("Order"), self.tr("Order of the regions in the matrix"))
        self._order.set_items(
            [
                ("hemispheres", self.tr("By hemisphere")),
                ("atlas", self.tr("As in the atlas")),
                ("modules", self.tr("By module")),
            ]
        )
        self._order.set_value("hemispheres")
        self._order.chosen.connect(lambda value: self.order_chosen.emit(str(value)))
        self._columns: dict[str, QWidget] = {}
        self._beside = QWidget()
        side_by_side = row()
        for side in SIDES:
            one = self._columns[side] = QWidget()
            lines = column(one)
            lines.setSpacing(2)
            lines.addWidget(self._heads[side])
            lines.addWidget(self.matrices[side], 1)
            side_by_side.addWidget(one, 1)
        side_by_side.takeAt(0)  # the room that a row leaves at its end
        self._beside.setLayout(side_by_side)
        self._matrix_side = QWidget()
        layout = column(self._matrix_side)
        layout.setSpacing(2)
        layout.addWidget(self._beside, 1)
        layout.addLayout(row(self._order, self.under_mouse))
        self._matrix_side.setMinimumWidth(170)

    def _head(self, side: str) -> QPushButton:
        titles = {"a": "A", "b": "B", "difference": "A − B"}
        head = described(QPushButton(titles[side]), titles[side], self.tr("Show this side on slices and nodes"))
        head.setCheckable(True)
        head.clicked.connect(lambda: self._press_head(side))
        return head

    def _press_head(self, side: str) -> None:
        self._show_side()  # a press on the one that is down leaves it down
        if side != self._side:
            self.side_chosen.emit(side)

    def _build_brain(self) -> None:
        self.canvas = Canvas()
        described(
            self.canvas,
            self.tr("Glass brain"),
            self.tr("The strongest edges. Drag to turn, wheel to zoom, click a node to go there"),
        )
        self.canvas.setToolTip("")
        self._view = Choice(self.tr("Seen from"), self.tr("Direction from which the glass brain is seen"))
        self._view.set_items(
            [
                ("top", self.tr("From above")),
                ("left", self.tr("From the left")),
                ("right", self.tr("From the right")),
                ("front", self.tr("From the front")),
                ("back", self.tr("From behind")),
                ("bottom", self.tr("From below")),
            ]
        )
        self._view.set_value("top")
        self._view.chosen.connect(lambda value: self.view_chosen.emit(str(value)))
        self._no_brain = muted()
        self._no_brain.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._brain = QStackedWidget()
        self._brain.addWidget(self.canvas)
        self._brain.addWidget(self._no_brain)
        self.node_line = ElidedLabel()
        self._brain_side = QWidget()
        layout = column(self._brain_side)
        layout.setSpacing(2)
        layout.addWidget(self._brain, 1)
        layout.addLayout(row(self._view, self.node_line))
        self._brain_side.setMinimumWidth(170)

    def _build_tabs(self, metrics: Mapping[str, Column], strategies: Iterable[str]) -> None:
        self.form = ConnectivityForm(strategies)
        self.nodes = NodeTable(metrics)
        self.histogram = EdgeHistogram()
        self.edge_line = muted()
        self.numbers = ValueTable(
            self.tr("Whole graph"),
            (
                Column(self.tr("Measure")),
                Column("A", "", "number"),
                Column("B", "", "number"),
                Column("A − B", "", "number"),
            ),
        )
        edges = QWidget()
        lines = column(edges)
        lines.addWidget(self.histogram, 1)
        lines.addWidget(self.edge_line)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self.form)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for part, text in (
            (area, self.tr("Data")),
            (self.nodes, self.tr("Nodes")),
            (edges, self.tr("Edges")),
            (self.numbers, self.tr("Graph")),
        ):
            self.tabs.addTab(part, text)
        self.tabs.setCornerWidget(self._export)
        self.tabs.setMinimumWidth(250)

    # -- what it shows

    def set_has_graph(self, *, has_graph: bool) -> None:
        """Show the parts that need a graph, or only the form that makes one."""
        for part in (self._bar, self.facts, self._matrix_side, self._brain_side, self._export):
            part.setVisible(has_graph)
        for number in (NODES, EDGES, GRAPH):
            self.tabs.setTabEnabled(number, has_graph)
        if has_graph != self._has_graph:
            self._has_graph = has_graph
            self.tabs.setCurrentIndex(NODES if has_graph else DATA)
            self._share_room(has_b=self._has_b)

    def set_sides(self, *, has_b: bool, side: str) -> None:
        """Whether there is a B, and which side is shown."""
        if has_b != self._has_b:
            self._share_room(has_b=has_b)
        self._has_b, self._side = has_b, side
        self._show.setVisible(has_b)
        self._show.set_value(side)
        self._bar.updateGeometry()
        self._show_side()

    def _share_room(self, *, has_b: bool) -> None:
        """Widths of matrices, brain and tables: three matrices need more of it than one."""
        shares = (5, 3, 3) if has_b and self.width() >= WIDE_PX else (3, 3, 4)
        self._splitter.setSizes([share * 1000 for share in shares])

    def _show_side(self) -> None:
        is_wide = self._matrix_side.width() >= len(SIDES) * LEAST_MATRIX_PX
        for side in SIDES:
            self._columns[side].setVisible(side == self._side or (self._has_b and is_wide))
            self._heads[side].setVisible(self._has_b and is_wide)
            self._heads[side].setChecked(side == self._side)

    def set_rule(self, metric: str, edges: str, *, weighted: bool) -> None:
        """Show how the graph is made."""
        self._metric.set_value(metric)
        self._edges.set_value(edges)
        self._weighted.setChecked(weighted)

    def set_order(self, order: str) -> None:
        """Show in which order the regions stand."""
        self._order.set_value(order)

    def set_brain_text(self, text: str) -> None:
        """Say why there is no glass brain; empty where there is one."""
        self._no_brain.setText(text)
        self._brain.setCurrentWidget(self._no_brain if text else self.canvas)
        self._view.setEnabled(not text)

    def set_metric_titles(self, titles: Iterable[tuple[Any, str]]) -> None:
        """Offer metrics as (name, title)."""
        self._metric.set_items(titles)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_side()
