"""The named region set: regions of rapid-acting antidepressants that every answer lists, significant or not.

A voxel counts by the share of a region's volume that lies in it, so that a habenula of 60 mm3 keeps its place on any
grid: exact where the axes of both grids are parallel; else the region's own voxels are cut into pieces no larger than a
quarter of a voxel of the map, each given to the nearest voxel.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..atlas import Atlas
from ..grid import Grid
from ..problems import Problem

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

RING_MM = 4.0  # width of the control round a small region
LARGE_MM3 = 30_000  # what no blur empties: nothing is said of it
MOST_PIECES = 6  # along an axis of an atlas's voxel
PARALLEL = 1e-6  # of a step along an axis: less is rounding

_AAL2_SIDES = {"L": 1, "R": 2}
_CIT168_SIDES = {"L": 0, "R": 100}
_FRONTAL = (2000, 2100, 2200, 2300, 2310, 2320, 2330, 2400, 2500, 2600, 2610, 2700, 2800, 2810, 2820, 2830)
_PARIETAL = (6000, 6100, 6200, 6210, 6220, 6300, 6400)
_OCCIPITAL = (5000, 5010, 5020, 5100, 5200, 5300)
_CEREBELLUM = (9000, 9010, 9020, 9030, 9040, 9050, 9060, 9070, 9080)
_POSTERIOR_INSULA = {"L": "Left_PIns_posterior_insula", "R": "Right_PIns_posterior_insula"}
_INSULA_BEHIND_MM = -7.0  # of AAL2, whose part behind has about the volume of Neuromorphometrics' posterior insula


class NamedRegion(NamedTuple):
    """One region of one side.

    Attributes
    ----------
    name : str
    side : "L" or "R"
    atlas : str
        Id, as `habena regions` lists it.
    indices : tuple of int
        Labels of the atlas that make it up.
    behind_mm : float or None
        Only what lies behind this y, where an atlas has no finer outline.
    note : str
        How it is drawn, where its name alone does not say.
    """

    name: str
    side: str
    atlas: str
    indices: tuple[int, ...]
    behind_mm: float | None = None
    note: str = ""

    @property
    def title(self) -> str:
        """Name and side."""
        return f"{self.name} {self.side}"


class Pieces(NamedTuple):
    """A region on a grid: flat numbers of voxels (x fastest), and the share of the region in each."""

    voxels: Int64
    share: Float64


class RegionMeans(NamedTuple):
    """Means of regions: (n, R), NaN where a region lies outside; and the share of each that lies inside, (R,)."""

    means: Float64
    covered: Float64


@cache
def named_regions() -> tuple[NamedRegion, ...]:
    """The named region set, left and right of each."""
    made: list[NamedRegion] = []
    for name, base in (("habenula", 13), ("globus pallidus external", 5), ("globus pallidus internal", 6)):
        note = "the lateral habenula is not separable" if name == "habenula" else ""
        made += [NamedRegion(name, side, "cit168", (base + n,), None, note) for side, n in _CIT168_SIDES.items()]
    made += _of_aal2("thalamus", (7100,))
    made += _of_aal2("angular gyrus", (6220,))
    made += _of_aal2("anterior cingulate", (4000,))
    made += _posterior_insula()
    made += _of_aal2("insula", (3000,))
    made += _of_aal2("cerebellum", _CEREBELLUM, "hemisphere without vermis")
    made += _of_aal2("frontal lobe", _FRONTAL, "union of AAL2 regions")
    made += _of_aal2("parietal lobe", _PARIETAL, "union of AAL2 regions")
    made += _of_aal2("occipital lobe", _OCCIPITAL, "union of AAL2 regions")
    return tuple(made)


def _of_aal2(name: str, bases: tuple[int, ...], note: str = "") -> list[NamedRegion]:
    return [
        NamedRegion(name, side, "aal2", tuple(base + n for base in bases), None, note)
        for side, n in _AAL2_SIDES.items()
    ]


def _posterior_insula() -> list[NamedRegion]:
    try:
        atlas = _atlas("neuromorphometrics")
    except Problem:  # its licence lets it be loaded, not shipped
        note = f"AAL2 insula behind y = {_INSULA_BEHIND_MM:g} mm"
        return [each._replace(behind_mm=_INSULA_BEHIND_MM) for each in _of_aal2("posterior insula", (3000,), note)]
    index = {region.abbreviation: region.index for region in atlas.regions}
    return [
        NamedRegion("posterior insula", side, "neuromorphometrics", (index[label],))
        for side, label in _POSTERIOR_INSULA.items()
    ]


def _atlas(atlas: str) -> Atlas:
    from ..compute import open_atlas  # noqa: PLC0415 - reads files

    return open_atlas(atlas)


@lru_cache(maxsize=256)
def outline(region: NamedRegion) -> tuple[NDArray[np.bool_], Grid]:
    """A region as its atlas has it: (nx, ny, nz) bool, and the atlas's grid."""
    atlas = _atlas(region.atlas)
    mask = atlas.mask([atlas.region(index) for index in region.indices], atlas.grid)
    if region.behind_mm is not None:
        inside = np.argwhere(mask)
        front = inside[atlas.grid.mm_of(inside)[:, 1] > region.behind_mm]
        mask[tuple(front.T)] = False
    mask.flags.writeable = False
    return mask, atlas.grid


