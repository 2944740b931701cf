"""Time courses at the crosshair, and the quality of the run beneath them."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace
from PySide6.QtCore import QObject, QTimer

from ...widgets.curve import Curve, Quality
from ...widgets.time_course import TimeCourse
from ..answers import Answer
from ..layers import labelled
from ..quality import RunQuality
from ..questions import QualityOf
from ..recipes import FileMap, SeedCorrelation
from ..session import Session
from ..times import nearest_frame, time_axis

LATER_MS = 200


class TimelineControl(QObject):
    """Binds a `TimeCourse` to a session."""

    def __init__(self, session: Session, widget: TimeCourse) -> None:
        super().__init__(widget)
        self._session = session
        self._widget = widget
        self._carpet_of: object = None
        widget.frame_chosen.connect(self._choose)
        widget.settled.connect(session.store.settle)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(LATER_MS)
        self._later.timeout.connect(self.refresh)

    def refresh(self) -> None:
        """Show the series at the crosshair."""
        if not self._widget.isVisible():
            return
        series = self._series()
        curves, axis, waiting = self._curves(series)
        self._widget.set_curves(curves, axis, self._why_empty(series, waiting=waiting))
        self._show_frame(series)
        self._show_quality(series)

    def _why_empty(self, series: list[tuple[str, FileMap, Answer]], *, waiting: bool) -> str:
        if waiting:
            return self.tr("Waiting for the rest of the run.")
        if any(answer.image is not None for _, _, answer in series):
            names = ", ".join(name for name, _, answer in series if answer.image is not None)
            return self.tr("The crosshair is outside {names}.").format(names=names)
        return self.tr("Open a 4D image to see its time course here.")

    def _series(self) -> list[tuple[str, FileMap, Answer]]:
        """Every series of the view, also those behind seed maps, once each."""
        found: dict[FileMap, tuple[str, FileMap, Answer]] = {}
        for overlay in reversed(self._session.state.overlays):
            recipe = overlay.recipe.run if isinstance(overlay.recipe, SeedCorrelation) else overlay.recipe
            if not isinstance(recipe, FileMap):
                continue
            answer = self._session.answer(recipe)
            if answer is not None and answer.n_frames > 1 and recipe not in found:
                name = overlay.name if recipe is overlay.recipe else self._session.shown_text(answer.title)
                found[recipe] = (name, recipe, answer)
        return list(found.values())

    def _curves(self, series: list[tuple[str, FileMap, Answer]]) -> tuple[list[Curve], str, bool]:
        """Curves of the series on the axis of the chosen one; others on another axis are left out."""
        curves: list[Curve] = []
        chosen = self._chosen(series)
        title, waiting = "" if chosen is None else time_axis(chosen[1]).title, False
        for name, _, answer in series:
            image = answer.image
            if image is None or image.kind == "rgb":
                continue
            if not image.ready(answer.n_frames - 1):
                waiting = True
                continue
            voxel = image.grid.voxel_at(self._session.state.crosshair_mm)
            axis = time_axis(answer)
            if voxel is None or axis.title != title:
                continue
            values = np.asarray(image.series(voxel), np.float64)
            label = labelled(name, answer)
            widths = axis.width if axis.title == "Time (min)" else None
            curves.append(Curve(label, axis.middle, values, answer.unit, None, widths))
        return curves, title, waiting

    def _chosen(self, series: list[tuple[str, FileMap, Answer]]) -> tuple[FileMap, Answer] | None:
        """The series of the selected layer, else the first."""
        overlay = self._session.state.overlay(self._session.state.selected)
        recipe = None if overlay is None else overlay.recipe
        run = recipe.run if isinstance(recipe, SeedCorrelation) else recipe
        found = [(r, answer) for _, r, answer in series]
        return next((pair for pair in found if pair[0] == run), found[0] if found else None)

    def _show_frame(self, series: list[tuple[str, FileMap, Answer]]) -> None:
        chosen = self._chosen(series)
        if chosen is None:
            self._widget.set_frame(None)
            return
        recipe, answer = chosen
        frame = next((o.frame for o in self._session.state.overlays if o.recipe == recipe), None)
        axis = time_axis(answer)
        self._widget.set_frame(None if frame is None else float(axis.middle[min(frame, answer.n_frames - 1)]))

    def _choose(self, x: float) -> None:
        """Jump to a frame, in every layer that shows a series of as many frames."""
        chosen = self._chosen(self._series())
        if chosen is None:
            return
        _, answer = chosen
        frame = nearest_frame(time_axis(answer), x)
        overlays = tuple(
            replace(overlay, frame=frame) if self._frames(overlay.recipe) == answer.n_frames else overlay
            for overlay in self._session.state.overlays
        )
        self._session.update("frame", "frame", overlays=overlays)

    def _frames(self, recipe: object) -> int:
        answer = self._session.answer(recipe) if isinstance(recipe, FileMap) else None
        return 1 if answer is None else answer.n_frames

    # -- quality

    def _show_quality(self, series: list[tuple[str, FileMap, Answer]]) -> None:
        chosen = self._chosen(series)
        if chosen is None:
            self._widget.set_quality(None)
            self._widget.set_carpet(None)
            self._carpet_of = None
            return
        recipe, answer = chosen
        confounds = self._confounds(recipe)
        question = QualityOf(recipe, confounds)
        quality = self._session.results.get(question)
        if quality is None:
            self._ask(question, answer)
            return
        if self._carpet_of is quality or not isinstance(quality, RunQuality):
            return
        self._carpet_of = quality
        axis = time_axis(answer)
        motion = Quality(axis.middle, quality.displacement_mm, quality.dvars, self._threshold(recipe))
        self._widget.set_quality(motion, quality.motion_note)
        self._widget.set_carpet(quality.carpet, axis.middle, self.tr("Carpet: {how}").format(how=quality.carpet_note))

    def _ask(self, question: QualityOf, answer: Answer) -> None:
        image = answer.image
        if image is None or image.kind == "rgb" or not image.ready(answer.n_frames - 1) or answer.n_frames < 8:
            self._widget.set_quality(None)
            self._widget.set_carpet(None)
            return
        if self._session.jobs.idle():
            self._session.ask(question)
        else:  # a map that somebody waits for goes first
            self._later.start()

    def _confounds(self, recipe: FileMap) -> str | None:
        for overlay in self._session.state.overlays:
            if isinstance(overlay.recipe, SeedCorrelation) and overlay.recipe.run == recipe:
                return overlay.recipe.preparation.confounds
        return None

    def _threshold(self, recipe: FileMap) -> float | None:
        for overlay in self._session.state.overlays:
            if isinstance(overlay.recipe, SeedCorrelation) and overlay.recipe.run == recipe:
                return overlay.recipe.preparation.censor_fd_mm
        return None
