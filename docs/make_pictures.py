"""Makes the pictures of README.md, tutorial.md and studies.md: ``python docs/make_pictures.py [RUN]``.

RUN is the real resting run that the tutorial names; without it only the pictures of the simulated studies are made.
Windows are opened off-screen, so no display is needed.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace as changed
from pathlib import Path
from tempfile import TemporaryDirectory

from habena import render, seed
from habena.app.compute import answer_to
from habena.app.demo_studies import first_view
from habena.app.io.atlases import regions_of
from habena.app.panels.dock import Panels
from habena.app.recipes import FileMap, GraphMetric, Preparation, RegionMatrix
from habena.app.results import Results
from habena.app.settings import Settings
from habena.app.simulated.demo import Demo, make_demo
from habena.app.state import Overlay, ViewState
from habena.app.view_changes import with_layer
from habena.app.window import Window
from habena.render.compose import numba_kernels
from habena.widgets.theme import apply_theme
from msgspec.structs import replace
from nilearn.datasets import load_mni152_template
from PIL import Image
from PySide6.QtCore import QEventLoop, QPoint, QRect, Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget

IMAGES = Path(__file__).parent / "images"
ANATOMY, RUN = "t1_space-MNI152NLin2009aSym.nii.gz", "rest_space-MNI_bold.nii.gz"
POSTERIOR_CINGULATE, LEFT_MOTOR = (0.0, -52.0, 26.0), (-40.0, -22.0, 54.0)
LARGEST_T, PERMUTATIONS = (16.0, -68.0, 63.0), 199  # of the change question; and asked for
SIZE = (1280, 860)
PICTURE_SIZE = (800, 600)
QUIET_MS, LOOK_MS = 2000, 50
GRAPH_HEIGHT, NODES = 330, 1  # of the connectivity panel; its page of nodes
SCORES_HEIGHT = 330
COLOURS = 256  # nobody sees the difference, and files are half as large


def main(run: Path | None, folder: Path) -> None:
    """All pictures, made in a folder that may be thrown away."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    for kind in ("CONFIG", "DATA"):  # the user's own settings and choices stay as they are
        os.environ[f"XDG_{kind}_HOME"] = str(folder / kind.lower())
    for place in ("tutorial", "studies"):
        (IMAGES / place).mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    application = QApplication([])
    apply_theme(application, "dark")
    if run is not None:
        of_the_run(run)
    of_the_studies(make_demo(folder / "demo"))
    for picture in sorted(IMAGES.rglob("*.png")):
        print(f"{picture.stat().st_size / 1000:4.0f} kB  {picture.relative_to(IMAGES)}")


@contextmanager
def window_of(view: ViewState) -> Generator[Window]:
    """A window with all its panels."""
    window = Window(Settings(theme="dark", remember_files=False), numba_kernels(), view)
    window.resize(*SIZE)
    window.show()
    window.build_panels(at_once=True)
    window.use_vtk()
    window.session.ask_for_all()
    yield window
    window.close()
    window.deleteLater()


def of_the_run(run: Path) -> None:
    """Pictures of the tutorial with one run."""
    shutil.copyfile(run, RUN)
    load_mni152_template(resolution=1).to_filename(ANATOMY)
    from_the_command_line()
    with window_of(ViewState(atlases=("aal2", "cit168"))) as window:
        from_the_window(window)
        of_the_network(window)


def from_the_command_line() -> None:
    """Pictures that ``habena render`` draws."""
    seed(RUN, at=POSTERIOR_CINGULATE, fwhm=6, detrend=2, band=(0.01, 0.1), out="pcc.nii.gz")
    map_ = "pcc.nii.gz,range=0.3:0.8,threshold=0.3"
    render(None, "slices.png", overlays=[map_], at=POSTERIOR_CINGULATE, size=PICTURE_SIZE)
    render(None, "cortex.png", overlays=[map_], layout="surface", at=POSTERIOR_CINGULATE, size=PICTURE_SIZE)
    for name in ("slices", "cortex"):
        keep(f"{name}.png", f"tutorial/{name}.png")


def from_the_window(window: Window) -> None:
    """Pictures of the window, each a step further through the tutorial."""
    session = window.session
    window.open([ANATOMY, RUN])
    settle(window)
    window.refresh()  # the carpet is asked for when nothing else is under way
    grab(window, "tutorial/opened.png")

    change_selected(window, visible=False)
    session.move_crosshair(POSTERIOR_CINGULATE, merge=None)
    panels_of(window).seed.prepare()
    show(window, "seed", "time")
    grab(window, "window.png")

    session.move_crosshair(LEFT_MOTOR, merge=None)
    show(window, "place", "time")
    grab(window, "tutorial/motor.png")

    session.move_crosshair(POSTERIOR_CINGULATE, merge=None)
    threshold = selected(window).threshold
    change_selected(window, threshold=replace(threshold, value=0.5, negative=0.5))
    show(window, "place", "clusters")
    grab(window, "tutorial/clusters.png")
    show(window, "place", "regions")
    grab(window, "tutorial/regions.png", part=window.dock("regions"))

    change_selected(window, visible=False)
    panels_of(window).seed.add_significance()
    show(window, "seed", "clusters")
    grab(window, "tutorial/p-values.png")
    session.store.undo()
    session.store.undo()

    change_selected(window, threshold=threshold)
    for name in ("time", "clusters", "regions"):
        window.dock(name).hide()
    left_habenula = next(region for region in regions_of("cit168") if region.abbreviation == "HN_LH")
    panels_of(window).regions.go(left_habenula, with_mask=True)
    settle(window)
    session.update("zoom", layout="ortho", zoom=3.0, centre_mm=session.state.crosshair_mm)
    grab(window, "tutorial/habenula.png", part=window.area)


