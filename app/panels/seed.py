"""The form of the live seed."""

from __future__ import annotations

from dataclasses import replace as with_fields
from pathlib import Path
from typing import Literal

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from ...stats.confounds import design
from ...stats.errors import CannotCompute
from ...stats.fmriprep import STRATEGIES, confounds_of
from ...widgets.seed_panel import SeedPanel
from ...widgets.seed_settings import SeedKind, SeedSettings
from ..answers import Answer
from ..atlas import Atlas
from ..io.tables import read_confounds
from ..problems import Problem
from ..questions import AtlasData, PreparedRun
from ..recipes import (
    CrosshairSeed,
    Drawing,
    FileMap,
    MaskSeed,
    PointSeed,
    Preparation,
    Recipe,
    RegionMask,
    Seed,
    SeedCorrelation,
)
from ..resolve import Failure, concrete
from ..runs import nuisance_of
from ..seeds import in_words
from ..session import Notice, Session
from ..state import Colours, Overlay, Threshold

REPORT = "seed report"
DEFAULT = Preparation(fwhm_mm=6.0, detrend=2, band_hz=(0.01, 0.1))
LIVE_FIELDS = ("kind", "follow", "radius_mm", "measure")


class SeedControl(QObject):
    """Binds a `SeedPanel` to a session.

    Signals
    -------
    file_wanted : (str)
        ``mask``, ``confounds`` or ``brain``: the window asks for a file and calls `take_file`.
    region_wanted
        The window's finder is to name a region for `take_region`.
    """

    file_wanted = Signal(str)
    region_wanted = Signal()

    def __init__(self, session: Session, panel: SeedPanel) -> None:
        super().__init__(panel)
        self._session = session
        self._panel = panel
        self._runs: list[FileMap] = []
        self._titles: list[str] = []
        self._draft = DEFAULT
        self._run: FileMap | None = None
        self._seed: Seed = CrosshairSeed()
        self._masks: dict[str, MaskSeed] = {}
        self._awaited_kind: SeedKind | None = None
        self._settings = SeedSettings()
        self._shown_for: tuple[int, Preparation] | None = None
        self._reported: object = None
        self._cost = ("", True)
        self._columns_of: str | None = None
        panel.changed.connect(self._change)
        panel.settled.connect(session.store.settle)
        panel.prepare_requested.connect(self.prepare)
        panel.cancel_requested.connect(self._cancel)
        panel.keep_requested.connect(self.keep)
        panel.pvalues_requested.connect(self.add_significance)
        panel.region_requested.connect(self.region_wanted)
        panel.mask_requested.connect(self._ask_mask)
        panel.confounds_requested.connect(lambda: self.file_wanted.emit("confounds"))
        panel.brain_requested.connect(lambda: self.file_wanted.emit("brain"))
        session.jobs.progressed.connect(self._progress)
        session.jobs.finished.connect(self._finished)

    def refresh(self) -> None:
        """Show the selected seed map, or what a new one would be."""
        session = self._session
        runs = self._all_runs()
        titles = [session.shown_text(_title(run)) for run in runs]
        if (runs, titles) != (self._runs, self._titles):
            self._runs, self._titles = runs, titles
            self._panel.set_runs(enumerate(titles))
        overlay = self._overlay()
        if overlay is not None and isinstance(overlay.recipe, SeedCorrelation):
            shown_for = (overlay.key, overlay.recipe.preparation)
            if self._shown_for != shown_for:  # another layer, or another preparation by undo
                self._draft = overlay.recipe.preparation
                self._awaited_kind = None
            self._shown_for = shown_for
            self._run, self._seed = overlay.recipe.run, overlay.recipe.seed
            if isinstance(self._seed, MaskSeed):
                self._masks[_kind_of(self._seed)] = self._seed
            measure = overlay.recipe.measure
        else:
            self._shown_for = None
            self._run = self._run if self._run in runs else (runs[0] if runs else None)
            measure = self._settings.measure
        self._show(measure)
        under_way = self._preparation_under_way()
        running = under_way is not None and session.jobs.busy(under_way)
        if not running:
            self._panel.set_progress(None)
        self._panel.set_possible(
            prepare=self._run is not None and not running,
            keep=overlay is not None,
            pvalues=overlay is not None and any(shown.overlay.key == overlay.key for shown in session.shown()),
        )
        self._report()
        self._tell_report()

    def _overlay(self) -> Overlay | None:
        """The seed map that the form is about: the selected one, else the topmost. Maps of p stay as they are."""
        state = self._session.state
        candidates = (state.overlay(state.selected), *reversed(state.overlays))
        return next((o for o in candidates if o is not None and _is_seed_map(o)), None)

    def _preparation_under_way(self) -> PreparedRun | None:
        """The preparation that the seed map stands on, whatever the form says by now."""
        overlay = self._overlay()
        if overlay is None or not isinstance(overlay.recipe, SeedCorrelation):
            return None
        return PreparedRun(overlay.recipe.run, overlay.recipe.preparation)

    def _all_runs(self) -> list[FileMap]:
        runs: dict[FileMap, None] = {}
        for overlay in self._session.state.overlays:
            if isinstance(overlay.recipe, SeedCorrelation):
                runs[overlay.recipe.run] = None
            elif isinstance(overlay.recipe, FileMap):
                answer = self._session.answer(overlay.recipe)
                if answer is not None and is_run(answer):
                    runs[overlay.recipe] = None
        return list(runs)

    def _show(self, measure: str) -> None:
        draft = self._draft
        number = self._runs.index(self._run) if self._run in self._runs else None
        settings = SeedSettings(
            number,
            self._kind(),
            not isinstance(self._seed, PointSeed),
            self._settings.radius_mm,
            self._region_name(),
            self._mask_name(),
            "z" if measure == "z" else "r",
            draft.drop,
            draft.fwhm_mm,
            draft.detrend,
            draft.band_hz,
            "" if draft.confounds is None else Path(draft.confounds).name,
            draft.columns,
            draft.censor_fd_mm,
            "" if draft.brain is None else Path(draft.brain).name,
        )
        if isinstance(self._seed, CrosshairSeed | PointSeed) and self._seed.radius_mm > 0:
            settings = with_fields(settings, radius_mm=self._seed.radius_mm)
        if settings != self._settings:
            self._settings = settings
            self._panel.set_settings(settings)
        self._show_columns()

    def _kind(self) -> SeedKind:
        if self._awaited_kind is not None:
            return self._awaited_kind
        if isinstance(self._seed, MaskSeed):
            return _kind_of(self._seed)
        return "sphere" if self._seed.radius_mm > 0 else "voxel"

    def _region_name(self) -> str:
        if not isinstance(self._seed, MaskSeed) or not isinstance(self._seed.mask, RegionMask):
            return ""
        atlas = self._session.results.get(AtlasData(self._seed.mask.atlas))
        if not isinstance(atlas, Atlas):
            return self._seed.mask.atlas
        return ", ".join(atlas.region(index).title for index in self._seed.mask.indices)

    def _mask_name(self) -> str:
        if not isinstance(self._seed, MaskSeed):
            return ""
        if isinstance(self._seed.mask, FileMap):
            return Path(self._seed.mask.path).name
        return "drawn mask" if isinstance(self._seed.mask, Drawing) else ""

    def _show_columns(self) -> None:
        """Columns of the confounds file, once per file."""
        if self._draft.confounds == self._columns_of:
            return
        self._columns_of = self._draft.confounds
        if self._columns_of is None:
            self._panel.set_confounds(())
            return
        try:
            names = read_confounds(self._columns_of).names
        except Problem as problem:
            self._session.noticed.emit(Notice("error", str(problem)))
            self._draft = replace(self._draft, confounds=None, columns=())
            self._columns_of = None
            self._panel.set_confounds(())
            return
        self._panel.set_confounds(names, offered_strategies(names))

    # -- changes

    def _change(self, settings: SeedSettings, what: str) -> None:
        before, self._settings = self._settings, settings
        if settings.run is not None and 0 <= settings.run < len(self._runs):
            self._run = self._runs[settings.run]
        self._draft = replace(
            self._draft,
            drop=settings.drop,
            fwhm_mm=settings.fwhm_mm,
            detrend=settings.detrend,
            band_hz=settings.band_hz,
            columns=settings.columns,
            censor_fd_mm=settings.censor_fd_mm,
            confounds=self._draft.confounds if settings.confounds else None,
            brain=self._draft.brain if settings.brain else None,
        )
        overlay = self._overlay()
        if any(getattr(before, name) != getattr(settings, name) for name in LIVE_FIELDS):
            self._seed = self._seed_of(settings)
            self._awaited_kind = None if self._has_kind(settings.kind) else settings.kind
            if overlay is not None and isinstance(overlay.recipe, SeedCorrelation):
                recipe = replace(overlay.recipe, seed=self._seed, measure=settings.measure)
                self._session.update_overlay(replace(overlay, recipe=recipe), what, f"seed {what}")
        self._report()

    def _seed_of(self, settings: SeedSettings) -> Seed:
        if settings.kind in ("region", "mask"):
            return self._masks.get(settings.kind, self._seed)  # until one is chosen, the seed stays as it was
        radius = settings.radius_mm if settings.kind == "sphere" else 0.0
        if settings.follow:
            return CrosshairSeed(radius)
        return PointSeed(self._session.state.crosshair_mm, radius)

    def _has_kind(self, kind: SeedKind) -> bool:
        """Whether the seed is of that kind, not only wished to be."""
        return kind in ("voxel", "sphere") or kind in self._masks

    def _ask_mask(self) -> None:
        """The drawn mask that is selected becomes the seed; else a file is asked for."""
        chosen = self._session.state.overlay(self._session.state.selected)
        if chosen is not None and isinstance(chosen.recipe, Drawing):
            self._use_mask(MaskSeed(chosen.recipe))
            self.refresh()
        else:
            self.file_wanted.emit("mask")

    def take_file(self, what: str, path: str) -> None:
        """A file that the user chose for the seed's mask, the confounds or the brain."""
        if what == "mask":
            self._use_mask(MaskSeed(FileMap(path)))
        else:
            self._draft = replace(self._draft, **{what: path}, **({"columns": ()} if what == "confounds" else {}))
        self.refresh()

    def take_region(self, region: RegionMask) -> None:
        """A region that the user chose as seed."""
        self._use_mask(MaskSeed(region))
        self.refresh()

    def _use_mask(self, mask: MaskSeed) -> None:
        self._seed = self._masks[_kind_of(mask)] = mask
        self._awaited_kind = None
        overlay = self._overlay()
        if overlay is not None and isinstance(overlay.recipe, SeedCorrelation):
            recipe = replace(overlay.recipe, seed=mask)
            self._session.update_overlay(replace(overlay, recipe=recipe), "choose the seed")

    def prepare(self) -> None:
        """Make the seed map with the settings of the form: change the one there is, or add one."""
        if self._run is None:
            return
        recipe = SeedCorrelation(self._run, self._seed, self._draft, self._settings.measure)
        overlay = self._overlay()
        if overlay is not None and isinstance(overlay.recipe, SeedCorrelation):
            by_itself = overlay.name == _name_of(overlay.recipe.run)
            name = _name_of(self._run) if by_itself else overlay.name
            self._shown_for = (overlay.key, self._draft)
            self._session.update_overlay(replace(overlay, recipe=recipe, name=name), "prepare the run")
        else:
            state = self._session.state
            key = state.next_key()
            made = Overlay(key, recipe, _name_of(self._run), *_seed_look(self._settings.measure))
            self._shown_for = (key, self._draft)
            self._session.update("prepare the run", None, overlays=(*state.overlays, made), selected=key)
        question = PreparedRun(self._run, self._draft)
        if isinstance(self._session.results.get(question), Failure):
            self._session.retry(question)

    def _cancel(self) -> None:
        under_way = self._preparation_under_way()
        if under_way is not None:
            self._session.jobs.cancel(under_way)

    def keep(self) -> None:
        """A copy of the seed map that stays where it is."""
        overlay = self._overlay()
        state = self._session.state
        if overlay is None or not isinstance(overlay.recipe, SeedCorrelation):
            return
        fixed = concrete(overlay.recipe, state, self._session.results)
        key = state.next_key()
        copy = replace(overlay, key=key, recipe=fixed, name=self._name_of_fixed(fixed))
        beneath = state.overlays.index(overlay)
        overlays = (*state.overlays[:beneath], copy, *state.overlays[beneath:])
        self._session.update("keep the map", None, overlays=overlays)

    def _name_of_fixed(self, recipe: Recipe) -> str:
        """Name of a map whose seed does not move."""
        seed = recipe.seed if isinstance(recipe, SeedCorrelation) else None
        if isinstance(seed, PointSeed):
            return f"Seed at {in_words(seed.at_mm)}"
        return f"Seed {self._region_name() or self._mask_name()}"

    def add_significance(self) -> None:
        """-log10 p of the seed map at the crosshair, as a layer of its own."""
        overlay = self._overlay()
        if overlay is None or not isinstance(overlay.recipe, SeedCorrelation):
            return
        state = self._session.state
        fixed = concrete(overlay.recipe, state, self._session.results)
        if not isinstance(fixed, SeedCorrelation):
            return
        recipe = replace(fixed, measure="p")
        key = state.next_key()
        made = Overlay(key, recipe, f"p of {overlay.name}", Colours("viridis", 1.3, 6.0), Threshold(3.0), 0.9)
        self._session.update("add p-values", None, overlays=(*state.overlays, made), selected=key)

    # -- what it costs

    def _report(self) -> None:
        """Say what the preparation costs in degrees of freedom; computed off the interface thread."""
        run, draft = self._run, self._draft
        answer = None if run is None else self._session.answer(run)
        if run is None or answer is None or self._reported == (run, draft):
            return
        self._reported = (run, draft)
        path = run.path
        self._session.jobs.live(REPORT, lambda _: cost_of(path, answer, draft))

    def _tell_report(self) -> None:
        """The cost of the preparation and, while a map of p is selected, how its p-values came about."""
        text, ok = self._cost
        state = self._session.state
        chosen = state.overlay(state.selected)
        if chosen is not None and isinstance(chosen.recipe, SeedCorrelation) and chosen.recipe.measure == "p":
            answer = self._session.answer(chosen.recipe)
            found = () if answer is None else answer.findings
            tests = [finding.message for finding in found if finding.code == "effective-df"]
            text = "\n".join([text, *(f"p-values: {test} Not corrected for the number of voxels." for test in tests)])
        self._panel.set_report(text, ok=ok)

    def _progress(self, key: object, title: str, fraction: float) -> None:
        del title
        if isinstance(key, PreparedRun) and key.run == self._run:
            self._panel.set_progress(fraction)

    def _finished(self, key: object, result: object) -> None:
        if key == REPORT and isinstance(result, tuple):
            self._cost = result
            self._tell_report()
        elif isinstance(key, PreparedRun):
            self._panel.set_progress(None)


