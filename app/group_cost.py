"""What a group of runs takes in memory, before they are read."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

import numpy as np
from msgspec import structs

from ..stats.confounds import design
from ..stats.errors import CannotCompute
from ..stats.group_rows import Store, bytes_held, store_for
from .answers import Answer, Image
from .compute import open_file
from .io.memory import SHARE_TO_USE, available_bytes, in_words
from .problems import Problem, silent
from .questions import PreparedGroup
from .recipes import GroupRun, Preparation
from .runs import MASKED_SHARE, automatic_mask, mask_on_grid, nuisance_of

Report = Callable[[float], None]

LEAST_VOLUMES = 3
WORKING_COPIES = 3  # float32 series of a run's whole grid that its preparation may hold at once


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
        with opened(run) as answer:
            columns.append(_columns(run, answer, preparation))
            image = _image(run, answer)
            reserve = max(reserve, _working_bytes(image))
            voxels = voxels or _about_voxels(image, preparation)
        report((number + 1) / len(runs))
    free = available(reserve)
    try:
        store = store_for(voxels, columns, free)
    except CannotCompute:
        store = None
    return GroupCost(voxels, tuple(columns), free, store)


@contextmanager
def opened(run: GroupRun) -> Generator[Answer]:
    """A file, closed again afterwards: its memory is needed for the next."""
    answer = open_file(run.path)
    close = getattr(answer.image, "close", None)
    if close is None:
        yield answer
        return
    with closing(answer.image):  # pyright: ignore[reportArgumentType] - it has a close
        yield answer


def own_preparation(preparation: Preparation, run: GroupRun) -> Preparation:
    """The preparation with a run's own table of confounds."""
    return preparation if run.confounds is None else structs.replace(preparation, confounds=run.confounds)


def columns_of_all(question: PreparedGroup) -> tuple[list[int], int]:
    """Numbers per voxel of each run, and what preparing the largest takes; from headers and tables alone."""
    columns: list[int] = []
    reserve = 0
    for run in question.runs:
        with opened(run) as answer:
            columns.append(_columns(run, answer, question.preparation))
            reserve = max(reserve, _working_bytes(_image(run, answer)))
    return columns, reserve


def store_within(n_voxels: int, columns: Sequence[int], reserve: int) -> Store:
    """The most exact store for which there is memory, a reserve for preparing runs put aside.

    Raises
    ------
    Problem
        When not even the smallest fits.
    """
    try:
        return store_for(n_voxels, columns, available(reserve))
    except CannotCompute as refused:
        raise Problem(f"{len(columns)} runs", refused.what, refused.todo) from refused


def available(reserve: int) -> int:
    """Memory that a group may take, a reserve put aside."""
    return max(0, int(SHARE_TO_USE * available_bytes()) - reserve)


def _columns(run: GroupRun, answer: Answer, preparation: Preparation) -> int:
    kept = _image(run, answer).n_frames - preparation.drop
    if kept < LEAST_VOLUMES:
        what = f"keeps {max(0, kept)} of its volumes after {preparation.drop} are dropped, too few for a correlation"
        raise Problem(run.path, what, "name a 4D run of at least a few dozen volumes")
    nuisance, _ = nuisance_of(run.path, answer, own_preparation(preparation, run))
    try:
        return design(nuisance).residual_df
    except CannotCompute as refused:
        raise Problem(run.path, refused.what, refused.todo) from refused


def _image(run: GroupRun, answer: Answer) -> Image:
    if answer.image is None:
        raise Problem(run.path, "has no volume", "name a 4D run")
    return answer.image


def _working_bytes(image: Image) -> int:
    return WORKING_COPIES * 4 * image.n_frames * int(np.prod(image.grid.shape))


def _about_voxels(image: Image, preparation: Preparation) -> int:
    if preparation.brain is not None:
        return int(mask_on_grid(preparation.brain, image.grid).sum())
    frame = image.frame(min(preparation.drop, image.n_frames - 1))
    inside = np.isfinite(frame) & (frame != 0)
    return int(inside.sum() if inside.mean() < MASKED_SHARE else automatic_mask(frame, image.grid).sum())
