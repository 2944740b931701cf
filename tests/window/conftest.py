"""A whole window, off-screen, on small files whose content tells left from right, front from back, up from down."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # read when the application starts

import nibabel as nib
import numpy as np
import pytest
import window_events
from habena.app.settings import Settings
from habena.app.state import Layout, ViewState
from habena.app.window import Window
from habena.render.compose import numba_kernels
from habena.render.slice_canvas import SliceCanvas
from habena.widgets.theme import apply_theme
from msgspec.structs import replace
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from window_files import BLOB, BLOB_MM, COOL_MM, HEAD, SIZE, WARM_MM, OpenWindow, ball, places_mm, save, small_grid_4mm


@pytest.fixture(autouse=True)
def no_cyclic_collection() -> Iterator[None]:
    """No cyclic garbage collection inside Qt's event loop."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def open_window(qtbot: QtBot, qapp: QApplication) -> Iterator[OpenWindow]:
    """Opens a window on files or on a view, and waits until all of it is drawn; closes it after the test.

    ``layout`` None leaves the layout to the view or to what the files make of it. No atlas is loaded unless the
    settings or the view name one.
    """
    opened: list[Window] = []

    def open_one(
        *paths: str | Path,
        view: ViewState | None = None,
        layout: Layout | None = "ortho",
        settings: Settings | None = None,
        size: tuple[int, int] = SIZE,
    ) -> Window:
        settings = settings or Settings(theme="dark", atlases=())
        apply_theme(qapp, settings.theme)
        start = view or ViewState(atlases=settings.atlases)
        window = Window(settings, numba_kernels(), start if layout is None else replace(start, layout=layout))
        opened.append(window)
        window.resize(*size)
        with qtbot.waitActive(window):
            window.show()
            window.activateWindow()
        window.build_panels(at_once=True)
        window.use_vtk()
        window_events.wait_until(lambda: isinstance(window.slice_view._painter, SliceCanvas), "VTK")
        window.session.ask_for_all()
        for path in paths:  # one after the other, so that they lie in this order
            window.open([str(path)])
            window_events.settle(window)
        window_events.settle(window)
        return window

    yield open_one
    for window in opened:
        window.close()
        window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()


@pytest.fixture
def settle() -> Callable[[Window], None]:
    """Let the event loop run until all that the view asks for is there, drawn, and told in the panels."""
    return window_events.settle


@pytest.fixture
def anatomy(tmp_path: Path) -> Path:
    """A head of value 100 with a ball of value 250 on the right, in front and above."""
    grid = small_grid_4mm()
    values = np.where((np.abs(places_mm(grid)) / [34, 42, 38] <= 1).all(axis=-1), HEAD, 0.0)
    values[ball(grid, BLOB_MM, 9.0)] = BLOB
    return save(tmp_path / "sub-01_space-MNI152NLin6Asym_T1w.nii", values.astype(np.float32), grid.affine)


@pytest.fixture
def stat_map(tmp_path: Path) -> Path:
    """A t map: a ball of +6 on the right behind, a ball of -5 on the left in front, small noise elsewhere."""
    grid = small_grid_4mm()
    values = 0.5 * np.random.default_rng(3).standard_normal(grid.shape)
    values[ball(grid, WARM_MM, 9.0)] = 6.0
    values[ball(grid, COOL_MM, 9.0)] = -5.0
    image = nib.Nifti1Image(values.astype(np.float32), grid.affine)
    image.header.set_intent("t test", (20.0,))
    image.header.set_xyzt_units("mm")
    image.set_sform(grid.affine, 4)
    path = tmp_path / "sub-01_space-MNI152NLin6Asym_tstat.nii"
    nib.save(image, path)
    return path


@pytest.fixture
def run_4d(small_run: Callable[..., Path]) -> Path:
    """A resting run of 40 volumes with a network on the left and one on the right, in front."""
    return small_run(volumes=40)
