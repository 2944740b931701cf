"""A PET scanner: what a region's activity looks like in an image.

Blur is linear, so each tissue is blurred once, at 1 mm, to the finest resolution that anybody has; an image is a sum of
these. Coarser resolutions are mixtures of that one and a coarser one whose variance is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...stats.arrays import Report
from ...stats.resample import resample
from ...stats.smooth import smooth
from ..grid import Grid
from ..problems import silent
from .anatomy import Anatomy

STEP = 3  # tissue voxels of 1 mm per voxel of an image
FINE_MM, COARSE_MM = 5.0, 7.0  # full width at half maximum
MARGIN = 9  # tissue voxels that a blurred parcel reaches beyond its box: more than four standard deviations
LEAST = 1e-4  # smaller shares of a parcel in a voxel are dropped
OTHER_TISSUE = ("grey matter outside all parcels", "white matter", "fluid", "scalp")
NOISE_FWHM_MM = 5.0

Box = tuple[slice, slice, slice]


class Acquisition(NamedTuple):
    """How one image was taken.

    Attributes
    ----------
    fwhm_mm : float
        Resolution, between 5 and 7.
    noise : float
        Standard deviation of a voxel of white matter, as a share of its value; it grows as the root of activity.
    shift_mm : three floats
        How far the head lay from where the image says.
    """

    fwhm_mm: float
    noise: float
    shift_mm: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scanner:
    """Tissues as a scanner sees them.

    Attributes
    ----------
    grid : Grid
        Of the images, 3 mm.
    seen : (voxels, parcels + 4) sparse float32
        Share of each voxel's value that comes from each parcel and from ``OTHER_TISSUE``, at the finest resolution;
        voxels count x fastest.
    """

    grid: Grid
    seen: Any

    def image(self, activity: NDArray[np.float64], how: Acquisition, rng: np.random.Generator) -> NDArray[np.float32]:
        """An image of people with an activity in each parcel and other tissue, (nx, ny, nz), in its unit."""
        shape, zooms = self.grid.shape, self.grid.zooms_mm
        fine = (self.seen @ activity.astype(np.float32)).reshape(shape, order="F")
        coarse = smooth(fine, float(np.sqrt(COARSE_MM**2 - FINE_MM**2)), zooms).volume
        share = (COARSE_MM**2 - how.fwhm_mm**2) / (COARSE_MM**2 - FINE_MM**2)
        image = share * fine + (1 - share) * coarse
        if how.shift_mm.any():
            image = resample(image, self._moved(how.shift_mm), shape, outside=0.0)
        white = activity[-3]
        return image + self._noise(rng) * (how.noise * np.sqrt(white * image.clip(0))).astype(np.float32)

    def _moved(self, shift_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        move = np.eye(4)
        move[:3, 3] = shift_mm
        return self.grid.inverse @ move @ self.grid.affine

    def _noise(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Noise of variance 1, as smooth as a reconstruction leaves it."""
        white = rng.standard_normal(self.grid.shape[::-1], np.float32).T
        noise = smooth(white, NOISE_FWHM_MM, self.grid.zooms_mm).volume
        return noise / noise.std()


def make_scanner(anatomy: Anatomy, report: Report = silent) -> Scanner:
    """See every parcel and other tissue of an anatomy at the finest resolution."""
    from scipy.sparse import csc_array  # noqa: PLC0415 - slow to import

    shape = tuple(-(-n // STEP) for n in anatomy.grid.shape)
    affine = anatomy.grid.affine @ np.diag([STEP, STEP, STEP, 1.0])
    voxels, values = [], []
    for k, (part, first) in enumerate(_tissues(anatomy)):
        report(k / (len(anatomy.parcels) + len(OTHER_TISSUE)))
        blurred = smooth(part, FINE_MM, (1.0, 1.0, 1.0)).volume
        start = [-offset % STEP for offset in first]
        seen = blurred[tuple(slice(s, None, STEP) for s in start)]
        place = np.argwhere(seen > LEAST)
        values.append(seen[tuple(place.T)])
        origin = [(offset + s) // STEP for offset, s in zip(first, start, strict=True)]
        voxels.append(np.ravel_multi_index(tuple((place + origin).T), shape, order="F"))
    ends = np.cumsum([0, *map(len, values)])
    matrix = csc_array((np.concatenate(values), np.concatenate(voxels), ends), (int(np.prod(shape)), len(values)))
    return Scanner(Grid((shape[0], shape[1], shape[2]), affine), matrix.tocsr())


def _tissues(anatomy: Anatomy) -> Iterator[tuple[NDArray[np.float32], tuple[int, ...]]]:
    """Share of each parcel and other tissue in a box round it, with the box's first voxel."""
    from scipy.ndimage import find_objects  # noqa: PLC0415 - slow to import

    for k, found in enumerate(find_objects(anatomy.labels, max_label=len(anatomy.parcels)), start=1):
        box = tuple(slice(max(0, part.start - MARGIN), part.stop + MARGIN) for part in found)
        yield np.where(anatomy.labels[box] == k, anatomy.grey[box], 0), tuple(part.start for part in box)
    for tissue in (np.where(anatomy.labels == 0, anatomy.grey, 0), anatomy.white, anatomy.fluid, anatomy.scalp):
        yield tissue, (0, 0, 0)
