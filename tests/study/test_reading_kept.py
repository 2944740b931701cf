"""What a user keeps about a study."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from habena.app.problems import Problem
from habena.app.study.kept import (
    choices_of,
    flags_of,
    keep_choices,
    keep_flag,
    keep_note,
    kept_file,
    kept_of,
    notes_of,
)
from habena.app.study.reading import read_study
from habena.app.study.values import Choices, Study
from study_files import pet_study

CHOICES = Choices(fwhm_mm=6.0, reference="cerebellum", window_min=(30.0, 50.0), density=None, r=0.2)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return read_study(pet_study(tmp_path / "study", 1, 1))


def test_nothing_kept_means_the_defaults(study: Study) -> None:
    assert choices_of(study) == Choices()
    assert notes_of(study) == {}
    assert flags_of(study) == {}
    assert not kept_file(study).exists()


def test_choices_notes_and_flags_are_kept_beside_one_another(study: Study) -> None:
    keep_choices(study, CHOICES)
    keep_note(study, "sub-T01", "  moved in the second scan\n")
    keep_flag(study, study.scans[0], "doubtful")
    keep_flag(study, study.scans[1], "bad")
    again = read_study(study.folder)
    assert choices_of(again) == CHOICES
    assert notes_of(again) == {"sub-T01": "moved in the second scan"}
    assert flags_of(again) == {study.scans[0].path: "doubtful", study.scans[1].path: "bad"}
    keep_note(study, "sub-T01", "")
    keep_flag(study, study.scans[0], None)
    assert notes_of(study) == {}
    assert flags_of(study) == {study.scans[1].path: "bad"}
    assert choices_of(study) == CHOICES


def test_they_lie_in_the_users_data_folder_for_nobody_else_to_read(study: Study, tmp_path: Path) -> None:
    before = {path: hashlib.sha256(path.read_bytes()).digest() for path in study.folder.rglob("*") if path.is_file()}
    keep_note(study, "sub-T01", "private")
    assert not kept_file(study).is_relative_to(study.folder)
    assert stat.S_IMODE(kept_file(study).stat().st_mode) == 0o600
    assert [path.name for path in kept_file(study).parent.iterdir()] == [kept_file(study).name]
    after = {path: hashlib.sha256(path.read_bytes()).digest() for path in study.folder.rglob("*") if path.is_file()}
    assert after == before


def test_another_study_at_the_place_has_choices_of_its_own(study: Study) -> None:
    keep_choices(study, CHOICES)
    assert choices_of(replace(study, name="another")) == Choices()
    assert choices_of(replace(study, folder=study.folder.parent)) == Choices()


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b'{"choices": {"fwhm_mm": "much"}}', b""])
def test_what_cannot_be_read_is_said_and_set_aside_not_lost(study: Study, content: bytes) -> None:
    keep_note(study, "sub-T01", "x")
    for count in (1, 2):
        kept_file(study).write_bytes(content)
        kept, findings = kept_of(study)
        assert kept.choices == Choices()
        assert [finding.code for finding in findings] == ["kept-unreadable"]
        aside = kept_file(study).with_name(f"{kept_file(study).stem}.unreadable-{count}.json")
        assert aside.name in findings[0].message
        assert aside.read_bytes() == content
    assert kept_of(study)[1] == ()
    keep_choices(study, CHOICES)
    assert choices_of(study) == CHOICES


def test_a_data_folder_that_cannot_be_written_is_a_problem(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = study.folder.parent / "blocked"
    blocked.write_text("a file where the folder should be", "utf-8")
    monkeypatch.setenv("XDG_DATA_HOME", str(blocked))
    with pytest.raises(Problem, match="cannot be written"):
        keep_choices(study, CHOICES)
    assert choices_of(study) == Choices()
