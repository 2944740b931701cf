"""`habena model` from files to files beside SciPy, statsmodels and published examples."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from command_line import AFFINE, document, done, write_image
from model_study import (
    EFFECT_IJK,
    RIGHT_HANDED,
    SHAPE,
    N,
    Study,
    codes,
    cross_sectional,
    read_map,
    repeated,
    said,
    write_table,
)
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from statsmodels.stats.anova import AnovaRM, anova_lm

T_MAPS = {"estimate", "se", "t", "partial-r", "d", "ci-low", "ci-high", "neglog10-p"}
SOME = [EFFECT_IJK, (6, 5, 4), (3, 0, 2), (0, 5, 0)]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return cross_sectional(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return repeated(tmp_path_factory.mktemp("pairs"))


# ---- the document -------------------------------------------------------------------------------------------------


def test_the_document_has_every_field_of_the_contract(study: Study, tmp_path: Path) -> None:
    found = study.fit("~ group + age", "-o", tmp_path / "maps", "--cluster-threshold", "0.05")
    assert {"n", "residual_df", "design", "tests", "maps", "clusters", "warnings"} <= set(found)
    assert (found["n"], found["residual_df"]) == (N, N - 3)
    assert found["elements"] == study.varies().sum()
    assert found["design"] == {"columns": ["Intercept", "group[T.b]", "age"]}
    assert [test["name"] for test in found["tests"]] == ["group[T.b]", "age"]
    for test in found["tests"]:
        assert {"name", "statistic", "value", "df", "p", "p_permutation", "p_fwe"} <= set(test)
        assert (test["statistic"], test["df"]) == ("t", [1, N - 3])
        assert (test["p_permutation"], test["p_fwe"], test["permutations"]) == (None, None, 0)
    assert found["clusters"]
    for cluster in found["clusters"]:
        assert {"sign", "size_mm3", "p", "peak_mm", "peak_value", "regions"} <= set(cluster)
        assert all(set(region) == {"atlas", "name", "share"} for region in cluster["regions"])
        assert cluster["p"] is None
    assert codes(found) == ["uncorrected", "simulated"]  # and none about repetition times: frames are people


def test_a_test_of_maps_is_that_of_its_strongest_voxel(study: Study, tmp_path: Path) -> None:
    found = study.fit("~ group + age", "-o", tmp_path / "maps")
    test = found["tests"][0]
    t = read_map(found, "group-T.b_t")
    assert_allclose(t[EFFECT_IJK], np.nanmax(np.abs(t)))
    assert_allclose(test["value"], t[EFFECT_IJK], rtol=1e-6)
    assert_allclose(test["peak_mm"], (AFFINE @ (*EFFECT_IJK, 1))[:3])
    assert_allclose(-np.log10(test["p"]), read_map(found, "group-T.b_neglog10-p")[EFFECT_IJK], rtol=1e-6)


def test_without_a_folder_nothing_is_written(study: Study) -> None:
    before = sorted(study.folder.iterdir())
    assert study.fit("~ group")["maps"] == {}
    assert sorted(study.folder.iterdir()) == before


def test_without_json_the_tests_the_columns_and_the_files_are_printed(study: Study, tmp_path: Path) -> None:
    said_ = done("model", study.images, "--table", study.table, "--formula", "~ group", "-o", tmp_path / "maps")
    assert "columns: Intercept, group[T.b]" in said_.out
    assert "group[T.b]: t(12) = " in said_.out
    assert str(tmp_path / "maps" / "group-T.b_t.nii.gz") in said_.out
    assert "nobody was scanned" in said_.err


# ---- maps ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("affine", [AFFINE, RIGHT_HANDED], ids=["LAS", "RAS"])
def test_maps_equal_statsmodels_on_the_grid_of_the_data(tmp_path: Path, affine: Any) -> None:
    (tmp_path / "in").mkdir()
    study = cross_sectional(tmp_path / "in", affine)
    assert nib.aff2axcodes(affine) == (("L" if affine[0, 0] < 0 else "R"), "A", "S")
    found = study.fit("~ group + age", "-o", tmp_path / "maps")
    assert {name.partition("_")[2] for name in found["maps"] if name.startswith("group-T.b")} == T_MAPS
    maps = {name: read_map(found, f"group-T.b_{name}") for name in T_MAPS}
    image = nib.load(found["maps"]["group-T.b_t"])
    assert_allclose(image.affine, affine)
    assert image.get_data_dtype() == np.float32
    x = np.column_stack([np.ones(N), study.frame["group"] == "b", study.frame["age"]]).astype(float)
    for ijk in SOME:
        model = sm.OLS(study.data[(slice(None), *ijk)].astype(float), x).fit()
        expected = {
            "estimate": model.params[1],
            "se": model.bse[1],
            "t": model.tvalues[1],
            "partial-r": model.tvalues[1] / np.sqrt(model.tvalues[1] ** 2 + model.df_resid),
            "d": model.params[1] / np.sqrt(model.mse_resid),
            "ci-low": model.conf_int()[1, 0],
            "ci-high": model.conf_int()[1, 1],
            "neglog10-p": -np.log10(model.pvalues[1]),
        }
        assert_allclose([maps[name][ijk] for name in expected], list(expected.values()), rtol=2e-5)


def test_constant_and_incomplete_voxels_are_empty(study: Study, tmp_path: Path) -> None:
    found = study.fit("~ group", "-o", tmp_path / "maps")
    for name in found["maps"]:
        assert_array_equal(np.isnan(read_map(found, name)), ~study.varies())


def test_the_same_place_has_the_effect_in_left_and_right_handed_files(tmp_path: Path) -> None:
    """One brain stored both ways: the left stays left."""
    (tmp_path / "in").mkdir()
    study = cross_sectional(tmp_path / "in")
    flipped = AFFINE @ np.array([[-1.0, 0, 0, SHAPE[0] - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    mirrored = write_image(tmp_path / "in" / "flipped.nii.gz", np.moveaxis(study.data, 0, -1)[::-1].copy(), flipped)
    one, other = (study.fit("~ group", data=data)["tests"][0] for data in (study.images, mirrored))
    assert_allclose(one["peak_mm"], other["peak_mm"])
    assert one["peak_mm"][0] > 0


def test_a_contrast_of_several_rows_is_an_f_test(study: Study, tmp_path: Path) -> None:
    found = study.fit("~ group + age", "--contrast", "both=0 1 0; 0 0 1", "-o", tmp_path / "maps")
    x = np.column_stack([np.ones(N), study.frame["group"] == "b", study.frame["age"]]).astype(float)
    assert found["tests"][0]["df"] == [2, N - 3]
    for ijk in SOME:
        expected = sm.OLS(study.data[(slice(None), *ijk)].astype(float), x).fit().f_test([[0, 1, 0], [0, 0, 1]])
        assert_allclose(read_map(found, "both_F")[ijk], expected.fvalue, rtol=2e-5)
        assert_allclose(read_map(found, "both_neglog10-p")[ijk], -np.log10(expected.pvalue), rtol=2e-5)
        assert_allclose(read_map(found, "both_f2")[ijk], 2 * expected.fvalue / (N - 3), rtol=2e-5)


def test_contrasts_are_weights_expressions_or_names_and_may_be_repeated(study: Study) -> None:
    asked = ("--contrast", "w=0 1 0", "--contrast", "e=group[T.b]", "--contrast", "group[T.b]", "--contrast", "n=-age")
    tests = study.fit("~ group + age", *asked)["tests"]
    assert [test["name"] for test in tests] == ["w", "e", "group[T.b]", "n"]
    assert tests[0]["value"] == tests[1]["value"] == tests[2]["value"]
    assert_allclose(tests[3]["value"], -study.fit("~ group + age", "--contrast", "age")["tests"][0]["value"])


def test_by_group_variances_equal_welch(study: Study, tmp_path: Path) -> None:
    found = study.fit("~ group", "--variance", "by-group", "-o", tmp_path / "maps")
    inside = study.varies()
    b, a = (study.data[study.frame["group"] == name][:, inside].astype(float) for name in "ba")
    expected = stats.ttest_ind(b, a, equal_var=False)
    assert_allclose(read_map(found, "group-T.b_t")[inside], expected.statistic, rtol=1e-4)
    assert_allclose(read_map(found, "group-T.b_df")[inside], expected.df, rtol=1e-4)
    assert_allclose(read_map(found, "group-T.b_neglog10-p")[inside], -np.log10(expected.pvalue), rtol=1e-3)
    assert found["tests"][0]["df"][1] == pytest.approx(read_map(found, "group-T.b_df")[EFFECT_IJK])


def test_one_sided_tests_halve_the_p_of_positive_effects(study: Study, tmp_path: Path) -> None:
    two = study.fit("~ group", "-o", tmp_path / "two")
    one = study.fit("~ group", "--one-sided", "-o", tmp_path / "one")
    t = read_map(two, "group-T.b_t")
    p_two, p_one = (10 ** -read_map(found, "group-T.b_neglog10-p") for found in (two, one))
    assert_allclose(p_one[t > 0], p_two[t > 0] / 2, rtol=1e-4)
    assert_allclose(p_one[t < 0], 1 - p_two[t < 0] / 2, rtol=1e-4)
    assert one["parameters"]["tails"] == "one-sided (positive)"
    assert not one["power"][0]["two_sided"]


def test_a_voxelwise_covariate_equals_a_model_of_each_voxel(study: Study, tmp_path: Path) -> None:
    asked = ("--voxelwise", "grey=grey_file", "--contrast", "group[T.b]", "--contrast", "grey")
    found = study.fit("~ group", *asked, "-o", tmp_path / "maps")
    assert found["design"]["columns"] == ["Intercept", "group[T.b]", "grey"]
    assert found["residual_df"] == N - 3
    for ijk in SOME:
        at = (slice(None), *ijk)
        x = np.column_stack([np.ones(N), study.frame["group"] == "b", study.grey[at]]).astype(float)
        expected = sm.OLS(study.data[at].astype(float), x).fit()
        t = [read_map(found, name)[ijk] for name in ("group-T.b_t", "grey_t")]
        assert_allclose(t, expected.tvalues[1:], rtol=1e-4)
    inputs = json.loads(Path(found["maps"]["grey_t"].replace(".nii.gz", ".json")).read_text())["inputs"]
    assert sum(each["name"].startswith("grey") for each in inputs) == N


def test_a_column_of_files_gives_what_the_4d_file_gives(study: Study, tmp_path: Path) -> None:
    whole = study.fit("~ group + age", "-o", tmp_path / "a")
    single = study.fit("~ group + age", "-o", tmp_path / "b", data="column:image")
    assert whole["tests"] == single["tests"]
    for name in whole["maps"]:
        assert_array_equal(read_map(whole, name), read_map(single, name))


# ---- records ------------------------------------------------------------------------------------------------------


def test_the_record_of_a_map_says_how_it_came_about(study: Study, tmp_path: Path) -> None:
    mask = write_image(tmp_path / "mask.nii.gz", study.varies().astype(np.uint8))
    chosen = ("--permutations", "30", "--seed", "5", "--correction", "tfce", "--tfce-h", "1.5", "--connectivity", "18")
    found = study.fit("~ group + age", "--contrast", "g=group[T.b]", *chosen, "--mask", mask, "-o", tmp_path / "maps")
    record = json.loads((tmp_path / "maps" / "g_neglog10-p-tfce-fwe.json").read_text())
    assert record["Units"].startswith("-log10 p, family-wise, TFCE")
    parameters = record["parameters"]
    assert parameters["model"]["formula"] == "~ group + age"
    assert parameters["test"] == "g"
    assert parameters["weights"] == [[0, 1, 0]]
    assert parameters["map"] == "neglog10-p-tfce-fwe"
    assert parameters["inference"]["seed"] == 5
    assert (parameters["inference"]["tfce_h"], parameters["inference"]["tfce_e"]) == (1.5, 0.5)
    assert parameters["inference"]["connectivity"] == 18
    assert parameters["tails"] == "two-sided"
    assert parameters["tfce"] == "H 1.5, E 0.5, 18 neighbours, exact integral, two-sided"
    assert parameters["permutations"] == {"counted": [31], "all_distinct": [False], "seed": 5}
    assert parameters["rows"] == list(range(1, N + 1))
    assert parameters["Simulated"] is True
    hashes = {each["name"]: each["sha256"] for each in record["inputs"]}
    for path in (study.table, study.images, mask):
        assert hashes[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert {"habena", "numpy"} <= set(record["software"])
    assert found["parameters"]["permutations"] == parameters["permutations"]


def test_both_files_of_an_analyze_pair_are_hashed(study: Study, tmp_path: Path) -> None:
    image = nib.Nifti1Pair(np.moveaxis(study.data, 0, -1), AFFINE)
    nib.save(image, tmp_path / "all.hdr")
    found = study.fit("~ group", "-o", tmp_path / "maps", data=tmp_path / "all.hdr")
    record = json.loads((tmp_path / "maps" / "group-T.b_t.json").read_text())
    assert [each["name"] for each in record["inputs"]] == ["study.tsv", "all.hdr", "all.img"]
    assert_array_equal(
        read_map(found, "group-T.b_t"), read_map(study.fit("~ group", "-o", tmp_path / "b"), "group-T.b_t")
    )


def test_every_map_of_p_says_in_its_name_that_it_holds_minus_log10_p(study: Study, tmp_path: Path) -> None:
    asked = ("--permutations", "20", "--correction", "fwe")
    found = study.fit("~ group", *asked, "-o", tmp_path / "maps")
    of_p = {name.partition("_")[2] for name in found["maps"]} - T_MAPS
    assert of_p == {"neglog10-p-permutation", "neglog10-p-fwe"}
    assert np.nanmin(read_map(found, "group-T.b_neglog10-p-fwe")) == 0  # p of 1


# ---- terms --------------------------------------------------------------------------------------------------------

# R, data(warpbreaks): 54 looms, two wools, three tensions (Tippett 1950; in R's help of `warpbreaks`)
WARPBREAKS = {
    ("A", "L"): (26, 30, 54, 25, 70, 52, 51, 26, 67),
    ("A", "M"): (18, 21, 29, 17, 12, 18, 35, 30, 36),
    ("A", "H"): (36, 21, 24, 18, 10, 43, 28, 15, 26),
    ("B", "L"): (27, 14, 29, 19, 29, 31, 41, 20, 44),
    ("B", "M"): (42, 26, 19, 16, 39, 28, 21, 39, 29),
    ("B", "H"): (20, 21, 24, 17, 13, 15, 15, 16, 28),
}


def table_model(table: Path, formula: str, *more: object) -> dict[str, Any]:
    return document("model", "table", "--table", table, "--formula", formula, *more)


def test_terms_of_warpbreaks_are_those_that_r_prints(tmp_path: Path) -> None:
    """anova(lm(breaks ~ wool * tension)) in R's example(warpbreaks): 3.7653, 8.4980, 4.1891 with 48 df."""
    rows = [(wool, tension, breaks) for (wool, tension), each in WARPBREAKS.items() for breaks in each]
    table = write_table(tmp_path / "w.tsv", pd.DataFrame(rows, columns=["wool", "tension", "breaks"]))
    found = table_model(table, "breaks ~ wool * tension", "--terms")
    tests = {test["name"]: test for test in found["tests"]}
    assert list(tests) == ["wool", "tension", "wool:tension"]
    assert [test["df"] for test in tests.values()] == [[1, 48], [2, 48], [2, 48]]
    assert_allclose([test["value"] for test in tests.values()], [3.7653, 8.4980, 4.1891], atol=5e-5)
    assert_allclose([test["p"] for test in tests.values()], [0.0582130, 0.0006926, 0.0210442], atol=5e-8)


