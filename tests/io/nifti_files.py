"""Files for the tests: images made by nibabel, and headers changed byte by byte."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

NIBABEL_DATA = Path(nib.__file__).parent / "tests" / "data"
# asymmetric in every way: unequal edges, turned about two axes, left-handed, off centre
_TURN = np.array([[0.96, -0.28, 0.0], [0.28, 0.96, 0.0], [0, 0, 1]]) @ np.array(
    [[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]]
)
OBLIQUE = np.eye(4)
OBLIQUE[:3, :3] = _TURN * (-2.5, 2.0, 3.25)
OBLIQUE[:3, 3] = (40.0, -70.0, -30.0)
# where the fields of a NIfTI-1 header lie: offset and struct format
FIELDS = {
    "sizeof_hdr": (0, "i"),
    "dim": (40, "8h"),
    "intent_p": (56, "3f"),
    "intent_code": (68, "h"),
    "datatype": (70, "h"),
    "bitpix": (72, "h"),
    "pixdim": (76, "8f"),
    "vox_offset": (108, "f"),
    "scl_slope": (112, "f"),
    "scl_inter": (116, "f"),
    "xyzt_units": (123, "B"),
    "descrip": (148, "80s"),
    "qform_code": (252, "h"),
    "sform_code": (254, "h"),
    "quatern": (256, "3f"),
    "qoffset": (268, "3f"),
    "srow": (280, "12f"),
    "intent_name": (328, "16s"),
    "magic": (344, "4s"),
}


def numbers(shape: tuple[int, ...], dtype: Any = np.int16, seed: int = 0) -> np.ndarray:
    """Values of every kind that a type has, reproducible."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return rng.integers(max(info.min, -30000), min(info.max, 30000), shape).astype(dtype)
    if dtype.kind == "c":
        return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)
    return rng.normal(10, 5, shape).astype(dtype)


def image_file(path: Path, data: np.ndarray, affine: np.ndarray = OBLIQUE, **fields: Any) -> Path:
    """Write an image by nibabel (sform and qform of code 1, mm and s), then overwrite header fields."""
    image = nib.Nifti1Image(data, affine)
    image.set_sform(affine, 1)
    image.set_qform(affine, 1, strip_shears=True)
    image.header.set_xyzt_units("mm", "sec")
    if data.ndim > 3:
        image.header["pixdim"][4] = 2.0
    nib.save(image, path)
    if fields:
        patch(path, **fields)
    return path


def patch(path: Path, **fields: Any) -> Path:
    """Overwrite fields of a little-endian NIfTI-1 header in a file, compressed or not."""
    packed = path.name.endswith(".gz")
    content = bytearray(gzip.decompress(path.read_bytes()) if packed else path.read_bytes())
    for name, value in fields.items():
        offset, form = FIELDS[name]
        values = value if isinstance(value, tuple | list) else (value,)
        struct.pack_into("<" + form, content, offset, *values)
    path.write_bytes(gzip.compress(bytes(content), 1) if packed else bytes(content))
    return path


def header_field(path: Path, name: str) -> tuple[Any, ...]:
    """Read a field of a little-endian NIfTI-1 header."""
    content = gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes()
    offset, form = FIELDS[name]
    return struct.unpack_from("<" + form, content, offset)
