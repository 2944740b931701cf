"""The form of the live seed of a group."""

from __future__ import annotations

from dataclasses import replace as with_fields
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from ...widgets.group_seed_panel import GroupSeedPanel
from ...widgets.group_seed_settings import GroupSeedSettings, TableColumns
from ..answers import Answer
from ..problems import Problem
from ..questions import PreparedGroup
from ..recipes import (
    CrosshairSeed,
    Drawing,
    FileMap,
    GroupRun,
    GroupSeedMap,
    MaskSeed,
    PointSeed,
    Preparation,
    RegionMask,
    Seed,
)
from ..resolve import Failure, concrete, group_of
from ..results import size_of
from ..session import Notice, Session
from ..state import Overlay
from .group_seed_form import Looked, columns_of, look, look_of, name_of, with_guesses
from .seed import is_run, offered_strategies

if TYPE_CHECKING:
    from ..io.study_table import StudyTable

COST, READ, MODEL = "group seed cost", "group seed table", "group seed model"
LIVE_FIELDS = ("kind", "follow", "radius_mm", "measure")
LEAST_RUNS = 3
LARGE_BYTES = 300_000_000


class GroupSeedControl(QObject):
    """Binds a `GroupSeedPanel` to a session.

    Signals
    -------
    file_wanted : (str)
        ``table`` or ``brain``: the window asks for a file and calls `take_file`.
    """

    file_wanted = Signal(str)

    def __init__(self, session: Session, panel: GroupSeedPanel) -> None:
        super().__init__(panel)
        self._session = session
        self._panel = panel
        self._settings = GroupSeedSettings()
        self._table: StudyTable | None = None
        self._columns = TableColumns()
        self._brain: str | None = None
        self._mask: MaskSeed | None = None
        self._looked: Looked | None = None
        self._asked: object = None
        self._open_runs: tuple[GroupRun, ...] = ()
        panel.changed.connect(self._change)
        panel.settled.connect(session.store.settle)
        panel.table_requested.connect(lambda: self.file_wanted.emit("table"))
        panel.brain_requested.connect(lambda: self.file_wanted.emit("brain"))
        panel.mask_requested.connect(self._take_layer)
        panel.prepare_requested.connect(self.prepare)
        panel.cancel_requested.connect(self._cancel)
        panel.keep_requested.connect(self.keep)
        session.jobs.progressed.connect(self._progress)
        session.jobs.finished.connect(self._finished)

    # -- what is shown

    def refresh(self) -> None:
        """Follow the runs that are open, and the map of the group."""
        self._open_runs = self._runs_that_are_open()
        self._look()
        under_way = self._under_way()
        running = under_way is not None and self._session.jobs.busy(under_way)
        if not running:
            self._panel.set_progress(None)
        ready = self._looked is not None and self._looked.ok
        self._panel.set_possible(prepare=ready and not running, keep=self._overlay() is not None)

    def _runs_that_are_open(self) -> tuple[GroupRun, ...]:
        found: dict[GroupRun, None] = {}
        for overlay in self._session.state.overlays:
            answer = self._session.answer(overlay.recipe) if isinstance(overlay.recipe, FileMap) else None
            if isinstance(overlay.recipe, FileMap) and isinstance(answer, Answer) and is_run(answer):
                found[GroupRun(overlay.recipe.path)] = None
        return tuple(found)

    def _overlay(self) -> Overlay | None:
        """The group's map that the form is about: the selected one, else the topmost."""
        state = self._session.state
        candidates = (state.overlay(state.selected), *reversed(state.overlays))
        return next((o for o in candidates if o is not None and isinstance(o.recipe, GroupSeedMap)), None)

    def _under_way(self) -> PreparedGroup | None:
        overlay = self._overlay()
        return group_of(overlay.recipe) if overlay is not None and isinstance(overlay.recipe, GroupSeedMap) else None

    # -- the table

    def take_file(self, what: str, path: str) -> None:
        """A file that the user chose for the study or the brain."""
        if what == "brain":
            self._brain = path
            self._set(with_fields(self._settings, brain=Path(path).name))
            self._look()
            return

        def read(_: object) -> StudyTable:
            from ..io.study_table import read_table  # noqa: PLC0415 - pandas

            return read_table(path)

        self._session.start(READ, self.tr("Reading {name}").format(name=Path(path).name), read, self._take_table)

    def _take_table(self, table: StudyTable) -> None:
        self._table = table
        columns = columns_of(table)
        column = "run" if "run" in columns.files else next(iter(columns.files), "")
        kept = GroupSeedSettings(table=table.path.name, column=column)
        for name in (
            "kind",
            "follow",
            "radius_mm",
            "mask",
            "measure",
            "drop",
            "fwhm_mm",
            "detrend",
            "band_hz",
            "brain",
        ):
            kept = with_fields(kept, **{name: getattr(self._settings, name)})
        self._columns = columns
        self._panel.set_columns(columns)
        self._set(with_guesses(kept, columns))
        self._look()

    def _set(self, settings: GroupSeedSettings) -> None:
        self._settings = settings
        self._panel.set_settings(settings)

    def _change(self, settings: GroupSeedSettings, what: str) -> None:
        before, self._settings = self._settings, settings
        if with_guesses(settings, self._columns) != settings:
            self._set(with_guesses(settings, self._columns))
            settings = self._settings
        if before.table and not settings.table:
            self._table = None
            self._settings = with_fields(settings, model="mean", column="", voxelwise="", confounds="", columns=())
            self._columns = TableColumns()
            self._panel.set_columns(self._columns)
            self._set(self._settings)
        if not settings.brain:
            self._brain = None
        if before.confounds != settings.confounds:
            self._show_confounds(settings.confounds)
        changed = [name for name in LIVE_FIELDS if getattr(before, name) != getattr(settings, name)]
        if not changed:
            self._look()
            return
        overlay = self._overlay()
        if overlay is not None and isinstance(overlay.recipe, GroupSeedMap):
            recipe = replace(overlay.recipe, seed=self._seed(), measure=settings.measure)
            look = look_of(recipe) if "measure" in changed else {}
            self._session.update_overlay(replace(overlay, recipe=recipe, **look), what, f"group seed {what}")

    def _show_confounds(self, column: str) -> None:
        """Columns of the first row's table of confounds."""
        names: tuple[str, ...] = ()
        if self._table is not None and column:
            from ..io.study_table import paths_of  # noqa: PLC0415
            from ..io.tables import read_confounds  # noqa: PLC0415

            try:
                names = read_confounds(paths_of(self._table, column, [0])[0]).names
            except Problem as problem:
                self._session.noticed.emit(Notice("error", str(problem)))
        self._panel.set_confounds(names, offered_strategies(names))

    # -- the seed

    def _seed(self) -> Seed:
        settings = self._settings
        if settings.kind == "layer" and self._mask is not None:
            return self._mask
        radius = settings.radius_mm if settings.kind == "sphere" else 0.0
        return CrosshairSeed(radius) if settings.follow else PointSeed(self._session.state.crosshair_mm, radius)

    def _take_layer(self) -> None:
        """The selected region, mask file or drawing becomes the seed."""
        overlay = self._session.state.overlay(self._session.state.selected)
        recipe = None if overlay is None else overlay.recipe
        if overlay is None or not isinstance(recipe, RegionMask | Drawing | FileMap):
            text = self.tr("Select a layer that is a region, a mask or a drawing first.")
            self._session.noticed.emit(Notice("info", text))
            return
        self._mask = MaskSeed(recipe)
        self._set(with_fields(self._settings, mask=overlay.name))
        shown = self._overlay()
        if shown is not None and isinstance(shown.recipe, GroupSeedMap):
            made = replace(shown, recipe=replace(shown.recipe, seed=self._mask))
            self._session.update_overlay(made, "choose the seed")

    # -- what it costs

    def _preparation(self) -> Preparation:
        s = self._settings
        return Preparation(s.drop, s.fwhm_mm, s.detrend, s.band_hz, None, s.columns, s.censor_fd_mm, self._brain)

    def _look(self) -> None:
        """Find runs, model and memory of the form, off the interface thread."""
        table, settings, open_runs, preparation = self._table, self._settings, self._open_runs, self._preparation()
        asked = (None if table is None else id(table), settings, open_runs, preparation)
        if asked == self._asked:
            return
        self._asked, self._looked = asked, None
        self._panel.set_possible(prepare=False, keep=self._overlay() is not None)
        if table is None and len(open_runs) < LEAST_RUNS:
            self._panel.set_found(self.tr("{n} runs are open.").format(n=len(open_runs)))
            text = self.tr("Choose a study table, or open at least {n} runs.").format(n=LEAST_RUNS)
            self._panel.set_report(text, ok=True)
            return
        self._panel.set_report(self.tr("Looking at the runs…"), ok=True)
        title = self.tr("Looking at the runs of a group")
        self._session.jobs.long(COST, title, lambda report: look(table, settings, open_runs, preparation, report))

    def _finished(self, key: object, result: object) -> None:
        if key == COST and isinstance(result, Looked):
            self._looked = result
            self._panel.set_found(self.tr("{n} runs.").format(n=len(result.runs)) if result.runs else "")
            self._tell()
            self.refresh()
        elif isinstance(key, PreparedGroup):
            self._panel.set_progress(None)
            self._tell()

    def _tell(self) -> None:
        """What the form would take and, once its runs are prepared, what was found in them."""
        looked, overlay = self._looked, self._overlay()
        if looked is None:
            return
        group = self._session.results.get(PreparedGroup(looked.runs, self._preparation()))
        found = group.findings if overlay is not None and group is not None and not isinstance(group, Failure) else ()
        self._panel.set_report("\n".join([looked.said, *(finding.message for finding in found)]), ok=looked.ok)

    def _progress(self, key: object, title: str, fraction: float) -> None:
        del title
        if isinstance(key, PreparedGroup) and key == self._under_way():
            self._panel.set_progress(fraction)

    # -- the map

    def prepare(self) -> None:
        """Make the map with the settings of the form: change the one there is, or add one."""
        if self._looked is None or self._looked.model is None:
            return
        recipe = GroupSeedMap(
            self._looked.runs, self._seed(), self._looked.model, self._preparation(), self._settings.measure
        )
        name, overlay, state = name_of(recipe), self._overlay(), self._session.state
        if overlay is not None:
            made = replace(overlay, recipe=recipe, name=name, **look_of(recipe))
            self._session.update_overlay(made, "prepare the group")
        else:
            made = replace(Overlay(state.next_key(), recipe, name), **look_of(recipe))
            self._session.update("prepare the group", None, overlays=(*state.overlays, made), selected=made.key)
        if overlay is not None and isinstance(overlay.recipe, GroupSeedMap):
            self._let_go(group_of(overlay.recipe))
        if isinstance(self._session.results.get(group_of(recipe)), Failure):
            self._session.retry(group_of(recipe))

    def _let_go(self, before: PreparedGroup) -> None:
        """Give back a large group that nothing shows any more: the next one may need its memory."""
        recipes = [overlay.recipe for overlay in self._session.state.overlays]
        if any(isinstance(recipe, GroupSeedMap) and group_of(recipe) == before for recipe in recipes):
            return
        if size_of(self._session.results.get(before)) > LARGE_BYTES:
            self._session.results.forget(before)

    def _cancel(self) -> None:
        under_way = self._under_way()
        if under_way is not None:
            self._session.jobs.cancel(under_way)

    def keep(self) -> None:
        """A copy of the map that stays where it is."""
        overlay, state = self._overlay(), self._session.state
        if overlay is None:
            return
        fixed = concrete(overlay.recipe, state, self._session.results)
        copy = replace(overlay, key=state.next_key(), recipe=fixed, name=f"{overlay.name} (kept)")
        beneath = state.overlays.index(overlay)
        overlays = (*state.overlays[:beneath], copy, *state.overlays[beneath:])
        self._session.update("keep the map", None, overlays=overlays)
