"""Repeated measures of a model: means of each subject's scans for some terms, differences for the others."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..stats import formulas
from ..stats.contrasts import Contrast, contrast, term_contrasts
from ..stats.design import INTERCEPT, LinearDesign, Term, refuse_inestimable
from ..stats.errors import CannotCompute
from ..stats.formula_values import Categories, evaluate, is_categorical
from ..stats.within import RepeatedDesign, repeated_design
from .io.study_table import StudyTable, column_of
from .model_parts import Laid, Part, factor_of, groups_of, refuse_twice, row_left_out
from .models import Model
from .problems import Finding, Problem

if TYPE_CHECKING:
    import pandas as pd

_WEIGHTS = re.compile(r"[\d\s,.;/eE+-]+")


def parts_within(model: Model, table: StudyTable, rows: NDArray[np.int64], findings: tuple[Finding, ...]) -> Laid:
    """The between- and the within-subject part of a model of repeated measures.

    Raises
    ------
    Problem
        Exchangeability blocks are asked for as well, or no test is left.
    CannotCompute
        The formula cannot be estimated.
    """
    if model.exchange is not None:
        todo = "leave --exchange out: whole subjects are exchanged"
        raise Problem("--exchange", "has no meaning with --within", todo)
    rows, unnamed = _named_rows(model, table, rows)
    frame = table.frame.iloc[rows].reset_index(drop=True)
    made = repeated_design(frame, model.formula, model.subject or "", model.within or "", sum_to_zero=model.terms)
    made = _with_voxelwise(model, made)
    left_out = tuple(Finding("subject-left-out", str(table.path), None, f"{each}.") for each in made.dropped)
    n_levels = len(made.levels)
    order = Finding("difference", str(table.path), None, f"Differences are {made.levels[1]} - {made.levels[0]}.")
    if n_levels > 2:
        message = (
            f"{model.within} has {n_levels} levels: its tests are F of repeated measures, p by Greenhouse and Geisser, "
            "not permuted."
        )
        order = Finding("repeated-measures", str(table.path), n_levels, message)
    used = np.unique(made.rows)
    place = np.searchsorted(used, made.rows)
    designs = [design for design in (made.between, made.within) if design is not None]
    asked = _asked(model, designs)
    refuse_twice([each for part in asked for each in part])
    terms = [term for design in designs for term in design.terms]
    parts: list[Part] = []
    for design, contrasts in zip(designs, asked, strict=True):
        factor = factor_of(model, table, rows[design.rows], terms)
        groups = groups_of(model, table, factor)
        if design is made.within and n_levels > 2:
            parts.append(Part(design, contrasts, repeated=made._replace(rows=place)))
            continue
        weights = (1 / n_levels,) * n_levels if design is made.between else (-1.0, 1.0)
        parts.append(Part(design, contrasts, _combination(place, len(used), weights), None, groups, factor=factor))
    outcome = _outcome(model, frame, used)
    kept = tuple(part for part in parts if part.contrasts)
    if not kept:
        what = f"the formula '{model.formula}' has nothing to test between or within subjects"
        raise Problem(table.path, what, f"add a term, such as {model.within}")
    return Laid(table, rows[used], kept, (*findings, *unnamed, *left_out, order), outcome)


def _named_rows(
    model: Model, table: StudyTable, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], tuple[Finding, ...]]:
    """Rows that say whose scan they are and which one, and the others."""
    findings: list[Finding] = []
    for column in (model.subject or "", model.within or ""):
        there = column_of(table, column).notna().to_numpy(bool)[rows]
        findings += [row_left_out(table, int(row), model, f"{column} is missing") for row in rows[~there]]
        rows = rows[there]
    return rows, tuple(findings)


def _with_voxelwise(model: Model, made: RepeatedDesign) -> RepeatedDesign:
    """Both parts with their columns of voxelwise covariates: means of a subject's images, and differences."""
    if not model.voxelwise:
        return made
    if len(made.levels) > 2:
        raise Problem("--voxelwise", "is not for more than two levels of --within", "leave one of them out")
    names = tuple(name for name, _ in model.voxelwise)
    return made._replace(
        between=_and_columns(made.between, names),
        within=_and_columns(made.within, tuple(f"change of {name}" for name in names)),
    )


