"""The crossover question against direct fits, and its spectra, filters and time courses."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from habena.app.io.write import plain_json
from habena.app.problems import Problem
from habena.app.study import crossover_models as models
from habena.app.study.asking import Ask
from habena.app.study.crossover_question import answer_study
from habena.app.study.crossover_tables import crossover_sessions, halves, series, time_course, with_sessions
from habena.app.study.plan_crossover import plan
from habena.app.study.report_design import power_lines
from habena.app.study.spectra import Limits, box_of, filtered, limits_of, read_fits, voxel_box
from habena.app.study.told import counted
from habena.app.study.values import Scan, Study
from scipy import stats

SIMULATED = True
TIMES = (-7.5, -2.5, 2.5, 7.5, 12.5, 17.5, 22.5, 27.5)


def study_of(
    folder: Path, people: int = 16, *, effect: float = -0.3, noise: float = 0.1, seed: int = 4, lost: int = 0
) -> Study:
    """A crossover in the layout of the demo: half of the people are women, sequences alternate in pairs."""
    rng = np.random.default_rng(seed)
    participants, sessions, scores, scans = [], [], [], []
    for k in range(people):
        who, sex, order = f"sub-N{k:02d}", "FM"[k % 2], ("naltrexone", "placebo")[:: 1 if k % 4 < 2 else -1]
        participants.append({"participant_id": who, "sex": sex, "age": 30 + k, "sequence": "NP" if k % 4 < 2 else "PN"})
        own, gain = rng.normal(0, 0.3), rng.normal(0, 0.2)
        for period, condition in enumerate(order, start=1):
            if k < lost and period == 2:
                continue
            session = f"ses-{period}"
            keys = {"participant_id": who, "session_id": session}
            sessions.append(keys | {"period": period, "condition": condition})
            given = effect * (condition == "naltrexone") * (1.5 if sex == "M" else 0.5)
            level = own + rng.normal(0, noise) + 0.05 * period
            lift = 0.3 + gain + given + rng.normal(0, noise)
            start = 30 + 5 * own
            scores.append(keys | {"time": "baseline", "madrs_total": start + rng.normal(0, 2)})
            fall = 12 + 20 * given
            scores.append(keys | {"time": "day1", "madrs_total": start - fall + rng.normal(0, 2)})
            rows = [
                {
                    "time_min": time,
                    "glx_tnaa": 1.4 + level + lift * (time > 0) + rng.normal(0, noise),
                    "linewidth_hz": 20.0 if k == 3 and time == 2.5 else 8.0,
                    "snr": 40.0,
                    "crlb_glx_percent": 6.0,
                    "gm_fraction": 0.6,
                }
                for time in TIMES
            ]
            place = folder / who / session / "mrs"
            place.mkdir(parents=True)
            fits = place / f"{who}_{session}_voi-acc_desc-fit_svs.tsv"
            pd.DataFrame(rows).to_csv(fits, sep="\t", index=False)
            scans.append(Scan(who, session, "mrs", place / f"{who}_{session}_voi-acc_svs.nii.gz", fits=fits))
    tables = {"madrs": pd.DataFrame(scores)}
    return Study(
        folder, "naltrexone", SIMULATED, pd.DataFrame(participants), pd.DataFrame(sessions), tables, tuple(scans)
    )


def rows_of(study: Study) -> tuple[pd.DataFrame, object]:
    sessions = crossover_sessions(study)
    kept = with_sessions(read_fits(study)[0], sessions)
    return series(kept, "glx_tnaa"), sessions


def test_the_mixed_model_is_the_one_that_statsmodels_fits_on_the_same_columns(tmp_path: Path) -> None:
    rows, sessions = rows_of(study_of(tmp_path))
    found = models.rows_of(models.mixed(models.spectra_outcome(rows, "glx_tnaa", sessions)))
    table = rows.assign(
        c=halves(rows["condition"], ("placebo", "naltrexone")),
        p=halves(rows["period"], ("1", "2")),
        s=halves(rows["sequence"], ("naltrexone, placebo", "placebo, naltrexone")),
        visit=rows["session_id"],
    )
    model = smf.mixedlm(
        "glx_tnaa ~ baseline + c * C(time_bin, Sum) + p + s",
        table,
        groups="participant_id",
        re_formula="1",
        vc_formula={"visit": "0 + C(visit)"},
    )
    direct = model.fit(reml=True)
    condition = next(row for row in found if row.region == "condition")
    assert condition.effect == pytest.approx(direct.params["c"], abs=1e-4)
    assert condition.statistic == pytest.approx(direct.tvalues["c"], rel=0.02)
    period = next(row for row in found if row.region == "period")
    assert period.effect == pytest.approx(direct.params["p"], abs=1e-3)
    names = [row.region for row in found]
    assert names == ["baseline", "condition", "time_bin", "period", "sequence", "condition:time_bin"]
    assert all((row.side, row.atlas, row.p_fwe) == ("", "", None) for row in found)


def test_the_exact_companion_is_a_t_test_of_sequences_on_period_differences(tmp_path: Path) -> None:
    rows, sessions = rows_of(study_of(tmp_path))
    plain = models.Outcome(models.spectra_outcome(rows, "glx_tnaa", sessions).table, "glx_tnaa", "")
    found = models.companion(plain, sessions, permutations=50, seed=1)
    means = rows.groupby(["participant_id", "sequence", "period"])["glx_tnaa"].mean().unstack()
    d = means["1"] - means["2"]
    first = d[d.index.get_level_values("sequence") == "naltrexone, placebo"]
    other = d[d.index.get_level_values("sequence") != "naltrexone, placebo"]
    expected = stats.ttest_ind(first, other)
    assert found.treatments == ("placebo", "naltrexone")
    assert found.treatment.t == pytest.approx(expected.statistic)
    assert found.treatment.estimate == pytest.approx((first.mean() - other.mean()) / 2)


def test_sex_is_tested_on_paired_differences_adjusted_for_period(tmp_path: Path) -> None:
    rows, sessions = rows_of(study_of(tmp_path))
    plain = models.Outcome(models.spectra_outcome(rows, "glx_tnaa", sessions).table, "glx_tnaa", "")
    found = models.sex_test(plain, sessions)
    means = rows.groupby(["participant_id", "sex", "sequence", "condition"])["glx_tnaa"].mean().unstack()
    d = (means["naltrexone"] - means["placebo"]).reset_index(name="d")
    sign = np.where(d["sequence"] == "naltrexone, placebo", -1.0, 1.0)
    male = (d["sex"] == "M") - 0.5
    direct = sm.OLS(d["d"], np.column_stack([np.ones(len(d)), sign, sign * male, male])).fit()
    assert found.sexes == ("F", "M")
    assert found.n == (8, 8)
    assert found.estimate == pytest.approx(direct.params["x3"])
    assert found.t == pytest.approx(direct.tvalues["x3"])
    assert found.df == direct.df_resid
    assert found.estimate < 0  # men lose more


def test_the_answer_finds_a_planted_attenuation_and_says_what_must_be_said(tmp_path: Path) -> None:
    study = study_of(tmp_path, lost=1)
    ask = Ask(str(tmp_path), "crossover")
    made = plan(study, ask)
    found = answer_study(study, made, Limits(), lambda _: None)
    df = found.details["spectra"]["companion"]["treatment"]["df"]
    (power,) = power_lines(found)  # of the exact test, not of a chi-squared's degrees of freedom
    assert f"With {df:g} residual degrees of freedom the exact test" in power
    condition = next(row for row in found.regions if row.region == "condition")
    assert made.models == ()
    assert made.ask.score == "madrs_total"
    assert made.title.startswith("Simulated: Glx/tNAA, naltrexone less placebo")
    assert condition.ci[1] < 0
    assert condition.ci[0] < -0.3 < condition.ci[1]
    assert found.regions[-1].region == "condition:sex"
    assert found.regions[-1].note.startswith("exploratory")
    assert found.maps == {}
    assert found.plan.n == {"naltrexone, placebo": 8, "placebo, naltrexone": 8, "excluded": 0}
    assert counted(found) == "n: naltrexone then placebo 8, placebo then naltrexone 8"
    assert found.details["spectra"]["companion"]["treatment"]["df"] == 15 - 3
    assert found.details["score"]["companion"]["treatment"]["estimate"] > 0
    assert {"session-missing", "mixed-wald", "one-voxel"} <= {finding.code for finding in found.findings}
    text = " ".join(found.words)
    assert found.words[0].startswith("Simulated")
    for said in ("without denominator degrees of freedom", "Exact companion", "Carry-over", "Exploratory", "companion"):
        assert said in text
    assert {"time_course", "filters", "spectra", "terms", "score_time_course"} <= set(found.tables)
    assert found.tables["spectra"]["used"].sum() == len(found.tables["spectra"]) - 2
    assert len(found.inputs) == 2 * len(study.scans)
    json.loads(plain_json(dict(found.details)))


def test_the_exact_test_of_the_score_is_that_of_its_change(tmp_path: Path) -> None:
    study = study_of(tmp_path)
    ask = Ask(str(tmp_path), "crossover")
    found = answer_study(study, plan(study, ask), Limits(), lambda _: None)
    wide = study.scores["madrs"].pivot(index=["participant_id", "session_id"], columns="time", values="madrs_total")
    change = (wide["day1"] - wide["baseline"]).unstack()
    d = change["ses-1"] - change["ses-2"]
    first = np.array([name[5:] and int(name[5:]) % 4 < 2 for name in d.index])
    expected = stats.ttest_ind(d[first], d[~first])
    test = found.details["score"]["companion"]["treatment"]
    assert test["t"] == pytest.approx(expected.statistic)
    terms = {row["region"]: row for row in found.details["score"]["terms"]}
    assert terms["condition:time"]["effect"] == pytest.approx(test["estimate"], rel=1e-3)  # balanced: the same


def test_without_an_effect_the_exact_test_is_right_at_its_level(tmp_path: Path) -> None:
    p = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        people = [f"s{k}" for k in range(10)]
        table = pd.DataFrame(
            {
                "participant_id": np.repeat(people, 2),
                "session_id": np.tile(["ses-1", "ses-2"], 10),
                "condition": np.concatenate([["a", "placebo"] if k % 2 else ["placebo", "a"] for k in range(10)]),
                "period": np.tile(["1", "2"], 10),
                "sequence": np.repeat([str(k % 2) for k in range(10)], 2),
                "y": np.repeat(rng.normal(0, 1, 10), 2) + rng.normal(0, 1, 20),
            }
        )
        participants = pd.DataFrame({"participant_id": people})
        sessions = crossover_sessions(Study(tmp_path, "s", SIMULATED, participants, table, {}, ()))
        outcome = models.Outcome(table.assign(given=table["condition"], visit=table["period"]), "y", "")
        p.append(models.companion(outcome, sessions, permutations=9, seed=seed).treatment.p)
    rejected = int((np.array(p) < 0.05).sum())
    assert stats.binomtest(rejected, len(p), 0.05).pvalue > 0.001


def test_a_filter_that_removes_one_condition_only_is_a_finding(tmp_path: Path) -> None:
    rows = pd.DataFrame({"condition": ["a"] * 40 + ["b"] * 40, "linewidth_hz": [20.0] * 10 + [8.0] * 70})
    found = filtered(rows, Limits(linewidth_hz_max=13, snr_min=3, crlb_percent_max=None))
    assert len(found.kept) == 70
    counts = found.removed[found.removed["filter"] == "linewidth_hz max"].set_index("condition")
    assert counts["removed"].to_dict() == {"a": 10, "b": 0}
    assert counts["share"].to_dict() == {"a": 0.25, "b": 0.0}
    assert [finding.code for finding in found.findings] == ["filter-unused", "filter-unequal", "filter-unequal"]
    equal = filtered(rows.assign(linewidth_hz=[20.0, *[8.0] * 39] * 2), Limits(crlb_percent_max=None))
    assert equal.findings == ()
    assert len(equal.kept) == 78


def test_the_limits_of_the_time_course_are_those_of_morey() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(0, 1, (6, 4)) + 10 * rng.normal(0, 1, (6, 1))
    cells = [("a", 0.0), ("a", 1.0), ("b", 0.0), ("b", 1.0)]
    rows = [
        {"participant_id": f"s{i}", "condition": c, "time_min": t, "y": y[i, j]}
        for i in range(6)
        for j, (c, t) in enumerate(cells)
    ]
    found = time_course(pd.DataFrame(rows), "y", "time_min")
    normalised = y - y.mean(axis=1, keepdims=True) + y.mean()
    half = stats.t.ppf(0.975, 5) * normalised.std(axis=0, ddof=1) * np.sqrt(4 / 3) / np.sqrt(6)
    np.testing.assert_allclose(found["mean"], y.mean(axis=0))
    np.testing.assert_allclose(found["hi"] - found["mean"], half)
    assert found["n"].tolist() == [6] * 4
    one = time_course(pd.DataFrame(rows[:4]), "y", "time_min")
    assert one["lo"].isna().all()


def test_the_box_of_an_oblique_voxel_has_its_corners_where_the_affine_puts_them(tmp_path: Path) -> None:
    angle = np.deg2rad(20)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([30.0, 20.0, 15.0])
    affine[:3, 3] = (2.0, 34.0, 12.0)
    header = nib.Nifti2Header()
    header["intent_name"] = b"mrs_v0_5"
    header.set_data_dtype(np.complex64)
    image = nib.Nifti2Image(np.ones((1, 1, 1, 64, 2), np.complex64), affine, header)
    path = tmp_path / "sub-1_svs.nii.gz"
    image.to_filename(path)
    found = voxel_box(Scan("sub-1", "ses-1", "mrs", path))
    np.testing.assert_allclose(found.centre_mm, (2, 34, 12), atol=1e-4)
    np.testing.assert_allclose(found.size_mm, (30, 20, 15), rtol=1e-5)
    assert found.oblique
    corner = np.array([2, 34, 12]) + turn @ (np.array([30, 20, 15]) * (0.5, -0.5, 0.5))
    np.testing.assert_allclose(found.corners_mm[5], corner, atol=1e-4)
    np.testing.assert_allclose(found.corners_mm.mean(axis=0), found.centre_mm, atol=1e-4)
    assert not box_of(np.diag([-30.0, 20.0, 15.0, 1.0])).oblique


def test_questions_that_have_no_answer_say_why(tmp_path: Path) -> None:
    study = study_of(tmp_path, 4)
    ask = Ask(str(tmp_path), "crossover")
    with pytest.raises(Problem, match="has no spectra"):
        plan(Study(tmp_path, "s", SIMULATED, study.participants, study.sessions, {}, ()), ask)
    with pytest.raises(Problem, match="says no condition"):
        plan(
            Study(
                tmp_path, "s", SIMULATED, study.participants, study.sessions.drop(columns="condition"), {}, study.scans
            ),
            ask,
        )
    one = study.sessions.assign(condition="ketamine")
    with pytest.raises(Problem, match="has 1 levels of condition"):
        plan(Study(tmp_path, "s", SIMULATED, study.participants, one, {}, study.scans), ask)
    bare = tuple(Scan(scan.participant, scan.session, "mrs", scan.path) for scan in study.scans)
    with pytest.raises(Problem, match="no table of fitted spectra"):
        plan(Study(tmp_path, "s", SIMULATED, study.participants, study.sessions, {}, bare), ask)


def test_the_sequence_comes_from_the_sessions_and_contradictions_are_told(tmp_path: Path) -> None:
    study = study_of(tmp_path, 4, lost=1)
    people = study.participants.copy()
    people.loc[1, "sequence"] = "PN"
    found = crossover_sessions(Study(tmp_path, "s", SIMULATED, people, study.sessions, {}, study.scans))
    assert found.conditions == ("placebo", "naltrexone")
    assert found.table.set_index("participant_id")["sequence"].to_dict()["sub-N00"] == "naltrexone, placebo"
    codes = [(finding.code, finding.where) for finding in found.findings]
    assert codes == [("session-missing", "sub-N00"), ("sequence-contradicted", "sub-N01")]


def test_limits_of_spectra_may_be_named_and_infinity_lifts_one():
    assert limits_of((("snr_min", 8.0), ("linewidth_hz_max", float("inf")))) == Limits(
        linewidth_hz_max=None, snr_min=8.0
    )
    with pytest.raises(Problem, match="no limit named 'snr'"):
        limits_of((("snr", 8.0),))