def _kind_of(seed: MaskSeed) -> Literal["region", "mask"]:
    return "region" if isinstance(seed.mask, RegionMask) else "mask"


def _is_seed_map(overlay: Overlay) -> bool:
    """Whether a layer is a map of correlations that the form can change."""
    return isinstance(overlay.recipe, SeedCorrelation) and overlay.recipe.measure != "p"


def is_run(answer: Answer) -> bool:
    """Whether an image is a series that correlations make sense for."""
    return answer.image is not None and answer.image.kind != "rgb" and answer.n_frames >= 8 and not answer.is_labels


def cost_of(path: str, answer: Answer, preparation: Preparation) -> tuple[str, bool]:
    """A sentence on what a preparation costs, and whether it can be done."""
    try:
        nuisance, _ = nuisance_of(path, answer, preparation)
        what = design(nuisance)
    except CannotCompute as refused:
        return f"{refused.what}; {refused.todo}.", False
    except Problem as problem:
        return f"{problem.what}; {problem.todo}.", False
    volumes = len(what.kept)
    censored = int((~what.kept).sum())
    text = f"{volumes} volumes, {what.rank} degrees of freedom removed, {what.residual_df} remain."
    return text + (f" {censored} volumes censored." if censored else ""), True


def offered_strategies(names: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """FMRIPrep's strategies that the table has all columns for."""
    offered: list[tuple[str, tuple[str, ...]]] = []
    for name in STRATEGIES:
        try:
            offered.append((name, confounds_of(name, names)))
        except CannotCompute:
            continue
    return offered


def _name_of(run: FileMap) -> str:
    """Name that a seed map gets by itself."""
    return f"Seed correlation, {_title(run)}"


def _title(run: FileMap) -> str:
    return Path(run.path).name.removesuffix(".gz").removesuffix(".nii")


def _seed_look(measure: str) -> tuple[Colours, Threshold]:
    top = 0.8 if measure == "r" else 1.1
    return Colours("warm", 0.3, top, "cool", 0.3, top), Threshold(0.3, 0.3)
