"""The same question by reference region and threshold. What is answered is fabricated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fabricated_answer import GRID, ROWS, answered_of, plan_of, study_in
from habena.app.models import Inference
from habena.app.problems import Problem
from habena.app.study import answering, planning
from habena.app.study.asked_more import check_more, with_more
from habena.app.study.asking import Ask
from habena.app.study.sensitivity import sensitivity
from habena.app.study.values import Study
from habena.app.study.wanted import Wanted

REFUSED = "cerebellum"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return study_in(tmp_path / "study")


@pytest.fixture
def asked(study: Study, monkeypatch: pytest.MonkeyPatch) -> list[Ask]:
    """Questions that were asked: of one reference nothing can be said, of the whole brain all turns round."""
    seen: list[Ask] = []

    def plan(_: Study, ask: Ask) -> Any:
        seen.append(ask)
        if ask.choices.reference == REFUSED:
            raise Problem(REFUSED, "lies outside the scans", "choose another")
        return plan_of(study, ask=ask)

    def answer(made: Any, report: Any) -> Any:
        report(1.0)
        sign = -1 if made.ask.choices.reference == "whole brain" else 1
        t = np.zeros(GRID.shape, np.float32)
        t[0, 0, :3] = np.array([5.0, 3.0, -4.0]) * sign
        p = np.zeros(GRID.shape, np.float32)
        p[0, 0, :3] = -np.log10([0.0005, 0.005, 0.02])
        turned = ROWS[0]._replace(effect=sign * ROWS[0].effect, p=0.01)
        rows = (turned, ROWS[1], ROWS[2], ROWS[3])
        return answered_of(study, plan=made, regions=rows, maps={"t": (t, GRID), "neglog10-p": (p, GRID)})

    monkeypatch.setattr(planning, "plan", plan)
    monkeypatch.setattr(answering, "answer", answer)
    return seen


def test_a_reference_that_cannot_be_used_is_said_and_the_others_are_compared(study: Study, asked: list[Ask]) -> None:
    ask = Ask(str(study.folder), "change", inference=Inference(1000, 7, "tfce"))
    done: list[float] = []
    found = sensitivity(study, ask, report=done.append)
    assert list(found.answers) == ["white matter", "whole brain"]
    assert [(each.code, each.where, each.message) for each in found.findings] == [
        ("reference-refused", REFUSED, "cerebellum: lies outside the scans.")
    ]
    assert {each.inference.permutations for each in asked} == {0}
    assert {each.inference.seed for each in asked} == {7}
    assert done[-1] == pytest.approx(1.0)
    assert len(found.regions) == 2 * len(ROWS)
    assert found.regions["reference"].tolist() == ["white matter"] * 4 + ["whole brain"] * 4


def test_volumes_beyond_each_threshold_are_counted_by_direction(study: Study, asked: list[Ask]) -> None:
    del asked
    found = sensitivity(study, Ask(str(study.folder), "change"), ("white matter", "whole brain"))
    voxel = GRID.voxel_volume_mm3
    rows = found.thresholds.to_numpy().tolist()
    assert rows[:3] == [
        ["white matter", 0.05, 2 * voxel, voxel],
        ["white matter", 0.01, 2 * voxel, 0.0],
        ["white matter", 0.001, voxel, 0.0],
    ]
    assert [row[2:] for row in rows[3:]] == [[voxel, 2 * voxel], [0.0, 2 * voxel], [0.0, voxel]]


def test_what_holds_each_time_is_told_apart_from_what_rests_on_the_choice(study: Study, asked: list[Ask]) -> None:
    del asked
    found = sensitivity(study, Ask(str(study.folder), "change"), ("white matter", "whole brain"))
    # the habenula turns round, the other has no p, the thalamus holds, and the pallidum has no number
    assert found.counts == {"regions": 3, "same_direction": 2, "p_below_05_in_all": 1}
    assert found.words[0].startswith("Divided by white matter or whole brain, 2 of 3 regions keep their direction")
    assert found.words[1] == (
        "Each time: thalamus R. With some only, so that the finding rests on the choice: habenula L."
    )


def test_when_no_reference_can_be_used_the_reason_is_given(study: Study, asked: list[Ask]) -> None:
    del asked
    with pytest.raises(Problem, match="none of the reference regions can be used; cerebellum: lies outside"):
        sensitivity(study, Ask(str(study.folder), "change"), (REFUSED,))


def test_the_answer_gets_tables_maps_words_and_counts_beside_its_own(study: Study, asked: list[Ask]) -> None:
    del asked
    before = answered_of(study)
    after = with_more(study, before, Wanted(sensitivity=True))
    assert set(after.tables) - set(before.tables) == {"sensitivity", "sensitivity_thresholds"}
    assert set(after.maps) - set(before.maps) == {"t_white matter", "t_whole brain"}
    assert after.details["sensitivity"]["references"] == ["white matter", "whole brain"]
    assert after.words[: len(before.words)] == before.words
    assert after.regions is before.regions
    assert [each.code for each in after.findings][-1] == "reference-refused"


def test_what_does_not_bear_on_a_question_is_refused_before_any_work(study: Study) -> None:
    plan = plan_of(study, ask=Ask(str(study.folder), "overlap", measure="pet"))
    with pytest.raises(Problem, match="--sensitivity: is not of overlap"):
        check_more(plan, Wanted(sensitivity=True))
    crossover = plan_of(study, ask=Ask(str(study.folder), "crossover"))
    check_more(crossover, Wanted(quality=(("snr_min", 10.0),)))
    with pytest.raises(Problem, match="there is no limit named 'snr'"):
        check_more(crossover, Wanted(quality=(("snr", 10.0),)))
