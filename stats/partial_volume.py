"""What a scanner's blur takes from a region: its own signal that is kept, and what spills in from around it.

The point spread function is a Gaussian. A mask's voxels are boxes of uniform activity, whose blur and mean over other
boxes have a closed form along each axis: nothing is sampled, so coarse voxels cost no accuracy.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.linalg import toeplitz
from scipy.special import ndtr

from .arrays import Bool, Float64
from .errors import CannotCompute
from .smooth import FWHM_PER_SIGMA

Three = tuple[float, float, float]


class PartialVolume(NamedTuple):
    """A region seen at a resolution.

    Attributes
    ----------
    recovery : float
        Share of its own activity that its mean keeps, 0 to 1.
    spill_in_percent : float
        Share of its mean that comes from outside when all around is as active as itself.
    volume_mm3 : float
    diameter_mm : float
        Of the sphere of this volume.
    small : bool
        Whether it keeps less than a sphere two FWHM wide does (.52).
    """

    recovery: float
    spill_in_percent: float
    volume_mm3: float
    diameter_mm: float
    small: bool


def partial_volume(mask: Bool, zooms_mm: Three, fwhm_mm: float) -> PartialVolume:
    """Recovery of a region's mean at a resolution.

    Parameters
    ----------
    mask : (nx, ny, nz) bool
    zooms_mm : three floats
        Voxel size; the axes are taken to be at right angles.
    fwhm_mm : float
        Full width at half maximum of the image's blur, the scanner's and smoothing together.

    Raises
    ------
    CannotCompute
        When the mask is empty or a size is none.
    """
    recovery = spill(mask, mask, zooms_mm, fwhm_mm)
    volume = float(np.count_nonzero(mask) * np.prod(zooms_mm))
    diameter = (6 * volume / math.pi) ** (1 / 3)
    small = recovery < sphere_recovery(math.pi / 6 * (2 * fwhm_mm) ** 3, fwhm_mm) if fwhm_mm else False
    return PartialVolume(recovery, 100 * (1 - recovery), volume, diameter, small)


def spill(source: Bool, target: Bool, zooms_mm: Three, fwhm_mm: float) -> float:
    """Mean over a target of the blurred image of a source of activity 1 with nothing around it.

    With the same mask twice this is the recovery of its mean; from a region to a ring round it, what the ring holds
    of the region.

    Raises
    ------
    CannotCompute
        As `partial_volume`.
    """
    if not (np.isfinite([*zooms_mm, fwhm_mm]).all() and min(zooms_mm) > 0 and fwhm_mm >= 0):
        what = f"voxels of {zooms_mm} mm and a resolution of {fwhm_mm:g} mm make no sense"
        raise CannotCompute(what, "give positive sizes in mm")
    if not (source.any() and target.any()):
        raise CannotCompute("the region has no voxel", "choose one that lies within the image")
    box = _box(source | target)
    image = source[box].astype(np.float64)
    for axis, zoom in enumerate(zooms_mm):
        weights = toeplitz(_between_boxes(image.shape[axis], zoom, fwhm_mm / FWHM_PER_SIGMA))
        image = np.moveaxis(np.tensordot(weights, image, axes=(1, axis)), 0, axis)
    return float(image[target[box]].mean())


def sphere_recovery(volume_mm3: float, fwhm_mm: float) -> float:
    """Recovery of the mean of a sphere, in closed form.

    The mean, over all pairs of points in a sphere of radius R, of a Gaussian of their distance r: the integral of a
    Maxwell distribution times the share of the sphere that overlaps itself shifted by r, 1 - 3r/4R + r^3/16R^3.
    """
    a = (3 * volume_mm3 / (4 * math.pi)) ** (1 / 3) / (fwhm_mm / FWHM_PER_SIGMA)
    tail = math.exp(-2 * a * a)
    zeroth = math.erf(math.sqrt(2) * a) / math.sqrt(2 / math.pi) - 2 * a * tail
    first = 2 - (4 * a * a + 2) * tail
    third = 8 - (16 * a**4 + 16 * a * a + 8) * tail
    return math.sqrt(2 / math.pi) * (zeroth - 3 * first / (4 * a) + third / (16 * a**3))


def ring(mask: Bool, zooms_mm: Three, width_mm: float, gap_mm: float = 0.0) -> Bool:
    """Voxels round a region, for a control: centres further from it than the gap, at most gap + width.

    An effect that is as strong there is not the region's own.

    Parameters
    ----------
    mask : (nx, ny, nz) bool
    zooms_mm : three floats
    width_mm, gap_mm : float
        Distances between voxel centres.
    """
    from scipy.ndimage import distance_transform_edt  # noqa: PLC0415 - slow to import

    around = np.zeros(mask.shape, np.bool_)
    if mask.any():
        reach = np.ceil((gap_mm + width_mm) / np.asarray(zooms_mm)).astype(int)
        box = _box(mask, reach)
        distance = np.asarray(distance_transform_edt(~mask[box], sampling=zooms_mm))
        around[box] = (distance > gap_mm) & (distance <= gap_mm + width_mm + 1e-9) & ~mask[box]
    return around


def _box(mask: Bool, margin: object = 0) -> tuple[slice, ...]:
    """The smallest box round a mask, with a margin in voxels, within the volume."""
    inside = np.argwhere(mask)
    first = np.maximum(inside.min(axis=0) - np.asarray(margin), 0)
    last = np.minimum(inside.max(axis=0) + 1 + np.asarray(margin), mask.shape)
    return tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))


def _between_boxes(n: int, zoom: float, sigma: float) -> Float64:
    """Mean over a box of the blurred box 0 ... n - 1 boxes away: a second difference of x Phi(x) + phi(x)."""
    if sigma == 0:
        return np.eye(1, n)[0]
    x = np.arange(-1, n + 1) * (zoom / sigma)
    twice = x * ndtr(x) + np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    return np.diff(twice, 2) * (sigma / zoom)
