"""Tables of region names: TSV, CSV, FSL and SPM XML, FreeSurfer and ITK-SNAP colour tables, plain lists."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from ..atlas_build import Colour, Row
from ..atlas_names import side_of, words_of
from ..problems import Problem
from .files import reading, regular_file

MAX_BYTES = 8_000_000
MAX_LABEL = 2**31 - 1
COLUMNS = "give it the columns 'index' and 'name'"

INDEX_NAMES = (
    *("index", "id", "value", "key", "no", "number", "intensity", "idx", "label id", "labelid", "label index"),
    *("region index", "region id", "roi index", "roi id", "roi number", "roi label", "label"),
)
NAME_NAMES = (
    *("name", "region", "region name", "label name", "labelname", "roi name", "structure"),
    *("label", "description"),
)
ABBREVIATION_NAMES = ("abbreviation", "abbr", "acronym", "short name")
SIDE_NAMES = ("side", "hemisphere", "hemi")
COLOUR_NAMES = ("colour", "color", "hex")
RED_NAMES, GREEN_NAMES, BLUE_NAMES = ("r", "red"), ("g", "green"), ("b", "blue")

_ITK_SNAP = re.compile(r'\s*(?P<i>\d+)\s+(?P<r>\d+)\s+(?P<g>\d+)\s+(?P<b>\d+)\s+\S+\s+\d+\s+\d+\s+"(?P<n>.*)"\s*')
_FREESURFER = re.compile(r"\s*(?P<i>\d+)\s+(?P<n>\S.*?)\s+(?P<r>\d+)\s+(?P<g>\d+)\s+(?P<b>\d+)\s+\d+\s*")


class LabelTable(NamedTuple):
    """Rows of a label table, and whether its indices count the volumes of a probabilistic atlas from 0."""

    rows: tuple[Row, ...]
    zero_based: bool = False


def read_label_table(path: Path) -> LabelTable:
    """Read a table of region names, whatever its kind.

    Parameters
    ----------
    path : Path
        Text in UTF-8 or UTF-16 (with or without a byte order mark) or Latin-1. A table needs no header: the
        first column of whole numbers is the label, the first other column the name. A plain list of names
        is numbered from 1.

    Raises
    ------
    Problem
        When it cannot be read, names no labels, or names one label twice.
    """
    text = _text(path)
    table = _xml(path, text) if text.lstrip().startswith("<") else LabelTable(_lines(path, text))
    if not table.rows:
        raise Problem(path, "names no labels", COLUMNS)
    _one_name_each(path, table.rows)
    return table


def _text(path: Path) -> str:
    """Content of a text file of moderate size."""
    stamp = regular_file(path)
    if stamp.size > MAX_BYTES:
        raise Problem(path, f"has {stamp.size / 1e6:.0f} MB, too much for a table of names", COLUMNS)
    with reading(path):
        data = path.read_bytes()
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not wide and b"\0" in data:
        raise Problem(path, "is not a text file", "name a table of labels (TSV, CSV, XML or a colour table)")
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "latin-1"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Problem(path, "is not readable text", "save it as UTF-8")


def _xml(path: Path, text: str) -> LabelTable:
    """FSL's atlas XML (index as an attribute) or SPM's (index and name as elements)."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Problem(path, "defines XML entities, which no label table needs", "remove its DOCTYPE")
    try:
        root = ET.fromstring(text)  # noqa: S314 - entities are refused above
    except ET.ParseError as error:
        raise Problem(path, f"is not valid XML ({error})", "save it again") from error
    rows: list[Row] = []
    for element in root.iter("label"):
        index = element.get("index") or element.findtext("index")
        name = element.findtext("name") if element.get("index") is None else element.text
        if index is None or not (name or "").strip():
            continue
        rows.append(Row(_label(path, index, len(rows) + 1), (name or "").strip()))
    kind = root.findtext("header/type") or ""
    return LabelTable(tuple(rows), zero_based=kind.casefold().startswith("prob"))


def _lines(path: Path, text: str) -> tuple[Row, ...]:
    """Rows of a table of lines."""
    lines = [(n, line) for n, line in enumerate(text.splitlines(), start=1) if line.strip()]
    lines = [(n, line) for n, line in lines if not line.lstrip().startswith("#")]
    for pattern in (_ITK_SNAP, _FREESURFER):
        matches = [(n, pattern.fullmatch(line)) for n, line in lines]
        if lines and all(match for _, match in matches):
            return tuple(_matched(path, n, match) for n, match in matches if match)
    return tuple(_rows(path, _cells(path, lines)))


def _matched(path: Path, line: int, match: re.Match[str]) -> Row:
    """Row of a colour table."""
    colour = _colour([match["r"], match["g"], match["b"]])
    return Row(_label(path, match["i"], line), match["n"].strip(), colour=colour)


