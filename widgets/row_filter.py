"""Filters of rows as people type them: words, and conditions such as ``arm=ketamine age>40``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne

from .numbers import parse_number
from .value_model import Cell

_CONDITION = re.compile(r'([^\s=<>!~"]+)\s*(>=|<=|!=|=|>|<|~)\s*("[^"]*"|\S+)')
_WORD = re.compile(r'"([^"]*)"|(\S+)')
_BY_SIZE: dict[str, Callable[[float, float], bool]] = {"=": eq, "!=": ne, ">": gt, ">=": ge, "<": lt, "<=": le}


@dataclass(frozen=True)
class Condition:
    """A column (by number), how it is compared, and with what."""

    column: int
    sign: str
    value: str

    def holds(self, cells: Sequence[Cell]) -> bool:
        """Whether a row meets it; a row without a value meets only ``!=``."""
        cell = cells[self.column]
        if cell is None or (isinstance(cell, float) and math.isnan(cell)) or cell == "":
            return self.sign == "!="
        if isinstance(cell, str) or self.sign == "~":
            return self._holds_for_text(str(cell).casefold())
        try:
            return _BY_SIZE[self.sign](float(cell), parse_number(self.value))
        except ValueError:
            return self.sign == "!="

    def _holds_for_text(self, text: str) -> bool:
        value = self.value.casefold()
        if self.sign == "~":
            return value in text
        return {"=": text == value, "!=": text != value, ">": text > value, "<": text < value}.get(
            self.sign, text == value or (text > value) == (self.sign == ">=")
        )


@dataclass(frozen=True)
class RowFilter:
    """Words that must occur in a row, and conditions that must hold.

    Attributes
    ----------
    words : tuple of str
    conditions : tuple of Condition
    problem : str
        What of the text is not understood; empty when all is.
    """

    words: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    problem: str = ""

    def keeps(self, cells: Sequence[Cell]) -> bool:
        """Whether a row is shown."""
        if not all(condition.holds(cells) for condition in self.conditions):
            return False
        text = " ".join(cell for cell in cells if isinstance(cell, str)).casefold()
        return all(word in text for word in self.words)


def row_filter(text: str, columns: Mapping[str, int]) -> RowFilter:
    """Understand a filter.

    Parameters
    ----------
    text : str
        Words and conditions; a word or a value with spaces stands in quotes. Signs are = != > >= < <= and ~ (contains).
    columns : mapping of str to int
        Numbers of columns by name; capitals do not matter, and the beginning of a name is enough when it is alone.
    """
    conditions: list[Condition] = []
    unknown: list[str] = []

    def take(found: re.Match[str]) -> str:
        column = _column(found[1], columns)
        if column is None:
            unknown.append(found[1])
        else:
            conditions.append(Condition(column, found[2], found[3].strip('"')))
        return " "

    rest = _CONDITION.sub(take, text)
    words = tuple((quoted or word).casefold() for quoted, word in _WORD.findall(rest))
    problem = f"There is no column {unknown[0]}." if unknown else ""
    return RowFilter(tuple(filter(None, words)), tuple(conditions), problem)


def _column(name: str, columns: Mapping[str, int]) -> int | None:
    wanted = name.casefold()
    named = {known.casefold(): number for known, number in columns.items()}
    if wanted in named:
        return named[wanted]
    near = {number for known, number in named.items() if known.startswith(wanted)}
    return near.pop() if len(near) == 1 else None
