"""Tables of studies as people make them, with R, pandas, spreadsheets and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from habena.app.io import study_table
from habena.app.io.study_table import column_of, paths_of, read_table
from habena.app.problems import Problem
from numpy.testing import assert_array_equal

TABLE = "participant_id\tage\tgroup\trun\nsub-01\t31\tTRD\ta.nii\nsub-02\tn/a\tHC\tfolder/b.nii\n"


def table(folder: Path, text: str | bytes, name: str = "study.tsv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refused(path: Path) -> str:
    with pytest.raises(Problem) as raised:
        read_table(path)
    return str(raised.value)


def test_columns_are_numbers_or_text_and_missing_values_are_nan(tmp_path: Path) -> None:
    frame = read_table(table(tmp_path, TABLE)).frame
    assert list(frame.columns) == ["participant_id", "age", "group", "run"]
    assert_array_equal(frame["age"], [31, np.nan])
    assert list(frame["group"]) == ["TRD", "HC"]
    assert frame["participant_id"].dtype != object


@pytest.mark.parametrize("missing", ["n/a", "NA", "NaN", "nan", "N/A", ""])
def test_every_usual_word_for_a_missing_value_is_known(tmp_path: Path, missing: str) -> None:
    frame = read_table(table(tmp_path, f"x\tgroup\n1.5\ta\n{missing}\t{missing}\n2\tb\n")).frame
    assert_array_equal(frame["x"], [1.5, np.nan, 2.0])
    assert list(frame["group"].isna()) == [False, True, False]


def test_none_is_a_word_and_not_a_missing_value(tmp_path: Path) -> None:
    frame = read_table(table(tmp_path, "drug\nNone\nlithium\n")).frame
    assert list(frame["drug"]) == ["None", "lithium"]


def test_names_of_digits_stay_names(tmp_path: Path) -> None:
    frame = read_table(table(tmp_path, "id\tsite\tscore\n007\t1\t-0.5\n011\t2\t1e-3\n")).frame
    assert list(frame["id"]) == ["007", "011"]
    assert frame["site"].dtype == np.int64
    assert_array_equal(frame["score"], [-0.5, 1e-3])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", b"\xef\xbb\xbfid\tage\nx\t3\n"),
        ("b.csv", b"id,age\r\nx,3\r\n"),
        ("c.csv", b"id;age\r\nx;3\r\n"),
        ("d.txt", b"id\tage\n\nx\t3\n\n"),
        ("e.csv", b'"id","age"\n"x","3"\n'),
        ("f.csv", b",id,age\n0,x,3\n"),
        ("g.csv", b'"","id","age"\n"1","x",3\n'),
        ("h.tsv", b"id\tage\t\nx\t3\t\n"),
        ("i.csv", b"id,age\nx,3\n,\n,\n"),
    ],
)
def test_what_programs_export_is_read_alike(tmp_path: Path, name: str, text: bytes) -> None:
    frame = read_table(table(tmp_path, text, name)).frame
    assert list(frame.columns) == ["id", "age"]
    assert frame.iloc[0].tolist() == ["x", 3]


def test_a_quoted_field_may_hold_the_separator(tmp_path: Path) -> None:
    frame = read_table(table(tmp_path, 'id,note\nx,"a, b"\n', "a.csv")).frame
    assert frame["note"].iloc[0] == "a, b"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"", "is empty"),
        (b"id\tage\n", "has no rows"),
        (b"id\tage\tage\nx\t1\t2\n", "two columns named age"),
        (b"id\tage\nx\t1\ny\n", "line 3 has 1 fields where the header has 2"),
        (b"id\tage\nx\t1\t9\n", "line 2 has 3 fields where the header has 2"),
        (b"id\t\nx\t5\n", "column without a name"),
        (b"\n\t\n1\t\n", "has no column with a name"),
        (b"id\tage\nx\t3,5\ny\t4\n", "decimal commas in column age (3,5)"),
        ("name\tage\nRené\t3\n".encode("cp1252"), "not UTF-8 text (line 2, byte 0xe9"),
        ("name\tage\nx\t3\n".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04\0\0\n\0\0", "is not text"),
        (b'id\tage\n"x\t3\n', "is not a table"),
    ],
)
def test_what_cannot_be_read_without_guessing_is_refused(tmp_path: Path, text: bytes, what: str) -> None:
    assert what in refused(table(tmp_path, text))


def test_a_table_that_is_not_there_or_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "does not exist" in refused(tmp_path / "none.tsv")
    monkeypatch.setattr(study_table, "MAX_BYTES", 10)
    assert "larger than" in refused(table(tmp_path, TABLE))


def test_files_are_named_relative_to_the_table(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("a.nii", "folder/b.nii"):
        (tmp_path / name).write_bytes(b"x")
    read = read_table(table(tmp_path, TABLE))
    assert paths_of(read, "run") == (tmp_path / "a.nii", tmp_path / "folder" / "b.nii")
    assert paths_of(read, "run", [1]) == (tmp_path / "folder" / "b.nii",)


def test_an_absolute_path_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.nii").write_bytes(b"x")
    (tmp_path / "tables").mkdir()
    read = read_table(table(tmp_path / "tables", f"run\n{tmp_path / 'a.nii'}\n"))
    assert paths_of(read, "run") == (tmp_path / "a.nii",)


@pytest.mark.parametrize(
    ("column", "what"),
    [
        ("run", "row 1 names a.nii, which is not there"),
        ("age", "row 1 names no file in column age"),
        ("rum", "has no column rum; choose from run"),
    ],
)
def test_files_that_are_not_there_are_refused_with_their_row(tmp_path: Path, column: str, what: str) -> None:
    read = read_table(table(tmp_path, TABLE))
    with pytest.raises(Problem, match=what):
        paths_of(read, column)


def test_a_missing_path_is_refused_with_its_row(tmp_path: Path) -> None:
    (tmp_path / "a.nii").write_bytes(b"x")
    read = read_table(table(tmp_path, "id\trun\nx\ta.nii\ny\tn/a\n"))
    with pytest.raises(Problem, match="row 2 names no file"):
        paths_of(read, "run")
    with pytest.raises(Problem, match="has no column zzz; choose from id, run"):
        column_of(read, "zzz")
