"""The multiverse of a graph question: every combination once, each the same as asked alone, and words about it."""

from __future__ import annotations

import numpy as np
import pytest
from graph_study import write_graph_study
from habena.app.problems import Problem
from habena.app.study.asking import Ask
from habena.app.study.graph_questions import nodes_answered
from habena.app.study.multiverse import Multiverse, Target, Universes, multiverse
from habena.app.study.plan_graph import plan
from habena.app.study.reading import read_study
from habena.app.study.values import Study
from msgspec.structs import replace

UNIVERSES = Universes(
    densities=((0.15,), (0.1, 0.2)),
    strategies=("", "motion6"),
    targets=(Target("angular R", ("angular",), "R", "degree"), Target("thalamus R", ("thalamus",), "R", "clustering")),
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return read_study(write_graph_study(tmp_path_factory.mktemp("multiverse") / "tiny", 6))


@pytest.fixture(scope="module")
def found(study: Study) -> Multiverse:
    return multiverse(study, Ask(str(study.folder), "graph", covariates=()), UNIVERSES)


def test_every_combination_is_asked_once_and_answers_as_the_question_alone(study: Study, found: Multiverse) -> None:
    ask = Ask(str(study.folder), "graph", covariates=())
    assert len(found.table) == 2 * 2 * 2
    assert found.table[["target", "strategy", "density"]].drop_duplicates().shape[0] == 8
    assert set(found.table["strategy"]) == {"none", "motion6"}
    assert set(found.table["density"]) == {"15 %", "AUC 10-20 %"}
    own = replace(ask, densities=(0.1, 0.2), choices=replace(ask.choices, strategy="motion6"))
    alone = nodes_answered(study, plan(study, own))
    wanted = next(row for row in alone.regions if (row.region, row.side, row.metric) == ("Angular", "R", "degree"))
    row = found.table.query("target == 'angular R' and strategy == 'motion6' and density == 'AUC 10-20 %'").iloc[0]
    assert (row["effect"], row["t"], row["p"]) == pytest.approx((wanted.effect, wanted.statistic, wanted.p))
    for _, own_rows in found.table.groupby("target"):
        assert own_rows.sort_values("order")["t"].is_monotonic_increasing
        assert sorted(own_rows["order"]) == [1, 2, 3, 4]


def test_the_summary_counts_signs_and_small_p_and_says_how_fragile_it_is(found: Multiverse) -> None:
    for row in found.summary.itertuples():
        own = found.table[found.table["target"] == row.target]
        assert row.universes == 4
        assert row.share_positive == pytest.approx(float(np.mean(own["t"] > 0)))
        assert row.share_p05 == pytest.approx(float(np.mean(own["p"] < 0.05)))
    assert len(found.words) == 3
    assert all("universes" in said for said in found.words)
    assert not any("paper" in said for said in found.words)


def test_a_universe_that_cannot_be_asked_is_told_and_the_others_stand(study: Study) -> None:
    ask = Ask(str(study.folder), "graph", covariates=())
    found = multiverse(study, ask, Universes(strategies=("", "acompcor5"), densities=((0.15,),)))
    assert set(found.table["strategy"]) == {"none"}
    assert [finding.code for finding in found.findings] == ["universe-failed"]
    with pytest.raises(Problem, match="no universe"):
        multiverse(study, ask, Universes(strategies=("acompcor5",), densities=((0.15,),)))
