"""Linear learners that predict a score, each for a whole range of penalties at once."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn.linear_model import enet_path
from sklearn.svm import SVR

from .arrays import Float64

Learner = Literal["ridge", "elastic-net", "svr"]

# From strong to weak, so that of equally good ones the stronger is taken.
PENALTIES: dict[Learner, tuple[float, ...]] = {
    "ridge": (1e3, 1e2, 1e1, 1e0, 1e-1, 1e-2),  # times the number of features, the mean eigenvalue of their products
    "elastic-net": (1.0, 0.6, 0.36, 0.22, 0.13, 0.08, 0.05),  # of the least penalty that leaves no feature
    "svr": (1e-2, 1e-1, 1e0, 1e1),  # C, of unit features over the root of their number and a unit score
}
L1_RATIO = 0.5
EPSILON = 0.1  # standard deviations of the score
ITERATIONS = 10_000
TOLERANCE = 1e-4


def principal(train: Float64, test: Float64) -> tuple[Float64, Float64]:
    """Features along the principal axes of the training rows.

    Ridge and support vectors see products of rows only, which stay: any number of features becomes as many as there
    are rows.

    Parameters
    ----------
    train : (m, k), test : (t, k)

    Returns
    -------
    (m, d) with orthogonal columns, (t, d)
        d at most m.
    """
    return principal_of_products(train @ train.T, test @ train.T)


def principal_of_products(train: Float64, test: Float64) -> tuple[Float64, Float64]:
    """As `principal`, from products of the rows: training with training (m, m), test with training (t, m)."""
    variance, axes = np.linalg.eigh(train)
    kept = variance > max(0.0, float(variance[-1])) * len(train) * np.finfo(np.float64).eps
    length = np.sqrt(variance[kept])
    return axes[:, kept] * length, test @ axes[:, kept] / length


def predictions(learner: Learner, train: Float64, test: Float64, score: Float64, n_features: int) -> Float64:
    """What each penalty predicts for the test rows.

    Parameters
    ----------
    learner : "ridge", "elastic-net" or "svr"
    train : (m, d), test : (t, d)
        Unit features of mean 0 over the training rows; but for the elastic net in their `principal` axes.
    score : (m,)
        Of mean 0.
    n_features : int
        Number of features before they were turned into principal axes.

    Returns
    -------
    (penalties, t)
        In the order of `PENALTIES`.
    """
    if not (train.size and np.ptp(score) > 0):
        return np.zeros((len(PENALTIES[learner]), len(test)))
    if learner == "ridge":
        return _ridge(train, test, score, n_features)
    return _elastic_net(train, test, score) if learner == "elastic-net" else _svr(train, test, score, n_features)


def _ridge(train: Float64, test: Float64, score: Float64, n_features: int) -> Float64:
    penalty = np.array(PENALTIES["ridge"])[:, None] * n_features
    weights = (score @ train) / ((train**2).sum(axis=0) + penalty)
    return weights @ test.T


def _elastic_net(train: Float64, test: Float64, score: Float64) -> Float64:
    strongest = float(np.abs(score @ train).max()) / (len(train) * L1_RATIO)
    if not strongest > 0:
        return np.zeros((len(PENALTIES["elastic-net"]), len(test)))
    alphas: Any = strongest * np.array(PENALTIES["elastic-net"])  # the stub knows a string alone
    columns = np.asfortranarray(train)
    path = enet_path(columns, score, l1_ratio=L1_RATIO, alphas=alphas, max_iter=ITERATIONS, tol=TOLERANCE)
    return path[1].T @ test.T


def _svr(train: Float64, test: Float64, score: Float64, n_features: int) -> Float64:
    unit, scale = 1 / np.sqrt(n_features), float(score.std())
    machines = (SVR(kernel="linear", C=c, epsilon=EPSILON) for c in PENALTIES["svr"])
    return np.stack([scale * each.fit(train * unit, score / scale).predict(test * unit) for each in machines])
