"""What header, file name and sidecar say about an image, settled into one account."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..problems import Finding, Problem
from .bids_sidecars import inherited
from .identify import Identity
from .layout import Header, VolumeKind
from .nifti import nifti_header
from .sidecar import NONE, Sidecar, space_of, text
from .space import Space, settle_space
from .times import FrameTimes, settle_times


@dataclass(frozen=True, eq=False)
class VolumeInfo:
    """What is known of an image from its header, its name and its sidecar.

    Attributes
    ----------
    path : Path
        File that was opened.
    format, shape, dtype : str, tuple of int, str
        As stored.
    kind : {"scalar", "rgb", "complex"}
        Complex images are shown as magnitude.
    space : Space
        Grid, which affine it came from, and the template.
    n_frames : int
        Dimensions past the fourth are strung together.
    tr_s : float or None
        Repetition time.
    times : FrameTimes or None
        None when unknown; then there is no time axis.
    unit, statistic, description : str
        Unit of the values, statistic such as ``t(18)``, free text; empty when not stated.
    frame_names : tuple of str
        Empty when the format has none.
    sidecar : mapping
        Content of the JSON file beside the image, with all its fields.
    findings : tuple of Finding
        What the user should know.
    """

    path: Path
    format: str
    shape: tuple[int, ...]
    dtype: str
    kind: VolumeKind
    space: Space
    n_frames: int
    tr_s: float | None
    times: FrameTimes | None
    unit: str
    statistic: str
    description: str
    frame_names: tuple[str, ...]
    sidecar: Sidecar
    findings: tuple[Finding, ...]


def read_header(found: Identity) -> Header:
    """Header of an identified volume, by the reader of its format.

    Raises
    ------
    Problem
        When it makes no sense.
    """
    if found.format.startswith("NIfTI"):
        return nifti_header(found)
    from .foreign import foreign_header  # noqa: PLC0415 - nibabel is slow to import

    return foreign_header(found)


def volume_info(path: Path, header: Header) -> VolumeInfo:
    """Settle place, time and unit.

    Raises
    ------
    Problem
        When the affine that counts is unusable.
    """
    sidecar, notes = _sidecar(path)
    space = settle_space(path, header.placement, space_of(sidecar))
    timing = settle_times(path, header.n_frames, header.step, sidecar, header.frame_times)
    return VolumeInfo(
        path=path,
        format=header.format,
        shape=header.shape,
        dtype=header.dtype,
        kind=header.kind,
        space=space,
        n_frames=header.n_frames,
        tr_s=timing.tr_s,
        times=timing.times,
        unit=header.unit or text(sidecar, "Units") or "",
        statistic=header.statistic,
        description=header.description,
        frame_names=header.frame_names,
        sidecar=sidecar,
        findings=(*header.findings, *_flattened(path, header), *notes, *space.findings, *timing.findings),
    )


def _sidecar(path: Path) -> tuple[Sidecar, tuple[Finding, ...]]:
    """A broken sidecar does not stop the image: what depends on it is missing, and this says why."""
    try:
        return inherited(path), ()
    except Problem as problem:
        return NONE, (Finding("sidecar", problem.where, None, f"The sidecar {problem.what}; {problem.todo}."),)


def _flattened(path: Path, header: Header) -> tuple[Finding, ...]:
    if header.n_frames == 1 or all(size == 1 for size in header.shape[4:]):
        return ()
    sizes = " x ".join(map(str, header.shape))
    message = f"The image has {len(header.shape)} dimensions ({sizes}); it is shown as {header.n_frames} frames."
    return (Finding("flattened", str(path), header.n_frames, message),)
