"""Bytes of a CIFTI-2 file: its NIfTI-2 header, its XML through nibabel, and its values mapped."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers.expat import ExpatError

import numpy as np
from numpy.typing import NDArray

from ..problems import Problem
from .files import Stamp, reading
from .identify import identify
from .nifti import DATA_TYPES, NIFTI_2

_XML_AT = 552
_CIFTI_EXTENSION = 32
AGAIN = "write the file again with the program that made it"


class StoredCifti(NamedTuple):
    """A CIFTI file before its header is interpreted.

    Attributes
    ----------
    maps, places : nibabel's Cifti2MatrixIndicesMap
        What the frames and what the rows are.
    values : (rows, frames) memory map
        As stored.
    slope, intercept : float
        Stored values times slope plus intercept are the values.
    guard : callable
        Raises a Problem when the file was cut short since.
    dtype : str
        Name of the stored type.
    """

    maps: Any
    places: Any
    values: NDArray[Any]
    slope: float
    intercept: float
    guard: Callable[[], None]
    dtype: str


def read_stored(path: Path) -> StoredCifti:
    """Check and map a CIFTI file.

    Raises
    ------
    Problem
        Not readable, not CIFTI-2, compressed, cut short, or with a header that cannot be understood.
    """
    found = identify(path)
    if found.kind != "cifti":
        raise Problem(path, f"is a file of the kind {found.format}, not CIFTI-2", "open it as what it is")
    if found.compressed:
        what = "is a compressed CIFTI file, whose values cannot be reached one by one"
        raise Problem(path, what, f"unpack it first: gunzip {path.name}")
    header = np.frombuffer(found.head.ljust(NIFTI_2.itemsize, b"\0"), NIFTI_2, 1)
    if int(header["sizeof_hdr"][0]) != NIFTI_2.itemsize:
        header = header.view(NIFTI_2.newbyteorder())
    order = header.dtype["dim"].base.byteorder
    raw = header[0]
    dims = [int(n) for n in raw["dim"]]
    code = int(raw["datatype"])
    if dims[0] not in {6, 7} or min(dims[5:7]) < 1 or any(n > 1 for n in (*dims[1:5], dims[7] * (dims[0] == 7))):
        raise Problem(path, f"has the dimensions {dims[1 : dims[0] + 1]}, not those of a CIFTI matrix", AGAIN)
    if code not in DATA_TYPES or DATA_TYPES[code].kind != "scalar":
        raise Problem(path, f"stores values of NIfTI type {code}, which CIFTI does not have", AGAIN)
    dtype = np.dtype(DATA_TYPES[code].stored).newbyteorder(order)
    frames, rows = dims[5:7]
    offset = int(raw["vox_offset"])
    _check_size(path, found.stamp, offset, rows * frames * dtype.itemsize)
    maps, places = _index_maps(path, _xml(path, "<" if order in "<=|" else ">", offset))
    with reading(path):
        values = np.memmap(path, dtype, "r", offset, (rows, frames))
    slope, intercept = float(raw["scl_slope"]), float(raw["scl_inter"])
    if not (np.isfinite(slope) and np.isfinite(intercept)) or slope == 0:
        slope, intercept = 1.0, 0.0
    return StoredCifti(maps, places, values, slope, intercept, _guard(path, found.stamp.size), DATA_TYPES[code].name)


def _check_size(path: Path, stamp: Stamp, offset: int, n_bytes: int) -> None:
    if offset < _XML_AT:
        raise Problem(path, f"says that its values start at byte {offset}, within its header", AGAIN)
    there = max(0, stamp.size - offset)
    if there < n_bytes:
        how = "holds only its header, no values" if there == 0 else "is cut short"
        what = f"{how}: {there:,} of {n_bytes:,} bytes of values are there"
        raise Problem(path, what, "copy or download the file again")


def _xml(path: Path, order: str, offset: int) -> bytes:
    """CIFTI's XML, the first extension of the header."""
    with reading(path), path.open("rb") as file:
        head = file.read(offset)
    size, code = struct.unpack_from(f"{order}2i", head, 544)
    if code != _CIFTI_EXTENSION or not 16 <= size <= len(head) - 544:
        raise Problem(path, "has no CIFTI extension in its header", "open it as a volume, or write it again")
    return head[_XML_AT : 544 + size].rstrip(b"\0")


def _index_maps(path: Path, xml: bytes) -> tuple[Any, Any]:
    """What the frames and the rows are, as nibabel understands them."""
    from .nib import Cifti2Parser  # noqa: PLC0415 - slow to import

    parser = Cifti2Parser()
    try:
        parser.parse(string=xml)
        matrix: Any = getattr(parser.header, "matrix", None)
        return matrix.get_index_map(0), matrix.get_index_map(1)
    except ExpatError as error:
        raise Problem(path, f"its XML header is damaged ({error})", "copy or download it again") from error
    except Exception as error:  # parsers given arbitrary bytes may raise anything; the reason is passed on
        reason = str(error) or type(error).__name__
        raise Problem(path, f"its XML header is not valid CIFTI-2 ({reason})", AGAIN) from error


def _guard(path: Path, size: int) -> Callable[[], None]:
    """Check to be made before mapped values are touched: pages past a file's new end would end the program."""

    def check() -> None:
        try:
            now = path.stat().st_size
        except OSError:  # removed or renamed: the mapping keeps the file's content
            return
        if now < size:
            what = f"was cut short while it was open ({now:,} of {size:,} bytes are left)"
            raise Problem(path, what, "restore the file and open it again")

    return check
