"""Small studies on disk, each with a defect that a test asks for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

SPACE = "space-MNI152NLin2009aSym"
AFFINE = np.array([[-4.0, 0, 0, 8], [0, 4, 0, -8], [0, 0, 4, -6], [0, 0, 0, 1]])
PET = {
    "Units": "kBq/mL",
    "FrameTimesStart": [1800],
    "FrameDuration": [1200],
    "TimeZero": "10:00:00",
    "InjectionStart": 0,
    "ImageDecayCorrected": True,
    "TracerName": "K-2",
    "Simulated": True,
}


def image(path: Path, *, frames: int = 0, affine: np.ndarray = AFFINE, shape: Sequence[int] = (5, 6, 4)) -> Path:
    """A small image of numbers, MNI by its code."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = (*shape, frames) if frames else tuple(shape)
    made = nib.Nifti1Image(np.arange(np.prod(whole), dtype=np.float32).reshape(whole), affine)
    made.set_sform(affine, 1)
    made.set_qform(None, 0)
    made.header.set_xyzt_units("mm", "sec")
    if frames:
        made.header["pixdim"][4] = 2.0
    nib.save(made, path)
    return path


def tsv(path: Path, *rows: Iterable[object]) -> Path:
    """A table, its header first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), "utf-8")
    return path


def write_json(path: Path, **fields: Any) -> Path:
    """A JSON object."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fields), "utf-8")
    return path


def pet(folder: Path, person: str, session: str, *, sidecar: dict[str, Any] | None = None, **how: Any) -> Path:
    """A static PET scan with its sidecar."""
    stem = folder / person / session / "pet" / f"{person}_{session}_trc-K2_{SPACE}_pet"
    write_json(stem.with_name(stem.name + ".json"), **(PET if sidecar is None else sidecar))
    return image(stem.with_name(stem.name + ".nii.gz"), **how)


def sessions(folder: Path, person: str, *rows: tuple[object, ...], columns: Sequence[str] = ("day",)) -> Path:
    """A person's table of sessions."""
    return tsv(folder / person / f"{person}_sessions.tsv", ("session_id", *columns), *rows)


def pet_study(folder: Path, patients: int = 4, healthy: int = 3) -> Path:
    """A clean study: patients in two arms before and after, healthy people once, all from one site."""
    write_json(folder / "dataset_description.json", Name="Simulated: small", BIDSVersion="1.10.0", Simulated=True)
    people = [("participant_id", "group", "arm", "age", "sex")]
    scores: list[tuple[object, ...]] = [("participant_id", "session_id", "day", "madrs_total")]
    for number in range(1, patients + 1):
        person = f"sub-T{number:02}"
        people.append((person, "TRD", ("ketamine", "placebo")[number % 2], 30 + number, "FM"[number % 2]))
        sessions(folder, person, ("ses-pre", 0), ("ses-post", 14))
        for session, day, score in (("ses-pre", 0, 30 + number), ("ses-day4", 4, 25), ("ses-post", 14, 20 - number)):
            scores.append((person, session, day, score))
        for session in ("ses-pre", "ses-post"):
            pet(folder, person, session)
    for number in range(1, healthy + 1):
        person = f"sub-H{number:02}"
        people.append((person, "HC", "n/a", 29 + number, "FM"[number % 2]))
        sessions(folder, person, ("ses-pre", 0))
        pet(folder, person, "ses-pre")
    tsv(folder / "participants.tsv", *people)
    write_json(
        folder / "participants.json",
        age={"Description": "Age", "Units": "year"},
        arm={"Description": "Treatment.", "Levels": {"ketamine": "0.5 mg/kg", "placebo": "saline"}},
    )
    tsv(folder / "phenotype" / "madrs.tsv", *scores)
    write_json(folder / "phenotype" / "madrs.json", madrs_total={"Description": "MADRS total", "Units": "points"})
    return folder


def bold_study(folder: Path, people: int = 3, frames: int = 6) -> Path:
    """A clean study of runs with masks and confounds, and a native anatomy with its transform."""
    write_json(folder / "dataset_description.json", Name="Runs", BIDSVersion="1.10.0", DatasetType="derivative")
    tsv(folder / "participants.tsv", ("participant_id", "age"), *((f"sub-K{n}", 30 + n) for n in range(1, people + 1)))
    for number in range(1, people + 1):
        person = f"sub-K{number}"
        anat = folder / person / "anat"
        image(anat / f"{person}_desc-preproc_T1w.nii.gz")
        (anat / f"{person}_from-T1w_to-MNI152NLin2009aSym_mode-image_xfm.h5").write_bytes(b"x")
        (anat / f"{person}_from-MNI152NLin2009aSym_to-T1w_mode-image_xfm.h5").write_bytes(b"x")
        for session in ("ses-baseline", "ses-day3"):
            stem = folder / person / session / "func" / f"{person}_{session}_task-rest"
            image(stem.with_name(f"{stem.name}_{SPACE}_res-4_desc-preproc_bold.nii.gz"), frames=frames)
            write_json(stem.with_name(f"{stem.name}_{SPACE}_res-4_desc-preproc_bold.json"), RepetitionTime=2.0)
            image(stem.with_name(f"{stem.name}_{SPACE}_res-4_desc-brain_mask.nii.gz"))
            rows = [(0.01 * n, 0.1) for n in range(frames)]
            tsv(
                stem.with_name(f"{stem.name}_desc-confounds_timeseries.tsv"),
                ("trans_x", "framewise_displacement"),
                *rows,
            )
        sessions(folder, person, ("ses-baseline", 0), ("ses-day3", 3))
    return folder
