"""Time courses of regions in a simulated resting run, and what ketamine changes in them.

A region moves with its network, with a course of the whole brain that the default mode carries most, and with nothing
but itself. Networks after what resting-state studies agree on; strengths are nobody's measurement.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from ..atlas import Region
from ..io.atlases import regions_of

Courses = NDArray[np.float64]

ATLAS = "aal2"
NETWORKS: dict[str, tuple[str, ...]] = {  # starts of AAL2 labels
    "default mode": (
        *("Cingulate_Post", "Precuneus", "Angular", "Frontal_Med_Orb", "Frontal_Sup", "Temporal_Mid", "Temporal_Inf"),
        *("ParaHippocampal", "Temporal_Pole_Mid"),
    ),
    "motor": ("Precentral", "Postcentral", "Supp_Motor", "Paracentral"),
    "visual": ("Calcarine", "Cuneus", "Lingual", "Occipital", "Fusiform"),
    "frontoparietal": ("Frontal_Mid_2", "Parietal_Inf", "Parietal_Sup", "Frontal_Inf_Tri", "Frontal_Inf_Oper"),
    "salience": ("Insula", "Cingulate_Ant", "Cingulate_Mid", "SupraMarginal"),
    "auditory": ("Heschl", "Temporal_Sup", "Rolandic"),
    "subcortical": ("Thalamus", "Caudate", "Putamen", "Pallidum", "Hippocampus", "Amygdala"),
    "cerebellar": ("Cerebelum", "Vermis"),
    "orbitofrontal": ("Frontal_Inf_Orb", "Olfactory", "Rectus", "OFC", "Temporal_Pole_Sup"),
}
OPPOSED = (("default mode", "frontoparietal", -0.35), ("default mode", "salience", -0.25))

PERSISTENCE = 0.7  # from one volume to the next, 2 s later
BURN_IN = 40  # volumes until a course has forgotten its start
OWN = 1.1  # standard deviation of what a region shares with nobody, where a network has 1
NETWORK_SPREAD, REGION_SPREAD = 0.2, 0.4  # of log strength, between people
SCAN_SPREAD = 0.1  # of a region's log strength, between scans of a person


class Coupling(NamedTuple):
    """Weights of the network's course and of the whole brain's; the network's own course has 1 elsewhere."""

    network: float
    whole_brain: float


DEFAULT_MODE_HUB, ELSEWHERE = 0.6, 0.2  # weight of the whole brain's course
AT_REST = {  # before treatment, weak: room to rise
    "Angular_L": Coupling(0.3, 0.1),
    "Angular_R": Coupling(0.3, 0.1),
    "Thalamus_R": Coupling(0.3, 0.1),
}
PLANTED = {  # what ketamine adds at effect 1
    "Angular_L": Coupling(0.85, 0.4),
    "Angular_R": Coupling(0.85, 0.4),
    "Thalamus_R": Coupling(0.85, 0.75),
}


def network_of(region: Region) -> str:
    """The network of a region of AAL2."""
    return next(name for name, starts in NETWORKS.items() if region.abbreviation.startswith(starts))


def region_courses(
    scan: np.random.Generator, person: np.random.Generator, volumes: int, response: float = 0.0
) -> Courses:
    """Courses of all regions of AAL2 in one scan.

    Parameters
    ----------
    scan, person : Generator
        Random streams of this scan, and of what all scans of the person share.
    volumes : int
        At 2 s.
    response : float
        How much of `PLANTED` is added: 1 for the usual person after ketamine at effect 1.

    Returns
    -------
    (R, volumes) float64
        A network's course has variance 1.
    """
    networks, at_rest, planted = _weights()
    strength = np.exp(NETWORK_SPREAD * person.standard_normal(len(NETWORKS)))[networks]
    drawn = [
        spread * rng.standard_normal((2, len(networks)))
        for rng, spread in ((person, REGION_SPREAD), (scan, SCAN_SPREAD))
    ]
    weights = np.maximum(at_rest + response * planted, 0) * np.exp(drawn[0] + drawn[1])
    shared = _opposed() @ autoregressive(scan, (len(NETWORKS), volumes))
    whole_brain = autoregressive(scan, (volumes,))
    own = autoregressive(scan, (len(networks), volumes))
    return (weights[0] * strength)[:, None] * shared[networks] + weights[1][:, None] * whole_brain + OWN * own


def autoregressive(rng: np.random.Generator, shape: tuple[int, ...], persistence: float = PERSISTENCE) -> Courses:
    """Stationary first-order autoregressive series of variance 1 along the last axis."""
    steps = rng.standard_normal((*shape[:-1], shape[-1] + BURN_IN))
    series = lfilter([np.sqrt(1 - persistence**2)], [1, -persistence], steps)
    return np.asarray(series, dtype=np.float64)[..., BURN_IN:]


@cache
def _weights() -> tuple[NDArray[np.intp], Courses, Courses]:
    """Network of each region, its coupling before treatment (2, R), and what ketamine adds (2, R)."""
    regions = regions_of(ATLAS)
    names = list(NETWORKS)
    networks = np.array([names.index(network_of(region)) for region in regions])
    usual = [Coupling(1.0, DEFAULT_MODE_HUB if names[n] == "default mode" else ELSEWHERE) for n in networks]
    at_rest = [AT_REST.get(region.abbreviation, one) for region, one in zip(regions, usual, strict=True)]
    planted = [PLANTED.get(region.abbreviation, Coupling(0.0, 0.0)) for region in regions]
    return networks, np.array(at_rest).T, np.array(planted).T


@cache
def _opposed() -> Courses:
    """What turns independent courses into networks, some of them opposed."""
    names = list(NETWORKS)
    correlation = np.eye(len(names))
    for a, b, r in OPPOSED:
        correlation[names.index(a), names.index(b)] = correlation[names.index(b), names.index(a)] = r
    return np.linalg.cholesky(correlation).astype(np.float64)
