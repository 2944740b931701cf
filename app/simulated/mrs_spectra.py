"""Spectra of the simulated naltrexone-mrs study, in NIfTI-MRS.

The standard: Clarke et al. 2022, doi 10.1002/mrm.29418. Its convention of signs (Levitt 1997) lets a line at a higher
chemical shift turn faster in the negative direction.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from isal.igzip import compress
from numpy.typing import NDArray

from ..io.files import replacing
from .images import MNI_CODE

VERSION = "mrs_v0_9"
EXTENSION_CODE = 44
FREQUENCY_MHZ = 123.25  # of hydrogen at 3 tesla
DWELL_S = 1 / 2000
POINTS = 1024
ECHO_S, REPETITION_S = 0.030, 2.0
WATER_PPM = 4.65  # the middle of the spectrum
SIZE_MM = (20.0, 30.0, 20.0)
CENTRE_MM = (0.0, 36.0, 12.0)  # anterior cingulate, both sides
TILT_DEGREES = -25.0  # about the left-right axis, along the callosum
PLACEMENT_MM, PLACEMENT_DEGREES = 1.5, 3.0  # standard deviations between sessions


class Line(NamedTuple):
    """A peak: its place, and its area where that of total NAA at 2.01 ppm is 1."""

    ppm: float
    area: float


STEADY = (  # all but glutamate and glutamine
    Line(2.01, 1.0),
    Line(3.03, 0.80),
    Line(3.91, 0.50),
    Line(3.21, 0.75),
    Line(3.56, 0.40),
)
GLX = (Line(2.12, 0.22), Line(2.35, 0.30), Line(2.45, 0.13), Line(3.75, 0.35))  # where Glx/tNAA is 1


def transients(rng: np.random.Generator, fits: pd.DataFrame) -> NDArray[np.complex64]:
    """Free induction decays that agree with what a fit says of them.

    Parameters
    ----------
    rng : Generator
        Of the noise.
    fits : DataFrame
        ``glx_tnaa``, ``linewidth_hz`` and ``snr`` of each spectrum; SNR is the height of the NAA peak over the
        standard deviation of the real part of the spectrum's noise.

    Returns
    -------
    (1, 1, 1, POINTS, spectra) complex64
    """
    time_s = np.arange(POINTS) * DWELL_S
    decays: list[NDArray[np.complex64]] = []
    for glx, linewidth_hz, snr in fits[["glx_tnaa", "linewidth_hz", "snr"]].to_numpy():
        lines = (*STEADY, *(Line(line.ppm, glx * line.area) for line in GLX))
        turns = sum(line.area * np.exp(-2j * np.pi * (line.ppm - WATER_PPM) * FREQUENCY_MHZ * time_s) for line in lines)
        decay = np.exp(-np.pi * linewidth_hz * time_s)
        sd = decay.sum() / (snr * np.sqrt(POINTS))
        noise = rng.normal(0, sd, POINTS) + 1j * rng.normal(0, sd, POINTS)
        decays.append((turns * decay + noise).astype(np.complex64))
    return np.stack(decays, axis=-1)[None, None, None]


def voxel_affine(rng: np.random.Generator) -> NDArray[np.float64]:
    """Where the voxel lies in one session: (4, 4), millimetres of MNI space, oblique."""
    centre = np.array(CENTRE_MM) + rng.normal(0, PLACEMENT_MM, 3)
    angle = np.deg2rad(TILT_DEGREES + rng.normal(0, PLACEMENT_DEGREES))
    c, s = np.cos(angle), np.sin(angle)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ np.diag(SIZE_MM)
    affine[:3, 3] = centre
    return affine


def acquisition() -> dict[str, Any]:
    """How spectra are acquired: keys that NIfTI-MRS and BIDS share."""
    return {
        "SpectrometerFrequency": [FREQUENCY_MHZ],
        "ResonantNucleus": ["1H"],
        "EchoTime": ECHO_S,
        "RepetitionTime": REPETITION_S,
        "WaterSuppressed": True,
    }


def write_spectra(
    path: Path, values: NDArray[np.complex64], affine: NDArray[np.float64], times_min: list[float]
) -> None:
    """Write NIfTI-MRS, packed, whole or not at all; folders above are made.

    Parameters
    ----------
    path : Path
        ``.nii.gz``.
    values : (1, 1, 1, POINTS, spectra) complex64
    affine : (4, 4)
        In MNI space.
    times_min : list of float
        Middle of what each spectrum averages; infusion begins at 0.
    """
    from ..io.nib import nibabel  # noqa: PLC0415 - slow to import

    time = {"Value": times_min, "Description": "minutes from the start of the infusion to the middle of the average"}
    simulated = {"Value": True, "Description": "simulated; nobody was scanned"}
    header = {**acquisition(), "Simulated": simulated, "dim_5": "DIM_DYN", "dim_5_header": {"TimeMinutes": time}}
    library: Any = nibabel
    image: Any = library.Nifti2Image(values, affine)
    image.set_sform(affine, MNI_CODE)
    image.set_qform(affine, MNI_CODE)
    image.header.set_zooms((*SIZE_MM, DWELL_S, 1.0))
    image.header.set_xyzt_units("mm", "sec")
    image.header["intent_name"] = VERSION.encode()
    image.header.extensions.append(library.nifti1.Nifti1Extension(EXTENSION_CODE, json.dumps(header).encode()))
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(compress(image.to_bytes(), 1, mtime=0))
