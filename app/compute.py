"""How each question is answered. Pure: files and earlier answers in, answers out; no window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from . import drawing as drawings
from .answers import Answer, ArrayImage, Cortex, Hemisphere, Label, MaskImage
from .atlas import Atlas
from .display import content_box
from .grid import Grid
from .problems import Problem, silent
from .questions import (
    AtlasData,
    CortexData,
    GroupCovariate,
    ModelFit,
    ModelPermutations,
    PreparedGroup,
    PreparedRun,
    Projection,
    QualityOf,
    Question,
    RegionSurface,
)
from .recipes import (
    AtlasLabels,
    Drawing,
    FileMap,
    GraphMetric,
    GroupSeedMap,
    MaskSeed,
    MatrixFile,
    ModelMap,
    NativeMap,
    Recipe,
    RegionMask,
    RegionMatrix,
    SeedCorrelation,
    StudyMap,
    label_file,
)
from .resolve import counts_of, covariate_of, group_of, in_order, of_each_run, permutations_of
from .results import Results

if TYPE_CHECKING:
    from .runs import Prepared

Interpolation = Literal["linear", "nearest"]

Report = Callable[[float], None]
Known = Callable[[Question], Any]


def answer_to(question: Question, results: Results, report: Report = silent) -> Any:
    """The answer to a question, computing what it stands on and keeping all of it in the cache."""
    for needed in in_order(question):
        if needed not in results:
            results.put(needed, compute(needed, results.get, report))
    return results.get(question)


def compute(question: Question, known: Known, report: Report = silent) -> Any:
    """Answer one question whose foundations are answered.

    Parameters
    ----------
    question : Question
    known : callable
        Earlier answers.
    report : callable
        Progress from 0 to 1; may raise `Cancelled`.

    Raises
    ------
    Problem
        When there is no answer, with what to do.
    """
    return _ANSWERED_BY[type(question)](question, known, report)


def open_file(path: str) -> Answer:
    """Whatever the file holds, with its first frame at hand."""
    from .io.identify import identify  # noqa: PLC0415 - formats only when needed

    found = identify(path)
    if found.kind in {"surface-data", "annot", "surface"}:
        return _surface_data(path)
    return _cifti(path) if found.kind == "cifti" else _volume(path)


def _volume(path: str) -> Answer:
    from .io.volumes import open_volume  # noqa: PLC0415

    volume = open_volume(path)
    try:
        box = content_box(volume)
    except BaseException:
        volume.close()
        raise
    info = volume.info
    return Answer(
        title=Path(path).name,
        image=volume,
        unit=info.unit,
        statistic=info.statistic,
        space=info.space.template,
        times=info.times,
        findings=info.findings,
        simulated=is_simulated(path, info.sidecar),
        box_mm=box,
        rest=None if volume.ready(volume.n_frames - 1) else volume.load,
    )


def is_simulated(path: str, sidecar: Mapping[str, Any]) -> bool:
    """Whether a file says that nobody was scanned for it: BIDS ``desc-simulated`` or ``"Simulated": true``.

    Maps that Habena made of simulated data say it among their parameters.
    """
    parameters = sidecar.get("parameters")
    said = (sidecar, parameters) if isinstance(parameters, Mapping) else (sidecar,)
    return "simulated" in Path(path).name.lower() or any(part.get("Simulated") is True for part in said)


def _surface_data(path: str) -> Answer:
    from .io.surface_data import read_surface_data  # noqa: PLC0415

    data = read_surface_data(path)
    if data.hemisphere == "":
        raise Problem(path, "does not say which hemisphere it is of", "put the side into its name (lh., .L., hemi-L)")
    sides: dict[Hemisphere, Cortex] = {data.hemisphere: data}
    return Answer(
        title=Path(path).name,
        cortex=sides,
        tables=_tables(data.table.labels),
        times=data.times,
        frame_names=data.table.names if any(data.table.names) else (),
        findings=data.findings,
    )


def _cifti(path: str) -> Answer:
    from .io.cifti import read_cifti  # noqa: PLC0415

    cifti = read_cifti(path)
    sides: dict[Hemisphere, Cortex] = {data.hemisphere: data for data in cifti.cortices if data.hemisphere}
    return Answer(
        title=Path(path).name,
        image=cifti.volume,
        cortex=sides,
        tables=_tables(cifti.table.labels),
        space=None if cifti.volume is None else cifti.volume.space,
        times=cifti.times,
        frame_names=cifti.table.names if any(cifti.table.names) else (),
        findings=cifti.findings,
        rest=cifti.load if cifti.n_frames > 1 else None,
    )


def _tables(frames: Any) -> tuple[tuple[Label, ...], ...]:
    """Label tables of all frames; equal ones are one object, since every frame of a series may bring the same."""
    known: dict[tuple[Label, ...], tuple[Label, ...]] = {}
    made = (tuple(Label(label.key, label.name, label.rgba) for label in labels) for labels in frames)
    return tuple(known.setdefault(table, table) for table in made)


def open_atlas(atlas: str) -> Atlas:
    """An atlas that the program knows by its id, else a label file of the user's by its path."""
    from .io.atlases import atlas_ids, load_atlas  # noqa: PLC0415
    from .io.label_files import load_label_file  # noqa: PLC0415

    if atlas in atlas_ids():
        return load_atlas(atlas)
    image, table = label_file(atlas)
    loaded = load_label_file(Path(image), None if table is None else Path(table))
    # named by its path, so that a recipe finds it again
    regions = tuple(replace(region, atlas=atlas) for region in loaded.regions)
    info = structs.replace(loaded.info, id=atlas, short=Path(image).name)
    return replace(loaded, info=info, regions=regions)


