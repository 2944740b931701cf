"""From a table and a formula to a design matrix that can be estimated.

Rows with a missing value in a column that the formula uses are left out, each listed with its reason. A design with
columns that depend on each other, or with as many columns as rows, is refused and says which.
"""

from __future__ import annotations

import difflib
import warnings
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
import pandas as pd
from formulaic import ModelSpec, SimpleFormula
from formulaic.parser.types import Factor as ParsedFactor
from formulaic.parser.types import Term as ParsedTerm
from formulaic.transforms.contrasts import C, SumContrasts, TreatmentContrasts

from . import formulas
from .arrays import Float64, Int64, read_only
from .collinear import dependent_columns
from .errors import CannotCompute
from .formula_values import Categories, evaluate, is_categorical, missing

INTERCEPT = "Intercept"


class Term(NamedTuple):
    """A term of the formula: its variables joined by ``:`` in the formula's order, and its columns of the design."""

    name: str
    columns: tuple[int, ...]


class Dropped(NamedTuple):
    """A row of the table (from 0) that was left out, and why."""

    row: int
    reason: str


@dataclass(frozen=True, eq=False)
class LinearDesign:
    """A design matrix.

    Attributes
    ----------
    matrix : (n, p) float64, read-only
        Of full rank, n > p.
    names : tuple of str
        Of the columns.
    terms : tuple of Term
        The intercept, when there is one, is the term ``Intercept``.
    rows : (n,) int64, read-only
        Rows of the table that were kept.
    response : str or None
        Left side of the formula.
    outcome : (n,) float64 or None
        Values of the left side, where it is made of columns of numbers.
    dropped : tuple of Dropped
    voxelwise : tuple of str
        Covariates with a value of their own in every voxel: columns p, p + 1, ... of the whole model, each a term.
    sum_to_zero : bool
        Whether categorical factors are coded to sum to zero.
    """

    matrix: Float64
    names: tuple[str, ...]
    terms: tuple[Term, ...]
    rows: Int64
    response: str | None
    outcome: Float64 | None
    dropped: tuple[Dropped, ...]
    voxelwise: tuple[str, ...] = ()
    sum_to_zero: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns that a contrast weighs: those of the matrix, then the voxelwise covariates."""
        return self.names + self.voxelwise


def linear_design(
    table: pd.DataFrame, formula: str, *, sum_to_zero: bool = False, voxelwise: tuple[str, ...] = ()
) -> LinearDesign:
    """Build the design matrix of a formula on a table.

    Text, true or false, and ``C(...)`` are categorical: treatment coding against the first level, or the coding that
    ``C(x, Sum)`` and ``C(x, Treatment('level'))`` ask for. Levels that occur in no kept row are forgotten.

    Parameters
    ----------
    table : DataFrame
        One row per scan.
    formula : str
        See `formulas.parse`. The left side may be missing or no column of the table.
    sum_to_zero : bool
        Code every categorical factor so that its effects sum to zero, which is what the terms of a type III analysis
        of variance need.
    voxelwise : tuple of str
        Names of covariates given per voxel; the formula may have them as terms of their own.

    Raises
    ------
    CannotCompute
        When the formula is none, a column is unknown, has one value only or depends on others, or rows are too few.
    """
    return design_of(formulas.parse(formula), table, sum_to_zero=sum_to_zero, voxelwise=voxelwise)


def design_of(
    parsed: formulas.Formula, table: pd.DataFrame, *, sum_to_zero: bool = False, voxelwise: tuple[str, ...] = ()
) -> LinearDesign:
    """As `linear_design`, of a formula in parts."""
    parsed = _without_voxelwise(parsed, voxelwise)
    table = table.rename(columns=str).reset_index(drop=True)
    known = parsed.response is not None and all(name in table for name in parsed.response.variables)
    left = parsed.response.variables if parsed.response and known else ()
    refuse_unknown(parsed.variables, table)
    rows, dropped = complete_rows(table, tuple(dict.fromkeys((*left, *parsed.variables))))
    kept = table.iloc[rows]
    matrix, names, terms = _matrix(parsed, kept, sum_to_zero=sum_to_zero)
    refuse_inestimable(matrix, names, voxelwise, dropped)
    return LinearDesign(
        matrix=read_only(matrix),
        names=names,
        terms=(*terms, *(Term(name, (len(names) + k,)) for k, name in enumerate(voxelwise))),
        rows=read_only(rows),
        response=parsed.response.text if parsed.response else None,
        outcome=_outcome(parsed.response, kept) if parsed.response and known else None,
        dropped=dropped,
        voxelwise=voxelwise,
        sum_to_zero=sum_to_zero,
    )


def _without_voxelwise(parsed: formulas.Formula, voxelwise: tuple[str, ...]) -> formulas.Formula:
    """The formula without the terms that are voxelwise covariates."""
    terms = tuple(term for term in parsed.terms if not (len(term) == 1 and term[0].text in voxelwise))
    parsed = parsed._replace(terms=terms)
    for name in voxelwise:
        if name in parsed.variables:
            raise CannotCompute(
                f"'{name}' is a voxelwise covariate inside another term", "give it as a term of its own"
            )
    return parsed


def refuse_unknown(names: tuple[str, ...], table: pd.DataFrame) -> None:
    """Raise for a name that is no column of the table, with names that are near."""
    for name in names:
        if name not in table:
            near = difflib.get_close_matches(name, list(table.columns), n=3, cutoff=0.5)
            listed = ", ".join(near or table.columns)
            raise CannotCompute(f"the table has no column '{name}'", f"{'near' if near else 'it has'}: {listed}")
        if isinstance(table[name], pd.DataFrame):
            raise CannotCompute(f"the table has several columns '{name}'", "rename all but one")


def complete_rows(table: pd.DataFrame, names: tuple[str, ...]) -> tuple[Int64, tuple[Dropped, ...]]:
    """Rows with a value in every named column, and the others."""
    gaps = {name: missing(table[name]) for name in names}
    any_gap = np.zeros(len(table), np.bool_)
    for gap in gaps.values():
        any_gap |= gap
    dropped = tuple(
        Dropped(int(row), ", ".join(f"{name} is missing" for name in names if gaps[name][row]))
        for row in np.flatnonzero(any_gap)
    )
    return np.flatnonzero(~any_gap).astype(np.int64), dropped


def _matrix(
    parsed: formulas.Formula, table: pd.DataFrame, *, sum_to_zero: bool
) -> tuple[Float64, tuple[str, ...], tuple[Term, ...]]:
    """The matrix by formulaic, which only looks the values up: nothing of the formula is run."""
    if not len(table):
        raise CannotCompute("no row of the table is complete", "look at the missing values")
    values = {factor.text: _encoded(factor, table, sum_to_zero=sum_to_zero) for term in parsed.terms for factor in term}
    one = [ParsedTerm([ParsedFactor("1", eval_method="literal")])] * parsed.intercept
    terms = [ParsedTerm([ParsedFactor(f.text, eval_method="lookup") for f in term]) for term in parsed.terms]
    if not (one or terms):
        raise CannotCompute("the formula has no term", "write '~ 1' for a mean")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = SimpleFormula([*one, *terms], _ordering="none").get_model_matrix(
            pd.DataFrame(index=range(len(table))), context=values, na_action="ignore"
        )
    slices = [(s.start, s.stop) for s in cast("ModelSpec", made.model_spec).term_slices.values()]
    titles = [INTERCEPT] * len(one) + term_titles(parsed.terms)
    return (
        np.ascontiguousarray(made, np.float64),
        tuple(str(name) for name in made.columns),
        tuple(Term(t, tuple(range(*s))) for t, s in zip(titles, slices, strict=True)),
    )


def term_titles(terms: tuple[tuple[formulas.Factor, ...], ...]) -> list[str]:
    """Names of terms: ``C(x)`` is called by its variable, unless two terms would then have one name."""
    full = [":".join(factor.text for factor in term) for term in terms]
    short = [":".join(f.variables[0] if f.text.startswith("C(") else f.text for f in term) for term in terms]
    return [name if short.count(name) == 1 else long for name, long in zip(short, full, strict=True)]


def _encoded(factor: formulas.Factor, table: pd.DataFrame, *, sum_to_zero: bool) -> object:
    values = evaluate(factor, table)
    if not isinstance(values, Categories):
        return values if values.ndim == 1 else {str(k + 1): column for k, column in enumerate(values.T)}
    levels = values.values.cat.categories
    if len(levels) < 2:
        raise CannotCompute(
            f"'{factor.text}' is '{levels[0]}' in every row that is left", "leave it out of the formula"
        )
    if len(levels) == len(table):
        raise CannotCompute(f"'{factor.text}' has another value in every row", "leave it out, or make it numbers")
    if sum_to_zero or values.coding == "sum":
        return C(values.values, contrasts=SumContrasts())
    base = levels[0] if values.reference is None else values.reference
    return C(values.values, contrasts=TreatmentContrasts(base=base))


def _outcome(response: formulas.Factor, table: pd.DataFrame) -> Float64 | None:
    if any(is_categorical(table[name]) for name in response.variables):
        return None
    values = evaluate(response, table)
    return None if isinstance(values, Categories) or values.ndim > 1 else read_only(np.array(values))


def refuse_inestimable(
    matrix: Float64, names: tuple[str, ...], voxelwise: tuple[str, ...] = (), dropped: tuple[Dropped, ...] = ()
) -> None:
    """Raise when no residual degree of freedom is left or columns depend on each other."""
    n, columns = len(matrix), names + voxelwise
    if n <= (p := len(columns)):
        left_out = f" ({len(dropped)} rows with missing values left out)" if dropped else ""
        raise CannotCompute(
            f"{n} rows{left_out} cannot estimate {p} columns ({', '.join(columns)}): no residual degree of freedom",
            "use fewer terms or more scans",
        )
    involved = dependent_columns(matrix)
    if len(involved) == 1:
        raise CannotCompute(f"the column '{names[involved[0]]}' is zero in every row", "leave it out of the formula")
    if involved:
        listed = ", ".join(f"'{names[k]}'" for k in involved)
        raise CannotCompute(f"the columns {listed} depend on each other", "leave one of them out of the formula")
