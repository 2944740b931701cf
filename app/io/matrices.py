"""Matrices of connections from tables of text."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..problems import Problem
from .files import reading, regular_file

ENDINGS = (".tsv", ".csv", ".txt")
NAMED = 8  # nodes listed in a sentence
SYMMETRIC_TO = 1e-6
_MAX_BYTES = 200_000_000
_MISSING = frozenset({"", "na", "n/a", "nan", "none", "null", "."})
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)
_ROW = re.compile(r"[-+.\deE ]*\d")  # numbers, or what `float` will not read

_Row = tuple[int, list[str]]  # number of the line, cells


class MatrixTable(NamedTuple):
    """A matrix from a file.

    Attributes
    ----------
    path : Path
    matrix : (R, R) float64
        Symmetric and finite, 1 on the diagonal whatever the file has there.
    names : tuple of str
        Of the nodes; 1, 2, ... where the file has none.
    """

    path: Path
    matrix: NDArray[np.float64]
    names: tuple[str, ...]


def is_matrix_name(path: str) -> bool:
    """Whether a name is one of a table of text."""
    return path.lower().endswith(ENDINGS)


def read_matrix(path: str | Path) -> MatrixTable:
    """Read a square matrix of numbers, with or without a header row and a column of labels.

    Fields are parted by tabs, else semicolons, else commas, else spaces, whichever the first line has. A row or column
    of labels is known by its text, by the empty corner, or by the matrix being one short of a square.

    Raises
    ------
    Problem
        Not readable, no numbers, decimal commas, not square, not symmetric to 1e-6, or nodes without values.
    """
    path = Path(path)
    rows = _rows(path)
    header, labels = _has_names(rows)
    body = rows[1:] if header else rows
    beside = [row[0] for _, row in body] if labels else None
    above = rows[0][1] if header else None
    if above is not None and beside is not None and len(above) > len(beside):
        above = above[1:]  # the corner, which R leaves out
    matrix = _numbers(path, [(line, row[1:] if labels else row) for line, row in body])
    names = _names(path, above, beside) or tuple(map(str, range(1, len(matrix) + 1)))
    np.fill_diagonal(matrix, 1.0)
    _check(path, matrix, names)
    return MatrixTable(path, (matrix + matrix.T) / 2, names)


def _rows(path: Path) -> list[_Row]:
    stamp = regular_file(path)
    if stamp.size > _MAX_BYTES:
        raise Problem(path, f"is larger than {_MAX_BYTES // 1_000_000} MB", "give a matrix of regions, not of voxels")
    try:
        with reading(path):
            text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem(path, "is not text in UTF-8", "export the matrix as TSV or CSV in UTF-8") from error
    lines = [(n, line) for n, line in enumerate(text.splitlines(), start=1) if line.strip() and line[0] != "#"]
    if not lines or "\0" in text:
        raise Problem(path, "holds no table", "give a TSV or CSV with a square matrix")
    first = lines[0][1]
    separator = next((mark for mark in "\t;," if mark in first), None)
    if separator is None:
        rows = [(n, line.split()) for n, line in lines]
    else:
        cells = csv.reader((line for _, line in lines), delimiter=separator, strict=True)
        try:
            rows = [(n, [cell.strip() for cell in row]) for (n, _), row in zip(lines, cells, strict=True)]
        except (csv.Error, ValueError) as error:
            raise Problem(path, "has an open quotation mark", "write each row on one line") from error
    return _without_last_separator(rows)


def _without_last_separator(rows: list[_Row]) -> list[_Row]:
    """Rows without the empty cell that a separator at the end of every line makes."""
    body = rows[1:] or rows
    wide = len(body[0][1])
    if wide > 1 and all(not row[-1] and len(row) == wide for _, row in body) and wide > len(rows):
        return [(n, row[:-1] if len(row) == wide else row) for n, row in rows]
    return rows


def _is_text(cell: str) -> bool:
    return cell.lower() not in _MISSING and not _NUMBER.fullmatch(cell) and not _DECIMAL_COMMA.fullmatch(cell)


def _has_names(rows: list[_Row]) -> tuple[bool, bool]:
    """Whether the first row and the first column hold names."""
    first, beside = rows[0][1], [row[0] for _, row in rows[1:]]
    header, labels = any(map(_is_text, first[1:])), any(map(_is_text, beside))
    height, width = len(rows), max(len(row) for _, row in rows[1:] or rows)
    if header or labels:
        # the other one may hold numbers: then what is left without it is a square
        return header or (height == width and _are_codes(first[1:])), labels or (height == width and _are_codes(beside))
    if _is_text(first[0]) or (not first[0] and rows[-1][1][-1]):
        return True, True
    return height == width + 1 and _are_codes(first), width == height + 1 and _are_codes([first[0], *beside])


def _are_codes(cells: list[str]) -> bool:
    """Whether numbers can be names: whole, and each another."""
    return all(cell.isdecimal() for cell in cells) and len(set(cells)) == len(cells)


def _names(path: Path, above: list[str] | None, beside: list[str] | None) -> tuple[str, ...]:
    """Names of the nodes: those of the rows, else of the columns."""
    if above and beside and above != beside and sorted(above) == sorted(beside):
        what = "names the same nodes in another order above and beside"
        raise Problem(path, what, "bring rows and columns into one order")
    return tuple(beside if beside is not None else above or ())


def _numbers(path: Path, rows: list[_Row]) -> NDArray[np.float64]:
    if not rows:
        raise Problem(path, "has no row of numbers", "give a square matrix, with or without names")
    width = max(len(row) for _, row in rows)
    for line, row in rows:
        _refuse_text(path, line, row)
    if len(rows) != width:
        raise Problem(path, f"has {len(rows)} rows and {width} columns of numbers", "give a square matrix")
    uneven = next((line for line, row in rows if len(row) != width), None)
    if uneven is not None:
        raise Problem(path, f"has fewer numbers in line {uneven} than in others", "give a square matrix")
    if width < 2:
        raise Problem(path, "has a single node", "give a matrix of at least 2 nodes")
    return np.array([[_number(cell) for cell in row] for _, row in rows])


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:  # one of the ways to say that there is none
        return np.nan


def _refuse_text(path: Path, line: int, row: list[str]) -> None:
    if _ROW.fullmatch(" ".join(row)):
        return  # the usual case, ten times quicker than cell by cell
    for column, cell in enumerate(row, start=1):
        if _DECIMAL_COMMA.fullmatch(cell):
            raise Problem(path, f"has decimal commas ({cell} in line {line})", "write numbers with decimal points")
        if _is_text(cell):
            what = f"has '{cell[:20]}' in line {line} where number {column} of a row should be"
            raise Problem(path, what, "give a matrix of numbers")


def _check(path: Path, matrix: NDArray[np.float64], names: tuple[str, ...]) -> None:
    """Refuse what no undirected graph can be made of."""
    if len(names) != len(matrix):
        raise Problem(path, f"has {len(names)} names for {len(matrix)} nodes", "name every node once")
    missing = ~np.isfinite(matrix)
    if missing.any():
        nodes = np.flatnonzero(_causing(missing))
        more = ", …" if len(nodes) > NAMED else ""
        listed = ", ".join(names[node] for node in nodes[:NAMED]) + more
        raise Problem(path, f"has no number for pairs with {listed}", "leave these nodes out, in row and column")
    apart = np.abs(matrix - matrix.T)
    if apart.max() > SYMMETRIC_TO:
        i, j = sorted(np.unravel_index(int(apart.argmax()), apart.shape))
        what = f"is not symmetric: {names[i]} and {names[j]} have {matrix[i, j]:g} and {matrix[j, i]:g}"
        raise Problem(path, what, "give an undirected matrix, or average it with its transpose")


def _causing(missing: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Nodes without most of their values; where there are none such, all that lack any."""
    either = missing | missing.T
    count = either.sum(axis=1)
    mostly = count > len(missing) / 2
    return mostly if mostly.any() else count > 0
