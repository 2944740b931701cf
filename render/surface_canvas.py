"""A canvas of 3D views: cortex, regions inside it, slices in space."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkIdList, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkImageData, vtkPolyData, vtkStaticCellLocator
from vtkmodules.vtkFiltersCore import vtkPolyDataNormals
from vtkmodules.vtkFiltersSources import vtkPlaneSource, vtkSphereSource
from vtkmodules.vtkRenderingCore import vtkActor, vtkLight, vtkPolyDataMapper, vtkRenderer, vtkTexture

from .camera import PRESETS, frame_of, letters_of
from .marks import FONT_PX, Mark, Text, caption, colour_bars, shortened
from .offscreen import Offscreen
from .scene import Mesh, MeshLayer, Picture, Pose, SlicePlane, SurfaceScene

CROSSHAIR_COLOUR = (0.47, 0.9, 0.47)
CROSSHAIR_RADIUS_MM = 2.5


def poly_data(mesh: Mesh) -> vtkPolyData:
    """VTK's form of a mesh, with vertex normals (vertices keep their numbers)."""
    data = vtkPolyData()
    points = vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(mesh.points, np.float32), deep=1))
    data.SetPoints(points)
    count = len(mesh.faces)
    cells = vtkCellArray()
    cells.SetData(
        numpy_to_vtkIdTypeArray(np.arange(0, 3 * count + 1, 3, dtype=np.int64), deep=1),
        numpy_to_vtkIdTypeArray(np.ascontiguousarray(mesh.faces.reshape(-1), np.int64), deep=1),
    )
    data.SetPolys(cells)
    normals = vtkPolyDataNormals()
    normals.SetInputData(data)
    normals.SplittingOff()
    normals.ConsistencyOff()
    normals.ComputePointNormalsOn()
    normals.Update()
    return normals.GetOutput()


