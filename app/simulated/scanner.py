"""A PET scanner: what a region's activity looks like in an image.

Blur is linear, so each tissue is blurred once, at 1 mm, to a few resolutions, and an image is a sum of these. What lies
between two resolutions is a mixture of both whose variance is right.
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
LEVELS_MM = (5.0, 6.0, 7.0)  # full width at half maximum
MARGIN = 12  # tissue voxels that a blurred parcel reaches beyond its box: more than four standard deviations
LEAST = 1e-4  # smaller shares of a parcel in a voxel are dropped
OTHER_TISSUE = ("grey matter outside all parcels", "white matter", "fluid", "scalp")
NOISE_FWHM_MM = 5.0  # as a reconstruction leaves it

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
    texture : (nx, ny, nz) or 0
        What a person has more or less in single places, as a share.
    """

    fwhm_mm: float
    noise: float = 0.0
    shift_mm: NDArray[np.float64] = np.zeros(3)
    texture: NDArray[np.float32] | float = 0.0


class _Column(NamedTuple):
    """Voxels that show some of a tissue, and how much."""

    voxels: NDArray[np.int64]
    values: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Scanner:
    """Tissues as a scanner sees them.

    Attributes
    ----------
    grid : Grid
        Of the images, 3 mm.
    seen : tuple of (voxels, parcels + 4) sparse float32
        At each of ``LEVELS_MM``: share of each voxel's value that comes from each parcel and from ``OTHER_TISSUE``;
        voxels count x fastest.
    """

    grid: Grid
    seen: tuple[Any, ...]

    def image(self, activity: NDArray[np.float64], how: Acquisition, rng: np.random.Generator) -> NDArray[np.float32]:
        """An image of people with an activity in each parcel and other tissue, (nx, ny, nz), in its unit."""
        image = np.zeros(self.grid.shape, np.float32, order="F")
        for share, seen in zip(_mixture(how.fwhm_mm), self.seen, strict=True):
            if share:
                image += (seen @ (share * activity).astype(np.float32)).reshape(image.shape, order="F")
        image *= 1 + how.texture
        if how.shift_mm.any():
            image = resample(image, self._moved(how.shift_mm), self.grid.shape, outside=0.0)
        white = activity[-3]
        return image + self.field(rng, NOISE_FWHM_MM) * (how.noise * np.sqrt(white * image.clip(0))).astype(np.float32)

    def _moved(self, shift_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        move = np.eye(4)
        move[:3, 3] = shift_mm
        return self.grid.inverse @ move @ self.grid.affine

    def field(self, rng: np.random.Generator, fwhm_mm: float) -> NDArray[np.float32]:
        """A smooth random field of variance 1, (nx, ny, nz)."""
        white = rng.standard_normal(self.grid.shape[::-1], np.float32).T
        noise = smooth(white, fwhm_mm, self.grid.zooms_mm).volume
        return noise / noise.std()


def _mixture(fwhm_mm: float) -> list[float]:
    """Share of each level in a resolution: of the two around it, so that the variances add up."""
    variances = np.square(LEVELS_MM)
    return [float(np.interp(fwhm_mm**2, variances, one)) for one in np.eye(len(LEVELS_MM))]


def make_scanner(anatomy: Anatomy, report: Report = silent) -> Scanner:
    """See every parcel and other tissue of an anatomy at each resolution."""
    x, y, z = (-(-n // STEP) for n in anatomy.grid.shape)
    affine = anatomy.grid.affine @ np.diag([STEP, STEP, STEP, 1.0])
    columns: list[list[_Column]] = [[] for _ in LEVELS_MM]
    for k, (part, first) in enumerate(_tissues(anatomy)):
        report(k / (len(anatomy.parcels) + len(OTHER_TISSUE)))
        for level, fwhm in zip(columns, LEVELS_MM, strict=True):
            level.append(_column(smooth(part, fwhm, (1.0, 1.0, 1.0)).volume, first, (x, y, z)))
    return Scanner(Grid((x, y, z), affine), tuple(_matrix(level, x * y * z) for level in columns))


def _column(blurred: NDArray[np.float32], first: tuple[int, ...], shape: tuple[int, int, int]) -> _Column:
    """What an image's voxels show of a blurred tissue; ``first`` is where its box begins."""
    start = [-offset % STEP for offset in first]
    seen = blurred[tuple(slice(s, None, STEP) for s in start)]
    place = np.argwhere(seen > LEAST)
    origin = [(offset + s) // STEP for offset, s in zip(first, start, strict=True)]
    i, j, k = (place + origin).T
    return _Column(i + shape[0] * (j + shape[1] * k), seen[tuple(place.T)])


def _matrix(columns: list[_Column], n: int) -> Any:
    from scipy.sparse import csc_array  # noqa: PLC0415 - slow to import

    ends = np.cumsum([0, *(len(column.values) for column in columns)])
    values, voxels = (np.concatenate([column[k] for column in columns]) for k in (1, 0))
    return csc_array((values, voxels, ends), (n, len(columns))).tocsr()


def _tissues(anatomy: Anatomy) -> Iterator[tuple[NDArray[np.float32], tuple[int, ...]]]:
    """Share of each parcel and other tissue in a box round it, with the box's first voxel."""
    from scipy.ndimage import find_objects  # noqa: PLC0415 - slow to import

    for k, found in enumerate(find_objects(anatomy.labels, max_label=len(anatomy.parcels)), start=1):
        box = tuple(slice(max(0, part.start - MARGIN), part.stop + MARGIN) for part in found)
        yield np.where(anatomy.labels[box] == k, anatomy.grey[box], 0), tuple(part.start for part in box)
    for tissue in (np.where(anatomy.labels == 0, anatomy.grey, 0), anatomy.white, anatomy.fluid, anatomy.scalp):
        yield tissue, (0, 0, 0)
