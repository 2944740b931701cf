"""One seed in forty runs and a test over them, beside the time it takes to read the rows of all runs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from habena.stats.group_contrast import group_test
from habena.stats.group_rows import STORES, bytes_held, correlations, stored
from habena.stats.group_seed import group_maps
from habena.stats.rows import unit_rows
from habena.stats.threads import split

from ._data import series
from ._report import Row
from ._timing import interleaved
from .seed_map import sum_of

TITLE = "Group seed map"
N_RUNS, N_VOXELS, N_VOLUMES = 40, 60_000, 200
WITHIN = 150 / 70
STREAMS = (1, 2, 4, 8)


def rows() -> Iterator[Row]:
    """The mean in each store, and models with covariates, also voxelwise."""
    raw = series(N_VOXELS, N_VOLUMES)
    rng = np.random.default_rng(0)
    full = []
    for _ in range(N_RUNS):
        noise = rng.standard_normal((N_VOXELS, 1), dtype=np.float32) * rng.standard_normal(N_VOLUMES, np.float32)
        full.append(unit_rows(raw + noise))
    groups = {store: [stored(run, store) for run in full] for store in STORES}
    del raw
    seed, mean = np.arange(5), group_test(np.ones((N_RUNS, 1)), [1.0])
    covariates = np.column_stack([np.ones(N_RUNS), np.arange(N_RUNS) % 2, rng.standard_normal((N_RUNS, 3))])
    groups_differ = group_test(covariates, [0, 1, 0, 0, 0])
    grey = rng.random((N_RUNS, N_VOXELS), np.float32)
    kernels = {f"read in {n} streams": sum_of(n) for n in STREAMS}

    def read(kernel: object) -> None:
        for run in full:
            values = run.unit.reshape(-1)
            split(lambda a, b, values=values: kernel(values, a, b, np.empty(1, np.float32)), values.size)

    held = groups["float32"]
    seconds, foreign = interleaved(
        {
            **{name: lambda kernel=kernel: read(kernel) for name, kernel in kernels.items()},
            **{store: lambda runs=runs: group_maps(correlations(runs, seed), mean) for store, runs in groups.items()},
            "model": lambda: group_maps(correlations(held, seed), groups_differ, grey),
        },
        rounds=9,
    )
    name, read_s = min(((name, seconds[name]) for name in kernels), key=lambda pair: pair[1])
    limit = f"fastest read of the float32 rows ({name})"
    size = f"{N_RUNS} × {N_VOXELS // 1000}k × {N_VOLUMES}"
    memory = {store: bytes_held(N_VOXELS, [N_VOLUMES] * N_RUNS, store) / 1e9 for store in STORES}
    for store, runs in groups.items():
        error = max(run.error_r for run in runs)
        exact = f", error in r {error:.1e}" if error else ""
        label = f"{size}, mean and t, {store}, {memory[store]:.1f} GB{exact}"
        yield Row(label, seconds[store], limit, read_s, "limit", WITHIN, foreign)
    label = f"{size}, two groups, 3 covariates and a voxelwise one, float32"
    yield Row(label, seconds["model"], limit, read_s, "limit", WITHIN, foreign)
