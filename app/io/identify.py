"""What is this path? Told from its content first and its name second."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ..problems import Finding, Problem
from .files import Stamp, reading, regular_file, sibling
from .gzip_stream import GZIP
from .heads import read_head
from .signatures import IMAGE_NAMES, SINGLE_FILE_MAGIC, VOXEL_NAMES, Kind, bare_name, recognise

DICOM_FILES_TRIED = 20
# Formats of two files: the endings of the voxels' file, and the other way round.
VOXELS_OF: dict[str, tuple[str, ...]] = {
    "NIfTI-1 pair": (".img", ".img.gz"),
    "NIfTI-2 pair": (".img", ".img.gz"),
    "ANALYZE": (".img", ".img.gz"),
    "AFNI": (".BRIK", ".BRIK.gz"),
    "PAR/REC": (".REC",),
}
HEADER_OF = {".img": (".hdr", ".hdr.gz"), ".brik": (".HEAD",), ".rec": (".PAR",)}
READ_COMPRESSED = {"NIfTI-1", "NIfTI-2", "NIfTI-1 pair", "NIfTI-2 pair", "MGH"}


class Identity(NamedTuple):
    """What a path turned out to be.

    Attributes
    ----------
    kind, format : str
        What it is good for, and the format's name.
    path, data : Path
        The file with the header, and the one with the voxels (the same unless they are a pair).
    stamp : Stamp
        Size and time of `data`.
    compressed : bool
        Whether `data` is a gzip stream.
    head : bytes
        The first bytes of `path`, unpacked.
    findings : tuple of Finding
        Oddities such as a name that does not fit the content.
    """

    kind: Kind
    format: str
    path: Path
    data: Path
    stamp: Stamp
    compressed: bool
    head: bytes
    findings: tuple[Finding, ...] = ()


def identify(path: str | Path) -> Identity:
    """Say what a file or folder is, reading at most a few kB of it.

    Raises
    ------
    Problem
        When it is missing, unreadable, empty, damaged at its start, half of a pair, or of a kind that
        Habena does not read; the text names the converter where there is one.
    """
    given = Path(path)
    with reading(given):
        if given.is_dir():
            return _folder(given)
    stamp = regular_file(given)
    head, compressed = read_head(given)
    header = given
    if bare_name(given).endswith(VOXEL_NAMES) and head[344:348] != SINGLE_FILE_MAGIC:
        header = _header_of(given)
        regular_file(header)
        head, compressed = read_head(header)
    kind, name = recognise(header, head)
    if compressed and kind == "volume" and name not in READ_COMPRESSED:
        raise Problem(given, f"is a compressed {name} file", f"unpack it first: gunzip {header.name}")
    found = Identity(kind, name, header, header, stamp, compressed, head)
    if name in VOXELS_OF:
        return _with_voxels(given, found)
    return found._replace(findings=_odd_name(found))


def stem(path: Path) -> str:
    """A file's name without its format's endings: ``a/b.nii.gz`` gives ``b``, ``c.BRIK.gz`` gives ``c``."""
    name = path.name
    if name.lower().endswith(".gz"):
        name = name[:-3]
    ending = next((each for each in (*VOXEL_NAMES, *IMAGE_NAMES) if name.lower().endswith(each)), "")
    return name[: len(name) - len(ending)]


def _folder(path: Path) -> Identity:
    with reading(path):
        files = list(islice((entry for entry in path.iterdir() if entry.is_file()), DICOM_FILES_TRIED))
        status = path.stat()
    kind: Kind = "dicom-folder" if any(_is_dicom_file(file) for file in files) else "folder"
    stamp = Stamp(status.st_size, status.st_mtime_ns)
    return Identity(kind, "folder", path, path, stamp, compressed=False, head=b"")


def _is_dicom_file(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:  # a file that cannot be read says nothing about its folder
        return False


def _with_voxels(given: Path, found: Identity) -> Identity:
    """The header of a pair, joined with its file of voxels."""
    header = found.path
    endings = VOXELS_OF[found.format]
    data = given if given != header else sibling(header, *(stem(header) + ending for ending in endings))
    if data is None:
        missing = stem(header) + endings[0]
        what = f"is only the header of a pair: its voxels, {missing}, are missing"
        raise Problem(given, what, f"put {missing} beside it")
    stamp = regular_file(data)
    with reading(data), data.open("rb") as file:
        compressed = data.name.lower().endswith(".gz") and file.read(2) == GZIP
    name = found.format.removesuffix(" pair")
    return found._replace(format=name, data=data, stamp=stamp, compressed=compressed)


def _header_of(data: Path) -> Path:
    name = bare_name(data)
    endings = HEADER_OF[name[name.rindex(".") :]]
    header = sibling(data, *(stem(data) + ending for ending in endings))
    if header is None:
        missing = stem(data) + endings[0]
        what = f"is only the voxels of a pair: its header, {missing}, is missing"
        raise Problem(data, what, f"put {missing} beside it")
    return header


def _odd_name(found: Identity) -> tuple[Finding, ...]:
    if found.path.name.lower().endswith((".gz", ".mgz")) == found.compressed:
        return ()
    odd = (
        "is compressed although its name does not say so" if found.compressed else "is not compressed despite its name"
    )
    return (Finding("name-content", str(found.path), None, f"The file {odd}; it is read by its content."),)
