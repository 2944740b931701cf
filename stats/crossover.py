"""Two treatments in two periods: the exact small-sample companion of the mixed model.

Period-adjusted paired differences (Hills and Armitage 1979, doi 10.1111/j.1365-2125.1979.tb05903.x): in each subject
period 1 less period 2 takes out what is the subject's own; the sequences differ in it by twice the treatment effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from .arrays import Float64, Report
from .design import complete_rows, refuse_inestimable, refuse_unknown
from .errors import CannotCompute
from .formula_values import is_categorical
from .glm import TestMaps, fit
from .glm import test as test_contrast
from .permute import Shuffling
from .power import two_samples
from .within import levels_of

PERMUTATIONS_AT_ONCE = 1000
EQUAL = 1e-9  # relative; statistics closer than this are the same


class CrossoverTest(NamedTuple):
    """One exact test: Student's t on `df` degrees of freedom, two-sided."""

    name: str
    estimate: float
    se: float
    t: float
    df: float
    p: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True)
class Crossover:
    """A two-period crossover.

    Attributes
    ----------
    treatment : CrossoverTest
        Second treatment less the first, adjusted for period and covariates.
    period : CrossoverTest
        Period 1 less period 2.
    carry_over : CrossoverTest
        Sum of both periods, first sequence less the second: no carry-over, no difference. It compares subjects.
    carry_over_detectable : float
        Difference, in standard deviations of the sum, that it finds with a power of 80 %.
    p_permutation : float
        Of the treatment effect: whole subjects exchanged between sequences.
    permutations : int
        Arrangements that were done, the observed one not counted.
    exhaustive : bool
        Whether these are all there are.
    seed : int
    treatments : (str, str)
    sequences : dict of str to int
        Subjects with each order of treatments.
    dropped : tuple of str
        Who was left out and why, a sentence each.
    """

    treatment: CrossoverTest
    period: CrossoverTest
    carry_over: CrossoverTest
    carry_over_detectable: float
    p_permutation: float
    permutations: int
    exhaustive: bool
    seed: int
    treatments: tuple[str, str]
    sequences: dict[str, int]
    dropped: tuple[str, ...]


