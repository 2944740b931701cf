"""Who drives a voxel: bands, people left out, regions and both sessions against numbers by hand and statsmodels."""

from __future__ import annotations

from dataclasses import replace as with_fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from habena.app.model_fit import Fitted, fit_model
from habena.app.models import Model
from habena.app.panels.model_voxel import voxel_data
from habena.app.panels.voxel_pairs import has_pairs, paired
from habena.app.panels.voxel_people import Seen
from habena.app.panels.voxel_series import (
    element_at,
    element_series,
    region_series,
    statistic_of,
    statistic_without,
)
from habena.app.study.blinding import Kept, blinding_of
from habena.app.study.reading import read_study
from habena.app.study.region_set import NamedRegion, named_regions, volume_mm3
from habena.app.study.rows import StudyRows
from habena.stats.errors import CannotCompute
from msgspec.structs import replace
from question_study import SHAPE, Plan, draw, write

AT = (-12.0, -20.0, 10.0)  # a voxel's centre
FLAT = int(np.ravel_multi_index((9, 12, 10), SHAPE, order="F"))
PATIENTS = (("group", "TRD"),)
FORMULA = "~ madrs_total_improvement + age"
TESTED = "madrs_total_improvement"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return draw(3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, plan: Plan) -> Path:
    return write(tmp_path_factory.mktemp("voxel") / "study", plan)


@pytest.fixture(scope="module")
def change(folder: Path) -> Fitted:
    """The change of 16 patients, explained by their improvement and age."""
    return fit_model(Model("", "", FORMULA, study=StudyRows(str(folder), per="difference", where=PATIENTS)))


@pytest.fixture(scope="module")
def groups(folder: Path) -> Fitted:
    return fit_model(Model("", "", "~ group", study=StudyRows(str(folder))))


def frame_of(plan: Plan, values: np.ndarray) -> pd.DataFrame:
    frame = plan.people.merge(plan.scores, on="participant_id", how="left")
    return frame.assign(improvement=frame["pre"] - frame["post"], y=values)


def named(name: str, side: str) -> NamedRegion:
    return next(each for each in named_regions() if (each.name, each.side) == (name, side))


def at(fitted: Fitted) -> int:
    element = element_at(fitted, AT)
    assert element is not None
    return element


