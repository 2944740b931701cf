"""Blinded mode as such: stable codes, nothing that tells a name, and only the user's own secret reads it again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from habena.app.problems import Problem
from habena.app.recipes import FileMap
from habena.app.state import Overlay, ViewState, to_json
from habena.app.study.blinding import Blinding, Kept, blinding_of, mapped, new_kept, reveal
from habena.app.study.blinding_kept import events, folder, keep_blinding, kept_blinding, kept_by_id
from habena.app.study.values import Scan, Study
from hypothesis import given
from hypothesis import strategies as st

SESSIONS = ("ses-before", "ses-after")


def a_study(people: int = 30, *, with_arm: bool = True, label: str = "Q{}W") -> Study:
    names = [f"sub-{label.format(n)}" for n in range(people)]
    frame = pd.DataFrame({"participant_id": names, "group": ["TRD"] * people, "age": range(people)})
    if with_arm:
        frame["arm"] = ["alphadrug", "betadrug"] * (people // 2) + ["n/a"] * (people % 2)
    scans = tuple(
        Scan(who, session, "pet", Path(f"/s/{who}/{session}/pet/{who}_{session}_pet.nii.gz"))
        for who in names
        for session in SESSIONS
    )
    rows = [(who, session, day) for who in names for session, day in zip(SESSIONS, (0, 14), strict=True)]
    sessions = pd.DataFrame(rows, columns=["participant_id", "session_id", "day"])
    return Study(Path("/s"), "A study", simulated=True, participants=frame, sessions=sessions, scores={}, scans=scans)


def test_codes_are_unique_stable_and_do_not_depend_on_who_else_takes_part():
    kept = new_kept()
    few, many = blinding_of(a_study(10), kept), blinding_of(a_study(60), kept)
    assert len(set(many.codes.values())) == 60
    assert {who: many.codes[who] for who in few.codes} == few.codes
    assert blinding_of(a_study(10), new_kept()).codes != few.codes


def test_many_people_have_codes_that_differ_though_four_signs_would_not_do():
    codes = blinding_of(a_study(3000), Kept("i", "00" * 32)).codes
    assert len(set(codes.values())) == 3000


def test_letters_of_sessions_differ_from_person_to_person():
    blinding = blinding_of(a_study(40), new_kept())
    of_first = [blinding.shown_session(who, "ses-before") for who in blinding.codes]
    assert set(of_first) == {"X", "Y"}
    assert 8 <= of_first.count("X") <= 32  # 1e-4 beyond either
    for who in blinding.codes:
        assert {blinding.shown_session(who, session) for session in SESSIONS} == {"X", "Y"}
        assert blinding.sessions_in_order(who, SESSIONS)[0] == next(
            session for session in SESSIONS if blinding.shown_session(who, session) == "X"
        )


def test_a_text_names_nobody_and_no_session_and_no_arm():
    blinding = blinding_of(a_study(), new_kept())
    code, letter = blinding.shown_name("sub-Q3W"), blinding.shown_session("sub-Q3W", "ses-after")
    assert blinding.shown_text("/s/sub-Q3W/ses-after/pet/sub-Q3W_ses-after_pet.nii.gz") == (
        f"/s/{code}/{letter}/pet/{code}_{letter}_pet.nii.gz"
    )
    assert blinding.shown_text("Q3W had AlphaDrug, seen after") == f"{code} had (arm), seen {letter}"
    assert blinding.shown_text("ses-after is missing") == "(session) is missing"
    assert blinding.shown_text("in alphadrug-trial nothing is meant") == "in alphadrug-trial nothing is meant"


def test_numbers_alone_are_no_names():
    blinding = blinding_of(a_study(label="0{}"), new_kept())
    assert blinding.shown_text("r = 0.01 over 01 voxels") == "r = 0.01 over 01 voxels"
    assert blinding.shown_text("sub-01 is missing") == f"{blinding.codes['sub-01']} is missing"


def test_a_table_loses_arm_session_and_order():
    study = a_study(20)
    blinding = blinding_of(study, new_kept())
    shown = blinding.shown_frame(study.participants)
    assert list(shown.columns) == ["participant_id", "group", "age"]
    assert list(shown["participant_id"]) == sorted(blinding.codes.values())
    ages = dict(zip(study.participants["participant_id"], study.participants["age"], strict=True))
    assert all(ages[who] == shown.set_index("participant_id")["age"][code] for who, code in blinding.codes.items())
    assert list(blinding.shown_frame(study.sessions).columns) == ["participant_id"]


def test_groups_are_hidden_where_no_column_is_the_arms():
    study = a_study(with_arm=False)
    assert "group" in blinding_of(study, new_kept()).hidden
    assert "group" not in blinding_of(a_study(), new_kept()).hidden


def test_when_it_is_off_everything_is_as_it_was():
    kept = Kept("i", "ab" * 32, on=False)
    study = a_study()
    blinding = blinding_of(study, kept)
    text = "sub-Q3W ses-after alphadrug"
    assert blinding.shown_text(text) == text
    assert blinding.hide(text) == text
    assert blinding.shown_frame(study.participants) is study.participants
    assert blinding.shown_scan(study.scans[0]) == "sub-Q0W before, PET"


@given(st.text(max_size=200))
def test_what_is_hidden_comes_back_and_a_strange_secret_reads_nothing(text):
    kept = Kept("abcd", "17" * 32)
    blinding = Blinding(kept, {"sub-Q3W": "P-1"}, {}, {"sub-q3w": ("person", "sub-Q3W")})
    whole = f"{text.replace(chr(0), '')} sub-Q3W"
    hidden = blinding.hide(whole)
    assert "sub-Q3W" not in hidden
    assert reveal((hidden,), {"abcd": kept}.get) == (whole,)
    assert reveal(hidden, {"abcd": Kept("abcd", "18" * 32)}.get) == hidden
    assert reveal(hidden, {}.get) == hidden


def test_the_length_of_a_hidden_text_does_not_tell_the_session():
    study = a_study()
    blinding = blinding_of(study, new_kept())
    lengths = {len(blinding.hide(str(scan.path))) for scan in study.scans[:2]}
    assert len(lengths) == 1


def test_a_damaged_hidden_text_stays_as_it_is():
    kept = Kept("abcd", "17" * 32)
    for text in ("blinded:abcd:!!", "blinded:abcd:", "blinded:abcd:AAAA", "blinded:abcd"):
        assert reveal(text, {"abcd": kept}.get) == text


def test_a_view_without_names_can_be_opened_again_by_its_user():
    study = a_study()
    blinding = blinding_of(study, new_kept())
    view = ViewState(overlays=(Overlay(1, FileMap(str(study.scans[5].path)), blinding.shown_scan(study.scans[5])),))
    saved = mapped(view, blinding.hide)
    text = re.sub(r"blinded:\w+:\w+", "", to_json(saved).decode())  # signs without a meaning may spell anything
    assert not any(name in text for name in ("Q2W", "after", "before"))
    assert reveal(saved, lambda wanted: blinding.kept if wanted == blinding.kept.id else None) == view


def test_it_is_remembered_with_a_log_and_only_for_its_study(tmp_path):
    study, other = tmp_path / "one", tmp_path / "two"
    assert kept_blinding(study) is None
    kept = new_kept()
    keep_blinding(study, kept)
    assert kept_blinding(study) == kept
    assert kept_blinding(other) is None
    assert kept_by_id(kept.id) == kept
    keep_blinding(study, Kept(kept.id, kept.key, on=False), "the last\npatient is in")
    logged = list(events(study))
    assert [event.what for event in logged] == ["blinded", "unblinded"]
    assert logged[1].reason == "the last patient is in"
    assert list(events(other)) == []
    assert not any(kept.key in line for line in (folder() / "log.jsonl").read_text().splitlines())


def test_a_blinding_that_cannot_be_read_is_never_taken_for_none(tmp_path):
    keep_blinding(tmp_path, new_kept())
    file = next(folder().glob("*.json"))
    file.write_text(json.dumps({"id": 3}))
    with pytest.raises(Problem, match="cannot be read"):
        kept_blinding(tmp_path)
