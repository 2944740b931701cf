"""What the view shows, as one frozen value with a JSON round trip."""

from __future__ import annotations

from typing import Literal

import msgspec

from .problems import Problem
from .recipes import CrosshairSeed, FileMap, GroupSeedMap, Point, Recipe, RegionMask, SeedCorrelation

SCHEMA_VERSION = 1

Axis = Literal["sagittal", "coronal", "axial"]
Layout = Literal["ortho", "sagittal", "coronal", "axial", "lightbox", "ortho+surface", "surface", "3d", "wall"]
SurfaceKind = Literal["pial", "inflated", "white", "midthickness"]


class Colours(msgspec.Struct, frozen=True):
    """How values become colours.

    Values from ``low`` to ``high`` run through the table ``name``; beyond ``high`` they keep its last
    colour. With ``negative``, values below zero run through that table by their size, from
    ``negative_low`` to ``negative_high`` (both given as positive numbers).
    """

    name: str = "grey"
    low: float = 0.0
    high: float = 1.0
    negative: str | None = None
    negative_low: float = 0.0
    negative_high: float = 1.0
    inverted: bool = False


class Threshold(msgspec.Struct, frozen=True):
    """What happens to values nearer to zero than ``value`` (``negative`` on the negative side)."""

    value: float | None = None
    negative: float | None = None
    below: Literal["hide", "fade"] = "hide"
    outline: bool = False


class Modulation(msgspec.Struct, frozen=True):
    """A second image that decides how opaque this one is, or where it shows at all.

    ``alpha``: opacity rises from 0 at ``low`` to full at ``high`` of the size of the other image.
    ``clip``: shown only where the other image lies between ``low`` and ``high``.
    """

    by: Recipe
    how: Literal["alpha", "clip"] = "alpha"
    low: float = 0.0
    high: float = 1.0


class Overlay(msgspec.Struct, frozen=True):
    """One layer of the picture: a question and how its answer is drawn.

    ``key`` names the layer within its view and is never given twice. ``space`` is the template
    that the user has vouched for when the file itself does not say.
    """

    key: int
    recipe: Recipe
    name: str
    colours: Colours = Colours()
    threshold: Threshold = Threshold()
    opacity: float = 1.0
    visible: bool = True
    smooth: bool = True
    frame: int = 0
    modulation: Modulation | None = None
    space: str | None = None


class Lightbox(msgspec.Struct, frozen=True):
    """Rows and columns of parallel slices, ``spacing_mm`` apart.

    They start at ``first_mm``, or run through the crosshair when that is None.
    """

    axis: Axis = "axial"
    rows: int = 4
    columns: int = 6
    spacing_mm: float = 6.0
    first_mm: float | None = None


class Wall(msgspec.Struct, frozen=True):
    """Scans beside one another: one crosshair, one scale.

    Attributes
    ----------
    rows : tuple of tuple of int
        Keys of layers: a row per person, a column per session and one for the difference; 0 where there is no scan.
        Layers that are in no cell show in all of them.
    axis : str or None
        Which slices; None for all three of one person, and axial ones of several.
    """

    rows: tuple[tuple[int, ...], ...] = ()
    axis: Axis | None = None


class Camera(msgspec.Struct, frozen=True):
    """Where a 3D view is seen from: degrees round the head and above it, and magnification.

    Azimuth 0 looks from the front, 90 from the person's left, -90 from the right, 180 from behind.
    """

    azimuth_deg: float = 90.0
    elevation_deg: float = 0.0
    zoom: float = 1.0


class SurfaceView(msgspec.Struct, frozen=True):
    """The 3D views: which mesh, how opaque, which regions inside it.

    ``cortex`` is None for fsaverage5, else the path of one of the person's own surface files.
    """

    cortex: str | None = None
    kind: SurfaceKind = "pial"
    opacity: float = 1.0
    hemispheres: Literal["both", "left", "right"] = "both"
    regions: tuple[RegionMask, ...] = ()
    slices: bool = False
    camera: Camera = Camera()


class Marks(msgspec.Struct, frozen=True):
    """What is drawn over the slices, besides the orientation letters, which always are."""

    crosshair: bool = True
    scale_bar: bool = True
    colour_bars: bool = True
    positions: bool = True


class Vouched(msgspec.Struct, frozen=True):
    """The template that the user has vouched for, of an atlas whose file does not say."""

    atlas: str
    template: str


class ViewState(msgspec.Struct, frozen=True, tag_field="schema", tag="habena-view"):
    """Everything that decides the picture. Overlays are in drawing order, the lowest first.

    ``study`` is the folder (or table) of the study that is open.
    """

    version: int = SCHEMA_VERSION
    crosshair_mm: Point = (0.0, 0.0, 0.0)
    overlays: tuple[Overlay, ...] = ()
    selected: int | None = None
    layout: Layout = "ortho+surface"
    lightbox: Lightbox = Lightbox()
    zoom: float = 1.0
    centre_mm: Point | None = None
    radiological: bool = False
    marks: Marks = Marks()
    surface: SurfaceView = SurfaceView()
    atlases: tuple[str, ...] = ()
    vouched: tuple[Vouched, ...] = ()
    study: str | None = None
    wall: Wall = Wall()

    def template_of(self, atlas: str, stated: str) -> str:
        """Template of an atlas: what the user vouched for, else what its file or description states."""
        return next((one.template for one in self.vouched if one.atlas == atlas), stated)

    def overlay(self, key: int | None) -> Overlay | None:
        """The layer of that key, or None."""
        return next((overlay for overlay in self.overlays if overlay.key == key), None)

    def with_overlay(self, changed: Overlay) -> ViewState:
        """The same view with the layer of that key replaced."""
        layers = tuple(changed if overlay.key == changed.key else overlay for overlay in self.overlays)
        return msgspec.structs.replace(self, overlays=layers)

    def next_key(self) -> int:
        """A key that no layer of this view has."""
        return 1 + max((overlay.key for overlay in self.overlays), default=0)


def follows_crosshair(recipe: Recipe) -> bool:
    """Whether the answer changes as the crosshair moves."""
    return isinstance(recipe, SeedCorrelation | GroupSeedMap) and isinstance(recipe.seed, CrosshairSeed)


def run_of(recipe: Recipe) -> FileMap | None:
    """The run behind a computed map, None for other recipes."""
    return recipe.run if isinstance(recipe, SeedCorrelation) else None


class _Head(msgspec.Struct):
    """What every saved view starts with, whatever its version."""

    schema: Literal["habena-view"]
    version: int


# Made on import, which one thread does: two that prepare the same type at once crash in msgspec.
_HEAD = msgspec.json.Decoder(_Head)
_VIEW = msgspec.json.Decoder(ViewState)


def to_json(state: ViewState) -> bytes:
    """The view as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(state), indent=2)


def from_json(text: bytes, where: str = "scene") -> ViewState:
    """The view that `to_json` wrote.

    Raises
    ------
    Problem
        Not JSON, not a view, a version that this program does not know, or values out of range.
    """
    try:
        version = _HEAD.decode(text).version
        if version > SCHEMA_VERSION:
            newer = f"written by a newer Habena (view version {version}, this reads up to {SCHEMA_VERSION})"
            raise Problem(where, newer, "update Habena")
        return _VIEW.decode(text)
    except msgspec.DecodeError as error:
        todo = "open the scene file that Habena saved"
        raise Problem(where, f"not a Habena view ({error})", todo) from error


def json_schema() -> dict[str, object]:
    """JSON schema of a saved view."""
    return msgspec.json.schema(ViewState)
