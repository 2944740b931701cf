"""Limits of spectra, blinded studies and evidence cards, from the command line and from Python."""

from __future__ import annotations

import math
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import habena as api
import pandas as pd
import pytest
from command_line import document, done, refused
from fabricated_answer import answered_of, plan_of, study_in
from habena.app.evidence import evidence_cards
from habena.app.problems import Finding, Problem
from habena.app.study import answering, planning, reading
from habena.app.study.asking import Ask
from habena.app.study.blinding import new_kept
from habena.app.study.blinding_kept import keep_blinding
from habena.app.study.report_repeat import command_line, python_call
from habena.app.study.values import Study
from msgspec.structs import replace as changed

ARMS = ("ketamine", "ketamine", "placebo", "placebo")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Four people in two arms, whose every question has the same answer."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "own"))
    made = study_in(tmp_path / "study")
    people = made.participants.assign(arm=ARMS, sex=["F", "M", "F", "M"])
    scored = pd.DataFrame(
        {"participant_id": people["participant_id"], "session_id": "ses-pre", "madrs": [1.0, 2, 3, 4]}
    )
    odd = Finding("arm-small", "sub-T01", None, "sub-T01 is the only one of ketamine in ses-pre.")
    sessions = pd.DataFrame({"participant_id": people["participant_id"], "session_id": "ses-pre"})
    made = replace(
        made, participants=people, sessions=sessions, scores={"madrs": scored}, findings=(odd,), visits=("ses-pre",)
    )
    monkeypatch.setattr(reading, "read_study", lambda *_: made)
    monkeypatch.setattr(planning, "plan", lambda _, ask: plan_of(made, ask=ask))
    monkeypatch.setattr(answering, "answer", lambda plan, _: answered_of(made, plan=plan, maps={}))
    return made


# -- limits of spectra


@pytest.fixture
def asked(study: Study, monkeypatch: pytest.MonkeyPatch) -> list[Ask]:
    """Every question that reaches planning."""
    seen: list[Ask] = []
    monkeypatch.setattr(planning, "plan", lambda _, ask: (seen.append(ask), plan_of(study, ask=ask))[1])
    return seen


def test_limits_of_spectra_are_part_of_the_question(study: Study, asked: list[Ask], tmp_path: Path) -> None:
    limits = ("--quality", "linewidth_hz_max=10.5", "--quality", "crlb_percent_max=none")
    done("ask", study.folder, "crossover", *limits, "-o", tmp_path / "out")
    api.ask(study.folder, "crossover", quality={"linewidth_hz_max": 10.5, "crlb_percent_max": None})
    assert {each.quality for each in asked} == {(("linewidth_hz_max", 10.5), ("crlb_percent_max", math.inf))}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("linewidth", "'linewidth' is not NAME=NUMBER"),
        ("snr_min=high", "'snr_min=high' is not NAME=NUMBER"),
        ("snr_min=nan", "snr_min is no number"),
        ("snr=10", "there is no limit named 'snr'; choose from linewidth_hz_max"),
    ],
)
def test_limits_that_make_no_sense_are_refused(study: Study, tmp_path: Path, text: str, said: str) -> None:
    assert said in refused("ask", study.folder, "crossover", "--quality", text, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_report_asks_with_the_same_limits_again(study: Study, asked: list[Ask], tmp_path: Path) -> None:
    limits = (("linewidth_hz_max", 10.5), ("crlb_percent_max", math.inf))
    ask = Ask(str(study.folder), "crossover", quality=limits)
    words = [str(study.folder) if word == "study" else word for word in shlex.split(command_line(ask))]
    done(*words[1:-1], tmp_path / "out")
    call = python_call(ask, more=("sensitivity",))
    assert "quality={'linewidth_hz_max': 10.5, 'crlb_percent_max': None}" in call
    assert call.endswith("sensitivity=True)")
    assert command_line(ask, more=("sensitivity",)).endswith("--sensitivity -o OUT")
    assert asked[0].quality == limits


# -- blinded studies


def test_a_blinded_study_is_not_unblinded_by_the_command_line(study: Study, tmp_path: Path) -> None:
    kept = new_kept()
    keep_blinding(study.folder, kept)
    said = refused("ask", study.folder, "change", "-o", tmp_path / "out")
    assert "is blinded" in said
    assert "unblind it in the window first" in said
    assert not (tmp_path / "out").exists()
    for call in (api.ask, api.plan):
        with pytest.raises(Problem, match="is blinded"):
            call(study.folder, "change")
    keep_blinding(study.folder, changed(kept, on=False), "the analysis begins")
    done("ask", study.folder, "change", "-o", tmp_path / "out")


def test_of_a_blinded_study_nothing_is_told_by_arm(study: Study) -> None:
    def arms(found: dict[str, Any]) -> list[Any]:
        return [row.get("arm") for row in found["scores"]["madrs"]["by"]]

    before = document("study", study.folder)
    assert before["groups"]["arm"] == {"ketamine": 2, "placebo": 2}
    assert set(arms(before)) == {"ketamine", "placebo"}
    keep_blinding(study.folder, new_kept())
    after = document("study", study.folder)
    assert list(after["groups"]) == ["sex"]
    assert arms(after) == [None]
    assert after["participants"] == 4
    assert after["warnings"][0]["code"] == "blinded"
    outcome = done("study", study.folder)
    for text in (outcome.out, outcome.err, str(after)):
        assert "ketamine" not in text
        assert "sub-T01" not in text
    assert "numbers by arm are left out" in outcome.err


# -- evidence


def test_evidence_cards_are_at_hand_in_python() -> None:
    cards = api.evidence_cards()
    assert cards == evidence_cards()[0]
    assert {"hypothesis", "region"} == {card.kind for card in cards}
    assert "evidence_cards" in api.__all__
