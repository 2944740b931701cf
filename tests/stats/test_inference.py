"""Permutation inference against refits by definition, enumeration, SciPy, nilearn and published examples."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from habena.stats import inference, perm_products, threads
from habena.stats.errors import CannotCompute
from habena.stats.inference import Measure, PermutationTest, Question, permutation_test
from habena.stats.perm_across import across_tests
from habena.stats.perm_counts import STATISTIC, corrected, estimate, merge
from habena.stats.permute import Shuffling
from hypothesis import given, settings
from hypothesis import strategies as st
from nilearn.mass_univariate import permuted_ols
from scipy import stats

# Darwin's maize, cross- less self-fertilised, in eighths of an inch; Fisher, The Design of Experiments (1935), III.
DARWIN = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48])


def model(n: int, n_voxels: int, seed: int = 0, dtype: type = np.float64) -> tuple[np.ndarray, np.ndarray]:
    """Data with an effect in the first voxels, and a design: mean, group, two covariates."""
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), np.arange(n) % 2, rng.standard_normal((n, 2))])
    data = rng.standard_normal((n, n_voxels)) + 3 * design[:, 2:3] + 10
    data[:, : n_voxels // 4] += 1.2 * design[:, 1:2]
    return data.astype(dtype), design


def by_definition(question: Question, k: int, *, shown: bool = False) -> np.ndarray:
    """Freedman and Lane: rearrange the residuals of the nuisance, add its fit, refit the whole model.

    What is compared; or what is shown, which differs with variance groups.
    """
    order, sign = question.shuffling.arrangement(k)
    weights = np.atleast_2d(question.weights)
    found = []
    for v in range(question.data.shape[1]):
        own = [] if question.voxelwise is None else list(question.voxelwise[:, :, v])
        matrix = np.column_stack([question.design, *own])
        kernel = np.linalg.svd(weights)[2][len(weights) :].T
        nuisance = matrix @ kernel
        fit = nuisance @ np.linalg.pinv(nuisance) @ question.data[:, v]
        moved = (question.data[:, v] - fit)[order] * sign + fit
        if question.variance_groups is None:
            found.append(t_or_f(matrix, weights, moved))
        else:
            found.append(v_or_g(matrix, weights, moved, question.variance_groups)[0 if shown else 1])
    return np.array(found)


def t_or_f(matrix: np.ndarray, weights: np.ndarray, y: np.ndarray) -> float:
    (n, p), q = matrix.shape, len(weights)
    estimates = np.linalg.pinv(matrix) @ y
    effect, residual = weights @ estimates, y - matrix @ estimates
    middle = weights @ np.linalg.inv(matrix.T @ matrix) @ weights.T * (residual @ residual) / (n - p)
    return float(effect[0] / np.sqrt(middle[0, 0]) if q == 1 else effect @ np.linalg.inv(middle) @ effect / q)


def v_or_g(matrix: np.ndarray, weights: np.ndarray, y: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """Winkler's v and G (2014, equations 8 and 9), and Wallace's z or Bartlett's chi-square (by its df) of them."""
    estimates, q = np.linalg.pinv(matrix) @ y, len(weights)
    effect, residual = weights @ estimates, y - matrix @ estimates
    member = np.unique(groups)[:, None] == groups
    df = member @ np.diagonal(np.eye(len(y)) - matrix @ np.linalg.pinv(matrix))
    variances = member @ residual**2 / df

    def middle(of_groups: np.ndarray) -> np.ndarray:
        return weights @ np.linalg.inv(matrix.T @ ((1 / (of_groups @ member))[:, None] * matrix)) @ weights.T

    if q == 1:
        v, whole, tiny = effect[0] / np.sqrt(middle(variances)[0, 0]), middle(variances)[0, 0], 1e-30
        steps = variances * (1 + 1j * tiny * np.eye(len(df)))  # the derivatives by complex steps
        shares = np.array([middle(stepped)[0, 0].imag / tiny for stepped in steps]) / whole
        nu = 1 / (shares**2 / df).sum()  # Satterthwaite
        z = np.sqrt(nu * np.log1p(v**2 / nu)) * (8 * nu + 1) / (8 * nu + 3)
        return float(v), float(np.copysign(z, v))
    weighting = 1 / (variances @ member)
    spread = ((1 - member @ weighting / weighting.sum()) ** 2 / df).sum()
    g = effect @ np.linalg.inv(middle(variances)) @ effect / q / (1 + 2 * (q - 1) / (q * (q + 2)) * spread)
    nu = q * (q + 2) / (3 * spread)  # Welch
    return float(g), float((nu + q / 2 - 1) * np.log1p(q * g / nu) / q)