class _MeshActor:
    """One mesh on the canvas: its actor, its colours, its locator for picking."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.data = poly_data(mesh)
        self.mapper = vtkPolyDataMapper()
        self.mapper.SetInputData(self.data)
        self.actor = vtkActor()
        self.actor.SetMapper(self.mapper)
        style = self.actor.GetProperty()
        style.SetInterpolationToPhong()
        style.SetAmbient(0.22)
        style.SetDiffuse(0.75)
        style.SetSpecular(0.08)
        style.SetSpecularPower(12)
        self._locator: vtkStaticCellLocator | None = None
        self._shown: MeshLayer | None = None

    def show(self, layer: MeshLayer) -> None:
        if self._shown is layer:
            return
        style = self.actor.GetProperty()
        if isinstance(layer.colours, np.ndarray):
            self.data.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(layer.colours), deep=1))
            self.mapper.SetColorModeToDirectScalars()
            self.mapper.ScalarVisibilityOn()
        else:
            self.mapper.ScalarVisibilityOff()
            style.SetColor(*(channel / 255 for channel in layer.colours))
        self._shown = layer

    def hit(self, start: NDArray[np.float64], stop: NDArray[np.float64]) -> tuple[float, int] | None:
        """Share of the way to the first crossing of a line, and the nearest vertex there."""
        if self._locator is None:
            self._locator = vtkStaticCellLocator()
            self._locator.SetDataSet(self.data)
            self._locator.BuildLocator()
        points, cells = vtkPoints(), vtkIdList()
        if not self._locator.IntersectWithLine(start.tolist(), stop.tolist(), 1e-6, points, cells):
            return None
        crossings = vtk_to_numpy(points.GetData()).astype(np.float64)
        along = (crossings - start) @ (stop - start) / ((stop - start) @ (stop - start))
        first = int(along.argmin())
        corners = self.mesh.faces[cells.GetId(first)]
        distance = np.linalg.norm(self.mesh.points[corners] - crossings[first], axis=1)
        return float(along[first]), int(corners[distance.argmin()])


class SurfaceCanvas:
    """Draws `SurfaceScene` values without `surface_marks`; meshes stay on the graphics side between pictures.

    May be used beside other canvases, each in a thread of its own. Hence no text: VTK's font cache is one for all
    threads and unprotected, and two that write at once corrupt the heap.
    """

    def __init__(self, *, multi_samples: int = 0) -> None:
        self._offscreen = Offscreen(multi_samples=multi_samples)
        self._views: list[vtkRenderer] = []
        self._meshes: dict[str, _MeshActor] = {}
        self._planes: list[tuple[vtkActor, vtkTexture, vtkPlaneSource]] = []
        self._crosshair = _crosshair_actor()
        self._scene: SurfaceScene | None = None

    def picture(self, scene: SurfaceScene) -> Picture:
        """The canvas as RGBA, (height, width, 4) uint8, row 0 at the top."""
        self._offscreen.resize(*scene.size)
        self._sync_views(len(scene.poses))
        self._sync_meshes(scene)
        self._sync_planes(scene.planes)
        for renderer, pose in self._posed(scene):
            self._aim(renderer, pose, scene)
        if scene.crosshair_mm is not None:
            self._crosshair.SetPosition(*scene.crosshair_mm)
        self._crosshair.SetVisibility(scene.crosshair_mm is not None)
        self._scene = scene
        return self._see_through(scene)

    def _see_through(self, scene: SurfaceScene) -> Picture:
        """The picture with what lies behind translucent meshes.

        A mesh is one pane of glass: its nearest face covers what would be seen without it. So two opaque pictures,
        with and without, are mixed. Sorting all its faces by depth ("peeling") would show every fold through every
        other, and takes five times as long without a graphics card.
        """
        with_all = self._offscreen.picture()
        glass = [layer for layer in scene.layers if layer.opacity < 1]
        if not glass:
            return with_all
        actors = [self._meshes[layer.name].actor for layer in glass]
        for actor in actors:
            actor.VisibilityOff()
        without = self._offscreen.picture()
        for actor in actors:
            actor.VisibilityOn()
        return mixed(without, with_all, max(layer.opacity for layer in glass))

    def pick(self, x: float, y: float) -> tuple[str, int] | None:
        """Name of the mesh layer and vertex number under a canvas position of the last picture."""
        scene = self._scene
        if scene is None:
            return None
        for renderer, pose in self._posed(scene):
            if pose.rect.contains(x, y):
                return self._pick_in(renderer, pose, scene, x, y)
        return None

    def _pick_in(
        self, renderer: vtkRenderer, pose: Pose, scene: SurfaceScene, x: float, y: float
    ) -> tuple[str, int] | None:
        near, far = (self._unproject(renderer, pose, x, y, depth) for depth in (-1.0, 1.0))
        hits: list[tuple[float, str, int]] = []
        for layer in scene.layers:
            if layer.name in pose.names:
                hit = self._meshes[layer.name].hit(near, far)
                if hit is not None:
                    hits.append((hit[0], layer.name, hit[1]))
        if not hits:
            return None
        _, name, vertex = min(hits)
        return name, vertex

    def _unproject(self, renderer: vtkRenderer, pose: Pose, x: float, y: float, depth: float) -> NDArray[np.float64]:
        """World position of a canvas position, half a metre before (-1) or behind (1) the middle."""
        camera = renderer.GetActiveCamera()
        towards, up, right = frame_of(pose.azimuth_deg, pose.elevation_deg)
        mm_per_px = 2 * camera.GetParallelScale() / pose.rect.height
        from_middle_x = (x - pose.rect.x - pose.rect.width / 2) * mm_per_px
        from_middle_y = (pose.rect.y + pose.rect.height / 2 - y) * mm_per_px
        middle = np.array(camera.GetFocalPoint())
        return middle + right * from_middle_x + up * from_middle_y - towards * 500.0 * depth

    def _posed(self, scene: SurfaceScene) -> list[tuple[vtkRenderer, Pose]]:
        """Each view that is drawn with its pose; a scene with more views leaves some behind."""
        return list(zip(self._views[: len(scene.poses)], scene.poses, strict=True))

    def _sync_views(self, count: int) -> None:
        while len(self._views) < count:
            renderer = self._offscreen.add_renderer()
            renderer.GetActiveCamera().ParallelProjectionOn()
            for light in _lights():
                renderer.AddLight(light)
            renderer.AddViewProp(self._crosshair)
            self._views.append(renderer)
        for number, renderer in enumerate(self._views):
            renderer.SetDraw(number < count)

    def _sync_meshes(self, scene: SurfaceScene) -> None:
        wanted = {layer.name: layer for layer in scene.layers}
        for name in list(self._meshes):
            if name not in wanted or self._meshes[name].mesh is not wanted[name].mesh:
                gone = self._meshes.pop(name)
                for renderer in self._views:
                    renderer.RemoveViewProp(gone.actor)
        for name, layer in wanted.items():
            if name not in self._meshes:
                self._meshes[name] = _MeshActor(layer.mesh)
            self._meshes[name].show(layer)

    def _sync_planes(self, planes: tuple[SlicePlane, ...]) -> None:
        while len(self._planes) < len(planes):
            self._planes.append(_plane_actor())
        for number, (actor, texture, source) in enumerate(self._planes):
            actor.SetVisibility(number < len(planes))
            if number < len(planes):
                _place(planes[number], texture, source)

    def _aim(self, renderer: vtkRenderer, pose: Pose, scene: SurfaceScene) -> None:
        width, height = scene.size
        x, y, w, h = pose.rect
        renderer.SetViewport(x / width, 1 - (y + h) / height, (x + w) / width, 1 - y / height)
        renderer.SetBackground(*(channel / 255 for channel in scene.background))
        shown = [self._meshes[name].actor for name in pose.names if name in self._meshes]
        shown += [actor for actor, _, _ in self._planes]
        for actor in [mesh.actor for mesh in self._meshes.values()] + [actor for actor, _, _ in self._planes]:
            present = renderer.HasViewProp(actor)
            if actor in shown and not present:
                renderer.AddViewProp(actor)
            elif actor not in shown and present:
                renderer.RemoveViewProp(actor)
        parts = [self._meshes[name].mesh.points for name in pose.names if name in self._meshes]
        # A view that can be turned keeps its scale from side to side; fixed ones are each as large as they can be.
        sides = tuple(PRESETS.values()) if len(scene.poses) == 1 else ((pose.azimuth_deg, pose.elevation_deg),)
        _point_camera(renderer, pose, parts + [_corners(plane) for plane in scene.planes], sides)

    def close(self) -> None:
        """Free VTK's memory."""
        self._meshes.clear()
        self._planes.clear()
        self._views.clear()
        self._offscreen.close()


