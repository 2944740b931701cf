"""The asking panel: from what is chosen to a question, planned while it is chosen, and shown as a map when asked."""

from __future__ import annotations

from dataclasses import replace as with_fields
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from PySide6.QtCore import QObject, QTimer, Signal

from ...widgets.ask_form import AskForm
from ...widgets.ask_settings import AskOffer, AskSettings
from ..problems import Problem
from ..session import Notice, Session
from ..study.values import Choices
from .ask_answers import Answers
from .connectivity_data import atlases
from .study_open import OpenStudy

if TYPE_CHECKING:
    from ..study.loaded import Loaded
    from .ask_layers import Masks
    from .ask_plan import Planned

OFFER, PLAN, MASKS, BOX = "ask offer", "ask plan", "ask masks", "ask box"
PLAN_MS = 150  # after which what was chosen is planned


class AskControl(QObject):
    """Binds an `AskForm` to the study of a window.

    Signals
    -------
    results_wanted
        A question was asked: its answer is to be seen.
    """

    results_wanted = Signal()

    def __init__(self, session: Session, opened: OpenStudy, form: AskForm, answers: Answers) -> None:
        super().__init__(form)
        self._session, self._opened, self._form, self._answers = session, opened, form, answers
        self._loaded: Loaded | None = None
        self._offer = AskOffer()
        self._kept = Choices()
        self._settings = AskSettings()
        self._planned: Planned | None = None
        self._due = False
        self._made: dict[str, frozenset[int]] = {}
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._plan)
        form.changed.connect(self._change)
        form.ask_requested.connect(self.ask)
        form.cancel_requested.connect(self.cancel)
        form.file_dropped.connect(self.take_file)
        opened.changed.connect(self._show_study)
        answers.changed.connect(self._show_progress)
        answers.answered.connect(self._show_more_layers)
        session.jobs.finished.connect(self._take_plan)
        self._show_study()

    def refresh(self) -> None:
        """The form follows the study, not the view."""

    @property
    def settings(self) -> AskSettings:
        """What the form says."""
        return self._settings

    @property
    def planned(self) -> Planned | None:
        """What it comes to; None while that is not known."""
        found = self._planned
        return found if found is not None and found.settings == self._settings else None

    # -- the study

    def _show_study(self) -> None:
        loaded = self._opened.loaded
        if loaded is self._loaded:
            return
        is_same = loaded is not None and self._loaded is not None and loaded.study is self._loaded.study
        self._loaded, self._planned = loaded, None
        if not is_same:
            self._made.clear()
            self._answers.forget()
            self._settings = AskSettings()
        elif self._opened.is_blinded:
            self._settings = with_fields(self._settings, arm="pooled", first="", last="", covariates=None)
        self._set_offer(AskOffer())  # until it is known again, in names that may be seen
        if loaded is not None:
            known = tuple((info.id, info.title) for info in atlases(self._session))
            title = self.tr("Looking at what can be asked")
            self._session.start(OFFER, title, lambda _: _look(loaded, known), partial(self._take_offer, loaded))

    def _take_offer(self, loaded: Loaded, found: tuple[AskOffer, Choices]) -> None:
        from .ask_question import first_settings  # noqa: PLC0415 - pandas

        if loaded is not self._loaded:
            return
        offer, self._kept = found
        if not self._settings.kind:
            self._settings = first_settings(offer, self._kept)
        self._set_offer(offer)
        self._soon.start(0)

    def _set_offer(self, offer: AskOffer) -> None:
        from ...widgets.ask_settings import AskPlan  # noqa: PLC0415

        self._offer = offer
        self._form.set_offer(offer)
        self._form.set_settings(self._settings)
        self._form.set_plan(AskPlan())

    # -- while it is chosen

    def _change(self, settings: AskSettings) -> None:
        self._settings = settings
        self._soon.start(PLAN_MS)

    def choose(self, settings: AskSettings) -> None:
        """Take settings from elsewhere."""
        self._settings = settings
        self._form.set_settings(settings)
        self._soon.start(0)

    def take_file(self, field: str, path: str) -> None:
        """A file that the user chose: ``mask`` or ``grid``."""
        self.choose(with_fields(self._settings, **{field: path}))

    def _plan(self) -> None:
        loaded, settings, kept = self._loaded, self._settings, self._kept
        if loaded is None or not self._offer.questions:
            return
        why = {kind: why for kind, _, why in self._offer.questions}.get(settings.kind, "")

        def work(_: object) -> Any:
            return _planned(loaded, settings, kept, why)

        self._session.jobs.live(PLAN, work)

    def _take_plan(self, key: object, found: Any) -> None:
        if key != PLAN or found[0] is not self._loaded:
            return
        made: Planned = found[1]
        if made.settings != self._settings:
            return  # a newer one is on its way
        if made.plan is not None:
            self._settings = with_fields(self._settings, score=self._settings.score or made.plan.ask.score)
            self._form.set_settings(self._settings, made.plan.ask.measure or "")
        self._planned = with_fields(made, settings=self._settings)
        self._form.set_plan(made.shown)
        self._show_progress()
        if self._due:
            self._due = False
            self.ask()

    # -- asking

    def ask(self) -> None:
        """Show the map of the question, and answer it."""
        from .ask_layers import recipes_of  # noqa: PLC0415 - pandas

        found, loaded = self.planned, self._loaded
        if found is None:
            self._due = True
            self._soon.start(0)
            return
        if found.plan is None or loaded is None:
            return
        self._keep_choices()
        recipes = recipes_of(found)
        if recipes:
            self._show_maps(found, loaded)
        if found.plan.ask.kind == "crossover":
            self._show_box(loaded)
        for recipe in recipes:
            self._try_again(recipe)
        self._answers.ask(found, loaded.study)
        self.results_wanted.emit()

    def cancel(self) -> None:
        """Stop answering."""
        self._answers.cancel()
        self._answers.changed.emit()

    def _try_again(self, recipe: Any) -> None:
        from ..questions import ModelFit  # noqa: PLC0415
        from ..resolve import Failure, permutations_of  # noqa: PLC0415

        for question in (ModelFit(recipe.model, recipe.inference.one_sided), permutations_of(recipe)):
            if isinstance(self._session.results.get(question), Failure):
                self._session.retry(question)

    def _keep_choices(self) -> None:
        from ..study.kept import keep_choices  # noqa: PLC0415
        from .ask_question import choices_of  # noqa: PLC0415

        wanted = choices_of(self._settings, self._kept)
        if self._loaded is None or wanted == self._kept:
            return
        try:
            keep_choices(self._loaded.study, wanted)
            self._kept = wanted
        except Problem as problem:
            self._session.noticed.emit(Notice("warning", str(problem)))

    def _show_maps(self, found: Planned, loaded: Loaded) -> None:
        from .ask_layers import names_of, with_question  # noqa: PLC0415

        if found.plan is None:
            return
        kind, before = found.plan.ask.kind, self._opened.taken_down(self._session.state)  # on a wall it is in no cell
        others = frozenset[int]().union(*(keys for name, keys in self._made.items() if name != kind))
        base = replace(
            before,
            overlays=tuple(replace(each, visible=False) if each.key in others else each for each in before.overlays),
        )
        names = tuple(map(self._opened.shown_text, names_of(found)))
        after = with_question(base, found, loaded.study, names, self._made.get(kind, frozenset()))
        self._remember(kind, before, after)
        self._session.store.update(after, self.tr("ask the study"))

    def _remember(self, kind: str, before: Any, after: Any) -> None:
        """Which layers are of a question: those that came, but not the anatomy below them."""
        from ..resolve import is_underlay  # noqa: PLC0415

        known = {overlay.key for overlay in before.overlays} - self._made.get(kind, frozenset())
        self._made[kind] = frozenset(
            each.key for each in after.overlays if each.key not in known and not is_underlay(each)
        )

    def _show_box(self, loaded: Loaded) -> None:
        from .ask_layers import with_box, write_box  # noqa: PLC0415

        scan = next((each for each in loaded.study.scans if each.kind == "mrs" and each.shape), None)
        if scan is None:
            return
        name = self.tr("voxel of the spectra")

        def show(found: Any) -> None:
            path, at_mm = found
            self._session.store.update(with_box(self._session.state, path, at_mm, loaded.study, name), name)

        self._session.start(BOX, self.tr("Placing the voxel"), lambda _: write_box(scan, loaded.study), show)

    def _show_more_layers(self, answered: Any) -> None:
        """The masks of an overlap, once they are known."""
        from .ask_layers import with_masks, write_masks  # noqa: PLC0415

        loaded = self._loaded
        if answered.plan.ask.kind != "overlap" or loaded is None:
            return

        def show(masks: Masks) -> None:
            before = self._session.state
            earlier = self._made.get(MASKS, frozenset())
            after = with_masks(before, masks, earlier, self._made.get("overlap", frozenset()))
            self._remember(MASKS, before, after)
            self._session.store.update(after, self.tr("show the overlap"))

        self._session.start(MASKS, self.tr("Drawing the overlap"), lambda _: write_masks(answered, loaded.study), show)

    # -- progress

    def _show_progress(self) -> None:
        answers = self._answers
        self._form.set_progress(answers.progress)
        self._form.set_report(answers.problem, ok=not answers.problem)


def _look(loaded: Loaded, known: tuple[tuple[str, str], ...]) -> tuple[AskOffer, Choices]:
    from ..study.kept import choices_of  # noqa: PLC0415
    from .ask_question import offer_of  # noqa: PLC0415 - pandas, formulaic

    return offer_of(loaded.study, known, loaded.blinding), choices_of(loaded.study)


def _planned(loaded: Loaded, settings: AskSettings, kept: Choices, why: str) -> tuple[Loaded, Planned]:
    from ...widgets.ask_settings import AskPlan  # noqa: PLC0415
    from .ask_plan import Planned, fault_of, planned  # noqa: PLC0415 - pandas, formulaic
    from .ask_question import ask_of  # noqa: PLC0415

    if why:
        return loaded, Planned(settings, None, AskPlan(problem=f"This study {why}."))
    names = {} if loaded.blinding is None else {code: name for name, code in loaded.blinding.codes.items()}
    made = planned(loaded.study, settings, ask_of(loaded.study, settings, kept, names), loaded.blinding)
    fault = "" if made.plan is None else fault_of(settings, made.plan)
    return loaded, Planned(settings, None, AskPlan(problem=fault)) if fault else made
