"""Linear models in every voxel: against certified values, statsmodels, SciPy, nilearn and least squares per voxel."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from habena.stats import glm
from habena.stats.errors import CannotCompute
from hypothesis import given, settings
from hypothesis import strategies as st
from nilearn.glm.contrasts import compute_contrast
from nilearn.glm.first_level import run_glm
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from statsmodels.stats.oneway import anova_oneway


def data(n: int = 23, v: int = 301, p: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (n, v) with a large mean and a design (n, p) with an intercept."""
    rng = np.random.default_rng(seed)
    return rng.normal(1000, 5, (n, v)), np.hstack([np.ones((n, 1)), rng.normal(size=(n, p - 1))])


class TestOneDesign:
    def test_longley_has_the_certified_values(self) -> None:
        """NIST Statistical Reference Datasets, Longley (1967): six regressors that nearly depend on each other."""
        longley = sm.datasets.longley.load_pandas()
        x = np.column_stack([np.ones(16), longley.exog.to_numpy(np.float64)])
        fitted = glm.fit(longley.endog.to_numpy(np.float64)[:, None], x)
        estimates = [-3482258.63459582, 15.0618722713733, -0.0358191792925910, -2.02022980381683]
        estimates += [-1.03322686717359, -0.0511041056535807, 1829.15146461355]
        errors = [890420.383607373, 84.9149257747669, 0.0334910077722432, 0.488399681651699]
        errors += [0.214274163161675, 0.226073200069370, 455.478499142212]
        for row, estimate, error in zip(np.eye(7), estimates, errors, strict=True):
            found = glm.test(fitted, row)
            assert_allclose([found.estimate[0], found.se[0]], [estimate, error], rtol=1e-8)
        assert_allclose(np.sqrt(fitted.rss[0] / fitted.df), 304.854073561965, rtol=1e-10)
        assert_allclose(glm.test(fitted, np.eye(7)[1:]).statistic[0], 330.285339234588, rtol=1e-9)

    def test_t_is_that_of_statsmodels(self) -> None:
        y, x = data()
        c = np.array([[0, 1, -1, 0.5]])
        found = glm.test(glm.fit(y, x), c, level=0.9)
        for v in (0, 150, 300):
            reference = sm.OLS(y[:, v], x).fit().t_test(c)
            low, high = reference.conf_int(alpha=0.1)[0]
            assert_allclose(found.estimate[v], reference.effect[0], rtol=1e-9)
            assert_allclose(found.se[v], reference.sd[0, 0], rtol=1e-9)
            assert_allclose(found.statistic[v], reference.tvalue[0, 0], rtol=1e-9)
            assert_allclose(found.p[v], reference.pvalue, rtol=1e-9)
            assert_allclose([found.ci_low[v], found.ci_high[v]], [low, high], rtol=1e-9)
        assert found.df == (1, 19)
        assert found.df_map is None

    def test_f_is_that_of_statsmodels_whatever_combines_the_rows(self) -> None:
        y, x = data()
        c = np.eye(4)[1:]
        fitted = glm.fit(y, x)
        found = glm.test(fitted, c)
        for v in (0, 300):
            reference = sm.OLS(y[:, v], x).fit().f_test(c)
            assert_allclose([found.statistic[v], found.p[v]], [reference.fvalue, reference.pvalue], rtol=1e-9)
        assert found.df == (3, 19)
        assert found.estimate is None
        mixed = glm.test(fitted, np.random.default_rng(1).normal(size=(3, 3)) @ c)
        assert_allclose(mixed.statistic, found.statistic, rtol=1e-9)

    def test_statistics_are_those_of_nilearn(self) -> None:
        y, x = data()
        labels, results = run_glm(y, x, noise_model="ols")
        fitted = glm.fit(y, x)
        for c, kind in ((np.array([[0, 1.0, -1, 0]]), "t"), (np.eye(4)[2:], "F")):
            theirs = compute_contrast(labels, results, c if kind == "F" else c[0], stat_type=kind)
            ours = glm.test(fitted, c)
            assert_allclose(ours.statistic, theirs.stat(), rtol=1e-7)

    def test_groups_slopes_and_one_sample_are_those_of_scipy(self) -> None:
        y, x = data(n=20)
        group = np.arange(20) < 8
        two = glm.test(glm.fit(y, np.column_stack([group, ~group])), [1, -1])
        reference = stats.ttest_ind(y[group], y[~group])
        assert_allclose(two.statistic, reference.statistic, rtol=1e-8)
        assert_allclose(two.p, reference.pvalue, rtol=1e-8)
        one = glm.test(glm.fit(y - 999, np.ones((20, 1))), [1])
        assert_allclose(one.statistic, stats.ttest_1samp(y, 999).statistic, rtol=1e-8)
        slope = glm.test(glm.fit(y, x[:, :2]), [0, 1])
        line = stats.linregress(x[:, 1], y[:, 7])
        assert_allclose([slope.estimate[7], slope.se[7], slope.p[7]], [line.slope, line.stderr, line.pvalue], rtol=1e-8)
        assert_allclose(slope.partial_r[7], line.rvalue, rtol=1e-8)

    def test_columns_for_subjects_make_a_paired_test(self) -> None:
        y, _ = data(n=20)
        subjects = np.kron(np.ones((2, 1)), np.eye(10))
        paired = glm.test(glm.fit(y, np.column_stack([np.arange(20) < 10, subjects])), np.eye(11)[0])
        reference = stats.ttest_rel(y[:10], y[10:])
        assert_allclose(paired.statistic, reference.statistic, rtol=1e-8)
        assert_allclose(paired.p, reference.pvalue, rtol=1e-8)

    def test_one_sided_p_is_for_a_positive_contrast(self) -> None:
        y, x = data()
        fitted = glm.fit(y, x)
        two, up, down = (
            glm.test(fitted, [0, 1, 0, 0]),
            *(glm.test(fitted, [0, sign, 0, 0], one_sided=True) for sign in (1, -1)),
        )
        assert_allclose(np.minimum(up.p, down.p) * 2, two.p, rtol=1e-9)
        assert_array_equal(up.p < 0.5, two.statistic > 0)

    def test_p_keeps_its_digits_far_out(self) -> None:
        x = np.column_stack([np.ones(80), np.arange(80.0)])
        y = x[:, 1:] * 100 + np.random.default_rng(0).normal(size=(80, 1))
        found = glm.test(glm.fit(y, x), [0, 1])
        assert_allclose(found.p, 2 * stats.t.sf(np.abs(found.statistic), 78), rtol=1e-9)
        assert 0 < found.p[0] < 1e-200


