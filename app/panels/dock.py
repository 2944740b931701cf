"""All panels of the window, joined to its session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QScrollArea, QSplitter, QVBoxLayout, QWidget

from ...widgets.controls import Choice
from ...widgets.cursor_panel import CursorPanel
from ...widgets.draw_panel import DrawPanel
from ...widgets.finder import Finder
from ...widgets.layer_list import LayerList
from ...widgets.layer_panel import LayerPanel
from ...widgets.pick_list import PickList
from ...widgets.seed_panel import SeedPanel
from ...widgets.surface_panel import SurfacePanel
from ...widgets.time_course import TimeCourse
from ...widgets.value_table import ValueTable
from ..finder import Jump
from ..io.atlases import atlas_ids, describe
from ..recipes import AtlasLabels, FileMap, Point, RegionMask
from ..session import Notice
from . import clusters, regions
from .atlases import AtlasesControl
from .cursor import CursorControl
from .draw import DrawControl
from .layers import LayersControl
from .seed import SeedControl
from .surface import SurfaceControl
from .timeline import TimelineControl

if TYPE_CHECKING:
    from ..window import Window

LEFT = Qt.DockWidgetArea.LeftDockWidgetArea
RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea


class Panels(QObject):
    """Makes the docks of a window and keeps them in step with its session."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        session = window.session
        self.finder = Finder()
        self.finder.setMinimumWidth(220)
        window.add_tool_bar(self.finder)
        self.regions = regions.RegionsControl(session, self.finder)
        self._docks: list[QDockWidget] = []
        self._closed = False
        self._build_left()
        self._build_right()
        self._build_bottom()
        window.slice_view.tool_used.connect(self.draw.use)
        self.draw.tool_in_hand.connect(self._take_tool)
        self.draw.save_wanted.connect(window.files.save_map)
        self.layers.action_chosen.connect(self._layer_action)
        self.seed.file_wanted.connect(self._choose_seed_file)
        self.seed.region_wanted.connect(self._choose_seed_region)
        self.surface_panel.open_requested.connect(window.files.open_files)
        self.surface_panel.add_region_requested.connect(self._add_region_mesh)

    # -- building

    def _dock(self, title: str, name: str, content: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = self._window.add_dock(title, name, content, area)
        dock.visibilityChanged.connect(lambda _: self.refresh())
        self._docks.append(dock)
        return dock

    def _build_left(self) -> None:
        self.layer_list, self.layer_panel = LayerList(), LayerPanel()
        both = QSplitter(Qt.Orientation.Vertical)
        both.setChildrenCollapsible(False)
        both.addWidget(self.layer_list)
        both.addWidget(scrolling(self.layer_panel))
        both.setStretchFactor(0, 0)
        both.setStretchFactor(1, 1)
        both.setSizes([150, 500])
        both.setMinimumWidth(310)
        self._dock(self.tr("Layers"), "layers", both, LEFT)
        self.layers = LayersControl(self._window.session, self.layer_list, self.layer_panel)

    def _build_right(self) -> None:
        session = self._window.session
        self.cursor_panel = CursorPanel()
        self.atlas_list = PickList(self.tr("Atlases"), self.tr("Atlases that name the place of the crosshair"))
        place = QWidget()
        layout = QVBoxLayout(place)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolling(self.cursor_panel), 1)
        layout.addWidget(self.atlas_list)
        self.cursor = CursorControl(session, self.cursor_panel)
        self.atlases = AtlasesControl(session, self.atlas_list)
        self.seed_panel, self.surface_panel, self.draw_panel = SeedPanel(), SurfacePanel(), DrawPanel()
        self.seed = SeedControl(session, self.seed_panel)
        self.surface = SurfaceControl(session, self.surface_panel)
        self.draw = DrawControl(session, self.draw_panel)
        first = self._dock(self.tr("Place"), "place", place, RIGHT)
        others = [
            self._dock(self.tr("Seed"), "seed", scrolling(self.seed_panel), RIGHT),
            self._dock(self.tr("3D"), "surface", scrolling(self.surface_panel), RIGHT),
            self._dock(self.tr("Draw"), "draw", scrolling(self.draw_panel), RIGHT),
        ]
        for dock in others:
            self._window.tabifyDockWidget(first, dock)
        first.raise_()

    def _build_bottom(self) -> None:
        session = self._window.session
        self.time_course = TimeCourse()
        self.cluster_table = ValueTable(self.tr("Clusters"), clusters.COLUMNS)
        self.region_table = ValueTable(self.tr("Regions"), regions.COLUMNS, has_filter=True)
        self.timeline = TimelineControl(session, self.time_course)
        self.clusters = clusters.ClustersControl(session, self.cluster_table)
        self.region_rows = regions.RegionTableControl(session, self.region_table)
        for table, name in ((self.cluster_table, "clusters"), (self.region_table, "regions")):
            table.save_requested.connect(lambda text, name=name: self._window.files.save_table(name, text))
        first = self._dock(self.tr("Time course"), "time", self.time_course, BOTTOM)
        second = self._dock(self.tr("Clusters"), "clusters", self._clusters_with_choice(), BOTTOM)
        third = self._dock(self.tr("Regions"), "regions", self._regions_with_choice(), BOTTOM)
        self._window.tabifyDockWidget(first, second)
        self._window.tabifyDockWidget(second, third)
        first.raise_()
        self._window.resizeDocks([first], [300], Qt.Orientation.Vertical)

    def _clusters_with_choice(self) -> QWidget:
        joined = Choice(self.tr("Joined by"), self.tr("Which neighbours belong to the same cluster"))
        joined.set_items([(6, self.tr("faces (6)")), (18, self.tr("edges (18)")), (26, self.tr("corners (26)"))])
        joined.set_value(self.clusters.connectivity)

        def choose(value: object) -> None:
            if value in (6, 18, 26):
                self.clusters.join_by(value)

        joined.chosen.connect(choose)
        return _under(self.cluster_table, self.tr("Voxels joined by"), joined)

    def _regions_with_choice(self) -> QWidget:
        chosen = Choice(self.tr("Atlas"), self.tr("Whose regions the table lists"))
        chosen.set_items([(atlas, describe(atlas).title) for atlas in atlas_ids()])
        self.region_rows.atlas_id = "aal2" if "aal2" in atlas_ids() else atlas_ids()[0]
        chosen.set_value(self.region_rows.atlas_id)

        def choose(value: object) -> None:
            self.region_rows.atlas_id = str(value)
            self.region_rows.refresh()

        chosen.chosen.connect(choose)
        return _under(self.region_table, self.tr("Atlas"), chosen)

    # -- what the window asks

    def toggles(self) -> Iterator[QAction]:
        """Menu entries that show and hide the panels."""
        return (dock.toggleViewAction() for dock in self._docks)

    def refresh(self) -> None:
        """Show the view in every panel that can be seen."""
        if self._closed:  # hiding docks on the way out is no reason to fill them
            return
        for control in (
            self.layers,
            self.cursor,
            self.atlases,
            self.seed,
            self.surface,
            self.draw,
            self.timeline,
            self.clusters,
            self.region_rows,
        ):
            control.refresh()

    def hover_text(self, at: object) -> str:
        """A line about the place under the mouse."""
        place: Point | None = at if isinstance(at, tuple) else None
        return self.cursor.hover_text(place)

    def jump(self, jump: object) -> None:
        """Go to a region that has a key of its own."""
        if isinstance(jump, Jump):
            self.regions.go(jump.region)

    def put_tool_away(self) -> bool:
        """Give the mouse back to the crosshair; whether a tool was in hand."""
        if not self._window.slice_view.has_tool:
            return False
        self.draw.put_away()
        return True

    def close(self) -> None:
        """Stop what runs by itself."""
        self._closed = True
        self.layers.play(playing=False)

    def _take_tool(self, in_hand: bool) -> None:
        self._window.slice_view.has_tool = in_hand
        cursor = Qt.CursorShape.CrossCursor if in_hand else Qt.CursorShape.ArrowCursor
        self._window.area.slices.setCursor(cursor)

    def _layer_action(self, key: int, action: str) -> None:
        session = self._window.session
        overlay = session.state.overlay(key)
        if overlay is None:
            return
        match action:
            case "keep":
                self.seed.keep()
            case "save":
                self._window.files.save_map(key)
            case "info":
                self._window.files.show_info(overlay)
            case "space":
                self._window.files.ask_space(overlay)
            case "duplicate":
                state = session.state
                copy = replace(overlay, key=state.next_key(), name=f"{overlay.name} (copy)")
                session.update("duplicate", None, overlays=(*state.overlays, copy), selected=copy.key)
            case _:
                raise ValueError(action)

    def _choose_seed_file(self, what: str) -> None:
        images = self.tr("Images (*.nii *.nii.gz *.mgz *.img *.hdr);;All files (*)")
        tables = self.tr("Tables (*.tsv *.csv *.txt *.par *.1D);;All files (*)")
        titles = {
            "mask": self.tr("Choose a seed mask"),
            "confounds": self.tr("Choose a table of confounds"),
            "brain": self.tr("Choose a brain mask"),
        }
        path = self._window.choose_file(titles[what], tables if what == "confounds" else images)
        if path:
            self.seed.take_file(what, path)

    def _choose_seed_region(self) -> None:
        """The selected region layer becomes the seed; else the finder is where to get one."""
        session = self._window.session
        chosen = session.state.overlay(session.state.selected)
        candidates = [chosen, *reversed(session.state.overlays)]
        region = next((o.recipe for o in candidates if o is not None and isinstance(o.recipe, RegionMask)), None)
        if region is not None:
            self.seed.take_region(region)
            return
        text = self.tr("Find a region and press Ctrl+Enter to add it as a layer; then choose it as seed.")
        session.noticed.emit(Notice("info", text))
        self.finder.setFocus(Qt.FocusReason.OtherFocusReason)

    def _add_region_mesh(self) -> None:
        """The selected region layer as a mesh."""
        session = self._window.session
        chosen = session.state.overlay(session.state.selected)
        if chosen is not None and isinstance(chosen.recipe, RegionMask):
            self.regions.add_mesh(chosen.recipe)
            return
        text = self.tr("Select a region layer first: find a region and press Ctrl+Enter.")
        session.noticed.emit(Notice("info", text))
        self.finder.setFocus(Qt.FocusReason.OtherFocusReason)

    def add_atlas_layer(self, atlas_id: str) -> None:
        """A whole atlas as a layer."""
        self.regions.add_layer(AtlasLabels(atlas_id), describe(atlas_id).title)

    def seed_from(self, path: str) -> None:
        """Use a mask file as seed."""
        self.seed.take_file("mask", FileMap(path).path)


def scrolling(content: QWidget) -> QScrollArea:
    """A panel that scrolls up and down where it is too small."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setMinimumWidth(content.minimumSizeHint().width() + area.verticalScrollBar().sizeHint().width())
    area.setWidget(content)
    return area


def _under(table: QWidget, label: str, choice: QWidget) -> QWidget:
    """A table with a choice above it."""
    whole = QWidget()
    line = QHBoxLayout()
    line.setContentsMargins(8, 4, 8, 0)
    line.addWidget(QLabel(label))
    line.addWidget(choice)
    line.addStretch(1)
    layout = QVBoxLayout(whole)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addLayout(line)
    layout.addWidget(table, 1)
    return whole
