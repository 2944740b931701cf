"""What is done to a run before it is correlated."""

from __future__ import annotations

import msgspec


class Preparation(msgspec.Struct, frozen=True):
    """What is done to a run before it is correlated, in this order: drop, smooth, one projection.

    Attributes
    ----------
    drop : int
        Leading volumes left out.
    fwhm_mm : float
        Gaussian smoothing before masking; 0 for none.
    detrend : int
        Polynomials of order 0 to this are projected out (0: only the mean).
    band_hz : (float, float) or None
        Pass band, edges inclusive.
    confounds, columns
        A table beside the run and the names of its columns to project out.
    censor_fd_mm : float or None
        Volumes with more framewise displacement are censored.
    brain : str or None
        Mask file; None for the automatic mask.
    """

    drop: int = 0
    fwhm_mm: float = 0.0
    detrend: int = 0
    band_hz: tuple[float, float] | None = None
    confounds: str | None = None
    columns: tuple[str, ...] = ()
    censor_fd_mm: float | None = None
    brain: str | None = None
