"""Out-of-sample prediction of a score by nested cross-validation, with the permutation test of the whole procedure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .arrays import Float32, Float64, Int64, Report
from .correlate import mean_r
from .learners import PENALTIES
from .predict_data import PredictionData, Prepared, prepare
from .predict_folds import Nested, Split, part_of

Order = Callable[[int], Int64]

N_BOOTSTRAP = 2000
CONFIDENCE = 0.95


class Predicted(NamedTuple):
    """A cross-validated prediction.

    Attributes
    ----------
    observed, predicted : (repeats, n) float64
        Without covariates in units of the score; with covariates both less what these predict from the training rows.
    r : float
        Correlation of both, over repeats averaged as Fisher z; 0 where the prediction is constant.
    r_low, r_high : float
        95 % percentile bootstrap of r over rows (or groups). It does not know that another sample would have trained
        other models: the test is that of `prediction_null`.
    r2 : float
        1 - squared error / squared error of the training rows' mean (or covariates); below 0 when that is better.
    mae : float
        Mean absolute error in units of the score.
    used : (V,) float32
        Share of the outer fits that were offered each feature, after selection.
    n_features : int
        Features without gaps.
    """

    observed: Float64
    predicted: Float64
    r: float
    r_low: float
    r_high: float
    r2: float
    mae: float
    used: Float32
    n_features: int


class PredictionNull(NamedTuple):
    """Results of permuted scores: r (K,) and mae (K,). Those of other permutations may be appended."""

    r: Float64
    mae: Float64


class PredictionP(NamedTuple):
    """P that permuted scores are predicted as well, by correlation and by error: (1 + exceedances) / (1 + K)."""

    r: float
    mae: float


def cross_validated(data: PredictionData, plan: Nested, report: Report | None = None) -> Predicted:
    """Predict every row by a model that has not seen it.

    In each fold scaling, covariates, selection of features, and penalty come from the training rows alone; number of
    features and penalty from a second cross-validation within them, by least squared error.

    Parameters
    ----------
    data : PredictionData
    plan : Nested
    report : callable or None

    Returns
    -------
    Predicted

    Raises
    ------
    CannotCompute
        When sizes differ, score or covariates are not finite or say nothing, there are too few rows or groups for the
        folds, or too many features for the elastic net.

    References
    ----------
    Varma and Simon 2006, BMC Bioinformatics 7:91. Covariates within folds: Snoek et al. 2019, NeuroImage 184:741-760.
    """
    prepared = prepare(data, plan, part_of(report, 0, 0.5))
    outcome = _run(prepared, prepared.score, part_of(report, 0.5, 1))
    observed, predicted = outcome.observed, outcome.predicted
    r_low, r_high = _bootstrapped(observed, predicted, prepared.units, plan.seed)
    used = np.zeros(data.features.shape[1], np.float32)
    used[prepared.columns] = np.mean(
        [_offered(split, prepared.score, k) for split, k in outcome.chosen], axis=0, dtype=np.float32
    )
    n_features = prepared.columns.size
    return Predicted(observed, predicted, outcome.r, r_low, r_high, outcome.r2, outcome.mae, used, n_features)


def prediction_null(
    data: PredictionData,
    plan: Nested,
    permutations: range,
    order: Order | None = None,
    report: Report | None = None,
) -> PredictionNull:
    """The whole nested procedure on permuted scores.

    With covariates, what the score has beyond them is permuted (Freedman and Lane 1983).

    Parameters
    ----------
    data, plan
        As for `cross_validated`; the folds are the same.
    permutations : range
        Numbers of permutations, from 1. Each depends on the seed and its number alone, so that the work can be
        stopped, continued and spread.
    order : callable or None
        Rows (n,) in the order of permutation k, for scores that are not all exchangeable; None: any order.
    report : callable or None

    Returns
    -------
    PredictionNull
    """
    prepared = prepare(data, plan, part_of(report, 0, 0.2))
    fitted = prepared.design @ (np.linalg.pinv(prepared.design) @ prepared.score)
    rest = prepared.score - fitted
    results = np.empty((2, len(permutations)))
    for done, k in enumerate(permutations):
        begin, end = (0.2 + 0.8 * part / len(permutations) for part in (done, done + 1))
        arranged = order(k) if order else np.random.default_rng((plan.seed, k)).permutation(len(rest))
        outcome = _run(prepared, fitted + rest[arranged], part_of(report, begin, end))
        results[:, done] = outcome.r, outcome.mae
    return PredictionNull(*results)


def prediction_p(predicted: Predicted, null: PredictionNull) -> PredictionP:
    """P of a prediction among those of permuted scores; never 0."""
    n = 1 + null.r.size
    as_near = 1e-9  # an arrangement that is the data's own counts, whatever the order of sums
    return PredictionP(
        (1 + int(np.count_nonzero(null.r >= predicted.r - as_near))) / n,
        (1 + int(np.count_nonzero(null.mae <= predicted.mae * (1 + as_near)))) / n,
    )


class _Outcome(NamedTuple):
    observed: Float64
    predicted: Float64
    r: float
    r2: float
    mae: float
    chosen: list[tuple[Split, int]]  # of each outer fold the number of features


def _run(prepared: Prepared, score: Float64, report: Report | None) -> _Outcome:
    observed, predicted, baseline = np.empty((3, len(prepared.repeats), len(score)))
    chosen: list[tuple[Split, int]] = []
    total = sum(map(len, prepared.repeats))
    for repeat, outer in enumerate(prepared.repeats):
        for split, inner in outer:
            size, penalty = _best(prepared, score, inner)
            adjusted = split.adjusted(score)
            observed[repeat, split.test] = adjusted[split.test]
            baseline[repeat, split.test] = (score - adjusted)[split.test]
            predicted[repeat, split.test] = split.predictions(prepared.plan.learner, adjusted, (size,))[0, penalty]
            chosen.append((split, size))
            if report is not None:
                report(len(chosen) / total)
    error = observed - predicted
    r2 = 1 - float((error**2).sum() / (observed**2).sum())
    mae = float(np.abs(error).mean())
    if prepared.design.shape[1] == 1:
        observed, predicted = observed + baseline, predicted + baseline
    weights = np.ones((1, len(score)))
    r = float(mean_r([_correlations(one, two, weights)[0] for one, two in zip(observed, predicted, strict=True)]))
    return _Outcome(observed, predicted, r, r2, mae, chosen)


def _best(prepared: Prepared, score: Float64, inner: tuple[Split, ...]) -> tuple[int, int]:
    """Number of features and place of the penalty with the least squared error over the inner folds."""
    learner = prepared.plan.learner
    error = np.zeros((len(prepared.sizes), len(PENALTIES[learner])))
    for split in inner:
        adjusted = split.adjusted(score)
        error += ((split.predictions(learner, adjusted, prepared.sizes) - adjusted[split.test]) ** 2).sum(axis=2)
    size, penalty = np.unravel_index(int(error.argmin()), error.shape)
    return prepared.sizes[int(size)], int(penalty)


def _offered(split: Split, score: Float64, k: int) -> Float32:
    offered = split.scale > 0
    if k < offered.size:
        selected = np.zeros(offered.size, bool)
        selected[split.selected(split.adjusted(score), k)] = True
        offered &= selected
    return offered.astype(np.float32)


def _correlations(one: Float64, two: Float64, weights: Float64) -> Float64:
    """Weighted correlations (B,) of two series (n,) under several weights (B, n); 0 where one is constant."""
    total = weights.sum(axis=1)
    x, y = one - one.mean(), two - two.mean()
    mean_x, mean_y = weights @ x / total, weights @ y / total
    covariance = weights @ (x * y) / total - mean_x * mean_y
    variance = (weights @ x**2 / total - mean_x**2) * (weights @ y**2 / total - mean_y**2)
    least = 1e-24 * (one @ one) * (two @ two) / one.size**2
    varies = variance > least
    return np.divide(covariance, np.sqrt(np.where(varies, variance, 1)), out=np.zeros_like(total), where=varies)


def _bootstrapped(observed: Float64, predicted: Float64, units: Int64, seed: int) -> tuple[float, float]:
    n_units = int(units.max()) + 1
    generator = np.random.default_rng((seed, 0, 0))
    drawn = generator.multinomial(n_units, np.full(n_units, 1 / n_units), N_BOOTSTRAP)[:, units].astype(np.float64)
    r = mean_r([_correlations(one, two, drawn) for one, two in zip(observed, predicted, strict=True)])
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(r, [tail, 1 - tail])
    return float(low), float(high)