class TestEffectSizes:
    def test_partial_r_is_the_correlation_of_residuals(self) -> None:
        y, x = data()
        found = glm.test(glm.fit(y, x), [0, 0, 1, 0])
        others = x[:, [0, 1, 3]]
        rest = np.column_stack([y[:, 5], x[:, 2]])
        rest -= others @ np.linalg.lstsq(others, rest)[0]
        assert_allclose(found.partial_r[5], np.corrcoef(rest.T)[0, 1], rtol=1e-9)

    def test_d_is_the_difference_of_means_by_the_pooled_deviation(self) -> None:
        y, _ = data(n=20)
        group = np.arange(20) < 8
        found = glm.test(glm.fit(y, np.column_stack([np.ones(20), group])), [0, 1])
        pooled = np.sqrt((7 * y[:8].var(axis=0, ddof=1) + 11 * y[8:].var(axis=0, ddof=1)) / 18)
        assert found.effect_name == "d"
        assert_allclose(found.effect, (y[:8].mean(axis=0) - y[8:].mean(axis=0)) / pooled, rtol=1e-9)
        one = glm.test(glm.fit(y, np.ones((20, 1))), [1])
        assert_allclose(one.effect, y.mean(axis=0) / y.std(axis=0, ddof=1), rtol=1e-9)

    def test_f2_is_what_the_contrast_adds_to_r2(self) -> None:
        """Cohen (1988), Statistical Power Analysis, equation 9.2.3: (R2_AB - R2_A) / (1 - R2_AB)."""
        y, x = data()
        full, less = sm.OLS(y[:, 0], x).fit(), sm.OLS(y[:, 0], x[:, :2]).fit()
        found = glm.test(glm.fit(y, x), np.eye(4)[2:])
        assert found.effect_name == "f2"
        assert_allclose(found.effect[0], (full.rsquared - less.rsquared) / (1 - full.rsquared), rtol=1e-9)
        assert glm.test(glm.fit(y, x), [0, 1, 0, 0]).effect_name == "f2"


