"""Where an image's voxels lie: which of a header's affines counts, how far they disagree, in which space."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ..grid import Affine, Grid
from ..problems import Finding, Problem
from .affines import disagreement

Unit = Literal["mm", "m", "um", "unknown"]
AffineSource = Literal["sform", "qform", "fallback", "format"]

# A displacement within a tenth of a voxel is rounding in some writer; more is two different places.
TOLERANCE_VOXELS = 0.1
# A tenth of a degree moves the edge of a head by 0.15 mm.
TOLERANCE_DEG = 0.1
SINGULAR = 1e-4
FARTHEST = 1e12
ZOOM_MM = (0.005, 50.0)
FIELD_OF_VIEW_MM = (1.0, 3000.0)
ZOOMS_DIFFER = 0.01

MNI152 = "MNI152"  # which of its variants is not said
TALAIRACH = "Talairach"
CODE_MEANING = {
    0: "unknown",
    1: "scanner",
    2: "aligned to another scan",
    3: "Talairach",
    4: "MNI152",
    5: "another template",
}
UNIT_IN_MM = {"mm": 1.0, "m": 1e3, "um": 1e-3}
UNIT_NAME = {"mm": "millimetres", "m": "metres", "um": "micrometres"}


@dataclass(frozen=True, eq=False)
class Placement:
    """What a header says about place, before anything is chosen.

    Attributes
    ----------
    shape : (int, int, int)
    pixdim : (float, float, float)
        Voxel edges as the header states them, in `unit`.
    unit : Unit
        Unit of all lengths here.
    sform, qform : (4, 4) float64 or None
        Affines stored under a code above 0; None when their code is 0 or the format has none.
    sform_code, qform_code : int or None
        None for formats that know no codes.
    affine : (4, 4) float64 or None
        The one affine of a format that has only one.
    trusted : bool
        False when `affine` is the format's default because the file states none.
    template : str or None
        Space named by the format itself.
    """

    shape: tuple[int, int, int]
    pixdim: tuple[float, float, float]
    unit: Unit = "mm"
    sform: Affine | None = None
    qform: Affine | None = None
    sform_code: int | None = None
    qform_code: int | None = None
    affine: Affine | None = None
    trusted: bool = True
    template: str | None = None


@dataclass(frozen=True, eq=False)
class Space:
    """Where the voxels are taken to lie, and why.

    Attributes
    ----------
    grid : Grid
        Shape and affine in mm.
    source : AffineSource
        Which affine was taken: sform when its code is above 0, else qform when its code is above 0,
        else a fallback; "format" for formats with one affine.
    sform_code, qform_code : int or None
    sform, qform : (4, 4) float64 in mm, or None
        None when their code is 0, or when a qform is no usable affine.
    disagreement_mm, disagreement_deg : float or None
        Between sform and qform, when both are set: the largest displacement of a corner of the volume,
        and the angle of the rotation between them.
    template : str or None
        Name of the template space; None when unknown or native.
    findings : tuple of Finding
    """

    grid: Grid
    source: AffineSource
    sform_code: int | None
    qform_code: int | None
    sform: Affine | None
    qform: Affine | None
    disagreement_mm: float | None
    disagreement_deg: float | None
    template: str | None
    findings: tuple[Finding, ...]


def settle_space(path: Path, placement: Placement, sidecar_space: str | None) -> Space:
    """Choose the affine by the rule, compare, and name the space.

    The rule is the NIfTI-1 standard's order of preference with the template-bearing sform first, as nibabel,
    FSL and SPM have it: sform_code > 0, else qform_code > 0, else a flagged fallback.

    Raises
    ------
    Problem
        When the affine that counts is singular or not finite.
    """
    source, chosen, notes = _choose(path, placement)
    _refuse_singular(path, source, chosen)
    scale, unit_notes = _scale_to_mm(path, placement, chosen)
    grid = Grid(placement.shape, _scaled(chosen, scale))
    sform, qform = (
        _scaled(form, scale) if form is not None and np.abs(form).max() < FARTHEST else None
        for form in (placement.sform, placement.qform)
    )
    apart, angle, differ = _compare(path, grid, sform, qform, placement)
    template, space_notes = _template(path, placement, source, sidecar_space)
    return Space(
        grid=grid,
        source=source,
        sform_code=placement.sform_code,
        qform_code=placement.qform_code,
        sform=sform,
        qform=qform,
        disagreement_mm=apart,
        disagreement_deg=angle,
        template=template,
        findings=(*notes, *unit_notes, *_zoom_notes(path, grid, placement, scale), *differ, *space_notes),
    )


def _choose(path: Path, placement: Placement) -> tuple[AffineSource, Affine, list[Finding]]:
    if placement.affine is not None:
        if placement.trusted:
            return "format", placement.affine, []
        return "fallback", placement.affine, [_no_orientation(path)]
    if placement.sform is not None:
        return "sform", placement.sform, []
    if placement.qform_code is not None and placement.qform_code > 0:
        if placement.qform is None:
            raise Problem(
                path, "has a qform whose quaternion is not a rotation", "repair its header (for example fslorient)"
            )
        return "qform", placement.qform, []
    zooms = [abs(zoom) if np.isfinite(zoom) and zoom else 1.0 for zoom in placement.pixdim]
    # nibabel, FSL and SPM take a file without codes as stored right to left, centred
    steps = np.array(zooms) * (-1, 1, 1)
    affine = np.diag([*steps, 1.0])
    affine[:3, 3] = -steps * (np.array(placement.shape) - 1) / 2
    return "fallback", affine, [_no_orientation(path)]


def _no_orientation(path: Path) -> Finding:
    message = (
        "The file does not say where its voxels lie (sform and qform codes are 0 or absent): "
        "its first axis is assumed to run from right to left, so left and right may be swapped."
    )
    return Finding("no-orientation", str(path), None, message)


def _refuse_singular(path: Path, source: AffineSource, affine: Affine) -> None:
    what = {"format": "its affine", "fallback": "its voxel size"}.get(source, f"its {source}")
    todo = "repair its header (for example fslorient), or convert it again from the original"
    if not np.all(np.isfinite(affine)):
        raise Problem(path, f"{what} holds NaN or infinity", todo)
    if np.abs(affine).max() > FARTHEST:
        raise Problem(path, f"{what} has numbers as large as {np.abs(affine).max():.3g}", todo)
    edges = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.all(edges > 0):
        axis = "ijk"[int(np.argmin(edges))]
        raise Problem(path, f"{what} is singular (voxels have no extent along {axis})", todo)
    if abs(np.linalg.det(affine[:3, :3] / edges)) < SINGULAR:
        raise Problem(path, f"{what} is singular (its voxel axes lie in one plane)", todo)


def _scale_to_mm(path: Path, placement: Placement, affine: Affine) -> tuple[float, list[Finding]]:
    """Factor from the header's unit to mm: the stated one, unless no head could have that size."""
    if placement.unit == "mm":
        return 1.0, []
    if placement.unit == "unknown":
        message = "The header states no unit of length; millimetres are assumed."
        return 1.0, [Finding("units-missing", str(path), None, message)]
    scale, name = UNIT_IN_MM[placement.unit], UNIT_NAME[placement.unit]
    view = float((np.linalg.norm(affine[:3, :3], axis=0) * placement.shape).max())
    if FIELD_OF_VIEW_MM[0] <= view * scale <= FIELD_OF_VIEW_MM[1]:
        message = f"The header is in {name}; it was converted to millimetres."
        return scale, [Finding("units-converted", str(path), name, message)]
    message = f"The header says {name}, which makes a volume of {view * scale:.3g} mm; millimetres are assumed."
    return 1.0, [Finding("units-absurd", str(path), name, message)]


