"""Each trap against a closed form, a published example or a simulation; and silence where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from habena.app.problems import Finding
from habena.stats.errors import CannotCompute
from habena.stats.partial_volume import partial_volume
from habena.stats.trap_designs import (
    coupling,
    group_is_site,
    motion_by_group,
    motion_follows_group,
    motion_in_connectivity,
    quality_connectivity,
    session_correlation,
    shared_data,
    site_table,
)
from habena.stats.trap_graphs import averaged_r, edges_of, mean_connectivity, negative_edges, thresholded_graph
from habena.stats.trap_inference import (
    Effect,
    autocorrelation,
    cluster_inflation,
    difference_of_significance,
    false_positive_rate,
    few_to_predict,
    interval_of_r,
    p_of_difference,
    power_line,
)
from habena.stats.trap_regions import Small, circular_region, critical_r, ring_control, selected_null_r, small_region
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats as scipy_stats


def correlations(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of columns with columns."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    return (x * y).sum(axis=0) / np.sqrt((x**2).sum(axis=0) * (y**2).sum(axis=0))


def test_a_region_chosen_by_its_outcome_correlates_at_074_in_noise() -> None:
    """n = 17 and p < .001: .74 was measured; the closed form agrees with a simulation of its own."""
    r = selected_null_r(Small(17))
    rng = np.random.default_rng(3)
    drawn = np.concatenate(
        [correlations(rng.standard_normal((17, 1)), rng.standard_normal((17, 100_000))) for _ in range(8)]
    )
    chosen = drawn[drawn > critical_r(Small(17))]
    assert_allclose(len(chosen) / len(drawn), 0.001, atol=1.5e-4)
    assert_allclose(r, chosen.mean(), atol=0.006)
    assert_allclose(r, 0.74, atol=0.01)
    (trap,) = circular_region("Habenula L", Small(17))
    assert trap.code == "circular-region"
    assert trap.value == r
    assert "correlate at 0.73 on average" in trap.message


@pytest.mark.parametrize(("p", "n", "covariates"), [(0.01, 12, 0), (0.001, 34, 2), (0.05, 80, 4)])
def test_the_mean_of_selected_correlations_is_that_of_their_distribution(p: float, n: int, covariates: int) -> None:
    sample = Small(n, covariates, p)
    t = scipy_stats.t(sample.df)
    grid = np.linspace(t.isf(p), t.isf(1e-14), 400_001)
    r = grid / np.sqrt(grid**2 + sample.df)
    expected = np.trapezoid(r * t.pdf(grid), grid) / np.trapezoid(t.pdf(grid), grid)
    assert_allclose(selected_null_r(sample), expected, rtol=1e-5)


def test_34_scans_with_two_covariates_need_an_r_of_0526() -> None:
    assert_allclose(critical_r(Small(34, 2)), 0.526, atol=5e-4)
    (trap,) = power_line("severity", Small(34, 2))
    assert "With n = 34 and 2 covariates, one-sided p < 0.001 needs |r| > 0.526" in trap.message
    assert_allclose(trap.value, 0.526, atol=5e-4)


def test_the_r_of_the_power_line_is_found_in_four_of_five_simulations() -> None:
    sample = Small(40)
    message = power_line("x", sample)[0].message
    true = float(message.split("a true r of ")[1].split(" ")[0])
    rng = np.random.default_rng(0)
    x, noise = rng.standard_normal((2, 40, 40_000))
    found = correlations(x, true * x + np.sqrt(1 - true**2) * noise) > critical_r(sample)
    assert_allclose(found.mean(), 0.8, atol=0.025)


@pytest.mark.parametrize("sample", [Small(4, 2), Small(20, 0, 0.0), Small(20, 0, 0.7)])
def test_samples_without_degrees_of_freedom_are_refused(sample: Small) -> None:
    with pytest.raises(CannotCompute):
        critical_r(sample)


def test_parametric_clusters_above_001_are_a_trap() -> None:
    (trap,) = cluster_inflation("age", 0.01, parametric=True)
    assert (trap.code, trap.value) == ("cluster-inflation", 0.01)
    assert not cluster_inflation("age", 0.001, parametric=True)
    assert not cluster_inflation("age", 0.01, parametric=False)


@pytest.mark.parametrize(("phi", "expected"), [(0.3, 0.07), (0.5, 0.125), (0.7, 0.25)])
def test_naive_tests_of_autocorrelated_series_reject_as_often_as_measured(phi: float, expected: float) -> None:
    """Bartlett: n / (1 + 2 sum phi^2k) = n (1 - phi^2) / (1 + phi^2)."""
    n = 180
    effective = n * (1 - phi**2) / (1 + phi**2) - 2
    assert_allclose(false_positive_rate(n - 2, effective), expected, atol=0.01)
    (trap,) = autocorrelation("seed map", n, effective)
    assert trap.code == "autocorrelation"
    assert trap.value == false_positive_rate(n - 2, effective)


def test_independent_volumes_are_no_trap() -> None:
    assert_allclose(false_positive_rate(178, 178), 0.05, rtol=1e-6)
    assert not autocorrelation("seed map", 180, 177)
    with pytest.raises(CannotCompute):
        autocorrelation("seed map", 3, 1, regressors=2)


def test_the_example_of_gelman_and_stern() -> None:
    """25 (SE 10) is significant and 10 (SE 10) is not; their difference is 15 (SE 14), far from significant."""
    one, two = Effect("ketamine", 25, 10, 1e6), Effect("midazolam", 10, 10, 1e6)
    assert one.p < 0.05 < two.p
    (trap,) = difference_of_significance(one, two)
    assert_allclose(trap.value, 2 * scipy_stats.norm.sf(15 / np.hypot(10, 10)), rtol=1e-4)
    assert "do not differ at .05: 15, p = 0.289" in trap.message
    assert "ketamine has p = 0.0124, midazolam p = 0.317" in trap.message
    assert difference_of_significance(two, one)[0].value == trap.value


def test_effects_that_agree_in_significance_are_no_trap() -> None:
    assert not difference_of_significance(Effect("a", 25, 10, 30), Effect("b", 35, 10, 30))
    assert not difference_of_significance(Effect("a", 2, 10, 30), Effect("b", 3, 10, 30))
    assert "they differ at .05" in difference_of_significance(Effect("a", 9, 1, 30), Effect("b", 0, 1, 30))[0].message


def test_the_p_of_a_difference_is_welchs() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(1, 2, 14), rng.normal(0, 1, 9)
    one, two = (Effect("x", s.mean(), s.std(ddof=1) / np.sqrt(len(s)), len(s) - 1) for s in (a, b))
    assert_allclose(p_of_difference(one, two), scipy_stats.ttest_ind(a, b, equal_var=False).pvalue, rtol=1e-10)


def test_a_prediction_from_few_people_shows_its_interval() -> None:
    (trap,) = few_to_predict("improvement", 34, 0.35)
    low, high = scipy_stats.pearsonr(*correlated(0.35, 34)).confidence_interval()
    assert_allclose(interval_of_r(0.35, 34), (low, high), rtol=1e-9)
    assert f"{low:.2f} to {high:.2f}" in trap.message
    assert trap.value == 34
    assert not few_to_predict("improvement", 100, 0.35)
    assert interval_of_r(1.0, 9) == (1.0, 1.0)
    with pytest.raises(CannotCompute):
        interval_of_r(0.2, 3)


def correlated(r: float, n: int) -> np.ndarray:
    """Two series with exactly this correlation."""
    q, _ = np.linalg.qr(np.column_stack([np.ones(n), np.random.default_rng(0).standard_normal((n, 2))]))
    return np.stack([q[:, 1], r * q[:, 1] + np.sqrt(1 - r * r) * q[:, 2]])


def test_the_share_of_negative_edges_is_counted() -> None:
    matrix = np.array([[1, 0.3, -0.2, np.nan], [0.3, 1, 0, 0.1], [-0.2, 0, 1, 0.4], [np.nan, 0.1, 0.4, 1]])
    (trap,) = negative_edges("matrix.tsv", matrix)
    assert trap.value == 1 / 5
    assert trap.message == "20.0% of 5 edges are negative and dropped."
    assert not negative_edges("matrix.tsv", np.abs(matrix))
    with pytest.raises(CannotCompute, match="not square"):
        edges_of(matrix[:2])
    with pytest.raises(CannotCompute, match="no edge"):
        edges_of(np.full((2, 2), np.nan))


def test_means_of_r_are_those_of_fisher_z() -> None:
    r = np.array([0.1, 0.2, 0.9])
    (trap,) = averaged_r("edges", r)
    assert_allclose(trap.value, np.tanh(np.arctanh(r).mean()) - 0.4)
    assert "0.400" in trap.message
    assert not averaged_r("edges", np.full(5, 0.3))


def test_graphs_in_pieces_are_said() -> None:
    (trap,) = thresholded_graph("sub-01", 0.1, 9, 0.217)
    assert trap.value == 9
    assert "At 10% density the graph has 9 components (mean connectivity 0.217)" in trap.message
    assert not thresholded_graph("sub-01", 0.3, 1, 0.217)


def test_groups_of_different_mean_connectivity_are_found_by_welchs_test() -> None:
    rng = np.random.default_rng(2)
    values = np.concatenate([rng.normal(0.3, 0.03, 12), rng.normal(0.2, 0.08, 20), [np.nan]])
    group = np.array(["HC"] * 12 + ["TRD"] * 21)
    (trap,) = mean_connectivity("graphs", values, group)
    assert_allclose(trap.value, scipy_stats.ttest_ind(values[:12], values[12:-1], equal_var=False).pvalue, rtol=1e-10)
    assert not mean_connectivity("graphs", rng.normal(0.3, 0.1, 33), np.tile(["HC", "TRD", "HC"], 11))
    with pytest.raises(CannotCompute, match="1 groups"):
        mean_connectivity("graphs", values[:12], group[:12])


@pytest.mark.parametrize("rho", [-0.5, 0.0, 0.4, 0.8, 0.95])
def test_maps_of_change_and_baseline_correlate_as_stated_under_pure_noise(rho: float) -> None:
    rng = np.random.default_rng(int(100 * rho) + 100)
    n, voxels = 60, 40_000
    before, noise = rng.standard_normal((2, n, voxels))
    after = rho * before + np.sqrt(1 - rho**2) * noise
    improvement = rng.standard_normal((n, 1))
    change_map = correlations(after - before, improvement)
    baseline_map = correlations(before, improvement)
    assert_allclose(np.corrcoef(change_map, baseline_map)[0, 1], coupling(rho), atol=0.03)
    assert_allclose(session_correlation(before, after), rho, atol=0.01)
    (trap,) = shared_data("change", "prediction", rho)
    assert trap.value == coupling(rho)


def test_sessions_that_are_no_pairs_are_refused() -> None:
    with pytest.raises(CannotCompute, match="no pairs"):
        session_correlation(np.ones((4, 3)), np.ones((5, 3)))
    with pytest.raises(CannotCompute, match="no voxel varies"):
        session_correlation(np.ones((4, 3)), np.ones((4, 3)))
    with pytest.raises(CannotCompute, match="no correlation"):
        coupling(1.2)


def test_groups_from_other_sites_cannot_be_told_from_sites() -> None:
    apart = site_table(["TRD", "TRD", "HC", "HC"], ["A", "B", "C", "C"])
    assert apart.explained == pytest.approx(1)
    (trap,) = group_is_site("group", apart)
    assert "cannot be told apart" in trap.message
    assert trap.value == pytest.approx(1)


def test_the_site_table_counts_and_its_share_is_cramers() -> None:
    group = np.repeat(["HC", "TRD"], [49, 34])
    site = np.concatenate([np.repeat(["A", "B", "C"], [40, 5, 4]), np.repeat(["B", "C"], [20, 14])])
    table = site_table(group, site)
    assert table.groups == ("HC", "TRD")
    assert table.counts.tolist() == [[40, 5, 4], [0, 20, 14]]
    v = scipy_stats.contingency.association(table.counts, method="cramer")
    assert_allclose(table.explained, v**2)
    (trap,) = group_is_site("group", table)
    assert "1 of 3 sites have one group only: the difference rests on the other 2" in trap.message


def test_balanced_sites_are_no_trap() -> None:
    assert not group_is_site("group", site_table(["a", "b", "a", "b"], ["A", "A", "B", "B"]))
    assert not group_is_site("group", site_table(["a", "b"], ["A", "A"]))
    assert not group_is_site("group", site_table(["a", "a"], ["A", "B"]))
    with pytest.raises(CannotCompute, match="no table"):
        site_table(["a"], ["A", "B"])


def test_motion_by_group_and_time_is_the_group_effect_on_the_change() -> None:
    rng = np.random.default_rng(4)
    before = rng.gamma(4, 0.04, 43)
    group = np.repeat(["ketamine", "midazolam"], [22, 21])
    after = before + rng.normal(0, 0.03, 43) + 0.05 * (group == "ketamine")
    after[3] = np.nan
    found = motion_by_group(before, group, after)
    change = after - before
    test = scipy_stats.ttest_ind(change[:22], change[22:], nan_policy="omit")
    assert_allclose((found.f, found.p), (test.statistic**2, test.pvalue), rtol=1e-9)
    assert found.df == (1, 40)
    assert_allclose(found.mean_mm, [np.nanmean(change[:22]), change[22:].mean()])
    (trap,) = motion_follows_group("scans", found)
    assert trap.value == found.p
    assert "F(1, 40)" in trap.message
    assert not motion_follows_group("scans", found._replace(p=0.2))
    with pytest.raises(CannotCompute, match="two groups"):
        motion_by_group(before, ["all"] * 43)


def test_qc_fc_is_the_correlation_of_edges_with_motion() -> None:
    rng = np.random.default_rng(6)
    motion = rng.gamma(4, 0.04, 50)
    clean = rng.standard_normal((50, 3000))
    clean[:, 7] = 1.0
    found = quality_connectivity(clean, motion)
    expected = [scipy_stats.pearsonr(clean[:, e], motion) for e in range(6)]
    assert_allclose(found.r[:6], [one.statistic for one in expected], rtol=1e-9)
    assert np.isnan(found.r[7])
    assert_allclose(found.share, 0.05, atol=0.015)
    assert not motion_in_connectivity("edges", found)
    dirty = quality_connectivity(clean + 8 * motion[:, None] * (np.arange(3000) < 900), motion)
    (trap,) = motion_in_connectivity("edges", dirty)
    assert trap.value == dirty.share > 0.2
    with pytest.raises(CannotCompute, match="do not fit"):
        quality_connectivity(clean, motion[:-1])
    with pytest.raises(CannotCompute, match="do not vary"):
        quality_connectivity(clean, np.ones(50))


def test_small_regions_carry_a_badge() -> None:
    mask = np.zeros((5, 5, 5), bool)
    mask[1:4, 1:4, 1:4] = True
    seen = partial_volume(mask, (1.5, 1.5, 1.5), 6.0)
    (trap,) = small_region("Habenula R", seen, 6.0)
    assert trap.value == seen.recovery
    assert trap.message.startswith(f"Habenula R (91 mm³) at 6 mm FWHM keeps {seen.recovery:.0%} of its own signal; ")
    assert f"{seen.spill_in_percent:.0f} % of its mean spills in" in trap.message
    assert not small_region("Thalamus", seen._replace(small=False), 6.0)


def test_an_effect_that_the_ring_has_too_is_not_the_regions_own() -> None:
    assert ring_control("Habenula R", -0.4, -0.3)[0].value == pytest.approx(0.75)
    assert not ring_control("Habenula R", -0.4, -0.1)
    assert not ring_control("Habenula R", -0.4, 0.4)
    assert not ring_control("Habenula R", 0.0, 0.4)
    assert not ring_control("Habenula R", 0.4, float("nan"))


@given(n=st.integers(4, 400), covariates=st.integers(0, 5), p=st.floats(1e-6, 0.4))
def test_selected_correlations_lie_between_the_threshold_and_1(n: int, covariates: int, p: float) -> None:
    sample = Small(n + covariates, covariates, p)
    assert critical_r(sample) <= selected_null_r(sample) * (1 + 1e-9) <= 1 + 1e-9


def test_a_trap_becomes_a_finding_as_it_is() -> None:
    (trap,) = thresholded_graph("sub-01", 0.1, 9, 0.2)
    assert Finding(*trap) == Finding("components", "sub-01", 9, trap.message)
