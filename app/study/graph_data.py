"""What a question on graphs is computed from: metrics of regions of all people, with motion and connectivity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from msgspec.structs import replace as changed
from numpy.typing import NDArray

from ..problems import Finding, Problem, silent
from .answers import Plan
from .prepare_people import Row, people_of
from .prepare_regions import GLOBAL, column_of, regions_of
from .prepare_rows import Made
from .prepare_runs import fd_mean, matrix_of
from .prepare_table import label_of, table_of
from .rows import StudyRows
from .spectra import Frame
from .values import PERSON, Choices, Scan, Study

Float64 = NDArray[np.float64]
Report = Callable[[float], None]


class Element(NamedTuple):
    """One metric of one region; of the whole graph where `region` is empty."""

    region: str
    side: str
    metric: str


@dataclass(frozen=True, eq=False)
class GraphData:
    """Values of people.

    Attributes
    ----------
    frame : DataFrame
        A row per person, with ``fd_mean`` and ``mean_connectivity`` (their changes where rows are changes).
    elements : tuple of Element
    values : (n, E) float64
        Metrics, or their changes.
    first : (n, E) float64 or None
        Metrics of the first session, for an analysis of covariance.
    rows : tuple of Row
        Whose runs were used, in the order of people.
    choices : Choices
    inputs : tuple of Path
    findings : tuple of Finding
    simulated : bool
    """

    frame: Frame
    elements: tuple[Element, ...]
    values: Float64
    first: Float64 | None
    rows: tuple[Row, ...]
    choices: Choices
    inputs: tuple[Path, ...]
    findings: tuple[Finding, ...]
    simulated: bool

    @property
    def scans(self) -> Frame:
        """A row per run: person, session, ``fd_mean``, ``mean_connectivity``, ``negative_share``."""
        return self._connectivity[0]

    @property
    def edges(self) -> Float64:
        """Fisher z of pairs of regions that all runs have, or its change, (n, P)."""
        return self._connectivity[1]

    @cached_property
    def _connectivity(self) -> tuple[Frame, Float64]:
        return _connectivity(self.rows, self.choices)


def rows_of_plan(plan: Plan) -> StudyRows:
    """The rows of regions' metrics that a plan's voxelwise models have, too."""
    rows = plan.models[0].study
    if rows is None:
        raise Problem(plan.title, "is of no study", "plan the question of a study")
    ask = plan.ask
    return changed(rows, measure="regions", metrics=ask.metrics, densities=ask.densities, beside=())


def graph_data(study: Study, plan: Plan, report: Report = silent) -> GraphData:
    """Metrics of all people that a plan is about.

    Raises
    ------
    Problem
        Nobody is left, or the runs share no regions.
    """
    rows = rows_of_plan(plan)
    people = people_of(study, rows)
    made = regions_of(people, rows, lambda done: report(0.8 * done))
    frame, about = table_of(study, rows, replace(people, rows=made.rows))
    for name, values in made.columns.items():
        frame[name] = values
    metrics: Frame = made.regions
    first = None
    if plan.models[0].voxelwise:
        first = _first(study, rows, made, [str(name) for name in metrics.columns])
        made = replace(made, findings=(*made.findings, *first[1]))
    kept = ~frame[PERSON].astype(str).isin(plan.ask.exclude).to_numpy()
    report(1.0)
    return GraphData(
        frame=frame[kept].reset_index(drop=True),
        elements=_elements(rows.choices.atlas, [str(name) for name in metrics.columns]),
        values=metrics.to_numpy(np.float64)[kept],
        first=None if first is None else first[0][kept],
        rows=tuple(row for row, used in zip(made.rows, kept, strict=True) if used),
        choices=rows.choices,
        inputs=made.inputs,
        findings=(*made.findings, *about),
        simulated=study.simulated or made.simulated,
    )


def _first(study: Study, rows: StudyRows, made: Made, columns: Sequence[str]) -> tuple[Float64, tuple[Finding, ...]]:
    """The same people's metrics of the first session, of the same regions."""
    own = changed(rows, per="person", sessions=rows.sessions[:1])
    people = people_of(study, own)
    used = {row.participant for row in made.rows}
    people = replace(people, rows=tuple(row for row in people.rows if row.participant in used))
    found = regions_of(people, own)
    order = {row.participant: number for number, row in enumerate(found.rows)}
    metrics: Frame = found.regions
    lacking = [name for name in columns if name not in metrics]
    if lacking:
        raise Problem("first session", f"lacks {lacking[0]}", "leave the adjustment for the first scan out")
    at = [order[row.participant] for row in made.rows]
    return metrics[list(columns)].to_numpy(np.float64)[at], found.findings


def _elements(atlas: str, columns: Sequence[str]) -> tuple[Element, ...]:
    """What columns are of, with names and sides as the atlas has them."""
    from ..compute import open_atlas  # noqa: PLC0415 - reads files
    from ..io.atlases import describe  # noqa: PLC0415

    regions = {column_of(region.title, ""): region for region in open_atlas(describe(atlas).id).regions}
    made: list[Element] = []
    for column in columns:
        start, _, metric = column.rpartition(":")
        region = regions.get(f"{start}:")
        if region is not None:
            made.append(Element(region.name, region.side, metric))
        else:
            made.append(Element("" if start == GLOBAL else start, "", metric))
    return tuple(made)


def _connectivity(rows: Sequence[Row], choices: Choices) -> tuple[Frame, Float64]:
    """Facts of each run, and pairs of regions that all runs have as Fisher z, or its change, by row."""
    import pandas as pd  # noqa: PLC0415 - slow to import

    from ...stats.correlate import fisher_z  # noqa: PLC0415 - Numba

    runs = list(dict.fromkeys(scan for row in rows for scan in row.scans))
    matrices = {scan: matrix_of(scan, choices) for scan in runs}
    used = list(matrices.values())
    shared = set(used[0].labels).intersection(*(each.labels for each in used))
    edges: dict[Scan, Float64] = {}
    facts: list[dict[str, Any]] = []
    for scan, found in matrices.items():
        at = [number for number, label in enumerate(found.labels) if label in shared]
        upper = np.triu_indices(len(at), 1)
        r = found.matrix[np.ix_(at, at)][upper]
        edges[scan] = np.asarray(fisher_z(r), np.float64)
        facts.append(
            {
                PERSON: scan.participant,
                "session": label_of(scan.session or ""),
                "fd_mean": fd_mean(scan),
                "mean_connectivity": found.mean_connectivity,
                "negative_share": float((r < 0).mean()),
            }
        )
    by_row = [_last_less_first([edges[scan] for scan in row.scans]) for row in rows]
    return pd.DataFrame(facts), np.stack(by_row)


def _last_less_first(values: Sequence[Float64]) -> Float64:
    return values[-1] - values[0] if len(values) > 1 else values[0]
