"""Repeated measures: one scan per subject and level of a within-subject factor.

Terms without the factor are about subject means, terms with it about contrasts between levels. Every contrast of levels
takes what is constant in a subject out, so both are plain linear models over subjects: with two levels the
difference, whose test is exact, with more the levels - 1 orthonormal contrasts together, whose test rests on
sphericity.
"""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import formulas
from .arrays import Float64, Int64, read_only
from .design import (
    INTERCEPT,
    LinearDesign,
    Term,
    complete_rows,
    design_of,
    refuse_inestimable,
    refuse_unknown,
    term_titles,
)
from .errors import CannotCompute
from .formula_values import is_categorical

VARYING = 1e-9  # share of its size by which a covariate must change within a subject to count as changing


class RepeatedDesign(NamedTuple):
    """A model of repeated measures in two parts.

    Attributes
    ----------
    subjects : tuple of str
    levels : tuple of str
        Of the within-subject factor.
    rows : (subjects, levels) int64, read-only
        Rows of the table.
    between : LinearDesign or None
        One row per subject, for `subject_means`; None when no term is left for it.
    within : LinearDesign or None
        One row per subject, for `differences` (two levels) or `repeated_measures.repeated_test`. Its columns are named
        ``group[T.b]:time[post - pre]``, with more levels ``group[T.b]:time``.
    dropped : tuple of str
        Who was left out and why, a sentence each.
    """

    subjects: tuple[str, ...]
    levels: tuple[str, ...]
    rows: Int64
    between: LinearDesign | None
    within: LinearDesign | None
    dropped: tuple[str, ...]


def repeated_design(
    table: pd.DataFrame, formula: str, subject: str, within: str, *, sum_to_zero: bool = False
) -> RepeatedDesign:
    """Split a formula into its between- and within-subject part.

    A subject without a scan at some level, or with a missing value at one, is left out of both parts. Levels are in
    the order of a categorical column, ascending for numbers, and for text as they first occur; a difference is the
    second less the first. A covariate of numbers that changes within subjects enters the means by its mean and, with
    two levels, the differences by its difference.

    Parameters
    ----------
    table : DataFrame
        One row per scan.
    formula : str
        With or without the within-subject factor; its interactions are with factors of subjects.
    subject, within : str
        Columns of the table.
    sum_to_zero : bool
        As in `design.linear_design`.

    Raises
    ------
    CannotCompute
        When a subject has two scans at a level, nobody is complete, a category changes within subjects, or a part
        cannot be estimated.
    """
    parsed = formulas.parse(formula)
    table = table.rename(columns=str).reset_index(drop=True)
    refuse_unknown((subject, within, *parsed.variables), table)
    subjects, levels, rows, dropped = _scans(table, parsed, subject, within)
    fixed, repeated = _parts(parsed, within)
    steady, changing = _subject_values(table, rows, subjects, parsed, within)
    if changing and len(levels) > 2:
        raise CannotCompute(
            f"'{next(iter(changing))}' changes within subjects over more than two levels", "use a mixed model"
        )
    _refuse_changing_parts(fixed, repeated, changing)
    contrast = f"{within}[{levels[1]} - {levels[0]}]" if len(levels) == 2 else within
    between = _between(fixed, steady, rows, sum_to_zero=sum_to_zero)
    inner = _within(_Inner(parsed, repeated, within, contrast, changing), steady, rows, sum_to_zero=sum_to_zero)
    return RepeatedDesign(subjects, levels, read_only(rows), between, inner, dropped)


def subject_means(data: NDArray[Any], design: RepeatedDesign) -> Float64:
    """Means over levels, (subjects, V) float64, of data (n, V) in the table's rows."""
    return np.asarray(data)[design.rows].mean(axis=1, dtype=np.float64)


def differences(data: NDArray[Any], design: RepeatedDesign) -> Float64:
    """Second level less the first, (subjects, V) float64, of data (n, V) in the table's rows."""
    if len(design.levels) != 2:
        raise CannotCompute(f"{len(design.levels)} levels have no one difference", "use the repeated-measures test")
    given = np.asarray(data)
    return given[design.rows[:, 1]].astype(np.float64) - given[design.rows[:, 0]]


def _scans(
    table: pd.DataFrame, parsed: formulas.Formula, subject: str, within: str
) -> tuple[tuple[str, ...], tuple[str, ...], Int64, tuple[str, ...]]:
    """Subjects with a complete scan at every level, the levels, their rows, and who is left out."""
    left = parsed.response.variables if parsed.response and all(v in table for v in parsed.response.variables) else ()
    _, gaps = complete_rows(table, tuple(dict.fromkeys((*left, *parsed.variables))))
    missing = {gap.row: gap.reason for gap in gaps}
    known, unnamed = complete_rows(table, (subject, within))
    levels = levels_of(table[within].iloc[known], as_they_occur=True)
    found: dict[str, dict[str, int]] = {}
    for row in known.tolist():
        own = found.setdefault(str(table[subject].iloc[row]), {})
        level = str(table[within].iloc[row])
        if level in own:
            who = next(name for name, rows in found.items() if rows is own)
            raise CannotCompute(f"'{who}' has two scans at {within} '{level}'", "leave one row for each")
        own[level] = row
    dropped = [f"row {gap.row + 1} of the table: {gap.reason}" for gap in unnamed]
    complete: dict[str, list[int]] = {}
    for who, own in found.items():
        lacking = [f"no scan at {within} '{level}'" for level in levels if level not in own]
        lacking += [f"{missing[row]} at {within} '{level}'" for level, row in own.items() if row in missing]
        if lacking:
            dropped.append(f"'{who}' is left out: {', '.join(lacking)}")
        else:
            complete[who] = [own[level] for level in levels]
    if not complete:
        raise CannotCompute(
            f"no '{subject}' has a complete scan at every {within} ({', '.join(levels)})", "look at the table"
        )
    return tuple(complete), levels, np.array(list(complete.values()), np.int64), tuple(dropped)


