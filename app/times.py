"""Frames in words and on an axis: seconds for runs, minutes for PET, names or numbers of what is no series in time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .answers import Answer

LONG_FRAME_S = 30.0  # dynamic PET; no run has such steps


class TimeAxis(NamedTuple):
    """Where the frames of a series stand on an axis.

    Attributes
    ----------
    title : str
        ``Time (s)``, ``Time (min)``, ``Map`` or ``Volume``.
    middle, width : (n,) float64
        Of each frame, in the axis's unit.
    known : bool
        Whether these are times, not frame numbers.
    """

    title: str
    middle: NDArray[np.float64]
    width: NDArray[np.float64]
    known: bool


def time_axis(answer: Answer) -> TimeAxis:
    """Axis of a series; numbers from 1 where its times are not known, never a made-up time."""
    times = answer.times
    if times is None or len(times.start_s) != answer.n_frames:
        count = answer.n_frames
        return TimeAxis(frame_noun(answer), np.arange(1, count + 1, dtype=np.float64), np.ones(count), known=False)
    start, width = np.array(times.start_s), np.array(times.duration_s)
    even = len(start) < 2 or np.allclose(np.diff(start), np.diff(start)[0], rtol=1e-3)
    if even and width.max(initial=0) < LONG_FRAME_S:
        return TimeAxis("Time (s)", start, width, known=True)
    return TimeAxis("Time (min)", (start + width / 2) / 60, width / 60, known=True)


def frame_noun(answer: Answer) -> str:
    """What one frame of an answer is: named ones are maps, those without a time volumes."""
    if answer.frame_names:
        return "Map"
    return "Volume" if answer.times is None else "Frame"


def frame_title(answer: Answer, frame: int) -> str:
    """Which frame of how many, such as ``Frame 3 of 40`` or ``Map 1 of 3: thickness``."""
    frame = min(frame, answer.n_frames - 1)
    name = answer.frame_names[frame] if frame < len(answer.frame_names) else ""
    return f"{frame_noun(answer)} {frame + 1} of {answer.n_frames}" + (f": {name}" if name else "")


def nearest_frame(axis: TimeAxis, x: float) -> int:
    """Frame that holds a place of the axis, else the nearest."""
    first, last = axis.middle - axis.width / 2, axis.middle + axis.width / 2
    holds = np.flatnonzero((x >= first) & (x < last))
    return int(holds[0]) if holds.size else int(np.abs(axis.middle - x).argmin())


def frame_text(answer: Answer, frame: int) -> str:
    """A frame in time, such as ``12 s`` or ``2 to 4 min``; elsewhere which it is."""
    axis = time_axis(answer)
    if answer.n_frames < 2:
        return ""
    if not axis.known:
        return frame_title(answer, frame)
    frame = min(frame, answer.n_frames - 1)
    if axis.title == "Time (s)":
        return f"{axis.middle[frame]:.4g} s"
    half = axis.width[frame] / 2
    return f"{axis.middle[frame] - half:.3g} to {axis.middle[frame] + half:.3g} min"