def atlas_answer(atlas: Atlas) -> Answer:
    """All regions of an atlas as labels."""
    labels = tuple(Label(n, region.title, (*region.colour, 255)) for n, region in enumerate(atlas.regions, start=1))
    return Answer(
        title=atlas.info.title,
        image=ArrayImage(atlas.grid, np.asfortranarray(atlas.labels, np.float32)),
        tables=(labels,),
        space=atlas.info.template or None,
        findings=atlas.findings,
        notes={"atlas": atlas.info.title, "licence": atlas.info.licence, "citation": atlas.info.citation},
    )


def region_answer(recipe: RegionMask, atlas: Atlas) -> Answer:
    """Regions as a mask on the atlas's own grid."""
    regions = [atlas.region(index) for index in recipe.indices]
    mask = atlas.mask(regions, atlas.grid)
    return Answer(
        title=", ".join(region.title for region in regions),
        image=MaskImage(atlas.grid, mask),
        space=atlas.info.template or None,
        notes={"atlas": atlas.info.title, "regions": [region.title for region in regions]},
    )


def mask_of(recipe: FileMap | RegionMask | Drawing, known: Known, grid: Grid) -> NDArray[np.bool_]:
    """A seed's mask on the run's grid, by nearest neighbour."""
    match recipe:
        case FileMap(path=path):
            from .runs import mask_on_grid  # noqa: PLC0415 - SciPy and Numba

            return mask_on_grid(path, grid)
        case RegionMask(atlas=atlas_id, indices=indices):
            atlas: Atlas = known(AtlasData(atlas_id))
            return atlas.mask([atlas.region(index) for index in indices], grid)
        case Drawing():
            return on_grid(known(recipe), 0, grid, "nearest") > 0


def on_grid(answer: Answer, frame: int, grid: Grid, how: Interpolation) -> NDArray[np.float32]:
    """An image's values on another grid."""
    from ..stats.resample import resample  # noqa: PLC0415 - compiled

    if answer.image is None:
        raise Problem(answer.title, "has no values in the volume", "choose another layer")
    values = answer.image.frame(min(frame, answer.n_frames - 1))
    if answer.image.grid == grid:
        return values
    return resample(values, answer.image.grid.inverse @ grid.affine, grid.shape, how)


def drawing_answer(recipe: Drawing, known: Known) -> Answer:
    """The drawn mask; only the last edit is done anew when the mask before it is at hand."""
    base: Answer = known(recipe.grid_of)
    if base.image is None:
        raise Problem(base.title, "has no volume to draw on", "choose an image")
    grid = base.image.grid

    def values_on(image: Recipe, frame: int, on: Grid) -> NDArray[np.float32]:
        return on_grid(known(image), frame, on, "linear")

    before: Answer | None = None
    if recipe.edits:
        before = known(Drawing(recipe.grid_of, recipe.edits[:-1], recipe.start))
    if before is not None and isinstance(before.image, MaskImage):
        mask = before.image.inside()
        drawings.apply(recipe.edits[-1], mask, grid, values_on)
    else:
        start = None if recipe.start is None else on_grid(known(recipe.start), 0, grid, "nearest") > 0
        mask = drawings.replay(recipe, grid, start, values_on)
    return Answer(title="drawn mask", image=MaskImage(grid, mask), space=base.space)


