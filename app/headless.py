"""Pictures of files and saved views without a window: what the command line and the Python API call."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
from msgspec.structs import replace

from .answers import Answer
from .compute import answer_to
from .display import first_overlay
from .graphics import require_graphics
from .outputs import refuse_place
from .overlay_options import OverlayOptions, styled
from .problems import Finding, Problem, silent
from .questions import CortexData
from .recipes import FileMap, Point
from .resolve import concrete, is_underlay, missing
from .results import Results
from .scenes import Shown, has_surface
from .settings import DEFAULT_ATLASES
from .spaces import off_cortex
from .state import Layout, SurfaceView, ViewState

Report = Callable[[float], None]

PIXELS = (16, 16384)
DPI = (10.0, 2400.0)
LAYOUTS = get_args(Layout)


@dataclass(frozen=True)
class RenderOptions:
    """How `render` draws.

    Attributes
    ----------
    layout : str or None
        ortho, axial, coronal, sagittal, lightbox or surface; None: that of the saved view, else ortho, or surface
        where the underlay has no volume.
    at_mm : Point or None
        Where the slices cut; None: as in the saved view, else at the largest value of the first overlay, else in the
        middle.
    size : (int, int)
        Pixels.
    dpi : float
        Resolution that is written into the file.
    radiological : bool
        The person's right on the left; default is neurological, or as in the saved view.
    scale : float or None
        Size of letters and lines; None: by the picture's size.
    """

    layout: Layout | None = None
    at_mm: Point | None = None
    size: tuple[int, int] = (1200, 900)
    dpi: float = 100.0
    radiological: bool = False
    scale: float | None = None


def check_options(options: RenderOptions) -> None:
    """Refuse options that make no sense.

    Raises
    ------
    Problem
        An unknown layout, or a number out of range.
    """
    if options.layout is not None and options.layout not in LAYOUTS:
        raise Problem("layout", f"there is none named '{options.layout}'", f"choose from {', '.join(LAYOUTS)}")
    low, high = PIXELS
    if not all(low <= pixels <= high for pixels in options.size):
        width, height = options.size
        raise Problem("size", f"{width} x {height} is out of range", f"give {low} to {high} pixels each way")
    if not DPI[0] <= options.dpi <= DPI[1]:
        raise Problem("dpi", f"{options.dpi:g} is out of range", f"give {DPI[0]:g} to {DPI[1]:g}")
    if options.at_mm is not None and not all(map(math.isfinite, options.at_mm)):
        raise Problem("at", "the coordinates are not all numbers", "give X,Y,Z in mm")


def render(
    underlay: str | None,
    out: str,
    overlays: Sequence[OverlayOptions] = (),
    options: RenderOptions | None = None,
    *,
    with_view: bool = False,
    report: Report = silent,
) -> tuple[Finding, ...]:
    """Draw files, or a saved view, into a picture.

    Parameters
    ----------
    underlay : str or None
        An image or a surface; a view saved by Habena (JSON, or a picture that carries one); None for the MNI152 T1.
    out : str
        .png, .tif, .svg, .pdf or .html.
    overlays : sequence of OverlayOptions
        Drawn over the image, or over the layers of the saved view.
    options : RenderOptions or None
    with_view : bool
        Write the view into the picture, file names included, so that Habena can open it again; PNG only.
    report : callable
        Progress from 0 to 1; may raise `Cancelled`.

    Returns
    -------
    tuple of Finding
        What the user should know about the files.

    Raises
    ------
    Problem
        A file cannot be used, an option makes no sense, or the picture has no place.
    """
    require_graphics()
    from .export import refuse_ending, write_picture  # noqa: PLC0415 - Qt
    from .saved import files_of  # noqa: PLC0415

    options = options or RenderOptions()
    check_options(options)
    refuse_ending(out, with_view=with_view)
    given = [path for path in (underlay, *(overlay.path for overlay in overlays)) if path is not None]
    refuse_place(Path(out), map(Path, given))
    results = Results(1 << 62)
    state = view_of(underlay, overlays, options, results)
    refuse_place(Path(out), map(Path, files_of(state)))
    state, misfits = with_cortex(state, results)
    shown = answer_all(state, results, report)
    write_picture(out, state, shown, results, options, with_view=with_view)
    theirs = shown[1:] if underlay is None else shown  # what there is to know of our own anatomy is no news
    told = (finding for layer in theirs for finding in layer.answer.findings)
    return (*outside(shown, options.at_mm), *misfits, *_not_on_cortex(shown, state), *told)


def _not_on_cortex(shown: tuple[Shown, ...], state: ViewState) -> list[Finding]:
    """What to say of images that lie in no space that fits the cortex."""
    if not has_surface(state.layout):
        return []
    return [
        Finding("cortex-not-shown", layer.overlay.name, None, f"{layer.overlay.name} is not on the cortex: {why}.")
        for layer in shown
        if layer.overlay.visible
        and layer.answer.image is not None
        and not is_underlay(layer.overlay)
        and (why := off_cortex(layer, shown, state))
    ]


def view_of(
    underlay: str | None, overlays: Sequence[OverlayOptions], options: RenderOptions, results: Results
) -> ViewState:
    """The view that `render` draws."""
    from .sample import anatomy_file  # noqa: PLC0415 - only without an underlay
    from .saved import saved_view  # noqa: PLC0415

    base = str(anatomy_file()) if underlay is None else underlay
    saved = saved_view(base)
    state = saved or _on_surface(base) or _on_image(base, results)
    for wanted in overlays:
        state = with_overlay(state, wanted, results)
    at = options.at_mm
    if at is None:
        at = state.crosshair_mm if saved is not None else _interesting(state, results)
    layout = options.layout or state.layout
    return replace(state, crosshair_mm=at, layout=layout, radiological=options.radiological or state.radiological)


def _on_surface(path: str) -> ViewState | None:
    """A view of surfaces, to draw overlays on; None for other files."""
    from .io.identify import identify  # noqa: PLC0415

    if identify(path).kind != "surface":
        return None
    from .opening import open_path  # noqa: PLC0415 - formats of surfaces

    opened = open_path(path, silent, CortexData(None))
    if opened.layers or opened.cortex is None:
        return None
    return ViewState(layout="surface", surface=SurfaceView(cortex=opened.cortex.path), atlases=DEFAULT_ATLASES)


def _on_image(path: str, results: Results) -> ViewState:
    """A view of one image, or of values on the cortex."""
    from .sample import TEMPLATE, anatomy_file  # noqa: PLC0415 - needed for pictures only

    recipe = FileMap(path)
    answer: Answer = answer_to(recipe, results)
    has_volume = answer.image is not None
    overlay = first_overlay(1, recipe, answer, lowest=True)
    if recipe.path == str(anatomy_file()):
        overlay = replace(overlay, space=TEMPLATE)
    layout = "ortho" if has_volume else "surface"
    return ViewState(layout=layout, overlays=(overlay,), selected=1, atlases=DEFAULT_ATLASES)


def with_overlay(state: ViewState, wanted: OverlayOptions, results: Results) -> ViewState:
    """The view with one more file on top."""
    recipe, key = FileMap(wanted.path), state.next_key()
    overlay = first_overlay(key, recipe, answer_to(recipe, results), lowest=False)
    return replace(state, overlays=(*state.overlays, styled(overlay, wanted)), selected=key)


def with_cortex(state: ViewState, results: Results) -> tuple[ViewState, tuple[Finding, ...]]:
    """The view on the surfaces that its data were made for, and which data no surface or no slice shows."""
    files = dict.fromkeys(layer.recipe for layer in state.overlays if isinstance(layer.recipe, FileMap))
    on_cortex = {recipe: answer for recipe in files if (answer := answer_to(recipe, results)).cortex}
    if not on_cortex:
        return state, ()
    if not has_surface(state.layout):
        message = "Its values on the cortex are not in this picture: slices have no cortex; --layout surface shows it."
        return state, tuple(Finding("cortex-not-shown", recipe.path, None, message) for recipe in on_cortex)
    from .opening import Opened, with_surfaces  # noqa: PLC0415 - formats of surfaces

    opened = with_surfaces(Opened("", tuple(on_cortex.items())), CortexData(state.surface.cortex))
    if opened.cortex is not None:
        state = replace(state, surface=replace(state.surface, cortex=opened.cortex.path))
    return state, tuple(
        Finding("cortex-not-shown", problem.where, None, f"Not in this picture: it {problem.what}; {problem.todo}.")
        for problem in opened.problems
    )


def _interesting(state: ViewState, results: Results) -> Point:
    """Place of the largest value of the first overlay, else the middle of the picture."""
    over = state.overlays[1:] if state.surface.cortex is None else state.overlays
    for overlay in over:
        answer = results.get(overlay.recipe)
        if answer.image is not None and answer.image.kind != "rgb" and not answer.is_labels:
            values = np.nan_to_num(np.abs(answer.image.frame(0)))
            voxel = np.unravel_index(int(values.argmax()), values.shape)
            x, y, z = (round(float(v), 3) for v in answer.image.grid.mm_of(voxel))
            return x, y, z
    box = results.get(state.overlays[0].recipe).box_mm if state.overlays else None
    if box is None:
        return (0.0, 0.0, 0.0)
    x, y, z = (round((a + b) / 2, 3) for a, b in zip(*box, strict=True))
    return x, y, z


def answer_all(state: ViewState, results: Results, report: Report = silent) -> tuple[Shown, ...]:
    """Answer everything that the picture of a view asks, in this thread."""
    while needed := missing(state, results, with_surface=has_surface(state.layout), with_atlases=False):
        answer_to(needed[0].question, results, report)
    shown: list[Shown] = []
    for overlay in state.overlays:
        answer = results.get(concrete(overlay.recipe, state, results))
        load = getattr(answer.image, "load", None)
        if overlay.frame > 0 and load is not None:
            load(report)
        other = None if overlay.modulation is None else results.get(concrete(overlay.modulation.by, state, results))
        shown.append(Shown(overlay, answer, other))
    return tuple(shown)


def outside(shown: Sequence[Shown], at_mm: Point | None) -> tuple[Finding, ...]:
    """What to say of coordinates that no image reaches."""
    images = [layer.answer.image for layer in shown if layer.answer.image is not None]
    if at_mm is None or not images or any(image.grid.voxel_at(at_mm) is not None for image in images):
        return ()
    place = ", ".join(f"{value:g}" for value in at_mm)
    return (Finding("outside", "at", None, f"{place} mm lies outside every image: the slices there are empty."),)
