"""Smooth meshes round regions of a label volume."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D, vtkWindowedSincPolyDataFilter

from .scene import Mesh

# Taubin's windowed-sinc smoothing keeps the volume where plain Laplacian smoothing shrinks small
# nuclei to nothing; the pass band is wide because a habenula is only four voxels across.
_ITERATIONS = 15
_PASS_BAND = 0.12


def region_mesh(mask: NDArray[np.bool_], affine: NDArray[np.float64]) -> Mesh:
    """Closed surface of a mask in world mm.

    Parameters
    ----------
    mask : (nx, ny, nz) bool
    affine : (4, 4)
        Voxel indices to world mm.

    Returns
    -------
    Mesh
        Triangles facing outwards; empty for an empty mask.
    """
    occupied = np.argwhere(mask)
    if len(occupied) == 0:
        return Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    low, high = occupied.min(axis=0), occupied.max(axis=0) + 1
    box = np.pad(mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], 1)
    points, faces = _flying_edges(box)
    world = (points + low - 1) @ affine[:3, :3].T + affine[:3, 3]
    if np.linalg.det(affine[:3, :3]) < 0:
        faces = faces[:, ::-1]
    return Mesh(world.astype(np.float32), np.ascontiguousarray(faces, np.int32))


def _flying_edges(box: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    image = vtkImageData()
    image.SetDimensions(*box.shape)
    image.GetPointData().SetScalars(numpy_to_vtk(box.astype(np.uint8).ravel(order="F"), deep=1))
    surface = vtkFlyingEdges3D()
    surface.SetInputData(image)
    surface.SetValue(0, 0.5)
    surface.ComputeNormalsOff()
    surface.ComputeGradientsOff()
    surface.ComputeScalarsOff()
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(surface.GetOutputPort())
    smooth.SetNumberOfIterations(_ITERATIONS)
    smooth.SetPassBand(_PASS_BAND)
    smooth.NormalizeCoordinatesOn()
    smooth.Update()
    mesh = smooth.GetOutput()
    points = vtk_to_numpy(mesh.GetPoints().GetData()).astype(np.float64)
    faces = vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int64)
    return points, faces
