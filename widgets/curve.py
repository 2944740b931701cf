"""Values over time as the plots take them, and what is done to them before they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Scale = Literal["measured", "percent", "standard"]


@dataclass(frozen=True, eq=False)
class Curve:
    """Values of one series over time.

    Attributes
    ----------
    name, unit : str
    x, y : (n,) float64
        Middle of each frame in time, and its value; NaN leaves a gap.
    colour : (int, int, int) or None
        sRGB; None for the next of the theme's.
    widths : (n,) float64 or None
        Duration of each frame in the unit of ``x``; drawn as steps then.
    """

    name: str
    x: Floats
    y: Floats
    unit: str = ""
    colour: tuple[int, int, int] | None = None
    widths: Floats | None = None


@dataclass(frozen=True, eq=False)
class Quality:
    """Motion of a run over time.

    Attributes
    ----------
    x : (n,) float64
    fd : (n,) float64 or None
        Framewise displacement in mm.
    dvars : (n,) float64 or None
    threshold_mm : float or None
        Volumes with more framewise displacement are censored.
    dvars_unit : str
    """

    x: Floats
    fd: Floats | None = None
    dvars: Floats | None = None
    threshold_mm: float | None = None
    dvars_unit: str = ""

    @property
    def censored(self) -> NDArray[np.bool_]:
        """Volumes above the threshold."""
        if self.fd is None or self.threshold_mm is None:
            return np.zeros(len(self.x), np.bool_)
        return np.nan_to_num(self.fd) > self.threshold_mm


def scaled(y: Floats, scale: Scale) -> Floats:
    """Values as measured, in percent of difference from their mean, or as standard scores."""
    if scale == "measured" or not np.isfinite(y).any():
        return y
    mean, size = float(np.nanmean(y)), 0.0
    size = abs(mean) / 100 if scale == "percent" else float(np.nanstd(y))
    return (y - mean) / size if size else np.full_like(y, np.nan)


def steps(x: Floats, y: Floats, widths: Floats) -> tuple[Floats, Floats]:
    """The outline of frames as a line, with a gap where frames do not touch."""
    starts, ends = x - widths / 2, x + widths / 2
    line_x = np.stack([starts, ends, ends], axis=1)
    line_y = np.stack([y, y, np.full_like(y, np.nan)], axis=1)
    touching = np.isclose(ends[:-1], starts[1:], atol=1e-6 * float(np.ptp(x) or 1))
    line_y[:-1, 2] = np.where(touching, y[1:], np.nan)
    return line_x.ravel(), line_y.ravel()


def extent(curve: Curve) -> tuple[float, float]:
    """Start of the first frame and end of the last."""
    half = np.zeros_like(curve.x) if curve.widths is None else curve.widths / 2
    return float(np.min(curve.x - half)), float(np.max(curve.x + half))


def nearest(x: Floats, at: float) -> int:
    """Number of the frame whose middle is nearest to a time; `x` increases."""
    right = int(np.searchsorted(x, at))
    if right in (0, len(x)):
        return min(right, len(x) - 1)
    return right if x[right] - at < at - x[right - 1] else right - 1
