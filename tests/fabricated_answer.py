"""Answers that nobody computed, for tests of what is written of an answer."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from habena.app.grid import Grid
from habena.app.problems import Finding
from habena.app.study.answers import Answered, Plan, RegionRow
from habena.app.study.asking import Ask
from habena.app.study.values import Scan, Study

TEMPLATE = "MNI152NLin2009aSym"
EVIL = '<script>alert("x")</script>'
PEOPLE = ("sub-T01", "sub-T02", "sub-T10", "anna")
# left-handed, unequal, off centre
GRID = Grid((24, 26, 20), np.array([[-6.0, 0, 0, 70], [0, 7, 0, -105], [0, 0, 7, -60], [0, 0, 0, 1]]))


def study_in(folder: Path) -> Study:
    """A simulated study of four people, one scan each."""
    folder.mkdir(parents=True, exist_ok=True)
    scans = []
    for name in PEOPLE:
        path = folder / f"{name}_ses-pre_space-{TEMPLATE}_pet.nii.gz"
        path.write_bytes(name.encode())
        scans.append(Scan(name, "ses-pre", "pet", path, TEMPLATE))
    participants = pd.DataFrame({"participant_id": PEOPLE, EVIL: [1.5, 2.5, np.nan, 0.5]})
    return Study(
        folder=folder,
        name="Simulated: four",
        simulated=True,
        participants=participants,
        sessions=pd.DataFrame(),
        scores={},
        scans=tuple(scans),
    )


def t_map() -> np.ndarray:
    """Noise with a peak at the right thalamus and a hole of NaN."""
    values = np.random.default_rng(1).normal(0, 1, GRID.shape).astype(np.float32)
    at = GRID.voxel_at((13.0, -19.0, 7.0))
    assert at is not None
    values[at] = 7.0
    values[:2] = np.nan
    return values


ROWS = (
    RegionRow("habenula", "L", "cit168", -0.5, (-0.9, -0.1), -2.6, 0.02, 0.4, "", 14.0, "keeps 12 % of its own signal"),
    RegionRow("habenula", "R", "cit168", 0.25, (-0.2, 0.7), 1.1, 0.29, 0.98, "", 14.0),
    RegionRow("thalamus", "R", "aal2", 1.5, (1.0, 2.0), 6.9, 1e-5, 0.002, "", 14.0),
    RegionRow("pallidum", "L", "aal2", math.nan, (math.nan, math.nan), math.nan, math.nan, None),
)
CLUSTERS: tuple[dict[str, Any], ...] = (
    {
        "test": "improvement",
        "sign": 1,
        "size_mm3": 4704.0,
        "p": 0.01,
        "peak_mm": (14.0, -21.0, 10.0),
        "peak_value": 7.0,
        "regions": [{"atlas": "aal2", "name": "Thalamus R", "share": 0.61}],
    },
)
FINDINGS = (
    Finding("subject-left-out", "sub-T10", None, f"sub-T10 is left out: anna and {EVIL} say so; sub-X9 too."),
    Finding("uncorrected", "map", 7.0, "Nothing is corrected for 12480 elements."),
)


def plan_of(study: Study, **changes: Any) -> Plan:
    """A change question."""
    ask = Ask(str(study.folder), "change", score="madrs_total", covariates=("age",), exclude=("sub-T02",))
    made = Plan(
        ask,
        f"Change and improvement ({EVIL}), simulated",
        "SUVR change (post less pre) as a function of improvement in MADRS (pre less post; larger is better).",
        f"pet ~ improvement + Q('{EVIL}')",
        (),
        "improvement",
        "slope of SUVR change on improvement",
        "SUVR per point",
        {"ketamine": 3, "excluded": 1},
        FINDINGS[:1],
    )
    return replace(made, **changes)


def answered_of(study: Study, **changes: Any) -> Answered:
    """An answer with a map, regions, a cluster, a table of people and findings."""
    table = pd.DataFrame({"participant_id": ["sub-T01", "anna"], "improvement": [4.0, np.nan], "who": ["anna", EVIL]})
    made = Answered(
        plan_of(study),
        simulated=True,
        regions=ROWS,
        clusters=CLUSTERS,
        maps={"t": (t_map(), GRID), "neglog10-p": (np.abs(t_map()), GRID)},
        details={"r": 0.25, "unknown": math.nan, "model": "never over a field of the contract"},
        words=("Simulated data.", f"Nothing survives; {EVIL}."),
        tables={"people": table},
        findings=FINDINGS,
        inputs=tuple(scan.path for scan in study.scans),
    )
    return replace(made, **changes)
