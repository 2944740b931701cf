"""The 3D view of a window: drawn after the slices, turned by dragging, picked by clicking."""

from __future__ import annotations

from time import perf_counter

from msgspec.structs import replace
from PySide6.QtCore import QObject, QTimer, Signal

from ..render.camera import turned
from ..render.compose import Kernels
from ..render.scene import Picture
from ..widgets.canvas import Canvas, Touch
from .scenes import has_surface
from .session import Session
from .surface_drawer import SurfaceDrawer

CLICK_PX = 4.0
LEAST_INTERVAL_MS = 60.0
ZOOM_PER_NOTCH = 1.12
ZOOM_RANGE = (0.3, 12.0)


class SurfaceView(QObject):
    """Binds a `Canvas` to a `Session`. `drawn` comes with each new picture."""

    drawn = Signal()

    def __init__(self, session: Session, canvas: Canvas, kernels: Kernels) -> None:
        super().__init__(canvas)
        self._session = session
        self._canvas = canvas
        self._kernels = kernels
        self._drawer = SurfaceDrawer(self)
        self._drawer.pictured.connect(self._show)
        self._drawer.picked.connect(self._go_to)
        self._pressed: Touch | None = None
        self._last: Touch | None = None
        self._moved = False
        self._drawn_at = 0.0
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.draw)
        canvas.needs_picture.connect(self.schedule)
        canvas.pressed.connect(self._press)
        canvas.dragged.connect(self._drag)
        canvas.released.connect(self._release)
        canvas.wheeled.connect(self._wheel)

    def use(self, kernels: Kernels) -> None:
        """Colour with other kernels from now on."""
        self._kernels = kernels
        self.schedule()

    def schedule(self) -> None:
        """Draw when nothing else is to be done, and not so often that the slices wait for it."""
        if has_surface(self._session.state.layout) and not self._soon.isActive():
            since_ms = (perf_counter() - self._drawn_at) * 1e3
            self._soon.start(max(0, round(LEAST_INTERVAL_MS - since_ms)))

    def draw(self) -> None:
        """Draw now, as far as the cortex is at hand."""
        with self._session.guarded():
            self._draw()

    def _draw(self) -> None:
        self._soon.stop()
        size = self._canvas.size_px()
        scale = self._canvas.devicePixelRatioF()
        session = self._session
        scene = session.scenes.surfaces(session.state, session.shown(), size, scale, self._kernels)
        if scene is None:
            return
        self._drawn_at = perf_counter()
        self._drawer.draw(scene)

    def _show(self, picture: Picture) -> None:
        self._canvas.set_picture(picture)
        self.drawn.emit()

    @property
    def busy(self) -> bool:
        """Whether a picture is due or on its way."""
        return self._soon.isActive() or self._drawer.busy

    def close(self) -> None:
        """Free the graphics memory."""
        self._soon.stop()
        self._drawer.close()

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
        surface = self._session.state.surface
        camera = surface.camera
        if touch.button == "right":
            self.zoom(1.006 ** (self._last.y - touch.y))
        elif self._session.state.layout != "surface":
            azimuth, elevation = turned(
                camera.azimuth_deg,
                camera.elevation_deg,
                (touch.x - self._last.x) / ratio,
                (touch.y - self._last.y) / ratio,
            )
            camera = replace(camera, azimuth_deg=azimuth, elevation_deg=elevation)
            self._session.update("turn the head", "camera", surface=replace(surface, camera=camera))
        self._last = touch

    def _release(self, touch: Touch) -> None:
        if self._pressed is not None and not self._moved and touch.button == "left":
            self._drawer.pick(touch.x, touch.y)
        self._pressed = self._last = None
        self._session.store.settle()

    def _go_to(self, found: tuple[str, int] | None) -> None:
        if found is None:
            return
        place = self._session.scenes.place_of(self._session.state, *found)
        if place is not None:
            self._session.move_crosshair(place, merge=None)

    def zoom(self, factor: float) -> None:
        """Magnify."""
        surface = self._session.state.surface
        zoom = min(max(surface.camera.zoom * factor, ZOOM_RANGE[0]), ZOOM_RANGE[1])
        camera = replace(surface.camera, zoom=zoom)
        self._session.update("zoom the head", "camera zoom", surface=replace(surface, camera=camera))

    def _wheel(self, touch: Touch, notches: float) -> None:
        del touch
        self.zoom(ZOOM_PER_NOTCH**notches)
