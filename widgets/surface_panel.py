"""The 3D views: which mesh, how opaque, what is inside it, from where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QIcon, QKeyEvent, QPixmap
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QListWidget, QListWidgetItem, QWidget

from .controls import Choice, IconButton, button, check, column, described, form, muted, on_tick, row
from .slider import Slider

CAMERAS = ("left", "front", "top", "right", "back", "bottom")
_MOST_ROWS = 6
_KEY = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class SurfaceSettings:
    """Settings of the 3D views.

    Attributes
    ----------
    kind : str
        ``pial``, ``inflated``, ``white`` or ``midthickness``.
    hemispheres : str
        ``both``, ``left`` or ``right``.
    opacity : float
        Of the cortex, 0 to 1.
    slices : bool
        Show the slices in 3D.
    """

    kind: str = "pial"
    hemispheres: Literal["both", "left", "right"] = "both"
    opacity: float = 1.0
    slices: bool = False


@dataclass(frozen=True)
class RegionMesh:
    """A region shown as a mesh."""

    key: int
    title: str
    colour: tuple[int, int, int]


class _Regions(QListWidget):
    """The list of region meshes; Delete removes."""

    removed = Signal(int)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete and self.currentRow() >= 0:
            self.removed.emit(self.currentItem().data(_KEY))
        else:
            super().keyPressEvent(event)


class SurfacePanel(QWidget):
    """Form for `SurfaceSettings`, the region meshes and the camera.

    ``changed`` carries the settings and a name for the step while a control moves, ``settled`` follows;
    ``camera_chosen`` one of `CAMERAS`.
    """

    changed = Signal(object, str)
    settled = Signal()
    camera_chosen = Signal(str)
    region_removed = Signal(int)
    add_region_requested = Signal()
    open_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = SurfaceSettings()
        self._build_form()
        self._build_regions()
        layout = column(self, margin=8)
        layout.addLayout(self._form)
        layout.addLayout(self._cameras())
        layout.addLayout(row(muted(self.tr("Regions")), self._add, self._remove, stretch=0))
        layout.addWidget(self._regions)
        layout.addStretch(1)
        self.set_kinds([("pial", self.tr("Pial")), ("inflated", self.tr("Inflated")), ("white", self.tr("White"))])
        self.set_regions(())
        self.set_settings(self._settings)

    def _build_form(self) -> None:
        self._kind = Choice(self.tr("Mesh"), self.tr("Which surface of the cortex is drawn"))
        self._open = IconButton("folder-open", self.tr("Open surface"), self.tr("Open surface files of a person…"))
        self._sides = Choice(self.tr("Hemispheres"), self.tr("Which hemispheres are drawn"))
        self._sides.set_items([("both", self.tr("Both")), ("left", self.tr("Left")), ("right", self.tr("Right"))])
        tip = self.tr("Opacity of the cortex in percent")
        self._opacity = Slider(self.tr("Opacity of the cortex"), tip, (0.0, 1.0, 0.01), lambda v: f"{100 * v:.0f} %")
        self._slices = check(self.tr("Slices in 3D"), self.tr("Show the three slices in the 3D view"))
        mesh = QWidget()
        mesh.setLayout(row(self._kind, self._open, stretch=0))
        self._form = form()
        self._form.addRow(self.tr("Mesh"), mesh)
        self._form.addRow(self.tr("Sides"), self._sides)
        self._form.addRow(self.tr("Opacity"), self._opacity)
        self._form.addRow("", self._slices)
        self._kind.chosen.connect(partial(self._once, "kind", self.tr("Mesh")))
        self._sides.chosen.connect(partial(self._once, "hemispheres", self.tr("Hemispheres")))
        on_tick(self._slices, partial(self._once, "slices", self.tr("Slices in 3D")))
        self._opacity.changed.connect(partial(self._take, "opacity", self.tr("Opacity of the cortex")))
        self._opacity.settled.connect(self.settled)
        self._open.clicked.connect(self.open_requested)

    def _cameras(self) -> QGridLayout:
        texts = {
            "left": self.tr("Left"),
            "front": self.tr("Front"),
            "top": self.tr("Top"),
            "right": self.tr("Right"),
            "back": self.tr("Back"),
            "bottom": self.tr("Bottom"),
        }
        group, grid = QButtonGroup(self), QGridLayout()
        grid.setSpacing(4)
        for number, side in enumerate(CAMERAS):
            view = button(texts[side], self.tr("Look from this side: {side}").format(side=texts[side]))
            group.addButton(view, number)
            grid.addWidget(view, number // 3, number % 3)
        group.idClicked.connect(self._look_from)
        return grid

    def _build_regions(self) -> None:
        self._regions = described(_Regions(), self.tr("Regions"), self.tr("Regions drawn inside the cortex"))
        self._add = IconButton("plus", self.tr("Add region"), self.tr("Draw a region inside the cortex"))
        self._remove = IconButton("minus", self.tr("Remove region"), self.tr("Take the selected region out of 3D"))
        self._add.clicked.connect(self.add_region_requested)
        self._remove.clicked.connect(self._remove_current)
        self._regions.removed.connect(self.region_removed)
        self._regions.itemSelectionChanged.connect(self._show_remove)

    def set_kinds(self, kinds: Iterable[tuple[str, str]]) -> None:
        """Offer the meshes that there are, as (name, title)."""
        self._kind.set_items(kinds)
        self._kind.set_value(self._settings.kind)

    def set_regions(self, regions: Iterable[RegionMesh]) -> None:
        """Show which regions are drawn."""
        self._regions.clear()
        for region in regions:
            square = QPixmap(14, 14)
            square.fill(QColor(*region.colour))
            item = QListWidgetItem(QIcon(square), region.title)
            item.setData(_KEY, region.key)
            self._regions.addItem(item)
        rows = min(self._regions.count(), _MOST_ROWS)
        self._regions.setFixedHeight(rows * self._regions.sizeHintForRow(0) + 6)
        self._regions.setVisible(rows > 0)
        self._show_remove()

    def set_settings(self, settings: SurfaceSettings) -> None:
        """Show settings."""
        self._settings = settings
        self._kind.set_value(settings.kind)
        self._sides.set_value(settings.hemispheres)
        self._opacity.set_value(settings.opacity)
        self._slices.setChecked(settings.slices)

    def _show_remove(self) -> None:
        self._remove.setEnabled(bool(self._regions.selectedItems()))

    def _remove_current(self) -> None:
        for item in self._regions.selectedItems():
            self.region_removed.emit(item.data(_KEY))

    def _look_from(self, number: int) -> None:
        self.camera_chosen.emit(CAMERAS[number])

    def _take(self, field: str, what: str, value: Any) -> None:
        self._settings = replace(self._settings, **{field: value})
        self.changed.emit(self._settings, what)

    def _once(self, field: str, what: str, value: Any) -> None:
        self._take(field, what, value)
        self.settled.emit()
