"""PET from files to files: SUVR and kinetic maps. What the command line and the Python API call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..stats.arrays import flat, unflatten
from ..stats.errors import CannotCompute
from ..stats.kinetics import Frames, frames_from_injection, region_curve
from ..stats.logan import LoganOptions, logan, usable_frames
from ..stats.pet import overlap_s, uptake_ratio, weighted_mean
from ..stats.srtm import BasisRange, srtm
from .answers import Answer, Image
from .outputs import refuse_place
from .pet_reference import Reference, reference_region
from .pet_times import PetTimes, pet_times
from .problems import Finding, Problem, silent

Report = Callable[[float], None]
Model = Literal["logan", "srtm"]

TSTAR_MIN = 30.0
LATE_S = (60.0, 300.0)  # first frame after injection: worth saying; too late for an integral from injection
COVERED = 0.999  # of the window


@dataclass(frozen=True)
class KineticOptions:
    """What a kinetic model leaves to choose; None for its default."""

    model: Model
    tstar_min: float | None = None
    k2ref_per_min: float | None = None
    basis: BasisRange | None = None


class PetResult(NamedTuple):
    """Maps that were made.

    Attributes
    ----------
    maps : mapping of str to (nx, ny, nz) float32
    files : mapping of str to str
        Where they are written; empty when nowhere.
    notes : mapping
        All parameters.
    findings : tuple of Finding
    """

    maps: Mapping[str, NDArray[np.float32]]
    files: Mapping[str, str]
    notes: Mapping[str, Any]
    findings: tuple[Finding, ...]


class _Scan(NamedTuple):
    path: str
    answer: Answer
    image: Image
    info: Any
    times: PetTimes
    reference: Reference
    inputs: tuple[Path, ...]

    def notes(self) -> dict[str, Any]:
        simulated = {"Simulated": True} if self.answer.simulated else {}
        return {"pet": Path(self.path).name, **self.times.notes, **self.reference.notes, **simulated}

    def findings(self) -> tuple[Finding, ...]:
        return (*self.answer.findings, *self.times.findings, *self.reference.findings)


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
    scan = _open(pet, reference, atlas)
    targets = {} if out is None else {"SUVR": out}
    _check_targets(targets, scan.inputs)
    window_s = (60 * window_min[0], 60 * window_min[1])
    try:
        weights = overlap_s(scan.times.start_s, scan.times.duration_s, window_s)
        used = np.flatnonzero(weights)
        frames = (scan.image.frame(int(number)) for number in used)
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
    findings = (*scan.findings(), *_about_window(pet, weights, window_s), *_about_reference(scan, found.n_left_out))
    return _written(scan, {"SUVR": found.ratio}, {"SUVR": "SUVR"}, targets, notes, findings)


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
    units = UNITS[options.model]
    scan = _open(pet, reference, atlas)
    targets = {} if out is None else {name: str(Path(out) / f"{name}.nii.gz") for name in units}
    if out is not None:
        _make_folder(Path(out))
    _check_targets(targets, scan.inputs)
    try:
        frames = frames_from_injection(scan.times.start_s, scan.times.duration_s)
        late = _about_start(pet, float(scan.times.start_s[0]))
        options, chosen = _with_defaults(pet, options, frames)
        voxels, data = _curves(scan, lambda f: report(0.6 * f))
        curve = region_curve(data[:, scan.reference.mask.ravel(order="F")[voxels]])
        fit = _logan if options.model == "logan" else _srtm
        values, notes, about = fit(pet, data, curve, frames, options, lambda f: report(0.6 + 0.4 * f))
    except CannotCompute as refused:
        raise Problem(pet, refused.what, refused.todo) from refused
    shape = scan.image.grid.shape
    maps = {name: unflatten(value, voxels, shape) for name, value in values.items()}
    notes = {
        "model": options.model,
        **notes,
        **scan.notes(),
        "reference_voxels": int(scan.reference.mask.sum()),
        "voxels": len(voxels),
        "frames": len(curve),
        "frame_middles_min": frames.mid_min.tolist(),
        "reference_curve": curve.tolist(),
    }
    findings = (*scan.findings(), *late, *chosen, *about)
    return _written(scan, maps, units, targets, notes, findings)


UNITS: Mapping[Model, Mapping[str, str]] = {
    "logan": {"DVR": "DVR", "BPND": "BP_ND", "intercept": "min", "r2": "R2", "sd": "min"},
    "srtm": {"BPND": "BP_ND", "R1": "R1", "k2": "1/min", "k2a": "1/min", "k2ref": "1/min", "sd": ""},
}


def _logan(
    pet: str, data: NDArray[np.float32], curve: NDArray[np.float64], frames: Frames, options: KineticOptions, report: Report
) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any], tuple[Finding, ...]]:
    tstar = TSTAR_MIN if options.tstar_min is None else options.tstar_min
    found = logan(data, curve, frames, LoganOptions(tstar, options.k2ref_per_min), report)
    notes = {
        "tstar_min": tstar,
        "k2ref_per_min": options.k2ref_per_min,
        "k2ref_term": "left out" if options.k2ref_per_min is None else "given",
        "weights": "equal",
        "frames_in_regression": found.n_frames,
    }
    values = {"DVR": found.dvr, "BPND": found.bp_nd, "intercept": found.intercept_min, "r2": found.r2, "sd": found.sd_min}
    findings: tuple[Finding, ...] = ()
    if options.k2ref_per_min is None:
        message = "k2' of the reference region is not given, and its term is left out: DVR may be too low."
        findings = (Finding("k2ref-omitted", pet, None, message),)
    return values, notes, findings


def _srtm(
    pet: str, data: NDArray[np.float32], curve: NDArray[np.float64], frames: Frames, options: KineticOptions, report: Report
) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any], tuple[Finding, ...]]:
    basis = options.basis or BasisRange()
    found = srtm(data, curve, frames, basis, report)
    notes = {
        "basis_per_min": [basis.low, basis.high, basis.steps],
        "basis": "apparent efflux k2a of decay-corrected curves, logarithmic; Gunn's theta3 less the decay constant",
        "weights": "frame durations",
    }
    values = {
        "BPND": found.bp_nd,
        "R1": found.r1,
        "k2": found.k2_per_min,
        "k2a": found.k2a_per_min,
        "k2ref": found.k2ref_per_min,
        "sd": found.sd,
    }
    share = float(found.at_edge.mean()) if len(found.at_edge) else 0.0
    findings: tuple[Finding, ...] = ()
    if share:
        message = f"In {share:.1%} of the voxels the best rate is the first or last that was tried; a wider range may fit."
        findings = (Finding("basis-edge", pet, share, message),)
    return values, notes, findings
