"""Habena: brain-map viewer for PET and fMRI. Everything the window does, as Python calls.

>>> import habena
>>> habena.info("bold.nii.gz")[0].tr_s
1.5
>>> found = habena.seed("bold.nii.gz", at=(0, -52, 26), fwhm=6, detrend=2, band=(0.01, 0.1))
>>> found.values.shape, found.notes["residual_degrees_of_freedom"]
((61, 73, 61), 70)
>>> findings = habena.render("t1.nii.gz", "figure.png", overlays=["zmap.nii.gz,threshold=3.1"], at=(-44, -62, 34))
>>> [region.centre_mm for region in habena.regions("cit168") if region.name == "Habenula" and region.side == "R"]
[(3.58, -23.14, 2.68)]

Every function raises `Problem` with one sentence that says where it is, what is wrong and what to do.
Coordinates are millimetres in the file's world; the nearest voxel centre is taken.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from . import render as _layer  # imported later, the folder of this name would take the function's place
from ._arguments import Path_, Point, name_of, preparation_of
from ._graphs import VoxelGraphMap, clustering, degree, graph
from ._models import group_seed, model
from ._pet import kinetics, suvr
from ._studies import ask, evidence_cards, make_demo, plan, read_study
from .app.problems import Finding, Problem

del _layer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .app.atlas_listing import ListedRegion
    from .app.doctor import Examination
    from .app.io.info import FileInfo
    from .app.region_tables import RegionTable

__all__ = [
    "Finding",
    "Problem",
    "SeedMap",
    "VoxelGraphMap",
    "ask",
    "clustering",
    "degree",
    "demo",
    "doctor",
    "evidence_cards",
    "graph",
    "group_seed",
    "info",
    "kinetics",
    "make_demo",
    "model",
    "plan",
    "read_study",
    "region_statistics",
    "regions",
    "render",
    "seed",
    "show",
    "suvr",
]


@dataclass(frozen=True, eq=False)
class SeedMap:
    """A seed correlation map.

    Attributes
    ----------
    values : (nx, ny, nz) float32
        NaN outside the brain mask and where series are constant.
    affine : (4, 4) float64
        Voxel indices to world mm.
    notes : dict
        Everything that was done: parameters, counts, degrees of freedom.
    findings : tuple of Finding
        What to know about the input.
    """

    values: NDArray[np.float32]
    affine: NDArray[np.float64]
    notes: dict[str, Any]
    findings: tuple[Finding, ...]


def info(*paths: Path_) -> list[FileInfo]:
    """Format, size, orientation, space and timing of files, and everything odd about them.

    Parameters
    ----------
    *paths : path
        Images, surfaces, surface data or CIFTI files.

    Returns
    -------
    list of FileInfo
        The fields of ``habena info --json``.
    """
    from .app.io.info import file_info  # noqa: PLC0415 - importing habena stays quick

    return [file_info(os.fspath(path)) for path in paths]


def doctor() -> Examination:
    """Versions, OpenGL back end, fonts, memory and threads, and what is missing with the command that installs it."""
    from .app.doctor import examine  # noqa: PLC0415

    return examine()


def render(  # noqa: PLR0913 - the options of the command
    underlay: Path_ | None,
    out: Path_,
    *,
    overlays: Sequence[Path_] = (),
    layout: Literal["ortho", "axial", "coronal", "sagittal", "lightbox", "surface"] | None = None,
    at: Point | None = None,
    size: tuple[int, int] = (1200, 900),
    dpi: float = 100.0,
    radiological: bool = False,
    with_view: bool = False,
) -> tuple[Finding, ...]:
    """Draw images into a picture, as the window shows them.

    Parameters
    ----------
    underlay : path or None
        An image, a surface, a saved view, or a picture that carries one; None for the MNI152 T1.
    out : path
        .png, .tif, .svg, .pdf or .html.
    overlays : sequence of str
        ``FILE[,cmap=NAME][,range=LO:HI][,threshold=T][,opacity=O][,fade]``.
    layout : str or None
        None: that of the saved view, else ortho, or surface where the underlay has no volume.
    at : (float, float, float) or None
        Where the slices cut, mm; None: at the peak of the first overlay.
    size : (int, int)
        Pixels.
    dpi : float
        Resolution written into the file.
    radiological : bool
        The person's right on the left. Default is neurological: left is left.
    with_view : bool
        Write the view into the picture, file names included, so that Habena can open it again.

    Returns
    -------
    tuple of Finding
        What to know about the files.
    """
    from .app import headless  # noqa: PLC0415
    from .app.overlay_options import parse_overlay  # noqa: PLC0415

    options = headless.RenderOptions(layout, at, size, dpi, radiological)
    parsed = [parse_overlay(os.fspath(overlay)) for overlay in overlays]
    name = None if underlay is None else os.fspath(underlay)
    return headless.render(name, os.fspath(out), parsed, options, with_view=with_view)


def seed(  # noqa: PLR0913 - the options of the command
    run: Path_,
    *,
    at: Point | None = None,
    radius: float = 0.0,
    region: str | None = None,
    atlas: str | None = None,
    mask: Path_ | None = None,
    drop: int = 0,
    fwhm: float = 0.0,
    detrend: int = 0,
    band: tuple[float, float] | None = None,
    confounds: Path_ | None = None,
    columns: str | Sequence[str] = (),
    censor: float | None = None,
    brain: Path_ | None = None,
    fisher: bool = False,
    out: Path_ | None = None,
    save_prepared: Path_ | None = None,
) -> SeedMap:
    """Correlate a seed's series with every voxel's.

    Order: drop volumes, smooth, then one projection of polynomials 0 to ``detrend``, confounds, out-of-band Fourier
    pairs and censored volumes together. A sphere or region is averaged first, then correlated.

    Parameters
    ----------
    run : path
        4D image.
    at, radius
        Seed place in mm; nearest voxel, or all voxels whose centre lies within the radius.
    region, atlas
        Seed region by a name that `regions` lists.
    mask : path
        Seed mask.
    drop : int
        Leading volumes left out.
    fwhm : float
        Gaussian smoothing, mm.
    detrend : int
        Highest polynomial order removed.
    band : (float, float)
        Pass band in Hz, edges included.
    confounds, columns
        Table, and its columns (or fMRIPrep strategies such as ``motion24``) to remove.
    censor : float
        Volumes with more framewise displacement (mm) are censored.
    brain : path
        Brain mask; default: voxels whose series varies and, for unmasked runs, an automatic mask.
    fisher : bool
        Fisher z instead of Pearson r.
    out, save_prepared : path
        Where to write the map and the prepared run, each with a JSON sidecar.
    """
    from .app import seeding  # noqa: PLC0415

    preparation = preparation_of(drop, fwhm, detrend, band, confounds, columns, censor, brain)
    place = seeding.SeedPlace(at, radius, region, atlas, name_of(mask))
    files = seeding.SeedFiles(name_of(out), name_of(save_prepared))
    found = seeding.seed(os.fspath(run), place, preparation, "z" if fisher else "r", files)
    image = seeding.image_of(found)
    return SeedMap(image.frame(0), image.grid.affine, dict(found.notes), found.findings)


def regions(atlas: str | None = None) -> tuple[ListedRegion, ...]:
    """Regions of one atlas or of all, with centre (mm), volume (mm3), template and licence."""
    from .app.atlas_listing import regions_listing  # noqa: PLC0415

    return regions_listing(atlas)


def region_statistics(*maps: Path_, atlas: str = "aal2") -> RegionTable:
    """What maps are within each region of an atlas, on each map's own grid.

    Parameters
    ----------
    *maps : path
        Images whose space is known: by a ``space-`` entity, their sidecar or sform code 4.
    atlas : str
        As listed by `regions`.

    Returns
    -------
    RegionTable
        ``columns`` and ``rows``, the maps in the order given; ``findings``; ``write(path)`` writes a TSV.
    """
    from .app.problems import silent  # noqa: PLC0415
    from .app.region_tables import statistics  # noqa: PLC0415

    return statistics([os.fspath(path) for path in maps], atlas, silent)


def demo(out: Path_, *, seed: int = 2026, effect: float = 1.0, size: Literal["small", "full"] = "small") -> Path:
    """Write the three simulated studies and a picture into a folder; gives the picture's path."""
    from .app.demo import write_demo  # noqa: PLC0415

    return write_demo(Path(out), seed, effect, size)


def show(*paths: Path_) -> int:
    """Open the window on files and wait until it is closed; gives the exit status."""
    from .app.main import show as show_window  # noqa: PLC0415

    return show_window([os.fspath(path) for path in paths])
