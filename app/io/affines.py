"""Arithmetic of voxel-to-world affines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..grid import Affine

QUATERNION_ROUNDING = 1e-2


def quaternion_affine(
    quaternion: tuple[float, float, float],
    offset: tuple[float, float, float],
    pixdim: tuple[float, float, float],
    qfac: float,
) -> Affine | None:
    """Affine of a NIfTI qform (method 2 of the NIfTI-1 standard, nifti1.h), 4 x 4, in the header's unit.

    Parameters
    ----------
    quaternion : (b, c, d)
        Unit quaternion without its first element, which is ``sqrt(1 - b² - c² - d²)``.
    offset, pixdim : (x, y, z)
        Centre of the first voxel, and voxel edges.
    qfac : float
        Negative when the third axis is mirrored.

    Returns
    -------
    (4, 4) float64, or None when the numbers are not a rotation.
    """
    b, c, d = quaternion
    square = b * b + c * c + d * d
    if not np.isfinite(square) or square > 1 + QUATERNION_ROUNDING:
        return None
    if 1 - square < 1e-7:
        b, c, d = (n / np.sqrt(square) for n in (b, c, d))
        a = 0.0
    else:
        a = np.sqrt(1 - square)
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    affine = np.eye(4)
    affine[:3, :3] = rotation * (np.abs(pixdim) * (1, 1, -1 if qfac < 0 else 1))
    affine[:3, 3] = offset
    return affine


def disagreement(shape: tuple[int, int, int], one: Affine, other: Affine) -> tuple[float, float]:
    """How far two affines put one volume apart.

    Returns
    -------
    mm : float
        Largest distance between the places that they give a corner voxel of the volume.
    deg : float
        Angle of the rotation between them (of the nearest rotations, by polar decomposition);
        180 when one of them mirrors and the other does not.
    """
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape], indexing="ij")).reshape(3, 8)
    difference = (one - other)[:3, :3] @ corners + (one - other)[:3, 3:]
    distance = float(np.sqrt((difference**2).sum(axis=0)).max())
    between = _rotation(one).T @ _rotation(other)
    if np.linalg.det(between) < 0:
        return distance, 180.0
    # the half-angle form keeps its precision where the arc cosine of the trace loses it
    sine = np.linalg.norm(between - np.eye(3)) / np.sqrt(8)
    return distance, float(np.degrees(2 * np.arcsin(min(1.0, float(sine)))))


def _rotation(affine: Affine) -> NDArray[np.float64]:
    left, _, right = np.linalg.svd(affine[:3, :3])
    return left @ right
