"""Models of a crossover: the mixed model with Wald's tests, and the exact tests that the design allows."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from ...stats.errors import CannotCompute
from ..problems import Finding, Problem
from .answers import RegionRow
from .crossover_tables import CrossoverSessions, halves
from .plan_crossover import formula_of, score_formula
from .spectra import Frame
from .values import PERSON, SESSION

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ...stats.crossover import Crossover, CrossoverTest
    from ...stats.mixed import MixedFit

_T = TypeVar("_T")
PERMUTATIONS = 10_000
NAN = float("nan")
WALD_Z = "Wald z against the normal distribution: statsmodels gives no denominator degrees of freedom"
WALD_CHI2 = "Wald chi-squared on the stated degrees of freedom; no denominator degrees of freedom"


@dataclass(frozen=True, eq=False)
class Outcome:
    """One outcome of a crossover: its rows, coded, and how they are modelled.

    Attributes
    ----------
    table : DataFrame
        With ``condition``, ``period``, ``sequence`` (and ``sex``) as -1/2 and 1/2.
    name : str
        Column of the outcome.
    formula : str
    baseline : bool
        Whether ``baseline`` is a covariate.
    """

    table: Frame
    name: str
    formula: str
    baseline: bool = False


class SexTest(NamedTuple):
    """Does the difference between conditions depend on sex? Student's t on period-adjusted paired differences.

    `estimate` is the difference in the second of `sexes` less that in the first.
    """

    estimate: float
    se: float
    t: float
    df: float
    p: float
    ci_low: float
    ci_high: float
    sexes: tuple[str, str]
    n: tuple[int, int]


@contextmanager
def refusals(where: str) -> Generator[None]:
    """What cannot be computed, as a problem for people."""
    try:
        yield
    except CannotCompute as refused:
        raise Problem(where, refused.what, refused.todo) from refused


def attempt(what: str, compute: Callable[[], _T]) -> tuple[_T | None, tuple[Finding, ...]]:
    """A part that the answer can do without: its value, or None and why."""
    try:
        return compute(), ()
    except CannotCompute as refused:
        message = f"{what} is not given: {refused.what}; {refused.todo}."
        return None, (Finding("not-computed", what, None, message),)


def spectra_outcome(rows: Frame, outcome: str, sessions: CrossoverSessions, *, sex: bool = False) -> Outcome:
    """Spectra over time as the mixed model takes them."""
    baseline = bool(rows["baseline"].notna().any())
    table = _coded(rows, sessions)
    table["baseline"] -= table["baseline"].mean()
    return Outcome(table, outcome, formula_of(outcome, baseline=baseline, sex=sex), baseline)


def score_outcome(rows: Frame, score: str, sessions: CrossoverSessions) -> Outcome:
    """A score over time, as the mixed model takes it; two times as -1/2 and 1/2."""
    table = _coded(rows, sessions)
    times = tuple(rows["time"].cat.categories)
    if len(times) == 2:
        table["time"] = halves(table["time"], times)
    return Outcome(table, score, score_formula(score, len(times)))


def mixed(outcome: Outcome) -> MixedFit:
    """The mixed model, every term type III; without the intercept of sessions where each has one row."""
    from ...stats.mixed import mixed_model  # noqa: PLC0415 - statsmodels is slow to import

    formula = outcome.formula
    used = outcome.table.dropna(subset=[outcome.name, *(["baseline"] if outcome.baseline else [])])
    if not used.duplicated([PERSON, SESSION]).any():
        formula = formula.replace(f" + (1|{PERSON}:{SESSION})", "")
    return mixed_model(used, formula, sum_to_zero=True)


def rows_of(fit: MixedFit, metric: str = "") -> tuple[RegionRow, ...]:
    """A row per term: the coefficient where the term has one column, else the test of all its columns."""
    columns = {coefficient.name: coefficient for coefficient in fit.coefficients}
    rows: list[RegionRow] = []
    for term in fit.terms:
        one = columns.get(term.name) if term.df == 1 else None
        if one is None:
            chi2 = RegionRow(term.name, "", "", NAN, (NAN, NAN), term.chi2, term.p, None, metric, term.df, WALD_CHI2)
            rows.append(chi2)
        else:
            interval = (one.ci_low, one.ci_high)
            rows.append(RegionRow(term.name, "", "", one.estimate, interval, one.z, one.p, None, metric, NAN, WALD_Z))
    return tuple(rows)


def companion(outcome: Outcome, sessions: CrossoverSessions, *, permutations: int, seed: int) -> Crossover:
    """Period-adjusted paired differences of session means, and whole people permuted between sequences."""
    from ...stats.crossover import CrossoverColumns, crossover  # noqa: PLC0415

    covariates = ("baseline",) if outcome.baseline else ()
    columns = CrossoverColumns(outcome.name, PERSON, "visit", "given", covariates=covariates)
    return crossover(_given(outcome.table, sessions), columns, permutations=permutations or PERMUTATIONS, seed=seed)


def change_outcome(rows: Frame, score: str, sessions: CrossoverSessions) -> Outcome:
    """A score's change, last time less first, a row per session: what condition x time is about, in exact form."""
    times = rows["time"].cat.categories
    keys = [PERSON, SESSION]
    wide = rows.pivot_table(index=keys, columns="time", values=score, observed=True)
    change = (wide[times[-1]] - wide[times[0]]).rename(score).dropna().reset_index()
    steady = rows.drop(columns=[score, "time"]).drop_duplicates(keys)
    formula = f"{score} change ~ condition + period"
    return Outcome(_coded(change.merge(steady, on=keys), sessions), score, formula)


