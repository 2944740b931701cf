"""What `habena regions` tells."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from .atlas import Atlas, Region
from .io.atlases import atlas_ids, describe, load_atlas

Point = tuple[float, float, float]


class ListedRegion(msgspec.Struct, frozen=True):
    """One region with its place, size and terms; `Region` and `AtlasInfo` say what the fields mean."""

    atlas: str
    name: str
    side: str
    index: int
    abbreviation: str
    centre_mm: Point
    volume_mm3: float
    template: str
    licence: str


def regions_listing(
    atlas_id: str | None = None, report: Callable[[float], None] | None = None
) -> tuple[ListedRegion, ...]:
    """All regions of an atlas, or of all atlases.

    Parameters
    ----------
    atlas_id : str, optional
        One atlas; all when not given.
    report : callable, optional
        Called with the fraction done; may raise `Cancelled`.

    Raises
    ------
    Problem
        When there is no such atlas, or its files are missing.
    """
    wanted = (describe(atlas_id).id,) if atlas_id else atlas_ids()
    listed: list[ListedRegion] = []
    for number, one in enumerate(wanted, start=1):
        atlas = load_atlas(one)
        listed += [_listed(atlas, region) for region in atlas.regions]
        if report:
            report(number / len(wanted))
    return tuple(listed)


def _listed(atlas: Atlas, region: Region) -> ListedRegion:
    x, y, z = (round(value, 2) for value in atlas.centre_mm(region))
    return ListedRegion(
        atlas.info.id,
        region.name,
        region.side,
        region.index,
        region.abbreviation,
        (x, y, z),
        round(atlas.volume_mm3(region), 3),
        atlas.info.template,
        atlas.info.licence,
    )
