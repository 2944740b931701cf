"""A PET scan with its times and reference region, and the maps made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .answers import Answer, Image
from .io.files import writing
from .outputs import refuse_place
from .pet_reference import Reference, reference_region
from .pet_times import PetTimes, pet_times
from .problems import Finding, Problem

Report = Callable[[float], None]


class PetResult(NamedTuple):
    """Maps that were made.

    Attributes
    ----------
    maps : mapping of str to (nx, ny, nz) float32
    files : mapping of str to str
        Where they are written; empty when nowhere.
    notes : mapping
        All parameters.
    findings : tuple of Finding
    """

    maps: Mapping[str, NDArray[np.float32]]
    files: Mapping[str, str]
    notes: Mapping[str, Any]
    findings: tuple[Finding, ...]


class Scan(NamedTuple):
    """A scan that can be analysed.

    Attributes
    ----------
    path : str
    answer : Answer
    image : Image
    times : PetTimes
    reference : Reference
    inputs : tuple of Path
        Every file it stands on.
    """

    path: str
    answer: Answer
    image: Image
    times: PetTimes
    reference: Reference
    inputs: tuple[Path, ...]

    def notes(self) -> dict[str, Any]:
        """What every record says."""
        simulated = {"Simulated": True} if self.answer.simulated else {}
        return {"pet": Path(self.path).name, **self.times.notes, **self.reference.notes, **simulated}

    def findings(self) -> tuple[Finding, ...]:
        """What every user should know."""
        return (*self.answer.findings, *self.times.findings, *self.reference.findings)


def open_scan(path: str, reference: str, atlas: str | None) -> Scan:
    """Open a scan by its header and sidecar, and find its reference region.

    Raises
    ------
    Problem
        When it is no volume, its times are not known, or the reference cannot be used.
    """
    from .compute import open_file  # noqa: PLC0415
    from .recipes import Preparation  # noqa: PLC0415
    from .seeding import SeedPlace, inputs_of  # noqa: PLC0415

    answer = open_file(path)
    image = answer.image
    if image is None or image.kind != "scalar":
        raise Problem(path, "has no values in voxels", "name a PET image")
    info = getattr(image, "info", None)
    times = pet_times(path, answer, {} if info is None else info.sidecar)
    found = reference_region(path, answer, image.grid, reference, atlas)
    return Scan(path, answer, image, times, found, inputs_of(path, SeedPlace(mask=found.file), Preparation()))


def curves(scan: Scan, report: Report) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Flat numbers (V,) of the voxels that are finite in all frames and not always 0, and their curves (n, V).

    Raises
    ------
    Problem
        When there is no such voxel, or their curves do not fit into memory.
    """
    from .io.memory import require  # noqa: PLC0415

    load = getattr(scan.image, "load", None)
    if load is not None:
        load(lambda f: report(0.4 * f))
    n = scan.image.n_frames
    finite = np.ones(int(np.prod(scan.image.grid.shape)), np.bool_)
    active = np.zeros_like(finite)
    for number, frame in enumerate(_flat_frames(scan)):
        finite &= np.isfinite(frame)
        active |= frame != 0
        report(0.4 + 0.3 * (number + 1) / n)
    voxels = np.flatnonzero(finite & active)
    if not voxels.size:
        raise Problem(scan.path, "has no voxel with activity in finite numbers", "check the image")
    require(Path(scan.path), 4 * n * voxels.size)
    data = np.empty((n, voxels.size), np.float32)
    for number, frame in enumerate(_flat_frames(scan)):
        np.take(frame, voxels, out=data[number])
        report(0.7 + 0.3 * (number + 1) / n)
    return voxels, data


def _flat_frames(scan: Scan) -> Iterator[NDArray[np.float32]]:
    return (scan.image.frame(number).reshape(-1, order="F") for number in range(scan.image.n_frames))


def refuse_targets(files: Mapping[str, str], inputs: tuple[Path, ...]) -> None:
    """Refuse places for maps and their sidecars before the work.

    Raises
    ------
    Problem
        As `refuse_place`, and for a name that is not NIfTI's.
    """
    from .seeding import SeedFiles, check_seed_files  # noqa: PLC0415

    for name in files.values():
        check_seed_files(SeedFiles(name), inputs)


def refuse_folder(folder: Path, files: Mapping[str, str], inputs: tuple[Path, ...]) -> None:
    """The same for maps in a folder that is yet to be made, if it is not there.

    Raises
    ------
    Problem
        As `refuse_targets`, and when the folder is a file or cannot be made.
    """
    if folder.is_dir():
        refuse_targets(files, inputs)
    elif folder.exists():
        raise Problem(folder, "is a file", "name a folder for the maps")
    else:
        refuse_place(folder, ())


def written(scan: Scan, result: PetResult, units: Mapping[str, str], report: Report | None = None) -> PetResult:
    """Write the maps of a result where its files say, each with its record; the result itself comes back.

    Their folder is made if only it is missing.
    """
    from .io.write import Record, write_map  # noqa: PLC0415

    info = getattr(scan.image, "info", None)
    for number, (name, path) in enumerate(result.files.items()):
        with writing(Path(path).parent):
            Path(path).parent.mkdir(exist_ok=True)
        record = Record({"map": name, **result.notes}, scan.inputs, units[name], result.findings)
        write_map(path, result.maps[name], info, record)  # type: ignore[arg-type]
        if report:
            report((number + 1) / len(result.files))
    return result
