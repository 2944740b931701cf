"""What a model found, shown: tests, permutations as they come in, the scans behind the voxel at the crosshair."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from ...widgets.model_results import ModelResults, Permutations
from ..questions import ModelPermutations
from ..resolve import Failure, counts_of
from ..session import Session
from .model import STOPPED, Asked, ModelControl
from .voxel_show import VoxelShow

if TYPE_CHECKING:
    from .study_open import OpenStudy

ROWS = "model rows"


class ModelShow(QObject):
    """Binds `ModelResults` to what a `ModelControl` asks."""

    def __init__(
        self, session: Session, panel: ModelResults, control: ModelControl, opened: OpenStudy | None = None
    ) -> None:
        super().__init__(panel)
        self._voxel = VoxelShow(session, panel.voxel, control, opened)
        self._session = session
        self._panel = panel
        self._control = control
        self._opened = opened
        self._rows: Any = None
        self._rows_for: object = None
        self._region = 0
        panel.test_chosen.connect(self._choose_test)
        panel.test_activated.connect(self._go_to_peak)
        panel.map_chosen.connect(self._choose_map)
        panel.region_chosen.connect(self._choose_region)
        panel.stop_requested.connect(control.stop)
        panel.continue_requested.connect(control.go_on)
        session.jobs.finished.connect(self._take)
        if opened is not None:
            opened.changed.connect(self._show_about)

    def refresh(self) -> None:
        """Show the answer of the model that is asked."""
        asked = self._control.asked()
        fitted = None if asked is None else self._session.results.get(asked.fit)
        if asked is None or fitted is None or isinstance(fitted, Failure):
            self._rows = self._rows_for = None
            self._voxel.clear()
            self._panel.set_empty(self._seen(self._why_empty(asked, fitted)))
            return
        self._panel.set_empty("")
        self._show_maps(asked)
        self._show_permutations(asked)
        self._ask_rows(asked, fitted)
        self._ask_voxel(asked, fitted)

    def _why_empty(self, asked: Asked | None, fitted: object) -> str:
        if asked is None:
            return self.tr("Fit a model in the Model panel to see its tests here.")
        if isinstance(fitted, Failure):
            return f"{Path(fitted.problem.where).name}: {fitted.problem.what}; {fitted.problem.todo}."
        return self.tr("The model is being fitted.")

    def _show_maps(self, asked: Asked) -> None:
        offered = () if asked.layer is None or self._rows is None else self._rows.maps
        self._panel.set_maps(offered, asked.map.shown)

    # -- permutations

    def _counted(self, asked: Asked, test: str) -> Any:
        """What is counted of a test, None for nothing."""
        question = asked.permutations(test)
        found = self._session.results.get(question)
        if found is None or isinstance(found, Failure):
            found = self._session.results.get(counts_of(question))
        return found

    def _show_permutations(self, asked: Asked) -> None:
        if not asked.map.inference.permutations:
            self._panel.set_permutations(None)
            return
        question = asked.permutations(asked.map.test)
        found = self._session.results.get(question)
        if isinstance(found, Failure) and found.problem.what != STOPPED:
            self._panel.set_permutations(None)  # there is nothing to go on with
            return
        counted = self._counted(asked, asked.map.test)
        running = self._session.jobs.busy(question)
        self._panel.set_permutations(_so_far(question, counted, running=running))

    # -- tables

    def _ask_rows(self, asked: Asked, fitted: Any) -> None:
        inference, test = asked.map.inference, asked.map.test
        counted = {}
        if inference.permutations:
            found = ((each.name, self._counted(asked, each.name)) for each in fitted.tests)
            counted = {name: permuted for name, permuted in found if permuted is not None}
        wanted = (fitted, inference, test, tuple(counted.items()))
        if wanted == self._rows_for:
            return
        self._rows_for = wanted

        def work(_: object) -> Any:
            from .model_rows import rows_of  # noqa: PLC0415 - pandas and SciPy

            return wanted, rows_of(fitted, inference, counted, test)

        self._session.jobs.live(ROWS, work)

    def _ask_voxel(self, asked: Asked, fitted: Any) -> None:
        from .voxel_series import element_at  # noqa: PLC0415 - pandas and SciPy

        if asked.layer is None:
            element = min(self._region, fitted.n_elements - 1)
        else:
            element = element_at(fitted, self._session.state.crosshair_mm)
        self._voxel.ask(asked, fitted, _tested(fitted, asked.map.test), element)

    def _take(self, key: object, result: Any) -> None:
        if key == ROWS and result[0] == self._rows_for:
            self._rows = result[1]
            self._panel.set_regions(self._rows.regions, self._rows.region_names)
            self._show_about()
            asked = self._control.asked()
            if asked is not None:
                self._show_maps(asked)

    def _show_about(self) -> None:
        rows = self._rows
        if rows is not None:
            tests = [tuple(self._seen(cell) if isinstance(cell, str) else cell for cell in test) for test in rows.tests]
            self._panel.set_tests(tests, rows.names)
            self._panel.set_about(self._seen(rows.legend), self._seen(rows.notes), rows.warnings)

    def _seen(self, text: str) -> str:
        """A text without whom the open study hides, and that of the model."""
        asked = self._control.asked()
        rows = None if asked is None else asked.map.model.study
        if self._opened is None:
            return text
        blinding = None if rows is None else self._opened.blinding_of(Path(rows.study))
        return self._opened.shown_text(text if blinding is None else blinding.shown_text(text))

    # -- choices

    def _choose_test(self, row: int) -> None:
        if self._rows is not None and row < len(self._rows.names):
            self._control.show_test(self._rows.names[row])

    def _go_to_peak(self, row: int) -> None:
        peak = self._rows.peaks[row] if self._rows is not None and row < len(self._rows.peaks) else None
        if peak is not None:
            self._session.move_crosshair(peak, merge=None)

    def _choose_map(self, shown: str) -> None:
        asked = self._control.asked()
        if asked is not None:
            tested = _tested(self._session.results.get(asked.fit), asked.map.test)
            self._control.show_map(shown, tested.maps.df)

    def _choose_region(self, row: int) -> None:
        self._region = row
        self.refresh()


def _tested(fitted: Any, name: str) -> Any:
    """The test of that name, else the first: a view from elsewhere may name another."""
    return next((each for each in fitted.tests if each.name == name), fitted.tests[0])


def _so_far(question: ModelPermutations, counted: Any, *, running: bool) -> Permutations:
    wanted = question.inference.permutations
    if counted is None:
        return Permutations(1, wanted, running)
    distinct = counted.ready.test.shuffling.exhaustive
    total = counted.n_total + 1 if distinct else wanted
    return Permutations(min(counted.n_done + 1, total), total, running, distinct)
