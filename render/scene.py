"""What to draw, as frozen values: the vocabulary that `app` translates into.

World coordinates are millimetres, RAS+. Pictures are ``(height, width, 4)`` uint8 RGBA with row 0 at the top.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Axis = Literal["sagittal", "coronal", "axial"]
AXIS_INDEX: dict[Axis, int] = {"sagittal": 0, "coronal": 1, "axial": 2}
Colour = tuple[int, int, int]
Point = tuple[float, float, float]
Volume = NDArray[np.float32]
Picture = NDArray[np.uint8]


class Rect(NamedTuple):
    """A rectangle of the canvas in pixels, y downwards."""

    x: int
    y: int
    width: int
    height: int

    def contains(self, x: float, y: float) -> bool:
        """Whether a pixel position lies inside."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


@dataclass(frozen=True, eq=False)
class Shading:
    """How sampled values become colour and opacity.

    Attributes
    ----------
    positive : (256, 3) uint8
        Colours from ``low`` to ``high``; values beyond keep the end colours.
    negative : (256, 3) uint8 or None
        Colours of values below zero by their size, from ``negative_low`` to ``negative_high``.
    threshold, negative_threshold : float
        Values nearer to zero are hidden or, with ``fade``, more transparent the smaller they are
        (opacity falls with the square, as in AFNI). Without ``negative`` the threshold is a plain
        lower bound. -inf: no threshold.
    """

    positive: NDArray[np.uint8]
    low: float
    high: float
    negative: NDArray[np.uint8] | None = None
    negative_low: float = 0.0
    negative_high: float = 1.0
    threshold: float = -np.inf
    negative_threshold: float = -np.inf
    fade: bool = False
    opacity: float = 1.0


@dataclass(frozen=True, eq=False)
class LabelShading:
    """Colours of integer labels: row ``n`` of ``table`` ((n, 4) uint8 RGBA) is the colour of label ``n``."""

    table: NDArray[np.uint8]
    opacity: float = 1.0


@dataclass(frozen=True, eq=False)
class Source:
    """An array and where it lies.

    Attributes
    ----------
    data : (nx, ny, nz) float32, or (nx, ny, nz, 4) uint8 RGBA
        NaN is empty.
    inverse : (4, 4) float64
        World millimetres to voxel indices.
    smooth : bool
        Trilinear sampling, else nearest voxel.
    """

    data: NDArray[np.float32] | NDArray[np.uint8]
    inverse: NDArray[np.float64]
    smooth: bool = True


@dataclass(frozen=True, eq=False)
class Modulator:
    """Opacity from a second image: rising from ``low`` to ``high`` of its size, or on-off between."""

    source: Source
    low: float
    high: float
    clip: bool = False


@dataclass(frozen=True, eq=False)
class Layer:
    """One image of the stack; ``outline`` colours a line at the threshold (or round labels), or is None."""

    source: Source
    shading: Shading | LabelShading | None
    modulator: Modulator | None = None
    outline: Colour | None = None
    opacity: float = 1.0


