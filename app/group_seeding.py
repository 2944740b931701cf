"""Group seed maps from a study's table to files: what the command line and the Python API call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .answers import Answer
from .compute import answer_to, mask_of, open_file
from .group_maps import findings_of, maps_of, model_notes, seed_notes, seed_rows, statistic_name, values_of
from .group_models import GroupRequest, StudyGroup, study_group
from .io.files import writing
from .io.study_table import read_table
from .outputs import refuse_place
from .problems import Finding, Problem, silent, without_names
from .questions import AtlasData
from .recipes import GroupMeasure, GroupModel, GroupSeedMap, MaskSeed, Preparation, RegionMask
from .resolve import covariate_of, group_of
from .results import Results
from .seeding import SeedPlace, check_seed, image_of, inputs_of, seed_of, simulated_note

if TYPE_CHECKING:
    from .group_runs import Group

Report = Callable[[float], None]

MAPS: dict[str, GroupMeasure] = {"neglog10-p": "p", "estimate": "estimate", "mean-r": "mean r"}


@dataclass(frozen=True, eq=False)
class GroupSeedResult:
    """A test over the seed maps of a study's runs.

    Attributes
    ----------
    model : GroupModel
    values : mapping of str to (nx, ny, nz) float32
        ``t`` or ``F``, ``neglog10-p``, ``estimate`` (Fisher z; not of an F test), ``mean-r`` and ``n``, the number of
        runs that have each voxel.
    maps : mapping of str to str
        Where they were written.
    notes : mapping
    findings : tuple of Finding
    """

    model: GroupModel
    values: Mapping[str, NDArray[np.float32]]
    maps: Mapping[str, str]
    notes: Mapping[str, Any]
    findings: tuple[Finding, ...]

    def document(self) -> dict[str, Any]:
        """As one JSON document."""
        model = self.model
        return {
            "n": len(model.design),
            "residual_df": model.residual_df,
            "runs": self.notes["n_runs"],
            "voxels": self.notes["voxels"],
            "design": {"columns": list(model.all_columns)},
            "tests": [{"name": model.name, "statistic": model.kind, "df": list(model.df)}],
            "maps": dict(self.maps),
            "parameters": dict(self.notes),
            "warnings": self.findings,
        }

    def text(self) -> str:
        """For people, on a terminal."""
        model = self.model
        df = f"{model.df[1]:.0f}" if model.kind == "t" else f"{model.df[0]:.0f}, {model.df[1]:.0f}"
        what = f"{model.combined}s of two scans" if model.pairs else "observations"
        size = f"{len(model.design)} {what} of {self.notes['n_runs']} runs, {self.notes['voxels']} voxels"
        tested = f"{model.name}: {model.kind}({df}), {size}, uncorrected"
        return "\n".join([tested, f"columns: {', '.join(model.all_columns)}", *self.maps.values()])


def group_seed(
    table: str,
    place: SeedPlace,
    request: GroupRequest | None = None,
    preparation: Preparation | None = None,
    out: str | None = None,
    report: Report = silent,
) -> GroupSeedResult:
    """Seed maps of a study's runs and a test over them; maps are written when a folder is named.

    Raises
    ------
    Problem
        When a file cannot be used, the seed is outside the brain or constant, or the model cannot be estimated.
    """
    preparation, request = preparation or Preparation(), request or GroupRequest()
    check_seed(table, place, preparation)
    study = study_group(read_table(table), request)
    inputs = _inputs(table, study, place, preparation)
    names = (study.model.kind, *MAPS, "n")
    if out is not None:
        _refuse_folder(Path(out), names, inputs)
    first = study.runs[0].path
    source = open_file(first)
    chosen, seed_said, warnings = seed_of(place, source, first)
    question = GroupSeedMap(study.runs, chosen, study.model, preparation)
    results = Results(1 << 62)
    group: Group = answer_to(group_of(question), results, report)
    values, found = _values(question, group, results)
    notes = dict(group.notes) | model_notes(study.model) | found[0] | seed_said | simulated_note(source)
    findings = (*study.findings, *group.findings, *warnings, *found[1])
    maps = {} if out is None else _write(Path(out), values, source, question, inputs, (notes, findings))
    return GroupSeedResult(study.model, values, maps, notes, findings)


def _values(
    question: GroupSeedMap, group: Group, results: Results
) -> tuple[dict[str, NDArray[np.float32]], tuple[dict[str, Any], tuple[Finding, ...]]]:
    """Maps by name; notes and findings."""
    from ..stats.arrays import unflatten  # noqa: PLC0415

    model, seed, mask = question.model, question.seed, None
    if isinstance(seed, MaskSeed):
        if isinstance(seed.mask, RegionMask):
            answer_to(AtlasData(seed.mask.atlas), results)
        mask = mask_of(seed.mask, results.get, group.grid)
    rows = seed_rows(question, group, mask)
    covariate = answer_to(covariate_of(question), results) if model.voxelwise else None
    maps = maps_of(model, group, rows, covariate)
    measures: dict[str, GroupMeasure] = {model.kind: "statistic", **MAPS}
    values = {
        name: unflatten(values_of(maps, measure), group.voxels, group.grid.shape)
        for name, measure in measures.items()
        if not (measure == "estimate" and model.kind == "F")
    }
    values["n"] = group.coverage.astype(np.float32).reshape(group.grid.shape, order="F")
    return values, (seed_notes(question, rows.size), findings_of(maps))


def _inputs(table: str, study: StudyGroup, place: SeedPlace, preparation: Preparation) -> tuple[Path, ...]:
    found: dict[Path, None] = {Path(table): None}
    for run in study.runs:
        own = Preparation(confounds=run.confounds or preparation.confounds, brain=preparation.brain)
        found |= dict.fromkeys(inputs_of(run.path, place, own))
    return (*found, *dict.fromkeys(map(Path, study.model.voxelwise)))


def _refuse_folder(folder: Path, names: Sequence[str], inputs: tuple[Path, ...]) -> None:
    if folder.is_dir():
        for name in names:
            refuse_place(folder / f"{name}.nii.gz", inputs)
            refuse_place(folder / f"{name}.json", inputs)
    elif folder.exists():
        raise Problem(folder, "is a file", "name a folder for the maps")
    else:
        refuse_place(folder, ())


def _write(
    folder: Path,
    values: Mapping[str, NDArray[np.float32]],
    source: Answer,
    question: GroupSeedMap,
    inputs: tuple[Path, ...],
    said: tuple[Mapping[str, Any], tuple[Finding, ...]],
) -> dict[str, str]:
    """Write maps and their records; where each is, by name."""
    from msgspec.structs import replace  # noqa: PLC0415

    from .io.write import Record, write_map  # noqa: PLC0415

    with writing(folder):
        folder.mkdir(exist_ok=True)
    measures: dict[str, GroupMeasure] = {question.model.kind: "statistic", **MAPS}
    info = getattr(image_of(source), "info")  # noqa: B009 - images from files have it, computed ones do not
    written: dict[str, str] = {}
    for name, each in values.items():
        unit = statistic_name(replace(question, measure=measures[name])) if name in measures else "runs"
        path = folder / f"{name}.nii.gz"
        write_map(path, each, info, Record(said[0], inputs, unit, without_names(said[1])))
        written[name] = str(path)
    return written
