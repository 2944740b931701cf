"""From the answer of a graph to what its panel shows: text, matrices, nodes, links."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...render.graph_scene import Links, Nodes
from ...resources import colours as tables
from ...stats.correlate import fisher_z
from ...widgets.matrix import Arrangement
from ...widgets.numbers import format_number
from ...widgets.theme import is_dark, look
from ...widgets.value_model import Column
from ..connectome import Connectome
from ..graph_answers import NODAL_TITLES, OVERALL_TITLES, GraphAnswer, Measured, difference_of, overall
from ..layers import tables_of
from ..recipes import EdgeRule
from ..state import Colours

MOST_LINKS = 400
SMALLEST_MM, LARGEST_MM = 1.6, 5.0  # radius of nodes
BINS = 100
ON_DARK, ON_LIGHT = "ice-fire", "blue-red"

METRICS = {
    "degree": Column("Degree", "", "number", "Degree"),
    "strength": Column("Strength", "", "number", "Strength"),
    "clustering": Column("Clustering", "", "number", "Clustering"),
    "local_efficiency": Column("Local eff.", "", "number", "Local efficiency"),
    "betweenness": Column("Betweenness", "", "number", "Betweenness"),
    "eigenvector": Column("Eigenvector", "", "number", "Eigenvector centrality"),
    "participation": Column("Particip.", "", "number", "Participation"),
    "core": Column("Core", "", "number", "Core number"),
}
"""Columns of the node table; their tips are the metrics' full names."""


class Counts(NamedTuple):
    """A histogram: ``n + 1`` edges, ``n`` counts."""

    edges: NDArray[np.float64]
    counts: NDArray[np.float64]


def facts_of(answer: GraphAnswer) -> str:
    """What must always be said of a thresholded graph, as rich text; one line for each side."""
    lines = [facts_line(part, answer.recipe.rule) for part in answer.parts]
    if len(lines) == 1:
        return lines[0]
    return "<br>".join(f"<b>{side}</b> {line}" for side, line in zip("AB", lines, strict=True))


def facts_line(part: Measured, rule: EdgeRule) -> str:
    """One graph: mean connectivity, negative share, threshold, edges, components, ties."""
    cut = part.thresholded
    negative = {"positive": "dropped", "absolute": "by size", "signed": "kept"}[rule.edges]
    warned = look().warning
    regions = f"<b>{len(part.connectome.names)}</b> regions"
    incomplete = any(finding.code.startswith("regions-") for finding in part.connectome.findings)
    words = [
        f'<span style="color:{warned}">{regions}</span>' if incomplete else regions,
        f"mean r <b>{format_number(cut.mean_connectivity)}</b>",
        f"<b>{100 * cut.negative_share:.1f} %</b> negative ({negative})",
        f"{'|r|' if rule.edges != 'positive' else 'r'} ≥ <b>{format_number(cut.threshold)}</b>",
        f"<b>{cut.n_edges:,}</b> edges ({format_number(100 * cut.density)} %)",
    ]
    pieces = f"<b>{cut.components}</b> component{'s' * (cut.components != 1)}"
    words.append(f'<span style="color:{warned}">{pieces}</span>' if cut.components > 1 else pieces)
    ties = f"<b>{cut.ties}</b> ties at the cut"
    words.append(f'<span style="color:{warned}">{ties}</span>' if cut.ties else "no ties")
    return " · ".join(words)


def sources_of(answer: GraphAnswer) -> str:
    """What the sides are made of, and what is to be known of it."""
    lines = [
        f"{side}: {part.connectome.title}, {len(part.connectome.names)} regions"
        for side, part in zip("AB", answer.parts, strict=False)
    ]
    return "\n".join([*lines, *dict.fromkeys(finding.message for finding in answer.findings)])


def counts_of(answer: GraphAnswer) -> Counts:
    """Histogram of the pairs of the side that is shown; of Fisher z for a difference."""
    values = matrix_of(answer, answer.recipe.shown)
    pairs = values[np.triu_indices(len(values), 1)]
    low, high = min(-0.5, float(pairs.min())), max(0.5, float(pairs.max()))
    counts, edges = np.histogram(pairs, BINS, (np.floor(low * 10) / 10, np.ceil(high * 10) / 10))
    return Counts(edges, counts.astype(np.float64))


def matrix_of(answer: GraphAnswer, side: str) -> NDArray[np.float64]:
    """Matrix of a side: r, or the difference of Fisher z."""
    if side == "difference":
        return difference_of(answer.parts)
    return (answer.parts[-1] if side == "b" else answer.parts[0]).connectome.matrix


def kept_of(answer: GraphAnswer, side: str) -> NDArray[np.bool_]:
    """Which pairs are edges; for a difference, of either graph."""
    kept = [part.thresholded.weights != 0 for part in answer.parts]
    if side == "difference" and len(kept) > 1:
        return kept[0] | kept[1]
    return kept[-1] if side == "b" else kept[0]


def limit_of(values: NDArray[np.float64]) -> float:
    """End of a matrix's colours: round, and near its largest value, without the few that are beyond all others."""
    pairs = np.abs(values[np.triu_indices(len(values), 1)])
    return max(0.1, float(np.ceil(np.percentile(pairs, 99.8) * 10) / 10))


