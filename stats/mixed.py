"""Linear mixed models for tables: subjects, sessions within subjects, as random intercepts.

Estimated by statsmodels (restricted maximum likelihood). Its tests are Wald tests against the normal and chi-squared
distributions, without the degrees of freedom of Satterthwaite or Kenward and Roger: they are too small p in small
studies. `crossover` has the exact companion for two periods.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
from scipy import special
from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

from .arrays import Float64
from .contrasts import term_contrasts
from .design import Dropped, LinearDesign, complete_rows, linear_design, refuse_unknown
from .errors import CannotCompute
from .traps import Trap, Traps

OPTIMISERS = ("bfgs", "lbfgs", "cg", "powell")
AT_ZERO = 1e-4  # of the residual variance: a variance component that small has met its boundary
FEW_SUBJECTS = 50
_RANDOM = re.compile(r"\+?\s*\(\s*1\s*\|\s*(`[^`]+`|[\w.]+)\s*(?::\s*(`[^`]+`|[\w.]+)\s*)?\)")


class Coefficient(NamedTuple):
    """A fixed effect: p is that of Wald's z."""

    name: str
    estimate: float
    se: float
    z: float
    p: float
    ci_low: float
    ci_high: float


class WaldTest(NamedTuple):
    """A term of the formula: Wald's chi-squared of its columns, and its degrees of freedom."""

    name: str
    chi2: float
    df: int
    p: float


@dataclass(frozen=True)
class MixedFit:
    """A fitted mixed model.

    Attributes
    ----------
    coefficients : tuple of Coefficient
    terms : tuple of WaldTest
        All but the intercept, in the coding of the design.
    variances : dict of str to float
        Of each random intercept, and ``Residual``; squared units of the outcome.
    n, n_subjects : int
    converged : bool
    traps : tuple of Trap
        What a reader must know: kind of test, convergence, variances at zero.
    dropped : tuple of Dropped
    """

    coefficients: tuple[Coefficient, ...]
    terms: tuple[WaldTest, ...]
    variances: dict[str, float]
    n: int
    n_subjects: int
    converged: bool
    traps: Traps
    dropped: tuple[Dropped, ...]


def mixed_model(table: pd.DataFrame, formula: str, *, sum_to_zero: bool = False, level: float = 0.95) -> MixedFit:
    """Fit a model with random intercepts.

    Parameters
    ----------
    table : DataFrame
        One row per measurement.
    formula : str
        ``y ~ baseline + condition * time + (1|subject) + (1|subject:session)``: fixed effects as in `formulas.parse`; one
        intercept of subjects, and any number of others within subjects.
    sum_to_zero : bool
        As in `design.linear_design`; what the tests of terms need to be type III.
    level : float
        Of the confidence intervals.

    Returns
    -------
    MixedFit

    Raises
    ------
    CannotCompute
        When the formula has no random intercept, a column is unknown, a part of the model cannot be told from another,
        or the likelihood has no maximum.
    """
    fixed, subject, inner = random_intercepts(formula)
    table = table.rename(columns=str).reset_index(drop=True)
    refuse_unknown((subject, *inner), table)
    known, unnamed = complete_rows(table, (subject, *inner))
    design = linear_design(table.iloc[known], fixed, sum_to_zero=sum_to_zero)
    if design.outcome is None:
        raise CannotCompute(f"'{design.response or ''}' is no column of numbers", "name the outcome on the left of ~")
    rows = known[design.rows]
    subjects = table[subject].iloc[rows].astype(str).to_numpy()
    sessions = {name: table[name].iloc[rows].astype(str).to_numpy() for name in inner}
    _refuse_confounded(subjects, sessions, subject)
    spread = float(design.outcome.std())
    if not spread > 0:
        raise CannotCompute(f"'{design.response}' is constant", "look at the outcome")
    found, converged = _fitted(design, design.outcome / spread, subjects, sessions)
    variances = _variances(found, subject, tuple(inner), spread)
    dropped = (*unnamed, *(Dropped(int(known[row]), reason) for row, reason in design.dropped))
    return MixedFit(
        coefficients=_coefficients(found, design, spread, level),
        terms=_terms(found, design),
        variances=variances,
        n=len(rows),
        n_subjects=len(set(subjects)),
        converged=converged,
        traps=_traps(variances, len(set(subjects)), converged=converged),
        dropped=tuple(sorted(dropped)),
    )


def random_intercepts(formula: str) -> tuple[str, str, tuple[str, ...]]:
    """The formula without ``(1|...)``, the column of subjects, and columns that divide subjects further."""
    found = [(a.strip("`"), b.strip("`")) for a, b in _RANDOM.findall(formula)]
    fixed = _RANDOM.sub("", formula)
    if "|" in fixed:
        raise CannotCompute(
            f"'{formula}' has random effects that are not offered", "write (1|subject), (1|subject:session)"
        )
    outer = {a for a, b in found if not b}
    if len(outer) != 1:
        raise CannotCompute("a mixed model needs one random intercept of subjects", "add (1|subject) to the formula")
    subject = outer.pop()
    inner = tuple(dict.fromkeys(b if a == subject else a for a, b in found if b))
    if any(b and subject not in (a, b) for a, b in found):
        raise CannotCompute(f"random intercepts are not within '{subject}'", f"write (1|{subject}:session)")
    if re.fullmatch(r"[^~]*~\s*", fixed):
        fixed += "1"
    return fixed, subject, inner


