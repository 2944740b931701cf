"""When the frames of a run were taken: from its header, its sidecar, or not at all; never a made-up axis."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from ..problems import Finding
from .sidecar import Sidecar, number, numbers, text

StepUnit = Literal["s", "ms", "us", "none", "unknown"]
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "unknown": 1.0}

# Headers hold single precision and sidecars are rounded: a millisecond is neither's fault.
TR_TOLERANCE_S = 1e-3
TR_PLAUSIBLE_S = (0.01, 100.0)
OVERLAP_TOLERANCE_S = 0.01
MICROSECONDS = 6  # decimals: single precision has no more


class FrameTimes(msgspec.Struct, frozen=True):
    """Start and duration of every frame.

    Attributes
    ----------
    start_s, duration_s : tuple of float
        One value per frame, in seconds from the file's time zero.
    source : str
        Where they come from.
    """

    start_s: tuple[float, ...]
    duration_s: tuple[float, ...]
    source: str

    @property
    def mid_s(self) -> tuple[float, ...]:
        """Middle of every frame."""
        return tuple(a + d / 2 for a, d in zip(self.start_s, self.duration_s, strict=True))


class Step(NamedTuple):
    """Distance of frames as the header states it.

    Attributes
    ----------
    value : float
        Number in the header; 0 when it has none.
    unit : StepUnit
        "none" when the fourth axis is not time (Hz, ppm) or the format has no such field.
    """

    value: float = 0.0
    unit: StepUnit = "none"


class Timing(NamedTuple):
    """What is known of a run's times.

    Attributes
    ----------
    tr_s : float or None
        Repetition time; None for a single frame or when unknown.
    times : FrameTimes or None
        None when the times are not known: then there is no time axis.
    findings : tuple of Finding
    """

    tr_s: float | None
    times: FrameTimes | None
    findings: tuple[Finding, ...]


def settle_times(
    path: Path, n_frames: int, step: Step, sidecar: Sidecar, in_header: FrameTimes | None = None
) -> Timing:
    """Times of the frames by the best source that is consistent.

    The sidecar's frame times (PET, sparse BOLD) come before frame times in the header (ECAT), and these before
    multiples of the repetition time. Dynamic PET never gets times from a repetition time.
    """
    stated = _tr_of_header(step)
    listed, notes = _listed_times(path, n_frames, sidecar)
    if listed is not None or notes:
        return Timing(stated if n_frames > 1 else None, listed, tuple(notes))
    if in_header is not None:
        return Timing(None, in_header, ())
    if n_frames == 1:
        return Timing(None, None, ())
    if is_pet(path, sidecar):
        message = "The sidecar gives no FrameTimesStart and FrameDuration, so this PET run has no time axis."
        return Timing(stated, None, (Finding("frame-times-missing", str(path), None, message),))
    return _regular_times(path, n_frames, step, sidecar)


def is_pet(path: Path, sidecar: Sidecar) -> bool:
    """Whether a file is PET, by its BIDS suffix or its sidecar."""
    by_name = re.search(r"_pet$", path.name.split(".")[0]) is not None
    by_sidecar = text(sidecar, "Modality") in {"PT", "PET"} or "TracerName" in sidecar
    return by_name or by_sidecar or "TracerRadionuclide" in sidecar


def _tr_of_header(step: Step) -> float | None:
    """Repetition time in seconds; None where the header has none (1 without a unit is only a default)."""
    if step.unit == "none" or not 0 < step.value < 1e9 or (step.unit == "unknown" and step.value == 1):
        return None
    return round(step.value * SECONDS[step.unit], MICROSECONDS)


def _regular_times(path: Path, n_frames: int, step: Step, sidecar: Sidecar) -> Timing:
    stated, beside = _tr_of_header(step), number(sidecar, "RepetitionTime")
    source = "header"
    notes: list[Finding] = []
    if step.unit == "none":
        stated = beside
        source = "sidecar"
    elif stated is None:
        from_sidecar = f"; the sidecar's {beside:g} s is used" if beside else ""
        message = f"The header gives no repetition time{from_sidecar}."
        notes.append(Finding("tr-missing", str(path), None, message))
        stated, source = beside, "sidecar"
    elif step.unit == "unknown":
        message = f"The header states no unit of time; its step of {step.value:g} is taken as seconds."
        notes.append(Finding("units-missing", str(path), stated, message))
    notes += _contradictions(path, stated, sidecar)
    if stated is not None and not TR_PLAUSIBLE_S[0] <= stated <= TR_PLAUSIBLE_S[1]:
        hint = "; it looks like milliseconds" if 100 < stated <= 1e5 else ""
        notes.append(Finding("tr-absurd", str(path), stated, f"A repetition time of {stated:g} s is absurd{hint}."))
        if beside is None or not TR_PLAUSIBLE_S[0] <= beside <= TR_PLAUSIBLE_S[1]:
            return Timing(stated, None, tuple(notes))
        stated, source = beside, "sidecar"
    if stated is None:
        return Timing(None, None, tuple(notes))
    starts = tuple(frame * stated for frame in range(n_frames))
    return Timing(stated, FrameTimes(starts, (stated,) * n_frames, f"TR of {source}"), tuple(notes))


def _contradictions(path: Path, stated: float | None, sidecar: Sidecar) -> list[Finding]:
    """Where header and sidecar, or the sidecar's own fields, cannot all be right.

    ``RepetitionTimeExcitation`` may be shorter than ``RepetitionTime`` (3D and multi-shot sequences excite
    several times per volume) but never longer: a volume cannot be taken in less than one excitation interval.
    """
    volume = number(sidecar, "RepetitionTime")
    excitation = number(sidecar, "RepetitionTimeExcitation")
    if stated is not None and volume is not None and abs(stated - volume) > TR_TOLERANCE_S:
        message = f"The header's repetition time is {stated:.6g} s, but the sidecar's is {volume:.6g} s."
        return [Finding("tr-sidecar", str(path), volume, message)]
    known = stated if volume is None else volume
    if known is not None and excitation is not None and excitation > known + TR_TOLERANCE_S:
        message = (
            f"The repetition time is {known:.6g} s, but the sidecar's RepetitionTimeExcitation is {excitation:g} s, "
            "and no volume takes less than one excitation interval: one of them is wrong."
        )
        return [Finding("tr-sidecar", str(path), excitation, message)]
    return []


def _listed_times(path: Path, n_frames: int, sidecar: Sidecar) -> tuple[FrameTimes | None, list[Finding]]:
    """Frame times listed in a sidecar: FrameTimesStart with FrameDuration (PET), or VolumeTiming (BOLD)."""
    key = next((key for key in ("FrameTimesStart", "VolumeTiming") if key in sidecar), None)
    if key is None:
        return None, []
    starts = numbers(sidecar, key)
    if key == "FrameTimesStart":
        durations = numbers(sidecar, "FrameDuration")
    else:
        durations = numbers(sidecar, "FrameAcquisitionDuration") * n_frames or _gaps(starts)
    wrong = _fault(n_frames, starts, durations)
    if wrong:
        message = f"The sidecar's frame times are not usable ({wrong}), so there is no time axis."
        return None, [Finding("frame-times", str(path), wrong, message)]
    return FrameTimes(starts, durations, f"sidecar {key}"), []


def _fault(n_frames: int, starts: tuple[float, ...], durations: tuple[float, ...]) -> str:
    if len(starts) != n_frames or len(durations) != n_frames:
        return f"{len(starts)} starts and {len(durations)} durations for {n_frames} frames"
    if not all(abs(value) < 1e9 for value in (*starts, *durations)):
        return "a time is not finite"
    if min(durations) <= 0:
        return "a duration is not above 0"
    ends = [start + duration for start, duration in zip(starts, durations, strict=True)]
    if any(later < end - OVERLAP_TOLERANCE_S for later, end in zip(starts[1:], ends, strict=False)):
        return "frames overlap or are out of order"
    return ""


def _gaps(starts: tuple[float, ...]) -> tuple[float, ...]:
    """Distance to the next start; the last frame is as long as the one before."""
    gaps = tuple(b - a for a, b in pairwise(starts))
    return gaps + gaps[-1:]
