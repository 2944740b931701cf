"""How well a run was acquired: head motion, and how much the picture changes from volume to volume."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Bool, Float32, Float64, Report
from .errors import CannotCompute
from .prepare import rows_at_once

HEAD_RADIUS_MM = 50.0  # Power et al. 2012: an angle as the way of a point on a sphere of this size
IQR_PER_SD = 1.349
MOST_RADIANS = np.pi / 2

MotionConvention = Literal["fmriprep", "fsl", "spm", "afni"]


class _Convention(NamedTuple):
    """Which three columns turn, and in which unit; the other three are millimetres."""

    rotations: slice
    translations: slice
    radians_per_unit: float


CONVENTIONS: Mapping[MotionConvention, _Convention] = MappingProxyType(
    {
        "fmriprep": _Convention(slice(3, 6), slice(0, 3), 1.0),  # trans_x, trans_y, trans_z, rot_x, rot_y, rot_z
        "fsl": _Convention(slice(0, 3), slice(3, 6), 1.0),  # MCFLIRT .par: three angles, then three shifts
        "spm": _Convention(slice(3, 6), slice(0, 3), 1.0),  # rp_*.txt: three shifts, then pitch, roll, yaw
        "afni": _Convention(
            slice(0, 3), slice(3, 6), float(np.pi / 180)
        ),  # 3dvolreg -1Dfile: roll, pitch, yaw in degrees
    }
)


class Dvars(NamedTuple):
    """Root mean square over voxels of the change from the volume before; NaN for the first volume.

    Attributes
    ----------
    raw : (T,) float64
        In the unit of the data.
    standardised : (T,) float64
        Divided by its expectation for a run of the same noise and autocorrelation: about 1 where nothing happens.
    """

    raw: Float64
    standardised: Float64


def framewise_displacement(motion: ArrayLike, convention: MotionConvention) -> Float64:
    """Displacement of the head from one volume to the next (Power et al. 2012, doi 10.1016/j.neuroimage.2011.10.018).

    Sum of the absolute changes of three shifts and three angles, an angle being its arc on a sphere of 50 mm.

    Parameters
    ----------
    motion : (T, 6)
        In the order and units of a program's motion file.
    convention : "fmriprep", "fsl", "spm" or "afni"

    Returns
    -------
    (T,) float64
        In mm; NaN for the first volume, which has no predecessor (fMRIPrep writes n/a, FSL 0).

    Raises
    ------
    CannotCompute
        When the table is not of six columns of numbers, or the angles cannot be in the convention's unit.
    """
    given = np.asarray(motion, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] != 6 or not np.isfinite(given).all():
        raise CannotCompute("motion is not six columns of numbers", "give three shifts and three angles per volume")
    rule = CONVENTIONS[convention]
    radians = given[:, rule.rotations] * rule.radians_per_unit
    if np.abs(radians).max(initial=0) > MOST_RADIANS:
        raise CannotCompute(
            f"the head would turn by {np.degrees(np.abs(radians).max()):.0f} degrees as {convention} motion parameters",
            "choose the program that wrote the file: order and units differ",
        )
    arcs_mm = radians * HEAD_RADIUS_MM
    moved_mm = np.abs(np.diff(np.hstack([given[:, rule.translations], arcs_mm]), axis=0)).sum(axis=1)
    return np.concatenate([[np.nan], moved_mm])


def censored_by_motion(displacement_mm: ArrayLike, threshold_mm: float) -> Bool:
    """Volumes whose framewise displacement exceeds a threshold; the first, of unknown displacement, is kept."""
    if not threshold_mm > 0:
        raise CannotCompute(f"{threshold_mm} mm is no threshold of motion", "give a positive number of millimetres")
    return np.asarray(displacement_mm, dtype=np.float64) > threshold_mm


def dvars(rows: Float32, report: Report | None = None) -> Dvars:
    """DVARS, raw and standardised (Nichols 2013, "Notes on creating a standardized version of DVARS").

    As nipype and fMRIPrep compute them: the expectation is the mean over voxels of
    ``sd * sqrt(2 (1 - ar1))``, sd from the interquartile range ("lower" quantiles), ar1 by Yule-Walker. Voxels of
    zero interquartile range or with NaN are left out. Nothing is rescaled (nipype's raw DVARS is of data scaled
    to a median of 1000).

    Parameters
    ----------
    rows : (V, T) float32
        As acquired, before any projection.
    report : callable, optional

    Returns
    -------
    Dvars

    Raises
    ------
    CannotCompute
        When no voxel varies.
    """
    n, n_volumes = rows.shape
    squares = np.zeros(max(0, n_volumes - 1))
    expected = 0.0
    used = 0
    block = rows_at_once(rows)
    for start in range(0, n, block):
        part = rows[start : start + block].astype(np.float64)
        part = part[np.isfinite(part).all(axis=1)]
        low, high = np.percentile(part, [25, 75], axis=1, method="lower") if len(part) else np.empty((2, 0))
        sd = (high - low) / IQR_PER_SD
        part, sd = part[sd > 0], sd[sd > 0]
        squares += (np.diff(part, axis=1) ** 2).sum(axis=0)
        centred = part - part.mean(axis=1, keepdims=True)
        ar1 = (centred[:, 1:] * centred[:, :-1]).sum(axis=1) / (centred**2).sum(axis=1)
        expected += float((sd * np.sqrt(2 * (1 - ar1))).sum())
        used += len(part)
        if report:
            report(min(1.0, (start + block) / n))
    if not used:
        raise CannotCompute("no voxel of the run varies", "check the mask and the run")
    raw = np.concatenate([[np.nan], np.sqrt(squares / used)])
    return Dvars(raw, raw / (expected / used))
