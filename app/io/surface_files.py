"""Bytes of surface files, with every size checked before anything is allocated."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

from isal import isal_zlib
from isal.igzip_lib import IsalError

from ..problems import Finding, Problem
from .files import reading, regular_file
from .memory import available_bytes, require
from .sidecar import NONE, Sidecar, read_sidecar

#: Deflate packs at most about 1032 bytes into one.
DEFLATE_LIMIT = 1032
ZLIB_WINDOW, GZIP_WINDOW = 15, 31
_DAMAGED = cast("type[Exception]", IsalError)


def read_bytes(path: Path) -> bytes:
    """Content of a file, ``.gz`` undone, refused before it outgrows the memory."""
    require(path, regular_file(path).size)
    with reading(path):
        content = path.read_bytes()
    if not content.startswith(b"\x1f\x8b"):
        return content
    return inflated(path, content, GZIP_WINDOW, min(available_bytes(), len(content) * DEFLATE_LIMIT))


def truncated(path: Path, expected: int, found: int) -> Problem:
    """The file ends before what its header promises."""
    return Problem(path, f"is cut short: {found} of {expected} bytes are there", "copy or download the file again")


def inflated(path: Path, packed: bytes, window_bits: int, most: int) -> bytes:
    """Undo deflate up to a size, and refuse what is damaged, cut short or larger."""
    pieces: list[bytes] = []
    while packed:
        inflater = isal_zlib.decompressobj(wbits=window_bits)
        try:
            pieces.append(inflater.decompress(packed, most))
        except _DAMAGED as error:
            raise Problem(path, f"its compressed data are damaged ({error})", "copy the file again") from error
        most -= len(pieces[-1])
        if inflater.unconsumed_tail or most <= 0:
            raise Problem(path, "unpacks to more than its header or the memory allows", "check where it came from")
        if not inflater.eof:
            raise Problem(path, "its compressed data end too early", "copy or download the file again")
        packed = inflater.unused_data.lstrip(b"\0")
    return b"".join(pieces)


def sidecar_beside(path: Path) -> tuple[Sidecar, tuple[Finding, ...]]:
    """BIDS sidecar of a surface or CIFTI file, and what is wrong with it.

    ``x_bold.func.gii`` and ``x_bold.dtseries.nii`` are described by ``x_bold.json``.
    """
    bare = re.sub(r"(\.(func|shape|label|time|[dp](scalar|tseries|label)))?\.(gii|nii)(\.gz)?$", "", path.name)
    try:
        return read_sidecar(path.with_name(bare + ".nii")), ()
    except Problem as problem:
        message = f"The sidecar is not used: it {problem.what}."
        return NONE, (Finding("sidecar", problem.where, None, message),)
