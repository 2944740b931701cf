"""The simulated naltrexone-mrs study: glutamate of the anterior cingulate in a crossover of two ketamine sessions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..problems import silent
from .mrs_people import (
    BY_KETAMINE,
    MADRS_ATTENUATION,
    SECOND_PERIOD,
    STUDY,
    UNSPECIFIC,
    Volunteer,
    madrs,
    participants,
    sessions,
    volunteers,
)
from .mrs_series import ATTENUATION, RISE, RISE_TIME_MIN, fitted
from .mrs_series import SECOND_PERIOD as GLX_SECOND_PERIOD
from .mrs_spectra import DWELL_S, POINTS, acquisition, transients, voxel_affine, write_spectra
from .settings import TEMPLATE, Settings, write_description, write_json, write_tsv

Report = Callable[[float], None]

ABOUT_PEOPLE = {
    "sex": {"Description": "Sex", "Levels": {"F": "female", "M": "male"}},
    "age": {"Description": "Age", "Units": "years"},
    "sequence": {
        "Description": "Order of what was given before ketamine",
        "Levels": {"NP": "naltrexone, then placebo", "PN": "placebo, then naltrexone"},
    },
}
ABOUT_MADRS = {
    "time": {"Description": "When it was rated", "Levels": {"baseline": "before ketamine", "day1": "the day after"}},
    "madrs_total": {
        "Description": "Montgomery-Asberg Depression Rating Scale, total",
        "Units": "0 to 60; higher is worse",
    },
}
ABOUT_FITS = {
    "time_min": {"Description": "Middle of what was averaged; ketamine begins at 0", "Units": "min"},
    "glx_tnaa": {"Description": "Glutamate and glutamine over total NAA", "Units": "ratio"},
    "linewidth_hz": {"Description": "Full width of the NAA peak at half its height", "Units": "Hz"},
    "snr": {"Description": "Height of the NAA peak over the standard deviation of the noise", "Units": "ratio"},
    "crlb_glx_percent": {"Description": "Cramer-Rao lower bound of Glx", "Units": "percent"},
    "gm_fraction": {"Description": "Share of grey matter in the voxel", "Units": "ratio"},
}


def write_mrs_study(folder: Path, settings: Settings, report: Report = silent) -> Path:
    """Write the study's folder, and beside it in ``planted/`` what is in it.

    Parameters
    ----------
    folder : Path
        Of the demo; ``naltrexone-mrs/`` and ``planted/`` come into it.
    settings : Settings
    report : callable, optional
        Called with the share done; what it raises stops the work.

    Returns
    -------
    Path
        The study's folder.
    """
    study, people = folder / STUDY, volunteers(settings)
    write_description(study, "naltrexone or placebo before ketamine, MRS of the anterior cingulate", settings)
    write_tsv(study / "participants.tsv", participants(people))
    write_json(study / "participants.json", {"Simulated": True, **ABOUT_PEOPLE})
    write_tsv(study / "phenotype" / "madrs.tsv", madrs(settings, people))
    write_json(study / "phenotype" / "madrs.json", {"Simulated": True, **ABOUT_MADRS})
    _write_planted(folder / "planted", settings)
    for done, person in enumerate(people):
        write_tsv(study / person.name / f"{person.name}_sessions.tsv", sessions(person))
        for session in person.sessions:
            report(done / len(people))
            _write_session(study, settings, person, session)
    return study


def _write_session(study: Path, settings: Settings, person: Volunteer, session: str) -> None:
    """Spectra of one session, what a fit gives, and their sidecars."""
    stem = f"{person.name}_{session}_voi-acc"
    place = study / person.name / session / "mrs"
    fits = fitted(settings, person, session)
    write_tsv(place / f"{stem}_desc-fit_svs.tsv", fits)
    write_json(place / f"{stem}_desc-fit_svs.json", {"Simulated": True, **ABOUT_FITS})
    values = transients(settings.rng(STUDY, person.name, session, "spectra"), fits)
    affine = voxel_affine(settings.rng(STUDY, person.name, session, "voxel"))
    write_spectra(place / f"{stem}_svs.nii.gz", values, affine, fits["time_min"].tolist())
    sidecar = {"Simulated": True, **acquisition(), "SpectralWidth": 1 / DWELL_S, "NumberOfSpectralPoints": POINTS}
    write_json(place / f"{stem}_svs.json", {**sidecar, "SpatialReference": TEMPLATE})


def _write_planted(folder: Path, settings: Settings) -> None:
    """The truth: sizes at this effect; the sex difference is exploratory in the study that is imitated."""
    effect = settings.effect
    glx = {"rise": effect * RISE, "rise_time_min": RISE_TIME_MIN, "share_taken_by_naltrexone": ATTENUATION}
    points = {"unspecific": UNSPECIFIC, "by_ketamine": effect * BY_KETAMINE}
    truth = {
        "Simulated": True,
        "study": STUDY,
        "effect": effect,
        "glx_tnaa": {**glx, "second_period": effect * GLX_SECOND_PERIOD},
        "madrs_points": {
            **points,
            "share_taken_by_naltrexone": MADRS_ATTENUATION,
            "second_period": effect * SECOND_PERIOD,
        },
    }
    write_json(folder / "mrs.json", truth)
