"""A tiny study in the layout of BIDS, of maps on a coarse grid over the whole template, for questions on maps."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from numpy.typing import NDArray

SPACE = "MNI152NLin2009aSym"
SHAPE = (22, 26, 22)
AFFINE = np.array([[8.0, 0, 0, -84], [0, 8, 0, -116], [0, 0, 8, -70], [0, 0, 0, 1]])


@dataclass
class Plan:
    """What a tiny study is made of: (people, voxels) images, and their tables."""

    people: pd.DataFrame
    pre: NDArray[np.float64]
    post: NDArray[np.float64]
    scores: pd.DataFrame
    without_post: set[str] = field(default_factory=set)
    simulated: bool = False


def mm() -> NDArray[np.float64]:
    """Centres of all voxels, (V, 3), x fastest."""
    ijk = np.stack(np.unravel_index(np.arange(np.prod(SHAPE)), SHAPE, order="F"), axis=-1)
    return ijk @ AFFINE[:3, :3].T + AFFINE[:3, 3]


def near(x: float, y: float, z: float, radius: float) -> NDArray[np.bool_]:
    """Voxels near a place."""
    return ((mm() - (x, y, z)) ** 2).sum(axis=1) < radius**2


def draw(seed: int, patients: int = 16, healthy: int = 12) -> Plan:
    """People without any effect: independent noise beside a value of each person and voxel."""
    rng = np.random.default_rng(seed)
    names = [f"sub-T{k:02d}" for k in range(1, patients + 1)] + [f"sub-H{k:02d}" for k in range(1, healthy + 1)]
    n = len(names)
    people = pd.DataFrame(
        {
            "participant_id": names,
            "group": ["TRD"] * patients + ["HC"] * healthy,
            "arm": [("ketamine", "placebo")[k % 2] for k in range(patients)] + ["n/a"] * healthy,
            "age": rng.integers(20, 60, n),
            "sex": rng.permutation(["F", "M"] * n)[:n],
        }
    )
    voxels = int(np.prod(SHAPE))
    own = 1.2 + 0.1 * rng.normal(size=(n, voxels))
    pre, post = (own + 0.05 * rng.normal(size=(n, voxels)) for _ in range(2))
    before = rng.integers(22, 42, patients)
    scores = pd.DataFrame(
        {"participant_id": names[:patients], "pre": before, "post": before - rng.integers(-2, 20, patients)}
    )
    return Plan(people, pre, post, scores)


def write(folder: Path, plan: Plan) -> Path:
    """Write a study of ratio maps."""
    folder.mkdir(parents=True)
    name = "Simulated: tiny" if plan.simulated else "Tiny"
    about = {"Name": name, "BIDSVersion": "1.10.0", "DatasetType": "derivative", "Simulated": plan.simulated}
    (folder / "dataset_description.json").write_text(json.dumps(about))
    plan.people.to_csv(folder / "participants.tsv", sep="\t", index=False)
    (folder / "phenotype").mkdir()
    rows = [
        {"participant_id": row["participant_id"], "session_id": f"ses-{visit}", "madrs_total": row[visit]}
        for row in plan.scores.to_dict("records")
        for visit in ("pre", "post")
    ]
    pd.DataFrame(rows).to_csv(folder / "phenotype" / "madrs.tsv", sep="\t", index=False, na_rep="n/a")
    for number, person in enumerate(plan.people["participant_id"]):
        patient = person.startswith("sub-T")
        sessions = ["pre", "post"] if patient and person not in plan.without_post else ["pre"]
        table = pd.DataFrame({"session_id": [f"ses-{s}" for s in sessions], "day": [0, 14][: len(sessions)]})
        (folder / person).mkdir()
        table.to_csv(folder / person / f"{person}_sessions.tsv", sep="\t", index=False)
        for session in sessions:
            values = (plan.pre if session == "pre" else plan.post)[number]
            _image(folder / person / f"ses-{session}" / "pet", f"{person}_ses-{session}", values, plan.simulated)
    return folder


def _image(folder: Path, stem: str, values: NDArray[np.float64], simulated: bool) -> None:
    folder.mkdir(parents=True)
    name = f"{stem}_trc-K2_space-{SPACE}_meas-SUVR_pet"
    volume = values.reshape(SHAPE, order="F").astype(np.float32)
    nib.save(nib.Nifti1Image(volume, AFFINE), folder / f"{name}.nii.gz")
    (folder / f"{name}.json").write_text(json.dumps({"Units": "arbitrary", "Simulated": simulated}))
