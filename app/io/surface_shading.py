"""Which way round curvature and sulcal depth are: programs write them with either sign."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .surfaces import Surface


def sulci_positive(shading: NDArray[np.float32], hollow: NDArray[np.float64]) -> NDArray[np.float32]:
    """Curvature or sulcal depth with sulci above 0, (n_vertices,) read-only.

    FreeSurfer writes sulci positive, the HCP pipelines and fMRIPrep write gyri positive, and files do not say:
    the sign is settled by the surface itself, whose `concavity` is given.
    """
    known = np.isfinite(shading)
    agreement = np.dot(hollow[known] - hollow[known].mean(), shading[known]) if known.any() else 0.0
    turned = -shading if agreement < 0 else shading.copy()
    turned.flags.writeable = False
    return turned


def concavity(surface: Surface) -> NDArray[np.float64]:
    """How far each vertex lies below the mean of its neighbours, (n_vertices,), weighted by its area.

    Above 0 where the surface is hollow seen from outside, as in the depth of a sulcus.
    """
    x = surface.coordinates.astype(np.float64)
    n = len(x)
    faces = surface.faces
    first, second = faces[:, [0, 1, 2]].ravel(), faces[:, [1, 2, 0]].ravel()
    neighbours = np.maximum(np.bincount(first, minlength=n), 1)
    mean = np.column_stack([np.bincount(first, x[second, axis], n) for axis in range(3)]) / neighbours[:, None]
    a, b, c = (x[corner] for corner in faces.T)
    face_normals = np.cross(b - a, c - a)
    normals = np.column_stack([np.bincount(faces.ravel(), np.repeat(face_normals[:, axis], 3), n) for axis in range(3)])
    outward = np.sign(np.einsum("ij,ij->", a - x.mean(axis=0), face_normals))
    return outward * np.einsum("ij,ij->i", mean - x, normals)
