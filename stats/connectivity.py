"""From the series of voxels to a matrix of correlations between regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Float64, Int64
from .correlate import mean_r
from .errors import CannotCompute

Summary = Literal["mean", "eigenvariate"]
CONSTANT = 1e-7  # of a series' largest value: less than this is rounding of float32


class RegionSeries(NamedTuple):
    """One series for each region.

    Attributes
    ----------
    label : (R,) int64
        Ascending, those with at least one voxel of finite values.
    series : (R, T) float64
    n_voxels : (R,) int64
        Voxels that the series is of.
    """

    label: Int64
    series: Float64
    n_voxels: Int64


def region_series(rows: NDArray[Any], labels: NDArray[Any], how: Summary = "mean") -> RegionSeries:
    """Summarise the series of the voxels of each region.

    Parameters
    ----------
    rows : (V, T)
        Series; voxels with NaN or infinity are left out.
    labels : (V,) int
        Region of each voxel; 0 and less is no region.
    how : "mean" or "eigenvariate"
        The eigenvariate is the first principal component over time of the centred series, in the mean's direction and
        in units of the data (SPM's ``spm_regions``).

    Returns
    -------
    RegionSeries

    Raises
    ------
    CannotCompute
        When labels and rows do not match, or no region has a voxel.
    """
    if labels.shape != (len(rows),):
        raise CannotCompute(f"there are {labels.size} labels for {len(rows)} series", "give one label for each voxel")
    used = np.flatnonzero((labels > 0) & np.isfinite(rows).all(axis=1))
    used = used[np.argsort(labels[used], kind="stable")]
    label, start = np.unique(labels[used], return_index=True)
    if not label.size:
        raise CannotCompute("no region has a voxel with a series", "use regions that lie within the data")
    summary = _mean if how == "mean" else _eigenvariate
    parts = np.split(used, start[1:])
    series = np.stack([summary(rows[part]) for part in parts])
    return RegionSeries(label.astype(np.int64), series, np.array([len(part) for part in parts], np.int64))


def correlation(series: ArrayLike) -> Float64:
    """Pearson correlation of all pairs of rows.

    Parameters
    ----------
    series : (R, T)

    Returns
    -------
    (R, R) float64
        Exactly symmetric, with 1 on the diagonal; NaN for rows that are constant or not finite.

    Raises
    ------
    CannotCompute
        Fewer than 3 time points.
    """
    unit = _unit(series)
    matrix = np.clip(unit @ unit.T, -1, 1)
    return _symmetric(matrix)


def partial_correlation(series: ArrayLike) -> Float64:
    """Correlation of all pairs of rows given all others, with the covariance shrunk as Ledoit and Wolf have it.

    The rows are standardised first, so that their units do not matter; then the covariance is drawn towards a multiple
    of the identity by the amount that minimises the expected squared error (Ledoit and Wolf 2004, J. Multivar. Anal.
    88:365), which keeps it invertible when there are more regions than time points.

    Parameters
    ----------
    series : (R, T)

    Returns
    -------
    (R, R) float64
        Exactly symmetric, with 1 on the diagonal; NaN for rows that are constant or not finite, which the others are
        not adjusted for.

    Raises
    ------
    CannotCompute
        Fewer than 3 time points.
    """
    from sklearn.covariance import ledoit_wolf  # noqa: PLC0415 - slow to import

    unit = _unit(series)
    valid = np.flatnonzero(np.isfinite(unit).all(axis=1))
    matrix = np.full((len(unit), len(unit)), np.nan)
    if valid.size:
        standard = unit[valid].T * np.sqrt(unit.shape[1])
        precision = np.linalg.inv(ledoit_wolf(standard, assume_centered=True)[0])
        scale = 1 / np.sqrt(np.diag(precision))
        matrix[np.ix_(valid, valid)] = np.clip(-precision * scale * scale[:, None], -1, 1)
    return _symmetric(matrix)


def average_correlation(matrices: Sequence[Float64] | Float64) -> Float64:
    """Mean of several matrices (K, R, R) of correlations as Fisher z, shown as r again, with 1 on the diagonal."""
    return _symmetric(mean_r(np.asarray(matrices, dtype=np.float64)))


def _mean(rows: NDArray[Any]) -> Float64:
    return rows.mean(axis=0, dtype=np.float64)


def _eigenvariate(rows: NDArray[Any]) -> Float64:
    centred = rows.astype(np.float64)
    centred -= centred.mean(axis=1, keepdims=True)
    n, volumes = centred.shape
    if n < volumes:
        values, vectors = np.linalg.eigh(centred @ centred.T)
        component = vectors[:, -1] @ centred
    else:
        values, vectors = np.linalg.eigh(centred.T @ centred)
        component = vectors[:, -1] * np.sqrt(max(values[-1], 0.0))
    sign = -1.0 if component @ centred.mean(axis=0) < 0 else 1.0
    return sign * component / np.sqrt(n)


def _unit(series: ArrayLike) -> Float64:
    """Rows without their mean, of length 1; NaN where that cannot be."""
    given = np.asarray(series, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] < 3:
        raise CannotCompute("there are fewer than 3 time points", "give series of a few dozen time points")
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = given - given.mean(axis=1, keepdims=True)
        length = np.linalg.norm(centred, axis=1, keepdims=True)
        largest = np.abs(given).max(axis=1, keepdims=True, initial=0.0)
        constant = length <= CONSTANT * largest * np.sqrt(given.shape[1])
        return np.where(constant | ~np.isfinite(length), np.nan, centred / length)


def _symmetric(matrix: Float64) -> Float64:
    """The mean of a matrix and its transpose, with 1 on the diagonal where it is not NaN."""
    result = (matrix + matrix.T) / 2
    np.fill_diagonal(result, np.where(np.isnan(np.diag(matrix)), np.nan, 1.0))
    return result
