"""From the table of a study to the runs of a group and a model over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..stats.contrasts import contrast
from ..stats.design import INTERCEPT, LinearDesign, linear_design
from ..stats.errors import CannotCompute
from .io.study_table import StudyTable, column_of, paths_of
from .model_data import who
from .problems import Finding, Problem
from .recipes import GroupModel, GroupRun

if TYPE_CHECKING:
    import pandas as pd

MEAN = "~ 1"


@dataclass(frozen=True)
class GroupRequest:
    """What is asked of a study's table.

    Attributes
    ----------
    column : str
        Of runs.
    confounds : str or None
        Column of tables of confounds, one for each run.
    formula : str
        Of the observations; the left side is a label.
    contrast : str or None
        See `stats.contrasts.contrast`; None for the only column beside the intercept, or the mean where there is none.
    voxelwise : str or None
        Column of images of a covariate.
    subject, within : str or None
        Columns: who, and which of two scans. An observation is then the second scan less the first.
    """

    column: str = "run"
    confounds: str | None = None
    formula: str = MEAN
    contrast: str | None = None
    voxelwise: str | None = None
    subject: str | None = None
    within: str | None = None


class StudyGroup(NamedTuple):
    """Runs of a study, and a model over them."""

    runs: tuple[GroupRun, ...]
    model: GroupModel
    findings: tuple[Finding, ...]


def study_group(table: StudyTable, request: GroupRequest) -> StudyGroup:
    """The runs that a request is about and its model, as numbers.

    Rows without a run, or with a value missing that the formula uses, are left out, and so are subjects with one scan
    only; findings name each.

    Raises
    ------
    Problem
        A column or file is missing, or the model cannot be estimated.
    """
    if (request.subject is None) != (request.within is None):
        raise Problem(table.path, "--subject and --within belong together", "give both or none")
    rows, left_out = _rows_with_files(table, request)
    observations = _scans(table, rows) if request.subject is None else _pairs(table, rows, request)
    design = _design(table, observations.frame, request)
    kept = observations.rows[design.rows]
    rows = np.unique(kept)
    number = {int(row): n for n, row in enumerate(rows)}
    pairs = tuple((number[int(a)], number[int(b)]) for a, b in kept) if request.subject is not None else ()
    dropped = tuple(
        _left_out(table, int(observations.rows[gap.row][0]), gap.reason, request.subject) for gap in design.dropped
    )
    name, weights = _contrast(table, design, request, observations.title)
    model = GroupModel(
        design.names,
        tuple(map(tuple, design.matrix.tolist())),
        weights,
        name,
        request.formula,
        pairs,
        "difference",
        () if request.voxelwise is None else tuple(map(str, paths_of(table, request.voxelwise, rows.tolist()))),
        request.voxelwise or "",
    )
    return StudyGroup(_runs(table, rows.tolist(), request), model, (*left_out, *observations.findings, *dropped))


class _Observations(NamedTuple):
    """Rows of a table for each observation, (n, 2), and a frame of variables with a row for each."""

    frame: pd.DataFrame
    rows: np.ndarray
    title: str
    findings: tuple[Finding, ...]


def _rows_with_files(table: StudyTable, request: GroupRequest) -> tuple[list[int], tuple[Finding, ...]]:
    columns = [name for name in (request.column, request.confounds, request.voxelwise) if name is not None]
    there = {name: column_of(table, name).notna().to_numpy(bool) for name in columns}
    rows: list[int] = []
    findings: list[Finding] = []
    for row in range(len(table.frame)):
        empty = [name for name in columns if not there[name][row]]
        if empty:
            findings.append(_left_out(table, row, f"column {empty[0]} is empty", request.subject))
        else:
            rows.append(row)
    return rows, tuple(findings)


def _left_out(table: StudyTable, row: int, reason: str, subject: str | None) -> Finding:
    name = who(table, row, subject)
    return Finding("row-left-out", name, row + 1, f"{name} (row {row + 1}) is left out: {reason}.")


def _scans(table: StudyTable, rows: list[int]) -> _Observations:
    """Each scan is an observation."""
    return _Observations(table.frame.iloc[rows], np.repeat(np.array(rows, np.int64)[:, None], 2, axis=1), "mean", ())


def _pairs(table: StudyTable, rows: list[int], request: GroupRequest) -> _Observations:
    """Each subject with both scans is an observation: the second less the first, in the table's order of levels.

    Variables that are the same in both scans stay; numbers that differ are subtracted too, text that differs is lost.
    """
    subject, within = str(request.subject), str(request.within)
    who_is, which = column_of(table, subject), column_of(table, within)
    levels = list(dict.fromkeys(which.iloc[rows].dropna()))
    if len(levels) != 2:
        listed = ", ".join(map(str, levels[:6])) or "none"
        raise Problem(table.path, f"column {within} has other than two levels ({listed})", "keep the rows of two")
    found: dict[object, dict[object, int]] = {}
    for row in rows:
        person, level = who_is.iloc[row], which.iloc[row]
        if row in found.setdefault(person, {}).values() or level in found[person]:
            what = f"{person} has two rows of {within} {level}"
            raise Problem(table.path, what, "keep one")
        found[person][level] = row
    complete = {person: scans for person, scans in found.items() if len(scans) == 2}
    findings = tuple(
        _left_out(table, next(iter(scans.values())), f"only one scan, {next(iter(scans))}", subject)
        for person, scans in found.items()
        if person not in complete
    )
    pairs = np.array([[scans[levels[1]], scans[levels[0]]] for scans in complete.values()], np.int64).reshape(-1, 2)
    return _Observations(_differences(table, pairs), pairs, f"{levels[1]} - {levels[0]}", findings)


def _differences(table: StudyTable, pairs: np.ndarray) -> pd.DataFrame:
    later, earlier = (table.frame.iloc[rows].reset_index(drop=True) for rows in pairs.T)
    made = later.copy()
    for name in table.frame.columns:
        same = (later[name] == earlier[name]) | (later[name].isna() & earlier[name].isna())
        if same.all():
            continue
        if table.frame[name].dtype.kind in "if":
            made[name] = later[name] - earlier[name]
        else:
            made = made.drop(columns=name)
    return made


def _design(table: StudyTable, frame: pd.DataFrame, request: GroupRequest) -> LinearDesign:
    voxelwise = () if request.voxelwise is None else (request.voxelwise,)
    try:
        return linear_design(frame, request.formula, voxelwise=voxelwise)
    except CannotCompute as refused:
        raise Problem(table.path, refused.what, refused.todo) from refused


def _contrast(
    table: StudyTable, design: LinearDesign, request: GroupRequest, title: str
) -> tuple[str, tuple[tuple[float, ...], ...]]:
    """Name and weights; none of the weights when the voxelwise covariate itself is tested."""
    text = request.contrast
    if text is None:
        if design.names == (INTERCEPT,):
            return title, ((1.0,),)
        others = [name for name in design.names if name != INTERCEPT]
        if len(others) > 1:
            raise Problem(request.formula, "no contrast is given", f"name a column or a term: {', '.join(others)}")
        text = others[0]
    try:
        asked = contrast(text, design)
    except CannotCompute as refused:
        raise Problem("--contrast" if request.contrast else table.path, refused.what, refused.todo) from refused
    own, voxelwise = np.split(asked.weights, [len(design.names)], axis=1)
    if not voxelwise.any():
        return asked.name, tuple(map(tuple, own.tolist()))
    if own.any() or len(voxelwise) > 1:
        raise Problem("--contrast", f"'{text}' weighs the voxelwise covariate and others", "test it by itself")
    return asked.name, ()


def _runs(table: StudyTable, rows: list[int], request: GroupRequest) -> tuple[GroupRun, ...]:
    paths = paths_of(table, request.column, rows)
    if request.confounds is None:
        return tuple(GroupRun(str(path)) for path in paths)
    tables = paths_of(table, request.confounds, rows)
    return tuple(GroupRun(str(path), str(own)) for path, own in zip(paths, tables, strict=True))
