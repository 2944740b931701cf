"""All panels of the window, joined to its session."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from ...stats.fmriprep import STRATEGIES
from ...widgets.ask_form import AskForm
from ...widgets.ask_results import AskResults
from ...widgets.connectivity_panel import ConnectivityPanel
from ...widgets.controls import Choice
from ...widgets.cursor_panel import CursorPanel
from ...widgets.draw_panel import DrawPanel
from ...widgets.elided_label import ElidedLabel
from ...widgets.evidence_panel import EvidencePanel
from ...widgets.finder import Finder
from ...widgets.group_seed_panel import GroupSeedPanel
from ...widgets.layer_list import LayerList
from ...widgets.layer_panel import LayerPanel
from ...widgets.model_form import ModelForm
from ...widgets.model_results import ModelResults
from ...widgets.pick_list import PickList
from ...widgets.scores_panel import ScoresPanel
from ...widgets.seed_panel import SeedPanel
from ...widgets.study_browser import StudyBrowser
from ...widgets.surface_panel import SurfacePanel
from ...widgets.time_course import TimeCourse
from ...widgets.value_table import ValueTable
from ..actions import duplicate_selected
from ..finder import Jump
from ..opening import Opened
from ..recipes import FileMap, Point, RegionMask, label_file_id
from ..session import Notice
from ..state import Overlay
from . import clusters, regions
from .ask import AskControl
from .ask_answers import Answers
from .ask_show import AskShow
from .atlases import AtlasChoice, AtlasesControl
from .connectivity import ConnectivityControl
from .connectivity_files import ConnectivityFiles
from .connectivity_show import METRICS
from .cursor import CursorControl
from .draw import DrawControl
from .evidence import EvidenceControl
from .group_seed import GroupSeedControl
from .layers import LayersControl
from .lightbox import LightboxControl
from .model import ModelControl
from .model_files import ModelFiles
from .model_show import ModelShow
from .scores import ScoresControl
from .seed import SeedControl
from .study import StudyControl
from .study_demo import DemoControl
from .surface import SurfaceControl
from .timeline import TimelineControl

if TYPE_CHECKING:
    from ..window import Window

LEAST_WIDTH = 284  # of the layer panel
TURN_S = 0.004  # of refreshing panels before the event loop goes on
GRAPH_SHARE, GRAPH_HEIGHT = 0.46, 330  # of the window's height, and in pixels
ANSWER_SHARE = 0.4


class Control(Protocol):
    """What stands between the session and one panel."""

    def refresh(self) -> None:
        """Show the view."""
        ...


class Panels(QObject):
    """Makes the docks of a window and keeps them in step with its session."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._closed = False
        self._controls: list[Control] = []
        self._behind: set[Control] = set()  # whose panels are costly and not to be seen
        self._late: list[Control] = []  # whose panels have yet to show the view
        self._next_turn = QTimer(self)
        self._next_turn.setInterval(1)  # 0 would come before what else waits
        self._next_turn.timeout.connect(self._refresh_some)
        self.finder = Finder()
        self.finder.setMinimumWidth(150)
        self.regions = regions.RegionsControl(window.session, self.finder)
        self._to_build: list[Callable[[], None]] = [
            self._build_layers,
            self._build_place,
            self._build_seed,
            self._build_surface_and_draw,
            self._build_time,
            self._build_tables,
            self._build_connectivity,
            self._build_group_seed,
            self._build_model,
            self._build_tests,
            self._build_evidence,
            self._build_study,
            self._build_ask,
            self._finish,
        ]

    def build(self, *, at_once: bool) -> None:
        """Fill the docks, each in a turn of the event loop of its own, or all at once."""
        self._window.menus.place_finder(self.finder)
        if at_once:
            while self._to_build:
                self._to_build.pop(0)()
        else:
            self._build_next()

    @property
    def is_built(self) -> bool:
        """Whether every panel is there."""
        return not self._to_build

    def _build_next(self) -> None:
        if self._to_build and not self._closed:
            self._to_build.pop(0)()
            QTimer.singleShot(0, self._build_next)

    def _fill(self, name: str, content: QWidget, control: Control, *, costly: bool = False) -> None:
        """Put a panel into its dock. A costly one rests behind other tabs, where Qt still calls it visible."""
        dock = self._window.dock(name)
        placeholder = dock.widget()
        dock.setWidget(content)
        placeholder.deleteLater()
        self._keep_in_step(dock, control, costly=costly)

    def _keep_in_step(self, dock: QDockWidget, control: Control, *, costly: bool) -> None:
        self._controls.append(control)

        def seen(in_front: bool) -> None:
            self._behind = self._behind | {control} if costly and not in_front else self._behind - {control}
            self._refresh(control)

        dock.visibilityChanged.connect(seen)
        seen(not dock.visibleRegion().isEmpty())

    def _finish(self) -> None:
        window = self._window
        window.slice_view.tool_used.connect(self.draw.use)
        self.draw.tool_in_hand.connect(self._take_tool)
        window.study.changed.connect(self._hide_at_once)
        self.draw.save_wanted.connect(window.files.save_map)
        self.layers.action_chosen.connect(self._layer_action)
        self.seed.file_wanted.connect(self._choose_seed_file)
        self.seed.region_wanted.connect(self._choose_seed_region)
        self.surface_panel.open_requested.connect(window.files.open_files)
        self.surface_panel.add_region_requested.connect(self._add_region_mesh)
        window.menus.command(window.menus.layer, self.tr("Rename…"), "F2", self._rename)
        self.refresh()
        QTimer.singleShot(0, window.place_tables)

    def take_table(self, opened: Opened) -> None:
        """A table that was opened or dropped: a matrix, the confounds of a run, or that of a study."""
        match opened.table:
            case "matrix":
                self.connectivity.open_matrix("a", opened.path)
            case "confounds":
                self.seed.take_file("confounds", opened.path)
            case _:
                self.model.take_file("table", opened.path)
        dock = self._window.dock({"matrix": "connectivity", "confounds": "seed"}.get(str(opened.table), "model"))
        dock.show()
        dock.raise_()

    def _rename(self) -> None:
        """Edit the name of the selected layer in the list."""
        dock = self._window.dock("layers")
        dock.show()
        dock.raise_()
        if self.layer_list.currentIndex().isValid():
            self.layer_list.edit(self.layer_list.currentIndex())

    # -- building

    def _build_layers(self) -> None:
        self.layer_list, self.layer_panel = LayerList(), LayerPanel()
        both = QWidget()
        layout = QVBoxLayout(both)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.layer_list)
        layout.addWidget(scrolling(self.layer_panel), 1)
        both.setMinimumWidth(LEAST_WIDTH)
        self.layers = LayersControl(self._window.session, self.layer_list, self.layer_panel)
        self._fill("layers", both, self.layers)

    def _build_place(self) -> None:
        session = self._window.session
        self.cursor_panel = CursorPanel()
        self.atlas_list = PickList(self.tr("Atlases"), self.tr("Atlases that name the place of the crosshair"))
        place = QWidget()
        layout = QVBoxLayout(place)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.cursor_panel, 1)
        layout.addWidget(self.atlas_list)
        self.cursor = CursorControl(session, self.cursor_panel)
        self.atlases = AtlasesControl(session, self.atlas_list)
        self.atlases.chosen.connect(self._window.remember_atlases)
        self._controls += [self.atlases, LightboxControl(session, self._window.lightbox_bar)]
        self._fill("place", scrolling(place), self.cursor)

    def _build_seed(self) -> None:
        self.seed_panel = SeedPanel()
        self.seed = SeedControl(self._window.session, self.seed_panel)
        self._fill("seed", scrolling(self.seed_panel), self.seed)

    def _build_surface_and_draw(self) -> None:
        session = self._window.session
        self.surface_panel, self.draw_panel = SurfacePanel(), DrawPanel()
        self.surface = SurfaceControl(session, self.surface_panel)
        self.draw = DrawControl(session, self.draw_panel)
        self._fill("surface", scrolling(self.surface_panel), self.surface)
        self._fill("draw", scrolling(self.draw_panel), self.draw)

    def _build_time(self) -> None:
        self.time_course = TimeCourse()
        self.timeline = TimelineControl(self._window.session, self.time_course)
        self._fill("time", self.time_course, self.timeline, costly=True)

    def _build_tables(self) -> None:
        session = self._window.session
        self.cluster_table = ValueTable(self.tr("Clusters"), clusters.COLUMNS)
        self.region_table = ValueTable(self.tr("Regions"), regions.COLUMNS, has_filter=True)
        self.cluster_line = ElidedLabel()
        self.clusters = clusters.ClustersControl(session, self.cluster_table, self.cluster_line)
        self.region_rows = regions.RegionTableControl(session, self.region_table)
        for table, name in ((self.cluster_table, "clusters"), (self.region_table, "regions")):
            table.save_requested.connect(lambda text, name=name: self._window.files.save_table(name, text))
        self._fill("clusters", self._clusters_with_choice(), self.clusters, costly=True)
        self._fill("regions", self._regions_with_choice(), self.region_rows, costly=True)

    def _build_group_seed(self) -> None:
        self.group_seed_panel = GroupSeedPanel()
        self.group_seed = GroupSeedControl(self._window.session, self.group_seed_panel)
        self.group_seed.file_wanted.connect(self._choose_group_file)
        whole = _above(self.group_seed_panel, self.group_seed_panel.buttons)
        self._fill("group-seed", whole, self.group_seed, costly=True)

    def _choose_group_file(self, what: str) -> None:
        tables, images = self.tr("Tables (*.tsv *.csv *.txt);;All files (*)"), self.tr("Images (*.nii *.nii.gz *.mgz)")
        title = self.tr("Choose the table of a study") if what == "table" else self.tr("Choose a brain mask")
        path = self._window.choose_file(title, tables if what == "table" else images)
        if path:
            self.group_seed.take_file(what, path)

    def _build_connectivity(self) -> None:
        window = self._window
        self.connectivity_panel = ConnectivityPanel(METRICS, STRATEGIES)
        self.connectivity = ConnectivityControl(window.session, self.connectivity_panel)
        ConnectivityFiles(window, self.connectivity, self.connectivity_panel)
        self.connectivity.room_wanted.connect(lambda: self._make_room(window.dock("connectivity")))
        self._fill("connectivity", self.connectivity_panel, self.connectivity, costly=True)

    def _build_model(self) -> None:
        """The form of a model beside the seed's."""
        self.model_form = ModelForm()
        self.model = ModelControl(self._window.session, self.model_form, self._window.study)
        self._fill("model", _above(self.model_form, self.model_form.buttons), self.model)

    def _build_tests(self) -> None:
        """The results of a model below the views."""
        window, self.model_results = self._window, ModelResults()
        self.model_show = ModelShow(window.session, self.model_results, self.model, window.study)
        ModelFiles(window, self.model, self.model_results)
        dock = window.dock("tests")
        self.model.results_wanted.connect(lambda: (dock.show(), dock.raise_()))
        self._fill("tests", self.model_results, self.model_show, costly=True)

    def _build_evidence(self) -> None:
        window, panel = self._window, EvidencePanel()
        self.evidence = EvidenceControl(window.session, panel)
        cards = self.tr("Evidence cards (*.toml)")

        def add() -> None:
            path = window.choose_file(self.tr("Choose an evidence card"), cards)
            if path:
                self.evidence.add(path)

        def save() -> None:
            path = window.files.name_to_save(self.tr("Save an empty card"), "my-card.toml", cards, (".toml",))
            if path:
                self.evidence.save_template(path)

        self.evidence.card_wanted.connect(add)
        self.evidence.template_wanted.connect(save)
        self.evidence.region_wanted.connect(self.regions.go)
        self._fill("evidence", panel, self.evidence, costly=True)

    def _build_study(self) -> None:
        """The people of a study, and their scores."""
        window = self._window
        self.study_browser, self.scores_panel = StudyBrowser(), ScoresPanel()
        self.study = StudyControl(window.session, window.study, self.study_browser)
        self.scores = ScoresControl(window.study, self.scores_panel)
        self.study_browser.open_requested.connect(window.files.open_study)
        self.study_browser.demo_requested.connect(window.files.open_demo_study)
        self.study_browser.save_requested.connect(lambda text: window.files.save_table("participants", text))
        self.scores_panel.table.save_requested.connect(lambda text: window.files.save_table("scores", text))
        self.study.log_wanted.connect(window.show_blinding_log)
        ask = window.findChild(QDockWidget, "ask")
        self.demo = DemoControl(window.session, window.study, None if ask is None else partial(self._bring, "ask"))
        self.demo.opened.connect(lambda: self._bring("study"))
        self.demo.follow()
        self._fill("study", self.study_browser, self.study)
        self._fill("scores", self.scores_panel, self.scores, costly=True)

    def _bring(self, name: str) -> None:
        """A panel to the front."""
        dock = self._window.dock(name)
        dock.show()
        dock.raise_()

    def _build_ask(self) -> None:
        """Questions to the study on the left, their answers below the views."""
        window, session = self._window, self._window.session
        self.ask_form, self.ask_results = AskForm(), AskResults()
        answers = Answers(session, self)
        self.ask = AskControl(session, window.study, self.ask_form, answers)
        self.answer = AskShow(session, window.study, self.ask_results, answers)
        self.ask_form.open_requested.connect(window.files.open_study)
        self.ask_form.file_requested.connect(self._choose_ask_file)
        self.ask_results.save_requested.connect(window.files.save_table)
        self.answer.folder_wanted.connect(self._choose_answer_folder)
        dock = window.dock("answer")
        self.ask.results_wanted.connect(lambda: (dock.show(), dock.raise_(), self._make_room(dock, ANSWER_SHARE)))
        self._fill("ask", _above(self.ask_form, self.ask_form.buttons), self.ask)
        self._fill("answer", self.ask_results, self.answer, costly=True)

    def _choose_ask_file(self, field: str) -> None:
        images = self.tr("Images (*.nii *.nii.gz *.mgz *.img *.hdr);;All files (*)")
        title = self.tr("Choose a mask") if field == "mask" else self.tr("Choose an image on the grid")
        path = self._window.choose_file(title, images)
        if path:
            self.ask.take_file(field, path)

    def _choose_answer_folder(self) -> None:
        path = self._window.choose_folder(self.tr("Choose a folder for the answer"))
        if path:
            self.answer.export(path)

    def _make_room(self, dock: QDockWidget, share: float = GRAPH_SHARE) -> None:
        """Let a panel of pictures be as high as it needs, where the window has the room."""
        wanted = max(GRAPH_HEIGHT, round(share * self._window.height()))
        if not dock.isFloating() and dock.height() < wanted:
            self._window.resizeDocks([dock], [wanted], Qt.Orientation.Vertical)

    def _clusters_with_choice(self) -> QWidget:
        joined = Choice(self.tr("Joined by"), self.tr("Which neighbours belong to the same cluster"))
        joined.set_items([(6, self.tr("faces (6)")), (18, self.tr("edges (18)")), (26, self.tr("corners (26)"))])
        joined.set_value(self.clusters.connectivity)

        def choose(value: object) -> None:
            if value in (6, 18, 26):
                self.clusters.join_by(value)

        joined.chosen.connect(choose)
        return _under(self.cluster_table, self.tr("Voxels joined by"), joined, self.cluster_line)

    def _regions_with_choice(self) -> QWidget:
        chosen = Choice(self.tr("Atlas"), self.tr("Whose regions the table lists"))
        self._controls.append(AtlasChoice(self._window.session, chosen, self.region_rows))
        return _under(self.region_table, self.tr("Atlas"), chosen)

    # -- what the window asks

    def refresh(self) -> None:
        """Show the view in every panel, a few in a turn of the event loop, so that none of them keeps the mouse."""
        late = set(self._late)  # they come first: a view that changes all the time keeps nobody waiting for ever
        self._late += [control for control in self._controls if control not in late]
        self._next_turn.start()

    @property
    def is_late(self) -> bool:
        """Whether some panel has yet to show the view."""
        return bool(self._late)

    def _refresh_some(self) -> None:
        enough_s = time.perf_counter() + TURN_S
        with self._window.session.guarded():
            while self._late and time.perf_counter() < enough_s:
                self._refresh(self._late.pop(0))
        if not self._late:
            self._next_turn.stop()

    def _hide_at_once(self) -> None:
        """Names are hidden: no panel keeps them, not even behind another tab until it comes in front."""
        if self._window.study.is_blinded and not self._closed:
            for control in self._controls:
                control.refresh()

    def _refresh(self, control: Control) -> None:
        if not self._closed and control not in self._behind:  # hiding docks on the way out is no reason to fill them
            control.refresh()

    def hover_text(self, at: object) -> str:
        """A line about the place under the mouse."""
        place: Point | None = at if isinstance(at, tuple) else None
        return self.cursor.hover_text(place) if self.is_built else ""

    def jump(self, jump: object) -> None:
        """Go to a region that has a key of its own."""
        if isinstance(jump, Jump):
            self.regions.go(jump.region)

    def put_tool_away(self) -> bool:
        """Give the mouse back to the crosshair; whether a tool was in hand."""
        if not self.is_built or not self._window.slice_view.has_tool:
            return False
        self.draw.put_away()
        return True

    def close(self) -> None:
        """Stop what runs by itself."""
        self._closed = True
        self._late.clear()
        if self.is_built:
            self.layers.play(playing=False)
            self.connectivity.close()

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
            case "atlas":
                self._use_as_atlas(overlay)
            case "space":
                self._window.files.ask_space(overlay)
            case "duplicate":
                session.store.update(duplicate_selected(replace(session.state, selected=key)), "duplicate")
            case _:
                raise ValueError(action)

    def _use_as_atlas(self, overlay: Overlay) -> None:
        """A layer of label numbers becomes an atlas that names places."""
        if isinstance(overlay.recipe, FileMap):
            self._window.session.open_atlas(label_file_id(overlay.recipe.path))
        else:
            text = self.tr("{name} is no label image: only an image of a file can be used as an atlas.")
            self._window.tell(Notice("warning", text.format(name=overlay.name)))

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


def scrolling(content: QWidget) -> QScrollArea:
    """A panel that scrolls up and down where it is too small."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setMinimumWidth(content.minimumSizeHint().width() + area.verticalScrollBar().sizeHint().width())
    area.setWidget(content)
    return area


def _above(form: QWidget, buttons: QWidget) -> QWidget:
    """A form that scrolls above its buttons, which stay in sight."""
    whole = QWidget()
    layout = QVBoxLayout(whole)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(scrolling(form), 1)
    layout.addWidget(buttons)
    return whole


def _under(table: QWidget, label: str, choice: QWidget, about: QWidget | None = None) -> QWidget:
    """A table with a choice above it, and a line that says what the table is about."""
    whole = QWidget()
    line = QHBoxLayout()
    line.setContentsMargins(8, 4, 8, 0)
    line.addWidget(QLabel(label))
    line.addWidget(choice)
    if about is not None:
        line.addSpacing(12)
        line.addWidget(about)
    line.addStretch(1)
    layout = QVBoxLayout(whole)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addLayout(line)
    layout.addWidget(table, 1)
    return whole
