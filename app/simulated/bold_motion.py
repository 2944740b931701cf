"""Head motion of simulated runs, and the marks it leaves in the signal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...stats.quality import framewise_displacement
from .bold_head import Head
from .bold_networks import Courses, autoregressive

RADIUS_MM = 50.0  # of the head, between turns and shifts
LEFT_BY_REALIGNMENT = 0.3  # share of an edge's change that stays in the data
LOST_PER_MM = 0.025  # of the signal, in a volume that moved by 1 mm; less in the next
FADING = (1.0, 0.4)


class Motion(NamedTuple):
    """Motion of one run.

    Attributes
    ----------
    parameters : (volumes, 6) float64
        As fMRIPrep writes them: trans_x, trans_y, trans_z in mm, rot_x, rot_y, rot_z in radians.
    displacement_mm : (volumes,) float64
        Framewise, of Power; 0 for the first volume.
    """

    parameters: Courses
    displacement_mm: Courses


def move(person: np.random.Generator, scan: np.random.Generator, volumes: int) -> Motion:
    """Motion of a run: drift, restlessness that a person keeps from scan to scan, and jerks.

    Parameters
    ----------
    person, scan : Generator
        Random streams of the person and of this scan.
    volumes : int

    Returns
    -------
    Motion
        Mean displacement of nine in ten people between 0.1 and 0.43 mm.
    """
    restless = 0.022 * np.exp(0.35 * person.standard_normal() + 0.25 * scan.standard_normal())
    steps = restless * scan.standard_normal((6, volumes)) * np.array([0.7, 0.9, 1.2, 1.2, 0.7, 0.7])[:, None]
    jerks = (scan.random(volumes) < 0.03) * restless * 8 * scan.standard_normal((6, volumes))
    lasting = np.cumsum(jerks * (scan.random(volumes) < 0.5), axis=1)
    drift = restless * 4 * autoregressive(scan, (6, volumes), 0.98)
    mm = (drift + steps + jerks + lasting).T
    mm -= mm[0]
    parameters = mm / np.array([1.0, 1.0, 1.0, RADIUS_MM, RADIUS_MM, RADIUS_MM])
    return Motion(parameters, np.nan_to_num(framewise_displacement(parameters, "fmriprep")))


def motion_artefact(scan: np.random.Generator, head: Head, motion: Motion) -> tuple[NDArray[np.float32], Courses]:
    """What motion adds to a run, as patterns and their courses.

    Edges change in proportion to the shift at that place, and a volume that moved has lost signal, more in some
    parts of the head than in others.

    Returns
    -------
    patterns : (V, 7) float32
        In the unit of the run.
    courses : (7, volumes) float64
    """
    shift = head.gradient_per_mm
    centred = head.position_mm - head.position_mm.mean(axis=0)
    turn = np.cross(centred, shift)
    lost = -LOST_PER_MM * head.mean * (1 + 0.5 * head.smooth_field(scan))
    patterns = np.column_stack([LEFT_BY_REALIGNMENT * shift, LEFT_BY_REALIGNMENT * turn, lost])
    faded = np.convolve(motion.displacement_mm, FADING)[: len(motion.displacement_mm)]
    return patterns.astype(np.float32), np.vstack([motion.parameters.T, faded])
