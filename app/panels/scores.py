"""The score plot: between the study of the window and its trajectories."""

from __future__ import annotations

from PySide6.QtCore import QObject

from ...widgets.scores_panel import ScoresPanel
from ..study.trajectories import Instrument, instruments, outcome, trajectories
from .score_words import change_rows, outcome_words, score_data
from .study_open import OpenStudy


class ScoresControl(QObject):
    """Binds a `ScoresPanel` to the study of a window."""

    def __init__(self, opened: OpenStudy, panel: ScoresPanel) -> None:
        super().__init__(panel)
        self._opened, self._panel = opened, panel
        self._instrument: Instrument | None = None
        self._shown: object = None
        panel.instrument_chosen.connect(self._choose)
        panel.plot.selected.connect(opened.select)
        opened.selected.connect(panel.plot.set_selected)

    def refresh(self) -> None:
        """Show the scores of the study that is open."""
        shown = (self._opened.loaded, self._instrument)
        if shown != self._shown or self._shown is None:
            self._shown = shown
            self._show()

    def _choose(self, instrument: object) -> None:
        if isinstance(instrument, Instrument):
            self._instrument = instrument
            self.refresh()

    def _show(self) -> None:
        panel, study = self._panel, self._opened.study
        if study is None:
            panel.set_nothing(self.tr("Open a study to see its scores over time."))
            return
        if self._opened.is_blinded:
            panel.set_nothing(self.tr("Scores are hidden while the study is blinded: they tell the session."))
            return
        offered = instruments(study)
        if not offered:
            panel.set_nothing(self.tr("This study has no scores: its folder phenotype holds no table of numbers."))
            return
        chosen = next((each for each in offered if each == self._instrument), offered[0])
        panel.set_instruments([(each, each.column) for each in offered], chosen)
        found = trajectories(study, chosen)
        if not len(found.scores):
            panel.set_nothing(self.tr("{name} has no numbers.").format(name=chosen.column))
            return
        title = self.tr("Simulated: {name}").format(name=chosen.column) if study.simulated else chosen.column
        result, data = outcome(found), score_data(found, self._opened, title)
        panel.set_scores(data, change_rows(found, result), outcome_words(found, result))
        panel.plot.set_selected(self._opened.selection)
