"""A tiny BOLD study in the demo's layout, for tests of graphs: 8 mm grid, two arms, baseline and day 3."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

ORIGIN, STEP, SHAPE, FRAMES = np.array([-76.0, -108.0, -68.0]), 8.0, (20, 24, 20), 40
MOTION = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")


def write_graph_study(folder: Path, people: int = 10, *, moving: float = 0.0, healthy: bool = False) -> Path:
    """Write it. `moving` adds motion to the second session of ketamine; `healthy` makes one session of two groups."""
    rng = np.random.default_rng(5)
    text = {"Name": "tiny", "BIDSVersion": "1.10.0", "DatasetType": "derivative"}
    folder.mkdir(parents=True)
    (folder / "dataset_description.json").write_text(json.dumps(text))
    persons, scores = [], []
    affine = np.diag([STEP, STEP, STEP, 1.0])
    affine[:3, 3] = ORIGIN
    places = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), -1) @ np.eye(3) * STEP + ORIGIN
    brain = (((places - (0, -18, 8)) / (70, 88, 66)) ** 2).sum(axis=-1) < 1
    waves = rng.normal(size=(6, 3)) * 0.05
    for k in range(people):
        who, arm = f"sub-K{k:02d}", ("ketamine", "midazolam")[k % 2]
        column = {"group": ("TRD", "HC")[k % 2]} if healthy else {"arm": arm}
        persons.append({"participant_id": who, **column, "age": 30 + 3 * (k % 4) + k, "sex": "FMMF"[k % 4]})
        for n, session in enumerate(["ses-baseline"] if healthy else ["ses-baseline", "ses-day3"]):
            keys = {"participant_id": who, "session_id": session}
            fall = n * (9 if arm == "ketamine" else 4)
            scores.append({**keys, "hamd17_total": 24 + k % 5 - fall + int(rng.integers(0, 3))})
            series = rng.normal(size=(6, FRAMES))
            weights = np.cos(places @ waves.T + rng.normal(0, 0.3, 6))
            data = 1000 + 4 * weights @ series + 6 * rng.normal(size=(*SHAPE, FRAMES))
            data[~brain] = 0
            func = folder / who / session / "func"
            func.mkdir(parents=True)
            stem = f"{who}_{session}_task-rest"
            image = nib.Nifti1Image(data.astype(np.float32), affine)
            image.header.set_zooms((STEP, STEP, STEP, 2.0))
            image.header.set_xyzt_units("mm", "sec")
            bold = func / f"{stem}_space-MNI152NLin2009aSym_res-8_desc-preproc_bold.nii.gz"
            nib.save(image, bold)
            bold.with_name(bold.name.replace(".nii.gz", ".json")).write_text(
                json.dumps({"RepetitionTime": 2.0, "TaskName": "rest", "SkullStripped": True})
            )
            fd = rng.uniform(0.1, 0.2, FRAMES) + moving * n * (arm == "ketamine")
            table = {name: rng.normal(size=FRAMES) for name in (*MOTION, "csf", "white_matter", "global_signal")}
            pd.DataFrame({**table, "framewise_displacement": fd}).to_csv(
                func / f"{stem}_desc-confounds_timeseries.tsv", sep="\t", index=False
            )
    pd.DataFrame(persons).to_csv(folder / "participants.tsv", sep="\t", index=False)
    (folder / "phenotype").mkdir()
    pd.DataFrame(scores).to_csv(folder / "phenotype" / "hamd17.tsv", sep="\t", index=False)
    return folder
