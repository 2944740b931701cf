"""What an image's header says, with a look at whether the file is whole; no voxel is read where it is."""

from __future__ import annotations

from pathlib import Path

from ..problems import Problem
from .identify import identify
from .layout import Layout
from .sources import cut_short
from .unpacker import check_length, refuse_bomb
from .volume_info import VolumeInfo, read_header, volume_info


def whole_image(path: Path) -> VolumeInfo:
    """Header, sidecar and place of an image whose file has all its bytes.

    The stated length of a compressed file is compared with its header's; only where they differ is it unpacked.

    Raises
    ------
    Problem
        When it is no image, makes no sense, or is cut short.
    """
    found = identify(path)
    if found.kind != "volume":
        raise Problem(path, f"is no image but a {found.kind}", "put the image in its place")
    header = read_header(found)
    layout = header.voxels
    if isinstance(layout, Layout):
        if layout.compressed:
            refuse_bomb(layout)
            check_length(layout)
        elif layout.end > layout.stamp.size:
            raise cut_short(layout, layout.stamp.size)
    return volume_info(path, header)
