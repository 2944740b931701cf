"""Nested cross-validation against scikit-learn's own, its invariances, and what it must not find."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from habena.stats.errors import CannotCompute
from habena.stats.learners import PENALTIES
from habena.stats.predict import (
    PredictionNull,
    _correlations,
    cross_validated,
    prediction_null,
    prediction_p,
)
from habena.stats.predict_data import PredictionData, prepare
from habena.stats.predict_folds import Nested
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest
from sklearn.compose import TransformedTargetRegressor
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.linear_model import ElasticNet, Ridge
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVR

QUICK = Nested(repeats=1, folds=5, inner_folds=4)


def noise(n: int = 30, n_features: int = 40, seed: int = 0, strength: float = 0.0) -> PredictionData:
    """Features of different means and scales; the score follows the first three as strongly as told."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n, n_features))
    score = 20 + 8 * (rng.standard_normal(n) + strength * features[:, :3].sum(axis=1))
    scaled = features * rng.uniform(0.1, 10, n_features) + rng.uniform(-50, 50, n_features)
    return PredictionData(scaled.astype(np.float32), score)


def peer(data: PredictionData, plan: Nested, search: object, grid: object) -> np.ndarray:
    """The same folds through scikit-learn's grid search."""
    result = np.full(len(data.score), np.nan)
    for split, inner in prepare(data, plan, None).repeats[0]:
        within = [(np.searchsorted(split.train, part.train), np.searchsorted(split.train, part.test)) for part in inner]
        searched = GridSearchCV(search, grid, cv=within, scoring="neg_mean_squared_error")
        searched.fit(data.features[split.train].astype(float), data.score[split.train])
        result[split.test] = searched.predict(data.features[split.test].astype(float))
    return result


def test_ridge_with_selection_equals_the_pipeline_of_scikit_learn() -> None:
    data = noise(strength=0.5)
    plan = replace(QUICK, n_selected=(3, 10, 25))
    grid = [
        {"selectkbest__k": [k], "ridge__alpha": [k * share for share in PENALTIES["ridge"]]} for k in plan.n_selected
    ]
    expected = peer(data, plan, make_pipeline(StandardScaler(), SelectKBest(f_regression), Ridge()), grid)
    found = cross_validated(data, plan)
    assert_allclose(found.predicted[0], expected, rtol=1e-4)
    assert_allclose(found.observed[0], data.score)
    assert_allclose(found.r, np.corrcoef(data.score, expected)[0, 1], rtol=1e-4)
    assert_allclose(found.mae, mean_absolute_error(data.score, expected), rtol=1e-4)


def test_ridge_on_all_features_equals_scikit_learn() -> None:
    data = noise(strength=0.5, n_features=70)
    grid = {"ridge__alpha": [70 * share for share in PENALTIES["ridge"]]}
    expected = peer(data, QUICK, make_pipeline(StandardScaler(), Ridge()), grid)
    assert_allclose(cross_validated(data, QUICK).predicted[0], expected, rtol=1e-4)


def test_support_vectors_equal_scikit_learn() -> None:
    data = noise(strength=0.8)
    plan = replace(QUICK, learner="svr")
    pipeline = make_pipeline(
        StandardScaler(), FunctionTransformer(lambda x: x / np.sqrt(40)), SVR(kernel="linear", epsilon=0.1)
    )
    search = TransformedTargetRegressor(pipeline, transformer=StandardScaler())
    expected = peer(data, plan, search, {"regressor__svr__C": list(PENALTIES["svr"])})
    assert_allclose(cross_validated(data, plan).predicted[0], expected, rtol=5e-3)


def test_the_elastic_net_equals_scikit_learn_at_the_penalty_it_chose() -> None:
    data = noise(strength=0.8)
    plan = replace(QUICK, learner="elastic-net")
    found = cross_validated(data, plan).predicted[0]
    for split, _ in prepare(data, plan, None).repeats[0]:
        features = StandardScaler().fit(data.features[split.train].astype(float))
        train, score = features.transform(data.features[split.train]), data.score[split.train]
        strongest = np.abs((score - score.mean()) @ train).max() / len(train) / 0.5
        tried = [
            ElasticNet(alpha=strongest * share, tol=1e-6, max_iter=10_000)
            .fit(train, score)
            .predict(features.transform(data.features[split.test]))
            for share in PENALTIES["elastic-net"]
        ]
        assert min(np.abs(each - found[split.test]).max() for each in tried) < 0.02  # of a deviation of 14


