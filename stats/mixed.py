"""Linear mixed models for tables: subjects, sessions within subjects, as random intercepts.

Estimated by statsmodels (restricted maximum likelihood). Its tests are Wald tests against the normal and chi-squared
distributions, without the degrees of freedom of Satterthwaite or Kenward and Roger: they are too small p in small
studies. `crossover` has the exact companion for two periods.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from .contrasts import term_contrasts
from .design import Dropped, LinearDesign, complete_rows, linear_design, refuse_unknown
from .errors import CannotCompute
from .mixed_search import Estimate, estimate
from .traps import Trap, Traps

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
        ``y ~ baseline + condition * time + (1|subject) + (1|subject:session)``: fixed effects as in `formulas.parse`;
        one intercept of subjects, and any number of others within subjects.
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
    found = estimate(design.outcome / spread, design.matrix, subjects, sessions)
    ratios = dict(zip((subject, *(f"{subject}:{name}" for name in inner)), found.ratios.tolist(), strict=True))
    variances = {name: ratio * found.residual * spread**2 for name, ratio in ratios.items()}
    dropped = (*unnamed, *(Dropped(int(known[row]), reason) for row, reason in design.dropped))
    return MixedFit(
        coefficients=_coefficients(found, design, spread, level),
        terms=_terms(found, design),
        variances={**variances, "Residual": found.residual * spread**2},
        n=len(rows),
        n_subjects=len(set(subjects)),
        converged=found.converged,
        traps=_traps(variances, len(set(subjects)), converged=found.converged),
        dropped=tuple(sorted(dropped)),
    )


def random_intercepts(formula: str) -> tuple[str, str, tuple[str, ...]]:
    """The formula without ``(1|...)``, the column of subjects, and columns that divide subjects further."""
    found = [(a.strip("`"), b.strip("`")) for a, b in _RANDOM.findall(formula)]
    fixed = " ".join(_RANDOM.sub(" ", formula).split())
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
    if fixed.endswith("~"):
        fixed += " 1"
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


def _coefficients(found: Estimate, design: LinearDesign, spread: float, level: float) -> tuple[Coefficient, ...]:
    estimates, errors = found.effects * spread, np.sqrt(np.diag(found.covariance)) * spread
    half = float(special.ndtri((1 + level) / 2))
    return tuple(
        Coefficient(name, b, se, b / se, float(2 * special.ndtr(-abs(b / se))), b - half * se, b + half * se)
        for name, b, se in zip(design.names, estimates.tolist(), errors.tolist(), strict=True)
    )


def _terms(found: Estimate, design: LinearDesign) -> tuple[WaldTest, ...]:
    b, covariance = found.effects, found.covariance
    tests: list[WaldTest] = []
    for term in term_contrasts(design):
        c = term.weights
        chi2 = float((c @ b) @ np.linalg.solve(c @ covariance @ c.T, c @ b))
        tests.append(WaldTest(term.name, chi2, len(c), float(special.chdtrc(len(c), chi2))))
    return tuple(tests)


def _traps(variances: dict[str, float], subjects: int, *, converged: bool) -> Traps:
    wald = (
        f"z and chi-squared are Wald's, without Satterthwaite's or Kenward and Roger's degrees of freedom: with "
        f"{subjects} subjects p is too small; give the exact answer that the design allows beside it."
    )
    made = [Trap("mixed-wald", "tests", float(subjects), wald)]
    if not converged:
        said = "The search for the maximum of the likelihood did not end: do not rely on this model."
        made.append(Trap("mixed-not-converged", "model", None, said))
    for name, value in variances.items():
        if value == 0:
            said = f"The variance of (1|{name}) is estimated as 0: the model is the one without it."
            made.append(Trap("mixed-variance-zero", name, value, said))
    return tuple(made)