def of_the_network(window: Window) -> None:
    """The graph between regions of the same run."""
    session = window.session
    prepared = Preparation(fwhm_mm=6, detrend=2, band_hz=(0.01, 0.1))
    recipe = GraphMetric(RegionMatrix((FileMap(RUN),), "aal2", prepared))
    state = with_layer(session.state, recipe, answer_to(recipe, Results(1 << 62)))
    seen = (recipe, FileMap(ANATOMY))
    overlays = tuple(replace(overlay, visible=overlay.recipe in seen) for overlay in state.overlays)
    session.store.update(replace(state, overlays=overlays, layout="ortho+surface", zoom=1.0, centre_mm=None), "network")
    window.dock("connectivity").show()
    show(window, "layers", "place", "connectivity")
    window.resizeDocks([window.dock("connectivity")], [GRAPH_HEIGHT], Qt.Orientation.Vertical)
    settle(window)
    panels_of(window).connectivity_panel.tabs.setCurrentIndex(NODES)
    grab(window, "network.png")


def of_the_studies(demo: Demo) -> None:
    """A simulated study: how it opens, a question with its answer, who drives a voxel, scores."""
    with window_of(first_view(demo, demo.ampar_pet)) as window:
        settle(window)
        window.notice_bar.dismiss_first()  # the greeting
        show(window, "study")
        grab(window, "studies/wall.png")
        show(window, "scores")
        window.resizeDocks([window.dock("scores")], [SCORES_HEIGHT], Qt.Orientation.Vertical)
        grab(window, "studies/scores.png", part=window.dock("scores"))

        panels_of(window).study.wall.take_down()
        asking = panels_of(window).ask
        inference = changed(asking.settings.inference, permutations=PERMUTATIONS, correction="fwe")
        asking.choose(changed(asking.settings, kind="change", inference=inference))
        window.show_ask()
        settle(window)
        asking.ask()
        settle(window)
        window.session.move_crosshair(LARGEST_T, merge=None)
        grab(window, "studies/answer.png")
        show(window, "tests")
        grab(window, "studies/voxel.png", part=window.dock("tests"))


def panels_of(window: Window) -> Panels:
    """The panels, which are there once they have been built."""
    if window.panels is None:
        raise RuntimeError("the panels are not built")
    return window.panels


def selected(window: Window) -> Overlay:
    """The selected layer."""
    overlay = window.session.state.overlay(window.session.state.selected)
    if overlay is None:
        raise RuntimeError("no layer is selected")
    return overlay


def change_selected(window: Window, **changes: object) -> None:
    """Change fields of the selected layer."""
    window.session.update_overlay(replace(selected(window), **changes), "change")


def show(window: Window, *names: str) -> None:
    """Bring panels to the front."""
    for name in names:
        window.dock(name).raise_()


def settle(window: Window) -> None:
    """Let the event loop run until nothing is left to do."""
    loop, look, quiet = QEventLoop(), QTimer(), QTimer()
    quiet.setSingleShot(True)
    quiet.timeout.connect(loop.quit)

    def look_again() -> None:
        if not window.session.jobs.idle() or window.session.waits_for_live:
            quiet.start(QUIET_MS)

    look.timeout.connect(look_again)
    look.start(LOOK_MS)
    quiet.start(QUIET_MS)
    loop.exec()
    look.stop()


def grab(window: Window, name: str, part: QWidget | None = None) -> None:
    """What a window, or a part of it, shows once it has settled."""
    settle(window)
    where = QRect() if part is None else QRect(part.mapTo(window, QPoint(0, 0)), part.size())
    window.grab(where if part else window.rect()).save("grab.png")
    keep("grab.png", name)


def keep(picture: str, name: str) -> None:
    """Small enough for a repository."""
    with Image.open(picture) as image:
        few = image.convert("RGB").quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        few.save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    with TemporaryDirectory(prefix="habena-pictures-") as scratch:
        main(Path(sys.argv[1]).absolute() if sys.argv[1:] else None, Path(scratch))
        os.chdir(Path(__file__).parent)  # Windows keeps the current folder
