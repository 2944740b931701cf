"""A model taken apart into least-squares problems: its rows, designs and contrasts."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..stats.contrasts import Contrast, contrast, term_contrasts
from ..stats.design import INTERCEPT, LinearDesign, Term, linear_design
from ..stats.errors import CannotCompute
from ..stats.within import RepeatedDesign
from .io.study_table import StudyTable, column_of
from .model_data import rows_with_images, who
from .models import Model
from .problems import Finding, Problem

Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Part:
    """One least-squares problem of a model.

    Attributes
    ----------
    design : LinearDesign
        With a column for each voxelwise covariate after its own.
    contrasts : tuple of Contrast
    combine : (n, rows) float64 or None
        Makes an observation of several scans: means or differences of a subject's; None when each scan is one.
    blocks : (n,) or None
        Exchangeability blocks.
    groups : (n,) or None
        Groups with variances of their own.
    repeated : RepeatedDesign or None
        The within-subject part of more than two levels, whose tests are over all contrasts of levels at once.
    factor : (n,) or None
        The first factor of the formula, whether variances differ by it or not.
    """

    design: LinearDesign
    contrasts: tuple[Contrast, ...]
    combine: Float64 | None = None
    blocks: NDArray[Any] | None = None
    groups: NDArray[Any] | None = None
    repeated: RepeatedDesign | None = None
    factor: NDArray[Any] | None = None

    def observations(self, values: NDArray[Any]) -> NDArray[Any]:
        """Rows of the table as observations, (n, V)."""
        return values if self.combine is None else (self.combine @ values).astype(values.dtype)


@dataclass(frozen=True, eq=False)
class Laid:
    """A model laid out: which rows of the table it uses, and its parts.

    Attributes
    ----------
    table : StudyTable
    rows : (n,) int64
        Rows of the table, from 0.
    parts : tuple of Part
    findings : tuple of Finding
        Who was left out and why.
    outcome : (n,) float64 or None
        Left side of the formula, where it is made of columns of numbers.
    """

    table: StudyTable
    rows: NDArray[np.int64]
    parts: tuple[Part, ...]
    findings: tuple[Finding, ...]
    outcome: Float64 | None = None


@contextmanager
def about(where: object) -> Generator[None]:
    """Name the file that numbers came from when they have no answer."""
    try:
        yield
    except CannotCompute as refused:
        raise Problem(str(where), refused.what, refused.todo) from refused


def lay_out(model: Model, table: StudyTable) -> Laid:
    """Rows, designs and contrasts of a model.

    Raises
    ------
    Problem
        The formula, a contrast or a column cannot be used, or too few rows are left.
    """
    _check_columns(model, table)
    rows, findings = rows_with_images(model, table)
    rows, excluded = _without_excluded(model, table, rows)
    findings = (*findings, *excluded)
    if not len(rows):
        raise Problem(table.path, "no row is left", "look at what was left out and why")
    frame = table.frame.iloc[rows]
    with about(table.path):
        if model.within is not None:
            from .model_within import parts_within  # noqa: PLC0415

            return parts_within(model, table, rows, findings)
        design = linear_design(
            frame, model.formula, sum_to_zero=model.terms, voxelwise=tuple(name for name, _ in model.voxelwise)
        )
        asked = contrasts_of(model, design)
    for dropped in design.dropped:
        findings = (*findings, row_left_out(table, int(rows[dropped.row]), model, dropped.reason))
    kept = rows[design.rows]
    factor = factor_of(model, table, kept, design.terms)
    part = Part(design, asked, None, _blocks(model, table, kept), groups_of(model, table, factor), factor=factor)
    return Laid(table, kept, (part,), findings, design.outcome)


def contrasts_of(model: Model, design: LinearDesign) -> tuple[Contrast, ...]:
    """The tests that are asked for; each column but the intercept when none is."""
    if model.terms and model.contrasts:
        raise Problem("--terms", "and --contrast ask for different codings", "ask for one of them at a time")
    if model.terms:
        return term_contrasts(design)
    names = [name for name in design.columns if name != INTERCEPT] or list(design.columns)
    asked = tuple(contrast(text, design) for text in (model.contrasts or names))
    refuse_twice(asked)
    return asked


def refuse_twice(asked: Sequence[Contrast]) -> None:
    """Refuse contrasts that share a name."""
    names = [each.name for each in asked]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise Problem("--contrast", f"two are called {', '.join(sorted(twice))}", "give each a name of its own")


def row_left_out(table: StudyTable, row: int, model: Model, reason: str) -> Finding:
    """Who is left out of a model, and why: the rule is that a row counts only when it is complete."""
    name = who(table, row, model.subject)
    return Finding("row-left-out", name, row + 1, f"{name} (row {row + 1}) is left out: {reason}.")


def factor_of(model: Model, table: StudyTable, rows: NDArray[np.int64], terms: Sequence[Term]) -> NDArray[Any] | None:
    """The first categorical factor of the formula, as labels of rows; None when it has none."""
    frame = table.frame.iloc[rows]
    for column in (name for term in terms for name in term.name.split(":")):
        if column in frame.columns and column != model.within and frame[column].dtype.kind not in "fi":
            return frame[column].astype(str).to_numpy()
    return None


def groups_of(model: Model, table: StudyTable, factor: NDArray[Any] | None) -> NDArray[Any] | None:
    """Groups whose variances may differ: those of the first factor, when that is asked for."""
    if model.variance == "pooled":
        return None
    if factor is not None:
        return factor
    what = "variances by group need a factor of text in the formula"
    raise Problem(table.path, what, "add the group to the formula, or leave --variance out")


def _blocks(model: Model, table: StudyTable, rows: NDArray[np.int64]) -> NDArray[Any] | None:
    if model.exchange is None:
        return None
    column = column_of(table, model.exchange).iloc[rows]
    if column.isna().any():
        row = int(rows[np.flatnonzero(column.isna().to_numpy())[0]])
        raise Problem(
            table.path, f"row {row + 1} has no value in column {model.exchange}", "name the block of every row"
        )
    return column.astype(str).to_numpy()


def _check_columns(model: Model, table: StudyTable) -> None:
    for column in (model.subject, model.within, model.exchange, *(column for _, column in model.voxelwise)):
        if column is not None:
            column_of(table, column)
    if model.within is not None and model.subject is None:
        raise Problem("--within", "needs to know whose scans belong together", "give --subject COL too")


def _without_excluded(
    model: Model, table: StudyTable, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], tuple[Finding, ...]]:
    if not model.exclude:
        return rows, ()
    names = np.array([who(table, row, model.subject) for row in range(len(table.frame))])
    unknown = [name for name in model.exclude if name not in set(names)]
    if unknown:
        todo = "write them as in the table, and name their column with --subject"
        raise Problem(table.path, f"has no {', '.join(unknown)} to exclude", todo)
    out = np.isin(names[rows], model.exclude)
    findings = tuple(row_left_out(table, int(row), model, "excluded on request") for row in rows[out])
    return rows[~out], findings
