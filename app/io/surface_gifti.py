"""GIFTI files through nibabel, after their sizes were checked."""

from __future__ import annotations

import binascii
import math
import re
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

from ..problems import Problem
from .memory import require
from .surface_files import DEFLATE_LIMIT, ZLIB_WINDOW, inflated, read_bytes
from .surface_names import Hemisphere

_HARMLESS_BYTES = 2**30
_WIDEST_VALUE_BYTES = 16


class _NamedBytes(BytesIO):
    """Bytes as the file that nibabel's parser wants: it looks for external data beside the name."""

    def __init__(self, content: bytes, path: Path) -> None:
        super().__init__(content)
        self.name = str(path)


def read_gifti(path: Path) -> Any:
    """GIFTI file as nibabel's image, after its sizes were checked.

    Raises
    ------
    Problem
        Not readable, not GIFTI, cut short, damaged, or larger than the memory.
    """
    from .nib import GiftiImageParser  # noqa: PLC0415 - slow to import

    xml = read_bytes(path)
    if b"<GIFTI" not in xml[:4096]:
        raise Problem(path, "is not a GIFTI file (it has no <GIFTI> element)", "open the surface file itself")
    parser = GiftiImageParser(mmap=False)
    try:
        if len(xml) * DEFLATE_LIMIT > _HARMLESS_BYTES:
            _refuse_bombs(path, xml)
        parser.parse(fptr=_NamedBytes(xml, path))
    except ExpatError as error:
        what = f"its XML breaks off or is damaged ({error})"
        raise Problem(path, what, "copy or download the file again") from error
    except Problem:
        raise
    except Exception as error:  # parsers given arbitrary bytes may raise anything; the reason is passed on
        what = f"its data arrays do not fit their description ({str(error) or type(error).__name__})"
        raise Problem(path, what, "write the file again with the program that made it") from error
    if parser.img is None or not parser.img.darrays:
        raise Problem(path, "holds no data arrays", "open a surface or data file with content")
    return parser.img


def holds_surface(path: Path) -> bool:
    """Whether a GIFTI file has vertex coordinates; names such as ``curv_left.gii`` do not tell.

    Raises
    ------
    Problem
        When it cannot be read.
    """
    return b"NIFTI_INTENT_POINTSET" in read_bytes(path)


def side_of(metadata: Mapping[str, str]) -> Hemisphere:
    """Hemisphere that GIFTI metadata state, or the empty string."""
    word = plain_word(metadata, "anatomicalstructureprimary")
    return "left" if word == "cortexleft" else "right" if word == "cortexright" else ""


def plain_word(metadata: Mapping[str, str], key: str) -> str:
    """Value of one key in lower case without spaces and underscores; keys match in any case."""
    values = (str(value) for name, value in dict(metadata).items() if str(name).lower() == key)
    return next(values, "").strip().lower().replace("_", "").replace(" ", "")


def _refuse_bombs(path: Path, xml: bytes) -> None:
    """Walk through a large file once: packed data must not outgrow the arrays that they say they fill."""
    largest = 0
    packed = False
    text: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal largest, packed
        text.clear()
        if name == "DataArray":
            sizes = [int(value) for key, value in attributes.items() if re.fullmatch(r"Dim\d", key)]
            largest = math.prod(sizes) * _WIDEST_VALUE_BYTES
            packed = attributes.get("Encoding") == "GZipBase64Binary"
            require(path, largest)

    def end(name: str) -> None:
        if name == "Data" and packed:
            inflated(path, binascii.a2b_base64("".join(text)), ZLIB_WINDOW, largest + 1)
        text.clear()

    parser = ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    parser.Parse(xml, True)  # noqa: FBT003 - expat takes it by position