ONE_ROW, TWO_ROWS = np.array([[0.0, 1, -0.5, 0]]), np.array([[0.0, 1, 0, 0], [0, 0, 1, -1.0]])
BLOCKS = np.repeat(np.arange(7), 2)


@pytest.mark.parametrize("weights", [ONE_ROW, TWO_ROWS], ids=["t", "F"])
@pytest.mark.parametrize("two_sided", [True, False], ids=["two-sided", "one-sided"])
@pytest.mark.parametrize("variant", ["pooled", "groups", "voxelwise", "both"])
@pytest.mark.parametrize(
    ("kind", "blocks", "mode"),
    [("permute", None, "within"), ("flip", None, "within"), ("both", BLOCKS, "whole"), ("permute", BLOCKS, "within")],
    ids=["permute", "flip", "whole blocks, permuted and flipped", "within blocks"],
)
def test_counts_equal_refits_by_definition(weights, two_sided, variant, kind, blocks, mode):
    data, design = model(14, 5)
    voxelwise = np.random.default_rng(1).standard_normal((1, 14, 5)) if variant in {"voxelwise", "both"} else None
    groups = np.arange(14) // 7 if variant in {"groups", "both"} else None
    if voxelwise is not None:
        weights = np.hstack([weights, [[0.7]] * len(weights)])
    question = Question(data, design, weights, Shuffling(14, kind, blocks, mode, 5, 40), two_sided, voxelwise, groups)
    test = PermutationTest(question)
    found = test.result(test.count(1, 41))
    assert (
        found.scale.name
        == {(True, 1): "t", (True, 2): "F", (False, 1): "v", (False, 2): "G"}[groups is None, len(weights)]
    )
    np.testing.assert_allclose(found.statistic, by_definition(question, 0, shown=True), rtol=1e-8)
    observed = by_definition(question, 0)
    np.testing.assert_allclose(found.compared, observed, rtol=1e-8)
    moved = np.array([by_definition(question, k) for k in range(1, 41)])
    if two_sided:
        moved, observed = np.abs(moved), np.abs(observed)
    np.testing.assert_allclose(found.p.p, (1 + (moved >= observed).sum(axis=0)) / 41)
    np.testing.assert_allclose(found.p_fwe.p, (1 + (moved.max(axis=1)[:, None] >= observed).sum(axis=0)) / 41)