def arrangement_of(answer: GraphAnswer, order: str, modules: NDArray[np.int32] | None) -> Arrangement:
    """Order of the nodes: left then right (then the rest), as in the atlas, or module by module."""
    connectome = answer.parts[0].connectome
    n = len(connectome.names)
    if order == "modules" and modules is not None:
        alone = np.bincount(modules)[modules] == 1  # in modules of their own, which need no line each
        group = np.where(alone, modules.max() + 1, modules)
        by_module = np.lexsort((np.arange(n), group))
        return Arrangement(by_module, strong_lines=_borders(group[by_module]))
    if order == "hemispheres" and any(connectome.sides):
        side = np.array(["LR".find(each) if each else 2 for each in connectome.sides])
        by_side = np.argsort(side, kind="stable")
        return Arrangement(by_side, _network_borders(connectome, by_side), _borders(side[by_side]))
    return Arrangement(np.arange(n), _network_borders(connectome, np.arange(n)))


def _network_borders(connectome: Connectome, order: NDArray[np.intp]) -> tuple[int, ...]:
    """Where the network changes, in atlases whose names begin with one (as Schaefer's do); few, or none."""
    networks = np.array([connectome.names[n].split(" ")[0] for n in order])
    borders = _borders(networks)
    return borders if len(borders) <= 24 and len(order) >= 6 * (len(borders) + 1) else ()


def _borders(groups: NDArray[np.generic]) -> tuple[int, ...]:
    return tuple((np.flatnonzero(groups[1:] != groups[:-1]) + 1).tolist())


def nodes_of(places_mm: NDArray[np.float32], values: NDArray[np.float64], colours: Colours) -> Nodes:
    """Spheres coloured as the layer is and sized by the size of the value."""
    size = np.abs(np.nan_to_num(values))
    share = np.sqrt(size / max(float(size.max(initial=0.0)), 1e-12))  # the area follows the value
    radii = (SMALLEST_MM + (LARGEST_MM - SMALLEST_MM) * share).astype(np.float32)
    return Nodes(places_mm, radii, coloured(values, colours))


def coloured(values: NDArray[np.float64], colours: Colours) -> NDArray[np.uint8]:
    """Values (n,) as a layer of these colours shows them, (n, 3)."""
    positive, negative = tables_of(colours)

    def level(size: NDArray[np.float64], low: float, high: float) -> NDArray[np.intp]:
        return np.clip((size - low) / max(high - low, 1e-30) * 255 + 0.5, 0, 255).astype(np.intp)

    known = np.nan_to_num(values)
    result = positive[level(known, colours.low, colours.high)]
    if negative is not None:
        below = known < 0
        result = np.where(below[:, None], negative[level(-known, colours.negative_low, colours.negative_high)], result)
    return np.where(np.isfinite(values)[:, None], result, 128).astype(np.uint8)


class DrawnLinks(NamedTuple):
    """The links that are drawn, and how many there are."""

    links: Links
    total: int

    @property
    def note(self) -> str:
        """What is said where not all are drawn."""
        drawn = len(self.links.pairs)
        return f"{drawn} of {self.total:,} edges" if drawn < self.total else f"{self.total:,} edges"


def links_of(answer: GraphAnswer, side: str, chosen: int | None) -> DrawnLinks:
    """The strongest edges; all of the chosen node's own, wide."""
    values, kept = matrix_of(answer, side), kept_of(answer, side)
    i, j = np.nonzero(np.triu(kept, 1))
    strength = np.abs(values[i, j])
    drawn = np.argsort(-strength, kind="stable")[:MOST_LINKS]
    own = np.zeros(len(i), bool) if chosen is None else (i == chosen) | (j == chosen)
    if chosen is not None:
        drawn = np.union1d(drawn, np.flatnonzero(own))
    drawn = drawn[np.argsort(strength[drawn], kind="stable")]
    limit = limit_of(values)
    table = tables.lut(ON_DARK if is_dark() else ON_LIGHT)  # as in the matrix
    level = np.clip((values[i, j][drawn] / limit + 1) * 127.5 + 0.5, 0, 255).astype(np.intp)
    pairs = np.column_stack([i, j])[drawn].astype(np.int32)
    return DrawnLinks(Links(pairs, table[level], own[drawn]), len(i))


def entry_text(answer: GraphAnswer, row: int, column: int) -> str:
    """A pair of regions and their correlation."""
    connectome = answer.parts[0].connectome
    if row == column:
        return connectome.names[row]
    values = [part.connectome.matrix[row, column] for part in answer.parts]
    words = [f"r = {format_number(float(values[0]))}"]
    if len(values) > 1:
        words = [f"A {words[0]}", f"B r = {format_number(float(values[1]))}"]
        difference = float(fisher_z(values[0]) - fisher_z(values[1]))
        words.append(f"A − B = {format_number(difference)} (Fisher z)")
    is_edge = [bool(part.thresholded.weights[row, column]) for part in answer.parts]
    words.append("edge" if all(is_edge) else "no edge" if not any(is_edge) else "edge of one")
    return f"{connectome.names[row]} – {connectome.names[column]}: {', '.join(words)}"


def number_rows(answer: GraphAnswer) -> list[tuple[str | float | None, ...]]:
    """Rows of the table of the whole graph."""
    found = overall(answer.parts)
    return [(title, *_padded(found[name])) for name, title in OVERALL_TITLES.items()]


def _padded(values: tuple[float, ...]) -> tuple[float | None, ...]:
    return tuple(values[n] if n < len(values) else None for n in range(3))


def title_of(metric: str) -> str:
    """A metric's name for people."""
    return NODAL_TITLES[metric]
