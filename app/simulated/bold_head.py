"""The MNI152 anatomy on the coarse grid of simulated runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...stats.resample import resample
from ...stats.smooth import smooth
from ..grid import Grid
from ..io.atlases import load_atlas
from ..io.volumes import open_volume
from ..sample import anatomy_file
from .bold_networks import ATLAS

Values = NDArray[np.float32]

VOXEL_MM = 4.0
GREY, WHITE, CSF = 200.0, 165.0, 235.0  # of a run's mean image: all below 256, which packs well
EDGE_FWHM_MM = 6.0
FIELD_FWHM_MM = 60.0
TISSUE = "mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"  # beside the T1 in nilearn


@dataclass(frozen=True, eq=False)
class Head:
    """Anatomy by voxel of the brain, V of them in the order of ``brain``.

    Attributes
    ----------
    grid : Grid
    brain : (nx, ny, nz) bool
    labels : (nx, ny, nz) int32
        Regions of AAL2 from 1; 0 elsewhere.
    grey : (nx, ny, nz) float32
        Share of grey matter.
    tissue : (V, 3) float32
        Shares of grey matter, white matter and CSF.
    mean : (V,) float32
        Intensity without any change over time.
    gradient_per_mm, position_mm : (V, 3) float32
    """

    grid: Grid
    brain: NDArray[np.bool_]
    labels: NDArray[np.int32]
    grey: Values
    tissue: Values
    mean: Values
    gradient_per_mm: Values
    position_mm: Values

    @property
    def white(self) -> NDArray[np.bool_]:
        """Voxels of little but white matter, (V,)."""
        return self.tissue[:, 1] > 0.9

    @property
    def csf(self) -> NDArray[np.bool_]:
        """Voxels of little but CSF, (V,)."""
        return self.tissue[:, 2] > 0.8

    def smooth_field(self, rng: np.random.Generator) -> Values:
        """A random pattern of mean 0 and variance 1 that changes over centimetres, (V,)."""
        noise = rng.standard_normal(self.grid.shape, dtype=np.float32)
        field = smooth(noise, FIELD_FWHM_MM, self.grid.zooms_mm).volume[self.brain]
        return (field - field.mean()) / field.std()


@cache
def head() -> Head:
    """The head that all simulated runs share: they are normalised."""
    anatomy = anatomy_file()
    grid = _grid(anatomy_grid=open_volume(anatomy).grid)
    grey, white = (_tissue(anatomy.with_name(TISSUE.format(name)), grid) for name in ("gm", "wm"))
    brain = np.asarray(ndimage.binary_fill_holes(ndimage.binary_closing(grey + white > 0.25, iterations=2)), np.bool_)
    csf = np.where(brain, np.clip(1 - grey - white, 0, 1), 0).astype(np.float32)
    image = smooth((GREY * grey + WHITE * white + CSF * csf).astype(np.float32), EDGE_FWHM_MM, grid.zooms_mm).volume
    gradient = [np.gradient(image, size, axis=axis)[brain] for axis, size in enumerate(grid.zooms_mm)]
    return Head(
        grid=grid,
        brain=brain,
        labels=load_atlas(ATLAS).labels_on(grid).astype(np.int32),
        grey=grey,
        tissue=np.stack([grey, white, csf], axis=-1)[brain],
        mean=image[brain],
        gradient_per_mm=np.stack(gradient, axis=-1).astype(np.float32),
        position_mm=grid.mm_of(np.argwhere(brain)).astype(np.float32),
    )


def _grid(anatomy_grid: Grid) -> Grid:
    """A coarse grid over the anatomy's box."""
    low, high = anatomy_grid.bounds_mm
    nx, ny, nz = (int(n) for n in np.ceil((high - low) / VOXEL_MM))
    affine = np.diag([VOXEL_MM, VOXEL_MM, VOXEL_MM, 1.0])
    affine[:3, 3] = np.round((low + high - (np.array([nx, ny, nz]) - 1) * VOXEL_MM) / 2)
    return Grid((nx, ny, nz), affine)


def _tissue(path: Path, grid: Grid) -> Values:
    """Share of a tissue per voxel of the grid."""
    volume = open_volume(path)
    values = volume.frame(0)
    found = resample(values / values.max(), volume.grid.inverse @ grid.affine, grid.shape)
    return np.clip(np.nan_to_num(found), 0, 1).astype(np.float32)
