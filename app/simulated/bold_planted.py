"""What is planted in the simulated ketamine-bold study, written beside it for people to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..io.atlases import regions_of
from .bold_head import head
from .bold_networks import AT_REST, ATLAS, PLANTED
from .bold_people import SCORES, STUDY, Patient
from .images import write_image
from .settings import TEMPLATE, Settings, write_json


def write_planted_bold(folder: Path, settings: Settings, people: list[Patient]) -> None:
    """Write ``bold.json`` and a map of each coupling that ketamine adds to, before any blur."""
    anatomy = head()
    write_json(folder / "bold.json", planted_bold(settings, people))
    names = [region.abbreviation for region in regions_of(ATLAS)]
    for number, part in enumerate(("network", "whole_brain")):
        added = np.zeros(len(names) + 1, np.float32)
        for name, coupling in PLANTED.items():
            added[1 + names.index(name)] = settings.effect * coupling[number]
        write_image(folder / f"bold_{part}.nii.gz", anatomy.grey * added[anatomy.labels], anatomy.grid)
        about = {"Simulated": True, "Description": f"weight of the course of the {part} that ketamine adds"}
        write_json(folder / f"bold_{part}.json", {**about, "SpatialReference": TEMPLATE, "Units": "weight"})


def planted_bold(settings: Settings, people: list[Patient]) -> dict[str, Any]:
    """What is planted, for people and programs to read."""
    return {
        "Simulated": True,
        "study": STUDY,
        "atlas": ATLAS,
        "effect": settings.effect,
        "contrast": "ketamine - midazolam, second scan - first scan",
        "expected": {"Angular": ["degree up", "clustering up"], "Thalamus_R": ["degree up"]},
        "regions": {
            name: {
                "at_rest": AT_REST[name]._asdict(),
                "added": {part: settings.effect * value for part, value in added._asdict().items()},
            }
            for name, added in PLANTED.items()
        },
        "scores": {name: score._asdict() for name, score in SCORES.items()},
        "people": {person.name: {"arm": person.arm, "response": person.response} for person in people},
    }
