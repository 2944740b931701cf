"""A list of names to tick, with a filter and ready-made choices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QWidget

from .controls import Choice, column, described, muted

_HEIGHT = 140


class PickList(QWidget):
    """Names with check marks.

    ``changed`` carries the names ticked, in the order of the list. A strategy ticks several at once.
    """

    changed = Signal(object)

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._strategies: dict[str, tuple[str, ...]] = {}
        self._strategy = Choice(self.tr("Strategy"), self.tr("Tick what a known strategy takes"))
        self._filter = described(QLineEdit(), self.tr("Filter"), self.tr("Show only names that contain these letters"))
        self._filter.setPlaceholderText(self.tr("Filter"))
        self._filter.setClearButtonEnabled(True)
        self._list = described(QListWidget(), name, tip)
        self._list.setFixedHeight(_HEIGHT)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._count = muted()
        layout = column(self)
        for part in (self._strategy, self._filter, self._list, self._count):
            layout.addWidget(part)
        self._strategy.chosen.connect(self._take_strategy)
        self._filter.textEdited.connect(self._narrow)
        self._list.itemChanged.connect(self._tell)
        self.set_names(())

    def set_names(
        self,
        names: Iterable[str],
        strategies: Iterable[tuple[str, tuple[str, ...]]] = (),
        tips: Mapping[str, str] | None = None,
    ) -> None:
        """Offer names, strategies as (title, names), and what to say about each name."""
        self._names = tuple(names)
        self._strategies = dict(strategies)
        self._strategy.set_items([("", self.tr("Own choice")), *((title, title) for title in self._strategies)])
        self._strategy.setVisible(bool(self._strategies))
        with QSignalBlocker(self._list):
            self._list.clear()
            for name in self._names:
                item = QListWidgetItem(name)
                item.setFlags(
                    Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable
                )
                item.setCheckState(Qt.CheckState.Unchecked)
                item.setToolTip((tips or {}).get(name, name))
                self._list.addItem(item)
        self._narrow(self._filter.text())
        self.set_ticked(())

    def set_ticked(self, names: Iterable[str]) -> None:
        """Tick these and no others."""
        wanted = set(names)
        with QSignalBlocker(self._list):
            for item in self._items():
                item.setCheckState(Qt.CheckState.Checked if item.text() in wanted else Qt.CheckState.Unchecked)
        self._show_count()

    def ticked(self) -> tuple[str, ...]:
        """The names ticked, in the order of the list."""
        return tuple(item.text() for item in self._items() if item.checkState() == Qt.CheckState.Checked)

    def _items(self) -> list[QListWidgetItem]:
        return [self._list.item(number) for number in range(self._list.count())]

    def _show_count(self) -> None:
        ticked = set(self.ticked())
        text = self.tr("{n} of {total} chosen").format(n=len(ticked), total=len(self._names))
        self._count.setText(text if self._names else "")
        matching = [title for title, names in self._strategies.items() if set(names) & set(self._names) == ticked]
        self._strategy.set_value(matching[0] if matching and ticked else "")

    def _narrow(self, text: str) -> None:
        for item in self._items():
            item.setHidden(text.casefold() not in item.text().casefold())

    def _tell(self) -> None:
        self._show_count()
        self.changed.emit(self.ticked())

    def _take_strategy(self, title: str) -> None:
        if title:
            self.set_ticked(self._strategies[title])
            self.changed.emit(self.ticked())
