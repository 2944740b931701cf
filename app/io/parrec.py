"""Headers of Philips PAR and REC, by nibabel."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .identify import Identity
from .layout import Header, Layout, Scaling, three, zooms_of
from .nib import PARRECError, PARRECHeader
from .space import Placement
from .times import Step


def par_rec_header(found: Identity) -> Header:
    """Philips PAR and REC: slices in any order, each with its own scale."""

    def parse(*, allow_truncated: bool) -> Any:
        with found.path.open(encoding="latin-1") as file:
            return PARRECHeader.from_fileobj(file, permit_truncated=allow_truncated)

    try:
        raw = parse(allow_truncated=False)
    except PARRECError:  # a scan that was stopped: its whole volumes are good, and nibabel's warning says so
        raw = parse(allow_truncated=True)
    dtype, shape = np.dtype(raw.get_data_dtype()), tuple(int(size) for size in raw.get_data_shape())
    slice_bytes = prod(shape[:2]) * dtype.itemsize
    order = np.asarray(raw.get_sorted_slice_indices(), np.int64).reshape(-1, shape[2])
    affine = np.asarray(raw.get_affine(), np.float64)
    zooms = raw.get_zooms()
    return Header(
        format="PAR/REC",
        shape=shape,
        dtype=dtype.name,
        kind="scalar",
        placement=Placement(three(shape), zooms_of(affine), affine=affine),
        step=Step(float(zooms[3]), "s") if len(zooms) > 3 else Step(),
        voxels=Layout(found.data, found.stamp, found.compressed, dtype, three(shape), order * slice_bytes),
        scaling=_by_slice(raw.get_data_scaling(), shape[2]),
        description=str(raw.general_info.get("protocol_name", "")),
    )


def _by_slice(factors: Any, n_slices: int) -> Scaling:
    """Nibabel's slopes and intercepts, (1, 1, nz[, nt]) each, as (frames, slices)."""
    slope, intercept = (np.asarray(each, float).reshape((n_slices, -1), order="F").T for each in factors)
    return Scaling(slope, intercept)
