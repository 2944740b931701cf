"""Images of a demo study, written as NIfTI in the space of the template."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from isal.igzip import IGzipFile
from numpy.typing import NDArray

from ..io.files import replacing

if TYPE_CHECKING:
    from ..grid import Grid

MNI_CODE = 4  # NIfTI_XFORM_MNI_152


def write_image(path: Path, values: NDArray[Any], grid: Grid, tr_s: float | None = None) -> None:
    """Write a volume or a run, packed, whole or not at all; folders above are made.

    The same values give the same bytes.

    Parameters
    ----------
    path : Path
        ``.nii.gz``.
    values : (nx, ny, nz) or (nx, ny, nz, n) of float32, int16 or uint8
    grid : Grid
        In the template's space.
    tr_s : float, optional
        Repetition time of a run.
    """
    from ..io.nib import Nifti1Image  # noqa: PLC0415 - slow to import

    image: Any = Nifti1Image(values, grid.affine)
    image.set_sform(grid.affine, MNI_CODE)
    image.set_qform(grid.affine, MNI_CODE)
    image.header.set_xyzt_units("mm", "sec")
    if tr_s is not None:
        image.header.set_zooms((*grid.zooms_mm, tr_s))
    image.header.set_slope_inter(1.0, 0.0)
    image.header["magic"] = b"n+1"
    image.header["vox_offset"] = image.header.single_vox_offset
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file, IGzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as out:
        out.write(image.header.binaryblock + b"\0\0\0\0")
        out.write(np.asfortranarray(values, values.dtype.newbyteorder("<")).tobytes(order="F"))
