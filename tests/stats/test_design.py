"""Formulas: what they build, against statsmodels' analysis of variance; what they refuse; what they never run."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from habena.stats import glm
from habena.stats.collinear import dependent_columns
from habena.stats.contrasts import term_contrasts
from habena.stats.design import linear_design
from habena.stats.errors import CannotCompute
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm


def table(n: int = 30, seed: int = 0) -> pd.DataFrame:
    """Unbalanced: two factors, two covariates, a column with a space in its name."""
    rng = np.random.default_rng(seed)
    made = pd.DataFrame(
        {
            "y": rng.normal(size=n),
            "group": rng.choice(["HC", "TRD", "MDD"], n),
            "site": rng.choice(["a", "b"], n),
            "age": rng.normal(45, 10, n),
            "dose": rng.uniform(0.2, 0.8, n),
        }
    )
    made["free water"] = rng.normal(size=n)
    return made


class TestColumns:
    def test_text_is_coded_against_its_first_level_and_numbers_are_taken_as_they_are(self) -> None:
        made = table()
        design = linear_design(made, "y ~ group + age")
        assert design.names == ("Intercept", "group[T.MDD]", "group[T.TRD]", "age")
        assert_array_equal(design.matrix[:, 2], made.group == "TRD")
        assert_array_equal(design.matrix[:, 3], made.age)
        assert_array_equal(design.outcome, made.y)
        assert not design.matrix.flags.writeable

    def test_terms_are_named_by_their_variables_in_the_order_of_the_formula(self) -> None:
        design = linear_design(table(), "y ~ age*C(site) + `free water`")
        assert [term.name for term in design.terms] == ["Intercept", "age", "site", "free water", "age:site"]
        assert design.names[design.terms[-1].columns[0]] == "age:C(site)[T.b]"

    def test_two_codings_of_one_variable_keep_names_of_their_own(self) -> None:
        made = table().assign(visit=np.arange(30) % 3)
        with pytest.raises(CannotCompute, match=r"'C\(visit\)\[T.1\]'.*'visit'"):
            linear_design(made, "y ~ C(visit) + visit")
        terms = linear_design(made, "y ~ 0 + C(visit):age + visit:age - visit:age + C(visit, Sum)").terms
        assert {term.name for term in terms} == {"visit:age", "visit"}

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("C(group, Treatment('TRD'))", "[T.HC]"),
            ("C(group, contr.treatment('TRD'))", "[T.HC]"),
            ("C(group, Treatment(reference='TRD'))", "[T.MDD]"),
            ("C(group, Sum)", "[S.HC]"),
            ("C(group, contr.sum)", "[S.MDD]"),
        ],
    )
    def test_a_coding_may_be_asked_for(self, text: str, name: str) -> None:
        assert any(column.endswith(name) for column in linear_design(table(), f"y ~ {text}").names)

    def test_functions_are_those_of_numpy(self) -> None:
        made = table()
        design = linear_design(made, "~ log(age) + I(dose**2 - 1/age) + center(age) + scale(dose) + sqrt(age) - age")
        expected = [np.log(made.age), made.dose**2 - 1 / made.age, made.age - made.age.mean()]
        expected += [(made.dose - made.dose.mean()) / made.dose.std(), np.sqrt(made.age)]
        assert_allclose(design.matrix[:, 1:], np.array(expected).T)
        assert design.response is None
        assert design.outcome is None

    def test_polynomials_are_orthonormal_and_span_the_powers(self) -> None:
        made = table()
        basis = linear_design(made, "~ poly(age, 3)").matrix
        assert_allclose(basis[:, 1:].T @ basis, np.eye(4)[1:], atol=1e-12)
        powers = np.vander(made.age - 45, 4)
        assert np.linalg.matrix_rank(np.hstack([basis, powers / np.linalg.norm(powers, axis=0)]), tol=1e-9) == 4

    def test_polynomial_uses_only_the_rows_that_are_kept(self) -> None:
        made = table()
        made.loc[3, "dose"] = np.nan
        basis = linear_design(made, "~ poly(age, 2) + dose").matrix
        assert len(basis) == 29
        assert_allclose(basis[:, 1:3].sum(axis=0), 0, atol=1e-12)

    def test_a_voxelwise_covariate_is_a_column_after_those_of_the_matrix(self) -> None:
        design = linear_design(table(), "y ~ grey_matter + age", voxelwise=("grey_matter",))
        assert design.names == ("Intercept", "age")
        assert design.columns == ("Intercept", "age", "grey_matter")
        assert design.terms[-1] == ("grey_matter", (2,))
        with pytest.raises(CannotCompute, match="inside another term"):
            linear_design(table(), "y ~ grey_matter:age", voxelwise=("grey_matter",))

    @pytest.mark.parametrize("dtype", ["category", "bool", "string"])
    def test_every_kind_of_category_is_coded(self, dtype: str) -> None:
        flag = pd.Series(np.arange(30) % 2 == 0)
        made = table().assign(flag=flag.map({True: "yes", False: "no"}) if dtype != "bool" else flag)
        made["flag"] = made["flag"].astype(dtype)
        assert_array_equal(linear_design(made, "~ flag").matrix[:, 1], np.arange(30) % 2 == 0)


FORMULAS = [
    "y ~ group",
    "y ~ group * site",
    "y ~ age * site",
    "y ~ age * group + dose",
    "y ~ group * site * age",
    "y ~ age + age:group",
    "y ~ group + age:group",
    "y ~ site + site:group",
    "y ~ group:site + dose",
    "y ~ dose:group:site + age",
    "y ~ (group + site + age)**2",
]


class TestTypeThree:
    @pytest.mark.parametrize("formula", FORMULAS)
    def test_terms_are_those_of_statsmodels_with_sum_contrasts(self, formula: str) -> None:
        made = table(60, seed=3)
        design = linear_design(made, formula, sum_to_zero=True)
        assert design.outcome is not None
        fitted = glm.fit(design.outcome[:, None], design.matrix)
        theirs = formula.replace("group", "C(group, Sum)").replace("site", "C(site, Sum)")
        reference = anova_lm(ols(theirs, made).fit(), typ=3)
        ours = term_contrasts(design)
        assert len(ours) == len(reference) - 2
        for contrast in ours:
            row = reference.loc[contrast.name.replace("group", "C(group, Sum)").replace("site", "C(site, Sum)")]
            found = glm.test(fitted, contrast.weights)
            power = 2 if len(contrast.weights) == 1 else 1
            assert_allclose(found.statistic[0] ** power, row["F"], rtol=1e-8)
            assert_allclose(found.p[0], row["PR(>F)"], rtol=1e-8)
            assert found.df == (row["df"], reference.loc["Residual", "df"])

    def test_the_model_is_the_same_under_both_codings(self) -> None:
        made = table(60)
        y = made.y.to_numpy()[:, None]
        fits = [glm.fit(y, linear_design(made, "y ~ group*site*age", sum_to_zero=s).matrix).rss for s in (True, False)]
        assert_allclose(*fits)

    def test_sum_coding_replaces_a_coding_that_was_asked_for(self) -> None:
        design = linear_design(table(), "y ~ C(group, Treatment('TRD'))", sum_to_zero=True)
        assert_allclose(np.unique(design.matrix[:, 1:]), [-1, 0, 1])


class TestMissing:
    def test_rows_with_a_missing_value_are_left_out_and_listed(self) -> None:
        made = table()
        made.loc[2, "age"] = np.nan
        made.loc[5, "group"] = None
        made.loc[7, "group"] = "n/a"
        made.loc[8, ["age", "group"]] = [np.inf, " "]
        made.loc[9, "y"] = np.nan
        made.loc[11, "free water"] = np.nan
        design = linear_design(made, "y ~ group + age")
        assert [row.row for row in design.dropped] == [2, 5, 7, 8, 9]
        assert design.dropped[0].reason == "age is missing"
        assert design.dropped[3].reason == "group is missing, age is missing"
        assert design.dropped[4].reason == "y is missing"
        assert_array_equal(design.rows, np.setdiff1d(np.arange(30), [2, 5, 7, 8, 9]))
        assert len(design.matrix) == 25

    def test_the_table_s_own_index_does_not_matter(self) -> None:
        made = table()
        made.loc[4, "age"] = np.nan
        shuffled = made.set_index(pd.Index(np.arange(30)[::-1] * 7))
        assert_array_equal(linear_design(shuffled, "~ age").rows, linear_design(made, "~ age").rows)

    def test_a_level_that_is_left_by_no_row_has_no_column(self) -> None:
        made = table().assign(group=pd.Categorical(["HC", "TRD", "lost"] * 10))
        made.loc[made.group == "lost", "age"] = np.nan
        assert linear_design(made, "~ group + age").names == ("Intercept", "group[T.TRD]", "age")

    def test_a_response_that_is_no_column_or_no_number_has_no_outcome(self) -> None:
        assert linear_design(table(), "suvr ~ age").response == "suvr"
        assert linear_design(table(), "suvr ~ age").outcome is None
        assert linear_design(table(), "site ~ age").outcome is None

    def test_the_response_may_be_transformed(self) -> None:
        made = table()
        assert_allclose(linear_design(made, "log(age) ~ dose").outcome, np.log(made.age))


class TestRefusals:
    @pytest.mark.parametrize(
        ("formula", "said"),
        [
            ("y ~ agee", "no column 'agee'; near: age"),
            ("y ~ age + I(2*age)", "'age', 'I.2 \\* age.' depend on each other"),
            ("y ~ one + age", "'Intercept', 'one' depend on each other"),
            ("y ~ zero + age", "'zero' is zero in every row"),
            ("y ~ group + hospital", "depend on each other"),
            ("y ~ constant", "'constant' is 'x' in every row"),
            ("y ~ identity", "'identity' has another value in every row"),
            ("y ~ group*site*age*dose*`free water`", "30 rows cannot estimate 48 columns"),
            ("y ~ log(dose - 0.5)", "not a finite number where dose = "),
            ("y ~ log(site)", "'site' is not a column of numbers"),
            ("y ~ C(group, Treatment('XX'))", "no level 'XX'; it has HC, MDD, TRD"),
            ("y + age ~ dose", "more than one outcome"),
            ("y ~ 0", "no term"),
            ("", "empty"),
            ("y ~ age +", "is not a formula"),
            ("y ~ (age", "is not a formula"),
            ("y ~ age ~ dose", "is not a formula"),
            ("y ~ 2:age", "the number 2"),
            ("y ~ poly(age, 9)", "no order"),
            ("y ~ poly(one, 2)", "too few different values"),
        ],
    )
    def test_says_what_is_wrong(self, formula: str, said: str) -> None:
        made = table().assign(one=1.0, zero=0.0, constant="x", identity=[f"sub-{k}" for k in range(30)])
        made["hospital"] = made.group.map({"HC": "u", "TRD": "v", "MDD": "w"})
        with pytest.raises(CannotCompute, match=said):
            linear_design(made, formula)

    def test_as_many_columns_as_rows_are_refused_and_one_row_more_is_not(self) -> None:
        made = table(4)
        with pytest.raises(CannotCompute, match=r"4 rows cannot estimate 4 columns .*no residual degree of freedom"):
            linear_design(made, "~ age + dose + `free water`")
        assert linear_design(made, "~ age + dose").matrix.shape == (4, 3)

    def test_large_means_do_not_make_columns_dependent(self) -> None:
        made = table().assign(day=1.7e9 + 86400 * np.arange(30.0))
        assert linear_design(made, "~ day + I(day + 86400 * age)").matrix.shape == (30, 3)

    def test_missing_everywhere_is_refused(self) -> None:
        with pytest.raises(CannotCompute, match="no row"):
            linear_design(table().assign(age=np.nan), "~ age")

    def test_numbers_with_a_word_among_them_are_refused_with_the_word(self) -> None:
        made = table()
        made["age"] = made.age.round(3).astype(str)
        made.loc[7, "age"] = "unknown"
        with pytest.raises(CannotCompute, match="'age' is numbers but for 'unknown'"):
            linear_design(made, "~ age")

    def test_codes_of_sites_are_a_category_though_some_are_numbers(self) -> None:
        made = table().assign(scanner=["1", "2", "2b"] * 10)
        assert linear_design(made, "~ scanner").names == ("Intercept", "scanner[T.2]", "scanner[T.2b]")

    def test_two_columns_of_one_name_are_refused(self) -> None:
        made = table()
        made.columns = ["y", "group", "site", "age", "age", "free water"]
        with pytest.raises(CannotCompute, match="several columns 'age'"):
            linear_design(made, "~ age")


ATTACKS = [
    "__import__('os').system('touch ran')",
    "I(__import__('os').system('touch ran'))",
    "I((lambda: open('ran', 'w'))())",
    "{open('ran', 'w')}",
    "open('ran','w')",
    "np.save('ran', age)",
    "eval(\"open('ran', 'w')\")",
    "C(age, open('ran', 'w'))",
    "C(open('ran', 'w'))",
    "C(age, Treatment(open('ran', 'w')))",
    "C(site, Treatment(reference=open('ran', 'w')))",
    "poly(age, open('ran', 'w'))",
    "log(age, out=open('ran', 'w'))",
    "I(age.__class__)",
    "age.to_pickle('ran')",
    "I([open('ran', 'w') for _ in age][0])",
    "age[open('ran', 'w')]",
    "I(f\"{open('ran', 'w')}\")",
    "I((x := open('ran', 'w')))",
    "hashed(age, levels=2)",
    "bs(age, df=4)",
    "Q('age')",
    "I('age')",
    "I(True)",
]


class TestUntrustedFormulas:
    @pytest.mark.parametrize("attack", ATTACKS)
    @pytest.mark.parametrize("place", ["y ~ {}", "y ~ age + dose:{}", "{} ~ age"])
    def test_nothing_but_columns_and_arithmetic_is_run(
        self, attack: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        formula = place.replace("{}", attack)
        with pytest.raises(CannotCompute):
            linear_design(table(), formula)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        "formula",
        [
            "y ~ (age + dose + site + group)**9",
            "y ~ ((age + dose)**9)**9",
            "y ~ (age + dose)**1e9",
            "y ~ " + "*".join(f"x{k}" for k in range(30)),
            "y ~ I(" + "(" * 900 + "age" + ")" * 900 + ")",
            "y ~ " + "age + " * 1000 + "age",
            "y ~ I(age ** 9 ** 9 ** 9)",
        ],
    )
    def test_a_formula_cannot_keep_the_program_busy(self, formula: str) -> None:
        with pytest.raises(CannotCompute):
            linear_design(table(), formula)

    @given(st.text(alphabet="yage ~+-*/:()[]{}`'\"0129.,|^%=", max_size=30))
    @settings(max_examples=200, deadline=None)
    def test_any_text_is_a_design_or_a_refusal(self, text: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            try:
                design = linear_design(table(), text)
            except CannotCompute:
                return
        assert np.isfinite(design.matrix).all()


class TestDependentColumns:
    @given(st.integers(2, 6), st.integers(0, 5), st.integers(0, 10**6))
    @settings(max_examples=50, deadline=None)
    def test_a_combination_is_found_with_all_that_take_part(self, p: int, spare: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        x = np.hstack([np.ones((20, 1)), rng.normal(size=(20, p + spare)) * 10.0 ** rng.integers(-3, 4, p + spare)])
        assert dependent_columns(x) == ()
        weights = rng.uniform(0.5, 2, p) / x[:, 1 : 1 + p].std(axis=0)
        together = np.column_stack([x, x[:, 1 : 1 + p] @ weights])
        assert dependent_columns(together) == (*range(1, 1 + p), x.shape[1])
