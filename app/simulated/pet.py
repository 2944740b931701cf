"""The simulated PET study: a trial of ketamine with scans before and after, and healthy people of another site."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...stats.arrays import Report
from ..problems import silent
from .anatomy import Anatomy
from .images import write_image
from .people import POST, PRE, VISITS, Person, make_people
from .scanner import Acquisition, Scanner, make_scanner
from .settings import TEMPLATE, Settings, write_description, write_json, write_tsv
from .uptake import Tracer

if TYPE_CHECKING:
    import pandas as pd

NAME = "AMPA-receptor PET before and after ketamine"
WHITE_KBQ_ML = 5.5  # of 370 MBq in 60 kg
DOSE_MBQ, WEIGHT_KG = (370.0, 30.0), (60.0, 10.0)  # mean and standard deviation
CLEARANCE_SD = 0.12  # of what reaches the brain, as a share
NOISE, NOISE_SPREAD = 0.045, 0.25
MOVES, MOVED_MM = 0.2, 0.4  # share of scans, standard deviation along each axis
TEXTURE_FWHM_MM = 12.0
TEXTURE_SD = (0.03, 0.01)  # between people and between sessions of one, as shares of uptake
FRAME_S = (1800.0, 1200.0)  # start and duration
SIMULATED = {"Simulated": True}


def write_pet_study(folder: Path, anatomy: Anatomy, settings: Settings, report: Report = silent) -> None:
    """Write the study as a BIDS folder.

    Parameters
    ----------
    folder : Path
        Made; nothing should be in it.
    anatomy : Anatomy
        What `load_anatomy` gives.
    settings : Settings
    report : callable, optional
        Called with the share that is written; what it raises stops the work.
    """
    people = make_people(settings)
    scanner = make_scanner(anatomy, lambda fraction: report(0.2 * fraction))
    tracer = Tracer.of(anatomy, settings)
    write_description(folder, NAME, settings, "derivative")
    _write_tables(folder, people)
    for k, person in enumerate(people):
        for session in person.scans:
            report(0.2 + 0.8 * k / len(people))
            write_scan(folder, person, session, (tracer, scanner))


def write_scan(folder: Path, person: Person, session: str, by: tuple[Tracer, Scanner]) -> None:
    """Write one image of a person and its sidecar."""
    tracer, scanner = by
    rng = tracer.settings.rng("pet", person.id, session, "scan")
    weight = float(np.clip(tracer.settings.rng("pet", person.id, "body").normal(*WEIGHT_KG), 40, 100))
    dose = float(rng.normal(*DOSE_MBQ))
    level = WHITE_KBQ_ML * (dose / DOSE_MBQ[0]) * (WEIGHT_KG[0] / weight) * np.exp(CLEARANCE_SD * rng.standard_normal())
    noise = NOISE * np.exp(NOISE_SPREAD * rng.standard_normal())
    shift = rng.normal(0, MOVED_MM, 3) * (rng.random() < MOVES)
    activity = person.site.calibration * level * tracer.activity(person, session)
    how = Acquisition(person.fwhm_mm, noise, shift, texture(person, session, by))
    image = scanner.image(activity, how, rng)
    stem = f"{person.id}_{session}_trc-K2_space-{TEMPLATE}_pet"
    place = folder / person.id / session / "pet"
    write_image(place / f"{stem}.nii.gz", image, scanner.grid)
    write_json(place / f"{stem}.json", _sidecar(dose))


def texture(person: Person, session: str, by: tuple[Tracer, Scanner]) -> NDArray[np.float32]:
    """Differences between people and sessions that no parcel knows of."""
    tracer, scanner = by
    rng = tracer.settings.rng
    trait = scanner.field(rng("pet", person.id, "texture"), TEXTURE_FWHM_MM)
    state = scanner.field(rng("pet", person.id, session, "texture"), TEXTURE_FWHM_MM)
    return (TEXTURE_SD[0] * trait + TEXTURE_SD[1] * state).astype(np.float32)


def _sidecar(dose_mbq: float) -> dict[str, Any]:
    return SIMULATED | {
        "Description": "simulated static image on the MNI152 anatomy; nobody was scanned",
        "SpatialReference": TEMPLATE,
        "Modality": "PT",
        "BodyPart": "brain",
        "Manufacturer": "simulation",
        "ReconMethodName": "simulation",
        "AttenuationCorrection": "simulation",
        "Units": "kBq/mL",
        "TracerName": "K-2",
        "TracerRadionuclide": "C11",
        "InjectedRadioactivity": round(dose_mbq, 1),
        "InjectedRadioactivityUnits": "MBq",
        "InjectedMass": "n/a",
        "InjectedMassUnits": "n/a",
        "ModeOfAdministration": "bolus",
        "TimeZero": "10:00:00",
        "ScanStart": 0,
        "InjectionStart": 0,
        "FrameTimesStart": [FRAME_S[0]],
        "FrameDuration": [FRAME_S[1]],
        "ImageDecayCorrected": True,
        "ImageDecayCorrectionTime": 0,
    }


def _write_tables(folder: Path, people: Sequence[Person]) -> None:
    import pandas as pd  # noqa: PLC0415 - slow to import

    rows = [(p.id, p.group, p.arm, p.age, p.sex, p.site.name) for p in people]
    write_tsv(
        folder / "participants.tsv",
        pd.DataFrame(rows, columns=["participant_id", "group", "arm", "age", "sex", "site"]),
    )
    write_json(folder / "participants.json", PARTICIPANTS)
    write_tsv(folder / "phenotype" / "madrs.tsv", _madrs(people))
    write_json(folder / "phenotype" / "madrs.json", MADRS)
    for person in people:
        days: dict[str, int] = dict(zip(VISITS, person.days, strict=False))
        rows = [(session, days[session]) for session in person.scans]
        place = folder / person.id / f"{person.id}_sessions"
        write_tsv(place.with_suffix(".tsv"), pd.DataFrame(rows, columns=["session_id", "day"]))
    write_json(folder / "sessions.json", SESSIONS)


def _madrs(people: Sequence[Person]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415

    rows = [
        (person.id, visit, day, total)
        for person in people
        for visit, day, total in zip(VISITS, person.days, person.totals, strict=False)
        if visit not in person.missed
    ]
    return pd.DataFrame(rows, columns=["participant_id", "session_id", "day", "madrs_total"])


_DAY = {"Description": "day of the trial; 0 is before the first infusion (simulated)", "Units": "day"}
SESSIONS = SIMULATED | {
    "session_id": {
        "Description": "simulated session",
        "Levels": {PRE: "before the first infusion", POST: "after the last infusion"},
    },
    "day": _DAY,
}
PARTICIPANTS = SIMULATED | {
    "participant_id": {"Description": "simulated person"},
    "group": {
        "Description": "diagnosis (simulated)",
        "Levels": {"TRD": "treatment-resistant depression", "HC": "healthy"},
    },
    "arm": {
        "Description": "what patients were given, at random, twice a week for two weeks (simulated)",
        "Levels": {"ketamine": "0.5 mg/kg over 40 min", "placebo": "saline"},
    },
    "age": {"Description": "age (simulated)", "Units": "year"},
    "sex": {"Description": "sex (simulated)", "Levels": {"F": "female", "M": "male"}},
    "site": {
        "Description": "trial and scanner (simulated); healthy people are all from trialC",
        "Levels": {"trialA": "first trial of patients", "trialB": "second trial", "trialC": "healthy people"},
    },
}
MADRS = SIMULATED | {
    "MeasurementToolMetadata": {
        "Description": "Montgomery-Asberg Depression Rating Scale (simulated totals)",
    },
    "participant_id": {"Description": "simulated person"},
    "session_id": {"Description": "visit; scans were at the first and the last"},
    "day": _DAY,
    "madrs_total": {"Description": "sum of ten items, 0 to 60; more is worse (simulated)", "Units": "points"},
}