def mixed(below: Picture, above: Picture, share: float) -> Picture:
    """Two pictures mixed; ``share`` of the one above, from 0 to 1."""
    weight = np.uint16(round(256 * share))
    return ((below * (np.uint16(256) - weight) + above * weight + np.uint16(128)) >> 8).astype(np.uint8)


def _point_camera(
    renderer: vtkRenderer, pose: Pose, parts: list[NDArray[np.float32]], sides: tuple[tuple[float, float], ...]
) -> None:
    """Aim at the middle of all parts, so near that they fill the view from the side from which they are largest."""
    if parts:
        low = np.min([points.min(axis=0) for points in parts], axis=0)
        high = np.max([points.max(axis=0) for points in parts], axis=0)
    else:
        low, high = np.full(3, -90.0), np.full(3, 90.0)
    middle = (low + high) / 2 if pose.around_mm is None else np.array(pose.around_mm)
    half = (high - low) / 2
    aspect = pose.rect.width / max(pose.rect.height, 1)
    needed = 1.0
    for side in sides:
        _, up, right = frame_of(*side)
        needed = max(needed, float(np.abs(up) @ half), float(np.abs(right) @ half) / aspect)
    towards, up, _ = frame_of(pose.azimuth_deg, pose.elevation_deg)
    camera = renderer.GetActiveCamera()
    camera.SetFocalPoint(*middle)
    camera.SetPosition(*(middle + towards * 500.0))
    camera.SetViewUp(*up)
    camera.SetParallelScale(1.08 * needed / pose.zoom)
    camera.SetClippingRange(10.0, 1000.0)


def surface_marks(scene: SurfaceScene) -> list[Mark]:
    """Letters of each view, notes above the lower edge, caption, colour bars."""
    marks: list[Mark] = []
    for pose in scene.poses:
        marks += _letters(pose, scene)
    marks += _notes(scene)
    if scene.caption:
        marks.append(caption(scene.caption, scene.size, scene.ink, scene.scale))
    if scene.bar_rect is not None:
        marks += colour_bars(scene.bars, scene.bar_rect, scene.ink, scene.scale)
    return marks


