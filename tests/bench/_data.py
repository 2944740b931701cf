"""Synthetic data that looks like the real thing to a timer."""

from __future__ import annotations

import numpy as np

SHAPE_2MM = (91, 109, 91)
SHAPE_3MM = (61, 73, 61)


def affine(voxel_mm: float) -> np.ndarray:
    """Of the MNI152 grids, x mirrored as FSL's."""
    matrix = np.diag([-voxel_mm, voxel_mm, voxel_mm, 1.0])
    matrix[:3, 3] = [90, -126, -72]
    return matrix


def volume(shape: tuple[int, int, int]) -> np.ndarray:
    """Noise, x fastest as files are read."""
    return np.asfortranarray(np.random.default_rng(0).standard_normal(shape).astype(np.float32))


def series(n_voxels: int, n_volumes: int) -> np.ndarray:
    """Twenty autoregressive courses, two to a voxel, and noise."""
    rng = np.random.default_rng(0)
    courses = rng.standard_normal((20, n_volumes)).astype(np.float32)
    for t in range(1, n_volumes):
        courses[:, t] = 0.6 * courses[:, t - 1] + 0.8 * courses[:, t]
    rows = np.empty((n_voxels, n_volumes), np.float32)
    for start in range(0, n_voxels, 8192):
        part = rows[start : start + 8192]
        one, two = rng.integers(0, 20, (2, len(part)))
        rng.standard_normal(part.shape, dtype=np.float32, out=part)
        part *= 1.6
        part += rng.random((len(part), 1), dtype=np.float32) * courses[one] + 0.5 * courses[two]
    return rows
