"""Atlases in memory: which regions are where, how large, with which share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from .atlas_names import Side
from .grid import Grid
from .problems import Finding, Problem

Values: TypeAlias = NDArray[np.uint8 | np.float32]

LIKELY = 0.25
"""Share from which a voxel counts as part of a region of a probabilistic atlas (FSL's thr25)."""


class AtlasInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown where an atlas is chosen.

    Attributes
    ----------
    id, title, short : str
        For the command line, for people, and for people where there is little room.
    template : str
        Name of the space that its coordinates are in; empty when not known.
    licence, citation, doi, source, note : str
        Terms, paper, where it comes from, and what its user must know; empty when not known.
    probabilistic : bool
        Whether it holds shares of people instead of one label per voxel.
    """

    id: str
    title: str
    short: str = ""
    template: str = ""
    licence: str = ""
    citation: str = ""
    doi: str = ""
    source: str = ""
    note: str = ""
    probabilistic: bool = False


@dataclass(frozen=True)
class Region:
    """One region of an atlas.

    Attributes
    ----------
    atlas : str
        Id of the atlas.
    index : int
        Label value in the volume; in a probabilistic atlas the 0-based number of the volume.
    name : str
        For people, without the side.
    side : str
        ``L``, ``R`` or empty.
    abbreviation : str
        The label as the atlas's own table has it, such as ``HN_LH``.
    colour : (int, int, int)
        sRGB, 0 to 255.
    """

    atlas: str
    index: int
    name: str
    side: Side
    abbreviation: str
    colour: tuple[int, int, int]

    @property
    def title(self) -> str:
        """Name and side, such as ``Habenula L``."""
        return f"{self.name} {self.side}".rstrip()


class Share(NamedTuple):
    """A region and how much of it applies: 1 for a label, less for a share of people or of voxels."""

    region: Region
    share: float


class Part(NamedTuple):
    """Shares of one region of a probabilistic atlas in the box of voxels where it has any.

    ``values`` times the atlas's ``scale`` are shares from 0 to 1; ``offset`` is the box's first voxel.
    """

    offset: tuple[int, int, int]
    values: Values


@dataclass(frozen=True, eq=False)
class Atlas:
    """Regions in space.

    Attributes
    ----------
    info : AtlasInfo
        Title, template, licence, citation.
    regions : tuple of Region
        In the order of the atlas's table.
    grid : Grid
        Grid of ``labels``.
    labels : (nx, ny, nz) unsigned int, Fortran order, read-only
        0 for none, k for ``regions[k - 1]``. In a probabilistic atlas: the most likely region
        where its share is at least 0.25.
    parts : tuple of Part
        One per region in a probabilistic atlas, else empty.
    scale : float
        What turns the values of ``parts`` into shares.
    findings : tuple of Finding
        What its user should know about the file.
    """

    info: AtlasInfo
    regions: tuple[Region, ...]
    grid: Grid
    labels: NDArray[np.unsignedinteger]
    parts: tuple[Part, ...] = ()
    scale: float = 1.0
    findings: tuple[Finding, ...] = ()

    def at(self, mm: ArrayLike) -> tuple[Share, ...]:
        """Regions at one place, the largest share first.

        Parameters
        ----------
        mm : (3,)
            World position in the atlas's space; the nearest voxel is asked.
        """
        voxel = self.grid.voxel_at(mm)
        if voxel is None:
            return ()
        if not self.parts:
            label = int(self.labels[voxel])
            return (Share(self.regions[label - 1], 1.0),) if label else ()
        values = (_value_at(part, voxel) for part in self.parts)
        found = [Share(r, v * self.scale) for r, v in zip(self.regions, values, strict=True) if v > 0]
        return tuple(sorted(found, key=lambda item: -item.share))

    def labels_at(self, mm: ArrayLike) -> NDArray[np.unsignedinteger]:
        """Labels at many places.

        Parameters
        ----------
        mm : (..., 3)
            World positions in the atlas's space.

        Returns
        -------
        (...) unsigned int
            0 for none, k for ``regions[k - 1]``.
        """
        ijk = nearest_voxel(self.grid.ijk_of(mm))
        size_x, size_y, _ = self.grid.shape
        inside = ((ijk >= 0) & (ijk < self.grid.shape)).all(axis=-1)
        flat = ijk[..., 0] + size_x * (ijk[..., 1] + size_y * ijk[..., 2])
        found = self.labels.ravel(order="F").take(np.where(inside, flat, 0))
        found[~inside] = 0
        return found

    def shares(self, mm: ArrayLike) -> tuple[Share, ...]:
        """Share of places that lie in each region, the largest first: what a cluster consists of.

        Parameters
        ----------
        mm : (n, 3)
            World positions, such as the voxel centres of a cluster.
        """
        labels = self.labels_at(mm)
        counts = np.bincount(labels, minlength=len(self.regions) + 1)[1:]
        order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
        return tuple(Share(self.regions[k], float(counts[k] / labels.size)) for k in order)

    def region(self, index: int) -> Region:
        """The region of a label value (or volume number).

        Raises
        ------
        Problem
            When the atlas has none.
        """
        for region in self.regions:
            if region.index == index:
                return region
        raise Problem(self.info.id, f"has no region with the label {index}", "list its regions with `habena regions`")

    def mask(self, regions: Iterable[Region], grid: Grid, threshold: float = LIKELY) -> NDArray[np.bool_]:
        """Voxels of another grid whose centre lies in any of the regions, by nearest neighbour.

        Parameters
        ----------
        regions : iterable of Region
            Regions of this atlas.
        grid : Grid
            Where the mask is wanted.
        threshold : float
            Least share that counts, in a probabilistic atlas.

        Returns
        -------
        (nx, ny, nz) bool, Fortran order
        """
        mask = np.zeros(grid.shape, dtype=bool, order="F")
        for region in regions:
            _put(self._box(region, threshold), self.grid, mask, grid)
        return mask

    def labels_on(self, grid: Grid) -> NDArray[np.unsignedinteger]:
        """Labels at the voxel centres of another grid, by nearest neighbour.

        Returns
        -------
        (nx, ny, nz) unsigned int, Fortran order
            0 for none, k for ``regions[k - 1]``.
        """
        labels = np.zeros(grid.shape, dtype=self.labels.dtype, order="F")
        plane = np.stack(np.meshgrid(*map(np.arange, grid.shape[:2]), [0], indexing="ij"), axis=-1)[:, :, 0]
        for k in range(grid.shape[2]):
            plane[..., 2] = k
            labels[:, :, k] = self.labels_at(grid.mm_of(plane))
        return labels

    def centre_mm(self, region: Region) -> tuple[float, float, float]:
        """A place inside a region: its centre of mass, or the region's voxel nearest to that.

        A region of a probabilistic atlas is where its share is at least 0.25, or where it is
        largest when it nowhere reaches that.
        """
        box = self._box(region, LIKELY)
        if not box.inside.any() and self.parts:
            part = self.parts[self._position[region] - 1]
            box = _Box(part.offset, part.values == part.values.max())
        centre = _centre_of_mass(box.inside)
        voxel = nearest_voxel(centre)
        if not box.inside[tuple(voxel)]:
            voxels = np.argwhere(box.inside)
            away = (self.grid.mm_of(voxels) - self.grid.mm_of(centre)) ** 2
            centre = voxels[away.sum(axis=1).argmin()]
        x, y, z = self.grid.mm_of(centre + box.offset)
        return float(x), float(y), float(z)

    def volume_mm3(self, region: Region) -> float:
        """Volume of a region in mm3; in a probabilistic atlas of the voxels with a share of at least 0.25."""
        return float(np.count_nonzero(self._box(region, LIKELY).inside) * self.grid.voxel_volume_mm3)

    @cached_property
    def _position(self) -> dict[Region, int]:
        """Number of each region in ``labels``."""
        return {region: number for number, region in enumerate(self.regions, start=1)}

    @cached_property
    def _slices(self) -> list[tuple[slice, slice, slice] | None]:
        """Box of voxels of each label."""
        from scipy.ndimage import find_objects  # noqa: PLC0415 - scipy.ndimage is slow to import

        return find_objects(self.labels, max_label=len(self.regions))

    def _box(self, region: Region, threshold: float) -> _Box:
        """Voxels of a region in the smallest box that is at hand."""
        number = self._position.get(region)
        if number is None:
            raise Problem(self.info.id, f"has no region {region.title!r}", "choose one of its own regions")
        if self.parts:
            part = self.parts[number - 1]
            # 1e-9: a share of exactly 0.25 counts, whatever 25 * 0.01 rounds to
            return _Box(part.offset, (part.values * np.float64(self.scale) >= threshold - 1e-9) & (part.values > 0))
        box = self._slices[number - 1]
        if box is None:
            return _Box((0, 0, 0), np.zeros((0, 0, 0), dtype=bool))
        start = (box[0].start, box[1].start, box[2].start)
        return _Box(start, self.labels[box] == number)


class _Box(NamedTuple):
    """Voxels of a region inside a box of an atlas's grid."""

    offset: tuple[int, int, int]
    inside: NDArray[np.bool_]


def nearest_voxel(ijk: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index of the voxel whose centre is nearest, any shape; half-way belongs to the lower, as in `Grid`."""
    return np.ceil(ijk - (0.5 + 1e-9)).astype(np.int64)


def _centre_of_mass(inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean index of the true voxels, (3,)."""
    counts = (inside.sum(axis=(1, 2)), inside.sum(axis=(0, 2)), inside.sum(axis=(0, 1)))
    return np.array([np.average(np.arange(len(count)), weights=count) for count in counts])


def _value_at(part: Part, voxel: tuple[int, int, int]) -> float:
    """Value of a part at a voxel of the atlas's grid, 0 outside its box."""
    i, j, k = (n - start for n, start in zip(voxel, part.offset, strict=True))
    size_i, size_j, size_k = part.values.shape
    inside = 0 <= i < size_i and 0 <= j < size_j and 0 <= k < size_k
    return float(part.values[i, j, k]) if inside else 0.0


def _put(box: _Box, source: Grid, mask: NDArray[np.bool_], grid: Grid) -> None:
    """Set the voxels of ``mask`` on ``grid`` whose centre lies in a voxel of the box on ``source``."""
    if not box.inside.size:
        return
    size = np.array(box.inside.shape)
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in size], indexing="ij")).reshape(3, 8).T + box.offset
    reach = grid.ijk_of(source.mm_of(corners))
    first = np.clip(np.floor(reach.min(axis=0)).astype(int), 0, grid.shape)
    last = np.clip(np.ceil(reach.max(axis=0)).astype(int) + 1, 0, grid.shape)
    if (first >= last).any():
        return
    for k in range(first[2], last[2]):
        plane = np.stack(
            np.meshgrid(np.arange(first[0], last[0]), np.arange(first[1], last[1]), [k], indexing="ij"), axis=-1
        )[:, :, 0]
        ijk = nearest_voxel(source.ijk_of(grid.mm_of(plane))) - box.offset
        within = np.asarray(((ijk >= 0) & (ijk < size)).all(axis=-1))
        i, j, k_box = np.moveaxis(ijk * within[..., np.newaxis], -1, 0)
        mask[first[0] : last[0], first[1] : last[1], k] |= within & box.inside[i, j, k_box]
