"""Label images of the user's, with their tables of names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..atlas import Atlas, AtlasInfo
from ..atlas_build import Row, label_atlas, named_regions, share_atlas
from ..problems import Finding, Problem
from .files import sibling
from .label_tables import LabelTable, read_label_table

if TYPE_CHECKING:
    from .volumes import Volume

MOST_REGIONS = 65_535
COUNTED = 2**20
"""Labels below this are found by counting, others by sorting, which takes longer."""
LARGEST_EXACT = 2**24
"""Whole numbers up to this are exact in float32, in which volumes are read."""
TABLE_NAMES = (".tsv", ".csv", ".txt", ".xml", ".lut", "_labels.tsv", "_labels.csv", "_labels.txt", "_label.txt")


def load_label_file(path: Path, table: Path | None = None, template: str = "") -> Atlas:
    """An atlas from a label image of the user's.

    Parameters
    ----------
    path : Path
        One volume of labels, or one volume per region with shares from 0 to 1 or percent.
    table : Path, optional
        Names of the labels (see `read_label_table`); without it, a table of the same name beside the image.
        Labels without a name are named by their number.
    template : str
        Space of its coordinates, when the user knows it; else what the file says.

    Raises
    ------
    Problem
        When a file cannot be read or holds something else than labels.
    """
    from .volumes import open_volume  # noqa: PLC0415 - formats are slow to import

    stem = path.name.removesuffix(".gz").rpartition(".")[0] or path.name
    named = table or sibling(path, *(stem + name for name in TABLE_NAMES))
    names = read_label_table(named) if named else LabelTable(())
    with closing(open_volume(path)) as volume:
        if volume.kind != "scalar":
            raise Problem(path, "is a colour or complex image, not a label image", "name an image of whole numbers")
        info = AtlasInfo(
            id=stem,
            title=path.name,
            template=template or volume.info.space.template or "",
            source=str(path),
            probabilistic=volume.n_frames > 1,
        )
        found = [] if table or named is None else [_finding("label-table", path, str(named.name), "names the labels")]
        if volume.n_frames > 1:
            return _user_shares(info, volume, names.rows, found)
        shift = 1 if names.zero_based else 0
        return _user_labels(info, volume, [replace(row, index=row.index + shift) for row in names.rows], found)


def _user_labels(info: AtlasInfo, volume: Volume, rows: Sequence[Row], found: list[Finding]) -> Atlas:
    """Atlas of one volume of labels."""
    path = Path(info.source)
    values = _whole_numbers(path, volume.frame(0))
    present = _present(values)
    if not present.size:
        raise Problem(path, "holds no label above 0", "name an image of whole numbers, one per region")
    if present.size > MOST_REGIONS:
        raise Problem(path, f"holds {present.size:,} different values", "name a label image, not an anatomy or a map")
    named = {row.index: row for row in rows}
    unnamed = [int(label) for label in present if int(label) not in named]
    absent = sorted(set(named) - set(present.tolist()) - {0})
    if not rows:
        found.append(_finding("labels-nameless", path, len(unnamed), "labels have no names: no table names them"))
    if rows and unnamed:
        found.append(_finding("labels-unnamed", path, len(unnamed), f"labels have no name, such as {unnamed[0]}"))
    if absent:
        found.append(_finding("labels-absent", path, len(absent), "named labels have no voxel and are left out"))
    kept = [named.get(int(label), Row(int(label), f"Label {label}", f"Label {label}", "")) for label in present]
    atlas = label_atlas(info, named_regions(info.id, kept), volume.grid, values)
    return replace(atlas, findings=tuple(found))


def _whole_numbers(path: Path, values: NDArray[np.float32]) -> NDArray[np.int32]:
    """Label values; empty voxels (NaN) are 0."""
    filled = np.nan_to_num(values, nan=0.0)
    if filled.min() < 0 or filled.max() > LARGEST_EXACT:
        span = f"{filled.min():g} to {filled.max():g}"
        raise Problem(path, f"holds values from {span}, which are no labels", "number its regions 1, 2, 3, ...")
    whole = filled.astype(np.int32)
    wrong = whole != filled
    if wrong.any():
        what = f"holds {filled[wrong][0]:g}, and labels are whole numbers"
        raise Problem(path, what, "name a label image; resample labels by nearest neighbour only")
    return whole


def _user_shares(info: AtlasInfo, volume: Volume, rows: Sequence[Row], found: list[Finding]) -> Atlas:
    """Atlas of one volume of shares per region."""
    path = Path(info.source)
    named = {row.index: row for row in rows}
    first = 0 if 0 in named or not named else 1
    kept = [named.get(n + first, Row(n, f"Volume {n}", f"Volume {n}", "")) for n in range(volume.n_frames)]
    if rows and len(rows) != volume.n_frames:
        raise Problem(path, f"has {volume.n_frames} volumes, its table {len(rows)} names", "name a table that fits")
    volume.load()
    spans = [(float(shares.min()), float(shares.max())) for shares in _shares(volume)]
    low, high = min(low for low, _ in spans), max(high for _, high in spans)
    if low < 0 or not 0 < high <= 100:
        what = f"holds values from {low:g} to {high:g} in {volume.n_frames} volumes"
        raise Problem(path, what, "name one volume of labels, or volumes of shares from 0 to 1 or 0 to 100 percent")
    regions = named_regions(info.id, [replace(row, index=n) for n, row in enumerate(kept)])
    atlas = share_atlas(info, regions, volume.grid, _shares(volume), 1.0 if high <= 1 else 0.01)
    return replace(atlas, findings=tuple(found))


def _shares(volume: Volume) -> Iterator[NDArray[np.float32]]:
    """Volumes of shares, one at a time; empty voxels (NaN) are 0."""
    return (np.nan_to_num(volume.frame(n), nan=0.0) for n in range(volume.n_frames))


def _present(values: NDArray[np.int32]) -> NDArray[np.integer]:
    """Labels above 0 that occur, in rising order."""
    if values.max() < COUNTED:
        return np.flatnonzero(np.bincount(values.ravel(order="K"))[1:]) + 1
    found = np.unique(values)
    return found[found > 0]


def _finding(code: str, path: Path, value: float | str, message: str) -> Finding:
    """Something about a label file; the value stands first in the sentence."""
    return Finding(code, str(path), value, f"{value} {message}")
