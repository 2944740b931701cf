"""A linear model at every voxel under a thousand permutations, beside its matrix products and nilearn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import psutil
from habena.stats.blas import one_thread_each
from habena.stats.inference import Question, permutation_test
from habena.stats.permute import Shuffling
from habena.stats.threads import split
from nilearn.mass_univariate import permuted_ols

from ._report import Row
from ._timing import interleaved

TITLE = "Permutation GLM, 83 scans × 228,000 voxels, two covariates, Freedman-Lane, two-sided"
N_SCANS, N_VOXELS, N_PERMUTATIONS = 83, 228_000, 1000
ROWS_AT_ONCE, VOXELS_AT_ONCE = 192, 4096
NILEARN_SHORT, NILEARN_LONG = 4, 54
WITHIN, FASTER = 2.0, 20.0
TWO_ROWS = np.array([[0, 1, 0, 0, 0], [0, 0, 1, 0, 0]])


def _model() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    data = rng.standard_normal((N_SCANS, N_VOXELS), dtype=np.float32)
    group = np.arange(N_SCANS) < 34
    arm = np.arange(N_SCANS) % 2
    return data, np.column_stack([np.ones(N_SCANS), group, arm, rng.standard_normal((N_SCANS, 2))])


def _products(data: np.ndarray, each: int) -> Callable[[], object]:
    """As many products as the test needs: of the tested columns and of the covariates; permutations keep the mean.

    In pieces that stay in the cache, each thread its own: the fastest way found.
    """
    rows = np.random.default_rng(1).standard_normal((N_PERMUTATIONS * each, N_SCANS)).astype(np.float32)
    starts = range(0, N_VOXELS, VOXELS_AT_ONCE)
    tiles = [np.ascontiguousarray(data[:, start : start + VOXELS_AT_ONCE]) for start in starts]

    def part(first: int, last: int) -> None:
        result = np.empty((ROWS_AT_ONCE, VOXELS_AT_ONCE), np.float32)
        for tile in tiles[first:last]:
            for start in range(0, len(rows), ROWS_AT_ONCE):
                several = rows[start : start + ROWS_AT_ONCE]
                np.matmul(several, tile, out=result[: len(several), : tile.shape[1]])

    def call() -> None:
        with one_thread_each():
            split(part, len(tiles))

    return call


def _peak_mb(call: Callable[[], object]) -> float:
    """The most memory that a call takes beyond what there was."""
    process, done = psutil.Process(), threading.Event()
    before = most = process.memory_info().rss

    def watch() -> None:
        nonlocal most
        while not done.wait(0.002):
            most = max(most, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        call()
    finally:
        done.set()
        watcher.join()
    return (most - before) / 1e6


def rows() -> Iterator[Row]:
    """A t contrast beside its products and nilearn; an F contrast of two rows beside its products."""
    data, design = _model()
    one = np.delete(design, 2, axis=1)
    shuffling = Shuffling(N_SCANS, n_permutations=N_PERMUTATIONS)
    t_test = Question(data, one, np.array([[0, 1, 0, 0]]), shuffling)
    f_test = Question(data, design, TWO_ROWS, shuffling)

    def nilearn(n_permutations: int) -> Callable[[], object]:
        return lambda: permuted_ols(
            one[:, 1:2],
            data,
            one[:, 2:],
            n_perm=n_permutations,
            n_jobs=2,
            random_state=0,
            output_type="dict",
            verbose=0,
        )

    peak_mb = _peak_mb(lambda: permutation_test(t_test))
    seconds, foreign = interleaved(
        {
            "t": lambda: permutation_test(t_test),
            "products of t": _products(data, 3),
            "F": lambda: permutation_test(f_test),
            "products of F": _products(data, 4),
            "short": nilearn(NILEARN_SHORT),
            "long": nilearn(NILEARN_LONG),
        },
        rounds=3,
    )
    each = (seconds["long"] - seconds["short"]) / (NILEARN_LONG - NILEARN_SHORT)
    theirs = seconds["short"] + (N_PERMUTATIONS - NILEARN_SHORT) * each
    task = f"t, {N_PERMUTATIONS} permutations, {peak_mb:.0f} MB beyond the data"
    peer = f"nilearn permuted_ols, n_jobs=2, from {NILEARN_SHORT} and {NILEARN_LONG} permutations to {N_PERMUTATIONS}"
    yield Row(task, seconds["t"], "the same sgemm products", seconds["products of t"], "limit", WITHIN, foreign)
    yield Row(task, seconds["t"], peer, theirs, "peer", FASTER, foreign)
    task = f"F of two rows, {N_PERMUTATIONS} permutations"
    yield Row(task, seconds["F"], "the same sgemm products", seconds["products of F"], "limit", WITHIN, foreign)
