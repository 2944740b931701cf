"""Repeated measures: against textbooks, statsmodels, SciPy, and least squares with a column for every subject."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from habena.stats import glm
from habena.stats.contrasts import term_contrasts
from habena.stats.errors import CannotCompute
from habena.stats.repeated_measures import orthonormal_contrasts, repeated_test
from habena.stats.within import differences, repeated_design, subject_means
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from statsmodels.formula.api import mixedlm, ols
from statsmodels.stats.anova import AnovaRM


def long_table(values: np.ndarray, levels: tuple[str, ...], **of_subject: object) -> pd.DataFrame:
    """One row per subject and level, in a shuffled order."""
    n, k = values.shape
    made = pd.DataFrame(
        {"subject": np.repeat([f"sub-{s:02d}" for s in range(n)], k), "level": levels * n, "y": values.ravel()}
    )
    for name, column in of_subject.items():
        made[name] = np.repeat(np.asarray(column), k)
    return made.sample(frac=1, random_state=1).reset_index(drop=True)


def outcome(table: pd.DataFrame) -> np.ndarray:
    return table[["y"]].to_numpy()


def sse(x: np.ndarray, table: pd.DataFrame) -> float:
    """What least squares leaves; the columns may depend on each other."""
    y = table["y"].to_numpy()
    return float(np.sum((y - x @ np.linalg.lstsq(x, y, rcond=1e-10)[0]) ** 2))


def two_groups(n: int = 17, levels: tuple[str, ...] = ("1", "2"), seed: int = 0) -> pd.DataFrame:
    """Simulated; unbalanced groups, an age, subjects that differ."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 1)) * 2 + rng.normal(size=(n, len(levels)))
    return long_table(values, levels, group=np.where(np.arange(n) % 3 == 0, "HC", "TRD"), age=rng.normal(45, 9, n))


class TestTextbooks:
    def test_four_drugs_in_five_people(self) -> None:
        """Winer (1971), Statistical Principles in Experimental Design, section 4.3: F(3, 12) = 24.76."""
        values = [[30, 28, 16, 34], [14, 18, 10, 22], [24, 20, 18, 30], [38, 34, 20, 44], [26, 28, 14, 30]]
        table = long_table(np.array(values, float), ("a", "b", "c", "d"))
        design = repeated_design(table, "y ~ level", "subject", "level")
        found = repeated_test(outcome(table), design, [1])
        assert found.statistic[0] == pytest.approx(24.76, abs=0.005)
        assert found.df == (3, 12)
        assert found.epsilon_gg[0] == pytest.approx(0.6049, abs=5e-5)
        assert found.epsilon_hf[0] == 1

    def test_sphericity_of_reaction_times(self) -> None:
        """Maxwell and Delaney (1990), Designing Experiments and Analyzing Data, as in R's ``mauchly.test``."""
        values = [
            [420, 420, 480, 480, 600, 780],
            [420, 480, 480, 360, 480, 600],
            [480, 480, 540, 660, 780, 780],
            [420, 540, 540, 480, 780, 900],
            [540, 660, 540, 480, 660, 720],
            [360, 420, 360, 360, 480, 540],
            [480, 480, 600, 540, 720, 840],
            [480, 600, 660, 540, 720, 900],
            [540, 600, 540, 480, 720, 780],
            [480, 420, 540, 540, 660, 780],
        ]
        table = long_table(np.array(values, float), tuple("abcdef"))
        found = repeated_test(outcome(table), repeated_design(table, "~ level", "subject", "level"), [1])
        assert found.mauchly_w[0] == pytest.approx(0.031084, abs=5e-7)
        assert found.mauchly_p[0] == pytest.approx(0.0476, abs=1e-4)
        covariance = np.cov(np.array(values, float).T)
        centred = covariance - covariance.mean(axis=0) - covariance.mean(axis=1)[:, None] + covariance.mean()
        box = np.trace(centred) ** 2 / (5 * np.sum(centred**2))
        assert found.epsilon_gg[0] == pytest.approx(box, rel=1e-10)


