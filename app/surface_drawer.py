"""3D pictures from a thread of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from .painting import with_marks

if TYPE_CHECKING:
    from ..render.scene import Picture, SurfaceScene
    from ..render.surface_canvas import SurfaceCanvas

# There OpenGL belongs to the first thread.
IN_THIS_THREAD = sys.platform == "darwin"


@cache
def _thread() -> ThreadPoolExecutor:
    """One for the whole program: OpenGL keeps a megabyte or so of every thread that has ever drawn."""
    return ThreadPoolExecutor(1, "habena-3d")


class SurfaceDrawer(QObject):
    """Draws one picture after the other, and of the scenes that come meanwhile only the newest.

    ``make`` makes the canvas, a `SurfaceCanvas` unless told otherwise, and ``finish`` draws a scene on it.

    Without a graphics card a picture takes up to tenths of a second; VTK lets Python go on while it draws. An OpenGL
    context belongs to the thread that made it, so everything that touches the canvas happens there.

    Signals
    -------
    pictured : Picture
    picked : (str, int) or None
        Mesh and vertex under the place that was asked for.
    """

    pictured = Signal(object)
    picked = Signal(object)
    _done = Signal(object, object)  # carries what the thread has made into the interface thread

    def __init__(
        self,
        parent: QObject | None = None,
        make: Callable[[], Any] | None = None,
        finish: Callable[[Any, Any], Picture] | None = None,
    ) -> None:
        super().__init__(parent)
        self._make = make or _surface_canvas
        self._finish = finish or _picture
        self._canvas: Any = None  # of the thread; made for the first picture: VTK takes time to load
        self._drawing = False
        self._next: Any = None
        self._done.connect(self._take)

    @property
    def busy(self) -> bool:
        """Whether a picture is on its way."""
        return self._drawing

    def draw(self, scene: Any) -> None:
        """Have a scene drawn; `pictured` follows unless a newer one comes first."""
        if self._drawing:
            self._next = scene
            return
        self._drawing = True
        self._do(lambda canvas: self._finish(canvas, scene), self._show)

    def pick(self, x: float, y: float) -> None:
        """Find what is under a place of the last picture; `picked` tells."""
        self._do(lambda canvas: canvas.pick(x, y), self.picked.emit)

    def close(self) -> None:
        """Wait for the picture that is being drawn and free the graphics memory."""
        self._done.disconnect(self._take)
        if IN_THIS_THREAD:
            self._close()
        else:
            _thread().submit(self._close).result()

    def _do(self, work: Callable[[Any], Any], then: Callable[[Any], None]) -> None:
        if IN_THIS_THREAD:
            then(self._on_canvas(work))
            return
        future = _thread().submit(self._on_canvas, work)
        future.add_done_callback(lambda done: self._done.emit(done, then))

    def _on_canvas(self, work: Callable[[Any], Any]) -> Any:
        if self._canvas is None:
            self._canvas = self._make()
        return work(self._canvas)

    def _close(self) -> None:
        if self._canvas is not None:
            self._canvas.close()
            self._canvas = None

    @Slot(object, object)
    def _take(self, done: Future[Any], then: Callable[[Any], None]) -> None:
        if done.exception() is not None:
            self._drawing = False  # the next scene gets its chance; the excepthook tells of this one
        then(done.result())

    def _show(self, picture: Any) -> None:
        self._drawing = False
        waiting, self._next = self._next, None
        if waiting is not None:
            self.draw(waiting)
        self.pictured.emit(picture)


def _surface_canvas() -> SurfaceCanvas:
    from ..render.surface_canvas import SurfaceCanvas  # noqa: PLC0415 - after the slices

    return SurfaceCanvas()


def _picture(canvas: SurfaceCanvas, scene: SurfaceScene) -> Picture:
    from ..render.surface_canvas import surface_marks  # noqa: PLC0415 - after the slices

    return with_marks(canvas.picture(scene), surface_marks(scene))
