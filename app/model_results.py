"""What a fitted model says: rows of tests, clusters, and where its maps are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .model_clusters import ClusterRow
from .model_places import Point
from .model_traps import PowerLine
from .problems import Finding


class TestRow(NamedTuple):
    """One test; of maps the element with the largest statistic.

    Attributes
    ----------
    name : str
    statistic : "t" or "F"
    value : float
    df : (float, float)
        Of the numerator, 1 for t, and of the residual.
    p : float
        Parametric, uncorrected.
    p_permutation : float or None
        By permutation, uncorrected; None without permutations.
    p_fwe : float or None
        By permutation, for the largest statistic over all elements.
    p_corrected : float or None
        The smallest of all elements (or clusters) by the correction that was asked for.
    peak_mm : (float, float, float) or None
    element : str or None
        Name of the region or vertex.
    estimate, se, ci : float or None
        Of a t test, in units of the data; the interval is of 95 %.
    effect : float
    effect_name : "d" or "f2"
    permutations : int
        Arrangements compared, the observed one included; 0 for none.
    sphericity : mapping or None
        Of repeated measures with more than two levels: Mauchly's W and p, epsilons, p without and with them.
    p_permutation_interval, p_fwe_interval : (float, float) or None
        Where p would lie with more permutations, 95 % (Clopper and Pearson); not of p over all tests.
    """

    name: str
    statistic: str
    value: float
    df: tuple[float, float]
    p: float
    p_permutation: float | None
    p_fwe: float | None
    p_corrected: float | None = None
    peak_mm: Point | None = None
    element: str | None = None
    estimate: float | None = None
    se: float | None = None
    ci: tuple[float, float] | None = None
    partial_r: float | None = None
    effect: float | None = None
    effect_name: str = ""
    permutations: int = 0
    sphericity: Mapping[str, float] | None = None
    p_permutation_interval: tuple[float, float] | None = None
    p_fwe_interval: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class ModelResult:
    """A model's numbers, without its maps.

    Attributes
    ----------
    n : int
        Observations: scans, or subjects where repeated measures are combined.
    residual_df : int
    columns : tuple of str
        Of the design.
    elements : int
        Voxels, vertices or regions; 1 for a column of the table.
    tests : tuple of TestRow
    maps : mapping of str to str
        Paths of written maps by name; those of p hold -log10 p.
    clusters : tuple of ClusterRow
    findings : tuple of Finding
    notes : mapping
        The model and everything that was chosen.
    power : tuple of PowerLine
        What each test can find.
    """

    n: int
    residual_df: int
    columns: tuple[str, ...]
    elements: int
    tests: tuple[TestRow, ...]
    maps: Mapping[str, str] = field(default_factory=dict)
    clusters: tuple[ClusterRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    power: tuple[PowerLine, ...] = ()

    def document(self) -> dict[str, Any]:
        """As one JSON document."""
        return {
            "n": self.n,
            "residual_df": self.residual_df,
            "elements": self.elements,
            "design": {"columns": list(self.columns)},
            "tests": [test._asdict() for test in self.tests],
            "maps": dict(self.maps),
            "clusters": [_cluster(cluster) for cluster in self.clusters],
            "power": [line._asdict() for line in self.power],
            "parameters": dict(self.notes),
            "warnings": self.findings,
        }

    def text(self) -> str:
        """For people, on a terminal."""
        lines = [f"{self.n} observations, {self.residual_df} residual degrees of freedom, {self.elements} elements"]
        lines += [f"columns: {', '.join(self.columns)}", ""]
        lines += map(_line, self.tests)
        lines += ["", *(line.message for line in self.power)]
        lines += ["", *map(_cluster_line, self.clusters)] if self.clusters else []
        if self.maps:
            lines += ["", *sorted(set(self.maps.values()))]
        return "\n".join(lines)


def _cluster(cluster: ClusterRow) -> dict[str, Any]:
    return cluster._asdict() | {"regions": [region._asdict() for region in cluster.regions]}


def _line(test: TestRow) -> str:
    a, b = test.df
    df = f"({b:g})" if test.statistic == "t" else f"({a:g}, {b:g})"
    parts = [f"{test.name}: {test.statistic}{df} = {test.value:.4g}, p = {test.p:.3g}"]
    if test.p_permutation is not None:
        parts.append(f"permutation p = {test.p_permutation:.3g}")
    if test.p_fwe is not None:
        parts.append(f"family-wise p = {test.p_fwe:.3g}")
    if test.estimate is not None and test.ci is not None:
        parts.append(f"estimate {test.estimate:.4g} [{test.ci[0]:.4g}, {test.ci[1]:.4g}]")
    if test.effect is not None:
        parts.append(f"{test.effect_name} = {test.effect:.3g}")
    where = test.element or ("" if test.peak_mm is None else "at " + ", ".join(f"{mm:g}" for mm in test.peak_mm))
    return ", ".join(parts) + (f" {where}" if where else "")


def _cluster_line(cluster: ClusterRow) -> str:
    size = f"{cluster.size_mm2:.0f} mm²" if cluster.size_mm3 is None else f"{cluster.size_mm3:.0f} mm³"
    p = "" if cluster.p is None else f", p = {cluster.p:.3g}"
    at = "" if cluster.peak_mm is None else " at " + ", ".join(f"{mm:g}" for mm in cluster.peak_mm)
    regions = ", ".join(f"{region.name} {100 * region.share:.0f} %" for region in cluster.regions[:3])
    return f"{cluster.test}: cluster of {size}{p}, peak {cluster.peak_value:.4g}{at}{': ' + regions if regions else ''}"
