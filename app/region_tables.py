"""Tables of regions: which there are, and what maps are within them."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ..stats.regions import find_regions, region_statistics
from . import templates
from .answers import Answer
from .atlas import Atlas
from .atlas_listing import ListedRegion, regions_listing
from .compute import open_atlas, open_file
from .problems import Finding, Problem

Report = Callable[[float], None]


@dataclass(frozen=True)
class RegionTable:
    """Rows with named columns, to print, write or hand over."""

    key: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    findings: tuple[Finding, ...] = ()

    def document(self) -> dict[str, Any]:
        """As one JSON document."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {self.key: rows, "warnings": self.findings}

    def tsv(self) -> str:
        """Tab-separated, with a header row; missing numbers are ``n/a`` as in BIDS."""
        lines = ["\t".join(self.columns)]
        lines += ["\t".join(map(_cell, row)) for row in self.rows]
        return "\n".join(lines) + "\n"

    def write(self, path: str) -> None:
        """Write the table as TSV; the file appears whole or not at all."""
        from .io.files import replacing  # noqa: PLC0415

        with replacing(Path(path)) as file:
            file.write(self.tsv().encode())

    def text(self) -> str:
        """Aligned columns for a terminal."""
        cells = [self.columns, *[tuple(map(_cell, row)) for row in self.rows]]
        widths = [max(len(row[n]) for row in cells) for n in range(len(self.columns))]
        out = io.StringIO()
        for row in cells:
            out.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
        return out.getvalue().rstrip("\n")


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return "n/a"
    if isinstance(value, tuple):
        return ",".join(map(_cell, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def listing(atlas: str | None, report: Report) -> RegionTable:
    """All regions of an atlas, or of all."""
    columns = tuple(ListedRegion.__struct_fields__)
    rows = [msgspec.structs.astuple(region) for region in regions_listing(atlas, report)]
    return RegionTable("regions", columns, tuple(rows))


STATISTICS = (
    *("map", "atlas", "name", "side", "index"),
    *("voxels", "volume_mm3", "missing", "mean", "sd", "median", "min", "max", "peak_mm"),
)


def statistics(maps: Sequence[str], atlas_id: str, report: Report) -> RegionTable:
    """What maps are within the regions of an atlas, on each map's own grid.

    Raises
    ------
    Problem
        A map's space is unknown or another than the atlas's.
    """
    from .io.atlases import describe  # noqa: PLC0415

    atlas = open_atlas(describe(atlas_id).id)
    rows: list[tuple[Any, ...]] = []
    findings: list[Finding] = []
    for number, path in enumerate(maps):
        answer = open_file(path)
        fit = templates.compatible(answer.space, atlas.info.template)
        if not fit.names_regions:
            todo = "name its space with a space- entity, its sidecar or sform code 4"
            raise Problem(path, fit.message.removesuffix(": no region names are shown"), todo)
        findings += [*answer.findings, *templates.findings(answer.space, [atlas.info])]
        rows += map_statistics(Path(path).name, answer, atlas, 0)
        report((number + 1) / len(maps))
    return RegionTable("statistics", STATISTICS, tuple(rows), tuple(findings))


def map_statistics(name: str, answer: Answer, atlas: Atlas, frame: int) -> list[tuple[Any, ...]]:
    """One row per region of an atlas that has voxels on the map's grid."""
    image = answer.image
    if image is None or image.kind == "rgb":
        raise Problem(name, "has no values in the volume", "choose a map in a volume")
    grid = image.grid
    regions = find_regions(atlas.labels_on(grid))
    found = region_statistics(regions, image.frame(frame), grid.voxel_volume_mm3)
    rows: list[tuple[Any, ...]] = []
    for n, label in enumerate(regions.label.tolist()):
        region = atlas.regions[label - 1]
        has_peak = bool((found.peak_ijk[n] >= 0).all())
        peak = tuple(round(float(v), 3) for v in grid.mm_of(found.peak_ijk[n])) if has_peak else None
        numbers = (found.mean, found.sd, found.median, found.low, found.high)
        rows.append(
            (
                name,
                atlas.info.id,
                region.name,
                region.side,
                region.index,
                int(found.n[n]),
                float(found.volume_mm3[n]),
                float(found.missing[n]),
                *(float(column[n]) for column in numbers),
                peak,
            )
        )
    return rows
