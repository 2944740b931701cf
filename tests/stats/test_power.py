"""Power: against statsmodels, closed forms, and simulated studies."""

from __future__ import annotations

import numpy as np
import pytest
from habena.stats import glm
from habena.stats.errors import CannotCompute
from habena.stats.power import correlation, of_contrast, one_sample, scans_needed, several, two_samples
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.power import FTestPower, TTestIndPower, TTestPower


class TestAgainstStatsmodels:
    @pytest.mark.parametrize("effect", [0.0, 0.2, 0.8, 1.2])
    @pytest.mark.parametrize("alpha", [0.05, 0.001])
    @pytest.mark.parametrize("two_sided", [True, False])
    def test_power_of_means(self, effect: float, alpha: float, two_sided: bool) -> None:
        side = "two-sided" if two_sided else "larger"
        two = TTestIndPower().power(effect, 18, alpha, 16 / 18, alternative=side)
        assert two_samples(18, 16, alpha=alpha, two_sided=two_sided).power(effect) == pytest.approx(two, abs=1e-9)
        one = TTestPower().power(effect, 26, alpha, alternative=side)
        assert one_sample(26, alpha=alpha, two_sided=two_sided).power(effect) == pytest.approx(one, abs=1e-9)

    def test_detectable_effects_and_sizes(self) -> None:
        found = TTestIndPower().solve_power(None, 18, 0.05, 0.8, 16 / 18)
        assert two_samples(18, 16).detectable() == pytest.approx(found, rel=1e-4)
        n = TTestIndPower().solve_power(0.5, None, 0.001, 0.8)
        assert scans_needed(lambda n: two_samples(n, n, alpha=0.001), 0.5) == int(np.ceil(n))

    def test_power_of_several_columns(self) -> None:
        assert several(3, 40).power(0.2) == pytest.approx(FTestPower().power(np.sqrt(0.2), 36, 3, 0.05), abs=1e-9)

    def test_two_groups_of_sixty_four_find_a_medium_effect(self) -> None:
        """Cohen (1992), A power primer, doi 10.1037/0033-2909.112.1.155, table 2."""
        assert scans_needed(lambda n: two_samples(n, n), 0.5) == 64
        assert scans_needed(lambda n: two_samples(n, n), 0.8) == 26


class TestSmallStudies:
    def test_thirty_four_patients_and_two_covariates_need_r_of_526_at_p_of_one_in_a_thousand(self) -> None:
        test = correlation(34, covariates=2, alpha=0.001, two_sided=False)
        assert test.df == (1, 30)
        assert test.significant == pytest.approx(0.526, abs=5e-4)
        assert correlation(34, covariates=2, alpha=0.001).significant > test.significant

    def test_an_effect_at_the_threshold_is_found_about_half_the_time(self) -> None:
        for test in (
            one_sample(40, two_sided=False),
            correlation(60, two_sided=False, alpha=0.001),
            two_samples(30, 40),
        ):
            assert test.power(test.significant) == pytest.approx(0.5, abs=0.03)

    def test_three_scans_still_have_an_answer(self) -> None:
        for test in (one_sample(2, alpha=0.001), one_sample(3), several(1, 3), two_samples(2, 2)):
            assert test.power(test.detectable(0.9)) == pytest.approx(0.9, abs=1e-6)
        assert one_sample(2).power(1e6) == pytest.approx(1)

    def test_no_effect_is_found_as_often_as_alpha(self) -> None:
        for test in (one_sample(20, alpha=0.01), correlation(20, alpha=0.01), several(2, 20, alpha=0.01)):
            assert test.power(0) == pytest.approx(0.01, rel=1e-6)

    @given(st.integers(3, 500), st.floats(0.3, 0.99), st.sampled_from([0.05, 0.001]), st.booleans())
    @settings(max_examples=30, deadline=None)
    def test_detectable_is_the_inverse_of_power(self, n: int, power: float, alpha: float, two_sided: bool) -> None:
        tests = (correlation(n + 1, alpha=alpha, two_sided=two_sided), two_samples(n, n + 2, alpha=alpha))
        for test in (*tests, several(2, n + 3, alpha=alpha)):
            assert test.power(test.detectable(power)) == pytest.approx(power, abs=1e-6)


class TestDesigns:
    def test_a_contrast_of_groups_is_two_samples(self) -> None:
        group = np.arange(34) < 18
        x = np.column_stack([np.ones(34), group])
        found, expected = of_contrast(x, [0, 1]), two_samples(18, 16)
        assert (found.effect, found.df) == (expected.effect, expected.df)
        assert found.power(0.7) == pytest.approx(expected.power(0.7))
        assert of_contrast(np.ones((9, 1)), [1]).power(0.7) == pytest.approx(one_sample(9).power(0.7))

    def test_a_slope_is_a_correlation_and_rows_are_several_columns(self) -> None:
        x = np.column_stack([np.ones(34), np.random.default_rng(0).normal(size=(34, 3))])
        assert of_contrast(x, [0, 1, 0, 0], alpha=0.001) == correlation(34, covariates=2, alpha=0.001)
        assert of_contrast(x, np.eye(4)[2:]) == several(2, 34, others=2)

    @pytest.mark.parametrize("kind", ["d", "r", "f2"])
    def test_power_is_how_often_simulated_studies_find_the_effect(self, kind: str) -> None:
        rng = np.random.default_rng(4)
        x = np.column_stack([np.ones(24), np.arange(24) < 10, rng.normal(size=(24, 2))])
        weights = {"d": np.eye(4)[[1]], "r": np.eye(4)[[2]], "f2": np.eye(4)[2:]}[kind]
        truth = weights.T @ np.ones((len(weights), 1)) * 0.7
        root = np.linalg.solve(np.linalg.qr(x).R.T, weights.T)
        noncentrality = truth.T @ weights.T @ np.linalg.solve(root.T @ root, weights @ truth)
        found = glm.test(glm.fit(x @ truth + rng.normal(size=(24, 20000)), x), weights)
        test = of_contrast(x, weights)
        size = noncentrality.item() / test.weight
        effect = {"d": np.sqrt(size), "r": np.sqrt(size / (1 + size)), "f2": size}[kind]
        assert np.mean(found.p < 0.05) == pytest.approx(test.power(effect), abs=0.012)


class TestRefusals:
    def test_what_has_no_answer_is_refused(self) -> None:
        with pytest.raises(CannotCompute, match="no residual degree of freedom"):
            correlation(4, covariates=2)
        with pytest.raises(CannotCompute, match="no level of significance"):
            one_sample(20, alpha=0)
        with pytest.raises(CannotCompute, match="no power above chance"):
            one_sample(20).detectable(0.01)
        with pytest.raises(CannotCompute, match="needs more than 1000000 scans"):
            scans_needed(correlation, 1e-5)
