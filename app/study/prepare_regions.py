"""Graphs of a study's runs between the regions of an atlas: a row for each row, a column for each region and metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...stats.errors import CannotCompute
from ..connectome import Connectome
from ..graphs import Cut, check_cut, findings_of
from ..problems import Finding, Problem, silent
from .prepare_cache import About, Kept, keep, kept, key_of, packed
from .prepare_each import each_of, in_turn
from .prepare_people import People, Row
from .prepare_rows import Made, gathered
from .prepare_runs import RunMatrix, facts_of, matrix_of
from .prepare_space import left_out
from .rows import StudyRows
from .values import Scan

if TYPE_CHECKING:
    import pandas as pd

Report = Callable[[float], None]
METRICS = ("degree", "clustering")
GLOBAL = "global"
GRAPH = "graph.npz"
MATRICES = 0.7  # of the work


def column_of(region: str, metric: str) -> str:
    """Name of a region's column: ``Angular_L:degree``."""
    return f"{region.replace(' ', '_')}:{metric}"


def regions_of(people: People, asked: StudyRows, report: Report = silent) -> Made:
    """Graph metrics of all rows over the regions that every run has, or their change.

    Raises
    ------
    Problem
        The threshold makes no sense, no row can be used, or the runs share fewer than two regions.
    """
    cut = _cut(asked)
    scans = list(dict.fromkeys(scan for row in people.rows for scan in row.scans))
    found = in_turn(
        lambda scan, told: matrix_of(scan, asked.choices, told), scans, lambda done: report(MATRICES * done)
    )
    matrices = dict(zip(scans, found, strict=True))
    rows, findings = _usable(people, matrices)
    if not rows:
        raise next(each for each in found if isinstance(each, Problem))
    used = [each for row in rows for each in (matrices[scan] for scan in row.scans) if isinstance(each, RunMatrix)]
    labels, missing = _shared(used)
    work = partial(_measured, labels=labels, cut=cut)
    measured = each_of(work, used, lambda done: report(MATRICES + (1 - MATRICES) * done))
    refused = next((each for each in measured if isinstance(each, Problem)), None)
    if refused is not None:
        raise refused
    by_key = {matrix.key: each for matrix, each in zip(used, measured, strict=True) if isinstance(each, Kept)}
    values = [[_values(by_key[_matrix(matrices[scan]).key]) for scan in row.scans] for row in rows]
    frame = _frame([_of_row(each, asked) for each in values], by_key[used[0].key])
    said = (each for found in (*used, *by_key.values()) for each in _said(found))
    inputs = tuple(dict.fromkeys(path for each in used for path in each.inputs))
    simulated = any(each.simulated for each in used)
    facts, unknown = facts_of(rows, asked)
    findings = gathered((*people.findings, *findings, *missing, *unknown, *said))
    files = tuple(each.path for each in by_key.values())
    return Made(rows, facts, frame, inputs=inputs, files=files, findings=findings, simulated=simulated)


def _matrix(found: RunMatrix | Problem) -> RunMatrix:
    if isinstance(found, Problem):
        raise found
    return found


def _said(found: RunMatrix | Kept) -> tuple[Finding, ...]:
    return found.findings if isinstance(found, RunMatrix) else found.about.warnings


def _cut(asked: StudyRows) -> Cut:
    """How edges are chosen: areas under the curve where there are several densities."""
    choices = asked.choices
    densities = asked.densities or (() if choices.r is not None or choices.density is None else (choices.density,))
    r = None if densities else choices.r
    cut = Cut(densities, r, choices.edges, choices.weighted, asked.metrics or METRICS, area=len(densities) > 1)
    check_cut(cut)
    return cut


def _usable(people: People, matrices: Mapping[Scan, RunMatrix | Problem]) -> tuple[tuple[Row, ...], list[Finding]]:
    rows: list[Row] = []
    findings: list[Finding] = []
    for row in people.rows:
        problem = next((found for scan in row.scans if isinstance(found := matrices[scan], Problem)), None)
        if problem is None:
            rows.append(row)
        else:
            why = f"{Path(problem.where).name} {problem.what}; {problem.todo}"
            findings.append(left_out(row.participant, why))
    return tuple(rows), findings


def _shared(matrices: Sequence[RunMatrix]) -> tuple[tuple[int, ...], tuple[Finding, ...]]:
    """Labels of the regions that all runs have, and which are left out."""
    everywhere = set(matrices[0].labels).intersection(*(each.labels for each in matrices))
    names = {label: name for each in matrices for label, name in zip(each.labels, each.names, strict=True)}
    missing = [name for label, name in sorted(names.items()) if label not in everywhere]
    if len(everywhere) < 2:
        raise Problem("regions", "fewer than two are covered by all runs", "choose another atlas or fewer people")
    labels = tuple(label for label in matrices[0].labels if label in everywhere)
    if not missing:
        return labels, ()
    message = f"{len(missing)} regions that not all runs cover are left out: {', '.join(missing)}."
    return labels, (Finding("regions-not-in-all", "regions", len(missing), message),)


def _measured(found: RunMatrix, labels: tuple[int, ...], cut: Cut) -> Kept:
    """Metrics of one run's graph, or their areas under the curve over densities, by column."""
    from ...stats.graph import area_under_curve, metrics, threshold_matrix  # noqa: PLC0415 - Numba
    from ...stats.graph_null import Nulls  # noqa: PLC0415

    key = key_of({"matrix": found.key, "labels": labels, "cut": cut}, ())
    known = kept(key, GRAPH)
    if known is not None:
        return known
    nodes = np.array([found.labels.index(label) for label in labels], np.intp)
    part = Connectome(found.title, found.matrix, found.names, found.sides).subset(nodes)
    nulls = Nulls(*cut.nulls)
    curves: list[NDArray[np.float64]] = []
    columns: list[str] = []
    said: list[Finding] = []
    try:
        for density in cut.densities or (None,):
            kept_edges = threshold_matrix(part.matrix, cut.edges, density=density, r=cut.r, weighted=cut.weighted)
            made = metrics(kept_edges, cut.metrics, seed=nulls.seed, nulls=nulls)
            columns = [column_of(region, name) for name in made.nodal for region in part.names]
            columns += [column_of(GLOBAL, name) for name in made.overall]
            curves.append(np.concatenate([*made.nodal.values(), np.array(list(made.overall.values()), np.float64)]))
            said += findings_of(part, kept_edges, cut.edges, density)
    except CannotCompute as refused:
        raise Problem(found.title, refused.what, refused.todo) from refused
    one = area_under_curve(np.array(cut.densities), np.array(curves)) if cut.area else curves[0]
    return keep(key, packed(columns=np.array(columns), values=one), About(GRAPH, warnings=tuple(said)))


def _values(found: Kept) -> NDArray[np.float64]:
    with np.load(found.path) as arrays:
        return arrays["values"]


def _of_row(values: Sequence[NDArray[np.float64]], asked: StudyRows) -> NDArray[np.float64]:
    """A row's values: of its scan, second less first, or that in percent where the first is above 0."""
    if len(values) == 1:
        return values[0]
    first, second = values
    if asked.per != "percent":
        return second - first
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(first > 0, 100 * (second - first) / first, np.nan)


def _frame(rows: Sequence[NDArray[np.float64]], like: Kept) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - slow to import

    with np.load(like.path) as arrays:
        return pd.DataFrame(np.stack(rows), columns=arrays["columns"].tolist())
