"""All series of a run as one picture."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from .arrays import Float32, Float64, Int32, Int64
from .errors import CannotCompute
from .prepare import EXPLAINED, length, rows_at_once


class Carpet(NamedTuple):
    """All series as one picture, time to the right.

    Attributes
    ----------
    picture : (n, T) float32
    group : (n,) int32
        Region or tissue of each line of the picture.
    rows_per_line : (n,) int32
        How many series are averaged in it.
    unit : "z" or "percent"
    """

    picture: Float32
    group: Int32
    rows_per_line: Int32
    unit: Literal["z", "percent"]


def carpet(
    rows: Float32,
    groups: Int32 | None = None,
    *,
    most_lines: int = 400,
    unit: Literal["z", "percent"] = "z",
) -> Carpet:
    """All series of a run as a picture (Power 2017, doi 10.1016/j.neuroimage.2016.08.009).

    Series are ordered by group (region, tissue), within a group from the highest to the lowest correlation with
    the mean of all series, and neighbours in that order are averaged until `most_lines` remain; no line mixes
    groups, each group has at least one. Series that do not vary or hold NaN are left out.

    Parameters
    ----------
    rows : (V, T) float32
    groups : (V,) int32, optional
        Without it all series are of group 0.
    most_lines : int
    unit : "z" or "percent"
        Each series less its mean, divided by its standard deviation (ddof 0), or in percent of its mean.

    Returns
    -------
    Carpet

    Raises
    ------
    CannotCompute
        When no series varies, or percent is asked where no mean exceeds the standard deviation (of series whose mean
        is removed).
    """
    mean, sd = _moments(rows)
    with np.errstate(invalid="ignore"):  # series with NaN are not usable
        varies = sd > EXPLAINED * np.abs(mean)
        usable = varies if unit == "z" else varies & (np.abs(mean) > sd)
    if not usable.any():
        raise CannotCompute(
            f"no series of the run can be drawn in {unit}", "check the mask; after projection series have no mean"
        )
    of_group = np.zeros(len(rows), np.int32) if groups is None else groups
    order = _ordered(rows, of_group, np.flatnonzero(usable), sd)
    line, group = _lines(of_group[order], most_lines)
    sizes = np.bincount(line)
    weight = (1 / sd[order] if unit == "z" else 100 / mean[order]) / sizes[line]
    averaging = csr_array((weight.astype(np.float32), (line, order)), shape=(len(sizes), len(rows)))
    centre = np.bincount(line, weights=weight * mean[order])
    picture = np.asarray(averaging @ rows) - centre[:, None].astype(np.float32)
    return Carpet(picture, group, sizes.astype(np.int32), unit)


def _moments(rows: Float32) -> tuple[Float64, Float64]:
    mean, sd = np.empty((2, len(rows)))
    block = rows_at_once(rows)
    with np.errstate(invalid="ignore"):  # of rows with NaN
        for start in range(0, len(rows), block):
            part = rows[start : start + block].astype(np.float64)
            mean[start : start + block] = part.mean(axis=1)
            sd[start : start + block] = length(part - part.mean(axis=1, keepdims=True)) / np.sqrt(part.shape[1])
    return mean, sd


def _ordered(rows: Float32, groups: Int32, usable: Int64, sd: Float64) -> Int64:
    """Usable rows by group, then by falling correlation with their mean."""
    once = np.full(len(usable), 1 / len(usable), np.float32)
    averaging = csr_array((once, (np.zeros_like(usable), usable)), shape=(1, len(rows)))
    mean = np.asarray(averaging @ rows)[0].astype(np.float64)
    with np.errstate(invalid="ignore"):  # rows with NaN are not usable
        likeness = (rows @ (mean - mean.mean()).astype(np.float32))[usable] / sd[usable]
    return usable[np.lexsort((-likeness, groups[usable]))]


def _lines(groups: Int32, most_lines: int) -> tuple[Int64, Int32]:
    """For ordered rows the line that each falls on, and the group of each line."""
    labels, sizes = np.unique(groups, return_counts=True)
    spare = max(0, most_lines - len(labels))
    n_lines = np.minimum(sizes, 1 + sizes * spare // sizes.sum())
    first = np.concatenate([[0], np.cumsum(n_lines)[:-1]])
    within = np.concatenate([np.arange(size) * n // size for size, n in zip(sizes, n_lines, strict=True)])
    return np.repeat(first, sizes) + within, np.repeat(labels, n_lines).astype(np.int32)
