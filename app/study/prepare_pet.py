"""One PET scan as a map of ratios: averaged over a window, divided by a reference region."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...stats.errors import CannotCompute
from ...stats.pet import overlap_s, uptake_ratio, weighted_mean
from ..answers import Answer
from ..grid import Grid
from ..io.bids_sidecars import Sidecars
from ..io.sidecar import Sidecar
from ..io.times import Step, settle_times
from ..io.volumes import Volume
from ..pet_reference import Reference, reference_region
from ..pet_times import pet_times
from ..problems import Finding, Problem
from .prepare_grid import brain_on, in_mni152, white_matter_on
from .values import Choices, Scan

WHITE_MATTER, WHOLE_BRAIN, CEREBELLUM = "white matter", "whole brain", "cerebellum"
COVERED = 0.999  # of the window
OF_MNI152 = {WHITE_MATTER: white_matter_on, WHOLE_BRAIN: brain_on}
IN_WORDS = {
    WHITE_MATTER: "white matter of MNI152 (nilearn's map above 0.5, eroded by 3 mm)",
    WHOLE_BRAIN: "brain of MNI152 (skull-stripped T1 from a fifth of its maximum)",
}


@dataclass(frozen=True, eq=False)
class RatioMap:
    """Values on the scan's own grid.

    Attributes
    ----------
    values : (nx, ny, nz) float32
        NaN where the scan has no value, or exactly 0 as outside a field of view.
    notes : dict
    findings : tuple of Finding
    """

    values: NDArray[np.float32]
    notes: dict[str, Any]
    findings: tuple[Finding, ...]


def reference_name(choices: Choices, kind: str) -> str | None:
    """The reference region of a study's scans: what was chosen; none for ratios that were given; white matter."""
    if choices.reference is not None:
        return choices.reference
    return None if kind == "suvr" else WHITE_MATTER


def about_reference(choices: Choices, kind: str) -> tuple[Finding, ...]:
    """What to say of the reference region of all scans."""
    if kind == "suvr" and choices.reference is None:
        return ()
    if kind == "suvr":
        message = f"The ratios that were given are divided again, by their mean in {choices.reference}."
        return (Finding("ratio-renormalised", "PET", choices.reference, message),)
    if choices.reference is None:
        message = (
            "No reference region was chosen: eroded white matter is this program's default, not a paper's choice. "
            "See whether the finding survives cerebellum and whole brain."
        )
        return (Finding("reference-default", "PET", WHITE_MATTER, message),)
    return ()


class References:
    """Reference regions on the grids of scans: people's scans mostly share one.

    Attributes
    ----------
    name : str or None
    atlas : str
        Where a region is looked for first.
    sidecars : Sidecars or None
        Of the study's folder: what scans inherit from files higher up.
    """

    def __init__(self, name: str | None, atlas: str, sidecars: Sidecars | None = None) -> None:
        self.name = name
        self.atlas = atlas
        self.sidecars = sidecars
        self._known: list[tuple[Grid, str | None, Reference]] = []

    @property
    def words(self) -> str:
        """The name as it is compared."""
        return " ".join(str(self.name or "").casefold().replace("-", " ").replace("_", " ").split())

    @property
    def recipe(self) -> dict[str, str | None]:
        """What of it makes a map what it is: the atlas only for regions that are looked for in it."""
        fixed = self.words in {"", CEREBELLUM, *OF_MNI152} or Path(str(self.name)).is_file()
        return {"reference": self.name, "atlas": None if fixed else self.atlas}

    def on(self, scan: Scan, volume: Volume, space: str | None) -> Reference | None:
        """The region on a scan's grid; None for no division.

        Raises
        ------
        Problem
            As `reference_region`.
        """
        if self.name is None:
            return None
        for grid, known, reference in list(self._known):
            if grid == volume.grid and known == space:
                return reference
        made = self._made(scan, volume, space)
        self._known.append((volume.grid, space, made))
        return made

    def _made(self, scan: Scan, volume: Volume, space: str | None) -> Reference:
        name, words = str(self.name), self.words
        if words in OF_MNI152:
            if not in_mni152(space):
                what = f"is in {space or 'a space that is not stated'}, and {words} is known in MNI152"
                raise Problem(scan.path, what, "choose a mask file as the reference region")
            notes = {"reference": IN_WORDS[words], "reference_kind": "template"}
            found = Reference(OF_MNI152[words](volume.grid), None, notes, ())
            if not found.mask.any():
                raise Problem(scan.path, f"does not cover {words}", "check where it lies")
            return found
        answer = Answer(title=scan.path.name, image=volume, space=space)
        return reference_region(str(scan.path), answer, volume.grid, name, self._atlas_with())

    def _atlas_with(self) -> str | None:
        """The chosen atlas where it has the region; None for names of a fixed meaning, files and other atlases."""
        from ..finder import resolve_region  # noqa: PLC0415 - reads atlases

        if self.recipe["atlas"] is None:
            return None
        try:
            resolve_region(str(self.name), self.atlas)
        except Problem:
            return None
        return self.atlas


