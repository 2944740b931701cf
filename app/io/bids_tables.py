"""Tables of a study, read so that one bad cell costs that cell: what is wrong is said, the rest is kept.

`study_table.read_table` refuses such a table as a whole, which is right for the one table of a model.
"""

from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..problems import Finding, Problem
from .files import reading, regular_file
from .study_table import MISSING

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 50_000_000
SHOWN = 10

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|\.\d+)([eE][+-]?\d+)?")
_NAME_IN_DIGITS = re.compile(r"0\d+")


class TextTable(NamedTuple):
    """A table as text.

    Attributes
    ----------
    path : Path
    frame : DataFrame
        Columns of text; None where a value is missing (``n/a``, ``NA``, ``NaN`` or nothing).
    findings : tuple of Finding
        Rows and columns left out.
    """

    path: Path
    frame: pd.DataFrame
    findings: tuple[Finding, ...]


def read_text_table(path: Path) -> TextTable:
    """Read a TSV or CSV with a header row as text.

    Rows of another length than the header, columns without a name and second columns of one name are left out and
    said. Text that is not UTF-8 is read as Windows-1252, and said.

    Raises
    ------
    Problem
        When it cannot be read, is too large, is no table, or has no header.
    """
    import pandas as pd  # noqa: PLC0415 - slow to import

    text, findings = _text(path)
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    separator = "\t" if path.suffix.lower() == ".tsv" else max("\t,;", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise Problem(path, f"is not a table ({error})", "give a tab-separated file with a header row") from error
    cells = [[cell.strip() for cell in row] for row in rows]
    while cells and not any(cells[-1]):
        cells.pop()
    if not cells or not any(cells[0]):
        raise Problem(path, "is empty", "give a header row and one row per person or scan")
    header, kept = cells[0], []
    for number, row in enumerate(cells[1:], start=2):
        if len(row) == len(header):
            kept.append(row)
        elif row:
            message = f"Line {number} has {len(row)} fields where the header has {len(header)}; it is left out."
            findings.append(Finding("row-length", str(path), number, message))
    columns: dict[str, list[str | None]] = {}
    for index, name in enumerate(header):
        values = [None if row[index] in MISSING else row[index] for row in kept]
        if name and name not in columns:
            columns[name] = values
        elif any(value is not None for value in values):
            message = f"Column {index + 1} {f'is a second {name}' if name else 'has no name'}; it is left out."
            findings.append(Finding("column-name", str(path), index + 1, message))
    return TextTable(path, pd.DataFrame(columns, dtype=object), tuple(findings))


class Numbers(NamedTuple):
    """A column of text as numbers.

    Attributes
    ----------
    values : (n,) list of float
        NaN where there is none.
    refused : tuple of int
        Rows whose text is no number.
    """

    values: list[float]
    refused: tuple[int, ...]


def as_numbers(texts: list[str | None]) -> Numbers | None:
    """A column as numbers, when half of what it says is numbers; None when it is text.

    A decimal comma counts as meant for a number and is refused: ``1,234`` can be two things. Names in digits
    (``007``) are text.
    """
    known = [text for text in texts if text is not None]
    meant = [text for text in known if _NUMBER.fullmatch(text)]
    if not known or 2 * len(meant) < len(known) or any(_NAME_IN_DIGITS.fullmatch(text) for text in known):
        return None
    values = [_number(text) for text in texts]
    refused = tuple(i for i, (text, value) in enumerate(zip(texts, values, strict=True)) if text and math.isnan(value))
    return Numbers(values, refused)


def listed(names: list[str]) -> str:
    """A few of many names in words: ``a, b and 3 more``."""
    if len(names) <= SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[:SHOWN])} and {len(names) - SHOWN} more"


def _number(text: str | None) -> float:
    if text is None or "," in text or not _NUMBER.fullmatch(text):
        return math.nan
    value = float(text)
    return value if math.isfinite(value) else math.nan


def _text(path: Path) -> tuple[str, list[Finding]]:
    if regular_file(path).size > MAX_BYTES:
        raise Problem(path, f"is larger than {MAX_BYTES // 1_000_000} MB", "name the table of a study")
    with reading(path):
        raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Problem(path, "is UTF-16 text", "save it as UTF-8")
    if b"\0" in raw:
        raise Problem(path, "is not text", "name a table in TSV or CSV")
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"Line {line} is not UTF-8; the table is read as Windows-1252: check letters with accents."
        return raw.decode("cp1252", errors="replace"), [Finding("encoding", str(path), line, message)]
