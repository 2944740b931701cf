"""Free memory, names nearby, and files that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from habena.app.io import memory
from habena.app.io.files import replacing, sibling
from habena.app.io.memory import DoesNotFit, allocate, available_bytes, in_words, require
from habena.app.problems import Problem


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (141_249_160, "141 MB"),
        (5_240_000_000, "5.2 GB"),
        (2 * 10**15, "2 PB"),
    ],
)
def test_sizes_in_words(count, expected):
    assert in_words(count) == expected


def test_no_more_is_promised_than_there_is():
    assert 0 < available_bytes() <= psutil.virtual_memory().total
    require(Path("a.nii"), 1000)
    with pytest.raises(DoesNotFit, match="needs 9 PB of memory") as refusal:
        require(Path("a.nii"), 9 * 10**15)
    assert refusal.value.needed_bytes == 9 * 10**15
    with pytest.raises(DoesNotFit):
        allocate(Path("a.nii"), 9 * 10**15)


def test_an_allocation_that_fails_all_the_same_is_said(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 2**62)
    with pytest.raises(DoesNotFit):
        allocate(Path("a.nii"), 2**60)


@pytest.mark.parametrize(
    ("limit", "expected"), [("1000000000", 1_000_000_000 - 600_000_000 + 50_000_000), ("max", 2**63)]
)
def test_the_limit_of_a_container_counts(tmp_path, monkeypatch, limit, expected):
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "memory.max").write_text(limit + "\n")
    (tmp_path / "job" / "memory.current").write_text("600000000\n")
    (tmp_path / "job" / "memory.stat").write_text("anon 500000000\ninactive_file 50000000\n")
    (tmp_path / "self").write_text("9:memory:/other\n0::/job\n")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "self")
    assert memory._left_in_group() == expected
    assert available_bytes() <= expected


def test_without_groups_only_the_machine_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "absent")
    assert memory._left_in_group() == 2**63


def test_a_sibling_is_found_whatever_its_case(tmp_path):
    (tmp_path / "Scan.IMG").touch()
    assert sibling(tmp_path / "scan.hdr", "scan.img.gz", "scan.img") == tmp_path / "Scan.IMG"
    assert sibling(tmp_path / "scan.hdr", "other.img") is None


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    with replacing(path) as file:
        file.write(b"first")

    def fail() -> None:
        with replacing(path) as file:
            file.write(b"second")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_bytes() == b"first"
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]
    with pytest.raises(Problem, match="does not exist"), replacing(tmp_path / "no" / "a.txt"):
        pass
