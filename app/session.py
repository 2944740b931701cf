"""The loop of the program: a change of the view, what it needs, the jobs that answer, the picture again."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, NamedTuple

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal, Slot

from .answers import Answer
from .atlas import Atlas, AtlasInfo, Region
from .compute import atlas_answer, compute, model_permutations, open_atlas
from .io.atlases import atlas_ids
from .io.memory import DoesNotFit
from .jobs import Jobs
from .opening import Opened, open_path
from .problems import Finding, Problem
from .questions import (
    AtlasData,
    CortexData,
    ModelFit,
    ModelPermutations,
    Question,
)
from .recipes import (
    AtlasLabels,
    FileMap,
    ModelMap,
    Point,
    Recipe,
    label_file,
)
from .resolve import Failure, asked, concrete, counts_of, helpful_to, missing, permutations_of, stands_on
from .results import Results
from .scenes import Scenes, Shown, has_surface
from .state import Layout, Overlay, ViewState
from .store import Store
from .study.loaded import Loaded
from .titles import family_of, name_of, title_of
from .view_changes import shown_as_atlas, with_layer, without_other_tables
from .wall import on_one_scale

Level = Literal["info", "warning", "error"]
LIVE = "live"
DEFECT = Failure(Problem("Habena", "failed by a defect", "please report it"))
UNUSED_BYTES = 600_000_000  # of answers that nothing shows any more: undo and stepping back are instant
# Said by `habena info` and "About this file", but no reason to greet anyone with a warning: millimetres and MNI
# coordinates without a variant are what most files mean. Labels without names are told with a way to name them.
QUIET = frozenset({"units-missing", "space-unconfirmed", "flattened", "reader-note", "labels-nameless"})


class Notice(NamedTuple):
    """Something to tell the user, with what can be done about it.

    ``actions`` are pairs of a button's text and what it does.
    """

    level: Level
    text: str
    actions: tuple[tuple[str, Callable[[], None]], ...] = ()


class OwnAtlas(NamedTuple):
    """A label image of the user's that has been opened as an atlas."""

    info: AtlasInfo
    regions: tuple[Region, ...]


