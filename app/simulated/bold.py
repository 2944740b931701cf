"""The simulated ketamine-bold study: resting runs of two arms before and three days after one infusion."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from ..problems import silent
from .bold_confounds import confounds
from .bold_head import head
from .bold_people import DAYS, SCORES, STUDY, Patient, participants, patients, ratings
from .bold_planted import write_planted_bold
from .bold_run import TR_S, as_volumes, simulate_run
from .images import write_image
from .settings import TEMPLATE, Settings, write_description, write_json, write_tsv

Report = Callable[[float], None]

ABOUT_PEOPLE = {
    "arm": {
        "Description": "What was infused once, after the first scan",
        "Levels": {"ketamine": "0.5 mg/kg", "midazolam": "0.045 mg/kg"},
    },
    "age": {"Description": "Age", "Units": "years"},
    "sex": {"Description": "Sex", "Levels": {"F": "female", "M": "male"}},
}
ABOUT_SCORES = {
    "hamd17_total": "Hamilton Depression Rating Scale, 17 items, total",
    "cssrs_iss": "Columbia-Suicide Severity Rating Scale, Ideation Severity Subscale",
}
TABLES = {"hamd17_total": "hamd17", "cssrs_iss": "cssrs"}


def write_bold_study(folder: Path, settings: Settings, report: Report = silent) -> Path:
    """Write the study's folder, and beside it in ``planted/`` what is in it.

    Parameters
    ----------
    folder : Path
        Of the demo; ``ketamine-bold/`` and ``planted/`` come into it.
    settings : Settings
    report : callable, optional
        Called with the share done; what it raises stops the work.

    Returns
    -------
    Path
        The study's folder.
    """
    study, people = folder / STUDY, patients(settings)
    write_description(study, "ketamine and midazolam, resting-state fMRI", settings, "derivative")
    write_tsv(study / "participants.tsv", participants(people))
    write_json(study / "participants.json", {"Simulated": True, **ABOUT_PEOPLE})
    for scale, name in TABLES.items():
        write_tsv(study / "phenotype" / f"{name}.tsv", ratings(settings, people, scale))
        levels = f"0 to {SCORES[scale].highest}; higher is worse"
        about = {"Simulated": True, scale: {"Description": ABOUT_SCORES[scale], "Units": levels}}
        write_json(study / "phenotype" / f"{name}.json", about)
    write_planted_bold(folder / "planted", settings, people)
    scans = [(person, session) for person in people for session in person.sessions]
    for done, (person, session) in enumerate(scans):
        _write_scan(study, settings, (person, session), partial(_part, report, done, len(scans)))
    for person in people:
        sessions = pd.DataFrame({"session_id": person.sessions, "day": [DAYS[s] for s in person.sessions]})
        write_tsv(study / person.name / f"{person.name}_sessions.tsv", sessions)
    return study


def _part(report: Report, done: int, n: int, share: float) -> None:
    report((done + share) / n)


def _write_scan(study: Path, settings: Settings, scan: tuple[Patient, str], report: Report) -> None:
    """The run of one session with its mask, confounds and sidecars."""
    person, session = scan
    anatomy = head()
    run = simulate_run(anatomy, settings, person, session, lambda share: report(0.7 * share))
    table = confounds(anatomy, run, lambda share: report(0.7 + 0.2 * share))
    report(0.9)
    stem = f"{person.name}_{session}_task-rest"
    place = study / person.name / session / "func"
    space = f"{stem}_space-{TEMPLATE}_res-4"
    sidecar = {"Simulated": True, "TaskName": "rest", "SkullStripped": True, "SpatialReference": TEMPLATE}
    sidecar |= {"Resolution": "4 mm", "Units": "arbitrary"}
    write_image(place / f"{space}_desc-preproc_bold.nii.gz", as_volumes(anatomy, run.rows), anatomy.grid, TR_S)
    write_json(place / f"{space}_desc-preproc_bold.json", {**sidecar, "RepetitionTime": TR_S})
    write_image(place / f"{space}_desc-brain_mask.nii.gz", anatomy.brain.astype(np.uint8), anatomy.grid)
    write_json(place / f"{space}_desc-brain_mask.json", {"Simulated": True, "Type": "Brain", "Resolution": "4 mm"})
    write_tsv(place / f"{stem}_desc-confounds_timeseries.tsv", table)
    write_json(place / f"{stem}_desc-confounds_timeseries.json", {"Simulated": True})
