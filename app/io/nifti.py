"""Headers of NIfTI-1 and NIfTI-2 (nifti1.h, nifti2.h of the NIfTI working group).

Read here rather than by nibabel, which takes 50 ms to import, repairs some headers silently and answers
others on the standard error stream. The tests compare both.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from ..grid import Affine
from ..problems import Finding, Problem
from .affines import quaternion_affine
from .identify import Identity
from .layout import WRITE_AGAIN, Header, Scaling, VolumeKind, in_a_row, scaling, three
from .space import Placement, Unit
from .times import Step, StepUnit

_NAMES = [
    "sizeof_hdr", "dim", "intent_p", "intent_code", "datatype", "bitpix", "pixdim", "vox_offset", "scl_slope",
    "scl_inter", "xyzt_units", "descrip", "qform_code", "sform_code", "quatern", "qoffset", "srow", "intent_name",
]  # fmt: skip
NIFTI_1 = np.dtype(
    {
        "names": _NAMES,
        "formats": [
            "i4", "(8,)i2", "(3,)f4", "i2", "i2", "i2", "(8,)f4", "f4", "f4", "f4", "u1", "S80", "i2", "i2", "(3,)f4",
            "(3,)f4", "(3,4)f4", "S16",
        ],
        "offsets": [0, 40, 56, 68, 70, 72, 76, 108, 112, 116, 123, 148, 252, 254, 256, 268, 280, 328],
        "itemsize": 348,
    }
)  # fmt: skip
NIFTI_2 = np.dtype(
    {
        "names": _NAMES,
        "formats": [
            "i4", "(8,)i8", "(3,)f8", "i4", "i2", "i2", "(8,)f8", "i8", "f8", "f8", "i4", "S80", "i4", "i4", "(3,)f8",
            "(3,)f8", "(3,4)f8", "S16",
        ],
        "offsets": [0, 16, 80, 504, 12, 14, 104, 168, 176, 184, 500, 240, 344, 348, 352, 376, 400, 508],
        "itemsize": 540,
    }
)  # fmt: skip


class DataType(NamedTuple):
    """A NIfTI datatype: the name shown, how it is stored, and what it is."""

    name: str
    stored: Any
    kind: VolumeKind = "scalar"


DATA_TYPES = {
    2: DataType("uint8", "u1"),
    4: DataType("int16", "i2"),
    8: DataType("int32", "i4"),
    16: DataType("float32", "f4"),
    32: DataType("complex64", "c8", "complex"),
    64: DataType("float64", "f8"),
    128: DataType("rgb24", [("R", "u1"), ("G", "u1"), ("B", "u1")], "rgb"),
    256: DataType("int8", "i1"),
    512: DataType("uint16", "u2"),
    768: DataType("uint32", "u4"),
    1024: DataType("int64", "i8"),
    1280: DataType("uint64", "u8"),
    1792: DataType("complex128", "c16", "complex"),
    2304: DataType("rgba32", [("R", "u1"), ("G", "u1"), ("B", "u1"), ("A", "u1")], "rgb"),
}
if np.finfo(np.longdouble).nmant == 112:  # IEEE binary128: on some processors only, x86 is not among them
    DATA_TYPES[1536] = DataType("float128", "f16")
    DATA_TYPES[2048] = DataType("complex256", "c32", "complex")
REFUSED_TYPES = {0: "unknown", 1: "single bits", 1536: "float128", 2048: "complex256"}

LENGTH_UNITS: dict[int, Unit] = {1: "m", 2: "mm", 3: "um"}
TIME_UNITS: dict[int, StepUnit] = {0: "unknown", 8: "s", 16: "ms", 24: "us"}
# Statistics by intent code, with how many of their parameters are degrees of freedom or the like.
STATISTICS = {
    2: ("r", 1), 3: ("t", 1), 4: ("F", 2), 5: ("z", 0), 6: ("chi²", 1), 7: ("beta", 2), 8: ("binomial", 2),
    9: ("gamma", 2), 10: ("Poisson", 1), 11: ("normal", 2), 12: ("noncentral F", 3), 13: ("noncentral chi²", 2),
    14: ("logistic", 2), 15: ("Laplace", 2), 16: ("uniform", 2), 17: ("noncentral t", 2), 18: ("Weibull", 3),
    19: ("chi", 1), 20: ("inverse Gaussian", 2), 21: ("extreme value", 2), 22: ("p", 0), 23: ("ln p", 0),
    24: ("log10 p", 0),
}  # fmt: skip
SPM_STATISTIC = re.compile(r"SPM\{([TFZX])_?\[?([\d., ]*)\]?\}")


def nifti_header(found: Identity) -> Header:
    """Header of an identified NIfTI file.

    Raises
    ------
    Problem
        When a field that matters contradicts the standard.
    """
    raw = _structured(found)
    shape = _shape(found, raw)
    data_type = _data_type(found, raw)
    dtype = np.dtype(data_type.stored)
    if not raw.dtype["dim"].base.isnative:
        dtype = dtype.newbyteorder()
    return Header(
        format=found.format,
        shape=shape,
        dtype=data_type.name,
        kind=data_type.kind,
        placement=_placement(raw, three(shape)),
        step=_step(raw, len(shape)),
        voxels=in_a_row(found, dtype, shape, _offset(found, raw)),
        scaling=scaling() if data_type.kind == "rgb" else _scaling(found, raw),
        statistic=_statistic(raw),
        description=_text(raw, "descrip"),
        findings=(*found.findings, *_notes(found, raw, dtype)),
    )


def _structured(found: Identity) -> Any:
    form = NIFTI_2 if found.format.startswith("NIfTI-2") else NIFTI_1
    if len(found.head) < form.itemsize:
        raise Problem(found.path, f"ends within its header ({len(found.head)} bytes)", "copy or download it again")
    for ordered in (form, form.newbyteorder()):
        raw = np.frombuffer(found.head, ordered, count=1)[0]
        if raw["sizeof_hdr"] == form.itemsize:
            return raw
    raise Problem(found.path, "has a NIfTI signature but a wrong header size", WRITE_AGAIN)


def _shape(found: Identity, raw: Any) -> tuple[int, ...]:
    count = int(raw["dim"][0])
    if not 1 <= count <= 7:
        raise Problem(found.path, f"says that it has {count} dimensions; NIfTI allows 1 to 7", WRITE_AGAIN)
    return tuple(int(size) for size in raw["dim"][1 : count + 1])


def _data_type(found: Identity, raw: Any) -> DataType:
    code = int(raw["datatype"])
    if code in DATA_TYPES:
        return DATA_TYPES[code]
    if code in REFUSED_TYPES:
        what = f"stores its values as {REFUSED_TYPES[code]}, which cannot be read on this machine"
        raise Problem(found.path, what, "save it as float64")
    raise Problem(found.path, f"has data of type {code}, which NIfTI does not know", WRITE_AGAIN)


def _offset(found: Identity, raw: Any) -> int:
    offset = float(raw["vox_offset"])
    least = 0 if found.data != found.path else raw.dtype.itemsize + 4
    if not (least <= offset < 2**62 and offset.is_integer()):
        raise Problem(found.path, f"has its voxels at byte {offset:g}, which cannot be", WRITE_AGAIN)
    return int(offset)


def _scaling(found: Identity, raw: Any) -> Scaling:
    slope, intercept = float(raw["scl_slope"]), float(raw["scl_inter"])
    if slope == 0 or not np.isfinite(slope):  # the standard's way to say: not scaled
        return scaling()
    if not np.isfinite(intercept):
        raise Problem(found.path, f"has an intercept (scl_inter) of {intercept:g}", WRITE_AGAIN)
    return scaling(slope, intercept)


def _placement(raw: Any, shape: tuple[int, int, int]) -> Placement:
    x, y, z = (float(zoom) for zoom in raw["pixdim"][1:4])
    sform_code, qform_code = int(raw["sform_code"]), int(raw["qform_code"])
    return Placement(
        shape,
        (x, y, z),
        LENGTH_UNITS.get(int(raw["xyzt_units"]) & 7, "unknown"),
        _sform(raw) if sform_code > 0 else None,
        _qform(raw) if qform_code > 0 else None,
        sform_code,
        qform_code,
    )


def _sform(raw: Any) -> Affine:
    return np.vstack([raw["srow"].astype(np.float64), [0, 0, 0, 1]])


def _qform(raw: Any) -> Affine | None:
    b, c, d = (float(n) for n in raw["quatern"])
    x, y, z = (float(n) for n in raw["qoffset"])
    qfac, i, j, k = (float(n) for n in raw["pixdim"][:4])
    return quaternion_affine((b, c, d), (x, y, z), (i, j, k), qfac)


def _step(raw: Any, dimensions: int) -> Step:
    if dimensions < 4 or _is_spectroscopy(raw):
        return Step()
    return Step(float(raw["pixdim"][4]), TIME_UNITS.get(int(raw["xyzt_units"]) & 0b111000, "none"))


def _statistic(raw: Any) -> str:
    code = int(raw["intent_code"])
    if code in STATISTICS:
        name, count = STATISTICS[code]
        parameters = [f"{float(p):g}" for p in raw["intent_p"][:count]]
        return f"{name}({', '.join(parameters)})" if any(p != "0" for p in parameters) else name
    spm = SPM_STATISTIC.search(_text(raw, "descrip"))
    if spm:
        letter = {"T": "t", "F": "F", "Z": "z", "X": "chi²"}[spm.group(1)]
        parameters = [f"{float(p):g}" for p in re.findall(r"\d+(?:\.\d+)?", spm.group(2))]
        return f"{letter}({', '.join(parameters)})" if parameters else letter
    return ""


def _is_spectroscopy(raw: Any) -> bool:
    return _text(raw, "intent_name").startswith("mrs_v")


def _text(raw: Any, field: str) -> str:
    return bytes(raw[field]).split(b"\0")[0].decode("utf-8", "replace").strip()


def _notes(found: Identity, raw: Any, dtype: np.dtype[Any]) -> list[Finding]:
    notes: list[Finding] = []
    where = str(found.path)
    if int(raw["bitpix"]) != dtype.itemsize * 8:
        stated, bits = int(raw["bitpix"]), dtype.itemsize * 8
        message = f"The header counts {stated} bits per voxel, but its data type has {bits}; the type counts."
        notes.append(Finding("bitpix", where, stated, message))
    if _is_spectroscopy(raw):
        message = "This is spectroscopy (NIfTI-MRS): its fourth axis holds points of a signal, not volumes over time."
        notes.append(Finding("spectroscopy", where, None, message))
    return notes
