"""Questions on maps against direct fits, on tiny studies with effects on one side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from habena.app.model_fit import fit_model
from habena.app.models import Inference
from habena.app.problems import Cancelled
from habena.app.study.answering import answer
from habena.app.study.answers import Answered
from habena.app.study.asking import Ask, Kind
from habena.app.study.planning import plan
from habena.app.study.prepared import concrete
from habena.app.study.reading import read_study
from habena.app.study.region_rows import RegionTests, region_tests
from habena.app.study.result_words import region_words
from question_study import Plan, draw, near, write
from scipy import stats

RIGHT_ANGULAR = (45.0, -61.0, 36.0)


@pytest.fixture(autouse=True)
def _caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "home"))


def asked(folder: Path, kind: Kind, **more: Any) -> Answered:
    study = read_study(folder)
    return answer(plan(study, Ask(study=str(folder), kind=kind, **more)))


def row(found: Answered, region: str, side: str):
    return next(each for each in found.regions if (each.region, each.side) == (region, side))


def planted_change(seed: int = 1) -> Plan:
    """Improvement goes with a rise in the right angular gyrus, nowhere else."""
    made = draw(seed)
    improvement = (made.scores["pre"] - made.scores["post"]).to_numpy(float)
    patients = len(made.scores)
    at = near(*RIGHT_ANGULAR, 16)
    made.post[:patients, at] += 0.02 * (improvement - improvement.mean())[:, None]
    return made


def table(made: Plan) -> pd.DataFrame:
    patients = len(made.scores)
    frame = made.people.iloc[:patients].copy()
    frame["before"] = made.scores["pre"].to_numpy(float)
    frame["improvement"] = (made.scores["pre"] - made.scores["post"]).to_numpy(float)
    return frame


def voxel(made: Plan, found: Answered, name: str, at: tuple[float, float, float]) -> tuple[float, int]:
    values, grid = found.maps[name]
    i, j, k = grid.voxel_at(at)
    return float(values[i, j, k]), i + values.shape[0] * (j + values.shape[1] * k)


def test_the_change_map_is_that_of_statsmodels_and_its_effect_lies_on_the_right(tmp_path: Path) -> None:
    made = planted_change()
    found = asked(write(tmp_path / "s", made), "change", inference=Inference(permutations=200, correction="fwe"))
    t, at = voxel(made, found, "t", (44, -60, 34))
    effect, _ = voxel(made, found, "effect", (44, -60, 34))
    frame = table(made)
    pre, post = (each[: len(frame), at].astype(np.float32) for each in (made.pre, made.post))
    frame["y"] = (post - pre).astype(float)
    fit = smf.ols("y ~ improvement + arm + age + sex", frame).fit()
    assert t == pytest.approx(fit.tvalues["improvement"], rel=1e-3)
    assert effect == pytest.approx(fit.params["improvement"], rel=1e-3)
    right, left = row(found, "angular gyrus", "R"), row(found, "angular gyrus", "L")
    assert right.effect > 0
    assert right.p_fwe is not None
    assert right.p_fwe < 0.01
    assert left.p_fwe is not None
    assert left.p_fwe > 0.05
    assert len(found.regions) == 24
    assert right.ci[0] < right.effect < right.ci[1]


def test_a_baseline_adjusted_change_is_the_test_of_the_last_scan_beside_the_first(tmp_path: Path) -> None:
    made = planted_change()
    found = asked(write(tmp_path / "s", made), "change", baseline=True)
    t, at = voxel(made, found, "t", (44, -60, 34))
    frame = table(made)
    frame["pre"], frame["post"] = (
        each[: len(frame), at].astype(np.float32).astype(float) for each in (made.pre, made.post)
    )
    fit = smf.ols("post ~ improvement + pre + arm + age + sex", frame).fit()
    assert t == pytest.approx(fit.tvalues["improvement"], rel=2e-3)


def test_an_interaction_is_the_slope_of_the_active_arm_less_that_of_the_control(tmp_path: Path) -> None:
    made = draw(3)
    improvement = table(made)["improvement"].to_numpy()
    ketamine = (made.people["arm"].iloc[: len(improvement)] == "ketamine").to_numpy()
    at = near(*RIGHT_ANGULAR, 16)
    made.post[: len(improvement), at] += (0.02 * (improvement - improvement.mean()) * ketamine)[:, None]
    found = asked(write(tmp_path / "s", made), "change", arm="interaction")
    t, place = voxel(made, found, "t", (44, -60, 34))
    frame = table(made)
    pre, post = (each[: len(frame), place].astype(np.float32) for each in (made.pre, made.post))
    frame["y"] = (post - pre).astype(float)
    fit = smf.ols("y ~ improvement * C(arm, Treatment('placebo')) + age + sex", frame).fit()
    name = next(each for each in fit.tvalues.index if each.startswith("improvement:"))
    assert t == pytest.approx(fit.tvalues[name], rel=1e-3)
    assert row(found, "angular gyrus", "R").effect > 0
    assert sum(each.code == "difference-of-significance" for each in found.findings) == 1


def test_severity_and_group_are_those_of_statsmodels(tmp_path: Path) -> None:
    made = draw(4)
    folder = write(tmp_path / "s", made)
    severity, group = asked(folder, "severity"), asked(folder, "group")
    t, at = voxel(made, severity, "t", (20, -60, 34))
    frame = table(made)
    frame["y"] = made.pre[: len(frame), at].astype(np.float32).astype(float)
    assert t == pytest.approx(smf.ols("y ~ before + age + sex", frame).fit().tvalues["before"], rel=1e-3)
    t, at = voxel(made, group, "t", (20, -60, 34))
    frame = made.people.copy()
    frame["y"] = made.pre[:, at].astype(np.float32).astype(float)
    fit = smf.ols("y ~ C(group, Treatment('HC')) + age + sex", frame).fit()
    assert t == pytest.approx(fit.tvalues.iloc[1], rel=1e-3)
    assert group.plan.effect_name == "SUVR, TRD less HC"


def test_a_prediction_is_the_regression_of_improvement_on_the_first_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = draw(5)
    improvement = table(made)["improvement"].to_numpy()
    made.pre[: len(improvement), near(45, -61, 36, 40)] += 0.03 * (improvement - improvement.mean())[:, None]
    monkeypatch.setattr("habena.app.study.prediction.PERMUTATIONS", 39)
    folder = write(tmp_path / "s", made)
    found = asked(folder, "prediction")
    effect, at = voxel(made, found, "effect", (44, -60, 34))
    frame = table(made)
    frame["pre"] = made.pre[: len(frame), at].astype(np.float32).astype(float)
    fit = smf.ols("improvement ~ pre + arm + age + sex", frame).fit()
    assert effect == pytest.approx(fit.params["pre"], rel=2e-3)
    assert row(found, "angular gyrus", "R").p_fwe == pytest.approx(1 / 1001, rel=1)
    assert found.details["p"] < 0.05
    assert set(found.tables["prediction"]) == {"participant_id", "observed", "predicted"}
    assert any(each.code == "few-to-predict" for each in found.findings)


def test_a_prediction_by_arm_learns_from_scans_and_not_from_the_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = draw(6)
    monkeypatch.setattr("habena.app.study.prediction.PERMUTATIONS", 5)
    found = asked(write(tmp_path / "s", made), "prediction", arm="interaction")
    effect, at = voxel(made, found, "effect", (44, -60, 34))
    frame = table(made)
    frame["pre"] = made.pre[: len(frame), at].astype(np.float32).astype(float)
    fit = smf.ols("improvement ~ pre * C(arm, Treatment('placebo')) + age + sex", frame).fit()
    name = next(each for each in fit.params.index if each.startswith("pre:"))
    assert effect == pytest.approx(fit.params[name], rel=5e-3)
    assert abs(found.details["r"]) < 0.9


def test_a_formula_has_voxelwise_covariates_and_outcomes_of_the_table(tmp_path: Path) -> None:
    made = planted_change()
    folder = write(tmp_path / "s", made)
    found = asked(
        folder,
        "formula",
        formula="suvr_change ~ madrs_total_improvement + before",
        voxelwise=(("before", "suvr"),),
        contrasts=("slope=madrs_total_improvement",),
    )
    t, at = voxel(made, found, "t", (44, -60, 34))
    frame = table(made)
    frame["pre"], frame["post"] = (
        each[: len(frame), at].astype(np.float32).astype(float) for each in (made.pre, made.post)
    )
    frame["y"] = frame["post"] - frame["pre"]
    assert t == pytest.approx(smf.ols("y ~ improvement + pre", frame).fit().tvalues["improvement"], rel=2e-3)
    of_table = asked(folder, "formula", formula="madrs_total_improvement ~ arm + age")
    fit = smf.ols("improvement ~ arm + age", table(made)).fit()
    assert [each.region for each in of_table.regions] == ["arm[T.placebo]", "age"]
    assert [each.effect for each in of_table.regions] == pytest.approx(fit.params.iloc[1:].tolist(), rel=1e-6)
    assert not of_table.maps


def test_words_say_what_was_not_found_and_what_is_simulated(tmp_path: Path) -> None:
    made = draw(7)
    made.simulated = True
    found = asked(
        write(tmp_path / "s", made), "change", arm="ketamine", inference=Inference(permutations=99, correction="fwe")
    )
    words = " ".join(found.words)
    assert found.simulated
    assert found.words[0].startswith("Simulated data")
    assert "No voxel survives" in words
    assert "not shown to be absent" in words
    assert "larger is better" in words
    assert "ask for the interaction" in words
    assert found.plan.title.startswith("Simulated")


def test_a_habenula_says_how_much_of_its_signal_is_kept(tmp_path: Path) -> None:
    found = asked(write(tmp_path / "s", draw(8)), "severity")
    assert "keeps 12 % of its own signal at 6 mm" in row(found, "habenula", "L").note
    assert row(found, "frontal lobe", "L").note == "union of AAL2 regions"
    assert sum(each.code == "partial-volume" for each in found.findings) == 1


def test_permutations_are_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "s", draw(9))
    inference = Inference(permutations=50, correction="fwe")
    first = asked(folder, "severity", inference=inference)
    monkeypatch.setattr("habena.app.model_inference.Inferring.all", _never)
    with pytest.raises(AssertionError):  # another seed is another count
        asked(folder, "severity", inference=Inference(permutations=50, correction="fwe", seed=2))
    monkeypatch.setattr("habena.app.study.map_questions.region_tests", lambda *_: _nothing(first))
    again = asked(folder, "severity", inference=inference)
    np.testing.assert_array_equal(again.maps["neglog10-p-fwe"][0], first.maps["neglog10-p-fwe"][0])


def _never(*_: object) -> None:
    raise AssertionError


def _nothing(first: Answered):
    maps = type("Maps", (), {"df": (1.0, 10.0)})()
    return RegionTests(first.regions, np.zeros((1, 24)), maps, 0, ())


def test_an_answer_can_be_stopped(tmp_path: Path) -> None:
    folder = write(tmp_path / "s", draw(10))
    planned = plan(read_study(folder), Ask(study=str(folder), kind="severity"))

    def stop(_: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        answer(planned, stop)


def test_p_over_regions_is_small_no_more_often_than_it_should_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("habena.app.study.region_rows.LEAST_PERMUTATIONS", 19)
    folder = write(tmp_path / "s", draw(11, patients=12, healthy=0))
    planned = plan(read_study(folder), Ask(study=str(folder), kind="severity"))
    fitted = fit_model(concrete(planned.models[0]))
    rng = np.random.default_rng(0)
    smallest: list[float] = []
    for seed in range(120):
        noise = replace(fitted, values=rng.normal(size=fitted.values.shape).astype(np.float32))
        rows = region_tests(noise, fitted.tests[0], Inference(seed=seed), 6.0).rows
        smallest.append(min(each.p_fwe for each in rows if each.p_fwe is not None))
    found = int(np.count_nonzero(np.array(smallest) <= 0.1 + 1e-9))
    low, high = stats.binom.ppf([0.001, 0.999], 120, 0.1)
    assert low <= found <= high


def test_without_anybody_to_exchange_no_correction_is_claimed(tmp_path: Path) -> None:
    found = asked(write(tmp_path / "s", draw(12)), "severity")
    rows = [each._replace(p_fwe=None) for each in found.regions]
    words = " ".join(region_words(found.plan, rows, 10, 0))
    assert "Nothing is corrected for" in words
    assert "survives correction" not in words


def test_a_change_of_exactly_zero_is_no_edge_of_a_field_of_view(tmp_path: Path) -> None:
    made = draw(13)
    made.post[0, near(0, -20, 20, 12)] = made.pre[0, near(0, -20, 20, 12)]
    found = asked(write(tmp_path / "s", made), "change")
    assert "zero-in-some" not in {each.code for each in found.findings}