def test_terms_of_an_unbalanced_table_are_type_iii_as_in_statsmodels(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "LOS": rng.gamma(2, 3, 60).round(2),
            "insurance": rng.choice(["none", "private", "public"], 60, p=[0.2, 0.5, 0.3]),
            "sex": rng.choice(["f", "m"], 60, p=[0.7, 0.3]),
            "age": rng.normal(50, 12, 60).round(1),
        }
    )
    frame["LOSc"] = (frame["LOS"] - frame["LOS"].mean()).round(4)
    frame["score"] = (rng.normal(0, 1, 60) + 0.2 * frame["LOSc"] * (frame["insurance"] == "none")).round(4)
    found = table_model(write_table(tmp_path / "t.tsv", frame), "score ~ LOSc * insurance + sex + age", "--terms")
    expected = anova_lm(smf.ols("score ~ LOSc * C(insurance, Sum) + C(sex, Sum) + age", frame).fit(), typ=3)
    names = {
        "LOSc": "LOSc",
        "insurance": "C(insurance, Sum)",
        "sex": "C(sex, Sum)",
        "age": "age",
        "LOSc:insurance": "LOSc:C(insurance, Sum)",
    }
    assert {test["name"] for test in found["tests"]} == set(names)
    for test in found["tests"]:
        row = expected.loc[names[test["name"]]]
        assert_allclose([test["value"], test["p"], test["df"][0]], [row["F"], row["PR(>F)"], row["df"]], rtol=1e-9)
        assert (test["statistic"], test["df"][1]) == ("F", expected.loc["Residual", "df"])


