"""The people of a study: filter, choose, step, judge; and what is odd about the study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QSplitter, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from .controls import Choice, beside, button, check, column, described, mark_wrong, muted, on_tick, spread
from .elided_label import ElidedLabel
from .participant_table import ParticipantTable, People, columns_by_name
from .row_filter import row_filter
from .value_model import Column
from .value_table import ValueTable


@dataclass(frozen=True)
class StudyHead:
    """What stands above the table.

    Attributes
    ----------
    title : str
    is_blinded : bool
    sessions : tuple of (str, str)
        What of each person is shown: value and text.
    session : str
    """

    title: str
    is_blinded: bool
    sessions: tuple[tuple[str, str], ...]
    session: str


class StudyBrowser(QWidget):
    """The table with its filter, and a list of findings beside it.

    Signals
    -------
    open_requested, demo_requested
        There is no study yet.
    session_chosen : (str)
    blinding_requested : (bool)
        The switch was used; it shows the new state only once `set_head` says so.
    wall_requested
        The button of the wall was used; it shows the new state only once `set_wall` says so.
    log_requested
    finding_chosen : (int)
    save_requested : (str)
        The table as tab-separated text.
    """

    open_requested = Signal()
    demo_requested = Signal()
    session_chosen = Signal(str)
    blinding_requested = Signal(bool)
    wall_requested = Signal()
    log_requested = Signal()
    finding_chosen = Signal(int)
    save_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = ParticipantTable()
        self.findings = ValueTable(
            self.tr("Findings"), (Column(self.tr("Who or which")), Column(self.tr("What is the matter")))
        )
        self._columns: dict[str, int] = {}
        self._people = People(())
        self._build_head()
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.addWidget(self.table)
        self._split.addWidget(self.findings)
        self._split.setStretchFactor(0, 3)
        self._split.setStretchFactor(1, 2)
        self._split.setChildrenCollapsible(False)
        self.findings.hide()
        full = QWidget()
        layout = QVBoxLayout(full)
        layout.setContentsMargins(8, 4, 8, 0)
        layout.setSpacing(4)
        layout.addWidget(self._head)
        layout.addWidget(self._split, 1)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self._nothing())
        self._stack.addWidget(full)
        column(self).addWidget(self._stack)
        self._connect()
        self.set_study(None, self._people)
        self.set_findings(())

    def _build_head(self) -> None:
        self._title, self._count = ElidedLabel(), ElidedLabel()
        font = self._title.font()
        font.setBold(True)
        self._title.setFont(font)
        self._filter = described(
            QLineEdit(),
            self.tr("Filter"),
            self.tr("Words, and conditions such as arm=ketamine age>40 note~motion; signs: = != > >= < <= ~"),
        )
        self._filter.setPlaceholderText(self.tr("Filter: words, age>40 sex=F …"))
        self._filter.setClearButtonEnabled(True)
        self._filter.setMinimumWidth(110)
        self._session = Choice(self.tr("Scans"), self.tr("Which scan of each person is shown and stepped through"))
        self._pictures = check(self.tr("Pictures"), self.tr("Show a slice of each scan"))
        self._pictures.setChecked(True)
        self._wall = described(
            QToolButton(), self.tr("Wall"), self.tr("Sessions of the selected people and their difference side by side")
        )
        self._wall.setText(self.tr("Wall"))
        self._wall.setCheckable(True)
        self._blinded = check(self.tr("Blinded"), self.tr("Hide names, arms and sessions everywhere"))
        self._log = button(self.tr("Log…"), self.tr("Who blinded or unblinded this study, when and why"))
        self._save = button(self.tr("Save…"), self.tr("Save the rows shown as TSV"))
        self._odd = described(QToolButton(), self.tr("Findings"), self.tr("What is missing, doubled or contradictory"))
        self._odd.setCheckable(True)
        self._head = beside(
            self._title,
            self._filter,
            self._count,
            self._session,
            self._wall,
            self._pictures,
            self._odd,
            self._blinded,
            self._log,
            self._save,
            stretch=1,
        )

    def _nothing(self) -> QWidget:
        """What stands here while there is no study."""
        nothing = QWidget()
        text = muted(
            self.tr(
                "A study is a BIDS folder with participants.tsv, or a table whose columns name images. "
                "Open one or drop it on the window, or look round in the simulated demo."
            )
        )
        text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._open = button(self.tr("Open study folder…"), self.tr("Choose a folder that holds participants.tsv"))
        self._demo = button(self.tr("Demo study"), self.tr("Simulate three small studies and open the first"))
        layout = column(nothing, margin=12)
        layout.addStretch(1)
        layout.addWidget(text)
        layout.addWidget(spread(self._open, self._demo), 0, Qt.AlignmentFlag.AlignCenter)
        layout.addStretch(1)
        return nothing

    def _connect(self) -> None:
        self._open.clicked.connect(self.open_requested)
        self._demo.clicked.connect(self.demo_requested)
        self._filter.textChanged.connect(self._narrow)
        self._session.chosen.connect(lambda value: self.session_chosen.emit(str(value)))
        on_tick(self._pictures, lambda is_on: self.table.set_pictures(shown=is_on))
        self._wall.clicked.connect(self._ask_wall)
        on_tick(self._blinded, self._ask_blinding)
        self._log.clicked.connect(self.log_requested)
        self._save.clicked.connect(lambda: self.save_requested.emit(self.table.tsv()))
        self._odd.toggled.connect(self.findings.setVisible)
        self.findings.row_selected.connect(self.finding_chosen)
        self.findings.row_activated.connect(self.finding_chosen)

    # -- showing

    def set_study(self, head: StudyHead | None, people: People) -> None:
        """Show a study, or that there is none."""
        self._stack.setCurrentIndex(int(head is not None))
        if head is None:
            return
        self._title.set_whole(head.title)
        self._session.set_items(head.sessions)
        self._session.set_value(head.session)
        self._blinded.setChecked(head.is_blinded)
        self._log.setVisible(head.is_blinded)  # else it is in the menu
        self._people = people
        self._columns = columns_by_name(people.columns)
        self.table.set_people(people)
        self._narrow()

    def set_wall(self, *, is_up: bool) -> None:
        """Say whether the wall is up."""
        self._wall.setChecked(is_up)

    def set_findings(self, rows: Sequence[tuple[str, str]]) -> None:
        """Show what is odd: who or which, and why."""
        self.findings.set_rows(rows)
        many = self.tr("{n} findings").format(n=len(rows))
        self._odd.setText(self.tr("1 finding") if len(rows) == 1 else many)
        self._odd.setVisible(bool(rows))
        if not rows:
            self._odd.setChecked(False)

    def set_filter(self, text: str) -> None:
        """Type a filter."""
        self._filter.setText(text)

    def _narrow(self) -> None:
        wanted = row_filter(self._filter.text(), self._columns)
        mark_wrong(self._filter, is_wrong=bool(wanted.problem))
        self.table.set_filter(wanted)
        shown, every = len(self.table.shown_keys()), len(self._people.keys)
        count = str(every) if shown == every else self.tr("{shown} of {every}").format(shown=shown, every=every)
        text = wanted.problem or self.tr("{count} people").format(count=count)
        self._count.set_whole(text)
        whole = self._count.fontMetrics().horizontalAdvance(text)
        self._count.setMinimumWidth(0 if wanted.problem else whole + 2)

    def _ask_wall(self, is_on: bool) -> None:
        self._wall.setChecked(not is_on)  # until it is up
        self.wall_requested.emit()

    def _ask_blinding(self, is_on: bool) -> None:
        self._blinded.setChecked(not is_on)  # until it is done
        self.blinding_requested.emit(is_on)