def test_r2_is_that_of_the_training_means() -> None:
    data = noise(strength=0.7)
    found = cross_validated(data, replace(QUICK, folds=None))
    means = (data.score.sum() - data.score) / (len(data.score) - 1)
    error = ((data.score - found.predicted[0]) ** 2).sum()
    assert_allclose(found.r2, 1 - error / ((data.score - means) ** 2).sum())
    assert found.r2 > r2_score(data.score, found.predicted[0])  # whose mean has seen the row


@pytest.mark.parametrize(("learner", "n_permutations"), [("ridge", 19), ("elastic-net", 9), ("svr", 4)])
def test_a_planted_effect_is_found(learner: str, n_permutations: int) -> None:
    data = noise(n=60, strength=0.8, seed=3)
    plan = replace(QUICK, learner=learner, n_selected=(3, 10))
    found = cross_validated(data, plan)
    assert found.r > 0.5
    assert found.r_low > 0
    assert found.r2 > 0.2
    assert found.used[:3].min() > 0.5
    assert found.used[3:].mean() < 0.3
    p = prediction_p(found, prediction_null(data, plan, range(1, n_permutations + 1)))
    assert p.r == p.mae == 1 / (n_permutations + 1)


def test_selection_inside_the_folds_finds_nothing_in_noise_where_outside_it_does() -> None:
    inside, outside = [], []
    for seed in range(6):
        data = noise(n=40, n_features=3000, seed=seed)
        inside.append(cross_validated(data, replace(QUICK, n_selected=(10,))).r)
        strength = np.abs(np.corrcoef(data.features.T.astype(float), data.score)[-1, :-1])
        leaked = data.features[:, np.argsort(-strength)[:10]]
        outside.append(cross_validated(replace(data, features=leaked), QUICK).r)
    assert np.mean(outside) > 0.5
    assert np.mean(inside) < 0.15


def test_under_the_null_p_is_uniform_and_r_not_above_zero() -> None:
    plan = Nested(repeats=1, folds=4, inner_folds=3, n_selected=(4,))
    p, r = [], []
    for seed in range(40):
        data = noise(n=20, n_features=30, seed=100 + seed)
        found = cross_validated(data, plan)
        r.append(found.r)
        p.append(prediction_p(found, prediction_null(data, plan, range(1, 20))).r)
    assert np.mean(r) < 0.1
    steps = np.array(p) - np.random.default_rng(0).uniform(0, 1 / 20, len(p))  # p has steps of 1/20
    assert kstest(steps, "uniform").pvalue > 0.005


def test_covariates_leave_no_trace() -> None:
    rng = np.random.default_rng(4)
    data = noise(strength=0.6)
    age = np.column_stack([rng.uniform(20, 60, 30), rng.integers(0, 2, 30)])
    alone = cross_validated(replace(data, covariates=age), QUICK)
    mixed = PredictionData(
        (data.features + age @ rng.standard_normal((2, 40))).astype(np.float32), data.score + age @ [3, -7], age
    )
    both = cross_validated(mixed, QUICK)
    assert_allclose(both.predicted, alone.predicted, atol=0.01)  # features are float32
    assert_allclose(both.observed, alone.observed, atol=1e-9)
    assert_allclose((both.r, both.r2), (alone.r, alone.r2), atol=1e-3)


def test_what_only_a_covariate_explains_is_not_predicted_beyond_it() -> None:
    rng = np.random.default_rng(5)
    age = rng.standard_normal(60)
    features = (age[:, None] + 0.5 * rng.standard_normal((60, 20))).astype(np.float32)
    data = PredictionData(features, age + 0.3 * rng.standard_normal(60))
    assert cross_validated(data, QUICK).r > 0.8
    assert cross_validated(replace(data, covariates=age[:, None]), QUICK).r < 0.25


def test_permutations_can_be_stopped_continued_and_spread() -> None:
    data = noise()
    at_once = prediction_null(data, QUICK, range(1, 7))
    parts = [prediction_null(data, QUICK, part) for part in (range(1, 3), range(3, 7))]
    assert_array_equal(np.concatenate([part.r for part in parts]), at_once.r)
    assert_array_equal(np.concatenate([part.mae for part in parts]), at_once.mae)
    assert len(np.unique(at_once.r)) == 6


def test_the_identity_gives_the_data_and_p_is_never_zero() -> None:
    data = noise(strength=1)
    found = cross_validated(data, QUICK)
    same = prediction_null(data, QUICK, range(1, 2), order=lambda _: np.arange(30))
    assert_allclose((same.r[0], same.mae[0]), (found.r, found.mae), rtol=1e-9)
    assert prediction_p(found, same) == (1, 1)
    assert prediction_p(found, PredictionNull(np.full(99, -1.0), np.full(99, np.inf))) == (0.01, 0.01)