def test_terms_of_images_have_maps_of_f(study: Study, tmp_path: Path) -> None:
    found = study.fit("~ group * sex + site", "--terms", "-o", tmp_path / "maps")
    assert [test["name"] for test in found["tests"]] == ["group", "sex", "site", "group:sex"]
    assert "groupxsex_F" in found["maps"]
    for ijk in SOME:
        frame = study.frame.assign(y=study.data[(slice(None), *ijk)].astype(float))
        model = smf.ols("y ~ C(group, Sum) * C(sex, Sum) + C(site, Sum)", frame).fit()
        f = anova_lm(model, typ=3)["F"]
        assert_allclose(read_map(found, "groupxsex_F")[ijk], f["C(group, Sum):C(sex, Sum)"], rtol=1e-4)
        assert_allclose(read_map(found, "site_F")[ijk], f["C(site, Sum)"], rtol=1e-4)


# ---- repeated measures --------------------------------------------------------------------------------------------

WITHIN = ("--subject", "subject", "--within", "session")

# Cushny and Peebles 1905 as in Student 1908 (R, data(sleep)): extra hours with two drugs
SLEEP = (
    (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0),
    (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4),
)


def sleep_table(folder: Path) -> Path:
    rows = [(f"p{k}", f"drug{d + 1}", extra) for d, each in enumerate(SLEEP) for k, extra in enumerate(each)]
    return write_table(folder / "sleep.tsv", pd.DataFrame(rows, columns=["person", "drug", "extra"]))


