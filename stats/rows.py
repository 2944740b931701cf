"""Time series of all voxels, ready to be correlated: mean removed, of length 1.

Once a design is projected out of T volumes the series live in fewer dimensions than T. Their coordinates in that
space carry all correlations exactly, and are fewer: a band of 0.01-0.1 Hz at TR 1.5 s leaves 72 of 260. So a
correlation map reads a quarter of the memory and loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Bool, Float32, Float64, Report, read_only
from .confounds import Design
from .errors import CannotCompute
from .prepare import EXPLAINED, coordinates, length, rows_at_once


@dataclass(frozen=True, eq=False)
class UnitRows:
    """Series as unit vectors. Correlation is their product.

    Attributes
    ----------
    unit : (V, D) float32, read-only
        Rows without a correlation (constant, or with NaN or infinity) are NaN.
    norm : (V,) float32, read-only
        Length before scaling: ``norm * unit`` is the prepared series.
    valid : (V,) bool, read-only
        Which rows have a correlation.
    basis : (T, D) float64 or None
        What the D coordinates stand for; None when they are the T volumes themselves.
    """

    unit: Float32
    norm: Float32
    valid: Bool
    basis: Float64 | None = None

    def series(self, row: int) -> Float64:
        """The prepared series of one row, (T,): mean 0, nuisance removed; NaN where not valid."""
        return self.in_time(np.float64(self.norm[row]) * self.unit[row].astype(np.float64))

    def in_time(self, coordinates: Float64) -> Float64:
        """Coordinates (D,) as a series (T,)."""
        return coordinates if self.basis is None else self.basis @ coordinates

    def in_rows(self, series: ArrayLike) -> Float64:
        """A series (T,) from elsewhere as coordinates (D,): what the preparation would leave of it."""
        given = np.asarray(series, dtype=np.float64)
        n_volumes = self.unit.shape[1] if self.basis is None else len(self.basis)
        if given.shape != (n_volumes,):
            raise CannotCompute(f"the series has {given.size} volumes, the run {n_volumes}", "use one of the same run")
        return given - given.mean() if self.basis is None else self.basis.T @ given


def unit_rows(rows: Float32, report: Report | None = None) -> UnitRows:
    """Rows of series (V, T) as they are, their mean removed, as unit vectors over T."""

    def centred(part: Float32) -> Float64:
        series = part.astype(np.float64)
        with np.errstate(invalid="ignore"):  # rows with NaN or infinity stay so
            result = series - series.mean(axis=1, keepdims=True)
            result[length(result) <= EXPLAINED * length(series)] = 0
        return result

    return _as_unit(rows, centred, None, report)


def compact_rows(rows: Float32, design: Design, report: Report | None = None) -> UnitRows:
    """Rows of series (V, T) with a design projected out, as unit vectors over its residual degrees of freedom.

    The same correlations as ``unit_rows(project_out(rows, design))``, in less memory and time.
    """
    return _as_unit(rows, lambda part: coordinates(part, design), design.complement, report)


def _as_unit(
    rows: Float32, prepared: Callable[[Float32], Float64], basis: Float64 | None, report: Report | None
) -> UnitRows:
    n, columns = rows.shape
    unit = np.empty((n, columns if basis is None else basis.shape[1]), np.float32)
    norm = np.empty(n, np.float32)
    block = rows_at_once(rows)
    for start in range(0, n, block):
        part = prepared(rows[start : start + block])
        size = length(part)
        size[~(np.isfinite(size) & (size > 0))] = np.nan
        norm[start : start + block] = size
        unit[start : start + block] = part / size[:, None]
        if report:
            report(min(1.0, (start + block) / n))
    return UnitRows(read_only(unit), read_only(norm), read_only(np.isfinite(norm)), basis)