def volume_mm3(region: NamedRegion) -> float:
    """Volume of a region in its atlas."""
    mask, grid = outline(region)
    return float(np.count_nonzero(mask) * grid.voxel_volume_mm3)


def on_grid(regions: Sequence[NamedRegion], grid: Grid) -> tuple[Pieces, ...]:
    """Regions on the grid of a map, whose world is taken to be that of the atlas."""
    return tuple(_on_grid(region, grid.shape, grid.affine.tobytes()) for region in regions)


@lru_cache(maxsize=512)
def _on_grid(region: NamedRegion, shape: tuple[int, int, int], affine: bytes) -> Pieces:
    mask, own = outline(region)
    return _pieces(mask, own, Grid(shape, np.frombuffer(affine).reshape(4, 4)))


def _pieces(mask: NDArray[np.bool_], own: Grid, grid: Grid) -> Pieces:
    """The share of a mask in each voxel of another grid."""
    placed = grid.inverse @ own.affine
    parallel = np.abs(placed[:3, :3]) > PARALLEL * np.abs(placed[:3, :3]).max(axis=0)
    exact = (parallel.sum(axis=0) == 1).all() and (parallel.sum(axis=1) == 1).all()
    shares, first = _overlapped(mask, placed, grid.shape) if exact else _cut(mask, own, grid)
    at = np.argwhere(shares > 0)
    place = at + first
    flat = place[:, 0] + grid.shape[0] * (place[:, 1] + grid.shape[1] * place[:, 2])
    order = np.argsort(flat)
    return Pieces(flat[order].astype(np.int64), shares[tuple(at[order].T)] / np.count_nonzero(mask))


def _overlapped(mask: NDArray[np.bool_], placed: Float64, shape: Sequence[int]) -> tuple[Float64, Int64]:
    """How many voxels of a mask lie in each voxel of a grid with parallel axes, and where that part begins."""
    inside = np.argwhere(mask)
    lowest, highest = inside.min(axis=0), inside.max(axis=0) + 1
    made: Float64 = mask[tuple(map(slice, lowest, highest))].astype(np.float64)
    axes = np.abs(placed[:3, :3]).argmax(axis=0)
    first = np.zeros(3, np.int64)
    for own, axis in enumerate(axes.tolist()):
        step = float(placed[axis, own])
        centres = placed[axis, 3] + step * np.arange(lowest[own], highest[own])
        edges = np.arange(shape[axis] + 1) - 0.5
        below = np.clip((edges - centres[:, None]) / abs(step) + 0.5, 0, 1)
        share = np.diff(below, axis=1)
        used = np.flatnonzero(share.any(axis=0))
        begin, end = (int(used[0]), int(used[-1]) + 1) if used.size else (0, 0)
        first[axis] = begin
        made = np.moveaxis(np.tensordot(made, share[:, begin:end], (own, 0)), -1, own)
    return made.transpose(np.argsort(axes)), first


