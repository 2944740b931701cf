"""How files are recognised: by what they start with, and by name where a format has no signature."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ..problems import Problem
from .files import COPY_AGAIN
from .heads import HEAD_BYTES

Kind = Literal[
    "volume",
    "surface",
    "surface-data",
    "annot",
    "cifti",
    "dicom",
    "dicom-folder",
    "folder",
    "table",
    "scene",
    "sidecar",
    "picture",
]

SINGLE_FILE_MAGIC = b"n+1\0"
NIFTI_MAGIC = {
    SINGLE_FILE_MAGIC: "NIfTI-1",
    b"ni1\0": "NIfTI-1 pair",
    b"n+2\0": "NIfTI-2",
    b"ni2\0": "NIfTI-2 pair",
}
CONNECTIVITY_INTENTS = range(3000, 3100)
CIFTI_NAMES = (".dscalar.nii", ".dtseries.nii", ".dlabel.nii", ".ptseries.nii", ".pscalar.nii", ".dconn.nii")
VOXEL_NAMES = (".img", ".brik", ".rec")
IMAGE_NAMES = (".nii", ".hdr", ".mgh", ".mgz", ".mnc", ".v", ".head", ".par", ".gii")
TABLE_NAMES = (".tsv", ".csv", ".txt", ".lut", ".ctbl", ".1d")
SURFACE_DATA_NAMES = (".func.gii", ".shape.gii", ".label.gii", ".time.gii")
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"GIF8")
SMALLEST_MGH = 90
SHORTEST_NIFTI = 348
NIFTI_SIZES = {b"\x5c\x01\0\0", b"\0\0\x01\x5c", b"\x1c\x02\0\0", b"\0\0\x02\x1c"}

AS_NIFTI = "save it as NIfTI (.nii.gz) with the program that made it"
AS_NIFTI_BY = "save it as NIfTI with ITK-SNAP, 3D Slicer or SimpleITK"
UNPACK = "unpack it first"
# What a file starts with, what that is, and what to do: recognised in order to be refused with a reason.
REFUSED: tuple[tuple[bytes, str, str], ...] = (
    (b"mrtrix image", "an MRtrix image", "convert it: mrconvert FILE out.nii.gz"),
    (b"mrtrix tracks", "an MRtrix track file", "name an image or a surface"),
    (b"TRACK\0", "a TrackVis track file", "name an image or a surface"),
    (b"ObjectType", "a MetaImage", AS_NIFTI_BY),
    (b"NDims", "a MetaImage", AS_NIFTI_BY),
    (b"NRRD", "an NRRD image", AS_NIFTI_BY),
    (b"MZ", "an mz3 mesh or a program", "save a mesh as GIFTI (.surf.gii or .func.gii), for example with Surf Ice"),
    (b"#!ascii", "a FreeSurfer ASCII file", "convert it to GIFTI: mris_convert FILE out.gii"),
    (b"\x93NUMPY", "a NumPy array (without a place for its voxels)", "save it as NIfTI with nibabel"),
    (b"MATLAB 5.0", "a MATLAB file", "save its image as NIfTI from MATLAB (niftiwrite)"),
    (b"%PDF", "a PDF document", "name an image or a table"),
    (b"{\\rtf", "a text document", "name an image or a table"),
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"7z\xbc\xaf", "a 7z archive", UNPACK),
    (b"BZh", "compressed with bzip2", "unpack it first: bunzip2 FILE"),
    (b"\xfd7zXZ", "compressed with xz", "unpack it first: unxz FILE"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it first: unzstd FILE"),
    (b"\x1f\x9d", "compressed with the old compress program", "unpack it first: uncompress FILE"),
)
WEB_PAGE = (b"<!doctype html", b"<html")


def recognise(path: Path, head: bytes) -> tuple[Kind, str]:
    """Kind and format of a file.

    Parameters
    ----------
    path : Path
        Only its name counts.
    head : bytes
        First bytes, unpacked.

    Raises
    ------
    Problem
        When it is of a kind that Habena does not read.
    """
    name, start = bare_name(path), head.lstrip(b"\xef\xbb\xbf \t\r\n")[:512]
    _refuse(path, name, head, start)
    found = _by_signature(name, head) or _by_name(name, head, start)
    if found is None:
        raise _unknown(path, name, head)
    return found


def bare_name(path: Path) -> str:
    """File name in lower case, without ``.gz``."""
    return path.name.lower().removesuffix(".gz")


def is_text(head: bytes) -> bool:
    """Whether bytes are UTF-8 text, of which the last character may be cut."""
    if b"\0" in head:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(head) >= HEAD_BYTES and error.start >= len(head) - 3
    return True


def _by_signature(name: str, head: bytes) -> tuple[Kind, str] | None:  # noqa: PLR0911 - a table
    nifti = NIFTI_MAGIC.get(head[344:348]) or NIFTI_MAGIC.get(head[4:8])
    if nifti:
        return ("cifti", "CIFTI-2") if nifti == "NIfTI-2" and _is_cifti(name, head) else ("volume", nifti)
    if head.startswith(b"MATRIX"):
        return "volume", "ECAT 7"
    if head.startswith((b"CDF\x01", b"CDF\x02")):
        return "volume", "MINC 1"
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "volume", "MINC 2"
    if head[128:132] == b"DICM":
        return "dicom", "DICOM"
    if head.startswith(PICTURES) or b"<svg" in head[:1024]:
        return "picture", "picture"
    if b"<GIFTI" in head:
        return _gifti(name, head), "GIFTI"
    if head.startswith(b"\xff\xff\xfe"):
        return "surface", "FreeSurfer surface"
    if head.startswith(b"\xff\xff\xff"):
        return "surface-data", "FreeSurfer curv"
    return None


def _by_name(name: str, head: bytes, start: bytes) -> tuple[Kind, str] | None:  # noqa: PLR0911 - a table
    if name.endswith(".annot"):
        return "annot", "FreeSurfer annot"
    if name.endswith((".mgh", ".mgz")) and head[:4] == b"\0\0\0\1" and len(head) >= SMALLEST_MGH:
        return ("surface-data" if _is_one_column(head) else "volume"), "MGH"
    if name.endswith(".head") and b"type" in start[:16]:
        return "volume", "AFNI"
    if name.endswith(".par") and b"DATA DESCRIPTION FILE" in head:
        return "volume", "PAR/REC"
    if name.endswith(".hdr") and head[:4] in NIFTI_SIZES:
        return "volume", "ANALYZE"
    if name.endswith((".dcm", ".ima")) and head[:2] in {b"\x02\0", b"\x08\0"}:
        return "dicom", "DICOM"
    if start.startswith(b"{") and is_text(head):
        return ("scene" if b'"habena' in head else "sidecar"), "JSON"
    if name.endswith(TABLE_NAMES) and is_text(head):
        return "table", "table"
    return None


def _refuse(path: Path, name: str, head: bytes, start: bytes) -> None:
    if any(mark in start.lower() for mark in WEB_PAGE):
        what = "is a web page (HTML) that was saved in place of the file"
        raise Problem(path, what, "download the file itself again")
    for magic, what, todo in REFUSED:
        if head.startswith(magic):
            raise Problem(path, f"is {what}, which Habena does not read", todo.replace("FILE", path.name))
    if head.startswith(b"\x89HDF") and not name.endswith(".mnc"):
        raise Problem(path, "is an HDF5 file that is not named as a MINC image (.mnc)", AS_NIFTI)


def _unknown(path: Path, name: str, head: bytes) -> Problem:
    if head[:4] in NIFTI_SIZES and len(head) < SHORTEST_NIFTI:
        return Problem(path, f"ends within its header (after {len(head)} bytes)", COPY_AGAIN)
    endings = [ending for ending in (*IMAGE_NAMES, *VOXEL_NAMES) if name.endswith(ending)]
    if endings:
        what = "text" if is_text(head) else "no image of that kind (its first bytes are wrong)"
        return Problem(path, f"is named {endings[0]} but is {what}", "copy or download it again, or correct its name")
    what = "is text of an unknown kind" if is_text(head) else "is of a kind that Habena does not know"
    return Problem(path, what, "name a NIfTI or other image, a surface, a table or a scene")


def _is_cifti(name: str, head: bytes) -> bool:
    order: Literal["little", "big"] = "little" if head[:4] == b"\x1c\x02\0\0" else "big"
    return int.from_bytes(head[504:508], order) in CONNECTIVITY_INTENTS or name.endswith(CIFTI_NAMES)


def _gifti(name: str, head: bytes) -> Kind:
    """Coordinates make a surface; the first array of a file with them comes early."""
    if name.endswith(SURFACE_DATA_NAMES):
        return "surface-data"
    holds_data = b"NIFTI_INTENT_" in head and b"POINTSET" not in head and b"TRIANGLE" not in head
    return "surface-data" if holds_data and not name.endswith(".surf.gii") else "surface"


def _is_one_column(head: bytes) -> bool:
    """An MGH file of n x 1 x 1 values: one for each vertex of a surface."""
    sizes = sorted(int.from_bytes(head[at : at + 4], "big") for at in (4, 8, 12))
    return sizes[:2] == [1, 1] and sizes[2] > 1
