"""Any other outcome and covariate by formula: the left side names a measure, or a column of the study's tables."""

from __future__ import annotations

from dataclasses import replace as changed
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from ...stats.errors import CannotCompute
from ..problems import Problem
from .answers import Plan
from .people import arm_column, measured, score_columns, score_title
from .plan_maps import FIRST, Said, plan_of
from .plan_parts import Draft, Setting, filled, frame_of, one_session, rows_of, setting_of, two_sessions
from .rows import Measure, Per

if TYPE_CHECKING:
    from .asking import Ask
    from .rows import StudyRows
    from .values import Study

MEASURES: dict[str, Measure] = {
    "suvr": "pet",
    "pet": "pet",
    "degree": "degree",
    "clustering": "clustering",
    "map": "map",
}
CHANGES: dict[str, Per] = {"_change": "difference", "_percent": "percent", "_difference": "difference"}


class Left(NamedTuple):
    """What a left side asks for; a measure of None is a column of the table."""

    measure: Measure | None
    per: Per
    name: str


def plan(study: Study, ask: Ask) -> Plan:
    """A formula on the table of a study, such as ``suvr_change ~ madrs_total_improvement + degree + age``.

    The left side is ``suvr``, ``degree``, ``clustering`` or ``map`` (of the first session, or the one named), with
    ``_change`` or ``_percent`` for second less first session; or a column, such as a score. Names given as voxelwise
    covariates stand for maps of the same people.

    Raises
    ------
    Problem
        The formula cannot be used, or names a column that the study has not.
    """
    left = left_of(study, ask)
    setting = setting_of(study, replace(ask, measure=left.measure or ask.measure))
    if left.measure is None:
        return _of_table(setting, left)
    changes = left.per != "person"
    sessions = two_sessions(setting) if changes else one_session(setting)
    where = _arm(setting)
    rows = rows_of(setting, left.per, sessions, where)
    rows = replace(rows, beside=tuple((name, _beside(setting, rows, name, of)) for name, of in ask.voxelwise))
    if not changes and len(setting.sessions) > 1 and not ask.sessions:
        rows = replace(rows, sessions=(setting.sessions[0], setting.sessions[-1]))  # so that improvements are known
    frame, left_out = frame_of(setting, rows)
    voxelwise = tuple((name, f"map_{name}") for name, _ in ask.voxelwise)
    draft = Draft(setting, rows, frame, ask.formula, ask.contrasts, voxelwise, left_out)
    if not ask.contrasts:
        draft = changed(draft, contrasts=_first_column(draft))
    _check_contrasts(draft)
    percent = left.per == "percent"
    quantity = setting.quantity + (" change" if changes else "")
    span = f" ({' less '.join(reversed([each.removeprefix('ses-') for each in sessions]))})" if changes else ""
    said = Said(
        f"{quantity} by formula",
        f"{quantity}{span}{' in percent of the first scan' if percent else ''} by the formula {ask.formula}",
        draft.contrasts[0].partition("=")[0],
        f"{'%' if percent else setting.quantity} per unit",
        setting.groups.column if setting.groups else None,
    )
    return plan_of(draft, said, filled(setting, sessions=sessions, covariates=()))


def left_of(study: Study, ask: Ask) -> Left:
    """What the left side names.

    Raises
    ------
    Problem
        It is no formula, or the left side is unknown.
    """
    from ...stats.formulas import parse  # noqa: PLC0415 - formulaic is slow to import

    try:
        parsed = parse(ask.formula)
    except CannotCompute as refused:
        raise Problem("formula", refused.what, refused.todo) from refused
    offered = measured(study)
    text = parsed.response.text if parsed.response else (ask.measure or (offered[0] if offered else ""))
    bare, per = text, "person"
    for ending, kind in CHANGES.items():
        if text.endswith(ending) and text.removesuffix(ending).lower() in MEASURES:
            bare, per = text.removesuffix(ending), kind
    measure = MEASURES.get(bare.lower())
    if measure is not None and (ask.measure is None or parsed.response is None or measure == ask.measure):
        return Left(measure, per, text)
    return Left(None, "person", text)


