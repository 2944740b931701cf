"""A graph as files for other programs: nodes and matrix as TSV, the graph as GraphML."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .graph_answers import NODAL_TITLES, GraphAnswer, Measured
from .io.files import replacing

MISSING = "n/a"  # as BIDS has it


def side_of(answer: GraphAnswer) -> Measured:
    """The graph that is shown; A for a difference, which is no graph of its own."""
    return answer.parts[-1] if answer.recipe.shown == "b" else answer.parts[0]


def nodes_tsv(answer: GraphAnswer) -> str:
    """One row per node: place, and every metric that is known, of A, B and their difference where there are two."""
    connectome = answer.parts[0].connectome
    columns: dict[str, Sequence[Any]] = {"name": connectome.names, "hemisphere": connectome.sides}
    if connectome.places_mm is not None:
        columns |= {f"{axis}_mm": connectome.places_mm[:, n].tolist() for n, axis in enumerate("xyz")}
    for metric in NODAL_TITLES:
        values = [part.metrics.nodal.get(metric) for part in answer.parts]
        known = [each for each in values if each is not None]
        if len(known) != len(answer.parts):
            continue
        if len(known) == 1:
            columns[metric] = known[0].tolist()
        else:
            columns |= {f"{metric}_a": known[0].tolist(), f"{metric}_b": known[1].tolist()}
            columns[f"{metric}_difference"] = (known[0] - known[1]).tolist()
    return table(columns, zip(*columns.values(), strict=True))


def matrix_tsv(part: Measured) -> str:
    """The matrix before the cut, with a header row and a column of names."""
    names = part.connectome.names
    rows = ((name, *values) for name, values in zip(names, part.connectome.matrix.tolist(), strict=True))
    return table(("node", *names), rows)


def table(columns: Iterable[str], rows: Iterable[Sequence[Any]]) -> str:
    """Tab-separated text in full precision."""
    out = io.StringIO()
    out.write("\t".join(_plain(name) for name in columns) + "\n")
    for row in rows:
        out.write("\t".join(map(_cell, row)) + "\n")
    return out.getvalue()


def graphml(part: Measured) -> bytes:
    """The thresholded graph: nodes with name, hemisphere, place and metrics, edges with weight and r."""
    import networkx as nx  # noqa: PLC0415 - slow to import, and only for this

    connectome, cut = part.connectome, part.thresholded
    graph: Any = nx.Graph(
        edges=cut.n_edges, threshold=cut.threshold, density=cut.density, mean_connectivity=cut.mean_connectivity
    )
    for number, name in enumerate(connectome.names):
        facts: dict[str, Any] = {"name": name, "hemisphere": connectome.sides[number]}
        if connectome.places_mm is not None:
            facts |= {f"{axis}_mm": float(connectome.places_mm[number, n]) for n, axis in enumerate("xyz")}
        facts |= {metric: float(values[number]) for metric, values in part.metrics.nodal.items()}
        graph.add_node(number, **facts)
    for i, j in zip(*cut.weights.nonzero(), strict=True):
        if i < j:
            graph.add_edge(int(i), int(j), weight=float(cut.weights[i, j]), r=float(connectome.matrix[i, j]))
    out = io.BytesIO()
    nx.write_graphml_xml(graph, out)
    return out.getvalue()


def write(path: str, content: bytes) -> None:
    """A file that appears whole or not at all.

    Raises
    ------
    Problem
        When it cannot be written.
    """
    with replacing(Path(path)) as file:
        file.write(content)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _cell(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return MISSING
    return _plain(str(value)) or MISSING
