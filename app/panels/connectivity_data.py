"""The data of the connectivity panel: which runs and regions its form offers, and the matrices that it asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace as with_fields
from pathlib import Path

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from ...widgets.connectivity_form import ConnectivityForm, ConnectivitySettings
from .. import templates
from ..questions import AtlasData, Question
from ..recipes import FileMap, GraphMetric, MatrixFile, Preparation, RegionMatrix, SeedCorrelation
from ..resolve import Failure, of_each_run
from ..session import Session
from .atlases import FIRST_CHOICE, atlases
from .seed import is_run

Matrix = RegionMatrix | MatrixFile


class ConnectivityData(QObject):
    """Binds the form to a session. ``wanted`` carries the matrices of A and, or None, of B."""

    wanted = Signal(object, object)

    def __init__(self, session: Session, form: ConnectivityForm) -> None:
        super().__init__(form)
        self._session = session
        self._form = form
        self._runs: dict[str, FileMap] = {}
        self._added: dict[FileMap, None] = {}
        self._offered: tuple[str, ...] = ()
        self._settings = ConnectivitySettings()
        self._shown_for: object = None
        self._recipe: GraphMetric | None = None
        form.changed.connect(self._take)
        form.make_requested.connect(self.make)
        form.cancel_requested.connect(self._cancel)
        session.jobs.progressed.connect(self._progress)

    def add_runs(self, paths: Iterable[str]) -> None:
        """Offer runs that are not open as layers."""
        self._added.update(dict.fromkeys(map(FileMap, paths)))
        self.refresh(self._recipe)

    def refresh(self, recipe: GraphMetric | None) -> None:
        """Show what there is to choose, and the choice that a graph was made of."""
        self._recipe = recipe
        shown = self._session.shown_text
        runs = titled(self._all_runs(recipe), shown)
        if runs != self._runs:
            self._settings = _renamed(self._settings, self._runs, runs)
            self._runs = runs
            self._form.set_runs({title: shown(run.path) for title, run in runs.items()})
            self._form.set_settings(self._settings)
        offered = atlases(self._session)
        ids = tuple(info.id for info in offered)
        if ids != self._offered:
            self._offered = ids
            self._form.set_atlases((info.id, info.title) for info in offered)
        self._follow(recipe)
        self._form.set_can_compare(recipe is not None)
        if not any(self._session.jobs.busy(question) for question in self._under_way()):
            self._form.set_progress(None)
        failure = None if recipe is None else self._session.failure(recipe)
        self._form.set_report("" if failure is None else str(failure), ok=failure is None)

    def _follow(self, recipe: GraphMetric | None) -> None:
        """The settings of a graph that is new here; else those that the user is at."""
        marker = None if recipe is None else (recipe.a, recipe.b)
        settings = self._settings
        if marker is not None and marker != self._shown_for:
            settings = self._settings_of(recipe) if recipe is not None else settings
        elif marker is None and not settings.a and len(self._runs) == 1:
            settings = with_fields(settings, a=tuple(self._runs))
        self._shown_for = marker
        if not settings.atlas and self._offered:
            first = FIRST_CHOICE if FIRST_CHOICE in self._offered else self._offered[0]
            settings = with_fields(settings, atlas=first)
        known = set(self._runs)
        settings = with_fields(
            settings, a=tuple(t for t in settings.a if t in known), b=tuple(t for t in settings.b if t in known)
        )
        if settings != self._settings:
            self._settings = settings
            self._form.set_settings(settings)

    def _settings_of(self, recipe: GraphMetric) -> ConnectivitySettings:
        if not isinstance(recipe.a, RegionMatrix):
            return self._settings
        titles = {run: title for title, run in self._runs.items()}
        preparation = recipe.a.preparation
        b = recipe.b.runs if isinstance(recipe.b, RegionMatrix) else ()
        return ConnectivitySettings(
            tuple(titles[run] for run in recipe.a.runs),
            tuple(titles[run] for run in b),
            recipe.a.atlas,
            recipe.a.kind,
            preparation.drop,
            preparation.detrend,
            preparation.band_hz,
            recipe.a.strategy,
        )

    def _all_runs(self, recipe: GraphMetric | None) -> list[FileMap]:
        runs: dict[FileMap, None] = {}
        for overlay in self._session.state.overlays:
            if isinstance(overlay.recipe, SeedCorrelation):
                runs[overlay.recipe.run] = None
            elif isinstance(overlay.recipe, FileMap):
                answer = self._session.answer(overlay.recipe)
                if answer is not None and is_run(answer):
                    runs[overlay.recipe] = None
        for matrix in () if recipe is None else (recipe.a, recipe.b):
            if isinstance(matrix, RegionMatrix):
                runs.update(dict.fromkeys(matrix.runs))
        runs.update(self._added)
        return list(runs)

    def make(self) -> None:
        """Ask for the matrices that the form describes; what failed before is tried again."""
        settings = self._settings
        if not settings.a:
            return
        a, b = (self._matrix(titles) if titles else None for titles in (settings.a, settings.b))
        for matrix in (a, b):
            for question in () if matrix is None else (matrix, *of_each_run(matrix)):
                if isinstance(self._session.results.get(question), Failure):
                    self._session.retry(question)
        self.wanted.emit(a, b)

    def _matrix(self, titles: tuple[str, ...]) -> RegionMatrix:
        settings = self._settings
        runs = tuple(self._runs[title] for title in titles)
        preparation = Preparation(settings.drop, 0.0, settings.detrend, settings.band_hz)
        space = self._space(runs, settings.atlas)
        return RegionMatrix(runs, settings.atlas, preparation, settings.strategy, settings.kind, space)

    def _space(self, runs: tuple[FileMap, ...], atlas: str) -> str | None:
        """What the user has vouched for: that an atlas lies where the images lie, or the space of a run."""
        state = self._session.state
        if state.template_of(atlas, "") == templates.SAME_AS_IMAGES:
            return templates.SAME_AS_IMAGES
        return next((o.space for o in state.overlays if o.recipe in runs and o.space is not None), None)

    def _take(self, settings: ConnectivitySettings) -> None:
        self._settings = settings

    def _under_way(self) -> list[Question]:
        recipe = self._recipe
        matrices = () if recipe is None else (recipe.a, recipe.b)
        regions = [matrix for matrix in matrices if isinstance(matrix, RegionMatrix)]
        single = [each for matrix in regions for each in of_each_run(matrix)]
        needed: list[Question] = [AtlasData(matrix.atlas) for matrix in regions]
        return [*needed, *regions, *single]

    def _cancel(self) -> None:
        for question in self._under_way():
            if self._session.jobs.busy(question):
                self._session.jobs.cancel(question)

    def _progress(self, key: object, title: str, fraction: float) -> None:
        del title
        if isinstance(key, RegionMatrix) and key in self._under_way():
            self._form.set_progress(fraction)


def _renamed(
    settings: ConnectivitySettings, before: dict[str, FileMap], after: dict[str, FileMap]
) -> ConnectivitySettings:
    """The same runs by the titles that they have now."""
    titles = {run: title for title, run in after.items()}

    def now(chosen: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(titles.get(before[title], title) if title in before else title for title in chosen)

    return with_fields(settings, a=now(settings.a), b=now(settings.b))


def titled(runs: Iterable[FileMap], shown: Callable[[str], str] = str) -> dict[str, FileMap]:
    """Runs by name, with the folder where two are named alike, with the whole path where that is alike too."""
    found: dict[str, FileMap] = {}
    kept = list(runs)
    names = [shown(Path(run.path).name) for run in kept]
    for run, name in zip(kept, names, strict=True):
        path = Path(run.path)
        title = name if names.count(name) == 1 else f"{shown(path.parent.name)}/{name}"
        found[title if title not in found else shown(run.path)] = run
    return found


def one_more(recipe: GraphMetric, path: str) -> GraphMetric:
    """A graph compared with a matrix of a file."""
    return replace(recipe, b=MatrixFile(path), shown="a")
