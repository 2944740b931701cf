"""The scale on which statistics with variance groups are compared, against SciPy and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from habena.stats.errors import CannotCompute
from habena.stats.inference import PermutationTest, Question
from habena.stats.perm_across import across_tests
from habena.stats.perm_welch import equivalent
from habena.stats.permute import Shuffling
from scipy import stats
from statsmodels.stats.oneway import anova_oneway

ERROR_OF_V = {3: 0.27, 5: 0.13, 10: 0.04, 20: 0.011, 60: 0.0013}  # of z up to 6
ERROR_OF_G = {5: 0.18, 10: 0.06, 20: 0.017, 60: 0.002}  # of the root of chi-square, p down to 1e-9


def unequal(sizes: tuple[int, ...], n_voxels: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    group = np.repeat(np.arange(len(sizes)), sizes)
    data = rng.standard_normal((group.size, n_voxels)) * (1 + group)[:, None] + 0.5 * (group == 1)[:, None]
    return data, group, (group[:, None] == np.arange(len(sizes))).astype(float)


@pytest.mark.parametrize("df", ERROR_OF_V)
def test_the_z_of_a_v_is_wallaces(df):
    z = np.linspace(0.01, 6, 200)
    v = stats.t.isf(stats.norm.sf(z), df)
    error = np.sqrt([equivalent(value**2, float(df), 1) for value in v]) - z
    assert error.max() < 0.003
    assert error.min() > -ERROR_OF_V[df]


def test_the_chi_square_of_a_g_of_two_rows_is_exact():
    for df in (0.5, 3.0, 20.0):
        g = np.linspace(0.1, 40, 50)
        found = [equivalent(value, df, 2) for value in g]
        np.testing.assert_allclose(stats.chi2.logsf(found, 2), stats.f.logsf(g, 2, df), rtol=1e-10)


@pytest.mark.parametrize("df", ERROR_OF_G)
def test_the_chi_square_of_a_g_of_three_rows_is_bartletts(df):
    p = np.logspace(-9, -0.05, 100)
    found = np.sqrt([equivalent(value, float(df), 3) for value in stats.f.isf(p, 3, df)])
    error = found - np.sqrt(stats.chi2.isf(p, 3))
    assert error.min() > 0
    assert error.max() < ERROR_OF_G[df]


def test_two_groups_are_compared_by_the_p_of_scipys_welch_test():
    data, group, design = unequal((12, 20))
    test = PermutationTest(Question(data, design, np.array([[-1, 1]]), Shuffling(32), variance_groups=group))
    expected = stats.ttest_ind(data[group == 1], data[group == 0], equal_var=False)
    np.testing.assert_allclose(test.statistic, expected.statistic, rtol=1e-10)
    np.testing.assert_allclose(test.scale.log_p(test.observed()), np.log(expected.pvalue), atol=0.01)
    one_sided = stats.ttest_ind(data[group == 1], data[group == 0], equal_var=False, alternative="greater").pvalue
    signed = np.sign(test.statistic) * test.observed()
    np.testing.assert_allclose(test.scale.log_p(signed, two_sided=False), np.log(one_sided), atol=0.01)


def test_a_third_group_changes_nothing_of_the_comparison_of_two():
    data, group, design = unequal((12, 20, 9))
    all_three = PermutationTest(Question(data, design, np.array([[-1, 1, 0]]), Shuffling(41), variance_groups=group))
    two = group < 2
    alone = PermutationTest(
        Question(data[two], design[two, :2], np.array([[-1, 1]]), Shuffling(32), variance_groups=group[two])
    )
    np.testing.assert_allclose(all_three.observed(), alone.observed(), rtol=1e-10)


def test_three_groups_are_compared_by_the_p_of_welchs_analysis_of_variance():
    data, group, design = unequal((12, 20, 9))
    weights = np.array([[-1, 1, 0], [-1, 0, 1]])
    test = PermutationTest(Question(data, design, weights, Shuffling(41), variance_groups=group))
    for v, log_p in enumerate(test.scale.log_p(test.observed())):
        expected = anova_oneway(data[:, v], group, use_var="unequal", welch_correction=True)
        assert test.statistic[v] == pytest.approx(expected.statistic)
        assert log_p == pytest.approx(np.log(expected.pvalue))


def test_tests_with_and_without_variance_groups_are_corrected_together_by_their_p():
    data, group, design = unequal((12, 20))
    contrast = np.array([[-1, 1]])
    tests = [
        PermutationTest(Question(data, design, contrast, Shuffling(32, n_permutations=200), variance_groups=groups))
        for groups in (None, group)
    ]
    counted = [(test, test.count(1, 201)) for test in tests]
    for p, (test, counts) in zip(across_tests(counted), counted, strict=True):
        alone = test.result(counts).p_fwe.p
        assert (p.p >= alone).all()
        assert p.p.max() <= 1


def test_a_variance_group_that_the_design_explains_is_refused_or_has_no_answer():
    rng = np.random.default_rng(1)
    data, group = rng.standard_normal((12, 3)), np.arange(12) < 2
    slope = group * np.arange(12)
    design = np.column_stack([np.ones(12), group, slope, rng.standard_normal(12)])
    with pytest.raises(CannotCompute, match="no degree of freedom of a variance group"):
        PermutationTest(Question(data, design, np.eye(4)[3:], Shuffling(12), variance_groups=group))
    own = rng.standard_normal((1, 12, 3))
    own[0, :, 1] = slope
    given = Question(data, design[:, [0, 1, 3]], np.eye(4)[2:3], Shuffling(12), voxelwise=own, variance_groups=group)
    assert np.isnan(PermutationTest(given).statistic).tolist() == [False, True, False]
