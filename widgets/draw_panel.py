"""Drawing of a region mask: tools and their settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QButtonGroup, QLabel, QMenu, QWidget

from .controls import IconButton, button, check, column, form, muted, row, spread
from .numbers import NumberEdit, NumberSpec

Tool = Literal["navigate", "brush", "ball", "erase", "fill"]


@dataclass(frozen=True)
class DrawSettings:
    """Settings of the drawing tools.

    Attributes
    ----------
    tool : str
        ``navigate`` (the mouse moves the crosshair), ``brush`` (in the slice), ``ball``, ``erase`` or ``fill``.
    radius_mm : float
        Of brush, ball and eraser.
    erase_flat : bool
        The eraser works in the slice only.
    fill_low, fill_high : float
        A fill takes voxels whose value lies between them,
    fill_radius_mm : float
        no farther than this from where it starts.
    """

    tool: Tool = "navigate"
    radius_mm: float = 3.0
    erase_flat: bool = True
    fill_low: float = 0.0
    fill_high: float = 1.0
    fill_radius_mm: float = 30.0

    @property
    def flat(self) -> bool:
        """Whether strokes stay in the slice."""
        return self.tool == "brush" or (self.tool == "erase" and self.erase_flat)


class DrawPanel(QWidget):
    """Tools for a mask.

    ``changed`` carries `DrawSettings` and a name for the step; ``tool_changed`` the tool alone. ``start_requested``
    carries ``empty``, ``threshold`` (of the selected layer) or ``region``.
    """

    changed = Signal(object, str)
    settled = Signal()
    tool_changed = Signal(str)
    start_requested = Signal(str)
    save_requested = Signal()
    statistics_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = DrawSettings()
        self._tools: dict[Tool, IconButton] = {
            "navigate": self._tool("target", self.tr("Navigate"), self.tr("The mouse moves the crosshair")),
            "brush": self._tool("brush", self.tr("Brush"), self.tr("Paint in the slice")),
            "ball": self._tool("sphere", self.tr("Ball"), self.tr("Paint a ball, through neighbouring slices")),
            "erase": self._tool("eraser", self.tr("Eraser"), self.tr("Take voxels away")),
            "fill": self._tool("bucket", self.tr("Fill"), self.tr("Take joined voxels between two values")),
        }
        self._group = QButtonGroup(self)
        for number, tool in enumerate(self._tools.values()):
            self._group.addButton(tool, number)
        self._group.idClicked.connect(self._take_tool)
        self._name = QLabel()
        self._build_form()
        self._report = muted()
        self._build_actions()
        layout = column(self, margin=8)
        layout.addLayout(row(self._start, self._save, self._statistics))
        layout.addLayout(row(*self._tools.values(), self._name))
        layout.addLayout(self._form)
        layout.addWidget(self._report)
        layout.addStretch(1)
        self.set_settings(self._settings)
        self.set_report("", has_mask=False)

    def _tool(self, icon: str, name: str, tip: str) -> IconButton:
        return IconButton(icon, name, tip, icon)

    def _build_form(self) -> None:
        self._radius = NumberEdit(
            self.tr("Radius"), self.tr("Radius of the tool in mm"), NumberSpec("mm", 0.1, 50, step=0.5)
        )
        self._flat = check(self.tr("In this slice only"), self.tr("Erase in the slice instead of a ball"))
        self._low = NumberEdit(self.tr("Fill from"), self.tr("Least value that the fill takes"))
        self._high = NumberEdit(self.tr("Fill to"), self.tr("Greatest value that the fill takes"))
        tip = self.tr("No voxel farther than this from the start is taken, in mm")
        self._reach = NumberEdit(self.tr("Fill within"), tip, NumberSpec("mm", 0.1, 300, step=1))
        self._form = form()
        self._form.addRow(self.tr("Radius"), self._radius)
        self._form.addRow("", self._flat)
        self._bounds = spread(self._low, self._high)
        self._form.addRow(self.tr("From, to"), self._bounds)
        self._form.addRow(self.tr("Within"), self._reach)
        self._number(self._radius, "radius_mm", self.tr("Radius of the brush"))
        self._number(self._low, "fill_low", self.tr("Values to fill"))
        self._number(self._high, "fill_high", self.tr("Values to fill"))
        self._number(self._reach, "fill_radius_mm", self.tr("Reach of the fill"))
        self._flat.clicked.connect(self._take_flat)

    def _build_actions(self) -> None:
        self._start = button(self.tr("New mask"), self.tr("Start a new mask"))
        menu = QMenu(self._start)
        for name, text in (
            ("empty", self.tr("Empty")),
            ("threshold", self.tr("From the selected layer above its threshold")),
            ("region", self.tr("From a region…")),
        ):
            menu.addAction(text).setData(name)
        menu.triggered.connect(self._ask_start)
        self._start.setMenu(menu)
        self._save = button(self.tr("Save…"), self.tr("Save the mask as NIfTI"))
        self._statistics = button(self.tr("Statistics"), self.tr("Values of every layer within the mask"))
        self._save.clicked.connect(self.save_requested)
        self._statistics.clicked.connect(self.statistics_requested)

    def _number(self, edit: NumberEdit, field: str, what: str) -> None:
        edit.changed.connect(partial(self._take, field, what))
        edit.settled.connect(self.settled)

    def set_settings(self, settings: DrawSettings) -> None:
        """Show settings."""
        self._settings = settings
        self._tools[settings.tool].setChecked(True)
        self._name.setText(self._tools[settings.tool].accessibleName())
        self._radius.set_value(settings.radius_mm)
        self._flat.setChecked(settings.erase_flat)
        self._low.set_value(settings.fill_low)
        self._high.set_value(settings.fill_high)
        self._reach.set_value(settings.fill_radius_mm)
        self._form.setRowVisible(self._radius, settings.tool in ("brush", "ball", "erase"))
        self._form.setRowVisible(self._flat, settings.tool == "erase")
        for part in (self._bounds, self._reach):
            self._form.setRowVisible(part, settings.tool == "fill")

    def set_report(self, text: str, *, has_mask: bool) -> None:
        """Say how large the mask is; without one there is nothing to save. A first stroke starts a mask."""
        self._report.setText(text or self.tr("No mask yet: choose a tool and draw on a slice."))
        for part in (self._save, self._statistics):
            part.setEnabled(has_mask)

    def _ask_start(self, action: QAction) -> None:
        self.start_requested.emit(action.data())

    def _take(self, field: str, what: str, value: Any) -> None:
        self._settings = replace(self._settings, **{field: value})
        self.changed.emit(self._settings, what)

    def _take_flat(self, is_flat: bool) -> None:
        self._take("erase_flat", self.tr("Erase in the slice"), is_flat)
        self.settled.emit()

    def _take_tool(self, number: int) -> None:
        tool = tuple(self._tools)[number]
        if tool != self._settings.tool:
            self.set_settings(replace(self._settings, tool=tool))
            self.changed.emit(self._settings, self.tr("Drawing tool"))
            self.tool_changed.emit(tool)
            self.settled.emit()
