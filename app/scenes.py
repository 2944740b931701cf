"""From a view and its answers to what is drawn: slices and 3D views."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace as replaced
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ..render.camera import PRESETS
from ..render.compose import Composer, Kernels, blend_values
from ..render.layout import BAR_HEIGHT_PX, TITLE_ROOM_PX, Arrangement, Grid, View, WallGrid, arrange
from ..render.scene import (
    AXIS_INDEX,
    ColourBar,
    Layer,
    Mesh,
    MeshLayer,
    Note,
    Panel,
    Picture,
    Pose,
    Rect,
    SlicePlane,
    SliceScene,
    SurfaceScene,
)
from .answers import Answer, Hemisphere, side_of
from .atlas import Atlas
from .layers import Layers, colour_bar, shading_of
from .questions import AtlasData, CortexData, Question, RegionSurface, projection_of
from .recipes import Point
from .resolve import Failure, is_underlay
from .results import Results
from .spaces import off_cortex
from .state import Layout, Overlay, ViewState, follows_crosshair
from .wall import cells_of, groups_of, in_cells

if TYPE_CHECKING:
    from .io.surface_cortex import Cortex
    from .io.surfaces import Surface

GYRUS, SULCUS = 172, 112
PLANE_MM = 1.0  # pixel of a slice in space
GAP_MM = 4.0  # between inflated hemispheres, which would overlap in place
_NO_ALPHA = np.empty((0, 0), np.float32)
NOT_INSIDE = "Slices and regions are not shown with an inflated surface"
_WORLD = ((-95.0, -130.0, -75.0), (95.0, 95.0, 110.0))


@dataclass(frozen=True, eq=False)
class Shown:
    """A layer with the answers that it shows now; ``other`` is the answer that modulates it."""

    overlay: Overlay
    answer: Answer
    other: Answer | None = None


class Scenes:
    """Makes scenes, keeping what is expensive and unchanged: layers, boxes, meshes, vertex colours."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._layers = Layers()
        self._meshes: dict[tuple[Hemisphere, str], tuple[Cortex, Mesh]] = {}
        self._base: dict[Hemisphere, tuple[Cortex, NDArray[np.uint8]]] = {}
        self._plane_composer: Composer | None = None

    def _known(self, question: Question) -> Any:
        """The answer to a question; None while there is none, and where there will be none."""
        answer = self._results.get(question)
        return None if isinstance(answer, Failure) else answer

    def view(self, state: ViewState, shown: tuple[Shown, ...]) -> View:
        """What part of the world the panels show: the anatomy's content, and what lies around it."""
        return View(
            *self.world_box(shown),
            state.crosshair_mm,
            state.centre_mm,
            state.zoom,
            state.radiological,
        )

    def world_box(self, shown: tuple[Shown, ...]) -> tuple[Point, Point]:
        """Box round all visible anatomy; where there is none, of the lowest visible layer that has a volume."""
        volumes = [layer for layer in shown if layer.overlay.visible and layer.answer.image is not None]
        boxes = [box_of(layer.answer) for layer in volumes if is_underlay(layer.overlay)]
        boxes = boxes or [box_of(layer.answer) for layer in volumes[:1]] or [_WORLD]
        lows, highs = zip(*boxes, strict=True)
        return point(np.min(lows, axis=0)), point(np.max(highs, axis=0))

    def arrangement(
        self, state: ViewState, shown: tuple[Shown, ...], size: tuple[int, int], scale: float
    ) -> Arrangement:
        """Panels and rectangles of a canvas."""
        box = state.lightbox
        cells = cells_of(state) if state.layout == "wall" else ()
        grid = Grid(box.axis, box.rows, box.columns, box.spacing_mm, box.first_mm)
        if cells:
            titled = len(state.wall.rows) > 1  # in one person's, titles find room beside the head
            room = round(TITLE_ROOM_PX * scale) if titled else 0
            grid = WallGrid(tuple(row[0].axis for row in cells), len(cells[0]), room)
        bar_height = round(BAR_HEIGHT_PX * scale) if self._has_bars(state, shown) else 0
        return arrange(self.view(state, shown), size, state.layout, grid, bar_height)

    def _has_bars(self, state: ViewState, shown: tuple[Shown, ...]) -> bool:
        """Whether there is a strip for colour bars: also for a live map that has no answer where the crosshair is.

        Otherwise slices would jump under the mouse that takes a seed out of the brain.
        """
        live = any(overlay.visible and follows_crosshair(overlay.recipe) for overlay in state.overlays)
        return bool(self.bars(state, shown)) or (state.marks.colour_bars and live)

    def bars(self, state: ViewState, shown: tuple[Shown, ...]) -> tuple[ColourBar, ...]:
        """Keys to the colours of all visible layers that need one."""
        if not state.marks.colour_bars:
            return ()
        wanted = [
            colour_bar(layer.overlay, layer.answer) for layer in shown_once(state, shown) if layer.overlay.visible
        ]
        return tuple(bar for bar in wanted if bar is not None)

    def slices(self, state: ViewState, shown: tuple[Shown, ...], size: tuple[int, int], scale: float) -> SliceScene:
        """The canvas of slices."""
        place = self.arrangement(state, shown, size, scale)
        layers, keys = self._layers_and_keys(shown)
        return SliceScene(
            size,
            in_cells(place.panels, state, keys),
            layers,
            state.crosshair_mm if state.marks.crosshair else None,
            scale_bar=state.marks.scale_bar,
            positions=state.marks.positions,
            bars=self.bars(state, shown),
            bar_rect=place.bars,
            caption=caption_of(shown),
            scale=scale,
        )

    def layers(self, shown: tuple[Shown, ...]) -> tuple[Layer, ...]:
        """Drawing layers of the visible overlays, the lowest first; the same tuple contents while nothing changes."""
        return self._layers_and_keys(shown)[0]

    def _layers_and_keys(self, shown: tuple[Shown, ...]) -> tuple[tuple[Layer, ...], tuple[int, ...]]:
        """Drawing layers, and the keys of their overlays."""
        made = [(self._layers.layer(s.overlay, s.answer, s.other), s.overlay.key) for s in shown if s.overlay.visible]
        self._layers.forget({s.overlay.key for s in shown})
        there = [(layer, key) for layer, key in made if layer is not None]
        return tuple(layer for layer, _ in there), tuple(key for _, key in there)

    def surfaces(
        self, state: ViewState, shown: tuple[Shown, ...], size: tuple[int, int], scale: float, kernels: Kernels
    ) -> SurfaceScene | None:
        """The canvas of 3D views, None while the cortex is not at hand."""
        cortices: tuple[Cortex, ...] | None = self._known(CortexData(state.surface.cortex))
        if cortices is None:
            return None
        hidden = state.surface.hemispheres
        chosen = [c for c in cortices if hidden == "both" or side_of(c) == hidden]
        coloured = [layer for layer in shown if layer.overlay.visible and not is_underlay(layer.overlay)]
        off = {layer.overlay.key: why for layer in coloured if (why := off_cortex(layer, shown, state))}
        painted = [(layer, layer.overlay.key not in off) for layer in coloured]
        layers = [self._cortex_layer(cortex, state, painted, kernels) for cortex in chosen]
        in_place = all(shown_surface(cortex, state.surface.kind).in_world for cortex in chosen)
        regions = self._region_layers(state) if in_place else []
        planes = self._planes(state, shown, kernels) if state.surface.slices and in_place else ()
        off_notes = [
            Note(layer.overlay.name, f" is not on the cortex: {off[layer.overlay.key]}")
            for layer, projected in painted
            if not projected and layer.answer.image is not None and not on_vertices_of(layer.answer, chosen)
        ]
        inside = state.surface.slices or state.surface.regions
        names = tuple(layer.name for layer in layers)
        inner = tuple(layer.name for layer in regions)
        return SurfaceScene(
            size,
            poses(state, Rect(0, 0, *size), names, inner),
            (*regions, *layers),
            planes,
            crosshair_mm=self.crosshair_on(state, chosen) if state.marks.crosshair else None,
            notes=(*off_notes, *([] if in_place or not inside else [Note("", NOT_INSIDE)])),
            caption="" if self.bars(state, shown) else caption_of(shown),  # else it stands beside the colour bars
            scale=scale,
        )

    def _planes(self, state: ViewState, shown: tuple[Shown, ...], kernels: Kernels) -> tuple[SlicePlane, ...]:
        """The three slices through the crosshair, as they stand in space; clear where there is nothing."""
        if self._plane_composer is None or self._plane_composer.kernels is not kernels:
            self._plane_composer = Composer(kernels)
        low, high = (np.array(corner) for corner in self.world_box(shown))
        middle, size = (low + high) / 2, high - low
        layers = self.layers(shown)
        planes: list[SlicePlane] = []
        for number, (axis, along) in enumerate(AXIS_INDEX.items()):
            panel = Panel(axis, state.crosshair_mm[along], Rect(0, 0, 1, 1), (0.0, 0.0), PLANE_MM)
            across, up = panel.in_plane
            rect = Rect(0, 0, max(1, round(size[across] / PLANE_MM)), max(1, round(size[up] / PLANE_MM)))
            panel = panel._replace(rect=rect, centre_mm=(float(middle[across]), float(middle[up])))
            picture = self._plane_composer.picture(number, panel, layers, None)
            planes.append(SlicePlane(panel, without_background(picture)))
        return tuple(planes)

    def _cortex_layer(
        self, cortex: Cortex, state: ViewState, painted: list[tuple[Shown, bool]], kernels: Kernels
    ) -> MeshLayer:
        """The cortex under its layers; each comes with whether its volume may be projected."""
        side = side_of(cortex)
        colours = self._shading(cortex, side).copy().reshape(1, -1, 4)
        for layer, projected in painted:
            if projected or on_vertices_of(layer.answer, [cortex]):
                self._paint(cortex, state, layer, colours, kernels)
        return MeshLayer(side, self.mesh(cortex, state.surface.kind), colours[0, :, :3], state.surface.opacity)

    def _paint(
        self, cortex: Cortex, state: ViewState, layer: Shown, colours: NDArray[np.uint8], kernels: Kernels
    ) -> None:
        shading = shading_of(layer.overlay, layer.answer)
        values = self.vertex_values(cortex, state, layer.answer, layer.overlay.frame)
        if shading is None or values is None:
            return
        alpha = _NO_ALPHA
        if layer.overlay.modulation is not None and layer.other is not None:
            other = self.vertex_values(cortex, state, layer.other, layer.overlay.frame)
            if other is not None:
                alpha = vertex_alpha(layer.overlay, other).reshape(1, -1)
        blend_values(values.reshape(1, -1), shading, alpha, colours, kernels)

    def vertex_values(self, cortex: Cortex, state: ViewState, answer: Answer, frame: int) -> NDArray[np.float32] | None:
        """A layer's values on the vertices: its own, else projected from its volume, else None."""
        side = side_of(cortex)
        frame = min(frame, answer.n_frames - 1)
        own = answer.cortex.get(side)
        if own is not None and own.n_vertices == cortex.n_vertices:
            return own.frame(frame)
        image = answer.image
        if image is None or image.kind == "rgb" or not image.ready(frame):
            return None
        from .project import Projected, on_vertices  # noqa: PLC0415 - Numba, and slices do without it

        projected: Projected | None = self._known(projection_of(image.grid, state.surface.cortex))
        if projected is None or side not in projected.by_side:
            return None
        return on_vertices(projected.by_side[side], image.frame(frame), labels=answer.is_labels)

    def _shading(self, cortex: Cortex, side: Hemisphere) -> NDArray[np.uint8]:
        """Two greys by the sign of curvature, (n, 4)."""
        kept = self._base.get(side)
        if kept is None or kept[0] is not cortex:
            folds = cortex.curvature if cortex.curvature is not None else cortex.sulcal_depth
            grey = np.full(cortex.n_vertices, GYRUS, np.uint8)
            if folds is not None:
                grey[folds > 0] = SULCUS
            kept = (cortex, np.column_stack([grey, grey, grey, np.full_like(grey, 255)]))
            self._base[side] = kept
        return kept[1]

    def mesh(self, cortex: Cortex, kind: str) -> Mesh:
        """The surface that is shown; inflated ones stand beside each other."""
        side = side_of(cortex)
        kept = self._meshes.get((side, kind))
        if kept is None or kept[0] is not cortex:
            surface = shown_surface(cortex, kind)
            points = surface.coordinates
            if not surface.in_world:
                shift = -points[:, 0].max() - GAP_MM if side == "left" else GAP_MM - points[:, 0].min()
                points = points + np.array([shift, 0, 0], np.float32)
            kept = (cortex, Mesh(points, surface.faces))
            self._meshes[side, kind] = kept
        return kept[1]

    def crosshair_on(self, state: ViewState, cortices: list[Cortex]) -> Point:
        """Where the crosshair is drawn: in place, or on an inflated surface at the nearest vertex of the pial."""
        nearest: tuple[float, Point] | None = None
        for cortex in cortices:
            shown = self.mesh(cortex, state.surface.kind)
            world = cortex.world
            if world is None or shown_surface(cortex, state.surface.kind).in_world:
                continue
            distance = np.linalg.norm(world.coordinates - np.array(state.crosshair_mm, np.float32), axis=1)
            vertex = int(distance.argmin())
            x, y, z = (float(v) for v in shown.points[vertex])
            if nearest is None or distance[vertex] < nearest[0]:
                nearest = (float(distance[vertex]), (x, y, z))
        return state.crosshair_mm if nearest is None else nearest[1]

    def place_of(self, state: ViewState, name: str, vertex: int) -> Point | None:
        """World position of a picked vertex: that of the pial, whatever surface is shown; None for other meshes."""
        cortices: tuple[Cortex, ...] = self._known(CortexData(state.surface.cortex)) or ()
        for cortex in cortices:
            if side_of(cortex) == name and cortex.world is not None:
                x, y, z = (float(v) for v in cortex.world.coordinates[vertex])
                return x, y, z
        return None

    def _region_layers(self, state: ViewState) -> list[MeshLayer]:
        layers: list[MeshLayer] = []
        for region in state.surface.regions:
            mesh: Mesh | None = self._known(RegionSurface(region))
            atlas: Atlas | None = self._known(AtlasData(region.atlas))
            if mesh is not None and atlas is not None and len(mesh.faces):
                name = f"region {region.atlas} {' '.join(map(str, region.indices))}"
                layers.append(MeshLayer(name, mesh, atlas.region(region.indices[0]).colour))
        return layers


