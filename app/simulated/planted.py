"""What was planted, for whoever wants to compare: maps and a list. No analysis reads it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .anatomy import Anatomy, Parcel
from .effects import CHANGE_SD, EFFECTS, LEVEL_SD, Effect
from .images import write_image
from .settings import TEMPLATE, Settings, write_json

LEAST_GREY = 0.25
TRUTH = "truth.json"


def write_planted(folder: Path, anatomy: Anatomy, settings: Settings, about: dict[str, Any]) -> None:
    """Write a map of each effect of the PET study, and the list of them.

    A map holds percent of uptake in grey matter at 1 mm, before blur and noise; 0 where nothing is planted.

    Parameters
    ----------
    folder : Path
        Made when missing.
    anatomy : Anatomy
    settings : Settings
    about : dict
        What identifies the demo; goes to the head of the list.
    """
    grey = anatomy.grey >= LEAST_GREY
    for effect in EFFECTS:
        slopes = np.concatenate(([0.0], settings.effect * effect.slopes(anatomy.parcels)))
        percent = (100 * slopes).astype(np.float32)[anatomy.labels] * grey
        write_image(folder / f"pet_{effect.name}.nii.gz", percent, anatomy.grid)
        sidecar = {
            "Simulated": True,
            "Description": f"planted: {effect.words}",
            "Units": f"percent of uptake per {effect.per}",
            "SpatialReference": TEMPLATE,
        }
        write_json(folder / f"pet_{effect.name}.json", sidecar)
    truth = {
        "Simulated": True,
        "demo": about,
        "pet": {
            "sd_of_uptake": LEVEL_SD,
            "sd_of_change": CHANGE_SD,
            "effects": [_listed(effect, anatomy.parcels, settings.effect) for effect in EFFECTS],
        },
    }
    write_json(folder / TRUTH, truth)


def _listed(effect: Effect, parcels: Sequence[Parcel], factor: float) -> dict[str, Any]:
    slopes = factor * effect.slopes(parcels)
    regions = [
        {"region": parcel.title, "size": size, "percent": 100 * slope, "reported": part.reported}
        for parcel, size, slope in zip(parcels, effect.sizes(parcels), slopes, strict=True)
        if (part := effect.part(parcel)) and slope
    ]
    return {
        "name": effect.name,
        "words": effect.words,
        "measure": f"{effect.measure} at --effect 1",
        "percent_per": effect.per,
        "regions": regions,
    }