def sex_test(outcome: Outcome, sessions: CrossoverSessions) -> SexTest:
    """Condition x sex, exact: the sex difference of paired differences, adjusted for period and its sex difference."""
    from ...stats.glm import fit, test  # noqa: PLC0415

    if not sessions.sexes:
        raise CannotCompute("the study has other than two sexes", "add a column sex to participants.tsv")
    values = [outcome.name, *(["baseline"] if outcome.baseline else [])]
    used = outcome.table.dropna(subset=[*values, "sex"])
    means = used.groupby([PERSON, "period", "condition", "sex"])[values].mean().reset_index()
    pairs = means.groupby(PERSON).filter(lambda own: len(own) == 2 and own["condition"].nunique() == 2)
    pairs = pairs[pairs.groupby(PERSON)["period"].transform("nunique") == 2].sort_values([PERSON, "period"])
    one, two = pairs.iloc[::2], pairs.iloc[1::2]
    difference = two[values].to_numpy(np.float64) - one[values].to_numpy(np.float64)
    order, sex = two["condition"].to_numpy(np.float64) * 2, two["sex"].to_numpy(np.float64)
    n = int((sex < 0).sum()), int((sex > 0).sum())
    if min(n) < 2 or len({*zip(order.tolist(), sex.tolist(), strict=True)}) < 4:
        raise CannotCompute(f"{n[0]} and {n[1]} people of both sexes have both sessions", "nothing can be compared")
    design = np.column_stack([np.ones(len(sex)), order, sex, order * sex, difference[:, 1:]])
    weights = np.eye(design.shape[1])[3]
    found = test(fit(difference[:, :1], design), weights)
    numbers = (found.estimate, found.se, found.statistic, found.p, found.ci_low, found.ci_high)
    estimate, se, t, p, low, high = (NAN if value is None else float(value[0]) for value in numbers)
    return SexTest(estimate, se, t, found.df[1], p, low, high, (sessions.sexes[0], sessions.sexes[1]), n)


def test_document(found: CrossoverTest) -> dict[str, Any]:
    """An exact test for a JSON document."""
    plain = found._asdict()
    return {key: plain[key] for key in ("name", "estimate", "se", "t", "df", "p")} | {
        "ci": [found.ci_low, found.ci_high]
    }


def _coded(rows: Frame, sessions: CrossoverSessions) -> Frame:
    table = rows.copy()
    table["given"], table["visit"] = table["condition"], table["period"]
    table["condition"] = halves(table["condition"], sessions.conditions)
    table["period"] = halves(table["period"], sessions.periods)
    sequences = tuple(sorted(table["sequence"].unique()))
    if len(sequences) == 2:
        table["sequence"] = halves(table["sequence"], sequences)
    if sessions.sexes:
        table["sex"] = halves(table["sex"], sessions.sexes)
    return table


def _given(table: Frame, sessions: CrossoverSessions) -> Frame:
    """With the conditions as ordered categories, so that differences are the second less the reference."""
    import pandas as pd  # noqa: PLC0415 - slow to import

    return table.assign(given=pd.Categorical(table["given"], categories=list(sessions.conditions)))
