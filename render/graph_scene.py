"""A graph inside the brain as a value: nodes in place, links between them, a glass cortex round them.

Where things are on the canvas is computed here, so that drawing, picking and lettering agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .camera import PRESETS, frame_of, letters_of
from .marks import FONT_PX, Box, Line, Mark, Text, caption, shortened
from .scene import Colour, Mesh, Pose, Rect

Floats = NDArray[np.float64]

MARGIN = 1.08
RING_PX = 3.0  # between a chosen node and the ring round it
LETTER = 0.64  # width of a bold letter, of its size
REACH_PX = 4.0  # a click so near a node still means it


@dataclass(frozen=True, eq=False)
class Nodes:
    """Spheres: ``places_mm`` (n, 3) float32, ``radii_mm`` (n,) float32, ``colours`` (n, 3) uint8."""

    places_mm: NDArray[np.float32]
    radii_mm: NDArray[np.float32]
    colours: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Links:
    """Straight lines between nodes: ``pairs`` (m, 2) int32, ``colours`` (m, 3) uint8; ``strong`` (m,) bool are wide."""

    pairs: NDArray[np.int32]
    colours: NDArray[np.uint8]
    strong: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class GraphScene:
    """A canvas with one graph.

    Attributes
    ----------
    size : (int, int)
        Width and height in pixels.
    nodes, links
    outline : tuple of Mesh
        The cortex, drawn as glass; may be empty.
    azimuth_deg, elevation_deg, zoom : float
        As in `Pose`.
    ringed : int or None
        The node that a ring marks, with ``label`` beside it.
    note : str
        Said in the lower right corner.
    """

    size: tuple[int, int]
    nodes: Nodes
    links: Links
    outline: tuple[Mesh, ...] = ()
    azimuth_deg: float = 180.0
    elevation_deg: float = 90.0
    zoom: float = 1.0
    ringed: int | None = None
    label: str = ""
    note: str = ""
    scale: float = 1.0
    background: Colour = (0, 0, 0)
    ink: Colour = (235, 235, 235)

    @property
    def pose(self) -> Pose:
        """The view, over the whole canvas."""
        return Pose(Rect(0, 0, *self.size), self.azimuth_deg, self.elevation_deg, self.zoom, ())


class Aim(NamedTuple):
    """Where the camera looks and how large a pixel is there."""

    middle_mm: Floats
    mm_per_px: float


def aim_of(scene: GraphScene) -> Aim:
    """Aim at the middle of the brain (or of the nodes), so that it fills the view from its largest side."""
    parts = [mesh.points for mesh in scene.outline] or [scene.nodes.places_mm]
    parts = [part for part in parts if len(part)]
    low = np.min([part.min(axis=0) for part in parts], axis=0) if parts else np.full(3, -90.0)
    high = np.max([part.max(axis=0) for part in parts], axis=0) if parts else np.full(3, 90.0)
    if not scene.outline and len(scene.nodes.radii_mm):
        low, high = low - scene.nodes.radii_mm.max(), high + scene.nodes.radii_mm.max()
    half = np.asarray(high - low, np.float64) / 2
    area = scene.pose.rect
    needed = 1e-3
    for side in PRESETS.values():
        _, up, right = frame_of(*side)
        needed = max(needed, float(np.abs(up) @ half) / area.height, float(np.abs(right) @ half) / area.width)
    return Aim(np.asarray(low + high, np.float64) / 2, 2 * MARGIN * needed / scene.zoom)


def placed(scene: GraphScene) -> tuple[Floats, Floats]:
    """Canvas positions of all nodes, (n, 2), and how near they are to the viewer in mm, (n,)."""
    aim, area = aim_of(scene), scene.pose.rect
    towards, up, right = frame_of(scene.azimuth_deg, scene.elevation_deg)
    away = scene.nodes.places_mm.astype(np.float64) - aim.middle_mm
    x = area.x + area.width / 2 + away @ right / aim.mm_per_px
    y = area.y + area.height / 2 - away @ up / aim.mm_per_px
    return np.column_stack([x, y]), away @ towards


def node_at(scene: GraphScene, x: float, y: float) -> int | None:
    """The node under a canvas position, the one in front where several are; None where there is none."""
    if not len(scene.nodes.places_mm):
        return None
    places, near_mm = placed(scene)
    radius_px = scene.nodes.radii_mm / aim_of(scene).mm_per_px
    distance = np.hypot(places[:, 0] - x, places[:, 1] - y)
    within = distance <= radius_px
    if within.any():
        return int(np.where(within, near_mm, -np.inf).argmax())
    missed = distance - radius_px
    nearest = int(missed.argmin())
    return nearest if missed[nearest] <= REACH_PX * scene.scale else None


def graph_marks(scene: GraphScene) -> list[Mark]:
    """Letters of the view, the ring and the name of the chosen node, a note."""
    marks = _letters(scene)
    if scene.ringed is not None:
        marks += _ring(scene, scene.ringed)
    if scene.note:
        marks.append(caption(scene.note, scene.size, scene.ink, scene.scale))
    return marks


def _letters(scene: GraphScene) -> list[Mark]:
    left, right, top, bottom = letters_of(scene.pose)
    area, size, edge = scene.pose.rect, FONT_PX * scene.scale, 5 * scene.scale
    middle_x, middle_y = area.width / 2, area.height / 2
    marks = [
        Text(edge, middle_y, left, size, scene.ink, "left", "centre", bold=True),
        Text(area.width - edge, middle_y, right, size, scene.ink, "right", "centre", bold=True),
        Text(middle_x, edge, top, size, scene.ink, "centre", "top", bold=True),
        Text(middle_x, area.height - edge, bottom, size, scene.ink, "centre", "bottom", bold=True),
    ]
    return [mark for mark in marks if mark.text]


def _ring(scene: GraphScene, node: int) -> list[Mark]:
    """A ring round a node and its name, on the side where there is room."""
    places, _ = placed(scene)
    x, y = (float(v) for v in places[node])
    radius = float(scene.nodes.radii_mm[node]) / aim_of(scene).mm_per_px + RING_PX * scene.scale
    turn = np.linspace(0, 2 * np.pi, 33)
    circle = np.column_stack([x + radius * np.cos(turn), y + radius * np.sin(turn)]).astype(np.float32)
    width = max(1.0, 1.5 * scene.scale)
    marks: list[Mark] = [Line(circle, scene.background, 3 * width), Line(circle, scene.ink, width)]
    return [*marks, *_label(scene, x, y, radius + 4 * scene.scale)]


def _label(scene: GraphScene, x: float, y: float, beside: float) -> list[Mark]:
    """The name of a node on a plain ground, or nothing."""
    if not scene.label:
        return []
    size, edge = 11.5 * scene.scale, 3 * scene.scale
    is_left = x > scene.size[0] / 2
    at = x - beside if is_left else x + beside
    room = (at if is_left else scene.size[0] - at) - edge
    text = shortened(scene.label, "", room, 1.15 * size)
    width = LETTER * size * len(text) + 2 * edge
    ground = Box((at + edge - width) if is_left else at - edge, y - 0.75 * size, width, 1.5 * size, scene.background)
    return [ground, Text(at, y, text, size, scene.ink, "right" if is_left else "left", "centre", bold=True)]
