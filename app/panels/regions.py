"""The region finder, region layers and meshes, and the table of regions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, ref

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from ...resources import colours as tables
from ...widgets.finder import Finder, Match
from ...widgets.value_model import Column
from ...widgets.value_table import ValueTable
from .. import finder
from ..answers import Answer, MaskImage
from ..atlas import Atlas, Region
from ..compute import open_atlas
from ..display import look_at
from ..io.atlases import atlas_ids, describe, regions_of
from ..problems import Problem
from ..questions import AtlasData
from ..recipes import Recipe, RegionMask
from ..region_tables import STATISTICS, map_statistics
from ..resolve import is_underlay
from ..scenes import Shown
from ..session import Notice, Session
from ..spaces import naming
from ..state import Colours, Overlay, Threshold
from ..titles import title_of
from .surface import SEE_THROUGH

JOB = "region table"
Rows = list[tuple[Any, ...]]
Entry = tuple[str, Answer, int]  # name, map, frame
MOST_MATCHES = 30

COLUMNS = (
    Column("Region", "", "text", "Region and side"),
    Column("Mean", "", "number"),
    Column("SD", "", "number", "Standard deviation over voxels (n − 1)"),
    Column("Median", "", "number"),
    Column("Min", "", "number"),
    Column("Max", "", "number"),
    Column("Peak x", "mm", "number", "Place of the value of the largest size"),
    Column("Peak y", "mm", "number"),
    Column("Peak z", "mm", "number"),
    Column("Voxels", "", "integer", "Voxels with a value"),
    Column("Volume", "mm³", "number", "Of the whole region on the map's grid"),
    Column("Missing", "", "share", "Share of the region's voxels without a value"),
    Column("Layer"),
)


class Found(NamedTuple):
    """Rows of every map."""

    atlas: Atlas
    rows: dict[Entry, Rows]


class RegionsControl(QObject):
    """Finds regions, goes there, and adds them as layers or meshes. ``seed_chosen`` carries a `RegionMask`."""

    seed_chosen = Signal(object)

    def __init__(self, session: Session, field: Finder) -> None:
        super().__init__(field)
        self._session = session
        self._field = field
        self._regions: dict[str, Region] = {}
        field.query_changed.connect(self._search)
        field.chosen.connect(self._choose)

    def _search(self, text: str) -> None:
        own = (region for atlas in self._session.own_atlases.values() for region in atlas.regions)
        matches = finder.find(text, (*all_regions(), *own), MOST_MATCHES)
        self._regions = {f"{match.region.atlas}/{match.region.index}": match.region for match in matches}
        self._field.set_matches(
            Match(key, match.region.title, self._where(match))
            for key, match in zip(self._regions, matches, strict=True)
        )

    def _where(self, match: finder.Match) -> str:
        own = self._session.own_atlases.get(match.region.atlas)
        info = describe(match.region.atlas) if own is None else own.info
        return f"{info.title}" + (f" · {match.note}" if match.note else "")

    def _choose(self, key: str, with_mask: bool) -> None:
        region = self._regions.get(key)
        if region is not None:
            self.go(region, with_mask=with_mask)

    def go(self, region: Region, *, with_mask: bool = False) -> None:
        """Move the crosshair into a region; with its mask as a layer on top if wanted."""
        question = AtlasData(region.atlas)
        atlas = self._session.results.get(question)
        if isinstance(atlas, Atlas):
            self._arrive(atlas, region, with_mask=with_mask)
            return
        self._session.start(
            ("go", region.atlas),
            title_of(question),
            lambda _: open_atlas(region.atlas),
            lambda found: self._loaded(question, found, region, with_mask),
        )

    def _loaded(self, question: AtlasData, atlas: Atlas, region: Region, with_mask: bool) -> None:
        self._session.results.put(question, atlas)
        self._arrive(atlas, region, with_mask=with_mask)

    def _arrive(self, atlas: Atlas, region: Region, *, with_mask: bool) -> None:
        allowed = naming(self._session.shown(), self._session.state, atlas.info)
        if not allowed.allowed and allowed.note:
            self._session.noticed.emit(Notice("warning", f"{region.title}: {allowed.note}."))
            return
        self._session.move_crosshair(atlas.centre_mm(region), merge=None)
        note = finder.caution(region.title)
        if note:
            self._session.noticed.emit(Notice("info", f"{region.title} ({atlas.info.title}): {note}"))
        if with_mask:
            self.add_layer(RegionMask(region.atlas, (region.index,)), region.title)

    def add_layer(self, recipe: Recipe, name: str) -> None:
        """A region or a whole atlas as a layer on top."""
        state = self._session.state
        overlay = region_overlay(state.next_key(), recipe, name)
        self._session.store.update(
            replace(state, overlays=(*state.overlays, overlay), selected=overlay.key), f"add {name}"
        )

    def add_mesh(self, recipe: RegionMask) -> None:
        """A region as a mesh inside a translucent cortex."""
        state = self._session.state
        if recipe in state.surface.regions:
            return
        surface = replace(state.surface, regions=(*state.surface.regions, recipe))
        if surface.opacity == 1.0:
            surface = replace(surface, opacity=SEE_THROUGH)
        layout = state.layout if state.layout in ("ortho+surface", "3d", "surface") else "ortho+surface"
        self._session.update("show region in 3D", None, surface=surface, layout=layout)


class RegionTableControl(QObject):
    """The table of all visible maps within the regions of one atlas."""

    def __init__(self, session: Session, table: ValueTable) -> None:
        super().__init__(table)
        self._session = session
        self._table = table
        self._shown_for: object = None
        self._known: WeakKeyDictionary[Answer, dict[tuple[str, int, Atlas], Rows]] = WeakKeyDictionary()
        self._peaks: list[tuple[float, float, float] | None] = []
        self.atlas_id = ""
        table.row_activated.connect(self._go)
        session.jobs.finished.connect(self._take)

    def refresh(self) -> None:
        """Ask again when the maps or the atlas changed."""
        if not self._table.isVisible():
            return
        atlas = self._session.results.get(AtlasData(self.atlas_id))
        if not isinstance(atlas, Atlas):
            if self.atlas_id:
                self._session.ask(AtlasData(self.atlas_id))
            return
        allowed = naming(self._session.shown(), self._session.state, atlas.info)
        if not allowed.allowed:
            self._table.set_empty_text(allowed.note or self.tr("Open a map to see its regions."))
            self._table.set_rows(())
            self._shown_for = None
            return
        top_first = self._session.shown()[::-1]
        in_turn = sorted(top_first, key=lambda layer: is_underlay(layer.overlay))  # maps before anatomy
        maps = [entry for entry in map(_entry, in_turn) if entry is not None]
        marker = (atlas, tuple((name, ref(answer), frame) for name, answer, frame in maps))
        if marker == self._shown_for:
            return
        self._shown_for = marker
        known = {
            (name, answer, frame): self._known.get(answer, {}).get((name, frame, atlas)) for name, answer, frame in maps
        }
        title = self.tr("Looking at regions")  # a long job: no map that follows the crosshair waits for it
        self._session.jobs.long(JOB, title, lambda report: _all_statistics(known, atlas, report))

    def _take(self, key: object, result: object) -> None:
        if key != JOB or not isinstance(result, Found):
            return
        for (name, answer, frame), rows in result.rows.items():
            self._known[answer] = {(name, frame, result.atlas): rows}
        named = [dict(zip(STATISTICS, row, strict=True)) for rows in result.rows.values() for row in rows]
        self._peaks = [row["peak_mm"] for row in named]
        rows = [
            (
                f"{row['name']} {row['side']}".rstrip(),
                *(row[name] for name in ("mean", "sd", "median", "min", "max")),
                *(row["peak_mm"] or (None, None, None)),
                *(row[name] for name in ("voxels", "volume_mm3", "missing", "map")),
            )
            for row in named
        ]
        self._table.set_rows(rows, [(row[0], row[-1]) for row in rows])

    def _go(self, row: int) -> None:
        peak = self._peaks[row] if 0 <= row < len(self._peaks) else None
        if peak is not None:
            self._session.move_crosshair(peak, merge=None)


def _entry(layer: Shown) -> Entry | None:
    """A layer that the table may list: values in the volume that are at hand. Regions, labels and masks are no maps."""
    answer, frame = layer.answer, min(layer.overlay.frame, layer.answer.n_frames - 1)
    if answer.image is None or answer.image.kind == "rgb" or answer.is_labels or not answer.image.ready(frame):
        return None
    return None if isinstance(answer.image, MaskImage) else (layer.overlay.name, answer, frame)


def _all_statistics(known: dict[Entry, Rows | None], atlas: Atlas, report: Callable[[float], None]) -> Found:
    """Rows of all maps; those that are known already are taken as they are."""
    rows: dict[Entry, Rows] = {}
    for number, (entry, before) in enumerate(known.items()):
        report(number / len(known))
        rows[entry] = _statistics(entry, atlas) if before is None else before
    return Found(atlas, rows)


def _statistics(entry: Entry, atlas: Atlas) -> Rows:
    name, answer, frame = entry
    is_mask = answer.image is not None and look_at(answer.image.frame(frame)).is_mask
    return [] if is_mask else map_statistics(name, answer, atlas, frame)


@cache
def all_regions() -> tuple[Region, ...]:
    """Regions of every atlas that is installed, from their tables alone."""
    found: list[Region] = []
    for atlas in atlas_ids():
        try:
            found += regions_of(atlas)
        except Problem:
            continue  # an atlas of a package that is not installed; `habena doctor` says how to get it
    return tuple(found)


def region_overlay(key: int, recipe: Recipe, name: str) -> Overlay:
    """A mask layer whose answer is not known yet: outlined, half clear, in a colour of its own."""
    return Overlay(key, recipe, name, mask_colours(key), Threshold(0.5, outline=True), 0.5, smooth=False)


def mask_colours(key: int) -> Colours:
    """One colour, another one for each layer in turn."""
    solid = tables.names("solid")
    return Colours(solid[key % len(solid)], 0.0, 1.0)
