"""Where a surface lies: from the coordinates of its file to world millimetres."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..problems import Finding
from .surface_freesurfer import VolumeGeometry, volume_geometry

UNKNOWN, SCANNER, ALIGNED, TALAIRACH, MNI = range(5)
# Caret, Workbench and FreeSurfer write Talairach for whatever they have, so that it tells nothing.
_SPACE_OF_CODE = {SCANNER: "scanner", ALIGNED: "scanner", MNI: "MNI152"}
# The directions that FreeSurfer's surface coordinates ("tkRAS") assume for the voxel axes of any volume.
_TK_DIRECTIONS = np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


class Place(NamedTuple):
    """What a file says about where its coordinates lie.

    Attributes
    ----------
    code : int
        NIfTI transform code of the space of the coordinates.
    volume : VolumeGeometry or None
        The volume that FreeSurfer made the surface from.
    to_code : int
        Space that `transform` leads to.
    transform : (4, 4) float64 or None
        As the file states it.
    said_by : str
        File name stored inside, which may name a template.
    """

    code: int = UNKNOWN
    volume: VolumeGeometry | None = None
    to_code: int = UNKNOWN
    transform: NDArray[np.float64] | None = None
    said_by: str = ""


class Placed(NamedTuple):
    """Coordinates in mm, the space that the file names for them, and what was done."""

    coordinates: NDArray[np.float64]
    space: str | None
    findings: tuple[Finding, ...] = ()


def volume_of_gifti(metadata: Mapping[str, str]) -> VolumeGeometry | None:
    """Volume geometry that FreeSurfer's GIFTI writer states as ``VolGeom...`` metadata."""
    keys = (f"VolGeom{column}_{row}" for column in "XYZC" for row in "RAS")
    return volume_geometry([metadata.get(key, "") for key in keys])


def to_world(path: Path, coordinates: NDArray[np.float64], place: Place) -> Placed:
    """Bring coordinates into world mm by what their file says.

    Parameters
    ----------
    path : Path
        File, for findings.
    coordinates : (n, 3) float64
        As stored.
    place : Place
        What the file says.

    Notes
    -----
    FreeSurfer measures surfaces from the centre of a volume along fixed directions, whatever its own:
    scanner = D T' tk + c_ras, with the volume's directions D and the assumed directions T. For a conformed
    volume D = T, and the centre alone is added.
    """
    if place.code != UNKNOWN:
        return Placed(coordinates, _SPACE_OF_CODE.get(place.code))
    if place.volume is not None:
        return _from_volume_centre(path, coordinates, place.volume)
    if place.transform is None or place.to_code not in _SPACE_OF_CODE:
        unused = place.transform is not None and not np.allclose(place.transform, np.eye(4))
        return Placed(coordinates, None, (_unused_transform(path),) if unused else ())
    space = _SPACE_OF_CODE[place.to_code]
    if np.allclose(place.transform, np.eye(4)):
        return Placed(coordinates, space)
    moved = coordinates @ place.transform[:3, :3].T + place.transform[:3, 3]
    return Placed(moved, space, (_applied_transform(path, coordinates, moved, space),))


def _from_volume_centre(path: Path, coordinates: NDArray[np.float64], volume: VolumeGeometry) -> Placed:
    rotation = volume.directions @ _TK_DIRECTIONS.T
    turned = not np.allclose(rotation, np.eye(3), atol=1e-4)
    if not turned and not volume.c_ras_mm.any():
        return Placed(coordinates, "scanner")
    x, y, z = volume.c_ras_mm
    centre = f"centre of its volume (c_ras {x:.2f}, {y:.2f}, {z:.2f} mm)"
    message = f"Coordinates were moved by the {centre}" + (" and turned into its axes" if turned else "")
    shift_mm = float(np.linalg.norm(volume.c_ras_mm))
    finding = Finding("surface-c-ras", str(path), shift_mm, f"{message}, so that they lie on the scan.")
    return Placed(coordinates @ rotation.T + volume.c_ras_mm, "scanner", (finding,))


def _applied_transform(path: Path, before: NDArray[np.float64], after: NDArray[np.float64], space: str) -> Finding:
    largest_mm = float(np.sqrt(((after - before) ** 2).sum(axis=1)).max())
    message = f"The file's transform to {space} space was applied; it moves vertices by up to {largest_mm:.1f} mm."
    return Finding("surface-transform", str(path), largest_mm, message)


def _unused_transform(path: Path) -> Finding:
    message = (
        "The file states a transform to Talairach or to an unnamed space; it was not applied, "
        "since the surface would then leave its own scan."
    )
    return Finding("surface-transform-unused", str(path), None, message)


def space_unknown(path: Path) -> Finding:
    """Nothing in the file says which scan the surface lies on."""
    message = (
        "The file does not say in which space its coordinates are; they are taken as world mm. "
        "A FreeSurfer surface without its volume's centre can be some millimetres off."
    )
    return Finding("surface-space-unknown", str(path), None, message)
