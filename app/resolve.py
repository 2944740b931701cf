"""From a view to what has to be known for it: concrete questions, and which of them have no answer yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from msgspec.structs import replace

from .answers import Answer
from .grid import Grid
from .problems import Problem
from .questions import (
    AtlasData,
    CortexData,
    GroupCovariate,
    ModelCounts,
    ModelFit,
    ModelPermutations,
    PreparedGroup,
    PreparedRun,
    Projection,
    QualityOf,
    Question,
    RegionSurface,
    projection_of,
)
from .recipes import (
    AtlasLabels,
    CrosshairSeed,
    Drawing,
    FileMap,
    GraphMetric,
    GroupModel,
    GroupSeedMap,
    MaskSeed,
    ModelMap,
    Point,
    PointSeed,
    Recipe,
    RegionMask,
    RegionMatrix,
    SeedCorrelation,
    ThresholdFill,
)
from .results import Results
from .state import Overlay, ViewState


@dataclass(frozen=True)
class Failure:
    """The answer to a question that has none: why. Kept like an answer, so that it is not asked again and again."""

    problem: Problem


class Needed(NamedTuple):
    """A question without an answer.

    Attributes
    ----------
    question : Question
    live : bool
        Quick enough to follow the crosshair: everything it stands on is at hand.
    """

    question: Question
    live: bool


def concrete(recipe: Recipe, state: ViewState, results: Results) -> Recipe:
    """The recipe with the crosshair's place put in, at the nearest voxel's centre, so that equal places are equal."""
    if not (isinstance(recipe, SeedCorrelation | GroupSeedMap) and isinstance(recipe.seed, CrosshairSeed)):
        return recipe
    if isinstance(recipe, GroupSeedMap):
        grid = getattr(results.get(group_of(recipe)), "grid", None)
        at = state.crosshair_mm if grid is None else centre_of_voxel(state.crosshair_mm, grid)
    else:
        at = snapped(state.crosshair_mm, results.get(recipe.run))
    return replace(recipe, seed=PointSeed(at, recipe.seed.radius_mm))


def snapped(at_mm: Point, answer: object) -> Point:
    """Centre of the voxel of an image at a place; the place itself outside it."""
    if not isinstance(answer, Answer) or answer.image is None:
        return at_mm
    return centre_of_voxel(at_mm, answer.image.grid)


def centre_of_voxel(at_mm: Point, grid: Grid) -> Point:
    """Centre of the voxel at a place; the place itself outside the grid."""
    voxel = grid.voxel_at(at_mm)
    if voxel is None:
        return at_mm
    x, y, z = (round(float(v), 4) for v in grid.mm_of(voxel))
    return x, y, z


def group_of(recipe: GroupSeedMap) -> PreparedGroup:
    """The runs that a group's map is of."""
    return PreparedGroup(recipe.runs, recipe.preparation)


def covariate_of(recipe: GroupSeedMap) -> GroupCovariate:
    """The voxelwise covariate that a group's map needs, whatever else its model asks."""
    model = GroupModel((), (), (), "", "", recipe.model.pairs, recipe.model.combined, recipe.model.voxelwise)
    return GroupCovariate(model, group_of(recipe))


def stands_on(question: Question) -> tuple[Question, ...]:
    """What must be answered before a question can be."""
    below: tuple[Question, ...] = ()
    match question:
        case SeedCorrelation(run=run, seed=seed, preparation=preparation):
            below = (run, PreparedRun(run, preparation), *_mask_of(seed))
        case PreparedRun(run=run) | QualityOf(run=run):
            below = (run,)
        case Projection(cortex=cortex):
            below = (CortexData(cortex),)
        case RegionMask(atlas=atlas) | AtlasLabels(atlas=atlas) | RegionSurface(region=RegionMask(atlas=atlas)):
            below = (AtlasData(atlas),)
        case Drawing(grid_of=grid_of, edits=edits, start=start):
            images = tuple(edit.image for edit in edits if isinstance(edit, ThresholdFill))
            below = (grid_of, *images, *(() if start is None else (start,)))
        case _:
            below = _of_several_scans(question)
    return below


def _of_several_scans(question: Question) -> tuple[Question, ...]:
    """Foundations of graphs, groups and models."""
    match question:
        case GroupSeedMap(seed=seed, model=model):
            return (group_of(question), *((covariate_of(question),) if model.voxelwise else ()), *_mask_of(seed))
        case GroupCovariate(group=group):
            return (group,)
        case RegionMatrix(runs=runs, atlas=atlas):
            return (AtlasData(atlas),) if len(runs) == 1 else of_each_run(question)
        case GraphMetric(a=a, b=b):
            matrices = (a,) if b is None else (a, b)
            return (*matrices, *(AtlasData(a.atlas) for _ in matrices[:1] if isinstance(a, RegionMatrix)))
        case ModelMap(model=model, inference=inference) | ModelPermutations(model=model, inference=inference):
            return (ModelFit(model, inference.one_sided),)
        case _:
            return ()


