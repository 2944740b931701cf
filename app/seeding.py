"""Seed maps from files to files: what the command line and the Python API call."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .answers import Answer, Image
from .compute import answer_to
from .outputs import refuse_place
from .problems import Finding, Problem, silent
from .questions import PreparedRun
from .recipes import FileMap, MaskSeed, Point, PointSeed, Preparation, RegionMask, SeedCorrelation
from .results import Results

Report = Callable[[float], None]

AUTOMATIC = "automatic mask"


@dataclass(frozen=True)
class SeedPlace:
    """Where a seed is: exactly one of coordinates, region or mask."""

    at_mm: Point | None = None
    radius_mm: float = 0.0
    region: str | None = None
    atlas: str | None = None
    mask: str | None = None


@dataclass(frozen=True)
class SeedFiles:
    """Where results of `seed` are written; None for not at all."""

    out: str | None = None
    save_prepared: str | None = None


def seed(
    run: str,
    place: SeedPlace,
    preparation: Preparation | None = None,
    measure: Literal["r", "z"] = "r",
    files: SeedFiles | None = None,
    report: Report = silent,
) -> Answer:
    """Map of the correlation of every voxel with a seed; written with its sidecar when a file is named.

    Raises
    ------
    Problem
        When a file cannot be used, the seed is outside the brain or constant, or no degree of freedom remains.
    """
    preparation, files = preparation or Preparation(), files or SeedFiles()
    check_seed(run, place, preparation)
    inputs = inputs_of(run, place, preparation)
    check_seed_files(files, inputs)
    results = Results(1 << 62)
    recipe = FileMap(run)
    source: Answer = answer_to(recipe, results)
    if source.image is None:
        raise Problem(run, "has values on the cortex alone, and a seed map needs voxels", "name a 4D image")
    kept = source.n_frames - preparation.drop
    if 3 <= kept <= preparation.detrend + 1:
        what = f"polynomials up to order {preparation.detrend} leave no degree of freedom of {kept} volumes"
        raise Problem(run, what, "lower the order of the polynomial")
    chosen, notes, warnings = seed_of(place, source, run)
    found: Answer = answer_to(SeedCorrelation(recipe, chosen, preparation, measure), results, report)
    findings = (*found.findings, *about_brain(run, found.notes), *warnings)
    found = replaced(found, findings=findings, notes=dict(found.notes) | notes | simulated_note(source))
    if files.out is not None:
        _write(files.out, found, source, inputs)
    if files.save_prepared is not None:
        save_prepared_run(files.save_prepared, results.get(PreparedRun(recipe, preparation)), source, inputs)
    return found


def check_seed(run: str, place: SeedPlace, preparation: Preparation) -> None:
    """Refuse a seed or a preparation that says too little, too much or nothing sensible.

    Raises
    ------
    Problem
        With what to give instead.
    """
    check_preparation(preparation)
    _refuse_negative({"radius": place.radius_mm})
    given = [name for name in ("at_mm", "region", "mask") if getattr(place, name) is not None]
    if len(given) != 1:
        what = "no seed is given" if not given else "more than one seed is given"
        raise Problem(run, what, "give one of --at X,Y,Z, --region NAME or --mask FILE")
    if place.at_mm is not None and not all(map(math.isfinite, place.at_mm)):
        raise Problem("at", "the coordinates are not all numbers", "give X,Y,Z in mm")
    if place.radius_mm and place.at_mm is None:
        raise Problem("radius", "a sphere needs a centre", "give --at X,Y,Z, or leave --radius out")
    if place.atlas is not None and place.region is None:
        raise Problem("atlas", "an atlas is named but no region", "give --region NAME, or leave --atlas out")


def check_preparation(preparation: Preparation) -> None:
    """Refuse a preparation that says nothing sensible.

    Raises
    ------
    Problem
        With what to give instead.
    """
    numbers = {
        "drop": preparation.drop,
        "fwhm": preparation.fwhm_mm,
        "detrend": preparation.detrend,
        "censor": preparation.censor_fd_mm,
    }
    _refuse_negative(numbers)
    if preparation.confounds is not None and not preparation.columns and preparation.censor_fd_mm is None:
        todo = "name them with --columns a,b, or give --censor FD"
        raise Problem(preparation.confounds, "none of its columns is asked for", todo)


def _refuse_negative(numbers: Mapping[str, float | None]) -> None:
    for name, value in numbers.items():
        if value is not None and not 0 <= value < math.inf:
            raise Problem(name, f"{value:g} makes no sense", "give 0 or more")


def inputs_of(run: str, place: SeedPlace, preparation: Preparation) -> tuple[Path, ...]:
    """Files that a map is computed from: the run's own, with the sidecar that states its times, and those named.

    Raises
    ------
    Problem
        An image that cannot be one, found out before the run is prepared.
    """
    from .io.files import sibling  # noqa: PLC0415
    from .io.identify import identify, stem  # noqa: PLC0415

    found = identify(run)
    sidecar = sibling(found.path, stem(found.path) + ".json")
    masks = [identify(path).path for path in (preparation.brain, place.mask) if path is not None]
    table = [] if preparation.confounds is None else [Path(preparation.confounds)]
    return tuple(dict.fromkeys([found.path, found.data, *([] if sidecar is None else [sidecar]), *table, *masks]))


def sidecar_of(result: Path) -> Path:
    """Where the record of a written map is."""
    from .io.identify import stem  # noqa: PLC0415

    return result.with_name(stem(result) + ".json")


def check_seed_files(files: SeedFiles, inputs: Sequence[Path]) -> None:
    """Refuse places for the results before any work is done for them; a map's sidecar has its place too.

    Raises
    ------
    Problem
        No NIfTI name, the same for both, an input's, or a place that cannot be written to.
    """
    taken: set[Path] = set()
    for path in (Path(name) for name in (files.out, files.save_prepared) if name is not None):
        if not path.name.lower().endswith((".nii", ".nii.gz")):
            raise Problem(path, "is no name for a map", "let it end in .nii.gz or .nii")
        for target in (path, sidecar_of(path)):
            refuse_place(target, inputs)
        if sidecar_of(path).absolute() in taken:
            raise Problem(path, "would overwrite the map or its sidecar", "give the prepared run another name")
        taken.add(sidecar_of(path).absolute())


def seed_of(
    place: SeedPlace, source: Answer, run: str
) -> tuple[PointSeed | MaskSeed, dict[str, Any], tuple[Finding, ...]]:
    """The seed that was asked for, more for the sidecar, and what to know about it."""
    if place.at_mm is not None:
        return PointSeed(place.at_mm, place.radius_mm), {}, ()
    if place.mask is not None:
        return MaskSeed(FileMap(place.mask)), {"seed_mask": Path(place.mask).name}, ()
    return _region_seed(place, source, run)


def _region_seed(place: SeedPlace, source: Answer, run: str) -> tuple[MaskSeed, dict[str, Any], tuple[Finding, ...]]:
    from . import templates  # noqa: PLC0415
    from .finder import caution, resolve_region  # noqa: PLC0415
    from .io.atlases import describe, load_atlas  # noqa: PLC0415

    name = place.region or ""
    regions = resolve_region(name, place.atlas)
    info = describe(regions[0].atlas)
    fit = templates.compatible(source.space, info.template)
    if not fit.names_regions:
        todo = "give --at X,Y,Z or --mask FILE, or name its space with a space- entity or its sidecar"
        raise Problem(run, fit.message.removesuffix(": no region names are shown"), todo)
    titles = [region.title for region in regions]
    if not load_atlas(info.id).mask(regions, image_of(source).grid).any():
        what = f"none of its voxel centres lies in {' or '.join(titles)} of {info.id}"
        raise Problem(run, what, "give --at X,Y,Z of the voxel that is nearest, or a run that covers the region finely")
    warnings = templates.findings(source.space, [info])
    note = caution(name)
    if note:
        warnings = (*warnings, Finding("region-caution", name, None, note))
    notes = {"seed": ", ".join(titles), "seed_regions": titles, "seed_atlas": info.id, "atlas_template": info.template}
    return MaskSeed(RegionMask(info.id, tuple(region.index for region in regions))), notes, warnings


def about_brain(run: str, notes: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Say that a mask was made by the program; ``notes`` are those of a prepared run."""
    how = str(notes["brain"])
    if not how.startswith(AUTOMATIC):
        return ()
    count = int(notes["brain_voxels"])
    message = f"No brain mask is given and the run is not masked: an automatic mask of {count} voxels is used."
    return (Finding("automatic-mask", run, count, message),)


