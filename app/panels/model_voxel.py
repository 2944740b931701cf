"""The scans behind one voxel of a model: partial residuals, and what each scan does to the test."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...stats.errors import CannotCompute
from ...stats.freedman_lane import partition
from ...stats.influence import Influence, influence
from ...widgets.model_voxel import VoxelData
from ...widgets.numbers import format_number
from ..model_fit import Fitted, Tested
from ..model_parts import Laid
from ..model_places import SurfacePlace, VolumePlace
from ..recipes import Point
from ..seeds import in_words
from .model_check import observations_of
from .model_rows import statistic_of

NEAR_MM = 5.0  # of a vertex to the crosshair
_LEVEL = re.compile(r"(.+)\[T\.(.+)\]")
Float64 = NDArray[np.float64]


class OneElement(NamedTuple):
    """Data (n,) and design (n, p) of one voxel, vertex or region, covariates of its own among the columns."""

    y: Float64
    design: Float64


def element_at(fitted: Fitted, at_mm: Point) -> int | None:
    """Number of the element at a place; None where the model has none."""
    place = None if fitted.data is None else fitted.data.place
    if isinstance(place, VolumePlace):
        voxel = place.grid.voxel_at(at_mm)
        if voxel is None:
            return None
        flat = int(np.ravel_multi_index(tuple(int(v) for v in voxel), place.grid.shape, order="F"))
        at = int(np.searchsorted(place.voxels, flat))
        return at if at < len(place.voxels) and place.voxels[at] == flat else None
    if isinstance(place, SurfacePlace) and place.cortex.world is not None:
        away = np.linalg.norm(place.cortex.world.coordinates[place.vertices] - np.asarray(at_mm), axis=1)
        at = int(away.argmin())
        return at if away[at] <= NEAR_MM else None
    return None


def voxel_data(fitted: Fitted, tested: Tested, element: int) -> VoxelData:
    """One element's scans against what is tested.

    The vertical axis has partial residuals: what the tested regressor explains, and what nothing explains (Larsen and
    McCleary 1972, doi 10.2307/1267305).

    Raises
    ------
    CannotCompute
        The test is over more than two levels of repeated measures.
    """
    if tested.part.repeated is not None:
        raise CannotCompute("more than two levels of repeated measures have no such plot", "look at the table of tests")
    one = _one(fitted, tested, element)
    weights = tested.contrast.weights
    split = partition(one.design, weights)
    columns = np.hstack([split.nuisance, split.tested])
    solved = np.linalg.lstsq(columns, one.y, rcond=None)[0]
    residual = one.y - columns @ solved
    n_free = split.nuisance.shape[1]
    effect = split.tested @ solved[n_free:]
    level = float((split.nuisance @ solved[:n_free]).mean()) if n_free else 0.0
    single = len(weights) == 1
    x = split.tested[:, 0] if single else effect
    found = _influence(one, weights)
    groups = _groups(fitted.laid, tested, x) if single else ()
    is_constant = bool(np.ptp(x) == 0)
    names = observations_of(fitted.model, fitted.laid, tested.part)
    t = float(tested.maps.statistic[element])
    dfbetas = found.dfbetas[:, 0] if single else np.full(len(x), np.nan)
    cook = found.cook[:, 0]
    stands_out = np.abs(dfbetas) > 2 / np.sqrt(len(x)) if single else cook > 4 / len(x)
    return VoxelData(
        title=f"{_where(fitted, element)}, {tested.name}: {statistic_of(tested)} = {format_number(t)}",
        x=np.asarray(x, np.float64),
        y=effect + residual + level,
        x_title=tested.name if single else "fitted by the test",
        y_title="data, adjusted" if n_free else "data",
        names=names,
        line=(level + float(effect[0]), 0.0) if is_constant else (level, float(solved[-1]) if single else 1.0),
        groups=groups,
        dfbetas=dfbetas,
        cook=cook,
        t_without=found.t[:, 0],
        stands_out=np.asarray(stands_out, np.bool_),
        summary=_summary(names, dfbetas, cook, found.t[:, 0], single=single),
    )


def _one(fitted: Fitted, tested: Tested, element: int) -> OneElement:
    combine = tested.part.combine
    y = np.asarray(fitted.values[:, element], np.float64)
    own: list[Any] = [] if fitted.covariates is None else [each[:, element] for each in fitted.covariates]
    if combine is not None:
        y, own = combine @ y, [combine @ each for each in own]
    return OneElement(y, np.column_stack([tested.part.design.matrix, *own]).astype(np.float64))


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


def _where(fitted: Fitted, element: int) -> str:
    if fitted.data is None:
        return fitted.model.formula.partition("~")[0].strip() or "outcome"
    where = fitted.data.place.where(element)
    return where.name or ("" if where.at_mm is None else in_words(where.at_mm))


def _summary(names: tuple[str, ...], dfbetas: Float64, cook: Float64, t: Float64, *, single: bool) -> str:
    sizes = np.nan_to_num(np.abs(dfbetas) if single else cook, nan=-1.0)
    n = int(sizes.argmax())
    if sizes[n] < 0:
        return ""
    text = f"Most influential: {names[n]}, Cook's distance {format_number(float(cook[n]))}"
    if single:
        text += f", DFBETAS {format_number(float(dfbetas[n]))}; t = {format_number(float(t[n]))} without it"
    return text + "."