class TestTwoLevels:
    def test_the_difference_of_one_group_is_the_paired_test(self) -> None:
        table = two_groups()
        design = repeated_design(table, "y ~ level", "subject", "level")
        wide = table.pivot_table(index="subject", columns="level", values="y")
        assert design.within is not None
        assert design.within.names == ("level[2 - 1]",)
        found = glm.test(glm.fit(differences(outcome(table), design), design.within.matrix), [1])
        reference = stats.ttest_rel(wide["2"], wide["1"])
        assert_allclose([found.statistic[0], found.p[0]], [reference.statistic, reference.pvalue], rtol=1e-10)

    def test_group_by_time_is_the_group_effect_on_the_difference(self) -> None:
        table = two_groups()
        design = repeated_design(table, "y ~ group * level", "subject", "level")
        assert design.within is not None
        assert [term.name for term in design.within.terms] == ["level", "group:level"]
        found = glm.test(glm.fit(differences(outcome(table), design), design.within.matrix), [0, 1])
        change = table.pivot_table(index=["subject", "group"], columns="level", values="y").diff(axis=1)["2"]
        reference = stats.ttest_ind(change[:, "TRD"], change[:, "HC"])
        assert_allclose([found.statistic[0], found.p[0]], [reference.statistic, reference.pvalue], rtol=1e-10)

    def test_a_difference_is_the_later_level_in_the_table_less_the_earlier_one(self) -> None:
        rows = [(who, when) for who in "abc" for when in ("pre", "post")]
        table = pd.DataFrame(rows, columns=["subject", "when"]).assign(y=[1.0, 4.0, 2.0, 6.0, 3.0, 5.0])
        design = repeated_design(table, "y ~ when", "subject", "when")
        assert design.levels == ("pre", "post")
        assert differences(outcome(table), design)[:, 0].tolist() == [3.0, 4.0, 2.0]

    def test_estimates_are_those_of_a_mixed_model_with_a_random_intercept(self) -> None:
        table = two_groups(24).sort_values("level", ignore_index=True)  # levels are taken as they occur
        design = repeated_design(table, "y ~ group * level + age", "subject", "level")
        assert design.between is not None
        assert design.within is not None
        mixed = mixedlm("y ~ group * C(level) + age", table, groups="subject").fit()
        inner = glm.test(glm.fit(differences(outcome(table), design), design.within.matrix), [0, 1])
        outer = glm.test(glm.fit(subject_means(outcome(table), design), design.between.matrix), [0, 0, 1])
        assert_allclose(inner.estimate[0], mixed.params["group[T.TRD]:C(level)[T.2]"], rtol=1e-6)
        assert_allclose(inner.se[0], mixed.bse["group[T.TRD]:C(level)[T.2]"], rtol=1e-3)
        assert_allclose(outer.estimate[0], mixed.params["age"], rtol=1e-3)
        assert_allclose(outer.se[0], mixed.bse["age"], rtol=1e-2)

    def test_both_parts_are_the_mixed_analysis_of_variance(self) -> None:
        table = two_groups()
        design = repeated_design(table, "y ~ group * level", "subject", "level", sum_to_zero=True)
        assert design.between is not None
        assert design.within is not None
        between, within = subject_means(outcome(table), design), differences(outcome(table), design)
        found = [
            glm.test(glm.fit(data, part.matrix), term.weights)
            for data, part in ((between, design.between), (within, design.within))
            for term in term_contrasts(part)
        ]
        assert len(found) == 3
        change = table.pivot_table(index=["subject", "group"], columns="level", values="y").diff(axis=1)["2"]
        one, other = change[:, "HC"], change[:, "TRD"]
        error = (one.var() * (len(one) - 1) + other.var() * (len(other) - 1)) / 15
        unweighted = (one.mean() + other.mean()) / 2  # type III: means of groups count the same
        assert_allclose(
            found[1].statistic[0], unweighted / np.sqrt(error * (1 / len(one) + 1 / len(other)) / 4), rtol=1e-9
        )
        means = table.groupby(["subject", "group"])["y"].mean()
        assert_allclose(
            found[0].statistic[0] ** 2, stats.f_oneway(means[:, "HC"], means[:, "TRD"]).statistic, rtol=1e-8
        )

    def test_the_general_test_is_the_same(self) -> None:
        table = two_groups()
        design = repeated_design(table, "y ~ group * level", "subject", "level")
        assert design.within is not None
        t = glm.test(glm.fit(differences(outcome(table), design), design.within.matrix), [0, 1])
        f = repeated_test(outcome(table), design, [0, 1])
        assert_allclose([f.statistic[0], f.p[0], f.p_gg[0]], [t.statistic[0] ** 2, t.p[0], t.p[0]], rtol=1e-9)
        assert (f.epsilon_gg[0], f.epsilon_hf[0], f.mauchly_p[0]) == (1, 1, 1)

    def test_a_covariate_that_changes_enters_means_and_differences(self) -> None:
        table = two_groups()
        table["motion"] = np.random.default_rng(4).normal(size=len(table))
        design = repeated_design(table, "y ~ level + motion", "subject", "level")
        assert design.between is not None
        assert design.within is not None
        assert design.between.names == ("Intercept", "motion")
        assert design.within.names == ("level[2 - 1]", "change of motion")
        found = glm.test(glm.fit(differences(outcome(table), design), design.within.matrix), [1, 0])
        fixed = ols("y ~ C(subject) + C(level) + motion", table).fit()
        assert_allclose(found.estimate[0], fixed.params["C(level)[T.2]"], rtol=1e-8)
        assert_allclose(found.p[0], fixed.pvalues["C(level)[T.2]"], rtol=1e-8)

    def test_levels_follow_the_order_of_a_categorical_column(self) -> None:
        table = two_groups(levels=("pre", "post"))
        table["level"] = pd.Categorical(table["level"], ["pre", "post"])
        design = repeated_design(table, "y ~ level", "subject", "level")
        assert design.within is not None
        assert design.within.names == ("level[post - pre]",)
        expected = table[table.level == "post"].y.mean() - table[table.level == "pre"].y.mean()
        assert differences(outcome(table), design).mean() == pytest.approx(expected)


