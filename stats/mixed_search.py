"""The search for the variances of a mixed model, by statsmodels."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple, cast

import numpy as np
from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams, VCSpec

from .arrays import Float64
from .errors import CannotCompute

NOTHING = 1e-10  # of the residual variance: stands for a variance of 0
OPTIMISERS = ("bfgs", "lbfgs", "cg", "powell")


class Estimate(NamedTuple):
    """What the search ended with.

    Attributes
    ----------
    ratios : (1 + sessions,) float64
        Variances of the random intercepts by that of the residual.
    residual : float
        Variance.
    effects : (p,) float64
    covariance : (p, p) float64
        Of the effects.
    converged : bool
    """

    ratios: Float64
    residual: float
    effects: Float64
    covariance: Float64
    converged: bool


def estimate(y: Float64, x: Float64, subjects: Any, sessions: dict[str, Any]) -> Estimate:
    """Restricted maximum likelihood.

    Parameters
    ----------
    y : (n,) float64
        In standard deviations: statsmodels' limits for convergence are absolute.
    x : (n, p) float64
        Fixed effects, of full rank.
    subjects : (n,) array of str
        Each has a random intercept.
    sessions : dict of str to (n,) array of str
        Each level within a subject has one, too.

    Raises
    ------
    CannotCompute
        When the likelihood has no maximum.
    """
    groups = sorted(set(subjects))
    mats: list[list[Float64]] = []
    for column in sessions.values():
        own = [column[subjects == group] for group in groups]
        mats.append([(values[:, None] == np.unique(values)).astype(np.float64) for values in own])
    names = [[[str(k) for k in range(mat.shape[1])] for mat in of] for of in mats]
    spec = VCSpec(list(sessions), names, mats) if sessions else None
    model = cast("Any", MixedLM(y, x, groups=subjects, exog_re=np.ones((len(y), 1)), exog_vc=spec))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # what they say is read from the result
        try:
            fit = model.fit(reml=True, method=list(OPTIMISERS))
            ratios = _without_nothing(model, fit)
            effects, _ = model.get_fe_params(*_parts(ratios))
            residual = float(model.get_scale(effects, *_parts(ratios)))
        except (np.linalg.LinAlgError, ValueError) as error:
            raise CannotCompute(
                "the mixed model has no maximum of its likelihood", "leave out a random intercept"
            ) from error
    covariance = np.asarray(residual * np.linalg.inv(_information(model, ratios, mats)), np.float64)
    return Estimate(np.where(ratios > NOTHING, ratios, 0.0), residual, effects, covariance, bool(fit.converged))


def _parts(ratios: Float64) -> tuple[Float64, Float64]:
    """As statsmodels has them: covariance of the intercept of subjects, variances of the others."""
    return ratios[:1, None], ratios[1:]


def _without_nothing(model: Any, fit: Any) -> Float64:
    """Ratios of variances, 0 put in where it is at least as likely: near 0 the search goes ever more slowly."""
    given = fit.params_object
    ratios = np.array([given.cov_re[0, 0], *given.vcomp], np.float64)

    def likelihood(values: Float64) -> float:
        cov_re, vcomp = _parts(values)
        return float(model.loglike(MixedLMParams.from_components(given.fe_params, cov_re=cov_re, vcomp=vcomp)))

    for k in range(len(ratios)):
        without = np.where(np.arange(len(ratios)) == k, NOTHING, np.maximum(ratios, NOTHING))
        if ratios[k] <= NOTHING or likelihood(without) >= likelihood(ratios):
            ratios = without
    return ratios


def _information(model: Any, ratios: Float64, mats: list[list[Float64]]) -> Float64:
    """X' V^-1 X of the fixed effects at the estimated variances: its inverse is lme4's covariance.

    statsmodels inverts the whole observed information instead: other third digits, and nothing when a variance is 0.
    """
    information = np.zeros((model.exog.shape[1],) * 2)
    for k, x in enumerate(model.exog_li):
        v = np.eye(len(x)) + ratios[0]
        for ratio, of in zip(ratios[1:], mats, strict=True):
            v += ratio * of[k] @ of[k].T
        information += x.T @ np.linalg.solve(v, x)
    return information
