"""What the form of a group's seed asks for, as recipes; and what can be said of it beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ...widgets.group_seed_settings import GroupSeedSettings, TableColumns
from ..problems import Problem
from ..recipes import GroupModel, GroupRun, GroupSeedMap, Preparation
from ..state import Colours, Threshold

if TYPE_CHECKING:
    from ..group_cost import GroupCost
    from ..group_models import GroupRequest
    from ..io.study_table import StudyTable

UNCORRECTED_P = 0.001
SUBJECTS = ("participant_id", "participant", "subject_id", "subject", "sub", "id")
SESSIONS = ("session_id", "session", "ses", "visit", "timepoint", "time")


class Looked(NamedTuple):
    """What was found of a form before anything is prepared: runs and model, or why there is none."""

    runs: tuple[GroupRun, ...]
    model: GroupModel | None
    cost: GroupCost | None
    said: str
    ok: bool


def look(
    table: StudyTable | None,
    settings: GroupSeedSettings,
    open_runs: tuple[GroupRun, ...],
    preparation: Preparation,
    report: Callable[[float], None],
) -> Looked:
    """Runs, model and memory of a form; why not, when there is none."""
    from ...stats import group_seed  # noqa: PLC0415 - slow to import: here, and not when `look_of` asks for it
    from ..group_cost import group_cost  # noqa: PLC0415 - SciPy and Numba
    from ..group_models import study_group  # noqa: PLC0415 - formulaic

    try:
        if table is None:
            runs, model, findings = open_runs, mean_of(len(open_runs)), ()
        else:
            runs, model, findings = study_group(table, request_of(settings, table))
        cost = group_cost(runs, preparation, report)
    except Problem as problem:
        return Looked((), None, None, f"{Path(problem.where).name}: {problem.what}; {problem.todo}.", False)
    tested = f"{model.name}: {model.kind} with {model.residual_df} degrees of freedom, n = {len(model.design)}."
    df, kind = model.df, model.kind
    least = f"p < {UNCORRECTED_P:g} uncorrected from {kind} = {group_seed.threshold_of(UNCORRECTED_P, df, kind):.2f}."
    lines = [tested, least, cost.in_words, *(finding.message for finding in findings)]
    return Looked(runs, model, cost, "\n".join(lines), cost.store is not None)


def mean_of(n_runs: int) -> GroupModel:
    """The mean over runs."""
    return GroupModel(("Intercept",), ((1.0,),) * n_runs, ((1.0,),))


def request_of(settings: GroupSeedSettings, table: StudyTable) -> GroupRequest:
    """The form's model as formula and contrast; numbers are centred where the mean is tested.

    Raises
    ------
    Problem
        A choice is missing.
    """
    from ..group_models import GroupRequest  # noqa: PLC0415

    formula, contrast = "~ 1", "mean=Intercept"
    covariates = [f" + {name}" for name in settings.covariates if name != settings.predictor]
    match settings.model:
        case "mean":
            covariates = [f" + center({name})" for name in settings.covariates]
        case "paired":
            if not (settings.subject and settings.within):
                raise Problem("Model", "subject or session is not chosen", "choose both columns")
            formula, contrast, covariates = f"~ {settings.within}", None, []
        case "two-sample" | "regression":
            if not settings.predictor:
                raise Problem("Model", "no predictor is chosen", "choose the column of groups or of a number")
            formula, contrast = f"~ {settings.predictor}", settings.predictor
            if settings.model == "two-sample":
                first, second = sorted(set(table.frame[settings.predictor].dropna()))
                formula, contrast = f"~ C({settings.predictor})", f"{second} - {first}={settings.predictor}"
    paired = settings.model == "paired"
    return GroupRequest(
        settings.column,
        settings.confounds or None,
        formula + "".join(covariates),
        None if settings.model == "paired" else contrast,
        settings.voxelwise or None,
        settings.subject if paired else None,
        settings.within if paired else None,
    )


def columns_of(table: StudyTable) -> TableColumns:
    """What the columns of a table can be chosen for; only names that a formula can hold."""
    frame = table.frame
    names = [str(name) for name in frame.columns if str(name).isidentifier()]
    numbers = tuple(name for name in names if frame[name].dtype.kind in "if")
    text = [name for name in names if name not in numbers]
    files = tuple(
        str(name)
        for name in frame.columns
        if frame[name].dtype.kind not in "if"
        and any((table.path.parent / str(value)).is_file() for value in frame[name].dropna().iloc[:3])
    )
    groups = tuple(name for name in names if len(set(frame[name].dropna())) == 2)
    people = tuple(name for name in names if name not in files and (name in text or frame[name].dtype.kind == "i"))
    return TableColumns(files, groups, numbers, people)


def with_guesses(settings: GroupSeedSettings, columns: TableColumns) -> GroupSeedSettings:
    """Columns that a model needs chosen, where nobody has: those of usual names, and the only one that there is."""
    subject = settings.subject or _usual(columns.names, SUBJECTS)
    within = settings.within or _usual(columns.groups, SESSIONS)
    offered: tuple[str, ...] = ()
    if settings.model == "regression":
        offered = columns.numbers
    elif settings.model == "two-sample":
        offered = tuple(name for name in columns.groups if name != within)
    predictor = settings.predictor or (offered[0] if len(offered) == 1 else "")
    return replace(settings, subject=subject, within=within, predictor=predictor)


def _usual(names: Iterable[str], usual: tuple[str, ...]) -> str:
    found = {name.lower(): name for name in names}
    return next((found[name] for name in usual if name in found), "")


def name_of(recipe: GroupSeedMap) -> str:
    """Name that a group's map gets by itself."""
    return f"Group seed: {recipe.model.name}"


def look_of(recipe: GroupSeedMap) -> dict[str, Colours | Threshold]:
    """Colours and threshold: p < .001, two-sided and uncorrected, for statistics."""
    from ...stats.group_seed import threshold_of  # noqa: PLC0415 - SciPy and Numba

    match recipe.measure:
        case "statistic":
            low = round(threshold_of(UNCORRECTED_P, recipe.model.df, recipe.model.kind), 2)
            top = 3 * low
        case "estimate" | "mean r":
            low, top = 0.1, 0.8
        case "p":
            return {"colours": Colours("viridis", 1.3, 6.0), "threshold": Threshold(3.0)}
    if recipe.measure == "statistic" and recipe.model.kind == "F":
        return {"colours": Colours("warm", low, top), "threshold": Threshold(low)}
    return {"colours": Colours("warm", low, top, "cool", low, top), "threshold": Threshold(low, low)}
