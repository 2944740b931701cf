"""Starts the window."""

from __future__ import annotations

import os
import sys
import traceback
from types import TracebackType

# See `cli`: must be set before NumPy is imported.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")

from .graphics import has_display, require_graphics
from .problems import Problem
from .state import ViewState


def show(paths: list[str], view: ViewState | None = None) -> int:
    """Open the window on files or on a view, and run until it is closed.

    Returns
    -------
    int
        Exit status.

    Raises
    ------
    Problem
        No display, or no OpenGL library.
    """
    if not has_display() and os.environ.get("QT_QPA_PLATFORM") != "offscreen":
        todo = "use a desktop session, or draw without a window: habena render FILE -o PICTURE.png"
        raise Problem("window", "there is no display to open it on", todo)
    require_graphics(window=os.environ.get("QT_QPA_PLATFORM") != "offscreen")
    from PySide6.QtCore import QEvent  # noqa: PLC0415
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415

    from ..render.compose import numpy_kernels  # noqa: PLC0415
    from ..widgets.theme import apply_theme  # noqa: PLC0415
    from .settings import load_settings  # noqa: PLC0415
    from .startup import Startup  # noqa: PLC0415
    from .window import Window  # noqa: PLC0415

    application = QApplication([sys.argv[0] if sys.argv else "habena"])
    application.setApplicationName("Habena")
    settings = load_settings()
    apply_theme(application, settings.theme)
    window = Window(settings, numpy_kernels(), view)
    sys.excepthook = _tell_of(window)
    window.show()
    startup = Startup(window)
    startup.panels_loaded.connect(window.build_panels)
    startup.vtk_loaded.connect(window.use_vtk)
    startup.kernels_loaded.connect(window.use)
    window.first_drawn.connect(startup.start)
    window.open([os.path.abspath(path) for path in paths])  # noqa: PTH100 - keeps symbolic links as they are named
    status = application.exec()
    startup.stop()
    sys.excepthook = sys.__excepthook__
    window.deleteLater()
    application.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # pyright: ignore[reportArgumentType] - None: all
    return status


def _tell_of(window: object):
    """A defect is told in the window and written to stderr; the session goes on."""
    from .session import Notice  # noqa: PLC0415
    from .window import Window  # noqa: PLC0415

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        traceback.print_exception(kind, error, trace)
        if isinstance(window, Window):
            text = f"A defect in Habena: {kind.__name__}: {error}. Your view is intact; please report this."
            window.tell(Notice("error", text))

    return hook