def _mask_of(seed: object) -> tuple[Question, ...]:
    """The mask of a mask seed, with what it stands on."""
    return (*stands_on(seed.mask), seed.mask) if isinstance(seed, MaskSeed) else ()


def of_each_run(question: RegionMatrix) -> tuple[RegionMatrix, ...]:
    """The matrix of each run by itself."""
    return tuple(replace(question, runs=(run,)) for run in question.runs)


def helpful_to(question: Question) -> tuple[Question, ...]:
    """What a question stands on, and what spares it work when it happens to be there."""
    if isinstance(question, RegionMatrix) and len(question.runs) == 1:
        run = question.runs[0]  # a run that is not open is read for its matrix and let go again
        return (*stands_on(question), run, PreparedRun(run, question.preparation))
    if isinstance(question, ModelMap):
        permutations = permutations_of(question)
        return (*stands_on(question), permutations, counts_of(permutations))
    if isinstance(question, ModelPermutations):
        return (*stands_on(question), counts_of(question))
    if isinstance(question, Drawing) and question.edits:
        return (*stands_on(question), Drawing(question.grid_of, question.edits[:-1], question.start))
    return stands_on(question)


def permutations_of(recipe: ModelMap) -> ModelPermutations:
    """The permutations behind a map of a model, whatever it shows."""
    return ModelPermutations(recipe.model, recipe.inference, recipe.test)


def counts_of(question: ModelPermutations) -> ModelCounts:
    """Where permutations are kept as they come in, so that more of them, or stopped ones, go on from there."""
    return ModelCounts(question.model, replace(question.inference, permutations=0), question.test)


def in_order(question: Question) -> Iterator[Question]:
    """A question's foundations, deepest first, and then itself."""
    for below in stands_on(question):
        yield from in_order(below)
    yield question


def questions_of(overlay: Overlay, state: ViewState, results: Results) -> tuple[Question, ...]:
    """What one layer asks."""
    asked: tuple[Question, ...] = (concrete(overlay.recipe, state, results),)
    return asked if overlay.modulation is None else (*asked, overlay.modulation.by)


def asked(state: ViewState, results: Results, *, with_surface: bool, with_atlases: bool = True) -> list[Question]:
    """Every question of a view, foundations first, each once; the visible and the lowest layers come first."""
    wanted: dict[Question, None] = {}
    for overlay in sorted(state.overlays, key=lambda overlay: not overlay.visible):
        for question in questions_of(overlay, state, results):
            wanted.update(dict.fromkeys(in_order(question)))
            if isinstance(question, ModelMap) and question.inference.permutations:
                wanted[permutations_of(question)] = None  # they refine what is shown already
    if with_atlases:
        wanted.update(dict.fromkeys(map(AtlasData, state.atlases)))
    if with_surface:
        wanted[CortexData(state.surface.cortex)] = None
        for region in state.surface.regions:
            wanted.update(dict.fromkeys(in_order(RegionSurface(region))))
        for overlay in state.overlays:
            answer = results.get(concrete(overlay.recipe, state, results))
            drawn = overlay.visible and not is_underlay(overlay)
            if drawn and isinstance(answer, Answer) and answer.image is not None:
                wanted[projection_of(answer.image.grid, state.surface.cortex)] = None
    return list(wanted)


def is_underlay(overlay: Overlay) -> bool:
    """Grey layers are anatomy: they have no place on the cortex and no colour bar."""
    return overlay.colours.name == "grey"


def missing(state: ViewState, results: Results, *, with_surface: bool, with_atlases: bool = True) -> list[Needed]:
    """What to compute for a view, in an order in which everything is at hand when its turn comes."""
    wanted = asked(state, results, with_surface=with_surface, with_atlases=with_atlases)
    unanswered = [question for question in wanted if question not in results]
    pending = set(unanswered)
    return [Needed(q, live=_is_quick(q) and not pending.intersection(stands_on(q))) for q in unanswered]


def _is_quick(question: Question) -> bool:
    """Whether an answer takes milliseconds once its foundations are there; degrees of freedom of a map do not."""
    if isinstance(question, GraphMetric | ModelMap):
        return True
    if isinstance(question, GroupSeedMap):
        return question.measure != "p" and not isinstance(question.seed, MaskSeed)
    return isinstance(question, Drawing) or (isinstance(question, SeedCorrelation) and question.measure != "p")


def frames_of(recipe: Recipe, results: Results) -> int:
    """Number of frames of a recipe's answer, 1 while it is not known."""
    answer = results.get(recipe)
    return answer.n_frames if isinstance(answer, Answer) else 1


def file_of(recipe: Recipe) -> FileMap | None:
    """The file behind a recipe, None for what comes from elsewhere."""
    match recipe:
        case FileMap():
            return recipe
        case SeedCorrelation(run=run):
            return run
        case Drawing(grid_of=grid_of):
            return file_of(grid_of)
        case _:
            return None