def levels_of(column: Any, *, as_they_occur: bool = False) -> tuple[str, ...]:
    """Levels of a column: in the order of its categories, else sorted, or text in the order of the rows."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        found = list(column.cat.remove_unused_categories().cat.categories)
    else:
        found = list(column.unique())
        if not (as_they_occur and is_categorical(column)):
            found.sort()
    if len(found) < 2:
        raise CannotCompute(
            f"'{column.name}' has one level only", "choose the column that tells the scans of a subject apart"
        )
    return tuple(str(level) for level in found)


def _parts(parsed: formulas.Formula, within: str) -> tuple[formulas.Formula, formulas.Formula]:
    """The terms without the factor, and those with it, it taken out."""
    fixed = [term for term in parsed.terms if all(within not in factor.variables for factor in term)]
    repeated = [term for term in parsed.terms if term not in fixed]
    for term in repeated:
        for factor in term:
            plain = isinstance(factor.tree, ast.Name) or factor.text.startswith("C(")
            if within in factor.variables and not plain:
                raise CannotCompute(f"'{factor.text}' is a function of the within-subject factor", f"write {within}")
    inner = [tuple(factor for factor in term if within not in factor.variables) for term in repeated]
    return (
        formulas.Formula(None, parsed.intercept, tuple(fixed)),
        formulas.Formula(None, () in inner, tuple(term for term in inner if term)),
    )


def _subject_values(
    table: pd.DataFrame, rows: Int64, subjects: tuple[str, ...], parsed: formulas.Formula, within: str
) -> tuple[pd.DataFrame, dict[str, Float64]]:
    """One row per subject, of means where numbers change; and the numbers that change, (subjects, levels) each."""
    steady = table.iloc[rows[:, 0]].reset_index(drop=True)
    changing: dict[str, Float64] = {}
    for name in parsed.variables:
        if name == within:
            continue
        values = np.asarray(table[name])[rows]
        if is_categorical(table[name]):
            varied = np.flatnonzero((values != values[:, :1]).any(axis=1))
            if varied.size:
                raise CannotCompute(
                    f"'{name}' changes between the scans of '{subjects[varied[0]]}'",
                    "use a mixed model, or correct the table",
                )
            continue
        numbers = values.astype(np.float64)
        if np.ptp(numbers, axis=1).max() > VARYING * np.abs(numbers).max():
            changing[name] = numbers
            steady[name] = numbers.mean(axis=1)
    return steady, changing


def _refuse_changing_parts(fixed: formulas.Formula, repeated: formulas.Formula, changing: dict[str, Float64]) -> None:
    """A covariate that changes within subjects may only be a term of its own."""
    others = [term for term in fixed.terms if len(term) > 1 or not isinstance(next(iter(term)).tree, ast.Name)]
    for term in (*others, *repeated.terms):
        for name in (name for factor in term for name in factor.variables):
            if name in changing:
                raise CannotCompute(
                    f"'{name}' changes within subjects and stands inside another term", "make it a term of its own"
                )


def _between(fixed: formulas.Formula, steady: pd.DataFrame, rows: Int64, *, sum_to_zero: bool) -> LinearDesign | None:
    if not (fixed.intercept or fixed.terms):
        return None
    made = design_of(fixed, steady, sum_to_zero=sum_to_zero)
    return LinearDesign(made.matrix, made.names, made.terms, rows[:, 0], None, None, (), sum_to_zero=sum_to_zero)


class _Inner(NamedTuple):
    """What the within-subject part is made of."""

    parsed: formulas.Formula
    repeated: formulas.Formula
    within: str
    contrast: str
    changing: dict[str, Float64]


def _within(inner: _Inner, steady: pd.DataFrame, rows: Int64, *, sum_to_zero: bool) -> LinearDesign | None:
    """The within-subject part: its columns carry the name of the contrast, its terms those of the formula."""
    repeated, changing = inner.repeated, inner.changing
    if not (repeated.intercept or repeated.terms):
        return None
    made = design_of(repeated, steady, sum_to_zero=sum_to_zero)
    changes = [values[:, 1] - values[:, 0] for values in changing.values()]
    matrix = np.column_stack([made.matrix, *changes])
    names = tuple(inner.contrast if name == INTERCEPT else f"{name}:{inner.contrast}" for name in made.names)
    names += tuple(f"change of {name}" for name in changing)
    refuse_inestimable(matrix, names)
    full = term_titles(inner.parsed.terms)
    titles = [
        t for t, term in zip(full, inner.parsed.terms, strict=True) if any(inner.within in f.variables for f in term)
    ]
    titles.sort(key=lambda title: title != inner.within)  # the intercept of the part comes first
    terms = [Term(title, term.columns) for title, term in zip(titles, made.terms, strict=True)]
    terms += [Term(f"change of {name}", (made.matrix.shape[1] + k,)) for k, name in enumerate(changing)]
    return LinearDesign(read_only(matrix), names, tuple(terms), rows[:, 0], None, None, (), sum_to_zero=sum_to_zero)