class Session(QObject):
    """What one window works on. All methods belong to the interface thread.

    Parameters
    ----------
    state : ViewState or None
        What to show first.
    slices_only : bool
        Until `ask_for_all`, nothing is asked for but what slices need.

    Signals
    -------
    changed
        Something to draw is new: the view or an answer.
    noticed : Notice
    opened : Opened
        A path has been opened and taken in.
    atlas_opened : Atlas
        A label image of the user's has been opened as an atlas.
    """

    changed = Signal()
    noticed = Signal(object)
    opened = Signal(object)
    atlas_opened = Signal(object)
    _came_so_far = Signal(object, object)

    def __init__(
        self, state: ViewState | None = None, parent: QObject | None = None, *, slices_only: bool = False
    ) -> None:
        super().__init__(parent)
        self.results = Results(UNUSED_BYTES, on_drop=_close)
        self.jobs = Jobs(self)
        self.scenes = Scenes(self.results)
        self.store = Store(state or ViewState(), self._on_view, on_one_scale)
        self._last: dict[int, tuple[object, Answer]] = {}
        self._awaited: frozenset[Question] = frozenset()
        self._counting: set[ModelPermutations] = set()  # for layers
        self._left: set[object] = set()  # permutations of no layer any more that have yet to stop
        self._loading: dict[object, Callable[[Any], None]] = {}
        self._together: list[list[object]] = []
        self._early: dict[object, Opened] = {}
        self._slices_only = slices_only
        self._discard: list[Callable[[], None]] = []
        self.own_atlases: dict[str, OwnAtlas] = {}
        self.studies: dict[str, Loaded] = {}
        self.shown_text: Callable[[str], str] = str  # a text without whom the open study hides
        self.jobs.finished.connect(self._on_finished)
        self.jobs.failed.connect(self._on_failed)
        self.jobs.cancelled.connect(self._on_cancelled)
        self._came_so_far.connect(self._on_part)
        self._resolve()

    @property
    def state(self) -> ViewState:
        """The current view."""
        return self.store.state

    @property
    def waits_for_live(self) -> bool:
        """Whether a map that follows the crosshair is on its way."""
        return bool(self._awaited)

    def update(self, what: str, merge: str | None = None, **changes: object) -> None:
        """Change fields of the view; see `Store.update`."""
        self.store.update(replace(self.state, **changes), what, merge)

    def update_overlay(self, changed: Overlay, what: str, merge: str | None = None) -> None:
        """Change one layer."""
        self.store.update(self.state.with_overlay(changed), what, merge)

    def move_crosshair(self, to_mm: Point, merge: str | None = "crosshair") -> None:
        """Move the crosshair; moves that follow one another are one step until `Store.settle`."""
        x, y, z = (round(float(v), 3) for v in to_mm)
        self.update("move the crosshair", merge, crosshair_mm=(x, y, z))

    def ask_for_all(self) -> None:
        """Ask for surfaces and atlases too, which would have kept the first picture waiting."""
        self._slices_only = False
        self._resolve()

    def answer(self, recipe: Recipe) -> Answer | None:
        """The answer to a recipe at the crosshair, None while unknown or when there is none."""
        answer = self.results.get(concrete(recipe, self.state, self.results))
        return answer if isinstance(answer, Answer) else None

    def failure(self, recipe: Recipe) -> Problem | None:
        """Why a recipe has no answer."""
        answer = self.results.get(concrete(recipe, self.state, self.results))
        return answer.problem if isinstance(answer, Failure) else None

    def shown(self) -> tuple[Shown, ...]:
        """Layers with the answers they show; while a new answer is on its way, the last one of the same kind."""
        shown: list[Shown] = []
        for overlay in self.state.overlays:
            answer = self.answer(overlay.recipe)
            family = family_of(overlay.recipe)
            if answer is not None:
                self._last[overlay.key] = (family, answer)
            elif self.failure(overlay.recipe) is None:
                kept = self._last.get(overlay.key)
                answer = kept[1] if kept is not None and kept[0] == family else None
            if answer is not None:
                other = None if overlay.modulation is None else self.answer(overlay.modulation.by)
                shown.append(Shown(overlay, answer, other))
        return tuple(shown)

    # -- opening

    def open(self, *paths: str) -> None:
        """Open paths in the background, layers in this order; `opened` or `noticed` tells what came of each."""
        cortex = CortexData(self.state.surface.cortex)
        self._together.append([("open", path) for path in paths])
        for path in paths:
            work = partial(open_path, path, cortex=cortex)
            self.start(("open", path), f"Opening {name_of(path)}", work, partial(self._take_in_turn, ("open", path)))

    def _take_in_turn(self, key: object, opened: Opened) -> None:
        self._early[key] = opened
        self._take_next()

    def _take_next(self) -> None:
        """Take in what was opened, of each call up to the first path that is still on its way."""
        for keys in self._together:
            while keys and keys[0] not in self._loading:  # it is here, or failed
                opened = self._early.pop(keys.pop(0), None)
                if opened is not None:
                    self._take(opened)
        self._together = [keys for keys in self._together if keys]

    def start(
        self, key: object, title: str, work: Callable[[Callable[[float], None]], Any], then: Callable[[Any], None]
    ) -> None:
        """Run long work and hand its result to a function on the interface thread."""
        self._loading[key] = then
        self.jobs.long(key, title, work, outlives=isinstance(key, tuple) and key[0] == "save")

    def _take(self, opened: Opened) -> None:
        state = opened.view or self.state
        if opened.study is not None:  # before anything of it is shown: names may be hidden
            self.studies[opened.path if opened.view is None else str(state.study)] = opened.study
        for recipe, answer in opened.layers:
            self.results.put(recipe, answer)
            state = with_layer(state, recipe, answer)
        if opened.discard is not None:
            self._discard.append(opened.discard)
        if opened.cortex is not None:
            state = replace(state, surface=replace(state.surface, cortex=opened.cortex.path))
        if opened.cortex is not None or any(answer.cortex for _, answer in opened.layers):
            state = replace(state, layout=self._layout_with_surface(state))
        self.store.update(state, "open")
        for problem in opened.problems:
            self.noticed.emit(Notice("error", str(problem)))
        for finding in opened.findings:
            self.noticed.emit(Notice("info", finding.message))
        for recipe, answer in opened.layers:
            self._tell(answer.findings)
            self.load_rest(recipe, answer)
        self.opened.emit(opened)

    def _layout_with_surface(self, state: ViewState) -> Layout:
        """The layout that shows the cortex too; slices only where there is something to see on them."""
        answers = [self.results.get(overlay.recipe) for overlay in state.overlays]
        if not any(isinstance(answer, Answer) and answer.image is not None for answer in answers):
            return "surface"
        return state.layout if has_surface(state.layout) else "ortho+surface"

    def open_atlas(self, atlas: str) -> None:
        """Open a label image of the user's as an atlas: its regions are named, found and shown; see `label_file`."""
        title = f"Opening {name_of(label_file(atlas)[0])}"
        self.start(("open", atlas), title, lambda _: open_atlas(atlas), self._take_atlas)

    def _take_atlas(self, atlas: Atlas) -> None:
        recipe, answer = AtlasLabels(atlas.info.id), atlas_answer(atlas)
        self.results.put(AtlasData(atlas.info.id), atlas)
        self.results.put(recipe, answer)
        self._know(atlas)
        state = shown_as_atlas(without_other_tables(self.state, atlas.info.id), recipe, answer)
        if not any(overlay.recipe == recipe for overlay in state.overlays):
            state = with_layer(state, recipe, answer)
        self.store.update(replace(state, atlases=(*state.atlases, atlas.info.id)), "open atlas")
        self._tell(atlas.findings)
        self.atlas_opened.emit(atlas)

    def _know(self, atlas: Atlas) -> None:
        """Offer an atlas of the user's wherever atlases are chosen, with the table of names that it has now."""
        if atlas.info.id in atlas_ids():
            return
        image = label_file(atlas.info.id)[0]
        self.own_atlases = {name: own for name, own in self.own_atlases.items() if label_file(name)[0] != image}
        self.own_atlases[atlas.info.id] = OwnAtlas(atlas.info, atlas.regions)

    def _tell(self, findings: tuple[Finding, ...]) -> None:
        for finding in findings:
            if finding.code in QUIET:
                continue
            self.noticed.emit(Notice("warning", f"{name_of(finding.where)}: {finding.message}"))

    def load_rest(self, recipe: FileMap, answer: Answer) -> None:
        """Unpack the other frames of a compressed series in the background."""
        if answer.rest is not None:
            title = f"Loading {name_of(recipe.path)}"
            self.start(("load", recipe), title, answer.rest, lambda _: self._on_view(self.state))

    # -- the loop

    def _on_view(self, state: ViewState) -> None:
        del state
        self._resolve()
        self.changed.emit()

    def _resolve(self) -> None:
        with_surface = has_surface(self.state.layout) and not self._slices_only
        self.results.use(frozenset(asked(self.state, self.results, with_surface=with_surface)))
        self._leave_permutations()
        live: list[Question] = []
        for needed in missing(self.state, self.results, with_surface=with_surface, with_atlases=not self._slices_only):
            if self._fails_with(needed.question):
                continue
            if needed.live:
                live.append(needed.question)
            elif all(below in self.results for below in stands_on(needed.question)):
                self._start(needed.question)
                if isinstance(needed.question, ModelPermutations):
                    self._counting.add(needed.question)
        if self._awaited == frozenset(live):
            return  # they are on their way, or there is none
        self._awaited = frozenset(live)
        if live:
            works = [(question, self._known(question)) for question in live]
            self.jobs.live(LIVE, lambda _: [(question, _attempt(question, known)) for question, known in works])

    def _leave_permutations(self) -> None:
        """Stop counting for models that no layer shows any more; what is counted stays, for when one does again."""
        recipes = [overlay.recipe for overlay in self.state.overlays]
        shown = {(recipe.model, recipe.inference) for recipe in recipes if isinstance(recipe, ModelMap)}
        for question in [each for each in self._counting if (each.model, each.inference) not in shown]:
            self._counting.discard(question)
            if self.jobs.busy(question):
                self._left.add(question)
                self.jobs.cancel(question)

    def _fails_with(self, question: Question) -> bool:
        """Pass the failure of a foundation on."""
        for below in stands_on(question):
            answer = self.results.get(below)
            if isinstance(answer, Failure):
                self.results.put(question, answer)
                return True
        return False

    def _known(self, question: Question) -> Callable[[Question], Any]:
        """Earlier answers that a question may use, safe to read in another thread."""
        return {below: self.results.get(below) for below in helpful_to(question)}.get

    def _start(self, question: Question) -> None:
        if not self.jobs.busy(question):
            known = self._known(question)
            if isinstance(question, ModelPermutations):
                show = partial(self._came_so_far.emit, question)
                work = partial(model_permutations, question, known, show=show)
            else:
                work = partial(compute, question, known)
            self.jobs.long(question, title_of(question), work)

    @Slot(object, object)
    def _on_part(self, question: ModelPermutations, so_far: Any) -> None:
        """Permutations have come in: maps that show them are made anew."""
        if self.jobs.busy(question):
            self._keep_permutations(question, so_far)
            self._resolve()
            self.changed.emit()

    def _keep_permutations(self, question: ModelPermutations, so_far: Any) -> None:
        self.results.put(counts_of(question), so_far)
        for overlay in self.state.overlays:
            if isinstance(overlay.recipe, ModelMap) and permutations_of(overlay.recipe) == question:
                self.results.forget(overlay.recipe)

    def _on_finished(self, key: object, result: Any) -> None:
        defects: list[Exception] = []
        self._left.discard(key)
        if key == LIVE:
            for question, answer in result:
                if isinstance(answer, Exception):
                    defects.append(answer)
                    answer = DEFECT  # noqa: PLW2901 - what is kept of it
                self.results.put(question, answer)
            self._awaited = self._awaited - {question for question, _ in result}
        elif key in self._loading:
            self._loading.pop(key)(result)
            return
        elif not isinstance(key, Question):
            return  # a panel's own work, which it takes itself
        else:
            self.results.put(key, result)
            if isinstance(key, ModelPermutations):
                self._keep_permutations(key, result)
            if isinstance(result, Atlas):
                self._know(result)
            if isinstance(result, Answer) and isinstance(key, FileMap):
                self._tell(result.findings)
                self.load_rest(key, result)
        self._resolve()
        self.changed.emit()
        for defect in defects:
            raise defect  # to the excepthook, which shows it; the session goes on

    def _on_failed(self, key: object, error: Exception) -> None:
        self._loading.pop(key, None)
        self._left.discard(key)
        if not isinstance(error, Problem):
            self._take_next()
            if isinstance(key, Question):  # asked again it would fail again, for ever
                self.results.put(key, DEFECT)
            raise error  # to the excepthook, which shows it; the session goes on
        actions: tuple[tuple[str, Callable[[], None]], ...] = ()
        if isinstance(key, Question):
            self.results.put(key, Failure(error))
            actions = ((self.tr("Try again"), lambda: self.retry(key)),)
        if isinstance(error, DoesNotFit) and isinstance(key, tuple) and key[0] == "load":
            recipe = key[1]
            actions = ((self.tr("Unpack to disk"), lambda: self.unpack_to_disk(recipe)),)
        if not isinstance(key, ModelFit | ModelPermutations):  # the model's panels say it
            self.noticed.emit(Notice("error", str(error), actions))
        self._take_next()
        self._resolve()
        self.changed.emit()

    def unpack_to_disk(self, recipe: FileMap) -> None:
        """Read a series that does not fit into memory from a temporary file."""
        from .settings import cache_folder  # noqa: PLC0415

        answer = self.results.get(recipe)
        spill = getattr(answer.image, "spill", None) if isinstance(answer, Answer) else None
        if spill is not None:
            folder = cache_folder()
            title = f"Unpacking {name_of(recipe.path)}"
            self.start(
                ("load", recipe), title, lambda report: spill(folder, report), lambda _: self._on_view(self.state)
            )

    def _on_cancelled(self, key: object) -> None:
        if key in self._left:
            self._left.discard(key)  # by nobody's wish: asked for again it goes on
        elif self._loading.pop(key, None) is None and isinstance(key, Question):
            stopped = Problem(title_of(key), "was stopped", "change a setting or open it again to start it anew")
            self.results.put(key, Failure(stopped))
        self._take_next()
        self._resolve()
        self.changed.emit()

    @contextmanager
    def guarded(self) -> Generator[None]:
        """What reads files while it draws or shows: one that is gone or cut short fails its layer, not the rest."""
        try:
            yield
        except Problem as problem:
            self.lose(problem)

    def lose(self, problem: Problem) -> None:
        """A file that was open cannot be read any more: its layers have failed."""
        file = FileMap(problem.where)
        if isinstance(self.results.get(file), Answer):
            self.results.put(file, Failure(problem))
            self.changed.emit()
        self.noticed.emit(Notice("error", str(problem), ((self.tr("Try again"), lambda: self.retry(file)),)))

    def ask(self, question: Question) -> None:
        """Have a question answered whose foundations are at hand, unless it is already on its way."""
        if question not in self.results:
            self._start(question)

    def retry(self, question: Question) -> None:
        """Forget a failure, and those that came of it, and ask again."""
        self.results.forget(question)
        for failed in tuple(asked(self.state, self.results, with_surface=has_surface(self.state.layout))):
            if isinstance(self.results.get(failed), Failure):
                self.results.forget(failed)
        self._resolve()
        self.changed.emit()

    def snapshot(self) -> Results:
        """The answers that the view needs, for another thread: the session's own go on changing."""
        kept = Results(UNUSED_BYTES)
        needed = frozenset(asked(self.state, self.results, with_surface=has_surface(self.state.layout)))
        kept.use(needed)
        for question in needed:
            answer = self.results.get(question)
            if answer is not None:
                kept.put(question, answer)
        return kept

    def close(self) -> None:
        """Stop all work and give memory back."""
        self.jobs.close()
        self._last.clear()
        self.results.clear()
        for discard in self._discard:
            discard()
        self._discard.clear()


def _attempt(question: Question, known: Callable[[Question], Any]) -> Any:
    """An answer or why there is none; a defect in one is no reason to lose the others."""
    try:
        return compute(question, known)
    except Problem as problem:
        return Failure(problem)
    except Exception as defect:  # noqa: BLE001 - raised again where the answers arrive
        return defect


def _close(answer: Any) -> None:
    """Give back the memory and files of an answer that nobody shows any more."""
    image = getattr(answer, "image", None)
    close = getattr(image, "close", None)
    if close is not None:
        close()
