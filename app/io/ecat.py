"""Headers of ECAT 7 volumes, by nibabel."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ..problems import Problem
from .identify import Identity
from .layout import Header, Layout, scaling, three, zooms_of
from .nib import (
    EcatHeader,
    EcatSubHeader,
    data_type_codes,
    get_frame_order,
    patient_orient_neurological,
    patient_orient_radiological,
    read_mlist,
)
from .space import Placement
from .times import FrameTimes, Step

BLOCK_BYTES, ROWS = 512, 31


def ecat_header(found: Identity) -> Header:
    """ECAT 7 volumes, with their own frame times."""
    with found.path.open("rb") as file:
        raw: Any = EcatHeader.from_fileobj(file)
        _check_directory(found, raw.endianness)
        matrices = read_mlist(file, raw.endianness)
        frames: Any = EcatSubHeader(raw, matrices, file)
    order = [int(row) for row, _ in get_frame_order(matrices).values()]
    headers = [frames.subheaders[row] for row in order]
    shapes = {frames.get_shape(row) for row in order}
    codes = {int(header["data_type"]) for header in headers}
    if len(shapes) != 1 or len(codes) != 1:
        raise Problem(found.path, "has frames of different sizes or types", "convert it to NIfTI frame by frame")
    size = three(tuple(int(n) for n in shapes.pop()))
    stored: Any = data_type_codes.dtype[codes.pop()]
    dtype = np.dtype(stored).newbyteorder(raw.endianness)
    starts = [int(matrices[row][1]) * BLOCK_BYTES for row in order]
    from_left = int(raw["patient_orientation"]) in patient_orient_neurological
    turned = from_left or int(raw["patient_orientation"]) in patient_orient_radiological
    factors = [float(raw["ecat_calibration_factor"]) * float(header["scale_factor"]) for header in headers]
    affine = np.asarray(frames.get_frame_affine(order[0]), np.float64)
    return Header(
        format="ECAT 7",
        shape=size if len(order) == 1 else (*size, len(order)),
        dtype=dtype.name,
        kind="scalar",
        placement=Placement(size, zooms_of(affine), affine=affine),
        step=Step(),
        voxels=Layout(
            found.data,
            found.stamp,
            found.compressed,
            dtype,
            size,
            np.array(starts, np.int64)[:, None],
            (from_left, turned, turned),
        ),
        scaling=scaling(np.array(factors)[:, None]),
        frame_times=_times(headers),
        unit=bytes(raw["data_units"]).split(b"\0")[0].decode("latin-1").strip(),
        description=bytes(raw["study_description"]).split(b"\0")[0].decode("latin-1").strip(),
    )


def _check_directory(found: Identity, order: Literal["<", ">"]) -> None:
    """Follow the chain of directory blocks once: a damaged one may point in a circle for ever."""
    seen: set[int] = set()
    block = 2
    with found.path.open("rb") as file:
        while block not in seen:
            seen.add(block)
            file.seek((block - 1) * BLOCK_BYTES)
            row = np.frombuffer(file.read(BLOCK_BYTES), np.dtype("i4").newbyteorder(order), count=4)
            free, following, _, used = row.tolist()
            if free + used != ROWS or used < 0:
                raise Problem(found.path, "has a damaged ECAT directory", "copy it again")
            if following <= 2:
                return
            block = following
    raise Problem(found.path, "has an ECAT directory that points in a circle", "copy it again")


def _times(headers: list[Any]) -> FrameTimes | None:
    starts = tuple(int(header["frame_start_time"]) / 1000 for header in headers)
    durations = tuple(int(header["frame_duration"]) / 1000 for header in headers)
    later = all(b >= a + d - 0.01 for a, b, d in zip(starts, starts[1:], durations, strict=False))
    return FrameTimes(starts, durations, "ECAT frame headers") if min(durations) > 0 and later else None
