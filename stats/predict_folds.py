"""The splits of a nested cross-validation, and all about them that does not depend on the score."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arrays import Float32, Float64, Int64, Report
from .errors import CannotCompute
from .learners import Learner, predictions, principal, principal_of_products

AT_ONCE = 4096  # features
CONSTANT = 1e-10  # variance that is rounding, of features that have 1 over all rows


@dataclass(frozen=True)
class Nested:
    """A nested cross-validation.

    Attributes
    ----------
    learner : "ridge", "elastic-net" or "svr"
    n_selected : tuple of int
        Numbers of features to try, those that correlate most with the score in the training rows; empty for all.
    folds : int or None
        Of the outer loop; None, or no fewer than there are groups (or rows): leave one out.
    inner_folds : int
        Of the loop within the training rows that chooses the penalty and the number of features.
    repeats : int
        Of the whole with other folds; one where one is left out.
    seed : int
    """

    learner: Learner = "ridge"
    n_selected: tuple[int, ...] = ()
    folds: int | None = 5
    inner_folds: int = 5
    repeats: int = 10
    seed: int = 0


class OuterFold(NamedTuple):
    """A split, and the splits of its training rows."""

    split: Split
    inner: tuple[Split, ...]


@dataclass(frozen=True, eq=False)
class Split:
    """Training and test rows.

    Attributes
    ----------
    train, test : (m,), (t,)
    design : (n, 1 + c)
        Ones and covariates.
    features : (n, V) float32
    """

    train: Int64
    test: Int64
    design: Float64
    features: Float32

    @cached_property
    def weights(self) -> Float64:
        """Rows of the design in the training rows, inverted: (1 + c, m)."""
        return np.linalg.pinv(self.design[self.train]).astype(np.float64)

    @cached_property
    def scale(self) -> Float32:
        """1 / standard deviation of each feature (V,) in the training rows, less covariates; 0 for a constant."""
        return np.concatenate([scale for _, scale in self._adjusted_features()])

    @cached_property
    def principal(self) -> tuple[Float64, Float64, int]:
        """Training and test rows of all features in their principal axes, and the number of features that vary.

        Kept, for it serves every order of the score; the scale is not: splits are many, and V is large.
        """
        products = np.zeros((len(self.design), len(self.design)))
        n_features = 0
        for values, scale in self._adjusted_features():
            unit = values * scale
            products += unit @ unit.T
            n_features += int(np.count_nonzero(scale))
        train, test = products[np.ix_(self.train, self.train)], products[np.ix_(self.test, self.train)]
        return *principal_of_products(train, test), n_features

    def _adjusted_features(self) -> Iterator[tuple[NDArray[Any], Float32]]:
        """Parts of the features that stay in the cache, less covariates, and their scale."""
        design, weights = self.design.astype(np.float32), self.weights.astype(np.float32)
        for start in range(0, self.features.shape[1], AT_ONCE):
            given = self.features[:, start : start + AT_ONCE]
            values = given - design @ (weights @ given[self.train])
            known = values[self.train]
            variance = np.einsum("ij,ij->j", known, known) / np.float32(len(known))
            scale = np.zeros(variance.shape, np.float32)
            np.divide(1, np.sqrt(variance), out=scale, where=variance > CONSTANT)
            yield values, scale

    def adjusted(self, values: NDArray[Any]) -> Float64:
        """All rows (n, ...) less mean and covariates, with weights from the training rows."""
        return values - self.design @ (self.weights @ values[self.train])

    def selected(self, score: Float64, k: int) -> Int64:
        """The k features that correlate most with an adjusted score in the training rows, the best first."""
        weights = np.zeros(len(self.design), np.float32)
        weights[self.train] = score[self.train]
        strength = np.abs(weights @ self.features) * self.scale
        best = np.argpartition(-strength, k - 1)[:k] if k < strength.size else np.arange(strength.size)
        return best[np.argsort(-strength[best], kind="stable")]

    def predictions(self, learner: Learner, score: Float64, sizes: tuple[int, ...]) -> Float64:
        """Of an adjusted score (n,), for each number of features and penalty: (sizes, penalties, t)."""
        known = score[self.train]
        if sizes == (self.features.shape[1],) and learner != "elastic-net":
            train, test, n_features = self.principal
            return predictions(learner, train, test, known, n_features)[None]
        best = self.selected(score, max(sizes))
        values = self.adjusted(self.features[:, best].astype(np.float64)) * self.scale[best]
        results: list[Float64] = []
        for k in sizes:
            train, test = values[self.train, :k], values[self.test, :k]
            if learner != "elastic-net":
                train, test = principal(train, test)
            results.append(predictions(learner, train, test, known, k))
        return np.stack(results)


def nested_folds(
    features: Float32, design: Float64, units: Int64, plan: Nested, report: Report | None
) -> tuple[tuple[OuterFold, ...], ...]:
    """Outer folds of each repeat, with their inner ones.

    Parameters
    ----------
    features : (n, V) float32
    design : (n, 1 + c)
    units : (n,)
        Number of the group of each row, from 0.
    plan : Nested
    report : callable or None

    Raises
    ------
    CannotCompute
        When a fold would have to learn from too few rows.
    """
    n_units = int(units.max()) + 1
    leaves_one_out = plan.folds is None or plan.folds >= n_units
    repeats = 1 if leaves_one_out else plan.repeats
    folds = n_units if plan.folds is None else min(plan.folds, n_units)
    result: list[tuple[OuterFold, ...]] = []
    for repeat in range(repeats):
        generator = np.random.default_rng((plan.seed, repeat))
        outer: list[OuterFold] = []
        for number, test in enumerate(_parts(units, np.arange(len(units)), folds, generator)):
            train = np.setdiff1d(np.arange(len(units)), test)
            inner = _parts(units, train, plan.inner_folds, generator)
            pairs = [(train, test), *((np.setdiff1d(train, part), part) for part in inner)]
            if len(inner) < 2 or min(len(rows) for rows, _ in pairs) < design.shape[1] + 2:
                raise CannotCompute(
                    f"a fold would learn from too few of the {len(units)} rows",
                    "take fewer covariates, more folds, or groups that are smaller",
                )
            begin, end = ((repeat + part / folds) / repeats for part in (number, number + 1))
            splits = [Split(*pair, design, features) for pair in pairs]
            outer.append(_ready(splits, plan, part_of(report, begin, end)))
        result.append(tuple(outer))
    return tuple(result)


def part_of(report: Report | None, begin: float, end: float) -> Report | None:
    """Progress from begin to end, of a part of the work."""
    return None if report is None else lambda fraction: report(begin + (end - begin) * fraction)


def _ready(splits: list[Split], plan: Nested, report: Report | None) -> OuterFold:
    """With what is kept worked out, so that it is not left for the first run."""
    for number, split in enumerate(splits):
        _ = split.scale if plan.n_selected or plan.learner == "elastic-net" else split.principal
        if report is not None:
            report((number + 1) / len(splits))
    return OuterFold(splits[0], tuple(splits[1:]))


def _parts(units: Int64, rows: Int64, folds: int, generator: np.random.Generator) -> list[Int64]:
    """Rows in parts of about as many units each."""
    present = generator.permutation(np.unique(units[rows]))
    parts = np.array_split(present, min(folds, present.size))
    return [rows[np.isin(units[rows], part)] for part in parts]
