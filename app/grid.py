"""Voxel grids and the world they lie in.

World coordinates are millimetres, x to the right, y to the front, z up (RAS+), as in NIfTI.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Affine = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Grid:
    """Shape of a volume and the affine from its voxel indices to world millimetres.

    Attributes
    ----------
    shape : (int, int, int)
        Number of voxels along i, j, k.
    affine : (4, 4) float64, read-only
        ``mm = affine @ (i, j, k, 1)``; integer indices are voxel centres.
    """

    shape: tuple[int, int, int]
    affine: Affine

    def __post_init__(self) -> None:
        """Keep a private, read-only copy of the affine."""
        affine = np.array(self.affine, dtype=np.float64)
        affine.flags.writeable = False
        object.__setattr__(self, "affine", affine)

    def __eq__(self, other: object) -> bool:
        """Same shape and same affine to a micrometre."""
        if not isinstance(other, Grid):
            return NotImplemented
        return self.shape == other.shape and bool(np.allclose(self.affine, other.affine, rtol=0, atol=1e-3))

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    @cached_property
    def inverse(self) -> Affine:
        """World millimetres to (fractional) voxel indices, 4 x 4, read-only."""
        inverse = np.linalg.inv(self.affine).astype(np.float64)
        inverse.flags.writeable = False
        return inverse

    @cached_property
    def zooms_mm(self) -> tuple[float, float, float]:
        """Voxel edge lengths in mm."""
        x, y, z = np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))
        return float(x), float(y), float(z)

    @cached_property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel in mm3."""
        return abs(self.determinant)

    @cached_property
    def determinant(self) -> float:
        """Determinant of the 3 x 3 part; negative means that the voxel axes are left-handed."""
        return float(np.linalg.det(self.affine[:3, :3]))

    @cached_property
    def axcodes(self) -> str:
        """Nearest world direction of each voxel axis, such as ``RAS`` or ``LPI``."""
        from .io.nib import aff2axcodes  # noqa: PLC0415 - nibabel is slow to import

        return "".join(str(code) for code in aff2axcodes(self.affine))

    def mm_of(self, ijk: ArrayLike) -> NDArray[np.float64]:
        """World position of voxel indices, any shape (..., 3)."""
        return np.asarray(ijk, dtype=np.float64) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def ijk_of(self, mm: ArrayLike) -> NDArray[np.float64]:
        """Fractional voxel indices of world positions, any shape (..., 3)."""
        return np.asarray(mm, dtype=np.float64) @ self.inverse[:3, :3].T + self.inverse[:3, 3]

    def voxel_at(self, mm: ArrayLike) -> tuple[int, int, int] | None:
        """Voxel whose centre is nearest to a world position, or None outside the volume.

        A position exactly between two centres belongs to the lower index.
        """
        i, j, k = (int(n) for n in np.ceil(self.ijk_of(mm) - 0.5 - 1e-9))
        inside = all(0 <= n < size for n, size in zip((i, j, k), self.shape, strict=True))
        return (i, j, k) if inside else None

    @cached_property
    def bounds_mm(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lowest and highest world coordinate of the voxels' outer corners, each (3,)."""
        corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in self.shape], indexing="ij")).reshape(3, 8).T
        mm = self.mm_of(corners)
        return mm.min(axis=0), mm.max(axis=0)
