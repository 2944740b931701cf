"""The voxel of a spectroscopy study on the anatomy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from ..problems import Problem
from .report_paint import Row, painted_rows
from .report_view import view_of
from .spectra import Frame, VoxelBox, voxel_box
from .values import PERSON, SESSION, Study


class Drawn(NamedTuple):
    """A picture with its words."""

    png: bytes
    caption: str


def voxels(study: Study, spectra: Frame, title: str) -> Drawn | None:
    """Outlines of the boxes whose spectra are used, on slices through their middle; None where none lies in MNI space.

    Parameters
    ----------
    study : Study
    spectra : DataFrame
        The table ``spectra`` of an answer: person, session, ``used``.
    title : str
    """
    used = spectra[spectra["used"]]
    pairs = {(str(who), str(session)) for who, session in zip(used[PERSON], used[SESSION], strict=True)}
    scans = [scan for scan in study.scans_of(kind="mrs") if (scan.participant, scan.session or "") in pairs]
    boxes: list[VoxelBox] = []
    for scan in scans:
        try:
            if (scan.space or "").startswith("MNI"):
                boxes.append(voxel_box(scan))
        except Problem:
            continue  # its spectra are used, and the caption counts the boxes
    if not boxes:
        return None
    centres = np.stack([box.centre_mm for box in boxes])
    x, y, z = (round(float(value), 1) for value in centres.mean(axis=0))
    size = " x ".join(f"{value:.0f}" for value in np.median([box.size_mm for box in boxes], axis=0))
    said = f"voxels of {len(boxes)} of {len(scans)} sessions, each cut by the slice"
    view = replace(view_of((), (x, y, z), marked=False), selected=1)
    row = Row(view, (("", said),), boxes=tuple(box.corners_mm for box in boxes))
    spread = centres.std(axis=0, ddof=1).max() if len(boxes) > 1 else 0.0
    caption = (
        f"Voxels of {len(boxes)} of {len(scans)} sessions ({size} mm) on the MNI152 anatomy; their middle is at "
        f"{x:g}, {y:g}, {z:g} mm, and varies by at most {spread:.1f} mm (SD) along an axis."
    )
    return Drawn(painted_rows([row], title), caption)
