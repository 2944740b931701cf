"""Voxelwise degree and clustering from files to files: what the command line calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .answers import Answer, ArrayImage
from .compute import answer_to
from .problems import Finding, Problem, silent
from .questions import PreparedRun
from .recipes import FileMap, Preparation
from .results import Results
from .seeding import (
    SeedFiles,
    SeedPlace,
    about_brain,
    check_preparation,
    check_seed_files,
    image_of,
    inputs_of,
    simulated_note,
)

if TYPE_CHECKING:
    from ..stats.rows import UnitRows
    from ..stats.voxel_edges import Cut, EdgeRule
    from .runs import Prepared

Report = Callable[[float], None]
Measure = Literal["degree", "clustering"]

SHARE_TO_USE = 0.9
CLUSTERING = "the clustering coefficient"
MEANINGS = {
    ("degree", "positive", False): "number of voxels with r at least the threshold",
    ("degree", "absolute", False): "number of voxels with |r| at least the threshold",
    ("degree", "signed", False): "number of voxels with r at least the threshold less those with -r at least it",
    ("degree", "positive", True): "sum of r over voxels with r at least the threshold",
    ("degree", "absolute", True): "sum of |r| over voxels with |r| at least the threshold",
    ("degree", "signed", True): "sum of r over voxels with |r| at least the threshold",
}


@dataclass(frozen=True)
class VoxelGraph:
    """Which pairs of voxels are edges, and what an edge counts for; exactly one of r and density is given.

    Attributes
    ----------
    r, density : float or None
    rule : "positive", "absolute" or "signed"
        An edge has r >= R; for the others |r| >= R.
    weighted : bool
    """

    r: float | None = None
    density: float | None = None
    rule: EdgeRule = "positive"
    weighted: bool = False


class _Found(NamedTuple):
    values: NDArray[np.float64]
    n_edges: int
    needed_bytes: int


def voxel_graph(
    run: str,
    measure: Measure,
    graph: VoxelGraph,
    preparation: Preparation | None = None,
    out: str | None = None,
    report: Report = silent,
) -> Answer:
    """Map of the degree or the clustering coefficient of every voxel; written with its sidecar when a file is named.

    Raises
    ------
    Problem
        When a file cannot be used, an option makes no sense, or the memory does not suffice.
    """
    preparation = preparation or Preparation()
    check_graph(graph)
    check_preparation(preparation)
    inputs = inputs_of(run, SeedPlace(), preparation)
    check_seed_files(SeedFiles(out), inputs)
    results = Results(1 << 62)
    source: Answer = answer_to(FileMap(run), results)
    if source.image is None:
        raise Problem(run, "has values on the cortex alone, and voxels are asked for", "name a 4D image")
    prepared: Prepared = answer_to(PreparedRun(FileMap(run), preparation), results, lambda done: report(0.2 * done))
    found = _answer(run, measure, graph, prepared, lambda done: report(0.2 + 0.8 * done))
    found = replace(found, notes=dict(found.notes) | simulated_note(source))
    if out is not None:
        _write(out, found, source, inputs)
    return found


def check_graph(graph: VoxelGraph) -> None:
    """Refuse a threshold that makes no sense, before any file is read.

    Raises
    ------
    Problem
        With what to give instead.
    """
    from ..stats.errors import CannotCompute  # noqa: PLC0415
    from ..stats.voxel_edges import at_least  # noqa: PLC0415 - Numba

    if (graph.r is None) == (graph.density is None):
        what = "no threshold is given" if graph.r is None else "both --r and --density are given"
        raise Problem("threshold", what, "give one of --r R or --density D")
    if graph.density is not None and not 0 < graph.density <= 1:
        raise Problem("--density", f"{graph.density:g} is no share of all pairs", "give a number above 0, at most 1")
    if graph.r is not None:
        try:
            at_least(graph.r, graph.rule)
        except CannotCompute as refused:
            raise Problem("--r", refused.what, refused.todo) from refused


def _answer(run: str, measure: Measure, graph: VoxelGraph, prepared: Prepared, report: Report) -> Answer:
    from ..stats.arrays import unflatten  # noqa: PLC0415
    from ..stats.errors import CannotCompute  # noqa: PLC0415

    try:
        cut = _cut(run, graph, prepared.rows, lambda done: report(0.6 * done))
        share = 0.0 if graph.density is None else 0.6
        of = _degree if measure == "degree" else _clustering
        found = of(run, graph, prepared.rows, cut, lambda done: report(share + (1 - share) * done))
    except CannotCompute as refused:
        raise Problem(run, refused.what, refused.todo) from refused
    n = int(prepared.rows.valid.sum())
    notes = {
        "measure": _meaning(measure, graph),
        "weights": "weighted" if graph.weighted else "binary",
        "edge_rule": graph.rule,
        "asked_r": graph.r,
        "asked_density": graph.density,
        "threshold": cut.threshold,
        "edges": found.n_edges,
        "density": found.n_edges / (n * (n - 1) // 2),
        "nodes": n,
        "ties": cut.ties,
        "ties_kept": len(cut.tied) or cut.ties,
        "memory_bytes": found.needed_bytes,
    }
    return Answer(
        title=f"{measure} of {prepared.title}",
        image=ArrayImage(prepared.grid, unflatten(found.values, prepared.voxels, prepared.grid.shape)),
        unit="voxels" if measure == "degree" and not graph.weighted else "",
        space=prepared.space,
        findings=(*about_brain(run, prepared.notes), *prepared.findings, *_findings(run, cut, found.n_edges)),
        notes=dict(prepared.notes) | notes,
        simulated=prepared.simulated,
    )


def _cut(run: str, graph: VoxelGraph, rows: UnitRows, report: Report) -> Cut:
    from ..stats.voxel_density import at_density, density_bytes  # noqa: PLC0415 - Numba
    from ..stats.voxel_edges import at_least, usable  # noqa: PLC0415 - Numba

    if graph.r is not None:
        return at_least(graph.r, graph.rule)
    _require(run, density_bytes(*rows.unit.shape), "finding the threshold of a density")
    return at_density(usable(rows), graph.density or 0.0, graph.rule, report)


def _degree(run: str, graph: VoxelGraph, rows: UnitRows, cut: Cut, report: Report) -> _Found:
    from ..stats.voxel_degree import degree, degree_bytes  # noqa: PLC0415 - Numba

    needed = _require(run, degree_bytes(*rows.unit.shape), "the degree")
    found = degree(rows, cut, weighted=graph.weighted, report=report)
    return _Found(found.values, found.n_edges, needed)


def _clustering(run: str, graph: VoxelGraph, rows: UnitRows, cut: Cut, report: Report) -> _Found:
    from ..stats.voxel_clustering import clustering, clustering_bytes  # noqa: PLC0415 - Numba

    if graph.weighted:
        return _weighted_clustering(run, rows, cut, report)
    needed = _require(run, clustering_bytes(*rows.unit.shape), CLUSTERING)
    found = clustering(rows, cut, report)
    return _Found(found.values, found.n_edges, needed)


def _weighted_clustering(run: str, rows: UnitRows, cut: Cut, report: Report) -> _Found:
    from ..stats.voxel_degree import degree  # noqa: PLC0415 - Numba
    from ..stats.voxel_intensity import intensity_bytes, weighted_clustering  # noqa: PLC0415 - Numba

    unsigned = cut._replace(rule="positive" if cut.rule == "positive" else "absolute")
    counted = degree(rows, unsigned, report=lambda done: report(0.1 * done))
    needed = _require(run, intensity_bytes(rows.unit.shape, counted.n_edges), CLUSTERING)
    values = weighted_clustering(rows, unsigned, counted, lambda done: report(0.1 + 0.9 * done))
    return _Found(values, counted.n_edges, needed)


def _require(run: str, needed_bytes: int, what_for: str) -> int:
    """The memory needed, when there is so much."""
    from .io.memory import available_bytes, in_words  # noqa: PLC0415

    free = available_bytes()
    if needed_bytes > SHARE_TO_USE * free:
        what = f"{what_for} needs {in_words(needed_bytes)} of memory and {in_words(free)} are free"
        raise Problem(run, what, "give a smaller mask with --brain, or close other programs")
    return needed_bytes


def _meaning(measure: Measure, graph: VoxelGraph) -> str:
    if measure == "degree":
        return MEANINGS[measure, graph.rule, graph.weighted]
    return "clustering coefficient (Onnela)" if graph.weighted else "clustering coefficient"


def _findings(run: str, cut: Cut, n_edges: int) -> tuple[Finding, ...]:
    findings: list[Finding] = []
    if not n_edges:
        message = f"No pair of voxels reaches the threshold {cut.threshold:.3g}: lower it."
        findings.append(Finding("graph-empty", run, 0, message))
    if len(cut.tied):
        message = (
            f"{cut.ties} pairs share the smallest kept value, {cut.threshold:.7g}; the first {len(cut.tied)} of them, "
            "voxel by voxel, fit into the density."
        )
        findings.append(Finding("ties", run, cut.ties, message))
    if cut.rule == "positive" and cut.threshold < 0:
        message = f"The threshold {cut.threshold:.3g} is below 0: negative correlations are among the edges."
        findings.append(Finding("negative-edges", run, cut.threshold, message))
    return tuple(findings)


def _write(out: str, found: Answer, source: Answer, inputs: tuple[Path, ...]) -> None:
    from .io.write import Record, write_map  # noqa: PLC0415

    info: Any = getattr(image_of(source), "info")  # noqa: B009 - images from files have it, computed ones do not
    record = Record(found.notes, inputs, str(found.notes["measure"]), found.findings)
    write_map(out, image_of(found).frame(0), info, record)