@dataclass(frozen=True)
class CrossoverColumns:
    """Columns of a crossover's table.

    Attributes
    ----------
    outcome, subject, period, treatment : str
        Of the table; several rows of a session are averaged.
    time : str or None
        Numbers; then the outcome of a session is its slope over them, and the effect that of treatment x time.
    covariates : tuple of str
        Numbers that are averaged per session, such as a baseline.
    """

    outcome: str
    subject: str
    period: str
    treatment: str
    time: str | None = None
    covariates: tuple[str, ...] = ()

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns that must be numbers."""
        return (self.outcome, *((self.time,) if self.time else ()), *self.covariates)


def crossover(
    table: pd.DataFrame,
    columns: CrossoverColumns,
    *,
    permutations: int = 10000,
    seed: int = 0,
    report: Report | None = None,
) -> Crossover:
    """Compare two treatments that every subject had, one in each of two periods.

    Parameters
    ----------
    table : DataFrame
        One row per measurement.
    columns : CrossoverColumns
    permutations : int
        Of whole subjects, besides the observed arrangement; all are done when there are fewer.
    seed : int
    report : callable, optional

    Raises
    ------
    CannotCompute
        When there are other than two treatments or periods, a sequence is missing, or too few subjects are complete.
    """
    table = table.rename(columns=str).reset_index(drop=True)
    used = (columns.subject, columns.period, columns.treatment, *columns.numbers)
    refuse_unknown(used, table)
    for name in columns.numbers:
        if is_categorical(table[name]):
            raise CannotCompute(f"'{name}' is not a column of numbers", "choose one")
    rows, gaps = complete_rows(table, used)
    sessions, treatments, dropped = _sessions(table.iloc[rows], columns)
    dropped = (*(f"row {gap.row + 1} of the table is left out: {gap.reason}" for gap in gaps), *dropped)
    first = np.array([session[0][0] == treatments[1] for session in sessions])
    if not sessions or first.all() or not first.any():
        raise CannotCompute("only one order of treatments is left", "period and treatment cannot be told apart")
    values = np.array([[numbers for _, numbers in session] for session in sessions])
    difference, total = values[:, 0] - values[:, 1], values.sum(axis=1)
    sign = np.where(first, 1.0, -1.0)
    x = np.column_stack([np.ones(len(sign)), sign, difference[:, 1:]])
    refuse_inestimable(x, ("period", "treatment", *(f"change of {name}" for name in columns.covariates)))
    fitted = fit(difference[:, :1], x)
    unit = np.eye(x.shape[1])
    sums = fit(total[:, :1], np.column_stack([np.ones(len(sign)), first]))
    n = int(first.sum()), int((~first).sum())
    p, shuffling = _permuted(
        difference[:, 0], x, Shuffling(len(x), seed=seed, n_permutations=permutations, rows=x[:, 1:]), report
    )
    orders = (f"{treatments[1]}, {treatments[0]}", f"{treatments[0]}, {treatments[1]}")
    return Crossover(
        treatment=_row(f"{treatments[1]} - {treatments[0]}", test_contrast(fitted, unit[1])),
        period=_row("period 1 - period 2", test_contrast(fitted, unit[0])),
        carry_over=_row(f"({orders[0]}) - ({orders[1]})", test_contrast(sums, [0, 1])),
        carry_over_detectable=two_samples(*n).detectable(),
        p_permutation=p,
        permutations=shuffling.count,
        exhaustive=shuffling.exhaustive,
        seed=seed,
        treatments=treatments,
        sequences=dict(zip(orders, n, strict=True)),
        dropped=dropped,
    )


Session = tuple[str, list[float]]


def _sessions(
    table: pd.DataFrame, columns: CrossoverColumns
) -> tuple[list[tuple[Session, Session]], tuple[str, str], tuple[str, ...]]:
    """Treatment and numbers of both periods of every complete subject, the treatments, and who is left out."""
    periods, treatments = levels_of(table[columns.period]), levels_of(table[columns.treatment])
    for name, levels in ((columns.period, periods), (columns.treatment, treatments)):
        if len(levels) != 2:
            raise CannotCompute(f"'{name}' has {len(levels)} levels: {', '.join(levels)}", "a crossover here has two")
    complete: list[tuple[Session, Session]] = []
    dropped: list[str] = []
    for who, own in table.groupby(columns.subject, sort=True, observed=True):
        found = [_session(own[own[columns.period].astype(str) == period], columns) for period in periods]
        one, other = found
        if one is None or other is None:
            lacking = ", ".join(p for p, session in zip(periods, found, strict=True) if session is None)
            dropped.append(f"'{who}' is left out: no usable session in {columns.period} {lacking}")
        elif one[0] == other[0]:
            dropped.append(f"'{who}' is left out: {one[0]} in both periods")
        else:
            complete.append((one, other))
    return complete, (treatments[0], treatments[1]), tuple(dropped)


def _session(rows: Any, columns: CrossoverColumns) -> Session | None:
    """The treatment of a session and its numbers: mean or slope of the outcome, means of covariates."""
    given = rows[columns.treatment].astype(str).unique()
    if len(given) > 1:
        raise CannotCompute(
            f"'{rows[columns.subject].iloc[0]}' has several treatments in one {columns.period}: {', '.join(given)}",
            "correct the table",
        )
    if not len(rows):
        return None
    outcome = rows[columns.outcome].to_numpy(np.float64)
    covariates = [float(rows[name].mean()) for name in columns.covariates]
    if columns.time is None:
        return str(given[0]), [float(outcome.mean()), *covariates]
    time = rows[columns.time].to_numpy(np.float64)
    centred = time - time.mean()
    spread = float(centred @ centred)
    return (str(given[0]), [float(centred @ outcome) / spread, *covariates]) if spread > 0 else None


def _row(name: str, found: TestMaps) -> CrossoverTest:
    values = (found.estimate, found.se, found.statistic, found.p, found.ci_low, found.ci_high)
    estimate, se, t, p, low, high = (float("nan") if v is None else float(v[0]) for v in values)
    return CrossoverTest(name, estimate, se, t, found.df[1], p, low, high)


def _permuted(y: Float64, x: Float64, shuffling: Shuffling, report: Report | None) -> tuple[float, Shuffling]:
    """The p of column 1 of the design by Freedman and Lane; without covariates the exact permutation test."""
    others = np.linalg.qr(np.delete(x, 1, axis=1)).Q
    direction = x[:, 1] - others @ (others.T @ x[:, 1])
    direction /= np.linalg.norm(direction)
    residual = y - others @ (others.T @ y)
    basis = np.column_stack([others, direction])
    observed = abs(_t(residual[None], direction, basis)[0])
    exceeding = 0
    for start in range(1, shuffling.count + 1, PERMUTATIONS_AT_ONCE):
        if report is not None:
            report(start / shuffling.count)
        numbers = range(start, min(start + PERMUTATIONS_AT_ONCE, shuffling.count + 1))
        orders = np.array([shuffling.arrangement(k).order for k in numbers])
        exceeding += int((np.abs(_t(residual[orders], direction, basis)) >= observed * (1 - EQUAL)).sum())
    return (1 + exceeding) / (1 + shuffling.count), shuffling


def _t(rows: Float64, direction: Float64, basis: Float64) -> Float64:
    """Effect of the direction by its residual length: t up to a constant, (arrangements,)."""
    left = (rows**2).sum(axis=1) - ((rows @ basis) ** 2).sum(axis=1)
    with np.errstate(all="ignore"):
        return rows @ direction / np.sqrt(np.maximum(left, 0))