class TestSeveralLevels:
    def test_one_factor_is_that_of_statsmodels(self) -> None:
        table = two_groups(levels=("1", "2", "3", "4"))
        design = repeated_design(table, "y ~ level", "subject", "level")
        found = repeated_test(outcome(table), design, [1])
        reference = AnovaRM(table, "y", "subject", within=["level"]).fit().anova_table.iloc[0]
        assert_allclose(found.statistic[0], reference["F Value"], rtol=1e-9)
        assert_allclose(found.p[0], reference["Pr > F"], rtol=1e-9)
        assert found.df == (reference["Num DF"], reference["Den DF"])

    @given(st.integers(6, 15), st.integers(2, 5), st.integers(0, 1000))
    @settings(max_examples=15, deadline=None)
    def test_an_interaction_is_least_squares_with_a_column_for_every_subject(self, n: int, k: int, seed: int) -> None:
        table = two_groups(n, tuple("abcde"[:k]), seed)
        design = repeated_design(table, "y ~ group * level", "subject", "level")
        found = repeated_test(outcome(table), design, [0, 1])
        less = np.column_stack([pd.get_dummies(table.subject), pd.get_dummies(table.level)]).astype(float)
        full = np.column_stack([less, pd.get_dummies(table.level).mul(table.group == "HC", axis=0)])
        f = (sse(less, table) - sse(full, table)) / (k - 1) / (sse(full, table) / ((n - 2) * (k - 1)))
        assert_allclose(found.statistic[0], f, rtol=1e-6)
        assert found.df == (k - 1, (n - 2) * (k - 1))
        assert 1 / (k - 1) - 1e-12 <= found.epsilon_gg[0] <= found.epsilon_hf[0] <= 1 + 1e-12

    def test_whole_maps_are_tested_voxel_by_voxel_and_voxels_without_error_are_nan(self) -> None:
        table = two_groups(levels=("1", "2", "3"))
        data = np.random.default_rng(3).normal(100, 1, (len(table), 40)).astype(np.float32)
        data[:, 5] = 7
        data[3, 6] = np.nan
        design = repeated_design(table, "~ group * level", "subject", "level")
        whole = repeated_test(data, design, np.eye(2))
        assert_array_equal(np.flatnonzero(np.isnan(whole.statistic)), [5, 6])
        assert_array_equal(np.flatnonzero(np.isnan(whole.p_hf)), [5, 6])
        assert_allclose(whole.p_gg[[17]], repeated_test(data[:, [17]], design, np.eye(2)).p_gg)

    def test_work_on_maps_can_be_cancelled_and_no_voxel_is_no_problem(self) -> None:
        class Stop(Exception):
            pass

        def report(fraction: float) -> None:
            if fraction > 0.3:
                raise Stop

        table = two_groups(levels=("1", "2", "3"))
        design = repeated_design(table, "~ level", "subject", "level")
        with pytest.raises(Stop):
            repeated_test(np.ones((len(table), 40000), np.float32), design, [1], report)
        assert repeated_test(np.ones((len(table), 0)), design, [1]).p.shape == (0,)

    def test_sphericity_holds_its_level_where_it_is_true_and_epsilon_corrects_where_not(self) -> None:
        rng = np.random.default_rng(8)
        spherical = rng.normal(size=(12, 4, 4000)) + rng.normal(size=(12, 1, 4000)) * 3
        table = (
            long_table(np.zeros((12, 4)), ("1", "2", "3", "4")).sort_values(["subject", "level"]).reset_index(drop=True)
        )
        design = repeated_design(table, "~ level", "subject", "level")
        found = repeated_test(spherical.reshape(48, -1), design, [1])
        assert np.mean(found.p < 0.05) == pytest.approx(0.05, abs=0.015)
        assert np.mean(found.mauchly_p < 0.05) == pytest.approx(0.05, abs=0.015)
        walk = repeated_test(spherical.cumsum(axis=1).reshape(48, -1), design, [1])
        assert np.mean(walk.p < 0.05) > 0.07
        assert np.mean(walk.p_hf < 0.05) == pytest.approx(0.05, abs=0.02)

    @given(st.integers(2, 12))
    def test_contrasts_of_levels_are_orthonormal_and_take_the_mean_out(self, k: int) -> None:
        c = orthonormal_contrasts(k)
        assert_allclose(c.T @ c, np.eye(k - 1), atol=1e-12)
        assert_allclose(c.sum(axis=0), 0, atol=1e-12)


