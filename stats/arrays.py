"""What all statistics functions share: array types, voxel order, progress.

A volume is indexed ``[i, j, k]`` and may lie in memory in any order; files (and ``app.io``) keep x fastest,
and so do the results. Flat voxel numbers count x fastest: ``number = i + nx * (j + ny * k)``. Kernels see the
same memory as a C-contiguous array indexed ``[k, j, i]``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]
Shape = tuple[int, int, int]

Report = Callable[[float], None]
"""Called with the fraction done, 0 to 1; may raise to cancel."""

# Everything of fast mathematics but the promise that there are no NaN and no infinities. In such a kernel ask
# ``abs(x) < inf``: isfinite looks at x - x, which "reassoc" turns into 0.
FAST_MATH = {"reassoc", "contract", "nsz", "arcp"}


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """A view that cannot be written to.

    Numba compiles a kernel once for writable and once for read-only input; one kind of input is one compilation.
    """
    view = array.view()
    view.flags.writeable = False
    return view


def kernel_order(volume: NDArray[Any], dtype: type[np.generic]) -> NDArray[Any]:
    """A volume as read-only C-contiguous ``[k, j, i]``: a view where x is fastest already, else a copy."""
    return read_only(np.ascontiguousarray(np.asarray(volume).T, dtype=dtype))


def flat(volume: NDArray[Any]) -> NDArray[Any]:
    """A volume as (voxels,), x fastest: a view where x is fastest already, else a copy."""
    return np.asarray(volume).reshape(-1, order="F")


def unflatten(values: NDArray[Any], voxels: Int64, shape: Shape) -> Float32:
    """Values of some voxels as a volume, NaN elsewhere.

    Parameters
    ----------
    values : (n,) array
    voxels : (n,) flat voxel numbers
    shape : (int, int, int)

    Returns
    -------
    (nx, ny, nz) float32, x fastest
    """
    volume = np.full(int(np.prod(shape)), np.nan, np.float32)
    volume[voxels] = values
    return volume.reshape(shape, order="F")


def index_of(voxels: NDArray[Any], shape: Shape) -> Int64:
    """Voxel indices (n, 3) of flat voxel numbers (n,)."""
    return np.stack(np.unravel_index(voxels, shape, order="F"), axis=-1).astype(np.int64)
