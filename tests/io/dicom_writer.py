"""A DICOM series written by hand: explicit little-endian MR slices, small and asymmetric."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
ROOT = "1.2.826.0.1.3680043.8.498"
LONG_LENGTH = {"OB", "OW", "SQ", "UN", "UT"}


def write_series(folder: Path, volume: NDArray[np.uint16], number: int = 7, **text: str) -> list[Path]:
    """Write (x, y, slices) uint16 as one file per slice, without extension.

    Slices are 3 mm apart, pixels 2 mm; rows of the picture run along x from right to left (DICOM is LPS+).
    `text` replaces PatientName, PatientID, SeriesDescription or ProtocolName.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said = {"PatientName": "Doe^Jane", "PatientID": "ID4711", "SeriesDescription": "t1 test", "ProtocolName": "t1 test"}
    said |= text
    paths: list[Path] = []
    for k in range(volume.shape[2]):
        path = folder / f"slice{k:03d}"
        path.write_bytes(_file(volume[:, :, k], k, number, said))
        paths.append(path)
    return paths


def _file(pixels: NDArray[np.uint16], k: int, number: int, said: dict[str, str]) -> bytes:
    instance = f"{ROOT}.{number}.{k + 1}"
    meta = b"".join(
        [
            _element(0x0002, 0x0001, "OB", b"\x00\x01"),
            _element(0x0002, 0x0002, "UI", MR_IMAGE),
            _element(0x0002, 0x0003, "UI", instance),
            _element(0x0002, 0x0010, "UI", EXPLICIT_LITTLE_ENDIAN),
        ]
    )
    columns, rows = pixels.shape
    data = [
        _element(0x0008, 0x0008, "CS", "ORIGINAL\\PRIMARY\\M"),
        _element(0x0008, 0x0016, "UI", MR_IMAGE),
        _element(0x0008, 0x0018, "UI", instance),
        _element(0x0008, 0x0020, "DA", "20200102"),
        _element(0x0008, 0x0032, "TM", "101112.000"),
        _element(0x0008, 0x0060, "CS", "MR"),
        _element(0x0008, 0x0070, "LO", "Habena"),
        _element(0x0008, 0x103E, "LO", said["SeriesDescription"]),
        _element(0x0010, 0x0010, "PN", said["PatientName"]),
        _element(0x0010, 0x0020, "LO", said["PatientID"]),
        _element(0x0010, 0x0030, "DA", "19700101"),
        _element(0x0010, 0x4000, "LT", f"comment on {said['PatientName']}"),
        _element(0x0018, 0x0023, "CS", "2D"),
        _element(0x0018, 0x0050, "DS", "3"),
        _element(0x0018, 0x0080, "DS", "2000"),
        _element(0x0018, 0x0081, "DS", "30"),
        _element(0x0018, 0x1030, "LO", said["ProtocolName"]),
        _element(0x0020, 0x000D, "UI", f"{ROOT}.1"),
        _element(0x0020, 0x000E, "UI", f"{ROOT}.2.{number}"),
        _element(0x0020, 0x0011, "IS", str(number)),
        _element(0x0020, 0x0012, "IS", "1"),
        _element(0x0020, 0x0013, "IS", str(k + 1)),
        _element(0x0020, 0x0032, "DS", f"-10\\-20\\{3 * k - 5}"),
        _element(0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0"),
        _element(0x0020, 0x4000, "LT", f"seen by {said['PatientName']}"),
        _element(0x0028, 0x0002, "US", struct.pack("<H", 1)),
        _element(0x0028, 0x0004, "CS", "MONOCHROME2"),
        _element(0x0028, 0x0010, "US", struct.pack("<H", rows)),
        _element(0x0028, 0x0011, "US", struct.pack("<H", columns)),
        _element(0x0028, 0x0030, "DS", "2\\2"),
        _element(0x0028, 0x0100, "US", struct.pack("<H", 16)),
        _element(0x0028, 0x0101, "US", struct.pack("<H", 16)),
        _element(0x0028, 0x0102, "US", struct.pack("<H", 15)),
        _element(0x0028, 0x0103, "US", struct.pack("<H", 0)),
        _element(0x7FE0, 0x0010, "OW", pixels.T.astype("<u2").tobytes()),
    ]
    length = _element(0x0002, 0x0000, "UL", struct.pack("<I", len(meta)))
    return b"\0" * 128 + b"DICM" + length + meta + b"".join(data)


def _element(group: int, element: int, representation: str, value: str | bytes) -> bytes:
    if isinstance(value, str):
        value = value.encode("ascii")
        padding = b"\0" if representation == "UI" else b" "
    else:
        padding = b"\0"
    value += padding * (len(value) % 2)
    head = struct.pack("<2H", group, element) + representation.encode("ascii")
    if representation in LONG_LENGTH:
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value
