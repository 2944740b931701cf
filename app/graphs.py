"""Graphs from files to tables: what `habena graph` calls."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .problems import Finding, Problem, silent
from .recipes import FileMap, Preparation, RegionMatrix
from .region_tables import RegionTable

if TYPE_CHECKING:
    from ..stats.graph import Edges, GraphMetrics, Thresholded
    from ..stats.graph_null import Nulls
    from .connectome import Connectome

Report = Callable[[float], None]

WHOLE_NUMBERS = ("degree", "core")
DEFAULT_ATLAS = "aal2"


@dataclass(frozen=True)
class Cut:
    """How edges are chosen, and what is measured on them.

    Attributes
    ----------
    densities : tuple of float
        One graph each; empty when ``r`` is given.
    r : float or None
    edges : "positive", "absolute" or "signed"
    weighted : bool
    metrics : tuple of str
        Empty for the usual ones.
    area : bool
        Also the area under each measure over the densities.
    nulls : (number, rewirings, seed)
        Random graphs for small-worldness; the seed is also that of the modules.
    """

    densities: tuple[float, ...] = ()
    r: float | None = None
    edges: Edges = "positive"
    weighted: bool = False
    metrics: tuple[str, ...] = ()
    area: bool = False
    nulls: tuple[int, int, int] = (20, 10, 0)


@dataclass(frozen=True)
class RunOptions:
    """How a run becomes a matrix.

    Attributes
    ----------
    atlas : str or None
        None for AAL2.
    preparation : Preparation
    kind : "pearson" or "partial"
        Partial with Ledoit and Wolf's shrinkage.
    """

    atlas: str | None = None
    preparation: Preparation = field(default_factory=Preparation)
    kind: Literal["pearson", "partial"] = "pearson"


@dataclass(frozen=True)
class GraphTable:
    """Graphs of one matrix, measured.

    Attributes
    ----------
    names : tuple of str
    graphs : tuple of dict
        As in the JSON document.
    more : dict
        Further entries of the document.
    findings : tuple of Finding
    """

    names: tuple[str, ...]
    graphs: tuple[dict[str, Any], ...]
    more: dict[str, Any]
    findings: tuple[Finding, ...]

    def document(self) -> dict[str, Any]:
        """As one JSON document."""
        return {"graphs": self.graphs, **self.more, "warnings": self.findings}

    def nodes(self) -> RegionTable:
        """One row for each density and node; then the areas over the densities, if they were asked for."""
        metrics = [name for name in self.graphs[0]["nodal"] if name != "label"]
        rows = [
            (graph["density"], *row)
            for graph in self.graphs
            for row in zip(*(graph["nodal"][name] for name in ("label", *metrics)), strict=True)
        ]
        if "auc" in self.more:
            area = self.more["auc"]["nodal"]
            rows += [("auc", *row) for row in zip(*(area[name] for name in ("label", *metrics)), strict=True)]
        return RegionTable("nodes", ("density", "label", *metrics), tuple(rows), self.findings)

    def text(self, *, nodes: bool = True) -> str:
        """For people, on a terminal."""
        parts = [self.overall().text(), *([self.nodes().text()] if nodes else [])]
        if "nulls" in self.more:
            told = self.more["nulls"]
            how = f"{told['rewirings_per_edge']} rewirings per edge, seed {told['seed']}"
            parts[0] += f"\nsmall_worldness beside {told['number']} random graphs with the same degrees, {how}"
        return "\n\n".join(parts)

    def overall(self) -> RegionTable:
        """One row for each density: the graph as a whole; then the areas, if they were asked for."""
        facts = ("density", "edges", "threshold", "components", "mean_connectivity")
        rows = [(*(graph[name] for name in facts), *graph["global"].values()) for graph in self.graphs]
        if "auc" in self.more:
            rows.append(("auc", *([None] * (len(facts) - 1)), *self.more["auc"]["global"].values()))
        return RegionTable("graphs", (*facts, *self.graphs[0]["global"]), tuple(rows), self.findings)


def graph(source: str, cut: Cut, of_run: RunOptions | None = None, report: Report = silent) -> GraphTable:
    """Measure the graphs of a matrix or of a run.

    Parameters
    ----------
    source : str
        A table of text, else a 4D image.
    cut : Cut
    of_run : RunOptions or None
        How a run becomes a matrix; None for a matrix, or the usual way.

    Raises
    ------
    Problem
        When the file cannot be used, or an option makes no sense.
    """
    names = check_cut(cut)
    matrix = matrix_of(source, of_run or RunOptions(), lambda done: report(0.5 * done))
    settings: list[float | None] = [None] if cut.r is not None else [*cut.densities]
    graphs: list[dict[str, Any]] = []
    findings = list(matrix.findings)
    for number, density in enumerate(settings):
        found, thresholded = _measured(
            matrix, cut, density, names, lambda done, n=number: report(0.5 + 0.5 * (n + done) / len(settings))
        )
        graphs.append(_described(matrix.names, density, found, thresholded))
        findings += findings_of(matrix, thresholded, cut.edges, density)
    return GraphTable(matrix.names, tuple(graphs), _more(matrix, cut, names, graphs), tuple(dict.fromkeys(findings)))


def check_cut(cut: Cut) -> tuple[str, ...]:
    """Refuse a cut that makes no sense, before any file is read; the metrics that it asks for.

    Raises
    ------
    Problem
        With what to give instead.
    """
    from ..stats.graph import NAMES, STANDARD  # noqa: PLC0415 - Numba

    if bool(cut.densities) == (cut.r is not None):
        what = "no threshold is given" if cut.r is None else "both --density and --r are given"
        raise Problem("graph", what, "give one of --density D[,D..] or --r R")
    for density in cut.densities:
        if not 0 < density <= 1:
            raise Problem("--density", f"{density:g} is no share of all pairs", "give numbers above 0, at most 1")
    if len(set(cut.densities)) < len(cut.densities):
        raise Problem("--density", "a density is given twice", "give each once")
    if cut.r is not None and not math.isfinite(cut.r):
        raise Problem("--r", "is not a number", "give a threshold such as 0.3")
    if cut.r is not None and not 0 <= cut.r <= 1:
        raise Problem("--r", f"{cut.r:g} is no threshold of correlations", "give one from 0 to 1, such as 0.3")
    if cut.area and len(cut.densities) < 2:
        raise Problem("--auc", "an area needs several densities", "give --density 0.1,0.2,0.3")
    _check_nulls(*cut.nulls)
    unknown = [name for name in cut.metrics if name not in NAMES]
    if unknown:
        raise Problem("--metrics", f"there is no metric {', '.join(unknown)}", f"choose from {', '.join(NAMES)}")
    return cut.metrics or STANDARD


def _check_nulls(number: int, rewirings: int, seed: int) -> None:
    for name, value in (("--nulls", number), ("--rewirings", rewirings)):
        if value < 1:
            raise Problem(name, f"{value} is no number of them", "give 1 or more")
    if seed < 0:
        raise Problem("--seed", f"{seed} is no seed", "give 0 or more")


def matrix_of(source: str, options: RunOptions, report: Report) -> Connectome:
    """The matrix of a table, or of a run's mean series in the regions of an atlas.

    Raises
    ------
    Problem
        When there is none.
    """
    from .connectome import of_file, of_run  # noqa: PLC0415
    from .io.matrices import is_matrix_name  # noqa: PLC0415

    if is_matrix_name(source):
        if options != RunOptions():
            what = "is a matrix: an atlas, preparation and kind of correlation are for runs"
            raise Problem(source, what, "leave them out, or name a 4D image")
        return of_file(source)
    from .compute import answer_to, open_atlas  # noqa: PLC0415
    from .io.atlases import describe  # noqa: PLC0415
    from .questions import PreparedRun  # noqa: PLC0415
    from .results import Results  # noqa: PLC0415
    from .seeding import about_brain, check_preparation  # noqa: PLC0415

    check_preparation(options.preparation)
    atlas = describe(options.atlas or DEFAULT_ATLAS).id
    question = RegionMatrix((FileMap(source),), atlas, options.preparation, kind=options.kind)
    results = Results(1 << 62)
    answer = answer_to(question.runs[0], results)
    _refuse_other_space(source, answer.space, atlas)
    prepared = answer_to(PreparedRun(question.runs[0], options.preparation), results, report)
    found = of_run(question, prepared, open_atlas(atlas))
    return replace(found, findings=(*about_brain(source, prepared.notes), *found.findings))


def _refuse_other_space(source: str, space: str | None, atlas: str) -> None:
    from . import templates  # noqa: PLC0415
    from .io.atlases import describe  # noqa: PLC0415

    fit = templates.compatible(space, describe(atlas).template)
    if not fit.names_regions:
        todo = "name its space with a space- entity, its sidecar or sform code 4, or give another --atlas"
        raise Problem(source, fit.message.removesuffix(": no region names are shown"), todo)


def _measured(
    matrix: Connectome, cut: Cut, density: float | None, names: tuple[str, ...], report: Report
) -> tuple[GraphMetrics, Thresholded]:
    from ..stats.errors import CannotCompute  # noqa: PLC0415
    from ..stats.graph import metrics, threshold_matrix  # noqa: PLC0415
    from ..stats.graph_null import Nulls  # noqa: PLC0415

    nulls: Nulls = Nulls(*cut.nulls)
    try:
        kept = threshold_matrix(matrix.matrix, cut.edges, density=density, r=cut.r, weighted=cut.weighted)
        return metrics(kept, names, seed=nulls.seed, nulls=nulls, report=report), kept
    except CannotCompute as refused:
        raise Problem(matrix.title, refused.what, refused.todo) from refused


def _described(names: tuple[str, ...], density: float | None, found: GraphMetrics, cut: Thresholded) -> dict[str, Any]:
    nodal: dict[str, list[Any]] = {"label": list(names)}
    for name, values in found.nodal.items():
        nodal[name] = (values.astype(np.int64) if name in WHOLE_NUMBERS else values).tolist()
    return {
        "density": cut.density if density is None else density,
        "nodes": len(names),
        "edges": cut.n_edges,
        "threshold": cut.threshold,
        "components": cut.components,
        "mean_connectivity": cut.mean_connectivity,
        "negative_share": cut.negative_share,
        "global": dict(found.overall),
        "nodal": nodal,
    }


def _more(matrix: Connectome, cut: Cut, names: tuple[str, ...], graphs: list[dict[str, Any]]) -> dict[str, Any]:
    """What the document says only where it was asked for."""
    more: dict[str, Any] = {}
    if matrix.notes:
        more["preparation"] = matrix.notes
    if matrix.simulated:
        more["Simulated"] = True
    if "small_worldness" in names:
        number, rewirings, seed = cut.nulls
        more["nulls"] = {"keep": "degree", "number": number, "rewirings_per_edge": rewirings, "seed": seed}
    if cut.area:
        more["auc"] = _areas(cut.densities, graphs)
    return more


def _areas(densities: tuple[float, ...], graphs: list[dict[str, Any]]) -> dict[str, Any]:
    from ..stats.graph import area_under_curve  # noqa: PLC0415

    def area(part: str, name: str) -> Any:
        values = np.array([graph[part][name] for graph in graphs], dtype=np.float64)
        return area_under_curve(np.array(densities), values).tolist()

    nodal: dict[str, Any] = {"label": graphs[0]["nodal"]["label"]}
    nodal |= {name: area("nodal", name) for name in graphs[0]["nodal"] if name != "label"}
    return {"global": {name: area("global", name) for name in graphs[0]["global"]}, "nodal": nodal}


def findings_of(matrix: Connectome, cut: Thresholded, edges: Edges, density: float | None) -> tuple[Finding, ...]:
    """What must be said of a thresholded graph."""
    from ..stats.trap_graphs import negative_edges, thresholded_graph  # noqa: PLC0415

    where = matrix.title
    found = [*_about_cut(cut, edges, density, where)]
    traps = thresholded_graph(where, cut.density, cut.components, cut.mean_connectivity) if cut.n_edges else ()
    if edges == "positive":
        traps = (*traps, *negative_edges(where, matrix.matrix))
    found += [Finding(*trap) for trap in traps]
    if not -1 <= cut.mean_connectivity <= 1:
        message = "Its values are no correlations: their mean is a plain one."
        found.append(Finding("graph-not-correlations", where, cut.mean_connectivity, message))
    return tuple(found)


def _about_cut(cut: Thresholded, edges: Edges, density: float | None, where: str) -> Iterator[Finding]:
    """Ties at the cut, edges that are not there."""
    from ..stats.graph import edges_at  # noqa: PLC0415

    at = "" if density is None else f" at density {density:g}"
    if cut.ties:
        kept = np.count_nonzero(np.abs(cut.weights) == cut.threshold) // 2
        message = (
            f"{cut.ties} edges have the value {cut.threshold:.6g} of the cut{at}; {kept} are kept, by their order."
        )
        yield Finding("graph-ties", where, cut.ties, message)
    wanted = 0 if density is None else edges_at(density, len(cut.weights))
    if cut.n_edges < wanted:
        kind = "positive" if edges == "positive" else "nonzero"
        message = f"Only {cut.n_edges} of the {wanted} edges asked for{at} are there: no more pairs are {kind}."
        yield Finding("graph-fewer-edges", where, cut.n_edges, message)
    if not cut.n_edges:
        todo = "lower the threshold" if density is None else "raise the density"
        yield Finding("graph-empty", where, 0, f"No edge is left{at}: {todo}.")


def inputs_of(source: str, preparation: Preparation) -> tuple[Path, ...]:
    """Files that a result must not overwrite."""
    named = (source, preparation.confounds, preparation.brain)
    return tuple(Path(path) for path in named if path is not None)