def ratio_map(scan: Scan, volume: Volume, space: str | None, choices: Choices, references: References) -> RatioMap:
    """A scan averaged over the chosen window, divided by its reference region.

    Raises
    ------
    Problem
        Frame times are missing or do not cover the window, a dynamic scan has no window, or the region cannot be used.
    """
    if volume.kind == "rgb":
        raise Problem(scan.path, "holds colours, not values", "name a PET image")
    inherited = None if references.sidecars is None else references.sidecars.of(scan.path)
    mean, notes, findings = _mean(scan, volume, choices, inherited or volume.info.sidecar)
    values = np.where(mean == 0, np.nan, mean)
    reference = references.on(scan, volume, space)
    if reference is None:
        return RatioMap(values.astype(np.float32), notes | {"reference": "none: a ratio that was given"}, findings)
    try:
        found = uptake_ratio(values, reference.mask)
    except CannotCompute as refused:
        raise Problem(scan.path, refused.what, refused.todo) from refused
    notes |= dict(reference.notes) | {
        "reference_voxels": found.n_reference,
        "reference_mean": found.reference_mean,
    }
    return RatioMap(found.ratio, notes, (*findings, *reference.findings))


def _mean(
    scan: Scan, volume: Volume, choices: Choices, sidecar: Sidecar
) -> tuple[NDArray[np.floating[Any]], dict[str, Any], tuple[Finding, ...]]:
    window = choices.window_min
    if window is None or (scan.kind == "suvr" and volume.n_frames == 1):
        if volume.n_frames > 1:
            what = f"has {volume.n_frames} frames and no window is chosen"
            raise Problem(scan.path, what, "choose the minutes to average, such as 30 to 60")
        return volume.frame(0).astype(np.float64), {"frames": [1]}, ()
    info = volume.info
    timing = settle_times(scan.path, volume.n_frames, Step(), sidecar, info.times)
    answer = Answer(title=scan.path.name, image=volume, times=timing.times, findings=timing.findings)
    times = pet_times(str(scan.path), answer, sidecar)
    findings = times.findings
    try:
        weights = overlap_s(times.start_s, times.duration_s, (60 * window[0], 60 * window[1]))
        used = np.flatnonzero(weights)
        mean = weighted_mean((volume.frame(n) for n in used.tolist()), weights[used])
    except CannotCompute as refused:
        raise Problem(scan.path, refused.what, refused.todo) from refused
    share = float(weights.sum()) / (60 * (window[1] - window[0]))
    if share < COVERED:
        message = f"Frames cover {share:.0%} of the window."
        findings = (*findings, Finding("window-partly-covered", scan.path.name, share, message))
    notes = {"window_min": list(window), "frames": (used + 1).tolist(), "frame_seconds": weights[used].tolist()}
    return mean, notes, findings


def inputs_of(scan: Scan, sidecars: Sidecars | None = None) -> tuple[Path, ...]:
    """A scan and its sidecars."""
    from ..io.identify import stem  # noqa: PLC0415

    own = scan.path.with_name(stem(scan.path) + ".json")
    inherited = () if sidecars is None else sidecars.files_of(scan.path)
    return (scan.path, *dict.fromkeys(path for path in (*inherited, own) if path.is_file()))
