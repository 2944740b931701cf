"""What is correlated with what, and how the run is prepared for it, as the seed panel takes and gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SeedKind = Literal["voxel", "sphere", "region", "mask"]


@dataclass(frozen=True)
class SeedSettings:
    """Settings of a seed correlation.

    Attributes
    ----------
    run : int or None
        Key of the series.
    kind : str
        ``voxel``, ``sphere``, ``region`` or ``mask``.
    follow : bool
        A voxel or sphere moves with the crosshair.
    radius_mm : float
        Of the sphere.
    region, mask : str
        Names to show; chosen elsewhere.
    measure : str
        ``r`` or ``z``.
    drop : int
        Leading volumes left out.
    fwhm_mm : float
        Smoothing, 0 for none.
    detrend : int
        Highest order of drift that is removed; 0 removes the mean.
    band_hz : (float, float) or None
    confounds : str
        Name of the confounds file to show, empty for none.
    columns : tuple of str
        Its columns that are removed.
    censor_fd_mm : float or None
    brain : str
        Name of the mask file to show, empty for the automatic mask.
    """

    run: int | None = None
    kind: SeedKind = "voxel"
    follow: bool = True
    radius_mm: float = 6.0
    region: str = ""
    mask: str = ""
    measure: Literal["r", "z"] = "r"
    drop: int = 0
    fwhm_mm: float = 0.0
    detrend: int = 0
    band_hz: tuple[float, float] | None = None
    confounds: str = ""
    columns: tuple[str, ...] = ()
    censor_fd_mm: float | None = None
    brain: str = ""
