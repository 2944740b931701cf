"""Make an atlas of what its files hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..resources.colours import lut
from .atlas import LIKELY, Atlas, AtlasInfo, Part, Region, Values
from .atlas_names import Side, readable, split_side
from .grid import Grid

Colour: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True)
class Row:
    """What a table says about one label.

    Attributes
    ----------
    index : int
        Label value, or number of the volume.
    label : str
        The table's own label.
    name : str
        Name for people; empty where it is to be read from the label.
    side : str or None
        Side; None where it is to be read from the name or label.
    colour : (int, int, int) or None
        sRGB, 0 to 255.
    """

    index: int
    label: str
    name: str = ""
    side: Side | None = None
    colour: Colour | None = None


@dataclass(frozen=True)
class Spelling:
    """How a table writes names: characters between words, and what its abbreviations stand for."""

    separators: str = "_"
    words: Mapping[str, str] = field(default_factory=dict[str, str])


def named_regions(atlas_id: str, rows: Iterable[Row], spelling: Spelling | None = None) -> tuple[Region, ...]:
    """Regions of table rows; left and right of one name share a colour where the table has none."""
    return tuple(_regions(atlas_id, rows, spelling or Spelling()))


def _regions(atlas_id: str, rows: Iterable[Row], spelling: Spelling) -> Iterator[Region]:
    palette = lut("labels")
    order: dict[str, int] = {}
    for row in rows:
        parted = split_side(row.name or row.label)
        name = row.name if row.side is not None else readable(parted.name, spelling.separators, spelling.words)
        side = parted.side if row.side is None else row.side
        red, green, blue = (int(value) for value in palette[order.setdefault(name, len(order)) % len(palette)])
        yield Region(atlas_id, row.index, name, side, row.label, row.colour or (red, green, blue))


def label_atlas(info: AtlasInfo, regions: tuple[Region, ...], grid: Grid, values: NDArray[np.integer]) -> Atlas:
    """Atlas of one volume of labels; values that are no region's index are 0."""
    return Atlas(info, regions, grid, _numbered(values, [region.index for region in regions]))


def _numbered(values: NDArray[np.integer], indices: Sequence[int]) -> NDArray[np.unsignedinteger]:
    """Label values replaced by their position in ``indices``, from 1; others by 0."""
    numbers = np.zeros(max(int(values.max()), *indices, 0) + 1, dtype=np.min_scalar_type(len(indices)))
    numbers[list(indices)] = np.arange(1, len(indices) + 1)
    labels = numbers[values.ravel(order="F")].reshape(values.shape, order="F")
    labels.flags.writeable = False
    return labels


def share_atlas(
    info: AtlasInfo,
    regions: tuple[Region, ...],
    grid: Grid,
    volumes: Iterable[Values],
    scale: float,
) -> Atlas:
    """Atlas of one volume of shares per region, of which the box with any share is kept.

    Parameters
    ----------
    info, regions, grid
        As in `Atlas`; one region per volume.
    volumes : iterable of (nx, ny, nz)
        Taken one at a time, so that they need not fit into memory together.
    scale : float
        What turns their values into shares from 0 to 1.
    """
    parts: list[Part] = []
    labels = np.zeros(grid.shape, dtype=np.min_scalar_type(len(regions)), order="F")
    # just below, so that a share of exactly 0.25 counts
    best = np.full(grid.shape, np.nextafter(np.float32(LIKELY / scale), np.float32(0)), dtype=np.float32, order="F")
    for number, volume in enumerate(volumes, start=1):
        box = _occupied(volume)
        values = np.asfortranarray(volume[box])
        values.flags.writeable = False
        parts.append(Part((box[0].start, box[1].start, box[2].start), values))
        better = values > best[box]
        labels[box][better] = number
        best[box][better] = values[better]
    labels.flags.writeable = False
    return Atlas(info, regions, grid, labels, tuple(parts), scale)


def _occupied(volume: Values) -> tuple[slice, slice, slice]:
    """Smallest box with all values above 0; empty when there are none."""
    box = [slice(0, n) for n in volume.shape]
    for axis in (2, 1, 0):
        others = tuple(n for n in range(3) if n != axis)
        found = np.flatnonzero((volume[tuple(box)] > 0).any(axis=others))
        box[axis] = slice(int(found[0]), int(found[-1]) + 1) if found.size else slice(0, 0)
    return box[0], box[1], box[2]
