"""The scans behind one place of a model: partial residuals, and what each scan does to the test."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...stats.errors import CannotCompute
from ...stats.fit_band import fit_band
from ...stats.freedman_lane import Partition, partition
from ...stats.influence import Influence, influence
from ...stats.trajectories import summarise
from ...widgets.model_voxel import VoxelData
from ...widgets.numbers import format_number
from ...widgets.voxel_data import VoxelBand, VoxelMean, VoxelPair
from ..model_fit import Fitted, Tested
from ..model_parts import Laid
from ..model_places import VolumePlace
from .model_check import observations_of
from .model_rows import statistic_of as letter_of
from .voxel_people import Seen, kinds_of, sessions_of
from .voxel_series import OneElement, Series, one_of, statistic_of

BAND_PLACES = 41
IMPROVEMENT = "improvement"
_LEVEL = re.compile(r"(.+)\[T\.(.+)\]")
Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Paired:
    """Values of both sessions at a place.

    Attributes
    ----------
    sessions : (str, str)
        As they are shown.
    values : (n, 2) float64
        In the order of the observations of the test; NaN where one is missing.
    unit : str
    """

    sessions: tuple[str, str]
    values: Float64
    unit: str


def voxel_data(
    fitted: Fitted, tested: Tested, series: Series, seen: Seen | None = None, paired: Paired | None = None
) -> VoxelData:
    """One place's scans against what is tested.

    The vertical axis has partial residuals: what the tested regressor explains, and what nothing explains (Larsen and
    McCleary 1972, doi 10.2307/1267305).

    Parameters
    ----------
    fitted : Fitted
    tested : Tested
    series : Series
    seen : Seen, optional
        How people may be named; by their names when not given.
    paired : Paired, optional
        Both sessions of each person, to be shown instead of their change.

    Raises
    ------
    CannotCompute
        The test is over more than two levels of repeated measures.
    """
    if tested.part.repeated is not None:
        raise CannotCompute("more than two levels of repeated measures have no such plot", "look at the table of tests")
    seen = seen or Seen()
    one = one_of(series, tested.part)
    weights = tested.contrast.weights
    split = partition(one.design, weights)
    columns = np.hstack([split.nuisance, split.tested])
    solved = np.linalg.lstsq(columns, one.y, rcond=None)[0]
    residual = one.y - columns @ solved
    n_free = split.nuisance.shape[1]
    effect = split.tested @ solved[n_free:]
    level = float((split.nuisance @ solved[:n_free]).mean()) if n_free else 0.0
    single = len(weights) == 1
    x = np.asarray(split.tested[:, 0] if single else effect, np.float64)
    y = np.asarray(effect + residual + level, np.float64)
    found = _influence(one, weights)
    groups = _groups(fitted.laid, tested, x) if single else ()
    is_constant = bool(np.ptp(x) == 0)
    keys = observations_of(fitted.model, fitted.laid, tested.part)
    names = seen.names(keys, sessions_of(fitted, tested.part, keys))
    t = statistic_of(fitted, tested, series)
    dfbetas = found.dfbetas[:, 0] if single else np.full(len(x), np.nan)
    cook = found.cook[:, 0]
    stands_out = np.abs(dfbetas) > 2 / np.sqrt(len(x)) if single else cook > 4 / len(x)
    kinds, kind_of = _kinds(fitted, tested, groups, x, seen)
    band, means = _intervals(tested, one.y, split, x, y, groups) if single else (None, ())
    name = seen.text(tested.name)
    mark = ", simulated data" if fitted.simulated else ""
    return VoxelData(
        title=f"{series.where}, {name}: {letter_of(tested)} = {format_number(t)}{mark}",
        x=x,
        y=y,
        x_title=_titled(name) if single else "fitted by the test",
        y_title=_unit(fitted) + (", adjusted" if n_free and np.ptp(split.nuisance, axis=0).any() else ""),
        names=names,
        line=(level + float(effect[0]), 0.0) if is_constant else (level, float(solved[-1]) if single else 1.0),
        groups=tuple(map(seen.text, groups)),
        dfbetas=dfbetas,
        cook=cook,
        t_without=found.t[:, 0],
        stands_out=np.asarray(stands_out, np.bool_),
        summary=_summary(names, dfbetas, cook, found.t[:, 0], single=single),
        keys=keys,
        kinds=kinds,
        kind_of=kind_of,
        band=band,
        means=means,
        note=series.note,
        pair=None if paired is None else _pair(paired, series, kind_of, mark),
    )


def _unit(fitted: Fitted) -> str:
    """What the data are, on the vertical axis."""
    rows, place = fitted.model.study, None if fitted.data is None else fitted.data.place
    unit = (place.info.unit if isinstance(place, VolumePlace) else "") or "data"
    return f"{unit}, change" if rows is not None and rows.per == "difference" else unit


def _titled(name: str) -> str:
    """What is tested, with what a larger improvement means."""
    return f"{name} (first less last: larger is better)" if IMPROVEMENT in name else name


def _kinds(
    fitted: Fitted, tested: Tested, groups: tuple[str, ...], x: Float64, seen: Seen
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Groups that shapes and colours tell: those that are compared, else arms or groups of the table."""
    if groups and all(groups) and not seen.hidden:
        return groups, tuple(x.astype(int).tolist())
    return kinds_of(fitted, tested.part, seen)