class TestVoxelwiseCovariates:
    @given(
        st.integers(0, 4),
        st.integers(1, 3),
        st.integers(1, 9),
        st.sampled_from([1, 2, 127, 128, 129, 300]),
        st.booleans(),
    )
    @settings(max_examples=30, deadline=None)
    def test_every_voxel_has_the_model_of_its_own_design(
        self, p: int, m: int, spare: int, v: int, single: bool
    ) -> None:
        rng = np.random.default_rng(p + 10 * m + 100 * spare + v)
        n = p + 1 + m + spare
        dtype = np.float32 if single else np.float64
        y = rng.normal(3, 1, (n, v)).astype(dtype)
        z = rng.normal(10, 1, (m, n, v)).astype(dtype)
        x = np.hstack([np.ones((n, 1)), rng.normal(size=(n, p))])
        fitted = glm.fit(y, x, z)
        coefficients = fitted.coefficients()
        for voxel in {0, v // 2, v - 1}:
            own = np.hstack([x, z[:, :, voxel].T.astype(np.float64)])
            target = y[:, voxel].astype(np.float64)
            best = np.linalg.lstsq(own, target)[0]
            assert_allclose(coefficients[:, voxel], best, rtol=1e-5, atol=1e-6)
            assert_allclose(fitted.rss[voxel], np.sum((target - own @ best) ** 2), rtol=1e-7, atol=1e-18)

    def test_t_and_f_are_those_of_statsmodels(self) -> None:
        y, x = data()
        z = np.random.default_rng(5).normal(100, 1, (2, *y.shape))
        fitted = glm.fit(y, x, z)
        reference = sm.OLS(y[:, 9], np.hstack([x, z[:, :, 9].T])).fit()
        for c in (np.eye(6)[[1]], np.eye(6)[[4]], np.eye(6)[[1, 4]], np.eye(6)[3:]):
            found = glm.test(fitted, c)
            f = found.statistic[9] ** (2 if len(c) == 1 else 1)
            assert_allclose(f, reference.f_test(c).fvalue, rtol=1e-8)
            assert_allclose(found.p[9], reference.f_test(c).pvalue, rtol=1e-8)
            assert found.df == (len(c), 17)

    def test_a_covariate_that_is_the_same_everywhere_is_a_column_of_the_design(self) -> None:
        y, x = data()
        z = np.repeat(x[None, :, 3:], y.shape[1], axis=2)
        assert_allclose(
            glm.test(glm.fit(y, x[:, :3], z), [0, 1, 0, 0]).statistic,
            glm.test(glm.fit(y, x), [0, 1, 0, 0]).statistic,
            rtol=1e-8,
        )

    def test_a_covariate_that_depends_on_other_columns_leaves_no_answer(self) -> None:
        y, x = data()
        z = np.random.default_rng(5).normal(100, 1, (2, *y.shape))
        z[0, :, 4] = 7
        z[1, :, 5] = 2 * z[0, :, 5] - x[:, 1]
        z[0, 3, 6] = np.nan
        found = glm.test(glm.fit(y, x, z), np.eye(6)[1])
        for values in (found.statistic, found.estimate, found.p):
            assert_array_equal(np.flatnonzero(np.isnan(values)), [4, 5, 6])


class TestVariancesByGroup:
    def test_two_groups_are_welch_s_test(self) -> None:
        y, _ = data(n=20)
        group = np.array(["TRD"] * 8 + ["HC"] * 12)
        y[:8] *= 3
        found = glm.test(glm.fit(y, np.column_stack([group == "TRD", group == "HC"]), variance_groups=group), [1, -1])
        reference = stats.ttest_ind(y[:8], y[8:], equal_var=False)
        interval = reference.confidence_interval(0.95)
        assert_allclose(found.statistic, reference.statistic, rtol=1e-9)
        assert_allclose(found.df_map, reference.df, rtol=1e-9)
        assert_allclose(found.p, reference.pvalue, rtol=1e-8)
        assert_allclose([found.ci_low, found.ci_high], [interval.low, interval.high], rtol=1e-8)
        assert found.df == (1, np.median(found.df_map))
        spread = np.sqrt((y[:8].var(axis=0, ddof=1) + y[8:].var(axis=0, ddof=1)) / 2)
        assert_allclose(found.effect, found.estimate / spread, rtol=1e-9)

    def test_several_means_are_welch_s_analysis_of_variance(self) -> None:
        y, _ = data(n=25)
        group = np.repeat([0, 1, 2, 3], [4, 6, 7, 8])
        x = np.column_stack([np.ones(25), *(group == g for g in (1, 2, 3))])
        found = glm.test(glm.fit(y, x, variance_groups=group), np.eye(4)[1:])
        reference = anova_oneway(y[:, 11], group, use_var="unequal")
        assert_allclose(found.statistic[11], reference.statistic, rtol=1e-8)
        assert_allclose(found.df_map[11], reference.df_denom, rtol=1e-9)
        assert_allclose(found.p[11], reference.pvalue, rtol=1e-8)

    def test_two_independent_means_have_the_closed_form_of_welch_and_james(self) -> None:
        """F is the mean of both squared t by Johansen's correction, here of known A."""
        y, _ = data(n=40)
        group = np.arange(40) < 15
        fitted = glm.fit(y - 1000, np.column_stack([group, ~group]), variance_groups=group)
        one, other, both = (glm.test(fitted, c) for c in ([1, 0], [0, 1], np.eye(2)))
        correction = (one.statistic**2 + other.statistic**2) / 2 / both.statistic
        a = 1 / 14 + 1 / 24  # each part is one group: Johansen's A is the sum of 1 / df
        assert_allclose(correction, (2 + 2 * a - 6 * a / 4) / 2, rtol=1e-9)
        assert_allclose(both.df_map, 8 / (3 * a), rtol=1e-9)

    def test_one_group_is_the_pooled_test(self) -> None:
        y, x = data()
        pooled, grouped = (glm.test(glm.fit(y, x, variance_groups=g), [0, 1, 0, 0]) for g in (None, np.zeros(23)))
        assert_allclose(grouped.statistic, pooled.statistic, rtol=1e-9)
        assert_allclose(grouped.df_map, 19, rtol=1e-9)

    def test_a_voxelwise_covariate_is_a_column_of_the_voxel_s_own_design(self) -> None:
        y, x = data()
        z = np.random.default_rng(5).normal(100, 1, (1, *y.shape))
        group = np.arange(23) < 9
        fitted = glm.fit(y, x, z, group)
        alone = glm.fit(y[:, 8:9], np.hstack([x, z[:, :, 8].T]), variance_groups=group)
        for c in (np.eye(5)[[1]], np.eye(5)[2:]):
            ours, reference = glm.test(fitted, c), glm.test(alone, c)
            assert_allclose(ours.statistic[8], reference.statistic[0], rtol=1e-8)
            assert_allclose(ours.df_map[8], reference.df[1], rtol=1e-8)

    def test_unequal_variances_keep_the_level_with_a_covariate(self) -> None:
        rng = np.random.default_rng(11)
        group = np.arange(30) < 8
        y = rng.normal(size=(30, 20000)) * np.where(group, 4.0, 1.0)[:, None]
        x = np.column_stack([np.ones(30), group, rng.normal(size=30)])
        by_group, pooled = (
            np.mean(glm.test(glm.fit(y, x, variance_groups=g), [0, 1, 0]).p < 0.05) for g in (group, None)
        )
        assert by_group == pytest.approx(0.05, abs=0.01)
        assert pooled > 0.15

    def test_a_group_without_residuals_is_refused(self) -> None:
        y, _ = data(n=10)
        group = np.array([0] + [1] * 9)
        with pytest.raises(CannotCompute, match="group '0' leave no residual"):
            glm.fit(y, np.column_stack([group == 0, group == 1]), variance_groups=group)
        with pytest.raises(CannotCompute, match="9 scans have a variance group, 10"):
            glm.fit(y, np.ones((10, 1)), variance_groups=group[1:])


class TestDataWithoutAnswer:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_constant_fitted_and_not_finite_voxels_are_nan_and_disturb_no_other(self, dtype: type) -> None:
        y, x = data()
        clean = glm.test(glm.fit(y.astype(dtype), x), [0, 1, 0, 0])
        broken = y.astype(dtype)
        broken[:, 3] = 0
        broken[:, 4] = 1234.567
        broken[:, 5] = x @ [3, 1, 2, -1]
        broken[2, 128] = np.nan
        broken[4, 300] = np.inf
        found = glm.test(glm.fit(broken, x), [0, 1, 0, 0])
        bad = [3, 4, 5, 128, 300]
        for values in (found.statistic, found.estimate, found.se, found.p, found.partial_r, found.ci_low, found.effect):
            assert_array_equal(np.flatnonzero(np.isnan(values)), bad)
        assert_allclose(np.delete(found.statistic, bad), np.delete(clean.statistic, bad), rtol=1e-12)

    @given(st.sampled_from([1, 5, 128, 1025]), st.integers(0, 3), st.integers(1, 4))
    @settings(max_examples=20, deadline=None)
    def test_float32_data_lose_nothing_against_float64(self, v: int, p: int, spare: int) -> None:
        y, x = data(n=1 + p + spare, v=v, p=1 + p, seed=v)
        single = y.astype(np.float32)
        a, b = glm.fit(single, x), glm.fit(single.astype(np.float64), x)
        assert_allclose(a.rss, b.rss, rtol=1e-12)
        assert_allclose(a.coefficients(), b.coefficients(), rtol=1e-12)

    def test_a_transposed_view_is_the_same_data(self) -> None:
        y, x = data()
        assert_array_equal(glm.fit(np.asfortranarray(y), x).rss, glm.fit(y, x).rss)

    def test_no_voxel_is_no_problem(self) -> None:
        fitted = glm.fit(np.empty((23, 0)), data()[1])
        assert glm.test(fitted, [0, 1, 0, 0]).p.shape == (0,)


class TestRefusals:
    def test_models_that_cannot_be_fitted(self) -> None:
        y, x = data(n=4, v=2)
        with pytest.raises(CannotCompute, match="4 scans cannot estimate 4 columns: no residual"):
            glm.fit(y, x)
        with pytest.raises(CannotCompute, match="4 scans cannot estimate 4 columns"):
            glm.fit(y, x[:, :3], y[None])
        with pytest.raises(CannotCompute, match="columns 1, 2 of the design depend"):
            glm.fit(y, np.ones((4, 2)))
        with pytest.raises(CannotCompute, match="not finite"):
            glm.fit(y, np.array([[1, np.nan, 1, 1.0]]).T)
        with pytest.raises(CannotCompute, match="do not agree"):
            glm.fit(y, np.ones((3, 1)))

    def test_contrasts_that_cannot_be_tested(self) -> None:
        y, x = data()
        fitted = glm.fit(y, x)
        with pytest.raises(CannotCompute, match="3 weights, the model 4"):
            glm.test(fitted, [1, 0, 0])
        with pytest.raises(CannotCompute, match="depend on each other"):
            glm.test(fitted, [[0, 1, 0, 0], [0, 2, 0, 0]])
        with pytest.raises(CannotCompute, match="no side"):
            glm.test(fitted, np.eye(4)[1:], one_sided=True)
        with pytest.raises(CannotCompute, match="95 is no confidence level"):
            glm.test(fitted, [0, 1, 0, 0], level=95)

    def test_work_can_be_cancelled(self) -> None:
        class Stop(Exception):
            pass

        def report(fraction: float) -> None:
            if fraction > 0.3:
                raise Stop

        y, x = data(v=60000)
        with pytest.raises(Stop):
            glm.fit(y.astype(np.float32), x, report=report)