def on_vertices_of(answer: Answer, cortices: list[Cortex]) -> bool:
    """Whether an answer has values on the vertices of a cortex themselves."""
    own = [answer.cortex.get(side_of(cortex)) for cortex in cortices]
    return any(o is not None and o.n_vertices == c.n_vertices for o, c in zip(own, cortices, strict=True))


def shown_surface(cortex: Cortex, kind: str) -> Surface:
    """The surface of a kind, else the one that the cortex has."""
    return (cortex.inflated if kind == "inflated" else cortex.surface(kind)) or cortex.surfaces[0]


def box_of(answer: Answer) -> tuple[Point, Point]:
    """World box of what an image shows."""
    if answer.box_mm is not None or answer.image is None:
        return answer.box_mm or _WORLD
    low, high = answer.image.grid.bounds_mm
    return point(low), point(high)


def point(values: NDArray[np.float64]) -> Point:
    """Three numbers as a point."""
    x, y, z = (float(value) for value in values)
    return x, y, z


def without_background(picture: Picture) -> Picture:
    """A slice whose black is clear, so that the empty corners of its box do not hide what is behind them."""
    clear = picture.copy()
    clear[clear[..., :3].max(axis=-1) < 8, 3] = 0
    return clear


def vertex_alpha(overlay: Overlay, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Opacity that a second image asks for, per vertex; the same rule as on slices."""
    modulation = overlay.modulation
    if modulation is None:
        return np.ones_like(values)
    if modulation.how == "clip":
        return ((values >= modulation.low) & (values <= modulation.high)).astype(np.float32)
    span = max(modulation.high - modulation.low, 1e-30)
    return np.nan_to_num(np.clip((np.abs(values) - modulation.low) / span, 0, 1)).astype(np.float32)


def poses(state: ViewState, area: Rect, cortex: tuple[str, ...], inner: tuple[str, ...]) -> tuple[Pose, ...]:
    """One view from the camera, or four: both hemispheres from outside, and below each from the midline."""
    camera = state.surface.camera
    if state.layout != "surface":
        return (Pose(area, camera.azimuth_deg, camera.elevation_deg, camera.zoom, (*cortex, *inner)),)
    found: list[Pose] = []
    sides = [side for side in ("left", "right") if side in cortex]
    width = area.width // max(1, len(sides))
    for column, side in enumerate(sides):
        outside, inside = PRESETS["left" if side == "left" else "right"], PRESETS["right" if side == "left" else "left"]
        for row, (azimuth, elevation) in enumerate((outside, inside)):
            rect = Rect(area.x + column * width, area.y + row * (area.height // 2), width, area.height // 2)
            found.append(Pose(rect, azimuth, elevation, camera.zoom, (side, *inner)))
    return tuple(found)


def shown_once(state: ViewState, shown: tuple[Shown, ...]) -> tuple[Shown, ...]:
    """Layers that need a colour bar of their own: on a wall, one for all that share a scale."""
    if state.layout != "wall":
        return shown
    seen: set[int] = set()
    kept: list[Shown] = []
    groups = groups_of(state)
    for layer in shown:
        group = next((g for g in groups if layer.overlay.key in g), (layer.overlay.key,))
        if not seen.intersection(group):
            name = layer.overlay.name if len(group) == 1 else f"{len(group)} on one scale"
            kept.append(replaced(layer, overlay=replace(layer.overlay, name=name)))
        seen.update(group)
    return tuple(kept)


def caption_of(shown: tuple[Shown, ...]) -> str:
    """What every picture of simulated data says."""
    return "simulated data" if any(layer.answer.simulated for layer in shown) else ""


def has_surface(layout: Layout) -> bool:
    """Whether a layout has a 3D view."""
    return layout in ("ortho+surface", "surface", "3d")