def _write(out: str, found: Answer, source: Answer, inputs: tuple[Path, ...]) -> None:
    from .io.write import Record, write_map  # noqa: PLC0415

    unit = "Fisher z" if found.statistic == "z" else "Pearson r"
    record = Record(found.notes, inputs, unit, found.findings)
    write_map(out, image_of(found).frame(0), _info(source), record)


def simulated_note(source: Answer) -> dict[str, bool]:
    """What the record of a map from simulated data says."""
    return {"Simulated": True} if source.simulated else {}


def image_of(answer: Answer) -> Image:
    """The volume of an answer."""
    if answer.image is None:
        raise Problem(answer.title, "has no volume", "choose an image")
    return answer.image


def _info(source: Answer) -> Any:
    """Header facts of an image that came from a file."""
    return getattr(image_of(source), "info")  # noqa: B009 - images from files have it, computed ones do not


def save_prepared_run(path: str, prepared: Any, source: Answer, inputs: tuple[Path, ...]) -> None:
    """Write the prepared series as a 4D image: mean 0, nuisance removed, empty outside the mask."""
    from .io.write import Record, write_map  # noqa: PLC0415

    volumes = len(prepared.design.kept)
    series = np.full((int(np.prod(prepared.grid.shape)), volumes), np.nan, np.float32)
    rows = prepared.rows
    scaled = rows.unit * rows.norm[:, None]
    series[prepared.voxels] = scaled if rows.basis is None else scaled @ rows.basis.T.astype(np.float32)
    shaped = series.reshape((*prepared.grid.shape, volumes), order="F")
    notes = dict(prepared.notes) | simulated_note(source)
    write_map(path, shaped, _info(source), Record(notes, inputs, "prepared signal", prepared.findings))
