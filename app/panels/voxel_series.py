"""Data of one place of a fitted model: a voxel, vertex or column of a table, or the mean of an atlas region."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from ...stats.errors import CannotCompute
from ..model_fit import Fitted, Tested
from ..model_parts import Part, lay_out
from ..model_places import SurfacePlace, VolumePlace
from ..problems import Problem
from ..recipes import Point
from ..seeds import in_words
from ..study.region_set import NamedRegion, region_means, seen
from ..study.traps_study import resolution_mm

if TYPE_CHECKING:
    from ...stats.contrasts import Contrast
    from ...stats.glm import TestMaps

NEAR_MM = 5.0  # of a vertex to the crosshair
LEAST_COVERED = 0.5  # of a region by the maps, below which it is said
Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Series:
    """Data of one place.

    Attributes
    ----------
    values : (rows,) float64
        In the order of the model's rows.
    covariates : (m, rows) float64 or None
    where : str
        The place in words.
    element : int or None
        Of the maps; None for the mean of a region.
    note : str
        What must be said of it.
    """

    values: Float64
    covariates: Float64 | None
    where: str
    element: int | None = None
    note: str = ""


class OneElement(NamedTuple):
    """Data (n,) and design (n, p) of one place, covariates of its own among the columns."""

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


def element_series(fitted: Fitted, element: int) -> Series:
    """Data of one element."""
    own = None if fitted.covariates is None else np.asarray(fitted.covariates[:, :, element], np.float64)
    return Series(np.asarray(fitted.values[:, element], np.float64), own, _where(fitted, element), element)


def region_series(fitted: Fitted, region: NamedRegion) -> Series:
    """The mean of a region, over those of its voxels that the model has.

    Raises
    ------
    CannotCompute
        No voxel of the model lies in it.
    Problem
        The atlas cannot be read.
    """
    place = None if fitted.data is None else fitted.data.place
    if not isinstance(place, VolumePlace):
        raise CannotCompute("the model has no volume to take the mean of a region from", "look at single elements")
    found = region_means(fitted.values, place.grid, [region], place.voxels)
    if not found.covered[0] > 0:
        raise CannotCompute(f"no voxel of the model lies in {region.title.rstrip()}", "choose another place")
    own = None
    if fitted.covariates is not None:
        read = [region_means(each, place.grid, [region], place.voxels).means[:, 0] for each in fitted.covariates]
        own = np.stack(read)
    return Series(
        found.means[:, 0], own, f"mean of {region.title.rstrip()}", None, _note(fitted, region, float(found.covered[0]))
    )


def _note(fitted: Fitted, region: NamedRegion, covered: float) -> str:
    """What a small region keeps of its signal, where the resolution is known."""
    said: list[str] = []
    rows = fitted.model.study
    small = None if rows is None else seen(region, resolution_mm(rows.measure, rows.choices))
    if rows is not None and small is not None and small.small:
        fwhm = resolution_mm(rows.measure, rows.choices)
        said.append(f"{region.title.rstrip()} keeps {100 * small.recovery:.0f} % of its own signal at {fwhm:.2g} mm.")
    if covered < LEAST_COVERED:
        said.append(f"{100 * covered:.0f} % of {region.title.rstrip()} lies within the maps.")
    return " ".join(said)


def _where(fitted: Fitted, element: int) -> str:
    if fitted.data is None:
        return fitted.model.formula.partition("~")[0].strip() or "outcome"
    where = fitted.data.place.where(element)
    return where.name or ("" if where.at_mm is None else in_words(where.at_mm))


def one_of(series: Series, part: Part) -> OneElement:
    """A place's observations of a part of the model."""
    y, own = series.values, [] if series.covariates is None else list(series.covariates)
    if part.combine is not None:
        y, own = part.combine @ y, [part.combine @ each for each in own]
    return OneElement(y, np.column_stack([part.design.matrix, *own]).astype(np.float64))


def statistic_of(fitted: Fitted, tested: Tested, series: Series) -> float:
    """The statistic of a test: the map's, or that of the same model of the mean."""
    if series.element is not None:
        return float(tested.maps.statistic[series.element])
    return _value(_refit(fitted, tested.part, tested.contrast, (series.values, series.covariates)), is_f=tested.is_f)


def statistic_without(fitted: Fitted, tested: Tested, series: Series, people: tuple[str, ...]) -> float:
    """The same statistic when some people are left out of the model, laid out anew as the whole map would be.

    Raises
    ------
    CannotCompute
        Too few are left for this test.
    """
    model = structs.replace(fitted.model, exclude=tuple(dict.fromkeys((*fitted.model.exclude, *people))))
    try:
        laid = lay_out(model, fitted.laid.table)
    except Problem as problem:
        raise CannotCompute(problem.what, problem.todo) from problem
    place = {row: number for number, row in enumerate(fitted.laid.rows.tolist())}
    kept = np.array([place[row] for row in laid.rows.tolist()], np.int64)
    given = series.values[kept], None if series.covariates is None else series.covariates[:, kept]
    for part in laid.parts:
        for contrast in part.contrasts:
            if contrast.name == tested.name and contrast.weights.shape == tested.contrast.weights.shape:
                return _value(_refit(fitted, part, contrast, given), is_f=tested.is_f)
    raise CannotCompute("without them there is nothing to test", "leave fewer out")


def _refit(fitted: Fitted, part: Part, asked: Contrast, given: tuple[Float64, Float64 | None]) -> TestMaps:
    from ...stats.glm import fit, test  # noqa: PLC0415 - compiled

    values, covariates = given
    own: Any = None if covariates is None else covariates[:, :, None]
    observed, beside = replace(fitted, values=values[:, None], covariates=own, data=None).observations(part)
    return test(fit(observed, part.design.matrix, beside, part.groups), asked.weights)


def _value(maps: TestMaps, *, is_f: bool) -> float:
    value = float(maps.statistic[0])
    return value**2 if is_f and maps.estimate is not None else value
