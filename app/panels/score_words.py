"""Trajectories of scores as the plot, the table and the sentences of the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...widgets.numbers import format_number
from ...widgets.score_plot import ArmLine, ScoreData
from ...widgets.value_model import Cell
from ..study.trajectories import Outcome, Trajectories

if TYPE_CHECKING:
    from .study_open import OpenStudy


def score_data(found: Trajectories, opened: OpenStudy, title: str) -> ScoreData:
    """Trajectories as they are drawn."""
    arms = tuple(found.names)
    lines: list[ArmLine] = []
    for arm in arms:
        of_visits = found.summaries(arm)
        ci = np.array([summary.ci for summary in of_visits]).reshape(-1, 2)
        mean = np.array([summary.mean for summary in of_visits])
        lines.append(ArmLine(arm or "no arm", mean, ci[:, 0], ci[:, 1], tuple(summary.n for summary in of_visits)))
    names = tuple(map(opened.shown_name, found.people))
    numbers = tuple(arms.index(arm) for arm in found.arms)
    return ScoreData(
        title=title,
        y_title=found.title,
        at=found.at,
        visits=found.visits,
        arms=tuple(lines),
        people=found.people,
        names=names,
        arm_of=numbers,
        scores=found.scores,
    )


def change_rows(found: Trajectories, result: Outcome) -> list[tuple[Cell, ...]]:
    """A row per arm."""
    rows: list[tuple[Cell, ...]] = []
    for arm in found.names:
        first, last, fall = result.first[arm], result.last[arm], result.improvement[arm]
        rows.append((arm or "no arm", fall.n, first.mean, first.sd, last.mean, last.sd, fall.mean, fall.sd, *fall.ci))
    return rows


def outcome_words(found: Trajectories, result: Outcome) -> str:
    """Difference, responders and dropouts in sentences."""
    said: list[str] = []
    if result.contrast is not None and result.welch and result.student and result.shares:
        a, b = result.contrast
        low, high = map(format_number, result.welch.ci)
        said.append(
            f"Improvement, {a} less {b}: {format_number(result.welch.estimate)} (95 % CI {low} to {high}), "
            f"Welch t({format_number(result.welch.df)}) = {format_number(result.welch.t)}, p = {_p(result.welch.p)}; "
            f"Student t({format_number(result.student.df)}) = {format_number(result.student.t)}, "
            f"p = {_p(result.student.p)}; d = {format_number(result.student.d)}."
        )
    elif result.why_not:
        said.append(f"Arms are not compared: {result.why_not}.")
    counts = "; ".join(f"{arm or 'no arm'} {each.yes} of {each.n}" for arm, each in result.responses.items())
    said.append(f"Responders (score at least halved, of those with a first and a last score): {counts}.")
    if result.shares is not None and result.contrast is not None:
        low, high = (format_number(100 * end) for end in result.shares.ci)
        share = format_number(100 * result.shares.estimate)
        said.append(f"Difference {share} percentage points (95 % CI {low} to {high}, Newcombe).")
    gone = found.dropped_out()
    if gone:
        shown = ", ".join(gone[:6]) + (f" and {len(gone) - 6} more" if len(gone) > 6 else "")
        said.append(f"Without a last score: {shown}.")
    said.append("Improvement is first less last; larger is better.")
    return " ".join(said)


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
