"""The table of a study's rows: sessions, scores that stand several times, names that clash; work on many scans."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from habena.app.problems import Cancelled, Problem
from habena.app.study.prepare_each import each_of, in_turn
from habena.app.study.prepare_people import people_of
from habena.app.study.prepare_table import label_of, table_of
from habena.app.study.rows import StudyRows
from habena.app.study.values import Study
from prepared_study import simple_study


def with_scores(study: Study, **columns: list[object]) -> Study:
    return dataclasses.replace(study, scores={"madrs": pd.DataFrame(columns)})


def table(study: Study, **asked: object):
    rows = StudyRows("s", **asked)
    return table_of(study, rows, people_of(study, rows))


def test_scores_at_several_times_of_a_session_have_a_column_for_each_time(tmp_path: Path) -> None:
    study = with_scores(
        simple_study(tmp_path),
        participant_id=["sub-A", "sub-A", "sub-B", "sub-B"],
        session_id=["ses-pre"] * 4,
        time=["baseline", "day1"] * 2,
        madrs_total=[30.0, 20.0, 25.0, np.nan],
    )
    frame, findings = table(study)
    assert frame["madrs_total_pre_baseline"].tolist()[:2] == [30, 25]
    assert frame["madrs_total_pre_day1"].tolist()[0] == 20
    assert frame["madrs_total_pre_day1"].isna().tolist() == [False, True, True]
    assert "madrs_total_improvement" not in frame
    assert not findings


def test_a_score_that_stands_twice_counts_once_and_is_said(tmp_path: Path) -> None:
    study = with_scores(
        simple_study(tmp_path),
        participant_id=["sub-B", "sub-B", "sub-C"],
        session_id=["ses-pre"] * 3,
        madrs_total=[25.0, 99.0, 28.0],
    )
    frame, (said,) = table(study)
    assert frame["madrs_total_pre"].tolist()[1:] == [25, 28]
    assert (said.code, said.where) == ("score-doubled", "sub-B")


def test_without_one_of_the_two_scores_nobody_improved(tmp_path: Path) -> None:
    study = with_scores(
        simple_study(tmp_path),
        participant_id=["sub-A", "sub-A", "sub-B"],
        session_id=["ses-pre", "ses-post", "ses-pre"],
        madrs_total=[30.0, 35.0, 20.0],
    )
    frame, _ = table(study, per="difference")
    assert frame["madrs_total_improvement"].tolist()[0] == -5
    assert frame["madrs_total_improvement"].isna().tolist() == [False, True, True]


def test_improvement_is_between_the_sessions_asked_for(tmp_path: Path) -> None:
    frame, _ = table(simple_study(tmp_path), per="scan", sessions=("ses-post", "ses-pre"))
    assert set(frame["madrs_total_improvement"]) == {-7.0, -14.0, -21.0}


def test_a_sessions_column_gives_way_to_one_of_the_participants(tmp_path: Path) -> None:
    study = simple_study(tmp_path)
    study = dataclasses.replace(study, sessions=study.sessions.assign(age=50.0, dose=["low", "high"] * 3))
    frame, _ = table(study)
    assert frame["age"].tolist() == [30, 31, 32]
    assert frame["age_session"].tolist() == [50, 50, 50]
    assert frame["dose"].tolist() == ["low"] * 3
    change, _ = table(study, per="difference")
    assert change["dose_pre"].tolist() == ["low"] * 3
    assert change["dose_post"].tolist() == ["high"] * 3
    assert change["age_session"].tolist() == [50, 50, 50]


def test_scans_of_somebody_whom_the_table_does_not_list_are_rows_without_values(tmp_path: Path) -> None:
    study = simple_study(tmp_path)
    study = dataclasses.replace(study, participants=study.participants.iloc[:2])
    frame, _ = table(study)
    assert frame["participant_id"].tolist() == ["sub-A", "sub-B", "sub-C"]
    assert frame["age"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize(("session", "label"), [("ses-pre", "pre"), ("ses-1", "1"), ("ses-day+3", "day_3"), ("a", "a")])
def test_a_session_is_a_part_of_a_name_that_a_formula_takes(session: str, label: str) -> None:
    assert label_of(session) == label


def test_one_session_alone_has_no_difference_and_unknown_sessions_are_refused(tmp_path: Path) -> None:
    study = simple_study(tmp_path)
    before = dataclasses.replace(study, scans=tuple(scan for scan in study.scans if scan.session == "ses-pre"))
    with pytest.raises(Problem, match="one session only"):
        people_of(before, StudyRows("s", per="difference"))
    with pytest.raises(Problem, match="session ses-never; choose from ses-pre, ses-post"):
        people_of(study, StudyRows("s", sessions=("ses-never",)))
    with pytest.raises(Problem, match="has no run"):
        people_of(study, StudyRows("s", "degree"))


@pytest.mark.parametrize("several", [each_of, lambda work, items, report: in_turn(lambda n, _: work(n), items, report)])
def test_what_cannot_be_made_stands_in_its_place_and_work_can_be_stopped(several) -> None:
    def work(n: int) -> int:
        if n == 2:
            raise Problem("two", "is even", "take another")
        return 10 * n

    told: list[float] = []
    made = several(work, [1, 2, 3], told.append)
    assert (made[0], made[2], made[1].where) == (10, 30, "two")
    assert told == sorted(told)
    assert told[-1] == 1

    def stop(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        several(work, [1, 2, 3], stop)
