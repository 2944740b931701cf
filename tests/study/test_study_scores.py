"""Scores over visits: who is in which arm, when, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from habena.app.study.trajectories import instruments, outcome, trajectories
from habena.app.study.values import Study


def a_study(scores: pd.DataFrame, participants: pd.DataFrame, sessions: pd.DataFrame | None = None) -> Study:
    empty = pd.DataFrame({"participant_id": [], "session_id": []})
    return Study(
        Path("/s"),
        "A study",
        simulated=False,
        participants=participants,
        sessions=empty if sessions is None else sessions,
        scores={"madrs": scores},
        scans=(),
        descriptions={"madrs_total": "MADRS, points"},
    )


def rows(*values: tuple[str, str, int, float]) -> pd.DataFrame:
    return pd.DataFrame(values, columns=["participant_id", "session_id", "day", "madrs_total"])


PEOPLE = pd.DataFrame(
    {
        "participant_id": ["sub-a", "sub-b", "sub-c", "sub-d", "sub-h"],
        "arm": ["drug", "placebo", "drug", "placebo", "n/a"],
    }
)
SCORES = rows(
    ("sub-a", "ses-post", 14, 10.0),
    ("sub-a", "ses-pre", 0, 30.0),
    ("sub-b", "ses-pre", 0, 28.0),
    ("sub-b", "ses-post", 15, 20.0),
    ("sub-c", "ses-pre", 1, 40.0),
    ("sub-c", "ses-post", 14, 20.0),
    ("sub-d", "ses-pre", 0, 31.0),
    ("sub-d", "ses-post", 14, float("nan")),
)


def test_visits_stand_in_the_order_of_their_days_whatever_the_order_of_rows():
    study = a_study(SCORES, PEOPLE)
    found = trajectories(study, instruments(study)[0])
    assert found.visits == ("pre", "post")
    np.testing.assert_array_equal(found.at, [0, 14])
    assert found.people == ("sub-a", "sub-c", "sub-b", "sub-d")  # those without an arm and a score are not there
    np.testing.assert_array_equal(found.scores, [[30, 10], [40, 20], [28, 20], [31, np.nan]])
    assert found.dropped_out() == ("sub-d",)


def test_half_of_the_first_score_is_a_response_and_who_left_is_not_counted():
    study = a_study(SCORES, PEOPLE)
    result = outcome(trajectories(study, instruments(study)[0]))
    assert result.responses == {"drug": (2, 2), "placebo": (0, 1)}
    assert result.improvement["drug"].mean == 20
    assert result.contrast is None
    assert result.why_not == "a group has fewer than two people"


def test_the_control_is_taken_from_the_other_arm():
    more = pd.concat([SCORES.dropna(), rows(("sub-d", "ses-post", 14, 30.0))])
    study = a_study(more, PEOPLE)
    result = outcome(trajectories(study, instruments(study)[0]))
    assert result.contrast == ("drug", "placebo")
    assert result.shares is not None
    assert result.shares.estimate == 1.0
    assert result.student is None or result.student.estimate == 20 - 4.5


def test_in_a_crossover_the_arms_are_the_conditions_and_the_visits_lie_within_a_session():
    scores = pd.DataFrame(
        [
            (who, session, time, value)
            for who, session, values in (
                ("sub-a", "ses-1", (30.0, 20.0)),
                ("sub-a", "ses-2", (29.0, 27.0)),
                ("sub-b", "ses-1", (25.0, 24.0)),
                ("sub-b", "ses-2", (26.0, 11.0)),
            )
            for time, value in zip(("baseline", "day1"), values, strict=True)
        ],
        columns=["participant_id", "session_id", "time", "madrs_total"],
    )
    sessions = pd.DataFrame(
        {
            "participant_id": ["sub-a", "sub-a", "sub-b", "sub-b"],
            "session_id": ["ses-1", "ses-2"] * 2,
            "condition": ["placebo", "naltrexone", "naltrexone", "placebo"],
        }
    )
    study = a_study(scores, PEOPLE.iloc[:2], sessions)
    found = trajectories(study, instruments(study)[0])
    assert found.visits == ("baseline", "day1")
    assert found.names == ("naltrexone", "placebo")
    np.testing.assert_array_equal(found.of_arm("placebo"), [[30, 20], [26, 11]])
    np.testing.assert_array_equal(found.at, [0, 1])
    result = outcome(found)
    assert result.contrast is None  # they are no independent groups
    assert "same people" in result.why_not


@pytest.mark.parametrize("participants", [PEOPLE.drop(columns="arm"), PEOPLE.assign(arm=["a", "b", "c", "a", "b"])])
def test_what_cannot_be_compared_says_why(participants):
    study = a_study(SCORES, participants)
    result = outcome(trajectories(study, instruments(study)[0]))
    assert result.contrast is None
    assert result.why_not in {"nobody has an arm", "there are 3 arms, not two"}


def test_text_columns_are_no_instruments():
    study = a_study(SCORES.assign(rater="somebody"), PEOPLE)
    assert [each.column for each in instruments(study)] == ["madrs_total"]
    assert instruments(study)[0].title == "MADRS, points"
