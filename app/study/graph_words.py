"""Answers about graphs in honest sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .answers import Plan, RegionRow
from .graph_tests import GraphTests
from .people import score_title
from .result_words import SIMULATED, absence

LEVEL = 0.05
MOST = 5


def words_of(
    plan: Plan, rows: Sequence[RegionRow], tests: GraphTests, tables: Mapping[str, Any], *, simulated: bool
) -> tuple[str, ...]:
    """What was found, what was not, and what must not be made of it."""
    said = [SIMULATED] if simulated else []
    said += [plan.words, *_found(plan, rows, tests), *_exploratory(rows, tests)]
    said += absence(float(tests.maps.df[1]))
    said += _beside(tables["motion"], tables["scores"])
    said.append(
        "Atlas, density, edge rule and confound strategy are choices, and other choices can give another result: the "
        "multiverse table shows how often this one holds."
    )
    return tuple(said)


def row_words(row: RegionRow) -> str:
    """A region and metric with its numbers."""
    return (
        f"{row.metric} of {row.region} {row.side} ".replace("  ", " ")
        + f"{row.effect:+.3g} [{row.ci[0]:.3g}, {row.ci[1]:.3g}], t({row.df:.4g}) = {row.statistic:.2f}, "
        + f"p = {row.p:.2g}"
        + ("" if row.p_fwe is None else f", p_fwe = {row.p_fwe:.2g}")
    )


def _found(plan: Plan, rows: Sequence[RegionRow], tests: GraphTests) -> list[str]:
    survive = [row for row in rows if row.p_fwe is not None and row.p_fwe < LEVEL]
    how = f"over {tests.tested.size} regions and metrics by the largest |t| of {tests.permutations} arrangements"
    if not survive:
        least = min((row.p_fwe for row in rows if row.p_fwe is not None), default=float("nan"))
        return [f"No region and metric survives correction ({how}; the smallest p_fwe is {least:.2g})."]
    told = "; ".join(row_words(row) for row in sorted(survive, key=lambda row: -abs(row.statistic))[:MOST])
    more = f" and {len(survive) - MOST} more" if len(survive) > MOST else ""
    return [f"{plan.test}: {len(survive)} survive correction ({how}): {told}{more}."]


def _exploratory(rows: Sequence[RegionRow], tests: GraphTests) -> list[str]:
    passing = int(np.nansum(tests.p_permutation < LEVEL))
    chance = LEVEL * tests.tested.size
    discovered = int(np.nansum(tests.q < LEVEL))
    strongest = max(rows, key=lambda row: abs(row.statistic) if np.isfinite(row.statistic) else -1.0)
    said = (
        f"Uncorrected, {passing} of {tests.tested.size} pass p < .05 where chance alone gives about {chance:.0f}; "
        f"{discovered} have a false discovery rate (q) below .05. The strongest, exploratory unless it survives: "
        f"{row_words(strongest)}."
    )
    return [said]


def _beside(motion: Any, scores: Any) -> list[str]:
    said: list[str] = []
    if len(motion) and motion["fd_mean"].notna().any():
        told = "; ".join(
            f"{row.group} {row.session} {row.fd_mean:.2f} mm, r {row.mean_connectivity:.2f}"
            for row in motion.itertuples()
        )
        said.append(f"Mean motion and mean connectivity by group and session: {told}.")
    if len(scores):
        each = scores.itertuples()
        told = "; ".join(
            f"{score_title(row.score)} in {row.group} {row.mean_change:+.1f} (n = {row.n})" for row in each
        )
        said.append(f"Change of scores (last less first; lower is better): {told}.")
    return said
