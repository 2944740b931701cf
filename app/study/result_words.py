"""Results in honest sentences: what was found with numbers, what was not, and what that does not show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...stats.errors import CannotCompute

if TYPE_CHECKING:
    from ..model_corrected import Inferred
    from .answers import Plan, RegionRow

LEVEL = 0.05
MOST_NAMED = 5
CORRECTIONS = {
    "fdr": "false discovery rate",
    "fwe": "family-wise, largest statistic",
    "tfce": "family-wise, TFCE",
    "cluster-extent": "family-wise, cluster extent",
    "cluster-mass": "family-wise, cluster mass",
}
SIMULATED = "Simulated data: nobody was scanned, and nothing here says anything about patients."


def result_words(plan: Plan, made: Any, regions: Any) -> tuple[str, ...]:
    """All sentences of an answer."""
    return (
        *simulated_words(plan),
        plan.words,
        *voxel_words(made.found, made.clusters),
        *region_words(plan, regions.rows, made.tested.maps.df[1], regions.permutations),
        *caution(plan),
    )


def simulated_words(plan: Plan) -> tuple[str, ...]:
    """What is said first of simulated data."""
    return (SIMULATED,) if plan.title.lower().startswith("simulated") else ()


def voxel_words(found: Inferred, clusters: Sequence[Any]) -> tuple[str, ...]:
    """What survives among voxels."""
    import numpy as np  # noqa: PLC0415

    maps, p = found.tested.maps, found.p_corrected
    n = int(np.isfinite(maps.statistic).sum())
    if p is None:
        share = float(np.nanmean(maps.p < 0.001)) if n else 0.0
        said = (
            f"Uncorrected over {n} voxels: {100 * share:.1f} % pass p < .001 where chance alone gives 0.1 %. Nothing "
            "is corrected for the number of voxels; this map is exploratory."
        )
        return (said,)
    how = CORRECTIONS[found.inference.correction]
    survive = p < LEVEL
    if not survive.any():
        least = f"{np.nanmin(p):.3g}" if np.isfinite(p).any() else "none"
        return (f"No voxel survives correction ({how}, p < .05, {n} voxels; the smallest p is {least}).",)
    t = maps.statistic[survive]
    direction = (
        f"{int((t > 0).sum())} positive, {int((t < 0).sum())} negative"
        if found.tested.signed
        else "without a direction"
    )
    places = "; ".join(_cluster(cluster) for cluster in list(clusters)[:3])
    return (
        f"{int(survive.sum())} of {n} voxels survive correction ({how}, p < .05): {direction}."
        + (f" Largest clusters: {places}." if places else ""),
    )


def _cluster(cluster: Any) -> str:
    named = cluster["regions"][0]["name"] if cluster["regions"] else "unnamed"
    size = cluster["size_mm3"]
    p = "" if cluster["p"] is None else f", p = {cluster['p']:.3g}"
    return f"{named}, {size:.0f} mm³, peak {cluster['peak_value']:.2f}{p}"


def region_words(plan: Plan, rows: Sequence[RegionRow], df: float, permutations: int) -> tuple[str, ...]:
    """What survives among named regions, what passes uncorrected, and what that does not show."""
    known = [row for row in rows if math.isfinite(row.p)]
    if not known:
        return ("No named region could be read: see the warnings about space and mask.",)
    survive = [row for row in known if row.p_fwe is not None and row.p_fwe < LEVEL]
    corrected = any(row.p_fwe is not None for row in known)
    passing = [row for row in known if row.p < LEVEL and row not in survive]
    over = f"over {len(known)} regions by the largest statistic of {permutations} arrangements"
    said: list[str] = []
    if survive:
        told = "; ".join(region_row(row, plan.unit) for row in _strongest(survive))
        more = f" and {len(survive) - MOST_NAMED} more" if len(survive) > MOST_NAMED else ""
        said.append(f"Regions that survive correction ({over}): {told}{more}.")
    elif corrected:
        said.append(f"No named region survives correction ({over}).")
    else:
        said.append(f"Nothing is corrected for {len(known)} regions: this design has nobody to exchange.")
    if passing:
        told = ", ".join(f"{row.region} {row.side} ({'+' if row.effect > 0 else '−'})".strip() for row in passing)
        chance = LEVEL * len(known)
        said.append(
            f"Exploratory, uncorrected p < .05: {told}; by chance about {chance:.1f} of {len(known)} would pass."
        )
    said += absence(df)
    return tuple(said)


def region_row(row: RegionRow, unit: str) -> str:
    """A region with its numbers."""
    p = "" if row.p_fwe is None else f", p_fwe = {row.p_fwe:.3g}"
    return (
        f"{row.region} {row.side} {row.effect:+.3g} {unit} [{row.ci[0]:.3g}, {row.ci[1]:.3g}], "
        f"t({row.df:.4g}) = {row.statistic:.2f}{p}"
    )


def _strongest(rows: Sequence[RegionRow]) -> list[RegionRow]:
    return sorted(rows, key=lambda row: -abs(row.statistic))[:MOST_NAMED]


def absence(df: float) -> tuple[str, ...]:
    """What a result that is not significant does not show."""
    from ...stats.power import Sensitivity  # noqa: PLC0415 - SciPy

    try:
        true = Sensitivity("r", (1.0, df), df + 2, LEVEL).detectable()
    except CannotCompute:
        return ()
    d = 2 * true / math.sqrt(1 - true**2)
    said = (
        f"What did not pass is not shown to be absent: with {df:.4g} degrees of freedom, effects below a partial |r| "
        f"of {true:.2f} (d = {d:.1f}) would usually be missed even at uncorrected p < .05."
    )
    return (said,)


def caution(plan: Plan) -> tuple[str, ...]:
    """What the wording of a question must not say."""
    said = [finding.message for finding in plan.findings if finding.code in {"interaction-first", "group-is-site"}]
    if plan.ask.kind == "change" and plan.ask.arm == "pooled" and " arms pooled" in plan.words:
        said.append("Both arms together: this does not say that the drug did it.")
    return tuple(said)
