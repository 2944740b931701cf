"""The runs of a group, each prepared, on the voxels that all of them have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from ..stats.group_rows import RunRows, Store, restricted, stored
from ..stats.resample import resample
from ..stats.rows import UnitRows
from .grid import Grid
from .group_cost import columns_of_all, opened, own_preparation, store_within
from .problems import Finding, Problem, silent
from .questions import PreparedGroup
from .recipes import GroupModel, GroupRun
from .runs import Prepared, prepare_run

Report = Callable[[float], None]

LITTLE_SHARED = 0.9  # of the median run's voxels: below it, it is said which run has the fewest
PREPARING = 0.8  # of the time of a run; the rest is storing it
ROUNDING = 1e-6  # relative differences below are those of single precision


@dataclass(frozen=True, eq=False)
class Group:
    """Prepared runs on one grid.

    Attributes
    ----------
    grid : Grid
    voxels : (V,) int64
        Flat numbers of the voxels that are valid in every run, x fastest.
    runs : tuple of RunRows
        Of these voxels.
    coverage : (grid voxels,) int16
        In how many runs each voxel is valid.
    store : str
        How the rows are held.
    notes : mapping
        For the sidecar of a map.
    findings : tuple of Finding
    """

    grid: Grid
    voxels: NDArray[np.int64]
    runs: tuple[RunRows, ...]
    coverage: NDArray[np.int16]
    store: Store
    notes: Mapping[str, Any]
    findings: tuple[Finding, ...]
    space: str | None
    simulated: bool

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return sum(run.nbytes for run in self.runs) + self.voxels.nbytes + self.coverage.nbytes + self.row_of.nbytes

    @cached_property
    def row_of(self) -> NDArray[np.int32]:
        """Row of each flat voxel number, -1 outside."""
        rows = np.full(int(np.prod(self.grid.shape)), -1, np.int32)
        rows[self.voxels] = np.arange(len(self.voxels), dtype=np.int32)
        return rows


def prepare_group(question: PreparedGroup, report: Report = silent) -> Group:
    """Prepare every run and keep what all have in common; the most exact store that fits into memory is taken.

    Raises
    ------
    Problem
        A run that cannot be prepared or is of another grid than the first, the same run twice, no shared voxel, or
        too little memory even in 8 bits: found out when the first run is prepared.
    """
    _refuse_twice(question.runs)
    columns, reserve = columns_of_all(question)
    gathered: _Gathered | None = None
    for number, run in enumerate(question.runs):
        preparing, storing = (_share(report, number + done, len(question.runs)) for done in (0, PREPARING))
        with opened(run) as answer:
            prepared = prepare_run(run.path, answer, own_preparation(question.preparation, run), preparing)
        if gathered is None:
            gathered = _Gathered(prepared.grid, store_within(int(prepared.rows.valid.sum()), columns, reserve))
        gathered.add(run, prepared, storing)
    if gathered is None:
        raise Problem("group", "has no run", "name at least three")
    return gathered.group(question)


def read_covariate(model: GroupModel, group: Group, report: Report = silent) -> NDArray[np.float32]:
    """A voxelwise covariate of observations on a group's voxels, (n, V), its mean over observations removed.

    So a mean is that at the mean covariate. Images of other grids are interpolated linearly. What is the same image in
    both runs of every pair belongs to the person and is taken as it is; else it is subtracted or averaged like the
    runs.

    Raises
    ------
    Problem
        A file without a volume.
    """
    values = _images_on(model.voxelwise, group, report)
    if model.pairs:
        first, second = np.array(model.pairs, np.int64).T
        one, other = values[first], values[second]
        if any(model.voxelwise[a] != model.voxelwise[b] for a, b in model.pairs):
            one = one - other if model.combined == "difference" else (one + other) / 2
        values = one
    size = np.abs(values).max(axis=0)
    values = (values - values.mean(axis=0, dtype=np.float64)).astype(np.float32)
    values[:, np.abs(values).max(axis=0) <= ROUNDING * size] = 0
    return values


def _images_on(paths: Sequence[str], group: Group, report: Report) -> NDArray[np.float32]:
    values = np.empty((len(paths), len(group.voxels)), np.float32)
    for number, path in enumerate(paths):
        with opened(GroupRun(path)) as answer:
            if answer.image is None:
                raise Problem(path, "has no volume", "name an image of the covariate")
            grid, frame = answer.image.grid, answer.image.frame(0)
            if grid != group.grid:
                frame = resample(frame, grid.inverse @ group.grid.affine, group.grid.shape, "linear")
            values[number] = frame.ravel(order="F")[group.voxels]
        report((number + 1) / len(paths))
    return values


class _Gathered:
    """What is known of a group while its runs come in."""

    def __init__(self, grid: Grid, store: Store) -> None:
        self._grid = grid
        self._store: Store = store
        count = int(np.prod(grid.shape))
        self._kept, self._coverage = np.ones(count, bool), np.zeros(count, np.int16)
        self._runs: list[tuple[NDArray[np.int64], RunRows]] = []
        self._prepared: list[tuple[GroupRun, Prepared]] = []  # without their rows

    def add(self, run: GroupRun, prepared: Prepared, report: Report) -> None:
        """Take a run in, with the voxels only that all before it have."""
        if prepared.grid != self._grid:
            here, first = ("×".join(map(str, grid.shape)) for grid in (prepared.grid, self._grid))
            what = f"lies on another grid ({here}) than the first run ({first})"
            if here == first:
                what = "has another affine than the first run"
            raise Problem(run.path, what, "resample all runs to one grid")
        valid = prepared.voxels[prepared.rows.valid]
        self._coverage[valid] += 1
        here = np.zeros_like(self._kept)
        here[valid] = True
        self._kept &= here
        inside = np.flatnonzero(prepared.rows.valid & self._kept[prepared.voxels])
        if not len(inside):
            raise Problem(run.path, "shares no voxel with the runs before it", "check its mask and its place in space")
        self._runs.append((prepared.voxels[inside], stored(_some(prepared.rows, inside), self._store, report)))
        nothing = _some(prepared.rows, inside[:0])
        self._prepared.append((run, replace(prepared, rows=nothing, voxels=valid)))

    def group(self, question: PreparedGroup) -> Group:
        """All runs, cut to the voxels that every one of them has."""
        voxels = np.flatnonzero(self._kept)
        for number, (own, rows) in enumerate(self._runs):  # one after the other: two copies of one run at most
            self._runs[number] = voxels, restricted(rows, np.flatnonzero(self._kept[own]))
        runs = tuple(rows for _, rows in self._runs)
        first = self._prepared[0][1]
        error = max(run.error_r for run in runs)
        notes = _notes(question, [prepared for _, prepared in self._prepared], self._store, error)
        notes |= {"voxels": len(voxels)}
        return Group(
            self._grid,
            voxels,
            runs,
            self._coverage,
            self._store,
            notes,
            (*_shared(self._prepared), *self._said(len(voxels)), *_about_store(self._store, runs)),
            first.space,
            any(prepared.simulated for _, prepared in self._prepared),
        )

    def _said(self, shared: int) -> Iterator[Finding]:
        """What the runs do not have in common."""
        sizes = [len(prepared.voxels) for _, prepared in self._prepared]
        least = int(np.argmin(sizes))
        if shared < LITTLE_SHARED * float(np.median(sizes)):
            where = self._prepared[least][0].path
            message = (
                f"All runs share {shared} voxels, the median run has {np.median(sizes):.0f}; "
                f"the fewest, {sizes[least]}, has {Path(where).name}."
            )
            yield Finding("little-shared", where, shared, message)
        spaces = sorted({str(prepared.space) for _, prepared in self._prepared})
        if len(spaces) > 1:
            message = f"The runs state different spaces: {', '.join(spaces)}."
            yield Finding("spaces-differ", self._prepared[0][0].path, len(spaces), message)


def _share(report: Report, done: float, total: int) -> Report:
    """Progress of a part of the work that stands at ``done`` of ``total`` runs."""
    share = PREPARING if done == int(done) else 1 - PREPARING
    return lambda fraction: report((done + share * fraction) / total)


def _some(rows: UnitRows, inside: NDArray[np.int64]) -> UnitRows:
    if len(inside) == len(rows.valid):
        return rows
    return UnitRows(rows.unit[inside], rows.norm[inside], rows.valid[inside], rows.basis)


def _refuse_twice(runs: Sequence[GroupRun]) -> None:
    seen: set[str] = set()
    for run in runs:
        if run.path in seen:
            raise Problem(run.path, "is named twice", "name each run once")
        seen.add(run.path)


def _notes(question: PreparedGroup, prepared: Sequence[Prepared], store: Store, error: float) -> dict[str, Any]:
    own = ("run", "volumes", "confounds", "collinear_columns", "censored_volumes", "brain", "brain_voxels")
    own = (*own, "lost_degrees_of_freedom", "residual_degrees_of_freedom")
    shared = {name: value for name, value in prepared[0].notes.items() if name not in own}
    runs = [{name: each.notes[name] for name in own} for each in prepared]
    return {"n_runs": len(question.runs), **shared, "store": store, "error_r": error, "runs": runs}


def _shared(prepared: Sequence[tuple[GroupRun, Prepared]]) -> tuple[Finding, ...]:
    """What is to be said of runs; what many have in common once, with their number."""
    by_code: dict[str, list[Finding]] = {}
    for run, each in prepared:
        found = list(each.findings)
        if str(each.notes["brain"]).startswith("automatic"):
            count = int(each.notes["brain_voxels"])
            message = f"No brain mask is given and the run is not masked: an automatic mask of {count} voxels is used."
            found.append(Finding("automatic-mask", run.path, count, message))
        for finding in found:
            by_code.setdefault(finding.code, []).append(finding)
    return tuple(
        same[0] if len(same) == 1 else structs.replace(same[0], message=f"{same[0].message} So in {len(same)} runs.")
        for same in by_code.values()
    )


def _about_store(store: Store, runs: Sequence[RunRows]) -> tuple[Finding, ...]:
    """How a group is held, and what that costs in exactness."""
    if store == "float32":
        return ()
    error = max(run.error_r for run in runs)
    message = f"Memory is short: series are held as {store}; largest error in r that was seen: {error:.1e}."
    return (Finding("compact-store", store, error, message),)
