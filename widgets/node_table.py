"""The nodes of a graph with their metrics: search, sort, jump."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QItemSelectionModel, QSignalBlocker
from PySide6.QtWidgets import QWidget

from .value_model import Cell, Column
from .value_table import ValueTable

REGION = "Region"


class NodeTable(ValueTable):
    """One row per node; columns are the metrics. Enter or a double click on a row goes to the node.

    Parameters
    ----------
    metrics : mapping of str to Column
        By the name under which `set_nodes` gets their values.
    """

    def __init__(self, metrics: Mapping[str, Column], parent: QWidget | None = None) -> None:
        self._metrics = tuple(metrics)
        super().__init__("", (Column(REGION), *metrics.values()), has_filter=True, parent=parent)
        self._view.setAccessibleName(self.tr("Nodes"))
        self._view.setAccessibleDescription(self.tr("Regions with the metrics of the graph"))

    def set_nodes(self, names: Sequence[str], metrics: Mapping[str, NDArray[np.float64]]) -> None:
        """Show nodes; metrics that are not known yet are left empty."""
        columns = [metrics.get(name) for name in self._metrics]
        known = [[None] * len(names) if values is None else values.tolist() for values in columns]
        rows: list[tuple[Cell, ...]] = list(zip(names, *known, strict=True))
        self.set_rows(rows)

    def select(self, node: int | None) -> None:
        """Mark the row of a node and bring it into sight, without telling."""
        if node == self.selected_row():
            return
        marked = self._view.selectionModel()
        with QSignalBlocker(marked):
            if node is None or node not in self._model.order:
                marked.clear()
            else:
                flag = QItemSelectionModel.SelectionFlag
                index = self._model.index(self._model.order.index(node), 0)
                marked.setCurrentIndex(index, flag.ClearAndSelect | flag.Rows)
                self._view.scrollTo(index)
        self._view.viewport().update()
