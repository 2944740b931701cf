"""From the table of a study to the runs of a group and a model over them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..stats.contrasts import Contrast, contrast
from ..stats.design import INTERCEPT, LinearDesign, Term, linear_design
from ..stats.errors import CannotCompute
from ..stats.within import repeated_design
from .io.study_table import StudyTable, column_of, paths_of
from .model_data import who
from .problems import Finding, Problem
from .recipes import GroupModel, GroupRun

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
        Of the runs; the left side is a label.
    contrast : str or None
        See `stats.contrasts.contrast`; None for the only column beside the intercept, the mean where there is none,
        or the only difference.
    voxelwise : str or None
        Column of images of a covariate.
    subject, within : str or None
        Columns: who, and which of two scans. The formula may then name ``within``: what has it in its terms is about
        differences, the rest about means of a subject's two scans; see `stats.within.repeated_design`.
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
    try:
        parts, dropped = _of_scans(table, rows, request) if request.within is None else _of_pairs(table, rows, request)
        part, asked = _asked(parts, request)
    except CannotCompute as refused:
        raise Problem(table.path, refused.what, refused.todo) from refused
    used = np.unique(part.rows)
    pairs = np.searchsorted(used, part.rows)
    images = () if request.voxelwise is None else paths_of(table, request.voxelwise, used.tolist())
    model = GroupModel(
        part.design.names,
        tuple(map(tuple, part.design.matrix.tolist())),
        _own_weights(asked, part.design),
        asked.name,
        request.formula,
        () if part.combined is None else tuple((int(a), int(b)) for a, b in pairs),
        part.combined or "difference",
        tuple(map(str, images)),
        request.voxelwise or "",
    )
    return StudyGroup(_runs(table, used.tolist(), request), model, (*left_out, *dropped))


class _Part(NamedTuple):
    """A design, and the rows of the table that each of its observations is made of, (n, 2)."""

    design: LinearDesign
    rows: NDArray[np.int64]
    combined: Literal["difference", "mean"] | None


Found = tuple[tuple[_Part, ...], tuple[Finding, ...]]


def _rows_with_files(table: StudyTable, request: GroupRequest) -> tuple[NDArray[np.int64], tuple[Finding, ...]]:
    columns = [name for name in (request.column, request.confounds, request.voxelwise) if name is not None]
    there = {name: column_of(table, name).notna().to_numpy(bool) for name in columns}
    findings: list[Finding] = []
    for row in range(len(table.frame)):
        empty = next((name for name in columns if not there[name][row]), None)
        if empty is not None:
            findings.append(_left_out(table, row, f"column {empty} is empty", request.subject))
    rows = np.flatnonzero(np.all(list(there.values()), axis=0))
    if not len(rows):
        raise Problem(table.path, f"no row names a file in {', '.join(columns)}", "look at the table")
    return rows, tuple(findings)


def _left_out(table: StudyTable, row: int, reason: str, subject: str | None) -> Finding:
    name, number = who(table, row, subject), f"row {row + 1}"
    said = number if name == number else f"{name} ({number})"
    return Finding("row-left-out", name, row + 1, f"{said} is left out: {reason}.")


def _of_scans(table: StudyTable, rows: NDArray[np.int64], request: GroupRequest) -> Found:
    """Each scan is an observation."""
    voxelwise = () if request.voxelwise is None else (request.voxelwise,)
    design = linear_design(table.frame.iloc[rows], request.formula, voxelwise=voxelwise)
    dropped = tuple(_left_out(table, int(rows[gap.row]), gap.reason, None) for gap in design.dropped)
    used = np.repeat(rows[design.rows][:, None], 2, axis=1)
    return (_Part(design, used, None),), dropped


def _of_pairs(table: StudyTable, rows: NDArray[np.int64], request: GroupRequest) -> Found:
    """The difference of a subject's two scans is an observation of one part, their mean one of the other."""
    subject, within = str(request.subject), str(request.within)
    formula = f"~ {within}" if request.formula == MEAN else request.formula
    made = repeated_design(table.frame.iloc[rows].reset_index(drop=True), formula, subject, within)
    if len(made.levels) != 2:
        listed = ", ".join(made.levels[:6])
        raise CannotCompute(f"{within} has {len(made.levels)} levels ({listed})", "keep the rows of two of them")
    pairs = rows[made.rows][:, ::-1]  # the second level less the first
    parts = (
        *(() if made.within is None else (_Part(_with_covariate(made.within, request), pairs, "difference"),)),
        *(() if made.between is None else (_Part(_with_covariate(made.between, request), pairs, "mean"),)),
    )
    return parts, tuple(Finding("subject-left-out", str(table.path), None, f"{each}.") for each in made.dropped)


def _with_covariate(design: LinearDesign, request: GroupRequest) -> LinearDesign:
    """The same with a column for the voxelwise covariate after its own."""
    if request.voxelwise is None:
        return design
    term = Term(request.voxelwise, (len(design.names),))
    return replace(design, terms=(*design.terms, term), voxelwise=(request.voxelwise,))


def _asked(parts: tuple[_Part, ...], request: GroupRequest) -> tuple[_Part, Contrast]:
    """The contrast that is asked for, and the part of the model that has its columns."""
    text = request.contrast
    if text is None:
        design = parts[0].design
        names = [name for name in design.names if name != INTERCEPT] or list(design.names)
        if len(names) > 1:
            raise CannotCompute(f"no contrast of '{request.formula}' is given", f"name one of {', '.join(names)}")
        asked = contrast(names[0], design)
        return parts[0], asked._replace(name="mean") if names == [INTERCEPT] else asked
    found: list[tuple[_Part, Contrast]] = []
    refused: CannotCompute | None = None
    for part in parts:
        try:
            found.append((part, contrast(text, part.design)))
        except CannotCompute as error:
            refused = refused or error
    if refused is not None and not found:
        raise refused
    if len(found) > 1:
        raise CannotCompute(f"'{text}' fits means and differences alike", "name the columns that are meant")
    return found[0]


def _own_weights(asked: Contrast, design: LinearDesign) -> tuple[tuple[float, ...], ...]:
    """Weights of the design's own columns; none when the voxelwise covariate itself is tested."""
    own, voxelwise = np.split(asked.weights, [len(design.names)], axis=1)
    if not voxelwise.any():
        return tuple(map(tuple, own.tolist()))
    if own.any() or len(voxelwise) > 1:
        raise Problem("--contrast", f"'{asked.name}' weighs the voxelwise covariate and others", "test it by itself")
    return ()


def _runs(table: StudyTable, rows: list[int], request: GroupRequest) -> tuple[GroupRun, ...]:
    paths = paths_of(table, request.column, rows)
    if request.confounds is None:
        return tuple(GroupRun(str(path)) for path in paths)
    tables = paths_of(table, request.confounds, rows)
    return tuple(GroupRun(str(path), str(own)) for path, own in zip(paths, tables, strict=True))
