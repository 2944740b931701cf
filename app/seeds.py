"""Seed correlation: which voxels are the seed, the map, its uncertainty."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..stats.arrays import unflatten
from ..stats.correlate import fisher_z, seed_map, seed_series
from ..stats.effective import METHOD, effective_df, two_sided_p
from ..stats.errors import CannotCompute
from .answers import Answer, ArrayImage
from .grid import Grid
from .problems import Finding, Problem
from .recipes import FileMap, MaskSeed, Point, PointSeed, SeedCorrelation
from .runs import Prepared


def seed_rows(question: SeedCorrelation, run: Prepared, mask: NDArray[np.bool_] | None) -> NDArray[np.int64]:
    """Rows of the seed's voxels.

    Parameters
    ----------
    question : SeedCorrelation
        With a point or a mask as seed.
    run : Prepared
    mask : (nx, ny, nz) bool or None
        The mask seed on the run's grid.

    Raises
    ------
    Problem
        When no voxel of the seed is in the brain mask.
    """
    where = Path(question.run.path).name
    if isinstance(question.seed, PointSeed):
        voxels = point_voxels(run.grid, question.seed)
        place = f"the seed at {in_words(question.seed.at_mm)} mm"
    elif mask is not None:
        voxels = np.flatnonzero(mask.ravel(order="F"))
        place = "the seed region"
    else:
        raise Problem(where, "the seed has no place", "give coordinates, a region or a mask")
    rows = run.row_of[voxels]
    rows = rows[rows >= 0].astype(np.int64)
    if rows.size == 0:
        raise Problem(where, f"{place} is outside its brain mask", "move the seed into the brain")
    return rows


def point_voxels(grid: Grid, seed: PointSeed) -> NDArray[np.int64]:
    """Flat numbers of the nearest voxel, or of those whose centre lies within the radius."""
    if seed.radius_mm <= 0:
        voxel = grid.voxel_at(seed.at_mm)
        return (
            np.zeros(0, np.int64) if voxel is None else np.array([np.ravel_multi_index(voxel, grid.shape, order="F")])
        )
    reach = seed.radius_mm / np.array(grid.zooms_mm) * np.sqrt(3)
    centre = grid.ijk_of(seed.at_mm)
    first = np.maximum(np.floor(centre - reach).astype(int), 0)
    last = np.minimum(np.ceil(centre + reach).astype(int) + 1, grid.shape)
    if (first >= last).any():
        return np.zeros(0, np.int64)
    box = np.stack(np.meshgrid(*map(np.arange, first, last), indexing="ij"), axis=-1).reshape(-1, 3)
    distance = np.linalg.norm(grid.mm_of(box) - np.array(seed.at_mm), axis=1)
    inside = box[distance <= seed.radius_mm + 1e-6]
    return np.asarray(np.ravel_multi_index(tuple(inside.T), grid.shape, order="F"), np.int64)


def seed_answer(question: SeedCorrelation, run: Prepared, mask: NDArray[np.bool_] | None) -> Answer:
    """Map of correlations with the seed. Outside the brain mask, and where series are constant: NaN."""
    rows = seed_rows(question, run, mask)
    try:
        r = seed_map(run.rows, seed_series(run.rows, rows))
    except CannotCompute as refused:
        raise Problem(Path(question.run.path).name, refused.what, refused.todo) from refused
    values = fisher_z(r) if question.measure == "z" else r
    return Answer(
        title=f"seed {seed_name(question)}",
        image=ArrayImage(run.grid, unflatten(values, run.voxels, run.grid.shape)),
        statistic=question.measure,
        space=run.space,
        findings=run.findings,
        notes=dict(run.notes) | seed_notes(question, rows.size),
        simulated=run.simulated,
    )


P_MAP = "-log10 p"


def significance_answer(question: SeedCorrelation, run: Prepared, mask: NDArray[np.bool_] | None) -> Answer:
    """Two-sided p of each correlation as -log10 p, with the effective degrees of freedom of each voxel pair."""
    rows = seed_rows(question, run, mask)
    seed = seed_series(run.rows, rows)
    r = seed_map(run.rows, seed)
    df = effective_df(run.rows, seed, run.design)
    p = two_sided_p(r, df)
    with np.errstate(divide="ignore"):
        logs = np.minimum(-np.log10(p), 300.0)  # p is never 0: below 1e-300 is where double precision ends
    median = float(np.nanmedian(df))
    finding = Finding("effective-df", question.run.path, median, f"{METHOD}; median {median:.0f} degrees of freedom.")
    return Answer(
        title=f"{P_MAP}, seed {seed_name(question)}",
        image=ArrayImage(run.grid, unflatten(logs.astype(np.float32), run.voxels, run.grid.shape)),
        statistic=P_MAP,
        space=run.space,
        findings=(*run.findings, finding),
        notes=dict(run.notes) | seed_notes(question, rows.size) | {"test": METHOD, "median_effective_df": median},
        simulated=run.simulated,
    )


def seed_notes(question: SeedCorrelation, voxels: int) -> dict[str, object]:
    """The seed, for the sidecar."""
    notes: dict[str, object] = {
        "measure": "Fisher z, limited to ±4" if question.measure == "z" else "Pearson r",
        "seed_voxels": voxels,
    }
    if isinstance(question.seed, PointSeed):
        notes |= {"seed_mm": list(question.seed.at_mm), "seed_radius_mm": question.seed.radius_mm}
    if isinstance(question.seed, MaskSeed):
        notes["seed"] = seed_name(question)
    return notes


def seed_name(question: SeedCorrelation) -> str:
    """Short name of the seed."""
    seed = question.seed
    if isinstance(seed, PointSeed):
        ball = f" r {seed.radius_mm:g} mm" if seed.radius_mm else ""
        return f"({in_words(seed.at_mm)}){ball}"
    if isinstance(seed, MaskSeed):
        return Path(seed.mask.path).name if isinstance(seed.mask, FileMap) else "region"
    return "crosshair"


def in_words(at_mm: Point) -> str:
    """Coordinates such as ``−44, −62, 34``."""
    return ", ".join(f"{value:.4g}" for value in at_mm).replace("-", "\u2212")
