"""Contrasts: which combinations of the columns of a design are asked for."""

from __future__ import annotations

import difflib
import re
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from .arrays import Float64, read_only
from .design import INTERCEPT, LinearDesign
from .errors import CannotCompute

_NUMBER = re.compile(r"\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"[\w.]+")
DEEPEST = 50  # brackets within brackets


class Contrast(NamedTuple):
    """A question to a model.

    Attributes
    ----------
    name : str
    weights : (q, p) float64, read-only
        Independent rows; one is a t test, several an F test.
    """

    name: str
    weights: Float64


def contrast(text: str, design: LinearDesign) -> Contrast:
    """Read a contrast.

    Parameters
    ----------
    text : str
        ``NAME=1 -1 0`` (weights of all columns, by spaces or commas), ``NAME=group[T.b] - 0.5*age`` (arithmetic of
        columns), ``NAME=0 1 0; 0 0 1`` (rows of an F test), or the name of a column or a term. The name may be
        left out.
    design : LinearDesign

    Raises
    ------
    CannotCompute
        When a name is unknown, weights are too few or too many, all are 0, or arithmetic is not linear.
    """
    name, asked = _named(text, design)
    rows = np.vstack([_row(row.strip(), design) for row in asked.split(";")])
    if not np.isfinite(rows).all() or not rows.any(axis=1).all():
        raise CannotCompute(f"the contrast '{text}' weighs nothing", f"weigh some of {_listed(design)}")
    return Contrast(name, read_only(_independent(rows)))


def term_contrasts(design: LinearDesign) -> tuple[Contrast, ...]:
    """One contrast for every term but the intercept: all its columns are 0.

    With a design of `sum_to_zero` these are the tests of a type III analysis of variance.
    """
    unit = np.eye(len(design.columns))
    return tuple(
        Contrast(term.name, read_only(unit[list(term.columns)])) for term in design.terms if term.name != INTERCEPT
    )


def _named(text: str, design: LinearDesign) -> tuple[str, str]:
    """Name and question; a column may have ``=`` in its name."""
    text = text.strip()
    if "=" not in text or text in design.columns:
        return text, text
    name, asked = (part.strip() for part in text.split("=", 1))
    if not name or not asked:
        raise CannotCompute(f"'{text}' is no contrast", "write NAME=weights or NAME=expression")
    return name, asked


def _row(text: str, design: LinearDesign) -> Float64:
    """Rows (q, p) of one part of a contrast: more than one only for a term with several columns."""
    bare = text.strip("`")
    terms = {term.name: term.columns for term in design.terms}
    if bare not in design.columns and bare in terms:
        return np.eye(len(design.columns))[list(terms[bare])]
    weights = _weights(text)
    if weights is None:
        return Parser(text, design).weights()[None]
    if len(weights) != len(design.columns):
        raise CannotCompute(
            f"the contrast '{text}' has {len(weights)} weights, the design {len(design.columns)} columns",
            f"give one weight for each of {_listed(design)}",
        )
    return weights[None]


def _weights(text: str) -> Float64 | None:
    """Plain numbers, such as ``1 -1/2 -1/2``; None when it is something else."""
    try:
        return np.array([float(Fraction(part)) for part in re.split(r"[,\s]+", text.strip(" ,"))])
    except (ValueError, ZeroDivisionError, OverflowError):
        return None


def _independent(rows: Float64) -> Float64:
    """The rows that are no combination of those before them: the F test is the same, its degrees of freedom right."""
    kept = rows[:0]
    for row in rows:
        longer = np.vstack([kept, row])
        if np.linalg.matrix_rank(longer / np.linalg.norm(longer, axis=1, keepdims=True)) == len(longer):
            kept = longer
    return kept


def _listed(design: LinearDesign) -> str:
    return ", ".join(design.columns)


class Parser:
    """Linear arithmetic of column names: ``+ - * / ( )`` and numbers, names in backticks when they need it.

    A value is an array (p + 1,): the weights and a number without a column.
    """

    def __init__(self, text: str, design: LinearDesign) -> None:
        self.text = text
        self.design = design
        self.at = 0
        self.depth = 0
        self.unit = np.eye(len(design.columns) + 1)
        self.columns = sorted(enumerate(design.columns), key=lambda item: -len(item[1]))
        self.single = {term.name: term.columns[0] for term in design.terms if len(term.columns) == 1}

    def weights(self) -> Float64:
        """The weights (p,) of the whole text."""
        value = self._sum()
        if self._peek():
            raise self._stray()
        if value[-1]:
            raise CannotCompute(f"the contrast '{self.text}' has a number without a column", "multiply it by a column")
        return value[:-1] + 0.0  # no minus zero

    def _peek(self) -> str:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.text[self.at : self.at + 1]

    def _take(self, characters: str) -> str:
        character = self._peek()
        if character and character in characters:
            self.at += 1
            return character
        return ""

    def _sum(self) -> Float64:
        value = self._product()
        while sign := self._take("+-"):
            value = value + (1 if sign == "+" else -1) * self._product()
        return value

    def _product(self) -> Float64:
        value = self._signed()
        while operator := self._take("*/"):
            other = self._signed()
            if operator == "/" and (other[:-1].any() or not other[-1]):
                raise CannotCompute(f"the contrast '{self.text}' divides by a column or by 0", "divide by a number")
            if operator == "/":
                value = value / other[-1]
            elif value[:-1].any() and other[:-1].any():
                raise CannotCompute(
                    f"the contrast '{self.text}' multiplies columns", "an interaction is a column itself"
                )
            else:
                value = value * other[-1] if value[:-1].any() else other * value[-1]
        return value

    def _signed(self) -> Float64:
        sign = 1
        while character := self._take("+-"):
            sign = -sign if character == "-" else sign
        return sign * self._operand()

    def _operand(self) -> Float64:
        found = self._column()
        if found is not None:
            column, self.at = found
            return self.unit[column]
        if self._take("("):
            return self._bracketed()
        number = _NUMBER.match(self.text, self.at)
        if not number:
            raise self._stray()
        self.at = number.end()
        return float(number[0]) * self.unit[-1]

    def _bracketed(self) -> Float64:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._stray()
        value = self._sum()
        if not self._take(")"):
            raise self._stray()
        self.depth -= 1
        return value

    def _column(self) -> tuple[int, int] | None:
        """The column whose name stands here, the longest one, and where its name ends."""
        if self._peek() == "`":
            end = self.text.find("`", self.at + 1)
            quoted = self.text[self.at + 1 : end]
            return (self._known(quoted), end + 1) if end > 0 else None
        for column, name in self.columns:
            if self._stands_here(name):
                return column, self.at + len(name)
        for name, column in self.single.items():
            if self._stands_here(name):
                return column, self.at + len(name)
        return None

    def _stands_here(self, name: str) -> bool:
        end = self.at + len(name)
        after = self.text[end : end + 1]
        return self.text.startswith(name, self.at) and not (after and (after in "[:" or _WORD.match(after)))

    def _known(self, name: str) -> int:
        for column, known in enumerate(self.design.columns):
            if known == name:
                return column
        if name in self.single:
            return self.single[name]
        raise self._unknown(name)

    def _stray(self) -> CannotCompute:
        rest = self.text[self.at :].strip()
        word = re.match(r"[\w.]+(?:\[[^\]]*\]|\([^)]*\))*", rest)
        if word and not _NUMBER.fullmatch(word[0]):
            return self._unknown(word[0])
        where = f"at '{rest}'" if rest else "before its end"
        return CannotCompute(f"the contrast '{self.text}' is wrong {where}", f"the columns are {_listed(self.design)}")

    def _unknown(self, name: str) -> CannotCompute:
        several = [term for term in self.design.terms if term.name == name and len(term.columns) > 1]
        if several:
            names = ", ".join(self.design.columns[k] for k in several[0].columns)
            return CannotCompute(f"'{name}' has several columns", f"ask for it alone, or use {names}")
        near = difflib.get_close_matches(name, self.design.columns, n=3, cutoff=0.6)
        hint = f"near: {', '.join(near)}; " if near else ""
        return CannotCompute(f"the design has no column '{name}'", f"{hint}it has {_listed(self.design)}")