def test_students_sleep_is_the_paired_test_that_r_prints(tmp_path: Path) -> None:
    """R's example(sleep): t = 4.0621, df = 9, p = 0.002833, mean 1.58, interval 0.7001142 to 2.4598858."""
    found = table_model(sleep_table(tmp_path), "extra ~ drug", "--subject", "person", "--within", "drug")
    (test,) = found["tests"]
    assert (test["name"], test["df"]) == ("drug[drug2 - drug1]", [1, 9])
    assert_allclose([test["value"], test["p"], test["estimate"]], [4.0621, 0.002833, 1.58], rtol=2e-4)
    assert_allclose(test["ci"], [0.7001142, 2.4598858], rtol=1e-7)


def test_the_outcome_of_repeated_measures_may_be_a_function(tmp_path: Path) -> None:
    frame = pd.read_csv(sleep_table(tmp_path), sep="\t").assign(extra=lambda frame: frame["extra"] + 3)
    table = write_table(tmp_path / "log.tsv", frame)
    (test,) = table_model(table, "log(extra) ~ drug", "--subject", "person", "--within", "drug")["tests"]
    expected = stats.ttest_rel(*(np.log(np.array(each) + 3) for each in reversed(SLEEP)))
    assert_allclose([test["value"], test["p"]], [expected.statistic, expected.pvalue])


