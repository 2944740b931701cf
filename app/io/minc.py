"""MINC 1 (netCDF) and MINC 2 (HDF5), headers and voxels, by nibabel."""

from __future__ import annotations

from io import BytesIO
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..problems import Problem
from .gzip_stream import DEFLATE_LIMIT
from .identify import Identity
from .layout import Header, scaling, three, zooms_of
from .memory import require
from .nib import FileHolder, Minc1Image, Minc2Image
from .space import Placement
from .times import Step


def _minc_1(found: Identity) -> Any:
    """Nibabel reads a MINC 1 file as a whole; from memory, so that a damaged count reads no more than there is."""
    require(found.path, 2 * found.stamp.size)
    content = BytesIO(found.path.read_bytes())
    return Minc1Image.from_file_map({"image": FileHolder(fileobj=content)})


def minc_header(found: Identity) -> Header:
    """Header of a MINC file, and how to read its frames.

    Its slowest axis comes first and a time axis before all others; the affine is in that order too.
    """
    image: Any = _minc_1(found) if found.format == "MINC 1" else Minc2Image.from_filename(found.path)
    stored = tuple(int(size) for size in image.dataobj.shape)
    names: list[str] = list(image.dataobj.minc_file._dim_names)  # noqa: SLF001 - nibabel offers no other way
    before = len(stored) - 3
    if before not in {0, 1} or not all(name.endswith("space") for name in names[before:]):
        raise Problem(found.path, f"has its dimensions in the order {', '.join(names)}", "reorder it with mincreshape")
    if prod(stored) > found.stamp.size * DEFLATE_LIMIT:
        raise Problem(found.path, f"cannot hold the {prod(stored):,} voxels that it promises", "copy it again")
    affine = np.asarray(image.affine, np.float64)
    size = three(stored[before:])

    def read(frame: int) -> NDArray[Any]:
        return np.asarray(image.dataobj[frame] if before else image.dataobj[:])

    return Header(
        format=found.format,
        shape=(*size, stored[0]) if before else size,
        dtype=np.dtype(image.get_data_dtype()).name,
        kind="scalar",
        placement=Placement(size, zooms_of(affine), affine=affine),
        step=Step(float(image.header.get_zooms()[0]), "s") if before else Step(),
        voxels=read,
        scaling=scaling(),
    )
