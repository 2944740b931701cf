"""A canvas for graphs: spheres and lines by VTK, off-screen, inside a cortex of glass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkFiltersSources import vtkSphereSource
from vtkmodules.vtkRenderingCore import vtkActor, vtkGlyph3DMapper, vtkLight, vtkPolyDataMapper, vtkRenderer

from .camera import frame_of
from .graph_scene import GraphScene, Links, Nodes, aim_of
from .offscreen import Offscreen
from .scene import Mesh, Picture
from .surface_canvas import poly_data

THIN_PX, WIDE_PX = 1.4, 3.0
# The glass: how much of it is seen where it faces the viewer, and how much more at its edge.
FACING, EDGE = 0.05, 0.5
_AWAY_MM = 500.0
_RADIUS, _COLOUR = "radius", "colour"


class GraphCanvas:
    """Draws `GraphScene` values without `graph_marks`; the cortex stays on the graphics side between pictures.

    May be used beside other canvases, each in a thread of its own, hence no text (see `SurfaceCanvas`). While nothing
    but the graph changes, its glass is not drawn again.
    """

    def __init__(self, *, multi_samples: int = 0) -> None:
        self._offscreen = Offscreen(multi_samples=multi_samples)
        self._graph = _renderer(self._offscreen, headlight=False)
        self._glass = _renderer(self._offscreen, headlight=True)
        self._nodes, self._node_data = _node_actor()
        self._links = [_link_actor(), _link_actor()]
        self._meshes: dict[int, tuple[Mesh, vtkActor]] = {}
        self._opacity: tuple[object, NDArray[np.float32]] | None = None
        self._shown_nodes: Nodes | None = None
        self._shown_links: Links | None = None
        for actor in (self._nodes, *(actor for actor, _ in self._links)):
            self._graph.AddViewProp(actor)

    def picture(self, scene: GraphScene) -> Picture:
        """The canvas as RGBA, (height, width, 4) uint8, row 0 at the top."""
        self._offscreen.resize(*scene.size)
        glass = self._glass_of(scene)
        self._show_nodes(scene.nodes)
        self._show_links(scene)
        self._graph.SetBackground(*(channel / 255 for channel in scene.background))
        drawn = self._drawn(self._graph, scene)
        if glass is None:
            return drawn
        ink = np.array(scene.ink, np.float32)
        drawn[..., :3] += np.rint(glass[..., None] * (ink - drawn[..., :3])).astype(np.int16).astype(np.uint8)
        return drawn

    def _glass_of(self, scene: GraphScene) -> NDArray[np.float32] | None:
        """How much of the glass is seen at each pixel, (height, width); None without a cortex."""
        self._show_meshes(scene.outline)
        if not scene.outline:
            return None
        key = (*scene.outline, scene.size, scene.azimuth_deg, scene.elevation_deg, scene.zoom)
        if self._opacity is None or self._opacity[0] != key:
            # Red says how much the surface faces the viewer, and blue where there is none.
            self._glass.SetBackground(0.0, 0.0, 1.0)
            seen = self._drawn(self._glass, scene)[..., :3].astype(np.float32) / 255
            facing, missing = seen[..., 0], seen[..., 2]
            opacity = ((FACING + EDGE * (1 - facing) ** 2) * (1 - missing)).astype(np.float32)
            self._opacity = (key, opacity)
        return self._opacity[1]

    def _drawn(self, renderer: vtkRenderer, scene: GraphScene) -> Picture:
        for each in (self._graph, self._glass):
            each.SetDraw(each is renderer)
        _aim(renderer, scene)
        return self._offscreen.picture()

    def _show_nodes(self, nodes: Nodes) -> None:
        if nodes is self._shown_nodes:
            return
        points = vtkPoints()
        points.SetData(numpy_to_vtk(np.ascontiguousarray(nodes.places_mm, np.float32), deep=1))
        self._node_data.SetPoints(points)
        for name, values in ((_RADIUS, nodes.radii_mm), (_COLOUR, nodes.colours)):
            array = numpy_to_vtk(np.ascontiguousarray(values), deep=1)
            array.SetName(name)
            self._node_data.GetPointData().AddArray(array)
        self._node_data.GetPointData().SetActiveScalars(_COLOUR)
        self._node_data.Modified()
        self._shown_nodes = nodes

    def _show_links(self, scene: GraphScene) -> None:
        links = scene.links
        for (actor, data), strong, width in zip(self._links, (False, True), (THIN_PX, WIDE_PX), strict=True):
            actor.GetProperty().SetLineWidth(width * scene.scale)
            if links is not self._shown_links:
                chosen = links.strong == strong
                actor.SetVisibility(bool(chosen.any()))
                _fill(data, scene.nodes.places_mm, links.pairs[chosen], links.colours[chosen])
        self._shown_links = links

    def _show_meshes(self, outline: tuple[Mesh, ...]) -> None:
        wanted = {id(mesh): mesh for mesh in outline}
        for name in [name for name in self._meshes if name not in wanted]:
            self._glass.RemoveViewProp(self._meshes.pop(name)[1])
        for name, mesh in wanted.items():
            if name not in self._meshes:
                actor = _glass_actor(mesh)
                self._meshes[name] = (mesh, actor)
                self._glass.AddViewProp(actor)

    def close(self) -> None:
        """Free VTK's memory."""
        self._meshes.clear()
        self._links.clear()
        self._opacity = None
        self._offscreen.close()


