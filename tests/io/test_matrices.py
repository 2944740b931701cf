"""Matrices of connections as people save them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from habena.app.io.matrices import MatrixTable, read_matrix
from habena.app.problems import Problem

R = np.array([[1, 0.5, -0.25], [0.5, 1, 1e-3], [-0.25, 1e-3, 1]])
NAMES = ("Thalamus L", "Thalamus R", "Insula, posterior")


def read(folder: Path, text: str | bytes, name: str = "m.tsv") -> MatrixTable:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_matrix(path)


def refusal(folder: Path, text: str | bytes, name: str = "m.tsv") -> str:
    with pytest.raises(Problem) as refused:
        read(folder, text, name)
    return str(refused.value)


@pytest.mark.parametrize("separator", ["\t", ",", ";"])
@pytest.mark.parametrize(("header", "labels"), [(True, True), (True, False), (False, True), (False, False)])
def test_tables_with_and_without_names_are_read(tmp_path: Path, separator: str, header: bool, labels: bool) -> None:
    frame = pd.DataFrame(R, index=NAMES, columns=NAMES)
    text = frame.to_csv(sep=separator, header=header, index=labels)
    found = read(tmp_path, text, "m.csv")
    np.testing.assert_array_equal(found.matrix, R)
    assert found.names == (NAMES if header or labels else ("1", "2", "3"))


@pytest.mark.parametrize(("header", "labels"), [(True, True), (True, False), (False, True)])
def test_names_that_are_numbers_are_known_by_the_shape_or_the_empty_corner(
    tmp_path: Path, header: bool, labels: bool
) -> None:
    names = ["4001", "4002", "7101"]
    frame = pd.DataFrame(R, index=names, columns=names)
    found = read(tmp_path, frame.to_csv(sep="\t", header=header, index=labels))
    np.testing.assert_array_equal(found.matrix, R)
    assert found.names == tuple(names)


def test_what_r_and_numpy_and_excel_write_is_read(tmp_path: Path) -> None:
    by_r = '"V1"\t"V2"\t"V3"\n' + "".join(
        f'"{n}"\t' + "\t".join(map(str, row)) + "\n" for n, row in zip("abc", R, strict=True)
    )
    found = read(tmp_path, by_r)  # its header is one short of its rows
    np.testing.assert_array_equal(found.matrix, R)
    assert found.names == ("a", "b", "c")
    np.savetxt(tmp_path / "n.txt", R, header="three regions")
    np.testing.assert_array_equal(read_matrix(tmp_path / "n.txt").matrix, R)
    excel = "\ufeffnode,a,b,c\r\n" + "".join(
        f"{n}," + ",".join(map(str, row)) + "\r\n" for n, row in zip("abc", R, strict=True)
    )
    found = read(tmp_path, excel, "e.csv")
    np.testing.assert_array_equal(found.matrix, R)
    assert found.names == ("a", "b", "c")


def test_a_separator_at_the_end_of_every_line_does_no_harm(tmp_path: Path) -> None:
    text = "".join("\t".join(map(str, row)) + "\t\n" for row in R)
    np.testing.assert_array_equal(read(tmp_path, text).matrix, R)


@pytest.mark.parametrize("diagonal", ["", "NaN", "n/a", "inf", "0"])
def test_the_diagonal_may_hold_anything(tmp_path: Path, diagonal: str) -> None:
    text = f"{diagonal}\t.5\t.1\n.5\t{diagonal}\t.2\n.1\t.2\t{diagonal}\n"
    found = read(tmp_path, text)
    off = ~np.eye(3, dtype=bool)
    np.testing.assert_array_equal(found.matrix[off], [0.5, 0.1, 0.5, 0.2, 0.1, 0.2])


def test_a_hair_of_asymmetry_is_averaged_and_more_is_refused_with_names(tmp_path: Path) -> None:
    text = "\ta\tb\na\t1\t0.5\nb\t{}\t1\n"
    assert read(tmp_path, text.format("0.5000008")).matrix[0, 1] == pytest.approx(0.5000004, abs=1e-12)
    said = refusal(tmp_path, text.format("0.50001"))
    assert "is not symmetric: a and b have 0.5 and 0.50001" in said


def test_nodes_without_values_are_named(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        np.where(np.arange(5) == 2, np.nan, np.ones((5, 5))), index=list("abcde"), columns=list("abcde")
    )
    frame.loc["c"] = np.nan
    said = refusal(tmp_path, frame.to_csv(sep="\t", na_rep="n/a"))
    assert "no number for pairs with c;" in said
    frame = pd.DataFrame(np.ones((3, 3)), index=list("abc"), columns=list("abc"))
    frame.loc["a", "b"] = np.inf
    assert "no number for pairs with a, b;" in refusal(tmp_path, frame.to_csv(sep="\t"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1;0,5\n0,5;1\n", "decimal commas (0,5 in line 1)"),
        ("1\t0,5\n0,5\t1\n", "decimal commas"),
        ("1\t.2\t3\n4.5\t5\t6\n", "2 rows and 3 columns"),
        ("1\t2\t3\n4\t5\t6\n", "not symmetric: 1 and 4"),
        ("a\tb\n1\t.5\n.5\t1\n.2\t.2\n", "3 rows and 2 columns"),
        ("1\t.5\t.1\n.5\t1\n.1\t.2\t1\n", "fewer numbers in line 2"),
        ("a\tb\tc\n1\t.5\t.1\n.5\t1\tx\n.1\t.2\t1\n", "'x' in line 3"),
        ("0.5\n", "single node"),
        ("\n \n", "holds no table"),
        ("# only a comment\n", "holds no table"),
        ("hello", "no row of numbers"),
        ("\ta\tb\n", "no row of numbers"),
        ('"a\t1\n2\t3\n', "open quotation mark"),
        ("\ta\tb\nb\t1\t.5\na\t.5\t1\n", "another order"),
        (b"\xff\xfe1\x00\t\x00", "not text in UTF-8"),
        (b"", "empty"),
    ],
)
def test_what_is_no_matrix_is_refused_in_one_sentence(tmp_path: Path, text: str | bytes, words: str) -> None:
    said = refusal(tmp_path, text)
    assert words in said
    assert "\n" not in said


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="does not exist"):
        read_matrix(tmp_path / "none.tsv")
    with pytest.raises(Problem, match="is a folder"):
        read_matrix(tmp_path)