def by_person(study: Study, level: str) -> Any:
    rows = study.frame[study.frame["session"] == level].sort_values("subject").index
    return study.data[rows].astype(np.float64)


def group_of(study: Study) -> Any:
    return study.frame.drop_duplicates("subject").sort_values("subject")["group"].to_numpy()


def test_two_sessions_alone_are_the_paired_t_test_of_scipy(pairs: Study, tmp_path: Path) -> None:
    found = pairs.fit("~ session", *WITHIN, "-o", tmp_path / "maps")
    expected = stats.ttest_rel(by_person(pairs, "post"), by_person(pairs, "pre"))
    assert (found["n"], [test["name"] for test in found["tests"]]) == (9, ["session[post - pre]"])
    assert said(found, "difference") == ["Differences are post - pre."]
    assert_allclose(read_map(found, "session-post-pre_t"), expected.statistic, rtol=1e-4)


def test_the_mixed_anova_of_two_levels_is_that_of_a_model_with_a_constant_per_person(
    pairs: Study, tmp_path: Path
) -> None:
    found = pairs.fit("~ group * session", *WITHIN, "--terms", "-o", tmp_path / "maps")
    assert {test["name"]: test["df"] for test in found["tests"]} == {
        "group": [1, 7],
        "session": [1, 7],
        "group:session": [1, 7],
    }
    for ijk in SOME:
        frame = pairs.frame.assign(y=pairs.data[(slice(None), *ijk)].astype(float))
        frame["s"] = np.where(frame["session"] == "post", 0.5, -0.5)
        frame["g"] = np.where(frame["group"] == "b", 1.0, -1.0)
        within = smf.ols("y ~ C(subject) + s + s:g", frame).fit()
        means = frame.groupby("subject")[["y", "g"]].mean()
        between = smf.ols("y ~ g", means).fit()
        expected = [between.tvalues["g"] ** 2, within.tvalues["s"] ** 2, within.tvalues["s:g"] ** 2]
        names = ("group_F", "session_F", "groupxsession_F")
        assert_allclose([read_map(found, name)[ijk] for name in names], expected, rtol=1e-4)


