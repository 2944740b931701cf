"""The window: assembles views, panels, menus and keys, and joins them to a session."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace
from PySide6.QtCore import QByteArray, QEvent, QRect, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QFileDialog,
    QGridLayout,
    QMainWindow,
    QStackedWidget,
    QTabBar,
    QWidget,
)

from ..render.compose import Kernels
from ..widgets.canvas import Canvas
from ..widgets.job_bar import Job, JobBar
from ..widgets.lightbox_bar import LightboxBar
from ..widgets.notice_bar import NoticeBar
from ..widgets.theme import apply_theme
from ..widgets.welcome import Welcome
from .actions import Action
from .files import FileCommands
from .io.atlases import atlas_ids
from .io.memory import in_words
from .menus import Menus
from .notices import Notices
from .opening import Opened
from .painting import SlicePainter
from .panels.study_open import OpenStudy
from .recipes import RegionMask
from .scenes import has_surface
from .session import Notice, Session
from .settings import Settings, save_settings
from .slice_view import SliceView
from .spaces import mixed
from .state import ViewState
from .surface_view import SurfaceView

REFRESH_MS = 40
FIRST_PICTURE_MS = 1500  # without one by then, the rest is loaded all the same
SIZE = QSize(1360, 900)
FRAME = QSize(16, 40)  # that the window manager may put round it
LEFT_WIDTH, RIGHT_WIDTH = 310, 330  # of the panels beside the views
BOTTOM_SHARE = 0.32  # of the height, for the panels below the views
TITLE = "Habena"

if TYPE_CHECKING:
    from .panels.dock import Panels


class ViewArea(QWidget):
    """Slices over the whole area, the 3D view in the place that the layout leaves for it."""

    def __init__(self) -> None:
        super().__init__()
        self.slices = Canvas(self)
        self.slices.setAccessibleName(self.tr("Slices"))
        self.surface = Canvas(self)
        self.surface.setAccessibleName(self.tr("3D view"))
        self.surface.hide()

    def place_surface(self, view: SliceView) -> None:
        """Move the 3D view to its rectangle."""
        rect = view.arrangement.surface
        self.surface.setVisible(rect is not None)
        if rect is not None:
            ratio = self.devicePixelRatioF()
            self.surface.setGeometry(
                round(rect.x / ratio), round(rect.y / ratio), round(rect.width / ratio), round(rect.height / ratio)
            )

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.slices.setGeometry(0, 0, self.width(), self.height())
        super().resizeEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(900, 700)


class Window(QMainWindow):
    """One window on one session.

    Parameters
    ----------
    settings : Settings
        What was remembered.
    kernels : Kernels
        Composition kernels to draw with.
    view : ViewState or None
        What to show first.

    Signals
    -------
    first_drawn
        The first picture, or the welcome page, is on the screen: the time to load the rest.
    """

    first_drawn = Signal()

    def __init__(self, settings: Settings, kernels: Kernels, view: ViewState | None = None) -> None:
        super().__init__()
        self.settings = settings
        self._kernels = kernels
        self._closed = False
        start = view or ViewState(atlases=settings.atlases)
        self.session = Session(replace(start, radiological=settings.radiological), self, slices_only=True)
        self.study = OpenStudy(self.session, self)
        self.files = FileCommands(self)
        self._jobs: dict[object, Job] = {}
        self._warned_of = ""
        self._build_centre(kernels)
        self._build_status()
        self.menus = Menus(self)
        self.panels: Panels | None = None
        self._refresh_soon = QTimer(self)
        self._refresh_soon.setSingleShot(True)
        self._refresh_soon.timeout.connect(self.refresh)
        self._connect()
        self.setAcceptDrops(True)
        self.setWindowTitle(TITLE)
        self.resize(SIZE.boundedTo(self.screen().availableSize() - FRAME))
        self._tables: list[Opened] = []
        self._docks = self._build_docks()
        self._arrange_docks()
        self._restore_layout()
        self.refresh()
        self._waiting_for_first, self._content_is_drawn = True, False
        QTimer.singleShot(FIRST_PICTURE_MS, self._tell_first)

    # -- building

    def _build_centre(self, kernels: Kernels) -> None:
        self.notice_bar = NoticeBar()
        self.notices = Notices(self.notice_bar)
        self.area = ViewArea()
        self.welcome = Welcome()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.welcome)
        self._stack.addWidget(self.area)
        centre = QWidget()
        layout = QGridLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.setRowStretch(1, 1)
        self.lightbox_bar = LightboxBar()
        self.lightbox_bar.hide()
        layout.addWidget(self.lightbox_bar, 0, 0)
        layout.addWidget(self._stack, 1, 0)
        layout.addWidget(self.notice_bar, 1, 0, Qt.AlignmentFlag.AlignTop)  # over the views, which keep their size
        self.setCentralWidget(centre)
        self.slice_view = SliceView(self.session, self.area.slices, SlicePainter(kernels))
        self.surface_view = SurfaceView(self.session, self.area.surface, kernels)

    def _build_status(self) -> None:
        self.job_bar = JobBar()
        self.statusBar().addPermanentWidget(self.job_bar)
        self.statusBar().setSizeGripEnabled(False)

    def _build_docks(self) -> dict[str, QDockWidget]:
        """Places for the panels, which come after the first picture."""
        docks: dict[str, QDockWidget] = {}
        for name, title in (
            ("layers", self.tr("Layers")),
            ("place", self.tr("Place")),
            ("seed", self.tr("Seed")),
            ("group-seed", self.tr("Group seed")),
            ("model", self.tr("Model")),
            ("ask", self.tr("Ask")),
            ("surface", self.tr("3D")),
            ("draw", self.tr("Draw")),
            ("evidence", self.tr("Evidence")),
            ("study", self.tr("Study")),
            ("scores", self.tr("Scores")),
            ("answer", self.tr("Answer")),
            ("time", self.tr("Time course")),
            ("clusters", self.tr("Clusters")),
            ("regions", self.tr("Regions")),
            ("tests", self.tr("Tests")),
            ("connectivity", self.tr("Connectivity")),
        ):
            dock = docks[name] = QDockWidget(title, self)
            dock.setObjectName(name)
            dock.setWidget(QWidget())
            self.menus.panels.addAction(dock.toggleViewAction())
        self.menus.panels.addSeparator()
        self.menus.command(self.menus.panels, self.tr("Reset panels"), "", self._reset_panels)
        return docks

    def _arrange_docks(self) -> None:
        """All panels at their places: layers and models on the left, time and tables below, the others on the right."""
        area, docks = Qt.DockWidgetArea, self._docks
        for place, names in (
            (area.LeftDockWidgetArea, ("layers", "group-seed", "model", "ask")),
            (area.RightDockWidgetArea, ("place", "seed", "surface", "draw", "evidence")),
            (
                area.BottomDockWidgetArea,
                ("time", "clusters", "regions", "tests", "connectivity", "study", "scores", "answer"),
            ),
        ):
            for name in names:
                docks[name].setFloating(False)
                self.addDockWidget(place, docks[name])
                docks[name].show()
                if name != names[0]:
                    self.tabifyDockWidget(docks[names[0]], docks[name])
            docks[names[0]].raise_()
        self.resizeDocks([docks["layers"], docks["place"]], [LEFT_WIDTH, RIGHT_WIDTH], Qt.Orientation.Horizontal)
        self.resizeDocks([docks["time"]], [round(BOTTOM_SHARE * self.height())], Qt.Orientation.Vertical)

    def _reset_panels(self) -> None:
        self._arrange_docks()
        self._settle_tab_bars()

    def dock(self, name: str) -> QDockWidget:
        """The place of a panel."""
        return self._docks[name]

    def build_panels(self, *, at_once: bool = False) -> None:
        """Fill the docks, one after the other so that the window keeps answering, or all at once."""
        if self.panels is not None:
            return
        from .finder import jumps  # noqa: PLC0415 - after the first picture
        from .panels.dock import Panels  # noqa: PLC0415

        for jump in jumps():
            self.menus.command(self.menus.regions, jump.title, jump.key, partial(self._jump, jump))
        self.panels = Panels(self)
        self.panels.build(at_once=at_once)

    def use_vtk(self) -> None:
        """Draw slices by VTK from now on. Its start takes a while: one step in each turn of the event loop."""
        from ..render.slice_canvas import SliceCanvas  # noqa: PLC0415 - loaded by now, not before the first picture

        canvas = SliceCanvas(self._kernels)

        def take() -> None:
            if self._closed:
                canvas.close()
            else:
                self.slice_view.draw_with(canvas)

        QTimer.singleShot(0, canvas.start)
        QTimer.singleShot(0, take)

    def use(self, kernels: Kernels) -> None:
        """Draw with other kernels from now on."""
        self._kernels = kernels
        self.slice_view.use(kernels)
        self.surface_view.use(kernels)

    def _tell_first(self) -> None:
        if self._waiting_for_first:
            self._waiting_for_first = False
            self.session.ask_for_all()
            self.first_drawn.emit()

    def _take_table(self, opened: Opened) -> None:
        """A table goes to the panel that it is for, once panels are there."""
        if opened.table is None:
            return
        self._tables.append(opened)
        self.place_tables()

    def place_tables(self) -> None:
        """Give the tables that were opened to their panels."""
        if self.panels is not None and self.panels.is_built:
            while self._tables:
                self.panels.take_table(self._tables.pop(0))

    def _connect(self) -> None:
        session = self.session
        session.changed.connect(self._schedule_refresh)
        session.noticed.connect(self.tell)
        self.study.changed.connect(self._show_study)
        self.study.opened.connect(self._study_opened)
        session.opened.connect(self.files.remember)
        session.opened.connect(self._take_table)
        session.atlas_opened.connect(self.files.atlas_opened)
        session.jobs.progressed.connect(self._job_progressed)
        for ended in (session.jobs.finished, session.jobs.failed, session.jobs.cancelled):
            ended.connect(self._job_ended)
        self.job_bar.cancel_requested.connect(session.jobs.cancel)
        self.slice_view.drawn.connect(self._slices_drawn)
        self.area.slices.painted.connect(self._slices_painted)
        self.slice_view.hovered.connect(self._hovered)
        self.welcome.open_requested.connect(self.files.open_files)
        self.welcome.open_folder_requested.connect(self.files.open_folder)
        self.welcome.sample_requested.connect(self.files.open_sample)
        self.welcome.demo_requested.connect(self.files.open_demo_study)
        self.welcome.recent_chosen.connect(lambda number: self.open([self.settings.recent[number]]))
        self.welcome.dropped.connect(lambda paths: self.open(list(paths)))
        QShortcut(QKeySequence("Escape"), self, self._escape)

    # -- showing

    def _schedule_refresh(self) -> None:
        self.menus.show_undo()  # a key may follow at once
        if not self._refresh_soon.isActive():
            self._refresh_soon.start(REFRESH_MS)

    def refresh(self) -> None:
        """Show the view in menus and panels."""
        state = self.session.state
        busy_opening = any(isinstance(key, tuple) and key[0] == "open" for key in self._jobs)
        is_empty = not (state.overlays or state.surface.regions or state.surface.cortex)
        self._stack.setCurrentWidget(self.welcome if is_empty and not busy_opening else self.area)
        self.menus.refresh()
        self.job_bar.set_memory(in_words(self.session.results.nbytes))
        recent = [(Path(path).name, str(Path(path).parent)) for path in self.settings.recent]
        self.welcome.set_recent([(self.study.shown_text(name), self.study.shown_text(at)) for name, at in recent])
        if state.radiological != self.settings.radiological:
            self.remember(replace(self.settings, radiological=state.radiological))
        warning = mixed(self.session.shown())
        if warning and warning != self._warned_of:
            self.tell(Notice("warning", warning))
        self._warned_of = warning
        if self.panels is not None:
            self.panels.refresh()

    def _slices_drawn(self) -> None:
        self._content_is_drawn = bool(self.slice_view.arrangement.panels and self.session.shown())
        self.area.place_surface(self.slice_view)
        self.surface_view.schedule()

    def _slices_painted(self) -> None:
        if self._waiting_for_first and self._content_is_drawn:
            self._tell_first()

    def _hovered(self, at: object) -> None:
        if self.panels is not None:
            self.statusBar().showMessage(self.study.shown_text(self.panels.hover_text(at)))

    def tell(self, notice: Notice) -> None:
        """Show a notice over the views."""
        self.notices.add(notice._replace(text=self.study.shown_text(notice.text)))

    def _show_study(self) -> None:
        """Name the study in the title; nothing on the screen names whom it hides."""
        study = self.study.study
        name = "" if study is None else self.study.shown_text(study.name)
        mark = self.tr(" (blinded)") if self.study.is_blinded else ""
        self.setWindowTitle(f"{name}{mark} – {TITLE}" if name else TITLE)
        self.notices.rewrite(self.study.shown_text)
        self._show_jobs()
        self._schedule_refresh()

    def step_scan(self, steps: int) -> None:
        """To the next or previous scan of the study, in the order of its table."""
        if self.panels is not None and self.panels.is_built:
            self.panels.study.step(steps)

    def show_ask(self) -> None:
        """Bring the questions to the study to the front."""
        dock = self.dock("ask")
        dock.show()
        dock.raise_()
        if self.panels is not None and self.panels.is_built:
            self.panels.ask_form.setFocus(Qt.FocusReason.OtherFocusReason)

    def switch_blinding(self) -> None:
        """Hide names, arms and sessions, or ask why they are to be seen."""
        if self.panels is not None and self.panels.is_built:
            self.panels.study.set_blinded(not self.study.is_blinded)
        self.menus.refresh()

    def show_blinding_log(self) -> None:
        """Who blinded and unblinded the study, when and why."""
        from .help import show_text  # noqa: PLC0415 - dialogs only when asked for

        if self.panels is not None and self.panels.is_built:
            show_text(self, self.tr("Log of blinding"), self.panels.study.log())

    def _study_opened(self) -> None:
        """The browser comes in front; a view without anything shows the first person."""
        dock = self.dock("study")
        dock.show()
        dock.raise_()
        if not self.session.state.overlays:
            self.study.step(1, self.study.people())

    def _job_progressed(self, key: object, title: str, fraction: float) -> None:
        self._jobs[key] = Job(key, title, fraction)  # pyright: ignore[reportArgumentType] - keys are hashable
        self._show_jobs()

    def _show_jobs(self) -> None:
        shown = self.study.shown_text
        self.job_bar.set_jobs(Job(job.key, shown(job.title), job.fraction) for job in self._jobs.values())

    def _job_ended(self, key: object, *_: object) -> None:
        if self._jobs.pop(key, None) is not None:
            self._show_jobs()
            self._schedule_refresh()

    # -- commands

    def perform(self, action: Action) -> None:
        """Do a named command."""
        self.session.store.update(action.do(self.session.state), action.text)

    def open(self, paths: list[str]) -> None:
        """Open files and folders."""
        if paths:
            self.session.open(*paths)
            self._stack.setCurrentWidget(self.area)

    def set_theme(self, mode: str) -> None:
        """Dark, light or as the system."""
        application = QApplication.instance()
        if isinstance(application, QApplication) and mode in ("dark", "light", "system"):
            apply_theme(application, mode)
            self.remember(replace(self.settings, theme=mode))

    def remember(self, settings: Settings) -> None:
        """Keep settings for the next time."""
        self.settings = settings
        save_settings(settings)
        self._schedule_refresh()

    def remember_atlases(self, atlases: tuple[str, ...]) -> None:
        """Keep the user's choice of atlases, but never the path of a file."""
        known = tuple(atlas for atlas in atlases if atlas in atlas_ids())
        self.remember(replace(self.settings, atlases=known))

    def focus_finder(self) -> None:
        """Let the user type a region's name."""
        if self.panels is not None:
            self.panels.finder.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.panels.finder.selectAll()

    def _jump(self, jump: object) -> None:
        if self.panels is not None:
            self.panels.jump(jump)

    def _escape(self) -> None:
        """Put tools away; then take away the notice in sight."""
        if self.panels is None or not self.panels.put_tool_away():
            self.notice_bar.dismiss_first()

    def choose_folder(self, title: str) -> str:
        """Ask for a folder; empty when none was chosen."""
        path = QFileDialog.getExistingDirectory(self, title, self.files.folder)
        self.files.came_from(path)
        return path

    def choose_file(self, title: str, kinds: str) -> str:
        """A file that the user picks, or nothing."""
        path, _ = QFileDialog.getOpenFileName(self, title, self.files.folder, kinds)
        self.files.came_from(path)
        return path

    def show_region(self, region: RegionMask) -> None:
        """A region as a mesh."""
        if self.panels is not None:
            self.panels.regions.add_mesh(region)

    # -- Qt

    def _restore_layout(self) -> None:
        if self.settings.geometry:
            self.restoreGeometry(QByteArray.fromBase64(self.settings.geometry.encode()))
        if self.settings.layout:
            self.restoreState(QByteArray.fromBase64(self.settings.layout.encode()))
        self._settle_tab_bars()

    def _settle_tab_bars(self) -> None:
        # Qt leaves tab bars of docks that were joined again where they were, painted under the panels; the ones in
        # use get their place back at once.
        for bar in self.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            bar.setGeometry(QRect())
        layout = self.layout()
        if layout is not None:
            layout.invalidate()
            layout.activate()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self.open([path for path in map(QUrl.toLocalFile, event.mimeData().urls()) if path])
        event.acceptProposedAction()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and has_surface(self.session.state.layout):
            self.slice_view.schedule()
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.panels is not None:
            geometry = bytes(self.saveGeometry().toBase64().data()).decode()
            layout = bytes(self.saveState().toBase64().data()).decode()
            self.remember(replace(self.settings, geometry=geometry, layout=layout))
            self.panels.close()
            self.menus.remove_finder()
            self.panels.finder.deleteLater()
        self._closed = True
        self._refresh_soon.stop()
        self.slice_view.close()
        self.surface_view.close()
        self.session.close()
        super().closeEvent(event)