@pytest.mark.parametrize("groups", [None, np.arange(20) // 10], ids=["pooled", "groups"])
@pytest.mark.parametrize("weights", [ONE_ROW, TWO_ROWS], ids=["one row", "two rows"])
def test_permuted_statistics_equal_refits_as_maps(weights, groups):
    data, design = model(20, 7)
    seen: list[np.ndarray] = []
    measure = Measure("kept", lambda values: seen.append(values) or values)
    shuffling = Shuffling(20, seed=2, n_permutations=3)
    question = Question(data, design, weights, shuffling, variance_groups=groups, measures=(measure,))
    permutation_test(question)
    assert {values.dtype for values in seen} == {np.dtype(np.float32)}
    expected = sorted((by_definition(question, k) for k in range(4)), key=lambda values: values[0])
    np.testing.assert_allclose(sorted(seen, key=lambda values: values[0]), expected, rtol=1e-5)


def test_darwins_maize_by_all_sign_flips_as_fisher_counted():
    """Of 32768 sums 835 exceed 314 and 28 equal it: 863 / 32768 = 2.634 %, one-sided."""
    both_signs = np.column_stack([DARWIN, -DARWIN]).astype(float)
    shuffling = Shuffling(15, "flip", n_permutations=40_000)
    found = permutation_test(Question(both_signs, np.ones((15, 1)), np.ones((1, 1)), shuffling, two_sided=False))
    assert found.exhaustive
    assert found.n_total == 32_767
    assert found.statistic[0] == pytest.approx(stats.ttest_1samp(DARWIN, 0).statistic)
    np.testing.assert_allclose(found.p.p, [863 / 32_768, 1 - 835 / 32_768], rtol=1e-12)
    np.testing.assert_array_equal(found.p.low, found.p.high)


def test_two_groups_equal_enumeration_of_all_splits_and_scipy():
    rng = np.random.default_rng(3)
    data = rng.integers(0, 4, (7, 6)).astype(float)  # many ties
    group = np.array([0, 0, 0, 1, 1, 1, 1])
    design = np.column_stack([group == 0, group == 1]).astype(float)
    found = permutation_test(Question(data, design, np.array([[1, -1]]), Shuffling(7)))
    assert found.n_total == 34
    splits = [np.isin(np.arange(7), chosen) for chosen in combinations(range(7), 3)]
    for v in range(6):

        def difference(split, y=data[:, v]):
            return abs(y[split].mean() - y[~split].mean())

        by_hand = np.mean([difference(split) >= difference(group == 0) - 1e-12 for split in splits])
        assert found.p.p[v] == pytest.approx(by_hand)
        result = stats.permutation_test(
            (data[:3, v], data[3:, v]), lambda a, b: abs(a.mean() - b.mean()), alternative="greater"
        )
        assert found.p.p[v] == pytest.approx(result.pvalue)


def test_paired_flips_equal_scipy():
    rng = np.random.default_rng(4)
    change = rng.standard_normal((9, 3)) + 0.5
    found = permutation_test(Question(change, np.ones((9, 1)), np.ones((1, 1)), Shuffling(9, "flip"), two_sided=False))
    for v in range(3):
        result = stats.permutation_test(
            (change[:, v],), np.mean, permutation_type="samples", alternative="greater", n_resamples=np.inf
        )
        assert found.p.p[v] == pytest.approx(result.pvalue)


def test_nilearn_gives_the_same_t_and_p_within_monte_carlo_error():
    data, design = model(30, 40, dtype=np.float32)
    n_permutations = 2000
    theirs = permuted_ols(
        design[:, 1:2], data, design[:, 2:], n_perm=n_permutations, random_state=1, output_type="dict", verbose=0
    )
    ours = permutation_test(
        Question(data, design, np.array([[0, 1, 0, 0]]), Shuffling(30, n_permutations=n_permutations))
    )
    np.testing.assert_allclose(ours.statistic, theirs["t"][0], rtol=1e-4)
    p = 10 ** -theirs["logp_max_t"][0]
    error = np.sqrt(2 * ours.p_fwe.p * (1 - ours.p_fwe.p) / n_permutations)
    assert (np.abs(ours.p_fwe.p - p) <= 4 * error + 1e-3).all()
    assert (ours.p_fwe.p < 0.05).any()
    assert (ours.p_fwe.p > 0.5).any()


def test_permutation_p_equals_parametric_p_for_normal_errors():
    data, design = model(60, 50)
    found = permutation_test(Question(data, design, TWO_ROWS, Shuffling(60, n_permutations=4000)))
    parametric = stats.f.sf(found.statistic, 2, 56)
    np.testing.assert_allclose(np.exp(found.scale.log_p(explained(found))), parametric, rtol=1e-9)
    assert np.abs(found.p.p - parametric).max() < 0.035


def explained(found: inference.Result) -> np.ndarray:
    """Explained variance of F."""
    odds = found.statistic * found.scale.q / found.scale.df
    return odds / (1 + odds)


def test_float32_data_give_the_statistics_of_float64_and_almost_the_same_counts():
    data, design = model(83, 300)
    for weights in (ONE_ROW, TWO_ROWS):
        single, double = (
            PermutationTest(Question(data.astype(dtype), design, weights, Shuffling(83, n_permutations=200)))
            for dtype in (np.float32, np.float64)
        )
        np.testing.assert_allclose(single.statistic, double.statistic, rtol=1e-4, atol=1e-5)
        one, other = single.count(1, 201), double.count(1, 201)
        np.testing.assert_allclose(one.largest[STATISTIC], other.largest[STATISTIC], rtol=1e-5)
        assert np.abs(one.exceed[STATISTIC] - other.exceed[STATISTIC]).max() <= 1


def several_blocks(dtype: type = np.float32, n_permutations: int = 300) -> Question:
    """Enough voxels for three tiles, enough arrangements for five blocks, two measures."""
    data, design = model(12, 2 * perm_products.VOXELS_AT_ONCE + 100, dtype=dtype)
    data[:, 5] = 3
    data[2, 9] = np.nan
    measures = (Measure("square", lambda t: t * t), Measure("beyond 3", lambda t: float((np.abs(t) > 3).sum())))
    shuffling = Shuffling(12, n_permutations=n_permutations, seed=1)
    return Question(data, design, np.array([[0, 1, 0, 0]]), shuffling, measures=measures)


def same(one, other) -> None:
    assert np.array_equal(one.done, other.done)
    for name in other.largest:
        assert np.array_equal(one.largest[name], other.largest[name])
    for name in other.exceed:
        assert np.array_equal(one.exceed[name], other.exceed[name])


@settings(max_examples=4, deadline=None)
@given(cuts=st.sets(st.integers(2, 60), max_size=4), shuffled=st.randoms(use_true_random=False))
def test_disjoint_parts_in_any_order_merge_to_what_one_run_gives(cuts, shuffled):
    test = PermutationTest(several_blocks(n_permutations=60))
    bounds = [1, *sorted(cuts), 61]
    parts = [test.count(a, b) for a, b in pairwise(bounds)]
    shuffled.shuffle(parts)
    together = test.nothing()
    for part in parts:
        together = merge(together, part)
    same(together, test.count(1, 61))


def test_one_thread_gives_the_numbers_of_several(monkeypatch):
    test = PermutationTest(several_blocks())
    several = test.count(1, 40)
    for module in (threads, inference):
        monkeypatch.setattr(module, "workers", lambda: 1)
    same(PermutationTest(several_blocks()).count(1, 40), several)


def test_a_stopped_run_goes_on_to_the_same_end_and_shows_p_on_the_way():
    test = PermutationTest(several_blocks(n_permutations=80))
    whole = test.count(1, 81)
    first = next(test.steps())
    assert first.done.size == test.at_once < 80
    early = test.result(first)
    assert early.n_done == test.at_once
    stopped = merge(first, test.count(70, 73))  # somebody else did some
    *_, last = PermutationTest(several_blocks(n_permutations=80)).steps(stopped)
    same(last, whole)
    full = test.result(last)
    valid = ~np.isnan(full.statistic)
    assert (early.p.high - early.p.low)[valid].mean() > 1.5 * (full.p.high - full.p.low)[valid].mean()
    for p in (early.p, full.p, early.p_fwe, full.p_fwe, full.measures["square"].p, full.measures["square"].p_fwe):
        assert (p.p[valid] > 0).all()
        assert (p.low[valid] <= p.p[valid]).all()
        assert np.isnan(p.p[~valid]).all()
    assert valid.sum() == valid.size - 2
    assert list(test.steps(last)) == []


def test_nothing_is_lost_on_cancel():
    test = PermutationTest(several_blocks(n_permutations=80))
    kept = [test.nothing()]
    told: list[float] = []

    def report(fraction: float) -> None:
        told.append(fraction)
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept.extend(test.steps(report=report))
    assert told == sorted(told)
    for counts in test.steps(report=told.append):
        kept.append(counts)
        if counts.done.size >= 32:
            break
    *_, last = test.steps(kept[-1])
    same(last, test.count(1, 81))


def test_getting_ready_can_be_cancelled():
    def report(fraction: float) -> None:
        raise KeyboardInterrupt

    for more in ({}, {"variance_groups": np.arange(20) // 10}):
        data, design = model(20, 50)
        with pytest.raises(KeyboardInterrupt):
            PermutationTest(Question(data, design, np.array([[0, 1, 0, 0]]), Shuffling(20), **more), report)


def test_measures_are_corrected_by_their_own_largest_value():
    question = several_blocks(np.float64)
    found = permutation_test(question)
    square = found.measures["square"]
    np.testing.assert_allclose(square.observed, found.statistic**2, rtol=1e-5)
    np.testing.assert_allclose(square.p.p, found.p.p, atol=3 / 301)  # the square orders as the statistic does
    np.testing.assert_allclose(square.p_fwe.p, found.p_fwe.p, atol=3 / 301)
    beyond = found.measures["beyond 3"]
    assert beyond.p is None
    assert beyond.observed == np.sum(np.abs(found.statistic) > 3)
    assert beyond.p_fwe.p == (1 + (beyond.largest >= beyond.observed).sum()) / 301


def test_small_volume_corrects_over_the_searched_voxels_alone():
    data, design = model(20, 50)
    searched = np.arange(50) < 5
    weights = np.array([[0, 1, 0, 0]])
    shuffling = Shuffling(20, n_permutations=200)
    inside = permutation_test(Question(data, design, weights, shuffling, searched=searched))
    alone = permutation_test(Question(data[:, :5], design, weights, shuffling))
    everywhere = permutation_test(Question(data, design, weights, shuffling))
    np.testing.assert_array_equal(inside.p_fwe.p[:5], alone.p_fwe.p)
    assert np.isnan(inside.p_fwe.p[5:]).all()
    np.testing.assert_array_equal(inside.p.p, everywhere.p.p)
    assert (inside.p_fwe.p[:5] <= everywhere.p_fwe.p[:5]).all()
    assert (inside.p_fwe.p[:5] < everywhere.p_fwe.p[:5]).any()


def test_across_tests_the_largest_of_all_counts():
    data, design = model(20, 30)
    shuffling = Shuffling(20, n_permutations=150)
    contrasts = [np.array([[0.0, 1, 0, 0]]), np.array([[0.0, 0, 1, 0]])]
    tests = [PermutationTest(Question(data, design, weights, shuffling)) for weights in contrasts]
    counted = [(test, test.count(1, 151)) for test in tests]
    corrected_over_both = across_tests(counted)
    moved = np.array(
        [
            [np.abs(by_definition(Question(data, design, w, shuffling), k)).max() for k in range(1, 151)]
            for w in contrasts
        ]
    )
    for test, p in zip(tests, corrected_over_both, strict=True):
        expected = (1 + (moved.max(axis=0)[:, None] >= np.abs(test.statistic)).sum(axis=0)) / 151
        np.testing.assert_allclose(p.p, expected)
    f_test = PermutationTest(Question(data, design, TWO_ROWS, shuffling))
    unlike = across_tests([*counted, (f_test, f_test.count(1, 151))])
    assert (unlike[0].p >= corrected_over_both[0].p - 0.02).all()
    same_twice = across_tests([counted[0], counted[0]])
    np.testing.assert_array_equal(same_twice[0].p, tests[0].result(counted[0][1]).p_fwe.p)
    with pytest.raises(CannotCompute, match="same arrangements"):
        across_tests([counted[0], (tests[1], tests[1].count(1, 100))])


def test_comparison_by_parametric_p_orders_as_the_statistics_do():
    data, design = model(20, 30)
    shuffling = Shuffling(20, n_permutations=150)
    as_f = PermutationTest(Question(data, design, TWO_ROWS, shuffling))
    counts = as_f.count(1, 151)
    by_p = corrected(-as_f.scale.log_p(as_f.observed()), -as_f.scale.log_p(counts.largest[STATISTIC]), 1e-10)
    np.testing.assert_array_equal(by_p.p, as_f.result(counts).p_fwe.p)


def test_monte_carlo_interval_is_clopper_and_pearsons():
    """Worked example: 10 of 100, 95 %: .0490 to .1762."""
    found = estimate(np.array([10, 0, 100, np.nan]), 100)
    exact = stats.binomtest(10, 100).proportion_ci(method="exact")
    assert (found.low[0], found.high[0]) == (pytest.approx(exact.low), pytest.approx(exact.high))
    assert found.low[0] == pytest.approx(0.0490, abs=5e-5)
    assert found.high[0] == pytest.approx(0.1762, abs=5e-5)
    assert found.p[:3].tolist() == [11 / 101, 1 / 101, 1.0]
    assert (found.low[1], found.high[2]) == (0, 1)
    assert np.isnan([found.p[3], found.low[3], found.high[3]]).all()
    nothing = estimate(np.array([0]), 0)
    assert (nothing.p[0], nothing.low[0], nothing.high[0]) == (1, 0, 1)


def test_enumerated_interval_shrinks_to_the_p_value_only_at_the_end():
    data, _ = model(6, 4)
    question = Question(data, np.ones((6, 1)), np.ones((1, 1)), Shuffling(6, "flip"))
    test = PermutationTest(question)
    early, late = test.result(test.count(1, 20)), test.result(test.count(1, 64))
    assert (early.p.low < early.p.high).all()
    np.testing.assert_array_equal(late.p.low, late.p.high)
    np.testing.assert_allclose(late.p.p * 64, np.round(late.p.p * 64))


@pytest.mark.parametrize("general", [False, True])
def test_constant_and_nan_voxels_have_no_answer_and_disturb_nobody(general):
    data, design = model(16, 70, dtype=np.float32)
    spoilt = data.copy()
    spoilt[:, 3], spoilt[4, 10], spoilt[:, 20] = 7, np.nan, (design @ [1, 0, 2, 3]).astype(np.float32)
    spoilt[1, 69] = np.inf
    bad = [3, 10, 20, 69]
    more = {"variance_groups": np.arange(16) // 8} if general else {}
    good = np.delete(np.arange(70), bad)
    shuffling = Shuffling(16, n_permutations=60)
    found, clean = (
        permutation_test(Question(values, design, np.array([[0, 1, 0, 0]]), shuffling, **more))
        for values in (spoilt, data[:, good])
    )
    for one, other in ((found.statistic, clean.statistic), (found.p.p, clean.p.p), (found.p_fwe.p, clean.p_fwe.p)):
        np.testing.assert_allclose(one[good], other, rtol=1e-12)
        assert np.isnan(one[bad]).all()


def test_data_without_one_valid_voxel_give_nan():
    found = permutation_test(
        Question(np.ones((8, 3)), np.ones((8, 1)), np.ones((1, 1)), Shuffling(8, "flip", n_permutations=20))
    )
    assert np.isnan(found.p_fwe.p).all()
    empty = permutation_test(
        Question(np.ones((8, 0)), np.ones((8, 1)), np.ones((1, 1)), Shuffling(8, "flip", n_permutations=20))
    )
    assert empty.p.p.shape == (0,)


def test_barely_more_rows_than_columns():
    data, design = model(5, 4)
    found = permutation_test(Question(data, design, np.array([[0, 1, 0, 0]]), Shuffling(5)))
    assert (found.scale.df, found.n_total) == (1, 119)
    assert ((found.p.p >= 1 / 120) & (found.p.p <= 1)).all()
    data, design = model(4, 4)
    with pytest.raises(CannotCompute, match="no degree of freedom"):
        PermutationTest(Question(data, design, np.array([[0, 1, 0, 0]]), Shuffling(4)))


def test_welch_on_two_groups_is_scipys():
    data, _ = model(15, 8)
    group = np.arange(15) < 6
    design = np.column_stack([group, ~group]).astype(float)
    question = Question(data, design, np.array([[1, -1]]), Shuffling(15), variance_groups=np.where(group, "a", "b"))
    expected = stats.ttest_ind(data[group], data[~group], equal_var=False).statistic
    np.testing.assert_allclose(PermutationTest(question).statistic, expected, rtol=1e-10)


def test_a_mean_cannot_be_tested_by_permutation_but_by_flips():
    data, design = model(10, 2)
    question = Question(data, design, np.array([[1.0, 0, 0, 0]]), Shuffling(10))
    with pytest.raises(CannotCompute, match="permutations change no mean"):
        PermutationTest(question)
    assert permutation_test(Question(data, design, question.weights, Shuffling(10, "flip"))).n_total == 1000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": np.ones((1, 3))}, "3 weights, the design 4 columns"),
        ({"weights": np.zeros((1, 4))}, "contrast is 0"),
        ({"design": np.outer(np.arange(10), np.ones(4))}, "collinear"),
        ({"design": np.full((10, 4), np.nan)}, "not finite"),
        ({"searched": np.ones(3, bool)}, "searched voxels have shape"),
        ({"variance_groups": np.arange(9)}, "variance groups have shape"),
        ({"variance_groups": np.array([0] * 9 + [1])}, "one row only"),
        ({"voxelwise": np.ones((1, 10, 3))}, "voxelwise covariates have shape"),
        ({"shuffling": Shuffling(9)}, "do not fit"),
    ],
)
def test_what_has_no_answer_is_refused(change, message):
    data, design = model(10, 2)
    given_question = {"data": data, "design": design, "weights": np.array([[0.0, 1, 0, 0]]), "shuffling": Shuffling(10)}
    with pytest.raises(CannotCompute, match=message):
        PermutationTest(Question(**(given_question | change)))


def test_counts_that_overlap_or_do_not_exist_are_refused():
    test = PermutationTest(several_blocks(n_permutations=40))
    with pytest.raises(CannotCompute, match="both counts"):
        merge(test.count(1, 3), test.count(2, 4))
    with pytest.raises(CannotCompute, match="there are no arrangements"):
        test.count(30, 99)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_voxel_that_the_group_explains_wholly_leaves_enhanced_maps_finite(dtype):
    group = np.repeat([0.0, 1.0], 5)
    data = np.random.default_rng(3).standard_normal((10, 4)).astype(dtype)
    data[:, 2] = group
    design = np.column_stack([np.ones(10), group])
    doubled = Measure("doubled", lambda values: 2 * values)
    found = permutation_test(
        Question(data, design, np.array([[0, 1.0]]), Shuffling(10, n_permutations=500), measures=(doubled,))
    )
    enhanced = found.measures["doubled"]
    assert np.isfinite(enhanced.observed).all()
    assert np.isfinite(enhanced.largest).all()
    assert enhanced.p_fwe.p[2] == pytest.approx(2 / 252)  # the observed split and its opposite, of all


def test_groups_of_variance_that_cross_the_design_make_more_arrangements_distinct():
    group, site = np.tile([0.0, 1.0], 4), np.repeat(["a", "b"], 4)
    design = np.column_stack([np.ones(8), group])
    data = np.random.default_rng(0).standard_normal((8, 3))
    for rows in (None, design):
        shuffling = Shuffling(8, n_permutations=5000, rows=rows)
        test = PermutationTest(Question(data, design, np.array([[0, 1.0]]), shuffling, variance_groups=site))
        assert test.shuffling.n_distinct == 2520  # 8! / 2!^4


def test_tests_of_other_designs_are_not_compared_arrangement_by_arrangement():
    data, one, other = np.random.default_rng(0).standard_normal((6, 3)), np.arange(6) < 3, np.arange(6) % 2 == 0
    tests = [
        PermutationTest(Question(data, np.column_stack([np.ones(6), x]), np.array([[0, 1.0]]), Shuffling(6)))
        for x in (one, other)
    ]
    with pytest.raises(CannotCompute, match="the same arrangements"):
        across_tests([(test, test.count(1, test.shuffling.count + 1)) for test in tests])
