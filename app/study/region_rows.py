"""The named region set of a fitted model: the same model of every region's mean, with p over all regions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from .. import templates
from ..model_fit import Fitted, Tested
from ..model_places import VolumePlace
from ..problems import Finding, Problem, silent
from .answers import RegionRow
from .region_set import NamedRegion, named_regions, region_means, ring_means, seen

if TYPE_CHECKING:
    from ...stats.glm import TestMaps
    from ..models import Inference

Report = Callable[[float], None]
Float64 = NDArray[np.float64]
LEAST_PERMUTATIONS = 1000  # over regions, where fewer are asked for: they take no time
LEAST_COVERED = 0.5


@dataclass(frozen=True, eq=False)
class RegionTests:
    """The regions' answer.

    Attributes
    ----------
    rows : tuple of RegionRow
    means : (n, R) float64
        By person.
    maps : TestMaps
        Over regions.
    permutations : int
        Arrangements compared, the observed one included; 0 where none could be.
    findings : tuple of Finding
    """

    rows: tuple[RegionRow, ...]
    means: Float64
    maps: TestMaps
    permutations: int
    findings: tuple[Finding, ...]


def region_tests(
    fitted: Fitted, tested: Tested, inference: Inference, fwhm_mm: float, report: Report = silent
) -> RegionTests:
    """Test the contrast in the mean of every named region.

    Parameters
    ----------
    fitted : Fitted
        Of voxels in a standard space, without a small volume.
    tested : Tested
    inference : Inference
        Seed and number of permutations.
    fwhm_mm : float
        Resolution, for what is said of small regions.
    """
    from ...stats.glm import fit, test  # noqa: PLC0415 - compiled

    regions, place = named_regions(), fitted.data.place if fitted.data else None
    if not isinstance(place, VolumePlace):
        raise TypeError("regions are read from volumes")
    named, findings = _named(place, regions)
    found = region_means(fitted.values, place.grid, regions, place.voxels)
    readable = np.array([region.atlas in named for region in regions]) & (found.covered > 0)
    means = np.where(readable, found.means, np.nan)
    usable = np.flatnonzero(np.isfinite(means).all(axis=0) & (np.ptp(means, axis=0) > 0))
    beside = _covariates(fitted.covariates, place, regions)
    regional = replace(
        fitted, values=means[:, usable], covariates=None if beside is None else beside[:, :, usable], data=None
    )
    values, covariates = regional.observations(tested.part)
    made = fit(values, tested.part.design.matrix, covariates, tested.part.groups)
    maps = _spread(test(made, tested.contrast.weights, one_sided=inference.one_sided), usable, len(regions))
    p_fwe, permutations = _corrected(regional, tested, inference, report)
    whole = np.full(len(regions), np.nan)
    if p_fwe is not None:
        whole[usable] = p_fwe
    notes = [
        _note(region, fwhm_mm, float(found.covered[n]), named=region.atlas in named) for n, region in enumerate(regions)
    ]
    rows = tuple(_row(region, maps, n, whole[n], notes[n]) for n, region in enumerate(regions))
    return RegionTests(rows, means, maps, permutations, findings)


def ring_findings(
    fitted: Fitted, tested: Tested, rows: tuple[RegionRow, ...], fwhm_mm: float, level: float = 0.05
) -> tuple[Finding, ...]:
    """Small regions with an effect that the ring round them has too."""
    from ...stats.glm import fit, test  # noqa: PLC0415 - compiled
    from ...stats.trap_regions import ring_control  # noqa: PLC0415 - SciPy

    place = fitted.data.place if fitted.data else None
    if not isinstance(place, VolumePlace) or fitted.covariates is not None:
        return ()
    values, _ = fitted.observations(tested.part)
    said: list[Finding] = []
    for region, row in zip(named_regions(), rows, strict=True):
        small = seen(region, fwhm_mm)
        if small is None or not small.small or not row.p < level:
            continue
        ring = ring_means(values, place.grid, region, fwhm_mm, place.voxels)[:, None]
        if not np.isfinite(ring).all():
            continue
        found = test(fit(ring, tested.part.design.matrix, None, tested.part.groups), tested.contrast.weights)
        if found.estimate is not None:
            said += [Finding(*trap) for trap in ring_control(region.title, row.effect, float(found.estimate[0]))]
    return tuple(said)


def _named(place: VolumePlace, regions: tuple[NamedRegion, ...]) -> tuple[frozenset[str], tuple[Finding, ...]]:
    """Atlases whose names may be used on these maps, and what is to be said."""
    from ..io.atlases import describe  # noqa: PLC0415

    infos = [describe(atlas) for atlas in dict.fromkeys(region.atlas for region in regions)]
    fits = {info.id: templates.compatible(place.space, info.template) for info in infos}
    return frozenset(name for name, fit in fits.items() if fit.names_regions), templates.findings(place.space, infos)


def _covariates(covariates: NDArray[Any] | None, place: VolumePlace, regions: tuple[NamedRegion, ...]) -> Any:
    if covariates is None:
        return None
    return np.stack([region_means(each, place.grid, regions, place.voxels).means for each in covariates])


def _spread(maps: TestMaps, at: NDArray[np.int64], size: int) -> TestMaps:
    """Maps of some regions as maps of all, NaN for the others."""

    def whole(values: Any) -> Any:
        if not isinstance(values, np.ndarray):
            return values
        made = np.full(size, np.nan)
        made[at] = values
        return made

    return type(maps)(**{name: whole(value) for name, value in maps._asdict().items()})


def _corrected(regional: Fitted, tested: Tested, inference: Inference, report: Report) -> tuple[Float64 | None, int]:
    """Family-wise p over regions by the largest statistic, Freedman and Lane's permutations; None where none exist."""
    from ..model_inference import inferring  # noqa: PLC0415 - compiled

    asked = structs.replace(
        inference, permutations=max(inference.permutations, LEAST_PERMUTATIONS), correction="fwe", across_tests=False
    )
    try:
        ready = inferring(regional, tested, asked, None)
    except Problem:  # nothing can be exchanged
        return None, 0
    found = ready.result(ready.all(report))
    return found.p_fwe.p, found.n_done + 1


def _note(region: NamedRegion, fwhm_mm: float, covered: float, *, named: bool) -> str:
    """What must be said beside a region."""
    if not named:
        return "not read: the maps are not in a space that the atlas's names hold in"
    said = [region.note] if region.note else []
    small = seen(region, fwhm_mm)
    if small is not None and small.small:
        said.append(f"keeps {small.recovery:.0%} of its own signal at {fwhm_mm:.2g} mm".replace("%", " %"))
    if covered < LEAST_COVERED:
        said.append(f"{100 * covered:.0f} % of it lies within the maps")
    return "; ".join(said)


def _row(region: NamedRegion, maps: TestMaps, n: int, p_fwe: float, note: str) -> RegionRow:
    estimate, low, high = (
        float("nan") if each is None else float(each[n]) for each in (maps.estimate, maps.ci_low, maps.ci_high)
    )
    return RegionRow(
        region=region.name,
        side=region.side,
        atlas=region.atlas,
        effect=estimate,
        ci=(low, high),
        statistic=float(maps.statistic[n]),
        p=float(maps.p[n]),
        p_fwe=None if np.isnan(p_fwe) else float(p_fwe),
        df=maps.df[1] if maps.df_map is None else float(maps.df_map[n]),
        note=note,
    )
