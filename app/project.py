"""Volumes on the cortex: sparse weights found once per grid and surface."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..stats.project import SurfaceWeights, apply, depth_weights, line_weights
from .answers import Hemisphere, side_of
from .grid import Grid
from .io.surface_cortex import Cortex
from .problems import Problem


class Weights(NamedTuple):
    """From a grid to a hemisphere's vertices.

    Attributes
    ----------
    linear : SurfaceWeights
        For values: the mean through the cortical ribbon, or along the normal where there is no white surface.
    nearest : (n,) int64
        For labels: the voxel at each vertex, -1 outside.
    """

    linear: SurfaceWeights
    nearest: NDArray[np.int64]


class Projected(NamedTuple):
    """Weights of both hemispheres."""

    by_side: dict[Hemisphere, Weights]

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return sum(w.linear.voxel.nbytes + w.linear.weight.nbytes + w.nearest.nbytes for w in self.by_side.values())


def weights_of(grid: Grid, cortices: tuple[Cortex, ...]) -> Projected:
    """Weights from a grid to the vertices of each hemisphere."""
    return Projected({side_of(cortex): _weights(grid, cortex) for cortex in cortices})


def _weights(grid: Grid, cortex: Cortex) -> Weights:
    world = cortex.world
    if world is None:
        name = cortex.surfaces[0].source
        raise Problem(name, "has no surface that lies in the head", "open its pial or midthickness surface too")
    pial, white = cortex.surface("pial"), cortex.surface("white")
    if pial is not None and white is not None:
        linear = depth_weights(pial.coordinates, white.coordinates, grid.affine, grid.shape)
        middle = (pial.coordinates + white.coordinates) / 2
    else:
        linear = line_weights(world.coordinates, world.faces, grid.affine, grid.shape)
        middle = world.coordinates
    ijk = np.ceil(grid.ijk_of(middle) - 0.5 - 1e-9).astype(np.int64)
    inside = ((ijk >= 0) & (ijk < grid.shape)).all(axis=1)
    flat = np.full(len(ijk), -1, np.int64)
    flat[inside] = np.ravel_multi_index(tuple(ijk[inside].T), grid.shape, order="F")
    return Weights(linear, flat)


def on_vertices(weights: Weights, volume: NDArray[np.float32], *, labels: bool) -> NDArray[np.float32]:
    """A volume's values on the vertices, (n,) float32; NaN where there is none."""
    if not labels:
        return apply(weights.linear, volume)
    found = np.full(len(weights.nearest), np.nan, np.float32)
    inside = weights.nearest >= 0
    found[inside] = volume.reshape(-1, order="F")[weights.nearest[inside]]
    return found
