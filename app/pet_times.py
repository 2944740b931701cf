"""When the frames of a PET scan were taken, counted from injection: what its sidecar says, nothing guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .answers import Answer
from .problems import Finding, Problem

CLOCK = re.compile(r"\d{1,2}:\d{2}:\d{2}(\.\d*)?")
SAME_TIME_S = 1.0


class PetTimes(NamedTuple):
    """Frames from injection.

    Attributes
    ----------
    start_s, duration_s : (n,) float64
    notes : mapping
        For the record of a map.
    findings : tuple of Finding
        What the sidecar leaves open.
    """

    start_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]
    notes: Mapping[str, Any]
    findings: tuple[Finding, ...]


def pet_times(path: str, answer: Answer, sidecar: Mapping[str, Any]) -> PetTimes:
    """Times of a PET scan's frames from its sidecar (or ECAT header), and what is stated of decay and injection.

    Raises
    ------
    Problem
        Without frame times, when frames are not corrected for decay, or when fields contradict each other.
    """
    times = answer.times
    if times is None or len(times.start_s) != answer.n_frames or times.source.startswith("TR"):
        raise _no_times(path, answer)
    decay = _decay_correction(path, sidecar)
    injection_s, injection = _injection(path, sidecar, times.start_s[0])
    notes = {
        "frame_times": times.source,
        "injection_start_s": injection_s,
        "image_decay_corrected": sidecar.get("ImageDecayCorrected"),
    }
    start = np.array(times.start_s) - injection_s
    return PetTimes(start, np.array(times.duration_s), notes, (*decay, *injection))


def _no_times(path: str, answer: Answer) -> Problem:
    fault = next((finding for finding in answer.findings if finding.code == "frame-times"), None)
    broken = next((finding for finding in answer.findings if finding.code == "sidecar"), None)
    what = "has no frame times: its sidecar gives no FrameTimesStart and FrameDuration"
    if fault is not None:
        what = f"has frame times in its sidecar that are not usable ({fault.value})"
    elif broken is not None:
        what = f"has no frame times: {broken.message.rstrip('.')[:1].lower()}{broken.message.rstrip('.')[1:]}"
    return Problem(path, what.replace("; ", ", "), "state both in its JSON sidecar, in seconds, one value per frame")


def _decay_correction(path: str, sidecar: Mapping[str, Any]) -> tuple[Finding, ...]:
    stated = sidecar.get("ImageDecayCorrected")
    if stated is True:
        return ()
    if stated is None:
        message = "The sidecar does not state ImageDecayCorrected; the frames are taken as corrected to one time."
        return (Finding("decay-correction-missing", path, None, message),)
    if stated is False:
        raise Problem(path, "is not corrected for decay (ImageDecayCorrected is false)", "correct its frames first")
    raise Problem(path, f"has ImageDecayCorrected {stated!r}, neither true nor false", "correct its sidecar")


def _injection(path: str, sidecar: Mapping[str, Any], first_s: float) -> tuple[float, tuple[Finding, ...]]:
    """Injection in seconds from the file's time zero, and what is not stated about it."""
    scan_s = _seconds(path, sidecar, "ScanStart")
    if scan_s is not None and abs(scan_s) > SAME_TIME_S and abs(first_s) <= SAME_TIME_S:
        what = f"starts at {scan_s:g} s by ScanStart, but its first frame at {first_s:g} s: both count from TimeZero"
        raise Problem(path, what, "correct its sidecar")
    zero = sidecar.get("TimeZero")
    injection_s = _seconds(path, sidecar, "InjectionStart")
    if injection_s is not None:
        return injection_s, ()
    if isinstance(zero, str) and zero.casefold() == "injectionstart":
        return 0.0, ()
    if zero is not None and not (isinstance(zero, str) and CLOCK.fullmatch(zero.strip())):
        what = f"counts time from {zero!r} and does not state InjectionStart"
        raise Problem(path, what, "add InjectionStart, in seconds from its time zero, to the sidecar")
    message = "The sidecar does not state InjectionStart; injection is taken to be at its time zero."
    return 0.0, (Finding("injection-start-missing", path, None, message),)


def _seconds(path: str, sidecar: Mapping[str, Any], key: str) -> float | None:
    value = sidecar.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise Problem(path, f"has {key} {value!r}, which is no number of seconds", "correct its sidecar")
    return float(value)
