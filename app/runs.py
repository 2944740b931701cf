"""A run made ready for correlation: dropped, smoothed, masked, projected, as unit rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..stats.confounds import Design, Nuisance, design
from ..stats.errors import CannotCompute
from ..stats.fmriprep import MOTION, STRATEGIES, confounds_of
from ..stats.prepare import series_rows
from ..stats.quality import MotionConvention, framewise_displacement
from ..stats.rows import UnitRows, compact_rows
from ..stats.smooth import smooth
from .answers import Answer, Image
from .grid import Grid
from .io.tables import ConfoundTable, read_confounds
from .problems import Finding, Problem
from .recipes import Preparation

Report = Callable[[float], None]

# Below this share of voxels that ever change, somebody has masked the run already.
MASKED_SHARE = 0.7


class Brain(NamedTuple):
    """The voxels that count, and how they were chosen."""

    voxels: NDArray[np.int64]
    how: str


@dataclass(frozen=True, eq=False)
class Prepared:
    """A run's series as unit rows, and what was done to get them.

    Attributes
    ----------
    grid : Grid
    voxels : (V,) int64
        Flat voxel numbers of the rows, x fastest.
    rows : UnitRows
    design : Design
        What was projected out.
    notes : mapping
        Parameters and counts, for the sidecar of a map.
    findings : tuple of Finding
    """

    title: str
    grid: Grid
    voxels: NDArray[np.int64]
    rows: UnitRows
    design: Design
    notes: Mapping[str, Any]
    findings: tuple[Finding, ...]
    space: str | None
    simulated: bool

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self.rows.unit.nbytes + self.voxels.nbytes + self.row_of.nbytes

    @cached_property
    def row_of(self) -> NDArray[np.int32]:
        """Row of each flat voxel number, -1 outside the mask."""
        rows = np.full(int(np.prod(self.grid.shape)), -1, np.int32)
        rows[self.voxels] = np.arange(len(self.voxels), dtype=np.int32)
        return rows


def prepare_run(path: str, answer: Answer, preparation: Preparation, report: Report) -> Prepared:
    """Do to a run what a preparation says.

    Order: drop volumes, smooth, then one projection of polynomials, confounds, out-of-band Fourier
    pairs and censored volumes together. Smoothing comes before masking.

    Raises
    ------
    Problem
        Not a run, no repetition time for a band, confounds that do not fit, no degree of freedom left.
    """
    image = answer.image
    if image is None or image.kind == "rgb" or image.n_frames - preparation.drop < 3:
        frames = answer.n_frames
        what = f"has {frames} volume{'s' * (frames != 1)}, {preparation.drop} of them dropped"
        raise Problem(path, what + ": too few for a correlation", "name a 4D run of at least a few dozen volumes")
    nuisance, findings = nuisance_of(path, answer, preparation)
    load = getattr(image, "load", None)
    if load is not None:
        load()
    try:
        what_to_remove = design(nuisance)
        brain = brain_of(path, image, preparation, lambda f: report(0.25 * f))
        rows, empty = _rows(image, preparation, brain.voxels, lambda f: report(0.25 + 0.5 * f))
        unit = compact_rows(rows, what_to_remove, lambda f: report(0.75 + 0.2 * f))
    except CannotCompute as refused:
        raise Problem(path, refused.what, refused.todo) from refused
    del rows
    if not unit.valid.any():
        raise Problem(path, "no voxel of the brain mask has a series that varies", "check the mask and the run")
    report(1.0)
    if empty:
        message = f"{empty} empty values (NaN or infinite) counted as 0 in smoothing."
        findings = (*findings, Finding("empty-smoothed", path, empty, message))
    notes = _notes(path, preparation, brain, what_to_remove, image.n_frames)
    return Prepared(
        answer.title,
        image.grid,
        brain.voxels,
        unit,
        what_to_remove,
        notes,
        (*findings, *_design_findings(path, what_to_remove)),
        answer.space,
        answer.simulated,
    )


def nuisance_of(path: str, answer: Answer, preparation: Preparation) -> tuple[Nuisance, tuple[Finding, ...]]:
    """What to project out, with the confounds read and cut to the run."""
    frames = answer.n_frames
    table = None if preparation.confounds is None else read_confounds(preparation.confounds)
    if table is not None and len(table.values) != frames:
        what = f"has {len(table.values)} rows for the run's {frames} volumes"
        raise Problem(table.path, what, "give the confounds of this run, one row per volume")
    tr_s = repetition_time_s(answer)
    if preparation.band_hz is not None and tr_s is None:
        raise Problem(path, "has no known repetition time, which a band needs", "add RepetitionTime to its sidecar")
    censored = _censored(path, table, preparation)
    values = _columns(table, preparation.columns)
    nuisance = Nuisance(
        frames - preparation.drop,
        preparation.detrend,
        preparation.band_hz,
        tr_s,
        None if values is None else values[preparation.drop :],
        preparation.columns,
        None if censored is None else censored[preparation.drop :],
    )
    findings = tuple(finding for finding in answer.findings if finding.code.startswith("tr-"))
    return nuisance, findings if preparation.band_hz is not None else ()


def repetition_time_s(answer: Answer) -> float | None:
    """The step of a run with even frames, None when unknown or uneven (PET)."""
    if answer.times is None or len(answer.times.start_s) < 2:
        return None
    steps = np.diff(answer.times.start_s)
    return float(steps[0]) if np.allclose(steps, steps[0], rtol=1e-3) else None


def columns_named(confounds: str | None, text: str | None) -> tuple[str, ...]:
    """Columns of a confounds table from ``a,b``; an entry may also be fMRIPrep strategies such as ``motion24+wm-csf``.

    Raises
    ------
    Problem
        Columns without a table, or a name that is neither a column nor a strategy.
    """
    if not text:
        return ()
    if confounds is None:
        raise Problem("--columns", "columns are named but no table", "add --confounds TSV")
    table = read_confounds(confounds)
    chosen: list[str] = []
    for name in text.split(","):
        if name in table.names:
            chosen.append(name)
        elif all(part in STRATEGIES for part in name.split("+")):
            try:
                chosen += confounds_of(name, table.names)
            except CannotCompute as refused:
                raise Problem(table.path, refused.what, refused.todo) from refused
        else:
            raise Problem(table.path, f"has no column {name}", f"choose from {_some(table.names)}")
    return tuple(dict.fromkeys(chosen))


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")


def _columns(table: ConfoundTable | None, names: tuple[str, ...]) -> NDArray[np.float64] | None:
    if not names:
        return None
    if table is None:
        raise Problem("confounds", f"columns are named ({', '.join(names)}) but no table", "give the table too")
    missing = [name for name in names if name not in table.names]
    if missing:
        raise Problem(table.path, f"has no column {', '.join(missing)}", f"choose from {_some(table.names)}")
    return np.column_stack([table.values[:, table.names.index(name)] for name in names])


def _censored(path: str, table: ConfoundTable | None, preparation: Preparation) -> NDArray[np.bool_] | None:
    if preparation.censor_fd_mm is None:
        return None
    if table is None:
        raise Problem(path, "censoring needs its motion, and no confounds are given", "give its confounds table")
    displacement = motion_of(table)
    if displacement is None:
        what = "has neither framewise_displacement nor the six motion parameters"
        raise Problem(table.path, what, "give a table with motion, or do not censor")
    return np.nan_to_num(displacement, nan=0.0) > preparation.censor_fd_mm


# Motion files without a header row: who writes which ending.
_MOTION_FILES: dict[str, MotionConvention] = {".par": "fsl", ".txt": "spm", ".1d": "afni"}


def motion_of(table: ConfoundTable) -> NDArray[np.float64] | None:
    """Framewise displacement in mm per volume: as the table has it, else from its motion parameters."""
    stated = table.column("framewise_displacement")
    if stated is not None:
        return stated
    named = [table.column(name) for name in MOTION]
    columns = [column for column in named if column is not None]
    if len(columns) == len(MOTION):
        return framewise_displacement(np.column_stack(columns), "fmriprep")
    convention = _MOTION_FILES.get(table.path.suffix.lower())
    if convention is not None and table.values.shape[1] == len(MOTION):
        return framewise_displacement(table.values, convention)
    return None


def brain_of(path: str, image: Image, preparation: Preparation, report: Report) -> Brain:
    """Voxels of the mask: the given one, else those whose series varies, within an automatic mask if unmasked."""
    varies, mean = _moments(image, preparation.drop, report)
    if preparation.brain is not None:
        inside = mask_on_grid(preparation.brain, image.grid)
        return _brain(path, varies & inside, f"mask {Path(preparation.brain).name}")
    if not varies.any():
        what = "no voxel has a series that varies and has a number in every volume"
        raise Problem(path, what, "look for constant or empty (NaN) volumes, and drop those at the start")
    if varies.mean() < MASKED_SHARE:
        return _brain(path, varies, "voxels whose series varies")
    return _brain(path, varies & automatic_mask(mean, image.grid), "automatic mask, voxels whose series varies")


def _brain(path: str, inside: NDArray[np.bool_], how: str) -> Brain:
    voxels = np.flatnonzero(inside.ravel(order="F"))
    if voxels.size == 0:
        raise Problem(path, f"no voxel is left in the brain mask ({how})", "give a mask that overlaps the run")
    return Brain(voxels, how)


def mask_on_grid(path: str, grid: Grid) -> NDArray[np.bool_]:
    """A mask file on a grid, by nearest neighbour: everything above zero."""
    from ..stats.resample import resample  # noqa: PLC0415 - compiled
    from .io.volumes import open_volume  # noqa: PLC0415 - a mask file is the exception

    mask = open_volume(path)
    try:
        values = mask.frame(0)
        if mask.grid != grid:
            values = resample(values, mask.grid.inverse @ grid.affine, grid.shape, "nearest")
    finally:
        mask.close()
    return np.nan_to_num(values) > 0


def automatic_mask(mean: NDArray[np.float32], grid: Grid) -> NDArray[np.bool_]:
    """Brain mask of a run's mean volume, by nilearn's `compute_epi_mask`.

    Raises
    ------
    Problem
        The volume is too small for it.
    """
    from nilearn.masking import compute_epi_mask  # noqa: PLC0415

    from .io.nib import Nifti1Image  # noqa: PLC0415 - slow to import, seldom needed

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a mask is automatic is said by whoever uses it
        try:
            mask = compute_epi_mask(Nifti1Image(np.nan_to_num(mean), grid.affine), opening=1)
        except ValueError as error:  # too few voxels for its histogram
            raise Problem("automatic mask", "cannot be made of so small an image", "give a brain mask") from error
    return np.asarray(mask.dataobj) > 0


def _frames(image: Image, drop: int) -> Iterator[NDArray[np.float32]]:
    return (image.frame(number) for number in range(drop, image.n_frames))


def _moments(image: Image, drop: int, report: Report) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Which voxels vary over the kept volumes (always finite), and the mean volume."""
    first = image.frame(drop)
    varies = np.zeros(first.shape, bool, order="F")
    finite = np.isfinite(first)
    total = np.zeros(first.shape, np.float64, order="F")
    count = image.n_frames - drop
    for number, frame in enumerate(_frames(image, drop)):
        varies |= frame != first
        finite &= np.isfinite(frame)
        total += frame
        report(number / count)
    return varies & finite, (total / count).astype(np.float32)


