"""PET from files to files: SUVR and kinetic maps. What the command line and the Python API call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..stats.arrays import unflatten
from ..stats.errors import CannotCompute
from ..stats.kinetics import LEAST_FRAMES, Frames, frames_from_injection, region_curve
from ..stats.logan import LoganOptions, logan
from ..stats.pet import overlap_s, uptake_ratio, weighted_mean
from ..stats.srtm import BasisRange, srtm
from .pet_scan import PetResult, curves, open_scan, refuse_folder, refuse_targets, written
from .problems import Finding, Problem, silent

Report = Callable[[float], None]
Model = Literal["logan", "srtm"]
Maps = dict[str, NDArray[np.float32]]

TSTAR_MIN = 30.0
LATE_S = 60.0  # first frame after injection: worth saying
TOO_LATE_S = 300.0  # for integrals from injection
COVERED = 0.999  # of the window
UNITS: Mapping[Model, Mapping[str, str]] = {
    "logan": {"DVR": "DVR", "BPND": "BP_ND", "intercept": "min", "r2": "R2", "sd": "min"},
    "srtm": {"BPND": "BP_ND", "R1": "R1", "k2": "1/min", "k2a": "1/min", "k2ref": "1/min", "sd": "as the image"},
}


@dataclass(frozen=True)
class KineticOptions:
    """What a kinetic model leaves to choose; None for its default.

    Attributes
    ----------
    model : "logan" or "srtm"
    tstar_min, k2ref_per_min : float or None
        Of Logan's analysis.
    basis : BasisRange or None
        Of SRTM.
    """

    model: Model
    tstar_min: float | None = None
    k2ref_per_min: float | None = None
    basis: BasisRange | None = None


class _Dynamic(NamedTuple):
    """Voxels' curves (n, V), the reference's (n,), and when the frames were taken."""

    path: str
    data: NDArray[np.float32]
    reference: NDArray[np.float64]
    frames: Frames


class _Fitted(NamedTuple):
    values: Maps
    notes: dict[str, Any]
    findings: tuple[Finding, ...]


def suvr(
    pet: str,
    reference: str,
    window_min: tuple[float, float],
    out: str | None = None,
    atlas: str | None = None,
    report: Report = silent,
) -> PetResult:
    """Mean over a window of frames, each weighted by its time within it, divided by that of a reference region.

    Parameters
    ----------
    pet : str
        Dynamic or static PET with frame times.
    reference : str
        As for `reference_region`.
    window_min : (float, float)
        Start and end, in minutes from injection.
    out : str, optional
        Map to write, with its sidecar.
    atlas : str, optional
        Of the reference region.
    report : callable, optional

    Raises
    ------
    Problem
        When a file, the window or the reference cannot be used.
    """
    window_s = (60 * window_min[0], 60 * window_min[1])
    scan = open_scan(pet, reference, atlas)
    files = {} if out is None else {"SUVR": out}
    refuse_targets(files, scan.inputs)
    try:
        weights = overlap_s(scan.times.start_s, scan.times.duration_s, window_s)
        used = np.flatnonzero(weights)
        frames = (scan.image.frame(number) for number in used.tolist())
        found = uptake_ratio(weighted_mean(frames, weights[used], report), scan.reference.mask)
    except CannotCompute as refused:
        raise Problem(pet, refused.what, refused.todo) from refused
    notes = {
        "measure": "SUVR",
        "window_min": list(window_min),
        "weights": "seconds of each frame within the window",
        "frames": (used + 1).tolist(),
        "frame_seconds": weights[used].tolist(),
        **scan.notes(),
        "reference_voxels": found.n_reference,
        "reference_mean": found.reference_mean,
    }
    findings = (*scan.findings(), *_about_window(pet, weights.sum(), window_s), *_left_out(pet, found.n_left_out))
    return written(scan, PetResult({"SUVR": found.ratio}, files, notes, findings), {"SUVR": "SUVR"})


def kinetics(
    pet: str,
    reference: str,
    options: KineticOptions,
    out: str | None = None,
    atlas: str | None = None,
    report: Report = silent,
) -> PetResult:
    """Parametric maps of a dynamic scan by a reference-tissue model.

    Parameters
    ----------
    pet, reference, atlas, report
        As for `suvr`.
    options : KineticOptions
    out : str, optional
        Folder for the maps; made when it is not there.

    Raises
    ------
    Problem
        When a file, the reference or an option cannot be used.
    """
    scan = open_scan(pet, reference, atlas)
    units = UNITS[options.model]
    files = {} if out is None else {name: str(Path(out) / f"{name}.nii.gz") for name in units}
    fit = _logan if options.model == "logan" else _srtm
    try:
        frames = frames_from_injection(scan.times.start_s, scan.times.duration_s)
        late = _about_start(pet, float(scan.times.start_s[0]))
        if out is not None:
            refuse_folder(Path(out), files, scan.inputs)
        voxels, data = curves(scan, lambda f: report(0.5 * f))
        inside = scan.reference.mask.ravel(order="F")[voxels]
        curve = region_curve(data[:, inside])
        found = fit(_Dynamic(pet, data, curve, frames), options, lambda f: report(0.5 + 0.5 * f))
    except CannotCompute as refused:
        raise Problem(pet, refused.what, refused.todo) from refused
    maps = {name: unflatten(value, voxels, scan.image.grid.shape) for name, value in found.values.items()}
    notes = {
        "model": options.model,
        **found.notes,
        **scan.notes(),
        "reference_voxels": int(inside.sum()),
        "voxels": len(voxels),
        "frame_middles_min": frames.mid_min.tolist(),
        "reference_curve": curve.tolist(),
    }
    n_left_out = int(scan.reference.mask.sum() - inside.sum())
    findings = (*scan.findings(), *late, *_left_out(pet, n_left_out), *found.findings)
    return written(scan, PetResult(maps, files, notes, findings), units)


def _logan(dynamic: _Dynamic, options: KineticOptions, report: Report) -> _Fitted:
    tstar, findings = _tstar(dynamic, options.tstar_min)
    rate = options.k2ref_per_min
    found = logan(dynamic.data, dynamic.reference, dynamic.frames, LoganOptions(tstar, rate), report)
    notes = {
        "tstar_min": tstar,
        "k2ref_per_min": rate,
        "k2ref_term": "left out" if rate is None else "given",
        "weights": "equal",
        "frames_in_regression": found.n_frames,
    }
    if rate is None:
        message = "k2' of the reference region is not given and its term is left out, which lowers DVR of early t*."
        findings = (*findings, Finding("k2ref-omitted", dynamic.path, None, message))
    values = {"DVR": found.dvr, "BPND": found.bp_nd, "intercept": found.intercept_min}
    return _Fitted(values | {"r2": found.r2, "sd": found.sd_min}, notes, findings)


def _tstar(dynamic: _Dynamic, given: float | None) -> tuple[float, tuple[Finding, ...]]:
    if given is not None:
        return given, ()
    if (dynamic.frames.mid_min >= TSTAR_MIN).sum() < LEAST_FRAMES:
        what = f"has fewer than {LEAST_FRAMES} frames after {TSTAR_MIN:g} min, the default t*"
        raise Problem(dynamic.path, what, "give --tstar MIN")
    message = f"t* is not given: {TSTAR_MIN:g} min is used, a default that knows nothing of the tracer."
    return TSTAR_MIN, (Finding("tstar-default", dynamic.path, TSTAR_MIN, message),)


def _srtm(dynamic: _Dynamic, options: KineticOptions, report: Report) -> _Fitted:
    basis = options.basis or BasisRange()
    found = srtm(dynamic.data, dynamic.reference, dynamic.frames, basis, report)
    notes = {
        "basis_per_min": [basis.low, basis.high, basis.steps],
        "basis": "k2a of decay-corrected curves, on a logarithmic scale; theta3 of curves that decay is k2a + lambda",
        "weights": "frame durations",
    }
    share = float(found.at_edge.mean())
    findings: tuple[Finding, ...] = ()
    if share:
        message = f"In {share:.1%} of the voxels the best rate is the first or last one tried; a wider range may fit."
        findings = (Finding("basis-edge", dynamic.path, share, message),)
    values = {"BPND": found.bp_nd, "R1": found.r1, "k2": found.k2_per_min, "k2a": found.k2a_per_min}
    return _Fitted(values | {"k2ref": found.k2ref_per_min, "sd": found.sd}, notes, findings)


def _about_start(pet: str, start_s: float) -> tuple[Finding, ...]:
    """Integrals count from injection: what the scan missed is taken as a straight rise from 0."""
    if start_s > TOO_LATE_S:
        what = f"starts {start_s / 60:.3g} min after injection, and the model needs the curve from injection"
        raise Problem(pet, what, "use suvr, or a scan that starts with the injection")
    if start_s <= LATE_S:
        return ()
    message = f"The first frame starts {start_s:.0f} s after injection; until then a straight rise from 0 is assumed."
    return (Finding("late-start", pet, start_s, message),)


def _about_window(pet: str, covered_s: float, window_s: tuple[float, float]) -> tuple[Finding, ...]:
    share = float(covered_s / (window_s[1] - window_s[0]))
    if share >= COVERED:
        return ()
    message = f"Frames cover {share:.0%} of the window."
    return (Finding("window-partly-covered", pet, share, message),)


def _left_out(pet: str, voxels: int) -> tuple[Finding, ...]:
    if not voxels:
        return ()
    message = f"{voxels} voxels of the reference region have no values and are left out."
    return (Finding("reference-left-out", pet, voxels, message),)
