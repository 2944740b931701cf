"""Unit rows as small whole numbers: less memory to read while the crosshair is dragged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .arrays import Float32, Report, read_only
from .prepare import length, rows_at_once
from .rows import UnitRows

PROBES = 16  # seeds with which the error is measured


@dataclass(frozen=True, eq=False)
class QuantisedRows:
    """Unit rows in 8 or 16 bits.

    Attributes
    ----------
    values : (V, D) int8 or int16, read-only
    scale : (V,) float32, read-only
        ``scale * values`` is the unit row, up to a constant that a seed of mean 0 does not see; NaN where it has
        no correlation.
    error_bound : float
        No correlation with any unit vector whatever is further than this from that of the unit rows
        (Cauchy-Schwarz: the length of the largest rounding error).
    error_seen : float
        Largest difference from them over all rows, with `PROBES` rows as seeds. Far smaller than the bound, since a
        seed has no reason to look like a rounding error.
    """

    values: NDArray[np.int8] | NDArray[np.int16]
    scale: Float32
    error_bound: float
    error_seen: float


def quantise(rows: UnitRows, bits: Literal[8, 16], report: Report | None = None) -> QuantisedRows:
    """Round each unit row to 255 (8 bits) or 65535 (16 bits) even steps over its range.

    The range is that of the row's values where a seed is a series of mean 0, and is symmetric about 0 where rows and
    seeds are coordinates.
    """
    dtype: type[Any] = np.int8 if bits == 8 else np.int16
    most = int(np.iinfo(dtype).max)
    n = len(rows.unit)
    values = np.zeros(rows.unit.shape, dtype)
    scale = np.full(n, np.nan, np.float32)
    probes = rows.unit[_spread(np.flatnonzero(rows.valid))].astype(np.float64)
    bound = seen = 0.0
    block = rows_at_once(rows.unit)
    for start in range(0, n, block):
        inside = start + np.flatnonzero(rows.valid[start : start + block])
        unit = rows.unit[inside].astype(np.float64)
        low, high = unit.min(axis=1, keepdims=True), unit.max(axis=1, keepdims=True)
        if rows.basis is None:
            unit -= (low + high) / 2
        step = (np.abs(unit).max(axis=1) / most).astype(np.float32)
        values[inside] = np.rint(unit / step[:, None])
        scale[inside] = step
        error = values[inside] * step[:, None].astype(np.float64) - unit
        bound = max(bound, float(length(error).max(initial=0)))
        seen = max(seen, float(np.abs(error @ probes.T).max(initial=0)))
        if report:
            report(min(1.0, (start + block) / n))
    return QuantisedRows(read_only(values), read_only(scale), bound, seen)


def _spread(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most `PROBES` of some numbers, evenly spread."""
    return numbers[np.unique(np.linspace(0, len(numbers) - 1, PROBES).astype(int))] if len(numbers) else numbers
