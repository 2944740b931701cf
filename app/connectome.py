"""Matrices of connections with their nodes: of one run, of several, of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from dataclasses import replace as with_fields
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ..stats.arrays import Float32, Float64, Int64, Report, read_only
from ..stats.errors import CannotCompute
from . import templates
from .answers import Answer
from .atlas import Atlas, Region
from .atlas_names import Side
from .problems import Finding, Problem
from .recipes import FileMap, Preparation, RegionMatrix
from .runs import Prepared, columns_named, prepare_run

NAMED = 6  # regions listed in a sentence


@dataclass(frozen=True, eq=False)
class Connectome:
    """Correlations between nodes, and what is known of the nodes.

    Attributes
    ----------
    title : str
    matrix : (R, R) float64, read-only
        Symmetric, finite; the diagonal means nothing.
    names : tuple of str
    sides : tuple of str
        ``L``, ``R`` or empty.
    labels : (R,) int64 or None
        Where each node stands in the atlas's ``labels``; None without an atlas.
    places_mm : (R, 3) float32 or None
        A place inside each region.
    runs : int
        How many runs were averaged; 0 for a file.
    """

    title: str
    matrix: Float64
    names: tuple[str, ...]
    sides: tuple[Side, ...]
    labels: Int64 | None = None
    places_mm: Float32 | None = None
    runs: int = 0
    space: str | None = None
    findings: tuple[Finding, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict[str, Any])
    simulated: bool = False

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self.matrix.nbytes

    def subset(self, nodes: NDArray[np.intp]) -> Connectome:
        """The same with some of its nodes; itself where these are all, in their order."""
        if np.array_equal(nodes, np.arange(len(self.names))):
            return self
        return with_fields(
            self,
            matrix=read_only(self.matrix[np.ix_(nodes, nodes)]),
            names=tuple(self.names[n] for n in nodes),
            sides=tuple(self.sides[n] for n in nodes),
            labels=None if self.labels is None else self.labels[nodes],
            places_mm=None if self.places_mm is None else self.places_mm[nodes],
        )


def of_run(question: RegionMatrix, prepared: Prepared, atlas: Atlas) -> Connectome:
    """Matrix of one run that is prepared.

    Raises
    ------
    Problem
        When the run and the atlas are of different spaces, or no region has voxels.
    """
    from ..stats.connectivity import correlation, partial_correlation, region_series  # noqa: PLC0415 - Numba

    path = question.runs[0].path
    findings = _fit(question, prepared.space, atlas, path)
    rows = prepared.rows
    labels = atlas.labels_on(prepared.grid).ravel(order="F")[prepared.voxels].astype(np.int64)
    try:
        found = region_series(rows.unit * rows.norm[:, None], labels)
        series = found.series if rows.basis is None else found.series @ rows.basis.T
        matrix = (correlation if question.kind == "pearson" else partial_correlation)(series)
    except CannotCompute as refused:
        raise Problem(path, refused.what, refused.todo) from refused
    valid = np.flatnonzero(np.isfinite(np.diag(matrix)))
    if valid.size < 2:
        raise Problem(path, "fewer than two regions have a series that varies", "choose an atlas that the run covers")
    kept = found.label[valid]
    regions = [atlas.regions[label - 1] for label in kept]
    missing = [region for n, region in enumerate(atlas.regions, start=1) if n not in set(kept.tolist())]
    return Connectome(
        Path(path).name,
        read_only(matrix[np.ix_(valid, valid)]),
        tuple(region.title for region in regions),
        tuple(region.side for region in regions),
        kept,
        places_of(atlas, regions),
        1,
        question.space or prepared.space,
        (*findings, *prepared.findings, *_missing(missing, path)),
        dict(prepared.notes),
        prepared.simulated,
    )


def _fit(question: RegionMatrix, space: str | None, atlas: Atlas, path: str) -> tuple[Finding, ...]:
    """What is to be said of the spaces of a run and an atlas."""
    if question.space == templates.SAME_AS_IMAGES:
        return ()
    said = question.space or space
    fit = templates.compatible(said, atlas.info.template)
    if not fit.names_regions:
        todo = "say its space (Layers, the run's menu), or choose an atlas of the run's space"
        raise Problem(path, fit.message.removesuffix(": no region names are shown"), todo)
    return templates.findings(said, [atlas.info])


def _missing(regions: Sequence[Region], path: str) -> tuple[Finding, ...]:
    if not regions:
        return ()
    names = ", ".join(region.title for region in regions[:NAMED]) + (", …" if len(regions) > NAMED else "")
    count = len(regions)
    message = f"{count} region{'s' * (count != 1)} without voxels in the run left out: {names}."
    return (Finding("regions-missing", path, count, message),)


def places_of(atlas: Atlas, regions: Sequence[Region]) -> Float32:
    """A place inside each region, (R, 3) mm."""
    return np.array([atlas.centre_mm(region) for region in regions], np.float32).reshape(-1, 3)


def prepared_with(question: RegionMatrix, answer: Answer, report: Report) -> Prepared:
    """The run of a matrix, prepared as it says; confounds of a strategy come from the run's own table."""
    path = question.runs[0].path
    return prepare_run(path, answer, with_strategy(path, question.preparation, question.strategy), report)


