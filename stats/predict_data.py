"""Data of a prediction, checked and split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Float32, Float64, Int64, Report
from .errors import CannotCompute
from .predict_folds import Nested, OuterFold, nested_folds

LEAST_ROWS = 10
MOST_FOR_ELASTIC_NET = 5000


@dataclass(frozen=True, eq=False)
class PredictionData:
    """What is predicted from what.

    Attributes
    ----------
    features : (n, V) float32
        One row per person; columns with a number that is not finite are not used.
    score : (n,)
    covariates : (n, c) or None
        Taken out of features and score with weights from the training rows alone.
    groups : (n,) or None
        Rows of one group (a site, or a person scanned twice) are never on both sides of a split.
    """

    features: Float32
    score: Float64
    covariates: Float64 | None = None
    groups: NDArray[Any] | None = None


@dataclass(frozen=True, eq=False)
class Prepared:
    """Everything but the order of the score: what permutations share.

    Attributes
    ----------
    plan : Nested
    score : (n,)
    design : (n, 1 + c)
        Ones and covariates.
    units : (n,)
        Number of the group of each row, from 0.
    columns : (W,)
        Features without gaps.
    sizes : tuple of int
        Numbers of features to try.
    repeats : tuple of tuples of OuterFold
    """

    plan: Nested
    score: Float64
    design: Float64
    units: Int64
    columns: Int64
    sizes: tuple[int, ...]
    repeats: tuple[tuple[OuterFold, ...], ...]


def prepare(data: PredictionData, plan: Nested, report: Report | None) -> Prepared:
    """Check the data and work out all splits.

    Raises
    ------
    CannotCompute
        As `predict.cross_validated` says.
    """
    score, design = _checked(data)
    units = np.arange(len(score)) if data.groups is None else np.unique(data.groups, return_inverse=True)[1]
    features = np.asarray(data.features, dtype=np.float32)
    columns = np.flatnonzero(np.isfinite(features).all(axis=0))
    if not columns.size:
        raise CannotCompute("no feature is there for every row", "leave out the rows with gaps")
    sizes = tuple(sorted({min(k, columns.size) for k in plan.n_selected})) or (columns.size,)
    if sizes[0] < 1:
        raise CannotCompute(f"{sizes[0]} features cannot be selected", "ask for at least one")
    if plan.learner == "elastic-net" and sizes[-1] > MOST_FOR_ELASTIC_NET:
        raise CannotCompute(
            f"the elastic net would take too long with {sizes[-1]} features",
            f"select at most {MOST_FOR_ELASTIC_NET} in the folds, or take ridge",
        )
    # Each split takes out its own means and scales, so that these leave no trace; they spare digits of float32.
    given = features[:, columns]
    given -= given.mean(axis=0)
    deviation = given.std(axis=0)
    given /= np.where(deviation > 0, deviation, 1)
    return Prepared(plan, score, design, units, columns, sizes, nested_folds(given, design, units, plan, report))


def _checked(data: PredictionData) -> tuple[Float64, Float64]:
    score = np.asarray(data.score, dtype=np.float64)
    n = len(score)
    given = np.empty((n, 0)) if data.covariates is None else np.asarray(data.covariates, dtype=np.float64)
    covariates = given.reshape(len(given), -1)
    groups = score if data.groups is None else data.groups
    if {len(data.features), len(covariates), len(groups)} != {n}:
        raise CannotCompute(
            "features, score, covariates and groups have different numbers of rows", "give one row each"
        )
    if n < LEAST_ROWS:
        raise CannotCompute(f"{n} rows are too few to learn and to test", f"give at least {LEAST_ROWS}")
    if not (np.isfinite(score).all() and np.isfinite(covariates).all()):
        raise CannotCompute("the score or a covariate has gaps", "leave out these rows")
    design = np.column_stack([np.ones(n), covariates])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise CannotCompute("a covariate is constant or a sum of the others", "leave it out")
    rest = score - design @ (np.linalg.pinv(design) @ score)
    if not np.ptp(rest) > 1e-9 * np.abs(score).max(initial=0):
        raise CannotCompute("the score does not vary beyond the covariates", "predict a score that varies")
    return score, design
