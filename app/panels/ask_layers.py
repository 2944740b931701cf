"""Layers of a question: its map at once, the masks of an overlap, the voxel of spectra."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
from msgspec.structs import replace

from ..display import model_look
from ..grid import Grid
from ..io.write import Record, write_map
from ..models import TABLE, Inference
from ..recipes import FileMap, ModelMap, Point
from ..resolve import is_underlay
from ..sample import TEMPLATE, anatomy_file
from ..settings import cache_folder
from ..state import Colours, Modulation, Overlay, Threshold, ViewState
from ..study.answers import Answered, Plan
from ..study.report_figure import BOTH, OVERLAPS, circles_of
from ..study.values import Scan, Study
from ..study.written_maps import map_info, map_name, template_of

if TYPE_CHECKING:
    from .ask_plan import Planned

BOX_MARGIN_MM = 3.0
BOX_VOXEL_MM = 1.0


def recipes_of(planned: Planned) -> tuple[ModelMap, ...]:
    """The maps of a question: both of an overlap, the first of graphs, none of a table."""
    plan = planned.plan
    if plan is None or not plan.models or plan.models[0].data == TABLE:
        return ()
    if plan.ask.kind == "overlap":
        from ..study.plan_overlap import test_of_groups  # noqa: PLC0415

        tests = (test_of_groups(plan), plan.test)  # both are permuted together, by the answer
        return tuple(ModelMap(model, Inference(), test) for model, test in zip(plan.models, tests, strict=True))
    shown = "F" if planned.is_f else "t"
    return (ModelMap(plan.models[0], plan.ask.inference, plan.test, shown),)


def names_of(planned: Planned) -> tuple[str, ...]:
    """What the layers of a question are called; what is simulated says so."""
    plan = planned.plan
    if plan is None:
        return ()
    if plan.ask.kind != "overlap":
        return tuple(plan.title for _ in recipes_of(planned))
    mark = "Simulated: " if plan.title.lower().startswith("simulated") else ""
    return f"{mark}{plan.models[0].contrasts[0].partition('=')[0]}", f"{mark}change and improvement (larger is better)"


def with_question(
    state: ViewState, planned: Planned, study: Study, names: tuple[str, ...], earlier: frozenset[int]
) -> ViewState:
    """The view with a question's maps, over anatomy; they take the places of those of the question before.

    Parameters
    ----------
    state : ViewState
    planned : Planned
    study : Study
    names : tuple of str
        Of the layers.
    earlier : frozenset of int
        Keys of layers that go.
    """
    recipes = recipes_of(planned)
    kept = {overlay.recipe: overlay for overlay in state.overlays if overlay.key in earlier}
    base = replace(state, overlays=tuple(each for each in state.overlays if each.key not in earlier))
    base = over_anatomy(base, study)
    overlays = list(base.overlays)
    key = max(state.next_key(), base.next_key())
    for number, (recipe, name) in enumerate(zip(recipes, names, strict=True)):
        same = kept.get(recipe)
        if same is not None:
            overlays.append(replace(same, visible=True))
            continue
        colours, threshold = model_look(recipe.shown, planned.df, None)
        overlays.append(Overlay(key, recipe, name, colours, threshold, 0.9, visible=number == len(recipes) - 1))
        key += 1
    return replace(base, overlays=tuple(overlays), selected=overlays[-1].key if overlays else base.selected)


def over_anatomy(state: ViewState, study: Study) -> ViewState:
    """The view with grey anatomy below and nobody's own scan over it, where the study lies in that template."""
    paths = {str(scan.path) for scan in study.scans}
    overlays = tuple(
        replace(each, visible=False) if isinstance(each.recipe, FileMap) and each.recipe.path in paths else each
        for each in state.overlays
    )
    has_anatomy = any(is_underlay(each) and each.visible for each in overlays)
    template = template_of(study)
    if has_anatomy or (template is not None and not template.startswith("MNI")):
        return replace(state, overlays=overlays)
    anatomy = Overlay(
        state.next_key(), FileMap(str(anatomy_file())), "MNI152 T1", Colours("grey", 0.0, 240.0), space=TEMPLATE
    )
    return replace(state, overlays=(anatomy, *overlays))


def answer_folder(plan: Plan) -> Path:
    """Where the maps of an answer that become layers are kept; by everything that was asked."""
    key = blake2b(msgspec.json.encode((plan.ask, plan.models, plan.test)), digest_size=12).hexdigest()
    folder = cache_folder() / "answers" / key
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Masks(NamedTuple):
    """The masks of an overlap as files of the cache, by name, and the middle of the largest place where both are."""

    files: dict[str, Path]
    at_mm: Point | None


def write_masks(answered: Answered, study: Study) -> Masks:
    """Write the masks of an overlap."""
    folder, written = answer_folder(answered.plan), dict[str, Path]()
    circles = ()
    for name in OVERLAPS:
        if name in answered.maps:
            values, grid = answered.maps[name]
            written[name] = write_named(folder, name, values, grid, answered, study)
            circles = circles or circles_of(np.asarray(values) == 3, grid)
    return Masks(written, circles[0].centre_mm if circles else None)


