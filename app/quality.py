"""How well a run was acquired: motion, DVARS and a carpet of all series."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..stats.carpet import carpet
from ..stats.errors import CannotCompute
from ..stats.prepare import series_rows
from ..stats.quality import dvars
from .answers import Answer
from .io.tables import read_confounds
from .problems import Problem
from .runs import MASKED_SHARE, motion_of

Report = Callable[[float], None]

MOST_NUMBERS = 60_000_000  # of series at once: 240 MB
CARPET_LINES = 300


@dataclass(frozen=True, eq=False)
class RunQuality:
    """Quality of a run over its volumes.

    Attributes
    ----------
    displacement_mm : (T,) float64 or None
        Framewise displacement; None where motion is not known.
    dvars : (T,) float64
        Standardised: about 1 where nothing happens.
    carpet : (lines, T) float32
        Standard scores.
    motion_note, carpet_note : str
        What is missing, and how the carpet was made.
    """

    displacement_mm: NDArray[np.float64] | None
    dvars: NDArray[np.float64]
    carpet: NDArray[np.float32]
    motion_note: str
    carpet_note: str

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self.carpet.nbytes


def run_quality(answer: Answer, confounds: str | None, report: Report) -> RunQuality:
    """Quality of a run: DVARS and carpet from its voxels that vary, motion from its confounds.

    Raises
    ------
    Problem
        No voxel varies, or the confounds do not fit.
    """
    image = answer.image
    if image is None:
        raise Problem(answer.title, "is no volume series", "choose a 4D image")
    first, last = image.frame(0), image.frame(answer.n_frames - 1)
    inside = np.isfinite(first) & np.isfinite(last) & (first != last)
    if inside.mean() > MASKED_SHARE:
        inside &= first > 0.2 * np.nanpercentile(first, 98)  # unmasked: the dark rest is air
    voxels = np.flatnonzero(inside.ravel(order="F"))
    step = max(1, -(-voxels.size * answer.n_frames // MOST_NUMBERS))
    voxels = voxels[::step]
    try:
        frames = (image.frame(number) for number in range(answer.n_frames))
        rows = series_rows(frames, answer.n_frames, voxels, lambda f: report(0.7 * f))
        change = dvars(rows, lambda f: report(0.7 + 0.2 * f)).standardised
        picture = carpet(rows, most_lines=CARPET_LINES).picture
    except CannotCompute as refused:
        raise Problem(answer.title, refused.what, refused.todo) from refused
    report(1.0)
    displacement, note = _motion(answer, confounds)
    every = "" if step == 1 else f", every {step}th voxel"
    carpet_note = f"{voxels.size} voxels in {len(picture)} lines, ordered by correlation with their mean{every}"
    return RunQuality(displacement, change, picture, note, carpet_note)


def _motion(answer: Answer, confounds: str | None) -> tuple[NDArray[np.float64] | None, str]:
    if confounds is None:
        return None, "Motion is not known: choose a confounds file in the seed panel."
    table = read_confounds(confounds)
    if len(table.values) != answer.n_frames:
        what = f"has {len(table.values)} rows for the run's {answer.n_frames} volumes"
        raise Problem(table.path, what, "give the confounds of this run, one row per volume")
    displacement = motion_of(table)
    return displacement, "" if displacement is not None else "The confounds file has no motion parameters."