def test_group_by_time_is_the_group_effect_on_the_difference(pairs: Study, tmp_path: Path) -> None:
    name = "group[T.b]:session[post - pre]"
    found = pairs.fit("~ group * session", *WITHIN, "--contrast", f"x={name}", "-o", tmp_path / "maps")
    change, group = by_person(pairs, "post") - by_person(pairs, "pre"), group_of(pairs)
    expected = stats.ttest_ind(change[group == "b"], change[group == "a"])
    assert_allclose(read_map(found, "x_t"), expected.statistic, rtol=1e-4)


def test_differences_have_the_variances_of_their_groups(pairs: Study, tmp_path: Path) -> None:
    names = ("--contrast", "x=group[T.b]:session[post - pre]")
    found = pairs.fit("~ group * session", *WITHIN, *names, "--variance", "by-group", "-o", tmp_path / "maps")
    change, group = by_person(pairs, "post") - by_person(pairs, "pre"), group_of(pairs)
    expected = stats.ttest_ind(change[group == "b"], change[group == "a"], equal_var=False)
    assert_allclose(read_map(found, "x_t"), expected.statistic, rtol=1e-4)
    assert_allclose(read_map(found, "x_df"), expected.df, rtol=1e-4)


def test_a_voxelwise_covariate_enters_by_its_mean_and_by_its_change(pairs: Study, tmp_path: Path) -> None:
    found = pairs.fit("~ group * session", *WITHIN, "--voxelwise", "grey=grey_file", "-o", tmp_path / "maps")
    assert found["design"]["columns"][2] == "grey"
    assert found["design"]["columns"][-1] == "change of grey"
    for ijk in SOME:
        at = (slice(None), *ijk)
        frame = pairs.frame.assign(y=pairs.data[at].astype(float), grey=pairs.grey[at].astype(float))
        frame["s"] = np.where(frame["session"] == "post", 1.0, 0.0)
        frame["g"] = np.where(frame["group"] == "b", 1.0, 0.0)
        within = smf.ols("y ~ C(subject) + s + s:g + grey", frame).fit()
        between = smf.ols("y ~ g + grey", frame.groupby("subject")[["y", "g", "grey"]].mean()).fit()
        t = {name: read_map(found, f"{name}_t")[ijk] for name in ("group-T.b", "grey", "change-of-grey")}
        assert_allclose(
            list(t.values()), [between.tvalues["g"], between.tvalues["grey"], within.tvalues["grey"]], rtol=1e-4
        )
        assert_allclose(read_map(found, "session-post-pre_t")[ijk], within.tvalues["s"], rtol=1e-4)


