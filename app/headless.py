"""Everything the window does, without one: what the command line and the Python API call."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from msgspec.structs import replace

from .answers import Answer, Image
from .compute import answer_to
from .display import first_overlay
from .graphics import require_graphics
from .outputs import refuse_place
from .overlay_options import OverlayOptions, styled
from .problems import Finding, Problem, silent
from .questions import CortexData, PreparedRun
from .recipes import FileMap, MaskSeed, Point, PointSeed, Preparation, RegionMask, SeedCorrelation
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
AUTOMATIC = "automatic mask"


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


# -- seed correlation


@dataclass(frozen=True)
class SeedPlace:
    """Where a seed is: exactly one of coordinates, region or mask."""

    at_mm: Point | None = None
    radius_mm: float = 0.0
    region: str | None = None
    atlas: str | None = None
    mask: str | None = None


@dataclass(frozen=True)
class SeedFiles:
    """Where results of `seed` are written; None for not at all."""

    out: str | None = None
    save_prepared: str | None = None


def seed(
    run: str,
    place: SeedPlace,
    preparation: Preparation | None = None,
    measure: Literal["r", "z"] = "r",
    files: SeedFiles | None = None,
    report: Report = silent,
) -> Answer:
    """Map of the correlation of every voxel with a seed; written with its sidecar when a file is named.

    Raises
    ------
    Problem
        When a file cannot be used, the seed is outside the brain or constant, or no degree of freedom remains.
    """
    preparation, files = preparation or Preparation(), files or SeedFiles()
    check_seed(run, place, preparation)
    inputs = inputs_of(run, place, preparation)
    check_seed_files(files, inputs)
    results = Results(1 << 62)
    recipe = FileMap(run)
    source: Answer = answer_to(recipe, results)
    if source.image is None:
        raise Problem(run, "has values on the cortex alone, and a seed map needs voxels", "name a 4D image")
    kept = source.n_frames - preparation.drop
    if 3 <= kept <= preparation.detrend + 1:
        what = f"polynomials up to order {preparation.detrend} leave no degree of freedom of {kept} volumes"
        raise Problem(run, what, "lower the order of the polynomial")
    chosen, notes, warnings = seed_of(place, source, run)
    found: Answer = answer_to(SeedCorrelation(recipe, chosen, preparation, measure), results, report)
    findings = (*found.findings, *_about_brain(run, found), *warnings)
    found = replaced(found, findings=findings, notes=dict(found.notes) | notes | simulated_note(source))
    if files.out is not None:
        _write(files.out, found, source, inputs)
    if files.save_prepared is not None:
        save_prepared_run(files.save_prepared, results.get(PreparedRun(recipe, preparation)), source, inputs)
    return found


def check_seed(run: str, place: SeedPlace, preparation: Preparation) -> None:
    """Refuse a seed or a preparation that says too little, too much or nothing sensible.

    Raises
    ------
    Problem
        With what to give instead.
    """
    numbers = {
        "radius": place.radius_mm,
        "drop": preparation.drop,
        "fwhm": preparation.fwhm_mm,
        "detrend": preparation.detrend,
        "censor": preparation.censor_fd_mm,
    }
    for name, value in numbers.items():
        if value is not None and not 0 <= value < math.inf:
            raise Problem(name, f"{value:g} makes no sense", "give 0 or more")
    given = [name for name in ("at_mm", "region", "mask") if getattr(place, name) is not None]
    if len(given) != 1:
        what = "no seed is given" if not given else "more than one seed is given"
        raise Problem(run, what, "give one of --at X,Y,Z, --region NAME or --mask FILE")
    if place.at_mm is not None and not all(map(math.isfinite, place.at_mm)):
        raise Problem("at", "the coordinates are not all numbers", "give X,Y,Z in mm")
    if place.radius_mm and place.at_mm is None:
        raise Problem("radius", "a sphere needs a centre", "give --at X,Y,Z, or leave --radius out")
    if place.atlas is not None and place.region is None:
        raise Problem("atlas", "an atlas is named but no region", "give --region NAME, or leave --atlas out")
    if preparation.confounds is not None and not preparation.columns and preparation.censor_fd_mm is None:
        todo = "name them with --columns a,b, or give --censor FD"
        raise Problem(preparation.confounds, "none of its columns is asked for", todo)


def inputs_of(run: str, place: SeedPlace, preparation: Preparation) -> tuple[Path, ...]:
    """Files that a map is computed from: the run's own, with the sidecar that states its times, and those named.

    Raises
    ------
    Problem
        An image that cannot be one, found out before the run is prepared.
    """
    from .io.files import sibling  # noqa: PLC0415
    from .io.identify import identify, stem  # noqa: PLC0415

    found = identify(run)
    sidecar = sibling(found.path, stem(found.path) + ".json")
    masks = [identify(path).path for path in (preparation.brain, place.mask) if path is not None]
    table = [] if preparation.confounds is None else [Path(preparation.confounds)]
    return tuple(dict.fromkeys([found.path, found.data, *([] if sidecar is None else [sidecar]), *table, *masks]))


def sidecar_of(result: Path) -> Path:
    """Where the record of a written map is."""
    from .io.identify import stem  # noqa: PLC0415

    return result.with_name(stem(result) + ".json")


def check_seed_files(files: SeedFiles, inputs: Sequence[Path]) -> None:
    """Refuse places for the results before any work is done for them; a map's sidecar has its place too.

    Raises
    ------
    Problem
        No NIfTI name, the same for both, an input's, or a place that cannot be written to.
    """
    taken: set[Path] = set()
    for path in (Path(name) for name in (files.out, files.save_prepared) if name is not None):
        if not path.name.lower().endswith((".nii", ".nii.gz")):
            raise Problem(path, "is no name for a map", "let it end in .nii.gz or .nii")
        for target in (path, sidecar_of(path)):
            refuse_place(target, inputs)
        if sidecar_of(path).absolute() in taken:
            raise Problem(path, "would overwrite the map or its sidecar", "give the prepared run another name")
        taken.add(sidecar_of(path).absolute())


def seed_of(
    place: SeedPlace, source: Answer, run: str
) -> tuple[PointSeed | MaskSeed, dict[str, Any], tuple[Finding, ...]]:
    """The seed that was asked for, more for the sidecar, and what to know about it."""
    if place.at_mm is not None:
        return PointSeed(place.at_mm, place.radius_mm), {}, ()
    if place.mask is not None:
        return MaskSeed(FileMap(place.mask)), {"seed_mask": Path(place.mask).name}, ()
    return _region_seed(place, source, run)


def _region_seed(place: SeedPlace, source: Answer, run: str) -> tuple[MaskSeed, dict[str, Any], tuple[Finding, ...]]:
    from . import templates  # noqa: PLC0415
    from .finder import caution, resolve_region  # noqa: PLC0415
    from .io.atlases import describe, load_atlas  # noqa: PLC0415

    name = place.region or ""
    regions = resolve_region(name, place.atlas)
    info = describe(regions[0].atlas)
    fit = templates.compatible(source.space, info.template)
    if not fit.names_regions:
        todo = "give --at X,Y,Z or --mask FILE, or name its space with a space- entity or its sidecar"
        raise Problem(run, fit.message.removesuffix(": no region names are shown"), todo)
    titles = [region.title for region in regions]
    if not load_atlas(info.id).mask(regions, image_of(source).grid).any():
        what = f"none of its voxel centres lies in {' or '.join(titles)} of {info.id}"
        raise Problem(run, what, "give --at X,Y,Z of the voxel that is nearest, or a run that covers the region finely")
    warnings = templates.findings(source.space, [info])
    note = caution(name)
    if note:
        warnings = (*warnings, Finding("region-caution", name, None, note))
    notes = {"seed": ", ".join(titles), "seed_regions": titles, "seed_atlas": info.id, "atlas_template": info.template}
    return MaskSeed(RegionMask(info.id, tuple(region.index for region in regions))), notes, warnings


def _about_brain(run: str, found: Answer) -> tuple[Finding, ...]:
    """Say that a mask was made by the program."""
    how = str(found.notes["brain"])
    if not how.startswith(AUTOMATIC):
        return ()
    count = int(found.notes["brain_voxels"])
    message = f"No brain mask is given and the run is not masked: an automatic mask of {count} voxels is used."
    return (Finding("automatic-mask", run, count, message),)


def _write(out: str, found: Answer, source: Answer, inputs: tuple[Path, ...]) -> None:
    from .io.write import Record, write_map  # noqa: PLC0415

    unit = "Fisher z" if found.statistic == "z" else "Pearson r"
    record = Record(found.notes, inputs, unit, found.findings)
    write_map(out, image_of(found).frame(0), _info(source), record)


def simulated_note(source: Answer) -> dict[str, bool]:
    """What the record of a map from simulated data says."""
    return {"Simulated": True} if source.simulated else {}


def image_of(answer: Answer) -> Image:
    """The volume of an answer."""
    if answer.image is None:
        raise Problem(answer.title, "has no volume", "choose an image")
    return answer.image


def _info(source: Answer) -> Any:
    """Header facts of an image that came from a file."""
    return getattr(image_of(source), "info")  # noqa: B009 - images from files have it, computed ones do not


def save_prepared_run(path: str, prepared: Any, source: Answer, inputs: tuple[Path, ...]) -> None:
    """Write the prepared series as a 4D image: mean 0, nuisance removed, empty outside the mask."""
    from .io.write import Record, write_map  # noqa: PLC0415

    volumes = len(prepared.design.kept)
    series = np.full((int(np.prod(prepared.grid.shape)), volumes), np.nan, np.float32)
    rows = prepared.rows
    scaled = rows.unit * rows.norm[:, None]
    series[prepared.voxels] = scaled if rows.basis is None else scaled @ rows.basis.T.astype(np.float32)
    shaped = series.reshape((*prepared.grid.shape, volumes), order="F")
    notes = dict(prepared.notes) | simulated_note(source)
    write_map(path, shaped, _info(source), Record(notes, inputs, "prepared signal", prepared.findings))


def threads() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
