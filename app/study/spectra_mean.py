"""Mean spectra by condition, from NIfTI-MRS (Clarke et al. 2022, doi 10.1002/mrm.29418)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .spectra import TIME_MIN, Frame
from .values import PERSON, SESSION, Scan, Study

Float64 = NDArray[np.float64]
EXTENSION_CODE = 44
WATER_PPM = 4.65  # of the receiver's frequency
SHOWN_PPM = (0.5, 4.2)
STEP_PPM = 0.005
NAA_PPM = (1.9, 2.1)
FINER = 8  # zeros are appended: between two points the phase of a peak is not that of its top
MILLISECONDS = 16  # as NIfTI counts units of time


class MeanSpectra(NamedTuple):
    """Real parts of spectra, each phased at its tNAA peak and divided by that peak's height, then averaged.

    Attributes
    ----------
    ppm : (N,) float64
        Rising.
    means : mapping of str to (N,) float64
        By condition.
    counts : mapping of str to int
        Spectra by condition.
    left_out : int
        Sessions whose file cannot be used.
    """

    ppm: Float64
    means: dict[str, Float64]
    counts: dict[str, int]
    left_out: int


def mean_spectra(study: Study, spectra: Frame) -> MeanSpectra:
    """Mean of the spectra that are used, by condition.

    Parameters
    ----------
    study : Study
    spectra : DataFrame
        The table ``spectra`` of an answer: person, session, ``time_min``, ``condition``, ``used``.
    """
    ppm = np.arange(SHOWN_PPM[0], SHOWN_PPM[1] + STEP_PPM / 2, STEP_PPM)
    kept: dict[str, list[Float64]] = {}
    left_out = 0
    for (person, session), own in spectra[spectra["used"]].groupby([PERSON, SESSION], sort=True):
        scans = [scan for scan in study.scans_of(kind="mrs", participant=str(person)) if scan.session == session]
        found = _of_session(scans[0], own[TIME_MIN].to_numpy(np.float64), ppm) if scans else None
        if found is None:
            left_out += 1
        else:
            kept.setdefault(str(own["condition"].iloc[0]), []).extend(found)
    means = {name: np.mean(rows, axis=0) for name, rows in sorted(kept.items()) if rows}
    return MeanSpectra(ppm, means, {name: len(kept[name]) for name in means}, left_out)


def spectra_of(path: Path, ppm: Float64) -> Float64 | None:
    """Spectra of a file, (n, N) at `ppm`, each phased and scaled; None where it is no NIfTI-MRS of hydrogen.

    A line at a higher chemical shift turns faster in the negative direction (Levitt 1997), so that frequencies of the
    Fourier transform fall as ppm rise. The first point counts half, lest the baseline be lifted.
    """
    from ..io.nib import nibabel  # noqa: PLC0415 - slow to import

    library: Any = nibabel
    image: Any = library.load(path)
    header = _header(image)
    frequencies, nuclei = header.get("SpectrometerFrequency"), header.get("ResonantNucleus", ["1H"])
    values = np.asarray(image.dataobj)
    if not frequencies or nuclei[0] != "1H" or not np.iscomplexobj(values) or values.shape[:3] != (1, 1, 1):
        return None
    decays = values.reshape(values.shape[3], -1, order="F").T.astype(np.complex128)
    decays[:, 0] /= 2
    unit = 1e-3 if int(image.header["xyzt_units"]) & 0x38 == MILLISECONDS else 1.0
    points = FINER * decays.shape[1]
    turning_hz = np.fft.fftfreq(points, float(image.header["pixdim"][4]) * unit).astype(np.float64)
    shift = WATER_PPM - turning_hz / float(frequencies[0])
    order = np.argsort(shift)
    return np.stack([_scaled(np.fft.fft(decay, points)[order], shift[order], ppm) for decay in decays])


def _of_session(scan: Scan, used_min: Float64, ppm: Float64) -> list[Float64] | None:
    from ..io.study_table import read_table  # noqa: PLC0415

    try:
        found = spectra_of(scan.path, ppm)
    except (OSError, ValueError):
        return None
    if found is None or scan.fits is None:
        return None
    times = read_table(scan.fits).frame[TIME_MIN].to_numpy(np.float64)
    if len(found) == len(times):
        found = found[np.isin(times, used_min)]
    elif len(found) > 1:
        return None  # which of them is which is not told
    return [row for row in found if np.isfinite(row).all()]


def _scaled(spectrum: NDArray[np.complex128], shift: Float64, ppm: Float64) -> Float64:
    near = np.flatnonzero((shift >= NAA_PPM[0]) & (shift <= NAA_PPM[1]))
    if not near.size:
        return np.full(ppm.shape, np.nan)
    top = spectrum[near[np.abs(spectrum[near]).argmax()]]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.interp(ppm, shift, (spectrum / top).real)


def _header(image: Any) -> dict[str, Any]:
    """What the extension of NIfTI-MRS says; empty without one."""
    for extension in image.header.extensions:
        if extension.get_code() == EXTENSION_CODE:
            content = extension.get_content()
            found = json.loads(content if isinstance(content, str | bytes) else json.dumps(content))
            return found if isinstance(found, dict) else {}
    return {}
