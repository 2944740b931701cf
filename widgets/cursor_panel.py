"""What is under the crosshair: where, the value of every layer, the regions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QPalette
from PySide6.QtWidgets import QLabel, QWidget

from .controls import IconButton, column, muted, row
from .elided_label import ElidedLabel
from .numbers import NumberEdit, NumberSpec, format_number
from .value_lines import Line, ValueLines

Point = tuple[float, float, float]
_MOST_MM = 1000.0


@dataclass(frozen=True)
class ValueLine:
    """Value of one layer under the crosshair; a text for labels, None outside the image."""

    name: str
    value: float | str | None
    unit: str = ""


@dataclass(frozen=True)
class RegionLine:
    """A region under the crosshair.

    Attributes
    ----------
    atlas, text : str
    share : float or None
        0 to 1 in a probabilistic atlas, None in one of labels.
    note : str
        What its reader must know, or empty.
    """

    atlas: str
    text: str
    share: float | None = None
    note: str = ""


class CursorPanel(QWidget):
    """Coordinates to read and type, values and region names.

    ``moved`` carries x, y, z in mm.
    """

    moved = Signal(float, float, float)
    settled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._at: Point = (0.0, 0.0, 0.0)
        self._values: tuple[ValueLine, ...] = ()
        self._regions: tuple[RegionLine, ...] = ()
        self._voxel: tuple[int, int, int] | None = None
        ways = (self.tr("left to right"), self.tr("back to front"), self.tr("bottom to top"))
        self._edits = tuple(
            self._edit(axis, name, way) for axis, (name, way) in enumerate(zip("xyz", ways, strict=True))
        )
        tip = self.tr("Copy position, values and regions as text")
        copy = IconButton("copy", self.tr("Copy"), tip)
        copy.clicked.connect(self._copy)
        fields = row()
        for name, edit in zip("xyz", self._edits, strict=True):
            fields.insertWidget(fields.count() - 1, QLabel(name))
            fields.insertWidget(fields.count() - 1, edit, 1)
        fields.insertWidget(fields.count() - 1, QLabel("mm"))
        self._voxel_label = ElidedLabel()
        self._voxel_label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._value_lines = ValueLines(self.tr("Values"))
        self._region_lines = ValueLines(self.tr("Regions"))
        self._note = muted()
        layout = column(self, margin=8)
        layout.addLayout(fields)
        voxel = row(self._voxel_label)
        voxel.addWidget(copy)
        layout.addLayout(voxel)
        for part in (self._value_lines, self._region_lines, self._note):
            layout.addWidget(part)
        layout.addStretch(1)
        self.set_position(self._at)
        self.set_voxel(None, "")
        self.set_regions((), "")

    def _edit(self, axis: int, name: str, way: str) -> NumberEdit:
        tip = self.tr("Position {axis} in mm, {way}").format(axis=name, way=way)
        edit = NumberEdit(f"{name} mm", tip, NumberSpec(low=-_MOST_MM, high=_MOST_MM, step=1.0, decimals=1))
        edit.changed.connect(lambda value: self._move(axis, value))  # pyright: ignore[reportUnknownLambdaType]
        edit.settled.connect(self.settled)
        return edit

    def set_position(self, at: Point) -> None:
        """Show a position in mm."""
        self._at = at
        for edit, value in zip(self._edits, at, strict=True):
            edit.set_value(value)

    def set_voxel(self, voxel: tuple[int, int, int] | None, image: str) -> None:
        """Show the voxel of the selected image under the crosshair, None when it lies outside."""
        self._voxel = voxel
        inside = "" if voxel is None else self.tr("voxel {indices}").format(indices=", ".join(map(str, voxel)))
        text = inside or self.tr("outside")
        self._voxel_label.set_whole(f"{text}  ·  {image}" if image else "")
        self._voxel_label.setVisible(bool(image))

    def set_values(self, values: Iterable[ValueLine]) -> None:
        """Show the layers' values, topmost layer first."""
        self._values = tuple(values)
        self._value_lines.set_lines([Line(line.name, _value(line), line.unit) for line in self._values])

    def set_regions(self, regions: Iterable[RegionLine], note: str = "") -> None:
        """Show regions, and a line that says what is missing and why."""
        self._regions = tuple(regions)
        self._note.setText(note)
        self._note.setVisible(bool(note))
        self._region_lines.set_lines([Line(line.text, _share(line), line.atlas, line.note) for line in self._regions])

    def text(self) -> str:
        """All of it as plain text, columns separated by tabs."""
        lines = ["x y z mm\t" + " ".join(format_number(value) for value in self._at)]
        if self._voxel is not None:
            lines.append(self._voxel_label.whole())
        lines += [f"{line.name}\t{_value(line)}\t{line.unit}".rstrip() for line in self._values]
        lines += [f"{line.atlas}\t{line.text}\t{_share(line)}\t{line.note}".rstrip() for line in self._regions]
        return "\n".join(lines)

    def _move(self, axis: int, value: float) -> None:
        at = list(self._at)
        at[axis] = value
        self._at = (at[0], at[1], at[2])
        self.moved.emit(*self._at)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text())


def _value(line: ValueLine) -> str:
    return line.value if isinstance(line.value, str) else format_number(line.value)


def _share(line: RegionLine) -> str:
    return "" if line.share is None else f"{100 * line.share:.0f} %"
