"""The glass brain of the connectivity panel: turned by dragging, its nodes chosen by clicking."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QColor

from ...render.camera import PRESETS, turned
from ...render.graph_scene import GraphScene, graph_marks, node_at
from ...widgets.canvas import Canvas, Touch
from ...widgets.theme import look
from ..painting import with_marks
from ..surface_drawer import SurfaceDrawer
from ..surface_view import CLICK_PX, ZOOM_PER_NOTCH, ZOOM_RANGE

if TYPE_CHECKING:
    from ...render.graph_canvas import GraphCanvas
    from ...render.scene import Picture

TURN_PX = 20.0  # that an arrow key turns as if dragged


class GlassBrain(QObject):
    """Binds a `Canvas` to scenes of a graph.

    Signals
    -------
    node_chosen : (int)
    node_hovered : (int or None)
    drawn
        With each new picture.
    """

    node_chosen = Signal(int)
    node_hovered = Signal(object)
    drawn = Signal()

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._drawer = SurfaceDrawer(self, _graph_canvas, _finished)
        self._drawer.pictured.connect(self._show)
        self._scene: GraphScene | None = None
        self._view = (*PRESETS["top"], 1.0)
        self._pressed: Touch | None = None
        self._last: Touch | None = None
        self._moved = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._draw)
        canvas.needs_picture.connect(self.schedule)
        canvas.pressed.connect(self._press)
        canvas.dragged.connect(self._drag)
        canvas.released.connect(self._release)
        canvas.hovered.connect(lambda touch: self.node_hovered.emit(self._node_at(touch)))
        canvas.left.connect(lambda: self.node_hovered.emit(None))
        canvas.wheeled.connect(lambda _, notches: self._zoom(ZOOM_PER_NOTCH**notches))
        canvas.key_pressed.connect(self._key)

    @property
    def scene(self) -> GraphScene | None:
        """The scene as it is drawn: with the view, the size and the theme's colours."""
        if self._scene is None:
            return None
        azimuth, elevation, zoom = self._view
        colours = look()
        return replace(
            self._scene,
            size=self._canvas.size_px(),
            azimuth_deg=azimuth,
            elevation_deg=elevation,
            zoom=zoom,
            scale=self._canvas.devicePixelRatioF(),
            background=_rgb(colours.base),
            ink=_rgb(colours.text),
        )

    @property
    def busy(self) -> bool:
        """Whether a picture is due or on its way."""
        return self._soon.isActive() or self._drawer.busy

    def set_scene(self, scene: GraphScene | None) -> None:
        """Show a graph; where it is seen from stays."""
        self._scene = scene
        self.schedule()

    def look_from(self, side: str) -> None:
        """See it from one of `PRESETS`."""
        self._view = (*PRESETS[side], self._view[2])
        self.schedule()

    def schedule(self) -> None:
        """Draw in the next turn of the event loop."""
        if not self._soon.isActive():
            self._soon.start(0)

    def close(self) -> None:
        """Free the graphics memory."""
        self._soon.stop()
        self._drawer.close()

    def _draw(self) -> None:
        scene = self.scene
        if scene is not None and self._canvas.isVisible():
            self._drawer.draw(scene)

    def _show(self, picture: Any) -> None:
        self._canvas.set_picture(picture)
        self.drawn.emit()

    def _node_at(self, touch: Touch) -> int | None:
        scene = self.scene
        return None if scene is None else node_at(scene, touch.x, touch.y)

    def _turn(self, right_px: float, down_px: float) -> None:
        azimuth, elevation, zoom = self._view
        self._view = (*turned(azimuth, elevation, right_px, down_px), zoom)
        self.schedule()

    def _zoom(self, factor: float) -> None:
        azimuth, elevation, zoom = self._view
        self._view = (azimuth, elevation, min(max(zoom * factor, ZOOM_RANGE[0]), ZOOM_RANGE[1]))
        self.schedule()

    def _press(self, touch: Touch) -> None:
        self._pressed = self._last = touch
        self._moved = False

    def _drag(self, touch: Touch) -> None:
        if self._pressed is None or self._last is None:
            return
        if not self._moved and abs(touch.x - self._pressed.x) + abs(touch.y - self._pressed.y) < CLICK_PX:
            return
        self._moved = True
        ratio = self._canvas.devicePixelRatioF()
        if touch.button == "right":
            self._zoom(1.006 ** (self._last.y - touch.y))
        else:
            self._turn((touch.x - self._last.x) / ratio, (touch.y - self._last.y) / ratio)
        self._last = touch

    def _release(self, touch: Touch) -> None:
        if self._pressed is not None and not self._moved and touch.button == "left":
            node = self._node_at(touch)
            if node is not None:
                self.node_chosen.emit(node)
        self._pressed = self._last = None

    def _key(self, name: str, shift: bool) -> None:
        del shift
        across, down = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}.get(name, (0, 0))
        if across or down:
            self._turn(TURN_PX * across, TURN_PX * down)
        elif name in ("page up", "page down"):
            self._zoom(ZOOM_PER_NOTCH if name == "page up" else 1 / ZOOM_PER_NOTCH)
        else:
            self.look_from("top")


def _graph_canvas() -> GraphCanvas:
    from ...render.graph_canvas import GraphCanvas  # noqa: PLC0415 - VTK, after the slices

    return GraphCanvas()


def _finished(canvas: GraphCanvas, scene: GraphScene) -> Picture:
    return with_marks(canvas.picture(scene), graph_marks(scene))


def _rgb(name: str) -> tuple[int, int, int]:
    colour = QColor(name)
    return colour.red(), colour.green(), colour.blue()