def _cells(path: Path, lines: Sequence[tuple[int, str]]) -> list[tuple[int, list[str]]]:
    """Line number and cells of each row, parted by the delimiter that the first line has."""
    first = lines[0][1] if lines else ""
    delimiter = next((d for d in "\t,;" if d in first), None)
    if delimiter is not None:
        reader = csv.reader((line for _, line in lines), delimiter=delimiter)
        try:
            return [(lines[reader.line_num - 1][0], [cell.strip() for cell in row]) for row in reader]
        except csv.Error as error:
            raise Problem(path, f"is no readable table ({error})", COLUMNS) from error
    pairs = [(n, line.strip().split(maxsplit=1)) for n, line in lines]
    numbered = all(len(pair) == 2 and _whole(pair[0]) is not None for _, pair in pairs)
    return pairs if numbered else [(n, [line.strip()]) for n, line in lines]


def _rows(path: Path, cells: list[tuple[int, list[str]]]) -> Iterator[Row]:
    """Rows of a delimited table, with or without a header."""
    if not cells:
        return
    width = max(len(row) for _, row in cells)
    cells = [(line, row + [""] * (width - len(row))) for line, row in cells]
    header = [" ".join(words_of(cell)) for cell in cells[0][1]]
    has_header = any(name in _ALL_NAMES for name in header) and all(_whole(cell) is None for cell in cells[0][1])
    body = cells[1:] if has_header else cells
    pick = _columns(header if has_header else None, [row for _, row in body])
    if body and pick.name is None:
        raise Problem(path, "has no column of names", COLUMNS)
    for count, (line, row) in enumerate(body, start=1):
        yield _row(row, count if pick.number is None else _label(path, row[pick.number], line), pick)


def _row(row: list[str], index: int, pick: _Columns) -> Row:
    """Row of a delimited table; a column of abbreviations or sides means that the name stands for itself."""
    name = row[pick.name or 0]
    side = None if pick.side is None else side_of(row[pick.side])
    label = name if pick.abbreviation is None else row[pick.abbreviation] or name
    explicit = pick.abbreviation is not None or side is not None
    return Row(index, label, name if explicit else "", side, _colour([row[c] for c in pick.colour]))


class _Columns(NamedTuple):
    """Where the parts of a row stand."""

    number: int | None
    name: int | None
    abbreviation: int | None = None
    side: int | None = None
    colour: tuple[int, ...] = ()


_ALL_NAMES = {*INDEX_NAMES, *NAME_NAMES, *ABBREVIATION_NAMES, *SIDE_NAMES, *COLOUR_NAMES}


def _columns(header: list[str] | None, rows: list[list[str]]) -> _Columns:
    """Find the columns by the header, or by what they hold."""
    width = len(rows[0]) if rows else 0
    whole = [all(_whole(row[c]) is not None for row in rows) for c in range(width)]
    if header is None:
        index = next((c for c in range(width) if whole[c]), None)
        name = next((c for c in range(width) if not whole[c] and any(row[c] for row in rows)), None)
        after = range(0 if name is None else name + 1, width - 2)
        start = next((c for c in after if whole[c] and whole[c + 1] and whole[c + 2]), None)
        return _Columns(index, name, colour=() if start is None else (start, start + 1, start + 2))

    def find(names: tuple[str, ...], fits: Callable[[int], bool] = lambda _: True) -> int | None:
        return next((header.index(n) for n in names if n in header and fits(header.index(n))), None)

    # a column called "label" holds numbers in some tables and names in others
    index = find(INDEX_NAMES, lambda c: header[c] != "label" or whole[c])
    colour = find(COLOUR_NAMES)
    parts = tuple(c for c in map(find, (RED_NAMES, GREEN_NAMES, BLUE_NAMES)) if c is not None)
    return _Columns(
        index,
        find(NAME_NAMES, lambda c: c != index),
        find(ABBREVIATION_NAMES),
        find(SIDE_NAMES),
        (colour,) if colour is not None else parts,
    )


def _whole(cell: str) -> int | None:
    """The whole number in a cell, also when it is written as 13.0; None for anything else."""
    match = re.fullmatch(r"\s*([+-]?\d{1,10})(?:\.0*)?\s*", cell)
    return int(match[1]) if match else None


def _label(path: Path, cell: str, line: int) -> int:
    """The label in a cell."""
    value = _whole(cell)
    if value is None or not 0 <= value <= MAX_LABEL:
        raise Problem(path, f"line {line} has {cell[:40]!r} where a label (0, 1, 2, ...) is due", "correct that line")
    return value


def _colour(cells: list[str]) -> Colour | None:
    """Colour of three numbers from 0 to 255 or of one cell with #rrggbb; None for anything else."""
    if len(cells) == 1 and re.fullmatch(r"#?[0-9a-fA-F]{6}", cells[0]):
        red, green, blue = bytes.fromhex(cells[0].lstrip("#"))
        return red, green, blue
    values = [_whole(cell) for cell in cells]
    inside = [value for value in values if value is not None and 0 <= value <= 255]
    return (inside[0], inside[1], inside[2]) if len(values) == len(inside) == 3 else None


def _one_name_each(path: Path, rows: tuple[Row, ...]) -> None:
    """Refuse a table that names one label twice."""
    seen: dict[int, str] = {}
    for row in rows:
        if seen.setdefault(row.index, row.label) != row.label:
            what = f"names the label {row.index} twice ({seen[row.index]!r} and {row.label!r})"
            raise Problem(path, what, "leave one name for each label")
