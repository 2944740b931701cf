"""The panel of scores: trajectories, what changed in each arm, and who responded."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QSplitter, QWidget

from .controls import Choice, beside, column, described, muted
from .score_plot import ScoreData, ScorePlot
from .value_model import Cell, Column
from .value_table import ValueTable

LEAST_PLOT, WIDE = 280, 600  # pixels
LINES = 6  # of text, as high as the table is: its head, two or three arms and a scroll bar


class ScoresPanel(QWidget):
    """The plot beside a table of change and some sentences.

    Signals
    -------
    instrument_chosen : (object)
    """

    instrument_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot = ScorePlot()
        self.table = ValueTable(self.tr("Change by arm"), self._columns())
        self._words = muted()
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._instrument = Choice(self.tr("Score"), self.tr("Whose scores are shown"))
        self._head = beside(self._instrument, stretch=0)
        side = QWidget()
        layout = column(side, margin=4)
        layout.addWidget(self._head)
        self.table.setMaximumHeight(LINES * self.fontMetrics().height())
        layout.addWidget(self.table)
        layout.addWidget(self._scrolling(self._words), 1)
        self._side = side
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.plot)
        split.addWidget(side)
        self.plot.setMinimumWidth(LEAST_PLOT)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 1)
        split.setSizes([WIDE, WIDE])
        split.setChildrenCollapsible(False)
        column(self).addWidget(split)
        self._instrument.chosen.connect(self.instrument_chosen)

    def _scrolling(self, words: QWidget) -> QScrollArea:
        """Sentences that scroll where there is little room."""
        words.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.MinimumExpanding)
        area = described(QScrollArea(), self.tr("What changed"), "")
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(words)
        return area

    def _columns(self) -> tuple[Column, ...]:
        return (
            Column(self.tr("Arm")),
            Column(self.tr("n"), kind="integer", tip=self.tr("With a first and a last score")),
            Column(self.tr("First"), kind="number", tip=self.tr("Mean of the first visit")),
            Column(self.tr("SD"), kind="number"),
            Column(self.tr("Last"), kind="number", tip=self.tr("Mean of the last visit")),
            Column(self.tr("SD"), kind="number"),
            Column(
                self.tr("Improvement"),
                kind="number",
                tip=self.tr("First less last, of people with both: larger is better"),
            ),
            Column(self.tr("SD"), kind="number"),
            Column(self.tr("CI low"), kind="number", tip=self.tr("95 % confidence interval of the improvement")),
            Column(self.tr("CI high"), kind="number"),
        )

    def set_instruments(self, items: Sequence[tuple[object, str]], chosen: object) -> None:
        """Offer scores."""
        self._instrument.set_items(items)
        self._instrument.set_value(chosen)

    def set_scores(self, data: ScoreData, rows: Sequence[Sequence[Cell]], words: str) -> None:
        """Show scores."""
        self._side.show()
        self.plot.set_data(data)
        self.table.set_rows(rows)
        self._words.setText(words)

    def set_nothing(self, reason: str) -> None:
        """Say why there are no scores to see."""
        self._side.hide()
        self.plot.set_data(None, reason)
        self.table.set_rows(())
        self._words.setText("")

    def words(self) -> str:
        """The sentences."""
        return self._words.text()
