"""Which runs, which model over them, which seed, prepared how: as the group seed panel takes and gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ModelKind = Literal["mean", "paired", "two-sample", "regression"]
GroupSeedKind = Literal["voxel", "sphere", "layer"]
Measure = Literal["statistic", "estimate", "mean r", "p"]


@dataclass(frozen=True)
class GroupSeedSettings:
    """Settings of a group seed map.

    Attributes
    ----------
    table : str
        Name of the study's table to show; empty for the runs that are open.
    column : str
        Column of runs.
    model : str
        ``mean``, ``paired``, ``two-sample`` or ``regression``.
    subject, within : str
        Columns of a paired model: who, and which of two scans.
    predictor : str
        Column of groups, or of numbers for a regression.
    covariates : tuple of str
        Columns.
    voxelwise : str
        Column of images of a covariate, empty for none.
    kind : str
        Seed: ``voxel``, ``sphere``, or ``layer``: the selected region or mask.
    follow : bool
        A voxel or sphere moves with the crosshair.
    radius_mm : float
        Of the sphere.
    mask : str
        Name of the region or mask to show.
    measure : str
        What is shown.
    drop, fwhm_mm, detrend, band_hz
        As in `SeedSettings`.
    confounds : str
        Column of tables of confounds, empty for none.
    columns : tuple of str
        Confounds that are removed.
    censor_fd_mm : float or None
    brain : str
        Name of the mask file to show, empty for automatic masks.
    """

    table: str = ""
    column: str = ""
    model: ModelKind = "mean"
    subject: str = ""
    within: str = ""
    predictor: str = ""
    covariates: tuple[str, ...] = ()
    voxelwise: str = ""
    kind: GroupSeedKind = "voxel"
    follow: bool = True
    radius_mm: float = 6.0
    mask: str = ""
    measure: Measure = "statistic"
    drop: int = 0
    fwhm_mm: float = 6.0
    detrend: int = 2
    band_hz: tuple[float, float] | None = (0.01, 0.1)
    confounds: str = ""
    columns: tuple[str, ...] = ()
    censor_fd_mm: float | None = None
    brain: str = ""


@dataclass(frozen=True)
class TableColumns:
    """What columns of a table are good for.

    Attributes
    ----------
    files, groups, numbers, names : tuple of str
        Columns that name files, have two values, are numbers, or can tell people or sessions apart.
    """

    files: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
