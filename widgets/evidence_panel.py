"""Evidence cards: a list with a filter, and the card that is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QTextBrowser,
    QWidget,
)

from .controls import SPACE, button, check, column, described, muted, row
from .theme import look

ID = Qt.ItemDataRole.UserRole
LEAST_HEIGHT = 30  # of list and card, so that a small window is not made larger
_SECTION = "<p style='margin-top:10px; margin-bottom:2px; color:{colour}'><b>{title}</b></p>"


@dataclass(frozen=True)
class CardLine:
    """A card in the list: its id, title, and the group under which it stands."""

    id: str
    title: str
    group: str


@dataclass(frozen=True)
class StatementText:
    """One finding: what, its numbers and design in a line, its source, and its DOI or nothing."""

    text: str
    numbers: str
    source: str
    doi: str


@dataclass(frozen=True)
class CardText:
    """A card as it is read.

    Attributes
    ----------
    title, claim, level : str
    in_favour, against : tuple of StatementText
    numbers : tuple of str
    can_show : tuple of (str, str)
        What data of a kind could say, the kinds that are loaded first; a kind that is not loaded says so in its name.
    cannot_show, gap, note : str
    has_place : bool
        Whether there is somewhere to go.
    """

    title: str
    claim: str
    level: str
    in_favour: tuple[StatementText, ...]
    against: tuple[StatementText, ...]
    numbers: tuple[str, ...]
    can_show: tuple[tuple[str, str], ...]
    cannot_show: str
    gap: str
    note: str
    has_place: bool


class EvidencePanel(QWidget):
    """Cards to choose from and the one chosen.

    Signals
    -------
    chosen : (str)
        Id of a card picked from the list.
    followed : (bool)
        Whether the card of the crosshair's region shows by itself.
    go_requested, add_requested, template_requested
    """

    chosen = Signal(str)
    followed = Signal(bool)
    go_requested = Signal()
    add_requested = Signal()
    template_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._card: CardText | None = None
        self._filter = described(QLineEdit(), self.tr("Filter"), self.tr("Show only cards that contain these letters"))
        self._filter.setPlaceholderText(self.tr("Filter cards"))
        self._filter.setClearButtonEnabled(True)
        self._list = described(QListWidget(), self.tr("Evidence cards"), self.tr("Hypotheses and regions"))
        self._follow = check(
            self.tr("Follow the crosshair"), self.tr("Show the card of the region under the crosshair by itself")
        )
        self._follow.setChecked(True)
        self._text = described(QTextBrowser(), self.tr("Card"), self.tr("What is claimed and how well it stands"))
        self._text.setOpenLinks(False)  # nothing is fetched but what the user clicks on
        self._text.anchorClicked.connect(self._open)
        self._go = button(self.tr("Go there"), self.tr("Move the crosshair to the card's region"))
        self._add = button(self.tr("Add…"), self.tr("Check a card of your own and keep a copy of it"))
        self._new = button(self.tr("Template…"), self.tr("Save an empty card to fill in"))
        self._note = muted()
        self._arrange()
        self._filter.textEdited.connect(self._narrow)
        self._list.currentItemChanged.connect(lambda item, _: self._tell(item))
        self._follow.toggled.connect(self.followed)
        self._go.clicked.connect(self.go_requested)
        self._add.clicked.connect(self.add_requested)
        self._new.clicked.connect(self.template_requested)
        self.set_card(None)

    def set_cards(self, lines: Iterable[CardLine]) -> None:
        """Offer cards, group by group."""
        with QSignalBlocker(self._list):
            self._list.clear()
            group = ""
            for line in lines:
                if line.group != group:
                    group = line.group
                    heading = QListWidgetItem(group)
                    heading.setFlags(Qt.ItemFlag.NoItemFlags)
                    self._list.addItem(heading)
                item = QListWidgetItem("   " + line.title)
                item.setData(ID, line.id)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, line.title)
                self._list.addItem(item)
        self._narrow(self._filter.text())

    def set_card(self, card: CardText | None, card_id: str = "") -> None:
        """Show a card; None says what to do."""
        self._card = card
        self._go.setEnabled(card is not None and card.has_place)
        self._text.setHtml(_empty(self) if card is None else self._html(card))
        with QSignalBlocker(self._list):
            for number in range(self._list.count()):
                item = self._list.item(number)
                if item.data(ID) == card_id and card_id:
                    self._list.setCurrentItem(item)

    def set_note(self, text: str) -> None:
        """A line below, such as what is wrong with a card."""
        self._note.setText(text)
        self._note.setVisible(bool(text))

    def text(self) -> str:
        """What is read, without markup."""
        return self._text.toPlainText()

    def changeEvent(self, event: QEvent) -> None:
        """Colours follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._text.setHtml(_empty(self) if self._card is None else self._html(self._card))

    def _arrange(self) -> None:
        top = QWidget()
        above = column(top)
        above.addWidget(self._filter)
        above.addWidget(self._list, 1)
        above.addWidget(self._follow)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(top)
        split.addWidget(self._text)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 3)
        split.setSizes([150, 400])
        split.setChildrenCollapsible(False)
        self._list.setMinimumHeight(LEAST_HEIGHT)
        self._text.setMinimumHeight(LEAST_HEIGHT)
        layout = column(self, margin=SPACE)
        layout.addWidget(split, 1)
        layout.addLayout(row(self._go, self._add, self._new))
        layout.addWidget(self._note)
        self._note.hide()

    def _narrow(self, letters: str) -> None:
        wanted = letters.strip().casefold()
        for number in range(self._list.count()):
            item = self._list.item(number)
            if item.data(ID) is not None:
                item.setHidden(wanted not in item.text().casefold())

    def _tell(self, item: QListWidgetItem | None) -> None:
        if item is not None and item.data(ID) is not None:
            self.chosen.emit(str(item.data(ID)))

    def _open(self, url: QUrl) -> None:
        if url.scheme() == "https" and url.host() == "doi.org":
            QDesktopServices.openUrl(url)

    def _html(self, card: CardText) -> str:
        colours = look()
        parts = [
            f"<h3 style='margin-bottom:0'>{escape(card.title)}</h3>",
            f"<p style='margin-top:2px'>{escape(card.claim)}</p>",
            f"<p style='color:{colours.muted}; margin-top:0'>{escape(card.level)}</p>",
        ]
        parts += _statements(self.tr("For"), card.in_favour, self.tr("Nothing at hand."))
        parts += _statements(self.tr("Against"), card.against, self.tr("Nothing at hand. That is no support."))
        if card.numbers:
            parts.append(_heading(self.tr("Numbers")))
            parts += [f"<p style='margin:0 0 2px 8px'>{escape(number)}</p>" for number in card.numbers]
        parts.append(_heading(self.tr("What data can show")))
        for kind, text in card.can_show:
            parts.append(f"<p style='margin:0 0 4px 8px'><b>{escape(kind)}:</b> {escape(text)}</p>")
        if not card.can_show:
            parts.append(f"<p style='margin:0 0 4px 8px'>{escape(self.tr('Nothing that the program reads.'))}</p>")
        parts.append(_heading(self.tr("What they cannot show")))
        parts.append(f"<p style='margin:0 0 4px 8px'>{escape(card.cannot_show)}</p>")
        if card.gap:
            parts.append(_heading(self.tr("Gaps of this card")))
            parts.append(f"<p style='margin:0 0 4px 8px'>{escape(card.gap)}</p>")
        parts.append(f"<p style='color:{colours.muted}'>{escape(card.note)}</p>")
        return "".join(parts)


def _empty(panel: EvidencePanel) -> str:
    text = panel.tr("Choose a card, or move the crosshair to a region that has one.")
    return f"<p style='color:{look().muted}'>{escape(text)}</p>"


def _heading(title: str) -> str:
    return _SECTION.format(colour=look().accent, title=escape(title))


def _statements(title: str, statements: Sequence[StatementText], none: str) -> list[str]:
    parts = [_heading(f"{title} ({len(statements)})")]
    if not statements:
        parts.append(f"<p style='margin:0 0 4px 8px; color:{look().muted}'>{escape(none)}</p>")
    for one in statements:
        parts.append(f"<p style='margin:0 0 0 8px'>{escape(one.text)}</p>")
        source = escape(one.source)
        if one.doi:
            link = escape(f"https://doi.org/{one.doi}", quote=True)
            source += f", <a href='{link}' style='color:{look().accent}'>{escape(one.doi)}</a>"
        numbers = f"{escape(one.numbers)}. " if one.numbers else ""
        parts.append(f"<p style='margin:0 0 6px 8px; color:{look().muted}'><small>{numbers}{source}</small></p>")
    return parts