def _of_table(setting: Setting, left: Left) -> Plan:
    """A model of a column of the table: one outcome, no map."""
    if setting.ask.voxelwise:
        raise Problem("formula", f"{left.name} is no map, which voxelwise covariates need", "put suvr on the left")
    sessions = setting.ask.sessions or setting.sessions
    ends = tuple(dict.fromkeys((sessions[0], sessions[-1]))) if sessions else ()
    rows = rows_of(setting, "person", ends, _arm(setting))
    frame, left_out = frame_of(setting, rows)
    if left.name not in frame:
        offered = ", ".join([*(name for name in MEASURES if MEASURES[name] in measured(setting.study)), *frame.columns])
        what = f"the left side {left.name} is no measure and no column"
        raise Problem("formula", what, f"choose from {offered}")
    draft = Draft(setting, rows, frame, setting.ask.formula, setting.ask.contrasts, (), left_out)
    design = draft.design()
    title = _title(setting.study, left.name)
    said = Said(
        f"{title} by formula",
        f"{title}{' (larger is better)' if left.name.endswith('_improvement') else ''} by the formula "
        f"{setting.ask.formula}",
        f"effect on {title}",
        "points" if any(left.name.startswith(score) for score in score_columns(setting.study)) else left.name,
        setting.groups.column if setting.groups else None,
    )
    contrasts = setting.ask.contrasts or tuple(name for name in design.columns if name != "Intercept")
    draft = changed(draft, contrasts=contrasts or ("Intercept",), of_table=True)
    _check_contrasts(draft)
    return plan_of(draft, said, filled(setting, sessions=ends, covariates=()))


def _title(study: Study, name: str) -> str:
    for score in score_columns(study):
        if name.startswith(score):
            rest = name.removeprefix(score).strip("_")
            return f"{'improvement in ' if rest == 'improvement' else ''}{score_title(score)}" + (
                "" if rest in {"", "improvement"} else f" at {rest}"
            )
    return name.replace("_", " ")


def _arm(setting: Setting) -> tuple[tuple[str, str], ...]:
    """Only people of one arm, where one is named."""
    column, asked = arm_column(setting.study), setting.ask.arm
    if asked in {"pooled", "interaction"}:
        return ()
    levels = [] if column is None else sorted(setting.study.participants[column].dropna().astype(str).unique())
    level = next((each for each in levels if each.lower() == asked.lower()), None)
    if column is None or level is None:
        raise Problem(setting.study.folder, f"has no arm {asked}", f"choose from {', '.join(['pooled', *levels])}")
    return ((column, level),)


def _beside(setting: Setting, rows: StudyRows, name: str, of: str) -> StudyRows:
    """Maps of another measure of the same people."""
    measure, _, per = of.partition("_")
    kind = MEASURES.get(measure.lower())
    if name == FIRST and kind is None:
        kind = rows.measure
    if kind is None or kind not in measured(setting.study):
        offered = ", ".join(key for key, value in MEASURES.items() if value in measured(setting.study))
        raise Problem("voxelwise", f"{name} = {of}: the study has no such maps", f"choose from {offered}")
    wanted = CHANGES.get(f"_{per}", "person")
    return replace(rows, measure=kind, per=wanted, beside=())


def _check_contrasts(draft: Draft) -> None:
    """Refuse what is no contrast of the design, before any image is prepared."""
    from ...stats.contrasts import contrast  # noqa: PLC0415 - slow to import

    design = draft.design()
    for text in draft.contrasts:
        try:
            contrast(text, design)
        except CannotCompute as refused:
            raise Problem("contrast", refused.what, refused.todo) from refused


def _first_column(draft: Draft) -> tuple[str, ...]:
    """All columns as tests, a voxelwise covariate first."""
    names = draft.design().columns
    voxelwise = [name for name, _ in draft.voxelwise]
    return (*voxelwise, *(name for name in names if name != "Intercept" and name not in voxelwise)) or names
