"""One simulated resting run: signal of regions at tissue resolution, blurred, with noise, physiology and motion."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...stats.smooth import smooth
from ..problems import silent
from .bold_head import Head, Values
from .bold_motion import Motion, motion_artefact, move
from .bold_networks import Courses, autoregressive, region_courses
from .bold_people import DAY_3, STUDY, Patient
from .settings import Settings

Report = Callable[[float], None]

VOLUMES = {"small": 60, "full": 120}
TR_S = 2.0
SIGNAL = 2.2  # of a network in grey matter, in units of the run (mean about 180)
NOISE = 6.6  # standard deviation in a voxel, before blurring
NOISE_PERSISTENCE = 0.3  # from volume to volume
WHOLE_BRAIN, IN_WHITE, IN_CSF = 0.7, 0.9, 2.6  # breathing and pulse


class Run(NamedTuple):
    """A simulated run.

    Attributes
    ----------
    rows : (V, volumes) float32
        Voxels of the brain in the order of `Head.brain`.
    motion : Motion
    """

    rows: Values
    motion: Motion


def simulate_run(head: Head, settings: Settings, patient: Patient, session: str, report: Report = silent) -> Run:
    """The run of one patient in one session; the same whatever else is simulated."""
    volumes = VOLUMES[settings.size]

    def stream(*words: str) -> np.random.Generator:
        return settings.rng(STUDY, patient.name, *words)

    response = patient.response if session == DAY_3 else 0.0
    courses = region_courses(stream(session, "courses"), stream("networks"), volumes, response)
    motion = move(stream("restlessness"), stream(session, "motion"), volumes)
    rows = _blurred(head, courses, patient.fwhm_mm, stream(session, "noise"), report)
    rows += head.mean[:, None]
    for patterns, series in (
        motion_artefact(stream(session, "artefact"), head, motion),
        _physiology(stream(session, "physiology"), head, volumes),
    ):
        rows += patterns @ series.astype(np.float32)
    return Run(rows, motion)


def as_volumes(head: Head, rows: Values) -> NDArray[np.int16]:
    """The run as it is stored: (nx, ny, nz, volumes) int16, 0 outside the brain."""
    run = np.zeros((*head.grid.shape, rows.shape[1]), np.int16)
    run[head.brain] = np.rint(rows)
    return run


def _blurred(head: Head, courses: Courses, fwhm_mm: float, rng: np.random.Generator, report: Report) -> Values:
    """Signal in grey matter and noise that lasts a little, both blurred, (V, volumes) float32."""
    volumes = courses.shape[1]
    signal = np.vstack([np.zeros(volumes), SIGNAL * courses]).astype(np.float32)
    rows = np.empty((int(head.brain.sum()), volumes), np.float32)
    fresh = np.float32(NOISE * np.sqrt(1 - NOISE_PERSISTENCE**2))
    noise = np.float32(NOISE) * rng.standard_normal(head.grid.shape, dtype=np.float32)
    for volume in range(volumes):
        report(volume / volumes)
        image: Values = np.add(noise, head.grey * signal[head.labels, volume], dtype=np.float32)
        rows[:, volume] = smooth(image, fwhm_mm, head.grid.zooms_mm).volume[head.brain]
        noise *= np.float32(NOISE_PERSISTENCE)
        noise += fresh * rng.standard_normal(head.grid.shape, dtype=np.float32)
    return rows


def _physiology(rng: np.random.Generator, head: Head, volumes: int) -> tuple[Values, Courses]:
    """Breathing and pulse: patterns (V, 3) by tissue, and courses (3, volumes)."""
    everywhere = WHOLE_BRAIN * (1 + 0.3 * head.smooth_field(rng))
    patterns = np.column_stack([everywhere, IN_WHITE * head.tissue[:, 1], IN_CSF * head.tissue[:, 2]])
    return patterns.astype(np.float32), autoregressive(rng, (3, volumes), 0.6)
