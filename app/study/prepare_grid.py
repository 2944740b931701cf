"""The grid that a question's maps are brought to, and where on it there is brain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..grid import Grid
from ..problems import Finding, Problem
from ..templates import known_template
from .prepare_space import head_of
from .values import Choices, Scan

BRAIN_SHARE = 0.2  # of the brightest voxel of the skull-stripped T1, as nilearn's mask of the template
TISSUE_SHARE = 0.5
ERODED_MM = 3
FAMILY = "MNI152"


def grid_of(choices: Choices, scans: Sequence[Scan]) -> tuple[Grid, tuple[Finding, ...]]:
    """The chosen grid, else the one that most scans have, and how many scans are brought to it.

    Raises
    ------
    Problem
        When the file of the chosen grid cannot be used.
    """
    grids = [head_of(scan.path).grid for scan in scans]
    keys = [_key(grid) for grid in grids]
    if choices.grid is not None:
        grid, rule = head_of(Path(choices.grid)).grid, f"the grid of {Path(choices.grid).name}, which was chosen"
    else:
        most = Counter(keys).most_common(1)[0][0]
        grid, rule = grids[keys.index(most)], "the grid that most of them have"
    moved = [scan for scan, own in zip(scans, grids, strict=True) if own != grid]
    if not moved:
        return grid, ()
    who = ", ".join(dict.fromkeys(scan.participant for scan in moved))
    size = " x ".join(f"{zoom:.3g}" for zoom in grid.zooms_mm)
    message = f"{len(moved)} of {len(scans)} scans ({who}) were resampled linearly to {rule} ({size} mm)."
    return grid, (Finding("grid-resampled", who, len(moved), message),)


def _key(grid: Grid) -> tuple[Any, ...]:
    return grid.shape, tuple(np.round(grid.affine, 3).ravel().tolist())


def in_mni152(space: str | None) -> bool:
    """Whether a space is a variant of MNI152, whose brain and tissues are known here."""
    template = known_template(space)
    return template is not None and template.family == FAMILY


def mask_of(choices: Choices, grid: Grid, space: str | None) -> tuple[NDArray[np.bool_] | None, str]:
    """Where maps have values, and how that is called: the chosen mask, else the template's brain, else None.

    Raises
    ------
    Problem
        When the mask cannot be used or holds no voxel of the grid.
    """
    from ..runs import mask_on_grid  # noqa: PLC0415

    if choices.mask is None:
        return (brain_on(grid), "brain of MNI152") if in_mni152(space) else (None, "all voxels")
    mask = mask_on_grid(choices.mask, grid)
    if not mask.any():
        raise Problem(choices.mask, "holds no voxel of the study's grid", "choose a mask in the same space")
    return mask, f"mask {Path(choices.mask).name}"


def brain_on(grid: Grid) -> NDArray[np.bool_]:
    """The brain of MNI152 on a grid: nilearn's rule, the skull-stripped T1 from a fifth of its maximum on."""
    return _on(_tissue("t1", BRAIN_SHARE, 0), grid)


def white_matter_on(grid: Grid) -> NDArray[np.bool_]:
    """White matter of MNI152, where it is most likely, 3 mm or more from everything else."""
    return _on(_tissue("wm", TISSUE_SHARE, ERODED_MM), grid)


def _on(tissue: tuple[NDArray[np.int32], NDArray[np.float64]], grid: Grid) -> NDArray[np.bool_]:
    from ...stats.resample import resample_labels  # noqa: PLC0415

    mask, affine = tissue
    return resample_labels(mask, np.linalg.inv(affine) @ grid.affine, grid.shape) > 0


@lru_cache(maxsize=4)
def _tissue(name: str, share: float, eroded_mm: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """A tissue of the template at 1 mm and its affine, from nilearn's data by path."""
    from ...resources import package_folder  # noqa: PLC0415
    from ..io.volumes import open_volume  # noqa: PLC0415

    folder = package_folder("nilearn")
    file = f"mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz"
    path = None if folder is None else folder / "datasets" / "data" / file
    if path is None or not path.exists():
        raise Problem("nilearn", f"its data file {file} is missing", "install it again: pip install nilearn")
    volume = open_volume(path)
    values = volume.frame(0)
    mask = values > share * float(values.max())
    if eroded_mm:
        from scipy.ndimage import binary_erosion  # noqa: PLC0415 - slow to import

        mask = binary_erosion(mask, iterations=eroded_mm)
    volume.close()
    return mask.astype(np.int32), np.array(volume.grid.affine)
