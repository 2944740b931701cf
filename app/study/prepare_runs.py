"""Runs of a study: voxelwise graph maps, matrices between regions, motion. Each is kept by its own recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ...stats.errors import CannotCompute
from ..atlas_names import Side
from ..connectome import Connectome, confounds_beside, of_run
from ..io.tables import read_confounds
from ..preparation import Preparation
from ..problems import Finding, Problem, silent
from ..recipes import FileMap, RegionMatrix
from ..runs import columns_named, motion_of
from ..seeding import check_preparation
from .prepare_cache import About, Kept, keep, kept, key_of, packed
from .prepare_each import in_turn
from .prepare_images import MAP, Target, kept_map
from .prepare_people import Row
from .prepare_pet import inputs_of
from .prepare_space import space_of
from .rows import StudyRows
from .values import Choices, Scan

Report = Callable[[float], None]
MATRIX = "matrix.npz"
FACTS = ("fd_mean", "mean_connectivity")


@dataclass(frozen=True, eq=False)
class RunMatrix:
    """Correlations between the regions of one run.

    Attributes
    ----------
    key, title : str
    matrix : (R, R) float64
    names, sides : tuple of str
    labels : tuple of int
        Of the atlas.
    mean_connectivity : float
        Mean as Fisher z, shown as r.
    findings : tuple of Finding
    inputs : tuple of Path
    """

    key: str
    title: str
    matrix: NDArray[np.float64]
    names: tuple[str, ...]
    sides: tuple[Side, ...]
    labels: tuple[int, ...]
    mean_connectivity: float
    findings: tuple[Finding, ...]
    inputs: tuple[Path, ...]
    simulated: bool


def own_preparation(scan: Scan, choices: Choices) -> Preparation:
    """What is done to a run: as chosen, with its own confounds and the mask that was chosen, else its own.

    Raises
    ------
    Problem
        Confounds are asked for and the run has none, or lacks a column.
    """
    asked = choices.preparation
    brain = asked.brain or choices.mask or (str(scan.mask) if scan.mask else None)
    wanted = bool(choices.strategy or asked.columns or asked.censor_fd_mm is not None)
    if not wanted:
        return replace(asked, confounds=None, brain=brain)
    table = scan.confounds or confounds_beside(scan.path)
    if table is None:
        todo = "put its table of confounds beside it, or choose no strategy"
        raise Problem(scan.path, "has no table of confounds, which the choices need", todo)
    columns = columns_named(str(table), choices.strategy) if choices.strategy else asked.columns
    return replace(asked, confounds=str(table), columns=columns, brain=brain)


def files_of(scan: Scan, preparation: Preparation) -> tuple[Path, ...]:
    """Files that a prepared run stands on."""
    named = (preparation.confounds, preparation.brain)
    return (*inputs_of(scan), *(Path(path) for path in named if path is not None))


def graphs_of_voxels(scans: Sequence[Scan], asked: StudyRows, target: Target, report: Report) -> list[Kept | Problem]:
    """Degree or clustering of every voxel, a map for each run; one run at a time, on all processors."""
    return in_turn(lambda scan, told: _graph_of_voxels(scan, asked, target, told), scans, report)


def _graph_of_voxels(scan: Scan, asked: StudyRows, target: Target, report: Report) -> Kept:
    from ..voxel_graphs import VoxelGraph, voxel_graph  # noqa: PLC0415 - Numba

    choices = asked.choices
    preparation = own_preparation(scan, choices)
    graph = VoxelGraph(choices.r, None if choices.r is not None else choices.density, choices.edges, choices.weighted)
    files = files_of(scan, preparation)
    recipe = {
        "measure": asked.measure,
        "graph": [graph.r, graph.density, graph.rule, graph.weighted],
        "preparation": preparation,
    }
    key = key_of({**recipe, "target": target.recipe}, (*files, *target.inputs))
    found = kept(key, MAP)
    if found is not None:
        return found
    answer = voxel_graph(str(scan.path), cast("Any", asked.measure), graph, preparation, report=report)
    if answer.image is None:
        raise Problem(scan.path, "has no voxels", "name a 4D image")
    about = About(
        MAP,
        simulated=answer.simulated,
        space=target.space,
        units=str(answer.notes["measure"]),
        parameters=answer.notes,
        warnings=answer.findings,
        inputs=tuple(map(str, (*files, *target.inputs))),
    )
    return kept_map(key, answer.image.frame(0), answer.image.grid, target, about)


def matrix_of(scan: Scan, choices: Choices, report: Report = silent) -> RunMatrix:
    """Correlations between the regions of the chosen atlas in one run.

    Raises
    ------
    Problem
        The run cannot be prepared, or its space is not that of the atlas.
    """
    preparation = own_preparation(scan, choices)
    files = files_of(scan, preparation)
    space = space_of(scan)
    key = key_of({"matrix": choices.atlas, "preparation": preparation, "space": space}, files)
    found = kept(key, MATRIX)
    if found is None:
        made = _connectome(scan, choices.atlas, preparation, space, report)
        content = packed(matrix=made.matrix, labels=np.array(made.labels))
        parameters = {"names": made.names, "sides": made.sides, "mean_connectivity": _mean_connectivity(made.matrix)}
        about = About(
            MATRIX,
            simulated=made.simulated,
            parameters={**parameters, **made.notes},
            warnings=made.findings,
            inputs=tuple(map(str, files)),
        )
        found = keep(key, content, about)
    return _read(found)


def _read(found: Kept) -> RunMatrix:
    about = found.about
    with np.load(found.path) as arrays:
        matrix, labels = arrays["matrix"], tuple(arrays["labels"].tolist())
    return RunMatrix(
        found.key,
        Path(about.inputs[0]).name,
        matrix,
        tuple(about.parameters["names"]),
        tuple(about.parameters["sides"]),
        labels,
        float(about.parameters["mean_connectivity"]),
        about.warnings,
        tuple(map(Path, about.inputs)),
        about.simulated,
    )


def _connectome(scan: Scan, atlas: str, preparation: Preparation, space: str | None, report: Report) -> Connectome:
    from ..compute import answer_to, open_atlas  # noqa: PLC0415
    from ..questions import PreparedRun  # noqa: PLC0415
    from ..results import Results  # noqa: PLC0415

    check_preparation(preparation)
    run = FileMap(str(scan.path))
    prepared = answer_to(PreparedRun(run, preparation), Results(1 << 62), report)
    return of_run(RegionMatrix((run,), atlas, preparation, space=space), prepared, open_atlas(atlas))


def _mean_connectivity(matrix: NDArray[np.float64]) -> float:
    from ...stats.graph import threshold_matrix  # noqa: PLC0415 - Numba

    return threshold_matrix(matrix, "absolute", density=1.0).mean_connectivity


def facts_of(
    rows: Sequence[Row], asked: StudyRows, report: Report = silent
) -> tuple[dict[str, list[Any]], tuple[Finding, ...]]:
    """Mean framewise displacement and mean connectivity of each row, or their change, never in percent; what lacks."""
    scans = list(dict.fromkeys(scan for row in rows for scan in row.scans))
    matrices = in_turn(lambda scan, told: matrix_of(scan, asked.choices, told), scans, report)
    known = {scan: _facts(scan, found) for scan, found in zip(scans, matrices, strict=True)}
    columns: dict[str, list[Any]] = {name: [] for name in FACTS}
    for row in rows:
        first, last = known[row.scans[0]], known[row.scans[-1]]
        for name, one, other in zip(FACTS, first, last, strict=True):
            columns[name].append(other - one if len(row.scans) > 1 else one)
    return columns, _unknown(known, matrices)


def _unknown(known: Mapping[Scan, tuple[float, float]], matrices: Sequence[RunMatrix | Problem]) -> tuple[Finding, ...]:
    """Whose motion or connectivity is not known: rows without a number drop out of models with them."""
    findings: list[Finding] = []
    who = ", ".join(dict.fromkeys(scan.participant for scan, (moved, _) in known.items() if np.isnan(moved)))
    if who:
        message = f"Motion is not known of {who}: fd_mean has no number there, and adjusting for it leaves them out."
        findings.append(Finding("motion-unknown", who, None, message))
    problem = next((found for found in matrices if isinstance(found, Problem)), None)
    if problem is not None:
        message = f"mean_connectivity is not known of some runs: {problem.what}."
        findings.append(Finding("connectivity-unknown", problem.where, None, message))
    return tuple(findings)


def _facts(scan: Scan, found: RunMatrix | Problem) -> tuple[float, float]:
    return fd_mean(scan), np.nan if isinstance(found, Problem) else found.mean_connectivity


def fd_mean(scan: Scan) -> float:
    """Mean framewise displacement of a run, mm; NaN where its motion is not known."""
    table = scan.confounds or confounds_beside(scan.path)
    try:
        moved = None if table is None else motion_of(read_confounds(str(table)))
    except (Problem, CannotCompute):
        return float("nan")
    return float("nan") if moved is None or not np.isfinite(moved).any() else float(np.nanmean(moved))
