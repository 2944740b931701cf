"""Scans as maps on one grid, each kept by its own recipe: questions about the same scans share them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ..compute import is_simulated
from ..grid import Grid
from ..problems import Finding, Problem
from .prepare_cache import About, Kept, keep, kept, key_of, nifti
from .prepare_grid import mask_of
from .prepare_pet import References, inputs_of, ratio_map
from .prepare_space import space_of
from .values import Choices, Scan

Report = Callable[[float], None]
T = TypeVar("T")
R = TypeVar("R")
MAP, MASK = "map.nii", "mask.nii"
VOXELS = "voxels"  # that a map has
CLEARLY_ABOVE_0 = 0.1  # of the first map's median: below it a change in percent is not said


@dataclass(frozen=True, eq=False)
class Target:
    """What all maps of a question are brought to.

    Attributes
    ----------
    grid : Grid
    space : str or None
        Template.
    mask : (nx, ny, nz) bool or None
    mask_name : str
    choices : Choices
    """

    grid: Grid
    space: str | None
    mask: NDArray[np.bool_] | None
    mask_name: str
    choices: Choices

    @property
    def recipe(self) -> dict[str, Any]:
        """What of it makes a map what it is."""
        return {
            "shape": self.grid.shape,
            "affine": np.round(self.grid.affine, 6).ravel().tolist(),
            "space": self.space,
            "mask": self.mask_name,
            "scaling": self.choices.scaling,
        }

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Files that it stands on."""
        return () if self.choices.mask is None else (Path(self.choices.mask),)


def target_of(choices: Choices, grid: Grid, space: str | None) -> Target:
    """Grid, template and mask of a question's maps.

    Raises
    ------
    Problem
        As `mask_of`.
    """
    return Target(grid, space, *mask_of(choices, grid, space), choices)


def ratio_of(scan: Scan, target: Target, references: References) -> Kept:
    """A PET scan as a map of ratios, or another map as it is; smoothed, on the grid, within the mask.

    Raises
    ------
    Problem
        The scan cannot be used.
    """
    from ..io.volumes import open_volume  # noqa: PLC0415

    choices = target.choices
    asked = {
        "kind": scan.kind,
        **references.recipe,
        "window_min": choices.window_min,
        "fwhm_mm": choices.fwhm_mm,
    }
    region = [Path(references.name)] if references.name and Path(references.name).is_file() else []
    files = (*inputs_of(scan, references.sidecars), *region)
    key = key_of({**asked, "target": target.recipe}, (*files, *target.inputs))
    found = kept(key, MAP)
    if found is not None:
        return found
    with closing(open_volume(scan.path)) as volume:
        if scan.kind == "map":
            if volume.n_frames > 1:
                raise Problem(scan.path, f"has {volume.n_frames} volumes where one is expected", "name 3D images")
            values, notes, findings = volume.frame(0), {}, ()
        else:
            made = ratio_map(scan, volume, space_of(scan), choices, references)
            values, notes, findings = made.values, made.notes, made.findings
        about = About(
            MAP,
            simulated=is_simulated(str(scan.path), volume.info.sidecar),
            space=target.space,
            units=volume.info.unit if scan.kind == "map" else "SUVR",
            parameters={**asked, **notes},
            warnings=findings,
            inputs=tuple(map(str, (*files, *target.inputs))),
        )
        values = _smoothed(values, choices.fwhm_mm, volume.grid)
        return kept_map(key, values, volume.grid, target, about)


def _smoothed(values: NDArray[np.float32], fwhm_mm: float, grid: Grid) -> NDArray[np.float32]:
    """Smoothed on its own grid; what was empty counts as 0 and stays empty."""
    from ...stats.smooth import smooth  # noqa: PLC0415

    if fwhm_mm <= 0:
        return values
    return np.where(np.isfinite(values), smooth(values, fwhm_mm, grid.zooms_mm).volume, np.float32(np.nan))


def kept_map(key: str, values: NDArray[np.float32], grid: Grid, target: Target, about: About) -> Kept:
    """A map brought to the grid and kept: linear, empty outside the mask, divided by its mean where that is asked.

    Raises
    ------
    Problem
        Nothing of it lies within the mask.
    """
    from ...stats.resample import resample  # noqa: PLC0415

    if grid != target.grid:
        values = resample(values, grid.inverse @ target.grid.affine, target.grid.shape)
    inside = np.isfinite(values)
    if target.mask is not None:
        inside &= target.mask
    if not inside.any():
        raise Problem(about.inputs[0], f"has no value within the {target.mask_name}", "check where it lies")
    values = np.where(inside, values, np.float32(np.nan))
    parameters = {**about.parameters, "mask": target.mask_name, "scaling": target.choices.scaling}
    parameters[VOXELS] = int(inside.sum())
    if target.choices.scaling == "global mean":
        mean = float(values[inside].mean(dtype=np.float64))
        if not mean > 0:
            raise Problem(about.inputs[0], f"has a mean of {mean:.3g} within the mask", "choose no scaling")
        values = (values / mean).astype(np.float32)
        parameters["global_mean"] = mean
    return keep(key, nifti(values, target.grid, target.space), replace(about, parameters=parameters))


def change_of(first: Kept, second: Kept, target: Target, *, percent: bool) -> Kept:
    """Second less first, or that in percent of the first where it is clearly above 0."""
    recipe = {"change": "percent" if percent else "difference", "of": [first.key, second.key]}
    key = key_of(recipe, ())
    found = kept(key, MAP)
    if found is not None:
        return found
    before, after = values_of(first.path), values_of(second.path)
    values = after - before
    warnings = (*first.about.warnings, *second.about.warnings)
    if percent:
        floor = CLEARLY_ABOVE_0 * float(np.nanmedian(before))
        low = np.isfinite(values) & ~(before > max(floor, 0))
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.where(low, np.nan, 100 * values / before).astype(np.float32)
        if low.any():
            message = "Voxels whose first value is not clearly above 0 (a tenth of the median) have no percent change."
            warnings = (*warnings, Finding("percent-undefined", "map", float(low.sum()), message))
    about = About(
        MAP,
        simulated=first.about.simulated or second.about.simulated,
        space=target.space,
        units="percent" if percent else first.about.units,
        parameters={
            "change": recipe["change"],
            "first": first.about.parameters,
            "second": second.about.parameters,
            VOXELS: int(np.isfinite(values).sum()),
        },
        warnings=warnings,
        inputs=tuple(dict.fromkeys((*first.about.inputs, *second.about.inputs))),
    )
    return keep(key, nifti(values, target.grid, target.space), about)


def covered(images: Sequence[Kept], target: Target) -> Kept:
    """Mask of the voxels that all images have."""
    key = key_of({"covered": [image.key for image in images]}, ())
    found = kept(key, MASK)
    if found is None:
        mask = np.ones(target.grid.shape, bool)
        for image in images:
            mask &= np.isfinite(values_of(image.path))
        found = keep(key, nifti(mask.astype(np.float32), target.grid, target.space), About(MASK))
    return found


def values_of(path: Path) -> NDArray[np.float32]:
    """Values of a kept map."""
    from ..io.volumes import open_volume  # noqa: PLC0415

    with closing(open_volume(path)) as volume:
        return volume.frame(0)
