"""Headers of ANALYZE 7.5 and its SPM variants, by nibabel."""

from __future__ import annotations

from typing import Any

import numpy as np

from .identify import Identity
from .layout import Header, in_a_row, scaling, three, zooms_of
from .nib import nibabel
from .space import Placement
from .times import Step


def analyze_header(found: Identity) -> Header:
    """ANALYZE 7.5 and its SPM variants; it knows no orientation, but SPM put one into a .mat file beside it."""
    image: Any = nibabel.load(found.path)
    proxy = image.dataobj
    dtype, shape = np.dtype(proxy.dtype), tuple(int(size) for size in proxy.shape)
    affine = np.asarray(image.affine, np.float64)
    has_mat = found.path.with_suffix(".mat").exists()
    zooms = image.header.get_zooms()
    return Header(
        format="ANALYZE",
        shape=shape,
        dtype="rgb24" if dtype.names else dtype.name,
        kind="rgb" if dtype.names else "complex" if dtype.kind == "c" else "scalar",
        placement=Placement(three(shape), zooms_of(affine), affine=affine, trusted=has_mat),
        step=Step(float(zooms[3]), "unknown") if len(zooms) > 3 else Step(),
        voxels=in_a_row(found, dtype, shape, int(proxy.offset)),
        scaling=scaling(proxy.slope, proxy.inter),
        description=bytes(image.header["descrip"]).split(b"\0")[0].decode("latin-1").strip(),
    )
