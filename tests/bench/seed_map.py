"""One seed against every voxel, beside the time it takes to read the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from habena.stats.arrays import FAST_MATH
from habena.stats.confounds import Nuisance, design
from habena.stats.correlate import seed_map, seed_maps, seed_series
from habena.stats.quantise import quantise
from habena.stats.rows import compact_rows, unit_rows
from habena.stats.threads import split
from numba import njit

from ._data import series
from ._report import Row
from ._timing import interleaved

TITLE = "Seed map"
SIZES = ((228_000, 200), (228_000, 1200), (72_000, 260))
WITHIN = 1.15
SEEDS = 8
SEEDS_WITHIN = 1.7


def sum_of(streams: int) -> Callable[..., None]:
    """A kernel that reads a part of memory from several places at once and adds it up."""
    names = range(streams)
    source = "\n".join(
        [
            "def kernel(values, start, stop, result):",
            f"    n = (stop - start) // {streams}",
            *(f"    a{k} = values[start + {k} * n : start + {k} * n + n]; x{k} = np.float32(0)" for k in names),
            "    for i in range(n):",
            *(f"        x{k} += a{k}[i]" for k in names),
            f"    result[0] = {' + '.join(f'x{k}' for k in names)}",
        ]
    )
    scope: dict[str, Any] = {"np": np}
    exec(source, scope)  # noqa: S102 - one loop for each number of streams
    return njit(nogil=True, fastmath=FAST_MATH)(scope["kernel"])


def _reads(rows: np.ndarray) -> dict[str, Callable[[], object]]:
    values = rows.reshape(-1)
    kernels = {f"read in {streams} streams": sum_of(streams) for streams in (1, 2, 4, 8)}
    return {
        name: lambda kernel=kernel: split(lambda a, b: kernel(values, a, b, np.empty(1, np.float32)), values.size)
        for name, kernel in kernels.items()
    }


def rows() -> Iterator[Row]:
    """Float32, both small stores, coordinates of a band, and eight seeds at once."""
    for n_voxels, n_volumes in SIZES:
        yield from _rows(n_voxels, n_volumes)


def _rows(n_voxels: int, n_volumes: int) -> Iterator[Row]:
    raw = series(n_voxels, n_volumes)
    full = unit_rows(raw)
    compact = compact_rows(raw, design(Nuisance(n_volumes, 2, (0.01, 0.1), 1.5)))
    del raw
    small, smallest = quantise(full, 16), quantise(full, 8)
    seed = seed_series(full, np.arange(5))
    seed_in_band = seed_series(compact, np.arange(5))
    seeds = np.array([seed_series(full, np.array([k])) for k in range(SEEDS)])
    course = (seed / np.linalg.norm(seed)).astype(np.float32)
    reads = _reads(full.unit)
    seconds, foreign = interleaved(
        {
            **reads,
            "float32": lambda: seed_map(full, seed),
            "NumPy": lambda: full.unit @ course,
            "int16": lambda: seed_map(small, seed),
            "int8": lambda: seed_map(smallest, seed),
            "band": lambda: seed_map(compact, seed_in_band),
            "eight": lambda: seed_maps(full, seeds),
        },
        rounds=15 if n_volumes < 1000 else 9,
    )
    size = f"{n_voxels // 1000}k × {n_volumes}"
    name, read_s = min(((name, seconds[name]) for name in (*reads, "NumPy")), key=lambda pair: pair[1])
    limit = f"fastest read of the float32 rows ({name})"
    for label, key, goal in (
        ("float32", "float32", WITHIN),
        (f"int16, error in r {small.error_seen:.1e}", "int16", WITHIN),
        (f"int8, error in r {smallest.error_seen:.1e}", "int8", WITHIN),
        (f"0.01–0.1 Hz as {compact.unit.shape[1]} coordinates, float32", "band", WITHIN),
    ):
        yield Row(f"{size}, {label}", seconds[key], limit, read_s, "limit", goal, foreign)
    eight = f"{size}, {SEEDS} seeds in one pass"
    yield Row(eight, seconds["eight"], "one seed", seconds["float32"], "limit", SEEDS_WITHIN, foreign)
