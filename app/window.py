"""The window: assembles views, panels, menus and keys, and joins them to a session."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace
from PySide6.QtCore import QByteArray, QEvent, QRect, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QAction,
    QActionGroup,
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
    QHBoxLayout,
    QLineEdit,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QTabBar,
    QToolBar,
    QWidget,
)

from ..render.compose import Kernels
from ..widgets import icons
from ..widgets.canvas import Canvas
from ..widgets.job_bar import Job, JobBar
from ..widgets.lightbox_bar import LightboxBar
from ..widgets.notice_bar import Notice as ShownNotice
from ..widgets.notice_bar import NoticeBar
from ..widgets.theme import apply_theme
from ..widgets.welcome import Welcome
from .actions import ACTIONS, Action
from .files import FileCommands
from .io.atlases import atlas_ids
from .io.memory import in_words
from .painting import SlicePainter
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
LEVELS = ("error", "warning", "info")

if TYPE_CHECKING:
    from ..widgets.finder import Finder
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
        self.files = FileCommands(self)
        self._notices: list[Notice] = []
        self._jobs: dict[object, Job] = {}
        self._warned_of = ""
        self._actions: dict[str, tuple[Action, QAction]] = {}
        self._build_centre(kernels)
        self._build_status()
        self._build_menus()
        self.panels: Panels | None = None
        self._refresh_soon = QTimer(self)
        self._refresh_soon.setSingleShot(True)
        self._refresh_soon.timeout.connect(self.refresh)
        self._connect()
        self.setAcceptDrops(True)
        self.setWindowTitle(TITLE)
        self.resize(SIZE.boundedTo(self.screen().availableSize() - FRAME))
        self._docks = self._build_docks()
        self._arrange_docks()
        self._restore_layout()
        self.refresh()
        self._waiting_for_first, self._content_is_drawn = True, False
        QTimer.singleShot(FIRST_PICTURE_MS, self._tell_first)

    # -- building

    def _build_centre(self, kernels: Kernels) -> None:
        self.notice_bar = NoticeBar()
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

    def _build_menus(self) -> None:
        bar = self.menuBar()
        self._build_file_menu(bar.addMenu(self.tr("&File")))
        edit = bar.addMenu(self.tr("&Edit"))
        self._undo = self._command(edit, self.tr("Undo"), "Ctrl+Z", self.session.store.undo, "undo")
        self._redo = self._command(edit, self.tr("Redo"), "Ctrl+Shift+Z", self.session.store.redo, "redo")
        menus = {name: bar.addMenu(self.tr(name)) for name in ("View", "Layer", "Surface")}
        layouts = QActionGroup(self)
        for action in ACTIONS:
            made = self._command(menus[action.menu], self.tr(action.text), action.keys, partial(self.perform, action))
            made.setCheckable(action.checked is not None)
            if action.id.startswith("layout-"):
                layouts.addAction(made)
            self._actions[action.id] = (action, made)
        self._regions_menu = bar.addMenu(self.tr("&Regions"))
        self._command(self._regions_menu, self.tr("Find a region…"), "/", self._focus_finder, "search")
        self._regions_menu.addSeparator()
        self._build_theme_menu(menus["View"])
        self._panels_menu = bar.addMenu(self.tr("&Panels"))
        self._build_help_menu(bar.addMenu(self.tr("&Help")))
        self._build_tool_bar()

    def _build_file_menu(self, menu: QMenu) -> None:
        files = self.files
        self._command(menu, self.tr("Open files…"), "Ctrl+O", files.open_files, "folder-open")
        self._command(menu, self.tr("Open folder…"), "Ctrl+Shift+O", files.open_folder)
        self._command(menu, self.tr("Open atlas or label image…"), "", files.open_atlas)
        self._recent_menu = menu.addMenu(self.tr("Open recent"))
        self._recent_menu.setToolTipsVisible(True)
        self._command(menu, self.tr("Open the sample view"), "", files.open_sample)
        menu.addSeparator()
        self._command(menu, self.tr("Save view…"), "Ctrl+S", files.save_view, "save")
        self._command(menu, self.tr("Save picture…"), "Ctrl+E", files.save_picture, "camera")
        self._command(menu, self.tr("Save selected map as NIfTI…"), "", files.save_selected_map)
        menu.addSeparator()
        self._command(menu, self.tr("Quit"), "Ctrl+Q", self.close)

    def _build_theme_menu(self, menu: QMenu) -> None:
        themes = menu.addMenu(self.tr("Theme"))
        group = QActionGroup(self)
        for mode, text in (
            ("system", self.tr("As the system")),
            ("dark", self.tr("Dark")),
            ("light", self.tr("Light")),
        ):
            action = self._command(themes, text, "", partial(self.set_theme, mode))
            action.setCheckable(True)
            action.setChecked(self.settings.theme == mode)
            group.addAction(action)

    def _build_help_menu(self, menu: QMenu) -> None:
        from .help import show_about, show_keys  # noqa: PLC0415 - dialogs only when asked for

        self._command(menu, self.tr("All keys"), "F1", partial(show_keys, self))
        self._command(menu, self.tr("Is anything missing?"), "", self._show_doctor)
        self._command(menu, self.tr("About Habena"), "", partial(show_about, self))

    def _show_doctor(self) -> None:
        """What `habena doctor` prints; looking takes a while."""
        from .doctor import examine, in_words  # noqa: PLC0415 - only when asked for
        from .help import show_text  # noqa: PLC0415 - dialogs only when asked for

        title = self.tr("Is anything missing?")
        self.session.start("doctor", title, lambda _: in_words(examine()), partial(show_text, self, title))

    def _command(self, menu: QMenu, text: str, keys: str, do: object, icon: str = "") -> QAction:
        action = QAction(text, self)
        if icon:
            action.setIcon(icons.icon(icon))
        if keys:
            action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda *_: do())  # pyright: ignore[reportCallIssue]
        menu.addAction(action)
        return action

    def _build_docks(self) -> dict[str, QDockWidget]:
        """Places for the panels, which come after the first picture."""
        docks: dict[str, QDockWidget] = {}
        for name, title in (
            ("layers", self.tr("Layers")),
            ("place", self.tr("Place")),
            ("seed", self.tr("Seed")),
            ("surface", self.tr("3D")),
            ("draw", self.tr("Draw")),
            ("time", self.tr("Time course")),
            ("clusters", self.tr("Clusters")),
            ("regions", self.tr("Regions")),
        ):
            dock = docks[name] = QDockWidget(title, self)
            dock.setObjectName(name)
            dock.setWidget(QWidget())
            self._panels_menu.addAction(dock.toggleViewAction())
        self._panels_menu.addSeparator()
        self._command(self._panels_menu, self.tr("Reset panels"), "", self._reset_panels)
        return docks

    def _arrange_docks(self) -> None:
        """All panels at their places: layers on the left, time and tables below, the others on the right."""
        area, docks = Qt.DockWidgetArea, self._docks
        for place, names in (
            (area.LeftDockWidgetArea, ("layers",)),
            (area.RightDockWidgetArea, ("place", "seed", "surface", "draw")),
            (area.BottomDockWidgetArea, ("time", "clusters", "regions")),
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
            self._command(self._regions_menu, jump.title, jump.key, partial(self._jump, jump))
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

    def _build_tool_bar(self) -> None:
        """Layouts and undo at hand, and a place for the finder."""
        bar = QToolBar(self.tr("Main"), self)
        bar.setObjectName("main")
        bar.setMovable(False)
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        short = {
            "layout-planes-surface": self.tr("Planes + 3D"),
            "layout-planes": self.tr("Planes"),
            "layout-lightbox": self.tr("Lightbox"),
            "layout-surfaces": self.tr("Surfaces"),
            "layout-3d": self.tr("3D"),
        }
        for name, text in short.items():
            action, shown = self._actions[name]
            shown.setIconText(text)
            shown.setToolTip(f"{action.text} ({action.keys})")
            bar.addAction(shown)
        bar.addSeparator()
        bar.addAction(self._undo)
        bar.addAction(self._redo)
        bar.addSeparator()
        self._finder_place = QWidget()
        self._finder_place.setFixedHeight(QLineEdit().sizeHint().height())
        self._finder_action = bar.addWidget(self._finder_place)
        self._tool_bar = bar
        self.addToolBar(bar)

    def place_finder(self, finder: Finder) -> None:
        """Put the finder into its place."""
        layout = QHBoxLayout(self._finder_place)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(finder)
        finder.chosen.connect(lambda *_: self.area.slices.setFocus())

    def _connect(self) -> None:
        session = self.session
        session.changed.connect(self._schedule_refresh)
        session.noticed.connect(self.tell)
        session.opened.connect(self.files.remember)
        session.atlas_opened.connect(self.files.atlas_opened)
        session.jobs.progressed.connect(self._job_progressed)
        for ended in (session.jobs.finished, session.jobs.failed, session.jobs.cancelled):
            ended.connect(self._job_ended)
        self.job_bar.cancel_requested.connect(session.jobs.cancel)
        self.slice_view.drawn.connect(self._slices_drawn)
        self.area.slices.painted.connect(self._slices_painted)
        self.slice_view.hovered.connect(self._hovered)
        self.notice_bar.dismissed.connect(self._dismiss)
        self.notice_bar.action_chosen.connect(self._act_on_notice)
        self.welcome.open_requested.connect(self.files.open_files)
        self.welcome.open_folder_requested.connect(self.files.open_folder)
        self.welcome.sample_requested.connect(self.files.open_sample)
        self.welcome.recent_chosen.connect(lambda number: self.open([self.settings.recent[number]]))
        self.welcome.dropped.connect(lambda paths: self.open(list(paths)))
        QShortcut(QKeySequence("Escape"), self, self._escape)

    # -- showing

    def _schedule_refresh(self) -> None:
        self._show_undo()  # a key may follow at once
        if not self._refresh_soon.isActive():
            self._refresh_soon.start(REFRESH_MS)

    def _show_undo(self) -> None:
        for action, name, step in (
            (self._undo, self.tr("Undo"), self.session.store.undo_name),
            (self._redo, self.tr("Redo"), self.session.store.redo_name),
        ):
            action.setEnabled(step is not None)
            action.setText(f"{name} {step}" if step else name)
            action.setIconText(name)

    def refresh(self) -> None:
        """Show the view in menus and panels."""
        state = self.session.state
        busy_opening = any(isinstance(key, tuple) and key[0] == "open" for key in self._jobs)
        is_empty = not (state.overlays or state.surface.regions or state.surface.cortex)
        self._stack.setCurrentWidget(self.welcome if is_empty and not busy_opening else self.area)
        for action, shown in self._actions.values():
            if action.checked is not None:
                shown.setChecked(action.checked(state))
        self.job_bar.set_memory(in_words(self.session.results.nbytes))
        self.welcome.set_recent([(Path(path).name, str(Path(path).parent)) for path in self.settings.recent])
        self._refresh_recent()
        if state.radiological != self.settings.radiological:
            self.remember(replace(self.settings, radiological=state.radiological))
        warning = mixed(self.session.shown())
        if warning and warning != self._warned_of:
            self.tell(Notice("warning", warning))
        self._warned_of = warning
        if self.panels is not None:
            with self.session.guarded():
                self.panels.refresh()

    def _refresh_recent(self) -> None:
        self._recent_menu.setEnabled(bool(self.settings.recent))
        shown = [action.data() for action in self._recent_menu.actions() if action.data()]
        if shown == list(self.settings.recent):
            return
        self._recent_menu.clear()
        for path in self.settings.recent:
            action = self._recent_menu.addAction(Path(path).name.replace("&", "&&"), partial(self.open, [path]))
            action.setData(path)
            action.setToolTip(path)
        self._recent_menu.addSeparator()
        self._recent_menu.addAction(self.tr("Clear this list"), self.files.forget_recent)

    def _slices_drawn(self) -> None:
        self._content_is_drawn = bool(self.slice_view.arrangement.panels and self.session.shown())
        self.area.place_surface(self.slice_view)
        self.surface_view.schedule()

    def _slices_painted(self) -> None:
        if self._waiting_for_first and self._content_is_drawn:
            self._tell_first()

    def _hovered(self, at: object) -> None:
        if self.panels is not None:
            self.statusBar().showMessage(self.panels.hover_text(at))

    def tell(self, notice: Notice) -> None:
        """Show a notice above the views; the same one once, with what can be done now."""
        self._notices = [other for other in self._notices if other.text != notice.text]
        self._notices.append(notice)
        self._show_notices()

    def _show_notices(self) -> None:
        """Errors first, the newest first: only one is in sight until the others are asked for."""
        ordered = [n for level in LEVELS for n in reversed(self._notices) if n.level == level]
        self.notice_bar.set_notices(ShownNotice(n.level, n.text, tuple(text for text, _ in n.actions)) for n in ordered)

    def _find_notice(self, shown: object) -> Notice | None:
        return next((n for n in self._notices if isinstance(shown, ShownNotice) and n.text == shown.text), None)

    def _dismiss(self, shown: object) -> None:
        notice = self._find_notice(shown)
        if notice is not None:
            self._notices.remove(notice)
            self._show_notices()

    def _act_on_notice(self, shown: object, action: str) -> None:
        notice = self._find_notice(shown)
        if notice is not None:
            self._dismiss(shown)
            for text, do in notice.actions:
                if text == action:
                    do()

    def _job_progressed(self, key: object, title: str, fraction: float) -> None:
        self._jobs[key] = Job(key, title, fraction)  # pyright: ignore[reportArgumentType] - keys are hashable
        self.job_bar.set_jobs(self._jobs.values())

    def _job_ended(self, key: object, *_: object) -> None:
        if self._jobs.pop(key, None) is not None:
            self.job_bar.set_jobs(self._jobs.values())
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

    def _focus_finder(self) -> None:
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
            # A tool bar that is destroyed first re-parents its widget, which calls into Python half destroyed.
            self._tool_bar.removeAction(self._finder_action)
            self.panels.finder.deleteLater()
        self._closed = True
        self._refresh_soon.stop()
        self.slice_view.close()
        self.surface_view.close()
        self.session.close()
        super().closeEvent(event)