def test_groups_are_never_on_both_sides() -> None:
    sites = np.array(["a", "b", "c", "d", "e"])[np.random.default_rng(0).integers(0, 5, 30)]
    data = replace(noise(), groups=sites)
    (folds,) = prepare(data, replace(QUICK, folds=None), None).repeats
    assert len(folds) == 5
    for split, inner in folds:
        for part in (split, *inner):
            assert not set(sites[part.train]) & set(sites[part.test])
        assert len(set(sites[split.test])) == 1
        assert_array_equal(np.sort(np.concatenate([part.test for part in inner])), split.train)
    rows = np.sort(np.concatenate([split.test for split, _ in folds]))
    assert_array_equal(rows, np.arange(30))
    assert len(cross_validated(data, Nested()).predicted) == 1  # five sites, five folds: nothing to repeat


def test_every_repeat_has_other_folds_and_tests_every_row_once() -> None:
    repeats = prepare(noise(), replace(QUICK, repeats=3), None).repeats
    tests = [[tuple(split.test) for split, _ in folds] for folds in repeats]
    assert len({frozenset(each) for each in tests}) == 3
    for each in tests:
        assert sorted(sum(each, ())) == list(range(30))


def test_features_with_gaps_or_without_variance_change_nothing() -> None:
    data = noise(strength=0.5)
    gap = np.where(np.arange(30) == 7, np.nan, 1.0)[:, None]
    flat = np.full((30, 1), 3.0)
    features = np.hstack([data.features, gap, flat]).astype(np.float32)
    for plan in (QUICK, replace(QUICK, n_selected=(10,)), replace(QUICK, learner="svr")):
        found = cross_validated(replace(data, features=features), plan)
        assert_allclose(found.predicted, cross_validated(data, plan).predicted, rtol=1e-3)
        assert found.n_features == 41
        assert_array_equal(found.used[-2:], 0)


def test_a_feature_that_varies_in_the_test_rows_only_is_not_used() -> None:
    data = noise(strength=0.5)
    split, _ = prepare(data, QUICK, None).repeats[0][0]
    single = np.zeros((30, 1), np.float32)
    single[split.test[0]] = 5
    with_it = prepare(replace(data, features=np.hstack([data.features, single])), QUICK, None).repeats[0][0][0]
    assert with_it.scale[-1] == 0
    assert with_it.principal[2] == 40


def test_weighted_correlations_are_those_of_drawn_rows() -> None:
    rng = np.random.default_rng(0)
    one, two = rng.standard_normal((2, 25)) + np.array([[1000], [0]])
    drawn = rng.integers(0, 25, (6, 25))
    weights = np.stack([np.bincount(rows, minlength=25) for rows in drawn]).astype(float)
    expected = [np.corrcoef(one[rows], two[rows])[0, 1] for rows in drawn]
    assert_allclose(_correlations(one, two, weights), expected, rtol=1e-9)
    assert_array_equal(_correlations(np.full(25, 0.1), two, weights), 0)


def test_progress_grows_to_one_and_can_cancel() -> None:
    told: list[float] = []
    prediction_null(noise(), QUICK, range(1, 4), report=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)

    def stop(fraction: float) -> None:
        if fraction > 0.3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        cross_validated(noise(), QUICK, stop)


@pytest.mark.parametrize(
    ("change", "plan", "why"),
    [
        ({"score": np.ones(30)}, QUICK, "does not vary"),
        ({"score": np.r_[np.nan, np.arange(29)]}, QUICK, "gaps"),
        ({"score": np.arange(29)}, QUICK, "numbers of rows"),
        ({"covariates": np.ones((30, 1))}, QUICK, "constant"),
        ({"covariates": np.arange(60).reshape(30, 2)}, QUICK, "sum of the others"),
        ({"covariates": np.eye(30)[:, :20]}, QUICK, "too few"),
        ({"groups": np.arange(30) // 15}, QUICK, "too few"),
        ({"features": np.full((30, 2), np.nan, np.float32)}, QUICK, "no feature"),
        ({"features": np.zeros((30, 6000), np.float32)}, replace(QUICK, learner="elastic-net"), "too long"),
        ({}, replace(QUICK, n_selected=(0,)), "cannot be selected"),
    ],
)
def test_what_cannot_be_is_refused(change: dict, plan: Nested, why: str) -> None:
    with pytest.raises(CannotCompute, match=why):
        cross_validated(replace(noise(), **change), plan)


def test_few_rows_are_refused() -> None:
    with pytest.raises(CannotCompute, match="9 rows are too few"):
        cross_validated(noise(n=9), QUICK)
