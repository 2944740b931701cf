"""A small study of phantoms whose prepared maps are known by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
from habena.app.io.volumes import open_volume
from habena.app.study.prepared import PreparedRows
from habena.app.study.values import Scan, Study
from numpy.typing import NDArray

SPACE = "MNI152NLin2009aSym"
SHAPE = (21, 25, 21)
AFFINE = np.array([[9.0, 0, 0, -90], [0, 9, 0, -126], [0, 0, 9, -72], [0, 0, 0, 1]])
PEOPLE = ("sub-A", "sub-B", "sub-C")
SESSIONS = {"ses-pre": 0, "ses-post": 14}
LEFT, RIGHT = 2.0, 3.0  # activity of the halves, in units of the cerebellum-like corner


def mm(affine: NDArray[Any] = AFFINE, shape: tuple[int, ...] = SHAPE) -> NDArray[np.float64]:
    """World position of every voxel, (nx, ny, nz, 3)."""
    ijk = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    return ijk @ affine[:3, :3].T + affine[:3, 3]


def halves(left: float, right: float, level: float = 1.0) -> NDArray[np.float32]:
    """A phantom whose left and right differ, with a reference of known level below z = -30."""
    place = mm()
    values = np.where(place[..., 0] < 0, left, right) * level
    values[place[..., 2] < -30] = level
    return values.astype(np.float32)


def write(path: Path, values: NDArray[Any], affine: NDArray[Any] = AFFINE, sidecar: Mapping[str, Any] | None = None):
    """Write an image with its sidecar."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(values.astype(np.float32), affine)
    image.header.set_sform(affine, 4)
    image.header.set_zooms([*np.sqrt((affine[:3, :3] ** 2).sum(0)), *([2.0] * (values.ndim - 3))])
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)
    if sidecar is not None:
        Path(str(path).removesuffix(".gz").removesuffix(".nii") + ".json").write_text(json.dumps(dict(sidecar)))
    return path


def scan_of(folder: Path, person: str, session: str, values: NDArray[Any], **more: Any) -> Scan:
    """A PET scan on disk."""
    space = more.get("space", SPACE)
    path = folder / person / session / "pet" / f"{person}_{session}_space-{space}_pet.nii.gz"
    write(path, values, more.get("affine", AFFINE), more.get("sidecar", {"Units": "kBq/mL", "Simulated": True}))
    return Scan(person, session, more.get("kind", "pet"), path, space)


def study_of(folder: Path, scans: Sequence[Scan], people: Sequence[str] = PEOPLE, *, simulated: bool = True) -> Study:
    """A study of these scans, with ages, arms and MADRS."""
    participants = pd.DataFrame(
        {
            "participant_id": list(people),
            "group": ["TRD"] * len(people),
            "arm": ["ketamine" if n % 2 == 0 else "placebo" for n in range(len(people))],
            "age": [30.0 + n for n in range(len(people))],
        }
    )
    keys = [(person, session, day) for person in people for session, day in SESSIONS.items()]
    sessions = pd.DataFrame(keys, columns=["participant_id", "session_id", "day"])
    visits = [
        (person, ses, day) for person in people for ses, day in (("ses-post", 14), ("ses-day4", 4), ("ses-pre", 0))
    ]
    madrs = pd.DataFrame(visits, columns=["participant_id", "session_id", "day"])
    madrs["madrs_total"] = [30.0 - day / 2 * (1 + list(people).index(person)) for person, _, day in visits]
    return Study(folder, "phantoms", simulated, participants, sessions, {"madrs": madrs}, tuple(scans))


def simple_study(folder: Path) -> Study:
    """Three people before and after: left doubles for the first, rises by a quarter for the others."""
    scans: list[Scan] = []
    for n, person in enumerate(PEOPLE):
        after = LEFT * (2.0 if n == 0 else 1.25)
        scans.append(scan_of(folder, person, "ses-pre", halves(LEFT, RIGHT, level=10.0 + n)))
        scans.append(scan_of(folder, person, "ses-post", halves(after, RIGHT, level=20.0 + n)))
    return study_of(folder, scans)


def reference_mask(folder: Path) -> str:
    """Mask file of the phantom's reference: below z = -30."""
    return str(write(folder / "reference.nii.gz", (mm()[..., 2] < -30).astype(np.float32)))


def everywhere(folder: Path) -> str:
    """Mask file of all voxels."""
    return str(write(folder / "everywhere.nii.gz", np.ones(SHAPE, np.float32)))


def images(made: PreparedRows, column: str = "map") -> list[NDArray[np.float32]]:
    """Values of the prepared images, row by row."""
    frame = table(made)
    return [np.array(open_volume(made.table.parent / path).frame(0)) for path in frame[column]]


def table(made: PreparedRows) -> pd.DataFrame:
    """The prepared table."""
    return pd.read_csv(made.table, sep="\t", na_values="n/a")


def bids_study(folder: Path) -> Path:
    """The simple study as a BIDS folder that `read_study` reads."""
    study = simple_study(folder)
    description = {
        "Name": "Simulated: phantoms",
        "Simulated": True,
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
    }
    (folder / "dataset_description.json").write_text(json.dumps(description))
    study.participants.to_csv(folder / "participants.tsv", sep="\t", index=False)
    for person, rows in study.sessions.groupby("participant_id"):
        rows.drop(columns="participant_id").to_csv(
            folder / str(person) / f"{person}_sessions.tsv", sep="\t", index=False
        )
    (folder / "phenotype").mkdir()
    study.scores["madrs"].to_csv(folder / "phenotype" / "madrs.tsv", sep="\t", index=False)
    return folder
