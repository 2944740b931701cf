"""Answers of a window: asked stage by stage behind the maps that are shown at once, and kept while it is open."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from ..models import TABLE
from ..problems import Problem
from ..questions import ModelFit, Question
from ..recipes import ModelMap
from ..resolve import Failure, permutations_of
from ..session import Session
from .ask_layers import recipes_of
from .model import STOPPED

if TYPE_CHECKING:
    from ..study.answers import Answered, Plan
    from ..study.values import Study
    from .ask_plan import Planned

Report = Callable[[float], None]
JOB = "answer"
MOST_KEPT = 8


@dataclass(frozen=True, eq=False)
class Stage:
    """A part of an answer.

    Attributes
    ----------
    after : tuple of Question
        What the layers compute, so that nothing is computed twice.
    work : callable
        Of what is answered so far and a report.
    so_far : bool
        More comes.
    """

    after: tuple[Question, ...]
    work: Callable[[Any, Report], Any]
    so_far: bool = False


@dataclass(frozen=True, eq=False)
class Asked:
    """A question that was asked of a study."""

    plan: Plan
    study: Study
    recipes: tuple[ModelMap, ...]

    @property
    def key(self) -> object:
        """What an answer is kept under."""
        return self.plan.ask


class Answers(QObject):
    """The question that was asked last, its answer so far, and those before.

    Signals
    -------
    changed
        Another question, more of an answer, or none.
    answered : (Answered)
        All of it.
    """

    changed = Signal()
    answered = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._kept: OrderedDict[object, tuple[Answered, bytes]] = OrderedDict()
        self._stages: list[Stage] = []
        self.asked: Asked | None = None
        self.found: Answered | None = None
        self.picture = b""
        self.so_far = False
        self.problem = ""
        self.progress: float | None = None
        session.changed.connect(self._go_on)
        session.jobs.progressed.connect(self._progressed)
        session.jobs.failed.connect(self._failed)
        session.jobs.cancelled.connect(self._cancelled)

    # -- asking

    def ask(self, planned: Planned, study: Study) -> None:
        """Answer a planned question; at once where it was answered before."""
        if planned.plan is None:
            return
        self.cancel()
        self.asked = Asked(planned.plan, study, recipes_of(planned))
        self.problem, self.so_far = "", False
        self.found, self.picture = self._kept.get(self.asked.key, (None, b""))
        if self.found is None:
            self._stages = stages_of(self.asked)
            self.progress = 0.0
            self._go_on()
        else:
            self.answered.emit(self.found)
        self.changed.emit()

    def forget(self) -> None:
        """There is no study any more."""
        self.cancel()
        self.asked = self.found = None
        self.picture = b""
        self.problem = ""
        self.changed.emit()

    def cancel(self) -> None:
        """Stop; what is answered so far stays."""
        self._stages, self.progress = [], None
        self._session.jobs.cancel(JOB)

    def replace(self, found: Answered, picture: bytes) -> None:
        """More was asked of the same question; with a picture of it."""
        if self.asked is not None:
            self.found, self.picture = found, picture
            self._keep(found)
            self.changed.emit()

    def _go_on(self) -> None:
        """Begin the next stage once the layers have what it stands on."""
        if not self._stages or self.asked is None or self._session.jobs.busy(JOB):
            return
        stage = self._stages[0]
        for question in stage.after:
            answer = self._session.results.get(question)
            if answer is None and self._is_asked(question):
                return
            if isinstance(answer, Failure):
                if answer.problem.what != STOPPED:
                    self._refuse(answer.problem)
                elif self.progress is not None:
                    self.progress = None
                    self.changed.emit()
                return  # stopped by the user, who may go on with it
        found = self.found
        title = self.tr("Answering: {question}").format(question=self.asked.plan.title)
        self._session.start(JOB, title, lambda report: stage.work(found, report), self._take)

    def _is_asked(self, question: Question) -> bool:
        """Whether a layer still asks for it."""
        model = getattr(question, "model", None)
        overlays = self._session.state.overlays
        return any(isinstance(each.recipe, ModelMap) and each.recipe.model == model for each in overlays)

    def _take(self, found: Answered) -> None:
        if not self._stages or self.asked is None:
            return
        stage = self._stages.pop(0)
        self.found, self.so_far = found, stage.so_far
        if not self._stages:
            self.progress, self.so_far = None, False
            self._keep(found)
            self.answered.emit(found)
        self.changed.emit()
        self._go_on()

    def _keep(self, found: Answered) -> None:
        if self.asked is not None:
            self._kept[self.asked.key] = (found, self.picture)
            self._kept.move_to_end(self.asked.key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)

    def _refuse(self, problem: Problem) -> None:
        self._stages, self.progress = [], None
        self.problem = f"{problem.what[:1].upper()}{problem.what[1:]}; {problem.todo}."
        self.changed.emit()

    def _progressed(self, key: object, title: str, fraction: float) -> None:
        del title
        if not self._stages:
            return
        if key == JOB or key in self._stages[0].after:
            self.progress = fraction
            self.changed.emit()

    def _failed(self, key: object, error: object) -> None:
        if key == JOB and isinstance(error, Problem):
            self._refuse(error)

    def _cancelled(self, key: object) -> None:
        if key == JOB and self._stages:
            self._stages, self.progress = [], None
            self.changed.emit()


def stages_of(asked: Asked) -> list[Stage]:
    """What an answer is made of, in order."""
    plan, recipes = asked.plan, asked.recipes
    fits = tuple(ModelFit(each.model, each.inference.one_sided) for each in recipes)
    counts = tuple(permutations_of(each) for each in recipes if each.inference.permutations)
    match plan.ask.kind:
        case "crossover":
            return [Stage((), lambda _, report: _crossover(asked, report))]
        case "graph":
            return [
                Stage((), lambda _, report: _nodes(asked, report), so_far=True),
                Stage(counts or fits, _with_voxels),
            ]
        case "formula" if plan.models[0].data == TABLE:
            return [Stage((), lambda _, report: _answer(plan, report))]
        case _:
            whole = Stage((*fits, *counts), lambda _, report: _answer(plan, report))
            return [Stage(fits, lambda _, report: _at_once(plan, report), so_far=True), whole] if counts else [whole]


def _answer(plan: Plan, report: Report) -> Answered:
    from ..study.answering import answer  # noqa: PLC0415 - compiled kernels

    return answer(plan, report)


def _at_once(plan: Plan, report: Report) -> Answered:
    """Without permutations of voxels, which the layer counts meanwhile."""
    from dataclasses import replace as with_fields  # noqa: PLC0415

    plain = replace(plan.ask.inference, permutations=0, correction="none")
    return _answer(with_fields(plan, ask=replace(plan.ask, inference=plain)), report)


def _crossover(asked: Asked, report: Report) -> Answered:
    from ..study.crossover_question import answer_study  # noqa: PLC0415
    from ..study.spectra import limits_of  # noqa: PLC0415

    return answer_study(asked.study, asked.plan, limits_of(asked.plan.ask.quality), report)


def _nodes(asked: Asked, report: Report) -> Answered:
    from ..study.graph_questions import nodes_answered  # noqa: PLC0415

    return nodes_answered(asked.study, asked.plan, report)


def _with_voxels(found: Answered, report: Report) -> Answered:
    from ..study.graph_questions import with_voxels  # noqa: PLC0415

    return with_voxels(found, report)
