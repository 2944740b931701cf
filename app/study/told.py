"""An answer as rows and lines: tables of regions for JSON, files and terminals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .answers import Answered, RegionRow

if TYPE_CHECKING:
    import pandas as pd

MOST_CLUSTERS = 20  # in a list; the table has all
COLUMNS = {
    "region": "Common name of the region; of a crossover the term of the model.",
    "side": "L, R, or empty where both or none.",
    "metric": "Graph metric.",
    "atlas": "Where the outline of the region comes from, as `habena regions` lists it.",
    "effect": "Effect of the region's mean.",
    "ci_low": "Lower end of the 95 % interval of the effect.",
    "ci_high": "Upper end of the 95 % interval of the effect.",
    "statistic": "Statistic of the test of the region's mean.",
    "df": "Residual degrees of freedom.",
    "p": "p of this region alone.",
    "p_fwe": "p over all regions listed, by permutation of the largest statistic.",
    "note": "What must be said beside the row.",
}


def row_document(row: RegionRow) -> dict[str, Any]:
    """A region as `habena ask --json` prints it."""
    made: dict[str, Any] = {
        "region": row.region,
        "side": row.side,
        "atlas": row.atlas,
        "effect": row.effect,
        "ci": list(row.ci),
        "statistic": row.statistic,
        "p": row.p,
        "p_fwe": row.p_fwe,
    }
    return made | ({"metric": row.metric} if row.metric else {})


def regions_frame(answered: Answered) -> pd.DataFrame:
    """All rows as a table with the columns of `COLUMNS`."""
    import pandas as pd  # noqa: PLC0415 - slow to import

    rows = [
        {
            "region": row.region,
            "side": row.side,
            "metric": row.metric,
            "atlas": row.atlas,
            "effect": row.effect,
            "ci_low": row.ci[0],
            "ci_high": row.ci[1],
            "statistic": row.statistic,
            "df": row.df,
            "p": row.p,
            "p_fwe": math.nan if row.p_fwe is None else row.p_fwe,
            "note": row.note,
        }
        for row in answered.regions
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def region_table(rows: Sequence[RegionRow], unit: str) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """Heads and cells for people: columns that say nothing in any row are left out."""
    metric, fwe = any(row.metric for row in rows), any(row.p_fwe is not None for row in rows)
    sides, atlases = any(row.side for row in rows), any(row.atlas for row in rows)
    heads = ["region" if atlases or metric else "term", *(["side"] if sides else []), *(["metric"] if metric else [])]
    heads += ["atlas"] if atlases else []
    heads += [f"effect [{unit}]" if unit else "effect", "95 % CI", "direction", "statistic", "p"]
    heads += ["p FWE"] if fwe else []
    cells: list[tuple[object, ...]] = []
    for row in rows:
        made: list[object] = [row.region, *([row.side] if sides else []), *([row.metric] if metric else [])]
        made += [row.atlas] if atlases else []
        made += [row.effect, _interval(row.ci), direction(row), row.statistic, p_text(row.p)]
        made += [p_text(row.p_fwe)] if fwe else []
        cells.append(tuple(made))
    return tuple(heads), cells


def direction(row: RegionRow) -> str:
    """Which way an effect points."""
    return "+" if row.effect > 0 else "−" if row.effect < 0 else ""


def p_text(p: float | None) -> str:
    """A p-value: never 0."""
    if p is None or not math.isfinite(p):
        return "–"
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1e}"


def told(answered: Answered, files: Sequence[str] = ()) -> str:
    """Words, regions, clusters and files on a terminal."""
    plan = answered.plan
    lines = [plan.title, plan.words, f"model: {plan.formula}", counted(answered), "", *sentences(answered), ""]
    heads, cells = region_table(answered.regions, plan.unit)
    lines += _aligned([heads, *([_cell(cell) for cell in row] for row in cells)])
    lines += ["", *cluster_lines(answered.clusters)] if answered.clusters else []
    lines += ["", *files] if files else []
    return "\n".join(lines)


def sentences(answered: Answered) -> list[str]:
    """The result; what was asked stands elsewhere."""
    return [sentence for sentence in answered.words if sentence != answered.plan.words]


def counted(answered: Answered) -> str:
    """Who was counted, in a line."""
    plan = answered.plan
    groups = [(name, count) for name, count in plan.n.items() if name != "excluded"]
    if plan.ask.kind == "crossover":
        groups = [(name.replace(", ", " then "), count) for name, count in groups]  # a sequence
    return "n: " + ", ".join(f"{name} {count}" for name, count in groups)


def cluster_lines(clusters: Sequence[Any]) -> list[str]:
    """The largest clusters, a line each, and how many more there are."""
    more = len(clusters) - MOST_CLUSTERS
    rest = [f"{more} smaller clusters are in the table of clusters."] if more > 0 else []
    return [*map(cluster_line, clusters[:MOST_CLUSTERS]), *rest]


def cluster_line(cluster: Any) -> str:
    """A cluster in a line."""
    size, peak, at = cluster.get("size_mm3"), cluster.get("peak_value"), cluster.get("peak_mm")
    parts = ["cluster" if size is None else f"cluster of {size:.0f} mm³"]
    if cluster.get("p") is not None:
        parts.append(f"p = {cluster['p']:.3g}")
    if peak is not None:
        parts.append(f"peak {peak:.4g}" + (" at " + ", ".join(f"{mm:g}" for mm in at) + " mm" if at else ""))
    regions = ", ".join(f"{each['name']} {100 * each['share']:.0f} %" for each in (cluster.get("regions") or ())[:3])
    return ", ".join(parts) + (f": {regions}" if regions else "")


def _interval(ci: tuple[float, float]) -> str:
    return f"[{_cell(ci[0])}, {_cell(ci[1])}]" if math.isfinite(ci[0] + ci[1]) else "–"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "–"
    return str(value)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