class TestWhoIsLeftOut:
    def test_a_subject_without_a_session_or_a_value_is_named(self) -> None:
        table = two_groups()
        table = table[~((table.subject == "sub-03") & (table.level == "2"))]
        table.loc[(table.subject == "sub-05") & (table.level == "1"), "age"] = np.nan
        design = repeated_design(table, "y ~ level * group + age", "subject", "level")
        assert sorted(design.dropped) == [
            "'sub-03' is left out: no scan at level '2'",
            "'sub-05' is left out: age is missing at level '1'",
        ]
        assert len(design.subjects) == 15
        for column, level in enumerate(design.levels):
            chosen = table.iloc[design.rows[:, column]]
            assert tuple(chosen.subject) == design.subjects
            assert set(chosen.level) == {level}

    def test_a_row_without_a_subject_is_listed(self) -> None:
        table = two_groups()
        table.loc[0, "subject"] = None
        dropped = repeated_design(table, "~ level", "subject", "level").dropped
        assert dropped[0] == "row 1 of the table: subject is missing"

    @pytest.mark.parametrize(
        ("change", "formula", "said"),
        [
            (lambda t: pd.concat([t, t[t.subject == "sub-04"]]), "~ level", "'sub-04' has two scans at level '[12]'"),
            (lambda t: t.assign(level="1"), "~ group", "'level' has one level only"),
            (lambda t: t[~((t.level == "1") ^ (t.subject < "sub-08"))], "~ level", "no 'subject' has a complete scan"),
            (
                lambda t: t.assign(drug=t.level.map({"1": "K", "2": "M"})),
                "~ level * drug",
                "'drug' changes between the scans",
            ),
            (
                lambda t: t.assign(fd=np.arange(len(t)) / 9),
                "~ level * fd",
                "'fd' changes within subjects and stands inside",
            ),
            (lambda t: t, "~ subjectt * level", "no column 'subjectt'; near: subject"),
            (lambda t: t.assign(level=t.level.astype(int)), "~ log(level)", "function of the within-subject factor"),
            (lambda t: t[t.subject < "sub-03"], "~ level * group + level:age", "3 rows cannot estimate 3 columns"),
        ],
    )
    def test_what_cannot_be_split_is_refused(self, change: object, formula: str, said: str) -> None:
        with pytest.raises(CannotCompute, match=said):
            repeated_design(change(two_groups()), formula, "subject", "level")

    def test_a_changing_covariate_over_several_levels_is_refused(self) -> None:
        table = two_groups(levels=("1", "2", "3"))
        table["fd"] = np.arange(len(table)) / 7
        with pytest.raises(CannotCompute, match="use a mixed model"):
            repeated_design(table, "~ level + fd", "subject", "level")
        with pytest.raises(CannotCompute, match="3 levels have no one difference"):
            differences(outcome(table), repeated_design(table, "~ level", "subject", "level"))

    def test_a_test_of_a_part_that_is_not_there_is_refused(self) -> None:
        table = two_groups()
        with pytest.raises(CannotCompute, match="no within-subject term"):
            repeated_test(outcome(table), repeated_design(table, "~ group", "subject", "level"), [1])
        with pytest.raises(CannotCompute, match="2 weights, the within-subject part 1"):
            repeated_test(outcome(table), repeated_design(table, "~ level", "subject", "level"), [1, 0])