def test_three_levels_are_the_repeated_measures_anova_of_statsmodels(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    study = repeated(tmp_path / "in", ("day0", "day3", "day7"))
    found = study.fit("~ session", *WITHIN, "-o", tmp_path / "maps")
    (test,) = found["tests"]
    assert (test["statistic"], test["df"]) == ("F", [2, 16])
    assert set(test["sphericity"]) == {"mauchly_w", "mauchly_p", "epsilon_gg", "epsilon_hf", "p", "p_gg", "p_hf"}
    assert 0.5 <= test["sphericity"]["epsilon_gg"] <= 1
    assert test["p"] == test["sphericity"]["p_gg"]
    assert "Greenhouse and Geisser" in said(found, "repeated-measures")[0]
    for ijk in SOME:
        frame = study.frame.assign(y=study.data[(slice(None), *ijk)].astype(float))
        expected = AnovaRM(frame, "y", "subject", within=["session"]).fit().anova_table["F Value"].item()
        assert_allclose(read_map(found, "session_F")[ijk], expected, rtol=1e-4)


def test_who_misses_a_session_is_left_out_by_name(pairs: Study, tmp_path: Path) -> None:
    image = nib.load(pairs.images).get_fdata(dtype=np.float32)
    gone = int(np.flatnonzero((pairs.frame["subject"] == "004") & (pairs.frame["session"] == "post"))[0])
    unnamed = int(np.flatnonzero((pairs.frame["subject"] == "002") & (pairs.frame["session"] == "pre"))[0])
    kept = pairs.frame.drop(index=gone)
    kept["session"] = kept["session"].astype(object)
    kept.loc[unnamed, "session"] = None
    table = write_table(tmp_path / "less.tsv", kept)
    data = write_image(tmp_path / "less.nii.gz", np.delete(image, gone, axis=-1))
    found = document("model", data, "--table", table, "--formula", "~ session", *WITHIN, "--exclude", "000")
    assert found["n"] == 6
    assert any("'004' is left out: no scan at session 'post'" in each for each in said(found, "subject-left-out"))
    row = list(kept.index).index(unnamed) + 1
    assert f"002 (row {row}) is left out: session is missing." in said(found, "row-left-out")
    assert sum("excluded on request" in each for each in said(found, "row-left-out")) == 2


# ---- rows ---------------------------------------------------------------------------------------------------------


def test_rows_with_missing_values_and_empty_cells_are_left_out_and_named(study: Study, tmp_path: Path) -> None:
    frame = study.frame.copy()
    frame.loc[3, "age"] = np.nan
    frame.loc[5, "image"] = None
    table = write_table(study.folder / "gaps.tsv", frame)
    found = document("model", "column:image", "--table", table, "--formula", "~ group + age", "-o", tmp_path / "maps")
    assert found["n"] == N - 2
    assert said(found, "row-left-out") == [
        "sub-05 (row 6) is left out: column image is empty.",
        "sub-03 (row 4) is left out: age is missing.",
    ]
    kept = np.delete(np.arange(N), [3, 5])
    assert found["parameters"]["rows"] == (kept + 1).tolist()
    x = np.column_stack([np.ones(N), study.frame["group"] == "b", study.frame["age"]]).astype(float)[kept]
    expected = sm.OLS(study.data[(kept, *EFFECT_IJK)].astype(float), x).fit()
    assert_allclose(read_map(found, "group-T.b_t")[EFFECT_IJK], expected.tvalues[1], rtol=2e-5)


def test_excluded_people_are_left_out_also_when_they_have_no_image(study: Study) -> None:
    frame = study.frame.copy()
    frame.loc[5, "image"] = None
    table = write_table(study.folder / "gap.tsv", frame)
    asked = ("--table", table, "--formula", "~ group", "--exclude", "sub-05,sub-00")
    found = document("model", "column:image", *asked)
    assert found["n"] == N - 2
    assert "sub-00 (row 1) is left out: excluded on request." in said(found, "row-left-out")


def test_records_beside_maps_name_nobody_who_was_left_out(study: Study, tmp_path: Path) -> None:
    frame = study.frame.copy()
    frame.loc[5, "image"] = None
    table = write_table(study.folder / "gap.tsv", frame)
    asked = ("--table", table, "--formula", "~ group", "--exclude", "sub-00", "-o", tmp_path / "maps")
    found = document("model", "column:image", *asked)
    assert any("sub-05" in text for text in said(found, "row-left-out"))  # told on the screen
    record = json.loads((tmp_path / "maps" / "group-T.b_t.json").read_text())
    left_out = [each for each in record["warnings"] if each["code"] == "row-left-out"]
    assert [each["message"].partition(":")[0] for each in left_out] == ["Row 6 is left out", "Row 1 is left out"]
    assert record["parameters"]["model"]["exclude"] == 1
    assert "sub-05" not in json.dumps([record["parameters"], record["warnings"]])
    assert "sub-00" not in json.dumps([record["parameters"], record["warnings"]])


def test_a_mean_that_is_tested_where_a_covariate_is_0_is_warned_of_and_a_centred_one_is_not(study: Study) -> None:
    assert "mean-at-zero" in codes(study.fit("~ age", "--contrast", "mean=Intercept"))
    assert "mean-at-zero" not in codes(study.fit("~ center(age)", "--contrast", "mean=Intercept"))
    assert "mean-at-zero" not in codes(study.fit("~ age", "--contrast", "slope=age"))


@pytest.mark.parametrize("how", ["pooled", "by-group"])
def test_groups_that_vary_differently_under_a_pooled_variance_are_warned_of(tmp_path: Path, how: str) -> None:
    rng = np.random.default_rng(4)
    group = np.repeat(["small", "large"], [8, 24])
    regions = rng.standard_normal((32, 60)) * np.where(group == "small", 3, 1)[:, None]
    table = write_table(tmp_path / "t.tsv", pd.DataFrame({"group": group, "other": np.tile(["a", "b"], 16)}))
    data = write_table(tmp_path / "regions.tsv", pd.DataFrame(regions, columns=[f"r{k}" for k in range(60)]))
    asked = ("--table", table, "--variance", how, "--formula")
    found = document("model", data, *asked, "~ group")
    assert ("unequal-variances" in codes(found)) == (how == "pooled")
    if how == "pooled":
        (message,) = said(found, "unequal-variances")
        assert "small (n = 8) is 3" in message or "small (n = 8) is 2." in message
    assert "unequal-variances" not in codes(document("model", data, *asked, "~ other"))


def test_scans_of_one_subject_that_are_taken_as_independent_are_warned_of(tmp_path: Path) -> None:
    frame = pd.DataFrame({"subject": list("aabbccdd"), "y": np.random.default_rng(2).normal(size=8)})
    frame["when"] = ["pre", "post"] * 4
    table = write_table(tmp_path / "t.tsv", frame)
    assert "scans-not-independent" in codes(table_model(table, "y ~ when"))
    for more in (("--subject", "subject", "--within", "when"), ("--exchange", "subject")):
        assert "scans-not-independent" not in codes(table_model(table, "y ~ when", *more))


def test_a_site_that_is_a_group_is_warned_of(tmp_path: Path) -> None:
    frame = pd.DataFrame({"y": np.random.default_rng(1).normal(size=12), "group": list("aaaaaabbbbbb")})
    frame["site"] = np.where(frame["group"] == "a", "here", "there")
    found = table_model(write_table(tmp_path / "t.tsv", frame), "y ~ group")
    assert any("site" in code for code in codes(found))


def test_a_table_outcome_gives_one_row_of_a_table(study: Study, tmp_path: Path) -> None:
    found = table_model(study.table, "score ~ age", "-o", tmp_path / "out")
    expected = stats.linregress(study.frame["age"], study.frame["score"])
    (test,) = found["tests"]
    assert found["elements"] == 1
    assert test["effect_name"] == "f2"
    assert_allclose(
        [test["estimate"], test["se"], test["p"], test["partial_r"]],
        [expected.slope, expected.stderr, expected.pvalue, expected.rvalue],
    )
    written = pd.read_csv(found["maps"]["age"], sep="\t")
    assert_allclose(written["t"], test["value"])
    assert "uncorrected" not in codes(found)
