"""Menus, tool bar and their keys."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QToolBar, QWidget

from ..widgets import icons
from .actions import ACTIONS, Action

if TYPE_CHECKING:
    from ..widgets.finder import Finder
    from .window import Window


class Menus(QObject):
    """Builds them for a window, and keeps them in step with its view.

    Attributes
    ----------
    layer, regions, panels : QMenu
        Menus that others add to.
    """

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._actions: dict[str, tuple[Action, QAction]] = {}
        self._recent_shown: tuple[tuple[str, ...], bool] | None = None
        self._build()

    def refresh(self) -> None:
        """Show the view."""
        state = self._window.session.state
        for action, shown in self._actions.values():
            if action.checked is not None:
                shown.setChecked(action.checked(state))
        self._wall.setChecked(state.layout == "wall")
        self._blinded.setChecked(self._window.study.is_blinded)
        self._blinded.setEnabled(self._window.study.study is not None)
        self._refresh_recent()

    def _build(self) -> None:
        window = self._window
        bar = window.menuBar()
        self._file_menu(bar.addMenu(self.tr("&File")))
        edit = bar.addMenu(self.tr("&Edit"))
        self._undo = self.command(edit, self.tr("Undo"), "Ctrl+Z", self._window.session.store.undo, "undo")
        self._redo = self.command(edit, self.tr("Redo"), "Ctrl+Shift+Z", self._window.session.store.redo, "redo")
        menus = {name: bar.addMenu(self.tr(name)) for name in ("View", "Layer", "Surface")}
        layouts = QActionGroup(self)
        for action in ACTIONS:
            made = self.command(menus[action.menu], self.tr(action.text), action.keys, partial(window.perform, action))
            made.setCheckable(action.checked is not None)
            if action.id.startswith("layout-"):
                layouts.addAction(made)
            self._actions[action.id] = (action, made)
        self.layer = menus["Layer"]
        self.regions = bar.addMenu(self.tr("&Regions"))
        self.command(self.regions, self.tr("Find a region…"), "/", window.focus_finder, "search")
        self.regions.addSeparator()
        self._study_menu(bar.addMenu(self.tr("&Study")))
        self._theme_menu(menus["View"])
        self.panels = bar.addMenu(self.tr("&Panels"))
        self._help_menu(bar.addMenu(self.tr("&Help")))
        self._build_tool_bar()

    def _file_menu(self, menu: QMenu) -> None:
        files = self._window.files
        self.command(menu, self.tr("Open files…"), "Ctrl+O", files.open_files, "folder-open")
        self.command(menu, self.tr("Open folder…"), "Ctrl+Shift+O", files.open_folder)
        self.command(menu, self.tr("Open study folder…"), "", files.open_study)
        self.command(menu, self.tr("Open study table…"), "", files.open_study_table)
        self.command(menu, self.tr("Open atlas or label image…"), "", files.open_atlas)
        self._recent = menu.addMenu(self.tr("Open recent"))
        self._recent.setToolTipsVisible(True)
        self.command(menu, self.tr("Open the sample view"), "", files.open_sample)
        menu.addSeparator()
        self.command(menu, self.tr("Save view…"), "Ctrl+S", files.save_view, "save")
        self.command(menu, self.tr("Save picture…"), "Ctrl+E", files.save_picture, "camera")
        self.command(menu, self.tr("Save selected map as NIfTI…"), "", files.save_selected_map)
        menu.addSeparator()
        self.command(menu, self.tr("Quit"), "Ctrl+Q", self._window.close)

    def _study_menu(self, menu: QMenu) -> None:
        """Stepping from person to person, and blinding; a key works wherever the mouse was last."""
        window = self._window
        self.study = menu
        self.command(menu, self.tr("Next scan"), ".", partial(window.step_scan, 1))
        self.command(menu, self.tr("Previous scan"), ",", partial(window.step_scan, -1))
        self._wall = self.command(menu, self.tr("Wall of sessions"), "9", self._toggle_wall)
        self._wall.setCheckable(True)
        self._planted = self.command(menu, self.tr("Planted truth (simulated)"), "", self._toggle_planted)
        self._planted.setCheckable(True)
        self._planted.setVisible(False)
        menu.aboutToShow.connect(self._show_planted)
        menu.addSeparator()
        self.command(menu, self.tr("Ask the study…"), "", window.show_ask)
        menu.addSeparator()
        self._blinded = self.command(menu, self.tr("Blinded"), "", window.switch_blinding)
        self._blinded.setCheckable(True)
        self.command(menu, self.tr("Log of blinding…"), "", window.show_blinding_log)

    def _toggle_wall(self) -> None:
        panels = self._window.panels
        if panels is not None and panels.is_built:
            panels.study.wall.toggle()
        self.refresh()

    def _toggle_planted(self) -> None:
        panels = self._window.panels
        if panels is not None and panels.is_built:
            panels.demo.toggle_planted()

    def _show_planted(self) -> None:
        """Offered for studies of the demo alone."""
        panels = self._window.panels
        demo = panels.demo if panels is not None and panels.is_built else None
        self._planted.setVisible(demo is not None and demo.demo is not None)
        self._planted.setChecked(demo is not None and demo.shows_planted)

    def _theme_menu(self, menu: QMenu) -> None:
        themes = menu.addMenu(self.tr("Theme"))
        group = QActionGroup(self)
        for mode, text in (
            ("system", self.tr("As the system")),
            ("dark", self.tr("Dark")),
            ("light", self.tr("Light")),
        ):
            action = self.command(themes, text, "", partial(self._window.set_theme, mode))
            action.setCheckable(True)
            action.setChecked(self._window.settings.theme == mode)
            group.addAction(action)

    def _help_menu(self, menu: QMenu) -> None:
        from .help import show_about, show_keys  # noqa: PLC0415 - dialogs only when asked for

        self.command(menu, self.tr("All keys"), "F1", partial(show_keys, self._window))
        self.command(menu, self.tr("Is anything missing?"), "", self._show_doctor)
        self.command(menu, self.tr("About Habena"), "", partial(show_about, self._window))

    def _show_doctor(self) -> None:
        """What `habena doctor` prints; looking takes a while."""
        from .doctor import examine, in_words  # noqa: PLC0415 - only when asked for
        from .help import show_text  # noqa: PLC0415 - dialogs only when asked for

        title = self.tr("Is anything missing?")
        show = partial(show_text, self._window, title)
        self._window.session.start("doctor", title, lambda _: in_words(examine()), show)

    def command(self, menu: QMenu, text: str, keys: str, do: object, icon: str = "") -> QAction:
        """A new entry of a menu."""
        action = QAction(text, self._window)
        if icon:
            action.setIcon(icons.icon(icon))
        if keys:
            action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda *_: do())  # pyright: ignore[reportCallIssue]
        menu.addAction(action)
        return action

    def _build_tool_bar(self) -> None:
        """Layouts and undo at hand, and a place for the finder."""
        bar = QToolBar(self.tr("Main"), self._window)
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
        self._window.addToolBar(bar)

    def place_finder(self, finder: Finder) -> None:
        """Put the finder into its place."""
        layout = QHBoxLayout(self._finder_place)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(finder)
        finder.chosen.connect(lambda *_: self._window.area.slices.setFocus())

    def remove_finder(self) -> None:
        """Before the end: a tool bar that is destroyed first re-parents its widget, which calls into Python."""
        self._tool_bar.removeAction(self._finder_action)

    def show_undo(self) -> None:
        """Say what can be taken back, and whether anything can."""
        for action, name, step in (
            (self._undo, self.tr("Undo"), self._window.session.store.undo_name),
            (self._redo, self.tr("Redo"), self._window.session.store.redo_name),
        ):
            action.setEnabled(step is not None)
            action.setText(f"{name} {step}" if step else name)
            action.setIconText(name)

    def _refresh_recent(self) -> None:
        settings, files = self._window.settings, self._window.files
        hides = self._window.study.hides
        recent = tuple(path for path in settings.recent if not hides(path))
        shown = (recent, bool(settings.remember_files))
        if shown == self._recent_shown:
            return
        self._recent_shown = shown
        self._recent.clear()
        for path in recent:
            action = self._recent.addAction(Path(path).name.replace("&", "&&"), partial(self._window.open, [path]))
            action.setData(path)
            action.setToolTip(path)
        if settings.recent:
            self._recent.addSeparator()
            self._recent.addAction(self.tr("Clear this list"), files.forget_recent)
        keep = self._recent.addAction(self.tr("Keep a list of recent files"))
        keep.setCheckable(True)
        keep.setChecked(bool(settings.remember_files))
        keep.toggled.connect(files.keep_recent)
