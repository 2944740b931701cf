"""Small files whose content tells left from right, front from back, up from down; and what opens them."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import nibabel as nib
import numpy as np
from habena.app.grid import Grid
from habena.app.settings import Settings
from habena.app.state import Layout, ViewState
from habena.app.window import Window

SIZE = (1240, 860)
HEAD, BLOB = 100.0, 250.0
BLOB_MM = (16.0, 20.0, 18.0)  # right, in front, above
WARM_MM, COOL_MM = (18.0, -20.0, 8.0), (-18.0, 8.0, -12.0)  # peaks of the statistic map: +6 right, -5 left


class OpenWindow(Protocol):
    def __call__(
        self,
        *paths: str | Path,
        view: ViewState | None = None,
        layout: Layout | None = "ortho",
        settings: Settings | None = None,
        size: tuple[int, int] = SIZE,
    ) -> Window: ...


def small_grid_4mm() -> Grid:
    """20 x 24 x 22 voxels of 4 mm round the origin."""
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = [-38, -46, -42]
    return Grid((20, 24, 22), affine)


def places_mm(grid: Grid) -> np.ndarray:
    """(nx, ny, nz, 3) world positions of voxel centres."""
    voxels = np.moveaxis(np.indices(grid.shape), 0, -1).astype(float)
    return voxels @ grid.affine[:3, :3].T + grid.affine[:3, 3]


def ball(grid: Grid, centre_mm: tuple[float, float, float], radius_mm: float) -> np.ndarray:
    """Voxels whose centre lies within a radius."""
    return np.linalg.norm(places_mm(grid) - np.array(centre_mm), axis=-1) <= radius_mm


def save(path: Path, values: np.ndarray, affine: np.ndarray) -> Path:
    """A NIfTI file in MNI space, in mm."""
    image = nib.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm", "sec")
    image.set_sform(affine, 4)
    image.set_qform(None, 0)
    nib.save(image, path)
    return path
