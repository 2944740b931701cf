"""The table of a study: one row per scan or person, columns of text and numbers."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from ..problems import Problem
from .files import reading

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 50_000_000
MISSING = frozenset({"", "n/a", "N/A", "NA", "NaN", "nan"})  # "None" is a word: no medication, say

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d{1,15}")
_NAME_IN_DIGITS = re.compile(r"0\d+")  # 007 is a person, not the number 7
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


class StudyTable(NamedTuple):
    """A table as it stands in a file.

    Attributes
    ----------
    path : Path
    frame : pandas.DataFrame
        One row per line, in order. Columns are float64 or int64 where every value is a number, else text; missing
        values (``n/a``, ``NA``, ``NaN`` or nothing) are NaN.
    """

    path: Path
    frame: pd.DataFrame


def read_table(path: str | Path) -> StudyTable:
    """Read a TSV or CSV with a header row, in UTF-8 with or without a byte order mark.

    A column whose values have leading zeros (``007``) is text. Columns without a name are left out when they are
    empty or count the rows, as exports from R, pandas and spreadsheets have them.

    Raises
    ------
    Problem
        Not readable, too large, not UTF-8, no header or no rows, rows of another length than the header, a column
        that occurs twice or has no name, decimal commas.
    """
    import pandas as pd  # noqa: PLC0415 - slow to import

    path = Path(path)
    header, rows = _cells(path, _text(path))
    columns: dict[str, list[str]] = {}
    for name, values in zip(header, zip(*rows, strict=True), strict=True):
        if name in columns:
            raise Problem(path, f"has two columns named {name}", "rename one of them")
        if name:
            columns[name] = list(values)
        elif not _is_idle(values):
            raise Problem(path, "has a column without a name", "name it in the header row")
    if not columns:
        raise Problem(path, "has no column with a name", "give a table with a header row")
    return StudyTable(path, pd.DataFrame({name: _column(path, name, values) for name, values in columns.items()}))


def column_of(table: StudyTable, column: str) -> pd.Series:
    """One column by name.

    Raises
    ------
    Problem
        When there is none, with names that look alike.
    """
    names = [str(name) for name in table.frame.columns]
    if column not in names:
        near = difflib.get_close_matches(column, names, n=4, cutoff=0.5) or names[:8]
        raise Problem(table.path, f"has no column {column}", f"choose from {', '.join(near)}")
    return cast("pd.Series", table.frame[column])


def paths_of(table: StudyTable, column: str, rows: Iterable[int] | None = None) -> tuple[Path, ...]:
    """Files that a column names, relative to the table's folder, in the order of the rows.

    Parameters
    ----------
    table : StudyTable
    column : str
    rows : iterable of int, optional
        Only these, counted from 0; all when not given.

    Raises
    ------
    Problem
        No such column, an empty cell, or a file that is not there; rows are counted from 1 without the header.
    """
    values = column_of(table, column)
    paths: list[Path] = []
    for row in range(len(values)) if rows is None else rows:
        value = values.iloc[row]
        if not isinstance(value, str):
            raise Problem(table.path, f"row {row + 1} names no file in column {column}", "name one or take the row out")
        path = table.path.parent / value
        if not path.is_file():
            raise Problem(table.path, f"row {row + 1} names {value}, which is not there", "correct the path")
        paths.append(path)
    return tuple(paths)


def _text(path: Path) -> str:
    with reading(path):
        if path.stat().st_size > MAX_BYTES:
            raise Problem(path, f"is larger than {MAX_BYTES // 1_000_000} MB", "name the table of a study")
        raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Problem(path, "is UTF-16 text", "save it as UTF-8")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        what = f"is not UTF-8 text (line {line}, byte 0x{raw[error.start]:02x}; Windows-1252 or another old encoding)"
        raise Problem(path, what, "save it as UTF-8") from error
    if "\0" in text:
        raise Problem(path, "is not text", "name a table in TSV or CSV")
    return text


def _cells(path: Path, text: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows, all of one length; blank lines are left out."""
    first = text.lstrip("\n").partition("\n")[0]
    separator = max("\t,;", key=first.count) if path.suffix.lower() != ".tsv" else "\t"
    rows: list[list[str]] = []
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not cells:
                continue
            if rows and len(cells) != len(rows[0]):
                what = f"line {reader.line_num} has {len(cells)} fields where the header has {len(rows[0])}"
                raise Problem(path, what, "give every row as many fields as the header")
            rows.append(cells)
    except csv.Error as error:
        raise Problem(path, f"is not a table ({error})", "give a tab-separated file with a header row") from error
    while rows and not any(rows[-1]):  # as spreadsheets leave them at the end; between others it is a row
        rows.pop()
    if len(rows) < 2:
        raise Problem(path, "has no rows" if rows else "is empty", "give a header row and one row per scan")
    return rows[0], rows[1:]


def _is_idle(values: tuple[str, ...]) -> bool:
    """Whether a column is empty or counts the rows."""
    counted = [[str(number + first) for number in range(len(values))] for first in (0, 1)]
    return not any(values) or list(values) in counted


def _column(path: Path, name: str, values: list[str]) -> pd.Series:
    import pandas as pd  # noqa: PLC0415 - slow to import

    known = [value for value in values if value not in MISSING]
    numbers = all(_NUMBER.fullmatch(value) for value in known) and bool(known)
    if numbers and not any(_NAME_IN_DIGITS.fullmatch(value) for value in known):
        whole = len(known) == len(values) and all(_WHOLE.fullmatch(value) for value in values)
        if whole:
            return pd.Series([int(value) for value in values], dtype="int64")
        return pd.Series([float("nan") if value in MISSING else float(value) for value in values], dtype="float64")
    with_comma = [value for value in known if _DECIMAL_COMMA.fullmatch(value)]
    if with_comma and all(_NUMBER.fullmatch(value) for value in known if value not in with_comma):
        raise Problem(path, f"has decimal commas in column {name} ({with_comma[0]})", "use decimal points")
    return pd.Series([None if value in MISSING else value for value in values], dtype="str")