def test_the_band_is_that_of_statsmodels_at_the_mean_of_what_else_the_model_explains(plan, change) -> None:
    data = voxel_data(change, change.tests[0], element_series(change, at(change)))
    frame = frame_of(plan, (plan.post - plan.pre)[:, FLAT]).iloc[:16]
    fitted = smf.ols("y ~ improvement + age", frame).fit()
    assert data.band is not None
    places = pd.DataFrame({"improvement": data.band.at, "age": frame["age"].mean()})
    expected = fitted.get_prediction(places).summary_frame()
    np.testing.assert_allclose(data.band.low, expected["mean_ci_lower"], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(data.band.high, expected["mean_ci_upper"], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(data.line[0] + data.line[1] * data.band.at, expected["mean"], rtol=1e-4, atol=1e-6)
    assert "first less last: larger is better" in data.x_title
    assert data.kinds == ("ketamine", "placebo")
    assert [data.kinds[n] for n in data.kind_of] == list(plan.people["arm"][:16])


def test_means_of_two_groups_have_the_interval_of_the_model(plan, groups) -> None:
    data = voxel_data(groups, groups.tests[0], element_series(groups, at(groups)))
    frame = frame_of(plan, plan.pre[:, FLAT])
    expected = smf.ols("y ~ group", frame).fit().get_prediction(pd.DataFrame({"group": ["HC", "TRD"]})).summary_frame()
    assert data.groups == ("HC", "TRD")
    assert [mean.n for mean in data.means] == [12, 16]
    for n, mean in enumerate(data.means):
        found = [mean.mean[0], mean.low[0], mean.high[0]]
        np.testing.assert_allclose(found, expected.iloc[n][["mean", "mean_ci_lower", "mean_ci_upper"]], rtol=1e-5)
    assert data.band is None


def test_with_variances_by_group_each_mean_has_its_own_interval(plan, folder) -> None:
    fitted = fit_model(Model("", "", "~ group", variance="by-group", study=StudyRows(str(folder))))
    data = voxel_data(fitted, fitted.tests[0], element_series(fitted, at(fitted)))
    own = plan.pre[:16, FLAT]
    half = 2.131449546 * own.std(ddof=1) / 4  # t(15), 0.975
    mean = data.means[1]
    np.testing.assert_allclose([mean.low[0], mean.high[0]], [own.mean() - half, own.mean() + half], rtol=1e-5)


def test_the_statistic_without_some_people_is_that_of_a_model_of_the_others(plan, change) -> None:
    tested, series = change.tests[0], element_series(change, at(change))
    out = ("sub-T03", "sub-T08", "sub-T11")
    frame = frame_of(plan, (plan.post - plan.pre)[:, FLAT]).iloc[:16]
    whole = smf.ols("y ~ improvement + age", frame).fit()
    rest = smf.ols("y ~ improvement + age", frame[~frame["participant_id"].isin(out)]).fit()
    assert statistic_of(change, tested, series) == pytest.approx(whole.tvalues["improvement"], rel=1e-4)
    assert statistic_without(change, tested, series, out) == pytest.approx(rest.tvalues["improvement"], rel=1e-4)
    again = fit_model(replace(change.model, exclude=out))
    assert again.tests[0].maps.statistic[at(again)] == pytest.approx(statistic_without(change, tested, series, out))
    data = voxel_data(change, tested, series)
    alone = [statistic_without(change, tested, series, (who,)) for who in data.keys]
    np.testing.assert_allclose(data.t_without, alone, rtol=1e-5)


def test_without_a_whole_group_there_is_nothing_to_test(plan, groups) -> None:
    healthy = tuple(plan.people["participant_id"][16:])
    with pytest.raises(CannotCompute):
        statistic_without(groups, groups.tests[0], element_series(groups, at(groups)), healthy)


def test_an_f_test_without_some_people_is_the_square_of_its_t(change) -> None:
    terms = fit_model(replace(change.model, terms=True))
    out = ("sub-T01", "sub-T02")
    f_test = next(each for each in terms.tests if each.name == TESTED)
    t = statistic_without(change, change.tests[0], element_series(change, at(change)), out)
    f = statistic_without(terms, f_test, element_series(terms, at(terms)), out)
    assert f == pytest.approx(t**2, rel=1e-6)


def test_a_region_is_refitted_on_its_mean(plan, change) -> None:
    region = named("thalamus", "L")
    series = region_series(change, region)
    data = voxel_data(change, change.tests[0], series)
    frame = frame_of(plan, np.zeros(len(plan.people))).iloc[:16].assign(y=series.values)
    expected = smf.ols("y ~ improvement + age", frame).fit().tvalues["improvement"]
    assert statistic_of(change, change.tests[0], series) == pytest.approx(expected, rel=1e-5)
    assert data.title.startswith("mean of thalamus L, madrs_total_improvement: t(13) = ")


def test_the_mean_of_a_map_of_places_is_the_centre_of_the_region(change) -> None:
    place = change.data.place
    x = np.tile(place.mm(np.arange(len(place.voxels)))[:, 0], (len(change.values), 1))
    whole = with_fields(change, values=x.astype(np.float32))
    for side, sign in (("L", -1), ("R", 1)):
        centre = region_series(whole, named("thalamus", side)).values
        np.testing.assert_allclose(centre, centre[0])
        assert 8 < sign * centre[0] < 15  # millimetres from the midline


def test_a_small_region_says_what_it_keeps_of_its_signal(change) -> None:
    region = named("habenula", "R")
    assert volume_mm3(region) < 100
    note = region_series(change, region).note
    assert "of its own signal at 6 mm" in note
    assert region_series(change, named("frontal lobe", "L")).note == ""


def test_both_sessions_are_the_values_that_the_change_is_of(plan, change, folder) -> None:
    tested, series = change.tests[0], element_series(change, at(change))
    assert has_pairs(change, tested)
    found = paired(change, tested, series, None, lambda: read_study(folder))
    assert found.sessions == ("pre", "post")
    expected = np.column_stack([plan.pre[:16, FLAT], plan.post[:16, FLAT]])
    np.testing.assert_allclose(found.values, expected, rtol=1e-5)
    np.testing.assert_allclose(found.values[:, 1] - found.values[:, 0], series.values, rtol=1e-3, atol=1e-6)
    data = voxel_data(change, tested, series, None, found)
    assert data.pair is not None
    ketamine = (plan.people["arm"][:16] == "ketamine").to_numpy()
    np.testing.assert_allclose(data.pair.means[0].mean, expected[ketamine].mean(axis=0), rtol=1e-5)
    half = 2.364624252 * expected[ketamine, 1].std(ddof=1) / np.sqrt(8)  # t(7), 0.975
    assert data.pair.means[0].high[1] - data.pair.means[0].mean[1] == pytest.approx(half, rel=1e-4)


def test_both_sessions_of_a_region_differ_by_the_change_of_its_mean(change, folder) -> None:
    region = named("thalamus", "L")
    series = region_series(change, region)
    found = paired(change, change.tests[0], series, region, lambda: read_study(folder))
    np.testing.assert_allclose(found.values[:, 1] - found.values[:, 0], series.values, rtol=1e-3, atol=1e-6)


def test_a_model_within_subjects_has_its_own_scans_as_sessions(plan, folder) -> None:
    rows = StudyRows(str(folder), per="scan", where=PATIENTS)
    fitted = fit_model(Model("", "", "~ session_id", subject="participant_id", within="session_id", study=rows))
    tested = next(each for each in fitted.tests if has_pairs(fitted, each))
    series = element_series(fitted, at(fitted))
    found = paired(fitted, tested, series, None, lambda: read_study(folder))
    assert found.sessions == ("pre", "post")
    np.testing.assert_allclose(found.values[:, 1] - found.values[:, 0], (plan.post - plan.pre)[:16, FLAT], rtol=1e-3)


def test_scans_of_one_person_are_told_apart_by_their_session_and_selected_together(folder) -> None:
    fitted = fit_model(Model("", "", "~ age", study=StudyRows(str(folder), per="scan", where=PATIENTS)))
    data = voxel_data(fitted, fitted.tests[0], element_series(fitted, at(fitted)))
    assert data.names[:2] == ("sub-T01 pre", "sub-T01 post")
    assert data.places_of(["sub-T01"]) == (0, 1)


def test_a_question_about_one_scan_has_no_sessions_to_compare(groups) -> None:
    assert not has_pairs(groups, groups.tests[0])


def test_a_blinded_plot_has_codes_and_neither_arms_nor_groups_that_are_hidden(change, folder) -> None:
    seen = Seen(blinding_of(read_study(folder), Kept("id", "00" * 32, on=True)))
    data = voxel_data(change, change.tests[0], element_series(change, at(change)), seen)
    assert all(name.startswith("P-") for name in data.names)
    assert data.kinds == ()
    text = data.tsv() + data.summary + data.title
    assert not any(word in text for word in ("sub-T", "ketamine", "placebo"))
    assert data.keys[0] == "sub-T01"
    assert seen.tells_arm("~ arm + age")
    assert not seen.tells_arm(FORMULA)


def test_the_table_of_a_plot_has_all_its_numbers(plan, change) -> None:
    data = voxel_data(change, change.tests[0], element_series(change, at(change)))
    lines = data.tsv().splitlines()
    assert lines[0] == f"# {data.title}"
    read = [line.split("\t") for line in lines[1:]]
    assert read[0][:2] == ["name", "group"]
    assert len(read) == 17
    improvement = plan.scores["pre"] - plan.scores["post"]
    assert [float(row[2]) for row in read[1:]] == improvement.tolist()
    np.testing.assert_allclose([float(row[3]) for row in read[1:]], data.y, rtol=1e-7)