def _and_columns(design: LinearDesign | None, names: tuple[str, ...]) -> LinearDesign | None:
    if design is None:
        return None
    if twice := set(names) & set(design.names):
        raise Problem("--voxelwise", f"{twice.pop()} is in the formula too", "leave it out of the formula")
    refuse_inestimable(design.matrix, design.names, names)
    terms = tuple(Term(name, (len(design.names) + k,)) for k, name in enumerate(names))
    return replace(design, voxelwise=names, terms=(*design.terms, *terms))


def _combination(place: NDArray[np.int64], n_rows: int, weights: tuple[float, ...]) -> NDArray[np.float64]:
    """What makes an observation of a subject's scans, (subjects, rows)."""
    combine = np.zeros((len(place), n_rows))
    for level, weight in enumerate(weights):
        combine[np.arange(len(place)), place[:, level]] += weight
    return combine


def _asked(model: Model, designs: list[LinearDesign]) -> list[tuple[Contrast, ...]]:
    """Contrasts of each part: those that are asked for, wherever their columns are."""
    if model.terms:
        return [term_contrasts(design) for design in designs]
    if not model.contrasts:
        named = [[name for name in design.columns if name != INTERCEPT] for design in designs]
        return [tuple(contrast(name, d) for name in names) for names, d in zip(named, designs, strict=True)]
    asked: list[list[Contrast]] = [[] for _ in designs]
    for text in model.contrasts:
        part, found = _one(text, designs)
        asked[part].append(found)
    return [tuple(each) for each in asked]


def _one(text: str, designs: list[LinearDesign]) -> tuple[int, Contrast]:
    """A contrast, and the part that has its columns; plain weights are of the columns of all parts together."""
    name, _, weights = text.partition("=")
    if weights and _WEIGHTS.fullmatch(weights):
        return _of_weights(name.strip(), weights, designs)
    refused: CannotCompute | None = None
    for part, design in enumerate(designs):
        try:
            return part, contrast(text, design)
        except CannotCompute as error:
            refused = error
    raise refused or CannotCompute(f"the contrast '{text}' has no part", "name a column")


def _of_weights(name: str, text: str, designs: list[LinearDesign]) -> tuple[int, Contrast]:
    sizes = [len(design.columns) for design in designs]
    rows = [[part for part in re.split(r"[\s,]+", row.strip()) if part] for row in text.split(";")]
    if any(len(row) != sum(sizes) for row in rows):
        listed = ", ".join(column for design in designs for column in design.columns)
        raise CannotCompute(f"the contrast '{name}' needs {sum(sizes)} weights", f"one for each of {listed}")
    start = 0
    for part, (design, size) in enumerate(zip(designs, sizes, strict=True)):
        own = [row[start : start + size] for row in rows]
        others = [value for row in rows for k, value in enumerate(row) if not start <= k < start + size]
        if all(float(value) == 0 for value in others):
            return part, contrast(f"{name}={'; '.join(' '.join(row) for row in own)}", design)
        start += size
    raise CannotCompute(f"the contrast '{name}' mixes means and differences of subjects", "ask for them one by one")


def _outcome(model: Model, frame: pd.DataFrame, used: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Left side of the formula, where it is made of columns of numbers."""
    left = formulas.parse(model.formula).response
    if left is None or any(name not in frame.columns or is_categorical(frame[name]) for name in left.variables):
        return None
    values = evaluate(left, frame.iloc[used])
    return None if isinstance(values, Categories) or values.ndim > 1 else np.asarray(values, np.float64)