def region_surface(recipe: RegionMask, atlas: Atlas) -> Any:
    """Smooth mesh round a region."""
    from ..render.region_mesh import region_mesh  # noqa: PLC0415 - VTK

    mask = atlas.mask([atlas.region(index) for index in recipe.indices], atlas.grid)
    return region_mesh(mask, atlas.grid.affine)


def open_cortex(path: str | None) -> Any:
    """Both hemispheres."""
    from .io.surface_cortex import fsaverage5, read_cortices  # noqa: PLC0415

    return fsaverage5() if path is None else read_cortices(path)


def _projection(question: Projection, known: Known, report: Report) -> Any:
    """Weights from the grid's voxels to each hemisphere's vertices, by hemisphere."""
    from .project import weights_of  # noqa: PLC0415

    del report
    grid = Grid(question.shape, np.array(question.affine).reshape(4, 4))
    return weights_of(grid, known(CortexData(question.cortex)))


def _prepared(question: PreparedRun, known: Known, report: Report) -> Prepared:
    from .runs import prepare_run  # noqa: PLC0415 - SciPy and Numba

    return prepare_run(question.run.path, known(question.run), question.preparation, report)


def _quality(question: QualityOf, known: Known, report: Report) -> Any:
    from .quality import run_quality  # noqa: PLC0415 - SciPy and Numba

    return run_quality(known(question.run), question.confounds, report)


def _seed(question: SeedCorrelation, known: Known, report: Report) -> Answer:
    from .seeds import seed_answer, significance_answer  # noqa: PLC0415 - SciPy and Numba

    del report
    run = known(PreparedRun(question.run, question.preparation))
    answer = significance_answer if question.measure == "p" else seed_answer
    return answer(question, run, seed_mask(question, run, known))


def seed_mask(question: SeedCorrelation, run: Prepared, known: Known) -> NDArray[np.bool_] | None:
    """The mask of a mask seed on the run's grid; None for a point."""
    return mask_of(question.seed.mask, known, run.grid) if isinstance(question.seed, MaskSeed) else None


def _matrix(question: RegionMatrix, known: Known, report: Report) -> Any:
    """Correlations between regions; a run that is not open is read for it and let go again."""
    from .connectome import mean_of, name_of, of_run, prepared_with  # noqa: PLC0415 - SciPy and Numba
    from .runs import Prepared  # noqa: PLC0415

    (run, *others) = question.runs
    if others:
        return mean_of([known(each) for each in of_each_run(question)], name_of(question.runs))
    prepared = None if question.strategy else known(PreparedRun(run, question.preparation))
    if not isinstance(prepared, Prepared):
        source = known(run)
        opened = source if isinstance(source, Answer) else open_file(run.path)
        try:
            prepared = prepared_with(question, opened, lambda f: report(0.95 * f))
        finally:
            close = getattr(opened.image, "close", None)
            if opened is not source and close is not None:
                close()
    return of_run(question, prepared, known(AtlasData(question.atlas)))


def _graph(question: GraphMetric, known: Known, report: Report) -> Answer:
    from .graph_answers import graph_answer  # noqa: PLC0415 - Numba

    del report
    matrices = tuple(known(matrix) for matrix in (question.a, question.b) if matrix is not None)
    atlas = known(AtlasData(question.a.atlas)) if isinstance(question.a, RegionMatrix) else None
    return graph_answer(question, matrices, atlas)


def _group(question: PreparedGroup, known: Known, report: Report) -> Any:
    from .group_runs import prepare_group  # noqa: PLC0415 - SciPy and Numba

    del known
    return prepare_group(question, report)


def _group_covariate(question: GroupCovariate, known: Known, report: Report) -> Any:
    from .group_runs import read_covariate  # noqa: PLC0415 - SciPy and Numba

    return read_covariate(question.model, known(question.group), report)


