"""The runs of a group on the same voxels, held so that a seed meets all of them in one pass.

Each run keeps rows of its own: of as many coordinates as its preparation left. A map reads every row once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .arrays import Float32, Float64, Int64, Report, read_only
from .correlate import seed_map, seed_series
from .errors import CannotCompute
from .quantise import QuantisedRows, quantise
from .rows import UnitRows

Store = Literal["float32", "int16", "int8"]
STORES: tuple[Store, ...] = ("float32", "int16", "int8")
BYTES_OF: dict[Store, int] = {"float32": 4, "int16": 2, "int8": 1}
PROBES = 4  # seeds of each run with which the error of a small store is measured
QUANTISING = 0.6  # of the time of storing a run; the rest is measuring


@dataclass(frozen=True, eq=False)
class RunRows:
    """One run of a group.

    Attributes
    ----------
    rows : UnitRows or QuantisedRows
        Of V voxels, all of them valid.
    norm : (V,) float32, read-only
        Length of each prepared series.
    is_series : bool
        The columns are volumes, not coordinates: small rows then lack a constant each.
    error_r : float
        Largest difference of a correlation from that of float32 rows that was seen; 0 for these.
    """

    rows: UnitRows | QuantisedRows
    norm: Float32
    is_series: bool
    error_r: float

    @property
    def n_voxels(self) -> int:
        """Number of rows."""
        return len(self.norm)

    @property
    def nbytes(self) -> int:
        """Memory held."""
        if isinstance(self.rows, UnitRows):
            return self.rows.unit.nbytes + self.norm.nbytes + self.rows.valid.nbytes
        return self.rows.values.nbytes + self.rows.scale.nbytes + self.norm.nbytes


def stored(rows: UnitRows, store: Store, report: Report | None = None) -> RunRows:
    """A prepared run as it is kept: as it is, or in 16 or 8 bits with the error in r that this makes.

    The error is measured with seeds that are rounded like the rows, as they are in use.
    """
    is_series = rows.basis is None
    if store == "float32":
        return RunRows(rows, rows.norm, is_series, 0.0)
    small = quantise(rows, 16 if store == "int16" else 8, None if report is None else lambda f: report(QUANTISING * f))
    run = RunRows(small, rows.norm, is_series, 0.0)
    valid = np.flatnonzero(rows.valid)
    probes = np.unique(valid[np.linspace(0, len(valid) - 1, PROBES).astype(int)]) if len(valid) else valid
    seen = 0.0
    for number, probe in enumerate(probes):
        seed = np.array([probe])
        exact = seed_map(rows, seed_series(rows, seed))
        seen = max(seen, float(np.nanmax(np.abs(seed_map(small, series_of(run, seed)) - exact))))
        if report:
            report(QUANTISING + (1 - QUANTISING) * (number + 1) / len(probes))
    return RunRows(small, rows.norm, is_series, seen)


def restricted(run: RunRows, kept: Int64) -> RunRows:
    """A run of fewer voxels; itself when all are kept."""
    if len(kept) == run.n_voxels:
        return run
    norm = read_only(run.norm[kept])
    if isinstance(run.rows, UnitRows):
        valid = read_only(run.rows.valid[kept])
        rows: UnitRows | QuantisedRows = UnitRows(read_only(run.rows.unit[kept]), norm, valid, run.rows.basis)
    else:
        values, scale = read_only(run.rows.values[kept]), read_only(run.rows.scale[kept])
        rows = QuantisedRows(values, scale, run.rows.error_bound, run.rows.error_seen)
    return RunRows(rows, norm, run.is_series, run.error_r)


def series_of(run: RunRows, seed: Int64) -> Float64:
    """The mean of the prepared series of a seed's rows in one run, in the columns of its rows (D,).

    Raises
    ------
    CannotCompute
        When the seed has no voxel or the mean is constant.
    """
    if isinstance(run.rows, UnitRows):
        return seed_series(run.rows, seed)
    if not len(seed):
        raise CannotCompute("the seed has no voxel", "move the seed into the brain")
    weight = run.norm[seed].astype(np.float64) * run.rows.scale[seed]
    mean = weight @ run.rows.values[seed].astype(np.float64) / len(seed)
    return mean - mean.mean() if run.is_series else mean


def correlations(runs: Sequence[RunRows], seed: Int64, report: Report | None = None) -> Float32:
    """Pearson correlation of a seed with every voxel in every run, each run with the seed's series of its own.

    Parameters
    ----------
    runs : sequence of RunRows
        Of the same V voxels.
    seed : (k,) int64
        Rows of the seed's voxels.
    report : callable, optional

    Returns
    -------
    (N, V) float32

    Raises
    ------
    CannotCompute
        When the seed has no voxel, or its mean is constant in a run.
    """
    result = np.empty((len(runs), runs[0].n_voxels), np.float32)
    for number, run in enumerate(runs):
        result[number] = seed_map(run.rows, series_of(run, seed))
        if report:
            report((number + 1) / len(runs))
    return result


def bytes_held(n_voxels: int, columns: Sequence[int], store: Store) -> int:
    """Memory of the runs of a group, before they are read.

    Parameters
    ----------
    n_voxels : int
    columns : sequence of int
        Degrees of freedom that each run's preparation leaves.
    store : str
    """
    per_voxel = 4 + (1 if store == "float32" else 4)  # norm, and validity or scale
    return n_voxels * sum(BYTES_OF[store] * each + per_voxel for each in columns)


def store_for(n_voxels: int, columns: Sequence[int], available: int) -> Store:
    """The most exact store of which the memory is there.

    Raises
    ------
    CannotCompute
        When not even the smallest fits.
    """
    for store in STORES:
        if bytes_held(n_voxels, columns, store) <= available:
            return store
    needed = bytes_held(n_voxels, columns, STORES[-1]) / 1e9
    what = f"{len(columns)} runs need {needed:.1f} GB even in 8 bits and {available / 1e9:.1f} GB are free"
    raise CannotCompute(what, "take fewer runs, a smaller mask or a narrower band")