def _refuse_confounded(subjects: Any, sessions: dict[str, Any], subject: str) -> None:
    n = len(subjects)
    if len(set(subjects)) < 2:
        raise CannotCompute(f"there is one '{subject}' only", "a mixed model needs several")
    if len(set(subjects)) == n:
        raise CannotCompute(f"every '{subject}' has one row", "fit a linear model without random intercepts")
    for name, column in sessions.items():
        parts = len(set(zip(subjects, column, strict=True)))
        if parts == n:
            raise CannotCompute(f"every '{subject}:{name}' has one row", f"leave (1|{subject}:{name}) out")
        if parts == len(set(subjects)):
            raise CannotCompute(f"every '{subject}' has one '{name}'", f"leave (1|{subject}:{name}) out")


def _fitted(design: LinearDesign, y: Float64, subjects: Any, sessions: dict[str, Any]) -> tuple[Any, bool]:
    """statsmodels' fit of the outcome in standard deviations: its limits for convergence are absolute."""
    groups = sorted(set(subjects))
    mats: list[list[Float64]] = []
    for column in sessions.values():
        own = [column[subjects == group] for group in groups]
        mats.append([(values[:, None] == np.unique(values)).astype(np.float64) for values in own])
    names = [[[str(k) for k in range(mat.shape[1])] for mat in of] for of in mats]
    spec = VCSpec(list(sessions), names, mats) if sessions else None
    model = MixedLM(y, design.matrix, groups=subjects, exog_re=np.ones((len(y), 1)), exog_vc=spec)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # what they say is read from the result
        try:
            found = cast("Any", model.fit(reml=True, method=list(OPTIMISERS)))
        except (np.linalg.LinAlgError, ValueError) as error:
            raise CannotCompute(
                "the mixed model has no maximum of its likelihood", "leave out a random intercept"
            ) from error
    return found, bool(found.converged)


def _variances(found: Any, subject: str, inner: tuple[str, ...], spread: float) -> dict[str, float]:
    values = [float(found.cov_re[0, 0]), *(float(v) for v in found.vcomp), float(found.scale)]
    names = [subject, *(f"{subject}:{name}" for name in inner), "Residual"]
    return {name: value * spread**2 for name, value in zip(names, values, strict=True)}


def _covariance(found: Any, p: int) -> Float64:
    """Of the fixed effects: (X' V^-1 X)^-1 at the estimated variances, which a variance at zero does not spoil."""
    model = found.model
    information = np.zeros((p, p))
    for k, (x, z) in enumerate(zip(model.exog_li, model.exog_re_li, strict=True)):
        v = np.eye(len(x)) + z @ found.cov_re_unscaled @ z.T
        for component, value in enumerate(found.params_object.vcomp if model.k_vc else ()):
            mat = model.exog_vc.mats[component][k]
            v += value * mat @ mat.T
        information += x.T @ np.linalg.solve(v, x)
    return np.linalg.inv(information) * found.scale


def _coefficients(found: Any, design: LinearDesign, spread: float, level: float) -> tuple[Coefficient, ...]:
    estimates = np.asarray(found.fe_params) * spread
    errors = np.sqrt(np.diag(_covariance(found, len(estimates)))) * spread
    half = float(special.ndtri((1 + level) / 2))
    return tuple(
        Coefficient(name, b, se, b / se, float(2 * special.ndtr(-abs(b / se))), b - half * se, b + half * se)
        for name, b, se in zip(design.names, estimates.tolist(), errors.tolist(), strict=True)
    )


def _terms(found: Any, design: LinearDesign) -> tuple[WaldTest, ...]:
    b, covariance = np.asarray(found.fe_params), _covariance(found, len(found.fe_params))
    tests: list[WaldTest] = []
    for term in term_contrasts(design):
        c = term.weights
        chi2 = float((c @ b) @ np.linalg.solve(c @ covariance @ c.T, c @ b))
        tests.append(WaldTest(term.name, chi2, len(c), float(special.chdtrc(len(c), chi2))))
    return tuple(tests)


def _traps(variances: dict[str, float], subjects: int, *, converged: bool) -> Traps:
    wald = (
        f"z and chi-squared are Wald's, of {subjects} subjects, without Satterthwaite's or Kenward and Roger's degrees of "
        "freedom: p is too small in small studies; see the exact companion of the design beside it."
    )
    made = [Trap("mixed-wald", "tests", float(subjects), wald)] if subjects < FEW_SUBJECTS else []
    if not converged:
        said = "The search for the maximum of the likelihood did not end: do not rely on this model."
        made.append(Trap("mixed-not-converged", "model", None, said))
    for name, value in variances.items():
        if value < AT_ZERO * variances["Residual"]:
            said = f"The variance of (1|{name}) is estimated as 0: the model is the one without it."
            made.append(Trap("mixed-variance-zero", name, value, said))
    return tuple(made)