class Panel(NamedTuple):
    """One slice in one rectangle of the canvas.

    Attributes
    ----------
    axis : str
        Which world axis is cut.
    position_mm : float
        Where.
    rect : Rect
        Its place on the canvas.
    centre_mm : (float, float)
        World coordinates, horizontal and vertical, at the rectangle's centre.
    mm_per_px : float
        Size of a pixel.
    flipped : bool
        Radiological: the person's right is on the left of axial and coronal pictures.
    layers : tuple of int or None
        Numbers of the scene's layers that it shows; None for all.
    title : str
        Written into its upper left corner.
    """

    axis: Axis
    position_mm: float
    rect: Rect
    centre_mm: tuple[float, float]
    mm_per_px: float
    flipped: bool = False
    layers: tuple[int, ...] | None = None
    title: str = ""

    def shows(self, layer: int) -> bool:
        """Whether a layer of the scene is to be seen here."""
        return self.layers is None or layer in self.layers

    @property
    def in_plane(self) -> tuple[int, int]:
        """World axes that run to the right and upwards."""
        horizontal, vertical = {"sagittal": (1, 2), "coronal": (0, 2), "axial": (0, 1)}[self.axis]
        return horizontal, vertical

    @property
    def right_sign(self) -> float:
        """+1 when the horizontal world axis grows to the right."""
        return -1.0 if self.flipped and self.axis != "sagittal" else 1.0

    def mm_at(self, x: float, y: float) -> Point:
        """World position of a canvas position."""
        horizontal, vertical = self.in_plane
        mm = [0.0, 0.0, 0.0]
        mm[AXIS_INDEX[self.axis]] = self.position_mm
        from_centre = x - self.rect.x - self.rect.width / 2
        mm[horizontal] = self.centre_mm[0] + self.right_sign * from_centre * self.mm_per_px
        mm[vertical] = self.centre_mm[1] - (y - self.rect.y - self.rect.height / 2) * self.mm_per_px
        return mm[0], mm[1], mm[2]

    def px_of(self, mm: Point) -> tuple[float, float]:
        """Canvas position of a world position, projected onto the slice."""
        horizontal, vertical = self.in_plane
        x = (mm[horizontal] - self.centre_mm[0]) * self.right_sign / self.mm_per_px
        y = (self.centre_mm[1] - mm[vertical]) / self.mm_per_px
        return self.rect.x + self.rect.width / 2 + x, self.rect.y + self.rect.height / 2 + y

    def coarser(self, factor: int) -> Panel:
        """The same slice as a picture of its own, with one pixel for ``factor`` squared; may reach beyond the edge."""
        if factor == 1:
            return self
        width, height = -(-self.rect.width // factor), -(-self.rect.height // factor)
        right, down = (width * factor - self.rect.width) / 2, (height * factor - self.rect.height) / 2
        x, y = self.centre_mm
        centre = (x + self.right_sign * right * self.mm_per_px, y - down * self.mm_per_px)
        return self._replace(rect=Rect(0, 0, width, height), centre_mm=centre, mm_per_px=self.mm_per_px * factor)

    @property
    def pixel_to_mm(self) -> NDArray[np.float64]:
        """(4, 4): (column, row, 0, 1) of the panel's own picture, integers at pixel centres, to world mm."""
        horizontal, vertical = self.in_plane
        matrix = np.zeros((4, 4))
        matrix[horizontal, 0] = self.right_sign * self.mm_per_px
        matrix[vertical, 1] = -self.mm_per_px
        matrix[:3, 3] = self.mm_at(self.rect.x + 0.5, self.rect.y + 0.5)
        matrix[AXIS_INDEX[self.axis], 2] = 1.0
        matrix[3, 3] = 1.0
        return matrix


class ColourBar(NamedTuple):
    """The key to one layer's colours."""

    name: str
    unit: str
    shading: Shading


class Note(NamedTuple):
    """A line of text about a layer; its name is cut where there is no room, what is said of it is not."""

    name: str
    text: str


@dataclass(frozen=True, eq=False)
class SliceScene:
    """A canvas of slices.

    Attributes
    ----------
    panels : tuple of Panel
    layers : tuple of Layer
        In drawing order, the lowest first.
    crosshair_mm : Point or None
        None draws no crosshair.
    bars : tuple of ColourBar
        Drawn into ``bar_rect``.
    coarse : int
        The slices have one pixel for so many of the canvas, across and down; what is over them stays sharp.
    """

    size: tuple[int, int]
    panels: tuple[Panel, ...]
    layers: tuple[Layer, ...] = ()
    crosshair_mm: Point | None = None
    letters: bool = True
    scale_bar: bool = True
    positions: bool = True
    bars: tuple[ColourBar, ...] = ()
    bar_rect: Rect | None = None
    caption: str = ""
    scale: float = 1.0
    background: Colour = (0, 0, 0)
    ink: Colour = (235, 235, 235)
    coarse: int = 1


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles in world mm: ``points`` (n, 3) float32, ``faces`` (m, 3) int32; shared between scenes."""

    points: NDArray[np.float32]
    faces: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class MeshLayer:
    """A mesh with one colour per vertex, (n, 3) uint8, or one for all.

    ``name`` is what a pick reports.
    """

    name: str
    mesh: Mesh
    colours: NDArray[np.uint8] | Colour
    opacity: float = 1.0


class Pose(NamedTuple):
    """Where a 3D view stands on the canvas and where it looks from.

    Azimuth 0 is from the front, 90 from the person's left, 180 from behind; elevation 90 is from above.
    ``names`` are the mesh layers it shows; ``around_mm`` is looked at, None for their middle.
    """

    rect: Rect
    azimuth_deg: float
    elevation_deg: float
    zoom: float
    names: tuple[str, ...]
    around_mm: Point | None = None


@dataclass(frozen=True, eq=False)
class SlicePlane:
    """A composed slice shown in space: the panel that it was composed for and its RGBA picture."""

    panel: Panel
    picture: Picture


@dataclass(frozen=True, eq=False)
class SurfaceScene:
    """A canvas of 3D views; ``notes`` say what is not in them."""

    size: tuple[int, int]
    poses: tuple[Pose, ...]
    layers: tuple[MeshLayer, ...] = ()
    planes: tuple[SlicePlane, ...] = ()
    crosshair_mm: Point | None = None
    bars: tuple[ColourBar, ...] = ()
    bar_rect: Rect | None = None
    caption: str = ""
    notes: tuple[Note, ...] = ()
    scale: float = 1.0
    background: Colour = (0, 0, 0)
    ink: Colour = (235, 235, 235)