def _renderer(offscreen: Offscreen, *, headlight: bool) -> vtkRenderer:
    renderer = offscreen.add_renderer()
    renderer.GetActiveCamera().ParallelProjectionOn()
    for azimuth, elevation, intensity in ((0, 0, 1.0),) if headlight else ((25, 35, 0.8), (-40, 10, 0.35)):
        light = vtkLight()
        light.SetLightTypeToCameraLight()
        light.SetDirectionAngle(elevation, azimuth)
        light.SetIntensity(intensity)
        renderer.AddLight(light)
    return renderer


def _node_actor() -> tuple[vtkActor, vtkPolyData]:
    ball = vtkSphereSource()
    ball.SetRadius(1.0)
    ball.SetThetaResolution(14)
    ball.SetPhiResolution(10)
    data = vtkPolyData()
    mapper = vtkGlyph3DMapper()
    mapper.SetSourceConnection(ball.GetOutputPort())
    mapper.SetInputData(data)
    mapper.SetScaleModeToScaleByMagnitude()
    mapper.SetScaleArray(_RADIUS)
    mapper.SetScalarModeToUsePointFieldData()
    mapper.SelectColorArray(_COLOUR)
    mapper.SetColorModeToDirectScalars()
    mapper.OrientOff()
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().SetAmbient(0.4)
    actor.GetProperty().SetDiffuse(0.65)
    return actor, data


def _link_actor() -> tuple[vtkActor, vtkPolyData]:
    data = vtkPolyData()
    mapper = vtkPolyDataMapper()
    mapper.SetInputData(data)
    mapper.SetScalarModeToUseCellData()
    mapper.SetColorModeToDirectScalars()
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().LightingOff()
    return actor, data


def _fill(data: vtkPolyData, places: NDArray[np.float32], pairs: NDArray[np.int32], colours: NDArray[np.uint8]) -> None:
    points = vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(places, np.float32), deep=1))
    cells = vtkCellArray()
    cells.SetData(
        numpy_to_vtkIdTypeArray(np.arange(0, 2 * len(pairs) + 1, 2, dtype=np.int64), deep=1),
        numpy_to_vtkIdTypeArray(np.ascontiguousarray(pairs.reshape(-1), np.int64), deep=1),
    )
    data.Initialize()
    data.SetPoints(points)
    data.SetLines(cells)
    data.GetCellData().SetScalars(numpy_to_vtk(np.ascontiguousarray(colours.reshape(-1, 3), np.uint8), deep=1))


def _glass_actor(mesh: Mesh) -> vtkActor:
    mapper = vtkPolyDataMapper()
    mapper.SetInputData(poly_data(mesh))
    mapper.ScalarVisibilityOff()
    actor = vtkActor()
    actor.SetMapper(mapper)
    style = actor.GetProperty()
    style.SetColor(1.0, 0.0, 0.0)
    style.SetAmbient(0.0)
    style.SetDiffuse(1.0)
    style.SetInterpolationToPhong()
    return actor


def _aim(renderer: vtkRenderer, scene: GraphScene) -> None:
    aim = aim_of(scene)
    towards, up, _ = frame_of(scene.azimuth_deg, scene.elevation_deg)
    camera = renderer.GetActiveCamera()
    camera.SetFocalPoint(*aim.middle_mm)
    camera.SetPosition(*(aim.middle_mm + towards * _AWAY_MM))
    camera.SetViewUp(*up)
    camera.SetParallelScale(aim.mm_per_px * scene.size[1] / 2)
    camera.SetClippingRange(10.0, 2 * _AWAY_MM)
