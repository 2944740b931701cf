"""The slices of a window: draws them when something changed, and turns the mouse into changes of the view."""

from __future__ import annotations

from dataclasses import replace as with_fields
from time import perf_counter
from typing import Literal, Protocol

from msgspec.structs import replace
from PySide6.QtCore import QObject, QTimer, Signal

from ..render.compose import Kernels
from ..render.layout import Arrangement, centre_of
from ..render.scene import AXIS_INDEX, Panel, Picture, SliceScene
from ..widgets.canvas import Canvas, Touch
from .actions import plane
from .recipes import Point
from .scenes import Shown
from .session import Session
from .state import Axis, Layout

WAIT_FOR_LIVE_MS = 12  # a seed map is usually there by then: one picture instead of two
SLOW_S = 0.040  # slower pictures are drawn coarser while something moves
SETTLED_MS = 120
ZOOM_PER_NOTCH = 1.15
ZOOM_PER_PX = 1.006
ZOOM_RANGE = (0.2, 40.0)


class SliceDrawing(Protocol):
    """What makes pictures of slices: VTK, or a painter until that is loaded."""

    def use(self, kernels: Kernels) -> None:
        """Compose with other kernels."""
        ...

    def picture(self, scene: SliceScene) -> Picture:
        """The canvas as RGBA."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


Gesture = Literal["", "crosshair", "pan", "zoom", "tool"]


class SliceView(QObject):
    """Binds a `Canvas` to a `Session`.

    Signals
    -------
    drawn
        A new picture is in the canvas.
    hovered : (Point or None)
        World position under the mouse.
    tool_used : (str, Panel, Point)
        press, drag or release of the left button while a tool is in hand.
    """

    drawn = Signal()
    hovered = Signal(object)
    tool_used = Signal(str, object, object)

    def __init__(self, session: Session, canvas: Canvas, drawing: SliceDrawing) -> None:
        super().__init__(canvas)
        self._session = session
        self._canvas = canvas
        self._painter = drawing
        self._arrangement = Arrangement((), None, None)
        self._gesture: Gesture = ""
        self._panel: Panel | None = None
        self._from: Touch | None = None
        self._anchor: Point = (0.0, 0.0, 0.0)  # where the button went down
        self._before_enlarged: Layout = "ortho+surface"
        self._cost_s = 0.0
        self._coarse = False
        self._axis: Axis = "axial"  # of the panel that was used last: where the arrow keys go
        self.has_tool = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.draw)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(SETTLED_MS)
        self._rest.timeout.connect(self._sharpen)
        session.changed.connect(self.schedule)
        canvas.needs_picture.connect(self.schedule)
        canvas.pressed.connect(self._press)
        canvas.dragged.connect(self._drag)
        canvas.released.connect(self._release)
        canvas.double_clicked.connect(self._enlarge)
        canvas.wheeled.connect(self._wheel)
        canvas.hovered.connect(self._hover)
        canvas.key_pressed.connect(self._key)
        canvas.left.connect(lambda: self.hovered.emit(None))

    def use(self, kernels: Kernels) -> None:
        """Draw with other kernels from now on."""
        self._painter.use(kernels)
        self.schedule()

    def draw_with(self, drawing: SliceDrawing) -> None:
        """Draw by other means from now on."""
        self._painter.close()
        self._painter = drawing
        self.schedule()

    @property
    def arrangement(self) -> Arrangement:
        """Panels of the last picture, in device pixels."""
        return self._arrangement

    def schedule(self) -> None:
        """Draw when the event queue is empty: a flood of moves becomes one picture, the newest."""
        wait = WAIT_FOR_LIVE_MS if self._session.waits_for_live else 0
        if not self._soon.isActive() or wait == 0:
            self._soon.start(wait)

    def draw(self) -> None:
        """Draw now."""
        with self._session.guarded():
            self._draw()

    def _draw(self) -> None:
        self._soon.stop()
        began = perf_counter()
        moving = self._gesture != "" or self._rest.isActive()
        self._coarse = moving and self._cost_s > SLOW_S
        width, height = self._canvas.size_px()
        scale = self._canvas.devicePixelRatioF()
        state, shown = self._session.state, self._session.shown()
        self._arrangement = self._session.scenes.arrangement(state, shown, (width, height), scale)
        scene = self._scene(shown, width, height, scale)
        if self._coarse:
            scene = with_fields(scene, coarse=2)
        self._canvas.set_picture(self._painter.picture(scene))
        if not self._coarse:
            self._cost_s = perf_counter() - began
        else:
            self._rest.start()
        self.drawn.emit()

    def _scene(self, shown: tuple[Shown, ...], width: int, height: int, scale: float) -> SliceScene:
        return self._session.scenes.slices(self._session.state, shown, (width, height), scale)

    def _sharpen(self) -> None:
        if self._coarse:
            self._cost_s = 0.0
            self.draw()

    def picture(self) -> Picture:
        """The canvas as it is, full size."""
        width, height = self._canvas.size_px()
        scene = self._scene(self._session.shown(), width, height, self._canvas.devicePixelRatioF())
        return self._painter.picture(scene)

    def panel_at(self, touch: Touch) -> Panel | None:
        """Panel under a position."""
        return next((panel for panel in self._arrangement.panels if panel.rect.contains(touch.x, touch.y)), None)

    def close(self) -> None:
        """Free the graphics memory."""
        self._soon.stop()
        self._rest.stop()
        self._painter.close()

    # -- mouse

    def _press(self, touch: Touch) -> None:
        panel = self.panel_at(touch)
        if panel is None:
            return
        self._panel, self._from, self._axis = panel, touch, panel.axis
        self._anchor = panel.mm_at(touch.x, touch.y)
        self._gesture = self._gesture_of(touch)
        if self._gesture == "crosshair":
            self._session.move_crosshair(panel.mm_at(touch.x, touch.y))
        elif self._gesture == "tool":
            self.tool_used.emit("press", panel, panel.mm_at(touch.x, touch.y))

    def _gesture_of(self, touch: Touch) -> Gesture:
        if touch.button == "middle" or (touch.button == "left" and touch.shift):
            return "pan"
        if touch.button == "right" or (touch.button == "left" and touch.control):
            return "zoom"
        return "tool" if self.has_tool else "crosshair"

    def _drag(self, touch: Touch) -> None:
        panel, start = self._panel, self._from
        if panel is None or start is None:
            return
        match self._gesture:
            case "crosshair":
                self._session.move_crosshair(self._clamped(panel, touch))
            case "tool":
                self.tool_used.emit("drag", panel, panel.mm_at(touch.x, touch.y))
            case "pan":
                before, after = panel.mm_at(start.x, start.y), panel.mm_at(touch.x, touch.y)
                self._pan(panel, before, after)
                self._from = touch
            case "zoom":
                self.zoom(ZOOM_PER_PX ** (start.y - touch.y), self._anchor)
                self._from = touch
            case _:
                pass

    def _clamped(self, panel: Panel, touch: Touch) -> Point:
        rect = panel.rect
        x = min(max(touch.x, rect.x), rect.x + rect.width)
        y = min(max(touch.y, rect.y), rect.y + rect.height)
        return panel.mm_at(x, y)

    def _release(self, touch: Touch) -> None:
        if self._gesture == "tool" and self._panel is not None:
            self.tool_used.emit("release", self._panel, self._panel.mm_at(touch.x, touch.y))
        self._gesture, self._panel, self._from = "", None, None
        self._session.store.settle()
        if self._coarse:
            self.schedule()

    def _pan(self, panel: Panel, before: Point, after: Point) -> None:
        centre = self._centre()
        moved = [c + b - a for c, b, a in zip(centre, before, after, strict=True)]
        moved[AXIS_INDEX[panel.axis]] = centre[AXIS_INDEX[panel.axis]]
        self._session.update("move the view", "pan", centre_mm=(moved[0], moved[1], moved[2]))

    def _centre(self) -> Point:
        """World point in the middle of the panels."""
        return centre_of(self._session.scenes.view(self._session.state, self._session.shown()))

    def zoom(self, factor: float, about: Point) -> None:
        """Magnify about a place, which stays where it is on every slice; not larger than the whole, all is shown."""
        before = self._session.state.zoom
        zoom = min(max(before * factor, ZOOM_RANGE[0]), ZOOM_RANGE[1])
        x, y, z = (a + (c - a) * before / zoom for a, c in zip(about, self._centre(), strict=True))
        self._session.update("zoom", "zoom", zoom=zoom, centre_mm=(x, y, z) if zoom > 1 else None)

    def _wheel(self, touch: Touch, notches: float) -> None:
        panel = self.panel_at(touch)
        if panel is None:
            return
        if touch.control:
            self.zoom(ZOOM_PER_NOTCH**notches, panel.mm_at(touch.x, touch.y))
        elif self._session.state.layout == "lightbox":
            self._scroll_lightbox(notches)
        else:
            self.step(AXIS_INDEX[panel.axis], notches)

    def _scroll_lightbox(self, notches: float) -> None:
        panels = self._arrangement.panels
        box = self._session.state.lightbox
        if panels:
            first = panels[0].position_mm + notches * box.spacing_mm
            self._session.update("scroll", "lightbox", lightbox=replace(box, first_mm=first))

    def step(self, axis: int, steps: float) -> None:
        """Move the crosshair along a world axis by voxels of the finest visible layer."""
        sizes = [
            abs(layer.answer.image.grid.affine[axis, :3]).max()
            for layer in self._session.shown()
            if layer.overlay.visible and layer.answer.image is not None
        ]
        mm = list(self._session.state.crosshair_mm)
        mm[axis] += steps * float(min(sizes, default=1.0))
        self._session.move_crosshair((mm[0], mm[1], mm[2]), merge=f"step {axis}")

    def _key(self, name: str, shift: bool) -> None:
        """Arrow keys move in the plane of the panel used last, Page keys across it; Shift by ten."""
        if name == "home":
            self._session.update("fit", None, zoom=1.0, centre_mm=None)
            return
        panel = next((p for p in self._arrangement.panels if p.axis == self._axis), None)
        if panel is None:
            panel = next(iter(self._arrangement.panels), None)
        if panel is None:
            return
        horizontal, vertical = panel.in_plane
        steps = 10.0 if shift else 1.0
        moves = {
            "left": (horizontal, -steps * panel.right_sign),
            "right": (horizontal, steps * panel.right_sign),
            "up": (vertical, steps),
            "down": (vertical, -steps),
            "page up": (AXIS_INDEX[panel.axis], steps),
            "page down": (AXIS_INDEX[panel.axis], -steps),
        }
        self.step(*moves[name])

    def _hover(self, touch: Touch) -> None:
        panel = self.panel_at(touch)
        with self._session.guarded():
            self.hovered.emit(None if panel is None else panel.mm_at(touch.x, touch.y))

    def _enlarge(self, touch: Touch) -> None:
        panel = self.panel_at(touch)
        if panel is None:
            return
        before = self._session.state.layout
        if before == "wall":  # all of its cells show that plane, or all planes again
            self._session.store.update(plane(panel.axis)(self._session.state), "enlarge")
            return
        layout: Layout = self._before_enlarged if before == panel.axis else panel.axis
        if before not in AXIS_INDEX:
            self._before_enlarged = before
        self._session.update("enlarge", None, layout=layout)