def _scaled(affine: Affine, scale: float) -> Affine:
    return affine * np.array([[scale], [scale], [scale], [1.0]])


def _zoom_notes(path: Path, grid: Grid, placement: Placement, scale: float) -> list[Finding]:
    notes: list[Finding] = []
    axes = [axis for axis, size in enumerate(placement.shape) if size > 1]
    absurd = [zoom for zoom in (grid.zooms_mm[axis] for axis in axes) if not ZOOM_MM[0] <= zoom <= ZOOM_MM[1]]
    if absurd:
        message = f"A voxel edge of {absurd[0]:.4g} mm is not plausible for a head; check the header's unit."
        notes.append(Finding("zooms-absurd", str(path), absurd[0], message))
    stated = np.array(placement.pixdim) * scale
    for axis in axes:
        zoom = float(stated[axis])
        if not (np.isfinite(zoom) and zoom > 0):
            message = f"The header's voxel size along {'ijk'[axis]} is {zoom:g}; {grid.zooms_mm[axis]:g} mm is used."
            notes.append(Finding("zooms-missing", str(path), zoom, message))
        elif abs(zoom / grid.zooms_mm[axis] - 1) > ZOOMS_DIFFER:
            message = (
                f"The header's voxel size along {'ijk'[axis]} is {zoom:.4g} mm, "
                f"but its affine says {grid.zooms_mm[axis]:.4g} mm; the affine counts."
            )
            notes.append(Finding("zooms-differ", str(path), zoom, message))
    return notes


def _compare(
    path: Path, grid: Grid, sform: Affine | None, qform: Affine | None, placement: Placement
) -> tuple[float | None, float | None, list[Finding]]:
    if sform is None or (placement.qform_code or 0) <= 0:
        return None, None, []
    if qform is None:
        message = "Its qform has a code but is no usable affine; the sform counts."
        return None, None, [Finding("qform-unusable", str(path), None, message)]
    apart, angle = disagreement(grid.shape, sform, qform)
    if apart <= TOLERANCE_VOXELS * min(grid.zooms_mm) and angle <= TOLERANCE_DEG:
        return apart, angle, []
    names = [CODE_MEANING.get(code or 0, "unknown") for code in (placement.sform_code, placement.qform_code)]
    message = (
        f"sform ({names[0]}) and qform ({names[1]}) place this image up to {apart:.3g} mm "
        f"and {angle:.2g}° apart; the sform counts."
    )
    return apart, angle, [Finding("sform-qform", str(path), apart, message)]


def _template(
    path: Path, placement: Placement, source: AffineSource, sidecar_space: str | None
) -> tuple[str | None, list[Finding]]:
    """Template space by the file's name, its sidecar, its codes; None when none of them says."""
    code = {"sform": placement.sform_code, "qform": placement.qform_code}.get(source)
    entity = re.search(r"(?:^|_)space-([A-Za-z0-9]+)", path.name)
    named = entity.group(1) if entity else sidecar_space or placement.template
    if named in {"MNI", MNI152} or (named is None and code == 4):
        message = (
            f"The image is in MNI152 space ({'by its name' if named else 'code 4'}), but which variant is not stated; "
            "confirm it before you read region names."
        )
        return MNI152, [Finding("space-unconfirmed", str(path), MNI152, message)]
    if named is None and code == 3:
        message = "The image is in Talairach space by its code; confirm it before you read region names."
        return TALAIRACH, [Finding("space-unconfirmed", str(path), TALAIRACH, message)]
    if named is None and code == 5:
        message = "The image is in the space of a template that its header does not name."
        return None, [Finding("space-unnamed", str(path), None, message)]
    return named, []
