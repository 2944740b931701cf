"""A small study on disk: two arms, healthy people, two visits with scans, scores in between, somebody who left."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
from window_files import ball, places_mm, small_grid_4mm

ARMS = ("alphadrug", "betadrug")
SESSIONS = ("ses-dawn", "ses-dusk")
VISITS = (("ses-dawn", 0), ("ses-noon", 7), ("ses-dusk", 14))
NAMES = tuple(f"sub-Q{n}W" for n in range(1, 13))
WITHOUT_LAST = "sub-Q4W"


def write_study(folder: Path, people: int = 8, healthy: int = 4) -> Path:
    """Patients first, then healthy people, who come once."""
    folder.mkdir(parents=True)
    (folder / "dataset_description.json").write_text(
        json.dumps(
            {"Name": "Simulated: two drugs", "Simulated": True, "BIDSVersion": "1.10.0", "DatasetType": "derivative"}
        )
    )
    rng = np.random.default_rng(4)
    rows, scores = ["participant_id\tgroup\tarm\tage\tsex\tsite"], ["participant_id\tsession_id\tday\tmadrs_total"]
    for n, who in enumerate(NAMES[: people + healthy]):
        is_patient = n < people
        arm = ARMS[n % 2] if is_patient else "n/a"
        rows.append(
            f"{who}\t{'TRD' if is_patient else 'HC'}\t{arm}\t{25 + 3 * n}\t{'FM'[n % 2]}\t{'one' if n % 3 else 'two'}"
        )
        sessions = [name for name in SESSIONS if is_patient or name == SESSIONS[0]]
        if who == WITHOUT_LAST:
            sessions = sessions[:1]
        for at, session in enumerate(sessions):
            _write_scan(folder, who, session, 5.0 + n + 2 * at)
        if is_patient:
            for session, day in VISITS[: 2 if who == WITHOUT_LAST else 3]:
                fall = (1.6 if arm == ARMS[0] else 0.5) * day
                scores.append(f"{who}\t{session}\t{day}\t{max(0, round(32 + 3 * rng.standard_normal() - fall))}")
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n")
    (folder / "phenotype").mkdir()
    (folder / "phenotype" / "madrs.tsv").write_text("\n".join(scores) + "\n")
    return folder


def _write_scan(folder: Path, who: str, session: str, value: float) -> None:
    grid = small_grid_4mm()
    values = np.where((np.abs(places_mm(grid)) / [34, 42, 38] <= 1).all(axis=-1), value, 0.0)
    values[ball(grid, (16.0, 20.0, 18.0), 9.0)] = 2 * value
    image = nib.Nifti1Image(values.astype(np.float32), grid.affine)
    image.header.set_xyzt_units("mm", "sec")
    image.set_sform(grid.affine, 4)
    place = folder / who / session / "pet"
    place.mkdir(parents=True)
    stem = f"{who}_{session}_trc-T1_space-MNI152NLin2009aSym_pet"
    nib.save(image, place / f"{stem}.nii.gz")
    about = {
        "Units": "kBq/mL",
        "FrameTimesStart": [1800],
        "FrameDuration": [1200],
        "TimeZero": "10:00:00",
        "InjectionStart": 0,
        "ImageDecayCorrected": True,
        "TracerName": "T-1",
        "TracerRadionuclide": "C11",
        "Simulated": True,
    }
    (place / f"{stem}.json").write_text(json.dumps(about))
