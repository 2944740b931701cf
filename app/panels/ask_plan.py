"""A question planned while it is written: the model in words, its design, what it can find, or why it is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...stats.errors import CannotCompute
from ...widgets.ask_settings import AskPlan, AskSettings
from ...widgets.model_design import DesignPicture
from ..problems import Problem
from ..study.answers import Plan
from ..study.asking import Ask
from ..study.blinding import ARM_COLUMNS
from ..study.people import arm_column
from ..study.planning import plan
from ..study.values import PERSON, SESSION, Study
from .model_question import in_words

if TYPE_CHECKING:
    from ...stats.design import LinearDesign
    from ..study.blinding import Blinding

BLINDED = (
    "This question compares arms or what came before with what came after, which are hidden while the study is "
    "blinded. Ask about severity or groups, or unblind the study."
)
NO_WINDOW = "Frames start before they end: give both minutes, such as 40 to 60, or none."
NOT_IN_FORMULA = "The voxelwise covariate {name} is not in the formula: write + {name} at its end, or choose none."
CHANGES = frozenset({"difference", "percent"})
COMPARING = frozenset({"change", "overlap", "prediction", "graph", "crossover"})


@dataclass(frozen=True, eq=False)
class Planned:
    """What a form comes to.

    Attributes
    ----------
    settings : AskSettings
    plan : Plan or None
        None where it is refused.
    shown : AskPlan
    df : (float, float)
        Degrees of freedom of its test.
    is_f : bool
    """

    settings: AskSettings
    plan: Plan | None
    shown: AskPlan
    df: tuple[float, float] = (1.0, 30.0)
    is_f: bool = False


def planned(study: Study, settings: AskSettings, ask: Ask, blinding: Blinding | None) -> Planned:
    """Plan a question; what is hidden stays so."""
    hides = blinding is not None and blinding.is_on
    try:
        made = plan(study, ask)
        if blinding is not None and hides and unblinds(study, made, blinding):
            return Planned(settings, None, AskPlan(problem=BLINDED))
    except Problem as refused:
        said = in_words(refused)
        return Planned(settings, None, AskPlan(problem=blinding.shown_text(said) if blinding else said))
    picture, df, is_f = _design(study, made, blinding)
    return Planned(settings, made, _shown(made, picture, blinding), df, is_f)


def unblinds(study: Study, made: Plan, blinding: Blinding) -> bool:
    """Whether a question tells whose arm is which, or which session came first."""
    rows = [model.study for model in made.models if model.study is not None]
    of_change = any(each.per in CHANGES for row in rows for each in (row, *(other for _, other in row.beside)))
    if made.ask.kind in COMPARING or of_change:
        return True
    column = arm_column(study)
    arms = {*blinding.hidden & ARM_COLUMNS, *([column] if column else []), *(blinding.hidden & {"group"})}
    said = " ".join((made.formula, *(text for model in made.models for text in (model.formula, *model.contrasts))))
    words = set("".join(each if each.isalnum() or each == "_" else " " for each in said).split())
    return bool(arms & words) or made.ask.arm != "pooled"


def fault_of(settings: AskSettings, made: Plan) -> str:
    """Why what the form says is no question although it can be planned; empty where it is one."""
    rows = [model.study for model in made.models if model.study is not None]
    measures = {each.measure for row in rows for each in (row, *(other for _, other in row.beside))}
    is_set = not (settings.from_min is settings.to_min is None)
    if is_set and made.ask.choices.window_min is None and "pet" in measures:
        return NO_WINDOW
    terms = set(re.findall(r"\w+", made.ask.formula.partition("~")[2]))
    unused = [name for name, _ in made.ask.voxelwise if name not in terms]
    return NOT_IN_FORMULA.format(name=unused[0]) if unused else ""


def _shown(made: Plan, picture: DesignPicture | None, blinding: Blinding | None) -> AskPlan:
    def said(text: str) -> str:
        return text if blinding is None else blinding.shown_text(text)

    power = [finding.message for finding in made.findings if finding.code == "power"]
    notes = [finding.message for finding in made.findings if finding.code != "power"]
    people = [f"{n} {name}" for name, n in made.n.items() if name != "excluded"]
    left_out = made.n.get("excluded", 0)
    return AskPlan(
        words=said(made.words),
        formula=said(made.formula),
        n=said(", ".join(people) + (f"; {left_out} left out" if left_out else "") + "."),
        power=said(" ".join(power)),
        notes=tuple(map(said, notes)),
        covariates=made.ask.covariates,
        design=picture,
    )


def _design(
    study: Study, made: Plan, blinding: Blinding | None
) -> tuple[DesignPicture | None, tuple[float, float], bool]:
    """The design matrix of the first model, without reading an image; and the degrees of freedom of its test."""
    from ...stats.contrasts import contrast  # noqa: PLC0415 - SciPy

    nothing = None, (1.0, 30.0), False
    if not made.models:
        return nothing
    try:
        names, design = _laid(study, made, blinding)
        text = next((each for each in made.models[0].contrasts if each.partition("=")[0] == made.test), made.test)
        q = len(contrast(text, design).weights)
    except (Problem, CannotCompute):
        return nothing  # the picture is left out; what is wrong is told by the answer
    n, p = len(design.matrix), len(design.names) + len(design.voxelwise)
    picture = DesignPicture("", design.matrix, design.names, names)
    return picture, (float(q), float(max(1, n - p))), q > 1


def _laid(study: Study, made: Plan, blinding: Blinding | None) -> tuple[tuple[str, ...], LinearDesign]:
    """Whose each row is, and the design."""
    from msgspec.structs import replace  # noqa: PLC0415

    from ..study.plan_parts import design_on, frame_of, setting_of, without  # noqa: PLC0415

    model = made.models[0]
    rows = model.study
    if rows is None:
        raise Problem(model.formula, "is of no study", "plan the question of a study")
    setting = setting_of(study, replace(made.ask, measure=rows.measure, sessions=()))
    frame, _ = frame_of(setting, rows)
    kept = without(frame, made.ask.exclude)
    design = design_on(setting, kept, model.formula, tuple(name for name, _ in model.voxelwise))
    people = kept[PERSON].astype(str).tolist()
    sessions = kept[SESSION].tolist() if rows.per == "scan" and SESSION in kept else [None] * len(people)
    told = [
        " ".join(filter(None, (who, str(session or "").removeprefix("ses-"))))
        if blinding is None
        else " ".join(filter(None, (blinding.shown_name(who), blinding.shown_session(who, session))))
        for who, session in zip(people, sessions, strict=True)
    ]
    return tuple(told[int(row)] for row in design.rows), design