def _intervals(
    tested: Tested, observed: Float64, split: Partition, x: Float64, y: Float64, groups: tuple[str, ...]
) -> tuple[VoxelBand | None, tuple[VoxelMean, ...]]:
    """The band of a line; of groups the means that the model fits, with variances of their own where it has those."""
    try:
        at = np.unique(x) if groups else np.linspace(x.min(), x.max(), BAND_PLACES)
        fit = fit_band(observed, split.nuisance, x, at)
    except CannotCompute:
        return None, ()
    if not groups:
        return (VoxelBand(fit.at, fit.low, fit.high) if tested.part.groups is None else None), ()
    of_group = [np.asarray(y[x == value]) for value in at]
    if tested.part.groups is not None:
        return None, tuple(_mean(int(value), float(value), own) for value, own in zip(at, of_group, strict=True))
    means = [
        VoxelMean(int(value), len(own), fit.at[n : n + 1], fit.fit[n : n + 1], fit.low[n : n + 1], fit.high[n : n + 1])
        for n, (value, own) in enumerate(zip(at, of_group, strict=True))
    ]
    return None, tuple(means)


def _mean(kind: int, at: float, values: Float64) -> VoxelMean:
    found = summarise(values)
    low, high = found.ci
    return VoxelMean(kind, found.n, *(np.array([each]) for each in (at, found.mean, low, high)))


def _pair(paired: Paired, series: Series, kind_of: tuple[int, ...], mark: str) -> VoxelPair:
    """Both sessions with means of people who have both."""
    whole = np.isfinite(paired.values).all(axis=1)
    kinds = np.asarray(kind_of or np.zeros(len(paired.values)))
    means: list[VoxelMean] = []
    for kind in np.unique(kinds).tolist():
        own = paired.values[whole & (kinds == kind)]
        if len(own):
            first, second = (summarise(own[:, n]) for n in (0, 1))
            low, high = zip(first.ci, second.ci, strict=True)
            means.append(
                VoxelMean(
                    int(kind),
                    first.n,
                    np.array([0.0, 1.0]),
                    np.array([first.mean, second.mean]),
                    np.array(low),
                    np.array(high),
                )
            )
    title = f"{series.where}: {' and '.join(paired.sessions)}, means with 95 % CI{mark}"
    return VoxelPair(title, paired.unit, paired.sessions, paired.values, tuple(means))


def _influence(one: OneElement, weights: Float64) -> Influence:
    """Of every scan; unknown where too few are left without one."""
    n = len(one.y)
    try:
        return influence(one.y[:, None], one.design, weights[0])
    except CannotCompute:
        nothing = np.full((n, 1), np.nan)
        return Influence(nothing, nothing, nothing, nothing, nothing, nothing[:, 0])


def _groups(laid: Laid, tested: Tested, x: Float64) -> tuple[str, ...]:
    """Names for a regressor of 0 and 1."""
    values = set(np.unique(x).tolist())
    if values == {1.0}:
        return "", "all"
    if values != {0.0, 1.0}:
        return ()
    found = _LEVEL.fullmatch(tested.name)
    if found is None:
        return "0", "1"
    column, level = found[1], found[2]
    levels: list[str] = []
    if column in laid.table.frame:
        levels = [str(each) for each in laid.table.frame[column].iloc[laid.rows].unique()]
    others = [each for each in levels if each != level]
    return others[0] if len(others) == 1 else "others", level


def _summary(names: tuple[str, ...], dfbetas: Float64, cook: Float64, t: Float64, *, single: bool) -> str:
    sizes = np.nan_to_num(np.abs(dfbetas) if single else cook, nan=-1.0)
    n = int(sizes.argmax())
    if sizes[n] < 0:
        return ""
    text = f"Most influential: {names[n]}, Cook's distance {format_number(float(cook[n]))}"
    if single:
        text += f", DFBETAS {format_number(float(dfbetas[n]))}; t = {format_number(float(t[n]))} without it"
    return text + "."
