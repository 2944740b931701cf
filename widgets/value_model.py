"""Rows of typed values as a Qt model that sorts and filters itself, thousands of rows at once."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from .numbers import format_number

Index = QModelIndex | QPersistentModelIndex
Cell = str | float | int | None
KEY = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    title, unit : str
    kind : str
        ``text``, ``number``, ``integer`` or ``share`` (0 to 1, shown in percent).
    tip : str
        What the column means.
    """

    title: str
    unit: str = ""
    kind: Literal["text", "number", "integer", "share"] = "text"
    tip: str = ""

    @property
    def head(self) -> str:
        """Title and unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def shown(self, cell: Cell) -> str:
        """A value as people read it; a dash where there is none."""
        if isinstance(cell, str):
            return cell
        if cell is None or math.isnan(cell):
            return "–"
        if self.kind == "integer":
            return format_number(round(cell)) if abs(cell) < 1e6 else f"{round(cell)}"
        return f"{format_number(100 * cell)} %" if self.kind == "share" else format_number(cell)

    def exact(self, cell: Cell) -> str:
        """A value as other programs read it: full precision, a plain minus sign, empty where there is none."""
        if isinstance(cell, str):
            return " ".join(cell.split())
        return "" if cell is None or math.isnan(cell) else repr(cell)


class ValueModel(QAbstractTableModel):
    """Rows in the order given, and which of them are shown in which order."""

    def __init__(self, columns: Sequence[Column], parent: QObject) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self.rows: list[tuple[Cell, ...]] = []
        self.keys: list[Hashable] = []
        self.order: list[int] = []
        self._sorted: tuple[int, Qt.SortOrder] | None = None
        self._filter = ""

    def set_rows(self, rows: Sequence[Sequence[Cell]], keys: Sequence[Hashable] | None) -> None:
        """Replace all rows; keys name them from one call to the next."""
        self.beginResetModel()
        self.rows = [tuple(cells) for cells in rows]
        self.keys = list(range(len(rows)) if keys is None else keys)
        self._arrange()
        self.endResetModel()

    def texts(self, column: int, most: int) -> list[str]:
        """What the first rows show in a column."""
        return [self.columns[column].shown(self.rows[number][column]) for number in self.order[:most]]

    def set_filter(self, text: str) -> None:
        """Show only rows in whose texts all words occur."""
        self.beginResetModel()
        self._filter = text
        self._arrange()
        self.endResetModel()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column, rows without a value last; a negative column means the order given."""
        self.beginResetModel()
        self._sorted = (column, order) if column >= 0 else None
        self._arrange()
        self.endResetModel()

    def _arrange(self) -> None:
        words = self._filter.casefold().split()
        shown = [number for number, cells in enumerate(self.rows) if not words or _has(cells, words)]
        if self._sorted is not None:
            at, order = self._sorted
            valued = [number for number in shown if not _is_empty(self.rows[number][at])]
            empty = [number for number in shown if _is_empty(self.rows[number][at])]
            backwards = order == Qt.SortOrder.DescendingOrder
            if self.columns[at].kind == "text":
                valued.sort(key=lambda number: str(self.rows[number][at]).casefold(), reverse=backwards)
            else:
                valued.sort(key=lambda number: float(self.rows[number][at] or 0), reverse=backwards)
            shown = valued + empty
        self.order = shown

    def rowCount(self, parent: Index | None = None) -> int:
        return len(self.order)

    def columnCount(self, parent: Index | None = None) -> int:
        return len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        number, column = self.order[index.row()], self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.shown(self.rows[number][index.column()])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if column.kind == "text" else Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole and column.kind == "text":
            return column.shown(self.rows[number][index.column()])
        return self.keys[number] if role == KEY else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if column.kind == "text" else Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        return {Qt.ItemDataRole.DisplayRole: column.head, Qt.ItemDataRole.ToolTipRole: column.tip or column.head}.get(
            Qt.ItemDataRole(role)
        )

    def tsv(self, shown: Sequence[int] | None = None) -> str:
        """Rows as tab-separated text under their heads; all that are shown, or some of them by position."""
        lines = ["\t".join(column.head for column in self.columns)]
        for position in range(len(self.order)) if shown is None else shown:
            cells = self.rows[self.order[position]]
            lines.append("\t".join(column.exact(cell) for column, cell in zip(self.columns, cells, strict=True)))
        return "\n".join(lines) + "\n"


def _is_empty(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def _has(cells: tuple[Cell, ...], words: Sequence[str]) -> bool:
    text = " ".join(cell for cell in cells if isinstance(cell, str)).casefold()
    return all(word in text for word in words)