def _cut(mask: NDArray[np.bool_], own: Grid, grid: Grid) -> tuple[Float64, Int64]:
    """The same of any grid, by pieces of the mask's voxels."""
    parts = int(np.clip(np.ceil(4 * max(own.zooms_mm) / min(grid.zooms_mm)), 1, MOST_PIECES))
    within = (np.arange(parts) + 0.5) / parts - 0.5
    offsets = np.stack(np.meshgrid(within, within, within, indexing="ij"), axis=-1).reshape(-1, 3)
    voxels = np.argwhere(mask).astype(np.float64)
    ijk = np.concatenate([np.rint(grid.ijk_of(own.mm_of(voxels + offset))) for offset in offsets]).astype(np.int64)
    ijk = ijk[((ijk >= 0) & (ijk < grid.shape)).all(axis=1)]
    if not len(ijk):
        return np.zeros((0, 0, 0)), np.zeros(3, np.int64)
    first = ijk.min(axis=0)
    size = ijk.max(axis=0) - first + 1
    counts = np.bincount(np.ravel_multi_index(tuple((ijk - first).T), tuple(size)), minlength=int(size.prod()))
    return counts.reshape(size) / len(offsets), first


def region_means(
    maps: NDArray[Any], grid: Grid, regions: Sequence[NamedRegion] | None = None, voxels: Int64 | None = None
) -> RegionMeans:
    """Means of maps over regions.

    Parameters
    ----------
    maps : (n, V)
        A row per map.
    grid : Grid
    regions : sequence of NamedRegion, optional
        All when not given.
    voxels : (V,) int64, ascending, optional
        Flat numbers (x fastest) of the columns; all voxels of the grid when not given.

    Returns
    -------
    RegionMeans
        Over the voxels that have a number in every map.
    """
    return means_of(on_grid(named_regions() if regions is None else regions, grid), maps, voxels)


def means_of(pieces: Sequence[Pieces], maps: NDArray[Any], voxels: Int64 | None = None) -> RegionMeans:
    """As `region_means`, of regions that are on the grid already."""
    means, covered = np.full((len(maps), len(pieces)), np.nan), np.zeros(len(pieces))
    for number, piece in enumerate(pieces):
        columns, share = _columns(piece, voxels)
        values = maps[:, columns].astype(np.float64)
        known = np.isfinite(values).all(axis=0)
        weight = np.where(known, share, 0)
        covered[number] = weight.sum()
        if covered[number] > 0:
            means[:, number] = np.where(known, values, 0) @ weight / covered[number]
    return RegionMeans(means, covered)


def _columns(piece: Pieces, voxels: Int64 | None) -> tuple[Int64, Float64]:
    if voxels is None:
        return piece.voxels, piece.share
    at = np.searchsorted(voxels, piece.voxels).clip(max=max(len(voxels) - 1, 0))
    there = voxels[at] == piece.voxels if len(voxels) else np.zeros(len(at), bool)
    return at[there], piece.share[there]


@lru_cache(maxsize=512)
def seen(region: NamedRegion, fwhm_mm: float) -> Any:
    """What a blur leaves of a region, a `stats.partial_volume.PartialVolume`; None for regions of lobes' size."""
    from ...stats.partial_volume import partial_volume  # noqa: PLC0415 - SciPy

    if volume_mm3(region) > LARGE_MM3 or fwhm_mm <= 0:
        return None
    mask, grid = outline(region)
    return partial_volume(mask, grid.zooms_mm, fwhm_mm)


def kept_share(region: NamedRegion, fwhm_mm: float) -> float:
    """Share of its own signal that a region's mean keeps at a resolution; 1 for lobes."""
    found = seen(region, fwhm_mm)
    return 1.0 if found is None else float(found.recovery)


def ring_means(
    maps: NDArray[Any], grid: Grid, region: NamedRegion, fwhm_mm: float, voxels: Int64 | None = None
) -> Float64:
    """Means (n,) of the ring round a region: from half a FWHM away from it, `RING_MM` wide; NaN outside the maps."""
    piece = _ring(region, fwhm_mm, grid.shape, grid.affine.tobytes())
    return means_of([piece], maps, voxels).means[:, 0]


@lru_cache(maxsize=256)
def _ring(region: NamedRegion, fwhm_mm: float, shape: tuple[int, int, int], affine: bytes) -> Pieces:
    from ...stats.partial_volume import ring  # noqa: PLC0415 - SciPy

    mask, own = outline(region)
    around = ring(mask, own.zooms_mm, RING_MM, fwhm_mm / 2)
    return _pieces(around, own, Grid(shape, np.frombuffer(affine).reshape(4, 4)))
