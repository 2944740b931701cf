"""Mixed models and their exact companion: against a textbook, statsmodels called directly, and closed forms."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from habena.stats.crossover import CrossoverColumns, crossover
from habena.stats.errors import CannotCompute
from habena.stats.mixed import mixed_model, random_intercepts
from numpy.testing import assert_allclose
from scipy import stats
from statsmodels.formula.api import mixedlm

# Hills and Armitage (1979, doi 10.1111/j.1365-2125.1979.tb05903.x), table 1: dry nights of 14 in enuretic children.
DRUG_FIRST = "8/5 14/10 8/0 9/7 11/6 3/5 6/0 0/0 13/12 10/2 7/5 13/13 8/10 7/7 9/0 10/6 2/2"
PLACEBO_FIRST = "12/11 6/8 13/9 8/8 8/9 4/8 8/14 2/4 8/13 9/7 7/10 7/6"


def enuresis() -> pd.DataFrame:
    rows = []
    for order, text in ((("drug", "Placebo"), DRUG_FIRST), (("Placebo", "drug"), PLACEBO_FIRST)):
        for k, pair in enumerate(text.split()):
            for period, nights in enumerate(pair.split("/")):
                rows.append((f"{order[0]}{k}", period + 1, order[period], float(nights)))
    return pd.DataFrame(rows, columns=["child", "period", "treatment", "nights"])


COLUMNS = CrossoverColumns("nights", "child", "period", "treatment")


def simulated(subjects: int = 20, bins: int = 6, seed: int = 1, session: float = 0.7) -> pd.DataFrame:
    """Simulated, no effects: subjects and their sessions differ; some rows are missing."""
    rng = np.random.default_rng(seed)
    n = subjects * 2 * bins
    made = pd.DataFrame(
        {
            "subject": np.repeat([f"sub-{s:02d}" for s in range(subjects)], 2 * bins),
            "session": np.tile(np.repeat(["1", "2"], bins), subjects),
            "time": np.tile(np.arange(float(bins)), 2 * subjects),
            "motion": rng.normal(size=n),
        }
    )
    swapped = np.repeat(np.arange(subjects) % 2 == 0, 2 * bins)
    made["condition"] = np.where(swapped ^ (made.session == "1"), "naltrexone", "placebo")
    subject_part = np.repeat(rng.normal(size=subjects) * 1.5, 2 * bins)
    session_part = np.repeat(rng.normal(size=2 * subjects) * session, bins)
    made["glx"] = 10 + subject_part + session_part + rng.normal(size=n)
    return made.drop(index=[3, 40, 77]).reset_index(drop=True)


class TestMixedModel:
    def test_two_random_intercepts_are_those_of_statsmodels(self) -> None:
        table = simulated()
        found = mixed_model(table, "glx ~ motion + condition * time + (1|subject) + (1|subject:session)")
        reference = mixedlm(
            "glx ~ motion + condition * time",
            table,
            groups="subject",
            re_formula="1",
            vc_formula={"session": "0 + C(session)"},
        ).fit()
        for row in found.coefficients:
            assert_allclose(row.estimate, reference.params[row.name], rtol=1e-5, atol=1e-7)
            assert_allclose(row.se, reference.bse[row.name], rtol=5e-3)
            assert_allclose([row.z, row.p], [row.estimate / row.se, 2 * stats.norm.sf(abs(row.z))], rtol=1e-9)
            assert_allclose((row.ci_high - row.ci_low) / row.se, 2 * 1.959964, rtol=1e-6)
        variances = [reference.cov_re.iloc[0, 0], reference.vcomp[0], reference.scale]
        assert_allclose(list(found.variances.values()), variances, rtol=1e-3)
        assert list(found.variances) == ["subject", "subject:session", "Residual"]
        assert found.converged
        assert (found.n, found.n_subjects) == (237, 20)

    def test_units_do_not_matter(self) -> None:
        table = simulated()
        small = table.assign(glx=table.glx / 1000)
        formula = "glx ~ condition + (1|subject) + (1|subject:session)"
        a, b = mixed_model(table, formula), mixed_model(small, formula)
        assert_allclose([c.z for c in b.coefficients], [c.z for c in a.coefficients], rtol=1e-6)
        assert_allclose(b.variances["subject"] * 1e6, a.variances["subject"], rtol=1e-6)

    def test_a_balanced_pair_is_the_paired_test(self) -> None:
        rng = np.random.default_rng(2)
        values = rng.normal(size=(15, 1)) * 3 + rng.normal(size=(15, 2))
        table = pd.DataFrame({"y": values.ravel(), "s": np.repeat(np.arange(15), 2), "condition": ["a", "b"] * 15})
        found = mixed_model(table, "y ~ condition + (1|s)").coefficients[1]
        reference = stats.ttest_rel(values[:, 1], values[:, 0])
        assert_allclose(found.z, reference.statistic, rtol=1e-5)
        assert found.p < reference.pvalue

    def test_terms_are_wald_tests_of_their_columns(self) -> None:
        table = simulated()
        table["bin"] = table.time.map({0: "a", 1: "a", 2: "b", 3: "b", 4: "c", 5: "c"})
        found = mixed_model(table, "glx ~ condition * bin + motion + (1|subject)", sum_to_zero=True)
        assert [(term.name, term.df) for term in found.terms] == [
            ("condition", 1),
            ("bin", 2),
            ("motion", 1),
            ("condition:bin", 2),
        ]
        z = {c.name: c.z for c in found.coefficients}
        assert_allclose(found.terms[2].chi2, z["motion"] ** 2, rtol=1e-9)
        for term in found.terms:
            assert_allclose(term.p, stats.chi2.sf(term.chi2, term.df), rtol=1e-9)

    def test_what_is_printed_is_called_wald(self) -> None:
        found = mixed_model(simulated(), "glx ~ condition + (1|subject)")
        assert [(trap.code, trap.value) for trap in found.traps] == [("mixed-wald", 20)]
        assert "Wald" in found.traps[0].message

    def test_a_variance_at_zero_is_said(self) -> None:
        table = simulated(session=0)
        means = table.groupby(["subject", "session"])["glx"].transform("mean")
        table["glx"] += table.groupby("subject")["glx"].transform("mean") - means
        found = mixed_model(table, "glx ~ condition + (1|subject) + (1|subject:session)")
        assert ("mixed-variance-zero", "subject:session") in [(trap.code, trap.where) for trap in found.traps]
        assert all(np.isfinite(c.p) for c in found.coefficients)

    def test_rows_with_missing_values_are_listed_by_their_place_in_the_table(self) -> None:
        table = simulated()
        table.loc[5, "glx"] = np.nan
        table.loc[9, "session"] = None
        table.loc[30, "motion"] = np.nan
        found = mixed_model(table, "glx ~ motion + (1|subject) + (1|subject:session)")
        assert [tuple(row) for row in found.dropped] == [
            (5, "glx is missing"),
            (9, "session is missing"),
            (30, "motion is missing"),
        ]
        assert found.n == 234

    @pytest.mark.parametrize(
        ("formula", "expected"),
        [
            ("y ~ a + (1|s)", ("y ~ a", "s", ())),
            ("y ~ a + ( 1 | s ) + (1|s:t)", ("y ~ a", "s", ("t",))),
            ("y ~ (1|s) + a + (1|t:s) + (1|s:u)", ("y ~ + a", "s", ("t", "u"))),
            ("y ~ (1|`my s`)", ("y ~ 1", "my s", ())),
        ],
    )
    def test_random_intercepts_are_read(self, formula: str, expected: tuple) -> None:
        assert random_intercepts(formula) == expected

    @pytest.mark.parametrize(
        ("formula", "said"),
        [
            ("glx ~ condition", "needs one random intercept"),
            ("glx ~ (time|subject)", "not offered"),
            ("glx ~ (1|subject) + (1|session)", "needs one random intercept"),
            ("glx ~ (1|subject) + (1|session:time)", "not within 'subject'"),
            ("glx ~ (1|subjects)", "no column 'subjects'; near: subject"),
            ("glx ~ (1|subject) + (1|subject:row)", "every 'subject:row' has one row"),
            ("glx ~ (1|subject) + (1|subject:sex)", "every 'subject' has one 'sex'"),
            ("glx ~ (1|row)", "every 'row' has one row"),
            ("glx ~ (1|one)", "one 'one' only"),
            ("same ~ (1|subject)", "'same' is constant"),
            ("nothing ~ (1|subject)", "'nothing' is no column of numbers"),
            ("glx ~ condition + I(__import__('os')) + (1|subject)", "not allowed"),
        ],
    )
    def test_models_without_meaning_are_refused(self, formula: str, said: str) -> None:
        table = simulated().assign(row=np.arange(237).astype(str), one="x", same=3.0)
        table["sex"] = table.subject.map(lambda s: "m" if int(s[-2:]) % 3 else "f")
        with pytest.raises(CannotCompute, match=said):
            mixed_model(table, formula)


class TestCrossover:
    def test_enuresis_has_the_published_answer(self) -> None:
        """Hills and Armitage (1979): 2.04 nights, 95 % limits 0.77 and 3.31, t = 3.29 on 27 degrees of freedom."""
        found = crossover(enuresis(), COLUMNS, permutations=300)
        row = found.treatment
        assert row.name == "drug - Placebo"
        assert [row.estimate, row.ci_low, row.ci_high] == pytest.approx([2.04, 0.77, 3.31], abs=0.005)
        assert (round(row.t, 2), row.df) == (3.29, 27)
        assert found.sequences == {"drug, Placebo": 17, "Placebo, drug": 12}
        assert found.p_permutation < 0.02

    def test_the_mixed_model_has_the_same_estimate_and_error_and_a_smaller_p(self) -> None:
        table = enuresis()
        exact = crossover(table, COLUMNS, permutations=10).treatment
        wald = mixed_model(table, "nights ~ treatment + C(period) + (1|child)").coefficients[1]
        assert_allclose([wald.estimate, wald.se], [exact.estimate, exact.se], rtol=1e-4)
        assert wald.p < exact.p

    def test_rows_are_two_sample_tests(self) -> None:
        table = enuresis()
        wide = table.pivot_table(index="child", columns="period", values="nights")
        drug = wide.index.str.startswith("drug")
        found = crossover(table, COLUMNS, permutations=10)
        treatment = stats.ttest_ind((wide[1] - wide[2])[drug], (wide[1] - wide[2])[~drug])
        carry = stats.ttest_ind((wide[1] + wide[2])[drug], (wide[1] + wide[2])[~drug])
        assert_allclose([found.treatment.t, found.treatment.p], [treatment.statistic, treatment.pvalue], rtol=1e-9)
        assert_allclose([found.carry_over.t, found.carry_over.p], [carry.statistic, carry.pvalue], rtol=1e-9)
        assert found.carry_over_detectable > 1

    def test_few_subjects_are_enumerated(self) -> None:
        table = enuresis()
        table = table[table.child.isin(["drug0", "drug1", "drug2", "Placebo0", "Placebo1", "Placebo2", "Placebo3"])]
        found = crossover(table, COLUMNS)
        assert (found.exhaustive, found.permutations) == (True, 34)
        wide = table.pivot_table(index="child", columns="period", values="nights")
        x, first = (wide[1] - wide[2]).to_numpy(), wide.index.str.startswith("drug").nonzero()[0]

        def difference(chosen: object) -> float:
            inside = np.isin(np.arange(7), list(chosen))
            return abs(x[inside].mean() - x[~inside].mean())

        every = [difference(chosen) for chosen in combinations(range(7), 3)]
        assert found.p_permutation == np.mean(np.array(every) >= difference(first) - 1e-9)

    def test_the_permutation_is_that_of_its_seed(self) -> None:
        table = enuresis().assign(nights=np.random.default_rng(0).normal(size=58))
        a, b, c = (crossover(table, COLUMNS, permutations=100, seed=seed).p_permutation for seed in (1, 1, 2))
        assert a == b
        assert a != c

    def test_slopes_over_time_test_condition_by_time(self) -> None:
        table = simulated().assign(period=lambda t: t.session)
        table["glx"] += np.where(table.condition == "placebo", 0.4, 0) * table.time
        columns = CrossoverColumns("glx", "subject", "period", "condition", time="time")
        found = crossover(table, columns, permutations=10)
        mixed = mixed_model(table, "glx ~ condition * time + C(period) * time + (1|subject) + (1|subject:session)")
        reference = next(c for c in mixed.coefficients if c.name == "condition[T.placebo]:time")
        assert found.treatment.estimate == pytest.approx(reference.estimate, abs=0.03)
        assert found.treatment.estimate == pytest.approx(0.4, abs=3 * found.treatment.se)

    def test_a_baseline_of_every_session_is_a_covariate(self) -> None:
        table = enuresis()
        rng = np.random.default_rng(0)
        table["baseline"] = rng.normal(size=len(table))
        table["nights"] += 5 * table.baseline
        plain = crossover(table, COLUMNS, permutations=50)
        columns = CrossoverColumns("nights", "child", "period", "treatment", covariates=("baseline",))
        adjusted = crossover(table, columns, permutations=50)
        assert adjusted.treatment.df == 26
        assert adjusted.treatment.se < plain.treatment.se * 0.7
        assert adjusted.treatment.estimate == pytest.approx(2.04, abs=0.6)

    def test_the_level_is_kept_where_nothing_works(self) -> None:
        rng = np.random.default_rng(3)
        found = []
        for _ in range(50):
            table = enuresis().assign(nights=rng.exponential(size=58))
            result = crossover(table, COLUMNS, permutations=39)
            found.append((result.treatment.p < 0.1, result.p_permutation < 0.1))
        assert_allclose(np.mean(found, axis=0), 0.1, atol=0.12)

    def test_who_is_left_out_is_named(self) -> None:
        table = enuresis()
        table = table[~((table.child == "drug3") & (table.period == 2))]
        table.loc[table.child == "Placebo2", "treatment"] = "drug"
        table.loc[table.child == "drug5", "nights"] = np.nan
        found = crossover(table, COLUMNS, permutations=10)
        assert "'drug3' is left out: no usable session in period 2" in found.dropped
        assert "'Placebo2' is left out: drug in both periods" in found.dropped
        assert sum("nights is missing" in line for line in found.dropped) == 2
        assert sum(found.sequences.values()) == 26

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda t: t[t.child.str.startswith("drug")], "only one order"),
            (lambda t: t.assign(period=np.arange(len(t)) % 3), "'period' has 3 levels"),
            (lambda t: t.assign(nights="many"), "'nights' is not a column of numbers"),
            (lambda t: t[t.child.isin(["drug0", "Placebo0"])], "2 rows cannot estimate 2 columns"),
            (lambda t: pd.concat([t, t.assign(treatment=t.treatment[::-1].to_numpy())]), "several treatments"),
        ],
    )
    def test_what_is_no_crossover_is_refused(self, change: object, said: str) -> None:
        with pytest.raises(CannotCompute, match=said):
            crossover(change(enuresis()), COLUMNS)
