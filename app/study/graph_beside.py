"""What lies beside a test of graphs: motion, mean connectivity, scores, and the traps that they show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...stats.errors import CannotCompute
from ...stats.traps import Traps
from ..problems import Finding
from .answers import Plan
from .graph_data import GraphData
from .graph_tests import factor_of
from .people import score_columns, score_title
from .prepare_table import label_of
from .spectra import Frame
from .values import PERSON, Study

FACTS = ("fd_mean", "mean_connectivity", "negative_share")
FEWEST = 4


def motion_table(plan: Plan, data: GraphData) -> Frame:
    """Mean motion, connectivity and share of negative edges of the runs, by group and session."""
    column = factor_of(plan.models[0].contrasts[0])
    runs = data.scans.merge(data.frame[[PERSON, *([column] if column else [])]], on=PERSON, how="inner")
    runs = runs.rename(columns={column: "group"}) if column else runs.assign(group="all")
    keys = ["group", "session"]
    means = runs.groupby(keys, sort=True)[list(FACTS)].mean().reset_index()
    return means.assign(runs=runs.groupby(keys, sort=True).size().to_numpy())


def global_table(data: GraphData) -> Frame:
    """Metrics of the whole graph, motion and connectivity (or their changes), a row per person."""
    import pandas as pd  # noqa: PLC0415 - slow to import

    overall = {e.metric: data.values[:, n] for n, e in enumerate(data.elements) if not e.region}
    beside = {name: data.frame[name] for name in FACTS[:2] if name in data.frame}
    return pd.DataFrame({PERSON: data.frame[PERSON], **beside, **overall})


def connectivity_findings(plan: Plan, data: GraphData) -> tuple[Finding, ...]:
    """Motion by group (x time), mean connectivity by group, and edges that follow motion."""
    from ...stats.trap_designs import (  # noqa: PLC0415 - SciPy
        motion_by_group,
        motion_follows_group,
        motion_in_connectivity,
        quality_connectivity,
    )
    from ...stats.trap_graphs import mean_connectivity  # noqa: PLC0415

    said: list[Traps] = []
    column = factor_of(plan.models[0].contrasts[0])
    fd = data.frame["fd_mean"].to_numpy(np.float64)
    known = np.isfinite(fd)
    over_time = column is not None and len(plan.ask.sessions) > 1
    where = f"{column} x time" if over_time else column or "runs"
    if column is not None:
        group = data.frame[column].astype(str).to_numpy()
        said.append(_tried(lambda: motion_follows_group(where, motion_by_group(fd, group))))
        mean = data.frame["mean_connectivity"].to_numpy(np.float64)
        said.append(_tried(lambda: mean_connectivity(where, mean, group)))
    said.append(_tried(lambda: motion_in_connectivity(where, quality_connectivity(data.edges[known], fd[known]))))
    return tuple(Finding(*trap) for traps in said for trap in traps)


def several_thresholds(plan: Plan) -> tuple[Finding, ...]:
    """One threshold is one choice of many."""
    if len(plan.ask.densities) > 1:
        return ()
    message = "One threshold is one choice of many: ask for several densities (area under the curve) or a multiverse."
    return (Finding("one-threshold", "densities", None, message),)


def score_table(study: Study, plan: Plan, data: GraphData) -> Frame:
    """Change of each score (last less first session, so that lower is better) by group, and Welch's test of two."""
    import pandas as pd  # noqa: PLC0415 - slow to import

    column = factor_of(plan.models[0].contrasts[0])
    rows: list[dict[str, Any]] = []
    if len(plan.ask.sessions) < 2:
        return pd.DataFrame(rows)
    first, last = (label_of(name) for name in plan.ask.sessions[:2])
    for score in score_columns(study):
        if not {f"{score}_{first}", f"{score}_{last}"} <= set(data.frame.columns):
            continue
        change = data.frame[f"{score}_{last}"] - data.frame[f"{score}_{first}"]
        group = data.frame[column].astype(str) if column else pd.Series("all", index=data.frame.index)
        parts = {str(name): own.dropna().to_numpy(np.float64) for name, own in change.groupby(group)}
        tested = _welch(tuple(parts.values()))
        for name, own in parts.items():
            spread = float(own.std(ddof=1)) if own.size > 1 else float("nan")
            mean = float(own.mean()) if own.size else float("nan")
            rows.append(
                {"score": score, "group": name, "n": own.size, "mean_change": mean, "sd_change": spread, **tested}
            )
    return pd.DataFrame(rows)


def score_correlations(plan: Plan, data: GraphData) -> Frame:
    """Correlation of each metric's change with the improvement in each score: descriptive, people of all groups."""
    import pandas as pd  # noqa: PLC0415 - slow to import

    rows: list[dict[str, Any]] = []
    for name in (str(column) for column in data.frame.columns):
        if not name.endswith("_improvement"):
            continue
        improved = data.frame[name].to_numpy(np.float64)
        known = np.isfinite(improved)
        if known.sum() < FEWEST or np.ptp(improved[known]) == 0:
            continue
        r = _correlations(data.values[known], improved[known])
        title = score_title(name.removesuffix("_improvement"))
        rows += [
            {**element._asdict(), "score": title, "r": float(value), "n": int(known.sum())}
            for element, value in zip(data.elements, r, strict=True)
        ]
    del plan
    return pd.DataFrame(rows)


def _correlations(values: Any, with_: Any) -> Any:
    one, two = values - values.mean(axis=0), with_ - with_.mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        return two @ one / np.sqrt((one**2).sum(axis=0) * (two @ two))


def _welch(parts: tuple[Any, ...]) -> dict[str, float]:
    """Welch's t test; NaN where a group has one person, or nobody differs."""
    from scipy.special import stdtr  # noqa: PLC0415 - slow to import

    if len(parts) == 2 and min(own.size for own in parts) > 1:
        shares = [own.var(ddof=1) / own.size for own in parts]
        if sum(shares) > 0:
            t = (parts[0].mean() - parts[1].mean()) / sum(shares) ** 0.5
            rest = sum(share**2 / (own.size - 1) for share, own in zip(shares, parts, strict=True))
            df = sum(shares) ** 2 / rest
            return {"t": float(t), "df": float(df), "p": float(2 * stdtr(df, -abs(t)))}
    return {"t": float("nan"), "df": float("nan"), "p": float("nan")}


def _tried(compute: Callable[[], Traps]) -> Traps:
    """A trap, where there is enough to look at."""
    try:
        return compute()
    except CannotCompute:
        return ()
