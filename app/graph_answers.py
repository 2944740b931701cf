"""Graphs of matrices: cut by a rule, measured, and painted on the regions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..stats.arrays import Float32, Float64, Report
from ..stats.correlate import fisher_z
from ..stats.errors import CannotCompute
from .answers import Answer, ArrayImage
from .atlas import Atlas
from .connectome import Connectome, shared
from .problems import Finding, Problem, silent
from .recipes import EdgeRule, GraphMetric

if TYPE_CHECKING:
    from ..stats.graph import GraphMetrics, Thresholded

NODAL_TITLES = {
    "degree": "Degree",
    "strength": "Strength",
    "clustering": "Clustering",
    "local_efficiency": "Local efficiency",
    "betweenness": "Betweenness",
    "eigenvector": "Eigenvector centrality",
    "core": "Core number",
    "participation": "Participation",
}
OVERALL_TITLES = {
    "clustering": "Clustering",
    "transitivity": "Transitivity",
    "global_efficiency": "Global efficiency",
    "local_efficiency": "Local efficiency",
    "path_length": "Path length",
    "assortativity": "Assortativity",
    "modularity": "Modularity",
    "small_worldness": "Small-worldness",
}
SIDE_TITLES = {"a": "A", "b": "B", "difference": "A − B"}


class Measured(NamedTuple):
    """One graph: its matrix, the edges kept, what was measured so far."""

    connectome: Connectome
    thresholded: Thresholded
    metrics: GraphMetrics


@dataclass(frozen=True, eq=False, kw_only=True)
class GraphAnswer(Answer):
    """A painted metric with the graphs that it was measured on.

    Attributes
    ----------
    parts : tuple of Measured
        A, and B where there is one; both with the same nodes then.
    recipe : GraphMetric
        The question.
    """

    parts: tuple[Measured, ...]
    recipe: GraphMetric


def graph_answer(question: GraphMetric, matrices: tuple[Connectome, ...], atlas: Atlas | None) -> GraphAnswer:
    """Cut and measure the graphs of one or two matrices, and paint the metric that is asked for.

    Raises
    ------
    Problem
        When the rule makes no sense for the matrices, or two matrices share no nodes.
    """
    if len(matrices) > 1:
        matrices = tuple(matrix.subset(rows) for matrix, rows in zip(matrices, shared(matrices), strict=True))
    from ..stats.graph import QUICK  # noqa: PLC0415 - Numba

    parts = tuple(measured(matrix, question.rule, (*QUICK, question.metric)) for matrix in matrices)
    values = nodal(question, parts, question.metric)
    chosen = parts[-1] if question.shown == "b" else parts[0]
    title = NODAL_TITLES[question.metric]
    return GraphAnswer(
        title=f"{title}, {SIDE_TITLES[question.shown]}" if len(parts) > 1 else title,
        image=None if atlas is None else painted(chosen.connectome, values, atlas),
        unit="edges" if question.metric == "degree" else "",
        space=None if atlas is None else atlas.info.template or None,
        findings=tuple(
            finding for part in parts for finding in (*part.connectome.findings, *findings_of(part, question.rule))
        ),
        notes=notes_of(question, parts),
        simulated=any(part.connectome.simulated for part in parts),
        parts=parts,
        recipe=question,
    )


def measured(matrix: Connectome, rule: EdgeRule, names: Iterable[str], report: Report = silent) -> Measured:
    """A matrix cut by a rule and measured.

    Raises
    ------
    Problem
        When the rule cannot be followed.
    """
    from ..stats.graph import metrics, threshold_matrix  # noqa: PLC0415 - Numba

    try:
        cut = threshold_matrix(matrix.matrix, rule.edges, density=rule.density, r=rule.r, weighted=rule.weighted)
        return Measured(matrix, cut, metrics(cut, dict.fromkeys(names), report=report))
    except CannotCompute as refused:
        raise Problem(matrix.title, refused.what, refused.todo) from refused


def nodal(question: GraphMetric, parts: tuple[Measured, ...], metric: str) -> Float64:
    """A nodal metric as it is shown: of A, of B, or A less B; NaN where it has not been measured."""
    missing = np.full(len(parts[0].connectome.names), np.nan)
    values = [part.metrics.nodal.get(metric, missing) for part in parts]
    if question.shown == "difference" and len(values) > 1:
        return values[0] - values[1]
    return values[-1] if question.shown == "b" else values[0]


def overall(parts: tuple[Measured, ...]) -> dict[str, tuple[float, ...]]:
    """Metrics of the whole graph by name: of A, and where there is a B, of B and A less B."""
    found: dict[str, tuple[float, ...]] = {}
    for name in OVERALL_TITLES:
        values = [part.metrics.overall.get(name, np.nan) for part in parts]
        found[name] = (*values, values[0] - values[1]) if len(values) > 1 else tuple(values)
    return found


def difference_of(parts: tuple[Measured, ...]) -> Float64:
    """Fisher z of A less that of B, (R, R), 0 on the diagonal."""
    difference = fisher_z(parts[0].connectome.matrix) - fisher_z(parts[1].connectome.matrix)
    np.fill_diagonal(difference, 0.0)
    return difference


def painted(connectome: Connectome, values: Float64, atlas: Atlas) -> ArrayImage | None:
    """A value for each node on the voxels of its region, NaN elsewhere; None where nodes are no regions."""
    if connectome.labels is None:
        return None
    table = np.full(len(atlas.regions) + 1, np.nan, np.float32)
    table[connectome.labels] = values
    flat: Float32 = table.take(atlas.labels.ravel(order="F"))
    return ArrayImage(atlas.grid, flat.reshape(atlas.grid.shape, order="F"))


def findings_of(part: Measured, rule: EdgeRule) -> tuple[Finding, ...]:
    """What is to be said of a thresholded graph, in the words of `habena graph`."""
    from .graphs import findings_of as said  # noqa: PLC0415 - Numba

    return said(part.connectome, part.thresholded, rule.edges, rule.density)


def notes_of(question: GraphMetric, parts: tuple[Measured, ...]) -> dict[str, Any]:
    """What was done, for the sidecar of a map."""
    rule = question.rule
    notes: dict[str, Any] = {
        "metric": question.metric,
        "shown": question.shown,
        "edges": rule.edges,
        "weighted": rule.weighted,
        "density": rule.density,
        "r": rule.r,
    }
    for name, part in zip(("a", "b"), parts, strict=False):
        cut = part.thresholded
        notes[name] = {
            "title": part.connectome.title,
            "runs": part.connectome.runs,
            "nodes": len(part.connectome.names),
            "edges": cut.n_edges,
            "threshold": cut.threshold,
            "ties": cut.ties,
            "components": cut.components,
            "mean_connectivity": cut.mean_connectivity,
            "negative_share": cut.negative_share,
        } | part.connectome.notes
    return notes


def with_metrics(parts: tuple[Measured, ...], more: tuple[GraphMetrics, ...]) -> tuple[Measured, ...]:
    """Graphs with what was measured later."""
    return tuple(
        part._replace(
            metrics=part.metrics._replace(
                overall={**part.metrics.overall, **extra.overall}, nodal={**part.metrics.nodal, **extra.nodal}
            )
        )
        for part, extra in zip(parts, more, strict=True)
    )