def _group_seed(question: GroupSeedMap, known: Known, report: Report) -> Answer:
    from .group_maps import group_answer  # noqa: PLC0415 - SciPy and Numba

    group, model, seed = known(group_of(question)), question.model, question.seed
    mask = mask_of(seed.mask, known, group.grid) if isinstance(seed, MaskSeed) else None
    covariate = known(covariate_of(question)) if model.voxelwise else None
    return group_answer(question, group, mask, covariate, report)


def _model_fit(question: ModelFit, known: Known, report: Report) -> Any:
    from .model_maps import fit_answer  # noqa: PLC0415 - pandas, SciPy and Numba

    del known
    return fit_answer(question, report)


def model_permutations(
    question: ModelPermutations, known: Known, report: Report, show: Callable[[Any], None] = lambda _: None
) -> Any:
    """Count permutations, and ``show`` now and then what is counted so far."""
    from .model_maps import Permuted, permute  # noqa: PLC0415 - pandas, SciPy and Numba

    earlier = known(counts_of(question))
    fitted = known(ModelFit(question.model, question.inference.one_sided))
    before = earlier if isinstance(earlier, Permuted) else None
    if question.model.study is None:
        return permute(question, fitted, before, report, show)
    from .study.streamed import streamed  # noqa: PLC0415 - only for studies

    return streamed(question, fitted, before, report, show)


def _model_map(question: ModelMap, known: Known, report: Report) -> Answer:
    from .model_maps import Permuted, model_answer  # noqa: PLC0415 - pandas, SciPy and Numba

    del report
    permutations = permutations_of(question)
    found = known(permutations)
    if not isinstance(found, Permuted):
        found = known(counts_of(permutations))
    fitted = known(ModelFit(question.model, question.inference.one_sided))
    return model_answer(question, fitted, found if isinstance(found, Permuted) else None)


def _matrix_file(question: MatrixFile) -> Any:
    from .connectome import of_file  # noqa: PLC0415

    return of_file(question.path)


def _study_map(question: StudyMap, _known: Known, report: Report) -> Answer:
    from .io.study_table import paths_of, read_table  # noqa: PLC0415 - pandas
    from .study.prepared import prepare  # noqa: PLC0415

    rows = question.rows
    prepared = prepare(rows, report)
    (path,) = paths_of(read_table(prepared.table), "map", [0])
    answer = open_file(str(path))
    what = {"pet": "SUVR", "degree": "degree", "clustering": "clustering"}.get(rows.measure, "")
    unit = {"difference": f"change of {what}" if what else "change", "percent": "% change"}.get(rows.per, what)
    return replace(answer, unit=unit, simulated=prepared.simulated, findings=prepared.findings)


def _native_map(question: NativeMap, _known: Known, _report: Report) -> Answer:
    from .study.native import native_answer  # noqa: PLC0415

    return native_answer(question, open_file(question.path))


_ANSWERED_BY: Mapping[type, Callable[[Any, Known, Report], Any]] = {
    FileMap: lambda question, _known, _report: open_file(question.path),
    AtlasData: lambda question, _known, _report: open_atlas(question.id),
    AtlasLabels: lambda question, known, _report: atlas_answer(known(AtlasData(question.atlas))),
    RegionMask: lambda question, known, _report: region_answer(question, known(AtlasData(question.atlas))),
    PreparedRun: _prepared,
    QualityOf: _quality,
    SeedCorrelation: _seed,
    RegionMatrix: _matrix,
    MatrixFile: lambda question, _known, _report: _matrix_file(question),
    GraphMetric: _graph,
    PreparedGroup: _group,
    GroupCovariate: _group_covariate,
    GroupSeedMap: _group_seed,
    StudyMap: _study_map,
    NativeMap: _native_map,
    ModelFit: _model_fit,
    ModelPermutations: model_permutations,
    ModelMap: _model_map,
    Drawing: lambda question, known, _report: drawing_answer(question, known),
    RegionSurface: lambda question, known, _report: region_surface(
        question.region, known(AtlasData(question.region.atlas))
    ),
    CortexData: lambda question, _known, _report: open_cortex(question.path),
    Projection: _projection,
}