def write_named(folder: Path, name: str, values: Any, grid: Grid, answered: Answered, study: Study) -> Path:
    """A map of an answer as a file of the cache."""
    path = folder / map_name(name, answered.plan.ask.kind, template_of(study)).removesuffix(".gz")
    parameters = {"title": answered.plan.title, **({"Simulated": True} if answered.simulated else {})}
    write_map(path, np.asarray(values, np.float32), map_info(grid, study), Record(parameters))
    return path


def with_masks(state: ViewState, masks: Masks, earlier: frozenset[int], maps: frozenset[int]) -> ViewState:
    """Each mask in three colours, both in a white outline; the opposite signs are there to be switched on.

    ``earlier`` layers go, the ``maps`` below are no longer seen.
    """
    overlays = [
        replace(each, visible=each.visible and each.key not in maps)
        for each in state.overlays
        if each.key not in earlier
    ]
    key = state.next_key()
    for number, (name, path) in enumerate(masks.files.items()):
        first, first_words, second, second_words = OVERLAPS[name]
        recipe = FileMap(str(path))
        both = f"both ({first_words.split()[0]}, {second_words.split()[0]})"
        layers = zip((first, second, BOTH[0]), (first_words, second_words, both), strict=True)
        for value, (colour, words) in enumerate(layers, start=1):
            clip = Modulation(recipe, "clip", value - 0.5, value + 0.5)
            overlays.append(
                Overlay(
                    key,
                    recipe,
                    words,
                    Colours(colour, 0.0, 1.0),
                    Threshold(0.5),
                    0.85,
                    visible=number == 0,
                    smooth=False,
                    modulation=clip,
                )
            )
            key += 1
        overlays.append(_outline(key, recipe, visible=number == 0))
        key += 1
    at_mm = masks.at_mm or state.crosshair_mm
    return replace(
        state, overlays=tuple(overlays), crosshair_mm=at_mm
    )  # the map of t stays selected: it is the one to click


def _outline(key: int, recipe: FileMap, *, visible: bool) -> Overlay:
    """A white line, and no fill, round the places where both are."""
    colours, threshold = Colours("warm", 0.0, 3.0), Threshold(2.5, outline=True)
    return Overlay(key, recipe, "both: white outline", colours, threshold, 0.0, visible=visible, smooth=False)


def write_box(scan: Scan, study: Study) -> tuple[Path, Point]:
    """The voxel of a spectrum as a mask in the cache, and its centre.

    Raises
    ------
    Problem
        As `spectra.voxel_box`.
    """
    from ..study.spectra import voxel_box  # noqa: PLC0415

    box = voxel_box(scan)
    low = np.floor(box.corners_mm.min(axis=0) - BOX_MARGIN_MM)
    shape = np.ceil((box.corners_mm.max(axis=0) + BOX_MARGIN_MM - low) / BOX_VOXEL_MM).astype(int) + 1
    affine = np.diag([BOX_VOXEL_MM, BOX_VOXEL_MM, BOX_VOXEL_MM, 1.0])
    affine[:3, 3] = low
    grid = Grid((int(shape[0]), int(shape[1]), int(shape[2])), affine)
    corners = box.corners_mm  # from the first, along z, y and x of the voxel's own axes
    edges = np.stack([corners[4] - corners[0], corners[2] - corners[0], corners[1] - corners[0]], axis=1)
    mm = grid.mm_of(np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1).astype(np.float64))
    along = (mm - corners[0]) @ np.linalg.inv(edges).T
    inside = ((along >= 0) & (along <= 1)).all(axis=-1)
    folder = cache_folder() / "answers"
    folder.mkdir(parents=True, exist_ok=True)
    key = blake2b(box.corners_mm.tobytes(), digest_size=8).hexdigest()
    path = folder / f"space-{template_of(study) or TEMPLATE}_label-voxel_desc-{key}_mask.nii"
    parameters = {"title": "voxel of spectra", **({"Simulated": True} if study.simulated else {})}
    write_map(path, inside.astype(np.float32), map_info(grid, study), Record(parameters))
    x, y, z = (float(v) for v in box.centre_mm)
    return path, (x, y, z)


def with_box(state: ViewState, path: Path, at_mm: Point, study: Study, name: str) -> ViewState:
    """The view at the voxel of the spectra, which is drawn over the anatomy."""
    recipe = FileMap(str(path))
    base = over_anatomy(state, study)
    if any(overlay.recipe == recipe for overlay in base.overlays):
        return replace(base, crosshair_mm=at_mm)
    key = base.next_key()
    box = Overlay(key, recipe, name, Colours("green", 0.0, 1.0), Threshold(0.5), 0.5, smooth=False, space=TEMPLATE)
    return replace(base, overlays=(*base.overlays, box), selected=key, crosshair_mm=at_mm)
