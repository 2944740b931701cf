"""The runs of a group, each prepared, on the voxels that all of them have."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from ..stats.confounds import design
from ..stats.errors import CannotCompute
from ..stats.group_rows import RunRows, Store, bytes_held, restricted, store_for, stored
from ..stats.resample import resample
from ..stats.rows import UnitRows
from .answers import Answer, Image
from .compute import open_file
from .grid import Grid
from .io.memory import SHARE_TO_USE, available_bytes, in_words
from .problems import Finding, Problem, silent
from .questions import PreparedGroup
from .recipes import GroupModel, GroupRun, Preparation
from .runs import MASKED_SHARE, Prepared, automatic_mask, mask_on_grid, nuisance_of, prepare_run

Report = Callable[[float], None]

LITTLE_SHARED = 0.9  # of the median run's voxels: below it, it is said which run has the fewest
ROUNDING = 1e-6  # relative differences below are those of single precision
WORKING_COPIES = 3  # float32 series of a run's whole grid that its preparation may hold at once


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


@dataclass(frozen=True)
class GroupCost:
    """What a group takes, before its runs are read.

    Attributes
    ----------
    voxels : int
        About how many; of the brain mask, else of the first run's first kept volume.
    columns : tuple of int
        Degrees of freedom that each run's preparation leaves: the numbers kept per voxel.
    available_bytes : int
        Memory for it.
    store : str or None
        How it would be held; None when it does not fit.
    """

    voxels: int
    columns: tuple[int, ...]
    available_bytes: int
    store: Store | None

    def nbytes(self, store: Store = "float32") -> int:
        """Memory when held so."""
        return bytes_held(self.voxels, self.columns, store)

    @property
    def in_words(self) -> str:
        """A sentence for people."""
        runs, free = f"{len(self.columns)} runs of about {self.voxels} voxels", in_words(self.available_bytes)
        if self.store is None:
            return f"{runs}: {in_words(self.nbytes('int8'))} even in 8 bits, and {free} are free."
        text = f"{runs}: about {in_words(self.nbytes(self.store))} of memory as {self.store}, {free} free."
        return text if self.store == "float32" else f"{text} As float32: {in_words(self.nbytes())}."


def group_cost(runs: Sequence[GroupRun], preparation: Preparation, report: Report = silent) -> GroupCost:
    """What a group would take in memory; reads headers, tables of confounds and one volume of the first run.

    Raises
    ------
    Problem
        A file that is no run, or a preparation that leaves nothing of one.
    """
    columns: list[int] = []
    voxels = reserve = 0
    for number, run in enumerate(runs):
        with _opened(run) as answer:
            columns.append(_columns(run, answer, preparation))
            image = _image(run, answer)
            reserve = max(reserve, _working_bytes(image))
            voxels = voxels or _about_voxels(image, preparation)
        report((number + 1) / len(runs))
    available = _available(reserve)
    try:
        store = store_for(voxels, columns, available)
    except CannotCompute:
        store = None
    return GroupCost(voxels, tuple(columns), available, store)


def prepare_group(question: PreparedGroup, report: Report = silent) -> Group:
    """Prepare every run and keep what all have in common; the most exact store that fits into memory is taken.

    Raises
    ------
    Problem
        A run that cannot be prepared or is of another grid than the first, the same run twice, no shared voxel, or
        too little memory even in 8 bits: found out when the first run is prepared.
    """
    _refuse_twice(question.runs)
    columns, reserve = _columns_of_all(question)
    gathered: _Gathered | None = None
    for number, run in enumerate(question.runs):

        def part(fraction: float, number: int = number) -> None:
            report((number + fraction) / len(question.runs))

        with _opened(run) as answer:
            prepared = prepare_run(run.path, answer, _own(question.preparation, run), lambda f, at=part: at(0.8 * f))
        if gathered is None:
            gathered = _Gathered(prepared.grid, _store(int(prepared.rows.valid.sum()), columns, reserve))
        gathered.add(run, prepared, lambda f, at=part: at(0.8 + 0.2 * f))
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
        with _opened(GroupRun(path)) as answer:
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


def _some(rows: UnitRows, inside: NDArray[np.int64]) -> UnitRows:
    if len(inside) == len(rows.valid):
        return rows
    return UnitRows(rows.unit[inside], rows.norm[inside], rows.valid[inside], rows.basis)


def _own(preparation: Preparation, run: GroupRun) -> Preparation:
    """The preparation with a run's own table of confounds."""
    return preparation if run.confounds is None else structs.replace(preparation, confounds=run.confounds)


@contextmanager
def _opened(run: GroupRun) -> Generator[Answer]:
    """A file, closed again afterwards: its memory is needed for the next."""
    answer = open_file(run.path)
    close = getattr(answer.image, "close", None)
    if close is None:
        yield answer
        return
    with closing(answer.image):  # pyright: ignore[reportArgumentType] - it has a close
        yield answer


def _image(run: GroupRun, answer: Answer) -> Image:
    if answer.image is None:
        raise Problem(run.path, "has no volume", "name a 4D run")
    return answer.image


def _columns(run: GroupRun, answer: Answer, preparation: Preparation) -> int:
    nuisance, _ = nuisance_of(run.path, answer, _own(preparation, run))
    try:
        return design(nuisance).residual_df
    except CannotCompute as refused:
        raise Problem(run.path, refused.what, refused.todo) from refused


def _columns_of_all(question: PreparedGroup) -> tuple[list[int], int]:
    """Numbers per voxel of each run, and what preparing the largest takes; from headers and tables alone."""
    columns: list[int] = []
    reserve = 0
    for run in question.runs:
        with _opened(run) as answer:
            columns.append(_columns(run, answer, question.preparation))
            reserve = max(reserve, _working_bytes(_image(run, answer)))
    return columns, reserve


def _working_bytes(image: Image) -> int:
    return WORKING_COPIES * 4 * image.n_frames * int(np.prod(image.grid.shape))


def _store(n_voxels: int, columns: Sequence[int], reserve: int) -> Store:
    try:
        return store_for(n_voxels, columns, _available(reserve))
    except CannotCompute as refused:
        raise Problem(f"{len(columns)} runs", refused.what, refused.todo) from refused


def _available(reserve: int) -> int:
    return max(0, int(SHARE_TO_USE * available_bytes()) - reserve)


def _about_voxels(image: Image, preparation: Preparation) -> int:
    if preparation.brain is not None:
        return int(mask_on_grid(preparation.brain, image.grid).sum())
    frame = image.frame(min(preparation.drop, image.n_frames - 1))
    inside = np.isfinite(frame) & (frame != 0)
    return int(inside.sum() if inside.mean() < MASKED_SHARE else automatic_mask(frame, image.grid).sum())


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
