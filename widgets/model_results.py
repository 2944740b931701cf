"""What a model found: its tests, permutations as they come in, and the scans behind one voxel."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QLabel,
    QProgressBar,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QWidget,
)

from .controls import Choice, button, column, described, muted, row
from .model_voxel import VoxelPlot
from .value_model import Cell, Column
from .value_table import ValueTable

TESTS = (
    Column("Test", "", "text", "Name of the contrast"),
    Column("Statistic", "", "text", "Kind, with its degrees of freedom"),
    Column("Value", "", "number", "At the peak: the largest size of all voxels, vertices or regions"),
    Column("p", "", "number", "Parametric, uncorrected, at the peak"),
    Column("p perm.", "", "number", "By permutation, uncorrected, at the peak"),
    Column("p FWE", "", "number", "By permutation, for the largest statistic of all, at the peak"),
    Column("95 % of FWE", "", "text", "Monte Carlo interval of the family-wise p"),
    Column("p corr.", "", "number", "Smallest of all by the correction that was asked for (q for FDR)"),
    Column("Estimate", "", "number", "At the peak, in units of the data"),
    Column("Effect", "", "number", "At the peak: Cohen's d, of F tests f²"),
    Column("Place", "", "text", "Of the peak"),
)
REGIONS = (
    Column("Region", "", "text"),
    Column("Value", "", "number", "t or F"),
    Column("p", "", "number", "Parametric, uncorrected"),
    Column("p perm.", "", "number", "By permutation, uncorrected"),
    Column("p corr.", "", "number", "By the correction that was asked for (q for FDR)"),
    Column("Estimate", "", "number", "In units of the data"),
    Column("SE", "", "number", "Standard error"),
    Column("Effect", "", "number", "Cohen's d, of F tests f²"),
)
WIDE_PX = 760  # from which tests and scans stand side by side
TALL_LINES = 13  # height from which the line about p-values has room
LEAST_HEIGHT = 150


@dataclass(frozen=True)
class Permutations:
    """How far they are.

    Attributes
    ----------
    done, total : int
        Arrangements compared and wanted, the observed one included.
    running : bool
    distinct : bool
        Whether the wanted ones are all that there are.
    """

    done: int
    total: int
    running: bool
    distinct: bool = False

    @property
    def complete(self) -> bool:
        """Whether nothing is left to count."""
        return self.done >= self.total


class ModelResults(QWidget):
    """Tests and scans.

    Signals
    -------
    test_chosen : (int)
        Row of the table of tests.
    test_activated : (int)
        Enter or double click: go to its peak.
    map_chosen : (str)
    region_chosen : (int)
    stop_requested, continue_requested
    save_requested : (str, str)
        ``tests``, ``regions`` or ``voxel``, and a table as text.
    """

    test_chosen = Signal(int)
    test_activated = Signal(int)
    map_chosen = Signal(str)
    region_chosen = Signal(int)
    stop_requested = Signal()
    continue_requested = Signal()
    save_requested = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._map = Choice(self.tr("Map"), self.tr("Which map of the test the layer shows"))
        self._map.setMinimumContentsLength(12)
        self._map_label = QLabel(self.tr("Map"))
        self._count = QLabel()
        self._progress = described(QProgressBar(), self.tr("Permutations"), self.tr("How many are counted"))
        self._progress.setTextVisible(False)
        self._progress.setMaximumWidth(140)
        self._stop = button(self.tr("Stop"), self.tr("Stop counting; what is counted stays"))
        self._continue = button(self.tr("Continue"), self.tr("Go on counting from where it stopped"))
        self.tests = ValueTable(self.tr("Tests"), TESTS)
        self.regions = ValueTable(self.tr("Regions of the test"), REGIONS, has_filter=True)
        self.voxel = VoxelPlot()
        self._legend = muted()
        self._notes = muted()
        self._notes.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._notes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._empty = muted()
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._build()
        self._map.chosen.connect(self._choose_map)
        self._stop.clicked.connect(self.stop_requested)
        self._continue.clicked.connect(self.continue_requested)
        self.tests.row_selected.connect(self.test_chosen)
        self.tests.row_activated.connect(self.test_activated)
        self.regions.row_selected.connect(self.region_chosen)
        self.tests.save_requested.connect(lambda text: self.save_requested.emit("tests", text))
        self.regions.save_requested.connect(lambda text: self.save_requested.emit("regions", text))
        self.voxel.save_requested.connect(lambda text: self.save_requested.emit("voxel", text))
        self.set_permutations(None)
        self.set_maps((), None)
        self.set_empty(self.tr("Fit a model in the Model panel to see its tests here."))

    def _build(self) -> None:
        left = QWidget()
        lines = column(left)
        lines.addLayout(row(self._map_label, self._map, self._count, self._progress, self._stop, self._continue))
        lines.addWidget(self.tests, 1)
        lines.addWidget(self._legend)
        self._tabs = QTabWidget()
        self._tabs.setDocumentMode(True)
        self._tabs.addTab(self.voxel, self.tr("Scans"))
        self._tabs.addTab(self.regions, self.tr("Regions"))
        self._notes.setMargin(4)
        notes = described(QScrollArea(), self.tr("Notes"), self.tr("The model in words, and what to know about it"))
        notes.setWidgetResizable(True)
        notes.setFrameShape(QScrollArea.Shape.NoFrame)
        notes.setWidget(self._notes)
        self._tabs.addTab(notes, self.tr("Notes"))
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        for number, (part, stretch) in enumerate(((left, 1), (self._tabs, 1))):
            self._splitter.addWidget(part)
            self._splitter.setStretchFactor(number, stretch)
        self._splitter.setMinimumHeight(LEAST_HEIGHT)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._splitter)
        layout = column(self, margin=6)
        layout.setDirection(QBoxLayout.Direction.TopToBottom)
        layout.addWidget(self._stack)

    def set_empty(self, text: str) -> None:
        """Say what to do; with an empty text show the tests."""
        self._empty.setText(text)
        self._stack.setCurrentWidget(self._empty if text else self._splitter)

    def set_tests(self, rows: Sequence[Sequence[Cell]], names: Sequence[Hashable]) -> None:
        """Show tests."""
        self.tests.set_rows(rows, names)

    def set_maps(self, maps: Iterable[tuple[str, str]], shown: str | None) -> None:
        """Offer maps as (key, title); without any nothing can be shown in the brain."""
        offered = list(maps)
        if offered != [(self._map.itemData(n)[0], self._map.itemText(n)) for n in range(self._map.count())]:
            self._map.set_items(offered)
        self._map.set_value(shown)
        self._map.setVisible(bool(offered))
        self._map_label.setVisible(bool(offered))

    def set_permutations(self, permutations: Permutations | None) -> None:
        """Say how far they are; None where there are none."""
        has_any = permutations is not None
        for part in (self._count, self._progress):
            part.setVisible(has_any)
        self._stop.setVisible(has_any and permutations.running)
        self._continue.setVisible(has_any and not permutations.running and not permutations.complete)
        if permutations is None:
            return
        done, total = permutations.done, permutations.total
        if permutations.complete:
            text = (
                self.tr("all {total} distinct arrangements")
                if permutations.distinct
                else self.tr("{total} permutations")
            )
        else:
            text = self.tr("{done} of {total} permutations")
        self._count.setText(text.format(done=f"{done:,}", total=f"{total:,}"))
        self._progress.setRange(0, total)
        self._progress.setValue(done)
        self._progress.setVisible(not permutations.complete)

    def set_about(self, legend: str, notes: str, warnings: int) -> None:
        """How the shown p came about, and what to know about the model, among it a number of warnings."""
        title = self.tr("Notes ({n})").format(n=warnings) if warnings else self.tr("Notes")
        self._tabs.setTabText(self._tabs.count() - 1, title)
        self._legend.setText(legend)
        self._show_legend()
        self._notes.setText(f"{legend}\n{notes}")

    def _show_legend(self) -> None:
        """Where there is no room the notes have it."""
        has_room = self.height() >= TALL_LINES * self.fontMetrics().height()
        self._legend.setVisible(has_room and bool(self._legend.text()))

    def set_regions(self, rows: Sequence[Sequence[Cell]] | None, names: Sequence[Hashable] = ()) -> None:
        """Show the regions of a test; None where the data are no table of regions."""
        at = self._tabs.indexOf(self.regions)
        if self._tabs.isTabVisible(at) != (rows is not None):
            self._tabs.setTabVisible(at, rows is not None)
            self._tabs.setCurrentIndex(at if rows is not None else 0)
        self.regions.set_rows(rows or (), names)

    def texts(self) -> tuple[str, str]:
        """Legend and notes."""
        return self._legend.text(), self._notes.text()

    def count_text(self) -> str:
        """How far the permutations are, in words."""
        return self._count.text()

    def _choose_map(self, shown: object) -> None:
        self.map_chosen.emit(str(shown))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_legend()
        wide = self.width() >= WIDE_PX
        self._splitter.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)
