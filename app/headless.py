"""Everything the window does, without one: what the command line and the Python API call."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec.structs import replace

from .answers import Answer, Image
from .compute import answer_to
from .display import first_overlay
from .problems import Finding, Problem, silent
from .questions import PreparedRun
from .recipes import FileMap, MaskSeed, Point, PointSeed, Preparation, RegionMask, SeedCorrelation
from .resolve import concrete, missing
from .results import Results
from .scenes import Shown, has_surface
from .state import Colours, Layout, Overlay, ViewState

Report = Callable[[float], None]


class OverlayOptions(msgspec.Struct, frozen=True):
    """How one overlay of `render` is drawn; what is None is chosen from the data.

    Attributes
    ----------
    path : str
    cmap : str or None
        Name of a colour table.
    range : (float, float) or None
        Values of the first and last colour; a negative first value makes the colours two-sided.
    threshold : float or None
    opacity : float or None
    fade : bool
        Below the threshold fade instead of hide.
    """

    path: str
    cmap: str | None = None
    range: tuple[float, float] | None = None
    threshold: float | None = None
    opacity: float | None = None
    fade: bool = False


def parse_overlay(text: str) -> OverlayOptions:
    """``FILE[,cmap=NAME][,range=LO:HI][,threshold=T][,opacity=O][,fade]``; the file's name may hold commas.

    Raises
    ------
    Problem
        An option's value makes no sense.
    """
    parts = text.split(",")
    options: dict[str, Any] = {}
    while len(parts) > 1:
        name, _, value = parts[-1].partition("=")
        if name not in {"cmap", "range", "threshold", "opacity", "fade"} or (name == "fade") != (value == ""):
            break
        options[name] = _overlay_value(text, name, value)
        parts.pop()
    return OverlayOptions(",".join(parts), **options)


def _overlay_value(text: str, name: str, value: str) -> object:
    if name == "fade":
        return True
    if name == "cmap":
        return value
    try:
        if name == "range":
            low, _, high = value.partition(":")
            bounds = (float(low), float(high))
            if not bounds[0] < bounds[1]:
                raise ValueError
            return bounds
        number = float(value)
        if not np.isfinite(number) or (name == "opacity" and not 0 <= number <= 1):
            raise ValueError
    except ValueError:
        form = {"range": "range=LO:HI with LO below HI", "opacity": "opacity=0 to 1"}.get(name, f"{name}=NUMBER")
        raise Problem("--overlay", f"{name}={value} in '{text}' makes no sense", f"write {form}") from None
    return number


@dataclass(frozen=True)
class RenderOptions:
    """How `render` draws.

    Attributes
    ----------
    layout : str
        ortho, axial, coronal, sagittal, lightbox or surface.
    at_mm : Point or None
        Where the slices cut; None: at the largest value of the first overlay, else in the middle.
    size : (int, int)
        Pixels.
    dpi : float
        Resolution that is written into the file.
    radiological : bool
        The person's right on the left; default is neurological.
    scale : float or None
        Size of letters and lines; None: by the picture's size.
    """

    layout: Layout = "ortho"
    at_mm: Point | None = None
    size: tuple[int, int] = (1200, 900)
    dpi: float = 100.0
    radiological: bool = False
    scale: float | None = None


def view_of(
    underlay: str | None, overlays: Sequence[OverlayOptions], options: RenderOptions, results: Results
) -> ViewState:
    """The view that `render` draws."""
    from .sample import anatomy_file  # noqa: PLC0415 - only without an underlay

    base = underlay if underlay is not None else str(anatomy_file())
    state = ViewState(layout=options.layout, radiological=options.radiological)
    layers: list[Overlay] = []
    for number, wanted in enumerate([OverlayOptions(base), *overlays], start=1):
        recipe = FileMap(wanted.path)
        answer: Answer = answer_to(recipe, results)
        overlay = first_overlay(number, recipe, answer, lowest=number == 1)
        layers.append(styled(overlay, wanted))
    state = replace(state, overlays=tuple(layers), selected=len(layers))
    at = options.at_mm or _interesting(state, results)
    return replace(state, crosshair_mm=at)


def styled(overlay: Overlay, wanted: OverlayOptions) -> Overlay:
    """A layer with what was asked for instead of what was chosen."""
    colours, threshold = overlay.colours, overlay.threshold
    if wanted.cmap is not None:
        both = wanted.cmap if is_diverging(wanted.cmap) else None
        colours = replace(colours, name=wanted.cmap, negative=both)
        if both is not None and overlay.colours.negative is None:
            colours = replace(colours, low=0.0, negative_low=0.0, negative_high=colours.high)
    if wanted.range is not None:
        colours = with_range(colours, *wanted.range)
    if wanted.threshold is not None:
        threshold = replace(threshold, value=wanted.threshold, negative=abs(wanted.threshold))
    if wanted.fade:
        threshold = replace(threshold, below="fade")
    opacity = overlay.opacity if wanted.opacity is None else wanted.opacity
    return replace(overlay, colours=colours, threshold=threshold, opacity=opacity)


def with_range(colours: Colours, low: float, high: float) -> Colours:
    """Colours over a range: of two-sided ones both sides alike, or each its own when the range crosses 0."""
    if colours.negative is None:
        return replace(colours, low=low, high=high)
    if low < 0:
        return replace(colours, low=0.0, high=high, negative_low=0.0, negative_high=-low)
    return replace(colours, low=low, high=high, negative_low=low, negative_high=high)


def is_diverging(name: str) -> bool:
    """Whether a colour table has a middle.

    Raises
    ------
    Problem
        There is no table of that name; says which there are.
    """
    from ..resources.colours import names  # noqa: PLC0415

    if name not in names():
        raise Problem(f"cmap={name}", "there is no colour map of that name", f"choose from {', '.join(names())}")
    return name in names("diverging")


def _interesting(state: ViewState, results: Results) -> Point:
    """Place of the largest value of the first overlay, else the middle of the picture."""
    for overlay in state.overlays[1:]:
        answer = results.get(overlay.recipe)
        if answer.image is not None and answer.image.kind != "rgb" and not answer.labels:
            values = np.nan_to_num(np.abs(answer.image.frame(0)))
            voxel = np.unravel_index(int(values.argmax()), values.shape)
            x, y, z = (round(float(v), 3) for v in answer.image.grid.mm_of(voxel))
            return x, y, z
    box = results.get(state.overlays[0].recipe).box_mm
    if box is None:
        return (0.0, 0.0, 0.0)
    x, y, z = (round((a + b) / 2, 3) for a, b in zip(*box, strict=True))
    return x, y, z


def answer_all(state: ViewState, results: Results, report: Report = silent) -> tuple[Shown, ...]:
    """Answer everything a view asks, in this thread."""
    while needed := missing(state, results, with_surface=has_surface(state.layout)):
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


def render(
    underlay: str | None,
    out: str,
    overlays: Sequence[OverlayOptions] = (),
    options: RenderOptions | None = None,
    *,
    with_view: bool = False,
) -> tuple[Finding, ...]:
    """Draw files, or a saved view, into a picture.

    Parameters
    ----------
    underlay : str or None
        An image; a view saved by Habena (JSON, or a picture that carries one); None for the MNI152 T1.
    out : str
        .png, .tif, .svg, .pdf or .html.
    overlays : sequence of OverlayOptions
    options : RenderOptions or None
    with_view : bool
        Write the view into the picture, file names included, so that Habena can open it again.

    Returns
    -------
    tuple of Finding
        What the user should know about the files.
    """
    from .export import refuse_ending, write_picture  # noqa: PLC0415 - Qt
    from .saved import saved_view  # noqa: PLC0415

    options = options or RenderOptions()
    refuse_ending(out)
    results = Results(1 << 62)
    state = None if underlay is None else saved_view(underlay)
    if state is None:
        state = view_of(underlay, overlays, options, results)
    shown = answer_all(state, results)
    write_picture(out, state, shown, results, options, with_view=with_view)
    return tuple(finding for layer in shown for finding in layer.answer.findings)


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
    results = Results(1 << 62)
    recipe = FileMap(run)
    source: Answer = answer_to(recipe, results)
    chosen, warnings = seed_of(place, source, run)
    question = SeedCorrelation(recipe, chosen, preparation, measure)
    found: Answer = answer_to(question, results, report)
    found = _with_findings(found, warnings)
    if files.out is not None:
        _write(files.out, found, source, run, preparation, place)
    if files.save_prepared is not None:
        save_prepared_run(files.save_prepared, results.get(PreparedRun(recipe, preparation)), source, run)
    return found


def seed_of(place: SeedPlace, source: Answer, run: str) -> tuple[PointSeed | MaskSeed, tuple[Finding, ...]]:
    """The seed that was asked for, and what to know about it."""
    given = [name for name in ("at_mm", "region", "mask") if getattr(place, name) is not None]
    if len(given) != 1:
        what = "no seed is given" if not given else "more than one seed is given"
        raise Problem(run, what, "give one of --at X,Y,Z, --region NAME or --mask FILE")
    if place.at_mm is not None:
        return PointSeed(place.at_mm, place.radius_mm), ()
    if place.mask is not None:
        return MaskSeed(FileMap(place.mask)), ()
    return _region_seed(place, source, run)


def _region_seed(place: SeedPlace, source: Answer, run: str) -> tuple[MaskSeed, tuple[Finding, ...]]:
    from . import templates  # noqa: PLC0415
    from .finder import caution, resolve_region  # noqa: PLC0415
    from .io.atlases import describe  # noqa: PLC0415

    name = place.region or ""
    regions = resolve_region(name, place.atlas)
    info = describe(regions[0].atlas)
    fit = templates.compatible(source.space, info.template)
    if not fit.names_regions:
        todo = "give --at X,Y,Z or --mask FILE, or name its space with a space- entity or its sidecar"
        raise Problem(run, fit.message.removesuffix(": no region names are shown"), todo)
    warnings = templates.findings(source.space, [info])
    note = caution(name)
    if note:
        warnings = (*warnings, Finding("region-caution", name, None, note))
    return MaskSeed(RegionMask(info.id, tuple(region.index for region in regions))), warnings


def _with_findings(answer: Answer, more: tuple[Finding, ...]) -> Answer:
    from dataclasses import replace as replaced  # noqa: PLC0415

    return replaced(answer, findings=(*answer.findings, *more))


def _write(out: str, found: Answer, source: Answer, run: str, preparation: Preparation, place: SeedPlace) -> None:
    from .io.write import Record, write_map  # noqa: PLC0415

    inputs = [run, preparation.confounds, preparation.brain, place.mask]
    record = Record(
        dict(found.notes),
        tuple(Path(path) for path in inputs if path is not None),
        "Fisher z" if found.statistic == "z" else "Pearson r",
        found.findings,
    )
    write_map(out, image_of(found).frame(0), _info(source), record)


def image_of(answer: Answer) -> Image:
    """The volume of an answer."""
    if answer.image is None:
        raise Problem(answer.title, "has no volume", "choose an image")
    return answer.image


def _info(source: Answer) -> Any:
    """Header facts of an image that came from a file."""
    return getattr(image_of(source), "info")  # noqa: B009 - images from files have it, computed ones do not


def save_prepared_run(path: str, prepared: Any, source: Answer, run: str) -> None:
    """Write the prepared series as a 4D image: mean 0, nuisance removed, empty outside the mask."""
    from .io.write import Record, write_map  # noqa: PLC0415

    volumes = len(prepared.design.kept)
    series = np.full((int(np.prod(prepared.grid.shape)), volumes), np.nan, np.float32)
    rows = prepared.rows
    scaled = rows.unit * rows.norm[:, None]
    series[prepared.voxels] = scaled if rows.basis is None else scaled @ rows.basis.T.astype(np.float32)
    shaped = series.reshape((*prepared.grid.shape, volumes), order="F")
    write_map(path, shaped, _info(source), Record(dict(prepared.notes), (Path(run),), "prepared signal"))


def threads() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
