"""What `habena info` tells about a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from textwrap import wrap

import msgspec

from ..problems import Finding, Problem
from .identify import identify
from .space import CODE_MEANING
from .volume_info import VolumeInfo
from .volumes import INSTEAD, open_volume

LABEL, WIDTH = 13, 110
TOWARDS = {"L": "left", "R": "right", "A": "front", "P": "back", "S": "top", "I": "bottom"}


class FileInfo(msgspec.Struct, frozen=True):
    """One entry of the document that ``habena info --json`` prints; null where a format has no such thing.

    Attributes
    ----------
    path, format : str
    shape : tuple of int
        As stored, with all dimensions.
    dtype : str
        As stored.
    zooms_mm : tuple of float or None
        Voxel edges.
    tr_s : float or None
        Repetition time.
    affine : tuple of tuple of float, or None
        Voxel indices to world mm, 4 rows.
    axcodes : str or None
        Nearest direction of each voxel axis.
    determinant : float or None
        Of the affine's 3 x 3 part, mm³; negative where the axes are left-handed.
    sform_code, qform_code : int or None
        NIfTI only.
    affine_source : str or None
        "sform", "qform", "fallback" or "format".
    disagreement_mm, disagreement_deg : float or None
        Between sform and qform, when both are set.
    space : str or None
        Template space; null when unknown or native.
    frames : int
    warnings : tuple of Finding
    """

    path: str
    format: str
    shape: tuple[int, ...]
    dtype: str
    zooms_mm: tuple[float, float, float] | None
    tr_s: float | None
    affine: tuple[tuple[float, ...], ...] | None
    axcodes: str | None
    determinant: float | None
    sform_code: int | None
    qform_code: int | None
    affine_source: str | None
    disagreement_mm: float | None
    disagreement_deg: float | None
    space: str | None
    frames: int
    warnings: tuple[Finding, ...]


def file_info(path: str | Path) -> FileInfo:
    """Describe a file of any kind that Habena shows.

    Raises
    ------
    Problem
        When it cannot be opened, is cut short, or is nothing that has a place or values.
    """
    kind = identify(path).kind
    if kind in TELLERS:
        module, function = TELLERS[kind]
        tell: Callable[[Path], FileInfo] = getattr(import_module(f".{module}", __package__), function)
        return tell(Path(path))
    raise Problem(path, *INSTEAD[kind])


def volume_file_info(path: Path) -> FileInfo:
    """Describe an image."""
    volume = open_volume(path)
    volume.check_end()
    return entry_of(volume.info)


def entry_of(info: VolumeInfo) -> FileInfo:
    """Entry of an image that is open."""
    space = info.space
    rows = tuple(tuple(float(n) for n in row) for row in space.grid.affine)
    return FileInfo(
        path=str(info.path),
        format=info.format,
        shape=info.shape,
        dtype=info.dtype,
        zooms_mm=space.grid.zooms_mm,
        tr_s=info.tr_s,
        affine=rows,
        axcodes=space.grid.axcodes,
        determinant=space.grid.determinant,
        sform_code=space.sform_code,
        qform_code=space.qform_code,
        affine_source=space.source,
        disagreement_mm=space.disagreement_mm,
        disagreement_deg=space.disagreement_deg,
        space=space.template,
        frames=info.n_frames,
        warnings=info.findings,
    )


TELLERS = {
    "volume": ("info", "volume_file_info"),
    "surface": ("surfaces", "surface_info"),
    "surface-data": ("surfaces", "surface_info"),
    "annot": ("surfaces", "surface_info"),
    "cifti": ("cifti", "cifti_info"),
}


def file_findings(infos: Iterable[FileInfo]) -> tuple[Finding, ...]:
    """Findings of several files, for the ``warnings`` of the whole document."""
    return tuple(finding for info in infos for finding in info.warnings)


def describe(info: FileInfo) -> str:
    """Entry for people: one aligned line per subject, sentences where a number alone says too little."""
    lines = [("format", f"{info.format}, {info.dtype}"), ("size", _size(info))]
    if info.affine is not None:
        lines += [("orientation", _orientation(info)), ("place", _place(info)), ("space", _space(info))]
        lines += [("affine" if row == 0 else "", _numbers(values)) for row, values in enumerate(info.affine[:3])]
    lines += [("warning", finding.message) for finding in info.warnings]
    return "\n".join([info.path, *(_line(label, said) for label, said in lines)])


def _line(label: str, said: str) -> str:
    first, *rest = wrap(said, WIDTH - LABEL) or [""]
    return "\n".join([f"  {label:<{LABEL}}{first}", *(" " * (LABEL + 2) + more for more in rest)])


def _size(info: FileInfo) -> str:
    sizes = " x ".join(map(str, info.shape[:3]))
    zooms = " x ".join(f"{zoom:.4g}" for zoom in info.zooms_mm or ())
    said = f"{sizes} voxels of {zooms} mm" if zooms else f"{sizes} values"
    if info.frames > 1:
        said += f", {info.frames} frames"
    return said + (f", repetition time {info.tr_s:g} s" if info.tr_s else "")


def _orientation(info: FileInfo) -> str:
    codes = info.axcodes or ""
    to = [TOWARDS.get(code, "?") for code in codes]
    hand = "left" if (info.determinant or 0) < 0 else "right"
    return (
        f"{codes}: the voxel axes run towards {to[0]}, {to[1]} and {to[2]} "
        f"({hand}-handed, determinant {info.determinant:.4g} mm³)"
    )


def _place(info: FileInfo) -> str:
    if info.affine_source == "format":
        return f"by the affine that {info.format} files have"
    if info.affine_source == "fallback":
        return "not stated by the file: centred, the first axis taken to run to the left"
    codes = {"sform": info.sform_code or 0, "qform": info.qform_code or 0}
    named = {
        name: f"{name} (code {code}, {CODE_MEANING.get(code, 'not in the standard')})" for name, code in codes.items()
    }
    said = f"by its {named[str(info.affine_source)]}"
    if info.disagreement_mm is None:
        other = "qform" if info.affine_source == "sform" else "sform"
        return f"{said}; no {other} is set"
    apart = f"{info.disagreement_mm:.2g} mm and {info.disagreement_deg:.2g}°"
    return f"{said}; its {named['qform']} is within {apart} of it"


def _space(info: FileInfo) -> str:
    if info.space is None:
        return "unknown or native, so no region names are shown on it"
    return f"{info.space}{', variant not stated' if info.space == 'MNI152' else ''}"


def _numbers(values: tuple[float, ...]) -> str:
    return "".join(f"{round(value, 4) + 0.0:12.4f}" for value in values)