def _rows(
    image: Image, preparation: Preparation, voxels: NDArray[np.int64], report: Report
) -> tuple[NDArray[np.float32], int]:
    """Series of the voxels, (V, T) float32, smoothed, and how many empty values smoothing met.

    Smoothed series are differences from the first volume: of a large mean, float32 would leave too few digits for
    what varies, and the projection takes the mean away anyway.
    """
    empty = 0
    first = _filled(image.frame(preparation.drop)) if preparation.fwhm_mm > 0 else None

    def frames() -> Iterator[NDArray[np.float32]]:
        nonlocal empty
        for frame in _frames(image, preparation.drop):
            if first is None:
                yield frame
            else:
                empty += int(frame.size - np.count_nonzero(np.isfinite(frame)))
                yield smooth(_filled(frame) - first, preparation.fwhm_mm, image.grid.zooms_mm).volume

    return series_rows(frames(), image.n_frames - preparation.drop, voxels, report), empty


def _filled(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """Empty voxels as 0, which is how smoothing counts them."""
    return np.nan_to_num(frame, nan=0.0, posinf=0.0, neginf=0.0)


def _notes(path: str, preparation: Preparation, brain: Brain, removed: Design, frames: int) -> dict[str, Any]:
    return {
        "run": Path(path).name,
        "volumes": frames,
        "dropped_volumes": preparation.drop,
        "smoothing_fwhm_mm": preparation.fwhm_mm,
        "smoothing": "Gaussian, before masking" if preparation.fwhm_mm else "none",
        "projection": "polynomials, confounds, out-of-band Fourier pairs and censored volumes together",
        "polynomial_order": preparation.detrend,
        "band_hz": preparation.band_hz,
        "confounds": None if preparation.confounds is None else Path(preparation.confounds).name,
        "confound_columns": list(preparation.columns),
        "collinear_columns": list(removed.collinear),
        "censor_fd_mm": preparation.censor_fd_mm,
        "censored_volumes": int((~removed.kept).sum()),
        "lost_degrees_of_freedom": removed.rank,
        "residual_degrees_of_freedom": removed.residual_df,
        "brain": brain.how,
        "brain_voxels": len(brain.voxels),
    }


def _design_findings(path: str, removed: Design) -> tuple[Finding, ...]:
    findings: list[Finding] = []
    if removed.collinear:
        names = ", ".join(removed.collinear)
        message = f"Confounds that repeat others and so remove nothing more: {names}."
        findings.append(Finding("confounds-collinear", path, len(removed.collinear), message))
    if removed.filled:
        names = ", ".join(removed.filled)
        message = f"The first volume's empty value was filled with the second's in: {names}."
        findings.append(Finding("confounds-filled", path, len(removed.filled), message))
    if removed.residual_df < 20:
        message = f"Only {removed.residual_df} degrees of freedom remain: correlations are very uncertain."
        findings.append(Finding("few-degrees-of-freedom", path, removed.residual_df, message))
    return tuple(findings)
