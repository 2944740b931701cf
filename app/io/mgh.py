"""Headers of FreeSurfer's MGH and MGZ, by nibabel."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np

from ..grid import Affine
from .gzip_stream import GzipStream
from .identify import Identity
from .layout import Header, Layout, in_a_row, scaling, three, zooms_of
from .nib import MGHHeader
from .space import Placement
from .times import Step

HEADER_BYTES = 284
LARGEST_TO_SEARCH_BYTES = 2**29


def mgh_header(found: Identity) -> Header:
    """FreeSurfer MGH and MGZ. The repetition time stands after the voxels."""
    raw: Any = MGHHeader(found.head[:HEADER_BYTES].ljust(HEADER_BYTES, b"\0"), check=True)
    shape = tuple(int(size) for size in raw.get_data_shape())
    dtype = np.dtype(raw.get_data_dtype())
    located = found.head[28:30] != b"\0\0"
    affine = np.asarray(raw.get_affine(), np.float64) if located else _coronal(three(shape))
    layout = in_a_row(found, dtype, shape, HEADER_BYTES)
    return Header(
        format="MGH",
        shape=shape,
        dtype=dtype.name,
        kind="scalar",
        placement=Placement(three(shape), zooms_of(affine), affine=affine, trusted=located),
        step=Step(_tr_ms(layout), "ms") if len(shape) > 3 else Step(),
        voxels=layout,
        scaling=scaling(),
    )


def _coronal(shape: tuple[int, int, int]) -> Affine:
    """FreeSurfer's default for a file without a place: LIA, 1 mm, centred (nibabel has it transposed)."""
    affine = np.array([[-1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
    affine[:3, 3] = -affine[:3, :3] @ np.array(shape) / 2
    return affine


def _tr_ms(layout: Layout) -> float:
    """Repetition time in ms, the first big-endian float after the voxels; 0 when there is none."""
    if layout.compressed and layout.end > LARGEST_TO_SEARCH_BYTES:
        return 0.0
    tail = bytearray(4)
    if layout.compressed:
        with closing(GzipStream(layout.path)) as stream:
            stream.skip(layout.end)
            count = stream.readinto(memoryview(tail))
    else:
        with layout.path.open("rb") as file:
            file.seek(layout.end)
            count = file.readinto(tail)
    return float(np.frombuffer(tail, ">f4")[0]) if count == 4 else 0.0
