"""Who drives this voxel: its data against what is tested, and what each scan does to the result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QAction, QContextMenuEvent, QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QMenu, QSizePolicy, QWidget

from .controls import Choice, IconButton, button, column, described, is_escape_shortcut, muted, row
from .elided_label import ElidedLabel
from .voxel_canvas import VoxelCanvas
from .voxel_data import VoxelData
from .voxel_look import legend

__all__ = ["VoxelData", "VoxelPlot"]

TALL_LINES = 16  # height from which the horizontal axis has a title
VOXEL, REGION = "voxel", "region"
CHANGE, SESSIONS = "change", "sessions"
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_ADDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


class VoxelPlot(QFrame):
    """A point or a line per scan; those that change the result much stand out.

    Hovering, or Left and Right, name one; a click or a line drawn round several selects, as do Space and Shift with
    Left and Right; Ctrl adds. A double click or Enter opens.

    Signals
    -------
    pointed : (str)
        What the line below says.
    selected : (tuple of str)
        Keys of people, after the user selected.
    opened : (str)
        Key of a person whose scans are wanted.
    leave_out_requested : (tuple of str)
        Compute the whole map without these.
    put_back_requested : (tuple of str)
    place_chosen : (str)
        ``voxel`` or ``region``.
    view_chosen : (str)
        ``change`` or ``sessions``.
    save_requested : (str)
        The plot's data as text.
    """

    pointed = Signal(str)
    selected = Signal(object)
    opened = Signal(str)
    leave_out_requested = Signal(object)
    put_back_requested = Signal(object)
    place_chosen = Signal(str)
    view_chosen = Signal(str)
    save_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("ring", True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._tip = self.tr(
            "Data of the voxel at the crosshair; arrow keys name the scans, with Shift they select, Enter opens"
        )
        described(self, self.tr("Who drives this voxel"), self._tip)
        self.setToolTip("")
        self._data: VoxelData | None = None
        self._named: int | None = None
        self._chosen: tuple[str, ...] = ()
        self._left_out: tuple[tuple[str, str], ...] = ()
        self._without, self._can_leave_out = "", False
        self._title, self._below, self._empty = ElidedLabel(), muted(), muted()
        self._title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._legend = QLabel()
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._legend.setWordWrap(True)
        self._legend.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._view = VoxelCanvas()
        self._place = _choice(self.tr("Place"), self.tr("The voxel at the crosshair, or the mean of its atlas region"))
        self._place.set_items([(VOXEL, self.tr("Voxel")), (REGION, self.tr("Region"))])
        self._sessions = _choice(self.tr("Sessions"), self.tr("The change of each person, or both sessions"))
        self._sessions.set_items([(CHANGE, self.tr("Change")), (SESSIONS, self.tr("Before and after"))])
        self._copy = IconButton("copy", self.tr("Copy data"), self.tr("Copy the numbers of this plot as a table"))
        self._leave = button("", self.tr("Compute the whole map again without the selected people"))
        self._back = button("", self.tr("Take people who were left out into the model again"))
        self._build()
        self._connect()
        self.set_offers(region="", sessions=False)
        self.set_data(None)

    def _build(self) -> None:
        layout = column(self, margin=4)
        layout.setSpacing(2)
        layout.addLayout(row(self._title, self._copy, stretch=0))
        layout.addLayout(row(self._legend, self._place, self._sessions, stretch=0))
        layout.addWidget(self._view, 1)
        layout.addWidget(self._empty, 1)
        layout.addLayout(row(self._below, self._leave, self._back, stretch=0))

    def _connect(self) -> None:
        self._view.pointed.connect(self.name)
        self._view.picked.connect(self._pick)
        self._view.opened.connect(self._open)
        self._place.chosen.connect(lambda value: self.place_chosen.emit(str(value)))
        self._sessions.chosen.connect(lambda value: self.view_chosen.emit(str(value)))
        self._copy.clicked.connect(self.copy)
        self._leave.clicked.connect(lambda: self.leave_out_requested.emit(self._chosen_here()))
        self._back.clicked.connect(self._show_left_out)

    # -- what is shown

    def set_data(self, data: VoxelData | None, reason: str = "") -> None:
        """Show a voxel's scans, or say why there are none."""
        self._data, self._named = data, None
        has_data = data is not None
        for part in (self._view, self._copy):
            part.setVisible(has_data)
        self._empty.setVisible(not has_data)
        self._empty.setText(reason)
        shown = data.pair if data is not None and data.pair is not None else data
        self._title.set_whole("" if shown is None else shown.title)
        self._without = ""
        self._view.set_data(data)
        self._show_legend()
        self._tell()

    def _show_legend(self) -> None:
        text = "" if self._data is None else legend(self._data)
        self._legend.setText(text)
        has_choice = not (self._place.isHidden() and self._sessions.isHidden())
        self._legend.setVisible(bool(text) or has_choice)
        groups = "" if self._data is None else ", ".join(self._data.kinds)
        described(self._legend, groups, self.tr("Groups: {names}").format(names=groups) if groups else "")

    def data(self) -> VoxelData | None:
        """What is shown."""
        return self._data

    def set_offers(self, *, region: str, sessions: bool) -> None:
        """Offer the mean of a region (empty for none), and both sessions."""
        self._place.setVisible(bool(region))
        self._place.setToolTip(self.tr("The voxel at the crosshair, or the mean of {region}").format(region=region))
        self._sessions.setVisible(sessions)
        self._show_legend()

    def set_choices(self, place: str, view: str) -> None:
        """Show what is chosen."""
        self._place.set_value(place)
        self._sessions.set_value(view)

    def set_selected(self, keys: Iterable[str]) -> None:
        """Select people without telling."""
        chosen = tuple(keys)
        if chosen != self._chosen:
            self._chosen, self._without = chosen, ""
            self._tell()

    def selection(self) -> tuple[str, ...]:
        """Selected people who are in this plot."""
        return self._chosen_here()

    def set_without(self, text: str, *, can_leave_out: bool) -> None:
        """Say what the result is without those who are selected, and offer to leave them out."""
        self._without, self._can_leave_out = text, can_leave_out
        self._tell()

    def set_left_out(self, people: Sequence[tuple[str, str]]) -> None:
        """People who are left out of the model already: keys and names."""
        self._left_out = tuple(people)
        self._tell()

    def said(self) -> str:
        """The line below the plot."""
        return self._below.text()

    def px_of(self, n: int, session: int = 0) -> QPointF:
        """Where a scan's point is, in this widget's pixels."""
        at = self._view.px_of(n, session) if self._data is not None else QPointF()
        return QPointF(self._view.mapTo(self, at.toPoint()))

    def _chosen_here(self) -> tuple[str, ...]:
        data = self._data
        if data is None:
            return ()
        return tuple(dict.fromkeys(data.key(n) for n in data.places_of(self._chosen)))

    def _tell(self) -> None:
        """Name one scan, or say what the selected ones do, or which is the most influential."""
        data, chosen = self._data, self._chosen_here()
        if data is None:
            text = ""
        elif self._named is not None:
            text = data.text_of(self._named)
        elif chosen:
            selected = self.tr("{n} selected.").format(n=len(chosen))
            text = self._without or selected
        else:
            text = " ".join(filter(None, (data.summary, data.note)))
        self._below.setText(text)
        self._view.set_marked(self._named, () if data is None else data.places_of(self._chosen))
        self._leave.setText(self.tr("Leave out {n}").format(n=len(chosen)))
        self._leave.setAccessibleName(self._leave.text())
        self._leave.setVisible(bool(chosen) and self._can_leave_out)
        self._back.setText(self.tr("Put back ({n})").format(n=len(self._left_out)))
        self._back.setAccessibleName(self._back.text())
        out = ", ".join(name for _, name in self._left_out)
        self._back.setToolTip(self.tr("Left out: {people}").format(people=out))
        self._back.setVisible(bool(self._left_out))
        self.setAccessibleDescription(text or self._empty.text() or self._tip)
        self.pointed.emit(text)

    def name(self, n: int | None) -> None:
        """Name a scan."""
        if n != self._named:
            self._named = n
            self._tell()

    # -- people

    def _pick(self, places: tuple[int, ...], adds: bool) -> None:
        """Select scans; one that is selected already is taken out when it is added again."""
        data = self._data
        if data is None:
            return
        keys = tuple(dict.fromkeys(data.key(n) for n in places))
        if adds and len(keys) == 1 and keys[0] in self._chosen:
            keys = tuple(key for key in self._chosen if key != keys[0])
        elif adds:
            keys = tuple(dict.fromkeys((*self._chosen, *keys)))
        self._select(keys)

    def _select(self, keys: tuple[str, ...]) -> None:
        if keys != self._chosen:
            self.set_selected(keys)
            self.selected.emit(keys)

    def _open(self, n: int) -> None:
        if self._data is not None:
            self.opened.emit(self._data.key(n))

    def _show_left_out(self) -> None:
        """Ask whom to put back where there are several."""
        if len(self._left_out) == 1:
            self.put_back_requested.emit((self._left_out[0][0],))
            return
        menu = self.left_out_menu()
        menu.popup(self._back.mapToGlobal(QPoint(0, self._back.height())))

    def left_out_menu(self) -> QMenu:
        """Everybody who is left out, to be put back one by one or together."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        keys = tuple(key for key, _ in self._left_out)
        offers = [(self.tr("Put all back"), keys), *((name, (key,)) for key, name in self._left_out)]
        for text, put_back in offers:
            action = QAction(text, menu)
            action.triggered.connect(lambda _=False, put_back=put_back: self.put_back_requested.emit(put_back))
            menu.addAction(action)
        return menu

    # -- data of the plot

    def copy(self) -> None:
        """Copy the numbers."""
        if self._data is not None:
            QGuiApplication.clipboard().setText(self._data.tsv())

    def menu(self) -> QMenu:
        """What can be done with the plot."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        copy = QAction(self.tr("Copy data"), menu)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.triggered.connect(self.copy)
        save = QAction(self.tr("Save data…"), menu)
        save.triggered.connect(lambda: self._data is not None and self.save_requested.emit(self._data.tsv()))
        menu.addActions([copy, save])
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._data is not None:
            self.menu().popup(event.globalPos())

    # -- keys

    def event(self, e: QEvent) -> bool:
        if is_escape_shortcut(e) and self._chosen_here():
            e.accept()
            return True
        return super().event(e)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, data = Qt.Key(event.key()), self._data
        if data is None:
            super().keyPressEvent(event)
        elif key in _STEPS:
            self._step(_STEPS[key], extends=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif key == Qt.Key.Key_Escape and self._chosen_here():
            self._select(())
        elif self._named is not None and key == Qt.Key.Key_Space:
            self._pick((self._named,), bool(event.modifiers() & _ADDS))
        elif self._named is not None and key in _ENTER:
            self._open(self._named)
        else:
            super().keyPressEvent(event)

    def _step(self, step: int, *, extends: bool) -> None:
        order = self._view.order()
        if not order:
            return
        if extends and self._named is not None:
            self._pick_more(self._named)
        place = -1 if self._named is None and step > 0 else 0 if self._named is None else order.index(self._named)
        self.name(order[min(max(place + step, 0), len(order) - 1)])
        if extends and self._named is not None:
            self._pick_more(self._named)

    def _pick_more(self, n: int) -> None:
        if self._data is not None:
            self._select(tuple(dict.fromkeys((*self._chosen, self._data.key(n)))))

    # -- the theme

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._view.set_room(has_room=self.height() >= TALL_LINES * self.fontMetrics().height())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange) and hasattr(self, "_back"):
            self._view.set_look()
            self._show_legend()
            self._tell()


def _choice(name: str, tip: str) -> Choice:
    choice = Choice(name, tip)
    choice.setMinimumContentsLength(5)
    choice.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
    return choice
