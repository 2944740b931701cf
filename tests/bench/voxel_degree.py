"""Degree of every voxel, beside half the matrix product that it stands on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from habena.stats.rows import UnitRows, unit_rows
from habena.stats.voxel_degree import degree
from habena.stats.voxel_density import at_density
from habena.stats.voxel_edges import at_least

from ._data import series
from ._report import Row
from ._timing import interleaved

TITLE = "Voxelwise degree, r > .25"
SIZES = ((20_000, 200), (60_000, 200))
WITHIN = 1.1
FASTER = 3.0
BLOCK = 1000
PIECES = ((512, 2048), (256, 1024), (1024, 4096))  # rows and columns of a product; the fastest counts
OPERATIONS = 2e10


def rows() -> Iterator[Row]:
    """Both kinds of degree, without a threshold, and at a density."""
    for n_voxels, n_volumes in SIZES:
        yield from _rows(unit_rows(series(n_voxels, n_volumes)))


def _rows(given: UnitRows) -> Iterator[Row]:
    n, n_volumes = given.unit.shape
    cut, none = at_least(0.25, "positive"), at_least(-1, "positive")
    small = n <= SIZES[0][0]
    calls: dict[str, Callable[[], object]] = {
        **{f"sgemm {m} × {k}": lambda m=m, k=k: _products(given.unit, m, k) for m, k in PIECES},
        "binary": lambda: degree(given, cut),
        "weighted": lambda: degree(given, cut, weighted=True),
        "all": lambda: degree(given, none, weighted=True),
    }
    if small:
        calls |= {"NumPy": lambda: _with_numpy(given.unit), "density": lambda: at_density(given.unit, 0.1, "positive")}
    seconds, foreign = interleaved(calls, rounds=7 if small else 3)
    size = f"{n // 1000}k × {n_volumes}"
    product_s = n**2 / 2 * min(seconds[f"sgemm {m} × {k}"] / _pairs(n_volumes, m, k) for m, k in PIECES)
    half = "half the matrix product"
    for name in ("binary", "weighted"):
        yield Row(f"{size}, {name}", seconds[name], half, product_s, "limit", WITHIN, foreign)
    yield Row(f"{size}, weighted, no threshold", seconds["all"], half, product_s, "limit", WITHIN, foreign)
    if small:
        yield Row(f"{size}, binary", seconds["binary"], "NumPy in blocks", seconds["NumPy"], "peer", FASTER, foreign)
        density = f"{size}, exact threshold of a density of 10 %"
        yield Row(density, seconds["density"], half, product_s, "limit", None, foreign)


def _repeats(n_volumes: int, m: int, k: int) -> int:
    return max(1, round(OPERATIONS / (2 * n_volumes * m * k)))


def _pairs(n_volumes: int, m: int, k: int) -> int:
    """Pairs whose product one timed call computes."""
    return _repeats(n_volumes, m, k) * m * k


def _products(unit: np.ndarray, m: int, k: int) -> None:
    out = np.empty((m, k), np.float32)
    for repeat in range(_repeats(unit.shape[1], m, k)):
        first = repeat * 64 % 4096
        np.matmul(unit[:m], unit[first : first + k].T, out=out)


def _with_numpy(unit: np.ndarray) -> None:
    for start in range(0, len(unit), BLOCK):
        np.count_nonzero(unit[start : start + BLOCK] @ unit.T >= 0.25, axis=1)