def with_strategy(path: str, preparation: Preparation, strategy: str) -> Preparation:
    """A preparation with the confounds that a strategy takes of the table beside a run."""
    if not strategy:
        return preparation
    table = confounds_beside(Path(path))
    if table is None:
        todo = "put it there, or choose no strategy"
        raise Problem(path, "has no *_desc-confounds_timeseries.tsv beside it, which the strategy needs", todo)
    return replace(preparation, confounds=str(table), columns=columns_named(str(table), strategy))


def confounds_beside(run: Path) -> Path | None:
    """The table that fMRIPrep writes for a run: its name without space, resolution and description; None if absent."""
    parts = [part for part in run.name.split("_") if not part.startswith(("space-", "res-", "desc-", "den-"))]
    table = run.with_name("_".join([*parts[:-1], "desc-confounds_timeseries.tsv"]))
    return table if table.exists() else None


def mean_of(parts: Sequence[Connectome], title: str) -> Connectome:
    """Several matrices averaged as Fisher z, of the nodes that all of them have.

    Raises
    ------
    Problem
        When they share fewer than two nodes.
    """
    from ..stats.connectivity import average_correlation  # noqa: PLC0415 - Numba

    common = shared(parts)
    kept = [part.subset(rows) for part, rows in zip(parts, common, strict=True)]
    dropped = max(len(part.names) for part in parts) - len(kept[0].names)
    findings = {finding: None for part in parts for finding in part.findings}
    if dropped:
        message = f"{dropped} regions that not all runs have are left out."
        findings[Finding("regions-not-in-all", title, dropped, message)] = None
    mean = average_correlation([part.matrix for part in kept])
    return with_fields(
        kept[0],
        title=title,
        matrix=read_only(mean),
        runs=sum(part.runs for part in parts),
        findings=tuple(findings),
        notes={"runs": [part.title for part in parts], "average": "Fisher z"} | parts[0].notes,
        simulated=any(part.simulated for part in parts),
    )


def shared(parts: Sequence[Connectome]) -> list[NDArray[np.intp]]:
    """Nodes that all have, by region else by name, in the order of the first, as numbers in each.

    Raises
    ------
    Problem
        When there are fewer than two, or names that several nodes have do not tell which is which.
    """
    by_label = all(part.labels is not None for part in parts)
    keys = [part.labels.tolist() if by_label and part.labels is not None else part.names for part in parts]
    if all(own == keys[0] for own in keys):
        return [np.arange(len(own)) for own in keys]
    for part, own in zip(parts, keys, strict=True):
        if len(set(own)) < len(own):
            raise Problem(part.title, "has several nodes of one name", "give every node its own name")
    places = [{key: number for number, key in enumerate(own)} for own in keys]
    common = [key for key in keys[0] if all(key in place for place in places)]
    if len(common) < 2:
        what = f"has fewer than two nodes in common with {parts[-1].title}"
        raise Problem(parts[0].title, what, "compare matrices of the same regions")
    return [np.array([place[key] for key in common], np.intp) for place in places]


def name_of(runs: tuple[FileMap, ...]) -> str:
    """What a set of runs is called."""
    return Path(runs[0].path).name if len(runs) == 1 else f"{len(runs)} runs"


def of_file(path: str) -> Connectome:
    """A matrix from a table.

    Raises
    ------
    Problem
        No square symmetric matrix of numbers.
    """
    from .io.matrices import read_matrix  # noqa: PLC0415 - only for matrix files

    table = read_matrix(path)
    return Connectome(
        Path(path).name,
        read_only(table.matrix),
        table.names,
        tuple("" for _ in table.names),
        findings=_repeated(table.names, Path(path).name),
    )


def _repeated(names: Sequence[str], title: str) -> tuple[Finding, ...]:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if not repeated:
        return ()
    listed = ", ".join(repeated[:NAMED]) + (", …" if len(repeated) > NAMED else "")
    message = f"Several nodes have the same name: {listed}."
    return (Finding("names-repeated", title, len(repeated), message),)