def _letters(pose: Pose, scene: SurfaceScene) -> list[Mark]:
    left, right, top, bottom = letters_of(pose)
    rect, size, edge = pose.rect, FONT_PX * scene.scale, 5 * scene.scale
    middle_x, middle_y = rect.x + rect.width / 2, rect.y + rect.height / 2
    marks = [
        Text(rect.x + edge, middle_y, left, size, scene.ink, "left", "centre", bold=True),
        Text(rect.x + rect.width - edge, middle_y, right, size, scene.ink, "right", "centre", bold=True),
        Text(middle_x, rect.y + edge, top, size, scene.ink, "centre", "top", bold=True),
        Text(middle_x, rect.y + rect.height - edge, bottom, size, scene.ink, "centre", "bottom", bold=True),
    ]
    return [mark for mark in marks if mark.text]


def _notes(scene: SurfaceScene) -> list[Mark]:
    width, height = scene.size
    size, edge = 11.5 * scene.scale, 6 * scene.scale
    lowest = height - edge - 1.6 * FONT_PX * scene.scale  # above the letter
    return [
        Text(
            edge,
            lowest - 1.4 * size * number,
            shortened(note.name, note.text, width - 2 * edge, size),
            size,
            scene.ink,
            "left",
            "bottom",
        )
        for number, note in enumerate(reversed(scene.notes[-3:]))
    ]


def _crosshair_actor() -> vtkActor:
    ball = vtkSphereSource()
    ball.SetRadius(CROSSHAIR_RADIUS_MM)
    ball.SetThetaResolution(24)
    ball.SetPhiResolution(24)
    mapper = vtkPolyDataMapper()
    mapper.SetInputConnection(ball.GetOutputPort())
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().SetColor(*CROSSHAIR_COLOUR)
    actor.GetProperty().SetAmbient(0.5)
    return actor


def _lights() -> list[vtkLight]:
    lights: list[vtkLight] = []
    for azimuth, elevation, intensity in ((25, 35, 0.85), (-40, 10, 0.35), (0, -60, 0.15)):
        light = vtkLight()
        light.SetLightTypeToCameraLight()
        light.SetDirectionAngle(elevation, azimuth)
        light.SetIntensity(intensity)
        lights.append(light)
    return lights


def _plane_actor() -> tuple[vtkActor, vtkTexture, vtkPlaneSource]:
    source = vtkPlaneSource()
    mapper = vtkPolyDataMapper()
    mapper.SetInputConnection(source.GetOutputPort())
    texture = vtkTexture()
    texture.InterpolateOn()
    texture.SetColorModeToDirectScalars()
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.SetTexture(texture)
    actor.GetProperty().LightingOff()
    # Clear pixels are left out rather than mixed: slices that cross then hide one another as they should.
    actor.ForceOpaqueOn()
    hook = "//VTK::TCoord::Impl"
    discarding = f"{hook}\n  if (gl_FragData[0].a < 0.5) discard;\n"
    actor.GetShaderProperty().AddFragmentShaderReplacement(hook, True, discarding, False)  # noqa: FBT003 - VTK's form
    return actor, texture, source


def _place(plane: SlicePlane, texture: vtkTexture, source: vtkPlaneSource) -> None:
    height, width = plane.picture.shape[:2]
    image = vtkImageData()
    image.SetDimensions(width, height, 1)
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(plane.picture[::-1]).reshape(-1, 4), deep=1))
    texture.SetInputData(image)
    origin, right, top = _corners(plane).tolist()
    source.SetOrigin(*origin)
    source.SetPoint1(*right)
    source.SetPoint2(*top)


def _corners(plane: SlicePlane) -> NDArray[np.float32]:
    """Lower left, lower right and upper left corner in mm, (3, 3)."""
    rect = plane.panel.rect
    x, y = (rect.x, rect.x + rect.width), (rect.y + rect.height, rect.y)
    places = ((x[0], y[0]), (x[1], y[0]), (x[0], y[1]))
    return np.array([plane.panel.mm_at(*place) for place in places], np.float32)
