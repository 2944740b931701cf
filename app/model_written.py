"""What a model leaves behind: maps with their records, and what its reader should know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .io.files import writing
from .io.write import Record
from .model_corrected import Inferred
from .model_fit import Fitted, Tested, file_name, maps_of, minus_log10
from .model_inference import TFCE
from .model_places import RegionPlace
from .models import Inference
from .problems import Finding, Problem, without_names

CORRECTED = {
    "fdr": ("neglog10-q-fdr", "-log10 q, false discovery rate (Benjamini and Hochberg)"),
    "fwe": ("neglog10-p-fwe", "-log10 p, family-wise, largest statistic"),
    "tfce": ("neglog10-p-tfce-fwe", "-log10 p, family-wise, TFCE"),
    "cluster-extent": ("neglog10-p-cluster-extent", "-log10 p of the element's cluster, family-wise, extent"),
    "cluster-mass": ("neglog10-p-cluster-mass", "-log10 p of the element's cluster, family-wise, mass"),
}


def all_maps(each: Inferred) -> Mapping[str, tuple[NDArray[Any], str]]:
    """Maps of one test with their units, those of p as -log10 p."""
    made = dict(maps_of(each.tested))
    if each.result is not None:
        made["neglog10-p-permutation"] = (minus_log10(each.result.p.p), "-log10 p, uncorrected, by permutation")
        if TFCE in each.result.measures:
            made["tfce"] = (np.asarray(each.result.measures[TFCE].observed), "TFCE")
    corrected = each.p_corrected
    if corrected is not None:
        name, unit = CORRECTED[each.inference.correction]
        made[name] = (minus_log10(corrected), unit)
    if each.clusters is not None:
        made["clusters"] = (each.clusters.label + 1, "number of the cluster, the largest first")
    return made


def file_names(tests: Sequence[Tested]) -> tuple[str, ...]:
    """What the files of tests are called.

    Raises
    ------
    Problem
        Two tests would have files of the same name.
    """
    names = tuple(file_name(each.name) for each in tests)
    lower = [name.lower() for name in names]  # some disks do not tell them apart
    for name in names:
        if lower.count(name.lower()) > 1:
            raise Problem("--contrast", f"two tests would both be written as {name}", "name them differently")
    return names


def write(
    fitted: Fitted,
    tests: Sequence[Inferred],
    folder: Path,
    notes: Mapping[str, Any],
    findings: tuple[Finding, ...],
) -> dict[str, str]:
    """Write the maps of all tests into a folder, or one table for each test of named regions.

    Raises
    ------
    Problem
        Two tests would have files of the same name, or the folder cannot be written to.
    """
    names = file_names([each.tested for each in tests])
    findings = without_names(findings)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, str] = {}
    for name, each in zip(names, tests, strict=True):
        maps = all_maps(each)
        about = dict(notes) | {"test": each.tested.name, "weights": each.tested.contrast.weights}
        if fitted.data is None or isinstance(fitted.data.place, RegionPlace):
            record = Record(
                about | {"columns": {key: unit for key, (_, unit) in maps.items()}}, fitted.inputs, "", findings
            )
            place = RegionPlace(("outcome",), fitted.inputs[0]) if fitted.data is None else fitted.data.place
            columns = {key: np.asarray(values) for key, (values, _) in maps.items()}
            written[name] = str(_table(place, folder / f"{name}.tsv", columns, record))
            continue
        for key, (values, unit) in maps.items():
            record = Record(about | {"map": key}, fitted.inputs, unit, findings)
            written[f"{name}_{key}"] = str(fitted.data.place.write(folder, f"{name}_{key}", values, record))
    return written


def _table(place: Any, path: Path, columns: Mapping[str, NDArray[Any]], record: Record) -> Path:
    return place.write_table(path, columns, record)


def notes_of(fitted: Fitted, inference: Inference, tests: Sequence[Inferred]) -> dict[str, Any]:
    """The model and everything that was chosen, for records and JSON."""
    from msgspec.structs import asdict  # noqa: PLC0415

    asked = asdict(fitted.model)
    for option in ("data", "table", "mask", "surface"):
        if asked[option] is not None:
            asked[option] = Path(str(asked[option])).name
    if fitted.model.study is not None:
        from .saved import without_folders  # noqa: PLC0415

        asked["study"] = without_folders(fitted.model.study)
    asked["exclude"] = len(fitted.model.exclude)  # how many: names of people stay out of files that are handed on
    chosen = asdict(inference)
    sides = "one-sided (positive)" if inference.one_sided else "two-sided"
    notes: dict[str, Any] = {
        "model": asked,
        "inference": chosen,
        "tails": sides,
        "rows": [int(row) + 1 for row in fitted.laid.rows],
        "designs": [{"columns": list(part.design.columns), "n": len(part.design.matrix)} for part in fitted.laid.parts],
    }
    if fitted.simulated:
        notes["Simulated"] = True
    if inference.correction == "tfce":
        notes["tfce"] = (
            f"H {inference.tfce_h:g}, E {inference.tfce_e:g}, {inference.connectivity} neighbours, "
            f"exact integral, {sides}"
        )
    done = [each.result for each in tests if each.result is not None]
    if done:
        notes["permutations"] = {
            "counted": [each.n_done + 1 for each in done],
            "all_distinct": [each.exhaustive for each in done],
            "seed": inference.seed,
        }
    return notes


def findings_of(fitted: Fitted, inference: Inference) -> tuple[Finding, ...]:
    """What to know about the numbers of a model."""
    found: list[Finding] = []
    where = fitted.model.source
    if fitted.n_elements > 1 and inference.correction == "none":
        message = f"Nothing is corrected for {fitted.n_elements} elements: some will exceed any threshold by chance."
        found.append(Finding("uncorrected", where, fitted.n_elements, message))
    if fitted.simulated:
        found.append(Finding("simulated", where, None, "The data are simulated: nobody was scanned for them."))
    if inference.across_tests and inference.correction not in {"none", "fwe"}:
        message = f"p_fwe is over all tests; the maps of {inference.correction} are corrected within each test."
        found.append(Finding("across-statistic-only", where, None, message))
    if fitted.model.variance == "by-group" and inference.permutations:
        message = (
            "Permutations compare v and G of Winkler et al. (2014) as z and chi-square by the degrees of freedom of "
            "each element, not Welch's t and F; with unequal variances they are nearly, not quite, exact."
        )
        found.append(Finding("welch-permuted", where, None, message))
    return tuple(found)
