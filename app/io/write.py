"""Maps written as NIfTI on the grid of their input, with the record of how they came about.

Values are float32; masks, which come as bool, are uint8.
"""

from __future__ import annotations

import functools
import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
import numpy as np
from isal.igzip import IGzipFile
from numpy.typing import NDArray

from ..grid import Affine
from ..problems import Finding, Problem
from .files import Stamp, reading, replacing
from .layout import Report
from .space import MNI152, TALAIRACH, Space
from .volume_info import VolumeInfo

LIBRARIES = ("habena", "numpy", "scipy", "numba", "nibabel")
SCANNER, ALIGNED = 1, 2
CODE_OF_TEMPLATE = {TALAIRACH: 3, MNI152: 4}
LONGEST_NIFTI_1 = 32767


class Record(msgspec.Struct, frozen=True):
    """How a map came about.

    Attributes
    ----------
    parameters : mapping
        Everything that the computation was told; NaN and infinity become null.
    inputs : tuple of Path
        Files it was computed from; their names, sizes and SHA-256 are written.
    unit : str
        Unit of the map's values, such as ``Pearson r``.
    warnings : tuple of Finding
        What the user was told.
    """

    parameters: Mapping[str, Any]
    inputs: tuple[Path, ...] = ()
    unit: str = ""
    warnings: tuple[Finding, ...] = ()


def write_map(
    path: str | Path, values: NDArray[Any], like: VolumeInfo, record: Record, report: Report | None = None
) -> None:
    """Write a map and its JSON sidecar; both appear whole or not at all.

    The header carries the input's affine under the input's sform and qform codes, so that whatever reads one reads
    the other in the same place. The same values and record give the same bytes.

    Parameters
    ----------
    path : path
        ``.nii`` or ``.nii.gz``.
    values : (nx, ny, nz) or (nx, ny, nz, n)
        On the grid of `like`; a fourth axis is taken as its frames and carries its repetition time.
    like : VolumeInfo
        The input.
    record : Record
        Goes into the sidecar.
    report : callable, optional
        Called with the share that is written; what it raises stops the work and leaves nothing behind.

    Raises
    ------
    Problem
        When the name is not NIfTI's, an input would be overwritten, or the place cannot be written to.
    """
    path = Path(path)
    sidecar = _sidecar_path(path)
    if values.shape[:3] != like.space.grid.shape:
        raise ValueError(f"values of shape {values.shape} do not lie on a grid of {like.space.grid.shape}")
    for target in (path, sidecar):
        _refuse_input(target, record.inputs)
    with replacing(sidecar) as beside:
        beside.write(_sidecar(values, like, record))
        with replacing(path) as file:
            _write_nifti(file, path, values, like, report)


def sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal; read once while its size and time of change stay the same."""
    with reading(path):
        found = path.stat()
        return _sha256(path.absolute(), Stamp(found.st_size, found.st_mtime_ns))


@functools.lru_cache(maxsize=4096)
def _sha256(path: Path, stamp: Stamp) -> str:
    del stamp  # tells one version of the file from the next
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def plain_json(value: object) -> bytes:
    """Indented JSON of values that may hold paths and NumPy numbers and arrays; NaN and infinities are null."""
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=_plain), indent=2) + b"\n"


def software() -> dict[str, str]:
    """Versions of this program and of what computes for it."""
    return {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()}


def _sidecar_path(path: Path) -> Path:
    for ending in (".nii.gz", ".nii"):
        if path.name.lower().endswith(ending) and len(path.name) > len(ending):
            return path.with_name(path.name[: -len(ending)] + ".json")
    raise Problem(path, "is no name for a map", "let it end in .nii.gz or .nii")


def _refuse_input(target: Path, inputs: tuple[Path, ...]) -> None:
    if target.exists() and any(each.exists() and target.samefile(each) for each in inputs):
        raise Problem(target, "is one of the inputs and would be overwritten", "choose another name for the result")


def _sidecar(values: NDArray[Any], like: VolumeInfo, record: Record) -> bytes:
    content: dict[str, Any] = {"Units": record.unit} if record.unit else {}
    if like.space.template:
        content["SpatialReference"] = like.space.template
    if values.ndim == 4 and like.tr_s:
        content["RepetitionTime"] = like.tr_s
    return plain_json(content | record_content(record))


def record_content(record: Record) -> dict[str, Any]:
    """What every sidecar says about how its file came about."""
    return {
        "parameters": record.parameters,
        "inputs": [{"name": each.name, "bytes": each.stat().st_size, "sha256": sha256(each)} for each in record.inputs],
        "software": software(),
        "warnings": record.warnings,
    }


def _write_nifti(file: BinaryIO, path: Path, values: NDArray[Any], like: VolumeInfo, report: Report | None) -> None:
    packed = path.name.lower().endswith(".gz")
    # no name and no time in the gzip header: the same map gives the same bytes
    out = IGzipFile("", "wb", fileobj=file, mtime=0) if packed else file
    stored = np.dtype("u1" if values.dtype == np.bool_ else "<f4")
    out.write(_header(values.shape, stored, like))
    frames = values[..., None] if values.ndim == 3 else values
    for index in range(frames.shape[3]):
        for k in range(frames.shape[2]):
            out.write(np.asarray(frames[:, :, k, index], stored).tobytes(order="F"))
        if report:
            report((index + 1) / frames.shape[3])
    if packed:
        out.close()


def _header(shape: tuple[int, ...], stored: np.dtype[Any], like: VolumeInfo) -> bytes:
    """NIfTI header and the four bytes that say that no extension follows."""
    from .nib import Nifti1Header, Nifti2Header  # noqa: PLC0415 - slow to import

    header: Any = (Nifti1Header if max(shape) <= LONGEST_NIFTI_1 else Nifti2Header)(endianness="<")
    header["magic"] = b"n+1" if type(header) is Nifti1Header else b"n+2\0\r\n\x1a\n"
    header.set_data_dtype(stored)
    header.set_data_shape(shape)
    header.set_zooms((*like.space.grid.zooms_mm, *((like.tr_s or 0.0,) if len(shape) == 4 else ())))
    header.set_xyzt_units("mm", "sec")
    header["vox_offset"] = header.single_vox_offset
    for set_form, affine, code in zip((header.set_qform, header.set_sform), *_forms(like.space), strict=True):
        if affine is not None:
            set_form(affine, code)
    return cast("bytes", header.binaryblock) + b"\0\0\0\0"


def _forms(space: Space) -> tuple[tuple[Affine | None, Affine | None], tuple[int, int]]:
    """Affines and codes of qform and sform that put a map where its input lies."""
    if space.sform_code is not None:
        return (space.qform, space.sform), (space.qform_code or 0, space.sform_code)
    trusted = space.source == "format"
    code = CODE_OF_TEMPLATE.get(space.template or "", SCANNER) if trusted else ALIGNED
    return (None, space.grid.affine), (0, code)


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place in JSON")
